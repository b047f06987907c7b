"""Several predictions of one mass made one, with and without the scatter between them."""

from typing import NamedTuple

import numpy as np


class Prediction(NamedTuple):
    """Means [MeV] and variances [MeV^2], arrays of one shape."""

    mean: np.ndarray
    variance: np.ndarray


def world_average(mean, variance):
    r"""Average weighted by the inverse variances, as if the models were independent measurements.

    .. math:: M = \sum_k \omega_k M_k, \qquad V = \sum_k \omega_k^2 V_k, \qquad
              \omega_k = \frac{V_k^{-1}}{\sum_k V_k^{-1}}

    R. Utama, J. Piekarewicz and H. B. Prosper, Phys. Rev. C 93 (2016) 014311, equation 17. V knows nothing of
    how far the models lie apart, and falls with each model added.

    Parameters
    ----------
    mean : (n_model, ...) array [MeV]
    variance : (n_model, ...) array, > 0 [MeV^2]

    Returns
    -------
    Prediction of shape (...)

    Raises
    ------
    ValueError
        shapes that differ, values that are not finite, variances not > 0
    """
    mean, variance = _checked(mean, variance, smallest=np.nextafter(0, 1))
    w = variance.min(axis=0) / variance  # no overflow of a reciprocal
    w = w / np.sum(w, axis=0)
    return Prediction(np.sum(w * mean, axis=0), np.sum(w**2 * variance, axis=0))


def mixture(mean, variance, weights=None):
    r"""One of the models is right, model k with probability w_k: mean and variance of that.

    .. math:: M = \sum_k w_k M_k, \qquad V = \sum_k w_k V_k + \sum_k w_k (M_k - M)^2

    The law of total variance; the second sum is the scatter between the models.

    Parameters
    ----------
    mean : (n_model, ...) array [MeV]
    variance : (n_model, ...) array, >= 0 [MeV^2]
    weights : (n_model,) array of sum 1, e.g. from :func:`stacking_weights`; equal by default

    Returns
    -------
    Prediction of shape (...)

    Raises
    ------
    ValueError
        shapes that differ, values that are not finite or negative, weights whose sum is not 1
    """
    mean, variance = _checked(mean, variance, smallest=0.0)
    w = np.full(len(mean), 1 / len(mean)) if weights is None else np.asarray(weights, dtype=float)
    if w.shape != mean.shape[:1] or not np.all(w >= 0) or not abs(w.sum() - 1) < 1e-9:
        raise ValueError(f"weights must be {len(mean)} numbers >= 0 of sum 1, got {weights}")
    M = np.tensordot(w, mean, 1)
    return Prediction(M, np.tensordot(w, variance + (mean - M) ** 2, 1))


def stacking_weights(log_score, tolerance=1e-6):
    r"""Weights that make the mixture of the models' predictive densities score best on given data.

    .. math:: w = \arg\max \sum_i \ln \sum_k w_k\, e^{s_{ki}}

    Y. Yao, A. Vehtari, D. Simpson and A. Gelman, Bayesian Anal. 13 (2018) 917. The scores must come from nuclei
    that the models have not learned from. The sum is concave; each step of expectation maximisation,
    :math:`w_k \leftarrow \langle w_k e^{s_{ki}} / \sum_j w_j e^{s_{ji}} \rangle_i`, raises it. It ends when no
    weight could raise the mean score by ``tolerance``.

    Parameters
    ----------
    log_score : (n_model, n) array, log of the predictive density of each datum [1]
    tolerance : float, of the mean score [1]

    Returns
    -------
    (n_model,) array, >= 0, of sum 1

    Raises
    ------
    ValueError
        scores that are not a finite (n_model, n) array with n > 0
    RuntimeError
        no end within 100,000 steps
    """
    s = np.asarray(log_score, dtype=float)
    if s.ndim != 2 or s.size == 0 or not np.all(np.isfinite(s)):
        raise ValueError(f"log_score must be a finite (n_model, n) array, got shape {s.shape}")
    likelihood = np.exp(s - s.max(axis=0))
    w = np.full(len(s), 1 / len(s))
    for _ in range(100_000):
        gain = np.mean(likelihood / (w @ likelihood), axis=1)  # the slope of the mean score by each weight
        if gain.max() - 1 < tolerance:
            return w
        w = w * gain
    raise RuntimeError(f"stacking weights have not converged: a gain of {gain.max() - 1:.2g} is left")


def _checked(mean, variance, smallest):
    mean, variance = np.asarray(mean, dtype=float), np.asarray(variance, dtype=float)
    if mean.ndim == 0 or mean.shape != variance.shape or len(mean) == 0:
        raise ValueError(
            f"mean and variance must be of one shape (n_model, ...), n_model >= 1, got {mean.shape}, {variance.shape}"
        )
    if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(variance)) and np.all(variance >= smallest)):
        raise ValueError("mean and variance must be finite for each model and nucleus, and variance positive")
    return mean, variance
