"""Explanations of trained networks point at planted peaks; those of random networks do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.explain import EXPLANATIONS, Explanation, explain, pointing_game

# Method, what it must understand, least mean share of relevance inside, least part of hits. The planted regions are
# 7 % (by place) and 17 % (by shape) of the points. Where two convolutions were averaged over all places, no method can
# know a place; where a dense layer knows places, the channels' means have lost them.
MUST_POINT = [
    ("integrated_gradients", "placed", 0.8, 0.95),
    ("occlusion", "placed", 0.8, 0.95),
    ("hires_cam", "placed", 0.5, 0.95),
    ("input_times_gradient", "placed", 0.8, 0.95),
    ("gradients", "placed", 0.25, 0.95),
    ("cam", "pooled", 0.55, 0.85),
    ("grad_cam", "pooled", 0.55, 0.85),
    ("hires_cam", "pooled", 0.55, 0.85),
]


def test_every_method_must_point():
    assert {name for name, *_ in MUST_POINT} == set(EXPLANATIONS) - {"saliency"}


def test_the_networks_are_worth_explaining(placed, pooled, untrained):
    assert placed.accuracy >= 0.95
    assert pooled.accuracy >= 0.95
    assert all(case.accuracy < 0.5 for cases in untrained.values() for case in cases)


@pytest.mark.parametrize(("method", "kind", "share", "hits"), MUST_POINT)
def test_points_at_the_planted_peak(method, kind, share, hits, request):
    case = request.getfixturevalue(kind)
    game = pointing_game(explain(case.model, case.X, case.y, method=method), case.inside)
    assert game.share.mean() > share
    assert game.hit.mean() > hits


@pytest.mark.parametrize(("method", "kind", "share", "hits"), MUST_POINT)
def test_does_not_point_with_random_weights(method, kind, share, hits, untrained):
    games = [pointing_game(explain(c.model, c.X[:30], c.y[:30], method=method), c.inside[:30]) for c in untrained[kind]]
    assert np.mean([game.share.mean() for game in games]) < 0.6 * share
    assert np.mean([game.hit.mean() for game in games]) < 0.6 * hits


@pytest.mark.parametrize("method", ["cam", "grad_cam"])
def test_means_of_channels_lose_the_place_and_say_so(method, placed):
    """Why `hires_cam` is there: a peak of the right shape counts wherever it stands."""
    found = explain(placed.model, placed.X, placed.y, method=method)
    assert pointing_game(found, placed.inside).hit.mean() < 0.6
    if method == "cam":
        assert "averaged away (hires_cam keeps it)" in found.notes[0]


def _explanation(relevance):
    relevance = np.atleast_2d(np.asarray(relevance, dtype=float))
    return Explanation("cam", relevance, np.zeros(len(relevance)), None, True)


@given(st.lists(st.floats(-5, 5), min_size=8, max_size=8), st.integers(0, 7), st.integers(1, 8))
def test_share_and_hit_by_a_plain_loop(relevance, start, length):
    stop = min(8, start + length)
    game = pointing_game(_explanation(relevance), [(start, stop)])
    positive = [max(r, 0.0) for r in relevance]
    share = sum(positive[start:stop]) / sum(positive) if sum(positive) else 0.0
    assert game.share[0] == pytest.approx(share, abs=1e-12)
    assert game.length_share[0] == (stop - start) / 8
    assert game.hit[0] == (max(positive) > 0 and start <= positive.index(max(positive)) < stop)


def test_even_relevance_gains_nothing_and_a_mask_is_as_good_as_ranges():
    even = _explanation(np.ones((2, 10)))
    mask = np.zeros(10, dtype=bool)
    mask[[2, 3, 7]] = True
    by_mask, by_ranges = pointing_game(even, mask), pointing_game(even, [(2, 4), (7, 8)])
    assert np.array_equal(by_mask.share, by_ranges.share)
    np.testing.assert_allclose(by_mask.gain, 1)


def test_a_margin_widens_each_region_within_the_pattern():
    game = pointing_game(_explanation(np.ones((1, 10))), [(0, 1), (5, 6)], margin=2)
    assert game.length_share[0] == 0.8  # 0 to 2 and 3 to 7
    assert pointing_game(_explanation(np.ones((1, 10))), [(5, 6)], margin=99).length_share[0] == 1.0


@pytest.mark.parametrize(
    ("regions", "why"),
    [
        ([(3, 3)], "regions must be (start, stop)"),
        ([(0, 11)], "with 0 <= start < stop <= 10"),
        ([(1.5, 2.0)], "regions must be (start, stop)"),
        ([], "regions must be (start, stop)"),
        (np.ones(9, dtype=bool), "a mask must have shape (10,) or (1, 10), got (9,)"),
        (np.zeros(10, dtype=bool), "each pattern must have a point inside its regions"),
    ],
)
def test_regions_that_cannot_be_meant(regions, why):
    with pytest.raises(OptionError) as error:
        pointing_game(_explanation(np.ones((1, 10))), regions)
    assert why in str(error.value)


def test_a_margin_below_zero():
    with pytest.raises(OptionError, match="margin must be a whole number of at least 0, got -1"):
        pointing_game(_explanation(np.ones((1, 10))), [(0, 1)], margin=-1)
