"""How well phase regions of measured libraries are found, beside plain k-means and plain non-negative factorisation.

    PEAKWISE_DATA=.../data python scripts/measure_wafers.py [--seeds 10]

Prints, for libraries with regions drawn by experts, the adjusted Rand index, the normalised mutual information and the
accuracy under the best naming of regions, mean ± standard deviation over seeds; for a solid solution, the shifts beside
refined cells; and what suggestions find against a random order. All settings are the defaults.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.metrics import adjusted_rand_score

from peakwise.evaluation import mutual_information
from peakwise.patterns import Patterns
from peakwise.preprocessing import SubtractBaseline
from peakwise.wafers import (
    factorise,
    join_library,
    log_grid,
    phase_regions,
    read_library,
    shift_distances,
    shift_points,
    suggest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(os.environ.get("PEAKWISE_DATA", Path(__file__).parents[2] / "shared/data"))
Labels = np.ndarray


def accuracy(truth: Labels, labels: Labels) -> float:
    table = np.zeros((truth.max() + 1, labels.max() + 1))
    np.add.at(table, (truth, labels), 1)
    return float(table[linear_sum_assignment(-table)].sum() / len(truth))


def show(name: str, truth: Labels, method: Callable[[int], Labels], seeds: int) -> None:
    start = time.perf_counter()
    found = [method(seed) for seed in range(seeds)]
    took = (time.perf_counter() - start) / seeds
    rows = np.array(
        [
            (adjusted_rand_score(truth, x), mutual_information(truth, x).normalised, accuracy(truth, x), len(set(x)))
            for x in found
        ]
    )
    mean, sd = rows.mean(axis=0), rows.std(axis=0)
    told = "  ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean[:3], sd[:3], strict=True))
    print(f"  {name:58s} {told}  {mean[3]:4.1f}  {took:6.2f} s")


def library(name: str, scans: str, table: str, elements: list[str]) -> tuple[Patterns, Labels]:
    rows = np.loadtxt(DATA / name / scans, delimiter=",")
    made = read_library(DATA / name / table, columns=[*elements, "region"])
    joined = join_library(Patterns(rows[0], rows[1:], wavelength="CuKa"), made)
    return joined, np.unique(joined.meta["region"], return_inverse=True)[1]


def compare(title: str, patterns: Patterns, truth: Labels, elements: list[str], seeds: int) -> None:
    k = int(truth.max()) + 1
    print(f"{title}: {len(patterns)} patterns, {k} regions")
    print(f"  {'':58s} {'adjusted Rand':15s}{'mutual inform.':15s}{'accuracy':15s} regions  a run")
    raw = np.maximum(patterns.intensity, 0)
    plain = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
    grid = log_grid(patterns)
    rows, reach = grid.intensity, shift_points(grid)
    where = np.column_stack([patterns.meta[e] for e in elements])
    methods: dict[str, Callable[[int], Labels]] = {
        f"k-means, k = {k}": lambda s: KMeans(k, n_init=10, random_state=s).fit_predict(plain),
        f"NMF of scikit-learn, k = {k}, largest weight": lambda s: (
            NMF(k, init="random", max_iter=2000, random_state=s).fit_transform(raw).argmax(axis=1)
        ),
    }
    for method in ("agglomerative", "spectral"):
        for told, shift in (("", 0), (", shift", reach)):
            methods[f"{method}{told}, k = {k}"] = lambda s, m=method, r=shift: (
                phase_regions(rows, k, m, most_shift=r, random_state=s).labels
            )
        methods[f"{method}, shift, composition, k = {k}"] = lambda s, m=method: (
            phase_regions(rows, k, m, most_shift=reach, where=where, random_state=s).labels
        )
        methods[f"{method}, shift, number found"] = lambda s, m=method: (
            phase_regions(rows, None, m, most_shift=reach, random_state=s).labels
        )
    for told, shift in (("", 0), (" with shift", reach)):
        methods[f"factorisation{told}, k = {k}, largest weight"] = lambda s, r=shift: factorise(
            rows, k, r, random_state=s
        ).weights.argmax(axis=1)
    methods[f"factorisation with shift, regions of the weights, k = {k}"] = lambda s: (
        phase_regions(factorise(rows, None, reach, random_state=s).weights, k).labels
    )
    methods["factorisation with shift, number found, largest weight"] = lambda s: factorise(
        rows, None, reach, random_state=s
    ).weights.argmax(axis=1)
    warnings.filterwarnings("ignore", message="Maximum number of iterations")  # of scikit-learn's factorisation
    for name, method in methods.items():
        fixed = name.startswith("agglomerative")
        show(name, truth, method, 1 if fixed else seeds)


def solid_solution() -> None:
    box = DATA / "combi_CrFeVO"
    q, rows = np.load(box / "CrFeVO_q.npy") / 10, np.load(box / "CrFeVO_data.npy")
    patterns = SubtractBaseline("imodpoly").fit_transform(Patterns(q, rows, "q"))
    grid = log_grid(patterns, 2400)
    step = np.log(grid.axis[1] / grid.axis[0])
    found = factorise(grid.intensity, None, shift_points(grid))
    print(f"Cr-Fe-V-O, a solid solution on a crystalline substrate: {found.n_components} components found")
    for k in range(found.n_components):
        told = ", ".join(f"{-s * step:+.2%}" for s in found.shifts[:, k])
        print(f"  component {k}: cells larger by {told}")
        for cell in "ab":
            # The cells are listed as the composition rises; the patterns begin at its other end.
            size = np.log(np.loadtxt(box / f"reference_lp_{cell}.csv", delimiter=",", skiprows=1)[::-1, 1])
            moved = -found.shifts[:, k] * step
            slope = np.polyfit(size, moved, 1)[0]
            print(f"    beside the refined {cell}: correlation {np.corrcoef(size, moved)[0, 1]:.3f}, slope {slope:.2f}")


def first_known(patterns: Patterns, truth: Labels, elements: list[str], seeds: int) -> None:
    """Part of one region is known; how many of the strangest places are met in 45 measurements, five at a time."""
    grid = log_grid(patterns)
    distances = shift_distances(grid.intensity, shift_points(grid))
    where = np.column_stack([patterns.meta[e] for e in elements])
    where = where + np.arange(len(where))[:, None] * 1e-5  # places measured twice are two places
    common, tenth = int(np.bincount(truth).argmax()), len(truth) // 10
    print(f"20 patterns of the commonest region known, 45 places measured: how many of the {tenth} strangest were met,")
    print("  rms error of the expected score at the others (in standard deviations), and regions met")
    for strategy in ("random order", "novelty", "uncertainty", "exploration"):
        rows = []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            known = rng.permutation(np.flatnonzero(truth == common))[:20]
            order = rng.permutation(np.setdiff1d(np.arange(len(truth)), known))
            score = distances[:, known].min(axis=1)
            seen = order[:5].tolist()
            while len(seen) < 45:
                if strategy == "random order":
                    seen = order[: len(seen) + 5].tolist()
                else:
                    made = suggest(5, where[seen], score[seen], where[order], strategy=strategy)
                    seen += order[made.index].tolist()
            rest = suggest(len(order), where[seen], score[seen], where[order])
            left = order[rest.index]
            error = np.sqrt(np.mean((rest.mean - score[left]) ** 2)) / score[order].std()
            top = order[np.argsort(-score[order])[:tenth]]
            rows.append((len(set(top) & set(seen)), error, len(set(truth[seen]))))
        mean, sd = np.mean(rows, axis=0), np.std(rows, axis=0)
        print(f"  {strategy:14s} " + "   ".join(f"{m:5.2f} ± {s:.2f}" for m, s in zip(mean, sd, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    elements = ["Fe", "Pd", "Ga"]
    iron, regions = library("combi_FePdGa", "FePdGa_XRD.csv.gz", "FePdGa_composition.csv", elements)
    compare("Fe-Pd-Ga, regions by experts", iron, regions, elements, seeds)
    first_known(iron, regions, elements, seeds)
    elements = ["Al", "Cu", "Mo"]
    raw, classes = library("combi_AlCuMo", "AlCuMo_XRD.csv.gz", "AlCuMo_composition.csv", elements)
    flat = SubtractBaseline("imodpoly").fit_transform(raw)
    compare("Al-Cu-Mo, labels of unknown origin, 84 of 107 are one", flat, classes, elements, seeds)
    solid_solution()


if __name__ == "__main__":
    main()
