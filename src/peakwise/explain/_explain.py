"""The one door: a model, patterns, a target and a method give an explanation."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, OptionError
from peakwise.explain._explainer import Explainer
from peakwise.explain._explanation import Explanation
from peakwise.explain._options import chosen, whole
from peakwise.explain._scorer import CalledScorer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike, NDArray

    from peakwise.explain._scorer import Scorer

__all__ = ["explain"]

_WHAT = "cannot explain the answer"


def explain(
    model: tuple[Any, Callable[[Any], Any]] | Callable[[Any], Any],
    x: ArrayLike,
    target: int | ArrayLike | None = None,
    *,
    method: str | Explainer = "integrated_gradients",
    batch_size: int = 64,
) -> Explanation:
    """Say how much each point of a pattern counted for a score.

    Parameters
    ----------
    model : (encoder, head), torch module or callable
        A pair: an encoder, which makes features of patterns (n, n_points), and a head (any callable), which makes
        scores of features. A module: patterns to scores. Any other callable: patterns as an ndarray (n, n_points) to
        scores (n, n_classes) or (n,); it can be explained by occlusion only.
    x : array-like or tensor of shape (n, n_points) or (n_points,)
        Patterns as the model takes them, that is after all preprocessing.
    target : int or array-like of int of shape (n,), optional
        Column of the scores that is explained, for all or for each pattern. None: the highest score of each pattern.
    method : str or Explainer
        A name in `EXPLANATIONS`, or one of its classes with options: ``Occlusion(window=31)``.
    batch_size : int
        Patterns that are in the model at once: what bounds the memory.

    Returns
    -------
    Explanation

    Notes
    -----
    Scores are taken as they come: give logits rather than probabilities, since near 0 and 1 those hardly change any
    more. The model is left as it was: its modules in their state of training, no gradients in its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Linear(50, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> found = explain(network, np.ones((2, 50)), target=1)
    >>> found
    Explanation: integrated_gradients of 2 patterns of 50 points
    >>> explain(network, np.ones((2, 50)), method="cam")
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot explain the answer: cam needs a network with a feature map, and ...
    """
    from peakwise.explain import EXPLANATIONS

    if isinstance(method, Explainer):
        names = [name for name, kind in EXPLANATIONS.items() if type(method) is kind]
        name, explainer = names[0] if names else type(method).__name__, method
    else:
        name = chosen(_WHAT, method, EXPLANATIONS)
        explainer = EXPLANATIONS[name]()
    size = whole(_WHAT, "batch_size", batch_size, 1, "Use for instance 64")
    points = _points(x)
    scorer, resting = _scorer(model, points, size)
    with resting:
        if explainer.needs not in scorer.gives:
            works = ", ".join(n for n, kind in EXPLANATIONS.items() if kind.needs in scorer.gives)
            need = {"gradients": "a torch module", "feature_map": "a network with a feature map"}[explainer.needs]
            raise OptionError(_WHAT, f"{name} needs {need}, and this model is none", f"Use {works}")
        scores = scorer.scores(points)
        columns = _targets(target, scores)
        score = scores if columns is None else scores[np.arange(len(points)), columns]
        relevance, notes = explainer.relevance(scorer, points, columns)
    if not np.isfinite(relevance).all():
        why = f"{name} gave NaN or infinite relevance"
        raise OptionError(_WHAT, why, "Look for a division by zero in the model, or use occlusion")
    return Explanation(name, relevance, score, columns, explainer.signed, notes)


def _points(x: Any) -> NDArray[np.float64]:
    """The patterns as (n, n_points), in memory of their own."""
    rows = x.detach().cpu().numpy() if hasattr(x, "detach") else x
    try:
        points = np.atleast_2d(np.array(rows, dtype=np.float64))
    except (TypeError, ValueError):
        raise OptionError(_WHAT, "x must be numbers (n, n_points)", "Give patterns as an array or a tensor") from None
    if points.ndim != 2 or points.shape[1] < 2 or len(points) == 0:
        why = f"x must have shape (n, n_points) with at least one pattern of two points, got {np.shape(rows)}"
        raise OptionError(_WHAT, why, "Give one row a pattern")
    if not np.isfinite(points).all():
        why = f"{np.count_nonzero(~np.isfinite(points))} of {points.size} intensities are NaN or infinite"
        raise OptionError(_WHAT, why, "Drop those patterns or interpolate the gaps")
    return points


def _targets(target: Any, scores: NDArray[np.float64]) -> NDArray[np.intp] | None:
    if scores.ndim == 1:
        if target is None:
            return None
        do = "Leave the target out"
        raise OptionError(_WHAT, f"target must be None where a pattern has one score only, got {target!r}", do)
    n, n_classes = scores.shape
    if target is None:
        return np.asarray(scores.argmax(axis=1), dtype=np.intp)
    columns = np.asarray(target.detach().cpu() if hasattr(target, "detach") else target)
    fits = columns.shape in {(), (n,)} and columns.dtype.kind in "iu"
    if not fits or columns.min() < 0 or columns.max() >= n_classes:
        why = f"target must be a whole number from 0 to {n_classes - 1}, one for all or {n} of them, got {target!r}"
        raise OptionError(_WHAT, why, "Give the column of the scores")
    return np.array(np.broadcast_to(columns, (n,)), dtype=np.intp)


def _scorer(model: Any, points: NDArray[np.float64], size: int) -> tuple[Scorer, AbstractContextManager[None]]:
    """The model behind the face of a scorer, and the state in which it is asked."""
    is_pair = isinstance(model, tuple)
    # Who has a module has imported torch: nobody else needs it here.
    torch = sys.modules.get("torch")
    if not is_pair and not (torch is not None and isinstance(model, torch.nn.Module)):
        if not callable(model):
            why = f"model must be a pair (encoder, head), a torch module or a callable, got {type(model).__name__}"
            raise OptionError(_WHAT, why, "Give one of these")
        return CalledScorer(model, size), nullcontext()
    encoder, head = model if is_pair and len(model) == 2 else (model, None)
    try:
        from torch import nn

        from peakwise.explain._network import NetworkScorer
    except ImportError as error:  # pragma: no cover - torch is there when tests run
        raise MissingExtraError(_WHAT, "networks need torch", "Run: pip install 'peakwise[torch]'") from error
    if not isinstance(encoder, nn.Module) or not (head is None or callable(head)):
        kinds = ", ".join(type(part).__name__ for part in model) if is_pair else type(model).__name__
        raise OptionError(_WHAT, f"a pair must be a torch module and a callable, got {kinds}", "Give (encoder, head)")
    scorer = NetworkScorer(encoder, head, size)
    return scorer, scorer.resting(points[:1])
