"""Fill the generated parts of Markdown files: tables of verdicts and runs, and the list of modules.

A generated part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`, NAME one of BLOCKS. README.md
holds its tables as they are (`make tables` renews them, a test compares); pages of the book are filled when
it is built.

    python tools/tables.py README.md            renew the file
    python tools/tables.py --check README.md    exit with 1 if it is out of date
"""

import argparse
import ast
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"(<!-- begin ([\w-]+) -->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)


def modules(root=ROOT):
    """Dotted names of all modules of nslib, the package first."""
    paths = (root / "nslib").rglob("*.py")
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in paths]
    return sorted(name.removesuffix(".__init__") for name in names)


def public_names(path):
    """Names in the `__all__` of a file, [] where it has none."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []


def api(root=ROOT):
    """One section a module, from its docstrings.

    What a package offers in its `__all__` is documented there, under the name by which users call it, and
    not again in the module that defines it. A module with the name of such an object (`stars.family`) is
    not indexed.
    """
    parts = []
    for name in modules(root):
        package = root.joinpath(*name.split(".")[:-1]) / "__init__.py"
        offered = public_names(package) if package.is_file() else []
        options = [
            ":members:",
            *([f":exclude-members: {', '.join(offered)}"] if offered else []),
            *([":no-index:"] if name.split(".")[-1] in offered else []),
        ]
        directive = "\n".join([f".. automodule:: {name}", *(f"   {option}" for option in options)])
        parts.append(
            f"{'##' if name.count('.') < 2 else '###'} {name}\n\n```{{eval-rst}}\n{directive}\n```\n"
        )
    return "\n".join(parts)


def from_book(function, *arguments):
    """A table of nslib.book, imported only when wanted because JAX comes with it."""

    def make():
        import nslib.book

        return getattr(nslib.book, function)(*arguments)

    return make


def benchmarks(root=ROOT):
    """The table of results/benchmarks.json: its "header", its "rows", and the sentence "note" below them."""
    import nslib.book

    path = root / "results" / "benchmarks.json"
    if not path.is_file():
        return "No comparison has been recorded yet."
    found = json.loads(path.read_text())
    return f"{nslib.book.Table(found['header'], found['rows'])}\n\n{found['note']}"


BLOCKS = {
    "summary": from_book("summary_table"),
    "verdicts": from_book("verdict_table"),
    "status": from_book("status_table", "paper"),
    "status-page": from_book("status_table", "page"),
    "benchmarks": benchmarks,
    "api": api,
}


def fill(text):
    """The text with each generated part made anew."""

    def make(match):
        begin, name, _, end = match.groups()
        if name not in BLOCKS:
            raise ValueError(f"generated part {name!r} is unknown; known: {', '.join(BLOCKS)}")
        return f"{begin}\n{BLOCKS[name]().strip()}\n\n{end}"

    begun = re.findall(r"<!-- begin ([\w-]+) -->", text)
    ended = re.findall(r"<!-- end ([\w-]+) -->", text)
    if begun != ended:
        raise ValueError(f"marks of generated parts do not pair: begin {begun}, end {ended}")
    return MARK.sub(make, text)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(argv)
    files = [path.resolve() for path in options.files]
    os.chdir(ROOT)
    old = 0
    for path in files:
        before = path.read_text()
        after = fill(before)
        if after != before:
            old += 1
            print(f"{path.name}: {'out of date (make tables)' if options.check else 'renewed'}")
            if not options.check:
                path.write_text(after)
    return 1 if options.check and old else 0


if __name__ == "__main__":
    sys.exit(main())
