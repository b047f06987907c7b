"""nslib.nuclei: fillings, published sets, the prior, status of what is not solved, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from nslib import nuclei
from nslib.matter import rmf
from nslib.nuclei import NUCLEI, Status, solver

REFERENCE = json.loads((Path(__file__).parent / "reference" / "nuclei.json").read_text())["nuclei"]
NAMES = ("16O", "40Ca", "48Ca", "90Zr", "132Sn", "208Pb")
SETS = tuple(REFERENCE)


def stack(sets):
    return rmf.Couplings(*(np.array(a, float) for a in zip(*sets)))


def take(q, k):
    return rmf.Couplings(*(np.asarray(a)[k] for a in q))


def solve(q, **options):
    return nuclei.solve(q, NAMES, **options)


@pytest.fixture(scope="module", autouse=True)
def one_width():
    """One size of blocks, so that the tests compile once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "WIDTHS", (32,))
        yield


@pytest.fixture(scope="module")
def published():
    return solve(stack([rmf.published(name) for name in SETS]), tolerance=1e-7, levels=True)


@pytest.fixture(scope="module")
def drawn():
    """Couplings with C >= 0 over the prior, and their nuclei."""
    rng = np.random.default_rng(4)
    found = rmf.invert(rmf.NuclearMatter(*(rng.uniform(*ends, 512) for ends in rmf.PRIOR)))
    q = take(found.couplings, np.flatnonzero((np.asarray(found.status) == 0) & (np.asarray(found.z) >= 0)))
    return q, solve(q)


# ---- fillings --------------------------------------------------------------------------------------------


def test_seventeen_nuclei_are_filled():
    assert len(NUCLEI) == 17
    for one in NUCLEI.values():
        for number, levels in ((one.Z, one.protons), (one.N, one.neutrons)):
            assert sum(v.occupation for v in levels) == number
            assert all(0 < v.occupation <= 2 * abs(v.kappa) for v in levels)
            assert len({v.name for v in levels}) == len(levels)
    assert {one.name for one in NUCLEI.values() if not one.closed} == {"30Ne", "138Sn", "144Sm"}
    # open sub-shells and the two fillings that leave a hole, as the levels are known to lie
    assert NUCLEI["30Ne"].protons[-1][:1] + NUCLEI["30Ne"].protons[-1][-1:] == ("1d5/2", 2)
    assert NUCLEI["144Sm"].protons[-1][:1] + NUCLEI["144Sm"].protons[-1][-1:] == ("2d5/2", 4)
    assert NUCLEI["138Sn"].neutrons[-1][:1] + NUCLEI["138Sn"].neutrons[-1][-1:] == ("2f7/2", 6)
    assert [v.name for v in NUCLEI["54Ca"].neutrons[-2:]] == ["2p3/2", "2p1/2"]
    assert [v.name for v in NUCLEI["116Sn"].neutrons[-3:]] == ["1g7/2", "2d5/2", "3s1/2"]


def test_quantum_numbers():
    level = {v.name: v for v in NUCLEI["208Pb"].neutrons}
    assert level["1s1/2"][1:4] == (0, 0, -1)
    assert level["2d3/2"][1:4] == (1, 2, 2)
    assert level["1i13/2"][1:] == (0, 6, -7, 14)


# ---- solutions -------------------------------------------------------------------------------------------


def test_published_sets(published):
    """Against an independent solver on a grid of half the spacing: so it shows the grid's error too."""
    for i, name in enumerate(SETS):
        for j, one in enumerate(NAMES):
            expected = REFERENCE[name][one]
            assert published.B[i, j] == pytest.approx(-expected["E"], rel=5e-5), (name, one)
            assert published.r_ch[i, j] == pytest.approx(expected["rch"], abs=3e-4), (name, one)
    assert np.all(published.solved)


def test_levels(published):
    """Order of 16O, and protons less bound than neutrons by the Coulomb energy of 16O, 3 to 4 MeV."""
    eps = published.levels["16O"]
    assert eps.shape == (4, 6)
    assert np.all(np.diff(eps[:, :3], axis=1) > 0)
    assert np.all((eps[:, :3] - eps[:, 3:] > 3) & (eps[:, :3] - eps[:, 3:] < 4.5))
    splitting = eps[:, 5] - eps[:, 4]  # measured for neutron holes: 6.2 MeV
    assert np.all((splitting > 5) & (splitting < 8))


def test_most_of_the_prior_converges(drawn):
    _, found = drawn
    assert len(found.B) > 150
    assert np.all(found.solved.mean(axis=0) >= 0.97)
    assert np.all(np.median(found.iterations, axis=0) <= 12)
    lead = found.status[:, -1] == Status.LEVEL_ORDER  # an independent solver: 0.09
    assert 0.03 < lead.mean() < 0.2
    assert np.all(np.isnan(found.B) == ~found.solved) and np.all(np.isnan(found.r_ch) == ~found.solved)


