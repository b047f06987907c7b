"""The nuclei that can be solved, and the levels that their nucleons fill."""

from typing import NamedTuple

#: sub-shells in the order in which they fill
_ORDER = [
    "1s1/2",
    "1p3/2",
    "1p1/2",
    "1d5/2",
    "2s1/2",
    "1d3/2",
    "1f7/2",
    "2p3/2",
    "1f5/2",
    "2p1/2",
    "1g9/2",
    "1g7/2",
    "2d5/2",
    "2d3/2",
    "3s1/2",
    "1h11/2",
    "2f7/2",
    "1h9/2",
    "2f5/2",
    "3p3/2",
    "3p1/2",
    "1i13/2",
    "2g9/2",
    "1i11/2",
    "1j15/2",
    "3d5/2",
]
#: level that stays empty when so many equal nucleons fill the sub-shells beside it
_EMPTY = {34: "1f5/2", 66: "2d3/2"}


class Level(NamedTuple):
    """One level: quantum numbers and the number of nucleons on it, which may be a fraction of 2j + 1."""

    name: str
    radial: int  # nodes of the upper component between 0 and infinity
    l: int
    kappa: int
    occupation: int


class Nucleus(NamedTuple):
    """A nucleus of Z protons and N neutrons, and the levels they fill."""

    name: str
    Z: int
    N: int
    protons: tuple
    neutrons: tuple

    @property
    def A(self):
        """Mass number."""
        return self.Z + self.N

    @property
    def closed(self):
        """Whether every level is full; otherwise the last of protons or neutrons is filled in part."""
        return all(v.occupation == 2 * abs(v.kappa) for v in self.protons + self.neutrons)


def level(name, occupation=None):
    """Level by its name, as in 2d5/2, full unless an occupation is given."""
    l, twice_j = "spdfghij".index(name[1]), int(name[2:].split("/")[0])
    kappa = -(l + 1) if twice_j > 2 * l else l
    return Level(name, int(name[0]) - 1, l, kappa, twice_j + 1 if occupation is None else occupation)


def _fill(number):
    """Levels of a number of equal nucleons, from the lowest up, the last in part if they do not close it."""
    out = []
    left = number
    for name in _ORDER:
        if left and name != _EMPTY.get(number):
            full = level(name)
            out.append(full._replace(occupation=min(left, full.occupation)))
            left -= out[-1].occupation
    return tuple(out)


def empty(levels):
    """The first four sub-shells that the levels leave empty."""
    return [level(name) for name in _ORDER if name not in {v.name for v in levels}][:4]


_NAMES = {
    "16O": (8, 8), "24O": (8, 16), "30Ne": (10, 20), "40Ca": (20, 20), "48Ca": (20, 28), "54Ca": (20, 34),
    "58Ca": (20, 38), "56Ni": (28, 28), "68Ni": (28, 40), "78Ni": (28, 50), "90Zr": (40, 50),
    "100Sn": (50, 50), "116Sn": (50, 66), "132Sn": (50, 82), "138Sn": (50, 88), "144Sm": (62, 82),
    "208Pb": (82, 126),
}  # fmt: skip
#: name: Nucleus. The filling is fixed. Sub-shells are full but for the protons of 30Ne (2 of 6 in 1d5/2) and
#: 144Sm (4 of 6 in 2d5/2) and the neutrons of 138Sn (6 of 8 in 2f7/2), spread evenly over the sub-shell.
NUCLEI = {name: Nucleus(name, Z, N, _fill(Z), _fill(N)) for name, (Z, N) in _NAMES.items()}


def nucleus(which):
    """Nucleus by its name in ``NUCLEI``, or by the pair (Z, N); ValueError if there is no such filling."""
    known = ", ".join(NUCLEI)
    if isinstance(which, str):
        if which not in NUCLEI:
            raise ValueError(f"nuclei: no filling for {which!r}; known are {known}")
        return NUCLEI[which]
    try:
        Z, N = which
        whole = float(Z) == int(Z) and float(N) == int(N)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"nuclei must be names or pairs (Z, N), got {which!r}; known are {known}") from None
    if not whole:
        raise ValueError(f"nuclei: Z and N must be whole numbers, got Z = {Z}, N = {N}")
    for one in NUCLEI.values():
        if (one.Z, one.N) == (int(Z), int(N)):
            return one
    raise ValueError(f"nuclei: no filling for Z = {Z}, N = {N}; known are {known}")
