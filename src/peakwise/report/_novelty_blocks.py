"""The maps and scans of a search for the new as data for the script of its page: numbers that it draws, no more."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.report._curves import kept_points, pack
from peakwise.report._hover import axis_of, finite, most_small, short_name, small_patterns
from peakwise.report._novelty_verdict import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.report._novelty import NoveltyDocument, NoveltyScan

__all__ = ["cloud_block", "groups_of", "scan_block", "strangest"]

_MOST_POINTS = 6_000  # of one scan's figure
_MOST_NAMES = 40  # of one column
_NAME = 48
_MOST_COLUMNS = 24
_ANSWERS = ("known", "explained", "new")


def strangest(scans: Sequence[NoveltyScan]) -> NDArray[np.intp]:
    """Return the order of the scans: new, explained, known, and of each the strangest first."""
    rank = np.array([_ANSWERS.index(kind_of(s)) for s in scans], dtype=np.float64)
    return np.lexsort((-_numbers([s.get("score") for s in scans]), -rank))


def groups_of(whole: NoveltyDocument) -> tuple[list[str], NDArray[np.intp], NDArray[np.intp]]:
    """Return the names of the known phases, most common first, and the number of each scan and each known one.

    Known scans that each have a name of their own are no phases: then there are no groups, and all numbers are -1.
    """
    plane = whole.get("map") or {}
    known = [str(name) for name in plane.get("known_names") or ()]
    near = [str(s.get("nearest") or "") for s in whole["scans"]]
    counts = Counter(known)
    if not counts or 2 * len(counts) > len(known):
        return [], np.full(len(near), -1), np.full(len(_rows(plane.get("known"))), -1)
    number = {name: i for i, (name, _) in enumerate(counts.most_common())}
    return list(number), np.array([number.get(t, -1) for t in near], np.intp), np.array([number[t] for t in known])


def cloud_block(whole: NoveltyDocument) -> dict[str, Any] | None:
    """Return all points with whatever colours them, or None where there is nothing to draw."""
    scans = whole["scans"]
    if not scans:
        return None
    plane: Mapping[str, Any] = whole.get("map") or {}
    n = len(scans)
    names, group, known_group = groups_of(whole)
    known = _rows(plane.get("known"))
    k = max(len(known), len(_rows(plane.get("known_scores"), 1)))
    answers = np.array([_ANSWERS.index(kind_of(s)) for s in scans], dtype=np.float64)
    asked_columns: dict[str, NDArray[np.float64]] = {
        "score": _numbers([s.get("score") for s in scans]), "p": _numbers([s.get("p_value") for s in scans]),
        "answer": answers, "group": group.astype(np.float64),
    }  # fmt: skip
    nothing = np.full(k, np.nan)
    known_columns = {
        "score": _given(plane.get("known_scores"), k), "p": nothing, "answer": nothing,
        "group": known_group.astype(np.float64) if known_group.size == k else nothing,
    }  # fmt: skip
    if plane.get("asked") is not None:
        points = np.asarray(plane["asked"], dtype=np.float64)
        for i, key in enumerate(("x", "y")):
            asked_columns[key] = points[:, i]
            known_columns[key] = known[:, i] if len(known) else nothing
    if plane.get("errors") is not None:
        asked_columns["error"] = _given(plane["errors"], n)
        known_columns["error"] = _given(plane.get("known_errors"), k)
    categories, more = _colourings(plane, n)
    asked_columns |= more
    curves = plane.get("curves")
    if curves is not None:
        asked_columns["strongest"] = _strongest(curves)
    for key, columns in _places(plane):
        asked_columns[key] = columns
    for key in asked_columns:
        known_columns.setdefault(key, nothing)
    return {
        "n": n, "k": int(k),
        "names": [short_name(s["scan"]) for s in scans],
        "nearest": _coded([str(s.get("nearest") or "") for s in scans]),
        "reasons": _coded([str(s.get("explained_by") or "") for s in scans]),
        "knownNames": _coded([str(t) for t in plane.get("known_names") or ()]),
        "groups": [one_line(name, _NAME) for name in names],
        "columns": list(asked_columns),
        "packed": pack([np.r_[asked_columns[c], known_columns[c]] for c in asked_columns], 0),
        "categories": categories,
        "axes": [one_line(a, 60) for a in plane.get("axes") or ("x", "y")],
        "threshold": finite(whole.get("threshold")),
        "hasPlane": plane.get("asked") is not None,
        "hasPlaces": plane.get("positions") is not None,
        "hasMixing": plane.get("mixing") is not None,
        "unit": one_line(plane.get("position_unit") or "", 20),
        "elements": [one_line(e, 20) for e in plane.get("compositions") or {}],
        "regions": _regions(plane.get("regions"), names),
        "hover": None if curves is None else _hover(scans, curves),
    }  # fmt: skip


def scan_block(scan: NoveltyScan, curves: Mapping[str, Any], row: int) -> dict[str, Any]:
    """Return one scan over what is known of it, with the peaks that stay unexplained."""
    axis = np.asarray(curves["axis"], dtype=np.float64)
    order = np.argsort(axis, kind="stable")
    pattern = np.asarray(curves["patterns"][row], dtype=np.float64)[order]
    kept = kept_points(pattern, _MOST_POINTS)
    made = curves.get("reconstructions")
    columns = [axis[order][kept], pattern[kept]]
    known = pattern[np.isfinite(pattern)]
    has_negative = known.size > 0 and known.min() < -0.05 * max(known.max(), 0.0)
    if made is not None:
        columns.insert(1, np.asarray(made[row], dtype=np.float64)[order][kept])
    return {
        "n": int(kept.size), "of": int(axis.size), "packed": pack(columns), "hasKnown": made is not None,
        "scale": "linear" if has_negative else "sqrt",
        "peaks": _peaks(scan), "words": _words(curves), **axis_of(curves),
    }  # fmt: skip


def _hover(scans: Sequence[NoveltyScan], curves: Mapping[str, Any]) -> dict[str, Any]:
    """Small patterns and their reconstructions: of very many scans the new ones and every few of the others."""
    n = len(scans)
    most = most_small(curves, 1 if curves.get("reconstructions") is None else 2)
    rows = np.arange(n)
    if n > most:
        first = strangest(scans)[: most // 2]
        rows = np.union1d(first, np.linspace(0, n - 1, most - first.size).round().astype(np.intp))
    small = small_patterns(curves, rows, "patterns", "reconstructions")
    return {
        **small, "known": small.pop("reconstructions"), "words": _words(curves),
        "peaks": {str(i): [p["at"] for p in _peaks(scans[i])] for i in rows.tolist() if scans[i].get("unexplained")},
    }  # fmt: skip


def _words(curves: Mapping[str, Any]) -> list[str]:
    return [one_line(curves.get("reconstruction") or "nearest known", 40), "scan"]


def _peaks(scan: NoveltyScan) -> list[dict[str, Any]]:
    return [
        {"at": finite(p["axis"]), "to": None, "d": finite(p.get("d")), "what": "unexplained", "change": None}
        for p in scan.get("unexplained") or ()
        if finite(p["axis"]) is not None
    ]


def _colourings(plane: Mapping[str, Any], n: int) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Clusters, mixing ratios and other columns: numbers as they are, texts as the number of their name."""
    categories: dict[str, Any] = {}
    columns: dict[str, NDArray[np.float64]] = {}
    given = {"cluster": plane["clusters"]} if plane.get("clusters") is not None else {}
    if plane.get("mixing") is not None:
        columns["mixing"] = _given(plane["mixing"], n)
    given |= {f"column:{k}": v for k, v in list((plane.get("columns") or {}).items())[:_MOST_COLUMNS]}
    for i, (name, values) in enumerate(given.items()):
        array = np.asarray(values)
        is_number = array.dtype.kind in "fiub" and name != "cluster"
        key = "cluster" if name == "cluster" else f"column{i}"
        title = one_line(name.removeprefix("column:"), _NAME)
        if is_number:
            columns[key] = array.astype(np.float64)
            categories[key] = {"title": title, "labels": None}
            continue
        texts = [one_line(str(v), _NAME) for v in array.tolist()]
        order = sorted(Counter(texts).items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_NAMES]
        if name == "cluster":  # clusters keep the order of their numbers
            order.sort(key=lambda pair: (not _is_whole(pair[0]), int(pair[0]) if _is_whole(pair[0]) else 0, pair[0]))
        number = {text: j for j, (text, _) in enumerate(order)}
        columns[key] = np.array([number.get(t, -1) for t in texts], dtype=np.float64)
        categories[key] = {"title": title, "labels": list(number)}
    return categories, columns


