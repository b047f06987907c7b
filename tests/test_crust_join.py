"""nslib.crust.join and the standard crust: what is kept, what must rise, and cores that do not fit."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nslib import crust, stars
from nslib.crust import JoinStatus
from nslib.crust.join import N_MAX, N_MIN
from nslib.matter import metamodel
from nslib.matter.eos import EOS

COLUMNS = ("eps", "p", "n_b", "mu_b", "cs2")
BASE = {"L": 58.7, "K_sym": -100.0}


@pytest.fixture(scope="module")
def standard():
    return crust.sly4()


@pytest.fixture(scope="module")
def core():
    return metamodel.eos(**BASE)


@pytest.fixture(scope="module")
def joined(core):
    return crust.join(core)


def pressure_at(eos, n):
    return float(eos.at_density(n).p[0])


# ---- the standard crust ----------------------------------------------------------------------------------------


def test_standard_crust(standard):
    """From 1e-14 MeV fm^-3 to 0.2 fm^-3, all columns rising, the first law kept."""
    assert float(standard.p[0]) == pytest.approx(1e-14, rel=1e-6)
    assert float(standard.n_b[-1]) == pytest.approx(0.2, rel=1e-6)
    for name in ("eps", "p", "n_b", "mu_b"):
        assert np.all(np.diff(getattr(standard, name)) > 0), name
    cs2 = np.asarray(standard.cs2)
    assert np.all((cs2 > 0) & (cs2 < 0.1))
    assert standard.jumps() == [] and crust.sly4() is standard


def test_neutron_drip(standard):
    # 2.6e-4 fm^-3, 4.3e11 g cm^-3, p = 4.9e-4 MeV fm^-3: N. Chamel and P. Haensel, Living Rev. Relativ. 11 (2008) 10
    assert pressure_at(standard, 2.6e-4) == pytest.approx(4.9e-4, rel=0.05)


# ---- one core --------------------------------------------------------------------------------------------------


def test_columns_rise(joined):
    for name in ("eps", "p", "n_b"):
        assert np.all(np.diff(getattr(joined, name)) > 0), name
    assert int(joined.status) == JoinStatus.OK
    EOS.from_table(eps=joined.eps, p=joined.p)  # as strict as for any table


def test_rows_are_kept(joined, core, standard):
    """Rows of the core above the join are those given, bit for bit, and so, but for rounding, the crust's below."""
    n_crust = standard.n_row
    above = np.asarray(core.n_b) > float(joined.n_join)
    below = np.asarray(standard.n_b) < 0.9 * float(joined.n_join)
    for name in COLUMNS:
        kept = np.asarray(getattr(joined, name))
        assert np.array_equal(kept[n_crust:][above], np.asarray(getattr(core, name))[above]), name
        np.testing.assert_allclose(
            kept[:n_crust][below], np.asarray(getattr(standard, name))[below], rtol=1e-13
        )


def test_core_begins_at_the_crossing(joined, core, standard):
    n = float(joined.n_join)
    assert N_MIN < n < N_MAX
    assert float(joined.n_b[standard.n_row]) == pytest.approx(n, rel=1e-12)
    assert pressure_at(core, n) == pytest.approx(pressure_at(standard, n), rel=1e-5)
    for m in np.linspace(N_MIN, n * 0.999, 9):
        assert pressure_at(core, m) < pressure_at(standard, m)


def test_step_of_mu_is_recorded(joined, core, standard):
    """delta_mu: mu of the core less that of the crust at the pressure where the core begins; first law exempt there."""
    k = standard.n_row
    mu_crust = np.interp(np.log(joined.p[k]), np.log(standard.p), standard.mu_b)
    assert float(joined.delta_mu) == pytest.approx(float(joined.mu_b[k]) - mu_crust, abs=0.01)
    assert abs(float(joined.delta_mu)) > 0.1
    assert float(joined.first_law_error()) < 1e-4
    assert (
        float(
            jnp.max(
                jnp.abs(
                    jnp.diff(jnp.log(joined.eps))
                    - (1 + joined.p / joined.eps)[1:] * jnp.diff(jnp.log(joined.n_b))
                )
            )
        )
        > 1e-4
    )


def test_literal(core, standard):
    eos = crust.join(core, how="literal")
    assert float(eos.n_join) == N_MIN and np.all(np.diff(eos.p) > 0)
    k = standard.n_row
    assert float(eos.p[k]) == pytest.approx(pressure_at(core, N_MIN), rel=1e-6)
    assert float(eos.p[k - 1]) < float(eos.p[k]) and float(eos.n_b[k - 1]) < N_MIN


def cut(core, n_first, eps=1.0, p=1.0):
    """Rows of a core from n_first on, the lower ones doubled up above it so that their number stays 160; eps, p scaled."""
    n = np.geomspace(n_first, float(core.n_b[-1]) * (1 - 1e-9), core.n_row)
    own = core.at_density(n)
    return EOS(own.eps * eps, own.p * p, own.n_b, own.mu_b, own.cs2)


