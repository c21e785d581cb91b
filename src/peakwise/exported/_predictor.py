"""Patterns in, probabilities out."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.exported._backend import Backend

__all__ = ["Predictor"]

_AT_ONCE = 4096  # patterns brought to float32 at once: a larger array may lie on a disk
_TRIED = 32  # patterns of one trial, a thread
_TRIALS = 3


class Predictor:
    """A network made ready by `compile_network`; call it with patterns.

    Attributes
    ----------
    backend, precision, mode : str
        What it runs with and in; ``bf16`` becomes ``f32`` on a processor without such instructions.
    n_points : int
        Points of a pattern.
    n_classes : int
        Numbers of an answer.
    sequence : int or None
        Patterns that the network reads together.
    micro_batch : int
        Items that are computed together: patterns, or sequences of them.
    threads : int
        Threads in use.
    same_labels : float or None
        Share of the calibration patterns with the same labels as from PyTorch in single precision.

    Notes
    -----
    Calls from several threads wait for one another.
    """

    def __init__(
        self,
        engine: Backend,
        *,
        mode: str,
        n_points: int,
        n_classes: int,
        sequence: int | None,
        micro_batch: int | None,
        example: NDArray[np.float32],
        same_labels: float | None = None,
    ) -> None:
        self._engine, self._lock = engine, threading.Lock()
        self.backend, self.precision, self.threads = engine.library, engine.precision, engine.threads
        self.mode, self.n_points, self.n_classes, self.sequence = mode, n_points, n_classes, sequence
        self.same_labels = same_labels
        self.micro_batch = 1 if mode == "latency" else micro_batch or self._quickest(example)

    def __repr__(self) -> str:
        shape = f"{self.n_points} points, {self.n_classes} classes"
        return f"Predictor({self.backend}, {self.precision}, {self.mode}, {shape}, micro_batch={self.micro_batch})"

    def __call__(self, intensity: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities (n, n_classes) of patterns (n, n_points), in their order.

        Parameters
        ----------
        intensity : ndarray of shape (n, n_points)
            Prepared as for training. With a `sequence`, one series in the order of its acquisition; its last sequence
            ends with the series, and a shorter series is one sequence.
        """
        if getattr(intensity, "ndim", None) != 2 or intensity.shape[1] != self.n_points:
            got = getattr(intensity, "shape", type(intensity).__name__)
            why = f"patterns of shape (n, {self.n_points}) are needed, got {got}"
            raise OptionError("cannot predict", why, "Resample them to the grid of the network")
        if np.asarray(intensity[:0]).dtype.kind not in "fiub":
            raise OptionError("cannot predict", f"numbers are needed, got {intensity.dtype}", "Convert them to float32")
        answers = np.empty((len(intensity), self.n_classes), np.float32)
        with self._lock:
            if self.sequence is None:
                for begin in range(0, len(intensity), _AT_ONCE):
                    part = np.ascontiguousarray(intensity[begin : begin + _AT_ONCE], np.float32)
                    self._run(part, answers[begin : begin + _AT_ONCE])
            elif len(intensity):
                self._run_series(intensity, answers, min(self.sequence, len(intensity)))
        return answers

    def _run(self, items: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        if self.mode == "latency":
            for k in range(len(items)):
                self._engine.run_one(items[k : k + 1], out[k : k + 1])
        else:
            self._engine.run(items, self.micro_batch, out)

    def _run_series(self, series: NDArray[Any], answers: NDArray[np.float32], length: int) -> None:
        """Sequence after sequence; the last one begins early enough to be whole, and adds what is still missing."""
        begins = [*range(0, len(series) - length, length), len(series) - length]
        together = max(1, _AT_ONCE // length)
        for first in range(0, len(begins), together):
            some = begins[first : first + together]
            items = np.stack([np.asarray(series[b : b + length], np.float32) for b in some])
            out = np.empty((len(some), length, self.n_classes), np.float32)
            self._run(items, out)
            for begin, answer in zip(some, out, strict=True):
                answers[begin : begin + length] = answer

    def _quickest(self, example: NDArray[np.float32]) -> int:
        """The micro-batch that takes the least time for each item, among those that the backend proposes."""
        length = self.sequence or 1
        sizes = (
            self._engine.sizes
            if self.sequence is None
            else tuple(sorted({-(-s // length) for s in self._engine.sizes}))
        )
        if len(sizes) == 1:
            return sizes[0]
        times = []
        for size in sizes:
            n = size * self.threads * max(1, _TRIED // (size * length))
            items = np.resize(example, (n, *example.shape[1:]))
            shape = (n, self.n_classes) if self.sequence is None else (n, length, self.n_classes)
            out = np.empty(shape, np.float32)
            self._engine.run(items, size, out)
            took = []
            for _ in range(_TRIALS):
                begin = time.perf_counter()
                self._engine.run(items, size, out)
                took.append(time.perf_counter() - begin)
            times.append(min(took) / n)
        return sizes[int(np.argmin(times))]
