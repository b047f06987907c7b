"""Amortised posteriors: prior coordinates, order and number of stars, the exact posterior, bad input, both backends."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nslib import datasets
from nslib.learn import star_exact, star_posterior
from nslib.learn.star_posterior import Population, Prior, Status
from nslib.matter import metamodel
from nslib.units import RHO_0

NAMES = ("stars_median_M-Lambda", "stars_median_M-R", "stars_posterior", "stars_posterior_wide")
POPULATION = Population("R", 5, (0.01, 0.1), (0.1, 0.5), 1.0, 2.0, 10.8, 14.2)


@pytest.fixture(scope="module")
def posterior():
    return star_posterior.load("stars_posterior")


@pytest.fixture(scope="module")
def wide():
    return star_posterior.load("stars_posterior_wide")


@pytest.fixture(scope="module")
def truths():
    """Equations of state of the paper's prior that no training saw: their seed is another one."""
    rng = np.random.default_rng(77)
    draws = np.stack([rng.uniform(46.0, 86.8, 60), rng.uniform(-130.0, 100.0, 60), np.zeros(60), np.zeros(60)], axis=1)
    return datasets.curves(draws, M_high=2.0)[:40]


# ---- prior ---------------------------------------------------------------------------------------------------


def test_prior_becomes_a_unit_normal(posterior, truths):
    """Uniform draws in the region, by rejection from a box: mean 0, deviation 1, no correlation within four standard errors."""
    rng = np.random.default_rng(3)
    L, K = rng.uniform(46.0, 86.8, 40_000), rng.uniform(-140.0, 100.0, 40_000)
    region = posterior.prior.region
    inside = (L > region.L[0]) & (K > region.edge(L))
    theta = np.stack([L, K], axis=1)[inside]
    z = posterior.prior.to_normal(theta)
    n = len(z)
    assert np.all(np.abs(z.mean(axis=0)) < 4 / np.sqrt(n)) and np.all(np.abs(z.std(axis=0) - 1) < 4 / np.sqrt(2 * n))
    assert abs(np.corrcoef(z.T)[0, 1]) < 4 / np.sqrt(n)
    assert np.allclose(posterior.prior.from_normal(z), theta, atol=0.1)  # ranks are kept 2e-4 from 0 and 1


def test_no_z_lies_outside_of_the_region(posterior):
    z = np.random.default_rng(1).normal(0, 4, (20_000, 2))
    L, K = posterior.prior.from_normal(z).T
    region = posterior.prior.region
    assert np.all((region.L[0] <= L) & (L <= region.L[-1]) & (region.edge(L) <= K + 1e-9) & (K <= 100 + 1e-9))


@pytest.mark.parametrize("name", ["stars_posterior", "stars_posterior_wide"])
def test_slope_of_the_prior_coordinates(name, request):
    """ln |dz/dtheta| against differences of z between two neighbours, parameter by parameter."""
    prior = request.getfixturevalue("posterior" if name == "stars_posterior" else "wide").prior
    theta = prior.from_normal(np.random.default_rng(2).normal(0, 0.8, (200, len(prior.names))))
    step, jacobian = 1e-4, []
    for k in range(len(prior.names)):
        up = theta.copy()
        up[:, k] += step
        jacobian.append((prior.to_normal(up) - prior.to_normal(theta)) / step)
    expected = np.log(np.abs(np.linalg.det(np.stack(jacobian, axis=1))))
    assert np.mean(np.abs(prior.log_slope(prior.to_normal(theta)) - expected) < 1e-3) > 0.95  # the rest straddle a knot


# ---- networks ------------------------------------------------------------------------------------------------


