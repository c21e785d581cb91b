"""``peakwise explain`` for a model of states: which parts of patterns speak for a state, where its network looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.cli._output import Output
    from peakwise.estimators import TransitionDetector
    from peakwise.estimators._explaining_states import StateExplanation
    from peakwise.explain import ContributionMap
    from peakwise.patterns import Patterns

__all__ = ["METHODS", "run"]

METHODS = ("weights", "attention")  # beside those of peakwise.explain
_SINGLE = 8  # patterns that are drawn and told one by one; of more their sum is
_SHOWN = 8  # peaks in the tables for people
_TOLD = 20  # peaks in the JSON


def run(
    out: Output,
    detector: TransitionDetector,
    scans: tuple[str, ...],
    *,
    state: str | None,
    method: str | None,
    output: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Explain the state of each scan; of many, what counted in all of them."""
    from peakwise.cli._detector import onto_grid
    from peakwise.cli._series import read_series
    from peakwise.estimators._explaining_states import attention_of, explain_states, map_states

    patterns = onto_grid(out, detector, read_series(out, scans, wavelength, axis, file_format).patterns)
    if method == "attention":
        if state is not None:
            raise OptionError("cannot explain the answer", "attention is of all states at once", "Leave --state out")
        found = attention_of(detector, patterns)
        out.document["attention"] = {
            name: {"heads": len(found.matrices[name]), "received": found.received(name)} for name in found.matrices
        }
        rows = [(name, len(m), f"{m.shape[1]} x {m.shape[2]}") for name, m in found.matrices.items()]
        out.table(("attention", "heads", "matrix"), rows, title=f"mean of {found.n}")
        if output is not None:
            from peakwise.explain import attention_figure

            _save(out, attention_figure(found), output)
        return
    told = explain_states(detector, patterns, state=state, method=method)
    out.document["scans"] = [
        _row(str(name), one, patterns, i) for i, (name, one) in enumerate(zip(patterns.names, told, strict=True))
    ]
    summed = map_states(told, patterns.intensity)
    names = [str(name) for name in detector.state_names_]
    out.document["map"] = {
        "axis": patterns.axis, "method": summed.method,
        "states": [
            {"state": names[k], "patterns": int(n), "contribution": row}
            for k, n, row in zip(summed.targets, summed.counts, summed.mean, strict=True)
        ],
    }  # fmt: skip
    _tell(out, told, patterns, summed, names)
    if output is not None:
        _draw(out, told, patterns, summed, names, output)


def _row(name: str, one: StateExplanation, patterns: Patterns, i: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "scan": name, "state": one.state, "method": one.method, "score": one.score, "axis": patterns.kind,
        "peaks": [{"axis": p.axis, "intensity": p.intensity, "share": p.share} for p in one.peaks[:_TOLD]],
        "notes": one.notes,
    }  # fmt: skip
    if len(patterns) <= _SINGLE:
        row["curve"] = {"axis": patterns.axis, "intensity": patterns.intensity[i], "relevance": one.relevance}
    return row


def _tell(
    out: Output, told: list[StateExplanation], patterns: Patterns, summed: ContributionMap, names: list[str]
) -> None:
    if len(told) <= _SINGLE:
        for name, one in zip(patterns.names, told, strict=True):
            title = f"{Path(str(name)).name}: {one.state}, {one.method}, score {one.score:.4g}"
            peaks = [(f"{p.axis:.3f}", f"{p.intensity:.3f}", f"{p.share:+.3f}") for p in one.peaks[:_SHOWN]]
            out.table((f"peak at ({patterns.kind})", "height", "share of what counted"), peaks, title=title)
    else:
        rows = []
        for k, n, row in zip(summed.targets, summed.counts, summed.mean, strict=True):
            rows.append((names[k], int(n), _strongest(patterns, row, 1), _strongest(patterns, row, -1)))
        columns = ("state", "patterns", f"speaks for it ({patterns.kind})", "against it")
        out.table(columns, rows, title=f"{summed.method}, mean of the patterns of each state")
    for note in dict.fromkeys(note for one in told for note in one.notes):
        out.say(note)


def _strongest(patterns: Patterns, relevance: Any, sign: int) -> str:
    """Up to four places, well apart, where most counted."""
    left = sign * np.array(relevance, dtype=np.float64)
    least, reach = 0.1 * float(np.abs(left).max()), max(2, left.size // 100)
    found: list[str] = []
    while len(found) < 4 and left.max() > max(least, 0.0):
        at = int(left.argmax())
        found.append(f"{patterns.axis[at]:.4g}")
        left[max(0, at - reach) : at + reach + 1] = -np.inf
    return ", ".join(found)


def _draw(
    out: Output,
    told: list[StateExplanation],
    patterns: Patterns,
    summed: ContributionMap,
    names: list[str],
    output: str,
) -> None:
    from peakwise.patterns import AXES

    label = AXES[patterns.kind].label
    if len(told) > _SINGLE:
        from peakwise.explain import contribution_figure

        _save(out, contribution_figure(summed, patterns.axis, names=names, label=label), output)
        return
    from matplotlib.figure import Figure

    from peakwise.explain import draw_explanation

    figure = Figure(figsize=(9, 1 + 2.6 * len(told)), layout="constrained")
    panels = figure.subplots(len(told), squeeze=False)[:, 0]
    for ax, name, one, seen in zip(panels, patterns.names, told, patterns.intensity, strict=True):
        line = draw_explanation(ax, patterns.axis, seen, one.relevance)
        figure.colorbar(line, ax=ax, label="speaks for (+), against (-)" if one.signed else "counts")
        ax.set_title(f"{Path(str(name)).name}: state {one.state}, {one.method}", fontsize=9)
        ax.set_xlabel(label)
    _save(out, figure, output)


def _save(out: Output, figure: Any, output: str) -> None:
    from peakwise.report import save_figure

    save_figure(figure, output, dpi=150)
    out.document["output"] = output
