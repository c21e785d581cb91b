"""Training learns what can be learned, repeats itself, goes on where it stopped, and keeps to its budget."""

from __future__ import annotations

import json
import math
import threading
import time
from itertools import islice

import numpy as np
import pytest
import torch

from peakwise.augmentation import Compose, RandomJitter, RandomShift
from peakwise.errors import OptionError
from peakwise.networks import NETWORKS
from peakwise.training import ArrayBatches, History, train
from peakwise.training._checks import Settings
from training.easy import N_CLASSES, N_POINTS, accuracy, objective, patterns, same, stream, weights


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Points that vote one by one learn more slowly; the large ones are quick learners, and slow to step.
STEPS = {"binned_points": 300, "binned_fcnn": 200, "multi_scale": 30, "lstm": 60, "conv_sct": 60, "conv_sc": 60}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_learns_an_easy_problem(name):
    untrained = accuracy(objective(name=name).eval())
    trained = objective(name=name)
    history = train(trained, stream, steps=STEPS.get(name, 100), device="cpu")
    assert untrained < 0.5
    assert accuracy(trained) > 0.95 > 3 / N_CLASSES
    # Where every point votes, most points say nothing: the votes are right long before the loss is small.
    share = 0.9 if name.startswith("binned") else 0.5
    assert history.logged[-1]["loss"] < share * history.logged[0]["loss"]
    assert not trained.training


def test_the_same_seed_gives_the_same_weights_and_torch_is_left_alone():
    before = torch.get_rng_state()
    made = []
    for seed in (0, 0, 1):
        torch.rand(3)  # whatever else is drawn meanwhile
        one = objective()
        train(one, stream, steps=6, device="cpu", random_state=seed, augment=RandomJitter(0.1))
        made.append(weights(one))
    torch.set_rng_state(before)
    train(objective(), stream, steps=2, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)
    assert same(made[0], made[1])
    assert not same(made[0], made[2])


class StoppedError(Exception):
    pass


def stop_at(step):
    def progress(row):
        if row["step"] >= step:
            raise StoppedError

    return progress


@pytest.mark.parametrize("name", ["wang_cnn", "residual"])
def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(name, tmp_path):
    """Dropout, batch norm, augmentation, the optimiser's moments and the best weights all have to go on."""
    options = {
        "steps": 24, "validations": 6, "device": "cpu", "random_state": 3, "validate": [patterns(64, 5)],
        "augment": Compose([RandomShift(2), RandomJitter(0.05)], probability=0.7),
    }  # fmt: skip
    whole = objective(name=name)
    history = train(whole, stream, **options)
    file = tmp_path / "training.safetensors"
    parts = objective(name=name)
    with pytest.raises(StoppedError):
        train(parts, stream, **options, checkpoint=file, progress=stop_at(9))
    parts = objective(1, name)  # a new process starts from other weights
    with pytest.raises(StoppedError):
        train(parts, stream, **options, checkpoint=file, progress=stop_at(18))
    parts = objective(2, name)
    firsts = []

    def remembered(first):
        firsts.append(first)
        return stream(first)

    resumed = train(parts, remembered, **options, checkpoint=file)
    assert same(weights(whole), weights(parts))
    assert firsts == [16]
    for row, other in zip(history.logged + history.validated, resumed.logged + resumed.validated, strict=True):
        assert {k: v for k, v in row.items() if k != "seconds"} == {k: v for k, v in other.items() if k != "seconds"}
    again = objective(4, name)
    finished = train(again, stream, **options, checkpoint=file)
    assert finished == resumed, "a finished training is only read back"
    assert same(weights(again), weights(whole))
    assert [p.name for p in tmp_path.iterdir()] == [file.name]


def test_batches_without_a_start_are_skipped_on_resuming(tmp_path):
    arrays = ArrayBatches(patterns(96, 0), 16)
    whole, parts = objective(), objective()
    train(whole, arrays, epochs=2, validations=4, device="cpu")
    with pytest.raises(StoppedError):
        train(parts, arrays, epochs=2, validations=4, device="cpu", checkpoint=tmp_path / "c", progress=stop_at(8))
    train(parts, islice(arrays.starting_at(0), 12), steps=12, validations=4, device="cpu",
          checkpoint=tmp_path / "c")  # fmt: skip
    assert same(weights(whole), weights(parts))


