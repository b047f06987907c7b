r"""A structured variational autoencoder of equations of state: (M_max, R_1.4, z) to 107 numbers and back.

The network and its loss are those of A. Ross, T. Zhao and S. Reddy (2026); what the numbers mean is said in
:mod:`nslib.matter.speeds`. Their logarithms go in and out, standardised.
"""

import json
import warnings
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib import crust, stars
from nslib.datasets import skyrme
from nslib.learn import calibration, training
from nslib.learn import network as networks
from nslib.matter import speeds

OUTPUTS = ("softnegative", "linear")


class Latent(NamedTuple):
    """Latent coordinates: M_max (...) [Msun], R_14 (...) [km], z (..., d) and its width z_sigma (..., d) [1]."""

    M_max: jax.Array
    R_14: jax.Array
    z: jax.Array
    z_sigma: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Generator:
    """A trained autoencoder in JAX; :func:`load` gives the shipped ones.

    Attributes
    ----------
    encoder : Network, 107 logarithms to M_max, R_14, mean and logarithm of the variance of each z
    decoder : Network, M_max, R_14 and z to 107 logarithms, before the output function
    output : "softnegative": ln cs2 is the softnegative of what the decoder says, so that cs2 < 1; or "linear"
    text : str, JSON of what :func:`describe` found about the training set and the errors of decoded stars
    """

    encoder: networks.Network
    decoder: networks.Network
    output: str = field(default="softnegative", metadata={"static": True})
    text: str = field(default="", metadata={"static": True})

    @property
    def n_latent(self):
        """Number d of free latents."""
        return self.decoder.n_in - 2

    @property
    def known(self):
        """What :func:`describe` found, as a dict; empty before."""
        return json.loads(self.text or "{}")

    def encode(self, numbers):
        """Latent coordinates of 107 numbers (..., 107), all > 0; NaN for a member with another, ValueError for one alone."""
        if np.ndim(numbers) == 1 and not isinstance(numbers, jax.core.Tracer):
            _check_rows("numbers", np.asarray(numbers, float)[None])
        out, d = self.encoder(jnp.log(jnp.asarray(numbers, dtype=float))), self.n_latent
        return Latent(out[..., 0], out[..., 1], out[..., 2 : 2 + d], jnp.exp(out[..., 2 + d :] / 2))

    def decode(self, M_max, R_14, z):
        """The 107 numbers (..., 107) that the decoder makes of M_max, R_14 (...) and z (..., d). Nothing is checked."""
        q = self.decoder(_stack(M_max, R_14, z))
        y = speeds.softnegative(q[..., : speeds.N_SPEEDS]) if self.output == "softnegative" else q[..., : speeds.N_SPEEDS]
        return jnp.exp(jnp.concatenate([y, q[..., speeds.N_SPEEDS :]], axis=-1))

    def eos(self, M_max, R_14, z=None):
        """Equation of state with the standard crust, made from its maximum mass, its R_1.4 and z.

        Parameters
        ----------
        M_max, R_14 : floats or (n,) arrays [Msun], [km]
        z : (d,) or (n, d) array, or a float where d = 1; None: the mean of the training set

        Returns
        -------
        EOS, one or a batch. What its stars have differs a little from what was asked for: :meth:`error`.

        Raises
        ------
        ValueError
            z of another length, numbers that are not finite

        Warns
        -----
        UserWarning
            latents outside of the training set, with its range
        """
        x = self._latents(M_max, R_14, z)
        if outside := self.outside(x):
            warnings.warn(outside, stacklevel=2)
        numbers = self.decode(x[..., 0], x[..., 1], x[..., 2:])
        return crust.join(speeds.core(numbers, causal=self.output == "softnegative"), how="first")

    def error(self, M_max, R_14, z=None):
        """Half-widths within which the true M_max [Msun] and R_14 [km] of the matter lie about those of the decoded stars.

        Calibrated on held-out matter of the population of the training set, about which alone they speak.

        Returns
        -------
        dict of "M_max", "R_14" to (..., 2) arrays, at 68 and 95 %

        Warns
        -----
        UserWarning
            latents outside of the training set, with its range
        """
        if "errors" not in self.known:
            raise ValueError("the errors of this generator are not known; calibrate() it first")
        x = self._latents(M_max, R_14, z)
        if outside := self.outside(x):
            warnings.warn(outside, stacklevel=2)
        t = (np.asarray(x) - np.asarray(self.decoder.x_mean)) / np.asarray(self.decoder.x_scale)
        return {name: calibration.half_widths(t, e) for name, e in self.known["errors"].items()}

    def outside(self, latents):
        """A sentence on the first of some latents (..., 2 + d) that lies outside the training set, or nothing."""
        known, x = self.known, np.atleast_2d(np.asarray(latents))
        if not known:
            return ""
        low, high, mean = (np.array(known[name]) for name in ("low", "high", "mean"))
        reach = np.einsum("ni,ij,nj->n", x - mean, np.array(known["precision"]), x - mean)
        beyond = ~np.all((x >= low) & (x <= high), axis=-1)
        bad = np.flatnonzero(beyond | (reach > known["reach"]))
        if not len(bad):
            return ""
        names = ["M_max [Msun]", "R_14 [km]", *(f"z[{k}]" for k in range(self.n_latent))]
        got = ", ".join(f"{n} = {v:.4g}" for n, v in zip(names, x[bad[0]]))
        box = ", ".join(f"{n} {a:.4g} to {b:.4g}" for n, a, b in zip(names, low, high))
        where = "outside the range" if beyond[bad[0]] else "in a corner without members"
        return f"{got}: {where} of the training set ({box}); {len(bad)} of {len(x)} such"

    def _latents(self, M_max, R_14, z):
        """Latents (..., 2 + d) from what a user gives; ValueError if they are none."""
        if z is None:
            z = np.array(self.known["mean"])[2:] if self.known else np.zeros(self.n_latent)
        z = np.atleast_1d(np.asarray(z, dtype=float))
        if z.shape[-1] != self.n_latent:
            raise ValueError(f"z must hold {self.n_latent} numbers along its last axis, got shape {z.shape}")
        shapes = np.shape(M_max), np.shape(R_14), z.shape[:-1]
        if len({a for a in shapes if a not in ((), (1,))}) > 1:
            raise ValueError(f"M_max, R_14 and z must be as many; got shapes {shapes[0]}, {shapes[1]}, {z.shape}")
        x = np.asarray(_stack(M_max, R_14, z))
        if x.ndim > 2 or not np.all(np.isfinite(x)) or np.any(x[..., :2] <= 0):
            raise ValueError(f"M_max, R_14 must be finite and > 0, numbers or of one axis, z finite; got {M_max}, {R_14}, {z}")
        return x


