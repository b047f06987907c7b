r"""Structure and tides of cold, spherical stars in general relativity, for a batch of equations of state.

The independent variable is the pseudo-enthalpy :math:`h = \int \mathrm dp / (\varepsilon + p)`, known at the
centre and at the surface, so that every step of a fixed-step scheme is known beforehand (L. Lindblom,
Astrophys. J. 398 (1992) 569). The state is :math:`u = r^2`, :math:`v = m/r` and

.. math:: z = y - \frac{4\pi r^3\varepsilon}{m + 4\pi r^3 p},

with y the logarithmic derivative of the tidal metric function (T. Hinderer, Astrophys. J. 677 (2008) 1216;
T. Damour and A. Nagar, Phys. Rev. D 80 (2009) 084035). In z the sound speed drops out of the equation, and
z is continuous where the density jumps. Geometric units, G = c = 1, lengths in km, inside this module.
"""

from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from nslib.interpolate import hermite, hermite_slope, pchip_slopes
from nslib.units import FOUR_PI_MEV_FM3_KM2, MSUN_KM

#: where the numerical integration hands over to the closed-form envelope: at this h [1], or, in matter that is
#: dense at its surface, where the pressure has come down to this [MeV fm^-3] (a crust has 5e-11 at H_CUT)
H_CUT, P_CUT = 1e-4, 1e-9
#: sub-cells of a table row in the quadrature of h
_SUB = 4
#: nodes and weights of three-point Gauss-Legendre quadrature on [0, 1]
_NODES = jnp.array([0.5 - 0.15**0.5, 0.5, 0.5 + 0.15**0.5])
_WEIGHTS = jnp.array([5 / 18, 8 / 18, 5 / 18])


class Flag(IntEnum):
    """What is to be said of one star."""

    OK = 0
    ACAUSAL = 1
    BEYOND_TABLE = 2

    @property
    def sentence(self):
        """The flag in words."""
        return {
            Flag.OK: "solved",
            Flag.ACAUSAL: "solved, but the sound speed exceeds that of light inside",
            Flag.BEYOND_TABLE: "not solved: the central pressure lies outside the table",
        }[self]


class Star(NamedTuple):
    """Gravitational mass M [Msun], radius R [km] and tidal deformability Lambda [1], each (n_star,)."""

    M: jax.Array
    R: jax.Array
    Lambda: jax.Array


class Curve(NamedTuple):
    """ln eps as monotone cubic of ln p, with h at the sub-nodes of its rows."""

    x: jax.Array  # (n_row,) ln p
    y: jax.Array  # (n_row,) ln eps
    d: jax.Array  # (n_row,) dy/dx
    h: jax.Array  # (_SUB (n_row - 1) + 1,)


class Table(NamedTuple):
    """4 pi eps and 4 pi p [km^-2] as cubics on grids uniform in h^(1/4), one grid a segment between jumps."""

    cubic: jax.Array  # (n_segment, 2, 4, rows) for eps and p, coefficients of 1, t, t^2, t^3
    lo: jax.Array  # (n_segment,) h^(1/4) at the lower end
    step: jax.Array  # (n_segment,)
    h: jax.Array  # (n_segment + 1,) h at the ends of the segments


def curve(p, eps):
    r"""Curve of one table, with h by Gauss quadrature of :math:`\mathrm dh = \mathrm d\ln p\,/(1 + \varepsilon/p)`.

    Below the table matter is taken as a polytrope of index 3/2, h = 5p / 2eps.

    Parameters
    ----------
    p, eps : (n_row,) arrays [MeV fm^-3]
    """
    x, y = jnp.log(p), jnp.log(eps)
    d = pchip_slopes(x, y)
    w = jnp.diff(x)[:, None, None]
    t = (jnp.arange(_SUB)[:, None] + _NODES) / _SUB
    yt = hermite(t, w, *(a[:, None, None] for a in (y[:-1], y[1:], d[:-1], d[1:])))
    f = 1 / (1 + jnp.exp(yt - x[:-1, None, None] - t * w))
    cell = (f @ _WEIGHTS) * w[..., 0] / _SUB
    h0 = 2.5 * p[0] / eps[0]
    return Curve(x, y, d, h0 + jnp.concatenate([jnp.zeros(1), jnp.cumsum(cell)]))


def _partial(c, i, t0, t1):
    """Increase of h between the fractions t0 and t1 of row i; also ln p, ln eps and d ln eps / d ln p at t1."""
    w = c.x[i + 1] - c.x[i]
    ends = (w, c.y[i], c.y[i + 1], c.d[i], c.d[i + 1])
    t = t0 + (t1 - t0) * _NODES[:, None]
    f = 1 / (1 + jnp.exp(hermite(t, *ends) - c.x[i] - t * w))
    safe = (jnp.where(w > 0, w, 1.0),) + ends[1:]
    return w * (t1 - t0) * (_WEIGHTS @ f), c.x[i] + t1 * w, hermite(t1, *ends), hermite_slope(t1, *safe)


