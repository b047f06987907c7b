"""nslib.matter.transition: crossings made by hand, phases evaluated apart, policies, delta to zero, thermodynamics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib.matter import quark, rmf, transition
from nslib.matter.eos import EOS
from nslib.matter.quark import MFTQCD
from nslib.matter.transition import Status

#: quark matter and the four sets of hadrons of most tests: each crosses once or twice
NAMES = ("FSUGarnet", "FSUGarnet", "NL3", "IU-FSU")
Q = MFTQCD(np.array([0.0014, 0.0010, 0.0010, 0.0012]), np.array([80.0, 120.0, 120.0, 90.0]))


def stack(trees):
    return jax.tree.map(lambda *a: np.array(a), *trees)


@pytest.fixture(scope="module")
def sets():
    return stack([rmf.published(name) for name in NAMES])


@pytest.fixture(scope="module")
def hadrons(sets):
    return rmf.equation_of_state(sets)


@pytest.fixture(scope="module")
def made(hadrons):
    """Maxwell with both policies that differ in their rows, smooth of both forms."""
    out = {policy: transition.maxwell(hadrons, Q, policy=policy) for policy in ("stay", "envelope")}
    for form, root in (("local", 2.0), ("gauss", 8.0)):
        out[form] = transition.smooth(hadrons, Q, root, form=form, policy="envelope")
    return out


# ---- crossings made by hand ------------------------------------------------------------------------------------

MU = np.linspace(940.0, 1500.0, 160)
BY_HAND = MFTQCD(0.0012, 60.0)


def hadrons_that_cross(*roots, c=None):
    """Hadrons whose pressure is that of the quarks BY_HAND less c times the product of (mu - root)."""
    u = quark.at_potential(BY_HAND, MU)
    f = np.poly1d(roots, r=True) * (10.0 ** (1 - 2 * len(roots)) if c is None else c)
    p, n = u.p - f(MU), u.n_b - f.deriv()(MU)
    dn = u.n_b / (u.mu_b * u.cs2) - f.deriv(2)(MU)
    assert np.all(dn > 0) and np.all(p[10:] > 0)
    return EOS(MU * n - p, p, n, jnp.asarray(MU), n / (MU * dn))


def test_crossings_made_by_hand():
    """One, two and three crossings at given potentials; in the first cell after n_min too."""
    ends = (1101.23, 1250.0, 1401.7)
    cases = [hadrons_that_cross(*ends[:k], c=c) for k, c in ((1, 0.1), (2, -2e-4), (3, 5e-7))]
    found = transition.maxwell(stack(cases), BY_HAND, policy="stay", n_min=0.2)
    assert np.asarray(found.status).tolist() == [0, 0, 0]
    assert np.asarray(found.n_crossing).tolist() == [1, 2, 3]
    np.testing.assert_allclose(found.mu_t, ends[0], rtol=1e-12)
    np.testing.assert_allclose(found.mu_back, [np.inf, ends[1], ends[1]], rtol=1e-12)
    p = quark.at_potential(BY_HAND, ends[0])
    np.testing.assert_allclose(found.p_t, p.p, rtol=1e-11)
    np.testing.assert_allclose(found.n_q, p.n_b, rtol=1e-11)
    np.testing.assert_allclose(found.eps_q, p.eps, rtol=1e-11)
    slope = [0.1, -2e-4 * (ends[0] - ends[1]), 5e-7 * (ends[0] - ends[1]) * (ends[0] - ends[2])]
    np.testing.assert_allclose(found.n_q - found.n_t, slope, rtol=1e-6)
    strict = transition.maxwell(stack(cases), BY_HAND, policy="envelope", n_min=0.2)
    assert np.asarray(strict.status).tolist() == [0, 0, Status.MORE_CROSSINGS]
    assert [len(strict.eos[i].jumps()) for i in (0, 1)] == [1, 2]
    strict = transition.maxwell(stack(cases), BY_HAND, policy="reject", n_min=0.2)
    assert np.asarray(strict.status).tolist() == [0, Status.CROSSES_BACK, Status.MORE_CROSSINGS]
    with pytest.raises(ValueError, match="policy 'reject': the pressures cross three times or more"):
        transition.maxwell(cases[2], BY_HAND, policy="reject", n_min=0.2)


# ---- Maxwell ---------------------------------------------------------------------------------------------------


def test_phases_meet(sets, made):
    """Each phase, solved at its own density, has the potential and the pressure of the transition."""
    found = made["stay"]
    assert np.asarray(found.status).tolist() == [0, 0, 0, 0] and np.asarray(found.mu_t).min() > 1000
    for i in range(4):
        mu, p, n_q = (float(getattr(found, name)[i]) for name in ("mu_t", "p_t", "n_q"))
        u = quark.at_density(MFTQCD(*(np.ravel(a)[i % np.size(a)] for a in Q)), n_q)
        assert float(u.mu_b) == pytest.approx(mu, rel=1e-11) and float(u.p) == pytest.approx(p, rel=1e-9)
    n = np.concatenate([[0.06, 0.1], np.sort(found.n_t), [1.0]])
    u = rmf.beta_equilibrium(sets, n)
    at = 2 + np.argsort(np.argsort(found.n_t))
    # p(mu) of degree five between rows 2 % apart: (1/2 10^-2)^6 in p, one power less in n
    np.testing.assert_allclose(np.asarray(u.mu_b)[range(4), at], found.mu_t, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(u.p)[range(4), at], found.p_t, rtol=1e-8)


def test_rows(hadrons, made):
    """Hadrons as given below; two rows of one pressure; quarks above, up to the hadrons' last density."""
    found = made["stay"]
    for i in range(4):
        eos, before = found.eos[i], hadrons[i]
        k = int(np.flatnonzero(np.diff(eos.p) == 0)[0])
        assert [j[0] for j in eos.jumps()] == [float(found.p_t[i])]
        for name in ("eps", "p", "n_b", "mu_b", "cs2"):
            assert np.array_equal(getattr(eos, name)[:k], getattr(before, name)[:k])
        assert eos.mu_b[k] == eos.mu_b[k + 1] == found.mu_t[i] and eos.n_b[k + 1] == found.n_q[i]
        q = MFTQCD(Q.xi[i], Q.B[i])
        u = quark.at_density(q, np.asarray(eos.n_b[k + 1 :])[:16])
        np.testing.assert_allclose(eos.p[k + 1 : k + 17], u.p, rtol=1e-9)
        np.testing.assert_allclose(eos.cs2[k + 1 : k + 17], u.cs2, rtol=1e-11)
        assert float(eos.n_b[-1]) == pytest.approx(2.0, rel=1e-12)
        assert np.all(np.diff(eos.n_b) > 0) and np.all(np.diff(eos.eps) > 0)


