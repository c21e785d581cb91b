"""Learn from made series when a break is a transition, and write the rule that `peakwise.series` follows.

    python scripts/fit_transition_rule.py [--series 400] [--seed 1000] [--processes 2]

Of each made series (`peakwise.datasets.made_series`) these are looked at: the whole; every k-th frame, as a short
series; a part without its transition; a part that a gradual one nearly fills; and there and back. A candidate
(`peakwise.series`) is right if it lies within two frames of an abrupt transition, or inside a gradual one. A logistic
regression on the evidence, each number held within what the made series show, becomes the rule. Series with other seeds
tell how good it is: scripts/measure_transitions.py.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from peakwise.datasets.made_series import make_one_series
from peakwise.patterns import Patterns
from peakwise.series import RULE_FILE, examine, prepare_series

FOLDS = 5
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)


def versions(patterns: Patterns, truth: dict[str, Any], rng: np.random.Generator) -> list[np.ndarray]:
    """Rows of the series that are looked at, each in its order."""
    n = len(patterns)
    step = int(rng.integers(2, max(3, n // 9) + 1))
    chosen = [np.arange(n), np.arange(int(rng.integers(step)), n, step)]
    if truth["onset"] is not None:
        before = np.arange(0, max(0, int(truth["onset"]) - 1))
        after = np.arange(min(n, int(truth["end"]) + 3), n)
        flat = before if before.size > after.size else after
        chosen.append(flat[:: int(rng.integers(1, 4))] if flat.size >= 30 else flat)
        width = end - onset if (end := truth["end"]) - (onset := truth["onset"]) > 4 else 0.0
        if width:
            near = np.arange(max(0, int(onset - 1.2 * width)), min(n, int(end + 1.2 * width)))
            chosen.append(near[:: max(1, near.size // int(rng.integers(16, 120)))])
    if rng.random() < 0.5:
        there_and_back = np.r_[np.arange(n), np.arange(n)[::-1]]
        chosen.append(there_and_back[:: int(rng.integers(1, 5))])
    return [rows for rows in chosen if rows.size >= 6]


def transitions(rows: np.ndarray, truth: dict[str, Any]) -> list[tuple[float, float]]:
    """First and last place [frames of the rows] of each transition."""
    if truth["onset"] is None:
        return []
    onset, end = truth["onset"], truth["end"]
    width = end - onset
    share = np.clip((rows + 0.5 - onset) / width, 0, 1) if width > 1 else (rows > onset).astype(float)
    found = []
    for middle in np.flatnonzero(np.diff((share > 0.5).astype(int))):
        low, high = middle, middle + 1
        while low > 0 and 0 < share[low] < 1:
            low -= 1
        while high < rows.size - 1 and 0 < share[high] < 1:
            high += 1
        found.append((float(low), float(high)))
    return found


def look_at(job: tuple[int, int]) -> tuple[list[dict[str, float]], list[int], list[int], list[int]]:
    """Evidence of the candidates of one made series, whether each is right, and which version each is of."""
    number, seed = job
    warnings.simplefilter("ignore")
    patterns, truth = make_one_series(number, random_state=seed)
    rng = np.random.default_rng([seed, number])
    evidence, is_right, version, flat = [], [], [], []
    for which, rows in enumerate(versions(patterns, truth, rng)):
        true = transitions(rows, truth)
        part = Patterns(patterns.axis, patterns.intensity[rows], patterns.kind, wavelength=patterns.wavelength)
        seen = examine(prepare_series(part))
        places = np.append(seen.series.frames, seen.series.frames[-1])
        tolerance = max(1.0, min(2.0, 0.02 * rows.size))
        for candidate in seen.candidates:
            at = seen.family.middle[candidate.member]
            at = places[int(at)] + (at - int(at))
            evidence.append(candidate.evidence)
            is_right.append(
                int(
                    any(
                        abs(at - (low + high) / 2) <= tolerance if high - low <= 2 else low - 1 <= at <= high + 1
                        for low, high in true
                    )
                )
            )
            version.append(which)
            flat.append(int(not true))
    return evidence, is_right, version, flat


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="write the evidence here, or read it from here")
    asked = parser.parse_args()
    if asked.keep and asked.keep.exists():
        answers = json.loads(asked.keep.read_text())
    else:
        with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
            answers = pool.map(look_at, [(i, asked.seed) for i in range(asked.series)], chunksize=4)
        if asked.keep:
            asked.keep.write_text(json.dumps(answers))
    learn(answers, asked)


def learn(answers: list[Any], asked: argparse.Namespace) -> None:
    from sklearn.linear_model import LogisticRegression

    names = sorted(answers[0][0][0])
    table = np.array([[row[name] for name in names] for one in answers for row in one[0]])
    right = np.array([r for one in answers for r in one[1]])
    series = np.array([i for i, one in enumerate(answers) for _ in one[1]])
    group = series * 10 + np.array([v for one in answers for v in one[2]])
    is_flat = np.array([f for one in answers for f in one[3]])
    low, high = np.percentile(table, [0.5, 99.5], axis=0)
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    unit = (np.clip(table, low, high) - middle) / spread
    fold = np.random.default_rng(0).integers(FOLDS, size=series.max() + 1)[series]
    best = None
    for strength in STRENGTHS:
        p = np.zeros(len(right))
        for k in range(FOLDS):
            model = LogisticRegression(C=strength, max_iter=3000).fit(unit[fold != k], right[fold != k])
            p[fold == k] = model.predict_proba(unit[fold == k])[:, 1]
        loss = -np.mean(np.log(np.where(right == 1, p, 1 - p).clip(1e-9)))
        print(f"C {strength}: loss {loss:.4f}")
        if best is None or loss < best[0]:
            best = (loss, strength, p)
    _, strength, p = best
    for threshold in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        false, found = [], []
        for g in np.unique(group):
            here = group == g
            top = p[here].argmax()
            if is_flat[here][0]:
                false.append(p[here][top] >= threshold)
            else:
                found.append(p[here][top] >= threshold and right[here][top] == 1)
        print(
            f"threshold {threshold}: a transition in {np.mean(false):.3f} of {len(false)} without one, "
            f"the right one found in {np.mean(found):.3f} of {len(found)}"
        )
    # A part is what is left of a series beside its transition: of every third series nothing is left.
    flat = {
        "flat": np.unique(group[(is_flat == 1) & (group % 10 == 0)]),
        "flat_parts": np.unique(group[(is_flat == 1) & (series % 3 != 0)]),
    }
    highest = {name: np.sort([p[group == g].max() for g in groups]) for name, groups in flat.items()}
    for name, values in highest.items():
        print(f"{name}: {len(values)}, the highest tenth {values[-len(values) // 10 :].round(2)}")
    model = LogisticRegression(C=strength, max_iter=3000).fit(unit, right)
    rule = {
        "learned_from": f"{asked.series} made series, seed {asked.seed}",
        # Of series, and of parts beside a transition, without one; each judged by a rule that had not seen it.
        **{name: values.round(4).tolist() for name, values in highest.items()},
        "intercept": round(float(model.intercept_[0]), 4),
        "evidence": {
            name: {
                "weight": round(float(w), 4), "mean": round(float(m), 4), "spread": round(float(s), 4),
                "least": round(float(a), 4), "most": round(float(b), 4),
            }
            for name, w, m, s, a, b in zip(names, model.coef_[0], middle, spread, low, high, strict=True)
        },
    }  # fmt: skip
    RULE_FILE.write_text(json.dumps(rule, indent=1) + "\n")
    print(f"written: {RULE_FILE}")


if __name__ == "__main__":
    main()