def enthalpy(c, x):
    """h [1] at the logarithm x of the pressure, (m,) array inside the table."""
    i = jnp.clip(jnp.searchsorted(c.x, x, side="left") - 1, 0, c.x.shape[0] - 2)
    w = c.x[i + 1] - c.x[i]
    t = (x - c.x[i]) / jnp.where(w > 0, w, 1.0)
    s = jnp.clip(jnp.floor(t * _SUB), 0, _SUB - 1)
    return c.h[_SUB * i + s.astype(int)] + _partial(c, i, s / _SUB, t)[0]


def _state_at(c, h, first, last):
    """p, eps and d ln eps / d ln p at the enthalpies h (m,), between the rows first and last."""
    j = jnp.clip(jnp.searchsorted(c.h, h, side="right") - 1, _SUB * first, jnp.maximum(_SUB * last - 1, 0))
    i, t0 = j // _SUB, (j % _SUB) / _SUB
    w = jnp.where(c.x[i + 1] > c.x[i], c.x[i + 1] - c.x[i], 1.0)

    def newton(c, h, t):
        dh, x, y, _ = _partial(c, i, t0, t)
        slope = jax.lax.stop_gradient(w / (1 + jnp.exp(y - x)))
        return t - (dh - (h - c.h[j])) / slope

    cell = jnp.where(c.h[j + 1] > c.h[j], c.h[j + 1] - c.h[j], 1.0)
    fixed = jax.lax.stop_gradient((c, h))
    t = jax.lax.stop_gradient(t0 + (h - c.h[j]) / cell / _SUB)
    for _ in range(2):
        t = jax.lax.stop_gradient(newton(*fixed, t))
    _, x, y, slope = _partial(c, i, t0, newton(c, h, t))
    return jnp.exp(x), jnp.exp(y), slope


def tabulate(c, rows, jumps):
    """Table of one curve for the integrator.

    Parameters
    ----------
    c : Curve
    rows : int, cells of the grid in h^(1/4)
    jumps : (n_jump,) int array, row below each jump; n_row - 1 pads

    Returns
    -------
    Table with n_jump + 1 segments
    """
    n_row = c.x.shape[0]
    first = jnp.concatenate([jnp.zeros(1, int), jnp.minimum(jumps + 1, n_row - 1)])
    last = jnp.concatenate([jumps, jnp.full(1, n_row - 1)])
    cut = enthalpy(c, jnp.maximum(c.x[:1], jnp.log(P_CUT)))
    ends = jnp.concatenate([jnp.minimum(cut, H_CUT), c.h[_SUB * last]])

    def segment(lo, hi, first, last):
        s = jnp.linspace(lo**0.25, hi**0.25, rows + 1)
        p, eps, slope = _state_at(c, s**4, first, last)
        ds = s[1] - s[0]
        dp = (eps + p) * 4 * s**3
        y = jnp.stack([eps, p]) * FOUR_PI_MEV_FM3_KM2
        m = jnp.stack([eps / p * slope * dp, dp]) * FOUR_PI_MEV_FM3_KM2 * ds
        a, b = y[:, :-1], y[:, 1:]
        da, db = (jnp.minimum(d, 3 * (b - a)) for d in (m[:, :-1], m[:, 1:]))  # keeps a steep cell monotone
        return jnp.stack([a, da, 3 * (b - a) - 2 * da - db, 2 * (a - b) + da + db], axis=1), lo**0.25, ds

    cubic, lo, step = jax.vmap(segment)(ends[:-1], ends[1:], first, last)
    return Table(cubic, lo, step, ends)


def _look_up(cubic, lo, step, h):
    """4 pi eps and 4 pi p [km^-2] of one segment at the enthalpies h (n_star,)."""
    k = (jnp.sqrt(jnp.sqrt(h)) - lo) / jnp.where(step > 0, step, 1.0)
    i = jnp.clip(k.astype(jnp.int32), 0, cubic.shape[-1] - 1)
    t = k - i
    a = [[c.at[i].get(mode="promise_in_bounds") for c in column] for column in cubic]
    return tuple(((c3 * t + c2) * t + c1) * t + c0 for c0, c1, c2, c3 in a)