def test_envelope_is_the_larger_pressure(hadrons, made):
    """At the potentials of the rows, p is the larger of both phases; with stay it is that of the quarks."""
    found, stay = made["envelope"], made["stay"]
    returns = np.isfinite(np.asarray(found.mu_back))
    assert returns.any() and not returns.all()
    for i in range(4):
        eos = found.eos[i]
        rows = np.searchsorted(eos.mu_b, hadrons.mu_b[i])
        u = quark.at_potential(MFTQCD(Q.xi[i], Q.B[i]), np.asarray(hadrons.mu_b[i]))
        np.testing.assert_allclose(eos.p[rows], np.maximum(u.p, hadrons.p[i]), rtol=1e-10, atol=1e-10)
        assert len(eos.jumps()) == 1 + returns[i] and len(stay.eos[i].jumps()) == 1
        assert np.all(np.diff(eos.n_b) > 0)


@pytest.mark.parametrize("kind", ["stay", "envelope", "local", "gauss"])
def test_thermodynamics(made, kind):
    """dp = n dmu between rows; bar: median 1e-6 for every accepted equation of state."""
    found = made[kind]
    good = np.asarray(found.status) == 0
    assert good.sum() >= 3
    eos = found.eos[np.flatnonzero(good)]
    error = np.asarray(transition.duhem_error(eos))
    assert np.nanmedian(error, axis=1).max() < 1e-7 and np.nanquantile(error, 0.95, axis=1).max() < 1e-5
    assert np.asarray(eos.first_law_error()).max() < 1e-4
    assert np.isnan(error).sum() <= 2 * len(error)


def test_report_of_broken_columns(hadrons):
    """A density that is off by 1e-4 is reported as such; so is a pressure."""
    eos = hadrons[0]
    shifted = transition.duhem_error(EOS(eos.eps, eos.p, eos.n_b * 1.0001, eos.mu_b, eos.cs2))
    assert float(jnp.median(shifted)) == pytest.approx(1e-4, rel=0.01)
    broken = transition.duhem_error(EOS(eos.eps, eos.p.at[80].multiply(1.001), eos.n_b, eos.mu_b, eos.cs2))
    assert np.flatnonzero(np.asarray(broken) > 1e-4).tolist() == [79, 80]


