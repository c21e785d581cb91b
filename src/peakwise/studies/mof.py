"""Which of 1,012 metal-organic frameworks? A network trained on calculated patterns and measured noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.studies._baselines import Baselines, find_scans, measured_baselines, simulated_baselines
from peakwise.studies._mof_data import (
    augment,
    draw_experiments,
    load_mofs,
    textbook,
    theoretical,
    twins_of,
)
from peakwise.studies._mof_figures import draw_figures
from peakwise.studies._mof_models import (
    CLASSICAL,
    FILTERS,
    cosine_scores,
    filtered,
    network_scores,
    to_network,
    train_network,
)
from peakwise.studies._ranks import ranks_of, share_row, told_share
from peakwise.studies._study import Outcome, Request, Study, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase

__all__ = ["MOF", "Settings", "run"]

# Wang et al. (2020), text and figure 3; of the classical models it says that all stay below one half.
PUBLISHED = {"CNN": (0.567, 0.767, 0.9, 0.933, 0.967)}
BELOW_HALF = "< 0.5"
PUBLISHED_SIZES = {189: 0.967, 1012: 0.967}

_FEWEST_SCANS = 10  # measured ones, below which noise is simulated instead
_NETWORK, _COSINE = "CNN", "cosine, shift and strain search"


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    sizes : tuple of int
        Libraries, from the smallest to the largest; each is the beginning of the next.
    grid : (start, stop, n)
        two_theta [deg]. The paper says 5 to 50 and not which step: 0.02 is usual on its diffractometer.
    copies : int
        Training and validation patterns a phase.
    classical_copies : int
        How many of them the classical models get: they differ in shuffled noise only, and a forest of a thousand
        labels takes minutes.
    n_kept : int
        Largest points of a calculated pattern that are kept.
    bank_size : int
        Points of the noise of one measured scan.
    n_materials, per_material : int
        Held-out experiments: so many materials, so many scans of each (the paper: 10 and 3).
    more_materials : int
        The same for the second table, which has narrower intervals.
    n_validated : int
        Most validation patterns that are looked at after each epoch.
    epochs : int
    minutes : float
        Most time [min] to train the network for the largest library; smaller ones get their share.
    """

    sizes: tuple[int, ...] = (189, 500, 1012)
    grid: tuple[float, float, int] = (5.0, 50.0, 2251)
    copies: int = 72
    classical_copies: int = 4
    n_kept: int = 400
    bank_size: int = 1000
    n_materials: int = 10
    per_material: int = 3
    more_materials: int = 100
    n_validated: int = 2000
    epochs: int = 3
    minutes: float = 60.0


QUICK = Settings(
    sizes=(12, 24), grid=(10.0, 80.0, 701), copies=40, n_kept=120, more_materials=12, epochs=30, minutes=0.5
)


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    settings = QUICK if request.quick else Settings()
    if request.minutes is not None:
        settings = replace(settings, minutes=request.minutes)
    return _Repetition(settings, request).outcome()


