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

from nslib.crust.lattice import (
    Corrections,
    electrons,
    electrons_of_energy,
    exchange,
    free_pressure,
    lattice_coefficient,
)
from nslib.crust.outer import SampleStatus, composition, drip, holes, outer_crust
from nslib.masses import complete, nuclear_mass
from nslib.matter import leptons
from nslib.tables.ame import ame
from nslib.tables.mass_models import mass_model
from nslib.units import ALPHA, FOUR_PI_MEV_FM3_KM2, HBARC, M_E, M_N, MSUN_KM

REFERENCE = json.loads((Path(__file__).parent / "reference" / "outer_crust.json").read_text())
STAR = REFERENCE["star"]
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


@pytest.mark.parametrize("name", TABLES)
def test_sequence_and_drip(name):
    crust = outer_crust(complete(ame(2012), mass_model(name)))
    assert crust.names == REFERENCE["sequences"][name]
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
    assert set(base.names) - set(bare.names) == {expected["without electron binding"]["without"]}
    assert percent == pytest.approx(expected["without electron binding"]["drip_p_percent"], abs=0.01)
    polarised, percent = with_(polarisation=True)
    assert set(base.names) - set(polarised.names) == {expected["polarisation"]["without"]}
    assert percent == pytest.approx(expected["polarisation"]["drip_p_percent"], abs=0.05)
    for crust, depth in zip((base, polarised), expected["polarisation"]["80Ni_depth_m"], strict=True):
        assert crust.depth(**STAR)[crust.names.index("80Ni")] * 1e3 == pytest.approx(depth, abs=0.7)
    _, percent = with_(polarisation=True, exchange=True)
    assert percent == pytest.approx(expected["polarisation and exchange"]["drip_p_percent"], abs=0.01)


def test_measured_masses_matter():
    # the bare Duflo-Zuker table begins, wrongly, with 60Ni
    assert outer_crust(mass_model("DZ")).names[0] == "60Ni"


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


@pytest.mark.parametrize(
    "corrections",
    [
        Corrections(),
        Corrections(lattice=False),
        Corrections(polarisation=True, exchange=True),
        Corrections(lattice=False, exchange=True),
    ],
)
def test_electrons_of_energy(corrections):
    # from a pressure to the Gibbs energy and back
    C = lattice_coefficient(np.array([1.0, 8, 26, 50, 90])[:, None], corrections)
    there = electrons(np.append(0, np.geomspace(1e-14, 1e-2, 40)), C, corrections.exchange)
    back = electrons_of_energy(there.g, C, corrections.exchange)
    np.testing.assert_allclose(back.k[:, 1:], there.k[:, 1:], rtol=1e-10)
    np.testing.assert_allclose(back.p[:, 15:], there.p[:, 15:], rtol=1e-10)
    np.testing.assert_allclose(back.p, there.p, atol=1e-22)
    below = electrons_of_energy(np.array([-5.0, 0.0, 0.4]), lattice_coefficient(26.0), corrections.exchange)
    assert np.isnan(below.p).all()


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
    with pytest.raises(ValueError, match="p must lie in .* the top and neutron drip; got"):
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
        (lambda t: t.assign(mass_excess=t["mass_excess"] + 1e4), "neutron drip outside"),
        (lambda t: t.assign(Z=t["Z"] + 0.5), "it must be a whole number"),
        (lambda t: t.assign(N=-t["N"]), "it must be a whole number >= 0"),
    ],
)
def test_bad_tables(masses, change, message):
    with pytest.raises(ValueError, match=message):
        outer_crust(change(masses))


def test_bad_pressure(masses):
    with pytest.raises(ValueError, match=r"p_min must lie in \[1e-16, 1e-5\]"):
        outer_crust(masses, p_min=0.1)


def without(table, Z, N):
    return table[~((table["Z"] == Z) & (table["N"] == N))]


def test_a_hole_at_each_layer(crust, masses):
    # the row of a nuclide that fills a layer is lost: whatever takes its place is its neighbour
    for Z, N in zip(crust.Z.tolist(), crust.N.tolist(), strict=True):
        with pytest.raises(ValueError, match=f"has a hole: Z = {Z}, N = {N} is missing"):
            outer_crust(without(masses, Z, N))
    allowed = outer_crust(without(masses, 36, 82), on_hole="allow")
    assert allowed.names == crust.names[:-1]
    with pytest.raises(ValueError, match="on_hole must be"):
        outer_crust(masses, on_hole="ignore")


