"""Losses without classes against slow plain formulas; what is kept between steps; a series with a change in it."""

from __future__ import annotations

import copy
import math
from collections import Counter, deque

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from peakwise.augmentation import Compose, RandomMagnitude, RandomWarp
from peakwise.errors import OptionError
from peakwise.networks import Encoder, build_encoder, seeded
from peakwise.objectives import (
    SelfSupervised,
    SupervisedContrastive,
    build_objective,
    evaluating,
    order_positions,
)
from peakwise.objectives._relations import _draw_shifts, distance_classes, time_classes
from peakwise.training import ArrayBatches, train

N, M = 5, 120
# The published methods: the objective and its options.
CASES = {
    "supervised_contrastive": ("supervised_contrastive", {}),
    "relations": ("self_supervised", {"contrast_weight": 0}),
    "contrast": ("self_supervised", {"contrast_weight": math.inf}),
    "both": ("self_supervised", {}),
}
SELF = ("relations", "contrast", "both")


def encoder(seed=0):
    with seeded(seed):
        return build_encoder("wang_cnn", M, {"dropout": 0.0})


class Pooled(Encoder):
    """Takes patterns of any length; its batch norm has averages to look at."""

    def __init__(self):
        super().__init__()
        self.n_points, self.n_features, self.seen = M, 8, []
        self.conv, self.norm = nn.Conv1d(1, 8, 5), nn.BatchNorm1d(8)

    def forward(self, x):
        self.seen.append(x)
        return self.norm(self.conv(x[:, None])).relu().mean(dim=2)


class Keeping:
    """An augmentation that keeps the views that it made."""

    def __init__(self):
        self.views, self.inner = [], Compose([RandomWarp(), RandomMagnitude()])

    def __call__(self, batch, generator):
        self.views.append(self.inner(batch, generator)["intensity"])
        return {"intensity": self.views[-1]}


def batch(seed=0, n=N):
    draw = np.random.default_rng(seed)
    return {
        "intensity": torch.from_numpy(draw.random((n, M)).astype(np.float32)),
        "position": order_positions(draw.random(n)),
        "label": torch.arange(n) % 2,
    }


def built(case, seed=0, made_of=None, **options):
    name, own = CASES[case]
    return build_objective(name, made_of or encoder(seed), options={**own, **options})


def made(case, seed=0, **options):
    kept = Keeping()
    with seeded(seed):
        return built(case, seed, augmentations=kept, **options), kept


def numbers(tensor):
    return tensor.detach().double().numpy()


def softmax_cost(logits, target):
    """Cross-entropy of one row."""
    return -math.log(math.exp(logits[target]) / sum(math.exp(value) for value in logits))


# --- supervised contrast


@given(seed=st.integers(0, 99), n_views=st.integers(2, 3), temperature=st.sampled_from([0.05, 0.1, 1.0]))
@settings(max_examples=8, deadline=None)
def test_supervised_contrast_is_the_formula_of_khosla(seed, n_views, temperature):
    objective, kept = made("supervised_contrastive", seed, n_views=n_views, temperature=temperature)
    given_batch = batch(seed)
    loss = objective(given_batch)["loss"].item()
    rows = []
    for view in kept.views:
        features = numbers(objective.encoder(view))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        weights = [numbers(value) for value in objective.projection.parameters()]
        rows.append(np.maximum(features @ weights[0].T + weights[1], 0) @ weights[2].T + weights[3])
    z = np.concatenate(rows)
    assert z.shape == (n_views * N, 128)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    label = given_batch["label"].tolist() * n_views
    total = 0.0
    for i in range(len(z)):
        below = sum(math.exp(z[i] @ z[a] / temperature) for a in range(len(z)) if a != i)
        friends = [p for p in range(len(z)) if p != i and label[p] == label[i]]
        total -= sum(math.log(math.exp(z[i] @ z[p] / temperature) / below) for p in friends) / len(friends)
    assert loss == pytest.approx(total / len(z), rel=1e-4)


# --- relations


