"""Exact posteriors of noisy stars: the likelihood against plain sums and against nslib.infer, the quadrature against finer ones."""

import numpy as np
import pytest

from nslib import crust, datasets, infer, stars
from nslib.learn import star_exact
from nslib.matter import metamodel
from nslib.tables.observations import MassRadius, Split
from nslib.units import RHO_0

THETA = np.array([[60.0, -50.0, 0.0, 0.0], [75.0, -80.0, 50.0, 150.0], [100.0, -150.0, 200.0, 400.0]])


@pytest.fixture(scope="module")
def members():
    return datasets.curves(THETA, M_max_min=2.0, M_high=None)


@pytest.fixture(scope="module")
def region():
    return star_exact.region(knots=17)


@pytest.fixture(scope="module")
def grid(region):
    return star_exact.grid(region, 16)


@pytest.mark.parametrize(("n", "sigma_M", "sigma", "observable"), [(3, 0.05, 0.5, "R"), (7, 0.01, 0.1, "R"), (12, 0.1, 0.1, "R"), (4, 0.05, 0.2, "ln_Lambda"), (4, 0.1, 0.05, "ln_Lambda"), (4, 0.2, 0.1, "R")])
def test_likelihood_is_the_integral(members, n, sigma_M, sigma, observable):
    """Against the trapezoid rule on 40,000 true masses, for sets of which no star is less likely than e^-15."""
    s = star_exact.observe(members, n, sigma_M, sigma, rng=np.random.default_rng(n), observable=observable)
    found, compared = star_exact.log_likelihood(members, s, observable), 0
    for j, high in enumerate(members.M_high):
        M = np.linspace(1.0, high, 40_001)
        x = members[[j]].at_mass(M[None], observable)[0]
        for i in range(len(members)):
            each = [
                np.trapezoid(np.exp(-0.5 * ((M - a) / sigma_M) ** 2 - 0.5 * ((x - b) / sigma) ** 2), M) / (2 * np.pi * sigma_M * sigma * (high - 1))
                for a, b in zip(s.mass[i], s.x[i])
            ]
            with np.errstate(divide="ignore"):
                expected = np.log(each)
            if np.all(expected > -15):
                assert np.isclose(found[i, j], expected.sum(), atol=1e-3)


def test_one_star_is_what_infer_says(members):
    """infer.mass_radius, with its own nodes and families, for an error that is the same to either side."""
    for i, (L, K_sym, J_0, J_sym) in enumerate(THETA):
        family = stars.family(crust.join(metamodel.eos(L=L, K_sym=K_sym, J_0=J_0, J_sym=J_sym)), causal=True, **datasets.FAMILY)
        for M, R, e_M, e_R in ((1.4, 12.5, 0.1, 0.8), (2.05, 12.0, 0.07, 1.0), (1.7, 13.5, 0.03, 0.4)):
            seen = MassRadius("a star", "PSR B0000+00", Split(M, e_M, e_M), Split(R, e_R, e_R), "made up")
            ours = star_exact.log_likelihood(members[[i]], star_exact.Stars(*np.array([M, R, e_M, e_R]).reshape(4, 1, 1)))
            assert np.isclose(ours[0, 0], infer.mass_radius(family, seen), atol=2e-3)


def test_sets_of_unlike_numbers(members):
    """A set filled up with NaN is the shorter set; the likelihood of no star is 1; that of sixty is the product of its parts."""
    s = star_exact.observe(members[:1], 60, 0.05, 0.3, rng=np.random.default_rng(4))
    part = lambda k: star_exact.Stars(*(a[:, k] for a in s))  # noqa: E731
    whole = star_exact.log_likelihood(members, s)
    assert np.allclose(whole, star_exact.log_likelihood(members, part(slice(0, 20))) + star_exact.log_likelihood(members, part(slice(20, 60))))
    filled = star_exact.Stars(*(np.where(np.arange(60) % 3 == 1, a, np.nan) for a in s))
    assert np.allclose(star_exact.log_likelihood(members, filled), star_exact.log_likelihood(members, part(slice(1, 60, 3))))
    assert not star_exact.log_likelihood(members, star_exact.Stars(*np.full((4, 1, 2), np.nan))).any()


def test_observed_scatter_is_what_was_asked(members):
    """Deviations of 20,000 radii from the curve at the true masses: masses known to 1e-6, radii to 0.3 km."""
    s = star_exact.observe(members[:1], 20_000, 1e-6, 0.3, rng=np.random.default_rng(5))
    off = (s.x - members[:1].at_mass(np.clip(s.mass, 1.0, members.M_high[0])))[0]
    assert abs(off.mean()) < 4 * 0.3 / 141 and abs(off.std() / 0.3 - 1) < 0.03
    assert abs(s.mass.mean() - (1 + members.M_high[0]) / 2) < 0.02


def test_edge_of_the_region(region):
    """Just inside of each edge a metamodel is accepted, just outside it is not."""
    L = np.array([50.0, 62.0, 70.0, 80.0])
    for step, accepted in ((2.0, True), (-2.0, False)):
        made = datasets.curves(np.stack([L, region.edge(L) + step, 0 * L, 0 * L], axis=1))
        assert np.all((made.status == 0) == accepted)
    for step, accepted in ((0.05, True), (-0.05, False)):
        made = datasets.curves(np.array([[region.L[0] + step, 50.0, 0.0, 0.0]]))
        assert (made.status[0] == 0) == accepted
    assert region.L[-1] == 86.8 and region.K_high == 100.0


