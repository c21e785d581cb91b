"""The augmentations that are tried in pairs, and a picture of what each pair gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.studies._pictures import figure_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

__all__ = ["NAMES", "matrix_figure"]

# As the thesis has them (section 7.2.5): 80 % of the pattern; noise of up to 10 % of the height; scales of 10 %.
NAMES: dict[str, dict[str, Any]] = {
    "magnitude": {},
    "warp": {},
    "slice": {"share": 0.8},
    "jitter": {"sigma": 0.1},
    "scaling": {},
}


def matrix_figure(values: Mapping[tuple[str, str], float]) -> Figure:
    """Draw a number for each pair: rows act first, columns second."""
    drawn = figure_class()
    names = list(dict.fromkeys(one for one, _ in values))
    table = np.array([[values[one, two] for two in names] for one in names])
    figure: Figure = drawn(figsize=(1.6 + 0.8 * len(names), 1.2 + 0.7 * len(names)), layout="constrained")
    panel = figure.subplots()
    picture = panel.imshow(table, cmap="cividis")
    panel.set_xticks(range(len(names)), names, fontsize=7)
    panel.set_yticks(range(len(names)), names, fontsize=7)
    panel.set(xlabel="second", ylabel="first")
    middle = (table.min() + table.max()) / 2
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            panel.text(j, i, f"{value:.1f}", ha="center", va="center", color="black" if value > middle else "white")
    figure.colorbar(picture, ax=panel, label="accuracy [%]")
    return figure
