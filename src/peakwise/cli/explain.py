"""``peakwise explain``: which parts of a scan speak for a phase, and maps of a set of scans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from peakwise.cli import _options as options
from peakwise.errors import OptionError, PeakwiseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.estimators import PhaseIdentifier, TransitionDetector
    from peakwise.estimators._explaining import PhaseExplanation
    from peakwise.patterns import Patterns

_PANELS = 8  # scans in one picture
_SHOWN = 8  # peaks in the table for people
_TOLD = 20  # peaks in the JSON
_FEWEST = 4  # scans of a map


@options.command
@options.scans
@options.model
@options.phases
@click.option("--phase", metavar="ID", help="The phase that is asked about (default: the answer).")
@click.option("--state", metavar="NAME", help="Of a model of states: the one asked about (default: the answer).")
@click.option("--method", metavar="NAME", help="How: peakwise models lists the explanations.")
@click.option(
    "--of", type=click.Choice(["network", "fit"]), help="Whose score (default: the network's, if there is one)."
)
@click.option("--map", "map_method", metavar="NAME", help="Draw a map of the scans instead: pca, nca, tsne or umap.")
@click.option("-o", "--output", metavar="OUT.png", type=click.Path(), help="Draw it: .png, .svg or .pdf.")
@options.wavelength
@options.axis
@options.file_format
def explain(
    out: Output,
    scans: tuple[str, ...],
    model: str | None,
    phases: tuple[str, ...],
    phase: str | None,
    state: str | None,
    method: str | None,
    of: Literal["network", "fit"] | None,
    map_method: str | None,
    output: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Explain an answer: which parts of a scan speak for a phase, and which against it.

    What is explained is the score of the model's network, or that of the fit. Peaks are listed with their share of all
    that counted. With --map, several scans are drawn as points, so that like lies beside like. Of a model of states
    (train transitions) the states of scans are explained; weights (of linear ones) and attention are methods too.

    Example: peakwise explain scan.xrdml --model minerals.pw -o why.png
    """
    from peakwise.estimators import TransitionDetector

    _check(output, method, map_method)
    made = _explained(out, model, phases)
    if isinstance(made, TransitionDetector):
        from peakwise.cli._explain_states import run

        for word, given in (("--phase", phase), ("--of", of), ("--map", map_method)):
            if given is not None:
                raise click.UsageError(f"The model tells states, not phases: it has no {word}.")
        run(
            out, made, scans, state=state, method=method, output=output, wavelength=wavelength, axis=axis,
            file_format=file_format,
        )  # fmt: skip
        return
    from peakwise.cli._scans import read_scans

    if state is not None:
        raise click.UsageError("The model tells phases, not states: it has no --state.")
    _check_method(method, ())
    files, patterns = read_scans(out, scans, wavelength, axis, file_format)
    if map_method is not None:
        _map(out, made, files, patterns, map_method, output)
        return
    _phases(out, made, files, patterns, phase=phase, method=method, of=of, output=output)


def _phases(
    out: Output,
    identifier: PhaseIdentifier,
    files: list[str],
    patterns: list[Patterns],
    *,
    phase: str | None,
    method: str | None,
    of: Literal["network", "fit"] | None,
    output: str | None,
) -> None:
    if output is not None and len(files) > _PANELS:
        why = f"{len(files)} scans were given, and a picture shows up to {_PANELS}"
        raise OptionError("cannot draw the explanations", why, "Give fewer, or leave -o out")
    told = []
    for file, pattern in zip(files, patterns, strict=True):
        try:
            told.append((file, identifier.explain(pattern, phase, method=method, of=of)))
        except PeakwiseError as problem:
            out.fail(problem, file)
    out.document["scans"] = [_row(file, one) for file, one in told]
    out.need_some(len(told))
    if output is not None:
        _draw(told, output)
        out.document["output"] = output
    for file, one in told:
        title = f"{Path(file).name}: {one.phase}, {one.method} of the {one.of}, score {one.score:.4g}"
        rows = [(f"{p.axis:.2f}", f"{p.d:.4f}", f"{p.intensity:.3f}", f"{p.share:+.3f}") for p in one.peaks[:_SHOWN]]
        out.table((f"peak at ({one.kind})", "d [angstrom]", "height", "share of what counted"), rows, title=title)
        for note in one.notes:
            out.say(note)


def _check(output: str | None, method: str | None, map_method: str | None) -> None:
    """What can be told before anything is read."""
    from peakwise.cli._explain_states import METHODS
    from peakwise.explain import MAPS

    _check_method(method, METHODS)
    if map_method is not None and map_method not in MAPS:
        raise OptionError("unknown map", f"got {map_method!r}, there are {', '.join(MAPS)}", "Use one of these names")
    if output is not None and Path(output).suffix.lower() not in {".png", ".svg", ".pdf"}:
        why = f"the name must end with .png, .svg or .pdf, got {output!r}"
        raise OptionError("cannot draw the explanation", why, "Choose one of them")


