"""Lines brought to one place: against paths that are known."""

import numpy as np
import pytest

from peakwise.patterns import Patterns
from peakwise.series import prepare_series
from peakwise.series._align import align
from series_of_lines import AXIS, FIRST, lines, make


@pytest.mark.parametrize("shape", ["linear", "held, then linear", "there and back"])
def test_the_strain_is_found(shape):
    t = np.linspace(0, 1, 80)
    path = {
        "linear": t,
        "held, then linear": np.clip(t - 0.4, 0, None) / 0.6,
        "there and back": 1 - np.abs(2 * t - 1),
    }[shape]
    true = 0.02 * path
    _, strain = align(prepare_series(make(np.zeros(80), strains=true, counts=2000)))
    np.testing.assert_allclose(strain - strain.mean(), true - true.mean(), atol=8e-4)


def test_what_only_moved_becomes_the_same():
    true = 0.02 * np.linspace(0, 1, 60)
    series = prepare_series(make(np.zeros(60), strains=true, counts=5000))
    rows, _ = align(series)
    before = float(((series.rows[0] - series.rows[-1]) ** 2).sum())
    after = float(((rows[:6].mean(axis=0) - rows[-6:].mean(axis=0)) ** 2).sum())
    assert before > 0.1
    assert after < 0.004 * before


def test_lines_that_move_each_in_its_own_way_are_followed_too():
    n = 60
    rates = (0.012, -0.006, 0.004, 0.010, -0.004)
    rng = np.random.default_rng(1)
    rows = []
    for t in np.linspace(0, 1, n):
        moved = [(at * (1 + rate * t), height) for (at, height), rate in zip(FIRST, rates, strict=True)]
        rows.append(rng.poisson(3000 * (lines(moved) + 0.05)))
    series = prepare_series(Patterns(AXIS, np.array(rows, dtype=float), "q"))
    aligned, _ = align(series)
    before = float(((series.rows[0] - series.rows[-1]) ** 2).sum())
    after = float(((aligned[:6].mean(axis=0) - aligned[-6:].mean(axis=0)) ** 2).sum())
    assert after < 0.1 * before


def test_another_phase_stays_another():
    shares = np.repeat([0.0, 1.0], 30)
    series = prepare_series(make(shares))
    rows, _ = align(series)
    means = rows[:30].mean(axis=0), rows[30:].mean(axis=0)
    plain = series.rows[:30].mean(axis=0), series.rows[30:].mean(axis=0)
    assert ((means[0] - means[1]) ** 2).sum() > 0.8 * ((plain[0] - plain[1]) ** 2).sum()


@pytest.mark.parametrize("n", [1, 2])
def test_so_few_frames_are_left_alone(n):
    series = prepare_series(make(np.zeros(n)))
    rows, strain = align(series)
    np.testing.assert_array_equal(rows, series.rows)
    assert strain.tolist() == [0.0] * n
