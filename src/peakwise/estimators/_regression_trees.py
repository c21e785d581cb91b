"""Regression trees as flat arrays, which a model file can hold without pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["check_trees", "flat_trees", "leaves"]

_NAMES = ("roots", "left", "right", "feature", "threshold", "value")


def flat_trees(trees: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """All trees of scikit-learn in one set of arrays.

    Node i goes to ``left`` where number ``feature`` of a row is at most ``threshold``, else to ``right``; -1 marks a
    leaf, which answers ``value[i]``, one number a target.
    """
    sizes = np.array([tree.node_count for tree in trees])
    roots = np.cumsum(sizes) - sizes

    def turned(name: str) -> NDArray[np.int64]:
        sides = [getattr(tree, name) for tree in trees]
        moved = [np.where(side < 0, -1, side + root) for root, side in zip(roots, sides, strict=True)]
        return np.concatenate(moved).astype(np.int64)

    return {
        "roots": roots.astype(np.int64),
        "left": turned("children_left"),
        "right": turned("children_right"),
        "feature": np.concatenate([tree.feature for tree in trees]).astype(np.int64),
        "threshold": np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        "value": np.concatenate([tree.value[:, :, 0] for tree in trees]).astype(np.float64),
    }


def leaves(trees: Mapping[str, NDArray[Any]], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each tree answers for each row: (n_trees, n, t)."""
    narrow = rows.astype(np.float32)  # as the trees were grown
    every = np.arange(len(narrow))[None, :]
    node = np.repeat(trees["roots"][:, None], len(narrow), axis=1)
    while (inside := trees["left"][node] >= 0).any():
        is_left = narrow[every, np.where(inside, trees["feature"][node], 0)] <= trees["threshold"][node]
        node = np.where(inside, np.where(is_left, trees["left"][node], trees["right"][node]), node)
    return np.asarray(trees["value"][node])


def check_trees(arrays: Mapping[str, NDArray[Any]], n_points: int) -> dict[str, NDArray[Any]]:
    """Trees of a model file, refused where they would lead astray or in a circle: children stand behind parents."""
    trees = {name: np.asarray(arrays[name]) for name in _NAMES}
    n = len(trees["left"])
    if trees["value"].ndim != 2 or any(len(trees[name]) != n for name in _NAMES[2:]) or not trees["roots"].size:
        raise ValueError("the arrays of the trees differ in length")
    inside = trees["left"] >= 0
    here = np.arange(n)[inside]
    limits: list[tuple[NDArray[Any], Any, int]] = [(trees["roots"], 0, n), (trees["feature"][inside], 0, n_points)]
    limits += [(trees[side][inside], here + 1, n) for side in ("left", "right")]
    if any(a.dtype.kind != "i" or (a < least).any() or (a >= beyond).any() for a, least, beyond in limits):
        raise ValueError("the numbers of the trees lead nowhere")
    return trees
