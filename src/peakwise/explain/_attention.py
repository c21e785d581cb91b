"""What a network with attention looks at: its attention matrices, averaged over a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Attention", "attention"]

_WHAT = "cannot show the attention"


@dataclass(frozen=True, eq=False)
class Attention:
    """The attention matrices of a network, each the mean over a set.

    Attributes
    ----------
    matrices : dict of str to ndarray of shape (n_heads, n_rows, n_columns)
        Row i says how much i takes from each column; rows sum to 1. Names are those of the network, such as
        ``spatial``, ``channel`` and ``temporal``.
    n : int
        How many patterns, or sequences of patterns, went into the mean.
    """

    matrices: Mapping[str, NDArray[np.float64]]
    n: int

    def mean(self, name: str) -> NDArray[np.float64]:
        """Mean over the heads (n_rows, n_columns)."""
        return np.asarray(self.matrices[name].mean(axis=0))

    def received(self, name: str) -> NDArray[np.float64]:
        """How much each column is looked at, relative to an even look (n_columns,): 1 is even, 0 never."""
        mean = self.mean(name)
        return np.asarray(mean.mean(axis=0) * mean.shape[1])

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {matrix.shape}" for name, matrix in self.matrices.items())
        return f"Attention: {shapes}, mean of {self.n}"


def attention(network: Any, x: Any, *, batch_size: int = 16) -> Attention:
    """Return where a network looks.

    Parameters
    ----------
    network : torch module
        With a method ``attention(x)``, which gives matrices by name: (batch, rows, columns), or
        (batch, heads, rows, columns), or with time after batch. The networks ``conv_sc``, ``conv_sct`` and
        ``transformer`` have it.
    x : array-like or tensor of shape (n, n_points), or (n, time, n_points) for networks that read sequences
        As the network takes it. A network that is sequential reads (n, n_points) as one sequence of n patterns.
    batch_size : int
        Patterns that are in the network at once.

    Returns
    -------
    Attention

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.networks import NETWORKS
    >>> network = NETWORKS["conv_sc"](128)
    >>> found = attention(network, np.random.default_rng(0).uniform(size=(5, 128)))
    >>> found
    Attention: spatial (2, 256, 256), channel (1, 8, 8), mean of 5
    >>> bool(np.allclose(found.mean("channel").sum(axis=1), 1))
    True
    """
    size = whole(_WHAT, "batch_size", batch_size, 1, "Use for instance 16")
    try:
        import torch
    except ImportError as error:  # pragma: no cover - torch is there when tests run
        raise MissingExtraError(_WHAT, "networks need torch", "Run: pip install 'peakwise[torch]'") from error
    if not isinstance(network, torch.nn.Module) or not callable(getattr(network, "attention", None)):
        why = f"the network must have a method attention(x), and {type(network).__name__} has none"
        raise OptionError(_WHAT, why, "Use conv_sc, conv_sct or transformer")
    values = next(network.parameters(), torch.zeros(0))
    points = torch.as_tensor(x if hasattr(x, "detach") else np.array(x), dtype=values.dtype, device=values.device)
    if points.ndim == 2 and getattr(network, "is_sequential", False):
        points = points[None]
    if points.ndim not in (2, 3) or len(points) == 0:
        why = f"x must have shape (n, n_points) or (n, time, n_points), got {tuple(points.shape)}"
        raise OptionError(_WHAT, why, "Give one row a pattern")
    modules = list(network.modules())
    was = [module.training for module in modules]
    sums: dict[str, NDArray[np.float64]] = {}
    counts: dict[str, int] = {}
    try:
        network.eval()
        with torch.no_grad():
            for piece in points.split(size):
                for name, matrix in network.attention(piece).items():
                    flat = _by_head(name, matrix.cpu().numpy().astype(np.float64), piece.ndim)
                    sums[name] = sums.get(name, 0.0) + flat.sum(axis=0)
                    counts[name] = counts.get(name, 0) + len(flat)
    finally:
        for module, training in zip(modules, was, strict=True):
            module.training = training
    matrices = {name: total / counts[name] for name, total in sums.items()}
    wrong = [name for name, m in matrices.items() if not np.allclose(m.sum(axis=-1), 1, atol=1e-3)]
    if wrong:
        why = f"rows of {wrong[0]} must sum to 1, got {matrices[wrong[0]].sum(axis=-1).mean():.3g}"
        raise OptionError(_WHAT, why, "Give the matrices after their softmax")
    return Attention(matrices, len(points))


def _by_head(name: str, matrix: NDArray[np.float64], ndim: int) -> NDArray[np.float64]:
    """As (batch, heads, rows, columns); times of a sequence count as patterns."""
    if ndim == 3 and not name.startswith("temporal") and matrix.ndim > 3:
        matrix = matrix.reshape(-1, *matrix.shape[2:])
    if matrix.ndim == 3:
        matrix = matrix[:, None]
    if matrix.ndim != 4:
        why = f"{name} must have shape (batch, rows, columns) or (batch, heads, rows, columns), got {matrix.shape}"
        raise OptionError(_WHAT, why, "Mend attention of the network")
    return matrix
