"""What descriptors are read off: scans of one or several kinds, a row a sample, and the table of what is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from peakwise.cli._known import Layout, onto
from peakwise.cli._table import match_rows, read_columns
from peakwise.errors import AxisError, OptionError, PatternsError, ReadError, one_line
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.estimators import DescriptorRegressor

    Given = tuple[str | None, str | None, str | None]

__all__ = ["Asked", "TargetTable", "asked_of", "learned_scans", "load_regressor", "named_modalities", "target_table"]

_WHAT = "cannot read the targets"
_DIFFRACTION = ("two_theta", "q", "d")


@dataclass(frozen=True, slots=True, eq=False)
class TargetTable:
    """Columns beside the scans: numbers, or texts where a column was named and holds no numbers.

    Attributes
    ----------
    columns : dict
        A value for each scan; NaN, or an empty text, where the table has none.
    """

    columns: dict[str, NDArray[np.float64] | NDArray[np.str_]]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Scans that a model can answer, on its grids.

    Attributes
    ----------
    files : list of str
        What each is called in the answer.
    modalities : dict
        Patterns by modality; NaN in all points where a sample has none.
    first : Patterns
        The scans themselves, those that the report draws.
    remarks : list of list of str
    """

    files: list[str]
    modalities: dict[str, Patterns]
    first: Patterns
    remarks: list[list[str]]


def load_regressor(path: str) -> DescriptorRegressor:
    """The regressor of a model file."""
    from peakwise.estimators import DescriptorRegressor, load

    made = load(path)
    if not isinstance(made, DescriptorRegressor):
        why = f"it holds a {type(made).__name__}, which reads no descriptors"
        raise OptionError("cannot read descriptors", why, "Give a model of peakwise train regress", file=path)
    return made


def named_modalities(given: Sequence[str]) -> dict[str, list[str]]:
    """Places by the name of a modality: ``NAME=SCAN``, as often as wanted."""
    made: dict[str, list[str]] = {}
    for text in given:
        name, mark, place = text.partition("=")
        if not mark or not name.strip() or not place:
            why = f"--modality must be NAME=SCAN, got {text!r:.80}"
            raise OptionError("cannot read the modalities", why, "Write for instance --modality vdos=spectra/")
        made.setdefault(name.strip(), []).append(place)
    return made


def learned_scans(
    out: Output, scans: Sequence[str], modalities: Mapping[str, Sequence[str]], given: Given
) -> dict[str, Patterns]:
    """The scans to learn from, by modality, each sample in the same row of all.

    Scans without a name are ``xrd`` where they are diffraction, else what their axis is, if there are other modalities.
    """
    from peakwise.cli._series import read_series

    read: dict[str, Patterns] = {}
    if scans:
        patterns = read_series(out, scans, *given).patterns
        name = "pattern"
        if modalities:
            name = "xrd" if patterns.kind in _DIFFRACTION else patterns.kind
            if name in modalities:
                why = f"SCAN... are {name}, and --modality {name}=... is given, too"
                raise OptionError("cannot read the modalities", why, "Give all of them with --modality")
        read[name] = patterns
    for name, places in modalities.items():
        read[name] = read_series(out, places, *given).patterns
    return _same_rows(out, read)


