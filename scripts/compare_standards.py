"""Compare simulated with measured patterns of single phases, and print a Markdown table.

Each scan: background removed, then the pattern of its CIF (or textbook structure) fitted by zero shift, sample
displacement, cell, and widths (begun from the measured width of the strongest line) until the correlation with the scan
is largest; then once more with one March-Dollase axis. Intensities come from the structure alone. Nothing is excluded.

PEAKWISE_DATA=folder .venv/bin/python scripts/compare_standards.py [--all] [--plot FOLDER] [WORD ...]

Without --all the RRUFF minerals are told by their median and the worst ones. WORD picks the scans whose name has it.
"""

from __future__ import annotations

import csv
import os
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

import peakwise as pw
from peakwise.crystal import TEXTBOOK, Phase
from peakwise.patterns import Radiation
from peakwise.preprocessing import SubtractBaseline
from peakwise.simulate import FRAME, SLOT, Instrument, Ranges, Simulator
from peakwise.simulate._compile import CUBIC, MONO_B, ORTHORHOMBIC, RHOMBOHEDRAL, TRICLINIC, UNIAXIAL, symmetry_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = Path(os.environ.get("PEAKWISE_DATA", "../shared/data"))
ROUNDS, MANY = 30, 48
WORST = 12  # rows of RRUFF minerals
# What moves together: names of the free parameters, and their first spread.
SPREAD = {"zero": 0.02, "displacement": 0.05, "a": 0.001, "b": 0.001, "c": 0.001, "shear": 0.05, "width": 0.3,
          "size": 0.7, "microstrain": 0.7, "b_extra": 0.5, "march": 0.4}  # fmt: skip
# Scans of the GSAS-II tutorials for which there is a structure: scan -> (CIF or textbook id, what makes the light).
TUTORIALS = {
    "FAP.XRA": ("fluorapatite", "CuKa"),
    "PBSO4.XRA": ("gsas_tutorial_powder/cifs/PbSO4-Wyckoff.cif", "CuKa"),
    "PBSO4.CWN": ("gsas_tutorial_powder/cifs/PbSO4-Wyckoff.cif", Radiation(1.909, probe="neutron")),
    "NIST660CBI.gsas": ("LaB6", "CuKa"),
    "LaB6_Jan2018.raw": ("LaB6", "CuKa"),
    "Keokuk kaolinite.RAW": ("gsas_tutorial_powder/cifs/kaolinite.cif", "CuKa"),
    "KGA1-CONT.RAW": ("gsas_tutorial_powder/cifs/kaolinite.cif", "CuKa"),
}
STANDARDS = {
    "Al2O3/Al2O3_676a.xy.gz": "Al2O3-alpha",  # its CIF has shifted columns
    "CeO2/CeO2_674b.xy.gz": "nist_srm_11bm/cifs/CeO2_674b.cif",
    "Cr2O3/Cr2O3_674b.xy.gz": "nist_srm_11bm/cifs/Cr2O3_674b.cif",
    "ZnO/ZnO_674b.xy.gz": "nist_srm_11bm/cifs/ZnO_674b.cif",
    "Si/Si_640d.xy.gz": "nist_srm_11bm/cifs/Si_640d.cif",
    "Si/11BM_Si640c.xy.gz": "nist_srm_11bm/cifs/Si_640d.cif",
    "Na2Ca3Al2F14/11BM_NAC.xy.gz": "nist_srm_11bm/cifs/11BM_NAC.cif",
}


@dataclass(frozen=True)
class Case:
    """A scan and the structure that it should be."""

    set: str
    name: str
    scan: Path
    structure: str
    light: tuple[Any, ...]  # each is tried: files that do not say whether Kα2 is in them


@dataclass(frozen=True)
class Fit:
    """How well a simulated pattern agrees."""

    correlation: float
    textured: float
    march: float
    bound: float
    light: str
    x: NDArray[np.float64]
    measured: NDArray[np.float64]
    simulated: NDArray[np.float64]


def cases() -> list[Case]:
    found = [
        Case("nist_srm_11bm", Path(scan).name.split(".")[0], DATA / "nist_srm_11bm" / scan, structure, (None,))
        for scan, structure in STANDARDS.items()
    ]
    for scan, (structure, light) in TUTORIALS.items():
        path = DATA / "gsas_tutorial_powder" / "patterns" / scan
        found.append(Case("gsas_tutorial_powder", scan, path, structure, (light,)))
    folder = DATA / "rruff_minerals_cif"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cif = f"rruff_minerals_cif/{row['cif']}"
            found.append(Case("rruff_minerals_cif", row["label"], folder / row["file"], cif, ("CuKa", "CuKa1")))
    return found


