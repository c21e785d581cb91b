"""``peakwise train regress``: from scans to numbers, learned from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np

from peakwise.errors import OptionError, PatternsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.estimators import DescriptorRegressor
    from peakwise.evaluation import DescriptorScores
    from peakwise.patterns import Patterns

__all__ = ["run"]

_WHAT = "cannot train a model"
_HELD = 0.2
_ENOUGH = 30  # scans from which some are kept away to say how good the model is


def run(
    out: Output,
    target: Path,
    *,
    scans: tuple[str, ...],
    targets: str | None,
    target_names: tuple[str, ...],
    workflow: str,
    modality: tuple[str, ...],
    bins: int | None,
    scale: str,
    held_out: float | None,
    search: int | None,
    search_minutes: float | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Train and save; the document gets the errors and the coverage of scans that were kept away."""
    from peakwise.cli._regress_input import learned_scans, named_modalities, target_table
    from peakwise.estimators import WORKFLOWS, DescriptorRegressor

    others = named_modalities(modality)
    if not scans and not others:
        raise click.UsageError("Missing argument 'SCAN...' (the scans to learn from).")
    if targets is None and not target_names:
        raise click.UsageError(
            "Missing option '--targets' (a table), or '--target' (what the scans say of themselves)."
        )
    if workflow not in WORKFLOWS:
        raise OptionError(_WHAT, f"workflow must be one of {', '.join(WORKFLOWS)}, got {workflow!r:.60}", "Choose one")
    read = learned_scans(out, scans, others, (wavelength, axis, file_format))
    first = next(iter(read.values()))
    columns = target_table(out, first, targets, target_names).columns
    read, columns = _known(out, read, columns, asked=bool(target_names))
    first = next(iter(read.values()))
    model = DescriptorRegressor(
        workflow, bins=bins or None, scale=scale, random_state=out.seed, threads=out.threads or 1
    )
    out.tell(f"learning {len(columns)} targets of {len(first)} scans by {workflow}")
    if search is not None:
        # Scans that will say how good the model is must not choose its options.
        kept, _ = _split(out, len(first), held_out)
        some = {name: part[kept] for name, part in read.items()}
        _search(out, target, model, some, {n: c[kept] for n, c in columns.items()}, search, search_minutes)
    scores = _learn(out, model, read, columns, held_out)
    model.save(target)
    out.warnings += model.warnings_
    _tell(out, target, model, scores, len(next(iter(read.values()))))


def _known(
    out: Output, read: dict[str, Patterns], columns: dict[str, NDArray[Any]], *, asked: bool
) -> tuple[dict[str, Patterns], dict[str, NDArray[Any]]]:
    """Scans that have every target; a column that has none or never changes is refused before any work."""
    for name, column in list(columns.items()):
        is_number = column.dtype.kind == "f"
        known = np.isfinite(column) if is_number else column != ""
        if not known.any() or np.unique(column[known]).size < 2:
            what = f"is {column[known][0]} for all scans" if known.any() else "has no value"
            why = f"the target {name!r:.60} {what}: nothing can be learned of it"
            if asked or len(columns) == 1:
                raise PatternsError(_WHAT, why, "Leave it out, or name others with --target")
            out.warnings.append(f"{why}; it was left out")
            del columns[name]
    whole = np.all([np.isfinite(c) if c.dtype.kind == "f" else c != "" for c in columns.values()], axis=0)
    if not whole.all():
        rows = {name: int((~(np.isfinite(c) if c.dtype.kind == "f" else c != "")).sum()) for name, c in columns.items()}
        told = ", ".join(f"{n} of {name}" for name, n in rows.items() if n)
        if not whole.any():
            raise PatternsError(_WHAT, f"no scan has all targets: missing are {told}", "Name fewer with --target")
        out.warnings.append(
            f"{int((~whole).sum())} of {whole.size} scans lack a target ({told}) and are not learned from"
        )
    return {name: part[whole] for name, part in read.items()}, {name: c[whole] for name, c in columns.items()}


