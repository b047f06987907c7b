"""Data sets: parameter draws through the physics to labelled arrays, kept on disk by :mod:`nslib.chunks`."""

from nslib.datasets.skyrme import SkyrmeSet, skyrme_eos
from nslib.datasets.symmetry import (
    CAUSALITY,
    DENSITIES,
    FAMILY,
    Sequences,
    Status,
    sequences,
    symmetry_energy,
    symmetry_energy_curve,
)

__all__ = [
    "CAUSALITY", "DENSITIES", "FAMILY", "Sequences", "SkyrmeSet", "Status", "sequences", "skyrme_eos", "symmetry_energy", "symmetry_energy_curve",
]  # fmt: skip
