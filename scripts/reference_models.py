"""The page of all tables whose members are chosen by name: estimators, networks, scores, studies and more."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import TYPE_CHECKING

from markdown_parts import code, first, page, prose, table

from peakwise.augmentation import AUGMENTATIONS
from peakwise.cli.bench import BENCHES
from peakwise.estimators import ESTIMATORS, METHODS, NETWORK_METHODS, SEARCH_SPACES, WORKFLOWS
from peakwise.evaluation import CALIBRATIONS
from peakwise.explain import EXPLANATIONS, MAPS
from peakwise.exported import BACKENDS
from peakwise.live import SOURCES
from peakwise.matching import EFFORTS, FitSettings, Rules
from peakwise.networks import DECODERS, HEADS, NETWORKS
from peakwise.novelty import SCORES
from peakwise.objectives import OBJECTIVES
from peakwise.report import DESCRIPTOR_VERDICTS, NOVELTY_VERDICTS, SERIES_VERDICTS, VERDICTS
from peakwise.series import GROUPINGS
from peakwise.studies import STUDIES
from peakwise.wafers import REGION_METHODS, SCALES, STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def models_page() -> str:
    efforts = ((f"`{n}`", *(str(v) for v in (e.looked, e.fitted, e.added, e.beam))) for n, e in EFFORTS.items())
    every = (*VERDICTS.values(), *SERIES_VERDICTS.values(), *NOVELTY_VERDICTS.values(), *DESCRIPTOR_VERDICTS.values())
    verdicts = [(f"`{v.name}`", v.sign, v.label, v.meaning) for v in every]
    studies = ((f"`{s.name}`", s.title, s.citation, f"<https://doi.org/{s.doi}>") for s in STUDIES.values())
    return page(
        "# Models, and what else there is to choose from",
        prose("""
            Names for options, each with its class and the options of that class. `peakwise models` prints most of them.
            Each table is a dict in the `__init__.py` of its room: to add a member is one file and one line. What the
            classes do in full: [Python](api.md).
        """),
        "## Estimators",
        "`peakwise.estimators.ESTIMATORS`: what `peakwise.load` can load from a model file.",
        _classes(ESTIMATORS),
        "## Efforts of an identification",
        prose("""
            `peakwise.matching.EFFORTS`, for `effort=` and `--effort`. *Looked at*: phases of the library that get a
            coarse fit, the most alike first; *fitted*: of these, how many get a fine fit; *added*: phases that are
            tried beside those already found; *beam*: sets of phases that are followed at once. The whole library is
            compared with the scan in every case.
        """),
        table(("Name", "Looked at", "Fitted", "Added", "Beam"), efforts),
        "## Fits and the criterion",
        prose("""
            `peakwise.matching.FitSettings`, widths of the normal priors of a fit and how it works, and
            `peakwise.matching.Rules`, the weights of the criterion. What they mean in formulas:
            [Identification](../explanations/identification.md).
        """),
        table(("Fit", "Default", "What it is"), _settings(FitSettings)),
        table(("Criterion", "Default", "What it is"), _settings(Rules)),
        "## Verdicts",
        prose("""
            `peakwise.report.VERDICTS`, of series `SERIES_VERDICTS`, of novelty `NOVELTY_VERDICTS`, of descriptors
            `DESCRIPTOR_VERDICTS`: kinds of answer.
        """),
        table(("Name", "Sign", "Called", "When"), verdicts),
        "## Ways to find the states of a series",
        prose(f"""
            `peakwise.estimators.METHODS`, for `peakwise transitions --method`. Which one:
            [Where a series changes](../explanations/transitions.md). The clusterings are those of
            `peakwise.series.GROUPINGS`: {code(GROUPINGS)}.
        """),
        table(("Name", "What it does"), ((f"`{n}`", what) for n, what in METHODS.items())),
        "## Scores of novelty",
        prose("""
            `peakwise.novelty.SCORES`, for `method=` of `NoveltyDetector` and `--method`. Which one:
            [What is new](../explanations/novelty.md). Scores of networks, and what each joins, are
            `peakwise.estimators.NETWORK_METHODS`.
        """),
        _classes(SCORES),
        table(("Networks", "Joins"), ((f"`{n}`", code(parts)) for n, parts in NETWORK_METHODS.items())),
        "## Libraries",
        prose(f"""
            `peakwise.wafers.REGION_METHODS`, ways to find phase regions: {code(REGION_METHODS)}; `SCALES` of frames
            that are merged: {code(SCALES)}; `STRATEGIES` of `suggest`: {code(STRATEGIES)}.
        """),
        "## Ways to descriptors",
        prose("""
            `peakwise.estimators.WORKFLOWS`, for `workflow=` of `DescriptorRegressor` and `--workflow`; their options go
            into `options=`. Which one: [Descriptors](../explanations/descriptors.md). What `train regress --search`
            tries, and between which limits, is `peakwise.estimators.SEARCH_SPACES`.
        """),
        _classes(WORKFLOWS),
        table(("Workflow", "Tried"), ((f"`{n}`", code(space)) for n, space in SEARCH_SPACES.items())),
        "## Sources of a stream",
        "`peakwise.live.SOURCES`: where patterns come from while they are measured.",
        _classes(SOURCES),
        "## Backends of prediction",
        "`peakwise.exported.BACKENDS`: what runs a trained network fast.",
        _classes(BACKENDS, ("network",)),
        "## Networks",
        prose("""
            `peakwise.networks.NETWORKS`, for `network=` and `--network`. Which one:
            [Learning](../explanations/learning.md).
        """),
        _classes(NETWORKS, ("n_points",)),
        "## Heads",
        "`peakwise.networks.HEADS`, for `head=` of an objective.",
        _classes(HEADS, ("n_features", "n_classes")),
        "## Decoders",
        "`peakwise.networks.DECODERS`, for `decoder=` of `LatentMap`, and of `autoencoder` and `variational` below.",
        _classes(DECODERS, ("n_latent", "n_points")),
        "## Objectives",
        "`peakwise.objectives.OBJECTIVES`: what a network learns.",
        _classes(OBJECTIVES, ("encoder", "n_classes")),
        "## Augmentations",
        "`peakwise.augmentation.AUGMENTATIONS`: random changes in training, never at prediction.",
        _classes(AUGMENTATIONS),
        "## Calibrations",
        "`peakwise.evaluation.CALIBRATIONS`: from scores to probabilities.",
        _classes(CALIBRATIONS),
        "## Explanations",
        prose("""
            `peakwise.explain.EXPLANATIONS`, for `method=` and `--method`. Which one:
            [Ask why](../how-to/explain.md).
        """),
        _classes(EXPLANATIONS),
        "## Maps of a set",
        "`peakwise.explain.MAPS`, for `--map`.",
        _classes(MAPS),
        "## Studies",
        prose("""
            `peakwise.studies.STUDIES`, for `peakwise study`. What was done as published, and what was not:
            [Published studies](../explanations/studies.md).
        """),
        table(("Name", "What it asks", "Published in", "DOI"), studies),
        "## Benches",
        "For `peakwise bench`.",
        table(("Name", "What it measures"), ((f"`{n}`", what) for n, (_, what) in BENCHES.items())),
    )


def _classes(members: Mapping[str, type], given: Sequence[str] = ()) -> str:
    """A table of classes with their options; `given` is what every member is handed and nobody chooses."""
    rows = []
    for name, one in members.items():
        options = [
            p.name if p.default is p.empty else f"{p.name}={_default(p.default)}"
            for p in inspect.signature(one).parameters.values()
            if p.name not in given
        ]
        rows.append((f"`{name}`", f"`{one.__name__}`", first(one), code(options) or "-"))
    return table(("Name", "Class", "What it is", "Options"), rows)


def _settings(settings: type) -> list[tuple[str, str, str]]:
    """Each field of a dataclass: its default, and what the docstring says of it (or of the whole line of names)."""
    told, names = {}, []
    for line in (inspect.getdoc(settings) or "").partition("----------\n")[2].splitlines():
        if found := re.fullmatch(r"(\w+(?:, \w+)*) : \w+", line):
            names = found[1].split(", ")
        else:
            told |= {name: f"{told.get(name, '')} {line.strip()}" for name in names}
    return [(f"`{f.name}`", f"{f.default:g}", told.get(f.name, "").strip()) for f in fields(settings)]


def _default(value: object) -> str:
    return repr(value).replace("'", '"')
