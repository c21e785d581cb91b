"""Where to measure next: against scikit-learn refitted with believed scores, and on a map whose maximum is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor

from peakwise.errors import OptionError
from peakwise.wafers import STRATEGIES, composition_grid, suggest
from peakwise.wafers._suggest import _Process

GRID = np.stack(np.meshgrid(np.arange(15.0), np.arange(15.0)), axis=-1).reshape(-1, 2)


def bump(places, at=(10, 4), width=3.0):
    return np.exp(-(((places - np.asarray(at)) ** 2).sum(axis=1)) / (2 * width**2))


def some(n, seed=0):
    return GRID[np.random.default_rng(seed).permutation(len(GRID))[:n]]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_batch_is_that_of_refits_with_believed_scores(strategy):
    """Slow oracle: scikit-learn fitted again after each choice, with its mean there as one more score."""
    where = some(25)
    score = bump(where) + np.random.default_rng(1).normal(0, 0.02, 25)
    found = suggest(6, where, score, GRID, strategy=strategy, exploration=1.5)
    scale, low = 14.0, 0.0
    process = _Process((where - low) / scale, score, 0, [])
    kernel = process.smooth
    from sklearn.gaussian_process.kernels import WhiteKernel

    x, y = (where - low) / scale, (score - score.mean()) / score.std()
    free = np.array([i for i, p in enumerate(GRID) if not (where == p).all(axis=1).any()])
    first = None
    for t, index in enumerate(found.index):
        model = GaussianProcessRegressor(kernel + WhiteKernel(process.noise), optimizer=None, alpha=1e-10).fit(x, y)
        model.kernel_.k2.noise_level = 1e-12  # what it would find there without noise of its own
        mean, std = model.predict(GRID[free] / scale, return_std=True)
        if first is None:
            first = std, mean
        value = {
            "novelty": mean.min() + (mean - mean.min()) * (std / first[0]) ** 2,
            "uncertainty": std,
            "exploration": mean + 1.5 * std,
        }[strategy]
        value[np.isin(free, found.index[:t])] = -np.inf
        at = int(np.flatnonzero(free == index)[0])
        assert value[at] == pytest.approx(value.max(), abs=1e-5)
        np.testing.assert_allclose(mean, first[1], atol=1e-6)  # a believed score changes no mean
        shown = found.value[t] / score.std() - (0 if strategy == "uncertainty" else score.mean() / score.std())
        assert shown == pytest.approx(value.max(), abs=1e-5)
        assert found.mean[t] == pytest.approx(first[1][at] * score.std() + score.mean(), abs=1e-6)
        assert found.std[t] == pytest.approx(first[0][at] * score.std(), abs=1e-6)
        x, y = np.vstack([x, GRID[index] / scale]), np.append(y, mean[at])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000), known=st.integers(0, 12), n=st.integers(1, 8), strategy=st.sampled_from(STRATEGIES),
    failed=st.booleans(),
)  # fmt: skip
def test_never_a_measured_place_and_never_one_twice(seed, known, n, strategy, failed):
    where = some(known, seed)
    score = np.full(known, np.nan) if failed else bump(where)
    grid = np.vstack([GRID[:40], GRID[:10], where])
    found = suggest(n, where, score, grid, strategy=strategy, random_state=seed)
    taken = [tuple(p) for p in found.where]
    assert len(taken) == len(set(taken)) == min(n, len({tuple(p) for p in GRID[:40]} - {tuple(p) for p in where}))
    assert not set(taken) & {tuple(p) for p in where}
    np.testing.assert_array_equal(grid[found.index], found.where)
    assert np.isfinite(found.value).all()
    again = suggest(n, where, score, grid, strategy=strategy, random_state=seed)
    np.testing.assert_array_equal(again.index, found.index)


def test_novelty_goes_to_the_top_and_uncertainty_to_what_is_bare():
    where = GRID[(GRID[:, 0] <= 8) & (GRID.sum(axis=1) % 2 == 0)]
    top = suggest(1, where, bump(where, (6, 5), 2.0), GRID, strategy="novelty").where[0]
    assert np.abs(top - (6, 5)).max() <= 1
    bare = suggest(1, where, bump(where, (6, 5), 2.0), GRID, strategy="uncertainty").where[0]
    assert bare[0] >= 12


def test_batches_are_spread():
    where = some(30)
    apart = []
    for strategy in STRATEGIES:
        places = suggest(5, where, bump(where), GRID, strategy=strategy).where
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
        apart.append(gaps[np.triu_indices(5, 1)].min())
    assert min(apart) >= 1.0
    assert apart[1] >= 3.0


def test_exploration_finds_the_maximum_sooner_than_chance():
    """Five maps with a narrow maximum: batches of four until it is met; random order needs half the map (112)."""
    needed = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        at = rng.integers(2, 13, 2)
        where = some(6, seed)
        while not (where == at).all(axis=1).any():
            where = np.vstack([where, suggest(4, where, bump(where, at, 2.0), GRID).where])
        needed.append(len(where))
    assert np.mean(needed) < 60


def test_nothing_known_begins_in_the_middle_and_spreads():
    found = suggest(5, np.empty((0, 2)), [], GRID, strategy="uncertainty")
    assert found.where[0].tolist() == [7, 7]
    gaps = np.linalg.norm(found.where[:, None] - found.where[None], axis=2)
    assert gaps[np.triu_indices(5, 1)].min() > 5
    assert "0 scores no length can be learned" in found.warnings[0]
    assert suggest(1, [], [], GRID).where.tolist() == [[7, 7]]


def test_scores_all_the_same_and_failed_measurements():
    where = some(20)
    same = suggest(2, where, np.ones(20), GRID)
    assert "scores that are all the same" in same.warnings[0]
    np.testing.assert_allclose(same.mean, 1)
    score = bump(where)
    score[3] = np.nan
    kept = np.arange(20) != 3
    with_failed, without = suggest(3, where, score, GRID), suggest(3, where[kept], score[kept], GRID)
    assert not (with_failed.where == where[3]).all(axis=1).any()
    np.testing.assert_allclose(with_failed.mean[0], without.mean[0], rtol=1e-3)


def test_two_scores_already_say_where_it_is_high():
    found = suggest(1, [[2.0, 7.0], [12.0, 7.0]], [1e6, 3e6], GRID, strategy="novelty")
    assert found.where[0, 0] > 9
    assert "from 2 scores no length can be learned" in found.warnings[0]


def test_units_of_places_and_scores_do_not_matter():
    where = some(20)
    one = suggest(4, where, bump(where), GRID)
    for factor in (1e-140, 1e140):
        np.testing.assert_array_equal(suggest(4, where, bump(where) * factor, GRID).index, one.index)
    other = suggest(4, where * 1e-3 + 5, bump(where) * 1e6 - 7, GRID * 1e-3 + 5)
    np.testing.assert_array_equal(one.index, other.index)
    np.testing.assert_allclose(other.mean, one.mean * 1e6 - 7, rtol=1e-3, atol=1e3)


def test_compositions():
    grid = composition_grid(3, 10)
    where = grid[::7]
    found = suggest(3, where, where[:, 0] ** 2, grid, strategy="novelty")
    assert found.where[0, 0] >= 0.8
    assert found.why[0].startswith("a score of")


def test_many_places_are_drawn_from(monkeypatch):
    rng = np.random.default_rng(0)
    where = rng.random((1600, 2)) * 14
    monkeypatch.setattr("peakwise.wafers._suggest._MOST_LEARNED", 100)
    found = suggest(1, where, bump(where), GRID)
    assert "100 of the 1600 measured places were drawn to learn from" in found.warnings


def test_a_grid_with_less_than_was_wanted():
    found = suggest(9, GRID[:3], [1.0, 2.0, 3.0], GRID[:5])
    assert len(found.index) == 2
    assert found.warnings[-1] == "9 places were wanted, the grid has 2 that are not measured"
    with pytest.raises(OptionError, match="all 3 places of the grid are measured"):
        suggest(1, GRID[:3], [1.0, 2.0, 3.0], GRID[:3])


@pytest.mark.parametrize(
    ("arguments", "options", "told"),
    [
        ((0, GRID[:2], [1, 2], GRID), {}, "n must be a whole number, at least 1, got 0"),
        ((1, GRID[:2], [1, 2, 3], GRID), {}, "score must have 2 numbers, one for each place, got 3"),
        ((1, GRID[:2], [1, np.inf], GRID), {}, "score must be a list of numbers, none of them infinite"),
        ((1, GRID[:2], ["a", 1], GRID), {}, "score must be numbers"),
        ((1, GRID[:2, :1], [1, 2], GRID), {}, "where and grid must have the same columns, got 1 and 2"),
        ((1, [[np.nan, 1]], [1], GRID), {}, "where must be finite"),
        ((1, GRID[:2], [1, 2], np.empty((0, 2))), {}, "grid must have at least 1 row"),
        (
            (1, GRID[:2], [1, 2], GRID),
            {"strategy": "best"},
            "strategy must be one of novelty, uncertainty, exploration",
        ),
        ((1, GRID[:2], [1, 2], GRID), {"exploration": -1}, "exploration must be a number, at least 0, got -1"),
        ((1, GRID[:2], [1, 2], GRID), {"random_state": 0.5}, "random_state must be a whole number"),
    ],
)
def test_what_cannot_be_asked(arguments, options, told):
    with pytest.raises(OptionError, match=told):
        suggest(*arguments, **options)
