"""nslib.book: every rule that turns a measurement into a word, the records, tables and figure style.

The claims used here are made up so that each rule can be hit exactly; the last part checks committed files.
"""
import itertools
import json
import socket
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import yaml

from nslib import book

CLONE = Path(__file__).parents[1]
CHAPTER = "07_made_up"
BASE = {"chapter": CHAPTER, "where": "Fig. 1", "claim": "c", "quantity": "q", "unit": "MeV",
        "tolerance_reason": "because.", "smallest_scale": "page", "parameters": {"L_max": 86.8}}
CLAIMS = {
    "E": BASE | {"direction": "equal", "paper": {"value": 10.0, "error": 0.5}, "tolerance": 0.25},
    "A": BASE | {"direction": "at_most", "paper": {"value": 1.2, "error": 0.8}, "tolerance": 0.25},
    "T": BASE | {"direction": "trend", "paper": {"value": None, "text": "a | b"}, "tolerance": None,
                 "test": "t"},
    "AT": BASE | {"direction": "at_most", "paper": {"value": 1.2}, "tolerance": 0.05, "test": "t"},
    "WIDE": BASE | {"direction": "equal", "paper": {"value": 1.2}, "tolerance": 0.5},
    "CITED": BASE | {"direction": "equal", "paper": {"value": 1.2}, "tolerance": 0.5,
                     "independent": "a source"},
    "MOVED": BASE | {"direction": "equal", "paper": {"value": 1}, "tolerance": 0.5,
                     "changes": [{"date": "2026-01-02", "was": 0.1, "reason": "the digit was misread."}]},
}


