"""Layers of one dimension in the layout that a processor is quick with: all channels of a place together."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lay_out", "put"]


def lay_out(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy of a network in evaluation mode whose convolutions and pools keep all channels of a place together.

    Parameters
    ----------
    network : nn.Module
    example : Tensor
        Items (batch, ...); if the copy answers otherwise there, it is dropped.

    Notes
    -----
    PyTorch takes six times as long for a convolution of a single channel as for a matrix product with its windows.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 5, 2), nn.ReLU(), nn.MaxPool1d(2)).eval()
    >>> quick, x = lay_out(network, torch.rand(2, 1, 40)), torch.rand(3, 1, 40)
    >>> bool(torch.allclose(quick(x), network(x), atol=1e-5)), type(quick[0]).__name__
    (True, '_WindowProduct')
    """
    quick = copy.deepcopy(network).eval()
    _rectify_in_place(quick)
    for name, layer in list(quick.named_modules()):
        if isinstance(layer, nn.Conv1d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
            is_single = layer.in_channels == 1 and layer.dilation == (1,)
            put(quick, name, _WindowProduct(layer) if is_single else _FlatConvolution(layer))
        elif isinstance(layer, nn.MaxPool1d) and _is_plain(layer):
            put(quick, name, _FlatPool(_number(layer.kernel_size)))
    with torch.inference_mode():
        same = torch.allclose(quick(example), network(example), rtol=1e-3, atol=1e-4)
    return quick if same else network


def _rectify_in_place(network: nn.Module) -> None:
    """No fresh memory for a ReLU directly after a layer whose output nobody else can have."""
    fresh = (nn.Conv1d, nn.Linear, nn.BatchNorm1d, nn.LayerNorm)
    for row in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        layers = [layer for layer in row if not isinstance(layer, nn.Identity)]
        for before, layer in itertools.pairwise(layers):
            if isinstance(layer, nn.ReLU) and isinstance(before, fresh):
                layer.inplace = True


def put(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Exchange the layer of that name."""
    owner, _, last = name.rpartition(".")
    setattr(network.get_submodule(owner), last, layer)


class _FlatConvolution(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """A convolution of one dimension as one of two, whose other dimension is 1."""

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__()
        weight = layer.weight.detach()[:, :, None].contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach(), requires_grad=False)
        self.options = ((1, *layer.stride), (0, *layer.padding), (1, *layer.dilation), layer.groups)

    def forward(self, x: Tensor) -> Tensor:
        flat = x[:, :, None].contiguous(memory_format=torch.channels_last)
        return functional.conv2d(flat, self.weight, self.bias, *self.options)[:, :, 0]


class _WindowProduct(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """A convolution of a single channel as the product of its windows with a matrix."""

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.detach()[:, 0].contiguous(), requires_grad=False)
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach(), requires_grad=False)
        self.stride, self.padding = layer.stride[0], layer.padding[0]

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x[:, 0], (self.padding, self.padding)) if self.padding else x[:, 0]
        windows = padded.unfold(1, self.weight.shape[1], self.stride)
        return functional.linear(windows, self.weight, self.bias).transpose(1, 2)


class _FlatPool(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Max-pooling without overlap, in whatever layout the maps are."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        places = x.transpose(1, 2)  # in the order in which a convolution before it left them
        end = places.shape[1] // self.size * self.size
        most = places[:, 0 : end : self.size]
        for k in range(1, self.size):
            most = torch.maximum(most, places[:, k : end : self.size])
        return most.transpose(1, 2)


def _is_plain(layer: nn.MaxPool1d) -> bool:
    size, padding, dilation = (_number(v) for v in (layer.kernel_size, layer.padding, layer.dilation))
    plain = (_number(layer.stride), padding, dilation) == (size, 0, 1)
    return plain and not layer.ceil_mode and not layer.return_indices


def _number(value: Any) -> int:
    return int(value[0]) if isinstance(value, tuple) else int(value)
