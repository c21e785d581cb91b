"""What every report has: one file that loads nothing, and at its end where the answer comes from."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from importlib.resources import files
from itertools import takewhile
from string import Template
from typing import TYPE_CHECKING, Any

from peakwise.errors import WriteError
from peakwise.report._markup import Markup, tag, verbatim
from peakwise.report._panel import table
from peakwise.report._words import plain, significant

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = [
    "again",
    "card",
    "choice",
    "failed_files",
    "figure_place",
    "fill",
    "header",
    "map_card",
    "provenance",
    "save_page",
    "scan_overview",
    "shared_folder",
]

_NO_SCRIPT = "The plot needs JavaScript; nothing else here does."
_MOST_FAILED = 1_000
_MOST_FACTS = 300


def save_page(text: str, path: str | os.PathLike[str]) -> None:
    """Write a page whole or not at all; one of the same name is replaced."""
    from peakwise.io import atomic_file

    try:
        with atomic_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except ValueError as problem:  # a path that no system takes, with a zero byte inside
        raise WriteError("cannot write the file", str(problem), "Choose another name", file=path) from problem


def fill(title: str, body: Markup, data: Markup, scripts: Sequence[str]) -> str:
    """Return the page: `body`, the data blocks, and the scripts of these names, in this order, as one."""
    style = _part("report.css")
    script = "".join(_part(name) for name in scripts)
    script = f'(function () {{\n"use strict";\n{script}}})();\n'
    return Template(_part("report.html")).substitute(
        title=tag("title", None, title), body=body, data=data, style=style, script=script,
        style_hash=_hash(style), script_hash=_hash(script),
    )  # fmt: skip


def _part(name: str) -> str:
    return files("peakwise.report").joinpath("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def header(question: str, counts: Sequence[str], whole: Mapping[str, Any], *more: Markup) -> Markup:
    """Return the head of a page: the question, what was looked at, in which time and by which version."""
    facts = [
        *counts,
        f"in {significant(whole['seconds'], 3)} s" if isinstance(whole.get("seconds"), int | float) else "",
        f"by peakwise {whole['peakwise']}" if whole.get("peakwise") else "by peakwise",
    ]
    told = tag("p", {"class": "facts"}, " ".join(fact for fact in facts if fact))
    return tag("header", None, tag("h1", None, question), told, *more)


def card(inner: Markup) -> Markup:
    """Return a part of the page in its frame, or nothing where there is none."""
    return tag("section", {"class": "card"}, inner) if inner else Markup("")


def figure_place(
    kind: str, block: str, label: str, *inside: Markup | str, css: str = "plot", target: int | None = None
) -> Markup:
    """Return the place in which a script draws a figure of this kind from the data block of this name."""
    given: dict[str, Any] = {"class": css, "data-kind": kind, "data-block": block, "data-label": label}
    given["data-target"] = None if target is None else str(target)
    return tag("figure", given, tag("noscript", None, tag("p", {"class": "note"}, _NO_SCRIPT)), *inside)


def map_card(name: str, title: str, note: str, *figures: Markup) -> Markup:
    """Return figures with a title above and what is to be known of them below; links lead to `name`."""
    said = tag("p", {"class": "note"}, note) if note else ""
    return tag("section", {"class": "card map", "id": name}, tag("h2", None, title), *figures, said)


def scan_overview(
    choices: Sequence[Markup], wanted: str, head: Sequence[Markup], rows: Sequence[Markup], note: str, *, panels: bool
) -> Markup:
    """Return the table of all scans that can be sorted, searched and filtered; with `panels`, all can be opened."""
    search = tag("input", {"type": "search", "placeholder": wanted, "aria-label": "Search"})
    return tag(
        "section", {"id": "overview", "class": "novelty"},
        tag("h2", None, "All scans"),
        tag("div", {"class": "tools", "role": "group", "aria-label": "Filter"}, *choices, search,
            tag("output", {"id": "shown"})),
        tag("div", {"class": "scroll"},
            tag("table", {"class": "sortable"}, tag("thead", None, tag("tr", None, *head)),
                tag("tbody", None, *rows))),
        tag("p", {"class": "note"}, note) if note else "",
        tag("div", {"class": "tools", "hidden": not panels},
            tag("button", {"type": "button", "id": "open-all"}, "open all shown"),
            tag("button", {"type": "button", "id": "close-all"}, "close all")),
    )  # fmt: skip


def choice(verdict: str, text: str, *, is_on: bool = False) -> Markup:
    """Return a button that shows the scans of one kind of answer."""
    pressed = {"class": f"filter v-{verdict or 'all'}", "data-verdict": verdict, "aria-pressed": str(is_on).lower()}
    return tag("button", {"type": "button", **pressed}, text)


def shared_folder(names: Sequence[str]) -> int:
    """How many characters of folders all names begin with: in a table they only take room."""
    first, last = min(names).split("/")[:-1], max(names).split("/")[:-1]  # what these two share, all share
    same = [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))]
    return len("/".join([*same, ""]))


def failed_files(failed: Sequence[Mapping[str, str]]) -> Markup:
    """Return the table of files that could not be used, or nothing."""
    if not failed:
        return Markup("")
    rows = [
        tag("tr", None, tag("th", {"scope": "row"}, tag("bdi", None, row["file"])), tag("td", None, row["why"]))
        for row in failed[:_MOST_FAILED]
    ]
    inner = table(f"Files that could not be used ({len(failed):,})", ["file", "why"], rows, len(rows))
    return tag("div", {"class": "failed card", "id": "failed"}, inner)


def again(whole: Mapping[str, Any]) -> Markup:
    """Return the command that makes the answer again, to copy."""
    given = (whole.get("provenance") or {}).get("command_line")
    if not given:
        return Markup("")
    line = shlex.join(map(str, given)) if isinstance(given, list | tuple) else str(given)
    return tag(
        "section", {"class": "card", "id": "again"},
        tag("h2", None, "Run it again"),
        tag("div", {"class": "command"}, tag("pre", {"id": "command"}, tag("code", None, verbatim(line))),
            tag("button", {"type": "button", "class": "copy", "data-from": "command"}, "copy")),
    )  # fmt: skip


def provenance(whole: Mapping[str, Any]) -> Markup:
    """Return versions, settings and checksums, or nothing."""
    parts = []
    flat = list(_flat(whole.get("provenance") or {}))
    stated = {name for name, _ in flat}
    flat += [(f"settings.{k}", v) for k, v in _flat(whole.get("settings") or {}) if f"settings.{k}" not in stated]
    groups: dict[str, list[Markup]] = {}
    for name, value in flat[:_MOST_FACTS]:
        if name == "command_line" or name.startswith("command_line."):
            continue
        group, _, rest = name.partition(".")
        row = tag("div", None, tag("dt", None, (rest or group).replace("_", " ")), tag("dd", None, plain(value)))
        groups.setdefault(group if rest else "run", []).append(row)
    if whole.get("peakwise"):
        row = tag("div", None, tag("dt", None, "peakwise"), tag("dd", None, whole["peakwise"]))
        groups.setdefault("versions", []).insert(0, row) if "versions.peakwise" not in stated else None
    for group, rows in groups.items():
        parts.append(tag("section", {"class": "part"}, tag("h3", None, group), tag("dl", None, *rows)))
    if not parts:
        return Markup("")
    more = f"and {len(flat) - _MOST_FACTS} more" if len(flat) > _MOST_FACTS else ""
    inner = tag("div", {"class": "columns"}, *parts)
    return tag("section", {"class": "card", "id": "provenance"}, tag("h2", None, "Where this comes from"), inner, more)


def _flat(tree: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and depth < 5:
            yield from ((f"{key}.{rest}", leaf) for rest, leaf in _flat(value, depth + 1))
        else:
            yield str(key), value
