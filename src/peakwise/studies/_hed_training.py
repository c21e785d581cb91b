"""Networks trained on labelled patterns of the (Mg,Fe)O series, and asked about all of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Trained", "draw_sequences", "network_states", "thread_limit"]

_AT_ONCE = 64


class Trained(NamedTuple):
    """What a trained network says, and what it cost.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        Of the second state, for each pattern of the series.
    parameters : int
        With one output, as published.
    seconds, cores : float
        Time of the training [s]: on the clock, and of one core.
    patterns : int
        Patterns seen in training.
    history : dict
    """

    probability: NDArray[np.float32]
    parameters: int
    seconds: float
    cores: float
    patterns: int
    history: dict[str, Any]


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Let torch use so many threads inside the block; None: as it is."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def network_states(
    name: str,
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    asked: NDArray[np.float32],
    *,
    n_base: int,
    patterns: int,
    batch: int,
    learning_rate: float,
    seconds: float | None,
    seed: int,
    device: str,
) -> Trained:
    """Train a network of `NETWORKS` by cross-entropy and ask it about the series `asked`.

    Parameters
    ----------
    name : str
    rows : ndarray of shape (copies * n_base, m)
        Labelled patterns, each block of `n_base` in the order of the series.
    labels : ndarray of shape (copies * n_base,)
    asked : ndarray of shape (n, m)
    n_base : int
        Length of the sequences of networks that read them.
    patterns : int
        How many are seen, repeats counted.
    batch : int
        Patterns, or sequences, in a batch.
    learning_rate : float
    seconds : float or None
        Most time.
    seed : int
    device : str
    """
    import torch

    from peakwise.networks import NETWORKS, LinearHead, build_encoder, seeded
    from peakwise.objectives import SingleLabel
    from peakwise.training import ArrayBatches, train

    with seeded(seed):
        objective = SingleLabel(build_encoder(name, rows.shape[1]), 2)
    is_sequential = NETWORKS[name].is_sequential
    arrays: dict[str, Any] = {"intensity": rows, "label": labels}
    per_step = batch
    if is_sequential:
        order = draw_sequences(len(rows) // n_base, n_base, np.random.default_rng([seed, 6]))
        arrays, per_step = {key: values[order] for key, values in arrays.items()}, batch * n_base
    start, cores = time.monotonic(), time.process_time()
    history = train(
        objective, ArrayBatches(arrays, batch, random_state=seed), steps=max(1, round(patterns / per_step)),
        seconds=seconds, learning_rate=learning_rate, device=device, random_state=seed,
    )  # fmt: skip
    took, cores = time.monotonic() - start, time.process_time() - cores
    shown = torch.from_numpy(asked).to(next(objective.parameters()).device)
    answer = objective.predict(shown[None])[0] if is_sequential else objective.predict(shown, _AT_ONCE)
    counted = [*objective.encoder.parameters(), *LinearHead(objective.encoder.n_features, 1).parameters()]
    return Trained(
        np.asarray(answer[:, 1].cpu().numpy()), sum(p.numel() for p in counted), took, cores,
        history.steps * per_step, history.to_dict(),
    )  # fmt: skip


def draw_sequences(n: int, length: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of n sequences of `length` patterns each: in the order of the series, from a random part of it.

    A network that always saw all labelled patterns would learn to count to the boundary and not to look. Row numbers
    are those of n blocks of `length` rows, one block for each copy; each pattern is taken from a random copy.

    >>> drawn = draw_sequences(3, 5, np.random.default_rng(0))
    >>> drawn.shape, (np.diff(drawn % 5) >= 0).all()
    ((3, 5), np.True_)
    """
    part = np.sort(rng.integers(0, length, (n, 2)), axis=1)
    place = np.sort(rng.integers(part[:, :1], part[:, 1:] + 1, (n, length)), axis=1)
    return np.asarray(rng.integers(0, n, (n, length)) * length + place)
