"""Atomic Mass Evaluations: counts and values printed in the evaluations' own files."""

import numpy as np
import pytest

from nslib.tables.ame import YEARS, ame, newly_measured, select


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


@pytest.mark.parametrize(
    ("ranges", "count"),
    # 2591 nuclei between 40Ca and 240U, 993 with 20 <= Z <= 50: R. Utama, J. Piekarewicz and H. B. Prosper, Phys.
    # Rev. C 93 (2016) 014311, who do not say the ranges of N. 558 of the 2591 are estimates
    [
        ({"Z": (20, 92), "N": (20, 148)}, 2591),
        ({"Z": (20, 50), "N": (20, 84)}, 993),
        ({"Z": (20, 92), "N": (20, 148), "measured": True}, 2033),
        ({"A": (1, 295)}, 3353),
        ({"measured": True}, 2438),
        ({"Z": (26, 26), "A": (56, 56)}, 1),
        ({"Z": (500, 600)}, 0),
    ],
)
def test_selections(ranges, count):
    table = select(2012, **ranges)
    assert len(table) == count
    assert list(table.index) == list(range(count))


def test_ranges_are_closed():
    table = select(2020, Z=(28, 30), N=(40, 42), A=(69, 71))
    assert set(zip(table["Z"], table["N"], strict=True)) == {
        (28, 41), (28, 42), (29, 40), (29, 41), (29, 42), (30, 40), (30, 41)
    }  # fmt: skip


def test_newly_measured():
    # by sets of the nuclides themselves
    def known(year):
        table = select(year, measured=True)
        return set(zip(table["Z"], table["N"], strict=True))

    for before, after in ((2003, 2012), (2012, 2016), (2016, 2020), (2012, 2020)):
        table = newly_measured(before, after)
        assert set(zip(table["Z"], table["N"], strict=True)) == known(after) - known(before)
        assert len(table) == len(known(after) - known(before))
        assert table["mass_excess"].notna().all()
    # 82Zn: an estimate in AME2012, measured in AME2016
    zinc = value(newly_measured(2012, 2016), 30, 52)
    assert (zinc["before"], zinc["after"]) == (2012, 2016)
    assert zinc["mass_excess"] == pytest.approx(-42.313954)
    assert (zinc["estimate"], zinc["estimate_error"]) == pytest.approx((-42.607, 0.298))


def test_newly_measured_pooled():
    ranges = {"Z": (20, 92), "N": (20, 148)}
    both = newly_measured(2012, 2016, 2020, **ranges)
    steps = [newly_measured(2012, 2016, **ranges), newly_measured(2016, 2020, **ranges)]
    assert len(both) == sum(map(len, steps))
    assert not both.duplicated(["Z", "N"]).any()
    # the evaluators' own estimates, where they had one, are good: errors over stated errors below 1
    known = both[both["estimate"].notna()]
    z = (known["mass_excess"] - known["estimate"]) / np.hypot(known["error"], known["estimate_error"])
    assert 0.5 < np.sqrt(np.mean(z**2)) < 1
    assert len(known) < len(both)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: select(2013), "year must be one of 2003, 2012, 2016, 2020, got 2013"),
        (lambda: select(2012, Z=(50, 20)), "Z must be two whole numbers"),
        (lambda: select(2012, N=(-1, 20)), "N must be two whole numbers"),
        (lambda: select(2012, A=(40.5, 60)), "A must be two whole numbers"),
        (lambda: select(2012, A=(40, 50, 60)), "A must be two whole numbers"),
        (lambda: newly_measured(2012), "years must be two or more"),
        (lambda: newly_measured(2016, 2012), "years must be two or more"),
        (lambda: newly_measured(2012, 2021), "year must be one of"),
    ],
)
def test_bad_selections(call, message):
    with pytest.raises(ValueError, match=message):
        call()


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


@pytest.mark.parametrize("year", [2012.0, 2013, "2012", None, True, [2012]])
def test_unknown_years(year):
    with pytest.raises(ValueError, match="year must be one of 2003, 2012, 2016, 2020"):
        ame(year)
