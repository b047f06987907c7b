"""nslib.matter.rmf: published sets, round trip, roots and classes, thermodynamics, and what is refused."""

import jax
import numpy as np
import pytest

from nslib import crust, stars
from nslib.matter import leptons, rmf
from nslib.matter.rmf import EndStatus, NuclearMatter, Status
from nslib.matter.rmf.inversion import _at_saturation
from nslib.tables.rmf_sets import NAMES
from nslib.units import HBARC, M_MU

WIDTH = np.array([hi - lo for lo, hi in rmf.PRIOR])
GOOD = NuclearMatter(0.15, -16.0, 240.0, -300.0, 0.62, 32.0, 60.0)
N_DRAW = 2048


def stack(trees):
    return jax.tree.map(lambda *a: np.array(a), *trees)


def twice(tree):
    return jax.tree.map(lambda a: np.tile(a, 2), tree)


def member(tree, i):
    return jax.tree.map(lambda a: np.asarray(a)[i], tree)


@pytest.fixture(scope="module")
def draws():
    rng = np.random.default_rng(2)
    return NuclearMatter(*(rng.uniform(*ends, N_DRAW) for ends in rmf.PRIOR))


@pytest.fixture(scope="module")
def inverted(draws):
    return rmf.invert(draws)


@pytest.fixture(scope="module")
def sets():
    return stack([rmf.published(name) for name in NAMES])


@pytest.fixture(scope="module")
def cores(sets):
    return rmf.equation_of_state(sets)


# ---- published sets --------------------------------------------------------------------------------------------

# rho_0, E_0, K_0, Q_0, m*/m, J_0, L_0. First four: an independent evaluation of the same couplings, as in
# M. Dutra et al., Phys. Rev. C 90 (2014) 055203; the others: what the papers of the sets print, for couplings
# before rounding
MATTER = {
    "NL3": (0.1482, -16.240, 271.5, 203.0, 0.595, 37.40, 118.5),
    "FSUGold": (0.1484, -16.301, 230.0, -523.4, 0.610, 32.59, 60.5),
    "IU-FSU": (0.1546, -16.397, 231.3, -290.2, 0.609, 31.30, 47.2),
    "TM1": (0.1452, -16.263, 281.2, -285.2, 0.634, 36.89, 110.8),
    "NL-SH": (0.146, -16.35, 355.4, None, 0.597, 36.1, None),
    "NL3*": (0.150, -16.31, 258.3, None, 0.594, 38.68, 122.6),
    "FSUGold2": (0.1505, -16.28, 238.0, None, 0.593, 37.62, 112.8),
    "FSUGarnet": (0.153, -16.23, 229.5, None, 0.578, 30.92, 51.0),
    "BigApple": (0.155, -16.34, 227.0, None, 0.61, 31.3, 39.8),
}
DIGITS = (1e-4, 1e-3, 0.1, 0.1, 1e-3, 0.01, 0.1)
ROUNDED = (6e-4, 0.02, 0.4, 0.0, 2e-3, 0.06, 0.2)


def test_published_nuclear_matter(sets):
    found = rmf.saturation(twice(sets))
    for name, values in MATTER.items():
        tolerances = DIGITS if values[3] is not None else ROUNDED
        for field, value, tolerance in zip(NuclearMatter._fields, values, tolerances):
            if value is not None:
                assert float(getattr(found, field)[NAMES.index(name)]) == pytest.approx(
                    value, abs=tolerance
                ), (
                    name,
                    field,
                )


def test_published_couplings_come_back(sets):
    """The root of the authors is the largest, but for BigApple, whose C is positive for both."""
    q = twice(sets)  # the size of block that the other tests have compiled
    found = rmf.saturation(q)
    masses = {name: getattr(q, name) for name in ("m_sigma", "m_omega", "m_rho", "m")}
    out = rmf.invert(found, **masses)
    assert np.all(np.asarray(out.status) == 0)
    for i, name in enumerate(NAMES):
        root = member(out.root_couplings, (i, 1 if name == "BigApple" else 0))
        np.testing.assert_allclose(root, member(sets, i), rtol=1e-5, atol=1e-5, err_msg=name)
    k = NAMES.index("NL3")
    assert np.asarray(out.roots)[k, :2] == pytest.approx(
        [0.0, -0.137], abs=5e-4
    )  # an independent inversion's twin
    assert np.asarray(out.roots)[NAMES.index("BigApple"), 1] > 0
    assert np.isnan(np.asarray(out.roots)[k, 2:]).all()


