"""``peakwise models``: what there is to choose from, and what is in a model file."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.errors import PeakwiseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peakwise.cli._output import Output

# What is told of -> (the table, where it is used).
_TABLES: dict[str, tuple[str, str]] = {
    "estimators": ("peakwise.estimators:ESTIMATORS", "Python"),
    "methods": ("peakwise.estimators:METHODS", "transitions --method"),
    "workflows": ("peakwise.estimators:WORKFLOWS", "train regress --workflow"),
    "scores": ("peakwise.novelty:SCORES", "novelty --method"),
    "network_methods": ("peakwise.estimators:NETWORK_METHODS", "novelty --method"),
    "networks": ("peakwise.networks:NETWORKS", "train --network, transitions --network"),
    "objectives": ("peakwise.objectives:OBJECTIVES", "Python"),
    "augmentations": ("peakwise.augmentation:AUGMENTATIONS", "Python"),
    "explanations": ("peakwise.explain:EXPLANATIONS", "explain --method"),
    "maps": ("peakwise.explain:MAPS", "explain --map"),
    "calibrations": ("peakwise.evaluation:CALIBRATIONS", "Python"),
    "efforts": ("peakwise.matching:EFFORTS", "identify --effort"),
}
_WEIGHTS = ("proposer.", "network.weights.")  # of networks, among the arrays of a model file


@options.command
@click.argument("files", metavar="[M.pw...]", nargs=-1, type=click.Path())
def models(out: Output, files: tuple[str, ...]) -> None:
    """List what there is to choose from, one phrase each; or tell what is in model files.

    Example: peakwise models minerals.pw
    """
    if not files:
        _list(out)
        return
    rows = []
    for file in files:
        try:
            rows.append(_describe(file))
        except PeakwiseError as problem:
            out.fail(problem, file)
    out.document["models"] = rows
    out.need_some(len(rows))
    for row in rows:
        out.table(("", row["file"]), [(k, _short(v)) for k, v in row.items() if k != "file" and v is not None])


def _list(out: Output) -> None:
    for kind, (place, used) in _TABLES.items():
        module, _, attribute = place.partition(":")
        try:
            table: Mapping[str, Any] = getattr(import_module(module), attribute)
        except ImportError:
            out.warnings.append(f"{kind} are not told of: torch is not installed (pip install 'peakwise[torch]')")
            continue
        rows = [{"name": name, "what": _phrase(one)} for name, one in table.items()]
        out.document[kind] = rows
        out.table((kind, "what"), [(r["name"], r["what"]) for r in rows], title=f"{kind} ({used})")


def _phrase(one: Any) -> str:
    """The first sentence of a class; of plain settings, the settings; a phrase as it is."""
    if isinstance(one, str):
        return one
    if isinstance(one, tuple):
        return f"networks that make patterns again: {', '.join(one).replace('_', ' ')}"
    if not inspect.isclass(one):
        return ", ".join(f"{f.name} {getattr(one, f.name)}" for f in fields(one))
    return " ".join((inspect.getdoc(one) or "").partition("\n\n")[0].split()).removesuffix(".")


def _describe(file: str) -> dict[str, Any]:
    """What the header of a model file says, and how large its parts are; no estimator is made of it."""
    from peakwise.modelfiles import read_model

    model = read_model(file)
    recipe = model.recipe
    phases = [p["id"] for p in recipe.get("phases") or ()]
    whole = recipe.get("learned") or {}
    learned = whole.get("proposer") or (whole["network"] if isinstance(whole.get("network"), dict) else {})
    states = whole["names"] if recipe.get("task") == "transitions" else None
    grid = model.arrays.get("grid")
    axis = dict(recipe.get("axis") or {})
    if grid is not None and grid.size:
        axis |= {"start": float(grid[0]), "stop": float(grid[-1]), "points": int(grid.size)}
    return {
        "file": file,
        "task": recipe.get("task"),
        "estimator": recipe["estimator"],
        "written_by": model.written_by,
        "format": model.format,
        "sha256": model.sha256,
        "bytes": Path(file).stat().st_size,
        "options": {k: v for k, v in (recipe.get("options") or {}).items() if v is not None},
        "axis": axis,
        "phases": phases or None,
        "labels": (recipe.get("labels") or {}).get("values") if not phases else None,
        "states": states,
        "network": learned.get("network"),
        "parameters": sum(v.size for k, v in model.arrays.items() if k.startswith(_WEIGHTS)) if learned else None,
        "history": learned.get("history") or recipe.get("history"),
        "arrays": {k: {"shape": list(v.shape), "bytes": v.nbytes} for k, v in model.arrays.items()},
    }


def _short(value: Any) -> object:
    """A value in one cell: long lists by their length and their beginning."""
    if isinstance(value, list):
        return f"{len(value)}: {', '.join(map(str, value[:8]))}{' ...' if len(value) > 8 else ''}"
    if isinstance(value, dict) and all(isinstance(v, dict) for v in value.values()):
        return f"{len(value)}, {sum(v['bytes'] for v in value.values())} bytes"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v:.6g}" if isinstance(v, float) else f"{k} {v}" for k, v in value.items())
    return value
