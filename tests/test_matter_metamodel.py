"""nslib.matter.metamodel against its own closed forms, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.matter import leptons, metamodel, nuclear
from nslib.matter.metamodel import Metamodel

Q = Metamodel(L=58.7, K_sym=-100.0, J_sym=200.0, J_0=-50.0)


def test_expansion_by_hand():
    # n = 0.32 fm^-3: x = 1/3; E_0 + K_0/18 + J_0/162 and S_0 + L/3 + K_sym/18 + J_sym/162
    assert float(metamodel.symmetric_energy(0.32, Q)) == pytest.approx(-15.9 + 240 / 18 - 50 / 162, rel=1e-14)
    assert float(metamodel.symmetry_energy(0.32, Q)) == pytest.approx(
        31.7 + 58.7 / 3 - 100 / 18 + 200 / 162, rel=1e-14
    )


def test_energy_density_is_parabolic():
    n = 0.25
    E = [float(nuclear.energy_per_nucleon(metamodel.energy_density, n, d, Q)) for d in (0.0, 0.5, 1.0)]
    assert E[0] == pytest.approx(Q.m + float(metamodel.symmetric_energy(n, Q)), rel=1e-14)
    assert E[2] - E[0] == pytest.approx(4 * (E[1] - E[0]), rel=1e-10)
    S = float(nuclear.symmetry_energy(metamodel.energy_density, n, Q))
    assert S == pytest.approx(float(metamodel.symmetry_energy(n, Q)), rel=1e-13)


def test_electron_chemical_potential():
    # mu_n - mu_p = 4 delta E_sym for a parabolic energy (J. M. Lattimer et al., Phys. Rev. Lett. 66 (1991) 2701)
    n = np.array([0.08, 0.16, 0.4, 1.0])
    e = jax.vmap(lambda n: nuclear.beta_equilibrium(metamodel.energy_density, n, Q))(n)
    delta = 1 - 2 * e.x_p
    np.testing.assert_allclose(e.mu_e, 4 * delta * metamodel.symmetry_energy(n, Q), rtol=1e-11)


def test_pressure_by_hand():
    """p = n^2 (dE/dn + delta^2 dE_sym/dn) + lepton pressure."""
    n = 0.5
    e = nuclear.beta_equilibrium(metamodel.energy_density, jnp.asarray(n), Q)
    x, delta = (n - 0.16) / 0.48, 1 - 2 * float(e.x_p)
    dE = (Q.K_0 * x + Q.J_0 / 2 * x**2) / 0.48
    dS = (Q.L + Q.K_sym * x + Q.J_sym / 2 * x**2) / 0.48
    gas = sum(float(leptons.pressure(leptons.momentum(e.mu_e, m), m)) for m in (leptons.M_E, leptons.M_MU))
    assert float(e.p) == pytest.approx(n**2 * (dE + delta**2 * dS) + gas, rel=1e-10)


def test_eos_columns():
    eos = metamodel.eos(L=58.7, K_sym=-100.0)
    assert not eos.is_batch and np.array_equal(np.asarray(eos.n_b), metamodel.DENSITIES)
    assert eos.first_law_error() < 1e-6
    p, eps = np.asarray(eos.p), np.asarray(eos.eps)
    middle = np.gradient(p, eps, edge_order=2)[
        1:-1
    ]  # second order in the row step; a kink where muons appear
    np.testing.assert_allclose(middle, np.asarray(eos.cs2)[1:-1], rtol=1e-2)


def test_batch_is_its_members():
    L, K_sym = np.linspace(30.6, 86.8, 5), np.linspace(-400, 100, 5)
    batch = metamodel.eos(L=L, K_sym=K_sym, J_sym=30.0)
    assert batch.is_batch and batch.p.shape == (5, 160)
    for i in (0, 4):
        one = metamodel.eos(L=L[i], K_sym=K_sym[i], J_sym=30.0)
        for name in ("eps", "p", "n_b", "mu_b", "cs2"):
            np.testing.assert_allclose(
                getattr(batch, name)[i], getattr(one, name), rtol=1e-12, atol=1e-13, err_msg=name
            )


def test_a_batch_of_more_than_one_block():
    L = np.linspace(30, 90, 300)
    batch = metamodel.eos(L=L, K_sym=0.0)
    assert batch.p.shape == (300, 160)
    np.testing.assert_allclose(batch.p[299], metamodel.eos(L=90.0, K_sym=0.0).p, rtol=1e-12, atol=1e-13)


def test_own_densities_and_no_muons():
    n_b = np.linspace(0.1, 0.5, 9)
    eos = metamodel.eos(L=58.7, K_sym=-100.0, n_b=n_b, muons=False)
    assert np.array_equal(np.asarray(eos.n_b), n_b)
    with_muons = metamodel.eos(L=58.7, K_sym=-100.0, n_b=n_b)  # a further degree of freedom lowers the energy
    gain = np.asarray(eos.eps - with_muons.eps)
    assert np.all(gain >= -1e-12) and np.all(gain[1:] > 0)


BAD = {
    "rho_0 zero": (dict(L=50.0, K_sym=0.0, rho_0=0.0), "rho_0 must be > 0"),
    "text": (dict(L="58.7", K_sym=0.0), r"L must be a number or an array of numbers \[MeV\], got '58.7'"),
    "text in a list": (dict(L=["a", "b"], K_sym=0.0), r"L must be a number or an array of numbers"),
    "None": (dict(L=None, K_sym=0.0), r"L must be"),
    "NaN": (dict(L=np.nan, K_sym=0.0), r"L must be finite, got nan"),
    "unknown": (
        dict(L=50.0, K_sym=0.0, Ksat=240.0),
        r"Ksat is no parameter of the metamodel; it has L, K_sym",
    ),
    "two axes": (dict(L=np.ones((2, 2)), K_sym=0.0), r"arrays of one axis, got shape \(2, 2\)"),
    "densities fall": (
        dict(L=50.0, K_sym=0.0, n_b=[0.4, 0.3, 0.2, 0.1]),
        r"n_b must be at least 4 densities rising",
    ),
    "density zero": (dict(L=50.0, K_sym=0.0, n_b=[0.0, 0.1, 0.2, 0.3]), r"rising from above 0 fm\^-3"),
    "three densities": (dict(L=50.0, K_sym=0.0, n_b=[0.1, 0.2, 0.3]), r"at least 4"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters(case):
    arguments, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        metamodel.eos(**arguments)


def test_arrays_must_fit():
    with pytest.raises(ValueError):
        metamodel.eos(L=np.ones(3), K_sym=np.ones(4))


def test_bad_member_leaves_its_neighbours_alone():
    L = np.array([40.0, 50.0, 60.0])
    good, bad = metamodel.eos(L=L, K_sym=0.0), metamodel.eos(L=np.array([40.0, np.nan, 60.0]), K_sym=0.0)
    assert np.isnan(np.asarray(bad.p[1])).all()
    for i in (0, 2):
        assert np.array_equal(np.asarray(good.p[i]), np.asarray(bad.p[i]))


def test_under_jit():
    traced = jax.jit(lambda L: metamodel.eos(L=L, K_sym=-100.0).p)(58.7)
    np.testing.assert_allclose(traced, metamodel.eos(L=58.7, K_sym=-100.0).p, rtol=1e-12, atol=1e-13)
