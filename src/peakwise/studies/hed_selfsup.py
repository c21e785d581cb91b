"""States of nine compression series from 42 labels: encoders that learned without labels, and what is simpler."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.evaluation import over_seeds
from peakwise.studies._hed_breaks import own_answers, prepare_breaks
from peakwise.studies._hed_encoders import METHODS, Encoded, Learning, head_answers, pretrain
from peakwise.studies._hed_groups import SPECTRAL, grouped
from peakwise.studies._hed_labels import Score, draw_labels, judge, linear_answers, nearest_answers, read_suite
from peakwise.studies._hed_matrix import NAMES, matrix_figure
from peakwise.studies._hed_training import thread_limit
from peakwise.studies._pictures import save_figures
from peakwise.studies._study import Outcome, Request, Study, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["HED_SELFSUP", "OURS", "Settings", "run"]

# Tables 7.1 and 7.4: weighted precision and recall of Fe, of FeO.
PUBLISHED = {
    0.028: (
        ("SelfTime", "98.6 ± 0.2", "98.5 ± 0.2", "78.6 ± 3.2", "80.0 ± 4.3"),
        ("SpecRR", "99.2 ± 0.3", "99.1 ± 0.3", "91.6 ± 6.2", "90.7 ± 5.4"),
        ("SpecMoco", "98.3 ± 1.1", "97.9 ± 1.8", "93.8 ± 3.7", "93.2 ± 4.1"),
        ("SpecRRMoco", "99.6 ± 0.2", "99.6 ± 0.2", "96.3 ± 3.2", "96.5 ± 2.4"),
    ),
    0.1: (
        ("SelfTime", "98.6 ± 0.5", "98.5 ± 0.5", "80.5 ± 2.7", "82.0 ± 3.9"),
        ("SpecRR", "99.1 ± 0.2", "99.0 ± 0.2", "96.9 ± 0.8", "95.8 ± 1.1"),
        ("SpecMoco", "99.3 ± 0.3", "99.3 ± 0.3", "94.1 ± 0.7", "93.7 ± 0.7"),
        ("SpecRRMoco", "99.6 ± 0.2", "99.5 ± 0.2", "97.1 ± 1.8", "96.9 ± 1.3"),
    ),
}
PUBLISHED_C = (
    ("0.001", "98.5 ± 0.6", "98.4 ± 0.4", "92.7 ± 4.0", "92.8 ± 3.3"),
    ("0.01 (SpecRRMoco)", *PUBLISHED[0.028][3][1:]),
    ("0.1", "99.5 ± 0.2", "99.2 ± 0.8", "97.3 ± 1.0", "97.0 ± 1.3"),
    ("1", "98.9 ± 0.6", "97.9 ± 1.6", "95.2 ± 2.0", "95.0 ± 1.4"),
    ("0 (SpecRR)", *PUBLISHED[0.028][1][1:]),
    ("infinite (SpecMoco)", *PUBLISHED[0.028][2][1:]),
)
# Table 7.2; table 7.3 (mutual information) is printed with the same numbers, and so tells nothing.
PUBLISHED_SILHOUETTE = (
    (SPECTRAL, "0.64 ± 0.10", "0.52 ± 0.07"),
    ("SelfTime", "0.87 ± 0.04", "0.49 ± 0.06"),
    ("SpecRR", "0.87 ± 0.00", "0.61 ± 0.03"),
    ("SpecMoco", "0.69 ± 0.15", "0.42 ± 0.02"),
    ("SpecRRMoco", "0.85 ± 0.02", "0.57 ± 0.01"),
)
CHAINED = "SpecRRMoco, neighbours mostly alike"
OURS = "ours: alike up to a strain, breaks between labels"
_GROUPS = ("Fe precision", "Fe recall", "FeO precision", "FeO recall")
WARPS: dict[str, dict[str, Any]] = {"warp": {}, "magnitude": {}}
DIFFERENCES = (
    "The measured series of the thesis are not public: these are made, with its samples, numbers of frames, exposures "
    "and rates. Encoders see patterns of {points} points, not 4000, through {network}, not Conv-SC, for {epochs} "
    "epochs, with {views} views, not 6: what takes minutes on two cores. Every run draws other labels at random within "
    "each state of D1, D4, D5, D8 and D9; heads get features of length 1."
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
    pretrained, labelled : tuple of str
        Series that encoders learn from, without labels, and series that labels are from.
    labels : dict
        Number of labels for each share that is printed.
    runs : int
        Draws of the labels.
    seeds : int
        Encoders of each method.
    epochs, batch, n_views : int
    published : (str, int)
        The network of the thesis, and for how many epochs one encoder of it is trained; 0: none.
    strengths : tuple of float
        Further values of c, each with one encoder.
    matrix : tuple of str
        Augmentations of which every ordered pair is tried, with one encoder each.
    matrix_epochs : int
    """

    points: int = 500
    network: str = "patch_conv"
    pretrained: tuple[str, ...] = ("D1", "D4", "D8", "D9")
    labelled: tuple[str, ...] = ("D1", "D4", "D5", "D8", "D9")
    labels: tuple[tuple[float, int], ...] = ((0.028, 42), (0.1, 152))
    runs: int = 20
    seeds: int = 3
    epochs: int = 16
    batch: int = 64
    n_views: int = 3
    published: tuple[str, int] = ("conv_sc", 40)
    strengths: tuple[float, ...] = (0.001, 0.1, 1.0)
    matrix: tuple[str, ...] = tuple(NAMES)
    matrix_epochs: int = 4


