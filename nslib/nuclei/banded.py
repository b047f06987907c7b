"""Symmetric banded systems for many lanes at once."""

import jax
import jax.numpy as jnp

#: smallest size of a pivot, as in exact arithmetic none vanishes but at an eigenvalue
_FLOOR = 1e-12
#: rows that are written out one after the other, between two turns of a loop; n has to be a multiple
ROWS = 7


def factor(columns, rhs, band, one):
    """Factors L, d of A = L diag(d) L^T without pivoting, and z = (L diag(d))^-1 rhs.

    Parameters
    ----------
    columns : callable, k to the ``ROWS`` columns from i = ROWS k on, each the list of A[i, i], A[i + 1, i],
        ... A[i + band, i], arrays of shape lanes
    rhs : (n, lanes) array, n a multiple of ``ROWS``
    band : int, number of off-diagonals
    one : 1., as an argument of what is compiled. XLA computes a sum again for each that uses it, but not a
        quotient; so what is used more than once is divided by ``one``

    Returns
    -------
    rows : list of ``ROWS`` lists of the elements L of a column below the diagonal and z,
        (n / ROWS, lanes) arrays
    negative : (lanes,) int array, number of negative pivots, which is that of negative eigenvalues
    """
    zero = jnp.zeros(rhs.shape[1:])

    def turn(carry, k):
        past, negative = carry  # past[j - 1]: L, d and z of the column j before
        out = []
        for c, y in zip(columns(k), jax.lax.dynamic_slice_in_dim(rhs, ROWS * k, ROWS) / one):
            v = [L[j] * d for j, (L, d, _) in enumerate(past)]
            for m in range(band):
                c[m] = c[m] - sum(past[j][0][m + j] * v[j] for j in range(band - m))
            y = y - sum(z * a for (_, _, z), a in zip(past, v))
            d = jnp.where(jnp.abs(c[0]) > _FLOOR, c[0], _FLOOR) / one
            L = [a / d for a in c[1:]]
            past = [(L, d, y / d), *past[:-1]]
            negative = negative + (d < 0)
            out.append([*L, past[0][2]])
        return (past, negative), out

    past = [([zero] * band, zero, zero)] * band
    (_, negative), rows = jax.lax.scan(turn, (past, zero.astype(int)), jnp.arange(rhs.shape[0] // ROWS))
    return rows, negative


def solve(columns, rhs, band, one):
    """Solution x of A x = rhs, (n, lanes), and the number of negative pivots, as :func:`factor`."""
    rows, negative = factor(columns, rhs, band, one)

    def turn(past, rows):
        out = []
        for *L, z in reversed(rows):
            x = (z - sum(a * x for a, x in zip(L, past))) / one
            past = [x, *past[:-1]]
            out.append(x)
        return past, out[::-1]

    past = [jnp.zeros(rhs.shape[1:])] * band
    x = jax.lax.scan(turn, past, rows, reverse=True)[1]
    return jnp.stack(x, axis=1).reshape(rhs.shape), negative
