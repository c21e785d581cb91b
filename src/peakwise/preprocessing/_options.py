"""One sentence for every bad option: what it must be, what was got, what to do."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["check_choice", "check_number", "refuse"]


def refuse(step: object, name: str, must: str, do: str) -> OptionError:
    """The error for the option `name` of a step."""
    return OptionError(f"cannot fit {type(step).__name__}", f"{name} must be {must}, got {getattr(step, name)!r}", do)


def check_choice(step: object, name: str, choices: Collection[str]) -> None:
    """Raise unless the option is one of the names."""
    value = getattr(step, name)
    if not isinstance(value, str) or value not in choices:
        raise refuse(step, name, f"one of {', '.join(choices)}", "Use one of these names")


def check_number(
    step: object,
    name: str,
    do: str,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    whole: bool = False,
    optional: bool = False,
) -> None:
    """Raise unless the option is a finite number within ``least`` (or just over ``above``) and ``most``."""
    value = getattr(step, name)
    if optional and value is None:
        return
    kinds = (Integral,) if whole else (Real,)
    if not isinstance(value, bool) and isinstance(value, kinds):
        number = float(value)
        if math.isfinite(number) and number > above and least <= number <= most:
            return
    limits = [
        f"above {above:g}" if above > -math.inf else "",
        f"at least {least:g}" if least > -math.inf else "",
        f"at most {most:g}" if most < math.inf else "",
    ]
    must = f"{'a whole' if whole else 'a'} number {' and '.join(filter(None, limits))}".rstrip()
    raise refuse(step, name, must + (", or None" if optional else ""), do)
