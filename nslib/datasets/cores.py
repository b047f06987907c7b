"""Cores of stars drawn from a prior: nuclear matter alone, or with a transition to quark matter, and what stars say of them.

The draws of an evidence by plain Monte Carlo. Each valid draw keeps the log-likelihood of every observation by itself,
so that a choice of data, of a cut or of a weight is made afterwards, without solving a star again.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from nslib import crust, infer, stars
from nslib.batches import SIZES, in_blocks
from nslib.chunks import collect
from nslib.matter import conformality, quark, rmf, transition
from nslib.tables.observations import NAMES

#: what a core may be: RMF matter alone; with a Maxwell transition; with a smooth one, of either form
MODELS = ("nucleonic", "maxwell", "local", "gauss")
#: name: distribution, mean and standard deviation or ends; rho_0 [fm^-3], energies [MeV], xi [MeV^-1], B and root_delta
#: [MeV fm^-3]
PRIOR = {
    "rho_0": ("normal", 0.153, 0.005), "E_0": ("normal", -16.1, 0.2), "K_0": ("normal", 230.0, 40.0),
    "Q_0": ("uniform", -1500.0, 400.0), "m_star": ("uniform", 0.5, 0.8), "J_0": ("normal", 32.5, 1.8),
    "L_0": ("uniform", 20.0, 100.0), "xi": ("uniform", *quark.PRIOR["xi"]), "B": ("uniform", *quark.PRIOR["B"]),
    "root_delta": ("uniform", 0.5, 15.0),
}  # fmt: skip
#: densities at which the pressure of pure neutron matter is kept [fm^-3], and what chiral effective field theory gives
#: there: mean, and twice the standard deviation [MeV fm^-3], K. Hebeler et al., Astrophys. J. 773 (2013) 11
N_PNM, P_PNM, P_PNM_ERROR = (0.08, 0.12, 0.16), (0.506, 1.241, 2.486), (0.194, 0.608, 1.382)
#: least maximum mass of a valid draw [Msun]
M_MAX_MIN = 1.4
#: settings of :func:`nslib.stars.family`
FAMILY = {"n_star": 24, "steps": 48, "rows": 256, "p_min": 3.0}
#: masses of the stars whose centres are looked at, beside the heaviest [Msun]
MASSES = (1.4, 2.0)
#: raw draws of a chunk
RAW = 4096


class Status(IntEnum):
    """What became of a draw."""

    VALID = 0
    NO_COUPLINGS = 1
    ANOTHER_BRANCH = 2
    FIELDS_END = 3
    NO_JOIN = 4
    QUARKS_BELOW = 5
    NO_TRANSITION = 6
    REJECTED = 7
    NOT_SOLVED = 8
    TOO_LIGHT = 9
    NO_CORE = 10
    OUT_OF_RANGE = 11

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.VALID: "valid",
            Status.NO_COUPLINGS: "no couplings give this nuclear matter",
            Status.ANOTHER_BRANCH: "the couplings have C < 0 or Lambda_v < 0",
            Status.FIELDS_END: "the fields do not continue to 2 fm^-3",
            Status.NO_JOIN: "no crust can be joined",
            Status.QUARKS_BELOW: "quark matter has more pressure already below 0.15 fm^-3",
            Status.NO_TRANSITION: "quark matter never has more pressure",
            Status.REJECTED: "crosses back, and the policy rejects that; or the smooth form is not stable",
            Status.NOT_SOLVED: "no sequence of stars could be solved, or it has no maximum mass",
            Status.TOO_LIGHT: "the maximum mass is below 1.4 solar masses",
            Status.NO_CORE: "no stable star has quark matter at its centre",
            Status.OUT_OF_RANGE: "a parameter is not finite, or one of quark matter or of the smooth form is out of its range",
        }[self]


#: arrays of the valid draws with their units
COLUMNS = {
    "draw": "1", "parameters": "as PRIOR", "M_max": "Msun", "R_14": "km", "Lambda_14": "1", "n_branch": "1", "p_max": "MeV fm^-3",
    "p_pnm": "MeV fm^-3", "n_t": "fm^-3", "n_q": "fm^-3", "mu_t": "MeV", "mu_back": "MeV", "n_conformal": "fm^-3", "n_max": "fm^-3",
    "Delta": "1", "slope": "1", "gamma": "1", "d_c": "1", "cs2": "c^2", "quark": "1", "log_likelihood": "1",
}  # fmt: skip


@dataclass(frozen=True)
class CoreSet:
    """Valid draws of one model, arrays (n, ...); what was drawn in all.

    Attributes
    ----------
    model : one of ``MODELS``
    n_draw : int, all draws
    counts : dict of Status to the number of draws
    parameters : (n, k) array, in the order of ``PRIOR``
    draw : (n,) int array, number of the draw
    M_max [Msun], R_14 [km], Lambda_14 [1] : (n,) arrays, over all stable branches; NaN without such a star
    n_branch : (n,) int array, stable branches
    p_pnm : (n, 3) array, pressure of pure neutron matter at ``N_PNM``, raised by what the smooth form adds [MeV fm^-3]
    n_t, n_q, mu_t, mu_back : (n,) arrays of the transition, as in :class:`nslib.matter.transition.Hybrid`; NaN without
    n_conformal, n_max : (n,) arrays, density where d_c falls below 0.2, NaN if it does not up to n_max, the central density
        of the heaviest star [fm^-3]
    p_max : (n,) array, pressure there [MeV fm^-3]
    Delta, slope, gamma, d_c, cs2, quark : (n, 3) arrays at the centres of stars of ``MASSES`` and of the heaviest; quark
        says whether quark matter is there
    log_likelihood : dict of the name of each observation to an (n,) array
    """

    model: str
    n_draw: int
    counts: dict
    columns: dict

    def __len__(self):
        return len(self.columns["draw"])

    def __getattr__(self, name):
        if name != "columns" and name in self.columns:
            return self.columns[name]
        raise AttributeError(name)

    @property
    def log_likelihood(self):
        """Log-likelihood (n,) of each observation, by its name."""
        return dict(zip(NAMES, self.columns["log_likelihood"].T))


def names(model):
    """Names of the parameters of a model, in the order of ``PRIOR``; ValueError for one that is not in ``MODELS``."""
    if model not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)}; got {model!r}")
    return tuple(PRIOR)[: {"nucleonic": 7, "maxwell": 9}.get(model, 10)]


def draw(rng, n, model):
    """Parameters (n, k) of a model from ``PRIOR``."""
    columns = [getattr(rng, kind)(a, b, n) for kind, a, b in (PRIOR[name] for name in names(model))]
    return np.stack(columns, axis=1)


# ---- physics -------------------------------------------------------------------------------------------------


@jax.jit
@partial(jax.vmap, in_axes=(0, None))
def _neutron_pressure(q, n):
    """Pressure of pure neutron matter at the densities n of each set of couplings [MeV fm^-3]."""

    def one(n):
        u = rmf.uniform(n, 0.0 * n, q)
        return n * u.mu_n - u.eps

    return jax.vmap(one)(n)


def equations_of_state(parameters, model, *, policy="stay", coefficient="Albino2024", m_s=100.0):
    """Status of each set of parameters, and the equations of state with crust of those that have one.

    Parameters
    ----------
    parameters : (n, k) array, in the order of ``names(model)``
    model, policy, coefficient, m_s : as in :func:`core_draws`

    Returns
    -------
    (status, place, columns, eos) : (n,) ints of :class:`Status`, 0 where there is an equation of state; the places (m,)
        of these; a dict of (m, ...) arrays of the transition and the neutron matter, as in :class:`CoreSet`; EOS, a batch
        of m, or None for none

    Raises
    ------
    ValueError
        parameters of another shape, or as :func:`core_draws`
    """
    status, k, columns, eos = _equations(parameters, model, policy, coefficient, m_s)
    k, first = np.unique(k, return_index=True)
    return status, k, {name: a[first] for name, a in columns.items()}, _pick(eos, first) if len(k) else None


def _equations(parameters, model, policy="stay", coefficient="Albino2024", m_s=100.0):
    """:func:`equations_of_state` with the last members again, up to a whole number of blocks: few sizes, few compilations."""
    x = np.asarray(parameters, dtype=float)
    _settings(0, model, policy, coefficient, m_s, 1)
    if x.ndim != 2 or x.shape[1] != len(names(model)) or len(x) == 0:
        raise ValueError(f"parameters must have shape (n, {len(names(model))}), n >= 1; got {x.shape}")
    inverted = rmf.invert(rmf.NuclearMatter(*x[_filled(np.arange(len(x))), :7].T))
    none = np.asarray(inverted.status) != 0
    other = (np.asarray(inverted.z) < 0) | (np.asarray(inverted.couplings.Lambda_v) < 0)
    status = np.select([none, other], [Status.NO_COUPLINGS, Status.ANOTHER_BRANCH], Status.VALID)[: len(x)]
    status[~np.all(np.isfinite(x), axis=1)] = Status.OUT_OF_RANGE
    k, columns, eos = _filled(np.flatnonzero(status == 0)), {}, None
    if len(k):
        q = _pick(inverted.couplings, k)
        core = hadrons = rmf.equation_of_state(q)
        status[k[np.asarray(hadrons.status) != 0]] = Status.FIELDS_END
        columns["p_pnm"] = np.asarray(in_blocks(lambda q: _neutron_pressure(q, jnp.array(N_PNM)), q))
        if model == "nucleonic":
            columns |= {name: np.full(len(k), np.nan) for name in ("n_t", "n_q", "mu_t", "mu_back")}
        else:
            core, of_transition, p_more = _transition(hadrons, x[k], model, policy, coefficient, m_s)
            columns |= of_transition
            columns["p_pnm"] = columns["p_pnm"] + p_more
            wrong = np.asarray(core.status)
            same = ("QUARKS_BELOW", "NO_TRANSITION", "OUT_OF_RANGE")
            of_wrong = np.select([wrong == transition.Status[s] for s in same], [Status[s] for s in same], Status.REJECTED)
            fails = (status[k] == 0) & (wrong != 0)
            status[k[fails]] = of_wrong[fails]
        k, columns, core = _keep(status, k, columns, core)
    if len(k):
        eos = crust.join(core)
        status[k[np.asarray(eos.status) != 0]] = Status.NO_JOIN
        k, columns, eos = _keep(status, k, columns, eos)
    return status, k, columns, eos


def solve(parameters, model, **how):
    """Status of each set of parameters, and the columns of the valid ones: stars and what observations say of them.

    Parameters
    ----------
    parameters, model, **how : as in :func:`equations_of_state`

    Returns
    -------
    (status, columns) : (n,) ints of :class:`Status`, dict of arrays of the valid draws, ``draw`` their place
    """
    status, k, columns, eos = _equations(parameters, model, **how)
    if not len(k):
        return status, {}
    found, code = _stars(eos, columns, hybrid=model != "nucleonic")
    status[k] = code
    k, first = np.unique(k, return_index=True)
    valid = code[first] == 0
    k, first = k[valid], first[valid]
    columns = {name: a[first] for name, a in (columns | found).items()}
    return status, columns | {"draw": k, "parameters": np.asarray(parameters, dtype=float)[k]}


def _pick(tree, k):
    return jax.tree.map(lambda a: np.asarray(a)[k], tree)


def _keep(status, k, columns, eos):
    """What is left of places, columns and equations of state where the status is still 0."""
    good = np.flatnonzero(status[k] == 0)
    good = _filled(good[: len(np.unique(k[good]))])  # without the copies, which are last
    return k[good], {name: a[good] for name, a in columns.items()}, _pick(eos, good)


def _filled(k):
    """Indices k, the last one again up to a whole number of the blocks of :mod:`nslib.batches`."""
    size = next((s for s in SIZES if s >= len(k)), SIZES[-1])
    return np.concatenate([k, np.full(-len(k) % size, k[-1])]) if len(k) else k


def _transition(hadrons, x, model, policy, coefficient, m_s):
    """Core with its transition, columns of that, and the pressure that the smooth form adds at ``N_PNM``."""
    q = quark.MFTQCD(x[:, 7], x[:, 8], m_s=m_s)
    if model == "maxwell":
        found = transition.maxwell(hadrons, q, policy=policy, coefficient=coefficient)
        more = np.zeros((len(x), len(N_PNM)))
    else:
        found = transition.smooth(hadrons, q, x[:, 9], form=model, policy=policy, coefficient=coefficient)
        more = _pressure_at(found.eos, N_PNM) - _pressure_at(hadrons, N_PNM)
    columns = {name: np.asarray(getattr(found, name)) for name in ("n_t", "n_q", "mu_t", "mu_back")}
    core = found.eos
    return core, columns, more


def _pressure_at(eos, n):
    """Pressure (n_eos, m) of a batch at the densities n (m,), linear between rows [MeV fm^-3]."""
    return np.stack([np.interp(n, a, b) for a, b in zip(np.asarray(eos.n_b), np.asarray(eos.p))])


def _stars(eos, of_transition, hybrid):
    """Columns of the stars of a batch, and the status of each member."""
    first = stars.family(eos, **FAMILY)
    n_branch, code = np.asarray(first.n_branch), np.asarray(first.status)
    families, n = [first], len(code)
    several = _filled(np.flatnonzero(n_branch > 1))
    if len(several):
        second = stars.family(_pick(eos, several), branch=1, **FAMILY)
        families.append(_spread(second, several, n))
    M = np.stack([np.where(np.asarray(f.status) == 0, np.asarray(f.M_max), -np.inf) for f in families])
    heaviest, each = np.argmax(M, axis=0), np.arange(n)
    M_max = M[heaviest, each]
    p_max = np.stack([np.asarray(f.p_max) for f in families])[heaviest, each]
    good = np.isfinite(M_max)
    centres = _centres(families, p_max)
    mu_c = np.stack([np.interp(np.log(p), np.log(a), b) for p, a, b in zip(centres, np.asarray(eos.p), np.asarray(eos.mu_b))])
    n_max = np.array([np.interp(np.log(p), np.log(a), b) for p, a, b in zip(p_max, np.asarray(eos.p), np.asarray(eos.n_b))])
    there = np.zeros_like(centres, dtype=bool)
    if hybrid:
        there = (mu_c > of_transition["mu_t"][:, None]) & (mu_c < of_transition["mu_back"][:, None])
    no_core = good & hybrid & ~there[:, -1]
    code = np.select([~good, M_max < M_MAX_MIN, no_core], [Status.NOT_SOLVED, Status.TOO_LIGHT, Status.NO_CORE], Status.VALID)
    at = conformality.at_pressure(eos, centres)
    star = [f.at_mass(1.4) for f in families]
    one_of = lambda a: np.where(np.isfinite(a[0]), a[0], a[-1])  # noqa: E731
    columns = {
        "M_max": M_max, "n_branch": n_branch, "p_max": p_max, "n_max": n_max, "quark": there,
        "R_14": one_of([np.asarray(s.R) for s in star]), "Lambda_14": one_of([np.asarray(s.Lambda) for s in star]),
        "n_conformal": np.asarray(conformality.first_below(eos, p_max=p_max)),
        "log_likelihood": _log_likelihoods(families, several),
    }  # fmt: skip
    columns |= {name: np.asarray(getattr(at, name)) for name in ("Delta", "slope", "gamma", "d_c")}
    columns["cs2"] = np.asarray(at.gamma) * (1 / 3 - np.asarray(at.Delta))
    return columns, code


def _spread(family, k, n):
    """Family of a batch of n, its members at the places k; elsewhere there is no such branch."""
    place = np.zeros(n, int)
    place[k] = np.arange(len(k))
    whole = _pick(family, place)
    absent = ~np.isin(np.arange(n), k)
    fields = {"status": np.where(absent, int(stars.Status.NO_SUCH_BRANCH), whole.status)}
    fields |= {name: np.where(absent[:, None], np.nan, getattr(whole, name)) for name in ("p_c", "mass", "radius", "tidal")}
    return jax.tree.map(jnp.asarray, replace(whole, **fields))


def _centres(families, p_max):
    """Central pressures (n, 3) of stars of ``MASSES``, on the lightest branch that has one, and of the heaviest."""
    at = [np.asarray(f.p_at(np.array(MASSES))) for f in families]
    return np.concatenate([np.where(np.isfinite(at[0]), at[0], at[-1]), p_max[:, None]], axis=1)


def _log_likelihoods(families, several):
    """Log-likelihood (n, n_observation) of each observation by itself; those with twins count all branches."""
    out = np.stack([np.asarray(infer.log_likelihoods(families[0], (name,))[name]) for name in NAMES], axis=1)
    if len(several):
        both = tuple(_pick(f, several) for f in families)
        out[several] = np.stack([np.asarray(infer.log_likelihoods(both, (name,))[name]) for name in NAMES], axis=1)
    return out


def _chunk(index, settings):
    """Arrays of one chunk, a pure function of its index and the settings of :func:`core_draws`."""
    rng = np.random.default_rng([settings["seed"], MODELS.index(settings["model"]), index])
    x = draw(rng, settings["raw"], settings["model"])
    how = {name: settings[name] for name in ("policy", "coefficient", "m_s")}
    status, columns = solve(x, settings["model"], **how)
    empty = {"parameters": x[:0], "p_pnm": x[:0, :3], "log_likelihood": np.zeros((0, len(NAMES)))}
    empty |= {name: x[:0, :3] for name in ("Delta", "slope", "gamma", "d_c", "cs2", "quark")}
    out = {name: np.asarray(columns.get(name, empty.get(name, x[:0, 0])), dtype=float) for name in COLUMNS}
    out["draw"] = out["draw"] + index * settings["raw"]
    return {"status": status.astype("uint8")} | out


def core_draws(path, n, *, seed, model, policy="stay", coefficient="Albino2024", m_s=100.0, raw=RAW, client=None, progress=True):
    """n draws of a model from ``PRIOR``, with the stars of the valid ones, kept on disk.

    What is already at ``path`` is read, what lacks is computed and added: see :mod:`nslib.chunks`.

    Parameters
    ----------
    path : path of the data set
    n : int, draws, valid or not
    seed : int
    model : one of ``MODELS``
    policy : one of ``nslib.matter.transition.POLICIES``, where hadrons take over again; "stay" is none for smooth forms
    coefficient : one of :data:`nslib.matter.quark.COEFFICIENTS`
    m_s : float, mass of the strange quark [MeV]
    raw : int, draws of a chunk
    client : Dask client to run the chunks, its workers sharing the file system; None: two threads here
    progress : bool, show a bar

    Returns
    -------
    CoreSet

    Raises
    ------
    ValueError
        an argument out of range; a path with other settings or versions; a damaged chunk, named
    """
    settings = _settings(seed, model, policy, coefficient, m_s, raw)
    attributes = {
        "title": "Cores of neutron stars from a prior, and the likelihood of observations",
        "made_by": "nslib.datasets.core_draws", "status": {str(int(s)): s.sentence for s in Status}, "observations": list(NAMES),
    }  # fmt: skip
    units = {"status": "1"} | COLUMNS
    whole = collect(path, n, _chunk, settings, units=units, attributes=attributes, client=client, progress=progress)
    status = whole.pop("status")[:n]
    inside = whole["draw"] < n
    columns = {name: a[inside] for name, a in whole.items()}
    for name, kind in (("draw", int), ("n_branch", int), ("quark", bool)):
        columns[name] = columns[name].astype(kind)
    return CoreSet(model, len(status), {s: int(np.sum(status == s)) for s in Status}, columns)


def _settings(seed, model, policy, coefficient, m_s, raw):
    """The settings as JSON keeps them; ValueError for one out of range."""
    policies = {"nucleonic": transition.POLICIES, "maxwell": transition.POLICIES}.get(model, ("envelope", "reject"))
    for name, value, known in (
        ("model", model, MODELS), ("policy", policy, policies), ("coefficient", coefficient, tuple(quark.COEFFICIENTS)),
    ):  # fmt: skip
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    for name, value, least in (("seed", seed, 0), ("raw", raw, 1)):
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    lo, hi = quark.RANGES["m_s"]
    if not (isinstance(m_s, (int, float, np.number)) and lo <= m_s <= hi):
        raise ValueError(f"m_s must lie in [{lo:g}, {hi:g}] MeV, got {m_s!r}")
    return {
        "seed": int(seed), "model": model, "policy": policy, "coefficient": coefficient, "m_s": float(m_s), "raw": int(raw),
        "prior": {name: list(PRIOR[name]) for name in names(model)}, "family": FAMILY, "masses": list(MASSES),
        "M_max_min": M_MAX_MIN,
    }  # fmt: skip
