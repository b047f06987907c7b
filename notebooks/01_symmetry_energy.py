# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,mystnb,-all
#     notebook_metadata_filter: kernelspec,-all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read the symmetry energy from neutron stars
#
# *A deep network, and how little of it is needed*
#
# :::{admonition} At a glance
# :class: tip
#
# | | |
# |---|---|
# | Paper | P. G. Krastev, *A deep learning approach to extracting nuclear matter properties from neutron star observations* {cite}`krastev2022` |
# | In a sentence | Fifty exact pairs of mass and radius (or tidal deformability) let a deep network reconstruct the nuclear symmetry energy up to five times saturation density. |
# | Our verdict | In the [table of verdicts](#the-verdicts), computed by this page |
# | Scale, time, machine | On the [status page](../book/status.md); this page runs in about a minute |
# | Before you start | [Neutron stars in 20 minutes](../book/primer_neutron_stars.md), [networks in 20 minutes](../book/primer_networks.md) |
# | Level | First year of graduate study |
#
# Afterwards you can
# - compute mass, radius and tidal deformability of thousands of neutron stars from seven nuclear numbers,
# - train the paper's network and find out which part of it does the work,
# - say what an error in MeV means in metres of radius.
# :::

# %% tags=["hide-input"]
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
try:
    import nslib
except ImportError as missing:
    raise ImportError("install the package first: in a clone, `make book` or `pip install -e .`") from missing

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from nslib import book, crust, datasets, stars
from nslib.learn import symmetry_energy
from nslib.matter import metamodel, nuclear
from nslib.units import RHO_0

book.style()

# %% [markdown]
# All knobs of the chapter stand in the next cell. `None` means the value that belongs to the scale: `smoke` for
# tests, `page` for what you read here, `paper` for the record.

# %% tags=["parameters"]
scale = "page"  # smoke, page or paper
seed = 1  # of every draw; networks take seed, seed + 1, ...
L_min = 30.6  # slope of the symmetry energy [MeV]; paper 30.6
L_max = 86.8  # [MeV]; paper 86.8
K_sym_min = -400  # curvature of the symmetry energy [MeV]; paper -400
K_sym_max = 100  # [MeV]; paper 100
M_max_min = 2.14  # least maximum mass of a sequence [Msun]; paper 2.14
causality = "truncated"  # "truncated" or "strict"; the paper does not say which
n_points = 50  # stars observed on each sequence; paper 50
n_train = None  # sequences to learn from; paper 40000
n_validation = None  # paper ~1000
n_test = None  # paper ~1000
epochs = None  # at most so many; paper 2000
patience = None  # stop after so many epochs without a lower validation loss; paper: "until it stopped decreasing"
n_seeds = None  # trainings of each network; paper 1

# %%
parameters = {name: globals()[name] for name in (
    "L_min", "L_max", "K_sym_min", "K_sym_max", "M_max_min", "causality", "n_points", "n_train", "n_validation", "n_test"
)}
n_train = book.choose(scale, n_train, smoke=200, page=2000, paper=40000)
n_validation = book.choose(scale, n_validation, smoke=50, page=300, paper=1000)
n_test = book.choose(scale, n_test, smoke=50, page=1000, paper=1000)
epochs = book.choose(scale, epochs, smoke=3, page=60, paper=2000)
patience = book.choose(scale, patience, smoke=3, page=60, paper=60)
n_seeds = book.choose(scale, n_seeds, smoke=1, page=1, paper=3)
parameters |= {"n_train": n_train, "n_validation": n_validation, "n_test": n_test}
record = book.Record("01_symmetry_energy", scale, seed, parameters)

# %% [markdown]
# ## What the paper claims
#
# Ids are used to the end of the chapter.
#
# - **K1** (Fig. 1) Two Taylor polynomials parameterise the energy of symmetric matter and the symmetry energy.
# - **K2, K3** (Figs. 2, 3) Varying $L$ and $K_\mathrm{sym}$ and filtering gives bands of symmetry energies, pressures, radii
#   and deformabilities.
# - **K4** (Sec. IV) The data: 40,000 sequences to learn from, about 1000 to validate, about 1000 to test.
# - **K5** (Secs. II, IV) The filters: stable, causal, heavy enough.
# - **K6** (Sec. IV) The network: ten ReLU layers of 100.
# - **K7** (Fig. 5) From masses and radii, $E_\mathrm{sym}(5\rho_0)$ to 1.2 MeV on average.
# - **K8** (Fig. 6) From masses and deformabilities, to 0.8 MeV.
# - **K9** (Sec. V) Which fifty stars are seen does not matter.
# - **K10** (Eq. 14) The deformability of a binary of equal stars is that of one of them.
# - **K11** (Sec. II) A maximum mass of 2.14 solar masses needs $J_0$ above about -200 MeV.
#
# Two misprints are silently put right by everyone who works with the paper: $E_0$ is -15.9 MeV, not 15.9, and causality
# is $c_s \le c$, not $\ge$.

