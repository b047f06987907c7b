"""nslib.matter.spinodal: public values, the criteria written out, a plain scan, members without a root."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.matter import leptons, metamodel, nuclear, skyrme
from nslib.matter.skyrme import SLY4, SLY4_ROUNDED, Skyrme, from_saturation
from nslib.matter.spinodal import stability, transition_density
from nslib.units import M_E, M_MU

#: SkI4 with the digits of the public data files named below
SKI4_ROUNDED = Skyrme(-1855.83, 473.829, 1006.86, 9703.61, 0.4051, -2.8891, -1.3252, 1.1452, 0.25)


def beta(n, s, muons=True):
    return nuclear.beta_equilibrium(skyrme.energy_density, n, s, muons)


@pytest.mark.parametrize(
    "s, published",
    [  # n [fm^-3], eps, p [MeV fm^-3]: github.com/sotzee/SSVAE_EOS, data_skyrme/data_107_{SLy4,SkI4}.txt
        (SLY4_ROUNDED, (0.08842107294, 83.89020698, 0.4604482608)),
        (SKI4_ROUNDED, (0.08085111548, 76.42646332, 0.3375165602)),
    ],
)
def test_public_files(s, published):
    n = transition_density(skyrme.energy_density, s)
    assert isinstance(n, float)
    e = beta(n, s)
    np.testing.assert_allclose([n, e.eps, e.p], published, rtol=1e-9)


def test_files_leave_the_energy_of_muons_out():
    """In the same file the densest row has charges with muons, energy and pressure without them."""
    n = 1.207506622
    e = beta(n, SLY4_ROUNDED)
    k = leptons.momentum(e.mu_e, M_MU)
    assert float(e.eps - leptons.energy_density(k, M_MU)) == pytest.approx(1589.076344, rel=2e-8)
    assert float(e.p - leptons.pressure(k, M_MU)) == pytest.approx(856.3439941, rel=5e-8)
    # with them: an independent evaluation of the same matter
    assert [round(float(a), 4) for a in (e.eps, e.p)] == [1601.8215, 859.4775]
    no_muons = beta(n, SLY4_ROUNDED, muons=False)  # matter without muons is a third thing
    assert abs(float(no_muons.eps) - 1589.076) > 1 and abs(float(no_muons.p) - 856.344) > 1


def test_sly4():
    # another code's values, 0.0886 and 0.0699; there are no muons at either
    assert transition_density(skyrme.energy_density, SLY4) == pytest.approx(0.08863, abs=5e-6)
    printed = transition_density(skyrme.energy_density, SLY4, muons=False, criterion="as_printed")
    assert printed == pytest.approx(0.0699, abs=5e-5)


def test_determinant_of_the_nucleons():
    """The root is one of eps_nn eps_pp - eps_np^2, by differences of the energy density alone."""
    n = transition_density(skyrme.energy_density, SLY4)
    x = beta(n, SLY4).x_p
    H = jax.jit(jax.hessian(lambda v: skyrme.energy_density(v[0], v[1], SLY4)))
    det = lambda n: float(np.linalg.det(H(n * jnp.stack([1 - x, x]))))  # noqa: E731
    assert abs(det(n)) < 1e-6 * abs(det(1.1 * n))
    assert det(0.99 * n) < 0 < det(1.01 * n)


def test_determinant_as_printed():
    """... and of E_nn E_xx - E_nx^2 for the energy per baryon with electrons, n_e = n x, at equilibrium."""

    def E(v):
        n, x = v
        k = leptons.fermi_momentum(n * x)
        return (skyrme.energy_density(n * (1 - x), n * x, SLY4) + leptons.energy_density(k, M_E)) / n

    n = transition_density(skyrme.energy_density, SLY4, muons=False, criterion="as_printed")
    at, up = (jnp.stack([m, beta(m, SLY4, muons=False).x_p]) for m in (n, 1.01 * n))
    H, slope = jax.jit(jax.hessian(E)), jax.jit(jax.grad(E))
    det = lambda v: float(np.linalg.det(H(v)))  # noqa: E731
    assert abs(slope(at)[1]) < 1e-9
    assert abs(det(at)) < 1e-8 * abs(det(up)) and det(up) > 0
    # off the root: the second derivative along equilibrium is the determinant over E_xx
    along = stability(skyrme.energy_density, up[0], SLY4, False, "as_printed")
    assert float(along) == pytest.approx(det(up) / float(H(up)[1, 1]), rel=1e-8)


# ---- batches ---------------------------------------------------------------------------------------------------


def draws(n):
    rng = np.random.default_rng(3)
    box = ((0.153, 0.167), (-16.3, -15.7), (215, 265), (28, 36), (20, 100), (0.65, 1), (0.6, 1))
    return from_saturation(*(rng.uniform(*ends, n) for ends in box))


def by_bisection(f, params, lo=0.03, hi=0.15, points=241):
    """Highest sign change of stability on a fine grid, halved 40 times, each member for itself."""
    grid = np.linspace(lo, hi, points)
    at = jax.jit(lambda n: jax.vmap(lambda n, q: stability(f, n, q))(n, params))
    rows = np.stack([np.asarray(at(np.full(len(params[0]), n))) for n in grid])
    found = (rows[-1] > 0) & (rows <= 0).any(axis=0)
    k = points - 1 - np.argmax((rows <= 0)[::-1], axis=0)
    lo, hi = grid[k], grid[np.minimum(k + 1, points - 1)]
    for _ in range(40):
        mid = (lo + hi) / 2
        down = np.asarray(at(mid)) <= 0
        lo, hi = np.where(down, mid, lo), np.where(down, hi, mid)
    return np.where(found, lo, np.nan)


def test_skyrme_batch_against_bisection():
    s = draws(256)
    n = np.asarray(transition_density(skyrme.energy_density, s))
    assert np.isfinite(n[np.isfinite(s.t0)]).all() and np.isnan(n[np.isnan(s.t0)]).all()
    np.testing.assert_allclose(n, by_bisection(skyrme.energy_density, s), rtol=1e-10)
    assert 0.04 < np.nanmin(n) < 0.06 and 0.1 < np.nanmax(n) < 0.13


def test_metamodel_batch_against_bisection():
    """A wider box, with members that are unstable at the top of the range: E_sym < 0 leaves neutrons alone."""
    rng = np.random.default_rng(4)
    q = metamodel.Metamodel(rng.uniform(30.6, 86.8, 256), rng.uniform(-400, 100, 256))
    q = nuclear.as_batch(q)[0]
    n = np.asarray(transition_density(metamodel.energy_density, q))
    assert 0 < np.isnan(n).sum() < 60
    np.testing.assert_allclose(n, by_bisection(metamodel.energy_density, q), rtol=1e-9)


def test_neighbours_of_a_bad_member():
    s = draws(20)
    n = np.asarray(transition_density(skyrme.energy_density, s))
    spoilt = s._replace(t0=np.asarray(s.t0).copy(), x3=np.asarray(s.x3).copy())
    spoilt.t0[5], spoilt.x3[7] = np.nan, 40.0
    m = np.asarray(transition_density(skyrme.energy_density, spoilt))
    assert np.isnan(m[[5, 7]]).all()
    np.testing.assert_array_equal(np.delete(m, [5, 7]), np.delete(n, [5, 7]))


def test_one_member_and_alone():
    s = draws(20)
    n = transition_density(skyrme.energy_density, s)[:3]
    alone = [transition_density(skyrme.energy_density, Skyrme(*(float(a[i]) for a in s))) for i in range(3)]
    np.testing.assert_allclose(n, alone, rtol=1e-12)
    assert transition_density(skyrme.energy_density, jax.tree.map(lambda a: a[:1], s)).shape == (1,)


def test_derivatives_to_parameters():
    """By the implicit function against a central difference; under jit NaN where there is no root."""
    f = lambda t3: transition_density(skyrme.energy_density, SLY4._replace(t3=t3))  # noqa: E731
    both = jax.jit(lambda t3: jax.jvp(f, (t3,), (jnp.ones_like(t3),)))
    slope = (both(SLY4.t3 + 1.0)[0] - both(SLY4.t3 - 1.0)[0]) / 2
    assert float(both(SLY4.t3)[1]) == pytest.approx(float(slope), rel=1e-6)
    assert np.isnan(both(0.0)[0])


# ---- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, message",
    [
        ({"criterion": "intensive"}, "criterion must be one of extensive, as_printed, got 'intensive'"),
        ({"n_range": (0.1, 0.15)}, r"no transition .* in n_range = \[0.1, 0.15\] fm\^-3 for Skyrme"),
        ({"n_range": (0.03, 0.08)}, r"no transition .* in n_range = \[0.03, 0.08\] fm\^-3"),
        ({"n_range": (0.15, 0.03)}, r"n_range must rise from above 0 fm\^-3, got \(0.15, 0.03\)"),
        ({"n_range": (0.0, 0.1)}, "n_range must rise from above 0"),
        ({"params": SLY4._replace(t0=np.nan)}, "no transition"),
        ({"params": SLY4._replace(t0=np.full((2, 2), -2488.91))}, "arrays of one axis"),
    ],
)
def test_refusals(change, message):
    with pytest.raises(ValueError, match=message):
        transition_density(skyrme.energy_density, **{"params": SLY4, **change})


def test_stability_refuses_unknown_criteria():
    with pytest.raises(ValueError, match="criterion must be one of"):
        stability(skyrme.energy_density, 0.1, SLY4, criterion="thermal")
