"""Networks and Gaussian processes of mass residuals: distributions against SciPy, samplers against known answers."""

import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from nslib import masses
from nslib.learn import mass_network, mass_prediction, mass_process
from nslib.learn.mass_prediction import Prediction, judge, recalibration
from nslib.masses import liquid_drop
from nslib.tables import ame, mass_models

NOISE = 0.1


def truth(Z, N):
    """A made-up residual [MeV]: smooth, with a kink at N = 28 as shells make."""
    return 0.5 * np.sin(Z / 4) + 0.05 * np.abs(N - 28)


@pytest.fixture(scope="module")
def made():
    """Z, N and residuals with normal noise of known width, and nuclei left out."""
    Z, N = (a.ravel().astype(float) for a in np.meshgrid(np.arange(20, 36), np.arange(20, 40)))
    y = truth(Z, N) + NOISE * np.random.default_rng(1).standard_normal(len(Z))
    learn, rest = mass_prediction.split(len(Z), 220, seed=2)
    return Z, N, y, learn, rest


@pytest.fixture(scope="module")
def net(made):
    Z, N, y, k, _ = made
    return mass_network.fit(Z[k], N[k], y[k], seed=3, hidden=8, chains=2, warmup=600, draws=20, thin=20)


@pytest.fixture(scope="module")
def process(made):
    Z, N, y, k, _ = made
    return mass_process.fit(Z[k], N[k], y[k], tune=100, seed=1)


# ---- distributions ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["normal", "student"])
def mixture(request):
    """A mixture of three, and the same as SciPy's distributions."""
    rng = np.random.default_rng(4)
    f, sigma = rng.normal(size=(3, 5)), rng.uniform(0.5, 2, (3, 5))
    if request.param == "normal":
        return Prediction(f, sigma), stats.norm(f, sigma)
    nu = np.array([[2.5], [4.0], [30.0]])
    return Prediction(f, sigma, nu), stats.t(nu, f, sigma)


def test_moments_density_and_quantiles(mixture):
    """Against SciPy's distributions; the variance of a mixture is the mean variance plus that of the means."""
    p, each = mixture
    y = np.linspace(-3, 3, 5)
    np.testing.assert_allclose(p.mean, each.mean().mean(0), rtol=1e-12)
    np.testing.assert_allclose(p.sd, np.sqrt(each.var().mean(0) + each.mean().var(0)), rtol=1e-12)
    np.testing.assert_allclose(p.log_density(y), np.log(each.pdf(y).mean(0)), rtol=1e-11)
    np.testing.assert_allclose(p.cdf(y), each.cdf(y).mean(0), rtol=1e-11)
    np.testing.assert_allclose(p.cdf(p.quantile(0.01)), 0.01, rtol=1e-4)
    low, high = p.interval(0.95)
    np.testing.assert_allclose(p.cdf(high) - p.cdf(low), 0.95, rtol=1e-5)
    np.testing.assert_array_equal(p[1:3].cdf(y[1:3]), p.cdf(y)[1:3])


def test_measurement_errors_add_in_quadrature():
    """Normal noise and a normal error of 3 and 4 make one of 5."""
    p = Prediction(np.zeros((1, 2)), np.full((1, 2), 3.0)).measured([4.0, 0.0])
    np.testing.assert_allclose(p.sd, [5.0, 3.0], rtol=1e-14)


def test_judgement_by_hand():
    """Four residuals at 0, 0.9, 1.5 and 3 standard deviations: two within 68 %, three within 95 %.

    Ends of exact binomial intervals from the beta distribution: C. J. Clopper and E. S. Pearson, Biometrika 26
    (1934) 404.
    """
    y = np.array([0.0, 0.9, 1.5, 3.0])
    seen = judge(Prediction(np.zeros((1, 4)), np.ones((1, 4))), y)
    assert seen.n == 4 and seen.coverage == (0.5, 0.75)
    assert seen.rms == pytest.approx(np.sqrt(np.mean(y**2)), rel=1e-14)
    assert seen.log_score == pytest.approx(stats.norm.logpdf(y).mean(), rel=1e-12)
    assert seen.interval[1] == pytest.approx(
        (stats.beta.ppf(0.025, 3, 2), stats.beta.ppf(0.975, 4, 1)), rel=1e-6
    )
    assert seen.calibrated == (True, True)
    assert judge(Prediction(np.zeros((1, 40)), np.ones((1, 40))), np.zeros(40)).calibrated == (False, True)


