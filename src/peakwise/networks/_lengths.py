"""How long a signal is after convolutions without padding."""

from __future__ import annotations

__all__ = ["fewest_points", "lengths"]


def lengths(n_points: int, n_layers: int, kernel: int, stride: int) -> list[int]:
    """Length of the signal before, between and after the convolutions.

    >>> lengths(150, 3, 5, 1)
    [150, 146, 142, 138]
    """
    made = [n_points]
    for _ in range(n_layers):
        made.append((made[-1] - kernel) // stride + 1)
    return made


def fewest_points(n_layers: int, kernel: int, stride: int) -> int:
    """Points that a signal must have so that one is left.

    >>> fewest_points(3, 5, 1), lengths(fewest_points(3, 5, 2), 3, 5, 2)[-1]
    (13, 1)
    """
    fewest = 1
    for _ in range(n_layers):
        fewest = (fewest - 1) * stride + kernel
    return fewest
