"""Series to report on: peaks of known place and height that change at known patterns."""

from __future__ import annotations

import numpy as np

AXIS = np.linspace(10, 30, 801)
WAVELENGTH = 0.5
NAMES = ("change_points", "spectral")


def peak(place, height=400.0, width=0.12):
    return height * np.exp(-(((AXIS - place) / width) ** 2))


def rows(n=60, cuts=(29,), seed=0):
    """One peak that stays at 12, and one that stands at 16 + 3 k in the stretch k."""
    rng = np.random.default_rng(seed)
    stretch = np.searchsorted(np.asarray(cuts), np.arange(n), side="left")
    return rng.poisson(30 + peak(12.0) + np.array([peak(16.0 + 3 * k, 300) for k in stretch])).astype(float)


def transitions(n=60, cuts=(29,), *, confidence=0.97, unit="K", name="temperature", **more):
    state = np.searchsorted(np.asarray(cuts), np.arange(n), side="left")
    value = 100 + 2.0 * np.arange(n)
    found = [
        {
            "after": c, "value": float(value[c] + 1), "interval": [float(c), float(c + 1)],
            "value_interval": [float(value[c]), float(value[c + 1])], "zone": [c + 0.5, c + 0.5],
            "confidence": confidence, "agreement": {"change_points": c, "spectral": c - 2},
        }
        for c in cuts
    ]  # fmt: skip
    return {
        "peakwise": "0.1.0", "command": "transitions",
        "patterns": [
            {"pattern": f"scan_{k:04d}.xy", "value": float(value[k]), "state": int(state[k]), "probability": 0.998}
            for k in range(n)
        ],
        "boundaries": found, "classification_confidence": 1.0, "states": len(cuts) + 1,
        "state_names": [str(k) for k in range(len(cuts) + 1)], "method": "segments",
        "variable": {"name": name, "unit": unit}, "warnings": [], "failed": [], "seconds": 0.5,
        "evidence": {"refused": 0.03, "views": {"raw": 12.5}}, "settings": {"states": "auto"},
        "provenance": {"versions": {"numpy": "2.4"}, "command_line": "peakwise transitions 'a b.h5' --report r.html"},
        **more,
    }  # fmt: skip


def clusters(n=12, k=3, **more):
    groups = [{"pattern": f"scan_{i:03d}.xy", "cluster": i % k} for i in range(n)]
    return {"command": "cluster", "patterns": groups, "k": k, "silhouette": 0.7, **more}
