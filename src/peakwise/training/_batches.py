"""Batches: from arrays, onto the device, and always one ready."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, final

import numpy as np
import torch

from peakwise.training._checks import refuse

__all__ = ["ArrayBatches", "Prefetcher", "Source", "as_tensors", "stream_from"]

Batch = Mapping[str, Any]
Source = Iterable[Batch] | Callable[[int], Iterable[Batch]]

_READY = 2  # batches; more would only take memory, fewer would make the network wait for a slow one


@final
class ArrayBatches:
    """Batches from arrays that fit into memory, in a new order each epoch.

    Parameters
    ----------
    arrays : mapping of str to array
        All with the same first dimension, such as ``{"intensity": (n, m), "label": (n,)}``.
    size : int
        Rows of a batch; the last one of an epoch may be smaller.
    random_state : int or None
        Seed of the orders; None keeps the rows as they are.

    Examples
    --------
    >>> batches = ArrayBatches({"label": np.arange(5)}, size=2, random_state=None)
    >>> len(batches), [b["label"].tolist() for b in batches]
    (3, [[0, 1], [2, 3], [4]])
    >>> [b["label"].tolist() for b in islice(batches.starting_at(2), 3)]
    [[4], [0, 1], [2, 3]]
    """

    def __init__(self, arrays: Mapping[str, Any], size: int = 64, random_state: int | None = 0) -> None:
        lengths = {len(rows) for rows in arrays.values()}
        if len(lengths) != 1 or not min(lengths):
            why = f"arrays must have the same length and at least one row, got {sorted(lengths)}"
            raise refuse(why, "Give arrays of equal length")
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise refuse(f"size must be a whole number of 1 or more, got {size!r}", "Give size=64")
        self.arrays, self.size, self.random_state = dict(arrays), size, random_state
        self.n_rows = min(lengths)

    def __len__(self) -> int:
        return math.ceil(self.n_rows / self.size)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return islice(self.starting_at(0), len(self))

    def starting_at(self, step: int) -> Iterator[dict[str, Any]]:
        """Endless batches from number `step` on, epoch after epoch."""
        while True:
            epoch, place = divmod(step, len(self))
            order = np.arange(self.n_rows)
            if self.random_state is not None:
                order = np.random.default_rng([self.random_state, epoch]).permutation(self.n_rows)
            for start in range(place * self.size, self.n_rows, self.size):
                chosen = order[start : start + self.size]
                yield {name: rows[chosen] for name, rows in self.arrays.items()}
                step += 1


def stream_from(batches: Source, step: int, rank: int = 0, processes: int = 1) -> Iterator[Batch]:
    """Batches from step `step` on; of several processes each gets its own share."""
    first = step * processes
    if isinstance(batches, ArrayBatches):
        stream: Iterator[Batch] = batches.starting_at(first)
    elif callable(batches):
        stream = iter(batches(first))
    else:
        stream = islice(batches, first, None)
    return islice(stream, rank, None, processes) if processes > 1 else stream


def as_tensors(batch: Any, device: torch.device) -> dict[str, torch.Tensor]:
    """The batch as tensors on the device; float32 arrays on the CPU share their memory.

    >>> rows = np.zeros((2, 3), np.float32)
    >>> as_tensors({"intensity": rows}, torch.device("cpu"))["intensity"].numpy() is rows
    False
    >>> np.shares_memory(as_tensors({"intensity": rows}, torch.device("cpu"))["intensity"].numpy(), rows)
    True
    """
    if not isinstance(batch, Mapping):
        why = f"a batch must be a mapping of names to arrays, got {type(batch).__name__}"
        raise refuse(why, "Give {'intensity': ..., 'label': ...}")
    return {name: _tensor(value, device) for name, value in batch.items()}


def _tensor(value: Any, device: torch.device) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        rows = np.asarray(value)
        if rows.dtype.kind == "f":
            rows = rows.astype(np.float32, copy=False)
        elif rows.dtype.kind not in "iub":
            raise refuse(f"arrays of a batch must hold numbers, got dtype {rows.dtype}", "Leave out the others")
        # torch has no arrays that may not be written to: those are copied.
        value = torch.from_numpy(np.ascontiguousarray(rows) if rows.flags.writeable else rows.copy())
    elif value.dtype == torch.float64:
        value = value.float()
    if device.type == "cuda" and value.device.type == "cpu":
        return value.pin_memory().to(device, non_blocking=True)
    return value.to(device)


@final
class Prefetcher:
    """Brings batches onto the device in a background thread.

    Examples
    --------
    >>> with Prefetcher(iter([{"label": np.arange(2)}]), torch.device("cpu")) as ready:
    ...     [batch["label"].tolist() for batch in ready]
    [[0, 1]]
    """

    def __init__(self, stream: Iterator[Batch], device: torch.device) -> None:
        self._stream, self._device = stream, device
        self._queue: queue.Queue[Any] = queue.Queue(_READY)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="peakwise-prefetch", daemon=True)

    def __enter__(self) -> Iterator[dict[str, torch.Tensor]]:
        self._thread.start()
        return self._ready()

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        close = getattr(self._stream, "close", None)
        if close is not None and not self._thread.is_alive():
            close()

    def _ready(self) -> Iterator[dict[str, torch.Tensor]]:
        while True:
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    def _work(self) -> None:
        try:
            for batch in self._stream:
                if not self._put(as_tensors(batch, self._device)):
                    return
            self._put(None)
        except Exception as problem:  # noqa: BLE001 - raised again by the training loop, in its own thread
            self._put(problem)

    def _put(self, item: Any) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
