r"""Quark matter in the mean-field theory of QCD (MFTQCD): free quarks, a repulsive vector field, a bag.

Soft gluons condense into the bag constant B, hard gluons into a field that repels like a vector meson. With the
baryon density :math:`n_b = (n_u + n_d + n_s)/3` of quarks of three colours,

.. math::
    \varepsilon = \sum_q\varepsilon_q + \varepsilon_\mathrm{lep} + a\,n_b^2 + B, \qquad
    p = \sum_q p_q + p_\mathrm{lep} + a\,n_b^2 - B, \qquad
    \mu_q = \sqrt{k_q^2 + m_q^2} + \tfrac23 a\,n_b .

In beta equilibrium the field shifts all quarks alike, so that it drops out of the composition: with the kinetic
part :math:`\mu_F = \mu_b - 2 a n_b` of the baryon chemical potential, :math:`\mu_u = (\mu_F - 2\mu_e)/3` and
:math:`\mu_d = \mu_s = (\mu_F + \mu_e)/3`, charge neutrality alone fixes :math:`\mu_e(\mu_F)`.

D. A. Fogaca and F. S. Navarra, Phys. Lett. B 700 (2011) 236; M. Albino et al., arXiv:2406.15337.
"""

from enum import IntEnum
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.matter import leptons
from nslib.matter.eos import EOS
from nslib.units import HBARC, M_E, M_MU

#: published numbers c in a = c xi^2 (hbar c)^3: they differ by 8, so that the same xi means another repulsion
COEFFICIENTS = {"Fogaca2011": 27 / 16, "Albino2024": 27 / 2}
#: what is taken for quark matter at all; beyond it a parameter is in another unit [MeV^-1, MeV fm^-3, MeV]
RANGES = {"xi": (0.0, 0.02), "B": (0.0, 1000.0), "m_u": (0.0, 50.0), "m_d": (0.0, 50.0), "m_s": (0.0, 600.0)}
#: uniform priors of xi [MeV^-1] with the coefficient Albino2024, and of B [MeV fm^-3]
PRIOR = {"xi": (0.0, 0.0018), "B": (50.0, 180.0)}


class MFTQCD(NamedTuple):
    """xi = g / m_G [MeV^-1], bag constant B [MeV fm^-3], quark masses [MeV]; floats or arrays of a batch."""

    xi: float
    B: float
    m_u: float = 5.0
    m_d: float = 7.0
    m_s: float = 100.0


class QuarkMatter(NamedTuple):
    """Quarks and leptons in beta equilibrium, each an array of the shape asked for.

    n_b, n_u, n_d, n_s [fm^-3]; mu_b, mu_u, mu_d (that of s too), mu_e [MeV]; eps, p [MeV fm^-3]; cs2 [c^2].
    """

    n_b: jax.Array
    n_u: jax.Array
    n_d: jax.Array
    n_s: jax.Array
    mu_b: jax.Array
    mu_u: jax.Array
    mu_d: jax.Array
    mu_e: jax.Array
    eps: jax.Array
    p: jax.Array
    cs2: jax.Array


class Status(IntEnum):
    """What is to be said of one set of parameters."""

    OK = 0
    NOT_FINITE = 1
    OUT_OF_RANGE = 2
    NOT_FOUND = 3

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.OK: "quark matter found at every row",
            Status.NOT_FINITE: "a parameter is not finite",
            Status.OUT_OF_RANGE: "a parameter lies outside its range",
            Status.NOT_FOUND: "no neutral quark matter of this density or chemical potential without positrons",
        }[self]


def repulsion(xi, coefficient):
    """Strength a = c xi^2 (hbar c)^3 of the vector field [MeV fm^3], c one of ``COEFFICIENTS`` by name."""
    if coefficient not in COEFFICIENTS:
        raise ValueError(f"coefficient must be one of {', '.join(COEFFICIENTS)}, got {coefficient!r}")
    return COEFFICIENTS[coefficient] * xi**2 * HBARC**3


def in_prior(q):
    """Whether xi and B lie in ``PRIOR``, array of the shape of q."""
    inside = [(getattr(q, name) >= lo) & (getattr(q, name) <= hi) for name, (lo, hi) in PRIOR.items()]
    return inside[0] & inside[1]


