r"""Networks that stand in for the relativistic mean-field model of nuclei.

``Paper`` is NucleiML (A. Venneti et al., arXiv:2504.03333): one classifier and two regressors that take the seven
nuclear-matter parameters with N and Z. ``Emulator`` is ours: whether couplings exist is computed, not learnt, and the root
z of the inversion goes in beside the parameters, since B and r_ch have a branch point where two roots meet.
"""

import json
import warnings
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import nslib
from nslib import nuclei as finite
from nslib.batches import in_blocks
from nslib.datasets import Admissibility
from nslib.learn import calibration, training
from nslib.learn import network as networks
from nslib.matter import rmf

#: added to 1 - z in its logarithm, so that it stays finite where g_omega diverges
OFFSET = 0.003
#: how far from experiment B may lie, as a part of it, to be learnt by :func:`train_values`
LEARNT = 0.35


class Prediction(NamedTuple):
    """What a network says of k nuclei; (n, k) arrays, (k,) for one set of parameters.

    nuclei : tuple of names
    B, r_ch : [MeV], [fm]; NaN where there are no couplings
    B_error, r_error : (..., k, 2) arrays, half-widths at 68 and 95 % [MeV], [fm]; None for ``Paper``
    converged : probability that the nucleus converges, 0 without couplings; for ``Paper`` that it is admissible
    admissibility : int of :class:`nslib.datasets.Admissibility`; of ``Paper`` its own classes

    Half-widths are NaN outside of the prior.
    """

    nuclei: tuple
    B: np.ndarray
    r_ch: np.ndarray
    B_error: np.ndarray | None
    r_error: np.ndarray | None
    converged: np.ndarray
    admissibility: np.ndarray


# ---- ours ----------------------------------------------------------------------------------------------------


def inputs(parameters, z):
    """The nine inputs (..., 9) of our networks: seven parameters, z, and the logarithm of 1 - z."""
    z = jnp.asarray(z)[..., None]
    return jnp.concatenate([jnp.asarray(parameters), z, jnp.log(1 - z + OFFSET)], axis=-1)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Emulator:
    """Binding energies and charge radii of some nuclei, with errors and classes; :func:`load` gives the shipped one.

    Attributes
    ----------
    values : Network, nine inputs to the logarithms of B and of r_ch
    convergence : Network, nine inputs to the logit of convergence of each nucleus
    nuclei : tuple of names
    text : str, JSON of the calibrated errors
    """

    values: networks.Network
    convergence: networks.Network
    nuclei: tuple = field(metadata={"static": True})
    text: str = field(default="{}", metadata={"static": True})

    @property
    def card(self):
        """The model card as a dict; empty for networks that were not loaded from a file."""
        return self.values.card

    def at(self, parameters, z):
        """ln B, ln r_ch and the probability of convergence, (..., k) each, where couplings exist; in JAX, unchecked."""
        x, k = inputs(parameters, z), len(self.nuclei)
        y = self.values(x)
        return y[..., :k], y[..., k:], jax.nn.sigmoid(self.convergence(x))

    def __call__(self, q, nuclei=None, *, relative=0.2, absolute=None):
        """What the emulator says of nuclear-matter parameters.

        Parameters
        ----------
        q : NuclearMatter of floats or (n,) arrays, or an array (7,) or (n, 7) in its order
        nuclei : names among ``self.nuclei``; None: all
        relative, absolute : thresholds of the class ``OUTSIDE``, as in :func:`nslib.datasets.admissibility`

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError
            a nucleus that was not learnt, parameters of another shape, a threshold that is not above 0 or beyond
            ``LEARNT``; one set with a value that is not finite

        Warns
        -----
        UserWarning
            parameters outside of the prior, from which the training set was drawn
        """
        _thresholds(self.nuclei, relative, absolute)
        x, single = _parameters(q)
        chosen = _chosen(self.nuclei, nuclei)
        inverted = rmf.invert(rmf.NuclearMatter(*x.T))
        none = np.asarray(inverted.status) != rmf.Status.OK
        z = np.where(none, 0.0, np.asarray(inverted.z))
        out = in_blocks(lambda x, z: _exp(self, x, z), x, z)
        B, r_ch, p = (np.where(none[:, None], np.nan, np.asarray(a)) for a in out)
        p = np.where(none[:, None], 0.0, p)
        kinds = np.where(none[:, None], Admissibility.NO_COUPLINGS, _classes(self.nuclei, B, r_ch, p, relative, absolute))
        return _prediction(self.nuclei, chosen, single, B, r_ch, *self._errors(x, z, B, r_ch), p, kinds)

    def _errors(self, x, z, B, r_ch):
        """Half-widths (n, k, 2) of B and r_ch, NaN outside of the prior; or None where they are not known at all."""
        known = json.loads(self.text).get("errors")
        if known is None:
            return None, None
        t = (np.asarray(inputs(x, z)) - np.asarray(self.values.x_mean)) / np.asarray(self.values.x_scale)
        t = np.where(np.isfinite(t), t, 0.0)  # B and r_ch are NaN there
        width = np.stack([calibration.half_widths(t, e) for e in known], axis=1)
        width[~rmf.in_prior(rmf.NuclearMatter(*x.T))] = np.nan
        k = len(self.nuclei)
        return B[..., None] * width[:, :k], r_ch[..., None] * width[:, k:]


