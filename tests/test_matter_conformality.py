"""nslib.matter.conformality: limits, closed form against differences, the plateau's floor, first density below."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.matter import conformality, quark, rmf
from nslib.matter.conformality import PLATEAU_FLOOR
from nslib.matter.eos import EOS

P_T = 60.0


def columns(factor=1.5, high=2000.0, n=120):
    """eps, p, n_b, cs2 of dust with p = rho^2 / 2300 below P_T; above, eps jumps by a factor and cs2 = 1/3."""
    below, above = np.geomspace(1e-8, P_T, n), np.geomspace(P_T, high, n)
    below[-1] = above[0] = P_T
    rho = np.sqrt(2300 * below)
    eps = np.append(rho + below, (rho[-1] + P_T) * factor + 3 * (above - P_T))
    cs2 = np.append(1 / (0.5 * np.sqrt(2300 / below) + 1), np.full(n, 1 / 3))
    mu = 939 * (rho + 2 * below) / rho
    n_q = (above + eps[n:]) / (mu[-1] * ((above + eps[n:]) / (above + eps[n:])[0]) ** (1 / 4))
    return eps, np.append(below, above), np.append(rho / 939, n_q), cs2


def hybrid(**how):
    eps, p, n_b, cs2 = columns(**how)
    return EOS(*(jnp.asarray(a) for a in (eps, p, n_b)), cs2=jnp.asarray(cs2))


def test_conformal_matter():
    """p = eps / 3: Delta, its slope and d_c vanish, gamma = 1; massless quarks are such matter at any density."""
    eos = quark.equation_of_state(quark.MFTQCD(0.0, 0.0, 0.0, 0.0, 0.0), np.geomspace(0.1, 2, 16))
    found = conformality.of_eos(eos)
    for a, expected in zip(found, (0, 0, 1, 0)):
        np.testing.assert_allclose(a, expected, atol=1e-12)


def test_dilute_and_stiffest_matter():
    """p << eps: Delta = d_c = 1/3; p = eps of constant cs2 = 1: Delta = -2/3, no slope, gamma = 1."""
    found = conformality.measures(np.array([100.0, 100.0]), np.array([1e-9, 100.0]), np.array([1e-9, 1.0]))
    np.testing.assert_allclose(found.d_c, [1 / 3, 2 / 3], rtol=1e-9)
    np.testing.assert_allclose(found.Delta, [1 / 3, -2 / 3], rtol=1e-9)
    np.testing.assert_allclose(found.gamma, [100, 1], rtol=1e-12)


def test_slope_is_the_derivative():
    """The closed form against d Delta / d ln eps and d ln p / d ln eps of close pairs of rows of nuclear matter."""
    n = np.linspace(0.2, 1.5, 32)[:, None] * (1 + 1e-4 * np.array([-2, -1, 0, 1, 2]))
    eos = rmf.equation_of_state(rmf.published("FSUGarnet"), n_b=n.ravel())
    found = conformality.of_eos(eos)
    Delta, x, y = (np.asarray(a).reshape(-1, 5) for a in (found.Delta, np.log(eos.eps), np.log(eos.p)))
    d = lambda f: 8 * (f[:, 3] - f[:, 1]) - f[:, 4] + f[:, 0]
    np.testing.assert_allclose(np.asarray(found.slope).reshape(-1, 5)[:, 2], d(Delta) / d(x), atol=1e-8)
    np.testing.assert_allclose(np.asarray(found.gamma).reshape(-1, 5)[:, 2], d(y) / d(x), rtol=1e-7)


def test_floor_of_a_plateau():
    """cs2 = 0: d_c^2 = (1/3 - x)^2 + x^2 with x = p / eps, least at x = 1/6, where it is 1/18."""
    p = 50.0
    d_c = conformality.in_plateau(p, p / np.linspace(0.01, 0.99, 981)).d_c
    assert (
        float(d_c.min()) == pytest.approx(1 / np.sqrt(18), rel=1e-5)
        and float(d_c.min()) >= PLATEAU_FLOOR - 1e-15
    )
    assert float(conformality.in_plateau(p, 6 * p).d_c) == pytest.approx(PLATEAU_FLOOR, rel=1e-14)
    assert PLATEAU_FLOOR == pytest.approx(0.2357, abs=5e-5)


def test_first_below():
    """Above the jump eps = 3p + 3k: Delta = k / eps = -Delta', so that d_c = sqrt(2) k / eps; below it d_c > 0.2."""
    eos = hybrid()
    d_c, n = np.asarray(conformality.of_eos(eos).d_c), np.asarray(eos.n_b)
    assert d_c[:120].min() > 0.2
    for threshold in (0.2, 0.1):
        found = float(conformality.first_below(eos, threshold))
        i = np.flatnonzero(d_c < threshold)[0]
        assert n[i - 1] < found <= n[i]
        k = float(eos.eps[120]) / 3 - P_T
        eps = np.sqrt(2) * k / threshold
        assert found == pytest.approx(np.interp(eps, eos.eps[120:], n[120:]), rel=2e-3)
    assert np.isnan(float(conformality.first_below(eos, 0.2, p_max=100.0)))
    assert np.isnan(float(conformality.first_below(hybrid(high=100.0), 0.2)))


def test_first_below_at_a_jump():
    """Dense matter that begins below the threshold: the density is that of its first row, not one in the mixture.

    On both sides Delta = .194; cs2 is .244 below and, made so, that of a constant p / eps above: d_c = .22 and .19.
    """
    eos = hybrid(factor=1.001)
    eos = EOS(eos.eps, eos.p, eos.n_b, cs2=eos.cs2.at[120:].set(eos.p[120] / eos.eps[120]))
    d_c = np.asarray(conformality.of_eos(eos).d_c)
    assert d_c[119] == pytest.approx(0.221, abs=1e-3) and d_c[120] == pytest.approx(0.194, abs=1e-3)
    assert float(conformality.first_below(eos, 0.2)) == float(eos.n_b[120])


def test_batch_and_pressures():
    batch = jax.tree.map(lambda *a: jnp.stack(a), hybrid(), hybrid(factor=1.2))
    found = conformality.first_below(batch, 0.2)
    for i, factor in enumerate((1.5, 1.2)):
        assert float(found[i]) == float(conformality.first_below(hybrid(factor=factor), 0.2))
    p = np.array([[1.0, 300.0, 5000.0], [80.0, 90.0, 100.0]])
    at = conformality.at_pressure(batch, p)
    assert at.d_c.shape == (2, 3) and np.isnan(np.asarray(at.d_c)).tolist() == [
        [False, False, True],
        [False] * 3,
    ]
    one = conformality.at_pressure(hybrid(), p[0])
    assert np.array_equal(one.d_c, at.d_c[0], equal_nan=True)
    k = float(batch.eps[0, 120]) / 3 - P_T
    assert float(at.d_c[0, 1]) == pytest.approx(np.sqrt(2) * k / (900 + 3 * k), rel=1e-4)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"threshold must lie in \(0, 0.2357\), got 0.3"):
        conformality.first_below(hybrid(), 0.3)
    eos = hybrid()
    with pytest.raises(ValueError, match="n_b is absent"):
        conformality.first_below(EOS(eos.eps, eos.p, cs2=eos.cs2))
    with pytest.raises(ValueError, match=r"p must have shape \(n,\)"):
        conformality.at_pressure(eos, 10.0)