def _gas(mu, m):
    """Density, its slope to mu [fm^-3, fm^-3 MeV^-1] and Fermi momentum [MeV] of one flavour: 2 spins, 3 colours."""
    k = leptons.momentum(mu, m)
    return k**3 / (jnp.pi**2 * HBARC**3), 3 * k * mu / (jnp.pi**2 * HBARC**3), k


def _energy(k, m):
    """Energy density of one flavour of Fermi momentum k [MeV], massless ones too [MeV fm^-3]."""
    E, some = jnp.sqrt(k**2 + m**2), jnp.where(m > 0, m, 1.0)
    logarithm = jnp.where(m > 0, m**4 * jnp.arcsinh(k / some), 0.0)
    return 3 / (8 * jnp.pi**2 * HBARC**3) * (k * E * (2 * k**2 + m**2) - logarithm)


def _charges(y, q, muons):
    """Net charge, baryon density and their derivatives at y = (mu_F, mu_e).

    Returns (c, n), (dc/dmu_F, dc/dmu_e), (dn/dmu_F, dn/dmu_e); dc/dmu_F = -dn/dmu_e, for both derive from p.
    """
    mu_F, mu_e = y
    mu_u, mu_d = (mu_F - 2 * mu_e) / 3, (mu_F + mu_e) / 3
    (n_u, u, _), (n_d, d, _), (n_s, s, _) = (_gas(*a) for a in ((mu_u, q.m_u), (mu_d, q.m_d), (mu_d, q.m_s)))
    k_l = leptons.momentum(mu_e, M_E) + (leptons.momentum(mu_e, M_MU) if muons else 0.0)
    c = (2 * n_u - n_d - n_s) / 3 - leptons.charge_density(mu_e, muons)
    mixed = (2 * u - d - s) / 9
    return (
        (c, (n_u + n_d + n_s) / 3),
        (mixed, -(4 * u + d + s) / 9 - k_l * mu_e / (jnp.pi**2 * HBARC**3)),
        ((u + d + s) / 9, -mixed),
    )


def _newton(y, q, a, target, by_density, muons):
    """One step of Newton's method for neutrality and the density, or the chemical potential, asked for."""
    (c, n), (c_F, c_e), (n_F, n_e) = _charges(y, q, muons)
    if by_density:
        f, f_F, f_e = n - target, n_F, n_e
    else:
        f, f_F, f_e = y[0] + 2 * a * n - target, 1 + 2 * a * n_F, 2 * a * n_e
    det = c_F * f_e - c_e * f_F
    return y[0] - (c * f_e - c_e * f) / det, y[1] - (c_F * f - c * f_F) / det


def _start(q, a, target, by_density):
    """(mu_F, mu_e) near the solution: massless quarks of three flavours, mu_e as small m_s or no strangeness make it."""
    per_cube = 1 / (27 * jnp.pi**2 * HBARC**3)
    if by_density:
        mu_F = jnp.cbrt(target / per_cube)
    else:
        mu_F = jnp.minimum(target, jnp.cbrt(target / (2 * a * per_cube + 1e-30)))
        for _ in range(3):
            mu_F = mu_F - (mu_F + 2 * a * per_cube * mu_F**3 - target) / (1 + 6 * a * per_cube * mu_F**2)
    return mu_F, jnp.minimum(0.75 * q.m_s**2 / mu_F, 0.07 * mu_F)


