"""The whole chain with one interaction: SLy4 drops in the crust, SLy4 matter in the core, stars."""

import numpy as np
import pytest

from nslib import crust, stars
from nslib.matter import nuclear, skyrme
from nslib.units import M_N, M_P


@pytest.fixture(scope="module")
def eos():
    sly4 = skyrme.SLY4._replace(m_n=M_N, m_p=M_P)
    return crust.join(nuclear.equation_of_state(skyrme.energy_density, sly4, np.geomspace(0.06, 1.5, 160)))


def test_crust_and_core_of_one_interaction_meet_without_a_step(eos):
    """Both sides are the same functional, so mu_b has no step and the core begins at the end of the crust's drops."""
    assert abs(float(eos.delta_mu)) < 1e-4
    assert 0.080 < float(eos.n_join) < 0.084
    assert float(eos.first_law_error()) < 1e-4


def test_sly4_star_against_the_published_unified_table(eos):
    """F. Douchin and P. Haensel, A&A 380 (2001) 151: M_max 2.05 Msun, R(M_max) 9.99 km; and the SLY4 table of
    lalsuite as in tests/reference/stars.json (2.0491, 11.724 km, 297.2): an independent crust, and rounding of the table."""
    family = stars.family(eos)
    assert float(family.M_max) == pytest.approx(2.0491, rel=1.5e-3)
    assert float(family.R_max) == pytest.approx(9.99, abs=0.03)
    assert float(family.R(1.4)) == pytest.approx(11.724, abs=0.02)
    assert float(family.Lambda(1.4)) == pytest.approx(297.2, rel=6e-3)
