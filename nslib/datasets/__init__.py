"""Data sets: parameter draws through the physics to labelled arrays, kept on disk by :mod:`nslib.chunks`."""

from nslib.datasets.cores import CoreSet, core_draws
from nslib.datasets.mass_curves import PARAMETERS, Curves, curves, star_curves
from nslib.datasets.nuclei import FIVE, Admissibility, NucleiSet, admissibility, finite_nuclei, nuclei_of
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
    "CAUSALITY", "DENSITIES", "FAMILY", "FIVE", "PARAMETERS", "Admissibility", "CoreSet", "Curves", "NucleiSet", "Sequences", "SkyrmeSet", "Status", "admissibility",
    "core_draws", "curves", "finite_nuclei", "nuclei_of", "sequences", "skyrme_eos", "star_curves", "symmetry_energy", "symmetry_energy_curve",
]  # fmt: skip
