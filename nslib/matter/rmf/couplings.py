r"""Lagrangian of the relativistic mean-field model: couplings, conventions, the branch of the sigma field.

The Lagrangian is that of A. Venneti et al., arXiv:2504.03333, equations 1-2. In uniform matter

.. math::
    \varepsilon = \varepsilon_\mathrm{kin}(m^*) + \tfrac12 m_\sigma^2\sigma^2 + \tfrac{A}{3}\sigma^3
    + \tfrac{B}{4}\sigma^4 - \tfrac12 m_\omega^2\omega^2 - \tfrac{C}{4}(g_\omega\omega)^4
    - \tfrac12 m_\rho^2\rho^2 - \tfrac12\Lambda_\mathrm{v}(g_\omega\omega)^2(g_\rho\rho)^2 + g_\omega\omega\,n
    + \tfrac12 g_\rho\rho\,(n_p - n_n), \qquad m^* = m - g_\sigma\sigma.

Conventions that differ between authors: :math:`\sigma > 0` attracts, so A is +10.431 fm^-1 for NL3, whose g2
is -10.431 fm^-1; g_rho goes with tau/2; Lambda_v is twice, C a sixth of the Lambda_v and zeta of the FSU
sets.

The solvers work in powers of fm, with the potentials :math:`\Sigma = g_\sigma\sigma`, :math:`W =
g_\omega\omega`, :math:`R = g_\rho\rho` as fields and the strengths :math:`a_s = m_\sigma^2/g_\sigma^2`,
:math:`b = A/g_\sigma^3`, :math:`c = B/g_\sigma^4`, :math:`a_w = m_\omega^2/g_\omega^2`, :math:`a_r =
m_\rho^2/g_\rho^2`.
"""

from typing import NamedTuple

import jax.numpy as jnp

from nslib.tables.rmf_sets import rmf_set
from nslib.units import HBARC


class Couplings(NamedTuple):
    """g_sigma, g_omega, g_rho [1], A [fm^-1], B, C, Lambda_v [1]; masses m_sigma, m_omega, m_rho, m [MeV].

    Each a float, or an array of a batch. The default masses are those of the paper; m is that of NL3.
    """

    g_sigma: float
    g_omega: float
    g_rho: float
    A: float
    B: float
    C: float
    Lambda_v: float
    m_sigma: float = 508.1941
    m_omega: float = 782.501
    m_rho: float = 763.0
    m: float = 939.0


class NuclearMatter(NamedTuple):
    """Nuclear-matter parameters in the letters of the paper, each a float, or an array of a batch.

    rho_0 [fm^-3], the density of saturation; E_0, K_0, Q_0 [MeV], energy per nucleon without rest mass,
    incompressibility and skewness; m_star [1], Dirac mass over m; J_0, L_0 [MeV], symmetry energy and slope.
    ``nslib.matter.nuclear`` calls Q_0 J_0, and J_0 and L_0 S and L.
    """

    rho_0: float
    E_0: float
    K_0: float
    Q_0: float
    m_star: float
    J_0: float
    L_0: float


class Scaled(NamedTuple):
    """Strengths of the potentials: a_s, a_w, a_r [fm^-2], b [fm^-1], c, C, Lambda_v [1]; m [fm^-1]."""

    a_s: float
    b: float
    c: float
    a_w: float
    C: float
    a_r: float
    Lambda_v: float
    m: float


def published(name):
    """Couplings of a published set, one of ``nslib.tables.rmf_sets.NAMES``; ValueError for another name."""
    s = rmf_set(name)
    masses = s["m_s"], s["m_v"], s["m_rho"], s["m"]
    if s["convention"] == "g2-g3":
        return Couplings(
            s["g_s"], s["g_v"], 2 * s["g_rho"], -s["g2"], s["g3"], s["c3"] / s["g_v"] ** 4, 0.0, *masses
        )
    g_s, g_v, g_rho = (s[g] ** 0.5 for g in ("g_s2", "g_v2", "g_rho2"))
    A, B = s["kappa"] / 2 * g_s**3 / HBARC, s["lambda"] / 6 * g_s**4
    return Couplings(g_s, g_v, g_rho, A, B, s["zeta"] / 6, 2 * s["Lambda_v"], *masses)


