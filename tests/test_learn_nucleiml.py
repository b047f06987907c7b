"""Networks of nuclei on made-up binding energies and radii: Keras and JAX say the same, weights, classes, errors, files.

No nucleus is solved here: B and r_ch are smooth functions of the parameters and of a z that is drawn, and the
networks are tiny. Couplings that exist or do not are those of ``nslib.matter.rmf.invert``.
"""

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib import datasets, nuclei
from nslib.batches import in_blocks
from nslib.datasets import Admissibility, NucleiSet
from nslib.learn import calibration, network
from nslib.learn import nucleiml as nml
from nslib.matter import rmf

CARD = {key: "x" for key in network.CARD}
NAMES = ("16O", "48Ca")
SEEN = nuclei.experiment(NAMES)
LOW, HIGH = np.array(rmf.PRIOR).T
COLUMNS = ("parameters", "z", "inversion", "B", "r_ch", "status")


def scaled(parameters):
    """Parameters from -1 to 1 over the prior."""
    return (2 * parameters - LOW - HIGH) / (HIGH - LOW)


def made_up(n, seed):
    """n draws: every tenth has no couplings, 48Ca does not converge for small m*, every seventh 16O is far off."""
    rng = np.random.default_rng(seed)
    u, z, k = rng.uniform(-1, 1, (n, 7)), rng.uniform(-0.4, 0.9, n), np.arange(n)
    ln_B = np.column_stack([0.1 * u[:, 1] + 0.05 * z, 0.1 * u[:, 1] + 0.05 * z * u[:, 4]])
    ln_r = np.column_stack([-0.04 * u[:, 0], 0.03 * z - 0.03 * u[:, 0]])
    B, r_ch = SEEN.B * np.exp(ln_B), SEEN.r_ch * np.exp(ln_r)
    B[k % 7 == 3, 0] *= 2.0
    status = np.where(u[:, [4]] < [[-2.0, -0.4]], nuclei.Status.BUDGET_SPENT, nuclei.Status.OK)
    none = k % 10 == 5
    status[none] = nuclei.Status.NOT_FINITE
    inversion = np.where(none, rmf.Status.RHO_IMAGINARY, rmf.Status.OK)
    B, r_ch = (np.where(status == nuclei.Status.OK, a, np.nan) for a in (B, r_ch))
    return NucleiSet(NAMES, (LOW + HIGH) / 2 + u * (HIGH - LOW) / 2, np.where(none, np.nan, z), inversion, B, r_ch, status)


def spoiled(data):
    """The same draws with garbage in B and r_ch wherever these are not to be learnt."""
    unsolved, far = ~data.solved, np.abs(data.B / SEEN.B - 1) > nml.LEARNT
    assert unsolved.any() and far.any() and not np.any(unsolved & far)
    assert np.any(far[:, 0] & data.solved[:, 1])  # rows of which the other nucleus is learnt
    B, r_ch = data.B.copy(), data.r_ch.copy()
    B[unsolved], r_ch[unsolved], B[far], r_ch[far] = -1e30, 1e30, 7.0 * SEEN.B.max(), 1e-9
    return replace(data, B=B, r_ch=r_ch)


TRAIN, VALIDATION, NEW = made_up(600, 1), made_up(150, 2), made_up(400, 3)


def labels(data):
    """Three classes, which a plane in K_0 and J_0 and the number of neutrons tell."""
    u = scaled(data.parameters)
    return np.where(u[:, [2]] + u[:, [5]] > 0.2, 0, np.where(np.array(SEEN.B) > 200, 2, 1))


def learnt(data):
    """Rows for the regressors: solved and near."""
    return data.solved & ~(np.abs(data.B / SEEN.B - 1) > nml.LEARNT)


# ---- training: one process with Keras --------------------------------------------------------------------------

