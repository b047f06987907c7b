"""nslib.matter.eos: what a table must be, what is said of one that is not, and what an EOS gives back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nslib.matter.eos import EOS

#: polytrope of rest-mass density rho with Gamma = 2: p = K rho^2, eps = rho + p, n_b = rho / m, all closed forms
K, MASS = 0.002, 939.0


def columns(n=40, low=1e-3, high=500.0):
    p = np.geomspace(low, high, n)
    rho = np.sqrt(p / K)
    return {"eps": rho + p, "p": p, "n_b": rho / MASS}


def cs2(p):
    """dp / d eps of the polytrope."""
    return 1 / (1 + 0.5 / np.sqrt(K * p))


# ---- tables that pass -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(1e-3, 3), st.floats(1e-3, 3)), min_size=4, max_size=30),
    st.floats(-20, -3), st.floats(-14, -1),
)  # fmt: skip
def test_any_rising_positive_table_passes(steps, ln_eps, ln_p):
    d_eps, d_p = np.array(steps).T
    eps, p = (np.cumsum(d) for d in (d_eps, d_p))
    eps, p = (np.exp(a - a[-1] + 5.0) for a in (eps - ln_eps, p - ln_p))  # both end at e^5 MeV fm^-3
    assume(p[0] <= eps[0])  # else the columns are taken to be swapped
    eos = EOS.from_table(eps=eps, p=p)
    assert eos.n_row == len(steps) and not eos.is_batch and eos.jumps() == []
    assert np.all(np.asarray(eos.sound_speed()) > 0)


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(6)).filter(lambda k: list(k) != sorted(k)))
def test_any_permutation_is_refused(order):
    c = columns(6)
    with pytest.raises(ValueError, match=r"p falls from .* to .* at row \d"):
        EOS.from_table(eps=c["eps"][list(order)], p=c["p"][list(order)])


def test_jump_is_two_equal_pressures():
    c = columns()
    eps, p = np.insert(c["eps"], 20, c["eps"][19] * 1.02), np.insert(c["p"], 20, c["p"][19])
    eos = EOS.from_table(eps=eps, p=p)
    assert eos.jumps() == [(p[19], eps[19], eps[20])]
    assert np.isfinite(np.asarray(eos.sound_speed())).all()


def test_mu_from_density():
    c = columns()
    eos = EOS.from_table(**c)
    np.testing.assert_allclose(eos.mu_b, (c["eps"] + c["p"]) / c["n_b"], rtol=1e-15)
    assert float(eos.first_law_error()) < 1e-5  # the quadrature's own error at 40 rows over six decades


# ---- bad input: one table --------------------------------------------------------------------------------------

A = columns()


def changed(name, row, value):
    out = {k: v.copy() for k, v in A.items()}
    out[name][row] = value
    return out


BAD = {
    "rows swapped": (dict(A, eps=A["eps"][::-1], p=A["p"][::-1]), r"p falls .* at row 1; .*rows swapped"),
    "eps falls": (changed("eps", 8, A["eps"][6]), r"eps goes from .* to .* at row 8; it must rise"),
    "eps stands": (changed("eps", 8, A["eps"][7]), r"eps goes from .* at row 8; it must rise"),
    "n_b falls": (changed("n_b", 8, A["n_b"][6]), r"n_b goes from .* at row 8"),
    "NaN": (changed("p", 5, np.nan), r"p\[5\] = nan: every value must be finite"),
    "infinite": (changed("eps", 5, np.inf), r"eps\[5\] = inf: every value must be finite"),
    "zero": (changed("p", 0, 0.0), r"p\[0\] = 0: every value must be > 0"),
    "negative": (changed("eps", 0, -1.0), r"eps\[0\] = -1: every value must be > 0"),
    "pressure falls": (changed("p", 9, A["p"][7]), r"p falls from .* to .* at row 9"),
    "three equal pressures": (
        dict(A, p=np.where(np.isin(np.arange(40), (20, 21, 22)), A["p"][20], A["p"])), r"rows 20 to 22; .* not three",
    ),
    "one row": ({k: v[:1] for k, v in A.items()}, r"eps has 1 rows; at least 4"),
    "three rows": ({k: v[:3] for k, v in A.items()}, r"eps has 3 rows; at least 4"),
    "a scalar": (dict(A, p=3.0), r"p must be one column of \(40,\) values, got shape \(\)"),
    "shapes differ": (dict(A, p=A["p"][:-1]), r"p must be one column of \(40,\) values, got shape \(39,\)"),
    "two axes": ({k: v[None] for k, v in A.items()}, r"eps must be one column"),
    "p in units of 1e39": (dict(A, p=A["p"] * 1e39), r"p reaches 5e\+41, outside \(1e-3, 1e6\): not MeV fm\^-3"),
    "all in units of 1e39": (dict(A, p=A["p"] * 1e39, eps=A["eps"] * 1e39), r"eps reaches .*: not MeV fm\^-3"),
    "all in units of 1e-39": (dict(A, p=A["p"] / 1e39, eps=A["eps"] / 1e39), r"eps reaches .*: not MeV fm\^-3"),
    "p in Pa": (dict(A, p=A["p"] * 1.602e32), r"p reaches 8.01e\+34"),
    "geometric, m^-2": (dict(A, p=A["p"] * 1.32e-12, eps=A["eps"] * 1.32e-12), r"eps reaches .*m\^-2"),
    "eps and p swapped": (dict(eps=A["p"], p=A["eps"]), r"p\[0\] = .* exceeds eps\[0\] = .*swapped"),
    "n_b in cm^-3": (dict(A, n_b=A["n_b"] * 1e39), r"outside \(500, 2000\): n_b is not in fm\^-3"),
    "cs2 negative": (dict(A, cs2=np.full(40, -0.1)), r"cs2\[0\] = -0.1: it must be >= 0"),
    "None": (dict(A, p=None), "p must be an array of real numbers, got NoneType"),
    "masked": (dict(A, p=np.ma.masked_less(A["p"], 1.0)), "p must be an array of real numbers, got MaskedArray"),
    "superluminal": (dict(A, cs2=np.full(40, 1.01), require_causal=True), r"cs2 reaches 1.01 c\^2; at most 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_table(case):
    table, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        EOS.from_table(**table)


def test_text_for_a_column():
    with pytest.raises(ValueError, match="eps must be an array of real numbers, got list of dtype <U1"):
        EOS.from_table(eps=["a"] * 5, p=["b"] * 5)


def test_first_law_is_warned_of():
    with pytest.warns(UserWarning, match=r"break the first law by .* \(allowed 1e-04\)"):
        EOS.from_table(**dict(A, n_b=A["n_b"] * np.geomspace(1, 1.1, 40)))


def test_superluminal_is_legal_unless_refused():
    eos = EOS.from_table(**dict(A, cs2=np.full(40, 1.2)))
    assert not bool(eos.is_causal())
    assert bool(EOS.from_table(**dict(A, cs2=np.full(40, 1.0)), require_causal=True).is_causal())


# ---- what it gives back ----------------------------------------------------------------------------------------


def test_sound_speed_is_carried_or_sloped():
    # d ln eps / d ln p of the polytrope, by its closed form; PCHIP's slope is of second order in the row step
    carried = EOS.from_table(**dict(A, cs2=cs2(A["p"])))
    assert np.array_equal(np.asarray(carried.sound_speed()), cs2(A["p"]))
    errors = []
    for n in (100, 200):
        c = columns(n)
        errors.append(np.max(np.abs(np.asarray(EOS.from_table(**c).sound_speed()) / cs2(c["p"]) - 1)[2:-2]))
    assert errors[1] < 1e-4 and 3.5 < errors[0] / errors[1] < 4.5


def test_sound_speed_where_the_table_is_flat():
    """Quark matter, eps = 3p + 380, with one row next to no pressure: no infinite sound speed there."""
    p = np.array([1e-4, 2.0, 5.0, 9.0, 20.0])
    assert np.isfinite(np.asarray(EOS.from_table(eps=380 + 3 * p, p=p).sound_speed())).all()


def test_at_density():
    eos = EOS.from_table(**dict(columns(400), cs2=cs2(columns(400)["p"])))
    n_b = np.array([0.01, 0.1, 0.16, 0.4])
    rho = n_b * MASS
    row = eos.at_density(n_b)
    np.testing.assert_allclose(row.p, K * rho**2, rtol=1e-9)
    np.testing.assert_allclose(row.eps, rho + K * rho**2, rtol=1e-7)
    np.testing.assert_allclose(row.mu_b, MASS * (1 + 2 * K * rho), rtol=1e-7)
    np.testing.assert_allclose(row.cs2, cs2(K * rho**2), rtol=1e-6)
    assert row.n_row == 4


@pytest.mark.parametrize("n_b", [1e-9, 50.0, [0.1, np.nan]])
def test_at_density_outside(n_b):
    with pytest.raises(ValueError, match=r"n_b must lie in \[.*\] fm\^-3, got"):
        EOS.from_table(**A).at_density(n_b)


def test_absent_columns():
    eos = EOS.from_table(eps=A["eps"], p=A["p"])
    with pytest.raises(ValueError, match="n_b is absent from this EOS; build it with n_b=..."):
        eos.at_density(0.1)
    with pytest.raises(ValueError, match="n_b is absent"):
        eos.first_law_error()


def test_batch_has_a_length_and_bounds():
    batch = jax.tree.map(lambda a: jnp.stack([a, 2 * a]), EOS.from_table(**A))
    assert len(batch) == 2 and len(batch[:1]) == 1 and len(batch[np.array([1, 0, 1])]) == 3
    with pytest.raises(IndexError, match="member 2 of a batch of 2"):
        batch[2]
    with pytest.raises(TypeError, match="not a batch"):
        len(batch[0])


def test_batch_and_members():
    one = EOS.from_table(**A)
    batch = jax.tree.map(lambda a: jnp.stack([a, 2 * a]), one)
    assert batch.is_batch and batch.n_row == 40
    assert np.array_equal(np.asarray(batch[1].p), 2 * A["p"])
    assert np.array_equal(np.asarray(batch.sound_speed()[0]), np.asarray(one.sound_speed()))
    with pytest.raises(TypeError, match="not a batch"):
        one[0]
    with pytest.raises(ValueError, match=r"take a member with eos\[i\]"):
        batch.at_density(0.1)


def test_is_frozen_and_passes_through_jax():
    eos = EOS.from_table(**A)
    with pytest.raises(AttributeError):
        eos.p = eos.eps
    same = jax.jit(lambda e: e)(eos)
    assert isinstance(same, EOS) and same.cs2 is None and np.array_equal(np.asarray(same.p), A["p"])
