"""nslib.matter.quark: closed forms, beta equilibrium by SciPy, thermodynamics, derivatives, what is refused."""

import jax
import numpy as np
import pytest
from scipy.optimize import brentq

from nslib.matter import leptons, quark
from nslib.matter.quark import MFTQCD, Status
from nslib.units import HBARC

MASSLESS = MFTQCD(0.0, 0.0, 0.0, 0.0, 0.0)
TYPICAL = MFTQCD(0.0014, 80.0)
N_B = np.geomspace(0.02, 3.0, 16)


# ---- closed forms ----------------------------------------------------------------------------------------------


def test_massless_matter_of_one_per_fm3():
    """mu_q = hbar c (pi^2 n)^(1/3), eps = 9 mu_q n / 4 = 3p: by hand 423.272, 952.362 and 317.454 at n_b = 1 fm^-3."""
    u = quark.at_density(MASSLESS, 1.0)
    by_hand = HBARC * np.pi ** (2 / 3)
    assert by_hand == pytest.approx(423.272, abs=5e-4)
    for mu in (u.mu_u, u.mu_d, u.mu_b / 3):
        assert float(mu) == pytest.approx(by_hand, rel=1e-13)
    assert float(u.eps) == pytest.approx(9 / 4 * by_hand, rel=1e-13)
    assert float(u.eps) == pytest.approx(952.362, abs=5e-4) and float(u.p) == pytest.approx(317.454, abs=5e-4)
    assert float(u.cs2) == pytest.approx(1 / 3, rel=1e-13) and abs(float(u.mu_e)) < 1e-9
    np.testing.assert_allclose([u.n_u, u.n_d, u.n_s], 1.0, rtol=1e-12)


@pytest.mark.parametrize(("coefficient", "c"), [("Fogaca2011", 27 / 16), ("Albino2024", 27 / 2)])
def test_vector_field_and_bag(coefficient, c):
    """eps + a n^2 + B, p + a n^2 - B and mu_q + 2 a n / 3, with a = c xi^2 (hbar c)^3."""
    q, n = MASSLESS._replace(xi=0.0015, B=80.0), N_B
    a = c * 0.0015**2 * HBARC**3
    u, free = (quark.at_density(p, n, coefficient=coefficient) for p in (q, MASSLESS))
    np.testing.assert_allclose(u.eps, free.eps + a * n**2 + 80, rtol=1e-13)
    np.testing.assert_allclose(u.p, free.p + a * n**2 - 80, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(u.mu_u, free.mu_u + 2 * a * n / 3, rtol=1e-13)
    np.testing.assert_allclose(u.mu_b, free.mu_b + 2 * a * n, rtol=1e-13)


def test_coefficients_rescale_xi():
    """The same matter, if xi is larger by sqrt 8 with the smaller coefficient."""
    new = quark.at_density(TYPICAL, N_B, coefficient="Albino2024")
    old = quark.at_density(TYPICAL._replace(xi=0.0014 * np.sqrt(8)), N_B, coefficient="Fogaca2011")
    for a, b in zip(new, old):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-10)


def test_bag_model():
    """Massless quarks in a bag: eps = 3p + 4B at any density."""
    eos = quark.equation_of_state(MASSLESS._replace(B=60.0), N_B)
    np.testing.assert_allclose(eos.eps, 3 * eos.p + 240.0, rtol=1e-13)
    assert float(eos.p[0]) < 0 < float(eos.p[-1]) and int(eos.status) == 0


def test_light_strange_quarks():
    """mu_e = m_s^2 / (4 mu_q) to first order, for quarks of which only s has a mass; next order (m_s / mu_q)^2."""
    for m_s in (5.0, 20.0):
        u = quark.at_density(MASSLESS._replace(m_s=m_s), 1.0)
        mu_q = float(u.mu_b) / 3
        assert float(u.mu_e) == pytest.approx(m_s**2 / (4 * mu_q), rel=(m_s / mu_q) ** 2)


# ---- equilibrium -----------------------------------------------------------------------------------------------


def by_scipy(n_b, q, muons):
    """mu_u, mu_e of kinetic quarks by two nested roots: charge by mu_e at given mu_u, density by mu_u."""
    k3 = lambda mu, m: max(mu**2 - m**2, 0.0) ** 1.5 / HBARC**3

    def excess(mu_u, mu_e):
        u, d, s = (k3(*a) / np.pi**2 for a in ((mu_u, q.m_u), (mu_u + mu_e, q.m_d), (mu_u + mu_e, q.m_s)))
        e = sum(k3(mu_e, m) / (3 * np.pi**2) for m in ((0.51099895, 105.6583755) if muons else (0.51099895,)))
        return 2 / 3 * u - d / 3 - s / 3 - e, (u + d + s) / 3

    mu_e = lambda mu_u: brentq(lambda mu_e: excess(mu_u, mu_e)[0], -1e-9, mu_u, xtol=1e-12)
    mu_u = brentq(lambda mu: excess(mu, mu_e(mu))[1] - n_b, q.m_d + 0.5, 900.0, xtol=1e-12)
    return mu_u, mu_e(mu_u)


