"""The autoencoder of equations of state on made-up sound speeds: Keras and JAX say the same, the loss, ranges, files.

No stars and no Skyrme matter here: the numbers are smooth in three parameters, M_max and R_14 simple functions of them.
"""

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.learn import eos_vae as vae
from nslib.learn import network
from nslib.matter import speeds

CARD = {key: "x" for key in network.CARD}


def made_up(n, seed):
    """n members: cs2 rises from .03 to between .5 and .95, in ways set by three uniform numbers."""
    a, b, c = np.random.default_rng(seed).uniform(-1, 1, (3, n, 1))
    zeta = np.linspace(0, 1, 101)
    cs2 = 0.03 + (0.7 + 0.2 * a) * zeta ** (1.5 + 0.3 * b) + 0.02 * c * (1 - zeta) ** 3
    ends = [0.085 + 0.003 * c, 80 + 3 * c, 0.5 + 0.05 * c, 1.1 - 0.1 * a, 1300 - 100 * a + 30 * b, 600 - 50 * b]
    M_max, R_14 = 2.1 + 0.1 * a - 0.05 * b, 12 + 0.2 * a - 0.5 * b + 0.1 * c
    seen = SimpleNamespace(M_max=M_max[:, 0], R_14=R_14[:, 0])
    return SimpleNamespace(numbers=np.concatenate([cs2, *ends], axis=1), observables=seen)


TRAIN, VALIDATION = made_up(300, 1), made_up(60, 2)
PROBE = VALIDATION.numbers[:20]

#: trains in a process of its own and says what Keras says; arguments: folder, output, whether to train
AGAINST_KERAS = """
import json, sys
import keras, numpy as np
from test_learn_eos_vae import CARD, PROBE, TRAIN, VALIDATION, vae
from nslib.learn import network, training
from nslib.matter import speeds

folder, train = sys.argv[1], sys.argv[2] == "train"
kinds = {"softnegative": dict(latent=2, encoder=(16, 8), decoder=(8, 16)), "linear": dict(latent=1, encoder=(8,), decoder=(8,), activation="tanh")}
made, real, out = [], vae._model_class, {}
vae._model_class = lambda: lambda *a: made.append(real()(*a)) or made[-1]
log = np.log(PROBE)

def compare(model, g):
    d, said = g.n_latent, np.asarray(keras.ops.convert_to_numpy(model(((log - g.encoder.x_mean) / g.encoder.x_scale).astype("float32"))))
    l = g.encode(PROBE)
    y = (np.stack([l.M_max, l.R_14], 1) - g.encoder.y_mean[:2]) / g.encoder.y_scale[:2]
    x = (np.log(g.decode(l.M_max, l.R_14, l.z)) - g.decoder.y_mean) / g.decoder.y_scale
    ours = np.concatenate([x, y, l.z, 2 * np.log(l.z_sigma)], axis=1)
    return float(np.abs(ours - said).max()), float(said[:, :107].std())

def rebuilt(g, kind):
    parts = []
    for net in (g.encoder, g.decoder):
        widths = [W.shape[1] for W, _ in net.layers]
        part = training.dense(net.n_in, widths[:-1], widths[-1], activation=net.activations[0], seed=0)
        part.set_weights([np.asarray(a) for pair in net.layers for a in pair])
        parts.append(part)
    return real()(*parts, g.n_latent, 2.0, 1e-3, np.asarray(g.encoder.x_mean), np.asarray(g.encoder.x_scale), kind, 0)

for kind, options in kinds.items():
    if train:
        runs = [vae.train(TRAIN, VALIDATION, output=kind, epochs=4, learning_rate=1e-3, batch_size=60, seed=s, **options) for s in (5, 5, 6)[: 3 if kind == "softnegative" else 1]]
        (g, history), model = runs[0], made[-len(runs)]
        vae.save(g, kind, folder=folder, **CARD)
        weights = [np.concatenate([np.ravel(a) for n in (r.encoder, r.decoder) for p in n.layers for a in p]) for r, _ in runs]
        out["same"] = out.get("same") or [bool(np.array_equal(weights[0], w)) for w in weights]
        out[kind + " loss"] = [float(history.validation_loss[k]) for k in (0, -1)]
    else:
        g = vae.load(kind, folder=folder)
        model = rebuilt(g, kind)
    out[kind] = compare(model, g)

# the loss, term by term, against NumPy on random arrays
rng = np.random.default_rng(0)
y, pred = rng.normal(size=(5, 109)), rng.normal(size=(5, 107 + 2 + 4))
def loss(kappa, eta):
    m = real()(None, None, 2, kappa, eta, np.zeros(107), np.ones(107), "linear", 0)
    return float(m.compute_loss(y=keras.ops.convert_to_tensor(y.astype("float32")), y_pred=keras.ops.convert_to_tensor(pred.astype("float32"))))
mu, v = pred[:, 109:111], pred[:, 111:]
terms = [np.mean((y[:, :107] - pred[:, :107]) ** 2), np.mean((y[:, 107:] - pred[:, 107:109]) ** 2), -0.5 * np.mean(1 + v - mu**2 - np.exp(v))]
out["loss"] = [[loss(0, 0), loss(1, 0) - loss(0, 0), loss(0, 1) - loss(0, 0), loss(2.5, 0.3)], [*terms, terms[0] + 2.5 * terms[1] + 0.3 * terms[2]]]
x = ((log - np.mean(log, 0)) / 0.1).astype("float32")
noisy = [np.asarray(keras.ops.convert_to_numpy(model(x, training=True))) for _ in range(2)]
out["noise"] = [float(np.abs(noisy[0] - noisy[1])[:, :107].max()), float(np.abs(noisy[0] - noisy[1])[:, 107:].max())]
print(json.dumps([keras.backend.backend(), out]))
"""


