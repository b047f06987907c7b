"""nslib.matter.skyrme: the energy density against formulas for special cases, symmetries, the inverse map."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nslib.matter import nuclear
from nslib.matter.skyrme import SLY4, SLY4_ROUNDED, Skyrme, effective_masses, energy_density, from_saturation
from nslib.units import HBARC


def per_nucleon_symmetric(n, s):
    """E / A of symmetric matter: E. Chabanat et al., Nucl. Phys. A 627 (1997) 710, section 3."""
    k2 = (1.5 * np.pi**2) ** (2 / 3)
    theta_s = 3 * s.t1 + s.t2 * (5 + 4 * s.x2)
    E = 0.6 * HBARC**2 / (2 * s.m) * k2 * n ** (2 / 3) + 3 / 8 * s.t0 * n
    return E + 3 / 80 * theta_s * k2 * n ** (5 / 3) + s.t3 / 16 * n ** (s.alpha + 1)


def per_nucleon_neutrons(n, s):
    """E / A of pure neutron matter: the same."""
    k2 = (3 * np.pi**2) ** (2 / 3)
    E = 0.6 * HBARC**2 / (2 * s.m) * k2 * n ** (2 / 3) + s.t0 / 4 * (1 - s.x0) * n
    E += s.t3 / 24 * (1 - s.x3) * n ** (s.alpha + 1)
    return E + 3 / 40 * k2 * n ** (5 / 3) * (s.t1 * (1 - s.x1) + 3 * s.t2 * (1 + s.x2))


@pytest.mark.parametrize("n", [0.01, 0.16, 0.8])
def test_special_cases(n):
    symmetric = float(energy_density(n / 2, n / 2, SLY4)) / n - 939.0
    neutrons = float(energy_density(n, 0.0, SLY4)) / n - 939.0
    assert symmetric == pytest.approx(per_nucleon_symmetric(n, SLY4), rel=1e-11)
    assert neutrons == pytest.approx(per_nucleon_neutrons(n, SLY4), rel=1e-11)


def test_free_nucleons():
    free = Skyrme(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1 / 3, m_n=0.0, m_p=0.0)
    n_n, n_p = 0.1, 0.05
    kinetic = sum(0.6 * HBARC**2 / (2 * 939.0) * (3 * np.pi**2 * n) ** (2 / 3) * n for n in (n_n, n_p))
    assert float(energy_density(n_n, n_p, free)) == pytest.approx(kinetic, rel=1e-14)


def test_isospin_symmetry_and_rest_masses():
    assert float(energy_density(0.1, 0.03, SLY4)) == pytest.approx(
        float(energy_density(0.03, 0.1, SLY4)), rel=1e-15
    )
    heavy = SLY4._replace(m_n=939.0 + 1.0, m_p=939.0 + 2.0)
    step = float(energy_density(0.1, 0.03, heavy)) - float(energy_density(0.1, 0.03, SLY4))
    assert step == pytest.approx(0.1 * 1.0 + 0.03 * 2.0, rel=1e-9)


def test_arrays():
    n_n, n_p = jnp.array([0.05, 0.1]), jnp.array([0.01, 0.02])
    each = [float(energy_density(a, b, SLY4)) for a, b in zip(n_n, n_p)]
    np.testing.assert_allclose(energy_density(n_n, n_p, SLY4), each, rtol=1e-15)


# ---- saturation and back ---------------------------------------------------------------------------------------

#: ranges of a prior on matter at saturation: n_0 [fm^-3], E_0, K_0, S, L [MeV], m_s, m_v [1]
BOX = {"n_0": (0.153, 0.167), "E_0": (-16.3, -15.7), "K_0": (205.0, 265.0), "S": (28.0, 36.0), "L": (20.0, 100.0),
       "m_s": (0.6, 1.0), "m_v": (0.6, 1.0)}  # fmt: skip


@jax.jit
def properties(s):
    """n_0, E_0, K_0, S, L, m_s, m_v of one interaction, by differentiation of its energy density."""
    q = nuclear.saturation(energy_density, s, s.m)
    m_s = effective_masses(q.n_0 / 2, q.n_0 / 2, s)[0]
    return q.n_0, q.E_0, q.K_0, q.S, q.L, m_s, effective_masses(q.n_0, 0.0, s)[1]


@pytest.mark.parametrize(
    "s, published, digits",
    [  # the values of another code's evaluation of the functional, for SLy4 in its tables and rounded
        (SLY4, (0.15954, -15.974, 229.92, 32.00, 45.96, 0.6946), (5, 3, 2, 2, 2, 4)),
        (SLY4_ROUNDED, (0.159195, -15.918, 229.19, 31.92, 45.80), (6, 3, 2, 2, 2)),
    ],
)
def test_saturation_of_sly4(s, published, digits):
    found = [float(a) for a in properties(s)]
    assert [round(a, k) for a, k in zip(found, digits)] == list(published)


def test_isovector_mass_of_sly4():
    # enhancement factor kappa = 1 / m_v - 1 = 0.25: a condition of the fit of SLy4, E. Chabanat et al. (1998)
    assert float(1 / properties(SLY4)[6]) - 1 == pytest.approx(0.25, abs=5e-4)


def test_effective_mass_is_the_slope_of_the_energy_in_tau():
    """hbar^2 / 2m* = d eps / d tau_q: compared by m -> a m, which changes tau's bare coefficient alone."""
    n_n, n_p, a = 0.12, 0.03, 1.7
    light, heavy = effective_masses(n_n, n_p, SLY4), effective_masses(n_n, n_p, SLY4._replace(m=a * SLY4.m))
    for one, other in zip(light, heavy):  # 1/m* = 1/m + terms without m
        assert float(1 / one - 1) == pytest.approx(float(1 / other - 1) / a, rel=1e-12)
    neutrons, alone = effective_masses(0.16, 0.0, SLY4), SLY4.t1 * (1 - SLY4.x1) + 3 * SLY4.t2 * (1 + SLY4.x2)
    assert float(1 / neutrons[0] - 1) == pytest.approx(SLY4.m / (4 * HBARC**2) * alone * 0.16, rel=1e-12)


