"""``peakwise bench``: throughput on this machine, side by side with what else is installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.cli._output import Output

# Name -> (where it lives, what it measures).
BENCHES: dict[str, tuple[str, str]] = {
    "simulate": ("peakwise.cli._bench_simulate:run", "structure to lines, and lines to noisy patterns"),
    "identify": ("peakwise.cli._bench_identify:run", "how often phases are found, how well that is known, how quickly"),
    "predict": ("peakwise.cli._bench_predict:run", "spectra a second of every network, compiled and as it comes"),
    "regress": ("peakwise.cli._bench_regress:run", "the published training of descriptors, as printed and ours"),
}


@options.command
@click.argument("name", required=False)
@click.option("--quick", is_flag=True, help="Fewer structures and shorter timings.")
def bench(out: Output, name: str | None, quick: bool) -> None:
    """Measure throughput and compare with other programs in the same run: a ratio above 1 means that ours is faster.

    Without NAME the benches are listed.

    Example: peakwise bench simulate
    """
    if name is None:
        out.document["benches"] = [{"name": n, "what": what} for n, (_, what) in BENCHES.items()]
        out.table(("bench", "what it measures"), [(n, what) for n, (_, what) in BENCHES.items()])
        return
    if name not in BENCHES:
        raise OptionError("unknown bench", f"got {name!r}, there are {', '.join(BENCHES)}", "Use one of these names")
    module, _, attribute = BENCHES[name][0].partition(":")
    rows: list[dict[str, Any]] = getattr(import_module(module), attribute)(out, quick=quick)
    out.document["rows"] = rows
    keys = ("what", "case", "ours", "other", "other_name", "unit", "ratio")
    out.table(keys, ([f"{r[k]:.4g}" if isinstance(r[k], float) else r[k] for k in keys] for r in rows))
