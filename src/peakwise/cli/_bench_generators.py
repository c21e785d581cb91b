"""Rows of `bench simulate` beside whole generators of other programs, and inside a training loop.

XRD-AutoAnalyzer (``pip install autoxrd pyxtal``) and XCA (its repository; with ``pip install cctbx-base``) are measured
where they can be imported: both ask for more than a bench should install. torch is imported when it is there.
"""

from __future__ import annotations

import time
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from peakwise.crystal import Phase
    from peakwise.simulate import Simulator

__all__ = ["generators", "training"]

WAVELENGTH = 1.5405929
_AUTO_GRID = (10.0, 80.0, 4501)  # XRD-AutoAnalyzer has no other
_XCA_GRID = (20.0, 90.0, 2048)
_POINTS = 4023  # of the training loop
_BATCH = 16
_ROUNDS = 3
_SKIPPED = "the comparison with {0} is left out: it is not installed ({1})"


def generators(
    phases: Iterable[Phase], measure: Callable[[Callable[[], Any]], float], warnings: list[str]
) -> Iterator[tuple[str, str, float, float, str]]:
    """(what, structure, our seconds, their seconds, their name) of one variant."""
    programs = (
        ("XRD-AutoAnalyzer", ("autoXRD", "pyxtal"), "pip install autoxrd pyxtal", _auto_analyzer, _AUTO_GRID),
        ("XCA", ("xca", "iotbx"), "its repository, and pip install cctbx-base", _xca, _XCA_GRID),
    )
    there = list(phases)
    for name, modules, how, make, grid in programs:
        if any(find_spec(m) is None for m in modules):
            warnings.append(_SKIPPED.format(name, how))
            continue
        for phase in there:
            with TemporaryDirectory() as folder:
                place = Path(folder) / "one.cif"
                place.write_text(phase.to_cif(), encoding="utf-8")
                theirs = measure(make(place, grid))
            simulator = _simulator(phase, grid)
            room = np.empty((256, grid[2]), np.float32)
            ours = measure(partial(simulator.draw_and_render, 256, out=room)) / 256
            yield f"one variant, {grid[0]:g}-{grid[1]:g} deg", phase.id, ours, theirs, name


def _simulator(phase: Phase, grid: tuple[float, float, int]) -> Simulator:
    from peakwise.simulate import Instrument, Ranges, Simulator

    tool = Instrument.lab_bragg_brentano(WAVELENGTH, axial_sample=0.0, axial_detector=0.0)
    return Simulator(phase, grid, instrument=tool, ranges=Ranges(counts=5000.0, hump=None), threads=1)


def _auto_analyzer(cif: Path, grid: tuple[float, float, int]) -> Callable[[], Any]:
    """Its generator of everything at once, as its script for new models calls it."""
    from pymatgen.core import Structure

    generator = import_module("autoXRD.spectrum_generation.mixed").MixedGen
    other = cif.with_name("references")
    other.mkdir()
    structure = Structure.from_file(str(cif))
    impurity = structure.copy()
    impurity.scale_lattice(structure.volume * 1.2)  # it wants a structure with another cell for impurity lines
    impurity.to(filename=str(other / "other.cif"))
    made = generator(structure, min_angle=grid[0], max_angle=grid[1], ref_dir=str(other))
    return lambda: made.mixed_spectrum


def _xca(cif: Path, grid: tuple[float, float, int]) -> Callable[[], Any]:
    """Its complete profile; the CIF is read anew for each pattern, as its builder does."""
    create_complete_profile = import_module("xca.data_synthesis.cctbx").create_complete_profile
    widths = {"U": 0.01, "V": -0.005, "W": 0.02, "X": 0.01, "Y": 0.02, "Z": 0.0}
    ground = {f"bkg_{i}": 0.0 for i in range(-2, 7)} | {"bkg_0": 0.05, "bkg_ea": 0.0, "bkg_eb": 0.0}
    given = {
        "input_cif": str(cif), "wavelength": WAVELENGTH, "debye_waller_factors": None,
        "extinction_correction_x": None, "2theta_min": grid[0], "2theta_max": grid[1], "n_datapoints": grid[2],
        "preferred": (0, 0, 1), "march_parameter": 0.8, "theta_m": 0.0, "offset_height": 0.05,
        "instrument_radius": 200.0, "noise_std": 0.005, "verbose": False,
    }  # fmt: skip
    return lambda: create_complete_profile(dict(given | widths | ground))


def training(phase: Phase, steps: int, warnings: list[str]) -> tuple[float, float] | None:
    """Seconds of one training step with patterns made meanwhile, and with patterns made before; None without torch.

    The network is a small convolutional one (three layers, a few million operations a pattern), the batch 16 patterns
    of 4023 points; both loops copy a NumPy batch into a tensor. Rounds alternate, the best of each counts.
    """
    if find_spec("torch") is None:
        warnings.append("the training loop is left out: torch is not installed (pip install 'peakwise[torch]')")
        return None
    from itertools import islice

    import torch

    network = torch.nn.Sequential(
        torch.nn.Conv1d(1, 32, 9, stride=4), torch.nn.ReLU(), torch.nn.Conv1d(32, 64, 9, stride=4), torch.nn.ReLU(),
        torch.nn.Conv1d(64, 64, 9, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool1d(8), torch.nn.Flatten(),
        torch.nn.Linear(512, 1),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    simulator = _simulator(phase, (10.0, 90.0, _POINTS))

    def run(batches: Iterator[Any]) -> float:
        start = time.perf_counter()
        for batch in islice(batches, steps):
            optimiser.zero_grad()
            x = torch.from_numpy(batch.intensity)[:, None]
            loss = (network(x)[:, 0] - x.mean((1, 2))).square().mean()
            loss.backward()
            optimiser.step()
        return (time.perf_counter() - start) / steps

    ready = list(islice(simulator.batches(_BATCH), steps))
    run(iter(ready))
    fresh, stored = [], []
    for _ in range(_ROUNDS):
        stored.append(run(iter(ready)))
        live = simulator.batches(_BATCH)
        next(live)  # the thread and its first batches are there
        fresh.append(run(live))
    return min(fresh), min(stored)
