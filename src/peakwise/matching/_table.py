"""The lines of a whole library as flat arrays, computed once, kept on disk, and the scan-like rows made of them."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import ModelFileError, OptionError, PhaseError, WriteError
from peakwise.matching._kernel_raster import raster
from peakwise.modelfiles import cache_key, model_cache, read_model, write_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.patterns import Radiation

__all__ = ["LineTable", "content_key"]

_VERSION = 1  # of what is computed: raise it when the numbers change
_STRIDE = 32  # phases that a thread computes at once
_FAINT = 1e-3  # share of a phase's intensity that its faintest lines may make up unseen


@dataclass(frozen=True, slots=True, eq=False)
class LineTable:
    """Lines of many phases at one radiation.

    Attributes
    ----------
    offsets : (n_phases + 1,) int64
        First line of each phase.
    s2 : (n_lines,) float32
        1 / (4 d²) [1/angstrom²].
    power : (n_lines,) float32
        Multiplicity times ``|F|²`` over mass and volume of the cell.
    d_min : float
        Smallest d [angstrom] that is listed.
    failed : tuple of PhaseError
        Phases with too many lines: they have none here.
    """

    offsets: NDArray[np.int64]
    s2: NDArray[np.float32]
    power: NDArray[np.float32]
    d_min: float
    failed: tuple[PhaseError, ...] = ()

    @classmethod
    def build(
        cls,
        phases: Sequence[Phase],
        radiation: Radiation,
        d_min: float,
        *,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        cache: bool = True,
    ) -> LineTable:
        """Compute the lines of every phase down to `d_min`, or take them from the user's cache folder."""
        key = cache_key(
            {
                "what": "lines",
                "version": _VERSION,
                "phases": content_key(phases),
                "wavelength": radiation.wavelength,
                "probe": radiation.probe,
                "d_min": round(d_min, 6),
            }
        )
        found = _load(key, len(phases), d_min) if cache else None
        if found is None:
            found = _compute(phases, radiation, d_min, threads or os.cpu_count() or 1, progress)
            if cache:
                _save(key, found)
        if progress is not None:
            progress(len(phases), len(phases))
        return found

    def rows(
        self,
        x0: float,
        step: float,
        n: int,
        wavelength: float,
        fwhm: float,
        power: float,
        threads: int,
        polarisation: float = 1.0,
    ) -> NDArray[np.float32]:
        """Each phase as intensities on an even grid of two_theta [deg], raised to `power`, of length 1."""
        n_phases = len(self.offsets) - 1
        out = np.empty((n_phases, n), np.float32)

        def some(part: range) -> None:
            raster(
                part.start, part.stop, self.offsets, self.s2, self.power, wavelength, x0, step, fwhm, power,
                polarisation, out,
            )  # fmt: skip

        parts = [range(i, min(i + 256, n_phases)) for i in range(0, n_phases, 256)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, parts))
        return out


def content_key(phases: Sequence[Phase]) -> str:
    """A digest of what the phases are: their ids and structures, in order."""
    digest = hashlib.sha256()
    for p in phases:
        source = p.source.sha256 or repr((p.formula, p.cell, p.space_group, p.sites))
        digest.update(json.dumps([p.id, source, *p.cell]).encode())  # a cell may have been changed since the file
    return digest.hexdigest()


def _compute(
    phases: Sequence[Phase],
    radiation: Radiation,
    d_min: float,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> LineTable:
    empty = np.zeros(0, np.float32)
    parts: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = [(empty, empty)] * len(phases)
    failed: list[PhaseError | None] = [None] * len(phases)
    done = [0]

    def some(part: range) -> None:
        for i in part:
            try:
                parts[i] = _one(phases[i], radiation, d_min)
            except OptionError as problem:
                failed[i] = PhaseError("cannot list its lines", problem.why, problem.do, file=phases[i].id)
            done[0] += 1
            if progress is not None:
                progress(done[0], len(phases))

    some(range(min(1, len(phases))))  # compiles the loops before threads ask for them together
    work = [range(i, min(i + _STRIDE, len(phases))) for i in range(1, len(phases), _STRIDE)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(some, work))
    offsets = np.concatenate(([0], np.cumsum([len(s) for s, _ in parts]))).astype(np.int64)
    s2, power = (np.concatenate([empty, *(part[k] for part in parts)]) for k in (0, 1))
    return LineTable(offsets, s2, power, d_min, tuple(f for f in failed if f is not None))


def _one(phase: Phase, radiation: Radiation, d_min: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if not phase.mass > 0:
        raise OptionError("cannot list its lines", "it has no mass", "Leave the phase out")
    found = phase.reflections(d_min)
    power = phase.intensities(radiation, d_min) / (phase.mass * phase.volume)
    s2 = found.s2
    phase.forget()
    seen = power / np.maximum(s2, 1e-12)  # about what an instrument shows of them
    order = np.argsort(seen)
    keep = np.ones(len(s2), np.bool_)
    keep[order[np.cumsum(seen[order]) < _FAINT * seen.sum()]] = False
    return s2[keep].astype(np.float32), power[keep].astype(np.float32)


def _load(key: str, n_phases: int, d_min: float) -> LineTable | None:
    path = model_cache(key)
    if not path.exists():
        return None
    try:
        arrays = read_model(path).arrays
    except ModelFileError:  # damaged, or of another version: made anew
        return None
    offsets, s2, power = (arrays.get(name) for name in ("offsets", "s2", "power"))
    if offsets is None or s2 is None or power is None or len(offsets) != n_phases + 1 or offsets[-1] != len(s2):
        return None
    return LineTable(offsets, s2, power, d_min)


def _save(key: str, table: LineTable) -> None:
    if table.failed:  # said again next time
        return
    recipe = {"estimator": "LineTable"}  # no estimator, and so nothing that could be loaded as one
    arrays: dict[str, NDArray[Any]] = {"offsets": table.offsets, "s2": table.s2, "power": table.power}
    try:
        write_model(model_cache(key), recipe, arrays)
    except WriteError:  # no place for a cache is no reason to stop
        return
