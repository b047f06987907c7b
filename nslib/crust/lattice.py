"""Electrons neutralising a lattice of ions at zero temperature, at a given pressure."""

from typing import NamedTuple

import numpy as np

from nslib.units import ALPHA, HBARC, M_E

#: energy of the body-centred cubic lattice, in units of -Z^2 e^2 / a with the ion-sphere radius a
MADELUNG = 0.895929255682


class Corrections(NamedTuple):
    """What enters the Gibbs energy beside nuclear masses and free electrons; each may be switched off or on."""

    lattice: bool = True
    electron_binding: bool = True
    polarisation: bool = False
    exchange: bool = False


#: the default
STANDARD = Corrections()


def check_corrections(corrections):
    """ValueError unless these are Corrections, each True or False."""
    if not isinstance(corrections, Corrections):
        raise ValueError(f"corrections must be Corrections, got {corrections!r}")
    for name, value in corrections._asdict().items():
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"corrections: {name} must be True or False, got {value!r}")


def lattice_coefficient(Z, corrections=STANDARD):
    r"""Coefficient C_Z of the lattice energy -C_Z k_F n_e [1].

    .. math:: C_Z = 0.895929\,\alpha\,(4/9\pi)^{1/3} Z^{2/3}\,\sigma(Z), \qquad
              \sigma = 1 + \frac{\tfrac{54}{175}(12/\pi)^{1/3}\alpha\,b_1 Z^{2/3}}{0.895929}, \qquad
              b_1 = 1 - 1.1866\,Z^{-0.267} + 0.27/Z

    The factor :math:`\sigma`, 1 unless ``polarisation``, is the response of relativistic electrons to the
    ions: A. Y. Potekhin and G. Chabrier, Phys. Rev. E 62 (2000) 8554, for k_F >> m_e.

    Parameters
    ----------
    Z : array, charge number [1]
    corrections : Corrections
    """
    bare = MADELUNG * ALPHA * (4 / (9 * np.pi)) ** (1 / 3) * Z ** (2 / 3)
    b_1 = 1 - 1.1866 * Z**-0.267 + 0.27 / Z
    sigma = 1 + 54 / 175 * (12 / np.pi) ** (1 / 3) * ALPHA * b_1 * Z ** (2 / 3) / MADELUNG
    return corrections.lattice * bare * np.where(corrections.polarisation, sigma, 1.0)


def exchange(k):
    r"""Exchange energy of a relativistic electron gas: mu_x [MeV], p_x [MeV fm^-3] and d mu_x / dk [1].

    .. math:: \varepsilon_x = \frac{\alpha m^4}{4\pi^3(\hbar c)^3}\left[\tfrac32 f^2 - x^4\right], \qquad
              f = x\sqrt{1+x^2} - \operatorname{arsinh} x, \qquad x = k/m

    E. E. Salpeter, Astrophys. J. 134 (1961) 669; the limits are -3 alpha k n / 4 pi for x << 1 and
    3 alpha k n / 8 pi for x >> 1.

    Parameters
    ----------
    k : array, Fermi momentum [MeV]
    """
    x = k / M_E
    E = np.sqrt(1 + x**2)
    f = x * E - np.arcsinh(x)
    eps = ALPHA * M_E**4 / (4 * np.pi**3 * HBARC**3) * (1.5 * f**2 - x**4)
    mu = ALPHA * M_E / (2 * np.pi) * (3 * f / E - 2 * x)
    dmu = ALPHA / (2 * np.pi) * (6 * x**2 / E**2 - 3 * f * x / E**3 - 2)
    return mu, k**3 / (3 * np.pi**2 * HBARC**3) * mu - eps, dmu


def free_pressure(k):
    """Pressure of free electrons [MeV fm^-3] at the Fermi momentum k [MeV], as :func:`nslib.matter.leptons.pressure`
    but in NumPy: tracing it for each table's shape would take longer than the whole crust."""
    x = k / M_E
    phi = x * np.sqrt(1 + x**2) * (2 / 3 * x**2 - 1) + np.arcsinh(x)
    small = 8 / 15 * x**5 - 4 / 21 * x**7 + x**9 / 9
    return M_E**4 * np.where(x > 0.05, phi, small) / (8 * np.pi**2 * HBARC**3)