# ---- inversion -------------------------------------------------------------------------------------------------


def test_round_trip(draws, inverted):
    """Chosen roots give back what was asked for; bar: 1e-6 of the prior's width."""
    back, ok = rmf.saturation(inverted.couplings), np.asarray(inverted.status) == 0
    error = np.abs(np.array(back) - np.array(draws)) / WIDTH[:, None]
    assert ok.sum() > 1000 and error[:, ok].max() < 1e-10
    assert np.isnan(np.array(inverted.couplings)[:, ~ok]).all() and np.isnan(error[:, ~ok]).all()


def test_all_roots_are_the_same_matter(inverted):
    """Both roots of draws that have two on the branch saturate alike, at the same seven numbers."""
    two = np.flatnonzero((np.asarray(inverted.root_status)[:, :2] == 0).all(axis=1))[:200]
    a, b = (rmf.saturation(member(inverted.root_couplings, (two, i))) for i in (0, 1))
    assert len(two) > 100
    assert (np.abs(np.array(a) - np.array(b)) / WIDTH[:, None]).max() < 1e-9


def test_two_densities_of_saturation():
    """Soft matter may be bound at a third of its density, too: the guess decides."""
    q = NuclearMatter(0.1478, -16.4756, 152.4412, 289.4533, 0.5166, 37.5366, 80.1121)
    couplings = rmf.invert(NuclearMatter(*(np.full(17, a) for a in q))).couplings
    np.testing.assert_allclose(np.array(rmf.saturation(couplings))[:, 0], q, rtol=1e-9)
    low = rmf.saturation(couplings, guess=0.03)
    assert 0.03 < float(low.rho_0[0]) < 0.04 and float(low.E_0[0]) > q.E_0 and float(low.K_0[0]) > 0


def test_no_root_is_missed(draws, inverted):
    """Sign changes of the condition for Q_0 on a fine grid, where the field rises with density."""
    v = np.linspace(0, 3, 3002)[1:-1]
    some = member(draws, np.arange(100))
    at = jax.vmap(lambda q: jax.vmap(lambda v: _at_saturation(v, q, 939.0 / HBARC))(v))(some)
    f, X = np.asarray(at.mismatch), np.asarray(at.X)
    seen = ((f[:, 1:] > 0) != (f[:, :-1] > 0)) & (X[:, 1:] > 0) & (X[:, :-1] > 0)
    roots = np.asarray(inverted.roots)[:100]
    np.testing.assert_array_equal(seen.sum(axis=1), np.isfinite(roots).sum(axis=1))
    for row, z in zip(seen, roots):
        np.testing.assert_allclose((v[:-1][row][::-1] - 1) / 2, z[: row.sum()], atol=6e-4)


def test_class_fractions(draws, inverted):
    """Independent counts over the same prior: no root 14.2 %, none by the rule 41.5 %, by the other 68.7 %."""
    share = lambda status: np.mean(np.asarray(status) != 0)  # noqa: E731
    none = np.isnan(np.asarray(inverted.roots)[:, 0]).mean()
    assert none == pytest.approx(0.142, abs=0.03)
    assert share(inverted.status) == pytest.approx(0.415, abs=0.03)
    positive = rmf.invert(draws, rule="positive")
    assert share(positive.status) == pytest.approx(0.687, abs=0.03)
    good = np.asarray(positive.status) == 0
    assert (
        np.asarray(positive.z)[good].min() > -1e-8
        and np.asarray(positive.couplings.Lambda_v)[good].min() > -1e-8
    )
    assert np.all(np.asarray(inverted.status)[good] == 0)


def test_statuses():
    bad = {
        Status.OK: {},
        Status.NOT_FINITE: {"Q_0": np.nan},
        Status.OUT_OF_RANGE: {"m_star": 1.2},
        Status.NO_REPULSION: {"m_star": 0.96},
        Status.J_BELOW_KINETIC: {"J_0": 12.0},
        Status.NO_ROOT: {"K_0": 195.0, "Q_0": 100.0},
        Status.RHO_IMAGINARY: {"K_0": 167.0, "Q_0": -1136.0, "m_star": 0.552, "J_0": 21.9, "L_0": 28.7},
        Status.BRANCH_ENDS: {"K_0": 263.4, "Q_0": -1309.0, "m_star": 0.518, "J_0": 35.9, "L_0": 85.5},
    }
    out = rmf.invert(
        member(stack([GOOD._replace(**change) for change in bad.values()]), np.arange(32) % len(bad))
    )
    assert [Status(int(k)) for k in out.status[: len(bad)]] == list(bad)
    bad = {
        Status.OK: {},
        Status.C_NEGATIVE: {"Q_0": -200.0, "m_star": 0.7},
        Status.LAMBDA_NEGATIVE: {"J_0": 30.0, "L_0": 100.0},
    }
    q = member(stack([GOOD._replace(**change) for change in bad.values()]), np.arange(32) % 3)
    assert [Status(int(k)) for k in rmf.invert(q, rule="positive").status[:3]] == list(bad)
    assert np.all(np.asarray(rmf.invert(q).status) == 0)
    assert all(status.sentence for status in (*Status, *EndStatus))


