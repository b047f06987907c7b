"""Data set of nuclei: rows against the single calls, chunks, classes at their thresholds, bad input."""

import re
from dataclasses import replace

import numpy as np
import pytest

from nslib import chunks, datasets, nuclei
from nslib.datasets import Admissibility, NucleiSet
from nslib.datasets import nuclei as ds
from nslib.matter import rmf
from nslib.nuclei import Status, experiment, solver

NAMES = ("16O", "40Ca")
#: settings of the small data set
SMALL = {"seed": 3, "nuclei": NAMES, "raw": 16, "progress": False}
COLUMNS = ("parameters", "z", "inversion", "B", "r_ch", "status")


def same(a, b):
    """Two sets to the bit."""
    assert a.nuclei == b.nuclei
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def constructed(B, r_ch=None, status=0, inversion=0, names=NAMES):
    """A set of given (n, k) binding energies, with the measured radii unless others are given."""
    B = np.atleast_2d(B)
    r_ch = np.broadcast_to(experiment(names).r_ch if r_ch is None else r_ch, B.shape)
    status, inversion = np.broadcast_to(status, B.shape), np.broadcast_to(inversion, len(B))
    return NucleiSet(names, np.zeros((len(B), 7)), np.zeros(len(B)), inversion, B, r_ch, status)


