"""A convolution and what follows it, as the networks of Sun (2023) have it."""

from __future__ import annotations

from torch import nn

__all__ = ["conv_block", "length_after"]


def conv_block(before: int, after: int, size: int, stride: int, pool: nn.Module) -> nn.Sequential:
    """Convolution without padding, batch norm, ReLU, pooling."""
    return nn.Sequential(nn.Conv1d(before, after, size, stride), nn.BatchNorm1d(after), nn.ReLU(), pool)


def length_after(length: int, size: int, stride: int, pool: int) -> int:
    """Places that are left of so many by a convolution without padding and pooling by `pool`."""
    return ((length - size) // stride + 1) // pool