#: trains and says what Keras says; argument: a folder for the networks
TRAINED = """
import json, sys
import keras, numpy as np
from keras import ops
from test_learn_nucleiml import *
from nslib.learn import training

folder, out, models, rates = sys.argv[1], {}, [], []
dense, adam = training.dense, keras.optimizers.Adam
training.dense = lambda *a, **k: models.append(dense(*a, **k)) or models[-1]
keras.optimizers.Adam = lambda rate: rates.append((rate, adam(rate))) or rates[-1][1]

def against_keras(net, x):
    z = (x - np.asarray(net.x_mean)) / np.asarray(net.x_scale)
    said = ops.convert_to_numpy(models[-1](z.astype("float32")))
    ours = (np.asarray(net(x)) - np.asarray(net.y_mean)) / np.asarray(net.y_scale)
    return [float(np.abs(said - ours).max()), float(said.std())]

def course(n_row, epochs, batch):
    rate, optimizer = rates[-1]
    steps = epochs * -(-n_row // batch)
    return [int(optimizer.iterations), steps, [float(rate(k)) for k in (0, max(1, round(0.03 * steps)), steps // 2, steps - 1, steps)]]

def flat(net):
    return np.concatenate([np.ravel(a) for a in jax.tree.leaves(net)])

def said(name, history):
    out[name + " loss"] = [float(history.loss[0]), float(history.loss[-1]), float(history.validation_loss[history.best])]

some = VALIDATION.inversion == rmf.Status.OK
nine = np.asarray(nml.inputs(VALIDATION.parameters, VALIDATION.z))[some]

options = dict(hidden=(16, 16), epochs=30, batch_size=60, learning_rate=0.03, seed=5)
values, history = nml.train_values(TRAIN, VALIDATION, **options)
said("values", history)
out["values"] = against_keras(values, nine)
out["values rate"] = course(int(learnt(TRAIN).any(axis=1).sum()), 30, 60)
again, _ = nml.train_values(spoiled(TRAIN), spoiled(VALIDATION), **options)
out["garbage in values"] = bool(np.array_equal(flat(values), flat(again)))
seven, _ = nml.train_values(TRAIN, VALIDATION, with_z=False, **options | {"epochs": 1})
out["without z"] = [seven.n_in, *against_keras(seven, nine[:, :7])]
network.save(seven, "seven", folder=folder, **CARD)

convergence, history = nml.train_convergence(TRAIN, VALIDATION, hidden=(16,), epochs=20, batch_size=60, learning_rate=0.05, seed=5)
said("convergence", history)
out["convergence"] = against_keras(convergence, nine)
out["convergence rate"] = course(540, 20, 60)
nml.save(nml.Emulator(values, convergence, NAMES), "ours", folder=folder, **CARD)

rows = nml.paper_inputs(VALIDATION.parameters, NAMES).reshape(-1, 9)
classifier, history = nml.train_classifier(*((d, labels(d)) for d in (TRAIN, VALIDATION)), n_class=3, hidden=(16,), epochs=25, batch_size=60, learning_rate=0.03, seed=5)
said("classifier", history)
out["classifier"] = against_keras(classifier, rows)
few = dict(n_class=3, hidden=(16,), epochs=3, batch_size=60, learning_rate=0.03, seed=5)
plain, even, heavy = (nml.train_classifier(*((d, labels(d)) for d in (TRAIN, VALIDATION)), class_weights=w, **few)[0] for w in (None, (1, 1, 1), (1, 20, 1)))
out["weights"] = [bool(np.array_equal(flat(plain), flat(even))), *(float(np.mean(np.argmax(net(rows), axis=-1) == 1)) for net in (plain, heavy))]
pairs = [(spoiled(d), learnt(d)) for d in (TRAIN, VALIDATION)]
regressors = []
for which in ("B", "r_ch"):
    options = dict(hidden=(32,), epochs=20, batch_size=60, learning_rate=0.03, seed=5)
    net, history = nml.train_regressor(*pairs, which, **options)
    said(which, history)
    out[which] = against_keras(net, rows)
    regressors.append(net)
nml.save(nml.Paper(classifier, *regressors, NAMES), "paper", folder=folder, **CARD)

def refused(f, *a, **k):
    try:
        f(*a, **{"epochs": 1, "batch_size": 50, "hidden": (2,), "seed": 0} | k)
    except ValueError as error:
        return str(error)
    return "trained"

other = replace(VALIDATION, nuclei=NAMES[::-1])
unsolved = replace(TRAIN, status=np.where([[True, False]], nuclei.Status.BUDGET_SPENT, TRAIN.status))
same = replace(TRAIN, r_ch=np.where([[False, True]], 3.5, TRAIN.r_ch))
constant = replace(TRAIN, parameters=np.where(np.arange(7) == 3, 7.0, TRAIN.parameters))
nothing = replace(TRAIN, inversion=np.ones(600, int), status=np.full((600, 2), nuclei.Status.NOT_FINITE))
ours, classify, regress = (nml.train_values, nml.train_convergence), nml.train_classifier, nml.train_regressor
cases = [[(f, (TRAIN, VALIDATION), {"epochs": 0}) for f in ours], [(f, (TRAIN, VALIDATION), {"batch_size": 2.5}) for f in ours], [(f, (TRAIN, other), {}) for f in ours],
         [(f, (constant, VALIDATION), {}) for f in ours], [(f, (nothing, VALIDATION), {}) for f in ours], [(f, (TRAIN, VALIDATION[:0]), {}) for f in ours]]
out["errors"] = [[refused(f, *a, **k) for f, a, k in case] for case in cases]
out["errors of values"] = [refused(ours[0], d, VALIDATION) for d in (unsolved, same)]
good, label = (VALIDATION, labels(VALIDATION)), labels(TRAIN)
bad = [label[:, :1], label - 1, label + 1, label * 1.0, label[:-1]]
out["errors of classes"] = [refused(classify, (TRAIN, a), good, n_class=3) for a in bad] + [refused(classify, (TRAIN, label), (VALIDATION, label), n_class=3)]
out["errors of weights"] = [refused(classify, (TRAIN, label), good, n_class=3, class_weights=w) for w in ((1, 1), (1, 0, 1), (1, np.nan, 1), (1, 1e-46, 1), "balanced", {0: 1, 1: 2, 2: 1})]
out["errors of regressors"] = [
    refused(regress, *pairs, "R"), refused(regress, (TRAIN, learnt(TRAIN)[:, 0]), pairs[1], "B"), refused(regress, pairs[0], (VALIDATION, np.ones((150, 2))), "B"),
    refused(regress, (TRAIN, learnt(TRAIN) & [[True, False]]), pairs[1], "B"),
]
out["errors of both"] = [refused(classify, (TRAIN, label), good, n_class=3, epochs=True), refused(regress, *pairs, "B", batch_size=0)]
print(json.dumps([keras.backend.backend(), out]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def trained(folder):
    """What a process with TensorFlow finds, which leaves the networks in the folder."""
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONPATH": os.path.dirname(__file__), "KERAS_BACKEND": "tensorflow",
    }  # fmt: skip
    run = subprocess.run([sys.executable, "-c", TRAINED, str(folder)], check=False, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    used, found = json.loads(run.stdout.splitlines()[-1])
    assert used == "tensorflow"
    return found


@pytest.fixture(scope="module")
def ours(trained, folder):
    return nml.load("ours", folder=folder)


@pytest.fixture(scope="module")
def paper(trained, folder):
    return nml.load("paper", folder=folder)


@pytest.mark.parametrize("which", ["values", "convergence", "classifier", "B", "r_ch"])
def test_jax_says_what_keras_says(trained, which):
    """Standardised; float32 there, float64 here. Raw values of the regressors are up to 500, in parts of 1e-7."""
    worst, spread = trained[which]
    assert worst < 1e-4 * (5 if which == "B" else 1) and spread > 0.03, (worst, spread)


@pytest.mark.parametrize("which", ["values", "convergence", "classifier", "B", "r_ch"])
def test_training_lowers_the_loss(trained, which):
    first, last, _ = trained[f"{which} loss"]
    assert last < 0.5 * first


def test_values_are_learnt(ours):
    """New draws, where the law is known: half of the errors below a tenth of the deviation."""
    some = NEW.inversion == rmf.Status.OK
    keep = learnt(NEW)[some]
    for found, which in zip(ours.at(NEW.parameters[some], NEW.z[some]), ("B", "r_ch")):
        want = np.log(getattr(NEW, which)[some])
        for k in range(2):
            assert np.median(np.abs(found - want)[keep[:, k], k]) < 0.1 * np.std(want[keep[:, k], k])


def test_what_has_no_weight_does_not_matter(trained):
    """Garbage where nothing converges, and where B is far from experiment: the same weights to the bit."""
    assert trained["garbage in values"] is True


def test_without_z_there_are_seven_inputs(trained, folder):
    n_in, worst, _ = trained["without z"]
    assert n_in == 7 and worst < 1e-4
    seven = network.load("seven", folder=folder)
    assert seven(NEW.parameters).shape == (400, 4)
    with pytest.raises(ValueError, match=r"7 inputs along its last axis, got shape \(1, 9\)"):
        nml.Emulator(seven, random_emulator().convergence, NAMES)(CENTRE)
    with pytest.raises(ValueError, match=r"'some' does not hold networks of 2 nuclei: inputs and outputs are \[\(7, 4\), \(9, 2\)\]"):
        nml.save(nml.Emulator(seven, random_emulator().convergence, NAMES), "some", folder=folder, **CARD)


def test_rate_rises_and_falls_to_zero(trained):
    """Every step of the schedule is taken. A cosine at step s - 1 of s: (pi / 2 s)^2, here 2e-5; half way about half."""
    done, steps, (start, warm, half, last, end) = trained["values rate"]
    assert done == steps
    assert start == 0 and warm == pytest.approx(0.03, rel=1e-5) and 0.4 * warm < half < 0.6 * warm
    assert last < 1e-4 * warm and end < 1e-7 * warm
    done, steps, (start, _, half, last, end) = trained["convergence rate"]
    assert done == steps and start == pytest.approx(0.05, rel=1e-5) and half == pytest.approx(0.025, rel=1e-3)
    assert last < 1e-3 * start and end < 1e-7 * start


def test_convergence_is_learnt(ours):
    """16O always converges, 48Ca where m* is not small; three points from the boundary, right in 49 of 50."""
    some = NEW.inversion == rmf.Status.OK
    p = np.asarray(ours.at(NEW.parameters[some], NEW.z[some])[2])
    clear = np.abs(scaled(NEW.parameters[some])[:, 4] + 0.4) > 0.06
    assert np.all(p[:, 0] > 0.9) and 0.2 < np.mean(p[:, 1] < 0.5) < 0.4
    assert np.mean(((p[:, 1] > 0.5) == NEW.solved[some][:, 1])[clear]) > 0.98


def test_classes_are_learnt(paper):
    with_all = paper(NEW.parameters)
    u = scaled(NEW.parameters)
    clear = np.abs(u[:, 2] + u[:, 5] - 0.2) > 0.15
    assert 0.5 < clear.mean() < 1 and set(labels(NEW).ravel()) == {0, 1, 2}
    assert np.mean(with_all.admissibility[clear] == labels(NEW)[clear]) > 0.99


def test_weights_of_classes(trained):
    """Weights of 1 change no bit; a class that weighs 20 times as much is said more often."""
    same, plain, heavy = trained["weights"]
    assert same and heavy > plain + 0.02
    assert all("class_weights must be 3 finite numbers above 0, none below 1e-6 of the largest, got" in one for one in trained["errors of weights"])


def test_losses_of_regressors_are_per_cent(trained, paper):
    keep = learnt(VALIDATION)  # what is not kept was garbage
    rows = nml.paper_inputs(VALIDATION.parameters, NAMES)[keep]
    for which in ("B", "r_ch"):
        truth = getattr(VALIDATION, which)[keep]
        error = 100 * np.mean(np.abs(np.asarray(getattr(paper, which)(rows))[:, 0] / truth - 1))
        assert error == pytest.approx(trained[f"{which} loss"][2], rel=1e-3)
        deviation = truth / np.asarray(getattr(SEEN, which))[np.nonzero(keep)[1]]
        assert error < 100 * np.std(deviation)  # better than the mean of each nucleus


def test_bad_training(trained):
    """Each pair is what ``train_values`` and ``train_convergence`` say."""
    wanted = [
        "epochs must be a whole number >= 1, got 0", "batch_size must be a whole number >= 1, got 2.5",
        "validation must hold the nuclei 16O, 48Ca in this order, got 48Ca, 16O", "an input that is the same in all rows",
        "train: 0 rows", "validation must have the same length, at least 1; got 0 and 0",
    ]  # fmt: skip
    for want, said in zip(wanted, trained["errors"], strict=True):
        assert all(want in one for one in said) and len(said) == 2, (want, said)
    one, two = trained["errors of values"]
    assert "train: 0 binding energies of 16O to learn" in one
    assert "charge radii of 48Ca to learn, no two of them different" in two
    *train, validation = trained["errors of classes"]
    assert all("train: classes must be whole numbers from 0 to 2, of shape (600, 2)" in one for one in train) and len(train) == 5
    assert "validation: classes must be whole numbers from 0 to 2, of shape (150, 2)" in validation
    wanted = ['which must be "B" or "r_ch", got \'R\'', "train: rows to use must be of shape (600, 2) and solved",
              "validation: rows to use must be of shape (150, 2) and solved", "an input that is the same in all rows"]  # fmt: skip
    for want, said in zip(wanted, trained["errors of regressors"], strict=True):
        assert want in said
    assert "epochs must be a whole number >= 1, got True" in trained["errors of both"][0]
    assert "batch_size must be a whole number >= 1, got 0" in trained["errors of both"][1]


# ---- the emulator, with random weights -------------------------------------------------------------------------


def random_network(rng, n_out, y_mean, y_scale, spread=1.5):
    """9 inputs of the size of the prior, one hidden layer; spread is that of the outputs, about."""
    W = [rng.normal(size=s).astype("float32") for s in ((9, 12), (12, n_out))]
    b = [rng.normal(size=s).astype("float32") for s in (12, n_out)]
    layers = ((W[0] / 3, b[0]), ((spread * W[1] / 4).astype("float32"), np.zeros(n_out, "float32")))
    mean, scale = np.append((LOW + HIGH) / 2, [0.3, -0.5]), np.append((HIGH - LOW) / 3, [0.3, 0.5])
    return network._build(layers, ["silu", "linear"], (mean, scale, y_mean, y_scale))


def random_emulator(seed=0, names=NAMES, deviation=0.15):
    """Outputs that scatter about experiment by ``deviation``."""
    rng, seen, k = np.random.default_rng(seed), nuclei.experiment(names), len(names)
    r_ch = np.where(np.isfinite(seen.r_ch), seen.r_ch, 4.5)
    values = random_network(rng, 2 * k, np.log(np.append(seen.B, r_ch)), deviation)
    return nml.Emulator(values, random_network(rng, k, 1.0, 2.0), tuple(names))


def random_paper(seed=0, names=NAMES):
    rng = np.random.default_rng(seed)

    def net(n_out, mean, scale):
        found = random_network(rng, n_out, mean, scale)
        return replace(found, x_mean=found.x_mean.at[7:].set(20.0), x_scale=found.x_scale.at[7:].set(10.0))

    return nml.Paper(net(2, 0.0, 1.0), net(1, 300.0, 50.0), net(1, 3.0, 0.3), tuple(names))


CENTRE = np.array([0.153, -16.0, 230.0, -300.0, 0.6, 31.0, 60.0])
DRAWS = np.random.default_rng(7).uniform(LOW, HIGH, (60, 7))
FIELDS = ("B", "r_ch", "B_error", "r_error", "converged", "admissibility")


def same(a, b, rows=slice(None), columns=slice(None)):
    """Prediction a to the bit those rows and columns of prediction b."""
    for name in FIELDS:
        x, y = getattr(a, name), getattr(b, name)
        if x is None or y is None:
            assert x is y
        else:
            np.testing.assert_array_equal(x, y[rows][..., columns, :] if name.endswith("error") else y[rows][..., columns])


@pytest.fixture(scope="module")
def emulator():
    """A random emulator with errors, calibrated on normal deviations of known width."""
    return nml.calibrate(random_emulator(), deviating(random_emulator(), 8000, 11))


def deviation(x):
    """Relative width of what a made-up truth deviates from an emulator: B and r_ch, (n, 1) each."""
    m = scaled(x)[:, [4]]
    return 0.004 * np.exp(0.5 * m), 0.001 * np.exp(-0.5 * m)


def deviating(emulator, n, seed):
    """A set whose B and r_ch are those of the emulator, but for normal deviations."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(LOW, HIGH, (n, 7))
    q = rmf.invert(rmf.NuclearMatter(*x.T))
    inversion, z = np.asarray(q.status), np.asarray(q.z)
    B, r_ch, _ = (np.asarray(a) for a in in_blocks(lambda x, z: nml._exp(emulator, x, z), x, z))
    status = np.where(inversion[:, None] == rmf.Status.OK, nuclei.Status.OK, nuclei.Status.NOT_FINITE) + np.zeros_like(B, int)
    B, r_ch = (a * (1 + s * rng.normal(size=a.shape)) for a, s in zip((B, r_ch), deviation(x), strict=True))
    return NucleiSet(emulator.nuclei, x, z, inversion, B, r_ch, status)


