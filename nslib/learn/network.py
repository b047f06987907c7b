"""Trained networks: weights on disk with a model card, and their forward pass in JAX without Keras.

A network is two files: ``name.npz``, the float32 weights, and ``name.json``, its card with the means and
scales of inputs and outputs and the SHA-256 of the weights and of the rest of the card.
"""

import hashlib
import io
import itertools
import json
import os
import zipfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import nslib

#: folder of the networks that ship with nslib
WEIGHTS = Path(__file__).with_name("weights")
#: what whoever saves a network must say about it; :func:`save` adds the rest
CARD = ("title", "inputs", "outputs", "population", "sizes", "epochs", "seed", "scale", "backend", "test_error", "licence")
ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "elu": jax.nn.elu,
    "gelu": partial(jax.nn.gelu, approximate=False),
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Network:
    """Dense layers between a standardisation of the inputs and one of the outputs; a pytree.

    Attributes
    ----------
    layers : tuple of (kernel (n, m), bias (m,)) float64 arrays
    x_mean, x_scale : (n_in,) arrays, z = (x - x_mean) / x_scale goes in
    y_mean, y_scale : (n_out,) arrays, y = y_mean + y_scale z comes out
    activations : tuple of str, one a layer, keys of ``ACTIVATIONS``
    text : str, the model card as JSON
    """

    layers: tuple
    x_mean: jax.Array
    x_scale: jax.Array
    y_mean: jax.Array
    y_scale: jax.Array
    activations: tuple = field(metadata={"static": True})
    text: str = field(default="{}", metadata={"static": True})

    @property
    def card(self):
        """The model card as a dict; empty for a network that was not loaded from a file."""
        return json.loads(self.text)

    @property
    def n_in(self):
        """Number of inputs."""
        return self.x_mean.shape[0]

    def standardised(self, z):
        r"""Standardised outputs (..., n_out) of standardised inputs z (..., n_in): :math:`z \leftarrow f_k(z W_k + b_k)`."""
        for (W, b), f in zip(self.layers, self.activations):
            z = ACTIVATIONS[f](z @ W + b)
        return z

    def __call__(self, x):
        """Outputs of the network, in their own units.

        Parameters
        ----------
        x : (..., n_in) array, inputs in their own units

        Returns
        -------
        (..., n_out) array

        Raises
        ------
        ValueError
            another number of inputs. Inputs outside the training population are not recognised here.
        """
        x = jnp.asarray(x)
        if x.ndim == 0 or x.shape[-1] != self.n_in:
            raise ValueError(f"x must hold {self.n_in} inputs along its last axis, got shape {x.shape}")
        return self.y_mean + self.y_scale * self.standardised((x - self.x_mean) / self.x_scale)


def from_keras(model, x_mean=0.0, x_scale=1.0, y_mean=0.0, y_scale=1.0):
    """Network of a Keras model that is a chain of dense layers.

    Parameters
    ----------
    model : keras.Sequential of Dense layers
    x_mean, x_scale : (n_in,) arrays or floats
    y_mean, y_scale : (n_out,) arrays or floats

    Raises
    ------
    ValueError
        a layer that is not dense, or an activation without a JAX counterpart here
    """
    layers, kinds = [], []
    for layer in model.layers:
        kind = getattr(getattr(layer, "activation", None), "__name__", None)
        if type(layer).__name__ != "Dense" or kind not in ACTIVATIONS:
            raise ValueError(f"layer {layer.name!r} must be Dense with one of {', '.join(ACTIVATIONS)}; got {kind}")
        W, b = (np.asarray(a) for a in layer.get_weights())
        layers.append((W, b))
        kinds.append(kind)
    return _build(layers, kinds, (x_mean, x_scale, y_mean, y_scale))


def _build(layers, activations, scaler, text="{}"):
    """Network in float64, with the four parts of the scaler broadcast to the numbers in and out."""
    n = (layers[0][0].shape[0],) * 2 + (layers[-1][1].shape[0],) * 2
    scaler = [jnp.broadcast_to(jnp.asarray(a, dtype=float), (k,)) for a, k in zip(scaler, n)]
    layers = tuple((jnp.asarray(W, dtype=float), jnp.asarray(b, dtype=float)) for W, b in layers)
    return Network(layers, *scaler, tuple(activations), text)