def test_a_table_that_ends():
    # the table of 1988 has no N = 82 nuclides below Z = 39, which others put at the bottom
    masses = complete(ame(2012), mass_model("MJ88"))
    with pytest.raises(ValueError, match="has a hole"):
        outer_crust(masses)
    assert (40, 84, 38, 82) in holes(masses, [40], [84])
    assert holes(complete(ame(2012), mass_model("FRDM95")), [40, 36], [84, 82]) == []


def test_crust_of_one_nuclide():
    # iron alone: the bottom is where its own mu reaches m_n
    iron = ame(2020).query("Z == 26 and N == 30")
    crust = outer_crust(iron, on_hole="allow")
    assert crust.names == ["56Fe"]
    assert crust.mu[0, 1] == pytest.approx(M_N, abs=1e-9)
    with pytest.raises(ValueError, match="has a hole: Z = 2[567], N = (29|30|31) is missing"):
        outer_crust(iron)


@pytest.fixture(scope="module")
def samples(masses):
    # the masses that are not measured vary by 1 MeV, more than models of them differ
    rng = np.random.default_rng(118)
    free = ~masses["measured"].to_numpy()
    return masses["mass_excess"].to_numpy() + free * rng.standard_normal((1000, len(masses)))


def test_samples_are_exact(masses, samples):
    # each sample against its own exact sequence, at 90 pressures and 90 depths, some beyond drip
    some, x_p, x_d = samples[:12], np.geomspace(1e-12, 6e-4, 90), np.linspace(0, 0.53, 90)
    by_p = composition(masses, some, p=x_p)
    by_depth = composition(masses, some, depth=x_d, **STAR)
    bottom = drip(masses, some)
    for s, excess in enumerate(some):
        crust = outer_crust(masses.assign(mass_excess=excess), on_hole="allow")
        assert (bottom.Z[s], bottom.N[s]) == (crust.Z[-1], crust.N[-1])
        assert bottom.p[s] == pytest.approx(crust.p[-1, 1], rel=1e-11)
        assert bottom.n_b[s] == pytest.approx(crust.n_b[-1, 1], rel=1e-11)
        assert bottom.mu_surface[s] == pytest.approx(crust.mu_surface, rel=1e-14)
        for found, x, ends in ((by_p, x_p, crust.p[:, 1]), (by_depth, x_d, crust.depth(**STAR))):
            layer = np.searchsorted(ends, x)
            beyond = layer == len(ends)
            assert (found.layer[s][beyond] == -1).all()
            assert beyond.any()
            place = found.layer[s][~beyond]
            assert (found.Z[place] == crust.Z[layer[~beyond]]).all()
            assert (found.N[place] == crust.N[layer[~beyond]]).all()


def test_shares_of_samples(masses, samples):
    x = np.linspace(0, 0.53, 60)
    found = composition(masses, samples[:50], depth=x, **STAR)
    np.testing.assert_allclose(found.probability.sum(1) + found.dripped, 1, atol=1e-12)
    assert found.probability[0].max() == 1  # the surface is measured: iron
    assert (found.Z[0], found.N[0]) == (26, 30)
    assert found.dripped[-1] == 1
    assert (np.diff(found.dripped) >= 0).all()
    again = composition(masses, samples[:50][::-1], depth=x, **STAR)
    np.testing.assert_allclose(again.probability, found.probability, atol=1e-12)


def test_samples_without_scatter(masses, crust):
    same = np.tile(masses["mass_excess"], (3, 1))
    found = composition(masses, same, p=crust.p.mean(1))
    assert (found.probability.max(1) == 1).all()
    np.testing.assert_allclose(drip(masses, same).n_b, crust.n_b[-1, 1], rtol=1e-12)


def test_time_of_1000_samples(masses, samples):
    start = time.process_time()
    found = composition(masses, samples, depth=np.linspace(0, 0.51, 40), **STAR)
    n_b = drip(masses, samples).n_b
    assert time.process_time() - start < 60
    assert (found.status == SampleStatus.OK).all()
    # published models of these masses put drip at 2.45 to 2.6e-4 fm^-3
    assert 2.4e-4 < np.quantile(n_b, 0.16) < np.quantile(n_b, 0.84) < 2.7e-4


