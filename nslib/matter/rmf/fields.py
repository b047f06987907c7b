"""Uniform matter of the relativistic mean-field model: saturation, symmetry energy, any composition.

The fields carry exact derivatives, to densities and couplings, up to third order: they are solved for without
derivatives and followed by two steps of Newton's method with them.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.matter.rmf.couplings import NuclearMatter, omega_end, scalar_density, scaled, symmetric_branch
from nslib.units import HBARC

_N_NODE = 64


class Uniform(NamedTuple):
    """Nucleons: potentials Sigma, W, R and chemical potentials mu_n, mu_p [MeV]; eps, p [MeV fm^-3]."""

    Sigma: jax.Array
    W: jax.Array
    R: jax.Array
    mu_n: jax.Array
    mu_p: jax.Array
    eps: jax.Array
    p: jax.Array


def fermi(n):
    """Fermi momentum of one kind of nucleon [fm^-1]."""
    return jnp.cbrt(3 * jnp.pi**2 * n)


def rho_field(n_n, n_p, W, s):
    """R from its field equation, (a_r + Lambda_v W^2) R = (n_p - n_n) / 2."""
    return (n_p - n_n) / 2 / (s.a_r + s.Lambda_v * W**2)


def sigma_equation(S, n_n, n_p, s):
    """U'(Sigma) less the scalar density."""
    m = s.m - S
    return S * (s.a_s + S * (s.b + S * s.c)) - scalar_density(fermi(n_n), m) - scalar_density(fermi(n_p), m)


def omega_equation(W, n_n, n_p, s):
    """a_w W + C W^3 + Lambda_v R^2 W less the density."""
    return W * (s.a_w + s.C * W**2 + s.Lambda_v * rho_field(n_n, n_p, W, s) ** 2) - n_n - n_p


def newton_step(f, x):
    """One step of Newton's method for a scalar function."""
    value, slope = jax.jvp(f, (x,), (jnp.ones_like(x),))
    return x - value / slope


def _energy(n_n, n_p, S, W, R, s):
    r"""Energy density of the Lagrangian; stationary in the fields [fm^-4].

    .. math:: \sum_q\left(\tfrac34 E_q n_q + \tfrac14 m^*\rho_{s,q}\right) + U(\Sigma) - \tfrac12 a_w W^2
        - \tfrac14 C W^4 - \tfrac12(a_r + \Lambda_\mathrm{v} W^2) R^2 + W n + \tfrac12 R\,(n_p - n_n)
    """
    m = s.m - S
    kinetic = sum(
        0.75 * jnp.sqrt(fermi(n) ** 2 + m**2) * n + m / 4 * scalar_density(fermi(n), m) for n in (n_n, n_p)
    )
    U = S**2 * (s.a_s / 2 + S * (s.b / 3 + S * s.c / 4))
    vector = W**2 * (s.a_w / 2 + s.C * W**2 / 4) + (s.a_r + s.Lambda_v * W**2) * R**2 / 2
    return kinetic + U - vector + W * (n_n + n_p) + R * (n_p - n_n) / 2


def nucleons(n_n, n_p, S, W, s):
    """Uniform from the solved fields."""
    R = rho_field(n_n, n_p, W, s)
    mu_n = jnp.sqrt(fermi(n_n) ** 2 + (s.m - S) ** 2) + W - R / 2
    mu_p = jnp.sqrt(fermi(n_p) ** 2 + (s.m - S) ** 2) + W + R / 2
    eps = _energy(n_n, n_p, S, W, R, s)
    return Uniform(*(HBARC * a for a in (S, W, R, mu_n, mu_p, eps, n_n * mu_n + n_p * mu_p - eps)))


