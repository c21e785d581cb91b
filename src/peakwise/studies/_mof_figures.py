"""Figures of the study of Wang et al."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.studies._pictures import figure_class

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.studies._study import Table

__all__ = ["draw_figures"]

_WIDE = (7.0, 4.2)  # inches: a page's width


def draw_figures(
    folder: Path,
    axis: NDArray[np.float64],
    calculated: NDArray[np.floating],
    augmented: NDArray[np.floating],
    measured: NDArray[np.floating],
    accuracy: Table,
    sizes: Table,
) -> list[Path]:
    """Draw the figures into a folder as PNG and return their paths."""
    drawn = figure_class()

    shown = drawn(figsize=_WIDE, layout="constrained")
    panel = shown.subplots()
    curves = {"held-out experiment": measured, "noise shuffled in": augmented, "calculated": calculated}
    for i, (name, curve) in enumerate(curves.items()):
        panel.plot(axis, curve / max(float(curve.max()), 1e-30) + 1.1 * i, linewidth=0.7, label=name)
    panel.set(xlabel="2θ [deg]", ylabel="intensity, share of the maximum", yticks=[])
    panel.legend(loc="upper right", reverse=True)

    bars = drawn(figsize=_WIDE, layout="constrained")
    panel = bars.subplots()
    names = [str(row[0]) for row in accuracy.rows]
    for i, row in enumerate(accuracy.rows):
        panel.bar(i + 0.15 * (np.arange(5) - 2), [100 * float(x) for x in row[1:6]], 0.14, color=_shades(5))
    published = [100 * float(x) for x in accuracy.published[0][1:6]]
    panel.plot(0.15 * (np.arange(5) - 2), published, "k_", markersize=8, label="CNN, published")
    panel.set_xticks(range(len(names)), names, rotation=30, ha="right")
    panel.set(ylabel="top-1 to top-5 accuracy [%]", ylim=(0, 105), title=accuracy.title)
    panel.legend()

    lines = drawn(figsize=_WIDE, layout="constrained")
    panel = lines.subplots()
    x = [int(name) for name in sizes.columns[1:]]
    for row in sizes.rows:
        panel.plot(x, [100 * float(v) for v in row[1:]], "o-", label=str(row[0]))
    told = [(n, 100 * float(v)) for n, v in zip(x, sizes.published[0][1:], strict=True) if v != ""]
    if told:
        panel.plot(*zip(*told, strict=True), "k_", markersize=14, label="CNN, published")
    panel.set(xlabel="phases in the library", ylabel="top-5 accuracy [%]", ylim=(0, 105))
    panel.legend(fontsize="small")

    made = {"mof_patterns.png": shown, "mof_accuracy.png": bars, "mof_sizes.png": lines}
    for name, figure in made.items():
        figure.savefig(folder / name, dpi=150)
    return [folder / name for name in made]


def _shades(n: int) -> list[tuple[float, float, float]]:
    """From dark to light blue."""
    return [(0.1 + 0.7 * i / n, 0.3 + 0.55 * i / n, 0.6 + 0.35 * i / n) for i in range(n)]
