"""Families of stars: stable branches, maximum mass, causal end, values at a mass."""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.interpolate import hermite, hermite_slope, pchip, pchip_slopes
from nslib.stars.structure import H_CUT, Flag, Star, Table, curve, enthalpy, pressure, stars, tabulate

#: central pressure at which a family begins, and the lowest that it may be given: below about 0.6 MeV fm^-3
#: the mass falls with pressure and stars are unstable [MeV fm^-3]
P_MIN, P_LOWEST = 2.0, 1.0
#: settings under which M, R and Lambda at a mass are good to 1e-4, 1e-4, 1e-3, and to 1e-5, 1e-5, 1e-4; of stars with a
#: jump, random mean-field ones at a given pressure, that is typical, and the worst are off by 5e-4, 2e-4, 2e-3, and by
#: 4e-5, 1e-5, 1e-4
DEFAULT = {"n_star": 64, "steps": 100, "rows": 512}
ACCURATE = {"n_star": 256, "steps": 512, "rows": 2048}
_N_SCAN = 32


class Status(IntEnum):
    """What is to be said of the family of one equation of state."""

    OK = 0
    CAUSAL_END = 1
    NO_MAXIMUM = 2
    NOT_FINITE = 10
    P_FALLS = 11
    EPS_DOES_NOT_RISE = 12
    NO_SURFACE = 13
    TABLE_ENDS_EARLY = 14
    NO_SUCH_BRANCH = 15
    WRONG_UNITS = 16
    JUMP_NOT_SEEN = 17

    @property
    def sentence(self):
        """The status in words."""
        return _SENTENCES[self]

    @property
    def solved(self):
        """Whether there is a family at all."""
        return self < Status.NOT_FINITE


