"""Tables to intensities on all threads, to labels and to metadata; batches made ahead."""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.errors import OptionError
from peakwise.simulate import _columns as columns
from peakwise.simulate._columns import FRAME, FRAME_OFF, SLOT, SLOT_OFF, Tables
from peakwise.simulate._options import LARGEST, too_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from peakwise.simulate._compile import Compiled, Grid

__all__ = ["Batch", "Prepared", "check_tables", "labels_of", "meta_of", "render_rows", "stream"]

_FEWEST = 16  # patterns worth a thread


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Patterns for one step of a training loop.

    Attributes
    ----------
    intensity : (n, m) float32
        The strongest peak without background is 1 (`scale="max"`), or counts.
    weights : (n, n_phases) float32
        Weight fraction of every phase: the labels.
    tables : Tables
        Every number that was drawn.
    """

    intensity: NDArray[np.float32]
    weights: NDArray[np.float32]
    tables: Tables


class Prepared(NamedTuple):
    """What stays the same from pattern to pattern."""

    compiled: Compiled
    grid: Grid
    optics: NDArray[np.float64]
    bank: NDArray[np.float32]
    seed: int
    is_gaussian: bool


def render_rows(
    prepared: Prepared, tables: Tables, mode: int, threads: int, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Render tables with numba; mode 0: absolute, 1: shares of the strongest peak, 2: counts."""
    from peakwise.simulate._kernel import MOST_HEIGHTS, render_chunk

    slots, frames = tables
    compiled, grid, optics, bank, seed, is_gaussian = prepared
    n = len(frames)
    made = _room(n, grid.points, out)
    axial = MOST_HEIGHTS if optics[9] + optics[10] > 0 else 1
    rows = (compiled.rows * axial + 4) * slots.shape[1] + columns.N_IMPURITIES + 8

    def work(a: int, b: int) -> None:
        render_chunk(compiled, grid, optics, slots[a:b], frames[a:b], bank, seed, mode, is_gaussian, rows, made[a:b])

    parts = min(threads * 4 if n > 64 * threads else threads, -(-n // _FEWEST))
    cuts = np.linspace(0, n, max(parts, 1) + 1).astype(int)
    if threads == 1 or parts <= 1:
        work(0, n)
        return made
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, cuts[:-1], cuts[1:]))
    return made


def _room(n: int, m: int, out: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Where the intensities go."""
    if out is None:
        if n * m > LARGEST:
            raise too_many(n, m)
        return np.empty((n, m), np.float32)
    if out.shape != (n, m) or out.dtype != np.float32 or not out.flags.c_contiguous or not out.flags.writeable:
        why = f"out must be a writable contiguous float32 array of shape ({n}, {m}), got {out.dtype} {out.shape}"
        raise OptionError("cannot render", why, "Make it with numpy.empty((n, m), numpy.float32)")
    return out


def labels_of(tables: Tables, n_phases: int) -> NDArray[np.float32]:
    """Weight fraction of every phase, (n, n_phases)."""
    phase = tables.slots[:, :, SLOT["phase"]].astype(np.int64)
    weights = np.where(phase >= 0, tables.slots[:, :, SLOT["weight"]], 0.0)
    out = np.zeros((len(phase), n_phases), np.float32)
    np.add.at(out, (np.arange(len(phase))[:, None], np.maximum(phase, 0)), weights.astype(np.float32))
    return out


def meta_of(tables: Tables, names: tuple[str, ...]) -> dict[str, Any]:
    """The drawn numbers as metadata columns; what nowhere acts is left out."""
    slots, frames = tables
    phase = slots[:, :, SLOT["phase"]].astype(np.int64)
    ids = np.array([*names, ""])  # -1 is the empty slot
    weights = slots[:, :, SLOT["weight"]]
    meta: dict[str, Any] = {
        "phases": [";".join(row[row != ""]) for row in ids[phase]],
        "weight_fractions": [
            ";".join(f"{w:.6g}" for w in row[used]) for row, used in zip(weights, phase >= 0, strict=True)
        ],
    }
    for s in range(slots.shape[1]):
        tail = f"_{s + 1}" if slots.shape[1] > 1 else ""
        for name, column in SLOT.items():
            values = slots[:, s, column]
            if name == "phase":
                meta[f"phase{tail}"] = ids[phase[:, s]]
            elif (values != SLOT_OFF[name]).any():
                meta[f"{name}{tail}"] = values.copy()
    for name, column in FRAME.items():
        if name != "index" and (frames[:, column] != FRAME_OFF[name]).any():
            meta[name] = frames[:, column].copy()
    return meta


def check_tables(tables: Tables, n_phases: int, n_axes: int, n_measured: int) -> None:
    """Refuse tables that do not fit, in one sentence."""
    slots, frames = tables
    good = slots.ndim == 3 and slots.shape[2] == len(SLOT) and frames.shape == (len(slots), len(FRAME))
    if not good or slots.dtype != np.float64 or frames.dtype != np.float64:
        shapes = f"(n, k, {len(SLOT)}) and (n, {len(FRAME)})"
        why = f"float64 of shapes {shapes} are needed, got {slots.shape} and {frames.shape}"
        raise OptionError("cannot render the tables", why, "Begin with Simulator.blank or draw_tables")
    if not (np.isfinite(slots).all() and np.isfinite(frames).all()):
        raise OptionError(
            "cannot render the tables", "they hold values that are not finite", "Check the columns you filled"
        )
    phase, axis = slots[:, :, SLOT["phase"]], slots[:, :, [SLOT["march_axis"], SLOT["second_axis"]]]
    row = frames[:, FRAME["measured_row"]][frames[:, FRAME["measured"]] > 0]
    positive = slots[:, :, [SLOT["march"], SLOT["second_march"], SLOT["size_ratio"]]].min(initial=1.0) > 0
    rules = (
        (phase.min(initial=0) >= -1 and phase.max(initial=0) < n_phases, "a phase that is not there"),
        (axis.min(initial=0) >= 0 and axis.max(initial=0) < n_axes, f"a texture axis beyond {n_axes - 1}"),
        (
            row.min(initial=0) >= 0 and row.max(initial=-1) < n_measured,
            "a measured background that is not there",
        ),
        (bool(positive), "march or size_ratio of 0 or less"),
        (frames[:, FRAME["width"]].min(initial=1.0) > 0, "an instrument width of 0 or less"),
    )
    for fine, why in rules:
        if not fine:
            raise OptionError("cannot render the tables", f"they name {why}", "Check the columns you filled")


def stream(make: Callable[[int], Batch], size: int, first: int, workers: int, ahead: int) -> Iterator[Batch]:
    """Batches one after the other, some of them made ahead."""
    with ThreadPoolExecutor(workers, thread_name_prefix="peakwise-simulate") as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            while True:
                while len(waiting) <= ahead:
                    waiting.append(pool.submit(make, first))
                    first += size
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
