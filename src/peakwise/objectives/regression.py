"""Read numbers off a pattern, or off several kinds of pattern of the same sample, and make the pattern again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import nn
from torch.nn import functional

from peakwise.errors import OptionError
from peakwise.networks import RegressionMLP, build_decoder, check_count, check_number
from peakwise.objectives._objective import Objective, evaluating, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["Regression"]

_WIDEST = 20.0  # of the logarithm of a variance: beyond it nothing changes but the numbers overflow


@final
class Regression(Objective):
    """Latent numbers of each modality, joined; descriptors read off them; and the modalities made again.

    A batch holds ``intensity`` (n, n_points), ``intensity_1`` and so on of further modalities, and ``target``
    (n, n_targets). With several modalities it may hold ``present`` (n, n_modalities), 1 where that modality was
    measured.

    Parameters
    ----------
    encoder : Encoder
        Of the first modality.
    others : sequence of Encoder
        Of further modalities.
    n_targets : int
        Numbers to read off, classes of texts included.
    groups : sequence of (int, int)
        Columns, from and to (excluded), that are the classes of one text: they are learned by their cross-entropy and
        answered as probabilities.
    n_latent : int or sequence of int
        Of each modality.
    decoder : str or None
        A key of `DECODERS`; None for none: then only the descriptors are learned.
    decoder_options : mapping, optional
    loss_scaler : float or sequence of float
        What the reconstruction of each modality counts beside the descriptors.
    widths, dropout :
        Of the `RegressionMLP`.
    beta : float or None
        With a number the latent numbers have a spread, and their divergence from a normal distribution counts so much:
        then patterns can be drawn. It is per point of the pattern, as the reconstruction is.
    modality_dropout : float
        How often a modality is hidden while it learns, where there are several; one always stays.

    Attributes
    ----------
    stage : {"both", "patterns", "descriptors"}
        What the loss is of: an autoencoder is trained first with ``patterns``, a perceptron on it with ``descriptors``.

    Notes
    -----
    ``L = sum over modalities of w_i MSE(I_i, made I_i) + MSE(s, read s)``: D. Vizoso, R. Dingreville, J. Appl. Phys.
    137, 131101 (2025), equations 7 and 8; without decoder their regression-focused model. A hidden modality has latent
    numbers of 0, and one input of the perceptron says which are there.

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = Regression(build_encoder("conv_stack", 150), n_targets=7)
    ...     parts = objective({"intensity": torch.rand(4, 150), "target": torch.rand(4, 7)})
    >>> list(parts), objective.answer([torch.rand(2, 150)]).shape
    (['loss', 'regression', 'reconstruction'], torch.Size([2, 7]))
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        others: Sequence[Encoder] = (),
        n_targets: int = 1,
        groups: Sequence[tuple[int, int]] = (),
        n_latent: int | Sequence[int] = 30,
        decoder: str | None = "conv",
        decoder_options: Mapping[str, Any] | None = None,
        loss_scaler: float | Sequence[float] = 3.0,
        widths: Sequence[int] = (64, 64, 64, 64),
        dropout: float = 0.2,
        beta: float | None = None,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.others = nn.ModuleList(others)
        every = [encoder, *others]
        self.n_latents = _each(self, "n_latent", n_latent, len(every))
        for size in self.n_latents:
            check_count(self, "n_latent", size)
        scalers = _each(self, "loss_scaler", loss_scaler, len(every))
        self.loss_scalers = [check_number(self, "loss_scaler", w) for w in scalers]
        self.beta = None if beta is None else check_number(self, "beta", beta)
        self.modality_dropout = check_number(self, "modality_dropout", modality_dropout, below=1.0)
        self.groups = tuple((int(a), int(b)) for a, b in groups)
        self.mean = nn.ModuleList([nn.Linear(e.n_features, n) for e, n in zip(every, self.n_latents, strict=True)])
        self.log_variance = nn.ModuleList(
            [] if beta is None else [nn.Linear(e.n_features, n) for e, n in zip(every, self.n_latents, strict=True)]
        )
        self.decoders = nn.ModuleList(
            []
            if decoder is None
            else [
                build_decoder(decoder, n, e.n_points, decoder_options)
                for e, n in zip(every, self.n_latents, strict=True)
            ]
        )
        if beta is not None and decoder is None:
            raise OptionError("cannot build Regression", "beta needs a decoder, got none", "Choose one, or beta=None")
        told = len(every) if len(every) > 1 else 0
        self.head = RegressionMLP(sum(self.n_latents) + told, n_targets, widths, dropout)
        self.stage = "both"

    @property
    def n_modalities(self) -> int:
        """How many kinds of pattern there are."""
        return 1 + len(self.others)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``, ``regression``, ``reconstruction`` where there is a decoder, ``divergence`` where there is beta."""
        patterns = [part_of(self, batch, _name(i)) for i in range(self.n_modalities)]
        target = part_of(self, batch, "target").float()
        present = self._present(patterns, batch.get("present"))
        means, variances = self._code(patterns)
        latent = [m + torch.exp(0.5 * v) * torch.randn_like(m) for m, v in zip(means, variances, strict=True)]
        drawn = latent if self.beta is not None and self.training else means
        regression = self._surprise(self._read(drawn, present), target)
        loss = 0.0 * regression.detach() if self.stage == "patterns" else regression
        parts = {"regression": regression.detach()}
        if len(self.decoders) and self.stage != "descriptors":
            made = [
                _mean_square(decoder(z), x, present[:, i])
                for i, (decoder, z, x) in enumerate(zip(self.decoders, drawn, patterns, strict=True))
            ]
            loss = loss + sum(w * m for w, m in zip(self.loss_scalers, made, strict=True))
            parts["reconstruction"] = sum(m.detach() for m in made)
        if self.beta is not None and self.stage != "descriptors":
            apart = [0.5 * (v.exp() + m**2 - 1 - v).sum(1).mean() for m, v in zip(means, variances, strict=True)]
            points = [self.encoder.n_points, *(e.n_points for e in self.others)]
            loss = loss + self.beta * sum(d / n for d, n in zip(apart, points, strict=True))
            parts["divergence"] = sum(d.detach() for d in apart)
        return {"loss": loss, **parts}

    def answer(self, patterns: Sequence[Tensor], present: Tensor | None = None) -> Tensor:
        """Numbers (n, n_targets) of patterns (n, n_points) of each modality; classes as probabilities; no gradients."""
        with evaluating(self):
            return self.finish(self._read(self.codes(patterns), self._present(list(patterns), present)))

    def codes(self, patterns: Sequence[Tensor]) -> list[Tensor]:
        """Latent numbers (n, n_latent) of each modality, without gradients."""
        with evaluating(self):
            return self._code(patterns)[0]

    def draw(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """Patterns (n, n_points) of each modality from latent numbers, without gradients."""
        with evaluating(self):
            return [decoder(z) for decoder, z in zip(self.decoders, codes, strict=True)]

    def finish(self, raw: Tensor) -> Tensor:
        """Classes as probabilities, numbers as they are."""
        made = raw.clone()
        for start, stop in self.groups:
            made[:, start:stop] = torch.softmax(raw[:, start:stop], dim=1)
        return made

    def _code(self, patterns: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        features = [e(x) for e, x in zip([self.encoder, *self.others], patterns, strict=True)]
        means = [dense(f) for dense, f in zip(self.mean, features, strict=True)]
        if self.beta is None:
            return means, [torch.full_like(m, -_WIDEST) for m in means]
        dense_layers = zip(self.log_variance, features, strict=True)
        return means, [dense(f).clamp(-_WIDEST, _WIDEST) for dense, f in dense_layers]

    def _read(self, latent: Sequence[Tensor], present: Tensor) -> Tensor:
        if len(latent) == 1:
            return self.head(latent[0])
        shown = [z * present[:, i : i + 1] for i, z in enumerate(latent)]
        return self.head(torch.cat([*shown, present], dim=1))

    def _present(self, patterns: list[Tensor], given: Tensor | None) -> Tensor:
        """Which modalities are there (n, n_modalities); while it learns some of them are hidden."""
        first = patterns[0]
        shape = (len(first), self.n_modalities)
        there = torch.ones(shape, dtype=first.dtype, device=first.device) if given is None else given.to(first.dtype)
        if self.training and self.modality_dropout and self.n_modalities > 1:
            hidden = (torch.rand_like(there) < self.modality_dropout) & (there > 0)
            shown = there * ~hidden
            there = torch.where(shown.sum(dim=1, keepdim=True) > 0, shown, there)
        return there

    def _surprise(self, raw: Tensor, target: Tensor) -> Tensor:
        """Mean squared error of numbers, plus the cross-entropy of each text."""
        if not self.groups:
            return functional.mse_loss(raw.float(), target)
        is_number = torch.ones(raw.shape[1], dtype=torch.bool, device=raw.device)
        loss = raw.new_zeros(())
        for start, stop in self.groups:
            is_number[start:stop] = False
            loss = loss + functional.cross_entropy(raw[:, start:stop].float(), target[:, start:stop])
        if is_number.any():
            loss = loss + functional.mse_loss(raw[:, is_number].float(), target[:, is_number])
        return loss


def _name(modality: int) -> str:
    return "intensity" if modality == 0 else f"intensity_{modality}"


def _mean_square(made: Tensor, x: Tensor, present: Tensor) -> Tensor:
    """Of the rows that are there."""
    squares = ((made.float() - x.float()) ** 2).mean(dim=1)
    return (squares * present).sum() / present.sum().clamp_min(1)


def _each(objective: Objective, name: str, value: Any, n: int) -> list[Any]:
    """One value a modality."""
    listed = list(value) if isinstance(value, (list, tuple)) else [value] * n
    if len(listed) != n:
        why = f"{name} must have one value for each of {n} modalities, got {len(listed)}"
        raise OptionError(f"cannot build {type(objective).__name__}", why, "Give one number, or as many")
    return listed