@pytest.mark.parametrize("m_s", [100.0, 300.0])
@pytest.mark.parametrize("muons", [True, False])
def test_equilibrium_by_scipy(m_s, muons):
    """Composition with and without strangeness: at m_s = 300 MeV there is none below 0.3 fm^-3, and muons."""
    q = MFTQCD(0.0, 0.0, m_s=m_s)
    u = quark.at_density(q, N_B, muons=muons)
    for i in (0, 7, 11, 15):
        mu_u, mu_e = by_scipy(N_B[i], q, muons)
        assert float(u.mu_u[i]) == pytest.approx(mu_u, rel=1e-10)
        assert float(u.mu_e[i]) == pytest.approx(mu_e, rel=1e-9)
    charge = (2 * u.n_u - u.n_d - u.n_s) / 3 - leptons.charge_density(u.mu_e, muons)
    np.testing.assert_allclose(charge, 0, atol=1e-13)
    np.testing.assert_allclose(u.mu_d, u.mu_u + u.mu_e, rtol=1e-14)
    np.testing.assert_allclose((u.n_u + u.n_d + u.n_s) / 3, N_B, rtol=1e-13)
    assert (float(u.n_s[0]) == 0) == (m_s == 300.0)


def test_potential_is_the_inverse_of_density():
    u = quark.at_density(TYPICAL, N_B)
    for a, b in zip(u, quark.at_potential(TYPICAL, np.asarray(u.mu_b))):
        np.testing.assert_allclose(b, a, rtol=1e-11, atol=1e-10)


def test_thermodynamics():
    """n = dp/dmu and cs2 = dp/deps by Richardson's rule, away from the thresholds of strangeness and muons."""
    h = 0.05
    mu = np.array([950.0, 1200.0, 1600.0])[:, None] + h * np.array([-2, -1, 0, 1, 2])
    u = quark.at_potential(TYPICAL, mu.ravel())
    p, eps, n, cs2 = (np.asarray(a).reshape(-1, 5) for a in (u.p, u.eps, u.n_b, u.cs2))
    slope = lambda f: (8 * (f[:, 3] - f[:, 1]) - f[:, 4] + f[:, 0]) / (12 * h)
    np.testing.assert_allclose(slope(p), n[:, 2], rtol=1e-9)
    np.testing.assert_allclose(slope(p) / slope(eps), cs2[:, 2], rtol=1e-9)
    np.testing.assert_allclose(eps + p, mu * n, rtol=1e-13)


def test_derivatives_to_parameters():
    """At fixed mu_b the pressure is minus the grand potential: dp/dB = -1 and dp/dxi = -(2a/xi) n^2."""
    p = lambda x: quark.at_potential(MFTQCD(x[0], x[1]), 1300.0).p
    found = jax.jacfwd(p)(np.array([TYPICAL.xi, TYPICAL.B]))
    a, n = quark.repulsion(TYPICAL.xi, "Albino2024"), quark.at_potential(TYPICAL, 1300.0).n_b
    np.testing.assert_allclose(found, [-2 * a / TYPICAL.xi * n**2, -1.0], rtol=1e-10)


# ---- bad input -------------------------------------------------------------------------------------------------


def test_bad_members_of_a_batch():
    """Each has its status and NaN rows; the others are those of a batch without bad ones."""
    xi = np.array([0.0014, np.nan, 0.3, 0.0014, 0.0014])
    B = np.array([80.0, 80, 80, -5, 80])
    eos = quark.equation_of_state(
        MFTQCD(xi, B, m_u=np.array([5.0, 5, 5, 5, 50]), m_s=np.array([100.0, 100, 100, 100, 1])), N_B
    )
    good = quark.equation_of_state(MFTQCD(np.full(5, 0.0014), 80.0), N_B)
    S = Status
    # heavy u, light d and s: matter of negative charge before any electron
    assert np.asarray(eos.status).tolist() == [
        S.OK,
        S.NOT_FINITE,
        S.OUT_OF_RANGE,
        S.OUT_OF_RANGE,
        S.NOT_FOUND,
    ]
    assert np.array_equal(eos.p[0], good.p[0]) and np.isnan(np.asarray(eos.p[1:4])).all() and len(good) == 5
    assert np.isnan(np.asarray(eos.p[4])).any()
    assert all(s.sentence for s in Status)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xi": 0.3}, r"xi must lie in \[0, 0.02\] MeV\^-1, got 0.3"),
        ({"B": -1.0}, r"B must lie in \[0, 1000\] MeV fm\^-3, got -1"),
        ({"B": 4.1e8}, r"B must lie in"),
        ({"m_s": np.nan}, r"m_s must lie in \[0, 600\] MeV, got nan"),
        ({"xi": "0.001"}, r"xi must be a number or an array of numbers"),
        ({"xi": np.ones((2, 2))}, r"arrays of one axis, got shape \(2, 2\)"),
        ({"m_u": 50.0, "m_s": 1.0}, r"n_b = .*: no neutral quark matter"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        quark.equation_of_state(TYPICAL._replace(**change), N_B)


def test_other_refusals():
    with pytest.raises(ValueError, match="coefficient must be one of Fogaca2011, Albino2024, got '27/2'"):
        quark.at_density(TYPICAL, 0.5, coefficient="27/2")
    with pytest.raises(ValueError, match="n_b must be a finite number > 0"):
        quark.at_density(TYPICAL, -0.5)
    with pytest.raises(ValueError, match="at least 4 densities rising"):
        quark.equation_of_state(TYPICAL, [0.1, 0.3, 0.2, 0.4])
    with pytest.raises(ValueError, match="mu_b = 10: no neutral quark matter"):
        quark.at_potential(TYPICAL, [10.0, 1000.0])


def test_prior():
    assert quark.in_prior(TYPICAL) and not quark.in_prior(TYPICAL._replace(B=20.0))
    assert quark.in_prior(TYPICAL._replace(xi=np.array([0.001, 0.002]))).tolist() == [True, False]
