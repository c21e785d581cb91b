"""A problem that any network must learn: one Gaussian a class, on a grid of places, with noise."""

from __future__ import annotations

import numpy as np
import torch

from peakwise.networks import build_encoder, seeded
from peakwise.objectives import SingleLabel

N_POINTS, N_CLASSES = 128, 8


def patterns(n, seed):
    draw = np.random.default_rng(seed)
    label = draw.integers(0, N_CLASSES, n)
    centre = (label + 0.5) * N_POINTS / N_CLASSES + draw.uniform(-2, 2, n)
    place = np.arange(N_POINTS)
    clean = np.exp(-0.5 * ((place - centre[:, None]) / 2) ** 2) * draw.uniform(0.5, 2, (n, 1))
    return {"intensity": (clean + draw.normal(0, 0.1, clean.shape)).astype(np.float32), "label": label}


def stream(first, size=32, seed=0):
    """Endless batches, each from its number alone."""
    number = first
    while True:
        yield patterns(size, [seed, number])
        number += 1


def objective(seed=0, name="wang_cnn", dropout=None):
    with seeded(seed):
        return SingleLabel(build_encoder(name, N_POINTS, {} if dropout is None else {"dropout": dropout}), N_CLASSES)


def accuracy(trained, seed=987):
    held_out = patterns(400, seed)
    found = trained.predict(torch.from_numpy(held_out["intensity"])).argmax(dim=1).numpy()
    return float((found == held_out["label"]).mean())


def weights(trained):
    return {name: value.clone() for name, value in trained.state_dict().items()}


def same(first, second):
    return set(first) == set(second) and all((first[name] == second[name]).all() for name in first)