def test_branch(draws, inverted):
    """The fields that begin in the vacuum reach saturation and 1.5 rho_0, or not where the rule says so."""
    q = member(draws, np.arange(256))
    status = np.asarray(inverted.root_status)[:256, 0]
    couplings = member(inverted.root_couplings, (slice(256), 0))
    energy = jax.vmap(rmf.symmetry_energy)
    J_0, beyond = np.asarray(energy(q.rho_0, couplings)), np.asarray(energy(1.499 * q.rho_0, couplings))
    good, ends = status == Status.OK, status == Status.BRANCH_ENDS
    np.testing.assert_allclose(J_0[good], q.J_0[good], rtol=1e-11)
    assert np.isfinite(beyond[good]).all() and good.sum() > 100
    beyond = np.asarray(energy(1.501 * q.rho_0, couplings))
    assert np.all(np.isnan(beyond[ends]) | (np.abs(J_0 - q.J_0)[ends] > 1e-3)) and ends.sum() > 20


# ---- uniform matter --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["NL3", "FSUGold", "IU-FSU"])
def test_potentials_are_derivatives(name):
    """mu_q = d eps / d n_q, the Euler relation, and E_sym as the curvature in asymmetry."""
    q, n, h = rmf.published(name), 0.2, 1e-5
    at = lambda n_n, n_p: rmf.uniform(n_n, n_p, q)  # noqa: E731
    u = at(0.14, 0.06)
    for mu, dn, dp in ((u.mu_n, h, 0.0), (u.mu_p, 0.0, h)):
        slope = (float(at(0.14 + dn, 0.06 + dp).eps) - float(at(0.14 - dn, 0.06 - dp).eps)) / (2 * h)
        assert float(mu) == pytest.approx(slope, rel=1e-8)
    assert float(u.p) == pytest.approx(0.14 * float(u.mu_n) + 0.06 * float(u.mu_p) - float(u.eps), rel=1e-10)
    E = [float(at(n * (1 + d) / 2, n * (1 - d) / 2).eps) / n for d in (0.0, 0.02, 0.04)]
    curvature = (16 * (E[1] - E[0]) - (E[2] - E[0])) / (12 * 0.02**2)
    assert float(rmf.symmetry_energy(n, q)) == pytest.approx(curvature, rel=1e-6)


def test_neutron_matter():
    """Neutrons alone: bound by no set, and p = n^2 d(eps/n)/dn."""
    q, n, h = rmf.published("FSUGold"), 0.12, 1e-5
    E = [float(rmf.uniform(a, 0.0, q).eps) / a for a in (n - h, n, n + h)]
    assert E[1] > 939.0
    assert float(rmf.uniform(n, 0.0, q).p) == pytest.approx(n**2 * (E[2] - E[0]) / (2 * h), rel=1e-6)


def test_symmetric_matter_is_isospin_symmetric():
    q = rmf.published("IU-FSU")
    a, b = rmf.uniform(0.1, 0.03, q), rmf.uniform(0.03, 0.1, q)
    assert float(a.mu_n) == pytest.approx(float(b.mu_p), rel=1e-14) and float(a.R) == pytest.approx(
        -float(b.R)
    )


# ---- beta equilibrium ------------------------------------------------------------------------------------------


def test_equilibrium_and_charge(sets):
    """The composition is charge neutral and in equilibrium by an evaluation at given densities."""
    found = rmf.beta_equilibrium(sets)
    x, mu_e, n = np.asarray(found.x_p), np.asarray(found.mu_e), rmf.DENSITIES
    np.testing.assert_allclose(leptons.charge_density(mu_e), x * n, rtol=1e-11)
    at = jax.vmap(lambda n, x, q: rmf.uniform(n * (1 - x), n * x, q))
    for i in (0, 60, 159):
        u = at(np.full(len(NAMES), n[i]), x[:, i], sets)
        np.testing.assert_allclose(u.mu_n - u.mu_p, mu_e[:, i], rtol=1e-10)
        np.testing.assert_allclose(u.mu_n, found.mu_b[:, i], rtol=1e-12)
        np.testing.assert_allclose(
            u.eps + leptons.total_energy_density(mu_e[:, i]), found.eps[:, i], rtol=1e-12
        )


