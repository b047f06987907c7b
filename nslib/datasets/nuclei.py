"""Nuclear-matter parameters with the nuclei that they make: couplings, binding energies, charge radii, classes."""

from dataclasses import dataclass
from enum import IntEnum

import jax
import numpy as np

from nslib import nuclei as finite
from nslib.chunks import collect
from nslib.matter import rmf
from nslib.nuclei.levels import nucleus

#: nuclei of the paper's training set: A. Venneti et al., arXiv:2504.03333
FIVE = ("16O", "40Ca", "48Ca", "132Sn", "208Pb")
#: draws of a chunk
RAW = 2000


class Admissibility(IntEnum):
    """What is to be said of one draw and one nucleus."""

    ADMISSIBLE = 0
    NO_COUPLINGS = 1
    NOT_CONVERGED = 2
    OUTSIDE = 3

    @property
    def sentence(self):
        """The class in words."""
        return {
            Admissibility.ADMISSIBLE: "solved and near to experiment",
            Admissibility.NO_COUPLINGS: "the parameters have no couplings",
            Admissibility.NOT_CONVERGED: "the nucleus does not converge",
            Admissibility.OUTSIDE: "solved, but farther from experiment than the threshold",
        }[self]


@dataclass(frozen=True)
class NucleiSet:
    """Draws of nuclear-matter parameters and k nuclei of each; rows can be sliced and picked.

    Attributes
    ----------
    nuclei : tuple of names
    parameters : (n, 7) array, in the order of :class:`nslib.matter.rmf.NuclearMatter`
    z : (n,) array, C W^3 / rho_0 of the couplings [1], NaN where there are none
    inversion : (n,) int array of :class:`nslib.matter.rmf.Status`
    B, r_ch : (n, k) arrays [MeV], [fm], NaN where not solved
    status : (n, k) int array of :class:`nslib.nuclei.Status`
    """

    nuclei: tuple
    parameters: np.ndarray
    z: np.ndarray
    inversion: np.ndarray
    B: np.ndarray
    r_ch: np.ndarray
    status: np.ndarray

    def __len__(self):
        return len(self.parameters)

    def __getitem__(self, rows):
        names = ("parameters", "z", "inversion", "B", "r_ch", "status")
        return NucleiSet(self.nuclei, *(getattr(self, name)[rows] for name in names))

    @property
    def solved(self):
        """Where B and r_ch are numbers, (n, k) bool array."""
        return self.status <= finite.Status.LEVEL_ORDER

    @property
    def in_prior(self):
        """Whether all parameters lie in the ranges of ``nslib.matter.rmf.PRIOR``, (n,) bool array."""
        return rmf.in_prior(rmf.NuclearMatter(*self.parameters.T))


def nuclei_of(parameters, nuclei=FIVE, *, max_iterations=100):
    """Nuclei of given nuclear-matter parameters.

    Parameters
    ----------
    parameters : (n, 7) array, in the order of :class:`nslib.matter.rmf.NuclearMatter`; outside of the prior too
    nuclei : names in ``nslib.nuclei.NUCLEI``, or pairs (Z, N)
    max_iterations : int, of the solver

    Returns
    -------
    NucleiSet

    Raises
    ------
    ValueError
        an argument out of range; a row without couplings has a status and NaN
    """
    names = tuple(nucleus(one).name for one in ([nuclei] if isinstance(nuclei, str) else nuclei))
    parameters = np.asarray(parameters, float)
    if parameters.ndim != 2 or parameters.shape[1] != 7:
        raise ValueError(f"parameters must have shape (n, 7), got {parameters.shape}")
    q = rmf.invert(rmf.NuclearMatter(*parameters.T))
    inversion = np.asarray(q.status)
    found = finite.solve(jax.tree.map(np.asarray, q.couplings), names, max_iterations=max_iterations)
    return NucleiSet(names, parameters, np.asarray(q.z), inversion, found.B, found.r_ch, found.status)


