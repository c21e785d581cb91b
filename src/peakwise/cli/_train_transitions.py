"""``peakwise train transitions``: what tells the states of a series apart, from patterns with labels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.cli._output import Output

__all__ = ["run"]

_WHAT = "cannot train a model"
_SECONDS = 120.0


def run(
    out: Output,
    target: Path,
    *,
    scans: tuple[str, ...],
    labels: str | None,
    method: str | None,
    network: str | None,
    seconds: float | None,
    variable: str | None,
    values: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Train and save; the document gets the states and, of a network, the history."""
    from peakwise.cli._detector import chosen_method, label_series, needs_network, new_detector
    from peakwise.cli._series import read_series

    if not scans:
        raise click.UsageError("Missing argument 'SCAN...' (the series to learn from).")
    made = new_detector(out, "auto", network)
    series = read_series(out, scans, wavelength, axis, file_format, variable=variable, values=values)
    patterns = series.patterns
    given = [None] * len(patterns) if labels is None else label_series(out, patterns, labels)
    counted = Counter(text for text in given if text)
    if labels is not None and len(counted) < 2:
        got = f"all are {next(iter(counted))!r:.40}" if counted else "all are blank"
        why = f"labels of at least two states are needed, {got}"
        raise OptionError(_WHAT, why, "Label a pattern of each state", file=labels)
    chosen = chosen_method(out, method, network, has_labels=bool(counted))
    made.set_params(
        method=chosen, minutes=(_SECONDS if seconds is None else seconds) / 60, threads=out.threads, device=out.device,
        variable=None if series.variable is None else series.variable.name,
    )  # fmt: skip
    if needs_network(chosen):
        out.tell(f"training {made.network} ({chosen}), at most {60 * made.minutes:g} s")
    made.fit(patterns, given if counted else None)
    if made.n_states_ < 2:
        why = "no labels were given, and the series shows one state only"
        raise OptionError(_WHAT, why, "Give --labels L.csv with the columns pattern,label")
    out.warnings += made.transitions_.warnings
    made.save(target)
    alone = made.predict(patterns)
    right = sum(str(told) == text for told, text in zip(alone, given, strict=True) if text)
    history = None if made._network is None else made._network.history
    out.document |= {
        "states": [str(name) for name in made.state_names_], "method": made.transitions_.method,
        "network": made.network if needs_network(chosen) else None, "patterns": len(patterns),
        "labelled": sum(counted.values()), "labelled_told_right": right if counted else None, "history": history,
    }  # fmt: skip
    told = [target, len(patterns), sum(counted.values()), ", ".join(out.document["states"]), out.document["method"]]
    out.table(("model", "patterns", "labelled", "states", "method"), [told])
    if counted:
        out.say(f"{right} of {sum(counted.values())} labelled patterns are told right, each by itself")
    out.say(f"Use it: peakwise transitions SCAN --model {target}")
