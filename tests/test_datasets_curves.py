"""Curves over mass: against stars solved one by one, and what a bad request gets."""

import numpy as np
import pytest

from nslib import crust, datasets, stars
from nslib.datasets import mass_curves
from nslib.matter import metamodel

WIDE = np.array([[60.0, -50.0, 0.0, 0.0], [75.0, -80.0, 50.0, 150.0], [100.0, -150.0, 200.0, 400.0], [30.0, -400.0, 0.0, 0.0]])


@pytest.fixture(scope="module")
def wide():
    return datasets.curves(WIDE, M_max_min=2.0, M_high=None)


def test_curves_are_those_of_the_families(wide):
    """R and Lambda at random masses up to the maximum mass, from families built here; the last of the four is no star."""
    assert wide.status.tolist()[:3] == [0, 0, 0] and wide.status[3] != 0 and len(wide) == 3
    assert np.array_equal(wide.parameters, WIDE[:3]) and np.array_equal(wide.M_high, wide.M_max)
    mass = np.random.default_rng(1).uniform(1.0, wide.M_max[:, None], (3, 30))
    for i, (L, K_sym, J_0, J_sym) in enumerate(WIDE[:3]):
        family = stars.family(crust.join(metamodel.eos(L=L, K_sym=K_sym, J_0=J_0, J_sym=J_sym)), causal=True, **datasets.FAMILY)
        assert np.allclose(wide.at_mass(mass)[i], family.R(mass[i]), atol=2e-3)  # km
        assert np.allclose(wide.at_mass(mass, "ln_Lambda")[i], np.log(family.Lambda(mass[i])), atol=3e-3)


def test_two_parameters_are_those_of_the_sequences():
    """The same status and radii as datasets.sequences, where J_0 and J_sym are 0 and masses end at 2."""
    rng = np.random.default_rng(2)
    L, K_sym = rng.uniform(30.6, 86.8, 40), rng.uniform(-400.0, 100.0, 40)
    mass = rng.uniform(1.0, 2.0, (40, 5))
    status, R, Lambda = datasets.sequences(L, K_sym, mass)
    made = datasets.curves(np.stack([L, K_sym, 0 * L, 0 * L], axis=1), M_high=2.0)
    ok = status == 0
    assert np.array_equal(made.status, status) and 5 < ok.sum() < 35
    assert np.allclose(made.at_mass(mass[ok]), R[ok], atol=2e-3)
    assert np.allclose(made.at_mass(mass[ok], "ln_Lambda"), np.log(Lambda[ok]), atol=3e-3)


def test_no_star_beyond_the_curve(wide):
    mass = np.array([[0.9, 1.0, 1.4, 2.9]] * 3)
    assert np.isnan(wide.at_mass(mass)).tolist() == [[True, False, False, True]] * 3


def test_members_by_slice_and_index(wide):
    assert len(wide[1:]) == 2 and len(wide[1:].draws) == 4
    assert np.array_equal(wide[[2, 0]].R, wide.R[[2, 0]])


def test_data_set_resumes_and_begins_the_same(tmp_path):
    """A longer data set begins with the shorter one; fixed parameters stay fixed, others stay in their ranges."""
    how = {"seed": 3, "L": (50.0, 86.8), "K_sym": (-90.0, 100.0), "raw": 40, "progress": False}
    few = datasets.star_curves(tmp_path / "a", 20, **how)
    many = datasets.star_curves(tmp_path / "a", 60, **how)
    assert np.array_equal(few.R, many.R[:20]) and len(many) == 60
    assert not many.J_0.any() and np.all((many.K_sym > -90) & (many.K_sym < 100)) and np.all(many.M_high == 2.0)
    with pytest.raises(ValueError, match="was made with seed = 3, not 4"):
        datasets.star_curves(tmp_path / "a", 20, **how | {"seed": 4})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"L": (60.0, 70.0, 80.0)}, "L must be a finite number or two"),
        ({"K_sym": "soft"}, "K_sym must be a finite number or two"),
        ({"raw": True}, "raw must be a whole number >= 1"),
        ({"L": (80.0, 60.0)}, "L must be a finite number or two"),
        ({"J_0": np.nan}, "J_0 must be a finite number or two"),
        ({"seed": -1}, "seed must be a whole number >= 0"),
        ({"raw": 0}, "raw must be a whole number >= 1"),
        ({"causality": "loose"}, "causality must be one of"),
        ({"M_high": 2.5}, "0 < M_low < M_high <= M_max_min"),
        ({"M_low": 2.0}, "0 < M_low < M_high <= M_max_min"),
        ({"M_low": 0.05}, "M_low = 0.05 Msun lies below the lightest star solved"),
    ],
)
def test_bad_requests_are_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        datasets.star_curves(tmp_path / "a", 4, **{"seed": 1, "L": (60.0, 80.0), "K_sym": (0.0, 50.0), "raw": 8, "progress": False} | change)


@pytest.mark.parametrize("parameters", [np.zeros((0, 4)), np.zeros((2, 2)), np.full((1, 4), np.nan)])
def test_parameters_of_another_shape(parameters):
    with pytest.raises(ValueError, match=r"parameters must be finite and have shape \(n, 4\)"):
        mass_curves.curves(parameters)


def test_masses_below_the_lightest_star():
    with pytest.raises(ValueError, match="M_low = 0.02 Msun lies below the lightest star solved"):
        datasets.curves(WIDE[:1], M_max_min=2.0, M_low=0.02)


@pytest.mark.parametrize(("mass", "observable"), [(np.ones((3, 2)), "Lambda"), (np.ones(3), "R"), (np.ones((2, 2)), "R")])
def test_curves_are_asked_for_what_they_have(wide, mass, observable):
    with pytest.raises(ValueError, match="observable must be R or ln_Lambda and mass have shape"):
        wide.at_mass(mass, observable)
