r"""A Bayesian network of mass residuals: a mixture of chains, each started from a fit of its own.

.. math:: f(x) = a + \sum_j b_j \tanh\!\left(c_j + \sum_i d_{ij} x_i\right)

R. Utama, J. Piekarewicz and H. B. Prosper, Phys. Rev. C 93 (2016) 014311, equation 14, with 40 hidden nodes. Weights
of one kind have a normal prior of mean zero whose precision has a gamma prior; here the noise is inferred as well.
The posterior has very many modes and no chain visits them all. So several chains start from different fits, and what
is predicted is their mixture; :meth:`MassNetwork.diagnostics` says how far they disagree.

NumPyro and blackjax are optional: they are needed to fit, not to predict.
"""

import io
import json
import time
import zlib
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import jax
import jax.numpy as jnp
import numpy as np

from nslib.learn import mass_prediction
from nslib.learn.mass_prediction import Prediction
from nslib.learn.network import WEIGHTS, write

NOISES = ("normal", "student", "smooth")
SAMPLERS = ("mclmc", "nuts")
STARTS = ("fit", "prior")
#: the precision of a kind of weights has a gamma prior of shape 1 and rate width^2, with inputs and residuals scaled
WIDTHS = {"a": 1.0, "b": 1.0, "c": 3.0, "d": 3.0, "noise": 0.1}
#: steps and greatest learning rate of Adam for the fit from which a chain starts
FIT_STEPS, FIT_RATE = 4000, 0.03
#: fits of which a chain starts from the best
FITS = 3
#: length over which a microcanonical chain forgets its direction, in autocorrelation lengths. Blackjax takes 0.4;
#: chains that never forget their mode find more probable weights in the same time with 2 or 10
LENGTH = 2.0


class Diagnostics(NamedTuple):
    """How far chains agree on the predicted residuals of n nuclei.

    r_hat : (n,) array, split Gelman-Rubin statistic of f, 1 if chains agree
    ess : (n,) array, effective number of independent samples of f in all chains
    """

    r_hat: np.ndarray
    ess: np.ndarray


@dataclass(frozen=True)
class MassNetwork:
    """Samples of the posterior of a network; :func:`fit` makes it.

    Attributes
    ----------
    weights : dict of arrays (chain, sample, ...): a (), b (H,), c (H,), d (I, H), log_sigma (3,) and nu () of the
        noise, all for scaled inputs and residuals
    x_mean, x_scale : (I,) arrays, scale of the inputs
    y_scale : float, scale of the residuals [MeV]
    inputs, noise : str, as given to :func:`fit`
    log_posterior : (chain, sample) array, not normalised
    seconds : float, what the fit took
    card : dict, what is known of a network from a file: see :func:`save`
    """

    weights: dict = field(repr=False)
    x_mean: np.ndarray
    x_scale: np.ndarray
    y_scale: float
    inputs: str
    noise: str
    log_posterior: np.ndarray = field(repr=False)
    seconds: float
    card: dict = field(default_factory=dict, repr=False)

    def predict(self, Z, N):
        """Prediction of the residuals of nuclei Z, N (n,) arrays, with one component a sample.

        Every nucleus is answered. One far from those learnt from is an extrapolation, of which only the standard
        deviation tells.

        Raises
        ------
        ValueError
            Z or N negative or not whole, of different lengths, or none
        """
        Z, N = mass_prediction.nuclei(Z, N)
        f = self.y_scale * self._f(Z, N).reshape(-1, len(Z))
        w = {k: self.weights[k].reshape(len(f), -1).astype(float) for k in ("log_sigma", "nu")}
        sigma = self.y_scale * np.exp(w["log_sigma"] @ _trend(Z, N).T)
        return Prediction(f, sigma, None if self.noise == "normal" else w["nu"])

    def diagnostics(self, Z, N):
        """Diagnostics of f at the nuclei Z, N (n,) arrays; needs NumPyro.

        Weights may be permuted without any change of f, so that only f can tell whether chains agree.
        """
        numpyro, n = _optional("numpyro"), self.log_posterior.shape[1]
        if n < 4:
            raise ValueError(f"diagnostics need at least 4 samples a chain, this network has {n}")
        f = self._f(*mass_prediction.nuclei(Z, N)).astype(float)
        r_hat, ess = numpyro.diagnostics.split_gelman_rubin, numpyro.diagnostics.effective_sample_size
        return Diagnostics(np.asarray(r_hat(f)), np.asarray(ess(f)))

    def chain(self, k):
        """The network of chain k alone, counted from 0; ValueError for another k."""
        n = len(self.log_posterior)
        if not -n <= k < n:
            raise ValueError(f"k must lie in [0, {n - 1}], got {k}")
        k = range(n)[k]
        weights = {name: w[k : k + 1] for name, w in self.weights.items()}
        return replace(self, weights=weights, log_posterior=self.log_posterior[k : k + 1])

    def _f(self, Z, N):
        """Scaled f (chain, sample, n) in float32."""
        x = ((mass_prediction.inputs(self.inputs, Z, N) - self.x_mean) / self.x_scale).astype("float32")
        shape = self.weights["a"].shape
        a, b, c, d = (self.weights[k].reshape(-1, *self.weights[k].shape[2:]) for k in "abcd")
        f = [network(x, a[s], b[s], c[s], d[s], np) for s in range(len(a))]
        return np.reshape(f, (*shape, len(x)))


