"""NoveltyDetector: what is new is found, what only looks new is explained, and the rate of false alarms is kept."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d
from sklearn.utils.estimator_checks import check_estimator

from peakwise.errors import GridError, ModelFileError, OptionError, PatternsError
from peakwise.estimators import NoveltyDetector, load
from peakwise.estimators._network_scores import NETWORK_METHODS
from peakwise.evaluation import auroc
from peakwise.modelfiles import read_model, write_model
from peakwise.novelty import SCORES
from peakwise.patterns import Patterns

X = np.linspace(10, 60, 800)
A, B, C = (20, 30, 44), (24, 36.5, 52), (27, 41, 48)


def lines(*places, at=X):
    return sum(np.exp(-(((at - p) / 0.25) ** 2)) for p in places)


def counts(rng, *places, scale=2000.0, shift=0.0, extra=0.0):
    return rng.poisson(scale * (lines(*places, at=X - shift) + 0.05) + extra).astype(float)


def patterns(rows, **options):
    return Patterns(X, np.array(rows), "two_theta", wavelength="CuKa1", **options)


@pytest.fixture(scope="module")
def detector():
    rng = np.random.default_rng(0)
    rows = [counts(rng, *places, scale=rng.uniform(1000, 3000)) for places in (A, B) for _ in range(60)]
    return NoveltyDetector().fit(patterns(rows, meta={"phases": ["alpha"] * 60 + ["beta"] * 60}))


def test_it_is_an_estimator_of_scikit_learn():
    results = check_estimator(NoveltyDetector(), on_fail="raise", on_skip=None)
    assert {r["status"] for r in results} <= {"passed", "skipped", "xfail"}


def test_a_new_pattern_is_found_with_its_peaks(detector):
    rng = np.random.default_rng(1)
    answer = detector.answers(patterns([counts(rng, *A, 33.0)]))[0]
    assert answer.novel
    assert answer.nearest == "alpha"
    assert answer.p_value < 0.01
    assert answer.unexplained[0]["axis"] == pytest.approx(33.0, abs=0.1)
    assert answer.unexplained[0]["d"] == pytest.approx(1.540593 / 2 / np.sin(np.radians(16.5)), abs=0.01)
    assert any("peaks that alpha does not have" in text for text in answer.why)
    assert {"score", "p_value", "novel", "nearest", "why"} <= set(answer.to_dict())


def test_known_ones_are_rarely_called_new(detector):
    rng = np.random.default_rng(2)
    rows = [counts(rng, *places, scale=rng.uniform(1000, 3000)) for places in (A, B) for _ in range(100)]
    new = detector.predict(patterns(rows))
    assert new.dtype == bool
    assert new.mean() <= 0.03
    assert (detector.p_values(patterns(rows)) > 0.01).mean() >= 0.97


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (lambda rng: counts(rng, *A, shift=0.1), "zero shift"),
        (lambda rng: rng.poisson(2000 * (0.5 * lines(*A) + 0.5 * lines(*B) + 0.05)).astype(float), "mixture"),
        (lambda rng: counts(rng, *A, scale=60.0), "noise"),
    ],
)
def test_what_only_looks_new_is_explained(detector, row, kind):
    scan = patterns([row(np.random.default_rng(3))])
    answer = detector.answers(scan)[0]
    assert not answer.novel
    assert answer.explained_by == kind, answer
    assert len(answer.why) == 1
    if kind == "mixture":
        assert dict(answer.mixture) == pytest.approx({"alpha": 0.5, "beta": 0.5}, abs=0.05)
    assert detector.predict(scan).tolist() == [False]
    assert detector.scores(scan)[0] == answer.score <= detector.threshold_


def test_noise_alone_and_empty_scans_are_new_and_told(detector):
    rng = np.random.default_rng(4)
    noise, empty = detector.answers(patterns([rng.normal(0, 1, X.size), np.zeros(X.size)]))
    assert noise.novel
    assert "mostly noise" in noise.why[0]
    assert empty.novel
    assert empty.why == ("the scan is empty: all intensities are 0",)


def test_a_model_file_answers_the_same(detector, tmp_path):
    detector.save(tmp_path / "n.pw")
    again = load(tmp_path / "n.pw")
    rng = np.random.default_rng(5)
    scans = patterns([counts(rng, *A), counts(rng, *C), counts(rng, *B, shift=0.1)])
    assert again.scores(scans).tolist() == detector.scores(scans).tolist()
    assert [a.to_dict() for a in again.answers(scans)] == [a.to_dict() for a in detector.answers(scans)]


@pytest.mark.parametrize("broken", ["names", "cross", "known"])
def test_a_model_file_whose_parts_do_not_fit_is_refused(detector, tmp_path, broken):
    detector.save(tmp_path / "n.pw")
    model = read_model(tmp_path / "n.pw")
    recipe, arrays = dict(model.recipe), dict(model.arrays)
    recipe = {k: v for k, v in recipe.items() if k not in ("format", "peakwise")}
    if broken == "names":
        recipe["learned"] = {**recipe["learned"], "names": ["a"]}
    elif broken == "cross":
        arrays["cross"] = arrays["cross"][:, :1]
    else:
        arrays["known"] = np.array(arrays["known"]) * np.nan
    write_model(tmp_path / "b.pw", recipe, arrays)
    with pytest.raises(ModelFileError):
        load(tmp_path / "b.pw")


@pytest.mark.parametrize("method", SCORES)
def test_each_score_alone(method):
    rng = np.random.default_rng(6)
    made = NoveltyDetector(method=method, false_alarm=0.05).fit(patterns([counts(rng, *A) for _ in range(40)]))
    scans = patterns([counts(rng, *C), counts(rng, *A)])
    scores = made.scores(scans)
    assert scores[0] > scores[1]
    if method != "forest":  # which hardly parts patterns of hundreds of points, and is there to be compared with
        assert made.predict(scans).tolist() == [True, False]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"false_alarm": 0}, "false_alarm"), ({"false_alarm": 0.9}, "false_alarm"), ({"method": "magic"}, "nearest"),
     ({"random_state": -1}, "random_state")],
)  # fmt: skip
def test_bad_options_are_one_sentence(options, said):
    with pytest.raises(OptionError, match=said):
        NoveltyDetector(**options).fit(np.ones((20, 9)) + np.eye(20, 9))


def test_too_few_known_scans_are_refused_and_few_are_warned_about():
    rng = np.random.default_rng(7)
    with pytest.raises(PatternsError, match="at least 3 known scans"):
        NoveltyDetector().fit(patterns([counts(rng, *A)]))
    with pytest.raises(PatternsError, match="empty"):
        NoveltyDetector().fit(np.zeros((20, 9)))
    few = NoveltyDetector().fit(patterns([counts(rng, *A) for _ in range(5)]))
    assert any("only 5 known scans" in text for text in few.warnings_)
    assert any("0.17" in text for text in few.warnings_)


def test_another_grid_and_nan_are_refused(detector):
    with pytest.raises(GridError, match="Resample"):
        detector.predict(Patterns(X[:400], np.ones((1, 400)), "two_theta", wavelength="CuKa1"))
    with pytest.raises(PatternsError, match="NaN"):
        detector.predict(patterns([np.full(X.size, np.nan)]))


@pytest.fixture
def short_training(monkeypatch):
    monkeypatch.setattr("peakwise.estimators._network_scores._STEPS", (150, 150))


@pytest.mark.parametrize("method", ["reconstruction", "networks"])
def test_networks_tell_what_is_new_and_a_file_repeats_them(tmp_path, method, short_training):
    rng = np.random.default_rng(3)
    known = [counts(rng, *places, scale=rng.uniform(1000, 3000)) for places in (A, B) for _ in range(160)]
    detector = NoveltyDetector(0.05, method).fit(patterns(known))
    assert detector.known_scores_.shape == (107,)  # a third of 320
    usual = patterns([counts(rng, *places) for places in (A, B) for _ in range(30)])
    new = patterns([counts(rng, *C) for _ in range(20)])
    assert detector.predict(usual).mean() <= 0.15
    assert auroc(detector.scores(new), detector.scores(usual)) > 0.85
    detector.save(tmp_path / "n.pw")
    np.testing.assert_allclose(load(tmp_path / "n.pw").scores(new), detector.scores(new), rtol=1e-6)
    assert set(detector.answers(new)[0].scores) == set(NETWORK_METHODS[method])


def test_few_scans_are_left_out_of_the_networks_in_turn(tmp_path, short_training):
    rng = np.random.default_rng(4)
    detector = NoveltyDetector(0.05, "reconstruction").fit(patterns([counts(rng, *A) for _ in range(24)]))
    assert detector.known_scores_.shape == (24,)
    assert detector.predict(patterns([counts(rng, *C)])).tolist() == [True]
    detector.save(tmp_path / "n.pw")
    stored = read_model(tmp_path / "n.pw")
    arrays = {**stored.arrays, "places": stored.arrays["places"][:, :3]}
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", recipe, arrays)
    with pytest.raises(ModelFileError, match="its parts do not make a novelty_detector"):
        load(tmp_path / "bad.pw")


def test_networks_learn_from_patterns_simulated_meanwhile(tmp_path, short_training):
    """The threshold holds for fresh patterns of the phases; another phase is new; its map names the phases."""
    from peakwise.crystal import TEXTBOOK
    from peakwise.simulate import Ranges, Simulator

    grid, names = (20, 80, 401), ("Si", "MgO")
    clean = Ranges.none(expansion=(-0.005, 0.005), march=(0.7, 1.3), size=(20, 100), counts=(3000, 30_000))
    simulator = Simulator([TEXTBOOK[n] for n in names], grid, radiation="CuKa", ranges=clean, random_state=1)
    detector = NoveltyDetector(0.05, "reconstruction", threads=1).fit(simulator)
    assert detector.known_scores_.shape == (1000,)
    fresh = Simulator([TEXTBOOK[n] for n in names], grid, radiation="CuKa", ranges=clean, random_state=2).draw(100)
    assert detector.predict(fresh).mean() <= 0.12
    other = Simulator(TEXTBOOK["CuS"], grid, radiation="CuKa", ranges=clean, random_state=3).draw(10)
    assert auroc(detector.scores(other), detector.scores(fresh)) > 0.95
    assert detector.plane_.labels.tolist() == ["MgO", "Si"]
    labels = detector.plane_.grid()[2]
    assert set(np.unique(labels)) == {0, 1}
    back, errors = detector.plane_.back(fresh.intensity)
    # What the network sees: square roots of what stands out of the background, the largest 1.
    root, made = np.sqrt(fresh.intensity.astype(float)), np.sqrt(back)
    smooth = uniform_filter1d(root, 401 // 24, axis=1)
    above = root - smooth
    top = above.max(axis=1, keepdims=True)
    off = (made - smooth - np.minimum(above, 0)) / top - np.maximum(above, 0) / top
    np.testing.assert_allclose((off**2).mean(axis=1), errors, rtol=1e-3)
    detector.save(tmp_path / "n.pw")
    again = load(tmp_path / "n.pw")
    np.testing.assert_allclose(again.scores(other), detector.scores(other), rtol=1e-6)
    np.testing.assert_array_equal(again.plane_.grid()[2], labels)
    np.testing.assert_allclose(again.known_errors(), detector.known_errors(), rtol=1e-5)


def test_a_pattern_that_does_not_go_with_its_condition_is_new(tmp_path, short_training):
    rng = np.random.default_rng(3)
    share = np.repeat([0.2, 0.8], 160)
    rows = [counts(rng, *(A if s < 0.5 else B)) for s in share]
    detector = NoveltyDetector(0.05, "reconstruction", condition=["Co"], threads=1)
    detector.fit(patterns(rows, meta={"Co": share}), ["low" if s < 0.5 else "high" for s in share])
    right, wrong = (patterns([counts(rng, *A) for _ in range(20)], meta={"Co": np.full(20, c)}) for c in (0.2, 0.8))
    assert auroc(detector.scores(wrong), detector.scores(right)) > 0.9
    assert detector.answers(right)[0].nearest == "low"
    assert detector.plane_.labels.tolist() == ["high", "low"]
    detector.save(tmp_path / "n.pw")
    np.testing.assert_allclose(load(tmp_path / "n.pw").scores(wrong), detector.scores(wrong), rtol=1e-6)
    with pytest.raises(PatternsError, match="the condition 'Co' is no column of meta"):
        detector.predict(patterns(rows[:1]))
    with pytest.warns(UserWarning, match="1 of 1 patterns have a condition that was never learned"):
        detector.answers(patterns(rows[:1], meta={"Co": [3.0]}))
    with pytest.raises(OptionError, match="condition must be None where no network makes the patterns again"):
        NoveltyDetector(condition=["Co"]).fit(patterns(rows))


def test_names_that_contradict_the_scans_are_told():
    rng = np.random.default_rng(8)
    rows = [counts(rng, *places) for places in (A, A, B) for _ in range(20)]
    labels = np.repeat(["alpha", "also alpha", "beta"], 20)
    said = NoveltyDetector(0.1).fit(patterns(rows), labels).warnings_
    assert said == ["the known scans contradict each other: alpha and also alpha have the same patterns"]
    assert not NoveltyDetector(0.1).fit(patterns(rows), np.repeat(["alpha", "alpha", "beta"], 20)).warnings_
    with pytest.raises(PatternsError, match="y must hold a label for each of 60 patterns"):
        NoveltyDetector(0.1).fit(patterns(rows), ["alpha"])
