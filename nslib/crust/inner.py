"""Inner crust: spherical liquid drops, dripped neutrons and electrons in Wigner-Seitz cells, with SLy4.

A cell holds one drop of radius r, density n_i and proton fraction x, neutrons of density n_o outside and
uniform electrons; the energy at fixed baryon density is stationary in (n_i, x, r, n_o). Shell effects,
pairing, a neutron skin and shapes other than spheres are left out.
"""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, least_squares

from nslib.masses import nuclear_mass
from nslib.matter import leptons, nuclear, skyrme
from nslib.tables.ame import ame
from nslib.units import E2, M_E, M_N, M_P

#: SLy4 with the measured rest masses, so that drip is where mu = m_n of the outer crust
SLY4 = skyrme.SLY4._replace(m_n=M_N, m_p=M_P)

#: n_o^(1/3) of the first row and of the last that is tried [fm^-1]; number of rows
K_DRIP, K_END, N_ROW = 1e-3, 0.43, 257


class Surface(NamedTuple):
    """Parameters of the drop's surface: sigma_0 [MeV fm^-2], b [1], sigma_c [MeV fm^-1], beta [1]."""

    sigma_0: float
    b: float
    sigma_c: float
    beta: float


#: SLy4 drops fitted to the 2457 measured masses of AME2020 with Z, N >= 8, rms 3.39 MeV: :func:`fit_surface`
SURFACE = Surface(sigma_0=0.9016, b=15.13, sigma_c=1.730, beta=0.758)


class InnerCrust(NamedTuple):
    """Rows from neutron drip to the core, each an (n_row,) array.

    n_b [fm^-3], eps, p [MeV fm^-3], mu [MeV], cs2 [c^2]; inside the drop n_i [fm^-3], x [1] and its radius
    r [fm]; outside n_o [fm^-3]; u [1] the fraction of the cell's volume that the drop fills; Z, A [1] the
    protons and nucleons in the drop. ``n_core`` [fm^-3] is the density of the uniform matter that is in
    equilibrium with the last row.
    """

    n_b: np.ndarray
    eps: np.ndarray
    p: np.ndarray
    mu: np.ndarray
    cs2: np.ndarray
    n_i: np.ndarray
    x: np.ndarray
    r: np.ndarray
    n_o: np.ndarray
    u: np.ndarray
    Z: np.ndarray
    A: np.ndarray
    n_core: float


def surface_tension(x, s):
    r"""Surface tension of a drop of proton fraction x [MeV fm^-2].

    .. math:: \sigma(x) = \sigma_0 \frac{2^{p+1} + b}{x^{-p} + b + (1-x)^{-p}}, \qquad p = 3

    D. G. Ravenhall, C. J. Pethick and J. M. Lattimer, Nucl. Phys. A 407 (1983) 571.

    Parameters
    ----------
    x : array, 0 < x < 1 [1]
    s : Surface
    """
    return s.sigma_0 * (16 + s.b) / (x**-3 + s.b + (1 - x) ** -3)


def drop_surface(x, r, s):
    r"""Surface and curvature energy of a drop for each unit of its volume [MeV fm^-3].

    .. math:: \frac{3\sigma(x)}{r} + \frac{6\sigma(x)}{r^2}\frac{\sigma_c}{\sigma_0}(\beta - x)

    The curvature is that of W. G. Newton, M. Gearheart and B.-A. Li, Astrophys. J. Suppl. 204 (2013) 9.

    Parameters
    ----------
    x, r : arrays, proton fraction [1] and radius [fm]
    s : Surface
    """
    return surface_tension(x, s) / r * (3 + 6 * s.sigma_c / s.sigma_0 * (s.beta - x) / r)


def drop_mass(Z, A, n_i, s):
    r"""Mass of an isolated spherical drop [MeV], with :math:`r = (3A / 4\pi n_i)^{1/3}`, :math:`x = Z/A`.

    .. math:: \frac{A}{n_i}\left[\mathcal H(n_i, x) + \epsilon_\mathrm{surf}(x, r)\right] + \frac35\frac{Z^2e^2}{r}

    Parameters
    ----------
    Z, A : arrays [1]
    n_i : array, density inside [fm^-3]
    s : Surface
    """
    x, r = Z / A, (3 * A / (4 * jnp.pi * n_i)) ** (1 / 3)
    bulk = skyrme.energy_density(n_i * (1 - x), n_i * x, SLY4)
    return A / n_i * (bulk + drop_surface(x, r, s)) + 0.6 * Z**2 * E2 / r