def test_recalibration_finds_width_and_tail():
    """Student noise drawn twice as wide as predicted in one region, as predicted in the other.

    4000 draws fix a width to about 2 %: five standard errors.
    """
    rng, n = np.random.default_rng(5), 4000
    region = np.arange(2 * n) >= n
    y = np.where(region, 2.0, 1.0) * stats.t(5).rvs(2 * n, random_state=rng)
    p = Prediction(np.zeros((1, 2 * n)), np.ones((1, 2 * n)))
    found = recalibration(p, y, region)
    assert found.width[True] == pytest.approx(2.0, rel=0.1) and found.width[False] == pytest.approx(
        1.0, rel=0.1
    )
    assert found.nu[True] == pytest.approx(5, rel=0.5)
    better = found(p, region)
    assert judge(better, y).log_score > judge(p, y).log_score
    assert all(judge(better[region == r], y[region == r]).calibrated == (True, True) for r in (False, True))
    with pytest.raises(ValueError, match="region must be among"):
        found(p, "heavy")
    with pytest.raises(ValueError, match="has 5 nuclei"):
        recalibration(p[:5], y[:5])


def test_split_is_a_partition():
    learn, rest = mass_prediction.split(2591, 1800, seed=6)
    assert len(learn) == 1800 and len(rest) == 791
    np.testing.assert_array_equal(np.sort(np.append(learn, rest)), np.arange(2591))
    assert not np.array_equal(learn, mass_prediction.split(2591, 1800, seed=7)[0])


def test_shell_inputs_by_hand():
    """56Ni and 133Sb: doubly magic, and one proton beyond Z = 50 with N = 82."""
    np.testing.assert_array_equal(
        mass_prediction.inputs("shell", *mass_prediction.nuclei([28, 51], [28, 82])),
        [[28, 56, 0, 0, 0, 0], [51, 133, 1, 0, 1, 0]],
    )


# ---- network ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", mass_network.NOISES)
def test_log_posterior_is_the_sum_of_its_parts(noise):
    """Against SciPy: priors of precisions and weights, likelihood, and the Jacobians of the logarithms."""
    rng, hidden = np.random.default_rng(8), 4
    x, y, trend = rng.normal(size=(6, 2)), rng.normal(size=6), rng.normal(size=(6, 3))
    q = mass_network._begin(jax.random.key(1), 2, hidden, noise)
    q = {k: np.asarray(v, dtype=float) for k, v in q.items()} | {"a": np.array(0.3)}
    if noise == "smooth":
        q["trend"] = np.array([0.2, -0.1])
    expected, sd = 0.0, {}
    for name, width in mass_network.WIDTHS.items():
        tau = np.exp(q[f"tau_{name}"])
        expected += stats.gamma.logpdf(tau, 1.0, scale=1 / width**2) + np.log(tau)
        sd[name] = tau**-0.5
    expected += sum(stats.norm.logpdf(q[k], 0, sd[k]).sum() for k in "abcd")
    f = q["a"] + sum(q["b"][j] * np.tanh(q["c"][j] + x @ q["d"][:, j]) for j in range(hidden))
    sigma = np.full(6, sd["noise"])
    if noise == "smooth":
        sigma = sigma * np.exp(trend[:, 1:] @ q["trend"])
        expected += stats.norm.logpdf(q["trend"], 0, 0.5).sum()
    if noise == "normal":
        expected += stats.norm.logpdf(y, f, sigma).sum()
    else:
        nu = np.exp(q["nu"])
        expected += (
            stats.gamma.logpdf(nu, 2.0, scale=10) + np.log(nu) + stats.t.logpdf(y, 2 + nu, f, sigma).sum()
        )
    log_p = mass_network.log_posterior(noise)
    data = [jnp.asarray(a) for a in (x, y, trend)]
    assert float(log_p({k: jnp.asarray(v) for k, v in q.items()}, data)) == pytest.approx(expected, rel=1e-10)