def in_keras(backend, folder, what):
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONPATH": os.path.dirname(__file__), "KERAS_BACKEND": backend,
    }  # fmt: skip
    arguments = [sys.executable, "-c", AGAINST_KERAS, str(folder), what]
    run = subprocess.run(arguments, check=False, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    used, found = json.loads(run.stdout.splitlines()[-1])
    assert used == backend
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def trained(folder):
    """What a process with JAX finds, which leaves two generators in the folder."""
    return in_keras("jax", folder, "train")


@pytest.fixture(scope="module")
def other(trained, folder):
    """What a process with TensorFlow finds of the same files."""
    return in_keras("tensorflow", folder, "compare")


@pytest.fixture(scope="module")
def generator(trained, folder):
    return vae.load("softnegative", folder=folder)


def random_generator(seed=0, d=1, output="softnegative", spread=0.3):
    """A generator with random weights, described by ``TRAIN``; spread scales those of the decoder's last layer."""
    rng = np.random.default_rng(seed)
    draw = lambda *s: rng.normal(size=s).astype("float32")  # noqa: E731
    x, y = np.log(TRAIN.numbers), np.stack([TRAIN.observables.M_max, TRAIN.observables.R_14], axis=1)
    mean, scale = np.append(y.mean(axis=0), np.zeros(d)), np.append(y.std(axis=0), np.ones(d))
    wide = [(draw(107, 6) / 10, draw(6)), (draw(6, 2 + 2 * d) / 3, draw(2 + 2 * d) / 3)]
    tall = [(draw(2 + d, 6) / 2, draw(6)), (spread * draw(6, 107), draw(107) / 10)]
    kinds = ("tanh", "linear")
    encoder = network._build(wide, kinds, (x.mean(axis=0), x.std(axis=0), np.append(mean, np.zeros(d)), np.append(scale, np.ones(d))))
    decoder = network._build(tall, kinds, (mean, scale, x.mean(axis=0), x.std(axis=0)))
    return vae.describe(vae.Generator(encoder, decoder, output), TRAIN)


# ---- Keras and JAX ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["trained", "other"])
def test_generator_is_the_keras_model(which, request):
    """Means, latents and reconstruction, standardised, on the backend that trained and on the other."""
    found = request.getfixturevalue(which)
    for kind in vae.OUTPUTS:
        worst, spread = found[kind]
        assert worst < 1e-4 and spread > 0.03, (kind, worst, spread)


def test_training_lowers_the_loss(trained):
    for kind in vae.OUTPUTS:
        first, last = trained[f"{kind} loss"]
        assert last < first


def test_seed_fixes_the_weights(trained):
    assert trained["same"] == [True, True, False]


@pytest.mark.parametrize("which", ["trained", "other"])
def test_loss_term_by_term(which, request):
    ours, want = request.getfixturevalue(which)["loss"]
    np.testing.assert_allclose(ours, want, rtol=2e-6)


def test_noise_moves_the_reconstruction_alone(trained):
    reconstruction, latents = trained["noise"]
    assert reconstruction > 1e-3 and latents == 0


# ---- the generator ---------------------------------------------------------------------------------------------


def test_shapes(generator):
    latent = generator.encode(PROBE)
    assert latent.M_max.shape == latent.R_14.shape == (20,) and latent.z.shape == latent.z_sigma.shape == (20, 2)
    assert generator.decode(*latent[:3]).shape == (20, 107) and np.all(latent.z_sigma > 0)
    one = generator.encode(PROBE[3])
    np.testing.assert_allclose(generator.decode(*one[:3]), generator.decode(*latent[:3])[3], rtol=1e-12)
    np.testing.assert_allclose(generator.decode(2.1, np.array([11.5, 12.0]), one.z)[1], generator.decode(2.1, 12.0, one.z), rtol=1e-12)


def test_softnegative_is_causal_whatever_the_weights():
    z = np.random.default_rng(0).normal(size=(400, 1)) * 10
    soft, loose = (random_generator(output=kind, spread=3.0).decode(2.1, 12.0, z)[:, :101] for kind in vae.OUTPUTS)
    assert np.all(soft < 1) and np.all(soft > 0) and np.max(loose) > 1
    low = np.asarray(loose) < 0.5  # where the function hardly acts both decoders say the same
    np.testing.assert_allclose(np.asarray(soft)[low], np.asarray(loose)[low], rtol=1e-8)
    assert np.all(np.isfinite(speeds.core(random_generator(spread=3.0).decode(2.1, 12.0, z)).cs2))


def test_equations_of_state(generator):
    known = generator.known
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = generator.eos(*known["mean"][:2])
        M, R = np.array(known["mean"])[:2]
        batch = generator.eos(np.array([M, M]), R, known["mean"][2:])
    assert int(one.status) == 0 and batch.p.shape == (2, one.n_row) and not np.any(batch.status)
    np.testing.assert_allclose(batch.eps[1], one.eps, rtol=1e-10)
    numbers = generator.decode(M, R, jnp.asarray(known["mean"][2:]))
    assert float(one.n_join) == pytest.approx(float(numbers[101]), rel=1e-12)
    assert np.all(np.diff(one.p) > 0) and np.all(np.diff(one.eps) > 0) and np.all(one.cs2 < 1)


def test_a_float_is_enough_for_one_latent():
    g = random_generator(d=1, spread=0.01)
    x = g.known["mean"]
    np.testing.assert_array_equal(g.eos(x[0], x[1], x[2]).p, g.eos(x[0], x[1]).p)


def test_gradient_of_the_decoder(generator):
    x = jnp.asarray(generator.known["mean"])
    f = lambda x: jnp.log(generator.decode(x[0], x[1], x[2:]))  # noqa: E731
    J, h = np.asarray(jax.jit(jax.jacfwd(f))(x)), 1e-5
    found = np.stack([(f(x.at[i].add(h)) - f(x.at[i].add(-h))) / (2 * h) for i in range(4)], axis=1)
    np.testing.assert_allclose(J, found, rtol=1e-6, atol=1e-8)


# ---- ranges and errors -----------------------------------------------------------------------------------------


def test_range_of_the_training_set(generator):
    latent = generator.encode(TRAIN.numbers)
    x = np.column_stack([latent.M_max, latent.R_14, latent.z])
    known = generator.known
    np.testing.assert_allclose(known["low"], x.min(axis=0), rtol=1e-12)
    np.testing.assert_allclose(known["high"], x.max(axis=0), rtol=1e-12)
    np.testing.assert_allclose(known["mean"], x.mean(axis=0), rtol=1e-12)
    reach = [d @ np.linalg.inv(np.cov(x.T)) @ d for d in x - x.mean(axis=0)]
    assert known["reach"] == pytest.approx(max(reach), rel=1e-6)
    assert generator.outside(x[:50]) == ""


def test_outside_is_said_with_the_range(generator):
    low, high, mean = (np.array(generator.known[name]) for name in ("low", "high", "mean"))
    for i, name in enumerate(("M_max [Msun]", "R_14 [km]", "z[0]", "z[1]")):
        x = mean.copy()
        x[i] = high[i] + 0.1 * (high[i] - low[i])
        said = generator.outside(x)
        assert "outside the range of the training set" in said and f"{name} = {x[i]:.4g}" in said
        assert f"{name} {low[i]:.4g} to {high[i]:.4g}" in said and "1 of 1 such" in said
    assert "2 of 3 such" in generator.outside(np.stack([mean, 2 * high, low - 1]))
    spoiled = mean.copy()
    spoiled[1] = np.nan
    assert "outside the range" in generator.outside(spoiled)
    corner = mean + 0.95 * (high - mean) * np.array([1, 1, 1, 1]), mean + 0.95 * (high - mean) * np.array([1, 1, -1, 1])
    assert any("in a corner without members" in generator.outside(c) for c in corner)


def test_outside_is_warned_about(generator):
    high = generator.known["high"]
    with pytest.warns(UserWarning, match=r"R_14 \[km\] = .*: outside the range of the training set \(M_max \[Msun\] .* to"):
        generator.eos(generator.known["mean"][0], high[1] + 0.05)
    described = vae.calibrate(generator, *calibration(generator, 200, 0))
    with pytest.warns(UserWarning, match="outside the range of the training set"):
        described.error(high[0] + 0.3, generator.known["mean"][1])


def calibration(g, n, seed):
    """numbers, truth and decoded stars whose errors are normal, of a width that grows with M_max."""
    data, rng = made_up(n, 100 + seed), np.random.default_rng(200 + seed)
    x = (np.asarray(g.encode(data.numbers).M_max) - g.known["mean"][0]) / (g.known["high"][0] - g.known["low"][0])
    sigma = {"M_max": 1e-3 * np.exp(2 * x), "R_14": 1e-2 * np.exp(-x)}
    decoded = {name: getattr(data.observables, name) + s * rng.normal(size=n) for name, s in sigma.items()}
    return data.numbers, data.observables, SimpleNamespace(**decoded)


def test_errors_cover(generator):
    """Normal errors of known width: 4000 to calibrate, 4000 others; bar 2 points."""
    g = vae.calibrate(generator, *calibration(generator, 4000, 0))
    numbers, truth, decoded = calibration(generator, 4000, 1)
    latent = g.encode(numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few of the others lie outside the training set
        half = g.error(*latent[:3])
    for name in ("M_max", "R_14"):
        inside = np.abs(getattr(decoded, name) - getattr(truth, name))[:, None] <= half[name]
        np.testing.assert_allclose(inside.mean(axis=0), [0.68, 0.95], atol=0.025)
    one = g.error(*(np.asarray(a)[0] for a in latent[:3]))
    np.testing.assert_allclose(one["R_14"], half["R_14"][0], rtol=1e-9)
    # the width of a normal distribution at the latents' mean: 1 and 1.96 sigma
    middle = g.error(*g.known["mean"][:2])
    np.testing.assert_allclose(middle["M_max"], [0.994e-3, 1.96e-3], rtol=0.25)
    np.testing.assert_allclose(middle["R_14"], [0.994e-2, 1.96e-2], rtol=0.25)


def test_calibration_refuses(generator):
    numbers, truth, decoded = calibration(generator, 120, 0)
    with pytest.raises(ValueError, match="errors of this generator are not known"):
        generator.error(2.1, 12.0)
    few = [SimpleNamespace(M_max=a.M_max[:50], R_14=a.R_14[:50]) for a in (truth, decoded)]
    with pytest.raises(ValueError, match="needs at least 100 finite errors of M_max, got 50 of 50"):
        vae.calibrate(generator, numbers[:50], *few)
    with pytest.raises(ValueError, match="50 errors of M_max, but 120 inputs"):
        vae.calibrate(generator, numbers, *few)
    decoded.R_14[7] = np.nan
    with pytest.raises(ValueError, match="100 finite errors of R_14, got 119 of 120"):
        vae.calibrate(generator, numbers, truth, decoded)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2.1, 12.0, [0.0]), r"z must hold 2 numbers along its last axis, got shape \(1,\)"),
        ((2.1, 12.0, 0.5), r"z must hold 2 numbers"),
        ((2.1, 12.0, np.zeros((4, 3))), r"z must hold 2 numbers along its last axis, got shape \(4, 3\)"),
        ((np.nan, 12.0, [0.0, 0.0]), "M_max, R_14 must be finite and > 0"),
        ((2.1, -12.0, [0.0, 0.0]), "M_max, R_14 must be finite and > 0"),
        ((2.1, 12.0, [np.inf, 0.0]), "z finite"),
        ((np.ones((2, 2)), 12.0, [0.0, 0.0]), "numbers or of one axis"),
        ((np.ones(3), np.ones(2), [0.0, 0.0]), r"M_max, R_14 and z must be as many; got shapes \(3,\), \(2,\), \(2,\)"),
    ],
)
def test_bad_latents(generator, arguments, message):
    with pytest.raises(ValueError, match=message):
        generator.eos(*arguments)