@pytest.fixture(scope="module")
def said(emulator):
    return emulator(DRAWS)


@pytest.fixture(scope="module")
def inverted():
    return rmf.invert(rmf.NuclearMatter(*DRAWS.T))


def test_nine_inputs():
    z = np.array([-0.4, 0.5, 1.0])
    found = np.asarray(nml.inputs(DRAWS[:3], z))
    np.testing.assert_allclose(found, np.column_stack([DRAWS[:3], z, np.log([1.403, 0.503, 0.003])]), rtol=1e-12)
    np.testing.assert_allclose(nml.inputs(DRAWS[1], 0.5), found[1], rtol=1e-12)
    rows = nml.paper_inputs(DRAWS, ("48Ca", "208Pb"))
    assert rows.shape == (60, 2, 9)
    np.testing.assert_array_equal(rows[..., 7:], np.broadcast_to([[28.0, 20.0], [126.0, 82.0]], (60, 2, 2)))
    np.testing.assert_array_equal(rows[:, 1, :7], DRAWS)


def test_shapes_of_a_batch_and_of_one(emulator, said, inverted):
    """One set goes through other compiled sizes: z to 1e-9, and the logarithm of 1 - z multiplies by up to 1/0.003."""
    assert said.nuclei == NAMES and said.B.shape == said.r_ch.shape == said.converged.shape == said.admissibility.shape == (60, 2)
    assert said.B_error.shape == said.r_error.shape == (60, 2, 2)
    for i in (np.flatnonzero(inverted.status == 0)[0], np.flatnonzero(inverted.status)[0]):
        one = emulator(DRAWS[i])
        assert one.nuclei == NAMES and one.B.shape == one.converged.shape == (2,) and one.r_error.shape == (2, 2)
        for name in FIELDS:
            np.testing.assert_allclose(getattr(one, name), getattr(said, name)[i], rtol=1e-6)
    assert emulator(DRAWS[:1]).B.shape == (1, 2)


