"""Masses of nuclei and atoms, binding energies, and what the electrons add."""

from nslib.units import M_E, M_N, M_P, M_U


def electron_binding(Z):
    r"""Total binding energy of the electrons of a neutral atom [MeV].

    .. math:: B_\mathrm{el} = 14.4381\,Z^{2.39} + 1.55468\times10^{-6}\,Z^{5.35}\ \mathrm{eV}

    D. Lunney, J. M. Pearson and C. Thibault, Rev. Mod. Phys. 75 (2003) 1021, equation A4.

    Parameters
    ----------
    Z : int or array, proton number [1]
    """
    return (14.4381 * Z**2.39 + 1.55468e-6 * Z**5.35) * 1e-6


def atomic_mass(Z, N, mass_excess):
    """Mass of the neutral atom, (Z + N) u + mass excess [MeV]; Z, N [1] and mass_excess [MeV] arrays of one shape."""
    return (Z + N) * M_U + mass_excess


def nuclear_mass(Z, N, mass_excess, electrons=True):
    r"""Mass of the bare nucleus.

    .. math:: M(Z, N) = (Z + N)\,u + \Delta - Z m_e + B_\mathrm{el}(Z)

    Parameters
    ----------
    Z, N : arrays of one shape [1]
    mass_excess : array, mass excess of the neutral atom [MeV]
    electrons : bool, count the binding energy of the electrons

    Returns
    -------
    array [MeV]
    """
    return atomic_mass(Z, N, mass_excess) - Z * M_E + electrons * electron_binding(Z)


def binding_energy(Z, N, mass_excess, electrons=True):
    r"""Binding energy of the nucleus.

    .. math:: B(Z, N) = Z m_p + N m_n - M(Z, N)

    Parameters
    ----------
    Z, N : arrays of one shape [1]
    mass_excess : array, mass excess of the neutral atom [MeV]
    electrons : bool; True: the electrons' binding is taken out. False: it stays in, as in the binding
        energies that mass evaluations print (there against hydrogen atoms, 13.6 eV a proton apart)

    Returns
    -------
    array [MeV], positive for a bound nucleus
    """
    return Z * M_P + N * M_N - nuclear_mass(Z, N, mass_excess, electrons)


def mass_excess(Z, N, binding, electrons=True):
    """Mass excess of the neutral atom [MeV] of a nucleus of the given binding energy: the inverse of
    :func:`binding_energy`.

    Parameters
    ----------
    Z, N : arrays of one shape [1]
    binding : array, binding energy [MeV]
    electrons : bool, as in :func:`binding_energy`
    """
    return Z * (M_P + M_E) + N * M_N - (Z + N) * M_U - binding - electrons * electron_binding(Z)