def test_default_tolerance_is_enough(drawn):
    q, found = drawn
    few = take(q, np.arange(48))
    sharp = solve(few, tolerance=1e-8)
    both = found.solved[:48] & sharp.solved
    dB = np.abs(found.B[:48] / sharp.B - 1)[both]
    assert np.percentile(dB, 98) < 5e-5, np.sort(dB)[-5:]
    assert np.percentile(np.abs(found.r_ch[:48] - sharp.r_ch)[both], 98) < 5e-4
    assert both.mean() > 0.96 and dB.max() < 2e-3, np.sort(dB)[-5:]


# ---- batches ---------------------------------------------------------------------------------------------


def test_neighbours_of_nan_are_untouched(drawn):
    q, found = drawn
    bad = rmf.Couplings(*(a.copy() for a in q))
    bad.A[3], bad.m_sigma[40], bad.g_omega[41] = np.nan, -1.0, 0.0
    harmed = solve(bad)
    rest = np.setdiff1d(np.arange(len(found.B)), [3, 40, 41])
    for a, b in zip(found[:4], harmed[:4]):
        np.testing.assert_array_equal(a[rest], b[rest])
    assert np.all(harmed.status[[3, 40, 41]] == Status.NOT_FINITE)
    assert np.all(np.isnan(harmed.B[[3, 40, 41]])) and np.all(harmed.iterations[[3, 40, 41]] == 0)


def test_order_of_a_batch_does_not_matter(drawn):
    q, found = drawn
    back = np.arange(64)[::-1]
    turned = solve(take(q, back))
    np.testing.assert_array_equal(turned.B, found.B[back])
    np.testing.assert_array_equal(turned.status, found.status[back])


def test_one_set_and_budget_of_one():
    one = solve(rmf.published("NL3"), max_iterations=1)
    assert one.status.shape == one.B.shape == (6,)
    assert np.all(one.status == Status.BUDGET_SPENT) and np.all(one.iterations == 1)
    assert np.all(np.isnan(one.B)) and not one.solved.any()


def test_runaway_has_a_status():
    """Ten times the attraction of NL3 is bound by nothing."""
    q = rmf.published("NL3")
    found = solve(stack([q, q._replace(g_sigma=3 * q.g_sigma)]))
    assert np.all(found.solved[0]) and not found.solved[1].any()
    assert np.all(found.status[1] >= Status.BUDGET_SPENT)


def test_every_status_has_a_sentence():
    assert len({s.sentence for s in Status}) == 5


# ---- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "which, says",
    [
        ("17O", "17O"),
        ([(8, 9)], "Z = 8, N = 9"),
        ([(8.5, 8)], "whole"),
        ([(np.nan, 8)], "Z, N"),
        ([8], "pairs"),
        ([], "at least one"),
    ],
)
def test_nuclei_without_filling(which, says):
    with pytest.raises(ValueError, match=f"nuclei.*{says}"):
        nuclei.solve(rmf.published("NL3"), which)


@pytest.mark.parametrize(
    "options, says",
    [
        ({"max_iterations": 0}, "max_iterations"),
        ({"max_iterations": 2.5}, "max_iterations"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": np.nan}, "tolerance"),
        ({"step": 0.7}, "step"),
        ({"step": 0.5, "radius": 15.0}, "radius"),
        ({"radius": np.inf}, "radius"),
    ],
)
def test_options_out_of_range(options, says):
    with pytest.raises(ValueError, match=says):
        nuclei.solve(rmf.published("NL3"), **options)


def test_one_bad_set():
    for change in ({"C": np.nan}, {"m_rho": 0.0}, {"g_sigma": -1.0}):
        with pytest.raises(ValueError, match="couplings must be finite"):
            nuclei.solve(rmf.published("NL3")._replace(**change))


def test_pairs_are_names():
    from nslib.nuclei.levels import nucleus

    assert nucleus((82, 126)) is NUCLEI["208Pb"]


@pytest.mark.parametrize(
    ("couplings", "nuclei_asked", "message"),
    [
        (rmf.NuclearMatter(0.15, -16.0, 250.0, -300.0, 0.62, 31.0, 60.0), NAMES, "must be Couplings of nslib.matter.rmf, got NuclearMatter; .*invert"),
        (rmf.invert(rmf.NuclearMatter(0.15, -16.0, 250.0, -300.0, 0.62, 31.0, 60.0)), NAMES, r"got Inversion; .*\.couplings"),
        (rmf.published("NL3"), 40, "nuclei must be names or pairs"),
    ],
)
def test_what_is_easily_confused_is_said(couplings, nuclei_asked, message):
    with pytest.raises(ValueError, match=message):
        nuclei.solve(couplings, nuclei_asked)


def test_iterations_must_be_a_number():
    with pytest.raises(ValueError, match="max_iterations must be a whole number of at least 1, got '10'"):
        nuclei.solve(rmf.published("NL3"), NAMES, max_iterations="10")
