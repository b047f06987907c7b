"""The symmetry-energy data set: its physics against the accurate solver, its filters, its chunks."""

import numpy as np
import pytest

from nslib import chunks, crust, datasets, stars
from nslib.datasets import Status, symmetry
from nslib.matter import metamodel
from nslib.units import RHO_0


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("data") / "small"


@pytest.fixture(scope="module")
def data(path):
    return datasets.symmetry_energy(path, 130, seed=3, raw=256, progress=False)


def test_shapes_and_ranges(data):
    assert len(data) == 130 and data.mass.shape == data.R.shape == data.Lambda.shape == (130, 50)
    assert data.E_sym.shape == (130, 100) and data.draws.shape == (len(data.status), 2)
    assert data.mass.min() >= 1 and data.mass.max() <= 2
    for column, (low, high) in zip(data.draws.T, ((30.6, 86.8), (-400, 100)), strict=True):
        assert low <= column.min() and column.max() <= high
    for a in (data.L, data.K_sym, data.R, data.Lambda, data.E_sym):
        assert np.all(np.isfinite(a))


def test_counts_add_up(data):
    counts = data.counts
    assert sum(counts.values()) == len(data.status) and len(data.status) % 256 == 0
    assert counts[Status.ACCEPTED] >= 130 and counts[Status.NOT_SOLVED] == 0
    assert all(s.sentence for s in Status)
    # 42,334 of 135,168 draws of seed 11 were accepted: 31.3 %; three standard deviations of this small sample
    share = counts[Status.ACCEPTED] / len(data.status)
    assert abs(share - 0.313) < 3 * np.sqrt(0.313 * 0.687 / len(data.status))


def test_accepted_rows_are_the_accepted_draws_in_order(data):
    draws = data.draws[data.status == Status.ACCEPTED][:130]
    np.testing.assert_array_equal(draws, np.stack([data.L, data.K_sym], axis=1))


def test_labels_are_the_formula(data):
    x = (datasets.DENSITIES - RHO_0) / (3 * RHO_0)
    want = 31.7 + data.L[:, None] * x + data.K_sym[:, None] / 2 * x**2
    np.testing.assert_allclose(data.E_sym, want, rtol=1e-13)


def test_stars_against_the_accurate_solver(data):
    for i in (0, 57, 129):
        eos = crust.join(metamodel.eos(L=data.L[i], K_sym=data.K_sym[i]))
        family = stars.family(eos, causal=True, **stars.ACCURATE)
        star = family.at_mass(data.mass[i])
        assert float(family.M_max) >= 2.14
        np.testing.assert_allclose(data.R[i], star.R, rtol=2e-5)
        np.testing.assert_allclose(data.Lambda[i], star.Lambda, rtol=3e-4)  # the default setting promises 1e-3


def test_the_reason_of_a_rejection(data):
    """Some draws of each status, looked at one by one with the accurate solver."""
    for status in (Status.TOO_LIGHT, Status.ACAUSAL):
        L, K_sym = data.draws[np.flatnonzero(data.status == status)[0]]
        family = stars.family(crust.join(metamodel.eos(L=L, K_sym=K_sym)), causal=True, **stars.ACCURATE)
        assert float(family.M_max) < 2.14
        assert (stars.Status(int(family.status)) == stars.Status.CAUSAL_END) == (status == Status.ACAUSAL)
    for status, sentence in ((Status.NO_CROSSING, "stays below the crust's"), (Status.P_FALLS, "falls")):
        L, K_sym = data.draws[np.flatnonzero(data.status == status)[0]]
        with pytest.raises(ValueError, match=sentence):
            crust.join(metamodel.eos(L=L, K_sym=K_sym))


def test_strict_causality_is_a_part_of_the_other(data):
    L, K_sym = (np.concatenate([data.draws[:254, k], v]) for k, v in ((0, [80.0, 80.0]), (1, [-110.0, 0.0])))
    mass = np.tile(np.linspace(1.0, 2.0, 50), (256, 1))
    loose, R, _ = datasets.sequences(L, K_sym, mass)
    strict, R_strict, _ = datasets.sequences(L, K_sym, mass, causality="strict")
    assert set(np.flatnonzero(strict == Status.ACCEPTED)) < set(np.flatnonzero(loose == Status.ACCEPTED))
    assert strict[254] == Status.ACCEPTED and strict[255] == Status.ACAUSAL  # a soft and a stiff one
    k = strict == Status.ACCEPTED
    np.testing.assert_allclose(R_strict[k], R[k], rtol=3e-5)  # the two sequences end at different stars
    assert np.all(np.isnan(R_strict[~k]))


def test_chunks_do_not_depend_on_their_neighbours(data, path):
    settings = symmetry._settings(
        seed=3, L=(30.6, 86.8), K_sym=(-400, 100), M_max_min=2.14, causality="truncated", n_points=50, mass_range=(1, 2), raw=256,
    )  # fmt: skip
    alone = symmetry._chunk(1, settings)
    stored = chunks._read(path / "chunk-00001", symmetry.UNITS)
    for name, a in alone.items():
        np.testing.assert_array_equal(a, stored[name])


def test_deleted_chunk_comes_back_to_the_byte(data, path):
    folder = path / "chunk-00000"
    before = {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    for f in sorted(folder.rglob("*"), reverse=True):
        f.unlink() if f.is_file() else f.rmdir()
    folder.rmdir()
    again = datasets.symmetry_energy(path, 130, seed=3, raw=256, progress=False)
    np.testing.assert_array_equal(again.R, data.R)
    assert {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*") if f.is_file()} == before


def test_slices(data):
    part = data[10:20]
    np.testing.assert_array_equal(part.R, data.R[10:20])
    assert len(part) == 10 and part.counts == data.counts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1, got 0"),
        ({"L": (80, 40)}, "L must be two finite numbers, low < high"),
        ({"K_sym": (-400, np.nan)}, "K_sym must be two finite numbers"),
        ({"causality": "loose"}, "causality must be one of truncated, strict; got 'loose'"),
        ({"n_points": 0}, "n_points must be a whole number >= 1, got 0"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"mass_range": (1, 2.5)}, r"mass_range must lie in \(0, M_max_min = 2.14\]"),
        ({"mass_range": (0.1, 2)}, r"mass_range \[0.1, 2.0\] Msun begins below the lightest star"),
        ({"L": (31, 32), "K_sym": (-300, -290)}, "chunks hold 0 members; the settings accept next to nothing"),
    ],
)
def test_bad_input(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.symmetry_energy(tmp_path / "a", **{"n": 5, "seed": 3, "raw": 256, "progress": False} | options)
