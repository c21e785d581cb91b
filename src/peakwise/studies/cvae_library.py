"""A library of compositions: a conditional variational autoencoder, its error over the wafer, and space groups."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.evaluation import auroc, wilson_interval
from peakwise.studies._library_data import ELEMENTS, Area, candidates, known_patterns, make_library
from peakwise.studies._pictures import save_figures
from peakwise.studies._study import Outcome, Request, Study, Table
from peakwise.studies._vae_figures import library_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["CVAE_LIBRARY", "Settings", "run"]

_DIFFERENCES = (
    "The measured library and the 21 ICSD entries are not open: 12 published cells and 9 solid solutions by Vegard's "
    "rule; 225 simulated areas on the published wedges, of which it is known what they hold (drawn among the phases of "
    "about that composition; 30 % hold two). The paper has no numbers for the library but these: 21 phases, 225 areas."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    n_train : int
        Patterns of each of the 21 phases to learn from.
    epochs, members, n_latent : int
    """

    n_train: int = 500
    epochs: int = 30
    members: int = 3
    n_latent: int = 2


QUICK = Settings(n_train=60, epochs=20, members=2)


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    from peakwise.estimators import LatentMap

    settings = QUICK if request.quick else Settings()
    request.tell("simulating the phases", 0.0)
    known = known_patterns(settings.n_train, request.seed)
    request.tell("simulating the library", 0.05)
    areas, truth = make_library(request.seed)
    chosen = candidates()
    groups = np.array([phase.space_group for phase, _ in chosen.values()])
    right = groups[[area.first for area in truth]]
    is_single = np.array([area.second < 0 for area in truth])
    rows: list[tuple[Any, ...]] = []
    errors: dict[str, NDArray[np.float64]] = {}
    told: dict[str, NDArray[Any]] = {}
    for number, (name, n_latent, condition) in enumerate((
        ("cVAE", settings.n_latent, list(ELEMENTS)), ("VAE, no composition", settings.n_latent, None),
        ("cVAE, 10 latent numbers", 10, list(ELEMENTS)),
    )):  # fmt: skip
        request.tell(f"training: {name}", 0.15 + 0.25 * number)
        model = LatentMap(
            n_latent, condition=condition, members=settings.members, classifier="bayes", epochs=settings.epochs,
            minutes=request.minutes, random_state=request.seed, threads=request.threads, device=request.device,
        ).fit(known, known.meta["space_group"])  # fmt: skip
        errors[name], told[name] = model.errors(areas), model.predict(areas)
        rows.append(
            (name, *_scored(told[name], right, is_single), auroc(errors[name][~is_single], errors[name][is_single]))
        )
        if condition:
            swapped = areas.replace(meta={**areas.meta, **_swapped(areas)})
            rows[-1] += (float((model.errors(swapped)[is_single] > errors[name][is_single]).mean()),)
        else:
            rows[-1] += ("",)
    request.tell("baselines", 0.92)
    rows += _baselines(known, areas, right, is_single)
    columns = (
        "method", "space group, one phase", "space group, all", "mixtures told by the error: AUROC",
        "error rises with a wrong composition",
    )  # fmt: skip
    first = Table(f"{len(truth)} areas, {int(is_single.sum())} of one phase; {len(chosen)} candidates", columns, rows)
    second = _by_group(told["cVAE"], right, is_single)
    picture = library_map(areas, errors["cVAE"], truth_names(truth), right, told["cVAE"], is_single)
    figures = save_figures({"cvae_library_map": picture}, request)
    return Outcome([first, second], figures, [_DIFFERENCES], asdict(settings))


def truth_names(truth: list[Area]) -> list[str]:
    """What each area holds, in words."""
    names = list(candidates())
    return [names[a.first] + (f" + {names[a.second]}" if a.second >= 0 else "") for a in truth]


def _scored(told: NDArray[Any], right: NDArray[Any], is_single: NDArray[np.bool_]) -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]
        _share(int((told[which] == right[which]).sum()), int(which.sum()))
        for which in (is_single, np.ones(len(right), dtype=bool))
    )


def _share(k: int, n: int) -> str:
    low, high = wilson_interval(k, n)
    return f"{100 * k / n:.1f} % [{100 * low:.0f}, {100 * high:.0f}]"


def _swapped(areas: Patterns) -> dict[str, NDArray[Any]]:
    """The composition of the opposite area for each area."""
    return {element: areas.meta[element][::-1] for element in ELEMENTS}


def _baselines(
    known: Patterns, areas: Patterns, right: NDArray[Any], is_single: NDArray[np.bool_]
) -> list[tuple[Any, ...]]:
    """What needs no network: the composition alone, the nearest pattern, principal components with the composition."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier

    groups = known.meta["space_group"]
    mixes = [np.stack([np.asarray(p.meta[e], float) for e in ELEMENTS], axis=1) for p in (known, areas)]
    pca = PCA(32, random_state=0).fit(known.intensity)
    codes = [pca.transform(p.intensity) for p in (known, areas)]
    left = ((areas.intensity - pca.inverse_transform(codes[1])) ** 2).mean(axis=1)
    near = KNeighborsClassifier(1).fit(known.intensity, groups)
    joined = [np.hstack([c / c.std(), m / m.std()]) for c, m in zip(codes, mixes, strict=True)]
    mixed_up = auroc(left[~is_single], left[is_single])
    apart = near.kneighbors(areas.intensity)[0][:, 0]
    return [
        ("composition alone (Gaussian naive Bayes)",
         *_scored(GaussianNB().fit(mixes[0], groups).predict(mixes[1]), right, is_single), "", ""),
        ("nearest pattern", *_scored(near.predict(areas.intensity), right, is_single),
         auroc(apart[~is_single], apart[is_single]), ""),
        ("PCA (32) + composition, logistic regression",
         *_scored(LogisticRegression(max_iter=2000).fit(joined[0], groups).predict(joined[1]), right, is_single),
         mixed_up, ""),
    ]  # fmt: skip


def _by_group(told: NDArray[Any], right: NDArray[Any], is_single: NDArray[np.bool_]) -> Table:
    names = sorted(set(right[is_single]))
    rows = []
    for name in names:
        inside = is_single & (right == name)
        rows.append((name, *(int((told[inside] == other).sum()) for other in names)))
    return Table(
        "Areas of one phase: the space group that they have (rows), and that the cVAEs say", ("", *names), rows
    )


CVAE_LIBRARY = Study(
    name="cvae-library",
    title="What does a library of compositions hold? (conditional variational autoencoders, Co-Ni-Cr-Re)",
    citation="L. Banko, P. M. Maffettone, D. Naujoks, D. Olds, A. Ludwig, npj Comput. Mater. 7, 104 (2021)",
    doi="10.1038/s41524-021-00575-9",
    run=run,
)