def _rising_root(f, hi, last=False):
    """First or last x in (0, hi) at which f, negative at 0, turns positive, of 64 intervals; NaN if none."""
    x = hi * jnp.arange(_N_NODE + 1) / _N_NODE
    above = jnp.concatenate([jnp.zeros(1, bool), f(x[1:]) > 0])
    turns = above[1:] & ~above[:-1]
    i = _N_NODE - 1 - jnp.argmax(turns[::-1]) if last else jnp.argmax(turns)

    def halve(_, ends):
        mid = (ends[0] + ends[1]) / 2
        up = f(mid) > 0
        return jnp.where(up, ends[0], mid), jnp.where(up, mid, ends[1])

    _, root = jax.lax.fori_loop(0, 40, halve, (x[i], x[i + 1]))
    return jnp.where(jnp.any(turns), root, jnp.nan)


@jax.jit
def uniform(n_n, n_p, q):
    """Nuclear matter of neutrons and protons at given density.

    Where a field equation has several solutions, Sigma is the smallest and W the largest stable one: those
    that continue symmetric matter. (With Lambda_v > 0 neutron-rich matter has others, of small W and large R,
    beyond about 1 fm^-3; where Lambda_v is of order 1, also at low density, and there they continue the
    vacuum.)

    Parameters
    ----------
    n_n, n_p : scalars, neutron and proton density, one of them may be 0 [fm^-3]; batch with :func:`jax.vmap`
    q : Couplings of floats

    Returns
    -------
    Uniform of scalars, without leptons; NaN where a field has no solution. Derivatives are right but for
    those to a density that is 0.
    """
    s = scaled(q)
    fixed = jax.lax.stop_gradient((n_n, n_p, s))
    S = _rising_root(lambda S: sigma_equation(S, *fixed), fixed[2].m * (1 - 1e-9))
    W = _rising_root(lambda W: omega_equation(W, *fixed), 2 * (fixed[0] + fixed[1]) / fixed[2].a_w, last=True)
    S, W = jax.lax.stop_gradient((S, W))
    for _ in range(2):
        S = newton_step(lambda S: sigma_equation(S, n_n, n_p, s), S)
        W = newton_step(lambda W: omega_equation(W, n_n, n_p, s), W)
    return nucleons(n_n, n_p, S, W, s)


def symmetric_start(n, s):
    """Sigma and W of symmetric matter at the densities n, to about 1e-3; NaN where the branch has ended."""
    S, n_S, whole = symmetric_branch(s, _N_NODE)
    n_S = jnp.where(whole, n_S, jnp.inf)
    zero = jnp.zeros(1)
    S = jnp.interp(n, jnp.concatenate([zero, n_S]), jnp.concatenate([zero, S]))
    S = jnp.where(n <= jnp.max(jnp.where(whole, n_S, 0.0)), S, jnp.nan)
    W = n / s.a_w
    W = jnp.where(s.C > 0, jnp.minimum(W, jnp.cbrt(n / jnp.where(s.C > 0, s.C, 1.0))), W)
    for _ in range(6):
        W = W - (s.a_w * W + s.C * W**3 - n) / (s.a_w + 3 * s.C * W**2)
    return S, jnp.where(n < omega_end(s), W, jnp.nan)


def symmetric_fields(n, s, start):
    """Sigma and W of symmetric matter at the densities n, from an approximate pair."""
    S, W = jax.lax.stop_gradient(start)
    fixed = jax.lax.stop_gradient((n / 2, n / 2, s))

    def iterate(_, SW, at):
        return newton_step(lambda S: sigma_equation(S, *at), SW[0]), newton_step(
            lambda W: omega_equation(W, *at), SW[1]
        )

    SW = jax.lax.stop_gradient(jax.lax.fori_loop(0, 4, partial(iterate, at=fixed), (S, W)))
    return jax.lax.fori_loop(0, 2, partial(iterate, at=(n / 2, n / 2, s)), SW)


def symmetry_energy_at(n, S, W, s):
    """Symmetry energy [fm^-1] at the density n from the fields of symmetric matter."""
    k = jnp.cbrt(1.5 * jnp.pi**2 * n)
    return k**2 / (6 * jnp.sqrt(k**2 + (s.m - S) ** 2)) + n / (8 * (s.a_r + s.Lambda_v * W**2))


