"""Does a variational autoencoder know what it has never seen? The error of what comes back, and an alarm made of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.evaluation import auroc, conformal_threshold, wilson_interval
from peakwise.patterns import Patterns, Radiation, as_radiation
from peakwise.studies._pictures import save_figures
from peakwise.studies._study import Outcome, Request, Study, Table
from peakwise.studies._vae_data import KNOWN, UNKNOWN, made_patterns, mixed
from peakwise.studies._vae_figures import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from peakwise.estimators import LatentMap

__all__ = ["VAE_NOVELTY", "Settings", "run"]

_DIFFERENCES = (
    "The four ICSD entries are not open: the structure types, with cells that give the line positions that the paper "
    "names. The paper does not define its error; ours is the mean square with the largest intensity 1. False alarms at "
    "the threshold that the stated share of known patterns, which were not trained on, exceeds."
)
# What is changed for the controls; nothing of it was varied in training.
_NOISE = 5.0
_CU = Radiation.named("CuKa")
_CONTROLS: dict[str, dict[str, Any]] = {
    "as known": {},
    "noise x 5": {"noise": _NOISE},
    "wavelength off by 0.5 %": {"radiation": 1.005},
    "zero shift of 0.1 deg": {"zero": 0.1},
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    n_train, n_test, n_unknown : int
        Patterns of each known phase to learn from and to ask about, and of the unknown one.
    epochs : int
    latent : tuple of int
        Numbers of the map; the paper has 2.
    false_alarm : float
        What is asked.
    n_control : int
        Patterns of each known phase in each control.
    ratios : int
        Mixing ratios from 0 to 1.
    """

    n_train: int = 5000
    n_test: int = 1000
    n_unknown: int = 1000
    epochs: int = 40
    latent: tuple[int, ...] = (2, 10)
    false_alarm: float = 0.01
    n_control: int = 100
    ratios: int = 50


QUICK = Settings(n_train=400, n_test=150, n_unknown=150, epochs=25, n_control=20, ratios=11, latent=(2,))


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    from peakwise.estimators import LatentMap

    settings = QUICK if request.quick else Settings()
    seed = request.seed
    phases = list(KNOWN.values())
    request.tell("simulating", 0.0)
    train = made_patterns(phases, settings.n_train, random_state=seed)
    test = made_patterns(phases, settings.n_test, random_state=seed + 100)
    unknown = made_patterns([UNKNOWN], settings.n_unknown, random_state=seed + 200)
    maps: dict[int, LatentMap] = {}
    rows, published = [], []
    for number, n_latent in enumerate(settings.latent):
        request.tell(f"training with {n_latent} latent numbers", 0.05 + 0.4 * number / len(settings.latent))
        maps[n_latent] = LatentMap(
            n_latent, epochs=settings.epochs, minutes=request.minutes, random_state=seed, threads=request.threads,
            device=request.device,
        ).fit(train)  # fmt: skip
        rows.append(_told(maps[n_latent], test, unknown, n_latent))
    rows += _baselines(train, test, unknown)
    published.append(("VAE, 2 latent numbers", 0.9916, 17.0, 90.0, 0.09 / 0.017, "", ""))
    columns = (
        "method",
        "k-NN on the map",
        "error known x 1000",
        "error unknown x 1000",
        "ratio",
        "AUROC",
        "FPR at 95 %",
    )
    first = Table("Three known phases and one unknown", columns, rows, published)
    request.tell("mixtures", 0.5)
    ratios, by_ratio, peaks = _mixtures(maps[settings.latent[0]], test, settings)
    second = Table(
        "Binary mixtures: share at which the error is largest", ("mixture", "at", "error x 1000", "pure x 1000"), peaks,
        [("all", "about 0.5", "", "")],
    )  # fmt: skip
    third = _controls(settings, maps[settings.latent[-1]], train, test, request)
    drawn = draw(maps[settings.latent[0]], test, unknown, ratios, by_ratio)
    figures = save_figures(drawn, request)
    return Outcome([first, second, third], figures, [_DIFFERENCES], asdict(settings))


def _told(model: LatentMap, test: Patterns, unknown: Patterns, n_latent: int) -> tuple[Any, ...]:
    known, new = model.errors(test), model.errors(unknown)
    right = float((model.predict(test) == test.meta["phases"]).mean())
    return (f"VAE, {n_latent} latent numbers", right, *_errors(known, new))


def _errors(known: NDArray[np.float64], new: NDArray[np.float64]) -> tuple[float, ...]:
    limit = np.quantile(new, 0.05)
    return (
        1000 * float(known.mean()), 1000 * float(new.mean()), float(new.mean() / known.mean()), auroc(new, known),
        float((known >= limit).mean()),
    )  # fmt: skip