def solve(q, a, target, *, by_density, muons=True, start=None, steps=5):
    """(mu_F, mu_e) [MeV] of neutral quark matter, and whether they were found; right first derivatives.

    Parameters
    ----------
    q : MFTQCD of scalars
    a : scalar, strength of the vector field [MeV fm^3]
    target : scalar, n_b [fm^-3] if ``by_density``, else mu_b [MeV]
    by_density, muons : bools
    start : (mu_F, mu_e), optional
    steps : int, of Newton's method, before a last one that carries the derivatives
    """
    fixed = jax.lax.stop_gradient((q, a, target))
    y = _start(*fixed, by_density) if start is None else jax.lax.stop_gradient(start)
    if steps:
        y = jax.lax.fori_loop(0, steps, lambda _, y: _newton(y, *fixed, by_density, muons), y)
    y = jax.lax.stop_gradient(y)
    out = _newton(y, q, a, target, by_density, muons)
    near = jnp.maximum(jnp.abs(out[0] - y[0]), jnp.abs(out[1] - y[1])) < 1e-8 * jnp.abs(y[0])
    threshold = jnp.maximum(q.m_u + 2 * q.m_d, 0.0)
    return out, near & (out[0] > threshold) & (out[1] > -1e-6 * out[0]) & (out[0] > 2 * out[1])


def matter(y, q, a, muons=True):
    r"""Quark matter at a solution y = (mu_F, mu_e) of :func:`solve`, scalars or arrays of one shape.

    The sound speed is exact: with :math:`n' = \mathrm d n_b / \mathrm d\mu_F` along neutral matter,

    .. math:: c_s^2 = \frac{n_b}{\mu_b}\left(\frac{1}{n'} + 2a\right).

    Parameters
    ----------
    y : pair of arrays [MeV]
    q : MFTQCD
    a : strength of the vector field [MeV fm^3]
    muons : bool

    Returns
    -------
    QuarkMatter
    """
    mu_F, mu_e = y
    mu_u, mu_d = (mu_F - 2 * mu_e) / 3, (mu_F + mu_e) / 3
    (n_u, _, k_u), (n_d, _, k_d), (n_s, _, k_s) = (
        _gas(*a) for a in ((mu_u, q.m_u), (mu_d, q.m_d), (mu_d, q.m_s))
    )
    (_, n), (c_F, c_e), (n_F, n_e) = _charges(y, q, muons)
    kinetic = _energy(k_u, q.m_u) + _energy(k_d, q.m_d) + _energy(k_s, q.m_s)
    eps = kinetic + leptons.total_energy_density(mu_e, muons) + a * n**2 + q.B
    mu_b, shift = mu_F + 2 * a * n, 2 / 3 * a * n
    cs2 = n / mu_b * (1 / (n_F - n_e * c_F / c_e) + 2 * a)
    p = mu_F * n - (eps - a * n**2 - q.B) + a * n**2 - q.B
    return QuarkMatter(n, n_u, n_d, n_s, mu_b, mu_u + shift, mu_d + shift, mu_e, eps, p, cs2)


@partial(jax.jit, static_argnames=("by_density", "muons"))
def _rows(q, a, target, *, by_density, muons):
    """QuarkMatter of each member q (n_eos,) at its targets (n_eos, n_row), NaN where there is none; and found."""

    def one(q, a, target):
        y, found = solve(q, a, target, by_density=by_density, muons=muons)
        out = matter(y, q, a, muons)
        return jax.tree.map(lambda a: jnp.where(found, a, jnp.nan), out), found

    return jax.vmap(jax.vmap(one, in_axes=(None, None, 0)))(q, a, target)


def status_of(q):
    """Status of each member of a batch, MFTQCD of (n_eos,) arrays, before anything is solved."""
    inside = jnp.stack([(getattr(q, k) >= lo) & (getattr(q, k) <= hi) for k, (lo, hi) in RANGES.items()]).all(
        axis=0
    )
    finite = jnp.all(jnp.isfinite(jnp.stack(q)), axis=0)
    return jnp.where(finite, jnp.where(inside, 0, int(Status.OUT_OF_RANGE)), int(Status.NOT_FINITE))


def as_batch(q):
    """MFTQCD as arrays of one axis, and the shape given.

    ValueError for more axes, what is no number, and a single parameter outside ``RANGES``.
    """
    for name, value in q._asdict().items():
        if isinstance(value, jax.core.Tracer):
            continue
        if np.asarray(value).dtype.kind not in "fiu":
            raise ValueError(f"{name} must be a number or an array of numbers, got {value!r}")
        lo, hi = RANGES[name]
        if np.ndim(value) == 0 and not lo <= value <= hi:
            raise ValueError(f"{name} must lie in [{lo:g}, {hi:g}] {_UNITS[name]}, got {float(value):g}")
    shape = jnp.broadcast_shapes(*(jnp.shape(a) for a in q))
    if len(shape) > 1:
        raise ValueError(f"parameters must be numbers or arrays of one axis, got shape {shape}")
    return MFTQCD(*(jnp.broadcast_to(jnp.asarray(a, float), shape or (1,)) for a in q)), shape


