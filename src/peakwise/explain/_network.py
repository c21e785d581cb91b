"""A network behind the face of a scorer, with its gradients and its last feature map; needs torch."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import nn

from peakwise.errors import OptionError
from peakwise.explain._scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["NetworkScorer"]


@final
class NetworkScorer(Scorer):
    """Encoder and head as one differentiable score.

    Nothing of the network changes: gradients are taken with `torch.autograd.grad`, which fills no ``.grad``, and the
    state of training of each module is put back by `resting`.
    """

    def __init__(self, encoder: nn.Module, head: Callable[[Any], Any] | None, batch_size: int) -> None:
        super().__init__(batch_size)
        self.gives = frozenset({"scores", "gradients"})
        self._encoder = encoder
        self._head = head
        values = next((p for part in self._parts() for p in part.parameters()), None)
        self._like = {"dtype": torch.float32, "device": "cpu"}
        if values is not None:
            self._like = {"dtype": values.dtype, "device": values.device}
        self._watch: list[Any] = []
        self._twin = self._watched()

    @contextmanager
    def resting(self, sample: NDArray[np.float64]) -> Iterator[None]:
        """The network without dropout and with fixed normalisation; as it was afterwards.

        `sample` is one pattern (1, n_points), to learn whether there is a feature map.
        """
        modules = [module for part in self._parts() for module in part.modules()]
        was = [module.training for module in modules]
        try:
            for module in modules:
                module.training = False
            self._twin.training = False
            # Who asks within torch.inference_mode means their own work: gradients are wanted here.
            with torch.inference_mode(mode=False):
                with torch.no_grad():
                    has_map = self._run(self._tensor(sample))[1] is not None
                self.gives = frozenset(self.gives | {"feature_map"}) if has_map else self.gives
                yield
        finally:
            for module, training in zip(modules, was, strict=True):
                module.training = training

    def gradients(self, x: NDArray[np.float64], target: NDArray[np.intp] | None) -> NDArray[np.float64]:
        """Gradient of each pattern's score with respect to its points (n, n_points)."""
        out = np.empty_like(x)
        for piece in self.slices(len(x)):
            with torch.enable_grad():
                points = self._tensor(x[piece]).requires_grad_()
                total = _sum_of_targets(self._run(points)[0], None if target is None else target[piece])
                (slope,) = torch.autograd.grad(total, points, allow_unused=True)
            out[piece] = 0.0 if slope is None else slope.cpu().numpy()
        return out

    def map_and_gradient(
        self, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The last feature map and the score's gradient with respect to it, (n, channels, length) each.

        For at most `batch_size` patterns, since it is the channels that fill the memory.
        """
        with torch.enable_grad():
            points = self._tensor(x).requires_grad_()
            scores, found = self._run(points)
            if found is None:
                raise OptionError("cannot explain the answer", "the network has no feature map", "Use another method")
            (slope,) = torch.autograd.grad(_sum_of_targets(scores, target), found, allow_unused=True)
        values = found.detach().cpu().numpy().astype(np.float64)
        return values, np.zeros_like(values) if slope is None else slope.cpu().numpy().astype(np.float64)

    def map_response(self, x: NDArray[np.float64], cell: int) -> NDArray[np.float64]:
        """Absolute gradient of one cell of the map, summed over channels and patterns, with respect to the points."""
        with torch.enable_grad():
            points = self._tensor(x).requires_grad_()
            found = self._run(points)[1]
            (slope,) = torch.autograd.grad(found[:, :, cell].sum(), points, allow_unused=True)
        if slope is None:
            return np.zeros(x.shape[1])
        return np.asarray(slope.abs().sum(0).cpu().numpy(), dtype=np.float64)

    def _score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.no_grad():
            return np.asarray(self._run(self._tensor(x))[0].cpu().numpy(), dtype=np.float64)

    def _parts(self) -> list[nn.Module]:
        return [part for part in (self._encoder, self._head) if isinstance(part, nn.Module)]

    def _tensor(self, x: NDArray[np.float64]) -> Any:
        return torch.as_tensor(np.array(x), **self._like)

    def _run(self, points: Any) -> tuple[Any, Any]:
        """Scores of the points, and the map on the way to them (None if there is none)."""
        self._watch.clear()
        features = self._twin(points)
        scores = features if self._head is None else self._head(features)
        found = self._watch[-1] if self._watch else None
        self._watch.clear()
        if found is None and self._has_map(points):
            what = "cannot explain the answer with a feature map"
            why = f"forward of {type(self._encoder).__name__} must go through its feature_map, and does not"
            raise OptionError(what, why, "Call self.feature_map(x) in forward, or use the method gradients")
        return scores, found

    def _has_map(self, points: Any) -> bool:
        """Whether the network has a map that its forward does not use: its gradient would be out of reach."""
        give = getattr(self._encoder, "feature_map", None)
        return give is not None and give(points[:1].detach()) is not None

    def _watched(self) -> nn.Module:
        """A shallow copy whose `feature_map` tells what it gave: the user's object is never touched."""
        if not hasattr(self._encoder, "feature_map"):
            return self._encoder
        twin = copy.copy(self._encoder)
        give = type(self._encoder).feature_map

        def feature_map(x: Any) -> Any:
            found = give(twin, x)
            if found is not None:
                if found.ndim != 3:
                    why = f"a feature map must have shape (batch, channels, length), got {tuple(found.shape)}"
                    raise OptionError("cannot explain the answer", why, "Mend feature_map of the network")
                self._watch.append(found)
            return found

        twin.feature_map = feature_map
        return twin


def _sum_of_targets(scores: Any, target: NDArray[np.intp] | None) -> Any:
    """One number whose gradient is that of each pattern's own score: patterns do not see each other at rest."""
    if target is None:
        return scores.sum()
    columns = torch.as_tensor(np.array(target), device=scores.device)
    return scores.gather(1, columns[:, None]).sum()
