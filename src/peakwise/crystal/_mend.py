"""CIF text that its grammar does not allow, read as it was meant and written again cleanly.

The grammar (https://www.iucr.org/resources/cif/spec/version1.1): ``data_NAME`` begins a block; a tag begins with
``_`` and has one value; ``loop_``, tags, then values in rows. A value is a word, ``'quoted'`` or ``"quoted"`` (closed
by a quote before white space), or lines between two lines that begin with ``;``.

Mended here: a quote or a text that is never closed, a tag without a value, a tag that comes twice, a loop whose last
row is cut short or whose rows have lost a value, values that belong to nothing, no ``data_`` at the beginning.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from peakwise.crystal._site_text import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["mend"]

_WORD = re.compile(r"\s*(?:(#.*)|'((?:[^']|'(?=\S))*)'(?=\s|$)|\"((?:[^\"]|\"(?=\S))*)\"(?=\s|$)|(['\"])(.*)|(\S+))")
_NEEDED = re.compile(r"_(atom_site|cell|symmetry|space_group|chemical|exptl|diffrn_radiation|database)", re.IGNORECASE)
_TAG, _VALUE, _LOOP, _BLOCK = "tag", "value", "loop", "block"
Token = tuple[str, str, int]  # kind, text, line


def mend(text: str, note: Callable[[str], None]) -> str:
    """The structure-related part of a CIF in clean grammar; `note` is told what was mended."""
    out: list[str] = []
    tokens = list(_tokens(text, note))
    seen: set[str] = set()
    blocks: dict[str, int] = {}
    i = 0
    if not any(kind == _BLOCK for kind, _, _ in tokens):
        note("no data_ line: one added")
    if not tokens or tokens[0][0] != _BLOCK:
        out.append("data_1")
    while i < len(tokens):
        kind, value, _ = tokens[i]
        i += 1
        if kind == _BLOCK:
            name = value or "1"
            blocks[name.lower()] = blocks.get(name.lower(), 0) + 1
            if blocks[name.lower()] > 1:
                note(f"two data blocks are called {name}")
                name = f"{name}~{blocks[name.lower()]}"
            out.append(f"data_{name}")
            seen.clear()
        elif kind == _LOOP:
            i = _loop(tokens, i, out, seen, note)
        elif kind == _TAG:
            has_value = i < len(tokens) and tokens[i][0] == _VALUE
            if not has_value:
                note(f"{value} has no value")
            if value.lower() in seen:
                note(f"{value} comes twice: the first taken")
            elif has_value and _NEEDED.match(value):
                out.append(f"{value} {_quoted(tokens[i][1])}")
            seen.add(value.lower())
            i += has_value
        else:
            note("values that belong to no tag left out")
    return "\n".join(out) + "\n"


def _loop(tokens: list[Token], i: int, out: list[str], seen: set[str], note: Callable[[str], None]) -> int:
    """Write one loop; returns where the next thing begins."""
    tags = []
    while i < len(tokens) and tokens[i][0] == _TAG:
        tags.append(tokens[i][1])
        i += 1
    first = i
    while i < len(tokens) and tokens[i][0] == _VALUE:
        i += 1
    if not tags or first == i:
        note("an empty loop left out")
        return i
    names = [t.lower() for t in tags]
    if not _NEEDED.match(tags[0]) or any(n in seen for n in names) or len(set(names)) < len(names):
        return i
    seen.update(names)
    values = tokens[first:i]
    if len(values) % len(tags):
        by_line: dict[int, list[str]] = {}
        for _, value, line in values:
            by_line.setdefault(line, []).append(value)
        flat = [v for _, v, _ in values]
        lines = [r for r in by_line.values() if len(r) == len(tags)]
        chunks = [flat[k : k + len(tags)] for k in range(0, len(flat) - len(tags) + 1, len(tags))]
        # A row a line, or rows over several lines with the last one cut short: what looks more like a table.
        rows = max((lines, chunks), key=_regular)
        left = len(values) - len(rows) * len(tags)
        note(f"the loop of {tags[0]} has {len(values)} values for {len(tags)} tags: {left} left out")
    else:
        flat = [v for _, v, _ in values]
        rows = [flat[k : k + len(tags)] for k in range(0, len(flat), len(tags))]
    if rows:
        out += ["loop_", *tags, *(" ".join(map(_quoted, r)) for r in rows)]
    return i


def _regular(rows: list[list[str]]) -> int:
    """How many rows have numbers in the same columns as most, less those that have not."""
    kinds = Counter(tuple(not math.isnan(number(v)) for v in row) for row in rows)
    return 2 * max(kinds.values(), default=0) - len(rows)


def _tokens(text: str, note: Callable[[str], None]) -> Iterator[Token]:
    lines = re.split(r"\r\n?|\n", text)
    n = 0
    while n < len(lines):
        line = lines[n]
        if line.startswith(";"):
            end = next((k for k in range(n + 1, len(lines)) if lines[k].startswith(";")), None)
            if end is None:
                note("a text field is never closed")
                n += 1
                continue
            yield _VALUE, "\n".join([line[1:], *lines[n + 1 : end]]).strip(), n
            n = end + 1
            continue
        yield from _words(line, n, note)
        n += 1


def _words(line: str, n: int, note: Callable[[str], None]) -> Iterator[Token]:
    for match in _WORD.finditer(line):
        comment, single, double, opened, rest, word = match.groups()
        if comment is not None:
            return
        if opened is not None:
            note(f"a quote is never closed in line {n + 1}")
            yield _VALUE, rest.strip(), n
        elif word is None:
            yield _VALUE, single if single is not None else double, n
        elif word.lower() == "loop_":
            yield _LOOP, "", n
        elif word.lower().startswith("data_"):
            yield _BLOCK, re.sub(r"[^\x21-\x7e]", "_", word[5:]), n
        elif word.startswith("_") and len(word) > 1:
            yield _TAG, re.sub(r"[^\x21-\x7e]", "_", word), n
        else:
            yield _VALUE, word, n


def _quoted(value: str) -> str:
    """A value in the form that the grammar wants; texts of several lines become one."""
    flat = re.sub(r"\s+", " ", value).strip()
    if (
        flat
        and not re.search(r"[\s'\"]", flat)
        and not re.match(r"[_#$\[\];]|(data|loop|save|stop|global)_", flat, re.IGNORECASE)
    ):
        return flat
    return f'"{flat}"' if '"' not in flat else f"'{flat}'" if "'" not in flat else "'" + flat.replace("'", "’") + "'"