@jax.jit
def _exp(emulator, x, z):
    ln_B, ln_r, p = emulator.at(x, z)
    return jnp.exp(ln_B), jnp.exp(ln_r), p


def _thresholds(names, relative, absolute):
    """ValueError for thresholds of the class ``OUTSIDE`` that are none, or reach beyond what was learnt."""
    if relative is None and absolute is None:
        raise ValueError("relative must be given where absolute is not")
    for name, value in (("relative", relative), ("absolute", absolute)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and above 0, got {value!r}")
    for name, value, most in (
        ("relative", relative, LEARNT), ("absolute", absolute, LEARNT * float(finite.experiment(names).B.min())),
    ):  # fmt: skip
        if value is not None and value > most:
            raise ValueError(f"{name} must be at most {most:.6g}, got {value!r}: beyond {100 * LEARNT:.0f} % of B nothing was learnt")


def _classes(names, B, r_ch, p, relative, absolute):
    """Class of nuclei that have couplings; a charge radius that was never measured does not count."""
    seen = finite.experiment(names)
    if absolute is not None:
        far = np.abs(B - seen.B) > absolute
    else:
        far = (np.abs(B / seen.B - 1) > relative) | (np.abs(r_ch / seen.r_ch - 1) > relative)
    return np.select([p < 0.5, far], [Admissibility.NOT_CONVERGED, Admissibility.OUTSIDE], Admissibility.ADMISSIBLE)


def _prediction(names, chosen, single, *parts):
    """Prediction of the chosen nuclei from arrays (n, k, ...) of all of them."""
    parts = [a if a is None else a[:, chosen] for a in parts]
    return Prediction(tuple(names[k] for k in chosen), *(a if a is None or not single else a[0] for a in parts))


def _parameters(q):
    """Parameters (n, 7) and whether one set was given; ValueError if they are none, UserWarning outside of the prior."""
    if isinstance(q, rmf.NuclearMatter):
        columns = [np.asarray(a, float) for a in q]
        if len({a.shape for a in columns if a.ndim}) > 1:
            raise ValueError(f"q: the parameters must be numbers or arrays of one shape, got {[a.shape for a in columns]}")
        q = np.stack(np.broadcast_arrays(*columns), axis=-1)
    x = np.asarray(q, float)
    if x.ndim not in (1, 2) or x.shape[-1] != 7:
        raise ValueError(f"q must be NuclearMatter, or an array of shape (7,) or (n, 7); got shape {x.shape}")
    single, x = x.ndim == 1, np.atleast_2d(x)
    names = rmf.NuclearMatter._fields
    if single and not np.all(np.isfinite(x)):
        k = int(np.flatnonzero(~np.isfinite(x[0]))[0])
        raise ValueError(f"{names[k]} = {x[0, k]} must be finite")
    outside = np.isfinite(x).all(axis=1) & ~rmf.in_prior(rmf.NuclearMatter(*x.T))
    if np.any(outside):
        row = x[np.flatnonzero(outside)[0]]
        wrong = [
            f"{name} = {value:.6g} outside [{low:g}, {high:g}]"
            for name, value, (low, high) in zip(names, row, rmf.PRIOR)
            if not low <= value <= high
        ]
        warnings.warn(
            f"{', '.join(wrong)}: {outside.sum()} of {len(x)} sets lie outside the population of the training set, where "
            "errors are not known; nslib.nuclei.solve has no such bounds", stacklevel=3,
        )  # fmt: skip
    return x, single


def _chosen(known, nuclei):
    """Indices of the chosen nuclei among those that were learnt; ValueError for another."""
    if nuclei is None:
        return list(range(len(known)))
    names = finite.experiment([nuclei] if isinstance(nuclei, str) else nuclei).nuclei
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"nuclei: {', '.join(unknown)} not learnt; this network knows {', '.join(known)}")
    return [known.index(name) for name in names]


