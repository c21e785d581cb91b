"""Networks: sizes against closed formulas, shapes for any length, and what the convolutions see against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.networks import NETWORKS, PatchConv, ResidualNet, WangCNN, build_encoder, seeded


def n_trained(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def wang_parameters(n_points):
    """Filters 6, 16, 32, 64 of size 5 without padding, halved four times, dense 120 and 84 (Wang et al. 2020)."""
    total, channels, length = 0, 1, n_points
    for filters in (6, 16, 32, 64):
        total += (5 * channels + 1) * filters
        channels, length = filters, (length - 4) // 2
    return total + (64 * length + 1) * 120 + (120 + 1) * 84


@pytest.mark.parametrize("n_points", [300, 2001, 4501, 8999])
def test_the_cnn_of_wang_has_as_many_parameters_as_its_formula(n_points):
    assert n_trained(WangCNN(n_points)) == wang_parameters(n_points)


def test_the_cnn_of_wang_at_the_range_of_the_paper_by_hand():
    """5 to 50 degrees in steps of 0.01: 4501 points, 277 left; 36 + 496 + 2592 + 10304 + 2127480 + 10164."""
    assert n_trained(WangCNN(4501)) == 2_151_072


@pytest.mark.parametrize(("width", "n_places", "n_features"), [(16, 16, 128), (8, 5, 40)])
def test_residual_network_has_as_many_parameters_as_its_formula(width, n_places, n_features):
    def norm(c):
        return 2 * c

    total = 7 * width + norm(width)
    for before, after in ((width, width), (width, 2 * width), (2 * width, 4 * width), (4 * width, 8 * width)):
        total += 3 * before * after + norm(after) + 3 * after * after + norm(after)
        total += before * after + norm(after) if before != after else 0
    total += (8 * width * n_places + 1) * n_features
    network = ResidualNet(1000, width=width, n_places=n_places, n_features=n_features)
    assert n_trained(network) == total
    assert n_trained(ResidualNet(5000, width=width, n_places=n_places, n_features=n_features)) == total


@pytest.mark.parametrize(("n_points", "width", "n_features"), [(2001, 16, 256), (300, 5, 40), (8999, 16, 256)])
def test_patch_conv_has_as_many_parameters_as_its_formula(n_points, width, n_features):
    wide = 2 * width
    convolutions = 16 * width + 5 * width * wide + 5 * wide * wide + 2 * (width + wide + wide)
    places = -(-(n_points // 8) // 4)
    dense = (wide * places + 1) * n_features + (n_features + 1) * n_features
    assert n_trained(PatchConv(n_points, width=width, n_features=n_features)) == convolutions + dense


@pytest.mark.parametrize("name", NETWORKS)
@given(n_points=st.integers(300, 9000), n=st.integers(1, 3))
@settings(max_examples=8, deadline=None)
def test_any_length_becomes_features(name, n_points, n):
    network = build_encoder(name, n_points).eval()
    x = torch.rand(n, n_points)
    with torch.no_grad():
        features, maps = network(x), network.feature_map(x)
    assert features.shape == (n, network.n_features)
    assert torch.isfinite(features).all()
    assert maps is None or (maps.shape[0] == n and maps.ndim == 3)
    assert network.n_points == n_points


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_parameter(name):
    with seeded(0):
        network = build_encoder(name, 400)
        network(torch.rand(8, 400)).square().sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert not without


@pytest.mark.parametrize("name", NETWORKS)
def test_one_pattern_does_not_depend_on_the_others_when_answering(name):
    with seeded(1):
        network = build_encoder(name, 500)
        x = torch.rand(5, 500)
        network(x)  # statistics of batch norm
    network.eval()
    with torch.no_grad():
        together, alone = network(x), torch.cat([network(row[None]) for row in x])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_features_know_where_a_peak_is(name):
    """The same peak elsewhere is another phase: features that only knew its shape would be the same."""
    with seeded(2):
        network = build_encoder(name, 1000).eval()
    place = torch.arange(1000.0)
    peaks = torch.stack([torch.exp(-0.5 * ((place - centre) / 4) ** 2) for centre in (300, 700)])
    with torch.no_grad():
        left, right = network(peaks)
    assert (left - right).norm() > 1e-3 * left.norm()


def test_the_first_block_of_wang_is_what_numpy_says():
    with seeded(3):
        network = WangCNN(100, dropout=0.0).eval()
        x = torch.randn(1, 100)
    weight, bias = (p.detach().numpy() for p in (network.blocks[0].weight, network.blocks[0].bias))
    signal = x[0].numpy()
    slow = np.array([[signal[i : i + 5] @ w[0] + b for i in range(96)] for w, b in zip(weight, bias, strict=True)])
    slow = np.maximum(slow, 0).reshape(6, 48, 2).max(axis=2)
    np.testing.assert_allclose(network.blocks[:3](x[:, None])[0].detach().numpy(), slow, atol=1e-5)


def test_dropout_acts_in_training_only():
    with seeded(4):
        network = WangCNN(200, dropout=0.5)
        x = torch.rand(2, 200)
        assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_pattern_of_another_length_is_refused(name):
    network = build_encoder(name, 300)
    with pytest.raises(OptionError, match=r"it was built for shape .*\(batch, 300\), got \(2, 301\). Resample"):
        network(torch.zeros(2, 301))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_points", [3, 1, 0, -1, 2.5, True])
def test_too_few_points_are_refused(name, n_points):
    if name == "dense" and n_points == 3:
        assert build_encoder(name, n_points).n_points == 3  # nothing is halved there
        return
    with pytest.raises(OptionError, match="n_points must be a whole number of at least"):
        build_encoder(name, n_points)


def test_unknown_names_and_options_are_refused():
    with pytest.raises(OptionError, match="cannot build the network 'cnn2': known are wang_cnn"):
        build_encoder("cnn2", 300)
    with pytest.raises(OptionError, match="its options are dropout, got depth, n_points. Use only these"):
        build_encoder("wang_cnn", 300, {"depth": 2, "n_points": 5})
    with pytest.raises(OptionError, match="dropout must be a number of 0 and below 1, got 1"):
        build_encoder("wang_cnn", 300, {"dropout": 1})
    with pytest.raises(OptionError, match="width must be a whole number of 1 or more, got 0"):
        build_encoder("residual", 300, {"width": 0})


def test_seeded_building_is_reproducible_and_leaves_torch_alone():
    before = torch.get_rng_state()
    with seeded(7):
        first = build_encoder("wang_cnn", 300)
    with seeded(7):
        second = build_encoder("wang_cnn", 300)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(OptionError, match="random_state must be a whole number of 0 or more, got -1"), seeded(-1):
        pass
