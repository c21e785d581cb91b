"""What every backend is: a network made ready by one library, and arrays through it in micro-batches."""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from peakwise.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["Backend", "Workers", "filled", "load"]


class Backend(ABC):
    """A network in evaluation mode, run by one library.

    An *item* is what the network sees at once: a pattern (n_points,), or a sequence of patterns (time, n_points).

    Parameters
    ----------
    network : nn.Module
        Items (batch, ...) to answers (batch, n_classes) or (batch, time, n_classes); it is used, not copied.
    precision : str
        One of `precisions`.
    threads : int
        Threads to use at most.
    calibration : ndarray, optional
        Typical items, for what must know the range of numbers.
    caution : int
        How many layers are left in single precision, where there is a choice: 0 to ``cautions - 1``.

    Attributes
    ----------
    precision : str
        What it runs in: a machine without bf16 instructions runs ``bf16`` as ``f32``.
    """

    library: ClassVar[str]
    precisions: ClassVar[tuple[str, ...]]
    sizes: ClassVar[tuple[int, ...]]
    cautions: ClassVar[int] = 1

    def __init__(
        self,
        network: nn.Module,
        precision: str,
        threads: int,
        calibration: NDArray[np.float32] | None = None,
        caution: int = 0,
    ) -> None:
        self.network, self.precision, self.threads = network, precision, threads
        self.calibration, self.caution = calibration, caution

    @classmethod
    def has_bf16(cls) -> bool:
        """Whether it is installed and this processor multiplies in bf16; where not, ``bf16`` runs as ``f32``."""
        return False

    @abstractmethod
    def run(self, items: NDArray[np.float32], size: int, out: NDArray[np.float32]) -> None:
        """Answer to contiguous items (n, ...) in micro-batches of `size`, written into `out` (n, ...)."""

    @abstractmethod
    def run_one(self, item: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Answer to a single item (1, ...) at once, in the thread of the caller."""


class Workers:
    """Threads that each take the next micro-batch: the library must let go of Python's lock while it computes."""

    def __init__(self, threads: int, start: Callable[[], None]) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "peakwise-predict", start)
        # All of them begin now: each waits until the last one is there.
        together = threading.Barrier(threads)
        for done in [self._pool.submit(together.wait) for _ in range(threads)]:
            done.result()

    def each(self, work: Callable[[slice], None], n: int, size: int) -> None:
        """Call `work` for every slice of `size` out of `n`; the first error of any is raised."""
        begins = itertools.count(0, size)  # one step of it cannot be interrupted by another thread

        def take() -> None:
            while (begin := next(begins)) < n:
                work(slice(begin, min(begin + size, n)))

        for done in [self._pool.submit(take) for _ in range(self.threads)]:
            done.result()


def filled(part: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A micro-batch of exactly `size` items: the last of many is filled up with zeros."""
    if len(part) == size:
        return part
    return np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), np.float32)])


def load(backend: str, module: str, library: str) -> Any:
    """Import the module of a library, or say how to install it."""
    try:
        return import_module(module)
    except ImportError as problem:
        raise MissingExtraError(
            f"cannot predict with {backend}", f"{library} is not installed", "Run pip install 'peakwise[deploy]'"
        ) from problem
