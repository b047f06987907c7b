"""Draws of cores: valid ones against the rooms they go through, one by one."""

import numpy as np
import pytest

from nslib import crust, infer, stars
from nslib.datasets import core_draws, cores
from nslib.matter import conformality, quark, rmf, transition
from nslib.tables.observations import DEFAULT

N = 384


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cores")
    how = {"seed": 3, "raw": N, "progress": False}
    return {
        "nucleonic": core_draws(folder / "n", N, model="nucleonic", **how),
        "maxwell": core_draws(folder / "m", N, model="maxwell", **how),
        "folder": folder,
    }


def core(data, i, model):
    """The core of one valid draw, by the rooms themselves."""
    x = data.parameters[i]
    hadrons = rmf.equation_of_state(rmf.invert(rmf.NuclearMatter(*x[:7])).couplings)
    if model == "nucleonic":
        return hadrons, None
    found = transition.maxwell(hadrons, quark.MFTQCD(x[7], x[8]), policy="stay")
    return found.eos, found


@pytest.mark.parametrize("model", ["nucleonic", "maxwell"])
def test_against_the_rooms(sets, model):
    """Three draws with one stable branch: stars at the default settings, their likelihoods, their centres.

    The coarse settings of the data set cost up to 1e-3 in M and R and 0.02 in a log-likelihood.
    """
    data = sets[model]
    for i in np.flatnonzero(data.n_branch == 1)[:3]:
        matter, found = core(data, i, model)
        eos = crust.join(matter)
        family = stars.family(eos, p_min=3.0)
        assert data.M_max[i] == pytest.approx(float(family.M_max), rel=1e-3)
        assert data.R_14[i] == pytest.approx(float(family.R(1.4)), rel=1e-3)
        assert data.Lambda_14[i] == pytest.approx(float(family.Lambda(1.4)), rel=1e-2)
        for name, value in infer.log_likelihoods(family, DEFAULT).items():
            assert data.log_likelihood[name][i] == pytest.approx(float(value), abs=0.02)
        at = conformality.at_pressure(eos, np.array([float(family.p_at(1.4))]))
        assert data.d_c[i, 0] == pytest.approx(float(at.d_c[0]), abs=5e-3)
        assert data.cs2[i, 0] == pytest.approx(float(at.gamma[0] * (1 / 3 - at.Delta[0])), abs=5e-3)
        if model == "maxwell":
            assert data.n_t[i] == pytest.approx(float(found.n_t), rel=1e-9)
            assert bool(data.quark[i, 2]) and data.quark[i, 0] == (float(family.p_at(1.4)) > float(found.p_t))


def test_what_a_draw_may_be(sets):
    """Counts add up, what is kept is valid; shares lie about those of 65,536 draws, 27 and 7 %."""
    for model in ("nucleonic", "maxwell"):
        data = sets[model]
        assert sum(data.counts.values()) == data.n_draw == N and data.counts[cores.Status.VALID] == len(data)
        assert data.parameters.shape == (len(data), len(cores.names(model))) and np.all(data.M_max >= cores.M_MAX_MIN)
        assert np.all(np.isfinite(list(data.log_likelihood.values())) | np.isneginf(list(data.log_likelihood.values())))
        assert np.all(np.diff(data.draw) > 0) and np.all(data.n_conformal[np.isfinite(data.n_conformal)] <= data.n_max[np.isfinite(data.n_conformal)] + 1e-9)
    assert not sets["nucleonic"].quark.any() and np.all(np.isnan(sets["nucleonic"].n_t))
    hybrid = sets["maxwell"]
    assert hybrid.quark[:, 2].all() and np.all(hybrid.n_t >= transition.N_MIN) and np.all(hybrid.n_q > hybrid.n_t)
    assert 0.1 < len(sets["nucleonic"]) / N < 0.5 and 0.02 < len(hybrid) / N < 0.2


def test_pressure_of_neutron_matter(sets):
    """n^2 d(eps/n)/dn by a central difference of the energy density, 1e-4 of it."""
    import jax

    data = sets["nucleonic"]
    q = rmf.invert(rmf.NuclearMatter(*data.parameters[0])).couplings
    eps = jax.jit(lambda n: rmf.uniform(n, 0.0 * n, q).eps)
    for n, p in zip(cores.N_PNM, data.p_pnm[0]):
        h = 1e-4 * n
        slope = (float(eps(n + h)) / (n + h) - float(eps(n - h)) / (n - h)) / (2 * h)
        assert p == pytest.approx(n**2 * slope, rel=1e-4)


