"""Masses of nuclei and atoms: conversions, and measured values joined to a model."""

import pandas as pd

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


def complete(measured, model):
    """Measured masses where there are any, the model's elsewhere.

    Parameters
    ----------
    measured : pandas.DataFrame with columns Z, N [1], mass_excess [MeV], extrapolated [bool], as from
        :func:`nslib.tables.ame.ame`; extrapolated rows do not count as measured
    model : pandas.DataFrame with columns Z, N [1], mass_excess [MeV], as from
        :func:`nslib.tables.mass_models.mass_model`

    Returns
    -------
    pandas.DataFrame with columns Z, N, mass_excess [MeV], measured [bool], ordered by Z and N. Measured
    nuclides outside the model are kept.

    Raises
    ------
    ValueError
        naming a column that is missing, or a nuclide that stands twice in one table
    """
    for name, table, columns in (
        ("measured", measured, ["Z", "N", "mass_excess", "extrapolated"]),
        ("model", model, ["Z", "N", "mass_excess"]),
    ):
        check_columns(name, table, columns)
    known = measured.loc[~measured["extrapolated"], ["Z", "N", "mass_excess"]].assign(measured=True)
    both = pd.concat([known, model[["Z", "N", "mass_excess"]].assign(measured=False)])
    both = both.drop_duplicates(["Z", "N"], keep="first")
    return both.sort_values(["Z", "N"], ignore_index=True)


def check_columns(name, table, columns):
    """ValueError unless the table has these columns and no nuclide twice; ``name`` is the argument named."""
    missing = [c for c in columns if c not in table]
    if missing:
        raise ValueError(f"{name} needs the columns {columns}, got {list(table)}")
    twice = table[table.duplicated(["Z", "N"])]
    if len(twice):
        Z, N = twice["Z"].iloc[0], twice["N"].iloc[0]
        raise ValueError(f"{name} has the nuclide Z = {Z}, N = {N} more than once; each may stand once")