@pytest.fixture(scope="module", autouse=True)
def one_width():
    """One size of blocks, so that the tests compile once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "WIDTHS", (32,))
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("data") / "small"


@pytest.fixture(scope="module")
def data(path):
    return datasets.finite_nuclei(path, 40, **SMALL)


# ---- rows ------------------------------------------------------------------------------------------------------


def test_shapes_and_ranges(data):
    assert len(data) == 40 and data.nuclei == NAMES
    assert data.parameters.shape == (40, 7) and data.z.shape == data.inversion.shape == (40,)
    assert data.B.shape == data.r_ch.shape == data.status.shape == (40, 2)
    for column, (low, high) in zip(data.parameters.T, rmf.PRIOR, strict=True):
        assert low <= column.min() and column.max() <= high
        assert np.ptp(column) > 0.7 * (high - low)  # 40 uniform draws miss this once in 1e4
    assert len(np.unique(data.parameters)) == 40 * 7  # no chunk repeats another
    assert data.in_prior.all()


def test_what_has_no_numbers_is_nan(data):
    exist = data.inversion == rmf.Status.OK
    assert 0 < exist.sum() < 40 and 0 < data.solved.sum() < 2 * exist.sum()
    np.testing.assert_array_equal(np.isfinite(data.z), exist)
    np.testing.assert_array_equal(data.status == Status.NOT_FINITE, np.repeat(~exist[:, None], 2, axis=1))
    for a in (data.B, data.r_ch):
        np.testing.assert_array_equal(np.isfinite(a), data.solved)
    assert np.all(data.B[data.solved] > 0) and np.all(data.r_ch[data.solved] > 2)


def test_rows_are_those_of_the_single_calls(data):
    """Couplings of one row by the inversion of one set, its nuclei by the solver of one set."""
    both = np.flatnonzero(data.solved.all(axis=1))[:2]
    for i in both:
        q = rmf.invert(rmf.NuclearMatter(*map(float, data.parameters[i])))
        assert data.z[i] == pytest.approx(float(q.z), abs=1e-9)
        found = nuclei.solve(q.couplings, NAMES)
        np.testing.assert_array_equal(found.status, data.status[i])
        np.testing.assert_allclose(found.B, data.B[i], rtol=1e-6)  # rounding, where terms cancel in couplings
        np.testing.assert_allclose(found.r_ch, data.r_ch[i], rtol=1e-6)
    without = np.flatnonzero(data.inversion)[0]
    with pytest.raises(ValueError, match="must|no couplings"):
        rmf.invert(rmf.NuclearMatter(*map(float, data.parameters[without])))


def test_published_set_comes_back():
    """NL3 from the nuclear matter of NL3: the nuclei of its own couplings; it lies outside of the prior."""
    own = rmf.published("NL3")
    masses = [float(getattr(own, name)) for name in ("m_sigma", "m_omega", "m_rho", "m")]
    default = own._replace(m_sigma=508.1941, m_omega=782.501, m_rho=763.0, m=939.0)
    np.testing.assert_allclose(masses, [508.194, 782.501, 763.0, 939.0], atol=1e-3)
    matter = np.array([[float(a) for a in rmf.saturation(default)]])
    found = datasets.nuclei_of(matter, NAMES)
    assert not found.in_prior[0]  # L_0 = 118 MeV
    assert found.inversion[0] == rmf.Status.OK and found.solved.all()
    direct = nuclei.solve(default, NAMES)
    np.testing.assert_allclose(found.B[0], direct.B, rtol=1e-5)
    np.testing.assert_allclose(found.r_ch[0], direct.r_ch, rtol=1e-5)
    assert np.all(datasets.admissibility(found, 0.02) == Admissibility.ADMISSIBLE)


# ---- chunks ----------------------------------------------------------------------------------------------------


def test_fewer_rows_are_the_first_rows(data, path, tmp_path):
    same(datasets.finite_nuclei(path, 20, **SMALL), data[:20])  # read
    same(datasets.finite_nuclei(tmp_path / "few", 5, **SMALL), data[:5])  # computed
    grown = datasets.finite_nuclei(tmp_path / "few", 40, **SMALL)  # resumed
    same(grown, data)
    other = datasets.finite_nuclei(tmp_path / "other", 5, **SMALL | {"seed": 4})
    assert not np.any(other.parameters == data.parameters[:5])


def test_chunks_do_not_depend_on_their_neighbours(data, path):
    settings = ds._settings(seed=3, nuclei=NAMES, prior=None, max_iterations=100, raw=16)
    alone, stored = ds._chunk(1, settings), chunks._read(path / "chunk-00001", ds.UNITS)
    assert set(alone) == set(stored) == set(COLUMNS)
    for name, a in alone.items():
        np.testing.assert_array_equal(a, stored[name])
    np.testing.assert_array_equal(alone["B"], data.B[16:32])


def test_prior_can_be_moved(tmp_path):
    """The other parameters are drawn as before; outside of the prior of the paper it is said and solved."""
    moved = datasets.finite_nuclei(tmp_path / "a", 16, **SMALL, prior={"L_0": (105, 120)})
    plain = datasets.finite_nuclei(tmp_path / "b", 16, **SMALL)
    np.testing.assert_array_equal(moved.parameters[:, :6], plain.parameters[:, :6])
    assert np.all((moved.parameters[:, 6] > 105) & (moved.parameters[:, 6] < 120))
    assert not moved.in_prior.any() and plain.in_prior.all()
    assert moved.solved.any()


def test_slices(data):
    same(data[np.arange(40) > 37], data[38:])
    assert len(data[3:9]) == 6 and data[3:9].nuclei == NAMES


@pytest.mark.parametrize("name", ["seed", "nuclei", "max_iterations", "raw", "prior"])
def test_path_of_other_settings(data, path, name):
    other = {"seed": 5, "nuclei": ("16O",), "max_iterations": 7, "raw": 8, "prior": {"J_0": (25, 35)}}[name]
    with pytest.raises(ValueError, match=f"was made with {name} = .*; give another path"):
        datasets.finite_nuclei(path, 1, **SMALL | {name: other})


# ---- members of a batch ----------------------------------------------------------------------------------------


def test_neighbours_of_bad_members_are_untouched(data):
    """NaN, and J_0 below its kinetic part, 13 MeV or more, have a status; the others keep every bit."""
    p = data.parameters[:16].copy()
    i, j = np.flatnonzero(data.solved[:16].all(axis=1))[:2]
    p[i, 3], p[j, 5] = np.nan, 10.0
    found, rest = datasets.nuclei_of(p, NAMES), np.setdiff1d(np.arange(16), [i, j])
    same(found[rest], data[rest])
    assert found.inversion[i] == rmf.Status.NOT_FINITE and found.inversion[j] == rmf.Status.J_BELOW_KINETIC
    assert np.all(found.status[[i, j]] == Status.NOT_FINITE)
    for a in (found.B, found.r_ch, found.z):
        assert np.isnan(a[[i, j]]).all()
    assert np.all(datasets.admissibility(found)[[i, j]] == Admissibility.NO_COUPLINGS)
    assert found.in_prior.tolist() == [k not in (i, j) for k in range(16)]


def test_budget_of_one(data):
    """Nothing converges; what has no couplings is still told from it."""
    found = datasets.nuclei_of(data.parameters[:16], NAMES, max_iterations=1)
    exist = found.inversion == rmf.Status.OK
    assert np.all(found.status[exist] == Status.BUDGET_SPENT) and not found.solved.any()
    classes = datasets.admissibility(found)
    assert np.all(classes[exist] == Admissibility.NOT_CONVERGED)
    assert np.all(classes[~exist] == Admissibility.NO_COUPLINGS)


def test_nuclei_by_number_have_names(data):
    same(datasets.nuclei_of(data.parameters[:16], [(8, 8), (20.0, 20)]), data[:16])


def test_one_nucleus_by_its_name():
    """Without couplings, so that nothing is solved: the name is one, not three letters."""
    found = datasets.nuclei_of(np.full((2, 7), np.nan), "16O")
    assert found.nuclei == ("16O",) and found.B.shape == (2, 1)
    settings = ds._settings(seed=0, nuclei="16O", prior=None, max_iterations=1, raw=1)
    assert settings["nuclei"] == ["16O"]


# ---- classes ---------------------------------------------------------------------------------------------------


def test_order_of_the_reasons():
    """No couplings before not converged before far off; solved with levels out of order is solved."""
    B = experiment(NAMES).B
    data = constructed(
        B * [[1.0, 1.0], [np.nan, np.nan], [1.0, np.nan], [1.5, np.nan], [0.5, 1.0]],
        status=[[0, 1], [4, 4], [1, 2], [0, 3], [0, 0]], inversion=[0, 7, 0, 0, 0],
    )  # fmt: skip
    good, none, not_, out = Admissibility
    expected = [[good, good], [none, none], [good, not_], [out, not_], [out, good]]
    assert datasets.admissibility(data).tolist() == expected
    assert len({one.sentence for one in Admissibility}) == 4


@pytest.mark.parametrize("relative", [0.3, 0.2, 0.1, 0.02])
def test_relative_threshold(relative):
    """Either side of B and of r_ch, above and below."""
    seen, inside, outside = experiment(NAMES), relative * (1 - 1e-9), relative * (1 + 1e-9)
    for sign in (1, -1):
        for far, want in ((inside, Admissibility.ADMISSIBLE), (outside, Admissibility.OUTSIDE)):
            off = 1 + sign * far * np.array([1, 0])
            for data in (constructed(seen.B * off), constructed(seen.B, seen.r_ch * off)):
                assert datasets.admissibility(data, relative).tolist() == [[want, Admissibility.ADMISSIBLE]]
            alone = datasets.admissibility(constructed(seen.B, seen.r_ch * off), relative, radii=False)
            assert alone.tolist() == [[Admissibility.ADMISSIBLE] * 2]
    default = constructed(seen.B * [1.19, 0.81]), constructed(seen.B * [1.21, 0.79])
    assert [datasets.admissibility(one).tolist() for one in default] == [[[0, 0]], [[3, 3]]]


def test_absolute_threshold():
    """10 MeV on B alone: a radius far off does not count, nor does the relative threshold."""
    B = experiment(NAMES).B + [[9.999, -9.999], [10.001, -10.001]]
    found = datasets.admissibility(constructed(B, [5.0, 5.0]), 1e-6, absolute=10)
    assert found.tolist() == [[0, 0], [3, 3]]


def test_on_the_threshold_is_inside():
    seen = experiment(NAMES)
    data = constructed([[130.0, 400.0]])
    for name, off in (("absolute", np.abs(data.B - seen.B)), ("relative", np.abs(data.B / seen.B - 1))):
        for j, edge in enumerate(off[0]):
            at = datasets.admissibility(data, **{name: edge})[0, j]
            below = datasets.admissibility(data, **{name: np.nextafter(edge, 0)})[0, j]
            assert (at, below) == (Admissibility.ADMISSIBLE, Admissibility.OUTSIDE)


def test_classes_of_the_data(data):
    """A tighter threshold moves rows from admissible to outside and no others."""
    wide, tight = datasets.admissibility(data), datasets.admissibility(data, 0.05)
    assert wide.shape == (40, 2) and wide.dtype.kind == "i"
    changed = wide != tight
    assert changed.any()
    assert np.all(wide[changed] == Admissibility.ADMISSIBLE)
    assert np.all(tight[changed] == Admissibility.OUTSIDE)
    solved = (wide == Admissibility.ADMISSIBLE) | (wide == Admissibility.OUTSIDE)
    np.testing.assert_array_equal(solved, data.solved)


# ---- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, message", [
    ({"relative": 0.0}, "relative must be finite and above 0, got 0.0"),
    ({"relative": -0.2}, "relative must be finite and above 0"),
    ({"relative": np.nan}, "relative must be finite and above 0"),
    ({"relative": np.inf}, "relative must be finite and above 0"),
    ({"relative": None}, "relative must be given where absolute is not"),
    ({"absolute": 0}, "absolute must be finite and above 0, got 0"),
    ({"absolute": np.inf}, "absolute must be finite and above 0"),
])  # fmt: skip
def test_thresholds_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        datasets.admissibility(constructed(experiment(NAMES).B), **options)


def test_radius_that_nobody_measured():
    """It cannot be told whether the charge radius is near to experiment; the binding energy can."""
    names = ("16O", "56Ni", "78Ni")
    data = constructed(experiment(names).B * 1.1, 3.0, names=names)
    with pytest.raises(ValueError, match="has been measured of 56Ni, 78Ni; give radii=False"):
        datasets.admissibility(data)
    assert datasets.admissibility(data, radii=False).tolist() == [[0, 0, 0]]
    assert datasets.admissibility(data, 0.05, radii=False).tolist() == [[3, 3, 3]]
    assert datasets.admissibility(data, absolute=20).tolist() == [[0, 3, 3]]  # 10 % are 13, 48 and 64 MeV


@pytest.mark.parametrize("options, message", [
    ({"n": 0}, "n must be a whole number >= 1, got 0"),
    ({"n": 2.5}, "n must be a whole number >= 1, got 2.5"),
    ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
    ({"seed": True}, "seed must be a whole number >= 0, got True"),
    ({"seed": None}, "seed must be a whole number"),
    ({"raw": 0}, "raw must be a whole number >= 1, got 0"),
    ({"max_iterations": 0}, "max_iterations must be a whole number >= 1, got 0"),
    ({"max_iterations": 1.5}, "max_iterations must be a whole number"),
    ({"prior": {"J0": (20, 40)}}, "prior has J0; its names are rho_0, E_0, K_0"),
    ({"prior": {"J_0": (40, 20)}}, r"prior\['J_0'\] must be two finite numbers, low < high; got \(40, 20\)"),
    ({"prior": {"J_0": (20, np.inf)}}, r"prior\['J_0'\] must be two finite numbers"),
    ({"prior": {"J_0": 30}}, r"prior\['J_0'\] must be two finite numbers"),
    ({"prior": {"J_0": ("20", "40")}}, r"prior\['J_0'\] must be two finite numbers"),
    ({"nuclei": ("16O", "17O")}, "nuclei: no filling for '17O'"),
    ({"nuclei": [(8, 9)]}, "nuclei: no filling for Z = 8, N = 9"),
    ({"nuclei": [(8.5, 8)]}, "nuclei: Z and N must be whole numbers, got Z = 8.5"),
    ({"nuclei": ()}, "nuclei must name at least one nucleus"),
])  # fmt: skip
def test_arguments_out_of_range(options, message, tmp_path):
    """Nothing is left on the disk but where only n is at fault."""
    with pytest.raises(ValueError, match=message):
        datasets.finite_nuclei(tmp_path / "none", **{"n": 4} | SMALL | options)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("parameters, nuclei, message", [
    (np.zeros(7), NAMES, "parameters must have shape (n, 7), got (7,)"),
    (np.zeros((3, 6)), NAMES, "parameters must have shape (n, 7), got (3, 6)"),
    (np.zeros((0, 7)), NAMES, "the batch is empty"),
    (np.zeros((1, 7)), ["17O"], "nuclei: no filling for '17O'"),
    (np.zeros((1, 7)), [(np.nan, 8)], "nuclei must be names or pairs (Z, N)"),
    (np.zeros((1, 7)), [], "nuclei must name at least one nucleus"),
])  # fmt: skip
def test_parameters_of_another_shape(parameters, nuclei, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        datasets.nuclei_of(parameters, nuclei)


@pytest.mark.parametrize("budget", [0, 2.5, True])
def test_budget_that_is_none(budget, data):
    with pytest.raises(ValueError, match="max_iterations must be a whole number"):
        datasets.nuclei_of(data.parameters[:16], NAMES, max_iterations=budget)


def test_set_of_another_nucleus():
    """A set made by hand, of a nucleus that has no filling."""
    data = replace(constructed(experiment(NAMES).B), nuclei=("16O", "17O"))
    with pytest.raises(ValueError, match="no filling for '17O'"):
        datasets.admissibility(data)
