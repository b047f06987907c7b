"""nslib.stars.structure: exact stars, Newtonian limits, an independent integrator, order of convergence.

Each bar stands beside what was measured when the test was written.
"""

from decimal import Decimal, getcontext

import dop853
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from nslib import stars
from nslib.matter.eos import EOS
from nslib.stars import structure
from nslib.units import MEV_FM3_KM2, MEV_FM3_PA, MSUN_KM

N_ROW = 1200


# ---- equations at a point --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_derivatives_are_the_textbooks(seed):
    """du, dv, dz against TOV and the textbook's equation for y = z + q; the sound speed must drop out."""
    u, v, z, E, P, c2 = np.random.default_rng(seed).uniform(
        [30, 0.05, 0.2, 1e-4, 1e-5, 0.1], [150, 0.3, 2, 5e-4, 2e-4, 2]
    )
    r, m = np.sqrt(u), v * np.sqrt(u)
    mass, surface = 4 * np.pi * r**3 * E, m + 4 * np.pi * r**3 * P
    dh = -surface / (r - 2 * m)  # dh / d ln r
    y = z + mass / surface
    dE = (E + P) / c2 * dh  # dE / d ln r
    # d ln of q = 4 pi r^3 E / (m + 4 pi r^3 P)
    dP = (E + P) * dh
    dq = mass / surface * (3 + dE / E - (mass + 4 * np.pi * r**3 * (3 * P + dP)) / surface)
    expected = 2 * u, mass / r - v, dop853.tidal_slope(y, r, m, E, P, c2) - dq
    found = structure.derivatives((u, v, z), 4 * np.pi * E, 4 * np.pi * P, dh)
    np.testing.assert_allclose([float(f) for f in found], expected, rtol=1e-11)


def hinderer(C, y):
    """Equation 23 of T. Hinderer (2008, erratum 2009) with 60 digits, by Python's decimal."""
    getcontext().prec = 60
    C, y = Decimal(C), Decimal(y)
    tau = 2 - y + 2 * C * (y - 1)
    bracket = 2 * C * (6 - 3 * y + 3 * C * (5 * y - 8))
    bracket += 4 * C**3 * (13 - 11 * y + C * (3 * y - 2) + 2 * C**2 * (1 + y))
    bracket += 3 * (1 - 2 * C) ** 2 * tau * (1 - 2 * C).ln()
    return float(Decimal(16) / 15 * (1 - 2 * C) ** 2 * tau / bracket)


def test_deformability_at_all_compactnesses():
    C = np.concatenate([np.geomspace(1e-6, 0.35, 60), [0.0999999, 0.1, 0.1000001]])
    for y in (-0.9, 0.0, 0.3, 1.0, 1.7, 1.99):
        expected = [hinderer(c, y) for c in C]
        np.testing.assert_allclose(
            structure.deformability(C, np.full_like(C, y)), expected, rtol=1e-12
        )  # 2e-13


