"""What a report is made of: the JSON document of ``peakwise identify``, as types, and the check that it is one.

Every key that is not `Required` may be missing or null; the report then leaves that part out. Keys that are not named
here are allowed and not shown, except in `settings` and `provenance`, which are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

from peakwise.report._check import Checks

__all__ = ["Candidate", "Curves", "Document", "Explanation", "Fit", "PhaseAnswer", "ScanAnswer", "Unexplained"]
__all__ += ["check_document", "check_scan"]

_CHECKS = Checks("Give the document that peakwise identify --json printed, or one of its scans")
_mapping, _list, _text = _CHECKS.mapping, _CHECKS.items, _CHECKS.text
_number, _points, _refused = _CHECKS.number, _CHECKS.points, _CHECKS.refused


class PhaseAnswer(TypedDict, total=False):
    """One phase of the answer."""

    phase: Required[str]
    """Its id: the name of the CIF."""
    probability: Required[float | None]
    weight_fraction: float | None
    """Between 0 and 1."""
    weight_fraction_error: float | None
    """Its standard uncertainty, on the same scale."""
    formula: str | None
    space_group: str | None
    cell: Sequence[float] | None
    """Refined a, b, c [angstrom], alpha, beta, gamma [deg]."""
    cell_start: Sequence[float] | None
    """The cell of the CIF."""
    scale: float | None


class Candidate(TypedDict, total=False):
    """One phase that was considered."""

    phase: Required[str]
    probability: float | None
    formula: str | None
    space_group: str | None
    score: float | None


class Unexplained(TypedDict, total=False):
    """One peak that no phase of the answer explains."""

    axis: Required[float]
    """Position, on the axis of the scan."""
    intensity: float | None
    d: float | None
    """The same position as a lattice spacing [angstrom]."""


class Fit(TypedDict, total=False):
    """How well the answer fits the scan. Other numbers are shown under their own names."""

    rwp: float | None
    """Weighted profile residual, as a fraction: 0.08 is 8 %."""
    unexplained: Sequence[Unexplained]
    zero_shift: float | None
    """[deg], or the unit of the axis."""
    displacement: float | None
    """Of the sample: the shift of a line at theta = 0, in the same unit."""


class Curves(TypedDict, total=False):
    """The overlay; all curves have the length of `axis`, and null is a gap."""

    axis: Required[Sequence[float]]
    kind: str
    """A name of `peakwise.AXES`; "two_theta", "q" and "d" can be switched."""
    unit: str
    wavelength: float | None
    """[angstrom]; needed to switch from or to two_theta. That of the scan is used where this is missing."""
    intensity_unit: str | None
    """The unit of the intensities, for example "counts"."""
    observed: Required[Sequence[float | None]]
    background: Sequence[float | None] | None
    calculated: Sequence[float | None] | None
    """All of the fit, background included."""
    phases: Mapping[str, Sequence[float | None]]
    """What each phase contributes, without the background."""
    ticks: Mapping[str, Sequence[float]]
    """Positions of the reflections of each phase."""
    hkl: Mapping[str, Sequence[str]]
    """Their indices as text, for example "1 0 1"; as long as `ticks`."""


class Explanation(TypedDict, total=False):
    """Which parts of the scan spoke for the answer."""

    method: Required[str]
    axis: Required[Sequence[float]]
    relevance: Required[Sequence[float | None]]


class ScanAnswer(TypedDict, total=False):
    """The answer for one scan."""

    scan: Required[str]
    phases: Required[Sequence[PhaseAnswer]]
    """Empty: none of these."""
    candidates: Sequence[Candidate]
    none_of_these: float | None
    indistinguishable: Sequence[Sequence[str]]
    """Groups of phase ids that cannot be told apart in this scan."""
    fit: Fit | None
    wavelength: float | None
    warnings: Sequence[str]
    curves: Curves | None
    explanation: Explanation | None


class Document(TypedDict, total=False):
    """The answer of ``peakwise identify``."""

    peakwise: str
    command: Required[str]
    scans: Required[Sequence[ScanAnswer]]
    warnings: Sequence[str]
    failed: Sequence[Mapping[str, str]]
    """Rows of `file` and `why`."""
    seconds: float
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]
    """`versions`, `settings`, `library` (`n_phases`, `sha256`), `model`, `seed`, `command_line` ...."""


_LISTS_OF_SCAN = {"candidates": Mapping, "warnings": str, "indistinguishable": Sequence}
_OF_POINTS = ("observed", "background", "calculated")


def check_document(document: object) -> Document:
    """Return `document` if it is one, or say what is wrong with it.

    >>> check_document({"command": "novelty", "scans": []})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot report the answer: command must be 'identify', got 'novelty'. Give ...
    """
    whole = _mapping(document, "the document")
    if whole.get("command") != "identify":
        raise _refused(f"command must be 'identify', got {whole.get('command')!r}")
    for i, scan in enumerate(_list(whole.get("scans"), "scans", Mapping, required=True)):
        check_scan(scan, f"scans[{i}]")
    for i, row in enumerate(_list(whole.get("failed"), "failed", Mapping)):
        for key in ("file", "why"):
            _text(row, key, f"failed[{i}]")
    _list(whole.get("warnings"), "warnings", str)
    for key in ("settings", "provenance"):
        _mapping(whole.get(key) or {}, key)
    return cast("Document", whole)


def check_scan(scan: object, place: str = "the scan") -> ScanAnswer:
    """Return `scan` if it is the answer for one scan, or say what is wrong with it."""
    one = _mapping(scan, place)
    _text(one, "scan", place)
    for i, row in enumerate(_list(one.get("phases"), f"{place}.phases", Mapping, required=True)):
        _check_row(row, f"{place}.phases[{i}]")
    for key, kind in _LISTS_OF_SCAN.items():
        for i, row in enumerate(_list(one.get(key), f"{place}.{key}", kind)):
            if key == "candidates":
                _check_row(row, f"{place}.{key}[{i}]")
            elif key == "indistinguishable":
                _list(row, f"{place}.{key}[{i}]", str)
    fit = _mapping(one.get("fit") or {}, f"{place}.fit")
    for i, peak in enumerate(_list(fit.get("unexplained"), f"{place}.fit.unexplained", Mapping)):
        for key in ("axis", "intensity", "d"):
            _number(peak, key, f"{place}.fit.unexplained[{i}]", required=key == "axis")
    for key in ("rwp", "zero_shift", "displacement"):
        _number(fit, key, f"{place}.fit")
    for key in ("none_of_these", "wavelength"):
        _number(one, key, place)
    if one.get("curves") is not None:
        _check_curves(_mapping(one["curves"], f"{place}.curves"), f"{place}.curves")
    if one.get("explanation") is not None:
        why = _mapping(one["explanation"], f"{place}.explanation")
        _text(why, "method", f"{place}.explanation")
        _points(why, "relevance", _points(why, "axis", None, f"{place}.explanation"), f"{place}.explanation")
    return cast("ScanAnswer", one)


def _check_row(row: Mapping[str, Any], place: str) -> None:
    _text(row, "phase", place)
    for key in ("probability", "weight_fraction", "weight_fraction_error", "scale", "score"):
        _number(row, key, place)
    for key in ("cell", "cell_start"):
        if row.get(key) is not None and _points(row, key, None, place) != 6:
            raise _refused(f"{place}.{key} must be six numbers (a, b, c, alpha, beta, gamma), got {row[key]!r}")


def _check_curves(curves: Mapping[str, Any], place: str) -> None:
    n = _points(curves, "axis", None, place)
    for key in _OF_POINTS:
        if key == "observed" or curves.get(key) is not None:
            _points(curves, key, n, place)
    phases, ticks = (_mapping(curves.get(key) or {}, f"{place}.{key}") for key in ("phases", "ticks"))
    hkl = _mapping(curves.get("hkl") or {}, f"{place}.hkl")
    for name in phases:
        _points(phases, name, n, f"{place}.phases")
    for name in ticks:
        many = _points(ticks, name, None, f"{place}.ticks")
        if name in hkl and len(_list(hkl[name], f"{place}.hkl", str)) != many:
            raise _refused(f"{place}.hkl of {name} must be as long as its ticks ({many}), got {len(hkl[name])}")
    _number(curves, "wavelength", place)