def reconstruct(generator, numbers):
    """What is left of matter that went through encoder and decoder, z at its mean.

    Parameters
    ----------
    generator : Generator
    numbers : (n, 107) array

    Returns
    -------
    (Latent, decoded numbers (n, 107), Observables of its stars); a star that cannot be solved is NaN
    """
    latent = generator.encode(numbers)
    decoded = generator.decode(latent.M_max, latent.R_14, latent.z)
    return latent, decoded, decoded_stars(generator, decoded)


def decoded_stars(generator, numbers):
    """Observables of the stars of decoded numbers (n, 107) with the standard crust."""
    eos = crust.join(speeds.core(numbers, causal=generator.output == "softnegative"), how="first")
    return skyrme.observables(stars.family(eos, **skyrme.FAMILY))


def _stack(M_max, R_14, z):
    """Latents side by side, (..., 2 + d)."""
    M_max, R_14, z = (jnp.asarray(a, dtype=float) for a in (M_max, R_14, z))
    shape = jnp.broadcast_shapes(M_max.shape, R_14.shape, z.shape[:-1])
    parts = M_max[..., None], R_14[..., None], z
    return jnp.concatenate([jnp.broadcast_to(a, (*shape, a.shape[-1])) for a in parts], axis=-1)


# ---- training ------------------------------------------------------------------------------------------------


