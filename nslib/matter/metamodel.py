"""Metamodel: nuclear matter by the expansion of E(n, 0) and E_sym(n) about saturation."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nslib.matter.nuclear import equation_of_state
from nslib.units import M_NUCLEON, RHO_0


class Metamodel(NamedTuple):
    """Parameters of the expansion [MeV]; rho_0 [fm^-3]; m the nucleon mass [MeV].

    Defaults are those of P. G. Krastev, Galaxies 10 (2022) 16 (arXiv:2112.04089).
    """

    L: float
    K_sym: float
    J_sym: float = 0.0
    S_0: float = 31.7
    E_0: float = -15.9
    K_0: float = 240.0
    J_0: float = 0.0
    rho_0: float = RHO_0
    m: float = M_NUCLEON


def symmetric_energy(n, q):
    r"""Energy per nucleon of symmetric matter without rest mass [MeV].

    .. math:: E_0 + \frac{K_0}{2}x^2 + \frac{J_0}{6}x^3, \qquad x = \frac{n - \rho_0}{3\rho_0}
    """
    x = (n - q.rho_0) / (3 * q.rho_0)
    return q.E_0 + q.K_0 / 2 * x**2 + q.J_0 / 6 * x**3


def symmetry_energy(n, q):
    r"""Symmetry energy [MeV].

    .. math:: E_\mathrm{sym} = S_0 + L x + \frac{K_\mathrm{sym}}{2}x^2 + \frac{J_\mathrm{sym}}{6}x^3
    """
    x = (n - q.rho_0) / (3 * q.rho_0)
    return q.S_0 + q.L * x + q.K_sym / 2 * x**2 + q.J_sym / 6 * x**3


def energy_density(n_n, n_p, q):
    r"""Energy density of neutrons and protons with rest mass.

    .. math:: \varepsilon = n\,[E(n, 0) + E_\mathrm{sym}(n)\,\delta^2 + m], \qquad \delta = (n_n - n_p)/n

    N.-B. Zhang, B.-A. Li and J. Xu, Astrophys. J. 859 (2018) 90.

    Parameters
    ----------
    n_n, n_p : arrays, neutron and proton density [fm^-3]
    q : Metamodel

    Returns
    -------
    array [MeV fm^-3]
    """
    n = n_n + n_p
    delta = (n_n - n_p) / n
    return n * (symmetric_energy(n, q) + symmetry_energy(n, q) * delta**2 + q.m)


#: densities of a core, 0.06 to 2 fm^-3, log-uniform [fm^-3]
DENSITIES = np.geomspace(0.06, 2.0, 160)


def eos(L, K_sym, *, n_b=None, muons=True, **others):
    """Core of neutrons, protons and leptons in beta equilibrium; join a crust to it before solving stars.

    Parameters
    ----------
    L, K_sym : floats, or (n_eos,) arrays for a batch [MeV]
    n_b : (n_row,) array, densities of the rows, by default ``DENSITIES`` [fm^-3]
    muons : bool, count muons
    **others : further parameters of :class:`Metamodel`, floats or (n_eos,) arrays

    Returns
    -------
    EOS, one or a batch. At low density its pressure may fall or be negative; a join begins above that.

    Raises
    ------
    ValueError
        a parameter that is not a finite number or is unknown, rho_0 or m not above 0, or densities that do not rise from above 0
    """
    q = Metamodel(**_numbers({"L": L, "K_sym": K_sym} | others))
    return equation_of_state(energy_density, q, DENSITIES if n_b is None else n_b, muons)


def _numbers(parameters):
    """The parameters as floats or arrays; ValueError for one that is unknown, text, or not finite."""
    out = {}
    for name, value in parameters.items():
        if name not in Metamodel._fields:
            raise ValueError(f"{name} is no parameter of the metamodel; it has {', '.join(Metamodel._fields)}")
        try:
            if isinstance(value, (str, bytes)):
                raise TypeError
            out[name] = value if isinstance(value, jax.core.Tracer) else jnp.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(f"{name} must be a number or an array of numbers [MeV], got {value!r}") from None
        if not isinstance(out[name], jax.core.Tracer) and out[name].ndim == 0 and not jnp.isfinite(out[name]):
            raise ValueError(f"{name} must be finite, got {value!r}")
        if name in ("rho_0", "m") and not isinstance(out[name], jax.core.Tracer) and jnp.any(out[name] <= 0):
            raise ValueError(f"{name} must be > 0, got {value!r}")
    return out
