"""Retrieval against brute force, and searches for phases that were put into scans."""

import math

import numpy as np
import pytest

from matched import ANGLES, FORTY, forty, scan_of, simple
from peakwise.crystal import TEXTBOOK, Phase
from peakwise.matching import (
    EFFORTS,
    FitSettings,
    LineTable,
    Retriever,
    Rules,
    Searcher,
    doubt,
    doubt_threshold,
    fit_phases,
    judge,
    prepare,
    signs_of_doubt,
    unexplained_peaks,
)
from peakwise.matching._fit import Ground
from peakwise.matching._judge import complexity
from peakwise.matching._retrieve import warp
from peakwise.matching._texture import promised_axes
from peakwise.patterns import Patterns, Radiation
from peakwise.simulate import Simulator

QUICK = EFFORTS["quick"]


def at(*names):
    return [FORTY.index(n) for n in names]


def names(one):
    return {FORTY[i] for i in one.members}


def known(name, **more):
    return prepare(scan_of([TEXTBOOK[name]], **more))


def test_warped_angles_are_where_braggs_law_puts_them():
    for angle in (15.0, 40.0, 88.0):
        d = 1.54 / 2 / math.sin(math.radians(angle / 2))
        for strain, zero in ((0.01, 0.0), (-0.004, 0.05)):
            theta = math.asin(1.54 / 2 / (d * (1 + strain)))
            wanted = 2 * math.degrees(theta) + zero * math.cos(math.radians(angle / 2))
            assert warp(np.array([angle]), strain, zero)[0] == pytest.approx(wanted, abs=1e-9)


def brute_force(phase, scan, strains, zeros, fwhm, d_min=0.95):
    """The largest cosine of the smoothed scan with Gaussians at warped lines, all on the scan's own points."""
    from scipy.ndimage import gaussian_filter1d

    sigma = math.sqrt(fwhm**2 - scan.fwhm**2) / 2.3548 / scan.step
    net = gaussian_filter1d(scan.net, sigma)
    noise = scan.noise / math.sqrt(2 * math.sqrt(math.pi) * sigma)
    net = np.maximum(net - 2 * noise, 0) ** 0.7
    light = scan.radiation
    found, strength = phase.reflections(d_min), phase.intensities(light, d_min) / phase.volume
    best = (0.0, 0.0, 0.0)
    for strain in strains:
        for zero in zeros:
            y = np.zeros(scan.x.size)
            for s2, p in zip(found.s2, strength, strict=True):
                sine = math.sqrt(s2) * light.wavelength
                if sine < 0.999:
                    theta = math.asin(sine)
                    lp = (1 + math.cos(2 * theta) ** 2) / (math.sin(theta) ** 2 * math.cos(theta))
                    place = warp(np.array([math.degrees(2 * theta)]), strain, zero)[0]
                    y += p * lp * np.exp(-4 * math.log(2) * ((scan.x - place) / fwhm) ** 2)
            y = y**0.7
            cosine = float(y @ net / np.linalg.norm(y) / np.linalg.norm(net))
            best = max(best, (cosine, strain, zero))
    return best


@pytest.mark.parametrize(("name", "strain"), [("Al2O3-alpha", 0.008), ("forsterite", 0.0), ("Cu", -0.012)])
def test_the_look_is_that_of_brute_force(searcher, name, strain):
    scan = known(name, strain_a=strain, strain_b=strain, strain_c=strain, frame={"displacement": 0.1})
    look = searcher.retriever.look(scan)
    for other in (name, "SrTiO3", "gypsum", "W"):
        i = FORTY.index(other)
        wanted = brute_force(
            TEXTBOOK[other], scan, np.linspace(-0.016, 0.016, 9), (-0.1, 0.0, 0.1), max(0.3, 2 * scan.fwhm)
        )
        assert look.cosine[i] == pytest.approx(wanted[0], abs=0.03)
        if other == name:
            assert look.strain[i] == pytest.approx(strain, abs=0.0021)
            assert look.cosine[i] > 0.85


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("strain", [-0.014, 0.011])
def test_a_strained_and_shifted_scan_is_found_first(searcher, strain, seed):
    for name in ("NaCl", "ZnO", "SiO2-quartz", "Fe3O4", "zircon"):
        scan = known(
            name, counts=2000, seed=seed, strain_a=strain, strain_b=strain, strain_c=strain,
            frame={"zero": 0.05, "displacement": -0.1},
        )  # fmt: skip
        look = searcher.retriever.look(scan)
        assert FORTY[look.best(1)[0]] == name
        assert look.best(40).tolist() == sorted(range(40), key=lambda i: -look.cosine[i])
        assert look.best(1000).size == 40
        assert look.strain[FORTY.index(name)] == pytest.approx(strain, abs=0.0045)


