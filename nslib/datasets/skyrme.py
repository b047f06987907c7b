"""Skyrme matter as 107 numbers, with the stars it makes."""

from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib import crust, stars
from nslib.batches import in_blocks
from nslib.chunks import collect
from nslib.matter import nuclear, skyrme, speeds, spinodal

#: ranges of the uniform draws: n_0 [fm^-3]; E_0, K_0, S, L [MeV]; effective masses m_s, m_v [1]
PRIOR = {
    "n_0": (0.153, 0.167), "E_0": (-16.3, -15.7), "K_0": (205.0, 265.0), "S": (28.0, 36.0), "L": (20.0, 100.0),
    "m_s": (0.6, 1.0), "m_v": (0.6, 1.0),
}  # fmt: skip
#: densities of the rows of a core [fm^-3]
N_B = np.geomspace(0.04, 1.7, 160)
#: densities up to that of the heaviest star at which effective masses are looked at
N_MASSES = 8
#: raw draws of a chunk
RAW = 2048
#: settings of :func:`nslib.stars.family`: the first star lies below one solar mass
FAMILY = {"n_star": 40, "steps": 100, "rows": 512, "p_min": 8.0}


class Status(IntEnum):
    """What became of a draw."""

    ACCEPTED = 0
    NO_PARAMETERS = 1
    MASS_NEGATIVE = 2
    NO_TRANSITION = 3
    P_FALLS = 4
    NOT_SOLVED = 5
    TOO_LIGHT = 6
    ACAUSAL = 7

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.ACCEPTED: "accepted",
            Status.NO_PARAMETERS: "no Skyrme interaction has these saturation properties",
            Status.MASS_NEGATIVE: "an effective mass is not positive below the maximum mass, or no beta equilibrium up to 1.7 fm^-3",
            Status.NO_TRANSITION: "uniform matter does not become unstable between crust and saturation",
            Status.P_FALLS: "pressure or energy density does not rise from the crust on",
            Status.NOT_SOLVED: "no sequence of stars could be solved, or it has no maximum mass up to 1.7 fm^-3",
            Status.TOO_LIGHT: "the maximum mass is below M_max_min",
            Status.ACAUSAL: "the sound speed exceeds that of light below the maximum mass",
        }[self]


class Observables(NamedTuple):
    """Stars of equations of state: M_max [Msun]; R_10, R_14, R_20 [km] and Lambda_14 [1] at 1, 1.4, 2 Msun; (n,) arrays.

    R_20 is NaN where M_max < 2 Msun.
    """

    M_max: np.ndarray
    R_14: np.ndarray
    R_10: np.ndarray
    R_20: np.ndarray
    Lambda_14: np.ndarray


@dataclass(frozen=True)
class SkyrmeSet:
    """Accepted equations of state; ``data[:1000]`` is the first thousand.

    Attributes
    ----------
    parameters : (n, 7) array, in the order of ``PRIOR``
    numbers : (n, 107) array, see :mod:`nslib.matter.speeds`
    observables : Observables of (n,) arrays
    draws, status : (n_raw, 7) array and (n_raw,) array of :class:`Status`, every draw
    """

    parameters: np.ndarray
    numbers: np.ndarray
    observables: Observables
    draws: np.ndarray
    status: np.ndarray

    def __len__(self):
        return len(self.parameters)

    def __getitem__(self, rows):
        """The accepted members ``rows`` (a slice or an index array); draws and status stay whole."""
        seen = Observables(*(a[rows] for a in self.observables))
        return SkyrmeSet(self.parameters[rows], self.numbers[rows], seen, self.draws, self.status)

    @property
    def counts(self):
        """How many draws had each status: dict of Status to int."""
        return {s: int(np.sum(self.status == s)) for s in Status}


# ---- physics -------------------------------------------------------------------------------------------------


def observables(family):
    """:class:`Observables` of a batch of families; NaN for one without the star asked for."""
    at = family.at_mass(np.array([1.0, 1.4, 2.0]))
    R, Lambda = np.asarray(at.R), np.asarray(at.Lambda)
    return Observables(np.asarray(family.M_max), R[:, 1], R[:, 0], R[:, 2], Lambda[:, 1])