def test_first_law_and_sound_speed(sets, cores):
    """cs2 against dp / d eps by Richardson's rule, in 32 clusters of five densities."""
    assert np.all(np.asarray(cores.status) == 0) and np.asarray(cores.first_law_error()).max() < 1e-6
    n = np.geomspace(0.065, 1.9, 32)[:, None] * (1 + np.array([-2e-3, -1e-3, 0.0, 1e-3, 2e-3]))
    eos = rmf.equation_of_state(sets, n_b=n.ravel())
    p, eps, cs2 = (np.asarray(a).reshape(-1, 32, 5) for a in (eos.p, eos.eps, eos.cs2))
    d = [8 * (a[..., 3] - a[..., 1]) - (a[..., 4] - a[..., 0]) for a in (p, eps)]
    mu_e = np.asarray(rmf.beta_equilibrium(sets, n.ravel()).mu_e).reshape(-1, 32, 5)
    no_threshold = np.all(mu_e > M_MU, axis=-1) | np.all(mu_e < M_MU, axis=-1)
    np.testing.assert_allclose(cs2[..., 2][no_threshold], (d[0] / d[1])[no_threshold], rtol=1e-7, atol=1e-9)
    assert no_threshold.mean() > 0.9


def test_derivatives():
    """Couplings, pressure and sound speed to K_0, through inversion and fields: central differences."""
    h = 1e-3
    ends = rmf.invert(
        NuclearMatter(*np.broadcast_arrays(*GOOD._replace(K_0=240.0 + h * (np.arange(17) - 1))))
    )
    eos = rmf.equation_of_state(member(ends.couplings, np.arange(3)))

    @jax.jit
    def f(K):
        couplings = rmf.invert(GOOD._replace(K_0=K)).couplings
        one = rmf.equation_of_state(couplings)
        return couplings[:7], one.p, one.cs2

    value, slope = jax.jvp(f, (240.0,), (1.0,))
    several = ([a[:3] for a in ends.couplings[:7]], eos.p, eos.cs2)
    for a, d, b in zip(*(jax.tree.leaves(tree) for tree in (value, slope, several))):
        np.testing.assert_allclose(a, b[1], rtol=1e-9)
        np.testing.assert_allclose(d, (b[2] - b[0]) / (2 * h), rtol=1e-5, atol=1e-9)


# M_max, R_1.4, Lambda_1.4 by an independent calculation with another crust (Douchin-Haensel and a polytrope):
# with the standard crust here the largest differences are .03 %, .08 km and .3 %
STARS = {
    "NL3": (2.774, 14.76, 1278),
    "FSUGold": (1.722, 12.45, 404),
    "IU-FSU": (1.939, 12.60, 500),
    "FSUGarnet": (2.066, 12.96, 623),
    "FSUGold2": (2.073, 14.08, 876),
    "TM1": (2.180, 14.39, 1049),
}


def test_stars(cores):
    family = stars.family(crust.join(cores[np.array([NAMES.index(name) for name in STARS])]))
    at = family.at_mass(1.4)
    for i, (M_max, R, Lambda) in enumerate(STARS.values()):
        assert float(family.M_max[i]) == pytest.approx(M_max, rel=1e-3)
        assert float(at.R[i]) == pytest.approx(R, abs=0.1)
        assert float(at.Lambda[i]) == pytest.approx(Lambda, rel=0.005)


# ---- bad input -------------------------------------------------------------------------------------------------


def test_neighbours_of_a_bad_member(sets, draws):
    some = member(draws, np.arange(32))
    spoilt = some._replace(Q_0=np.where(np.arange(32) == 5, np.nan, some.Q_0))
    a, b = rmf.invert(some), rmf.invert(spoilt)
    others = np.arange(32) != 5
    assert int(b.status[5]) == Status.NOT_FINITE and np.isnan(b.couplings.g_sigma[5])
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)):
        np.testing.assert_array_equal(np.asarray(x)[others], np.asarray(y)[others])
    good, bad = (
        rmf.equation_of_state(sets),
        rmf.equation_of_state(sets._replace(A=sets.A * np.where(np.arange(11) == 3, np.nan, 1))),
    )
    others = np.arange(11) != 3
    assert int(bad.status[3]) == EndStatus.NOT_FINITE and np.isnan(bad.p[3]).all()
    for x, y in zip(jax.tree.leaves(good), jax.tree.leaves(bad)):
        np.testing.assert_array_equal(np.asarray(x)[others], np.asarray(y)[others])


