"""Shipped networks: the JAX forward pass against Keras on both backends, files whole and damaged."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.learn import network

CARD = {
    "title": "a test", "inputs": "five numbers", "outputs": "three numbers", "population": "normal", "sizes": [10, 1, 1],
    "epochs": 1, "seed": 0, "scale": "smoke", "backend": "none", "test_error": 1.0, "licence": "MIT",
}  # fmt: skip

AGAINST_KERAS = """
import json
import keras
import numpy as np
from nslib.learn.network import from_keras
from nslib.learn.training import dense

rng = np.random.default_rng(0)
worst = {}
for activation in ("relu", "tanh", "gelu", "silu", "elu", "softplus", "sigmoid"):
    model = dense(100, (100,) * 10, 100, activation=activation, seed=2)
    for layer in model.layers:
        layer.set_weights([layer.get_weights()[0], rng.normal(size=layer.get_weights()[1].shape, scale=0.3)])
    z = rng.normal(size=(200, 100))
    ours = np.asarray(from_keras(model).standardised(z))
    single = np.asarray(keras.ops.convert_to_numpy(model(z.astype("float32"))))
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    double = dense(100, (100,) * 10, 100, activation=activation, seed=2)
    double.set_weights(model.get_weights())
    exact = np.asarray(keras.ops.convert_to_numpy(double(z)))
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    assert exact.dtype == np.float64 and single.dtype == np.float32
    worst[activation] = [float(np.abs(ours - exact).max()), float(np.abs(ours - single).max()), float(exact.std())]
