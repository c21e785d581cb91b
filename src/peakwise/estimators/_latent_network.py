"""Networks that compress patterns and make them again: trained alike from different seeds, saved and rebuilt."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from peakwise.objectives import Variational

    Floats = NDArray[np.float32]

__all__ = ["Compression", "LatentNetwork", "batches_of", "network_rows", "using_threads"]

_BATCH = 128
_LEARNING_RATE = 2e-3
_MOST = 65_536  # patterns that are compressed at once


def network_rows(intensity: NDArray[np.floating]) -> Floats:
    """Rows without their least value, the largest 1, as a binary cross-entropy takes them; a flat row becomes 0.

    >>> network_rows(np.array([[1.0, 3.0, 2.0], [4.0, 4.0, 4.0]])).tolist()
    [[0.0, 1.0, 0.5], [0.0, 0.0, 0.0]]
    """
    rows = np.asarray(intensity, dtype=np.float64)
    rows = rows - rows.min(axis=1, keepdims=True)
    top = rows.max(axis=1, keepdims=True)
    return np.asarray(rows / np.where(top > 0, top, 1.0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Compression:
    """How patterns are compressed: the options of `LatentMap` that make its networks."""

    n_latent: int = 2
    network: str = "dense"
    decoder: str = "dense"
    n_conditions: int = 0
    n_classes: int = 0
    beta: float = 1.0
    annealing: int = 0
    members: int = 1


@dataclass(eq=False)
class LatentNetwork:
    """One or more trained autoencoders of the same kind.

    Attributes
    ----------
    objectives : list of Variational
    history : list of dict
        How each training went.
    """

    kind: Compression
    n_points: int
    objectives: list[Variational]
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def blank(cls, kind: Compression, n_points: int, random_state: int) -> Self:
        """Networks before training."""
        return cls(kind, n_points, [_build(kind, n_points, random_state + i) for i in range(kind.members)])

    def learn(
        self,
        batches: Callable[[int], Any],
        *,
        epochs: int | None = None,
        steps: int | None = None,
        seconds: float | None = None,
        random_state: int = 0,
        threads: int | None = None,
        device: str = "auto",
        progress: Callable[[dict[str, float]], None] | None = None,
    ) -> Self:
        """Train each network; `batches` gives those of the network of a number, the seconds are for all together."""
        from peakwise.training import train

        with using_threads(threads):
            for number, objective in enumerate(self.objectives):
                history = train(
                    objective, batches(number), epochs=epochs, steps=steps,
                    seconds=None if seconds is None else seconds / len(self.objectives), learning_rate=_LEARNING_RATE,
                    device=device, random_state=random_state + number, progress=progress,
                )  # fmt: skip
                if history.stopped == "interrupted":
                    raise KeyboardInterrupt  # a map that was learned for a moment is not what was asked for
                objective.cpu()
                last = {name: float(value) for name, value in history.logged[-1].items()}
                self.history.append({"steps": history.steps, "seconds": round(history.seconds, 2), **last})
        return self

    def code(self, rows: Floats, condition: Floats | None = None, member: int = 0) -> tuple[Floats, Floats]:
        """Latent means and standard deviations (n, n_latent) of one network."""
        made = [self.objectives[member].code(*part) for part in _parts(rows, condition)]
        return tuple(np.concatenate([part[i].numpy() for part in made]) for i in (0, 1))  # type: ignore[return-value]

    def decode(self, latent: Floats, condition: Floats | None = None, member: int = 0) -> Floats:
        """Patterns (n, n_points) of latent numbers (n, n_latent)."""
        return np.concatenate([self.objectives[member].decode(*part).numpy() for part in _parts(latent, condition)])

    def reconstruct(self, rows: Floats, condition: Floats | None = None) -> NDArray[np.float32]:
        """Patterns as each network makes them again: (members, n, n_points)."""
        return np.stack([
            np.concatenate([one.reconstruct(*part).numpy() for part in _parts(rows, condition)])
            for one in self.objectives
        ])  # fmt: skip

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The weights of all networks by name."""
        return {
            f"{number}.{name}": value.detach().cpu().numpy()
            for number, one in enumerate(self.objectives)
            for name, value in one.state_dict().items()
        }

    @classmethod
    def from_arrays(
        cls, kind: Compression, n_points: int, arrays: Mapping[str, NDArray[Any]], history: list[dict[str, Any]]
    ) -> Self:
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        import torch

        if not 2 <= n_points <= 100_000 or not 1 <= kind.members <= 100 or not 1 <= kind.n_latent <= 1000:
            raise ValueError(f"{kind.members} networks of {n_points} points and {kind.n_latent} latent numbers")
        made = cls.blank(kind, n_points, 0)
        made.history = history
        for number, one in enumerate(made.objectives):
            start = f"{number}."
            weights = {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
            state = one.state_dict()
            if set(state) != set(weights):
                raise ValueError("the weights are not those of the network")
            for name, value in weights.items():
                if tuple(state[name].shape) != tuple(value.shape) or not np.isfinite(value).all():
                    raise ValueError(f"the weights {name} have the shape {value.shape} or are not finite")
            one.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
            one.eval()
        return made


def batches_of(rows: Floats, random_state: int, **more: NDArray[Any]) -> Callable[[int], Any]:
    """Batches from arrays for `LatentNetwork.learn`, in another order for each network."""
    from peakwise.training import ArrayBatches

    arrays = {"intensity": rows, **more}
    size = min(_BATCH, len(rows))
    return lambda number: ArrayBatches(arrays, size, random_state=random_state + number)


@contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """So many threads of torch inside the block, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    if threads:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _build(kind: Compression, n_points: int, seed: int) -> Variational:
    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import Variational

    relu: dict[str, Any] = {"stride": 2, "relu": True}
    with seeded(seed):
        return Variational(
            build_encoder(kind.network, n_points + kind.n_conditions, relu if kind.network == "conv_stack" else {}),
            n_latent=kind.n_latent, n_conditions=kind.n_conditions, n_classes=kind.n_classes, decoder=kind.decoder,
            decoder_options=relu if kind.decoder == "conv" else {}, beta=kind.beta, annealing=kind.annealing,
        )  # fmt: skip


def _parts(rows: Floats, condition: Floats | None) -> Iterator[tuple[Any, Any]]:
    import torch

    for start in range(0, max(len(rows), 1), _MOST):
        part = torch.from_numpy(np.array(rows[start : start + _MOST]))
        yield part, None if condition is None else torch.from_numpy(np.array(condition[start : start + _MOST]))
