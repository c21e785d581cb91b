"""Every exception that peakwise raises on purpose, drawn as a tree.

::

    PeakwiseError
    ├── ReadError                 a file that does not become patterns
    │   ├── NothingToReadError    no such file, an empty folder, a glob without a match
    │   ├── UnknownFormatError    no reader recognises the content
    │   ├── DamagedFileError      the format is known, the content contradicts it
    │   ├── UnfinishedFileError   somebody is still writing it
    │   └── LimitError            larger than what is read without being asked
    ├── FetchError                a data set elsewhere that could not be fetched
    ├── WriteError                a file that could not be written
    ├── ModelFileError            a model file that is damaged, altered, foreign or of a later version
    ├── PatternsError             numbers that are no pattern (also a ValueError)
    ├── AxisError                 an axis, a unit or a wavelength that cannot be meant (also a ValueError)
    │   └── GridError             patterns on another grid than was asked for
    ├── PhaseError                a structure that cannot be used (also a ValueError)
    ├── OptionError               an option with a value it cannot have (also a ValueError)
    └── MissingExtraError         an optional library is not installed (also an ImportError)

Each message is one line in three parts: what happened, why (what must be and what was got), and what to do about it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

__all__ = [
    "AxisError",
    "DamagedFileError",
    "FetchError",
    "GridError",
    "LimitError",
    "MissingExtraError",
    "ModelFileError",
    "NothingToReadError",
    "OptionError",
    "PatternsError",
    "PeakwiseError",
    "PhaseError",
    "ReadError",
    "UnfinishedFileError",
    "UnknownFormatError",
    "WriteError",
    "one_line",
]

_LONGEST = 600  # characters; a hostile file must not fill the terminal through its error message


def one_line(text: object, longest: int = _LONGEST) -> str:
    r"""Return `text` as one printable line of at most `longest` characters.

    >>> one_line("two\nlines\x1b[31m")
    'two lines?[31m'
    """
    flat = re.sub(r"\s+", " ", str(text)).strip()
    shown = "".join(c if c.isprintable() else "?" for c in flat)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


class PeakwiseError(Exception):
    """What went wrong, why, and what to do about it, in one line.

    Parameters
    ----------
    what : str
        What happened, as the beginning of a sentence.
    why : str
        What must be and what was got.
    do : str
        What the user can do.
    file : path-like, optional
        The file that it is about.

    Examples
    --------
    >>> str(ReadError("cannot read the scan", "it holds 0 bytes", "Copy the file again", file="a.xy"))
    'cannot read the scan (a.xy): it holds 0 bytes. Copy the file again.'
    """

    def __init__(self, what: str, why: str, do: str, *, file: str | os.PathLike[str] | None = None) -> None:
        self.what, self.why, self.do = (one_line(part).rstrip(".") for part in (what, why, do))
        self.file = None if file is None else str(file)
        super().__init__(what, why, do, file)

    @property
    def reason(self) -> str:
        """Why and what to do, without the file: the `why` of a `failed` row."""
        return f"{self.why}. {self.do}."

    def __str__(self) -> str:
        place = f" ({one_line(self.file)})" if self.file is not None else ""
        return f"{self.what}{place}: {self.reason}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.why, self.do, self.file)


def _rebuild(kind: type[PeakwiseError], what: str, why: str, do: str, file: str | None) -> PeakwiseError:
    """Make the same error again on the other side of a process boundary."""
    return kind(what, why, do, file=file)


class ReadError(PeakwiseError):
    """A file that does not become patterns."""


class NothingToReadError(ReadError):
    """No such file, an empty folder, or a glob without a match."""


class UnknownFormatError(ReadError):
    """No reader recognises the content."""


class DamagedFileError(ReadError):
    """The format is known, and the content contradicts it."""


class UnfinishedFileError(ReadError):
    """Somebody is still writing the file."""


class LimitError(ReadError):
    """Larger than what is read without being asked."""


class FetchError(PeakwiseError):
    """A data set elsewhere that could not be fetched."""


class WriteError(PeakwiseError):
    """A file that could not be written."""


class ModelFileError(PeakwiseError):
    """A model file that is damaged, altered, foreign or of a later version."""


class PatternsError(PeakwiseError, ValueError):
    """Numbers that are no pattern."""


class AxisError(PeakwiseError, ValueError):
    """An axis, a unit or a wavelength that cannot be meant."""


class GridError(AxisError):
    """Patterns on another grid than was asked for."""


class PhaseError(PeakwiseError, ValueError):
    """A structure that cannot be used."""


class OptionError(PeakwiseError, ValueError):
    """An option with a value that it cannot have."""


class MissingExtraError(PeakwiseError, ImportError):
    """An optional library is not installed."""
