"""The relativistic mean-field model: couplings, inversion from nuclear-matter parameters, uniform matter."""

from nslib.matter.rmf.core import DENSITIES, EndStatus, beta_equilibrium, equation_of_state
from nslib.matter.rmf.couplings import Couplings, NuclearMatter, published
from nslib.matter.rmf.fields import saturation, symmetry_energy, uniform
from nslib.matter.rmf.inversion import PRIOR, Inversion, Status, in_prior, invert

__all__ = [
    "DENSITIES", "PRIOR", "Couplings", "EndStatus", "Inversion", "NuclearMatter", "Status",
    "beta_equilibrium", "equation_of_state", "in_prior", "invert", "published", "saturation",
    "symmetry_energy", "uniform",
]  # fmt: skip