def test_order_and_company_do_not_matter(posterior, truths):
    """The same draws for stars in another order, filled up with NaN, in another place, or among other sets."""
    s = star_exact.observe(truths[:1], 7, 0.05, 0.3, rng=np.random.default_rng(8))
    one = [a[0] for a in s]
    draws = posterior(*one, n=50, seed=3).values
    turned = posterior(*(a[::-1] for a in one), n=50, seed=3).values
    gaps = np.full((4, 31), np.nan)
    gaps[:, 3:31:4] = one
    assert np.allclose(draws, turned, atol=1e-2) and np.allclose(draws, posterior(*gaps, n=50, seed=3).values, atol=1e-2)
    assert not np.allclose(draws, posterior(*one, n=50, seed=4).values, atol=1.0)


def test_how_far_a_set_is_filled_up_does_not_matter(posterior, truths):
    """Seven stars alone are filled up to ten places, beside a set of forty to fifty: the same medians, and the same median of draws."""
    few, many = (star_exact.observe(truths[k : k + 1], n, 0.05, 0.3, rng=np.random.default_rng(n)) for k, n in ((0, 7), (1, 40)))
    both = [np.concatenate([np.pad(a, ((0, 0), (0, 33)), constant_values=np.nan), b]) for a, b in zip(few, many)]
    net = star_posterior.load("stars_median_M-R")
    assert np.allclose(net(*both), np.concatenate([net(*few), net(*many)]), atol=1e-2)
    E = [np.median(posterior(*s, n=4000).E_sym(5 * RHO_0), axis=1)[0] for s in (few, both)]
    assert abs(E[0] - E[1]) < 5.0  # other draws: the standard error of either median is about 1 MeV


def test_draws_know_their_parameters(wide):
    """By name, the symmetry energy by its formula at one density; also after a pickle."""
    draws = wide([1.4, 1.9], [12.5, 12.3], 0.05, 0.3, n=30)
    draws = pickle.loads(pickle.dumps(draws))
    assert draws.values.shape == (30, 4) and draws.names == ("L", "K_sym", "J_0", "J_sym")
    assert np.array_equal(draws.J_0, draws.values[:, 2])
    x = (0.5 - RHO_0) / (3 * RHO_0)
    assert np.allclose(draws.E_sym(0.5), 31.7 + draws.L * x + draws.K_sym * x**2 / 2 + draws.J_sym * x**3 / 6)
    with pytest.raises(AttributeError, match="S_0"):
        draws.S_0
    for n in ([0.1, 0.2], -0.1, np.nan):
        with pytest.raises(ValueError, match="n must be one density above 0"):
            draws.E_sym(n)


def test_it_counts(posterior, truths):
    """Ten stars given twice make the posterior narrower, as the exact one is: a mean over stars cannot do that."""
    s = star_exact.observe(truths, 10, 0.05, 0.5, rng=np.random.default_rng(9))
    twice = star_exact.Stars(*(np.concatenate([a, a], axis=1) for a in s))
    width = [posterior(*t, n=400).E_sym(5 * RHO_0).std(axis=1) for t in (s, twice)]
    assert 0.6 < np.median(width[1] / width[0]) < 0.9


def test_close_to_the_exact_posterior(posterior, truths):
    """Medians and half-widths of E_sym(5 rho_0) for forty sets of twenty stars, on a grid of 24 x 24."""
    grid = star_exact.grid(posterior.prior.region, 24)
    s = posterior.population.draw(truths, 20, np.random.default_rng(10))
    draws = posterior(*s, n=4000).E_sym(5 * RHO_0)
    flow = np.quantile(draws, (0.16, 0.5, 0.84), axis=1).T
    exact = np.array([star_exact.quantile(p.E_sym(5 * RHO_0), p.probability, (0.16, 0.5, 0.84)) for p in (star_exact.posterior(grid, ln) for ln in star_exact.log_likelihood(grid.members, s))])
    width = (exact[:, 2] - exact[:, 0]) / 2
    assert np.median(np.abs(flow - exact)[:, 1] / width) < 0.2
    assert abs(np.median((flow[:, 2] - flow[:, 0]) / 2 / width) - 1) < 0.05


