"""Markdown for the generated pages: tables, paragraphs, whole pages."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AGAIN = "make reference"
_NOTE = f"<!-- Written by scripts/make_reference.py: change the source and run `{AGAIN}`. -->"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def code(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


def prose(text: str) -> str:
    """A paragraph on one line."""
    return " ".join(text.split())


def page(*parts: str) -> str:
    return "\n\n".join(part.rstrip("\n") for part in (_NOTE, *parts)) + "\n"


def first(one: type) -> str:
    """The summary of a class, in one line."""
    return prose((inspect.getdoc(one) or "").partition("\n\n")[0]).replace("``", "`")
