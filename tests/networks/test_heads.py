"""Heads against plain formulas, and classes that come and go without changing the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from peakwise.errors import OptionError
from peakwise.networks import HEADS, CosineHead, LinearHead, build_head, seeded


def test_cosine_head_is_its_formula():
    with seeded(0):
        head = CosineHead(7, 4, temperature=0.2)
        features = torch.randn(5, 7)
    head.offset.data.fill_(-0.3)
    f, p = features.numpy(), head.prototypes.detach().numpy()
    slow = [[f[i] @ p[j] / np.linalg.norm(f[i]) / np.linalg.norm(p[j]) / 0.2 - 0.3 for j in range(4)] for i in range(5)]
    np.testing.assert_allclose(head(features).detach().numpy(), slow, rtol=1e-5)


def test_linear_head_has_one_output_a_class():
    head = LinearHead(84, 1012)
    assert (head.n_classes, sum(p.numel() for p in head.parameters())) == (1012, 85 * 1012)


def test_adding_and_dropping_a_class_leaves_the_others_alone():
    with seeded(1):
        head = CosineHead(6, 3)
        features, new = torch.randn(4, 6), torch.randn(8, 6)
    before = head(features)
    head.add_class(new)
    after = head(features)
    assert after.shape == (4, 4)
    torch.testing.assert_close(after[:, :3], before)
    direction = (new / new.norm(dim=1, keepdim=True)).mean(dim=0)
    assert head(direction[None])[0, 3].item() == pytest.approx(10.0, rel=1e-5)  # cosine 1 over a temperature of 0.1
    head.drop_class(1)
    torch.testing.assert_close(head(features), after[:, [0, 2, 3]])
    assert head.prototypes.requires_grad


def test_heads_refuse_what_they_cannot_have():
    head = CosineHead(6, 1)
    with pytest.raises(OptionError, match=r"cannot add a class: features of shape \(n, 6\) are needed, got \(2, 5\)"):
        head.add_class(torch.zeros(2, 5))
    with pytest.raises(OptionError, match="cannot drop a class: the class must be one of 0 to 0 and not the last"):
        head.drop_class(0)
    with pytest.raises(OptionError, match="temperature must be a number of 0.001 or more, got 0"):
        build_head("cosine", 6, 2, {"temperature": 0})
    with pytest.raises(OptionError, match="its options are none, got temperature"):
        build_head("linear", 6, 2, {"temperature": 1})
    with pytest.raises(OptionError, match="known are linear, cosine"):
        build_head("quadratic", 6, 2)
    assert list(HEADS) == ["linear", "cosine"]
