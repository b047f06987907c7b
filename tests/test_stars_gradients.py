"""Derivatives of stars to the parameters of their matter, through core, join, family and star of 1.4 Msun.

Bar: 1e-7 of the larger of the derivative and value / prior width, against Richardson central differences. The
steps are 1e-4 of the prior width: over wider ones a Runge-Kutta node crosses a row of the table, where the discrete
solution has a kink of about 1e-7.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib import crust, stars
from nslib.matter import metamodel
from nslib.matter.eos import EOS

#: value and prior width of each parameter [MeV]
PARAMETERS = {"L": (58.7, 20.0), "K_sym": (-100.0, 100.0), "J_sym": (0.0, 300.0), "S_0": (31.7, 2.0),
              "K_0": (240.0, 20.0), "J_0": (0.0, 200.0), "E_0": (-15.9, 0.4)}  # fmt: skip
VALUES, WIDTHS = np.transpose(list(PARAMETERS.values()))


def star_of(parameters):
    """R [km] and Lambda at 1.4 Msun, and M_max [Msun], for the metamodel with the join held at 0.08 fm^-3."""
    eos = crust.join(metamodel.eos(**dict(zip(PARAMETERS, parameters))), n_join=0.08)
    family = stars.family(eos)
    star = family.at_mass(1.4)
    return jnp.stack([star.R, star.Lambda, family.M_max])


@pytest.fixture(scope="module")
def forward():
    return np.asarray(jax.jacfwd(star_of)(jnp.asarray(VALUES)))


def central(function, x, step):
    """Derivative of function at x along the vector ``step``, per length of it, of fourth order."""
    one, half = (
        (np.asarray(function(x + h * step)) - np.asarray(function(x - h * step))) / (2 * h)
        for h in (1.0, 0.5)
    )
    return (4 * half - one) / 3


def test_forward_against_differences(forward):
    value = np.asarray(star_of(VALUES))
    for i, name in enumerate(PARAMETERS):
        h = 1e-4 * WIDTHS[i]
        found = central(star_of, VALUES, h * np.eye(len(VALUES))[i]) / h
        bar = 1e-7 * np.maximum(np.abs(forward[:, i]), np.abs(value) / WIDTHS[i])
        assert np.all(np.abs(forward[:, i] - found) < bar), (name, (forward[:, i] - found) / bar * 1e-7)


def test_signs(forward):
    """A stiffer symmetry energy makes larger, more deformable stars: J. M. Lattimer and M. Prakash (2001)."""
    dL = forward[:, list(PARAMETERS).index("L")]
    assert dL[0] > 0 and dL[1] > 0


def test_reverse_is_forward(forward):
    weights = jnp.array([1.0, 0.01, 1.0])
    reverse = jax.grad(lambda x: star_of(x) @ weights)(jnp.asarray(VALUES))
    np.testing.assert_allclose(reverse, np.asarray(weights) @ forward, rtol=1e-9)


def hybrid(log_factor):
    """Matter with a jump of eps by exp(log_factor) at 60 MeV fm^-3."""
    low, high = np.geomspace(1e-13, 60.0, 300), np.geomspace(60.0, 2000.0, 300)
    low[-1] = high[0] = 60.0
    eps = jnp.append(
        np.sqrt(2300 * low) + low, (np.sqrt(2300 * 60.0) + 60.0) * jnp.exp(log_factor) + high - 60.0
    )
    return EOS(eps, jnp.append(low, high))


def test_jumps_are_found_under_differentiation():
    """The first star of a family has p_c = p_min, here above the jump; differences are those of stars.solve."""

    def first(log_factor):
        family = stars.family(hybrid(log_factor), p_min=80.0)
        return jnp.stack([family.mass[0], family.radius[0], family.tidal[0]])

    forward = np.asarray(jax.jacfwd(first)(0.1))
    found = central(lambda x: jnp.concatenate(stars.solve(hybrid(x), [80.0])[0]), 0.1, 1e-4) / 1e-4
    np.testing.assert_allclose(forward, found, rtol=1e-6)
