"""What a command says: one JSON document, or tables for people; progress and left-out files on stderr."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import click
import numpy as np

from peakwise._version import __version__
from peakwise.errors import PeakwiseError, ReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from peakwise.patterns import Patterns

__all__ = ["Output"]

_WIDE = 220


class Output:
    """Collects the answer of one command and prints it once, at the end.

    `document` is the JSON answer; `failed` the files that were left out; `warnings` what the user should know;
    `notes` how it was done.
    """

    def __init__(
        self,
        command: str,
        *,
        as_json: bool,
        quiet: bool,
        seed: int = 0,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self.command, self.as_json, self.quiet = command, as_json, quiet
        self.seed, self.threads, self.device = seed, threads, device
        self.document: dict[str, Any] = {}
        self.failed: list[PeakwiseError] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self._tables: list[Any] = []
        self._told = 0  # failures that were told
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or (issubclass(kind, PeakwiseError) and self.failed):
            self._print()

    def fail(self, problem: PeakwiseError, file: str) -> None:
        """Note a file that was left out; the command goes on."""
        problem.file = problem.file or file
        self.failed.append(problem)

    def need_some(self, used: int) -> None:
        """Tell of the files that were left out since the last call; end the command when not one could be used."""
        new, self._told = self.failed[self._told :], len(self.failed)
        if used or not new:
            for problem in new:
                click.echo(f"peakwise: left out: {problem}", err=True)
            return
        if len(new) == 1:
            raise new[0]
        why = f"none of {len(new)} files could be used; the first, {new[0].file}: {new[0].why}"
        raise ReadError("nothing could be read", why, new[0].do)

    def tell(self, text: str) -> None:
        """Say at once, on stderr, what takes long; nothing under --quiet."""
        if not self.quiet:
            click.echo(f"peakwise: {text}", err=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
        """Add a table for people; nothing under --json or --quiet."""
        if self.as_json or self.quiet:
            return
        from rich import box
        from rich.table import Table

        cells = [[_cell(x) for x in row] for row in rows]
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for number, column in enumerate(columns):
            # On a narrow terminal texts take more lines; a number is never cut in two.
            is_number = all(re.fullmatch(r"[-+.\deE]*", row[number]) for row in cells)
            table.add_column(column, no_wrap=is_number, overflow="fold", justify="right" if is_number else "left")
        for row in cells:
            table.add_row(*row)
        self._tables.append(table)

    def wrote(self, patterns: Patterns, output: str, **more: object) -> None:
        """Tell of a file that was written: what it holds, and what was assumed on the way."""
        self.warnings += patterns.warnings
        row: dict[str, object] = {
            "output": output,
            "patterns": len(patterns),
            "points": patterns.n_points,
            "axis": patterns.kind,
            "start": float(patterns.axis[0]),
            "stop": float(patterns.axis[-1]),
            "wavelength": patterns.wavelength,
            **more,
        }
        self.document.update(row)
        self.table(tuple(row), [tuple(row.values())])

    def say(self, text: str) -> None:
        """Add a line for people; nothing under --json or --quiet."""
        if not (self.as_json or self.quiet):
            self._tables.append(text)

    def progress(self, items: Iterator[Any], what: str, total: int | None = None) -> Iterator[Any]:
        """Show a bar on a terminal while items come; on anything else just pass them on."""
        if self.quiet or not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        yield from track(items, what, total=total, console=Console(stderr=True), transient=True)

    def _print(self) -> None:
        if self.as_json:
            rows = [{"file": p.file, "why": p.reason} for p in self.failed]
            head = {"peakwise": __version__, "command": self.command, "failed": rows, "warnings": self.warnings}
            seconds = round(time.perf_counter() - self._start, 4)
            notes = {"notes": self.notes} if self.notes else {}
            document = {**head, "seconds": seconds, **notes, **self.document}
            click.echo(json.dumps(_plain(document), ensure_ascii=False, allow_nan=False))
            return
        if self._tables:
            from rich.console import Console

            # Into a pipe or a file a table keeps its whole width: nobody can widen that window afterwards.
            console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
            for part in self._tables:
                console.print(part, markup=False, soft_wrap=True) if isinstance(part, str) else console.print(part)
        for warning in self.warnings:
            click.echo(f"peakwise: warning: {one_line(warning)}", err=True)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return escape(one_line(value, 200))


def _plain(value: Any) -> Any:
    """Numbers, texts, lists and dicts only; what is not finite becomes null, for JSON has no NaN."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        # Half of a surrogate pair (an undecodable file name) cannot be printed as UTF-8.
        return value.encode("utf-8", "replace").decode("utf-8")
    return value
