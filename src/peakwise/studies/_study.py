"""What a study is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Outcome", "Request", "Study", "Table"]


def _silent(text: str, share: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Request:
    """How to repeat a study.

    Attributes
    ----------
    folder : Path
        Where figures and tables go; it is made where it is missing.
    quick : bool
        A small repetition of a minute, which shows that everything works and little else.
    data : Path or None
        Folder of measured data and structures (``PEAKWISE_DATA``).
    minutes : float or None
        Most time for training networks [min]; None: as the study has it.
    seed : int
    threads : int or None
    device : str
        Where networks run: auto, cpu or cuda.
    tell : callable
        Called with what is being done, and with the share of the work that is done.
    """

    folder: Path = Path("study")
    quick: bool = False
    data: Path | None = None
    minutes: float | None = None
    seed: int = 0
    threads: int | None = None
    device: str = "auto"
    tell: Callable[[str, float], None] = _silent


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of ours under the columns of the paper, and the rows that the paper has.

    >>> Table("Accuracy", ("model", "top-1"), [("CNN", 0.9)], [("CNN", 0.567)]).to_dict()["published"]
    [['CNN', 0.567]]
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    published: Sequence[Sequence[Any]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, as JSON has them."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "published": [list(row) for row in self.published],
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tables, figures, and what a reader must know about them."""

    tables: Sequence[Table]
    figures: Sequence[Path] = ()
    warnings: Sequence[str] = ()
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """A published study that can be repeated.

    Attributes
    ----------
    name : str
        What it is called on the command line.
    title : str
        What it asks, in one line.
    citation, doi : str
    run : callable
        `Request` to `Outcome`.
    """

    name: str
    title: str
    citation: str
    doi: str
    run: Callable[[Request], Outcome]