def test_looks_are_the_same_with_two_threads_and_after_other_ranges():
    phases = forty() * 8
    light = Radiation.named("CuKa")
    table = LineTable.build(phases, light, 0.95, threads=1)
    scans = [known("ZnO"), known("ZnO", grid=(25.0, 80.0, 2751)), known("ZnO", grid=(22.0, 85.0, 3151)), known("ZnO")]
    one, two = Retriever(table, 1), Retriever(table, 2)
    first = [one.look(s).cosine for s in scans]
    np.testing.assert_array_equal(first[0], first[3])
    for scan, cosine in zip(scans, first, strict=True):
        np.testing.assert_array_equal(two.look(scan).cosine, cosine)
        np.testing.assert_array_equal(Retriever(table, 1).look(scan).cosine, cosine)


def test_single_phases_are_found(searcher):
    simulator = Simulator(forty(), ANGLES, radiation="CuKa", random_state=5)
    wrong = []
    for one in simulator.draw(30):
        answer = searcher.search(prepare(one), QUICK)
        wanted = str(one.meta["phases"][0])
        if names(answer.sets[0]) != {wanted}:
            wrong.append((wanted, names(answer.sets[0])))
        assert answer.alone[0] is answer.sets[0]
        assert [h.value for h in answer.sets] == sorted(h.value for h in answer.sets)
        values = [h.value for h in answer.alone[: answer.n_fine]]
        assert values == sorted(values)
    assert not wrong


@pytest.mark.parametrize(
    "wanted",
    [("Al2O3-alpha", "ZnO"), ("CaCO3-calcite", "SiO2-quartz"), ("TiO2-anatase", "TiO2-rutile"),
     ("Fe3O4", "Fe2O3-alpha"),
     ("Al2O3-alpha", "ZnO", "CaF2"), ("SiO2-quartz", "albite", "dolomite")],
)  # fmt: skip
def test_mixtures_are_found(searcher, wanted):
    shares = {2: (0.7, 0.3), 3: (0.45, 0.3, 0.25)}[len(wanted)]
    scan = prepare(
        scan_of([TEXTBOOK[n] for n in wanted], shares, strain_a=0.001, strain_b=0.001, strain_c=0.001, seed=1)
    )
    answer = searcher.search(scan, EFFORTS["normal"], max_phases=3)
    best = answer.sets[0]
    assert names(best) == set(wanted)
    scales = best.fit.scales / best.fit.scales.sum()
    found = {FORTY[i]: w for i, w in zip(best.members, scales, strict=True)}
    for name, share in zip(wanted, shares, strict=True):
        assert found[name] == pytest.approx(share, abs=0.08)
    parts = searcher.parts(answer.scan, best)
    np.testing.assert_allclose(np.sum(parts, axis=0), best.fit.calculated, atol=1e-9)


def test_drawn_mixtures_of_up_to_three(searcher):
    """With everything varied: the share of phases found, and of those answered that are there."""
    simulator = Simulator(forty(), ANGLES, radiation="CuKa", random_state=9)
    hits = answered = there = 0
    for one in simulator.draw(8, mixtures=3):
        shares = [float(w) for w in str(one.meta["weight_fractions"][0]).split(";")]
        wanted = {n for n, w in zip(str(one.meta["phases"][0]).split(";"), shares, strict=True) if w > 0.1}
        found = names(searcher.search(prepare(one), EFFORTS["quick"], max_phases=3).sets[0])
        hits, answered, there = hits + len(wanted & found), answered + len(found), there + len(wanted)
    assert hits >= 0.8 * there
    assert hits >= 0.75 * answered


def test_fits_side_by_side_change_nothing(searcher):
    for shares, most in (((1.0, 0.0), 1), ((0.6, 0.4), 2)):
        scan = prepare(scan_of([TEXTBOOK["ZnO"], TEXTBOOK["CaF2"]], shares))
        one, two = (searcher.search(scan, QUICK, max_phases=most, threads=n) for n in (1, 2))
        for a, b in ((one.alone, two.alone), (one.sets, two.sets)):
            assert [h.members for h in a] == [h.members for h in b]
            assert [h.value for h in a] == [h.value for h in b]