def test_values_are_those_of_the_networks(emulator, said, inverted):
    some = np.asarray(inverted.status) == 0
    ln_B, ln_r, p = (np.asarray(a) for a in emulator.at(DRAWS[some], np.asarray(inverted.z)[some]))
    np.testing.assert_allclose(said.B[some], np.exp(ln_B), rtol=1e-10)
    np.testing.assert_allclose(said.r_ch[some], np.exp(ln_r), rtol=1e-10)
    np.testing.assert_allclose(said.converged[some], p, rtol=1e-9)
    y = np.asarray(emulator.values(nml.inputs(DRAWS[some], np.asarray(inverted.z)[some])))
    np.testing.assert_array_equal(np.concatenate([ln_B, ln_r], axis=1), y)
    logit = np.asarray(emulator.convergence(nml.inputs(DRAWS[some], np.asarray(inverted.z)[some])))
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-logit)), rtol=1e-12)


def test_nuclear_matter_and_arrays_are_one(emulator, said):
    same(emulator(rmf.NuclearMatter(*DRAWS.T)), said)
    same(emulator(rmf.NuclearMatter(*map(jnp.asarray, DRAWS.T))), said)
    same(emulator(DRAWS.tolist()), said)
    same(emulator(rmf.NuclearMatter(*CENTRE)), emulator(CENTRE))
    mixed = emulator(rmf.NuclearMatter(*CENTRE[:5], DRAWS[:, 5], CENTRE[6]))
    rows = np.tile(CENTRE, (60, 1))
    rows[:, 5] = DRAWS[:, 5]
    same(mixed, emulator(rows))


