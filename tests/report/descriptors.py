"""Answers of descriptors to report on: a peak that moves with the stress, its truth, and charts of trainings."""

from __future__ import annotations

import numpy as np

AXIS = np.linspace(30, 90, 301)
TARGETS = ("fcc", "hcp", "disordered", "stress", "dislocation_density")
UNITS = {"stress": "GPa", "dislocation_density": "1/Å²"}
RANGES = {"fcc": [0.3, 1.0], "hcp": [0.0, 0.35], "disordered": [0.0, 0.3], "stress": [-60.0, 12.0],
          "dislocation_density": [0.0, 4e-3]}  # fmt: skip
HALF = {"fcc": 0.02, "hcp": 0.012, "disordered": 0.014, "stress": 3.0, "dislocation_density": 2e-4}


def answers(n=50, *, has_truth=True, outside=(3, 8), **more):
    """Answers for n scans, of which some lie outside of what was learned from."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        values, interval, truth = {}, {}, {}
        for name in TARGETS:
            low, high = RANGES[name]
            true = low + (high - low) * rng.random()
            told = true + HALF[name] * rng.normal(0, 0.55)
            values[name], truth[name] = told, true
            interval[name] = [told - HALF[name], told + HALF[name]]
        row = {
            "scan": f"run/cell_{i:04d}.xy", "values": values, "interval": interval, "in_domain": i not in outside,
            "warnings": ["resampled onto the grid of the model"] if i == 2 else [],
        }  # fmt: skip
        rows.append(row | ({"truth": truth} if has_truth else {}))
    return {
        "peakwise": "0.1.0", "command": "regress", "targets": list(TARGETS), "scans": rows, "units": UNITS,
        "level": 0.9, "ranges": RANGES, "workflow": "hybrid", "warnings": ["2 scans are unlike those learned from"],
        "failed": [{"file": "bad.xy", "why": "it holds 0 bytes"}], "seconds": 0.52,
        "provenance": {"versions": {"numpy": "2.4"}, "command_line": "peakwise regress 'a b/' --model m.pw"}, **more,
    }  # fmt: skip


def drawn(document, *, charts=True):
    """The answer with its patterns, numbers besides, and charts."""
    rng = np.random.default_rng(1)
    n = len(document["scans"])
    rows = np.array([
        900 * s["values"]["fcc"] * np.exp(-(((AXIS - 44 + s["values"]["stress"] / 20) / 0.8) ** 2)) + 40
        for s in document["scans"]
    ]).reshape(n, AXIS.size)  # fmt: skip
    curves = {"axis": AXIS, "patterns": rng.poisson(rows).astype(float), "kind": "two_theta", "unit": "deg",
              "wavelength": 1.54, "intensity_unit": "counts"}  # fmt: skip
    made = {**document, "curves": curves, "columns": {"temperature": 300.0 + np.arange(n)} if n else {}}
    return {**made, "charts": [splits(), latent(), learning(), ablation()]} if charts else made


def splits():
    rng = np.random.default_rng(2)
    names = ("reconstruction", "regression", "hybrid", "multimodal", "ours")
    panels = {
        target: [
            {"name": w, "x": np.full(10, k), "y": HALF[target] * (1 - 0.12 * k) * rng.normal(1, 0.1, 10)}
            for k, w in enumerate(names)
        ]
        for target in ("fcc", "stress")
    }
    return {"name": "splits", "title": "Error over ten splits", "y": "RMSE", "categories": list(names), "zero": True,
            "panels": panels, "units": UNITS, "note": "Each point a split; line: the mean."}  # fmt: skip


def latent():
    n = np.array([1, 2, 4, 8, 16, 32])
    series = [{"name": "RMSE of all", "x": n, "y": 0.02 + 0.1 / n, "low": 0.018 + 0.09 / n, "high": 0.022 + 0.11 / n}]
    return {"name": "latent", "title": "How many latent numbers?", "x": "latent numbers", "y": "mean normalised RMSE",
            "log": True, "panels": {"mean": series}}  # fmt: skip


def learning():
    n = np.array([50, 100, 200, 400])
    panel = [{"name": w, "x": n, "y": a * n**-0.4} for w, a in (("hybrid", 0.3), ("ridge", 0.5), ("ours", 0.2))]
    return {"name": "learning", "title": "Learning curves", "x": "scans learned from", "y": "mean normalised RMSE",
            "log": True, "panels": {"mean": panel}}  # fmt: skip


def ablation():
    names = ["xrd", "vdos", "both"]
    panel = [{"name": t, "x": [0, 1, 2], "y": [0.03, 0.05, 0.02]} for t in ("fcc", "stress")]
    return {"name": "ablation", "title": "What each kind of pattern brings", "y": "RMSE / range", "categories": names,
            "zero": True, "panels": {"all": panel}}  # fmt: skip
