"""``peakwise train novelty``: what is known, learned once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.cli._output import Output

__all__ = ["run"]


def run(
    out: Output,
    target: Path,
    *,
    scans: tuple[str, ...],
    known: tuple[str, ...],
    false_alarm: float | None,
    method: str | None,
    labels: str | None,
    table: str | None,
    condition: str | None,
    grid: tuple[float, float, int] | None,
    seconds: float | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Learn and save; the document gets the threshold and the rate of false alarms."""
    from peakwise.cli._learn_novelty import Known, learn

    if not scans and not known:
        raise click.UsageError("Missing argument 'SCAN...' (the known scans), or '--known'.")
    names = tuple(name.strip() for name in (condition or "").split(",") if name.strip())
    what = Known(
        known or scans, (wavelength, axis, file_format), false_alarm, method, labels, table, names, seconds, grid
    )
    detector, _ = learn(out, what, scans)
    detector.save(target)
    out.warnings += detector.warnings_
    plane = getattr(detector, "plane_", None)
    out.document |= {
        "known": len(detector.names_), "threshold": detector.threshold_, "false_alarm": detector.false_alarm,
        "axis": detector.kind_, "points": detector.n_features_in_, "method": getattr(detector, "method", "structures"),
        "regions": None if plane is None else plane.labels.tolist() or None,
    }  # fmt: skip
    out.table(("model", "known", "threshold"), [(target, len(detector.names_), f"{detector.threshold_:.3f}")])
    out.say(f"Use it: peakwise novelty SCAN --model {target}")
