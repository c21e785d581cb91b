"""Measured noise under the main peaks of a theoretical pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, refuse, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomNoiseShuffle"]


@final
class RandomNoiseShuffle(Augmentation):
    """Keep the largest points of a theoretical pattern, and put shuffled noise of measured scans at all others.

    Parameters
    ----------
    bank : Tensor of shape (k, m) or (m,)
        Noise cut from the baselines of k measured scans, on the scale of the patterns.
    n_kept : int
        Largest points that stay as they are.
    amplitude : float or (low, high)
        Factor on the noise, drawn for each pattern; a single number is the upper limit.

    Notes
    -----
    H. Wang et al., J. Chem. Inf. Model. 60 (2020) 2004, doi:10.1021/acs.jcim.0c00020: the largest 400 points, and the
    noise in random order. Each pattern takes one row of the bank. No value of it is used twice in a pattern if the row
    is long enough; a shorter one is repeated, each time in another order.

    Examples
    --------
    >>> noise = RandomNoiseShuffle(torch.tensor([0.1, 0.1, 0.1, 0.1]), n_kept=1)
    >>> noise({"intensity": torch.tensor([[0.0, 9.0, 1.0, 0.0]])}, torch.Generator().manual_seed(0))["intensity"]
    tensor([[0.1000, 9.0000, 0.1000, 0.1000]])
    """

    def __init__(self, bank: Tensor, n_kept: int = 400, amplitude: float | tuple[float, float] = (1.0, 1.0)) -> None:
        if not isinstance(bank, torch.Tensor) or bank.ndim not in (1, 2) or not bank.numel():
            got = tuple(bank.shape) if isinstance(bank, torch.Tensor) else type(bank).__name__
            raise refuse(self, f"bank must be a tensor of shape (k, m) or (m,), not empty, got {got}")
        if not bool(torch.isfinite(bank).all()):
            raise refuse(self, "bank must hold finite numbers, got some that are not")
        if isinstance(n_kept, bool) or not isinstance(n_kept, int) or n_kept < 0:
            raise refuse(self, f"n_kept must be a whole number of 0 or more, got {n_kept!r}")
        self.bank, self.n_kept = bank.reshape(-1, bank.shape[-1]), n_kept
        self.amplitude = as_range(self, "amplitude", amplitude, 0.0, 1e6)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``noise`` (n, n_points): shuffled rows of the bank, times their amplitude."""
        n, length = intensity.shape
        bank = self.bank.to(intensity)
        size = bank.shape[1]
        row = torch.randint(len(bank), (n, 1, 1), generator=generator, device=intensity.device)
        rounds = -(-length // size)
        keys = torch.rand((n, rounds, size), generator=generator, device=intensity.device)
        order = keys.argsort(dim=2)
        noise = bank[row, order].reshape(n, -1)
        return {"noise": noise[:, :length] * uniform((n, 1), self.amplitude, intensity, generator)}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Put the noise everywhere but at the largest points."""
        kept = min(self.n_kept, intensity.shape[1])
        largest = intensity.topk(kept, dim=1).indices
        return drawn["noise"].scatter(1, largest, intensity.gather(1, largest))