_SENTENCES = {
    Status.OK: "the family ends at its maximum mass",
    Status.CAUSAL_END: "the family ends where the sound speed reaches that of light; its mass still rises there",
    Status.NO_MAXIMUM: "the mass still rises at the end of the table; M_max is a lower bound",
    Status.NOT_FINITE: "a value of eps, p or cs2 is not finite, or one of eps or p not positive",
    Status.P_FALLS: "p falls with rising row, or stands in three rows",
    Status.EPS_DOES_NOT_RISE: "eps does not rise with p",
    Status.NO_SURFACE: "the table begins above h = 1e-4: it has no crust; join one",
    Status.TABLE_ENDS_EARLY: "the table, or its causal part, ends below the pressure at which the family is to begin",
    Status.NO_SUCH_BRANCH: "there is no stable branch of this number",
    Status.JUMP_NOT_SEEN: "the table has a first-order jump, which cannot be found under jax.jit or jax.vmap",
    Status.WRONG_UNITS: "the largest eps or p lies outside (1e-3, 1e6): not MeV fm^-3",
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Family:
    """One stable branch per equation of state, from ``p_min`` (or a minimum of the mass) to its last star.

    Attributes
    ----------
    p_c : (..., n_star) array, central pressure [MeV fm^-3]
    mass, radius, tidal : (..., n_star) arrays, gravitational mass [Msun], radius [km], Lambda [1]
    flag : (..., n_star) int array of :class:`~nslib.stars.structure.Flag`
    cs2_max : (...) array, sound speed at the centre of the last star [c^2]
    p_causal : (...) array, lowest pressure with cs2 = 1, infinite if there is none [MeV fm^-3]
    n_branch : (...) int array, number of stable branches found
    status : (...) int array of :class:`Status`
    """

    p_c: jax.Array
    mass: jax.Array
    radius: jax.Array
    tidal: jax.Array
    flag: jax.Array
    p_causal: jax.Array
    n_branch: jax.Array
    status: jax.Array
    cs2_max: jax.Array | None = None

    @property
    def M_max(self):
        """Mass of the last star [Msun]: the maximum, or where the table or causality ends the family."""
        return self.mass[..., -1]

    @property
    def R_max(self):
        """Radius of the last star [km]."""
        return self.radius[..., -1]

    @property
    def Lambda_max(self):
        """Tidal deformability of the last star [1]."""
        return self.tidal[..., -1]

    @property
    def p_max(self):
        """Central pressure of the last star [MeV fm^-3]."""
        return self.p_c[..., -1]

    def R(self, M):
        """Radius [km] at the gravitational mass M [Msun]; see :meth:`at_mass`."""
        return self.at_mass(M).R

    def Lambda(self, M):
        """Tidal deformability [1] at the gravitational mass M [Msun]; see :meth:`at_mass`."""
        return self.at_mass(M).Lambda

    def p_at(self, M):
        """Central pressure [MeV fm^-3] at the gravitational mass M [Msun]; see :meth:`at_mass`."""
        return self._at(M)[1]

    def at_mass(self, M):
        """Stars of given mass by monotone interpolation of ln M, R and ln Lambda in ln p_c.

        Parameters
        ----------
        M : scalar or (m,) array for one family; scalar, (m,) or (n_eos, m) array for a batch [Msun]

        Returns
        -------
        Star with the shape of M, after the batch axis if there is one

        Raises
        ------
        ValueError
            one family: a mass outside it; that there are other stable branches is said. In a batch such a star is NaN.
        """
        return self._at(M)[0]

    def _at(self, M):
        M = jnp.asarray(M, dtype=float)
        if self.mass.ndim == 1:
            lo, hi = self.mass[0], self.mass[-1]
            if not isinstance(M, jax.core.Tracer) and not isinstance(lo, jax.core.Tracer):
                if not bool(jnp.all((M >= lo) & (M <= hi))):
                    more = f"; this is one of {int(self.n_branch)} stable branches, see family(..., branch=k)" * bool(self.n_branch > 1)
                    raise ValueError(f"M must lie within the family, [{lo:.5f}, {hi:.5f}] Msun; got {np.asarray(M)}{more}")
            out = _interpolate_batch(*(a[None] for a in (M.ravel(), self.p_c, self.mass, self.radius, self.tidal)))
            return jax.tree.map(lambda a: a.reshape(M.shape), out)
        n = self.mass.shape[0]
        if M.ndim > 2 or (M.ndim == 2 and M.shape[0] != n):
            raise ValueError(f"M must have shape (), (m,) or ({n}, m) for a batch of {n}, got {M.shape}")
        each = jnp.broadcast_to(M.reshape(1, -1), (n, M.size)) if M.ndim < 2 else M
        star, p = in_blocks(_interpolate_batch, each, self.p_c, self.mass, self.radius, self.tidal)
        return jax.tree.map(lambda a: a.reshape((n,) + M.shape[-1:]) if M.ndim else a[:, 0], (star, p))


def _interpolate(M, p_c, mass, radius, tidal):
    """Star and central pressure at the masses M (m,) of one family; NaN outside it."""
    x, y = jnp.log(p_c), jnp.log(mass)
    d = pchip_slopes(x, y)
    target = jnp.log(M)
    i = jnp.clip(jnp.searchsorted(y, target, side="right") - 1, 0, x.shape[0] - 2)
    guess = x[i] + (x[i + 1] - x[i]) * _invert(target, x[i + 1] - x[i], y[i], y[i + 1], d[i], d[i + 1])
    inside = (M >= mass[0]) & (M <= mass[-1])
    at = lambda f: jnp.where(inside, pchip(guess, x, f), jnp.nan)  # noqa: E731
    return Star(jnp.where(inside, M, jnp.nan), at(radius), jnp.exp(at(jnp.log(tidal)))), jnp.where(inside, jnp.exp(guess), jnp.nan)


_interpolate_batch = jax.jit(jax.vmap(_interpolate))


def _invert(target, h, y0, y1, d0, d1):
    """Fraction t in [0, 1] of a monotone cubic cell at which it takes the value ``target``."""
    cell = (h, y0, y1, d0, d1)
    fixed = jax.lax.stop_gradient((target, cell))

    def bisect_newton(_, state):
        lo, hi, t = state
        f = hermite(t, *fixed[1]) - fixed[0]
        lo, hi = jnp.where(f <= 0, t, lo), jnp.where(f <= 0, hi, t)
        new = t - f / (h * hermite_slope(t, *fixed[1]))
        return lo, hi, jnp.where((new >= lo) & (new <= hi), new, (lo + hi) / 2)

    zero = jnp.zeros_like(target)
    t = jax.lax.fori_loop(0, 30, bisect_newton, (zero, zero + 1, zero + 0.5))[2]
    t = jax.lax.stop_gradient(t)
    slope = jax.lax.stop_gradient(h * hermite_slope(t, *cell))
    ok = jnp.abs(slope) > 1e-12
    return jnp.where(ok, t - (hermite(t, *cell) - target) / jnp.where(ok, slope, 1.0), t)


class _Bracket(NamedTuple):
    lo: jax.Array
    hi: jax.Array
    n_branch: jax.Array
    exists: jax.Array
    rises_at_end: jax.Array


def _branch(M, branch):
    """Ends of the stable branch of this number on a scan of masses, as indices of its first and last star."""
    rising = jnp.diff(M) > 0
    begins = rising & ~jnp.concatenate([jnp.zeros(1, bool), rising[:-1]])
    number = jnp.where(rising, jnp.cumsum(begins) - 1, -1)
    here = number == branch
    lo = jnp.argmax(here)
    hi = here.shape[0] - jnp.argmax(here[::-1])
    return _Bracket(lo, hi, jnp.sum(begins), jnp.any(here), rising[-1] & (hi == here.shape[0]))


def _scan(ready):
    """Coordinates at which masses are looked at, rising: equal steps, just before the end, at and above each jump."""
    x = jnp.linspace(ready.begin, ready.end, _N_SCAN)
    x = jnp.concatenate([x[:-1], jnp.stack([x[-1] - 0.05 * (x[-1] - x[-2]), x[-1]])])
    jump = jnp.log(ready.table.h[1:-1])
    more = (jump[:, None] + jnp.array([0.0, 0.02, 0.06])).ravel()
    spare = x[0] + (x[1] - x[0]) * (jnp.arange(more.shape[0]) + 0.5) / (more.shape[0] + 1)
    inside = (more > x[0]) & (more < x[-1])
    return jnp.sort(jnp.concatenate([x, jnp.where(inside, more, spare)]))


def _turning_point(mass, x, M, i, sign):
    """Coordinate next to x[i] at which sign * M is largest: by parabolas through the best of five stars, thrice.

    Where the mass has a cusp, at a jump, x[i] itself is the best.
    """

    def narrow(_, bracket):
        lo, hi, _ = bracket
        x = jnp.linspace(lo, hi, 5)
        M = sign * mass(x)
        j = jnp.clip(jnp.argmax(M), 1, 3)
        left, mid, right = M[j - 1], M[j], M[j + 1]
        bend = left - 2 * mid + right
        vertex = x[j] + jnp.where(bend < 0, 0.5 * (left - right) / jnp.where(bend < 0, bend, 1.0), 0.0) * (x[1] - x[0])
        best = jnp.where(bend < 0, jnp.clip(vertex, lo, hi), x[jnp.argmax(M)])
        width = (hi - lo) / 8
        return jnp.maximum(lo, best - width), jnp.minimum(hi, best + width), jax.lax.stop_gradient(M.max())

    ends = x[jnp.maximum(i - 1, 0)], x[jnp.minimum(i + 1, x.shape[0] - 1)]
    lo, hi, top = jax.lax.fori_loop(0, 3, narrow, (*ends, -jnp.inf))
    return jnp.where(top >= sign * M[i], (lo + hi) / 2, x[i])


def causal_pressure(p, cs2):
    """Lowest pressure at which cs2 reaches 1, linear in ln p between rows; infinite if it never does [MeV fm^-3]."""
    above = cs2 >= 1
    i = jnp.maximum(jnp.argmax(above), 1)
    x = jnp.log(p)
    rise = jnp.where(cs2[i] > cs2[i - 1], cs2[i] - cs2[i - 1], 1.0)
    t = jnp.clip((1 - cs2[i - 1]) / rise, 0.0, 1.0)
    p_causal = jnp.where(above[0], p[0], jnp.exp(x[i - 1] + t * (x[i] - x[i - 1])))
    return jnp.where(jnp.any(above), p_causal, jnp.inf)


def _table_status(p, eps, cs2, jumps):
    """Status of a table before any star is solved."""
    dp, de = jnp.diff(p), jnp.diff(eps)
    unseen = jnp.sum(dp == 0) > jnp.sum(jumps < p.shape[0] - 1)
    bad = [
        (~jnp.all(jnp.isfinite(p) & jnp.isfinite(eps) & (p > 0) & (eps > 0)), Status.NOT_FINITE),
        (jnp.any((jnp.stack([p[-1], eps[-1]]) < 1e-3) | (jnp.stack([p[-1], eps[-1]]) > 1e6)), Status.WRONG_UNITS),
        (jnp.any(dp < 0) | jnp.any((dp[1:] == 0) & (dp[:-1] == 0)), Status.P_FALLS),
        (jnp.any(de <= 0), Status.EPS_DOES_NOT_RISE),
        (~jnp.all(jnp.isfinite(cs2)), Status.NOT_FINITE),
        (2.5 * p[0] / eps[0] > H_CUT, Status.NO_SURFACE),
        (unseen, Status.JUMP_NOT_SEEN),
    ]
    status = jnp.asarray(int(Status.OK))
    for wrong, code in reversed(bad):
        status = jnp.where(wrong, int(code), status)
    return status


class _Prepared(NamedTuple):
    """One table made ready for the integrator; coordinates are logarithms of the central enthalpy."""

    table: Table
    begin: jax.Array  # where the family begins
    end: jax.Array  # where the table, or its causal part, ends
    causal: jax.Array  # where cs2 = 1; infinite if nowhere
    status: jax.Array


@partial(jax.jit, static_argnames=("rows", "causal"))
def _prepare(p, eps, cs2, jumps, p_min, *, rows, causal):
    """:class:`_Prepared` of each table of a batch, p, eps, cs2 of shape (n_eos, n_row)."""

    def one(p, eps, cs2, jumps):
        status = _table_status(p, eps, cs2, jumps)
        good = status < int(Status.NOT_FINITE)
        stand_in = jnp.geomspace(1e-9, 1e3, p.shape[0])
        p, eps = jnp.where(good, p, stand_in), jnp.where(good, eps, 10 * stand_in**0.6)
        c = curve(p, eps)
        p_causal = causal_pressure(p, jnp.where(good, cs2, 0.0))
        p_end = jnp.minimum(p[-1], p_causal) if causal else p[-1]
        early = p_end <= p_min
        status = jnp.where(good & early, int(Status.TABLE_ENDS_EARLY), status)
        ends = jnp.stack([jnp.maximum(p_min, p[0]), jnp.where(early, p[-1], p_end), jnp.minimum(p_causal, p[-1])])
        begin, end, x_causal = jnp.log(enthalpy(c, jnp.log(ends)))
        return _Prepared(tabulate(c, rows, jumps), begin, end, jnp.where(jnp.isfinite(p_causal), x_causal, jnp.inf), status)

    return jax.vmap(one)(p, eps, cs2, jumps)


@partial(jax.jit, static_argnames=("n_star", "steps", "causal", "branch"))
def _families(ready, *, n_star, steps, causal, branch):
    """Families of a batch of :class:`_Prepared`."""

    def one(ready):
        table, status = ready.table, ready.status
        solve = lambda x, table=table: stars(table, jnp.minimum(jnp.exp(x), table.h[-1]), steps)  # noqa: E731
        mass = lambda x: solve(x).M  # noqa: E731
        x = _scan(ready)
        M = solve(*jax.lax.stop_gradient((x, table))).M
        b = _branch(M, branch)
        x_hi = jnp.where(b.rises_at_end, x[-1], _turning_point(mass, x, M, b.hi, 1))
        x_lo = _turning_point(mass, x, M, b.lo, -1) if branch > 0 else x[0]
        ordered = x_lo < x_hi  # else a branch so short that the two searches passed each other: keep to the scan
        x_lo, x_hi = jnp.where(ordered, x_lo, x[b.lo]), jnp.where(ordered, x_hi, x[b.hi])
        xs = jnp.linspace(x_lo, x_hi, n_star)
        star = solve(xs)

        end = jnp.where(causal & jnp.isfinite(ready.causal), int(Status.CAUSAL_END), int(Status.NO_MAXIMUM))
        after = jnp.where(b.exists, jnp.where(b.rises_at_end, end, int(Status.OK)), int(Status.NO_SUCH_BRANCH))
        status = jnp.where(status < int(Status.NOT_FINITE), after, status)
        solved = status < int(Status.NOT_FINITE)
        nan = lambda a: jnp.where(solved, a, jnp.nan)  # noqa: E731
        flag = jnp.where(xs > ready.causal + 1e-12, int(Flag.ACAUSAL), int(Flag.OK))
        flag = jnp.where(solved, flag, int(Flag.BEYOND_TABLE))
        p_c, p_causal = (pressure(table, jnp.exp(x)) for x in (xs, jnp.minimum(ready.causal, ready.end)[None]))
        p_causal = jnp.where(jnp.isfinite(ready.causal), p_causal[0], jnp.inf)
        return Family(
            nan(p_c), nan(star.M), nan(star.R), nan(star.Lambda), flag, nan(p_causal),
            jnp.where(ready.status < int(Status.NOT_FINITE), b.n_branch, 0), status,
        )  # fmt: skip

    return jax.vmap(one)(ready)


@jax.jit
def _last_cs2(p_max, p, cs2):
    """cs2 at the pressures p_max (n_eos,), linear in ln p between rows."""
    return jax.vmap(jnp.interp)(jnp.log(p_max), jnp.log(p), cs2)


def jump_rows(p):
    """Rows below the first-order jumps of a batch, (n_eos, n_jump) ints, padded with the last row.

    A member with three equal pressures has no jumps, but a status.
    """
    equal = np.diff(np.asarray(p), axis=-1) == 0
    equal &= ~np.any(equal[:, 1:] & equal[:, :-1], axis=-1, keepdims=True)
    found = [np.flatnonzero(e) for e in equal]
    n_jump = max((len(f) for f in found), default=0)
    rows = np.full((len(found), n_jump), p.shape[-1] - 1)
    for row, f in zip(rows, found):
        row[: len(f)] = f
    return rows


def family(eos, *, n_star=64, steps=100, rows=512, p_min=P_MIN, causal=False, branch=0):
    """Family of stars of one equation of state, or of each in a batch.

    Central enthalpies are log-uniform from that of ``p_min`` to that of the maximum mass, which is refined
    to about 1e-7 in M. ``**stars.ACCURATE`` is the slow, accurate setting. Under :func:`jax.jit` or
    :func:`jax.vmap` the jumps of an EOS cannot be found; :func:`jax.grad` and its kin do find them.

    Branches are told apart on a scan of the mass: an unstable stretch that is narrower than about 0.1 in ln h, or in which
    the mass falls by less than about 1e-4, may be passed over, and the two branches beside it be taken for one. A smooth
    transition that is nearly a jump can have such a stretch.

    Parameters
    ----------
    eos : EOS, one or a batch, with its crust
    n_star : int, stars of the family
    steps : int, Runge-Kutta steps a star (and a segment between jumps)
    rows : int, cells of the integrator's table
    p_min : float, central pressure of the first star [MeV fm^-3]
    causal : bool, end the family where cs2 = 1
    branch : int, number of the stable branch, 0 the lightest; higher ones start at their minimum mass

    Returns
    -------
    Family

    Raises
    ------
    ValueError
        one equation of state without such a family. In a batch it has a status instead, and NaN stars.
    """
    _whole(n_star=(n_star, 4), steps=(steps, 8), rows=(rows, 16), branch=(branch, 0))
    if not (isinstance(p_min, (int, float, np.number)) and P_LOWEST <= p_min < np.inf):
        raise ValueError(f"p_min must be a number >= {P_LOWEST} MeV fm^-3, got {p_min!r}")
    if not isinstance(causal, (bool, np.bool_)):
        raise ValueError(f"causal must be True or False, got {causal!r}")
    batch = eos if eos.is_batch else jax.tree.map(lambda a: a[None], eos)
    p = jax.lax.stop_gradient(batch.p)
    concrete = not isinstance(p, jax.core.Tracer)
    jumps = jump_rows(p) if concrete else np.zeros((p.shape[0], 0), int)

    def solve_block(p, eps, cs2, jumps):
        ready = _prepare(p, eps, cs2, jumps, p_min, rows=rows, causal=causal)
        out = _families(ready, n_star=n_star, steps=steps, causal=causal, branch=branch)
        return replace(out, cs2_max=_last_cs2(out.p_max, p, cs2))

    out = in_blocks(solve_block, batch.p, batch.eps, batch.sound_speed(), jumps)
    if eos.is_batch:
        return out
    out = jax.tree.map(lambda a: a[0], out)
    if not isinstance(out.status, jax.core.Tracer) and not Status(int(out.status)).solved:
        raise ValueError(f"eos has no family of branch {branch} from p_min = {p_min} MeV fm^-3: {Status(int(out.status)).sentence}")
    return out


def _whole(**given):
    """ValueError for a setting that is not a whole number of at least its least value, each (value, least)."""
    for name, (value, least) in given.items():
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")


def solve(eos, p_c, *, steps=100, rows=512):
    """Stars of one equation of state with given central pressures.

    Parameters
    ----------
    eos : EOS, one
    p_c : (n_star,) array, central pressures [MeV fm^-3]
    steps, rows : as in :func:`family`

    Returns
    -------
    (Star, flag) : each array (n_star,); a pressure outside the table has the flag BEYOND_TABLE and a NaN star

    Raises
    ------
    ValueError
        a batch, a table without a surface, or a single central pressure beyond the table
    """
    if eos.is_batch:
        raise ValueError("solve takes one EOS; take a member with eos[i], or use family for a batch")
    _whole(steps=(steps, 8), rows=(rows, 16))
    p_c = jnp.asarray(p_c, dtype=float)
    lo, hi = float(eos.p[0]), float(eos.p[-1])
    if p_c.ndim == 0 and not lo < float(p_c) <= hi:
        raise ValueError(f"p_c must lie in ({lo:.4g}, {hi:.4g}] MeV fm^-3, got {float(p_c):.6g}")
    jumps, cs2 = jump_rows(eos.p[None])[0], eos.sound_speed()
    status = Status(int(jax.jit(_table_status)(eos.p, eos.eps, cs2, jumps)))
    if not status.solved:
        raise ValueError(f"eos: {status.sentence}")
    star, flag = _solve(eos.p, eos.eps, cs2, jumps, p_c.ravel(), steps, rows)
    return jax.tree.map(lambda a: a.reshape(p_c.shape), (star, flag))


@partial(jax.jit, static_argnames=("steps", "rows"))
def _solve(p, eps, cs2, jumps, p_c, steps, rows):
    c = curve(p, eps)
    table = tabulate(c, rows, jumps)
    inside = (p_c > p[0]) & (p_c <= p[-1])
    h_c = enthalpy(c, jnp.log(jnp.where(inside, p_c, p[-1])))
    inside = inside & (h_c > table.h[0] * 1.01)
    star = stars(table, jnp.where(inside, jnp.minimum(h_c, table.h[-1]), table.h[-1]), steps)
    flag = jnp.where(p_c > causal_pressure(p, cs2), int(Flag.ACAUSAL), int(Flag.OK))
    return jax.tree.map(lambda a: jnp.where(inside, a, jnp.nan), star), jnp.where(inside, flag, int(Flag.BEYOND_TABLE))