@pytest.mark.parametrize("which", ["ours", "paper"])
def test_some_nuclei_by_names_and_pairs(emulator, which):
    names = ("16O", "40Ca", "48Ca")
    net = random_emulator(names=names) if which == "ours" else random_paper(names=names)
    whole = net(DRAWS)
    for chosen, columns in ((["48Ca", (8, 8)], [2, 0]), ([(20, 28)], [2]), ("40Ca", [1]), (("16O", "16O"), [0, 0])):
        found = net(DRAWS, chosen)
        assert found.nuclei == tuple(names[k] for k in columns)
        same(found, whole, columns=columns)
    assert net(CENTRE, "40Ca").B.shape == (1,)
    same(emulator(DRAWS, ["48Ca"]), emulator(DRAWS), columns=[1])  # with errors


def test_no_couplings(emulator, said, inverted):
    none = np.asarray(inverted.status) != rmf.Status.OK
    assert 10 < none.sum() < 50
    for name in FIELDS[:4]:
        assert np.all(np.isnan(getattr(said, name)[none])) and np.all(np.isfinite(getattr(said, name)[~none]))
    assert np.all(said.converged[none] == 0) and np.all(said.converged[~none] > 0)
    np.testing.assert_array_equal(np.all(said.admissibility == Admissibility.NO_COUPLINGS, axis=1), none)
    assert not np.any(said.admissibility[~none] == Admissibility.NO_COUPLINGS)
    one = emulator(DRAWS[np.flatnonzero(none)[0]])  # one set is no error: its class says it
    assert np.all(one.admissibility == Admissibility.NO_COUPLINGS) and np.all(np.isnan(one.B))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["ours", "paper"])
def test_neighbours_of_a_member_that_is_not_finite(emulator, which, value):
    net = emulator if which == "ours" else random_paper()
    whole, spoiled = net(DRAWS), DRAWS.copy()
    i = np.flatnonzero(np.isfinite(emulator(DRAWS).B[:, 0]))[4]
    spoiled[i, 3] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = net(spoiled)
    rest = np.arange(60) != i
    for name in FIELDS:
        a, b = getattr(found, name), getattr(whole, name)
        if a is not None:
            np.testing.assert_array_equal(a[rest], b[rest])
    assert np.all(np.isfinite(whole.B[i])) and np.all(np.isnan(found.B[i])) and np.all(np.isnan(found.r_ch[i]))
    assert np.all(found.converged[i] == 0) and np.all(found.admissibility[i] == Admissibility.NO_COUPLINGS)
    if which == "ours":
        assert np.all(np.isnan(found.B_error[i])) and np.all(np.isnan(found.r_error[i]))


THRESHOLDS = [{}, {"relative": 0.3}, {"relative": 0.1}, {"absolute": 10.0}, {"relative": None, "absolute": 40.0}]


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=str)
def test_thresholds_are_those_of_the_data_set(emulator, said, inverted, threshold):
    """The classes that ``datasets.admissibility`` gives to the emulator's own B, r_ch and convergence."""
    status = np.where(said.converged < 0.5, nuclei.Status.BUDGET_SPENT, nuclei.Status.OK)
    data = NucleiSet(NAMES, DRAWS, np.asarray(inverted.z), np.asarray(inverted.status), said.B, said.r_ch, status)
    found = emulator(DRAWS, **threshold)
    np.testing.assert_array_equal(found.admissibility, datasets.admissibility(data, **threshold))
    for name in FIELDS[:5]:
        np.testing.assert_array_equal(getattr(found, name), getattr(said, name))
    kinds = set(found.admissibility.ravel())
    assert kinds == set(map(int, Admissibility)) - ({Admissibility.OUTSIDE} if threshold.get("relative") == 0.3 else set())


def test_a_threshold_by_hand(emulator):
    """One set, one nucleus: just above and just below how far B or r_ch is off."""
    one = next(p for q in DRAWS if (p := emulator(q)).converged[0] > 0.5)
    off = np.abs([one.B[0] / SEEN.B[0] - 1, one.r_ch[0] / SEEN.r_ch[0] - 1]).max()
    q = next(q for q in DRAWS if emulator(q).B[0] == one.B[0])
    kinds = [emulator(q, "16O", relative=off * f).admissibility[0] for f in (1.001, 0.999)]
    assert kinds == [Admissibility.ADMISSIBLE, Admissibility.OUTSIDE]
    off = np.abs(one.B[0] - SEEN.B[0])
    kinds = [emulator(q, "16O", absolute=off * f).admissibility[0] for f in (1.001, 0.999)]
    assert kinds == [Admissibility.ADMISSIBLE, Admissibility.OUTSIDE]


def test_a_radius_that_was_not_measured_does_not_count(inverted):
    names = ("16O", "100Sn")
    assert np.isnan(nuclei.experiment(names).r_ch[1])
    net = random_emulator(names=names, deviation=0.3)
    net = replace(net, values=replace(net.values, y_mean=net.values.y_mean.at[2:].add(0.25)))  # all radii too large
    found = net(DRAWS)
    status = np.where(found.converged < 0.5, nuclei.Status.BUDGET_SPENT, nuclei.Status.OK)
    data = NucleiSet(names, DRAWS, np.asarray(inverted.z), np.asarray(inverted.status), found.B, found.r_ch, status)
    kinds = datasets.admissibility(data, radii=False)
    np.testing.assert_array_equal(found.admissibility[:, 1], kinds[:, 1])
    assert np.any(found.admissibility[:, 0] != kinds[:, 0])  # that of 16O does count
    assert {Admissibility.ADMISSIBLE, Admissibility.OUTSIDE} <= set(found.admissibility[:, 1])


