"""``peakwise wafer``: the phase regions of a combinatorial library, its maps, and where to measure next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np

from peakwise.cli import _options as options
from peakwise.cli._names import Names
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns
    from peakwise.wafers import LibraryTable

_WHAT = "cannot map the library"
_METHODS = Names("peakwise.wafers:REGION_METHODS", more=("factors",))
_STRATEGIES = Names("peakwise.wafers:STRATEGIES")
_STEPS = 20  # of a grid of places or compositions, along each side


@options.command
@options.scans
@click.option(
    "--table",
    metavar="T.csv",
    required=True,
    type=click.Path(),
    help="Compositions or places of the scans, a row each.",
)
@click.option("--columns", metavar="C,C", help="What the columns of the table are, where it does not name them.")
@click.option(
    "--k", metavar="auto|K", default="auto", show_default=True, help="How many regions (components) there are."
)
@click.option(
    "--method", metavar="NAME", type=_METHODS, default="agglomerative", show_default=True,
    help="agglomerative or spectral: groups of like patterns; factors: sums of a few patterns.",
)  # fmt: skip
@click.option(
    "--shift", metavar="X", type=click.FloatRange(0, 0.1), default=0.02, show_default=True,
    help="By how much cells may differ between patterns of one phase, as a share.",
)  # fmt: skip
@click.option(
    "--background", metavar="N", type=click.IntRange(0, 12), default=4, show_default=True,
    help="Degree of the polynomial taken off below the peaks; 0 takes nothing off.",
)  # fmt: skip
@click.option("--connected", is_flag=True, help="Regions only grow to places or compositions beside them.")
@click.option("--model", metavar="M.pw", type=click.Path(), help="Score patterns by a model of train novelty.")
@click.option(
    "--score", "column", metavar="NAME", help="Score patterns by a column of the table or of what the scans say."
)
@click.option("--mixing", metavar="NAME", help="A column with mixing ratios, 0 to 1: drawn against the score.")
@click.option("--suggest", "n_suggested", metavar="N", type=click.IntRange(0, 1000), default=5, show_default=True,
              help="How many places to measure next.")  # fmt: skip
@click.option(
    "--strategy", metavar="NAME", type=_STRATEGIES, default="exploration", show_default=True,
    help="What is looked for there: novelty, uncertainty or exploration.",
)  # fmt: skip
@click.option(
    "--candidates", metavar="G.csv", type=click.Path(),
    help="The places that can be measured, with the columns of --table (default: a grid).",
)  # fmt: skip
@options.report
@options.csv_file
@options.wavelength
@options.axis
@options.file_format
def wafer(
    out: Output,
    scans: tuple[str, ...],
    table: str,
    columns: str | None,
    k: str,
    method: str,
    shift: float,
    background: int,
    connected: bool,
    model: str | None,
    column: str | None,
    mixing: str | None,
    n_suggested: int,
    strategy: str,
    candidates: str | None,
    report: str | None,
    csv_file: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Map the phase regions of a combinatorial library, and say where to measure next.

    SCAN may be files, folders, globs or one file with many patterns. The table joins compositions or places to them, by
    their names or by their order. Patterns are compared without their background, and may be shifted against each other
    as alloying shifts them. The score of a pattern says how unlike its region it is, unless --model or --score says
    otherwise.

    Example: peakwise wafer library/*.xy --table edx.csv --report library.html
    """
    from peakwise.cli._series import read_series
    from peakwise.cli._wafer_regions import found_regions
    from peakwise.wafers import join_library, read_library

    n = _number(k)
    if model is not None and column is not None:
        raise click.UsageError("Give --model or --score, not both.")
    library = read_library(table, columns=_listed(columns))
    patterns = join_library(read_series(out, scans, wavelength, axis, file_format).patterns, library, extra="drop")
    out.warnings += [w for w in patterns.warnings if w not in out.warnings]
    flat = _flat(patterns, background)
    where, names = _where(patterns, library)
    found = found_regions(out, flat, n, method, shift, where if connected else None)
    scores, told = _scored(out, patterns, found.scores, model, column)
    rows = []
    for i, name in enumerate(patterns.names):
        row: dict[str, Any] = {"pattern": str(name), "cluster": int(found.labels[i]), "score": float(scores[i])}
        if library.places is not None:
            row["position"] = [float(patterns.meta[c][i]) for c in ("x", "y")]
        if library.fractions is not None:
            row["composition"] = {e: float(patterns.meta[e][i]) for e in library.elements}
        if found.shares is not None:
            row["shares"] = [round(float(s), 4) for s in found.shares[i]]
        rows.append(row)
    out.document |= {
        "patterns": rows, "k": len(found.examples), "silhouette": found.silhouette, "method": method, "score": told,
        "examples": [str(patterns.names[i]) for i in found.examples],
        "suggestions": _suggested(out, n_suggested, strategy, where, names, scores, candidates, _listed(columns)),
        "strategy": strategy,
    }  # fmt: skip
    _tell(out)
    if report or csv_file:
        from peakwise.cli._wafer_files import write_wafer

        write_wafer(out, patterns, flat, found, library, mixing, report, csv_file)