QUICK = Settings(
    points=250, pretrained=("D1", "D8"), runs=4, seeds=1, epochs=3, n_views=2, published=("conv_sc", 0),
    strengths=(1.0,), matrix=("magnitude", "warp"), matrix_epochs=1,
)  # fmt: skip


class _Runs(NamedTuple):
    """Scores of one method, and the seconds of a core that its encoders took."""

    scores: list[Score]
    seconds: float | None = None


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    return _Repetition(QUICK if request.quick else Settings(), request).outcome()


class _Repetition:
    """One repetition: the series, the draws of labels, the encoders."""

    def __init__(self, settings: Settings, request: Request) -> None:
        self.settings, self.request = settings, request
        request.tell("making the series", 0.0)
        self.suite = read_suite(settings.points, random_state=request.seed)
        self.inside = self.suite.among(settings.pretrained)
        self.draws = {
            share: [
                draw_labels(self.suite, n, settings.labelled, random_state=1000 * request.seed + i)
                for i in range(settings.runs)
            ]
            for share, n in settings.labels
        }
        self.first = settings.labels[0][0]
        self.n_trained = 0

    def outcome(self) -> Outcome:
        """Train, ask and tell."""
        request, settings = self.request, self.settings
        with thread_limit(request.threads):
            encoders = {
                name: [self._encoder(options, WARPS, settings.epochs, seed) for seed in range(settings.seeds)]
                for name, options in METHODS.items()
            }
            strengths = {
                f"{c:g}": [self._encoder({"contrast_weight": c}, WARPS, settings.epochs, 0)] for c in settings.strengths
            }
            pairs = self._pairs()
            published = self._published()
        request.tell("aligning the series", 0.9)
        seen = prepare_breaks(self.suite)
        request.tell("judging", 0.93)
        answers: dict[str, Callable[[NDArray[np.bool_]], NDArray[np.int64]]] = {
            "PCA (32) + logistic regression": lambda known: linear_answers(self.suite, known),
            "nearest labelled pattern": lambda known: nearest_answers(self.suite, known),
            "ours, without the breaks": lambda known: own_answers(self.suite, known, seen, breaks=False),
            OURS: lambda known: own_answers(self.suite, known, seen),
        }
        tables, found = [], {}
        for share in self.draws:
            found[share] = {name: self._asked(made, share) for name, made in {**encoders, **published}.items()}
            found[share][CHAINED] = self._asked(encoders["SpecRRMoco"], share, chained=True)
            for name, asked in answers.items():
                scores = [judge(self.suite, known, asked(known)) for known in self.draws[share]]
                found[share][name] = _Runs(scores)
            tables.append(self._labels_table(share, found[share]))
        request.tell("grouping without labels", 0.96)
        tables += [self._groups_table(encoders), self._strengths_table(found[self.first], strengths)]
        matrix = self._matrix(pairs)
        tables.append(_matrix_table(matrix, settings))
        figures = save_figures({"hed_selfsup_matrix": matrix_figure({k: m for k, (m, _) in matrix.items()})}, request)
        return Outcome(tables, figures, self._warnings(found[self.first]), asdict(settings))

    def _encoder(
        self,
        options: Mapping[str, Any],
        augmentations: Mapping[str, Mapping[str, Any]],
        epochs: int,
        seed: int,
        network: str | None = None,
    ) -> Encoded:
        settings, request = self.settings, self.request
        total = len(METHODS) * settings.seeds + len(settings.strengths) + len(settings.matrix) ** 2
        total += settings.published[1] > 0
        request.tell(f"encoder {self.n_trained + 1} of {total}", 0.02 + 0.88 * self.n_trained / total)
        self.n_trained += 1
        learning = Learning(
            network=network or settings.network, augmentations=augmentations, batch=settings.batch, epochs=epochs,
            seconds=None if request.minutes is None else 60 * request.minutes / total,
            random_state=request.seed + seed, device=request.device,
        )  # fmt: skip
        return pretrain(self.suite, self.inside, options, settings.n_views, learning)

    def _pairs(self) -> dict[tuple[str, str], Encoded]:
        """One encoder for each two augmentations in each order, and for each alone."""
        options = METHODS["SpecRRMoco"]
        return {
            (one, two): self._encoder(options, {one: NAMES[one], two: NAMES[two]}, self.settings.matrix_epochs, 0)
            for one in self.settings.matrix
            for two in self.settings.matrix
        }

    def _published(self) -> dict[str, list[Encoded]]:
        """One encoder of the network of the thesis."""
        network, epochs = self.settings.published
        if not epochs:
            return {}
        made = self._encoder(METHODS["SpecRRMoco"], WARPS, epochs, 0, network)
        return {f"SpecRRMoco, one {network}, {epochs} epochs": [made]}

    def _asked(self, encoders: Sequence[Encoded], share: float, *, chained: bool = False) -> _Runs:
        """Every draw of labels, with every encoder."""
        scores = [
            judge(self.suite, known, head_answers(self.suite, known, encoded.features, chained=chained))
            for encoded in encoders
            for known in self.draws[share]
        ]
        return _Runs(scores, float(np.mean([encoded.seconds for encoded in encoders])))

    def _labels_table(self, share: float, found: Mapping[str, _Runs]) -> Table:
        n = dict(self.settings.labels)[share]
        return Table(
            f"{100 * share:g} % labels ({n}): mean and deviation over {self.settings.runs} draws of labels"
            f" and {self.settings.seeds} encoders of each method [%]",
            ("method", *_GROUPS, "pre-training [s of a core]"),
            [
                (name, *_told(runs.scores), "" if runs.seconds is None else round(runs.seconds, 1))
                for name, runs in found.items()
            ],
            [(*row, "") for row in PUBLISHED.get(share, ())],
        )

    def _groups_table(self, encoders: Mapping[str, Sequence[Encoded]]) -> Table:
        features = {SPECTRAL: self.suite.rows} | {name: made[0].features for name, made in encoders.items()}
        rows = []
        for name, values in features.items():
            told = grouped(self.suite, values, self.request.seed)
            rows.append(
                (name, *(over_seeds(v).text for v in told.silhouettes), *(over_seeds(v).text for v in told.shared))
            )
        return Table(
            "Spectral clustering without labels, of patterns and of features: mean and deviation over four settings",
            ("of", "Fe silhouette", "FeO silhouette", "Fe shared information", "FeO shared information"),
            rows,
            [(*row, "", "") for row in PUBLISHED_SILHOUETTE],
        )

    def _strengths_table(self, found: Mapping[str, _Runs], strengths: Mapping[str, Sequence[Encoded]]) -> Table:
        rows = {name: self._asked(made, self.first) for name, made in strengths.items()}
        rows |= {
            "0.01 (SpecRRMoco)": found["SpecRRMoco"], "0 (SpecRR)": found["SpecRR"],
            "infinite (SpecMoco)": found["SpecMoco"],
        }  # fmt: skip
        order = [row[0] for row in PUBLISHED_C]
        return Table(
            "Weight c of the contrast beside the relations [%]",
            ("c", *_GROUPS),
            [(name, *_told(rows[name].scores)) for name in order if name in rows],
            PUBLISHED_C,
        )

    def _matrix(self, pairs: Mapping[tuple[str, str], Encoded]) -> dict[tuple[str, str], tuple[float, float]]:
        """Mean accuracy over all series, and its deviation over the draws."""
        made = {}
        for pair, encoded in pairs.items():
            means = [float(np.mean(score.recall)) for score in self._asked([encoded], self.first).scores]
            made[pair] = (float(np.mean(means)), float(np.std(means)))
        return made

    def _warnings(self, found: Mapping[str, _Runs]) -> list[str]:
        settings = self.settings
        said = [
            DIFFERENCES.format(
                points=self.suite.rows.shape[1], network=settings.network, epochs=settings.epochs,
                views=settings.n_views,
            )
        ]  # fmt: skip
        means = {name: np.mean([(*s.fe, *s.feo) for s in runs.scores], axis=0) for name, runs in found.items()}
        better = [name for name in means if (means[name] > means["SpecRRMoco"]).all()]
        if better:
            said.append(f"better than SpecRRMoco in precision and recall, on Fe and on FeO: {', '.join(better)}")
        return said


def _told(scores: Sequence[Score]) -> list[str]:
    values = np.array([(*score.fe, *score.feo) for score in scores])
    return [f"{m:.2f} ± {d:.2f}" for m, d in zip(values.mean(axis=0), values.std(axis=0), strict=True)]


def _matrix_table(matrix: Mapping[tuple[str, str], tuple[float, float]], settings: Settings) -> Table:
    rows = [(one, *("{:.1f} ± {:.1f}".format(*matrix[one, two]) for two in settings.matrix)) for one in settings.matrix]
    return Table(
        f"Accuracy on all series with two augmentations, the row's first, or one alone [%]; {settings.matrix_epochs}"
        " epochs each. The thesis prints a picture of it: magnitude and warp together were best.",
        ("first", *settings.matrix),
        rows,
    )


HED_SELFSUP = Study(
    name="hed-selfsup",
    title="States of nine compression series from 42 labels: SelfTime, SpecRR, SpecMoco, SpecRRMoco, and breaks",
    citation="Y. Sun et al., Sci. Rep. 13 (2023) 9370; Y. Sun, PhD thesis, University of Szeged (2023), chapter 7",
    doi="10.1038/s41598-023-36456-y",
    run=run,
)