def _learnable(data):
    """Where B and r_ch are learnt: solved, and B within ``LEARNT`` of experiment."""
    return data.solved & (np.abs(data.B / finite.experiment(data.nuclei).B - 1) < LEARNT)


def _alike(data, nuclei, name):
    """ValueError if a NucleiSet is not of these nuclei in this order."""
    if tuple(data.nuclei) != tuple(nuclei):
        raise ValueError(f"{name} must hold the nuclei {', '.join(nuclei)} in this order, got {', '.join(data.nuclei)}")


def _whole(**numbers):
    """ValueError for a number that is not whole or below 1."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not (isinstance(value, (int, np.integer)) and value >= 1):
            raise ValueError(f"{name} must be a whole number >= 1, got {value!r}")


def _scaler(x):
    """Mean and deviation of the columns of x; ValueError if one is constant."""
    if len(x) < 2 or not np.all(np.ptp(x, axis=0) > 0):
        raise ValueError(f"train: {len(x)} rows, or an input that is the same in all rows; nothing can be learnt of it")
    return x.mean(axis=0), x.std(axis=0)


def train_values(train, validation, *, with_z=True, hidden=(128, 128, 128), activation="silu", epochs=250, batch_size=256,
                 learning_rate=3e-3, seed, progress=False):  # fmt: skip
    r"""Network for ln B and ln r_ch of all nuclei at once, least mean absolute error of the standardised logarithms.

    The learning rate rises over 3 % of the training and falls to zero like a cosine. A nucleus that does not
    converge, or whose B is off by more than ``LEARNT``, has no weight.

    Parameters
    ----------
    train, validation : NucleiSet
    with_z : bool; False: a network of the seven parameters alone, to see what z is worth; no Emulator takes it
    hidden, activation : of the hidden layers
    epochs, batch_size, seed, progress : see :func:`nslib.learn.training.train`
    learning_rate : float, the largest

    Returns
    -------
    (Network, History)

    Raises
    ------
    ValueError
        epochs or batch_size that are no whole number >= 1; validation of other nuclei; nothing to learn of a nucleus
    """
    import keras
    from keras import ops

    _whole(epochs=epochs, batch_size=batch_size)
    _alike(validation, train.nuclei, "validation")
    rows, x_mean, x_scale = [], None, None
    for data in (train, validation):
        keep = _learnable(data)
        some = np.any(keep, axis=1)
        x = np.asarray(inputs(data.parameters[some], data.z[some]))[:, : None if with_z else 7]
        weight = np.concatenate([keep, keep], axis=1)[some]
        y = np.log(np.where(weight, np.concatenate([data.B, data.r_ch], axis=1)[some], 1.0))
        if x_mean is None:
            x_mean, x_scale = _scaler(x)
            k = len(data.nuclei)
            for j, name in enumerate((*data.nuclei, *data.nuclei)):
                if np.unique(y[weight[:, j], j]).size < 2:
                    what = "binding energies" if j < k else "charge radii"
                    raise ValueError(f"train: {weight[:, j].sum()} {what} of {name} to learn, no two of them different")
            y_mean, y_scale = (f(np.where(weight, y, np.nan), axis=0) for f in (np.nanmean, np.nanstd))
        y = np.where(weight, (y - y_mean) / y_scale, 0.0)
        rows.append(((x - x_mean) / x_scale, np.concatenate([y, weight], axis=1)))
    k = len(y_mean)
    model = training.dense(x.shape[1], hidden, k, activation=activation, seed=seed)
    steps = epochs * -(-len(rows[0][0]) // batch_size)
    warm = max(1, round(0.03 * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm), warmup_target=learning_rate, warmup_steps=warm
    )
    history = training.train(
        model, *rows[0], validation=rows[1], epochs=epochs, batch_size=batch_size, seed=seed, progress=progress,
        optimizer=keras.optimizers.Adam(rate), loss=lambda y, f: ops.mean(y[:, k:] * ops.abs(y[:, :k] - f)),
    )  # fmt: skip
    return networks.from_keras(model, x_mean, x_scale, y_mean, y_scale), history


def train_convergence(train, validation, *, hidden=(64, 64, 64), activation="silu", epochs=100, batch_size=256,
                      learning_rate=3e-3, seed, progress=False):  # fmt: skip
    """Network for the logit of convergence of every nucleus, where couplings exist; least binary cross-entropy.

    Arguments as in :func:`train_values`.

    Returns
    -------
    (Network, History)

    Raises
    ------
    ValueError
        epochs or batch_size that are no whole number >= 1; validation of other nuclei
    """
    import keras

    _whole(epochs=epochs, batch_size=batch_size)
    _alike(validation, train.nuclei, "validation")
    rows, x_mean, x_scale = [], None, None
    for data in (train, validation):
        some = data.inversion == rmf.Status.OK
        x = np.asarray(inputs(data.parameters[some], data.z[some]))
        if x_mean is None:
            x_mean, x_scale = _scaler(x)
        rows.append(((x - x_mean) / x_scale, data.solved[some].astype(float)))
    model = training.dense(x.shape[1], hidden, rows[0][1].shape[1], activation=activation, seed=seed)
    steps = epochs * -(-len(rows[0][0]) // batch_size)
    history = training.train(
        model, *rows[0], validation=rows[1], epochs=epochs, batch_size=batch_size, seed=seed, progress=progress,
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps)),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )  # fmt: skip
    return networks.from_keras(model, x_mean, x_scale), history


def calibrate(emulator, data):
    """The emulator with errors of B and r_ch, learnt on a NucleiSet that no training saw: see ``nslib.learn.calibration``.

    Parameters
    ----------
    emulator : Emulator
    data : NucleiSet of the emulator's nuclei, in their order

    Returns
    -------
    Emulator

    Raises
    ------
    ValueError
        other nuclei; too few solved members of a nucleus
    """
    _alike(data, emulator.nuclei, "data")
    keep = (data.inversion == rmf.Status.OK)[:, None] & (_learnable(data))
    errors = []
    for j in range(2 * len(emulator.nuclei)):
        k = j % len(emulator.nuclei)
        some = keep[:, k]
        x, z = data.parameters[some], data.z[some]
        found = np.exp(np.asarray(emulator.values(inputs(x, z)))[:, j])
        truth = (data.B if j == k else data.r_ch)[some, k]
        t = (np.asarray(inputs(x, z)) - np.asarray(emulator.values.x_mean)) / np.asarray(emulator.values.x_scale)
        name = f"{'B' if j == k else 'r_ch'} of {emulator.nuclei[k]}"
        errors.append(calibration.fit(t, np.abs(truth / found - 1), name))
    return replace(emulator, text=json.dumps({"errors": errors}))


# ---- the paper's ---------------------------------------------------------------------------------------------


def paper_inputs(parameters, nuclei):
    """The paper's nine inputs, one row a nucleus (n, k, 9): seven parameters, N, Z."""
    NZ = np.array([(finite.NUCLEI[name].N, finite.NUCLEI[name].Z) for name in nuclei], float)
    n, k = len(parameters), len(NZ)
    parts = np.broadcast_to(np.asarray(parameters)[:, None], (n, k, 7)), np.broadcast_to(NZ, (n, k, 2))
    return np.concatenate(parts, axis=2)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Paper:
    """NucleiML as published: classifier and regressors of seven parameters, N and Z.

    Attributes
    ----------
    classifier : Network, nine inputs to the logits of the classes, the first "admissible"
    B, r_ch : Networks, nine inputs to [MeV], [fm]
    nuclei : tuple of names it was trained on
    """

    classifier: networks.Network
    B: networks.Network
    r_ch: networks.Network
    nuclei: tuple = field(metadata={"static": True})

    @property
    def card(self):
        """The model card as a dict; empty for networks that were not loaded from a file."""
        return self.classifier.card

    def at(self, x):
        """B, r_ch and the probabilities of the classes of rows x (..., 9) of the paper's inputs; in JAX, unchecked."""
        return self.B(x)[..., 0], self.r_ch(x)[..., 0], jax.nn.softmax(self.classifier(x))

    def __call__(self, q, nuclei=None):
        """What the networks say, whatever the class; arguments and errors as of :class:`Emulator`, whose thresholds
        are those of its training. ``admissibility`` is 0 where the classifier finds "admissible" most likely; a member of a
        batch with a parameter that is not finite gets NaN, probability 0 and class 1.

        Returns
        -------
        Prediction
        """
        x, single = _parameters(q)
        chosen = _chosen(self.nuclei, nuclei)
        rows = paper_inputs(x, self.nuclei)
        B, r_ch, p = (np.asarray(a) for a in in_blocks(lambda rows: _paper(self, rows), rows))
        none = ~np.isfinite(x).all(axis=1)[:, None]
        B, r_ch = (np.where(none, np.nan, a) for a in (B, r_ch))
        p, kinds = np.where(none, 0.0, p[..., 0]), np.where(none, Admissibility.NO_COUPLINGS, np.argmax(p, axis=-1))
        return _prediction(self.nuclei, chosen, single, B, r_ch, None, None, p, kinds)


