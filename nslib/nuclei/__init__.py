"""Spherical nuclei in the relativistic mean-field model: binding energies and charge radii."""

from nslib.nuclei.experiment import Experiment, experiment
from nslib.nuclei.levels import NUCLEI, Level, Nucleus
from nslib.nuclei.solver import Nuclei, Status, solve

__all__ = ["NUCLEI", "Experiment", "Level", "Nuclei", "Nucleus", "Status", "experiment", "solve"]
