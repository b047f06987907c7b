"""Mass-model tables: size and rms against AME2012 (tests/reference/mass_models.json)."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from nslib.tables import mass_models
from nslib.tables.ame import ame
from nslib.tables.mass_models import EXTRA_NAMES, NAMES, available, mass_model

REFERENCE = json.loads((Path(__file__).parent / "reference" / "mass_models.json").read_text())
needs_extra = pytest.mark.skipif(
    find_spec("nucleardatapy") is None,
    reason="HFB21-HFB25 and FRLDM not tested: the extra hfb21 (nucleardatapy) is not installed",
)


def check(name):
    table = mass_model(name)
    assert len(table) == REFERENCE["rows"][name]
    assert not table.duplicated(["Z", "N"]).any()
    measured = ame(2012)
    measured = measured[measured["Z"].between(20, 92) & measured["N"].between(20, 148)]
    both = measured.merge(table, on=["Z", "N"], suffixes=("", "_model"))
    d = both["mass_excess"] - both["mass_excess_model"]
    rms = [np.sqrt(np.mean(a**2)) for a in (d, d[~both["extrapolated"]])]
    assert rms == pytest.approx(REFERENCE["rms_MeV"][name], abs=6e-4)


@pytest.mark.parametrize("name", NAMES)
def test_table(name):
    check(name)


@needs_extra
@pytest.mark.parametrize("name", EXTRA_NAMES)
def test_table_of_the_extra(name):
    path, settings = list(sys.path), dict(matplotlib.rcParams)
    mass_models._nucleardatapy.cache_clear()
    check(name)
    assert sys.path == path
    assert dict(matplotlib.rcParams) == settings
    assert "nucleardatapy" not in sys.modules


@needs_extra
def test_extra_table_in_a_notebook(monkeypatch):
    """A notebook names its own backend for figures, which the process that reads the table must not look for."""
    monkeypatch.setenv("MPLBACKEND", "module://nothing.of.that.name")
    mass_models._nucleardatapy.cache_clear()
    check("HFB21")


def test_available():
    assert set(NAMES) <= set(available()) <= set(NAMES + EXTRA_NAMES)


@needs_extra
def test_extra_table_that_cannot_be_read(monkeypatch):
    # the package calls exit() on a name it does not know; here that is an error that says so
    monkeypatch.setitem(mass_models._NUCLEARDATAPY, "nonsense", ("1900-none", "nucMass", ""))
    with pytest.raises(RuntimeError, match="could not read 1900-none"):
        mass_model("nonsense")


def test_missing_extra(monkeypatch):
    monkeypatch.setattr(mass_models, "find_spec", lambda name: None)
    assert available() == NAMES
    mass_models._nucleardatapy.cache_clear()
    with pytest.raises(ImportError, match=r"HFB21.*pip install nslib\[hfb21\]"):
        mass_model("HFB21")


@pytest.mark.parametrize("name", ["GK88", "WS3", "HFB19", ""])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="name must be one of DZ, FRDM95"):
        mass_model(name)
