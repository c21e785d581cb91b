"""Our AdamW against that of torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from peakwise.training._adamw import AdamW


def values(seed):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=draw, requires_grad=True) for shape in ((4, 3), (3,), (), (2, 3, 2))]


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_it_is_that_of_torch(weight_decay):
    ours, theirs = values(0), values(0)
    optimizer = AdamW(ours, weight_decay)
    groups = [
        {"params": [p for p in theirs if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in theirs if p.ndim <= 1], "weight_decay": 0.0},
    ]
    reference = torch.optim.AdamW(groups, lr=1.0)
    for step in range(30):
        rate = 0.02 / (1 + step)
        for group in reference.param_groups:
            group["lr"] = rate
        for parameters in (ours, theirs):
            sum((p * p * p).sum() for p in parameters).backward()
        optimizer.step(rate)
        reference.step()
        optimizer.clear()
        reference.zero_grad()
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-6)


def test_it_goes_on_from_its_state_and_leaves_alone_what_has_no_gradient():
    whole, parts, frozen = values(1), values(1), torch.ones(2)
    first, second = AdamW(whole, 0.1), AdamW([*parts, frozen], 0.1)
    assert len(second.parameters) == 4
    for step in range(6):
        if step == 3:
            third = AdamW(parts, 0.1)
            third.restore({k: v.clone() for k, v in second.state().items()}, second.n_steps)
            second = third
        for parameters, optimizer in ((whole, first), (parts, second)):
            sum((p * p).sum() for p in parameters[:3]).backward()
            optimizer.step(0.01)
            optimizer.clear()
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))
    assert torch.equal(parts[3], values(1)[3])


def test_training_does_not_import_the_compiler_of_torch():
    code = """
import sys
import numpy as np
from peakwise.networks import build_encoder
from peakwise.objectives import SingleLabel
from peakwise.training import train
batch = {"intensity": np.ones((2, 100), np.float32), "label": np.arange(2)}
train(SingleLabel(build_encoder("patch_conv", 100), 2), [batch], steps=1, device="cpu")
raise SystemExit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=200).returncode == 0