def test_deformability_has_a_gradient_everywhere():
    C = jnp.array([1e-6, 1e-3, 0.0999, 0.1, 0.3])
    found = jax.vmap(jax.grad(structure.deformability), in_axes=(0, None))(C, 0.5)
    expected = [
        (hinderer(c * (1 + 1e-9), 0.5) - hinderer(c * (1 - 1e-9), 0.5)) / (2e-9 * c) for c in np.asarray(C)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# ---- the table -------------------------------------------------------------------------------------------------

#: rest-mass polytrope p = K rho^2, eps = rho + p, h = ln(1 + 2 K rho); eps and d eps / dp at p
K = 1 / 900


def eps_of(p):
    return np.sqrt(p / K) + p


def slope_of(p):
    return 0.5 / np.sqrt(K * p) + 1


def h_of(p):
    return np.log1p(2 * np.sqrt(K * p))


def polytrope(n=N_ROW, high=2000.0):
    p = np.geomspace(1e-13, high, n)
    return EOS.from_table(eps=eps_of(p), p=p)


def test_enthalpy_is_exact():
    eos = polytrope()
    p = np.geomspace(1e-9, 1900, 300)
    found = np.asarray(
        jax.jit(lambda q, eps, x: structure.enthalpy(structure.curve(q, eps), x))(eos.p, eos.eps, np.log(p))
    )
    np.testing.assert_allclose(found - h_of(p), 0, atol=2e-7)  # 2.5p/eps below the table is off by 7e-8 here
    np.testing.assert_allclose(np.diff(found), np.diff(h_of(p)), rtol=1e-7)


def test_table_returns_its_curve():
    eos = polytrope()
    p = np.geomspace(1e-6, 1900, 200)

    @jax.jit
    def back(q, eps, x):
        c = structure.curve(q, eps)
        return structure.pressure(structure.tabulate(c, 1024, jnp.zeros(0, int)), structure.enthalpy(c, x))

    np.testing.assert_allclose(back(eos.p, eos.eps, np.log(p)), p, rtol=1e-7)


# ---- exact stars -----------------------------------------------------------------------------------------------


def stars_of(eos, p_c, **settings):
    """M, R, Lambda at given central pressures; always solved by the dozen, for which one compilation does."""
    p_c = np.asarray(p_c)
    star, flag = stars.solve(eos, np.resize(p_c, 12), **settings)
    assert not np.any(np.asarray(flag) == stars.Flag.BEYOND_TABLE)
    return [np.asarray(a)[: len(p_c)] for a in star]


def interior_lambda(C, R, profile):
    """Lambda of a star of closed-form m(r), E(r), P(r), dE/dr and dP/dr [km], with surface density E(R)."""

    def slope(r, y):
        m, E, P, dE, dP = profile(r)
        return dop853.tidal_slope(y, r, m, E, P, np.inf if dE == 0 else dP / dE) / r

    y = solve_ivp(slope, (1e-4 * R, R * (1 - 1e-9)), [2.0], method="DOP853", rtol=1e-12, atol=1e-14).y[0, -1]
    y -= 4 * np.pi * R**3 * profile(R * (1 - 1e-12))[1] / (C * R)  # T. Damour and A. Nagar (2009)
    return dop853.deformability(C, y)


@pytest.fixture(scope="module")
def incompressible():
    """eps = 300 MeV fm^-3 but for a rise of 1e-9 over the table, from almost no pressure to far above the need."""
    p = np.geomspace(1e-12, 3000.0, N_ROW)
    return EOS.from_table(eps=300.0 * (1 + 1e-12 * np.arange(N_ROW)), p=p)


def schwarzschild(C):
    """Central pressure [MeV fm^-3], M [Msun], R [km] and Lambda of K. Schwarzschild's interior solution (1916)."""
    E = 300.0 * MEV_FM3_KM2
    R, w1 = np.sqrt(3 * C / (4 * np.pi * E)), np.sqrt(1 - 2 * C)
    p_c = 300.0 * (1 - w1) / (3 * w1 - 1)

    def profile(r):
        w = np.sqrt(1 - 2 * C * r**2 / R**2)
        m, P = 4 / 3 * np.pi * E * r**3, E * (w - w1) / (3 * w1 - w)
        return m, E, P, 0.0, -1.0

    return p_c, C * R / MSUN_KM, R, interior_lambda(C, R, profile)


def test_incompressible_star(incompressible):
    """Up to C = 0.43, near Buchdahl's 4/9: closed form M and R, Lambda by DOP853 on the closed-form interior."""
    p_c, M, R, Lambda = np.transpose([schwarzschild(C) for C in (0.02, 0.1, 0.2, 0.3, 0.4, 0.43)])
    found = stars_of(incompressible, p_c)
    np.testing.assert_allclose(found[0], M, rtol=3e-8)  # 4e-9
    np.testing.assert_allclose(found[1], R, rtol=1e-8)  # 1e-9
    np.testing.assert_allclose(found[2], Lambda, rtol=2e-7)  # 3e-8


def test_incompressible_love_number(incompressible):
    """k2 -> 3/4 as C -> 0, with the density jump at the surface (T. Damour and A. Nagar, 2009)."""
    C = np.array([2e-3, 1e-3])
    M, R, Lambda = stars_of(incompressible, [schwarzschild(c)[0] for c in C])
    k2 = 1.5 * Lambda * (M * MSUN_KM / R) ** 5
    assert 2 * k2[1] - k2[0] == pytest.approx(0.75, abs=2e-5)


def tolman_vii(C, x):
    """E R^2 and P R^2 at r = x R of Tolman's solution VII: J. M. Lattimer and M. Prakash, ApJ 550 (2001) 426."""
    f = 1 - C * x**2 * (5 - 3 * x**2)

    def w(x, f):
        return np.log(x**2 - 5 / 6 + np.sqrt(f / (3 * C)))

    phi = (w(1.0, 1 - 2 * C) - w(x, f)) / 2 + np.arctan(np.sqrt(C / (3 * (1 - 2 * C))))
    P = (np.sqrt(3 * C * f) * np.tan(phi) - C / 2 * (5 - 3 * x**2)) / (4 * np.pi)
    return 15 * C / (8 * np.pi) * (1 - x**2), P


@pytest.mark.parametrize("C", [0.1, 0.2, 0.25])
def test_tolman_vii(C):
    """eps falls as 1 - (r/R)^2; p(r) in closed form. One star, of one table made for it."""
    R = 12.0
    x = np.sqrt(1 - np.geomspace(1, 1e-6, N_ROW))[::-1]
    E, P = tolman_vii(C, x)
    eos = EOS.from_table(eps=E / R**2 / MEV_FM3_KM2, p=P / R**2 / MEV_FM3_KM2)

    def profile(r):
        d = 1e-5
        (E, P), (E1, P1), (E0, P0) = (tolman_vii(C, a) for a in (r / R, r / R + d, r / R - d))
        m = 4 * np.pi * 15 * C / (8 * np.pi) * R * ((r / R) ** 3 / 3 - (r / R) ** 5 / 5)
        return m, E / R**2, P / R**2, E1 - E0, P1 - P0

    M, R_found, Lambda = stars_of(eos, eos.p[-1:])
    assert M[0] == pytest.approx(C * R / MSUN_KM, rel=2e-7)
    assert R_found[0] == pytest.approx(R, rel=2e-7)
    assert Lambda[0] == pytest.approx(interior_lambda(C, R, profile), rel=2e-6)


# ---- Newtonian limit -------------------------------------------------------------------------------------------


def clairaut_radau(n):
    """k2 of a Newtonian polytrope of index n: Lane-Emden and Radau's equation by DOP853."""

    def slopes(xi, s):
        theta, mass, eta = s
        share = max(theta, 0.0) ** n * xi**3 / (3 * mass)  # local over mean density
        return [
            -mass / xi**2,
            xi**2 * max(theta, 0.0) ** n,
            (6 - eta * (eta - 1) - 6 * share * (eta + 1)) / xi,
        ]

    def surface(xi, s):
        return s[0] - 1e-12

    surface.terminal = True
    x0 = 1e-3
    start = [1 - x0**2 / 6 + n * x0**4 / 120, x0**3 / 3 - n * x0**5 / 30, 0.0]
    run = solve_ivp(slopes, (x0, 20.0), start, method="DOP853", rtol=1e-12, atol=1e-14, events=surface)
    eta = run.y_events[0][0, 2]
    return (3 - eta) / (2 * (2 + eta))


#: n = 1: (15 - pi^2) / 2 pi^2; others: E. Poisson and C. M. Will, Gravity (2014), section 2.4, a few digits
PRINTED = {
    0.5: (0.4492, 1e-4),
    1.0: ((15 - np.pi**2) / (2 * np.pi**2), 1e-9),
    1.5: (0.1433, 1e-4),
    2.0: (0.07394, 1e-5),
}


@pytest.mark.parametrize("n", PRINTED)
def test_newtonian_polytropes(n):
    """eps = (p / K)^(n / (n + 1)) at compactness 1e-3 and 5e-4, extrapolated to none."""
    value, digits = PRINTED[n]
    newton = clairaut_radau(n)
    assert newton == pytest.approx(value, rel=10 * digits if n != 1 else 1e-9)
    k2 = []
    for p_c in (400.0, 200.0):
        p = np.geomspace(1e-12, 400.0, N_ROW)
        eps = 4e5 * (p / 400.0) ** (n / (n + 1))  # h_c = (n + 1) p_c / eps_c
        M, R, Lambda = stars_of(EOS.from_table(eps=eps, p=p), [p_c], steps=400, rows=2048)
        C = M[0] * MSUN_KM / R[0]
        k2.append((C, 1.5 * Lambda[0] * C**5))
    (C1, a), (C2, b) = k2
    assert b + (b - a) * C2 / (C1 - C2) == pytest.approx(newton, rel=1e-4)


# ---- an independent integrator ---------------------------------------------------------------------------------


def reference(phases, p_c):
    """M, R and Lambda by DOP853 of one star of phases; see tests/dop853.py."""
    M, R, C, y = dop853.star(phases, p_c, 1e-12, h_of(1e-12))
    return M, R, dop853.deformability(C, y)


def hybrid(*jumps):
    """The polytrope, above each (p, factor) matter of constant cs2 = 0.8 whose eps begins ``factor`` higher."""
    phases, parts, low = [dop853.Phase(np.inf, eps_of, slope_of)], [], 1e-13
    for p_t, factor in jumps:
        phases[-1] = phases[-1]._replace(p_top=p_t)
        e_t = phases[-1].eps(p_t) * factor
        phases.append(
            dop853.Phase(np.inf, lambda p, e_t=e_t, p_t=p_t: e_t + (p - p_t) / 0.8, lambda p: 1 / 0.8)
        )
    rows = np.diff(np.linspace(0, 4000, len(phases) + 1).astype(int))
    for phase, n in zip(phases, rows):
        high = min(phase.p_top, 2000.0)
        p = np.geomspace(low, high, n)
        p[0], p[-1], low = low, high, high
        parts.append((phase.eps(p), p))
    eps, p = (np.concatenate(a) for a in zip(*parts))
    return EOS.from_table(eps=eps, p=p), phases


def test_smooth_star():
    eos, phases = hybrid()
    p_c = [5.0, 60.0, 400.0, 1500.0]
    expected = np.transpose([reference(phases, p) for p in p_c])
    found = stars_of(eos, p_c)
    for a, b, bar in zip(found, expected, (1e-6, 1e-6, 1e-5)):  # 8e-9, 8e-8, 4e-6
        np.testing.assert_allclose(a, b, rtol=bar)


@pytest.mark.parametrize("factor", [1.3, 1.8, 2.6])
def test_density_jump(factor):
    """Cores from a grain to most of the star, eps rising by 30 to 160 % at 60 MeV fm^-3. Measured: 7e-7, 1e-7, 2e-6."""
    eos, phases = hybrid((60.0, factor))
    p_c = 60.0 * np.array([0.5, 1.0, 1 + 1e-7, 1 + 1e-5, 1.001, 1.01, 1.05, 1.2, 2.0, 5.0, 20.0])
    expected = np.transpose([reference(phases, p) for p in p_c])
    assert len(eos.jumps()) == 1
    for settings, bars in (({}, (1e-5, 1e-5, 1e-3)), ({"steps": 512, "rows": 2048}, (1e-6, 1e-6, 1e-5))):
        for a, b, bar in zip(stars_of(eos, p_c, **settings), expected, bars):
            np.testing.assert_allclose(a, b, rtol=bar)


def test_core_of_a_grain():
    """Just above the jump the star is that at the jump, whatever rounding makes of the size of its core."""
    eos, _ = hybrid((60.0, 2.6))
    p_c = 60.0 * (1 + np.array([0.0, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9]))
    for a in stars_of(eos, p_c):
        np.testing.assert_allclose(a, a[0], rtol=1e-6)


def test_two_jumps():
    eos, phases = hybrid((40.0, 1.3), (150.0, 1.25))
    p_c = [30.0, 41.0, 100.0, 150.0 * (1 + 1e-6), 160.0, 600.0]
    expected = np.transpose([reference(phases, p) for p in p_c])
    assert len(eos.jumps()) == 2
    for a, b, bar in zip(stars_of(eos, p_c), expected, (1e-5, 1e-5, 1e-3)):
        np.testing.assert_allclose(a, b, rtol=bar)


def test_omitted_jump_would_be_seen():
    """y without its jump changes Lambda by 3e-3, far more than the accurate bar of the tests of jumps."""
    _, phases = hybrid((60.0, 1.8))
    _, _, C, y = dop853.star(phases, 120.0, 1e-12, h_of(1e-12))
    smooth = dop853._across
    dop853._across = lambda step, p, state: state
    try:
        wrong = dop853.star(phases, 120.0, 1e-12, h_of(1e-12))[3]
    finally:
        dop853._across = smooth
    assert abs(dop853.deformability(C, wrong) / dop853.deformability(C, y) - 1) > 2e-3


def test_lalsimulation(tmp_path):
    """LALSimulation's adaptive integrator, on 4000 rows: then its trapezoids of h(p) are good to a few 1e-6."""
    lal, lalsimulation = pytest.importorskip("lal"), pytest.importorskip("lalsimulation")
    eos = polytrope(4000)
    to_m2 = MEV_FM3_KM2 * 1e-6
    np.savetxt(tmp_path / "eos.dat", np.transpose([eos.p, eos.eps]) * to_m2, fmt="%.16e")
    other = lalsimulation.SimNeutronStarEOSFromFile(str(tmp_path / "eos.dat"))
    p_c = np.array([20.0, 100.0, 400.0])
    found = np.transpose(stars_of(eos, p_c))
    for p, (M, R, Lambda) in zip(p_c, found):
        r, m, k2 = lalsimulation.SimNeutronStarTOVODEIntegrate(p * MEV_FM3_PA, other)
        assert m / lal.MSUN_SI == pytest.approx(M, rel=2e-5)
        assert r / 1e3 == pytest.approx(R, rel=2e-5)
        assert 2 / 3 * k2 * (r / (m / lal.MSUN_SI * lal.MRSUN_SI)) ** 5 == pytest.approx(Lambda, rel=2e-4)


# ---- the scheme ------------------------------------------------------------------------------------------------


def test_order_of_convergence():
    """Fourth order in the steps where the equation of state is smooth: differences fall by 16 when steps double."""
    eos = polytrope()
    c = jax.jit(structure.curve)(eos.p, eos.eps)
    table = jax.jit(structure.tabulate, static_argnums=1)(c, 8192, jnp.zeros(0, int))
    solve = jax.jit(structure.stars, static_argnums=2)
    runs = [solve(table, structure.enthalpy(c, jnp.log(jnp.array([1500.0]))), n) for n in (50, 100, 200)]
    for name in ("M", "R", "Lambda"):
        coarse, middle, fine = (float(getattr(run, name)[0]) for run in runs)
        assert 11 < (coarse - middle) / (middle - fine) < 18, name


def test_same_answer_twice():
    eos = polytrope()
    first, second = (stars_of(eos, [3.0, 30.0, 300.0]) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second))


def test_star_does_not_depend_on_its_neighbours():
    eos = polytrope()
    one, other = stars_of(eos, [30.0, 3.0, 500.0]), stars_of(eos, [30.0, 70.0, 1.0])
    assert all(a[0] == b[0] for a, b in zip(one, other))


def test_central_pressure_by_root():
    """solve() at the pressure that gives 1 Msun, found by SciPy from outside, gives 1 Msun."""
    eos = polytrope()
    p = brentq(lambda p: stars_of(eos, [p])[0][0] - 1.0, 0.2, 30.0, xtol=1e-10)
    assert stars_of(eos, [p])[0][0] == pytest.approx(1.0, rel=1e-10)
