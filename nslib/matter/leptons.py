"""Cold free electrons and muons as relativistic Fermi gases."""

import jax.numpy as jnp

from nslib.units import HBARC, M_E, M_MU


def number_density(mu, m):
    r"""Number density of a free lepton gas, n = (mu^2 - m^2)^{3/2} / (3 pi^2 (hbar c)^3) above threshold, else 0.

    Parameters
    ----------
    mu : array, chemical potential with rest mass [MeV]
    m : float, lepton mass [MeV]

    Returns
    -------
    array like mu [fm^-3]
    """
    k2 = jnp.where(mu > m, mu**2 - m**2, 0.0)
    k2 = jnp.where(k2 > 0, k2, 1.0)
    return jnp.where(mu > m, k2**1.5, 0.0) / (3 * jnp.pi**2 * HBARC**3)


def fermi_momentum(n):
    """Fermi momentum hbar c k_F = hbar c (3 pi^2 n)^{1/3} [MeV] at the number density n [fm^-3]."""
    return HBARC * (3 * jnp.pi**2 * n) ** (1 / 3)


def energy_density(k, m):
    r"""Energy density with rest mass of a free lepton gas of Fermi momentum k.

    .. math:: \varepsilon = \frac{k E (2k^2 + m^2) - m^4 \operatorname{arsinh}(k/m)}{8 \pi^2 (\hbar c)^3},
              \qquad E = \sqrt{k^2 + m^2}

    Parameters
    ----------
    k : array, Fermi momentum [MeV]
    m : float, lepton mass [MeV]

    Returns
    -------
    array like k [MeV fm^-3]
    """
    x = k / m
    chi = x * jnp.sqrt(1 + x**2) * (1 + 2 * x**2) - jnp.arcsinh(x)
    return m**4 * jnp.where(x > 0.02, chi, 8 / 3 * x**3 + 4 / 5 * x**5 - 1 / 7 * x**7) / (8 * jnp.pi**2 * HBARC**3)


def pressure(k, m):
    r"""Pressure of a free lepton gas of Fermi momentum k.

    .. math:: p = \frac{k E (2k^2/3 - m^2) + m^4 \operatorname{arsinh}(k/m)}{8 \pi^2 (\hbar c)^3}

    Parameters
    ----------
    k : array, Fermi momentum [MeV]
    m : float, lepton mass [MeV]

    Returns
    -------
    array like k [MeV fm^-3]. Below x = k/m = 0.05 the series 8x^5/15 - 4x^7/21 + x^9/9 avoids cancellation.
    """
    x = k / m
    phi = x * jnp.sqrt(1 + x**2) * (2 / 3 * x**2 - 1) + jnp.arcsinh(x)
    small = 8 / 15 * x**5 - 4 / 21 * x**7 + x**9 / 9
    return m**4 * jnp.where(x > 0.05, phi, small) / (8 * jnp.pi**2 * HBARC**3)


def momentum(mu, m):
    """Fermi momentum sqrt(mu^2 - m^2) [MeV] at the chemical potential mu [MeV], zero below threshold."""
    k2 = jnp.where(mu > m, mu**2 - m**2, 1.0)
    return jnp.where(mu > m, jnp.sqrt(k2), 0.0)


def charge_density(mu_e, muons=True):
    """Number density [fm^-3] of electrons, and of muons with mu_mu = mu_e, at mu_e [MeV]."""
    n = number_density(mu_e, M_E)
    return n + number_density(mu_e, M_MU) if muons else n


def total_energy_density(mu_e, muons=True):
    """Energy density [MeV fm^-3] of electrons, and of muons with mu_mu = mu_e, at mu_e [MeV]."""
    eps = energy_density(momentum(mu_e, M_E), M_E)
    return eps + energy_density(momentum(mu_e, M_MU), M_MU) if muons else eps
