"""Masses of nuclei: conversions, tables side by side, liquid drop, Duflo-Zuker, combination of models."""

from nslib.masses.compare import check_columns, check_nuclides, complete, residuals, separation_energy
from nslib.masses.conversions import atomic_mass, binding_energy, electron_binding, mass_excess, nuclear_mass

__all__ = [
    "atomic_mass",
    "binding_energy",
    "check_columns",
    "check_nuclides",
    "complete",
    "electron_binding",
    "mass_excess",
    "nuclear_mass",
    "residuals",
    "separation_energy",
]
