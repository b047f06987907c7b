"""Binding energies and charge radii of spherical nuclei for a batch of couplings."""

from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from nslib.matter.rmf import Couplings, published
from nslib.matter.rmf.fields import as_batch
from nslib.nuclei import dirac, fields, iteration
from nslib.nuclei.banded import ROWS
from nslib.nuclei.grid import Grid, derivative, interpolation
from nslib.nuclei.levels import nucleus
from nslib.units import ALPHA, HBARC

#: sets that are solved side by side: the first that holds all, or the last
WIDTHS = (4, 32)


class Status(IntEnum):
    """What is to be said of one nucleus."""

    OK = iteration.CONVERGED
    LEVEL_ORDER = iteration.ORDER
    BUDGET_SPENT = iteration.BUDGET
    RUNAWAY = iteration.RUNAWAY
    NOT_FINITE = 4

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.OK: "solved",
            Status.LEVEL_ORDER: "solved, but the levels that are filled are not the lowest",
            Status.BUDGET_SPENT: "not solved: not converged within the iterations allowed",
            Status.RUNAWAY: "not solved: the fields ran away",
            Status.NOT_FINITE: "not solved: a coupling not finite, or a mass, g_sigma or g_omega not above 0",
        }[self]


class Nuclei(NamedTuple):
    """Nuclei of one or many sets of couplings; (n_set, n_nucleus) arrays, (n_nucleus,) for one set.

    B : binding energy [MeV], NaN where not solved
    r_ch : charge radius [fm], NaN where not solved
    status : int of :class:`Status`
    iterations : int, 0 where none was begun
    levels : dict of nucleus to (n_set, n_level) array of single-particle energies [MeV], or None

    Levels of protons stand before those of neutrons, in the order of the nucleus's ``protons`` and ``neutrons``.
    """

    B: np.ndarray
    r_ch: np.ndarray
    status: np.ndarray
    iterations: np.ndarray
    levels: dict | None = None

    @property
    def solved(self):
        """Where B and r_ch are numbers."""
        return self.status <= Status.LEVEL_ORDER


def _model(q):
    """fields.Model of (n_set,) NumPy arrays from Couplings."""
    q = type(q)(*(np.asarray(a, float) for a in q))
    with np.errstate(all="ignore"):
        m_s2, m_w2, m_r2 = ((m / HBARC) ** 2 for m in (q.m_sigma, q.m_omega, q.m_rho))
        return fields.Model(
            m_s2, m_w2, m_r2, q.g_sigma**2, q.g_omega**2, q.g_rho**2,
            q.A / q.g_sigma**3, q.B / q.g_sigma**4, q.C, q.Lambda_v, q.m / HBARC,
        )  # fmt: skip


def _usable(q, model):
    """Whether the couplings can be begun with, (n_set,) bool."""
    positive = np.stack([q.m_sigma, q.m_omega, q.m_rho, q.m, q.g_sigma, q.g_omega]) > 0
    return np.all(positive, axis=0) & np.all(np.isfinite(np.stack(model)), axis=0)


def _woods_saxon(one, grid):
    """Start of one nucleus: Woods-Saxon wells as deep as those of FSUGold, and the levels in them."""
    r, m, radius = grid.r, 939.0 / HBARC, 1.2 * one.A ** (1 / 3)
    well = 1 / (1 + np.exp((r - radius) / 0.6))
    charge = one.Z * ALPHA * np.where(r < radius, (3 - (r / radius) ** 2) / (2 * radius), 1 / r)
    S, W = 366 / HBARC * well, 295 / HBARC * well
    middle, G, eps = interpolation(grid), [], []
    for levels, V in ((one.protons, W + charge), (one.neutrons, W)):
        for level in levels:
            D, e = derivative(grid, level.kappa, level.l), -0.1
            for _ in range(3):
                H = D.T @ (D / (2 * m + e - middle @ (S + V))[:, None]) + np.diag(V - S)
                values, vectors = np.linalg.eigh(H)
                e, x = values[level.radial], vectors[:, level.radial]
            G.append(x / np.sqrt(grid.h))
            eps.append(e)
    return iteration.Start(np.stack([S * r, W * r, 0 * r, charge * r], 1), np.stack(G, 1), np.array(eps))


def _together(starts):
    """Start of several nuclei, with copies of the last level as ``dirac.padded`` has them."""
    G = np.concatenate([s.G for s in starts], axis=1)
    eps = np.concatenate([s.eps for s in starts])
    k = dirac.padded(range(len(eps)))
    return iteration.Start(np.stack([s.u for s in starts], axis=2), G[:, k], eps[k])


