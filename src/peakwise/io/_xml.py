"""XML of a stranger's file -> a tree of elements, or one clear refusal.

What is refused, and why:

* every document type declaration (``<!DOCTYPE``): only there can entities be declared, and with them a file of one
  kilobyte grows to gigabytes ("billion laughs") or fetches other files of the computer. The parser stops at the
  declaration, before anything inside it is read. Instruments never write one.
* more than `MAX_MARKS` tags and attributes, told by counting bytes before anything is built: an element takes a hundred
  times the memory of its three letters in the file.

Prefixes (``<p:scan>``) are cut off and namespaces are not looked at, because instruments change the version in their
namespace with every release. That also means that no name is ever spelled out with a long namespace in front of it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import LimitError
from peakwise.io._numbers import parse_numbers, parse_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["MAX_MARKS", "angstrom", "attribute", "find_number", "find_text", "number_rows", "numbers", "parse"]

MAX_MARKS = 4_000_000  # "<" and "=" in one document: two million elements, some hundred megabytes in memory
_PIECE = 1 << 20  # characters of a list of numbers that are parsed at once
_SPACE, _LINE_END = re.compile(r"\s"), re.compile(r"\n")


class _RefusedError(Exception):
    """Thrown out of the parser's callbacks."""


def parse(source: Source, data: bytes, what: str = "the file") -> Element:
    """Return the root element of an XML document.

    Parameters
    ----------
    source : Source
        The file that errors name.
    data : bytes
        The document, in the encoding that it declares (UTF-8 without a declaration).
    what : str
        What the document is called in errors: the file, or a member of an archive.
    """
    from xml.parsers.expat import ErrorString, ExpatError

    marks = data.count(b"<") + data.count(b"=")
    if marks > MAX_MARKS:
        raise LimitError(
            "cannot read the scan",
            f"{what} has {marks} XML tags and attributes, at most {MAX_MARKS} are read",
            "Split the file with the instrument's software",
            file=source.path,
        )
    try:
        return _build(data, _encoding(data))
    except _RefusedError as refused:
        raise source.damaged(f"{what} {refused}", "Do not trust it; copy it again from the instrument") from refused
    except ExpatError as problem:
        why = f"the XML of {what} breaks off or is broken at line {problem.lineno}, column {problem.offset}"
        raise source.damaged(f"{why} ({ErrorString(problem.code)})") from problem
    except (LookupError, ValueError) as problem:
        raise source.damaged(f"{what} declares a text encoding that cannot be read ({problem})") from problem


def _encoding(data: bytes) -> str | None:
    """The encoding to force on the parser; None to believe the document.

    Two declarations are known to be wrong in files that are sound otherwise. Programs on Windows write "utf-16" into
    documents that they then save as UTF-8. And somebody types ``°`` into a comment with an old editor, so that the text
    is no UTF-8 any more: read byte by byte, all tags and numbers are the same.
    """
    declared = re.match(rb"[^>]{0,200}?encoding\s*=\s*[\"']([^\"']*)", data[:256])
    name = declared[1].lower() if declared else b"utf-8"
    if b"\0" in data[:4] or name not in (b"utf-8", b"utf8", b"utf-16"):
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.reason != "unexpected end of data":  # that one is a file that was cut short inside a character
            return "iso-8859-1"
    return "utf-8"


def _build(data: bytes, encoding: str | None) -> Element:
    from xml.etree.ElementTree import TreeBuilder
    from xml.parsers.expat import ParserCreate

    def refuse(*_: object) -> None:
        raise _RefusedError("has a document type declaration (DOCTYPE), which no instrument writes")

    builder = TreeBuilder()
    parser = ParserCreate(encoding)
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.Parse(data, True)
    root = builder.close()
    for element in root.iter():
        if ":" in element.tag:
            element.tag = element.tag.rpartition(":")[2]
    return root


def attribute(element: Element, name: str) -> str | None:
    """Value of an attribute, with whatever prefix it is written (``xsi:type``)."""
    plain = element.get(name)
    if plain is not None:
        return plain
    return next((value for key, value in element.items() if key.rpartition(":")[2] == name), None)


def find_text(element: Element | None, path: str) -> str | None:
    """Stripped text of the element at a path; None where there is none or it is empty."""
    found = None if element is None else element.find(path)
    return (found.text or "").strip() or None if found is not None else None


def find_number(element: Element | None, path: str) -> float | None:
    """Finite number at a path, from its text or, where Bruker puts it, its ``Value``; None for anything else.

    Only for what a scan can be read without; positions and counts go through `numbers`.
    """
    found = None if element is None else element.find(path)
    if found is None:
        return None
    try:
        value = float(found.get("Value") or found.text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def angstrom(element: Element | None, path: str) -> float | None:
    """A wavelength [angstrom], from the unit that the file writes beside it (angstrom where it writes none)."""
    value = find_number(element, path)
    if element is None or value is None or value <= 0:
        return None
    found = element.find(path)
    unit = None if found is None else attribute(found, "unit") or attribute(found, "Unit")
    return value * 10 if (unit or "").strip().lower() == "nm" else value


def numbers(text: str | None) -> NDArray[np.float64]:
    r"""Numbers parted by white space; `ValueError` for anything else. Memory stays near that of the result.

    >>> numbers("1 2.5\n-3e1").tolist()
    [1.0, 2.5, -30.0]
    """
    parts = [parse_numbers(piece) for piece in _pieces(text or "", _SPACE)]
    return np.concatenate(parts) if parts else np.empty(0)


def number_rows(text: str, width: int) -> NDArray[np.float64]:
    r"""Lines of `width` numbers each, as a table; `ValueError` for anything else. Blank lines are passed over.

    >>> number_rows("1\t2\n3\t4\n", 2).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    parts = [parse_rows(piece, width) for piece in _pieces(text, _LINE_END)]
    return np.concatenate(parts) if parts else np.empty((0, width))


def _pieces(text: str, gap: re.Pattern[str]) -> Iterator[str]:
    """A long text in pieces that end at a gap, so that what parsing takes beside the result stays small."""
    at = 0
    while at < len(text):
        end = gap.search(text, at + _PIECE)
        yield text[at : end.start() if end else len(text)]
        at = end.end() if end else len(text)
