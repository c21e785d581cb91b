"""From a trained network to a predictor."""

from __future__ import annotations

import copy
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from peakwise.errors import OptionError
from peakwise.exported._predictor import Predictor
from peakwise.exported.onnxruntime_backend import OnnxRuntimeBackend
from peakwise.exported.openvino_backend import OpenVinoBackend
from peakwise.exported.torch_backend import TorchBackend
from peakwise.objectives import Classifier, MultiLabel, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.exported._backend import Backend

__all__ = ["BACKENDS", "compile_network"]

# In the order in which they are tried: the quickest first.
BACKENDS: dict[str, type[Backend]] = {
    "openvino": OpenVinoBackend,
    "onnxruntime": OnnxRuntimeBackend,
    "torch": TorchBackend,
}
_WHAT = "cannot compile the network"
_PRECISIONS = ("f32", "bf16", "int8")
_MODES = ("throughput", "latency")
_LEAST_SAME = 0.995  # share of the calibration patterns whose labels a lower precision must leave


class _Answer(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """What an objective answers, as a network."""

    def __init__(self, objective: Classifier) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        return self.objective.answer(items)


def compile_network(
    network: nn.Module,
    n_points: int,
    *,
    backend: str = "auto",
    precision: str = "f32",
    mode: str = "throughput",
    threads: int | None = None,
    micro_batch: int | None = None,
    calibration: NDArray[Any] | None = None,
    sequence: int | None = None,
) -> Predictor:
    """Make a trained network ready to predict on this machine's processor.

    Parameters
    ----------
    network : nn.Module
        A `Classifier`, of which the probabilities are wanted, or any network, of which the output is; it is copied.
    n_points : int
        Points of a pattern.
    backend : str
        A key of `BACKENDS`, or ``auto``: the first of them that is installed and knows the precision.
    precision : str
        ``f32``, ``bf16``, or ``int8``. A processor without bf16 instructions runs ``bf16`` as ``f32``.
    mode : str
        ``throughput`` for many patterns, a micro-batch in each thread, or ``latency`` for one at a time.
    threads : int, optional
        Threads to use; by default all cores for throughput, and one for latency.
    micro_batch : int, optional
        Items computed together by a thread; by default the quickest in a short trial.
    calibration : ndarray of shape (n, n_points), optional
        Typical patterns, prepared as for training; a few hundred. ``int8`` needs them, and with them any precision
        below ``f32`` is refused that changes more than 0.5 % of their labels.
    sequence : int, optional
        Patterns that a sequential network reads together.

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> from peakwise.objectives import SingleLabel
    >>> with seeded(0):
    ...     objective = SingleLabel(build_encoder("wang_cnn", 200), n_classes=3)
    >>> predict = compile_network(objective, 200, backend="torch", micro_batch=4)
    >>> probabilities = predict(np.zeros((10, 200)))
    >>> probabilities.shape, bool(np.allclose(probabilities.sum(axis=1), 1))
    ((10, 3), True)
    """
    numbers = {"n_points": n_points, "threads": threads, "micro_batch": micro_batch, "sequence": sequence}
    _check(precision, mode, numbers)
    answering = _answering(network, n_points, sequence)
    items = None if calibration is None else _items(calibration, n_points, sequence)
    if precision == "int8" and items is None:
        raise OptionError(_WHAT, "int8 needs patterns to know the range of numbers", "Give calibration=patterns")
    example = np.random.default_rng(0).random((8, *_shape(n_points, sequence)), np.float32) if items is None else items
    with torch.inference_mode():
        n_classes = int(answering(torch.from_numpy(example[:1])).shape[-1])
    member = BACKENDS[_chosen(backend, precision)]
    n_threads = threads or (1 if mode == "latency" else _cores())
    if items is None:
        engine, same = member(answering, precision, n_threads), None
    else:
        engine, same = _checked(member, answering, precision, n_threads, items, isinstance(network, MultiLabel))
    return Predictor(
        engine,
        mode=mode,
        n_points=n_points,
        n_classes=n_classes,
        sequence=sequence,
        micro_batch=micro_batch,
        example=example,
        same_labels=same,
    )


def _checked(
    member: type[Backend],
    answering: nn.Module,
    precision: str,
    threads: int,
    items: NDArray[np.float32],
    has_several: bool,
) -> tuple[Backend, float]:
    """The network in a precision that leaves the labels alone, and the share of labels that are the same."""
    # Half of the patterns set the ranges of numbers, the others show what became of the labels.
    ranges, held = items[::2], np.ascontiguousarray(items[1::2] if len(items) > 1 else items)
    with torch.inference_mode():
        true = np.concatenate([answering(part).numpy() for part in torch.from_numpy(held).split(8)])
    best = 0.0
    for caution in range(member.cautions if precision == "int8" else 1):
        engine = member(answering, precision, threads, ranges, caution)
        ours = np.empty_like(true)
        engine.run(held, 8, ours)
        if has_several:
            same = float(np.mean((ours > 0.5) == (true > 0.5)))
        else:
            same = float(np.mean(ours.argmax(axis=-1) == true.argmax(axis=-1)))
        if engine.precision == "f32" or same >= _LEAST_SAME:
            return engine, same
        best = max(best, same)
    why = f"at least {_LEAST_SAME:.1%} of the labels must be as in f32, got {best:.1%} of {len(held)}"
    raise OptionError(f"cannot run the network in {precision}", why, "Use f32, or calibrate with other patterns")


def _check(precision: str, mode: str, numbers: dict[str, int | None]) -> None:
    for name, value, known in (("precision", precision, _PRECISIONS), ("mode", mode, _MODES)):
        if value not in known:
            why = f"{name} must be one of {', '.join(known)}, got {value!r}"
            raise OptionError(_WHAT, why, f"Choose {name}={known[0]!r}")
    for name, number in numbers.items():
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise OptionError(_WHAT, f"{name} must be a whole number of 1 or more, got {number!r}", f"Change {name}")


def _answering(network: nn.Module, n_points: int, sequence: int | None) -> nn.Module:
    """A copy of the network on the processor that turns items into answers."""
    encoder = getattr(network, "encoder", network)
    built_for = getattr(encoder, "n_points", n_points)
    if built_for != n_points:
        why = f"it was built for {built_for} points, got n_points={n_points}"
        raise OptionError(_WHAT, why, f"Give n_points={built_for}")
    is_sequential = bool(getattr(encoder, "is_sequential", False))
    if is_sequential != (sequence is not None):
        do = "Give sequence=16, or as many as in training" if is_sequential else "Leave sequence out"
        reads = "sequences of patterns" if is_sequential else "single patterns"
        raise OptionError(_WHAT, f"it reads {reads}, got sequence={sequence}", do)
    if isinstance(network, Objective) and not isinstance(network, Classifier):
        why = f"{type(network).__name__} has no classes to answer with"
        raise OptionError(_WHAT, why, "Compile its encoder, or train a head on it")
    copied = copy.deepcopy(network).to("cpu", torch.float32).eval().requires_grad_(False)
    return _Answer(copied).eval() if isinstance(copied, Classifier) else copied


def _shape(n_points: int, sequence: int | None) -> tuple[int, ...]:
    return (n_points,) if sequence is None else (sequence, n_points)


def _items(calibration: NDArray[Any], n_points: int, sequence: int | None) -> NDArray[np.float32]:
    """The calibration patterns as the network reads them."""
    patterns = np.ascontiguousarray(calibration, np.float32)
    least = sequence or 1
    if patterns.ndim != 2 or patterns.shape[1] != n_points or len(patterns) < least:
        why = f"calibration must have the shape (n, {n_points}) with n of {least} or more, got {patterns.shape}"
        raise OptionError(_WHAT, why, "Give patterns that were prepared as for training")
    return patterns[: len(patterns) // least * least].reshape(-1, *_shape(n_points, sequence))


def _chosen(backend: str, precision: str) -> str:
    """The backend that was asked for, or the first that is installed and knows the precision."""
    if backend == "auto":
        able = [name for name, member in BACKENDS.items() if precision in member.precisions]
        return next((name for name in able if find_spec(BACKENDS[name].library) is not None), able[0])
    if backend not in BACKENDS:
        why = f"backend must be auto or one of {', '.join(BACKENDS)}, got {backend!r}"
        raise OptionError(_WHAT, why, "Choose backend='auto'")
    if precision not in BACKENDS[backend].precisions:
        able = [name for name, member in BACKENDS.items() if precision in member.precisions]
        why = f"{backend} runs {' and '.join(BACKENDS[backend].precisions)} here, got precision={precision!r}"
        raise OptionError(_WHAT, why, f"Use backend={able[0]!r}")
    return backend


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
