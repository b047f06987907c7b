"""Published equations of state as they are distributed with LALSuite."""

import warnings
from functools import lru_cache
from importlib import metadata

import numpy as np
import pandas as pd

from nslib.units import MEV_FM3_G_CM3, MEV_FM3_KM2, MEV_FM3_PA

_PREFIX, _SUFFIX = "LALSimNeutronStarEOS_", ".dat"
#: number of columns: (column of eps and its unit, column of p and its unit) in MeV fm^-3
_LAYOUT = {
    2: ((1, 1e6 / MEV_FM3_KM2), (0, 1e6 / MEV_FM3_KM2)),  # p, eps [m^-2]
    9: ((2, 1 / MEV_FM3_G_CM3), (3, 0.1 / MEV_FM3_PA)),  # row, n_b [fm^-3], eps [g cm^-3], p [dyn cm^-2], ...
}


def lalsuite_table(name):
    """Energy density and pressure of one equation of state among the tables of LALSuite.

    Read from the installed distribution, by file; nothing of it is imported. Rows are sorted by pressure.
    ``EOS.from_table(**lalsuite_table("SLY4"))`` makes an EOS of it.

    Parameters
    ----------
    name : str, as in the name of the file, such as "SLY4", "APR4_EPP" or "BSK21"

    Returns
    -------
    pandas.DataFrame with columns eps, p [MeV fm^-3], both rising; ``attrs["file"]``, the name of the file

    Raises
    ------
    ImportError
        where LALSuite is not installed
    ValueError
        for an unknown name, or a file of unknown layout

    Warns
    -----
    UserWarning
        with the number of rows that were out of order, and of those that were left out because eps or p
        is not above 0 or does not rise.
    """
    paths = _files()
    if name not in paths:
        known = ", ".join(list(paths)[:8])
        raise ValueError(
            f"name must be one of the {len(paths)} tables of LALSuite ({known}, ...), got {name!r}"
        )
    raw = np.loadtxt(paths[name], ndmin=2)
    if raw.shape[1] not in _LAYOUT:
        raise ValueError(f"{name}: a file of {raw.shape[1]} columns, not of {' or '.join(map(str, _LAYOUT))}")
    eps, p = (raw[:, column] * unit for column, unit in _LAYOUT[raw.shape[1]])
    order = np.argsort(p, kind="stable")
    moved = int(np.sum(order != np.arange(len(p))))
    eps, p = eps[order], p[order]
    before = np.maximum.accumulate(np.stack([np.append(0.0, eps[:-1]), np.append(0.0, p[:-1])]), axis=1)
    keep = (eps > before[0]) & (p > before[1])
    if moved or not np.all(keep):
        left_out = int(np.sum(~keep))
        warnings.warn(
            f"{name}: {moved} of {len(p)} rows were out of order, {left_out} left out", stacklevel=2
        )
    table = pd.DataFrame({"eps": eps[keep], "p": p[keep]})
    table.attrs["file"] = paths[name].name
    return table


@lru_cache
def _files():
    """Paths of the tables by the name of the equation of state."""
    try:
        found = metadata.files("lalsuite") or []
    except metadata.PackageNotFoundError:
        raise ImportError("lalsuite is not installed; it comes with the dependency group 'test'") from None
    found = [f for f in found if f.name.startswith(_PREFIX) and f.name.endswith(_SUFFIX)]
    return {f.name.removeprefix(_PREFIX).removesuffix(_SUFFIX): f.locate() for f in found}
