"""nslib.stars.binary: limits and a published event."""

import numpy as np
import pytest

from nslib.stars import chirp_mass, lambda_tilde


def test_chirp_mass():
    # GW170817: chirp mass 1.186 Msun at equal masses 1.362 Msun (B. P. Abbott et al., Phys. Rev. X 9 (2019) 011001)
    assert chirp_mass(1.3624, 1.3624) == pytest.approx(1.186, abs=1e-4)
    assert chirp_mass(1.6, 1.17) == pytest.approx(chirp_mass(1.17, 1.6), rel=1e-15)
    assert chirp_mass(2.0, 2.0) == pytest.approx(2.0 * 2 ** (-0.2), rel=1e-15)


def test_lambda_tilde():
    assert lambda_tilde(1.4, 1.4, 300.0, 300.0) == pytest.approx(300.0, rel=1e-15)
    assert lambda_tilde(1.6, 1.1, 100.0, 900.0) == pytest.approx(
        lambda_tilde(1.1, 1.6, 900.0, 100.0), rel=1e-15
    )
    # by hand: 16/13 [(1.6 + 13.2) 1.6^4 100 + (1.1 + 19.2) 1.1^4 900] / 2.7^5
    expected = 16 / 13 * (14.8 * 6.5536 * 100 + 20.3 * 1.4641 * 900) / 143.48907
    assert lambda_tilde(1.6, 1.1, 100.0, 900.0) == pytest.approx(expected, rel=1e-12)


def test_a_black_hole_has_no_tides():
    assert lambda_tilde(5.0, 1.4, 0.0, 400.0) == pytest.approx(
        16 / 13 * (1.4 + 60.0) * 1.4**4 * 400 / 6.4**5, rel=1e-14
    )


def test_arrays():
    M = np.array([1.2, 1.4, 1.6])
    assert lambda_tilde(M, M[::-1], np.ones(3), np.ones(3)).shape == (3,)


@pytest.mark.parametrize("bad, words", [((0.0, 1.4, 1.0, 1.0), "M_1 must be > 0"), ((1.4, [1.2, -1.0], 1.0, 1.0), "M_2 must be > 0"),
                                        ((1.4, 1.4, -1e-9, 1.0), "Lambda_1 must be >= 0")])  # fmt: skip
def test_bad_binaries(bad, words):
    with pytest.raises(ValueError, match=words):
        lambda_tilde(*bad)


def test_bad_chirp_mass():
    with pytest.raises(ValueError, match="M_2 must be > 0, got -1.4"):
        chirp_mass(1.4, -1.4)
    assert np.isnan(chirp_mass(1.4, np.nan))
