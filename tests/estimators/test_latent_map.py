"""The map: what is alike lies together, what is strange comes back badly, files give the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import check_estimator

import peakwise as pw
from peakwise.errors import ModelFileError, OptionError, PatternsError
from peakwise.estimators import LatentMap, load
from peakwise.estimators._regions import Regions
from peakwise.modelfiles import read_model, write_model

X = np.linspace(10, 50, 120)
PLACES = {"a": (18, 31), "b": (24, 40), "c": (21, 45)}


def pattern(name, rng, shift=0.0):
    rows = sum(np.exp(-(((X - p - shift) / 0.8) ** 2)) for p in PLACES.get(name, name))
    return 1000 * rows + 20 + rng.normal(0, 8, X.size)


def known(n=60, seed=0, **meta):
    rng = np.random.default_rng(seed)
    names = np.repeat(list(PLACES), n)
    rows = [pattern(name, rng, rng.uniform(-0.2, 0.2)) for name in names]
    return pw.Patterns(X, rows, "q", meta={"phases": names, **meta})


@pytest.fixture(scope="module")
def fitted():
    return LatentMap(epochs=250, threads=1).fit(known())


def test_phases_are_told_apart_on_the_map(fitted):
    asked = known(20, seed=1)
    assert (fitted.predict(asked) == asked.meta["phases"]).mean() > 0.95
    assert fitted.transform(asked).shape == (60, 2)
    np.testing.assert_allclose(fitted.predict_proba(asked).sum(axis=1), 1)
    assert fitted.classes_.tolist() == ["a", "b", "c"]


def test_what_was_never_seen_comes_back_badly(fitted):
    rng = np.random.default_rng(2)
    strange = pw.Patterns(X, [pattern((14, 36), rng) for _ in range(20)], "q")
    usual = fitted.errors(known(20, seed=3))
    assert np.quantile(usual, 0.99) < fitted.errors(strange).min()


def test_errors_are_those_of_what_comes_back(fitted):
    asked = known(5, seed=4)
    back = fitted.reconstruct(asked)
    span = np.ptp(asked.intensity, axis=1)
    np.testing.assert_allclose(
        (((back - asked.intensity) / span[:, None]) ** 2).mean(axis=1), fitted.errors(asked), rtol=1e-3
    )


def test_regions_are_those_of_the_neighbours(fitted):
    x, y, labels = fitted.regions(30)
    assert labels.shape == (30, 30)
    theirs = KNeighborsClassifier(15).fit(fitted.latent_, fitted.labels_)
    at = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    assert (fitted.classes_[labels.ravel()] == theirs.predict(at)).mean() > 0.99
    assert x[0] < fitted.latent_[:, 0].min() < fitted.latent_[:, 0].max() < x[-1]


def test_clouds_are_those_of_gaussian_naive_bayes():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [40, 30, 50])
    places = rng.normal(codes[:, None] * [1.0, -2.0, 0.5], [1.0, 0.5, 2.0], (120, 3))
    asked = rng.normal(0, 3, (50, 3))
    theirs = GaussianNB().fit(places, codes)
    np.testing.assert_allclose(
        Regions.learn("bayes", places, codes).probabilities(asked), theirs.predict_proba(asked), atol=1e-3
    )


def test_places_become_patterns(fitted):
    made = fitted.inverse_transform(fitted.latent_[:4])
    rows = known().intensity[:4]
    scaled = (rows - rows.min(axis=1, keepdims=True)) / np.ptp(rows, axis=1)[:, None]
    assert np.abs(made - scaled).mean() < 0.05
    with pytest.raises(OptionError, match=r"places must be finite numbers of shape \(n, 2\), got shape \(1, 3\)"):
        fitted.inverse_transform([[0, 0, 0]])


def test_a_condition_separates_what_looks_the_same():
    """One pattern at two compositions: only the condition can say which; a wrong one makes the error large."""
    rng = np.random.default_rng(0)
    share = np.repeat([0.1, 0.9], 100)
    rows = [pattern("a" if s < 0.5 else "b", rng) for s in share]
    patterns = pw.Patterns(X, rows, "q", meta={"Co": share})
    model = LatentMap(n_latent=1, condition=["Co"], epochs=250, threads=1).fit(patterns)
    swapped = patterns.replace(meta={"Co": share[::-1]})
    assert np.median(model.errors(swapped)) > 3 * np.median(model.errors(patterns))
    with pytest.raises(PatternsError, match="the condition 'Co' is no column of meta"):
        model.errors(pw.Patterns(X, rows, "q"))
    with pytest.warns(UserWarning, match="1 of 200 patterns have a condition that was never learned"):
        model.errors(patterns.replace(meta={"Co": np.append(share[:-1], 3.0)}))
    with pytest.raises(PatternsError, match="conditions must be finite, got 1 patterns without"):
        model.errors(patterns.replace(meta={"Co": np.append(share[:-1], np.nan)}))
    with pytest.raises(OptionError, match="two latent numbers and no condition"):
        model.regions()


def test_members_differ_and_are_averaged(tmp_path):
    model = LatentMap(members=2, joint=True, classifier="bayes", epochs=40, threads=1).fit(known())
    asked = known(4, seed=9)
    each = model._network.reconstruct(*model._rows(asked))
    assert np.abs(each[0] - each[1]).max() > 1e-3
    model.save(tmp_path / "m.pw")
    again = load(tmp_path / "m.pw")
    np.testing.assert_array_equal(again.predict_proba(asked), model.predict_proba(asked))
    np.testing.assert_array_equal(again.errors(asked), model.errors(asked))
    np.testing.assert_array_equal(again.labels_, model.labels_)
    assert again.get_params() == model.get_params()


def test_training_repeats_itself_by_its_seed():
    first, again, other = (
        LatentMap(epochs=3, threads=1, random_state=s).fit(known(10)).transform(known(2)) for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("array", ["latent", "codes", "network.0.mean.weight", "regions.0.places"])
def test_parts_that_do_not_fit_each_other_are_refused_at_once(tmp_path, fitted, array):
    fitted.save(tmp_path / "model.pw")
    stored = read_model(tmp_path / "model.pw")
    arrays = dict(stored.arrays)
    arrays[array] = arrays[array][:-1]
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", recipe, arrays)
    with pytest.raises(ModelFileError, match="its parts do not make a latent_map"):
        load(tmp_path / "bad.pw")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"network": "cnn9"}, "network must be one of wang_cnn"),
        ({"network": "lstm"}, "network must be one that reads single patterns"),
        ({"decoder": "x"}, "decoder must be one of dense, conv"),
        ({"classifier": "x"}, "classifier must be one of neighbours, bayes"),
        ({"condition": "Co"}, "condition must be a list of names of columns"),
        ({"n_latent": 0}, "n_latent must be a whole number of at least 1, got 0"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"beta": -1}, "beta must be a finite number of at least 0"),
        ({"minutes": 0}, "minutes must be a finite number above 0"),
        ({"threads": 0}, "threads must be a whole number of at least 1"),
    ],
)
def test_bad_options_are_told(options, why):
    with pytest.raises(OptionError, match=f"cannot fit LatentMap: {why}"):
        LatentMap(**options).fit(known(2))


def test_without_labels_there_are_errors_and_no_names():
    model = LatentMap(epochs=2, threads=1).fit(pw.Patterns(X, known(3).intensity, "q"))
    assert model.errors(known(3)).shape == (9,)
    with pytest.raises(PatternsError, match="it was fitted without labels. Fit it with y"):
        model.predict(known(3))
    with pytest.raises(PatternsError, match="joint learns labels, and there are none"):
        LatentMap(joint=True, epochs=2).fit(pw.Patterns(X, known(3).intensity, "q"))


def test_convolutions_make_a_map_too():
    model = LatentMap(network="conv_stack", decoder="conv", epochs=3, threads=1).fit(known(10))
    assert clone(model).fit(known(10)).reconstruct(known(2)).shape == (6, X.size)


def test_structures_are_refused_with_what_to_give():
    phase = pw.Phase.from_parameters("fcc", "F m -3 m", (3.5, 3.5, 3.5, 90, 90, 90), [("Co", (0, 0, 0))])
    with pytest.raises(OptionError, match="it learns from patterns, got structures. Give peakwise.simulate.Simulator"):
        LatentMap().fit([phase])


def test_it_keeps_the_rules_of_scikit_learn():
    results = check_estimator(LatentMap(epochs=2, threads=1), on_fail="raise", on_skip=None)
    assert {r["status"] for r in results} <= {"passed", "skipped", "xfail"}


def two_phases():
    from peakwise.crystal import TEXTBOOK

    return [TEXTBOOK["Si"], TEXTBOOK["MgO"]]


def test_a_map_is_learned_from_patterns_simulated_meanwhile(tmp_path):
    """Fresh patterns of the phases are named, another phase comes back badly, a file repeats both."""
    from peakwise.crystal import TEXTBOOK
    from peakwise.simulate import Ranges, Simulator

    grid, ranges = (
        (20, 80, 401),
        Ranges.none(expansion=(-0.005, 0.005), march=(0.7, 1.3), size=(20, 100), counts=(3000, 30_000)),
    )
    known = Simulator(two_phases(), grid, radiation="CuKa", ranges=ranges, random_state=1)
    model = LatentMap(epochs=4, threads=1).fit(known)
    assert model.classes_.tolist() == ["MgO", "Si"]
    assert model.latent_.shape == (2000, 2)
    assert model.history_[0]["steps"] == 400
    asked = Simulator(two_phases(), grid, radiation="CuKa", ranges=ranges, random_state=2).draw(60)
    assert (model.predict(asked) == asked.meta["phases"]).mean() > 0.9
    other = Simulator(TEXTBOOK["CuS"], grid, radiation="CuKa", ranges=ranges, random_state=3).draw(20)
    assert np.median(model.errors(other)) > np.quantile(model.errors(asked), 0.9)
    model.save(tmp_path / "m.pw")
    np.testing.assert_array_equal(load(tmp_path / "m.pw").predict(asked), model.predict(asked))


def test_no_simulated_pattern_is_seen_twice():
    from peakwise.estimators._latent_network import network_rows
    from peakwise.estimators._on_the_fly import on_the_fly
    from peakwise.simulate import Simulator

    known = on_the_fly(Simulator(two_phases(), (20, 80, 301), radiation="CuKa"), ["Mg"])
    of = known.batches(network_rows, labels=True)
    first, second, later = next(of(0)(0)), next(of(1)(0)), next(of(0)(1))
    drawn = network_rows(known.draw(128).intensity)
    for a, b in ((first, second), (first, later), (first, {"intensity": drawn})):
        assert not np.any((a["intensity"][:, None, ::30] == b["intensity"][None, :, ::30]).all(axis=2))
    streamed = of(0)(0)
    next(streamed)
    np.testing.assert_array_equal(next(streamed)["intensity"], later["intensity"])
    assert set(zip(first["label"].tolist(), first["condition"][:, 0].tolist(), strict=True)) == {(0, 1.0), (1, 0.0)}
    with pytest.raises(PatternsError, match=r"must be elements of the phases \(Mg, O, Si\), got 'Fe'"):
        on_the_fly(Simulator(two_phases(), (20, 80, 301), radiation="CuKa"), ["Fe"])