def test_first_row_is_the_join(core, standard):
    """Every row of the core is kept bit for bit; the same as asking for its density; rows of the crust end below."""
    own = cut(core, 0.085)
    eos = crust.join(own, how="first")
    k = standard.n_row
    assert float(eos.n_join) == float(own.n_b[0]) and int(eos.status) == JoinStatus.OK
    for name in COLUMNS:
        assert np.array_equal(getattr(eos, name)[k:], getattr(own, name)), name
    for name in ("eps", "p", "n_b"):
        assert np.all(np.diff(getattr(eos, name)) > 0), name
    assert float(eos.p[k - 1]) <= 0.98 * float(own.p[0]) * (1 + 1e-9)
    assert float(eos.n_b[k - 1]) <= 0.99 * float(own.n_b[0]) * (1 + 1e-3)  # p(n) and n(p) of the crust differ so much
    assert float(eos.eps[k - 1]) <= 0.995 * float(own.eps[0]) * (1 + 1e-3)
    asked = crust.join(own, n_join=float(own.n_b[0]))
    for name in COLUMNS:
        assert np.array_equal(getattr(asked, name), getattr(eos, name)), name


def test_a_core_less_dense_than_the_crust(core, standard):
    """2 % less energy density at the first row: the crust ends where it has 99.5 % of it, so that eps rises."""
    own = cut(core, 0.085, eps=0.98)
    eos = crust.join(own, how="first")
    k = standard.n_row
    assert np.all(np.diff(eos.eps) > 0) and np.all(np.diff(eos.p) > 0) and np.all(np.diff(eos.n_b) > 0)
    assert float(eos.eps[k - 1]) == pytest.approx(0.995 * float(own.eps[0]), rel=1e-3)
    assert float(eos.n_b[k - 1]) < 0.985 * float(own.n_b[0])


def test_first_row_in_a_batch_and_under_jit(core):
    """Members with first rows of their own, a bad one among them; no transition is looked for or chosen under jit."""
    good = cut(core, 0.085), cut(core, 0.075, eps=0.99)
    bad = cut(core, 0.085, p=1e-15), cut(core, 0.085, p=1e3), EOS(*(a * jnp.nan for a in jax.tree.leaves(good[0])))
    stack = lambda *cores: jax.tree.map(lambda *a: jnp.stack(a), *cores)  # noqa: E731
    eos = crust.join(stack(good[0], *bad, good[1]), how="first")
    want = [JoinStatus.OK, JoinStatus.NO_OVERLAP, JoinStatus.NO_OVERLAP, JoinStatus.NOT_FINITE, JoinStatus.OK]
    assert np.asarray(eos.status).tolist() == want
    assert np.isnan(eos.p[1:4]).all()
    np.testing.assert_array_equal(np.asarray(eos.n_join[jnp.array([0, 4])]), [float(c.n_b[0]) for c in good])
    clean = crust.join(stack(*[good[0]] * 4, good[1]), how="first")
    for a, b in zip(jax.tree.leaves(eos), jax.tree.leaves(clean)):
        assert np.array_equal(a[0], b[0]) and np.array_equal(a[-1], b[-1])
    traced = jax.jit(lambda core: crust.join(core, how="first"))(good[1])
    np.testing.assert_allclose(traced.p, eos.p[4], rtol=1e-12)
    assert int(traced.status) == JoinStatus.OK
    with pytest.raises(ValueError, match="crust and core do not both reach the density of the join, or the crust not its"):
        crust.join(bad[0], how="first")


def test_chosen_density(core):
    eos = crust.join(core, n_join=0.09)
    assert float(eos.n_join) == 0.09 and np.all(np.diff(eos.p) > 0) and np.all(np.diff(eos.n_b) > 0)


def test_joining_the_crust_to_itself_changes_nothing(standard):
    """A core that is the crust's own matter, joined anywhere, is that matter again, and mu has no step."""
    n = np.geomspace(0.06, 0.2, 160)
    own = standard.at_density(np.clip(n, 0.06, float(standard.n_b[-1])))
    eos = crust.join(own, n_join=0.1)
    assert abs(float(eos.delta_mu)) < 1e-3
    inside = np.geomspace(1e-6, 0.19, 100)
    np.testing.assert_allclose(eos.at_density(inside).p, standard.at_density(inside).p, rtol=2e-3)


def test_stars_hardly_feel_the_rows_of_the_join(core):
    """Two joins 1e-4 fm^-3 apart give the same star to 1e-3: rows that were moved carry no spike."""
    R = [float(stars.family(crust.join(core, n_join=n)).R(1.4)) for n in (0.08, 0.0801)]
    assert R[0] == pytest.approx(R[1], rel=1e-3)


# ---- cores that do not fit -------------------------------------------------------------------------------------


