"""Outer crust of cold catalysed matter from a table of nuclear masses: exact layers, depths, equation of state.

G. Baym, C. Pethick and P. Sutherland, Astrophys. J. 170 (1971) 299; X. Roca-Maza and J. Piekarewicz,
Phys. Rev. C 78 (2008) 025807. At a fixed pressure the nuclide of least Gibbs energy a nucleon,

    mu = [M(Z, A) + Z g_Z(p)] / A,    g_Z = mu_e - (4/3) C_Z k_F,

fills the whole layer: g_Z, the Gibbs energy an electron of the electron gas and lattice, does not depend
on A, so one root a charge number serves all nuclides. Temperature and free neutrons are zero.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from nslib.crust.lattice import STANDARD, Corrections, electrons, lattice_coefficient
from nslib.masses import check_columns, nuclear_mass
from nslib.units import FOUR_PI_MEV_FM3_KM2, M_N, MSUN_KM


class State(NamedTuple):
    """Matter at the pressures p: Z, N [1], n_b [fm^-3], eps, p [MeV fm^-3], mu [MeV], mu_e [MeV], cs2 [c^2]."""

    Z: np.ndarray
    N: np.ndarray
    n_b: np.ndarray
    eps: np.ndarray
    p: np.ndarray
    mu: np.ndarray
    mu_e: np.ndarray
    cs2: np.ndarray


@dataclass(frozen=True)
class OuterCrust:
    """Layers of the outer crust, from the surface to neutron drip.

    Attributes
    ----------
    Z, N : (n_layer,) arrays [1]
    p, n_b, mu : (n_layer, 2) arrays at the top and the bottom of each layer [MeV fm^-3], [fm^-3], [MeV];
        the pressure and mu are continuous, n_b jumps
    mass : (n_layer,) array, nuclear masses used [MeV]
    mu_surface : float, Gibbs energy a nucleon at zero pressure [MeV]
    corrections : Corrections
    """

    Z: np.ndarray
    N: np.ndarray
    p: np.ndarray
    n_b: np.ndarray
    mu: np.ndarray
    mass: np.ndarray
    mu_surface: float
    corrections: Corrections

    def at(self, p):
        """State at pressures between the top and neutron drip; ValueError outside.

        Parameters
        ----------
        p : (m,) array [MeV fm^-3]
        """
        p = np.atleast_1d(np.asarray(p, dtype=float))
        lo, hi = self.p[0, 0], self.p[-1, 1]
        if not np.all((p >= lo) & (p <= hi)):
            raise ValueError(f"p must lie in [{lo:.4g}, {hi:.4g}] MeV fm^-3, got {p}")
        layer = np.clip(np.searchsorted(self.p[:, 0], p, side="right") - 1, 0, len(self.Z) - 1)
        return _state(p, self.Z[layer], self.N[layer], self.mass[layer], self.corrections)

    def table(self, n_row=64):
        """State at ``n_row`` pressures in equal ratios from the top to neutron drip.

        No row stands on a transition, so an interpolant of the table spreads the jumps of density, up to
        5 %, over one step and may pass over a thin layer; ``p`` and ``n_b`` hold them exactly.
        """
        lo, hi = self.p[0, 0], self.p[-1, 1]
        return self.at(np.clip(np.geomspace(lo, hi, n_row), lo, hi))

    def depth(self, M, R):
        r"""Depth of the bottom of each layer below the surface of a star.

        Hydrostatic equilibrium without the crust's own weight, :math:`\mu\sqrt{1 - 2GM/rc^2}` = const; in
        the radial coordinate, for a crust much lighter than the star.

        Parameters
        ----------
        M : float, gravitational mass [Msun]
        R : float, radius [km]

        Returns
        -------
        (n_layer,) array [km]

        Raises
        ------
        ValueError
            unless R > 2GM/c^2 and M > 0
        """
        return R - _radius(self.mu[:, 1], self.mu_surface, M, R)

    def crust_mass(self, M, R, n_row=200):
        r"""Gravitational mass of the outer crust of a star, :math:`\int 4\pi r^2 \varepsilon\,dr` [Msun].

        Parameters
        ----------
        M : float, gravitational mass [Msun]
        R : float, radius [km]
        n_row : int, rows a layer in the quadrature
        """
        total = 0.0
        for layer, (p_top, p_bottom) in enumerate(self.p):
            p = np.clip(np.geomspace(p_top, p_bottom, n_row), p_top, p_bottom)
            s = _state(p, self.Z[layer], self.N[layer], self.mass[layer], self.corrections)
            r = _radius(s.mu, self.mu_surface, M, R)
            total += np.trapezoid(FOUR_PI_MEV_FM3_KM2 * r**2 * s.eps, -r)
        return total / MSUN_KM


def outer_crust(masses, *, corrections=STANDARD, p_min=1e-14):
    """Outer crust of cold catalysed matter, down to neutron drip where mu = m_n.

    Transitions are exact: between two pressures with different nuclides the crossing of their mu is
    found; a third nuclide below it there splits the interval, and so on.

    Parameters
    ----------
    masses : pandas.DataFrame with columns Z, N [1], mass_excess [MeV], e.g. from :func:`nslib.masses.complete`
    corrections : Corrections
    p_min : float, pressure at the top [MeV fm^-3]

    Returns
    -------
    OuterCrust

    Raises
    ------
    ValueError
        naming the argument: columns missing, a nuclide twice, values that are not finite, no row with Z >= 1,
        p_min outside [1e-16, 1e-5], masses that put neutron drip outside (p_min, 1e-2) MeV fm^-3
    """
    Z, N, M = _nuclides(masses, corrections)
    if not 1e-16 <= p_min <= 1e-5:
        raise ValueError(f"p_min must lie in [1e-16, 1e-5] MeV fm^-3, got {p_min}")
    A = Z + N
    charges, row = np.unique(Z, return_inverse=True)
    C = lattice_coefficient(charges, corrections)

    def mu(p):
        return (M + (charges * electrons(p, C, corrections.exchange).g)[row]) / A

    def crossing(f, lo, hi):
        return float(np.exp(brentq(lambda t: f(np.exp(t)), np.log(lo), np.log(hi), xtol=1e-14, rtol=1e-14)))

    if not mu(p_min).min() < M_N < mu(1e-2).min():
        raise ValueError(f"masses put neutron drip outside ({p_min:.3g}, 0.01) MeV fm^-3; are they in MeV?")
    p_drip = crossing(lambda p: mu(p).min() - M_N, p_min, 1e-2)

    def transitions(lo, hi, a, b):
        if a == b:
            return []
        p = crossing(lambda p: mu(p)[a] - mu(p)[b], lo, hi)
        c = int(np.argmin(mu(p)))
        if c in (a, b) or mu(p)[c] >= mu(p)[a] * (1 - 1e-15):
            return [(p, b)]
        return transitions(lo, p, a, c) + transitions(p, hi, c, b)

    grid = np.geomspace(p_min, p_drip, 24)
    best = [int(np.argmin(mu(p))) for p in grid]
    found = [(p_min, best[0])]
    for i in range(len(grid) - 1):
        found += transitions(grid[i], grid[i + 1], best[i], best[i + 1])
    p, j = np.array([t[0] for t in found] + [p_drip]), np.array([t[1] for t in found])
    ends = np.stack([p[:-1], p[1:]], axis=1)
    Z, N, M = Z[j], N[j], M[j]
    state = _state(ends, Z[:, None], N[:, None], M[:, None], corrections)
    surface = _state(0.0, Z[0], N[0], M[0], corrections).mu
    return OuterCrust(Z, N, ends, state.n_b, state.mu, M, float(surface), corrections)


def _nuclides(masses, corrections):
    """Z, N and nuclear mass [MeV] of the nuclides of a checked table, Z >= 1."""
    check_columns("masses", masses, ["Z", "N", "mass_excess"])
    Z, N, excess = (masses[c].to_numpy() for c in ("Z", "N", "mass_excess"))
    if not np.all(np.isfinite(excess)):
        i = int(np.flatnonzero(~np.isfinite(excess))[0])
        raise ValueError(f"masses: mass_excess of Z = {Z[i]}, N = {N[i]} is {excess[i]}; it must be finite")
    for name, a in (("Z", Z), ("N", N)):
        whole = np.isfinite(a) & (a == np.round(a)) & (a >= 0)
        if not np.all(whole):
            raise ValueError(f"masses: {name} = {a[~whole][0]}; it must be a whole number >= 0")
    keep = Z >= 1
    if not keep.any():
        raise ValueError("masses has no nuclide with Z >= 1")
    Z, N, excess = Z[keep].astype(int), N[keep].astype(int), excess[keep]
    return Z, N, nuclear_mass(Z, N, excess, corrections.electron_binding)


def _state(p, Z, N, M, corrections):
    """State of given nuclides at given pressures."""
    e = electrons(p, lattice_coefficient(Z, corrections), corrections.exchange)
    A = Z + N
    n_b, mu = A * e.n_e / Z, (M + Z * e.g) / A
    return State(Z, N, n_b, n_b * mu - p, p, mu, e.mu_e, e.dp * e.k / (3 * n_b * mu))


def _radius(mu, mu_surface, M, R):
    """Radial coordinate [km] at which a star of mass M [Msun] and radius R [km] has the Gibbs energy mu."""
    if not 0 < 2 * M * MSUN_KM < R:
        raise ValueError(f"M and R must satisfy 0 < 2GM/c^2 < R; got M = {M} Msun, R = {R} km")
    return 2 * M * MSUN_KM / (1 - (1 - 2 * M * MSUN_KM / R) * (mu_surface / mu) ** 2)
