"""``peakwise watch``: an answer to each scan as it lands."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peakwise.cli._output import Output
    from peakwise.live import Sink, Source
    from peakwise.patterns import Patterns

_WARNINGS = 1000  # in the document; all are told on standard error


@options.command
@click.argument("folder", metavar="DIR", required=False, type=click.Path())
@click.option("--model", metavar="M.pw", required=True, type=click.Path(), help="A trained model of any task.")
@click.option("--out", "target", metavar="OUT.jsonl", type=click.Path(), help="Add answers here; a rerun goes on.")
@click.option("--replay", metavar="SET", help="Instead of DIR: a data set, file or folder, played again.")
@click.option(
    "--rate", metavar="HZ", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True,
    help="Patterns per second of --replay.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Answer what is there, and end.")
@click.option("--seconds", metavar="N", type=click.FloatRange(0, min_open=True), help="End after this time [s].")
@click.option(
    "--settle", metavar="S", type=click.FloatRange(0, min_open=True), default=0.25, show_default=True,
    help="A file is complete when it has not changed for so long [s].",
)  # fmt: skip
@click.option(
    "--idle", metavar="S", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True,
    help="Tell when no scan has come for so long [s].",
)  # fmt: skip
@click.option(
    "--effort", type=click.Choice(["quick", "normal", "thorough"]),
    help="Of models that fit structures: how many are fitted to a scan (default: as trained).",
)  # fmt: skip
@click.option("--poll", is_flag=True, help="Look for changes, on drives that do not tell of them.")
@options.wavelength
@options.axis
@options.file_format
def watch(
    out: Output,
    folder: str | None,
    model: str,
    target: str | None,
    replay: str | None,
    rate: float,
    once: bool,
    seconds: float | None,
    settle: float,
    idle: float,
    effort: str | None,
    poll: bool,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Answer each scan as it lands in a folder: one JSON line a scan, into --out or on standard output.

    Files that are still being written are awaited. With --out, a rerun goes on where the last one ended, however it
    ended: each scan has one line. Ctrl-C ends it. With --replay a set is played again instead of watching a folder.

    Example: peakwise watch scans/ --model minerals.pw --out answers.jsonl
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from peakwise.live import FolderSource, Monitor, ReplaySource

    if (folder is None) == (replay is None):
        raise click.UsageError("Give DIR, a folder to watch, or --replay SET, not both.")
    fitted = _model(out, model, effort)
    asked: dict[str, Any] = {"wavelength": wavelength, "axis": axis, "format": file_format}
    source: Source
    if replay is not None:
        source = ReplaySource(_patterns(out, replay, asked), rate=rate, name=None)
    else:
        journal = None if target is None else f"{target}.journal"
        ignore = [] if target is None else [target]
        source = FolderSource(str(folder), journal=journal, settle=settle, once=once, poll=poll, ignore=ignore, **asked)
    rows: list[dict[str, Any]] = []
    sink = _sink(out, target, rows)

    def warn(text: str) -> None:
        if len(out.warnings) < _WARNINGS:
            out.warnings.append(text)
        if not out.quiet:
            click.echo(f"peakwise: warning: {text}", err=True)

    monitor = Monitor(fitted, warn=warn)
    # One scan is little work: sharing it out among threads costs more than it saves, and most on a busy machine.
    with _ends_on_signals(source), threadpool_limits(out.threads or 1, user_api="blas"):
        report = monitor.run(source, sink, seconds=seconds, idle=idle)
    # `failed` is a list in every document: here of scans, each with the reason.
    refused = [{"file": name, "why": why} for name, why in monitor.refused.items()]
    out.document |= report | {"failed": refused, "out": target}
    if target is None and out.as_json:
        out.document["answers"] = rows
    _tell(out, report)


def _model(out: Output, path: str, effort: str | None) -> Any:
    """The model of a file, with the threads, the device and the effort that were asked for."""
    from peakwise.estimators import load

    made = load(path)
    has = made.get_params()
    if effort is not None:
        if "effort" not in has:
            raise click.UsageError(f"--effort is for models that fit structures, this one is a {type(made).__name__}.")
        made.set_params(effort=effort)
    made.set_params(**{name: getattr(out, name) for name in ("threads", "device") if name in has})
    return made


def _patterns(out: Output, name: str, asked: dict[str, Any]) -> list[Patterns]:
    """A set to play again: one of ours by its name, or files."""
    from peakwise.datasets import DATASETS, load
    from peakwise.io import read_each

    if not Path(name).exists() and name in DATASETS:
        return [part.replace(names=[f"{name}#{n}" for n in part.names]) for part in load(name)]
    made: list[Patterns] = []
    for one in read_each(name, **asked):
        if one.error is not None:
            out.fail(one.error, one.file)
        is_one = sum(len(part) for part in one.patterns) == 1
        made += [
            part.replace(names=[one.file if is_one else f"{one.file}#{n}" for n in part.names]) for part in one.patterns
        ]
    out.need_some(len(made))
    if not made:
        raise OptionError("cannot replay", f"{name} holds no pattern", "Name a set of peakwise datasets, or scans")
    return made


def _sink(out: Output, target: str | None, rows: list[dict[str, Any]]) -> Sink:
    import json

    from peakwise.live import JsonLines, LineStream

    if target is not None:
        return JsonLines(target)
    if out.as_json:
        return LineStream(lambda line: rows.append(json.loads(line)))
    return LineStream(lambda line: click.echo(line, nl=False))


@contextmanager
def _ends_on_signals(source: Source) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the stream: answers that are on their way are written, and the report is told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: source.stop()) for number in wanted]
    try:
        yield
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)


def _tell(out: Output, report: dict[str, Any]) -> None:
    times = report["latency_ms"]
    fast = "" if times["p50"] is None else f"; p50 {times['p50']:.1f} ms, p99 {times['p99']:.1f} ms"
    rest = ", ".join(f"{report[key]} {key}" for key in ("failed", "dropped") if report[key])
    if report["drift"] is not None:
        rest = f"{rest}{', ' if rest else ''}drift from {report['drift']['since']} on"
    out.tell(f"{report['answered']} answered{fast}{'; ' + rest if rest else ''}")
