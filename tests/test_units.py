"""nslib.units against the values that the reviews print, and against each other."""

from math import pi

import pytest

from nslib import units

#: CODATA 2018 and 2022 agree in these digits (E. Tiesinga et al., Rev. Mod. Phys. 93 (2021) 025010)
PRINTED = {
    "HBARC": 197.3269804,
    "ALPHA": 1 / 137.035999,
    "M_E": 0.510998950,
    "M_MU": 105.658375,
    "M_N": 939.56542,
    "M_P": 938.27208,
    "M_U": 931.49410,
    "C": 299792458.0,
    "G": 6.67430e-11,
}


@pytest.mark.parametrize("name", PRINTED)
def test_constant(name):
    assert getattr(units, name) == pytest.approx(PRINTED[name], rel=2e-8)


def test_coulomb_constant():
    # e^2 / 4 pi epsilon_0 = 1.43996 MeV fm, Particle Data Group, Table of physical constants
    assert units.E2 == pytest.approx(1.4399645, rel=1e-7)


def test_solar_mass_as_length():
    # 1476.62504 m: IAU 2015 resolution B3 rounds G M_sun to 1.3271244e20 m^3 s^-2
    assert units.MSUN_KM == pytest.approx(1.3271244e20 / 299792458.0**2 / 1e3, rel=1e-9)


def test_energy_density_as_pressure_and_mass_density():
    # 1 MeV = 1.602176634e-13 J and 1.78266192e-27 g (CODATA 2018), 1 fm^-3 = 1e45 m^-3 = 1e39 cm^-3
    assert units.MEV_FM3_PA == pytest.approx(1.602176634e32, rel=1e-9)
    assert units.MEV_FM3_G_CM3 == pytest.approx(1.78266192e12, rel=1e-8)


def test_geometric_units_agree():
    # the mass of 1 km^3 at 1 MeV fm^-3, in kg, is its length over G / c^2
    kilograms = units.MEV_FM3_G_CM3 * 1e3 * 1e9
    assert units.MEV_FM3_KM2 == pytest.approx(units.G * kilograms / units.C**2 / 1e3, rel=1e-12)
    assert units.FOUR_PI_MEV_FM3_KM2 == pytest.approx(4 * pi * units.MEV_FM3_KM2, rel=1e-15)
