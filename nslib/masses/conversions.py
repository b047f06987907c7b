"""Masses of nuclei and atoms, binding energies, and what the electrons add.

Numbers go in by place, not by the labels of a pandas Series, and come out as NumPy arrays.
"""

import numpy as np

from nslib.units import M_E, M_N, M_P, M_U


def electron_binding(Z):
    r"""Total binding energy of the electrons of a neutral atom [MeV].

    .. math:: B_\mathrm{el} = 14.4381\,Z^{2.39} + 1.55468\times10^{-6}\,Z^{5.35}\ \mathrm{eV}

    D. Lunney, J. M. Pearson and C. Thibault, Rev. Mod. Phys. 75 (2003) 1021, equation A4.

    Parameters
    ----------
    Z : int or array, proton number [1]
    """
    (Z,) = _numbers(Z=Z)
    return (14.4381 * Z**2.39 + 1.55468e-6 * Z**5.35) * 1e-6


def _numbers(**given):
    """Arrays of floats that broadcast; ValueError for shapes that do not, and for Z or N below 0."""
    arrays = {name: np.asarray(a, dtype=float) for name, a in given.items()}
    try:
        np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        raise ValueError(f"arrays must be of one shape, got {shapes}") from None
    for name in ("Z", "N"):
        if name in arrays and np.any(arrays[name] < 0):
            raise ValueError(f"{name} must be >= 0, got {arrays[name].min():g}")
    return arrays.values()


def atomic_mass(Z, N, mass_excess):
    """Mass of the neutral atom, (Z + N) u + mass excess [MeV]; Z, N [1] and mass_excess [MeV] arrays of one shape."""
    Z, N, mass_excess = _numbers(Z=Z, N=N, mass_excess=mass_excess)
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
    Z, N, mass_excess = _numbers(Z=Z, N=N, mass_excess=mass_excess)
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
    Z, N, mass_excess = _numbers(Z=Z, N=N, mass_excess=mass_excess)
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
    Z, N, binding = _numbers(Z=Z, N=N, binding=binding)
    return Z * (M_P + M_E) + N * M_N - (Z + N) * M_U - binding - electrons * electron_binding(Z)
