"""Search for transitions in made series with known truth, and in measured ones; print tables of what was right.

.venv/bin/python scripts/measure_transitions.py [--seeds 0 1] [-n 60] [--methods detector spectral pelt] [--processes 2]
                                                [--measured] [--json OUT]

Right means: none: no boundary; abrupt: one, at most 2 frames from the middle; gradual: one or two, all within the span
and 3 frames around it. A boundary lies half a frame behind its "last pattern before".

Methods: `detector` is TransitionDetector(states="auto"); `spectral` is spectral clustering of PCA scores told that
there are two states, its answer the cut that agrees best; `pelt` is the penalised search for change points in PCA
scores (exact, so that pruning as in PELT would not change it), at the penalty that does best on these very series.
Measured series lie where PEAKWISE_DATA says.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.datasets.made_series import make_one_series
from peakwise.evaluation import wilson_interval
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PENALTIES = np.geomspace(3, 3000, 16)  # times the variance of the noise, for each change point
N_SCORES = 5
KINDS = ("none", "abrupt", "gradual")
COUNTS = ((100, 300), (300, 1000), (1000, 3000), (3000, 10_001))


# ---------- methods: patterns -> name -> last patterns before each boundary ----------


def detect(patterns: Patterns) -> dict[str, list[int]]:
    """The detector with default settings. Whoever has another one plugs it in here."""
    from peakwise.estimators import TransitionDetector

    # The truth stands in meta: a search must not see it.
    bare = Patterns(
        patterns.axis, patterns.intensity, patterns.kind, wavelength=patterns.radiation, names=patterns.names,
        unit=patterns.unit,
    )  # fmt: skip
    found = TransitionDetector(states="auto").fit(bare)
    return {"detector": [int(b.after) for b in found.boundaries_]}


def spectral(patterns: Patterns) -> dict[str, list[int]]:
    """Two clusters, and the cut that agrees best with them."""
    from sklearn.cluster import SpectralClustering

    scores = scores_of(patterns)
    k = min(10, len(scores) - 1)
    labels = SpectralClustering(2, affinity="nearest_neighbors", n_neighbors=k, random_state=0).fit_predict(scores)
    ones = np.cumsum(labels)[:-1]
    n, cut = len(labels), np.arange(1, len(labels))
    agree = (cut - ones) + (ones[-1] + labels[-1] - ones)
    return {"spectral k=2": [int(cut[np.argmax(np.maximum(agree, n - agree))]) - 1]}


def pelt(patterns: Patterns) -> dict[str, list[int]]:
    """Change points in the mean of PCA scores, for each penalty."""
    scores = scores_of(patterns)
    noise = float(np.median((np.diff(scores, axis=0) ** 2).sum(axis=1)) / 2)
    return {f"pelt {p:.3g}": best_segments(scores, p * max(noise, 1e-30)) for p in PENALTIES}


METHODS: dict[str, Callable[[Patterns], dict[str, list[int]]]] = {
    "detector": detect, "spectral": spectral, "pelt": pelt,
}  # fmt: skip


def scores_of(patterns: Patterns) -> np.ndarray:
    """PCA scores of square roots, each pattern with the same total: counts scatter alike, the beam does not act."""
    x = np.asarray(patterns.intensity, dtype=np.float64)
    x = x - min(float(x.min()), 0.0)
    total = x.sum(axis=1, keepdims=True)
    x = np.sqrt(x / np.where(total > 0, total, 1.0))
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return u[:, :N_SCORES] * s[:N_SCORES]


def best_segments(scores: np.ndarray, penalty: float) -> list[int]:
    """Last rows before each change: least sum of squares about the means of segments plus a penalty for each."""
    n = len(scores)
    sums = np.vstack([np.zeros(scores.shape[1]), np.cumsum(scores, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((scores**2).sum(axis=1))])
    best, came = np.zeros(n + 1), np.zeros(n + 1, dtype=int)
    best[0] = -penalty
    for end in range(1, n + 1):
        start = np.arange(end)
        cost = squares[end] - squares[:end] - ((sums[end] - sums[:end]) ** 2).sum(axis=1) / (end - start)
        total = best[:end] + cost + penalty
        came[end] = int(np.argmin(total))
        best[end] = total[came[end]]
    cuts, at = list[int](), n
    while came[at] > 0:
        at = int(came[at])
        cuts.append(at - 1)
    return cuts[::-1]


# ---------- made series ----------


def is_right(truth: dict[str, Any], boundaries: Iterable[int]) -> bool:
    """See the head of this file."""
    places = [b + 0.5 for b in boundaries]
    if truth["kind"] == "none":
        return not places
    if truth["kind"] == "abrupt":
        return len(places) == 1 and abs(places[0] - truth["middle"]) <= 2
    return 1 <= len(places) <= 2 and all(truth["onset"] - 3 <= p <= truth["end"] + 3 for p in places)


def examine(task: tuple[int, int, tuple[str, ...]]) -> dict[str, Any]:
    """One series, all methods."""
    number, seed, methods = task
    patterns, truth = make_one_series(number, random_state=seed)
    answers: dict[str, list[int]] = {}
    errors, seconds = dict[str, str](), dict[str, float]()
    for name in methods:
        start = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answers |= METHODS[name](patterns)
        except Exception as problem:  # noqa: BLE001 - a method that fails on a series is a result, and shown
            errors[name] = f"{type(problem).__name__}: {problem}"
        seconds[name] = time.perf_counter() - start
    return {**truth, "answers": answers, "errors": errors, "seconds": seconds}


def share(right: list[bool]) -> str:
    """Counted, in per cent, with its interval."""
    if not right:
        return "-"
    low, high = wilson_interval(sum(right), len(right))
    return f"{sum(right)}/{len(right)} = {np.mean(right):.0%} [{low:.0%}, {high:.0%}]"


def table(head: Iterable[str], lines: Iterable[Iterable[object]]) -> None:
    """A Markdown table."""
    head = list(head)
    print("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for line in lines:
        print("| " + " | ".join(map(str, line)) + " |")


def show(rows: list[dict[str, Any]]) -> None:
    """Tables by kind, and for the first method by relation, cause, counts and visibility."""
    names = list(dict.fromkeys(name for r in rows for name in r["answers"]))
    right = {m: [is_right(r, r["answers"][m]) if m in r["answers"] else False for r in rows] for m in names}
    penalties = [m for m in names if m.startswith("pelt")]
    if penalties:
        best = max(penalties, key=lambda m: sum(right[m]))
        names = [m for m in names if m == best or not m.startswith("pelt")]

    def of(method: str, take: Callable[[dict[str, Any]], bool]) -> str:
        return share([ok for ok, r in zip(right[method], rows, strict=True) if take(r)])

    table(
        ("method", *KINDS, "all", "median s"),
        (
            [m, *(of(m, lambda r, k=k: r["kind"] == k) for k in KINDS), of(m, lambda _: True),
             f"{np.median([r['seconds'][next(k for k in r['seconds'] if m.startswith(k))] for r in rows]):.3f}"]
            for m in names
        ),
    )  # fmt: skip
    if not names:
        return
    first = names[0]
    print(f"\n{first}, by what is in the series:")
    groups: list[tuple[str, Callable[[dict[str, Any]], bool]]] = []
    groups += [(f"relation: {x}", lambda r, x=x: r["relation"] == x) for x in _values(rows, "relation")]
    causes = list(dict.fromkeys(c for r in rows for c in r["causes"]))
    groups += [(f"with {c}", lambda r, c=c: c in r["causes"]) for c in causes]
    groups += [(f"counts {a} to {b}", lambda r, a=a, b=b: a <= r["counts"] < b) for a, b in COUNTS]
    groups += [(x, lambda r, x=x: r["source"] == x) for x in _values(rows, "source")]
    edges = ((5, 10), (10, 30), (30, 100), (100, np.inf))
    groups += [(f"separation {a} to {b}", lambda r, a=a, b=b: a <= (r["separation"] or 0) < b) for a, b in edges]
    table(
        ("group", "none", "abrupt and gradual"),
        (
            [name, of(first, lambda r, t=take: t(r) and r["kind"] == "none"),
             of(first, lambda r, t=take: t(r) and r["kind"] != "none")]
            for name, take in groups
        ),
    )  # fmt: skip
    print(f"\n{first}, not right:")
    for ok, r in zip(right[first], rows, strict=True):
        if not ok:
            print(describe(r, r["answers"].get(first)))
    for r in rows:
        for name, why in r["errors"].items():
            print(f"  error of {name} on {r['name']}: {why}")


def _values(rows: list[dict[str, Any]], key: str) -> list[str]:
    return sorted({str(r[key]) for r in rows})


def describe(r: dict[str, Any], answer: list[int] | None) -> str:
    where = "" if r["kind"] == "none" else f" {r['onset']:.1f}-{r['end']:.1f}, separation {r['separation']:.0f}"
    return (
        f"  {r['name']} {r['kind']}{where}, {r['frames']} frames, {r['counts']:.0f} counts, {r['source']}, "
        f"{r['relation']} ({', '.join(r['phases'])}), {', '.join(r['causes'])}: got {answer}"
    )


# ---------- measured series ----------


def measured(folder: Path) -> Iterable[tuple[str, Patterns, list[tuple[int, int]]]]:
    """Name, patterns, and the spans [last pattern before, ...] within which each known transition is."""
    import peakwise as pw

    with (folder / "cucr2o4_T_series" / "manifest.csv").open(newline="") as f:
        rows = sorted(csv.DictReader(f), key=lambda r: float(r["T_K"]))
    kelvin = np.array([float(r["T_K"]) for r in rows])
    one = pw.read([folder / "cucr2o4_T_series" / r["file"] for r in rows])
    # A boundary lies half-way between two temperatures.
    half = (kelvin[1:] + kelvin[:-1]) / 2
    near = np.flatnonzero((half >= 105) & (half <= 140))
    yield "CuCr2O4, 7 to 289 K", one, [(int(near[0]), int(near[-1]))]
    yield "CuCr2O4, below 110 K", one[: int((kelvin < 110).sum())], []
    yield "CuCr2O4, above 135 K", one[int((kelvin < 135).sum()) :], []
    one = pw.read(folder / "ta2o5_laser_anneal_line" / "original" / "Test_Ta2O5_XRD_map.npy")
    yield "Ta2O5, whole line", one, [(94, 99), (117, 123)]
    yield "Ta2O5, before", one[:94], []
    yield "Ta2O5, within", one[100:118], []
    yield "Ta2O5, behind", one[125:], []
    files = sorted((folder / "lamno3_pdf_T_series" / "original").glob("*.gr"), key=lambda p: int(p.stem.rstrip("K")))
    kelvin_la = [int(p.stem.rstrip("K")) for p in files]
    one = pw.read(files)
    cuts = [sum(t < limit for t in kelvin_la) for limit in (735, 1010)]
    yield "LaMnO3 G(r), 300 to 1150 K", one, [(cuts[0] - 2, cuts[0]), (cuts[1] - 2, cuts[1])]
    yield "LaMnO3 G(r), below 735 K", one[: cuts[0]], []
    yield "LaMnO3 G(r), 735 to 1010 K", one[cuts[0] : cuts[1]], []
    yield "LaMnO3 G(r), above 1010 K", one[cuts[1] :], []
    one = pw.read(sorted((folder / "vt_pxrd_5T" / "original").glob("*.xy")))
    yield "unnamed compound, 300 to 700 deg", one, [(0, 0)]
    yield "unnamed compound, 400 to 700 deg", one[1:], []


def show_measured(methods: tuple[str, ...]) -> None:
    folder = Path(os.environ.get("PEAKWISE_DATA", ""))
    lines = []
    for name, patterns, spans in measured(folder):
        for method in methods:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    answers = METHODS[method](patterns)
            except Exception as problem:  # noqa: BLE001 - shown
                answers = {f"{method}: {type(problem).__name__}: {problem}": []}
            for one, got in answers.items():
                if method == "pelt" and one != f"pelt {PENALTIES[len(PENALTIES) // 2]:.3g}":
                    continue
                fits = len(got) == len(spans) and all(a <= g <= b for g, (a, b) in zip(got, spans, strict=False))
                lines.append((name, len(patterns), one, spans or "none", got, "yes" if fits else "no"))
    table(("series", "patterns", "method", "known [last before]", "found", "right"), lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("-n", type=int, default=60, help="series a seed; 0: none")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--measured", action="store_true", help="measured series as well")
    parser.add_argument("--json", type=Path, help="truth and answers of every series")
    options = parser.parse_args()
    methods = tuple(options.methods)
    tasks = [(number, seed, methods) for seed in options.seeds for number in range(options.n)]
    if tasks:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
            os.environ.setdefault(name, "1")  # of the processes that are started
        start = time.perf_counter()
        with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(examine, tasks, chunksize=2))
        print(
            f"{len(rows)} made series, seeds {options.seeds}, {time.perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        show(rows)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1))
    if options.measured:
        show_measured(methods)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
