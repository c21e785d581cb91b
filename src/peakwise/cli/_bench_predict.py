"""The bench of `predict`: every network through every backend that is installed, beside plain PyTorch."""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.objectives import Classifier

__all__ = ["run"]

_PHASES = ("Ni", "TiO2-rutile", "CaTiO3")
_POINTS, _FEW_POINTS = 4023, 256  # those of the published networks; those of --quick
_QUICK = ("fcnn", "sun_cnn", "transformer")
_SEQUENCE = 16
_BATCH = 1024
_VARIANTS = (("torch", "f32"), ("onnxruntime", "f32"), ("openvino", "f32"), ("openvino", "bf16"), ("openvino", "int8"))
_SINGLES = 400  # single spectra, of which 1 % are slower than the p99
_LIMIT = 1e-4  # largest difference to PyTorch in single precision


class _Case(NamedTuple):
    """One network, and what plain PyTorch gives and takes."""

    name: str
    objective: Classifier
    sequence: int | None
    spectra: NDArray[np.float32]
    answers: NDArray[np.float32]
    seconds: float  # a spectrum
    one: float  # p99 of a single item [s]


def run(out: Output, *, quick: bool = False) -> list[dict[str, Any]]:
    """All rows of the table."""
    from peakwise.networks import NETWORKS

    n_points, least = (_FEW_POINTS, 0.02) if quick else (_POINTS, 1.0)
    spectra, labels = _spectra(n_points, 96 if quick else 768)
    names = _QUICK if quick else tuple(NETWORKS)
    able = _able(out, quick)
    rows = [_classical(spectra, labels, least)]
    for name in out.progress(iter(names), "measuring", len(names)):
        case = _case(name, spectra, labels, least, 64 if quick else _BATCH)
        for backend, precision in able:
            rows += _measure(case, backend, precision, least, out)
    return rows


def _able(out: Output, quick: bool) -> list[tuple[str, str]]:
    """What can run here: what is installed, in precisions that this processor knows."""
    from peakwise.exported import BACKENDS

    needs = {"onnxruntime": ("onnxruntime", "onnx", "onnxscript"), "int8": ("nncf",), "openvino": ("openvino",)}
    able = []
    for backend, precision in _VARIANTS:
        libraries = (*needs.get(backend, ()), *needs.get(precision, ()))
        missing = [library for library in libraries if find_spec(library) is None]
        if missing:
            out.warnings.append(f"{backend} {precision} is left out: {', '.join(missing)} not installed")
        elif precision == "bf16" and BACKENDS[backend].has_bf16() is False:
            out.warnings.append(f"{backend} {precision} is left out: this processor has no bf16 instructions")
        elif not quick or (backend, precision) in _VARIANTS[::2][:2]:
            able.append((backend, precision))
    return able


