"""Write the golden curves of the preprocessing steps: slow plain formulas, none of them the code under test.

Run ``python tests/preprocessing/make_golden.py`` from the root of the repository; it writes
``tests/data/golden/preprocessing.npz``. The patterns are made here too, so the file depends on nothing measured.
"""

from __future__ import annotations

import math
import statistics
from itertools import pairwise
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "data" / "golden" / "preprocessing.npz"
KA1, KA2 = 1.5405929, 1.5444274
WIDTH = 4.0  # [deg] of the baseline


def pseudo_voigt(x, centre, fwhm, share=0.5):
    u = (x - centre) / (fwhm / 2)
    return share / (1 + u * u) + (1 - share) * 2.0 ** -(u * u)


def make_counts(axis):
    """Two Poisson patterns: peaks on a falling background, a few spikes on them."""
    rng = np.random.default_rng(1948)
    rows = []
    for shift in (0.0, 0.4):
        ideal = 60 * np.exp(-(axis - 20) / 12) + 25
        for centre, height in ((24.0, 900), (28.3, 150), (31.1, 2500), (31.7, 800), (41.0, 300), (46.9, 1200)):
            ideal = ideal + height * pseudo_voigt(axis, centre + shift, 0.25)
        rows.append(rng.poisson(ideal).astype(float))
    rows[0][[100, 350]] += 1500
    rows[1][500:502] += 2000
    return np.array(rows)


def spikes_removed(rows, width=2.0, threshold=6.0):
    """The rule in the docstring of RemoveSpikes, for whole counts, point by point."""
    out = rows.copy()
    for row, new in zip(rows, out, strict=True):
        m = len(row)
        half = max(5, math.ceil(5 * width))
        bend = [0.0] + [abs(row[i] - (row[i - 1] + row[i + 1]) / 2) for i in range(1, m - 1)] + [0.0]
        typical = statistics.median(bend[1:-1])

        def around(values, i, half=half, m=m):
            return [values[min(max(j, 0), m - 1)] for j in range(i - half, i + half + 1)]

        bad = set()
        for k in range(1, math.floor(math.sqrt(-math.log2(0.2)) * width - 1) + 1):
            flank = 2.0 ** -(((k + 1) / width) ** 2)
            for i in range(1, m - k):
                middle = i + k // 2
                base = statistics.median(around(row, middle))
                local = statistics.median(around(bend, middle))
                gauss = max(local, typical) * 1.482602 / math.sqrt(1.5)
                noise = max(gauss, math.sqrt(max(base, 1.0)))
                beside = max(row[i - 1], row[i + k])
                expected = flank * (max(row[i : i + k]) - base)
                scatter = math.sqrt(noise**2 + max(expected, 0.0))
                missing = expected - (beside - base) > threshold * scatter
                if missing and min(row[i : i + k]) - beside > threshold * noise:
                    bad.update(range(i, i + k))
        for i in bad:
            left = next(j for j in range(i, -1, -1) if j not in bad)
            right = next(j for j in range(i, m) if j not in bad)
            new[i] = row[left] + (row[right] - row[left]) * (i - left) / (right - left)
    return out


def arpls(y, lam, tol=1e-3, most=50):
    """Baek et al. 2015, algorithm 1, with full matrices."""
    m = len(y)
    second = np.diff(np.eye(m), 2, axis=0)
    penalty = lam * second.T @ second
    w = np.ones(m)
    for _ in range(most + 1):
        z = np.linalg.solve(np.diag(w) + penalty, w * y)
        d = y - z
        below = d[d < 0]
        mean, spread = below.mean(), below.std(ddof=1)
        new = 1 / (1 + np.exp(np.minimum(2 * (d - (2 * spread - mean)) / spread, 700)))
        if np.linalg.norm(w - new) / np.linalg.norm(w) < tol:
            break
        w = new
    return z


