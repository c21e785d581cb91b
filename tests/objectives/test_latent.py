"""Autoencoders: losses against slow plain formulas, sizes against the paper, what a condition does."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from peakwise.errors import OptionError
from peakwise.networks import build_encoder, seeded
from peakwise.objectives import Autoencoder, Variational

N, M, C = 5, 60, 3


def built(n_conditions=0, seed=0, **options):
    with seeded(seed):
        encoder = build_encoder("dense", M + n_conditions, {"widths": [16, 8]})
        decoder = {"widths": [8, 16]}
        return Variational(encoder, n_conditions=n_conditions, decoder_options=decoder, **options)


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "intensity": torch.from_numpy(rng.random((N, M)).astype(np.float32)),
        "condition": torch.from_numpy(rng.dirichlet(np.ones(C), N).astype(np.float32)),
        "label": torch.tensor([0, 1, -1, 2, 0]),
    }


def test_the_published_network_has_as_many_parameters_as_its_layers():
    """2048-256-128-(2, 2)-128-256-2048: two dense layers stand for the mean and the logarithm of the variance."""
    objective = Variational(build_encoder("dense", 2048))
    encoder = 2049 * 256 + 257 * 128 + 2 * 129 * 2
    decoder = 3 * 128 + 129 * 256 + 257 * 2048
    assert sum(p.numel() for p in objective.parameters()) == encoder + decoder


@pytest.mark.parametrize("n_conditions", [0, C])
@pytest.mark.parametrize("n_classes", [0, 3])
def test_loss_is_weighted_cross_entropy_and_divergence(n_conditions, n_classes):
    objective = built(n_conditions, beta=0.7, n_classes=n_classes, class_weight=2.0, n_latent=2).eval()
    made = batch()
    told = objective(made)
    condition = made["condition"] if n_conditions else None
    mean, sigma = (v.numpy().astype(float) for v in objective.code(made["intensity"], condition))
    out = objective.decode(torch.from_numpy(mean.astype(np.float32)), condition).numpy().astype(float)
    loss = 0.0
    for i in range(N):
        for k in range(M):
            x, y = float(made["intensity"][i, k]), out[i, k]
            loss -= (x * math.log(y) + (1 - x) * math.log(1 - y)) / N
        for m, s in zip(mean[i], sigma[i], strict=True):
            loss += 0.7 * 0.5 * (s * s + m * m - 1 - 2 * math.log(s)) / N
    if n_classes:
        logits = objective.head(torch.from_numpy(mean.astype(np.float32))).detach().numpy().astype(float)
        known = [(row, int(k)) for row, k in zip(logits, made["label"], strict=True) if k >= 0]
        loss += 2.0 * sum(math.log(np.exp(row).sum()) - row[k] for row, k in known) / len(known)
    assert told["loss"].item() == pytest.approx(loss, rel=1e-4)
    assert ("accuracy" in told) == bool(n_classes)


def test_a_condition_reaches_code_and_pattern():
    objective = built(C)
    made = batch()
    other = made["condition"].roll(1, dims=1)
    mean, _ = objective.code(made["intensity"], made["condition"])
    moved, _ = objective.code(made["intensity"], other)
    assert not torch.allclose(mean, moved)
    assert not torch.allclose(objective.decode(mean, made["condition"]), objective.decode(mean, other))


def test_beta_rises_while_it_learns_and_the_loss_repeats_when_it_does_not():
    objective = built(beta=4.0, annealing=2)
    made = batch()
    objective.train()
    divergence = []
    for _ in range(3):
        told = objective(made)
        rest = told["loss"].detach() - M * told["reconstruction"]
        divergence.append(float(rest / told["divergence"]))
    assert divergence == pytest.approx([0, 2, 4], abs=1e-3)
    objective.eval()
    assert objective(made)["loss"] == objective(made)["loss"]
    assert int(objective.seen) == 3


def test_conditions_need_an_encoder_with_room_for_them():
    with pytest.raises(OptionError, match="the encoder must have more points than conditions, got 20 and 20"):
        Variational(build_encoder("dense", 20), n_conditions=20)
    with pytest.raises(OptionError, match="a batch needs 'condition', got intensity"):
        built(C)({"intensity": batch()["intensity"]})


def test_an_autoencoder_learns_the_mean_squared_error():
    with seeded(1):
        objective = Autoencoder(build_encoder("conv_stack", M), n_latent=4, decoder="conv")
    x = batch()["intensity"]
    out = objective.reconstruct(x).numpy().astype(float)
    assert objective({"intensity": x})["loss"].item() == pytest.approx(((out - x.numpy()) ** 2).mean(), rel=1e-5)
    assert objective.code(x).shape == (N, 4)