def test_region_refuses_another_shape():
    with pytest.raises(ValueError, match="is not accepted, so the prior is not bounded"):
        star_exact.region(L=(30.0, 40.0))


def test_grid_refuses_other_filters(region):
    with pytest.raises(ValueError, match="of 64 metamodels of the grid are not accepted"):
        star_exact.grid(region, 8, M_max_min=2.45)


def test_without_stars_the_posterior_is_the_prior(region, grid):
    """Mean L of a uniform density in the region, by the trapezoid rule on the edge."""
    p = star_exact.posterior(grid, np.zeros(256))
    L = np.linspace(region.L[0], region.L[-1], 20_001)
    height = 100 - region.edge(L)
    assert np.isclose(p.probability.sum(), 1)
    assert np.isclose(np.sum(p.L * p.probability), np.trapezoid(L * height, L) / np.trapezoid(height, L), atol=0.02)


def test_coarse_grid_agrees_with_a_fine_one(region, grid):
    """Quantiles of E_sym(5 rho_0) from 16 x 16 and from 40 x 40 equations of state, five and fifty stars."""
    fine = star_exact.grid(region, 40)
    truth = datasets.curves(np.array([[66.0, -20.0, 0.0, 0.0]]), M_high=2.0)
    for n, tolerance in ((5, 1.0), (50, 3.0)):
        s = star_exact.observe(truth, n, 0.05, 0.4, rng=np.random.default_rng(n))
        q = [star_exact.quantile(p.E_sym(5 * RHO_0), p.probability, (0.16, 0.5, 0.84)) for p in (star_exact.posterior(g, star_exact.log_likelihood(g.members, s)[0]) for g in (grid, fine))]
        assert np.allclose(*q, atol=tolerance)
        assert q[1][0] - 40 < 31.7 + 66 * 4 / 3 - 20 * 8 / 9 < q[1][2] + 40


def test_quantiles_of_a_weighted_sample():
    """A normal distribution by equal steps with its density as weights: 16 % and 84 % at one standard deviation."""
    x = np.linspace(-6, 6, 4001)
    q = star_exact.quantile(x[::-1], np.exp(-0.5 * x[::-1] ** 2), (0.158655, 0.5, 0.841345))
    assert np.allclose(q, (-1, 0, 1), atol=1e-4)


STAR = star_exact.Stars(*np.array([1.4, 12.5, 0.05, 0.3]).reshape(4, 1, 1))


@pytest.mark.parametrize(
    ("stars", "observable", "message"),
    [
        (STAR, "Lambda", "observable must be one of R, ln_Lambda"),
        (star_exact.Stars(*(a[0] for a in STAR)), "R", r"must have one shape \(n_set, n_star\)"),
        (STAR._replace(x=np.zeros((1, 2))), "R", r"must have one shape \(n_set, n_star\)"),
        (STAR._replace(x=np.array([[np.nan]])), "R", "a star of stars lacks some of its four numbers"),
        (STAR._replace(mass=np.array([[np.inf]])), "R", "a star of stars lacks some of its four numbers"),
        (STAR._replace(sigma=np.array([[0.0]])), "R", "or an error that is not above 0"),
        (STAR._replace(x=np.array([[5.0]]), sigma=np.array([[1e-4]])), "ln_Lambda", "sigma = 0.0001 is too small"),
    ],
)
def test_stars_that_make_no_sense(members, stars, observable, message):
    with pytest.raises(ValueError, match=message):
        star_exact.log_likelihood(members, stars, observable)


@pytest.mark.parametrize("change", [{"sigma_M": 0.0}, {"sigma": -1.0}, {"sigma": np.nan}, {"n_star": -1}, {"n_star": 2.5}, {"observable": "M"}])
def test_observations_that_make_no_sense(members, change):
    with pytest.raises(ValueError, match=f"{next(iter(change))} must be"):
        star_exact.observe(members, **{"n_star": 2, "sigma_M": 0.05, "sigma": 0.3, "rng": np.random.default_rng(0)} | change)


def test_posteriors_that_make_no_sense(region, grid):
    for log_L in (np.zeros(3), np.full(256, np.nan), np.where(np.arange(256) == 5, -np.inf, 0.0)):
        with pytest.raises(ValueError, match="log_L must hold 256 finite numbers"):
            star_exact.posterior(grid, log_L)
    with pytest.raises(ValueError, match="refine must be a whole number, at least 1"):
        star_exact.posterior(grid, np.zeros(256), refine=0)
    with pytest.raises(ValueError, match="n must be a whole number, at least 4"):
        star_exact.grid(region, 3)
    with pytest.raises(ValueError, match="n must be one density above 0"):
        star_exact.posterior(grid, np.zeros(256)).E_sym([0.1, 0.2])


@pytest.mark.parametrize(
    ("x", "p", "q"),
    [([1, 2], [1, 1, 1], 0.5), ([1, np.nan], [1, 1], 0.5), ([1, 2], [0, 0], 0.5), ([1, 2], [2, -1], 0.5), ([1, 2], [1, 1], 50)],
)
def test_quantiles_that_make_no_sense(x, p, q):
    with pytest.raises(ValueError, match="x and probability must be finite|q must lie in"):
        star_exact.quantile(x, p, q)


def test_no_weight_no_quantile():
    assert star_exact.quantile([0, 1, 2, 3], [0, 0, 1, 0], (0, 0.5, 1)).tolist() == [2, 2, 2]
