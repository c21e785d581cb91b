"""Patterns of the studies of latent maps: structures from published cells, and what varies as in a refinement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.crystal import Phase
from peakwise.patterns import Patterns
from peakwise.simulate import Range, Ranges, Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["GRID", "KNOWN", "UNKNOWN", "made_patterns", "mixed", "scaled", "sigma_phase"]

GRID = (20.0, 90.0, 2048)

# Structure types of the three ICSD entries of the paper; the entries themselves are not open. Cells of the elements.
KNOWN: dict[str, Phase] = {
    "Fm-3m": Phase.from_parameters("Fm-3m", "F m -3 m", (3.544, 3.544, 3.544, 90, 90, 90), [("Co", (0, 0, 0))]),
    "Im-3m": Phase.from_parameters("Im-3m", "I m -3 m", (2.964, 2.964, 2.964, 90, 90, 90), [("Cr", (0, 0, 0))]),
    "P6_3/mmc": Phase.from_parameters(
        "P6_3/mmc", "P 63/m m c", (2.507, 2.507, 4.070, 90, 90, 120), [("Co", (1 / 3, 2 / 3, 1 / 4))]
    ),
}


def sigma_phase(name: str, first: str, second: str, a: float, c: float) -> Phase:
    """A sigma phase of two elements: five sites, the coordinates of Fe-Cr, H. L. Yakel, Acta Cryst. B39, 20 (1983).

    Sites of twelve and of fourteen to fifteen neighbours take one element and the other; the rest is shared.
    """
    places = [
        ((0.0, 0.0, 0.0), 1.0), ((0.3986, 0.3986, 0.0), 0.0), ((0.4635, 0.1312, 0.0), 0.5),
        ((0.7399, 0.0661, 0.0), 1.0), ((0.1827, 0.1827, 0.2524), 0.3),
    ]  # fmt: skip
    sites = []
    for place, share in places:
        sites += [(kind, place, part) for kind, part in ((first, share), (second, 1 - share)) if part > 0]
    return Phase.from_parameters(name, "P 42/m n m", (a, a, c, 90, 90, 90), sites)


# The lines that the paper names, (330) at 43.6 and (411) at 47.03 degrees, give this cell.
UNKNOWN = sigma_phase("P4_2/mnm", "Co", "Cr", 8.80, 4.53)

# What a Rietveld refinement varies, for the films of the paper: cell, size, strain, texture, displacement, background.
_VARIED = Ranges.none(
    expansion=(-0.01, 0.01), distortion=(-0.004, 0.004), size=Range(5.0, 60.0, "log"), microstrain=(0.0, 0.005),
    march=Range(0.3, 1.6, "log", 0.8), b_extra=(0.0, 1.0), displacement=(-0.05, 0.05),
    background=Range(0.003, 0.03, "log"), shape=(-0.4, 0.4), counts=Range(3000.0, 30_000.0, "log"),
)  # fmt: skip


def made_patterns(
    phases: Sequence[Phase], n: int, *, random_state: int, grid: tuple[float, float, int] = GRID, **instrument: Any
) -> Patterns:
    """`n` patterns of each phase, one after the other in blocks, scaled as the network sees them.

    What stands in `instrument` (wavelength, zero, counts, ...) is changed for all patterns: the controls.
    """
    ranges = {**{name: _VARIED[name] for name in _VARIED}, **{k: v for k, v in instrument.items() if k != "radiation"}}
    light = instrument.get("radiation", "CuKa")
    parts = [
        Simulator([phase], grid, radiation=light, ranges=Ranges(**ranges), random_state=random_state + number).draw(n)
        for number, phase in enumerate(phases)
    ]
    rows = np.concatenate([part.intensity for part in parts])
    names = np.repeat([phase.id for phase in phases], n)
    return Patterns(
        parts[0].axis, scaled(rows), "two_theta", wavelength=parts[0].radiation, meta={"phases": names}
    )  # fmt: skip


def scaled(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows without their least value, the largest 1: within 0 and 1.

    >>> scaled(np.array([[1.0, 3.0, 2.0]])).tolist()
    [[0.0, 1.0, 0.5]]
    """
    rows = rows - rows.min(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(rows.max(axis=1, keepdims=True), 1e-12), dtype=np.float32)


def mixed(a: NDArray[Any], b: NDArray[Any], share: float) -> NDArray[np.float32]:
    """Binary mixtures as in the paper: x A + (1 - x) B, scaled again."""
    return scaled(share * a + (1 - share) * b)
