"""Networks for series: the counts of the thesis, attention against plain loops, and who sees whom in a sequence."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.networks import (
    NETWORKS,
    BinnedFCNN,
    BinnedPoints,
    ConvSC,
    LinearHead,
    MultiScaleResNet,
    SunCNN,
    build_encoder,
    seeded,
)
from peakwise.networks._attention import FeedForward, HeadedAttention, encode_positions
from peakwise.networks._bins import bin_places, points_in_bins
from peakwise.networks._spatial_channel import SpatialChannel

PAGE = Path(__file__).parents[2] / "docs/explanations/transition-networks.md"
# Y. Sun, PhD thesis, University of Szeged 2023, Table 5.1: 4023 points, one output.
PUBLISHED = {
    "fcnn": 1_204_335,
    "sun_cnn": 23_307,
    "multi_scale": 2_354_535,
    "lstm": 6_273_391,
    "transformer": 1_830_511,
    "conv_sct": 1_953_353,
    "conv_sc": 659_525,
}
SERIES = [name for name, network in NETWORKS.items() if network.is_sequential]
LOOKING = ["transformer", "conv_sct", "conv_sc"]
NEW = [*PUBLISHED, "binned_fcnn", "binned_points"]


def n_trained(encoder, n_outputs=1):
    modules = (encoder, LinearHead(encoder.n_features, n_outputs))
    return sum(p.numel() for module in modules for p in module.parameters())


def dense(before, after):
    return (before + 1) * after


def shorter(length, size, stride, pool):
    return ((length - size) // stride + 1) // pool


def by_hand(name, n):
    """Parameters of encoder and head with one output, written down from the text of the thesis."""
    attention, feed_forward = dense(256, 3 * 256) + dense(256, 256), dense(256, 1024) + dense(1024, 256)
    if name == "fcnn":
        return 2 * n + dense(n, 256) + dense(256, 512) + dense(512, 64) + 2 * (256 + 512 + 64) + dense(64, 1)
    if name == "sun_cnn":
        places = 4 * shorter(shorter(shorter(n, 5, 2, 2), 3, 2, 2), 3, 1, 2)
        return 2 * n + 5 * 64 + 3 * 64 * 64 + 3 * 64 * 4 + 3 * (64 + 64 + 4) + 2 * places + dense(places, 1)
    if name == "multi_scale":
        length = math.ceil(n / 32)
        features = 256 * (length - min(16, length // 2) + 1)
        filters = sum(k * (64 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256) for k in (3, 5, 7))
        short = 64 * 64 + 64 * 128 + 128 * 256 + 2 * (64 + 128 + 256)
        norms = 4 * (64 + 128 + 256)
        return 2 * n + 7 * 64 + 2 * 64 + filters + 3 * (short + norms) + 2 * features + dense(features, 1)
    if name == "lstm":
        memory = 2 * 4 * (512 * 512 + 512 * 512 + 512 + 512)
        return 2 * n + dense(n, 512) + 2 * 512 + memory + 2 * 512 + dense(512, 1)
    if name == "transformer":
        layer = attention + 2 * dense(256, 256) + 2 * 2 * 256
        return 2 * n + dense(n, 256) + 2 * layer + 2 * 256 + dense(256, 1)
    places = shorter(shorter(n, 5, 2, 2), 5, 1, 2)
    branch = 6 * 64 + 2 * 64 + (5 * 64 + 1) * 8 + 2 * 8 + dense(places, 256) + 2 * 256
    branch += dense(8, 24) + dense(8, 8) + 1 + 2 * 256 + dense(8, 1) + 2
    tail = 2 * 256 + feed_forward + 2 * 256 + dense(256, 1)
    temporal = dense(n, 256) + attention + 2 * 256 + dense(1, 1) + 2
    return branch + tail + (temporal if name == "conv_sct" else 0)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("n_points", [200, 999, 4023])
def test_as_many_parameters_as_the_formula_written_by_hand(name, n_points):
    assert n_trained(build_encoder(name, n_points)) == by_hand(name, n_points)


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_parameters_as_published(name):
    """All but the ResNets exactly; why not these, tells the page on the networks."""
    expected = PUBLISHED[name] - (151_352 if name == "multi_scale" else 0)
    assert n_trained(build_encoder(name, 4023)) == expected


@pytest.mark.parametrize(("network", "values"), [(SunCNN(4023, second_pool=3), 23_070), (ConvSC(4023), 659_674)])
def test_as_many_values_as_in_the_published_weight_files(network, values):
    """A file holds the statistics of batch norm too."""
    head = LinearHead(network.n_features, 1)
    assert sum(value.numel() for module in (network, head) for value in module.state_dict().values()) == values


@pytest.mark.parametrize(("n_bins", "hidden", "n_classes"), [(1, 150, 2), (15, 150, 1), (7, 10, 3)])
def test_binned_networks_have_as_many_parameters_as_their_formula(n_bins, hidden, n_classes):
    points = BinnedPoints(500, n_bins=n_bins, n_outputs=n_classes, hidden=hidden)
    assert sum(p.numel() for p in points.parameters()) == n_bins * (dense(2, hidden) + dense(hidden, n_classes))
    inner = dense(2, hidden) + 2 * hidden + dense(hidden, 2) + 2 * 2
    assert n_trained(BinnedFCNN(500, n_bins=n_bins, hidden=hidden), n_classes) == n_bins * inner + dense(
        2 * n_bins, n_classes
    )


def test_the_page_tells_these_numbers():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    for name, published in PUBLISHED.items():
        ours, theirs, features = rows[name].split(" | ")[:3]
        encoder = build_encoder(name, 4023)
        assert int(ours.replace(",", "")) == n_trained(encoder)
        assert int(theirs.replace(",", "")) == published
        assert int(features.replace(",", "")) == encoder.n_features


# --- attention against loops


def numbers(module):
    return {name: p.detach().double().numpy() for name, p in module.named_parameters()}


def soft(scores):
    grown = np.exp(scores - scores.max())
    return grown / grown.sum()


def heads_by_loops(tokens, p, n_heads):
    """One sequence (tokens, width), token by token and head by head."""
    n, width = tokens.shape
    size = width // n_heads
    every = tokens @ p["project.weight"].T + p["project.bias"]
    query, key, value = every[:, :width], every[:, width : 2 * width], every[:, 2 * width :]
    joined, matrices = np.zeros((n, width)), np.zeros((n_heads, n, n))
    for head in range(n_heads):
        part = slice(head * size, (head + 1) * size)
        for i in range(n):
            row = soft(np.array([query[i, part] @ key[j, part] / math.sqrt(size) for j in range(n)]))
            matrices[head, i] = row
            joined[i, part] = sum(row[j] * value[j, part] for j in range(n))
    return joined @ p["join.weight"].T + p["join.bias"], matrices


def norm_by_hand(x, weight, bias):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * weight + bias


@given(st.sampled_from([(8, 2), (12, 3), (4, 4)]), st.integers(1, 7), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_headed_attention_is_what_loops_give(shape, n_tokens, seed):
    width, n_heads = shape
    with seeded(seed):
        attention, x = HeadedAttention(width, n_heads), 3 * torch.randn(2, n_tokens, width)
    found, weights = attention(x).detach().numpy(), attention.weights(x).detach().numpy()
    for i in range(2):
        slow, matrices = heads_by_loops(x[i].double().numpy(), numbers(attention), n_heads)
        np.testing.assert_allclose(found[i], slow, atol=1e-5)
        np.testing.assert_allclose(weights[i], matrices, atol=1e-5)


def test_the_branch_of_places_and_channels_is_what_loops_give():
    with seeded(1):
        branch = SpatialChannel(200, None).eval()
        maps = torch.randn(2, 8, 22)  # ((200 - 5) // 2 + 1) // 2 = 49, (49 - 5 + 1) // 2 = 22
        torch.nn.init.constant_(branch.alpha, 0.7)
        for p in branch.embedding[1].parameters():  # small numbers, or each channel would look at itself alone
            torch.nn.init.normal_(p, std=0.1)
    found, looks = branch(maps).detach().numpy(), branch.attention(maps)
    p = numbers(branch)
    spatial = {name.removeprefix("spatial."): value for name, value in p.items() if name.startswith("spatial.")}
    for i in range(2):
        embedded = maps[i].double().numpy() @ p["embedding.0.weight"].T + p["embedding.0.bias"]
        x = norm_by_hand(embedded, p["embedding.1.weight"], p["embedding.1.bias"])
        places, matrices = heads_by_loops(x.T, spatial, 2)
        mixing = np.array([soft(np.array([x[a] @ x[b] for b in range(8)])) for a in range(8)])
        channels = np.array([x[a] + 0.7 * sum(mixing[a, b] * x[b] for b in range(8)) for a in range(8)])
        both = norm_by_hand(x + places.T + channels, p["squeeze.layers.0.weight"], p["squeeze.layers.0.bias"])
        one = p["squeeze.layers.1.weight"][0, :, 0] @ both + p["squeeze.layers.1.bias"]
        slow = np.maximum(one / math.sqrt(1 + 1e-5), 0)  # batch norm as it begins
        np.testing.assert_allclose(found[i], slow, atol=1e-4)
        np.testing.assert_allclose(looks["spatial"][i].detach().numpy(), matrices, atol=1e-5)
        np.testing.assert_allclose(looks["channel"][i].detach().numpy(), mixing, atol=1e-5)
        assert 0.02 < mixing.max() < 0.98  # the comparison says something


def test_the_feed_forward_net_is_what_numpy_says():
    with seeded(2):
        net, x = FeedForward(6, 10), torch.randn(3, 6)
    p = numbers(net)
    normed = norm_by_hand(x.double().numpy(), p["layers.0.weight"], p["layers.0.bias"])
    hidden = np.maximum(normed @ p["layers.1.weight"].T + p["layers.1.bias"], 0)
    slow = x.double().numpy() + hidden @ p["layers.3.weight"].T + p["layers.3.bias"]
    np.testing.assert_allclose(net(x).detach().numpy(), slow, atol=1e-5)


@pytest.mark.parametrize(("time", "width"), [(1, 8), (349, 256), (5, 7)])
def test_positions_are_what_the_formula_says(time, width):
    slow = np.zeros((time, width))
    for t in range(time):
        for column in range(width):
            angle = t / 10000 ** (2 * (column // 2) / width)
            slow[t, column] = math.cos(angle) if column % 2 else math.sin(angle)
    np.testing.assert_allclose(encode_positions(torch.zeros(1, time, width)).numpy(), slow, atol=1e-4)


@pytest.mark.parametrize("name", LOOKING)
def test_attention_is_told_as_shares(name):
    network = build_encoder(name, 200).eval()
    x = torch.rand(2, 5, 200) if network.is_sequential else torch.rand(2, 200)
    found = network.attention(x)
    shapes = {
        "transformer": {"temporal_1": (2, 8, 5, 5), "temporal_2": (2, 8, 5, 5)},
        "conv_sct": {"temporal": (2, 8, 5, 5), "spatial": (2, 5, 2, 256, 256), "channel": (2, 5, 8, 8)},
        "conv_sc": {"spatial": (2, 2, 256, 256), "channel": (2, 8, 8)},
    }[name]
    assert {key: tuple(matrix.shape) for key, matrix in found.items()} == shapes
    for matrix in found.values():
        assert (matrix >= 0).all()
        torch.testing.assert_close(matrix.sum(dim=-1), torch.ones(matrix.shape[:-1]))


# --- sequences


@pytest.mark.parametrize("name", SERIES)
def test_sequence_networks_use_the_order(name):
    """The same patterns in another order: other features, also when they are put back."""
    with seeded(3):
        network, x = build_encoder(name, 200).eval(), torch.rand(1, 9, 200)
        order = torch.tensor([4, 0, 8, 1, 7, 2, 6, 3, 5])
    with torch.no_grad():
        straight, mixed = network(x)[:, order], network(x[:, order])
    assert straight.shape == (1, 9, network.n_features)
    assert (straight - mixed).norm() > 1e-3 * straight.norm()


@pytest.mark.parametrize("name", SERIES)
def test_who_sees_whom(name):
    """A recurrent network knows the past, attention the whole sequence; nobody knows another sequence."""
    with seeded(4):
        network, x = build_encoder(name, 200).eval(), torch.rand(2, 7, 200)
    changed = x.clone()
    changed[0, 3] += 1
    with torch.no_grad():
        moved = (network(x) - network(changed)).abs().amax(dim=-1)
    assert (moved[0, 3:] > 1e-7).all()
    assert bool((moved[0, :3] > 1e-7).all()) == (name != "lstm")
    assert (moved[1] == 0).all()


@pytest.mark.parametrize("name", SERIES)
@given(batch=st.integers(1, 3), time=st.integers(1, 12))
@settings(max_examples=6, deadline=None)
def test_sequences_of_any_length_and_a_pattern_as_a_sequence_of_one(name, batch, time):
    with seeded(5):
        network, x = build_encoder(name, 150).eval(), torch.rand(batch, time, 150)
    with torch.no_grad():
        assert network(x).shape == (batch, time, network.n_features)
        torch.testing.assert_close(network(x[:, 0]), network(x[:, :1])[:, 0])
    for wrong in (torch.zeros(150), torch.zeros(2, 3, 149), torch.zeros(1, 2, 3, 150)):
        with pytest.raises(OptionError, match=r"built for shape \(batch, time, 150\) or \(batch, 150\), got"):
            network(wrong)


@pytest.mark.parametrize("name", SERIES)
def test_gradients_of_sequences_reach_every_parameter(name):
    """None is cut off; those that batch norm makes useless are next to nothing, the others are not."""
    with seeded(6):
        network = build_encoder(name, 200)
        network(torch.rand(2, 6, 200)).pow(3).sum().backward()
    useless = re.compile(r"blocks\.\d\.0\.bias|layers\.1\.bias|project\.bias")
    for parameter, value in network.named_parameters():
        assert value.grad is not None
        assert torch.isfinite(value.grad).all()
        if not useless.search(parameter):
            assert value.grad.abs().max() > 0, parameter


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("n_points", [200, 999, 4023])
def test_the_order_of_a_batch_changes_nothing_and_answers_repeat(name, n_points):
    with seeded(7):
        network, x = build_encoder(name, n_points), torch.rand(3, n_points)
        if network.is_sequential:
            x = torch.rand(3, 2, n_points)
        network(x)  # statistics of batch norm
    network.eval()
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        first = network(x)
        assert torch.equal(first, network(x))
        torch.testing.assert_close(network(x[order]), first[order], atol=1e-5, rtol=1e-4)
    assert torch.isfinite(first).all()
    assert first.shape == (*x.shape[:-1], network.n_features)


# --- bins, options


@given(n_points=st.integers(1, 500), data=st.data())
def test_bins_are_of_one_size_and_hold_every_point(n_points, data):
    n_bins = data.draw(st.integers(1, n_points))
    places = bin_places(n_points, n_bins)
    assert places.shape == (n_bins, math.ceil(n_points / n_bins))
    assert sorted(set(places.flatten().tolist())) == list(range(n_points))
    assert (places.diff(dim=1) == 1).all()


def test_a_net_sees_its_bin_alone():
    x = torch.rand(2, 100)
    changed = x.clone()
    changed[:, 60:80] += 1
    for network in (BinnedPoints(100, n_bins=5), BinnedFCNN(100, n_bins=5)):
        network.eval()
        moved = (network(x) - network(changed)).detach().abs().unflatten(1, (5, 2)).amax(dim=(0, 2))
        assert (moved > 1e-7).tolist() == [False, False, False, True, False]


def test_points_of_bins_through_their_nets_are_what_loops_give():
    with seeded(8):
        network, x = BinnedPoints(23, n_bins=4, n_outputs=3, hidden=6), torch.randn(2, 23)
    found = network.point_logits(x).detach().numpy()
    p = numbers(network)
    for i in range(2):
        for b in range(4):
            for place, point in enumerate(bin_places(23, 4)[b].tolist()):
                pair = np.array([-1 + 2 * place / 5, float(x[i, point])])
                hidden = np.maximum(pair @ p["first.weight"][b] + p["first.bias"][b, 0], 0)
                slow = hidden @ p["second.weight"][b] + p["second.bias"][b, 0]
                np.testing.assert_allclose(found[i, b, place], slow, atol=1e-5)


def test_batch_norm_of_bins_is_over_their_own_points():
    with seeded(9):
        network, x = BinnedFCNN(40, n_bins=2, hidden=3), torch.randn(5, 40)
    points = points_in_bins(x, network.places)
    hidden = network.first(points).detach()
    network(x)
    torch.testing.assert_close(network.first_norm.running_mean, 0.1 * hidden.mean(dim=1).flatten())
    torch.testing.assert_close(network.first_norm.running_var, 0.9 + 0.1 * hidden.var(dim=1).flatten())


def test_options_of_the_networks():
    assert sum(p.numel() for p in ConvSC(900, n_places=64).parameters()) == sum(
        p.numel() for p in ConvSC(4023, n_places=64).parameters()
    )
    narrow = MultiScaleResNet(900, width=4)
    assert narrow(torch.rand(2, 900)).shape == (2, 16 * (29 - 14 + 1))
    without = ConvSC(900, has_feed_forward=False)
    assert not [name for name, _ in without.named_parameters() if name.startswith("last")]
    assert without(torch.rand(2, 900)).shape == (2, 256)
    with pytest.raises(OptionError, match="n_places must be a whole number of 1 or more, got 0"):
        ConvSC(900, n_places=0)
    with pytest.raises(OptionError, match="second_pool=50 leaves no place of 120 points. Choose a smaller"):
        SunCNN(120, second_pool=50)
    with pytest.raises(OptionError, match="n_points must be a whole number of at least 300, got 299"):
        BinnedPoints(299, n_bins=300)
