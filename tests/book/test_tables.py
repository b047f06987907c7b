"""tools/tables.py: generated parts of Markdown files."""

import re

import pytest
import tables


def test_fill_replaces_between_marks(monkeypatch):
    monkeypatch.setitem(tables.BLOCKS, "x", lambda: "| new |")
    text = "before\n<!-- begin x -->\nold\n<!-- end x -->\nafter\n"
    made = tables.fill(text)
    assert made == "before\n<!-- begin x -->\n\n| new |\n\n<!-- end x -->\nafter\n"
    assert tables.fill(made) == made


def test_unknown_part():
    with pytest.raises(ValueError, match="'nothing' is unknown; known: summary"):
        tables.fill("<!-- begin nothing -->\n<!-- end nothing -->")


@pytest.mark.parametrize(
    "text", ["<!-- begin verdicts -->\n", "<!-- end api -->\n", "<!-- begin api -->\n<!-- end verdicts -->\n"]
)
def test_marks_must_pair(text):
    with pytest.raises(ValueError, match="do not pair"):
        tables.fill(text)


def test_readme_is_up_to_date(monkeypatch):
    monkeypatch.chdir(tables.ROOT)
    text = (tables.ROOT / "README.md").read_text()
    assert "<!-- begin verdicts -->" in text
    assert tables.fill(text) == text, "run: make tables"


def test_reference_lists_every_module(clone):
    found = re.findall(r"^.. automodule:: (.*)$", tables.api(clone), re.MULTILINE)
    assert found == [
        "nslib",
        "nslib.learn",
        "nslib.learn.training",
        "nslib.stars",
        "nslib.stars.structure",
        "nslib.units",
    ]


def test_reference_names_things_as_users_call_them(clone):
    (clone / "nslib" / "stars" / "__init__.py").write_text(
        "from nslib.stars.structure import mass, structure\n\n__all__ = ['mass', 'structure']\n"
    )
    text = tables.api(clone)
    assert ".. automodule:: nslib.stars\n   :members:\n```" in text
    assert (
        ".. automodule:: nslib.stars.structure\n   :members:\n   :exclude-members: mass, structure\n"
        "   :no-index:\n```" in text
    )