@lru_cache
def _model_class():
    """The Keras model; a function, since importing this module loads no Keras."""
    import keras
    from keras import ops

    class StructuredVAE(keras.Model):
        """Numbers in; reconstruction, supervised latents, means and logarithms of variances out, side by side."""

        def __init__(self, encoder, decoder, n_latent, kappa, eta, mean, scale, output, seed):
            super().__init__()
            self.encoder, self.decoder, self.d = encoder, decoder, n_latent
            self.kappa, self.eta, self.output_function = kappa, eta, output
            self.mean, self.scale = (np.asarray(a[: speeds.N_SPEEDS], "float32") for a in (mean, scale))
            self.random = keras.random.SeedGenerator(seed)

        def call(self, x, training=False):
            latent, d = self.encoder(x), self.d
            y, mu, log_var = latent[:, :2], latent[:, 2 : 2 + d], latent[:, 2 + d :]
            z = mu
            if training:
                z = mu + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mu), seed=self.random)
            q = self.decoder(ops.concatenate([y, z], axis=1))
            if self.output_function == "softnegative":
                ln_cs2 = self.mean + self.scale * q[:, : speeds.N_SPEEDS]
                ln_cs2 = -ops.softplus(-speeds.SHARPNESS * ln_cs2) / speeds.SHARPNESS
                q = ops.concatenate([(ln_cs2 - self.mean) / self.scale, q[:, speeds.N_SPEEDS :]], axis=1)
            return ops.concatenate([q, y, mu, log_var], axis=1)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            n, d = speeds.N_NUMBERS, self.d
            reconstruction = ops.mean((y[:, :n] - y_pred[:, :n]) ** 2)
            supervised = ops.mean((y[:, n:] - y_pred[:, n : n + 2]) ** 2)
            mu, log_var = y_pred[:, n + 2 : n + 2 + d], y_pred[:, n + 2 + d :]
            kl = -ops.mean(1 + log_var - mu**2 - ops.exp(log_var)) / 2
            return reconstruction + self.kappa * supervised + self.eta * kl

    return StructuredVAE


