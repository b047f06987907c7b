"""Stars: structure and tides for a batch of equations of state, families, binaries."""

from nslib.stars.binary import chirp_mass, lambda_tilde
from nslib.stars.family import ACCURATE, DEFAULT, Family, Status, family, solve
from nslib.stars.structure import Flag, Star

__all__ = ["ACCURATE", "DEFAULT", "Family", "Flag", "Star", "Status", "chirp_mass", "family", "lambda_tilde", "solve"]
