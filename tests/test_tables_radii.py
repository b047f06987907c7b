"""nslib.tables.radii: numbers against another transcription of the compilation."""

import csv
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from nslib.nuclei import NUCLEI
from nslib.tables import radii as module
from nslib.tables.radii import CHARGE_RADII, radii

needs_extra = pytest.mark.skipif(
    find_spec("nucleardatapy") is None,
    reason="charge radii are not compared: the extra hfb21 (nucleardatapy) is not installed",
)


@needs_extra
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


@needs_extra
def test_tables_of_the_extra():
    """The small table is part of the measured one; counts and rms against a reading of the same files by the csv module.

    That gave 908 nuclides, without the neutron; 8387 calculated ones, as in the masses of the same file; and .0247 fm
    rms between the two on the 807 with 20 <= Z <= 92 and N >= 20.
    """
    measured, hfb = radii("measured"), radii("HFB21")
    assert len(measured) == len(measured.drop_duplicates(["Z", "N"])) == 908
    known = {(z, n): (r, e) for z, n, r, e in measured.itertuples(index=False)}
    for name, value in CHARGE_RADII.items():
        assert known[NUCLEI[name].Z, NUCLEI[name].N] == value
    assert len(hfb) == 8387 and np.all((hfb["r_ch"] > 2) & (hfb["r_ch"] < 8))
    both = measured.merge(hfb, on=["Z", "N"], suffixes=("", "_hfb"))
    both = both[both["Z"].between(20, 92) & (both["N"] >= 20)]
    assert len(both) == 807
    assert np.sqrt(np.mean((both["r_ch"] - both["r_ch_hfb"]) ** 2)) == pytest.approx(0.0247, abs=5e-5)
    measured.loc[:, "r_ch"] = 0.0
    assert radii("measured")["r_ch"].min() > 0  # a copy is given out


def test_unknown_and_missing_tables(monkeypatch):
    with pytest.raises(ValueError, match="name must be one of measured, HFB21, got 'DZ'"):
        radii("DZ")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module._read.cache_clear()
    with pytest.raises(ImportError, match=r"measured.*pip install nslib\[hfb21\]"):
        radii("measured")
