"""States from few labels: places of breaks against plain sums, strain that is no change, and frames without beam."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import PatternsError
from peakwise.patterns import Patterns
from peakwise.series import alike, break_weights, label_frames, log_rows
from series_of_lines import make

RNG = np.random.default_rng(0)


def codes(n, **known):
    made = np.full(n, -1, dtype=np.intp)
    for at, state in known.items():
        made[int(at[1:])] = state
    return made


def test_overlaps_are_the_largest_of_all_shifts():
    rows = RNG.normal(size=(6, 40)).astype(np.float32)
    found = alike(rows, 4, [1, 3])
    for column, i in enumerate((1, 3)):
        for j in range(6):
            shifted = [
                np.dot(rows[i, max(0, -s) : 40 - max(0, s)], rows[j, max(0, s) : 40 + min(0, s)]) for s in range(-4, 5)
            ]
            assert found[j, column] == pytest.approx(max(shifted), abs=1e-4)
    np.testing.assert_allclose(alike(rows, 4), alike(rows, 4, range(6)), atol=1e-5)


@pytest.mark.parametrize("kind", ["two_theta", "q", "d"])
def test_a_strain_is_a_shift_on_the_axis_of_log_rows(kind):
    d = np.array([3.1, 2.2, 1.7, 1.4])
    axis = {"two_theta": np.linspace(15, 75, 3000), "q": np.linspace(1.5, 6, 3000), "d": np.linspace(1.2, 4, 3000)}[
        kind
    ]
    place = {
        "two_theta": lambda d: np.degrees(2 * np.arcsin(1.0 / (2 * d))),
        "q": lambda d: 2 * np.pi / d,
        "d": lambda d: d,
    }[kind]

    def pattern(spacings):
        centres = place(spacings)
        widths = np.abs(place(spacings * 1.003) - centres)  # of one width on the axis of log(1/d)
        return sum(np.exp(-(((axis - c) / w) ** 2)) for c, w in zip(centres, widths, strict=True))

    wavelength = {"wavelength": 1.0} if kind == "two_theta" else {}
    rows, step = log_rows(Patterns(axis, 1000 * np.stack([pattern(d), pattern(d * 1.02)]), kind, **wavelength))
    assert alike(rows, 0)[0, 1] < 0.5
    assert alike(rows, round(0.03 / step))[0, 1] > 0.95


def test_axes_without_a_cell_do_not_shift():
    x = np.linspace(100, 2000, 700)
    rows, step = log_rows(Patterns(x, RNG.poisson(50, (3, 700)), "raman_shift"))
    assert step == 0
    assert rows.shape == (3, 768)


def test_nothing_but_zeros_is_refused():
    with pytest.raises(PatternsError, match="counts above zero"):
        log_rows(Patterns(np.linspace(1, 5, 50), np.zeros((2, 50)), "q"))


@pytest.mark.parametrize(("at", "last"), [(17, 30), (12, 20), (25, 33)])
def test_the_break_between_two_labels(at, last):
    series = make((np.arange(40) > at).astype(float), strains=np.linspace(0, 0.01, 40))
    found = label_frames(series, codes(40, _4=0, **{f"_{last}": 1}), 2)
    assert np.flatnonzero(np.diff(found.probabilities.argmax(axis=1))).tolist() == [at]
    assert np.flatnonzero(found.is_between)[[0, -1]].tolist() == [4, last]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)


def test_weights_are_those_of_the_plain_fits():
    frame = np.arange(30)
    rows = np.where(frame[:, None] > 13, 1.0, 0.0) * RNG.normal(size=50) + RNG.normal(0, 0.05, (30, 50))
    cuts, weights = break_weights(rows, frame / 300, 6, 22)
    assert cuts.tolist() == list(range(7, 23))
    assert weights.sum() == pytest.approx(1)
    assert cuts[weights.argmax()] == 14
    assert break_weights(rows, frame / 300, 3, 4)[0].tolist() == [4]


def test_dead_frames_take_the_state_of_their_neighbours():
    share = (np.arange(30) > 14).astype(float)
    series = make(share)
    dead = series.intensity.copy()
    dead[[0, 7, 22]] = 0
    told = codes(30, _3=0, _25=1)
    found = label_frames(Patterns(series.axis, dead, "q"), told, 2).probabilities.argmax(axis=1)
    assert (found == share).all()


def test_three_states_and_there_and_back():
    share = np.r_[np.zeros(15), np.ones(15), np.zeros(15)]
    found = label_frames(make(share), codes(45, _2=0, _22=1, _40=0), 3)
    assert (found.probabilities.argmax(axis=1) == share).all()
    assert found.probabilities[:, 2].max() < 0.11
