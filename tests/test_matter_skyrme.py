"""nslib.matter.skyrme: the energy density against formulas for its special cases, and symmetries."""

import jax.numpy as jnp
import numpy as np
import pytest

from nslib.matter.skyrme import SLY4, Skyrme, energy_density
from nslib.units import HBARC


def per_nucleon_symmetric(n, s):
    """E / A of symmetric matter: E. Chabanat et al., Nucl. Phys. A 627 (1997) 710, section 3."""
    k2 = (1.5 * np.pi**2) ** (2 / 3)
    theta_s = 3 * s.t1 + s.t2 * (5 + 4 * s.x2)
    E = 0.6 * HBARC**2 / (2 * s.m) * k2 * n ** (2 / 3) + 3 / 8 * s.t0 * n
    return E + 3 / 80 * theta_s * k2 * n ** (5 / 3) + s.t3 / 16 * n ** (s.alpha + 1)


def per_nucleon_neutrons(n, s):
    """E / A of pure neutron matter: the same."""
    k2 = (3 * np.pi**2) ** (2 / 3)
    E = 0.6 * HBARC**2 / (2 * s.m) * k2 * n ** (2 / 3) + s.t0 / 4 * (1 - s.x0) * n
    E += s.t3 / 24 * (1 - s.x3) * n ** (s.alpha + 1)
    return E + 3 / 40 * k2 * n ** (5 / 3) * (s.t1 * (1 - s.x1) + 3 * s.t2 * (1 + s.x2))


@pytest.mark.parametrize("n", [0.01, 0.16, 0.8])
def test_special_cases(n):
    symmetric = float(energy_density(n / 2, n / 2, SLY4)) / n - 939.0
    neutrons = float(energy_density(n, 0.0, SLY4)) / n - 939.0
    assert symmetric == pytest.approx(per_nucleon_symmetric(n, SLY4), rel=1e-11)
    assert neutrons == pytest.approx(per_nucleon_neutrons(n, SLY4), rel=1e-11)


def test_free_nucleons():
    free = Skyrme(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1 / 3, m_n=0.0, m_p=0.0)
    n_n, n_p = 0.1, 0.05
    kinetic = sum(0.6 * HBARC**2 / (2 * 939.0) * (3 * np.pi**2 * n) ** (2 / 3) * n for n in (n_n, n_p))
    assert float(energy_density(n_n, n_p, free)) == pytest.approx(kinetic, rel=1e-14)


def test_isospin_symmetry_and_rest_masses():
    assert float(energy_density(0.1, 0.03, SLY4)) == pytest.approx(
        float(energy_density(0.03, 0.1, SLY4)), rel=1e-15
    )
    heavy = SLY4._replace(m_n=939.0 + 1.0, m_p=939.0 + 2.0)
    step = float(energy_density(0.1, 0.03, heavy)) - float(energy_density(0.1, 0.03, SLY4))
    assert step == pytest.approx(0.1 * 1.0 + 0.03 * 2.0, rel=1e-9)


def test_arrays():
    n_n, n_p = jnp.array([0.05, 0.1]), jnp.array([0.01, 0.02])
    each = [float(energy_density(a, b, SLY4)) for a, b in zip(n_n, n_p)]
    np.testing.assert_allclose(energy_density(n_n, n_p, SLY4), each, rtol=1e-15)
