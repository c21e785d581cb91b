"""Eight scans that come with the package, so that everything can be tried at once: simulated, not measured.

Cells, profiles, texture, displacement of the sample, background and counting noise are drawn for a laboratory
diffractometer with copper radiation; the scans differ in how long they were counted. Seven show phases of the embedded
library `TEXTBOOK`, the eighth a phase that is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.crystal import TEXTBOOK, Phase
from peakwise.datasets._dataset import Dataset
from peakwise.patterns import Patterns
from peakwise.simulate import FRAME, SLOT, Range, Ranges, Simulator

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEMO_SCANS", "make_demo_scans"]

_GRID = (10.0, 90.0, 4001)  # two_theta [deg]: what a laboratory measures in some ten minutes

# Potassium dihydrogen phosphate at 293 K: Nelmes, Meyer and Tibballs, J. Phys. C 15 (1982) 59,
# doi:10.1088/0022-3719/15/1/005. The hydrogen atoms, which hardly scatter X-rays, are left out.
_UNKNOWN = ("KH2PO4", "I-42d", (7.4521, 7.4521, 6.974, 90.0, 90.0, 90.0))
_SITES = (("K", (0, 0, 0.5), 1.0, 1.7), ("P", (0, 0, 0), 1.0, 1.1), ("O", (0.1484, 0.0826, 0.1259), 1.0, 1.7))
# Training varies cells and texture as far as samples of all kinds do; these are samples as most are: cells within some
# tenths of a per cent of the book's, a little texture, the halo of a glass holder in some, no foreign lines.
_RANGES = Ranges(
    expansion=(-0.002, 0.002), distortion=(-0.001, 0.001), shear=(-0.05, 0.05), size=(30.0, 200.0),
    microstrain=(0.0, 0.0015), march=(0.8, 1.25), second_march=None, background=(0.005, 0.08),
    hump=Range(0.01, 0.05, share=0.3), hump_q=(1.4, 1.8), fluorescence=Range(0.01, 0.1, share=0.2), impurity=None,
    spike=None,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scan:
    """What is in a scan: phases with their weight fractions, and counts at the strongest peak."""

    name: str
    phases: dict[str, float]
    counts: float


_SCANS = (
    _Scan("quartz", {"SiO2-quartz": 1.0}, 9000),
    _Scan("hematite-fast", {"Fe2O3-alpha": 1.0}, 400),
    _Scan("ceria", {"CeO2": 1.0}, 15000),
    _Scan("pigment", {"TiO2-rutile": 0.7, "TiO2-anatase": 0.3}, 6000),
    _Scan("limestone", {"CaCO3-calcite": 0.8, "SiO2-quartz": 0.2}, 5000),
    _Scan("ceramic", {"Al2O3-alpha": 0.5, "ZrO2-monoclinic": 0.3, "MgAl2O4": 0.2}, 12000),
    _Scan("salts", {"NaCl": 0.45, "KCl": 0.35, "CaCO3-calcite": 0.2}, 8000),
    _Scan("not-in-the-library", {_UNKNOWN[0]: 1.0}, 7000),
)


def make_demo_scans(random_state: int = 0) -> Patterns:
    """The scans, with their phases and weight fractions in `meta`.

    Parameters
    ----------
    random_state : int
        Another seed gives other samples of the same phases, mounted and measured anew.

    Examples
    --------
    >>> scans = make_demo_scans()
    >>> scans.names.tolist()[3], scans.meta["phases"].tolist()[3]
    ('pigment', 'TiO2-rutile;TiO2-anatase')
    """
    rows = [_measure(one, place, random_state) for place, one in enumerate(_SCANS)]
    return Patterns(
        np.linspace(*_GRID),
        np.concatenate(rows),
        "two_theta",
        wavelength="CuKa",
        names=[one.name for one in _SCANS],
        meta={
            "phases": [";".join(one.phases) for one in _SCANS],
            "weight_fractions": [";".join(f"{w:g}" for w in one.phases.values()) for one in _SCANS],
            "origin": ["simulated"] * len(_SCANS),
        },
        unit="counts",
    )


def _measure(scan: _Scan, place: int, seed: int) -> NDArray[np.float32]:
    """One scan (1, m): each phase as it is drawn alone, the frame of the first."""
    phases = [_phase(name) for name in scan.phases]
    simulator = _simulator(phases, seed)
    tables = simulator.blank(1, n_slots=len(phases), first=place)
    for slot, phase in enumerate(phases):
        drawn = _simulator([phase], seed + slot).draw_tables(1, first=place)
        tables.slots[0, slot] = drawn.slots[0, 0]
        if slot == 0:
            tables.frames[0] = drawn.frames[0]
    tables.slots[0, :, SLOT["phase"]] = np.arange(len(phases))
    tables.slots[0, :, SLOT["weight"]] = list(scan.phases.values())
    tables.frames[0, FRAME["counts"]] = scan.counts
    return simulator.render(tables, scale="counts")


def _simulator(phases: list[Phase], seed: int) -> Simulator:
    return Simulator(phases, _GRID, radiation="CuKa", ranges=_RANGES, random_state=seed, threads=1)


def _phase(name: str) -> Phase:
    if name == _UNKNOWN[0]:
        return Phase.from_parameters(*_UNKNOWN, _SITES)
    return TEXTBOOK[name]


DEMO_SCANS = Dataset(
    name="demo-scans",
    title="made: eight scans of minerals, oxides and salts to try peakwise with",
    what="single phases, mixtures of two and three, and a phase that the embedded library does not have; 4001 points, "
    "copper radiation, counts. Simulated with texture, misalignment, background and noise: not measured.",
    kind="generated",
    licence="Apache-2.0, like peakwise",
    citation="structures: peakwise.crystal.TEXTBOOK, with a reference each; KH2PO4: doi:10.1088/0022-3719/15/1/005",
    url="https://peakwise.readthedocs.io",
    read=make_demo_scans,
)
