"""Radii and tidal deformabilities of the metamodel as curves over mass, from which stars are drawn at will."""

from dataclasses import dataclass, fields

import numpy as np

from nslib.chunks import collect
from nslib.datasets.symmetry import CAUSALITY, FAMILY, RAW, Status, _families

#: parameters of the metamodel that vary, in the order of the columns of ``draws``
PARAMETERS = ("L", "K_sym", "J_0", "J_sym")
#: number of Chebyshev nodes of a curve
N_NODES = 16
#: the nodes, of s in [0, 1]
NODES = (1 - np.cos(np.pi * (np.arange(N_NODES) + 0.5) / N_NODES)) / 2
_COLUMNS = {"L": "MeV", "K_sym": "MeV", "J_0": "MeV", "J_sym": "MeV", "M_max": "Msun", "M_high": "Msun", "R": "km", "ln_Lambda": "1"}
UNITS = _COLUMNS | {"draws": "MeV", "status": "1"}
# values at the nodes -> coefficients of the Chebyshev polynomials of 2 s - 1
_TO_COEFFICIENTS = np.linalg.inv(np.polynomial.chebyshev.chebvander(2 * NODES - 1, N_NODES - 1)).T


@dataclass(frozen=True)
class Curves:
    r"""Accepted equations of state with their stars as curves; ``curves[:1000]`` is the first thousand.

    The masses run over :math:`M = M_\mathrm{high} - (M_\mathrm{high} - M_\mathrm{low})\,s^2`, s from 0 to 1: in s a curve is smooth
    up to the star of maximum mass.

    Attributes
    ----------
    L, K_sym, J_0, J_sym : (n,) arrays [MeV]
    M_max, M_high : (n,) arrays, maximum mass, and mass of the heaviest star drawn [Msun]
    R, ln_Lambda : (n, 16) arrays at ``NODES``, radius [km], logarithm of the tidal deformability [1]
    draws : (n_raw, 4) array, ``PARAMETERS`` of every draw [MeV]
    status : (n_raw,) array of :class:`~nslib.datasets.Status`
    M_low : float, mass of the lightest star drawn [Msun]
    """

    L: np.ndarray
    K_sym: np.ndarray
    J_0: np.ndarray
    J_sym: np.ndarray
    M_max: np.ndarray
    M_high: np.ndarray
    R: np.ndarray
    ln_Lambda: np.ndarray
    draws: np.ndarray
    status: np.ndarray
    M_low: float

    def __len__(self):
        return len(self.L)

    def __getitem__(self, rows):
        """The accepted members ``rows`` (a slice or an index array); draws and status stay whole."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        return Curves(**own | {name: own[name][rows] for name in _COLUMNS})

    @property
    def parameters(self):
        """(n, 4) array of ``PARAMETERS`` [MeV]."""
        return np.stack([getattr(self, name) for name in PARAMETERS], axis=1)

    def coefficients(self, observable="R"):
        """(n, 16) coefficients of the curve of "R" or "ln_Lambda" in Chebyshev polynomials of 2 s - 1."""
        return getattr(self, observable) @ _TO_COEFFICIENTS

    def at_mass(self, mass, observable="R"):
        """R [km] or ln Lambda [1] of stars of given masses (n, m) [Msun]; NaN outside [M_low, M_high]."""
        if observable not in ("R", "ln_Lambda") or np.ndim(mass) != 2 or len(mass) != len(self):
            raise ValueError(f"observable must be R or ln_Lambda and mass have shape ({len(self)}, m); got {observable!r} and shape {np.shape(mass)}")
        t = (self.M_high[:, None] - mass) / (self.M_high - self.M_low)[:, None]
        inside = (t >= 0) & (t <= 1)
        T = np.polynomial.chebyshev.chebvander(2 * np.sqrt(np.where(inside, t, 0.0)) - 1, N_NODES - 1)
        return np.where(inside, np.einsum("nmk,nk->nm", T, self.coefficients(observable)), np.nan)


def curves(parameters, *, M_max_min=2.14, causality="truncated", M_low=1.0, M_high=2.0):
    """Status, and the curves over mass, of each of a batch of metamodels.

    Core, crust and filters are those of :func:`nslib.datasets.sequences`.

    Parameters
    ----------
    parameters : (n, 4) array, ``PARAMETERS`` [MeV]
    M_max_min : float, least maximum mass [Msun]
    causality : "truncated" or "strict"
    M_low : float, mass of the lightest star drawn [Msun]
    M_high : float, mass of the heaviest star drawn, at most M_max_min; None: the maximum mass of each [Msun]

    Returns
    -------
    Curves of the accepted ones

    Raises
    ------
    ValueError
        parameters of another shape or not finite, an argument out of range
    """
    draws = np.asarray(parameters, dtype=float)
    if draws.ndim != 2 or draws.shape[1] != len(PARAMETERS) or not len(draws) or not np.all(np.isfinite(draws)):
        raise ValueError(f"parameters must be finite and have shape (n, {len(PARAMETERS)}), n >= 1; got shape {draws.shape}")
    _masses(M_low, M_high, M_max_min, causality)
    status, k, family = _families(dict(zip(PARAMETERS, draws.T)), M_max_min, causality)
    top = np.full(len(draws), np.nan)
    R, Lambda = np.full((2, len(draws), N_NODES), np.nan)
    if len(k):
        top[k] = family.M_max
        high = top[k] if M_high is None else np.full(len(k), float(M_high))
        star = family.at_mass(high[:, None] - (high - M_low)[:, None] * NODES**2)
        R[k], Lambda[k] = star.R, star.Lambda
    k = np.flatnonzero(status == int(Status.ACCEPTED))
    if not (np.all(np.isfinite(R[k])) and np.all(np.isfinite(Lambda[k]))):
        raise ValueError(f"M_low = {M_low} Msun lies below the lightest star solved")
    high = top[k] if M_high is None else np.full(len(k), float(M_high))
    return Curves(*draws[k].T, top[k], high, R[k], np.log(Lambda[k]), draws, status.astype("uint8"), float(M_low))


def _masses(M_low, M_high, M_max_min, causality):
    if causality not in CAUSALITY:
        raise ValueError(f"causality must be one of {', '.join(CAUSALITY)}; got {causality!r}")
    if not (0 < M_low < M_max_min < np.inf and (M_high is None or M_low < M_high <= M_max_min)):
        raise ValueError(f"0 < M_low < M_high <= M_max_min must hold [Msun], got {M_low}, {M_high}, {M_max_min}")


def _chunk(index, settings):
    """Arrays of one chunk, a pure function of its index and the settings of :func:`star_curves`."""
    rng = np.random.default_rng([settings["seed"], index])
    draws = np.stack([rng.uniform(*settings[name], settings["raw"]) for name in PARAMETERS], axis=1)
    made = curves(draws, **{name: settings[name] for name in ("M_max_min", "causality", "M_low", "M_high")})
    return {name: getattr(made, name) for name in UNITS}


def star_curves(
    path, n, *, seed, L=(30.6, 86.8), K_sym=(-400.0, 100.0), J_0=0.0, J_sym=0.0, M_max_min=2.14, causality="truncated",
    M_low=1.0, M_high=2.0, raw=RAW, client=None, progress=True,
):  # fmt: skip
    """The first n accepted equations of state of a data set, with their stars as curves over mass.

    Each parameter is uniform in its range, or fixed. What is already at ``path`` is read, what lacks is computed and added:
    see :mod:`nslib.chunks`.

    Parameters
    ----------
    path : path of the data set
    n : int, accepted equations of state
    seed : int
    L, K_sym, J_0, J_sym : (low, high), or a number to hold fixed [MeV]
    M_max_min, causality, M_low, M_high : as in :func:`curves`
    raw : int, draws of a chunk
    client : Dask client to run the chunks, its workers sharing the file system; None: two threads here
    progress : bool, show a bar

    Returns
    -------
    Curves

    Raises
    ------
    ValueError
        an argument out of range; a path with other settings or versions; a damaged chunk, named; ranges in which next to
        nothing is accepted
    """
    settings = {"seed": seed, "raw": raw, "M_max_min": M_max_min, "causality": causality, "M_low": M_low, "M_high": M_high, "family": FAMILY}
    for name, value in zip(PARAMETERS, (L, K_sym, J_0, J_sym)):
        try:
            low, high = np.broadcast_to(np.asarray(value, dtype=float), 2).tolist()
        except (TypeError, ValueError):
            low = high = np.nan
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise ValueError(f"{name} must be a finite number or two, low <= high; got {value!r}")
        settings[name] = [low, high]
    for name, least in (("raw", 1), ("seed", 0)):
        if isinstance(settings[name], bool) or not (isinstance(settings[name], (int, np.integer)) and settings[name] >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {settings[name]!r}")
        settings[name] = int(settings[name])
    _masses(M_low, M_high, M_max_min, causality)
    settings |= {name: settings[name] and float(settings[name]) for name in ("M_max_min", "M_low", "M_high")}
    attributes = {
        "title": "radii and tidal deformabilities of the metamodel as curves over mass", "made_by": "nslib.datasets.star_curves",
        "nodes_s": NODES.tolist(), "status": {str(int(s)): s.sentence for s in Status},
    }  # fmt: skip
    whole = collect(path, n, _chunk, settings, units=UNITS, attributes=attributes, client=client, progress=progress)
    return Curves(**whole, M_low=float(M_low))[:n]