def smoothed(row, window, order):
    m, half = len(row), window // 2
    out = []
    for i in range(m):
        first = min(max(i - half, 0), m - window)
        x = np.arange(first, first + window) - i
        out.append(np.polyfit(x, row[first : first + window], order)[-1])
    return out


def fourier_filtered(row, n_bins):
    """Sums of cosines and sines written out."""
    m = len(row)
    t = np.arange(m)
    out = np.full(m, row.mean())
    for k in range(1, n_bins):
        share = 1 if 2 * k == m else 2
        wave = 2 * np.pi * k * t / m
        out += share / m * ((row @ np.cos(wave)) * np.cos(wave) + (row @ np.sin(wave)) * np.sin(wave))
    return out


def resampled(axis, row, target):
    """Sums of overlaps, for a target whose bins are all wider than those of the axis."""

    def edges(x):
        middle = [(a + b) / 2 for a, b in pairwise(x)]
        return [2 * x[0] - middle[0], *middle, 2 * x[-1] - middle[-1]]

    source, wanted = edges(list(axis)), edges(list(target))
    out = []
    for low, high in pairwise(wanted):
        total = 0.0
        for a, b, y in zip(source[:-1], source[1:], row, strict=True):
            total += y * max(0.0, min(b, high) - max(a, low)) / (b - a)
        out.append(total)
    return out


def normalised(axis, row):
    mean = sum(row) / len(row)
    area = sum((row[i] + row[i + 1]) / 2 * (axis[i + 1] - axis[i]) for i in range(len(row) - 1))
    spread = math.sqrt(sum((y - mean) ** 2 for y in row) / (len(row) - 1))
    return {
        "maximum": [y / max(row) for y in row],
        "area": [y / area for y in row],
        "vector": [y / math.sqrt(sum(v * v for v in row)) for y in row],
        "snv": [(y - mean) / spread for y in row],
    }


def make():
    axis = np.linspace(20, 50, 601)
    counts = make_counts(axis)
    step = float(axis[1] - axis[0])
    fine = np.linspace(40, 50, 501)
    pairs = [(2.05, 1000.0), (1.93, 300.0), (1.9, 600.0)]

    def line(lam, strength):
        return sum(strength * h * pseudo_voigt(fine, 2 * math.degrees(math.asin(lam / 2 / d)), 0.1) for d, h in pairs)

    target = np.linspace(20.5, 49.5, 233)
    table = np.array([[-204.22, 0.354, 7.0], [14.48, 1.0, 7.0], [-51.0, 0.71, 7.0]])
    modes = [normalised(axis, list(row)) for row in counts]
    return {
        "axis": axis,
        "counts": counts,
        "remove_spikes": spikes_removed(counts),
        "subtract_baseline": np.array([y - arpls(y, (WIDTH / (2 * math.pi * step)) ** 4) for y in counts]),
        "doublet_axis": fine,
        "doublet": line(KA1, 1.0) + line(KA2, 0.5),
        "strip_kalpha2": line(KA1, 1.0),
        "smooth": np.array([smoothed(row, 9, 3) for row in counts]),
        "filter_fourier": np.array([fourier_filtered(row, 60) for row in counts]),
        "convert_axis": np.array([4 * math.pi * math.sin(math.radians(x) / 2) / KA1 for x in axis]),
        "crop": np.array([[y for x, y in zip(axis, row, strict=True) if 25 <= x <= 40] for row in counts]),
        "resample_grid": target,
        "resample": np.array([resampled(axis, row, target) for row in counts]),
        "sum_bins": np.array([[sum(row[i : i + 7]) for i in range(0, 595, 7)] for row in counts]),
        **{f"normalise_{k}": np.array([m[k] for m in modes]) for k in modes[0]},
        "normalise_set_maximum": counts / max(max(row) for row in counts),
        "targets": table,
        "scale_targets": np.array([[0, 0, 0], [1, 1, 0], [(-51 + 204.22) / 218.7, (0.71 - 0.354) / 0.646, 0]]),
    }


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, **make())