def _check_method(method: str | None, more: tuple[str, ...]) -> None:
    from peakwise.explain import EXPLANATIONS

    known = (*EXPLANATIONS, *more)
    if method is not None and method not in known:
        raise OptionError("unknown method", f"got {method!r}, there are {', '.join(known)}", "Use one of these names")


def _explained(out: Output, model: str | None, phases: tuple[str, ...]) -> PhaseIdentifier | TransitionDetector:
    """What is asked: the model, or an identifier for these phases."""
    from peakwise.cli._identifier import as_identifier, identifier_for
    from peakwise.estimators import TransitionDetector, load

    if (model is None) == (not phases):
        raise click.UsageError("Give --model M.pw, or --phases DIR.")
    if model is None:
        return identifier_for(out, phases, "normal", 3)
    made = load(model)
    return made if isinstance(made, TransitionDetector) else as_identifier(made)


def _row(file: str, one: PhaseExplanation) -> dict[str, Any]:
    return {
        "scan": file, "phase": one.phase, "of": one.of, "method": one.method, "score": one.score, "axis": one.kind,
        "peaks": [{"axis": p.axis, "d": p.d, "intensity": p.intensity, "share": p.share} for p in one.peaks[:_TOLD]],
        "curve": {"axis": one.axis, "intensity": one.observed, "relevance": one.relevance}, "notes": one.notes,
    }  # fmt: skip


def _draw(told: list[tuple[str, PhaseExplanation]], output: str) -> None:
    from matplotlib.figure import Figure

    from peakwise.explain import draw_explanation
    from peakwise.patterns import AXES
    from peakwise.report import save_figure

    figure = Figure(figsize=(9, 1 + 2.6 * len(told)), layout="constrained")
    for ax, (file, one) in zip(figure.subplots(len(told), squeeze=False)[:, 0], told, strict=True):
        line = draw_explanation(ax, one.axis, one.observed, one.relevance)
        figure.colorbar(line, ax=ax, label="speaks for (+), against (-)")
        ax.set_title(f"{Path(file).name}: {one.phase}, {one.method} of the {one.of}", fontsize=9)
        ax.set_xlabel(f"{one.kind} [{AXES[one.kind].unit}]")
        ax.set_ylabel("intensity")
    save_figure(figure, output, dpi=150)


def _map(
    out: Output,
    identifier: PhaseIdentifier,
    files: list[str],
    patterns: list[Patterns],
    method: str,
    output: str | None,
) -> None:
    kept = []
    for file, pattern in zip(files, patterns, strict=True):
        try:
            identifier.check_scan(pattern)
            kept.append((file, pattern))
        except PeakwiseError as problem:
            out.fail(problem, file)
    out.need_some(len(kept))
    if len(kept) < _FEWEST:
        why = f"at least {_FEWEST} scans are needed, got {len(kept)}"
        raise OptionError("cannot map the set", why, "Give more scans, or leave --map out")
    scans = [pattern for _, pattern in kept]
    answers = ["; ".join(p.phase for p in one.phases) or "none of these" for one in identifier.identify(scans)]
    if method == "nca" and len(set(answers)) < 2:
        why = f"nca needs answers of two kinds at least, and all are {answers[0]}"
        raise OptionError("cannot map the set", why, "Use pca, tsne or umap")
    points = identifier.map(scans, method=method, labels=answers)
    out.document["map"] = method
    out.document["points"] = [
        {"scan": file, "x": float(x), "y": float(y), "answer": answer}
        for (file, _), (x, y), answer in zip(kept, points, answers, strict=True)
    ]
    if output is not None:
        _draw_map(points, answers, method, output)
        out.document["output"] = output
    rows = [(Path(p["scan"]).name, f"{p['x']:.4g}", f"{p['y']:.4g}", p["answer"]) for p in out.document["points"]]
    out.table(("scan", "x", "y", "answer"), rows, title=f"{method} of {len(kept)} scans")


def _draw_map(points: NDArray[Any], answers: list[str], method: str, output: str) -> None:
    from matplotlib.figure import Figure

    from peakwise.report import save_figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    ax = figure.add_subplot()
    for number, answer in enumerate(sorted(set(answers))):
        inside = [a == answer for a in answers]
        ax.scatter(points[inside, 0], points[inside, 1], s=24, marker="osD^v<>Px*"[number // 10 % 10], label=answer)
    ax.set_title(f"{method} of {len(answers)} scans", fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    save_figure(figure, output, dpi=150)
