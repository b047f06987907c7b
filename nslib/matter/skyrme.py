"""Skyrme energy density of homogeneous nuclear matter."""

from typing import NamedTuple

import jax.numpy as jnp

from nslib.units import HBARC


class Skyrme(NamedTuple):
    """Parameters of a standard Skyrme interaction.

    t0 [MeV fm^3], t1, t2 [MeV fm^5], t3 [MeV fm^(3+3 alpha)], x0..x3, alpha [1];
    m [MeV]: the nucleon mass in hbar^2 / 2m; m_n, m_p [MeV]: rest masses counted in the energy.
    """

    t0: float
    t1: float
    t2: float
    t3: float
    x0: float
    x1: float
    x2: float
    x3: float
    alpha: float
    m: float = 939.0
    m_n: float = 939.0
    m_p: float = 939.0


#: SLy4: E. Chabanat et al., Nucl. Phys. A 635 (1998) 231, table 1
SLY4 = Skyrme(-2488.91, 486.82, -546.39, 13777.0, 0.834, -0.344, -1.0, 1.354, 1 / 6)


def energy_density(n_n, n_p, s):
    r"""Energy density of neutrons and protons with rest masses.

    .. math::
        \mathcal H = \frac{\hbar^2}{2m}\tau + \frac{t_0}{4}\left[(2+x_0)n^2 - (1+2x_0)\sum_q n_q^2\right]
        + \frac{t_3}{24} n^\alpha\left[(2+x_3)n^2 - (1+2x_3)\sum_q n_q^2\right]
        + \frac{1}{8}\left[t_1(2+x_1)+t_2(2+x_2)\right] n\tau
        + \frac{1}{8}\left[t_2(1+2x_2)-t_1(1+2x_1)\right]\sum_q n_q\tau_q,
        \qquad \tau_q = \tfrac35 (3\pi^2)^{2/3} n_q^{5/3}

    E. Chabanat et al., Nucl. Phys. A 627 (1997) 710, equations 3.1-3.4.

    Parameters
    ----------
    n_n, n_p : arrays, neutron and proton density [fm^-3]
    s : Skyrme

    Returns
    -------
    array [MeV fm^-3]
    """
    n, sum2 = n_n + n_p, n_n**2 + n_p**2
    c = 0.6 * (3 * jnp.pi**2) ** (2 / 3)
    tau_n, tau_p = c * n_n ** (5 / 3), c * n_p ** (5 / 3)
    tau = tau_n + tau_p
    kinetic = HBARC**2 / (2 * s.m) * tau
    central = s.t0 / 4 * ((2 + s.x0) * n**2 - (1 + 2 * s.x0) * sum2)
    density = s.t3 / 24 * n**s.alpha * ((2 + s.x3) * n**2 - (1 + 2 * s.x3) * sum2)
    mass = (s.t1 * (2 + s.x1) + s.t2 * (2 + s.x2)) / 8 * n * tau
    mass_q = (s.t2 * (1 + 2 * s.x2) - s.t1 * (1 + 2 * s.x1)) / 8 * (n_n * tau_n + n_p * tau_p)
    return kinetic + central + density + mass + mass_q + s.m_n * n_n + s.m_p * n_p
