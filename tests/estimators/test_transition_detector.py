"""Where did a series change, as a scikit-learn estimator."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators import METHODS, PatternClusterer, TransitionDetector, load
from peakwise.estimators._transitions import cuts_of, sticky
from peakwise.patterns import Patterns
from series_of_lines import AXIS, make

UNLABELLED = ("breaks", "segments", "spectral", "kmeans", "agglomerative")


def step(n, at):
    return (np.arange(n) > at).astype(float)


def labels(n, *known):
    made = [None] * n
    for at, label in known:
        made[at] = label
    return made


@pytest.mark.parametrize("kind", [TransitionDetector, PatternClusterer])
def test_scikit_learn_agrees(kind):
    results = check_estimator(kind(), on_fail="raise", on_skip=None)
    assert all(r["status"] in ("passed", "skipped") for r in results)


@pytest.mark.parametrize("method", UNLABELLED)
def test_every_way_without_labels_finds_a_clear_step(method):
    detector = TransitionDetector(method=method).fit(make(step(40, 17)))
    assert [b.after for b in detector.boundaries_] == [17]
    assert detector.n_states_ == 2
    assert detector.transitions_.method == method


@pytest.mark.parametrize("method", UNLABELLED)
def test_no_way_without_labels_invents_one(method):
    detector = TransitionDetector(method=method).fit(make(np.zeros(40), strains=np.linspace(0, 0.01, 40)))
    assert detector.boundaries_ == ()
    assert detector.n_states_ == 1


def test_labels_name_the_states_and_a_few_are_enough():
    y = labels(40, (2, "cubic"), (5, "cubic"), (30, "tetragonal"), (37, "tetragonal"))
    detector = TransitionDetector().fit(make(step(40, 17)), y)
    assert detector.transitions_.method == "guided"
    assert detector.state_names_ == ["cubic", "tetragonal"]
    assert [b.after for b in detector.boundaries_] == [17]
    assert detector.predict(make([0.0, 1.0], seed=9)).tolist() == ["cubic", "tetragonal"]


def test_lines_that_only_move_do_not_mislead_the_labels():
    """Two labels near the ends, a strain of 3 %: the linear model tells the strain, not the change."""
    series = make(step(60, 20), strains=np.linspace(0, 0.03, 60))
    y = labels(60, (1, "a"), (58, "b"))
    guided, linear = (TransitionDetector(method=m).fit(series, y) for m in ("guided", "linear"))
    assert [b.after for b in guided.boundaries_] == [20]
    assert [b.after for b in linear.boundaries_] != [20]
    low, high = guided.boundaries_[0].interval
    assert low <= 20.5 <= high
    assert "lie beyond the labels" in guided.transitions_.warnings[0]


def test_labels_without_an_order_are_told_one_by_one():
    order = np.random.default_rng(3).permutation(40)
    share = step(40, 17)
    y = [None if i % 2 else f"state {int(share[k])}" for i, k in enumerate(order)]
    detector = TransitionDetector().fit(make(share[order]), y)
    assert detector.transitions_.method == "linear"
    assert "each pattern is told by itself" in detector.transitions_.warnings[0]
    assert detector.predict(make(share)).tolist() == [f"state {int(v)}" for v in share]


def test_patterns_that_arrive_are_told_by_the_labels_so_far():
    series = make(step(60, 29))
    detector = TransitionDetector().fit(series[:45], labels(45, (2, "a"), (40, "b")))
    detector.update(series[45:])
    assert [b.after for b in detector.boundaries_] == [29]
    assert detector.state_names_ == ["a", "b"]
    assert len(detector.states_) == 60


def test_one_label_alone_cannot_tell_states_apart():
    detector = TransitionDetector().fit(make(step(40, 17)), labels(40, (2, "cubic")))
    assert "cannot tell states apart" in detector.transitions_.warnings[0]
    assert [b.after for b in detector.boundaries_] == [17]


def test_networks_learn_from_labels():
    y = labels(40, *((i, "a") for i in range(0, 12, 2)), *((i, "b") for i in range(25, 40, 2)))
    series = make(step(40, 17))
    detector = TransitionDetector(method="network", network="fcnn", epochs=25, threads=1).fit(series, y)
    assert [abs(b.after - 17) <= 1 for b in detector.boundaries_] == [True]
    assert (detector.predict(series) == detector.predict(series)).all()


def test_networks_that_read_sequences_do_too(tmp_path):
    y = labels(40, *((i, "a") for i in range(14)), *((i, "b") for i in range(22, 40)))
    series = make(step(40, 17))
    detector = TransitionDetector(method="network", network="transformer", epochs=20, threads=1).fit(series, y)
    assert [abs(b.after - 17) <= 2 for b in detector.boundaries_] == [True]
    detector.save(tmp_path / "m.pw")
    np.testing.assert_allclose(load(tmp_path / "m.pw").predict_proba(series), detector.predict_proba(series), atol=1e-6)


@pytest.mark.parametrize("method", ["spec_rr_moco", "self_time", "supervised_contrastive"])
def test_features_without_labels_and_a_head_with_few(method, tmp_path):
    y = labels(40, (1, 0), (6, 0), (11, 0), (27, 1), (31, 1), (38, 1))
    series = make(step(40, 17))
    detector = TransitionDetector(method=method, network="fcnn", epochs=6, threads=1).fit(series, y)
    assert [abs(b.after - 17) <= 2 for b in detector.boundaries_] == [True]
    detector.save(tmp_path / "m.pw")
    np.testing.assert_allclose(load(tmp_path / "m.pw").predict_proba(series), detector.predict_proba(series), atol=1e-6)


def test_features_without_any_label_are_grouped():
    detector = TransitionDetector(method="spec_rr", network="fcnn", epochs=4, threads=1).fit(make(step(40, 17)))
    assert [abs(b.after - 17) <= 1 for b in detector.boundaries_] == [True]


@pytest.mark.parametrize("y", [None, [None] * 3 + ["a"] * 14 + ["b"] * 20 + [""] * 3])
def test_what_is_saved_answers_the_same(tmp_path, y):
    series = make(step(40, 17))
    detector = TransitionDetector().fit(series, y)
    detector.save(tmp_path / "m.pw")
    loaded = load(tmp_path / "m.pw")
    np.testing.assert_allclose(loaded.predict_proba(series), detector.predict_proba(series))
    assert (loaded.predict(series) == detector.predict(series)).all()
    with pytest.raises(OptionError, match="cannot continue the series"):
        loaded.update(series)


def test_patterns_that_arrive_change_the_answer():
    series = make(step(60, 29))
    detector = TransitionDetector().fit(series[:25])
    assert detector.boundaries_ == ()
    said = [len(detector.update(series[i : i + 5]).boundaries) for i in range(25, 60, 5)]
    assert said[0] == 0
    assert said[-1] == 1
    assert detector.boundaries_[0].after == 29
    assert len(detector.states_) == 60


def test_patterns_that_arrive_bring_their_values():
    series = make(step(60, 29))
    known = Patterns(AXIS, series.intensity, "q", meta={"temperature": 100.0 + 5 * np.arange(60)})
    detector = TransitionDetector(variable="temperature").fit(known[:25])
    detector.update(known[25:])
    assert detector.boundaries_[0].value == pytest.approx(247.5)
    detector.update(series[:3])
    assert "3 patterns have no value of the variable" in detector.transitions_.warnings


def test_values_of_what_was_varied():
    series = make(step(40, 17))
    temperature = 100.0 + 5 * np.arange(40)
    known = Patterns(AXIS, series.intensity, "q", meta={"temperature": temperature})
    (boundary,) = TransitionDetector(variable="temperature").fit(known).boundaries_
    assert boundary.value == pytest.approx(187.5)
    assert boundary.value_interval[0] <= 187.5 <= boundary.value_interval[1]
    with pytest.raises(PatternsError, match="the patterns have no 'pressure'; they have temperature"):
        TransitionDetector(variable="pressure").fit(known)


def test_a_gap_in_the_variable_is_told():
    series = make(step(40, 17))
    temperature = 100.0 + 5 * np.arange(40) + 200 * (np.arange(40) > 17)
    known = Patterns(AXIS, series.intensity, "q", meta={"temperature": temperature})
    detector = TransitionDetector(variable="temperature").fit(known)
    assert any("gap of 205" in said for said in detector.transitions_.warnings)


def test_shuffled_in_time_is_told():
    series = make(step(40, 17))
    mixed = np.random.default_rng(0).permutation(40)
    detector = TransitionDetector().fit(Patterns(AXIS, series.intensity[mixed], "q"))
    assert detector.boundaries_ == ()
    assert any("is their order right?" in said for said in detector.transitions_.warnings)


def test_several_states_asked_for_and_one_found_is_no_confidence():
    row = make([0.0]).intensity
    detector = TransitionDetector(states=2).fit(Patterns(AXIS, np.repeat(row, 20, axis=0), "q"))
    assert "nothing to tell states by" in detector.transitions_.warnings[0]
    assert detector.n_states_ == 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"states": 0}, "states must be 'auto' or a whole number"),
        ({"states": 99}, "states must be at most the number of patterns, 12"),
        ({"method": "magic"}, "method must be one of auto, breaks"),
        ({"false_alarm": 1.5}, "false_alarm must be a number between 0 and 1"),
        ({"minutes": 0}, "minutes must be a finite number above 0"),
        ({"random_state": -1}, "random_state must be a whole number"),
    ],
)
def test_bad_options(options, why):
    with pytest.raises(OptionError, match=why):
        TransitionDetector(**options).fit(make(np.zeros(12)))


def test_labels_and_methods_must_go_together():
    series, y = make(step(12, 5)), labels(12, (1, "a"), (9, "b"))
    with pytest.raises(PatternsError, match="learns from no labels"):
        TransitionDetector(method="spectral").fit(series, y)
    with pytest.raises(PatternsError, match="needs labels of at least two states"):
        TransitionDetector(method="linear").fit(series)
    with pytest.raises(PatternsError, match="a label or none for each of 12"):
        TransitionDetector().fit(series, ["a", "b"])
    with pytest.raises(OptionError, match="reads sequences"):
        TransitionDetector(method="spec_rr", network="lstm").fit(series, y)


def test_every_method_is_told():
    assert all(METHODS.values())
    assert clone(TransitionDetector(method="kmeans")).method == "kmeans"


def test_a_sticky_chain_is_the_sum_over_all_paths():
    """Against all 2^6 paths one by one."""
    alone = np.random.default_rng(0).dirichlet([1, 1], size=6)
    total = np.zeros((6, 2))
    for code in range(2**6):
        path = [(code >> i) & 1 for i in range(6)]
        weight = np.prod([alone[i, s] for i, s in enumerate(path)])
        weight *= np.prod([0.98 if a == b else 0.02 for a, b in pairwise(path)])
        for i, s in enumerate(path):
            total[i, s] += weight
    np.testing.assert_allclose(sticky(alone), total / total.sum(axis=1, keepdims=True), rtol=1e-4)


def test_cuts_have_the_width_of_the_doubt():
    p = np.array([1, 1, 0.99, 0.7, 0.45, 0.2, 0.03, 0, 0])
    (cut,) = cuts_of(np.column_stack([p, 1 - p]))
    assert cut.after == 3
    assert cut.interval == (2, 6)


@pytest.mark.parametrize("method", ["spectral", "kmeans", "agglomerative"])
def test_groups_without_an_order(method, tmp_path):
    rng = np.random.default_rng(2)
    truth = rng.permutation(np.repeat([0.0, 1.0], 25))
    series = make(truth)
    model = PatternClusterer(method=method).fit(series)
    assert model.n_clusters_ == 2
    assert (model.labels_ == (truth != truth[0])).all()
    assert model.silhouette_ > 0.5
    model.save(tmp_path / "c.pw")
    assert (load(tmp_path / "c.pw").predict(series) == model.labels_).all()


def test_one_cloud_is_one_group():
    model = PatternClusterer().fit(make(np.zeros(50)))
    assert model.n_clusters_ == 1
    assert model.silhouette_ == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"n_clusters": 0}, "n_clusters must be 'auto' or a whole number"),
        ({"n_clusters": 50}, "n_clusters must be at most the number of patterns"),
        ({"method": "x"}, "method must be one of spectral"),
        ({"explained": 1.5}, "explained must be a share below 1 or a whole number"),
    ],
)
def test_bad_options_of_groups(options, why):
    with pytest.raises(OptionError, match=why):
        PatternClusterer(**options).fit(make(np.zeros(6)))