@jax.jit
def symmetry_energy(n, q):
    r"""Symmetry energy [MeV] at one density n [fm^-3]; NaN where symmetric matter has no solution.

    .. math:: E_\mathrm{sym} = \frac{k^2}{6\sqrt{k^2 + m^{*2}}} + \frac{n}{8(a_r + \Lambda_\mathrm{v} W^2)}

    W.-C. Chen and J. Piekarewicz, Phys. Rev. C 90 (2014) 044305, in the notation of this package.
    """
    s = scaled(q)
    return HBARC * symmetry_energy_at(n, *symmetric_fields(n, s, symmetric_start(n, s)), s)


def _saturation(q, guess):
    """:func:`saturation` of one set."""
    s = scaled(q)

    def matter(n, start):  # mu, p, E_sym and m* [powers of fm]
        S, W = symmetric_fields(n, s, start)
        mu = jnp.sqrt(jnp.cbrt(1.5 * jnp.pi**2 * n) ** 2 + (s.m - S) ** 2) + W
        p = n * mu - _energy(n / 2, n / 2, S, W, 0.0, s)
        return jnp.stack([mu, p, symmetry_energy_at(n, S, W, s), s.m - S])

    n = jnp.geomspace(0.03, 0.4, _N_NODE)
    start = symmetric_start(n, s)
    p = matter(n, start)[1]
    turns = (p[:-1] < 0) & (p[1:] >= 0)
    i = jnp.argmin(jnp.where(turns, jnp.abs(n[:-1] - guess), jnp.inf))
    start = start[0][i], start[1][i]
    slope = lambda f: lambda n: jax.jvp(f, (n,), (jnp.ones_like(n),))  # noqa: E731
    expand = slope(lambda n: matter(n, start))

    def newton(n):
        (_, p, _, _), (dmu, _, _, _) = expand(n)
        return n - p / (n * dmu)

    n = jnp.where(jnp.any(turns), n[i], jnp.nan)
    n = newton(jax.lax.stop_gradient(jax.lax.fori_loop(0, 6, lambda _, n: newton(n), n)))
    ((mu, _, J, m_star), (dmu, _, dJ, _)), (_, (d2mu, _, _, _)) = slope(expand)(n)
    K = 9 * n * dmu
    out = (mu - s.m, K, 27 * n**2 * d2mu - 9 * K, m_star / s.m / HBARC, J, 3 * n * dJ)
    return NuclearMatter(n, *(HBARC * a for a in out))


@jax.jit
def _saturations(q, guess):
    return jax.vmap(_saturation, in_axes=(0, None))(q, guess)


def saturation(q, guess=0.16):
    """Nuclear-matter parameters where symmetric matter has no pressure, between 0.03 and 0.4 fm^-3.

    Few couplings have two such densities: a dilute state below the usual one, or a collapsed one above.

    Parameters
    ----------
    q : Couplings of floats, or of (n,) arrays for a batch
    guess : float, the density next to this is taken [fm^-3]

    Returns
    -------
    NuclearMatter; NaN for members of a batch that do not saturate

    Raises
    ------
    ValueError
        one set that does not saturate, couplings that are not numbers, more than one axis
    """
    flat, shape = as_batch(q)
    out = in_blocks(lambda q: _saturations(q, guess), flat)
    if shape:
        return out
    out = NuclearMatter(*(a[0] for a in out))
    if not isinstance(out.rho_0, jax.core.Tracer) and not np.isfinite(out.rho_0):
        raise ValueError(
            f"symmetric matter of these couplings does not saturate between 0.03 and 0.4 fm^-3: {q}"
        )
    return out


def as_batch(q):
    """Couplings as arrays of one axis, and the shape given; ValueError for more axes or what is no number."""
    for name, value in q._asdict().items():
        if not isinstance(value, jax.core.Tracer) and np.asarray(value).dtype.kind not in "fiu":
            raise ValueError(f"{name} must be a number or an array of numbers, got {value!r}")
    shape = jnp.broadcast_shapes(*(jnp.shape(a) for a in q))
    if len(shape) > 1:
        raise ValueError(f"couplings must be numbers or arrays of one axis, got shape {shape}")
    return type(q)(*(jnp.broadcast_to(jnp.asarray(a, float), shape or (1,)) for a in q)), shape
