"""The overlay of one scan, small enough to embed.

All curves become one block: float32, rounded to a relative precision of 3e-5 (whole numbers are exact up to 16
million), their bytes sorted by significance and deflated, then base64. A scan with more points than the bound is
thinned: of each stretch the lowest and the highest observed point stay, so that no peak vanishes, and the page says so.
"""

from __future__ import annotations

import base64
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Required, TypedDict

import numpy as np

from peakwise.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.report._answer import ScanAnswer

__all__ = ["ScanCurves", "embed", "kept_points", "pack", "wavelength_of"]

_KEPT_BITS = 14  # of 23 in the mantissa: a relative error below 3.1e-5, a tenth of a pixel on any screen


class ScanCurves(TypedDict, total=False):
    """The patterns of the scans, in the order of the answer."""

    axis: Required[Any]
    kind: str
    unit: str
    wavelength: float | None
    intensity_unit: str | None
    patterns: Required[Any]
    """Array (n, n_points)."""


def wavelength_of(scan: ScanAnswer) -> float | None:
    """Return the wavelength [angstrom] of a scan, if it is known and can be one."""
    curves = scan.get("curves")
    given = (curves.get("wavelength") if curves else None) or scan.get("wavelength")
    return float(given) if given is not None and np.isfinite(given) and given > 0 else None


def kept_points(observed: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return which points stay when there may be at most `most`: the ends, and low and high of equal stretches.

    >>> kept_points(np.array([0.0, 0, 0, 9, 0, 0, -5, 0, 0, 0]), 6)
    array([0, 3, 5, 6, 9])
    """
    n = observed.size
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, max((most - 2) // 2, 1) + 1).astype(np.intp)
    known = np.isfinite(observed)
    low, high = np.where(known, observed, np.inf), np.where(known, observed, -np.inf)
    kept = {0, n - 1}
    for start, stop in pairwise(edges):
        kept |= {int(start + low[start:stop].argmin()), int(start + high[start:stop].argmax())}
    return np.array(sorted(kept), dtype=np.intp)


def embed(scan: ScanAnswer, colours: Sequence[int], most: int) -> dict[str, Any] | None:
    """Return the overlay of `scan` as data for the page, or None where the answer holds no curves.

    `colours` has a number for each phase of the answer; phases that have curves or ticks but are not in the answer
    (where none fits) come after them.
    """
    curves = scan.get("curves")
    if curves is None:
        return None
    axis, observed = _floats(curves["axis"]), _floats(curves["observed"])
    order = np.argsort(axis, kind="stable")
    kept = order[kept_points(observed[order], most)]
    blocks: dict[str, NDArray[np.float64]] = {"x": axis, "observed": observed}
    for key, column in (("background", curves.get("background")), ("calculated", curves.get("calculated"))):
        if column is not None:
            blocks[key] = _floats(column)
    named: list[dict[str, Any]] = []
    phases, ticks, hkl = curves.get("phases") or {}, curves.get("ticks") or {}, curves.get("hkl") or {}
    answered = [p["phase"] for p in scan["phases"]]
    shown = [*answered, *(name for name in dict.fromkeys([*phases, *ticks]) if name not in answered)]
    for i, name in enumerate(shown):
        if name not in phases and name not in ticks:
            continue
        row: dict[str, Any] = {"name": one_line(name, 120), "colour": colours[i] if i < len(colours) else i}
        if name in phases:
            blocks[f"phase{len(named)}"] = _floats(phases[name])
        row["ticks"] = [round(float(x), 5) for x in ticks.get(name, ()) if np.isfinite(x)]
        if name in hkl and len(row["ticks"]) == len(hkl[name]):
            row["hkl"] = [one_line(text, 20) for text in hkl[name]]
        named.append(row)
    fit = scan.get("fit") or {}
    return {
        "n": int(kept.size),
        "of": int(axis.size),
        "kind": one_line(curves.get("kind") or "unknown", 30),
        "unit": one_line(curves.get("unit") or "", 20),
        "wavelength": wavelength_of(scan),
        "intensity": one_line(curves.get("intensity_unit") or "", 20),
        "phases": named,
        "blocks": list(blocks),
        "packed": pack([values[kept] for values in blocks.values()]),
        "unexplained": [_peak(p) for p in fit.get("unexplained") or () if np.isfinite(p["axis"])],
        "explanation": _explained(scan, most),
    }


def _peak(peak: Any) -> list[float | None]:
    height = peak.get("intensity")
    return [round(float(peak["axis"]), 5), float(height) if height is not None and np.isfinite(height) else None]


def _explained(scan: ScanAnswer, most: int) -> dict[str, Any] | None:
    why = scan.get("explanation")
    if why is None:
        return None
    axis, relevance = _floats(why["axis"]), np.nan_to_num(_floats(why["relevance"]), posinf=0, neginf=0)
    order = np.argsort(axis, kind="stable")
    kept = order[kept_points(relevance[order], min(most, 4000))]
    top = float(np.abs(relevance).max()) or 1.0
    packed = pack([axis[kept], relevance[kept] / top])
    return {"method": one_line(why["method"], 60), "n": int(kept.size), "blocks": ["x", "relevance"], "packed": packed}


def _floats(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def pack(columns: Sequence[NDArray[np.float64]], n_exact: int = 1) -> str:
    """Return columns of one length as text; all but the first `n_exact` lose what no eye sees."""
    with np.errstate(over="ignore"):  # beyond 3e38 is infinite, which the page leaves out
        exact = [column.astype(np.float32) for column in columns[:n_exact]]
        rounded = [*exact, *(_round(column) for column in columns[n_exact:])]
    planes = np.concatenate(rounded).astype("<f4").view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")


def _round(values: NDArray[np.float64]) -> NDArray[np.float32]:
    exact = values.astype(np.float32)
    drop = 23 - _KEPT_BITS
    bits = exact.view(np.uint32)
    rounded = ((bits + np.uint32(1 << (drop - 1))) & np.uint32(~((1 << drop) - 1) & 0xFFFFFFFF)).view(np.float32)
    keep = ~np.isfinite(exact) | (exact == np.round(exact)) | ~np.isfinite(rounded)
    return np.where(keep, exact, rounded)