@given(seed=st.integers(0, 99), n_views=st.integers(2, 5), n=st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_views_are_compared_pair_by_pair(seed, n_views, n):
    objective, _ = made("relations", seed)
    draw = np.random.default_rng(seed)
    features = torch.from_numpy(draw.normal(size=(n_views, n, objective.encoder.n_features)).astype(np.float32))
    n_pairs = n_views * (n_views - 1) // 2
    shifts = torch.from_numpy(draw.integers(1, max(n, 2), n_pairs))
    told = objective.relations._compare_samples(features, shifts)
    cost, hits, count, pair = 0.0, 0, Counter(), 0
    for early in range(n_views):
        for late in range(early + 1, n_views):
            for i in range(n):
                j = (i - int(shifts[pair])) % n
                for other, alike in ((i, True), (j, False)):
                    if not alike and n == 1:
                        continue
                    assert alike == (other == i)
                    both = torch.cat([features[early, i], features[late, other]])
                    p = 1 / (1 + math.exp(-objective.relations.samples(both).item()))
                    cost -= math.log(p if alike else 1 - p)
                    hits += (p > 0.5) == alike
                    count[alike] += 1
            pair += 1
    if n > 1:
        assert count[True] == count[False]
        assert count.total() == n * (n_views**2 - n_views)  # as published
    assert told["inter"].item() == pytest.approx(cost / count.total(), rel=1e-4)
    assert told["inter_accuracy"].item() == pytest.approx(hits / count.total())


def test_no_pattern_is_told_to_differ_from_itself():
    generator = torch.Generator().manual_seed(0)
    shifts = torch.cat([_draw_shifts(6, 4, generator, torch.device("cpu")) for _ in range(100)])
    assert Counter(shifts.tolist()).keys() == {1, 2, 3}


@pytest.mark.parametrize("stretch", [True, False])
@given(seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None)
def test_pieces_and_their_distance(stretch, seed):
    with seeded(seed):
        objective = SelfSupervised(Pooled(), stretch=stretch, piece=0.2, n_distances=5)
    view = batch(seed)["intensity"]
    starts = torch.from_numpy(np.random.default_rng(seed).integers(0, M - 24 + 1, (2, N)))
    before = {name: value.clone() for name, value in objective.encoder.named_buffers()}
    told = objective.relations._compare_pieces(objective.encoder, view, starts)
    read = objective.encoder.seen[-1]
    n_read = M if stretch else 24
    place = np.linspace(0, 23, n_read)
    for k in range(2):
        for i in range(N):
            piece = view[i, starts[k, i] : starts[k, i] + 24].numpy()
            np.testing.assert_allclose(read[k * N + i], np.interp(place, np.arange(24), piece), atol=1e-5)
    for name, value in objective.encoder.named_buffers():
        if "running" in name:
            assert torch.equal(value, before[name]), "pieces moved the averages of whole patterns"
    assert objective.encoder.norm.momentum == 0.1
    features = objective.encoder(read)
    cost = 0.0
    for i in range(N):
        target = min(math.floor(abs(int(starts[0, i]) - int(starts[1, i])) / (24 / 2)), 4)
        scores = objective.relations.pieces(torch.cat([features[i], features[N + i]]))
        cost += softmax_cost(scores.tolist(), target)
    assert told["intra"].item() == pytest.approx(cost / N, rel=1e-3)


def test_distances_are_as_frequent_as_chance_makes_them():
    """Two starts within the 4 lengths that are left: P(distance < x lengths) = 1 - (1 - x / 4)^2."""
    targets = Counter()
    for seed in range(300):
        starts = torch.randint(M - 24 + 1, (2, 200), generator=torch.Generator().manual_seed(seed))
        targets.update(distance_classes(starts, 24, 5).tolist())
    share = np.array([targets[k] for k in range(5)]) / targets.total()
    within = 1 - (1 - np.array([0, 0.5, 1, 1.5, 2, 4]) / 4) ** 2
    np.testing.assert_allclose(share, np.diff(within), atol=0.01)


@given(n=st.integers(1, 200), n_times=st.integers(2, 12), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_series_is_cut_into_equal_parts_of_its_order(n, n_times, seed):
    values = np.random.default_rng(seed).permutation(n).astype(float)
    classes = time_classes(order_positions(values), n_times)
    assert torch.equal(classes, time_classes(order_positions(np.exp(values / n)), n_times))  # only the order counts
    count = np.bincount(classes.numpy(), minlength=n_times)
    assert count.max() - count.min() <= 1
    assert (np.diff(classes.numpy()[np.argsort(values)]) >= 0).all()


def test_each_series_has_its_own_order_and_equal_values_one_place():
    both = order_positions([1, 2, 3, 40, 10, 20, 30], series=[0, 0, 0, 1, 1, 1, 1])
    torch.testing.assert_close(both[:3], order_positions([1, 2, 3]))
    torch.testing.assert_close(both[3:], order_positions([40, 10, 20, 30]))
    assert order_positions([5, 5, 5]).tolist() == [0.5] * 3


def test_the_time_is_told_from_the_first_view():
    objective, kept = made("relations", n_times=3)
    given_batch = batch()
    told = objective(given_batch)
    scores = numbers(objective.relations.times(objective.encoder(kept.views[0])))
    target = [min(int(3 * p), 2) for p in given_batch["position"].tolist()]
    cost = np.mean([softmax_cost(row, k) for row, k in zip(scores, target, strict=True)])
    assert told["temporal"].item() == pytest.approx(cost, rel=1e-4)
    assert told["temporal_accuracy"].item() == pytest.approx((scores.argmax(axis=1) == target).mean())


# --- momentum contrast


@given(seed=st.integers(0, 99), temperature=st.sampled_from([0.07, 0.5]))
@settings(max_examples=6, deadline=None)
def test_momentum_contrast_is_symmetric_infonce(seed, temperature):
    objective, kept = made("contrast", seed, temperature=temperature, n_queue=12, n_projected=16)
    queue = numbers(objective.contrast.queue)
    np.testing.assert_allclose(np.linalg.norm(queue, axis=1), 1, rtol=1e-5)
    loss = objective(batch(seed))["loss"].item()
    part = objective.contrast
    queries = [numbers(part.projection(objective.encoder(view))) for view in kept.views]
    keys = [numbers(part.key_projection(part.key_encoder(view))) for view in kept.views]
    total = 0.0
    for mine, theirs in ((0, 1), (1, 0)):
        for i in range(N):
            own = math.exp(queries[mine][i] @ keys[theirs][i] / temperature)
            others = sum(math.exp(queries[mine][i] @ row / temperature) for row in queue)
            total -= math.log(own / (own + others)) / N
    assert loss == pytest.approx(total, rel=1e-4, abs=1e-5)


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8), n_queue=st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_the_queue_is_first_in_first_out(sizes, n_queue):
    part = made("contrast", n_queue=n_queue, n_projected=2)[0].contrast
    there = deque(numbers(part.queue).tolist(), maxlen=n_queue)
    for i, size in enumerate(sizes):
        keys = torch.arange(2.0 * size).reshape(size, 2) + 100 * i
        part._enqueue(keys)
        there.extend(numbers(keys).tolist())
    oldest = int(part.place)
    np.testing.assert_array_equal(torch.roll(part.queue, -oldest, 0), np.array(there, dtype=np.float32))


def test_a_step_fills_the_queue_with_the_keys_of_both_views():
    objective, kept = made("contrast", n_queue=64, n_projected=8)
    objective(batch())
    part = objective.contrast
    keys = torch.cat([part.key_projection(part.key_encoder(view)) for view in kept.views])
    assert int(part.place) == 2 * N
    torch.testing.assert_close(part.queue[: 2 * N], keys)


def test_the_momentum_encoder_follows_and_is_not_trained():
    objective, _ = made("contrast", momentum=0.9, n_queue=8)
    part = objective.contrast
    with torch.no_grad():
        for value in objective.encoder.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(0)))
    slow, fast = ([numbers(v).copy() for v in e.parameters()] for e in (part.key_encoder, objective.encoder))
    objective(batch())["loss"].backward()
    for old, query, new in zip(slow, fast, part.key_encoder.parameters(), strict=True):
        np.testing.assert_allclose(numbers(new), 0.9 * old + 0.1 * query, atol=1e-6)
        assert new.grad is None
        assert not new.requires_grad
    assert all(value.grad is not None for value in objective.encoder.parameters())
    assert not {id(v) for v in part.key_encoder.parameters()} & {id(v) for v in objective.encoder.parameters()}


