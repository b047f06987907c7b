"""nslib.tables.radii: numbers against another transcription of the compilation."""

import csv
from importlib.util import find_spec
from pathlib import Path

import pytest

from nslib.nuclei import NUCLEI
from nslib.tables.radii import CHARGE_RADII


@pytest.mark.skipif(
    find_spec("nucleardatapy") is None,
    reason="charge radii are not compared: the extra hfb21 (nucleardatapy) is not installed",
)
def test_against_nucleardatapy():
    """The compilation as nucleardatapy 1.0.2 has it, for the nuclei that can be solved: no value is left out."""
    folder = Path(find_spec("nucleardatapy").submodule_search_locations[0]) / "data" / "nuclei" / "radch"
    with (folder / "2013-Angeli.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    table = {(int(row[0]), int(row[2])): tuple(map(float, row[4:6])) for row in rows if row[4]}
    assert len(table) > 900
    expected = {name: table[one.Z, one.N] for name, one in NUCLEI.items() if (one.Z, one.N) in table}
    assert expected == CHARGE_RADII


def test_radii_grow_as_the_nuclei():
    """R = r_0 A^(1/3) of a sphere, r_ch^2 = 3/5 R^2, with r_0 of 1.2 to 1.35 fm in every textbook."""
    for name, (r_ch, error) in CHARGE_RADII.items():
        r_0 = (5 / 3) ** 0.5 * r_ch / NUCLEI[name].A ** (1 / 3)
        assert 1.15 < r_0 < 1.4, name
        assert 0 < error < 0.01