@lru_cache(maxsize=32)
def _start(nuclei, grid, width):
    """Nuclei of FSUGold, with which every other set begins."""
    start = _together([_woods_saxon(one, grid) for one in nuclei])
    model = _model(published("FSUGold"))
    rows = np.stack(model)[:, None]
    out, state = _run(rows, np.ones((4, 1)), nuclei, start, grid, width, 1e-9, 200)
    if np.any(out["status"] > iteration.ORDER):
        raise ValueError(f"step, radius: not even FSUGold converges on {grid}")
    return iteration.Start(*(np.array(a[..., 0]) for a in state[:3]))


def _strengths(model):
    """Sigma, W and what R is proportional to, in symmetric matter of 0.15 fm^-3: (3, n_set) array."""
    n, p, k = 0.15, model, np.cbrt(1.5 * np.pi**2 * 0.15)
    x = np.linspace(0.02, 0.75, 64)[:, None]
    S, m = x * p.m, (1 - x) * p.m
    E = np.sqrt(k**2 + m**2)
    rho_s = m / np.pi**2 * (k * E - m**2 * np.log((k + E) / m))
    excess = S * (p.m_s2 / p.g_s2 + S * (p.b + S * p.c)) - rho_s
    i = np.maximum(np.argmax(excess > 0, axis=0), 1)
    at = lambda a, i: np.take_along_axis(a, i[None], 0)[0]
    lo, hi = at(excess, i - 1), at(excess, i)
    S = at(S, i - 1) - lo * (at(S, i) - at(S, i - 1)) / (hi - lo)
    a_w = p.m_w2 / p.g_w2
    W = n / a_w
    for _ in range(4):
        W = (n + 2 * p.C * W**3) / (a_w + 3 * p.C * W**2)
    return np.stack([S, W, 1 / (p.m_r2 / p.g_r2 + p.Lambda_v * W**2)])


def _scales(model):
    """Factors of the start's fields, (4, n_set); 1 where the fields of matter are too unlike FSUGold's."""
    with np.errstate(all="ignore"):
        here = _strengths(model)
        there = _strengths(fields.Model(*(np.array([a]) for a in _model(published("FSUGold")))))
        depth = (here[0] - here[1]) / (there[0] - there[1])
        far = np.abs(np.log(np.stack([here[0] / there[0], here[2] / there[2], depth])))
    near = np.all(far < [[0.6], [1.0], [0.25]], axis=0)
    return np.append(np.where(near, here / there, 1.0), np.ones((1, len(near))), axis=0)


def _run(rows, scales, nuclei, start, grid, width, tolerance, budget, levels=False):
    """Results by name, (n_set, n_nucleus) arrays, and the last state; rows: Model as (11, n_set) array.

    A set takes a place beside others for each nucleus as soon as one is free.
    """
    Z = jnp.array([float(one.Z) for one in nuclei])
    filled, above = dirac.tables(grid, nuclei)
    n_set, n_nucleus = rows.shape[1], len(nuclei)
    state = iteration.empty(iteration.Start(*map(jnp.asarray, start)), width)
    model = np.repeat(rows[:, :1], n_nucleus * width, axis=1).reshape(-1, n_nucleus, width)
    scale, member = np.ones((4, n_nucleus, width)), np.full((n_nucleus, width), -1)
    begun = np.zeros(n_nucleus, int)
    out = {k: np.zeros((n_set, n_nucleus)) for k in ("status", "iterations", "B", "r2")}
    ends = np.cumsum([0, *(len(one.protons + one.neutrons) for one in nuclei)])
    eps = np.full((n_set if levels else 0, ends[-1]), np.nan)
    while True:
        fresh = np.zeros(member.shape, bool)
        for j in range(n_nucleus):
            free = np.flatnonzero(member[j] < 0)[: n_set - begun[j]]
            new = begun[j] + np.arange(len(free))
            member[j, free], fresh[j, free] = new, True
            model[:, j, free], scale[:, j, free] = rows[:, new], scales[:, new]
            begun[j] += len(new)
        if np.all(member < 0):
            return out | {"eps": [eps[:, a:b] for a, b in pairwise(ends)]}, state
        state = iteration.advance(
            state, fresh, start, scale, fields.Model(*model), Z, filled, above, tolerance, budget,
            counts=dirac.numbers(nuclei), grid=grid,
        )  # fmt: skip
        j, k = np.nonzero((np.asarray(state.status) != iteration.RUNNING) & (member >= 0))
        for name, a in out.items():
            a[member[j, k], j] = np.asarray(getattr(state, name))[j, k]
        if levels:
            energies = np.asarray(state.eps)
            for one, lane in zip(j, k):
                eps[member[one, lane], ends[one] : ends[one + 1]] = energies[ends[one] : ends[one + 1], lane]
        member[j, k] = -1


def _grid(step, radius):
    fits = 0 < step <= 0.6 and 10 <= radius < np.inf
    n = round(radius / step) if fits else 0
    if not fits or n % ROWS or abs(radius / step - n) > 1e-9:
        raise ValueError(
            f"step must lie in (0, 0.6] fm and radius be {ROWS}, {2 * ROWS}, ... steps and at least 10 fm, "
            f"got {step} and {radius}"
        )
    return Grid(float(step), n)


