"""Files around the book: locks, environment.yml, Makefile, CI, licences, citation."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nslib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
PACKAGE = PROJECT["project"]["dependencies"]
LOCKS = {
    "requirements.lock": [*PACKAGE, *EXTRAS["hfb21"], *GROUPS["book"], *GROUPS["test"]],
    "requirements-gpu.lock": [*PACKAGE, *EXTRAS["gpu"], *GROUPS["book"]],
    "requirements-bench.lock": [*PACKAGE, *GROUPS["bench"], *GROUPS["test"]],
}
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):(?!=)", MAKEFILE, re.MULTILINE))


def specifiers(requirements):
    """{(name, extras, specifiers, marker)} of requirement texts; equal requirements give equal sets."""
    parsed = [Requirement(text) for text in requirements]
    return {(canonicalize_name(r.name), frozenset(r.extras), str(r.specifier), str(r.marker)) for r in parsed}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_host_and_hashes_everything(name):
    text = (ROOT / name).read_text()
    assert "://" not in text and " @ " not in text and "--index" not in text and "--find-links" not in text
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+", entry) and "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_covers_pyproject(name):
    locked = {}
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
        locked.setdefault(canonicalize_name(package), []).append(version)
    for requirement in map(Requirement, LOCKS[name]):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not in {name}: make locks"
        assert all(requirement.specifier.contains(v, prereleases=True) for v in versions), (
            f"{requirement}: {versions}"
        )


def test_environment_agrees_with_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    python, *others = conda
    assert others == ["pip"]
    assert re.fullmatch(r"python=3\.\d+", python)
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14" and 11 <= int(python.split(".")[1]) < 14
    assert pip[-1] == "-e ."
    assert specifiers(pip[:-1]) == specifiers([*PACKAGE, *GROUPS["book"], *GROUPS["test"]])


def test_every_target_is_explained():
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert phony == TARGETS
    explained = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {line.split()[1] for line in explained.stdout.splitlines()} == TARGETS


def test_commands_named_in_prose_exist():
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "book").glob("*.md"),
        *(ROOT / "notebooks").glob("*.py"),
    ]
    for page in pages:
        named = set(re.findall(r"(?:`|^|# )make ([a-z]+)\b", page.read_text(), re.MULTILINE))
        assert named <= TARGETS, f"{page.name}: {named - TARGETS}"
    assert {"book", "test"} <= set(
        re.findall(r"^make ([a-z]+)\b", (ROOT / "README.md").read_text(), re.MULTILINE)
    )


def test_continuous_integration_calls_the_same_commands():
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^make (\w+)$", script, re.MULTILINE) == ["test", "book", "browser"]
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text())["jobs"]["book"][
        "steps"
    ]
    assert [step["run"] for step in steps if "run" in step] == ["make test", "make book", "make browser"]


def test_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["project"]["version"] == nslib.__version__


def test_licences():
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert "CC BY 4.0" in (ROOT / "LICENSE-TEXT").read_text()
    assert "Apache License" in (ROOT / "assets" / "mathjax" / "LICENSE").read_text()


def test_browser_tools_are_pinned_and_host_free():
    text = (ROOT / "tools" / "browser" / "package-lock.json").read_text()
    assert "://" not in text and '"resolved"' not in text
    wanted = yaml.safe_load((ROOT / "tools" / "browser" / "package.json").read_text())["dependencies"]
    assert set(wanted) == {"axe-core", "puppeteer-core"}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
