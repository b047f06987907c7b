"""What holds for all tests."""

import gc
import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def forget_what_was_compiled():
    """Drop JAX's compiled functions after each module.

    Each holds regions of memory, of which Linux grants a process 65,530: the whole suite in one process needs
    more and would crash. What is needed again comes from the compilation cache on disk.
    """
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
        gc.collect()