def pressure(table, h):
    """Pressure [MeV fm^-3] at the enthalpies h (m,) of a table; below a jump at the jump itself."""
    i = jnp.clip(jnp.searchsorted(table.h, h, side="left") - 1, 0, table.lo.shape[0] - 1)
    k = (h**0.25 - table.lo[i]) / jnp.where(table.step[i] > 0, table.step[i], 1.0)
    j = jnp.clip(k.astype(jnp.int32), 0, table.cubic.shape[-1] - 1)
    t = k - j
    c0, c1, c2, c3 = (table.cubic[i, 1, n, j] for n in range(4))
    return (((c3 * t + c2) * t + c1) * t + c0) / FOUR_PI_MEV_FM3_KM2


def derivatives(state, E, P, dh):
    r"""d(u, v, z) for a step dh of the enthalpy, with E = 4 pi eps, P = 4 pi p [km^-2].

    .. math::
        \mathrm d\ln r = -\frac{\mathrm dh}{A s},\quad
        \mathrm du = 2u\,\mathrm d\ln r,\quad
        \mathrm dv = (X - v)\,\mathrm d\ln r,

        \mathrm dz = \left[(2As)^2 - A(5X + 9P' - 6) - y(y + A(1 - X + P'))
            - q\left(3 - \frac{X + 3P'}{s} + (X + P')A\right)\right]\mathrm d\ln r

    with :math:`X = uE,\ P' = uP,\ A = 1/(1-2v),\ s = v + P',\ q = X/s,\ y = z + q`.
    """
    u, v, z = state
    X, P = u * E, u * P
    s = v + P
    inverse = 1 / ((1 - 2 * v) * s)
    A, over_s = inverse * s, inverse * (1 - 2 * v)
    g = -dh * (1 - 2 * v) * over_s
    q = X * over_s
    y = z + q
    bracket = (2 * A * s) ** 2 - A * (5 * X + 9 * P - 6) - y * (y + A * (1 - X + P))
    bracket = bracket - q * (3 - (X + 3 * P) * over_s + (X + P) * A)
    return 2 * u * g, g * (X - v), g * bracket


def centre(eta, E, P, dE):
    """State (u, v, z) at the small depth eta = h_c - h below the centre, by power series to second order in eta.

    Parameters
    ----------
    eta : (n_star,) array
    E, P : (n_star,) arrays, 4 pi eps and 4 pi p at the centre [km^-2]
    dE : (n_star,) array, dE/dh at the centre [km^-2]
    """
    alpha = E / 3 + P
    a = 2 / alpha
    beta = -(dE / 5 + E + P) / a
    u = a * eta - a**2 / 2 * (2 * E / 3 + beta / alpha) * eta**2
    v = u * (E / 3 - dE / (5 * a) * u)
    q0 = E / alpha
    q1 = -dE / 2 - E * beta / alpha**2
    z1 = (-E / 3 - 11 * P - 5 * q1 - q0 * (dE / 5 + E + P)) / 7
    return u, v, 2 - q0 + z1 * u


def deformability(C, y):
    r"""Dimensionless tidal deformability from the compactness and the exterior y, accurate to C -> 0.

    .. math:: \Lambda = \frac{16}{15}\frac{(1-2C)^2\,\tau}{D},\qquad \tau = 2 - y + 2C(y - 1),

        D = C^5\left[16(3-y) + 16(5y-8)C - 96(y-1)C^2\right] + 3(1-2C)^2\,\tau
            \left[\ln(1-2C) + \textstyle\sum_{k=1}^4 (2C)^k/k\right]

    Hinderer (2008), equation 23 (erratum, Astrophys. J. 697 (2009) 964), with the terms below C^5, which
    cancel, taken out; the last bracket is summed as a series where 2C < 0.2.

    Parameters
    ----------
    C : array, M/R in geometric units [1]
    y : array [1]
    """
    b = 2 * C
    tau = 2 - y + b * (y - 1)
    closed = jnp.log1p(-b) + b + b**2 / 2 + b**3 / 3 + b**4 / 4
    k = jnp.arange(5, 29)
    series = -jnp.sum(jnp.where(b < 0.2, b, 0.0)[..., None] ** k / k, axis=-1)
    tail = jnp.where(b < 0.2, series, closed)
    D = C**5 * (16 * (3 - y) + 16 * (5 * y - 8) * C - 96 * (y - 1) * C**2) + 3 * (1 - b) ** 2 * tau * tail
    return 16 / 15 * (1 - b) ** 2 * tau / D


def _core_size(u, E, P, span):
    """L = ln(R / r) of the core of radius sqrt(u) above a jump, from the depths that E and P below it give both."""
    depth = (E / 3 + P) * u / 2
    return 0.5 * jnp.log1p(3.1 * span / depth)


