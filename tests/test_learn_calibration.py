"""Half-widths of a network's errors: they cover what they say on new members, whatever the law of the errors."""

import json

import numpy as np
import pytest

from nslib.learn import calibration

#: laws of |error| / width: name to a function of a generator and a number
LAWS = {
    "normal": lambda rng, n: np.abs(rng.normal(size=n)),
    "heavy tails": lambda rng, n: np.abs(rng.standard_t(3, size=n)),
    "uniform": lambda rng, n: rng.uniform(size=n),
}


def members(n, seed, law="normal", k=2):
    """Inputs and errors, whose width is the exponential of a polynomial of second degree."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=(n, k))
    return t, width(t) * LAWS[law](rng, n)


def width(t):
    return np.exp(0.5 * t[..., 0] - 0.3 * t[..., 1] + 0.2 * t[..., 0] * t[..., 1] - 0.1 * t[..., 1] ** 2 - 3)


def covered(t, e, fitted):
    return (e[:, None] <= calibration.half_widths(t, fitted)).mean(axis=0)


def spread(n_fit, n_new):
    """Deviation of the coverage: binomial for the new members, and as much again for the quantile of those fitted."""
    p = np.array(calibration.LEVELS)
    return np.sqrt(p * (1 - p) * (1 / n_fit + 1 / n_new))


@pytest.mark.parametrize("law", LAWS)
def test_covers_new_members(law):
    """4000 to fit, 4000 others, four deviations: 4 points at 68 %, 2 at 95 %."""
    found = covered(*members(4000, 1, law), calibration.fit(*members(4000, 0, law)))
    assert np.all(np.abs(found - calibration.LEVELS) < 4 * spread(4000, 4000)), found


def test_width_follows_the_inputs():
    """Widths of a normal law, .994 and 1.960 sigma at every member; the fit's part of each is sqrt(6 / 4000) of 1.1."""
    fitted = calibration.fit(*members(4000, 0))
    t = members(500, 1)[0]
    ratio = calibration.half_widths(t, fitted) / width(t)[:, None]
    np.testing.assert_allclose(np.median(ratio, axis=0), [0.994, 1.960], rtol=0.06)
    assert np.all(np.quantile(ratio[:, 0], [0.05, 0.95]) > 0.994 * 0.85) and np.all(np.quantile(ratio[:, 0], [0.05, 0.95]) < 0.994 * 1.15)
    assert np.ptp(np.log(width(t))) > 2  # there is something to follow


def test_covers_though_the_width_is_no_polynomial():
    """A jump in the width, which the fit smears: too wide here, too narrow there, right on the whole."""

    def jump(n, seed):
        t, _ = members(n, seed)
        return t, np.where(t[:, 0] > 0.7, 10, 1) * np.abs(np.random.default_rng(seed + 50).normal(size=n))

    found = covered(*jump(4000, 1), calibration.fit(*jump(4000, 0)))
    assert np.all(np.abs(found - calibration.LEVELS) < 4 * spread(4000, 4000)), found


def test_few_members_do_not_cover_less():
    """The least number, 40 times: the mean coverage is not below what is said by more than its own scatter."""
    n = calibration.LEAST
    found = np.mean([covered(*members(1000, 500 + s), calibration.fit(*members(n, s))) for s in range(40)], axis=0)
    assert np.all(found > calibration.LEVELS - 4 * spread(n, 1000) / np.sqrt(40)), found


def test_order_statistics_without_inputs():
    """No inputs: ratios to the other half's geometric mean, and of n the 0.68 (n + 1)-th, rounded up."""
    e = members(101, 3)[1]
    small = 1e-3 * np.median(e)
    fitted = calibration.fit(np.empty((101, 0)), e)
    log = np.log(e + small)
    ratio = sorted([*(e[::2] / np.exp(log[1::2].mean())), *(e[1::2] / np.exp(log[::2].mean()))])
    np.testing.assert_allclose(fitted["coefficients"], [log.mean()], rtol=1e-10)
    np.testing.assert_allclose(fitted["factors"], [ratio[69], ratio[96]], rtol=1e-10)  # the 70th and the 97th of 101


def test_units_do_not_matter():
    """Errors in other units: half-widths in those units. A power of two, so that rounding is the same."""
    t, e = members(300, 0)
    one, other = (calibration.half_widths(t, calibration.fit(t, a)) for a in (e, 1024 * e))
    np.testing.assert_allclose(other, 1024 * one, rtol=1e-9)


def test_features():
    t = np.array([[2.0, 3.0, 5.0], [-1.0, 0.5, 4.0]])
    for row, found in zip(t, calibration.features(t), strict=True):
        x, y, z = row
        np.testing.assert_array_equal(np.sort(found), np.sort([1, x, y, z, x * x, x * y, y * y, x * z, y * z, z * z]))
    assert calibration.features(np.zeros((4, 7, 9))).shape == (4, 7, 55)


def test_shapes_and_json():
    t, e = members(200, 0)
    fitted = calibration.fit(t, e)
    again = json.loads(json.dumps(fitted))
    half = calibration.half_widths(t, fitted)
    assert half.shape == (200, 2) and np.all(half > 0) and np.all(half[:, 0] < half[:, 1])
    np.testing.assert_array_equal(calibration.half_widths(t, again), half)
    np.testing.assert_allclose(calibration.half_widths(t[3], fitted), half[3], rtol=1e-12)
    np.testing.assert_allclose(calibration.half_widths(t.reshape(4, 50, 2), fitted), half.reshape(4, 50, 2), rtol=1e-12)


def test_one_exact_member_is_no_trouble():
    t, e = members(200, 0)
    e[5] = 0.0
    assert np.all(np.isfinite(calibration.half_widths(t, calibration.fit(t, e))))


def spoiled(n=200, **values):
    """Members with some of the inputs or errors replaced."""
    t, e = members(n, 0)
    for row, value in values.get("e", {}).items():
        e[row] = value
    for row, value in values.get("t", {}).items():
        t[row, 1] = value
    return t, e


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (members(99, 0), "needs at least 100 finite errors of B, got 99 of 99"),
        (spoiled(e={7: np.nan}), "needs at least 100 finite errors of B, got 199 of 200"),
        (spoiled(e={7: np.inf, 8: np.nan}), "got 198 of 200"),
        ((members(120, 0)[0], members(119, 0)[1]), "there are 119 errors of B, but 120 inputs"),
        (spoiled(e={7: -0.5}), r"errors of B must be >= 0 and more than half of them > 0; least -0\.5, median"),
        (spoiled(e=dict.fromkeys(range(150), 0.0)), "more than half of them > 0; least 0, median 0"),
        (spoiled(t={7: np.nan, 9: np.inf}), "2 of 200 inputs for the errors of B are not finite"),
    ],
)  # fmt: skip
def test_refuses(data, message):
    with pytest.raises(ValueError, match=message):
        calibration.fit(*data, "B")


def test_hundred_are_enough():
    calibration.fit(*members(100, 0))
