"""Binaries: chirp mass and the tidal parameter of the waveform."""

import jax
import numpy as np


def chirp_mass(M_1, M_2):
    r"""Chirp mass :math:`(M_1 M_2)^{3/5} / (M_1 + M_2)^{1/5}` [Msun] of two gravitational masses [Msun], > 0."""
    _check(0.0, M_1=M_1, M_2=M_2)
    return (M_1 * M_2) ** 0.6 / (M_1 + M_2) ** 0.2


def lambda_tilde(M_1, M_2, Lambda_1, Lambda_2):
    r"""Mass-weighted tidal deformability of a binary [1]; Lambda itself when the two stars are alike.

    .. math::
        \tilde\Lambda = \frac{16}{13}\frac{(M_1 + 12 M_2) M_1^4 \Lambda_1 + (M_2 + 12 M_1) M_2^4 \Lambda_2}
        {(M_1 + M_2)^5}

    M. Favata, Phys. Rev. Lett. 112 (2014) 101101.

    Parameters
    ----------
    M_1, M_2 : arrays, gravitational masses [Msun], > 0
    Lambda_1, Lambda_2 : arrays [1], >= 0; 0 for a black hole

    Raises
    ------
    ValueError
        a mass or deformability out of its range; NaN passes through
    """
    _check(0.0, M_1=M_1, M_2=M_2)
    _check(-np.finfo(float).tiny, Lambda_1=Lambda_1, Lambda_2=Lambda_2)
    one = (M_1 + 12 * M_2) * M_1**4 * Lambda_1
    two = (M_2 + 12 * M_1) * M_2**4 * Lambda_2
    return 16 / 13 * (one + two) / (M_1 + M_2) ** 5


def _check(above, **given):
    """ValueError for a number, not under a transformation, that is not above a limit."""
    for name, a in given.items():
        if not isinstance(a, jax.core.Tracer) and np.any(np.asarray(a, dtype=float) <= above):
            raise ValueError(f"{name} must be {'> 0' if above == 0 else '>= 0'}, got {a}")