def test_density_integrates_to_one(posterior, truths):
    """Sum of exp(log_prob) over a fine grid of the region."""
    region = posterior.prior.region
    v = (np.arange(300) + 0.5) / 300
    L = region.L[0] + (region.L[-1] - region.L[0]) * v
    height = region.K_high - region.edge(L)
    K = region.edge(L)[:, None] + height[:, None] * v
    theta = np.stack([np.repeat(L, 300), K.ravel()], axis=1)
    s = star_exact.observe(truths[:1], 6, 0.05, 0.4, rng=np.random.default_rng(11))
    p = np.exp(posterior.log_prob(theta, *(a[0] for a in s)))
    assert np.isclose(np.sum(p * np.repeat(height, 300)) * (L[1] - L[0]) / 300, 1, atol=0.01)


def test_weighted_draws_of_four_parameters_are_exact(wide):
    """Draws of the wide flow weighted by likelihood over density against the prior sample weighted by likelihood, three stars."""
    rng = np.random.default_rng(12)
    box = np.array([[30.6, 143.0], [-400.0, 100.0], [-200.0, 400.0], [-200.0, 800.0]])
    prior = datasets.curves(rng.uniform(*box.T, (3000, 4)), M_max_min=2.0, M_high=None)
    s = star_exact.Stars(*np.array([[1.4, 1.7, 2.0], [12.9, 13.0, 12.8], [0.1] * 3, [0.6] * 3])[:, None])
    w = np.exp(star_exact.log_likelihood(prior, s)[0])
    theta = wide(*(a[0] for a in s), n=1500)
    made = datasets.curves(theta.values, M_max_min=2.0, M_high=None)
    ok = made.status == 0
    ln = star_exact.log_likelihood(made, s)[0] - wide.log_prob(theta.values[ok], *(a[0] for a in s))
    v = np.exp(ln - ln.max())
    assert ok.mean() > 0.7 and v.sum() ** 2 / np.sum(v**2) > 0.3 * len(v)
    for name in ("L", "K_sym", "J_0", "J_sym"):
        x, y = getattr(prior, name), getattr(theta, name)[ok]
        a, b = np.average(x, weights=w), np.average(y, weights=v)
        spread = np.sqrt(np.average((x - a) ** 2, weights=w))
        assert abs(a - b) < 0.2 * spread


def test_median_network_is_near_the_exact_median(truths):
    """E_sym(5 rho_0) from forty sets of fifty stars at 0.1 km: within a fifth of what guessing misses; exact at saturation."""
    net = star_posterior.load("stars_median_M-R")
    s = star_exact.observe(truths, 50, 0.05, 0.1, rng=np.random.default_rng(13))
    E = net(*s)
    truth = np.asarray(metamodel.symmetry_energy(5 * RHO_0, metamodel.Metamodel(truths.L, truths.K_sym)))
    assert E.shape == (len(truths), 100)
    assert np.mean(np.abs(E[:, -1] - truth)) < 0.2 * np.mean(np.abs(truth - np.median(truth)))
    assert np.allclose(net(*(a[0] for a in s)), E[0], atol=1e-2)


# ---- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stars", "message"),
    [
        (([], [], [], []), "no star; without one the posterior is the prior"),
        (([1.4], [np.nan], [0.05], [0.3]), "a value is not finite, or a star lacks some of its four numbers"),
        (([1.4], [np.inf], [0.05], [0.3]), "a value is not finite"),
        (([1.4] * 51, [12.0] * 51, 0.05, 0.3), "more stars than the network was trained for: 51, at most 50"),
        (([1.4], [12.0], [0.05], [0.0]), r"a standard deviation lies outside the trained range: sigma_M \[0.05\] in \[0.01, 0.1\] Msun, sigma \[0.\]"),
        (([1.4], [12.0], [-0.05], [0.3]), "a standard deviation lies outside the trained range"),
        (([1.4], [12.0], [0.05], [0.9]), r"sigma \[0.9\] of R in \[0.1, 0.5\]"),
        (([3.0], [12.0], [0.05], [0.3]), r"a mass is further than 5 standard deviations from any star of the prior, \[1, 2\] Msun: \[3.\]"),
        (([1.4], [20.0], [0.05], [0.3]), "a radius or deformability is further than 5 standard deviations"),
        (([1.4, 1.5], [12.0], 0.05, 0.3), r"mass and R must have one shape"),
        (([1.4, 1.5], [12.0, 12.1], [0.05] * 3, 0.3), "sigma_M must be one number or have the shape of mass"),
        ((1.4, 12.0, 0.05, 0.3), r"mass and R must have one shape, \(n_star,\) or \(n_set, n_star\)"),
    ],
)
def test_a_single_set_that_is_outside_is_refused(posterior, stars, message):
    for call in (posterior, star_posterior.load("stars_median_M-R")):
        with pytest.raises(ValueError, match=message):
            call(*stars)


