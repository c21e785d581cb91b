"""States of nine compression series from 286 labels of four: supervised contrast against cross-entropy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.evaluation import over_seeds
from peakwise.studies._hed_breaks import own_answers, prepare_breaks
from peakwise.studies._hed_data import LABELLED
from peakwise.studies._hed_encoders import Learning, head_answers, learn_contrastive, learn_supervised
from peakwise.studies._hed_labels import FE, draw_labels, judge, linear_answers, nearest_answers, read_suite
from peakwise.studies._hed_training import thread_limit
from peakwise.studies._study import Outcome, Request, Study, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.studies._hed_labels import Suite

__all__ = ["HED_CONTRASTIVE", "Settings", "run"]

# Table 6.1: accuracy on D1 to D9, then the means over Fe, FeO and all nine.
PUBLISHED = (
    ("supervised contrastive", 1.0, 1.0, 1.0, 0.99, 1.0, 0.99, 1.0, 0.95, 0.97, 0.997, 0.960, 0.989),
    ("cross-entropy", 1.0, 1.0, 1.0, 1.0, 1.0, 0.84, 0.96, 0.98, 0.94, 0.972, 0.962, 0.970),
)
CONTRAST, CROSS_ENTROPY = "supervised contrastive", "cross-entropy"
DIFFERENCES = (
    "The measured series of the thesis are not public: these are made, with its samples, numbers of frames, exposures "
    "and rates. The thesis does not say which four series its 286 patterns are from; here D1, D4, D8 and D9, those "
    "of its chapter 7. Patterns are square roots of shares, not brought to a maximum of 1 (a noisy maximum would be "
    "higher), shortened, and seen by a small network. Each pattern that had no label counts, no other."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    points : int
        About so many points a pattern.
    network : str
        A key of ``peakwise.networks.NETWORKS``.
    n_labels : int
    labelled : tuple of str
        Series that the labels are from.
    seeds : int
        Repetitions, each with labels and a network of its own.
    epochs, batch : int
    augmentations : dict
        What a pattern goes through in training, for both losses.
    """

    points: int = 500
    network: str = "patch_conv"
    n_labels: int = 286
    labelled: tuple[str, ...] = ("D1", "D4", "D8", "D9")
    seeds: int = 3
    epochs: int = 60
    batch: int = 143
    augmentations: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"slice": {}, "warp": {}, "magnitude": {}, "jitter": {}}
    )


QUICK = Settings(points=250, seeds=1, epochs=8)


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    settings = QUICK if request.quick else Settings()
    request.tell("making the series", 0.0)
    suite = read_suite(settings.points, random_state=request.seed)
    request.tell("aligning the series", 0.05)
    seen = prepare_breaks(suite)
    found: dict[str, list[NDArray[np.float64]]] = {}
    seconds: dict[str, list[float]] = {CONTRAST: [], CROSS_ENTROPY: []}
    with thread_limit(request.threads):
        for seed in range(settings.seeds):
            known = draw_labels(
                suite, settings.n_labels, settings.labelled, random_state=request.seed + seed, parts=False
            )
            answers = {
                "PCA (32) + logistic regression": linear_answers(suite, known),
                "nearest labelled pattern": nearest_answers(suite, known),
                "ours: alike up to a strain, breaks between labels": own_answers(suite, known, seen),
            }
            for i, name in enumerate((CONTRAST, CROSS_ENTROPY)):
                request.tell(f"{name}, {seed + 1} of {settings.seeds}", 0.15 + 0.8 * (seed + i / 2) / settings.seeds)
                answers[name], took = _trained(name, suite, known, settings, request, request.seed + seed)
                seconds[name].append(took)
            for name, states in answers.items():
                found.setdefault(name, []).append(_row(suite, judge(suite, known, states).recall))
    return Outcome([_table(found, seconds, settings)], (), _warnings(found), {**asdict(settings), "note": DIFFERENCES})


def _trained(
    name: str, suite: Suite, known: NDArray[np.bool_], settings: Settings, request: Request, seed: int
) -> tuple[NDArray[np.int64], float]:
    limit = None if request.minutes is None else 60 * request.minutes / (2 * settings.seeds)
    learning = Learning(
        network=settings.network, augmentations=settings.augmentations, batch=settings.batch,
        epochs=settings.epochs, seconds=limit, random_state=seed, device=request.device,
    )  # fmt: skip
    if name == CROSS_ENTROPY:
        return learn_supervised(suite, known, learning)
    encoded = learn_contrastive(suite, known, learning)
    return head_answers(suite, known, encoded.features), encoded.seconds


def _row(suite: Suite, recall: tuple[float, ...]) -> NDArray[np.float64]:
    """Accuracy on each series, then the means over Fe, FeO and all."""
    shares = np.array(recall) / 100
    is_iron = np.isin(suite.names, FE)
    return np.array([*shares, shares[is_iron].mean(), shares[~is_iron].mean(), shares.mean()])


def _table(
    found: Mapping[str, list[NDArray[np.float64]]], seconds: Mapping[str, list[float]], settings: Settings
) -> Table:
    rows = []
    for name in sorted(found, key=lambda n: n not in seconds):  # the two that are compared come first
        values = np.array(found[name])
        took = round(float(np.mean(seconds[name])), 1) if name in seconds else ""
        rows.append((name, *values.mean(axis=0).round(4).tolist(), over_seeds(values[:, -1]).text, took))
    return Table(
        f"Accuracy with {settings.n_labels} labels of {', '.join(settings.labelled)}; {settings.seeds} repetitions",
        ("loss", *LABELLED, "Fe", "FeO", "average", "average and deviation", "training [s of a core]"),
        rows,
        [(*row, "", "") for row in PUBLISHED],
    )


def _warnings(found: Mapping[str, list[NDArray[np.float64]]]) -> list[str]:
    means = {name: float(np.mean([row[-1] for row in rows])) for name, rows in found.items()}
    best = max(means, key=lambda name: means[name])
    said = [DIFFERENCES]
    if best != CONTRAST:
        said.append(f"{best} is better here ({means[best]:.4f}) than {CONTRAST} ({means[CONTRAST]:.4f})")
    return said


HED_CONTRASTIVE = Study(
    name="hed-contrastive",
    title="States of nine compression series from 286 labels: supervised contrast against cross-entropy",
    citation="Y. Sun, PhD thesis, University of Szeged (2023), chapter 6; Y. Sun et al., Sci. Rep. 13 (2023) 9370",
    doi="10.1038/s41598-023-36456-y",
    run=run,
)
