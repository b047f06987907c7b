r"""An equation of state as 107 numbers: 101 sound speeds and the states at both ends, and the way back.

The representation of A. Ross, T. Zhao and S. Reddy (2026). The sound speeds stand on a grid uniform in
:math:`\zeta = \ln p` from the crust-core transition (cc) to the centre of the heaviest star (max).
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import CubicSpline

from nslib.batches import in_blocks
from nslib.interpolate import pchip
from nslib.matter.eos import EOS

#: sound speeds of an equation of state
N_SPEEDS = 101
#: what follows them
ENDS = ("n_cc", "eps_cc", "p_cc", "n_max", "eps_max", "p_max")
N_NUMBERS = N_SPEEDS + len(ENDS)
#: rows that the way back puts in each of the 100 intervals, and intervals that it adds beyond p_max
ROWS, BEYOND = 2, 6
#: sharpness of :func:`softnegative`
SHARPNESS = 30.0


def softnegative(q, k=SHARPNESS):
    r"""Map of all numbers to negative ones, :math:`-\ln(1 + e^{-kq}) / k`: q itself far below zero, else almost 0.

    It stays below -2^-53, so that the exponential of it is below 1 in floating point too.
    """
    return jnp.minimum(-jax.nn.softplus(-k * q) / k, -(2.0**-53))


def inverse_softnegative(y, k=SHARPNESS):
    """The q for which softnegative(q, k) = y; NaN for y >= 0."""
    y = jnp.where(y < 0, y, jnp.nan)
    return y - jnp.log(-jnp.expm1(k * y)) / k


def pressures(p_cc, p_max, n=N_SPEEDS):
    """Pressures of the grid (..., n) [MeV fm^-3], log-uniform from p_cc (...) to p_max (...), both included."""
    t = jnp.linspace(0.0, 1.0, n)
    lo, hi = (jnp.log(jnp.asarray(a))[..., None] for a in (p_cc, p_max))
    return jnp.exp(lo + t * (hi - lo))


def from_eos(eos, p_max):
    """The 107 numbers of each core.

    Parameters
    ----------
    eos : EOS with n_b and cs2, one or a batch; its rows begin at the crust-core transition
    p_max : float or (n_eos,) array, central pressure of the heaviest star [MeV fm^-3]

    Returns
    -------
    (..., 107) array: cs2 [c^2], then n_cc, eps_cc, p_cc, n_max, eps_max, p_max [fm^-3, MeV fm^-3]; NaN for a
    member with a value that is not finite and positive, or whose pressure does not rise or not reach p_max

    Raises
    ------
    ValueError
        fewer rows than 107 numbers need to be worth it, 32; another shape of p_max; such a member alone
    """
    n_b, cs2 = eos.need("n_b", "cs2")
    if eos.n_row < 32:
        raise ValueError(f"eos has {eos.n_row} rows; at least 32 are needed for 101 sound speeds")
    columns = [a if eos.is_batch else a[None] for a in (n_b, eos.eps, eos.p, cs2)]
    n_eos, p_max = columns[0].shape[0], jnp.asarray(p_max, float)
    if p_max.shape not in ((), (n_eos,)):
        raise ValueError(f"p_max must be a number or ({n_eos},) numbers, got shape {p_max.shape}")
    out = in_blocks(_numbers, *columns, jnp.broadcast_to(p_max, (n_eos,)))
    if eos.is_batch:
        return out
    if not isinstance(out, jax.core.Tracer) and not np.all(np.isfinite(out)):
        lo, hi = float(eos.p[0]), float(eos.p[-1])
        if lo < float(p_max.ravel()[0]) <= hi:
            raise ValueError("eos: n_b, eps, p and cs2 must be finite and > 0 in every row, and p must rise")
        raise ValueError(f"p_max must lie in ({lo:.4g}, {hi:.4g}] MeV fm^-3, got {float(p_max.ravel()[0]):.6g}")
    return out[0]


@jax.jit
@jax.vmap
def _numbers(n_b, eps, p, cs2, p_max):
    columns = jnp.stack([n_b, eps, p, cs2])
    good = jnp.all(jnp.isfinite(columns) & (columns > 0)) & jnp.all(jnp.diff(p) > 0) & (p_max <= p[-1]) & (p_max > p[0])
    p, cs2 = (jnp.where(good, a, 1.0 + jnp.arange(a.shape[0])) for a in (p, cs2))
    x = jnp.log(p)
    speeds = jnp.exp(pchip(jnp.log(pressures(p[0], p_max)), x, jnp.log(cs2)))
    n_max, eps_max = (jnp.exp(pchip(jnp.log(p_max)[None], x, jnp.log(a)))[0] for a in (n_b, eps))
    out = jnp.concatenate([speeds, jnp.stack([n_b[0], eps[0], p[0], n_max, eps_max, p_max])])
    return jnp.where(good, out, jnp.nan)


def _spline(per_cell, beyond):
    """Values and slopes of the cubic spline through 101 values, as matrices: per_cell rows an interval, then a line."""
    x = np.arange(N_SPEEDS)
    spline = CubicSpline(x, np.eye(N_SPEEDS))
    inside = np.linspace(0, N_SPEEDS - 1, per_cell * (N_SPEEDS - 1) + 1)
    value, slope = spline(inside), spline(inside, 1)
    t = np.arange(1, per_cell * beyond + 1)[:, None] / per_cell
    return np.concatenate([value, value[-1] + t * slope[-1]]), np.concatenate([slope, np.repeat(slope[-1:], len(t), 0)])


def core(numbers, *, causal=True, rows=ROWS, beyond=BEYOND):
    r"""The core that 107 numbers describe.

    .. math::
        \varepsilon(p) = \varepsilon_\mathrm{cc} + \int\frac{p}{c_s^2}\,\mathrm d\zeta, \qquad
        \ln\frac{\mu_b}{\mu_\mathrm{cc}} = \int\frac{p}{\varepsilon + p}\,\mathrm d\zeta, \qquad
        n_b = \frac{\varepsilon + p}{\mu_b}

    Between the 101 points a cubic spline in :math:`\zeta` of ln cs2, or with ``causal`` of the inverse softnegative
    of it: then cs2 < 1 everywhere. The last two numbers but one, n_max and eps_max, follow from the others and are
    not used; :func:`mismatch` compares. Beyond p_max the spline goes on as a straight line, so that a star
    slightly denser than the one that set p_max can be solved.

    Parameters
    ----------
    numbers : (..., 107) array
    causal : bool, keep cs2 below 1
    rows : int, rows in each interval
    beyond : int, intervals added above p_max

    Returns
    -------
    EOS, one or a batch, of rows (100 + beyond) + 1 rows from n_cc on; NaN for a member with a number that is not
    finite or not positive, p_max <= p_cc, or with ``causal`` a cs2 >= 1

    Raises
    ------
    ValueError
        another number of numbers, rows < 1, beyond < 0; such a member alone
    """
    for name, value, least in (("rows", rows, 1), ("beyond", beyond, 0)):
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    numbers = jnp.asarray(numbers, dtype=float)
    if numbers.ndim not in (1, 2) or numbers.shape[-1] != N_NUMBERS:
        raise ValueError(f"numbers must have shape (107,) or (n, 107), got {numbers.shape}")
    if numbers.ndim == 1 and not isinstance(numbers, jax.core.Tracer):
        _check(np.asarray(numbers), causal)
    columns = _integrate(numbers, bool(causal), int(rows), int(beyond))
    return EOS(*columns)


def _check(numbers, causal):
    """ValueError for one member that describes no core."""
    names = [f"cs2[{i}]" for i in range(N_SPEEDS)] + list(ENDS)
    for name, value in zip(names, numbers):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and > 0, got {value}")
        if causal and name.startswith("cs2") and value >= 1:
            raise ValueError(f"{name} must be below 1 c^2, got {value:.6g}; causal=False takes it as it is")
    if numbers[-1] <= numbers[-4]:
        raise ValueError(f"p_max must exceed p_cc = {numbers[-4]:.6g} MeV fm^-3, got {numbers[-1]:.6g}")


@partial(jax.jit, static_argnames=("causal", "rows", "beyond"))
def _integrate(numbers, causal, rows, beyond):
    """eps, p, n_b, mu_b and cs2 at the rows."""
    value, slope = _spline(rows, beyond)
    n_cc, eps_cc, p_cc, _, _, p_max = jnp.moveaxis(numbers[..., N_SPEEDS:, None], -2, 0)
    good = jnp.all(jnp.isfinite(numbers) & (numbers > 0), axis=-1, keepdims=True) & (p_max > p_cc)
    h = jnp.log(jnp.where(good, p_max / p_cc, 2.0)) / (N_SPEEDS - 1)
    good = good & jnp.all((numbers[..., :N_SPEEDS] < 1) | (not causal), axis=-1, keepdims=True)
    y = jnp.log(jnp.where(good, numbers[..., :N_SPEEDS], 0.5))
    q = inverse_softnegative(y) if causal else y
    q, dq = q @ value.T, q @ slope.T / h
    ln_cs2 = softnegative(q) if causal else q
    d_ln_cs2 = jax.nn.sigmoid(-SHARPNESS * q) * dq if causal else dq
    p, cs2 = p_cc * jnp.exp(h * jnp.arange(value.shape[0]) / rows), jnp.exp(ln_cs2)
    f = p / cs2
    eps = eps_cc + _cumulative(f, f * (1 - d_ln_cs2), h / rows)
    g = p / (eps + p)
    mu_b = (eps_cc + p_cc) / n_cc * jnp.exp(_cumulative(g, g * (1 - g * (1 + 1 / cs2)), h / rows))
    columns = eps, p, (eps + p) / mu_b, mu_b, cs2
    return tuple(jnp.where(good, a, jnp.nan) for a in columns)


def _cumulative(f, df, h):
    """Integral of f from the first row to each, from values and slopes at steps h: the trapezoid rule, corrected."""
    step = h / 2 * (f[..., 1:] + f[..., :-1]) + h**2 / 12 * (df[..., :-1] - df[..., 1:])
    return jnp.concatenate([jnp.zeros_like(f[..., :1]), jnp.cumsum(step, axis=-1)], axis=-1)


def mismatch(numbers, *, causal=True):
    """Relative difference of integrated and listed n_max and eps_max, two arrays (...) [1]; a test of decoded numbers."""
    eos = core(numbers, causal=causal, beyond=0)
    numbers = jnp.asarray(numbers)
    return eos.n_b[..., -1] / numbers[..., -3] - 1, eos.eps[..., -1] / numbers[..., -2] - 1
