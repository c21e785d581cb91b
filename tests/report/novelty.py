"""Answers of a search for the new to report on: three known phases, and first scans with a peak more."""

from __future__ import annotations

import numpy as np

from peakwise.report import add_map

AXIS = np.linspace(10, 60, 801)
WAVELENGTH = 1.5406
PHASES = ("rutile", "anatase", "brookite")
PLACES = ((20, 31, 45), (18, 33, 50), (25, 28, 41))
EXTRA = 37.25
MIDDLES = np.array([[0.0, 0.0], [4.0, 1.0], [1.0, 4.0]])
N_KNOWN = 90


def pattern(phase, *more):
    return 30 + sum(500 * np.exp(-(((AXIS - p) / 0.25) ** 2)) for p in (*PLACES[phase], *more))


def answers(n=40, n_new=3, **more):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        phase, novel = i % 3, i < n_new
        row = {
            "scan": f"run/scan_{i:05d}.xy", "score": round(float(rng.normal(0, 0.8) + 6 * novel), 4),
            "p_value": 0.003 if novel else round(float(rng.uniform(0.02, 1)), 3), "novel": novel,
            "nearest": PHASES[phase], "explained_by": None, "why": [], "unexplained": [], "mixture": [], "warnings": [],
        }  # fmt: skip
        if novel:
            row["why"] = [f"peaks that {PHASES[phase]} does not have, at {EXTRA} (d = 2.412 angstrom)"]
            row["unexplained"] = [{"axis": EXTRA, "d": 2.412, "intensity": 0.4}]
        rows.append(row)
    if n > n_new + 1:
        rows[n_new] |= {"explained_by": "zero shift", "why": ["a zero shift of +0.1 along the axis explains it"]}
        parts = [{"name": "rutile", "share": 0.6}, {"name": "anatase", "share": 0.4}]
        rows[n_new + 1] |= {"explained_by": "mixture", "mixture": parts, "warnings": ["the wavelength was assumed"]}
    return {
        "peakwise": "0.1.0", "command": "novelty", "scans": rows, "threshold": 2.5, "false_alarm": 0.01,
        "known": N_KNOWN, "warnings": ["few known scans"], "failed": [{"file": "bad.xy", "why": "it holds 0 bytes"}],
        "seconds": 1.5, "provenance": {"versions": {"numpy": "2.4"}, "command_line": "peakwise novelty 'a b/' -q"},
        **more,
    }  # fmt: skip


def points(n):
    rng = np.random.default_rng(1)
    return MIDDLES[np.arange(n) % 3] + rng.normal(0, 0.4, (n, 2))


def drawn(document, *, has_curves=True, places=True):
    """The answer with everything that a map can have."""
    n = len(document["scans"])
    rng = np.random.default_rng(2)
    y, x = np.mgrid[-2:6:40j, -2:6:50j]
    regions = ((x[..., None] - MIDDLES[:, 0]) ** 2 + (y[..., None] - MIDDLES[:, 1]) ** 2).argmin(-1)
    amounts = rng.dirichlet([2, 1, 1, 1], n).T if n else np.zeros((4, 0))
    curves = {}
    if has_curves:
        made = np.array([pattern(i % 3) for i in range(n)])
        seen = [pattern(i % 3, EXTRA) if s["novel"] else pattern(i % 3) for i, s in enumerate(document["scans"])]
        curves = {
            "axis": AXIS, "patterns": rng.poisson(seen).astype(float), "reconstructions": made, "kind": "two_theta",
            "unit": "deg", "wavelength": WAVELENGTH, "intensity_unit": "counts",
        }  # fmt: skip
    if places:
        curves |= {
            "positions": np.c_[5.0 * (np.arange(n) % 8), 5.0 * (np.arange(n) // 8)],
            "compositions": dict(zip(("Fe", "Pd", "Ga", "Co"), amounts, strict=True)),
            "mixing": np.arange(n) % 11 / 10, "errors": rng.random(n), "known_errors": rng.random(N_KNOWN),
            "clusters": np.arange(n) % 3,
            "columns": {"temperature": 300.0 + np.arange(n), "operator": [("ann", "bob")[i % 2] for i in range(n)]},
        }  # fmt: skip
    return add_map(
        document, points(n), points(N_KNOWN), known_names=[PHASES[i % 3] for i in range(N_KNOWN)],
        known_scores=rng.normal(0, 1, N_KNOWN), regions=regions, region_ends=((-2, 6), (-2, 6)), region_names=PHASES,
        **curves,
    )  # fmt: skip