def _search(
    out: Output,
    target: Path,
    model: DescriptorRegressor,
    read: dict[str, Patterns],
    columns: dict[str, NDArray[Any]],
    n_trials: int,
    minutes: float | None,
) -> None:
    """Look for better options of the workflow; every trial is kept in a file beside the model."""
    import hashlib

    from peakwise.estimators import SEARCH_SPACES, score_regressor, search, with_options

    # Trials of other patterns, targets or settings say nothing of these.
    told = hashlib.sha256(repr((model.workflow, model.scale, out.seed, sorted(columns))).encode())
    for part in (*read.values(), *columns.values()):
        rows = np.ascontiguousarray(getattr(part, "intensity", part))
        told.update(rows.tobytes() if rows.dtype.kind == "f" else repr(rows.tolist()).encode())
    given = read if len(read) > 1 else next(iter(read.values()))
    storage = target.with_name(target.name + ".search")
    found = search(
        lambda options, report: score_regressor(model, given, columns, options, report),
        SEARCH_SPACES[model.workflow],
        n_trials=n_trials, minutes=minutes, storage=storage, key=told.hexdigest()[:16], random_state=out.seed,
        tell=lambda n, error: out.tell(f"trial {n} of {n_trials}: RMSE / range {100 * error:.3g} % at best"),
    )  # fmt: skip
    with_options(model, found.options)
    out.document["search"] = {
        "options": found.options, "error": found.score, "trials": found.tried, "pruned": found.pruned,
        "earlier": found.before, "file": str(storage),
    }  # fmt: skip
    best = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in found.options.items())
    out.say(f"Best of {found.tried} trials ({found.pruned} given up early): {best}")


def _split(out: Output, n: int, held_out: float | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers of the scans to learn from, and of those that are kept away."""
    share = (_HELD if n >= _ENOUGH else 0.0) if held_out is None else held_out
    count = round(share * n)
    order = np.random.default_rng(out.seed).permutation(n)
    return np.sort(order[count:]), np.sort(order[:count])


def _learn(
    out: Output,
    model: DescriptorRegressor,
    read: dict[str, Patterns],
    columns: dict[str, NDArray[Any]],
    held_out: float | None,
) -> dict[str, DescriptorScores]:
    """Fit; with scans enough some are kept away first, and tell how good the answers are."""
    from peakwise.evaluation import descriptor_scores

    learned, asked = _split(out, len(next(iter(read.values()))), held_out)

    def some(rows: NDArray[np.intp]) -> Any:
        taken = {name: part[rows] for name, part in read.items()}
        return taken if len(taken) > 1 else next(iter(taken.values()))

    model.fit(some(learned), {name: column[learned] for name, column in columns.items()})
    if not asked.size:
        return {}
    told = model.describe(some(asked))
    return {
        name: descriptor_scores(columns[name][asked], told.values[:, i], told.low[:, i], told.high[:, i])
        for i, name in enumerate(told.targets)
    }


def _tell(
    out: Output, target: Path, model: DescriptorRegressor, scores: dict[str, DescriptorScores], n_scans: int
) -> None:
    out.document |= {
        "targets": list(model.targets_),
        "workflow": model.workflow,
        "modalities": list(model.modalities_),
        "patterns": n_scans,
        "held_out": {name: score._asdict() for name, score in scores.items()},
        "errors": model.held_errors_,
        "level": model.level,
    }
    if model.modality_gains_:
        out.document["modality_gains"] = model.modality_gains_
        for name, gains in model.modality_gains_.items():
            mean = float(np.mean(list(gains.values())))
            out.say(f"{name} lowers the errors by {100 * mean:.0f} % on average, beside the other kinds of pattern")
    if scores:
        count = next(iter(scores.values())).n
        out.table(
            ("target", "R2", "RMSE", "MAE", f"held by {100 * model.level:g} % intervals"),
            [(name, s.r2, s.rmse, s.mae, f"{s.held} of {s.n}") for name, s in scores.items()],
            title=f"{count} scans that were kept away",
        )
    else:
        out.table(
            ("target", "RMSE of scans kept away in turn"), [(n, e) for n, e in model.held_errors_.items()], title=None
        )
    out.say(f"Use it: peakwise regress SCAN --model {target}")