def _spectra(n_points: int, n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Noisy patterns of three structures, each scaled to 1, in a random order."""
    from peakwise.crystal import TEXTBOOK
    from peakwise.simulate import Simulator

    grid = (20.0, 90.0, n_points)
    made = [
        Simulator(TEXTBOOK[name], grid, radiation="CuKa1", random_state=k).draw(n // len(_PHASES)).intensity
        for k, name in enumerate(_PHASES)
    ]
    spectra = np.concatenate(made).astype(np.float32)
    spectra /= spectra.max(axis=1, keepdims=True)
    order = np.random.default_rng(0).permutation(len(spectra))
    return spectra[order], np.repeat(np.arange(len(_PHASES)), n // len(_PHASES))[order]


def _case(name: str, spectra: NDArray[np.float32], labels: NDArray[np.int64], least: float, batch: int) -> _Case:
    """A network whose head was fitted to these spectra, timed as it comes: 1,024 of them at once, and one."""
    import torch

    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import SingleLabel, evaluating

    with seeded(0):
        objective = SingleLabel(build_encoder(name, spectra.shape[1]), len(_PHASES))
    sequence = _SEQUENCE if objective.encoder.is_sequential else None
    items = torch.from_numpy(spectra)
    if sequence is not None:
        whole = len(spectra) // sequence * sequence
        items, spectra, labels = items[:whole].reshape(-1, sequence, spectra.shape[1]), spectra[:whole], labels[:whole]
    _fit_head(objective, items, labels)
    many = items.repeat(-(-batch // len(spectra)), *[1] * (items.ndim - 1))[: batch // (sequence or 1)]
    with evaluating(objective):
        answers = torch.cat([objective.answer(part) for part in items.split(8)])
        seconds = _best(lambda: objective.answer(many), least) / batch
        one = _p99(lambda k: objective.answer(items[k % len(items)][None]), least)
    return _Case(name, objective, sequence, spectra, answers.reshape(-1, len(_PHASES)).numpy(), seconds, one)


def _fit_head(objective: Any, items: Any, labels: NDArray[np.int64]) -> None:
    """Batch norms that have seen the spectra, and a head that tells them apart, as clearly as after training."""
    import torch
    from sklearn.linear_model import LogisticRegression

    encoder = objective.encoder
    with torch.no_grad():
        encoder.train()
        for part in items.split(32)[:12]:
            encoder(part)
        encoder.eval()
        features = torch.cat([encoder(part) for part in items.split(8)]).reshape(len(labels), -1)
        mean, deviation = features.mean(dim=0), features.std(dim=0).clamp_min(1e-6)
        scaled = (features - mean) / deviation
        # The solution lies in the span of the patterns: where features are more than patterns, it is sought there.
        basis = torch.linalg.svd(scaled, full_matrices=False).Vh if scaled.shape[1] > len(scaled) else None
        seen = scaled if basis is None else scaled @ basis.T
        fitted = LogisticRegression(max_iter=300).fit(seen.numpy(), labels)
        weight = torch.from_numpy(fitted.coef_).float()
        weight = (weight if basis is None else weight @ basis) / deviation
        objective.head.dense.weight.copy_(weight)
        objective.head.dense.bias.copy_(torch.from_numpy(fitted.intercept_).float() - weight @ mean)


def _measure(case: _Case, backend: str, precision: str, least: float, out: Output) -> list[dict[str, Any]]:
    """Throughput, the time of one, and how far the answers are from those of PyTorch."""
    from peakwise.exported import compile_network

    n_points = case.spectra.shape[1]
    calibration = None if precision == "f32" else case.spectra
    name = f"{case.name}, {backend} {precision}"
    try:
        many, single = (
            compile_network(
                case.objective, n_points, backend=backend, precision=precision, mode=mode, sequence=case.sequence,
                calibration=calibration, threads=out.threads if mode == "throughput" else 1,
            )
            for mode in ("throughput", "latency")
        )  # fmt: skip
    except OptionError as problem:
        out.warnings.append(f"{name} is left out: {problem}")
        return []
    answers = many(case.spectra)
    seconds = _best(lambda: many(case.spectra), least) / len(case.spectra)
    step = case.sequence or 1
    n_items = len(case.spectra) // step
    one = _p99(lambda k: single(case.spectra[k % n_items * step : (k % n_items + 1) * step]), least)
    rows = [
        _row("predict", name, 1 / seconds, 1 / case.seconds, "torch at once", "spectra/s", case.seconds / seconds),
        _row("one item, p99", name, 1e3 * one, 1e3 * case.one, "torch", "ms", case.one / one),
    ]
    if precision == "f32":
        off = float(np.abs(answers - case.answers).max())
        return [*rows, _row("largest difference", name, off, _LIMIT, "limit", "", _LIMIT / max(off, 1e-12))]
    same = float(np.mean(answers.argmax(axis=1) == case.answers.argmax(axis=1)))
    return [*rows, _row("same labels", name, same, 1.0, "torch f32", "", same)]


def _classical(spectra: NDArray[np.float32], labels: NDArray[np.int64], least: float) -> dict[str, Any]:
    """What a network must be better than."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    components = min(32, len(spectra) // 2)
    model = make_pipeline(PCA(components, random_state=0), LogisticRegression(max_iter=500)).fit(spectra, labels)
    seconds = _best(lambda: model.predict_proba(spectra), least) / len(spectra)
    return _row("predict", f"PCA ({components}) + logistic regression", 1 / seconds, None, None, "spectra/s", None)


def _best(work: Callable[[], Any], least: float) -> float:
    """Seconds of one call: the best of three or more, after one that is not counted."""
    work()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < least and len(times) < 1000):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def _p99(work: Callable[[int], Any], least: float) -> float:
    """Seconds that 99 % of single calls stay below."""
    times = []
    for k in range(_SINGLES if least > 0.1 else 40):
        begin = time.perf_counter()
        work(k)
        times.append(time.perf_counter() - begin)
    return float(np.percentile(times[len(times) // 10 :], 99))


def _row(what: str, case: str, ours: float, *rest: float | str | None) -> dict[str, Any]:
    keys = ("what", "case", "ours", "other", "other_name", "unit", "ratio")
    return dict(zip(keys, (what, case, ours, *rest), strict=True))
