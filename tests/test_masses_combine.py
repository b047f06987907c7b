"""Combination of models: identities, sampling from the mixture, brute force over the weights."""

import numpy as np
import pytest
from scipy.special import logsumexp

from nslib.masses.combine import mixture, stacking_weights, world_average


def test_world_average():
    # two models by hand: weights 4/5 and 1/5
    found = world_average([[1.0], [2.0]], [[1.0], [4.0]])
    assert found.mean == pytest.approx([0.8 * 1 + 0.2 * 2])
    assert found.variance == pytest.approx([0.64 * 1 + 0.04 * 4])
    # its variance is 1 / sum(1/V) whatever the means are: a scatter of 3 MeV leaves 0.05 MeV
    far = world_average([[75.0], [78.0]], [[0.005], [0.005]])
    assert far.variance == pytest.approx([0.0025])


def test_mixture_by_sampling():
    # law of total variance against 400,000 draws: a model, then its Gaussian; 0.25 % is the error of a variance
    rng = np.random.default_rng(7)
    mean, variance, w = np.array([75.0, 78.0, 76.5]), np.array([0.1, 0.4, 0.9]), np.array([0.5, 0.2, 0.3])
    k = rng.choice(3, size=400_000, p=w)
    draws = mean[k] + np.sqrt(variance[k]) * rng.standard_normal(len(k))
    found = mixture(mean, variance, w)
    assert found.mean == pytest.approx(draws.mean(), abs=0.01)
    assert found.variance == pytest.approx(draws.var(), rel=0.012)


def test_mixture_limits():
    mean = np.array([[1.0, 5.0], [1.0, 7.0]])
    found = mixture(mean, np.full((2, 2), 0.3))
    np.testing.assert_allclose(found.variance, [0.3, 0.3 + 1.0])  # no scatter; means one on either side
    one = mixture(mean, np.full((2, 2), 0.3), [1.0, 0.0])
    np.testing.assert_allclose(one.mean, mean[0])
    np.testing.assert_allclose(one.variance, 0.3)


def log_scores(rng, n=400):
    """Three Gaussians of which the data are a mixture with weights 0.6, 0.4 and 0."""
    mean, sd = np.array([0.0, 2.0, 1.0]), np.array([1.0, 0.5, 5.0])
    k = rng.choice(3, size=n, p=[0.6, 0.4, 0.0])
    y = mean[k] + sd[k] * rng.standard_normal(n)
    return -(((y - mean[:, None]) / sd[:, None]) ** 2) / 2 - np.log(sd[:, None] * np.sqrt(2 * np.pi))


def test_stacking():
    s = log_scores(np.random.default_rng(3))
    w = stacking_weights(s)
    assert w.sum() == pytest.approx(1, abs=1e-12)

    def score(w):
        return np.mean(logsumexp(s.T, b=w, axis=-1))

    a, b = np.meshgrid(np.linspace(0, 1, 51), np.linspace(0, 1, 51))
    grid = [[x, y, 1 - x - y] for x, y in zip(a.ravel(), b.ravel(), strict=True) if x + y <= 1]
    assert score(w) >= max(score(np.clip(g, 0, 1)) for g in grid) - 1e-6
    # 400 draws determine a share of 0.6 to about 0.03
    np.testing.assert_allclose(w, [0.6, 0.4, 0.0], atol=0.1)


def test_stacking_of_scores_that_underflow():
    # densities of e^-2000 are compared by their differences
    s = log_scores(np.random.default_rng(3))
    np.testing.assert_allclose(stacking_weights(s - 2000), stacking_weights(s), atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: world_average([[1.0]], [[0.0]]), "variance positive"),
        (lambda: world_average([[1.0, np.nan]], [[1.0, 1.0]]), "finite for each model and nucleus"),
        (lambda: mixture([[1.0], [2.0]], [[1.0]]), "of one shape"),
        (lambda: mixture([1.0, 2.0], [1.0, 1.0], [0.7, 0.7]), "sum 1"),
        (lambda: mixture([1.0, 2.0], [1.0, 1.0], [1.5, -0.5]), "numbers >= 0"),
        (lambda: stacking_weights([1.0, 2.0]), "log_score must be"),
        (lambda: stacking_weights([[0.0, -np.inf]]), "log_score must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_small_variances_and_no_models():
    """Variances whose reciprocals overflow still weigh; no models give no average."""
    found = world_average([[1.0], [2.0]], [[1e-310], [3e-310]])
    assert found.mean == pytest.approx([1.25], rel=1e-6)
    for way in (world_average, mixture):
        with pytest.raises(ValueError, match="n_model >= 1"):
            way(np.zeros((0, 3)), np.zeros((0, 3)))