def network(x, a, b, c, d, xp=jnp):
    """f (n,) of scaled inputs x (n, I) with weights a (), b (H,), c (H,), d (I, H); ``xp`` is jax.numpy or numpy."""
    return a + xp.tanh(c + x @ d) @ b


def _trend(Z, N):
    """What the logarithm of a smooth noise depends on (n, 3): a constant, the size and the distance from stability.

    The line of stability is (N - Z)/A = 0.4 A/(200 + A), A. E. S. Green.
    """
    A = Z + N
    away = np.abs((N - Z) / A - 0.4 * A / (200 + A))
    return np.stack([np.ones_like(A), np.cbrt(A) - 5, away / 0.05], axis=1)


def model(x, y, trend, noise="normal", hidden=40):
    """The NumPyro model: priors, network and noise.

    Parameters
    ----------
    x : (n, I) array, scaled inputs
    y : (n,) array, scaled residuals
    trend : (n, 3) array, what a smooth noise depends on
    noise, hidden : as in :func:`fit`
    """
    import numpyro
    from numpyro.distributions import Gamma, Normal, StudentT

    shapes = {"a": (), "b": (hidden,), "c": (hidden,), "d": (x.shape[1], hidden)}
    w, sd = {}, {}
    for name, width in WIDTHS.items():
        sd[name] = numpyro.sample(f"tau_{name}", Gamma(1.0, width**2)) ** -0.5
    for name, shape in shapes.items():
        w[name] = numpyro.sample(name, Normal(0.0, sd[name]).expand(shape).to_event(len(shape)))
    f, sigma = network(x, **w), sd["noise"]
    if noise == "smooth":
        slope = numpyro.sample("trend", Normal(0.0, 0.5).expand((2,)).to_event(1))
        sigma = sigma * jnp.exp(trend[:, 1:] @ slope)
    if noise == "normal":
        numpyro.sample("y", Normal(f, sigma), obs=y)
    else:
        numpyro.sample("y", StudentT(2 + numpyro.sample("nu", Gamma(2.0, 0.1)), f, sigma), obs=y)


