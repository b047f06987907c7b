r"""Predictive distributions of mass residuals, and how they are judged.

A distribution is an equal mixture of normal or Student-t distributions a nucleus: one component a sample of the
posterior of a network, a single one for a Gaussian process.
"""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, ndtr, stdtr

#: probabilities of the central intervals whose coverage is counted
LEVELS = (0.68, 0.95)
#: magic numbers of protons and neutrons
MAGIC = np.array([8, 20, 28, 50, 82, 126, 184])


@dataclass(frozen=True)
class Prediction:
    r"""Mixture of k distributions for each of n nuclei, of equal weight.

    .. math:: p(y) = \frac{1}{k} \sum_s \frac{1}{\sigma_s}\,t_{\nu_s}\!\left(\frac{y - f_s}{\sigma_s}\right)

    Attributes
    ----------
    f : (k, n) array, centres; one row is one joint draw of all nuclei [MeV]
    sigma : (k, n) array, scales of the noise about them [MeV]
    nu : (k, 1) or (k, n) array above 2, degrees of freedom; None: normal distributions [1]
    """

    f: np.ndarray
    sigma: np.ndarray
    nu: np.ndarray | None = None

    def __post_init__(self):
        if np.ndim(self.f) != 2 or np.shape(self.f) != np.shape(self.sigma):
            raise ValueError(f"f and sigma must be of one shape (k, n), got {np.shape(self.f)} and {np.shape(self.sigma)}")
        if not (np.all(np.isfinite(self.f)) and np.all(np.isfinite(self.sigma)) and np.all(self.sigma > 0)):
            raise ValueError("f must be finite, sigma finite and above 0")
        if self.nu is not None and not np.all(self.nu > 2):
            raise ValueError(f"nu must be above 2, got {np.min(self.nu)}")

    @property
    def mean(self):
        """Predictive mean (n,) [MeV]."""
        return self.f.mean(axis=0)

    @property
    def sd_f(self):
        """Standard deviation (n,) of the centres alone, without noise [MeV]; zero where there is a single one."""
        return self.f.std(axis=0)

    @property
    def sd(self):
        """Standard deviation (n,) of the mixture, noise included [MeV]."""
        tail = 1.0 if self.nu is None else self.nu / (self.nu - 2)
        return np.sqrt(self.f.var(axis=0) + (tail * self.sigma**2).mean(axis=0))

    def log_density(self, y):
        """Logarithm of the density (n,) at y (n,) [MeV]: [ln 1/MeV]."""
        z = (self._observed(y) - self.f) / self.sigma
        if self.nu is None:
            log_p = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
        else:
            log_p = gammaln((self.nu + 1) / 2) - gammaln(self.nu / 2) - 0.5 * np.log(np.pi * self.nu)
            log_p = log_p - (self.nu + 1) / 2 * np.log1p(z**2 / self.nu)
        return logsumexp(log_p - np.log(self.sigma), axis=0) - np.log(len(self.f))

    def cdf(self, y):
        """Probability (n,) below y (n,) [MeV]."""
        z = (self._observed(y) - self.f) / self.sigma
        return (ndtr(z) if self.nu is None else stdtr(self.nu, z)).mean(axis=0)

    def quantile(self, p):
        """Value (n,) below which the residual is with probability p [MeV], by bisection to 1e-6 of the width.

        Parameters
        ----------
        p : float between 0 and 1, both excluded

        Raises
        ------
        ValueError
            another p
        """
        if not 0 < p < 1:
            raise ValueError(f"p must lie between 0 and 1, both excluded; got {p}")
        width = self.sd
        low, high = self.mean - width, self.mean + width
        for _ in range(200):
            under, over = self.cdf(low) > p, self.cdf(high) < p
            if not np.any(under | over):
                break
            low, high = np.where(under, 2 * low - high, low), np.where(over, 2 * high - low, high)
        else:
            raise ValueError(f"p = {p} lies too far out in the tails of this prediction")
        for _ in range(200):  # halving; the loop ends where the width or the spacing of floats is reached
            middle = (low + high) / 2
            if np.all((high - low <= 1e-6 * width) | (middle == low) | (middle == high)):
                break
            below = self.cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    def interval(self, level):
        """Ends (n,), (n,) of the central interval of probability ``level`` [MeV]."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)

    def measured(self, error):
        """The same for measurements with normal errors (n,) [MeV], which are added to the noise in quadrature.

        Raises
        ------
        ValueError
            errors of another shape, not finite or below 0
        """
        error, n = np.asarray(error, dtype=float), self.f.shape[1]
        if error.shape not in ((), (n,)) or not np.all(np.isfinite(error) & (error >= 0)):
            raise ValueError(f"error must be {n} finite numbers >= 0, got shape {error.shape}, least {error.min()}")
        return replace(self, sigma=np.hypot(self.sigma, error))

    def __getitem__(self, k):
        """Prediction of some of the nuclei: k is a slice, a mask, or an array of indices."""
        k = [k] if np.ndim(k) == 0 and not isinstance(k, slice) else k
        nu = self.nu if self.nu is None or self.nu.shape[1] == 1 else self.nu[:, k]
        return Prediction(self.f[:, k], self.sigma[:, k], nu)

    def _observed(self, y):
        y, n = np.asarray(y, dtype=float), self.f.shape[1]
        if y.shape != (n,) or not np.all(np.isfinite(y)):
            raise ValueError(f"y must be {n} finite residuals, one a nucleus predicted; got shape {y.shape}")
        return y


class Judgement(NamedTuple):
    """What a prediction is worth on n nuclei.

    n : int
    rms : float, root of the mean square of residual minus mean [MeV]
    log_score : float, mean of the log density at the residuals, higher is better [ln 1/MeV]
    coverage : share of the residuals in the central intervals of ``LEVELS``
    interval : exact 95 % binomial interval of each coverage
    """

    n: int
    rms: float
    log_score: float
    coverage: tuple
    interval: tuple

    @property
    def calibrated(self):
        """Whether each of ``LEVELS`` is within the binomial interval of its coverage."""
        return tuple(low <= level <= high for level, (low, high) in zip(LEVELS, self.interval))


def judge(prediction, y):
    """Judgement of a prediction by the residuals y (n,) [MeV] of its nuclei."""
    from scipy.stats import binomtest

    inside = [np.abs(2 * prediction.cdf(y) - 1) <= level for level in LEVELS]
    ends = [binomtest(int(k.sum()), k.size).proportion_ci(0.95, method="exact") for k in inside]
    return Judgement(
        n=len(y),
        rms=float(np.sqrt(np.mean((y - prediction.mean) ** 2))),
        log_score=float(prediction.log_density(y).mean()),
        coverage=tuple(float(k.mean()) for k in inside),
        interval=tuple((float(e.low), float(e.high)) for e in ends),
    )


class Recalibration(NamedTuple):
    """Width and tail that predictions of one kind need; :func:`recalibration` finds them.

    width : dict of region to the scale of the Student t in standard deviations of the prediction [1]
    nu : dict of region to its degrees of freedom [1]
    """

    width: dict
    nu: dict

    def __call__(self, prediction, region=0):
        """Prediction of the same mean: one Student t a nucleus, as wide as its region (n,) or a label needs.

        Raises
        ------
        ValueError
            a region that the recalibration does not know
        """
        region = np.broadcast_to(region, prediction.mean.shape).tolist()
        if unknown := set(region) - set(self.width):
            raise ValueError(f"region must be among {list(self.width)}, got {sorted(unknown)}")
        width, nu = (np.array([values[r] for r in region]) for values in self)
        return Prediction(prediction.mean[None], (width * prediction.sd)[None], nu[None])


def recalibration(prediction, y, region=0):
    r"""The Student t distributions about the mean that have the greatest log score on nuclei set aside.

    .. math:: p(y) = \frac{1}{w\,\mathrm{sd}}\,t_\nu\!\left(\frac{y - \mathrm{mean}}{w\,\mathrm{sd}}\right)

    Parameters
    ----------
    prediction : Prediction of the nuclei set aside
    y : (n,) array, their residuals [MeV]
    region : (n,) array of labels, each with w and nu of its own; or one label

    Returns
    -------
    Recalibration

    Raises
    ------
    ValueError
        a region of fewer than 10 nuclei, or no nuclei
    RuntimeError
        a region whose residuals are more than 20 times wider or narrower than predicted: wrong units, most likely
    """
    from scipy.optimize import minimize

    region, width, tail = np.broadcast_to(region, prediction.mean.shape), {}, {}
    if not len(prediction.mean):
        raise ValueError("prediction must hold nuclei, got none")
    for label in np.unique(region).tolist():
        k = region == label
        if k.sum() < 10:
            raise ValueError(f"region {label} has {k.sum()} nuclei; it needs at least 10")
        part, seen = prediction[k], prediction._observed(y)[k]

        def loss(q, part=part, seen=seen):
            t = Prediction(part.mean[None], np.exp(q[0]) * part.sd[None], 2 + np.exp(np.full((1, 1), q[1])))
            return -t.log_density(seen).mean()

        best = minimize(loss, (0.0, 1.0), method="L-BFGS-B", bounds=((-3, 3), (-3, 4)))
        if not best.success or abs(best.x[0]) > 2.99:
            raise RuntimeError(f"region {label}: no width between 1/20 and 20 times the predicted one fits; are units alike?")
        width[label], tail[label] = float(np.exp(best.x[0])), float(2 + np.exp(best.x[1]))
    return Recalibration(width, tail)


def split(n, n_learn, seed):
    """Indices of the learning and of the validation set, drawn at random without repetition.

    Parameters
    ----------
    n, n_learn : int, all nuclei, and those to learn from; 0 < n_learn < n
    seed : int
    """
    if isinstance(n_learn, bool) or not isinstance(n_learn, Integral) or not 0 < n_learn < n:
        raise ValueError(f"n_learn must lie between 1 and n - 1 = {n - 1}, got {n_learn}")
    k = np.random.default_rng(seed).permutation(n)
    return np.sort(k[:n_learn]), np.sort(k[n_learn:])


def nuclei(Z, N, **columns):
    """Z, N and further columns as float arrays (n,).

    Raises
    ------
    ValueError
        different lengths, no nucleus, Z or N negative or not whole, A = 0, a column that is not finite; the first
        nucleus at fault is named
    """
    arrays = {"Z": Z, "N": N, **columns}
    arrays = {name: np.atleast_1d(np.asarray(a, dtype=float)) for name, a in arrays.items()}
    Z, N = arrays["Z"], arrays["N"]
    if len({a.shape for a in arrays.values()}) != 1 or Z.ndim != 1 or Z.size == 0:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        raise ValueError(f"all columns must have one length, at least 1; got {shapes}")
    whole = {name: (arrays[name] >= 0) & (arrays[name] % 1 == 0) for name in ("Z", "N")} | {"A": Z + N > 0}
    good = whole | {name: np.isfinite(arrays[name]) for name in columns}
    for name, fine in good.items():
        if not np.all(fine):
            k = int(np.flatnonzero(~fine)[0])
            value, kind = (
                (arrays | {"A": Z + N})[name][k],
                "finite" if name in columns else "whole, 0 or more",
            )
            kind = "above 0" if name == "A" else kind
            raise ValueError(
                f"{name} must be {kind}; got {value} for nucleus {k}, Z = {Z[k]:g}, N = {N[k]:g}"
            )
    return tuple(arrays.values())


def scale(residual):
    """Standard deviation of residuals (n,), by which they are scaled.

    Raises
    ------
    ValueError
        residuals that are all equal, to rounding, or whose mean is more than 100 times their scatter
    """
    y_scale, offset = residual.std(), abs(residual.mean())
    if not 1e-12 * np.abs(residual).max() < y_scale < np.inf:
        raise ValueError(f"the residuals must differ; their standard deviation is {y_scale:.3g}")
    if offset > 100 * y_scale:
        raise ValueError(f"the residuals scatter by {y_scale:.3g} about a mean of {residual.mean():.3g}; subtract it first")
    return float(y_scale)


def whole(least=1, most=np.inf, **numbers):
    """ValueError for a number that is not whole, below ``least`` or above ``most``; its name is given."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or not least <= value <= most:
            upper = "" if most == np.inf else f", at most {most}"
            raise ValueError(f"{name} must be a whole number, at least {least}{upper}; got {value!r}")


def inputs(kind, Z, N):
    """What a network is told of a nucleus, not yet standardised.

    Parameters
    ----------
    kind : "ZA": Z and A; "shell": also Z mod 2, N mod 2 and the distances of Z and N from the nearest magic number
    Z, N : (n,) arrays [1]

    Returns
    -------
    (n, 2) or (n, 6) array
    """
    if kind not in ("ZA", "shell"):
        raise ValueError(f"inputs must be ZA or shell, got {kind!r}")
    columns = [Z, Z + N]
    if kind == "shell":
        columns += [Z % 2, N % 2, *(np.abs(np.subtract.outer(x, MAGIC)).min(axis=1) for x in (Z, N))]
    return np.stack(columns, axis=1)
