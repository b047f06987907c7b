"""The liquid drop with six parameters, and its least-squares fit.

The energy is linear in the parameters, so best values, errors and, for Gaussian noise, the posterior are closed
form; :func:`design` gives the matrix to whoever wants to sample it.
"""

from typing import NamedTuple

import numpy as np

from nslib.masses.compare import check_nuclides


class LiquidDrop(NamedTuple):
    """Volume, surface, Coulomb, asymmetry, surface-asymmetry and pairing energies, all in MeV."""

    a_v: float
    a_s: float
    a_c: float
    a_a: float
    a_as: float
    a_p: float


#: R. Utama, J. Piekarewicz and H. B. Prosper, Phys. Rev. C 93 (2016) 014311, table I, and the errors there
UTAMA2016 = LiquidDrop(15.422, 16.831, 0.686, 26.002, -18.711, 11.199)
UTAMA2016_ERROR = LiquidDrop(0.017, 0.053, 0.001, 0.111, 0.482, 0.388)


class Fit(NamedTuple):
    """Least squares: parameters, standard errors, (6, 6) covariance [MeV^2], rms of the residuals [MeV], their number."""

    a: LiquidDrop
    error: LiquidDrop
    covariance: np.ndarray
    rms: float
    n: int


def design(Z, N, pairing=+1):
    r"""Matrix X of the liquid drop: the binding energy is X a.

    .. math:: B = a_v A - a_s A^{2/3} - a_c \frac{Z^2}{A^{1/3}}
              - \left(a_a + \frac{a_{as}}{A^{1/3}}\right)\frac{(N - Z)^2}{A} \pm a_p \frac{\eta}{A^{1/2}}

    with :math:`\eta` = 1 for even Z and N, -1 for odd, 0 for odd A. R. Utama, J. Piekarewicz and H. B. Prosper,
    Phys. Rev. C 93 (2016) 014311, equation 2; there the last sign is printed as minus, which with a_p > 0
    would bind odd-odd nuclei most.

    Parameters
    ----------
    Z, N : (n,) arrays [1]
    pairing : +1, or -1 for the sign as printed

    Returns
    -------
    (n, 6) array [1]

    Raises
    ------
    ValueError
        Z or N negative or not whole, another ``pairing``
    """
    if pairing not in (1, -1):
        raise ValueError(f"pairing must be +1 or -1, got {pairing!r}")
    Z, N = check_nuclides(Z, N)
    A = 1.0 * (Z + N)
    eta = ((-1.0) ** Z + (-1.0) ** N) / 2
    I2 = (N - Z) ** 2 / A
    return np.stack(
        [A, -(A ** (2 / 3)), -(Z**2) / A ** (1 / 3), -I2, -I2 / A ** (1 / 3), pairing * eta / A**0.5], axis=-1
    )


def binding_energy(Z, N, a, pairing=+1):
    """Binding energy [MeV] of the drops Z, N, (n,) arrays, for the parameters a, a LiquidDrop: :func:`design`."""
    return design(Z, N, pairing) @ np.asarray(a)


def fit(Z, N, binding, pairing=+1):
    r"""Unweighted least squares, with errors from the scatter of the residuals.

    .. math:: \hat a = (X^T X)^{-1} X^T B, \qquad
              \operatorname{cov} = \frac{|B - X\hat a|^2}{n - 6} (X^T X)^{-1}

    Under Gaussian noise of unknown size :math:`\sigma`, with a prior flat in a and :math:`\ln\sigma`, the
    posterior of a is Student's t of n - 6 degrees of freedom about the same values, with this covariance as its
    scale.

    Parameters
    ----------
    Z, N : (n,) arrays, n > 6 [1]
    binding : (n,) array, binding energies [MeV]
    pairing : +1, or -1 for the sign as printed

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        Z or N negative or not whole, energies that are not finite, nuclei that do not determine the parameters
    """
    X, B = design(Z, N, pairing), np.asarray(binding, dtype=float)
    if B.shape != X.shape[:-1] or not np.all(np.isfinite(B)):
        raise ValueError(f"binding must be {X.shape[:-1]} finite numbers, got shape {B.shape}")
    n = len(B)
    if n <= 6 or np.linalg.matrix_rank(X) < 6:
        raise ValueError(f"{n} nuclei of rank {np.linalg.matrix_rank(X)} do not determine six parameters")
    Q, R = np.linalg.qr(X)
    a = np.linalg.solve(R, Q.T @ B)
    r = B - X @ a
    inverse = np.linalg.inv(R)
    covariance = r @ r / (n - 6) * inverse @ inverse.T
    return Fit(
        LiquidDrop(*map(float, a)),
        LiquidDrop(*map(float, np.sqrt(np.diag(covariance)))),
        covariance,
        float(np.sqrt(np.mean(r**2))),
        n,
    )