def test_derivative_of_the_transition():
    """d mu_t / dB = 1 / (n_Q - n_H): the bag lowers p_Q by as much, at every potential."""
    hadrons = hadrons_that_cross(1101.23, c=0.1)

    @jax.jit
    def f(B):
        found = transition.maxwell(hadrons, BY_HAND._replace(B=B), policy="stay", n_min=0.2)
        return found.mu_t, found.n_t

    (_, _), (slope, slope_n) = jax.jvp(f, (60.0,), (1.0,))
    assert float(slope) == pytest.approx(10.0, rel=1e-8)
    n = np.interp(1101.23, MU, hadrons.n_b / (hadrons.mu_b * hadrons.cs2))
    assert float(slope_n) == pytest.approx(10 * n, rel=1e-3)


# ---- smooth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["local", "gauss"])
def test_delta(form):
    mu = jnp.linspace(950.0, 1500.0, 7)
    d = lambda mu: transition.delta(mu, 9.0, 1100.0, form)[0]
    first = jax.grad(d)
    found = transition.delta(mu, 9.0, 1100.0, form)
    for a, b in zip(found, (d, first, jax.grad(first))):
        np.testing.assert_allclose(a, jax.vmap(b)(mu), rtol=1e-12, atol=1e-300)
    assert float(d(1100.0)) == pytest.approx(
        9.0 if form == "local" else 9 * np.exp(-((11 / 7) ** 2)), rel=1e-14
    )


@pytest.mark.parametrize(("form", "root"), [("local", 2.0), ("gauss", 8.0)])
def test_smooth_solves_its_equation(hadrons, made, form, root):
    """(p - p_H)(p - p_Q) = delta with phases solved apart, at the potentials of the hadrons."""
    found = made[form]
    for i in np.flatnonzero(np.asarray(found.status) == 0):
        eos, before = found.eos[i], hadrons[i]
        above = np.asarray(before.n_b) > 0.07
        rows = np.searchsorted(eos.mu_b, before.mu_b[above])
        assert np.array_equal(eos.mu_b[rows], before.mu_b[above])
        u = quark.at_potential(MFTQCD(Q.xi[i], Q.B[i]), np.asarray(before.mu_b))
        p = eos.p[rows]
        expected = transition.delta(before.mu_b, root**2, found.mu_t[i], form)[0][above]
        # p - p_H is a difference of numbers up to 2000, known to 1e-12
        np.testing.assert_allclose(
            (p - before.p[above]) * (p - u.p[above]), expected, rtol=1e-8, atol=1e-9 * float(before.p[-1])
        )
        assert np.all(np.diff(eos.n_b) > 0) and np.all(np.diff(eos.p) >= 0)


def test_second_crossing_of_the_local_form_is_a_jump(made):
    """Of the first member, where delta is 4 exp(-74): 1e-16 MeV wide. Of the last, exp(-31), it is still drawn."""
    found, sharp = made["local"], made["envelope"]
    assert np.isfinite(np.asarray(found.mu_back)).tolist() == [True, False, False, True]
    assert [len(found.eos[i].jumps()) for i in range(4)] == [1, 0, 0, 0]
    assert [len(sharp.eos[i].jumps()) for i in range(4)] == [2, 1, 1, 2]
    np.testing.assert_allclose(found.eos[0].jumps()[0], sharp.eos[0].jumps()[1], rtol=1e-12)
    assert all(not made["gauss"].eos[i].jumps() for i in range(4))


def test_delta_to_zero(hadrons, made):
    """p exceeds the envelope by at most sqrt(delta), and by that at the crossing itself."""
    found = transition.smooth(hadrons, Q, 0.01, form="local", policy="envelope")
    assert np.asarray(found.status).tolist() == [0, 0, 0, 0]
    for i in range(4):
        eos, sharp = found.eos[i], made["envelope"].eos[i]
        k = int(np.flatnonzero(np.asarray(eos.mu_b) == float(found.mu_t[i]))[0])
        assert float(eos.p[k] - found.p_t[i]) == pytest.approx(0.01, rel=1e-6)
        rows = np.searchsorted(eos.mu_b, np.delete(sharp.mu_b, np.flatnonzero(np.diff(sharp.p) == 0)))
        assert np.all(np.abs(np.asarray(eos.n_b)[k] - (found.n_t[i] + found.n_q[i]) / 2) < 1e-3)
        assert len(rows) > 100


# ---- statuses and refusals -------------------------------------------------------------------------------------