# --- the sum


def test_the_sum_is_that_of_its_parts():
    for weight in (0.01, 2.0):
        objective, _ = made("both", contrast_weight=weight)
        told = objective(batch())
        parts = [told[name].item() for name in ("inter", "intra", "temporal")]
        assert told["loss"].item() == pytest.approx(sum(parts) + weight * N * told["contrast"].item(), rel=1e-5)


def test_methods_have_the_parts_that_they_are_named_after():
    def told(**options):
        with seeded(3):  # the same heads, and the same random numbers in forward
            objective = SelfSupervised(encoder(), **options)
        with seeded(4):
            return {key: value.item() for key, value in objective(batch()).items()}

    relations, contrast = told(contrast_weight=0), told(contrast_weight=math.inf)
    assert relations["loss"] == pytest.approx(sum(relations[name] for name in ("inter", "intra", "temporal")))
    assert set(contrast) == {"loss", "contrast"}
    assert contrast["loss"] == pytest.approx(contrast["contrast"])
    self_time = told(contrast_weight=0, temporal=False)
    assert self_time["loss"] == pytest.approx(relations["inter"] + relations["intra"])
    assert "temporal" not in self_time


# --- all of them


@pytest.mark.parametrize("name", CASES)
def test_gradients_reach_the_encoder(name):
    objective, _ = made(name)
    told = objective(batch())
    told["loss"].backward()
    assert all(bool((value.grad != 0).any()) for value in objective.encoder.parameters())
    assert all(not value.requires_grad for key, value in told.items() if key != "loss")
    trained = {key for key, value in objective.named_parameters() if value.grad is not None}
    assert trained == {key for key, value in objective.named_parameters() if value.requires_grad}


