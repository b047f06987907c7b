"""nslib.matter.leptons against integrals over the Fermi sphere, thermodynamics and both limits."""

import jax
import numpy as np
import pytest
from scipy.integrate import quad

from nslib.matter import leptons
from nslib.units import HBARC, M_E, M_MU

MASSES = [M_E, M_MU]


def sphere(f, k):
    """2 / (2 pi hbar c)^3 times the integral of f over a sphere of momenta of radius k."""
    return quad(lambda q: f(q) * q**2, 0, k, epsabs=0, epsrel=1e-12)[0] / (np.pi**2 * HBARC**3)


@pytest.mark.parametrize("m", MASSES)
@pytest.mark.parametrize("x", [1e-4, 1e-2, 0.0199, 0.0201, 0.0499, 0.0501, 1.0, 300.0])
def test_energy_and_pressure_are_integrals(m, x):
    k = x * m
    assert float(leptons.energy_density(k, m)) == pytest.approx(
        sphere(lambda q: np.hypot(q, m), k), rel=2e-10
    )
    assert float(leptons.pressure(k, m)) == pytest.approx(
        sphere(lambda q: q**2 / np.hypot(q, m) / 3, k), rel=2e-9
    )


@pytest.mark.parametrize("m", MASSES)
def test_number_density_and_momentum(m):
    mu = np.array([0.5, 1.0, 1.001, 2.0, 1e3]) * m
    n, k = np.asarray(leptons.number_density(mu, m)), np.asarray(leptons.momentum(mu, m))
    assert n[:2].tolist() == [0.0, 0.0] and k[:2].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(n[2:], [sphere(lambda q: 1.0, q) for q in k[2:]], rtol=1e-11)
    np.testing.assert_allclose(leptons.fermi_momentum(n[2:]), k[2:], rtol=1e-14)
    np.testing.assert_allclose(np.hypot(k[2:], m), mu[2:], rtol=1e-14)


@pytest.mark.parametrize("m", MASSES)
def test_euler_relation(m):
    mu = np.array([1.2, 3.0, 50.0]) * m
    n, k = leptons.number_density(mu, m), leptons.momentum(mu, m)
    np.testing.assert_allclose(leptons.energy_density(k, m) + leptons.pressure(k, m), mu * n, rtol=1e-11)


def test_massless_limit():
    # eps = k^4 / 4 pi^2 (hbar c)^3 and p = eps / 3 for k >> m
    k = 1e5 * M_E
    eps = float(leptons.energy_density(k, M_E))
    assert eps == pytest.approx(k**4 / (4 * np.pi**2 * HBARC**3), rel=2e-9)
    assert float(leptons.pressure(k, M_E)) == pytest.approx(eps / 3, rel=2e-9)


def test_muons_appear_at_their_mass():
    mu = np.array([M_MU - 0.01, M_MU + 1.0])
    with_muons, without = leptons.charge_density(mu), leptons.charge_density(mu, muons=False)
    assert float(with_muons[0]) == float(without[0]) and float(with_muons[1]) > float(without[1])
    d_eps = jax.vmap(jax.grad(leptons.total_energy_density))(mu)
    d_n = jax.vmap(jax.grad(leptons.charge_density))(mu)
    np.testing.assert_allclose(d_eps, mu * d_n, rtol=1e-12)  # d eps = mu d n


def test_gradient_is_finite_below_threshold():
    assert float(jax.grad(leptons.number_density)(0.3 * M_MU, M_MU)) == 0.0
    assert float(jax.grad(leptons.momentum)(0.3 * M_MU, M_MU)) == 0.0
