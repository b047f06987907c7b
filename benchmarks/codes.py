"""Codes that make stars of a table, each wrapped alike: ``make(eps, p)`` gives ``run(p_c) -> M, R, Lambda``.

eps and p are columns [MeV fm^-3], p_c an array of central pressures [MeV fm^-3]; M [Msun], R [km], Lambda [1].
"""

import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import PchipInterpolator

from nslib import stars
from nslib.matter.eos import EOS
from nslib.stars import structure
from nslib.units import MEV_FM3_G_CM3, MEV_FM3_KM2, MEV_FM3_PA, MSUN_KM

#: equations of state solved at once in the batches of nslib: the table with eps scaled by up to 2 %
N_EOS = 40
SCALES = np.linspace(1.0, 1.02, N_EOS)


def nslib_batch(steps, rows, with_table):
    """``make`` for batches of N_EOS tables; ``run`` solves all and returns the stars of the first, the one given."""

    def prepare(eps, p, p_c):
        c = structure.curve(p, eps)
        return structure.tabulate(c, rows, jnp.zeros(0, int)), structure.enthalpy(c, jnp.log(p_c))

    def solve(table, h_c):
        return structure.stars(table, h_c, steps)

    prepare_all = jax.jit(jax.vmap(prepare, in_axes=(0, None, None)))
    solve_all = jax.jit(jax.vmap(solve))
    whole = jax.jit(jax.vmap(lambda eps, p, p_c: solve(*prepare(eps, p, p_c)), in_axes=(0, None, None)))

    def make(eps, p):
        all_eps, p, ready = jnp.asarray(eps * SCALES[:, None]), jnp.asarray(p), {}

        def run(p_c):
            if with_table:
                out = whole(all_eps, p, jnp.asarray(p_c))
            else:
                if len(p_c) not in ready:
                    ready[len(p_c)] = jax.block_until_ready(prepare_all(all_eps, p, jnp.asarray(p_c)))
                out = solve_all(*ready[len(p_c)])
            return tuple(np.asarray(a)[0] for a in jax.block_until_ready(out))

        return run

    return make


def nslib_single(eps, p):
    """One star a call of :func:`nslib.stars.solve`: what dispatching from Python costs."""
    eos = EOS.from_table(eps=eps, p=p)
    return lambda p_c: tuple(np.concatenate(a) for a in zip(*(stars.solve(eos, [x])[0] for x in p_c)))


def lalsimulation(eps, p):
    """LALSimulation at its default tolerance, one star a call, from a file of p and eps [m^-2]."""
    import lal
    import lalsimulation as sim

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "eos.dat"
        np.savetxt(path, np.transpose([p, eps]) * MEV_FM3_KM2 * 1e-6, fmt="%.16e")
        eos = sim.SimNeutronStarEOSFromFile(str(path))

    def run(p_c):
        R, M, k2 = np.transpose([sim.SimNeutronStarTOVODEIntegrate(x * MEV_FM3_PA, eos) for x in p_c])
        M = M / lal.MSUN_SI
        return M, R / 1e3, 2 / 3 * k2 * (R / (M * lal.MRSUN_SI)) ** 5

    return run


def jester(eps, p):
    """jesterTOV as its construct_family calls it: jit and vmap over the stars of one equation of state."""
    from jesterTOV import tov, utils
    from jesterTOV.eos import Interpolate_EOS_model

    _, ps, hs, es, slope = Interpolate_EOS_model().interpolate_eos(
        jnp.asarray(eps) / 939, jnp.asarray(p), jnp.asarray(eps)
    )
    eos = {"p": ps, "h": hs, "e": es, "dloge_dlogp": slope}
    solve = jax.jit(jax.vmap(lambda x: tov.tov_solver(eos, x)))

    def run(p_c):
        M, R, k2 = (np.asarray(a) for a in solve(jnp.asarray(p_c) * utils.MeV_fm_inv3_to_geometric))
        return M / utils.solar_mass_in_meter, R / 1e3, 2 / 3 * k2 * (R / M) ** 5

    return run


def compactobject(eps, p):
    """CompactObject-TOV, solveTOV_tidal, one star a call, started from the energy density at p_c."""
    from TOVsolver import unit
    from TOVsolver.solver_code import solveTOV_tidal

    columns = eps * MEV_FM3_G_CM3 * unit.g_cm_3, p * MEV_FM3_PA * 10 * unit.dyn_cm_2
    central = PchipInterpolator(np.log(p), np.log(eps))

    def run(p_c):
        eps_c = np.exp(central(np.log(p_c))) * MEV_FM3_G_CM3 * unit.g_cm_3
        M, R, Lambda = np.transpose([solveTOV_tidal(x, *columns) for x in eps_c])
        return M / unit.Msun, R / unit.km, Lambda

    return run


def scipy_lsoda(eps, p):
    """The structure equations typed in r, LSODA with rtol 1e-6, down to p = 1e-12 km^-2."""
    curve = PchipInterpolator(np.log(p), np.log(eps))
    slope = curve.derivative()

    def rhs(r, s):
        P, m, y = s
        x = np.log(max(P, 1e-15) / MEV_FM3_KM2)
        E = np.exp(curve(x)) * MEV_FM3_KM2
        A = 1 / (1 - 2 * m / r)
        fall = (m + 4 * np.pi * r**3 * P) / r**2 * A
        Q = 4 * np.pi * r**2 * A * (5 * E + 9 * P + (E + P) * E / P * slope(x)) - 6 * A - (2 * r * fall) ** 2
        return (
            -(E + P) * fall,
            4 * np.pi * r**2 * E,
            -(y**2 + y * A * (1 - 4 * np.pi * r**2 * (E - P)) + Q) / r,
        )

    def surface(r, s):
        return s[0] - 1e-12

    surface.terminal = True

    def run(p_c):
        out = []
        for x in p_c:
            r, P, E = 1e-3, x * MEV_FM3_KM2, np.exp(curve(np.log(x))) * MEV_FM3_KM2
            start = (P, 4 / 3 * np.pi * r**3 * E, 2.0)
            end = solve_ivp(rhs, (r, 40.0), start, method="LSODA", rtol=1e-6, atol=1e-12, events=surface)
            R, (_, m, y) = end.t[-1], end.y[:, -1]
            out.append((m / MSUN_KM, R, float(structure.deformability(jnp.asarray(m / R), jnp.asarray(y)))))
        return np.transpose(out)

    return run


#: name: (make, stars a call has in common, stars timed a turn)
CODES = {
    "nslib, default": (nslib_batch(100, 512, True), f"{N_EOS} tables of 50", 50),
    "nslib, default, tables ready": (nslib_batch(100, 512, False), f"{N_EOS} tables of 50", 50),
    "nslib, accurate": (nslib_batch(512, 2048, True), f"{N_EOS} tables of 50", 50),
    "nslib, one call a star": (nslib_single, "1", 10),
    "LALSimulation": (lalsimulation, "1", 50),
    "jester": (jester, "50", 50),
    "SciPy LSODA": (scipy_lsoda, "1", 5),
    "CompactObject": (compactobject, "1", 2),
}
