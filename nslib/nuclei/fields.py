r"""Self-consistent fields of spherical nuclei in the relativistic mean-field (Hartree) model.

In powers of fm, with the potentials as fields and strengths as in ``nslib.matter.rmf``, the level of energy
eps (without rest mass) and quantum number kappa has an upper component G that solves

.. math::
    -\Big(\frac{d}{dr} - \frac{\kappa}{r}\Big) \frac1B \Big(\frac{d}{dr} + \frac{\kappa}{r}\Big) G
    + (V - \Sigma) G = \epsilon G, \qquad B = \epsilon + 2m - \Sigma - V,

and the lower component F = (G' + kappa G / r)/B, with V = W + R/2 + V_c for protons, W - R/2 for neutrons.
The fields obey

.. math::
    (-\Delta + m_\sigma^2)\Sigma + g_\sigma^2(b\Sigma^2 + c\Sigma^3) = g_\sigma^2 \rho_s, \quad
    (-\Delta + m_\omega^2)W + g_\omega^2(C W^3 + \Lambda_v R^2 W) = g_\omega^2 \rho, \\
    (-\Delta + m_\rho^2)R + g_\rho^2 \Lambda_v W^2 R = \tfrac12 g_\rho^2 (\rho_p - \rho_n), \quad
    -\Delta V_c = 4\pi\alpha\rho_p.

B. D. Serot and J. D. Walecka, Adv. Nucl. Phys. 16 (1986) 1; the Lagrangian is that of ``nslib.matter.rmf``.
No exchange, pairing or sea. Arrays have the axes (r, field or level, nucleus, set), where they have them.
"""

from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.nuclei.banded import ROWS, solve
from nslib.nuclei.dirac import windows
from nslib.nuclei.grid import HALF, MIDDLE, laplacian
from nslib.units import ALPHA

#: a Newton step for a field takes no slope of its non-linear part below this fraction of -m^2
_CLIP = 0.7


class Model(NamedTuple):
    """Squared masses of sigma, omega, rho [fm^-2], squared couplings and strengths, nucleon mass [fm^-1].

    Each a (nucleus, set) array.
    """

    m_s2: jax.Array
    m_w2: jax.Array
    m_r2: jax.Array
    g_s2: jax.Array
    g_w2: jax.Array
    g_r2: jax.Array
    b: jax.Array
    c: jax.Array
    C: jax.Array
    Lambda_v: jax.Array
    m: jax.Array


def spread(a, counts):
    """(..., kind, set) to (..., level, set), kind: protons and neutrons of each nucleus, by their counts."""
    shape = a.shape[:-2], a.shape[-1:]
    kinds = [jnp.broadcast_to(a[..., i : i + 1, :], (*shape[0], n, *shape[1])) for i, n in enumerate(counts)]
    return jnp.concatenate(kinds, axis=-2)


def gather(a, counts, how=jnp.sum):
    """(..., level, set) to (..., kind, set), by sum or maximum."""
    ends = np.cumsum([0, *counts])
    return jnp.stack([how(a[..., i:j, :], axis=-2) for i, j in pairwise(ends)], axis=-2)


def half_way(u, beyond, grid):
    """u = r phi, odd, (n, ...) at the points r_k, divided by r_k; u beyond the grid is constant, (...)."""
    shape = (-1, *[1] * (u.ndim - 1))
    tail = jnp.broadcast_to(beyond, (2 * HALF, *u.shape[1:]))
    padded = jnp.concatenate([-u[HALF - 2 :: -1], jnp.zeros_like(u[:1]), u, tail])
    w = np.concatenate([MIDDLE[::-1], MIDDLE])
    total = sum(c * a for c, a in zip(w, windows(padded, grid.n + HALF)))
    return total / jnp.asarray(grid.r_half).reshape(shape)


def half_way_transposed(f, grid):
    """The transpose: sources at r_k to sources at r_i, times r_i."""
    shape = (-1, *[1] * (f.ndim - 1))
    f = f / jnp.asarray(grid.r_half).reshape(shape)
    padded = jnp.concatenate([-f[HALF - 2 :: -1], f])  # f / r is odd about the origin
    w = np.concatenate([MIDDLE[::-1], MIDDLE])
    total = sum(c * a for c, a in zip(w, windows(padded, grid.n)))
    return total * jnp.asarray(grid.r).reshape(shape)


def potentials(u, Z, model, grid):
    """V - Sigma at r_i, 2m - V - Sigma at r_k of protons, neutrons: (n, kind, set), (n + 4, kind, set)."""
    S, W, R, V = (u[:, i] for i in range(4))
    kinds = lambda p, n: jnp.stack([p, n], axis=2).reshape(p.shape[0], -1, p.shape[-1])
    U = kinds(W + R / 2 + V - S, W - R / 2 - S) / jnp.asarray(grid.r)[:, None, None]
    charge = ALPHA * jnp.broadcast_to(Z[:, None], S.shape[1:])[None]
    total = half_way(kinds(W + R / 2 + V + S, W - R / 2 + S), kinds(charge, jnp.zeros_like(charge))[0], grid)
    return U, 2 * jnp.repeat(model.m, 2, axis=0) - total


