"""The weights of a network, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LayerWeights", "layer_weights"]

_NOTHING = 0.01  # of the largest weight of the layer


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The weights of one layer.

    Attributes
    ----------
    name : str
        Where it stands in the network, for example ``conv.0``.
    kind : str
        The class of the layer, such as ``Conv1d``.
    values : ndarray
        As the layer has them: outputs first.
    """

    name: str
    kind: str
    values: NDArray[np.float64]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Outputs x all that they see (n_outputs, n_inputs): the kernels of a convolution one after the other."""
        return self.values.reshape(len(self.values), -1)

    @property
    def strength(self) -> NDArray[np.float64]:
        """Root mean square of the weights of each input (n_inputs,): how much the layer listens to it.

        Of a dense layer on the pattern itself this is a curve along its axis; of a convolution, one along its kernel
        and its channels.
        """
        return np.asarray(np.sqrt(np.mean(self.matrix**2, axis=0)))

    @property
    def unused(self) -> float:
        """Share of the weights that are below 1 % of the largest."""
        size = np.abs(self.values)
        return float(np.mean(size < _NOTHING * size.max())) if size.size and size.max() > 0 else 1.0

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.values.shape))
        return f"LayerWeights: {self.name} ({self.kind}), {shape}"


def layer_weights(network: Any) -> list[LayerWeights]:
    """Return the weights of all layers that have a matrix of them, from the input to the output.

    Parameters
    ----------
    network : torch module

    Examples
    --------
    >>> from peakwise.networks import WangCNN
    >>> [layer.values.shape for layer in layer_weights(WangCNN(500))][:2]
    [(6, 1, 5), (16, 6, 5)]
    """
    if not callable(getattr(network, "named_modules", None)):
        why = f"the network must be a torch module, got {type(network).__name__}"
        raise OptionError("cannot show the weights", why, "Give the network itself")
    found = []
    for place, module in network.named_modules():
        for name, value in module.named_parameters(recurse=False):
            if value.ndim >= 2:
                full = ".".join(part for part in (place, name.removesuffix("weight").rstrip("_.")) if part)
                values = value.detach().cpu().numpy().astype(np.float64)
                found.append(LayerWeights(full or name, type(module).__name__, values))
    return found
