"""ONNX Runtime."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch

from peakwise.errors import OptionError
from peakwise.exported._backend import Backend, Workers, filled, load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["OnnxRuntimeBackend"]


@final
class OnnxRuntimeBackend(Backend):
    """The network as an ONNX graph, run by ONNX Runtime: one session, one thread for each micro-batch."""

    library: ClassVar[str] = "onnxruntime"
    precisions: ClassVar[tuple[str, ...]] = ("f32",)
    sizes: ClassVar[tuple[int, ...]] = (4, 8, 16)

    def __init__(
        self,
        network: nn.Module,
        precision: str,
        threads: int,
        calibration: NDArray[np.float32] | None = None,
        caution: int = 0,
    ) -> None:
        super().__init__(network, precision, threads, calibration, caution)
        for library in ("onnx", "onnxscript"):
            load("onnxruntime", library, library)
        self._runtime = load("onnxruntime", "onnxruntime", "onnxruntime")
        self._sessions: dict[tuple[int, ...], Any] = {}
        self._workers = Workers(threads, lambda: None)

    def run(self, items: NDArray[np.float32], size: int, out: NDArray[np.float32]) -> None:
        """Answer to contiguous items (n, ...) in micro-batches of `size`, written into `out` (n, ...)."""
        session, fixed = self._session((size, *items.shape[1:]))

        def answer(part: slice) -> None:
            given = filled(items[part], size) if fixed else items[part]
            out[part] = session.run(None, {"items": given})[0][: part.stop - part.start]

        self._workers.each(answer, len(items), size)

    def run_one(self, item: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Answer to a single item (1, ...) at once, in the thread of the caller."""
        out[:] = self._session(item.shape)[0].run(None, {"items": item})[0]

    def _session(self, shape: tuple[int, ...]) -> tuple[Any, bool]:
        """What answers to items of this shape (batch, ...), and whether it does to no other number of them."""
        for key in (shape[1:], shape):
            if key not in self._sessions:
                graph = _exported(self.network, shape, is_fixed=key is shape)
                if graph is None:
                    self._sessions[key] = None
                else:
                    options = self._runtime.SessionOptions()
                    options.intra_op_num_threads = 1  # the workers are the threads
                    options.log_severity_level = 3
                    self._sessions[key] = self._runtime.InferenceSession(graph, options, ["CPUExecutionProvider"])
            if self._sessions[key] is not None:
                return self._sessions[key], key is shape
        why = "its graph cannot be written as ONNX"
        raise OptionError("cannot predict with onnxruntime", why, "Use backend='torch'")


def _exported(network: nn.Module, shape: tuple[int, ...], *, is_fixed: bool) -> bytes | None:
    """The graph for items of this shape (batch, ...), or for any number of them; None if it cannot be had."""
    before = logging.root.manager.disable
    fast = torch.backends.mha.get_fastpath_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        logging.disable(logging.WARNING)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            example = (torch.zeros(shape if is_fixed else (2, *shape[1:])),)
            dynamic = None if is_fixed else ({0: torch.export.Dim("batch")},)
            # Into plain products and sums first: the exporter knows attention of four dimensions only.
            graph = torch.export.export(network, example, dynamic_shapes=dynamic).run_decompositions()
            program = torch.onnx.export(graph, dynamo=True, input_names=["items"], verbose=False)
        except (torch.onnx.errors.OnnxExporterError, torch._dynamo.exc.UserError):
            return None
        finally:
            logging.disable(before)
            torch.backends.mha.set_fastpath_enabled(fast)
    return bytes(program.model_proto.SerializeToString())