def fit(
    Z, N, residual, *, seed, inputs="ZA", noise="normal", hidden=40, chains=8, sampler="mclmc", start="fit",
    warmup=10_000, draws=100, thin=300, progress=False,
):  # fmt: skip
    """Sample the posterior of the network from residuals of masses.

    Parameters
    ----------
    Z, N : (n,) arrays [1]
    residual : (n,) array, measured mass minus that of a model [MeV]
    seed : int
    inputs : "ZA": Z and A; "shell": also the parities and the distances from magic numbers
    noise : "normal", "student": Student t with inferred degrees of freedom above 2, or "smooth": the same with a
        width that depends on the size and on the distance from stability
    hidden : int, nodes
    chains : int
    sampler : "mclmc": microcanonical Langevin dynamics of blackjax; "nuts": the No-U-Turn Sampler of NumPyro
    start : "fit": each chain from a fit by Adam of its own; "prior": from random weights
    warmup : int, steps that tune the sampler and are dropped
    draws, thin : int, samples kept of each chain, one in ``thin`` steps
    progress : bool, show a bar

    Returns
    -------
    MassNetwork. An interrupt from the keyboard while microcanonical chains are sampled ends the fit there, with the
    samples so far.

    Raises
    ------
    ValueError
        nuclei or residuals that are none, an unknown name, a number below 1
    ImportError
        NumPyro or blackjax is not installed
    RuntimeError
        a chain that left the finite numbers
    """
    Z, N, residual = mass_prediction.nuclei(Z, N, residual=residual)
    _check(noise=(noise, NOISES), sampler=(sampler, SAMPLERS), start=(start, STARTS))
    mass_prediction.whole(hidden=hidden, chains=chains, warmup=warmup, draws=draws, thin=thin)
    mass_prediction.whole(0, 2**32 - 1, seed=seed)
    for package in ("numpyro", "blackjax" if sampler == "mclmc" else "numpyro", "optax" if start == "fit" else "numpyro"):
        _optional(package)
    begin = time.perf_counter()
    x = mass_prediction.inputs(inputs, Z, N)
    x_mean, x_scale, y_scale = x.mean(axis=0), x.std(axis=0), mass_prediction.scale(residual)
    if np.any(x_scale == 0):
        raise ValueError("the nuclei must differ in each input")
    with jax.enable_x64(False):
        data = [jnp.asarray(a, "float32") for a in ((x - x_mean) / x_scale, residual / y_scale, _trend(Z, N))]
        target = log_posterior(noise)
        keys = jax.random.split(jax.random.key(seed), 3)
        begins = partial(_begin, n_in=x.shape[1], hidden=hidden, noise=noise)
        q = jax.vmap(jax.vmap(begins))(jax.random.split(keys[0], (chains, FITS if start == "fit" else 1)))
        q = _fits(target, q, data) if start == "fit" else jax.tree.map(lambda a: a[:, 0], q)
        run = {"mclmc": _mclmc, "nuts": _nuts}[sampler]
        q, log_p = run(target, q, data, keys[1:], warmup, draws, thin, progress)
    if not np.all(np.isfinite(log_p)):
        bad = int(np.argwhere(~np.isfinite(log_p))[0][0])
        raise RuntimeError(f"chain {bad} left the finite numbers; try another seed")
    seconds = time.perf_counter() - begin
    return MassNetwork(_weights(q, noise), x_mean, x_scale, float(y_scale), inputs, noise, log_p, seconds)


def save(net, name, *, folder=WEIGHTS, **card):
    """Write ``name.npz`` and return its path: the samples, and what else is to be known of them as JSON.

    Parameters
    ----------
    net : MassNetwork
    name : str
    folder : path
    **card : what was learnt from, licence, and anything else that JSON can hold

    Raises
    ------
    ValueError
        a name with a separator of paths, weights that are not finite
    """
    path = _path(name, folder)
    if wrong := [key for key, w in net.weights.items() if not np.all(np.isfinite(w) | (key == "nu"))]:
        raise ValueError(f"weights {', '.join(wrong)} of {name!r} are not finite")
    rest = {key: getattr(net, key) for key in ("y_scale", "inputs", "noise", "seconds")} | {"card": net.card | card}
    arrays = {f"weights_{key}": w for key, w in net.weights.items()}
    arrays |= {key: getattr(net, key) for key in ("x_mean", "x_scale", "log_posterior")}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, rest=json.dumps(rest, allow_nan=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, buffer.getvalue())
    return path


def _path(name, folder):
    """Path of the file of a network."""
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise ValueError(f"name must be a file's name without folders, got {name!r}")
    return Path(folder) / f"{name}.npz"


def _checked(net):
    """The network, if shapes and values are those of one; else ValueError."""
    w, (chain, sample, hidden) = net.weights, net.weights["b"].shape
    n_in = {"ZA": 2, "shell": 6}[net.inputs]
    shapes = {"a": (), "b": (hidden,), "c": (hidden,), "d": (n_in, hidden), "log_sigma": (3,), "nu": ()}
    for key, shape in shapes.items():
        if w[key].shape != (chain, sample, *shape) or w[key].dtype.kind != "f":
            raise ValueError(f"weights {key} have shape {w[key].shape}, type {w[key].dtype}")
    arrays = [*(w[key] for key in "abcd"), w["log_sigma"], net.x_mean, net.x_scale, net.y_scale, net.log_posterior]
    good = all(np.all(np.isfinite(a)) for a in arrays) and np.all(w["nu"] > 2) and np.all(net.x_scale > 0) and net.y_scale > 0
    alike = net.x_mean.shape == net.x_scale.shape == (n_in,) and net.log_posterior.shape == (chain, sample)
    if not (good and alike and net.noise in NOISES and (net.noise == "normal") == bool(np.all(np.isinf(w["nu"])))):
        raise ValueError("values or shapes that no fit gives")
    return net


