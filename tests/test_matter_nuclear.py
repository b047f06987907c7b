"""nslib.matter.nuclear: a gas with closed forms, published saturation points, identities of beta equilibrium."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.matter import leptons, metamodel, nuclear, skyrme
from nslib.units import HBARC, M_E

MASS = 939.0
STIFF = metamodel.Metamodel(L=70.0, K_sym=50.0, J_sym=100.0)
SOFT = metamodel.Metamodel(L=30.6, K_sym=-400.0)
MODELS = {
    "SLy4": (skyrme.energy_density, skyrme.SLY4),
    "metamodel": (metamodel.energy_density, STIFF),
}


def fermi_gas(n_n, n_p, m):
    """Non-relativistic free nucleons: eps = sum_q n_q (m + 3/5 E_Fq), E_Fq = hbar^2 (3 pi^2 n_q)^(2/3) / 2m."""
    kinetic = 0.6 * HBARC**2 / (2 * m) * (3 * jnp.pi**2) ** (2 / 3) * (n_n ** (5 / 3) + n_p ** (5 / 3))
    return kinetic + m * (n_n + n_p)


def energy(n, E_F):
    """Fermi energy of symmetric matter, as a function of n."""
    return HBARC**2 / (2 * MASS) * (1.5 * np.pi**2 * n) ** (2 / 3)


# ---- closed forms ----------------------------------------------------------------------------------------------


def test_free_nucleons():
    n, E_F = 0.3, energy(0.3, None)
    mu_n, mu_p = nuclear.chemical_potentials(fermi_gas, 0.2, 0.1, MASS)
    for mu, n_q in ((mu_n, 0.2), (mu_p, 0.1)):
        assert float(mu) == pytest.approx(
            MASS + HBARC**2 / (2 * MASS) * (3 * np.pi**2 * n_q) ** (2 / 3), rel=1e-14
        )
    assert float(nuclear.energy_per_nucleon(fermi_gas, n, 0.0, MASS)) == pytest.approx(
        MASS + 0.6 * E_F, rel=1e-14
    )
    assert float(nuclear.symmetry_energy(fermi_gas, n, MASS)) == pytest.approx(E_F / 3, rel=1e-12)
    # p = 2/3 of the kinetic energy density
    kinetic = float(fermi_gas(0.2, 0.1, MASS)) - MASS * n
    assert float(nuclear.pressure(fermi_gas, 0.2, 0.1, MASS)) == pytest.approx(2 / 3 * kinetic, rel=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_pressure_is_a_finite_difference(model):
    f, q = MODELS[model]
    x, h = 0.1, 1e-5
    for n in (0.08, 0.16, 0.5):
        E = [float(f(m * (1 - x), m * x, q)) / m for m in (n * (1 - h), n * (1 + h))]
        assert float(nuclear.pressure(f, n * (1 - x), n * x, q)) == pytest.approx(
            n * (E[1] - E[0]) / (2 * h), rel=1e-6
        )


# ---- saturation ------------------------------------------------------------------------------------------------


def test_sly4_saturation():
    # n_0 .15954, E_0 -15.974, K_0 229.92, S 32.00, L 45.96 with m = 939 MeV: another code's evaluation of the
    # functional; K_sym -119.7, J_0 -363.1, J_sym 521.5: M. Dutra et al., Phys. Rev. C 85 (2012) 035201, SLy4
    s = nuclear.saturation(skyrme.energy_density, skyrme.SLY4, 939.0)
    assert float(s.n_0) == pytest.approx(0.15954, abs=6e-6)
    assert float(s.E_0) == pytest.approx(-15.974, abs=6e-4)
    assert float(s.K_0) == pytest.approx(229.92, abs=6e-3)
    assert float(s.S) == pytest.approx(32.00, abs=6e-3)
    assert float(s.L) == pytest.approx(45.96, abs=6e-3)
    assert float(s.K_sym) == pytest.approx(-119.7, abs=0.1)
    assert float(s.J_0) == pytest.approx(-363.1, abs=0.1)
    assert float(s.J_sym) == pytest.approx(521.5, abs=0.1)


def test_metamodel_saturates_at_its_own_parameters():
    q = metamodel.Metamodel(L=58.7, K_sym=-100.0, J_sym=300.0, S_0=31.7, E_0=-15.9, K_0=240.0, J_0=-150.0)
    s = nuclear.saturation(metamodel.energy_density, q, q.m)
    found = {
        "L": s.L,
        "K_sym": s.K_sym,
        "J_sym": s.J_sym,
        "S_0": s.S,
        "E_0": s.E_0,
        "K_0": s.K_0,
        "J_0": s.J_0,
    }
    for name, value in found.items():
        assert float(value) == pytest.approx(getattr(q, name), rel=1e-9), name
    assert float(s.n_0) == pytest.approx(q.rho_0, rel=1e-12)


# ---- beta equilibrium ------------------------------------------------------------------------------------------

DENSITIES = jnp.geomspace(0.02, 1.5, 60)


def equilibria(model, muons=True):
    f, q = MODELS[model]
    return jax.jit(jax.vmap(lambda n: nuclear.beta_equilibrium(f, n, q, muons)))(DENSITIES)


@pytest.mark.parametrize("muons", [True, False])
@pytest.mark.parametrize("model", MODELS)
def test_equilibrium_and_charge(model, muons):
    f, q = MODELS[model]
    e, n = equilibria(model, muons), DENSITIES
    mu_n, mu_p = jax.vmap(lambda n, x: nuclear.chemical_potentials(f, n * (1 - x), n * x, q))(n, e.x_p)
    np.testing.assert_allclose(mu_n - mu_p, e.mu_e, rtol=1e-12)
    np.testing.assert_allclose(leptons.charge_density(e.mu_e, muons), n * e.x_p, rtol=1e-11)
    np.testing.assert_allclose(e.eps + e.p, n * e.mu_b, rtol=1e-14)
    assert bool(jnp.all((e.x_p > 0) & (e.x_p < 0.5)))
    assert bool(jnp.any(e.mu_e > 105.66)) or not muons


@pytest.mark.parametrize("model", MODELS)
def test_first_law_and_sound_speed(model):
    """d eps / d n = mu_b, dp / dn = n d mu / dn, and cs2 = dp / d eps, by central differences of the results."""
    f, q = MODELS[model]
    at = jax.jit(jax.vmap(lambda n: nuclear.beta_equilibrium(f, n, q)))
    h = 1e-4
    e, up, down = at(DENSITIES), at(DENSITIES * (1 + h)), at(DENSITIES * (1 - h))
    d_eps, d_p = up.eps - down.eps, up.p - down.p
    np.testing.assert_allclose(d_eps / (2 * h * DENSITIES), e.mu_b, rtol=1e-6)
    # p has a kink in its second derivative at the muon threshold, near 0.12 fm^-3
    away = np.abs(np.asarray(e.mu_e) - 105.66) > 1
    np.testing.assert_allclose((d_p / d_eps)[away], e.cs2[away], rtol=2e-6, atol=1e-9)


def test_minimum_of_energy():
    """Beta equilibrium is the composition of least energy at given n_b."""
    f, q = MODELS["metamodel"]
    n, x = 0.4, float(nuclear.beta_equilibrium(f, jnp.asarray(0.4), q, muons=False).x_p)

    def total(x):
        k = leptons.fermi_momentum(n * x)
        return float(f(n * (1 - x), n * x, q) + leptons.energy_density(k, M_E))

    assert total(x) < min(total(x - 1e-3), total(x + 1e-3))


def test_no_protons_where_the_symmetry_energy_is_negative():
    at = jax.jit(jax.vmap(lambda n: nuclear.beta_equilibrium(metamodel.energy_density, n, SOFT)))
    n = jnp.array([0.3, 0.5, 0.8])
    e = at(n)
    assert np.asarray(metamodel.symmetry_energy(n, SOFT) > 0).tolist() == [True, False, False]
    assert float(e.x_p[0]) > 0 and np.asarray(e.x_p[1:]).tolist() == [0.0, 0.0]
    neutrons = jax.vmap(lambda n: nuclear.chemical_potentials(metamodel.energy_density, n, 0.0, SOFT)[0])(n)
    np.testing.assert_allclose(e.mu_b[1:], neutrons[1:], rtol=1e-14)
    up, down = at(n * (1 + 1e-5)), at(n * (1 - 1e-5))
    np.testing.assert_allclose((up.p - down.p) / (up.eps - down.eps), e.cs2, rtol=1e-6)


def test_skyrme_without_protons_has_a_sound_speed():
    """x_3 = 3 makes E_sym negative above 0.3 fm^-3; tau_p ~ n_p^(5/3) has no second derivative at none."""
    soft = skyrme.SLY4._replace(x3=3.0)
    at = jax.vmap(lambda n: nuclear.beta_equilibrium(skyrme.energy_density, n, soft))
    n = jnp.array([0.4])
    e, up, down = at(n), at(n * (1 + 1e-5)), at(n * (1 - 1e-5))
    assert float(nuclear.symmetry_energy(skyrme.energy_density, 0.4, soft)) < 0 and float(e.x_p[0]) == 0.0
    np.testing.assert_allclose((up.p - down.p) / (up.eps - down.eps), e.cs2, rtol=1e-6)


def test_derivatives_to_parameters():
    """Each column of the equilibrium, the sound speed too, against Richardson central differences."""

    @jax.jit
    def f(L):
        at = jax.vmap(lambda n: nuclear.beta_equilibrium(metamodel.energy_density, n, STIFF._replace(L=L)))
        return jnp.stack(at(jnp.array([0.09, 0.16, 0.6])))

    d = [(np.asarray(f(70.0 + h)) - np.asarray(f(70.0 - h))) / (2 * h) for h in (2e-2, 1e-2)]
    exact = np.asarray(jax.jacfwd(f)(70.0))
    np.testing.assert_allclose(exact, (4 * d[1] - d[0]) / 3, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(np.asarray(jax.jacrev(f)(70.0)), exact, rtol=1e-11)


def test_no_draw_fails():
    """The root is found over a box of parameters wider than any prior in use; a miss would be NaN."""
    rng = np.random.default_rng(11)
    box = {"L": (0, 130), "K_sym": (-500, 400), "J_sym": (-1000, 1500), "S_0": (25, 38), "K_0": (200, 320),
           "J_0": (-800, 600), "E_0": (-17, -15)}  # fmt: skip
    draws = {name: rng.uniform(*ends, 512) for name, ends in box.items()}
    eos = metamodel.eos(**draws)
    assert np.isfinite(np.asarray(eos.p)).all() and np.isfinite(np.asarray(eos.cs2)).all()
