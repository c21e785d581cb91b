"""Figures of the studies of latent maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.studies._pictures import figure_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.estimators import LatentMap
    from peakwise.patterns import Patterns

__all__ = ["draw"]

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
