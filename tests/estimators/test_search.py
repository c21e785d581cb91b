"""The search for options: it finds what is planted, gives up what is bad, and goes on where it stopped."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from peakwise.errors import DamagedFileError, OptionError
from peakwise.estimators import SEARCH_SPACES, WORKFLOWS, DescriptorRegressor, score_regressor, search, with_options

pytest.importorskip("optuna", reason="optuna is not installed: pip install peakwise[tune]")

SPACE = {"depth": ("int", 1, 9), "rate": ("log", 1e-4, 1.0), "kind": ("choice", "a", "b")}


def objective(options, report):
    error = abs(options["depth"] - 6) + abs(np.log10(options["rate"]) + 2) + (options["kind"] == "a")
    report(0, error)
    return error


def asked(tmp_path, n, **more):
    given = {"minutes": None, "storage": tmp_path / "m.pw.search", "key": "k", "random_state": 0, **more}
    return search(objective, SPACE, n_trials=n, **given)


def test_it_finds_what_was_planted_and_gives_up_what_is_bad(tmp_path):
    found = asked(tmp_path, 60)
    assert found.score < 1.2
    assert found.options["kind"] == "b"
    assert found.pruned > 5
    assert (found.tried, found.before) == (60, 0)


def test_it_goes_on_where_it_stopped(tmp_path):
    first = asked(tmp_path, 6)
    second = asked(tmp_path, 10)
    assert (second.before, second.tried) == (6, 10)
    assert second.score <= first.score
    again = asked(tmp_path, 10)  # nothing is left to do
    assert (again.options, again.score, again.tried) == (second.options, second.score, 10)
    assert asked(tmp_path, 3, key="other").before == 0


def test_it_ends_with_its_time(tmp_path):
    assert asked(tmp_path, 100_000, minutes=0.01).tried < 100_000


def test_trials_that_cannot_be_meant_do_not_end_it(tmp_path):
    def wrong(options, report):
        if options["kind"] == "a":
            raise OptionError("cannot fit", "kind must be b, got 'a'", "Give b")
        return objective(options, report)

    found = search(wrong, SPACE, n_trials=12, minutes=None, storage=tmp_path / "s", key="k", random_state=0)
    assert found.options["kind"] == "b"


def test_other_files_are_refused(tmp_path):
    (tmp_path / "m.pw.search").write_bytes(b"no trials\n" * 9)
    with pytest.raises(DamagedFileError, match="it keeps no trials of a search"):
        asked(tmp_path, 2)


def test_spaces_are_of_options_that_are_there():
    for name, space in SEARCH_SPACES.items():
        known = {*inspect.signature(WORKFLOWS[name]).parameters, "bins"}
        assert set(space) <= known, name
    assert set(SEARCH_SPACES) == set(WORKFLOWS)


def test_the_score_is_that_of_patterns_kept_away():
    rng = np.random.default_rng(0)
    y = rng.random(60)
    from peakwise import Patterns

    rows = np.exp(-(((np.linspace(0, 1, 80) - 0.3 - 0.4 * y[:, None]) / 0.1) ** 2)) + 0.01 * rng.random((60, 80))
    patterns, told = Patterns(np.arange(80.0), rows, "channel"), []
    model = DescriptorRegressor("ridge", bins=None)
    good = score_regressor(model, patterns, {"y": y}, {"n_components": 30}, lambda step, error: told.append(error))
    bad = score_regressor(model, patterns, {"y": y}, {"n_components": 1}, lambda step, error: None)
    assert good < 0.05 < bad
    assert len(told) == 3
    assert model.options is None  # what was asked with is left alone
    assert with_options(model, {"n_components": 7, "bins": 0}).get_params()["options"] == {"n_components": 7}
    assert model.bins is None
