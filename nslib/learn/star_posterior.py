"""Posterior of the metamodel from any number of noisy stars by a network, and the median alone by a simpler one.

A set encoder that ignores the order of the stars but can count them, behind it a spline coupling flow of BayesFlow in
coordinates in which the prior is a unit normal distribution. What it learns is :mod:`nslib.learn.star_exact`.
"""

import io
import json
import logging
import os
import warnings
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri

from nslib.chunks import checksum
from nslib.datasets import DENSITIES, PARAMETERS
from nslib.learn.mass_prediction import whole
from nslib.learn.network import WEIGHTS, write
from nslib.learn.star_exact import OBSERVABLES, Region, Stars, density, observe
from nslib.matter import metamodel

#: numbers of stars to which sets are filled up, so that few shapes are compiled
PADDED = (5, 10, 20, 50)
#: numbers that a network reads of a star, and that it keeps of a set
_N_FEATURES, _N_SUMMARY = 8, 32
#: ranks of the knots of a marginal of the prior, and least distance of a rank from 0 and 1
_RANKS, _EDGE = np.linspace(0.0, 1.0, 129), 2e-4
#: most sets, and draws, that go through the flow at once
_SETS, _DRAWS = 64, 100_000


class Status(IntEnum):
    """What is to be said of one set of stars."""

    OK = 0
    NO_STAR = 1
    NOT_FINITE = 2
    TOO_MANY = 3
    ERROR_OUTSIDE = 4
    MASS_OUTSIDE = 5
    OBSERVABLE_OUTSIDE = 6

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.OK: "inside the trained population",
            Status.NO_STAR: "no star; without one the posterior is the prior",
            Status.NOT_FINITE: "a value is not finite, or a star lacks some of its four numbers",
            Status.TOO_MANY: "more stars than the network was trained for",
            Status.ERROR_OUTSIDE: "a standard deviation lies outside the trained range",
            Status.MASS_OUTSIDE: "a mass is further than 5 standard deviations from any star of the prior",
            Status.OBSERVABLE_OUTSIDE: "a radius or deformability is further than 5 standard deviations from any star of the prior",
        }[self]


@dataclass(frozen=True)
class Population:
    """What a network is trained on: sets of n stars up to n_max, errors log-uniform in their ranges.

    In half of the sets all stars have the same errors. M_low, M_high, x_low, x_high: range of the true masses, and of R or
    ln Lambda, of the prior.
    """

    observable: str
    n_max: int
    sigma_M: tuple
    sigma: tuple
    M_low: float
    M_high: float
    x_low: float
    x_high: float

    def __post_init__(self):
        if self.observable not in OBSERVABLES:
            raise ValueError(f"observable must be one of {', '.join(OBSERVABLES)}; got {self.observable!r}")
        whole(n_max=self.n_max)
        if self.n_max > PADDED[-1]:
            raise ValueError(f"n_max must lie in [1, {PADDED[-1]}], got {self.n_max}")
        for name in ("sigma_M", "sigma"):
            value = np.asarray(getattr(self, name), dtype=float)
            if value.shape != (2,) or not 0 < value[0] < value[1] < np.inf:
                raise ValueError(f"{name} must be two numbers, 0 < low < high; got {getattr(self, name)}")
            object.__setattr__(self, name, tuple(value.tolist()))
        for name in ("M", "x"):
            ends = [float(getattr(self, f"{name}_{end}")) for end in ("low", "high")]
            if not -np.inf < ends[0] < ends[1] < np.inf:
                raise ValueError(f"{name}_low < {name}_high must be finite, got {ends[0]} and {ends[1]}")
            for end, value in zip(("low", "high"), ends):
                object.__setattr__(self, f"{name}_{end}", value)

    def draw(self, members, n_star, rng):
        """Stars on each of ``members``, errors as in training."""
        size = (len(members), n_star)
        same = rng.uniform(size=(len(members), 1)) < 0.5
        errors = []
        for low, high in (self.sigma_M, self.sigma):
            u = np.where(same, rng.uniform(size=(len(members), 1)), rng.uniform(size=size))
            errors.append(low * (high / low) ** u)
        return observe(members, n_star, *errors, rng=rng, observable=self.observable)

    def status(self, stars):
        """:class:`Status` of each set, (n_set,) ints."""
        M, x, sigma_M, sigma = (np.asarray(a, dtype=float) for a in stars)
        there = ~np.isnan(stars).all(axis=0)
        n = there.sum(axis=1)
        finite = np.isfinite(stars).all(axis=0)
        with np.errstate(invalid="ignore"):
            outside = [~((a >= low * (1 - 1e-9)) & (a <= high * (1 + 1e-9))) for a, (low, high) in ((sigma_M, self.sigma_M), (sigma, self.sigma))]
            far = [~((a >= low - 5 * e) & (a <= high + 5 * e)) for a, e, low, high in ((M, sigma_M, self.M_low, self.M_high), (x, sigma, self.x_low, self.x_high))]
        some = lambda bad: np.any(bad & there, axis=1)  # noqa: E731
        tests = [
            (n == 0, Status.NO_STAR), (some(~finite), Status.NOT_FINITE), (n > self.n_max, Status.TOO_MANY),
            (some(outside[0] | outside[1]), Status.ERROR_OUTSIDE), (some(far[0]), Status.MASS_OUTSIDE), (some(far[1]), Status.OBSERVABLE_OUTSIDE),
        ]  # fmt: skip
        return np.select([wrong for wrong, _ in tests], [int(code) for _, code in tests], int(Status.OK))

    def features(self, stars):
        """(n_set, n_padded, 8) float32 numbers that a network reads of a set; the last says whether there is a star."""
        M, x, sigma_M, sigma = (np.asarray(a, dtype=float) for a in stars)
        there = np.isfinite(M)
        middle, width = (self.x_low + self.x_high) / 2, (self.x_high - self.x_low) / 4
        columns = [
            (M - 1.5) / 0.3, (x - middle) / width, np.log(sigma / self.sigma[0]), np.log(sigma_M / self.sigma_M[0]),
            self.sigma[0] / sigma, self.sigma_M[0] / sigma_M, (self.sigma[0] / sigma) ** 2, np.ones_like(M),
        ]  # fmt: skip
        out = np.zeros((len(M), next(s for s in PADDED if s >= M.shape[1]), len(columns)), dtype="float32")
        out[:, : M.shape[1]] = np.where(there[..., None], np.stack(columns, axis=-1), 0.0)
        return out


