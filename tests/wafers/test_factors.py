"""Factorisation with shift: made data with a known truth, slow plain formulas, and a loss that never rises."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.wafers import Factors, factorise
from peakwise.wafers._factors import noise_energy

X = np.arange(220.0)


def lines(*places, width=2.5):
    return sum(height * np.exp(-(((X - at) / width) ** 2)) for at, height in places)


PHASES = (
    ((40, 1.0), (90, 0.5), (150, 0.8)),
    ((60, 1.0), (110, 0.9), (190, 0.3)),
    ((25, 0.6), (75, 1.0), (130, 0.4), (170, 0.7)),
)


def made(n=40, most=4, noise=0.005, seed=3):
    """Patterns of three phases along a line of compositions, each shifted in each sample."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, 1, n)
    weights = np.clip(np.column_stack([1 - 2 * at, 1 - np.abs(2 * at - 1), 2 * at - 1]), 0, None)
    shifts = np.rint(np.column_stack([most * at, -most * at, most * (at - 0.5)])).astype(int)
    rows = np.zeros((n, X.size))
    for i, k in product(range(n), range(3)):
        rows[i] += weights[i, k] * lines(*((p + shifts[i, k], h) for p, h in PHASES[k]))
    return rows + rng.normal(0, noise, rows.shape), weights, shifts


def matched(found: Factors, most=8):
    """Which component is which phase, by the best cosine at any shift."""
    order = []
    for phase in PHASES:
        scores = [
            max(
                np.dot(b, lines(*((p + s, h) for p, h in phase)))
                / np.linalg.norm(b) / np.linalg.norm(lines(*((p + s, h) for p, h in phase)))
                for s in range(-most, most + 1)
            )
            for b in found.basis
        ]  # fmt: skip
        order.append((int(np.argmax(scores)), max(scores)))
    return order


def test_known_components_weights_and_shifts_come_back():
    rows, weights, shifts = made()
    found = factorise(rows, 3, most_shift=6)
    order = matched(found)
    assert sorted(k for k, _ in order) == [0, 1, 2]
    assert min(score for _, score in order) > 0.99
    for phase, (k, _) in enumerate(order):
        there = weights[:, phase] > 0.15
        assert np.corrcoef(found.weights[:, k], weights[:, phase])[0, 1] > 0.99
        off = found.shifts[there, k] - shifts[there, phase]  # one constant: the component may stand anywhere
        assert np.ptp(off) <= 1
    assert (found.weights >= 0).all()
    assert (found.padded >= 0).all()
    assert np.sqrt(np.mean((found.reconstruct() - rows) ** 2)) < 0.01
    np.testing.assert_allclose(found.basis.max(axis=1), 1)


def test_without_shift_the_same_data_need_more_components():
    rows, _, _ = made()
    plain, shifted = factorise(rows, 3, 0), factorise(rows, 3, 6)
    assert shifted.losses[-1] < plain.losses[-1] / 10


def test_the_number_is_found_by_the_stated_rule():
    rows, _, _ = made()
    found = factorise(rows, most_shift=6)
    assert found.n_components == 3
    gains = np.diff(found.explained)
    assert (gains[:2] >= 0.01).all()
    assert gains[2] < 0.01
    assert factorise(rows, most_shift=6, least_gain=0.9).n_components == 1


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(1, 9), m=st.integers(8, 30), k=st.integers(1, 4), reach=st.integers(0, 2),
    below=st.booleans(),
)  # fmt: skip
def test_the_loss_never_rises_and_is_that_of_the_answer(seed, n, m, k, reach, below):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, m)) if below else rng.random((n, m))
    found = factorise(rows, min(k, n, m), reach, rounds=15, tol=0, starts=2)
    assert (np.diff(found.losses) <= 1e-10 * found.losses[0] + 1e-12).all()
    plain = np.zeros_like(rows)
    for i, j in product(range(n), range(found.n_components)):
        for x in range(m):
            plain[i, x] += found.weights[i, j] * found.padded[j, found.margin + x - found.shifts[i, j]]
    np.testing.assert_allclose(found.reconstruct(), plain, atol=1e-12)
    assert found.losses[-1] == pytest.approx(0.5 * ((rows - plain) ** 2).sum(), rel=1e-8, abs=1e-10)


def test_one_pattern_moved_is_one_component():
    rows = np.array([lines((60 + s, 1.0), (120 + s, 0.4)) * w for s, w in ((0, 1), (3, 2), (-4, 5), (5, 0.5))])
    found = factorise(rows, 1, 10)
    assert found.losses[-1] < 1e-12 * (rows**2).sum()
    assert (found.shifts[:, 0] - found.shifts[0, 0]).tolist() == [0, 3, -4, 5]
    np.testing.assert_allclose(found.weights[:, 0] / found.weights[0, 0], [1, 2, 5, 0.5], rtol=1e-9)


def test_scale_of_the_intensity_does_not_matter():
    rows, _, _ = made(n=12)
    one = factorise(rows, 2, 3)
    for factor in (1e-150, 1e150):
        other = factorise(rows * factor, 2, 3)
        np.testing.assert_array_equal(other.shifts, one.shifts)
        np.testing.assert_allclose(other.weights, one.weights * factor, rtol=1e-6)


def test_same_seed_same_answer():
    rows, _, _ = made(n=15)
    one, two = factorise(rows, 3, 3, random_state=7), factorise(rows, 3, 3, random_state=7)
    for name in ("basis", "weights", "shifts", "losses", "padded", "explained"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_patterns_without_intensity():
    found = factorise(np.zeros((3, 10)), 2, 1)
    assert not found.weights.any()
    assert not found.reconstruct().any()
    np.testing.assert_array_equal(found.shares, 0.5)
    assert factorise(np.zeros((3, 10))).n_components == 1


def test_noise_is_measured_beside_peaks():
    rng = np.random.default_rng(0)
    rows = np.array([lines(*PHASES[0], width=6)] * 20)
    noise = rng.normal(0, 0.02, rows.shape)
    assert noise_energy(rows + noise) == pytest.approx((noise**2).sum(), rel=0.1)
    assert noise_energy(rows[:, :4]) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_components": 0}, "n_components must be a whole number, 1 to 4, got 0"),
        ({"n_components": 5}, "n_components must be a whole number, 1 to 4, got 5"),
        ({"n_components": True}, "n_components must be a whole number"),
        ({"most_shift": 3}, "most_shift must be a whole number, 0 to 2, got 3"),
        ({"most_shift": 0.5}, "most_shift must be a whole number"),
        ({"rounds": 0}, "rounds must be"),
        ({"tol": float("nan")}, "tol must be"),
        ({"starts": 0}, "starts must be"),
        ({"least_gain": 2}, "least_gain must be a number, 0 to 1, got 2"),
        ({"random_state": -1}, "random_state must be"),
    ],
)
def test_options_that_cannot_be(options, told):
    with pytest.raises(OptionError, match=told):
        factorise(np.ones((4, 10)), **options)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (np.ones(5), "intensity must have at least 1 row of numbers, got the shape"),
        (np.ones((0, 5)), "at least 1 row"),
        ([[1.0, np.nan], [1.0, 2.0], [np.inf, 1.0]], "got 2 values that are not, the first in row 0"),
        ([["a", "b"]], "intensity must be a table of numbers"),
        ([[1.0], [1.0, 2.0]], "intensity must be a table of numbers"),
    ],
)
def test_intensity_that_cannot_be(rows, told):
    with pytest.raises(OptionError, match=told):
        factorise(rows, 1)
