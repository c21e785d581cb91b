"""Figures of a training and of what it learned: curves and confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "COLOURS", "SIZE", "SMALL", "confusion_matrix_figure", "empty_figure", "literal", "millimetres",
    "training_curves_figure",
]  # fmt: skip

_MM = 25.4
SIZE, SMALL = 8.0, 7.0  # [pt], what journals ask for at least
# Okabe and Ito's colours that keep apart for all kinds of colour vision, https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B5518F", "#56B4E9", "#E69F00", "#7559A6", "#7A6F55")
_STYLES = ("-", "--", "-.", ":")
_WIDTHS = {"single": 85.0, "double": 170.0}  # [mm], columns of most journals
_MOST_NUMBERS = 20  # classes up to which each field has its number


def confusion_matrix_figure(
    matrix: ArrayLike, labels: Sequence[str] | None = None, *, width: str | float = "single", title: str = ""
) -> Figure:
    r"""Draw how often each true class (row) was called each class (column).

    Parameters
    ----------
    matrix : array-like of shape (k, k)
        Counts; or their means over runs.
    labels : list of str, optional
        Names of the classes; by default their numbers.
    width : "single", "double" or float
        Of a column (85 mm), of a page (170 mm), or in mm.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        The colour of a field is its share of the row, so that a rare class shows as a frequent one does; its number is
        the count, with the share below it.

    Examples
    --------
    >>> figure = confusion_matrix_figure([[48, 2], [1, 9]], ["bcc", "hcp"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['48\n96 %', '2\n4 %', '1\n10 %', '9\n90 %']
    """
    counts = np.asarray(matrix, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise _refused(f"the matrix must be square, got shape {counts.shape}", "Give true classes as rows")
    if not np.isfinite(counts).all() or counts.min() < 0:
        raise _refused("the matrix must hold counts of 0 or more, got negative or missing ones", "Count again")
    k = len(counts)
    names = [str(i) for i in range(k)] if labels is None else [one_line(name, 30) for name in labels]
    if len(names) != k:
        raise _refused(f"labels must be {k} names, got {len(names)}", "Give one for each class")
    side = millimetres(width) / _MM
    figure = empty_figure(side, 0.92 * side)
    axes = figure.subplots()
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if k <= _MOST_NUMBERS:
        for i, j in np.ndindex(k, k):
            number = f"{counts[i, j]:.4g}" if counts[i, j] < 1e4 else f"{counts[i, j]:,.0f}"
            has_share = k <= _MOST_NUMBERS // 2 and total[i] > 0
            said = f"{number}\n{round(100 * share[i, j], 1):g} %" if has_share else number
            ink = "white" if share[i, j] > 0.55 else "#15191e"
            axes.text(j, i, said, ha="center", va="center", color=ink, fontsize=SMALL if k <= 8 else 5)
    every = max(1, math.ceil(k / 30))
    axes.set_xticks(range(0, k, every), [literal(n) for n in names[::every]], fontsize=SMALL)
    axes.set_yticks(range(0, k, every), [literal(n) for n in names[::every]], fontsize=SMALL)
    if max(map(len, names)) > 4 and k > 4:
        axes.tick_params(axis="x", labelrotation=60)
    axes.set_xlabel("called", fontsize=SIZE)
    axes.set_ylabel("true", fontsize=SIZE)
    axes.set_title(literal(one_line(title, 80)), fontsize=SIZE)
    axes.tick_params(length=0)
    bar = figure.colorbar(picture, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL, width=0.6, length=2)
    return figure


def training_curves_figure(
    histories: Mapping[str, Any], *, x: str = "step", loss: str = "loss", width: str | float = "double", title: str = ""
) -> Figure:
    """Draw losses and validation scores of one or several trainings.

    Parameters
    ----------
    histories : dict
        Either one history, or histories by name. A history is what ``History.to_dict()`` of `peakwise.training` gives:
        `logged`, rows with the loss, and `validated`, rows with `score`; both with `step` and `seconds`. The kept step,
        `best_step`, is marked.
    x : "step" or "seconds"
    loss : str
        Which of the logged losses.
    width : "single", "double" or float
        Of a column (85 mm), of a page (170 mm), or in mm.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        The losses, on a logarithmic scale where all are positive, and beside them the scores, if there are any.

    Examples
    --------
    >>> history = {"logged": [{"step": 10, "loss": 2.0}, {"step": 20, "loss": 0.5}], "validated": []}
    >>> figure = training_curves_figure({"CNN": history})
    >>> len(figure.axes), figure.axes[0].get_yscale()
    (1, 'log')
    """
    if x not in ("step", "seconds"):
        raise _refused(f"x must be step or seconds, got {x!r}", "Choose one of them")
    single = isinstance(histories, Mapping) and "logged" in histories
    named: Mapping[str, Any] = {"": histories} if single else histories
    curves = {
        name: (_rows(h, "logged", x, loss), _rows(h, "validated", x, "score"), h) for name, h in _checked(named).items()
    }
    has_scores = any(len(scores) for _, scores, _ in curves.values())
    wide = millimetres(width) / _MM
    figure = empty_figure(wide, (0.42 if has_scores else 0.6) * wide)
    panels = figure.subplots(1, 2 if has_scores else 1, squeeze=False)[0]
    for k, (name, (losses, scores, history)) in enumerate(curves.items()):
        ink = {"color": COLOURS[k % len(COLOURS)], "linestyle": _STYLES[k // len(COLOURS) % len(_STYLES)]}
        label = literal(one_line(name, 40)) or None
        panels[0].plot(losses[:, 0], losses[:, 1], linewidth=1.0, label=label, **ink)
        if has_scores:
            panels[1].plot(scores[:, 0], scores[:, 1], linewidth=1.0, marker=".", markersize=3, label=label, **ink)
            best = [row for row in history.get("validated") or () if row.get("step") == history.get("best_step")]
            if best and best[0].get(x) is not None:
                panels[1].plot(best[0][x], best[0]["score"], "o", color=ink["color"], markersize=5, fillstyle="none")
    known = np.concatenate([losses[:, 1] for losses, _, _ in curves.values()] or [np.empty(0)])
    if known.size and known.min() > 0:
        panels[0].set_yscale("log")
    panels[0].set_ylabel(literal(one_line(loss, 40)), fontsize=SIZE)
    if has_scores:
        panels[1].set_ylabel("validation score", fontsize=SIZE)
    for axes in panels:
        axes.set_xlabel({"step": "step", "seconds": "time [s]"}[x], fontsize=SIZE)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=SMALL, width=0.6, which="both")
        axes.grid(color="#e7eaed", linewidth=0.5)
    figure.suptitle(literal(one_line(title, 80)), fontsize=SIZE) if title else None
    if any(name for name in curves):
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=4 if wide > 4 else 2, frameon=False, fontsize=SMALL
        )
    return figure


def _checked(named: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(named, Mapping) or not named or not all(isinstance(h, Mapping) for h in named.values()):
        raise _refused("histories must be one history or a dict of them, got something else", "Use History.to_dict()")
    return {str(name): history for name, history in named.items()}


def _rows(history: Mapping[str, Any], key: str, x: str, y: str) -> NDArray[np.float64]:
    rows = [(row[x], row[y]) for row in history.get(key) or () if row.get(x) is not None and row.get(y) is not None]
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return table[np.isfinite(table).all(axis=1)]


def millimetres(width: str | float) -> float:
    wide = _WIDTHS.get(width) if isinstance(width, str) else float(width)
    if wide is None or not 30 <= wide <= 1000:
        raise _refused(f"width must be 'single', 'double' or 30 to 1000 mm, got {width!r}", "Choose one of them")
    return wide


def empty_figure(wide: float, high: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise MissingExtraError(
            "cannot draw the figure", "matplotlib is needed for figures and is not installed",
            "Install it with pip install peakwise[figures]",
        ) from problem  # fmt: skip
    return Figure(figsize=(wide, high), layout="constrained")


def literal(text: str) -> str:
    return text.replace("$", r"\$")


def _refused(why: str, do: str) -> OptionError:
    return OptionError("cannot draw the figure", why, do)