def _number(k: str) -> int | None:
    if k == "auto":
        return None
    if not (k.isdecimal() and int(k) >= 1):
        raise OptionError(_WHAT, f"--k must be auto or a whole number of at least 1, got {k!r}", "Give auto")
    return int(k)


def _listed(columns: str | None) -> list[str] | None:
    return None if columns is None else [name.strip() for name in columns.split(",")]


def _flat(patterns: Patterns, degree: int) -> Patterns:
    """Patterns without what is smooth below their peaks."""
    if degree == 0:
        return patterns
    from peakwise.preprocessing import SubtractBaseline

    return SubtractBaseline("imodpoly", poly_order=degree).fit_transform(patterns)  # type: ignore[no-any-return]


def _where(patterns: Patterns, library: LibraryTable) -> tuple[NDArray[np.float64], list[str]]:
    """Where each pattern is, and what the columns are: places where there are any, else compositions."""
    names = ["x", "y"] if library.places is not None else list(library.elements)
    return np.column_stack([np.asarray(patterns.meta[name], np.float64) for name in names]), names


def _scored(
    out: Output, patterns: Patterns, usual: NDArray[np.float64], model: str | None, column: str | None
) -> tuple[NDArray[np.float64], str]:
    """A score for each pattern, and what it is."""
    if column is not None:
        if column not in patterns.meta or patterns.meta[column].dtype.kind not in "fiu":
            numbers = [name for name, values in patterns.meta.items() if values.dtype.kind in "fiu"]
            why = f"--score must name a column of numbers ({', '.join(numbers) or 'there is none'}), got {column!r}"
            raise OptionError(_WHAT, why, "Name one of these")
        return np.asarray(patterns.meta[column], np.float64), column
    if model is None:
        return usual, "difference from its region"
    from peakwise.cli._known import onto
    from peakwise.cli.novelty import of_model

    detector, layout = of_model(model)
    asked = [part if layout is None else onto(part, layout)[0] for part in patterns]
    return np.array([detector.answers(part)[0].score for part in out.progress(iter(asked), "comparing")]), "novelty"


def _suggested(
    out: Output, n: int, strategy: str, where: NDArray[np.float64], names: list[str], scores: NDArray[np.float64],
    candidates: str | None, columns: list[str] | None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Where to measure next, as plain values."""
    if n == 0:
        return []
    from peakwise.wafers import read_library, suggest

    if candidates is None:
        grid = _grid(where, names)
    else:
        made = read_library(candidates, columns=columns)
        has_elements = list(made.elements) == names
        found = made.places if names == ["x", "y"] else made.fractions if has_elements else None
        if found is None:
            why = f"it must have the columns {', '.join(names)}, as the table of the scans"
            raise OptionError("cannot suggest where to measure", why, "Name the places by them", file=candidates)
        grid = found
    told = suggest(n, where, scores, grid, strategy=strategy, random_state=out.seed)
    out.warnings += told.warnings
    rows = zip(told.where.tolist(), told.value, told.mean, told.std, told.why, strict=True)
    return [
        {
            "where": dict(zip(names, place, strict=True)),
            "value": float(v),
            "mean": float(m),
            "std": float(s),
            "why": why,
        }
        for place, v, m, s, why in rows
    ]


def _grid(where: NDArray[np.float64], names: list[str]) -> NDArray[np.float64]:
    """A grid over the range that was measured: of places, or of compositions in steps of 5 %."""
    low, high = where.min(axis=0), where.max(axis=0)
    if names == ["x", "y"]:
        sides = [np.linspace(a, b, _STEPS + 1 if b > a else 1) for a, b in zip(low, high, strict=True)]
        return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    from peakwise.wafers import composition_grid

    grid = composition_grid(len(names), _STEPS if len(names) < 5 else 10)
    inside = ((grid >= low - 1e-9) & (grid <= high + 1e-9)).all(axis=1)
    return grid[inside] if inside.any() else grid


def _tell(out: Output) -> None:
    from peakwise.report import tell_clusters

    if out.as_json or out.quiet:
        return
    document: Any = {**out.document, "command": "cluster"}
    told = tell_clusters(document)
    out.say(told.sentence + ".")
    rows = out.document["patterns"]
    found = [
        (k, sum(row["cluster"] == k for row in rows), example) for k, example in enumerate(out.document["examples"])
    ]
    out.table(("region", "patterns", "typical pattern"), found)
    places = out.document["suggestions"]
    if places:
        names = list(places[0]["where"])
        out.table(
            (*names, "why"), [(*(f"{row['where'][n]:.4g}" for n in names), row["why"]) for row in places],
            title=f"Measure next ({out.document['strategy']})",
        )  # fmt: skip
