"""Each method against a slow plain formula, or a function whose explanation is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from peakwise.errors import OptionError
from peakwise.explain import EXPLANATIONS, IntegratedGradients, Occlusion, explain
from peakwise.explain._feature_map import cell_positions
from peakwise.explain._network import NetworkScorer
from peakwise.networks import Encoder, ResidualNet, WangCNN


class Small(Encoder):
    """As long a map as the pattern, in double precision, smooth: easy to check to the last digit."""

    def __init__(self, is_pooled):
        super().__init__()
        self.n_points, self.n_features, self.is_pooled = 20, 3 if is_pooled else 60, is_pooled
        self.conv = nn.Conv1d(1, 3, 5, padding=2)
        self.double()

    def forward(self, x):
        found = self.feature_map(x)
        return found.mean(2) if self.is_pooled else found.flatten(1)

    def feature_map(self, x):
        return torch.tanh(self.conv(x[:, None]))


@pytest.fixture(params=[True, False], ids=["pooled", "flat"])
def small(request):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        encoder = Small(request.param)
        return encoder, nn.Linear(encoder.n_features, 4).double()


X = np.random.default_rng(5).uniform(size=(3, 20))


def score_of(model, x, target):
    with torch.no_grad():
        return model[1](model[0](torch.tensor(np.atleast_2d(x)))).numpy()[:, target]


@pytest.mark.parametrize("target", [0, 3])
def test_gradients_are_finite_differences(small, target):
    slope = np.empty_like(X)
    for i in range(20):
        step = 1e-6 * np.eye(20)[i]
        slope[:, i] = (score_of(small, X + step, target) - score_of(small, X - step, target)) / 2e-6
    np.testing.assert_allclose(explain(small, X, target, method="gradients").relevance, np.abs(slope), atol=1e-8)
    np.testing.assert_allclose(explain(small, X, target, method="input_times_gradient").relevance, X * slope, atol=1e-8)


def test_cam_has_the_dense_weights_where_the_map_is_pooled(small):
    """Zhou et al., equation 2: the weights of the class times the map."""
    encoder, head = small
    found = explain(small, X, 2, method="cam")
    with torch.no_grad():
        maps = encoder.feature_map(torch.tensor(X)).numpy()
    if encoder.is_pooled:
        expected = np.einsum("k,nkj->nj", head.weight[2].detach().numpy(), maps)
        np.testing.assert_allclose(found.relevance, expected, atol=1e-12)
        assert found.notes[0].startswith("the score is a dense layer on the channels' means")
    else:
        # A shift of a whole channel, by finite differences, is what stands in for the weight.
        weights = np.array(
            [_score_of_maps(head, maps, k, 1e-6) - _score_of_maps(head, maps, k, -1e-6) for k in range(3)]
        )
        expected = np.einsum("kn,nkj->nj", weights / 2e-6, maps)
        np.testing.assert_allclose(found.relevance, expected, atol=1e-7)
        assert found.notes[0].startswith("the last map goes through dense layers")


def _score_of_maps(head, maps, channel, shift):
    maps = maps.copy()
    maps[:, channel] += shift
    return head(torch.tensor(maps).flatten(1))[:, 2].detach().numpy()


def test_grad_cam_is_cam_without_its_negative_part_over_the_length(small):
    cam = explain(small, X, 1, method="cam").relevance
    np.testing.assert_allclose(explain(small, X, 1, method="grad_cam").relevance, np.maximum(cam, 0) / 20, atol=1e-12)


def test_hires_cam_shares_out_the_score_of_a_dense_layer(small):
    """A map, one dense layer: contributions of the cells and the bias are the score."""
    found = explain(small, X, [0, 1, 2], method="hires_cam")
    bias = small[1].bias.detach().numpy()[:3]
    np.testing.assert_allclose(found.relevance.sum(axis=1) + bias, found.score, atol=1e-12)


def test_grad_cam_by_hooks_on_the_convolution(placed):
    """As Grad-CAM is usually written: forward and backward hooks, one pattern, loops."""
    x = torch.tensor(placed.X[:1], dtype=torch.float32)
    kept = {}
    hooks = [placed.encoder.conv.register_forward_hook(lambda m, i, o: kept.update(map=o, _=o.retain_grad()))]
    placed.head(placed.encoder(x))[0, placed.y[0]].backward()
    hooks[0].remove()
    values, slope = kept["map"][0].detach().numpy(), kept["map"].grad[0].numpy()
    expected = np.zeros(values.shape[1])
    for k in range(values.shape[0]):
        expected += slope[k].mean() * values[k]
    expected = np.maximum(expected, 0)
    for part in (*placed.encoder.parameters(), *placed.head.parameters()):
        part.grad = None
    found = explain(placed.model, placed.X[0], int(placed.y[0]), method="grad_cam").relevance[0]
    # Convolutions with odd kernels, padded, then pooling by 3 and by 2: cell j looks around point 6 j + 2.5.
    np.testing.assert_allclose(found, np.interp(np.arange(240), 6 * np.arange(40) + 2.5, expected), atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("n_points", [400, 1000])
@pytest.mark.parametrize(
    ("kind", "stride", "first", "within"),
    # Each unpadded kernel of 5 moves the first cell by 2 strides and each pooling by half a one: 2.5 (1 + 2 + 4 + 8).
    # The residual network is padded all through: its cells are at whole strides.
    [(WangCNN, 16, 37.5, 0.01), (ResidualNet, 32, 0.0, 4.0)],
)
def test_cells_look_where_the_network_says(kind, stride, first, within, n_points, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = kind(n_points)
    length = encoder.feature_map(torch.zeros(1, n_points)).shape[2]
    scorer = NetworkScorer(encoder, None, 8)
    with scorer.resting(np.zeros((1, n_points))):
        places, notes = cell_positions(scorer, n_points, length)
    np.testing.assert_allclose(places, first + stride * np.arange(length), atol=within)
    assert len(notes) == 1


def test_cells_that_see_all_alike_are_stretched_and_it_is_said():
    class Blind(Encoder):
        n_points, n_features = 40, 40

        def forward(self, x):
            return self.feature_map(x).flatten(1)

        def feature_map(self, x):
            return x.mean(1)[:, None, None].expand(-1, 2, 8)

    found = explain((Blind(), nn.Linear(16, 2)), np.ones((1, 40)), 0, method="hires_cam")
    assert "the map was stretched over the pattern" in found.notes[-1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 2), st.sampled_from([0.0, 0.3]))
def test_integrated_gradients_add_up(seed, height, baseline):
    """The axiom of completeness, for a network with kinks."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    x = height * np.random.default_rng(seed).uniform(size=(4, 12))
    found = explain(network, x, [0, 1, 2, 0], method=IntegratedGradients(baseline, tolerance=0.002, max_steps=4096))
    with torch.no_grad():
        nothing = network(torch.full((1, 12), baseline)).numpy()[0, [0, 1, 2, 0]]
    size = np.abs(found.relevance).sum(axis=1)
    np.testing.assert_array_less(np.abs(found.relevance.sum(axis=1) - (found.score - nothing)), 0.003 * size + 1e-6)


