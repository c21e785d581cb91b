"""What Vizoso and Dingreville print of their four workflows, and the same table of ours.

D. Vizoso, R. Dingreville, J. Appl. Phys. 137, 131101 (2025), tables II to V: root mean square errors over ten splits;
their mean and deviation, those of the model with the least loss, and the least of each descriptor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.studies._study import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PUBLISHED", "TARGETS", "UNITS", "Scored", "all_models", "one_model"]

TARGETS = ("fcc", "hcp", "disordered", "sigma_xx", "sigma_yy", "sigma_zz", "dislocation_density")
UNITS = {"sigma_xx": "GPa", "sigma_yy": "GPa", "sigma_zz": "GPa", "dislocation_density": "1/Å²"}
PUBLISHED: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "reconstruction": (
        (0.01490, 0.00574, 0.00950, 0.00943), (0.00714, 0.000527, 0.00626, 0.00626),
        (0.00639, 0.000994, 0.00586, 0.00524), (2.272, 0.315, 1.645, 1.645), (2.326, 0.293, 1.673, 1.673),
        (2.376, 0.334, 1.733, 1.733), (1.557e-4, 1.917e-5, 1.382e-4, 1.365e-4),
    ),
    "regression": (
        (0.01339, 0.00324, 0.00880, 0.00880), (0.00669, 0.00127, 0.00590, 0.00574),
        (0.00758, 0.00101, 0.00596, 0.00596), (2.798, 0.735, 2.583, 1.805), (2.750, 0.727, 2.470, 1.846),
        (2.792, 0.708, 2.658, 1.902), (1.605e-4, 2.154e-5, 1.427e-4, 1.415e-4),
    ),
    "hybrid": (
        (0.01404, 0.00556, 0.00845, 0.00779), (0.00589, 0.00030, 0.00619, 0.00543),
        (0.00659, 0.00102, 0.00578, 0.00532), (2.393, 0.471, 2.036, 1.839), (2.344, 0.471, 1.950, 1.810),
        (2.401, 0.443, 1.968, 1.874), (1.476e-4, 1.593e-5, 1.394e-4, 1.314e-4),
    ),
    "multimodal": (
        (0.01230, 0.00593, 0.00697, 0.00697), (0.00627, 0.00029, 0.00605, 0.00591),
        (0.00565, 0.00109, 0.00457, 0.00448), (1.982, 0.436, 1.906, 1.454), (1.956, 0.441, 1.882, 1.406),
        (2.064, 0.454, 2.017, 1.420), (1.344e-4, 2.198e-5, 1.092e-4, 1.092e-4),
    ),
}  # fmt: skip
_TABLES = {"reconstruction": "II", "regression": "III", "hybrid": "IV", "multimodal": "V"}


@dataclass(slots=True)
class Scored:
    """What one model reached over the splits.

    Attributes
    ----------
    name : str
    ranges : ndarray of shape (t,)
        Of each descriptor in the whole set, by which errors are divided to be compared.
    rmse : list of ndarray of shape (t,)
        For each split.
    held : list of ndarray of shape (t,)
        Share of truths within the intervals.
    seconds : list of float
        Of training.
    """

    name: str
    ranges: NDArray[np.float64]
    rmse: list[NDArray[np.float64]] = field(default_factory=list)
    held: list[NDArray[np.float64]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def normalised(self) -> NDArray[np.float64]:
        """Mean over the descriptors of RMSE over range, for each split."""
        return np.asarray((np.array(self.rmse) / self.ranges).mean(axis=1))

    @property
    def best(self) -> int:
        """The split whose model has the least loss, as the paper has it: the mean square of scaled errors."""
        return int(((np.array(self.rmse) / self.ranges) ** 2).mean(axis=1).argmin())


def one_model(scored: Scored, targets: Sequence[str], *, on_published: bool) -> Table:
    """One of the tables II to V: rows of ours, and the published ones."""
    errors = np.array(scored.rmse)
    rows: list[Sequence[Any]] = []
    for i, name in enumerate(targets):
        mean, spread = errors[:, i].mean(), errors[:, i].std(ddof=1) if len(errors) > 1 else 0.0
        rows.append((name, f"{mean:.4g} ± {spread:.2g}", f"{errors[scored.best, i]:.4g}", f"{errors[:, i].min():.4g}"))
    published = [
        (name, f"{mean:.4g} ± {spread:.3g}", f"{best:.4g}", f"{least:.4g}")
        for name, (mean, spread, best, least) in zip(TARGETS, PUBLISHED.get(scored.name, ()), strict=False)
    ]
    where = f" (table {_TABLES[scored.name]} of the paper)" if scored.name in _TABLES else ""
    other = "" if on_published or not published else "; published: other data"
    columns = ("descriptor", "average RMSE", "best model", "best RMSE")
    return Table(f"{scored.name}{where}, {len(errors)} splits{other}", columns, rows, published)


def all_models(found: Sequence[Scored], targets: Sequence[str], level: float) -> Table:
    """All models beside each other, the best first."""
    rows = []
    for scored in sorted(found, key=lambda one: one.normalised.mean()):
        share = scored.normalised
        spread = f" ± {100 * share.std(ddof=1):.2f}" if share.size > 1 else ""
        errors = np.array(scored.rmse).mean(axis=0)
        rows.append((
            scored.name, f"{100 * share.mean():.2f}{spread}", *(f"{e:.3g}" for e in errors),
            f"{100 * np.mean(scored.held):.1f}", f"{np.mean(scored.seconds):.1f}",
        ))  # fmt: skip
    columns = ("model", "RMSE / range, mean (%)", *targets, f"inside {100 * level:g} % intervals (%)", "seconds")
    return Table("All models: mean RMSE over the splits", columns, rows)
