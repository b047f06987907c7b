"""Monotone cubic interpolation (PCHIP) in JAX: batched, differentiable, aware of jumps.

F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300, the scheme of SciPy's
``PchipInterpolator``; where an abscissa is repeated, the slope on each side is one-sided.
"""

import jax.numpy as jnp


def pchip_slopes(x, y):
    r"""Slopes dy/dx of the monotone cubic interpolant at its knots.

    Inside, the weighted harmonic mean of the neighbouring secants; at either end, and on both sides
    of a repeated abscissa, the three-point formula limited so that the cubic stays monotone.

    Parameters
    ----------
    x : (..., n) array, non-decreasing; two equal neighbours mark a jump
    y : (..., n) array

    Returns
    -------
    (..., n) array
    """
    step = jnp.diff(x, axis=-1)
    real = step > 0
    step = jnp.where(real, step, 1.0)
    secant = jnp.where(real, jnp.diff(y, axis=-1) / step, 0.0)

    def pad(a, fill):  # the interval to the left and to the right of each knot
        edge = jnp.full_like(a[..., :1], fill)
        return jnp.concatenate([edge, a], axis=-1), jnp.concatenate([a, edge], axis=-1)

    h_l, h_r = pad(step, 1.0)
    d_l, d_r = pad(secant, 0.0)
    ok_l, ok_r = pad(real, False)
    w_l, w_r = 2 * h_r + h_l, h_r + 2 * h_l
    same = d_l * d_r > 0
    safe_l, safe_r = jnp.where(same, d_l, 1.0), jnp.where(same, d_r, 1.0)
    inner = jnp.where(same, (w_l + w_r) / (w_l / safe_l + w_r / safe_r), 0.0)

    def shift(a, k, fill):
        out = jnp.roll(a, k, axis=-1)
        return out.at[..., 0 if k > 0 else -1].set(fill)

    left_end = _end_slope(h_r, d_r, shift(h_r, -1, 1.0), shift(d_r, -1, 0.0), shift(ok_r, -1, False))
    right_end = _end_slope(h_l, d_l, shift(h_l, 1, 1.0), shift(d_l, 1, 0.0), shift(ok_l, 1, False))
    return jnp.where(ok_l & ok_r, inner, jnp.where(ok_r, left_end, jnp.where(ok_l, right_end, 0.0)))


def _end_slope(h0, d0, h1, d1, has_second):
    """Slope at an end from the nearest interval (h0, d0) and the next one (h1, d1)."""
    d = jnp.where(has_second, ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1), d0)
    d = jnp.where(d * d0 <= 0, 0.0, d)
    return jnp.where((d0 * d1 < 0) & (jnp.abs(d) > 3 * jnp.abs(d0)) & has_second, 3 * d0, d)


def hermite(t, h, y0, y1, d0, d1):
    """Value of the cubic with end values y0, y1 and end slopes d0, d1 at the fraction t of a cell of width h."""
    a = h * d0 - (y1 - y0)
    b = (y1 - y0) - h * d1
    return y0 + t * (y1 - y0 + (1 - t) * ((1 - t) * a + t * b))


def hermite_slope(t, h, y0, y1, d0, d1):
    """Slope dy/dx of :func:`hermite`."""
    secant = (y1 - y0) / h
    return (1 - t) * (1 - 3 * t) * d0 + t * (3 * t - 2) * d1 + 6 * t * (1 - t) * secant


def pchip(x, xp, fp, slopes=None):
    """Monotone cubic through (xp, fp) at the points x; NaN outside [xp[0], xp[-1]].

    Parameters
    ----------
    x : (m,) array
    xp, fp : (n,) arrays, xp increasing
    slopes : (n,) array, optional: those of :func:`pchip_slopes` when at hand

    Returns
    -------
    (m,) array
    """
    xp, fp = jnp.asarray(xp), jnp.asarray(fp)
    d = pchip_slopes(xp, fp) if slopes is None else slopes
    i = jnp.clip(jnp.searchsorted(xp, x, side="right") - 1, 0, xp.shape[-1] - 2)
    h = xp[i + 1] - xp[i]
    h = jnp.where(h > 0, h, 1.0)
    y = hermite((x - xp[i]) / h, h, fp[i], fp[i + 1], d[i], d[i + 1])
    return jnp.where((x >= xp[0]) & (x <= xp[-1]), y, jnp.nan)
