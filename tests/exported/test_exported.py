"""Compiled networks answer as PyTorch does on the same patterns, whatever runs them and however many there are."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from peakwise.errors import MissingExtraError, OptionError
from peakwise.exported import BACKENDS, compile_network
from peakwise.networks import NETWORKS, build_encoder, seeded
from peakwise.objectives import MultiLabel, SingleLabel, build_objective, evaluating

POINTS, TIME, CLASSES = 256, 5, 3
NEEDS = {"openvino": ("openvino",), "onnxruntime": ("onnxruntime", "onnx", "onnxscript"), "torch": ("torch",)}


def need(backend, *more):
    missing = [library for library in (*NEEDS[backend], *more) if find_spec(library) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: pip install 'peakwise[deploy]'")


def made(name, objective=SingleLabel, **options):
    """A network with numbers that are not those of its beginning: batch norms have seen something."""
    with seeded(7):
        found = objective(build_encoder(name, POINTS), CLASSES, **options)
        shape = (TIME, POINTS) if found.encoder.is_sequential else (POINTS,)
        found.train()
        with torch.no_grad():
            for _ in range(5):
                found.encoder(2 + 3 * torch.rand(8, *shape))
    return found.eval()


def patterns(n, seed=0):
    return np.random.default_rng(seed).gamma(0.5, 2.0, (n, POINTS)).astype(np.float32)


def plain(objective, intensity, sequence=None):
    """One item after the other through PyTorch."""
    with evaluating(objective):
        rows = torch.from_numpy(np.ascontiguousarray(intensity, np.float32))
        if sequence is None:
            return np.concatenate([objective.answer(row[None]).numpy() for row in rows])
        answer = np.empty((len(rows), CLASSES), np.float32)
        begins = [b for b in range(0, len(rows), sequence) if b + sequence <= len(rows)]
        for begin in [*begins, max(0, len(rows) - sequence)]:
            part = slice(begin, begin + sequence)
            if begin in begins or len(rows) % sequence:
                answer[part] = objective.answer(rows[part][None])[0].numpy()
        return answer


# Writing ONNX takes seconds for each network: three of them show what differs.
_SHORT = [
    (n, b) for n in NETWORKS for b in BACKENDS if b != "onnxruntime" or n in ("sun_cnn", "conv_sc", "binned_fcnn")
]
_LONG = [pytest.param(n, "onnxruntime", marks=pytest.mark.long) for n in NETWORKS if (n, "onnxruntime") not in _SHORT]


@pytest.mark.parametrize(("name", "backend"), [*_SHORT, *_LONG])
def test_every_network_answers_as_in_pytorch(name, backend):
    need(backend)
    objective = made(name)
    sequence = TIME if objective.encoder.is_sequential else None
    predict = compile_network(objective, POINTS, backend=backend, sequence=sequence, micro_batch=4, threads=2)
    x = patterns(13)
    true = plain(objective, x, sequence)
    ours = predict(x)
    assert ours.dtype == np.float32
    assert np.ptp(true, axis=0).max() > 1e-3, "the patterns are all the same to it"
    np.testing.assert_allclose(ours, true, atol=1e-4, rtol=0)
    assert (predict.backend, predict.precision, predict.n_classes) == (BACKENDS[backend].library, "f32", CLASSES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_any_number_of_patterns_and_of_threads(backend):
    need(backend)
    objective = made("sun_cnn")
    for threads, size in ((3, 4),) if backend == "onnxruntime" else ((1, 3), (3, 4)):
        predict = compile_network(objective, POINTS, backend=backend, micro_batch=size, threads=threads)
        for n in (0, 1, size, size + 1, 40):
            x = patterns(n, seed=n)
            assert predict(x).shape == (n, CLASSES)
            if n:
                np.testing.assert_allclose(predict(x), plain(objective, x), atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_at_a_time(backend):
    need(backend)
    objective, x = made("patch_conv"), patterns(3)
    predict = compile_network(objective, POINTS, backend=backend, mode="latency")
    assert (predict.micro_batch, predict.threads) == (1, 1)
    np.testing.assert_allclose(predict(x), plain(objective, x), atol=1e-4)
    np.testing.assert_allclose(predict(x[1:2]), plain(objective, x[1:2]), atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mode", ["throughput", "latency"])
def test_series_of_any_length_for_what_reads_sequences(mode, backend):
    need(backend)
    objective = made("transformer")
    predict = compile_network(objective, POINTS, backend=backend, mode=mode, sequence=TIME, micro_batch=2)
    for n in (0, 3, 5, 10, 12):
        x = patterns(n, seed=n)
        assert predict(x).shape == (n, CLASSES)
        if n:
            np.testing.assert_allclose(predict(x), plain(objective, x, min(TIME, n)), atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_labels_and_bare_networks(backend):
    need(backend)
    objective, x = made("fcnn", MultiLabel), patterns(6)
    predict = compile_network(objective, POINTS, backend=backend, micro_batch=2)
    np.testing.assert_allclose(predict(x), plain(objective, x), atol=1e-4)
    encoder = objective.encoder
    with torch.inference_mode():
        features = encoder(torch.from_numpy(x)).numpy()
    ours = compile_network(encoder, POINTS, backend=backend, micro_batch=2)(x)
    np.testing.assert_allclose(ours, features, atol=1e-4, rtol=1e-4)


def test_numbers_of_any_kind_and_layout():
    objective, x = made("fcnn"), patterns(9)
    predict = compile_network(objective, POINTS, backend="torch", micro_batch=2)
    true = plain(objective, np.rint(x))
    for given in (np.rint(x).astype(np.int32), np.rint(x).astype(">f8"), np.asfortranarray(np.rint(x))):
        np.testing.assert_allclose(predict(given), true, atol=1e-5)
    np.testing.assert_allclose(predict(x[::-2]), plain(objective, x[::-2]), atol=1e-5)


def test_more_patterns_than_are_converted_at_once(monkeypatch):
    monkeypatch.setattr("peakwise.exported._predictor._AT_ONCE", 10)
    objective, x = made("fcnn"), patterns(27)
    predict = compile_network(objective, POINTS, backend="torch", micro_batch=4)
    np.testing.assert_allclose(predict(x), plain(objective, x), atol=1e-5)
    recurrent = made("lstm")
    predict = compile_network(recurrent, POINTS, backend="torch", sequence=TIME, micro_batch=2)
    np.testing.assert_allclose(predict(x), plain(recurrent, x, TIME), atol=1e-5)


def test_the_trial_chooses_among_what_the_backend_proposes():
    predict = compile_network(made("fcnn"), POINTS, backend="torch")
    assert predict.micro_batch in BACKENDS["torch"].sizes
    assert "fcnn" not in repr(predict)
    assert f"micro_batch={predict.micro_batch}" in repr(predict)


def test_the_network_itself_is_left_alone():
    objective = made("sun_cnn").train()
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    threads = torch.get_num_threads()
    for mode in ("throughput", "latency"):
        compile_network(objective, POINTS, backend="torch", mode=mode, threads=1)(patterns(5))
    assert objective.training
    assert torch.get_num_threads() == threads
    assert all(p.requires_grad for p in objective.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in objective.state_dict().items())


def trained(name):
    """Three classes that a few steps of training tell apart, and the patterns of another draw."""
    rng = np.random.default_rng(3)
    x = np.linspace(0, 1, POINTS)
    centres = np.array([[0.2, 0.6], [0.3, 0.8], [0.5, 0.75]])

    def draw(n):
        label = rng.integers(0, 3, n)
        shift = rng.normal(0, 0.01, (n, 1, 1))
        peaks = np.exp(-((((x - centres[label][:, :, None]) - shift) / 0.02) ** 2))
        heights = rng.uniform(0.3, 1, (n, 2, 1))
        return ((peaks * heights).sum(axis=1) + 0.1 * rng.random((n, POINTS))).astype(np.float32), label

    objective = made(name).train()
    optimiser = torch.optim.Adam(objective.parameters(), 2e-3)
    with seeded(1):
        for _ in range(60):
            values, label = draw(32)
            batch = {"intensity": torch.from_numpy(values), "label": torch.from_numpy(label)}
            optimiser.zero_grad()
            objective(batch)["loss"].backward()
            optimiser.step()
    return objective.eval(), draw(600)


@pytest.mark.parametrize(("backend", "precision"), [("torch", "bf16"), ("openvino", "bf16"), ("openvino", "int8")])
@pytest.mark.parametrize("name", ["sun_cnn", "fcnn", "conv_sc"])
def test_lower_precision_keeps_the_labels_of_a_trained_network(name, backend, precision):
    need(backend, *(["nncf"] if precision == "int8" else []))
    objective, (x, label) = trained(name)
    true = plain(objective, x).argmax(axis=1)
    assert np.mean(true == label) > 0.9, "it has not learned enough to say anything"
    predict = compile_network(
        objective, POINTS, backend=backend, precision=precision, calibration=x[:300], micro_batch=8
    )
    assert predict.same_labels >= 0.995
    ours = predict(x[300:])
    assert np.mean(ours.argmax(axis=1) == true[300:]) >= 0.99  # of 300 others, three may differ
    if predict.precision == "int8":
        assert not np.array_equal(ours, plain(objective, x[300:])), "this is no int8"


def test_a_precision_that_changes_labels_is_refused(monkeypatch):
    class Rough(BACKENDS["torch"]):
        precisions = ("f32", "int8")

        def __init__(self, *given):
            super().__init__(*given)
            self.precision = "int8"

        def run(self, items, size, out):
            super().run(items, size, out)
            out[: len(out) // 2] = out[: len(out) // 2, ::-1]

    monkeypatch.setitem(BACKENDS, "torch", Rough)
    objective, (x, _) = trained("fcnn")
    with pytest.raises(OptionError, match=r"cannot run the network in int8: at least 99\.5% .* as in f32, got .*%"):
        compile_network(objective, POINTS, backend="torch", precision="int8", calibration=x[:100])


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_backend_that_is_not_installed_says_how_to_get_it(backend, monkeypatch):
    def missing(name, *rest):
        raise ImportError(name)

    monkeypatch.setattr("peakwise.exported._backend.import_module", missing)
    with pytest.raises(
        MissingExtraError, match=rf"cannot predict with {backend}: .* is not installed. Run pip install"
    ):
        compile_network(made("fcnn"), POINTS, backend=backend)


def test_auto_takes_the_first_that_is_installed(monkeypatch):
    there = {"torch"}
    monkeypatch.setattr("peakwise.exported._compile.find_spec", lambda name: name if name in there else None)
    assert compile_network(made("fcnn"), POINTS, micro_batch=2).backend == "torch"
    if find_spec("openvino") is not None:
        there.add("openvino")
        assert compile_network(made("fcnn"), POINTS, micro_batch=2).backend == "openvino"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "tensorrt"}, "backend must be auto or one of openvino, onnxruntime, torch, got 'tensorrt'"),
        ({"precision": "f16"}, "precision must be one of f32, bf16, int8, got 'f16'"),
        ({"backend": "onnxruntime", "precision": "bf16"}, "onnxruntime runs f32 here, got precision='bf16'"),
        ({"precision": "int8"}, "int8 needs patterns"),
        ({"mode": "fast"}, "mode must be one of throughput, latency"),
        ({"threads": 0}, "threads must be a whole number of 1 or more, got 0"),
        ({"micro_batch": 2.5}, "micro_batch must be a whole number of 1 or more, got 2.5"),
        ({"sequence": 4}, "it reads single patterns, got sequence=4"),
        ({"calibration": np.zeros((4, 9))}, r"calibration must have the shape \(n, 256\) .* got \(4, 9\)"),
        ({"n_points": 100}, "it was built for 256 points, got n_points=100"),
    ],
)
def test_what_cannot_be_compiled(options, message):
    given = {"n_points": POINTS, **options}
    with pytest.raises(OptionError, match=message):
        compile_network(made("fcnn"), **given)


def test_a_sequential_network_wants_to_know_how_many_it_reads():
    with pytest.raises(OptionError, match="it reads sequences of patterns, got sequence=None"):
        compile_network(made("lstm"), POINTS)


def test_an_objective_without_classes_cannot_answer():
    objective = build_objective("self_supervised", build_encoder("fcnn", POINTS))
    with pytest.raises(OptionError, match="SelfSupervised has no classes to answer with. Compile its encoder"):
        compile_network(objective, POINTS)


@pytest.mark.parametrize(
    "wrong", [np.zeros(POINTS), np.zeros((2, POINTS - 1)), np.zeros((2, 1, POINTS)), [[0.0] * POINTS], None]
)
def test_patterns_of_another_shape(wrong):
    predict = compile_network(made("fcnn"), POINTS, backend="torch", micro_batch=2)
    with pytest.raises(OptionError, match=rf"patterns of shape \(n, {POINTS}\) are needed, got"):
        predict(wrong)


def test_patterns_that_are_no_numbers():
    predict = compile_network(made("fcnn"), POINTS, backend="torch", micro_batch=2)
    with pytest.raises(OptionError, match="numbers are needed, got <U3"):
        predict(np.full((2, POINTS), "abc"))


def test_an_error_of_a_worker_is_told():
    from peakwise.exported._backend import Workers

    def work(part):
        if part.start == 4:
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        Workers(2, lambda: None).each(work, 9, 2)


class Shared(nn.Module):
    """A batch norm after one use of a convolution that is used twice, and one that follows nothing weighted."""

    def __init__(self, is_twice):
        super().__init__()
        self.conv, self.norm, self.other = nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.BatchNorm1d(4)
        self.is_twice = is_twice

    def forward(self, x):
        seen = self.conv(x[:, None])
        normed = self.norm(seen)
        return (normed + seen if self.is_twice else self.other(normed.relu())).flatten(1)


@pytest.mark.parametrize("is_twice", [False, True])
def test_folding_batch_norms_never_changes_the_answer(is_twice):
    from peakwise.exported._fold import fold_batch_norms

    with seeded(0):
        network = Shared(is_twice)
        network.train()
        network(3 + torch.rand(8, 40))
        network.eval()
        x = torch.rand(4, 40)
        folded = fold_batch_norms(network, x)
        with torch.no_grad():
            assert torch.allclose(folded(x), network(x), atol=1e-5)
    assert sum(isinstance(m, nn.BatchNorm1d) for m in folded.modules()) == (2 if is_twice else 1)


@pytest.mark.parametrize(("n", "size", "stride", "padding", "dilation", "pool"), [
    (40, 5, 2, 0, 1, 2), (41, 3, 1, 1, 1, 3), (64, 4, 3, 2, 2, 1), (50, 7, 1, 0, 1, 5),
])  # fmt: skip
def test_layers_laid_out_otherwise_are_the_same_layers(n, size, stride, padding, dilation, pool):
    from peakwise.exported._layers import lay_out

    with seeded(2):
        network = nn.Sequential(
            nn.Conv1d(1, 6, size, stride, padding, dilation), nn.ReLU(), nn.MaxPool1d(pool),
            nn.Conv1d(6, 4, 3, groups=2), nn.MaxPool1d(2, 1), nn.Flatten(),
        ).eval()  # fmt: skip
        x = torch.randn(3, 1, n)
        given = x.clone()
        with torch.no_grad():
            assert torch.allclose(lay_out(network, x)(x), network(x), atol=1e-6)
    assert torch.equal(x, given)
