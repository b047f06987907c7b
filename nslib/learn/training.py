"""The one training loop, on Keras 3 with any backend, and dense networks to train with it.

Nothing here reads or sets a global random state: initialisers carry seeds, and the order of the training
set comes from a NumPy generator of our own, so the same call gives the same weights again on one machine.
"""

import time
from typing import NamedTuple

import numpy as np

#: batches that TensorFlow runs in one call; JAX runs a whole epoch in one
STEPS_PER_EXECUTION = 20


class History(NamedTuple):
    """Course of a training.

    loss, validation_loss : (n_epoch,) arrays, the first a running mean over the epoch
    best : int, epoch whose weights were kept, counted from 0
    stopped : "epochs", "patience" or "interrupted"
    seconds : float
    """

    loss: np.ndarray
    validation_loss: np.ndarray
    best: int
    stopped: str
    seconds: float

    @property
    def epochs(self):
        """Number of epochs run."""
        return len(self.loss)


def dense(n_in, hidden, n_out, *, activation="relu", last="linear", seed):
    """Keras network of dense layers, Glorot-uniform weights and zero biases.

    Parameters
    ----------
    n_in, n_out : int, numbers in and out
    hidden : sequence of int, widths of the hidden layers
    activation, last : str, of the hidden layers and of the last one
    seed : int; layer k is initialised from (seed, k)
    """
    import keras

    seeds = np.random.SeedSequence(seed).generate_state(len(hidden) + 1)
    kinds = [activation] * len(hidden) + [last]
    layers = [
        keras.layers.Dense(n, activation=kind, kernel_initializer=keras.initializers.GlorotUniform(seed=int(s)))
        for n, kind, s in zip([*hidden, n_out], kinds, seeds)
    ]
    return keras.Sequential([keras.Input((n_in,)), *layers])


