"""Options of the training, checked once; the device; and how far a training is."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from peakwise.errors import OptionError

__all__ = ["Settings", "choose_device", "refuse"]

_PRECISIONS = ("float32", "bf16")


def refuse(why: str, do: str) -> OptionError:
    """The error for what training cannot work with."""
    return OptionError("cannot train", why, do)


@dataclass(frozen=True)
class Settings:
    """What decides the weights at the end, besides the batches; a checkpoint belongs to one of these."""

    steps: int | None
    seconds: float | None
    validations: int
    patience: int | None
    learning_rate: float
    weight_decay: float
    warm_up: float
    clip: float | None
    precision: str
    random_state: int
    processes: int = 1

    def __post_init__(self) -> None:
        if self.steps is None and self.seconds is None:
            raise refuse("one of steps, epochs and seconds must be given, got none", "Give seconds=60")
        self._number("steps", 1, whole=True, optional=True)
        self._number("seconds", 1e-3, optional=True)
        self._number("validations", 1, whole=True)
        self._number("patience", 1, whole=True, optional=True)
        self._number("learning_rate", 1e-12)
        self._number("weight_decay", 0.0)
        self._number("warm_up", 0.0, most=1.0)
        self._number("clip", 1e-12, optional=True)
        self._number("random_state", 0, whole=True, most=2**62)
        if self.precision not in _PRECISIONS:
            raise refuse(f"precision must be one of {', '.join(_PRECISIONS)}, got {self.precision!r}", "Choose one")

    def _number(
        self, name: str, least: float, *, most: float = math.inf, whole: bool = False, optional: bool = False
    ) -> None:
        value: Any = getattr(self, name)
        if optional and value is None:
            return
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or (whole and not isinstance(value, int)) or not least <= value <= most:
            upper = f" and at most {most:g}" if most < math.inf else ""
            must = f"a {'whole ' if whole else ''}number of at least {least:g}{upper}{', or None' if optional else ''}"
            raise refuse(f"{name} must be {must}, got {value!r}", f"Change {name}")

    def to_dict(self) -> dict[str, Any]:
        """As a dict that JSON can hold."""
        return asdict(self)

    def progress(self, step: int, seconds: float) -> float:
        """How much of the budget is spent, 0 to 1: of the one that will end first."""
        by_steps = step / self.steps if self.steps is not None else 0.0
        by_time = seconds / self.seconds if self.seconds is not None else 0.0
        return min(max(by_steps, by_time), 1.0)

    def rate(self, progress: float) -> float:
        """The learning rate: a straight rise during the warm-up, then half a cosine down to 0.

        >>> settings = Settings(100, None, 1, None, 1.0, 0.0, 0.1, None, "float32", 0)
        >>> [round(settings.rate(p), 3) for p in (0.0, 0.05, 0.1, 0.55, 1.0)]
        [0.01, 0.505, 1.0, 0.5, 0.0]
        """
        if progress < self.warm_up:
            # Not from 0: the first step of a training by the clock would otherwise do nothing.
            return self.learning_rate * (0.01 + 0.99 * progress / self.warm_up)
        rest = (progress - self.warm_up) / (1 - self.warm_up) if self.warm_up < 1 else 1.0
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))


def choose_device(name: str, place: int = 0) -> torch.device:
    """The device called `name`; ``auto`` is a GPU where there is one.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as problem:
        raise refuse(f"device must be auto, cpu or cuda, got {name!r}", "Choose one") from problem
    if device.type == "cuda" and not torch.cuda.is_available():
        raise refuse("device is cuda, and torch finds no GPU here", "Use device='cpu'")
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", place % torch.cuda.device_count())
    return device
