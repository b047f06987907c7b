"""Spherical nuclei in the relativistic mean-field model: binding energies and charge radii."""

from nslib.nuclei.levels import NUCLEI, Level, Nucleus
from nslib.nuclei.solver import Nuclei, Status, solve

__all__ = ["NUCLEI", "Level", "Nuclei", "Nucleus", "Status", "solve"]