def train(
    train, validation, *, latent=1, kappa=2.0, eta=1e-3, encoder=(128, 64, 64), decoder=(64, 128), activation="relu",
    output="softnegative", epochs, patience=None, batch_size=64, learning_rate=1e-4, seed, progress=False,
):  # fmt: skip
    r"""Train an autoencoder; the defaults are the paper's.

    .. math::
        \mathcal L = \overline{(x - \hat x)^2} + \kappa\,\overline{(y - \hat y)^2}
        - \frac{\eta}{2}\,\overline{1 + \ln\sigma^2 - \mu^2 - \sigma^2}

    with standardised logarithms x of the 107 numbers and standardised y = (M_max, R_14), and means over the
    batch and the components. The seed also fixes the noise of z.

    Parameters
    ----------
    train, validation : SkyrmeSet, or anything with ``numbers`` and ``observables``
    latent : int, number of free latents
    kappa, eta : floats, weights of the supervised and of the Kullback-Leibler term
    encoder, decoder : widths of the hidden layers
    activation : str, of the hidden layers
    output : "softnegative" or "linear"
    epochs, patience, batch_size, seed, progress : see :func:`nslib.learn.training.train`
    learning_rate : float, or Keras schedule, for Adam

    Returns
    -------
    (Generator, History)

    Raises
    ------
    ValueError
        an argument out of range; numbers that are not finite and positive; an empty set
    """
    import keras

    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {', '.join(OUTPUTS)}; got {output!r}")
    for name, value, least in (("latent", latent, 1), ("epochs", epochs, 1), ("batch_size", batch_size, 1)):
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= least):
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    for name, value in (("kappa", kappa), ("eta", eta)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be finite and >= 0, got {value}")
    model = build(train, latent=latent, kappa=kappa, eta=eta, encoder=encoder, decoder=decoder, activation=activation,
                  output=output, seed=seed)  # fmt: skip
    means = scaler(train)
    (t, s), (t_val, s_val) = (standardised(name, data, means) for name, data in (("train", train), ("validation", validation)))
    history = training.train(
        model, t, np.concatenate([t, s], axis=1), validation=(t_val, np.concatenate([t_val, s_val], axis=1)),
        epochs=epochs, patience=patience, batch_size=batch_size, seed=_seeds(seed)[3], loss=None,
        optimizer=keras.optimizers.Adam(learning_rate), progress=progress,
    )  # fmt: skip
    x_mean, x_scale, y_mean, y_scale = means
    zero, one = np.zeros(2 * latent), np.ones(2 * latent)
    in_mean, in_scale = np.append(y_mean, zero[:latent]), np.append(y_scale, one[:latent])
    both = (
        networks.from_keras(model.encoder, x_mean, x_scale, np.append(y_mean, zero), np.append(y_scale, one)),
        networks.from_keras(model.decoder, in_mean, in_scale, x_mean, x_scale),
    )
    return describe(Generator(*both, output), train), history


def build(
    train, *, latent=1, kappa=2.0, eta=1e-3, encoder=(128, 64, 64), decoder=(64, 128), activation="relu",
    output="softnegative", seed,
):  # fmt: skip
    """The Keras model before its training, with the scaler of a training set; arguments as in :func:`train`."""
    x_mean, x_scale, _, _ = scaler(train)
    seeds = _seeds(seed)
    enc = training.dense(len(x_mean), encoder, 2 + 2 * latent, activation=activation, seed=seeds[0])
    dec = training.dense(2 + latent, decoder, len(x_mean), activation=activation, seed=seeds[1])
    return _model_class()(enc, dec, latent, kappa, eta, x_mean, x_scale, output, seeds[2])


def _seeds(seed):
    """Seeds of the encoder's weights, the decoder's, the noise of z and the order of the batches."""
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(4)]


def scaler(train):
    """Means and deviations of the logarithms of the 107 numbers, and of M_max and R_14."""
    x, y = _arrays("train", train)
    parts = x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)
    if not all(np.all(np.ptp(a, axis=0) > 0) for a in (x, y)):
        raise ValueError("train: one of the numbers, M_max or R_14 is the same in all rows; nothing can be learnt of it")
    return parts


def standardised(name, data, scaler):
    """What goes in and is compared: standardised logarithms (n, 107) of the numbers and standardised (M_max, R_14)."""
    x, y = _arrays(name, data)
    return (x - scaler[0]) / scaler[1], (y - scaler[2]) / scaler[3]


def _arrays(name, data):
    """Logarithms (n, 107) and (M_max, R_14) (n, 2) of a data set."""
    numbers, seen = np.asarray(data.numbers), data.observables
    if len(numbers) == 0:
        raise ValueError(f"{name} is empty")
    _check_rows(name, numbers)
    y = [np.asarray(a, dtype=float) for a in (seen.M_max, seen.R_14)]
    if any(a.shape != (len(numbers),) for a in y) or not np.all(np.isfinite(y)):
        raise ValueError(f"{name}: M_max and R_14 must be {len(numbers)} finite numbers, as many as rows of the numbers")
    return np.log(numbers), np.stack(y, axis=1)


def _check_rows(name, numbers):
    """ValueError for an array that is not (n, 107), or holds a value that is not finite and positive."""
    if numbers.ndim != 2 or numbers.shape[1] != speeds.N_NUMBERS:
        raise ValueError(f"{name}: numbers must be {speeds.N_NUMBERS} along the last axis, got shape {numbers.shape}")
    if not np.all(good := np.isfinite(numbers) & (numbers > 0)):
        row, column = np.argwhere(~good)[0]
        raise ValueError(f"{name}: row {row} of the numbers is not finite and positive: {numbers[row, column]} in column {column}")


