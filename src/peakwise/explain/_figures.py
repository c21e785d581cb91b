"""Figures of what a set or a network shows: contributions, attention, weights, loadings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError, one_line
from peakwise.explain._weights import layer_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from peakwise.explain._attention import Attention
    from peakwise.explain._contribution import ContributionMap
    from peakwise.explain._pca_parts import PcaParts

__all__ = ["attention_figure", "contribution_figure", "layer_weights_figure", "pca_figure"]

_WHAT = "cannot draw the figure"
_WIDE = 6.7  # [in]: 170 mm, the width of a page
_SIZE, _SMALL = 8.0, 7.0  # [pt]
# Okabe and Ito's colours that keep apart for all kinds of colour vision, https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B5518F", "#56B4E9", "#E69F00", "#7559A6", "#7A6F55")
_TOP = 0.995  # quantile that has the full colour
_MOST_ROWS = 200  # of a weight matrix; of more every few are drawn


def contribution_figure(
    contributions: ContributionMap, axis: ArrayLike, *, names: Sequence[str] | None = None, label: str = ""
) -> Figure:
    """Draw mean patterns, and under them how much each point counted for each class.

    Parameters
    ----------
    contributions : ContributionMap
    axis : array-like of shape (n_points,)
    names : list of str, optional
        Of all classes; by default their numbers.
    label : str
        Of the axis, for example "2θ [deg]".

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.explain import contribution_map
    >>> found = contribution_map(lambda x: x[:, :3], np.eye(40)[:6], method="occlusion")
    >>> len(contribution_figure(found, np.arange(40)).axes)
    3
    """
    x = np.asarray(axis, dtype=np.float64)
    k, m = contributions.contributions.shape
    if x.shape != (m,):
        raise OptionError(_WHAT, f"axis must have {m} points, got shape {x.shape}", "Give that of the patterns")
    named = [_name(names, int(t)) for t in contributions.targets]
    figure = _figure(_WIDE, 2.0 + 0.28 * k)
    top, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2.0, 0.28 * k + 0.1]})
    for row, (pattern, name) in enumerate(zip(contributions.patterns, named, strict=True)):
        top.plot(x, pattern, color=_COLOURS[row % 8], linewidth=0.9, label=f"{name} ({contributions.counts[row]})")
    top.set_ylabel("mean pattern", fontsize=_SIZE)
    top.legend(frameon=False, fontsize=_SMALL, ncols=3)
    # Each class on its own scale: one that a network is sure of everywhere must not fade the others.
    size = np.abs(contributions.mean)
    largest = np.maximum(np.quantile(size, _TOP, axis=1), 1e-3 * size.max(axis=1))
    mean = np.divide(contributions.mean, largest[:, None], out=np.zeros_like(size), where=largest[:, None] > 0)
    limit = 1.0
    colours = "RdBu_r" if contributions.signed else "magma_r"
    edges = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
    low = -limit if contributions.signed else 0.0
    picture = below.pcolormesh(edges, np.arange(k + 1), mean, cmap=colours, vmin=low, vmax=limit, rasterized=True)
    below.set_yticks(np.arange(k) + 0.5, named, fontsize=_SMALL)
    below.invert_yaxis()
    below.set_xlabel(label, fontsize=_SIZE)
    bar = figure.colorbar(picture, ax=[top, below], fraction=0.03, pad=0.01)
    bar.set_label(f"{contributions.method.replace('_', ' ')}, relative", fontsize=_SMALL)
    bar.ax.tick_params(labelsize=_SMALL)
    for axes in (top, below):
        axes.tick_params(labelsize=_SMALL, width=0.6)
    return figure


def attention_figure(found: Attention, *, heads: bool = False) -> Figure:
    """Draw the attention matrices: rows take from columns.

    Parameters
    ----------
    found : Attention
    heads : bool
        Whether each head has its own panel; otherwise their mean is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.explain import Attention
    >>> figure = attention_figure(Attention({"channel": np.full((1, 8, 8), 1 / 8)}, 5))
    >>> figure.axes[0].get_title()
    'channel'
    """
    panels = [
        (f"{name} {h + 1}" if heads and len(matrices) > 1 else name, matrix)
        for name, matrices in found.matrices.items()
        for h, matrix in enumerate(matrices if heads else [matrices.mean(axis=0)])
    ]
    if not panels:
        raise OptionError(_WHAT, "the attention must hold a matrix, got none", "Give that of a network")
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure = _figure(min(_WIDE, 2.4 * columns), 2.1 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, matrix) in zip(grid, panels, strict=False):
        picture = axes.imshow(matrix, cmap="magma", vmin=0, vmax=float(np.quantile(matrix, 0.999)), aspect="auto")
        axes.set_title(one_line(title, 40), fontsize=_SIZE)
        axes.tick_params(labelsize=_SMALL, width=0.6)
        figure.colorbar(picture, ax=axes, fraction=0.046).ax.tick_params(labelsize=_SMALL)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


def layer_weights_figure(network: Any, *, layers: Sequence[str] | None = None, axis: ArrayLike | None = None) -> Figure:
    """Draw the weights of a network: a panel a layer, outputs down, what they see across.

    Parameters
    ----------
    network : torch module
    layers : list of str, optional
        Names of layers; by default the first six that have a matrix.
    axis : array-like of shape (n_points,), optional
        Of the patterns: a layer that sees the pattern itself is drawn along it.

    Examples
    --------
    >>> from torch import nn
    >>> figure = layer_weights_figure(nn.Sequential(nn.Linear(500, 8), nn.ReLU(), nn.Linear(8, 2)))
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['0: Linear, 8 x 500', '2: Linear, 2 x 8']
    """
    found = {layer.name: layer for layer in layer_weights(network)}
    chosen = list(found)[:6] if layers is None else list(layers)
    unknown = [name for name in chosen if name not in found]
    if unknown or not chosen:
        why = f"layers must be among {', '.join(found) or 'none'}, got {', '.join(map(str, unknown)) or 'none'}"
        raise OptionError(_WHAT, why, "Choose some of them")
    columns = min(len(chosen), 2)
    rows = -(-len(chosen) // columns)
    figure = _figure(_WIDE, 1.7 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    x = None if axis is None else np.asarray(axis, dtype=np.float64)
    for axes, name in zip(grid, chosen, strict=False):
        layer = found[name]
        matrix = layer.matrix[:: max(1, -(-len(layer.matrix) // _MOST_ROWS))]
        limit = float(np.quantile(np.abs(matrix), _TOP)) or 1.0
        on_axis = x is not None and matrix.shape[1] == x.size
        place = (float(x[0]), float(x[-1]), len(layer.matrix), 0.0) if on_axis and x is not None else None
        picture = axes.imshow(
            matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", extent=place, interpolation="none"
        )
        shape = " x ".join(map(str, layer.values.shape))
        axes.set_title(f"{one_line(name, 40)}: {layer.kind}, {shape}", fontsize=_SMALL)
        axes.tick_params(labelsize=_SMALL, width=0.6)
        figure.colorbar(picture, ax=axes, fraction=0.046).ax.tick_params(labelsize=_SMALL)
    for axes in grid[len(chosen) :]:
        axes.set_axis_off()
    return figure


def pca_figure(parts: PcaParts, axis: ArrayLike, *, label: str = "", n_components: int = 3) -> Figure:
    """Draw the mean, the loadings along the axis, and the scores along the series.

    Parameters
    ----------
    parts : PcaParts
    axis : array-like of shape (n_points,)
    label : str
        Of the axis.
    n_components : int
        How many of them.

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.explain import pca_parts
    >>> parts = pca_parts(np.random.default_rng(0).normal(size=(20, 30)))
    >>> len(pca_figure(parts, np.arange(30), n_components=2).axes)
    4
    """
    x = np.asarray(axis, dtype=np.float64)
    if x.shape != parts.mean.shape:
        why = f"axis must have {parts.mean.size} points, got shape {x.shape}"
        raise OptionError(_WHAT, why, "Give that of the patterns")
    k = min(max(int(n_components), 1), len(parts.variance))
    figure = _figure(_WIDE, 1.25 * k + 0.4)
    grid = figure.subplots(k, 2, squeeze=False, width_ratios=[2.2, 1], sharex="col")
    for i in range(k):
        left, right = grid[i]
        scale = float(np.abs(parts.loadings[i]).max()) / (float(np.ptp(parts.mean)) or 1.0)
        left.fill_between(x, 0, (parts.mean - parts.mean.min()) * scale, color="#d8dce1", linewidth=0)
        left.plot(x, parts.loadings[i], color=_COLOURS[i % 8], linewidth=0.9)
        left.axhline(0, color="#5a636e", linewidth=0.5)
        left.set_ylabel(f"PC {i + 1}\n{100 * parts.explained[i]:.3g} %", fontsize=_SIZE)
        right.plot(np.arange(1, len(parts.scores) + 1), parts.scores[:, i], ".", color=_COLOURS[i % 8], markersize=2.5)
        right.axhline(0, color="#5a636e", linewidth=0.5)
        for axes in (left, right):
            axes.tick_params(labelsize=_SMALL, width=0.6)
    grid[0, 0].set_title("loadings; grey: the mean pattern", fontsize=_SIZE)
    grid[0, 1].set_title("scores", fontsize=_SIZE)
    grid[-1, 0].set_xlabel(label, fontsize=_SIZE)
    grid[-1, 1].set_xlabel("pattern", fontsize=_SIZE)
    return figure


def _name(names: Sequence[str] | None, target: int) -> str:
    if target < 0:
        return "score"
    return one_line(names[target], 40) if names is not None and target < len(names) else f"class {target}"


def _figure(wide: float, high: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:  # pragma: no cover - matplotlib is there when tests run
        do = "Run: pip install 'peakwise[figures]'"
        raise MissingExtraError(_WHAT, "pictures need matplotlib", do) from error
    return Figure(figsize=(wide, high), layout="constrained")
