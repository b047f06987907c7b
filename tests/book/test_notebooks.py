"""The committed notebooks: made from their source, executed, and compared by nbval cell by cell."""

import execute
import nbformat
import yaml

ROOT = execute.ROOT
CHAPTERS = execute.slugs(ROOT)


def committed(slug):
    return nbformat.read(ROOT / "notebooks" / f"{slug}.ipynb", as_version=4)


def test_chapters_are_those_of_the_contents():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    files = [chapter["file"] for part in parts for chapter in part["chapters"]]
    assert [name.removeprefix("notebooks/") for name in files if name.startswith("notebooks/")] == CHAPTERS
    assert CHAPTERS


def test_pages_are_those_of_the_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in (ROOT / "book").glob("*.md")}
    assert {name for name in files if name.startswith("book/")} == pages


def test_notebook_matches_its_source():
    for slug in CHAPTERS:
        source = execute.normalise(execute.read_source(ROOT, slug))
        pair = [
            [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]
            for notebook in (committed(slug), source)
        ]
        assert pair[0] == pair[1], f"run: make notebooks CHAPTER={slug}"


def test_every_code_cell_was_executed_in_order():
    for slug in CHAPTERS:
        cells = [cell for cell in committed(slug).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), slug
        assert sum(bool(cell.outputs) for cell in cells) >= len(cells) / 3, (
            f"{slug}: hardly any cell shows anything"
        )


def test_no_errors_and_no_warnings_are_stored():
    for slug in CHAPTERS:
        for cell in committed(slug).cells:
            for output in cell.get("outputs", []):
                assert output.output_type != "error", f"{slug}: {cell.source}"
                assert output.get("name") != "stderr", f"{slug}: {output.text}"


def test_few_cells_are_exempt_from_comparison():
    exempt = {"nbval-ignore-output", "nbval-skip", "raises-exception"}
    for slug in CHAPTERS:
        cells = [cell for cell in committed(slug).cells if cell.cell_type == "code"]
        assert sum(bool(exempt & set(cell.metadata.get("tags", []))) for cell in cells) <= len(cells) / 10, (
            slug
        )
        for cell in cells:
            comments = [
                line for line in cell.source.splitlines() if line.lstrip().upper().startswith("# NBVAL_")
            ]
            assert not comments, f"{slug}: exempt cells by tag, so that they are counted: {comments}"


def test_every_figure_has_an_alt_text():
    for slug in CHAPTERS:
        for cell in committed(slug).cells:
            pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
            if pictures:
                assert cell.metadata.get("mystnb", {}).get("image", {}).get("alt"), f"{slug}: {cell.source}"


def test_notebooks_are_normalised():
    for slug in CHAPTERS:
        text = (ROOT / "notebooks" / f"{slug}.ipynb").read_text()
        assert nbformat.writes(execute.normalise(committed(slug))) + "\n" == text, (
            f"run: make notebooks CHAPTER={slug}"
        )
