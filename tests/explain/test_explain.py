"""The door: what goes in, what is refused, and that the model is left as it was."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from peakwise.errors import OptionError
from peakwise.explain import EXPLANATIONS, Occlusion, explain
from peakwise.networks import NETWORKS, CosineHead, Encoder, LinearHead, WangCNN

LIST = "integrated_gradients, occlusion, input_times_gradient, gradients, saliency"


def test_the_room_is_light():
    heavy = ("torch", "sklearn", "matplotlib", "umap")
    code = f"import sys, peakwise.explain; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("network", "head"), [*((name, LinearHead) for name in NETWORKS), (next(iter(NETWORKS)), CosineHead)]
)
def test_every_network_is_explained_by_what_it_gives(network, head):
    """The contract: finite relevance on the points of the pattern, or one sentence."""
    torch.manual_seed(0)
    encoder = NETWORKS[network](512)
    pair = encoder, head(encoder.n_features, 5)
    x = np.random.default_rng(0).uniform(size=(2, 512))
    has_map = encoder.feature_map(torch.zeros(1, 512)) is not None
    for name, kind in EXPLANATIONS.items():
        if kind.needs == "feature_map" and not has_map:
            with pytest.raises(OptionError, match="needs a network with a feature map"):
                explain(pair, x, 1, method=name)
            continue
        found = explain(pair, x, 1, method=kind(window=64) if kind is Occlusion else name)
        assert found.relevance.shape == x.shape
        assert np.isfinite(found.relevance).all()
        assert found.signed or found.relevance.min() >= 0


def state_of(*modules):
    """Everything that could be left changed."""
    parts = [part for module in modules for part in module.modules()]
    return (
        [part.training for part in parts],
        [sorted(part.__dict__) for part in parts],
        [len(part._forward_hooks) + len(part._backward_hooks) for part in parts],
        [p.grad is None for module in modules for p in module.parameters()],
        [p.requires_grad for module in modules for p in module.parameters()],
        [v.clone() for module in modules for v in module.state_dict().values()],
    )


def same(one, other):
    return one[:5] == other[:5] and all(torch.equal(a, b) for a, b in zip(one[5], other[5], strict=True))


@pytest.mark.parametrize("method", EXPLANATIONS)
def test_the_model_is_left_as_it_was(method, pooled):
    pooled.encoder.train()
    pooled.encoder.conv[1].eval()  # frozen statistics in a network that trains: a state of its own
    pooled.encoder.conv[0].weight.requires_grad_(False)
    before = state_of(*pooled.model)
    explain(pooled.model, pooled.X[:3], pooled.y[:3], method=method)
    assert same(before, state_of(*pooled.model))
    pooled.encoder.conv[0].weight.requires_grad_()
    pooled.encoder.eval()


def test_the_model_is_left_as_it_was_when_something_breaks(pooled):
    def broken(features):
        raise RuntimeError("broken")

    pooled.encoder.train()
    before = state_of(pooled.encoder)
    with pytest.raises(RuntimeError, match="broken"):
        explain((pooled.encoder, broken), pooled.X[:3], 0)
    assert same(before, state_of(pooled.encoder))
    pooled.encoder.eval()


def test_dropout_is_at_rest():
    torch.manual_seed(0)
    encoder = WangCNN(200, dropout=0.5)
    head = LinearHead(encoder.n_features, 3)
    encoder.train()
    x = np.random.default_rng(0).uniform(size=(1, 200))
    one, two = (explain((encoder, head), x, 0, method="gradients").relevance for _ in range(2))
    assert np.array_equal(one, two)
    assert encoder.training


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("method", ["integrated_gradients", "cam"])
def test_gradients_are_taken_where_they_are_switched_off(off, method, placed):
    expected = explain(placed.model, placed.X[:2], placed.y[:2], method=method).relevance
    with off():
        found = explain(placed.model, placed.X[:2], placed.y[:2], method=method).relevance
    np.testing.assert_array_equal(found, expected)


def test_the_highest_score_is_explained_by_default(placed):
    found = explain(placed.model, placed.X)
    assert np.mean(found.target == placed.y) >= 0.95
    assert np.array_equal(found.relevance, explain(placed.model, placed.X, found.target).relevance)
    assert len(found) == 60


def test_tensors_rows_and_the_callers_numbers(placed):
    row = placed.X[0].copy()
    one = explain(placed.model, torch.tensor(row, requires_grad=True), torch.tensor([1]), method="gradients")
    assert np.array_equal(one.relevance, explain(placed.model, row[None], 1, method="gradients").relevance)
    assert np.array_equal(row, placed.X[0])


def test_a_function_that_works_in_place_changes_nothing():
    def spoil(rows):
        rows[:] = rows.sum()
        return rows[:, 0]

    x = np.ones((1, 20))
    explain(spoil, x, method="occlusion")
    assert (x == 1).all()


def test_double_precision_stays():
    network = nn.Linear(6, 2).double()
    found = explain(network, np.ones((1, 6)), 0, method="gradients")
    assert np.array_equal(found.relevance[0], np.abs(network.weight[0].detach().numpy()))


def test_options_of_a_method_and_its_name():
    found = explain(lambda rows: rows[:, 3], np.ones((1, 20)), method=Occlusion(window=3))
    assert found.method == "occlusion"
    assert repr(found) == "Explanation: occlusion of 1 pattern of 20 points"


class NoMap(Encoder):
    n_points, n_features = 20, 20

    def forward(self, x):
        return x


class Bypass(NoMap):
    def feature_map(self, x):
        return x[:, None]


class WrongMap(NoMap):
    def forward(self, x):
        return self.feature_map(x)

    def feature_map(self, x):
        return x * 1


ONE = np.ones((1, 20))
PAIR, BYPASS, WRONG_MAP = ((kind(), nn.Linear(20, 3)) for kind in (NoMap, Bypass, WrongMap))


@pytest.mark.parametrize(
    ("model", "x", "target", "method", "why"),
    [
        (
            PAIR,
            ONE,
            0,
            "cam",
            f"cam needs a network with a feature map, and this model is none. Use {LIST}.",
        ),
        (nn.Linear(20, 3), ONE, 0, "grad_cam", f"Use {LIST}."),
        (np.mean, ONE, 0, "gradients", "gradients needs a torch module, and this model is none. Use occlusion."),
        (BYPASS, ONE, 0, "cam", "forward of Bypass must go through its feature_map, and does not"),
        (WRONG_MAP, ONE, 0, "cam", "shape (batch, channels, length), got (1, 20)"),
        (PAIR, ONE, 0, "guess", "method must be one of integrated_gradients, occlusion"),
        (PAIR, ONE, 0, None, "method must be one of integrated_gradients"),
        (PAIR, ONE, 3, "gradients", "target must be a whole number from 0 to 2, one for all or 1 of them, got 3"),
        (PAIR, ONE, -1, "gradients", "target must be a whole number from 0 to 2"),
        (PAIR, ONE, 0.0, "gradients", "target must be a whole number from 0 to 2"),
        (PAIR, ONE, [0, 1], "gradients", "one for all or 1 of them, got [0, 1]"),
        (lambda rows: rows[:, 0], ONE, 0, "occlusion", "target must be None where a pattern has one score only, got 0"),
        (lambda rows: rows[:, :, None], ONE, 0, "occlusion", "must have shape (patterns,) or (patterns, classes)"),
        (lambda rows: rows[:0], ONE, 0, "occlusion", "scores must have shape"),
        (lambda rows: rows * np.nan, ONE, 0, "occlusion", "20 of 20 scores are NaN or infinite"),
        ("network", ONE, 0, "occlusion", "model must be a pair (encoder, head), a torch module or a callable, got str"),
        ((len, nn.Linear(20, 3)), ONE, 0, "occlusion", "a pair must be a torch module and a callable, got builtin"),
        ((nn.Linear(20, 3),), ONE, 0, "occlusion", "a pair must be a torch module and a callable, got Linear"),
        (PAIR, np.ones((1, 2, 3)), 0, "gradients", "x must have shape (n, n_points)"),
        (PAIR, np.ones((0, 20)), 0, "gradients", "x must have shape (n, n_points) with at least one pattern"),
        (PAIR, [["a"] * 20], 0, "gradients", "x must be numbers (n, n_points)"),
        (PAIR, ONE * np.inf, 0, "gradients", "20 of 20 intensities are NaN or infinite"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(model, x, target, method, why):
    with pytest.raises(OptionError) as error:
        explain(model, x, target, method=method)
    assert why in str(error.value)


def test_a_gradient_that_is_not_a_number_is_refused():
    class Root(nn.Module):
        def forward(self, x):
            return x.sqrt()

    with pytest.raises(OptionError, match="gradients gave NaN or infinite relevance"):
        explain(Root(), np.zeros((1, 20)), 0, method="gradients")


def test_a_batch_of_nothing():
    with pytest.raises(OptionError, match="batch_size must be a whole number of at least 1, got 0"):
        explain(PAIR, ONE, 0, batch_size=0)
