"""Charge radii of nuclei: a few measured ones, and whole tables, measured and calculated, of the extra ``hfb21``."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

#: name: (root-mean-square charge radius, its error) [fm]. I. Angeli and K. P. Marinova, At. Data Nucl. Data Tables
#: 99 (2013) 69. The other nuclei of ``nslib.nuclei.NUCLEI`` have no value there.
CHARGE_RADII = {
    "16O": (2.6991, 0.0052),
    "40Ca": (3.4776, 0.0019),
    "48Ca": (3.4771, 0.0020),
    "90Zr": (4.2694, 0.0010),
    "116Sn": (4.6250, 0.0019),
    "132Sn": (4.7093, 0.0076),
    "144Sm": (4.9524, 0.0034),
    "208Pb": (5.5012, 0.0013),
}

#: name: (file in the data of ``nucleardatapy``, reference)
_TABLES = {
    "measured": ("radch/2013-Angeli.csv", "I. Angeli and K. P. Marinova, At. Data Nucl. Data Tables 99 (2013) 69"),
    "HFB21": (
        "masses/Theory/2010-HFB21.dat",
        "S. Goriely, N. Chamel and J. M. Pearson, Phys. Rev. C 82 (2010) 035804",
    ),
}


def radii(name):
    """Root-mean-square charge radii of one table; optional extra ``hfb21``.

    Parameters
    ----------
    name : "measured", the compilation of some 900 nuclides, or "HFB21", calculated

    Returns
    -------
    pandas.DataFrame with columns Z, N [1], r_ch [fm] and, where measured, error [fm]; ``attrs["reference"]``

    Raises
    ------
    ValueError
        for another name
    ImportError
        where the extra is not installed; the message says how to install it
    """
    if name not in _TABLES:
        raise ValueError(f"name must be one of {', '.join(_TABLES)}, got {name!r}")
    return _read(name).copy()


@lru_cache
def _read(name):
    package = find_spec("nucleardatapy")
    if package is None:
        raise ImportError(f"the charge radii {name} are in the package nucleardatapy: pip install nslib[hfb21]")
    file, reference = _TABLES[name]
    path = Path(package.submodule_search_locations[0]) / "data" / "nuclei" / file
    if name == "measured":  # Z, symbol, N, A, radius, its error, preliminary ones
        table = pd.read_csv(path, comment="#", header=None, usecols=[0, 2, 4, 5])
        table = table.set_axis(["Z", "N", "r_ch", "error"], axis=1)
        table = table[(table["Z"] > 0) & table["r_ch"].notna()].reset_index(drop=True)
    else:  # Z, A, two deformations, radius, ...
        table = pd.read_csv(path, comment="#", header=None, usecols=[0, 1, 4], sep=r"\s+")
        table = table.set_axis(["Z", "N", "r_ch"], axis=1)
        table["N"] -= table["Z"]
    table.attrs["reference"] = reference
    return table
