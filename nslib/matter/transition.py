r"""From nuclear to quark matter: the Maxwell construction and a smooth one, with the choice of what follows.

Both phases are neutral and in beta equilibrium by themselves; the one with more pressure at the same baryon
chemical potential is the stable one. Where a stiff quark phase meets soft nuclear matter twice, nuclear matter
takes over again at high density. What is done then is a choice that moves maximum masses by a tenth, and has to
be made by name (``policy``):

``stay``
    quark matter from the first crossing up, metastable above the second
``envelope``
    the stable phase everywhere: nuclear, quark, and nuclear matter again
``reject``
    an equation of state that crosses again within the rows of its hadrons is refused

Nothing here is specific to a model of nuclear matter: hadrons are an EOS with n_b, mu_b and cs2.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.matter import quark
from nslib.matter.eos import EOS

POLICIES = ("stay", "envelope", "reject")
#: least density of nuclear matter at the transition, unless said otherwise [fm^-3]
N_MIN = 0.15
#: nucleon mass in the width of the local form of delta [MeV], and the scale of the other form [MeV]
M_LOCAL, MU_C = 939.0, 700.0
#: densities of hadrons above which the smooth construction has to be stable: no crust is joined below [fm^-3]
N_CRUST = 0.07
#: rows that the smooth construction adds at each crossing, and how far from it they reach [MeV]
_CLUSTER, _REACH = 25, 40.0
#: width of a crossing below which the smooth construction is written as the jump that it is [MeV]
SHARP = 1e-5
#: square root of delta_0 that is taken [MeV fm^-3]
ROOT_DELTA = (1e-3, 100.0)


class Status(IntEnum):
    """What is to be said of one transition."""

    OK = 0
    HADRONS_NOT_FINITE = 1
    HADRONS_FALL = 2
    OUT_OF_RANGE = 3
    QUARKS_NOT_FOUND = 4
    QUARKS_BELOW = 5
    NO_TRANSITION = 6
    CROSSES_BACK = 7
    MORE_CROSSINGS = 8
    NOT_STABLE = 9

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.OK: "joined",
            Status.HADRONS_NOT_FINITE: "a row of the hadrons is not finite: their fields end, or a parameter was bad",
            Status.HADRONS_FALL: "the rows of the hadrons begin above n_min, or their chemical potential falls there",
            Status.OUT_OF_RANGE: "xi, B, a quark mass or root_delta lies outside its range",
            Status.QUARKS_NOT_FOUND: "no neutral quark matter at the chemical potential of a row",
            Status.QUARKS_BELOW: "quark matter has more pressure already below n_min, where the crust is",
            Status.NO_TRANSITION: "quark matter never has more pressure within the rows of the hadrons",
            Status.CROSSES_BACK: "hadrons have more pressure again at higher density, and the policy is to reject that",
            Status.MORE_CROSSINGS: "the pressures cross three times or more; only the policy stay goes on",
            Status.NOT_STABLE: "density or pressure of the smooth construction does not rise with the chemical potential",
        }[self]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hybrid:
    """A core with a transition, one or a batch, and how it was made.

    Attributes
    ----------
    eos : EOS, NaN rows where status is not 0; join a crust to it
    mu_t : (...) array, chemical potential at which the pressures cross first [MeV]
    p_t : (...) array, pressure there [MeV fm^-3]
    n_t, n_q : (...) arrays, density of nuclear and of quark matter there [fm^-3]
    eps_t, eps_q : (...) arrays, their energy densities [MeV fm^-3]
    mu_back : (...) array, chemical potential at which hadrons take over again; infinite where they do not [MeV]
    n_crossing : (...) int array, crossings within the rows of the hadrons
    status : (...) int array of :class:`Status`
    construction : "maxwell", "local" or "gauss"
    policy : one of ``POLICIES``
    coefficient : one of :data:`nslib.matter.quark.COEFFICIENTS`
    """

    eos: EOS
    mu_t: jax.Array
    p_t: jax.Array
    n_t: jax.Array
    n_q: jax.Array
    eps_t: jax.Array
    eps_q: jax.Array
    mu_back: jax.Array
    n_crossing: jax.Array
    status: jax.Array
    construction: str = field(metadata={"static": True}, default="maxwell")
    policy: str = field(metadata={"static": True}, default="stay")
    coefficient: str = field(metadata={"static": True}, default="Albino2024")

    @property
    def seidov(self):
        r"""Jump above the critical one, :math:`\Delta\varepsilon/\varepsilon_t - \tfrac12 - \tfrac32 p_t/\varepsilon_t`.

        Where it is positive the smallest cores make a star unstable: Z. F. Seidov, Sov. Astron. 15 (1971) 347. This is
        for a transition below the maximum mass of the hadrons; beyond it, where the mass falls already, the sign is
        reversed.
        """
        return self.eps_q / self.eps_t - 1.5 * (1 + self.p_t / self.eps_t)


class _Rows(NamedTuple):
    """Columns of one EOS and dn/dmu [fm^-3 MeV^-1], (n_row,) each."""

    eps: jax.Array
    p: jax.Array
    n: jax.Array
    mu: jax.Array
    cs2: jax.Array
    dn: jax.Array


class _Crossing(NamedTuple):
    """Where the pressures of one member are equal: cell of the hadrons, potential, and both phases there."""

    i: jax.Array
    mu: jax.Array
    hadrons: _Rows
    quarks: _Rows


def _hadrons_at(h, i, mu):
    """Hadrons at the potential mu in the cell i: p(mu) of degree five from p, n = dp/dmu and dn/dmu of its ends.

    Density and sound speed are derivatives of that polynomial, so that dp = n dmu holds between rows.
    """
    w = h.mu[i + 1] - h.mu[i]
    t, w2 = (mu - h.mu[i]) / w, w * w
    a1, a2 = w * h.n[i], w2 * h.dn[i] / 2
    A = h.p[i + 1] - h.p[i] - a1 - a2
    B, C = w * h.n[i + 1] - a1 - 2 * a2, w2 * h.dn[i + 1] - 2 * a2
    a3, a4, a5 = 10 * A - 4 * B + C / 2, -15 * A + 7 * B - C, 6 * A - 3 * B + C / 2
    p = h.p[i] + t * (a1 + t * (a2 + t * (a3 + t * (a4 + t * a5))))
    n = (a1 + t * (2 * a2 + t * (3 * a3 + t * (4 * a4 + t * 5 * a5)))) / w
    dn = (2 * a2 + t * (6 * a3 + t * (12 * a4 + t * 20 * a5))) / w2
    return _Rows(mu * n - p, p, n, mu, n / (mu * dn), dn)


def _quarks(y, q, a, muons):
    u = quark.matter(y, q, a, muons)
    return _Rows(u.eps, u.p, u.n_b, u.mu_b, u.cs2, u.n_b / (u.mu_b * u.cs2))


def _meet(h, q, a, i, excess, y, muons):
    """:class:`_Crossing` in the cell i, where excess = p_Q - p_H changes its sign, from the quarks y at its row."""
    more = excess[i + 1] > excess[i]

    def difference(mu, y, h, q, a, steps):
        y, _ = quark.solve(q, a, mu, by_density=False, muons=muons, start=y, steps=steps)
        u, v = _quarks(y, q, a, muons), _hadrons_at(h, i, mu)
        return u.p - v.p, u.n - v.n, y

    def step(_, state):
        lo, hi, mu, y = state
        f, df, y = difference(mu, y, *fixed, 3)
        past = (f > 0) == more
        lo, hi = jnp.where(past, lo, mu), jnp.where(past, mu, hi)
        new = mu - f / df
        good = (new >= lo) & (new <= hi) | (jnp.abs(new - mu) < 1e-9 * mu)
        return lo, hi, jnp.where(good, jnp.clip(new, lo, hi), (lo + hi) / 2), y

    fixed = jax.lax.stop_gradient((h, q, a))
    lo, hi = fixed[0].mu[i], fixed[0].mu[i + 1]
    guess = lo + (hi - lo) * excess[i] / (excess[i] - excess[i + 1])
    _, _, mu, y = jax.lax.stop_gradient(jax.lax.fori_loop(0, 8, step, (lo, hi, guess, y)))
    f, df, y = difference(mu, y, h, q, a, 0)
    mu = mu - f / jax.lax.stop_gradient(df)
    y, _ = quark.solve(q, a, mu, by_density=False, muons=muons, start=y, steps=0)
    v, u = _hadrons_at(h, i, mu), _quarks(y, q, a, muons)
    return _Crossing(i, mu, v, u._replace(mu=mu, p=v.p, eps=mu * u.n - v.p))


class _Found(NamedTuple):
    """Crossings of one member, quarks at the rows of its hadrons, where its potential starts to rise, status."""

    first: _Crossing
    back: _Crossing
    returns: jax.Array
    n_crossing: jax.Array
    quarks: _Rows
    start: jax.Array
    status: jax.Array


def _crossings(h, q, a, given, n_min, muons):
    """:class:`_Found` of one member; given is its status before."""
    k = jnp.arange(h.mu.shape[0])
    rows = lambda mu: quark.solve(q, a, mu, by_density=False, muons=muons)
    y, found = jax.vmap(rows)(h.mu)
    u = _quarks(y, q, a, muons)._replace(mu=h.mu)
    excess = jax.lax.stop_gradient(u.p - h.p)
    falls = jnp.diff(h.mu) <= 0
    start = jnp.max(jnp.where(falls, k[1:], 0))
    here = (k[:-1] >= start) & (h.n[1:] > n_min)
    up = (excess[:-1] <= 0) & (excess[1:] > 0) & here
    down = (excess[:-1] > 0) & (excess[1:] <= 0) & here
    i1 = jnp.argmax(up)
    after = down & (k[:-1] > i1)
    i2 = jnp.argmax(after)
    i = jnp.stack([i1, i2])
    both = jax.vmap(lambda i, y: _meet(h, q, a, i, excess, y, muons))(i, jax.tree.map(lambda a: a[i], y))
    first, back = (jax.tree.map(lambda a: a[j], both) for j in (0, 1))  # noqa: B023
    tests = [
        (~jnp.any(up), Status.NO_TRANSITION),
        (
            jnp.any((excess > 0) & (h.n <= n_min)) | (jnp.any(up) & (first.hadrons.n < n_min)),
            Status.QUARKS_BELOW,
        ),
        (~jnp.all(found), Status.QUARKS_NOT_FOUND),
        (h.n[start] > n_min, Status.HADRONS_FALL),
        (~jnp.all(jnp.isfinite(jnp.stack(h[:-1]))), Status.HADRONS_NOT_FINITE),
    ]
    status = jnp.asarray(int(Status.OK))
    for wrong, code in tests:
        status = jnp.where(wrong, int(code), status)
    status = jnp.where((given > 0) & (status != int(Status.HADRONS_NOT_FINITE)), given, status)
    return _Found(first, back, jnp.any(after), jnp.sum(up) + jnp.sum(down), u, start, status)


#: crossings that a policy allows
_ALLOWED = {"stay": np.inf, "envelope": 2.0, "reject": 1.0}


def _judge(found, allowed):
    """Status with what the policy has to say of more than one crossing."""
    wrong = jnp.where(found.n_crossing > 2, int(Status.MORE_CROSSINGS), int(Status.CROSSES_BACK))
    return jnp.where((found.status == 0) & (found.n_crossing > allowed), wrong, found.status)


def _ordered(key, *parts):
    """Rows of several parts in the order of their key, the place in the table of hadrons."""
    order = jnp.argsort(key)
    return jax.tree.map(lambda *a: jnp.concatenate([jnp.atleast_1d(b) for b in a])[order], *parts)


def _hybrid(rows, found, status):
    """The columns of a :class:`Hybrid`."""
    first = found.first
    good = lambda a: jnp.where(status == 0, a, jnp.nan)
    eos = EOS(*(good(a) for a in rows[:5]), status=status)
    at = first.mu, first.hadrons.p, first.hadrons.n, first.quarks.n, first.hadrons.eps, first.quarks.eps
    seen = (status == 0) | (status > int(Status.NO_TRANSITION))
    at = [jnp.where(seen, a, jnp.nan) for a in at]
    back = jnp.where(found.returns, found.back.mu, jnp.inf)
    return Hybrid(eos, *at, jnp.where(seen, back, jnp.nan), jnp.where(seen, found.n_crossing, 0), status)


@partial(jax.jit, static_argnames=("envelope", "muons"))
def _maxwell(h, q, a, given, n_min, allowed, *, envelope, muons):
    """:class:`Hybrid` of each member of a batch, h of (n_eos, n_row)."""

    def one(h, q, a, given):
        found = _crossings(h, q, a, given, n_min, muons)
        status, first, back, n_row = _judge(found, allowed), found.first, found.back, h.mu.shape[0]
        k = jnp.arange(n_row)
        if envelope:  # quarks between two crossings; two spare rows in the last cell but one
            between = (k > first.i) & ((k <= back.i) | ~found.returns)
            rows = jax.tree.map(lambda a, b: jnp.where(between, b, a), h, found.quarks)
            spare = h.mu[-3] + (h.mu[-2] - h.mu[-3]) * jnp.array([1 / 3, 2 / 3])
            y, _ = jax.vmap(lambda mu: quark.solve(q, a, mu, by_density=False, muons=muons))(spare)
            spare = _quarks(y, q, a, muons)
            pair = jax.tree.map(lambda *b: jnp.stack(b), back.quarks, back.hadrons)
            pair = jax.tree.map(lambda a, b: jnp.where(found.returns, a, b), pair, spare)
            place = jnp.where(found.returns, back.i, n_row - 3) + jnp.array([1 / 3, 2 / 3])
            key = jnp.concatenate([k, first.i + jnp.array([1 / 3, 2 / 3]), place])
            rows = _ordered(key, rows, first.hadrons, first.quarks, pair)
            late = first.i > n_row - 5
        else:  # quarks at densities from that of the transition to the last of the hadrons
            left = (k - first.i) / (n_row - 1 - first.i)
            n = first.quarks.n * (h.n[-1] / first.quarks.n) ** jnp.clip(left, 0, 1)
            y, _ = jax.vmap(lambda n: quark.solve(q, a, n, by_density=True, muons=muons))(n)
            rows = jax.tree.map(lambda a, b: jnp.where(k > first.i, b, a), h, _quarks(y, q, a, muons))
            key = jnp.concatenate([k, first.i + jnp.array([1 / 3, 2 / 3])])
            rows = _ordered(key, rows, first.hadrons, first.quarks)
            late = (first.i > n_row - 5) | (first.quarks.n >= h.n[-1])
        status = jnp.where((status == 0) & late, int(Status.NO_TRANSITION), status)
        return _hybrid(rows, found, status)

    return jax.vmap(one)(h, q, a, given)


def delta(mu, delta_0, mu_t, form, mu_c=MU_C):
    r"""The mixing term of the smooth construction with its first two derivatives to mu.

    .. math:: \delta = \delta_0\exp\left[-\left(\frac{\mu - \mu_t}{w}\right)^2\right], \quad
              w = \frac{\mu_t - 939\,\mathrm{MeV}}{2} \quad\text{(local)}, \qquad
              \delta = \delta_0\exp\left[-\left(\frac{\mu}{\mu_c}\right)^2\right] \quad\text{(gauss)}

    Parameters
    ----------
    mu : array, baryon chemical potential [MeV]
    delta_0 : array [MeV^2 fm^-6]
    mu_t : array, where the pressures cross [MeV]
    form : "local" or "gauss"
    mu_c : float [MeV]

    Returns
    -------
    delta, delta', delta'' : arrays like mu
    """
    return _gaussian(mu, delta_0, *((mu_t, (mu_t - M_LOCAL) / 2) if form == "local" else (0.0, mu_c)))


def _gaussian(mu, delta_0, centre, w):
    """delta_0 exp(-((mu - centre) / w)^2) with its first two derivatives."""
    x = (mu - centre) / w
    d = delta_0 * jnp.exp(-(x**2))
    return d, -2 * x / w * d, (4 * x**2 - 2) / w**2 * d


def _smoothed(h, u, d):
    r"""The phase whose pressure solves :math:`(p - p_H)(p - p_Q) = \delta`, with density and slope as its derivatives.

    With X = p_H - p_Q, n = dp/dmu, primes d/dmu, :math:`R = \sqrt{X^2 + 4\delta}`:

    .. math::
        p = \tfrac12(p_H + p_Q + R), \qquad n = \tfrac12(n_H + n_Q + R'), \qquad
        n' = \tfrac12(n_H' + n_Q' + R''),

        R' = \frac{X X' + 2\delta'}{R}, \qquad R'' = \frac{X'^2 + X X'' + 2\delta'' - R'^2}{R}
    """
    (delta, delta1, delta2), mu = d, h.mu
    X, X1, X2 = h.p - u.p, h.n - u.n, h.dn - u.dn
    R = jnp.sqrt(X**2 + 4 * delta)
    R1 = (X * X1 + 2 * delta1) / R
    R2 = (X1**2 + X * X2 + 2 * delta2 - R1**2) / R
    p, n, dn = (h.p + u.p + R) / 2, (h.n + u.n + R1) / 2, (h.dn + u.dn + R2) / 2
    return _Rows(mu * n - p, p, n, mu, n / (mu * dn), dn)


@partial(jax.jit, static_argnames="muons")
def _smooth(h, q, a, root, given, n_min, allowed, local, mu_c, *, muons):
    """:class:`Hybrid` of each member of a batch; local or else gauss."""

    def one(h, q, a, root, given):
        found = _crossings(h, q, a, given, n_min, muons)
        status, n_row = _judge(found, allowed), h.mu.shape[0]
        k, s = jnp.arange(n_row), jnp.linspace(-1.0, 1.0, _CLUSTER)
        centre, w = (
            jnp.where(local, found.first.mu, 0.0),
            jnp.where(local, (found.first.mu - M_LOCAL) / 2, mu_c),
        )
        term = lambda mu: _gaussian(mu, root**2, centre, w)

        def cluster(c):  # as dense as the transition is sharp, X ~ 2 sqrt(delta)
            width = 2 * jnp.sqrt(term(c.mu)[0]) / jnp.maximum(jnp.abs(c.quarks.n - c.hadrons.n), 1e-6)
            reach = jnp.minimum(_REACH, 0.9 * jnp.minimum(c.mu - h.mu[found.start], h.mu[-1] - c.mu))
            return c.mu + width * jnp.sinh(s * jnp.arcsinh(reach / width)), width < SHARP

        spare = h.mu[-2] + (h.mu[-1] - h.mu[-2]) * (jnp.arange(_CLUSTER) + 1) / (_CLUSTER + 1)
        (mu_1, _), (mu_2, sharp) = cluster(found.first), cluster(found.back)
        mu = jnp.concatenate([mu_1, jnp.where(found.returns & ~sharp, mu_2, spare)])
        mu, jump = jax.lax.stop_gradient(mu), found.returns & sharp
        rising = jnp.where(k >= found.start, h.mu, -jnp.inf)
        i = jnp.clip(jnp.searchsorted(rising, mu) - 1, found.start, n_row - 2)
        v = jax.vmap(lambda i, mu: _hadrons_at(h, i, mu))(i, mu)
        y, _ = jax.vmap(lambda mu: quark.solve(q, a, mu, by_density=False, muons=muons))(mu)
        key = jnp.concatenate([k, i + (mu - h.mu[i]) / (h.mu[i + 1] - h.mu[i])])
        h, u = (
            jax.tree.map(lambda *b: jnp.concatenate(b), *b)
            for b in ((h, v), (found.quarks, _quarks(y, q, a, muons)))
        )
        rows = _smoothed(h, u._replace(mu=h.mu), term(h.mu))
        pair = jax.tree.map(lambda *b: jnp.stack(b), found.back.quarks, found.back.hadrons)
        rows = jax.tree.map(lambda a, b: a.at[-2:].set(jnp.where(jump, b, a[-2:])), rows, pair)
        key = key.at[-2:].set(jnp.where(jump, found.back.i + jnp.array([1 / 3, 2 / 3]), key[-2:]))
        core = jnp.sort(key) >= jnp.maximum(found.start, jnp.argmax(h.n[:n_row] >= N_CRUST))
        rows = _ordered(key, rows)
        stands = (jnp.diff(rows.n) <= 0) | (jnp.diff(rows.p) < 0) & core[:-1]
        unstable = jnp.any((rows.dn <= 0) & core) | jnp.any(stands)
        status = jnp.where((status == 0) & unstable, int(Status.NOT_STABLE), status)
        return _hybrid(rows, found, status)

    return jax.vmap(one)(h, q, a, root, given)


def maxwell(hadrons, q, *, policy, coefficient="Albino2024", n_min=N_MIN, muons=True):
    """Nuclear matter below, quark matter above, equal pressure and chemical potential between: a first-order jump.

    Rows of the hadrons below the transition are kept as they are. The two rows at the jump have the same pressure
    and chemical potential, and the sound speed of either side. With ``stay`` and ``reject`` quark matter goes up
    to the last density of the hadrons; with ``envelope`` the table goes up to their last chemical potential.

    Parameters
    ----------
    hadrons : EOS with n_b, mu_b and cs2, a core, one or a batch
    q : MFTQCD of floats, or of (n_eos,) arrays for a batch; one may be paired with a batch of the other
    policy : one of ``POLICIES``, what is done where hadrons have more pressure again
    coefficient : one of :data:`nslib.matter.quark.COEFFICIENTS`
    n_min : float, least density of nuclear matter at the transition [fm^-3]
    muons : bool, count muons in quark matter

    Returns
    -------
    Hybrid

    Raises
    ------
    ValueError
        an unknown policy or coefficient, n_min outside the rows of the hadrons, two batches of different size, and
        one equation of state without such a transition. In a batch such a member has a status, and NaN rows.
    """
    _one_of("policy", policy, POLICIES)
    h, flat, a, given, single = _arguments(hadrons, q, coefficient, n_min)
    out = in_blocks(
        lambda *t: _maxwell(*t, n_min, _ALLOWED[policy], envelope=policy == "envelope", muons=muons),
        h,
        flat,
        a,
        given,
    )
    return _finish(out, single, "maxwell", policy, coefficient, q)


def smooth(
    hadrons, q, root_delta, *, form, policy, coefficient="Albino2024", n_min=N_MIN, mu_c=MU_C, muons=True
):
    r"""Nuclear matter that goes over into quark matter without a jump, :math:`(p - p_H)(p - p_Q) = \delta(\mu)`.

    The pressure lies above that of either phase, everywhere, and tends to the envelope of both for delta to 0;
    saturation and low-density constraints therefore belong to the equation of state that comes out. See
    :func:`delta` for the two forms. The local one is nothing far from the first crossing, so that where hadrons
    take over again there is a first-order jump after all, and it is written as one. The construction was
    introduced for heavy-ion collisions by Y. Hama et al., Nucl. Phys. A 774 (2006) 169. Rows of the hadrons keep
    their chemical potential; 25 rows are added at each crossing. A root_delta below about 1 MeV fm^-3 makes a
    rise so steep that stars need ``stars.ACCURATE``.

    Parameters
    ----------
    hadrons, q, coefficient, n_min, muons : as in :func:`maxwell`; n_min is that of the crossing of pressures
    root_delta : float or (n_eos,) array, square root of delta_0, in [0.001, 100] [MeV fm^-3]
    form : "local" or "gauss"
    policy : "envelope", which the formula follows by itself, or "reject"
    mu_c : float, scale of the form "gauss" [MeV]

    Returns
    -------
    Hybrid

    Raises
    ------
    ValueError
        as :func:`maxwell`; the policy "stay", which the formula cannot follow; root_delta outside its range
    """
    _one_of("form", form, ("local", "gauss"))
    _one_of("policy", policy, ("envelope", "reject"))
    if not (isinstance(mu_c, (int, float, np.number)) and 0 < mu_c < np.inf):
        raise ValueError(f"mu_c must be a number > 0 MeV, got {mu_c!r}")
    root = jnp.asarray(root_delta, float)
    lo, hi = ROOT_DELTA
    if root.ndim == 0 and not isinstance(root, jax.core.Tracer) and not lo <= float(root) <= hi:
        raise ValueError(f"root_delta must lie in [{lo:g}, {hi:g}] MeV fm^-3, got {float(root):g}")
    h, flat, a, given, single = _arguments(hadrons, q, coefficient, n_min, root)
    root = jnp.broadcast_to(root, a.shape)
    given = jnp.where((root >= lo) & (root <= hi), given, int(Status.OUT_OF_RANGE))
    how = n_min, _ALLOWED[policy], form == "local", float(mu_c)
    out = in_blocks(lambda *t: _smooth(*t, *how, muons=muons), h, flat, a, root, given)
    return _finish(out, single, form, policy, coefficient, q)


def _one_of(name, value, known):
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _arguments(hadrons, q, coefficient, n_min, *more):
    """Rows of the hadrons, MFTQCD, a and status as a batch of common size, and whether all was single."""
    n_b, mu_b, cs2 = hadrons.need("n_b", "mu_b", "cs2")
    if hadrons.n_row < 16:
        raise ValueError(f"hadrons has {hadrons.n_row} rows; at least 16 are needed")
    if not (isinstance(n_min, (int, float, np.number)) and 0 < n_min < 1):
        raise ValueError(f"n_min must be a number in (0, 1) fm^-3, got {n_min!r}")
    flat, shape = quark.as_batch(q)
    shapes = [hadrons.p.shape[:-1], shape, *(jnp.shape(a) for a in more)]
    sizes = {s for s in shapes if s}
    if len(sizes) > 1 or any(len(s) > 1 for s in sizes):
        raise ValueError(f"hadrons, q and root_delta must be single or batches of one size, got {shapes}")
    n = next(iter(sizes), (1,))[0]
    columns = hadrons.eps, hadrons.p, n_b, mu_b, cs2, n_b / (mu_b * jnp.where(cs2 > 0, cs2, jnp.inf))
    h = _Rows(*(jnp.broadcast_to(a, (n,) + a.shape[-1:]) for a in columns))
    flat = quark.MFTQCD(*(jnp.broadcast_to(a, (n,)) for a in flat))
    given = jnp.where(quark.status_of(flat) > 0, int(Status.OUT_OF_RANGE), 0)
    return h, flat, quark.repulsion(flat.xi, coefficient), given, not sizes


def _finish(out, single, construction, policy, coefficient, q):
    """The Hybrid with its words; for a single one ValueError where there is none."""
    out = Hybrid(*(getattr(out, f) for f in _ARRAYS), construction, policy, coefficient)
    if not single:
        return out
    out = jax.tree.map(lambda a: a[0], out)
    status = out.status
    if not isinstance(status, jax.core.Tracer) and int(status):
        raise ValueError(
            f"no {construction} transition with policy {policy!r}: {Status(int(status)).sentence}; {q}"
        )
    return out


_ARRAYS = ("eos", "mu_t", "p_t", "n_t", "n_q", "eps_t", "eps_q", "mu_back", "n_crossing", "status")


def duhem_error(eos):
    r"""How far the columns of an EOS are from :math:`\mathrm dp = n_b\,\mathrm d\mu_b`, interval by interval.

    The change of p against the integral of n_b over mu_b, by Hermite's rule with
    :math:`\mathrm dn_b/\mathrm d\mu_b = n_b/(\mu_b c_s^2)`, relative to the former. Intervals in which the potential
    does not rise, jumps among them, and the step at a crust-core join are NaN: nothing is said of them. Where cs2 is
    near 0, at the edge of an instability, the error is that of the rule. A report; nothing is repaired.

    Parameters
    ----------
    eos : EOS with n_b, mu_b and cs2, one or a batch

    Returns
    -------
    (..., n_row - 1) array [1]
    """
    n, mu, cs2 = eos.need("n_b", "mu_b", "cs2")
    slope = n / (mu * jnp.where(cs2 > 0, cs2, jnp.nan))
    dmu, dp = jnp.diff(mu, axis=-1), jnp.diff(eos.p, axis=-1)
    integral = dmu * (n[..., 1:] + n[..., :-1]) / 2 + dmu**2 / 12 * (slope[..., :-1] - slope[..., 1:])
    exempt = (dmu <= 0) | (dp == 0)
    if eos.n_join is not None:
        exempt = exempt | (n[..., 1:] == jnp.asarray(eos.n_join)[..., None])
    return jnp.where(exempt, jnp.nan, jnp.abs(dp - integral) / jnp.where(exempt, 1.0, jnp.abs(dp)))
