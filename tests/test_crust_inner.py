"""Inner crust against Douchin and Haensel, its thermodynamics, and the fit of the drop's surface."""

import time
from importlib.resources import files
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.optimize import minimize

from nslib.crust import sly4
from nslib.crust.inner import (
    SLY4,
    SURFACE,
    Surface,
    cell_energy,
    drop_mass,
    drop_surface,
    equilibrium_mass,
    fit_surface,
    inner_crust,
    surface_tension,
    uniform_matter,
)
from nslib.crust.outer import outer_crust
from nslib.masses import complete, nuclear_mass
from nslib.matter import leptons, nuclear, skyrme
from nslib.matter.eos import EOS
from nslib.tables.ame import ame
from nslib.tables.mass_models import mass_model
from nslib.units import E2, M_E, M_N, MEV_FM3_G_CM3, MEV_FM3_KM2, MEV_FM3_PA

TABLE = Path(__file__).parent / "reference" / "douchin_haensel_2001.csv"
ERG_CM3 = MEV_FM3_PA * 10  # 1 MeV fm^-3 [erg cm^-3]


@pytest.fixture(scope="module")
def published():
    n_b, rho, p, gamma = np.loadtxt(TABLE, delimiter=",", comments=["#", "n_b"]).T
    return n_b, rho / MEV_FM3_G_CM3, p / ERG_CM3, gamma


@pytest.fixture(scope="module")
def lal():
    # the SLY table of lalsuite: rows p, eps in m^-2
    path = files("lalapps") / "data" / "LALSimNeutronStarEOS_SLY.dat"
    p, eps = np.loadtxt(path.read_text().splitlines()).T / (MEV_FM3_KM2 * 1e-6)
    return eps, p


def test_typed_table(published, lal):
    n_b, eps, p, gamma = published
    assert len(n_b) == 40
    # its own adiabatic index, by differences; the first is that of the outer crust, the last two lie at the edge
    slope = np.gradient(np.log(p), np.log(n_b))
    np.testing.assert_allclose(slope[3:-2], gamma[3:-2], rtol=0.02)
    # its own first law
    mu = (eps + p) / n_b
    np.testing.assert_allclose(np.diff(eps) / np.diff(n_b), (mu[1:] + mu[:-1]) / 2, rtol=4e-3)
    # another typing of it; that table has few rows below 3e12 g cm^-3
    high = eps > 2.8e12 / MEV_FM3_G_CM3
    other = np.exp(PchipInterpolator(*np.log(lal))(np.log(eps[high])))
    np.testing.assert_allclose(p[high], other, rtol=6e-3)


def test_pressure(published):
    n_b, eps, p, _ = published
    high = n_b > 4e-3
    ours = sly4().at_density(n_b[high])
    np.testing.assert_allclose(ours.p, p[high], rtol=0.03)  # the bar; 1.1 % at most, at both ends
    np.testing.assert_allclose(ours.eps, eps[high], rtol=2e-4)
    # below, the newer masses of the outer crust move neutron drip from 2.1e-4 to 2.6e-4 fm^-3
    low = (n_b > 2.6e-4) & ~high
    np.testing.assert_allclose(sly4().at_density(n_b[low]).p, p[low], rtol=0.15)


def test_core_against_lal(lal):
    eps, p = lal
    rows = (eps > 85) & (eps < 190)
    assert rows.sum() >= 2
    ours = sly4()
    at = np.exp(PchipInterpolator(np.log(ours.eps), np.log(ours.p))(np.log(eps[rows])))
    np.testing.assert_allclose(at, p[rows], rtol=0.01)


def test_fit_gives_the_constants():
    surface, rms = fit_surface()
    np.testing.assert_allclose(SURFACE, surface, rtol=5e-4)
    assert rms == pytest.approx(3.39, abs=0.01)