@pytest.mark.parametrize("name", CASES)
def test_in_evaluation_nothing_moves_and_the_loss_is_the_same_again(name):
    objective = built(name, made_of=Pooled())
    state = torch.get_rng_state()
    before = copy.deepcopy(objective.state_dict())
    with evaluating(objective):
        first, second = (objective(batch())["loss"].item() for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[key]) for key, value in objective.state_dict().items())
    losses = {objective(batch())["loss"].item() for _ in range(3)}
    assert len(losses) == 3, "in training each view is another one"


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("name", CASES)
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(name, tmp_path):
    def stop(row):
        if row["step"] >= 5:
            raise StoppedError

    def run(progress=None, checkpoint=None, seed=1):
        with seeded(seed):
            options = {} if name == "supervised_contrastive" else {"n_queue": 16}
            objective = built(name, seed, **options)
        train(
            objective, ArrayBatches(batch(n=12), 5), steps=9, validations=3, validate=[batch(n=4)], device="cpu",
            progress=progress, checkpoint=checkpoint,
        )  # fmt: skip
        return objective.state_dict()

    whole, file = run(), tmp_path / "state"
    with pytest.raises(StoppedError):
        run(stop, file)
    again = run(checkpoint=file, seed=2)  # a new process starts from other weights
    assert whole.keys() == again.keys()
    assert all(torch.equal(value, again[key]) for key, value in whole.items())
    if name in ("contrast", "both"):
        assert {"contrast.queue", "contrast.place"} < set(whole)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_of_one_pattern_is_learned_from(name):
    assert math.isfinite(made(name)[0](batch(n=1))["loss"].item())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: SelfSupervised(encoder(), augmentations={"wrap": {}}),
            "the augmentation 'wrap': known are",
        ),
        (
            lambda: SelfSupervised(encoder(), augmentations={"warp": {"depth": 1}}),
            "options are sigma, n_knots, got depth",
        ),
        (lambda: SelfSupervised(encoder(), augmentations=3), "augmentations must be names .* or callable, got 3"),
        (lambda: SelfSupervised(encoder(), n_views=1), "n_views must be a whole number of 2 or more, got 1"),
        (lambda: SelfSupervised(encoder(), piece=0.95), "piece must be a number within 0.0166667 and 0.9, got 0.95"),
        (lambda: SelfSupervised(encoder(), n_times=1), "n_times must be a whole number of 2 or more, got 1"),
        (lambda: SelfSupervised(encoder(), n_distances=1), "n_distances must be a whole number of 2 or more, got 1"),
        (lambda: SelfSupervised(encoder(), n_queue=0), "n_queue must be a whole number of 1 or more, got 0"),
        (lambda: SelfSupervised(encoder(), momentum=1.0), "momentum must be a number of 0 and below 1, got 1.0"),
        (lambda: SupervisedContrastive(encoder(), temperature=0.0), "temperature must be a number of 1e-06 or more"),
        (lambda: SupervisedContrastive(encoder(), n_projected=0), "n_projected must be a whole number of 1 or more"),
        (
            lambda: SelfSupervised(encoder(), contrast_weight=-1),
            "contrast_weight must be a number of 0 or more",
        ),
        (
            lambda: SelfSupervised(encoder())({"intensity": torch.zeros(2, M)}),
            "a batch needs 'position'",
        ),
        (
            lambda: SelfSupervised(encoder())({"intensity": torch.zeros(2, M), "position": torch.tensor([3.0, 9.0])}),
            "'position' must lie within 0 and 1, got values from 3 to 9. Make it with order_positions",
        ),
        (lambda: SupervisedContrastive(encoder())({"intensity": torch.zeros(2, M)}), "a batch needs 'label'"),
        (lambda: order_positions([[1, 2]]), r"must be finite and of one length, got shapes \(1, 2\) and \(1,\)"),
        (lambda: order_positions([1, float("nan")]), "values and series must be finite"),
        (
            lambda: build_objective("self_supervised", encoder(), 3),
            "needs no classes, only patterns, got n_classes=3",
        ),
        (lambda: build_objective("single_label", encoder()), "it needs a number of classes, got none. Give n_classes"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(OptionError, match=message):
        build()
