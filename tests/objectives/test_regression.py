"""The objective of descriptors: losses against plain formulas, sizes against the published listings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from peakwise.errors import OptionError
from peakwise.networks import RegressionMLP, build_encoder, seeded
from peakwise.objectives import Regression

N = 6


def built(points=(40,), seed=0, **options):
    with seeded(seed):
        first, *others = [build_encoder("conv_stack", m, {"channels": [2, 3]}) for m in points]
        options = {"decoder_options": {"channels": [3, 2]}, "n_latent": 4, "widths": [8, 8], **options}
        return Regression(first, others=others, **options).eval()


def batch(points=(40,), n_targets=3):
    rng = np.random.default_rng(1)
    names = ["intensity", "intensity_1", "intensity_2"]
    made = {
        name: torch.from_numpy(rng.random((N, m)).astype(np.float32)) for name, m in zip(names, points, strict=False)
    }
    return made | {"target": torch.from_numpy(rng.random((N, n_targets)).astype(np.float32))}


def test_the_published_sizes_follow_from_the_length_of_a_pattern():
    """Listings 1, 4, 6 and 8: 150 points become 16 x 138 = 2208 numbers, then 30, then 64 four times, then 7."""
    convolutions = (1 * 4 * 5 + 4) + (4 * 8 * 5 + 8) + (8 * 16 * 5 + 16)
    back = (16 * 8 * 5 + 8) + (8 * 4 * 5 + 4) + (4 * 1 * 5 + 1)
    encoder = convolutions + 2208 * 30 + 30
    decoder = 30 * 2208 + 2208 + back
    perceptron = (30 * 64 + 64) + 3 * (64 * 64 + 64) + (64 * 7 + 7)
    count = lambda module: sum(p.numel() for p in module.parameters())  # noqa: E731
    hybrid = Regression(build_encoder("conv_stack", 150), n_targets=7)
    assert count(hybrid) == encoder + decoder + perceptron == 151_318
    assert count(Regression(build_encoder("conv_stack", 150), n_targets=7, decoder=None)) == encoder + perceptron
    assert count(RegressionMLP(30, 7)) == perceptron
    longer = Regression(build_encoder("conv_stack", 5997, {"stride": 4}), n_targets=7, decoder_options={"stride": 4})
    assert longer.answer([torch.zeros(2, 5997)]).shape == (2, 7)


def test_the_loss_is_that_of_the_paper():
    objective, given = built(n_targets=3, loss_scaler=2.5), batch()
    x, s = given["intensity"].numpy(), given["target"].numpy()
    told = objective.answer([given["intensity"]]).numpy()
    again = objective.draw(objective.codes([given["intensity"]]))[0].numpy()
    parts = objective(given)
    assert parts["regression"].item() == pytest.approx(np.mean((told - s) ** 2), rel=1e-5)
    assert parts["reconstruction"].item() == pytest.approx(np.mean((again - x) ** 2), rel=1e-5)
    assert parts["loss"].item() == pytest.approx(2.5 * np.mean((again - x) ** 2) + np.mean((told - s) ** 2), rel=1e-5)


def test_each_modality_has_its_weight():
    objective, given = built((40, 30), n_targets=3, loss_scaler=[2.0, 5.0]), batch((40, 30))
    patterns = [given["intensity"], given["intensity_1"]]
    again = objective.draw(objective.codes(patterns))
    by_hand = sum(
        w * np.mean((a.numpy() - x.numpy()) ** 2) for w, a, x in zip([2.0, 5.0], again, patterns, strict=True)
    )
    parts = objective(given)
    assert parts["loss"].item() == pytest.approx(by_hand + parts["regression"].item(), rel=1e-5)


def test_classes_are_learned_by_their_cross_entropy():
    objective, given = built(n_targets=4, groups=[(1, 4)], decoder=None), batch(n_targets=4)
    label = np.array([0, 1, 2, 0, 1, 2])
    given["target"][:, 1:] = torch.eye(3)[label]
    told = objective.answer([given["intensity"]]).numpy()
    assert told[:, 1:].sum(axis=1) == pytest.approx(np.ones(N), abs=1e-5)
    by_hand = np.mean((told[:, 0] - given["target"][:, 0].numpy()) ** 2) - np.log(told[np.arange(N), 1 + label]).mean()
    assert objective(given)["loss"].item() == pytest.approx(by_hand, rel=1e-4)


def test_a_missing_modality_changes_nothing_by_what_stands_in_its_place():
    objective, given = built((40, 30), n_targets=3), batch((40, 30))
    there = torch.tensor([[1.0, 0.0]] * N)
    first = objective.answer([given["intensity"], given["intensity_1"]], there)
    other = objective.answer([given["intensity"], 7 * torch.ones(N, 30)], there)
    assert torch.equal(first, other)
    assert not torch.equal(first, objective.answer([given["intensity"], given["intensity_1"]]))


def test_the_divergence_is_that_from_a_normal_distribution():
    objective, given = built(n_targets=3, beta=0.7), batch()
    mean, log = (v[0].detach().numpy() for v in objective._code([given["intensity"]]))
    apart = ((np.exp(log) + mean**2 - 1 - log) / 2).sum(axis=1).mean()
    parts = objective(given)
    assert parts["divergence"].item() == pytest.approx(apart, rel=1e-4)
    rest = parts["regression"] + 3 * parts["reconstruction"]
    assert parts["loss"].item() == pytest.approx(rest.item() + 0.7 * apart / 40, rel=1e-4)


def test_while_it_learns_one_modality_always_stays():
    objective = built((40, 30), n_targets=3, modality_dropout=0.9).train()
    there = objective._present([torch.zeros(500, 40), torch.zeros(500, 30)], None)
    assert there.sum(dim=1).min() == 1
    assert 0 < (there == 0).float().mean() < 0.5


def test_bad_options_are_refused():
    with pytest.raises(OptionError, match="one value for each of 2 modalities, got 3"):
        built((40, 30), n_targets=3, n_latent=[1, 2, 3])
    with pytest.raises(OptionError, match="beta needs a decoder"):
        built(n_targets=3, decoder=None, beta=1.0)
    with pytest.raises(OptionError, match=r"built for shape \(batch, 30\), got \(2, 4\)"):
        RegressionMLP(30, 7)(torch.zeros(2, 4))
