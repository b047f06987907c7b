"""nslib.interpolate against SciPy's PCHIP, and where SciPy has no answer: at jumps, in batches, in gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from nslib.interpolate import hermite, hermite_slope, pchip, pchip_slopes

numbers = st.floats(-100, 100, allow_nan=False).map(lambda a: round(a, 3))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0.01, 10), numbers), min_size=8, max_size=8))
def test_slopes_are_scipys(points):
    x = np.cumsum([step for step, _ in points])
    y = np.array([value for _, value in points])
    expected = PchipInterpolator(x, y).derivative()(x)
    scale = np.max(np.abs(np.diff(y) / np.diff(x))) + 1e-300
    np.testing.assert_allclose(np.asarray(pchip_slopes(x, y)) / scale, expected / scale, rtol=0, atol=1e-12)


def test_values_are_scipys():
    rng = np.random.default_rng(3)
    xp, fp = np.cumsum(rng.uniform(0.1, 2, 30)), rng.normal(size=30)
    x = np.append(rng.uniform(xp[0], xp[-1], 500), xp)
    np.testing.assert_allclose(pchip(x, xp, fp), PchipInterpolator(xp, fp)(x), rtol=0, atol=1e-13)


def test_outside_is_nan():
    xp = jnp.arange(5.0)
    assert np.isnan(np.asarray(pchip(jnp.array([-1e-9, 4 + 1e-9]), xp, xp**2))).all()
    assert np.asarray(pchip(jnp.array([0.0, 4.0]), xp, xp**2)).tolist() == [0.0, 16.0]


def test_jump_is_two_curves():
    """At a repeated abscissa each side has the slopes of a table that ends there."""
    x = np.array([0.0, 1.0, 2.5, 3.0, 3.0, 3.5, 5.0, 6.0])
    y = np.array([0.0, 1.0, 1.5, 4.0, 7.0, 7.5, 9.0, 20.0])
    found = np.asarray(pchip_slopes(x, y))
    for part in (slice(None, 4), slice(4, None)):
        np.testing.assert_allclose(
            found[part], PchipInterpolator(x[part], y[part]).derivative()(x[part]), rtol=1e-13
        )


def test_two_rows_between_jumps_are_a_line():
    x = np.array([0.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0])
    y = np.array([0.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 8.0])
    assert np.asarray(pchip_slopes(x, y))[3:5].tolist() == [2.0, 2.0]


def test_monotone():
    rng = np.random.default_rng(5)
    xp, fp = np.cumsum(rng.uniform(0.01, 3, 40)), np.cumsum(rng.exponential(1, 40) ** 3)
    y = np.asarray(pchip(np.linspace(xp[0], xp[-1], 4001), xp, fp))
    assert np.all(np.diff(y) >= 0)


def test_batch_is_its_members():
    rng = np.random.default_rng(7)
    x, y = np.cumsum(rng.uniform(0.1, 1, (6, 20)), axis=1), rng.normal(size=(6, 20))
    each = np.stack([pchip_slopes(x[i], y[i]) for i in range(6)])
    assert np.array_equal(np.asarray(pchip_slopes(x, y)), each)


def test_cubic_is_exact():
    """Hermite's cell reproduces a cubic, f = 2 - x + 3 x^2 - 0.5 x^3 on [1, 3], and its slope."""
    f = np.polynomial.Polynomial([2.0, -1.0, 3.0, -0.5])
    df, t = f.deriv(), np.linspace(0, 1, 11)
    cell = (2.0, f(1.0), f(3.0), df(1.0), df(3.0))
    np.testing.assert_allclose(hermite(t, *cell), f(1 + 2 * t), rtol=1e-14)
    np.testing.assert_allclose(hermite_slope(t, *cell), df(1 + 2 * t), rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", ["steep", "flat", "jump"])
def test_gradient(shape):
    """Reverse and forward derivatives to the ordinates are finite, equal, and those of central differences."""
    x = np.array([0.0, 1.0, 2.0, 4.0, 4.0 if shape == "jump" else 4.5, 5.0, 7.0])
    y = np.array([0.0, 0.1, 3.0, 3.5, 4.0, 4.2, 9.0])
    if shape == "flat":
        y[1:4] = 0.1
    at = jnp.array([0.3, 1.5, 3.0, 4.7, 6.0])

    f = jax.jit(lambda y: pchip(at, x, y))
    forward, reverse = jax.jacfwd(f)(y), jax.jacrev(f)(y)
    np.testing.assert_allclose(forward, reverse, rtol=0, atol=1e-14)
    assert np.isfinite(np.asarray(forward)).all()
    if shape != "flat":  # a limiter acts at equal ordinates: there only one-sided derivatives exist
        e = 1e-6 * np.eye(7)
        central = np.stack([(f(y + d) - f(y - d)) / 2e-6 for d in e], axis=1)
        np.testing.assert_allclose(forward, central, rtol=0, atol=1e-8)
