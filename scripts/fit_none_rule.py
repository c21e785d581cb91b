"""Fit the weights of `peakwise.matching._doubt` on measured minerals, each with its structure and without.

    PEAKWISE_DATA=... python scripts/fit_none_rule.py

Prints the weights, the AUROC in ten-fold cross-validation, and the scans that speak against the rule. What a sign means
is known beforehand, so no weight may have the wrong sign: a large misfit is never a reason to believe a phase.
"""

from __future__ import annotations

import contextlib
import csv
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import GroupKFold

import peakwise as pw
from peakwise.crystal import PhaseLibrary
from peakwise.errors import PhaseError
from peakwise.evaluation import auroc, expected_calibration_error
from peakwise.matching import EFFORTS, LineTable, PreparedScan, Searcher, prepare
from peakwise.matching._doubt import SIGNS, signs_of_doubt

_SPEAKS_FOR_DOUBT = (1, -1, 1, -1)  # of `SIGNS`: misfit left, cosine, strain, lead over the next
_STRENGTH = 10.0  # inverse of the penalty on squares of weights


def main() -> None:
    root = Path(os.environ["PEAKWISE_DATA"])
    with (root / "rruff_minerals_cif" / "manifest.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if not r["notes"].strip()]
    scans = [prepare(pw.read(root / "rruff_minerals_cif" / r["file"], wavelength=1.5418)) for r in rows]
    ids = [Path(r["cif"]).stem for r in rows]
    minerals = PhaseLibrary.from_folder(root / "rruff_minerals_cif" / "cifs")
    more = PhaseLibrary([*minerals, *_textbook(root)])
    x, y, groups = [], [], []
    for library in (more, minerals):
        for i, pair in enumerate(_signs(library, scans, ids)):
            x += pair
            y += [0, 1]
            groups += [i, i]
    x, y = np.array(x), np.array(y)
    for j, name in enumerate(SIGNS):
        print(f"{name}: AUROC {auroc(x[y == 1, j], x[y == 0, j]):.3f}")
    # A scan is never judged by a rule that has seen it.
    p = np.empty(len(y))
    for taught, asked in GroupKFold(10).split(x, y, groups):
        p[asked] = expit(_learned(x[taught], y[taught]) @ _with_one(x[asked]).T)
    print(f"cross-validated AUROC {auroc(p[y == 1], p[y == 0]):.3f}, ECE {expected_calibration_error(p, y == 1):.3f}")
    print("_WEIGHTS", _learned(x, y).round(3).tolist())
    first = p[: len(p) // 2]
    print("_KNOWN", np.sort(first[y[: len(p) // 2] == 0]).round(3).tolist())
    for i in np.argsort(-np.abs(p - y))[:12]:
        print(f"  {ids[groups[i]]:28s} {'absent' if y[i] else 'present'} {p[i]:.2f}", x[i].round(3))


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.column_stack((np.ones(len(x)), x))


def _learned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Intercept and weights of a logistic regression whose weights have the signs of `_SPEAKS_FOR_DOUBT`, or are 0."""
    rows = _with_one(x)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = rows @ w
        value = np.logaddexp(0, z).sum() - y @ z + 0.5 * w[1:] @ w[1:] / _STRENGTH
        return float(value), rows.T @ (expit(z) - y) + np.concatenate(([0.0], w[1:] / _STRENGTH))

    limits = [(None, None), *((0.0, None) if s > 0 else (None, 0.0) for s in _SPEAKS_FOR_DOUBT)]
    return minimize(loss, np.zeros(rows.shape[1]), jac=True, bounds=limits, method="L-BFGS-B").x


def _textbook(root: Path) -> list[pw.Phase]:
    """Some 500 textbook structures beside the minerals."""
    made = []
    with zipfile.ZipFile(root / "cif_library" / "cod_avogadro_cifs.zip") as box:
        for name in sorted(n for n in box.namelist() if n.endswith(".cif") and "zeolite" not in n.lower()):
            with contextlib.suppress(PhaseError):
                made.append(pw.Phase.from_cif(box.read(name).decode("utf-8", "replace"), id=Path(name).stem))
    return made


def _signs(library: PhaseLibrary, scans: list[PreparedScan], ids: list[str]) -> list[list[np.ndarray]]:
    """Signs of each scan with its structure in the library, and with all structures of that compound taken out."""
    phases = list(library)
    kinds = {p.id: (p.formula, p.space_group_type) for p in phases}
    light = scans[0].radiation
    table = LineTable.build(phases, light, light.wavelength / 2 / np.sin(np.radians(45.5)))
    searcher = Searcher(phases, table)

    def both(i: int) -> list[np.ndarray]:
        absent = np.array([kinds[p.id] != kinds[ids[i]] for p in phases])
        made = [searcher.search(scans[i], EFFORTS["normal"], allowed=mask) for mask in (None, absent)]
        return [signs_of_doubt(answer) for answer in made]

    first = both(0)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [first, *pool.map(both, range(1, len(scans)))]


if __name__ == "__main__":
    main()
