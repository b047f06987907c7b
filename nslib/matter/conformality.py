r"""How near matter is to being conformal: trace anomaly, its slope, polytropic index and d_c.

.. math::
    \Delta = \frac13 - \frac{p}{\varepsilon}, \qquad
    \Delta' = \frac{\mathrm d\Delta}{\mathrm d\ln\varepsilon} = \frac{p}{\varepsilon} - c_s^2, \qquad
    \gamma = \frac{\mathrm d\ln p}{\mathrm d\ln\varepsilon} = \frac{\varepsilon}{p}\,c_s^2, \qquad
    d_c = \sqrt{\Delta^2 + \Delta'^2}

E. Annala et al., Nature Commun. 14 (2023) 8451. The closed form of the slope needs the sound speed that the model
carries and no difference of table rows.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.interpolate import pchip

#: what d_c cannot pass where cs2 = 0, at p = eps / 6: in the mixed phase of a first-order transition
PLATEAU_FLOOR = 1 / np.sqrt(18)


class Conformality(NamedTuple):
    """Delta, its slope Delta', gamma and d_c [1], each an array of the shape asked for."""

    Delta: jax.Array
    slope: jax.Array
    gamma: jax.Array
    d_c: jax.Array


def measures(eps, p, cs2):
    """Delta, Delta', gamma and d_c of matter with eps, p [MeV fm^-3] and cs2 [c^2], arrays of one shape.

    Returns
    -------
    Conformality
    """
    Delta, slope = 1 / 3 - p / eps, p / eps - cs2
    return Conformality(Delta, slope, cs2 * eps / p, jnp.hypot(Delta, slope))


def of_eos(eos):
    """The measures at every row of an EOS, one or a batch; at a jump those of either side, not of the mixture."""
    return measures(eos.eps, eos.p, eos.sound_speed())


def in_plateau(p, eps):
    """The measures inside a Maxwell plateau of pressure p, where eps [MeV fm^-3] is that of the mixture: cs2 = 0."""
    return measures(eps, p, jnp.zeros_like(jnp.asarray(eps, float)))


def at_pressure(eos, p):
    """The measures at the pressures p, say at the centres of stars; at that of a jump, those above it.

    p / eps and cs2 are interpolated in ln p.

    Parameters
    ----------
    eos : EOS, one or a batch
    p : (n,) array for one EOS, (n_eos, n) for a batch [MeV fm^-3]

    Returns
    -------
    Conformality of arrays like p; NaN outside the table

    Raises
    ------
    ValueError
        another shape of p
    """
    p = jnp.asarray(p, float)
    if p.ndim != eos.p.ndim or p.shape[:-1] != eos.p.shape[:-1]:
        raise ValueError(
            f"p must have shape (n,) or, for a batch, (n_eos, n), got {p.shape} for {eos.p.shape[:-1]}"
        )
    return _each(_at, eos, p, eos.p, eos.eps, eos.sound_speed())


def _each(function, eos, *columns):
    """function(*columns) of one EOS or of each of a batch."""
    if eos.is_batch:
        return in_blocks(function, *columns)
    return jax.tree.map(lambda a: a[0], in_blocks(function, *(jnp.asarray(a)[None] for a in columns)))


@jax.jit
@jax.vmap
def _at(p, p_row, eps, cs2):
    x, xp = jnp.log(p), jnp.log(p_row)
    ratio, cs2 = (pchip(x, xp, a) for a in (p_row / eps, cs2))
    return measures(p / ratio, p, cs2)


def first_below(eos, threshold=0.2, *, p_max=np.inf):
    """Lowest density from which on, going up, d_c is below a threshold for the first time.

    Only core rows count: in the crust p / eps and cs2 vanish and d_c is near 1/3. Between rows d_c is linear in
    n_b; across a jump it is that of the mixture, above 0.2357, until the dense side begins.

    Parameters
    ----------
    eos : EOS with n_b, one or a batch
    threshold : float [1], in (0, PLATEAU_FLOOR): higher ones may be passed inside a plateau
    p_max : float or (n_eos,) array, look no further than this pressure, say that at the centre of the heaviest star
        [MeV fm^-3]

    Returns
    -------
    (...) array [fm^-3], NaN where d_c stays above

    Raises
    ------
    ValueError
        a threshold outside (0, PLATEAU_FLOOR), an EOS without n_b
    """
    if not 0 < threshold < PLATEAU_FLOOR:
        raise ValueError(f"threshold must lie in (0, {PLATEAU_FLOOR:.4f}), got {threshold}")
    (n,) = eos.need("n_b")
    p_max = jnp.broadcast_to(jnp.asarray(p_max, float), eos.p.shape[:-1])
    return _each(partial(_first_below, threshold), eos, n, eos.p, eos.eps, eos.sound_speed(), p_max)


@partial(jax.jit, static_argnums=0)
@partial(jax.vmap, in_axes=(None, 0, 0, 0, 0, 0))
def _first_below(threshold, n, p, eps, cs2, p_max):
    d_c = measures(eps, p, cs2).d_c
    low, up = d_c < threshold, jnp.diff(p) == 0
    i = jnp.maximum(jnp.argmax(low), 1)
    a, b = d_c[i - 1], d_c[i]
    t = jnp.where(up[i - 1] | (a < threshold), 1.0, (a - threshold) / jnp.where(a > b, a - b, 1.0))
    between = lambda y: y[i - 1] + t * (y[i] - y[i - 1])  # noqa: E731
    first = jnp.where(low[0], n[0], between(n))
    return jnp.where(jnp.any(low) & (between(p) <= p_max), first, jnp.nan)
