"""Many decision trees, each on its own sample of the patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier

from peakwise.estimators._base import Estimator
from peakwise.estimators._options import whole_option
from peakwise.estimators._rows import unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["RandomForest"]


@final
class RandomForest(ClassifierMixin, Estimator):  # type: ignore[misc]
    """Random forest on square-root intensities.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    min_samples_leaf : int
        Fewest patterns in a leaf.
    random_state : int
        Seed of samples and of the points that each split may choose among.

    Notes
    -----
    scikit-learn grows the trees; they are kept and asked as flat arrays, which a model file can hold without pickle.

    Examples
    --------
    >>> model = RandomForest(20).fit([[9, 1, 0], [8, 2, 0], [0, 1, 9], [0, 2, 8]], ["a", "a", "b", "b"])
    >>> model.predict([[7, 3, 1]])
    array(['a'], dtype='<U1')
    """

    task: ClassVar[str] = "identify"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(self, n_estimators: int = 100, min_samples_leaf: int = 1, random_state: Any = 0) -> None:
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def _fit(self, patterns: Patterns, y: Any) -> None:
        model = RandomForestClassifier(
            whole_option(self, "n_estimators"),
            min_samples_leaf=whole_option(self, "min_samples_leaf"),
            random_state=self.random_state,
        ).fit(unit_rows(patterns.intensity), y)
        self.forest_ = _flatten(model)

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.floating]:
        forest, n_classes = self.forest_, len(self.classes_)
        rows = unit_rows(patterns.intensity).astype(np.float32)  # as the trees were grown
        every, total = np.arange(len(rows)), np.zeros((len(rows), n_classes))
        for root in forest["roots"]:
            node = np.full(len(rows), root)
            while (inside := forest["left"][node] >= 0).any():
                at = node[inside]
                is_left = rows[every[inside], forest["feature"][at]] <= forest["threshold"][at]
                node[inside] = np.where(is_left, forest["left"][at], forest["right"][at])
            # A leaf holds few of the labels: only those stand in the arrays.
            first, count = forest["first"][node], forest["first"][node + 1] - forest["first"][node]
            entry = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
            np.add.at(total, (np.repeat(every, count), forest["label"][entry]), forest["share"][entry])
        return np.asarray(total / total.sum(axis=1, keepdims=True))

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, dict(self.forest_)

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        names = ("roots", "left", "right", "feature", "threshold", "first", "label", "share")
        made.forest_ = {name: arrays[name] for name in names}
        _check_forest(made.forest_, arrays["grid"].size, len(recipe["labels"]["values"]))
        return made


def _flatten(model: RandomForestClassifier) -> dict[str, NDArray[Any]]:
    """All trees in one set of arrays.

    Node i goes to ``left`` where point ``feature`` is at most ``threshold``, else to ``right``; -1 marks a leaf, whose
    labels and shares stand at ``first[i]`` to ``first[i + 1]``.
    """
    trees = [tree.tree_ for tree in model.estimators_]
    sizes = np.array([tree.node_count for tree in trees])
    roots = np.cumsum(sizes) - sizes
    left, right, counts, labels, shares = [], [], [], [], []
    for root, tree in zip(roots, trees, strict=True):
        is_leaf = tree.children_left < 0
        left.append(np.where(is_leaf, -1, tree.children_left + root))
        right.append(np.where(is_leaf, -1, tree.children_right + root))
        values = tree.value[:, 0, :] * is_leaf[:, None]
        values = values / np.where(is_leaf, values.sum(axis=1), 1)[:, None]
        node, label = np.nonzero(values)
        counts.append(np.bincount(node, minlength=tree.node_count))
        labels.append(label)
        shares.append(values[node, label])
    return {
        "roots": roots.astype(np.int64),
        "left": np.concatenate(left).astype(np.int64),
        "right": np.concatenate(right).astype(np.int64),
        "feature": np.concatenate([tree.feature for tree in trees]).astype(np.int64),
        "threshold": np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        "first": np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64),
        "label": np.concatenate(labels).astype(np.int64),
        "share": np.concatenate(shares).astype(np.float64),
    }


def _check_forest(forest: Mapping[str, NDArray[Any]], n_points: int, n_labels: int) -> None:
    """Refuse arrays of a foreign file that would lead astray or in a circle: children stand behind their parent."""
    n, first = forest["left"].size, forest["first"]
    sizes = {"right": n, "feature": n, "threshold": n, "first": n + 1, "share": forest["label"].size}
    if not forest["roots"].size or any(forest[name].size != size for name, size in sizes.items()):
        raise ValueError("the forest's arrays differ in length")
    if first[0] != 0 or first[-1] != forest["label"].size or (np.diff(first) < 0).any():
        raise ValueError("the forest's leaves are damaged")
    inside = forest["left"] >= 0
    here = np.arange(n)[inside]
    limits: list[tuple[str, NDArray[Any], Any, int]] = [
        ("roots", forest["roots"], 0, n),
        ("label", forest["label"], 0, n_labels),
    ]
    limits += [(side, forest[side][inside], here + 1, n) for side in ("left", "right")]
    limits += [("feature", forest["feature"][inside], 0, n_points)]
    for name, numbers, least, beyond in limits:
        if (numbers < least).any() or (numbers >= beyond).any():
            raise ValueError(f"the forest's {name} numbers lead nowhere")
