"""Encoders of the compression series, trained with and without labels, and what a linear head makes of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.estimators._series_network import SELF_SUPERVISED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.objectives import Objective
    from peakwise.studies._hed_labels import Suite

__all__ = [
    "METHODS",
    "Encoded",
    "Learning",
    "head_answers",
    "learn_contrastive",
    "learn_supervised",
    "pretrain",
]

_RATE = 1e-3
_OPTIONS = {"conv_sc": {"has_feed_forward": False}}  # of the encoders of chapter 7
_DECAY = 1e-3  # of linear heads: fixed, because a third of 42 labels held out says little


METHODS: dict[str, dict[str, Any]] = {
    "SelfTime": SELF_SUPERVISED["self_time"],
    "SpecRR": SELF_SUPERVISED["spec_rr"],
    "SpecMoco": SELF_SUPERVISED["spec_moco"],
    "SpecRRMoco": SELF_SUPERVISED["spec_rr_moco"],
}


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How an encoder learns: its network, what views are, and for how long."""

    network: str
    augmentations: Mapping[str, Mapping[str, Any]]
    batch: int
    epochs: int
    seconds: float | None
    random_state: int
    device: str

    def train(self, objective: Objective, arrays: Mapping[str, NDArray[Any]], augment: Any = None) -> None:
        """Train an objective in place on these arrays."""
        from peakwise.training import ArrayBatches, train

        train(
            objective, ArrayBatches(arrays, self.batch, self.random_state), epochs=self.epochs, seconds=self.seconds,
            learning_rate=_RATE, random_state=self.random_state, device=self.device, augment=augment,
        )  # fmt: skip


class Encoded(NamedTuple):
    """Features (n, n_features) of all patterns, each brought to length 1, and the seconds of a core they took."""

    features: NDArray[np.float64]
    seconds: float


def pretrain(
    suite: Suite, inside: NDArray[np.bool_], options: Mapping[str, Any], n_views: int, learning: Learning
) -> Encoded:
    """Train an encoder on the patterns `inside`, whose labels are not looked at, and encode all patterns."""
    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import SelfSupervised, order_positions

    start = time.process_time()
    order = np.concatenate([np.arange(len(p)) for p in suite.patterns])
    position = order_positions(order[inside], suite.series[inside]).numpy()
    with seeded(learning.random_state):
        encoder = build_encoder(learning.network, suite.rows.shape[1], _OPTIONS.get(learning.network))
        objective = SelfSupervised(
            encoder, augmentations=learning.augmentations, n_views=n_views, n_queue=2 * int(inside.sum()), **options
        )
    learning.train(objective, {"intensity": suite.rows[inside], "position": position})
    return _encoded(encoder, suite, start)


def learn_contrastive(suite: Suite, known: NDArray[np.bool_], learning: Learning) -> Encoded:
    """Train an encoder by supervised contrast on the labels that are told, and encode all patterns."""
    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import SupervisedContrastive

    start = time.process_time()
    with seeded(learning.random_state):
        encoder = build_encoder(learning.network, suite.rows.shape[1])
        objective = SupervisedContrastive(encoder, augmentations=learning.augmentations)
    learning.train(objective, _labelled(suite, known))
    return _encoded(encoder, suite, start)


def learn_supervised(suite: Suite, known: NDArray[np.bool_], learning: Learning) -> tuple[NDArray[np.int64], float]:
    """Train the same network by cross-entropy; states of all patterns, and seconds of a core."""
    import torch

    from peakwise.augmentation import AUGMENTATIONS, Compose
    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import SingleLabel

    start = time.process_time()
    with seeded(learning.random_state):
        objective = SingleLabel(build_encoder(learning.network, suite.rows.shape[1]), n_classes=3)
    augment = Compose([AUGMENTATIONS[name](**chosen) for name, chosen in learning.augmentations.items()])
    learning.train(objective, _labelled(suite, known), augment)
    answers = objective.cpu().predict(torch.from_numpy(suite.rows)).numpy().argmax(axis=1)
    return np.asarray(answers, dtype=np.int64), time.process_time() - start


def head_answers(
    suite: Suite, known: NDArray[np.bool_], features: NDArray[np.float64], *, chained: bool = False
) -> NDArray[np.int64]:
    """States of all patterns by a linear head on frozen features, fitted to the labels that are told.

    With `chained`, neighbours in a series are mostly in one state, as in `TransitionDetector`.
    """
    from peakwise.estimators._transitions import sticky
    from peakwise.objectives import linear_evaluation

    head = linear_evaluation(features[known], suite.labels[known], n_classes=3, decay=_DECAY)
    told = head.predict(features)
    if chained:
        told = np.concatenate([sticky(told[place]) for place in suite.places.values()])
    return np.asarray(told.argmax(axis=1), dtype=np.int64)


def _labelled(suite: Suite, known: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {"intensity": suite.rows[known], "label": suite.labels[known]}


def _encoded(encoder: Any, suite: Suite, start: float) -> Encoded:
    import torch

    from peakwise.objectives import encode

    features = encode(encoder.cpu(), torch.from_numpy(suite.rows)).double().numpy()
    length = np.sqrt((features**2).sum(axis=1, keepdims=True))
    # Of length 1, as all contrasts see them.
    return Encoded(features / np.where(length > 0, length, 1), time.process_time() - start)
