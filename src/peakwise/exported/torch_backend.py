"""PyTorch itself, with micro-batches that stay in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

import torch

from peakwise.exported._backend import Backend, Workers
from peakwise.exported._fold import fold_batch_norms
from peakwise.exported._layers import lay_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

__all__ = ["TorchBackend"]


@final
class TorchBackend(Backend):
    """PyTorch without what it spends at large batches.

    Maps of 1,024 patterns do not fit into a processor's cache, and fresh memory for each of them costs more than the
    arithmetic. Here each thread has a few patterns at once and works alone: threads that share one layer wait for one
    another after each, which takes very long where the machine has other work.
    """

    library: ClassVar[str] = "torch"
    precisions: ClassVar[tuple[str, ...]] = ("f32", "bf16")
    sizes: ClassVar[tuple[int, ...]] = (4, 8, 16)

    def __init__(
        self,
        network: nn.Module,
        precision: str,
        threads: int,
        calibration: NDArray[np.float32] | None = None,
        caution: int = 0,
    ) -> None:
        super().__init__(network, precision if self.has_bf16() else "f32", threads, calibration, caution)
        self._quick: nn.Module | None = None
        self._workers: Workers | None = None

    @classmethod
    def has_bf16(cls) -> bool:
        """Whether this processor multiplies in bf16."""
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())

    def run(self, items: NDArray[np.float32], size: int, out: NDArray[np.float32]) -> None:
        """Answer to contiguous items (n, ...) in micro-batches of `size`, written into `out` (n, ...)."""
        given, answers = torch.from_numpy(items), torch.from_numpy(out)
        self._ready(given[:2])
        if self._workers is None:
            before = torch.get_num_threads()
            # In OpenMP the number belongs to the thread that sets it; torch keeps one more, for threads to come.
            self._workers = Workers(self.threads, _alone)
            torch.set_num_threads(before)
        self._workers.each(lambda part: self._answer(given[part], answers[part]), len(items), size)

    def run_one(self, item: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Answer to a single item (1, ...) at once, in the thread of the caller."""
        given = torch.from_numpy(item)
        self._ready(given)
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            self._answer(given, torch.from_numpy(out))
        finally:
            torch.set_num_threads(before)

    def _ready(self, example: Tensor) -> None:
        if self._quick is None:
            self._quick = lay_out(fold_batch_norms(self.network, example), example)

    def _answer(self, given: Tensor, out: Tensor) -> None:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            out.copy_(self._quick(given))  # type: ignore[misc]  # it is ready


def _alone() -> None:
    torch.set_num_threads(1)
