"""Many structures by id: loaded from folders and archives, kept between runs, compared with each other."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

import numpy as np

from peakwise.crystal._clinic import ClinicRow, examine_cif
from peakwise.crystal._gather import Gathered, gather
from peakwise.crystal._phase import Phase
from peakwise.crystal._reflections import LIMIT, intensities
from peakwise.crystal._store import load_rows, pack_rows, save_rows, unpack_rows
from peakwise.errors import OptionError, PhaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["PhaseLibrary"]

_CHUNK = 32  # CIFs that a worker gets at once
_STRIDE = 64  # structures that a thread computes at once
_FEW = 8  # structures for which threads are not worth their start
_MANY = 400  # CIFs from which other processes are worth their start (about a second)
MEMORY = 256 << 20  # bytes of reflections that are kept
_LONGEST = 20.0  # [angstrom] lines beyond are not compared
_COPPER = 1.5406  # [angstrom] wavelength at which patterns are compared


class PhaseLibrary:
    """Crystal structures by id, in a fixed order.

    Parameters
    ----------
    phases : iterable of Phase
        Where two have the same id, the second is called ``id~2``.

    Attributes
    ----------
    rows : list of ClinicRow
        What the clinic said of every file, refused ones too.
    warnings : list of str

    Examples
    --------
    >>> atoms = [("Na", (0, 0, 0)), ("Cl", (0.5, 0, 0))]
    >>> salt = Phase.from_parameters("NaCl", 225, [5.64, 5.64, 5.64, 90, 90, 90], atoms)
    >>> library = PhaseLibrary([salt, salt])
    >>> library.ids, library.warnings
    (('NaCl', 'NaCl~2'), ['2 structures are called NaCl: the second is NaCl~2'])
    >>> library.drop("NaCl~2")
    >>> len(library), library["NaCl"].formula, "KCl" in library
    (1, 'ClNa', False)
    """

    def __init__(self, phases: Iterable[Phase] = ()) -> None:
        self._phases: dict[str, Phase] = {}
        self.rows: list[ClinicRow] = []
        self.warnings: list[str] = []
        for phase in phases:
            self.add(phase)

    @classmethod
    def from_folder(
        cls,
        source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        progress: Callable[[int, int], None] | None = None,
        cache: bool = True,
        threads: int | None = None,
    ) -> Self:
        """Load every CIF of a folder (with subfolders), a zip or tar archive, or a list of such paths.

        What was loaded is kept in the user's cache folder (``PEAKWISE_CACHE``), keyed by the content.

        Parameters
        ----------
        source : path or list of paths
        progress : callable, optional
            Called with the number of files done and of all.
        cache : bool
            Whether to use and to fill the cache.
        threads : int, optional
            Processes that read large libraries (default: all cores).

        Raises
        ------
        ReadError
            Where there is no CIF at all, or an archive is broken. A CIF that cannot be used is a row in `rows`, and no
            error.
        """
        found = gather(source)
        library = cls()
        key = found.key if cache else ""
        rows = load_rows(key) if cache else None
        if rows is None:
            lines = _examine(found, progress, threads or os.cpu_count() or 1)
            if cache:
                save_rows(key, lines)
            rows = [row for line in lines for row in unpack_rows(line)]
        if progress is not None:
            progress(len(rows), len(rows))
        for row in rows:
            library._take(row)
        return library

    def _take(self, row: ClinicRow) -> None:
        self.rows.append(row)
        if row.phase is not None:
            self.add(row.phase)

    @property
    def failed(self) -> list[PhaseError]:
        """Why each file that holds no usable structure was refused."""
        return [row.error for row in self.rows if row.error is not None]

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids in order."""
        return tuple(self._phases)

    @property
    def elements(self) -> frozenset[str]:
        """Every element that occurs."""
        return frozenset().union(*(p.elements for p in self))

    def __len__(self) -> int:
        return len(self._phases)

    def __iter__(self) -> Iterator[Phase]:
        return iter(self._phases.values())

    def __contains__(self, id: object) -> bool:  # noqa: A002 - ids are called id
        return id in self._phases

    def __getitem__(self, id: str) -> Phase:  # noqa: A002 - ids are called id
        if id not in self._phases:
            raise self._unknown(id)
        return self._phases[id]

    def __repr__(self) -> str:
        return f"PhaseLibrary({len(self)} phases)"

    def _unknown(self, id_: str) -> PhaseError:
        from difflib import get_close_matches

        near = get_close_matches(id_, self._phases, 3)
        do = f"Did you mean {' or '.join(near)}" if near else "See library.ids"
        return PhaseError("no such phase", f"the library of {len(self)} has no {id_!r}", do)

    def add(self, phase: Phase | str | os.PathLike[str]) -> str:
        """Add a structure (or the first of a CIF); returns the id that it got."""
        if not isinstance(phase, Phase):
            phase = Phase.from_cif(phase)
        new, n = phase.id, 2
        while new in self._phases:
            new, n = f"{phase.id}~{n}", n + 1
        if new != phase.id:
            count = {3: "second"}.get(n, f"{n - 1}th")
            self.warnings.append(f"{n - 1} structures are called {phase.id}: the {count} is {new}")
            phase = phase.renamed(new)
        self._phases[new] = phase
        return new

    def drop(self, *ids: str) -> None:
        """Take structures out."""
        for one in ids:
            if one not in self._phases:
                raise self._unknown(one)
        for one in ids:
            self._phases.pop(one, None)

    def subset(
        self,
        ids: Iterable[str] | None = None,
        *,
        elements: Iterable[str] | None = None,
        containing: Iterable[str] | None = None,
    ) -> PhaseLibrary:
        """A new library of some phases.

        Parameters
        ----------
        ids : iterable of str, optional
            These, in this order.
        elements : iterable of str, optional
            Those that consist of nothing but these elements.
        containing : iterable of str, optional
            Those in which each of these elements occurs.
        """
        chosen = list(self) if ids is None else [self[i] for i in ids]
        if elements is not None:
            allowed = frozenset(elements)
            chosen = [p for p in chosen if p.elements <= allowed]
        if containing is not None:
            needed = frozenset(containing)
            chosen = [p for p in chosen if needed <= p.elements]
        return PhaseLibrary(chosen)

    def compile(
        self,
        d_min: float,
        *,
        limit: int = LIMIT,
        memory: int = MEMORY,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[PhaseError]:
        """Compute the reflections of every phase down to `d_min` on all cores; returns those that have too many.

        The structures keep them up to `memory` bytes together, so that `phase.reflections(d_min)` answers at once
        afterwards; what is beyond is computed again when it is asked for.
        """
        phases = list(self)
        failed: list[PhaseError | None] = [None] * len(phases)
        done, kept = [0], [0]

        def some(indices: range) -> None:
            for i in indices:
                try:
                    kept[0] += phases[i].reflections(d_min, limit=limit).nbytes
                except OptionError as problem:
                    failed[i] = PhaseError("cannot list reflections", problem.why, problem.do, file=phases[i].id)
                if kept[0] > memory:
                    phases[i].forget()
                done[0] += 1
                if progress is not None:
                    progress(done[0], len(phases))

        n = 1 if threads is None and len(phases) < _FEW else threads or os.cpu_count() or 1
        some(range(min(1, len(phases))))  # compiles the loops before threads ask for them together
        with ThreadPoolExecutor(n) as pool:
            parts = [range(1 + i, min(1 + i + _STRIDE, len(phases))) for i in range(0, len(phases) - 1, _STRIDE)]
            for future in [pool.submit(some, part) for part in parts]:
                future.result()
        return [problem for problem in failed if problem is not None]

    def near_duplicates(
        self, *, tolerance: float = 0.005, similarity: float = 0.98, d_min: float = 1.1
    ) -> list[tuple[str, str, float]]:
        """Pairs of phases whose powder patterns are hard to tell apart.

        Parameters
        ----------
        tolerance : float
            Relative difference of d that still counts as the same line.
        similarity : float
            Smallest cosine between two patterns (of the square roots of intensity, so that weak lines count).
        d_min : float
            Lines with a smaller d [angstrom] are not compared.

        Returns
        -------
        list of (id, id, similarity)
            The most alike first.
        """
        if not 0 < tolerance < 0.2 or not 0 < similarity <= 1:
            why = f"tolerance must lie in 0 to 0.2 and similarity in 0 to 1, got {tolerance} and {similarity}"
            raise OptionError("cannot compare phases", why, "Use e.g. tolerance=0.005, similarity=0.98")
        phases = list(self)
        if len(phases) < 2:
            return []
        prints = np.stack([_fingerprint(p, d_min, tolerance) for p in phases])
        pairs: list[tuple[str, str, float]] = []
        for start in range(0, len(phases), 512):
            alike = prints[start : start + 512] @ prints[start:].T
            for i, j in zip(*np.nonzero(np.triu(alike >= similarity - 1e-6, 1)), strict=True):
                value = min(1.0, float(alike[i, j]))
                pairs.append((phases[start + i].id, phases[start + j].id, value))
        return sorted(pairs, key=lambda p: (-round(p[2], 6), p[0], p[1]))


def _fingerprint(phase: Phase, d_min: float, tolerance: float) -> NDArray[np.float32]:
    """A pattern on a logarithmic scale of d, lines as triangles of the tolerance's width, of length 1."""
    from peakwise.patterns import Radiation

    step = tolerance / 2
    n = int(np.log(_LONGEST / d_min) / step) + 4
    out = np.zeros(n)
    known = dict(phase._made)
    try:
        found = phase.reflections(d_min)
    except OptionError:
        d_min = max(d_min, (phase.volume / LIMIT) ** (1 / 3) * 2)
        found = phase.reflections(d_min)
    if len(found):
        sine2 = found.s2 * _COPPER**2
        seen = (sine2 < 1) & (found.s2 > 0.25 / _LONGEST**2)
        sine2 = np.where(seen, sine2, 0.5)
        theta = np.arcsin(np.sqrt(sine2))
        lorentz = (1 + np.cos(2 * theta) ** 2) / (sine2 * np.cos(theta))
        intensity = intensities(found, Radiation(_COPPER)) * lorentz
        at = np.log(found.d_spacing[seen] / d_min) / step + 1
        low = at.astype(int)
        part = at - low
        np.add.at(out, low, intensity[seen] * (1 - part))
        np.add.at(out, low + 1, intensity[seen] * part)
    phase._made.clear()
    phase._made.update(known)  # thousands of lists would fill the memory
    out = np.convolve(out, [0.25, 0.5, 0.25], "same")
    root = np.sqrt(out)
    return np.asarray(root / max(float(np.linalg.norm(root)), 1e-30), np.float32)


def _examine(found: Gathered, progress: Callable[[int, int], None] | None, workers: int) -> list[bytes]:
    """Packed rows of every CIF, in order; in other processes where there are many."""
    files = list(found)
    done = [0]

    def tell(n: int) -> None:
        done[0] += n
        if progress is not None:
            progress(done[0], len(files))

    if len(files) < _MANY or workers < 2:
        return _serially(files, tell)
    chunks = [files[i : i + _CHUNK] for i in range(0, len(files), _CHUNK)]
    answers: list[list[bytes] | None] = [None] * len(chunks)
    waiting: SimpleQueue[int] = SimpleQueue()
    for i in range(len(chunks)):
        waiting.put(i)
    with ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(_feed, chunks, answers, waiting, tell) for _ in range(workers)]:
            future.result()
    # What a worker that could not start or died has left over is done here.
    return [r for i, rows in enumerate(answers) for r in (rows if rows is not None else _serially(chunks[i], tell))]


def _feed(
    chunks: list[list[tuple[str, bytes]]],
    answers: list[list[bytes] | None],
    waiting: SimpleQueue[int],
    tell: Callable[[int], None],
) -> None:
    """Give chunks to one worker until none is left."""
    from peakwise.crystal._worker import Worker

    try:
        worker = Worker()
    except (OSError, ValueError, TypeError):  # no interpreter to be found, or no process allowed
        return
    try:
        while True:
            i = waiting.get_nowait()
            answers[i] = worker.examine(chunks[i])
            tell(len(chunks[i]))
    except Empty:
        pass
    except (OSError, ValueError):
        return
    finally:
        worker.close()


def _serially(files: list[tuple[str, bytes]], tell: Callable[[int], None]) -> list[bytes]:
    lines = []
    for one in files:
        lines.append(pack_rows(examine_cif(one)))
        tell(1)
    return lines
