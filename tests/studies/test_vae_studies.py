"""The studies of latent maps as a shell sees them, in their quick form and with hardly any training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from peakwise.patterns import convert_axis
from peakwise.studies import _library_data as library
from peakwise.studies import cvae_library, vae_novelty
from peakwise.studies._vae_data import KNOWN, UNKNOWN, made_patterns, mixed
from studies.asking import document


@pytest.mark.parametrize(("hkl", "two_theta"), [((3, 3, 0), 43.6), ((4, 1, 1), 47.03)])
def test_the_unknown_phase_has_its_lines_where_the_paper_has_them(hkl, two_theta):
    a, _, c = UNKNOWN.cell[:3]
    d = 1 / np.sqrt((hkl[0] ** 2 + hkl[1] ** 2) / a**2 + hkl[2] ** 2 / c**2)
    assert convert_axis(np.array([d]), "d", "two_theta", wavelength=1.54059)[0] == pytest.approx(two_theta, abs=0.1)
    assert UNKNOWN.space_group_number == 136
    assert UNKNOWN.n_atoms == 30


def test_patterns_are_between_0_and_1_and_repeat_by_their_seed():
    made, again, other = (made_patterns(list(KNOWN.values()), 3, random_state=s) for s in (0, 0, 1))
    assert made.intensity.shape == (9, 2048)
    assert made.intensity.min() == 0
    assert made.intensity.max() == 1
    np.testing.assert_array_equal(made.intensity, again.intensity)
    assert not np.array_equal(made.intensity, other.intensity)
    half = mixed(made.intensity[:3], made.intensity[3:6], 0.5)
    assert half.shape == (3, 2048)
    assert half.max() == 1


def test_controls_are_what_they_say():
    phases = list(KNOWN.values())[:1]
    plain = vae_novelty.control(phases, 20, 5, {})
    noisy = vae_novelty.control(phases, 20, 5, {"noise": 5.0})
    shifted = vae_novelty.control(phases, 20, 5, {"zero": 0.1})
    longer = vae_novelty.control(phases, 20, 5, {"radiation": 1.005})

    def rough(p):
        return np.median(np.abs(np.diff(p.intensity, 2, axis=1)))

    def at(p):  # where the strongest line is, on average
        return p.axis[p.intensity.argmax(axis=1)]

    assert 3 < rough(noisy) / rough(plain) < 8
    assert np.median(at(shifted) - at(plain)) == pytest.approx(0.1, abs=0.05)
    sines = np.sin(np.radians(at(longer) / 2)) / np.sin(np.radians(at(plain) / 2))
    assert np.median(sines) == pytest.approx(1.005, abs=0.001)
    assert longer.wavelength == plain.wavelength  # the user believes so


def test_novelty_prints_its_tables_beside_the_published_ones(tmp_path, monkeypatch):
    few = replace(vae_novelty.QUICK, n_train=110, n_test=40, n_unknown=30, epochs=8, n_control=4, ratios=5)
    monkeypatch.setattr(vae_novelty, "QUICK", few)
    monkeypatch.setattr("peakwise.estimators._network_scores._STEPS", (60, 60))
    made = document(tmp_path, "vae-novelty")
    first, second, third = made["tables"]
    rows = {row[0]: row for row in first["rows"]}
    assert set(rows) == {
        "VAE, 2 latent numbers", "PCA, 2 components", "PCA, 10 components", "nearest pattern"
    }  # fmt: skip
    for row in rows.values():
        assert row[4] == pytest.approx(row[3] / row[2])
        assert row[5] > 0.8  # the unknown comes back worse
    assert first["published"][0][1] == 0.9916
    assert [row[0] for row in second["rows"]] == ["Fm-3m + Im-3m", "Fm-3m + P6_3/mmc", "Im-3m + P6_3/mmc"]
    assert all(0.25 <= row[1] <= 0.75 for row in second["rows"])
    assert [row[0] for row in third["rows"]][1:4] == list(vae_novelty._CONTROLS)[1:]
    assert any("not open" in w for w in made["warnings"])


def test_the_library_has_21_phases_and_225_areas_on_wedges():
    chosen = library.candidates()
    assert len(chosen) == 21
    assert all(sum(shares) == pytest.approx(1) for _, shares in chosen.values())
    for name, (phase, shares) in chosen.items():
        assert phase.elements == {e for e, s in zip(library.ELEMENTS, shares, strict=True) if s > 0}, name
    areas, truth = library.make_library(0)
    assert len(areas) == len(truth) == 225
    x, y = np.asarray(areas.meta["x"]), np.asarray(areas.meta["y"])
    shares = np.stack([np.asarray(areas.meta[e], float) for e in library.ELEMENTS], axis=1)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    # Along x cobalt rises against nickel at the same y, and each is a wedge from nothing to 13 nm.
    ratio = (shares[:, 0] / shares[:, 1]).reshape(15, 15)
    assert (np.diff(ratio, axis=1) > 0).all()
    np.testing.assert_allclose(ratio.ravel(), (x / 6.67) / (y / 6.59))
    assert 0.2 < np.mean([area.second >= 0 for area in truth]) < 0.4


def test_the_library_study_prints_its_tables(tmp_path, monkeypatch):
    monkeypatch.setattr(cvae_library, "QUICK", replace(cvae_library.QUICK, n_train=8, epochs=4, members=1))
    made = document(tmp_path, "cvae-library")
    first, second = made["tables"]
    rows = {row[0]: row for row in first["rows"]}
    assert {"cVAE", "VAE, no composition", "nearest pattern"} <= set(rows)
    assert 0 <= rows["cVAE"][4] <= 1
    assert rows["VAE, no composition"][4] == ""
    counted = sum(sum(row[1:]) for row in second["rows"])
    assert counted <= int(first["title"].split(",")[1].split()[0])