def _path(t, central, L):
    """Share of the segment that is left at t, 1 - tau, and d tau / dt.

    Around a centre tau = t^2, for r ~ t. Around a core of radius r, ln R/r = L, the radius grows as
    exp(-L (x + L x^2) / (1 + L)), x = 1 - t: by equal factors first, since what the jump leaves of z dies
    out as r^-5, and by equal steps in the end. A large core, L -> 0, has tau = t.
    """
    if L is None:
        return 1 - t**2, 2 * t
    x, whole = 1 - t, -jnp.expm1(-2 * L)
    a = L * (x + L * x**2) / (1 + L)
    da = L * (1 + 2 * L * x) / (1 + L)
    left, rate = -jnp.expm1(-2 * a) / whole, 2 * jnp.exp(-2 * a) * da / whole
    return jnp.where(central, 1 - t**2, left), jnp.where(central, 2 * t, rate)


def _integrate(table, state, seg, h_top, central, steps):
    """Carry the state of each star down through one segment with the classical Runge-Kutta scheme.

    h runs as h_bot + (h_top - h_bot) w, w = 0.3 (1 - tau) + 0.7 (1 - tau)^4, which packs steps near the
    bottom, with tau of :func:`_path`. Stars centred in the segment start from the series, and so do those
    whose core is below 1e-4 of their radius. Stars centred below: no-op.
    """
    grid = (table.cubic[seg], table.lo[seg], table.step[seg])
    h_bot = table.h[seg]
    span = jnp.maximum(h_top - h_bot, 0.0)
    E_c, P_c = _look_up(*grid, h_top)
    L = None
    if seg + 1 < table.lo.shape[0]:
        L_max = min(9.2, steps / 4)
        L = _core_size(state[0], E_c, P_c, jnp.maximum(span, 1e-12))
        central = central | ((L > L_max) & (span > 0))
        L = jnp.clip(L, 1e-6, L_max)
    t0 = jnp.where(central, 1 / (steps + 1), 0.0)
    dt = (1 - t0) / steps

    def path(t):
        left, rate = _path(t, central, L)
        w = 0.3 * left + 0.7 * left**4
        return h_bot + span * w, -span * (0.3 + 2.8 * left**3) * rate * dt, span * (1 - w)

    def step(carry, k):
        state, E0, P0, dh0 = carry
        t = t0 + k * dt
        h_m, dh_m, _ = path(t + dt / 2)
        h_1, dh_1, _ = path(t + dt)
        E_m, P_m = _look_up(*grid, h_m)
        E_1, P_1 = _look_up(*grid, h_1)
        add = lambda k, f: tuple(a + f * b for a, b in zip(state, k))  # noqa: E731
        k1 = derivatives(state, E0, P0, dh0)
        k2 = derivatives(add(k1, 0.5), E_m, P_m, dh_m)
        k3 = derivatives(add(k2, 0.5), E_m, P_m, dh_m)
        k4 = derivatives(add(k3, 1.0), E_1, P_1, dh_1)
        state = tuple(s + (a + 2 * b + 2 * c + d) / 6 for s, a, b, c, d in zip(state, k1, k2, k3, k4))
        return (state, E_1, P_1, dh_1), None

    h_0, dh_0, depth = path(t0)
    near, d = (1 - 1e-4) * h_top + 1e-4 * h_bot, 1e-4 * span
    slope = (E_c - _look_up(*grid, near)[0]) / jnp.where(d > 0, d, 1.0)
    begun = centre(depth, E_c, P_c, slope)
    state = tuple(jnp.where(central, new, old) for new, old in zip(begun, state))
    (state, *_), _ = jax.lax.scan(step, (state, *_look_up(*grid, h_0), dh_0), jnp.arange(steps))
    return state


def stars(table, h_c, steps):
    """Stars with the central enthalpies h_c, each within the table.

    Parameters
    ----------
    table : Table of one equation of state
    h_c : (n_star,) array [1]
    steps : int, Runge-Kutta steps a segment

    Returns
    -------
    Star
    """
    n_segment = table.lo.shape[0]
    state = tuple(jnp.full_like(h_c, a) for a in (1.0, 0.1, 1.0))
    for seg in reversed(range(n_segment)):
        central = (h_c > table.h[seg]) & (h_c <= table.h[seg + 1])
        h_top = jnp.clip(jnp.minimum(h_c, table.h[seg + 1]), table.h[seg])
        state = _integrate(table, state, seg, h_top, central, steps)
    u, v, z = state
    m = v * jnp.sqrt(u)
    R = 2 * m / (1 - (1 - 2 * v) * jnp.exp(2 * table.h[0]))
    return Star(m / MSUN_KM, R, deformability(v, z))