@pytest.fixture(autouse=True)
def clone(tmp_path, monkeypatch):
    """A folder that looks like a clone, with the made-up claims; the working directory lies inside it."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "claims.yml").write_text(yaml.safe_dump(CLAIMS, sort_keys=False))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def word(claim, value=None, error=None, *, scale="page", L_max=86.8, passed=None):
    found = book.verdict(claim, value, error, scale=scale, parameters={"L_max": L_max}, passed=passed)
    return found["verdict"]


# ---- the rules

@pytest.mark.parametrize("value, expected", [
    (10.0, "reproduced"), (10.25, "reproduced"), (9.75, "reproduced"), (10.26, "differs"), (9.74, "differs")])
def test_equal(value, expected):
    assert word("E", value) == expected


@pytest.mark.parametrize("value, error, expected", [
    (1.0, 0.09, "better"),              # 1.0 + 2 * 0.09 = 1.18 < 1.2
    (1.0, 0.11, "reproduced"),          # 1.22: not surely better, but within the bar
    (1.2, None, "reproduced"),          # equal to the paper is not better
    (1.45, 0.0, "reproduced"),          # paper + tolerance exactly
    (1.46, 0.0, "differs"),
    (0.1, None, "better")])             # far below never counts as a difference
def test_at_most(value, error, expected):
    assert word("A", value, error) == expected


@pytest.mark.parametrize("passed, expected", [(True, "agrees in trend"), (False, "differs")])
def test_trend(passed, expected):
    assert word("T", passed=passed) == expected


def test_a_failed_test_outweighs_a_good_number():
    assert word("AT", 0.1, passed=True) == "better"
    assert word("AT", 0.1, passed=False) == "differs"


def test_a_stated_test_must_be_answered():
    with pytest.raises(ValueError, match="passed of AT is None"):
        word("AT", 0.1)


@pytest.mark.parametrize("claim, value", [("E", 10.0), ("A", 0.1), ("T", None)])
@pytest.mark.parametrize("passed", [True])
def test_changed_parameters_are_named(claim, value, passed):
    assert word(claim, value, L_max=60.0, passed=passed) == "not tested here (changed: L_max)"


def test_none_is_the_scales_own_value_and_a_missing_parameter_an_error():
    assert word("E", 10.0, L_max=None) == "reproduced"
    with pytest.raises(ValueError, match="'L_max'; allowed: L_min"):
        book.verdict("E", 10.0, scale="page", parameters={"L_min": 30.6})


@pytest.mark.parametrize("claim, value, passed", [("E", 10.0, None), ("A", 0.1, None), ("A", 1.3, None),
                                                  ("T", None, True)])
def test_a_smaller_scale_says_agrees_in_trend_at_most(claim, value, passed):
    assert word(claim, value, scale="smoke", passed=passed) == "agrees in trend"


@pytest.mark.parametrize("claim, value, passed", [("E", 99.0, None), ("A", 99.0, None), ("T", None, False)])
def test_a_smaller_scale_cannot_show_a_difference(claim, value, passed):
    assert word(claim, value, scale="smoke", passed=passed) == "not tested here (scale: smoke)"


def test_a_larger_scale_judges_like_the_claims_own():
    assert word("E", 10.0, scale="paper") == "reproduced"
    assert word("E", 99.0, scale="paper") == "differs"


# ---- the bound on tolerances

@pytest.mark.parametrize("paper, error, bound", [
    ({"value": 1.2}, 0.0, 0.05),                    # half the last printed digit
    ({"value": 1.2, "error": 0.8}, 0.0, 0.8),       # the paper's error
    ({"value": 1.2}, 0.3, 0.6),                     # two standard errors of ours
    ({"value": -200}, 0.0, 0.5),
    ({"value": -200, "digit": 100}, 0.0, 50.0),     # one meaningful figure
    ({"value": 40000}, 0.0, 0.5)])
def test_tolerance_bound(paper, error, bound):
    assert book.tolerance_bound({"paper": paper}, error) == pytest.approx(bound, rel=1e-12)


def test_a_tolerance_beyond_its_bound_needs_a_citation():
    with pytest.raises(ValueError, match="tolerance of WIDE is 0.5; at most 0.05"):
        word("WIDE", 1.2)
    assert word("WIDE", 1.2, 0.25) == "reproduced"      # two standard errors cover it
    assert word("CITED", 1.2) == "reproduced"


def test_a_changed_tolerance_carries_its_reason():
    found = book.verdict("MOVED", 1.0, scale="page", parameters={"L_max": 86.8})
    assert found["reason"] == "because. Changed 2026-01-02 from 0.1: the digit was misread."
    assert "Changed 2026-01-02 from 0.1: the digit was misread." in book.verdict_table()


# ---- bad input

@pytest.mark.parametrize("change, message", [
    ({"claim": "K99"}, "claim is 'K99'; allowed: E, A, T"),
    ({"scale": "huge"}, "scale is 'huge'; allowed: smoke, page, paper"),
    ({"value": float("nan")}, "value of E is nan"),
    ({"value": None}, "value of E is None"),
    ({"error": -1.0}, "error of E is -1.0"),
    ({"error": float("inf")}, "error of E is inf")])
def test_bad_arguments_are_named(change, message):
    good = {"claim": "E", "value": 10.0, "error": 0.1, "scale": "page", "parameters": {"L_max": 86.8}}
    with pytest.raises(ValueError, match=message):
        book.verdict(**(good | change))


def test_unknown_chapter_scale_and_claim_of_a_record():
    with pytest.raises(ValueError, match=f"chapter is '99_none'; allowed: {CHAPTER}"):
        book.Record("99_none", "page", 0, {})
    with pytest.raises(ValueError, match="scale is 'huge'"):
        book.Record(CHAPTER, "huge", 0, {})
    with pytest.raises(ValueError, match="claim is 'K99'"):
        book.Record(CHAPTER, "page", 0, {"L_max": 86.8}).claim("K99", 1.0)
    with pytest.raises(ValueError, match="scale is 'huge'"):
        book.status_table("huge")


def test_choose():
    assert book.choose("paper", None, smoke=1, page=2, paper=3) == 3
    assert book.choose("smoke", None, smoke=1, page=2, paper=3) == 1
    assert book.choose("smoke", 0, smoke=1, page=2, paper=3) == 0
    with pytest.raises(ValueError, match="scale is 'huge'"):
        book.choose("huge", 7, smoke=1, page=2, paper=3)


def test_outside_a_clone(monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(FileNotFoundError, match="book/claims.yml"):
        book.claims()


# ---- records

def run(scale="paper", L_max=86.8):
    kept = book.Record(CHAPTER, scale, 3, {"L_max": L_max, "n_train": None})
    kept.claim("E", 10.1, 0.02)
    kept.claim("A", 9.0, 0.1, note="a cause | found")
    kept.claim("T", passed=True)
    return kept


def test_paper_scale_goes_to_results(clone):
    path = run().write(stars_per_second=7)
    assert path == clone / "results" / f"{CHAPTER}.json"
    found = json.loads(path.read_text())
    assert list(found) == ["claims", "run"]
    assert {"paper", "value", "error", "unit", "tolerance", "direction", "scale", "verdict",
            "reason"} <= set(found["claims"]["E"])
    assert found["claims"]["E"]["paper"] == 10.0 and found["claims"]["E"]["value"] == 10.1
    assert {"scale", "seed", "seconds", "peak_mb", "version", "machine", "date"} <= set(found["run"])
    assert found["run"]["seed"] == 3 and found["run"]["version"] == version("nslib")
    assert found["run"]["peak_mb"] > 10 and found["run"]["seconds"] >= 0
    assert found["run"]["stars_per_second"] == 7
    assert found == book.record(CHAPTER)


@pytest.mark.parametrize("scale, L_max", [("page", 86.8), ("smoke", 86.8), ("paper", 60.0)])
def test_every_other_run_stays_out_of_results(clone, scale, L_max):
    path = run(scale, L_max).write()
    assert path == clone / "build" / "records" / f"{CHAPTER}.{scale}.json"
    assert book.record(CHAPTER) is None


def test_variants_stand_beside_the_record(clone):
    run().write(variant="jax")
    assert book.record(CHAPTER) is None
    assert book.record(CHAPTER, "jax")["run"]["scale"] == "paper"


def test_machine_tells_no_host_name():
    assert "cores" in book.machine()
    assert socket.gethostname().lower() not in book.machine().lower()


# ---- tables

def test_notebook_table_shows_this_run_beside_the_record():
    run().write()
    here = book.Record(CHAPTER, "page", 3, {"L_max": 60.0})
    here.claim("E", 12.3)
    table = here.table()
    assert ("| E | c | 10.00 ± 0.50 MeV | 12.3 MeV | not tested here (changed: L_max) "
            "| 10.100 ± 0.020 MeV | reproduced |") in str(table)
    assert ("| T | c | a \\| b |  | not tested here (no record yet) "
            "| test passed | agrees in trend |") in str(table)
    assert "<td>a | b</td>" in table._repr_html_() and "<th>this run (page scale)</th>" in table._repr_html_()


def test_html_is_escaped():
    assert "<td>a &lt; b &amp; c</td>" in book.Table(("x",), [("a < b & c",)])._repr_html_()


def test_verdict_table_names_the_cause_of_a_difference():
    run().write()
    table = book.verdict_table([CHAPTER])
    assert "**differs** Cause: a cause \\| found" in table
    assert "| E | c | 10.00 ± 0.50 MeV | 10.100 ± 0.020 MeV | 0.25 MeV | **reproduced** |" in table
    with pytest.raises(ValueError, match="chapter is '99_none'"):
        book.verdict_table(["99_none"])


def test_verdict_table_without_records():
    assert book.verdict_table().count("**not tested here (no record yet)**") == len(CLAIMS)
    assert "| T | c | a \\| b |  | stated test |" in book.verdict_table()


def test_summary_counts_every_claim_once():
    run().write()
    line = book.summary_table().splitlines()[-1]
    assert line == "| Chapter 07, made up | 1 | 0 | 1 | 1 | 4 |"


def test_status_lists_the_runs_of_one_scale():
    assert book.status_table() == "No run at paper scale has been recorded yet."
    run().write()
    run().write(variant="jax")
    run("page").write()
    run("smoke").write()
    assert len(book.status_table().splitlines()) == 5           # header, rule, two runs, and no GPU
    assert "not run" in book.status_table() and "no GPU was at hand" in book.status_table()
    assert len(book.status_table("page").splitlines()) == 3
    assert version("nslib") in book.status_table()


@pytest.mark.parametrize("value, error, text", [
    (0.2243, 0.0191, "0.224 ± 0.019"), (1.2, None, "1.2"), (40000, None, "40,000"), (-200.0, None, "-200"),
    (0, None, "0"), (2.5e-13, None, "2.5e-13"), (123.4, 25.0, "123 ± 25"), (3.14159, 0.0, "3.142")])
def test_number(value, error, text):
    assert book.number(value, error) == text


# ---- figures

# Linear RGB as seen with full protanopia and deuteranopia: Machado, Oliveira and Fernandes 2009, table 1.
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
              [-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881]]
# Linear sRGB to CIE XYZ: IEC 61966-2-1.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    rgb = np.array(mpl.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB of linear RGB, white point D65."""
    t = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_style_is_legible_on_its_own_ground():
    with mpl.rc_context():
        book.style()
        assert mpl.rcParams["figure.facecolor"] == mpl.rcParams["savefig.facecolor"] == "white"
        assert tuple(mpl.rcParams["axes.prop_cycle"].by_key()["color"]) == book.PALETTE
    for colour in book.PALETTE:                     # 3:1 for graphical objects, WCAG 2.2, criterion 1.4.11
        assert 1.05 / (XYZ[1] @ linear(colour) + 0.05) >= 3.0, colour