@pytest.mark.parametrize(("name", "r"), [("zircon", 0.55), ("gypsum", 0.6), ("ZnO", 0.55)])
def test_another_axis_of_texture_is_taken_where_the_scan_shows_it(searcher, name, r):
    """Every axis of the simulator in turn: without the search for axes two of three would fit badly."""
    found, worst = set(), 0.0
    for axis in range(3):
        scan = known(name, march=r, march_axis=axis, counts=50_000)
        best = searcher.search(scan, QUICK).sets[0]
        assert names(best) == {name}
        first = fit_phases(scan, [searcher.lines_of(best.members[0], scan)])
        worst = max(worst, first.rwp)
        assert best.fit.rwp <= first.rwp * 1.01
        assert best.fit.rwp < 0.12
        found.add(best.fit.axes)
    assert len(found) > 1
    assert worst > 0.15


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("name", ["gypsum", "ZnO", "TiO2-rutile"])
def test_another_axis_promises_much_where_it_keeps_much(searcher, name, axis):
    settings = FitSettings()
    scan = known(name, march=0.6, march_axis=axis, counts=50_000)
    lines = [searcher.lines_of(FORTY.index(name), scan)]
    cost = [fit_phases(scan, lines, axes=[a]).cost for a in range(3)]
    one = fit_phases(scan, lines)
    promised = promised_axes(scan, lines, one, settings, Ground.of(scan, settings))
    assert sorted((p.member, p.axis) for p in promised) == [(0, 1), (0, 2)]
    assert [p.gain for p in promised] == sorted((p.gain for p in promised), reverse=True)
    if min(cost) > 0.8 * cost[0]:
        assert promised[0].gain < 3
    else:
        assert 8 < promised[0].gain < 2 * (cost[0] - min(cost))


def test_one_phase_is_not_split(searcher):
    for name in ("MgO", "gypsum", "Fe3O4"):
        answer = searcher.search(known(name, march=0.8, seed=3), QUICK, max_phases=3)
        assert names(answer.sets[0]) == {name}


def test_only_what_is_allowed_is_answered(searcher):
    allowed = np.array([n != "ZnO" for n in FORTY])
    scan = known("ZnO")
    answer = searcher.search(scan, QUICK, max_phases=2, allowed=allowed)
    assert not any("ZnO" in names(h) for h in (*answer.alone, *answer.sets))
    answer = searcher.search(scan, QUICK, allowed=allowed, proposed=at("ZnO"))
    assert not any("ZnO" in names(h) for h in answer.alone)
    two = np.array([n in ("ZnO", "W") for n in FORTY])
    assert {frozenset(names(h)) for h in searcher.search(scan, QUICK, allowed=two).alone} == {
        frozenset({"ZnO"}),
        frozenset({"W"}),
    }


def test_what_is_proposed_is_fitted(searcher):
    scan = known("ZnO")
    least = int(searcher.retriever.look(scan).best(40)[-1])
    assert not any(h.members == (least,) for h in searcher.search(scan, QUICK).alone)
    assert any(h.members == (least,) for h in searcher.search(scan, QUICK, proposed=[least]).alone)


def test_phases_with_too_many_lines_are_never_answered():
    huge = Phase.from_parameters("huge", "P-1", (91, 94, 98, 84, 97, 103), [("Na", (0.27, 0.99, 0.15))])
    phases = [huge, TEXTBOOK["Si"], TEXTBOOK["MgO"]]
    table = LineTable.build(phases, Radiation.named("CuKa"), 0.95, threads=1)
    assert len(table.failed) == 1
    answer = Searcher(phases, table).search(known("Si"), QUICK, max_phases=2)
    assert answer.sets[0].members == (1,)
    assert not any(0 in h.members for h in (*answer.alone, *answer.sets))


def test_no_phase_with_a_line_in_the_range_is_no_answer():
    phases = [TEXTBOOK["W"]]
    scan = known("albite", grid=(10.0, 30.0, 2001))
    answer = Searcher(phases, LineTable.build(phases, scan.radiation, 2.5, threads=1)).search(scan, QUICK, max_phases=2)
    assert answer.alone == []
    assert answer.sets == []


def test_the_doublet_is_told_from_its_mean(searcher):
    both = scan_of([TEXTBOOK["CaF2"]], instrument=simple(w=0.006))
    as_number = Patterns(both.axis, both.intensity, wavelength=1.5418)
    answer = searcher.search(prepare(as_number), QUICK)
    assert len(answer.scan.radiation.lines) == 2
    stripped = scan_of([TEXTBOOK["CaF2"]], instrument=simple(w=0.006, radiation=Radiation(1.5418)))
    answer = searcher.search(prepare(stripped), QUICK)
    assert len(answer.scan.radiation.lines) == 1
    assert names(answer.sets[0]) == {"CaF2"}


# The criterion


def test_the_criterion_is_its_formula(searcher):
    scan = known("TiO2-rutile", strain_a=0.002, strain_b=0.002)
    one = searcher.search(scan, QUICK).alone[0]
    fit, rules = one.fit, Rules()
    e = fit.own(0)[4:]
    wanted = fit.misfit / rules.temperature + (fit.parameters[0] / 0.05) ** 2 + (fit.parameters[1] / 0.06) ** 2
    wanted += rules.strain_weight * sum(math.log(1 + (v / rules.strain) ** 2) for v in e) / math.sqrt(2)
    wanted += (fit.own(0)[3] / rules.texture) ** 2
    assert judge(fit, [0], rules) == pytest.approx(wanted, rel=1e-9)
    assert judge(fit, [2], rules) == pytest.approx(wanted + 2 * rules.complexity, rel=1e-9)
    assert judge(fit, [9], rules) == pytest.approx(wanted + 3 * rules.complexity, rel=1e-9)
    assert one.value == pytest.approx(wanted, rel=1e-9)


