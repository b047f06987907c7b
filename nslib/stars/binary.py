"""Binaries: chirp mass and the tidal parameter of the waveform."""


def chirp_mass(M_1, M_2):
    r"""Chirp mass :math:`(M_1 M_2)^{3/5} / (M_1 + M_2)^{1/5}` [Msun] of two gravitational masses [Msun]."""
    return (M_1 * M_2) ** 0.6 / (M_1 + M_2) ** 0.2


def lambda_tilde(M_1, M_2, Lambda_1, Lambda_2):
    r"""Mass-weighted tidal deformability of a binary [1]; Lambda itself when the two stars are alike.

    .. math::
        \tilde\Lambda = \frac{16}{13}\frac{(M_1 + 12 M_2) M_1^4 \Lambda_1 + (M_2 + 12 M_1) M_2^4 \Lambda_2}
        {(M_1 + M_2)^5}

    M. Favata, Phys. Rev. Lett. 112 (2014) 101101.

    Parameters
    ----------
    M_1, M_2 : arrays, gravitational masses [Msun]
    Lambda_1, Lambda_2 : arrays [1]
    """
    one = (M_1 + 12 * M_2) * M_1**4 * Lambda_1
    two = (M_2 + 12 * M_1) * M_2**4 * Lambda_2
    return 16 / 13 * (one + two) / (M_1 + M_2) ** 5
