"""Votes of points: counted one by one in plain Python, and a problem in which one bin alone can be believed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.networks import BinnedPoints, build_encoder, seeded
from peakwise.objectives import BinnedVotes, SingleLabel, believability
from peakwise.training import ArrayBatches, train

N_POINTS, N_BINS = 50, 5


def objective(n_classes=2, seed=0, **options):
    with seeded(seed):
        return BinnedVotes(BinnedPoints(N_POINTS, n_bins=N_BINS, n_outputs=n_classes, hidden=20), n_classes, **options)


def curves(n, seed):
    """Two classes that differ in the fourth bin alone."""
    draw = np.random.default_rng(seed)
    label = draw.integers(0, 2, n)
    intensity = draw.normal(0, 0.3, (n, N_POINTS))
    intensity[:, 30:40] += 2.0 * label[:, None]
    return torch.from_numpy(intensity.astype(np.float32)), torch.from_numpy(label)


def logits_by_points(network, x):
    """Point by point: (n, n_bins, size, n_classes)."""
    p = {name: value.detach().double().numpy() for name, value in network.named_parameters()}
    size = N_POINTS // N_BINS
    out = np.zeros((len(x), N_BINS, size, p["second.bias"].shape[-1]))
    for i, curve in enumerate(x.double().numpy()):
        for b in range(N_BINS):
            for k in range(size):
                point = np.array([-1 + 2 * k / (size - 1), curve[b * size + k]])
                hidden = np.maximum(point @ p["first.weight"][b] + p["first.bias"][b, 0], 0)
                out[i, b, k] = hidden @ p["second.weight"][b] + p["second.bias"][b, 0]
    return out


@given(st.floats(0, 1))
def test_the_weight_of_a_bin_is_equation_4_1(accuracy):
    found = float(believability(torch.tensor(accuracy, dtype=torch.float64)))
    assert found == pytest.approx(max(0.0, 1.4337 * accuracy**2 - 0.4337), abs=2e-5)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_loss_accuracy_and_curve_label_are_what_counting_gives(n_classes):
    one = objective(n_classes, seed=3)
    draw = np.random.default_rng(5)
    x = torch.from_numpy(draw.normal(0, 2, (7, N_POINTS)).astype(np.float32))
    logits = logits_by_points(one.encoder, x)
    label = torch.from_numpy(logits[:, 2].mean(axis=1).argmax(axis=-1))  # what the third bin says: it can be believed
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    costs, rights = [], np.zeros((7, N_BINS))
    for i in range(7):
        for b in range(N_BINS):
            costs += [-logs[i, b, k, label[i]] for k in range(10)]
            rights[i, b] = sum(logits[i, b, k].argmax() == int(label[i]) for k in range(10)) / 10
    parts = one({"intensity": x, "label": label})
    assert parts["loss"].item() == pytest.approx(np.mean(costs), rel=1e-5)
    assert float(parts["accuracy"]) == pytest.approx(rights.mean())

    one.weigh(x, label, size=3)
    separability = rights.mean(axis=0)
    np.testing.assert_allclose(one.separability.numpy(), separability, atol=1e-6)
    least = 1.1 / n_classes
    weights = np.maximum(0, (separability**2 - least**2) / (1 - least**2))
    np.testing.assert_allclose(one.weights.numpy(), weights, atol=1e-5)
    assert weights[2] > 0
    for i, found in enumerate(one.predict(x).numpy()):
        votes = np.zeros(n_classes)
        for b in range(N_BINS):
            for k in range(10):
                votes[logits[i, b, k].argmax()] += weights[b]
        expected = votes / votes.sum() if votes.sum() else np.full(n_classes, 1 / n_classes)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_class_weights_count_in_the_accuracy_of_a_bin():
    one = objective(class_weights=[1.0, 9.0])
    x, label = curves(40, 1)
    rights = (logits_by_points(one.encoder, x).argmax(axis=-1) == label.numpy()[:, None, None]).mean(axis=2)
    one.weigh(x, label)
    counts = np.where(label.numpy() == 1, 9.0, 1.0)
    np.testing.assert_allclose(one.separability.numpy(), counts @ rights / counts.sum(), atol=1e-6)


def test_the_one_bin_that_differs_decides():
    """Bins without any difference weigh nothing, and noise in them cannot outvote the one that knows."""
    one, (x, label) = objective(seed=1), curves(200, 2)
    before = {name: value.clone() for name, value in one.head.named_parameters()}
    train(one, ArrayBatches({"intensity": x, "label": label}, size=50), steps=150, device="cpu", learning_rate=0.02)
    one.weigh(x, label)
    weights = one.weights
    assert weights[3] > 0.95
    assert weights[[0, 1, 2, 4]].max() < 0.15
    fresh, truth = curves(300, 3)
    assert float((one.predict(fresh).argmax(dim=1) == truth).float().mean()) == 1
    assert all(torch.equal(before[n], p) or n == "dense.weight" for n, p in one.head.named_parameters())
    # The head with the features says the same.
    with torch.no_grad():
        assert torch.equal(one.head(one.encoder(fresh)).argmax(dim=1), truth)


def test_where_no_bin_is_believed_all_classes_are_alike():
    one = objective(least=0.99)
    one.weigh(*curves(20, 4))
    assert not one.weights.any()
    torch.testing.assert_close(one.predict(curves(3, 5)[0]), torch.full((3, 2), 0.5))


def test_the_weights_of_the_bins_survive_saving():
    one, other = objective(), objective(seed=8)
    x, label = curves(30, 6)
    one.weigh(x, label)
    other.load_state_dict(one.state_dict())
    torch.testing.assert_close(other.predict(x), one.predict(x))
    assert not torch.equal(one.separability, torch.ones(N_BINS))


def test_gradients_of_the_votes_are_those_of_the_probabilities():
    one, (x, _) = objective(), curves(2, 7)
    hard, soft = x.clone().requires_grad_(), x.clone().requires_grad_()
    one.answer(hard)[:, 1].sum().backward()
    (one.encoder(soft).unflatten(1, (N_BINS, 2))[:, :, 1].mean(dim=1)).sum().backward()
    assert hard.grad.abs().max() > 0
    torch.testing.assert_close(hard.grad, soft.grad, atol=1e-7, rtol=1e-3)


def test_another_network_is_refused():
    with pytest.raises(OptionError, match="must be BinnedPoints with n_outputs=3, got WangCNN. Build the network"):
        BinnedVotes(build_encoder("wang_cnn", 200), 3)
    with pytest.raises(OptionError, match="must be BinnedPoints with n_outputs=3, got n_outputs=2"):
        BinnedVotes(BinnedPoints(60), 3)
    with pytest.raises(OptionError, match="least must be a number of 0 and below 1, got 1"):
        objective(least=1)


# --- single_label with sequences and unlabelled patterns, beside which the votes stand


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_single_label_of_sequences_is_the_mean_over_labelled_patterns(smoothing, head):
    with seeded(2):
        one = SingleLabel(
            build_encoder("lstm", 60, {"width": 16}), 3, head=head, label_smoothing=smoothing, class_weights=[1, 2, 3]
        ).eval()
        x = torch.rand(2, 4, 60)
    label = torch.tensor([[0, -1, 2, 1], [-1, -1, 1, 0]])
    with torch.no_grad():
        logits = one.head(one.encoder(x)).double().numpy()
    total, counted, hits, known = 0.0, 0.0, 0, 0
    for i in range(2):
        for t in range(4):
            if label[i, t] < 0:
                continue
            logs = logits[i, t] - np.log(np.exp(logits[i, t]).sum())
            target = np.full(3, smoothing / 3)
            target[label[i, t]] += 1 - smoothing
            total -= (np.array([1, 2, 3]) * target * logs).sum()
            counted += float(label[i, t] + 1)
            hits, known = hits + (logits[i, t].argmax() == int(label[i, t])), known + 1
    parts = one({"intensity": x, "label": label})
    assert parts["loss"].item() == pytest.approx(total / counted, rel=1e-5)
    assert float(parts["accuracy"]) == pytest.approx(hits / known)


def test_sequences_are_predicted_whole():
    with seeded(4):
        one, x = SingleLabel(build_encoder("conv_sct", 80), 3), torch.rand(5, 6, 80)
    found = one.predict(x, size=12)
    assert found.shape == (5, 6, 3)
    torch.testing.assert_close(found, one.predict(x, size=1))
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(5, 6))


def test_a_batch_without_labels_costs_nothing():
    with seeded(5):
        one = SingleLabel(build_encoder("fcnn", 60), 2)
    parts = one({"intensity": torch.rand(3, 60), "label": torch.full((3,), -1)})
    parts["loss"].backward()
    assert parts["loss"].item() == 0 == parts["accuracy"].item()
    assert all(torch.isfinite(p.grad).all() for p in one.parameters())
