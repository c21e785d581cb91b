"""A pattern coloured by what counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError
from peakwise.explain._options import number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["draw_explanation"]

_WHAT = "cannot draw the explanation"
# Vermilion for, blue against: the pair of Okabe and Ito (https://jfly.uni-koeln.de/color/) that all eyes tell apart.
# The middle is a grey that shows on white and on black alike.
_AGAINST, _NOTHING, _FOR = "#0072b2", "#9a9a9a", "#d55e00"
_THIN, _THICK = 0.9, 2.6
# Part of the height of the axes that the strip takes, and the gap above it.
_STRIP, _GAP = 0.07, 0.03
# The strongest point in a thousand sets the scale: one spike must not fade all the rest.
_TOP = 0.999


def draw_explanation(
    ax: Any,
    axis: ArrayLike,
    intensity: ArrayLike,
    relevance: ArrayLike,
    *,
    scale: float | None = None,
    has_strip: bool = True,
) -> Any:
    """Draw one pattern on matplotlib axes, coloured by the relevance of its points.

    What speaks for the answer is vermilion and thick, what speaks against it blue and thick, the rest grey and thin: it
    reads without colours too. A strip along the bottom repeats the colours where the pattern itself is too steep or too
    crowded to show them.

    Parameters
    ----------
    ax : matplotlib Axes
    axis, intensity, relevance : array-like of shape (n_points,)
        One row of ``Explanation.relevance``, and the pattern on the grid that the model saw.
    scale : float, optional
        The relevance that has the full colour. None: the 99.9 % quantile of its absolute value. Give the same number to
        compare panels.
    has_strip : bool
        Whether to draw the strip.

    Returns
    -------
    matplotlib LineCollection
        To be given to ``figure.colorbar``.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from matplotlib.figure import Figure
    >>> import numpy as np
    >>> two_theta = np.linspace(10, 60, 500)
    >>> peak = np.exp(-(((two_theta - 30) / 0.3) ** 2))
    >>> ax = Figure().add_subplot()
    >>> line = draw_explanation(ax, two_theta, peak, peak)
    >>> line.get_clim()[1] > 0.9
    True
    """
    try:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError as error:  # pragma: no cover - matplotlib is there when tests run
        do = "Run: pip install 'peakwise[figures]'"
        raise MissingExtraError(_WHAT, "pictures need matplotlib", do) from error
    x, y, r = _rows(axis, intensity, relevance)
    top = _scale(r) if scale is None else number(_WHAT, "scale", scale, (0, np.inf), "Leave it out")
    colours = LinearSegmentedColormap.from_list("explanation", [_AGAINST, _NOTHING, _FOR])

    points = np.column_stack([x, y])
    middles = (points[1:] + points[:-1]) / 2
    # One piece a point, from middle to middle through it, so that a point keeps its own colour.
    pieces = np.stack([np.vstack([points[:1], middles]), points, np.vstack([middles, points[-1:]])], axis=1)
    strength = np.clip(np.abs(r) / top, 0, 1)
    # What counts lies on top of what does not.
    order = np.argsort(strength, kind="stable")
    line = LineCollection(
        list(pieces[order]),
        cmap=colours,
        linewidths=_THIN + (_THICK - _THIN) * np.sqrt(strength[order]),
        capstyle="round",
        joinstyle="round",
    )
    line.set_array(r[order])
    line.set_clim(-top, top)
    ax.add_collection(line)

    low, high = float(y.min()), float(y.max())
    height = (high - low) or 1.0
    foot = low - (0.02 + (_STRIP + _GAP if has_strip else 0.0)) * height
    ax.set_xlim(float(x[0]), float(x[-1]))
    ax.set_ylim(foot, high + 0.05 * height)
    if has_strip:
        edges = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
        bottom, above = foot, foot + _STRIP * height
        ax.pcolormesh(edges, [bottom, above], r[None], cmap=colours, vmin=-top, vmax=top, rasterized=True, zorder=0)
    return line


def _rows(axis: ArrayLike, intensity: ArrayLike, relevance: ArrayLike) -> list[NDArray[np.float64]]:
    rows = [np.asarray(row, dtype=np.float64) for row in (axis, intensity, relevance)]
    shapes = [row.shape for row in rows]
    if rows[0].ndim != 1 or len(set(shapes)) != 1 or rows[0].size < 2:
        why = f"axis, intensity and relevance must be rows of one length, got {', '.join(map(str, shapes))}"
        raise OptionError(_WHAT, why, "Give one row of each: relevance[0], not relevance")
    if not np.isfinite(rows).all():
        raise OptionError(_WHAT, "all numbers must be finite, got NaN or infinite ones", "Draw the part without gaps")
    step = np.diff(rows[0])
    if not (step > 0).all():
        raise OptionError(_WHAT, "axis must increase from point to point, and does not", "Sort the pattern first")
    return rows


def _scale(relevance: NDArray[np.float64]) -> float:
    """The relevance of full colour; 1 where nothing counted, so that all is grey."""
    size = np.abs(relevance)
    return float(np.quantile(size, _TOP)) or float(size.max()) or 1.0