def names(folder=WEIGHTS):
    """Names of the networks in a folder, sorted; those for stars, which begin with ``stars_``, are of another kind."""
    other = lambda path: path.with_suffix(".json").is_file() or path.stem.startswith("stars_")  # noqa: E731
    return sorted(path.stem for path in Path(folder).glob("*.npz") if not other(path))


def load(name, *, folder=WEIGHTS):
    """The network that :func:`save` wrote, by default one that ships with the package.

    Parameters
    ----------
    name : str, one of :func:`names`
    folder : path

    Raises
    ------
    ValueError
        an unknown name; a file that is damaged, or of something else
    """
    path = _path(name, folder)
    if not path.is_file():
        raise ValueError(f"name must be one of {', '.join(names(folder)) or 'none, as there are no networks'}; got {name!r}")
    try:
        with np.load(path, allow_pickle=False) as file:  # each part has a checksum
            found = dict(file)
        weights = {key[8:]: found.pop(key) for key in list(found) if key.startswith("weights_")}
        rest = json.loads(str(found.pop("rest")))
        return _checked(MassNetwork(weights, **found, **rest))
    except (AttributeError, KeyError, TypeError, ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{path.name} does not hold a network of masses: {error!r}") from error


def _check(**choices):
    for name, (value, known) in choices.items():
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")


def _optional(name):
    """The optional package, or an ImportError that says how to get it."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"this needs the optional package {name}: pip install {name}") from error


@lru_cache
def log_posterior(noise):
    """The log density, up to a constant, that is sampled: a function of parameters q and data (x, y, trend).

    One function a kind of noise, with the data as an argument: what JAX compiles serves all data of one length.

    Parameters
    ----------
    noise : as in :func:`fit`

    Returns
    -------
    callable (q, data) -> scalar. q holds the sites of :func:`model`, positive ones by their logarithm, with its
    Jacobian; data are scaled inputs (n, I), scaled residuals (n,) and the trend (n, 3) of :func:`model`.
    """
    _optional("numpyro")
    from numpyro.infer.util import potential_energy

    return lambda q, data: -potential_energy(model, (*data, noise, q["b"].size), {}, q)


def _begin(key, n_in, hidden, noise):
    """Random unconstrained parameters, from which a fit or a chain starts."""
    keys = jax.random.split(key, 3)
    q = {f"tau_{k}": jnp.float32(-2 * np.log(max(width, 0.3))) for k, width in WIDTHS.items()}
    q |= {
        "a": jnp.float32(0.0),
        "b": 0.3 * jax.random.normal(keys[0], (hidden,)),
        "c": 2.0 * jax.random.normal(keys[1], (hidden,)),
        "d": 2.0 * jax.random.normal(keys[2], (n_in, hidden)),
    }
    if noise != "normal":
        q["nu"] = jnp.log(jnp.float32(5.0))
    if noise == "smooth":
        q["trend"] = jnp.zeros(2)
    return q


def _fits(log_posterior, q, data):
    """The fit of greatest log posterior of each chain, from starts q (chain, fit, ...), the priors' widths held."""
    _optional("optax")
    n = q["a"].shape
    found, log_p = _adam(log_posterior, jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), q), data)
    best = np.argmax(np.nan_to_num(log_p.reshape(n), nan=-np.inf), axis=1) + np.arange(0, log_p.size, n[1])
    return jax.tree.map(lambda a: a[best], found)


