"""The Skyrme data set: each status provoked, accepted members by the path of single objects, chunks, settings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib import crust, datasets, stars
from nslib.datasets import skyrme as ds
from nslib.datasets.skyrme import Status
from nslib.matter import nuclear, skyrme, speeds, spinodal

BASE = {"n_0": 0.16, "E_0": -16.0, "K_0": 230.0, "S": 32.0, "L": 50.0, "m_s": 0.7, "m_v": 0.8}
#: draws of which it is known what becomes of them
DRAWS = {
    "ordinary": ({}, Status.ACCEPTED),
    "stiff symmetry energy": ({"L": 80.0}, Status.ACCEPTED),
    "alpha below zero": ({"K_0": 150.0}, Status.NO_PARAMETERS),
    "not a number": ({"S": np.nan}, Status.NO_PARAMETERS),
    "infinite": ({"L": np.inf}, Status.NO_PARAMETERS),
    "negative mass asked for": ({"m_s": -0.5}, Status.NO_PARAMETERS),
    "no equilibrium high up": (
        dict(zip(ds.PRIOR, (0.157163551, -15.7647384, 255.80169, 35.3801684, 34.6278189, 0.842040524, 0.685037546))),
        Status.MASS_NEGATIVE,
    ),
    "neutrons of negative mass": (
        dict(zip(ds.PRIOR, (0.1655009, -16.2062538, 255.683385, 29.7760856, 63.0606499, 0.905511591, 0.647068157))),
        Status.MASS_NEGATIVE,
    ),
    "no symmetry energy": ({"L": -60.0}, Status.NO_TRANSITION),
    "too stiff at the crust": ({"L": 150.0}, Status.P_FALLS),
    "mass falls": ({"m_s": 1.0, "m_v": 0.6}, Status.NOT_SOLVED),
    "soft": ({"L": 20.0, "S": 28.0}, Status.TOO_LIGHT),
    "fast": ({"K_0": 265.0, "m_s": 0.6}, Status.ACAUSAL),
}


def row(**changes):
    return list((BASE | changes).values())


@pytest.fixture(scope="module")
def found():
    """(status, numbers, Observables) of ``DRAWS``."""
    return ds.sequences(np.array([row(**changes) for changes, _ in DRAWS.values()]))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("data") / "small"


@pytest.fixture(scope="module")
def data(path):
    return datasets.skyrme_eos(path, 20, seed=3, raw=16, progress=False)


# ---- single draws ----------------------------------------------------------------------------------------------


def test_status_of_each_draw(found):
    for name, got, (_, want) in zip(DRAWS, found[0], DRAWS.values(), strict=True):
        assert Status(int(got)) == want, name
    assert {want for _, want in DRAWS.values()} == set(Status)  # all of them are provoked


def test_rejected_draws_have_no_numbers(found):
    status, numbers, seen = found
    bad = status != 0
    assert np.isnan(numbers[bad]).all() and np.isfinite(numbers[~bad]).all()
    for a in seen:
        assert np.isnan(a[bad]).all() and np.isfinite(a[~bad]).all()


def test_neighbours_do_not_matter(found):
    """The first two beside eleven others than those of ``DRAWS``."""
    status, numbers, seen = ds.sequences(np.array([row(), row(L=80.0), *[row(S=31.0)] * 11]))
    np.testing.assert_array_equal(numbers[:2], found[1][:2])
    for a, b in zip(seen, found[2]):
        np.testing.assert_array_equal(a[:2], b[:2])
    assert not status.any()


def direct(parameters):
    """Family and joined EOS of one draw by the calls for one object, and its transition density."""
    s = skyrme.from_saturation(*map(float, parameters))
    n_cc = spinodal.transition_density(skyrme.energy_density, s, muons=False)
    core = nuclear.equation_of_state(skyrme.energy_density, s, ds.N_B, False)
    eos = crust.join(core, n_join=n_cc, fall="end")
    return s, n_cc, eos, stars.family(eos, **stars.ACCURATE)


def test_accepted_against_the_accurate_solver(found):
    _, numbers, seen = found
    i = list(DRAWS).index("stiff symmetry energy")
    _, n_cc, eos, family = direct(row(L=80.0))
    np.testing.assert_allclose(seen.M_max[i], family.M_max, rtol=1e-4)
    star = family.at_mass(np.array([1.4, 1.0, 2.0]))
    np.testing.assert_allclose([seen.R_14[i], seen.R_10[i], seen.R_20[i]], star.R, rtol=1e-4)
    np.testing.assert_allclose(seen.Lambda_14[i], star.Lambda[0], rtol=1e-3)
    assert numbers[i, 101] == pytest.approx(n_cc, rel=1e-9)
    assert numbers[i, -1] == pytest.approx(float(family.p_max), rel=0.02)  # the mass hardly depends on it
    at = eos.at_density(np.array([numbers[i, -3]]))  # the state of the last row
    np.testing.assert_allclose(numbers[i, -2:], [at.eps[0], at.p[0]], rtol=2e-5)


def test_masses_that_turn_negative():
    """m*_n from the parameters alone, at the density of the heaviest star; the draw is accepted but for that."""
    s, _, eos, family = direct(row(**DRAWS["neutrons of negative mass"][0]))
    assert int(family.status) == stars.Status.OK and float(family.M_max) > 1.95
    assert float(family.p_max) < float(family.p_causal)
    n = float(np.interp(np.log(float(family.p_max)), np.log(eos.p), eos.n_b))
    x = float(nuclear.proton_fraction(skyrme.energy_density, jnp.asarray(n), s, False))
    assert min(skyrme.effective_masses(n * (1 - x), n * x, s)) < 0


# ---- the data set ----------------------------------------------------------------------------------------------


def test_shapes_and_ranges(data):
    assert len(data) == 20 and data.parameters.shape == (20, 7) and data.numbers.shape == (20, 107)
    assert data.draws.shape == (len(data.status), 7) and len(data.status) % 16 == 0
    for column, (low, high) in zip(data.draws.T, ds.PRIOR.values(), strict=True):
        assert low <= column.min() and column.max() <= high
    seen = data.observables
    assert np.all(seen.M_max >= 1.95) and np.all((seen.R_14 > 9) & (seen.R_14 < 16))
    np.testing.assert_array_equal(np.isfinite(seen.R_20), seen.M_max >= 2)
    for a in (data.numbers, seen.R_10, seen.R_14, seen.Lambda_14):
        assert np.all(np.isfinite(a))


def test_counts_and_order(data):
    assert sum(data.counts.values()) == len(data.status) and all(s.sentence for s in Status)
    draws = data.draws[data.status == Status.ACCEPTED][:20]
    np.testing.assert_array_equal(draws, data.parameters)
    # 229 of 512 draws of the prior were accepted, 45 %; four standard deviations of this small sample
    share = data.counts[Status.ACCEPTED] / len(data.status)
    assert abs(share - 0.45) < 4 * np.sqrt(0.45 * 0.55 / len(data.status))
    part = data[5:8]
    np.testing.assert_array_equal(part.observables.R_14, data.observables.R_14[5:8])
    assert len(part) == 3 and part.counts == data.counts


def test_accepted_are_causal_heavy_and_of_positive_mass(data):
    """At 60 densities up to that of the heaviest star, from beta equilibrium itself."""
    s = skyrme.from_saturation(*data.parameters.T)
    n = data.numbers[:, [101]] + (data.numbers[:, [104]] - data.numbers[:, [101]]) * np.linspace(0, 1, 60)
    at = lambda q, n: nuclear.beta_equilibrium(skyrme.energy_density, n, q, False)  # noqa: E731
    matter = jax.jit(jax.vmap(jax.vmap(at, (None, 0))))(s, n)
    assert np.all((matter.cs2 > 0) & (matter.cs2 < 1)) and np.all(np.diff(matter.p, axis=1) > 0)
    masses = skyrme.effective_masses(n * (1 - matter.x_p), n * matter.x_p, jax.tree.map(lambda a: a[:, None], s))
    assert np.all(np.stack(masses) > 0)
    np.testing.assert_allclose(matter.p[:, 0], data.numbers[:, 103], rtol=1e-4)
    np.testing.assert_allclose(matter.p[:, -1], data.numbers[:, 106], rtol=1e-4)
    assert np.all(data.numbers[:, :101] < 1)


def test_numbers_make_the_same_stars_again(data):
    """The floor of the representation, with another solver setting: below .02 %."""
    eos = crust.join(speeds.core(data.numbers[:16]), how="first")
    assert not np.any(eos.status)
    again = ds.observables(stars.family(eos, **ds.FAMILY))
    for name in ("M_max", "R_14", "R_10"):
        np.testing.assert_allclose(getattr(again, name), getattr(data.observables, name)[:16], rtol=1e-4, err_msg=name)
    for difference in speeds.mismatch(data.numbers[:16]):
        assert np.abs(difference).max() < 1e-4


def test_same_bytes_again(data, path, tmp_path):
    again = datasets.skyrme_eos(tmp_path / "other", 5, seed=3, raw=16, progress=False)
    np.testing.assert_array_equal(again.numbers, data.numbers[:5])
    first = {f.relative_to(path): f.read_bytes() for f in (path / "chunk-00000").rglob("*") if f.is_file()}
    for name, content in first.items():
        assert (tmp_path / "other" / name).read_bytes() == content
    read = datasets.skyrme_eos(path, 20, seed=3, raw=16, progress=False)
    for a, b in zip((*read.observables, read.numbers), (*data.observables, data.numbers)):
        np.testing.assert_array_equal(a, b)


def test_a_path_with_other_settings_is_refused(data, path):
    with pytest.raises(ValueError, match="was made with M_max_min = 1.95, not 2.0; give another path"):
        datasets.skyrme_eos(path, 5, seed=3, raw=16, M_max_min=2.0, progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1, got 0"),
        ({"prior": {"K": (1, 2)}}, "prior has K; its names are n_0, E_0, K_0, S, L, m_s, m_v"),
        ({"prior": {"L": (80, 40)}}, r"prior\['L'\] must be two finite numbers, low < high; got \(80, 40\)"),
        ({"prior": {"S": (30, np.nan)}}, r"prior\['S'\] must be two finite numbers"),
        ({"prior": {"S": 30}}, r"prior\['S'\] must be two finite numbers, low < high; got 30"),
        ({"prior": {"S": ("a", "b")}}, r"prior\['S'\] must be two finite numbers"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"raw": 0}, "raw must be a whole number >= 1, got 0"),
        ({"raw": True}, "raw must be a whole number >= 1, got True"),
        ({"M_max_min": np.inf}, "M_max_min must be finite and >= 1.4 Msun, got inf"),
        ({"M_max_min": 1.0}, "M_max_min must be finite and >= 1.4 Msun, got 1.0"),
        ({"M_max_min": "2"}, "M_max_min must be finite and >= 1.4 Msun, got '2'"),
        ({"muons": 1}, "muons must be True or False, got 1"),
        ({"prior": {"K_0": (100, 101)}, "raw": 2}, "chunks hold 0 members; the settings accept next to nothing"),
    ],
)
def test_bad_settings(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.skyrme_eos(tmp_path / "a", **{"n": 5, "seed": 3, "raw": 16, "progress": False} | options)


@pytest.mark.parametrize("parameters", [row(), np.ones((3, 6)), np.ones((0, 7))])
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=r"parameters must have shape \(n, 7\), n >= 1; got"):
        ds.sequences(parameters)
    with pytest.raises(ValueError, match="M_max_min must be finite, got nan"):
        ds.sequences(np.array([row()]), M_max_min=np.nan)
