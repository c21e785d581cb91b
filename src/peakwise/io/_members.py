"""Named arrays that belong together -> blocks: what a dictionary in JSON or the members of an ``.npz`` mean.

Which names are those of an axis, and in which unit, is told by `_axis_words`; where a name leaves the unit open, the
usual one is assumed and a warning says so. Intensities are the arrays that fit the axis.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._axis_words import Meaning, axis_meaning, is_plain_axis_name, to_our_axis
from peakwise.io._scan import Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["as_axis", "is_axis_name", "is_rising", "named_axis", "scans_of", "without_array"]

_FILLER = re.compile(r"[_ ]?(?:values|value|list|array|axis|grid)$", re.IGNORECASE)
_INTENSITY = re.compile(
    r"(?:raw_)?(?:intensity|intensities|counts|cps|absorbance|transmittance|signal|y|spectrum|spectra|patterns?|data|"
    r"diffractograms?|scans?)(?:_?(?:values|list|array|counts|cps))?"
)
_SIGMA = re.compile(r"(?:sigmas?|errors?|err|esd|std|uncertaint(?:y|ies)|(?:intensity|y)_(?:sigma|err|error|std|esd))")
_WAVELENGTH = re.compile(r"(primary_|secondary_)?(?:x_?ray_)?(?:wavelength|lambda)(?:_(a|angstrom|nm))?")
_NAMES = ("names", "name", "titles", "title", "filenames")
_UNITS = {"counts": "counts", "cps": "counts/s", "absorbance": "absorbance", "transmittance": "transmittance"}


def _tidy(name: str) -> str:
    return re.sub(r"[^a-z0-9θ]+", "_", name.strip().lower()).strip("_")


def named_axis(name: str) -> Meaning | None:
    """What a name says about an axis (kind None: only that it is one); None: it is no name of an axis.

    >>> named_axis("two_theta_values").kind, named_axis("Q (nm^-1)").factor, named_axis("quality")
    ('two_theta', 0.1, None)
    """
    bare = _FILLER.sub("", name.strip()) or name
    meaning = axis_meaning(bare)
    if meaning is not None and meaning.kind is not None:
        return meaning
    return Meaning(None) if is_plain_axis_name(bare) or is_plain_axis_name(name) else None


def is_axis_name(name: str) -> bool:
    """Whether a name is that of an axis."""
    return named_axis(name) is not None


def as_axis(name: str, values: NDArray[Any]) -> tuple[NDArray[np.float64], str | None, list[str]]:
    """Positions in the unit of their kind, the kind (None: not said), and what had to be assumed."""
    meaning, notes = named_axis(name) or Meaning(None), list[str]()
    x = to_our_axis(np.asarray(values, dtype=np.float64), meaning, notes)
    return x, meaning.kind, notes


def is_rising(values: NDArray[Any]) -> bool:
    """Whether numbers rise or fall strictly, as positions do."""
    if values.ndim != 1 or values.size < 3 or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        return False
    steps = np.diff(values.astype(np.float64))
    return bool((steps > 0).all() or (steps < 0).all())


def without_array(names: list[str]) -> str:
    """The reason why named arrays are no pattern."""
    shown = ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
    return f"it holds no axis with intensities that fit it, only {shown or 'nothing'}"


def scans_of(members: Mapping[str, NDArray[Any]], name: str | None = None) -> list[Scan] | None:
    """Blocks of named arrays, or None where there is no axis with intensities.

    Parameters
    ----------
    members : mapping of str to ndarray
        Arrays of any shape; those of one value are metadata.
    name : str, optional
        What the block is called.
    """
    axes = [key for key, values in members.items() if is_axis_name(key) and _is_table(values)]
    # A name that says what it is goes before one that only says that it is an axis.
    axes.sort(key=lambda key: (named_axis(key) or Meaning(None)).kind is None)
    for axis in axes:
        values = members[axis]
        fitting = _fitting(members, axis)
        if fitting is None:
            continue
        if values.ndim == 2:
            return _own_axes(members, axis, fitting)
        if _has_many_wavelengths(members, axis):
            table = members[fitting]
            rows = table if table.shape[-1] == values.size else table.T
            return _own_axes({**members, axis: np.broadcast_to(values, rows.shape), fitting: rows}, axis, fitting)
        return [_block(members, axis, fitting, name)]
    return None


def _has_many_wavelengths(members: Mapping[str, NDArray[Any]], axis: str) -> bool:
    """Whether each pattern has a wavelength of its own, so that one axis in degrees means many in d."""
    columns = [v for key, v in members.items() if key != axis and _WAVELENGTH.fullmatch(_tidy(key))]
    return any(v.ndim == 1 and v.dtype.kind in "fiu" and np.unique(v).size > 1 for v in columns)


def _is_table(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "fiub" and values.ndim in (1, 2) and values.size >= 3


def _fitting(members: Mapping[str, NDArray[Any]], axis: str) -> str | None:
    """The one member that is the intensity on an axis: by its name, else because nothing else fits."""
    shape = members[axis].shape
    points = shape[-1]

    def fits(values: NDArray[Any]) -> bool:
        if not _is_table(values):
            return False
        return values.shape == shape if len(shape) == 2 else points in values.shape

    free = [key for key in members if not is_axis_name(key) and not _SIGMA.fullmatch(_tidy(key))]
    others = [key for key in free if fits(members[key])]
    called = [key for key in others if _INTENSITY.fullmatch(_tidy(key))]
    for choice in (called, [key for key in others if members[key].ndim == 2], others):
        if len(choice) == 1:
            return choice[0]
    return called[0] if called else None


def _block(members: Mapping[str, NDArray[Any]], axis: str, intensity: str, name: str | None) -> Scan:
    """All patterns on one axis."""
    x, kind, notes = as_axis(axis, members[axis])
    y = members[intensity]
    if y.ndim == 2 and y.shape[1] != x.size:
        y = y.T
        notes.append(f"{intensity!r} holds one pattern per column")
    elif y.ndim == 2 and y.shape[0] == y.shape[1]:
        notes.append(f"{intensity!r} has as many patterns as points: its rows are taken as the patterns")
    table = np.atleast_2d(y)
    sigma = _sigma(members, members[intensity].shape)
    if sigma is not None:
        sigma = np.atleast_2d(sigma if sigma.ndim == 1 or sigma.shape == table.shape else sigma.T)
    meta, names, unused = _columns(members, {axis, intensity}, len(table))
    if unused:
        notes.append(f"left out, they fit neither patterns nor points: {', '.join(unused[:8])}")
    unit = next((u for word, u in _UNITS.items() if word in _tidy(intensity)), "unknown")
    return Scan(x, table, kind, sigma, radiation_of(meta), unit, names or name, meta, notes)


def _sigma(members: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The member that is the uncertainty of intensities of this shape."""
    return next((v for key, v in members.items() if _SIGMA.fullmatch(_tidy(key)) and v.shape == shape), None)