class _Repetition:
    """One repetition: its data, and the ranks that every model gives to the right phase."""

    def __init__(self, settings: Settings, request: Request) -> None:
        self.settings, self.request = settings, request
        self.warnings: list[str] = []
        self.trained: dict[int, dict[str, float]] = {}
        # Model -> size of the library -> rank of the right phase for each experiment.
        self.ranks: dict[str, dict[int, NDArray[np.int64]]] = {}
        self.twin_ranks: dict[str, NDArray[np.int64]] = {}
        rng = np.random.default_rng([request.seed, 3])
        noise = self._noise()
        half = rng.permutation(len(noise))
        self.noise = noise.pick(half[: len(noise) // 2])
        self.phases, self.patterns = self._library()
        request.tell("drawing experiments", 0.2)
        asked = self.phases[: min(settings.more_materials, settings.sizes[0])]
        self.experiments = draw_experiments(
            asked, settings.per_material, settings.grid, noise.pick(half[len(noise) // 2 :]), request.seed
        )
        self.twins = twins_of(self.phases)

    def outcome(self) -> Outcome:
        """Train, ask and tell."""
        for size in reversed(self.settings.sizes):  # the largest tells most: it comes first
            self._compare(size)
        self.request.tell("drawing", 0.99)
        tables = self._tables()
        self.request.folder.mkdir(parents=True, exist_ok=True)
        figures = draw_figures(
            self.request.folder, self.axis, self.patterns[0], self.sample, self.experiments.counts[0], tables[0],
            tables[2],
        )  # fmt: skip
        told = {**asdict(self.settings), "network": {str(k): v for k, v in self.trained.items()}}
        told |= {"scans_for_noise": len(self.noise), "phases_with_a_twin": int((self.twins.sum(axis=1) > 1).sum())}
        return Outcome(tables, figures, self.warnings, told)

    @property
    def axis(self) -> NDArray[np.float64]:
        """two_theta [deg]."""
        start, stop, n = self.settings.grid
        return np.linspace(start, stop, n)

    def _noise(self) -> Baselines:
        """Baselines of measured scans, or simulated ones and a warning."""
        tell, data = self.request.tell, self.request.data
        paths = [] if data is None else find_scans(data)
        found = measured_baselines(paths, lambda share: tell("cutting noise out of measured scans", 0.05 * share))
        if len(found) >= _FEWEST_SCANS:
            return found
        where = "no folder of data was given" if data is None else f"{data} holds {len(found)} usable measured scans"
        self.warnings.append(
            f"{where}: the noise is simulated (Poisson) and not measured; set PEAKWISE_DATA to a folder of scans"
        )
        return simulated_baselines(40, self.settings.grid[2], self.request.seed)

    def _library(self) -> tuple[list[Phase], NDArray[np.float32]]:
        """The phases of the largest library with their calculated patterns."""
        wanted, request = self.settings.sizes[-1], self.request
        if request.quick:
            spare = textbook(2 * wanted, request.seed)
        else:
            spare = load_mofs(
                request.data, wanted + wanted // 20, request.seed,
                lambda share: request.tell("reading structures", 0.05 + 0.1 * share), request.threads,
            )  # fmt: skip
        request.tell("calculating patterns", 0.15)
        rows = theoretical(spare, self.settings.grid)
        kept = np.flatnonzero(rows.any(axis=1))[:wanted]
        return [spare[i] for i in kept], rows[kept]

    def _compare(self, size: int) -> None:
        """Train all models for the first `size` phases and rank the experiments."""
        settings, request, asked = self.settings, self.request, self.experiments
        share = sum(s for s in settings.sizes if s > size) / sum(settings.sizes)
        begin, span = 0.2 + 0.79 * share, 0.79 * size / sum(settings.sizes)
        request.tell(f"augmenting {size} patterns", begin)
        rows = augment(
            self.patterns[:size], self.noise, settings.copies, settings.n_kept, settings.bank_size, request.seed
        )
        self.sample = rows[0, 0]  # the same for all sizes
        for i, (name, make) in enumerate(CLASSICAL.items()):
            request.tell(f"{size} phases: {name}", begin + span * 0.3 * i / len(CLASSICAL))
            few = rows[:, : settings.classical_copies].reshape(-1, rows.shape[2])
            model = make().fit(few, np.repeat(np.arange(size), settings.classical_copies))
            self._note(name, size, model.scores(asked.counts))
        self._note(_COSINE, size, cosine_scores(self.patterns[:size], asked.counts, self.axis))
        train, (held, held_labels) = _split(rows, request.seed)
        held, held_labels = held[: settings.n_validated], held_labels[: settings.n_validated]
        objective, self.trained[size] = train_network(
            *train, held, held_labels, epochs=settings.epochs,
            seconds=60 * settings.minutes * size / settings.sizes[-1], seed=request.seed, device=request.device,
            tell=lambda done: request.tell(f"{size} phases: {_NETWORK}", begin + span * (0.3 + 0.7 * done)),
        )  # fmt: skip
        for name, threshold in FILTERS.items():
            scans = filtered(asked.counts, self.axis, threshold)
            self._note(f"{_NETWORK}, {name}", size, network_scores(objective, scans))

    def _note(self, name: str, size: int, scores: NDArray[np.floating]) -> None:
        self.ranks.setdefault(name, {})[size] = ranks_of(scores, self.experiments.labels)
        if size == self.settings.sizes[-1]:
            is_twin = self.twins[self.experiments.labels][:, :size]
            best = np.where(is_twin, scores, -np.inf).argmax(axis=1)
            self.twin_ranks[name] = ranks_of(scores, best)

    def _tables(self) -> list[Table]:
        settings, largest = self.settings, self.settings.sizes[-1]
        n = min(settings.n_materials * settings.per_material, len(self.experiments.labels))
        tops = [f"top-{k}" for k in range(1, 6)]
        names = [*[f"{_NETWORK}, {name}" for name in FILTERS], *CLASSICAL, _COSINE]
        first = [(x, *share_row(r[:n]), told_share(r[:n], 1), told_share(r[:n], 5)) for x, r in self._largest(names)]
        second = [
            (x, *share_row(r), told_share(r, 1), told_share(r, 5), told_share(self.twin_ranks[x], 1))
            for x, r in self._largest(names)
        ]
        sizes = [(x, *(float((self.ranks[x][s] <= 5).mean()) for s in settings.sizes)) for x in names]
        published = [(_NETWORK, *PUBLISHED[_NETWORK], "", ""), *[(x, *[BELOW_HALF] * 5, "", "") for x in CLASSICAL]]
        more = len(self.experiments.labels)
        return [
            Table(
                f"{n} held-out experiments of {n // settings.per_material} materials, library of {largest}",
                ("model", *tops, "top-1 (95 % interval)", "top-5 (95 % interval)"), first, published,
            ),
            Table(
                f"{more} held-out experiments of {more // settings.per_material} materials, library of {largest}",
                ("model", *tops, "top-1 (95 % interval)", "top-5 (95 % interval)", "top-1, a twin counts"), second,
            ),
            Table(
                f"Top-5 accuracy against the size of the library, {more} experiments",
                ("model", *map(str, settings.sizes)), sizes,
                [(_NETWORK, *(PUBLISHED_SIZES.get(s, "") for s in settings.sizes))],
            ),
        ]  # fmt: skip

    def _largest(self, names: Sequence[str]) -> list[tuple[str, NDArray[np.int64]]]:
        return [(name, self.ranks[name][self.settings.sizes[-1]]) for name in names]


def _split(rows: NDArray[np.float32], seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """All patterns in random order, four parts to train and one to validate."""
    n, copies, m = rows.shape
    order = np.random.default_rng([seed, 4]).permutation(n * copies)
    cut = (4 * order.size) // 5
    flat, labels = to_network(rows.reshape(-1, m)), np.repeat(np.arange(n), copies)
    return (flat[order[:cut]], labels[order[:cut]]), (flat[order[cut:]], labels[order[cut:]])


MOF = Study(
    name="mof",
    title="Which of 1,012 metal-organic frameworks is it? (CNN trained on calculated patterns and measured noise)",
    citation="H. Wang, Y. Xie, D. Li, H. Deng, Y. Zhao, M. Xin, J. Lin, J. Chem. Inf. Model. 60 (2020) 2004",
    doi="10.1021/acs.jcim.0c00020",
    run=run,
)
