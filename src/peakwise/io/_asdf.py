"""ASCII squeezed difference form: how JCAMP-DX writes many ordinates on a line.

A line holds the X of its first ordinate and then ordinates; a letter is sign and first digit in one (table VII)::

    AFFN, FIX  1 2 -3 4.5E+01      PAC  +1+2-3         number = sign digits
    SQZ        @ 0, A..I 1..9, a..i -1..-9             an ordinate
    DIF        % 0, J..R 1..9, j..r -1..-9             difference to the ordinate before
    DUP        S..Z 1..8, s 9                          how often the ordinate, or the difference, before stands there
    ?                                                  not measured

Where a line ends with a difference, the next line begins with the same ordinate once more: the Y check.

R. S. McDonald, P. A. Wilks, Applied Spectroscopy 42 (1988) 151-162, section 5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["YCheckError", "decode_asdf"]

# An exponent must have a sign: without it, E is the SQZ digit 5.
_AFFN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]\d{1,3})?"
_X = re.compile(rf"\s*({_AFFN})")
_Y = re.compile(rf"[\s,;]*(?:(?P<number>{_AFFN})|(?P<letter>[@%A-Za-s])(?P<digits>\d*)|(?P<gap>\?))")
_SQZ = {letter: digit for digit, letter in enumerate("@ABCDEFGHI")} | {c: -d for d, c in enumerate("abcdefghi", 1)}
_DIF = {letter: digit for digit, letter in enumerate("%JKLMNOPQR")} | {c: -d for d, c in enumerate("jklmnopqr", 1)}
_DUP = {letter: digit for digit, letter in enumerate("STUVWXYZs", 1)}


class YCheckError(ValueError):
    """A line of compressed data that contradicts the line before, or itself."""


def decode_asdf(lines: list[str], most: int) -> tuple[NDArray[np.float64], list[tuple[int, float, float]]]:
    """Ordinates of the lines of (X++(Y..Y)), and what each line says about its own place.

    Parameters
    ----------
    lines : list of str
        Each begins with an X.
    most : int
        How many ordinates there may be; more are an error, however short they are written.

    Returns
    -------
    ordinates : ndarray
        As written, without YFACTOR.
    marks : list of (int, float, float)
        For every line: number of its first ordinate, its X, and the worth of the last digit of that X.

    Examples
    --------
    >>> decode_asdf(["0 1JT%jX"], 10)[0]
    array([ 1.,  2.,  3.,  3.,  2.,  1.,  0., -1., -2., -3.])
    """
    ordinates: list[float] = []
    marks: list[tuple[int, float, float]] = []
    differs = False  # whether the line before ended with a difference, so that a Y check follows
    for number, line in enumerate(lines, 1):
        start = _X.match(line)
        if start is None:
            raise YCheckError(f"line {number} of the data does not begin with a number: {line[:40]!r}")
        marks.append((len(ordinates) - differs, float(start[1]), _last_digit(start[1])))
        differs = _line(line, start.end(), ordinates, number, most, differs)
    return np.array(ordinates, dtype=np.float64), marks


def _line(line: str, place: int, ordinates: list[float], number: int, most: int, check: bool) -> bool:
    """Append the ordinates of one line; return whether its last was written as a difference."""
    step: float | None = None  # the difference before, None where an ordinate stood
    end = len(line.rstrip(" \t\r,;"))
    while place < end:
        match = _Y.match(line, place)
        if match is None:
            raise YCheckError(f"line {number} of the data holds {line[place : place + 10]!r}, which is no number")
        place = match.end()
        letter = match["letter"] or ""
        if letter in _DUP:
            count = int(f"{_DUP[letter]}{match['digits']}") - 1
            if not ordinates or len(ordinates) + count > most:
                raise YCheckError(
                    f"line {number} of the data repeats a value {count + 1} times, more than the {most} points"
                )
            last = ordinates[-1]
            ordinates.extend([last] * count if not step else [last + step * (i + 1) for i in range(count)])
            continue
        if letter in _DIF:
            if not ordinates:
                raise YCheckError(f"line {number} of the data begins with a difference to nothing")
            step = _signed(_DIF[letter], match["digits"])
            ordinates.append(ordinates[-1] + step)
        else:
            value = float("nan") if match["gap"] else _ordinate(match, letter)
            step = None
            if check:
                if value != ordinates[-1]:
                    raise YCheckError(
                        f"line {number} of the data begins with the check value {value:g}, the line before ends with "
                        f"{ordinates[-1]:g}"
                    )
            else:
                ordinates.append(value)
        check = False
        if len(ordinates) > most:
            raise YCheckError(f"the data holds more than the {most} points its header promises")
    return step is not None


def _ordinate(match: re.Match[str], letter: str) -> float:
    return float(match["number"]) if match["number"] else _signed(_SQZ[letter], match["digits"])


def _signed(digit: int, digits: str) -> float:
    """First digit with its sign, followed by the other digits."""
    return float(f"{digit}{digits}")


def _last_digit(number: str) -> float:
    """Worth of the last digit of a number as it is written: 0.01 of 12.34."""
    mantissa, _, exponent = number.upper().partition("E")
    decimals = len(mantissa.partition(".")[2])
    return float(10.0 ** ((int(exponent) if exponent else 0) - decimals))
