"""Answers to report on, made of Gaussian peaks: every number of them is known."""

from __future__ import annotations

import numpy as np

WAVELENGTH = 1.5406
CELLS = {
    "anatase": ("TiO2", "I41/amd", [3.7845, 3.7845, 9.5143, 90, 90, 90]),
    "rutile": ("TiO2", "P42/mnm", [4.5937, 4.5937, 2.9587, 90, 90, 90]),
    "quartz_alpha": ("SiO2", "P3121", [4.9134, 4.9134, 5.4052, 90, 90, 120]),
    "corundum": ("Al2O3", "R-3c", [4.7587, 4.7587, 12.9929, 90, 90, 120]),
}
VERSIONS = {
    "versions": {"peakwise": "0.1.0", "numpy": "2.4.6", "torch": "2.13.0", "gemmi": "0.7.5", "python": "3.11.2"}
}


def lines(phase):
    """Positions [deg], heights and indices of the first reflections, without systematic absences."""
    a, _, c = CELLS[phase][2][:3]
    found = {}
    hexagonal = CELLS[phase][2][5] == 120
    for h in range(4):
        for k in range(h + 1):
            for index in range(5):
                plane = 4 / 3 * (h * h + h * k + k * k) if hexagonal else h * h + k * k
                inverse = plane / a**2 + index**2 / c**2
                if inverse == 0 or (h + k + index) % 2:
                    continue
                sine = WAVELENGTH * np.sqrt(inverse) / 2
                two_theta = 2 * np.degrees(np.arcsin(sine)) if sine < 1 else 999
                if 15 < two_theta < 90:
                    found[round(two_theta, 6)] = f"{h} {k} {index}"
    places = np.array(sorted(found))
    rng = np.random.default_rng(sum(map(ord, phase)))
    heights = np.exp(-((places - 28) ** 2) / 1500) * rng.uniform(0.08, 1.0, places.size)
    return places, heights, [found[p] for p in places]


def gaussians(x, places, heights, width=0.22):
    return sum(h * np.exp(-4 * np.log(2) * ((x - p) / width) ** 2) for p, h in zip(places, heights, strict=True))


def strained(cell):
    """The cell 0.9 per mille longer along a and b, 0.4 per mille shorter along c."""
    return [cell[0] * 1.0009, cell[1] * 1.0009, cell[2] * 0.9996, *cell[3:]]


def scan(weights, *, name="sample.xy", n=3501, seed=0, strays=(), probability=0.97, none=0.01, top=9000.0, **more):
    """A scan of phases with these weight fractions; `strays` are (position, height) that no phase explains."""
    rng = np.random.default_rng(seed)
    x = np.round(np.linspace(15, 85, n), 4)
    background = 120 + 500 * np.exp(-(x - 15) / 18)
    parts, ticks, hkl = {}, {}, {}
    for phase, weight in weights.items():
        places, heights, indices = lines(phase)
        parts[phase] = (weight * top * gaussians(x, places, heights)).round(3).tolist()
        ticks[phase], hkl[phase] = places.tolist(), indices
    calculated = background + sum(np.array(p) for p in parts.values()) if parts else background
    true = calculated + sum(h * top * gaussians(x, [p], [1.0]) for p, h in strays)
    observed = rng.poisson(true).astype(float)
    rwp = float(np.sqrt(((observed - calculated) ** 2 / true).sum() / (observed**2 / true).sum()))
    named = {p: {"phase": p, "formula": CELLS[p][0], "space_group": CELLS[p][1]} for p in CELLS}
    phases = [
        {
            **named[phase], "probability": probability, "weight_fraction": weight, "weight_fraction_error": 0.02,
            "scale": weight * top, "cell": strained(CELLS[phase][2]), "cell_start": CELLS[phase][2],
        }
        for phase, weight in weights.items()
    ]  # fmt: skip
    candidates = [{**named[p], "probability": probability, "score": 0.9} for p in weights]
    rest = [p for p in CELLS if p not in weights]
    candidates += [{**named[p], "probability": 0.08 / (i + 1) ** 2, "score": 0.4 / (i + 1)} for i, p in enumerate(rest)]
    unexplained = [
        {"axis": p, "intensity": h * top, "d": WAVELENGTH / 2 / float(np.sin(np.radians(p / 2)))} for p, h in strays
    ]
    return {
        "scan": name, "phases": phases, "candidates": candidates, "none_of_these": none,
        "fit": {"rwp": rwp, "unexplained": unexplained, "zero_shift": 0.0123, "displacement": -0.021}, "warnings": [],
        "curves": {
            "axis": x.tolist(), "kind": "two_theta", "unit": "deg",
            "wavelength": WAVELENGTH, "intensity_unit": "counts",
            "observed": observed.tolist(), "background": background.round(3).tolist(),
            "calculated": calculated.round(3).tolist(), "phases": parts, "ticks": ticks, "hkl": hkl,
        },
        **more,
    }  # fmt: skip


def document(*scans, **more):
    return {
        "peakwise": "0.1.0", "command": "identify", "scans": list(scans), "warnings": [], "failed": [], "seconds": 1.83,
        "settings": {"max_phases": 3, "effort": "normal"},
        "provenance": {
            **VERSIONS, "settings": {"max_phases": 3, "effort": "normal", "wavelength": WAVELENGTH},
            "library": {"n_phases": 250, "sha256": "3f0c9d" + "a1" * 29}, "model": {"name": "cnn", "sha256": "77" * 32},
            "seed": 0, "command_line": "peakwise identify 'data/my scans' --phases cifs --report out.html",
        },
        **more,
    }  # fmt: skip


def relevance(one):
    """An explanation that points at the strongest peaks."""
    x, calculated = (np.array(one["curves"][key]) for key in ("axis", "calculated"))
    weight = np.clip(calculated - np.array(one["curves"]["background"]), 0, None)
    return {"method": "Grad-CAM", "axis": x.tolist(), "relevance": (weight / weight.max() - 0.02).round(4).tolist()}
