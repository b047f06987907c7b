"""Makes the scripts of tools/ importable; fixtures for the tests of the book."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from small_clone import make_clone


@pytest.fixture
def clone(tmp_path):
    """A small clone of its own for one test."""
    return make_clone(tmp_path)
