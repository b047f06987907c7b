"""The rooms of nslib: who may import whom, what an import loads and changes, sizes, docstrings."""

import ast
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nslib"
FILES = sorted(PACKAGE.rglob("*.py"))
#: rooms from the ground up; a room may import those before it, rooms in one tuple not each other
FLOORS = [
    ("units", "interpolate", "batches", "chunks"), ("tables",), ("masses",), ("matter",), ("nuclei",), ("crust",),
    ("stars",), ("infer",), ("datasets",), ("learn",),
]  # fmt: skip
HEIGHT = {room: height for height, floor in enumerate(FLOORS) for room in floor}


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def tree(path):
    return ast.parse(path.read_text(), filename=str(path))


def imports(path):
    """Names that a file imports, written out: nslib.stars.family, numpy, ..., at any depth of the code."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(path):
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "nslib":
            yield parts[1] if len(parts) > 1 else ""


def test_every_room_has_its_floor():
    assert {room_of(path) for path in FILES} - {"__init__", "book"} <= set(HEIGHT)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    room = room_of(path)
    for other in rooms_imported(path):
        if room in ("__init__", "book"):
            assert other in ("", "__version__"), f"{room} imports {other}"
        elif other not in ("", "__version__") and other != room:
            assert HEIGHT[other] < HEIGHT[room], f"{room} imports {other}, which does not lie below it"


def test_no_circles_between_files():
    """Files of one room may import each other, but not in a circle."""
    module = {
        ".".join(("nslib", *p.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): p
        for p in FILES
    }
    below = {}
    for name, path in module.items():
        names = (n for n in imports(path) if n.startswith("nslib."))
        below[name] = {
            m for n in names for m in (n, n.rpartition(".")[0]) if m in module and m != name and m != "nslib"
        }
        if path.name == "__init__.py":  # a package and its own files count as one where the files import it
            below[name] = {m for m in below[name] if not m.startswith(name + ".")}

    def walk(name, seen):
        assert name not in seen, " -> ".join([*seen, name])
        for other in below[name]:
            walk(other, [*seen, name])

    for name in below:
        walk(name, [])


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_stars_load_no_network_library():
    loaded = run("import sys, nslib.stars; print(*sys.modules)").split()
    assert not {"tensorflow", "keras", "sklearn", "pandas", "matplotlib"} & set(loaded)


def test_import_changes_one_setting():
    code = """
import os, sys, warnings
import jax, numpy, scipy.constants
import random
def state():
    return dict(jax.config.values), dict(os.environ), list(sys.path), list(warnings.filters), numpy.geterr(), str(numpy.random.get_state()), random.getstate()
before = state()
import nslib, nslib.stars
after = state()
print({k for k in before[0] if before[0][k] != after[0][k]}, before[1:] == after[1:])
"""
    assert run(code).strip() == "{'jax_enable_x64'} True"


def code_lines(path):
    """Lines with code on them: no docstring, comment or blank line."""
    documented, holds = set(), set()
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type not in silent:
                holds |= set(range(token.start[0], token.end[0] + 1))
    return len(holds - documented)


def test_size():
    assert 4000 < sum(code_lines(path) for path in FILES) < 7800  # 7000 before posteriors of noisy stars came


def functions(path):
    return (n for n in ast.walk(tree(path)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_functions_are_short(path):
    """At most 60 lines of body: the signature and the docstring are not counted."""
    for f in functions(path):
        body = f.body[1:] if ast.get_docstring(f) and len(f.body) > 1 else f.body
        length = body[-1].end_lineno - body[0].lineno + 1
        assert length <= 60, f"{f.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_is_public_is_documented(path):
    module = tree(path)
    assert ast.get_docstring(module), path.name
    for node in module.body:
        members = [node, *node.body] if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, (ast.FunctionDef, ast.ClassDef)) and not member.name.startswith("_"):
                assert ast.get_docstring(member), f"{path.name}: {member.name} has no docstring"