def admissibility(data, relative=0.2, absolute=None, *, radii=True):
    """Class of each draw and nucleus of a NucleiSet.

    Parameters
    ----------
    data : NucleiSet
    relative : float, how far B and r_ch may lie from experiment, as a part of it
    absolute : float, how far B may lie from experiment [MeV], instead of ``relative``
    radii : bool, count charge radii too; False, or with ``absolute``: binding energies only

    Returns
    -------
    (n, k) int array of :class:`Admissibility`

    Raises
    ------
    ValueError
        no threshold, or one that is not above 0; a nucleus without a measured charge radius, if they count
    """
    seen = finite.experiment(data.nuclei)
    if relative is None and absolute is None:
        raise ValueError("relative must be given where absolute is not")
    for name, value in (("relative", relative), ("absolute", absolute)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and above 0, got {value!r}")
    unknown = [one for one, r in zip(data.nuclei, seen.r_ch) if not np.isfinite(r)]
    if radii and absolute is None and unknown:
        raise ValueError(f"no charge radius has been measured of {', '.join(unknown)}; give radii=False")
    if absolute is not None:
        far = np.abs(data.B - seen.B) > absolute
    else:
        far = np.abs(data.B / seen.B - 1) > relative
        if radii:
            far |= np.abs(data.r_ch / seen.r_ch - 1) > relative
    none = np.broadcast_to((data.inversion != rmf.Status.OK)[:, None], far.shape)
    is_not = [Admissibility.NO_COUPLINGS, Admissibility.NOT_CONVERGED, Admissibility.OUTSIDE]
    return np.select([none, ~data.solved, far], is_not, Admissibility.ADMISSIBLE)


def _chunk(index, settings):
    """Arrays of one chunk, a pure function of its index and the settings of :func:`finite_nuclei`."""
    rng = np.random.default_rng([settings["seed"], index])
    low, high = np.array(list(settings["prior"].values())).T
    parameters = rng.uniform(low, high, (settings["raw"], 7))
    data = nuclei_of(parameters, settings["nuclei"], max_iterations=settings["max_iterations"])
    small = {name: getattr(data, name).astype("uint8") for name in ("inversion", "status")}
    return {name: getattr(data, name) for name in ("parameters", "z", "B", "r_ch")} | small


UNITS = {
    "parameters": "fm^-3, MeV, MeV, MeV, 1, MeV, MeV", "z": "1", "inversion": "1", "B": "MeV", "r_ch": "fm", "status": "1",
}  # fmt: skip


def finite_nuclei(path, n, *, seed, nuclei=FIVE, prior=None, max_iterations=100, raw=RAW, client=None, progress=True):
    """The first n draws of a data set of nuclear-matter parameters and nuclei.

    Parameters are drawn uniformly. What is already at ``path`` is read, what lacks is computed and added: see
    :mod:`nslib.chunks`.

    Parameters
    ----------
    path : path of the data set
    n : int, draws, with couplings or without
    seed : int
    nuclei : names in ``nslib.nuclei.NUCLEI``
    prior : dict of name to (low, high) that replaces ranges of ``nslib.matter.rmf.PRIOR``
    max_iterations : int, of the solver; the paper allows 999
    raw : int, draws of a chunk
    client : Dask client to run the chunks, its workers sharing the file system; None: two threads here
    progress : bool, show a bar

    Returns
    -------
    NucleiSet

    Raises
    ------
    ValueError
        an argument out of range; a path with other settings or versions; a damaged chunk, named
    """
    settings = _settings(seed=seed, nuclei=nuclei, prior=prior, max_iterations=max_iterations, raw=raw)
    attributes = {
        "title": "Spherical nuclei of the relativistic mean-field model from nuclear-matter parameters",
        "made_by": "nslib.datasets.finite_nuclei",
        "inversion": {str(int(s)): s.sentence for s in rmf.Status},
        "status": {str(int(s)): s.sentence for s in finite.Status},
    }  # fmt: skip
    whole = collect(path, n, _chunk, settings, units=UNITS, attributes=attributes, client=client, progress=progress)
    return NucleiSet(tuple(settings["nuclei"]), **whole)[:n]


def _settings(*, seed, nuclei, prior, max_iterations, raw):
    """The settings as JSON keeps them; ValueError for one out of range."""
    own = rmf.PRIOR._asdict()
    if unknown := set(prior or {}) - set(own):
        raise ValueError(f"prior has {', '.join(sorted(map(str, unknown)))}; its names are {', '.join(own)}")
    ranges = own | dict(prior or {})
    for name, ends in ranges.items():
        a = np.asarray(ends)
        if not (a.shape == (2,) and a.dtype.kind in "fiu" and np.all(np.isfinite(a)) and a[0] < a[1]):
            raise ValueError(f"prior[{name!r}] must be two finite numbers, low < high; got {ends!r}")
    for name, value, least in (("seed", seed, 0), ("max_iterations", max_iterations, 1), ("raw", raw, 1)):
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    names = list(finite.experiment(nuclei).nuclei)
    return {
        "seed": int(seed), "nuclei": names, "prior": {name: [float(a) for a in ends] for name, ends in ranges.items()},
        "max_iterations": int(max_iterations), "raw": int(raw),
    }  # fmt: skip