def scaled(q):
    """Strengths of the fields as potentials, from Couplings."""
    a_s, a_w, a_r = (
        (m / (HBARC * g)) ** 2
        for m, g in ((q.m_sigma, q.g_sigma), (q.m_omega, q.g_omega), (q.m_rho, q.g_rho))
    )
    return Scaled(a_s, q.A / q.g_sigma**3, q.B / q.g_sigma**4, a_w, q.C, a_r, q.Lambda_v, q.m / HBARC)


def unscaled(s, m_sigma, m_omega, m_rho):
    """Couplings from the strengths, NaN where one is imaginary; masses [MeV]."""
    root = lambda a: jnp.sqrt(jnp.where(a > 0, a, jnp.nan))  # noqa: E731
    g_s, g_w, g_r = (m / HBARC / root(a) for m, a in ((m_sigma, s.a_s), (m_omega, s.a_w), (m_rho, s.a_r)))
    return Couplings(
        g_s, g_w, g_r, s.b * g_s**3, s.c * g_s**4, s.C, s.Lambda_v, m_sigma, m_omega, m_rho, s.m * HBARC
    )


def scalar_density(k, m):
    r"""Scalar density of one kind of nucleon, :math:`\frac{m}{2\pi^2}[kE - m^2\ln\frac{k + E}{m}]` [fm^-3].

    k, m : arrays, Fermi momentum and Dirac mass [fm^-1]
    """
    E = jnp.sqrt(k**2 + m**2)
    return m / (2 * jnp.pi**2) * (k * E - m**2 * jnp.log((k + E) / m))


def omega_end(s):
    """Density at which omega turns back, (2/3) a_w sqrt(a_w / 3|C|) if C < 0, else infinity [fm^-3]."""
    turns = s.C < 0
    return jnp.where(turns, 2 / 3 * s.a_w * jnp.sqrt(s.a_w / (3 * jnp.where(turns, -s.C, 1.0))), jnp.inf)


def symmetric_branch(s, n_node=64):
    r"""The sigma field of symmetric matter from the vacuum up: the density that has it, at nodes of the
    field.

    With t = k/m*, the field equation :math:`a_s\Sigma + b\Sigma^2 + c\Sigma^3 = \rho_s` is
    :math:`t\sqrt{1+t^2} - \operatorname{arsinh} t = \pi^2 U'(\Sigma)/m^{*3}`, solved for t by one step of
    Newton's method from a start good to 1e-3. Density rises with the field as long as :math:`U'' +
    \partial\rho_s/\partial m^* > 0`; where it does not, matter has no continuous continuation.

    Parameters
    ----------
    s : Scaled of scalars
    n_node : int, number of nodes, evenly from 0 to m, both left out

    Returns
    -------
    Sigma [fm^-1], density [fm^-3], and whether the branch is whole up to there: (n_node - 1,) arrays
    """
    S = s.m * jnp.arange(1, n_node) / n_node
    m = s.m - S
    dU, d2U = S * (s.a_s + S * (s.b + S * s.c)), s.a_s + S * (2 * s.b + 3 * S * s.c)
    w = jnp.pi**2 * jnp.where(dU > 0, dU, 1.0) / m**3
    t = jnp.cbrt(1.5 * w)
    t = t * jnp.sqrt(jnp.sqrt(1 + 4 / 9 * t**2))
    root = jnp.sqrt(1 + t**2)
    t = t - (t * root - jnp.log(t + root) - w) * root / (2 * t**2)
    n = 2 * (m * t) ** 3 / (3 * jnp.pi**2)
    slope = d2U + 3 * (dU - n / jnp.sqrt(1 + t**2)) / m
    rises = jnp.diff(n, prepend=0.0) > 0
    return S, n, jnp.cumprod((dU > 0) & (slope > 0) & rises).astype(bool)