def _baselines(train: Patterns, test: Patterns, unknown: Patterns) -> list[tuple[Any, ...]]:
    """Principal components and the nearest neighbour, which need no training of a network."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

    made = []
    for k in (2, 10):
        pca = PCA(k, random_state=0).fit(train.intensity)
        codes = [pca.transform(p.intensity) for p in (train, test)]
        right = KNeighborsClassifier(15).fit(codes[0], train.meta["phases"]).score(codes[1], test.meta["phases"])
        left = [
            ((p.intensity - pca.inverse_transform(pca.transform(p.intensity))) ** 2).mean(axis=1)
            for p in (test, unknown)
        ]
        made.append((f"PCA, {k} components", right, *_errors(*left)))
    near = NearestNeighbors(n_neighbors=1).fit(train.intensity)
    apart = [near.kneighbors(p.intensity)[0][:, 0] ** 2 / p.n_points for p in (test, unknown)]
    right = (
        KNeighborsClassifier(1).fit(train.intensity, train.meta["phases"]).score(test.intensity, test.meta["phases"])
    )
    made.append(("nearest pattern", right, *_errors(*apart)))
    return made


def _mixtures(
    model: LatentMap, test: Patterns, settings: Settings
) -> tuple[NDArray[Any], dict[str, NDArray[Any]], list[tuple[Any, ...]]]:
    ratios = np.linspace(0, 1, settings.ratios)
    by_ratio, told = {}, []
    for a, b in combinations(KNOWN, 2):
        first, second = (test.intensity[test.meta["phases"] == name] for name in (a, b))
        errors = np.array([
            model.errors(Patterns(test.axis, mixed(first, second, x), test.kind, wavelength=test.radiation))
            for x in ratios
        ])  # fmt: skip
        mean = errors.mean(axis=1)
        by_ratio[f"{a} + {b}"] = errors
        told.append(
            (f"{a} + {b}", float(ratios[mean.argmax()]), 1000 * float(mean.max()), 1000 * float(mean[[0, -1]].max()))
        )
    return ratios, by_ratio, told


def _controls(
    settings: Settings, model: LatentMap, train: Patterns, test: Patterns, request: Request
) -> Table:  # fmt: skip
    """False alarms of the plain error and of the detector where only the measurement is worse, and what is caught."""
    from peakwise.estimators import NoveltyDetector

    limit = conformal_threshold(model.errors(test), settings.false_alarm)
    ways: dict[str, Callable[[Patterns], NDArray[np.bool_]]] = {
        "plain error": lambda asked: np.asarray(model.errors(asked) > limit)
    }
    for number, method in enumerate(("reconstruction", "auto")):
        request.tell(f"learning what is known: {method}", 0.6 + 0.1 * number)
        learned = train[:: max(1, len(train) // 3000)] if method == "auto" else train
        detector = NoveltyDetector(settings.false_alarm, method, request.seed).fit(learned)
        ways[f"NoveltyDetector, {method}"] = detector.predict
    phases = list(KNOWN.values())
    rows: list[tuple[Any, ...]] = []
    for number, (name, change) in enumerate(_CONTROLS.items()):
        request.tell(name, 0.8 + 0.04 * number)
        asked = control(phases, settings.n_control, request.seed + 300, change)
        rows.append((name, len(asked), *(_share(way(asked)) for way in ways.values())))
    for name in ("as known", "noise x 5"):
        asked = control([UNKNOWN], settings.n_control, request.seed + 400, _CONTROLS[name])
        rows.append((f"the unknown phase, {name}: caught", len(asked), *(_share(way(asked)) for way in ways.values())))
    title = f"Called new at a false-alarm rate of {100 * settings.false_alarm:g} %"
    return Table(title, ("patterns", "n", *ways), rows)


def control(phases: list[Any], n: int, random_state: int, change: dict[str, Any]) -> Patterns:
    """Known phases, measured worse; the axis is what the user believes it to be."""
    options = dict(change)
    noise = options.pop("noise", None)
    if "radiation" in options:
        options["radiation"] = as_radiation(_CU.wavelength * options["radiation"])
    if noise is not None:
        # Counting noise rises by 5 where there are 25 times fewer counts.
        options["counts"] = (3000.0 / noise**2, 30_000.0 / noise**2)
    made = made_patterns(phases, n, random_state=random_state, **options)
    return Patterns(made.axis, made.intensity, made.kind, wavelength=_CU, meta=made.meta)


def _share(new: NDArray[np.bool_]) -> str:
    low, high = wilson_interval(int(new.sum()), len(new))
    return f"{100 * new.mean():.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


VAE_NOVELTY = Study(
    name="vae-novelty",
    title="Does a variational autoencoder know what it has never seen? (three phases, an unknown one, mixtures)",
    citation="L. Banko, P. M. Maffettone, D. Naujoks, D. Olds, A. Ludwig, npj Comput. Mater. 7, 104 (2021)",
    doi="10.1038/s41524-021-00575-9",
    run=run,
)