def test_samplers_find_a_known_posterior():
    """A normal of known means and widths in 20 dimensions, by both samplers.

    A mean of 2000 or more draws in 4 chains lies within 0.3 standard deviations, a standard deviation within 30 %,
    for an effective size of 100 and three standard errors.
    """
    mean, sd = np.linspace(-1, 1, 20).astype("float32"), np.linspace(0.5, 1.5, 20).astype("float32")

    def log_posterior(q, data):
        return -0.5 * jnp.sum(((q["a"] - data[0]) / data[1]) ** 2)

    with jax.enable_x64(False):
        q = {"a": jnp.zeros((4, 20))}
        keys = jax.random.split(jax.random.key(9))
        for run, warmup, draws, thin in (
            (mass_network._mclmc, 3000, 500, 4),
            (mass_network._nuts, 200, 500, 1),
        ):
            found, log_p = run(log_posterior, q, [mean, sd], keys, warmup, draws, thin, False)
            assert found["a"].shape == (4, 500, 20) and log_p.shape == (4, 500)
            a = found["a"].reshape(-1, 20)
            assert np.all(np.abs(a.mean(0) - mean) < 0.3 * sd)
            assert np.all(np.abs(a.std(0) / sd - 1) < 0.3)
            np.testing.assert_allclose(log_p, -0.5 * np.sum(((found["a"] - mean) / sd) ** 2, -1), rtol=1e-3)


def test_network_learns(made, net):
    """Better than half of what is to be learnt is found, and what is left is near the noise put in.

    80 nuclei: the rms of pure noise would be 0.10 +- 0.008; a fit of 220 by some 30 weights adds a few hundredths.
    """
    Z, N, y, _, v = made
    p = net.predict(Z[v], N[v])
    assert p.f.shape == (40, len(v)) and p.nu is None
    assert judge(p, y[v]).rms < 0.5 * y.std()
    assert 0.5 * NOISE < np.median(p.sigma) < 2 * NOISE
    assert np.all(p.sd > p.sd_f) and net.seconds > 0
    # the same sum in float64, from the definition
    x = (np.stack([Z[v], Z[v] + N[v]], 1) - net.x_mean) / net.x_scale
    w = {k: net.weights[k][1, 3].astype(float) for k in "abcd"}
    f = net.y_scale * (w["a"] + np.tanh(w["c"] + x @ w["d"]) @ w["b"])
    np.testing.assert_allclose(p.f[23], f, atol=1e-4 * net.y_scale)


def test_chains_and_their_diagnostics(made, net):
    """Chains that are copies agree, up to the drift within each; chains moved apart do not."""
    Z, N, _, _, v = made
    assert np.array_equal(net.chain(1).predict(Z[v], N[v]).f, net.predict(Z[v], N[v]).f[20:])
    assert np.array_equal(net.chain(-1).weights["a"], net.chain(1).weights["a"])
    apart = net.weights | {"a": net.weights["a"] + np.array([[0.0], [100.0]])}
    r_hat = replace(net, weights=apart).diagnostics(Z[v], N[v]).r_hat
    assert np.all(r_hat > 10)
    d = net.diagnostics(Z[v], N[v])
    assert d.r_hat.shape == d.ess.shape == (len(v),) and np.all(d.r_hat > 0.9) and np.all(d.ess < 200)


def test_file_round_trip(made, net, tmp_path):
    Z, N, _, _, v = made
    mass_network.save(net, "one", folder=tmp_path, licence="MIT")
    again = mass_network.load("one", folder=tmp_path)
    assert np.array_equal(again.predict(Z[v], N[v]).f, net.predict(Z[v], N[v]).f)
    assert np.array_equal(again.predict(Z[v], N[v]).sigma, net.predict(Z[v], N[v]).sigma)
    assert again.seconds == net.seconds and np.array_equal(again.log_posterior, net.log_posterior)
    assert again.card == {"licence": "MIT"} and mass_network.names(tmp_path) == ["one"]


