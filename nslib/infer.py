"""What observed stars and nuclei say of an equation of state: log-likelihoods.

Those of stars take a :class:`~nslib.stars.Family`, one or a batch, or the stable branches of it where there are several:
``(stars.family(eos), stars.family(eos, branch=1))``. That of nuclei takes binding energies and charge radii.
Each gives one number an equation of state, smooth in the stars or nuclei, so that :func:`jax.grad` runs through it.
Densities are normalised over what is observed: the difference of two log-likelihoods is the logarithm of a Bayes
factor.
"""

import math
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates
from jax.scipy.special import log_ndtr, logsumexp

from nslib.batches import in_blocks
from nslib.nuclei import Experiment, experiment
from nslib.stars import Status, lambda_tilde
from nslib.tables.observations import DEFAULT, Mass, MassRadius, Samples, Tides, observation

#: least mass of the pulsars that are observed, unless given [Msun]
M_LOW = 1.0
#: standard deviations that the integral over masses reaches to
_REACH = 6.0


def _legendre(n):
    """Nodes and weights of Gauss and Legendre on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(n)
    return (1 + x) / 2, w / 2


_T, _DT = _legendre(16)  # masses to one side of the most probable
_U, _DU = _legendre(128)  # masses of a density on a grid
_S, _DS = _legendre(8)  # mass ratios


def split_normal_logpdf(x, value, minus, plus):
    r"""Logarithm of the density of the split normal distribution.

    .. math::
        \mathcal{N}(x) = \sqrt{\frac{2}{\pi}}\,\frac{1}{\sigma_- + \sigma_+}\,e^{-(x - \mu)^2 / 2\sigma^2}, \qquad
        \sigma = \sigma_- \text{ below } \mu, \quad \sigma_+ \text{ above}

    K. F. Wallis, Stat. Sci. 29 (2014) 106. Its mode is mu, its 68.3 % interval of highest density
    [mu - sigma_minus, mu + sigma_plus]; it is continuous, and so is its first derivative.

    Parameters
    ----------
    x : array
    value, minus, plus : floats or arrays, mu, sigma_minus, sigma_plus in the unit of x; errors above 0

    Returns
    -------
    array [ln 1/unit of x]
    """
    sigma = jnp.where(x < value, minus, plus)
    return 0.5 * math.log(2 / math.pi) - jnp.log(minus + plus) - 0.5 * ((x - value) / sigma) ** 2


def mass_radius(family, seen, M_low=M_LOW):
    r"""Log-likelihood of the mass and radius of one pulsar.

    .. math::
        \ln \int_{M_\mathrm{low}}^{M_\mathrm{max}} \frac{dM}{M_\mathrm{max} - M_\mathrm{low}}\,
        \mathcal{N}(M)\,\mathcal{N}(R(M))

    with the split normal densities of the two summary values. Their correlation is set to zero, since the summaries
    do not state it. The published posterior stands for the likelihood, as if its prior had been flat in M and R; a
    radio mass that went into it must not be multiplied on top. R(M) is that of a star at rest. The integral is a sum
    of Gauss and Legendre on either side of the most probable mass, out to 6 standard deviations, good to 1e-5. Of
    several stable branches each star counts alike: integrals and lengths of mass of all branches are summed.

    Parameters
    ----------
    family : Family, one or a batch; or a tuple of the stable branches, the lightest first. Where there is no such
        branch its status says so
    seen : MassRadius, or its name in :mod:`nslib.tables.observations`
    M_low : float, least mass of pulsars [Msun]

    Returns
    -------
    scalar, or (n_eos,) array [ln 1/(Msun km)]: -inf where M_max <= M_low. In a batch or under a JAX transformation
    also -inf where there is no family, and NaN where the family begins above M_low.

    Raises
    ------
    ValueError
        one family that is not solved or begins above M_low; an observation of another kind, or with an error that
        is not above 0
    """
    seen = _seen(seen, MassRadius)
    _positive(
        M_low=M_low, mass=seen.mass.value, radius=seen.radius.value, errors=seen.mass[1:] + seen.radius[1:]
    )
    _require(family, M_low)
    return _each(_mass_radius, family, M_low, *seen.mass, *seen.radius)


def mass_radius_samples(family, seen, M_low=M_LOW):
    r"""Log-likelihood of the mass and radius of one pulsar, of which samples are at hand.

    .. math::
        \ln \int_{M_\mathrm{low}}^{M_\mathrm{max}} \frac{dM}{M_\mathrm{max} - M_\mathrm{low}}\,K(M, R(M))

    with the density K of the samples, linear between the nodes of its grid and zero outside, their correlation included.
    As in :func:`mass_radius` the posterior stands for the likelihood.

    Parameters
    ----------
    family : as in :func:`mass_radius`
    seen : Samples, from :func:`nslib.tables.observations.read_samples`
    M_low : float, least mass of pulsars [Msun]

    Returns
    -------
    scalar, or (n_eos,) array [ln 1/(Msun km)]: -inf where no star lies on the grid; else as in :func:`mass_radius`

    Raises
    ------
    ValueError
        one family that is not solved or begins above M_low; an observation of another kind, or one that is no density
    """
    if type(seen) is not Samples:
        raise ValueError(f"seen must be Samples, got {seen!r}")
    steps = [np.diff(np.asarray(a, dtype=float)) for a in (seen.mass, seen.radius)]
    even = all(np.ndim(d) == 1 and len(d) and np.all(d > 0) and np.allclose(d, d[0], rtol=1e-6) for d in steps)
    K = np.asarray(seen.density, dtype=float)
    if not even or K.shape != tuple(len(d) + 1 for d in steps) or not np.all(K >= 0) or abs(K.sum() * steps[0][0] * steps[1][0] - 1) > 1e-6:
        raise ValueError(f"seen must hold a density >= 0 of integral 1 on nodes that rise in equal steps, as read_samples makes it; that of {seen.name!r} is none")
    _positive(M_low=M_low)
    _require(family, M_low)
    return _each(_mass_radius_samples, family, M_low, seen.mass, seen.radius, seen.density)


def maximum_mass(family, seen, M_low=M_LOW):
    r"""Log-likelihood of the mass of one pulsar by radio timing: the family must reach it.

    .. math::
        \ln \frac{\Phi((M_\mathrm{max} - \mu)/\sigma) - \Phi((M_\mathrm{low} - \mu)/\sigma)}
        {M_\mathrm{max} - M_\mathrm{low}}

    with the normal distribution function Phi: the mass is uniform on [M_low, M_max], as in P. Landry, R. Essick and
    K. Chatziioannou, Phys. Rev. D 101 (2020) 123007.

    Parameters
    ----------
    family : as in :func:`mass_radius`
    seen : Mass, or its name in :mod:`nslib.tables.observations`
    M_low : float, least mass of pulsars [Msun]

    Returns
    -------
    scalar, or (n_eos,) array [ln 1/Msun]: -inf where M_max <= M_low. In a batch or under a JAX transformation also
    -inf where there is no family.

    Raises
    ------
    ValueError
        one family that is not solved; an observation of another kind, or with an error that is not above 0
    """
    seen = _seen(seen, Mass)
    _positive(M_low=M_low, mass=seen.mass, error=seen.error)
    _require(family)
    return _each(_maximum_mass, family, M_low, seen.mass, seen.error)


def gravitational_wave(family, seen):
    r"""Log-likelihood of the tides of one binary.

    .. math::
        \ln \int_{q_\mathrm{min}}^{q_\mathrm{max}} \frac{dq}{q_\mathrm{max} - q_\mathrm{min}}\,
        \mathcal{N}(\tilde\Lambda(q)), \qquad M_1 = \mathcal{M}\,\frac{(1 + q)^{1/5}}{q^{3/5}}, \quad M_2 = q M_1

    with the split normal density of the observed Lambda-tilde. The chirp mass is fixed, since its error of 1e-3
    changes Lambda-tilde by less than 1 %; q is uniform within its observed range. A companion above M_max is a black
    hole and has Lambda = 0, so that the likelihood has a small step where M_max passes a node of the sum over q. A
    companion for which several branches have a star is on either with equal probability; one in a gap between branches
    is no star at all.

    Parameters
    ----------
    family : as in :func:`mass_radius`
    seen : Tides, or its name in :mod:`nslib.tables.observations`

    Returns
    -------
    scalar, or (n_eos,) array [1]. In a batch or under a JAX transformation -inf where there is no family, and NaN
    where the family begins above the lighter companion.

    Raises
    ------
    ValueError
        one family that is not solved or begins above the lighter companion; an observation of another kind, with
        an error or a chirp mass that is not above 0, or a range of q that is not within (0, 1]
    """
    seen = _seen(seen, Tides)
    _positive(chirp_mass=seen.chirp_mass, q_min=seen.q_min, errors=seen.lambda_tilde[1:])
    if not seen.q_min <= seen.q_max <= 1:
        raise ValueError(f"{seen.name}: q_min <= q_max <= 1 must hold, got {seen.q_min!r} and {seen.q_max!r}")
    _require(family, _companions(seen.chirp_mass, seen.q_min)[1])
    return _each(_gravitational_wave, family, 0.0, *seen[2:5], *seen.lambda_tilde)


_LIKELIHOODS = {MassRadius: mass_radius, Samples: mass_radius_samples, Mass: maximum_mass, Tides: gravitational_wave}


def log_likelihoods(family, observations=DEFAULT, M_low=M_LOW):
    """Log-likelihood of each of several observations.

    Parameters
    ----------
    family : as in :func:`mass_radius`
    observations : sequence of names in :mod:`nslib.tables.observations`, or of observations; one of each star
    M_low : float, least mass of pulsars [Msun]

    Returns
    -------
    dict of the name of each observation to a scalar or an (n_eos,) array

    Raises
    ------
    ValueError
        no observation, or two of one star (a mass by radio timing is part of the mass and radius of that pulsar,
        two analyses are of the same photons) or name; and as the function of each observation
    """
    every = [observation(o) if isinstance(o, str) else o for o in observations]
    if not every:
        raise ValueError("observations must hold at least one observation, got none")
    for seen in every:
        if type(seen) not in _LIKELIHOODS:
            raise ValueError(f"observations must be names, or MassRadius, Samples, Mass or Tides; got {seen!r}")
    for seen in every:
        same = [o.name for o in every if o.star == seen.star or o.name == seen.name]
        if len(same) > 1:
            raise ValueError(f"observations must be of different stars and names, got {' and '.join(same)}")
    given = {MassRadius: (M_low,), Samples: (M_low,), Mass: (M_low,), Tides: ()}
    return {seen.name: _LIKELIHOODS[type(seen)](family, seen, *given[type(seen)]) for seen in every}


def log_likelihood(family, observations=DEFAULT, M_low=M_LOW):
    """Sum of :func:`log_likelihoods`: the observations are independent of each other."""
    return sum(log_likelihoods(family, observations, M_low).values())


def finite_nuclei(B, r_ch, seen, relative=0.02, *, radii=True):
    r"""Log-likelihood of the binding energies and charge radii of nuclei.

    .. math::
        -\frac12 \sum_i \left[\ln 2\pi\sigma_i^2 + \frac{(\mu_i - y_i)^2}{\sigma_i^2}\right], \qquad
        \sigma_i = 0.02\,\mu_i

    over the measured B and r_ch, mu_i, and those of the model, y_i; 0.02 stands for ``relative``. It is equation 8
    of A. Venneti et al., arXiv:2504.03333. The errors are those allowed to the model; those of the measurements are
    far smaller and do not count, also where B is an estimate of the mass evaluation (``seen.estimated``).

    Parameters
    ----------
    B : (..., k) array, binding energies of k nuclei [MeV], NaN where not solved
    r_ch : (..., k) array, charge radii [fm], NaN where not solved; may be None without ``radii``
    seen : Experiment, or the names of the k nuclei in ``nslib.nuclei.NUCLEI``
    relative : float, standard deviations as a part of what is measured
    radii : bool, count charge radii too; False: binding energies only

    Returns
    -------
    scalar, or (...) array [ln 1/(MeV fm)^k, ln 1/MeV^k without radii]: -inf where a nucleus was not solved

    Raises
    ------
    ValueError
        shapes that do not fit; ``relative`` or a binding energy measured that is not finite and above 0; a nucleus
        without a measured charge radius, if they count; a nucleus that is not in ``NUCLEI``
    """
    seen = seen if isinstance(seen, Experiment) else experiment(seen)
    k = len(seen.nuclei)
    _positive(relative=relative, B=seen.B)
    if np.ndim(relative):
        raise ValueError(f"relative must be one number, got {relative!r}")
    if radii and r_ch is None:
        raise ValueError("r_ch must be given, unless radii=False")
    given = {"B": B, "r_ch": r_ch} if radii else {"B": B}
    given = {name: jnp.asarray(a, dtype=float) for name, a in given.items()}
    for name, a in given.items():
        if not a.ndim or a.shape[-1] != k or a.shape != given["B"].shape:
            raise ValueError(f"{name} must have shape (..., {k}), the same as B, got {a.shape}")
    unknown = [one for one, r in zip(seen.nuclei, seen.r_ch) if not (np.isfinite(r) and r > 0)]
    if radii and unknown:
        raise ValueError(f"no charge radius has been measured of {', '.join(unknown)}; give radii=False")
    mu = np.concatenate([getattr(seen, name) for name in given])
    return _finite_nuclei(list(given.values()), mu, relative * mu)


# ---- what is given ---------------------------------------------------------------------------------------------


def _seen(seen, kind):
    """The observation, by its name if it is text; ValueError if it is not of this kind."""
    seen = observation(seen) if isinstance(seen, str) else seen
    if type(seen) is not kind:
        raise ValueError(f"seen must be {kind.__name__} or the name of one, got {seen!r}")
    return seen


def _positive(**given):
    """ValueError for a number, or one of several, that is not finite and above 0."""
    for name, value in given.items():
        numbers = np.asarray(value, dtype=float)
        if not np.all(np.isfinite(numbers) & (numbers > 0)):
            raise ValueError(f"{name} must be finite and above 0, got {value!r}")


def _branches(family):
    """The stable branches as a tuple."""
    return tuple(family) if isinstance(family, (tuple, list)) else (family,)


def _require(family, least=None):
    """ValueError for one family, not under a transformation, that is not solved or begins above the mass ``least``."""
    branches = _branches(family)
    if not branches or len({f.mass.shape[:-1] for f in branches}) > 1:
        raise ValueError(f"family must be one Family or branches of one batch, got {len(branches)} of unlike batches")
    if branches[0].mass.ndim > 1 or any(isinstance(a, jax.core.Tracer) for a in jax.tree.leaves(branches)):
        return
    for f in branches:
        status = Status(int(f.status))
        if not status.solved:
            raise ValueError(f"family has no stars: {status.sentence}")
    if least is not None and not least >= branches[0].mass[0]:
        raise ValueError(f"family begins at {branches[0].mass[0]:.4f} Msun, above {least:.4f}; lower its p_min")


# ---- one family ------------------------------------------------------------------------------------------------


def _each(function, family, M_low, *numbers):
    """function(branches, exists, M_low, *numbers) of one family or of each of a batch; numbers may be arrays."""
    branches = _branches(family)
    single = branches[0].mass.ndim == 1
    batch = jax.tree.map(lambda a: jnp.asarray(a)[None], branches) if single else branches
    numbers = tuple(jnp.asarray(a, dtype=float) for a in (M_low, *numbers))
    out = in_blocks(lambda *branches: _guarded(function, branches, numbers), *batch)
    return out[0] if single else out


@partial(jax.jit, static_argnums=0)
def _guarded(function, branches, numbers):
    """function(branches, exists, *numbers) of each member; -inf, without derivative, where no star is above M_low.

    In place of a branch that does not exist the function is given a stand-in, so that no NaN comes back through its
    derivative.
    """
    M_low = numbers[0]

    def one(branches):
        exists = [(f.status < int(Status.NOT_FINITE)) & (f.M_max > M_low) for f in branches]
        exists[1:] = [e & (f.M_max > f.mass[0] * (1 + 1e-6)) for e, f in zip(exists[1:], branches[1:])]  # some length
        u = jnp.linspace(0.0, 1.0, branches[0].mass.shape[0])
        stand_in = 10 * 10**u, jnp.maximum(M_low, 0.5) * (1 + 3 * u), 12 - u, 1e4 * 1e-3**u
        names = "p_c", "mass", "radius", "tidal"
        safe = []
        for f, e in zip(branches, exists):
            columns = {k: jnp.where(e, getattr(f, k), a) for k, a in zip(names, stand_in)}
            safe.append(replace(f, **columns))
        some = jnp.any(jnp.stack(exists))
        counted = [e | ~some if k == 0 else e for k, e in enumerate(exists)]
        return jnp.where(some, function(safe, counted, *numbers), -jnp.inf)

    return jax.vmap(one)(branches)


def _least(k, f, M_low):
    """Least mass of branch k [Msun]; the first one, if it begins above M_low, is NaN there and not cut."""
    return M_low if k == 0 else jnp.maximum(M_low, f.mass[0] * (1 + 1e-9))


def _over_branches(log_part, branches, exists, M_low):
    """ln of the sum over the branches of exp(log_part(f, least mass)), over the sum of their lengths of mass."""
    least = [_least(k, f, M_low) for k, f in enumerate(branches)]
    parts = jnp.stack([jnp.where(e, log_part(f, lo), -jnp.inf) for f, e, lo in zip(branches, exists, least)])
    length = sum(jnp.where(e, f.M_max - lo, 0.0) for f, e, lo in zip(branches, exists, least))
    return (parts[0] if len(branches) == 1 else logsumexp(parts)) - jnp.log(length)


def _mass_radius(branches, exists, M_low, M, M_minus, M_plus, R, R_minus, R_plus):
    def log_part(f, M_low):
        likeliest = jnp.clip(M, M_low, f.M_max)
        lo = jnp.maximum(M_low, likeliest - _REACH * M_minus)
        hi = jnp.minimum(f.M_max, likeliest + _REACH * M_plus)
        # over s = (M_max - M)^1/2, in which R is smooth up to M_max; the inner ends cancel and need no derivative
        inner = jax.lax.stop_gradient(f.M_max - jnp.stack([likeliest, hi]))
        s = jnp.append(jnp.sqrt(f.M_max - lo), jnp.sqrt(inner))
        ds = (s[:-1] - s[1:])[:, None]
        s_k = s[1:, None] + ds * _T
        M_k, dM = f.M_max - s_k.ravel() ** 2, (2 * s_k * ds * _DT).ravel()
        log_N_M = split_normal_logpdf(M_k, M, M_minus, M_plus)
        log_N_R = split_normal_logpdf(f.R(M_k), R, R_minus, R_plus)
        return logsumexp(log_N_M + log_N_R, b=dM)

    return _over_branches(log_part, branches, exists, M_low)


def _mass_radius_samples(branches, exists, M_low, M_grid, R_grid, K):
    def log_part(f, M_low):
        lo, hi = jnp.maximum(M_low, M_grid[0]), jnp.minimum(f.M_max, M_grid[-1])
        inner = jax.lax.stop_gradient(f.M_max - hi)  # as in _mass_radius
        s_hi, s_lo = jnp.sqrt(inner), jnp.sqrt(jnp.maximum(f.M_max - lo, inner + 1e-12))
        s = s_hi + (s_lo - s_hi) * _U
        M, dM = f.M_max - s**2, 2 * s * (s_lo - s_hi) * _DU
        R = f.R(M)
        place = [(x - a[0]) / (a[1] - a[0]) for x, a in ((M, M_grid), (R, R_grid))]
        at = jnp.where(jnp.isnan(R), jnp.nan, map_coordinates(K, place, order=1, mode="constant"))
        total = jnp.sum(jnp.where(hi > lo, at * dM, 0.0))
        return jnp.where(total <= 0, -jnp.inf, jnp.log(jnp.where(total <= 0, 1.0, total)))

    return _over_branches(log_part, branches, exists, M_low)


def _maximum_mass(branches, exists, M_low, mu, sigma):
    def log_part(f, M_low):
        a, b = (M_low - mu) / sigma, (f.M_max - mu) / sigma
        a, b = jnp.where(a > 0, -b, a), jnp.where(a > 0, -a, b)  # as probable, where Phi does not round to 1
        return log_ndtr(b) + jnp.log1p(-jnp.exp(log_ndtr(a) - log_ndtr(b)))

    return _over_branches(log_part, branches, exists, M_low)


def _companions(chirp_mass, q):
    """Masses of the heavier and the lighter companion [Msun]."""
    M_1 = chirp_mass * (1 + q) ** 0.2 / q**0.6
    return M_1, q * M_1


def _gravitational_wave(branches, exists, _, chirp_mass, q_min, q_max, value, minus, plus):
    M = jnp.stack(_companions(chirp_mass, q_min + (q_max - q_min) * _S))
    M_max = jnp.max(jnp.stack([jnp.where(e, f.M_max, 0.0) for f, e in zip(branches, exists)]))
    Lambda, there = [jnp.zeros_like(M)], [M > M_max]  # a black hole
    for k, (f, e) in enumerate(zip(branches, exists)):
        star = e & (M <= f.M_max) & ((M > f.mass[0] * (1 + 1e-9)) | (k == 0))
        inside = jax.lax.stop_gradient(f.mass[f.mass.shape[0] // 2])
        Lambda.append(jnp.where(star, f.Lambda(jnp.where(star, M, inside).ravel()).reshape(M.shape), 0.0))
        there.append(star)
    Lambda, there = jnp.stack(Lambda, axis=1), jnp.stack(there, axis=1)  # (companion, kind, q)
    share = there / jnp.maximum(jnp.sum(there, axis=1, keepdims=True), 1)
    (L_1, w_1), (L_2, w_2) = (Lambda[0][:, None], share[0][:, None]), (Lambda[1][None], share[1][None])
    log_N = split_normal_logpdf(lambda_tilde(*M, L_1, L_2), value, minus, plus)
    return logsumexp(log_N, b=w_1 * w_2 * _DS)


# ---- nuclei ----------------------------------------------------------------------------------------------------


@jax.jit
def _finite_nuclei(given, mu, sigma):
    y = jnp.concatenate(given, axis=-1)
    solved = jnp.all(jnp.isfinite(y), axis=-1)
    y = jnp.where(solved[..., None], y, mu)  # so that no NaN comes back through the derivative
    each = jnp.log(2 * jnp.pi * sigma**2) + ((mu - y) / sigma) ** 2
    return jnp.where(solved, -0.5 * jnp.sum(each, axis=-1), -jnp.inf)
