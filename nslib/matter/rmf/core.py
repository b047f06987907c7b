"""Matter of neutrons, protons and leptons in beta equilibrium in the relativistic mean-field model."""

from enum import IntEnum
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.interpolate import hermite
from nslib.matter import leptons
from nslib.matter.eos import EOS
from nslib.matter.nuclear import Equilibrium
from nslib.matter.rmf.couplings import scalar_density, scaled
from nslib.matter.rmf.fields import (
    as_batch,
    fermi,
    newton_step,
    nucleons,
    omega_equation,
    rho_field,
    sigma_equation,
    symmetric_fields,
    symmetric_start,
    symmetry_energy_at,
)
from nslib.units import HBARC

#: densities of a core, 0.06 to 2 fm^-3, log-uniform [fm^-3]
DENSITIES = np.geomspace(0.06, 2.0, 160)


class EndStatus(IntEnum):
    """How far the fields of one equation of state go."""

    OK = 0
    NOT_FINITE = 1
    BRANCH_ENDS = 2

    @property
    def sentence(self):
        """The status in words."""
        return {
            EndStatus.OK: "fields found at every density",
            EndStatus.NOT_FINITE: "a coupling or mass is not finite",
            EndStatus.BRANCH_ENDS: "the fields do not continue to the last density",
        }[self]


def _conditions(y, n, s, muons):
    """Field equations of Sigma and W, and mu_n - mu_p = mu_e, at y = (Sigma, W, mu_e) [powers of fm]."""
    S, W, mu_e = y
    n_p = leptons.charge_density(mu_e * HBARC, muons)
    n_n, m = n - n_p, s.m - S
    E_n, E_p = jnp.sqrt(fermi(n_n) ** 2 + m**2), jnp.sqrt(fermi(n_p) ** 2 + m**2)
    beta = E_n - E_p - rho_field(n_n, n_p, W, s) - mu_e
    return sigma_equation(S, n_n, n_p, s), omega_equation(W, n_n, n_p, s), beta


def _solve(y, n, r, s, muons):
    """dy with J dy = r by Cramer's rule, J the Jacobian of the conditions at y, and the determinant of J."""
    S, W, mu_e = y
    n_p, dn = jax.jvp(lambda mu: leptons.charge_density(mu * HBARC, muons), (mu_e,), (jnp.ones_like(n),))
    n_n, m, D = n - n_p, s.m - S, s.a_r + s.Lambda_v * W**2
    k_n, k_p, R = fermi(n_n), fermi(n_p), rho_field(n_n, n_p, W, s)
    E_n, E_p = jnp.sqrt(k_n**2 + m**2), jnp.sqrt(k_p**2 + m**2)
    rho_sm = sum(3 * (scalar_density(k, m) / m - n / E) for k, n, E in ((k_n, n_n, E_n), (k_p, n_p, E_p)))
    SS, Su, uS = s.a_s + S * (2 * s.b + 3 * S * s.c) + rho_sm, (m / E_n - m / E_p) * dn, m / E_p - m / E_n
    c = 2 * s.Lambda_v * W * R / D
    WW, Wu, uW = s.a_w + 3 * s.C * W**2 + s.Lambda_v * R**2 - c**2 * D, c * dn, c
    uu = -1 - dn * (jnp.pi**2 / (k_n * E_n) + jnp.pi**2 / (k_p * E_p) + 1 / D)
    W_u = WW * uu - Wu * uW
    det = SS * W_u - Su * WW * uS
    dS = r[0] * W_u + Su * (r[1] * uW - WW * r[2])
    dW = SS * (r[1] * uu - Wu * r[2]) + uS * (r[0] * Wu - Su * r[1])
    dmu = WW * (SS * r[2] - uS * r[0]) - SS * uW * r[1]
    return (dS / det, dW / det, dmu / det), det


def _newton(y, n, s, muons):
    """One step of Newton's method for the conditions, its largest change, and the Jacobian's determinant."""
    dy, det = _solve(y, n, _conditions(y, n, s, muons), s, muons)
    return tuple(a - d for a, d in zip(y, dy)), jnp.max(jnp.abs(jnp.stack(dy))), det


def _tangent(y, n, s, muons):
    """dy/dn of the solution y, by the implicit function, and the determinant of the Jacobian."""
    dr = jax.jvp(lambda n: _conditions(y, n, s, muons), (n,), (jnp.ones_like(n),))[1]
    dy, det = _solve(y, n, dr, s, muons)
    return tuple(-d for d in dy), det


def _path(n, s, muons):
    """y and dy/dn along the densities n, from near the vacuum up, NaN from the end of the branch.

    Each follows from the tangent of the last. The determinant of the Jacobian is negative on the branch that
    begins in the vacuum, and zero where that ends.
    """
    S, W = symmetric_fields(n[0], s, symmetric_start(n[0], s))
    top = 4 * symmetry_energy_at(n[0], S, W, s)
    excess = lambda mu: leptons.charge_density(mu * HBARC, muons) - n[0] / 2 * (1 - mu / top)  # noqa: E731
    start = S, W, jax.lax.fori_loop(0, 6, lambda _, mu: newton_step(excess, mu), top)

    def advance(state, n):
        before, y, dy = state
        guess = tuple(a + (n - before) * d for a, d in zip(y, dy))
        y = jax.lax.fori_loop(0, 3, lambda _, y: _newton(y, n, s, muons)[0], guess)
        dy, det = _tangent(y, n, s, muons)
        near = sum(jnp.abs(a - g) for a, g in zip(y, guess)) < 0.1 * (y[0] + y[1] + y[2])
        y = tuple(jnp.where((n == before) | (near & (det < 0) & (y[0] < s.m)), a, jnp.nan) for a in y)
        return (n, y, dy), (y, dy)

    first = jnp.full(3, n[0])  # three times three steps from the start
    y, dy = jax.lax.scan(advance, (n[0], start, (0.0, 0.0, 0.0)), jnp.concatenate([first, n[1:]]))[1]
    return jax.tree.map(lambda a: a[2:], (y, dy))


