"""tools/execute.py: a chapter runs again when what it depends on changed, and only then.

The chapter of the small clone adds a letter to `runs` whenever it is executed: the count is the kernel's own.
"""

import os
import shutil

import execute
import fingerprint
import nbformat
import pytest
from small_clone import make_clone


def runs(clone):
    return len((clone / "runs").read_text())


def edit(clone, name, old, new):
    text = (clone / name).read_text()
    assert old in text
    (clone / name).write_text(text.replace(old, new))


def outputs(clone, folder="executed"):
    notebook = nbformat.read(clone / folder / "01_count.ipynb", as_version=4)
    return "".join(output.text for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.fixture(scope="module")
def executed_once(tmp_path_factory):
    clone = make_clone(tmp_path_factory.mktemp("once"))
    assert execute.bring_up_to_date(clone, "01_count") == "executed"
    assert runs(clone) == 1
    assert outputs(clone) == "mass 2.80\n"
    return clone


@pytest.fixture
def done(executed_once, tmp_path):
    """A copy of the clone with its chapter executed once."""
    return shutil.copytree(executed_once, tmp_path / "done")


CHANGES = {
    "code": lambda c: edit(c, "notebooks/01_count.py", "mass {", "M = {"),
    "default parameter": lambda c: edit(c, "notebooks/01_count.py", "size = 2", "size = 3"),
    "imported module": lambda c: edit(c, "nslib/stars/structure.py", "return MASS", "return 2 * MASS"),
    "module imported by it": lambda c: edit(c, "nslib/units.py", "1.4", "1.5"),
    "data of an imported room": lambda c: edit(c, "nslib/stars/weights/network.bin", "0", "9"),
    "own claim": lambda c: edit(c, "book/claims.yml", "01_count, tolerance: 0.1", "01_count, tolerance: 0.2"),
    "lock": lambda c: edit(c, "requirements.lock", "2.0", "2.1"),
}

NO_CHANGES = {
    "nothing": (lambda c: None, "fresh"),
    "prose": (lambda c: edit(c, "notebooks/01_count.py", "# # Count the runs", "# # Count all runs"), "text"),
    "tags": (
        lambda c: edit(c, "notebooks/01_count.py", "# %%\nprint", '# %% tags=["hide-input"]\nprint'),
        "text",
    ),
    "unrelated module": (lambda c: edit(c, "nslib/learn/training.py", "3", "4"), "fresh"),
    "data of an unrelated room": (lambda c: edit(c, "nslib/learn/weights/network.bin", "4", "5"), "fresh"),
    "another chapter's claim": (
        lambda c: edit(c, "book/claims.yml", "02_idle, tolerance: 0.1", "02_idle, tolerance: 9"),
        "fresh",
    ),
    "file times": (lambda c: [os.utime(p, (2e9, 2e9)) for p in c.rglob("*") if p.is_file()], "fresh"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_executes_again(done, what):
    CHANGES[what](done)
    assert execute.bring_up_to_date(done, "01_count") == "executed"
    assert runs(done) == 2
    assert execute.bring_up_to_date(done, "01_count") == "fresh"


@pytest.mark.parametrize("what", NO_CHANGES)
def test_does_not_execute_again(done, what):
    change, state = NO_CHANGES[what]
    change(done)
    assert execute.bring_up_to_date(done, "01_count") == state
    assert runs(done) == 1
    assert outputs(done) == "mass 2.80\n"


def test_prose_is_renewed(done):
    edit(done, "notebooks/01_count.py", "# # Count the runs", "# # Count all runs")
    execute.bring_up_to_date(done, "01_count")
    notebook = nbformat.read(done / "executed" / "01_count.ipynb", as_version=4)
    assert notebook.cells[0].source == "# Count all runs"


def test_record_at_paper_scale_is_an_input(done):
    (done / "results").mkdir()
    (done / "results" / "01_count.json").write_text("{}")
    assert execute.bring_up_to_date(done, "01_count") == "executed"


def test_backend_is_an_input(done, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert execute.bring_up_to_date(done, "01_count") == "executed"


def test_injected_parameter(done):
    assert execute.bring_up_to_date(done, "01_count", {"size": 5}) == "executed"
    assert outputs(done) == "mass 7.00\n"
    edit(done, "notebooks/01_count.py", "# # Count the runs", "# # Count all runs")
    assert execute.bring_up_to_date(done, "01_count", {"size": 5}) == "text"
    cells = nbformat.read(done / "executed" / "01_count.ipynb", as_version=4).cells
    assert [c.source for c in cells if fingerprint.has_tag(c, "injected-parameters")] == [
        "# Parameters\nsize = 5\n"
    ]
    assert execute.bring_up_to_date(done, "01_count") == "executed"
    assert outputs(done) == "mass 2.80\n"


def test_other_folder_leaves_the_book_alone(done):
    before = (done / "executed" / "01_count.ipynb").read_bytes()
    execute.bring_up_to_date(done, "01_count", {"size": 5}, "build/chapters")
    assert outputs(done, "build/chapters") == "mass 7.00\n"
    assert (done / "executed" / "01_count.ipynb").read_bytes() == before


def test_unknown_parameter_names_the_known(clone):
    with pytest.raises(ValueError, match="no parameter 'sise'; it has: scale, size"):
        execute.bring_up_to_date(clone, "01_count", {"sise": 5})


def test_unknown_chapter_names_the_known(clone):
    with pytest.raises(ValueError, match="03_none.*01_count, 02_idle"):
        execute.bring_up_to_date(clone, "03_none")


def test_error_in_a_cell_keeps_the_old_notebook(done):
    before = (done / "executed" / "01_count.ipynb").read_bytes()
    edit(done, "notebooks/01_count.py", "mass()", "weight()")
    with pytest.raises(RuntimeError, match="no attribute 'weight'"):
        execute.bring_up_to_date(done, "01_count")
    assert (done / "executed" / "01_count.ipynb").read_bytes() == before
    assert (done / "build" / "failed" / "01_count.ipynb").is_file()


def test_two_runs_give_the_same_bytes(done):
    path = done / "executed" / "01_count.ipynb"
    first = path.read_bytes()
    path.unlink()
    execute.bring_up_to_date(done, "01_count")
    assert path.read_bytes() == first


def test_committed_copy_agrees_with_jupytext(done):
    from jupytext.cli import jupytext

    (done / "jupytext.toml").write_text((execute.ROOT / "jupytext.toml").read_text())
    assert execute.commit_copy(done, "01_count")
    assert not execute.commit_copy(done, "01_count")
    pair = [done / "notebooks" / f"01_count.{suffix}" for suffix in ("py", "ipynb")]
    before = [path.read_text() for path in pair]
    jupytext(["--quiet", "--sync", str(pair[1])])
    assert [path.read_text() for path in pair] == before
    assert '"inputs"' not in before[1]


IMPORTS = {
    "import nslib.stars.structure as s": {"nslib", "nslib.stars", "nslib.stars.structure", "nslib.units"},
    "from nslib import units": {"nslib", "nslib.units"},
    "from nslib.units import MASS": {"nslib", "nslib.units"},
    "def late():\n    import nslib.learn.training": {"nslib", "nslib.learn", "nslib.learn.training"},
    "import numpy, nslibrary": set(),
    "%matplotlib inline\n!ls\nimport nslib": {"nslib"},
    "%%bash\nimport nslib": set(),
}


@pytest.mark.parametrize("code", IMPORTS)
def test_modules_found(clone, code):
    files = fingerprint.module_files(clone, [fingerprint.plain_python(code)])
    names = {
        ".".join(path.relative_to(clone).with_suffix("").parts).removesuffix(".__init__") for path in files
    }
    assert names == IMPORTS[code]


@pytest.mark.parametrize(
    "text, value", [("60", 60), ("1e-3", 1e-3), ("None", None), ("strict", "strict"), ("[1, 2]", [1, 2])]
)
def test_literals(text, value):
    assert execute.literal(text) == value


def test_default_scale_injects_nothing():
    import argparse

    parser = argparse.ArgumentParser()
    execute.arguments(parser)
    assert execute.parameters_of(parser.parse_args(["--scale", "page"])) == {}
    assert execute.parameters_of(parser.parse_args(["--scale", "smoke", "-p", "L_max", "60"])) == {
        "scale": "smoke",
        "L_max": 60,
    }
