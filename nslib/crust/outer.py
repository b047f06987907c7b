"""Outer crust of cold catalysed matter from a table of nuclear masses: exact layers, depths, equation of state.

G. Baym, C. Pethick and P. Sutherland, Astrophys. J. 170 (1971) 299; X. Roca-Maza and J. Piekarewicz,
Phys. Rev. C 78 (2008) 025807. At a fixed pressure the nuclide of least Gibbs energy a nucleon,

    mu = [M(Z, A) + Z g_Z(p)] / A,    g_Z = mu_e - (4/3) C_Z k_F,

fills the whole layer: g_Z, the Gibbs energy an electron of the electron gas and lattice, does not depend
on A, so one root a charge number serves all nuclides. Temperature and free neutrons are zero. Read the other
way, a nuclide has mu at g = (A mu - M) / Z, where the electrons are closed form; at a given mu, as at a given
depth, the nuclide of the highest pressure fills the layer.
"""

from dataclasses import dataclass
from enum import IntEnum
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from nslib.crust.lattice import STANDARD, Corrections, check_corrections, electrons, electrons_of_energy, lattice_coefficient
from nslib.masses import check_columns, check_nuclides, nuclear_mass
from nslib.tables.elements import nuclide
from nslib.units import FOUR_PI_MEV_FM3_KM2, M_N, MSUN_KM

