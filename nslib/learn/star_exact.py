"""What a set of noisy stars says of the metamodel, exactly: likelihoods on curves, and quadrature over L and K_sym.

A star is observed with normal errors of its mass and of its radius (or of the logarithm of its tidal deformability); its true
mass is uniform between the lightest and the heaviest star of the curve. This is what :mod:`nslib.learn.star_posterior` learns.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from nslib.datasets import Status, curves
from nslib.learn.mass_prediction import whole
from nslib.matter import metamodel

OBSERVABLES = ("R", "ln_Lambda")
#: standard deviations that the integral over the true mass reaches to, and its numbers of Gauss-Legendre nodes
_REACH = 8.0
_NODES = (32, 64, 128, 256, 512)
#: curves, and stars, for which the likelihood is compiled
_BLOCK, _SIZES = 256, (5, 10, 50)
_LN_2PI = float(np.log(2 * np.pi))


class Stars(NamedTuple):
    """Sets of observed stars; a set may have fewer than the others, its places without a star are NaN in all four.

    mass, sigma_M : (n_set, n_star) arrays, observed mass and its standard deviation [Msun]
    x, sigma : (n_set, n_star) arrays, R [km] or ln Lambda [1], and its standard deviation
    """

    mass: np.ndarray
    x: np.ndarray
    sigma_M: np.ndarray
    sigma: np.ndarray


def _one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")


def density(n):
    """The density as a float; ValueError if it is not one finite number above 0."""
    if np.ndim(n) or not (np.isfinite(n) and n > 0):
        raise ValueError(f"n must be one density above 0 [fm^-3], got {n!r}")
    return float(n)


def observe(members, n_star, sigma_M, sigma, *, rng, observable="R"):
    """n_star noisy stars on each curve.

    Parameters
    ----------
    members : :class:`nslib.datasets.Curves`, n of them
    n_star : int
    sigma_M : float or (n, n_star) array, standard deviation of the masses [Msun]
    sigma : float or (n, n_star) array, of R [km] or ln Lambda [1]
    rng : numpy.random.Generator
    observable : "R" or "ln_Lambda"

    Returns
    -------
    Stars
    """
    _one_of("observable", observable, OBSERVABLES)
    whole(0, n_star=n_star)
    size = (len(members), n_star)
    for name, value in (("sigma_M", sigma_M), ("sigma", sigma)):
        if not np.all(np.isfinite(value) & (np.asarray(value) > 0)):
            raise ValueError(f"{name} must be finite and above 0, got {value!r}")
    mass = members.M_low + (members.M_high - members.M_low)[:, None] * rng.uniform(size=size)
    sigma_M, sigma = (np.broadcast_to(np.asarray(a, dtype=float), size) for a in (sigma_M, sigma))
    x = members.at_mass(mass, observable)
    return Stars(mass + sigma_M * rng.normal(size=size), x + sigma * rng.normal(size=size), sigma_M, sigma)


def log_likelihood(members, stars, observable="R"):
    r"""Log-likelihood of sets of noisy stars on each curve.

    .. math::
        \sum_i \ln \int_{M_\mathrm{low}}^{M_\mathrm{high}} \frac{dM}{M_\mathrm{high} - M_\mathrm{low}}\,
        \mathcal{N}(M_i - M; \sigma_{M,i})\,\mathcal{N}(x_i - x(M); \sigma_i)

    Gauss and Legendre in s, in which curves are smooth (see :class:`nslib.datasets.Curves`), out to 8 standard deviations of
    the mass, with so many nodes that the narrower of the two factors is resolved; x is R or ln Lambda. Good to 1e-3 where no star is
    less likely than e^-15; a star that is missed by 8 standard deviations and more counts as missed, not by exactly how much.

    Parameters
    ----------
    members : :class:`nslib.datasets.Curves`, n of them
    stars : Stars, n_set sets
    observable : "R" or "ln_Lambda"

    Returns
    -------
    (n_set, n) array; 0 for a set without a star

    Raises
    ------
    ValueError
        columns of other shapes, a star that lacks some of its four numbers, an error that is not above 0, an observable that is
        unknown; an error of x too small beside the range of x over the error of the mass
    """
    _one_of("observable", observable, OBSERVABLES)
    shapes = [np.shape(a) for a in stars]
    if len(shapes) != 4 or len(set(shapes)) > 1 or len(shapes[0]) != 2:
        raise ValueError(f"the four columns of stars must have one shape (n_set, n_star), got {shapes}")
    columns = np.stack([np.asarray(a, dtype=float) for a in stars])
    there = ~np.isnan(columns).all(axis=0)
    if not np.all(np.isfinite(columns[:, there])) or not np.all(columns[2:, there] > 0):
        raise ValueError("a star of stars lacks some of its four numbers, or has one that is not finite, or an error that is not above 0")
    n = len(members)
    k = np.arange(-(-n // _BLOCK) * _BLOCK) % n
    coefficients = members.coefficients(observable)
    steep = _steepest(coefficients)
    c = jnp.asarray(coefficients[k].reshape(-1, _BLOCK, coefficients.shape[1]))
    M_high = jnp.asarray(members.M_high[k].reshape(-1, _BLOCK))
    length = float(np.min(members.M_high) - members.M_low)
    out = np.zeros((columns.shape[1], n))
    for i, one in enumerate(np.moveaxis(columns, 1, 0)):
        one = one[:, there[i]]
        for start in range(0, one.shape[1], _SIZES[-1]):
            part = one[:, start : start + _SIZES[-1]]
            size = next(s for s in _SIZES if s >= part.shape[1])
            filled = np.concatenate([part, np.tile([[1.5], [0.0], [1.0], [1.0]], size - part.shape[1])], axis=1)
            nodes = _enough(part, steep, length)
            out[i] += np.asarray(_log_likelihood(c, M_high, members.M_low, filled, np.arange(size) < part.shape[1], nodes)).ravel()[:n]
    return out


def _steepest(coefficients):
    """Largest |dx/ds| of all curves."""
    t = np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, 65), coefficients.shape[1] - 2)
    return 2 * float(np.max(np.abs(np.polynomial.chebyshev.chebder(coefficients, axis=1) @ t.T)))


def _enough(star, steep, length):
    """Number of nodes whose distance in s is less than the step of s that changes x by its error."""
    window = np.minimum(1.0, np.sqrt(2 * _REACH * star[2] / length))
    need = float(np.max(window * steep / star[3], initial=0.0))
    if need > _NODES[-1]:
        raise ValueError(f"sigma = {star[3].min():.3g} is too small: x changes by {steep:.3g} over the masses, and at most {_NODES[-1]} nodes resolve it")
    return next(n for n in _NODES if n >= need)


@partial(jax.jit, static_argnums=5)
def _log_likelihood(c, M_high, M_low, star, there, nodes):
    """(n_block, _BLOCK) log-likelihoods of one set: columns star (4, n_star), of which those there count."""
    M, x, sigma_M, sigma = star[:, :, None]
    X, W = np.polynomial.legendre.leggauss(nodes)

    def one(c, M_high):
        length = M_high - M_low
        likeliest = jnp.clip(M, M_low, M_high)
        lo, hi = jnp.maximum(M_low, likeliest - _REACH * sigma_M), jnp.minimum(M_high, likeliest + _REACH * sigma_M)
        a, b = jnp.sqrt((M_high - hi) / length), jnp.sqrt((M_high - lo) / length)
        s = (a + b) / 2 + (b - a) / 2 * X
        weight = (b - a) * s * W  # ds times |dM/ds| / length
        d_M = (M - M_high + length * s**2) / sigma_M
        d_x = (x - _clenshaw(c, 2 * s - 1)) / sigma
        log_N = logsumexp(-0.5 * (d_M**2 + d_x**2), b=weight, axis=-1)
        return jnp.sum(jnp.where(there, log_N - _LN_2PI - jnp.log(sigma_M * sigma)[:, 0], 0.0))

    return jax.lax.map(lambda block: jax.vmap(one)(*block), (c, M_high))


def _clenshaw(c, t):
    """Sum of c_k T_k(t)."""
    b1, b2 = jnp.zeros_like(t), jnp.zeros_like(t)
    for k in range(c.shape[0] - 1, 0, -1):
        b1, b2 = 2 * t * b1 - b2 + c[k], b1
    return t * b1 - b2 + c[0]


# ---- two parameters ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Region:
    """Where the prior of L and K_sym lives: uniform, K_sym from an edge that depends on L up to a constant.

    L, K_low : (m,) arrays, the edge, linear between its knots [MeV]
    K_high : float [MeV]
    """

    L: np.ndarray
    K_low: np.ndarray
    K_high: float

    def edge(self, L):
        """Least K_sym at L [MeV]."""
        return np.interp(L, self.L, self.K_low)


def region(L=(30.6, 86.8), K_sym=(-400.0, 100.0), *, knots=65, **filters):
    """Region of the accepted metamodels, by bisection along L at the largest K_sym, then along K_sym at each L.

    What is accepted is taken to be an interval in L, and in K_sym at each L; :func:`grid` finds out where it is not.

    Parameters
    ----------
    L, K_sym : (low, high) [MeV]
    knots : int
    **filters : of :func:`nslib.datasets.curves`

    Returns
    -------
    Region

    Raises
    ------
    ValueError
        where the largest K_sym is not accepted at the largest L: the prior has another shape there
    """

    def accepted(L, K):
        return curves(np.stack([L, K, 0 * L, 0 * L], axis=1), **filters).status == int(Status.ACCEPTED)

    def bisect(test, low, high, steps):
        """Ends of (low, high), at which the test fails and holds, brought together."""
        for _ in range(steps):
            middle = (low + high) / 2
            low, high = np.where(test(middle), (low, middle), (middle, high))
        return high

    ones = np.ones(1)
    if not accepted(L[1] * ones, K_sym[1] * ones)[0]:
        raise ValueError(f"L = {L[1]}, K_sym = {K_sym[1]} MeV is not accepted, so the prior is not bounded by its ranges above")
    first = L[0] if accepted(L[0] * ones, K_sym[1] * ones)[0] else bisect(lambda x: accepted(x, K_sym[1] * ones), L[0] * ones, L[1] * ones, 30)[0]
    x = np.linspace(first, L[1], knots)
    K = bisect(lambda K: accepted(x, K), np.full(knots, float(K_sym[0])), np.full(knots, float(K_sym[1])), 24)
    return Region(x, K, float(K_sym[1]))


class SolvedGrid(NamedTuple):
    """Curves at the centres of n x n cells of a region: cells of equal width in L and, at each L, in K_sym."""

    region: Region
    members: object
    n: int


def grid(where, n=64, **filters):
    """Solve the stars of n x n metamodels in a :class:`Region`; ValueError if one is not accepted by the filters, or n is below 4."""
    whole(4, n=n)
    v = (np.arange(n) + 0.5) / n
    L = where.L[0] + (where.L[-1] - where.L[0]) * v
    K = where.edge(L)[:, None] + (where.K_high - where.edge(L))[:, None] * v
    L = np.repeat(L, n)
    made = curves(np.stack([L, K.ravel(), 0 * L, 0 * L], axis=1), **filters)
    if len(made) < n * n:
        raise ValueError(f"{n * n - len(made)} of {n * n} metamodels of the grid are not accepted; it takes the filters of its region")
    return SolvedGrid(where, made, n)


class Posterior2D(NamedTuple):
    """Exact posterior on a fine grid: L, K_sym (m,) [MeV] and their probabilities (m,)."""

    L: np.ndarray
    K_sym: np.ndarray
    probability: np.ndarray

    def E_sym(self, n):
        """Symmetry energy (m,) at the density n [fm^-3], J_sym = 0 [MeV]."""
        return np.asarray(metamodel.symmetry_energy(density(n), metamodel.Metamodel(self.L, self.K_sym)))


def posterior(on, log_L, refine=6):
    """Exact posterior of one set from its log-likelihoods on a :class:`SolvedGrid`, (n * n,).

    The logarithm is a smooth function, whose bicubic spline is taken on cells ``refine`` times finer, so that a posterior that
    is narrower than a cell of the grid is still summed well.
    """
    from scipy.interpolate import RectBivariateSpline

    whole(refine=refine)
    n, log_L = on.n, np.asarray(log_L, dtype=float)
    if log_L.size != n * n or not np.all(np.isfinite(log_L)):
        raise ValueError(f"log_L must hold {n * n} finite numbers, one for each member of the grid; got shape {log_L.shape}, {np.isfinite(log_L).sum()} finite")
    v, fine = (np.arange(n) + 0.5) / n, (np.arange(n * refine) + 0.5) / (n * refine)
    log_L = log_L.reshape(n, n)
    ln = RectBivariateSpline(v, v, log_L)(fine, fine)
    r = on.region
    L = r.L[0] + (r.L[-1] - r.L[0]) * fine
    height = r.K_high - r.edge(L)
    K = r.edge(L)[:, None] + height[:, None] * fine
    p = np.exp(ln - ln.max()) * height[:, None]
    return Posterior2D(np.repeat(L, len(fine)), K.ravel(), (p / p.sum()).ravel())


def quantile(x, probability, q):
    """Quantiles q in [0, 1] of values x (m,) with probabilities (m,) that need not sum to 1, linear between the values.

    ``numpy.quantile`` takes weights only for its step function.
    """
    x, p = np.asarray(x, dtype=float), np.asarray(probability, dtype=float)
    if x.ndim != 1 or x.shape != p.shape or not np.all(np.isfinite(x)) or not np.all(np.isfinite(p) & (p >= 0)) or not p.sum() > 0:
        raise ValueError(f"x and probability must be finite, of one shape (m,), and probability >= 0 with a sum above 0; got shapes {x.shape} and {p.shape}")
    if not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= 1)):
        raise ValueError(f"q must lie in [0, 1], got {q!r}")
    order = np.argsort(x)
    order = order[p[order] > 0]
    return np.interp(q, (np.cumsum(p[order]) - p[order] / 2) / p.sum(), x[order])
