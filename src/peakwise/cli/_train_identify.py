"""``peakwise train identify``: a network for the phases of a folder of CIFs, and the phases themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.cli._output import Output

__all__ = ["run"]


def run(
    out: Output,
    target: Path,
    *,
    phases: tuple[str, ...],
    network: str | None,
    seconds: float | None,
    mixtures: int,
    effort: str,
) -> None:
    """Train and save; the document gets the history."""
    from peakwise.cli._bar import bar
    from peakwise.cli._identifier import NETWORK, SECONDS
    from peakwise.cli._phases import load_library
    from peakwise.estimators import PhaseIdentifier

    if not phases:
        raise click.UsageError("Missing option '--phases' (a folder with CIFs).")
    name = NETWORK if network is None else network
    _check_network(name)
    library = load_library(out, phases)
    made = PhaseIdentifier(
        mixtures, effort, None, SECONDS if seconds is None else seconds, random_state=out.seed, threads=out.threads,
        device=out.device,
    ).fit(library)  # fmt: skip
    made.set_params(network=name)
    logged: list[dict[str, float]] = []
    with bar(out) as tell:

        def note(row: dict[str, float]) -> None:
            logged.append({k: v for k, v in row.items() if k != "progress"})
            tell(f"training {name}, loss {row['loss']:.4f}", row["progress"])

        made.train_network(progress=note)
    made.save(target)
    told = made.proposer_.history
    out.document["network"] = name
    out.document["phases"] = [p.id for p in made.phases_]
    out.document["history"] = {**told, "logged": logged}
    out.table(
        ("model", "phases", "network", "steps", "seconds", "loss"),
        [(target, len(made.phases_), name, told["steps"], told["seconds"], told["loss"])],
    )
    out.say(f"Use it: peakwise identify SCAN --model {target}")


def _check_network(name: str) -> None:
    """Before the CIFs are read."""
    from peakwise.networks import NETWORKS

    if name not in NETWORKS:
        why = f"network must be one of {', '.join(NETWORKS)}, got {name!r}"
        raise OptionError("cannot train a model", why, "Choose one; peakwise models describes them")