def test_one_star_is_enough(posterior):
    assert np.all(np.isfinite(posterior([1.4], [12.5], [0.05], [0.3], n=10).values))


def test_a_batch_carries_statuses(posterior):
    """Sets that are outside give NaN and say why; the others are as if alone."""
    mass = np.array([[1.4, 1.6], [np.nan, np.nan], [1.4, 3.0], [1.4, 1.5], [1.4, 1.5], [1.4, np.nan]])
    R = np.array([[12.5, 12.4], [np.nan, np.nan], [12.5, 12.4], [12.5, np.inf], [12.5, 25.0], [12.5, np.nan]])
    sigma_R = np.full_like(R, 0.3)
    draws = posterior(mass, R, 0.05, sigma_R, n=20, seed=1)
    status = [Status.OK, Status.NO_STAR, Status.MASS_OUTSIDE, Status.NOT_FINITE, Status.OBSERVABLE_OUTSIDE, Status.OK]
    assert posterior.status(posterior.stars(mass, R, 0.05, sigma_R)).tolist() == status
    assert np.isfinite(draws.values).all(axis=(1, 2)).tolist() == [s == Status.OK for s in status]
    assert all(s.sentence for s in Status)


@pytest.mark.parametrize("n", [0, -3, 2.5, "many", True])
def test_number_of_draws(posterior, n):
    with pytest.raises(ValueError, match="n must be a whole number, at least 1"):
        posterior([1.4], [12.5], [0.05], [0.3], n=n)


def test_seed_of_draws(posterior):
    with pytest.raises(ValueError, match="seed must be a whole number, at least 0"):
        posterior([1.4], [12.5], [0.05], [0.3], seed=-1)


def test_density_outside_of_the_prior_is_zero(posterior, wide):
    """Below and above L, below the edge, above K_sym; inside it is not."""
    ln = posterior.log_prob([[20.0, 0.0], [90.0, 0.0], [60.0, -300.0], [60.0, 101.0], [60.0, 0.0]], [1.4], [12.5], 0.05, 0.3)
    assert np.isfinite(ln).tolist() == [False] * 4 + [True] and np.all(ln[:4] == -np.inf)
    assert wide.log_prob([[60.0, 0.0, -250.0, 0.0]], [1.4], [12.5], 0.05, 0.3)[0] == -np.inf


@pytest.mark.parametrize(
    ("theta", "mass", "message"),
    [
        ([[60.0, 0.0]], [[1.4]], r"mass must have shape \(n_star,\)"),
        ([60.0, 0.0], [1.4], r"theta \(n, 2\)"),
        ([[60.0, 0.0, 0.0]], [1.4], "parameters must be finite, with L, K_sym along the last axis"),
        ([[np.nan, 0.0]], [1.4], "parameters must be finite"),
    ],
)
def test_densities_that_make_no_sense(posterior, theta, mass, message):
    with pytest.raises(ValueError, match=message):
        posterior.log_prob(theta, mass, np.full_like(mass, 12.5), 0.05, 0.3)


def test_no_sets_at_all(posterior):
    none = np.zeros((0, 3))
    assert posterior(none, none, 0.05, 0.3, n=5).values.shape == (0, 5, 2)
    assert star_posterior.load("stars_median_M-R")(none, none, 0.05, 0.3).shape == (0, 100)


