"""The mass formula of Duflo and Zuker with 10 parameters, computed ("DZ10").

Not the table "DZ" of :mod:`nslib.tables.mass_models`, which has 28 parameters. J. Duflo and A. P. Zuker, Phys.
Rev. C 52 (1995) R23; the terms, by the program that Duflo left in February 1996, are explained by
J. Mendoza-Temis, J. G. Hirsch and A. P. Zuker, Nucl. Phys. A 843 (2010) 14.

Neutrons and protons each fill, from p = 0 up, the subshells j (2p + 2 places) and r (p (p + 1) places) of the
oscillator shells; an extruder-intruder shell is the r of one p with the j of the next.
"""

import numpy as np

from nslib.masses.compare import check_nuclides

#: Coulomb; master term, its surface; isospin, its surface; S3, its surface; spherical and deformed quadrupole; pairing
PARAMETERS = (0.7043, 17.7418, 16.2562, 37.5562, 53.9017, 0.4711, 2.1307, 0.0210, 40.5356, 6.0632)

#: mass excesses of hydrogen and of the neutron as in the program [MeV]
HYDROGEN, NEUTRON = 7.28903, 8.07138

#: largest Z and N: p = 8 with its j full
LARGEST = 258

_P = np.repeat(np.arange(9), 2)
_SIZE = np.where(np.arange(18) % 2 == 0, 2 * _P + 2, _P * (_P + 1))
_FULL = np.cumsum(_SIZE)


def binding_energy(Z, N):
    r"""Binding energy of the atom, B = Z m_H + N m_n - M.

    With :math:`\rho = A^{1/3}[1 - \tfrac14((N-Z)/A)^2]^2`, T = :math:`|N - Z|`, and for each fluid the occupations
    m_p of the shells over :math:`D_p^{1/2}`, :math:`D_p = (p+1)(p+2)`,

    .. math:: B = a_1 E_C + \frac1\rho\Big[ a_2 (M + S) - a_3 \frac{M}{\rho} - a_4 \frac{T(T+2)}{A^{2/3}}
              + a_5 \Big(\frac{T(T+2)}{A^{2/3}\rho} + \frac{T(1-T)}{A\rho^3}\Big) + E_m + a_{10} E_p\Big],

    M = :math:`\sum (\sum_p m_p)^2` the master term, S the spin-orbit term, E_m the configuration mixing: with
    q = e (d - e) / d of the e particles among the d places of the last extruder-intruder shell,

    .. math:: E_m = \Big(a_6 - \frac{a_7}{\rho}\Big) \sum q (2e - d) + a_8\, 2^{\sqrt{p_n} + \sqrt{p_p}} q_n q_p

    for spherical nuclei. In deformed ones four neutrons and four protons are in the next subshell, and
    :math:`E_m = a_9 q_n q_p`, q scaled by :math:`d^{-1/2}`. The larger B counts, above Z = 50.

    Parameters
    ----------
    Z, N : arrays that broadcast, 1 to 258 [1]

    Returns
    -------
    array [MeV]

    Raises
    ------
    ValueError
        Z or N not a whole number from 1 to 258
    """
    Z, N = check_nuclides(Z, N)
    for name, a in (("Z", Z), ("N", N)):
        if not np.all((a >= 1) & (a <= LARGEST)):
            raise ValueError(f"{name} must lie in [1, {LARGEST}], got {a.min()} to {a.max()}")
    spherical = _binding_energy(Z, N, 0)
    return np.where(Z > 50, np.maximum(spherical, _binding_energy(Z, N, 4)), spherical)


def mass_excess(Z, N):
    """Mass excess of the neutral atom [MeV]; arguments as in :func:`binding_energy`."""
    return HYDROGEN * np.asarray(Z) + NEUTRON * np.asarray(N) - binding_energy(Z, N)


def _binding_energy(Z, N, u):
    """Binding energy [MeV] with u particles of each fluid moved to the next subshell, 0 or 4."""
    a = PARAMETERS
    A, T = 1.0 * (N + Z), 1.0 * abs(N - Z)
    r_c = A ** (1 / 3) * (1 - (T / A) ** 2 / 4)
    rho = r_c**2 / A ** (1 / 3)
    pairs = 1.0 * Z * (Z - 1)
    coulomb = (0.76 * pairs ** (2 / 3) - pairs) / r_c

    M_n, S_n, q_n, d_n, e_n, p_n = _fluid(N, u)
    M_p, S_p, q_p, d_p, e_p, p_p = _fluid(Z, u)
    M, S = M_n + M_p, S_n + S_p
    isospin = T * (T + 2) / A ** (2 / 3)
    wigner = T * (1 - T) / (A * rho**3)
    if u:
        mixing = a[8] * q_n * q_p / np.sqrt(d_n * d_p)
    else:
        S3 = q_n * (2 * e_n - d_n) + q_p * (2 * e_p - d_p)
        mixing = (a[5] - a[6] / rho) * S3 + a[7] * q_n * q_p * 2 ** (np.sqrt(p_n) + np.sqrt(p_p))
    bulk = a[1] * (M + S) - a[2] * M / rho - a[3] * isospin + a[4] * (isospin / rho + wigner)
    return a[0] * coulomb + (bulk + mixing + a[9] * _pairing(Z, N, T / A)) / rho


def _fluid(n, u):
    """Of n neutrons or protons, u of them in the next subshell: terms M, S, q, then d, e, p of the last shell."""
    last = np.searchsorted(_FULL, n)
    before = _FULL - _SIZE
    filled = np.clip(n[..., None] - before, 0, _SIZE)
    i = np.arange(18)
    filled = filled - u * (i == last[..., None]) + u * (i == last[..., None] + 1)
    j, r, p = filled[..., ::2], filled[..., 1::2], np.arange(9)
    D = (p + 1) * (p + 2)
    m = (j + r) / np.sqrt(D)
    s = j * p / 2 - r
    master = m.sum(-1) ** 2
    spin_orbit = (s * ((1 + m) * p**2 + (1 - m) * (4 * p - 5)) / D**1.5).sum(-1)

    p, is_j, here = _P[last], last % 2 == 0, n - before[last]
    e = np.where(is_j, here + p * (p - 1), here - u)
    d = np.where(is_j, p * (p + 1) + 2, (p + 1) * (p + 2) + 2)
    return master, spin_orbit, e * (d - e - u) / d, d, e, p


def _pairing(Z, N, t):
    """E_p: 2 - t for even Z and N, t for odd; for odd A, 1 or, where the majority is even, 1 - t; t = |N - Z| / A."""
    even_Z, even_N = Z % 2 == 0, N % 2 == 0
    majority_even = np.where(N > Z, even_N, even_Z)
    odd_A = np.where(majority_even, 1 - t, 1.0)
    return np.where(even_Z & even_N, 2 - t, np.where(even_Z | even_N, odd_A, t))
