"""DescriptorRegressor: descriptors of made patterns, intervals that hold, missing modalities, files, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

import peakwise as pw
from peakwise.errors import GridError, ModelFileError, OptionError, PatternsError
from peakwise.estimators import WORKFLOWS, DescriptorRegressor

X, V = np.linspace(30, 90, 200), np.linspace(0, 500, 160)
QUICK = {"epochs": 150, "learning_rate": 2e-3, "n_latent": 6, "autoencoder_epochs": 60}
LEAN = {"views": ["area"], "n_trees": 40, "n_components": 5}


def samples(n, seed=0, noise=0.01):
    """Two lines that move with strain and widen with disorder, and a band that only disorder widens."""
    rng = np.random.default_rng(seed)
    strain, disorder = rng.uniform(-0.02, 0.02, n), rng.uniform(0, 1, n)
    width = 0.6 + disorder
    lines = sum(h * np.exp(-(((X - c * (1 - strain[:, None])) / width[:, None]) ** 2)) for h, c in ((1, 44), (0.5, 64)))
    band = np.exp(-(((V - 200) / (20 + 40 * disorder[:, None])) ** 2))
    meta = {"strain": strain, "disorder": disorder, "side": np.where(strain > 0, "pulled", "pressed")}
    xrd = pw.Patterns(X, 1000 * (lines + noise * rng.random(lines.shape)), "two_theta", wavelength=1.54, meta=meta)
    vdos = pw.Patterns(V, band + noise * rng.random(band.shape), "wavenumber", meta=meta)
    return xrd, vdos, np.stack([strain, disorder], axis=1)


@pytest.fixture(scope="module")
def stacked():
    xrd, _, truth = samples(150)
    return DescriptorRegressor(options=LEAN).fit(xrd, truth, ["strain", "disorder"])


@pytest.fixture(scope="module")
def multimodal():
    xrd, vdos, truth = samples(80)
    options = QUICK | {"members": 2, "n_latent": "pca", "loss_scaler": "initial"}
    return DescriptorRegressor("multimodal", options=options).fit(
        {"xrd": xrd, "vdos": vdos}, {"strain": truth[:, 0], "disorder": truth[:, 1]}
    )


def test_intervals_hold_what_they_promise(stacked):
    xrd, _, truth = samples(400, seed=1)
    for level in (0.8, 0.9):
        low, high = stacked.predict_interval(xrd, level)
        held = ((low <= truth) & (truth <= high)).mean(axis=0)
        assert (held > level - 0.05).all()
    told = stacked.describe(xrd)
    assert np.sqrt(((told.values - truth) ** 2).mean(axis=0)) == pytest.approx(
        list(stacked.held_errors_.values()), rel=0.3
    )
    assert told.in_domain.mean() > 0.95
    assert ((told.low < told.values) & (told.values < told.high)).all()
    one = told.to_dict()["scans"][0]
    assert set(one["descriptors"]) == {"strain", "disorder"}
    assert one["descriptors"]["strain"]["low"] < one["descriptors"]["strain"]["value"]


@pytest.mark.parametrize("workflow", ["reconstruction", "regression", "hybrid"])
def test_published_workflows_learn(workflow):
    xrd, _, truth = samples(100)
    model = DescriptorRegressor(workflow, options=QUICK | {"epochs": 400}).fit(xrd, truth)
    asked, _, new = samples(60, seed=2)
    errors = np.sqrt(((model.predict(asked) - new) ** 2).mean(axis=0)) / np.ptp(truth, axis=0)
    assert (errors < 0.2).all()  # that of the mean is 0.29
    assert model.predict(asked).shape == (60, 2)


def test_a_modality_may_be_missing_and_what_it_bought_is_told(multimodal):
    xrd, vdos, _ = samples(60, seed=3)
    both = multimodal.predict({"xrd": xrd, "vdos": vdos})
    assert both.shape == multimodal.predict({"xrd": xrd}).shape == multimodal.predict(vdos).shape
    holes = vdos.replace(intensity=np.where(np.arange(60)[:, None] < 10, np.nan, vdos.intensity))
    mixed = multimodal.predict({"xrd": xrd, "vdos": holes})
    np.testing.assert_allclose(mixed[10:], both[10:], rtol=1e-9)
    np.testing.assert_allclose(mixed[:10], multimodal.predict({"xrd": xrd})[:10], rtol=1e-9)
    assert any(
        "vdos is missing for 10 of 60 scans" in said
        for said in multimodal.describe({"xrd": xrd, "vdos": holes}).warnings
    )
    # Strain shows in the lines only.
    assert multimodal.modality_gains_["xrd"]["strain"] > 0.3
    assert set(multimodal.modality_gains_) == {"xrd", "vdos"}


def test_stacked_bears_a_missing_modality_where_it_was_told_so():
    xrd, vdos, truth = samples(60)
    given = {"xrd": xrd, "vdos": vdos}
    model = DescriptorRegressor(options=LEAN).fit(given, truth)
    assert model.modality_gains_["xrd"]["y0"] > 0.5
    assert model.predict({"vdos": vdos}).shape == (60, 2)
    whole = DescriptorRegressor(options=LEAN | {"missing": False}).fit(given, truth)
    assert whole.modality_gains_ == {}
    with pytest.raises(OptionError, match="needs every modality, and xrd is missing"):
        whole.predict({"vdos": vdos})


def test_texts_are_learned_beside_numbers():
    xrd, _, _ = samples(120)
    model = DescriptorRegressor(options=LEAN).fit(xrd, targets=["strain", "side"])
    asked, _, _ = samples(80, seed=4)
    told = model.describe(asked)
    assert told.targets == ("strain",)
    assert (told.classes["side"] == asked.meta["side"]).mean() > 0.9
    network = DescriptorRegressor("hybrid", options=QUICK).fit(xrd, targets=["strain", "side"])
    assert (network.describe(asked).classes["side"] == asked.meta["side"]).mean() > 0.8


@pytest.mark.parametrize("workflow", list(WORKFLOWS))
def test_every_workflow_comes_back_from_its_file(workflow, tmp_path):
    small = {"stacked": LEAN, "forest": {"n_trees": 10}, "boosting": {"n_trees": 10}, "rocket": {}}
    options = (
        QUICK | {"epochs": 3, "autoencoder_epochs": 2} if WORKFLOWS[workflow].needs_held else small.get(workflow, {})
    )
    xrd, _, truth = samples(40)
    model = DescriptorRegressor(workflow, options=options, folds=2).fit(xrd, truth)
    model.save(tmp_path / "model.pw")
    again = pw.load(tmp_path / "model.pw")
    np.testing.assert_allclose(again.predict(xrd), model.predict(xrd), rtol=1e-6, atol=1e-9)
    for one, other in zip(again.predict_interval(xrd), model.predict_interval(xrd), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    assert again.describe(xrd).in_domain.tolist() == model.describe(xrd).in_domain.tolist()
    assert again.held_errors_ == model.held_errors_


def test_files_whose_parts_do_not_fit_are_refused(stacked, tmp_path):
    from peakwise.modelfiles import read_model, write_model

    stacked.save(tmp_path / "model.pw")
    found = read_model(tmp_path / "model.pw")
    arrays = {name: np.array(value) for name, value in found.arrays.items()}
    recipe = {name: value for name, value in found.recipe.items() if name not in ("format", "peakwise")}
    for name, value in (
        ("low", arrays["high"]), ("model.0.0.weights", arrays["model.0.0.weights"][:1]),
        ("interval.0.ratios", arrays["interval.0.ratios"][:, :1]), ("domain.0.known", arrays["domain.0.known"][:, :5]),
        ("model.0.0.area.points", np.full_like(arrays["model.0.0.area.points"], np.nan)),
    ):  # fmt: skip
        write_model(tmp_path / "bad.pw", recipe, arrays | {name: value})
        with pytest.raises(ModelFileError, match="its parts do not make a descriptor_regressor"):
            pw.load(tmp_path / "bad.pw")


def test_strange_scans_are_out_of_the_domain(stacked):
    xrd, _, _ = samples(20, seed=5)
    strange = xrd.replace(intensity=xrd.intensity[:, ::-1])
    told = stacked.describe(strange)
    assert not told.in_domain.any()
    assert any("20 of 20 scans are unlike those that were learned" in said for said in told.warnings)
    with pytest.raises(GridError, match="Put ConvertAxis"):
        stacked.predict(pw.Patterns(X, xrd.intensity, "two_theta", wavelength=0.7))
    with pytest.raises(GridError, match="Put Resample"):
        stacked.predict(pw.Patterns(X + 0.5, xrd.intensity, "two_theta", wavelength=1.54))


def test_it_learns_on_from_a_few_other_scans():
    """Scans of another instrument: all strains read too large by a quarter, and off."""
    xrd, _, truth = samples(150)
    few, _, other = samples(24, seed=6)
    asked, _, new = samples(100, seed=7)
    bent = lambda t: {"strain": 1.25 * t[:, 0] + 0.004}  # noqa: E731
    for workflow, options, layers in (("stacked", LEAN, "last"), ("hybrid", QUICK | {"epochs": 300}, "all")):
        model = DescriptorRegressor(workflow, options=options).fit(xrd, {"strain": truth[:, 0]})
        error = lambda m: np.sqrt(np.mean((m.predict(asked)[:, 0] - bent(new)["strain"]) ** 2))  # noqa: E731
        before = error(model)
        with pytest.warns(UserWarning, match="adapted to 24 scans"):
            model.adapt(few, bent(other), layers=layers)
        assert error(model) < 0.75 * before
        low, high = model.predict_interval(asked)
        assert ((low[:, 0] <= bent(new)["strain"]) & (bent(new)["strain"] <= high[:, 0])).mean() > 0.75
    with pytest.raises(PatternsError, match="Give it in the units of the training"):
        model.adapt(few, {"strain": 1e4 * (1 + other[:, 0])})


def test_a_variational_one_draws_patterns():
    xrd, _, _ = samples(60)
    model = DescriptorRegressor("hybrid", bins=100, options=QUICK | {"beta": 0.1}).fit(xrd, targets=["strain"])
    drawn = model.generate(7, random_state=1)
    assert drawn.shape == (7, 100)
    assert drawn.wavelength == 1.54
    assert "strain" in drawn.meta
    assert np.array_equal(drawn.intensity, model.generate(7, random_state=1).intensity)
    with pytest.raises(OptionError, match="beta is None"):
        DescriptorRegressor("hybrid", options=QUICK | {"epochs": 2}).fit(xrd, targets=["strain"]).generate(2)


def test_bins_are_sums_and_the_scale_is_that_of_the_set():
    from peakwise.estimators._descriptor_input import Modality

    rows = np.arange(24.0).reshape(2, 12)
    patterns = pw.Patterns(np.arange(12), rows, "channel")
    made = Modality.learn(patterns, 4, "set")
    by_hand = rows.reshape(2, 4, 3).sum(axis=2)
    np.testing.assert_allclose(made.rows(patterns), by_hand / by_hand.max())
    each = Modality.learn(patterns, 4, "pattern").rows(patterns)
    np.testing.assert_allclose(each, by_hand / by_hand.max(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x, y: (x, np.where(np.arange(len(y)) == 3, np.nan, y)), "NaN or infinity: 1 of 40 in 'y'"),
        (lambda x, y: (x, 0 * y + 5), "the target 'y' is 5 for all patterns"),
        (lambda x, y: (x, y[:-1]), "a value for each of 40 patterns"),
        (lambda x, y: (x[:5], y[:5]), "at least 8 patterns are needed, got n_samples = 5"),
        (lambda x, y: (x, np.array(["a", "b"] * 20)), "y must hold numbers, got only texts"),
        (lambda x, y: (x, None), "requires y to be passed"),
        (lambda x, y: ({"a": x, "b": x[:30]}, y), "got 40 of a, 30 of b"),
        (lambda x, y: (x.replace(intensity=0 * x.intensity), y), "all patterns are empty"),
    ],
)
def test_bad_input_is_one_sentence_before_training(change, said):
    xrd, _, truth = samples(40)
    given, y = change(xrd, truth[:, 0])
    with pytest.raises(PatternsError, match=said):
        DescriptorRegressor("hybrid").fit(given, y)


def test_columns_that_are_not_there_are_named():
    xrd, _, truth = samples(40)
    with pytest.raises(PatternsError, match="no column 'stress'; there are strain, disorder, side"):
        DescriptorRegressor().fit(xrd, targets=["stress"])
    with pytest.raises(PatternsError, match="y has 2 columns and 1 names"):
        DescriptorRegressor().fit(xrd, truth, ["strain"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workflow": "deep"}, "workflow must be one of stacked, reconstruction"),
        ({"workflow": "hybrid", "options": {"depth": 3}}, "its options are n_latent"),
        ({"workflow": "hybrid", "options": {"n_latent": 0}}, "n_latent must be a whole number of 1 to 1000"),
        ({"workflow": "regression", "options": {"beta": 1.0}}, "beta must be None"),
        ({"workflow": "hybrid", "options": {"loss_scaler": "auto"}}, "loss_scaler must be a number of 0 or more"),
        ({"options": {"views": ["side"]}}, "views must be some of area"),
        ({"level": 1.0}, "level must be above 0 and below 1"),
        ({"scale": "row"}, "scale must be set or pattern"),
        ({"bins": 1}, "bins must be a whole number of at least 2"),
    ],
)
def test_bad_options_are_one_sentence(options, said):
    xrd, _, truth = samples(40)
    with pytest.raises(OptionError, match=said):
        DescriptorRegressor(**options).fit(xrd, truth)


def test_ten_samples_are_answered_with_a_warning():
    xrd, _, truth = samples(10)
    model = DescriptorRegressor(options=LEAN).fit(xrd, truth)
    told = model.describe(xrd)
    assert np.isfinite(told.values).all()
    assert any("only 10 patterns" in said for said in told.warnings)


@pytest.mark.parametrize("workflow", ["stacked", "hybrid"])
def test_it_keeps_the_rules_of_scikit_learn(workflow):
    options = LEAN if workflow == "stacked" else {"epochs": 300, "learning_rate": 5e-3, "dropout": 0.0, "n_latent": 4}
    results = check_estimator(DescriptorRegressor(workflow, options=options), on_fail="raise", on_skip=None)
    assert {r["status"] for r in results} <= {"passed", "skipped", "xfail"}
