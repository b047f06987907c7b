"""Errors of a network as half-widths that cover, learnt on held-out members of its population."""

import numpy as np

#: probabilities for which half-widths are given
LEVELS = (0.68, 0.95)
#: least number of held-out members, and of members for each coefficient of the polynomial of second degree
LEAST, EACH = 100, 20


def features(t):
    """Polynomials of second degree of standardised inputs t (..., k): 1, t_i, t_i t_j; those of first degree stand first."""
    k = t.shape[-1]
    pairs = [t[..., i] * t[..., j] for i in range(k) for j in range(i + 1)]
    return np.stack([np.ones(t.shape[:-1]), *np.moveaxis(t, -1, 0), *pairs], axis=-1)


def fit(t, error, name="the quantity"):
    """What :func:`half_widths` needs, from absolute errors on held-out members.

    The logarithm of the error is fitted by a polynomial in the inputs: of second degree, or of first or zeroth degree
    where there are fewer than ``EACH`` members for a coefficient, since a polynomial that fits noise makes half-widths too
    wide. The factors that make them cover ``LEVELS`` are read off on each half of the members with the polynomial of the
    other half.

    Parameters
    ----------
    t : (n, k) array, standardised inputs
    error : (n,) array, absolute errors
    name : str, what has the errors, for messages

    Returns
    -------
    dict of "coefficients" and "factors" that JSON can hold

    Raises
    ------
    ValueError
        fewer than ``LEAST`` members, another number of inputs than of errors, errors that are not finite or below 0,
        half of them or more 0, inputs that are not finite
    """
    e = np.asarray(error, float)
    if len(e) != len(t):
        raise ValueError(f"there are {len(e)} errors of {name}, but {len(t)} inputs")
    if len(e) < LEAST or not np.all(np.isfinite(e)):
        raise ValueError(f"calibration needs at least {LEAST} finite errors of {name}, got {np.isfinite(e).sum()} of {len(e)}")
    if np.any(e < 0) or np.median(e) == 0:
        raise ValueError(f"errors of {name} must be >= 0 and more than half of them > 0; least {e.min():.3g}, median {np.median(e):.3g}")
    x, y = features(np.asarray(t)), np.log(e + 1e-3 * np.median(e))
    if not np.all(np.isfinite(x)):
        raise ValueError(f"{(~np.isfinite(x).all(axis=1)).sum()} of {len(x)} inputs for the errors of {name} are not finite")
    n_input = np.shape(t)[1]
    x = x[:, : next((n for n in (x.shape[1], n_input + 1) if n * EACH <= len(x)), 1)]
    halves = slice(None, None, 2), slice(1, None, 2)
    ratio = np.empty_like(e)
    for one, rest in (halves, halves[::-1]):
        ratio[rest] = e[rest] / np.exp(x[rest] @ np.linalg.lstsq(x[one], y[one], rcond=None)[0])
    c, ratio = np.linalg.lstsq(x, y, rcond=None)[0], np.sort(ratio)
    k = [min(len(ratio) - 1, int(np.ceil(level * (len(ratio) + 1))) - 1) for level in LEVELS]
    return {"coefficients": c.tolist(), "factors": ratio[k].tolist()}


def half_widths(t, fitted):
    """Half-widths (..., 2) at ``LEVELS`` for standardised inputs t (..., k)."""
    c = np.array(fitted["coefficients"])
    return np.exp(features(np.asarray(t))[..., : len(c)] @ c)[..., None] * np.array(fitted["factors"])
