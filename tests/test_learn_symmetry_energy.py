"""Symmetry energy from stars, on made-up curves R(M) and Lambda(M) that are smooth in L and K_sym.

No physics here: what is tested is the path from stars to labels, so the truth is known exactly.
"""

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.datasets import DENSITIES, Sequences, symmetry_energy_curve
from nslib.learn import baselines, network
from nslib.learn import symmetry_energy as se
from nslib.units import RHO_0


def made_up(n, seed, n_star=50):
    """n members with R = 11 + a + b (M - 1)^2 and ln Lambda = 7 - 3 (M - 1) + a b, a and b linear in L and K_sym."""
    rng = np.random.default_rng(seed)
    L, K_sym = rng.uniform(46, 87, n), rng.uniform(-130, 100, n)
    mass = rng.uniform(1, 2, (n, n_star))
    a, b = ((L - 60) / 40)[:, None], (K_sym / 100)[:, None]
    x = mass - 1
    R = 11 + a + b * x**2 + 0.1 * a**2 * x
    Lambda = np.exp(7 - 3 * x + 0.5 * a + 0.4 * b * x + 0.1 * a * b)
    E_sym = np.asarray(symmetry_energy_curve(L, K_sym))
    return Sequences(L, K_sym, mass, R, Lambda, E_sym, np.stack([L, K_sym], axis=1), np.zeros(n, "uint8"))


def untrained(task="M-R", target="E_sym", sort=True, log=False, n_star=50, seed=0):
    """An estimator with random weights, for what does not depend on them."""
    rng = np.random.default_rng(seed)
    n_out = 100 if target == "E_sym" else 2
    layers = [(rng.normal(size=(2 * n_star, 8)) / 10, rng.normal(size=8)), (rng.normal(size=(8, n_out)), rng.normal(size=n_out))]
    net = network._build([(W.astype("float32"), b.astype("float32")) for W, b in layers], ("tanh", "linear"), (1.5, 0.5, 50.0, 20.0))
    ranges = jnp.array([1.0, 2.0]), jnp.array([9.0, 14.0]) if task == "M-R" else jnp.array([5.0, 5000.0])
    return se.Estimator(net, *ranges, task, sort, log, target)


