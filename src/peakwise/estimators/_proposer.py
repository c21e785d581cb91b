"""A network that proposes phases: trained on patterns simulated while it learns, asked about scans of any range.

What it sees of a simulated pattern and of a scan is made by one function (`seen`): angles of the training's wavelength,
the running minimum taken off, the strongest peak 1, square roots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.matching import PreparedScan
    from peakwise.objectives import Classifier
    from peakwise.patterns import Radiation

__all__ = ["Proposer", "seen"]

_BATCH = 96
_WINDOW = 3.0  # [deg] of the running minimum: wider than a group of peaks of a laboratory scan
_SMOOTH = 0.12  # [deg] mean before the minimum, so that noise does not lie below it
_LOST = 0.5  # share of training patterns that lack a part of the range, as scans do
_NARROWEST = 0.35  # share of the range that is always there
_PROPOSED = 8
_LEAST = 1e-3  # probability below which nothing is proposed
_SEEDS = 2**31


def seen(rows: NDArray[np.floating], step: float) -> NDArray[np.float32]:
    """What the network sees of patterns (n, m) on its grid of `step` [deg]; NaN marks what was not measured."""
    from scipy.ndimage import minimum_filter1d

    window, smooth = max(int(_WINDOW / step), 3), max(int(_SMOOTH / step), 1)
    missing = np.isnan(rows)
    mean = np.where(missing, np.inf, _mean_of(rows, ~missing, smooth))
    low = minimum_filter1d(mean, window, axis=1, mode="nearest")
    low = _mean_of(low, np.isfinite(low), window)
    net = np.where(missing, 0.0, np.maximum(np.where(missing, 0.0, rows) - low, 0.0))
    top = net.max(axis=1, keepdims=True)
    return np.sqrt(net / np.where(top > 0, top, 1.0)).astype(np.float32)


def _mean_of(rows: NDArray[np.floating], is_known: NDArray[np.bool_], size: int) -> NDArray[np.floating]:
    """Running means of what is known: with zeros for the rest, the background beside a gap would look like a peak."""
    from scipy.ndimage import uniform_filter1d

    sums, shares = (
        uniform_filter1d(v, size, axis=1, mode="nearest")
        for v in (np.where(is_known, rows, 0.0), is_known.astype(float))
    )
    return np.asarray(sums / np.maximum(shares, 1e-9))


@dataclass(eq=False)
class Proposer:
    """A trained network with the phases that it tells apart.

    Attributes
    ----------
    objective : Classifier
    outputs : (n_outputs,) int64
        Number of the phase in the library that each output stands for, -1 for one that is no longer there.
    history : dict
        How the training went.
    """

    objective: Classifier
    grid: tuple[float, float, int]
    wavelength: float
    name: str
    outputs: NDArray[np.int64]
    ids: tuple[str, ...]
    history: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def train(
        cls,
        phases: Sequence[Phase],
        light: Radiation,
        grid: tuple[float, float, int],
        name: str,
        *,
        seconds: float,
        mixtures: int = 3,
        random_state: int = 0,
        threads: int = 1,
        device: str = "auto",
        progress: Callable[[dict[str, float]], None] | None = None,
    ) -> Self:
        """Train the network `name` of `peakwise.networks.NETWORKS` for so many seconds."""
        import torch

        from peakwise.networks import build_encoder, seeded
        from peakwise.objectives import MultiLabel
        from peakwise.simulate import Instrument, Simulator
        from peakwise.training import train

        tool = Instrument.lab_bragg_brentano(light, axial_sample=0.0, axial_detector=0.0)
        simulator = Simulator(phases, grid, instrument=tool, random_state=random_state, threads=1)
        with seeded(random_state):
            objective = MultiLabel(build_encoder(name, grid[2]), len(phases))
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            history = train(
                objective, lambda first: _batches(simulator, first, mixtures, random_state), seconds=seconds,
                device=device, random_state=random_state, progress=progress,
            )  # fmt: skip
        finally:
            torch.set_num_threads(before)
        if history.stopped == "interrupted":
            raise KeyboardInterrupt  # a network that learned for a moment is not what was asked for
        told = {"steps": history.steps, "seconds": round(history.seconds, 2), "loss": history.logged[-1]["loss"]}
        ids = tuple(p.id for p in phases)
        return cls(objective.cpu(), grid, light.wavelength, name, np.arange(len(phases)), ids, told)

    def probabilities(self, scans: Sequence[PreparedScan]) -> NDArray[np.float32]:
        """Probability of each output for each scan: the network's own, not calibrated."""
        import torch

        return np.asarray(self.objective.predict(torch.from_numpy(self.rows(scans))).numpy(), np.float32)

    def rows(self, scans: Sequence[PreparedScan]) -> NDArray[np.float32]:
        """What the network sees of scans (n, n_points)."""
        step = (self.grid[1] - self.grid[0]) / (self.grid[2] - 1)
        return seen(np.stack([self._on_grid(s) for s in scans]), step)

    def propose(self, scan: PreparedScan) -> list[int]:
        """Numbers of the phases worth a fit, the most probable first."""
        p = self.probabilities([scan])[0]
        best = np.argsort(-p)[:_PROPOSED]
        return [int(self.outputs[i]) for i in best if p[i] >= _LEAST and self.outputs[i] >= 0]

    def _on_grid(self, scan: PreparedScan) -> NDArray[np.float64]:
        """The scan as it would look at the wavelength of the training; NaN beyond its range."""
        from scipy.ndimage import gaussian_filter1d

        grid = np.linspace(*self.grid)
        step = grid[1] - grid[0]
        sines = np.sin(np.radians(scan.x / 2)) * self.wavelength / scan.radiation.wavelength
        inside = sines < 1
        x = 2 * np.degrees(np.arcsin(sines[inside]))
        y = scan.y[inside]
        own = float(np.median(np.diff(x))) if x.size > 1 else step
        if own < 0.7 * step:  # no peak may fall between two points of the grid
            y = gaussian_filter1d(y, 0.5 * step / own)
        return np.interp(grid, x, y, left=np.nan, right=np.nan)

    def for_phases(self, phases: Sequence[Phase]) -> Proposer:
        """The same network beside another library: what it does not know it does not propose."""
        at = {p.id: i for i, p in enumerate(phases)}
        outputs = np.array([at.get(name, -1) for name in self.ids])
        return Proposer(self.objective, self.grid, self.wavelength, self.name, outputs, self.ids, self.history)

    def to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain numbers and texts, and the weights as arrays."""
        weights = {k: v.detach().cpu().numpy() for k, v in self.objective.state_dict().items()}
        recipe = {
            "network": self.name,
            "objective": "multi_label",
            "grid": list(self.grid),
            "wavelength": self.wavelength,
            "ids": list(self.ids),
            "history": self.history,
        }
        return recipe, weights

    @classmethod
    def from_recipe(
        cls, recipe: Mapping[str, Any], weights: Mapping[str, NDArray[Any]], phases: Sequence[Phase]
    ) -> Proposer:
        """The inverse of `to_recipe`, for the phases of the model."""
        import torch

        from peakwise.networks import build_encoder
        from peakwise.objectives import MultiLabel

        start, stop, n = recipe["grid"]
        grid, ids = (float(start), float(stop), int(n)), tuple(str(i) for i in recipe["ids"])
        if not 16 <= grid[2] <= 100_000 or not 1 <= len(ids) <= 100_000:
            raise ValueError(f"a network of {grid[2]} points and {len(ids)} phases")
        objective = MultiLabel(build_encoder(str(recipe["network"]), grid[2]), len(ids))
        state = objective.state_dict()
        if set(state) != set(weights):
            raise ValueError("the weights are not those of the network")
        for name, value in weights.items():
            if tuple(state[name].shape) != tuple(value.shape) or not np.isfinite(value).all():
                raise ValueError(f"the weights {name} have the shape {value.shape} or are not finite")
        objective.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
        objective.eval()
        made = cls(objective, grid, float(recipe["wavelength"]), str(recipe["network"]), np.arange(len(ids)), ids)
        made.history = dict(recipe.get("history", {}))
        return made.for_phases(phases)


def _batches(simulator: Any, first: int, mixtures: int, random_state: int) -> Iterator[dict[str, NDArray[np.float32]]]:
    """What the network learns from: half of the patterns lack a part of the range."""
    n = simulator.axis.size
    step = float(simulator.axis[1] - simulator.axis[0])
    for number, batch in enumerate(
        simulator.batches(_BATCH, mixtures=mixtures, first=first * _BATCH, workers=1), start=first
    ):
        rng = np.random.default_rng([random_state, number])
        rows = batch.intensity.copy()
        for row in rows[: int(_LOST * len(rows))]:
            share = rng.uniform(_NARROWEST, 1.0)
            begin = rng.integers(0, n - int(share * n) + 1)
            row[:begin] = np.nan
            row[begin + int(share * n) :] = np.nan
        yield {"intensity": seen(rows, step), "weights": batch.weights}
