"""What the studies are made of: ranks, baselines of scans, training patterns and held-out experiments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import peakwise as pw
from peakwise.crystal import TEXTBOOK, Phase
from peakwise.errors import NothingToReadError
from peakwise.studies._baselines import (
    Baselines,
    cut_baseline,
    find_scans,
    measured_baselines,
    simulated_baselines,
)
from peakwise.studies._mof_data import augment, draw_experiments, load_mofs, textbook, theoretical, twins_of
from peakwise.studies._mof_models import cosine_scores, filtered, network_scores, to_network, train_network
from peakwise.studies._ranks import ranks_of, share_row, told_share

GRID = (10.0, 80.0, 1401)


@given(arrays(np.float64, (4, 6), elements=st.integers(-3, 3)), st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_a_rank_is_what_sorting_says_and_ties_lose(scores, labels):
    got = ranks_of(scores, np.array(labels))
    for row, label, rank in zip(scores, labels, got, strict=True):
        others = np.delete(row, label)
        assert rank == 1 + sum(value >= row[label] for value in others)
        # In every order of the tied ones the label stands at that place or before it.
        assert sorted([*others, row[label]], reverse=True)[rank - 1] == row[label]


def test_shares_and_their_intervals():
    ranks = np.array([1] * 17 + [2] * 6 + [3] * 4 + [4] + [5] + [9])  # the published network, 30 scans
    assert [round(x, 3) for x in share_row(ranks)] == [0.567, 0.767, 0.9, 0.933, 0.967]
    # Wilson for 17 of 30: the roots of (p - x)^2 = z^2 x (1 - x) / n, solved here by hand.
    z, n, p = 1.959964, 30, 17 / 30
    a, b, c = 1 + z**2 / n, -(2 * p + z**2 / n), p**2
    low, high = sorted(np.roots([a, b, c]))
    assert told_share(ranks, 1) == f"56.7 % ({100 * low:.1f} to {100 * high:.1f})"


def scan_with(peaks, level=50.0, m=4000, seed=0, slope=0.0):
    axis = np.linspace(5, 85, m)
    base = level + slope * np.exp(-(axis - 5) / 20)
    row = base + sum(h * np.exp(-(((axis - p) / 0.1) ** 2)) for p, h in peaks)
    return pw.Patterns(axis, np.random.default_rng(seed).poisson(row), wavelength="CuKa1", unit="counts"), base


def test_a_baseline_is_cut_out_between_planted_peaks():
    peaks = [(20, 2000), (31, 500), (32, 100), (47, 60), (70, 900)]
    scan, _ = scan_with(peaks)
    got, height = cut_baseline(scan)
    assert height == pytest.approx(2000, rel=0.1)
    # Nothing of a peak is left: no value that 3,500 draws of this Poisson noise would not show.
    assert got.max() < 50 + 5 * np.sqrt(50)
    assert 2500 < got.size < 4000
    assert got.mean() == pytest.approx(50, rel=0.02)
    assert got.var() == pytest.approx(50, rel=0.1)  # the noise itself is whole: nothing was smoothed or clipped


def test_a_slope_stays_in_the_baseline():
    scan, base = scan_with([(40, 3000)], slope=200)
    got, _ = cut_baseline(scan)
    assert got[:50].mean() == pytest.approx(base[:50].mean(), rel=0.05)
    assert got[-50:].mean() == pytest.approx(base[-50:].mean(), rel=0.1)


def test_scans_that_are_all_peaks_or_unreadable_are_left_out(tmp_path):
    folder = tmp_path / "rruff_minerals_cif" / "cubic"
    folder.mkdir(parents=True)
    good, _ = scan_with([(40, 3000)])
    full, _ = scan_with([(p, 3000) for p in np.arange(5, 85, 0.5)])
    for name, scan in (("a", good), ("b", full)):
        pw.write(scan, folder / f"{name}.xy")
        (folder / f"{name}.xy").rename(folder / f"{name}.xy.gz")  # plain text under that name is read by its content
    (folder / "c.xy.gz").write_bytes(b"no scan at all")
    paths = find_scans(tmp_path)
    assert [p.name for p in paths] == ["a.xy.gz", "b.xy.gz", "c.xy.gz"]
    got = measured_baselines(paths, lambda share: None)
    assert len(got) == 1
    assert got.is_measured


def test_simulated_baselines_are_poisson_noise():
    got = simulated_baselines(30, 5000, 3)
    assert not got.is_measured
    for row, height in zip(got.stretches, got.heights, strict=True):
        assert 0.005 < row.mean() / height < 0.25
        assert row.var() == pytest.approx(row.mean(), rel=0.15)
    again = simulated_baselines(30, 5000, 3)
    np.testing.assert_array_equal(got.stretches[7], again.stretches[7])
    assert not np.array_equal(got.stretches[7], simulated_baselines(30, 5000, 4).stretches[7])


def test_training_patterns_keep_the_largest_points_and_shuffle_noise():
    rng = np.random.default_rng(0)
    patterns = rng.random((3, 300)).astype(np.float32)
    baselines = Baselines(
        [rng.integers(1, 50, 700).astype(float) for _ in range(4)], [100.0, 200.0, 300.0, 400.0], True
    )
    rows = augment(patterns, baselines, 5, 40, 150, seed=1)
    assert rows.shape == (3, 5, 300)
    allowed = baselines.bank(150)
    for pattern, copies in zip(patterns, rows, strict=True):
        largest = np.argsort(-pattern)[:40]
        for row in copies:
            np.testing.assert_array_equal(row[largest], pattern[largest])
            rest = np.delete(row, largest)
            # Every other value is noise of one scan, each of its 150 points at most twice in 300.
            whose = [k for k, bank in enumerate(allowed) if np.isin(rest, bank).all()]
            assert whose
            values, counts = np.unique(rest, return_counts=True)
            most = dict(zip(*np.unique(allowed[whose[0]], return_counts=True), strict=True))
            assert all(c <= 2 * most[v] for v, c in zip(values, counts, strict=True))
        assert not np.array_equal(copies[0], copies[1])
    np.testing.assert_array_equal(rows, augment(patterns, baselines, 5, 40, 150, seed=1))


def test_calculated_patterns_have_their_lines_where_bragg_says():
    phases = [TEXTBOOK["Si"], TEXTBOOK["NaCl"]]
    rows = theoretical(phases, GRID)
    axis = np.linspace(*GRID)
    assert rows.max(axis=1).tolist() == [1, 1]
    # Strongest lines: Si (111) of a = 5.431, NaCl (200) of a = 5.640.
    for row, d in zip(rows, (5.431 / np.sqrt(3), 5.640 / 2), strict=True):
        bragg = 2 * np.degrees(np.arcsin(1.540593 / (2 * d)))
        assert axis[row.argmax()] == pytest.approx(bragg, abs=0.06)


def test_experiments_are_shifted_rescaled_and_on_a_measured_baseline():
    phases = textbook(6, 0)
    baselines = Baselines([np.full(3000, 40.0), np.full(700, 90.0)], [1000.0, 5000.0], True)
    got = draw_experiments(phases, 4, GRID, baselines, seed=5)
    assert got.counts.shape == (24, 1401)
    assert got.labels.tolist() == np.repeat(np.arange(6), 4).tolist()
    ideal = theoretical(phases, GRID)
    moved, unlike = [], []
    for counts, label in zip(got.counts, got.labels, strict=True):
        base = 40 if counts.min() < 90 else 90
        height = {40: 1000, 90: 5000}[base]
        assert counts.max() - base == pytest.approx(height, rel=0.15)
        net, own = counts - base, ideal[label]
        moved.append(np.argmax(np.correlate(net, own, "same")) - own.size // 2)
        unlike.append(1 - net @ own / np.linalg.norm(net) / np.linalg.norm(own))
    assert np.ptp(moved) > 1
    assert np.median(unlike) > 0.1
    np.testing.assert_array_equal(got.counts, draw_experiments(phases, 4, GRID, baselines, seed=5).counts)
    assert not np.array_equal(got.counts, draw_experiments(phases, 4, GRID, baselines, seed=6).counts)


def test_twins_are_found():
    quartz = TEXTBOOK["SiO2-quartz"]
    twins = twins_of([TEXTBOOK["Si"], quartz, quartz.renamed("again"), TEXTBOOK["NaCl"]])
    assert twins.astype(int).tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]


def test_the_filter_off_by_rule_and_always():
    axis = np.linspace(*GRID)
    quiet = np.random.default_rng(0).poisson(50, (1, 1401)).astype(float)
    loud = np.random.default_rng(0).poisson(20_000, (1, 1401)).astype(float)
    for counts in (quiet, loud):
        assert filtered(counts, axis, None) is counts
        assert filtered(counts, axis, 0.0).std() < 0.7 * counts.std()
    np.testing.assert_array_equal(filtered(quiet, axis, 1.0), quiet)
    assert filtered(loud, axis, 1.0).std() < 0.7 * loud.std()


def test_the_search_match_undoes_shift_strain_and_background():
    phases = textbook(12, 0)
    baselines = Baselines([np.random.default_rng(0).poisson(60, 3000).astype(float)], [2000.0], False)
    got = draw_experiments(phases, 2, GRID, baselines, seed=1)
    ranks = ranks_of(cosine_scores(theoretical(phases, GRID), got.counts, np.linspace(*GRID)), got.labels)
    assert (ranks == 1).mean() > 0.9


def test_the_network_learns_and_its_scores_rank_like_its_answer():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    rows = rng.random((180, 100)).astype(np.float32) * 0.3
    for label in range(3):
        rows[labels == label, 20 + 25 * label : 26 + 25 * label] += 1
    objective, told = train_network(
        to_network(rows), labels, to_network(rows), labels, epochs=12, seconds=60, seed=0, device="cpu",
        tell=lambda share: None,
    )  # fmt: skip
    assert told["epochs"] == 12
    assert told["validation_accuracy"] > 0.9
    scores = network_scores(objective, 700 * rows)
    assert (scores.argmax(axis=1) == labels).mean() == pytest.approx(told["validation_accuracy"], abs=0.02)


def test_structures_that_are_not_there_are_asked_for(tmp_path):
    for data, where in ((None, "no folder was given"), (tmp_path, "cif_library has none of them")):
        with pytest.raises(NothingToReadError, match=f"cannot repeat the study: .*CoRE_MOF_2014.*{where}.*--quick"):
            load_mofs(data, 5, 0, lambda share: None, 1)


def test_too_few_structures_are_an_error_and_zeolites_are_left_out(tmp_path):
    import zipfile

    from peakwise.crystal import textbook_cif

    (tmp_path / "cif_library").mkdir()
    with zipfile.ZipFile(tmp_path / "cif_library" / "raspa_mof_zeolite_cifs.zip", "w") as archive:
        archive.writestr("mofs/cif/one.cif", textbook_cif("Si"))
        archive.writestr("mofs/cif/two.cif", textbook_cif("NaCl"))
        archive.writestr("zeolites/cif/three.cif", textbook_cif("Cu"))
    got = load_mofs(tmp_path, 2, 0, lambda share: None, 1)
    assert sorted(p.id for p in got) == ["one", "two"]
    assert all(isinstance(p, Phase) for p in got)
    with pytest.raises(NothingToReadError, match="3 usable structures are needed, got 2"):
        load_mofs(tmp_path, 3, 0, lambda share: None, 1)


def test_noise_of_measured_scans(real_data):
    """What the paper says of measured noise, checked on scans: it is there, and it is not that of the mean alone."""
    paths = find_scans(real_data)[::12]
    got = measured_baselines(paths, lambda share: None)
    assert len(got) > 0.5 * len(paths)
    for stretch, height in zip(got.stretches, got.heights, strict=True):
        assert stretch.size >= 500
        assert 0 <= np.median(stretch) < height
        # Counts: neighbours differ by at least half of what Poisson noise would make them differ.
        assert np.diff(stretch).std() > 0.5 * np.sqrt(2 * max(stretch.mean(), 1))
