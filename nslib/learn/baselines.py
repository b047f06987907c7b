"""What a network that reads the symmetry energy from stars must beat: median, nearest neighbour, polynomial."""

import itertools
from typing import NamedTuple

import numpy as np

from nslib.datasets import symmetry_energy_curve
from nslib.learn.symmetry_energy import OBSERVABLE, arrays, errors, inputs


def baseline(kind, train, task="M-R"):
    """Prediction by the median of the training set, or by its nearest member in the standardised, sorted inputs.

    Parameters
    ----------
    kind : "median" or "nearest"
    train : :class:`nslib.datasets.Sequences`
    task : "M-R" or "M-Lambda"

    Returns
    -------
    callable (mass (n, n_star) [Msun], observable (n, n_star)) -> E_sym (n, 100) [MeV]
    """
    from sklearn.dummy import DummyRegressor
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regressors = {"median": DummyRegressor(strategy="median"), "nearest": KNeighborsRegressor(1)}
    if kind not in regressors:
        raise ValueError(f"kind must be one of {', '.join(regressors)}; got {kind!r}")
    log = task == "M-Lambda"
    model = make_pipeline(StandardScaler(), regressors[kind]).fit(*arrays(train, task, log=log))
    return lambda mass, observable: model.predict(np.asarray(inputs(mass, observable, True, log)))


def curve_values(mass, observable, degree, mass_range=(1.0, 2.0), n_values=8):
    """Values at ``n_values`` fixed masses of the Chebyshev least-squares polynomial through each sample.

    Parameters
    ----------
    mass, observable : (n, n_star) arrays
    degree : int, below n_star
    mass_range : (low, high) that is mapped to [-1, 1] [Msun]

    Returns
    -------
    (n, n_values) array; the masses are Chebyshev nodes of the inner four fifths of the range, since a
    polynomial beyond the outermost stars of a sample is worth little
    """
    t = 2 * (np.asarray(mass) - mass_range[0]) / (mass_range[1] - mass_range[0]) - 1
    nodes = 0.8 * np.cos(np.pi * (np.arange(n_values) + 0.5) / n_values)
    V = np.polynomial.chebyshev.chebvander
    Q, R = np.linalg.qr(V(t, degree))
    c = np.linalg.solve(R, np.einsum("nsk,ns->nk", Q, observable)[..., None])[..., 0]
    return c @ V(nodes, degree).T


class Polynomial(NamedTuple):
    """Few features, polynomial regression to L and K_sym, formula for the rest; call it like an :class:`Estimator`.

    model : fitted scikit-learn pipeline (PCA with whitening, standardised polynomial features, linear regression)
    task : "M-R" or "M-Lambda"
    degree : int, of the Chebyshev polynomial through a sample
    tried : list of (degree, components, power, mean absolute error at 5 rho_0 on the validation set [MeV])
    """

    model: object
    task: str
    degree: int
    tried: list

    def __call__(self, mass, observable):
        """E_sym (n, 100) [MeV] of samples (n, n_star)."""
        q = self.model.predict(_features(mass, observable, self.task, self.degree))
        return np.asarray(symmetry_energy_curve(q[:, 0], q[:, 1]))


def _features(mass, observable, task, degree):
    return curve_values(mass, np.log(observable) if task == "M-Lambda" else np.asarray(observable), degree)


def fit_polynomial(train, validation, task="M-R", *, degrees=(6, 8, 10), components=(3, 4), powers=(4, 6, 8)):
    """Best of a grid of feature-polynomials by the validation error of E_sym at 5 rho_0.

    Parameters
    ----------
    train, validation : :class:`nslib.datasets.Sequences`
    task : "M-R" or "M-Lambda"; the latter takes ln Lambda
    degrees : Chebyshev degrees of the curve through a sample
    components : numbers of principal components of its values at 8 masses
    powers : degrees of the polynomial in them

    Returns
    -------
    Polynomial

    Raises
    ------
    ValueError
        a degree that the number of stars does not determine
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    target = np.stack([train.L, train.K_sym], axis=1)
    tried, best = [], None
    if max(degrees) >= train.mass.shape[1]:
        raise ValueError(f"degrees must stay below the number of stars, {train.mass.shape[1]}; got {degrees}")
    for degree in degrees:
        x = _features(train.mass, getattr(train, OBSERVABLE[task]), task, degree)
        for n, power in itertools.product(components, powers):
            steps = PCA(n, whiten=True), PolynomialFeatures(power), StandardScaler(), LinearRegression()
            model = make_pipeline(*steps).fit(x, target)
            candidate = Polynomial(model, task, degree, tried)
            predicted = candidate(validation.mass, getattr(validation, OBSERVABLE[task]))
            tried.append((degree, n, power, float(errors(predicted, validation.E_sym).mae[-1])))
            if tried[-1][-1] == min(row[-1] for row in tried):
                best = candidate
    return best
