"""From features to one number a class."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, final

import torch
from torch import nn
from torch.nn import functional

from peakwise.errors import OptionError
from peakwise.networks._build import build_named, check_count, check_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from torch import Tensor

__all__ = ["HEADS", "CosineHead", "Head", "LinearHead", "build_head"]


class Head(nn.Module, ABC):  # type: ignore[misc]  # torch is not there for the type checker
    """Features (batch, n_features) to logits (batch, n_classes); of sequences (batch, time, n_features) likewise."""

    n_features: int

    @property
    @abstractmethod
    def n_classes(self) -> int:
        """How many classes it tells apart."""

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, n_features) to logits (batch, n_classes)."""


@final
class LinearHead(Head):
    """A dense layer.

    >>> LinearHead(84, 1012)(torch.zeros(2, 84)).shape
    torch.Size([2, 1012])
    """

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__()
        self.n_features = check_count(self, "n_features", n_features)
        self.dense = nn.Linear(n_features, check_count(self, "n_classes", n_classes))

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return int(self.dense.out_features)

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, n_features) to logits (batch, n_classes)."""
        return self.dense(features)


@final
class CosineHead(Head):
    """The cosine between features and one prototype a class, over a temperature.

    A class is its prototype and nothing else, so that one can be added to a trained network, or dropped from it,
    without training.

    Parameters
    ----------
    n_features, n_classes : int
    temperature : float
        What the cosines are divided by; it is learned from there.

    Notes
    -----
    ``logit = cos(features, prototype) / temperature + offset``, with one learned offset for all classes: a softmax
    does not see it, a sigmoid needs it.

    Examples
    --------
    >>> head = CosineHead(3, 2)
    >>> head.add_class(torch.tensor([[0.9, 0.1, 0.0], [1.1, -0.1, 0.0]]))
    >>> head(torch.tensor([[1.0, 0.0, 0.0]])).argmax().item(), head.n_classes
    (2, 3)
    >>> head.drop_class(0)
    >>> head.n_classes
    2
    """

    def __init__(self, n_features: int, n_classes: int, temperature: float = 0.1) -> None:
        super().__init__()
        self.n_features = check_count(self, "n_features", n_features)
        check_count(self, "n_classes", n_classes)
        check_number(self, "temperature", temperature, least=1e-3)
        self.prototypes = nn.Parameter(functional.normalize(torch.randn(n_classes, n_features), dim=1))
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))
        self.offset = nn.Parameter(torch.zeros(()))

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return int(self.prototypes.shape[0])

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, n_features) to logits (batch, n_classes)."""
        cosine = functional.normalize(features, dim=-1) @ functional.normalize(self.prototypes, dim=1).T
        return cosine * self.log_scale.exp() + self.offset

    def add_class(self, features: Tensor) -> None:
        """Append a class whose prototype is the mean direction of the features (n, n_features) of its patterns."""
        if features.ndim != 2 or features.shape[1] != self.n_features or not len(features):
            why = f"features of shape (n, {self.n_features}) are needed, got {tuple(features.shape)}"
            raise OptionError("cannot add a class", why, "Encode at least one pattern of it")
        mean = functional.normalize(features.detach(), dim=1).mean(dim=0, keepdim=True)
        self._replace(torch.cat([self.prototypes.detach(), functional.normalize(mean, dim=1).to(self.prototypes)]))

    def drop_class(self, index: int) -> None:
        """Remove the class `index`; those after it move up by one."""
        if not 0 <= index < self.n_classes or self.n_classes == 1:
            why = f"the class must be one of 0 to {self.n_classes - 1} and not the last one left, got {index}"
            raise OptionError("cannot drop a class", why, "Choose another class")
        keep = [i for i in range(self.n_classes) if i != index]
        self._replace(self.prototypes.detach()[keep])

    def _replace(self, prototypes: Tensor) -> None:
        self.prototypes = nn.Parameter(prototypes.clone())


HEADS: dict[str, type[Head]] = {"linear": LinearHead, "cosine": CosineHead}


def build_head(name: str, n_features: int, n_classes: int, options: Mapping[str, Any] | None = None) -> Head:
    """Build the head `name` of `HEADS`.

    >>> build_head("cosine", 84, 56, {"temperature": 0.05}).n_classes
    56
    """
    return build_named("head", HEADS, name, (n_features, n_classes), options or {})
