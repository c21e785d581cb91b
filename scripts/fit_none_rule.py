"""Fit the weights of `peakwise.matching._doubt` on measured minerals, each with its structure and without.

    PEAKWISE_DATA=... python scripts/fit_none_rule.py

Prints the weights, the AUROC in ten-fold cross-validation, and the scans that speak against the rule.
"""

from __future__ import annotations

import csv
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import peakwise as pw
from peakwise.crystal import PhaseLibrary
from peakwise.errors import PhaseError
from peakwise.evaluation import auroc, expected_calibration_error
from peakwise.matching import EFFORTS, LineTable, Searcher, prepare
from peakwise.matching._doubt import SIGNS, signs_of_doubt


def main() -> None:
    root = Path(os.environ["PEAKWISE_DATA"])
    with (root / "rruff_minerals_cif" / "manifest.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if not r["notes"].strip()]
    folder = root / "cif_library" / "cod_avogadro_cifs.zip"
    with zipfile.ZipFile(folder) as box:
        names = [n for n in box.namelist() if n.endswith(".cif") and "zeolite" not in n.lower()]
        texts = [box.read(n).decode("utf-8", "replace") for n in names]
    library = PhaseLibrary.from_folder(root / "rruff_minerals_cif" / "cifs")
    for name, text in zip(names, texts, strict=True):
        try:
            library.add(pw.Phase.from_cif(text, id=Path(name).stem))
        except PhaseError:
            continue
    phases = list(library)
    kinds = [(p.formula, p.space_group_type) for p in phases]
    scans = [prepare(pw.read(root / "rruff_minerals_cif" / r["file"], wavelength=1.5418)) for r in rows]
    light = scans[0].radiation
    table = LineTable.build(phases, light, light.wavelength / 2 / np.sin(np.radians(45.5)))
    searcher = Searcher(phases, table)
    ids = list(library.ids)

    def both(i: int) -> tuple[np.ndarray, np.ndarray]:
        kind = kinds[ids.index(Path(rows[i]["cif"]).stem)]
        absent = np.array([k != kind for k in kinds])
        made = [searcher.search(scans[i], EFFORTS["normal"], allowed=mask) for mask in (None, absent)]
        return signs_of_doubt(made[0]), signs_of_doubt(made[1])

    first = both(0)
    with ThreadPoolExecutor(2) as pool:
        signs = [first, *pool.map(both, range(1, len(scans)))]
    x = np.array([s[0] for s in signs] + [s[1] for s in signs])
    y = np.repeat([0, 1], len(signs))
    np.savez(os.environ.get("OUT", "/tmp/none_signs.npz"), x=x, y=y)
    for j, name in enumerate(SIGNS):
        print(f"{name}: AUROC {auroc(x[y == 1, j], x[y == 0, j]):.3f}")
    model = LogisticRegression(C=10.0, max_iter=1000)
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    p = cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]
    print(f"cross-validated AUROC {auroc(p[y == 1], p[y == 0]):.3f}, ECE {expected_calibration_error(p, y == 1):.3f}")
    model.fit(x, y)
    print("weights", [round(float(v), 3) for v in (model.intercept_[0], *model.coef_[0])])
    for i in np.argsort(-np.abs(p - y))[:12]:
        print(f"  {rows[i % len(rows)]['label']:28s} {'absent' if y[i] else 'present'} {p[i]:.2f}", x[i].round(3))


if __name__ == "__main__":
    main()