@pytest.mark.parametrize(("names", "message"), [(("L",), "L and K_sym among them"), (("L", "K_sym", "R"), "names must be different ones of"), (("L", "K_sym", "J_0"), "J_0 is the same for all members")])
def test_priors_that_make_no_sense(truths, names, message):
    with pytest.raises(ValueError, match=message):
        Prior.of(truths, names)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"validation": slice(0, 0)}, r"len\(validation\) must be a whole number, at least 1"), ({"epochs": 0}, "epochs must be"), ({"steps": 0}, "steps must be"), ({"batch_size": 0}, "batch_size must be"), ({"learning_rate": -1.0}, "learning_rate must be finite and above 0"), ({"seed": -1}, "seed must be")],
)
def test_trainings_that_make_no_sense(truths, change, message):
    how = SHORT | {"seed": 1} | {key: value for key, value in change.items() if key != "validation"}
    with pytest.raises(ValueError, match=message):
        star_posterior.fit("median", truths, truths[change.get("validation", slice(0, 8))], **how)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"observable": "Lambda"}, "observable must be one of"), ({"n_max": 51}, r"n_max must lie in \[1, 50\]"), ({"sigma": (0.5, 0.1)}, "sigma must be two numbers"), ({"sigma_M": (0.0, 0.1)}, "sigma_M must be two numbers"), ({"n_max": 2.5}, "n_max must be a whole number"), ({"M_high": 0.5}, "M_low < M_high must be finite"), ({"x_low": np.nan}, "x_low < x_high must be finite")],
)
def test_populations_that_make_no_sense(change, message):
    with pytest.raises(ValueError, match=message):
        Population(**{"observable": "R", "n_max": 50, "sigma_M": (0.01, 0.1), "sigma": (0.1, 0.5), "M_low": 1.0, "M_high": 2.0, "x_low": 11.0, "x_high": 14.0} | change)


# ---- training and files --------------------------------------------------------------------------------------


SHORT = {"population": POPULATION, "epochs": 2, "steps": 3, "batch_size": 16}


def test_the_seed_makes_the_network(truths):
    """Three batches of each of two epochs: the same seed gives the same network, another one another."""
    answers = []
    for seed in (1, 1, 2):
        made, history = star_posterior.fit("median", truths, truths[:8], seed=seed, **SHORT)
        assert history.epochs == 2 and np.all(np.isfinite(history.validation_loss)) and history.stopped == "epochs"
        answers.append(made([1.4, 1.6], [12.5, 12.3], 0.05, 0.3))
    assert np.allclose(answers[0], answers[1], rtol=1e-3) and not np.allclose(answers[0], answers[2], rtol=1e-3)


@pytest.mark.parametrize("kind", ["posterior", "median"])
def test_a_file_gives_the_same_answers(kind, truths, tmp_path):
    made, _ = star_posterior.fit(kind, truths, truths[:8], prior=Prior.of(truths, ("L", "K_sym")) if kind == "posterior" else None, seed=3, **SHORT)
    stars = ([1.4, 1.6], [12.5, 12.3], 0.05, 0.3)
    star_posterior.save(made, "stars_short", folder=tmp_path, licence="MIT")
    loaded = star_posterior.load("stars_short", folder=tmp_path)
    answers = [getattr(net(*stars), "values", net(*stars)) for net in (made, loaded)]
    assert np.array_equal(*answers)
    assert loaded.card["licence"] == "MIT" and loaded.population == POPULATION


def test_kinds_and_priors(truths):
    for kind, prior in (("flow", None), ("posterior", None), ("median", Prior.of(truths, ("L", "K_sym")))):
        with pytest.raises(ValueError, match="kind must be 'posterior', with a prior, or 'median', without one"):
            star_posterior.fit(kind, truths, truths, population=POPULATION, prior=prior, seed=1)


