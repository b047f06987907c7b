"""Outer crust: sequences, layers and depths of an independent calculation, thermodynamics, brute force."""

import json
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from nslib.crust.lattice import Corrections, electrons, exchange, free_pressure, lattice_coefficient
from nslib.crust.outer import outer_crust
from nslib.masses import complete, nuclear_mass
from nslib.matter import leptons
from nslib.tables.ame import ame
from nslib.tables.mass_models import mass_model
from nslib.units import ALPHA, FOUR_PI_MEV_FM3_KM2, HBARC, M_E, M_N, MSUN_KM

REFERENCE = json.loads((Path(__file__).parent / "reference" / "outer_crust.json").read_text())
STAR = REFERENCE["star"]
SYMBOL = {
    26: "Fe",
    28: "Ni",
    29: "Cu",
    30: "Zn",
    32: "Ge",
    34: "Se",
    36: "Kr",
    38: "Sr",
    39: "Y",
    40: "Zr",
    42: "Mo",
}
needs_extra = pytest.mark.skipif(
    find_spec("nucleardatapy") is None,
    reason="the HFB21 crust is not tested: the extra hfb21 (nucleardatapy) is not installed",
)
TABLES = ["DZ", "FRDM95", pytest.param("HFB21", marks=needs_extra)]


@pytest.fixture(scope="module")
def masses():
    return complete(ame(2012), mass_model("DZ"))


@pytest.fixture(scope="module")
def crust(masses):
    return outer_crust(masses)


def names(crust):
    return [f"{Z + N}{SYMBOL[int(Z)]}" for Z, N in zip(crust.Z, crust.N, strict=True)]


@pytest.mark.parametrize("name", TABLES)
def test_sequence_and_drip(name):
    crust = outer_crust(complete(ame(2012), mass_model(name)))
    assert names(crust) == REFERENCE["sequences"][name]
    assert crust.n_b[-1, 1] == pytest.approx(REFERENCE["drip_n_b_fm3"][name], rel=1e-3)
    if name in REFERENCE["drip_p_MeV_fm3"]:
        assert crust.p[-1, 1] == pytest.approx(REFERENCE["drip_p_MeV_fm3"][name], rel=1e-3)
    assert crust.mu[-1, 1] == pytest.approx(M_N, abs=1e-9)


def test_layers(crust):
    p, n_b, depth = np.array(REFERENCE["DZ_layers"]["rows"]).T
    np.testing.assert_allclose(crust.p[:, 1], p, rtol=5e-3)
    np.testing.assert_allclose(crust.n_b[:, 1], n_b, rtol=6e-3)
    np.testing.assert_allclose(crust.depth(**STAR) * 1e3, depth, atol=0.65)  # printed to 1 m below 121 m
    assert crust.depth(**STAR)[-1] * 1e3 == pytest.approx(REFERENCE["depth_m"]["DZ"], abs=0.5)
    assert crust.crust_mass(**STAR) == pytest.approx(REFERENCE["crust_mass_Msun"]["DZ"], rel=2e-3)
    assert crust.at(crust.p[-1, 1]).mu_e[0] == pytest.approx(REFERENCE["drip_mu_e_MeV"]["DZ"], abs=6e-3)


def test_continuity(crust):
    np.testing.assert_allclose(crust.mu[1:, 0], crust.mu[:-1, 1], rtol=1e-13)
    assert (crust.p[1:, 0] == crust.p[:-1, 1]).all()
    assert (crust.n_b[1:, 0] > crust.n_b[:-1, 1]).all()


