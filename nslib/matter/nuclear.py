"""What follows from one energy density: chemical potentials, saturation, beta equilibrium, equation of state.

Each model is a function ``energy_density(n_n, n_p, params)`` [MeV fm^-3] with rest masses, written once;
this module differentiates it. Densities are scalars here; batch with :func:`jax.vmap`.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.matter import leptons
from nslib.matter.eos import EOS


class Saturation(NamedTuple):
    """Nuclear-matter parameters at saturation: n_0 [fm^-3]; E_0, K_0, J_0, S, L, K_sym, J_sym [MeV]."""

    n_0: float
    E_0: float
    K_0: float
    J_0: float
    S: float
    L: float
    K_sym: float
    J_sym: float


class Equilibrium(NamedTuple):
    """Beta equilibrium: x_p [1], mu_e [MeV], mu_b [MeV], eps, p [MeV fm^-3], cs2 [c^2], each of the shape of n_b."""

    x_p: jax.Array
    mu_e: jax.Array
    mu_b: jax.Array
    eps: jax.Array
    p: jax.Array
    cs2: jax.Array


def chemical_potentials(energy_density, n_n, n_p, params):
    """Neutron and proton chemical potentials mu_q = d eps / d n_q with rest mass [MeV], at n_n, n_p [fm^-3]."""
    return jax.grad(energy_density, argnums=(0, 1))(n_n, n_p, params)


def energy_per_nucleon(energy_density, n, delta, params):
    """E(n, delta) = eps / n with rest mass [MeV], at n [fm^-3] and asymmetry delta = (n_n - n_p) / n [1]."""
    return energy_density(n * (1 + delta) / 2, n * (1 - delta) / 2, params) / n


@partial(jax.jit, static_argnums=0)
def symmetry_energy(energy_density, n, params):
    r"""Symmetry energy [MeV] at n [fm^-3].

    .. math:: E_\mathrm{sym}(n) = \frac12 \left.\frac{\partial^2 E(n, \delta)}{\partial\delta^2}\right|_{\delta = 0}
    """
    E = lambda delta: energy_per_nucleon(energy_density, n, delta, params)  # noqa: E731
    return jax.grad(jax.grad(E))(0.0) / 2


def pressure(energy_density, n_n, n_p, params):
    """Nucleonic pressure n_n mu_n + n_p mu_p - eps [MeV fm^-3], at n_n, n_p [fm^-3]."""
    mu_n, mu_p = chemical_potentials(energy_density, n_n, n_p, params)
    return n_n * mu_n + n_p * mu_p - energy_density(n_n, n_p, params)


@partial(jax.jit, static_argnums=0)
def saturation(energy_density, params, rest_mass, guess=0.16):
    """Nuclear-matter parameters at the density where symmetric matter has no pressure.

    Coefficients are (3 n d/dn)^k of E and E_sym in the sense x = (n - n_0) / 3 n_0.

    Parameters
    ----------
    energy_density, params : the model
    rest_mass : float, nucleon mass that E_0 leaves out [MeV]
    guess : float, where Newton's method starts [fm^-3]

    Returns
    -------
    Saturation
    """
    E = lambda n: energy_per_nucleon(energy_density, n, 0.0, params) - rest_mass  # noqa: E731
    S = lambda n: symmetry_energy(energy_density, n, params)  # noqa: E731
    dE = jax.grad(E)
    n = jax.lax.fori_loop(0, 20, lambda _, n: n - dE(n) / jax.grad(dE)(n), jnp.asarray(guess))

    def expand(f):
        d1 = jax.grad(f)
        d2 = jax.grad(d1)
        return f(n), 3 * n * d1(n), 9 * n**2 * d2(n), 27 * n**3 * jax.grad(d2)(n)

    E_0, _, K_0, J_0 = expand(E)
    return Saturation(n, E_0, K_0, J_0, *expand(S))


def _excess(energy_density, x, n, params, muons):
    """Negative less positive charge, n_e + n_mu - n x [fm^-3], of matter whose leptons have mu = mu_n - mu_p."""
    mu_n, mu_p = chemical_potentials(energy_density, n * (1 - x), n * x, params)
    return leptons.charge_density(mu_n - mu_p, muons) - n * x


def _bracketed_newton(g, lo, hi, x, steps):
    """Root of g, positive at lo and not at hi, by Newton's method from x; halves the bracket where a step leaves it."""

    def step(_, state):
        lo, hi, x = state
        y, dy = jax.jvp(g, (x,), (jnp.ones_like(x),))
        lo, hi = jnp.where(y > 0, x, lo), jnp.where(y > 0, hi, x)
        new = x - y / dy
        good = (new >= lo) & (new <= hi) | (jnp.abs(new - x) < 1e-9 * jnp.abs(x))  # a root met to rounding stays
        return lo, hi, jnp.where(good, jnp.clip(new, lo, hi), (lo + hi) / 2)

    return jax.lax.fori_loop(0, steps, step, (lo, hi, x))[2]


