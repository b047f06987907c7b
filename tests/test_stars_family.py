"""nslib.stars.family: families of published equations of state, branches, ends, values at a mass, bad input."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from nslib import stars
from nslib.matter.eos import EOS
from nslib.stars import Flag, Status
from nslib.tables.eos_files import lalsuite_table
from nslib.units import MEV_FM3_PA

REFERENCE = json.loads((Path(__file__).parent / "reference" / "stars.json").read_text())
NAMES = list(REFERENCE["rows"])


def stack(*members):
    return jax.tree.map(lambda *a: jnp.stack(a), *members)


# ---- published equations of state ------------------------------------------------------------------------------


def published(name, n_row):
    """One table, lengthened to n_row rows below its end by p ~ eps^(5/3), the form that is taken there anyway."""
    table = lalsuite_table(name)
    assert len(table) == REFERENCE["rows"][name]
    p, eps = table["p"].to_numpy(), table["eps"].to_numpy()
    more = np.geomspace(p[0] / 10, p[0], n_row - len(p) + 1)[:-1]
    return EOS.from_table(eps=np.append(eps[0] * (more / p[0]) ** 0.6, eps), p=np.append(more, p))


@pytest.fixture(scope="module")
def ten():
    n_row = max(REFERENCE["rows"].values())
    with pytest.warns(UserWarning, match="SLY4"):
        return stack(*(published(name, n_row) for name in NAMES))


@pytest.fixture(scope="module", params=["default", "accurate"])
def published_families(request, ten):
    """Families at one setting, with the bars of M_max, R(1.4), Lambda(1.4) and those of what is less needed."""
    if request.param == "default":
        return stars.family(ten), (1e-4, 1e-4, 1e-3), (1e-3, 1e-2, 5e-3)
    return stars.family(ten, **stars.ACCURATE), (1e-5, 1e-5, 1e-4), (2e-4, 2e-3, 1e-3)


def worst(found, quantity, unit=1.0):
    expected = np.array([REFERENCE["stars"][name][quantity] for name in NAMES]) / unit
    return np.max(np.abs(np.asarray(found) / expected - 1))


def test_published_stars(published_families):
    """Against the reference stars; measured 4e-5, 9e-6, 4e-5 and 1.4e-6, 5e-8, 4e-7."""
    family, bars, _ = published_families
    assert np.asarray(family.status).tolist() == [Status.OK] * 10
    assert worst(family.M_max, "Mmax") < bars[0]
    assert worst(family.R(1.4), "R14") < bars[1]
    assert worst(family.Lambda(1.4), "L14") < bars[2]


def test_published_ends_of_families(published_families):
    """The star of maximum mass is where M is flat, so that its radius and pressure are known less well."""
    family, _, (R, p, Lambda) = published_families
    assert worst(family.p_at(1.4), "pc14", MEV_FM3_PA) < 1e-4
    assert worst(family.R_max, "R_Mmax") < R
    assert worst(family.p_max, "pc_max", MEV_FM3_PA) < p
    assert worst(family.Lambda_max, "L_Mmax") < Lambda


def test_superluminal_ends_are_flagged(published_families):
    # cs2 at the centre of the heaviest star: WFF1 1.40, BSK20 1.13, AP4 1.34, all others below one (same reference)
    family = published_families[0]
    for i, name in enumerate(NAMES):
        flag, acausal = np.asarray(family.flag[i]), np.asarray(family.p_c[i] > family.p_causal[i])
        assert np.array_equal(flag == Flag.ACAUSAL, acausal)
        assert (flag[-1] == Flag.ACAUSAL) == (name in ("WFF1", "BSK20", "AP4")), name
        assert np.isfinite(np.asarray(family.tidal[i])).all()
    at_end = dict(zip(NAMES, np.asarray(family.cs2_max)))
    assert at_end["WFF1"] == pytest.approx(1.40, abs=0.01)
    assert at_end["BSK20"] == pytest.approx(1.126, abs=0.005)
    assert at_end["SLY4"] == pytest.approx(0.968, abs=0.005)


def test_family_that_ends_at_causality(ten):
    whole, causal = stars.family(ten), stars.family(ten, causal=True)
    for i, name in enumerate(NAMES):
        if name in ("WFF1", "BSK20", "AP4"):
            assert Status(int(causal.status[i])) is Status.CAUSAL_END
            assert float(causal.p_max[i]) == pytest.approx(float(causal.p_causal[i]), rel=1e-9)
            assert float(causal.cs2_max[i]) == pytest.approx(1.0, abs=1e-9)
            assert float(causal.M_max[i]) < float(whole.M_max[i])
            assert not np.any(np.asarray(causal.flag[i]))
        else:
            assert Status(int(causal.status[i])) is Status.OK
            np.testing.assert_allclose(causal.M_max[i], whole.M_max[i], rtol=1e-7)
    np.testing.assert_allclose(whole.R(1.4), causal.R(1.4), rtol=5e-6)


# ---- equations of state made here ------------------------------------------------------------------------------

#: polytrope p = K rho^2, eps = rho + p with M_max = 2.0 Msun; rows of every table here
K, N_ROW = 1 / 2300, 400


def eps_of(p):
    return np.sqrt(p / K) + p


def columns(p_t=None, factor=1.0, cs2=1.0, high=3000.0, low=1e-13):
    """eps and p of the polytrope; above p_t matter of constant cs2 whose eps begins ``factor`` higher."""
    if p_t is None:
        p = np.geomspace(low, high, N_ROW)
        return eps_of(p), p
    below, above = np.geomspace(low, p_t, N_ROW // 2), np.geomspace(p_t, high, N_ROW // 2)
    below[-1] = above[0] = p_t
    return np.append(eps_of(below), eps_of(p_t) * factor + (above - p_t) / cs2), np.append(below, above)


def polytrope(**how):
    eps, p = columns(**how)
    return EOS.from_table(eps=eps, p=p)


def solved(eos, p_c):
    """Stars of given central pressures; always solved by the 81, for which one compilation does."""
    p_c = np.atleast_1d(p_c)
    star, flag = stars.solve(eos, np.resize(p_c, 81))
    return jax.tree.map(lambda a: np.asarray(a)[: len(p_c)], (star, flag))


@pytest.fixture(scope="module")
def soft():
    return polytrope()


@pytest.fixture(scope="module")
def family(soft):
    return stars.family(soft)


def test_shape_of_a_family(soft, family):
    assert Status(int(family.status)) is Status.OK and int(family.n_branch) == 1
    assert family.mass.shape == family.p_c.shape == (64,)
    assert np.all(np.diff(family.mass) > 0) and np.all(np.diff(family.p_c) > 0)
    assert float(family.p_c[0]) == pytest.approx(2.0, rel=1e-7)
    ratio = np.diff(
        np.log(np.log1p(2 * np.sqrt(K * np.asarray(family.p_c))))
    )  # h = ln(1 + 2 K rho) is log-uniform
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


def test_members_are_the_stars_of_solve(soft, family):
    star, flag = solved(soft, family.p_c[::7])
    for a, b in zip(star, (family.mass, family.radius, family.tidal)):
        np.testing.assert_allclose(a, b[::7], rtol=1e-7)
    assert np.array_equal(np.asarray(flag), np.asarray(family.flag[::7]))


def test_maximum_mass_is_the_largest(soft, family):
    p = np.geomspace(0.9, 1.1, 81) * float(family.p_max)
    M = solved(soft, p)[0].M
    assert float(family.M_max) == pytest.approx(M.max(), rel=1e-7)
    assert float(family.M_max) >= M.max() * (1 - 1e-9)


def test_star_of_given_mass(soft, family):
    """at_mass against a root found from outside, by SciPy on single stars."""
    for M in (float(family.mass[0]) * 1.001, 1.0, 1.4, 1.8, float(family.M_max) * 0.999):
        p = brentq(lambda p: solved(soft, p)[0].M[0] - M, 1.0, float(family.p_max), xtol=1e-9)
        star = jax.tree.map(lambda a: float(a[0]), solved(soft, p)[0])
        near = M > 1.9  # there M is flat, so that p_c is known less well
        assert float(family.R(M)) == pytest.approx(star.R, rel=1e-4 if near else 2e-6)
        assert float(family.Lambda(M)) == pytest.approx(star.Lambda, rel=1e-3 if near else 2e-5)
        assert float(family.p_at(M)) == pytest.approx(p, rel=1e-3 if near else 2e-5)


def test_at_mass_returns_the_nodes(family):
    star = family.at_mass(family.mass)
    for found, node in zip((*star[1:], family.p_at(family.mass)), (family.radius, family.tidal, family.p_c)):
        np.testing.assert_allclose(found[:-1], node[:-1], rtol=1e-9)
        np.testing.assert_allclose(found[-1], node[-1], rtol=1e-6)  # where M is flat, rounding of M moves p_c
    assert family.R(1.0).shape == () and family.R(np.ones(3)).shape == (3,)


@pytest.mark.parametrize("M", [0.01, 2.5, np.nan, [1.0, 9.9]])
def test_mass_outside_the_family(family, M):
    with pytest.raises(ValueError, match=r"M must lie within the family, \[0\.\d+, 2\.\d+\] Msun; got"):
        family.R(M)


def test_mass_outside_a_family_of_a_batch(soft):
    batch = stars.family(stack(soft, polytrope(high=100.0)))
    R = np.asarray(batch.R([1.0, 1.98, 9.0]))
    assert R.shape == (2, 3) and np.isnan(R).tolist() == [[False, False, True], [False, True, True]]
    each = np.asarray(batch.R(np.array([[1.98], [1.0]])))
    assert each.tolist() == [[R[0, 1]], [R[1, 0]]]
    assert np.asarray(batch.R(1.0)).tolist() == R[:, 0].tolist()


def test_table_that_ends_before_the_maximum():
    family = stars.family(polytrope(high=100.0))
    assert Status(int(family.status)) is Status.NO_MAXIMUM
    assert float(family.p_max) == pytest.approx(100.0, rel=1e-9)
    assert np.isinf(float(family.p_causal))


def test_first_star_at_the_pressure_asked_for(soft):
    low = stars.family(soft, p_min=1.5)
    assert float(low.p_c[0]) == pytest.approx(1.5, rel=1e-7)
    assert float(low.M_max) == pytest.approx(float(stars.family(soft).M_max), rel=1e-7)


def test_batch_is_its_members(soft):
    stiff = EOS.from_table(eps=0.8 * np.asarray(soft.eps), p=soft.p)
    batch = stars.family(stack(soft, stiff))
    for i, one in enumerate((soft, stiff)):
        single = stars.family(one)
        for name in ("p_c", "mass", "radius", "tidal", "cs2_max"):
            np.testing.assert_allclose(
                getattr(batch, name)[i], getattr(single, name), rtol=1e-9, err_msg=name
            )


def test_same_answer_twice(soft):
    a, b = stars.family(soft), stars.family(soft)
    assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)))


# ---- branches --------------------------------------------------------------------------------------------------


def seidov(p_t):
    """Least factor of eps at which a core destabilises the star at once: Z. F. Seidov, Sov. Astron. 15 (1971) 347."""
    return 1 + 0.5 + 1.5 * p_t / eps_of(p_t)


P_T = 60.0


@pytest.fixture(scope="module")
def hybrids():
    """Above 60 MeV fm^-3: eps more, less than the critical step higher; twice as high; hardly higher. Then a jump at
    90 MeV fm^-3 in matter said to be superluminal above 60."""
    jumps = [(P_T, factor) for factor in (seidov(P_T) + 0.15, seidov(P_T) - 0.3, 2.1, 1.05)] + [(90.0, 1.1)]
    tables = [columns(p_t=p_t, factor=factor, cs2=0.9) for p_t, factor in jumps]
    fast = [np.where(p > P_T, 1.5 if k == 4 else 0.5, 0.5) for k, (_, p) in enumerate(tables)]
    return stack(*(EOS.from_table(eps=eps, p=p, cs2=c) for (eps, p), c in zip(tables, fast)))


@pytest.fixture(scope="module")
def branches(hybrids):
    return [stars.family(hybrids, branch=k, causal=True) for k in (0, 1)]


def test_seidov_criterion(hybrids, branches):
    """A step above the critical one ends the branch at the jump itself, one below does not."""
    light = branches[0]
    assert float(light.p_max[0]) == pytest.approx(P_T, rel=1e-9)
    assert float(light.p_max[1]) > 1.01 * P_T
    at_jump = solved(hybrids[0], P_T)[0].M[0]
    assert float(light.M_max[0]) == pytest.approx(at_jump, rel=1e-9)


def test_twin_stars(hybrids, branches):
    light, heavy = branches
    assert int(light.n_branch[2]) == int(heavy.n_branch[2]) == 2
    assert Status(int(light.status[2])) is Status(int(heavy.status[2])) is Status.OK
    for family in branches:
        assert np.all(np.diff(family.mass[2]) > 0) and np.isfinite(np.asarray(family.tidal[2])).all()
    assert float(light.p_max[2]) == pytest.approx(P_T, rel=1e-9)
    # the second branch begins at a minimum: both neighbours of its first star are heavier
    M = solved(hybrids[2], float(heavy.p_c[2, 0]) * np.array([0.97, 1.0, 1.03]))[0].M
    assert M[1] < M[0] and M[1] < M[2] and M[1] == pytest.approx(float(heavy.mass[2, 0]), rel=1e-8)
    # twins: the same mass twice, with radii far apart
    M = min(float(light.M_max[2]), float(heavy.M_max[2])) * 0.999
    assert float(light.R(M)[2]) > 1.1 * float(heavy.R(M)[2])


def test_no_such_branch(branches):
    light, heavy = branches
    assert np.asarray(heavy.status).tolist()[2:4] == [Status.OK, Status.NO_SUCH_BRANCH]
    assert int(heavy.n_branch[3]) == 1
    assert np.isnan(np.asarray(heavy.mass[3])).all() and np.isnan(float(heavy.R(1.0)[3]))
    assert np.isfinite(np.asarray(light.mass)).all()


def test_jump_beyond_the_end_changes_no_status(branches):
    """One above the causal end; and, in the test below, one that only a neighbour has."""
    light = branches[0]
    assert Status(int(light.status[4])) is Status.CAUSAL_END and float(light.p_max[4]) < 1.1 * P_T


def test_jump_that_only_a_neighbour_has(hybrids):
    """A member without jumps, solved beside one with a jump, keeps its status and its stars."""
    rising = polytrope(high=100.0)
    alone = stars.family(rising)
    beside = stars.family(stack(EOS(rising.eps, rising.p, cs2=rising.sound_speed()), hybrids[3]), causal=True)
    assert Status(int(beside.status[0])) is Status(int(alone.status)) is Status.NO_MAXIMUM
    np.testing.assert_allclose(beside.mass[0], alone.mass, rtol=1e-9)


# ---- bad input -------------------------------------------------------------------------------------------------


def damaged(how):
    """eps and p of the polytrope, damaged; as an EOS that no check has seen."""
    eps, p = columns()
    if how == "rows swapped":
        eps[[200, 201]], p[[200, 201]] = eps[[201, 200]], p[[201, 200]]
    elif how == "NaN":
        eps[77] = np.nan
    elif how == "negative":
        p[0] = -1.0
    elif how == "three equal pressures":
        p[200:203] = p[200]
    elif how == "pressure falls":
        p[300] = p[298] * 0.5
    elif how == "eps stands":
        eps[50] = eps[49]
    elif how == "no crust":
        eps, p = columns(low=1.0)
    elif how == "units off by 1e39":
        eps, p = eps * 1e39, p * 1e39
    elif how == "units off by 1e-39":
        eps, p = eps / 1e39, p / 1e39
    elif how == "ends below p_min":
        eps, p = columns(high=1.5)
    return EOS(jnp.asarray(eps), jnp.asarray(p))


BAD = {
    "rows swapped": Status.P_FALLS,
    "NaN": Status.NOT_FINITE,
    "negative": Status.NOT_FINITE,
    "three equal pressures": Status.P_FALLS,
    "pressure falls": Status.P_FALLS,
    "eps stands": Status.EPS_DOES_NOT_RISE,
    "no crust": Status.NO_SURFACE,
    "ends below p_min": Status.TABLE_ENDS_EARLY,
    "units off by 1e39": Status.WRONG_UNITS,
    "units off by 1e-39": Status.WRONG_UNITS,
}


def test_bad_members_of_a_batch(soft):
    """Each bad member has its status and NaN stars; the good ones are bit-identical to a batch without bad ones."""
    good = [polytrope(high=h) for h in (3000.0, 1000.0, 60.0)]
    bad = [damaged(how) for how in BAD]
    spoiled = stars.family(stack(good[0], *bad[:5], good[1], *bad[5:], good[2]))
    clean = stars.family(stack(good[0], *[good[1]] * 5, good[1], *[good[1]] * 5, good[2]))
    for i in (0, 6, 12):
        for a, b in zip(jax.tree.leaves(spoiled), jax.tree.leaves(clean)):
            assert np.array_equal(np.asarray(a[i]), np.asarray(b[i]), equal_nan=True)
    for how, i in zip(BAD, (1, 2, 3, 4, 5, 7, 8, 9, 10, 11)):
        assert Status(int(spoiled.status[i])) is BAD[how], how
        assert np.isnan(np.asarray(spoiled.mass[i])).all() and np.isnan(float(spoiled.R(1.0)[i]))
        assert np.all(np.asarray(spoiled.flag[i]) == Flag.BEYOND_TABLE)
        assert int(spoiled.n_branch[i]) == 0


@pytest.mark.parametrize("how", BAD)
def test_single_bad_table(how):
    with pytest.raises(ValueError, match="eos has no family of branch 0 .*: " + BAD[how].sentence[:20]):
        stars.family(damaged(how))


@pytest.mark.parametrize(
    "wrong", [{"n_star": 3}, {"steps": 7.5}, {"rows": "512"}, {"branch": -1}, {"p_min": 0.0}, {"p_min": -2.0}]
)
def test_settings_out_of_range(soft, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must be .*got"):
        stars.family(soft, **wrong)


def test_solve_beyond_the_table(soft):
    for p_c in (3001.0, 1e-13, -1.0, np.nan):
        with pytest.raises(ValueError, match=r"p_c must lie in \(1e-13, 3000\] MeV fm\^-3, got"):
            stars.solve(soft, p_c)
    star, flag = solved(soft, [10.0, 3001.0, np.nan, 20.0])
    assert flag.tolist() == [Flag.OK, Flag.BEYOND_TABLE, Flag.BEYOND_TABLE, Flag.OK]
    assert np.isnan(np.asarray(star.M)).tolist() == [False, True, True, False]
    alone = solved(soft, [10.0, 15.0, 18.0, 20.0])[0]
    for a, b in zip(star, alone):
        assert np.array_equal(np.asarray(a)[[0, 3]], np.asarray(b)[[0, 3]])


def test_solve_takes_one_good_table(soft):
    with pytest.raises(ValueError, match=r"solve takes one EOS; take a member with eos\[i\]"):
        stars.solve(stack(soft, soft), 10.0)
    with pytest.raises(ValueError, match="eos: p falls"):
        stars.solve(damaged("pressure falls"), 10.0)


def test_under_jit(soft, family):
    """A traced table cannot be searched for jumps: a status instead of a smeared jump. Others are solved."""
    eps, p = columns(p_t=P_T, factor=1.3)
    found = jax.jit(stars.family)(stack(soft, EOS.from_table(eps=eps, p=p)))
    assert np.asarray(found.status).tolist() == [Status.OK, Status.JUMP_NOT_SEEN]
    np.testing.assert_allclose(found.mass[0], family.mass, rtol=1e-9)
    assert np.isnan(np.asarray(found.mass[1])).all()
    np.testing.assert_allclose(
        jax.jit(lambda f: f.R(jnp.array([1.4, 9.0])))(family), [family.R(1.4), np.nan], rtol=1e-12
    )


def test_quark_star():
    """Matter dense at its surface, p = (eps - 4B) / 3, 4B = 380 MeV fm^-3, against the scaled bag model.

    1.9638 Msun and 10.7127 km at B = 60 MeV fm^-3, both falling as B^(-1/2): P. Haensel, A. Y. Potekhin and
    D. G. Yakovlev, Neutron Stars 1 (2007), chapter 8. Measured: 6e-5, 2e-4.
    """
    p = np.geomspace(1e-8, 3000.0, N_ROW)
    family = stars.family(EOS.from_table(eps=3 * p + 380.0, p=p), p_min=5.0)
    assert Status(int(family.status)) is Status.OK and not np.any(np.asarray(family.flag))
    assert float(family.M_max) == pytest.approx(1.9638 * np.sqrt(60 / 95), rel=2e-4)
    assert float(family.R_max) == pytest.approx(10.7127 * np.sqrt(60 / 95), rel=5e-4)


def test_every_status_and_flag_has_a_sentence():
    for code in (*Status, *Flag):
        assert code.sentence[0].islower() and len(code.sentence) > 5
    assert [s for s in Status if s.solved] == [Status.OK, Status.CAUSAL_END, Status.NO_MAXIMUM]
