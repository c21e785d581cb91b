"""Regions of like patterns: distances against a slow plain formula, and groups that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise import Patterns
from peakwise.errors import AxisError, OptionError
from peakwise.wafers import REGION_METHODS, log_grid, phase_regions, shift_distances, shift_points

X = np.arange(160.0)
FIELDS = (((30, 1.0), (80, 0.6)), ((50, 1.0), (120, 0.8)), ((65, 0.7), (100, 1.0), (140, 0.4)))


def library(moves=5, noise=0.02, each=12, seed=0):
    """Three fields on a wafer beside each other; in each the lines move from place to place."""
    rng = np.random.default_rng(seed)
    rows, truth, places = [], [], []
    for field, lines in enumerate(FIELDS):
        for i in range(each):
            move = moves * (i / (each - 1) - 0.5)
            rows.append(rng.uniform(1, 3) * sum(h * np.exp(-(((X - p - move) / 2) ** 2)) for p, h in lines))
            truth.append(field)
            places.append((field + i / each, rng.random()))
    return np.array(rows) + rng.normal(0, noise, (len(rows), X.size)), np.array(truth), np.array(places)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), reach=st.integers(0, 4))
def test_distances_are_one_minus_the_best_cosine(seed, reach):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(5, 18)) * rng.choice([0.0, 1.0, 1e6], size=(5, 1))
    got = shift_distances(rows, reach)
    for i in range(5):
        for j in range(5):
            a, b = np.linalg.norm(rows[i]), np.linalg.norm(rows[j])
            best = -1.0
            for s in range(-reach, reach + 1):
                moved = np.zeros(18)
                for x in range(18):
                    if 0 <= x - s < 18:
                        moved[x] = rows[j, x - s]
                best = max(best, float(rows[i] @ moved) / (a * b)) if a and b else 0.0
            assert got[i, j] == pytest.approx(0.0 if i == j else 1 - best, abs=1e-9)


@pytest.mark.parametrize("method", REGION_METHODS)
@pytest.mark.parametrize("known", [3, None])
@pytest.mark.parametrize("placed", [False, True])
def test_three_fields_come_back(method, known, placed):
    rows, truth, places = library()
    found = phase_regions(rows, known, method, most_shift=6, where=places if placed else None)
    np.testing.assert_array_equal(found.labels, truth)
    assert found.n_regions == 3
    assert [truth[i] for i in found.examples] == [0, 1, 2]
    if known is None:
        assert max(found.silhouettes, key=found.silhouettes.get) == 3


def test_without_shift_fields_fall_apart():
    rows, truth, _ = library(moves=16, each=5)
    assert (phase_regions(rows, 3).labels != truth).any()
    np.testing.assert_array_equal(phase_regions(rows, 3, most_shift=17).labels, truth)


def test_a_region_only_grows_to_places_beside_it():
    """One pattern on two far ends of a line, another between: with places three regions can be told."""
    at = np.linspace(0, 1, 30)
    ends = (at < 0.3) | (at > 0.7)
    rows = np.where(ends[:, None], np.exp(-(((X - 40) / 2) ** 2)), np.exp(-(((X - 90) / 2) ** 2)))
    rows = rows + np.random.default_rng(0).normal(0, 0.01, rows.shape)
    free, placed = phase_regions(rows, 3), phase_regions(rows, 3, where=at[:, None])
    assert len(set(placed.labels[:9])) == len(set(placed.labels[-9:])) == 1
    assert placed.labels[0] != placed.labels[-1]
    assert set(free.labels[:9]) & set(free.labels[-9:])


@pytest.mark.parametrize("method", REGION_METHODS)
def test_one_phase_and_noise_alone_are_one_region(method):
    rng = np.random.default_rng(1)
    one = np.exp(-(((X - 40) / 3) ** 2)) + rng.normal(0, 0.02, (25, X.size))
    assert phase_regions(one, method=method).n_regions == 1
    assert phase_regions(rng.normal(size=(25, X.size)), method=method).n_regions == 1
    assert phase_regions(one[:1], method=method).labels.tolist() == [0]
    assert phase_regions(one[:2], method=method).labels.tolist() == [0, 0]
    assert phase_regions(one[:4], 4, method).labels.tolist() == [0, 1, 2, 3]
    assert phase_regions(np.zeros((5, 9)), method=method).n_regions == 1


def test_same_answer_again_and_for_copies():
    rows, _, _ = library()
    again = [phase_regions(np.vstack([rows, rows]), 3, "spectral", most_shift=6, random_state=5) for _ in range(2)]
    np.testing.assert_array_equal(again[0].labels, again[1].labels)
    np.testing.assert_array_equal(again[0].labels[:36], again[0].labels[36:])


def test_a_larger_cell_is_a_shift_on_the_log_grid():
    """The same structure with a cell 1.5 % larger, by Bragg's law: alike only where shifts are allowed."""
    two_theta = np.arange(20, 80, 0.02)

    def scan(cell):
        return sum(
            np.exp(-(((two_theta - 2 * np.degrees(np.arcsin(1.54 / 2 / (cell / np.sqrt(n))))) / 0.25) ** 2))
            for n in (3, 4, 8, 11)
        )

    pair = log_grid(Patterns(two_theta, [scan(4.0), scan(4.06)], wavelength=1.54), 1500)
    reach = shift_points(pair, 0.02)
    step = np.log(pair.axis[1] / pair.axis[0])
    assert reach == int(np.ceil(np.log(1.02) / step))
    assert shift_distances(pair.intensity)[0, 1] > 0.5
    assert shift_distances(pair.intensity, reach)[0, 1] < 0.02
    # Across the linear axis no single shift does it.
    assert shift_distances([scan(4.0), scan(4.06)], 100)[0, 1] > 0.3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_regions": 0}, "n_regions must be a whole number, 1 to 4, got 0"),
        ({"n_regions": 5}, "n_regions must be a whole number, 1 to 4, got 5"),
        ({"method": "kmeans"}, "method must be one of agglomerative, spectral, got 'kmeans'"),
        ({"most_shift": -1}, "most_shift must be a whole number, 0 to 2, got -1"),
        ({"where": np.ones((3, 2))}, "where must have 4 rows, one for each pattern, got 3"),
        ({"where": np.full((4, 2), np.nan)}, "where must be finite"),
        ({"most_regions": 0}, "most_regions must be"),
        ({"least_silhouette": 3}, "least_silhouette must be a number, -1 to 1, got 3"),
        ({"random_state": None}, "random_state must be"),
    ],
)
def test_options_that_cannot_be(options, told):
    with pytest.raises(OptionError, match=told):
        phase_regions(np.eye(4, 10), **options)


def test_more_patterns_than_pairs_are_kept_of():
    with pytest.raises(OptionError, match="all pairs of at most 10000 patterns are compared, got 10001"):
        phase_regions(np.ones((10_001, 1)))


def test_axes_without_q():
    with pytest.raises(AxisError):
        log_grid(Patterns([10, 20, 30], [1, 2, 3], "energy"))
    with pytest.raises(OptionError, match="q must be above 0, and begins at 0"):
        log_grid(Patterns([0, 1, 2], [1, 2, 3], "q"))
    with pytest.raises(OptionError, match="points must be a whole number, at least 8, got 3"):
        log_grid(Patterns([1, 2, 3], [1, 2, 3], "q"), 3)
    with pytest.raises(OptionError, match="stretch must be a number, 0 to 0.2, got 1"):
        shift_points(Patterns([1, 2, 3], [1, 2, 3], "q"), 1)