@pytest.mark.parametrize("eye", [np.eye(3), np.array(PROTANOPIA), np.array(DEUTERANOPIA)])
def test_palette_stays_apart_for_colour_blind_readers(eye):
    seen = [lab(eye @ linear(colour)) for colour in book.PALETTE]
    for one, other in itertools.combinations(seen, 2):      # a difference of 2 is just visible side by side
        assert np.linalg.norm(one - other) > 20


# ---- the committed files

def test_committed_claims_are_complete_and_within_their_bounds(monkeypatch):
    monkeypatch.chdir(CLONE)
    entries = book.claims()
    assert {f"K{i}" for i in range(1, 12)} <= set(entries)
    for name, entry in entries.items():
        assert set(BASE) | {"direction", "paper", "tolerance"} <= set(entry), name
        assert entry["smallest_scale"] in book.SCALES, name
        assert entry["direction"] in ("equal", "at_most", "trend"), name
        if entry["direction"] == "trend":
            assert entry["test"] and entry["tolerance"] is None and entry["paper"]["text"], name
        elif "independent" not in entry:
            assert 0 <= entry["tolerance"] <= book.tolerance_bound(entry), name


def test_committed_records_fit_the_claims_and_give_causes(monkeypatch):
    monkeypatch.chdir(CLONE)
    for path in sorted((CLONE / "results").glob("[0-9][0-9]_*.json")):
        found, entries = json.loads(path.read_text()), book.claims(path.name.split(".")[0])
        assert set(found["claims"]) == set(entries), path.name
        for name, claim in found["claims"].items():
            assert claim["paper"] == entries[name]["paper"]["value"], (path.name, name)
            assert claim["tolerance"] == entries[name]["tolerance"], (path.name, name)
            assert claim["verdict"] != "differs" or claim["note"], f"{path.name}: {name} gives no cause"
