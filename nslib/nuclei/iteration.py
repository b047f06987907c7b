"""Self-consistent iteration of a block of nuclei, (nucleus, set), each at its own stage."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from nslib.nuclei import dirac, fields

#: steps that Anderson mixing remembers, and the part of a step that is taken
_MEMORY, _MIX = 4, 0.75
#: what counts as runaway: sigma beyond twice the mass of a nucleon, or a residual above this [fm^-1]
_FAR = 50.0
#: iterations between two looks at what has ended; as many, so that all that run write to the same slot of the
#: memory, whatever they began beside
CHUNK = _MEMORY
#: codes of :class:`nslib.nuclei.Status` that end an iteration, and of one that goes on
RUNNING, CONVERGED, ORDER, BUDGET, RUNAWAY = -1, 0, 1, 2, 3


class State(NamedTuple):
    """Where every nucleus stands. Axes as in ``fields``."""

    u: jax.Array  # (n, 4, nucleus, set) fields times r that the next step begins with
    G: jax.Array  # (n, level, set)
    eps: jax.Array  # (level, set)
    last: tuple  # u and step of the last iteration
    history: tuple  # differences of u and of steps, each (_MEMORY, n, 4, nucleus, set)
    status: jax.Array  # (nucleus, set) int
    iterations: jax.Array  # (nucleus, set) int
    B: jax.Array  # (nucleus, set) [fm^-1]
    r2: jax.Array  # (nucleus, set) [fm^2]
    residual: jax.Array  # (nucleus, set) [fm^-1]


class Start(NamedTuple):
    """Fields times r (n, 4, nucleus) and levels (n, level), (level,) to begin with."""

    u: jax.Array
    G: jax.Array
    eps: jax.Array


def empty(start, n_set):
    """State of n_set sets, none of which runs."""
    n, n_field, n_nucleus = start.u.shape
    wide = lambda a: jnp.zeros((*a.shape, n_set)) + a[..., None]
    zero, memory = jnp.zeros((n_nucleus, n_set)), jnp.zeros((_MEMORY, n, n_field, n_nucleus, n_set))
    u = wide(start.u)
    return State(
        u, wide(start.G), wide(start.eps), (u, jnp.zeros_like(u)), (memory, memory),
        jnp.zeros((n_nucleus, n_set), int), jnp.zeros((n_nucleus, n_set), int), zero, zero, zero,
    )  # fmt: skip


def _least_squares(steps, f):
    """gamma (_MEMORY, ...) with least |f - sum gamma steps|, over the first two axes of f, by Cholesky."""
    m = range(_MEMORY)
    inner = lambda a, b: jnp.sum(a * b, axis=(0, 1))
    gram = {(i, j): inner(steps[i], steps[j]) for i in m for j in range(i + 1)}
    size = [jnp.sqrt(jnp.where(gram[i, i] > 0, gram[i, i], 1.0)) for i in m]
    L, y = {}, []
    for i in m:
        for j in range(i):
            L[i, j] = (gram[i, j] / (size[i] * size[j]) - sum(L[i, k] * L[j, k] for k in range(j))) / L[j, j]
        L[i, i] = jnp.sqrt(1 + 1e-8 - sum(L[i, k] ** 2 for k in range(i)))
        y.append((inner(steps[i], f) / size[i] - sum(L[i, k] * y[k] for k in range(i))) / L[i, i])
    gamma = [None] * _MEMORY
    for i in reversed(m):
        gamma[i] = (y[i] - sum(L[k, i] * gamma[k] for k in range(i + 1, _MEMORY))) / L[i, i]
    return jnp.stack([g / s for g, s in zip(gamma, size)])


def _mix(u, f, last, history, iterations, slot):
    """Next fields by Anderson mixing (D. G. Anderson, J. ACM 12 (1965) 547), and the longer history."""
    new = iterations > 0
    differences = tuple(jnp.where(new, a - b, 0.0) for a, b in zip((u, f), last))
    us, fs = (jax.lax.dynamic_update_index_in_dim(h, d, slot, 0) for h, d in zip(history, differences))
    gamma = _least_squares(fs, f)[:, None, None]
    return u + _MIX * f - jnp.sum(gamma * (us + _MIX * fs), axis=0), (us, fs)


def _iterate(state, slot, model, Z, levels, counts, grid, tolerance, budget):
    """One iteration of all that run."""
    on = state.status == RUNNING
    U, rest = fields.potentials(state.u, Z, model, grid)
    U, rest = fields.spread(U, counts), fields.spread(rest, counts)
    G, F, eps, found = dirac.dirac(U, rest, state.G, state.eps, levels, grid)
    n_v, n_s = fields.densities(G, F, levels, counts, grid)
    u = fields.field_step(state.u, n_v, n_s, Z, model, levels.one, grid)
    sums = fields.gather(levels.occupation[:, None] * eps, counts)
    B, r2 = fields.observables(state.u, u, n_v, n_s, sums[0::2] + sums[1::2], Z, model, grid)

    f = u - state.u
    r = jnp.asarray(grid.r)[:, None, None]
    moved = fields.gather(jnp.where(found, jnp.abs(eps - state.eps), 1.0), counts, jnp.max)
    residual = jnp.max(jnp.abs(f) / r[..., None], axis=(0, 1))
    residual = jnp.maximum(residual, jnp.maximum(moved[0::2], moved[1::2]))
    far = ~(residual < _FAR) | jnp.any(state.u[:, 0] / r > 2 * model.m, axis=0) | ~jnp.isfinite(B)
    iterations = state.iterations + 1
    status = jnp.where(iterations >= budget, BUDGET, RUNNING)
    status = jnp.where(far, RUNAWAY, jnp.where(residual < tolerance, CONVERGED, status))

    mixed, history = _mix(state.u, f, state.last, state.history, state.iterations, slot)
    on_kinds = fields.spread(jnp.repeat(on, 2, axis=0), counts)
    keep = lambda new, old, on=on: jnp.where(on, new, old)
    return State(
        keep(mixed, state.u), keep(G, state.G, on_kinds), keep(eps, state.eps, on_kinds),
        (keep(state.u, state.last[0]), keep(f, state.last[1])), history,
        *(keep(a, b) for a, b in zip((status, iterations, B, r2, residual), state[5:])),
    )  # fmt: skip


@partial(jax.jit, static_argnames=("counts", "grid"))
def advance(state, fresh, start, scale, model, Z, levels, above, tolerance, budget, counts, grid):
    """State after up to ``CHUNK`` iterations of all that run; where ``fresh``, from the start.

    Parameters
    ----------
    state : State
    fresh : (nucleus, set) bool
    start : Start
    scale : (4, nucleus, set) array, factors of the fields of the start
    model : fields.Model
    Z : (nucleus,) array
    levels, above : dirac.Levels, those that are filled and those that should lie above
    tolerance : float, largest residual of what counts as converged [fm^-1]
    budget : int
    counts : tuple, number of levels of protons and of neutrons of each nucleus
    grid : Grid
    """
    on_kinds = fields.spread(jnp.repeat(fresh, 2, axis=0), counts)
    begin = lambda a, new, on=fresh: jnp.where(on, new, a)
    state = State(
        begin(state.u, start.u[..., None] * scale),
        begin(state.G, start.G[..., None], on_kinds), begin(state.eps, start.eps[..., None], on_kinds),
        tuple(begin(a, 0.0) for a in state.last), tuple(begin(h, 0.0) for h in state.history),
        begin(state.status, RUNNING), begin(state.iterations, 0), *(begin(a, 0.0) for a in state[7:]),
    )  # fmt: skip

    def more(carry):
        return (carry[0] < CHUNK) & jnp.any(carry[1].status == RUNNING)

    def once(carry):
        i, state = carry
        return i + 1, _iterate(state, i, model, Z, levels, counts, grid, tolerance, budget)

    state = jax.lax.while_loop(more, once, (0, state))[1]
    U, rest = fields.potentials(state.last[0], Z, model, grid)
    highest = fields.gather(state.eps, counts, jnp.max)
    wide = lambda a: jnp.repeat(a, above.radial.shape[0] // a.shape[-2], axis=-2)
    low = dirac.misplaced(wide(U), wide(rest), wide(highest), above)
    low = jnp.any(low.reshape(Z.shape[0], -1, low.shape[-1]), axis=1)
    return state._replace(status=jnp.where((state.status == CONVERGED) & low, ORDER, state.status))
