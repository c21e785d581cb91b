"""The published networks between torch and the compiled loops: parameters as one flat array, and training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._regression_training import Plan
    from peakwise.objectives import Regression

    Data = Mapping[str, NDArray[np.float32]]

__all__ = ["Layout", "flat_weights", "is_published", "learn_compiled", "put_weights"]

_STAGES = {"all": 0, "autoencoder": 1, "head": 2}


class Layout(NamedTuple):
    """Where parameters stand in the flat array, as the kernel wants it."""

    sizes: NDArray[np.int64]
    offs: NDArray[np.int64]
    channels: NDArray[np.int64]
    kernel: int
    head: NDArray[np.int64]
    widths: NDArray[np.int64]
    groups: NDArray[np.int64]
    is_number: NDArray[np.bool_]
    head_start: int
    n_parameters: int

    def for_kernel(self, scalers: Sequence[float]) -> tuple[Any, ...]:
        """What the compiled loops take, with the weights of the patterns."""
        return (*self[:8], np.array(scalers, np.float64))


def is_published(network: Regression) -> bool:
    """Whether the network is one that the compiled loops know: plain convolutions, and their mirror or no decoder."""
    from torch import nn

    from peakwise.networks import ConvDecoder, ConvStack

    if network.beta is not None:
        return False
    encoders = [network.encoder, *network.others]
    if not all(isinstance(e, ConvStack) for e in encoders) or not all(
        isinstance(d, ConvDecoder) for d in network.decoders
    ):
        return False
    shapes = [[tuple(layer.weight.shape) for layer in e.layers if isinstance(layer, nn.Conv1d)] for e in encoders]
    mirrors = [
        [tuple(layer.weight.shape) for layer in list(d.layers)[::-1] if isinstance(layer, nn.ConvTranspose1d)]
        for d in network.decoders
    ]
    plain = all(type(layer) is nn.Conv1d and layer.stride == (1,) for e in encoders for layer in e.layers)
    back = all(
        type(layer) is nn.Unflatten or (type(layer) is nn.ConvTranspose1d and layer.stride == (1,))
        for d in network.decoders
        for layer in d.layers
    )
    return plain and back and all(shape == shapes[0] for shape in (*shapes, *mirrors))


def layout_of(network: Regression) -> Layout:
    """Sizes and places of all parameters."""
    encoders = [network.encoder, *network.others]
    convolutions = list(encoders[0].layers)
    channels = np.array([1, *(layer.weight.shape[0] for layer in convolutions)], np.int64)
    kernel, layers = int(convolutions[0].weight.shape[2]), len(convolutions)
    sizes = np.array([(e.n_points, n) for e, n in zip(encoders, network.n_latents, strict=True)], np.int64)
    offs = np.full((len(encoders), 5, max(layers, 2)), -1, np.int64)
    at = 0
    for i, (points, latent) in enumerate(sizes):
        flat = int(channels[-1]) * (int(points) - layers * (kernel - 1))
        for layer in range(layers):
            offs[i, 0, layer] = at
            at += int(channels[layer + 1] * channels[layer]) * kernel
            offs[i, 1, layer] = at
            at += int(channels[layer + 1])
        offs[i, 2, 0] = at
        at += int(latent) * flat + int(latent)
        if len(network.decoders):
            offs[i, 2, 1] = at
            at += (int(latent) + 1) * flat
            for layer in range(layers):
                offs[i, 3, layer] = at
                at += int(channels[layer + 1] * channels[layer]) * kernel
                offs[i, 4, layer] = at
                at += int(channels[layer])
    dense = [layer for layer in network.head.layers if hasattr(layer, "weight")]
    widths = np.array([dense[0].weight.shape[1], *(layer.weight.shape[0] for layer in dense)], np.int64)
    head_start, head = at, np.zeros(len(dense), np.int64)
    for place, layer in enumerate(dense):
        head[place] = at
        at += layer.weight.numel() + layer.bias.numel()
    groups = np.array(network.groups, np.int64).reshape(-1, 2)
    is_number = np.ones(widths[-1], np.bool_)
    for start, stop in groups:
        is_number[start:stop] = False
    return Layout(sizes, offs, channels, kernel, head, widths, groups, is_number, head_start, at)


def _pieces(network: Regression) -> list[tuple[Any, tuple[int, ...] | None]]:
    """Parameters in the order of the flat array; of dense layers beside convolutions, the shape that they have there.

    That is (channels, latent, length), from (latent, channels, length) of an encoder.
    """
    made: list[tuple[Any, tuple[int, ...] | None]] = []
    for i, encoder in enumerate([network.encoder, *network.others]):
        channels = int(encoder.layers[-1].weight.shape[0])
        for layer in encoder.layers:
            made += [(layer.weight, None), (layer.bias, None)]
        made += [(network.mean[i].weight, (network.n_latents[i], channels, -1)), (network.mean[i].bias, None)]
        if len(network.decoders):
            decoder = network.decoders[i]
            made.append((decoder.first, (network.n_latents[i] + 1, channels, -1)))
            for layer in list(decoder.layers)[:0:-1]:
                made += [(layer.weight, None), (layer.bias, None)]
    for layer in network.head.layers:
        if hasattr(layer, "weight"):
            made += [(layer.weight, None), (layer.bias, None)]
    return made


def flat_weights(network: Regression) -> NDArray[np.float32]:
    """All parameters as one array."""
    import torch

    parts = []
    with torch.no_grad():
        for value, shape in _pieces(network):
            if shape is None:
                parts.append(value.reshape(-1))
                continue
            # A dense layer whose outputs go on to convolutions stands turned, with its bias as a last row.
            rows = value if hasattr(value, "grad") else torch.cat([value.weight.T, value.bias[None]])
            parts.append(rows.reshape(shape).permute(1, 0, 2).reshape(-1))
    return np.asarray(torch.cat(parts).detach().float().numpy())


def put_weights(network: Regression, flat: NDArray[np.float32]) -> None:
    """The inverse of `flat_weights`, in place."""
    import torch

    at = 0
    with torch.no_grad():
        for value, shape in _pieces(network):
            is_dense = not hasattr(value, "grad")
            size = value.weight.numel() + value.bias.numel() if is_dense else value.numel()
            part = torch.from_numpy(flat[at : at + size].copy())
            at += size
            if shape is None:
                value.copy_(part.reshape(value.shape))
                continue
            rows = part.reshape(shape[1], shape[0], -1).permute(1, 0, 2).reshape(shape[0], -1)
            if is_dense:
                value.weight.copy_(rows[:-1].T)
                value.bias.copy_(rows[-1])
            else:
                value.copy_(rows)


def learn_compiled(
    network: Regression, data: Data, held: Data | None, plan: Plan, part: str, target: float = -1.0
) -> dict[str, Any]:
    """Train all of a published network, its autoencoder, or its perceptron ("all", "autoencoder", "head")."""
    import time

    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from peakwise.estimators._regression_kernel import train_published

    layout = layout_of(network)
    x, truth = _table(network, data, part)
    held_x, held_truth = _table(network, held, part) if held is not None else (x[:0], truth[:0])
    flat = flat_weights(network)
    best = flat.copy()
    stage = _STAGES[part]
    part_of = {0: (0, layout.n_parameters), 1: (0, layout.head_start), 2: (layout.head_start, layout.n_parameters)}[
        stage
    ]
    history = np.full((plan.epochs, 3), np.nan)
    dropout = float(network.head.layers[2].p)
    begun = time.perf_counter()
    with threadpool_limits(1):
        n_epochs = train_published(
            flat, best, layout.for_kernel(network.loss_scalers), x, truth, held_x, held_truth, stage, dropout,
            float(network.modality_dropout), part_of, plan.epochs, plan.rate, plan.decay, plan.batch, plan.patience,
            plan.seed % 2**62, history, target,
        )  # fmt: skip
    rows = history[:n_epochs]
    if not np.isfinite(rows[-1, 0]):
        raise OptionError("cannot train", f"the loss must stay finite, got {rows[-1, 0]}", "Lower learning_rate")
    put_weights(network, best if len(held_x) else flat)
    judged = rows[:, 2 if stage == 1 else 1]
    return {
        "epochs": int(n_epochs), "seconds": round(time.perf_counter() - begun, 3),
        "best": float(np.nanmin(judged)) if len(held_x) else None,
        "best_epoch": int(np.nanargmin(judged)) + 1 if len(held_x) else int(n_epochs),
        "curve": _curve(rows),
    }  # fmt: skip


def _table(network: Regression, data: Data, part: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Patterns of all modalities side by side (latent numbers for the perceptron), and targets."""
    import torch

    rows = [data["intensity" if i == 0 else f"intensity_{i}"] for i in range(network.n_modalities)]
    if part == "head":
        rows = [code.numpy() for code in network.codes([torch.from_numpy(r) for r in rows])]
    return np.ascontiguousarray(np.concatenate(rows, axis=1), np.float32), np.ascontiguousarray(
        data["target"], np.float32
    )


def _curve(rows: NDArray[np.float64]) -> list[list[float | None]]:
    """At most a hundred epochs: number, loss, losses of descriptors and patterns that were held."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(100, len(rows))).round().astype(int))
    return [[int(i) + 1, *(float(v) if np.isfinite(v) else None for v in rows[i])] for i in chosen]
