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
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Learn and save; the document gets the threshold and the rate of false alarms."""
    from peakwise.cli.novelty import learn

    if not scans and not known:
        raise click.UsageError("Missing argument 'SCAN...' (the known scans), or '--known'.")
    detector, _ = learn(out, known or scans, scans, (wavelength, axis, file_format), false_alarm, method)
    detector.save(target)
    out.warnings += detector.warnings_
    out.document |= {
        "known": len(detector.names_), "threshold": detector.threshold_, "false_alarm": detector.false_alarm,
        "axis": detector.kind_, "points": detector.n_features_in_,
    }  # fmt: skip
    out.table(("model", "known", "threshold"), [(target, len(detector.names_), f"{detector.threshold_:.3f}")])
    out.say(f"Use it: peakwise novelty SCAN --model {target}")
