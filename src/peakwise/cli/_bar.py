"""A bar for one long piece of work whose share is known."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peakwise.cli._output import Output

__all__ = ["bar"]


@contextmanager
def bar(out: Output) -> Iterator[Callable[[str, float], None]]:
    """A function of a text and a share from 0 to 1 that shows them on a terminal; elsewhere it does nothing."""
    if out.quiet or not sys.stderr.isatty():
        yield lambda text, share: None  # noqa: ARG005 - nobody to tell
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda text, share: progress.update(task, description=text, completed=share)
