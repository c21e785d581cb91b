"""The studies of descriptors: published numbers as printed, splits that are splits, lines where the cell has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from peakwise.errors import NothingToReadError
from peakwise.patterns import Patterns
from peakwise.studies import STUDIES, Request
from peakwise.studies import microstructure as study
from peakwise.studies._microstructure_tables import PUBLISHED, TARGETS, Scored, all_models, one_model
from peakwise.studies._spread_data import fit_first, line_places, simulated_spread
from studies.asking import document


def test_the_published_numbers_are_those_of_the_issue():
    """Averages of the hybrid and the multimodal workflow, as the tutorial prints them."""
    wanted = {"hybrid": (0.0140, 0.00589, 0.00659, 2.39, None, None, 1.48e-4),
              "multimodal": (0.0123, 0.00627, 0.00565, 1.98, None, None, 1.34e-4)}  # fmt: skip
    for name, numbers in wanted.items():
        for row, number in zip(PUBLISHED[name], numbers, strict=True):
            assert number is None or row[0] == pytest.approx(number, rel=5e-3)
    for rows in PUBLISHED.values():
        assert len(rows) == len(TARGETS)
        # The best of all models is at most that of the best model.
        assert all(least <= best for _, _, best, least in rows)


def test_tables_are_counted_as_the_paper_counts():
    made = Scored("hybrid", np.array([1.0, 10.0]), [np.array([0.1, 3.0]), np.array([0.3, 0.5])],
                  [np.array([0.9, 1.0])] * 2, [1.0, 3.0])  # fmt: skip
    np.testing.assert_allclose(made.normalised, [0.2, 0.175])
    assert made.best == 1  # 0.0925 and 0.01 of mean squares: 0.05 and 0.04625
    table = one_model(made, ("fcc", "hcp"), on_published=False)
    assert list(table.rows[0]) == ["fcc", "0.2 ± 0.14", "0.3", "0.1"]
    assert table.published[0] == ("fcc", "0.01404 ± 0.00556", "0.00845", "0.00779")
    assert "other data" in table.title
    whole = all_models([made], ("fcc", "hcp"), 0.9)
    assert whole.rows[0][0:2] == ("hybrid", "18.75 ± 1.77")
    assert whole.rows[0][-2:] == ("95.0", "2.0")


def test_splits_keep_three_tenths_away_and_repeat():
    learned, asked = study.split(101, 3, 0.3)
    assert (learned.size, asked.size) == (71, 30)
    assert np.array_equal(np.sort(np.r_[learned, asked]), np.arange(101))
    np.testing.assert_array_equal(study.split(101, 3, 0.3)[1], asked)
    assert not np.array_equal(study.split(101, 4, 0.3)[1], asked)


def test_the_study_prints_its_tables_beside_the_published_ones(tmp_path, monkeypatch):
    few = replace(
        study.QUICK, contenders=(study.PAPER[2], study.PLAIN[0]), seeds=(0, 1), epochs=30, autoencoder_epochs=5,
        sizes=(30,), latent=(2, 8),
    )  # fmt: skip
    monkeypatch.setattr(study, "QUICK", few)
    data, name = study.load_data()
    monkeypatch.setattr(study, "load_data", lambda: ({k: p[:90] for k, p in data.items()}, name))
    made = document(tmp_path, "microstructure")
    titles = [table["title"] for table in made["tables"]]
    assert titles[0] == "All models: mean RMSE over the splits"
    hybrid = next(t for t in made["tables"] if t["title"].startswith("hybrid (table IV"))
    assert [row[0] for row in hybrid["rows"]] == list(TARGETS) == [row[0] for row in hybrid["published"]]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for said in ("Errors over the splits", "Learning curves", "How many latent numbers?"):
        assert said in page
    assert any("the published set is not in the cache" in text for text in made["warnings"])


def test_lines_of_a_monoclinic_cell_lie_where_a_plain_formula_has_them():
    a, b, c, beta = 9.8, 8.85, 6.82, 107.4
    hkl, q = line_places(a, b, c, beta, 3.0)
    basis = np.array([[a, 0, 0], [0, b, 0], [c * np.cos(np.radians(beta)), 0, c * np.sin(np.radians(beta))]])
    slow = 2 * np.pi * np.linalg.norm(hkl @ np.linalg.inv(basis).T, axis=1)
    np.testing.assert_allclose(q[0], slow, rtol=1e-12)
    assert ((hkl[:, 0] + hkl[:, 1]) % 2 == 0).all()
    assert (np.diff(q[0]) >= 0).all()


def test_simulated_spreads_have_lines_where_their_cells_have_them():
    q = np.linspace(1.6, 3.25, 601)
    edges = {"a": np.array([9.78, 9.87]), "b": np.array([8.84, 8.92]), "c": np.array([6.82, 6.84])}
    hkl, places = line_places(9.78, 8.84, 6.82, 107.5, 3.35)
    heights = np.where(np.arange(len(hkl)) % 7 == 3, 1.0, 0.0)
    rows = sum(h * np.exp(-np.log(2) * ((q - p) / 0.009) ** 2) for h, p in zip(heights, places[0], strict=True))
    measured = Patterns(q, np.stack([rows + 0.2] * 2), "q")
    beta, _, found = fit_first(measured, edges)
    assert beta == pytest.approx(107.5, abs=0.15)
    assert found.size == len(hkl)
    plain, noisy = (simulated_spread(measured, edges, 5, has_noise=n, random_state=0) for n in (False, True))
    for name in "abc":
        low, high = edges[name].min() * 0.994, edges[name].max() * 1.006
        assert ((plain.meta[name] >= low) & (plain.meta[name] <= high)).all()
        np.testing.assert_array_equal(plain.meta[name], noisy.meta[name])
    assert np.abs(np.diff(noisy.intensity, 2, axis=1)).mean() > 0


def test_measured_scans_are_asked_for():
    with pytest.raises(NothingToReadError, match="PEAKWISE_DATA"):
        STUDIES["sim-to-measured"].run(Request(data=None))


@pytest.mark.real_data
def test_fat_is_read_off_near_infrared_better_than_by_partial_least_squares(real_data):
    from peakwise.estimators import DescriptorRegressor
    from peakwise.io import read

    learned, asked = (read(real_data / "nir_tecator" / f"Tecator_{part}.ts") for part in ("TRAIN", "TEST"))
    truth = np.asarray(asked.meta["target"], float)
    errors = {}
    for name in ("partial_least_squares", "gaussian_process"):
        model = DescriptorRegressor(name, bins=None, folds=2).fit(learned, targets=("target",))
        errors[name] = np.sqrt(np.mean((model.predict(asked)[:, 0] - truth) ** 2))
    assert errors["gaussian_process"] < 0.65 < errors["partial_least_squares"] < 2.2
