"""Levels of nucleons in given fields, all nuclei and sets at once. Arrays and equations as in ``fields``."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.nuclei.banded import ROWS, factor, solve
from nslib.nuclei.grid import BAND, HALF, derivative, lower, products
from nslib.nuclei.levels import empty

#: levels that are solved side by side: of so many, all sets fit in the cache of a processor
LANES = 8
#: how far the shift of a level goes when it was not found [fm^-1]; bound levels of a kappa lie further apart
_STEP = 0.02


class Levels(NamedTuple):
    """Tables of all levels: protons of the first nucleus, its neutrons, and so on."""

    products: list  # d: (n, 8 - d, level)
    lower: jax.Array  # (n + 4, 8, level)
    occupation: jax.Array  # (level,)
    radial: jax.Array  # (level,)
    one: jax.Array  # 1., for ``banded.solve``


def padded(levels):
    """The levels, with copies of the last to make whole blocks of ``LANES``."""
    return list(levels) + [levels[-1]] * (-len(levels) % LANES)


def numbers(nuclei):
    """Number of levels of protons and of neutrons of each nucleus, copies of the last counted."""
    out = [len(v) for one in nuclei for v in (one.protons, one.neutrons)]
    return (*out[:-1], out[-1] - sum(out) % -LANES)


def _tables(grid, levels, occupation):
    D = {v.kappa: derivative(grid, v.kappa, v.l) for v in levels}
    pair = {kappa: products(grid, d) for kappa, d in D.items()}
    low = {kappa: lower(grid, d) for kappa, d in D.items()}
    return Levels(
        [jnp.asarray(np.stack([pair[v.kappa][d] for v in levels], -1)) for d in range(BAND + 1)],
        jnp.asarray(np.stack([low[v.kappa] for v in levels], -1)),
        jnp.array(occupation, float),
        jnp.array([v.radial for v in levels]),
        jnp.array(1.0),
    )


def tables(grid, nuclei):
    """Levels that are filled, and, four for each kind, those that should lie above them."""
    filled = [v for one in nuclei for v in one.protons + one.neutrons]
    copies = padded(filled)
    occupation = [v.occupation for v in filled] + [0] * (len(copies) - len(filled))
    above = [v for one in nuclei for kind in (one.protons, one.neutrons) for v in empty(kind)]
    return _tables(grid, copies, occupation), _tables(grid, above, [0] * len(above))


def windows(a, n):
    """The 8 neighbouring rows of each of n rows of a padded array."""
    return [a[m : m + n] for m in range(2 * HALF)]


def _blocks(a, axis):
    """The axis of levels in blocks of ``LANES``, the blocks first."""
    return jnp.moveaxis(a.reshape(*a.shape[:axis], -1, LANES, *a.shape[axis + 1 :]), axis, 0)


def _whole(a, axis):
    """The reverse."""
    return jnp.moveaxis(a, 0, axis).reshape(*a.shape[1 : axis + 1], -1, *a.shape[axis + 2 :])


def _in_blocks(function, U, rest, eps, levels, *more):
    """function(U, rest, eps, levels, *more) in blocks of levels, one after the other."""
    split = Levels(
        [_blocks(a, 2) for a in levels.products],
        _blocks(levels.lower, 2),
        _blocks(levels.occupation, 0),
        _blocks(levels.radial, 0),
        jnp.broadcast_to(levels.one, (len(levels.radial) // LANES,)),
    )
    arguments = _blocks(U, 1), _blocks(rest, 1), _blocks(eps, 0), split, *(_blocks(a, 1) for a in more)
    return jax.lax.map(lambda a: function(*a), arguments)


def _operator(U, rest, eps, levels):
    """D^T B^-1 D + U - eps for ``banded``, and B^-1."""
    inverse = 1 / (rest + eps)
    beyond = jnp.concatenate([jnp.zeros((HALF - 1, *eps.shape)), inverse])
    shifted = U - eps

    def columns(k):
        cut = lambda a, n: jax.lax.dynamic_slice_in_dim(a, ROWS * k, n) / levels.one
        near, diagonal = cut(beyond, ROWS + BAND), cut(shifted, ROWS)
        pairs = [cut(a, ROWS) for a in levels.products]
        out = []
        for i in range(ROWS):
            c = [
                sum(pair[i, k][:, None] * near[i + d + k] for k in range(2 * HALF - d))
                for d, pair in enumerate(pairs)
            ]
            out.append([c[0] + diagonal[i], *c[1:]])
        return out

    return columns, inverse


def misplaced(U, rest, eps, levels):
    """(level, set) bool, whether the levels, of which only those above are empty, lie below eps."""

    def block(U, rest, eps, levels):
        columns, _ = _operator(U, rest, eps, levels)
        return factor(columns, jnp.zeros_like(U), BAND, levels.one)[1] > levels.radial[:, None]

    return _whole(_in_blocks(block, U, rest, eps, levels), 0)


def dirac(U, rest, G, eps, levels, grid):
    """One step of Rayleigh-quotient iteration of every level.

    Parameters
    ----------
    U, rest : (n, level, set), (n + 4, level, set) arrays, from :func:`potentials`
    G, eps : (n, level, set), (level, set) arrays, the levels before
    levels : Levels

    Returns
    -------
    G, F, eps : the levels after, int (G^2 + F^2) dr = 1; F at r_k
    found : (level, set) bool, whether they belong to their radial quantum number
    """
    block = lambda U, rest, eps, levels, G: _dirac_block(U, rest, eps, levels, G, grid)
    G, F, eps, found = _in_blocks(block, U, rest, eps, levels, G)
    return _whole(G, 1), _whole(F, 1), _whole(eps, 0), _whole(found, 0)


def _dirac_block(U, rest, eps, levels, G, grid):
    columns, inverse = _operator(U, rest, eps, levels)
    x, below = solve(columns, G, BAND, levels.one)
    outside = jnp.zeros((HALF, *eps.shape))
    near = windows(jnp.concatenate([outside, x, outside, outside[:-1]]), grid.n + HALF)
    F = inverse * sum(levels.lower[:, k, :, None] * a for k, a in enumerate(near))
    norm = jnp.sum(x * x, axis=0) + jnp.sum(F * F, axis=0)
    change = jnp.sum(x * G, axis=0) / norm
    n = levels.radial[:, None]
    up = below == n
    found = (up & (change > -_STEP / 10)) | ((below == n + 1) & (change < _STEP / 10))
    scale = jax.lax.rsqrt(grid.h * norm)
    new = jnp.where(below <= n, eps + _STEP, eps - _STEP)
    return (
        jnp.where(found, x * scale, G),
        jnp.where(found, F * scale, 0.0),
        jnp.where(found, eps + change, new),
        found,
    )
