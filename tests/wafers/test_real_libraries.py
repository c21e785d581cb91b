"""Measured libraries: regions of experts, and the cells that were refined by hand."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from peakwise import Patterns
from peakwise.preprocessing import SubtractBaseline
from peakwise.wafers import factorise, join_library, log_grid, phase_regions, read_library, shift_points


def test_regions_of_fe_pd_ga_are_nearer_to_the_experts_than_plain_groups(real_data):
    rows = np.loadtxt(real_data / "combi_FePdGa/FePdGa_XRD.csv.gz", delimiter=",")
    table = read_library(real_data / "combi_FePdGa/FePdGa_composition.csv", columns=["Fe", "Pd", "Ga", "region"])
    scans = join_library(Patterns(rows[0], rows[1:], wavelength="CuKa"), table)
    truth = scans.meta["region"].astype(int)
    grid = log_grid(scans)
    reach = shift_points(grid)
    lengths = np.linalg.norm(scans.intensity, axis=1, keepdims=True)
    plain = KMeans(6, n_init=10, random_state=0).fit_predict(scans.intensity / lengths)
    beside = adjusted_rand_score(truth, plain)
    for method in ("agglomerative", "spectral"):
        for number in (6, None):
            found = phase_regions(grid.intensity, number, method, most_shift=reach)
            assert adjusted_rand_score(truth, found.labels) > beside + 0.1


def test_shifts_of_cr_fe_v_o_are_the_refined_cells(real_data):
    box = real_data / "combi_CrFeVO"
    scans = Patterns(np.load(box / "CrFeVO_q.npy") / 10, np.load(box / "CrFeVO_data.npy"), "q")
    grid = log_grid(SubtractBaseline("imodpoly").fit_transform(scans), 2400)
    found = factorise(grid.intensity, None, shift_points(grid))
    assert found.n_components == 2  # the substrate, which stays where it is, and the solid solution
    larger = -found.shifts * np.log(grid.axis[1] / grid.axis[0])
    assert np.ptp(larger[:, 0]) < 0.001
    refined = np.log(np.loadtxt(box / "reference_lp_a.csv", delimiter=",", skiprows=1)[::-1, 1])
    assert np.corrcoef(refined, larger[:, 1])[0, 1] > 0.95
    assert 0.8 < np.polyfit(refined, larger[:, 1], 1)[0] < 1.2