# ---- what is refused, and what is said -------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["ours", "paper"])
def test_outside_of_the_prior_is_said(emulator, which):
    net = emulator if which == "ours" else random_paper()
    one = CENTRE.copy()
    one[6] = 118.0
    with pytest.warns(UserWarning, match=r"^L_0 = 118 outside \[20, 100\]: 1 of 1 sets lie outside the population") as seen:
        found = net(one)
    assert len(seen) == 1 and seen[0].filename == __file__ and np.all(np.isfinite(found.B))
    rows = np.tile(CENTRE, (5, 1))
    rows[1, [0, 4]], rows[3, 2], rows[4, 1] = [0.135, 0.85], 310.0, np.nan
    with pytest.warns(UserWarning, match=r"rho_0 = 0.135 outside \[0.14, 0.17\], m_star = 0.85 outside \[0.5, 0.8\]: 2 of 5 sets"):
        net(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net(np.stack([LOW, HIGH]))  # the ends belong to it


def test_outside_of_the_prior_is_not_clamped():
    """With couplings: what the networks say there, and not what they say at the edge."""
    one, net = CENTRE.copy(), random_emulator()
    one[6] = 118.0
    q = rmf.invert(rmf.NuclearMatter(*one))
    with pytest.warns(UserWarning, match="L_0"):
        found = net(one)
    np.testing.assert_allclose(found.B, np.exp(np.asarray(net.at(one, q.z)[0])), rtol=1e-6)
    one[6] = 100.0
    assert np.all(np.abs(net(one).B / found.B - 1) > 1e-4)


GAP = CENTRE.copy()
GAP[4] = np.nan


@pytest.mark.parametrize("which", ["ours", "paper"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CENTRE, "208Pb"), "nuclei: 208Pb not learnt; this network knows 16O, 48Ca"),
        ((CENTRE, [(8, 8), (82, 126)]), "nuclei: 208Pb not learnt"),
        ((CENTRE, ["16O", "4He"]), "nuclei: no filling for '4He'"),
        ((CENTRE, [(8, 8.5)]), r"nuclei: Z and N must be whole numbers, got Z = 8, N = 8\.5"),
        ((CENTRE, []), "nuclei must name at least one nucleus"),
        ((CENTRE[:6],), r"q must be NuclearMatter, or an array of shape \(7,\) or \(n, 7\); got shape \(6,\)"),
        ((DRAWS.T,), r"got shape \(7, 60\)"),
        ((np.zeros((2, 3, 7)),), r"got shape \(2, 3, 7\)"),
        ((7.0,), r"got shape \(\)"),
        ((rmf.NuclearMatter(*CENTRE[:5], np.ones(3), np.ones(2)),), r"q: the parameters must be numbers or arrays of one shape, got .*\(3,\), \(2,\)"),
        ((rmf.NuclearMatter(*np.ones((7, 2, 2))),), r"got shape \(2, 2, 7\)"),
        ((GAP,), "m_star = nan must be finite"),
        ((DRAWS[:0],), "the batch is empty"),
    ],
)  # fmt: skip
def test_bad_arguments(emulator, which, arguments, message):
    with pytest.raises(ValueError, match=message):
        (emulator if which == "ours" else random_paper())(*arguments)


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ({"relative": 0.0}, r"relative must be finite and above 0, got 0\.0"),
        ({"relative": np.nan}, "relative must be finite and above 0, got nan"),
        ({"absolute": -10.0}, r"absolute must be finite and above 0, got -10\.0"),
        ({"absolute": np.inf}, "absolute must be finite and above 0, got inf"),
        ({"relative": None}, "relative must be given where absolute is not"),
        ({"relative": 0.5}, r"relative must be at most 0\.35, got 0\.5: beyond 35 % of B nothing was learnt"),
        ({"absolute": 60.0}, r"absolute must be at most 44\.6668, got 60\.0"),
    ],
)
def test_bad_thresholds(emulator, threshold, message):
    with pytest.raises(ValueError, match=message):
        emulator(CENTRE, **threshold)


# ---- the paper's -----------------------------------------------------------------------------------------------


def test_paper_says_what_its_networks_say():
    net = random_paper()
    found = net(DRAWS)
    rows = nml.paper_inputs(DRAWS, NAMES)
    np.testing.assert_allclose(found.B, np.asarray(net.B(rows))[..., 0], rtol=1e-10)
    np.testing.assert_allclose(found.r_ch, np.asarray(net.r_ch(rows))[..., 0], rtol=1e-10)
    logits = np.asarray(net.classifier(rows))
    p = np.exp(logits[..., 0]) / np.exp(logits).sum(axis=-1)
    np.testing.assert_allclose(found.converged, p, rtol=1e-9)
    np.testing.assert_array_equal(found.admissibility, np.where(p > 0.5, 0, 1))
    assert set(found.admissibility.ravel()) == {0, 1} and found.B_error is None and found.r_error is None
    np.testing.assert_allclose(np.asarray(net.at(rows)[2]).sum(axis=-1), 1, rtol=1e-12)
    one = net(DRAWS[4])
    assert one.nuclei == NAMES and one.B.shape == (2,)
    np.testing.assert_allclose(one.B, found.B[4], rtol=1e-10)
    same(net(rmf.NuclearMatter(*DRAWS.T)), found)


def test_paper_knows_no_couplings(inverted):
    """It says numbers where there are no couplings: only its classifier can tell."""
    assert np.all(np.isfinite(random_paper()(DRAWS).B)) and np.any(np.asarray(inverted.status))


# ---- derivatives -----------------------------------------------------------------------------------------------