@partial(jax.jit, static_argnums=0)
def _adam(log_posterior, q, data):
    """What Adam finds from each start q (start, ...), and its log posterior (start,)."""
    import optax

    held = {f"tau_{k}" for k in "abcd"}
    adam = optax.adam(optax.cosine_decay_schedule(FIT_RATE, FIT_STEPS))

    def step(carry, _):
        q, state = carry
        slope = jax.grad(log_posterior)(q, data)
        slope = {k: 0 * v if k in held else -v for k, v in slope.items()}
        change, state = adam.update(slope, state)
        return (optax.apply_updates(q, change), state), None

    def one(q):
        q = jax.lax.scan(step, (q, adam.init(q)), length=FIT_STEPS)[0][0]
        return q, log_posterior(q, data)

    return _each(one, q)


def _each(function, *trees):
    """The function of each chain: one after another on a CPU, where a chain fits into its cache, else all at once."""
    if jax.default_backend() == "cpu":
        return jax.lax.map(lambda tree: function(*tree), trees)
    return jax.vmap(function)(*trees)


def _mclmc(log_posterior, q, data, keys, warmup, draws, thin, progress):
    """Samples (chain, sample, ...) by microcanonical Langevin dynamics, each chain with step and length of its own."""
    _optional("blackjax")
    from tqdm import tqdm

    n = len(q["a"])
    state, tuned = _tune(log_posterior, warmup, jax.random.split(keys[0], n), q, data)
    kept = []
    try:
        for key in tqdm(jax.random.split(keys[1], draws), desc="samples", disable=not progress):
            state = _steps(log_posterior, thin, jax.random.split(key, n), state, tuned, data)
            kept.append(jax.tree.map(np.asarray, (state.position, state.logdensity)))
    except KeyboardInterrupt:
        if not kept:
            raise
    return jax.tree.map(lambda *a: np.stack(a, axis=1), *kept)


@partial(jax.jit, static_argnums=(0, 1))
def _tune(log_posterior, warmup, keys, q, data):
    """States of chains after ``warmup`` steps, and the step and length of each."""
    import blackjax

    kernel, log_p = blackjax.mclmc.build_kernel(), partial(log_posterior, data=data)

    def one(key, q):
        keys = jax.random.split(key)
        state = blackjax.mclmc.init(q, log_p, keys[0])
        return blackjax.mclmc_find_L_and_step_size(
            kernel, warmup, state, keys[1], log_p, 1 / 3, 1 / 3, 1 / 3, diagonal_preconditioning=False, l_factor=LENGTH
        )[:2]

    return _each(one, keys, q)


@partial(jax.jit, static_argnums=(0, 1))
def _steps(log_posterior, n, keys, state, tuned, data):
    """States of chains ``n`` steps later."""
    import blackjax

    kernel, log_p = blackjax.mclmc.build_kernel(), partial(log_posterior, data=data)

    def one(key, state, tuned):
        def step(state, key):
            return kernel(key, state, log_p, tuned.inverse_mass_matrix, tuned.L, tuned.step_size)[0], None

        return jax.lax.scan(step, state, jax.random.split(key, n))[0]

    return _each(one, keys, state, tuned)


def _nuts(log_posterior, q, data, keys, warmup, draws, thin, progress):
    """Samples (chain, sample, ...) by the No-U-Turn Sampler, trees of at most 511 steps."""
    from numpyro.infer import MCMC, NUTS

    sampler = NUTS(potential_fn=lambda q: -log_posterior(q, data), max_tree_depth=9)
    n = len(q["a"])
    mcmc = MCMC(
        sampler, num_warmup=warmup, num_samples=draws * thin, num_chains=n, thinning=thin,
        chain_method="vectorized", progress_bar=progress,
    )  # fmt: skip
    begin = q if n > 1 else {k: v[0] for k, v in q.items()}
    mcmc.run(keys[0], init_params=begin, extra_fields=("potential_energy",))
    log_p = -mcmc.get_extra_fields(group_by_chain=True)["potential_energy"]
    return jax.tree.map(np.asarray, (mcmc.get_samples(group_by_chain=True), log_p))


def _weights(q, noise):
    """What :class:`MassNetwork` keeps of unconstrained samples."""
    log_sigma = -0.5 * q["tau_noise"][..., None]
    trend = q.get("trend", np.zeros((*log_sigma.shape[:-1], 2), "float32"))
    nu = 2 + np.exp(q["nu"]) if "nu" in q else np.full(q["a"].shape, np.inf, "float32")
    return {k: q[k] for k in "abcd"} | {"log_sigma": np.concatenate([log_sigma, trend], axis=-1), "nu": nu}
