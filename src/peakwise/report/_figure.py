"""The overlay of one scan as a figure for a paper: PNG, SVG or PDF, in the width of one or two columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError, one_line
from peakwise.report._answer import check_scan
from peakwise.report._words import amount

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from peakwise.report._answer import Curves, ScanAnswer

__all__ = ["plot_identification", "save_figure"]

_WIDTHS = {"single": 85.0, "double": 170.0}  # [mm], columns of most journals
_SCALES = ("sqrt", "linear", "log")
_FORMATS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}
_MM = 25.4
_NARROW = 120.0  # [mm]
# Okabe and Ito's colours that keep apart for all kinds of colour vision, https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B5518F", "#56B4E9", "#E69F00", "#7559A6", "#7A6F55")
_INK, _SOFT, _OBSERVED, _ALERT = "#15191e", "#5a636e", "#8b95a1", "#b4155f"
_LABELS = {"two_theta": "2θ [deg]", "q": "q [1/Å]", "d": "d [Å]"}
_NOTHING = 0.002  # of its strongest peak: less of a phase is not drawn as a line
_SIZE, _SMALL = 8.0, 7.0  # [pt], what journals ask for at least


def plot_identification(scan: ScanAnswer, *, width: str | float = "double", scale: str = "sqrt") -> Figure:
    """Draw the overlay: observed, calculated, each phase, its reflections, and what is left over.

    Parameters
    ----------
    scan : ScanAnswer
        One of the `scans` of a document, with its `curves`.
    width : "single", "double" or float
        Of a column (85 mm), of a page (170 mm), or in mm.
    scale : "sqrt", "linear" or "log"
        Of the intensity. The square root shows weak peaks beside strong ones, with even noise.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes: the overlay, and below it observed minus calculated where there is a calculated curve.

    Examples
    --------
    >>> curves = {"axis": [20.0, 21.0, 22.0], "kind": "two_theta", "observed": [1.0, 9.0, 1.0]}
    >>> figure = plot_identification({"scan": "a.xy", "phases": [], "curves": curves}, width="single")
    >>> round(figure.get_figwidth() * 25.4), figure.axes[0].get_xlabel()
    (85, '2θ [deg]')
    """
    check_scan(scan)
    curves = scan.get("curves")
    if curves is None:
        raise _refused("the scan must hold its curves, got none", "Ask peakwise identify for them")
    if scale not in _SCALES:
        raise _refused(f"scale must be one of {', '.join(_SCALES)}, got {scale!r}", "Choose one of them")
    wide = _WIDTHS.get(width) if isinstance(width, str) else float(width)
    if wide is None or not 30 <= wide <= 1000:
        raise _refused(f"width must be 'single', 'double' or 30 to 1000 mm, got {width!r}", "Choose one of them")
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise MissingExtraError(
            "cannot draw the figure", "matplotlib is needed for figures and is not installed",
            "Install it with pip install peakwise[figures]",
        ) from problem  # fmt: skip
    has_rest = curves.get("calculated") is not None
    figure = Figure(figsize=(wide / _MM, (72 if wide < _NARROW else 95) / _MM), layout="constrained")
    names = list(dict.fromkeys([*(p["phase"] for p in scan["phases"]), *(curves.get("ticks") or {})]))
    if has_rest:
        main, rest = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [4, 1]})
        _draw_rest(rest, curves)
        bottom = rest
    else:
        main = bottom = figure.subplots()
    _draw_curves(main, scan, curves, names, scale)
    _draw_ticks(main, curves, names)
    _mark_unexplained(main, scan, curves)
    kind = curves.get("kind") or "position"
    unit = curves.get("unit")
    bottom.set_xlabel(_LABELS.get(kind, one_line(f"{kind} [{unit}]" if unit else kind, 60)), fontsize=_SIZE)
    figure.legend(
        *main.get_legend_handles_labels(), loc="outside upper left", frameon=False, fontsize=_SMALL, handlelength=1.2,
        ncols=_legend_columns(main, wide), columnspacing=1.2, borderpad=0.2, labelspacing=0.3,
    )  # fmt: skip
    for axes in figure.axes:
        _tidy(axes)
    return figure


def save_figure(
    figure: Figure | ScanAnswer, path: str | os.PathLike[str], *, dpi: float = 300.0,
    width: str | float = "double", scale: str = "sqrt",
) -> None:  # fmt: skip
    """Write a figure, or the figure of a scan, as PNG, SVG or PDF: what the name ends with.

    The file appears whole or not at all, and the same input gives the same bytes.

    Parameters
    ----------
    figure : Figure or ScanAnswer
        What to write; of a scan `plot_identification` is written.
    path : path-like
        Ends with .png, .svg or .pdf.
    dpi : float
        Dots per inch of a PNG.
    width, scale
        Of the figure of a scan; see `plot_identification`.

    Examples
    --------
    >>> curves = {"axis": [20.0, 21.0, 22.0], "observed": [1.0, 9.0, 1.0]}
    >>> target = getfixture("tmp_path") / "overlay.svg"
    >>> save_figure({"scan": "a.xy", "phases": [], "curves": curves}, target)
    >>> "<svg" in target.read_text(encoding="utf-8")
    True
    """
    from peakwise.io import atomic_file

    form = _FORMATS.get(Path(path).suffix.lower())
    if form is None:
        raise _refused(f"the name must end with {', '.join(_FORMATS)}, got {str(path)!r}", "Choose one of them")
    if not 30 <= dpi <= 2400:
        raise _refused(f"dpi must lie between 30 and 2400, got {dpi!r}", "300 is what most journals ask for")
    drawn: Any = figure
    if isinstance(figure, Mapping):
        drawn = plot_identification(drawn, width=width, scale=scale)
    from matplotlib import rc_context

    # Text stays text in an SVG; no date and no random ids, so that the same figure is the same file.
    dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[form]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "peakwise"}), atomic_file(path) as temporary:
        drawn.savefig(temporary, format=form, dpi=dpi, metadata=dated)


def _draw_curves(axes: Axes, scan: ScanAnswer, curves: Curves, names: list[str], scale: str) -> None:
    x, observed = _floats(curves["axis"]), _floats(curves["observed"])
    given = curves.get("background")
    background = np.zeros(x.size) if given is None else _floats(given)
    axes.plot(
        x,
        observed,
        ".",
        color=_OBSERVED,
        label="observed",
        markersize=2.2,
        markeredgewidth=0,
        rasterized=x.size > 20_000,
    )
    if given is not None:
        axes.plot(x, background, "--", color=_SOFT, linewidth=0.7, label="background")
    calculated = curves.get("calculated")
    if calculated is not None:
        axes.plot(x, _floats(calculated), color=_INK, linewidth=0.8, label="calculated")
    weights = {p["phase"]: amount(p.get("weight_fraction"), p.get("weight_fraction_error")) for p in scan["phases"]}
    for i, name in enumerate(names):
        part = (curves.get("phases") or {}).get(name)
        colour, label = _COLOURS[i % len(_COLOURS)], _literal(f"{one_line(name, 30)} {weights.get(name, '')}".rstrip())
        if part is None:
            axes.plot([], [], color=colour, label=label)
            continue
        # Over the sum: a peak that one phase makes has its colour. Where it has nothing, it would hide the background.
        alone = _floats(part)
        shown = np.where(alone > _NOTHING * np.nanmax(alone, initial=0.0), background + alone, np.nan)
        axes.fill_between(x, background, background + alone, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, shown, color=colour, linewidth=1.0, label=label)
    _scale(axes, observed, scale)
    unit = curves.get("intensity_unit")
    said = {"sqrt": ", √ scale", "log": ", log scale", "linear": ""}[scale]
    axes.set_ylabel(f"intensity{f' [{_literal(one_line(unit, 20))}]' if unit else ''}{said}", fontsize=_SIZE)
    axes.set_xlim(float(x.min()), float(x.max()))


def _legend_columns(axes: Axes, wide: float) -> int:
    labels = axes.get_legend_handles_labels()[1]
    room = wide / _MM * 72 / (0.62 * _SMALL)  # characters of a mean width
    fits = [n for n in range(1, len(labels) + 1) if n * (max(map(len, labels)) + 6) <= room]
    return len(labels) if sum(map(len, labels)) + 6 * len(labels) <= room else max(fits, default=1)


def _scale(axes: Axes, observed: NDArray[np.float64], scale: str) -> None:
    top = float(np.nanmax(observed, initial=0.0)) or 1.0
    if scale == "log" and np.any(observed > 0):
        axes.set_yscale("log")
        axes.set_ylim(max(float(np.nanmin(observed[observed > 0], initial=top)), top / 1e5) / 1.3, 1.6 * top)
    elif scale == "sqrt":  # even noise
        bottom = min(float(np.nanmin(observed, initial=0.0)), 0.0)
        axes.set_yscale("function", functions=(_root, _square))
        axes.set_ylim(bottom, 1.15 * top)
        axes.set_yticks(_root_ticks(1.15 * top))


def _root_ticks(top: float) -> list[float]:
    """Numbers 1, 2 and 5 of each decade that keep apart on a square-root scale, and 0."""
    ticks: list[float] = []
    for power in range(int(np.floor(np.log10(top))), int(np.floor(np.log10(top))) - 4, -1):
        for digit in (5, 2, 1):
            value = digit * 10.0**power
            above = np.sqrt(ticks[-1] / top) if ticks else 2.0
            if value <= top and above - np.sqrt(value / top) > 0.1 and np.sqrt(value / top) > 0.1:
                ticks.append(value)
    return [*ticks, 0.0]


def _draw_ticks(axes: Axes, curves: Curves, names: list[str]) -> None:
    """Rows of reflections below the curves, in the colours and the order of the legend."""
    rows = [name for name in names if (curves.get("ticks") or {}).get(name)]
    if not rows:
        return
    height = 0.06
    inner = axes.inset_axes((0.0, -height * len(rows) - 0.03, 1.0, height * len(rows)), sharex=axes)
    inner.set_ylim(len(rows), 0)
    for row, name in enumerate(rows):
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        inner.vlines(_floats(curves["ticks"][name]), row + 0.15, row + 0.85, color=colour, linewidth=0.7)
    inner.set_axis_off()
    axes.tick_params(labelbottom=False)


def _mark_unexplained(axes: Axes, scan: ScanAnswer, curves: Curves) -> None:
    fit = scan.get("fit") or {}
    x, observed = _floats(curves["axis"]), _floats(curves["observed"])
    for peak in fit.get("unexplained") or ():
        near = np.argsort(np.abs(x - peak["axis"]))[:5]
        top = np.nanmax(observed[near], initial=0.0)
        arrow = {"arrowstyle": "-|>", "color": _ALERT, "linewidth": 0.6, "mutation_scale": 6}
        axes.annotate("", (peak["axis"], top), xytext=(0, 9), textcoords="offset points", arrowprops=arrow)


def _draw_rest(axes: Axes, curves: Curves) -> None:
    rest = _floats(curves["observed"]) - _floats(curves["calculated"])
    axes.axhline(0, color=_SOFT, linewidth=0.5)
    axes.plot(_floats(curves["axis"]), rest, color=_INK, linewidth=0.6)
    axes.set_ylabel("obs − calc", fontsize=_SIZE)
    top = float(np.nanmax(np.abs(rest), initial=0.0)) or 1.0
    axes.set_ylim(-1.05 * top, 1.05 * top)
    axes.locator_params(axis="y", nbins=3)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)
    axes.tick_params(labelsize=_SMALL, width=0.6, length=3, which="major")
    axes.tick_params(which="minor", length=0)


def _root(v: Any) -> Any:
    return np.sign(v) * np.sqrt(np.abs(v))


def _square(h: Any) -> Any:
    return np.sign(h) * np.square(h)


def _literal(text: str) -> str:
    """A dollar sign in a name is a dollar sign and no formula."""
    return text.replace("$", r"\$")


def _floats(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def _refused(why: str, do: str) -> OptionError:
    return OptionError("cannot draw the figure", why, do)