def test_gradients(emulator):
    """ln B, ln r_ch and p by parameters in units of the prior and by z: against central differences, h^2 = 1e-10."""
    z0 = float(rmf.invert(rmf.NuclearMatter(*CENTRE)).z)

    def f(y):
        return jnp.concatenate(emulator.at(CENTRE + y[:7] * (HIGH - LOW), z0 + y[7]))

    y, h = jnp.zeros(8), 1e-5
    J = np.asarray(jax.jit(jax.jacfwd(f))(y))
    found = np.stack([(f(y.at[i].add(h)) - f(y.at[i].add(-h))) / (2 * h) for i in range(8)], axis=1)
    np.testing.assert_allclose(J, found, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(np.asarray(jax.jit(jax.jacrev(f))(y)), J, rtol=1e-9, atol=1e-12)
    assert np.all(np.abs(J).max(axis=0) > 1e-3)  # every parameter and z move something
    assert np.all(np.abs(J).max(axis=1) > 1e-3)  # every output is moved


def test_networks_are_pytrees(emulator):
    z = np.linspace(-0.4, 0.9, 60)
    for a, b in zip(jax.jit(lambda e, x, z: e.at(x, z))(emulator, DRAWS, z), emulator.at(DRAWS, z), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    rows = nml.paper_inputs(DRAWS, NAMES)
    for a, b in zip(jax.jit(lambda e, x: e.at(x))(random_paper(), rows), random_paper().at(rows), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    one = jax.vmap(emulator.at)(DRAWS, z)[0]
    np.testing.assert_allclose(one, emulator.at(DRAWS, z)[0], rtol=1e-10)


# ---- errors ----------------------------------------------------------------------------------------------------


def test_errors_cover(emulator):
    """8000 draws to calibrate, as many others: four deviations of both binomials, with 4000 of each with couplings."""
    new = deviating(random_emulator(), 8000, 12)
    keep = learnt(new)
    found = emulator(new.parameters)
    n, p = keep.sum(axis=0).min(), np.array(calibration.LEVELS)
    assert n > 2500
    for which, half in (("B", found.B_error), ("r_ch", found.r_error)):
        inside = np.abs(getattr(found, which) - getattr(new, which))[..., None] <= half
        for k in range(2):
            cover = inside[keep[:, k], k].mean(axis=0)
            assert np.all(np.abs(cover - p) < 4 * np.sqrt(2 * p * (1 - p) / n)), (which, k, cover)


def test_errors_follow_the_parameters(emulator, said):
    """.994 and 1.960 deviations of a normal law, at each draw that has couplings; 55 coefficients from 3000 draws."""
    some = np.isfinite(said.B[:, 0])
    for value, half, sigma in zip((said.B, said.r_ch), (said.B_error, said.r_error), deviation(DRAWS), strict=True):
        ratio = (half / (value * sigma)[..., None])[some]
        np.testing.assert_allclose(np.median(ratio, axis=(0, 1)), [0.994, 1.960], rtol=0.08)
        assert np.ptp(np.log(sigma)) > 0.8 and np.std(np.log(ratio[..., 0])) < 0.2


def test_errors_that_are_not_known():
    found = random_emulator()(DRAWS[:3])
    assert found.B_error is None and found.r_error is None and found.B.shape == (3, 2)


def test_calibration_looks_at_what_was_learnt_alone():
    """Garbage where nothing is solved, where B is far off, where there are no couplings: the same errors."""
    net = random_emulator()
    data = deviating(net, 500, 3)
    near = np.abs(data.B / SEEN.B - 1) < nml.LEARNT
    status = np.where(np.arange(500)[:, None] % 9 == [4, 2], nuclei.Status.BUDGET_SPENT, data.status)
    data = replace(data, status=status)
    unsolved = ~data.solved | ~near
    assert unsolved.any() and not unsolved.all()
    B, r_ch = np.where(unsolved, 1e6, data.B), np.where(unsolved, 1e6, data.r_ch)
    assert nml.calibrate(net, replace(data, B=B, r_ch=r_ch)).text == nml.calibrate(net, data).text
    moved = nml.calibrate(net, replace(data, r_ch=data.r_ch * 1.01))
    errors, others = (json.loads(e.text)["errors"] for e in (nml.calibrate(net, data), moved))
    assert errors[:2] == others[:2] and errors[2] != others[2] and errors[3] != others[3]


def test_calibration_refuses():
    net = random_emulator()
    data = deviating(net, 120, 3)
    with pytest.raises(ValueError, match="calibration needs at least 100 finite errors of B of 16O, got"):
        nml.calibrate(net, data)
    data = deviating(net, 400, 3)
    half = replace(data, status=np.where([[False, True]], nuclei.Status.BUDGET_SPENT, data.status))
    with pytest.raises(ValueError, match="finite errors of B of 48Ca, got 0 of 0"):
        nml.calibrate(net, half)
    with pytest.raises(ValueError, match="data must hold the nuclei 16O, 48Ca in this order, got 48Ca, 16O"):
        nml.calibrate(net, replace(data, nuclei=NAMES[::-1]))


# ---- files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["ours", "ours with errors", "paper"])
def test_file_round_trip(tmp_path, emulator, which):
    net = {"ours": random_emulator(), "ours with errors": emulator, "paper": random_paper()}[which]
    paths = nml.save(net, "some", folder=tmp_path, **CARD)
    again = nml.load("some", folder=tmp_path)
    assert [path.name for path in paths] == [f"some-{part}.json" for part in nml._PARTS[type(net)]]
    assert nml.names(tmp_path) == ["some"] and type(again) is type(net) and again.nuclei == NAMES
    for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(net), strict=True):
        np.testing.assert_array_equal(a, b)
    same(again(DRAWS), net(DRAWS))
    nml.save(again, "other", folder=tmp_path, **CARD)
    assert nml.names(tmp_path) == ["other", "some"]
    same(nml.load("other", folder=tmp_path)(DRAWS), net(DRAWS))


def test_names_that_are_not_there(tmp_path):
    with pytest.raises(ValueError, match="name is 'none'; there are: none"):
        nml.load("none", folder=tmp_path)
    nml.save(random_emulator(), "one", folder=tmp_path, **CARD)
    network.save(random_emulator().values, "two-values", folder=tmp_path, **CARD)
    assert nml.names(tmp_path) == ["one"]
    for name in ("two", "one-values"):
        with pytest.raises(ValueError, match=f"name is '{name}'; there are: one"):
            nml.load(name, folder=tmp_path)
    (tmp_path / "one-convergence.json").unlink()
    with pytest.raises(ValueError, match="name is 'one'; there are: none"):
        nml.load("one", folder=tmp_path)


def test_two_kinds_of_one_name_are_refused(tmp_path):
    nml.save(random_emulator(), "one", folder=tmp_path, **CARD)
    nml.save(random_paper(), "one", folder=tmp_path, **CARD)
    with pytest.raises(ValueError, match="'one' has the parts of an Emulator and those of a Paper"):
        nml.load("one", folder=tmp_path)


def move(folder, one, two):
    for suffix in ("npz", "json"):
        (folder / f"{two}.{suffix}").replace(folder / f"{one}.{suffix}")


def resigned(path, change):
    """A card changed in place, with the checksum that fits it and its weights."""
    card = json.loads(path.read_text())
    change(card)
    card["sha256"] = network._checksum(path.with_suffix(".npz").read_bytes(), card)
    path.write_text(json.dumps(card))


def test_parts_that_do_not_belong_together(tmp_path, emulator):
    nml.save(emulator, "one", folder=tmp_path, **CARD)
    nml.save(random_emulator(), "two", folder=tmp_path, **CARD)  # without errors
    move(tmp_path, "one-convergence", "two-convergence")
    with pytest.raises(ValueError, match="the parts of 'one' do not belong together: their nuclei or errors differ"):
        nml.load("one", folder=tmp_path)
    nml.save(random_paper(), "three", folder=tmp_path, **CARD)
    nml.save(random_paper(names=("16O", "40Ca")), "four", folder=tmp_path, **CARD)
    move(tmp_path, "three-r_ch", "four-r_ch")
    with pytest.raises(ValueError, match="the parts of 'three' do not belong together"):
        nml.load("three", folder=tmp_path)


def test_altered_files_are_refused(tmp_path, emulator):
    for part in ("values", "convergence"):
        nml.save(emulator, "one", folder=tmp_path, **CARD)
        weights, card = tmp_path / f"one-{part}.npz", tmp_path / f"one-{part}.json"
        data, text = weights.read_bytes(), card.read_text()
        weights.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
        with pytest.raises(ValueError, match=rf"one-{part}\.npz or its card is truncated or altered"):
            nml.load("one", folder=tmp_path)
        weights.write_bytes(data)
        card.write_text(text.replace('"16O"', '"56Ni"'))
        with pytest.raises(ValueError, match=rf"one-{part}\.npz or its card is truncated or altered"):
            nml.load("one", folder=tmp_path)
        weights.unlink()
        with pytest.raises(ValueError, match=rf"one-{part}\.npz is missing"):
            nml.load("one", folder=tmp_path)


OTHERS = {
    "no nuclei": lambda card: card.pop("nuclei"),
    "no errors": lambda card: card.pop("known"),
    "nuclei that have no filling": lambda card: card.update(nuclei=["16O", "4He"]),
    "nuclei in a text": lambda card: card.update(nuclei="16O"),
    "numbers for nuclei": lambda card: card.update(nuclei=[[8, 8], [20, 28]]),
    "errors in a list": lambda card: card.update(known=card["known"].get("errors", [])),
    "errors of another name": lambda card: card.update(known={"errors": [{"coefficients": [1.0]}] * 4}),
    "errors of other inputs": lambda card: card.update(known={"errors": [{"coefficients": [1.0] * 45, "factors": [1.0, 2.0]}] * 4}),
    "errors of fewer nuclei": lambda card: card.update(known={"errors": [{"coefficients": [1.0] * 55, "factors": [1.0, 2.0]}] * 2}),
    "no list of errors": lambda card: card.update(known={"errors": 3.0}),
}  # fmt: skip


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_weights_of_another_version(tmp_path, emulator, change):
    nml.save(emulator, "one", folder=tmp_path, **CARD)
    for part in ("values", "convergence"):
        resigned(tmp_path / f"one-{part}.json", change)
    with pytest.raises(ValueError, match=r"one-values\.json, of nslib [\d.]+, does not describe a network that nslib [\d.]+ can use"):
        nml.load("one", folder=tmp_path)


@pytest.mark.parametrize("change", list(OTHERS.values())[:3], ids=list(OTHERS)[:3])
def test_paper_of_another_version(tmp_path, change):
    nml.save(random_paper(), "one", folder=tmp_path, **CARD)
    resigned(tmp_path / "one-r_ch.json", change)
    with pytest.raises(ValueError, match=r"one-r_ch\.json, of nslib .*, does not describe a network"):
        nml.load("one", folder=tmp_path)


def test_networks_of_other_sizes(tmp_path):
    nml.save(random_emulator(), "one", folder=tmp_path, **CARD)
    for part in ("values", "convergence"):
        resigned(tmp_path / f"one-{part}.json", lambda card: card.update(nuclei=["16O", "40Ca", "48Ca"]))
    with pytest.raises(ValueError, match=r"'one' does not hold networks of 3 nuclei: inputs and outputs are \[\(9, 4\), \(9, 2\)\], not \[\(9, 6\), \(9, 3\)\]"):
        nml.load("one", folder=tmp_path)
    for part in ("values", "convergence"):  # those of the one where the other belongs
        (tmp_path / f"one-{part}.json").unlink()
    net = random_paper()
    with pytest.raises(ValueError, match="'two' does not hold networks of 2 nuclei"):
        nml.save(replace(net, B=net.classifier), "two", folder=tmp_path, **CARD)
    assert nml.names(tmp_path) == []


def test_bad_saves(tmp_path):
    with pytest.raises(ValueError, match="emulator must be an Emulator or a Paper, got Network"):
        nml.save(random_emulator().values, "one", folder=tmp_path, **CARD)
    with pytest.raises(ValueError, match="card of 'one-values' lacks seed, licence"):
        nml.save(random_emulator(), "one", folder=tmp_path, **{k: v for k, v in CARD.items() if k not in ("seed", "licence")})


def test_using_the_networks_loads_no_keras():
    code = "import sys; import nslib.learn.nucleiml; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
