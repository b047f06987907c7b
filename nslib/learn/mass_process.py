r"""An exact Gaussian process of mass residuals: the reference that needs no sampling.

.. math:: k(x, x') = s_1^2\,m_{5/2}(x - x') + s_2^2\,m_{3/2}(x - x', p - p') + s_0^2\,\delta_{x x'}

with Matern kernels m over x = (Z, N), a length for each of Z and N, the second also over the parities p of Z and N.
The lengths and strengths are those of the greatest marginal likelihood; C. E. Rasmussen and C. K. I. Williams,
Gaussian Processes for Machine Learning (MIT Press, 2006), chapters 2, 4 and 5.
"""

import time
from dataclasses import dataclass, field

import numpy as np

from nslib.learn import mass_prediction
from nslib.learn.mass_prediction import Prediction


@dataclass(frozen=True)
class MassProcess:
    """A Gaussian process given residuals of masses; :func:`fit` makes it.

    Attributes
    ----------
    regressor : sklearn.gaussian_process.GaussianProcessRegressor of scaled residuals
    y_scale : float, scale of the residuals [MeV]
    seconds : float, what the fit took
    """

    regressor: object = field(repr=False)
    y_scale: float
    seconds: float

    @property
    def theta(self):
        """Logarithms of the lengths and strengths of the kernel, an array for :func:`fit`."""
        return self.regressor.kernel_.theta

    def predict(self, Z, N):
        """Prediction of the residuals of nuclei Z, N (n,) arrays, one normal distribution a nucleus.

        Raises
        ------
        ValueError
            Z or N negative or not whole, of different lengths, or none
        """
        mean, sd = self.regressor.predict(_inputs(Z, N), return_std=True)
        return Prediction(self.y_scale * mean[None], self.y_scale * sd[None])

    def draws(self, Z, N, n, seed):
        """Joint draws (n, nucleus) of the residuals of nuclei Z, N [MeV], noise included; time grows as nuclei cubed.

        Raises
        ------
        ValueError
            nuclei as in :meth:`predict`; n below 1, seed below 0
        """
        mass_prediction.whole(n=n)
        mass_prediction.whole(0, seed=seed)
        mean, covariance = self.regressor.predict(_inputs(Z, N), return_cov=True)
        lower = np.linalg.cholesky(covariance)
        return self.y_scale * (mean + np.random.default_rng(seed).standard_normal((n, len(mean))) @ lower.T)

    def left_out(self):
        r"""Prediction of each nucleus learnt from by all others, lengths and strengths kept.

        .. math:: \mu_i = y_i - \frac{[K^{-1} y]_i}{[K^{-1}]_{ii}}, \qquad \sigma_i^2 = \frac{1}{[K^{-1}]_{ii}}

        Rasmussen and Williams, equation 5.12; K holds the noise.
        """
        from scipy.linalg import cho_solve

        g = self.regressor
        inverse = np.diag(cho_solve((g.L_, True), np.eye(len(g.L_))))
        mean, variance = g.y_train_ - g.alpha_ / inverse, 1 / inverse
        return Prediction(self.y_scale * mean[None], self.y_scale * np.sqrt(variance)[None])


def _inputs(Z, N):
    """Z, N and their parities (n, 4)."""
    Z, N = mass_prediction.nuclei(Z, N)
    return np.stack([Z, N, Z % 2, N % 2], axis=1)


def kernel():
    """The kernel of the process, in scikit-learn's terms, where the fit of its lengths and strengths starts."""
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    blind, nucleons, parity = (1e5, 1.0001e5), (0.5, 100.0), (0.1, 1e5)  # ranges of lengths
    smooth = Matern([15, 15, 1e5, 1e5], [nucleons, nucleons, blind, blind], nu=2.5)
    rough = Matern([4, 4, 1, 1], [nucleons, nucleons, parity, parity], nu=1.5)
    s1, s2 = ConstantKernel(1.0, (1e-4, 1e3)), ConstantKernel(0.3, (1e-4, 1e3))  # squares, as all strengths
    return s1 * smooth + s2 * rough + WhiteKernel(0.01, (1e-4, 1.0))


def fit(Z, N, residual, *, error=None, tune=None, seed=0, kernel=kernel, theta=None):
    """Gaussian process given residuals of masses, or of another quantity with its unit throughout.

    Parameters
    ----------
    Z, N : (n,) arrays [1]
    residual : (n,) array, measured mass minus that of a model [MeV]
    error : (n,) array, errors of the measured masses [MeV]; None: zero
    tune : int, the lengths and strengths are found from so many of the nuclei only, drawn at random, which takes a
        fraction of the time; None: from all
    seed : int, of that draw
    kernel : callable without arguments that gives a scikit-learn kernel over Z, N, Z mod 2, N mod 2
    theta : array, logarithms of the lengths and strengths where they are known, as ``MassProcess.theta`` gives them
        for scaled residuals; then nothing is searched

    Returns
    -------
    MassProcess

    Raises
    ------
    ValueError
        nuclei, residuals or errors that are none, residuals that are all equal, ``tune`` below 2, ``theta`` of
        another length than the kernel's
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor

    error = np.zeros(np.shape(residual)) if error is None else error
    Z, N, residual, error = mass_prediction.nuclei(Z, N, residual=residual, error=error)
    begin, y_scale = time.perf_counter(), mass_prediction.scale(residual)
    if np.any(error < 0):
        raise ValueError(f"error must be >= 0, got {error.min():g}")
    if tune is not None:
        mass_prediction.whole(2, tune=tune)
    mass_prediction.whole(0, seed=seed)
    x, y, alpha = _inputs(Z, N), residual / y_scale, 1e-10 + (error / y_scale) ** 2
    if theta is not None:
        known = kernel()
        theta = np.asarray(theta, dtype=float)
        if theta.shape != known.theta.shape:
            raise ValueError(f"theta must have shape {known.theta.shape}, got {theta.shape}")
        (low, high), slack = known.bounds.T, 1e-3  # rounding of what was kept
        if not np.all((theta >= low - slack) & (theta <= high + slack)):
            raise ValueError(f"theta must lie within the kernel's bounds, {known.bounds.tolist()}; got {theta.tolist()}")
        known = known.clone_with_theta(theta)
        regressor = GaussianProcessRegressor(known, alpha=alpha, optimizer=None).fit(x, y)
        return MassProcess(regressor, float(y_scale), time.perf_counter() - begin)
    k = np.random.default_rng(seed).permutation(len(y))[:tune]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length that ends at its bound
        regressor = GaussianProcessRegressor(kernel(), alpha=alpha[k]).fit(x[k], y[k])
    if len(k) < len(y):
        regressor = GaussianProcessRegressor(regressor.kernel_, alpha=alpha, optimizer=None).fit(x, y)
    return MassProcess(regressor, float(y_scale), time.perf_counter() - begin)