def _between(n, nodes, y, dy):
    """Cubic interpolant at the densities n of y and dy/dn at the nodes."""
    i = jnp.clip(jnp.searchsorted(nodes, n) - 1, 0, len(nodes) - 2)
    h = nodes[i + 1] - nodes[i]
    return tuple(hermite((n - nodes[i]) / h, h, a[i], a[i + 1], d[i], d[i + 1]) for a, d in zip(y, dy))


def _equilibrium(n, y, s, muons):
    """Beta equilibrium at one density from an approximate y, and whether y was found.

    One step of Newton's method with derivatives makes y right to first order in n and s; dy/dn, from the
    implicit function, is explicit in y, so that the sound speed has right derivatives too.
    """
    fixed = jax.lax.stop_gradient((n, s))
    y = jax.lax.fori_loop(0, 5, lambda _, y: _newton(y, *fixed, muons)[0], jax.lax.stop_gradient(y))
    y, last, det = _newton(jax.lax.stop_gradient(y), n, s, muons)
    dy = _tangent(y, n, s, muons)[0]
    one = jnp.ones_like(n)

    def matter(n, y):
        n_p = leptons.charge_density(y[2] * HBARC, muons)
        return nucleons(n - n_p, n_p, y[0], y[1], s), n_p / n

    (u, x), (du, _) = jax.jvp(matter, (n, y), (one, dy))
    mu_e = y[2] * HBARC
    eps = u.eps + leptons.total_energy_density(mu_e, muons)
    out = Equilibrium(x, mu_e, u.mu_n, eps, n * u.mu_n - eps, n / u.mu_n * du.mu_n)
    return out, (det < 0) & (last < 1e-9) & (y[0] < s.m)


@partial(jax.jit, static_argnames="muons")
def _equilibria(q, n_b, muons):
    """Beta equilibrium at the densities n_b (n_row,), NaN from the first without; how many have one."""
    nodes = jnp.geomspace(n_b[0] / 32, n_b[-1], 128)

    def one(q):
        s = scaled(q)
        start = _between(n_b, nodes, *_path(nodes, jax.lax.stop_gradient(s), muons))
        out, found = jax.vmap(lambda n, y: _equilibrium(n, y, s, muons))(n_b, start)
        whole = jnp.cumprod(found).astype(bool)
        return jax.tree.map(lambda a: jnp.where(whole, a, jnp.nan), out), jnp.sum(whole)

    return jax.vmap(one)(q)


def beta_equilibrium(q, n_b=None, muons=True):
    """Beta-equilibrated, neutral matter of neutrons, protons and leptons, with exact mu and sound speed.

    Parameters
    ----------
    q : Couplings of floats, or of (n_eos,) arrays for a batch
    n_b : (n_row,) array, densities rising from above 0, by default ``DENSITIES`` [fm^-3]
    muons : bool, count muons

    Returns
    -------
    Equilibrium of (n_row,) or (n_eos, n_row) arrays, NaN from the first density on at which the fields that
    begin in the vacuum have no solution; right first derivatives to q

    Raises
    ------
    ValueError
        densities that do not rise from above 0, couplings that are not numbers, more than one axis
    """
    n_b, flat, shape = _arguments(q, n_b)
    out = in_blocks(lambda q: _equilibria(q, n_b, muons)[0], flat)
    return out if shape else jax.tree.map(lambda a: a[0], out)


def equation_of_state(q, n_b=None, muons=True):
    """Core of neutrons, protons and leptons in beta equilibrium; join a crust to it before solving stars.

    Parameters
    ----------
    q, n_b, muons : as in :func:`beta_equilibrium`

    Returns
    -------
    EOS, one or a batch, with ``status`` (:class:`EndStatus`). At low density its pressure may fall or be
    negative; a join begins above that.

    Raises
    ------
    ValueError
        as :func:`beta_equilibrium`, and one set whose fields end below the last density; in a batch such a
        member has a status, and rows of NaN from there on
    """
    n_b, flat, shape = _arguments(q, n_b)
    matter, n_found = in_blocks(lambda q: _equilibria(q, n_b, muons), flat)
    finite = jnp.all(jnp.isfinite(jnp.stack(flat)), axis=0)
    status = jnp.where(
        finite, jnp.where(n_found < len(n_b), int(EndStatus.BRANCH_ENDS), 0), int(EndStatus.NOT_FINITE)
    )
    rows = jnp.broadcast_to(n_b, matter.p.shape)
    out = EOS(matter.eps, matter.p, rows, matter.mu_b, matter.cs2, status=status)
    if shape:
        return out
    if not isinstance(status, jax.core.Tracer) and int(status[0]):
        end = f"; the last with a solution is {n_b[int(n_found[0]) - 1]:.4g} fm^-3" if int(n_found[0]) else ""
        raise ValueError(
            f"n_b: {EndStatus(int(status[0])).sentence}, {n_b[-1]:.4g} fm^-3{end}; couplings {q}"
        )
    return out[0]


def _arguments(q, n_b):
    """Densities and Couplings as arrays, and the shape of the latter as given."""
    n_b = DENSITIES if n_b is None else np.asarray(n_b, dtype=float)
    if n_b.ndim != 1 or len(n_b) < 4 or not np.all(n_b > 0) or not np.all(np.diff(n_b) > 0):
        raise ValueError("n_b must be at least 4 densities rising from above 0 fm^-3")
    return n_b, *as_batch(q)
