"""Patterns with planted peaks, and small networks trained on them in seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from peakwise.networks import Encoder

N_POINTS, N_CLASSES = 240, 4
PLACES = np.array([40, 90, 150, 200])
WIDTHS = np.array([0.8, 1.6, 6.0, 10.0])


class Placed(Encoder):
    """Convolutions, then a dense layer on the flattened map: it can know where a peak stands."""

    def __init__(self, n_points=N_POINTS):
        super().__init__()
        self.n_points, self.n_features = n_points, 24
        self.conv = nn.Sequential(
            nn.Conv1d(1, 8, 7, padding=3), nn.ReLU(), nn.MaxPool1d(3), nn.Conv1d(8, 12, 5, padding=2), nn.ReLU(),
            nn.MaxPool1d(2),
        )  # fmt: skip
        self.dense = nn.Linear(12 * (n_points // 6), 24)

    def forward(self, x):
        return torch.relu(self.dense(self.feature_map(x).flatten(1)))

    def feature_map(self, x):
        return self.conv(x[:, None])


class Pooled(Encoder):
    """Convolutions and the mean of each channel: the same wherever a peak stands."""

    def __init__(self, n_points=N_POINTS):
        super().__init__()
        self.n_points, self.n_features = n_points, 24
        self.conv = nn.Sequential(
            nn.Conv1d(1, 8, 7, padding=3), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(8, 24, 9, padding=4), nn.BatchNorm1d(24), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        return self.feature_map(x).mean(2)

    def feature_map(self, x):
        return self.conv(x[:, None])


def peaks(centre, height, width=2.0):
    x = np.arange(N_POINTS)
    return height[:, None] * np.exp(-0.5 * ((x - centre[:, None]) / width) ** 2)


def by_place(n, seed):
    """Class k has a peak at place k; two more peaks of the same shape stand elsewhere."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, N_CLASSES, n)
    centre = PLACES[y] + rng.integers(-2, 3, n)
    X = 0.02 * rng.normal(size=(n, N_POINTS)) + peaks(centre, rng.uniform(0.5, 1, n))
    for _ in range(2):
        free = np.flatnonzero(np.abs(np.arange(N_POINTS) - PLACES[:, None]).min(0) > 16)
        X += peaks(rng.choice(free, n), rng.uniform(0.5, 1, n))
    return X, y, np.abs(np.arange(N_POINTS) - centre[:, None]) <= 8


def by_shape(n, seed):
    """Class k has a peak of width k, anywhere; four peaks of one other width stand around it."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, N_CLASSES, n)
    slots = rng.permuted(np.tile(np.arange(5), (n, 1)), axis=1)
    centre = 30 + 45 * slots + rng.integers(-4, 5, (n, 5))
    X = 0.02 * rng.normal(size=(n, N_POINTS)) + peaks(centre[:, 0], rng.uniform(0.7, 1, n), WIDTHS[y][:, None])
    for k in range(1, 5):
        X += peaks(centre[:, k], rng.uniform(0.7, 1, n), 3.0)
    return X, y, np.abs(np.arange(N_POINTS) - centre[:, :1]) <= 20


@dataclass
class Case:
    encoder: nn.Module
    head: nn.Module
    X: np.ndarray
    y: np.ndarray
    inside: np.ndarray
    accuracy: float

    @property
    def model(self):
        return self.encoder, self.head


def build(kind, make, seed, epochs):
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder, head = kind(), nn.Linear(24, N_CLASSES)
        X, y, _ = make(800, 100 + seed)
        X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
        optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=3e-3)
        # Slower towards the end, or the running statistics of the normalisation lag behind the weights.
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(epochs, 1))
        for _ in range(epochs):
            for some in torch.randperm(len(X)).split(40):
                optimizer.zero_grad()
                nn.functional.cross_entropy(head(encoder(X[some])), y[some]).backward()
                optimizer.step()
            slower.step()
    optimizer.zero_grad()
    encoder.eval()
    X, y, inside = make(60, 999)
    with torch.no_grad():
        found = head(encoder(torch.tensor(X, dtype=torch.float32))).argmax(1).numpy()
    return Case(encoder, head, X, y, inside, float(np.mean(found == y)))


@pytest.fixture(scope="session")
def placed():
    """Trained to tell classes by the place of a peak."""
    return build(Placed, by_place, 0, 8)


@pytest.fixture(scope="session")
def pooled():
    """Trained to tell classes by the shape of a doublet."""
    return build(Pooled, by_shape, 0, 14)


@pytest.fixture(scope="session")
def untrained():
    """The same networks with random weights: (kind, case)."""
    return {
        "placed": [build(Placed, by_place, seed, 0) for seed in (1, 2, 3)],
        "pooled": [build(Pooled, by_shape, seed, 0) for seed in (1, 2, 3)],
    }
