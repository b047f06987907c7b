"""Independent stars for the tests: structure and tides as in the textbooks, by SciPy's DOP853.

Equations: J. R. Oppenheimer and G. M. Volkoff, Phys. Rev. 55 (1939) 374; T. Hinderer, Astrophys. J. 677 (2008)
1216, in the form for y = r H'/H, with its jump where the density jumps, of S. Postnikov, M. Prakash and
J. M. Lattimer, Phys. Rev. D 82 (2010) 024016. Variable ln p, steps of relative error 1e-11; shares no line with
nslib but its constants.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from nslib.units import MEV_FM3_KM2, MSUN_KM


class Phase(NamedTuple):
    """Matter up to the pressure p_top [MeV fm^-3]: eps(p) [MeV fm^-3] and its derivative [1]."""

    p_top: float
    eps: Callable
    slope: Callable


def star(phases, p_c, p_stop, h_stop, rtol=1e-11):
    """M [Msun], R [km], C [1] and y outside the surface of one star of phases listed from the surface down.

    Integrated to p_stop, where the pseudo-enthalpy is h_stop; from there the envelope is taken without mass.
    """
    state, top = None, p_c
    for k in reversed([k for k in range(len(phases)) if k == 0 or phases[k - 1].p_top < p_c]):
        eps, slope = phases[k].eps, phases[k].slope
        state = (
            _from_centre(eps(top), top)
            if state is None
            else _across(phases[k + 1].eps(top) - eps(top), top, state)
        )
        bottom = phases[k - 1].p_top if k else p_stop
        begin = np.log(top) + (np.log1p(-1e-8) if top == p_c else 0.0)
        run = solve_ivp(
            _slopes, (begin, np.log(bottom)), state, method="DOP853", rtol=rtol, atol=1e-18, args=(eps, slope)
        )
        state, top = run.y[:, -1], bottom
    u, m, y = state
    v = m / np.sqrt(u)
    return m / MSUN_KM, 2 * m / (1 - (1 - 2 * v) * np.exp(2 * h_stop)), v, y


def deformability(C, y):
    """Lambda [1] by equation 23 of Hinderer (2008, erratum 2009), as printed; loses digits below C = 0.05."""
    tau = 2 - y + 2 * C * (y - 1)
    bracket = 2 * C * (6 - 3 * y + 3 * C * (5 * y - 8))
    bracket += 4 * C**3 * (13 - 11 * y + C * (3 * y - 2) + 2 * C**2 * (1 + y))
    bracket += 3 * (1 - 2 * C) ** 2 * tau * np.log1p(-2 * C)
    return 2 / 3 * 8 / 5 * (1 - 2 * C) ** 2 * tau / bracket


def tidal_slope(y, r, m, E, P, c2):
    """dy / d ln r as in Postnikov et al. (2010); c2 = dp / d eps, E, P, m and r in geometric units."""
    A = 1 / (1 - 2 * m / r)
    F = A * (1 - 4 * np.pi * r**2 * (E - P))
    Q = (
        A * (4 * np.pi * r**2 * (5 * E + 9 * P + (E + P) / c2) - 6)
        - (2 * A * (m / r + 4 * np.pi * r**2 * P)) ** 2
    )
    return -(y**2 + y * F + Q)


def _slopes(ln_p, state, eps, slope):
    p = np.exp(ln_p)
    u, m, y = state
    r, E, P = np.sqrt(u), eps(p) * MEV_FM3_KM2, p * MEV_FM3_KM2
    rate = -(E + P) / P * (m + 4 * np.pi * r**3 * P) / (r - 2 * m)  # d ln p / d ln r
    return np.array([2 * u, 4 * np.pi * r**3 * E, tidal_slope(y, r, m, E, P, 1 / slope(p))]) / rate


def _from_centre(eps, p):
    """State where the pressure has fallen by 1e-8 of itself, with m = 4 pi r^3 E / 3 and y = 2."""
    E, P = eps * MEV_FM3_KM2, p * MEV_FM3_KM2
    u = 2 * 1e-8 * P / ((E + P) * 4 * np.pi * (E / 3 + P))
    return np.array([u, 4 * np.pi / 3 * E * u**1.5, 2.0])


def _across(step, p, state):
    """State below a jump at which eps falls by ``step`` on the way out."""
    u, m, y = state
    r3 = u**1.5
    return np.array([u, m, y - 4 * np.pi * r3 * step * MEV_FM3_KM2 / (m + 4 * np.pi * r3 * p * MEV_FM3_KM2)])
