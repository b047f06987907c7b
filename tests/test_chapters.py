"""Chapters run at smoke scale, also at parameters other than the paper's, and their verdicts say so."""

import json
from pathlib import Path

import papermill
import pytest

ROOT = Path(__file__).parents[1]
CHAPTER = "01_symmetry_energy"


def run(tmp_path, **parameters):
    """Record of one smoke run of chapter 01."""
    papermill.execute_notebook(
        ROOT / "notebooks" / f"{CHAPTER}.ipynb", tmp_path / "out.ipynb", parameters={"scale": "smoke"} | parameters,
        cwd=ROOT / "notebooks", kernel_name="python3", progress_bar=False,
    )  # fmt: skip
    return json.loads((ROOT / "build" / "records" / f"{CHAPTER}.smoke.json").read_text())


def test_smoke_run_at_other_ranges_says_what_changed(tmp_path):
    """With L up to 60 MeV, claims that need the paper's range are not tested; identities still are."""
    record = run(tmp_path, L_max=60, seed=3)
    claims = record["claims"]
    assert set(claims) == {f"K{i}" for i in range(1, 12)}
    for name in ("K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K11"):
        assert claims[name]["verdict"] == "not tested here (changed: L_max)"
    assert claims["K1"]["verdict"] == claims["K10"]["verdict"] == "reproduced"
    assert record["run"]["scale"] == "smoke" and record["run"]["seed"] == 3


def test_smoke_run_with_other_stars_trains_its_own_network(tmp_path):
    """Twenty stars under strict causality: the shipped network does not apply, the chapter still ends."""
    record = run(tmp_path, causality="strict", n_points=20, K_sym_min=-150, K_sym_max=-60, L_min=65)
    assert record["claims"]["K7"]["verdict"].startswith("not tested here (changed: L_min, K_sym_min, K_sym_max, causality, n_points")


def test_unknown_scale_is_refused(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match="scale is 'tiny'; allowed: smoke, page, paper"):
        run(tmp_path, scale="tiny")
