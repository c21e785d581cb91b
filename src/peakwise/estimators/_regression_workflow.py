"""What every workflow of `DescriptorRegressor` is: prepared rows and scaled targets in, numbers out, arrays to keep.

To add a workflow: one file ``_workflow_<name>.py`` with one final class, and one line in the table `WORKFLOWS` of
``peakwise.estimators``. `DescriptorRegressor` does the rest alike for all: it checks and bins the patterns, divides
them by the largest value of the set, scales the targets to 0-1, keeps patterns away for stopping and for intervals,
gives answers their units, and saves.

A workflow is made by its options (keyword arguments with defaults, stored under their names), and then

``fit(rows, targets, task, held)``
    learns. `rows` maps the name of each modality to an array (n, m) of floats, `targets` is (n, t) with each column
    within 0 and 1. A column of texts that was asked for became columns of 0 and 1, one a class: ``task.groups`` says
    which; a workflow may ignore that. `held` are other rows and targets for deciding when to stop; most need none.
``predict(rows)``
    gives (n, t). With `bears_missing`, a modality may be left out of `rows`.
``spread(rows)``
    gives how unsure it is (n, t), on any scale, or None: intervals are then equally wide everywhere.
``state()``, ``restore(told, arrays)``
    take apart what was learned (plain values for JSON, and arrays by name), and put it back into a new object with
    the same options. Arrays come from a foreign file: what does not fit is refused with `ValueError`.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Arrays", "Rows", "Task", "Workflow", "joined", "make_workflow", "option_wrong", "take", "workflow_options"]

Rows = Mapping[str, "NDArray[np.floating]"]
Arrays = dict[str, "NDArray[Any]"]


@dataclass(frozen=True, slots=True)
class Task:
    """What is learned, besides the numbers themselves.

    Attributes
    ----------
    groups : tuple of (int, int)
        Columns of the targets, from and to (which is excluded), that are the classes of one text; the others are
        numbers.
    random_state : int
    threads : int
    """

    groups: tuple[tuple[int, int], ...] = ()
    random_state: int = 0
    threads: int = 1


class Workflow(ABC):
    """From prepared rows to scaled targets; see the module.

    Attributes
    ----------
    title : str
        What it does, in half a line.
    bears_missing : bool
        Whether `predict` takes rows without some of the modalities.
    needs_held : bool
        Whether it stops by `held`: then it is not learned again from all patterns after its folds were measured.
    """

    title: ClassVar[str]
    bears_missing: ClassVar[bool] = False
    needs_held: ClassVar[bool] = False

    @abstractmethod
    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Learn from rows (n, m) of each modality and targets (n, t)."""

    @abstractmethod
    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t)."""

    def spread(self, rows: Rows) -> NDArray[np.float64] | None:  # noqa: ARG002 - most know nothing of it
        """How unsure each number is (n, t), or None."""
        return None

    def left_out(
        self,
    ) -> tuple[NDArray[np.intp], dict[tuple[str, ...], tuple[NDArray[np.float64], NDArray[np.float64]]]] | None:
        """What it would have answered to patterns of `fit` without them, where it knows without learning anew.

        Their numbers, and for each selection of modalities (one with all of them, in the order of the rows) answers and
        spreads (k, t).
        """
        return None

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], Arrays]:
        """What was learned: plain values, and arrays by name."""

    @abstractmethod
    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`, into an object with the same options."""

    def adapt(self, rows: Rows, targets: NDArray[np.float64], task: Task, layers: str) -> bool:  # noqa: ARG002
        """Learn on from a few other patterns; False where it cannot: its answers are then shifted and stretched."""
        return False


def workflow_options(kind: type[Workflow]) -> tuple[str, ...]:
    """Names of the options of a workflow."""
    return tuple(inspect.signature(kind).parameters)


def make_workflow(name: str, options: Mapping[str, Any] | None) -> Workflow:
    """The workflow `name` of `WORKFLOWS` with these options.

    >>> make_workflow("hybrid", {"depth": 3})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot use the workflow 'hybrid': its options are n_latent, loss_scaler, ...
    """
    from peakwise.estimators import WORKFLOWS

    if not isinstance(name, str) or name not in WORKFLOWS:
        why = f"workflow must be one of {', '.join(WORKFLOWS)}, got {name!r:.60}"
        raise OptionError("cannot fit DescriptorRegressor", why, "Choose one of them")
    kind = WORKFLOWS[name]
    known = workflow_options(kind)
    unknown = sorted(str(option) for option in options or {} if option not in known)
    if unknown:
        why = f"its options are {', '.join(known) or 'none'}, got {', '.join(unknown)}"
        raise OptionError(f"cannot use the workflow {name!r}", why, "Use only these options")
    return kind(**(options or {}))


def option_wrong(workflow: Workflow, name: str, must: str) -> OptionError:
    """The error for the option `name` of a workflow."""
    got = getattr(workflow, name)
    return OptionError(
        f"cannot learn by {type(workflow).__name__}", f"{name} must be {must}, got {got!r:.80}", "Change it"
    )


def joined(rows: Rows) -> NDArray[np.float64]:
    """The modalities side by side, in the order of their names: (n, sum of their points).

    >>> joined({"xrd": np.zeros((4, 3)), "vdos": np.ones((4, 2))})[0]
    array([1., 1., 0., 0., 0.])
    """
    return np.concatenate([np.asarray(rows[name], dtype=np.float64) for name in sorted(rows)], axis=1)


def take(rows: Rows, which: Any) -> Rows:
    """Some of the patterns, of every modality."""
    return {name: part[which] for name, part in rows.items()}