def save(network, name, *, folder=WEIGHTS, **card):
    """Write ``name.npz`` and ``name.json`` and return the path of the card.

    Parameters
    ----------
    network : Network
    name : str
    folder : path
    **card : what ``CARD`` lists, and anything else that JSON can hold

    Raises
    ------
    ValueError
        an entry of the card that is missing, or a weight that is not finite
    """
    if missing := [key for key in CARD if key not in card]:
        raise ValueError(f"card of {name!r} lacks {', '.join(missing)}")
    arrays = {f"{kind}{k}": np.asarray(a, dtype="float32") for k, pair in enumerate(network.layers) for kind, a in zip("Wb", pair)}
    if bad := [key for key, a in arrays.items() if not np.all(np.isfinite(a))]:
        raise ValueError(f"weights {', '.join(bad)} of {name!r} are not finite in float32")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    scaler = {key: np.asarray(getattr(network, key)).tolist() for key in ("x_mean", "x_scale", "y_mean", "y_scale")}
    card = card | {
        "architecture": [network.n_in, *(W.shape[1] for W, _ in network.layers)],
        "activations": list(network.activations),
        "nslib": nslib.__version__,
        "scaler": scaler,
    }
    card["sha256"] = _checksum(buffer.getvalue(), card)
    text = json.dumps(card, indent=1, allow_nan=False) + "\n"
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / f"{name}.npz", buffer.getvalue())
    write(folder / f"{name}.json", text.encode())
    return folder / f"{name}.json"


def _checksum(data, card):
    """SHA-256 of the file of weights and of all of the card but the checksum itself."""
    rest = {key: value for key, value in card.items() if key != "sha256"}
    return hashlib.sha256(data + json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write(path, data):
    """Bytes to a file, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def names(folder=WEIGHTS):
    """Names of the networks in a folder, sorted."""
    return sorted(path.stem for path in Path(folder).glob("*.json"))


def load(name, *, folder=WEIGHTS):
    """Network from its two files.

    Parameters
    ----------
    name : str, one of :func:`names`
    folder : path

    Raises
    ------
    ValueError
        an unknown name; a file that is missing, truncated, altered or at odds with its card, named
    """
    folder = Path(folder)
    if name not in names(folder):
        raise ValueError(f"name is {name!r}; there are: {', '.join(names(folder)) or 'none'}")
    path, card_path = folder / f"{name}.npz", folder / f"{name}.json"
    try:
        text = card_path.read_text(encoding="utf-8")
        card = json.loads(text)
        scaler = [np.asarray(card["scaler"][key], dtype=float) for key in ("x_mean", "x_scale", "y_mean", "y_scale")]
        activations, shape, sha256 = card["activations"], card["architecture"], card["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{card_path.name} is not a model card: {error!r}") from error
    if not path.is_file():
        raise ValueError(f"{path.name} is missing beside {card_path.name} in {folder}")
    data = path.read_bytes()
    if (found := _checksum(data, card)) != sha256:
        raise ValueError(f"{path.name} or its card is truncated or altered: SHA-256 {found[:12]}... instead of {sha256[:12]}...")
    try:
        with np.load(io.BytesIO(data)) as file:
            layers = [(file[f"W{k}"], file[f"b{k}"]) for k in range(len(activations))]
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} does not hold the {len(activations)} layers of its card: {error}") from error
    got = [(W.shape, b.shape) for W, b in layers]
    want = [((m, n), (n,)) for m, n in itertools.pairwise(shape)]
    if got != want or set(activations) - set(ACTIVATIONS) or [len(a) for a in scaler] != [shape[0]] * 2 + [shape[-1]] * 2:
        raise ValueError(f"{card_path.name} does not describe {path.name}: layers {shape}, activations {activations}")
    return _build(layers, activations, scaler, text)