def solve(
    couplings,
    nuclei=("16O", "40Ca", "48Ca", "132Sn", "208Pb"),
    *,
    max_iterations=100,
    tolerance=1e-4,
    levels=False,
    step=0.5,
    radius=14.0,
):
    r"""Binding energies and charge radii of spherical nuclei, without pairing, of one or many sets.

    The model is that of ``nslib.nuclei.fields``, with fixed filling (``NUCLEI``). B contains the correction
    :math:`\tfrac34\,41 A^{-1/3}` MeV for the motion of the centre of mass (oscillator estimate), and
    :math:`r_\mathrm{ch}^2 = r_p^2 + (0.8\,\mathrm{fm})^2`. Every set begins with the nuclei of FSUGold, their
    fields scaled to the set's own matter. On the default grid B of published sets is right to 0.004 %, r_ch
    to 1e-4 fm; the last levels of some sets are not bound, and then depend on where the grid ends. For a
    tuple of nuclei not asked for before it is compiled, in some seconds.

    Parameters
    ----------
    couplings : Couplings of floats, or of (n_set,) arrays for a batch
    nuclei : names in ``NUCLEI``, or pairs (Z, N)
    max_iterations : int, at least 1
    tolerance : float, largest change of a field or level in the last iteration, 1e-9 to 1e-2 [fm^-1];
        the error it leaves in B is of second order
    levels : bool, give the single-particle energies too
    step, radius : float, spacing and end of the grid [fm]; the radius 7, 14, 21, ... steps

    Returns
    -------
    Nuclei; NumPy arrays, without derivatives

    Raises
    ------
    ValueError
        couplings of another type, a nucleus without a filling, Z or N not whole, values out of range; for one set, couplings not
        finite, masses, g_sigma or g_omega not above 0. In a batch such a member has a status and NaN.
    """
    if not isinstance(couplings, Couplings):
        kind = type(couplings).__name__
        hint = "; the couplings of an Inversion are its .couplings" if kind == "Inversion" else "; nslib.matter.rmf.invert finds them"
        raise ValueError(f"couplings must be Couplings of nslib.matter.rmf, got {kind}{hint}")
    if isinstance(nuclei, int) or not np.iterable(nuclei):
        raise ValueError(f"nuclei must be names or pairs (Z, N), got {nuclei!r}")
    names = [nuclei] if isinstance(nuclei, str) else list(nuclei)
    chosen = tuple(nucleus(one) for one in names)
    if not chosen:
        raise ValueError("nuclei must name at least one nucleus")
    whole = isinstance(max_iterations, (int, float, np.number)) and not isinstance(max_iterations, bool)
    if not whole or not float(max_iterations).is_integer() or max_iterations < 1:
        raise ValueError(f"max_iterations must be a whole number of at least 1, got {max_iterations!r}")
    if not 1e-9 <= tolerance <= 1e-2:
        raise ValueError(f"tolerance must lie between 1e-9 and 1e-2 fm^-1, got {tolerance}")
    grid = _grid(step, radius)
    q, shape = as_batch(couplings)
    q = type(q)(*(np.asarray(a) for a in q))
    model = _model(q)
    good = _usable(q, model)
    if not shape and not good[0]:
        raise ValueError(f"couplings must be finite, masses, g_sigma and g_omega above 0, got {couplings}")
    n_set, n_good = len(good), int(np.sum(good))
    B, r_ch = np.full((2, n_set, len(chosen)), np.nan)
    status = np.full((n_set, len(chosen)), int(Status.NOT_FINITE))
    iterations = np.zeros((n_set, len(chosen)), int)
    eps = [np.full((n_set, len(one.protons + one.neutrons)), np.nan) for one in chosen]
    if n_good:
        rows = np.stack(model)[:, good]
        width = next((w for w in WIDTHS if w >= n_set), WIDTHS[-1])
        start = _start(chosen, grid, width)
        out, _ = _run(
            rows, _scales(fields.Model(*rows)), chosen, start, grid, width, tolerance, max_iterations, levels
        )
        status[good], iterations[good] = out["status"], out["iterations"]
        centre = 0.75 * 41 * np.array([one.A for one in chosen]) ** (-1 / 3)
        solved = status[good] <= Status.LEVEL_ORDER
        B[good] = np.where(solved, HBARC * out["B"] + centre, np.nan)
        r_ch[good] = np.sqrt(np.where(solved, out["r2"], np.nan) + 0.64)
        for j, a in enumerate(out["eps"] if levels else ()):
            eps[j][good] = np.where(solved[:, j : j + 1], HBARC * a, np.nan)
    one = (lambda a: a) if shape else (lambda a: a[0])
    energies = {c.name: one(a) for c, a in zip(chosen, eps)} if levels else None
    return Nuclei(one(B), one(r_ch), one(status), one(iterations), energies)
