"""Liquid drop: the published table of parameters, its errors by sampling, signs and selections."""

import numpy as np
import pytest

from nslib.masses import binding_energy, liquid_drop
from nslib.masses.liquid_drop import UTAMA2016, UTAMA2016_ERROR, design, fit
from nslib.tables.ame import select


def nuclei(**ranges):
    """Z, N and the binding energies that evaluations print, electrons left in."""
    table = select(2012, **ranges)
    Z, N = table["Z"].to_numpy(), table["N"].to_numpy()
    return Z, N, binding_energy(Z, N, table["mass_excess"].to_numpy(), electrons=False)


@pytest.fixture(scope="module")
def data():
    return nuclei(Z=(8, 92))


@pytest.fixture(scope="module")
def fitted(data):
    return fit(*data)


def test_table_of_parameters(fitted):
    # R. Utama, J. Piekarewicz and H. B. Prosper, Phys. Rev. C 93 (2016) 014311, table I, within the errors there.
    # They do not say to which nuclei they fitted; all of AME2012 with 8 <= Z <= 92, estimates included, does it
    assert fitted.n == 2883
    distance = (np.array(fitted.a) - UTAMA2016) / np.array(UTAMA2016_ERROR)
    assert np.abs(distance).max() < 1


@pytest.mark.parametrize("ranges", [{}, {"Z": (20, 92), "N": (20, 148)}])
def test_other_selections_differ(ranges):
    # all of the evaluation, or the nuclei that the network learns from: five errors away and more
    distance = (np.array(fit(*nuclei(**ranges)).a) - UTAMA2016) / np.array(UTAMA2016_ERROR)
    assert np.abs(distance).max() > 5


def test_rms_of_the_residuals(fitted):
    # table II and III there: 2.957 MeV on 2591 nuclei, 3.230 MeV on the 993 of them with Z <= 50, N <= 84
    Z, N, B = nuclei(Z=(20, 92), N=(20, 148))
    residual = B - liquid_drop.binding_energy(Z, N, fitted.a)
    light = (Z <= 50) & (N <= 84)
    assert light.sum() == 993
    assert np.sqrt(np.mean(residual**2)) == pytest.approx(2.957, abs=0.005)
    assert np.sqrt(np.mean(residual[light] ** 2)) == pytest.approx(3.230, abs=0.005)


def test_sign_of_pairing(data):
    # even-even nuclei are bound most: fitted with the sign as printed, a_p is negative, and the published
    # a_p > 0 is off by 2 a_p / sqrt(A) = 2.5 MeV at A = 80 with it, in every other nucleus
    assert fit(*data).a.a_p > 0
    flipped, right = fit(*data, pairing=-1), fit(*data)
    assert flipped.a.a_p == pytest.approx(-right.a.a_p, rel=1e-9)
    assert flipped.rms == pytest.approx(right.rms, rel=1e-12)
    Z, N, B = data
    rms = [np.std(B - liquid_drop.binding_energy(Z, N, UTAMA2016, sign)) for sign in (1, -1)]
    assert rms[1] > rms[0] + 0.3


def test_terms():
    # one term at a time, by hand: 56Fe, A = 56, N - Z = 4; 57Fe and 58Co for the pairing
    A = 56
    expected = [A, -(A ** (2 / 3)), -(26**2) / A ** (1 / 3), -16 / A, -16 / A ** (4 / 3), 1 / A**0.5]
    np.testing.assert_allclose(design([26], [30])[0], expected, rtol=1e-14)
    assert design([26, 27], [31, 31])[:, 5] == pytest.approx([0, -1 / np.sqrt(58)])
    assert design([26], [30], pairing=-1)[0, 5] == -expected[5]


def test_exact_data(data):
    # energies made by the formula give its parameters back, and no errors
    Z, N, _ = data
    found = fit(Z, N, liquid_drop.binding_energy(Z, N, UTAMA2016))
    np.testing.assert_allclose(found.a, UTAMA2016, rtol=1e-9)
    assert found.rms < 1e-9


def test_errors_by_sampling(data, fitted):
    # Metropolis steps on the likelihood of the energies themselves, flat in a and ln sigma: 48 chains of 1000
    # steps after 200. Some 1500 independent draws, so 2 % of a standard deviation and 3 % of it for a mean
    Z, N, B = data
    X, rng = design(Z, N), np.random.default_rng(2016)
    scale = np.linalg.cholesky(fitted.covariance)

    def log_posterior(q):
        r2 = ((B[:, None] - X @ q[:6]) ** 2).sum(0)
        return -len(B) * q[6] - r2 / 2 * np.exp(-2 * q[6])

    start = np.append(fitted.a, np.log(fitted.rms))[:, None]
    spread = np.block([[scale, np.zeros((6, 1))], [np.zeros((1, 6)), 1 / np.sqrt(2 * len(B))]])
    q = start + spread @ rng.standard_normal((7, 48))
    here, kept = log_posterior(q), []
    for step in range(1200):
        there = q + 0.9 * spread @ rng.standard_normal((7, 48))
        new = log_posterior(there)
        accept = np.log(rng.random(48)) < new - here
        q, here = np.where(accept, there, q), np.where(accept, new, here)
        if step >= 200:
            kept.append(q[:6])
    sample = np.concatenate(kept, axis=1)
    np.testing.assert_allclose(sample.std(1) / fitted.error, 1, atol=0.08)
    np.testing.assert_allclose((sample.mean(1) - fitted.a) / fitted.error, 0, atol=0.12)
    # correlations of neighbours in the table above 0.97 in size are found as well
    expected = fitted.covariance / np.outer(fitted.error, fitted.error)
    np.testing.assert_allclose(np.corrcoef(sample), expected, atol=0.06)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: design([26.5], [30]), "Z = 26.5; it must be a whole number"),
        (lambda: design([26], [-1]), "N = -1; it must be a whole number >= 0"),
        (lambda: design([26], [30], pairing=0), "pairing must be"),
        (lambda: fit([26] * 9, [30] * 9, [490.0] * 9), "do not determine six parameters"),
        (lambda: fit([26, 28], [30, 34], [490.0]), "binding must be"),
        (lambda: fit([26, 28], [30, 34], [490.0, np.nan]), "binding must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
