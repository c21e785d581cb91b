"""Batch norm folded into the convolution or dense layer before it."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from peakwise.exported._layers import put

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fold_batch_norms"]


def fold_batch_norms(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy of a network in evaluation mode, with every batch norm folded that directly follows a weighted layer.

    Parameters
    ----------
    network : nn.Module
    example : Tensor
        Items (batch, ...) to follow through the network.

    Notes
    -----
    Which batch norm follows which layer is seen on the example: its input is the tensor that the layer gave, and both
    are called once. Another use of the layer's output cannot be seen; then the copy answers otherwise, and is dropped.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 5), nn.BatchNorm1d(4), nn.ReLU()).eval()
    >>> folded = fold_batch_norms(network, torch.zeros(2, 1, 20))
    >>> [type(layer).__name__ for layer in folded]
    ['Conv1d', 'Identity', 'ReLU']
    """
    folded = copy.deepcopy(network).eval()
    pairs = _followers(folded, example)
    if not pairs:
        return folded
    names = {layer: name for name, layer in folded.named_modules()}
    for layer, norm in pairs:
        fuse = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
        put(folded, names[layer], fuse(layer, norm))
        put(folded, names[norm], nn.Identity())
    with torch.inference_mode():
        same = torch.allclose(folded(example), network(example), rtol=1e-3, atol=1e-4)
    return folded if same else copy.deepcopy(network).eval()


def _followers(network: nn.Module, example: Tensor) -> list[tuple[nn.Module, nn.Module]]:
    """Pairs of (layer, batch norm of what it gave)."""
    given: list[tuple[nn.Module, Any]] = []  # the tensors are kept, so that no other takes their identity
    pairs: list[tuple[nn.Module, nn.Module]] = []
    calls = Counter[nn.Module]()

    def note(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        calls[layer] += 1
        if isinstance(layer, nn.BatchNorm1d):
            pairs.extend((before, layer) for before, tensor in given if tensor is inputs[0])
        else:
            given.append((layer, output))

    kinds = (nn.Conv1d, nn.Linear, nn.BatchNorm1d)
    hooks = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, kinds)]
    try:
        with torch.inference_mode():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    # A dense layer of 3-D tensors has its channels last, where a batch norm does not look.
    return [(a, b) for a, b in pairs if calls[a] == calls[b] == 1 and b.track_running_stats]
