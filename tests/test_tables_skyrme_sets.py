"""nslib.tables.skyrme_sets: each set gives the saturation point that others found for it."""

import jax
import numpy as np
import pytest

from nslib.matter import nuclear, skyrme
from nslib.tables.skyrme_sets import NAMES, PARAMETERS, skyrme_set

#: n_0 [fm^-3], E_0, K_0, S, L, K_sym [MeV], m*/m [1]: table of nuclear-matter parameters of nucleardatapy
#: 1.0.2, whose names are SKGSIGMA, SKRSIGMA, T6 and SKOP for Gs, Rs, SkT6 and SkO'
EVALUATED = {
    "SIII": (0.1453, -15.8513, 355.3754, 28.1620, 9.9111, -393.8960, 0.7628),
    "SV": (0.1551, -16.0478, 305.6799, 32.8246, 96.0976, 24.1789, 0.3829),
    "SGII": (0.1583, -15.5940, 214.6510, 26.8303, 37.6211, -145.8278, 0.7856),
    "SkM*": (0.1602, -15.7523, 216.4439, 30.0364, 45.7952, -155.8199, 0.7888),
    "RATP": (0.1598, -16.0460, 239.5167, 29.2578, 32.3881, -191.1279, 0.6671),
    "SkP": (0.1625, -15.9541, 201.0341, 30.0002, 19.6613, -266.5508, 1.0000),
    "SkT6": (0.1609, -15.9635, 235.9693, 29.9667, 30.8617, -211.6384, 1.0000),
    "Rs": (0.1577, -15.5873, 237.3913, 30.5842, 85.6796, -9.1358, 0.7827),
    "Gs": (0.1576, -15.5877, 237.2519, 31.3726, 94.0201, 13.9831, 0.7840),
    "SkMP": (0.1570, -15.5604, 230.8828, 29.8859, 70.2922, -49.7951, 0.6535),
    "SkI1": (0.1603, -15.9331, 242.5487, 37.5100, 160.9492, 234.4724, 0.6934),
    "SkI2": (0.1575, -15.7570, 240.7237, 33.3689, 104.3223, 70.6270, 0.6852),
    "SkI3": (0.1577, -15.9619, 258.0101, 34.8307, 100.5153, 72.9606, 0.5776),
    "SkI4": (0.1601, -15.9267, 247.7449, 29.5039, 60.4080, -40.6243, 0.6497),
    "SkI5": (0.1557, -15.8279, 255.5782, 36.6347, 129.2795, 159.4313, 0.5790),
    "SLy230a": (0.1600, -15.9880, 229.9107, 31.9863, 44.3247, -98.2425, 0.6969),
    "SLy4": (0.1595, -15.9719, 229.9148, 32.0119, 45.9880, -119.5623, 0.6947),
    "SLy5": (0.1604, -15.9833, 229.9628, 32.0273, 48.2848, -112.4098, 0.6969),
    "SkX": (0.1554, -16.0506, 271.0816, 31.0986, 33.1764, -251.9969, 0.9931),
    "SkO": (0.1605, -15.8347, 223.3613, 31.9710, 79.1179, -43.1402, 0.8960),
    "SkO'": (0.1602, -15.7499, 222.3165, 31.9476, 68.9436, -78.8406, 0.8962),
    "NRAPR": (0.1606, -15.8514, 225.6646, 32.7846, 59.6508, -123.3825, 0.6937),
    "LNS": (0.1746, -15.3136, 210.7857, 33.4263, 61.4691, -127.4134, 0.8258),
    "UNEDF0": (0.1605, -16.0559, 230.0195, 30.5433, 45.0715, -189.6073, 1.1111),
    "UNEDF1": (0.1587, -15.8000, 220.0152, 28.9871, 40.0019, -179.4457, 1.0076),
    # the same package from the papers of these fits; without K_sym
    "SV-min": (0.1611, -15.910, 221.8, 30.66, 44.81, np.nan, 0.9518),
    "SV-bas": (0.1596, -15.904, 233.4, 30.00, 32.37, np.nan, 0.8997),
    # the incompressibilities that name them
    "SK255": (np.nan, np.nan, 255.0, np.nan, np.nan, np.nan, np.nan),
    "SK272": (np.nan, np.nan, 272.0, np.nan, np.nan, np.nan, np.nan),
}
#: hbar^2 / 2m = 20.7525 MeV fm^2 of many of these against 20.7340 of m = 939 MeV: 0.02 MeV in E_0, 0.2 in K_0
TOLERANCE = (1.5e-4, 0.025, 0.25, 0.025, 0.12, 0.3, 5e-4)


@jax.jit
@jax.vmap
def properties(s):
    q = nuclear.saturation(skyrme.energy_density, s, s.m)
    return q.n_0, q.E_0, q.K_0, q.S, q.L, q.K_sym, skyrme.effective_masses(q.n_0 / 2, q.n_0 / 2, s)[0]


@pytest.fixture(scope="module")
def found():
    sets = [skyrme.named(name) for name in NAMES]
    columns = properties(skyrme.Skyrme(*np.transpose(np.asarray(sets, dtype=float))))
    return dict(zip(NAMES, np.transpose(columns)))


def test_every_set_has_its_oracle():
    assert set(EVALUATED) == set(NAMES) and len(NAMES) == 29


@pytest.mark.parametrize("name", NAMES)
def test_saturation(found, name):
    for value, other, tolerance in zip(found[name], EVALUATED[name], TOLERANCE):
        if name in ("SK255", "SK272"):
            tolerance = 0.5
        assert np.isnan(other) or value == pytest.approx(other, abs=tolerance)


def test_sly4_stands_in_one_place():
    assert skyrme.SLY4 == skyrme.named("SLy4")
    assert skyrme.SLY4 == skyrme.Skyrme(-2488.91, 486.82, -546.39, 13777.0, 0.834, -0.344, -1.0, 1.354, 1 / 6)


def test_sets_are_plain_and_separate():
    one = skyrme_set("NRAPR")
    assert [type(one[p]) for p in PARAMETERS] == [float] * 9
    one["t0"] = 0.0
    assert skyrme_set("NRAPR")["t0"] == -2719.7
    assert all(any(c.isdigit() for c in skyrme_set(name)["reference"]) for name in NAMES)


@pytest.mark.parametrize("get", [skyrme_set, skyrme.named])
def test_unknown_name(get):
    with pytest.raises(ValueError, match=r"name must be one of SIII, .*SLy4, .*UNEDF1, got 'SLY4'"):
        get("SLY4")
