"""The bench of descriptors: the published training as its listings are printed, and ours, to the same loss.

The reference is written after listings 2 to 9 of D. Vizoso, R. Dingreville, J. Appl. Phys. 137, 131101 (2025): samples
as dictionaries in a data set, a loader that shuffles them into batches of 32, torch's AdamW, and after each epoch the
test loss. Both train on the same cells, with one thread, the same rate and decay, from the same first weights. Where
the listing optimises the autoencoder's parameters in the perceptron's loop, those of the perceptron are meant, and
taken.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.objectives import Regression

__all__ = ["run"]

_TARGETS = ("fcc", "hcp", "disordered", "sigma_xx", "sigma_yy", "sigma_zz", "dislocation_density")
_SHARE = 0.7  # of the cells for training
_EPOCHS, _QUICK, _PUBLISHED = 60, 3, 10_000
_RATE, _BATCH = 1e-4, 32
_MORE = 20  # times the epochs of the reference that ours may take to reach its loss
# What is trained -> (whether there is a decoder, the part of the network that learns).
_CASES = {
    "perceptron on latent numbers": (True, "head"), "regression": (False, "all"), "hybrid": (True, "all"),
}  # fmt: skip


def run(out: Output, *, quick: bool = False) -> list[dict[str, Any]]:
    """All rows of the table."""
    from peakwise.estimators._latent_network import using_threads

    data, held = _cells()
    epochs = _QUICK if quick else _EPOCHS
    rows: list[dict[str, Any]] = []
    with using_threads(1):
        for name in out.progress(iter(_CASES), "training", len(_CASES)):
            rows += _case(name, data, held, epochs)
    return rows


def _cells() -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Profiles of 150 points over the largest value of all, and targets from 0 to 1: for training, and for the test."""
    from peakwise import datasets

    gold = datasets.load("gold-md")
    targets = np.stack([gold.meta[name] for name in _TARGETS], axis=1).astype(np.float64)
    targets = (targets - targets.min(axis=0)) / np.ptp(targets, axis=0)
    profiles = gold.intensity / gold.intensity.max()
    order = np.random.default_rng(0).permutation(len(gold))
    cut = int(_SHARE * len(gold))
    parts = [
        {"intensity": profiles[which].astype(np.float32), "target": targets[which].astype(np.float32)}
        for which in (order[:cut], order[cut:])
    ]
    return parts[0], parts[1]


def _network(has_decoder: bool) -> Regression:
    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import Regression

    with seeded(0):
        return Regression(
            build_encoder("conv_stack", 150), n_targets=len(_TARGETS), decoder="conv" if has_decoder else None
        )


def _case(
    name: str, data: dict[str, NDArray[np.float32]], held: dict[str, NDArray[np.float32]], epochs: int
) -> list[dict[str, Any]]:
    from peakwise.estimators._regression_compiled import learn_compiled
    from peakwise.estimators._regression_training import Plan

    has_decoder, part = _CASES[name]
    their_seconds, their_losses = as_printed(_network(has_decoder), data, held, epochs, part)
    plan = Plan(1, _RATE, _RATE, _BATCH, _MORE * epochs, 0, 1, "cpu", None)
    learn_compiled(_network(has_decoder), data, held, plan, part)  # compiled now, or read from the cache
    alone = Plan(epochs, _RATE, _RATE, _BATCH, epochs, 0, 1, "cpu", None)
    whole = learn_compiled(_network(has_decoder), data, held, alone, part)
    reaching = Plan(_MORE * epochs, _RATE, _RATE, _BATCH, _MORE * epochs, 0, 1, "cpu", None)
    reached = learn_compiled(_network(has_decoder), data, held, reaching, part, target=min(their_losses))
    theirs, ours = their_seconds / epochs, whole["seconds"] / epochs
    listing = "listing as printed"
    keys = ("what", "case", "ours", "other", "other_name", "unit", "ratio")
    table = [
        ("epoch", name, 1e3 * ours, 1e3 * theirs, listing, "ms", theirs / ours),
        (f"{_PUBLISHED} epochs", name, _PUBLISHED * ours, _PUBLISHED * theirs, listing, "s", theirs / ours),
        (
            f"to a test loss of {min(their_losses):.4f}", name, reached["seconds"], their_seconds, listing, "s",
            their_seconds / max(reached["seconds"], 1e-9),
        ),
        (f"lowest test loss in {epochs} epochs", name, whole["best"], min(their_losses), listing, "", None),
    ]  # fmt: skip
    return [dict(zip(keys, row, strict=True)) for row in table]


def as_printed(
    network: Regression,
    data: dict[str, NDArray[np.float32]],
    held: dict[str, NDArray[np.float32]],
    epochs: int,
    part: str,
) -> tuple[float, list[float]]:
    """Seconds, and the test loss of the descriptors after each epoch, of the loops as the listings have them."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, Dataset

    class Samples(Dataset):  # type: ignore[misc]  # torch is not there for the type checker
        def __init__(self, table: dict[str, NDArray[np.float32]]) -> None:
            self.profile, self.target = torch.from_numpy(table["intensity"]), torch.from_numpy(table["target"])

        def __len__(self) -> int:
            return len(self.target)

        def __getitem__(self, place: int) -> dict[str, Any]:
            return {"profile": self.profile[place], "target": self.target[place]}

    def answer(profile: Any) -> tuple[Any, Any]:
        """Numbers, and the profile made again; a frozen autoencoder is asked without gradients."""
        with torch.set_grad_enabled(part == "all" and torch.is_grad_enabled()):
            code = network.mean[0](network.encoder(profile))
            made = network.decoders[0](code) if len(network.decoders) else None
        return network.head(code), made

    loss_of = nn.MSELoss()
    learned = network.parameters() if part == "all" else network.head.parameters()
    optimiser = torch.optim.AdamW(learned, lr=_RATE, weight_decay=_RATE)
    order = torch.Generator().manual_seed(0)
    training = DataLoader(Samples(data), batch_size=_BATCH, shuffle=True, generator=order)
    test = DataLoader(Samples(held), batch_size=_BATCH, shuffle=True, generator=order)
    losses = []
    begin = time.perf_counter()
    for _ in range(epochs):
        network.train()
        for batch in training:
            told, made = answer(batch["profile"])
            loss = loss_of(told, batch["target"])
            if part == "all" and made is not None:
                loss = loss + 3.0 * loss_of(made, batch["profile"])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            total = 0.0
            for batch in test:
                told, _ = answer(batch["profile"])
                total += float(loss_of(told, batch["target"])) * len(batch["target"])
            losses.append(total / len(held["target"]))
    return time.perf_counter() - begin, losses
