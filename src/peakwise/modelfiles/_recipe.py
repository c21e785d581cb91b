"""Recipes: plain JSON in one spelling, checked on the way out and on the way in."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from peakwise.errors import ModelFileError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELDS", "BadJSONError", "canonical", "dumps_recipe", "loads_recipe", "parse", "what_is_wrong"]

MOST_DEPTH = 64  # of nested lists and dicts; real recipes have about 6
MOST_VALUES = 1_000_000  # of one recipe; each takes some 100 bytes of memory whatever its size in the file
MOST_BITS = 1024  # of a whole number; the longest in real recipes are seeds of 128 bits

# What a recipe may say, with the kinds of JSON that it may be; None stands for "not known". An estimator may add more.
FIELDS: dict[str, tuple[type, ...]] = {
    "estimator": (str,),  # its name in the table ESTIMATORS; the only one that must be there
    "task": (str,),  # identify, transitions, novelty, regress, cluster
    "options": (dict,),  # keyword arguments of the estimator
    "preprocessing": (list, dict),  # steps by name with their options
    "axis": (dict,),  # kind of the axis and wavelength
    "grid": (list, dict),  # the positions, where they are no array
    "labels": (list, dict),  # classes or targets
    "phases": (list,),  # each a dict with "id" and the "sha256" of its CIF
    "physics": (dict,),  # ranges that the simulation drew from
    "calibration": (dict, list),  # from scores to probabilities and thresholds
    "history": (list, dict),  # how the training went
    "learned": (dict,),  # what else fit learned
}
# The container adds these two itself.
OWN_FIELDS = ("format", "peakwise")


class BadJSONError(ValueError):
    """A value that is no plain JSON; the text says where and why."""


def dumps_recipe(recipe: Mapping[str, Any]) -> str:
    """Return a recipe as canonical JSON: keys sorted, no blanks, so that equal recipes are equal texts.

    Tuples are written as lists and numpy's single numbers as numbers.

    Parameters
    ----------
    recipe : mapping
        Texts, numbers, truth values, None, lists and dicts with texts as keys. ``estimator`` must be there.

    Raises
    ------
    OptionError
        Where something in it cannot be kept without loss.

    Examples
    --------
    >>> dumps_recipe({"options": {"top": 10, "names": ("rutile", "quartz")}, "estimator": "phase_identifier"})
    '{"estimator":"phase_identifier","options":{"names":["rutile","quartz"],"top":10}}'
    >>> dumps_recipe({"estimator": "phase_identifier", "options": {"alpha": float("nan")}})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot keep the recipe: options.alpha must be finite, got nan. Use plain numbers, ...
    """
    do = "Use plain numbers, texts, lists and dicts"
    try:
        text = canonical(dict(recipe))
    except BadJSONError as problem:
        raise OptionError("cannot keep the recipe", str(problem), do) from problem
    wrong = what_is_wrong(dict(recipe))
    if wrong:
        raise OptionError("cannot keep the recipe", wrong, "See peakwise.modelfiles.FIELDS")
    return text


def loads_recipe(text: str) -> dict[str, Any]:
    """Return the recipe that `dumps_recipe` wrote.

    Raises
    ------
    ModelFileError
        Where the text is no JSON, holds a key twice or a number that is not finite, or is no recipe.

    Examples
    --------
    >>> loads_recipe('{"estimator":"phase_identifier","options":{"top":10}}')
    {'estimator': 'phase_identifier', 'options': {'top': 10}}
    >>> loads_recipe('{"estimator":"phase_identifier","options":{"top":10,"top":20}}')
    Traceback (most recent call last):
    ...
    peakwise.errors.ModelFileError: cannot read the recipe: its JSON has the key 'top' twice. Train the model again, or
    copy its file again.
    """
    do = "Train the model again, or copy its file again"
    try:
        recipe = parse(text)
    except BadJSONError as problem:
        raise ModelFileError("cannot read the recipe", f"its JSON {problem}", do) from problem
    wrong = what_is_wrong(recipe)
    if wrong:
        raise ModelFileError("cannot read the recipe", wrong, do)
    return dict(recipe)


def what_is_wrong(recipe: object) -> str:
    """Why something that is plain JSON is no recipe, or an empty text."""
    if not isinstance(recipe, dict):
        return f"a recipe must be a dict, got {type(recipe).__name__}"
    if not recipe.get("estimator"):
        return "a recipe must name its estimator, got none"
    for name, kinds in FIELDS.items():
        value = recipe.get(name)
        if value is not None and not isinstance(value, (*kinds, tuple) if list in kinds else kinds):
            words = " or ".join(kind.__name__ for kind in kinds)
            return f"{name} of a recipe must be a {words}, got a {type(value).__name__}"
    for place, phase in enumerate(recipe.get("phases") or ()):
        if not isinstance(phase, dict) or not isinstance(phase.get("id"), str):
            return f"phases[{place}] of a recipe must be a dict with the id of the phase, got {phase!r:.60}"
    return ""


def canonical(value: object) -> str:
    """Return plain values as JSON in one spelling; `BadJSONError` says where something is not plain."""
    plain = _plain(value, "", 0)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    _check_count(text)
    return text


def parse(text: str) -> Any:
    """Return the values of a JSON text, which may be hostile."""
    _check_count(text)
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except BadJSONError:
        raise
    except RecursionError as problem:
        raise BadJSONError(f"is nested deeper than {MOST_DEPTH}") from problem
    except ValueError as problem:  # of the grammar, or a whole number of thousands of digits
        raise BadJSONError(f"is broken ({problem})") from problem
    try:
        return _plain(found, "", 0)
    except BadJSONError as problem:
        raise BadJSONError(f"is not plain: {problem}") from problem


def _check_count(text: str) -> None:
    """Refuse what would take much more memory than its text: each value has a comma or a bracket before it."""
    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise BadJSONError(f"holds more than {MOST_VALUES} values; keep tables of numbers as arrays")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJSONError(f"has the key {twice!r:.60} twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise BadJSONError(f"holds {name}, which is no number")


def _plain(value: Any, place: str, depth: int) -> Any:
    """Return the value as JSON will hold it, or raise with its place."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise BadJSONError(f"{_called(place)} must be a number of at most {MOST_BITS} bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadJSONError(f"{_called(place)} must be finite, got {float(value)}")
        return float(value)
    if not isinstance(value, (dict, list, tuple)):
        raise BadJSONError(f"{_called(place)} must be plain, got a {type(value).__name__}")
    if depth == MOST_DEPTH:
        raise BadJSONError(f"{_called(place[:60])} must not be nested deeper than {MOST_DEPTH}")
    if not isinstance(value, dict):
        return [_plain(part, f"{place}[{i}]", depth + 1) for i, part in enumerate(value)]
    made = {}
    for key, part in value.items():
        if not isinstance(key, str):
            raise BadJSONError(f"keys of {_called(place)} must be texts, got {key!r:.60}")
        made[_text(key, place)] = _plain(part, f"{place}.{key}" if place else key, depth + 1)
    return made


def _text(value: str, place: str) -> str:
    """Half of a surrogate pair is a text in Python, but cannot be written as UTF-8."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as problem:
            raise BadJSONError(f"{_called(place)} must be a text that UTF-8 can hold") from problem
    return str(value)


def _called(place: str) -> str:
    return place or "it"