def test_statuses(hadrons):
    """Each bad member has its status and NaN rows; neighbours are not touched."""
    many = jax.tree.map(lambda a: np.repeat(np.asarray(a[:1]), 8, axis=0), hadrons)
    bad = jax.tree.map(np.copy, many)
    bad.p[1, 150] = np.nan
    bad.mu_b[2, 100] = bad.mu_b[2, 99]
    xi = np.array([0.0014, 0.0014, 0.0014, 0.5, 0.0014, 0.0014, 0.0014, 0.0014])
    B = np.array([80.0, 80, 80, 80, 80, 60, 150, 80])
    m_u, m_s = np.full(8, 5.0), np.full(8, 100.0)
    m_u[4], m_s[4] = 50.0, 1.0
    found = transition.maxwell(bad, MFTQCD(xi, B, m_u=m_u, m_s=m_s), policy="stay")
    S = Status
    assert np.asarray(found.status).tolist() == [
        S.OK, S.HADRONS_NOT_FINITE, S.HADRONS_FALL, S.OUT_OF_RANGE, S.QUARKS_NOT_FOUND, S.QUARKS_BELOW,
        S.NO_TRANSITION, S.OK,
    ]  # fmt: skip
    assert np.isnan(np.asarray(found.eos.p[1:7])).all() and np.isnan(np.asarray(found.mu_t[1:7])).all()
    clean = transition.maxwell(many, MFTQCD(np.full(8, 0.0014), 80.0), policy="stay")
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(clean)):
        assert np.array_equal(np.asarray(a)[[0, 7]], np.asarray(b)[[0, 7]])
    assert (found.policy, found.construction, found.coefficient) == ("stay", "maxwell", "Albino2024")
    assert all(s.sentence for s in Status)


def test_unstable_smooth_matter(hadrons):
    """A wide delta that dies out fast bends p the wrong way: refused, not repaired; root_delta 0 is no smooth matter."""
    roots = np.array([2.0, 60.0, 0.0, np.nan])
    q = MFTQCD(np.full(4, 0.0014), 80.0)
    many = jax.tree.map(lambda a: np.repeat(np.asarray(a[:1]), 4, axis=0), hadrons)
    found = transition.smooth(many, q, roots, form="local", policy="envelope")
    S = Status
    assert np.asarray(found.status).tolist() == [S.OK, S.NOT_STABLE, S.OUT_OF_RANGE, S.OUT_OF_RANGE]


def test_batches_and_single(hadrons, made):
    """One set of hadrons with several quark phases, several with one, one with one."""
    several = transition.maxwell(hadrons[0], Q, policy="stay")
    assert several.eos.p.shape == made["stay"].eos.p.shape
    assert np.array_equal(several.eos.p[0], made["stay"].eos.p[0], equal_nan=True)
    many = transition.maxwell(hadrons, MFTQCD(0.0014, 80.0), policy="stay")
    assert np.array_equal(many.eos.p[0], made["stay"].eos.p[0])
    one = transition.maxwell(hadrons[0], MFTQCD(0.0014, 80.0), policy="stay")
    assert one.mu_t.shape == () and not one.eos.is_batch
    np.testing.assert_allclose(one.eos.p, many.eos.p[0], rtol=1e-12)
    assert float(one.seidov) == pytest.approx(
        float(one.eps_q / one.eps_t - 1 - 0.5 - 1.5 * one.p_t / one.eps_t), rel=1e-12
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": MFTQCD(0.0014, 150.0)}, "policy 'stay': quark matter never has more pressure"),
        ({"q": MFTQCD(0.0014, 60.0)}, "already below n_min, where the crust is"),
        ({"q": MFTQCD(0.14, 60.0)}, r"xi must lie in \[0, 0.02\] MeV\^-1, got 0.14"),
        ({"policy": "ignore"}, "policy must be one of stay, envelope, reject, got 'ignore'"),
        ({"coefficient": "27/16"}, "coefficient must be one of"),
        ({"n_min": 0.0}, r"n_min must be a number in \(0, 1\) fm\^-3, got 0.0"),
        ({"q": MFTQCD(np.full(3, 0.0014), 80.0)}, "batches of one size"),
    ],
)
def test_what_is_refused(hadrons, change, message):
    how = {"q": MFTQCD(0.0014, 80.0), "policy": "stay"} | change
    some = hadrons if "size" in message else hadrons[0]
    with pytest.raises(ValueError, match=message):
        transition.maxwell(some, **how)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": "stay"}, "policy must be one of envelope, reject, got 'stay'"),
        ({"form": "tanh"}, "form must be one of local, gauss, got 'tanh'"),
        ({"root_delta": 0.0}, r"root_delta must lie in \[0.001, 100\] MeV fm\^-3, got 0"),
        ({"mu_c": -1.0}, r"mu_c must be a number > 0 MeV"),
    ],
)
def test_what_smooth_refuses(hadrons, change, message):
    how = {"root_delta": 3.0, "form": "local", "policy": "envelope"} | change
    with pytest.raises(ValueError, match=message):
        transition.smooth(hadrons[0], MFTQCD(0.0014, 80.0), **how)


def test_hadrons_without_potential(hadrons):
    with pytest.raises(ValueError, match="mu_b is absent"):
        transition.maxwell(EOS(hadrons.eps, hadrons.p, hadrons.n_b), Q, policy="stay")