def _is_whole(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def _places(plane: Mapping[str, Any]) -> list[tuple[str, NDArray[np.float64]]]:
    found = []
    if plane.get("positions") is not None:
        table = np.asarray(plane["positions"], dtype=np.float64)
        found += [("px", table[:, 0]), ("py", table[:, 1])]
    for i, amounts in enumerate((plane.get("compositions") or {}).values()):
        found.append((f"element{i}", np.asarray(amounts, dtype=np.float64)))
    return found


def _regions(regions: Mapping[str, Any] | None, groups: Sequence[str]) -> dict[str, Any] | None:
    if regions is None:
        return None
    labels = np.asarray(regions["labels"], dtype=np.float64)
    names = [str(t) for t in regions.get("names") or ()]
    colour = [groups.index(t) if t in groups else i for i, t in enumerate(names)]
    ends = [[finite(v) for v in regions[key]] for key in ("x", "y")]
    if any(v is None for pair in ends for v in pair):
        return None
    return {
        "height": int(labels.shape[0]), "width": int(labels.shape[1]), "packed": pack([labels.ravel()]),
        "x": ends[0], "y": ends[1], "names": [one_line(t, _NAME) for t in names], "colours": colour,
    }  # fmt: skip


def _strongest(curves: Mapping[str, Any]) -> NDArray[np.float64]:
    """Position of the strongest peak: the highest point above what is broad."""
    from scipy.ndimage import uniform_filter1d

    axis = np.asarray(curves["axis"], dtype=np.float64)
    table = np.asarray(curves["patterns"])
    wide = max(axis.size // 10, 3)
    places = np.empty(len(table))
    for start in range(0, len(table), 1024):
        part = np.nan_to_num(np.asarray(table[start : start + 1024], dtype=np.float64), posinf=0, neginf=0)
        places[start : start + 1024] = axis[(part - uniform_filter1d(part, wide, axis=1)).argmax(axis=1)]
    return places


def _coded(texts: Sequence[str]) -> dict[str, Any]:
    """Texts, each said once, and the number of each."""
    names = list(dict.fromkeys(texts))
    number = {name: i for i, name in enumerate(names)}
    return {"names": [short_name(t) for t in names], "at": [number[t] for t in texts]}


def _rows(values: Any, width: int = 2) -> NDArray[np.float64]:
    return np.zeros((0, width)) if values is None else np.asarray(values, dtype=np.float64).reshape(-1, width)


def _given(values: Any, n: int) -> NDArray[np.float64]:
    return np.full(n, np.nan) if values is None else np.asarray(values, dtype=np.float64)


def _numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    return np.array([math.nan if v is None else float(v) for v in values], dtype=np.float64)
