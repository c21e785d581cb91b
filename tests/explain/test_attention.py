"""Attention: rows sum to 1, means are means, and the network stays as it was. Weights: those of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch import nn

from peakwise.errors import OptionError
from peakwise.explain import Attention, attention, attention_figure, layer_weights, layer_weights_figure
from peakwise.networks import NETWORKS, WangCNN

X = np.random.default_rng(0).uniform(size=(7, 96))


class Looks(nn.Module):
    """Attention that is known: pattern k of the set looks at column k mod 5 in its first head, evenly in the second."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.dropout, self.scale = nn.Dropout(0.5), scale

    def attention(self, x):
        at = torch.arange(len(x)) % 5 if x.ndim == 2 else torch.zeros(len(x), dtype=torch.long)
        first = nn.functional.one_hot(at, 5).float()[:, None].expand(-1, 3, -1)
        even = torch.full((len(x), 3, 5), 0.2)
        both = torch.stack([first, even], dim=1)
        # Random unless at rest.
        return {"spatial": self.scale * both, "channel": self.scale * self.dropout(even)}


def test_it_is_the_mean_over_the_set_whatever_the_batches():
    network = Looks()
    network.train()
    once = attention(network, X[:5], batch_size=5)
    np.testing.assert_allclose(once.matrices["spatial"], 0.2)
    np.testing.assert_allclose(once.matrices["channel"], 0.2)
    assert network.training
    assert network.dropout.training
    one = attention(network, X[:1])
    np.testing.assert_allclose(one.matrices["spatial"][0], np.eye(5)[[0, 0, 0]])
    np.testing.assert_allclose(one.mean("spatial")[0], [0.6, 0.1, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(one.received("spatial"), [3, 0.5, 0.5, 0.5, 0.5])


def test_rows_must_sum_to_one():
    with pytest.raises(OptionError, match=r"rows of spatial must sum to 1, got 0\.5\. Give the matrices after"):
        attention(Looks(0.5), X)


@pytest.mark.parametrize("name", ["conv_sc", "conv_sct", "transformer"])
def test_networks_with_attention_give_rows_that_sum_to_one(name):
    torch.manual_seed(1)
    network = NETWORKS[name](96)
    found = attention(network, X, batch_size=3)
    assert set(found.matrices) <= {"spatial", "channel", "temporal", "temporal_1", "temporal_2"}
    for matrix in found.matrices.values():
        assert matrix.ndim == 3
        np.testing.assert_allclose(matrix.sum(axis=-1), 1, atol=1e-5)
        assert matrix.min() >= 0
    if network.is_sequential:  # the set is one sequence
        assert found.n == 1
        assert {m.shape[1] for n, m in found.matrices.items() if n.startswith("temporal")} == {7}
        two = attention(network, np.stack([X, X]), batch_size=1)
        assert two.n == 2
        for key, matrix in two.matrices.items():
            np.testing.assert_allclose(matrix, found.matrices[key], atol=1e-5)


def test_batches_do_not_change_it():
    torch.manual_seed(2)
    network = NETWORKS["conv_sc"](96)
    a, b = (attention(network, torch.tensor(X), batch_size=k) for k in (1, 7))
    for name in a.matrices:
        np.testing.assert_allclose(a.matrices[name], b.matrices[name], atol=1e-4)


@pytest.mark.parametrize(
    ("network", "x", "why"),
    [
        (nn.Linear(96, 2), X, r"must have a method attention\(x\), and Linear has none\. Use conv_sc"),
        ("conv_sc", X, "and str has none"),
        (Looks(), X[0], r"x must have shape \(n, n_points\) or \(n, time, n_points\), got \(96,\)"),
    ],
)
def test_bad_input_is_one_sentence(network, x, why):
    with pytest.raises(OptionError, match=why):
        attention(network, x)


def test_the_figure_has_a_panel_a_matrix():
    found = attention(Looks(), X)
    for heads, titles in ((False, ["spatial", "channel"]), (True, ["spatial 1", "spatial 2", "channel"])):
        figure = attention_figure(found, heads=heads)
        FigureCanvasAgg(figure).draw()
        assert [axes.get_title() for axes in figure.axes if axes.get_title()] == titles
    with pytest.raises(OptionError, match="must hold a matrix, got none"):
        attention_figure(Attention({}, 0))


def test_weights_are_those_of_the_network():
    network = nn.Sequential(nn.Linear(40, 6), nn.BatchNorm1d(6), nn.Sequential(nn.Linear(6, 2, bias=False)))
    first, second = layer_weights(network)
    assert (first.name, first.kind, second.name) == ("0", "Linear", "2.0")
    np.testing.assert_array_equal(first.values, network[0].weight.detach().numpy())
    np.testing.assert_allclose(first.strength, np.sqrt((first.values**2).mean(axis=0)))
    with torch.no_grad():
        network[2][0].weight[:] = 0
        network[2][0].weight[0, 0] = 1
    assert layer_weights(network)[1].unused == pytest.approx(11 / 12)
    with pytest.raises(OptionError, match="must be a torch module, got int"):
        layer_weights(3)


def test_a_layer_on_the_pattern_is_drawn_along_its_axis():
    network = nn.Sequential(nn.Linear(40, 6), nn.Linear(6, 2))
    figure = layer_weights_figure(network, axis=np.linspace(10, 60, 40))
    FigureCanvasAgg(figure).draw()
    assert figure.axes[0].get_xlim() == (10, 60)
    assert figure.axes[1].get_xlim() == (-0.5, 5.5)
    assert figure.axes[0].get_title() == "0: Linear, 6 x 40"
    assert len(layer_weights_figure(WangCNN(500)).axes) >= 8
    with pytest.raises(OptionError, match="layers must be among 0, 1, got 7"):
        layer_weights_figure(network, layers=["7"])
