"""Pulsars and GW170817: published summary values with their sources, for :mod:`nslib.infer`.

A posterior is here three numbers, value +plus -minus, of 68 % unless its source says otherwise; that of a mass and
a radius is two such triples, without their correlation. A published value is often the median; a split normal
distribution takes it as its most probable value.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """A value with an error to either side of it, the 68 % interval [value - minus, value + plus]."""

    value: float
    minus: float
    plus: float


class MassRadius(NamedTuple):
    """Gravitational mass [Msun] and equatorial radius [km] of one pulsar from its X-ray pulse profile."""

    name: str
    star: str
    mass: Split
    radius: Split
    source: str


class Mass(NamedTuple):
    """Gravitational mass of one pulsar by radio timing, with its 68 % error [Msun]."""

    name: str
    star: str
    mass: float
    error: float
    source: str


class Tides(NamedTuple):
    """A binary of chirp mass [Msun], mass ratio M_2 / M_1 in [q_min, q_max] and tidal parameter Lambda-tilde [1]."""

    name: str
    star: str
    chirp_mass: float
    q_min: float
    q_max: float
    lambda_tilde: Split
    source: str


class Samples(NamedTuple):
    """Density of the mass and radius of one pulsar on a grid, from weighted samples of its posterior; see :func:`read_samples`."""

    name: str
    star: str
    mass: np.ndarray  # (n,) nodes, equal steps [Msun]
    radius: np.ndarray  # (n,) nodes, equal steps [km]
    density: np.ndarray  # (n, n), its integral is 1 [1/(Msun km)]
    n_effective: float
    source: str


#: what a sample of a pulsar can be [Msun, km], and nodes of the grid of a density to either axis
MASSES, RADII, _N_GRID = (0.3, 4.0), (4.0, 25.0), 128
#: fewest effective samples that make a density; weight beyond either end of the grid; least 1 - r^2 that it resolves
_LEAST, _TAIL, _LINE = 50, 1e-5, 5e-3


#: half width of the central 90 % of a normal distribution, in standard deviations
Z_90 = 1.6448536269514722

_APJL = "Astrophys. J. Lett."
_RADIO = "its mass is informed by radio timing"

_MASS_RADIUS = [
    # name; mass, -, +; radius, -, +; source
    ("J0030 Riley 2019", (1.34, 0.16, 0.15), (12.71, 1.19, 1.14),
     f"T. E. Riley et al., {_APJL} 887 (2019) L21, doi:10.3847/2041-8213/ab481c; hot spots ST+PST"),
    ("J0030 Miller 2019", (1.44, 0.14, 0.15), (13.02, 1.06, 1.24),
     f"M. C. Miller et al., {_APJL} 887 (2019) L24, doi:10.3847/2041-8213/ab50c5; three oval hot spots"),
    ("J0030 Vinciguerra 2024 ST+PDT", (1.40, 0.12, 0.13), (11.71, 0.83, 0.88),
     "S. Vinciguerra et al., Astrophys. J. 961 (2024) 62, arXiv:2308.09469; with XMM-Newton, hot spots ST+PDT"),
    ("J0030 Vinciguerra 2024 PDT-U", (1.70, 0.19, 0.18), (14.44, 1.05, 0.88),
     "S. Vinciguerra et al., Astrophys. J. 961 (2024) 62, arXiv:2308.09469; with XMM-Newton, hot spots PDT-U"),
    ("J0740 Riley 2021", (2.072, 0.066, 0.067), (12.39, 0.98, 1.30),
     f"T. E. Riley et al., {_APJL} 918 (2021) L27, arXiv:2105.06980; {_RADIO}"),
    ("J0740 Miller 2021", (2.08, 0.07, 0.07), (13.7, 1.5, 2.6),
     f"M. C. Miller et al., {_APJL} 918 (2021) L28, arXiv:2105.06979; the mass is that of radio timing"),
    ("J0740 Salmi 2024", (2.073, 0.069, 0.069), (12.49, 0.88, 1.28),
     f"T. Salmi et al., Astrophys. J. 974 (2024) 294, arXiv:2406.14466; {_RADIO}"),
    ("J0437 Choudhury 2024", (1.418, 0.037, 0.037), (11.36, 0.63, 0.95),
     f"D. Choudhury et al., {_APJL} 971 (2024) L20, doi:10.3847/2041-8213/ad5a6f; {_RADIO}"),
    ("J0614 Mauviard 2025", (1.44, 0.07, 0.06), (10.29, 0.86, 1.01),
     f"L. Mauviard et al., arXiv:2506.14883 (2025); {_RADIO}"),
]  # fmt: skip

_MASS = [
    ("J0740 Fonseca 2021", 2.08, 0.07, f"E. Fonseca et al., {_APJL} 915 (2021) L12, doi:10.3847/2041-8213/ac03b8"),
    ("J1614 Agazie 2023", 1.937, 0.014, f"G. Agazie et al., {_APJL} 951 (2023) L9, doi:10.3847/2041-8213/acda9a"),
]  # fmt: skip

_STARS = {
    "J0030": "PSR J0030+0451",
    "J0740": "PSR J0740+6620",
    "J0437": "PSR J0437-4715",
    "J0614": "PSR J0614-3329",
    "J1614": "PSR J1614-2230",
}

# 90 % highest density of a split normal is [value - Z_90 minus, value + Z_90 plus]: its two ends are equally likely
_GW170817 = Tides(
    "GW170817 Abbott 2019",
    "GW170817",
    chirp_mass=1.186,
    q_min=0.73,
    q_max=1.0,
    lambda_tilde=Split(300.0, 230 / Z_90, 420 / Z_90),
    source="B. P. Abbott et al., Phys. Rev. X 9 (2019) 011001, doi:10.1103/PhysRevX.9.011001; low spins; "
    "Lambda-tilde 300 +420 -230, 90 % highest density, q 0.73-1.00 and chirp mass 1.186 +- 0.001 Msun, 90 %; "
    "summary values, 300 taken as the most probable and the 90 % interval brought to 68 % by 1 / 1.645 on each side",
)


def _star(name):
    return _STARS[name.split()[0]]


_ALL = {
    row[0]: MassRadius(
        row[0], _star(row[0]), Split(*row[1]), Split(*row[2]), f"{row[3]}; summary values, 68 %"
    )
    for row in _MASS_RADIUS
}
_ALL |= {row[0]: Mass(row[0], _star(row[0]), *row[1:3], f"{row[3]}; summary value, 68 %") for row in _MASS}
_ALL[_GW170817.name] = _GW170817

#: names that :func:`observation` knows
NAMES = tuple(_ALL)
#: one analysis an object, as chapters use them unless they say otherwise
DEFAULT = ("J0030 Riley 2019", "J0740 Salmi 2024", "J0437 Choudhury 2024", "GW170817 Abbott 2019")


def observation(name):
    """One observation by its name, such as "J0740 Salmi 2024".

    Parameters
    ----------
    name : str, one of ``NAMES``: the object, first author and year, and the model where a paper prefers none

    Returns
    -------
    MassRadius, Mass or Tides

    Raises
    ------
    ValueError
        for an unknown name
    """
    if not isinstance(name, str) or name not in _ALL:
        raise ValueError(f"name must be one of {', '.join(NAMES)}; got {name!r}")
    return _ALL[name]


def read_samples(path, star, *, name=None):
    """Density of the mass and radius of one pulsar from a file of samples of its posterior.

    A Gaussian kernel estimate with Scott's bandwidth along the axes of the samples' covariance (``scipy.stats.gaussian_kde``),
    so that the correlation of mass and radius counts. It widens the samples by the factor 1 + n^(-1/3) in variance. The grid
    of 128 nodes either way reaches four kernel widths beyond all samples but the outermost 1e-5 of the weight to each side.

    Parameters
    ----------
    path : file of text with three columns, or ``.npy`` with an (n, 3) array: mass [Msun], radius [km], weight; commas or
        blanks, lines with # are comments. Where all samples count alike the weight is written as 1
    star : str, name of the pulsar, say "PSR J0437-4715"; one that :func:`observation` knows excludes its other analyses
    name : str, what the result is called in a dict of likelihoods; None: the name of the file

    Returns
    -------
    Samples

    Raises
    ------
    ValueError
        a file that cannot be read, has not three columns, no weights, numbers that are not finite or out of range, negative
        weights, fewer than 50 effective samples, or a correlation of mass and radius above 0.9975; a star without a name, or by
        the short name of one that :func:`observation` knows
    """
    from scipy.stats import gaussian_kde

    path = Path(path)
    if not isinstance(star, str) or not star.strip():
        raise ValueError(f"star must be the name of a pulsar, got {star!r}")
    if full := [known for short, known in _STARS.items() if short in star and star != known]:
        raise ValueError(f"star is {star!r}; that pulsar is called {full[0]!r} here")
    try:
        if path.suffix == ".npy":
            x = np.load(path)
        else:
            lines = [line for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.split("#")[0].strip()]
            x = np.loadtxt(lines, delimiter="," if lines and "," in lines[0].split("#")[0] else None, ndmin=2) if lines else np.zeros((0, 0))
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: no samples can be read: {error}") from error
    shape = getattr(x, "shape", ())
    if len(shape) != 2 or shape[1] != 3 or not len(x) or x.dtype.kind not in "fiu":
        missing = "; the weights are missing, write 1 for equal ones" if len(shape) == 2 and shape[1] == 2 else ""
        kind = f" of {x.dtype}" if hasattr(x, "dtype") else ""
        raise ValueError(f"{path}: samples must be three columns, mass [Msun], radius [km], weight; got shape {shape}{kind}{missing}")
    x = x.astype(float)
    for column, what, (lo, hi), unit in zip(x.T, ("mass", "radius", "weight"), (MASSES, RADII, (0, np.inf)), (" Msun", " km", "")):
        bad = np.flatnonzero(~(np.isfinite(column) & (column >= lo) & (column <= hi)))
        if len(bad):
            raise ValueError(f"{path}: {what} must be finite and in [{lo:g}, {hi:g}]{unit}; row {bad[0] + 1} has {column[bad[0]]:g}")
    w = x[:, 2] / x[:, 2].max() if x[:, 2].max() > 0 else x[:, 2]
    n_effective = float(w.sum() ** 2 / max(np.sum(w**2), 1e-300))
    if n_effective < _LEAST:
        raise ValueError(f"{path}: {n_effective:.1f} effective samples of {len(x)}; at least {_LEAST} are needed")
    covariance = np.cov(x[:, :2].T, aweights=w)
    narrow = np.sqrt(np.diag(covariance)) < 1e-6 * x[:, :2].mean(axis=0)
    if narrow.any() or np.linalg.det(covariance) < _LINE * covariance[0, 0] * covariance[1, 1]:
        raise ValueError(f"{path}: mass and radius lie on one line, so they have no density")
    kernel = gaussian_kde(x[w > 0, :2].T, weights=w[w > 0])
    reach = 4 * np.sqrt(np.diag(kernel.covariance))
    axes = []
    for a, r in zip(x[:, :2].T, reach):
        order = np.argsort(a)
        below = np.cumsum(w[order]) / w.sum()
        inside = a[order][(below > _TAIL) & (np.append(0.0, below[:-1]) < 1 - _TAIL)]
        axes.append(np.linspace(inside[0] - r, inside[-1] + r, _N_GRID))
    density = kernel(np.stack(np.meshgrid(*axes, indexing="ij")).reshape(2, -1)).reshape(_N_GRID, _N_GRID)
    density /= density.sum() * np.prod([a[1] - a[0] for a in axes])
    return Samples(name or path.stem, star, *axes, density, n_effective, f"{len(x)} samples of {path.name}")