def test_constants_give_the_masses():
    # the drop alone, with SciPy's minimiser, for open-shell nuclei: within 2 rms of the measured mass (AME2020)
    for Z, N, excess in ((92, 146, 47.3077), (50, 70, -91.0982), (26, 30, -60.607163)):
        A = Z + N
        best = minimize(
            lambda n, Z=Z, A=A: float(drop_mass(Z, A, n[0], SURFACE)), [0.15], method="Nelder-Mead"
        )
        ours = float(equilibrium_mass(jnp.array([float(Z)]), jnp.array([float(A)]), SURFACE)[0])
        assert ours == pytest.approx(best.fun, abs=1e-4)
        assert ours == pytest.approx(nuclear_mass(Z, N, excess), abs=2 * 3.39)


def test_surface_tension():
    assert surface_tension(0.5, SURFACE) == pytest.approx(SURFACE.sigma_0)
    assert surface_tension(0.3, SURFACE) == pytest.approx(surface_tension(0.7, SURFACE))
    by_hand = SURFACE.sigma_0 * (2**4 + SURFACE.b) / (0.2**-3 + SURFACE.b + 0.8**-3)
    assert surface_tension(0.2, SURFACE) == pytest.approx(by_hand)
    # energy of the surface of a sphere over its volume
    r, plain = 5.0, Surface(1.0, 15.0, 0.0, 0.0)
    assert drop_surface(0.5, r, plain) == pytest.approx(4 * np.pi * r**2 / (4 / 3 * np.pi * r**3))


def test_cell_limits():
    # u -> 1: no surface counted out, the drop is uniform matter; D(1) = 0
    plain = Surface(1e-20, 15.0, 0.0, 0.0)
    uniform = float(cell_energy(0.08, 0.08, 0.05, 10.0, 0.02, plain))
    n_e = 0.08 * 0.05
    parts = skyrme.energy_density(0.076, 0.004, SLY4) + leptons.energy_density(
        leptons.fermi_momentum(n_e), M_E
    )
    assert uniform == pytest.approx(float(parts), rel=1e-14)
    # u -> 0: an isolated drop, Coulomb energy 3/5 Z^2 e^2 / r in its volume
    n_i, x, r = 0.15, 0.4, 5.0
    V = 4 / 3 * np.pi * r**3
    n_b = 1e-12 * n_i
    drop = float(cell_energy(n_b, n_i, x, r, 1e-30, plain)) * V * n_i / n_b
    bulk = float(skyrme.energy_density(n_i * (1 - x), n_i * x, SLY4)) * V
    k_e = float(leptons.fermi_momentum(x * n_b))
    electrons = float(leptons.energy_density(k_e, M_E)) / n_b * n_i * V
    Z = x * n_i * V
    assert drop - bulk - electrons == pytest.approx(0.6 * Z**2 * E2 / r, rel=2e-4)


def test_energy_is_least():
    # the four variables at fixed density, by SciPy's simplex from a point 2 % off
    crust = inner_crust()
    for row in (60, 150, 230):
        n_b = crust.n_b[row]
        y = np.array([crust.n_i[row], crust.x[row], crust.r[row], crust.n_o[row]])
        energy = jax.jit(lambda f, n_b=n_b, y=y: cell_energy(n_b, *(y * f), SURFACE))
        options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000}
        found = minimize(energy, [1.02, 0.98, 1.02, 0.98], method="Nelder-Mead", options=options)
        assert found.fun >= crust.eps[row] - 1e-10
        np.testing.assert_allclose(found.x, 1, atol=2e-3)


def test_drop_virial():
    # surface energy = 2 x Coulomb energy for a drop without curvature
    crust = inner_crust(Surface(1.08, 19.25, 0.0, 0.5))
    D = 1 - 1.5 * crust.u ** (1 / 3) + crust.u / 2
    coulomb = 0.8 * np.pi * E2 * (crust.x * crust.n_i * crust.r) ** 2 * D
    surface = 3 * surface_tension(crust.x, Surface(1.08, 19.25, 0.0, 0.5)) / crust.r
    np.testing.assert_allclose(surface, 2 * coulomb, rtol=1e-8)