# %% [markdown]
# ## The physics
#
# ### Nuclear matter near saturation
#
# Squeeze symmetric matter, or make it neutron-rich: both cost energy. To second order in the asymmetry
# $\delta = (n_n - n_p)/n$ the cost per nucleon is
#
# $$
# E(n, \delta) = E(n, 0) + E_\mathrm{sym}(n)\,\delta^2 ,
# $$ (eq-01-parabolic)
#
# and each part is expanded in $x = (n - \rho_0)/3\rho_0$, the small step away from saturation:
#
# $$
# E(n, 0) = E_0 + \frac{K_0}{2}x^2 + \frac{J_0}{6}x^3, \qquad
# E_\mathrm{sym}(n) = S_0 + L x + \frac{K_\mathrm{sym}}{2}x^2 + \frac{J_\mathrm{sym}}{6}x^3 .
# $$ (eq-01-expansion)
#
# At $5\rho_0$ the "small" step is $x = 4/3$. There these are not expansions any more but a choice of curve with named
# coefficients, and the paper says so too. Five of the seven are held fixed; $L$ and $K_\mathrm{sym}$ vary.
#
# In the package an interaction is one function, the energy density. Everything else is differentiated from it:

# %%
q = metamodel.Metamodel(L=58.7, K_sym=0.0)
n = 0.32  # fm^-3
at_saturation = nuclear.saturation(metamodel.energy_density, q, q.m)
print("E_sym(2 rho_0) from the formula     ", f"{metamodel.symmetry_energy(n, q):.6f} MeV")
print("E_sym(2 rho_0) from d^2E/ddelta^2 / 2", f"{nuclear.symmetry_energy(metamodel.energy_density, n, q):.6f} MeV")
print("coefficients found at saturation: ", ", ".join(f"{k} = {float(v):.4g}" for k, v in at_saturation._asdict().items()))

# %% [markdown]
# The limit holds: at saturation the derivatives return the coefficients that went in (K1 tests all twelve curves below).

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three panels against density over saturation density. Left: energy per nucleon of symmetric matter, with its minimum of minus 15.9 MeV at one. Middle: symmetry energy for five slopes L from 40 to 80 MeV, all crossing at saturation and fanning out to about 85 to 138 MeV at five. Right: symmetry energy for six curvatures from minus 400 to 100 MeV, from strongly falling to rising."}}
rho = np.linspace(0.02, 5.0, 200)
fig, ax = plt.subplots(1, 3, figsize=(9.6, 3.4))
ax[0].plot(rho, metamodel.symmetric_energy(rho * RHO_0, q))
ax[0].set(ylabel=r"$E(\rho, 0)$ [MeV]")
for L in (40, 50, 60, 70, 80):
    ax[1].plot(rho, metamodel.symmetry_energy(rho * RHO_0, metamodel.Metamodel(L, 0.0)), label=f"{L}")
for K_sym in (-400, -300, -200, -100, 0, 100):
    ax[2].plot(rho, metamodel.symmetry_energy(rho * RHO_0, metamodel.Metamodel(58.7, K_sym)), label=f"{K_sym}")
ax[1].legend(title="$L$ [MeV]")
ax[2].legend(title=r"$K_\mathrm{sym}$ [MeV]")
for a in ax:
    a.set(xlabel=r"$\rho/\rho_0$")
for a in ax[1:]:
    a.set(ylabel=r"$E_\mathrm{sym}$ [MeV]")
plt.show()

# %%
curves = [metamodel.Metamodel(L, 0.0) for L in (40.0, 50.0, 60.0, 70.0, 80.0)]
curves += [metamodel.Metamodel(58.7, K) for K in (-400.0, -300.0, -200.0, -100.0, 0.0, 100.0)]
deviation, rises = 0.0, []
for c in curves:
    found = nuclear.saturation(metamodel.energy_density, c, c.m)
    wanted = (RHO_0, c.E_0, c.K_0, c.J_0, c.S_0, c.L, c.K_sym, c.J_sym)
    deviation = max(deviation, *(abs(float(a) - b) for a, b in zip(found, wanted)))
at_5 = [float(metamodel.symmetry_energy(5 * RHO_0, c)) for c in curves]
rises = all(np.diff(at_5[:5]) > 0) and all(np.diff(at_5[5:]) > 0)
record.claim("K1", deviation, passed=deviation < 1e-9 and rises)

# %% [markdown]
# ### Matter in equilibrium
#
# In a star, neutrons decay until it no longer pays: $\mu_n = \mu_p + \mu_e$, with muons as soon as $\mu_e$ exceeds their
# mass, and no net charge. With {eq}`eq-01-parabolic` the condition is $\mu_e = 4\delta E_\mathrm{sym}(n)$. The pressure and
# the speed of sound follow,
#
# $$
# p = n\mu_n - \varepsilon, \qquad c_s^2 = \frac{\mathrm dp}{\mathrm d\varepsilon} = \frac{n}{\mu_n}\frac{\mathrm d\mu_n}{\mathrm dn} .
# $$ (eq-01-pressure)

