"""Scales, claims, verdicts, records and figure style of the book.

A chapter makes one `Record`, tells it what it measured claim by claim, shows the table and writes it down.
The bars stand in `book/claims.yml`, set before the run; the rules below turn a measurement into a word:

* equal: reproduced if ``|ours - paper| <= tolerance``, else differs;
* at_most: better if ``ours + 2 error < paper``, reproduced if ``ours <= paper + tolerance``, else differs;
* trend: agrees in trend if the stated test passes, else differs; so does any claim whose stated test fails;
* parameters changed: not tested here; scale smaller than the claim's: agrees in trend at most.
"""
import datetime
import html
import json
import math
import os
import platform
import resource
import sys
import time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import yaml

SCALES = ("smoke", "page", "paper")
WORDS = ("reproduced", "better", "agrees in trend", "differs", "not tested here")
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#882255", "#1A1A1A", "#332288")
"""Hues of Okabe and Ito and of Tol that stay apart for colour-blind readers and from white."""


def root():
    """Folder of the clone: the first one, from the working directory upward, that holds book/claims.yml."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "book" / "claims.yml").is_file():
            return folder
    raise FileNotFoundError(f"no folder from {here} upward holds book/claims.yml; run inside a clone")


def one_of(name, value, allowed):
    """`value` if it is among `allowed`; otherwise ValueError naming argument, value and choice."""
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}")
    return value


def choose(scale, given=None, *, smoke, page, paper):
    """`given` unless it is None, else the value that belongs to `scale`."""
    own = {"smoke": smoke, "page": page, "paper": paper}[one_of("scale", scale, SCALES)]
    return own if given is None else given


def claims(chapter=None):
    """Claims of one chapter (or of all) as {id: entry}, in the order of book/claims.yml."""
    entries = yaml.safe_load((root() / "book" / "claims.yml").read_text(encoding="utf-8"))
    if chapter is None:
        return entries
    one_of("chapter", chapter, chapter_names())
    return {name: entry for name, entry in entries.items() if entry["chapter"] == chapter}


def chapter_names():
    """Names of the chapters that have claims, in the order of book/claims.yml."""
    return list(dict.fromkeys(entry["chapter"] for entry in claims().values()))


def tolerance_bound(entry, error=0.0):
    """Widest tolerance a claim may have without citing an independent calculation [unit of the claim].

    max(the paper's error, two standard errors of ours, half the last printed digit of the paper's value);
    `paper.digit` says the size of that digit where the number alone does not (-200 read as one figure: 100).
    """
    paper = entry["paper"]
    digit = paper.get("digit") or 10.0 ** Decimal(repr(paper["value"])).as_tuple().exponent
    return max(paper.get("error") or 0.0, 2.0 * error, 0.5 * digit)


def _judge(name, entry, value, error, passed):
    """Word for a run at the claim's own scale and parameters."""
    if "test" in entry and passed is None:
        raise ValueError(f"passed of {name} is None; this claim states a test: True or False is needed")
    if entry["direction"] == "trend":
        return "agrees in trend" if passed else "differs"
    if value is None or not math.isfinite(value):
        raise ValueError(f"value of {name} is {value}; a finite number [{entry['unit']}] is needed")
    paper, tolerance = entry["paper"]["value"], entry["tolerance"]
    if tolerance > tolerance_bound(entry, error) and "independent" not in entry:
        raise ValueError(f"tolerance of {name} is {tolerance}; at most {tolerance_bound(entry, error)} "
                         "unless book/claims.yml cites an independent calculation")
    if passed is False:
        return "differs"
    if entry["direction"] == "at_most" and value + 2.0 * error < paper:
        return "better"
    excess = value - paper if entry["direction"] == "at_most" else abs(value - paper)
    return "reproduced" if excess <= tolerance else "differs"


def _changed(entry, parameters):
    """Names of the parameters that no longer have the value the claim needs."""
    for name in entry["parameters"]:
        one_of("parameter needed by the claim", name, list(parameters))
    return [name for name, wanted in entry["parameters"].items() if parameters[name] not in (None, wanted)]


