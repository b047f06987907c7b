"""Atomic Mass Evaluations: counts and values printed in the evaluations' own files."""

import numpy as np
import pytest

from nslib.tables.ame import YEARS, ame


def value(table, Z, N):
    return table[(table["Z"] == Z) & (table["N"] == N)].iloc[0]


@pytest.mark.parametrize(
    ("year", "rows", "measured"),
    # 2012-2020: counts of the evaluations' summary papers; 2003: 3179 and 2228, table I there
    [(2003, 3179, 2228), (2012, 3353, 2438), (2016, 3436, 2498), (2020, 3558, 2550)],
)
def test_counts(year, rows, measured):
    table = ame(year)
    assert len(table) == rows
    assert (~table["extrapolated"]).sum() == measured
    assert not table.duplicated(["Z", "N"]).any()
    assert np.isfinite(table[["mass_excess", "error"]].to_numpy()).all()


def test_rectangle_of_2591():
    # 20 <= Z <= 92, 20 <= N <= 148 in AME2012: the 2591 nuclei between 40Ca and 240U, 2033 of them measured
    table = ame(2012)
    table = table[table["Z"].between(20, 92) & table["N"].between(20, 148)]
    assert len(table) == 2591
    assert (~table["extrapolated"]).sum() == 2033


@pytest.mark.parametrize(
    ("year", "Z", "N", "mass_excess"),
    # printed values of each evaluation [MeV]
    [
        (2003, 26, 30, -60.605352),
        (2003, 50, 82, -76.5542),
        (2012, 26, 30, -60.606422),
        (2012, 82, 126, -21.748074),
        (2012, 20, 20, -34.846386),
        (2012, 50, 82, -76.543912),
        (2012, 20, 28, -44.224759),
        (2016, 26, 30, -60.607082),
        (2016, 50, 82, -76.546542),
        (2020, 26, 30, -60.607163),
        (2020, 82, 126, -21.748519),
        (2020, 20, 28, -44.224868),
    ],
)
def test_values(year, Z, N, mass_excess):
    assert value(ame(year), Z, N)["mass_excess"] == pytest.approx(
        mass_excess, abs=6e-5 if year == 2003 else 1e-6
    )


def test_errors_and_flags():
    # AME2020 prints 56Fe -60607.163 +- 0.268 keV; 78Ni 34290# +- 400# keV (binding energy 642.537# MeV)
    iron, nickel = value(ame(2020), 26, 30), value(ame(2020), 28, 50)
    assert iron["error"] == pytest.approx(0.268e-3)
    assert not iron["extrapolated"]
    assert nickel["extrapolated"]
    binding = 28 * 7.288971 + 50 * 8.071318 - nickel["mass_excess"]
    assert binding == pytest.approx(642.537, abs=0.08)


def test_copies_are_independent():
    table = ame(2012)
    table["mass_excess"] = 0.0
    assert ame(2012)["mass_excess"].abs().max() > 100


def test_unknown_year():
    with pytest.raises(ValueError, match=r"year must be one of 2003, 2012, 2016, 2020, got 2013"):
        ame(2013)
    assert YEARS == (2003, 2012, 2016, 2020)