def densities(G, F, levels, counts, grid):
    """4 pi r^2 times vector and scalar densities of protons and neutrons: two (n, kind, set) arrays."""
    occupation = levels.occupation[:, None]
    upper = gather(occupation * G**2, counts)
    low = half_way_transposed(gather(occupation * F**2, counts), grid)
    return upper + low, upper - low


def field_step(u, n_v, n_s, Z, model, one, grid):
    """Fields (n, 4, nucleus, set), times r, after one step of Newton's method for given densities."""
    p = model
    r = jnp.asarray(grid.r)[:, None, None]
    per_r = 1 / (4 * jnp.pi * r)
    proton, neutron, scalar = (
        n_v[:, 0::2] * per_r,
        n_v[:, 1::2] * per_r,
        (n_s[:, 0::2] + n_s[:, 1::2]) * per_r,
    )
    S, W, R = (u[:, i] / r for i in range(3))
    clip = lambda slope, m2: jnp.maximum(slope, -_CLIP * m2)
    slope = [
        clip(p.g_s2 * S * (2 * p.b + 3 * p.c * S), p.m_s2),
        clip(p.g_w2 * (3 * p.C * W**2 + p.Lambda_v * R**2), p.m_w2),
        clip(p.g_r2 * p.Lambda_v * W**2, p.m_r2),
    ]
    source = [
        p.g_s2 * (scalar - r * S**2 * (p.b + p.c * S)) + slope[0] * u[:, 0],
        p.g_w2 * (proton + neutron - r * W * (p.C * W**2 + p.Lambda_v * R**2)) + slope[1] * u[:, 1],
        p.g_r2 * ((proton - neutron) / 2 - r * p.Lambda_v * W**2 * R) + slope[2] * u[:, 2],
    ]
    band, beyond = (jnp.asarray(a) for a in laplacian(grid))
    charge = 4 * jnp.pi * ALPHA * proton - ALPHA * beyond[:, None, None] * Z[:, None]
    diagonal = [slope[0] + p.m_s2, slope[1] + p.m_w2, slope[2] + p.m_r2, jnp.zeros_like(S)]
    diagonal = jnp.stack(diagonal, axis=1)

    def columns(k):
        rows, main = (jax.lax.dynamic_slice_in_dim(a, ROWS * k, ROWS) / one for a in (band, diagonal))
        wide = [[jnp.broadcast_to(row[d], main.shape[1:]) for d in range(HALF + 1)] for row in rows]
        return [[c[0] + main[i], *c[1:]] for i, c in enumerate(wide)]

    return solve(columns, jnp.stack([*source, charge], axis=1), HALF, one)[0]


def observables(u_in, u, n_v, n_s, occupied, Z, model, grid):
    r"""Binding energy [fm^-1] and mean squared radius of the protons [fm^2], (nucleus, set) arrays.

    .. math::
        E = \sum \epsilon + \int d^3r \Big[\frac{\Sigma\rho_s}2 - \frac{b\Sigma^3}6 - \frac{c\Sigma^4}4
        - \frac{W\rho}2 + \frac{C W^4}4 - \frac{R(\rho_p - \rho_n)}4 + \frac{\Lambda_v W^2R^2}2
        - \frac{V_c\rho_p}2\Big],

    with the fields u that the densities have, and the levels' energies corrected to first order for the
    difference to u_in, in which they were found.
    """
    p, r = model, jnp.asarray(grid.r)[:, None, None]
    proton, neutron, scalar = n_v[:, 0::2], n_v[:, 1::2], n_s[:, 0::2] + n_s[:, 1::2]
    S, W, R, V = (u[:, i] / r for i in range(4))
    dS, dW, dR, dV = ((u_in - u)[:, i] / r for i in range(4))
    both, difference = proton + neutron, proton - neutron
    density = (
        (S / 2 + dS) * scalar - (W / 2 + dW) * both - (R / 4 + dR / 2) * difference - (V / 2 + dV) * proton
    )
    potential = -(S**3) * (p.b / 6 + p.c / 4 * S) + p.C / 4 * W**4 + p.Lambda_v / 2 * (W * R) ** 2
    inside = grid.h * jnp.sum(density + 4 * jnp.pi * r**2 * potential, axis=0)
    r2 = grid.h * jnp.sum(r**2 * proton, axis=0) / Z[:, None]
    return -(occupied + inside), r2
