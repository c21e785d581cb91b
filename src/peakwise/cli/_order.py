"""What was varied along a series, and the order that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.cli._table import match_rows, read_rows
from peakwise.errors import OptionError, PatternsError, ReadError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns

__all__ = ["Variable", "in_order", "unit_of"]

_WHAT = "cannot order the series"
_KNOWN = ("temperature", "pressure", "time")  # worth a hint where files hold them


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """The external variable of a series: `name`, as it stands in ``patterns.meta``, and its unit where it is known."""

    name: str
    unit: str | None
    values: NDArray[np.float64]


def in_order(
    out: Output, patterns: Patterns, name: str | None, file: str | None, *, keep_order: bool
) -> tuple[Patterns, Variable | None]:
    """Sort patterns by the variable, where one is given; those without a value of it are left out."""
    if file is not None:
        name, values = _from_file(out, patterns, name, file)
    elif name is not None:
        values = _from_meta(patterns, name)
    else:
        _hint(out, patterns)
        return patterns, None
    patterns = patterns.with_meta(**{name: values})
    known = np.isfinite(values)
    if not known.any():
        raise PatternsError(_WHAT, f"no pattern has a value of {name}", "Choose another variable, or leave it out")
    for i in np.flatnonzero(~known):
        why = f"it has no value of {name}, by which the series is ordered"
        out.fail(PatternsError("cannot use the scan", why, "Give one, or leave --variable out"), str(patterns.names[i]))
    out.need_some(int(known.sum()))
    patterns, values = patterns[known], values[known]
    if not keep_order:
        steps = np.diff(values)
        if (steps > 0).any() and (steps < 0).any():
            out.warnings.append(
                f"{name} goes up and down in the order of the files: the patterns were sorted by it "
                "(--keep-order leaves them as they are)"
            )
        order = np.argsort(values, kind="stable")
        patterns, values = patterns[order], values[order]
    return patterns, Variable(name, unit_of(name), values)


def _from_meta(patterns: Patterns, name: str) -> NDArray[np.float64]:
    if name not in patterns.meta:
        others = [key for key, column in patterns.meta.items() if _changes(column)]
        do = f"They hold {', '.join(others)}: choose one" if others else "Give a table of them: --values V.csv"
        raise OptionError(_WHAT, f"the scans hold no {name!r}", do)
    try:
        return np.asarray(patterns.meta[name], dtype=np.float64)
    except ValueError as problem:
        why = f"{name!r} must hold numbers, got {str(patterns.meta[name][0])!r:.60}"
        raise OptionError(_WHAT, why, "Choose another variable") from problem


def _from_file(out: Output, patterns: Patterns, name: str | None, file: str) -> tuple[str, NDArray[np.float64]]:
    what = "cannot read the values"
    names, texts, column = read_rows(file, [n for n in (name, "value") if n], what)
    values = np.full(len(patterns), np.nan)
    for i, text in match_rows(out, patterns, names, texts, file, what).items():
        try:
            values[i] = float(text)
        except ValueError as problem:
            why = f"{patterns.names[i]} has the value {text!r:.40}, and a number is needed"
            raise ReadError(what, why, "Leave unknown ones blank", file=file) from problem
    return name or column, values


def _hint(out: Output, patterns: Patterns) -> None:
    found = [key for key in _KNOWN if key in patterns.meta and _changes(patterns.meta[key])]
    if found and len(patterns) > 1:
        out.notes.append(f"the scans hold {' and '.join(found)}: --variable {found[0]} orders and answers by it")


def _changes(column: NDArray[Any]) -> bool:
    return column.dtype.kind in "fiu" and bool(np.isfinite(column).all()) and float(np.ptp(column)) > 0


def unit_of(name: str) -> str | None:
    """From our table of metadata, or from brackets in the name itself."""
    from peakwise.io import META

    found = re.search(r"[\[(]([^\[\]()]{1,12})[\])]\s*$", META.get(name, name))
    return found[1] if found else None