_UNITS = {"xi": "MeV^-1", "B": "MeV fm^-3", "m_u": "MeV", "m_d": "MeV", "m_s": "MeV"}


def _solved(q, target, name, by_density, coefficient, muons):
    """QuarkMatter of q at a target or several; status; for a single q ValueError where there is none."""
    target = np.asarray(target, dtype=float)
    if target.ndim > 1 or not np.all(np.isfinite(target) & (target > 0)):
        raise ValueError(f"{name} must be a finite number > 0, or an array of one axis of such, got {target}")
    flat, shape = as_batch(q)
    each = jnp.broadcast_to(target.ravel(), (flat.xi.shape[0], target.size))
    out, found = in_blocks(
        lambda q, a, target: _rows(q, a, target, by_density=by_density, muons=muons),
        flat, repulsion(flat.xi, coefficient), each,
    )  # fmt: skip
    status = status_of(flat)
    status = jnp.where((status == 0) & ~jnp.all(found, axis=-1), int(Status.NOT_FOUND), status)
    out = jax.tree.map(lambda a: jnp.where(((status == 0) | (status == 3))[:, None], a, jnp.nan), out)
    if not shape and not isinstance(status, jax.core.Tracer) and int(status[0]):
        where = target.ravel()[np.argmin(np.asarray(found[0]))]
        raise ValueError(f"{name} = {where:.4g}: {Status(int(status[0])).sentence}; {q}")
    out = jax.tree.map(lambda a: a.reshape(a.shape[:1] + target.shape), out)
    return (out, status) if shape else jax.tree.map(lambda a: a[0], (out, status))


def at_density(q, n_b, *, coefficient="Albino2024", muons=True):
    """Neutral quark matter in beta equilibrium at given baryon densities.

    Parameters
    ----------
    q : MFTQCD of floats, or of (n_eos,) arrays for a batch
    n_b : float or (n_row,) array, baryon density, > 0 [fm^-3]
    coefficient : one of ``COEFFICIENTS``, what xi multiplies
    muons : bool, count muons

    Returns
    -------
    QuarkMatter of arrays shaped (n_eos,) if a batch, and then as n_b; NaN where a parameter is outside ``RANGES``

    Raises
    ------
    ValueError
        a density that is not positive, an unknown coefficient, one parameter outside ``RANGES``
    """
    return _solved(q, n_b, "n_b", True, coefficient, muons)[0]


def at_potential(q, mu_b, *, coefficient="Albino2024", muons=True):
    """Neutral quark matter in beta equilibrium at given baryon chemical potentials mu_b [MeV]; see :func:`at_density`."""
    return _solved(q, mu_b, "mu_b", False, coefficient, muons)[0]


def equation_of_state(q, n_b, *, coefficient="Albino2024", muons=True):
    """Quark matter as an EOS: the dense side of a phase transition, or from the row of zero pressure up a bare star.

    Parameters
    ----------
    q, coefficient, muons : as in :func:`at_density`
    n_b : (n_row,) array, densities rising from above 0 [fm^-3]

    Returns
    -------
    EOS, one or a batch, with ``status`` (:class:`Status`). The bag makes the pressure negative at low density.

    Raises
    ------
    ValueError
        as :func:`at_density`, and densities that do not rise
    """
    n_b = np.asarray(n_b, dtype=float)
    if n_b.ndim != 1 or len(n_b) < 4 or not np.all(np.diff(n_b) > 0):
        raise ValueError("n_b must be at least 4 densities rising from above 0 fm^-3")
    u, status = _solved(q, n_b, "n_b", True, coefficient, muons)
    return EOS(u.eps, u.p, jnp.broadcast_to(n_b, u.p.shape), u.mu_b, u.cs2, status=status)
