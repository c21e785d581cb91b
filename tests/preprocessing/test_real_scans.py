"""The steps on measured scans: what a scientist would look at, in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import peakwise as pw
from peakwise.preprocessing import FilterFourier, Normalise, RemoveSpikes, Resample, StripKalpha2, SubtractBaseline

D5000 = "formats/bruker_raw/D5000_1.RAW"  # quartz-bearing mineral mixture, Co tube
V2O5 = "alab_precursor_mixtures/V2O5-TiO2/V2O5_0p3015-TiO2_0p6998--2min.xrdml"  # Cu tube
SILVER = "rruff_minerals_cif/cubic/Ag_225.xy.gz"  # Cu tube, a few counts of background


def _between(scan, low, high):
    return scan.crop(low, high).intensity[0].mean()


@pytest.mark.parametrize(("file", "grid"), [(D5000, (3, 74, 1421)), (V2O5, (11, 99, 1101)), (SILVER, (6, 89, 2049))])
def test_the_usual_pipeline(real_data, file, grid):
    scan = pw.read(real_data / file)
    steps = make_pipeline(RemoveSpikes(), SubtractBaseline(), StripKalpha2(), Resample(grid), Normalise())
    got = steps.fit_transform(scan)
    assert got.intensity.shape == (1, grid[2])
    assert got.intensity.max() == 1
    # Between the peaks nothing is left but noise: half of the points lie within 2 % of the highest peak around zero.
    assert np.abs(np.percentile(got.intensity, [25, 50])).max() < 0.02
    assert got.wavelength == scan.radiation.lines[0][0]
    np.testing.assert_allclose(got.axis, np.linspace(*grid))
    assert not any("spikes" in w or "settle" in w for w in got.warnings)
    assert any("assumed tube" in w for w in got.warnings) == scan.radiation.assumed
    # Fitted once, it serves later scans of that instrument.
    np.testing.assert_array_equal(steps.transform(scan).intensity, got.intensity)


def test_the_baseline_follows_air_scatter_and_leaves_peaks(real_data):
    scan = pw.read(real_data / D5000)
    flat = SubtractBaseline().fit_transform(scan)
    background = scan.replace(intensity=scan.intensity - flat.intensity)
    # Read off the plot: 250 counts at 12 deg, 390 on the hump at 23 deg, 100 at 68 deg.
    assert _between(background, 11.5, 12.5) == pytest.approx(255, abs=20)
    assert _between(background, 22, 24) == pytest.approx(385, abs=25)
    assert _between(background, 67, 69) == pytest.approx(105, abs=15)
    assert abs(_between(flat, 12, 15)) < 5
    # The quartz peak at 31 deg keeps its height of 6300 counts over a background of 280.
    assert flat.intensity.max() == pytest.approx(scan.intensity.max() - 280, abs=40)


def test_kalpha2_of_quartz_211_is_gone(real_data):
    """Where the doublet of a Co tube is resolved: Kα1 at 70.89 deg, Kα2 by Bragg's law at 71.05 deg."""
    flat = SubtractBaseline().fit_transform(pw.read(real_data / D5000))
    got = StripKalpha2().fit_transform(flat)
    first, second = (70.84, 70.92), (71.03, 71.10)
    assert _between(flat, *second) / _between(flat, *first) > 0.5
    assert _between(got, *second) / _between(got, *first) < 0.15
    # Integrated, two thirds are left.
    assert _between(got, 70, 72) / _between(flat, 70, 72) == pytest.approx(2 / 3, abs=0.03)


def test_spikes_put_into_a_scan_are_found_and_nothing_else(real_data):
    scan = pw.read(real_data / V2O5)
    assert RemoveSpikes().fit_transform(scan).equals(scan)
    rows = np.array(scan.intensity)
    where = np.arange(40, 2040, 100)
    rows[0, where] += 40 * np.sqrt(rows[0, where]) + 2 * rows[0, where]
    got = RemoveSpikes().fit_transform(scan.replace(intensity=rows))
    changed = np.flatnonzero(got.intensity[0] != rows[0])
    assert set(changed) <= set(where)
    assert changed.size >= 19  # one on the very top of a peak may pass for the peak


def test_no_sharp_line_of_any_mineral_is_taken_for_a_spike(real_data):
    files = sorted((real_data / "rruff_minerals_cif").glob("*/*.xy.gz"))[:40]
    touched = [f.name for f in files for p in [pw.read(f)] if not RemoveSpikes().fit_transform(p).equals(p)]
    assert touched == []


def test_the_rule_of_wang_depends_on_the_scale(real_data):
    """Their threshold of 1 is in the unit of the intensity: a weak scan stays, a thousand times as much does not."""
    scan = pw.read(real_data / SILVER)
    assert FilterFourier().fit_transform(scan).intensity.tolist() == scan.intensity.tolist()
    loud = scan.replace(intensity=scan.intensity * 1000)
    filtered = FilterFourier().fit_transform(loud)
    assert filtered.warnings[-1] == "1 of 1 patterns were Fourier-filtered to 200 frequencies"
    assert filtered.crop(50, 60).intensity.std() < 0.5 * loud.crop(50, 60).intensity.std()
