"""Measured binding energies and charge radii."""

from typing import NamedTuple

import numpy as np

from nslib.masses import binding_energy
from nslib.nuclei.levels import nucleus
from nslib.tables.ame import ame
from nslib.tables.radii import CHARGE_RADII


class Experiment(NamedTuple):
    """Measured ground states of k nuclei, (k,) arrays.

    nuclei : tuple of their names
    B : binding energy [MeV], the electrons' left in, as mass evaluations print it
    estimated : bool, whether B is not measured but estimated from its neighbours by the evaluation
    r_ch : charge radius [fm], NaN where it is not known
    """

    nuclei: tuple
    B: np.ndarray
    estimated: np.ndarray
    r_ch: np.ndarray


def experiment(nuclei):
    """Measured binding energies (AME2020) and charge radii (``nslib.tables.radii``).

    Parameters
    ----------
    nuclei : names in ``NUCLEI``, or pairs (Z, N)

    Returns
    -------
    Experiment

    Raises
    ------
    ValueError
        no nucleus, or one that is not in ``NUCLEI``
    """
    chosen = [nucleus(one) for one in ([nuclei] if isinstance(nuclei, str) else nuclei)]
    if not chosen:
        raise ValueError("nuclei must name at least one nucleus")
    table = ame(2020).set_index(["Z", "N"]).loc[[(one.Z, one.N) for one in chosen]]
    Z, N = (np.array(a) for a in zip(*table.index))
    B = binding_energy(Z, N, table["mass_excess"].to_numpy(), electrons=False)
    r_ch = np.array([CHARGE_RADII.get(one.name, (np.nan,))[0] for one in chosen])
    return Experiment(tuple(one.name for one in chosen), B, table["extrapolated"].to_numpy(), r_ch)
