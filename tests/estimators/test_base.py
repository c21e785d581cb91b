"""The face that all estimators share, on a small one of the test's own and on the members of the table."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import ClassifierMixin, clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import peakwise as pw
from peakwise.errors import GridError, ModelFileError, OptionError
from peakwise.estimators import ESTIMATORS, Estimator, NearestNeighbours, load
from peakwise.modelfiles import read_model, write_model
from peakwise.preprocessing import ConvertAxis, Normalise, Resample


class Brightest(Estimator):
    """Answers with the position of the highest point; needs no labels."""

    task: ClassVar[str] = "regress"
    accepts = "kind"

    def __init__(self, offset=0.0):
        self.offset = offset

    def _fit(self, patterns, y):
        self.seen_ = len(patterns), y

    def _predict(self, patterns):
        return patterns.axis[patterns.intensity.argmax(axis=1)] + self.offset

    def _to_recipe(self):
        return {}, {}

    @classmethod
    def _from_recipe(cls, options, recipe, arrays):
        return cls(**options)


CLASSICAL = [
    "cosine_matcher", "naive_bayes", "nearest_neighbours", "logistic_regression", "random_forest", "support_vectors",
]  # fmt: skip
AXIS = np.linspace(20, 60, 81)


def peaks(*positions, axis=AXIS):
    return np.array([100 * np.exp(-(((axis - p) / 1.0) ** 2)) for p in positions])


def scans(*positions, wavelength="CuKa1", axis=AXIS):
    return pw.Patterns(axis, peaks(*positions, axis=axis), wavelength=wavelength)


def test_an_estimator_of_another_kind_needs_only_its_idea():
    model = Brightest(1.0).fit(scans(30, 40))
    assert model.seen_ == (2, None)
    assert model.predict(scans(50)).tolist() == [51]
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "scores")
    assert not hasattr(model, "classes_")
    assert model.n_features_in_ == 81
    np.testing.assert_array_equal(model.grid_, AXIS)
    assert (model.kind_, model.wavelength_) == ("two_theta", pytest.approx(1.54059, abs=1e-5))


def test_kinds_of_input_give_one_answer():
    patterns, y = scans(30, 31, 50, 51), ["a", "a", "b", "b"]
    data = patterns.to_xarray()
    model = NearestNeighbours(1).fit(patterns, y)
    for given in (patterns, data, data["intensity"]):
        assert NearestNeighbours(1).fit(given, y).predict(given).tolist() == y
    plain = NearestNeighbours(1).fit(patterns.intensity, y)
    assert plain.kind_ == "channel"
    np.testing.assert_allclose(plain.predict_proba(patterns.intensity), model.predict_proba(patterns))


@pytest.mark.parametrize(
    ("given", "seen", "step"),
    [
        (scans(30).to_axis("q"), "81 points of q from 1.4", r"Put ConvertAxis\('two_theta'\) and Resample before it"),
        (scans(30, wavelength="MoKa1"), "at 0.70931", r"wavelength=1.54059\) and Resample"),
        (scans(30)[:].crop(30, 60), "from 30 to 60", r"Put Resample\(\(20, 60, 81\)\) before it"),
        (pw.Patterns(np.arange(81), peaks(30), "channel"), "81 points of channel", "ConvertAxis"),
    ],
)
def test_another_grid_is_refused_with_the_step_that_converts(given, seen, step):
    model = NearestNeighbours(1).fit(scans(30, 50), ["a", "b"])
    with pytest.raises(GridError, match="cannot predict with NearestNeighbours: it was fitted on 81 points") as caught:
        model.predict(given)
    assert seen in caught.value.why
    with pytest.raises(GridError, match=step):
        model.scores(given)


def test_the_step_that_is_named_converts():
    library, y = scans(30, 50), ["a", "b"]
    fine = scans(50, axis=np.linspace(15, 65, 2001))
    other = scans(50, axis=np.linspace(15, 65, 501)).to_axis("two_theta", wavelength="CoKa1")
    for given in (fine, other):
        steps = make_pipeline(
            ConvertAxis("two_theta", wavelength=library.wavelength), Resample((20, 60, 81)), Normalise()
        )
        assert NearestNeighbours(1).fit(library, y).predict(steps.fit_transform(given)).tolist() == ["b"]


def test_kalpha_and_kalpha1_are_one_wavelength():
    model = NearestNeighbours(1).fit(scans(30, 50), ["a", "b"])
    assert model.predict(scans(50, wavelength="CuKa")).tolist() == ["b"]


def test_an_estimator_may_accept_other_grids():
    model = Brightest().fit(scans(30))
    assert model.predict(scans(50).crop(40, 60)).tolist() == [50]
    with pytest.raises(GridError, match="ConvertAxis"):
        model.predict(scans(50).to_axis("d"))


@pytest.mark.parametrize(
    ("X", "y", "problem"),
    [
        ([[1.0, 2.0], [3.0, 4.0]], None, "requires y to be passed"),
        ([[1.0, 2.0], [3.0, 4.0]], ["a", "a"], "at least two classes, got 1 class"),
        ([[1.0, 2.0], [3.0, 4.0]], [0.5, 1.5], "Unknown label type: continuous"),
        ([[1.0, 2.0], [3.0, 4.0]], ["a"], "inconsistent numbers of samples"),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, np.inf], "y contains infinity"),
        ([[1.0, np.nan], [3.0, 4.0]], ["a", "b"], "1 of 4 intensities are NaN"),
        ([1.0, 2.0], ["a", "b"], "Expected 2D array, got 1D"),
    ],
)
def test_bad_input_is_one_sentence(X, y, problem):
    with pytest.raises(ValueError, match=problem):
        NearestNeighbours().fit(X, y)
    if np.ndim(X) == 2:
        axis = np.arange(np.shape(X)[1])
        with pytest.raises(ValueError, match=problem):
            NearestNeighbours().fit(pw.Patterns(axis, X, "channel"), y)


def test_one_pattern_a_label_is_no_regression():
    """scikit-learn warns that so many labels may be a regression; here a calculated pattern a phase is usual."""
    positions = np.linspace(22, 58, 25)
    for name in CLASSICAL:
        assert ESTIMATORS[name]().fit(scans(*positions), np.arange(25)).classes_.size == 25


def test_nothing_is_answered_before_fit(tmp_path):
    for ask in (lambda m: m.predict(scans(30)), lambda m: m.scores(scans(30)), lambda m: m.save(tmp_path / "a.pw")):
        with pytest.raises(NotFittedError):
            ask(NearestNeighbours())


@pytest.mark.parametrize(
    "labels",
    [["b", "a", "b", "c"], [3, 1, 3, 7], [True, False, True, True], [2.0, 1.0, 2.0, 5.0],
     np.array(["b", "a", "b", "ü"], dtype=object)],
    ids=["texts", "numbers", "truths", "floats", "objects"],
)  # fmt: skip
def test_labels_survive_a_file(tmp_path, labels):
    X = scans(30, 40, 31, 50)
    model = NearestNeighbours(1).fit(X, labels)
    model.save(tmp_path / "model.pw")
    again = load(tmp_path / "model.pw")
    assert again.classes_.dtype == model.classes_.dtype
    assert again.classes_.tolist() == sorted(set(np.asarray(labels).tolist()))
    assert again.predict(X).tolist() == np.asarray(labels).tolist()


def test_a_file_holds_what_the_contract_promises(tmp_path):
    model = NearestNeighbours(np.int64(2)).fit(scans(30, 50), ["a", "b"])
    model.save(tmp_path / "model.pw")
    recipe = read_model(tmp_path / "model.pw").recipe
    assert recipe["estimator"] == "nearest_neighbours"
    assert recipe["task"] == "identify"
    assert recipe["options"] == {"n_neighbors": 2}
    assert recipe["axis"] == {"kind": "two_theta", "wavelength": pytest.approx(1.54059, abs=1e-5)}
    assert recipe["labels"]["values"] == ["a", "b"]
    again = load(tmp_path / "model.pw")
    assert again.get_params() == {"n_neighbors": 2}
    assert again.n_features_in_ == 81
    with pytest.raises(GridError, match="81 points of two_theta at 1.54059 angstrom"):
        again.predict(scans(30).crop(25, 60))


def test_only_members_of_the_table_can_be_saved(tmp_path):
    with pytest.raises(OptionError, match=r"Brightest must be one of .*cosine_matcher, .*\. Save one of these"):
        Brightest().fit(scans(30)).save(tmp_path / "a.pw")


def test_options_that_are_not_plain_cannot_be_saved(tmp_path):
    model = ESTIMATORS["logistic_regression"](random_state=np.random.RandomState(0)).fit(scans(30, 50), ["a", "b"])
    with pytest.raises(OptionError, match="random_state must be a number, a text, a list of these or None"):
        model.save(tmp_path / "a.pw")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"estimator": "os.system"}, "it must hold one of .*cosine_matcher, .*, got 'os.system'"),
        ({"options": {"n_neighbors": 2, "command": "rm"}}, "do not make a nearest_neighbours"),
        ({"options": {"n_neighbors": 2}, "labels": {"kind": "O8,(3)f4", "values": [[1, 2, 3]]}}, "do not make"),
        ({"axis": {}}, "do not make"),
    ],
)
def test_foreign_recipes_are_refused(tmp_path, change, why):
    model = NearestNeighbours(2).fit(scans(30, 50), ["a", "b"])
    model.save(tmp_path / "model.pw")
    stored = read_model(tmp_path / "model.pw")
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", {**recipe, **change}, dict(stored.arrays))
    with pytest.raises(ModelFileError, match=why) as caught:
        load(tmp_path / "bad.pw")
    assert "bad.pw" in str(caught.value)


def test_a_model_without_its_arrays_is_refused(tmp_path):
    NearestNeighbours(2).fit(scans(30, 50), ["a", "b"]).save(tmp_path / "model.pw")
    stored = read_model(tmp_path / "model.pw")
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", recipe, {"grid": np.arange(3.0)})
    with pytest.raises(ModelFileError, match="KeyError: 'rows'"):
        load(tmp_path / "bad.pw")


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.filterwarnings(f"ignore::{SkipTestWarning.__module__}.{SkipTestWarning.__name__}")
def test_scikit_learn_accepts_it(name):
    model = ESTIMATORS[name]()
    if name == "random_forest":
        model.set_params(n_estimators=8)
    results = check_estimator(model, on_fail="raise")
    # The one check that may be skipped needs SCIPY_ARRAY_API in the environment.
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {"check_array_api_input"}
    assert len(results) > 45


@pytest.mark.parametrize("name", CLASSICAL)
def test_it_is_final_documented_and_named_after_its_file(name):
    kind = ESTIMATORS[name]
    assert kind.__final__
    assert issubclass(kind, ClassifierMixin)
    assert kind.__module__ == f"peakwise.estimators.{name}"
    assert kind.__name__.lower() == name.replace("_", "")
    assert "Examples\n" in kind.__doc__
    assert [option for option in kind().get_params() if option not in kind.__doc__] == []
    assert repr(clone(kind())) == f"{kind.__name__}()"
    assert not {"fit", "predict", "predict_proba", "scores", "save"} & set(vars(kind))