def test_the_time_budget_is_kept():
    trained = objective()
    start = time.monotonic()
    history = train(trained, stream, seconds=1.5, device="cpu", validate=[patterns(64, 1)])
    took = time.monotonic() - start
    assert history.stopped == "seconds"
    assert 1.5 <= took < 6
    assert history.seconds == pytest.approx(took, abs=0.5)
    rates = [row["learning_rate"] for row in history.logged]
    assert max(rates) > 1e-3
    assert rates[-1] < 0.3 * max(rates)


def test_what_ends_first_ends_the_training():
    arrays = ArrayBatches(patterns(40, 0), 16)
    assert train(objective(), arrays, epochs=2, seconds=100, device="cpu").steps == 6
    assert train(objective(), arrays, epochs=2, steps=4, device="cpu").steps == 4
    ended = train(objective(), list(arrays), steps=10, validations=1, device="cpu", validate=[patterns(8, 1)])
    assert (ended.steps, ended.stopped, len(ended.validated)) == (3, "exhausted", 1)


def test_the_best_weights_are_kept_and_patience_ends():
    seen, scores = [], iter([0.1, 0.5, 0.9, 0.3, 0.2, 0.8, 0.95])

    def validate(now):
        seen.append(weights(now))
        assert not now.training
        return {"score": next(scores), "more": 1.0}

    trained = objective()
    history = train(trained, stream, steps=70, validations=10, patience=3, validate=validate, device="cpu")
    assert (history.stopped, history.steps, history.best_step, history.best_score) == ("patience", 42, 21, 0.9)
    assert [row["score"] for row in history.validated] == [0.1, 0.5, 0.9, 0.3, 0.2, 0.8]
    assert same(weights(trained), seen[2])
    assert not same(weights(trained), seen[-1])


def test_validation_batches_give_their_mean_loss_weighted_by_their_rows():
    big, small = patterns(30, 1), patterns(2, 2)
    together = {key: np.concatenate([big[key], small[key]]) for key in big}
    scores = []
    for batches in ([big, small], [together]):
        history = train(objective(), stream, steps=3, validations=1, validate=batches, device="cpu")
        scores.append(history.validated[0])
    assert scores[0]["score"] == pytest.approx(scores[1]["score"], rel=1e-5)
    assert scores[0]["accuracy"] == pytest.approx(scores[1]["accuracy"])
    assert scores[0]["score"] == -scores[0]["loss"]


def test_ctrl_c_stops_with_the_best_weights():
    kept = []

    def validate(now):
        kept.append(weights(now))
        if len(kept) == 3:
            raise KeyboardInterrupt
        return -float(len(kept))

    trained = objective()
    history = train(trained, stream, steps=40, validations=10, validate=validate, device="cpu")
    assert history.stopped == "interrupted"
    assert history.best_step == 4
    assert same(weights(trained), kept[0])
    assert not trained.training


def test_progress_is_told_and_the_history_is_plain():
    rows = []
    history = train(objective(), stream, steps=10, validations=2, validate=[patterns(8, 0)], device="cpu",
                    progress=rows.append)  # fmt: skip
    shares = [row["progress"] for row in rows]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert sum("score" in row for row in rows) == 2
    assert [row["step"] for row in history.logged] == list(range(1, 11))
    assert History.from_dict(json.loads(json.dumps(history.to_dict()))) == history


def test_the_rate_rises_and_falls_as_a_cosine():
    settings = Settings(1000, None, 1, None, 0.5, 0.0, 0.2, None, "float32", 0)
    rates = [settings.rate(i / 1000) for i in range(1001)]
    assert max(rates) == rates[200] == 0.5
    assert np.diff(rates[:201]) == pytest.approx(np.full(200, 0.99 * 0.5 / 200))
    assert rates[400] == pytest.approx(0.25 * (1 + math.cos(math.pi / 4)))
    assert rates[-1] == 0