@jax.jit
def equilibrium_mass(Z, A, s):
    """Mass [MeV] of isolated drops at the density that makes it least; Z, A (n,) arrays, s a Surface."""

    def one(Z, A):
        slope = jax.grad(drop_mass, argnums=2)

        def newton(_, n):
            return n - slope(Z, A, n, s) / jax.grad(slope, argnums=2)(Z, A, n, s)

        return drop_mass(Z, A, jax.lax.fori_loop(0, 12, newton, 0.155), s)

    return jax.vmap(one)(Z, A)


def fit_surface(year=2020):
    """Surface parameters that bring SLy4 drops closest to measured nuclear masses.

    Unweighted least squares over the measured nuclei with Z, N >= 8 of one evaluation. Without the
    curvature term (sigma_c = 0) the rms is 10.4 MeV and the drops of the inner crust have Z = 31, not 39.

    Parameters
    ----------
    year : int, Atomic Mass Evaluation

    Returns
    -------
    (Surface, float) : the parameters, and the rms of the residuals [MeV]
    """
    table = ame(year)
    table = table[~table["extrapolated"] & (table["Z"] >= 8) & (table["N"] >= 8)]
    Z, N, excess = (table[c].to_numpy(dtype=float) for c in ("Z", "N", "mass_excess"))
    measured = nuclear_mass(Z, N, excess)

    def residual(q):
        return np.asarray(equilibrium_mass(Z, Z + N, Surface(*q))) - measured

    fit = least_squares(residual, [1.0, 20.0, 0.5, 1.0], x_scale=[1, 10, 1, 1])
    return Surface(*map(float, fit.x)), float(np.sqrt(np.mean(fit.fun**2)))


def cell_energy(n_b, n_i, x, r, n_o, s):
    r"""Energy density of a Wigner-Seitz cell [MeV fm^-3].

    .. math::
        \varepsilon = u\left[\mathcal H(n_i, x) + \epsilon_\mathrm{surf}(x, r)
        + \tfrac45\pi e^2 (x n_i r)^2 D(u)\right] + (1-u)\,\mathcal H(n_o, 0) + \varepsilon_e(u x n_i),

    with :math:`u = (n_b - n_o)/(n_i - n_o)` and :math:`D = 1 - \tfrac32 u^{1/3} + \tfrac12 u`.
    G. Baym, H. A. Bethe and C. J. Pethick, Nucl. Phys. A 175 (1971) 225.

    Parameters
    ----------
    n_b, n_i, n_o : scalars, mean density, density in the drop and of the neutrons outside [fm^-3]
    x, r : scalars, proton fraction [1] and radius [fm] of the drop
    s : Surface
    """
    u = (n_b - n_o) / (n_i - n_o)
    drop = skyrme.energy_density(n_i * (1 - x), n_i * x, SLY4) + drop_surface(x, r, s)
    coulomb = 0.8 * jnp.pi * E2 * (x * n_i * r) ** 2 * (1 - 1.5 * u ** (1 / 3) + u / 2)
    gas = skyrme.energy_density(n_o, 0.0, SLY4)
    electrons = leptons.energy_density(leptons.fermi_momentum(u * x * n_i), M_E)
    return u * (drop + coulomb) + (1 - u) * gas + electrons


def _conditions(z, s):
    """Slopes of the cell's energy and mu at z = (n_i, x, r, n_b, k), k = n_o^(1/3), then both with the energy.

    The slopes, in (n_i, x, r, n_o), are scaled to one drop and in MeV; they vanish in equilibrium.
    """
    n_i, x, r, n_b, k = z
    u = (n_b - k**3) / (n_i - k**3)
    eps, slopes = jax.value_and_grad(cell_energy, argnums=(1, 2, 3, 4, 0))(n_b, n_i, x, r, k**3, s)
    f = jnp.array(slopes) / jnp.array([u, u * n_i, u * n_i / r, 1 - u, 1.0])
    return f, (f, eps)


