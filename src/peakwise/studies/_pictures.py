"""Figures of studies: matplotlib where it is installed, and one clear error where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from peakwise.studies._study import Request

__all__ = ["figure_class", "save_figures"]


def figure_class() -> Any:
    """The class of matplotlib's figures, which need no window."""
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        why, do = "matplotlib is not installed", "Install it with pip install peakwise[figures]"
        raise MissingExtraError("cannot draw the study", why, do) from problem
    return Figure


def save_figures(figures: Mapping[str, Any], request: Request) -> Sequence[Path]:
    """Write the figures as PNG into the folder of the request."""
    request.folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, figure in figures.items():
        path = request.folder / f"{name}.png"
        figure.savefig(path, dpi=150)
        made.append(path)
    return made
