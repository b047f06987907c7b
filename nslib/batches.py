"""Batches of any size through functions that are compiled for a few sizes only."""

import jax
import numpy as np

#: sizes for which a function is compiled; larger batches go through in blocks of the last
SIZES = (1, 16, 256)


def in_blocks(function, *trees):
    """``function(*trees)`` for trees of arrays with a common leading axis, in padded blocks.

    The last block is filled up with copies of its first member, whose results are dropped. Under a JAX
    transformation the function is called once, as it is.

    Parameters
    ----------
    function : callable, (n, ...) arrays to a tree of (n, ...) arrays, each member for itself
    *trees : trees of (n, ...) arrays

    Returns
    -------
    tree of (n, ...) arrays

    Raises
    ------
    ValueError
        an empty batch
    """
    leaves = jax.tree.leaves(trees)
    if any(isinstance(a, jax.core.Tracer) for a in leaves):
        return function(*trees)
    n = leaves[0].shape[0]
    if n == 0:
        raise ValueError("the batch is empty; it must have at least one member")
    size = next((s for s in SIZES if s >= n), SIZES[-1])
    trees = jax.tree.map(np.asarray, trees)
    out = []
    for start in range(0, n, size):
        k = np.arange(start, start + size)
        k = np.where(k < n, k, start)
        out.append(jax.tree.map(np.asarray, function(*jax.tree.map(lambda a: a[k], trees))))
    return jax.tree.map(lambda *blocks: jax.numpy.asarray(np.concatenate(blocks)[:n]), *out)