def test_brute_force(crust, masses):
    # every nuclide by itself: pressure of jax leptons plus lattice, SciPy's root, no layer logic
    Z, N, excess = (masses[c].to_numpy(dtype=float) for c in ("Z", "N", "mass_excess"))
    some = (Z > 20) & (Z < 50) & (N > 25) & (N < 90)
    Z, N, M = Z[some], N[some], nuclear_mass(Z, N, excess)[some]
    coefficient = 0.895929 * ALPHA / (9 * np.pi / 4) ** (1 / 3)

    def mu_of(p, Z, N, M):
        C = coefficient * Z ** (2 / 3)
        n = lambda k: k**3 / (3 * np.pi**2 * HBARC**3)
        k = brentq(lambda k: float(leptons.pressure(k, M_E)) - C * k * n(k) / 3 - p, 0.05, 60, xtol=1e-13)
        return (M + Z * (np.hypot(k, M_E) - 4 / 3 * C * k)) / (Z + N)

    for p in (3e-11, 2e-8, 3e-7, 5e-5, 1.5e-4, 4.7e-4):
        state = crust.at(p)
        near = np.flatnonzero((np.abs(Z - state.Z[0]) <= 4) & (np.abs(N - state.N[0]) <= 4))
        mu = np.array([mu_of(p, Z[i], N[i], M[i]) for i in near])
        best = near[np.argmin(mu)]
        assert (Z[best], N[best]) == (state.Z[0], state.N[0])
        assert mu.min() == pytest.approx(state.mu[0], abs=2e-6)  # the reference's shorter lattice constant


@pytest.mark.parametrize(
    "corrections", [Corrections(), Corrections(polarisation=True, exchange=True), Corrections(lattice=False)]
)
def test_gibbs_duhem(masses, corrections):
    # dp / dmu = n_b and dp / deps = cs2, by five-point differences inside each layer
    crust = outer_crust(masses, corrections=corrections, p_min=1e-11)
    p = np.sqrt(crust.p[:, 0] * crust.p[:, 1])
    h = 1e-3 * p
    left2, left, here, right, right2 = (crust.at(p + j * h) for j in (-2, -1, 0, 1, 2))
    wide = (p + 2 * h < crust.p[:, 1]) & (p - 2 * h > crust.p[:, 0])

    def slope(name):
        a, b, c, d = (getattr(s, name) for s in (left2, left, right, right2))
        return (a - 8 * b + 8 * c - d) / (12 * h)

    # rounding of mu, 1e-13 MeV, over its change, 1e-3 p / n, is 1e-9 only above 1e-8 MeV fm^-3
    deep = wide & (p > 1e-8)
    assert deep.sum() >= 10
    np.testing.assert_allclose((1 / slope("mu"))[deep], here.n_b[deep], rtol=1e-9)
    np.testing.assert_allclose((1 / slope("eps"))[wide], here.cs2[wide], rtol=1e-9)
    np.testing.assert_allclose(here.eps + here.p, here.mu * here.n_b, rtol=1e-14)


def test_depth_by_integration(crust):
    # structure equations from the surface inwards through the layers, as far as drip
    M, R = STAR["M"] * MSUN_KM, STAR["R"]

    def inwards(lnp, y):
        r, m = y
        p = np.exp(lnp)
        eps = crust.at(np.clip(p, crust.p[0, 0], crust.p[-1, 1])).eps[0]
        dr = -p * r * (r - 2 * m) / ((eps + p) * (m + FOUR_PI_MEV_FM3_KM2 * r**3 * p))
        return [dr, FOUR_PI_MEV_FM3_KM2 * r**2 * eps * dr]

    y = [R, M]
    bottoms = []
    for top, bottom in crust.p:
        y = solve_ivp(inwards, np.log([top, bottom]), y, rtol=1e-9, atol=1e-12).y[:, -1]
        bottoms.append(R - y[0])
    # the integration begins at 1e-14 MeV fm^-3, below the surface by 3e-6 of c^2, 0.11 m
    np.testing.assert_allclose(np.array(bottoms) * 1e3, crust.depth(**STAR) * 1e3, atol=0.2)
    assert (M - y[1]) / MSUN_KM == pytest.approx(crust.crust_mass(**STAR), rel=1e-3)