def train(
    model, x, y, *, validation, epochs, batch_size, seed, learning_rate=1e-3, optimizer=None,
    loss="mean_squared_error", patience=None, progress=False,
):  # fmt: skip
    """Train a Keras model in place and leave it with the weights of its lowest validation loss.

    Parameters
    ----------
    model : keras.Model; one that overrides ``compute_loss`` takes ``loss=None``
    x, y : (n, ...) arrays
    validation : (x, y) pair of arrays
    epochs : int, at most so many
    batch_size : int
    seed : int, order of the batches
    learning_rate : float or Keras schedule, for Adam with AMSGrad
    optimizer : Keras optimizer instead of that
    loss : Keras loss or None
    patience : int, stop after so many epochs without a lower validation loss; None: never
    progress : bool, show a bar

    Returns
    -------
    History. An interrupt from the keyboard after the first epoch ends the training there, with the best
    weights so far and ``stopped = "interrupted"``.

    Raises
    ------
    ValueError
        x, y of different or no length, an empty validation set, a value that is not finite, or a
        validation loss that is not finite
    """
    import keras
    from tqdm import tqdm

    x, y = _pair("x, y", x, y)
    x_val, y_val = _pair("validation", *validation)
    if optimizer is None:
        optimizer = keras.optimizers.Adam(learning_rate, amsgrad=True)
    per_call = min(STEPS_PER_EXECUTION, -(-len(x) // batch_size)) if keras.backend.backend() == "tensorflow" else 1
    model.compile(optimizer, loss, steps_per_execution=per_call)
    run = _epochs(model, x, y, batch_size)
    order = np.random.default_rng(seed)
    losses, val_losses, best, weights, stopped = [], [], 0, None, "epochs"
    start = time.perf_counter()
    bar = tqdm(range(epochs), desc="epochs", disable=not progress)
    try:
        for epoch in bar:
            loss = run(order.permutation(len(x)))
            model.reset_metrics()
            val = _scalar(model.test_on_batch(x_val, y_val))
            if not np.isfinite(val):
                raise ValueError(f"validation loss is {val} in epoch {epoch}; lower learning_rate or standardise x and y")
            losses.append(loss)
            val_losses.append(val)
            if weights is None or val < val_losses[best]:
                best, weights = epoch, model.get_weights()
            bar.set_postfix(validation=f"{val:.3g}", best=f"{val_losses[best]:.3g}")
            if patience is not None and epoch - best >= patience:
                stopped = "patience"
                break
    except KeyboardInterrupt:
        if weights is None:
            raise
        stopped = "interrupted"
    finally:
        bar.close()
    model.set_weights(weights)
    n = len(val_losses)
    return History(np.array(losses[:n]), np.array(val_losses), best, stopped, time.perf_counter() - start)


def train_on_stream(model, stream, validation, *, epochs, steps, learning_rate, loss="mean_squared_error", progress=False):
    """Train a Keras model in place on batches that are made as they are needed, and leave it with its last weights.

    Adam with gradients clipped to norm 1.5; the learning rate rises for 500 steps, at most a tenth of all, and falls as a cosine.

    Parameters
    ----------
    model : keras.Model; one that overrides ``compute_loss`` takes ``loss=None``
    stream : function (epoch, step) -> batch (x, y) or (x, y, weights of the rows)
    validation : list of batches
    epochs, steps : int, batches of an epoch
    learning_rate : float, the largest
    loss : Keras loss or None
    progress : bool, show a bar

    Returns
    -------
    History; its validation loss is the mean over the batches. An interrupt from the keyboard after the first epoch ends the
    training there, with ``stopped = "interrupted"``.

    Raises
    ------
    ValueError
        a validation loss that is not finite
    """
    import keras
    from tqdm import tqdm

    warm = min(500, epochs * steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        learning_rate / 100, max(1, epochs * steps - warm), warmup_target=learning_rate, warmup_steps=warm
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.5), loss)
    losses, val_losses, stopped = [], [], "epochs"
    start = time.perf_counter()
    bar = tqdm(range(epochs), desc="epochs", disable=not progress)
    try:
        for epoch in bar:
            model.reset_metrics()
            for step in range(steps):
                loss = _scalar(model.train_on_batch(*stream(epoch, step)))
            model.reset_metrics()
            val = np.mean([_scalar(model.test_on_batch(*batch)) for batch in validation])
            if not np.isfinite(val):
                raise ValueError(f"validation loss is {val} in epoch {epoch}; lower learning_rate")
            losses.append(loss)
            val_losses.append(float(val))
            bar.set_postfix(validation=f"{val:.4g}")
    except KeyboardInterrupt:
        if not val_losses:
            raise
        stopped = "interrupted"
    finally:
        bar.close()
    n = len(val_losses)
    return History(np.array(losses[:n]), np.array(val_losses), n - 1, stopped, time.perf_counter() - start)


def _epochs(model, x, y, batch_size):
    """Function that trains a compiled model for one epoch with the rows in a given order: their mean loss."""
    import keras

    if keras.backend.backend() != "jax":
        fit = lambda k: model.fit(x[k], y[k], batch_size=batch_size, shuffle=False, verbose=0)  # noqa: E731
        return lambda k: fit(k).history["loss"][-1]
    import jax

    # Keras calls JAX once a batch, which costs more than a small network's step: here once an epoch
    model(x[:1])
    model.optimizer.build(model.trainable_variables)
    x, y = jax.numpy.asarray(x), jax.numpy.asarray(y)
    kinds = model.trainable_variables, model.non_trainable_variables, model.optimizer.variables, model.metrics_variables

    @jax.jit
    def steps(state, x, y, rows):
        def step(state, k):
            logs, state = model.train_step(state, (x[k], y[k]))
            return state, logs["loss"]

        return jax.lax.scan(step, state, rows)

    def epoch(k):
        state = tuple([v.value for v in kind] for kind in kinds)
        whole = len(k) - len(k) % batch_size
        for rows in (k[:whole].reshape(-1, batch_size), k[None, whole:]):
            if rows.size:
                state, losses = steps(state, x, y, rows)
        for kind, values in zip(kinds, state):
            for variable, value in zip(kind, values):
                variable.assign(value)
        return float(losses[-1])

    return epoch


def _pair(name, x, y):
    """x and y as float32 arrays of the same, non-zero length, all finite."""
    x, y = np.asarray(x, dtype="float32"), np.asarray(y, dtype="float32")
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(f"{name} must have the same length, at least 1; got {len(x)} and {len(y)}")
    for part, a in (("first", x), ("second", y)):
        if not np.all(np.isfinite(a)):
            row = int(np.argwhere(~np.isfinite(a))[0][0])
            raise ValueError(f"{name}: row {row} of the {part} array holds a value that is not finite in float32")
    return x, y


def _scalar(value):
    """The loss from what ``test_on_batch`` returns: a number, or a list that begins with it."""
    return float(value[0] if isinstance(value, (list, tuple)) else value)
