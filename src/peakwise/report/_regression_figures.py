"""Figures of descriptors for papers: answers against truth, residuals, and charts of many trainings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError, one_line
from peakwise.report._regression import check_chart, check_descriptors
from peakwise.report._regression_verdict import column_of, scores_of
from peakwise.report._training_figures import COLOURS, SIZE, SMALL, empty_figure, literal, millimetres
from peakwise.report._words import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from peakwise.report._regression import Chart, DescriptorDocument

__all__ = ["chart_figure", "parity_figure", "residual_figure"]

_MM = 25.4
_MARKERS = "os^DvP*X"
_GREY = "#8b95a1"


def parity_figure(
    document: DescriptorDocument, targets: Sequence[str] | None = None, *, width: str | float = "double"
) -> Figure:
    r"""Draw answers against truth, a panel for each descriptor.

    Parameters
    ----------
    document : DescriptorDocument
        With the truth of some scans.
    targets : list of str, optional
        Which descriptors; by default all whose truth is known.
    width : "single", "double" or float
        Of a column (85 mm), of a page (170 mm), or in mm.

    Returns
    -------
    matplotlib.figure.Figure
        Scans outside of what was learned from are open. R², RMSE and how many intervals hold stand in each panel.

    Examples
    --------
    >>> rows = [{"scan": str(k), "values": {"fcc": k / 9 + 0.01}, "truth": {"fcc": k / 9}} for k in range(10)]
    >>> figure = parity_figure({"command": "regress", "targets": ["fcc"], "scans": rows})
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['R² 0.999\nRMSE 0.01']
    """
    whole = check_descriptors(document)
    found = scores_of(whole)
    names = _chosen(found, targets)
    figure, panels = _grid(len(names), width)
    units = whole.get("units") or {}
    outside = np.array([s.get("in_domain") is False for s in whole["scans"]], dtype=bool)
    for axes, name in zip(panels, names, strict=True):
        truth, told, low, high = (column_of(whole, key, name) for key in ("truth", "values", "low", "high"))
        ends = [np.nanmin(np.r_[truth, told]), np.nanmax(np.r_[truth, told])]
        _bars(axes, truth, told, low, high)
        axes.plot(ends, ends, color="#15191e", linewidth=0.7, zorder=1)
        _points(axes, truth, told, outside)
        score = found[name]
        said = [f"R² {score.r2:.3f}".replace("-", "−")] if math.isfinite(score.r2) else []
        said += [f"RMSE {significant(score.rmse, 3)}"]
        said += [] if score.coverage is None else [f"{100 * score.coverage:.0f} % held"]
        axes.text(0.04, 0.96, "\n".join(said), transform=axes.transAxes, va="top", fontsize=SMALL - 0.5)
        axes.set_title(_titled(name, units), fontsize=SMALL)
        axes.set_xlabel("true", fontsize=SMALL)
    for axes in panels[:: _columns(len(names), width)]:
        axes.set_ylabel("read off the scan", fontsize=SMALL)
    return figure


def residual_figure(
    document: DescriptorDocument, target: str, against: Sequence[str] | None = None, *, width: str | float = "double"
) -> Figure:
    """Draw answers minus truth of one descriptor against the truth of this one and of the others.

    Parameters
    ----------
    document : DescriptorDocument
        With the truth of some scans.
    target : str
        The descriptor whose residuals are drawn.
    against : list of str, optional
        Descriptors along the horizontal axes; by default all whose truth is known.
    width : "single", "double" or float

    Examples
    --------
    >>> rows = [{"scan": str(k), "values": {"a": k + 0.1, "b": k}, "truth": {"a": k, "b": k * k}} for k in range(5)]
    >>> figure = residual_figure({"command": "regress", "targets": ["a", "b"], "scans": rows}, "a")
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['a', 'b']
    """
    whole = check_descriptors(document)
    found = scores_of(whole)
    (name,) = _chosen(found, [target])
    names = _chosen(found, against)
    figure, panels = _grid(len(names), width)
    units = whole.get("units") or {}
    outside = np.array([s.get("in_domain") is False for s in whole["scans"]], dtype=bool)
    truth, told, low, high = (column_of(whole, key, name) for key in ("truth", "values", "low", "high"))
    for axes, other in zip(panels, names, strict=True):
        along = column_of(whole, "truth", other)
        _bars(axes, along, told - truth, low - truth, high - truth)
        axes.axhline(0, color="#15191e", linewidth=0.7, zorder=1)
        _points(axes, along, told - truth, outside)
        axes.set_xlabel(_titled(other, units), fontsize=SMALL)
    for axes in panels[:: _columns(len(names), width)]:
        axes.set_ylabel(f"answer − truth,\n{_titled(name, units)}", fontsize=SMALL)
    return figure


def chart_figure(chart: Chart, panels: Sequence[str] | None = None, *, width: str | float = "double") -> Figure:
    """Draw a chart of many trainings: errors over splits, latent sensitivity, learning curves, ablation.

    Parameters
    ----------
    chart : Chart
    panels : list of str, optional
        Which of its panels; by default all.
    width : "single", "double" or float

    Examples
    --------
    >>> points = [{"name": "ridge", "x": [50, 100], "y": [0.2, 0.1]}]
    >>> figure = chart_figure({"name": "learning", "title": "Learning", "panels": {"fcc": points}, "log": True})
    >>> figure.axes[0].get_xscale()
    'log'
    """
    whole = check_chart(chart)
    names = list(whole["panels"]) if panels is None else list(panels)
    unknown = [name for name in names if name not in whole["panels"]]
    if unknown or not names:
        why = f"panels must be of {', '.join(whole['panels'])}, got {unknown or 'none'}"
        raise OptionError("cannot draw the figure", why, "Choose some of them")
    figure, places = _grid(len(names), width)
    labels: dict[str, Any] = {}
    for axes, name in zip(places, names, strict=True):
        for k, series in enumerate(whole["panels"][name]):
            drawn = _series(axes, whole, series, k, len(whole["panels"][name]))
            labels.setdefault(series["name"], drawn)
        _axes_of_chart(axes, whole, name, is_alone=len(names) == 1)
    if len(labels) > 1 and set(labels) != set(whole.get("categories") or ()):
        texts = [literal(one_line(text, 40)) for text in labels]
        figure.legend(
            list(labels.values()), texts, loc="outside lower center", ncols=min(len(texts), 5), frameon=False,
            fontsize=SMALL,
        )  # fmt: skip
    figure.suptitle(literal(one_line(whole["title"], 90)), fontsize=SIZE)
    return figure


def _series(axes: Any, chart: Chart, series: Any, k: int, many: int) -> Any:
    ink = COLOURS[k % len(COLOURS)]
    x, y = np.asarray(series["x"], np.float64), np.asarray(series["y"], np.float64)
    is_grouped = bool(chart.get("categories"))
    owns = is_grouped and set(chart["categories"]) == {s["name"] for panel in chart["panels"].values() for s in panel}
    at = x + (0 if not is_grouped or owns else 0.6 / many * (k - (many - 1) / 2))
    if series.get("low") is not None:
        ends = [np.maximum(y - np.asarray(series["low"], np.float64), 0),
                np.maximum(np.asarray(series["high"], np.float64) - y, 0)]  # fmt: skip
        axes.errorbar(at, y, yerr=ends, fmt="none", ecolor=ink, elinewidth=0.7)
    (drawn,) = axes.plot(
        at, y, marker=_MARKERS[k // len(COLOURS) % len(_MARKERS)], markersize=2.6, color=ink,
        linestyle="none" if is_grouped else "-", linewidth=1.0,
    )  # fmt: skip
    if is_grouped:
        for place in np.unique(x):
            inside = y[(x == place) & np.isfinite(y)]
            if inside.size > 1:
                middle = float(np.median(at[x == place]))
                axes.plot([middle - 0.2, middle + 0.2], [inside.mean()] * 2, color=ink, linewidth=1.4)
    return drawn


def _axes_of_chart(axes: Any, chart: Chart, name: str, *, is_alone: bool) -> None:
    categories = chart.get("categories")
    if categories:
        axes.set_xticks(range(len(categories)), [literal(one_line(c, 30)) for c in categories])
        if max(map(len, categories)) > 6:
            axes.tick_params(axis="x", labelrotation=35)
            for label in axes.get_xticklabels():
                label.set_ha("right")
    elif chart.get("log"):
        axes.set_xscale("log")
        places = sorted({float(v) for s in chart["panels"][name] for v in np.asarray(s["x"], np.float64) if v > 0})
        if places and len(places) <= 12:
            axes.set_xticks(places, [significant(v, 3) for v in places], minor=False)
            axes.minorticks_off()
    if chart.get("zero") and axes.get_ylim()[0] > 0:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(literal(one_line(chart.get("x") or "", 60)), fontsize=SMALL)
    axes.set_ylabel(literal(one_line(chart.get("y") or "", 60)), fontsize=SMALL)
    axes.grid(color="#e7eaed", linewidth=0.5)
    if not is_alone:
        axes.set_title(_titled(name, chart.get("units") or {}), fontsize=SMALL)


def _chosen(found: Any, targets: Sequence[str] | None) -> list[str]:
    names = list(found) if targets is None else list(targets)
    unknown = [name for name in names if name not in found]
    if unknown or not names:
        why = f"the truth is known of {', '.join(found) or 'no descriptor'}, got {', '.join(unknown) or 'none'}"
        raise OptionError("cannot draw the figure", why, "Give the document with truth, and such names")
    return names


def _columns(n: int, width: str | float) -> int:
    return min(n, max(1, int(millimetres(width) // 42)))


def _grid(n: int, width: str | float) -> tuple[Figure, list[Any]]:
    columns = _columns(n, width)
    rows = -(-n // columns)
    wide = millimetres(width) / _MM
    figure = empty_figure(wide, rows * (0.95 * wide / columns if n > 1 else 0.6 * wide))
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axes in panels[n:]:
        axes.remove()
    for axes in panels[:n]:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=SMALL - 0.5, width=0.6, which="both")
        axes.ticklabel_format(axis="both", scilimits=(-3, 4), useMathText=True)
        axes.xaxis.get_offset_text().set_fontsize(SMALL - 1)
        axes.yaxis.get_offset_text().set_fontsize(SMALL - 1)
    return figure, panels[:n]


def _bars(axes: Any, x: Any, y: Any, low: Any, high: Any) -> None:
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(low) & np.isfinite(high)
    if known.any():
        ends = [np.maximum((y - low)[known], 0), np.maximum((high - y)[known], 0)]
        alpha = 0.6 if known.sum() < 300 else 0.25
        axes.errorbar(x[known], y[known], yerr=ends, fmt="none", ecolor=_GREY, elinewidth=0.5, alpha=alpha, zorder=0)


def _points(axes: Any, x: Any, y: Any, outside: Any) -> None:
    axes.plot(x[~outside], y[~outside], ".", color=COLOURS[0], markersize=3, zorder=2)
    axes.plot(x[outside], y[outside], "^", color=COLOURS[1], markersize=3.5, fillstyle="none", zorder=3)


def _titled(name: str, units: Any) -> str:
    unit = units.get(name) or ""
    return literal(one_line(name, 40) + (f" [{one_line(unit, 20)}]" if unit and unit not in name else ""))
