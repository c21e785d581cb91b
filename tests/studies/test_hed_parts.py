"""What the studies of the (Mg,Fe)O series are made of: rows, labelled patterns, sequences, and what states say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.datasets.hed_suite import SERIES, pressures
from peakwise.errors import OptionError
from peakwise.studies._hed_data import LABELLED, HedSeries, normalise, prepare, read_series, shorten
from peakwise.studies._hed_states import Known, known_series, linear_states, noisy_copies, tell_states
from peakwise.studies._hed_training import draw_sequences


@pytest.fixture(scope="module")
def known():
    return known_series(points=400)


def made(n, onset, end):
    """A series in which nothing is measured, only known."""
    share = np.clip((np.arange(n) - onset + 1) / (end - onset + 1), 0, 1)
    data = HedSeries(
        np.zeros((n, 2), np.float32), np.full(n, -1), np.linspace(0, 1, n, dtype=np.float32), np.linspace(0, 10, n)
    )
    return Known(None, data, share, np.arange(0), np.arange(0))


def test_31_patterns_are_labelled_16_before_and_15_after(known):
    assert known.base_labels.tolist() == [0] * 16 + [1] * 15
    path = pressures(SERIES["MgFeO"])
    assert (path[known.base[:16]] < 22).all()  # where Finkelstein et al. saw the distortion begin
    assert (path[known.base[16:]] > 42).all()
    assert set(np.diff(known.base).tolist()) == {10, 50}
    assert known.data.rows.shape == (349, 402)
    assert known.data.rows.dtype == np.float32
    assert (known.data.labels == -1).all()


def test_rows_do_not_see_the_beam_and_their_noise_is_of_one_size(known):
    counts = known.patterns.intensity.astype(float)
    beam = np.random.default_rng(0).uniform(0.5, 2, (len(counts), 1))
    np.testing.assert_allclose(normalise(counts * beam), normalise(counts), atol=1e-4)
    # Poisson numbers of 30 and of 30,000 a point, of the same shape otherwise.
    level = np.repeat([30.0, 30_000.0], 200)
    rows = normalise(np.random.default_rng(1).poisson(level, (500, 400)))
    low, high = rows[:, :200].std(), rows[:, 200:].std()
    assert 0.9 < low / high < 1.1


@given(st.integers(1, 5), st.integers(1, 40))
def test_shortening_keeps_counts(n, points):
    counts = np.random.default_rng(points).poisson(5.0, (n, 40)).astype(float)
    short = shorten(counts, points)
    assert short.shape[1] >= points
    factor = 40 // points
    for i in range(short.shape[1]):
        np.testing.assert_array_equal(short[:, i], sum(counts[:, factor * i + j] for j in range(factor)))


def test_labelled_series_keep_their_labels():
    got = prepare(read_series("D1"), 100)
    assert got.labels.tolist() == [0] * 17 + [2] * 43
    assert got.positions[[0, -1]].tolist() == [0, 1]
    assert tuple(f"D{i}" for i in range(1, 10)) == LABELLED
    with pytest.raises(OptionError, match="series must be among D1, .*, MgFeO, got 'D10'. Choose one"):
        read_series("D10")


def test_copies_are_the_patterns_and_noise_of_the_size_that_was_asked():
    rows = np.random.default_rng(0).standard_normal((3, 2000)).astype(np.float32)
    again = noisy_copies(rows, 6, 0.2, np.random.default_rng(1)).reshape(7, 3, 2000)
    np.testing.assert_array_equal(again[0], rows)
    noise = again[1:] - rows
    assert noise.std() == pytest.approx(0.2, rel=0.02)
    assert np.abs(np.corrcoef(noise.reshape(18, -1)) - np.eye(18)).max() < 0.1  # no two alike


@given(st.integers(1, 60), st.integers(2, 31), st.integers(0, 9))
def test_sequences_are_in_order(n, length, seed):
    drawn = draw_sequences(n, length, np.random.default_rng(seed))
    assert drawn.shape == (n, length)
    assert drawn.min() >= 0
    assert drawn.max() < n * length
    assert (np.diff(drawn % length) >= 0).all()


def test_the_place_in_a_sequence_does_not_tell_the_state():
    labels = np.tile([0] * 16 + [1] * 15, 400)
    drawn = labels[draw_sequences(400, 31, np.random.default_rng(0))]
    # Were it always the whole series, every column would have one state only.
    shares = drawn.mean(axis=0)
    assert shares.min() > 0.15
    assert shares.max() < 0.85
    assert (drawn.all(axis=1) | (~drawn.astype(bool)).all(axis=1)).mean() > 0.2  # many hold one state alone


def test_what_clear_states_say():
    told = tell_states(np.repeat([1, 0], [60, 40]), made(100, 50, 70))  # the names of the states mean nothing
    assert told.confidence == 1
    assert told.boundary == "(59, 60)"
    assert told.place == 59.5
    assert told.pressure == 6.0  # 59.5 / 99 * 10
    assert told.right == 1  # the boundary lies within the transition: all frames of a known state are right


def test_what_other_states_say():
    known = made(100, 50, 70)
    early = tell_states(np.repeat([0, 1], [40, 60]), known)
    assert early.right == pytest.approx(70 / 80)  # 10 of the 50 before are told as after; the 30 after are right
    mixed = np.repeat([0, 1], [55, 45])
    mixed[[52, 58]] = 1, 0
    told = tell_states(mixed, known)
    assert told.boundary == "52 to 58"
    assert told.confidence == pytest.approx(1 - 7 / 100)
    one = tell_states(np.zeros(100, int), known)
    assert (one.confidence, one.boundary, one.place, one.right) == (0.0, "none", None, 50 / 80)
    three = tell_states(np.repeat([0, 1, 2], [50, 20, 30]), known)
    assert three.boundary == "(49, 50), (69, 70)"
    assert three.right == 1


def test_the_simple_way_finds_the_series_boundary(known):
    rng = np.random.default_rng(0)
    rows = noisy_copies(known.data.rows[known.base], 5, 0.2, rng)
    told = tell_states(linear_states(rows, np.tile(known.base_labels, 6), known.data.rows, 0), known)
    assert told.confidence == 1
    assert told.right == 1
    assert 160 < told.place < 206
