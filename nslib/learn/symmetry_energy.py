"""Symmetry energy from the masses and radii, or tidal deformabilities, of fifty stars.

The task and the network are those of P. G. Krastev, Galaxies 10 (2022) 16. With ``target="parameters"`` a
network learns only L and K_sym and leaves the rest to their formula. Baselines: :mod:`nslib.learn.baselines`.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.datasets import DENSITIES, symmetry_energy_curve
from nslib.learn import network as networks

#: attribute of a data set that goes with the mass, by task
OBSERVABLE = {"M-R": "R", "M-Lambda": "Lambda"}
TARGETS = ("E_sym", "parameters")
#: part of the trained range, in logarithm, by which R or Lambda may leave it
MARGIN = 0.02


class Status(IntEnum):
    """What is to be said of one sample of stars."""

    OK = 0
    NOT_FINITE = 1
    MASS_OUTSIDE = 2
    OBSERVABLE_OUTSIDE = 3

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.OK: "inside the trained population",
            Status.NOT_FINITE: "a value is not finite",
            Status.MASS_OUTSIDE: "a mass lies outside the trained range",
            Status.OBSERVABLE_OUTSIDE: "a radius or tidal deformability lies outside the trained range",
        }[self]


def inputs(mass, observable, sort=True, log=False):
    """The masses of a sample, then its radii or tidal deformabilities: what a network reads.

    Parameters
    ----------
    mass : (..., n_star) array [Msun]
    observable : (..., n_star) array, R [km] or Lambda [1]
    sort : bool, order the stars by mass
    log : bool, take the logarithm of the observable

    Returns
    -------
    (..., 2 n_star) array
    """
    mass, observable = jnp.asarray(mass), jnp.asarray(observable)
    if sort:
        order = jnp.argsort(mass, axis=-1)
        mass, observable = (jnp.take_along_axis(a, order, axis=-1) for a in (mass, observable))
    return jnp.concatenate([mass, jnp.log(observable) if log else observable], axis=-1)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Estimator:
    """A network with what stands before and behind it; called with stars, it returns their symmetry energy.

    Attributes
    ----------
    network : Network
    mass_range, observable_range : (2,) arrays, range of the masses and of R or Lambda in training [Msun], [km] or [1]
    task : "M-R" or "M-Lambda"
    sort, log : bool, as in :func:`inputs`
    target : "E_sym", 100 outputs, or "parameters", L and K_sym with the formula behind them
    """

    network: networks.Network
    mass_range: jax.Array
    observable_range: jax.Array
    task: str = field(metadata={"static": True})
    sort: bool = field(metadata={"static": True})
    log: bool = field(metadata={"static": True})
    target: str = field(metadata={"static": True})

    def __call__(self, mass, observable):
        """Symmetry energy at ``DENSITIES`` [MeV].

        Parameters
        ----------
        mass : (50,) or (n, 50) array, in any order [Msun]
        observable : array like mass, R [km] or Lambda [1] of the same stars

        Returns
        -------
        (100,) or (n, 100) array

        Raises
        ------
        ValueError
            another number of stars; one sample outside the trained population (see :class:`Status`). In a
            batch such a sample gives NaN, and :meth:`status` says why.
        """
        mass, observable = jnp.asarray(mass, dtype=float), jnp.asarray(observable, dtype=float)
        status = self.status(mass, observable)
        if status.ndim == 0 and not isinstance(status, jax.core.Tracer) and int(status):
            raise ValueError(self._complaint(Status(int(status)), np.asarray(mass), np.asarray(observable)))
        inside = (status == int(Status.OK))[..., None]
        y = self.network(inputs(jnp.where(inside, mass, 1.5), jnp.where(inside, observable, 1.0), self.sort, self.log))
        return jnp.where(inside, y if self.target == "E_sym" else symmetry_energy_curve(y[..., 0], y[..., 1]), jnp.nan)

    def status(self, mass, observable):
        """:class:`Status` of each sample, () or (n,) ints; ValueError for another number of stars."""
        mass, observable = jnp.asarray(mass), jnp.asarray(observable)
        n_star = self.network.n_in // 2
        for name, a in (("mass", mass), (OBSERVABLE[self.task], observable)):
            if a.ndim not in (1, 2) or a.shape[-1] != n_star or a.shape != mass.shape:
                raise ValueError(f"{name} must have shape ({n_star},) or (n, {n_star}), as mass; got {a.shape} and mass {mass.shape}")
        (m_lo, m_hi), (o_lo, o_hi) = self.mass_range, self._limits()
        tests = [
            (~jnp.all(jnp.isfinite(mass) & jnp.isfinite(observable), axis=-1), Status.NOT_FINITE),
            (jnp.any((mass < m_lo) | (mass > m_hi), axis=-1), Status.MASS_OUTSIDE),
            (jnp.any((observable < o_lo) | (observable > o_hi), axis=-1), Status.OBSERVABLE_OUTSIDE),
        ]
        return jnp.select([wrong for wrong, _ in tests], [int(code) for _, code in tests], int(Status.OK))

    def _limits(self):
        """Range of the observable with its margin."""
        lo, hi = self.observable_range
        return lo * (lo / hi) ** MARGIN, hi * (hi / lo) ** MARGIN

    def _complaint(self, status, mass, observable):
        """What is wrong with one sample, with the first value at fault and the range allowed."""
        name = "mass" if status == Status.MASS_OUTSIDE or not np.all(np.isfinite(mass)) else OBSERVABLE[self.task]
        a = mass if name == "mass" else observable
        lo, hi = (float(v) for v in (self.mass_range if name == "mass" else self._limits()))
        i = int(np.flatnonzero(~((a >= lo) & (a <= hi)))[0])
        return f"{name}[{i}] = {a[i]:.6g}: {status.sentence}, [{lo:.5g}, {hi:.5g}]"


def paper_network(n_in=100, n_out=100, *, seed):
    """Keras network of the paper: ten hidden layers of 100 with ReLU, linear in and out."""
    from nslib.learn.training import dense

    return dense(n_in, (100,) * 10, n_out, activation="relu", seed=seed)


def fit(
    train, validation, task="M-R", *, seed, sort=True, log=False, standardise=True, target="E_sym", model=None,
    epochs=2000, batch_size=500, learning_rate=0.003, patience=200, mass_range=(1.0, 2.0), progress=False,
):  # fmt: skip
    """Train a network on a data set, by default the paper's with its settings: Adam, AMSGrad, mean squared error.

    Parameters
    ----------
    train, validation : :class:`nslib.datasets.Sequences`
    task : "M-R" or "M-Lambda"
    seed : int, of the weights and of the order of the batches
    sort, log : bool, as in :func:`inputs`
    standardise : bool, bring inputs and outputs to mean 0 and deviation 1; False: as they are
    target : "E_sym" or "parameters" (L and K_sym)
    model : keras.Model instead of :func:`paper_network`
    epochs, batch_size, learning_rate, patience, progress : as in :func:`nslib.learn.training.train`
    mass_range : (low, high), from which the masses were drawn [Msun]

    Returns
    -------
    (Estimator, History)

    Raises
    ------
    ValueError
        an unknown task or target, or training masses outside ``mass_range``
    """
    from sklearn.preprocessing import StandardScaler

    from nslib.learn.training import train as run

    for name, value, allowed in (("task", task, OBSERVABLE), ("target", target, TARGETS)):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    if not (mass_range[0] <= train.mass.min() and train.mass.max() <= mass_range[1]):
        raise ValueError(f"mass_range is {mass_range}, but training masses lie in [{train.mass.min():.5g}, {train.mass.max():.5g}] Msun")
    pairs = [arrays(data, task, sort, log, target) for data in (train, validation)]
    scale = [StandardScaler(with_mean=standardise, with_std=standardise).fit(a) for a in pairs[0]]
    scaled = [tuple(s.transform(a) for s, a in zip(scale, pair)) for pair in pairs]
    model = paper_network(pairs[0][0].shape[1], pairs[0][1].shape[1], seed=seed) if model is None else model
    history = run(
        model, *scaled[0], validation=scaled[1], epochs=epochs, batch_size=batch_size, seed=seed,
        learning_rate=learning_rate, patience=patience, progress=progress,
    )  # fmt: skip
    parts = [part for s in scale for part in ((s.mean_, s.scale_) if standardise else (0.0, 1.0))]
    observable = getattr(train, OBSERVABLE[task])
    ranges = jnp.array(mass_range), jnp.array([observable.min(), observable.max()])
    return Estimator(networks.from_keras(model, *parts), *ranges, task, sort, log, target), history


def arrays(data, task, sort=True, log=False, target="E_sym"):
    """Inputs and outputs of a data set as NumPy arrays."""
    x = np.asarray(inputs(data.mass, getattr(data, OBSERVABLE[task]), sort, log))
    return x, data.E_sym if target == "E_sym" else np.stack([data.L, data.K_sym], axis=1)


def save(estimator, *, folder=networks.WEIGHTS, **card):
    """Write an estimator under the name ``symmetry_energy_<task>``; card and path as in :func:`nslib.learn.network.save`."""
    own = {name: getattr(estimator, name) for name in ("task", "sort", "log", "target")}
    own |= {name: np.asarray(getattr(estimator, name)).tolist() for name in ("mass_range", "observable_range")}
    return networks.save(estimator.network, f"symmetry_energy_{estimator.task}", folder=folder, estimator=own, **card)


def load(task="M-R", *, folder=networks.WEIGHTS):
    """Trained estimator that ships with nslib: ``load("M-R")(mass, radius)``, ``load("M-Lambda")(mass, Lambda)``.

    Raises
    ------
    ValueError
        an unknown task, or files that are damaged
    """
    if task not in OBSERVABLE:
        raise ValueError(f"task must be one of {', '.join(OBSERVABLE)}; got {task!r}")
    network = networks.load(f"symmetry_energy_{task}", folder=folder)
    own = network.card.get("estimator", {})
    if set(own) != {"task", "sort", "log", "target", "mass_range", "observable_range"}:
        raise ValueError(f"symmetry_energy_{task}.json lacks the entry 'estimator' that says what the inputs are")
    n_out = network.y_mean.shape[0]
    fits = own["task"] == task and (own["target"], n_out) in (("E_sym", len(DENSITIES)), ("parameters", 2))
    if not fits or not all(isinstance(own[name], bool) for name in ("sort", "log")):
        raise ValueError(f"symmetry_energy_{task}.json does not describe a network for {task} with {n_out} outputs: {own}")
    ranges = {name: jnp.asarray(own.pop(name)) for name in ("mass_range", "observable_range")}
    return Estimator(network, **ranges, **own)


class Errors(NamedTuple):
    """Absolute errors over a test set at each of ``DENSITIES`` [MeV], the last at 5 rho_0.

    mae : mean; std : standard deviation; se : standard error of the mean, std / sqrt(n). Each (100,).
    """

    mae: np.ndarray
    std: np.ndarray
    se: np.ndarray


def errors(predicted, true):
    """:class:`Errors` of E_sym, both (n, 100) [MeV]; ValueError for a value that is not finite."""
    e = np.abs(np.asarray(predicted) - np.asarray(true))
    if not np.all(np.isfinite(e)):
        raise ValueError(f"{int(np.sum(~np.isfinite(e).all(axis=-1)))} of {len(e)} predictions are not finite")
    return Errors(e.mean(axis=0), e.std(axis=0, ddof=1), e.std(axis=0, ddof=1) / np.sqrt(len(e)))
