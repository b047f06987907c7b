"""One star (M, R, Lambda) by several codes: same core, same run, ratios of CPU time, errors beside them.

Every code gets the SLY4 table of lalsuite, resampled to 500 rows along its monotone cubic interpolant, and the same
central pressures. The reference is nslib with 1024 steps and 4096 rows, which the tests hold to an independent
integration. Codes take turns; a code that is not installed is listed as not run. Writes results/benchmarks.json.
"""

import json
import time
from importlib.metadata import version

import numpy as np
from codes import CODES, N_EOS
from scipy.interpolate import PchipInterpolator

from nslib import book, stars
from nslib.matter.eos import EOS
from nslib.tables.eos_files import lalsuite_table

ROUNDS = 5
#: central pressures, from about 0.5 Msun to near the maximum mass [MeV fm^-3]
P_C = np.geomspace(6.0, 800.0, 50)


def table():
    """eps and p (500,) [MeV fm^-3] of SLY4."""
    raw = lalsuite_table("SLY4")
    x, y = np.log(np.asarray(raw.p)), np.log(np.asarray(raw.eps))
    fine = np.linspace(x[0], x[-1], 500)
    return np.exp(PchipInterpolator(x, y)(fine)), np.exp(fine)


def prepare(eps, p):
    """What can be run: {name: (run, central pressures timed, stars a turn, answer)}; and why the others cannot."""
    ready, missing = {}, {}
    for name, (make, together, n) in CODES.items():
        try:
            run = make(eps, p)
        except ImportError as error:
            missing[name] = f"not installed ({error.name})"
            continue
        p_c = P_C[:: len(P_C) // n]
        ready[name] = run, p_c, len(p_c) * (N_EOS if str(N_EOS) in together else 1), run(p_c)
    return ready, missing


def clock(ready):
    """CPU seconds a star of each code, {name: (ROUNDS,)}, the codes taking turns."""
    seconds = {name: [] for name in ready}
    for _ in range(ROUNDS):
        for name, (run, p_c, n, _) in ready.items():
            start = time.process_time()
            run(p_c)
            seconds[name].append((time.process_time() - start) / n)
    return {name: np.array(s) for name, s in seconds.items()}


def main():
    eps, p = table()
    exact = stars.solve(EOS.from_table(p=p, eps=eps), P_C, steps=1024, rows=4096)[0]
    ready, missing = prepare(eps, p)
    seconds, rows = clock(ready), []
    for name, (_, together, _) in CODES.items():
        if name in missing:
            rows.append([name, together, "not run", missing[name], "", ""])
            continue
        _, p_c, _, answer = ready[name]
        k = np.searchsorted(P_C, p_c)
        errors = [f"{np.max(np.abs(np.asarray(a) / np.asarray(b)[k] - 1)):.0e}" for a, b in zip(answer, exact)]
        rows.append([name, together, f"{np.median(seconds['LALSimulation'] / seconds[name]):.3g}", *errors])
    header = ["code", "stars a call", "speed, LALSimulation = 1", "largest error of M", "of R", "of Lambda"]
    note = (
        f"Stars per CPU second relative to LALSimulation {version('lalsuite')} and largest relative errors on SLY4, "
        f"{P_C[0]:.0f} to {P_C[-1]:.0f} MeV fm⁻³ at the centre. nslib {version('nslib')}, JAX {version('jax')}; "
        f"{book.machine()}; medians of {ROUNDS} turns."
    )
    path = book.root() / "results" / "benchmarks.json"
    path.write_text(json.dumps({"header": header, "rows": rows, "note": note}, indent=2) + "\n", encoding="utf-8")
    print(book.Table(header, rows), note, sep="\n\n")


if __name__ == "__main__":
    main()