def test_shared_and_partly_empty_sites_count():
    mixed = Phase.from_parameters(
        "mixed", "Fm-3m", (4.3, 4.3, 4.3, 90, 90, 90),
        [("Mg2+", (0, 0, 0), 0.6), ("Fe2+", (0, 0, 0), 0.4), ("O2-", (0.5, 0.5, 0.5)), ("H", (0.25, 0.25, 0.25), 0.2)],
    )  # fmt: skip
    assert complexity(mixed) == 2
    assert complexity(TEXTBOOK["MgO"]) == 0


# Doubt


def test_a_phase_that_is_not_known_is_more_doubtful_than_one_that_is(searcher):
    """Signs rise and fall as they are meant to, whatever their weights."""
    phases, worse = forty(), 0
    chosen = ("CaCO3-calcite", "ZnO", "forsterite", "Y2O3", "gypsum", "CeO2")
    for name in chosen:
        scan = known(name, counts=4000, seed=2)
        inside = searcher.search(scan, QUICK)
        allowed = np.array([p.id != TEXTBOOK[name].id for p in phases])
        outside = searcher.search(scan, QUICK, allowed=allowed)
        with_it, without = (signs_of_doubt(a) for a in (inside, outside))
        assert np.isfinite(with_it).all()
        assert np.isfinite(without).all()
        assert with_it[0] < without[0]
        assert with_it[1] > without[1]
        assert with_it[3] > 0.1
        worse += doubt(without) > doubt(with_it)
        assert doubt(without) > 0.3
    assert worse == len(chosen)


def test_the_threshold_is_the_quantile_that_was_asked_for():
    values = [doubt_threshold(a) for a in (0.01, 0.05, 0.1, 0.3)]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] <= values[0]


# Peaks that nothing explains


def with_extra(y, x, at_angle, height, fwhm=0.2):
    return y + height * np.exp(-4 * math.log(2) * ((x - at_angle) / fwhm) ** 2)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("place", "height"), [(45.3, 0.3), (62.0, 0.1), (74.2, 0.06)])
def test_an_extra_peak_is_listed_where_it_stands_with_its_height(searcher, place, height, seed):
    clean = scan_of([TEXTBOOK["CaCO3-calcite"]], counts=0, instrument=simple())
    y = clean.intensity[0].astype(float)
    y = with_extra(20_000 * y / y.max(), clean.axis, place, 20_000 * height)
    rows = np.random.default_rng(seed).poisson(y)[None].astype(float)
    scan = prepare(Patterns(clean.axis, rows, wavelength="CuKa", unit="counts"))
    fit = searcher.search(scan, QUICK).alone[0].fit
    (peak,) = unexplained_peaks(scan, fit)
    assert peak.two_theta == pytest.approx(place, abs=0.05)
    assert peak.intensity == pytest.approx(height, rel=0.35)
    assert peak.significance > 5


@pytest.mark.parametrize("counts", [150, 1000, 20_000])
def test_noise_is_no_peak(searcher, counts):
    lists = []
    for seed in range(5):
        scan = known("CaCO3-calcite", counts=counts, seed=seed, instrument=simple())
        fit = searcher.search(scan, QUICK).alone[0].fit
        lists += unexplained_peaks(scan, fit)
    # At 150 counts a wing may stand out by as much as is still told.
    assert len(lists) <= (1 if counts == 150 else 0)
    assert all(p.intensity < 0.03 for p in lists)


def test_without_a_fit_every_peak_is_unexplained():
    scan = known("CaF2", instrument=simple())
    peaks = unexplained_peaks(scan, None)
    d_min = 0.95
    found = TEXTBOOK["CaF2"].reflections(d_min)
    angles = np.degrees(2 * np.arcsin(np.clip(np.sqrt(found.s2) * scan.radiation.wavelength, 0, 1)))
    assert len(peaks) >= 4
    assert [p.intensity for p in peaks] == sorted((p.intensity for p in peaks), reverse=True)
    for p in peaks:
        assert abs(angles - p.two_theta).min() < 0.25  # the second line of the tube among them


def test_the_room_offers_what_it_says():
    assert list(EFFORTS) == ["quick", "normal", "thorough"]
    looked = [e.looked for e in EFFORTS.values()]
    assert looked == sorted(looked)
    assert FitSettings().n_steps > 0