def proton_fraction(energy_density, n, params, muons=True):
    r"""Proton fraction of beta-equilibrated, charge-neutral matter.

    Root of :math:`n_e(\mu) + n_\mu(\mu) = n x` with :math:`\mu(x) = \mu_n - \mu_p`, by Newton's method
    kept inside a bracket; the first derivative is that of the implicit function. Where mu(0) < m_e, x = 0.

    Parameters
    ----------
    energy_density, params : the model
    n : scalar, baryon density [fm^-3]
    muons : bool, count muons

    Returns
    -------
    scalar [1]; NaN where no root lies in (0, 1)
    """
    fixed = jax.lax.stop_gradient((n, params))
    excess = lambda x: _excess(energy_density, x, *fixed, muons)  # noqa: E731

    tiny = 1e-12 * jnp.ones_like(n)
    none = excess(tiny) <= 0
    x = jax.lax.stop_gradient(_bracketed_newton(excess, tiny, 1 - tiny, 0.05 * jnp.ones_like(n), 16))
    dg = jax.lax.stop_gradient(jax.jvp(excess, (x,), (jnp.ones_like(x),))[1])
    g = _excess(energy_density, x, n, params, muons)
    x = jnp.where(jnp.abs(g / dg) < 1e-8, x - g / dg, jnp.nan)
    return jnp.where(none, 0.0, x)


@partial(jax.jit, static_argnums=(0, 3))
def beta_equilibrium(energy_density, n_b, params, muons=True):
    r"""Matter of neutrons, protons and leptons in beta equilibrium at one density.

    .. math:: \mu_n = \mu_p + \mu_e, \quad n_p = n_e + n_\mu, \quad p = n_b\mu_n - \varepsilon, \quad
              c_s^2 = \frac{n_b}{\mu_n}\left[\frac{\partial\mu_n}{\partial n_b}
              + \frac{\partial\mu_n}{\partial x_p}\frac{\mathrm d x_p}{\mathrm d n_b}\right]

    Where E_sym < 0 leaves no room for protons, x_p = 0 and mu_e is mu_n - mu_p of the neutrons alone.

    Parameters
    ----------
    energy_density, params : the model
    n_b : scalar, baryon density [fm^-3]
    muons : bool, count muons

    Returns
    -------
    Equilibrium of scalars; each has right first derivatives to n_b and params
    """
    x = proton_fraction(energy_density, n_b, params, muons)
    one = jnp.ones_like(n_b)
    at = (jnp.where(x == 0, 0.05, x), n_b)  # the charge has no slope to speak of where there are no protons
    dg_x, dg_n = (
        jax.jvp(lambda x, n: _excess(energy_density, x, n, params, muons), at, t)[1] for t in ((one, 0 * one), (0 * one, one))
    )
    dx = jnp.where(x == 0, 0.0, -dg_n / dg_x)

    def potentials(n, x):  # 1e-30: n_p^(5/3) of Skyrme has no second derivative at zero
        return chemical_potentials(energy_density, n * (1 - x), n * jnp.where(x == 0, 1e-30, x), params)

    (mu_n, mu_p), (dmu_n, _) = jax.jvp(potentials, (n_b, x), (one, dx))
    mu_e = mu_n - mu_p
    eps = energy_density(n_b * (1 - x), n_b * x, params) + leptons.total_energy_density(mu_e, muons)
    return Equilibrium(x, mu_e, mu_n, eps, n_b * mu_n - eps, n_b / mu_n * dmu_n)


def as_batch(params):
    """Parameters of common shape (n,), and whether they were numbers; ValueError for more than one axis."""
    shape = jnp.broadcast_shapes(*(jnp.shape(a) for a in params))
    if len(shape) > 1:
        raise ValueError(f"parameters must be numbers or arrays of one axis, got shape {shape}")
    return type(params)(*(jnp.broadcast_to(jnp.asarray(a, float), shape or (1,)) for a in params)), not shape


@partial(jax.jit, static_argnums=(0, 3))
def _equilibria(energy_density, params, n_b, muons):
    at = lambda n, q: beta_equilibrium(energy_density, n, q, muons)  # noqa: E731
    return jax.vmap(jax.vmap(at, in_axes=(0, None)), in_axes=(None, 0))(n_b, params)


def equation_of_state(energy_density, params, n_b, muons=True):
    """Core of neutrons, protons and leptons in beta equilibrium; join a crust to it before solving stars.

    Parameters
    ----------
    energy_density : the model
    params : NamedTuple of floats, or of (n_eos,) arrays for a batch
    n_b : (n_row,) array, densities of the rows [fm^-3]
    muons : bool, count muons

    Returns
    -------
    EOS, one or a batch. At low density its pressure may fall or be negative; a join begins above that.

    Raises
    ------
    ValueError
        densities that do not rise from above 0, or parameters of more than one axis
    """
    n_b = np.asarray(n_b, dtype=float)
    if n_b.ndim != 1 or len(n_b) < 4 or not np.all(n_b > 0) or not np.all(np.diff(n_b) > 0):
        raise ValueError("n_b must be at least 4 densities rising from above 0 fm^-3")
    flat, one = as_batch(params)
    matter = in_blocks(lambda q: _equilibria(energy_density, q, n_b, muons), flat)
    out = EOS(matter.eps, matter.p, jnp.broadcast_to(n_b, matter.p.shape), matter.mu_b, matter.cs2)
    return out[0] if one else out
