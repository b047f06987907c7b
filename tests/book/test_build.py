"""tools/build.py: what is staged, what makes all pages due, and Jupyter Book's answer to a warning."""

import json
import shutil

import execute
import nbformat
import pytest
import yaml

import build

TOC = "format: jb-book\nroot: book/index\nchapters: [{file: notebooks/01_count}]\n"
INDEX = "# Index\n\nSee [the chapter](../notebooks/01_count.ipynb).\n"


def notebook(*cells):
    v4 = nbformat.v4
    return v4.new_notebook(
        cells=[
            v4.new_code_cell(text[5:]) if text.startswith("code:") else v4.new_markdown_cell(text)
            for text in cells
        ]
    )


def test_solutions_are_left_out():
    whole = notebook(
        "# Title",
        "```{exercise}\n:label: ex\nDo it.\n```",
        "````{solution-start} ex\n````",
        "code:answer = 42",
        "Because.",
        "````{solution-end}\n````",
        "code:rest = 1",
        "Before\n\n```{solution} ex\nThe answer.\n```\nAfter",
    )
    text = json.dumps(build.without_solutions(whole))
    assert [cell.source for cell in whole.cells] == [
        "# Title",
        "```{exercise}\n:label: ex\nDo it.\n```",
        "rest = 1",
        "Before\n\nAfter",
    ]
    assert "answer" not in text and "Because" not in text


def test_solution_without_end_is_an_error():
    with pytest.raises(ValueError, match="solution-start has no solution-end"):
        build.without_solutions(notebook("```{solution-start} ex\n```", "code:1"))


def config(url):
    text = (build.ROOT / "_config.yml").read_text()
    assert 'url: ""' in text
    return text.replace('url: ""', f'url: "{url}"')


def test_no_launch_buttons_without_a_repository():
    made = yaml.safe_load(build.configuration(config("")))
    assert "launch_buttons" not in made and "repository" not in made
    assert not made["html"].get("use_repository_button")


def test_launch_buttons_with_a_repository():
    made = yaml.safe_load(build.configuration(config("https://github.com/someone/book")))
    assert made["launch_buttons"]["binderhub_url"] and made["repository"]["url"].endswith("someone/book")
    assert made["html"]["use_repository_button"]


def test_put_touches_only_what_differs(tmp_path):
    nb = {"cells": [{"source": "text", "outputs": [1]}]}
    files = {"book/a.md": b"a", "assets/a.css": b"a", "notebooks/n.ipynb": json.dumps(nb).encode()}
    build.put(files, tmp_path)
    times = {name: (tmp_path / name).stat().st_mtime_ns for name in files}
    assert not build.put(files, tmp_path)
    assert times == {name: (tmp_path / name).stat().st_mtime_ns for name in files}
    assert not build.put(files | {"book/a.md": b"b"}, tmp_path)
    nb["cells"][0]["source"] = "other text"
    assert not build.put(files | {"notebooks/n.ipynb": json.dumps(nb).encode()}, tmp_path)
    nb["cells"][0]["outputs"] = [2]
    assert build.put(files | {"notebooks/n.ipynb": json.dumps(nb).encode()}, tmp_path)
    assert build.put(files | {"assets/a.css": b"b"}, tmp_path)
    assert build.put({"assets/a.css": b"b"}, tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.css"]


@pytest.fixture
def book(clone, monkeypatch):
    """The small clone as a book of two pages in a named repository."""
    (clone / "notebooks" / "02_idle.py").unlink()
    (clone / "book" / "index.md").write_text(INDEX)
    (clone / "book" / "references.bib").write_text("")
    (clone / "_toc.yml").write_text(TOC)
    (clone / "_config.yml").write_text(config("https://github.com/someone/book"))
    shutil.copytree(build.ROOT / "assets", clone / "assets", ignore=shutil.ignore_patterns("mathjax"))
    monkeypatch.chdir(clone)
    execute.bring_up_to_date(clone, "01_count")
    return clone


def test_build_once_then_up_to_date_then_prose(book):
    assert build.build(book, True)
    page = (book / build.HTML / "notebooks" / "01_count.html").read_text()
    assert "mass 2.80" in page
    # the committed notebook of the repository, in Binder and in Colab
    assert "/v2/gh/someone/book/main?urlpath=lab/tree/notebooks/01_count.ipynb" in page
    assert "/github/someone/book/blob/main/notebooks/01_count.ipynb" in page
    assert not build.build(book, True)
    assert build.build(book, False)
    (book / "book" / "index.md").write_text(INDEX + "\nOne more sentence.\n")
    assert build.build(book, False)
    assert "One more sentence" in (book / build.HTML / "book" / "index.html").read_text()


def test_warning_fails_the_build_and_leaves_nothing(book):
    (book / "book" / "index.md").write_text(INDEX + "\n{ref}`nowhere`\n")
    for _ in range(2):  # a second try must not pass because the page was read before
        with pytest.raises(RuntimeError, match="the book was not built"):
            build.build(book, True)
        assert not (book / "_build").exists()
