"""Mass tables side by side: measured values joined to a model, residuals, separation energies."""

from numbers import Integral

import numpy as np
import pandas as pd

from nslib.masses.conversions import electron_binding
from nslib.units import M_E, M_N, M_P, M_U


def check_nuclides(Z, N):
    """Z and N as whole numbers.

    Parameters
    ----------
    Z, N : arrays that broadcast [1]

    Returns
    -------
    Z, N : int arrays

    Raises
    ------
    ValueError
        naming a number that is negative or not whole, or a nuclide without nucleons
    """
    Z, N = np.broadcast_arrays(np.asarray(Z, dtype=float), np.asarray(N, dtype=float))
    for name, a in (("Z", Z), ("N", N)):
        whole = np.isfinite(a) & (a == np.round(a)) & (a >= 0)
        if not np.all(whole):
            raise ValueError(f"{name} = {a[~whole].ravel()[0]:g}; it must be a whole number >= 0 (N = A - Z)")
    if not np.all(Z + N > 0):
        raise ValueError("Z = N = 0; a nuclide has at least one nucleon")
    return Z.astype(int), N.astype(int)


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
    known = measured.loc[~measured["extrapolated"].astype(bool), ["Z", "N", "mass_excess"]].assign(measured=True)
    both = pd.concat([known, model[["Z", "N", "mass_excess"]].assign(measured=False)])
    both = both.drop_duplicates(["Z", "N"], keep="first")
    return both.sort_values(["Z", "N"], ignore_index=True)


def residuals(measured, model, electron_shift=False):
    r"""Measured minus calculated masses, the quantity that a network learns.

    .. math:: \delta = \Delta_\mathrm{exp} - \Delta_\mathrm{th} \quad\left[- B_\mathrm{el}(Z)\right]

    The shift in brackets is an inconsistency, a calculated mass of the bare nucleus set against the measured
    one of the atom; it is offered because published residuals contain it.

    Parameters
    ----------
    measured : pandas.DataFrame with columns Z, N [1], mass_excess [MeV], as from
        :func:`nslib.tables.ame.select`; other columns are kept
    model : pandas.DataFrame with columns Z, N [1], mass_excess [MeV], as from
        :func:`nslib.tables.mass_models.mass_model`
    electron_shift : bool, subtract the binding energy of the electrons

    Returns
    -------
    pandas.DataFrame, ``measured`` in its order with the columns mass_excess_model, residual [MeV]

    Raises
    ------
    ValueError
        naming a nuclide of ``measured`` that the model does not have, a column that is missing, a nuclide
        that stands twice in one table
    """
    columns = ["Z", "N", "mass_excess"]
    check_columns("measured", measured, columns)
    check_columns("model", model, columns)
    if taken := {"mass_excess_model", "residual"} & set(measured):
        raise ValueError(f"measured has the columns {', '.join(sorted(taken))} already, which are added here")
    table = measured.merge(model[columns], on=["Z", "N"], how="left", suffixes=("", "_model"))
    outside = table[table["mass_excess_model"].isna()]
    if len(outside):
        Z, N = outside["Z"].iloc[0], outside["N"].iloc[0]
        raise ValueError(
            f"model has no mass of Z = {Z}, N = {N}, nor of {len(outside) - 1} other nuclides of measured; "
            "leave them out with measured.merge(model[['Z', 'N']])"
        )
    shift = electron_binding(table["Z"]) if electron_shift else 0.0
    return table.assign(residual=table["mass_excess"] - table["mass_excess_model"] - shift)


def separation_energy(masses, neutrons=1, protons=0):
    r"""Energy that takes nucleons away from a nucleus.

    .. math:: S = M(Z - z, N - n) + z\,(m_p + m_e) + n\,m_n - M(Z, N)

    of atoms, here by mass excesses: S_n by default, S_2n for ``neutrons=2``, S_p for ``neutrons=0, protons=1``.

    Parameters
    ----------
    masses : pandas.DataFrame with columns Z, N [1], mass_excess [MeV]
    neutrons, protons : int, how many of each are taken away, n and z

    Returns
    -------
    (n_row,) array [MeV] in the order of the table, NaN where the lighter nucleus is not in it

    Raises
    ------
    ValueError
        nothing is taken away, or less; a column that is missing; a nuclide that stands twice
    """
    whole = all(isinstance(n, Integral) and n >= 0 for n in (neutrons, protons))
    if not whole or neutrons + protons == 0:
        raise ValueError(f"neutrons and protons must be whole numbers >= 0, one > 0; got {neutrons} and {protons}")
    check_columns("masses", masses, ["Z", "N", "mass_excess"])
    own = masses[["Z", "N", "mass_excess"]]
    heavier = own.assign(Z=own["Z"] + protons, N=own["N"] + neutrons)
    lighter = own.merge(heavier, on=["Z", "N"], how="left", suffixes=("", "_lighter"))["mass_excess_lighter"]
    taken = neutrons * (M_N - M_U) + protons * (M_P + M_E - M_U)
    return lighter.to_numpy() + taken - own["mass_excess"].to_numpy()


def check_columns(name, table, columns):
    """ValueError unless the table has these columns, of numbers, and no nuclide twice; ``name`` is the argument named."""
    missing = [c for c in columns if c not in table]
    if missing:
        raise ValueError(f"{name} needs the columns {columns}, got {list(table)}")
    check_nuclides(*(pd.to_numeric(table[c], errors="coerce") if table[c].dtype == object else table[c] for c in ("Z", "N")))
    if not all(pd.api.types.is_numeric_dtype(table[c]) for c in ("Z", "N")):
        raise ValueError(f"{name}: Z and N must be columns of whole numbers, got {table['Z'].dtype} and {table['N'].dtype}")
    if "mass_excess" in columns:
        excess = table["mass_excess"]
        numeric = pd.api.types.is_numeric_dtype(excess)
        if not numeric or not np.all(np.isfinite(excess.to_numpy(dtype=float))):
            wrong = table[~np.isfinite(excess.to_numpy(dtype=float))] if numeric else table
            Z, N = wrong["Z"].iloc[0], wrong["N"].iloc[0]
            raise ValueError(f"{name}: mass_excess of Z = {Z}, N = {N} is {wrong['mass_excess'].iloc[0]}; it must be finite")
    if "extrapolated" in columns and not set(table["extrapolated"].unique()) <= {True, False}:
        raise ValueError(f"{name}: extrapolated must be True or False in each row, got {list(table['extrapolated'].unique())[:3]}")
    twice = table[table.duplicated(["Z", "N"])]
    if len(twice):
        Z, N = twice["Z"].iloc[0], twice["N"].iloc[0]
        raise ValueError(f"{name} has the nuclide Z = {Z}, N = {N} more than once; each may stand once")
