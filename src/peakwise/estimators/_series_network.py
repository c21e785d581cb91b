"""A network that tells the states of a series apart: trained with labels, or without and asked by a linear head."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.errors import OptionError
from peakwise.estimators._rows import unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from peakwise.networks import Encoder
    from peakwise.objectives import LinearEvaluation, Objective

    Floats = NDArray[np.float32]

__all__ = ["SELF_SUPERVISED", "SeriesNetwork"]

# Options of `SelfSupervised` that make the methods of Sun, thesis, Szeged 2023, chapter 7.
SELF_SUPERVISED: dict[str, dict[str, Any]] = {
    "spec_rr_moco": {},
    "spec_rr": {"contrast_weight": 0.0},
    "spec_moco": {"contrast_weight": math.inf},
    "self_time": {"contrast_weight": 0.0, "temporal": False},
}
_EPOCHS = 40
_BATCH = 32
_SEQUENCE = 16  # patterns that a sequence network reads at once
_NOISE = {"jitter": {"sigma": 0.02}, "scaling": {}}  # of supervised training: 50 noisy copies in the thesis


@dataclass(eq=False)
class SeriesNetwork:
    """An encoder, and what makes states of its features.

    Attributes
    ----------
    encoder : Encoder
    name : str
        Of the network.
    method : str
    classifier : Objective or None
        With its head, if it was trained by cross-entropy.
    head : LinearEvaluation or None
        On frozen features otherwise.
    centre, spread : ndarray, float
        By which rows are standardised.
    history : dict
    """

    encoder: Encoder
    name: str
    method: str
    n_points: int
    centre: NDArray[np.float32]
    spread: float
    classifier: Objective | None = None
    head: LinearEvaluation | None = None
    history: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def train(
        cls,
        intensity: NDArray[np.floating],
        codes: NDArray[np.intp],
        n_states: int,
        *,
        method: str,
        network: str,
        seconds: float | None,
        epochs: int | None = None,
        options: Mapping[str, Any] | None = None,
        position: NDArray[np.floating] | None = None,
        random_state: int = 0,
        threads: int | None = None,
        device: str = "auto",
        progress: Callable[[dict[str, float]], None] | None = None,
    ) -> Self:
        """Train the network on a series (n, m); codes are -1 where a pattern has no label."""
        import torch

        from peakwise.networks import NETWORKS, build_encoder, seeded

        if network not in NETWORKS:
            why = f"network must be one of {', '.join(NETWORKS)}, got {network!r}"
            raise OptionError("cannot train", why, "Choose one")
        rows = unit_rows(intensity).astype(np.float32)
        centre = rows.mean(axis=0)
        spread = float((rows - centre).std()) or 1.0
        rows = (rows - centre) / spread
        is_supervised = method == "network"
        if NETWORKS[network].is_sequential and not is_supervised:
            why = f"{network} reads sequences, and {method} learns from single patterns"
            raise OptionError("cannot train", why, "Choose conv_sc or sun_cnn")
        before = torch.get_num_threads()
        if threads:
            torch.set_num_threads(threads)
        try:
            with seeded(random_state):
                encoder = build_encoder(network, rows.shape[1])
                made = cls(encoder, network, method, rows.shape[1], centre, spread)
                made._learn(
                    rows, codes, n_states, _positions(position, len(rows)), dict(options or {}),
                    {"seconds": seconds, "epochs": epochs or _EPOCHS, "random_state": random_state, "device": device,
                     "progress": progress},
                )  # fmt: skip
        finally:
            torch.set_num_threads(before)
        if not is_supervised and (codes >= 0).any():
            known = codes >= 0
            made.learn_head(made._encode(rows[known]), codes[known], n_states)
        return made

    def _learn(
        self,
        rows: Floats,
        codes: NDArray[np.intp],
        n_states: int,
        position: NDArray[np.float32],
        options: dict[str, Any],
        budget: dict[str, Any],
    ) -> None:
        from peakwise.objectives import build_objective
        from peakwise.training import ArrayBatches, train

        known = codes >= 0
        objective: Objective
        arrays: dict[str, NDArray[Any]]
        size = min(_BATCH, max(2, len(rows) // 4))
        if self.method == "network":
            if self.encoder.is_sequential:
                places = _sequences(len(rows))
                arrays = {"intensity": rows[places], "label": codes[places].astype(np.int64)}
                size = 4
            else:
                arrays = {"intensity": rows[known], "label": codes[known].astype(np.int64)}
            objective = build_objective("single_label", self.encoder, n_states, options)
            self.classifier = objective
        elif self.method == "supervised_contrastive":
            from peakwise.objectives import SupervisedContrastive

            arrays = {"intensity": rows[known], "label": codes[known].astype(np.int64)}
            objective = SupervisedContrastive(self.encoder, **options)
        else:
            from peakwise.objectives import SelfSupervised

            arrays = {"intensity": rows, "position": position}
            queue = 2 ** math.ceil(math.log2(2 * len(rows) + 2 * size))
            objective = SelfSupervised(self.encoder, **{"n_queue": queue, **SELF_SUPERVISED[self.method], **options})
        augment = None
        if self.method == "network" and not self.encoder.is_sequential:
            from peakwise.augmentation import AUGMENTATIONS, Compose

            augment = Compose([AUGMENTATIONS[name](**chosen) for name, chosen in _NOISE.items()])
        history = train(
            objective, ArrayBatches(arrays, size=min(size, len(next(iter(arrays.values())))),
                                    random_state=budget["random_state"]),
            epochs=budget["epochs"], seconds=budget["seconds"], device=budget["device"], learning_rate=1e-3,
            random_state=budget["random_state"], progress=budget["progress"], augment=augment,
        )  # fmt: skip
        if history.stopped == "interrupted":
            raise KeyboardInterrupt  # what learned for a moment is not what was asked for
        self.history = {
            "steps": history.steps, "seconds": round(history.seconds, 2), "loss": history.logged[-1]["loss"],
        }  # fmt: skip
        objective.cpu()

    def features(self, intensity: NDArray[np.floating]) -> NDArray[np.float32]:
        """What the encoder makes of patterns (n, m): (n, n_features)."""
        return self._encode(self._rows(intensity))

    def learn_head(self, features: NDArray[np.floating], codes: NDArray[np.intp], n_states: int) -> None:
        """A linear head on frozen features with these labels."""
        from peakwise.objectives import linear_evaluation

        self.head = linear_evaluation(features, codes.astype(np.int64), n_classes=n_states)

    def probabilities(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities of the states of patterns (n, m): (n, n_states)."""
        import torch

        rows = self._rows(intensity)
        if self.head is not None:
            return self.head.predict(self._encode(rows))
        if self.classifier is None:
            raise OptionError("cannot tell states", "the network has no head", "Train it with labels")
        if not self.encoder.is_sequential:
            return np.asarray(self.classifier.predict(torch.from_numpy(rows)).numpy(), dtype=np.float64)
        places = _sequences(len(rows))
        told = self.classifier.predict(torch.from_numpy(rows[places]), size=16).numpy()
        made = np.zeros((len(rows), told.shape[-1]))
        count = np.zeros((len(rows), 1))
        for where, values in zip(places, told, strict=True):
            np.add.at(made, where, values)
            np.add.at(count, where, 1)
        return np.asarray(made / count)

    def to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain numbers and texts, and the weights as arrays."""
        module = self.encoder if self.classifier is None else self.classifier
        arrays = {f"weights.{name}": value.detach().cpu().numpy() for name, value in module.state_dict().items()}
        arrays["centre"] = self.centre
        recipe = {
            "network": self.name, "method": self.method, "points": self.n_points, "spread": self.spread,
            "history": self.history, "head": None,
        }  # fmt: skip
        if self.head is not None:
            recipe["head"] = {"decay": self.head.decay, "scale": self.head.scale}
            arrays |= {f"head.{name}": getattr(self.head, name) for name in ("weight", "bias", "mean")}
        return recipe, arrays

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], n_states: int) -> Self:
        """The inverse of `to_recipe`."""
        import torch

        from peakwise.networks import build_encoder
        from peakwise.objectives import LinearEvaluation, build_objective

        points = int(recipe["points"])
        if not 16 <= points <= 100_000:
            raise ValueError(f"a network of {points} points")
        encoder = build_encoder(str(recipe["network"]), points)
        is_supervised = recipe["method"] == "network"
        module = build_objective("single_label", encoder, n_states, {}) if is_supervised else encoder
        state = module.state_dict()
        weights = {k.removeprefix("weights."): a for k, a in arrays.items() if k.startswith("weights.")}
        if set(state) != set(weights):
            raise ValueError("the weights are not those of the network")
        for name, value in weights.items():
            if tuple(state[name].shape) != tuple(value.shape) or not np.isfinite(value).all():
                raise ValueError(f"the weights {name} have the shape {value.shape} or are not finite")
        module.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
        module.eval()
        centre = np.asarray(arrays["centre"], dtype=np.float32)
        made = cls(encoder, str(recipe["network"]), str(recipe["method"]), points, centre, float(recipe["spread"]))
        if centre.shape != (points,) or not made.spread > 0:
            raise ValueError("the rows are centred by another number of points")
        if is_supervised:
            made.classifier = module
        if recipe["head"] is not None:
            weight, bias, mean = (np.asarray(arrays[f"head.{name}"], np.float64) for name in ("weight", "bias", "mean"))
            wanted, scale = (n_states, encoder.n_features), float(recipe["head"]["scale"])
            if weight.shape != wanted or bias.shape != wanted[:1] or mean.shape != wanted[1:] or not scale > 0:
                raise ValueError("the head is not one of the network")
            made.head = LinearEvaluation(weight, bias, mean, scale, float(recipe["head"]["decay"]))
        made.history = dict(recipe.get("history", {}))
        return made

    def _rows(self, intensity: NDArray[np.floating]) -> Floats:
        return np.asarray((unit_rows(intensity).astype(np.float32) - self.centre) / self.spread, dtype=np.float32)

    def _encode(self, rows: Floats) -> NDArray[np.float32]:
        import torch

        from peakwise.objectives import encode

        return np.asarray(encode(self.encoder, torch.from_numpy(np.ascontiguousarray(rows))).numpy())


def _positions(position: NDArray[np.floating] | None, n: int) -> NDArray[np.float32]:
    """Where each pattern stands in the series, 0 to 1: by the external variable where it is known."""
    from peakwise.objectives import order_positions

    if position is None or not np.isfinite(position).all():
        position = np.arange(n, dtype=np.float64)
    return np.asarray(order_positions(position).numpy(), dtype=np.float32)


def _sequences(n: int) -> NDArray[np.intp]:
    """Numbers of the patterns of each sequence: half overlapping; a short series repeats its last pattern."""
    starts = np.unique(np.append(np.arange(0, max(1, n - _SEQUENCE + 1), _SEQUENCE // 2), max(0, n - _SEQUENCE)))
    return np.asarray(np.minimum(starts[:, None] + np.arange(_SEQUENCE), n - 1))
