"""Losses against slow plain NumPy formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.networks import BinnedPoints, build_encoder, seeded
from peakwise.objectives import OBJECTIVES, Classifier, MultiLabel, Objective, SingleLabel, build_objective

N, M, K = 6, 120, 5


def encoder(seed=0):
    with seeded(seed):
        return build_encoder("wang_cnn", M, {"dropout": 0.0})


def logits_of(objective, intensity):
    with torch.no_grad():
        return objective.head(objective.encoder(intensity)).double().numpy()


def batch(seed):
    draw = np.random.default_rng(seed)
    weights = draw.dirichlet(np.ones(K), N) * (draw.random((N, K)) < 0.5)
    weights[:, 0] += weights.sum(axis=1) == 0
    return {
        "intensity": torch.from_numpy(draw.random((N, M)).astype(np.float32)),
        "weights": torch.from_numpy((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)),
    }


@given(seed=st.integers(0, 99), smoothing=st.sampled_from([0.0, 0.1, 0.5]), weighted=st.booleans())
@settings(max_examples=12, deadline=None)
def test_single_label_is_weighted_smoothed_cross_entropy(seed, smoothing, weighted):
    counts = [1.0, 2.0, 0.5, 3.0, 0.0] if weighted else None
    objective = SingleLabel(encoder(seed), K, label_smoothing=smoothing, class_weights=counts)
    given_batch = batch(seed)
    label = [i % 4 for i in range(N)]
    told = objective({"intensity": given_batch["intensity"], "label": torch.tensor(label)})
    logits, above, below = logits_of(objective, given_batch["intensity"]), 0.0, 0.0
    for row, k in zip(logits, label, strict=True):
        p = np.exp(row - row.max()) / np.exp(row - row.max()).sum()
        for j in range(K):
            c = counts[j] if counts else 1.0
            above -= c * ((1 - smoothing) * (j == k) + smoothing / K) * math.log(p[j])
            below += c * (j == k)
    assert told["loss"].item() == pytest.approx(above / below, rel=1e-4)
    # torch knows the same formula under its own name
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(label), torch.tensor(counts or [1.0] * K).double(), label_smoothing=smoothing
    )
    assert told["loss"].item() == pytest.approx(theirs.item(), rel=1e-4)
    assert told["accuracy"].item() == pytest.approx((logits.argmax(axis=1) == label).mean())


def test_single_label_with_shares_is_the_mean_of_the_labels():
    objective = SingleLabel(encoder(), K)
    intensity = batch(0)["intensity"]
    ends = [objective({"intensity": intensity, "label": torch.full((N,), k)})["loss"].item() for k in (1, 3)]
    shares = torch.zeros(N, K)
    shares[:, 1], shares[:, 3] = 0.5, 1.5  # brought to a sum of 1
    between = objective({"intensity": intensity, "weights": shares})["loss"].item()
    assert between == pytest.approx(0.25 * ends[0] + 0.75 * ends[1], rel=1e-5)


@given(seed=st.integers(0, 99), focus=st.sampled_from([0.0, 1.0, 2.5]), least=st.sampled_from([0.0, 0.3]))
@settings(max_examples=12, deadline=None)
def test_multi_label_is_cross_entropy_of_each_class_and_of_the_fractions(seed, focus, least):
    with seeded(seed):
        objective = MultiLabel(
            encoder(seed), K, focus=focus, least=least, has_fractions=True, fraction_weight=0.7,
            class_weights=[1, 2, 3, 4, 5],
        )  # fmt: skip
    given_batch = batch(seed)
    told = objective(given_batch)
    weights = given_batch["weights"].double().numpy()
    logits = logits_of(objective, given_batch["intensity"])
    with torch.no_grad():
        amounts = objective.fraction_head(objective.encoder(given_batch["intensity"])).double().numpy()
    presence = fractions = 0.0
    for i in range(N):
        there = [k for k in range(K) if weights[i, k] > least]
        for k in range(K):
            p = 1 / (1 + math.exp(-logits[i, k]))
            presence -= (k + 1) * (math.log(p) if k in there else p**focus * math.log(1 - p))
        total = sum(math.exp(amounts[i, k]) for k in there)
        fractions -= sum(weights[i, k] * math.log(math.exp(amounts[i, k]) / total) for k in there)
    assert told["presence"].item() == pytest.approx(presence / N, rel=1e-4)
    assert told["fractions"].item() == pytest.approx(fractions / N, rel=1e-3, abs=1e-5)
    assert told["loss"].item() == pytest.approx(presence / N + 0.7 * fractions / N, rel=1e-4)


def test_extreme_logits_stay_finite():
    objective = MultiLabel(encoder(), K, focus=2.0, has_fractions=True)
    objective.head.dense.bias.data = torch.tensor([1e4, -1e4, 0.0, 1e4, -1e4])
    loss = objective(batch(1))["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in objective.parameters())


def test_probabilities_are_probabilities():
    x = batch(3)["intensity"]
    single, multi = SingleLabel(encoder(), K), MultiLabel(encoder(), K)
    torch.testing.assert_close(single.predict(x).sum(dim=1), torch.ones(N))
    np.testing.assert_allclose(multi.predict(x).numpy(), 1 / (1 + np.exp(-logits_of(multi, x))), rtol=1e-4)
    for objective in (single, multi):
        torch.testing.assert_close(objective.predict(x, size=4), objective.predict(x))
        assert objective.training
        assert not objective.predict(x).requires_grad
        assert objective.answer(x).requires_grad


def test_fractions_are_shares_of_what_is_present():
    with seeded(5):
        objective = MultiLabel(encoder(), K, has_fractions=True)
    present = torch.tensor([[True, False, True, False, False]] * N)
    shares = objective.predict_fractions(batch(2)["intensity"], present)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(N))
    assert (shares[:, [1, 3, 4]] == 0).all()
    assert not objective.predict_fractions(batch(2)["intensity"], torch.zeros(N, K, dtype=bool)).any()
    with pytest.raises(OptionError, match="they were not learned. Train with has_fractions=True"):
        MultiLabel(encoder(), K).predict_fractions(batch(2)["intensity"], present)


def test_classes_come_and_go_with_everything_that_belongs_to_them():
    with seeded(6):
        objective = MultiLabel(encoder(), K, head="cosine", has_fractions=True, class_weights=[1, 2, 3, 4, 5])
    x = batch(4)["intensity"]
    before = objective.predict(x)
    objective.add_class(x[:2])
    assert objective.n_classes == K + 1
    assert objective.class_weights.tolist() == [1, 2, 3, 4, 5, 3]
    torch.testing.assert_close(objective.predict(x)[:, :K], before)
    everything = torch.ones(N, K + 1, dtype=bool)
    with_new = objective.predict_fractions(x, everything)
    objective.drop_class(2)
    rest = torch.tensor([0, 1, 3, 4, 5])
    torch.testing.assert_close(objective.predict(x)[:, :4], before[:, [0, 1, 3, 4]])
    assert objective.class_weights.tolist() == [1, 2, 4, 5, 3]
    left = objective.predict_fractions(x, torch.ones(N, K, dtype=bool))
    torch.testing.assert_close(left, with_new[:, rest] / with_new[:, rest].sum(dim=1, keepdim=True))
    padded = torch.nn.functional.pad(batch(4)["weights"][:, :4], (1, 0), value=0.5)
    objective({"intensity": x, "weights": padded})["loss"].backward()
    assert all(p.grad is not None for p in (objective.head.prototypes, objective.fraction_head.weight))


def test_what_cannot_be_is_refused():
    plain = SingleLabel(encoder(), K)
    with pytest.raises(OptionError, match="cannot change the classes without training: its head must be CosineHead"):
        plain.add_class(batch(0)["intensity"])
    with pytest.raises(OptionError, match="a batch needs 'label', got intensity. Add 'label' to the batches"):
        plain({"intensity": batch(0)["intensity"]})
    with pytest.raises(OptionError, match="a batch needs 'intensity', got nothing"):
        plain({})
    with pytest.raises(OptionError, match="class_weights must be 5 numbers of 0 or more, not all 0, got"):
        SingleLabel(encoder(), K, class_weights=[1, 2])
    with pytest.raises(OptionError, match="label_smoothing must be a number of 0 and below 1, got 1.5"):
        SingleLabel(encoder(), K, label_smoothing=1.5)
    with pytest.raises(OptionError, match="cannot build the objective 'multi': known are single_label, multi_label"):
        build_objective("multi", encoder(), K)
    with pytest.raises(OptionError, match="got smoothing. Use only these"):
        build_objective("single_label", encoder(), K, {"smoothing": 0.1})


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_encoder_survives(name):
    kept = BinnedPoints(M, n_outputs=K) if name == "binned_votes" else encoder()
    objective = build_objective(name, kept, K if issubclass(OBJECTIVES[name], Classifier) else None)
    assert isinstance(objective, Objective)
    assert objective.encoder is kept
