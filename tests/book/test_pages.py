"""The whole book, built from the committed notebooks: nothing from another host, every picture described.

No chapter is executed here, so the build takes seconds; Jupyter Book treats every warning as an error.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tables

import build

LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "embed": "src",
    "object": "data",
    "video": "src",
    "audio": "src",
}


class Page(HTMLParser):
    """What a page loads, its pictures, its inline scripts and its search fields."""

    def __init__(self, path):
        super().__init__()
        self.path, self.loads, self.alts, self.scripts, self.searches = path, [], [], [], 0
        self._inside_script = False
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "link" and not {"canonical", "next", "prev", "index", "search"} & set(attrs["rel"].split()):
            self.loads.append(attrs["href"])
        if attrs.get(LOADING.get(tag)):
            self.loads.append(attrs[LOADING[tag]])
        if tag == "img":
            self.alts.append(attrs.get("alt"))
        self.searches += "search-button-field" in attrs.get("class", "").split()
        self._inside_script = tag == "script"

    def handle_endtag(self, tag):
        self._inside_script = False

    def handle_data(self, data):
        if self._inside_script:
            self.scripts.append(data)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Folder of the built book."""
    folder = tmp_path_factory.mktemp("book")
    here = Path.cwd()
    os.chdir(build.ROOT)
    try:
        build.put(build.staged_files(build.ROOT, chapters="notebooks"), folder / build.STAGE)
    finally:
        os.chdir(here)
    build.jupyter_book(folder)
    return folder / build.HTML


@pytest.fixture(scope="module")
def pages(html):
    """All pages but the redirect at the top."""
    return [
        Page(path)
        for path in sorted(html.rglob("*.html"))
        if path != html / "index.html" and "_static" not in path.parts
    ]


def test_pages_exist(html, pages):
    assert len(pages) > 10
    assert "url=book/index.html" in (html / "index.html").read_text()


def test_nothing_is_loaded_from_another_host(html, pages):
    for page in pages:
        for url in page.loads:
            assert not re.match(r"(https?:)?//", url), f"{page.path.name}: {url}"
            if not url.startswith("data:"):
                assert (page.path.parent / url.split("?")[0]).exists(), f"{page.path.name}: {url}"
        assert not re.findall(r"https?://(?!www\.w3\.org)", " ".join(page.scripts)), page.path.name
    for style in html.rglob("*.css"):
        assert not re.search(r"""(url\(|@import)\s*["']?(https?:)?//""", style.read_text()), style.name


def test_maths_is_rendered_from_this_host(html, pages):
    users = [page for page in pages if any("mathjax" in url for url in page.loads)]
    assert users
    assert (html / "_static" / "mathjax" / "tex-mml-chtml.js").is_file()


def test_every_picture_is_described(pages):
    for page in pages:
        for alt in page.alts:
            assert alt is not None and not alt.endswith((".png", ".svg")), f"{page.path.name}: {alt}"


def test_one_search_field(pages):
    assert {page.searches for page in pages} == {1}


def test_reference_documents_every_module(html):
    headings = re.findall(r"<h[23]>([\w.]+)<a", (html / "book" / "api.html").read_text())
    assert headings == tables.modules()


def test_no_launch_buttons_today(html, pages):
    assert 'url: ""' in (build.ROOT / "_config.yml").read_text()
    assert not any("mybinder" in page.path.read_text() for page in pages)
