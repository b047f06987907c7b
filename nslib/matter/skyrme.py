"""Skyrme energy density of homogeneous nuclear matter."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.tables.skyrme_sets import PARAMETERS, skyrme_set
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


def named(name):
    """Published interaction of that name, with m = m_n = m_p = 939 MeV; ValueError listing the names known.

    See :mod:`nslib.tables.skyrme_sets`. Papers use hbar^2 / 2m from 20.7355 to 20.7525 MeV fm^2, which moves
    the energy of saturation by up to 0.02 MeV against m = 939 MeV.
    """
    published = skyrme_set(name)
    return Skyrme(*(published[p] for p in PARAMETERS))


#: SLy4: E. Chabanat et al., Nucl. Phys. A 635 (1998) 231, table 1
SLY4 = named("SLy4")
#: SLy4 with t0 and t2 rounded as in the public data files of the structured autoencoder of equations of
#: state, github.com/sotzee/SSVAE_EOS; it binds symmetric matter 0.06 MeV less than SLy4
SLY4_ROUNDED = SLY4._replace(t0=-2488.0, t2=-546.3)


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


def effective_masses(n_n, n_p, s):
    r"""Effective masses of neutron and proton, m*_n / m and m*_p / m [1].

    .. math::
        \frac{m}{m^*_q} = 1 + \frac{m}{4\hbar^2}\left\{[t_1(2+x_1)+t_2(2+x_2)]\,n
        + [t_2(1+2x_2)-t_1(1+2x_1)]\,n_q\right\}

    E. Chabanat et al., Nucl. Phys. A 627 (1997) 710.

    Parameters
    ----------
    n_n, n_p : arrays, neutron and proton density [fm^-3]
    s : Skyrme

    Returns
    -------
    two arrays [1]
    """
    both, own = s.t1 * (2 + s.x1) + s.t2 * (2 + s.x2), s.t2 * (1 + 2 * s.x2) - s.t1 * (1 + 2 * s.x1)
    return tuple(1 / (1 + s.m / (4 * HBARC**2) * (both * (n_n + n_p) + own * n_q)) for n_q in (n_n, n_p))


def from_saturation(n_0, E_0, K_0, S, L, m_s, m_v, *, m=939.0):
    r"""Skyrme parameters of matter with the given properties at saturation, in closed form.

    Homogeneous matter depends on t0, x0, t3, x3, alpha and on :math:`\Theta_s = 3t_1 + t_2(5 + 4x_2)` and
    :math:`\Theta_v = t_1(2+x_1) + t_2(2+x_2)` alone; t1 and t2 follow from these two by the convention
    x1 = x2 = 0, always. Nuclei and spin are not described. With the kinetic energy
    :math:`T = \frac35\frac{\hbar^2}{2m}(\frac32\pi^2 n_0)^{2/3}`, that of the effective mass
    :math:`B = T(1/m_s - 1)`, and A for alpha times the energy of t3, the vanishing pressure gives

    .. math::
        A = \frac{T - 2B}{3} - E_0, \qquad 1 + \alpha = \frac{K_0 + 2T - 10B}{9A}, \qquad
        \frac{t_3}{16} n_0^{1+\alpha} = \frac{A}{\alpha}, \qquad
        \frac38 t_0 n_0 = E_0 - T - B - \frac{A}{\alpha}

    and the symmetry energy, with 5T/9 its kinetic term, D that of the effective masses, W of x3 and U of x0,

    .. math::
        D = -\tfrac{1}{24}(\tfrac32\pi^2)^{2/3}(3\Theta_v - 2\Theta_s)n_0^{5/3}, \qquad
        \alpha W = \frac{L}{3} - S + \frac{5T}{27} - \frac{2D}{3}, \qquad U = S - \frac{5T}{9} - D - W

    Parameters
    ----------
    n_0 : float or array, saturation density [fm^-3], > 0
    E_0 : float or array, energy per nucleon without rest mass [MeV], < (T - 2B) / 3, so that t3 > 0
    K_0 : float or array, incompressibility [MeV], > T + 4B - 9 E_0, so that alpha > 0
    S, L : floats or arrays, symmetry energy and its slope [MeV]
    m_s : float or array, isoscalar effective mass m* / m, that of symmetric matter at n_0 [1], > 0
    m_v : float or array, isovector effective mass m* / m, 1 / m_v = 1 + m Theta_v n_0 / (4 hbar^2) [1], > 0
    m : float or array, nucleon mass [MeV], > 0, also the rest mass of neutron and proton

    Returns
    -------
    Skyrme of floats, or of arrays of the common shape; NaN in members, and under jit, outside these ranges

    Raises
    ------
    ValueError
        for numbers outside these ranges, or arguments that are no real numbers
    """
    names = ("n_0", "E_0", "K_0", "S", "L", "m_s", "m_v", "m")
    values = (n_0, E_0, K_0, S, L, m_s, m_v, m)
    if any(isinstance(v, jax.core.Tracer) for v in values):
        return _closed_map(*jnp.broadcast_arrays(*values))[0]
    for name, v in zip(names, values):
        if np.asarray(v).dtype.kind not in "fiu":
            raise ValueError(f"{name} must be a real number or an array of them, got {v!r}")
    values = np.broadcast_arrays(*(np.asarray(v, float) for v in values))
    s, bounds = _closed_map(*values)
    if values[0].ndim:
        return s
    _check_numbers(dict(zip(names, map(float, values))), *map(float, bounds))
    return Skyrme(*map(float, s))


@jax.jit
def _closed_map(n_0, E_0, K_0, S, L, m_s, m_v, m):
    """Skyrme, NaN where none exists; (T - 2B) / 3 and T + 4B - 9 E_0 [MeV], which bound E_0 and K_0."""
    k2 = (1.5 * jnp.pi**2) ** (2 / 3)
    T = 0.6 * HBARC**2 / (2 * m) * k2 * n_0 ** (2 / 3)
    theta_s = 8 * HBARC**2 / (m * n_0) * (1 / m_s - 1)
    theta_v = 4 * HBARC**2 / (m * n_0) * (1 / m_v - 1)
    B = T * (1 / m_s - 1)
    A = (T - 2 * B) / 3 - E_0
    alpha = (K_0 + 2 * T - 10 * B) / (9 * A) - 1
    t3 = 16 * A / alpha / n_0 ** (1 + alpha)
    t0 = 8 / (3 * n_0) * (E_0 - T - B - A / alpha)
    D = -k2 / 24 * (3 * theta_v - 2 * theta_s) * n_0 ** (5 / 3)
    W = (L / 3 - S + 5 * T / 27 - 2 * D / 3) / alpha
    U = S - 5 * T / 9 - D - W
    x0 = -(8 * U / (t0 * n_0) + 1) / 2
    x3 = -(48 * W / (t3 * n_0 ** (1 + alpha)) + 1) / 2
    t1, t2 = 5 / 4 * theta_v - theta_s / 2, theta_s / 2 - 3 / 4 * theta_v
    none = jnp.zeros_like(T)
    s = Skyrme(t0, t1, t2, t3, x0, none, none, x3, alpha, m, m, m)
    finite = jnp.all(jnp.isfinite(jnp.stack(s)), axis=0)
    good = finite & (n_0 > 0) & (A > 0) & (alpha > 0) & (m_s > 0) & (m_v > 0) & (m > 0)
    return jax.tree.map(lambda a: jnp.where(good, a, jnp.nan), s), ((T - 2 * B) / 3, T + 4 * B - 9 * E_0)


def _check_numbers(q, E_max, K_min):
    """ValueError for numbers of which :func:`from_saturation` makes no interaction."""
    for name, value in q.items():
        if not np.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value}")
        if name in ("n_0", "m_s", "m_v", "m") and not value > 0:
            raise ValueError(f"{name} must be > 0, got {value:g}")
    at = ", ".join(f"{name} = {q[name]:g}" for name in ("n_0", "E_0", "m_s"))
    if not q["E_0"] < E_max:
        raise ValueError(f"E_0 must be < {E_max:.5g} MeV for t3 > 0 at {at}")
    if not q["K_0"] > K_min:
        raise ValueError(f"K_0 must be > {K_min:.5g} MeV for alpha > 0 at {at}, got {q['K_0']:g}")