def _own_axes(members: Mapping[str, NDArray[Any]], axis: str, intensity: str) -> list[Scan]:
    """One block per row: each pattern has its own positions."""
    table = members[intensity]
    meta, names, _ = _columns(members, {axis, intensity}, len(table))
    sigma = _sigma(members, table.shape)
    unit = next((u for word, u in _UNITS.items() if word in _tidy(intensity)), "unknown")
    scans = []
    for row in range(len(table)):
        x, kind, notes = as_axis(axis, members[axis][row])
        one = {key: value[row] if isinstance(value, np.ndarray) else value for key, value in meta.items()}
        own = None if sigma is None else sigma[row]
        title = names[row] if isinstance(names, list) else names
        radiation = radiation_of(one)
        scans.append(Scan(x, table[row], kind, own, radiation, unit, title, one, notes))
    return scans


def _columns(
    members: Mapping[str, NDArray[Any]], used: set[str], n: int
) -> tuple[dict[str, Any], str | list[str] | None, list[str]]:
    """Metadata of n patterns, their names, and the members that are neither."""
    meta: dict[str, Any] = {}
    names: str | list[str] | None = None
    unused: list[str] = []
    for key, values in members.items():
        if key in used or _SIGMA.fullmatch(_tidy(key)):
            continue
        if values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        if values.dtype.kind not in "fiubU" or values.shape not in ((), (1,), (n,)):
            unused.append(key)
            continue
        column = values if values.shape == (n,) and n > 1 else values.reshape(-1)[0].item()
        if _tidy(key) in _NAMES:
            names = [str(v) for v in column] if isinstance(column, np.ndarray) else str(column)
        else:
            meta[key] = column
    return meta, names, unused


def radiation_of(meta: dict[str, Any]) -> Radiation | None:
    """Take the wavelength out of the metadata: angstrom, unless its name says nm."""
    found: dict[str, float] = {}
    for key, value in list(meta.items()):
        match = _WAVELENGTH.fullmatch(_tidy(key))
        number = _number(value) if match else None
        if match and number is not None and number > 0:
            found[match[1] or "primary_"] = number * (10.0 if match[2] == "nm" else 1.0)
            del meta[key]
    if "primary_" not in found:
        return None
    return Radiation.doublet(found["primary_"], found.get("secondary_"))


def _number(value: Any) -> float | None:
    """A number, also one written as text or repeated for every pattern."""
    try:
        if isinstance(value, np.ndarray):
            value = value[0] if np.unique(value).size == 1 else ""
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
