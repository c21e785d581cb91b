"""From a model file back to the estimator that wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.errors import ModelFileError

if TYPE_CHECKING:
    import os

    from peakwise.estimators._base import Estimator

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> Estimator:
    """Return the fitted estimator that a model file holds; no code of the file is run.

    Parameters
    ----------
    path : path-like
        A ``.pw`` file written by ``save``.
    """
    from peakwise.estimators import ESTIMATORS
    from peakwise.modelfiles import read_model

    model = read_model(path)
    recipe: dict[str, Any] = dict(model.recipe)
    name = recipe.get("estimator")
    if not isinstance(name, str) or name not in ESTIMATORS:
        why = f"it must hold one of {', '.join(ESTIMATORS)}, got {name!r}"
        raise ModelFileError("cannot load the model", why, "Update peakwise, or train it again", file=str(path))
    try:
        return ESTIMATORS[name]._rebuild(recipe, model.arrays)
    except (KeyError, TypeError, ValueError, IndexError, MemoryError) as problem:
        why = f"its parts do not make a {name} ({type(problem).__name__}: {problem})"
        raise ModelFileError("cannot load the model", why, "Train it again", file=str(path)) from problem
