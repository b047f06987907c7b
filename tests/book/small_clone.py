"""A small clone with two chapters, in which the scripts of tools/ can be tried."""

CHAPTER = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Count the runs

# %% tags=["parameters"]
scale = "page"
size = 2  # [1]

# %%
import sys

sys.path.insert(0, "..")
from nslib.stars import structure

with open("../runs", "a") as log:
    log.write("x")

# %%
print(f"mass {size * structure.mass():.2f}")
"""

FILES = {
    "notebooks/01_count.py": CHAPTER,
    "notebooks/02_idle.py": CHAPTER.replace("from nslib.stars import structure\n", "").replace(
        "structure.mass()", "1.0"
    ),
    "nslib/__init__.py": "",
    "nslib/units.py": "MASS = 1.4\n",
    "nslib/stars/__init__.py": "",
    "nslib/stars/structure.py": "from ..units import MASS\n\n\ndef mass():\n    return MASS\n",
    "nslib/stars/weights/network.bin": "0123",
    "nslib/learn/__init__.py": "",
    "nslib/learn/training.py": "EPOCHS = 3\n",
    "nslib/learn/weights/network.bin": "4567",
    "book/claims.yml": "A1: {chapter: 01_count, tolerance: 0.1}\nB1: {chapter: 02_idle, tolerance: 0.1}\n",
    "requirements.lock": "numpy==2.0\n",
}


def make_clone(folder):
    """Two chapters: 01_count imports nslib.stars.structure and through it nslib.units; 02_idle nothing."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