@needs_extra
def test_corrections_with_hfb21():
    masses = complete(ame(2012), mass_model("HFB21"))
    base = outer_crust(masses)
    expected = REFERENCE["HFB21_corrections"]

    def with_(**switches):
        other = outer_crust(masses, corrections=Corrections(**switches))
        return other, 100 * (other.p[-1, 1] / base.p[-1, 1] - 1)

    bare, percent = with_(electron_binding=False)
    assert set(names(base)) - set(names(bare)) == {expected["without electron binding"]["without"]}
    assert percent == pytest.approx(expected["without electron binding"]["drip_p_percent"], abs=0.01)
    polarised, percent = with_(polarisation=True)
    assert set(names(base)) - set(names(polarised)) == {expected["polarisation"]["without"]}
    assert percent == pytest.approx(expected["polarisation"]["drip_p_percent"], abs=0.05)
    for crust, depth in zip((base, polarised), expected["polarisation"]["80Ni_depth_m"], strict=True):
        assert crust.depth(**STAR)[names(crust).index("80Ni")] * 1e3 == pytest.approx(depth, abs=0.7)
    _, percent = with_(polarisation=True, exchange=True)
    assert percent == pytest.approx(expected["polarisation and exchange"]["drip_p_percent"], abs=0.01)


def test_measured_masses_matter():
    # the bare Duflo-Zuker table begins, wrongly, with 60Ni
    assert names(outer_crust(mass_model("DZ")))[0] == "60Ni"


def test_electron_gas():
    k = np.geomspace(1e-3, 50, 200)
    # just above x = 0.05, where both switch to the closed form, rounding is 3e-11
    np.testing.assert_allclose(free_pressure(k), leptons.pressure(k, M_E), rtol=1e-10)
    mu, p, dmu = exchange(k)
    h = 1e-5 * k
    np.testing.assert_allclose(dmu, (exchange(k + h)[0] - exchange(k - h)[0]) / (2 * h), rtol=1e-6, atol=1e-9)
    n = k**3 / (3 * np.pi**2 * HBARC**3)
    # limits: -alpha k / pi (the derivative of -3 alpha k n / 4 pi by n), + alpha k / 2 pi
    assert mu[0] == pytest.approx(-ALPHA * k[0] / np.pi, rel=1e-5)
    assert mu[-1] == pytest.approx(ALPHA * k[-1] / (2 * np.pi), rel=3e-3)
    assert p[0] / n[0] == pytest.approx(-ALPHA * k[0] / (4 * np.pi), rel=1e-5)


def test_lattice_coefficient():
    # 3.4067e-3 Z^(2/3): X. Roca-Maza and J. Piekarewicz, Phys. Rev. C 78 (2008) 025807
    assert lattice_coefficient(1.0) == pytest.approx(3.4067e-3, rel=2e-5)
    assert lattice_coefficient(26.0, Corrections(lattice=False)) == 0
    state = electrons(np.array([1e-13, 1e-8, 4e-4]), lattice_coefficient(40.0))
    np.testing.assert_allclose(state.p, [1e-13, 1e-8, 4e-4], rtol=1e-12)


def test_time(masses):
    def seconds():
        start = time.process_time()  # another process on the machine does not count
        outer_crust(masses).depth(**STAR)
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.2


def test_table_and_lookup(crust):
    table = crust.table(50)
    assert len(table.p) == 50
    for column in (table.p, table.n_b, table.eps, table.mu):
        assert (np.diff(column) > 0).all()
    assert table.p[0] == crust.p[0, 0]
    assert table.p[-1] == crust.p[-1, 1]
    with pytest.raises(ValueError, match="p must lie in"):
        crust.at(1e-3)
    with pytest.raises(ValueError, match="M and R must satisfy"):
        crust.depth(1.4, 4.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="N"), "masses needs the columns"),
        (lambda t: pd.concat([t, t.tail(1)]), "more than once"),
        (lambda t: t.assign(mass_excess=t["mass_excess"].where(t["Z"] != 30)), "mass_excess of Z = 30"),
        (lambda t: t[t["Z"] == 0], "no nuclide with Z >= 1"),
        (lambda t: t.assign(mass_excess=1e3 * t["mass_excess"]), "are they in MeV"),
    ],
)
def test_bad_tables(masses, change, message):
    with pytest.raises(ValueError, match=message):
        outer_crust(change(masses))


def test_bad_pressure(masses):
    with pytest.raises(ValueError, match=r"p_min must lie in \[1e-16, 1e-5\]"):
        outer_crust(masses, p_min=0.1)
