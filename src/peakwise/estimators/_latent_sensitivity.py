"""How many latent numbers are enough: the error of descriptors, and of the patterns made again, by their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.estimators.descriptor_regressor import DescriptorRegressor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["latent_sensitivity"]


def latent_sensitivity(
    X: Any,
    y: Any = None,
    targets: Sequence[str] | None = None,
    *,
    sizes: Sequence[int] = (2, 5, 10, 20, 30, 50),
    workflow: str = "hybrid",
    options: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    bins: Any = 150,
) -> list[dict[str, Any]]:
    """Fit with several numbers of latent numbers, and tell the errors on patterns that were kept away.

    Parameters
    ----------
    X, y, targets : as in `DescriptorRegressor.fit`
    sizes : sequence of int
    workflow : str
        One of those with latent numbers.
    options : mapping, optional
        Its other options.
    seeds : sequence of int
        Each draws other patterns to keep away, and other first weights.
    bins : as in `DescriptorRegressor`

    Returns
    -------
    list of dict
        For each size ``n_latent``; ``error``, the mean over the targets of the root mean square error as a share of the
        range of each, and ``deviation`` of it over the seeds; and ``reconstruction``, the mean square error of patterns
        on the scale of the training; None without a decoder.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.random(40)
    >>> scans = np.outer(y, np.hanning(30)) + 0.01 * rng.random((40, 30))
    >>> rows = latent_sensitivity(scans, y, sizes=(1, 3), seeds=(0,), options={"epochs": 30, "learning_rate": 3e-3})
    >>> [row["n_latent"] for row in rows]
    [1, 3]
    """
    made = []
    for size in sizes:
        errors, again = [], []
        for seed in seeds:
            model = DescriptorRegressor(
                workflow, bins=bins, options={**(options or {}), "n_latent": int(size)}, random_state=seed
            ).fit(X, y, targets)
            learned = model._model.targets
            own = np.array(list(model.held_errors_.values())) / (learned.high - learned.low)
            errors.append(float(own.mean()))
            lost = model.reconstruction_error(X)
            if lost is not None:
                again.append(lost)
        if not errors:
            raise OptionError("cannot compare sizes", "seeds must name at least one, got none", "Give seeds=(0,)")
        made.append({
            "n_latent": int(size), "error": float(np.mean(errors)), "deviation": float(np.std(errors)),
            "reconstruction": float(np.mean(again)) if again else None,
        })  # fmt: skip
    return made