def test_fields_that_end(draws):
    """Negative Lambda_v: the rho field has a pole. One set is refused by name, in a batch it has NaN from there."""
    q = rmf.published("FSUGold")._replace(Lambda_v=-0.03)
    with pytest.raises(
        ValueError, match=r"do not continue to the last density, 2 fm\^-3; the last with a solution is 0\."
    ):
        rmf.equation_of_state(q)
    eos = rmf.equation_of_state(stack([q, rmf.published("FSUGold")]))
    assert np.asarray(eos.status).tolist() == [EndStatus.BRANCH_ENDS, EndStatus.OK]
    found = np.isfinite(np.asarray(eos.p[0]))
    assert (
        found[0] and not found[-1] and np.all(np.diff(found.astype(int)) <= 0) and np.isfinite(eos.p[1]).all()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"J_0": 15.0}, r"J_0 = 15 MeV must be above its kinetic part, 1[0-9.]+ MeV"),
        ({"m_star": 0.96}, r"m_star = 0.96 must be below 0\.9[0-9]+: "),
        ({"Q_0": np.nan}, "Q_0 = nan must be finite"),
        ({"rho_0": -0.15}, r"rho_0 = -0.15 must lie in \(0, inf\)"),
        ({"m_star": 1.2}, r"m_star = 1.2 must lie in \(0, 1\)"),
        ({"K_0": 195.0, "Q_0": 100.0}, r"no strength .* gives this Q_0; given .*Q_0 = 100"),
        ({"L_0": "60"}, r"L_0 must be a number or an array of numbers, got '60'"),
        ({"K_0": np.ones((2, 2))}, r"arrays of one axis, got shape \(2, 2\)"),
        ({"K_0": np.ones(0)}, r"the batch is empty"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        rmf.invert(GOOD._replace(**change))


def test_single_and_batch_agree():
    one = rmf.invert(GOOD)
    many = rmf.invert(NuclearMatter(*(np.full(17, a) for a in GOOD)))
    assert one.roots.shape == (4,) and one.z.shape == () and many.roots.shape == (17, 4)
    np.testing.assert_allclose(np.array(many.couplings)[:, 1], np.array(one.couplings), rtol=1e-12)


def test_other_refusals():
    q = rmf.published("NL3")
    with pytest.raises(ValueError, match="rule must be .*, got 'largest'"):
        rmf.invert(GOOD, rule="largest")
    with pytest.raises(ValueError, match="name must be one of"):
        rmf.published("NL9")
    with pytest.raises(ValueError, match="at least 4 densities rising"):
        rmf.equation_of_state(q, n_b=[0.1, 0.2, 0.15, 0.3])
    with pytest.raises(ValueError, match="g_rho must be a number"):
        rmf.beta_equilibrium(q._replace(g_rho="9"))
    with pytest.raises(ValueError, match="does not saturate between 0.03 and 0.4"):
        rmf.saturation(q._replace(g_sigma=1.0))


def test_prior():
    assert (
        rmf.in_prior(GOOD)
        and not rmf.in_prior(GOOD._replace(J_0=19.0))
        and not rmf.in_prior(GOOD._replace(J_0=np.nan))
    )
    inside = rmf.in_prior(GOOD._replace(K_0=np.array([149.0, 151.0])))
    assert inside.tolist() == [False, True]
    assert int(rmf.invert(GOOD._replace(K_0=310.0)).status) == 0  # outside, and solved


def test_arguments_of_another_type_or_length():
    with pytest.raises(ValueError, match=r"q must be NuclearMatter, got ndarray; .*NuclearMatter\(\*array\.T\)"):
        rmf.invert(np.ones((3, 7)))
    with pytest.raises(ValueError, match=r"must be as many; got shapes \{'rho_0': \(2,\), 'E_0': \(3,\)\}"):
        rmf.invert(rmf.NuclearMatter(np.full(2, 0.15), np.full(3, -16.0), 250.0, -300.0, 0.62, 31.0, 60.0))