#: pressure below which neutron drip must lie [MeV fm^-3]
P_MAX = 1e-2


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

    @property
    def names(self):
        """Nuclides of the layers from the top, as ["56Fe", "62Ni", ...]."""
        return [nuclide(Z, N) for Z, N in zip(self.Z.tolist(), self.N.tolist())]

    def at(self, p):
        """State at pressures between the top and neutron drip; ValueError outside.

        Parameters
        ----------
        p : (m,) array [MeV fm^-3]
        """
        p = np.atleast_1d(np.asarray(p, dtype=float))
        lo, hi = self.p[0, 0], self.p[-1, 1]
        if not np.all((p >= lo) & (p <= hi)):
            raise ValueError(
                f"p must lie in [{lo:.4g}, {hi:.4g}] MeV fm^-3, the top and neutron drip; got {p}"
            )
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
            unless M > 0 and 2GM/c^2 < R, both finite, and where the crust would reach below 0.9 R: such a star is
            mostly crust, and its layers weigh
        """
        _check_star(M, R)
        depth = R - _radius(self.mu[:, 1], self.mu_surface, M, R)
        if depth[-1] > 0.1 * R:
            raise ValueError(f"M = {M} Msun, R = {R} km: the crust would reach {depth[-1]:.3g} km deep, more than a tenth of R")
        return depth

    def crust_mass(self, M, R, n_row=200):
        r"""Gravitational mass of the outer crust of a star, :math:`\int 4\pi r^2 \varepsilon\,dr` [Msun].

        Parameters
        ----------
        M : float, gravitational mass [Msun]
        R : float, radius [km]
        n_row : int, rows a layer in the quadrature, at least 2

        Raises
        ------
        ValueError
            as :meth:`depth`; n_row below 2
        """
        if isinstance(n_row, bool) or not isinstance(n_row, Integral) or n_row < 2:
            raise ValueError(f"n_row must be a whole number >= 2, got {n_row!r}")
        self.depth(M, R)
        total = 0.0
        for layer, (p_top, p_bottom) in enumerate(self.p):
            p = np.clip(np.geomspace(p_top, p_bottom, n_row), p_top, p_bottom)
            s = _state(p, self.Z[layer], self.N[layer], self.mass[layer], self.corrections)
            r = _radius(s.mu, self.mu_surface, M, R)
            total += np.trapezoid(FOUR_PI_MEV_FM3_KM2 * r**2 * s.eps, -r)
        return total / MSUN_KM


def holes(nuclides, Z, N):
    """Nuclides that a table lacks next to given ones, up to two protons and two neutrons away.

    Where one is missing, nothing shows that the given nuclide is the best there; a table that ends, or has
    lost a row, is found out by this. What fills the next layer of the crust is mostly as near.

    Parameters
    ----------
    nuclides : pandas.DataFrame with columns Z, N [1]
    Z, N : (n,) arrays, nuclides that fill layers [1]

    Returns
    -------
    list of (Z, N, Z of the missing, N of the missing), the nearest first
    """
    have = set(zip(nuclides["Z"].astype(int), nuclides["N"].astype(int), strict=True))
    around = [(a, b) for a in range(-2, 3) for b in range(-2, 3)]
    missing = [
        (z, n, z + a, n + b)
        for a, b in sorted(around, key=lambda ab: abs(ab[0]) + abs(ab[1]))
        for z, n in zip(np.asarray(Z).tolist(), np.asarray(N).tolist(), strict=True)
        if z + a >= 1 and n + b >= 0 and (z + a, n + b) not in have
    ]
    return missing


def outer_crust(masses, *, corrections=STANDARD, p_min=1e-14, on_hole="refuse"):
    """Outer crust of cold catalysed matter, down to neutron drip where mu = m_n.

    Transitions are exact: between two pressures with different nuclides the crossing of their mu is
    found; a third nuclide below it there splits the interval, and so on.

    Parameters
    ----------
    masses : pandas.DataFrame with columns Z, N [1], mass_excess [MeV], e.g. from :func:`nslib.masses.complete`
    corrections : Corrections
    p_min : float, pressure at the top [MeV fm^-3]
    on_hole : "refuse" a table that lacks a neighbour of a nuclide that fills a layer, see :func:`holes`, or
        "allow" it, as for a crust of few nuclides

    Returns
    -------
    OuterCrust

    Raises
    ------
    ValueError
        naming the argument: columns missing, a nuclide twice, values that are not finite, no row with Z >= 1,
        p_min outside [1e-16, 1e-5], masses that put neutron drip outside (p_min, 1e-2) MeV fm^-3, a hole
    """
    if on_hole not in ("refuse", "allow"):
        raise ValueError(f"on_hole must be 'refuse' or 'allow', got {on_hole!r}")
    check_corrections(corrections)
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

    p_drip = float(_pressure(M_N, Z, A, M, corrections).max())
    if not p_min < p_drip < P_MAX:
        raise ValueError(
            f"masses put neutron drip outside ({p_min:.3g}, {P_MAX}) MeV fm^-3; are they in MeV?"
        )

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
    missing = holes(masses, Z, N) if on_hole == "refuse" else []
    if missing:
        raise ValueError(
            "masses has a hole: Z = {2}, N = {3} is missing, a neighbour of Z = {0}, N = {1}, which fills a layer".format(
                *missing[0]
            )
        )
    state = _state(ends, Z[:, None], N[:, None], M[:, None], corrections)
    surface = _state(0.0, Z[0], N[0], M[0], corrections).mu
    return OuterCrust(Z, N, ends, state.n_b, state.mu, M, float(surface), corrections)


class SampleStatus(IntEnum):
    """What is to be said of the crust of one sample of masses."""

    OK = 0
    HOLE = 1
    NOT_FINITE = 2
    DRIP_OUTSIDE = 3

    @property
    def sentence(self):
        """The status in words."""
        return {
            SampleStatus.OK: "a crust",
            SampleStatus.HOLE: "a crust, but the table lacks a neighbour of a nuclide that fills a layer",
            SampleStatus.NOT_FINITE: "a mass excess is not finite",
            SampleStatus.DRIP_OUTSIDE: f"neutron drip does not lie in (0, {P_MAX}) MeV fm^-3",
        }[self]


class Drip(NamedTuple):
    """Bottom of the outer crust, where mu = m_n, for each sample of masses: (n_sample,) arrays.

    Z, N [1], p [MeV fm^-3], n_b [fm^-3], mu_e [MeV], mu_surface [MeV] at zero pressure, as in
    :class:`OuterCrust`; NaN, or Z = N = 0, unless ``status`` is OK or HOLE. ``status``: of :class:`SampleStatus`
    """

    Z: np.ndarray
    N: np.ndarray
    p: np.ndarray
    n_b: np.ndarray
    mu_e: np.ndarray
    mu_surface: np.ndarray
    status: np.ndarray


class Composition(NamedTuple):
    """What fills the outer crust at n_x pressures or depths, over samples of masses.

    Z, N : (n_found,) arrays, nuclides that occur [1]
    probability : (n_x, n_found) array, share of the samples in which each is found [1]
    dripped : (n_x,) array, share in which there is none, beyond neutron drip [1]
    layer : (n_sample, n_x) int array, place in Z and N; -1 beyond drip, -2 where the sample has no crust
    status : (n_sample,) int array of :class:`SampleStatus`; shares are of the samples that are OK or HOLE
    """

    Z: np.ndarray
    N: np.ndarray
    probability: np.ndarray
    dripped: np.ndarray
    layer: np.ndarray
    status: np.ndarray


def drip(nuclides, mass_excess, corrections=STANDARD):
    """Neutron drip for each sample of a mass table.

    That of the nuclide whose Gibbs energy reaches m_n last, at the largest p((A m_n - M) / Z): exact, without a
    sequence.

    Parameters
    ----------
    nuclides : pandas.DataFrame with columns Z, N [1]
    mass_excess : (n_sample, n_nuclide) array, in the order of ``nuclides`` [MeV]
    corrections : Corrections

    Returns
    -------
    Drip

    Raises
    ------
    ValueError
        naming the argument: a nuclide twice, Z or N negative or not whole, no Z >= 1, shapes that do not fit
    """
    check_corrections(corrections)
    Z, N, M = _samples(nuclides, mass_excess, corrections)
    A, n = Z + N, len(M)
    status, j, p, mu_surface = np.zeros(n, int), np.zeros(n, int), np.full(n, np.nan), np.full(n, np.nan)
    finite = np.all(np.isfinite(M), axis=1)
    status[~finite] = SampleStatus.NOT_FINITE
    if finite.any():
        lowest, highest = M[finite].min(0), M[finite].max(0)
        last = np.flatnonzero(
            _pressure(M_N, Z, A, lowest, corrections) >= _pressure(M_N, Z, A, highest, corrections).max()
        )
        p_of_m_n = _pressure(M_N, Z[last], A[last], M[finite][:, last], corrections)
        g = electrons(0.0, lattice_coefficient(Z, corrections), corrections.exchange).g
        j[finite], p[finite] = last[np.argmax(p_of_m_n, axis=1)], np.max(p_of_m_n, axis=1)
        mu_surface[finite] = ((M[finite] + Z * g) / A).min(axis=1)
        outside = finite & ~((p > 0) & (p < P_MAX))
        status[outside], p[outside], mu_surface[outside] = SampleStatus.DRIP_OUTSIDE, np.nan, np.nan
    ok = np.isfinite(p)
    state = _state(np.where(ok, p, 0.0), Z[j], N[j], M[np.arange(n), j], corrections)
    found = np.unique(j[ok])
    status[ok & np.isin(j, found[_has_hole(nuclides, Z[found], N[found])])] = SampleStatus.HOLE
    n_b, mu_e = np.where(ok, state.n_b, np.nan), np.where(ok, state.mu_e, np.nan)
    return Drip(Z[j] * ok, N[j] * ok, p, n_b, mu_e, mu_surface, status)


def composition(nuclides, mass_excess, *, p=None, depth=None, M=None, R=None, corrections=STANDARD):
    """Nuclides at given pressures, or at given depths in a star, for each sample of a mass table, and their shares.

    Exact at each pressure or depth for each sample. Nuclides are left out of the search only where bounds on
    their Gibbs energies, over all samples, say that they cannot be found anywhere above drip.

    Parameters
    ----------
    nuclides : pandas.DataFrame with columns Z, N [1]
    mass_excess : (n_sample, n_nuclide) array, in the order of ``nuclides`` [MeV]
    p : (n_x,) array, pressures >= 0 [MeV fm^-3]; or instead
    depth : (n_x,) array, depths below the surface, 0 <= depth < R [km]
    M, R : floats, gravitational mass [Msun] and radius [km] of the star, with ``depth``
    corrections : Corrections

    Returns
    -------
    Composition

    Raises
    ------
    ValueError
        naming the argument: as :func:`drip`; both or neither of p and depth; M and R without R > 2GM/c^2 > 0;
        pressures or depths out of range
    """
    check_corrections(corrections)
    x, at = _where(p, depth, M, R)
    Z, N, mass = _samples(nuclides, mass_excess, corrections)
    bottom = drip(nuclides, mass_excess, corrections)
    status, ok = bottom.status.copy(), np.isfinite(bottom.p)
    layer = np.full((len(mass), len(x)), -2)
    if ok.any():
        near = _candidates(Z, Z + N, mass[ok].min(0), mass[ok].max(0), corrections)
        Z, N, mass = Z[near], N[near], mass[:, near]
        A = Z + N
        if at == "p":
            g = electrons(x[:, None], lattice_coefficient(Z, corrections), corrections.exchange).g
        for s in np.flatnonzero(ok):
            if at == "p":
                mu = (mass[s] + Z * g) / A
                layer[s] = np.where(x <= bottom.p[s], np.argmin(mu, axis=1), -1)
            else:
                mu = _gibbs(R - x, bottom.mu_surface[s], M, R)
                p_of_mu = _pressure(mu[:, None], Z, A, mass[s], corrections)
                layer[s] = np.where(mu <= M_N, np.argmax(p_of_mu, axis=1), -1)
    found = np.unique(layer[layer >= 0])
    place = np.where(layer >= 0, np.searchsorted(found, layer), layer)
    Z, N = Z[found], N[found]
    has_hole = np.append(_has_hole(nuclides, Z, N), [False, False])  # the last two answer for -2 and -1
    status[ok & has_hole[place].any(axis=1)] = SampleStatus.HOLE
    share = np.full((len(x), len(found) + 1), np.nan)
    for k in range(-1, len(found) if ok.any() else -1):
        share[:, k + 1] = np.mean(place[ok] == k, axis=0)
    return Composition(Z, N, share[:, 1:], share[:, 0], place, status)


def _where(p, depth, M, R):
    """Checked pressures or depths of :func:`composition`, and which of the two they are."""
    if (p is None) == (depth is None):
        raise ValueError("give either p or depth")
    at, end = ("p", np.inf) if depth is None else ("depth", R)
    x = np.atleast_1d(np.asarray(p if depth is None else depth, dtype=float))
    if x.ndim > 1:
        raise ValueError(f"{at} must be an array of one axis, got shape {x.shape}")
    if at == "depth":
        _check_star(M, R)
    if not np.all((x >= 0) & (x < end)):
        raise ValueError(f"{at} must lie in [0, {end}), got {x}")
    return x, at


def _samples(nuclides, mass_excess, corrections):
    """Z, N and nuclear masses (n_sample, n) [MeV] of a checked batch, Z >= 1."""
    check_columns("nuclides", nuclides, ["Z", "N"])
    Z, N = check_nuclides(nuclides["Z"].to_numpy(), nuclides["N"].to_numpy())
    excess = np.asarray(mass_excess, dtype=float)
    if excess.ndim != 2 or excess.shape[1] != len(Z) or len(excess) == 0:
        raise ValueError(f"mass_excess must be of shape (n_sample, {len(Z)}), got {excess.shape}")
    keep = Z >= 1
    if not keep.any():
        raise ValueError("nuclides has no nuclide with Z >= 1")
    Z, N = Z[keep], N[keep]
    return Z, N, nuclear_mass(Z, N, excess[:, keep], corrections.electron_binding)


def _candidates(Z, A, lowest, highest, corrections, n_step=400):
    """Nuclides that some sample may have in the crust, given the lowest and the highest mass of each.

    mu rises with p: within a step of p, a nuclide whose lowest mu at its top exceeds another's highest mu at its
    bottom is never the best.
    """
    charges, row = np.unique(Z, return_inverse=True)
    p_end = _pressure(M_N, Z, A, lowest, corrections).max()
    p = p_end * np.linspace(0, 1, n_step + 1)[:, None] ** 4  # equal steps of mu_e
    g = (charges * electrons(p, lattice_coefficient(charges, corrections), corrections.exchange).g)[:, row]
    best = ((highest + g[1:]) / A).min(axis=1)
    return np.any((lowest + g[:-1]) / A <= best[:, None], axis=0)


def _has_hole(nuclides, Z, N):
    """Whether a neighbour of each nuclide is missing from the table."""
    around = {(z, n) for z, n, *_ in holes(nuclides, Z, N)}
    return np.array([(z, n) in around for z, n in zip(Z.tolist(), N.tolist(), strict=True)], dtype=bool)


def _nuclides(masses, corrections):
    """Z, N and nuclear mass [MeV] of the nuclides of a checked table, Z >= 1."""
    check_columns("masses", masses, ["Z", "N", "mass_excess"])
    Z, N, excess = (masses[c].to_numpy() for c in ("Z", "N", "mass_excess"))
    if not np.all(np.isfinite(excess)):
        i = int(np.flatnonzero(~np.isfinite(excess))[0])
        raise ValueError(f"masses: mass_excess of Z = {Z[i]}, N = {N[i]} is {excess[i]}; it must be finite")
    Z, N = check_nuclides(Z, N)
    keep = Z >= 1
    if not keep.any():
        raise ValueError("masses has no nuclide with Z >= 1")
    Z, N, excess = Z[keep], N[keep], excess[keep]
    return Z, N, nuclear_mass(Z, N, excess, corrections.electron_binding)


def _state(p, Z, N, M, corrections):
    """State of given nuclides at given pressures."""
    e = electrons(p, lattice_coefficient(Z, corrections), corrections.exchange)
    A = Z + N
    n_b, mu = A * e.n_e / Z, (M + Z * e.g) / A
    return State(Z, N, n_b, n_b * mu - p, p, mu, e.mu_e, e.dp * e.k / (3 * n_b * mu))


def _pressure(mu, Z, A, M, corrections):
    """Pressure [MeV fm^-3] at which matter of one nuclide has the Gibbs energy mu; -inf where that is nowhere."""
    e = electrons_of_energy((A * mu - M) / Z, lattice_coefficient(Z, corrections), corrections.exchange)
    return np.where(np.isnan(e.p), -np.inf, e.p)


def _radius(mu, mu_surface, M, R):
    """Radial coordinate [km] at which a star of mass M [Msun] and radius R [km] has the Gibbs energy mu."""
    return 2 * M * MSUN_KM / (1 - (1 - 2 * M * MSUN_KM / R) * (mu_surface / mu) ** 2)


def _gibbs(r, mu_surface, M, R):
    """Gibbs energy [MeV] at the radial coordinate r [km], the inverse of :func:`_radius`; infinite within 2GM/c^2."""
    inside = np.maximum(1 - 2 * M * MSUN_KM / r, 0.0)
    with np.errstate(divide="ignore"):
        return mu_surface * np.sqrt((1 - 2 * M * MSUN_KM / R) / inside)


def _check_star(M, R):
    """ValueError unless mass [Msun] and radius [km] are those of a star."""
    if not (isinstance(M, Real) and isinstance(R, Real) and 0 < 2 * M * MSUN_KM < R < np.inf):
        raise ValueError(f"M and R must satisfy 0 < 2GM/c^2 < R; got M = {M} Msun, R = {R} km")