print(json.dumps([keras.backend.backend(), worst]))
"""


def random_network(seed=0, shape=(5, 8, 3), activations=("gelu", "linear")):
    """A network with float32 weights and an uneven scaler."""
    rng = np.random.default_rng(seed)
    draw = lambda *s: rng.normal(size=s).astype("float32")
    layers = [(draw(m, n), draw(n)) for m, n in pairwise(shape)]
    scaler = (draw(shape[0]), 0.1 + draw(shape[0]) ** 2, draw(shape[-1]), 0.1 + draw(shape[-1]) ** 2)
    return network._build(layers, activations, scaler)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_forward_pass_equals_keras(backend):
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    run = subprocess.run([sys.executable, "-c", AGAINST_KERAS], check=False, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    used, worst = json.loads(run.stdout.splitlines()[-1])
    assert used == backend
    for activation, (double, single, spread) in worst.items():
        assert double < 1e-6 and single < 1e-4, (activation, double, single)
        assert spread > 1e-3, activation  # the outputs are not all the same number


def test_using_a_network_loads_neither_keras_nor_tensorflow():
    code = (
        "import sys; import nslib.learn.network, nslib.learn.symmetry_energy, nslib.learn.baselines;"
        "print(sorted({'keras', 'tensorflow', 'sklearn', 'zarr', 'dask'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_call_standardises():
    n = random_network()
    x = np.random.default_rng(1).normal(size=(4, 5))
    (W0, b0), (W1, b1) = ((np.asarray(W), np.asarray(b)) for W, b in n.layers)
    z = (x - np.asarray(n.x_mean)) / np.asarray(n.x_scale)
    h = np.asarray(jax.nn.gelu(z @ W0 + b0, approximate=False))
    np.testing.assert_allclose(n(x), np.asarray(n.y_mean) + np.asarray(n.y_scale) * (h @ W1 + b1), rtol=1e-13)


def test_is_a_pytree_with_a_gradient():
    n = random_network()
    x = jnp.linspace(-1, 1, 5)
    np.testing.assert_allclose(jax.jit(lambda n, x: n(x))(n, x), n(x), rtol=1e-12)
    J, step = jax.jacobian(n)(x), 1e-6
    by_hand = np.stack([(n(x.at[i].add(step)) - n(x.at[i].add(-step))) / (2 * step) for i in range(5)], axis=1)
    np.testing.assert_allclose(J, by_hand, rtol=1e-7, atol=1e-7)


def test_wrong_number_of_inputs():
    with pytest.raises(ValueError, match=r"5 inputs along its last axis, got shape \(4, 6\)"):
        random_network()(np.zeros((4, 6)))


def test_file_round_trip(tmp_path):
    n = random_network()
    network.save(n, "net", folder=tmp_path, **CARD)
    again = network.load("net", folder=tmp_path)
    x = np.random.default_rng(1).normal(size=(4, 5))
    np.testing.assert_array_equal(again(x), n(x))
    assert again.card["architecture"] == [5, 8, 3] and again.card["licence"] == "MIT"
    before = [(tmp_path / f).read_bytes() for f in ("net.npz", "net.json")]
    network.save(n, "net", folder=tmp_path, **CARD)
    assert [(tmp_path / f).read_bytes() for f in ("net.npz", "net.json")] == before
    with np.load(tmp_path / "net.npz") as file:
        assert {file[k].dtype.name for k in file.files} == {"float32"}


def test_card_must_be_complete(tmp_path):
    with pytest.raises(ValueError, match="card of 'net' lacks population, seed"):
        network.save(random_network(), "net", folder=tmp_path, **{k: v for k, v in CARD.items() if k not in ("population", "seed")})


def test_weights_must_be_finite(tmp_path):
    n = random_network()
    W, b = n.layers[0]
    bad = replace(n, layers=((W.at[0, 0].set(jnp.inf), b), n.layers[1]))
    with pytest.raises(ValueError, match="W0 of 'net' are not finite in float32"):
        network.save(bad, "net", folder=tmp_path, **CARD)


def test_unknown_name(tmp_path):
    with pytest.raises(ValueError, match="name is 'other'; there are: none"):
        network.load("other", folder=tmp_path)
    network.save(random_network(), "net", folder=tmp_path, **CARD)
    with pytest.raises(ValueError, match="name is 'other'; there are: net"):
        network.load("other", folder=tmp_path)


def rewrite_card(path, **changes):
    """A card with entries of its own and a checksum that fits them."""
    card = json.loads(path.read_text()) | changes
    card["sha256"] = network._checksum(path.with_suffix(".npz").read_bytes(), card)
    path.write_text(json.dumps(card))


@pytest.mark.parametrize("damage", ["truncated", "one byte", "missing", "card", "card without scaler", "other scaler", "other shape", "other layers", "kind"])
def test_damaged_files_are_named(tmp_path, damage):
    network.save(random_network(), "net", folder=tmp_path, **CARD)
    weights, card = tmp_path / "net.npz", tmp_path / "net.json"
    data = weights.read_bytes()
    named = r"net\.npz"
    if damage == "truncated":
        weights.write_bytes(data[: len(data) // 2])
    elif damage == "one byte":
        weights.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    elif damage == "missing":
        weights.unlink()
    elif damage == "card":
        card.write_text(card.read_text()[:200])
        named = r"net\.json is not a model card"
    elif damage == "card without scaler":
        rewrite_card(card, scaler={})
        named = r"net\.json is not a model card"
    elif damage == "other scaler":
        scaler = json.loads(card.read_text())["scaler"]
        scaler["y_mean"][0] += 1e-9
        card.write_text(json.dumps(json.loads(card.read_text()) | {"scaler": scaler}))
        named = r"net\.npz or its card is truncated or altered"
    elif damage == "other shape":
        rewrite_card(card, architecture=[5, 9, 3])
    elif damage == "other layers":
        rewrite_card(card, activations=["gelu", "gelu", "linear"])
    else:
        weights.write_bytes(b"not a zip file")
        rewrite_card(card)
    with pytest.raises(ValueError, match=named):
        network.load("net", folder=tmp_path)


def test_every_network_that_ships_loads():
    for name in network.names():
        n = network.load(name)
        y = n(np.asarray(n.x_mean))
        assert np.all(np.isfinite(y)), name
        assert set(network.CARD) <= set(n.card), name


def test_only_chains_of_dense_layers():
    class Convolution:
        name, activation = "conv", network.ACTIVATIONS["relu"]

    class Model:
        layers = (Convolution(),)

    with pytest.raises(ValueError, match="layer 'conv' must be Dense"):
        network.from_keras(Model())