@jax.jit
def _paper(networks, rows):
    return networks.at(rows)


def train_classifier(train, validation, *, n_class=2, class_weights=None, hidden=(64,) * 4, activation="relu", epochs=800, patience=None,
                     batch_size=32, learning_rate=1e-4, seed, progress=False):  # fmt: skip
    """The paper's classifier: least categorical cross-entropy, Adam; the defaults are the paper's.

    Parameters
    ----------
    train, validation : pairs of a NucleiSet and an (n, k) int array of classes from 0 to n_class - 1
    n_class : int
    class_weights : (n_class,) array, factor of the loss of each class, > 0, divided by their mean; None: all 1
    hidden, activation : of the hidden layers
    epochs, patience, batch_size, seed, progress : see :func:`nslib.learn.training.train`
    learning_rate : float

    Returns
    -------
    (Network, History)

    Raises
    ------
    ValueError
        classes of another shape or out of range; weights that are not n_class numbers above 0; epochs or batch_size that
        are no whole number >= 1
    """
    import keras

    _whole(epochs=epochs, batch_size=batch_size)
    w = np.asarray((1.0,) * n_class if class_weights is None else class_weights)
    if w.shape != (n_class,) or w.dtype.kind not in "fiu" or not (np.all(np.isfinite(w) & (w > 0)) and w.min() >= 1e-6 * w.max()):
        raise ValueError(f"class_weights must be {n_class} finite numbers above 0, none below 1e-6 of the largest, got {class_weights!r}")
    w = w / w.mean()

    def loss(y, p):
        each = keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)
        return each * keras.ops.take(keras.ops.cast(w, each.dtype), keras.ops.cast(y[..., 0], "int32"))

    rows = []
    for name, (data, label) in (("train", train), ("validation", validation)):
        label = np.asarray(label)
        if label.shape != data.B.shape or label.dtype.kind not in "iu" or np.any((label < 0) | (label >= n_class)):
            raise ValueError(f"{name}: classes must be whole numbers from 0 to {n_class - 1}, of shape {data.B.shape}")
        rows.append((paper_inputs(data.parameters, data.nuclei).reshape(-1, 9), label.reshape(-1, 1)))
    x_mean, x_scale = _scaler(rows[0][0])
    (x, y), (x_val, y_val) = (((x - x_mean) / x_scale, y) for x, y in rows)
    model = training.dense(9, hidden, n_class, activation=activation, seed=seed)
    history = training.train(
        model, x, y, validation=(x_val, y_val), epochs=epochs, patience=patience, batch_size=batch_size, seed=seed,
        optimizer=keras.optimizers.Adam(learning_rate), progress=progress,
        loss=loss,
    )  # fmt: skip
    return networks.from_keras(model, x_mean, x_scale), history


