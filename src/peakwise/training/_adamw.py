"""AdamW. That of torch imports its compiler when it is made (2.7 s of processor time), which nothing here uses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

__all__ = ["AdamW"]

_BETAS = (0.9, 0.999)  # of the paper, and of torch
_EPSILON = 1e-8


@final
class AdamW:
    """Adam with decay apart from the gradient: I. Loshchilov, F. Hutter, ICLR 2019, arXiv:1711.05101.

    Matrices decay; biases, norms and single numbers do not: they set a scale, which decay would only distort.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those that require a gradient are trained.
    weight_decay : float

    Examples
    --------
    >>> value = torch.ones(1, requires_grad=True)
    >>> optimizer = AdamW([value], weight_decay=0.0)
    >>> (3 * value).backward()
    >>> optimizer.step(rate=0.1)  # the first step is the rate, whatever the gradient
    >>> round(value.item(), 6)
    0.9
    """

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        self.weight_decay = weight_decay
        self.n_steps = 0
        self._first = [torch.zeros_like(p) for p in self.parameters]
        self._second = [torch.zeros_like(p) for p in self.parameters]

    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient."""
        self.n_steps += 1
        places = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        values = [self.parameters[i].detach() for i in places]
        gradients = [self.parameters[i].grad for i in places]
        first, second = [self._first[i] for i in places], [self._second[i] for i in places]
        if not values:
            return
        matrices = [value for value in values if value.ndim > 1]
        if self.weight_decay > 0 and matrices:
            torch._foreach_mul_(matrices, 1 - rate * self.weight_decay)
        one, two = _BETAS
        torch._foreach_lerp_(first, gradients, 1 - one)
        torch._foreach_mul_(second, two)
        torch._foreach_addcmul_(second, gradients, gradients, 1 - two)
        below = torch._foreach_sqrt(second)
        torch._foreach_div_(below, math.sqrt(1 - two**self.n_steps))
        torch._foreach_add_(below, _EPSILON)
        torch._foreach_addcdiv_(values, first, below, -rate / (1 - one**self.n_steps))

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """The moments of the gradients, by the place of the parameter."""
        kinds = {"first": self._first, "second": self._second}
        return {f"{kind}/{i}": value for kind, values in kinds.items() for i, value in enumerate(values)}

    def restore(self, state: Mapping[str, Tensor], n_steps: int) -> None:
        """Go on from what `state` gave after `n_steps` steps."""
        for name, value in self.state().items():
            value.copy_(state[name])
        self.n_steps = n_steps
