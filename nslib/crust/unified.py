"""The standard crust: outer crust from measured and calculated masses, inner crust and outer core with SLy4."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from nslib.crust.inner import inner_crust, uniform_matter
from nslib.crust.outer import outer_crust
from nslib.masses import complete
from nslib.matter.eos import EOS
from nslib.tables.ame import ame
from nslib.tables.mass_models import mass_model


@lru_cache
def sly4():
    """Cold catalysed matter from 1e-14 MeV fm^-3, in the outer crust, to 0.2 fm^-3, in the outer core.

    Outer crust to 2.58e-4 fm^-3: AME2020 where measured, Duflo-Zuker elsewhere; its jumps of density, 0.6 to
    4.4 %, are each spread over a row. Inner crust: SLy4 drops, from the pressure of neutron drip, where their mu stands
    0.043 MeV above m_n (4.5e-5 of mu) and their density 3e-4 below. Core: SLy4 matter of n, p, e and muons
    from 0.082 fm^-3; there n_b jumps by 0.7 % at equal p and mu, spread over a row. Computed once.

    Returns
    -------
    EOS with n_b, mu_b and cs2; eps, p and n_b rise strictly
    """
    with jax.ensure_compile_time_eval():  # so that the first call may come from under a transformation
        return _sly4()


def _sly4():
    outer = outer_crust(complete(ame(2020), mass_model("DZ"))).table(72)
    inner = inner_crust()
    drip = np.flatnonzero((inner.p > outer.p[-1]) & (inner.n_b > outer.n_b[-1]))[::-4][::-1]
    n, core = uniform_matter()
    above = np.flatnonzero(n > inner.n_core)[::2]
    columns = {
        "n_b": (outer.n_b, inner.n_b[drip], n[above]),
        "eps": (outer.eps, inner.eps[drip], core.eps[above]),
        "p": (outer.p, inner.p[drip], core.p[above]),
        "mu_b": (outer.mu, inner.mu[drip], core.mu_b[above]),
        "cs2": (outer.cs2, inner.cs2[drip], core.cs2[above]),
    }
    return EOS(**{name: jnp.asarray(np.concatenate(parts)) for name, parts in columns.items()})