def test_clipping_and_decay_are_what_they_say():
    """One step of AdamW by hand: the first step is the rate times the sign, after the matrices have decayed."""
    trained = objective()
    before = weights(trained)
    train(trained, stream, steps=1, warm_up=0.0, learning_rate=1e-3, weight_decay=0.1, clip=1e-9, device="cpu")
    # With a gradient of norm 1e-9, far below AdamW's epsilon of 1e-8, the step nearly vanishes, and decay remains.
    for name, value in weights(trained).items():
        decayed = before[name] * (1 - 1e-3 * 0.1) if value.ndim > 1 else before[name]
        torch.testing.assert_close(value, decayed, atol=1.1e-4, rtol=0)
    moved = weights(trained)["encoder.dense.1.weight"] - before["encoder.dense.1.weight"] * (1 - 1e-4)
    assert moved.norm() < 1e-3 * 0.2


def test_bf16_learns_too_and_keeps_float32_weights():
    trained = objective()
    train(trained, stream, steps=60, precision="bf16", device="cpu")
    assert all(p.dtype == torch.float32 for p in trained.parameters())
    assert accuracy(trained) > 0.8


def test_no_thread_is_left_and_the_batches_are_closed():
    closed = threading.Event()

    def endless():
        try:
            yield from stream(0)
        finally:
            closed.set()

    train(objective(), endless(), steps=3, device="cpu")
    assert closed.wait(5)
    assert not [t for t in threading.enumerate() if t.name == "peakwise-prefetch"]


def test_an_error_in_the_batches_reaches_the_caller():
    def broken():
        yield patterns(4, 0)
        raise ZeroDivisionError("in the simulator")

    with pytest.raises(ZeroDivisionError, match="in the simulator"):
        train(objective(), broken(), steps=5, device="cpu")


def bad(key, value):
    batch = patterns(4, 0)
    batch[key] = value
    return [batch]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "cannot train: one of steps, epochs and seconds must be given, got none. Give seconds=60"),
        ({"steps": 0}, "steps must be a whole number of at least 1, or None, got 0. Change steps"),
        ({"seconds": math.nan}, "seconds must be a number of at least 0.001, or None, got nan"),
        ({"steps": 2, "learning_rate": "fast"}, "learning_rate must be a number .* got 'fast'"),
        ({"steps": 2, "warm_up": 1.5}, "warm_up must be a number of at least 0 and at most 1, got 1.5"),
        ({"steps": 2, "precision": "fp8"}, "precision must be one of float32, bf16, got 'fp8'"),
        ({"steps": 2, "patience": 2.5}, "patience must be a whole number"),
        ({"steps": 2, "device": "abacus"}, "device must be auto, cpu or cuda, got 'abacus'"),
        ({"epochs": 2}, "epochs need ArrayBatches, got batches without a length. Give steps or seconds"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, got 0"),
        ({"steps": 2, "validate": []}, "validate must hold at least one batch, got none"),
        ({"steps": 2, "validate": lambda _: math.nan}, "validate must give a finite score, got nan"),
        ({"steps": 2, "validate": lambda _: {"f1": 1.0}}, "validate must give a finite score, got {'f1': 1.0}"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(OptionError, match=message):
        train(objective(), stream, **{"device": "cpu", **options})


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([3], "a batch must be a mapping of names to arrays, got int"),
        (bad("intensity", np.full((4, N_POINTS), np.nan)), "the loss must stay finite, got nan before step 1"),
        (bad("label", np.array(["a"] * 4)), "arrays of a batch must hold numbers, got dtype <U1"),
    ],
)
def test_bad_batches_are_refused(batches, message):
    with pytest.raises(OptionError, match=message):
        train(objective(), batches, steps=1, device="cpu")


def test_nothing_to_train_is_refused():
    frozen = objective().requires_grad_(False)
    with pytest.raises(OptionError, match="must have parameters to train, got none"):
        train(frozen, stream, steps=1, device="cpu")