def sequences(parameters, *, M_max_min=1.95, muons=False):
    """Status, numbers and stars of Skyrme matter with given saturation properties.

    Core: neutrons, protons, electrons and, with ``muons``, muons in beta equilibrium, from the density where
    nuclear matter becomes unstable; below, the standard crust for all.

    Parameters
    ----------
    parameters : (n, 7) array, in the order of ``PRIOR``
    M_max_min : float, least maximum mass [Msun]
    muons : bool, count muons

    Returns
    -------
    (status, numbers, Observables) : (n,) ints of :class:`Status`; (n, 107) array; NaN for rejected draws

    Raises
    ------
    ValueError
        parameters of another shape, or M_max_min that is not a number
    """
    if np.ndim(parameters) != 2 or np.shape(parameters)[1] != len(PRIOR) or len(parameters) == 0:
        raise ValueError(f"parameters must have shape (n, {len(PRIOR)}), n >= 1; got {np.shape(parameters)}")
    if not np.isfinite(M_max_min):
        raise ValueError(f"M_max_min must be finite, got {M_max_min}")
    s = skyrme.from_saturation(*np.asarray(parameters, float).T)
    n = len(parameters)
    status = np.where(np.isfinite(np.asarray(s.t3)), Status.ACCEPTED, Status.NO_PARAMETERS)
    numbers = np.full((n, speeds.N_NUMBERS), np.nan)
    seen = Observables(*np.full((5, n), np.nan))
    n_cc = np.where(status == 0, spinodal.transition_density(skyrme.energy_density, s, muons=muons), np.nan)
    status[(status == 0) & ~np.isfinite(n_cc)] = Status.NO_TRANSITION

    def pick(a, k):
        return jax.tree.map(lambda x: np.asarray(x)[k], a)

    k = np.flatnonzero(status == 0)
    if len(k):
        core = nuclear.equation_of_state(skyrme.energy_density, pick(s, k), N_B, muons)
        eos = crust.join(core, n_join=n_cc[k], fall="end")
        bad = np.asarray(eos.status) != 0
        negative = ~np.all(np.isfinite(np.asarray(core.p)), axis=1)
        status[k] = np.select([bad & negative, bad], [Status.MASS_NEGATIVE, Status.P_FALLS], Status.ACCEPTED)
        eos, k = eos[~bad], k[~bad]
    if len(k):
        family = stars.family(eos, **FAMILY)
        status[k] = _classify(family, M_max_min)
        good = status[k] == 0
        k, eos, family = k[good], eos[good], jax.tree.map(lambda a: a[good], family)
    if len(k):
        n_crust = crust.sly4().n_row
        found = speeds.from_eos(jax.tree.map(lambda a: a[:, n_crust:] if a.ndim == 2 else a, eos), family.p_max)
        good = np.asarray(in_blocks(partial(_masses_positive, muons=muons), pick(s, k), found[:, -3]))
        status[k[~good]] = Status.MASS_NEGATIVE
        for whole, part in zip((numbers, *seen), (found, *observables(family))):
            whole[k[good]] = np.asarray(part)[good]
    return status, numbers, seen


@partial(jax.jit, static_argnames="muons")
def _masses_positive(s, n_max, muons):
    """Whether both effective masses are positive at ``N_MASSES`` densities up to n_max (n,) [fm^-3], for each of s."""

    def masses(q, n):
        x = nuclear.proton_fraction(skyrme.energy_density, n, q, muons)
        return jnp.stack(skyrme.effective_masses(n * (1 - x), n * x, q))

    n = n_max[:, None] * jnp.arange(1, N_MASSES + 1) / N_MASSES
    return jnp.all(jax.vmap(jax.vmap(masses, (None, 0)))(s, n) > 0, axis=(1, 2))


def _classify(family, M_max_min):
    """Status of each member of a batch of families."""
    solved = np.asarray(family.status) == int(stars.Status.OK)
    light = np.asarray(family.M_max) < M_max_min
    acausal = np.asarray(family.p_max) > np.asarray(family.p_causal)
    return np.select([~solved, light, acausal], [Status.NOT_SOLVED, Status.TOO_LIGHT, Status.ACAUSAL], Status.ACCEPTED)