def verdict(claim, value=None, error=None, *, scale, parameters, passed=None):
    """Verdict on one claim, as the dict that a record holds.

    Parameters
    ----------
    claim : str              id in book/claims.yml
    value, error : float     our number and its standard error [unit of the claim]; None for a pure trend
    scale : str              one of SCALES
    parameters : dict        the chapter's parameter cell as run; None means the scale's own value
    passed : bool            whether the test that the claim states holds

    Raises ValueError for an unknown claim or scale, a missing parameter, a missing or non-finite number, a
    negative error, a test left unanswered, and a tolerance beyond its bound.
    """
    if passed is not None:
        passed = one_of("passed", getattr(passed, "item", lambda: passed)(), (True, False))
    entry = claims()[one_of("claim", claim, list(claims()))]
    smaller = SCALES.index(one_of("scale", scale, SCALES)) < SCALES.index(entry["smallest_scale"])
    if error is not None and not (math.isfinite(error) and error >= 0.0):
        raise ValueError(f"error of {claim} is {error}; a finite number >= 0 [{entry['unit']}] is needed")
    if changed := _changed(entry, parameters):
        word = f"not tested here (changed: {', '.join(changed)})"
    else:
        word = _judge(claim, entry, value, 0.0 if error is None else error, passed)
        if smaller:
            word = f"not tested here (scale: {scale})" if word == "differs" else "agrees in trend"
    return {
        "paper": entry["paper"]["value"], "paper_error": entry["paper"].get("error"),
        "value": None if value is None else float(value), "error": None if error is None else float(error),
        "unit": entry["unit"], "tolerance": entry["tolerance"], "direction": entry["direction"],
        "scale": scale, "passed": None if passed is None else bool(passed), "verdict": word,
        "reason": entry["tolerance_reason"].strip() + _changes(entry)}


def machine():
    """CPU model, number of cores and operating system of this machine; no host name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    model = next(models, platform.processor() or platform.machine())
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def _peak_mb():
    """Largest resident memory of this process so far [MB]; the system counts in kB, on macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


class Record:
    """What one run of a chapter found. Its clock starts here; `parameters` as the parameter cell has them."""

    def __init__(self, chapter, scale, seed, parameters):
        self.chapter, self.entries = chapter, claims(chapter)
        self.scale, self.seed, self.parameters = one_of("scale", scale, SCALES), seed, parameters
        self.found, self._start = {}, time.perf_counter()

    def claim(self, name, value=None, error=None, *, passed=None, note=""):
        """Verdict on claim `name`; arguments as in `verdict`. `note` names the cause where it differs."""
        one_of("claim", name, self.entries)
        result = verdict(name, value, error, scale=self.scale, parameters=self.parameters, passed=passed)
        self.found[name] = result | {"note": note}
        return result["verdict"]

    def table(self):
        """Claims of the chapter: this run beside the committed record at paper scale."""
        committed = record(self.chapter) or {"claims": {}}
        rows = [(name, entry["claim"], _paper_text(entry), *_shown(self.found.get(name)),
                 *_shown(committed["claims"].get(name))) for name, entry in self.entries.items()]
        return Table(("claim", "what it says", "paper", f"this run ({self.scale} scale)", "its verdict",
                      "record at paper scale", "its verdict"), rows)

    def write(self, variant="", **extra):
        """Path of the JSON: in results/ at paper scale with the paper's parameters, else in build/records/.

        `variant` ("jax", "gpu") keeps a second record beside the main one; `extra` joins the "run" entry.
        """
        changed = any(_changed(entry, self.parameters) for entry in self.entries.values())
        folder = root() / ("results" if self.scale == "paper" and not changed else "build/records")
        stem = self.chapter if folder.name == "results" else f"{self.chapter}.{self.scale}"
        path = folder / f"{stem}{'.' * bool(variant)}{variant}.json"
        run = {"scale": self.scale, "seed": self.seed, "seconds": round(time.perf_counter() - self._start, 1),
               "peak_mb": round(_peak_mb()), "version": version("nslib"), "machine": machine(),
               "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
               "backend": os.environ.get("KERAS_BACKEND", "tensorflow"), "parameters": self.parameters}
        text = json.dumps({"claims": self.found, "run": run | extra}, indent=2, allow_nan=False)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        return path


def record(chapter, variant=""):
    """Committed record of a chapter at paper scale as a dict, or None where that run has not been made."""
    claims(chapter)
    path = root() / "results" / f"{chapter}{'.' * bool(variant)}{variant}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