def train_regressor(train, validation, which, *, hidden=(64,) * 4, activation="relu", epochs=500, patience=None,
                    batch_size=128, learning_rate=1e-3, seed, progress=False):  # fmt: skip
    """One of the paper's regressors: least mean absolute percentage error of the raw values, Adam.

    Parameters
    ----------
    train, validation : pairs of a NucleiSet and an (n, k) bool array of the rows to use, the admissible ones
    which : "B" or "r_ch"
    hidden, activation, epochs, patience, batch_size, learning_rate, seed, progress : as in :func:`train_classifier`

    Returns
    -------
    (Network, History), the losses in per cent

    Raises
    ------
    ValueError
        another ``which``; a row to be used that is not solved; epochs or batch_size that are no whole number >= 1
    """
    import keras

    _whole(epochs=epochs, batch_size=batch_size)
    if which not in ("B", "r_ch"):
        raise ValueError(f'which must be "B" or "r_ch", got {which!r}')
    rows = []
    for name, (data, keep) in (("train", train), ("validation", validation)):
        keep = np.asarray(keep, bool)
        if keep.shape != data.B.shape or np.any(keep & ~data.solved):
            raise ValueError(f"{name}: rows to use must be of shape {data.B.shape} and solved")
        rows.append((paper_inputs(data.parameters, data.nuclei)[keep], getattr(data, which)[keep][:, None]))
    x_mean, x_scale = _scaler(rows[0][0])
    (x, y), (x_val, y_val) = (((x - x_mean) / x_scale, y) for x, y in rows)
    model = training.dense(9, hidden, 1, activation=activation, seed=seed)
    history = training.train(
        model, x, y, validation=(x_val, y_val), epochs=epochs, patience=patience, batch_size=batch_size, seed=seed,
        optimizer=keras.optimizers.Adam(learning_rate), loss="mean_absolute_percentage_error", progress=progress,
    )  # fmt: skip
    return networks.from_keras(model, x_mean, x_scale), history