def test_prior_is_what_it_says():
    """20,000 draws: means of normals to 5 standard errors, uniform ones inside their ends and with their mean."""
    x = cores.draw(np.random.default_rng(5), 20_000, "gauss")
    assert x.shape == (20_000, 10) and len(cores.names("maxwell")) == 9
    for column, (kind, a, b) in zip(x.T, cores.PRIOR.values()):
        mean, sd = (a, b) if kind == "normal" else ((a + b) / 2, (b - a) / 12**0.5)
        assert abs(column.mean() - mean) < 5 * sd / 20_000**0.5
        assert kind == "normal" or (column.min() >= a and column.max() <= b)


def test_read_again_and_shorter(sets):
    """The same path gives the same bytes, and fewer draws are the first ones."""
    path = sets["folder"] / "m"
    again = core_draws(path, N, seed=3, model="maxwell", raw=N, progress=False)
    np.testing.assert_array_equal(again.columns["log_likelihood"], sets["maxwell"].columns["log_likelihood"])
    part = core_draws(path, 100, seed=3, model="maxwell", raw=N, progress=False)
    assert part.n_draw == 100 and np.all(part.draw < 100)
    np.testing.assert_array_equal(part.M_max, sets["maxwell"].M_max[sets["maxwell"].draw < 100])
    with pytest.raises(ValueError, match="was made with seed = 3, not 4"):
        core_draws(path, N, seed=4, model="maxwell", raw=N, progress=False)


@pytest.mark.parametrize("change, message", [
    ({"model": "hyperonic"}, "model must be one of nucleonic, maxwell, local, gauss; got 'hyperonic'"),
    ({"model": "local"}, "policy must be one of envelope, reject; got 'stay'"),
    ({"policy": "ignore"}, "policy must be one of stay, envelope, reject"),
    ({"coefficient": "27/2"}, "coefficient must be one of Fogaca2011, Albino2024"),
    ({"m_s": 900.0}, r"m_s must lie in \[0, 600\] MeV, got 900"),
    ({"m_s": float("nan")}, "m_s must lie in"),
    ({"seed": -1}, "seed must be a whole number >= 0"),
    ({"raw": 0}, "raw must be a whole number >= 1"),
])  # fmt: skip
def test_bad_settings(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        core_draws(tmp_path / "bad", 10, **({"seed": 1, "model": "maxwell", "progress": False} | change))


def test_equations_of_state_are_those_of_the_draws(sets):
    """Rows of the valid draws again: each has its equation of state, in order, with the transition that was kept."""
    for model in ("nucleonic", "maxwell"):
        data = sets[model]
        status, place, columns, eos = cores.equations_of_state(data.parameters[:5], model)
        assert np.all(status == 0) and list(place) == list(range(5)) and eos.p.shape[0] == 5
        np.testing.assert_allclose(columns["n_t"], data.n_t[:5], rtol=1e-9)
        np.testing.assert_allclose(columns["p_pnm"], data.p_pnm[:5], rtol=1e-9)
    status, place, columns, eos = cores.equations_of_state(np.full((2, 7), 0.3), "nucleonic")
    assert np.all(status == cores.Status.NO_COUPLINGS) and eos is None and len(place) == 0


@pytest.mark.parametrize("place, value", [(3, np.nan), (7, -0.001), (7, 1.0), (8, np.inf), (9, 0.0), (9, 1e5)])
def test_one_bad_member_of_a_batch(place, value):
    """It is out of range, by name; the others are what they are alone."""
    x = cores.draw(np.random.default_rng(2), 16, "local")
    alone, _, _, _ = cores.equations_of_state(x, "local", policy="envelope")
    k = int(np.flatnonzero((alone != cores.Status.NO_COUPLINGS) & (alone != cores.Status.ANOTHER_BRANCH))[0])
    bad = x.copy()
    bad[k, place] = value
    status, _, _, _ = cores.equations_of_state(bad, "local", policy="envelope")
    assert status[k] == cores.Status.OUT_OF_RANGE
    np.testing.assert_array_equal(np.delete(status, k), np.delete(alone, k))


def test_names_of_no_model():
    with pytest.raises(ValueError, match="model must be one of nucleonic, maxwell, local, gauss; got 'nucleon'"):
        cores.draw(np.random.default_rng(1), 2, "nucleon")


def test_bad_parameters():
    with pytest.raises(ValueError, match="policy must be one of envelope, reject; got 'stay'"):
        cores.equations_of_state(np.ones((3, 10)), "local")
    with pytest.raises(ValueError, match=r"parameters must have shape \(n, 9\), n >= 1; got \(3, 7\)"):
        cores.solve(np.ones((3, 7)), "maxwell")
