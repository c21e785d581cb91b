"""Every step of the table `STEPS` through scikit-learn's own checks, with its default options."""

from __future__ import annotations

import pytest
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator, check_set_output_transform_pandas

from peakwise.preprocessing import STEPS, Step

each_step = pytest.mark.parametrize("name", STEPS)


@each_step
@pytest.mark.filterwarnings(f"ignore::{SkipTestWarning.__module__}.{SkipTestWarning.__name__}")
def test_scikit_learn_accepts_the_step(name):
    results = check_estimator(STEPS[name](), on_fail="raise")
    # The one check that may be skipped needs SCIPY_ARRAY_API in the environment.
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}
    assert len(results) > 40


@each_step
@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")  # the check mixes tables and arrays
def test_set_output(name):
    check_set_output_transform_pandas(name, STEPS[name]())


@each_step
def test_a_step_is_final_documented_and_named_after_its_file(name):
    step = STEPS[name]
    assert step.__final__
    assert step.__module__ == f"peakwise.preprocessing.{name}"
    assert step.__name__.lower() == name.replace("_", "")
    assert "Examples\n" in step.__doc__
    undocumented = [option for option in step().get_params() if option not in step.__doc__]
    assert undocumented == []
    assert repr(clone(step())) == f"{step.__name__}()"


def test_steps_override_nothing_that_the_base_has_written_once():
    once = ("fit", "transform", "fit_transform", "get_feature_names_out", "_apply", "_read", "_check_axis")
    for step in STEPS.values():
        if issubclass(step, Step):
            assert not set(once) & set(vars(step))
