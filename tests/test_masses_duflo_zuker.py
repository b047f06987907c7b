"""Duflo-Zuker with 10 parameters: values and rms of the formula's published program."""

import time

import numpy as np
import pytest

from nslib.masses import duflo_zuker
from nslib.tables.ame import select
from nslib.tables.mass_models import mass_model


@pytest.mark.parametrize(
    ("Z", "N", "mass_excess"),
    # the program of February 1996, its loops transcribed to Python and run in double precision
    [
        (82, 126, -22.583690),
        (26, 30, -60.589431),
        (36, 82, 76.685743),
        (50, 82, -76.000868),  # Z = 50 is spherical
        (28, 50, -37.911961),
        (8, 8, -5.020568),
        (66, 98, -65.968676),  # deformed
        (92, 146, 47.512382),
        (53, 74, -88.545122),
        (71, 106, -51.727761),
        (30, 27, -33.169100),  # more protons than neutrons
        (21, 21, -33.265265),
        (29, 28, -48.753079),
        (119, 190, 231.932680),
    ],
)
def test_values(Z, N, mass_excess):
    assert duflo_zuker.mass_excess(Z, N) == pytest.approx(mass_excess, abs=1e-6)


def test_rms():
    # an independent program has 0.703 MeV on the 2591 nuclei of AME2012 with 20 <= Z <= 92, 20 <= N <= 148,
    # 0.753 MeV on the 993 of them with Z <= 50, N <= 84, 0.553 MeV on the 2033 that are measured
    table = select(2012, Z=(20, 92), N=(20, 148))
    Z, N, excess = (table[c].to_numpy() for c in ("Z", "N", "mass_excess"))
    residual = excess - duflo_zuker.mass_excess(Z, N)
    light = (Z <= 50) & (N <= 84)

    def rms(r):
        return np.sqrt(np.mean(r**2))

    assert rms(residual) == pytest.approx(0.703, abs=5e-4)
    assert rms(residual[light]) == pytest.approx(0.753, abs=5e-4)
    assert rms(residual[~table["extrapolated"].to_numpy()]) == pytest.approx(0.553, abs=5e-4)


def test_not_the_table_of_28_parameters():
    # the table "DZ" is another formula: 1.2 MeV apart at 118Kr, the bottom of the outer crust
    table = mass_model("DZ").set_index(["Z", "N"])["mass_excess"]
    assert abs(duflo_zuker.mass_excess(36, 82) - table[36, 82]) > 1


def test_filling():
    # closed shells of the oscillator and of nature: q and S3 vanish, so a closed fluid mixes with nothing
    for closed in (14, 28, 50, 82, 126, 184):
        assert duflo_zuker._fluid(np.array(closed), 0)[2] == 0
    assert duflo_zuker._fluid(np.array(66), 0)[2] > 0


def test_shapes_and_time():
    Z, N = np.arange(8, 121)[:, None], np.arange(8, 259)[None, :]
    start = time.process_time()
    B = duflo_zuker.binding_energy(Z, N)
    assert time.process_time() - start < 3  # 28,363 nuclei
    assert B.shape == (113, 251)
    assert B[18, 22] == duflo_zuker.binding_energy(26, 30)


@pytest.mark.parametrize(
    ("Z", "N", "message"),
    [
        (0, 1, r"Z must lie in \[1, 258\]"),
        (50, 259, r"N must lie in \[1, 258\]"),
        (26, 30.5, "N = 30.5; it must be a whole number"),
        (26, 20 - 26, "N = -6; it must be a whole number"),  # A = 20 < Z
        (np.nan, 30, "Z = nan"),
    ],
)
def test_bad_input(Z, N, message):
    with pytest.raises(ValueError, match=message):
        duflo_zuker.mass_excess(Z, N)
