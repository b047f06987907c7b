"""Where uniform matter ends: its stability and the density of the crust-core transition."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.matter.nuclear import (
    as_batch,
    beta_equilibrium,
    chemical_potentials,
    proton_fraction,
)

#: densities of the walk down, and steps of regula falsi at least
SCAN, STEPS = 13, 9


def _extensive(energy_density, n, params, muons):
    """Smallest eigenvalue of d^2 eps / d n_i d n_j of the nucleons [MeV fm^3]."""
    x = proton_fraction(energy_density, n, params, muons)
    x = jnp.where(x == 0, 1e-30, x)  # n_p^(5/3) of Skyrme has no second derivative at zero
    mu = lambda q: jnp.stack(chemical_potentials(energy_density, q[0], q[1], params))  # noqa: E731
    (nn, np_), (_, pp) = jax.jacfwd(mu)(jnp.stack([n * (1 - x), n * x]))
    return (nn + pp) / 2 - jnp.sqrt(((nn - pp) / 2) ** 2 + np_**2)


def _as_printed(energy_density, n, params, muons):
    """Second derivative of eps / n along beta equilibrium, (n dp/dn - 2 p) / n^3 with leptons [MeV fm^6]."""
    e = beta_equilibrium(energy_density, n, params, muons)
    return (n * e.cs2 * e.mu_b - 2 * e.p) / n**3


_CRITERIA = {"extensive": _extensive, "as_printed": _as_printed}


def _criterion(name):
    if name not in _CRITERIA:
        raise ValueError(f"criterion must be one of {', '.join(_CRITERIA)}, got {name!r}")
    return _CRITERIA[name]


@partial(jax.jit, static_argnums=(0, 3, 4))
def stability(energy_density, n_b, params, muons=True, criterion="extensive"):
    r"""What has to be positive for uniform matter in beta equilibrium to be stable, at one density.

    ``"extensive"``: the smallest eigenvalue [MeV fm^3] of the Hessian of the energy density of the nucleons,

    .. math:: \frac{\partial^2\varepsilon(n_n, n_p)}{\partial n_i\,\partial n_j}, \qquad i, j = n, p,

    in which the leptons stand still. Where it passes zero its determinant does; S. Kubis, Phys. Rev. C 76
    (2007) 025801, among others. ``"as_printed"``: the second derivative of the energy per baryon along beta
    equilibrium with the leptons moving along [MeV fm^6],

    .. math::
        \frac{\mathrm d^2 E(n, x_\mathrm{eq}(n))}{\mathrm d n^2}
        = \frac{1}{n^3}\left(n\frac{\mathrm dp}{\mathrm dn} - 2p\right)
        = \frac{E_{nn}E_{xx} - E_{nx}^2}{E_{xx}}.

    This form is found in print as a condition of stability; it is none: matter that stays in equilibrium is
    stable for dp / dn > 0, the convexity of E in the volume per baryon, not in the density.

    Parameters
    ----------
    energy_density, params : the model
    n_b : scalar, baryon density [fm^-3]
    muons : bool, count muons
    criterion : "extensive" or "as_printed"

    Returns
    -------
    scalar

    Raises
    ------
    ValueError
        for an unknown criterion
    """
    return _criterion(criterion)(energy_density, n_b, params, muons)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _roots(energy_density, muons, criterion, params, lo, hi):
    """(n,) transition densities of the members of params, NaN for none [fm^-3]."""
    return jax.vmap(lambda q: _root(energy_density, muons, criterion, q, lo, hi))(params)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _root(energy_density, muons, criterion, q, lo, hi):
    """Density at which stability first vanishes on the way down from hi to lo, NaN for none [fm^-3]."""

    def step(_, state):
        """One step down; where one was too far, regula falsi: the value at an end that stays is halved."""
        n, a, f_a, b, f_b, below, was_stable = state
        f = stability(energy_density, n, q, muons, criterion)
        stable = f > 0
        f_a = jnp.where(stable, jnp.where(was_stable, f_a / 2, f_a), f)
        f_b = jnp.where(stable, f, jnp.where(was_stable | ~below, f_b, f_b / 2))
        a, b = jnp.where(stable, a, n), jnp.where(stable, n, b)
        below = below | ~stable
        down = jnp.maximum(b - (hi - lo) / (SCAN - 1), lo)
        return jnp.where(below, (a * f_b - b * f_a) / (f_b - f_a), down), a, f_a, b, f_b, below, stable

    nan = jnp.full_like(hi, jnp.nan)
    start = (hi, nan, nan, nan, nan, nan > 0, nan > 0)
    n, a, _, b, _, below, _ = jax.lax.fori_loop(0, SCAN + STEPS, step, start)
    return jnp.where(below & (jnp.minimum(n - a, b - n) < 1e-9), n, jnp.nan)


@_root.defjvp
def _root_jvp(energy_density, muons, criterion, primals, tangents):
    """The root and its derivative, that of the implicit function."""
    at = lambda n, q: stability(energy_density, n, q, muons, criterion)  # noqa: E731
    n, q = _root(energy_density, muons, criterion, *primals), primals[0]
    slope = jax.jvp(lambda n: at(n, q), (n,), (jnp.ones_like(n),))[1]
    return n, -jax.jvp(lambda q: at(n, q), (q,), (tangents[0],))[1] / slope


def transition_density(energy_density, params, muons=True, criterion="extensive", n_range=(0.03, 0.15)):
    """Crust-core transition density: the lowest down to which uniform matter is stable.

    The sign of :func:`stability` is taken at 13 densities of equal distance from the top of n_range down; the
    root in the first interval where it changes counts. Instability in less than a step can be missed.

    Parameters
    ----------
    energy_density : the model
    params : NamedTuple of floats, or of (n,) arrays for a batch
    muons : bool, count muons
    criterion : "extensive" or "as_printed", see :func:`stability`
    n_range : two floats, where to look [fm^-3]

    Returns
    -------
    float, or (n,) array [fm^-3]; NaN in members (and under a JAX transformation) whose matter is not stable
    at the top of n_range, or stable in all of it. It has first derivatives to params.

    Raises
    ------
    ValueError
        for one set without such a density, an unknown criterion, an n_range that does not rise from above 0,
        or parameters of more than one axis
    """
    _criterion(criterion)
    lo, hi = n_range
    if not 0 < lo < hi < np.inf:
        raise ValueError(f"n_range must rise from above 0 fm^-3, got {n_range}")
    flat, one = as_batch(params)
    n = in_blocks(lambda q: _roots(energy_density, muons, criterion, q, float(lo), float(hi)), flat)
    if not one:
        return n
    if isinstance(n, jax.core.Tracer):
        return n[0]
    if np.isnan(n[0]):
        raise ValueError(
            f"no transition from stable to unstable matter in n_range = [{lo:g}, {hi:g}] fm^-3 for {params}"
        )
    return float(n[0])