def scaled(core, factor):
    """A core with its pressure multiplied: the first law is broken, which a join does not look at."""
    return EOS(core.eps, core.p * factor, core.n_b, core.mu_b, core.cs2)


def falling(core):
    p = np.array(core.p)
    p[120] = p[118]
    return EOS(core.eps, jnp.asarray(p), core.n_b, core.mu_b, core.cs2)


def broken(core):
    return EOS(core.eps.at[40].set(jnp.nan), core.p, core.n_b, core.mu_b, core.cs2)


def backward(core):
    return EOS(core.eps.at[100].set(core.eps[98]), core.p, core.n_b, core.mu_b, core.cs2)


BAD = {
    JoinStatus.NO_CROSSING: lambda core: scaled(core, 1e-3),
    JoinStatus.P_DOES_NOT_RISE: falling,
    JoinStatus.NOT_FINITE: broken,
    JoinStatus.EPS_DOES_NOT_RISE: backward,
}


@pytest.mark.parametrize("status", BAD, ids=lambda s: s.name)
def test_one_core_that_cannot_be_joined(core, status):
    with pytest.raises(ValueError, match=re.escape(f"core cannot be joined: {status.sentence}")):
        crust.join(BAD[status](core))


def test_negative_pressure_at_the_join(core):
    with pytest.raises(ValueError, match="pressure is not positive at the join"):
        crust.join(EOS(core.eps, core.p - 50.0, core.n_b, core.mu_b, core.cs2), n_join=0.08)


def test_bad_members_of_a_batch(core):
    """Statuses and NaN rows for bad cores, bit-identical neighbours, NaN stars with a status at the end of the chain."""
    other = metamodel.eos(L=70.0, K_sym=0.0)
    stack = lambda *cores: jax.tree.map(lambda *a: jnp.stack(a), *cores)  # noqa: E731
    spoiled = crust.join(stack(core, *(bad(core) for bad in BAD.values()), other))
    clean = crust.join(stack(core, *[core] * len(BAD), other))
    assert np.asarray(spoiled.status).tolist() == [JoinStatus.OK, *BAD, JoinStatus.OK]
    for a, b in zip(jax.tree.leaves(spoiled), jax.tree.leaves(clean)):
        for i in (0, -1):
            assert np.array_equal(np.asarray(a[i]), np.asarray(b[i]))
        if a.ndim == 2:
            assert np.isnan(np.asarray(a[1:-1])).all()
    family = stars.family(spoiled)
    assert np.asarray(family.status).tolist() == [0] + [stars.Status.NOT_FINITE] * len(BAD) + [0]


def test_pressure_that_falls_far_up_may_end_the_core(core):
    eos = crust.join(falling(core), fall="end")
    assert int(eos.status) == JoinStatus.OK and np.all(np.diff(eos.p) > 0)
    assert float(eos.n_b[-1]) == pytest.approx(float(core.n_b[119]), rel=1e-9)
    n = np.geomspace(0.1, 0.9 * float(core.n_b[119]), 50)
    np.testing.assert_allclose(eos.at_density(n).p, core.at_density(n).p, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"how": "smooth"}, 'how must be "crossing", "literal" or "first", got \'smooth\''),
        ({"fall": "ignore"}, 'fall must be "refuse" or "end", got \'ignore\''),
        ({"n_join": 0.01}, "core cannot be joined: crust and core do not both reach the density of the join"),
        ({"n_join": 0.5}, r"n_join must be a number or \(1,\) numbers in \[8.\d+e-12, 0.2\] fm\^-3, got 0.5"),
        ({"n_join": np.nan}, "n_join must be a number .* got nan"),
        ({"n_join": "0.1"}, "n_join must be a number .* got '0.1'"),
        ({"n_join": [0.08, 0.09]}, r"n_join must be a number or \(1,\) numbers"),
    ],
)
def test_bad_arguments(core, arguments, words):
    with pytest.raises(ValueError, match=words):
        crust.join(core, **arguments)


def test_core_that_begins_too_high():
    core = metamodel.eos(**BASE, n_b=np.geomspace(0.3, 1.5, 160))
    with pytest.raises(
        ValueError, match="core cannot be joined: crust and core do not both reach the density"
    ):
        crust.join(core)


def test_core_without_columns(core):
    with pytest.raises(ValueError, match="mu_b is absent"):
        crust.join(EOS(core.eps, core.p, n_b=core.n_b))


def test_batch_is_its_members(core, joined):
    cores = metamodel.eos(L=np.array([58.7, 80.0]), K_sym=np.array([-100.0, 50.0]))
    batch = crust.join(cores)
    for name in (*COLUMNS, "n_join", "delta_mu"):
        np.testing.assert_allclose(getattr(batch, name)[0], getattr(joined, name), rtol=1e-9, err_msg=name)
    assert float(batch.n_join[1]) == pytest.approx(float(crust.join(cores[1]).n_join), rel=1e-12)


def test_every_status_has_a_sentence():
    assert all(len(s.sentence) > 5 for s in JoinStatus)
