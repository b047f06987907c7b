"""The training loop, on both backends: against least squares, twice the same, best weights, bad input.

Each backend needs a process of its own, so the checks are one script that prints what it found.
"""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json
import keras
import numpy as np
from nslib.learn.training import dense, train

found = {"backend": keras.backend.backend()}
rng = np.random.default_rng(0)
x = rng.normal(size=(900, 5)).astype("float32")
A = rng.normal(size=(5, 3)).astype("float32")
y = x @ A + 0.1 * rng.normal(size=(900, 3)).astype("float32")
split = dict(validation=(x[800:], y[800:]), batch_size=96)

def run(seed, epochs=2, **options):
    model = dense(5, (16, 16), 3, activation="tanh", seed=seed)
    history = train(model, x[:800], y[:800], seed=seed, epochs=epochs, **split, **options)
    return model, history

before = repr(np.random.get_state())
(one, h1), (two, h2), (three, _) = run(3), run(3), run(4)
found["global_state_kept"] = before == repr(np.random.get_state())
weights = [np.concatenate([w.ravel() for w in m.get_weights()]) for m in (one, two, three)]
found["same"] = bool(np.array_equal(weights[0], weights[1]) and np.array_equal(h1.loss, h2.loss))
found["other"] = bool(np.array_equal(weights[0], weights[2]))
found["batches"] = [int(one.optimizer.iterations), 2 * 9]

linear = dense(5, (), 3, seed=1)
schedule = keras.optimizers.schedules.CosineDecay(0.05, 50 * 9)
train(linear, x[:800], y[:800], seed=1, epochs=50, learning_rate=schedule, **split)
exact = np.linalg.lstsq(np.c_[x[:800], np.ones(800)], y[:800], rcond=None)[0]
W, b = linear.get_weights()
found["least_squares"] = float(np.abs(np.vstack([W, b]) - exact).max())

model, h = run(5, epochs=60, learning_rate=0.1, patience=4)
at_best = model.evaluate(*split["validation"], batch_size=100, verbose=0)
found["best"] = [float(h.validation_loss.min()), float(h.validation_loss[h.best]), float(at_best)]
found["patience"] = [h.stopped, h.epochs - 1 - h.best]

class Interrupted(keras.Sequential):
    calls = 0
    def test_on_batch(self, *args, **options):
        Interrupted.calls += 1
        if Interrupted.calls == 4:
            raise KeyboardInterrupt
        return super().test_on_batch(*args, **options)

model = Interrupted(dense(5, (8,), 3, seed=1).layers)
h = train(model, x[:800], y[:800], seed=1, epochs=50, **split)
found["interrupted"] = [h.stopped, h.epochs, len(h.loss)]

class Halved(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
    def call(self, a):
        return self.inner(a)
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean((y - y_pred) ** 2) / 2

h = train(Halved(), x[:800], y[:800], seed=1, epochs=40, loss=None, learning_rate=0.05, **split)
found["own_loss"] = float(h.validation_loss[h.best])

errors = []
for bad in (dict(x=x[:10], y=y[:9]), dict(x=x[:0], y=y[:0]), dict(x=np.where(x > 3, np.nan, x), y=y)):
    try:
        train(dense(5, (), 3, seed=1), seed=1, epochs=1, **bad, **split)
    except ValueError as error:
        errors.append(str(error))
try:
    train(dense(5, (), 3, seed=1), x, 1e25 * y, seed=1, epochs=1, validation=(x, 1e25 * y), batch_size=100)
except ValueError as error:
    errors.append(str(error))
found["errors"] = errors
print(json.dumps(found))
"""


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def found(request):
    environment = os.environ | {"KERAS_BACKEND": request.param, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    run = subprocess.run([sys.executable, "-c", SCRIPT], check=False, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    out = json.loads(run.stdout.splitlines()[-1])
    assert out["backend"] == request.param
    return out


def test_same_seed_same_weights_and_no_global_state(found):
    assert found["same"] and not found["other"] and found["global_state_kept"]


def test_every_batch_counts(found):
    assert found["batches"][0] == found["batches"][1]  # 800 rows in batches of 96: nine an epoch


def test_linear_data_give_least_squares(found):
    assert found["least_squares"] < 0.01  # NumPy's lstsq on the same rows; its own standard error is 0.0035


def test_best_weights_are_left(found):
    least, at_best, evaluated = found["best"]
    assert least == at_best
    assert evaluated == pytest.approx(least, rel=1e-5)


def test_patience_ends_the_training(found):
    assert found["patience"] == ["patience", 4]


def test_interrupt_keeps_what_was_learned(found):
    assert found["interrupted"] == ["interrupted", 3, 3]


def test_a_model_with_its_own_loss(found):
    assert found["own_loss"] == pytest.approx(0.01 / 2, rel=0.3)  # half the variance of the noise, 0.1 squared


def test_bad_input(found):
    lengths, empty, nan, infinite = found["errors"]
    assert "same length, at least 1; got 10 and 9" in lengths
    assert "got 0 and 0" in empty
    assert "row" in nan and "not finite" in nan
    assert "validation loss is" in infinite and "lower learning_rate" in infinite