@jax.jit
def _cells(k, s):
    """Newton's method from row to row over k, started along the tangent dy/dk; the first starts near drip.

    Returns y = (n_i, x, r, n_b), dy, eps, mu, dmu = d mu/dk and the size of the last relative step.
    """

    def newton(_, state):
        y, k = state[:2]
        J, (f, eps) = jax.jacfwd(_conditions, has_aux=True)(jnp.append(y, k), s)
        step, dy = jnp.linalg.solve(J[:4, :4], jnp.stack([-f[:4], -J[:4, 4]], axis=1)).T
        size = jnp.max(jnp.abs(step / y))
        return y + step * jnp.minimum(1.0, 0.3 / size), k, dy, eps, f[4], J[4, :4] @ dy + J[4, 4], size

    def row(state, k):
        y, k_before, dy = state[:3]
        state = jax.lax.fori_loop(0, 12, newton, (y + dy * (k - k_before), k, *state[2:]))
        return state, state

    start = (jnp.array([0.15, 0.31, 6.0, 2.6e-4]), k[0], jnp.zeros(4), *4 * (jnp.inf,))
    y, _, *rest = jax.lax.scan(row, start, k)[1]
    return y, *rest


@lru_cache
def uniform_matter():
    """SLy4 matter of n, p, e and muons in beta equilibrium from 0.05 to 0.2 fm^-3, in 101 rows.

    Returns
    -------
    (n_b, nuclear.Equilibrium) : arrays of shape (101,), n_b in fm^-3
    """
    n_b = jnp.linspace(0.05, 0.2, 101)
    matter = jax.jit(jax.vmap(lambda n: nuclear.beta_equilibrium(skyrme.energy_density, n, SLY4)))(n_b)
    return jax.tree.map(np.asarray, (n_b, matter))


@lru_cache
def inner_crust(surface=SURFACE):
    """Inner crust from neutron drip, where n_o vanishes, to the transition to uniform matter.

    257 rows equidistant in n_o^(1/3). The last stands at the transition, where drops and uniform matter
    have equal mu at equal pressure. Computed once for each surface.

    Parameters
    ----------
    surface : Surface

    Returns
    -------
    InnerCrust

    Raises
    ------
    RuntimeError
        if there is no such transition at 0.05 fm^-3 or above, or a cell has not converged
    """
    k_core, n_core = _transition(surface)
    k = np.linspace(K_DRIP, k_core, N_ROW)
    y, dy, eps, mu, dmu, size = (np.asarray(a) for a in _cells(k, surface))
    if not np.all(size < 1e-9):
        raise RuntimeError(f"the cell at n_o = {k[np.argmax(size)] ** 3:.4g} fm^-3 did not converge")
    n_i, x, r, n_b = y.T
    cs2 = n_b / mu * dmu / dy[:, 3]
    n_o, A = k**3, 4 / 3 * np.pi * r**3 * n_i
    u = (n_b - n_o) / (n_i - n_o)
    return InnerCrust(n_b, eps, n_b * mu - eps, mu, cs2, n_i, x, r, n_o, u, x * A, A, n_core)


def _transition(surface):
    """n_o^(1/3) of the last drops and density of the uniform matter in equilibrium with them."""
    k = np.linspace(K_DRIP, K_END, N_ROW)
    y, _, eps, mu, _, size = (np.asarray(a) for a in _cells(k, surface))
    n_b = y[:, 3]
    good = (size < 1e-9) & (np.diff(n_b, prepend=0) > 0)
    end = len(k) if good.all() else int(np.argmin(good))
    k, mu, p = k[:end], mu[:end], (n_b * mu - eps)[:end]
    n, core = uniform_matter()
    core_mu = CubicSpline(core.p, core.mu_b)
    inside = p > core.p[0]
    excess = mu[inside] - core_mu(p[inside])
    if not (len(excess) > 3 and excess[0] < 0 < excess[-1]):
        raise RuntimeError(f"drops do not give way to uniform matter up to n_b = {n_b[end - 1]:.4g} fm^-3")
    k_core = brentq(CubicSpline(k[inside], excess), k[inside][0], k[-1])
    return k_core, float(CubicSpline(core.p, n)(CubicSpline(k, p)(k_core)))
