"""HTML in which everything is escaped unless it was made here."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import TYPE_CHECKING

from peakwise.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Markup", "chemical", "data_block", "join", "tag", "verbatim"]

_LONGEST = 2000  # characters of one text; a hostile file must not fill the page
_STEERING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_EMPTY = frozenset({"input", "br", "meta", "link", "wbr"})  # elements of HTML that have no end


class Markup(str):
    """Text that is HTML already. Only this file and constants of this room make it."""

    __slots__ = ()


def tag(name: str, attributes: Mapping[str, object] | None = None, *children: object) -> Markup:
    """Return one element. Children and values of attributes are escaped; None is left out; True is a bare attribute.

    >>> tag("td", {"class": "n", "title": 'a"b', "hidden": True, "id": None}, "1 < 2", tag("b", None, "x"))
    '<td class="n" title="a&quot;b" hidden>1 &lt; 2<b>x</b></td>'
    """
    said = "".join(
        f" {key}" if value is True else f' {key}="{_escaped(value)}"'
        for key, value in (attributes or {}).items()
        if value is not None and value is not False
    )
    inside = join(children)
    return Markup(f"<{name}{said}>" if name in _EMPTY else f"<{name}{said}>{inside}</{name}>")


def join(children: Iterable[object]) -> Markup:
    """Return the children one after the other; what is no Markup is escaped and loses what cannot be printed."""
    return Markup("".join(c if isinstance(c, Markup) else _escaped(c) for c in children if c is not None and c != ""))


def _escaped(value: object, longest: int = _LONGEST) -> str:
    """Escape a text; what steers a terminal or turns the direction of writing becomes a question mark."""
    text = str(value)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return html.escape("".join("?" if unicodedata.category(c) in _STEERING and c not in "\n\t" else c for c in text))


def verbatim(text: str, longest: int = 20_000) -> Markup:
    """Return a long text with its spaces and lines as they are.

    >>> verbatim("a  <b>")
    'a  &lt;b&gt;'
    """
    return Markup(_escaped(text, longest))


def chemical(formula: str | None) -> Markup:
    """Return a formula with its numbers set low.

    >>> chemical("Ti0.5O2<b>")
    'Ti<sub>0.5</sub>O<sub>2</sub>&lt;b&gt;'
    """
    parts = re.split(r"((?<=[A-Za-z)\]])\d+(?:\.\d+)?)", one_line(formula or ""))
    return join(tag("sub", None, part) if i % 2 else part for i, part in enumerate(parts))


def data_block(identifier: str, data: object) -> Markup:
    r"""Return data for the script of the page: an element that is never run and that nothing inside can close.

    >>> data_block("a", {"name": "</script><!--\u2028"})
    '<script type="application/json" id="a">{"name":"\\u003c/script\\u003e\\u003c!--\\u2028"}</script>'
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{html.escape(identifier)}">{text}</script>')
