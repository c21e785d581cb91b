"""OpenVINO."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch

from peakwise.errors import OptionError
from peakwise.exported._backend import Backend, filled, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["OpenVinoBackend"]

_CALIBRATED = 512  # items that the ranges of int8 are taken from, at most


@final
class OpenVinoBackend(Backend):
    """The network as an OpenVINO graph: one stream a thread, each with one micro-batch of fixed shape.

    Notes
    -----
    The graph comes from PyTorch directly, through OpenVINO's reader of TorchScript. `openvino.convert_model` does the
    same and reports its use to Intel, which an experiment's network has no reason to do.
    """

    library: ClassVar[str] = "openvino"
    precisions: ClassVar[tuple[str, ...]] = ("f32", "bf16", "int8")
    sizes: ClassVar[tuple[int, ...]] = (4, 16, 64)
    cautions: ClassVar[int] = 3

    def __init__(
        self,
        network: nn.Module,
        precision: str,
        threads: int,
        calibration: NDArray[np.float32] | None = None,
        caution: int = 0,
    ) -> None:
        self._openvino = load("openvino", "openvino", "openvino")
        self._device = self._openvino.Core()
        runs = "f32" if precision == "bf16" and not self.has_bf16() else precision
        super().__init__(network, runs, threads, calibration, caution)
        self._graphs: dict[tuple[int, ...], Any] = {}
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._queues: dict[tuple[int, ...], Any] = {}
        self._requests: dict[tuple[int, ...], Any] = {}

    @classmethod
    def has_bf16(cls) -> bool:
        """Whether this processor multiplies in bf16."""
        device = load("openvino", "openvino", "openvino").Core()
        return "BF16" in device.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    def run(self, items: NDArray[np.float32], size: int, out: NDArray[np.float32]) -> None:
        """Answer to contiguous items (n, ...) in micro-batches of `size`, written into `out` (n, ...)."""
        shape = (size, *items.shape[1:])
        if shape not in self._queues:
            self._queues[shape] = self._openvino.AsyncInferQueue(self._compile(shape, self.threads), self.threads)
        queue = self._queues[shape]

        def keep(request: Any, begin: int) -> None:
            answers = request.get_output_tensor().data
            out[begin : begin + size] = answers[: len(out) - begin]

        queue.set_callback(keep)
        for begin in range(0, len(items), size):
            part = filled(items[begin : begin + size], size)
            queue.start_async({0: part}, begin, share_inputs=True)
        queue.wait_all()

    def run_one(self, item: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Answer to a single item (1, ...) at once, in the thread of the caller."""
        if item.shape not in self._requests:
            self._requests[item.shape] = self._compile(item.shape, 1).create_infer_request()
        request = self._requests[item.shape]
        request.infer({0: item}, share_inputs=True, share_outputs=True)
        out[:] = request.get_output_tensor().data

    def _compile(self, shape: tuple[int, ...], streams: int) -> Any:
        key = (*shape, streams)
        if key not in self._compiled:
            model = self._model(shape)
            options = {
                "INFERENCE_PRECISION_HINT": "bf16"
                if self.precision == "bf16"
                else "f32",  # its own choice may be 0.03 off
                "INFERENCE_NUM_THREADS": self.threads,
                "NUM_STREAMS": streams,
                "ENABLE_CPU_PINNING": False,  # a pinned thread waits for its core while another one is free
            }
            self._compiled[key] = self._device.compile_model(model, "CPU", options)
        return self._compiled[key]

    def _model(self, shape: tuple[int, ...]) -> Any:
        """The graph for a fixed number of items; what was written for any number may have noted one in passing."""
        model = self._graph(shape[1:], 2).clone()
        if not self._fits(model, shape):
            model = self._graph(shape[1:], shape[0]).clone()
            if not self._fits(model, shape):
                why = f"its graph does not fit into micro-batches of {shape[0]}"
                raise OptionError("cannot predict with openvino", why, "Use backend='torch'")
        return model

    def _fits(self, model: Any, shape: tuple[int, ...]) -> bool:
        try:
            model.reshape(list(shape))
        except RuntimeError:  # of a reshape inside that names another number
            return False
        answer = model.output(0).partial_shape
        return bool(answer.is_static) and answer[0].get_length() == shape[0]

    def _graph(self, shape: tuple[int, ...], seen: int) -> Any:
        """The graph as it was followed on a number of items of one shape."""
        key = (seen, *shape)
        if key not in self._graphs:
            graph = _converted(self.network, key)
            if self.precision == "int8" and self.calibration is not None:
                # A series that is shorter than a sequence has items of its own length.
                graph = _quantised(graph, self.calibration[:_CALIBRATED, : shape[0]], seen, self.caution)
            self._graphs[key] = graph
        return self._graphs[key]


def _converted(network: nn.Module, shape: tuple[int, ...]) -> Any:
    """The graph as OpenVINO reads it from PyTorch, followed on items of this shape (batch, ...)."""
    frontend = load("openvino", "openvino.frontend", "openvino").FrontEndManager().load_by_framework("pytorch")
    decoder = load("openvino", "openvino.frontend.pytorch.ts_decoder", "openvino").TorchScriptPythonDecoder
    fast = torch.backends.mha.get_fastpath_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TorchScript, about its age and about checks of shapes
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            reading = decoder(network, example_input=torch.zeros(shape))  # a name keeps it alive
            return frontend.convert(frontend.load(reading))
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


def _quantised(model: Any, items: NDArray[np.float32], size: int, caution: int) -> Any:
    """The graph in int8; with more caution, dense layers and then the outer convolutions stay in single precision."""
    with _silent():
        nncf = load("openvino in int8", "nncf", "nncf")
        nncf.set_log_level(logging.ERROR)
        names = [op.get_friendly_name() for op in model.get_ordered_ops() if op.get_type_name() == "Convolution"]
        ignored = nncf.IgnoredScope(
            types=["MatMul"] if caution > 0 else [], names=sorted({*names[:1], *names[-1:]}) if caution > 1 else []
        )
        items = np.resize(items, (-(-len(items) // size) * size, *items.shape[1:]))
        parts = np.split(items, len(items) // size)
        return nncf.quantize(
            model, nncf.Dataset(parts), subset_size=len(parts), ignored_scope=ignored if caution else None
        )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without progress bars on the terminal and without reports over the network."""
    before = os.environ.get("NNCF_CI")
    os.environ["NNCF_CI"] = "1"
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            del os.environ["NNCF_CI"]
        else:
            os.environ["NNCF_CI"] = before
