"""nslib.tables.rmf_sets: what every set has, one set in both conventions, and names that are unknown."""

import pytest

from nslib.tables.rmf_sets import NAMES, rmf_set
from nslib.units import HBARC

SCALARS = {"g2-g3": ("g2", "g3", "c3"), "kappa-lambda": ("kappa", "lambda", "zeta", "Lambda_v")}


def test_sets():
    assert {"NL3", "FSUGold", "IU-FSU", "FSUGarnet", "FSUGold2", "BigApple", "TM1"} <= set(NAMES)
    for name in NAMES:
        s = rmf_set(name)
        assert (
            450 < s["m_s"] < 530
            and s["m_v"] in (782.5, 782.501, 782.6, 783.0)
            and s["m_rho"] in (763.0, 770.0)
        )
        assert s["m"] in (938.0, 939.0) and all(key in s for key in SCALARS[s["convention"]])
        assert s["reference"].endswith(tuple("0123456789"))


def test_nl3_in_the_other_convention():
    """F. J. Fattoyev et al., Phys. Rev. C 82 (2010) 055803, table I, prints NL3 with kappa and lambda."""
    s = rmf_set("NL3")
    assert s["g_s"] ** 2 == pytest.approx(104.3871, abs=1e-4)
    assert s["g_v"] ** 2 == pytest.approx(165.5854, abs=1e-4)
    assert (2 * s["g_rho"]) ** 2 == pytest.approx(
        79.6, abs=0.5
    )  # they print 79.6000, of g_rho to tau / 2 rounded
    assert -2 * s["g2"] * HBARC / s["g_s"] ** 3 == pytest.approx(3.8599, abs=1e-3)
    assert 6 * s["g3"] / s["g_s"] ** 4 == pytest.approx(-0.015905, abs=1e-5)


def test_a_copy_is_returned():
    rmf_set("NL3")["g_s"] = 0.0
    assert rmf_set("NL3")["g_s"] == 10.217


@pytest.mark.parametrize("name", ["NL4", "nl3", None])
def test_unknown(name):
    with pytest.raises(ValueError, match="name must be one of NL-SH, TM1, NL3, .*, got "):
        rmf_set(name)
