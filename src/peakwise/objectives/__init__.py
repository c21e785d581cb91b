"""What a network learns: one objective per file, each from a batch to a loss.

To add an objective: one file beside these and one line in the table `OBJECTIVES`.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from peakwise.errors import OptionError
from peakwise.networks import build_named
from peakwise.objectives._classifier import Classifier
from peakwise.objectives._linear_evaluation import LinearEvaluation, draw_labelled, encode, linear_evaluation
from peakwise.objectives._objective import Objective, evaluating
from peakwise.objectives._relations import order_positions
from peakwise.objectives.autoencoder import Autoencoder
from peakwise.objectives.binned_votes import BinnedVotes, believability
from peakwise.objectives.multi_label import MultiLabel
from peakwise.objectives.regression import Regression
from peakwise.objectives.self_supervised import SelfSupervised
from peakwise.objectives.single_label import SingleLabel
from peakwise.objectives.supervised_contrastive import SupervisedContrastive
from peakwise.objectives.variational import Variational

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peakwise.networks import Encoder

OBJECTIVES: dict[str, type[Objective]] = {
    "single_label": SingleLabel,
    "multi_label": MultiLabel,
    "binned_votes": BinnedVotes,
    "supervised_contrastive": SupervisedContrastive,
    "self_supervised": SelfSupervised,
    "autoencoder": Autoencoder,
    "variational": Variational,
    "regression": Regression,
}

__all__ = [
    "OBJECTIVES",
    "Autoencoder",
    "BinnedVotes",
    "Classifier",
    "LinearEvaluation",
    "MultiLabel",
    "Objective",
    "Regression",
    "SelfSupervised",
    "SingleLabel",
    "SupervisedContrastive",
    "Variational",
    "believability",
    "build_objective",
    "draw_labelled",
    "encode",
    "evaluating",
    "linear_evaluation",
    "order_positions",
]


def build_objective(
    name: str, encoder: Encoder, n_classes: int | None = None, options: Mapping[str, Any] | None = None
) -> Objective:
    """Build the objective `name` of `OBJECTIVES` around an encoder; `n_classes` for those that tell classes apart.

    >>> from peakwise.networks import build_encoder
    >>> build_objective("single_label", build_encoder("wang_cnn", 200), 5, {"label_smoothing": 0.1}).n_classes
    5
    """
    member = OBJECTIVES.get(name)
    asked = None if member is None else inspect.signature(member).parameters.get("n_classes")
    # Where classes may be left out they are an option like any other.
    counts = member is None or (asked is not None and asked.default is asked.empty)
    if member is not None and counts != (n_classes is not None):
        what = "a number of classes" if counts else "no classes, only patterns"
        got = "none" if n_classes is None else f"n_classes={n_classes!r}"
        do = "Give n_classes" if counts else "Leave out n_classes"
        raise OptionError(f"cannot build the objective {name!r}", f"it needs {what}, got {got}", do)
    return build_named("objective", OBJECTIVES, name, (encoder, n_classes) if counts else (encoder,), options or {})