@pytest.mark.parametrize("s", [SLY4, SLY4_ROUNDED])
def test_round_trip_of_sly4(s):
    """What matter depends on comes back: t0, x0, t3, x3, alpha and the energy density at every composition."""
    back = from_saturation(*(float(a) for a in properties(s)))
    assert all(isinstance(a, float) for a in back)
    for name in ("t0", "t3", "x0", "x3", "alpha"):
        assert getattr(back, name) == pytest.approx(getattr(s, name), rel=1e-9), name
    assert (back.x1, back.x2, back.m, back.m_n, back.m_p) == (0.0, 0.0, 939.0, 939.0, 939.0)
    n, x = np.meshgrid(np.geomspace(0.01, 1.5, 9), np.linspace(0, 0.5, 5))
    eps = [np.asarray(energy_density(n * (1 - x), n * x, q)) for q in (back, s)]
    np.testing.assert_allclose(*eps, rtol=1e-10)


def draws(n, seed=5):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(*ends, n) for name, ends in BOX.items()}


def bound(q):
    """T + 4B - 9 E_0 [MeV], which K_0 has to exceed."""
    T = 0.6 * HBARC**2 / (2 * 939.0) * (1.5 * np.pi**2 * q["n_0"]) ** (2 / 3)
    return T + 4 * T * (1 / q["m_s"] - 1) - 9 * q["E_0"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.fixed_dictionaries({name: st.floats(*ends) for name, ends in BOX.items()}))
def test_round_trip(q):
    if q["K_0"] <= bound(q):
        with pytest.raises(ValueError, match="K_0 must be > .* for alpha > 0"):
            from_saturation(**q)
    elif q["K_0"] > bound(q) + 1:  # nearer to alpha = 0, t0 and t3 cancel more digits than this test allows
        np.testing.assert_allclose(properties(from_saturation(**q)), [q[name] for name in BOX], rtol=1e-9)


def test_batch_and_jit():
    """Members of a batch are those of single calls; where there is no interaction, all of it is NaN."""
    q = draws(400)
    good = q["K_0"] > bound(q)
    assert 0.5 < good.mean() < 1
    s = from_saturation(**q)
    assert all(a.shape == (400,) for a in s)
    assert all((np.isfinite(a) == good).all() for a in s)
    i = int(np.flatnonzero(good)[7])
    one = from_saturation(**{name: float(v[i]) for name, v in q.items()})
    np.testing.assert_allclose([float(a[i]) for a in s], one, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(lambda q: from_saturation(**q))(q), s, rtol=1e-12)
    q["L"][3], q["n_0"][4] = np.nan, -0.16
    spoilt = from_saturation(**q)
    assert np.isnan(np.asarray(spoilt)[:, 3:5]).all()
    np.testing.assert_array_equal(np.delete(spoilt, [3, 4], axis=1), np.delete(s, [3, 4], axis=1))


def test_batch_of_one_argument():
    s = from_saturation(0.16, -16.0, [220.0, 240.0], 32.0, 50.0, 0.8, 0.7)
    assert all(a.shape == (2,) for a in s) and np.isfinite(np.asarray(s)).all()


GOOD = {"n_0": 0.16, "E_0": -16.0, "K_0": 230.0, "S": 32.0, "L": 50.0, "m_s": 0.7, "m_v": 0.8}


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"n_0": -0.16}, "n_0 must be > 0, got -0.16"),
        ({"m_s": 0.0}, "m_s must be > 0, got 0"),
        ({"m_v": -1.0}, "m_v must be > 0, got -1"),
        ({"m": 0.0}, "m must be > 0, got 0"),
        ({"S": np.inf}, "S must be finite, got inf"),
        ({"L": "steep"}, "L must be a real number or an array of them, got 'steep'"),
        ({"L": None}, "L must be a real number or an array of them, got None"),
        (
            {"K_0": 150.0},
            r"K_0 must be > 204 MeV for alpha > 0 at n_0 = 0.16, E_0 = -16, m_s = 0.7, got 150",
        ),
        ({"E_0": 30.0}, r"E_0 must be < 1\.05\d+ MeV for t3 > 0 at n_0 = 0.16, E_0 = 30, m_s = 0.7"),
    ],
)
def test_refusals(bad, message):
    with pytest.raises(ValueError, match=message):
        from_saturation(**{**GOOD, **bad})
