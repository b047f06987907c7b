r"""Couplings from nuclear-matter parameters."""

from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.batches import in_blocks
from nslib.matter.rmf.couplings import (
    Couplings,
    NuclearMatter,
    Scaled,
    omega_end,
    scalar_density,
    symmetric_branch,
    unscaled,
)
from nslib.units import HBARC

#: ranges of the uniform prior: A. Venneti et al., arXiv:2504.03333, table 1
PRIOR = NuclearMatter((0.14, 0.17), (-16.5, -15.5), (150, 300), (-1500, 400), (0.5, 0.8), (20, 40), (20, 100))
#: what has to be positive, and below what
_POSITIVE = dict.fromkeys(("rho_0", "K_0", "m_sigma", "m_omega", "m_rho", "m"), np.inf) | {"m_star": 1}
#: how far below zero C W^3 / rho and Lambda_v may lie and still count as zero: rounding, when they are zero
ROUNDING = 1e-8
#: the branch of the fields has to reach this multiple of rho_0
REACH = 1.5


class Status(IntEnum):
    """Whether couplings exist, or else the test that stopped the root which came furthest."""

    OK = 0
    NOT_FINITE = 1
    OUT_OF_RANGE = 2
    NO_REPULSION = 3
    J_BELOW_KINETIC = 4
    NO_ROOT = 5
    SIGMA_IMAGINARY = 6
    RHO_IMAGINARY = 7
    BRANCH_ENDS = 8
    C_NEGATIVE = 9
    LAMBDA_NEGATIVE = 10

    @property
    def sentence(self):
        """The status in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.OK: "couplings found",
    Status.NOT_FINITE: "a parameter is not finite",
    Status.OUT_OF_RANGE: "rho_0, K_0 and the masses must be positive, m_star between 0 and 1",
    Status.NO_REPULSION: "m_star is so large that the vector field would have to attract",
    Status.J_BELOW_KINETIC: "J_0 is not above its kinetic part",
    Status.NO_ROOT: "no strength of the quartic omega term gives this Q_0",
    Status.SIGMA_IMAGINARY: "g_sigma^2 would be negative",
    Status.RHO_IMAGINARY: "g_rho^2 would be negative",
    Status.BRANCH_ENDS: "sigma or omega field does not connect vacuum with 1.5 rho_0 continuously",
    Status.C_NEGATIVE: "C would be negative",
    Status.LAMBDA_NEGATIVE: "Lambda_v would be negative",
}


class Inversion(NamedTuple):
    """Couplings from nuclear-matter parameters; arrays of shape (n,) for a batch, () for one.

    couplings : Couplings of the chosen root, NaN where there is none
    z : C W^3 / rho_0 of the chosen root [1]
    status : int of :class:`Status`
    roots : (..., 4) array, z of every root in (-1/2, 1), largest first, NaN where there are fewer
    root_couplings : Couplings of (..., 4) arrays, NaN where imaginary
    root_status : (..., 4) int array of :class:`Status`, what stops each root
    """

    couplings: Couplings
    z: jax.Array
    status: jax.Array
    roots: jax.Array
    root_couplings: Couplings
    root_status: jax.Array


def _reaches(s, rho_0, S_0):
    """Whether the branch from the vacuum passes through S_0 at rho_0 and on to ``REACH`` rho_0."""
    S, n, whole = symmetric_branch(s)
    beyond = whole & (n >= REACH * rho_0)
    return jnp.any(beyond) & (S_0 < S[jnp.argmax(beyond)]) & (omega_end(s) > REACH * rho_0)


class _Saturation(NamedTuple):
    """Symmetric matter at saturation for one strength of the quartic omega term [powers of fm]."""

    X: float
    mismatch: float
    k: float
    E: float
    dE: float
    W: float
    strengths: tuple


def _at_saturation(v, q, m):
    r"""Symmetric matter at saturation, if v = 1 + 2 z with z = C W^3 / rho; m [fm^-1].

    The theorem of Hugenholtz and Van Hove, m + E_0 = E + W, gives W; E_0 gives U, K_0 gives U'' and the field
    equation U'; these three and z fix a_s, b, c, a_w and C. What remains is Q_0: ``mismatch`` is
    :math:`\mu'' - (Q_0 + 9K_0)/27\rho^2`, and v^3 times it is a polynomial of fourth degree in v. ``X`` is
    (m*/E) dSigma/drho, which has to be positive.
    """
    rho, e, K, m_star = q.rho_0, q.E_0 / HBARC + m, q.K_0 / HBARC, q.m_star * m
    k, S = jnp.cbrt(1.5 * jnp.pi**2 * rho), m - m_star
    E = jnp.sqrt(k**2 + m_star**2)
    rho_s = 2 * scalar_density(k, m_star)
    rho_sm = 3 * (rho_s / m_star - rho / E)  # d rho_s / d m*
    W, z = e - E, (v - 1) / 2
    dW = W / (rho * v)
    d2W = -6 * z * rho * dW**3 / W**2

    U = rho * e - 0.75 * E * rho - 0.25 * m_star * rho_s - rho * W * (0.5 + z / 4)
    X, h = k**2 / (3 * rho * E) + dW - K / (9 * rho), m_star / E
    d2U = h**2 / X - rho_sm
    d3U_X = ((24 * U - 18 * rho_s * S - 6 * rho_sm * S**2) * X + 6 * (h * S) ** 2) / S**3  # U''' X

    dS = X / h
    dE = k**2 / (3 * rho * E) - h * dS
    dh = -dS / E - h * dE / E
    drho_sm = 3 * ((h - rho_sm * dS) / m_star + rho_s * dS / m_star**2 - 1 / E + rho * dE / E**2)
    d2S = (X * (dh - dS * drho_sm) - d3U_X * dS**2) / h**2
    d2E = (-(k**2) / (9 * rho**2) + dS**2 - m_star * d2S - dE**2) / E
    mismatch = d2E + d2W - (q.Q_0 / HBARC + 9 * K) / (27 * rho**2)

    s1, s2 = rho_s * S, d2U * S**2
    a_s, b, c = (
        (12 * U - 6 * s1 + s2) / S**2,
        (15 * s1 - 3 * s2 - 24 * U) / S**3,
        (12 * U - 8 * s1 + 2 * s2) / S**4,
    )
    return _Saturation(X, mismatch, k, E, dE, W, (a_s, b, c, rho * (1 - z) / W, z * rho / W**3))


def _isovector(at, v, q):
    """D = a_r + Lambda_v W^2 from J_0, and Lambda_v from L_0 [powers of fm]."""
    rho, J, L = q.rho_0, q.J_0 / HBARC, q.L_0 / HBARC
    dJ_kin = at.k**2 / (9 * rho * at.E) - at.k**2 * at.dE / (6 * at.E**2)
    D = rho / (8 * (J - at.k**2 / (6 * at.E)))
    Lambda_v = (1 / (8 * D) - (L / (3 * rho) - dJ_kin)) * 4 * D**2 * v / at.W**2
    return D, Lambda_v


#: nodes on [-1, 1] at which the quartic is sampled, and the matrix from the samples to its coefficients
_NODES = np.cos(np.pi * (np.arange(5) + 0.5) / 5)
_TO_COEFFICIENTS = np.linalg.inv(np.vander(_NODES, increasing=True))


def _roots_between(p, lo, hi):
    """Every root in (lo, hi) of the quartic p (5,), lowest power first: (4,), rising, NaN where fewer.

    Between two neighbouring roots of its derivative a polynomial has at most one root: bisected, from the
    third derivative down. The last step is Newton's, so that the roots have derivatives.
    """
    tower = [p]
    for _ in range(3):
        tower.append(tower[-1][1:] * jnp.arange(1, len(tower[-1])))
    value = lambda p, t: sum(p[i] * t**i for i in range(len(p)))  # noqa: E731
    ends = jnp.stack([lo, hi])
    for f in jax.lax.stop_gradient(tower[::-1]):
        a, b = ends[:-1], ends[1:]
        up = value(f, b) > value(f, a)

        def halve(_, ab, f=f, up=up):
            mid = (ab[0] + ab[1]) / 2
            left = (value(f, mid) > 0) == up
            return jnp.where(left, ab[0], mid), jnp.where(left, mid, ab[1])

        crosses = (value(f, a) > 0) != (value(f, b) > 0)
        _, root = jax.lax.fori_loop(0, 54, halve, (a, b))
        ends = jnp.concatenate([lo[None], root, hi[None]])
    root = jax.lax.stop_gradient(root)
    step = value(p, root) / value(tower[1], root)
    return jnp.where(crosses, root - jnp.where(jnp.abs(step) < 1e-3, step, 0.0), jnp.nan)


def _invert_one(q, masses, positive):
    """:func:`invert` of one set of scalars; masses (m_sigma, m_omega, m_rho, m) [MeV]; positive: bool."""
    m = masses[3] / HBARC
    at = _at_saturation(1.5 * (1 + _NODES), q, m)
    samples = (1.5 * (1 + _NODES)) ** 3 * at.mismatch
    k, E, W = at.k, at.E, at.W
    y_min = (q.K_0 / HBARC - 3 * k**2 / E) / 9  # rho dW / d rho where X = 0
    v_max = jnp.where(3 * y_min > W, W / y_min, 3.0)
    t = _roots_between(_TO_COEFFICIENTS @ samples, -jnp.ones_like(v_max), v_max / 1.5 - 1)[::-1]
    v = 1.5 * (1 + t[jnp.argsort(jnp.isnan(t), stable=True)])

    at = jax.vmap(lambda v: _at_saturation(v, q, m))(v)
    D, Lambda_v = _isovector(at, v, q)
    a_s, b, c, a_w, C = at.strengths
    s = Scaled(a_s, b, c, a_w, C, D - Lambda_v * at.W**2, Lambda_v, jnp.full_like(v, m))
    reaches = jax.vmap(lambda s: _reaches(s, q.rho_0, (1 - q.m_star) * m))(jax.lax.stop_gradient(s))
    z = (v - 1) / 2
    finite = jnp.all(jnp.isfinite(jnp.stack([*q, *masses])))
    allowed = jnp.all(jnp.stack([q.rho_0, q.K_0, q.m_star, 1 - q.m_star, *masses]) > 0)
    status = jnp.full(4, int(Status.OK))
    tests = [
        positive & (Lambda_v < -ROUNDING), positive & (z < -ROUNDING), ~reaches,
        ~(s.a_r > 0), ~(s.a_s > 0), jnp.isnan(v), ~(D > 0), ~(at.W > 0), ~allowed, ~finite,
    ]  # fmt: skip
    for code, wrong in zip(range(Status.LAMBDA_NEGATIVE, 0, -1), tests, strict=True):
        status = jnp.where(wrong, code, status)
    best = jnp.argmin(jnp.where(status == 0, jnp.arange(4), 4))
    whole = jnp.where(jnp.any(status == 0), 0, jnp.max(status))
    all_four = jax.tree.map(lambda a: jnp.broadcast_to(a, (4,)), unscaled(s, *masses[:3]))
    pick = lambda a: jnp.where(whole == 0, a[best], jnp.nan)  # noqa: E731
    return Inversion(jax.tree.map(pick, all_four), pick(z), whole, z, all_four, status)


@jax.jit
def _invert(q, masses, positive):
    return jax.vmap(_invert_one, in_axes=(0, 0, None))(q, masses, positive)


def invert(q, *, rule="continuous", m_sigma=508.1941, m_omega=782.501, m_rho=763.0, m=939.0):
    """Couplings that have the given nuclear-matter parameters.

    All conditions but one are linear in the strengths; the last, for Q_0, is a quartic in z = C W^3 / rho_0
    whose roots are all found. Two in (-1/2, 1) are the rule. A root counts if couplings are real and the
    branch of sigma and omega that begins in the vacuum reaches 1.5 rho_0, tested at 63 values of the field.
    The largest root is that of published sets, but for BigApple, where both are positive.

    Parameters
    ----------
    q : NuclearMatter of floats, or of (n,) arrays for a batch
    rule : "continuous", the largest z that counts; or "positive", the same with z >= 0 and Lambda_v >= 0
    m_sigma, m_omega, m_rho, m : floats or (n,) arrays, meson and nucleon masses [MeV]

    Returns
    -------
    Inversion; its first derivatives are right, but infinite where two roots merge

    Raises
    ------
    ValueError
        unknown rule, values that are not numbers, more than one axis; for one set, no couplings and why.
        In a batch such a member has a status and NaN.
    """
    if rule not in ("continuous", "positive"):
        raise ValueError(f'rule must be "continuous" or "positive", got {rule!r}')
    if not isinstance(q, NuclearMatter):
        raise ValueError(f"q must be NuclearMatter, got {type(q).__name__}; from an array of shape (n, 7) it is NuclearMatter(*array.T)")
    given = q._asdict() | {"m_sigma": m_sigma, "m_omega": m_omega, "m_rho": m_rho, "m": m}
    values = {name: _numbers(name, value) for name, value in given.items()}
    shapes = {name: a.shape for name, a in values.items() if a.shape}
    if len(set(shapes.values()) - {(1,)}) > 1:
        raise ValueError(f"parameters must be as many; got shapes {shapes}")
    shape = jnp.broadcast_shapes(*(a.shape for a in values.values()))
    if len(shape) > 1:
        raise ValueError(f"parameters must be numbers or arrays of one axis, got shape {shape}")
    flat = [jnp.broadcast_to(a, shape or (1,)) for a in values.values()]
    out = in_blocks(
        lambda q, masses: _invert(q, masses, rule == "positive"), NuclearMatter(*flat[:7]), tuple(flat[7:])
    )
    if shape:
        return out
    out = jax.tree.map(lambda a: a[0], out)
    if not isinstance(out.status, jax.core.Tracer) and int(out.status):
        raise ValueError(_reason({name: float(a) for name, a in values.items()}, Status(int(out.status))))
    return out


def in_prior(q):
    """Whether every parameter of NuclearMatter lies in the ranges of ``PRIOR``: bool, or (n,) bool array."""
    inside = [(np.asarray(a) >= lo) & (np.asarray(a) <= hi) for a, (lo, hi) in zip(q, PRIOR, strict=True)]
    return np.all(np.broadcast_arrays(*inside), axis=0)


def _numbers(name, value):
    """The value as a float array; ValueError if it is none."""
    if isinstance(value, jax.core.Tracer):
        return value
    a = np.asarray(value)
    if a.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be a number or an array of numbers, got {value!r}")
    return jnp.asarray(a, float)


def _reason(values, status):
    """Why one set has no couplings: argument, value and allowed range where there is one."""
    k = np.cbrt(1.5 * np.pi**2 * values["rho_0"]) * HBARC
    m, m_star, J_0 = values["m"], values["m_star"], values["J_0"]
    for name, a in values.items():
        if not np.isfinite(a):
            return f"{name} = {a} must be finite"
        if name in _POSITIVE and not (0 < a < _POSITIVE[name]):
            return f"{name} = {a:.6g} must lie in (0, {_POSITIVE[name]})"
    if status == Status.J_BELOW_KINETIC:
        least = k**2 / (6 * np.hypot(k, m_star * m))
        return f"J_0 = {J_0:.6g} MeV must be above its kinetic part, {least:.6g} MeV"
    if status == Status.NO_REPULSION:
        most = max((values["E_0"] + m) ** 2 - k**2, 0) ** 0.5 / m
        return f"m_star = {m_star:.6g} must be below {most:.6g}: {status.sentence}"
    given = ", ".join(f"{name} = {a:.6g}" for name, a in values.items())
    return f"no couplings: {status.sentence}; given {given}"
