"""Beam, background and accidents taken out; counts kept."""

import numpy as np
import pytest

from peakwise.errors import PatternsError
from peakwise.patterns import Patterns
from peakwise.series import prepare_series
from peakwise.series._prepare import frame_noise, take_rows
from series_of_lines import AXIS, FIRST, lines, make


def test_the_beam_is_taken_out_exactly():
    rows = np.outer([1.0, 0.3, 7.0], 100 * lines(FIRST) + 3)
    made = prepare_series(Patterns(AXIS, rows, "q")).rows
    np.testing.assert_allclose(made[1:], np.broadcast_to(made[0], (2, AXIS.size)), atol=1e-6)


def test_dead_frames_are_left_out_and_named():
    rows = np.outer([1.0, 0.0, 1.0, 1e-4, 1.0], 100 * lines(FIRST) + 3)
    made = prepare_series(Patterns(AXIS, rows, "q"))
    assert made.dead.tolist() == [1, 3]
    assert made.frames.tolist() == [0, 2, 4]
    assert len(made.rows) == 3


def test_nothing_but_dead_frames_is_refused():
    with pytest.raises(PatternsError, match="all patterns are empty"):
        prepare_series(Patterns(AXIS, np.zeros((4, AXIS.size)), "q"))


def test_noise_of_counts_has_one_size_everywhere():
    # The square root of a Poisson number has the standard deviation 1/2, whatever its mean.
    patterns = make([0.0] * 200, counts=2000)
    rows = np.sqrt(patterns.intensity)
    made = prepare_series(patterns).rows
    total = np.sqrt(patterns.intensity.sum(axis=1).mean())
    high, low = lines(FIRST) > 0.5, lines(FIRST) < 0.01
    assert made[:, high].std(axis=0).mean() == pytest.approx(0.5 / total, rel=0.1)
    assert made[:, low].std(axis=0).mean() == pytest.approx(0.5 / total, rel=0.1)
    assert frame_noise(rows) == pytest.approx(0.5, rel=0.05)


def test_a_hot_pixel_is_replaced_and_a_line_is_not():
    patterns = make([0.0] * 30)
    values = np.array(patterns.intensity)
    values[12, 333] = 4000.0
    clean, hot = (prepare_series(Patterns(AXIS, v, "q")).rows for v in (patterns.intensity, values))
    assert abs(hot[12, 333] - clean[:, 333].mean()) < 6 * frame_noise(clean)
    top = int(lines(FIRST).argmax())
    assert hot[:, top].mean() == pytest.approx(clean[:, top].mean(), rel=0.02)


def test_uneven_axes_are_binned_without_loss():
    uneven = np.concatenate([np.linspace(1, 3, 300), np.linspace(3.01, 6, 600)])
    rows = np.outer(np.ones(3), 500 * lines(FIRST, axis=uneven) + 10)
    made = prepare_series(Patterns(uneven, rows, "q"))
    assert np.ptp(np.diff(made.axis)) < 1e-9
    from peakwise.series._prepare import _on_even_grid

    _, binned = _on_even_grid(uneven, rows)
    np.testing.assert_allclose(binned.sum(axis=1), rows.sum(axis=1), rtol=1e-12)


def test_numbers_below_zero_are_no_counts():
    wave = np.outer([1.0, 2.0], np.sin(AXIS * 20))
    made = prepare_series(Patterns(AXIS, wave, "q")).rows
    np.testing.assert_allclose(made[0], made[1], atol=1e-6)
    assert made.min() < 0


def test_reach_is_how_far_a_line_moves():
    """Against the positions of a line of d before and after the cell shrinks by a thousandth."""
    wavelength = 0.5
    x = np.linspace(5, 40, 3500)
    made = prepare_series(Patterns(x, np.ones((2, x.size)), "two_theta", wavelength=wavelength))
    for angle in (8.0, 20.0, 35.0):
        d = wavelength / (2 * np.sin(np.radians(angle / 2)))
        moved = 2 * np.degrees(np.arcsin(wavelength / (2 * d * (1 - 0.001)))) - angle
        at = int(np.argmin(np.abs(x - angle)))
        assert made.reach[at] * 0.001 == pytest.approx(moved / (x[1] - x[0]), rel=5e-3)


def test_rows_of_a_part_keep_their_numbers():
    made = prepare_series(make([0.0] * 12))
    part = take_rows(made, 4, 9)
    assert part.frames.tolist() == [4, 5, 6, 7, 8]
    assert part.rows.shape[0] == 5
