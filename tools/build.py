"""Build the book: bring chapters up to date, stage pages and executed notebooks, run Jupyter Book on them.

Staging puts what the book consists of into build/stage/, where chapters are the executed ones, generated
tables are filled in, launch buttons appear only if `_config.yml` names a repository, and solutions are left
out on request. File contents decide what is copied, so an edit of one page rebuilds that page. Jupyter Book
executes nothing.

    python tools/build.py [NN_slug] [--scale page] [-p NAME VALUE] [--solutions 0]
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import execute
from fingerprint import digest

ROOT = execute.ROOT
STAGE = Path("build/stage")
HTML = Path("_build/html")
STAMP = Path("_build/inputs")
SOLUTION = re.compile(r"^(`{3,}|:{3,})\{solution\}.*?^\1\s*?$\n?", re.DOTALL | re.MULTILINE)


def without_solutions(notebook):
    """The notebook without what lies from `solution-start` to `solution-end`, and without `solution`s."""
    kept, inside = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "{solution-start}" in cell.source:
            inside = True
        if not inside:
            if cell.cell_type == "markdown":
                cell.source = SOLUTION.sub("", cell.source)
            kept.append(cell)
        if cell.cell_type == "markdown" and "{solution-end}" in cell.source:
            inside = False
    if inside:
        raise ValueError("a solution-start has no solution-end")
    notebook.cells = kept
    return notebook


def configuration(text):
    """_config.yml for the build: buttons that lead to the repository only if one is named."""
    import yaml

    config = yaml.safe_load(text)
    if (config.get("repository") or {}).get("url"):
        config["html"] |= {"use_repository_button": True, "use_issues_button": True}
    else:
        config.pop("repository", None)
        config.pop("launch_buttons", None)
    return yaml.safe_dump(config, sort_keys=False)


def staged_files(root, solutions=True, chapters="executed"):
    """What the book consists of: {path in the stage: bytes}; `chapters` is where executed notebooks lie."""
    import nbformat
    import tables

    files = {
        "_config.yml": configuration((root / "_config.yml").read_text()).encode(),
        "_toc.yml": (root / "_toc.yml").read_bytes(),
    }
    for folder in ("book", "assets"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                name = path.relative_to(root).as_posix()
                files[name] = (
                    tables.fill(path.read_text()).encode() if path.suffix == ".md" else path.read_bytes()
                )
    for slug in execute.slugs(root):
        path = root / chapters / f"{slug}.ipynb"
        text = path.read_text()
        if not solutions:
            text = nbformat.writes(without_solutions(nbformat.read(path, as_version=4)))
        files[f"notebooks/{slug}.ipynb"] = text.encode()
    return files


def outputs(data):
    """What the cells of a notebook printed and drew."""
    return [cell.get("outputs") for cell in json.loads(data)["cells"]]


def put(files, stage):
    """Make the folder hold exactly these files, touching only what differs; say whether all pages are due.

    They are when a file went away, when a style or script changed, and when a notebook has new outputs,
    because other pages quote its numbers.
    """
    gone = [
        path
        for path in stage.rglob("*")
        if path.is_file() and path.relative_to(stage).as_posix() not in files
    ]
    for path in gone:
        path.unlink()
    all_due = bool(gone)
    for name, data in files.items():
        path = stage / name
        old = path.read_bytes() if path.is_file() else None
        if old != data:
            all_due |= name.startswith("assets/") or (
                name.endswith(".ipynb") and old is not None and outputs(old) != outputs(data)
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return all_due


def inputs(root, solutions):
    """Digest of all that the pages are made from; equal digests need no build."""
    files = [root / name for name in ("_config.yml", "_toc.yml", "requirements.lock")]
    for pattern in (
        "book/**/*",
        "assets/**/*",
        "executed/*.ipynb",
        "nslib/**/*.py",
        "results/*.json",
        "build/records/*.json",
        "tools/*.py",
    ):
        files += [path for path in sorted(root.glob(pattern)) if path.is_file()]
    return digest(
        repr((solutions, [(path.relative_to(root).as_posix(), digest(path.read_bytes())) for path in files]))
    )


def jupyter_book(root):
    """Run Jupyter Book over root/build/stage, warnings being errors; a failed build leaves nothing behind."""
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        str(STAGE),
        "--path-output",
        ".",
        "--nitpick",
        "--warningiserror",
        "--keep-going",
        "--quiet",
    ]
    run = subprocess.run(
        command, cwd=root, env=execute.SETTINGS | os.environ, stdout=subprocess.DEVNULL, check=False
    )
    if run.returncode:
        shutil.rmtree(root / "_build", ignore_errors=True)
        raise RuntimeError("the book was not built: see the warnings above")


def build(root, solutions):
    """Build the pages if anything they are made from changed; say whether they were built."""
    now = inputs(root, solutions)
    stamp = root / STAMP
    if stamp.is_file() and stamp.read_text() == now:
        return False
    stamp.unlink(missing_ok=True)
    if put(staged_files(root, solutions), root / STAGE):
        shutil.rmtree(root / "_build", ignore_errors=True)
    jupyter_book(root)
    stamp.write_text(now)
    return True


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    execute.arguments(parser)
    parser.add_argument("--solutions", type=int, choices=(0, 1), default=1, help="0 leaves the solutions out")
    options = parser.parse_args(argv)
    os.chdir(ROOT)
    start = time.perf_counter()
    try:
        for slug in execute.slugs(ROOT):
            chosen = slug in options.chapters or not options.chapters
            execute.bring_up_to_date(ROOT, slug, execute.parameters_of(options) if chosen else {})
        between = time.perf_counter()
        built = build(ROOT, bool(options.solutions))
    except (ValueError, RuntimeError) as error:
        return str(error)
    print(
        f"{HTML}/index.html {'built' if built else 'is up to date'}: chapters {between - start:.1f} s, "
        f"pages {time.perf_counter() - between:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
