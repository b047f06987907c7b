"""Stars of the metamodel, with its symmetry energy as label."""

import math
from dataclasses import dataclass
from enum import IntEnum

import jax.numpy as jnp
import numpy as np

from nslib import crust, stars
from nslib.chunks import collect
from nslib.matter import metamodel
from nslib.units import RHO_0

#: densities of the E_sym labels, 100 points from 0.5 to 5 rho_0 [fm^-3]
DENSITIES = np.linspace(0.5, 5.0, 100) * RHO_0
#: raw draws of a chunk
RAW = 2048
#: settings of :func:`nslib.stars.family`: the first star lies below one solar mass
FAMILY = {"n_star": 40, "steps": 100, "rows": 512, "p_min": 8.0}
CAUSALITY = ("truncated", "strict")
UNITS = {"L": "MeV", "K_sym": "MeV", "mass": "Msun", "R": "km", "Lambda": "1", "E_sym": "MeV", "draws": "MeV", "status": "1"}


class Status(IntEnum):
    """What became of a draw."""

    ACCEPTED = 0
    NO_CROSSING = 1
    P_FALLS = 2
    NOT_SOLVED = 3
    ACAUSAL = 4
    TOO_LIGHT = 5

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.ACCEPTED: "accepted",
            Status.NO_CROSSING: "the pressure of the core stays below that of the crust up to saturation density",
            Status.P_FALLS: "the pressure of the core is not positive, or falls with density, above the crust",
            Status.NOT_SOLVED: "no sequence of stars could be solved",
            Status.ACAUSAL: "the sound speed exceeds that of light before the sequence is long enough",
            Status.TOO_LIGHT: "the maximum mass is below M_max_min",
        }[self]


@dataclass(frozen=True)
class Sequences:
    """Accepted equations of state with stars on each; ``data[:1000]`` is the first thousand.

    Attributes
    ----------
    L, K_sym : (n,) arrays [MeV]
    mass, R, Lambda : (n, n_points) arrays, gravitational mass [Msun], radius [km], tidal deformability [1]
    E_sym : (n, 100) array, symmetry energy at ``DENSITIES`` [MeV]
    draws : (n_raw, 2) array, L and K_sym of every draw [MeV]
    status : (n_raw,) array of :class:`Status`
    """

    L: np.ndarray
    K_sym: np.ndarray
    mass: np.ndarray
    R: np.ndarray
    Lambda: np.ndarray
    E_sym: np.ndarray
    draws: np.ndarray
    status: np.ndarray

    def __len__(self):
        return len(self.L)

    def __getitem__(self, rows):
        """The accepted members ``rows`` (a slice or an index array); draws and status stay whole."""
        names = ("L", "K_sym", "mass", "R", "Lambda", "E_sym")
        return Sequences(*(getattr(self, name)[rows] for name in names), self.draws, self.status)

    @property
    def counts(self):
        """How many draws had each status: dict of Status to int."""
        return {s: int(np.sum(self.status == s)) for s in Status}


# ---- physics -------------------------------------------------------------------------------------------------


def symmetry_energy_curve(L, K_sym):
    """E_sym (..., 100) [MeV] at ``DENSITIES`` for L, K_sym (...) [MeV], the rest at the metamodel's defaults."""
    L, K_sym = (jnp.asarray(a)[..., None] for a in (L, K_sym))
    return metamodel.symmetry_energy(DENSITIES, metamodel.Metamodel(L, K_sym))


def sequences(L, K_sym, mass, *, M_max_min=2.14, causality="truncated"):
    """Status, and radius and tidal deformability of stars of given masses, for each pair of L and K_sym.

    Core: metamodel in beta equilibrium with muons; crust: the standard one. "truncated": the sequence ends
    where cs2 = 1 and must have reached M_max_min; "strict": cs2 <= 1 up to the star of maximum mass.

    Parameters
    ----------
    L, K_sym : (n,) arrays [MeV]
    mass : (n, m) array, gravitational masses [Msun]
    M_max_min : float, least maximum mass [Msun]
    causality : "truncated" or "strict"

    Returns
    -------
    (status, R, Lambda) : (n,) ints of :class:`Status`; (n, m) arrays [km], [1], NaN for rejected pairs
    """
    L, K_sym, mass = (np.asarray(a, dtype=float) for a in (L, K_sym, mass))
    if causality not in CAUSALITY:
        raise ValueError(f"causality must be one of {', '.join(CAUSALITY)}; got {causality!r}")
    if L.ndim != 1 or K_sym.shape != L.shape or mass.ndim != 2 or len(mass) != len(L):
        raise ValueError(f"L, K_sym, mass must have shapes (n,), (n,), (n, m); got {L.shape}, {K_sym.shape}, {mass.shape}")
    if not 0 < M_max_min < np.inf or not np.all((mass > 0) & (mass <= M_max_min)):
        raise ValueError(f"mass must lie in (0, M_max_min = {M_max_min}] Msun, M_max_min be finite")
    status, k, family = _families({"L": L, "K_sym": K_sym}, M_max_min, causality)
    R, Lambda = np.full((2, *mass.shape), np.nan)
    if len(k):
        star = family.at_mass(mass[k])
        R[k], Lambda[k] = star.R, star.Lambda
    rejected = status != int(Status.ACCEPTED)
    R[rejected], Lambda[rejected] = np.nan, np.nan
    return status, R, Lambda


