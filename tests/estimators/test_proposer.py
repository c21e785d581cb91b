"""What the network sees against a plain loop, and a network that learns four phases in a few seconds."""

import numpy as np
import pytest

from matched import scan_of
from peakwise.crystal import TEXTBOOK
from peakwise.errors import ModelFileError
from peakwise.estimators import PhaseIdentifier, load
from peakwise.estimators._proposer import Proposer, _batches, seen
from peakwise.matching import prepare
from peakwise.modelfiles import read_model, write_model
from peakwise.patterns import Radiation
from peakwise.simulate import Instrument, Simulator

NAMES = ("Si", "ZnO", "CaCO3-calcite", "NaCl")
PHASES = [TEXTBOOK[n] for n in NAMES]
GRID = (10.0, 80.0, 1024)
LIGHT = Radiation.named("CuKa")
STEP = 0.06


def plain_seen(row, step):
    """Point by point, as the docstrings say it."""
    n = row.size
    window, smooth = int(3.0 / step), max(int(0.12 / step), 1)

    def around(i, many):
        # A window of an even number of points reaches one further to the left, as scipy's does.
        return range(i - many // 2, i - many // 2 + many)

    def inside(i):
        return min(max(i, 0), n - 1)

    def mean(i):
        values = [row[inside(k)] for k in around(i, smooth) if not np.isnan(row[inside(k)])]
        return np.mean(values) if values else np.inf

    means = [np.inf if np.isnan(row[i]) else mean(i) for i in range(n)]
    lowest = [min(means[inside(k)] for k in around(i, window)) for i in range(n)]
    known = [[lowest[inside(k)] for k in around(i, window) if np.isfinite(lowest[inside(k)])] for i in range(n)]
    low = [np.mean(values) if values else 0.0 for values in known]
    net = np.array([0.0 if np.isnan(row[i]) else max(row[i] - low[i], 0) for i in range(n)])
    return np.sqrt(net / (net.max() or 1.0))


def rows(seed=0, n=400):
    rng = np.random.default_rng(seed)
    x = np.arange(n) * STEP
    places, heights = rng.uniform(0, n * STEP, (3, 6, 1)), rng.uniform(50, 900, (3, 6, 1))
    clean = (heights * np.exp(-(((x - places) / 0.2) ** 2))).sum(axis=1)
    return rng.poisson(clean + 20 + x).astype(float)


def test_what_is_seen_is_the_plain_loop():
    some = rows()
    some[1, :70] = np.nan
    some[1, 350:] = np.nan
    some[2, 100:180] = np.nan
    found = seen(some, STEP)
    assert found.dtype == np.float32
    for row, one in zip(some, found, strict=True):
        np.testing.assert_allclose(one, plain_seen(row, STEP), atol=2e-4)


def test_size_and_background_are_not_seen():
    some = rows()
    some[:, :60] = np.nan
    plain = seen(some, STEP)
    np.testing.assert_allclose(seen(37.0 * some, STEP), plain, atol=1e-4)
    np.testing.assert_allclose(seen(some + 1000.0, STEP), plain, atol=1e-3)
    assert plain.max(axis=1) == pytest.approx([1, 1, 1])
    assert not plain[:, :60].any()


def test_nothing_is_seen_of_nothing():
    for value in (0.0, 5.0, np.nan):
        found = seen(np.full((1, 300), value), STEP)
        assert np.isfinite(found).all()
        assert abs(found).max() < 1e-3


def test_half_of_the_training_patterns_lack_a_part_of_the_range():
    simulator = Simulator(PHASES, GRID, radiation="CuKa", threads=1)
    batches = _batches(simulator, 0, 2, 7)
    first, second = next(batches), next(batches)
    assert first["intensity"].shape == (96, 1024)
    assert first["weights"].shape == (96, 4)
    np.testing.assert_allclose(first["weights"].sum(axis=1), 1, rtol=1e-5)
    assert first["intensity"].min() >= 0
    assert first["intensity"].max() <= 1 + 1e-6
    # What was cut away is exactly zero at an end of the range.
    ends = (first["intensity"][:, :5] == 0).all(axis=1) | (first["intensity"][:, -5:] == 0).all(axis=1)
    assert ends[:48].mean() > 0.7
    again = _batches(simulator, 1, 2, 7)
    np.testing.assert_array_equal(next(again)["intensity"], second["intensity"])
    for one in (batches, again):
        one.close()


@pytest.fixture(scope="module")
def proposer():
    return Proposer.train(PHASES, LIGHT, GRID, "patch_conv", seconds=5.0, mixtures=1, random_state=0, device="cpu")


def test_it_learns(proposer):
    assert proposer.ids == NAMES
    assert proposer.history["steps"] >= 5
    assert np.isfinite(proposer.history["loss"])
    right = 0
    for i, phase in enumerate(PHASES):
        for seed in range(2):
            scan = prepare(scan_of([phase], seed=seed, grid=(15.0, 75.0, 3001)))
            p = proposer.probabilities([scan])
            assert p.shape == (1, 4)
            assert ((p >= 0) & (p <= 1)).all()
            right += int(p[0].argmax()) == i
            proposed = proposer.propose(scan)
            assert set(proposed) <= set(range(4))
            order = [int(k) for k in np.argsort(-p[0]) if p[0][k] >= 1e-3]
            assert proposed == order
    assert right >= 6


def test_other_wavelengths_are_seen_at_the_angles_of_the_training(proposer):
    """The same crystal at molybdenum and copper radiation: the same peaks at the same places on the network's grid."""
    phase = TEXTBOOK["CaCO3-calcite"]
    copper = prepare(scan_of([phase], counts=0, background=0.0, grid=(10.0, 80.0, 7001)))
    tool = Instrument.lab_bragg_brentano("MoKa", w=0.004, u=0.002, v=-0.001, y=0.005)
    short = prepare(scan_of([phase], counts=0, background=0.0, instrument=tool, grid=(4.6, 34.4, 9001)))
    a, b = proposer.rows([copper, short])
    grid = np.linspace(*GRID)
    for place in (29.4, 36.0, 39.4, 43.2, 47.5):
        near = abs(grid - place) < 0.6
        assert abs(grid[near][a[near].argmax()] - grid[near][b[near].argmax()]) < 0.2
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.85


def test_what_was_not_measured_is_not_seen(proposer):
    scan = prepare(scan_of([PHASES[0]], grid=(25.0, 60.0, 1751)))
    (row,) = proposer.rows([scan])
    grid = np.linspace(*GRID)
    assert not row[(grid < 24.9) | (grid > 60.1)].any()
    assert row[abs(grid - 28.4) < 0.2].max() > 0.9


def test_another_library_is_proposed_only_what_it_holds(proposer):
    fewer = proposer.for_phases([PHASES[3], TEXTBOOK["W"], PHASES[0]])
    assert fewer.outputs.tolist() == [2, -1, -1, 0]
    scan = prepare(scan_of([PHASES[1]]))
    assert set(fewer.propose(scan)) <= {0, 2}
    assert set(fewer.for_phases(PHASES).propose(scan)) == set(proposer.propose(scan))


def test_a_recipe_and_its_weights_are_the_same_network(proposer):
    recipe, weights = proposer.to_recipe()
    again = Proposer.from_recipe(recipe, weights, PHASES)
    scan = prepare(scan_of([PHASES[2]]))
    np.testing.assert_array_equal(again.probabilities([scan]), proposer.probabilities([scan]))
    assert again.history == proposer.history
    name = next(iter(weights))
    for changed in (
        {k: v for k, v in weights.items() if k != name}, {**weights, "more": np.zeros(3)},
        {**weights, name: weights[name][:-1]}, {**weights, name: np.full_like(weights[name], np.nan)},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="weights"):
            Proposer.from_recipe(recipe, changed, PHASES)
    for part in ({"grid": [10, 80, 10**9]}, {"ids": []}, {"grid": [10, 80, 4]}):
        with pytest.raises(ValueError, match="a network of"):
            Proposer.from_recipe({**recipe, **part}, weights, PHASES)


def test_an_identifier_with_a_network_is_saved_and_keeps_it(tmp_path):
    fitted = PhaseIdentifier(
        network="wang_cnn", train_seconds=1.0, max_phases=1, effort="quick", threads=1, device="cpu"
    )
    fitted.fit(PHASES)
    scan = scan_of([PHASES[1]])
    assert fitted.predict(scan).tolist() == ["ZnO"]
    fitted.save(tmp_path / "model.pw")
    again = load(tmp_path / "model.pw")
    ready = prepare(scan)
    assert again.proposer_.propose(ready) == fitted.proposer_.propose(ready)
    assert again.identify(scan)[0].to_dict() == fitted.identify(scan)[0].to_dict()
    again.drop("ZnO").add([TEXTBOOK["W"]])
    assert again.proposer_.outputs.tolist() == [0, -1, 1, 2]
    assert again.predict(scan_of([TEXTBOOK["W"]])).tolist() == ["W"]
    assert any("trained without W" in w for w in again.identify(scan_of([TEXTBOOK["W"]]))[0].warnings)
    assert not any("trained without" in w for w in fitted.identify(scan)[0].warnings)
    again.set_params(network=None).fit(PHASES[:2])
    assert not hasattr(again, "proposer_")
    stored = read_model(tmp_path / "model.pw")
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    recipe["learned"]["proposer"]["network"] = "os.system"
    write_model(tmp_path / "bad.pw", recipe, dict(stored.arrays))
    with pytest.raises(ModelFileError, match="bad.pw"):
        load(tmp_path / "bad.pw")