def test_integrated_gradients_of_a_trained_network_add_up(placed):
    found = explain(placed.model, placed.X, placed.y)
    nothing = explain(placed.model, np.zeros_like(placed.X), placed.y, method="gradients").score
    np.testing.assert_allclose(found.relevance.sum(axis=1), found.score - nothing, rtol=0.011)
    assert "within 0.0" in found.notes[0]


def test_integrated_gradients_of_a_product_are_known():
    """f = x0 x1 from zero: each gets half. From (1, 0) to (1, 3): all of it is x1's."""

    class Product(nn.Module):
        def forward(self, x):
            return x[:, 0] * x[:, 1]

    x = np.array([[2.0, 3.0], [1.0, 3.0]])
    half = explain(Product(), x).relevance
    np.testing.assert_allclose(half, [[3, 3], [1.5, 1.5]], atol=1e-5)
    method = IntegratedGradients(baseline=[1.0, 0.0])
    np.testing.assert_allclose(explain(Product(), x[1:], method=method).relevance, [[0, 3]], atol=1e-5)


def test_integrated_gradients_that_do_not_get_there_say_so():
    class Step(nn.Module):
        """A step has no gradient, so that nothing can add up."""

        def forward(self, x):
            return (x[:, 0] > 0.5) + 0.0 * x.sum(1)

    found = explain(Step(), np.ones((3, 4)), method=IntegratedGradients(max_steps=64))
    assert found.notes[1] == "3 of 3 patterns are not within 0.01 after 64 steps"


