"""Linear heads on frozen features: against scikit-learn, against the published descent, and where they must refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from peakwise.errors import OptionError
from peakwise.networks import build_encoder, seeded
from peakwise.objectives import draw_labelled, encode, linear_evaluation


def clouds(seed, n=400, n_features=40, n_classes=3, apart=1.0, scale=0.5):
    """Classes of unequal size around their centres, in a few of many directions."""
    draw = np.random.default_rng(seed)
    label = draw.choice(n_classes, n, p=np.arange(n_classes, 0, -1) / sum(range(n_classes + 1)))
    centres = draw.normal(0, apart, (n_classes, n_features)) * (np.arange(n_features) < 8)
    return scale * (centres[label] + draw.normal(0, 1, (n, n_features))) + draw.normal(0, 1, n_features), label


@given(
    seed=st.integers(0, 999),
    n=st.sampled_from([12, 30, 200]),
    n_classes=st.integers(2, 4),
    decay=st.sampled_from([1e-3, 1e-1, 2.0]),
)
@settings(max_examples=25, deadline=None)
def test_it_is_logistic_regression(seed, n, n_classes, decay):
    rows, label = clouds(seed, n, 20, n_classes)
    label[:n_classes] = np.arange(n_classes)
    head = linear_evaluation(rows, label, decay=decay)
    standard = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0).mean())
    theirs = LogisticRegression(C=1 / (n * decay), tol=1e-8, max_iter=5000)
    if n_classes == 2:  # scikit-learn then has one column of weights, where we decay two of half its size
        theirs.set_params(C=2 / (n * decay))
    theirs.fit(standard, label)
    np.testing.assert_allclose(head.predict(rows), theirs.predict_proba(standard), atol=2e-4)
    np.testing.assert_allclose(head.predict(torch.from_numpy(rows)).sum(axis=1), 1)


def published_accuracy(rows, label, chosen, seed):
    """Section 7.2.1 of the thesis: descent at rate 0.1 with decay 1e-4, a third held out, patience of 20."""
    draw = np.random.default_rng(seed)
    held = np.concatenate(
        [draw.permutation(chosen[label[chosen] == k])[: np.sum(label[chosen] == k) // 3] for k in range(3)]
    )
    kept = np.setdiff1d(chosen, held)
    x, y = torch.from_numpy(rows).float(), torch.from_numpy(label)
    with seeded(seed):
        head = torch.nn.Linear(rows.shape[1], 3)
    best, weights, since = -1.0, None, 0
    while since < 20:
        head.zero_grad()
        functional.cross_entropy(head(x[kept]), y[kept]).backward()
        with torch.no_grad():
            for value in head.parameters():
                value -= 0.1 * (value.grad + 1e-4 * value)
            right = (head(x[held]).argmax(dim=1) == y[held]).float().mean().item()
        since += 1
        if right > best:
            best, since, weights = right, 0, [value.clone() for value in head.parameters()]
    logits = x @ weights[0].T + weights[1]
    return (logits.argmax(dim=1) == y).float().mean().item()


@pytest.mark.parametrize(("apart", "scale"), [(1.0, 0.5), (2.0, 0.5), (1.0, 2.0)])
def test_it_is_no_worse_than_the_published_descent(apart, scale):
    """Twenty draws of 10 % labels: as good within the deviation of one run, or better."""
    ours, theirs = [], []
    for seed in range(20):
        rows, label = clouds(seed, apart=apart, scale=scale)
        chosen = draw_labelled(label, 0.1, least=3, random_state=seed)
        head = linear_evaluation(rows[chosen], label[chosen], random_state=seed)
        ours.append((head.predict(rows).argmax(axis=1) == label).mean())
        theirs.append(published_accuracy(rows, label, chosen, seed))
    assert np.mean(ours) > np.mean(theirs) - np.std(theirs) / 2
    assert np.mean(ours) > 0.6  # of three classes


def test_the_decay_is_the_one_that_tells_held_out_labels_best():
    """Labels that are noise need a strong decay, labels that are clear a weak one."""
    draw = np.random.default_rng(0)
    noise = linear_evaluation(draw.normal(size=(60, 50)), np.arange(60) % 2)
    rows, label = clouds(0, 60, 50, 2, apart=5.0)
    clear = linear_evaluation(rows, label)
    assert clear.decay < noise.decay == 1.0
    assert linear_evaluation(rows[:2], [0, 1]).decay == 1e-3  # nothing can be held out


def test_classes_without_labels_are_not_expected():
    rows, label = clouds(1, 100, 10, 2)
    told = linear_evaluation(rows, label, n_classes=4).predict(rows)
    assert told.shape == (100, 4)
    assert told[:, 2:].max() < 0.2


def test_turned_shifted_scaled_features_and_those_that_say_nothing_give_the_same():
    rows, label = clouds(2, 80, 10)
    one = linear_evaluation(rows, label, decay=0.01).predict(rows)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 10)))[0]
    other = 1e4 * (rows @ turn + 7)
    np.testing.assert_allclose(linear_evaluation(other, label, decay=0.01).predict(other), one, atol=1e-4)
    wide = np.column_stack([rows, np.full((80, 10), 3.0)])  # half of the mean variance, and so half of the decay
    np.testing.assert_allclose(linear_evaluation(wide, label, decay=0.02).predict(wide), one, atol=1e-4)


@given(seed=st.integers(0, 99), share=st.floats(0, 1), least=st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_labels_are_drawn_from_each_class_alike(seed, share, least):
    label = np.random.default_rng(seed).integers(0, 3, 50) * 2
    rows = draw_labelled(label, share, least=least, random_state=seed)
    assert len(set(rows.tolist())) == len(rows)
    assert (np.diff(rows) > 0).all()
    for k in set(label.tolist()):
        n = (label == k).sum()
        assert (label[rows] == k).sum() == min(n, max(least, round(share * n)))
    assert np.array_equal(rows, draw_labelled(torch.from_numpy(label), share, least=least, random_state=seed))


def test_encoding_leaves_the_network_as_it_was():
    with seeded(0):
        encoder = build_encoder("wang_cnn", 100)  # it has dropout
    x = torch.rand(7, 100)
    features = encode(encoder, x, batch=3)
    torch.testing.assert_close(features, encode(encoder, x))
    assert not features.requires_grad
    assert encoder.training
    torch.testing.assert_close(features, encoder.eval()(x).detach())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear_evaluation(np.zeros((3, 2)), [0, 0, 0]), r"must be of at least two classes, got \[0\]"),
        (lambda: linear_evaluation(np.zeros((2, 2)), [0, 5], n_classes=3), r"at least two of 3 classes, got \[0, 5\]"),
        (lambda: linear_evaluation(np.zeros((3, 2)), [0, 1]), r"with n = 2 labels, got \(3, 2\)"),
        (lambda: linear_evaluation(np.full((2, 2), np.nan), [0, 1]), "features must be finite"),
        (lambda: linear_evaluation(np.zeros((2, 2)), [0.0, 1.0]), "labels must be whole numbers from 0"),
        (lambda: linear_evaluation(np.zeros((2, 2)), [-1, 1]), "labels must be whole numbers from 0"),
        (lambda: linear_evaluation(np.zeros((2, 2)), [0, 1], decay=0), "decay must hold numbers above 0, got 0"),
        (lambda: linear_evaluation(np.zeros((4, 2)), [0, 1, 0, 1], validation=1), "must lie between 0 and 1, got 1"),
        (lambda: draw_labelled([0, 1], 1.5), "share must lie within 0 and 1 and least be 0 or more, got 1.5 and 2"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(OptionError, match=message):
        call()
