"""Data sets on disk: parameter draws through the physics to labelled arrays, in chunks that can be resumed.

A chunk is a pure function of its index and the settings, seed included. It is written to a folder of its own
and moved into place whole, so that an interrupted run resumes where it stopped and ends with the same bytes.
"""

import hashlib
import json
import math
import os
import shutil
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import jax
import numpy as np

import nslib
from nslib import crust, stars
from nslib.matter import metamodel
from nslib.units import RHO_0

#: densities of the E_sym labels, 100 points from 0.5 to 5 rho_0 [fm^-3]
DENSITIES = np.linspace(0.5, 5.0, 100) * RHO_0
#: raw draws of a chunk, and equations of state whose sequences are solved at a time
RAW, BLOCK = 2048, 128
#: settings of the first pass over all draws, for M_max, and of the second over the accepted ones, for sequences
SURVEY = {"n_star": 4, "steps": 64, "rows": 256, "p_min": 8.0}
SEQUENCE = {"n_star": 40, "steps": 100, "rows": 512, "p_min": 8.0}
CAUSALITY = ("truncated", "strict")
_UNITS = {"L": "MeV", "K_sym": "MeV", "mass": "Msun", "R": "km", "Lambda": "1", "E_sym": "MeV", "draws": "MeV", "status": "1"}


class Status(IntEnum):
    """What became of a draw."""

    ACCEPTED = 0
    NO_CROSSING = 1
    P_FALLS = 2
    NOT_SOLVED = 3
    TOO_LIGHT = 4
    ACAUSAL = 5

    @property
    def sentence(self):
        """The status in words."""
        return {
            Status.ACCEPTED: "accepted",
            Status.NO_CROSSING: "the pressure of the core stays below that of the crust",
            Status.P_FALLS: "the pressure falls with density above the crust",
            Status.NOT_SOLVED: "no sequence of stars could be solved",
            Status.TOO_LIGHT: "the maximum mass is below M_max_min",
            Status.ACAUSAL: "the sound speed exceeds that of light before the mass required is reached",
        }[self]


@dataclass(frozen=True)
class Sequences:
    """Accepted equations of state with stars on each; ``data[:1000]`` is the first thousand.

    Attributes
    ----------
    L, K_sym : (n,) arrays [MeV]
    mass, R, Lambda : (n, n_points) arrays, gravitational mass [Msun], radius [km], tidal deformability [1]
    E_sym : (n, 100) array, symmetry energy at ``DENSITIES`` [MeV]
    draws : (n_raw, 2) array, L and K_sym of every draw [MeV]
    status : (n_raw,) array of :class:`Status`
    """

    L: np.ndarray
    K_sym: np.ndarray
    mass: np.ndarray
    R: np.ndarray
    Lambda: np.ndarray
    E_sym: np.ndarray
    draws: np.ndarray
    status: np.ndarray

    def __len__(self):
        return len(self.L)

    def __getitem__(self, rows):
        """The accepted members ``rows`` (a slice or an index array); draws and status stay whole."""
        names = ("L", "K_sym", "mass", "R", "Lambda", "E_sym")
        return Sequences(*(getattr(self, name)[rows] for name in names), self.draws, self.status)

    @property
    def counts(self):
        """How many draws had each status: dict of Status to int."""
        return {s: int(np.sum(self.status == s)) for s in Status}


# ---- physics --------------------------------------------------------------------------------------------------


def symmetry_energy_curve(L, K_sym):
    """E_sym (..., 100) [MeV] at ``DENSITIES`` for L, K_sym (...) [MeV], the rest as in the metamodel's defaults."""
    q = metamodel.Metamodel(np.asarray(L)[..., None], np.asarray(K_sym)[..., None])
    return metamodel.symmetry_energy(DENSITIES, q)


def equations_of_state(L, K_sym):
    """Metamodel cores of L, K_sym (n,) [MeV] in beta equilibrium, joined to the standard crust: EOS batch."""
    return crust.join(metamodel.eos(L=L, K_sym=K_sym))


def classify(eos, M_max_min, causality):
    """Status of each member of a batch.

    "truncated": the sequence ends where cs2 = 1 and must have reached M_max_min; "strict": M_max must be at
    least M_max_min and cs2 <= 1 up to the centre of that star.

    Parameters
    ----------
    eos : EOS batch, with the status of its joins
    M_max_min : float [Msun]
    causality : "truncated" or "strict"

    Returns
    -------
    (n_eos,) int array of :class:`Status`
    """
    full = stars.family(eos, **SURVEY)
    heavy = np.asarray(full.M_max) >= M_max_min
    if causality == "truncated":
        causal = np.asarray(stars.family(eos, causal=True, **SURVEY).M_max) >= M_max_min
    else:
        causal = np.asarray(full.p_max) <= np.asarray(full.p_causal)
    join = np.asarray(eos.status)
    solved = np.asarray(full.status) < int(stars.Status.NOT_FINITE)
    tests = (
        (join == int(crust.JoinStatus.NO_CROSSING), Status.NO_CROSSING),
        (join != int(crust.JoinStatus.OK), Status.P_FALLS),
        (~solved, Status.NOT_SOLVED),
        (~heavy, Status.TOO_LIGHT),
        (~causal, Status.ACAUSAL),
    )
    return np.select([wrong for wrong, _ in tests], [int(code) for _, code in tests], int(Status.ACCEPTED))