def test_a_score_that_does_not_see_the_pattern_has_no_gradient():
    class Deaf(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

        def forward(self, x):
            return self.weight.expand(len(x), 2)

    assert not explain(Deaf(), np.ones((2, 5)), 1, method="gradients").relevance.any()


def test_occlusion_of_a_sum_by_a_plain_loop():
    rng = np.random.default_rng(0)
    weights, x = rng.normal(size=30), np.zeros((2, 30))
    x[:, [7, 20]] = [[3.0, 1.0], [2.0, 5.0]]
    found = explain(lambda rows: rows @ weights, x, method=Occlusion(window=6, stride=4))
    # The level beside each window is 0: at most one point in six stands out, and it is under the 20 % quantile.
    starts = [0, 4, 8, 12, 16, 20, 24]
    for n in range(2):
        for point in range(30):
            lost = [(weights * x[n])[s : s + 6].sum() for s in starts if s <= point < s + 6]
            assert found.relevance[n, point] == pytest.approx(np.mean(lost), abs=1e-12)


def test_occlusion_does_not_see_a_slope():
    """A straight background is its own local baseline: covering it changes nothing but the ends."""
    x = np.linspace(5, 9, 100)[None]
    found = explain(lambda rows: rows[:, 40] * 7, x, method=Occlusion(window=10, stride=5))
    # 20 % and 80 % quantiles of a rising line differ: less than the width of a window on that slope.
    assert np.abs(found.relevance).max() < 7 * 10 * (4 / 99)


def test_occlusion_is_for_any_function_and_for_networks_alike(placed):
    def predict(rows):
        with torch.no_grad():
            return placed.head(placed.encoder(torch.tensor(rows, dtype=torch.float32))).numpy()

    ours = explain(placed.model, placed.X[:3], placed.y[:3], method="occlusion")
    theirs = explain(predict, placed.X[:3], placed.y[:3], method="occlusion")
    np.testing.assert_allclose(ours.relevance, theirs.relevance, atol=1e-5)
    np.testing.assert_allclose(ours.score, theirs.score, atol=1e-6)


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_pieces_change_nothing_and_are_never_larger(name, placed):
    sizes = []
    handle = placed.encoder.conv.register_forward_hook(lambda module, given, made: sizes.append(len(given[0])))
    small = explain(placed.model, placed.X[:11], placed.y[:11], method=name, batch_size=4).relevance
    # The search for the place of the cells has patterns of its own, eight of them.
    assert max(sizes) <= (8 if EXPLANATIONS[name].needs == "feature_map" else 4)
    handle.remove()
    large = explain(placed.model, placed.X[:11], placed.y[:11], method=name, batch_size=64).relevance
    np.testing.assert_allclose(small, large, atol=1e-5 * np.abs(large).max())


@pytest.mark.parametrize(
    ("method", "why"),
    [
        (
            IntegratedGradients(baseline=[1.0, 2.0]),
            "baseline must be a number or fit patterns of shape (1, 40), got (2,)",
        ),
        (IntegratedGradients(baseline="low"), "baseline must be a number or fit patterns"),
        (IntegratedGradients(baseline=float("nan")), "baseline must be finite"),
        (IntegratedGradients(tolerance=0), "tolerance must be a number above 0 and below 1, got 0"),
        (IntegratedGradients(tolerance=True), "tolerance must be a number above 0 and below 1, got True"),
        (IntegratedGradients(max_steps=8), "max_steps must be a whole number of at least 32, got 8"),
        (Occlusion(window=0), "window must be a whole number of at least 1, got 0"),
        (Occlusion(window=21), "window must be at most half of the 40 points, got 21"),
        (Occlusion(window=4, stride=5), "stride must be at most window (4), got 5"),
        (Occlusion(stride=2.0), "stride must be a whole number of at least 1, got 2.0"),
    ],
)
def test_options_that_cannot_be_meant(method, why):
    with pytest.raises(OptionError) as error:
        explain(nn.Linear(40, 2), np.ones((1, 40)), 0, method=method)
    assert why in str(error.value)
