"""How networks of descriptors are trained: two stages or one, and learning on from a few patterns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from peakwise.objectives import Regression

    Data = Mapping[str, NDArray[np.float32]]

__all__ = ["Plan", "learn_networks"]

_ADAPT_EPOCHS, _ADAPT_SLOWER = 200, 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Attributes
    ----------
    stage : (int, float, float) or None
        Epochs, rate and decay of the autoencoder that is trained before.
    layers : str
        "all", or "last" where only the last layer of the perceptron learns.
    """

    epochs: int
    rate: float
    decay: float
    batch: int
    patience: int
    seed: int
    threads: int
    device: str
    stage: tuple[int, float, float] | None
    layers: str = "all"

    def to_adapt(self, layers: str, n: int) -> Plan:
        """The plan for learning on from `n` patterns."""
        return replace(
            self, epochs=min(self.epochs, _ADAPT_EPOCHS), rate=self.rate / _ADAPT_SLOWER, stage=None, layers=layers,
            batch=min(self.batch, n),
        )  # fmt: skip


def learn_networks(network: Regression, data: Data, held: Data | None, plan: Plan) -> dict[str, Any]:
    """Train in place; returns how it went."""
    from peakwise.estimators._latent_network import using_threads
    from peakwise.estimators._regression_compiled import is_published, learn_compiled

    part = "head" if plan.stage is not None else "last" if plan.layers == "last" else "all"
    compiled = plan.device in ("auto", "cpu") and is_published(network) and part != "last"
    learn = learn_compiled if compiled else _by_torch
    told: dict[str, Any] = {}
    with using_threads(plan.threads):
        if plan.stage is not None:
            told["autoencoder"] = learn(network, data, held, _first_stage(plan), "autoencoder")
        told |= learn(network, data, held, plan, part)
    network.eval()
    return told


def _first_stage(plan: Plan) -> Plan:
    epochs, rate, decay = plan.stage or (plan.epochs, plan.rate, plan.decay)
    return replace(plan, epochs=epochs, rate=rate, decay=decay, patience=epochs)


def _by_torch(network: Regression, data: Data, held: Data | None, plan: Plan, part: str) -> dict[str, Any]:
    """Train some of the network by the loop for all objectives."""
    from peakwise.training import ArrayBatches, train

    network.stage = {"autoencoder": "patterns", "head": "descriptors"}.get(part, "both")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_learns(name, part, len(network.head.layers)))
    batches = ArrayBatches(dict(data), min(plan.batch, len(data["target"])), random_state=plan.seed)
    validations = min(plan.epochs, 200)
    history = train(
        network, batches, epochs=plan.epochs, validate=None if held is None else [held], validations=validations,
        patience=max(2, round(plan.patience * validations / plan.epochs)), learning_rate=plan.rate,
        weight_decay=plan.decay, device=plan.device, random_state=plan.seed % 2**31,
    )  # fmt: skip
    network.cpu().requires_grad_(True)
    network.stage = "both"
    if history.stopped == "interrupted":
        raise KeyboardInterrupt  # a model that was trained for a moment is not what was asked for
    best = None if history.best_score is None else -history.best_score
    return {"steps": history.steps, "seconds": round(history.seconds, 2), "best": best, "stopped": history.stopped}


def _learns(name: str, part: str, n_layers: int) -> bool:
    is_head = name.startswith("head.")
    if part == "autoencoder":
        return not is_head
    if part == "head":
        return is_head
    return part == "all" or name.startswith(f"head.layers.{n_layers - 1}.")