# %%
matter = nuclear.beta_equilibrium(metamodel.energy_density, n, q)
delta = 1 - 2 * matter.x_p
print(f"at 2 rho_0: proton fraction {matter.x_p:.4f}, mu_e {matter.mu_e:.3f} MeV, p {matter.p:.4f} MeV fm^-3, cs2 {matter.cs2:.4f}")
print(f"mu_e - 4 delta E_sym = {abs(matter.mu_e - 4 * delta * metamodel.symmetry_energy(n, q)):.0e} MeV")

# %% [markdown]
# ### Crust and core
#
# Below about half of saturation density, matter clumps into nuclei, and the formulas above do not hold. We compute that crust
# ourselves: measured and calculated masses outside, liquid drops with SLy4 bulk energy and dripped neutrons inside, and join it
# to each core.
#
# The paper joins "below approximately 0.07 fm⁻³". Taken literally, the pressure of many cores at 0.07 fm⁻³ is *below* the crust's,
# and it would fall going inward. So the core begins where its pressure first exceeds the crust's, between 0.07 and 0.16 fm⁻³.
# Three lines give a star:

# %%
eos = crust.join(metamodel.eos(L=58.7, K_sym=-100.0))
family = stars.family(eos)
print(f"M_max = {family.M_max:.3f} Msun, R(1.4) = {family.R(1.4):.3f} km, Lambda(1.4) = {family.Lambda(1.4):.1f}")
print(f"core from n_b = {eos.n_join:.4f} fm^-3, step of mu_b there {eos.delta_mu:.2f} MeV; first law holds to {eos.first_law_error():.0e}")

# %% [markdown]
# How much does the join matter? For two cores, the literal choice beside ours:

# %%
rows = []
for L, K_sym in ((50.0, 50.0), (58.7, -100.0), (80.0, 50.0)):
    core = metamodel.eos(L=L, K_sym=K_sym)
    ours, literal = (stars.family(crust.join(core, how=how)).R(1.4) for how in ("crossing", "literal"))
    rows.append((L, K_sym, f"{ours:.3f}", f"{literal:.3f}", f"{1000 * (literal - ours):+.0f}"))
book.Table(("L [MeV]", "K_sym [MeV]", "R(1.4) ours [km]", "literal [km]", "difference [m]"), rows)

# %% [markdown]
# Keep the last column in mind: later the chapter asks for radii to some ten metres.
#
# ### From matter to stars
#
# Hydrostatic equilibrium in general relativity balances the weight of each shell against the pressure below it,
#
# $$
# \frac{\mathrm dp}{\mathrm dr} = -\frac{(\varepsilon + p)(m + 4\pi r^3 p)}{r(r - 2m)}, \qquad
# \frac{\mathrm dm}{\mathrm dr} = 4\pi r^2\varepsilon ,
# $$ (eq-01-tov)
#
# and a companion's tide deforms the star by an amount $\Lambda = \frac23 k_2 (R/M)^5$ (with $G = c = 1$), where the Love number $k_2$
# follows from one more first-order equation for $y(r)$ {cite}`hinderer2008`. The package integrates with the pseudo-enthalpy
# $h = \int \mathrm dp/(\varepsilon + p)$ as variable, because then both ends are known beforehand, and with
# $z = y - 4\pi r^3\varepsilon/(m + 4\pi r^3 p)$ in place of $y$, because then the speed of sound drops out: a kink of the
# equation of state no longer spoils Λ. See {mod}`nslib.stars.structure`.
#
# A limit that must hold: a star of constant density has a known mass, and no sphere is more compact than $2M/R = 8/9$
# {cite}`buchdahl1959`.

# %%
compact = 2 * 1.4766250385 * family.M_max / family.R_max
print(f"2M/R of the heaviest star: {compact:.3f}, below 8/9 = {8 / 9:.3f}")
two = stars.lambda_tilde(family.mass, family.mass, family.tidal, family.tidal)
record.claim("K10", float(jnp.max(jnp.abs(two / family.tidal - 1))))

# %% [markdown]
# ## The method
#
# ### Data
#
# Draw $L$ and $K_\mathrm{sym}$ uniformly, build the equation of state, throw away what is unstable, acausal or too light, place
# fifty stars at random on what is left. Each draw that fails is counted with its reason.

# %% tags=["nbval-ignore-output"]
ranges = {"L": (L_min, L_max), "K_sym": (K_sym_min, K_sym_max)}
physics = ranges | {"M_max_min": M_max_min, "causality": causality, "n_points": n_points}
data = datasets.symmetry_energy(
    book.root() / "build" / "data" / f"symmetry_energy_{scale}", n_train + n_validation + n_test, seed=seed, **physics
)
