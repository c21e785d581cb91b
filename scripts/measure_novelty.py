"""How well what is new is told from what is known, on measured scans: failed absorption scans, minerals left out.

    PEAKWISE_DATA=.../data python scripts/measure_novelty.py [--repeats 10]

Prints two tables, a row a score: area under the curve, and with Wilson intervals the false alarms at 1 % and the share
caught. Scans of absorption: random halves of the good ones are known. Minerals: CIFs of random halves are known, the
scans of all are asked; `structures` fits them to each scan, the other rows compare with patterns simulated from them.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

import h5py
import numpy as np

from peakwise.cli._known import Layout, known_of_cifs
from peakwise.cli._output import Output
from peakwise.crystal import Phase
from peakwise.estimators import NoveltyDetector, PhaseNovelty
from peakwise.evaluation import auroc, wilson_interval
from peakwise.io import read
from peakwise.novelty import SCORES

DATA = Path(os.environ.get("PEAKWISE_DATA", Path(__file__).parents[2] / "shared/data"))
GRID = np.linspace(10, 70, 2001)
MANY = 200  # halves that are drawn, at most


def share(k: int, n: int) -> str:
    low, high = wilson_interval(k, n)
    return f"{k}/{n} = {k / max(n, 1):.3f} [{low:.3f}, {high:.3f}]"


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def show(title: str, found: dict[str, list[tuple[np.ndarray, np.ndarray, float]]]) -> None:
    print(title)
    for name, parts in found.items():
        areas = [auroc(new, old) for old, new, _ in parts]
        alarms = sum(int((old > limit).sum()) for old, _, limit in parts)
        caught = sum(int((new > limit).sum()) for _, new, limit in parts)
        n_old, n_new = (sum(len(p[i]) for p in parts) for i in (0, 1))
        print(
            f"  {name:10s} AUROC {np.mean(areas):.3f} (worst {min(areas):.3f})  "
            f"false alarms {share(alarms, n_old)}  caught {share(caught, n_new)}"
        )


def absorption(repeats: int) -> None:
    labels = {r["file"].split(":")[-1]: r["label"] for r in rows_of("xas_quality_bmm")}
    good, failed = [], []
    with h5py.File(DATA / "xas_quality_bmm/transmission.h5") as file:
        for key, group in file.items():
            columns = [np.asarray(group[k]) for k in group if not k.lower().startswith(("e", "x"))]
            (good if labels.get(key, "").startswith("good") else failed).append(columns[0])
    good, failed = np.array(good), np.array(failed)
    found: dict[str, list[tuple[np.ndarray, np.ndarray, float]]] = {}
    for seed in range(repeats):
        order = np.random.default_rng(seed).permutation(len(good))
        known, other = good[order[::2]], good[order[1::2]]
        for name in ("auto", *SCORES):
            made = NoveltyDetector(method=name).fit(known)
            found.setdefault(name, []).append((made.scores(other), made.scores(failed), made.threshold_))
    show(f"failed absorption scans, {repeats} random halves known", found)


def minerals(repeats: int) -> None:
    box = DATA / "rruff_minerals_cif"
    table = [r for r in rows_of("rruff_minerals_cif") if not r["notes"].strip()]
    out = Output("measure", as_json=True, quiet=True)
    scans = read([str(box / r["file"]) for r in table], wavelength="CuKa", grid=(10, 70, GRID.size))
    layout = Layout("two_theta", scans.radiation, GRID)
    found: dict[str, list[tuple[np.ndarray, np.ndarray, float]]] = {}
    for seed in range(repeats):
        order = np.random.default_rng(seed).permutation(len(table))
        is_known = np.zeros(len(table), dtype=bool)
        is_known[order[::2]] = True
        known = known_of_cifs(out, [str(box / r["cif"]) for r, k in zip(table, is_known, strict=True) if k], layout)
        for name in ("auto", *SCORES):
            made = NoveltyDetector(method=name).fit(known)
            rows = made.scores(scans.replace(wavelength=known.radiation))
            found.setdefault(name, []).append((rows[is_known], rows[~is_known], made.threshold_))
        phases = [
            Phase.from_cif(box / r["cif"], id=f"{i} {r['cif']}") for i, r in enumerate(table) if is_known[i]
        ]  # fmt: skip
        fitted = PhaseNovelty().fit(phases)
        rows = fitted.scores(scans)
        found.setdefault("structures", []).append((rows[is_known], rows[~is_known], fitted.threshold_))
    show(f"minerals left out, {repeats} random halves of {len(table)} known as CIFs", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("what", nargs="?", choices=["absorption", "minerals"])
    asked = parser.parse_args()
    if asked.what != "minerals":
        absorption(min(asked.repeats, MANY))
    if asked.what != "absorption":
        minerals(min(asked.repeats, MANY))


if __name__ == "__main__":
    main()