def test_thermodynamics():
    crust = inner_crust()
    eps = CubicSpline(crust.n_b, crust.eps)
    np.testing.assert_allclose(eps(crust.n_b, 1)[5:-5], crust.mu[5:-5], rtol=1e-8)
    cs2 = CubicSpline(crust.eps, crust.p)(crust.eps, 1)
    np.testing.assert_allclose(cs2[10:-15], crust.cs2[10:-15], rtol=1e-4)
    for column in (crust.n_b, crust.eps, crust.p, crust.mu):
        assert (np.diff(column) > 0).all()


def test_drip_and_core():
    crust = inner_crust()
    assert crust.mu[0] == pytest.approx(M_N, abs=1e-3)
    assert crust.n_b[0] == pytest.approx(2.5e-4, rel=0.01)
    # drops of Z about 40, as Douchin and Haensel found, up to 0.05 fm^-3
    inside = crust.n_b < 0.05
    assert 35 < crust.Z[inside].min() < crust.Z[inside].max() < 41
    # transition: equal p and mu
    n, core = uniform_matter()
    assert 0.076 < crust.n_b[-1] < crust.n_core < 0.09
    assert CubicSpline(n, core.p)(crust.n_core) == pytest.approx(crust.p[-1], rel=1e-6)
    assert CubicSpline(n, core.mu_b)(crust.n_core) == pytest.approx(crust.mu[-1], abs=1e-5)
    # drops have the lower mu before it
    assert crust.mu[-20] < CubicSpline(core.p, core.mu_b)(crust.p[-20])


def test_uniform_matter():
    # muons appear at mu_e = 105.66 MeV; one density by hand
    n, core = uniform_matter()
    one = nuclear.beta_equilibrium(skyrme.energy_density, n[40], SLY4)
    assert core.p[40] == pytest.approx(float(one.p), rel=1e-12)
    assert core.mu_e[0] < 105.66 < core.mu_e[-1]


@pytest.mark.parametrize("sigma_0", [0.02, 5.0])
def test_no_transition(sigma_0):
    # drops that never dissolve, and drops that cannot live even at 0.05 fm^-3
    with pytest.raises(RuntimeError, match="drops do not give way"):
        inner_crust(Surface(sigma_0, 15.0, 0.0, 0.5))


def test_sly4():
    eos = sly4()
    assert 120 <= eos.n_row <= 200
    for name in ("p", "eps", "n_b", "mu_b"):
        column = np.asarray(getattr(eos, name))
        assert (np.diff(column) > 0).all(), name
    assert eos.p[0] <= 1e-12
    assert eos.n_b[-1] == pytest.approx(0.2)
    EOS.from_table(eps=eos.eps, p=eos.p, n_b=eos.n_b, mu_b=eos.mu_b, cs2=eos.cs2)  # its checks hold
    assert float(eos.first_law_error()) < 1e-4
    assert bool(eos.is_causal())
    # the pseudo-enthalpy below the first row, ln(mu / mu at the surface)
    outer = outer_crust(complete(ame(2020), mass_model("DZ")))
    assert np.log(float(eos.mu_b[0]) / outer.mu_surface) < 1e-5
    assert sly4() is eos


def test_step_at_drip():
    outer, inner = outer_crust(complete(ame(2020), mass_model("DZ"))), inner_crust()
    p = outer.p[-1, 1]
    assert np.interp(p, inner.p, inner.mu) - M_N == pytest.approx(0.043, abs=2e-3)  # [MeV]
    assert np.interp(p, inner.p, inner.n_b) == pytest.approx(outer.n_b[-1, 1], rel=1e-3)


def test_rows_of_sly4_suffice():
    # interpolated between its rows, against all rows of the inner crust; 0.25 % in the row of the transition
    crust, eos = inner_crust(), sly4()
    rows = (crust.n_b > 2.9e-4) & (crust.n_b < 0.077)
    np.testing.assert_allclose(eos.at_density(crust.n_b[rows]).p, crust.p[rows], rtol=2e-4)
    last = crust.n_b >= 0.077
    np.testing.assert_allclose(eos.at_density(crust.n_b[last]).p, crust.p[last], rtol=3e-3)


def test_time():
    start = time.process_time()
    inner_crust.__wrapped__(SURFACE)  # traced and compiled before, as at the second call of a session
    assert time.process_time() - start < 2
