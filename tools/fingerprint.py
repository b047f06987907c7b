"""What the outputs of a chapter depend on.

Its code cells and the parameters given, the nslib modules it imports (transitively, found in the syntax
trees), the data files of those packages, its own claims and paper-scale records, `requirements.lock`, the
Keras backend and the Python version. File times play no part.
"""

import ast
import hashlib
import json
import os
import sys
from pathlib import Path

PACKAGE = "nslib"
BACKEND = "tensorflow"  # Keras' backend unless KERAS_BACKEND names another


def digest(data):
    """Sixteen hexadecimal digits of the SHA-256 of bytes or text."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:16]


def code_cells(notebook):
    """Code cells of a notebook, without the cell that papermill injects."""
    return [c for c in notebook.cells if c.cell_type == "code" and not has_tag(c, "injected-parameters")]


def has_tag(cell, tag):
    """Whether the cell carries the tag."""
    return tag in cell.metadata.get("tags", [])


def plain_python(source):
    """Source of a cell without IPython's magics and shell lines."""
    if source.lstrip().startswith("%%"):
        return ""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())


def imported_names(code, package, origin):
    """Dotted names that the code imports; relative ones are resolved against `package`."""
    for node in ast.walk(ast.parse(code, origin)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            start = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def module_files(root, codes):
    """Files of nslib that the given pieces of code import, directly or through one another, sorted."""
    found, todo = set(), [(code, "", f"code cell {number}") for number, code in enumerate(codes, 1)]
    while todo:
        for name in imported_names(*todo.pop()):
            parts = name.split(".")
            if parts[0] != PACKAGE:
                continue
            for depth in range(1, len(parts) + 1):
                stem = root.joinpath(*parts[:depth])
                for path in (stem / "__init__.py", stem.with_suffix(".py")):
                    if path.is_file() and path not in found:
                        found.add(path)
                        todo.append(
                            (path.read_text(), ".".join(path.parent.relative_to(root).parts), str(path))
                        )
    return sorted(found)


def data_files(root, modules):
    """Files other than Python in the packages of these modules, folders without `__init__.py` included."""
    found = []
    for package in sorted(path.parent for path in modules if path.name == "__init__.py"):
        for folder, subfolders, names in os.walk(package):
            subfolders[:] = sorted(
                s for s in subfolders if s != "__pycache__" and not Path(folder, s, "__init__.py").is_file()
            )
            found += [Path(folder, name) for name in sorted(names) if not name.endswith((".py", ".pyc"))]
    return found


def own_claims(root, slug):
    """The chapter's entries of book/claims.yml."""
    import yaml

    path = root / "book" / "claims.yml"
    claims = yaml.safe_load(path.read_text()) if path.is_file() else {}
    return {name: claim for name, claim in (claims or {}).items() if claim["chapter"] == slug}


def of(root, slug, notebook, parameters):
    """Everything that the outputs depend on: {name: digest}."""
    cells = code_cells(notebook)
    try:
        modules = module_files(root, [plain_python(cell.source) for cell in cells])
    except SyntaxError as error:
        raise ValueError(f"{slug}: {error}") from error
    files = [
        *modules,
        *data_files(root, modules),
        *sorted((root / "results").glob(f"{slug}*.json")),
        root / "requirements.lock",
    ]
    return {
        "code": digest(json.dumps([[cell.source, has_tag(cell, "parameters")] for cell in cells])),
        "parameters": digest(json.dumps(parameters, sort_keys=True)),
        "claims": digest(json.dumps(own_claims(root, slug), sort_keys=True, default=str)),
        "backend": os.environ.get("KERAS_BACKEND", BACKEND),
        "python": "{}.{}".format(*sys.version_info),
        **{path.relative_to(root).as_posix(): digest(path.read_bytes()) for path in files if path.is_file()},
    }


def changes(old, new):
    """Names of the inputs that differ between two fingerprints."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
