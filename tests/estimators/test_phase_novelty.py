"""Known structures beside a scan: what they do not explain is new, mixtures are mixtures, files repeat the answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from peakwise.crystal import TEXTBOOK
from peakwise.errors import ModelFileError, OptionError
from peakwise.estimators import PhaseNovelty, load
from peakwise.evaluation import conformal_p_value
from peakwise.matching import known_doubts
from peakwise.modelfiles import read_model, write_model
from peakwise.patterns import Patterns
from peakwise.simulate import Ranges, Simulator

KNOWN = ("Si", "TiO2-rutile", "CaCO3-calcite")


def scan(*names, light="CuKa", grid=(20, 80, 2001), seed=0):
    parts = [Simulator([TEXTBOOK[n]], grid, radiation=light, random_state=seed).draw(1) for n in names]
    return parts[0].replace(intensity=sum(p.intensity / p.intensity.max() for p in parts) * 3000)


@pytest.fixture(scope="module")
def model():
    return PhaseNovelty(threads=1).fit([TEXTBOOK[n] for n in KNOWN])


def test_known_phases_are_known_and_others_new(model):
    assert [bool(model.predict(scan(n))[0]) for n in KNOWN] == [False] * 3
    answer = model.answers(scan("CeO2"))[0]
    assert answer.novel
    assert answer.score > model.threshold_
    assert answer.nearest in KNOWN
    assert any("no known structure" in text for text in answer.why)
    d = [peak["d"] for peak in answer.unexplained]
    assert min(abs(value - 5.411 / np.sqrt(3)) for value in d) < 0.05  # (111) of ceria


def test_a_mixture_of_known_ones_is_called_that(model):
    both = [TEXTBOOK[n] for n in ("Si", "CaCO3-calcite")]
    ranges = Ranges.none(size=(50, 100), counts=10_000, background=0.02, min_weight=0.3)
    drawn = Simulator(both, (20, 80, 2001), radiation="CuKa", ranges=ranges, random_state=0).draw(6, mixtures=2)
    mixed = drawn[np.array([";" in names for names in drawn.meta["phases"]])]
    assert len(mixed) >= 2
    for answer in model.answers(mixed):
        assert not answer.novel
        assert answer.explained_by == "mixture"
        assert {name for name, _ in answer.mixture} == {"Si", "CaCO3-calcite"}
        assert "a mixture of known ones" in answer.why[0]


def test_any_wavelength_and_range_will_do(model):
    assert not model.predict(scan("Si", light="MoKa", grid=(8, 40, 1800)))[0]
    several = model.answers([scan("Si"), scan("Si", light="MoKa", grid=(8, 40, 1800))])
    assert [one.novel for one in several] == [False, False]


def test_p_values_rank_among_measured_minerals(model):
    asked = scan("Si")
    score = model.scores(asked)
    np.testing.assert_allclose(model.p_values(asked), conformal_p_value(known_doubts(), score))
    assert (known_doubts() > model.threshold_).mean() <= 0.01


def test_what_is_drawn_over_a_scan_is_its_fit(model):
    asked = scan("Si")
    back = model.reconstruct(asked)
    assert back.shape == asked.intensity.shape
    inside = np.isfinite(back[0])
    assert np.corrcoef(back[0][inside], asked.intensity[0][inside])[0, 1] > 0.97


def test_a_file_gives_the_same_answers(model, tmp_path):
    model.save(tmp_path / "m.pw")
    again = load(tmp_path / "m.pw")
    asked = scan("CeO2")
    np.testing.assert_array_equal(again.scores(asked), model.scores(asked))
    assert again.get_params() == model.get_params()
    stored = read_model(tmp_path / "m.pw")
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", {**recipe, "phases": recipe["phases"][:2]}, dict(stored.arrays))
    with pytest.raises(ModelFileError, match="its parts do not make a phase_novelty"):
        load(tmp_path / "bad.pw")


def test_bad_input_is_told(model):
    with pytest.raises(NotFittedError):
        clone(model).predict(scan("Si"))
    with pytest.raises(OptionError, match="it learns from crystal structures, got patterns. Give CIFs"):
        PhaseNovelty().fit(Patterns([1, 2, 3], [[1, 2, 3]]))
    with pytest.raises(OptionError, match="false_alarm must be between 0.0079 and 1"):
        PhaseNovelty(false_alarm=0.001).fit([TEXTBOOK["Si"]])
    with pytest.raises(OptionError, match="the range is too short"):
        model.answers(scan("Si", grid=(30, 31, 200)))