def _same_rows(out: Output, read: dict[str, Patterns]) -> dict[str, Patterns]:
    """Modalities with one row a sample: by name where names are shared, else by order."""
    if len(read) < 2:
        return read
    keys = {name: [_key(text) for text in part.names] for name, part in read.items()}
    shared = set.intersection(*(set(k) for k in keys.values()))
    if shared and all(len(set(k)) == len(k) for k in keys.values()):
        left = {name: len(k) - len(shared) for name, k in keys.items()}
        if any(left.values()):
            told = ", ".join(f"{n} of {name}" for name, n in left.items() if n)
            out.warnings.append(f"{told} have no partner in every modality and are not learned from")
        order = [key for key in next(iter(keys.values())) if key in shared]
        places = {name: {key: i for i, key in enumerate(k)} for name, k in keys.items()}
        return {name: part[np.array([places[name][key] for key in order])] for name, part in read.items()}
    counts = {name: len(part) for name, part in read.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{n} of {name}" for name, n in counts.items())
        why = f"every sample must have a scan in each, got {told}, and no names that say which belong together"
        raise OptionError("cannot join the modalities", why, "Give files of a sample the same name")
    out.warnings.append(f"the scans of {' and '.join(counts)} have other names: joined by their order")
    return read


def _key(name: str) -> str:
    """A name without folder and suffix."""
    bare = str(name).replace("\\", "/").rsplit("/", 1)[-1]
    return Path(bare).stem if Path(bare).suffix and not Path(bare).suffix[1:].isdecimal() else bare


def target_table(
    out: Output,
    patterns: Patterns,
    file: str | None,
    wanted: Sequence[str],
    *,
    what: str = _WHAT,
    known: Sequence[str] | None = None,
) -> TargetTable:
    """The targets of the scans: columns of a table, or of what the files say of themselves.

    Of a table that is only compared with, those columns count that are called as in `known`; one must be there.
    """
    if file is None:
        return TargetTable(_of_meta(patterns, wanted, what))
    names, table = read_columns(file, what)
    if known is not None:
        lower = {name.lower(): name for name in known}
        table = {lower[title.lower()]: texts for title, texts in table.items() if title.lower() in lower}
        if not table:
            why = f"it has none of the columns {', '.join(known)}"
            raise ReadError(what, why, "Name its columns as the descriptors of the model", file=file)
    titles = list(table) if known is not None else _chosen(table, wanted, file, what)
    columns: dict[str, NDArray[np.float64] | NDArray[np.str_]] = {}
    for title in titles:
        if title not in table:  # a target may stand in the files instead
            columns |= _of_meta(patterns, [title], what)
            continue
        found = match_rows(out, patterns, names, table[title], file, what)
        texts = [found.get(i, "") for i in range(len(patterns))]
        numbers = [_number(text) for text in texts]
        if all(n is not None for n in numbers):
            columns[title] = np.array(numbers, dtype=np.float64)
        elif wanted and not any(n is not None and np.isfinite(n) for n in numbers):
            columns[title] = np.array(texts)
        else:
            bad = next(i for i, n in enumerate(numbers) if n is None)
            why = f"the column {title!r:.40} must hold numbers, and {patterns.names[bad]} has {texts[bad]!r:.40}"
            raise ReadError(what, why, "Mend it, or name the columns to be learned with --target", file=file)
    return TargetTable(columns)


def _chosen(table: Mapping[str, Sequence[str]], wanted: Sequence[str], file: str, what: str) -> list[str]:
    if wanted:
        lower = {title.lower(): title for title in table}
        return [name if name in table else lower.get(name.lower(), name) for name in wanted]
    titles = [t for t, texts in table.items() if all(_number(text) is not None for text in texts)]
    if not titles:
        why = f"it has no column of numbers besides the names, only {', '.join(table) or 'none'}"
        raise ReadError(what, why, "Add one, or name columns with --target", file=file)
    return titles


def _of_meta(patterns: Patterns, wanted: Sequence[str], what: str) -> dict[str, NDArray[np.float64] | NDArray[np.str_]]:
    made = {}
    for name in wanted:
        if name not in patterns.meta:
            there = [key for key, c in patterns.meta.items() if c.dtype.kind in "fiu" and key not in ("source", "file")]
            why = f"there is no target {name!r:.60}; the scans hold {', '.join(there) or 'no numbers'}"
            raise OptionError(what, why, "Choose one of them, or give --targets TABLE.csv with such a column")
        column = np.asarray(patterns.meta[name])
        made[name] = column.astype(np.float64) if column.dtype.kind in "fiub" else column.astype(str)
    return made


def _number(text: str) -> float | None:
    """The number of a cell, NaN of an empty one, None of a text."""
    if text.strip().lower() in ("", "nan", "na", "n/a", "-"):
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return None


def asked_of(
    out: Output, model: DescriptorRegressor, scans: Sequence[str], modalities: Mapping[str, Sequence[str]], given: Given
) -> Asked:
    """Scans on the grids of the model; those that it cannot take are noted in `out.failed`."""
    from peakwise.cli._scans import read_scans

    layouts = {name: Layout(m.kind, m.wavelength, m.grid) for name, m in model._model.modalities.items()}
    unknown = [name for name in modalities if name not in layouts]
    if unknown:
        why = f"the model knows {', '.join(layouts)}, got {unknown[0]!r:.40}"
        raise OptionError("cannot read the modalities", why, "Name them as in training")
    found: dict[str, dict[str, tuple[str, Patterns, list[str]]]] = {name: {} for name in layouts}
    for name, places in (*((name, p) for name, p in modalities.items()), *(((None, scans),) if scans else ())):
        files, parts = read_scans(out, places, *given)
        used = 0
        for file, part in zip(files, parts, strict=True):
            try:
                where = name or _modality_of(part, layouts)
                made, said = onto(part, layouts[where])
            except (PatternsError, AxisError, OptionError) as problem:
                out.fail(problem, file)
                continue
            key = _key(str(part.names[0])) if len(layouts) > 1 else f"{len(found[where])}"
            found[where].setdefault(
                key if key not in found[where] else f"{key}@{len(found[where])}", (file, made, said)
            )
            used += 1
        out.need_some(used)
    return _joined(out, layouts, found)


def _modality_of(part: Patterns, layouts: Mapping[str, Layout]) -> str:
    """Which modality a scan without a name is."""
    if len(layouts) == 1:
        return next(iter(layouts))
    alike = [n for n, at in layouts.items() if part.kind == at.kind or {part.kind, at.kind} <= set(_DIFFRACTION)]
    if len(alike) != 1:
        why = (
            f"the model knows {', '.join(layouts)}, and a scan along {part.kind} can be {' or '.join(alike) or 'none'}"
        )
        raise OptionError("cannot use the scan", why, "Say which it is with --modality NAME=SCAN")
    return alike[0]


def _joined(
    out: Output,
    layouts: Mapping[str, Layout],
    found: Mapping[str, Mapping[str, tuple[str, Patterns, list[str]]]],
) -> Asked:
    """A row a sample; where names of two modalities never meet, they are joined by order if they are as many."""
    there = {name: list(rows) for name, rows in found.items() if rows}
    order = list(dict.fromkeys(key for keys in there.values() for key in keys))
    if len(there) > 1 and not set.intersection(*(set(k) for k in there.values())):
        counts = Counter(len(k) for k in there.values())
        if len(counts) == 1:
            out.warnings.append(f"the scans of {' and '.join(there)} have other names: joined by their order")
            first = next(iter(there.values()))
            found = {n: dict(zip(first, rows.values(), strict=True)) if rows else rows for n, rows in found.items()}
            order = first
    files: list[str] = []
    remarks: list[list[str]] = []
    for key in order:
        mine = [found[name][key] for name in layouts if key in found[name]]
        files.append(mine[0][0])
        remarks.append([text for _, _, said in mine for text in said])
    made: dict[str, Patterns] = {}
    for name in there:
        grid, own = layouts[name].grid, found[name]
        table = [own[key][1].intensity[0] if key in own else np.full(grid.size, np.nan) for key in order]
        light = layouts[name].radiation
        made[name] = Patterns(
            grid, np.array(table, dtype=np.float64), layouts[name].kind, wavelength=light, names=_unique(files)
        )
    drawn = made[next(name for name in layouts if name in made)]
    return Asked(files, made, drawn.replace(meta={"source": np.array(files)}), remarks)


def _unique(files: Sequence[str]) -> list[str]:
    again = Counter(files)
    return [one_line(f, 400) if again[f] == 1 else f"{one_line(f, 400)}@{i}" for i, f in enumerate(files)]