def test_what_ships():
    assert star_posterior.names() == sorted(NAMES)
    for name in NAMES:
        card = star_posterior.load(name).card
        assert {"seconds", "validation_loss", "epochs", "seed", "backend", "licence", "bayesflow", "keras"} <= set(card)


def test_files_that_are_damaged(tmp_path):
    whole = (star_posterior.WEIGHTS / "stars_posterior.npz").read_bytes()
    (tmp_path / "stars_cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "stars_text.npz").write_text("no weights")
    for name in ("stars_cut", "stars_text"):
        with pytest.raises(ValueError, match=f"{name}.npz is truncated or altered"):
            star_posterior.load(name, folder=tmp_path)
    with np.load(star_posterior.WEIGHTS / "stars_median_M-R.npz") as file:
        arrays = {key: file[key] for key in file.files}
    arrays["w0"][0, 0] += 1.0
    np.savez(tmp_path / "stars_turned.npz", **arrays)
    with pytest.raises(ValueError, match="stars_turned.npz is truncated or altered: its content does not have its SHA-256"):
        star_posterior.load("stars_turned", folder=tmp_path)
    with pytest.raises(ValueError, match="name is 'stars_none'; there are: stars_cut, stars_text, stars_turned"):
        star_posterior.load("stars_none", folder=tmp_path)


@pytest.mark.parametrize("name", ["median", "stars_a/b", 3])
def test_names_of_files(name, tmp_path):
    with pytest.raises(ValueError, match="name must be the name of a file that begins with 'stars_'"):
        star_posterior.save(star_posterior.load("stars_median_M-R"), name, folder=tmp_path)


def test_without_bayesflow_medians_still_load():
    """What is missing is named; the networks that do not need it work."""
    code = """
import sys
sys.modules["bayesflow"] = None
from nslib.learn import star_posterior
print(star_posterior.load("stars_median_M-R")([1.4], [12.5], 0.05, 0.3).shape)
try:
    star_posterior.load("stars_posterior")
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["(100,)", 'posteriors need BayesFlow: pip install -e ".[posteriors]" in a clone']


def test_logging_is_left_alone():
    """BayesFlow would give the root logger a handler and set its level to INFO."""
    code = """
import logging
from nslib.learn import star_posterior
before = logging.getLogger().level, list(logging.getLogger().handlers), logging.root.manager.disable
star_posterior.load("stars_posterior")
print(before == (logging.getLogger().level, list(logging.getLogger().handlers), logging.root.manager.disable))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["True"]


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_both_backends_give_the_same(backend, posterior, wide):
    """Draws and densities of a process with that backend against those of this one; nothing on its standard error."""
    code = """
import json
from nslib.learn import star_posterior
out = []
for name in ("stars_posterior", "stars_posterior_wide"):
    net = star_posterior.load(name)
    draws = net([1.4, 1.9], [12.5, 12.3], [0.05, 0.1], [0.3, 0.2], n=20, seed=5)
    out.append([draws.values.tolist(), net.log_prob(draws.values, [1.4, 1.9], [12.5, 12.3], [0.05, 0.1], [0.3, 0.2]).tolist()])
out.append(star_posterior.load("stars_median_M-R")([1.4, 1.9], [12.5, 12.3], 0.05, 0.3).tolist())
print(json.dumps(out))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"},
    )  # fmt: skip
    found = json.loads(run.stdout.strip().splitlines()[-1])
    for net, (draws, log_q) in zip((posterior, wide), found):
        here = net([1.4, 1.9], [12.5, 12.3], [0.05, 0.1], [0.3, 0.2], n=20, seed=5).values
        assert np.allclose(here, draws, atol=0.02, rtol=1e-3)  # MeV; float32 through the flow
        assert np.allclose(net.log_prob(here, [1.4, 1.9], [12.5, 12.3], [0.05, 0.1], [0.3, 0.2]), log_q, atol=0.02)
    assert np.allclose(star_posterior.load("stars_median_M-R")([1.4, 1.9], [12.5, 12.3], 0.05, 0.3), found[2], atol=1e-2)
    assert "bayesflow" not in run.stderr.lower()
