"""Groups, states and runs against scikit-learn and slow plain formulas."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from peakwise.errors import OptionError
from peakwise.evaluation import (
    _clusters,
    ambiguous_zone,
    classification_confidence,
    mutual_information,
    over_seeds,
    precision_recall,
    silhouette,
)

labels = st.lists(st.integers(0, 4), min_size=1, max_size=60)
two_divisions = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n) for _ in range(2)])
)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(4, 60), st.integers(2, 4))
def test_silhouette_agrees_with_scikit_learn(seed, n, k):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * 10
    groups = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])  # some with one member
    if k < n:
        assert silhouette(x, groups) == pytest.approx(metrics.silhouette_score(x, groups), abs=1e-7)


def test_silhouette_in_pieces_is_that_in_one(monkeypatch):
    rng = np.random.default_rng(3)
    x, groups = rng.normal(size=(57, 4)), rng.integers(0, 3, 57)
    whole = silhouette(x, groups)
    monkeypatch.setattr(_clusters, "_AT_ONCE", 57 * 5)
    assert silhouette(x, groups) == pytest.approx(whole, abs=1e-12)


def test_silhouette_where_all_lie_at_one_place():
    assert silhouette(np.ones((6, 2)), [0, 0, 0, 1, 1, 1]) == 0


@settings(deadline=None, max_examples=60)
@given(two_divisions)
def test_mutual_information_agrees_with_scikit_learn(divisions):
    a, b = divisions
    found = mutual_information(a, [f"group {x}" for x in b])
    assert found.plain == pytest.approx(metrics.mutual_info_score(a, b), abs=1e-10)
    assert found.normalised == pytest.approx(metrics.normalized_mutual_info_score(a, b), abs=1e-10)
    if min(len(set(a)), len(set(b))) > 1:  # with one group scikit-learn's answer is a ratio of two roundings
        assert found.adjusted == pytest.approx(metrics.adjusted_mutual_info_score(a, b), abs=1e-7)
    again = mutual_information(b, a)
    assert (again.plain, again.adjusted) == pytest.approx((found.plain, found.adjusted), abs=1e-9)


def test_one_group_shares_nothing_with_two():
    found = mutual_information([0] * 6, [0, 0, 0, 1, 1, 1])
    assert tuple(found) == (0, 0, 0)
    assert mutual_information([0] * 6, ["a"] * 6).adjusted == 1
    assert mutual_information([0, 0, 0, 1, 1, 1], [5, 5, 5, 2, 2, 2])[1:] == (1, 1)


def test_random_divisions_share_what_was_expected():
    """The correction against the mean over shuffled labels."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 40), rng.integers(0, 5, 40)
    mean = np.mean([mutual_information(a, rng.permutation(b)).plain for _ in range(800)])
    rows, columns = (np.bincount(v) for v in (a, b))
    assert _clusters._expected(rows, columns) == pytest.approx(mean, abs=0.008)


@settings(deadline=None, max_examples=60)
@given(two_divisions)
def test_precision_and_recall_agree_with_scikit_learn(divisions):
    a, b = ([f"state {x}" for x in one] for one in divisions)
    found = precision_recall(a, b)
    expected = metrics.precision_recall_fscore_support(a, b, average="weighted", zero_division=0)
    assert found[:3] == pytest.approx(expected[:3])
    each = metrics.precision_recall_fscore_support(a, b, zero_division=0)
    assert np.allclose(np.array(found.per_class), np.array(each).T)
    assert found.recall == pytest.approx(np.mean([x == y for x, y in zip(a, b, strict=True)]))
    assert list(found.classes) == sorted(set(a) | set(b))


def plain_zone(states):
    """Frame by frame: a boundary between two states makes ambiguous whatever lies between its first and last doubt."""
    at = {s: statistics.median(i for i, x in enumerate(states) if x == s) for s in set(states)}
    order = sorted(at, key=lambda s: (at[s], s))
    marked = set()
    for k in range(len(order) - 1):
        early, late = set(order[: k + 1]), set(order[k + 1 :])
        first = next(i for i, x in enumerate(states) if x in late)
        last = max(i for i, x in enumerate(states) if x in early)
        marked |= set(range(first, last + 1))
    return [i in marked for i in range(len(states))]