def test_bad_numbers(generator):
    bad = PROBE.copy()
    bad[2, 50], bad[3, 106] = -1.0, np.nan
    latent = generator.encode(bad)
    np.testing.assert_array_equal(np.isnan(latent.R_14), np.isin(np.arange(20), (2, 3)))
    np.testing.assert_array_equal(latent.z[5], generator.encode(PROBE).z[5])
    for row, value in ((2, "-1.0 in column 50"), (3, "nan in column 106")):
        with pytest.raises(ValueError, match=f"not finite and positive: {value}"):
            generator.encode(bad[row])
    with pytest.raises(ValueError, match=r"107 inputs along its last axis, got shape \(20, 106\)"):
        generator.encode(PROBE[:, :106])


# ---- files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "output"), [(1, "softnegative"), (3, "linear")])
def test_file_round_trip(tmp_path, d, output):
    g = random_generator(d=d, output=output)
    vae.save(g, "some", folder=tmp_path, **CARD)
    again = vae.load("some", folder=tmp_path)
    assert vae.names(tmp_path) == ["some"] and (again.output, again.n_latent, again.known) == (output, d, g.known)
    latent = g.encode(PROBE)
    for a, b in zip(jax.tree.leaves(again.encode(PROBE)), jax.tree.leaves(latent), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(again.decode(*latent[:3]), g.decode(*latent[:3]))
    np.testing.assert_array_equal(jax.jit(lambda g, z: g.decode(2.1, 12.0, z))(again, latent.z), jax.jit(g.decode)(2.1, 12.0, latent.z))


def test_parts_of_two_generators_are_refused(tmp_path):
    vae.save(random_generator(seed=0), "one", folder=tmp_path, **CARD)
    vae.save(random_generator(seed=1), "two", folder=tmp_path, **CARD)
    for suffix in ("npz", "json"):
        (tmp_path / f"two-encoder.{suffix}").replace(tmp_path / f"one-encoder.{suffix}")
    with pytest.raises(ValueError, match="encoder and decoder of 'one' do not belong together"):
        vae.load("one", folder=tmp_path)
    with pytest.raises(ValueError, match="name is 'two-encoder'; there are: one-decoder"):
        vae.load("two", folder=tmp_path)


def signed(card, weights):
    """The card with the checksum that fits it and its weights."""
    return card | {"sha256": network._checksum(weights.read_bytes(), card)}


def test_altered_files_are_refused(tmp_path):
    vae.save(random_generator(), "one", folder=tmp_path, **CARD)
    card, weights = tmp_path / "one-decoder.json", tmp_path / "one-decoder.npz"
    text = card.read_text()
    scaler = json.loads(text)
    scaler["scaler"]["y_mean"][7] += 1e-9
    card.write_text(json.dumps(signed(scaler, weights)))
    with pytest.raises(ValueError, match="do not belong together: their scalers or ranges differ"):
        vae.load("one", folder=tmp_path)
    for part in ("encoder", "decoder"):
        path = tmp_path / f"one-{part}.json"
        changed = json.loads(text if part == "decoder" else path.read_text()) | {"output": "sigmoid"}
        path.write_text(json.dumps(signed(changed, path.with_suffix(".npz"))))
    with pytest.raises(ValueError, match="does not describe an autoencoder of 107 numbers"):
        vae.load("one", folder=tmp_path)
    data = weights.read_bytes()
    weights.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    with pytest.raises(ValueError, match=r"one-decoder\.npz or its card is truncated or altered"):
        vae.load("one", folder=tmp_path)
    with pytest.raises(ValueError, match="name is 'none'; there are: one"):
        vae.load("none", folder=tmp_path)


def test_what_is_not_described_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="describe"):
        vae.save(replace(random_generator(), text=""), "one", folder=tmp_path, **CARD)
    assert replace(random_generator(), text="").outside([9.0, 9.0, 9.0]) == ""


