"""The compiled training of published networks against torch: gradients, steps of AdamW, and what comes of them."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from peakwise.estimators import _regression_kernel, _regression_kernel_maps
from peakwise.estimators._regression_compiled import (
    flat_weights,
    is_published,
    layout_of,
    learn_compiled,
    put_weights,
)
from peakwise.estimators._regression_kernel import rooms, step
from peakwise.estimators._regression_training import Plan
from peakwise.networks import build_encoder, seeded
from peakwise.objectives import Regression

N = 9
STAGES = {0: "both", 1: "patterns", 2: "descriptors"}


def built(points, latents, *, decoder="conv", groups=(), scaler=3.0, n_targets=7):
    with seeded(1):
        first, *others = [build_encoder("conv_stack", m) for m in points]
        return Regression(
            first, others=others, n_targets=n_targets, groups=groups, n_latent=latents, decoder=decoder,
            loss_scaler=scaler, dropout=0.0,
        )  # fmt: skip


def given(network, points, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.random((N, network.head.n_targets)).astype(np.float32)
    for start, stop in network.groups:
        target[:, start:stop] = np.eye(stop - start)[rng.integers(stop - start, size=N)]
    names = ["intensity", "intensity_1"]
    made = {name: rng.random((N, m)).astype(np.float32) for name, m in zip(names, points, strict=False)}
    return {**made, "target": target}


@pytest.mark.parametrize(
    ("points", "latents", "decoder", "groups", "scaler", "stage"),
    [
        ([150], 30, "conv", (), 3.0, 0),
        ([150], 30, None, (), 3.0, 0),
        ([40, 60], [5, 7], "conv", ((4, 7),), 3.0, 0),
        ([40, 60], [5, 7], "conv", (), [1.0, 2.0], 1),
        ([40], 6, "conv", ((1, 3), (3, 7)), 3.0, 2),
    ],
)
def test_losses_and_gradients_are_those_of_torch(points, latents, decoder, groups, scaler, stage):
    network = built(points, latents, decoder=decoder, groups=groups, scaler=scaler)
    assert is_published(network)
    network.stage = STAGES[stage]
    data = given(network, points)
    out = network({name: torch.from_numpy(value) for name, value in data.items()})
    out["loss"].backward()
    layout, p = layout_of(network), flat_weights(network)
    assert p.size == layout.n_parameters == sum(v.numel() for v in network.parameters())
    tables = [data[name] for name in data if name != "target"]
    if stage == 2:
        tables = [code.numpy() for code in network.codes([torch.from_numpy(t) for t in tables])]
    x, g = np.concatenate(tables, axis=1), np.zeros_like(p)
    net = layout.for_kernel(network.loss_scalers)
    work = rooms(N, layout.sizes, layout.channels, layout.kernel, layout.widths)
    rest = (net, x, data["target"], stage, 0.0, 0.0, np.array([5], np.uint64), work)
    losses = step(p, g, *rest, True)
    assert sum(losses) == pytest.approx(out["loss"].item(), rel=1e-5)
    assert sum(step(p, g.copy(), *rest, False)) == pytest.approx(sum(losses), rel=1e-5)
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(torch.zeros_like(value) if value.grad is None else value.grad)
    slopes = flat_weights(network)
    part = {0: slice(None), 1: slice(0, layout.head_start), 2: slice(layout.head_start, None)}[stage]
    assert np.abs(slopes[part]).max() > 0
    np.testing.assert_allclose(g[part], slopes[part], atol=3e-6 * np.abs(slopes).max())


def test_weights_go_there_and_back():
    network = built([40, 60], [5, 7])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    flat = flat_weights(network)
    put_weights(network, np.zeros_like(flat))
    assert not any(value.any() for value in network.parameters())
    put_weights(network, flat)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("part", ["all", "autoencoder", "head"])
def test_training_is_that_of_torch_where_one_batch_holds_all(part):
    """Without dropout, and with all rows in each batch, nothing is random: after five steps the weights agree."""
    ours, theirs = built([40], 4, n_targets=3), built([40], 4, n_targets=3)
    data = given(ours, [40])
    learn_compiled(ours, data, None, Plan(5, 1e-3, 1e-2, 32, 99, 0, 1, "cpu", None), part)
    theirs.stage = {"all": "both", "autoencoder": "patterns", "head": "descriptors"}[part]
    learned = [v for n, v in theirs.named_parameters() if part == "all" or n.startswith("head.") == (part == "head")]
    optimiser = torch.optim.AdamW(learned, lr=1e-3, weight_decay=1e-2)
    batch = {name: torch.from_numpy(value) for name, value in data.items()}
    for _ in range(5):
        optimiser.zero_grad()
        theirs(batch)["loss"].backward()
        optimiser.step()
    # Adam divides by the size of the gradient: where that is nearly zero, rounding decides on a step of the rate.
    off = np.abs(flat_weights(ours) - flat_weights(theirs))
    assert np.quantile(off, 0.99) < 2e-5
    assert off.max() < 2e-3


def test_the_best_epoch_on_what_is_held_is_kept_and_patience_ends_it():
    network = built([40], 4, n_targets=3)
    data, held = given(network, [40]), given(network, [40], seed=8)
    told = learn_compiled(network, data, held, Plan(3000, 3e-3, 0.0, 4, 40, 0, 1, "cpu", None), "all")
    assert told["epochs"] == told["best_epoch"] + 40 < 3000
    answer = network.answer([torch.from_numpy(held["intensity"])]).numpy()
    assert np.mean((answer - held["target"]) ** 2) == pytest.approx(told["best"], rel=1e-4)


def test_what_is_not_published_is_left_to_torch():
    with seeded(0):
        assert not is_published(Regression(build_encoder("dense", 40), n_targets=2, decoder="dense"))
        assert not is_published(Regression(build_encoder("conv_stack", 40), n_targets=2, beta=1.0))
        wide = build_encoder("conv_stack", 40, {"stride": 2})
        assert not is_published(Regression(wide, n_targets=2, decoder=None))
        assert not is_published(Regression(build_encoder("conv_stack", 40, {"relu": True}), n_targets=2, decoder=None))


def test_a_change_of_the_maps_is_compiled_again():
    now = zlib.crc32(Path(_regression_kernel_maps.__file__).read_bytes())
    assert now == _regression_kernel.PARTS, f"write PARTS = {now:#010X} into _regression_kernel.py"
