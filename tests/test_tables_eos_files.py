"""nslib.tables.eos_files: tables of the installed lalsuite (test group), sorted, filtered and saying so."""

import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from nslib.matter.eos import EOS
from nslib.tables import eos_files
from nslib.tables.eos_files import lalsuite_table


def test_two_columns():
    # lalsuite 7.26, p and eps in m^-2; 1 MeV fm^-3 is 1.602176634e32 Pa G / c^4 = 1.3238333e-12 m^-2
    table = lalsuite_table("AP4")
    assert table.shape == (210, 2) and table.attrs["file"] == "LALSimNeutronStarEOS_AP4.dat"
    raw = np.loadtxt(eos_files._files()["AP4"])
    np.testing.assert_allclose(table["p"] * 1.3238333e-12, raw[:, 0], rtol=1e-7)
    np.testing.assert_allclose(table["eps"] * 1.3238333e-12, raw[:, 1], rtol=1e-7)


def test_nine_columns():
    """n_b, eps and p in fm^-3, g cm^-3 and dyn cm^-2: at saturation eps = n_b 939 MeV within 2 %, p some MeV fm^-3."""
    table = lalsuite_table("RG_SLY4_BSK24")
    n_b = np.loadtxt(eos_files._files()["RG_SLY4_BSK24"])[:, 1]
    row = int(np.argmin(np.abs(n_b - 0.16)))
    assert len(table) == len(n_b) == 1000
    assert table["eps"][row] == pytest.approx(939 * n_b[row], rel=0.02)
    assert 1.5 < table["p"][row] < 4


def test_makes_an_eos():
    eos = EOS.from_table(**lalsuite_table("BSK21"))
    assert eos.n_row == 310 and eos.n_b is None


def test_says_what_it_leaves_out():
    with pytest.warns(UserWarning, match=r"^SLY4: 0 of 100 rows were out of order, 1 left out$"):
        table = lalsuite_table("SLY4")
    assert len(table) == 99 and table["p"].min() > 0


def test_sorts_and_says_so(tmp_path, monkeypatch):
    p = np.geomspace(1e-20, 1e-9, 10)
    rows = np.transpose([p, 3 * p**0.6])
    rows[[3, 4]] = rows[[4, 3]]  # swapped
    rows[8, 1] = rows[7, 1]  # eps stands
    np.savetxt(tmp_path / "made.dat", rows)
    monkeypatch.setattr(eos_files, "_files", lambda: {"MADE": tmp_path / "made.dat"})
    with pytest.warns(UserWarning, match=r"^MADE: 2 of 10 rows were out of order, 1 left out$"):
        table = lalsuite_table("MADE")
    assert len(table) == 9 and np.all(np.diff(table, axis=0) > 0)


def test_unknown_layout(tmp_path, monkeypatch):
    np.savetxt(tmp_path / "made.dat", np.ones((5, 3)))
    monkeypatch.setattr(eos_files, "_files", lambda: {"MADE": tmp_path / "made.dat"})
    with pytest.raises(ValueError, match="MADE: a file of 3 columns, not of 2 or 9"):
        lalsuite_table("MADE")


def test_every_table_is_an_eos():
    names = list(eos_files._files())
    assert len(names) > 100
    for name in names:
        if name != "SLY4":
            assert EOS.from_table(**lalsuite_table(name)).n_row >= 48


def test_unknown_name():
    with pytest.raises(
        ValueError, match=r"name must be one of the \d+ tables of LALSuite \(\w+, .*\.\.\.\), got 'SLy9000'"
    ):
        lalsuite_table("SLy9000")


def test_absent_distribution(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(eos_files.metadata, "files", absent)
    eos_files._files.cache_clear()
    with pytest.raises(
        ImportError, match="lalsuite is not installed; it comes with the dependency group 'test'"
    ):
        lalsuite_table("SLY4")
    eos_files._files.cache_clear()


def test_imports_nothing_of_lalsuite():
    code = (
        "import sys; from nslib.tables.eos_files import lalsuite_table; lalsuite_table('AP4'); "
        "print([m for m in sys.modules if m.startswith('lal')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