def describe(generator, train):
    """The generator with the range of its training set: box, mean, covariance and reach in latent coordinates."""
    _arrays("train", train)
    latent = generator.encode(train.numbers)
    x = np.asarray(_stack(latent.M_max, latent.R_14, latent.z))
    mean, precision = x.mean(axis=0), np.linalg.pinv(np.cov(x.T))
    reach = np.einsum("ni,ij,nj->n", x - mean, precision, x - mean).max()
    known = {"low": x.min(axis=0), "high": x.max(axis=0), "mean": mean, "precision": precision}
    known = {name: a.tolist() for name, a in known.items()} | {"reach": float(reach)}
    return replace(generator, text=json.dumps(generator.known | known))


def calibrate(generator, numbers, truth, decoded):
    """The generator with errors of its decoded stars, learnt on held-out matter.

    See :func:`nslib.learn.calibration.fit`, with the latents as inputs.

    Parameters
    ----------
    numbers : (n, 107) array of held-out matter
    truth, decoded : Observables of (n,) arrays: of the matter itself, and of what the decoder makes of its latents

    Returns
    -------
    Generator

    Raises
    ------
    ValueError
        fewer than 100 members, another number of stars than of rows, stars that are not finite
    """
    latent = generator.encode(numbers)
    x = np.asarray(_stack(latent.M_max, latent.R_14, latent.z))
    t = (x - np.asarray(generator.decoder.x_mean)) / np.asarray(generator.decoder.x_scale)
    pairs = {name: (np.asarray(getattr(decoded, name)), np.asarray(getattr(truth, name))) for name in ("M_max", "R_14")}
    errors = {name: calibration.fit(t, np.abs(a - b), name) for name, (a, b) in pairs.items()}
    return replace(generator, text=json.dumps(generator.known | {"errors": errors}))


# ---- files ---------------------------------------------------------------------------------------------------


def save(generator, name, *, folder=networks.WEIGHTS, **card):
    """Write a generator as two networks, ``name-encoder`` and ``name-decoder``; card as in :func:`nslib.learn.network.save`."""
    if not generator.known:
        raise ValueError("describe() the generator first: its card must say the range of the training set")
    extra = {"output": generator.output, "known": generator.known}
    networks.save(generator.encoder, f"{name}-encoder", folder=folder, **card, **extra)
    return networks.save(generator.decoder, f"{name}-decoder", folder=folder, **card, **extra)


def names(folder=networks.WEIGHTS):
    """Names of the generators in a folder, sorted."""
    return [name.removesuffix("-decoder") for name in networks.names(folder) if name.endswith("-decoder")]


def load(name, *, folder=networks.WEIGHTS):
    """Generator from its files.

    Raises
    ------
    ValueError
        an unknown name; files that are missing, altered, or do not belong together
    """
    if name not in names(folder):
        raise ValueError(f"name is {name!r}; there are: {', '.join(names(folder)) or 'none'}")
    encoder, decoder = (networks.load(f"{name}-{part}", folder=folder) for part in ("encoder", "decoder"))
    card = decoder.card
    scales = (encoder.y_mean[:2], decoder.x_mean[:2]), (encoder.x_mean, decoder.y_mean), (encoder.x_scale, decoder.y_scale)
    if encoder.card.get("known") != card.get("known") or not all(np.array_equal(a, b) for a, b in scales):
        raise ValueError(f"encoder and decoder of {name!r} do not belong together: their scalers or ranges differ")
    if card.get("output") not in OUTPUTS or (encoder.n_in, len(decoder.y_mean)) != (speeds.N_NUMBERS,) * 2:
        raise ValueError(f"the card of {name!r} does not describe an autoencoder of 107 numbers")
    return Generator(encoder, decoder, card["output"], json.dumps(card["known"]))