# ---- files ---------------------------------------------------------------------------------------------------

#: networks of each kind
_PARTS = {Emulator: ("values", "convergence"), Paper: ("classifier", "B", "r_ch")}


def save(emulator, name, *, folder=networks.WEIGHTS, **card):
    """Write an Emulator or Paper as networks ``name-part`` and return the paths of their cards.

    Parameters
    ----------
    emulator : Emulator or Paper
    name : str
    folder : path
    **card : as in :func:`nslib.learn.network.save`; "nuclei" and "known" are added here

    Raises
    ------
    ValueError
        an entry of the card that is missing, networks that are not those of so many nuclei
    """
    if type(emulator) not in _PARTS:
        raise ValueError(f"emulator must be an Emulator or a Paper, got {type(emulator).__name__}")
    parts = {part: getattr(emulator, part) for part in _PARTS[type(emulator)]}
    _fit(name, type(emulator), parts.values(), emulator.nuclei)
    card = card | {"nuclei": list(emulator.nuclei), "known": json.loads(getattr(emulator, "text", "{}"))}
    return [networks.save(net, f"{name}-{part}", folder=folder, **card) for part, net in parts.items()]


def _fit(name, kind, parts, nuclei):
    """ValueError if the networks have not the numbers of inputs and outputs that these nuclei need."""
    sizes, k = [(part.n_in, len(part.y_mean)) for part in parts], len(nuclei)
    right = [(9, 2 * k), (9, k)] if kind is Emulator else [(9, max(2, sizes[0][1])), (9, 1), (9, 1)]
    if sizes != right:
        raise ValueError(f"{name!r} does not hold networks of {k} nuclei: inputs and outputs are {sizes}, not {right}")