def _chunk(index, settings):
    """Arrays of one chunk, a pure function of its index and the settings of :func:`skyrme_eos`."""
    rng = np.random.default_rng([settings["seed"], index])
    low, high = np.array(list(settings["prior"].values())).T
    draws = rng.uniform(low, high, (settings["raw"], len(low)))
    status, numbers, seen = sequences(draws, M_max_min=settings["M_max_min"], muons=settings["muons"])
    k = status == 0
    out = {"parameters": draws[k], "numbers": numbers[k], "draws": draws, "status": status.astype("uint8")}
    return out | {name: a[k] for name, a in seen._asdict().items()}


UNITS = {
    "parameters": "fm^-3, MeV, MeV, MeV, MeV, 1, 1", "numbers": "c^2 (101), then fm^-3, MeV fm^-3, MeV fm^-3, twice",
    "draws": "as parameters", "status": "1", "M_max": "Msun", "R_14": "km", "R_10": "km", "R_20": "km", "Lambda_14": "1",
}  # fmt: skip


def skyrme_eos(path, n, *, seed, prior=None, M_max_min=1.95, muons=False, raw=RAW, client=None, progress=True):
    """The first n accepted Skyrme equations of state of a data set, with stars on each.

    Parameters are drawn uniformly. What is already at ``path`` is read, what lacks is computed and added: see
    :mod:`nslib.chunks`.

    Parameters
    ----------
    path : path of the data set
    n : int, accepted equations of state
    seed : int
    prior : dict of name to (low, high) that replaces entries of ``PRIOR``
    M_max_min : float, least maximum mass [Msun]
    muons : bool, count muons
    raw : int, draws of a chunk
    client : Dask client to run the chunks, its workers sharing the file system; None: two threads here
    progress : bool, show a bar

    Returns
    -------
    SkyrmeSet

    Raises
    ------
    ValueError
        an argument out of range; a path with other settings or versions; a damaged chunk, named; ranges
        in which next to nothing is accepted
    """
    settings = _settings(seed=seed, prior=prior, M_max_min=M_max_min, muons=muons, raw=raw)
    attributes = {
        "title": "Skyrme matter in beta equilibrium: sound speeds, states at both ends, and stars",
        "made_by": "nslib.datasets.skyrme_eos", "status": {str(int(s)): s.sentence for s in Status},
    }  # fmt: skip
    whole = collect(path, n, _chunk, settings, units=UNITS, attributes=attributes, client=client, progress=progress)
    seen = Observables(*(whole.pop(name) for name in Observables._fields))
    return SkyrmeSet(observables=seen, **whole)[:n]


def _settings(*, seed, prior, M_max_min, muons, raw):
    """The settings as JSON keeps them; ValueError for one out of range."""
    if unknown := set(prior or {}) - set(PRIOR):
        raise ValueError(f"prior has {', '.join(sorted(map(str, unknown)))}; its names are {', '.join(PRIOR)}")
    ranges = PRIOR | dict(prior or {})
    for name, ends in ranges.items():
        a = np.asarray(ends)
        if not (a.shape == (2,) and a.dtype.kind in "fiu" and np.all(np.isfinite(a)) and a[0] < a[1]):
            raise ValueError(f"prior[{name!r}] must be two finite numbers, low < high; got {ends!r}")
    ranges = {name: [float(a) for a in ends] for name, ends in ranges.items()}
    for name, value, least in (("seed", seed, 0), ("raw", raw, 1)):
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    if not (isinstance(M_max_min, (int, float, np.number)) and 1.4 <= M_max_min < np.inf):
        raise ValueError(f"M_max_min must be finite and >= 1.4 Msun, got {M_max_min!r}")
    if not isinstance(muons, (bool, np.bool_)):
        raise ValueError(f"muons must be True or False, got {muons!r}")
    return {
        "seed": int(seed), "prior": ranges, "M_max_min": float(M_max_min), "muons": bool(muons), "raw": int(raw),
        "densities": [float(N_B[0]), float(N_B[-1]), len(N_B)], "masses": N_MASSES, "family": FAMILY,
    }  # fmt: skip
