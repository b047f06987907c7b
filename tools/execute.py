"""Execute the chapters whose inputs changed, and only those.

A chapter is `notebooks/NN_slug.py` (py:percent, the file one edits). tools/fingerprint.py says what its
outputs depend on. If nothing of that differs from what the executed notebook was made with, its outputs are
kept and only the prose is replaced; else papermill runs it.

    python tools/execute.py                                    every chapter, into executed/
    python tools/execute.py 01_slug --out build/chapters --scale smoke -p L_max 60
    python tools/execute.py --commit                           refresh the committed notebooks/NN_slug.ipynb
"""

import argparse
import ast
import os
import sys
import time
from pathlib import Path

import fingerprint
from fingerprint import code_cells, digest, has_tag, plain_python

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_SCALE = "page"  # the literal in every parameters cell: asking for it injects nothing
SETTINGS = {"KERAS_BACKEND": fingerprint.BACKEND, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


def slugs(root=ROOT):
    """Names of all chapters, in order."""
    return sorted(path.stem for path in (root / "notebooks").glob("[0-9][0-9]_*.py"))


def read_source(root, slug):
    """The chapter as a notebook without outputs, read from its py:percent file."""
    import jupytext

    path = root / "notebooks" / f"{slug}.py"
    if not path.is_file():
        raise ValueError(f"chapter {slug!r} does not exist; there are: {', '.join(slugs(root)) or 'none'}")
    return jupytext.read(path)


def merge(source, executed):
    """The source's cells with the executed notebook's outputs; both hold the same code cells, in order."""
    outputs = iter(code_cells(executed))
    injected = [cell for cell in executed.cells if has_tag(cell, "injected-parameters")]
    merged, source.cells = source.cells, []
    for cell in merged:
        source.cells.append(cell)
        if cell.cell_type == "code":
            done = next(outputs)
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
            if has_tag(cell, "parameters"):
                source.cells += injected
    return source


def coalesce(outputs):
    """Outputs with neighbouring pieces of one text stream joined: how they were cut depends on timing."""
    joined = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def normalise(notebook):
    """The notebook without times, empty tags and random cell names: the same run gives the same bytes."""
    seen = {}
    for cell in notebook.cells:
        cell.metadata = {
            key: value for key, value in cell.metadata.items() if value and key in ("tags", "mystnb")
        }
        seen[cell.source] = seen.get(cell.source, 0) + 1
        cell.id = digest(f"{seen[cell.source]} {cell.source}")
        if cell.cell_type == "code":
            cell.outputs = coalesce(cell.outputs)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def write(notebook, path):
    """Write the notebook unless the file already holds it; say whether it was written."""
    import nbformat

    text = nbformat.writes(notebook) + "\n"
    if path.is_file() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True


def known_parameters(notebook):
    """Names assigned in the cells tagged `parameters`."""
    cells = [plain_python(cell.source) for cell in notebook.cells if has_tag(cell, "parameters")]
    return [
        target.id
        for code in cells
        for node in ast.parse(code).body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name)
    ]


def run(root, slug, notebook, parameters):
    """Execute the notebook with papermill in notebooks/ and return it."""
    import nbformat
    import papermill
    from traitlets.config import Config

    failed = root / "build" / "failed" / f"{slug}.ipynb"
    failed.parent.mkdir(parents=True, exist_ok=True)
    plain = failed.with_suffix(".in.ipynb")
    nbformat.write(normalise(notebook), plain)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        papermill.execute_notebook(
            str(plain),
            str(failed),
            parameters,
            cwd=str(root / "notebooks"),
            kernel_name="python3",
            progress_bar=False,
            config=Config(KernelManager={"transport": "ipc"}),
        )
    except papermill.PapermillExecutionError as error:
        raise RuntimeError(f"{slug} stopped at an error; the notebook so far: {failed}\n{error}") from None
    finally:
        plain.unlink()
    done = nbformat.read(failed, as_version=4)
    failed.unlink()
    return done


def bring_up_to_date(root, slug, parameters=None, folder="executed", force=False, say=print):
    """Execute a chapter if its inputs changed, else renew its prose: "executed", "text" or "fresh"."""
    import nbformat

    parameters = parameters or {}
    notebook = read_source(root, slug)
    known = known_parameters(notebook)
    for name in parameters:
        if name not in known:
            raise ValueError(f"{slug} has no parameter {name!r}; it has: {', '.join(known)}")
    now = fingerprint.of(root, slug, notebook, parameters)
    path = root / folder / f"{slug}.ipynb"
    old = nbformat.read(path, as_version=4) if path.is_file() and not force else None
    changed = fingerprint.changes(old.metadata.get("nslib", {}).get("inputs", {}), now) if old else []
    if old and not changed:
        done, state = merge(notebook, old), "text"
    else:
        why = f"{_list(changed)} changed" if old else "asked for" if force else "first time"
        say(f"{slug}: executing ({why}) ...", flush=True)
        start = time.perf_counter()
        done, state = run(root, slug, notebook, parameters), "executed"
        say(f"{slug}: executed in {time.perf_counter() - start:.0f} s", flush=True)
    normalise(done).metadata["nslib"] = {"inputs": now}
    return "fresh" if not write(done, path) else state


def _list(names, most=3):
    """The first few names, and how many more."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def commit_copy(root, slug):
    """Write notebooks/NN_slug.ipynb, the committed copy, from executed/; say whether it changed."""
    import nbformat

    return write(
        normalise(nbformat.read(root / "executed" / f"{slug}.ipynb", as_version=4)),
        root / "notebooks" / f"{slug}.ipynb",
    )


def literal(text):
    """A Python literal if the text is one, else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def arguments(parser):
    """Add the options that say what to run: chapters, scale, parameters."""
    parser.add_argument("chapters", nargs="*", metavar="NN_slug", help="chapters (default: all)")
    parser.add_argument("--scale", default=DEFAULT_SCALE, help="smoke, page or paper (default: page)")
    parser.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", "VALUE"),
        help="a parameter of the chapter; may be repeated",
    )


def parameters_of(options):
    """The parameters to inject for the parsed options."""
    scale = {} if options.scale == DEFAULT_SCALE else {"scale": options.scale}
    return {**scale, **{name: literal(value) for name, value in options.parameters}}


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(parser)
    parser.add_argument("--out", default="executed", help="folder for the executed notebooks")
    parser.add_argument("--force", action="store_true", help="execute even if nothing changed")
    parser.add_argument(
        "--commit", action="store_true", help="also write notebooks/NN_slug.ipynb (page scale)"
    )
    options = parser.parse_args(argv)
    if options.commit and (parameters_of(options) or options.out != "executed"):
        parser.error("--commit takes the default scale, parameters and folder")
    for slug in options.chapters or slugs(ROOT):
        try:
            state = bring_up_to_date(ROOT, slug, parameters_of(options), options.out, options.force)
        except (ValueError, RuntimeError) as error:
            return str(error)
        note = (
            " notebooks copy " + ("written" if commit_copy(ROOT, slug) else "unchanged")
            if options.commit
            else ""
        )
        print(f"{slug}: {state} ({options.out}/{slug}.ipynb){note}")


if __name__ == "__main__":
    sys.exit(main())
