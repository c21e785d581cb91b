"""The library, the training patterns and the held-out experiments of the study of Wang et al."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.crystal import TEXTBOOK, PhaseLibrary
from peakwise.errors import NothingToReadError
from peakwise.simulate import Ranges, Simulator, plain_simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.studies._baselines import Baselines

__all__ = ["Experiments", "augment", "draw_experiments", "load_mofs", "textbook", "theoretical", "twins_of"]

LIGHT = "CuKa1"  # the paper gives 0.15406 nm
# What an experiment differs by from the calculation. All that is not named is the simulator's default: microstrain,
# width, texture, zero error, sample height. Half of the default for the cell: a structure solved at 100 to 150 K and a
# powder at room temperature differ by 200 K times 1e-5 to 3e-5 / K. Size: frameworks grow from solution as crystals of
# 30 nm and more, and the scans shown in the paper have narrow lines. Background and noise are measured.
RANGES = Ranges(
    expansion=(-0.005, 0.005), distortion=(-0.002, 0.002), shear=(-0.1, 0.1), size=(30.0, 300.0), background=None,
    air=None, fluorescence=None, hump=None, measured=None, counts=None, impurity=None, spike=None,
)  # fmt: skip

_ARCHIVES = ("CoRE_MOF_2014.tar.xz", "raspa_mof_zeolite_cifs.zip")
_NO_MOF = "zeolites/"  # a folder within the second archive
_D_MIN = 1.82  # angstrom: 50 deg in Cu Ka
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Experiments:
    """Held-out scans [counts] with the numbers of their phases."""

    counts: NDArray[np.float64]
    labels: NDArray[np.int64]

    def first(self, n: int) -> Experiments:
        """The first n of them."""
        return Experiments(self.counts[:n], self.labels[:n])


def load_mofs(data: Path | None, n: int, seed: int, tell: Callable[[float], None], threads: int | None) -> list[Phase]:
    """`n` random structures of the archives in ``cif_library``, in random order."""
    found = [] if data is None else [data / "cif_library" / name for name in _ARCHIVES]
    found = [path for path in found if path.is_file()]
    if not found:
        where = "no folder was given" if data is None else f"{data / 'cif_library'} has none of them"
        why = f"it needs the structures of {' or '.join(_ARCHIVES)}, and {where}"
        do = "Set PEAKWISE_DATA (or --data) to the folder that holds cif_library, or use --quick"
        raise NothingToReadError("cannot repeat the study", why, do)
    library = PhaseLibrary.from_folder(found, progress=lambda done, of: tell(done / max(of, 1)), threads=threads)
    usable = [row.phase for row in library.rows if row.phase is not None and _NO_MOF not in row.file]
    if len(usable) < n:
        why = f"{n} usable structures are needed, got {len(usable)}"
        raise NothingToReadError("cannot repeat the study", why, "Fetch the whole archives, or use --quick")
    order = np.random.default_rng([seed, 1]).permutation(len(usable))[:n]
    return list(PhaseLibrary(usable[i] for i in order))  # names that occur twice are told apart


def textbook(n: int, seed: int) -> list[Phase]:
    """`n` of the textbook's structures, for a quick repetition."""
    order = np.random.default_rng([seed, 1]).permutation(len(TEXTBOOK))[:n]
    ids = list(TEXTBOOK)
    return [TEXTBOOK[ids[i]] for i in order]


def theoretical(phases: Sequence[Phase], grid: tuple[float, float, int]) -> NDArray[np.float32]:
    """One calculated pattern a phase, with a maximum of 1; a row of zeros where no line lies in the range."""
    rows = plain_simulator(phases, grid, radiation=LIGHT).ideal(scale="max").intensity
    return np.asarray(rows, dtype=np.float32)


def augment(
    patterns: NDArray[np.float32], baselines: Baselines, copies: int, n_kept: int, bank_size: int, seed: int
) -> NDArray[np.float32]:
    """Return every pattern `copies` times with shuffled noise, (n, copies, m)."""
    import torch

    from peakwise.augmentation import RandomNoiseShuffle

    shuffle = RandomNoiseShuffle(torch.from_numpy(baselines.bank(bank_size)), n_kept=n_kept)
    generator = torch.Generator().manual_seed(seed)
    out = np.empty((len(patterns), copies, patterns.shape[1]), dtype=np.float32)
    size = max(1, _CHUNK // copies)
    for start in range(0, len(patterns), size):
        rows = torch.from_numpy(np.repeat(patterns[start : start + size], copies, axis=0))
        out[start : start + size] = shuffle({"intensity": rows}, generator)["intensity"].reshape(-1, *out.shape[1:])
    return out


def draw_experiments(
    phases: Sequence[Phase], per_phase: int, grid: tuple[float, float, int], baselines: Baselines, seed: int
) -> Experiments:
    """Scans of every phase as they may be measured: shifted, broadened, textured, on a measured baseline.

    Each takes the baseline of one measured scan and has its strongest peak as high as that scan's.
    """
    rng = np.random.default_rng([seed, 2])
    rows, labels = [], []
    for i, phase in enumerate(phases):
        simulator = Simulator(phase, grid, radiation="CuKa", ranges=RANGES, random_state=seed + i, threads=1)
        for shape in simulator.draw_and_render(per_phase, scale="max"):
            which = int(rng.integers(len(baselines)))
            baseline, height = baselines.stretches[which], baselines.heights[which]
            start = int(rng.integers(max(1, baseline.size - shape.size + 1)))
            under = np.resize(baseline[start:], shape.size)  # a short one begins again
            rows.append(rng.poisson(height * np.maximum(shape.astype(np.float64), 0)) + under)
            labels.append(i)
    return Experiments(np.array(rows), np.array(labels))


def twins_of(phases: Sequence[Phase]) -> NDArray[np.bool_]:
    """Which phases have practically the same pattern, (n, n): the same framework determined twice, for instance."""
    number: dict[str, int] = {phase.id: i for i, phase in enumerate(phases)}
    out = np.eye(len(phases), dtype=bool)
    pairs: Any = PhaseLibrary(phases).near_duplicates(d_min=_D_MIN)
    for one, other, _ in pairs:
        out[number[one], number[other]] = out[number[other], number[one]] = True
    return out
