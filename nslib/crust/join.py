"""A crust joined to any core."""

from dataclasses import replace
from enum import IntEnum
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.crust.unified import sly4
from nslib.interpolate import pchip, pchip_slopes
from nslib.matter.eos import EOS

#: densities between which a core may begin: 0.07 fm^-3, and saturation, above which there is no crust [fm^-3]
N_MIN, N_MAX = 0.07, 0.16
_N_SCAN = 48


class JoinStatus(IntEnum):
    """What is to be said of a join."""

    OK = 0
    NOT_FINITE = 1
    NO_CROSSING = 2
    NO_OVERLAP = 6
    P_NOT_POSITIVE = 3
    P_DOES_NOT_RISE = 4
    EPS_DOES_NOT_RISE = 5

    @property
    def sentence(self):
        """The status in words."""
        return {
            JoinStatus.OK: "joined",
            JoinStatus.NOT_FINITE: "a value of the core is not finite, or its densities do not rise from above 0",
            JoinStatus.NO_OVERLAP: "crust and core do not both reach the density of the join, or the crust not its pressure",
            JoinStatus.NO_CROSSING: "the core's pressure stays below the crust's from 0.07 to 0.16 fm^-3",
            JoinStatus.P_NOT_POSITIVE: "the core's pressure is not positive at the join",
            JoinStatus.P_DOES_NOT_RISE: "the core's pressure falls above the join",
            JoinStatus.EPS_DOES_NOT_RISE: "the energy density does not rise across or above the join",
        }[self]


def join(core, crust=None, *, how="crossing", n_join=None, fall="refuse"):
    """Crust below, core above, as one equation of state.

    ``crossing``: the core begins where its pressure first exceeds the crust's, between 0.07 and 0.16 fm^-3.
    ``literal``: it begins at 0.07 fm^-3, and the crust ends where it reaches the core's pressure there.
    ``first``: it begins with its first row, for a core that knows its own transition.
    Rows of core and crust are kept; those of the other side of the join are moved next to it. Crust rows
    stop at 98 % of the pressure of the first core row, at 99 % of its density and at 99.5 % of its energy density,
    so that p, eps and n_b rise; the step of mu_b is recorded in ``delta_mu``. The join density carries no derivative.

    Parameters
    ----------
    core : EOS with n_b, mu_b and cs2, one or a batch
    crust : EOS with n_b and mu_b, by default :func:`nslib.crust.sly4`
    how : "crossing", "literal" or "first"
    n_join : float or (n_eos,) array, begin the core here instead [fm^-3]
    fall : "refuse" a core whose pressure falls somewhere above the join, or "end" it there: its rows are then
        spread anew, log-uniformly in n_b, up to the row of highest pressure

    Returns
    -------
    EOS like core, with ``n_join``, ``delta_mu`` and ``status`` (:class:`JoinStatus`)

    Raises
    ------
    ValueError
        an unknown ``how``, a join density outside crust and core, one core that cannot be joined.
        In a batch such a member has a status and NaN rows.
    """
    if how not in ("crossing", "literal", "first"):
        raise ValueError(f'how must be "crossing", "literal" or "first", got {how!r}')
    if fall not in ("refuse", "end"):
        raise ValueError(f'fall must be "refuse" or "end", got {fall!r}')
    crust = sly4() if crust is None else crust
    crust.need("n_b", "mu_b")
    core.need("n_b", "mu_b", "cs2")
    batch = core if core.is_batch else jax.tree.map(lambda a: a[None], core)
    fixed = N_MIN if how == "literal" and n_join is None else n_join
    if how == "first" and n_join is None:
        at = batch.n_b[:, 0]
    elif fixed is None:
        at = in_blocks(lambda core: _crossing(core, crust), batch)
    else:
        at = _fixed_density(fixed, batch.p.shape[0], float(crust.n_b[0]), float(crust.n_b[-1]))
    out = in_blocks(lambda core, at: _join(core, crust, at, end=fall == "end"), batch, jax.lax.stop_gradient(at))
    if core.is_batch:
        return out
    out = out[0]
    if not isinstance(out.status, jax.core.Tracer) and int(out.status):
        raise ValueError(f"core cannot be joined: {JoinStatus(int(out.status)).sentence}")
    return out


def _fixed_density(n_join, n_eos, low, high):
    """The join densities given, (n_eos,); ValueError for one outside the crust's table."""
    n = np.asarray(n_join)
    if n.dtype.kind not in "fiu" or n.shape not in ((), (n_eos,)) or not np.all((n >= low) & (n <= high)):
        raise ValueError(f"n_join must be a number or ({n_eos},) numbers in [{low:.4g}, {high:.4g}] fm^-3, got {n_join!r}")
    return jnp.broadcast_to(jnp.asarray(n, float), (n_eos,))


