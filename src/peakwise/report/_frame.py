"""What every report has: one file that loads nothing, and at its end where the answer comes from."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from peakwise.errors import WriteError
from peakwise.report._markup import Markup, tag, verbatim
from peakwise.report._panel import table
from peakwise.report._words import plain, significant

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = ["again", "failed_files", "fill", "header", "provenance", "save_page"]

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
