"""Figures of the studies of latent maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.studies._pictures import figure_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.estimators import LatentMap
    from peakwise.patterns import Patterns

__all__ = ["draw", "library_map"]

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc3311")


def draw(
    model: LatentMap, test: Patterns, unknown: Patterns, ratios: NDArray[Any], by_ratio: dict[str, NDArray[Any]]
) -> dict[str, Any]:
    """The map with its regions, the errors as violins, and the error against the mixing ratio; by name."""
    drawn = figure_class()
    both = drawn(figsize=(10, 4.6), layout="constrained")
    left, right = both.subplots(1, 2)
    _map(left, model, test, unknown)
    _violins(right, model, test, unknown, by_ratio)
    mixtures = drawn(figsize=(6, 4), layout="constrained")
    axes = mixtures.subplots()
    for colour, (name, errors) in zip(_COLOURS, by_ratio.items(), strict=False):
        mean, spread = errors.mean(axis=1), errors.std(axis=1)
        axes.plot(ratios, mean, color=colour, label=name)
        axes.fill_between(ratios, np.maximum(mean - spread, 0), mean + spread, color=colour, alpha=0.15, lw=0)
    axes.set(xlabel="share of the first phase", ylabel="mean square error", xlim=(0, 1), ylim=(0, None))
    axes.set_title("Error of what comes back, mixtures of two known phases")
    axes.legend(frameon=False)
    return {"vae_novelty_map": both, "vae_novelty_mixtures": mixtures}


def _map(axes: Any, model: LatentMap, test: Patterns, unknown: Patterns) -> None:
    if model.latent_.shape[1] == 2:
        x, y, labels = model.regions(200, 0.3)
        axes.contourf(
            x, y, labels, levels=np.arange(len(model.classes_) + 1) - 0.5, colors=_COLOURS[: len(model.classes_)],
            alpha=0.15,
        )  # fmt: skip
    at = model.transform(test)
    for colour, name in zip(_COLOURS, model.classes_, strict=False):
        inside = test.meta["phases"] == name
        axes.plot(at[inside, 0], at[inside, 1], ".", ms=2, color=colour, label=name)
    new = model.transform(unknown)
    axes.plot(new[:, 0], new[:, 1], "x", ms=4, color=_COLOURS[3], label=f"{unknown.meta['phases'][0]}, never seen")
    axes.set(
        xlabel="first latent number", ylabel="second latent number", title="Map, with the regions of 15 neighbours"
    )
    axes.legend(frameon=False, markerscale=3, fontsize=8)


def _violins(axes: Any, model: LatentMap, test: Patterns, unknown: Patterns, by_ratio: dict[str, NDArray[Any]]) -> None:
    groups = {str(name): model.errors(test[test.meta["phases"] == name]) for name in model.classes_}
    groups["mixtures"] = np.concatenate([errors[1:-1].ravel() for errors in by_ratio.values()])
    groups["never seen"] = model.errors(unknown)
    parts = axes.violinplot([np.log10(np.maximum(v, 1e-9)) for v in groups.values()], showmedians=True, widths=0.8)
    for body, colour in zip(parts["bodies"], (*_COLOURS[:3], "#888888", _COLOURS[3]), strict=False):
        body.set_facecolor(colour)
    axes.set_xticks(range(1, len(groups) + 1), list(groups))
    low, high = (int(np.floor(v)) for v in axes.get_ylim())
    axes.set_yticks(range(low, high + 1), [f"$10^{{{k}}}$" for k in range(low, high + 1)])
    axes.set(ylabel="mean square error of what comes back", title="Known, mixed and never seen")


def library_map(
    areas: Patterns, errors: NDArray[Any], names: list[str], right: NDArray[Any], told: NDArray[Any],
    is_single: NDArray[np.bool_],
) -> Any:  # fmt: skip
    """Error, truth and answer over the wafer; areas of two phases are framed, wrong answers crossed."""
    figure = figure_class()(figsize=(11, 3.9), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    x, y = (np.asarray(areas.meta[name], float) for name in ("x", "y"))
    dots = panels[0].scatter(x, y, c=np.log10(np.maximum(errors, 1e-9)), s=36, marker="s", cmap="cividis")
    figure.colorbar(dots, ax=panels[0], label="log10 of the error")
    panels[0].set_title("error of what comes back")
    groups = sorted(set(right) | set(told))
    colours = dict(zip(groups, (*_COLOURS, "#cc79a7", "#56b4e9", "#f0e442", "#444444"), strict=False))
    for panel, labels, title in ((panels[1], right, "true space group"), (panels[2], told, "answer")):
        for group in groups:
            inside = labels == group
            panel.scatter(x[inside], y[inside], color=colours.get(group, "#999999"), s=36, marker="s", label=group)
        panel.set_title(title)
    for panel in panels:
        panel.scatter(x[~is_single], y[~is_single], s=52, marker="s", facecolors="none", edgecolors="k", lw=0.7)
        panel.set(xlabel="x [mm]", aspect="equal")
    wrong = told != right
    panels[2].scatter(x[wrong], y[wrong], marker="x", s=14, color="k", lw=0.8)
    panels[0].set_ylabel("y [mm]")
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
    figure.suptitle(f"{len(names)} areas; framed: two phases; crossed: wrong", fontsize=9)
    return figure