# ---- prior ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prior:
    """Coordinates z in which a prior is a unit normal distribution in each of them: ranks, as normal quantiles.

    Attributes
    ----------
    names : tuple of the parameters that vary, of ``nslib.datasets.PARAMETERS``
    knots : (k, 129) array, quantiles of each at equal steps of rank [MeV]; between them the density is constant
    region : Region of L and K_sym or None; with one, the second coordinate is the rank of K_sym between the region's edges, so
        that the two are independent and no z lies outside
    """

    names: tuple
    knots: np.ndarray
    region: Region | None = None

    @classmethod
    def of(cls, members, names=PARAMETERS):
        """Prior of the members of a data set, parameter by parameter: what ties them is left to the network."""
        if len(set(names)) < len(names) or set(names) - set(PARAMETERS) or not {"L", "K_sym"} <= set(names):
            raise ValueError(f"names must be different ones of {', '.join(PARAMETERS)}, L and K_sym among them; got {tuple(names)}")
        if constant := [name for name in names if np.ptp(getattr(members, name)) == 0]:
            raise ValueError(f"{', '.join(constant)} is the same for all members, so it has no prior")
        return cls(tuple(names), np.quantile([getattr(members, name) for name in names], _RANKS, axis=1).T)

    @classmethod
    def uniform(cls, region):
        """Prior that is uniform in a region of L and K_sym."""
        L = np.linspace(region.L[0], region.L[-1], 4097)
        height = region.K_high - region.edge(L)
        area = np.append(0.0, np.cumsum(height[1:] + height[:-1]))
        return cls(("L", "K_sym"), np.stack([np.interp(_RANKS, area / area[-1], L), _RANKS]), region)

    def to_normal(self, theta):
        """z (..., k) of parameters (..., k) [MeV]; ranks are kept 2e-4 from 0 and 1. See :meth:`holds` for those outside."""
        place = self._places(theta)
        u = np.stack([np.interp(p, k, _RANKS) for p, k in zip(np.moveaxis(place, -1, 0), self.knots)], axis=-1)
        return ndtri(np.clip(u, _EDGE, 1 - _EDGE))

    def holds(self, theta):
        """Whether parameters (..., k) lie inside of the prior's ranges, and of its region, (...) bools."""
        place = self._places(theta)
        return np.all((place >= self.knots[:, 0] - 1e-9) & (place <= self.knots[:, -1] + 1e-9), axis=-1)

    def _places(self, theta):
        """Parameters with K_sym, where there is a region, as its place between the edges."""
        place = np.array(theta, dtype=float)
        if place.ndim < 1 or place.shape[-1] != len(self.names) or not np.all(np.isfinite(place)):
            raise ValueError(f"parameters must be finite, with {', '.join(self.names)} along the last axis; got shape {place.shape}")
        if self.region:
            low = self.region.edge(place[..., 0])
            place[..., 1] = (place[..., 1] - low) / (self.region.K_high - low)
        return place

    def from_normal(self, z):
        """Parameters (..., k) [MeV] of z (..., k)."""
        theta = np.stack([np.interp(ndtr(a), _RANKS, k) for a, k in zip(np.moveaxis(np.asarray(z, dtype=float), -1, 0), self.knots)], axis=-1)
        if self.region:
            low = self.region.edge(theta[..., 0])
            theta[..., 1] = low + (self.region.K_high - low) * theta[..., 1]
        return theta

    def log_slope(self, z):
        """Logarithm of the determinant of dz / dtheta (...) at z (..., k) [ln 1/MeV^k]."""
        z = np.asarray(z, dtype=float)
        total = np.zeros(z.shape[:-1])
        for a, k in zip(np.moveaxis(z, -1, 0), self.knots):
            cell = np.clip(np.searchsorted(_RANKS, ndtr(a), side="right") - 1, 0, len(_RANKS) - 2)
            total += np.log(_RANKS[1] / np.diff(k)[cell]) + 0.5 * (a**2 + np.log(2 * np.pi))
        if self.region:
            total -= np.log(self.region.K_high - self.region.edge(self.from_normal(z)[..., 0]))
        return total


