"""Chunked data sets: resuming, damage, settings. The chunk function here is a stand-in without physics."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import dask
import numpy as np
import pytest

from nslib import chunks

UNITS = {"x": "MeV", "status": "1"}


def squares(index, settings):
    """Between 3 and 7 members, a pure function of (seed, index)."""
    rng = np.random.default_rng([settings["seed"], index])
    return {"x": rng.normal(size=(rng.integers(3, 8), 2)), "status": np.arange(8, dtype="uint8")}


def collect(path, n=40, seed=1, **options):
    return chunks.collect(path, n, squares, {"seed": seed}, units=UNITS, attributes={"title": "test"}, progress=False, **options)


def tree(path):
    """Every file below a folder with its bytes."""
    return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


def test_chunks_stand_in_order(tmp_path):
    data = collect(tmp_path / "a")
    k = len(data["status"]) // 8
    parts = [squares(i, {"seed": 1})["x"] for i in range(k)]
    np.testing.assert_array_equal(data["x"], np.concatenate(parts))
    assert len(data["x"]) >= 40 > len(data["x"]) - len(parts[-1])


def test_a_larger_request_begins_with_the_smaller_one(tmp_path):
    small = collect(tmp_path / "a", 10)["x"]
    large = collect(tmp_path / "a", 60)["x"]
    np.testing.assert_array_equal(large[: len(small)], small)
    np.testing.assert_array_equal(collect(tmp_path / "b", 60)["x"], large)


def test_deleted_chunk_is_computed_again_to_the_byte(tmp_path):
    collect(tmp_path / "a")
    before = tree(tmp_path / "a")
    for f in sorted((tmp_path / "a" / "chunk-00002").rglob("*"), reverse=True):
        f.unlink() if f.is_file() else f.rmdir()
    (tmp_path / "a" / "chunk-00002").rmdir()
    collect(tmp_path / "a")
    assert tree(tmp_path / "a") == before


def test_killed_run_resumes_to_the_same_bytes(tmp_path):
    script = f"""
        import sys, time
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        import test_chunks
        fast = test_chunks.squares
        def slow(index, settings):
            time.sleep(0.3)
            return fast(index, settings)
        test_chunks.squares = slow
        test_chunks.collect(sys.argv[1])
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "a")])
    deadline = time.monotonic() + 60
    while not (tmp_path / "a" / "chunk-00002").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(list((tmp_path / "a").glob("chunk-*")))
    whole = collect(tmp_path / "b")
    used = len(whole["status"]) // 8
    assert 3 <= done < used
    np.testing.assert_equal(collect(tmp_path / "a"), whole)
    for name in (f"chunk-{i:05d}" for i in range(used)):
        assert tree(tmp_path / "a" / name) == tree(tmp_path / "b" / name)


@pytest.mark.parametrize("damage", ["truncated array", "missing array", "truncated attributes", "other numbers"])
def test_damaged_chunk_is_named(tmp_path, damage):
    path = tmp_path / "a"
    collect(path)
    piece = path / "chunk-00001" / "x" / "c" / "0" / "0"
    if damage == "truncated array":
        piece.write_bytes(piece.read_bytes()[:20])
    elif damage == "missing array":
        piece.unlink()  # Zarr alone would read fill values here
    elif damage == "truncated attributes":
        attributes = path / "chunk-00001" / "zarr.json"
        attributes.write_text(attributes.read_text()[:30])
    else:
        piece.write_bytes((path / "chunk-00000" / "x" / "c" / "0" / "0").read_bytes())
    with pytest.raises(ValueError, match="chunk-00001 is damaged"):
        collect(path)


def test_half_written_chunk_is_ignored(tmp_path):
    collect(tmp_path / "a", 4)
    litter = tmp_path / "a" / ".chunk-00003.part"
    litter.mkdir()
    (litter / "zarr.json").write_text("{")
    np.testing.assert_array_equal(collect(tmp_path / "a")["x"], collect(tmp_path / "b")["x"])
    assert not litter.exists()


def test_other_settings_are_refused(tmp_path):
    collect(tmp_path / "a")
    with pytest.raises(ValueError, match="was made with seed = 1, not 2"):
        collect(tmp_path / "a", seed=2)


def test_other_versions_may_read_but_not_add(tmp_path, monkeypatch):
    data = collect(tmp_path / "a", 40)
    monkeypatch.setattr(chunks, "VERSIONS", {"nslib": "0.0.0"})
    np.testing.assert_array_equal(collect(tmp_path / "a", 40)["x"], data["x"])
    with pytest.raises(ValueError, match="was made with nslib = .*, not 0.0.0"):
        collect(tmp_path / "a", 400)


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="is not a data set of nslib"):
        collect(tmp_path / "a")


def test_nothing_wanted(tmp_path):
    with pytest.raises(ValueError, match="n must be a whole number >= 1, got 0"):
        collect(tmp_path / "a", 0)


def test_settings_that_accept_nothing_end(tmp_path):
    nothing = lambda index, settings: {"x": np.zeros((0, 2)), "status": np.zeros(8, "uint8")}
    with pytest.raises(ValueError, match="hold 0 members"):
        chunks.collect(tmp_path / "a", 5, nothing, {}, units=UNITS, attributes={}, progress=False)


class StandInClient:
    """What is used of dask.distributed.Client: ``get`` and ``nthreads``."""

    used = 0
    asynchronous = False

    def get(self, *args, **options):
        StandInClient.used += 1
        return dask.get(*args, **options)

    def nthreads(self):
        return {"worker": 3}


def test_a_client_runs_the_chunks(tmp_path):
    data = collect(tmp_path / "a", client=StandInClient())
    assert StandInClient.used > 0
    np.testing.assert_array_equal(data["x"], collect(tmp_path / "b")["x"])