def test_files_that_hold_no_network(net, tmp_path):
    """A file of something else, a part of a file, a byte changed: none is used."""
    whole = mass_network.save(net, "one", folder=tmp_path).read_bytes()
    np.savez(tmp_path / "other.npz", a=1)
    (tmp_path / "part.npz").write_bytes(whole[: len(whole) // 2])
    changed = bytearray(whole)
    changed[len(whole) // 3] ^= 255
    (tmp_path / "changed.npz").write_bytes(changed)
    for name in ("other", "part", "changed"):
        with pytest.raises(ValueError, match=rf"{name}.npz does not hold a network of masses"):
            mass_network.load(name, folder=tmp_path)
    with pytest.raises(ValueError, match="name must be one of changed, one, other, part; got 'two'"):
        mass_network.load("two", folder=tmp_path)


@pytest.mark.parametrize("name", mass_network.names())
def test_shipped_networks(name):
    """Each says what it learnt; what is left of the residuals that it learnt is less than they were.

    For those of a learning set, the error on the validation set is the one that their card states.
    """
    net = mass_network.load(name)
    model = net.card["model"]
    assert net.card["licence"] and net.card["learnt"] and name.startswith(f"masses_{model}")
    table = ame.select(2012, Z=(20, 92), N=(20, 148))
    if model == "LDM":
        known = ame.ame(2012)
        known = known[known["Z"].between(8, 92) & (known["N"] >= 8)]
        binding = masses.binding_energy(known["Z"], known["N"], known["mass_excess"], electrons=False)
        drop = liquid_drop.fit(known["Z"], known["N"], binding)
        B = liquid_drop.binding_energy(table["Z"], table["N"], drop.a)
        y = (table["mass_excess"] - masses.mass_excess(table["Z"], table["N"], B, electrons=False)).to_numpy()
    elif model in mass_models.available():
        y = masses.residuals(table, mass_models.mass_model(model))["residual"].to_numpy()
    else:
        pytest.skip(f"{name} is not tested: the extra hfb21 (nucleardatapy) is not installed")
    left = y - net.predict(table["Z"], table["N"]).mean
    if "test_error" in net.card:
        valid = mass_prediction.split(len(table), net.card["n"], seed=net.card["seed"])[1]
        rms = np.sqrt(np.mean(left[valid] ** 2))
        assert rms == pytest.approx(net.card["test_error"]["validation rms [MeV]"], abs=2e-4)
    else:
        assert np.sqrt(np.mean(left**2)) < 0.6 * np.sqrt(np.mean(y**2))


def test_networks_ship():
    assert {"masses_LDM", "masses_DZ", "masses_LDM_1800", "masses_DZ_1800"} <= set(mass_network.names())


def test_papers_sampler_and_seeds(made):
    """NUTS from random weights, one chain, runs through the same call; another seed, another network."""
    Z, N, y, k, v = made
    k = k[::5]
    small = {
        "hidden": 2,
        "chains": 1,
        "warmup": 8,
        "draws": 3,
        "thin": 1,
        "sampler": "nuts",
        "start": "prior",
    }
    one, two = (mass_network.fit(Z[k], N[k], y[k], seed=s, **small).predict(Z[v], N[v]) for s in (1, 2))
    assert one.f.shape == (3, len(v)) and not np.array_equal(one.mean, two.mean)


def test_interrupt_keeps_the_samples_so_far(made, net, monkeypatch):
    """And they are those of the whole run: the seed alone decides."""
    Z, N, y, k, _ = made

    def interrupted(keys, **_):
        yield from keys[:3]
        raise KeyboardInterrupt

    monkeypatch.setattr("tqdm.tqdm", interrupted)
    short = mass_network.fit(Z[k], N[k], y[k], seed=3, hidden=8, chains=2, warmup=600, draws=20, thin=20)
    for name, w in net.weights.items():
        np.testing.assert_array_equal(short.weights[name], w[:, :3])


# ---- process ---------------------------------------------------------------------------------------------------


def test_process_learns_and_knows_its_noise(made, process):
    """rms of pure noise on 100 nuclei: 0.100 +- 0.007; the function has to be found to half of that."""
    Z, N, y, _, v = made
    p = process.predict(Z[v], N[v])
    assert judge(p, y[v]).rms < 1.3 * NOISE
    assert 0.8 * NOISE < np.median(p.sd) < 1.5 * NOISE
    far = process.predict([80], [120])
    assert far.sd[0] > 2 * np.median(p.sd)


def test_left_out_is_what_refitting_without_it_predicts(process):
    from sklearn.gaussian_process import GaussianProcessRegressor

    left_out, g = process.left_out(), process.regressor
    for i in (0, 57):
        rest = np.delete(np.arange(len(g.y_train_)), i)
        again = GaussianProcessRegressor(g.kernel_, alpha=1e-10, optimizer=None).fit(
            g.X_train_[rest], g.y_train_[rest]
        )
        mean, sd = again.predict(g.X_train_[i : i + 1], return_std=True)
        assert left_out.mean[i] == pytest.approx(process.y_scale * mean[0], abs=1e-8)
        assert left_out.sd[i] == pytest.approx(process.y_scale * sd[0], rel=1e-6)


def test_known_lengths_need_no_search(made, process):
    """The same process from its own lengths and strengths; another number of them is refused."""
    Z, N, y, k, v = made
    again = mass_process.fit(Z[k], N[k], y[k], theta=process.theta)
    np.testing.assert_allclose(again.predict(Z[v], N[v]).mean, process.predict(Z[v], N[v]).mean, atol=1e-9)
    with pytest.raises(ValueError, match=r"theta must have shape \(11,\), got \(3,\)"):
        mass_process.fit(Z[k], N[k], y[k], theta=[0.0, 1.0, 2.0])


def test_draws_have_the_predicted_moments(made, process):
    """4000 draws: means to 5 standard errors of 1.6 %, standard deviations to 5 of 1.1 %."""
    Z, N, _, _, v = made
    p, drawn = process.predict(Z[v][:20], N[v][:20]), process.draws(Z[v][:20], N[v][:20], 4000, seed=1)
    assert np.all(np.abs(drawn.mean(0) - p.mean) < 0.08 * p.sd)
    np.testing.assert_allclose(drawn.std(0), p.sd, rtol=0.06)


def test_nucleus_of_large_error_does_not_count(made):
    Z, N, y, k, v = made
    k, bad, error = k[::2], y.copy(), np.zeros(len(y))
    bad[k[0]] += 5
    error[k[0]] = 1e3
    p = mass_process.fit(Z[k], N[k], bad[k], error=error[k]).predict(Z[v], N[v])
    assert judge(p, y[v]).rms < 0.5 * y.std()


# ---- bad input -------------------------------------------------------------------------------------------------

SMALL = {"seed": 0, "warmup": 1, "draws": 1, "chains": 1}


@pytest.mark.parametrize("change, message", [
    ({"Z": [-1.0, 20, 21]}, "Z must be whole, 0 or more; got -1.0 for nucleus 0"),
    ({"N": [20, 20.5, 21]}, "N must be whole, 0 or more; got 20.5 for nucleus 1"),
    ({"Z": [20, np.nan, 21]}, "Z must be whole"),
    ({"Z": [0, 20, 21], "N": [0, 20, 21]}, "A must be above 0"),
    ({"residual": [0, 1, np.inf]}, "residual must be finite; got inf for nucleus 2, Z = 22, N = 23"),
    ({"residual": [0.0, 1]}, "all columns must have one length"),
    ({"Z": [], "N": [], "residual": []}, "at least 1"),
    ({"residual": [1.0, 1, 1]}, "residuals must differ"),
    ({"residual": [0.1, 0.1, 0.1]}, "residuals must differ"),
    ({"residual": [1000.1, 1000.2, 1000.4]}, "subtract it first"),
])  # fmt: skip
@pytest.mark.parametrize("fit", [mass_network.fit, mass_process.fit])
def test_bad_nuclei(fit, change, message):
    columns = {"Z": [20, 21, 22], "N": [21, 22, 23], "residual": [0.1, 0.2, 0.4]} | change
    with pytest.raises(ValueError, match=message):
        fit(**columns, **(SMALL if fit is mass_network.fit else {}))


@pytest.mark.parametrize("knob, message", [
    ({"noise": "cauchy"}, "noise must be one of normal, student, smooth; got 'cauchy'"),
    ({"sampler": "gibbs"}, "sampler must be one of"),
    ({"start": "zero"}, "start must be one of"),
    ({"inputs": "NZ"}, "inputs must be ZA or shell, got 'NZ'"),
    ({"chains": 0}, "chains must be a whole number, at least 1; got 0"),
    ({"hidden": True}, "hidden must be a whole number"),
    ({"thin": 4.0}, "thin must be a whole number"),
    ({"seed": 2**32 + 1}, "seed must be a whole number, at least 0, at most 4294967295"),
    ({"seed": None}, "seed must be a whole number"),
    ({"draws": 2.5}, "draws must be a whole number"),
])  # fmt: skip
def test_bad_knobs(knob, message):
    with pytest.raises(ValueError, match=message):
        mass_network.fit([20, 21, 22], [21, 22, 23], [0.1, 0.2, 0.4], **(SMALL | knob))


def test_bad_predictions(made, process):
    """Widths, errors and lengths that no prediction has."""
    one = np.ones((1, 3))
    for f, sigma, nu, message in (
        (one, one[:, :2], None, "one shape"), (one, 0 * one, None, "above 0"), (one * np.nan, one, None, "finite"),
        (one, one, one * 2, "nu must be above 2"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            Prediction(f, sigma, nu)
    p = Prediction(one, one)
    assert p[2].f.shape == (1, 1)
    for error in (-1.0, np.nan, [1.0, 2.0]):
        with pytest.raises(ValueError, match="error must be 3 finite numbers >= 0"):
            p.measured(error)
    # quantiles end where floats do: a mean of 1e6 has a spacing of 1e-10, far above 1e-6 of this width
    far = Prediction(np.full((1, 2), 1e6), np.full((1, 2), 1e-5))
    assert far.quantile(0.84) == pytest.approx(1e6 + 1e-5, abs=1e-7)
    wide = Prediction(np.zeros((1, 50)), np.ones((1, 50)))
    with pytest.raises(RuntimeError, match="region 0: no width between 1/20 and 20"):
        recalibration(wide, 1e3 * np.random.default_rng(1).standard_normal(50))
    Z, N, y, k, _ = made
    with pytest.raises(ValueError, match="error must be >= 0, got -1"):
        mass_process.fit(Z[k], N[k], y[k], error=-np.ones(len(k)), tune=50)
    with pytest.raises(ValueError, match="theta must lie within the kernel's bounds"):
        mass_process.fit(Z[k], N[k], y[k], theta=np.exp(process.theta))


@pytest.mark.parametrize("change", [
    {"y_scale": 0.0}, {"y_scale": -1.0}, {"noise": "foo"}, {"noise": "student"}, {"inputs": "shell"}, {"x_scale": np.zeros(2)},
    {"x_mean": np.float64(3.0)}, {"log_posterior": np.zeros((2, 3))},
])  # fmt: skip
def test_altered_networks(net, tmp_path, change):
    """Values that no fit gives are refused when the file is read."""
    mass_network.save(replace(net, **change), "altered", folder=tmp_path)
    with pytest.raises(ValueError, match="altered.npz does not hold a network of masses"):
        mass_network.load("altered", folder=tmp_path)


def test_bad_names_and_weights(net, tmp_path):
    for name in ("../b", "", "sub/d", None):
        with pytest.raises(ValueError, match="name must be a file's name without folders"):
            mass_network.save(net, name, folder=tmp_path)
        with pytest.raises(ValueError, match="name must be a file's name without folders"):
            mass_network.load(name, folder=tmp_path)
    with pytest.raises(ValueError, match="there are no networks"):
        mass_network.load("x", folder=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="weights a of 'bad' are not finite"):
        mass_network.save(replace(net, weights=net.weights | {"a": net.weights["a"] * np.nan}), "bad", folder=tmp_path)
    with pytest.raises(ValueError, match=r"k must lie in \[0, 1\], got 2"):
        net.chain(2)
    short = {k: w[:, :3] for k, w in net.weights.items()}
    with pytest.raises(ValueError, match="diagnostics need at least 4 samples a chain, this network has 3"):
        replace(net, weights=short, log_posterior=net.log_posterior[:, :3]).diagnostics([30], [30])


def test_bad_judgements(net):
    p = Prediction(np.zeros((1, 3)), np.ones((1, 3)))
    for y in ([0.0, 1.0], [0.0, 1.0, np.nan]):
        with pytest.raises(ValueError, match="y must be 3 finite residuals"):
            judge(p, y)
    with pytest.raises(ValueError, match="p must lie between 0 and 1"):
        p.quantile(1.0)
    with pytest.raises(ValueError, match="n_learn must lie between 1 and n - 1 = 9, got 10"):
        mass_prediction.split(10, 10, seed=0)
    with pytest.raises(ValueError, match="tune must be a whole number, at least 2; got 1"):
        mass_process.fit([20, 21, 22], [21, 22, 23], [0.1, 0.2, 0.4], tune=1)
    with pytest.raises(ValueError, match="N must be whole"):
        net.predict([20], [-3])


@pytest.mark.parametrize("name", ["numpyro", "blackjax"])
def test_optional_packages_absent(monkeypatch, name, made, net):
    """A missing sampler is named with its cure; predictions need none."""
    Z, N, y, k, v = made
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"optional package {name}: pip install {name}"):
        mass_network.fit(Z[k], N[k], y[k], seed=0, hidden=2, chains=1, warmup=1, draws=1, start="prior")
    assert np.all(np.isfinite(net.predict(Z[v], N[v]).mean))
