"""The scans that come with the package: what is said to be in them is in them."""

import numpy as np
import pytest

from peakwise import datasets
from peakwise.crystal import TEXTBOOK
from peakwise.simulate import simulate


@pytest.fixture(scope="module")
def scans():
    return datasets.load("demo-scans")


def test_they_are_counts_that_say_they_are_simulated(scans):
    assert (len(scans), scans.unit, scans.kind) == (8, "counts", "two_theta")
    assert set(scans.meta["origin"]) == {"simulated"}
    assert "simulated" in datasets.DATASETS["demo-scans"].what.lower()
    assert (scans.intensity >= 0).all()
    assert (scans.intensity == np.round(scans.intensity)).all()
    assert not scans.radiation.assumed


def test_the_seed_decides_and_nothing_else(scans):
    assert (datasets.load("demo-scans").intensity == scans.intensity).all()
    other = datasets.load("demo-scans", random_state=1)
    assert (other.intensity != scans.intensity).any(axis=1).all()
    assert other.meta["phases"].tolist() == scans.meta["phases"].tolist()


def test_all_phases_but_one_are_in_the_embedded_library(scans):
    named = {p for row in scans.meta["phases"] for p in row.split(";")}
    assert named - set(TEXTBOOK) == {"KH2PO4"}
    for shares in scans.meta["weight_fractions"]:
        assert sum(map(float, shares.split(";"))) == pytest.approx(1)


def test_peaks_stand_where_the_phases_have_their_strongest_lines(scans):
    """Each phase's strongest line, from its ideal pattern, is a maximum of the scan within 0.3 deg."""
    for row, phases in zip(scans.intensity, scans.meta["phases"], strict=True):
        for name in phases.split(";"):
            if name not in TEXTBOOK:
                continue
            ideal = simulate(TEXTBOOK[name], (10.0, 90.0, 4001), wavelength="CuKa", ideal=True)
            at = int(ideal.intensity[0].argmax())
            near = row[at - 15 : at + 16].max()
            around = np.median(row[max(at - 150, 0) : at + 151])
            assert near > around + 4 * np.sqrt(around), (name, phases)


def test_the_noise_is_that_of_counting(scans):
    """Differences of neighbours where no peak is: their variance is twice the mean."""
    row = scans.intensity[list(scans.names).index("limestone")].astype(float)
    flat = row[250:450]  # 15 to 19 deg
    assert np.var(np.diff(flat)) == pytest.approx(2 * flat.mean(), rel=0.35)
