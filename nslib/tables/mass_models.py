"""Published tables of calculated nuclear masses."""

import json
import os
import subprocess
import sys
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec

import pandas as pd

#: name: (file in the package ``masstable``, reference)
_MASSTABLE = {
    "DZ": ("DUZU", "J. Duflo and A. P. Zuker, Phys. Rev. C 52 (1995) R23, 28 parameters"),
    "FRDM95": ("FRDM95", "P. Moller et al., At. Data Nucl. Data Tables 59 (1995) 185"),
    "HFB14": ("HFB14", "S. Goriely, M. Samyn and J. M. Pearson, Phys. Rev. C 75 (2007) 064312"),
    "HFB26": ("HFB26", "S. Goriely, N. Chamel and J. M. Pearson, Phys. Rev. C 88 (2013) 024308"),
    "KTUY05": ("KTUY05", "H. Koura et al., Prog. Theor. Phys. 113 (2005) 305"),
    "ETFSI": ("ETFSI12", "Y. Aboussir et al., At. Data Nucl. Data Tables 61 (1995) 127"),
    "MJ88": ("MAJA88", "P. J. Masson and J. Janecke, At. Data Nucl. Data Tables 39 (1988) 273"),
}

_HFB22_26 = "S. Goriely, N. Chamel and J. M. Pearson, Phys. Rev. C 88 (2013) 024308"

#: name: (table, column of ``nucleardatapy.setupBETheo``, reference); optional extra ``hfb21``
_NUCLEARDATAPY = {
    "HFB21": (
        "2010-HFB21",
        "nucMass",
        "S. Goriely, N. Chamel and J. M. Pearson, Phys. Rev. C 82 (2010) 035804",
    ),
    "HFB22": ("2013-HFB22", "nucMass", _HFB22_26),
    "HFB23": ("2013-HFB23", "nucMass", _HFB22_26),
    "HFB24": ("2013-HFB24", "nucMass", _HFB22_26),
    "HFB25": ("2013-HFB25", "nucMass", _HFB22_26),
    "FRLDM": ("1995-FRDM", "MthFL", "P. Moller et al., At. Data Nucl. Data Tables 59 (1995) 185"),
}

#: tables that come with nslib, and those that need the extra ``hfb21``
NAMES, EXTRA_NAMES = tuple(_MASSTABLE), tuple(_NUCLEARDATAPY)

# runs in a process of its own: the package changes sys.path and matplotlib's settings, prints, and may exit
_ADAPTER = """
import json, sys
stdout, sys.stdout = sys.stdout, sys.stderr
import nucleardatapy as nuda
table = nuda.setupBETheo(table=sys.argv[1])
columns = {"Z": table.nucZ, "N": table.nucN, "mass_excess": getattr(table, sys.argv[2])}
json.dump({k: [float(x) for x in v] for k, v in columns.items()}, stdout)
"""


def available():
    """Names of the tables that can be read here: ``NAMES``, and ``EXTRA_NAMES`` where the extra is installed."""
    return NAMES + (EXTRA_NAMES if find_spec("nucleardatapy") else ())


def mass_model(name):
    """Mass excesses of one published table.

    Parameters
    ----------
    name : str, one of ``NAMES``, or of ``EXTRA_NAMES`` where the extra ``hfb21`` is installed

    Returns
    -------
    pandas.DataFrame with columns Z, N [1], mass_excess [MeV] of the neutral atom, one row a nuclide;
    ``attrs["reference"]``

    Raises
    ------
    ValueError
        for an unknown name
    ImportError
        for a table of the extra where it is not installed; the message says how to install it
    """
    if name in _MASSTABLE:
        return _masstable(name).copy()
    if name in _NUCLEARDATAPY:
        return _nucleardatapy(name).copy()
    raise ValueError(f"name must be one of {', '.join(NAMES + EXTRA_NAMES)}, got {name!r}")


@lru_cache
def _masstable(name):
    file, reference = _MASSTABLE[name]
    table = pd.read_csv(files("masstable") / "data" / f"{file}.txt", sep=r"\s+")  # reads CR and LF line ends
    return _table(table.rename(columns={"M": "mass_excess"}), reference)


@lru_cache
def _nucleardatapy(name):
    if find_spec("nucleardatapy") is None:
        raise ImportError(f"the mass table {name} is in the package nucleardatapy: pip install nslib[hfb21]")
    table, column, reference = _NUCLEARDATAPY[name]
    command = [sys.executable, "-P", "-c", _ADAPTER, table, column]
    env = os.environ | {"MPLBACKEND": "agg"}  # it imports matplotlib, which a notebook may have told to draw in the page
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0 or not done.stdout:  # it may call exit() without an error status
        raise RuntimeError(f"nucleardatapy could not read {table}:\n{done.stderr[-2000:]}")
    return _table(pd.DataFrame(json.loads(done.stdout)), reference)


def _table(table, reference):
    table = table[["Z", "N", "mass_excess"]].astype({"Z": int, "N": int, "mass_excess": float})
    table.attrs["reference"] = reference
    return table