def instrument(light: Any, geometry: str, width: float) -> Instrument:
    given = {"radiation": light, "w": (0.7 * width) ** 2, "y": 0.4 * width}
    if light.probe == "neutron":
        return Instrument.neutron(light.wavelength)
    if geometry == "transmission":
        return Instrument.synchrotron(light, x=0.0, **{k: v for k, v in given.items() if k != "radiation"})
    return Instrument(**given)


def longest(scan: pw.Patterns) -> pw.Patterns:
    """The longest scan of a file with several, on its own points."""
    there = np.isfinite(scan.intensity)
    row = int(there.sum(axis=1).argmax())
    if there[row].all():
        return scan[row]
    return pw.Patterns(scan.axis[there[row]], scan.intensity[row][there[row]], wavelength=scan.radiation)


def measured_width(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """FWHM of the strongest line [deg]."""
    top = int(np.argmax(y))
    left = int(np.argmax(y[top::-1] < y[top] / 2))
    right = int(np.argmax(y[top:] < y[top] / 2))
    return float(x[min(top + right, x.size - 1)] - x[max(top - left, 0)])


def noise_bound(y: NDArray[np.float64]) -> float:
    """The correlation that a perfect pattern would reach: the noise, from second differences, takes the rest."""
    noise = (1.4826 * float(np.median(np.abs(np.diff(y, 2))))) ** 2 / 6
    return float(np.sqrt(max(1 - noise / float(y.var()), 0.0)))


def free_of(phase: Phase) -> list[str]:
    """The names of the cell parameters that the symmetry leaves free."""
    code = symmetry_code(phase)
    if code in (CUBIC, RHOMBOHEDRAL):
        return ["a", *(["shear"] if code == RHOMBOHEDRAL else [])]
    if code == UNIAXIAL:
        return ["a", "c"]
    return ["a", "b", "c", *(["shear"] if code not in (ORTHORHOMBIC, TRICLINIC) else [])]


def render(simulator: Simulator, phase: Phase, rows: list[dict[str, float]], width: float) -> NDArray[np.float64]:
    """Patterns of trial parameters."""
    tables = simulator.blank(len(rows))
    code = symmetry_code(phase)
    for i, row in enumerate(rows):
        slot, frame = tables.slots[i, 0], tables.frames[i]
        a = row.get("a", 0.0)
        b = row.get("b", a)
        c = row.get("c", a if code in (CUBIC, RHOMBOHEDRAL) else row.get("c", 0.0))
        slot[SLOT["phase"]], slot[SLOT["weight"]] = 0, 1
        slot[SLOT["strain_a"] : SLOT["strain_c"] + 1] = a, b, c
        if "shear" in row:
            turn = (
                np.full(3, row["shear"]) if code == RHOMBOHEDRAL else row["shear"] * (np.arange(3) == code - MONO_B + 1)
            )
            slot[SLOT["shear_alpha"] : SLOT["shear_gamma"] + 1] = turn
        slot[SLOT["size"]] = 100.0 * np.exp(row["size"])
        slot[SLOT["microstrain"]] = 3e-4 * np.exp(row["microstrain"])
        slot[SLOT["b_extra"]] = abs(row["b_extra"])
        slot[SLOT["march"]], slot[SLOT["march_axis"]] = np.exp(row.get("march", 0.0)), row.get("axis", 0)
        frame[FRAME["zero"]], frame[FRAME["displacement"]] = row["zero"], row["displacement"]
        frame[FRAME["width"]] = width * np.exp(row["width"])
    return simulator.render(tables).astype(np.float64)


def correlations(rows: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = rows - rows.mean(axis=1, keepdims=True)
    y = y - y.mean()
    return np.asarray(rows @ y / np.maximum(np.linalg.norm(rows, axis=1) * np.linalg.norm(y), 1e-300))


def search(
    simulator: Simulator, phase: Phase, y: NDArray[np.float64], start: dict[str, float], names: list[str],
    width: float, rounds: int, seed: int, spread: float = 1.0,
) -> tuple[float, dict[str, float]]:  # fmt: skip
    """The best of random steps around the best so far, each parameter with a step that follows its success."""
    rng = np.random.default_rng(seed)
    best, centre = -1.0, dict(start)
    sigma = np.array([SPREAD[n] for n in names]) * spread
    for _ in range(rounds):
        steps = rng.standard_normal((MANY, len(names))) * sigma
        steps[0] = 0
        steps *= rng.random((MANY, len(names))) < 0.6
        rows = [centre | {n: centre[n] + s for n, s in zip(names, step, strict=True)} for step in steps]
        found = correlations(render(simulator, phase, rows, width), y)
        order = np.argsort(found)[::-1]
        if found[order[0]] > best:
            best = float(found[order[0]])
            centre = rows[int(order[0])]
        good = steps[order[: MANY // 6]] - (steps[order[0]] if found[order[0]] >= best else 0)
        sigma = 0.6 * sigma + 0.4 * np.maximum(good.std(axis=0), 1e-3 * sigma)
    return best, centre


def fit(case: Case) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        light = case.light[0]
        scan = pw.read(case.scan, wavelength=light) if isinstance(light, str | Radiation) else pw.read(case.scan)
        flat = SubtractBaseline().fit_transform(longest(scan))
        phase = TEXTBOOK[case.structure] if case.structure in TEXTBOOK else Phase.from_cif(DATA / case.structure)
    x, y = np.asarray(flat.axis, float), np.asarray(flat.intensity[0], float)
    fwhm = max(measured_width(x, y), 2 * float(np.median(np.diff(x))))
    geometry = "reflection" if case.set != "nist_srm_11bm" else "transmission"
    names = ["zero", "displacement", *free_of(phase), "width", "size", "microstrain", "b_extra"]
    answers = []
    for given in case.light:
        radiation = Radiation.named(given) if isinstance(given, str) else (given or scan.radiation)
        tool = instrument(radiation, geometry, fwhm)
        ranges = Ranges.none(expansion=(-0.02, 0.02), shear=(-1, 1))
        made = Simulator(phase, x, instrument=tool, ranges=ranges, threads=1)
        start = dict.fromkeys(names, 0.0)
        blurred = gaussian_filter1d(y, 2 * fwhm / float(np.median(np.diff(x))))
        _, start = search(made, phase, blurred, start | {"width": 1.3}, names[:-3], 1.0, ROUNDS // 2, 1)
        best, centre = search(made, phase, y, start | {"width": 0.0}, names, 1.0, ROUNDS, 2, 0.5)
        textured = (best, centre)
        for axis in range(int(made._compiled.n_axes[0])):
            again = centre | {"march": 0.0, "axis": axis}
            tried = search(made, phase, y, again, [*names, "march"], 1.0, ROUNDS // 2, 3, 0.3)
            textured = max(textured, tried, key=lambda t: t[0])
        drawn = render(made, phase, [textured[1]], 1.0)[0]
        march = float(np.exp(textured[1].get("march", 0.0)))
        called = given if isinstance(given, str) else f"{radiation.wavelength:.4f} {radiation.probe}"
        answers.append(Fit(best, textured[0], march, noise_bound(y), called, x, y, drawn))
    return max(answers, key=lambda a: a.textured)


def plot(case: Case, one: Fit, folder: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    scale = float(one.measured @ one.simulated / max(float(one.simulated @ one.simulated), 1e-300))
    figure, axes = plt.subplots(figsize=(14, 5), layout="constrained")
    axes.plot(one.x, one.measured, lw=0.7, label="measured")
    axes.plot(one.x, scale * one.simulated, lw=0.7, label="simulated")
    axes.set(title=f"{case.name}: r = {one.correlation:.3f}, {one.textured:.3f} with texture", xlabel="2 theta [deg]")
    axes.legend()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{case.name.replace('/', '_')}.png", dpi=80)
    plt.close(figure)


def line(case: Case, one: Fit) -> str:
    numbers = f"{one.correlation:.3f} | {one.textured:.3f} | {one.march:.2f} | {one.bound:.3f}"
    return f"| {case.set} | {case.name} | {one.light} | {numbers} |"


def main(words: list[str]) -> int:
    folder = Path(words[words.index("--plot") + 1]) if "--plot" in words else None
    wanted = [w for w in words if not w.startswith("--") and (folder is None or w != str(folder))]
    chosen = [c for c in cases() if not wanted or any(w in c.name for w in wanted)]
    print("| set | scan | radiation | r | r with texture | March r | noise allows |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    minerals: list[tuple[Case, Fit]] = []
    for case in chosen:
        try:
            one = fit(case)
        except pw.errors.PeakwiseError as problem:
            print(f"| {case.set} | {case.name} | refused: {problem} | | | | |", flush=True)
            continue
        if folder is not None:
            plot(case, one, folder)
        if case.set == "rruff_minerals_cif" and "--all" not in words and not wanted:
            minerals.append((case, replace(one, x=one.x[:0], measured=one.x[:0], simulated=one.x[:0])))
        else:
            print(line(case, one), flush=True)
    if minerals:
        for what in ("correlation", "textured"):
            values = np.array([getattr(f, what) for _, f in minerals])
            shares = ", ".join(f"{q}: {np.quantile(values, q / 100):.3f}" for q in (10, 25, 50, 75, 90))
            print(f"\n{len(values)} RRUFF minerals, quantiles [%] of {what}: {shares}")
        print("\nThe worst:\n")
        for case, one in sorted(minerals, key=lambda m: m[1].textured)[:WORST]:
            print(line(case, one))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