# ---- networks ------------------------------------------------------------------------------------------------


@cache
def _models():
    """The two Keras models, defined when Keras is first needed: of the posterior, and of the median."""
    import keras
    from keras import ops

    class Sets(keras.Model):
        """Encoder of sets: a dense network for each star, sums over the stars there are, a dense network of those."""

        def __init__(self, phi, rho, head):
            super().__init__()
            self.phi, self.rho, self.head = phi, rho, head

        def summary(self, x):
            there = x[..., -1:]
            h = ops.sum(self.phi(x) * there, axis=1)
            n = ops.maximum(ops.sum(there, axis=1), 1.0)
            return self.rho(ops.concatenate([h / ops.sqrt(n), h / n, h / 25.0, ops.log(n)], axis=-1))

    class Flow(Sets):
        """ln q(z | stars); minus its mean is the loss."""

        def call(self, inputs):
            x, z = inputs
            return self.head(z, conditions=self.summary(x), density=True)[1][:, None]

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return -ops.mean(y_pred)

    class Median(Sets):
        """Standardised symmetry energies; the mean absolute error makes them medians."""

        def call(self, x):
            return self.head(self.summary(x))

    return Flow, Median


def _coupling_flow():
    """BayesFlow's class, imported without its changes to logging and with the backend that Keras has."""
    import keras

    os.environ.setdefault("KERAS_BACKEND", keras.backend.backend())
    root, disabled = logging.getLogger(), logging.root.manager.disable
    handlers, level = root.handlers[:], root.level
    logging.disable(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its progress bars
            from bayesflow.networks import CouplingFlow
    except ModuleNotFoundError as missing:
        raise ImportError('posteriors need BayesFlow: pip install -e ".[posteriors]" in a clone') from missing
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.disable(disabled)
    return CouplingFlow


def _build(kind, n_out, seed):
    """Keras model of a kind, "posterior" or "median", for n_out parameters or densities, its weights drawn from the seed."""
    import keras

    def mlp(widths, last=None):
        return keras.Sequential([*(keras.layers.Dense(n, activation="silu") for n in widths), *([keras.layers.Dense(last)] if last else [])])

    phi, rho = mlp((96, 96, 96)), mlp((128, 128), _N_SUMMARY)
    Flow, Median = _models()
    if kind == "posterior":
        spline = {"bins": 12, "min_bin_width": 0.02, "min_bin_height": 0.02}
        turn = "swap" if n_out == 2 else "orthogonal"
        head = _coupling_flow()(
            depth=3 if n_out == 2 else 4, transform="spline", permutation=turn, subnet_kwargs={"widths": (128, 128), "dropout": 0.0},
            transform_kwargs=spline,
        )  # fmt: skip
        head.build((None, n_out), (None, _N_SUMMARY))
        model = Flow(phi, rho, head)
        model.n_parameters = n_out
        model((np.ones((2, 4, _N_FEATURES), "float32"), np.zeros((2, n_out), "float32")))
        for layer in head._flatten_layers():
            if hasattr(layer, "transform") and hasattr(layer.transform, "_shift"):
                layer.transform._shift = float(layer.transform._shift)  # a NumPy float64 would make all behind it float64
    else:
        model = Median(phi, rho, mlp((128,), n_out))
        model(np.ones((2, 4, _N_FEATURES), "float32"))
    rng = np.random.default_rng(seed)
    for w in model.trainable_weights:
        if len(w.shape) == 2 and np.any(np.asarray(w)):
            square = rng.normal(size=w.shape)
            w.assign(np.linalg.qr(square)[0] if w.shape == (n_out, n_out) else square * np.sqrt(2 / w.shape[0]))
    return model


@dataclass(frozen=True)
class Estimator:
    """What the two kinds of networks share; see :class:`StarPosterior` and :class:`StarMedian`.

    model : Keras model
    population : Population
    card : dict, the model card
    """

    model: object
    population: Population
    card: dict = field(default_factory=dict)

    def stars(self, mass, x, sigma_M, sigma):
        """:class:`~nslib.learn.star_exact.Stars` from one set (n_star,) or a batch (n_set, n_star); errors may be single numbers."""
        mass, x = np.asarray(mass, dtype=float), np.asarray(x, dtype=float)
        if mass.shape != x.shape or mass.ndim not in (1, 2):
            raise ValueError(f"mass and {self.population.observable} must have one shape, (n_star,) or (n_set, n_star); got {mass.shape} and {x.shape}")
        there = ~(np.isnan(mass) & np.isnan(x))
        errors = []
        for name, value in (("sigma_M", sigma_M), ("sigma", sigma)):
            value = np.asarray(value, dtype=float)
            if value.ndim and value.shape != mass.shape:
                raise ValueError(f"{name} must be one number or have the shape of mass, {mass.shape}; got {value.shape}")
            errors.append(np.where(there, value, np.nan))
        return Stars(*(np.atleast_2d(a) for a in (mass, x, *errors)))

    def status(self, stars):
        """:class:`Status` of each set, (n_set,) ints."""
        return self.population.status(stars)

    def _features(self, stars, single):
        """Which sets are inside the trained population, and the features of all; ValueError for a single one that is not."""
        status = self.population.status(stars)
        if single and status[0]:
            raise ValueError(self._complaint(Status(int(status[0])), *(np.asarray(a)[0] for a in stars)))
        ok = status == int(Status.OK)
        columns = np.where(ok[:, None], stars, np.nan)
        order = np.argsort(np.isnan(columns[0]), axis=1, kind="stable")[:, : self.population.n_max]  # stars first
        columns = np.take_along_axis(columns, order[None], axis=2)
        some = max(1, int(np.isfinite(columns[0]).sum(axis=1).max(initial=1)))
        return ok, self.population.features(Stars(*columns[:, :, :some]))

    def _complaint(self, status, M, x, sigma_M, sigma):
        """What is wrong with a single set, with the values at fault and the range allowed."""
        p = self.population
        detail = {
            Status.TOO_MANY: f": {int(np.isfinite(M).sum())}, at most {p.n_max}",
            Status.ERROR_OUTSIDE: f": sigma_M {sigma_M} in {list(p.sigma_M)} Msun, sigma {sigma} of {p.observable} in {list(p.sigma)}",
            Status.MASS_OUTSIDE: f", [{p.M_low:.4g}, {p.M_high:.4g}] Msun: {M} with sigma_M {sigma_M}",
            Status.OBSERVABLE_OUTSIDE: f", [{p.x_low:.4g}, {p.x_high:.4g}]: {x} with sigma {sigma}",
        }.get(status, "")
        return f"stars: {status.sentence}{detail}"


@dataclass(frozen=True)
class Draws:
    """Draws of a posterior; those of one parameter also by its name, ``draws.L``.

    names : tuple of the k parameters
    values : (n, k) or (n_set, n, k) array [MeV]
    """

    names: tuple
    values: np.ndarray

    def __getattr__(self, name):
        if name in self.__dict__.get("names", ()):
            return self.values[..., self.names.index(name)]
        raise AttributeError(name)

    def E_sym(self, n):
        """Symmetry energy (n,) or (n_set, n) at the density n [fm^-3], what does not vary at the metamodel's defaults [MeV]."""
        own = {name: getattr(self, name) for name in self.names if name != "J_0"}
        return np.asarray(metamodel.symmetry_energy(density(n), metamodel.Metamodel(**own)))


@dataclass(frozen=True)
class StarPosterior(Estimator):
    """Amortised posterior; called with stars it returns draws.

    prior : Prior
    """

    prior: Prior | None = None

    def __call__(self, mass, x, sigma_M, sigma, *, n=2000, seed=0):
        """Draws of the posterior.

        Parameters
        ----------
        mass, x : (n_star,) or (n_set, n_star) arrays, observed mass [Msun], and R [km] or ln Lambda [1]; a set of a batch may have
            fewer stars than the others, NaN for those that it lacks
        sigma_M, sigma : floats or arrays like mass, standard deviations
        n : int, draws of each set
        seed : int

        Returns
        -------
        Draws, of shape (n, k) or (n_set, n, k). In a batch, NaN for a set outside the trained population; :meth:`status` says why.

        Raises
        ------
        ValueError
            shapes that do not fit; a single set outside the trained population, see :class:`Status`
        """
        whole(n=n)
        whole(0, seed=seed)
        stars = self.stars(mass, x, sigma_M, sigma)
        ok, features = self._features(stars, np.ndim(mass) == 1)
        theta = np.full((len(ok), n, len(self.prior.names)), np.nan)
        rng = np.random.default_rng(seed)
        block = 1 if len(ok) == 1 else max(1, min(_SETS, _DRAWS // n))
        for start in range(0, len(ok), block):
            rows = slice(start, start + block)
            z = rng.normal(size=theta[rows].shape).astype("float32")
            k = np.arange(block) % len(z)  # a last block is filled up, so that one shape is compiled
            theta[rows] = self.prior.from_normal(np.asarray(_compiled(self.model, True)(features[rows][k], z[k]))[: len(z)])
        theta[~ok] = np.nan
        return Draws(self.prior.names, theta[0] if np.ndim(mass) == 1 else theta)

    def log_prob(self, theta, mass, x, sigma_M, sigma):
        """ln of the posterior density of one set.

        Parameters
        ----------
        theta : (n, k) array, parameters in the order of ``prior.names`` [MeV]
        mass, x, sigma_M, sigma : as for a call, one set (n_star,)

        Returns
        -------
        (n,) array [ln 1/MeV^k], -inf outside of the prior's ranges

        Raises
        ------
        ValueError
            more than one set, or one outside the trained population; parameters of another shape or not finite
        """
        stars, theta = self.stars(mass, x, sigma_M, sigma), np.asarray(theta, dtype=float)
        if np.ndim(mass) != 1 or theta.ndim != 2 or not len(theta):
            raise ValueError(f"mass must have shape (n_star,) and theta (n, {len(self.prior.names)}), n >= 1; got {np.shape(mass)} and {theta.shape}")
        _, features = self._features(stars, True)
        z = self.prior.to_normal(theta)
        log_q = np.asarray(_compiled(self.model, False)(features, z[None].astype("float32")))[0]
        return np.where(self.prior.holds(theta), log_q + self.prior.log_slope(z), -np.inf)


def _compiled(model, inverse):
    """Compiled function of features (n_set, n_padded, 8) and z (n_set, n, k): of the unit normal to draws in the prior's
    coordinates (n_set, n, k), or of those to ln q (n_set, n). It is kept with the model."""
    made = model.__dict__.setdefault("_nslib_compiled", {})
    if inverse not in made:
        import keras
        from keras import ops

        def run(x, z):
            shape = ops.shape(z)
            s = ops.repeat(model.summary(x), shape[1], axis=0)
            flat = ops.reshape(z, (-1, z.shape[-1]))
            if inverse:
                return ops.reshape(model.head(flat, conditions=s, inverse=True), shape)
            return ops.reshape(model.head(flat, conditions=s, density=True)[1], shape[:2])

        if keras.backend.backend() == "jax":
            import jax

            made[inverse] = jax.jit(run)
        else:
            import tensorflow as tf

            k = model.n_parameters
            made[inverse] = tf.function(run, input_signature=[tf.TensorSpec((None, None, _N_FEATURES), "float32"), tf.TensorSpec((None, None, k), "float32")])
    return made[inverse]


@dataclass(frozen=True)
class StarMedian(Estimator):
    """Network that returns the median of the symmetry energy given noisy stars, trained with fresh noise in each batch.

    mean, scale : (100,) arrays of the symmetry energies at ``nslib.datasets.DENSITIES`` in training [MeV]
    """

    mean: np.ndarray | None = None
    scale: np.ndarray | None = None

    def __call__(self, mass, x, sigma_M, sigma):
        """Median of E_sym at ``DENSITIES`` [MeV], (100,) or (n_set, 100); arguments and errors as of :class:`StarPosterior`."""
        ok, features = self._features(self.stars(mass, x, sigma_M, sigma), np.ndim(mass) == 1)
        y = np.concatenate([np.zeros((0, len(self.mean))), *(np.asarray(self.model(features[i : i + 4096])) for i in range(0, len(ok), 4096))])
        E = np.where(ok[:, None], self.mean + self.scale * y, np.nan)
        return E[0] if np.ndim(mass) == 1 else E


# ---- training ------------------------------------------------------------------------------------------------


def fit(
    kind, train, validation, *, population, prior=None, seed, epochs=24, steps=600, batch_size=512, learning_rate=1.5e-3, progress=False,
):  # fmt: skip
    """Train a network on curves; stars and their noise are drawn afresh for each batch.

    Parameters
    ----------
    kind : "posterior" or "median"
    train, validation : :class:`nslib.datasets.Curves`
    population : Population
    prior : Prior, for the posterior
    seed : int, of weights, stars and noise
    epochs, steps, batch_size : int
    learning_rate : float, the largest; it rises for 500 steps, at most a tenth of all, and falls as a cosine
    progress : bool, show a bar

    Returns
    -------
    (StarPosterior or StarMedian, History)

    Raises
    ------
    ValueError
        an unknown kind, or one that does not go with the prior; a number out of range; no member to learn from or to validate on
    """
    from nslib.learn.training import train_on_stream

    if kind not in ("posterior", "median") or (kind == "posterior") == (prior is None):
        raise ValueError(f"kind must be 'posterior', with a prior, or 'median', without one; got {kind!r} and {prior!r}")
    whole(0, seed=seed)
    whole(epochs=epochs, steps=steps, batch_size=batch_size, **{"len(train)": len(train), "len(validation)": len(validation)})
    if not 0 < learning_rate < np.inf:
        raise ValueError(f"learning_rate must be finite and above 0, got {learning_rate!r}")
    if kind == "posterior":
        made = StarPosterior(_build(kind, len(prior.names), seed), population, {}, prior)
        targets = [prior.to_normal(np.stack([getattr(c, name) for name in prior.names], axis=1)).astype("float32") for c in (train, validation)]
    else:
        E = [np.asarray(metamodel.symmetry_energy(DENSITIES, metamodel.Metamodel(c.L[:, None], c.K_sym[:, None], c.J_sym[:, None]))) for c in (train, validation)]
        mean, scale = E[0].mean(axis=0), np.maximum(E[0].std(axis=0), 1e-3 * E[0].std(axis=0).max())
        made = StarMedian(_build(kind, len(DENSITIES), seed), population, {}, mean, scale)
        targets = [((e - mean) / scale).astype("float32") for e in E]

    def batch(members, target, rows, padded, rng):
        low = max((p for p in PADDED if p < padded), default=0)
        n = np.exp(rng.uniform(np.log(low + 0.5), np.log(min(padded, population.n_max) + 0.5), len(rows))).round()
        stars = population.draw(members[rows], min(padded, population.n_max), rng)
        some = np.arange(stars.mass.shape[1]) < n[:, None]
        x = population.features(Stars(*np.where(some, stars, np.nan)))
        if kind == "posterior":
            return (x, target[rows]), np.zeros((len(rows), 1), "float32")
        # a factor that depends on the stars alone leaves the median what it is; this one lets sets that tell much count as much
        weight = np.sqrt(1 + np.where(some, (population.sigma[1] / stars.sigma) ** 2, 0.0).sum(axis=1))
        return x, target[rows], (weight / weight.mean()).astype("float32")

    sizes = [p for i, p in enumerate(PADDED) if i == 0 or PADDED[i - 1] < population.n_max]

    def stream(epoch, step):
        rng = np.random.default_rng([seed, epoch, step])
        return batch(train, targets[0], rng.integers(len(train), size=batch_size), rng.choice(sizes), rng)

    rng = np.random.default_rng([seed, epochs, 0])
    held_out = [batch(validation, targets[1], np.arange(len(validation)), p, rng) for p in sizes]
    history = train_on_stream(
        made.model, stream, held_out, epochs=epochs, steps=steps, learning_rate=learning_rate,
        loss=None if kind == "posterior" else "mean_absolute_error", progress=progress,
    )  # fmt: skip
    return made, history


# ---- on disk -------------------------------------------------------------------------------------------------


def save(estimator, name, *, folder=WEIGHTS, **card):
    """Write ``name.npz``, weights in float32 with all that is needed to build the network again, and return its path.

    Parameters
    ----------
    estimator : StarPosterior or StarMedian
    name : str
    folder : path
    **card : what was learnt from, licence, and anything else that JSON can hold

    Raises
    ------
    ValueError
        weights that are not finite, a name that is no name of a file or does not begin with ``stars_``
    """
    arrays = {f"w{k}": np.asarray(w) for k, w in enumerate(estimator.model.get_weights())}
    rest = {"population": asdict(estimator.population), "card": card | {"bayesflow": version("bayesflow"), "keras": version("keras"), "nslib": version("nslib")}}
    if isinstance(estimator, StarPosterior):
        arrays["knots"] = estimator.prior.knots
        region = estimator.prior.region
        rest["prior"] = {"names": list(estimator.prior.names), "K_high": region and region.K_high}
        if region:
            arrays |= {"region_L": region.L, "region_K_low": region.K_low}
    else:
        arrays |= {"mean": estimator.mean, "scale": estimator.scale}
    if wrong := [key for key, a in arrays.items() if not np.all(np.isfinite(a))]:
        raise ValueError(f"{', '.join(wrong)} of {name!r} are not finite")
    if not isinstance(name, str) or not name.startswith("stars_") or Path(name).name != name:
        raise ValueError(f"name must be the name of a file that begins with 'stars_', got {name!r}")
    arrays["rest"] = np.array(json.dumps(rest, allow_nan=False))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, sha256=checksum(arrays))
    path = Path(folder) / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, buffer.getvalue())
    return path


def names(folder=WEIGHTS):
    """Names of the networks in a folder, sorted."""
    return sorted(path.stem for path in Path(folder).glob("stars_*.npz"))


def load(name="stars_posterior", *, folder=WEIGHTS):
    """Network that ships with nslib: ``load("stars_posterior")(mass, R, sigma_M, sigma_R)``; needs BayesFlow for posteriors.

    Raises
    ------
    ValueError
        an unknown name, or a file that is truncated or altered
    ImportError
        a posterior, where BayesFlow is not installed
    """
    if name not in names(folder):
        raise ValueError(f"name is {name!r}; there are: {', '.join(names(folder)) or 'none'}")
    path = Path(folder) / f"{name}.npz"
    try:
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files}
        found = str(arrays.pop("sha256"))
    except Exception as error:  # a damaged file can make the decoders raise anything
        raise ValueError(f"{path.name} is truncated or altered: {error!r}") from error
    if found != checksum(arrays):
        raise ValueError(f"{path.name} is truncated or altered: its content does not have its SHA-256, {found[:12]}...")
    rest = json.loads(str(arrays["rest"]))
    population = Population(**rest["population"])
    weights = [arrays[f"w{k}"] for k in range(sum(key[0] == "w" and key[1:].isdigit() for key in arrays))]
    if "prior" in rest:
        own = rest["prior"]
        region = Region(arrays["region_L"], arrays["region_K_low"], own["K_high"]) if own["K_high"] is not None else None
        prior = Prior(tuple(own["names"]), arrays["knots"], region)
        model = _build("posterior", len(prior.names), 0)
        made = StarPosterior(model, population, rest["card"], prior)
    else:
        model = _build("median", len(DENSITIES), 0)
        made = StarMedian(model, population, rest["card"], arrays["mean"], arrays["scale"])
    model.set_weights(weights)
    return made