# ---- training --------------------------------------------------------------------------------------------------


def changed(**columns):
    """``TRAIN`` with another column or other numbers."""
    numbers = columns.pop("numbers", TRAIN.numbers)
    return SimpleNamespace(numbers=numbers, observables=SimpleNamespace(**vars(TRAIN.observables) | columns))


SPOILED = TRAIN.numbers.copy()
SPOILED[4, 9] = 0.0


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (TRAIN, {"output": "sigmoid"}, "output must be one of softnegative, linear; got 'sigmoid'"),
        (TRAIN, {"latent": 0}, "latent must be a whole number >= 1, got 0"),
        (TRAIN, {"latent": True}, "latent must be a whole number >= 1, got True"),
        (TRAIN, {"epochs": 0}, "epochs must be a whole number >= 1, got 0"),
        (TRAIN, {"batch_size": 2.5}, "batch_size must be a whole number >= 1, got 2.5"),
        (TRAIN, {"kappa": -1.0}, "kappa must be finite and >= 0, got -1.0"),
        (TRAIN, {"eta": np.nan}, "eta must be finite and >= 0, got nan"),
        (changed(numbers=TRAIN.numbers[:0]), {}, "train is empty"),
        (changed(numbers=TRAIN.numbers[:, :106]), {}, r"train: numbers must be 107 along the last axis, got shape \(300, 106\)"),
        (changed(numbers=SPOILED), {}, "train: row 4 of the numbers is not finite and positive: 0.0 in column 9"),
        (changed(R_14=TRAIN.observables.R_14[:9]), {}, "train: M_max and R_14 must be 300 finite numbers"),
        (changed(R_14=np.where(np.arange(300) == 3, np.nan, TRAIN.observables.R_14)), {}, "train: M_max and R_14 must be 300 finite"),
        (changed(R_14=np.full(300, 12.0)), {}, "train: one of the numbers, M_max or R_14 is the same in all rows"),
        (changed(numbers=np.where(np.arange(107) == 103, 0.5, TRAIN.numbers)), {}, "is the same in all rows"),
    ],
)
def test_bad_training(data, options, message):
    with pytest.raises(ValueError, match=message):
        vae.train(data, VALIDATION, **{"epochs": 1, "seed": 0} | options)


def test_using_a_generator_loads_no_keras():
    code = "import sys; import nslib.learn.eos_vae; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
