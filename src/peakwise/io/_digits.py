"""Plain decimal numbers out of bytes, many at once.

NumPy and Python read one number in some 150 ns, because they must be ready for every spelling. Nearly all numbers in
scan files are digits with at most one point; those are read here with array operations in half the time, to the same
last bit: a mantissa of at most 15 digits and a power of ten up to 10**22 are exact in float64, so their quotient is the
correctly rounded value (Clinger, PLDI 1990, doi:10.1145/93542.93557). Everything else is left to the general reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decimal_rows"]

_MOST_DIGITS = 15
_POWERS = 10.0 ** np.arange(_MOST_DIGITS + 1)
_NEWLINE, _POINT, _MINUS, _PLUS, _ZERO = 0x0A, 0x2E, 0x2D, 0x2B, 0x30


def decimal_rows(text: bytes, width: int) -> NDArray[np.float64] | None:
    r"""Return the numbers of a text as rows, or None where it holds anything but rows of `width` plain decimals.

    Parameters
    ----------
    text : bytes
        Lines of numbers parted by white space (and nothing else), without blank lines.
    width : int
        Numbers that every line must hold.

    Examples
    --------
    >>> decimal_rows(b"10.5 -3\n11.0 4", 2)
    array([[10.5, -3. ],
           [11. ,  4. ]])
    >>> decimal_rows(b"10.5 3\n11.0", 2) is None
    True
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    filled = raw > 0x20
    edges = np.flatnonzero(np.diff(filled.view(np.int8), prepend=np.int8(0), append=np.int8(0))).astype(np.int32)
    starts, ends = edges[::2], edges[1::2]
    n_lines = text.count(b"\n") + 1
    if starts.size != n_lines * width or not _even(raw, starts, width, n_lines):
        return None
    digits = raw - np.uint8(_ZERO)
    is_digit = digits < 10
    before = np.zeros(raw.size + 1, dtype=np.int32)  # digits before each byte
    np.cumsum(is_digit, out=before[1:])
    first, last = before[starts], before[ends]
    count = last - first
    points = np.flatnonzero(raw == _POINT)
    sign = raw[starts]
    signed = (sign == _MINUS) | (sign == _PLUS)
    if not _plain(count, ends - starts, signed, starts, points):
        return None
    decimals = np.zeros(starts.size, dtype=np.int32)
    holder = np.searchsorted(starts, points, side="right") - 1 if points.size != starts.size else slice(None)
    decimals[holder] = last[holder] - before[points]
    rank = np.repeat(last - 1, count) - np.arange(int(before[-1]), dtype=np.int32)
    mantissa: NDArray[np.float64] = np.add.reduceat(digits[is_digit] * _POWERS[rank], first)
    values: NDArray[np.float64] = mantissa / _POWERS[decimals]
    values[sign == _MINUS] *= -1
    return values.reshape(n_lines, width)


def _even(raw: NDArray[np.uint8], starts: NDArray[np.int32], width: int, n_lines: int) -> bool:
    """Whether every line holds `width` numbers: the first of each row must be the first after a line end."""
    ends = np.flatnonzero(raw == _NEWLINE)
    rows = starts[::width]
    return bool(ends.size == n_lines - 1 and (rows[1:] > ends).all() and (starts[width - 1 :: width][:-1] < ends).all())


def _plain(
    count: NDArray[np.int32],
    length: NDArray[np.int32],
    signed: NDArray[np.bool_],
    starts: NDArray[np.int32],
    points: NDArray[np.intp],
) -> bool:
    """Whether each number is a sign, some digits and at most one point, and nothing else."""
    if not ((count > 0) & (count <= _MOST_DIGITS)).all():
        return False
    with_point = length - count - signed
    if points.size == starts.size:
        return bool((with_point == 1).all() and (points >= starts).all() and (points < starts + length).all())
    return bool(((with_point == 0) | (with_point == 1)).all() and int(with_point.sum()) == points.size)
