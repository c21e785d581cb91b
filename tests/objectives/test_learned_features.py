"""From a series to states with three labels: what is learned without labels tells the states apart."""

from __future__ import annotations

import numpy as np
import torch

from peakwise.augmentation import Compose, RandomJitter, RandomMagnitude, RandomWarp
from peakwise.networks import build_encoder, seeded
from peakwise.objectives import SelfSupervised, encode, linear_evaluation, order_positions
from peakwise.training import ArrayBatches, train

PLACE = np.arange(300)


def series(n=60, seed=0):
    """Heights and zero change from pattern to pattern; in the middle one peak splits and another one appears."""
    draw, rows = np.random.default_rng(seed), []
    for i in range(n):
        peaks = [(60, 1.0), (110, 0.8), (190, 0.8), (240, 0.6)]
        if i >= n // 2:
            peaks = [(60, 1.0), (104, 0.5), (116, 0.5), (150, 0.4), (190, 0.8), (240, 0.6)]
        move = 0.05 * i + draw.normal(0, 1)
        row = draw.normal(0, 0.03, 300) + draw.uniform(0, 0.5) * np.exp(-PLACE / 150)
        for centre, height in peaks:
            row += height * draw.uniform(0.5, 1.5) * np.exp(-0.5 * ((PLACE - centre - move) / 2.5) ** 2)
        rows.append((row - row.min()) / (row.max() - row.min()))
    return np.array(rows, np.float32), (np.arange(n) >= n // 2).astype(int)


def accuracy(features, labels):
    """Mean over ten draws of three labels."""
    right = []
    for seed in range(10):
        before, after = (np.random.default_rng(seed).permutation(np.flatnonzero(labels == k)) for k in (0, 1))
        chosen = np.concatenate([before[: 1 + seed % 2], after[: 2 - seed % 2]])
        head = linear_evaluation(features[chosen], labels[chosen])
        right.append((head.predict(features).argmax(axis=1) == labels).mean())
    return np.mean(right)


def learned_features(patterns, seed):
    """Features before and after a short training without labels."""
    with seeded(seed):
        objective = SelfSupervised(
            build_encoder("patch_conv", 300),
            n_views=3,
            n_queue=120,
            augmentations=Compose([RandomWarp(0.05), RandomMagnitude(0.3), RandomJitter()]),
        )
    before = encode(objective.encoder, torch.from_numpy(patterns))
    batches = ArrayBatches({"intensity": patterns, "position": order_positions(np.arange(60)).numpy()}, 30)
    train(objective, batches, epochs=60, learning_rate=2e-3, device="cpu")
    return before, encode(objective.encoder, torch.from_numpy(patterns))


def test_a_change_is_found_with_three_labels_and_only_where_there_is_one():
    patterns, labels = series()
    # Of three networks: one untrained network may be lucky.
    made = [learned_features(patterns, seed) for seed in range(3)]
    untrained, learned = (
        np.mean([accuracy(features, labels) for features in some]) for some in zip(*made, strict=True)
    )
    assert learned > 0.9
    assert learned > untrained + 0.05
    assert learned > accuracy(patterns, labels) + 0.05  # the patterns themselves do not do it
    shuffled = [accuracy(made[0][1], np.random.default_rng(seed).permutation(labels)) for seed in range(3)]
    assert np.mean(shuffled) < 0.65