def _families(parameters, M_max_min, causality):
    """Status of each member of a batch of metamodels; those that have a crust, and their families."""
    eos = crust.join(metamodel.eos(**parameters))
    join = np.asarray(eos.status)
    status = np.select(
        [join == int(crust.JoinStatus.NO_CROSSING), join != int(crust.JoinStatus.OK)],
        [int(Status.NO_CROSSING), int(Status.P_FALLS)],
        int(Status.ACCEPTED),
    )
    k = np.flatnonzero(status == int(Status.ACCEPTED))
    family = stars.family(eos[k], causal=True, **FAMILY) if len(k) else None
    if len(k):
        status[k] = _classify(family, M_max_min, causality)
    return status, k, family


def _classify(family, M_max_min, causality):
    """Status of each member of a batch of families that end at cs2 = 1."""
    light = np.asarray(family.M_max) < M_max_min
    cut = np.asarray(family.status) == int(stars.Status.CAUSAL_END)
    solved = np.asarray(family.status) < int(stars.Status.NOT_FINITE)
    acausal = cut & light if causality == "truncated" else cut
    return np.select(
        [~solved, acausal, light],
        [int(Status.NOT_SOLVED), int(Status.ACAUSAL), int(Status.TOO_LIGHT)],
        int(Status.ACCEPTED),
    )


def _chunk(index, settings):
    """Arrays of one chunk, a pure function of its index and the settings of :func:`symmetry_energy`."""
    rng = np.random.default_rng([settings["seed"], index])
    L = rng.uniform(*settings["L"], settings["raw"])
    K_sym = rng.uniform(*settings["K_sym"], settings["raw"])
    mass = rng.uniform(*settings["mass_range"], (settings["raw"], settings["n_points"]))
    status, R, Lambda = sequences(L, K_sym, mass, M_max_min=settings["M_max_min"], causality=settings["causality"])
    k = status == int(Status.ACCEPTED)
    if not (np.all(np.isfinite(R[k])) and np.all(np.isfinite(Lambda[k]))):
        raise ValueError(f"mass_range {settings['mass_range']} Msun begins below the lightest star solved")
    E_sym = np.asarray(symmetry_energy_curve(L[k], K_sym[k]))
    return {
        "L": L[k], "K_sym": K_sym[k], "mass": mass[k], "R": R[k], "Lambda": Lambda[k], "E_sym": E_sym,
        "draws": np.stack([L, K_sym], axis=1), "status": status.astype("uint8"),
    }  # fmt: skip


def symmetry_energy(
    path, n, *, seed, L=(30.6, 86.8), K_sym=(-400.0, 100.0), M_max_min=2.14, causality="truncated",
    n_points=50, mass_range=(1.0, 2.0), raw=RAW, client=None, progress=True,
):  # fmt: skip
    """The first n accepted equations of state of a data set, with ``n_points`` random stars on each.

    L and K_sym are drawn uniformly, the masses of the stars uniformly in ``mass_range``. What is already at
    ``path`` is read, what lacks is computed and added: see :mod:`nslib.chunks`.

    Parameters
    ----------
    path : path of the data set
    n : int, accepted equations of state
    seed : int
    L, K_sym : (low, high) [MeV]
    M_max_min : float, least maximum mass [Msun]
    causality : "truncated" or "strict", see :func:`sequences`
    n_points : int, stars on each
    mass_range : (low, high) [Msun], high at most M_max_min
    raw : int, draws of a chunk
    client : Dask client to run the chunks, its workers sharing the file system; None: two threads here
    progress : bool, show a bar

    Returns
    -------
    Sequences

    Raises
    ------
    ValueError
        an argument out of range; a path with other settings or versions; a damaged chunk, named; ranges
        in which next to nothing is accepted
    """
    settings = _settings(
        seed=seed, L=L, K_sym=K_sym, M_max_min=M_max_min, causality=causality,
        n_points=n_points, mass_range=mass_range, raw=raw,
    )  # fmt: skip
    attributes = {
        "title": "masses, radii, tidal deformabilities and symmetry energies of the metamodel",
        "made_by": "nslib.datasets.symmetry_energy", "densities_fm-3": DENSITIES.tolist(),
        "status": {str(int(s)): s.sentence for s in Status},
    }  # fmt: skip
    whole = collect(path, n, _chunk, settings, units=UNITS, attributes=attributes, client=client, progress=progress)
    return Sequences(**whole)[:n]


def _settings(**given):
    """The settings as JSON keeps them; ValueError for one out of range."""
    for name in ("L", "K_sym", "mass_range"):
        low, high = (float(a) for a in given[name])
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"{name} must be two finite numbers, low < high; got {given[name]}")
        given[name] = [low, high]
    if given["causality"] not in CAUSALITY:
        raise ValueError(f"causality must be one of {', '.join(CAUSALITY)}; got {given['causality']!r}")
    for name, least in (("n_points", 1), ("raw", 1), ("seed", 0)):
        if not (isinstance(given[name], (int, np.integer)) and given[name] >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {given[name]!r}")
        given[name] = int(given[name])
    if not 0 < given["mass_range"][0] < given["mass_range"][1] <= given["M_max_min"]:
        raise ValueError(f"mass_range must lie in (0, M_max_min = {given['M_max_min']}] Msun, got {given['mass_range']}")
    return given | {"M_max_min": float(given["M_max_min"]), "family": FAMILY}
