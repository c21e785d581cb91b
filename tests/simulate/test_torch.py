"""The torch renderer against the compiled one and against plain formulas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from peakwise.crystal import TEXTBOOK
from peakwise.simulate import FRAME, SLOT, Instrument, Range, Ranges, Simulator
from simulate.formulas import line_list, render, total

torch = pytest.importorskip("torch")

AGREE = 1e-5  # of the maximum: how far two backends may be apart
GRID = (15, 60, 500)


def made(names=("Si", "TiO2-rutile", "gypsum"), **more):
    options = {"radiation": "CuKa", "random_state": 5, "threads": 1} | more
    return Simulator([TEXTBOOK[n] for n in names], GRID, **options)


def apart(simulator, tables, scale):
    one, two = (simulator.render(tables, scale=scale, device=d).astype(float) for d in ("numba", "cpu"))
    return (np.abs(one - two) / one.max(axis=1, keepdims=True)).max()


def test_torch_is_loaded_only_when_asked_for():
    code = """
import sys
from peakwise.crystal import TEXTBOOK
from peakwise.simulate import Simulator
Simulator(TEXTBOOK["Si"], (20, 60, 101), radiation="CuKa").draw(2)
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("scale", ["absolute", "max"])
def test_patterns_with_everything_agree(scale):
    quiet = Ranges(counts=None)
    simulator = made(ranges=quiet)
    assert apart(simulator, simulator.draw_tables(4, mixtures=3), scale) < AGREE


@pytest.mark.parametrize(
    "tool",
    [
        Instrument.synchrotron(0.7),
        Instrument.neutron(),
        Instrument.lab_bragg_brentano("CuKa", monochromator=26.6, axial_sample=0.04, axial_detector=0.02),
        Instrument(radiation=1.54, w=0.0, y=0.08),
    ],
    ids=["synchrotron", "neutron", "axial", "Lorentzian"],
)
def test_every_instrument_agrees(tool):
    simulator = made(instrument=tool, radiation=None, ranges=Ranges(counts=None, absorption=Range(0.1, 0.9)))
    assert apart(simulator, simulator.draw_tables(4, mixtures=2), "absolute") < AGREE


def test_films_and_measured_backgrounds_agree():
    bank = np.random.default_rng(0).random((3, GRID[2])) + 1
    simulator = made(ranges=Ranges.film(counts=None, hump=Range(0.1, 0.2)), backgrounds=bank)
    assert apart(simulator, simulator.draw_tables(4, mixtures=2), "max") < AGREE


def test_plain_lines_are_the_direct_sum():
    phase = TEXTBOOK["CeO2"]
    tool = Instrument.lab_bragg_brentano("CuKa", axial_sample=0.0, axial_detector=0.0)
    simulator = Simulator(phase, GRID, instrument=tool, ranges=Ranges.none())
    expected = total(simulator.axis, line_list(phase, tool, simulator.span))
    for device in ("numba", "cpu"):
        assert np.abs(render(simulator, device=device) - expected).max() < AGREE * expected.max(), device


@pytest.mark.parametrize("noise", ["poisson", "gaussian"])
def test_the_same_seed_gives_the_same_noise_on_both(noise):
    """Rounding in single precision may turn a count by one where it lies on the edge; nearly all are equal."""
    simulator = made(ranges=Ranges(counts=Range(300, 3000, "log")), noise=noise)
    tables = simulator.draw_tables(5)
    one, two = (simulator.render(tables, scale="counts", device=d).astype(float) for d in ("numba", "cpu"))
    counts = tables.frames[:, FRAME["counts"], None]
    if noise == "poisson":
        assert (one == two).mean() > 0.995
        assert np.abs(one - two).max() <= 1
    else:
        assert (np.abs(one - two) / np.sqrt(counts)).max() < 2e-3


def test_empty_slots_and_patterns_without_lines_are_fine():
    simulator = made(ranges=Ranges.none())
    tables = simulator.blank(3, n_slots=2)
    tables.slots[0, 0, SLOT["phase"]], tables.slots[0, 0, SLOT["weight"]] = 1, 1.0
    tables.slots[1, 1, SLOT["phase"]], tables.slots[1, 1, SLOT["weight"]] = 2, 0.5
    for scale in ("absolute", "max", "counts"):
        one, two = (simulator.render(tables, scale=scale, device=d) for d in ("numba", "cpu"))
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, two, atol=AGREE * max(float(one.max()), 1e-30))
        assert not one[2].any()


def test_single_precision_sums_stay_within_the_error_that_is_promised():
    from peakwise.simulate._torch import render_torch

    simulator = made(ranges=Ranges.none())
    tables = simulator.draw_tables(4)
    parts = (simulator._compiled, simulator._grid, simulator._optics, tables, simulator._bank, 0, 0, "poisson", "cpu")
    one, two = (render_torch(*parts, double=d).astype(float) for d in (True, False))
    assert (np.abs(one - two) / one.max(axis=1, keepdims=True)).max() < 1e-4