DATA = made_up(20, 7)
FIT = """
import json
import numpy as np
from test_learn_symmetry_energy import made_up
from nslib.learn import baselines, symmetry_energy as se
from nslib.learn.training import dense
train, validation, test = made_up(3000, 1), made_up(300, 2), made_up(300, 3)
found = {"median": float(se.errors(baselines.baseline("median", train)(test.mass, test.R), test.E_sym).mae[-1])}
for name, task, options in (
    ("curve", "M-R", {}), ("parameters", "M-R", {"target": "parameters"}),
    ("Lambda", "M-Lambda", {"log": True}), ("unsorted", "M-R", {"sort": False}), ("raw", "M-R", {"standardise": False}),
):
    model = dense(100, (32, 32), 2 if "target" in options else 100, activation="tanh", seed=1)
    estimator, history = se.fit(train, validation, task, seed=1, model=model, epochs=40, batch_size=100, **options)
    E_sym = estimator(test.mass, getattr(test, se.OBSERVABLE[task]))
    found[name] = [float(se.errors(E_sym, test.E_sym).mae[-1]), history.epochs]
    if name == "parameters":
        found["at rho_0"] = float(np.abs(np.asarray(E_sym)[:, 11] - 31.7).max())
paper = se.paper_network(seed=1)
found["paper"] = [len(paper.layers), paper.count_params()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def fitted():
    """What small networks reach; in a process of its own, which loads Keras."""
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONPATH": os.path.dirname(__file__), "KERAS_BACKEND": "jax",
    }  # fmt: skip
    run = subprocess.run([sys.executable, "-c", FIT], check=False, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


def test_networks_beat_the_median(fitted):
    for name in ("curve", "parameters", "Lambda"):
        assert fitted[name][0] < fitted["median"] / 15, name


def test_sorting_and_standardising_matter(fitted):
    assert fitted["unsorted"][0] > 2 * fitted["curve"][0]
    assert fitted["raw"][0] > 5 * fitted["curve"][0]


def test_two_numbers_and_formula_are_exact_at_saturation(fitted):
    assert fitted["at rho_0"] < 1e-10  # E_sym(rho_0) = S_0 = 31.7 MeV whatever L and K_sym; 12th density


def test_the_network_of_the_paper(fitted):
    assert fitted["paper"] == [11, 11 * (100 * 100 + 100)]  # ten hidden layers of 100 and 100 outputs


def test_densities():
    assert len(DENSITIES) == 100 and DENSITIES[0] == 0.5 * RHO_0 and DENSITIES[-1] == 5 * RHO_0
    assert DENSITIES[11] == pytest.approx(RHO_0, rel=1e-15)


def test_curve_is_the_formula_by_hand():
    # at 5 rho_0, x = 4/3: 31.7 + 60 * 4/3 - 100 / 2 * 16/9
    assert float(symmetry_energy_curve(60.0, -100.0)[-1]) == pytest.approx(31.7 + 80 - 800 / 9, rel=1e-14)


def test_inputs():
    m, r = np.array([1.5, 1.2, 1.9]), np.array([12.0, 13.0, 11.0])
    np.testing.assert_array_equal(se.inputs(m, r), [1.2, 1.5, 1.9, 13, 12, 11])
    np.testing.assert_array_equal(se.inputs(m, r, sort=False), [1.5, 1.2, 1.9, 12, 13, 11])
    np.testing.assert_allclose(se.inputs(m, r, log=True)[3:], np.log([13.0, 12, 11]))
    np.testing.assert_array_equal(se.inputs(np.stack([m, m]), np.stack([r, r]))[1], se.inputs(m, r))


def test_order_of_the_stars_does_not_matter():
    e, k = untrained(), np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(e(DATA.mass[0, k], DATA.R[0, k]), e(DATA.mass[0], DATA.R[0]))


def test_batch_and_single_agree():
    e = untrained()
    np.testing.assert_allclose(e(DATA.mass, DATA.R)[3], e(DATA.mass[3], DATA.R[3]), rtol=1e-12)


def test_gradient_through_the_estimator():
    e, m = untrained(), DATA.mass[0]
    g = jax.grad(lambda r: e(m, r)[-1])(jnp.asarray(DATA.R[0]))
    step = np.zeros(50)
    step[4] = 1e-5
    by_hand = (e(m, DATA.R[0] + step)[-1] - e(m, DATA.R[0] - step)[-1]) / 2e-5
    assert float(g[4]) == pytest.approx(float(by_hand), rel=1e-6)


@pytest.mark.parametrize(
    ("mass", "observable", "message"),
    [
        (DATA.mass[0, :49], DATA.R[0, :49], r"mass must have shape \(50,\) or \(n, 50\)"),
        (DATA.mass[0], DATA.R[0, :49], r"R must have shape"),
        (DATA.mass[0], DATA.R[:1], r"R must have shape"),
        (np.where(np.arange(50) == 3, 2.1, DATA.mass[0]), DATA.R[0], r"mass\[3\] = 2.1: .*\[1, 2\]"),
        (np.where(np.arange(50) == 9, np.nan, DATA.mass[0]), DATA.R[0], r"mass\[9\] = nan: a value is not finite"),
        (DATA.mass[0], np.where(np.arange(50) == 9, np.inf, DATA.R[0]), r"R\[9\] = inf: a value is not finite"),
        (DATA.mass[0], np.where(np.arange(50) == 0, 20.0, DATA.R[0]), r"R\[0\] = 20: a radius or tidal .* \[8\.92"),
    ],
)
def test_bad_sample(mass, observable, message):
    with pytest.raises(ValueError, match=message):
        untrained()(mass, observable)


def test_bad_member_of_a_batch():
    e = untrained()
    mass = DATA.mass.copy()
    mass[2, 5] = 2.5
    good = np.arange(20) != 2
    E_sym = np.asarray(e(mass, DATA.R))
    np.testing.assert_array_equal(E_sym[good], np.asarray(e(DATA.mass, DATA.R))[good])
    assert np.all(np.isnan(E_sym[2]))
    status = np.asarray(e.status(mass, DATA.R))
    assert status[2] == se.Status.MASS_OUTSIDE and not status[good].any()
    assert all(s.sentence for s in se.Status)


@pytest.mark.parametrize(("task", "target", "log"), [("M-R", "E_sym", False), ("M-Lambda", "parameters", True)])
def test_file_round_trip(tmp_path, task, target, log):
    e = untrained(task, target, log=log)
    card = {key: "x" for key in network.CARD}
    se.save(e, folder=tmp_path, **card)
    again = se.load(task, folder=tmp_path)
    o = getattr(DATA, se.OBSERVABLE[task])
    np.testing.assert_array_equal(again(DATA.mass, o), e(DATA.mass, o))
    assert (again.task, again.target, again.log, again.sort) == (task, target, log, True)


def test_unknown_task(tmp_path):
    with pytest.raises(ValueError, match="task must be one of M-R, M-Lambda; got 'M-k2'"):
        se.load("M-k2")
    with pytest.raises(ValueError, match="there are: none"):
        se.load("M-R", folder=tmp_path)
    with pytest.raises(ValueError, match="target must be one of E_sym, parameters; got 'L'"):
        se.fit(DATA, DATA, seed=0, target="L")
    with pytest.raises(ValueError, match="training masses lie in"):
        se.fit(DATA, DATA, seed=0, mass_range=(1.2, 1.8))


def test_a_network_of_another_kind_is_not_an_estimator(tmp_path):
    network.save(untrained().network, "symmetry_energy_M-R", folder=tmp_path, **{key: "x" for key in network.CARD})
    with pytest.raises(ValueError, match="lacks the entry 'estimator'"):
        se.load("M-R", folder=tmp_path)


def test_errors_by_hand():
    e = se.errors(np.array([[1.0, 5.0], [3.0, 5.0], [4.0, 5.0]]), np.array([[2.0, 5.0], [2.0, 5.0], [2.0, 5.0]]))
    np.testing.assert_allclose(e.mae, [4 / 3, 0])  # 1, 1, 2
    np.testing.assert_allclose(e.std, [np.sqrt(1 / 3), 0])
    np.testing.assert_allclose(e.se, [1 / 3, 0])
    with pytest.raises(ValueError, match="1 of 2 predictions are not finite"):
        se.errors(np.array([[np.nan], [1.0]]), np.ones((2, 1)))


def test_median_and_nearest():
    train = made_up(200, 1)
    median = baselines.baseline("median", train)(DATA.mass, DATA.R)
    np.testing.assert_allclose(median, np.broadcast_to(np.median(train.E_sym, axis=0), (20, 100)))
    nearest = baselines.baseline("nearest", train, "M-Lambda")(train.mass, train.Lambda)
    np.testing.assert_array_equal(nearest, train.E_sym)
    with pytest.raises(ValueError, match="kind must be one of median, nearest"):
        baselines.baseline("mean", train)


def test_curve_values_are_exact_for_a_polynomial():
    rng = np.random.default_rng(0)
    mass, c = rng.uniform(1, 2, (5, 50)), rng.normal(size=(5, 7))
    R = np.stack([np.polyval(c[k], mass[k] - 1.5) for k in range(5)])
    nodes = 1.5 + 0.4 * np.cos(np.pi * (np.arange(8) + 0.5) / 8)
    want = np.stack([np.polyval(c[k], nodes - 1.5) for k in range(5)])
    np.testing.assert_allclose(baselines.curve_values(mass, R, 6), want, rtol=0, atol=1e-9)


@pytest.mark.parametrize("task", ["M-R", "M-Lambda"])
def test_polynomial_finds_the_two_numbers(task):
    train, validation, test = made_up(2000, 1), made_up(200, 2), made_up(200, 3)
    p = baselines.fit_polynomial(train, validation, task, degrees=(4, 6), components=(3,), powers=(4, 6))
    error = se.errors(p(test.mass, getattr(test, se.OBSERVABLE[task])), test.E_sym).mae[-1]
    assert error < 0.01
    chosen = min(p.tried, key=lambda row: row[-1])
    assert p.degree == chosen[0] and p.model["pca"].n_components == chosen[1] and len(p.tried) == 4
    with pytest.raises(ValueError, match="degrees must stay below the number of stars, 50"):
        baselines.fit_polynomial(train, validation, task, degrees=(50,))
