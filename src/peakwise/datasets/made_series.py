"""Made series with known truth: a third without any transition, a third with an abrupt one, a third with a gradual one.

They are to find out whether a search for transitions sees what is there and does not invent what is not. Each series
has another sample, instrument and ramp. In all of them the cell expands and counts are few or many; most have more that
changes without being a transition: see `_CAUSES` in `peakwise.datasets._series_plan`. Structures are those of the
embedded library, pairs near or far: see `RELATIONS` in `peakwise.datasets._series_structures`.

A transition that nobody could see proves nothing: one is drawn again until both sides lie at least `LEAST_SEPARATION`
standard deviations apart in one frame, for who has learned their difference from the frames of the series
(`separation` in `peakwise.datasets._series_frames`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.datasets._dataset import Dataset
from peakwise.datasets._series_frames import Sample, separation
from peakwise.datasets._series_plan import KINDS, draw_plan
from peakwise.errors import OptionError
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peakwise.datasets._series_plan import Plan

__all__ = ["LEAST_SEPARATION", "MADE_SERIES", "make_one_series", "make_series_set"]

LEAST_SEPARATION = 5.0
_TRIES = 60
_LEAST_LINES = 3  # a pattern must show


def make_series_set(n: int = 60, random_state: int = 0) -> Iterator[tuple[Patterns, dict[str, Any]]]:
    """Make series one after the other, with what is true of each.

    Parameters
    ----------
    n : int
        How many; their kinds take turns: none, abrupt, gradual.
    random_state : int
        Seed. Series i follows from the seed and i alone.

    Yields
    ------
    patterns : Patterns
        In whole counts; see `make_one_series` for its `meta`.
    truth : dict
        `name`, `kind`, `frames`, `onset`, `middle` and `end` [frames; None without a transition], `points`, `source`,
        `counts`, `variable`, `relation`, `phases`, `causes`, and how visible the transition is: `distance` and
        `separation`.

    Examples
    --------
    >>> for patterns, truth in make_series_set(3):
    ...     print(truth["name"], truth["kind"], patterns.shape, truth["relation"])
    0-000 none (251, 1008) mixture
    0-001 abrupt (339, 1325) unrelated
    0-002 gradual (153, 3611) jump of the cell
    """
    for number in range(_whole("n", n)):
        yield make_one_series(number, random_state=random_state)


def make_one_series(number: int = 0, *, random_state: int = 0) -> tuple[Patterns, dict[str, Any]]:
    """Make one series, and what is true of it.

    Parameters
    ----------
    number : int
        Its number modulo 3 says the kind: none, abrupt, gradual.
    random_state : int

    Returns
    -------
    patterns : Patterns
        `meta` has a row a frame: `series`, `frame`, `kind`, `onset`, `end` [frames; NaN without a transition],
        `fraction` (transformed share) and `temperature` [K] or `pressure` [GPa].
    truth : dict
    """
    sample, distance, usable = _draw(_whole("series", number), _whole("random_state", random_state))
    plan = sample.plan
    rng = np.random.default_rng([*plan.seed, 3])
    counts = rng.poisson(sample.expected(np.arange(plan.n))).astype(np.float32)
    name = f"{random_state}-{number:03d}"
    meta = {
        "series": name,
        "frame": np.arange(plan.n),
        "kind": plan.kind,
        "onset": plan.onset,
        "end": plan.end,
        "fraction": plan.fraction,
        plan.variable: plan.values,
    }
    patterns = Patterns(
        sample.axis, counts, wavelength=plan.instrument.radiation,
        names=[f"{name}-{i:03d}" for i in range(plan.n)], meta=meta, unit="counts",
    )  # fmt: skip
    return patterns, {"name": name, **_truth(plan), "distance": distance, "separation": usable}


def read_series(*, series: int | str = 0, random_state: int = 0) -> Patterns:
    """Make one series of the set.

    Parameters
    ----------
    series : int, or its digits
        Its number, from 0 on; modulo 3 it says the kind: none, abrupt, gradual.
    random_state : int
        Seed.
    """
    number = int(series) if isinstance(series, str) and series.isdecimal() else series
    return make_one_series(_whole("series", number), random_state=random_state)[0]


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        why = f"{name} must be a whole number of 0 or more, got {value!r}"
        raise OptionError("cannot make the series", why, "Give a number such as 0")
    return int(value)


def _draw(number: int, random_state: int) -> tuple[Sample, float | None, float | None]:
    """The first draw that shows lines, and whose transition can be seen."""
    for attempt in range(_TRIES):
        plan = draw_plan(KINDS[number % 3], (random_state, number, attempt))
        sample = Sample(plan)
        if min(len(c) for c in sample.centres) < _LEAST_LINES:
            continue
        if plan.kind == "none":
            return sample, None, None
        distance, usable = separation(sample)
        if usable >= LEAST_SEPARATION:
            return sample, distance, usable
    why = f"no visible transition was drawn in {_TRIES} attempts for series {number} of seed {random_state}"
    raise OptionError("cannot make the series", why, "Take another seed or number")


def _truth(plan: Plan) -> dict[str, Any]:
    is_there = plan.kind != "none"
    return {
        "kind": plan.kind,
        "frames": plan.n,
        "onset": plan.onset if is_there else None,
        "middle": (plan.onset + plan.end) / 2 if is_there else None,
        "end": plan.end if is_there else None,
        "points": plan.grid[2],
        "source": plan.source,
        "counts": plan.counts,
        "variable": plan.variable,
        "relation": plan.relation,
        "phases": [c.phase.id for c in plan.components],
        "causes": list(plan.causes),
    }


MADE_SERIES = Dataset(
    name="made-series",
    title="made: series with and without a transition, with known truth",
    what="Any number of series of 50 to 350 frames and 1000 to 4000 points, one at a time: none, abrupt and gradual in "
    "turn, of structures of the embedded library. Cells expand, the beam is refilled, texture and background drift.",
    kind="generated",
    licence="Apache-2.0, like peakwise",
    citation="structures: those of the embedded library; everything else is drawn, see peakwise.datasets.made_series",
    url="https://peakwise.readthedocs.io",
    read=read_series,
)