@jax.jit
def _crossing(core, crust):
    """First density from N_MIN to N_MAX at which each core has more pressure than the crust, NaN if none (n_eos,)."""
    x_crust, y_crust = jnp.log(crust.n_b), jnp.log(crust.p)

    def one(n_b, p):
        d, d_crust = pchip_slopes(n_b, p), pchip_slopes(x_crust, y_crust)
        excess = lambda n: pchip(n, n_b, p, d) - jnp.exp(pchip(jnp.log(n), x_crust, y_crust, d_crust))  # noqa: E731
        n_end = jnp.minimum(N_MAX, jnp.minimum(n_b[-1], crust.n_b[-1]))
        n = jnp.linspace(N_MIN, n_end * (1 - 1e-9), _N_SCAN)
        above = excess(n) > 0
        i = jnp.argmax(above)

        def bisect(_, ends):
            mid = (ends[0] + ends[1]) / 2
            up = excess(mid[None])[0] > 0
            return jnp.where(up, ends[0], mid), jnp.where(up, mid, ends[1])

        _, root = jax.lax.fori_loop(0, 40, bisect, (n[jnp.maximum(i - 1, 0)], n[i]))
        return jnp.where(above[0], n[0], jnp.where(jnp.any(above), root, jnp.nan))

    return jax.vmap(one)(core.n_b, core.p)


@partial(jax.jit, static_argnames="end")
def _join(core, crust, n_join, end):
    """The joined batch; see :func:`join`. n_join (n_eos,), NaN where there is no crossing."""
    return jax.vmap(partial(_join_one, crust, end))(replace(core, n_join=None, delta_mu=None, status=None), n_join)


def _at(x, xp, column):
    """Monotone cubic interpolant of a column at x (m,)."""
    return pchip(x, xp, column, pchip_slopes(xp, column))


def _squeeze(x, end, above):
    """Grid x with the points on the wrong side of ``end`` moved between it and the nearest point that stays."""
    n, k = x.shape[0], jnp.arange(x.shape[0])
    if above:  # keep x > end
        first = jnp.minimum(jnp.sum(x <= end), n - 1)
        return jnp.where(k < first, end + (x[first] - end) * k / jnp.maximum(first, 1), x)
    last = jnp.maximum(jnp.sum(x < end) - 1, 0)
    return jnp.where(k > last, x[last] + (end - x[last]) * (k - last) / jnp.maximum(n - 1 - last, 1), x)


def _join_one(crust, end, core, n_join):
    n_x = jnp.where(jnp.isnan(n_join), N_MIN, n_join)
    n = _squeeze(core.n_b, n_x, above=True)
    if end:
        falls = (jnp.diff(core.p) < 0) & (core.n_b[1:] > n_x)
        spread = jnp.geomspace(n_x, core.n_b[jnp.argmax(falls)], n.shape[0])
        n = jnp.where(jnp.any(falls), spread, n)
    x, xp = jnp.log(n), jnp.log(core.n_b)
    keep = n == core.n_b
    p, eps, mu, cs2 = (jnp.where(keep, a, _at(x, xp, a)) for a in (core.p, core.eps, core.mu_b, core.cs2))

    x_c, lnp_c = jnp.log(crust.n_b), jnp.log(crust.p)
    p_x = jnp.where(p[0] > 0, p[0], 1.0)
    by_n = _at(jnp.log(0.99 * n_x)[None], x_c, lnp_c)[0]
    by_eps = _at(jnp.log(0.995 * jnp.where(eps[0] > 0, eps[0], 1.0))[None], jnp.log(crust.eps), lnp_c)[0]
    q = _squeeze(lnp_c, jnp.minimum(jnp.minimum(by_n, by_eps), jnp.log(0.98 * p_x)), above=False)
    at_q = lambda a: jnp.where(q == lnp_c, a, _at(q, lnp_c, a))  # noqa: E731
    n_c, eps_c = jnp.exp(at_q(x_c)), jnp.exp(at_q(jnp.log(crust.eps)))
    p_c, mu_c, cs2_c = jnp.exp(q), at_q(crust.mu_b), at_q(crust.sound_speed())
    mu_equal = _at(jnp.log(p_x)[None], lnp_c, crust.mu_b)[0]

    both = [jnp.concatenate(a) for a in ((eps_c, eps), (p_c, p), (n_c, n), (mu_c, mu), (cs2_c, cs2))]
    columns = jnp.stack([core.n_b, core.eps, core.p, core.mu_b, core.cs2])
    finite = jnp.all(jnp.isfinite(columns)) & jnp.all(jnp.diff(core.n_b) > 0) & (core.n_b[0] > 0)
    tests = [
        (jnp.any(jnp.diff(both[0]) <= 0), JoinStatus.EPS_DOES_NOT_RISE),
        (jnp.any(jnp.diff(p) < 0), JoinStatus.P_DOES_NOT_RISE),
        (p[0] <= 0, JoinStatus.P_NOT_POSITIVE),
        (jnp.isnan(n_join), JoinStatus.NO_CROSSING),
        ((n_x < core.n_b[0]) | (n_x > core.n_b[-1]) | (p[0] > crust.p[-1]) | (p_x < crust.p[2]), JoinStatus.NO_OVERLAP),
        (~finite, JoinStatus.NOT_FINITE),
    ]
    status = jnp.asarray(int(JoinStatus.OK))
    for wrong, code in tests:
        status = jnp.where(wrong, int(code), status)
    eps, p, n, mu, cs2 = (jnp.where(status == 0, a, jnp.nan) for a in both)
    return EOS(eps, p, n, mu, cs2, n_join, mu[crust.p.shape[0]] - mu_equal, status)