@settings(deadline=None)
@given(labels)
def test_zone_is_that_of_the_plain_formula(states):
    assert ambiguous_zone(states).tolist() == plain_zone(states)
    turned = ambiguous_zone(states[::-1])[::-1].tolist()
    if len({statistics.median(i for i, x in enumerate(states) if x == s) for s in set(states)}) == len(set(states)):
        assert turned == ambiguous_zone(states).tolist()  # unless two states lie at one place


@pytest.mark.parametrize(
    ("text", "n_ambiguous"),
    [
        ("0000111122", 0),
        ("0000000000101001" + "1" * 8, 5),  # the drawing of the thesis, figure 3.6: from the first 1 to the last 0
        ("0001011100", 7),  # back to the first state: nothing after the first 1 is sure
        ("0" * 170 + "1011" + "1" * 175, 2),
        ("00112211", 4),
        ("01", 0),
    ],
)
def test_confidence_of_plain_examples(text, n_ambiguous):
    assert classification_confidence(list(text)) == pytest.approx(1 - n_ambiguous / len(text))


def test_confidence_as_published():
    """Thesis, section 4.2: 98.854 % of 349 curves are 4 ambiguous ones."""
    states = [0] * 170 + [1, 0, 1, 0] + [1] * 175
    assert len(states) == 349
    assert round(100 * classification_confidence(states), 3) == 98.854


def test_one_state_where_two_were_asked_is_no_confidence_at_all():
    assert classification_confidence(["a"] * 9) == 0
    assert classification_confidence(["a"] * 9, asked=3) == 0
    assert classification_confidence(["a"] * 9, asked=1) == 1
    assert classification_confidence(["a"] * 8 + ["b"]) == 1


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_runs_are_summed_up_as_statistics_does(values):
    mean, deviation, text, n = over_seeds(values)
    assert n == len(values)
    assert mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert deviation == pytest.approx(statistics.stdev(values), abs=1e-6)
    a, b = (float(x) for x in text.split(" ± "))
    tolerance = max(0.05 * deviation, 0.0006)
    assert abs(a - mean) <= tolerance
    assert abs(b - deviation) <= tolerance


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.996, 0.996, 0.996], "0.996 ± 0.000"), ([0.991, 0.999], "0.9950 ± 0.0057"), ([100.0, 140.0], "120 ± 28"),
        ([1200.0, 1900.0], "1550 ± 495"), ([0.5], "0.5"),
    ],
)  # fmt: skip
def test_text_has_two_digits_of_the_deviation(values, text):
    found = over_seeds(values)
    assert found.text == text
    assert math.isnan(found.deviation) == (len(values) == 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: silhouette([[0.0], [1.0]], [0, 1]), "labels must be of 2 to 1 groups, got 2"),
        (lambda: silhouette([[0.0], [1.0], [2.0]], [0, 0, 0]), "labels must be of 2 to 2 groups, got 1"),
        (lambda: silhouette([[0.0], [1.0], [2.0]], [0, 1]), "labels must be 3, one for each row of features, got 2"),
        (lambda: silhouette([0.0, 1.0], [0, 1]), "features must be numbers in 2 dimensions"),
        (lambda: silhouette([[0.0], [float("inf")], [2.0]], [0, 1, 1]), "features must be finite"),
        (lambda: mutual_information([0, 1], [0, 1, 1]), "answers must be 2, one for each truth, got 3"),
        (lambda: mutual_information([], []), "truth must be one label for each pattern"),
        (lambda: precision_recall([0, 1], [0]), "answers must be 2, one for each truth, got 1"),
        (lambda: precision_recall([0, 1], ["0", "1"]), "answers must be labels like those of truth"),
        (lambda: precision_recall([0.0, float("nan")], [0.0, 1.0]), "truth must be labels, got 1 NaN"),
        (lambda: classification_confidence([]), "states must be one label for each pattern"),
        (lambda: classification_confidence([0, 1], asked=0), "asked must be a whole number of at least 1, got 0"),
        (lambda: over_seeds([]), "values must be at least 1 numbers, got 0"),
        (lambda: over_seeds([1.0, float("nan")]), "values must be numbers, got 1 NaN"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(call, message):
    with pytest.raises(OptionError, match=r"cannot judge the answers") as caught:
        call()
    assert message in str(caught.value)


def test_labels_may_be_of_mixed_kinds():
    assert precision_recall(np.array(["a", "b"], object), ["a", "b"]).recall == 1
    assert Counter(ambiguous_zone(np.array(["x", "y", "x", "y"])).tolist()) == {False: 2, True: 2}