class Table:
    """Rows under a header: Markdown as text, HTML in a notebook."""

    def __init__(self, header, rows):
        self.header, self.rows = header, [[str(cell) for cell in row] for row in rows]

    def __repr__(self):
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        cells = [[cell.replace("|", r"\|").replace("\n", " ") for cell in line] for line in lines]
        return "\n".join(f"| {' | '.join(line)} |" for line in cells)

    def _repr_html_(self):
        def row(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
        body = "".join(row(cells, "td") for cells in self.rows)
        return f'<table class="table"><thead>{row(self.header, "th")}</thead><tbody>{body}</tbody></table>'


def number(value, error=None):
    """`value` as text: to two figures of its error where that is given, else to four figures."""
    if error:
        places = max(0, 1 - math.floor(math.log10(error)))
        return f"{value:.{places}f} ± {error:.{places}f}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def _changes(entry):
    return "".join(f" Changed {c['date']} from {c['was']}: {c['reason']}" for c in entry.get("changes", []))


def _paper_text(entry):
    paper = entry["paper"]
    return paper.get("text") or f"{number(paper['value'], paper.get('error'))} {entry['unit']}"


def _shown(result):
    """Our number and the verdict as two cells."""
    if result is None:
        return "", "not tested here (no record yet)"
    value, test = result["value"], {None: "", True: "test passed", False: "test failed"}[result["passed"]]
    text = "" if value is None else f"{number(value, result['error'])} {result['unit']}".strip()
    return "; ".join(filter(None, (text, test))), result["verdict"]


def _title(chapter):
    return f"Chapter {chapter[:2]}, {chapter[3:].replace('_', ' ')}".replace(" eos ", " EOS ")


def verdict_table(chapters=None):
    """Markdown: every claim with the paper's number, our record at paper scale, the bar and the verdict."""
    parts = []
    for chapter in chapter_names() if chapters is None else chapters:
        kept, rows = (record(chapter) or {"claims": {}})["claims"], []
        for name, entry in claims(chapter).items():
            ours, word = _shown(kept.get(name))
            word = f"**{word}**" + (f" Cause: {kept[name]['note']}" if word == "differs" else "")
            tolerance = entry["tolerance"]
            bar = f"{tolerance:g} {entry['unit']}" if tolerance else "exact" if tolerance == 0 else "stated test"
            rows.append((name, entry["claim"], _paper_text(entry), ours, bar.strip() + _changes(entry), word))
        header = ("claim", "what it says", "paper", "ours", "tolerance", "verdict")
        parts.append(f"{_title(chapter)}\n\n{Table(header, rows)}")
    return "\n\n".join(parts)


def summary_table():
    """Markdown: for each chapter how many of its claims came out with each verdict, at paper scale."""
    rows = []
    for chapter in chapter_names():
        kept = (record(chapter) or {"claims": {}})["claims"]
        found = [_shown(kept.get(name))[1] for name in claims(chapter)]
        rows.append((_title(chapter), *(sum(f.startswith(word) for f in found) for word in WORDS)))
    return str(Table(("chapter", *WORDS), rows))


def status_table(scale="paper"):
    """Markdown: what each recorded run took, and where; scales below paper are read from build/records.

    At paper scale a chapter without a record named "gpu" is said not to have been run on one.
    """
    folder = root() / ("results" if one_of("scale", scale, SCALES) == "paper" else "build/records")
    paths = sorted(folder.glob("[0-9][0-9]_*.json"))
    runs = [(path.name.split(".")[0], json.loads(path.read_text(encoding="utf-8"))["run"]) for path in paths]
    rows = [(_title(chapter), scale, run["backend"], f"{run['seconds']:,.0f}", f"{run['peak_mb']:,.0f}",
             run["version"], run["machine"], run["date"]) for chapter, run in runs if run["scale"] == scale]
    if scale == "paper":
        on_gpu = {path.name.split(".")[0] for path in paths if path.name.endswith(".gpu.json")}
        rows += [(_title(chapter), scale, "jax, GPU", "not run", "", "", "no GPU was at hand", "")
                 for chapter in dict.fromkeys(name for name, _ in runs) if chapter not in on_gpu]
    header = ("chapter", "scale", "backend", "seconds", "peak memory [MB]", "nslib", "machine", "date")
    return str(Table(header, rows)) if rows else f"No run at {scale} scale has been recorded yet."


def style():
    """Sets Matplotlib for the book: white ground, legible on dark pages too; colours PALETTE."""
    import matplotlib as mpl
    mpl.rcParams.update({
        "figure.figsize": (6.4, 4.0), "figure.constrained_layout.use": True, "image.cmap": "cividis",
        "figure.facecolor": "white", "savefig.facecolor": "white", "axes.facecolor": "white",
        "axes.grid": True, "grid.color": "#D9D9D9", "grid.linewidth": 0.6, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.prop_cycle": mpl.cycler(color=PALETTE),
        "lines.linewidth": 1.8, "lines.markersize": 5, "font.size": 11, "legend.frameon": False})
