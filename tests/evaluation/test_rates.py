"""Counted shares, ranks, sets and fractions against slow plain formulas and published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score
from sklearn.preprocessing import MultiLabelBinarizer

from peakwise.errors import OptionError
from peakwise.evaluation import auroc, f1_sets, mean_absolute_error, top_k_accuracy, wilson_interval


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 20), (1, 3), (28, 30), (30, 30), (137, 140), (5000, 10_000)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_wilson_agrees_with_scipy(k, n, confidence):
    other = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert wilson_interval(k, n, confidence) == pytest.approx((other.low, other.high), abs=1e-12)


def test_wilson_as_published():
    """R. G. Newcombe, Stat. Med. 17 (1998) 857, table I, method 3."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (k, n), limits in published.items():
        assert wilson_interval(k, n) == pytest.approx(limits, abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_limits_solve_their_equation(kn):
    """Both limits p0 are as far from k/n as z standard errors of p0 itself."""
    k, n = kn
    z = stats.norm.ppf(0.975)
    low, high = wilson_interval(k, n)
    assert 0 <= low <= k / n <= high <= 1
    for p0 in (low, high):
        assert math.isclose((k / n - p0) ** 2, z * z * p0 * (1 - p0) / n, rel_tol=1e-7, abs_tol=1e-12)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("n", [30, 200])
def test_wilson_covers_what_it_says(p, n):
    """Exact coverage, summed over all counts: close to 95 % (it oscillates with n; A. Agresti and B. A. Coull 1998)."""
    chance = stats.binom(n, p)
    covered = sum(chance.pmf(k) for k in range(n + 1) if wilson_interval(k, n)[0] <= p <= wilson_interval(k, n)[1])
    assert covered == pytest.approx(0.95, abs=0.035)


def test_of_nothing_nothing_is_known():
    assert wilson_interval(0, 0) == (0, 1)


@settings(deadline=None)
@given(st.lists(st.integers(1, 12) | st.just(math.inf), min_size=1), st.integers(1, 12))
def test_top_k_counts(ranks, k):
    assert top_k_accuracy(ranks, k) == pytest.approx(len([r for r in ranks if r <= k]) / len(ranks))


SCORES = st.lists(st.integers(-5, 5) | st.sampled_from([math.inf, -math.inf, 0.5]), min_size=1, max_size=30)


@settings(deadline=None)
@given(SCORES, SCORES)
def test_auroc_compares_each_with_each(high, low):
    pairs = [(x > y) + 0.5 * (x == y) for x in high for y in low]
    assert auroc(high, low) == pytest.approx(sum(pairs) / len(pairs))
    assert auroc(low, high) == pytest.approx(1 - auroc(high, low))


def test_auroc_agrees_with_sklearn():
    random = np.random.default_rng(1)
    high, low = random.normal(1, 1, 300).round(1), random.normal(0, 2, 500).round(1)
    other = roc_auc_score(np.r_[np.ones(300), np.zeros(500)], np.r_[high, low])
    assert auroc(high, low) == pytest.approx(other, abs=1e-12)


SETS = st.lists(st.tuples(st.sets(st.sampled_from("abcde")), st.sets(st.sampled_from("abcde"))), min_size=1, max_size=8)


@settings(deadline=None)
@given(SETS)
def test_f1_agrees_with_sklearn(pairs):
    truth, answers = zip(*pairs, strict=True)
    scores = f1_sets(truth, answers)
    binary = MultiLabelBinarizer(classes=list("abcde")).fit([])
    if any(truth) and any(answers):
        other = precision_recall_fscore_support(
            binary.transform(truth), binary.transform(answers), average="micro", zero_division=0
        )
        assert scores[:3] == pytest.approx(other[:3])
    assert scores.found + scores.missed == sum(map(len, truth))
    assert scores.found + scores.extra == sum(map(len, answers))


def test_f1_where_there_is_nothing():
    assert f1_sets([[], []], [[], []])[:3] == (1, 1, 1)
    assert f1_sets([["a"]], [[]])[:3] == (0, 0, 0)
    assert f1_sets([[]], [["a"]])[:3] == (0, 0, 0)
    assert f1_sets([], [])[:3] == (1, 1, 1)
    assert f1_sets([["a", "a"]], [("a",)])[:3] == (1, 1, 1)


FRACTIONS = st.lists(st.tuples(*[st.dictionaries(st.sampled_from("abc"), st.floats(0, 1))] * 2), min_size=1, max_size=6)


@settings(deadline=None)
@given(FRACTIONS)
def test_fractions_against_arrays(pairs):
    truth, answers = zip(*pairs, strict=True)
    table = np.array([[[d.get(p, np.nan) for p in "abc"] for d in side] for side in (truth, answers)])
    there = ~np.isnan(table)
    difference = np.abs(np.nan_to_num(table[0]) - np.nan_to_num(table[1]))
    if there[0].any():
        assert mean_absolute_error(truth, answers) == pytest.approx(difference[there[0]].mean())
    if there.any():
        either = there.any(axis=0)
        assert mean_absolute_error(truth, answers, count_extra=True) == pytest.approx(difference[either].mean())


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: wilson_interval(3, 2), "k must be a whole number of at least 0 and at most 2, got 3. Count again"),
        (lambda: wilson_interval(-1, 2), "k must be a whole number"),
        (lambda: wilson_interval(0.5, 2), "k must be a whole number"),
        (lambda: wilson_interval(True, 2), "k must be a whole number"),
        (lambda: wilson_interval(1, -2), "n must be a whole number of at least 0, got -2"),
        (lambda: wilson_interval(1, 2, 95), "confidence must be a number above 0 and below 1, got 95"),
        (lambda: top_k_accuracy([]), "ranks must be at least 1 numbers, got 0"),
        (lambda: top_k_accuracy([0, 1]), "ranks must be 1 for the best candidate, 2 for the next, got 0. Count from 1"),
        (lambda: top_k_accuracy([1], 0), "k must be a whole number of at least 1, got 0"),
        (lambda: top_k_accuracy([[1]]), r"ranks must be numbers in 1 dimensions, got the shape \(1, 1\)"),
        (lambda: auroc([], [1]), "high must be at least 1 numbers"),
        (lambda: auroc([1], [math.nan]), "low must be numbers, got 1 NaN. Leave out what has no value"),
        (lambda: auroc(["a"], [1]), "high must be numbers, got something else"),
        (lambda: f1_sets([{"a"}], []), r"answers must be as many as the truth \(1\), got 0"),
        (lambda: f1_sets(["rutile"], [{"rutile"}]), "truth must be a set of labels for each scan, got a str"),
        (lambda: f1_sets([{"a"}], [None]), "answers must be a set of labels for each scan, got a NoneType"),
        (lambda: mean_absolute_error([{}], [{}]), "truth must be fractions of at least one phase, got none"),
        (lambda: mean_absolute_error([0.5], [{}]), "truth must be a dict {phase: fraction} for each scan, got a float"),
        (lambda: mean_absolute_error([{"a": 1}], [{"a": math.inf}]), "answers must be finite"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_meant(call, why):
    with pytest.raises(OptionError, match=why):
        call()