def names(folder=networks.WEIGHTS):
    """Names of the networks of this module in a folder, sorted."""
    every = set(networks.names(folder))
    stems = {name.rpartition("-")[0] for name in every}
    return sorted(stem for stem in stems if _kinds(stem, every))


def _kinds(stem, every):
    """Emulator, Paper or both, by the parts that there are."""
    return [kind for kind, parts in _PARTS.items() if {f"{stem}-{part}" for part in parts} <= every]


def load(name="nucleiml_best", *, folder=networks.WEIGHTS):
    """Emulator or Paper from its files.

    Parameters
    ----------
    name : str, one of :func:`names`: "nucleiml_best", ours, or "nucleiml_paper"
    folder : path

    Raises
    ------
    ValueError
        an unknown name; files that are missing, altered, of another version, or do not belong together
    """
    kinds = _kinds(name, set(networks.names(folder)))
    if not kinds:
        raise ValueError(f"name is {name!r}; there are: {', '.join(names(folder)) or 'none'}")
    if len(kinds) > 1:
        raise ValueError(f"{name!r} has the parts of an Emulator and those of a Paper; save one of them under another name")
    kind = kinds[0]
    parts = [networks.load(f"{name}-{part}", folder=folder) for part in _PARTS[kind]]
    cards = [_described(f"{name}-{part}", net.card) for part, net in zip(_PARTS[kind], parts)]
    if any((card["nuclei"], card["known"]) != (cards[0]["nuclei"], cards[0]["known"]) for card in cards):
        raise ValueError(f"the parts of {name!r} do not belong together: their nuclei or errors differ")
    nuclei = tuple(cards[0]["nuclei"])
    _fit(name, kind, parts, nuclei)
    return kind(*parts, nuclei, *([json.dumps(cards[0]["known"])] if kind is Emulator else []))


def _described(name, card):
    """The card; ValueError if it does not say of which nuclei and errors this version needs to know."""
    known = card.get("known")
    right = isinstance(known, dict) and isinstance(card.get("nuclei"), list) and all(one in list(finite.NUCLEI) for one in card["nuclei"])
    if right and "errors" in known:
        try:
            shapes = [(len(e["coefficients"]), len(e["factors"])) for e in known["errors"]]
        except (KeyError, TypeError):
            shapes = None
        right = shapes == [(calibration.features(np.zeros(9)).size, len(calibration.LEVELS))] * (2 * len(card["nuclei"]))
    if not right:
        raise ValueError(
            f"{name}.json, of nslib {card.get('nslib')}, does not describe a network that nslib {nslib.__version__} can use: "
            "its nuclei or errors are missing, unknown or of another form"
        )
    return card