class Electrons(NamedTuple):
    """Electrons of the lattice: k, g, mu_e [MeV], n_e [fm^-3], p [MeV fm^-3], the slope dp = dp/dk [fm^-3]."""

    k: np.ndarray
    g: np.ndarray
    mu_e: np.ndarray
    n_e: np.ndarray
    p: np.ndarray
    dp: np.ndarray


def electrons(p, C, with_exchange=False):
    r"""Electrons of the neutral lattice at given pressures.

    Newton's method from above on the convex branch of
    :math:`p = p_e(k) + p_x(k) - C_Z k n_e / 3`; as :math:`dp = n_e\,dg`, the slope is exact.

    Parameters
    ----------
    p : array, pressure [MeV fm^-3], zero allowed
    C : array that broadcasts with p, coefficients of :func:`lattice_coefficient` [1]
    with_exchange : bool

    Returns
    -------
    Electrons, arrays of the common shape

    Raises
    ------
    RuntimeError
        if Newton's method has not converged in 120 steps
    """
    p, C = np.broadcast_arrays(np.asarray(p, dtype=float), C)
    q = 15 * np.pi**2 * HBARC**3 * p / M_E**4  # a free gas has x^5 / sqrt(1 + x^2) <= q
    k = (1.1 * np.maximum(q**0.2, (1.5 * q) ** 0.25) + 0.1) * M_E
    for _ in range(120):
        state = _at_momentum(k, C, with_exchange)
        step = (state.p - p) / state.dp
        k = k - step
        if np.all(np.abs(step) < 1e-9 * k + 1e-9):
            return _at_momentum(k, C, with_exchange)
    raise RuntimeError(f"electron density did not converge at p = {p.ravel()[0]:.4g} MeV fm^-3")


def electrons_of_energy(g, C, with_exchange=False):
    r"""Electrons of the neutral lattice at given Gibbs energies an electron.

    The inverse of :func:`electrons`. Without exchange,

    .. math:: g = \sqrt{k^2 + m^2} - c k, \quad c = \tfrac43 C_Z \quad\Rightarrow\quad
              k = \frac{c g + \sqrt{g^2 - (1 - c^2) m^2}}{1 - c^2},

    with it Newton's method from above, from this root with c + alpha / pi, as :math:`d\mu_x/dk \ge -\alpha/\pi`.

    Parameters
    ----------
    g : array [MeV]
    C : array that broadcasts with g, coefficients of :func:`lattice_coefficient` [1]
    with_exchange : bool

    Returns
    -------
    Electrons, arrays of the common shape; NaN where g lies below what a lattice at zero pressure has
    """
    g, C = np.broadcast_arrays(np.asarray(g, dtype=float), C)
    c = 4 / 3 * C
    with np.errstate(invalid="ignore"):
        a = c + with_exchange * ALPHA / np.pi
        k = (a * g + np.sqrt(np.where(g > 0, g**2 - (1 - a**2) * M_E**2, np.nan))) / (1 - a**2)
        for _ in range(40 if with_exchange else 0):
            mu_x, _, dmu_x = exchange(k)
            E = np.sqrt(k**2 + M_E**2)
            step = (E + mu_x - c * k - g) / (k / E + dmu_x - c)
            k = k - step
            if not np.any(np.abs(step) > 1e-9 * k):
                break
        state = _at_momentum(k, C, with_exchange)
        ok = state.p > -1e-15
    return Electrons(*(np.where(ok, a, np.nan) for a in state))


def _at_momentum(k, C, with_exchange):
    """Electrons at the Fermi momentum k [MeV]."""
    mu_x, p_x, dmu_x = exchange(k) if with_exchange else (0.0, 0.0, 0.0)
    n_e, E = k**3 / (3 * np.pi**2 * HBARC**3), np.sqrt(k**2 + M_E**2)
    p = free_pressure(k) + p_x - C * k * n_e / 3
    return Electrons(k, E + mu_x - 4 / 3 * C * k, E + mu_x, n_e, p, n_e * (k / E - 4 / 3 * C + dmu_x))