def test_status_of_samples(masses, samples):
    some = samples[:4].copy()
    some[1, 100] = np.nan
    some[2] *= 1e3
    found, bottom = composition(masses, some, p=[1e-9, 3e-4]), drip(masses, some)
    expected = [SampleStatus.OK, SampleStatus.NOT_FINITE, SampleStatus.DRIP_OUTSIDE, SampleStatus.OK]
    assert found.status.tolist() == bottom.status.tolist() == expected
    assert (found.layer[1:3] == -2).all()
    assert np.isnan(bottom.p[1:3]).all()
    good = composition(masses, samples[[0, 3]], p=[1e-9, 3e-4])
    np.testing.assert_array_equal(found.probability, good.probability)
    assert all(s.sentence for s in SampleStatus)
    # 122Zr fills a layer; without 120Sr nothing shows that it should
    lost = (masses["Z"] == 38) & (masses["N"] == 82)
    holed = composition(masses[~lost], masses["mass_excess"].to_numpy()[None, ~lost], p=[1e-9, 3e-4])
    assert holed.status.tolist() == [SampleStatus.HOLE]
    nothing = composition(masses, some[1:3], p=[1e-9])
    assert (nothing.layer == -2).all()
    assert len(nothing.Z) == 0
    assert np.isnan(nothing.dripped).all()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({}, "give either p or depth"),
        ({"p": [1e-9], "depth": [0.1]}, "give either p or depth"),
        ({"p": [-1e-9]}, r"p must lie in \[0, inf\)"),
        ({"p": [np.nan]}, "p must lie in"),
        ({"depth": [0.1]}, "M and R must satisfy"),
        ({"depth": [0.1], "M": 1.4, "R": 4.0}, "M and R must satisfy 0 < 2GM/c"),
        ({"depth": [13.0], "M": 1.4, "R": 12.78}, r"depth must lie in \[0, 12.78\)"),
    ],
)
def test_bad_places(masses, samples, where, message):
    with pytest.raises(ValueError, match=message):
        composition(masses, samples[:1], **where)


def test_bad_samples(masses, samples):
    with pytest.raises(ValueError, match=r"mass_excess must be of shape \(n_sample, 9295\)"):
        drip(masses, samples[0])
    with pytest.raises(ValueError, match="nuclides has the nuclide .* more than once"):
        drip(pd.concat([masses, masses.tail(1)]), samples)
    with pytest.raises(ValueError, match="N = -1; it must be a whole number"):
        drip(masses.assign(N=masses["N"].where(masses["Z"] != 1, -masses["N"])), samples)


@pytest.mark.parametrize("corrections, message", [
    (None, "corrections must be Corrections"),
    ((True, True, False, False), "corrections must be Corrections"),
    (Corrections(polarisation="false"), "polarisation must be True or False, got 'false'"),
    (Corrections(lattice=2), "lattice must be True or False, got 2"),
])  # fmt: skip
def test_bad_corrections(masses, samples, corrections, message):
    excess = masses["mass_excess"].to_numpy()[None]
    for call in (
        lambda: outer_crust(masses, corrections=corrections), lambda: drip(masses, excess, corrections),
        lambda: composition(masses, excess, p=[1e-5], corrections=corrections),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            call()


def test_stars_that_are_mostly_crust(crust):
    """Where the crust's own weight counts nothing is said; nor of stars without an end."""
    with pytest.raises(ValueError, match="the crust would reach .* more than a tenth of R"):
        crust.depth(0.01, 12.0)
    with pytest.raises(ValueError, match="more than a tenth of R"):
        crust.crust_mass(1.4, 1000.0)
    for M, R in ((1.4, np.inf), (np.nan, 12.0), (-1.0, 12.0), ([1.4], 12.0)):
        with pytest.raises(ValueError, match=r"M and R must satisfy 0 < 2GM/c\^2 < R"):
            crust.depth(M, R)
    with pytest.raises(ValueError, match="n_row must be a whole number >= 2, got 1"):
        crust.crust_mass(1.4, 12.0, n_row=1)


def test_places_of_two_axes_and_beneath_the_horizon(masses):
    excess = masses["mass_excess"].to_numpy()[None]
    with pytest.raises(ValueError, match="p must be an array of one axis"):
        composition(masses, excess, p=[[1e-5]])
    found = composition(masses, excess, depth=[0.1, 11.0], **STAR)  # 11 km down is within 2GM/c^2 = 4.1 km
    assert found.layer[0, 0] >= 0 and found.layer[0, 1] == -1
