"""Whole answers: phases, mixtures, none of these, other radiations and axes, hostile scans, files."""

import json
import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

import peakwise as pw
from matched import ANGLES, FORTY, forty, scan_of, simple
from peakwise.crystal import TEXTBOOK, Phase, PhaseLibrary
from peakwise.errors import OptionError, PatternsError, PeakwiseError
from peakwise.estimators import PhaseIdentifier, load
from peakwise.patterns import Patterns, Radiation
from peakwise.simulate import Instrument, Simulator


def ids(answer):
    return {p.phase for p in answer.phases}


def one(identifier, scan, **more):
    (answer,) = identifier.identify(scan, **more)
    return answer


def plain(answer):
    return json.dumps(answer.to_dict(curves=True), sort_keys=True)


# Phases


def test_single_phases_are_found_with_their_numbers(identifier):
    scans = Simulator(forty(), ANGLES, radiation="CuKa", random_state=3).draw(12)
    answers = identifier.identify(scans, max_phases=1)
    named = {str(w): a for w, a in zip(scans.meta["phases"], answers, strict=True)}
    right = sum(a.candidates[0].phase == w for w, a in named.items())
    assert right >= len(named) - 1
    for answer, name in zip(answers, scans.names, strict=True):
        assert answer.scan == name
        assert 0 <= answer.none_of_these <= 1
        assert sum(c.probability for c in answer.candidates) <= 1 - answer.none_of_these + 1e-9
        values = [c.probability for c in answer.candidates]
        assert values == sorted(values, reverse=True)
        assert 5 <= len(values) <= 10
        for p in answer.phases:
            assert 0 <= p.probability <= 1
            assert p.weight_fraction == pytest.approx(1)
            np.testing.assert_allclose(p.cell, TEXTBOOK[p.phase].cell, rtol=0.03)
            assert p.formula == TEXTBOOK[p.phase].formula


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("wanted", "shares"),
    [(("Al2O3-alpha", "ZnO"), (0.75, 0.25)), (("TiO2-anatase", "TiO2-rutile"), (0.5, 0.5)),
     (("CaCO3-calcite", "SiO2-quartz", "CaF2"), (0.4, 0.35, 0.25))],
)  # fmt: skip
def test_mixtures_are_found_with_their_fractions(identifier, wanted, shares, seed):
    scan = scan_of([TEXTBOOK[n] for n in wanted], shares, seed=seed, strain_a=0.001, strain_b=0.001, strain_c=0.001)
    answer = one(identifier, scan, effort="normal")
    assert ids(answer) == set(wanted)
    for p in answer.phases:
        share = shares[wanted.index(p.phase)]
        assert p.weight_fraction == pytest.approx(share, abs=0.06)
        assert abs(p.weight_fraction - share) < 3 * p.weight_fraction_error
        assert p.probability > 0.5
    assert sum(p.weight_fraction for p in answer.phases) == pytest.approx(1)
    order = [p.weight_fraction for p in answer.phases]
    assert order == sorted(order, reverse=True)
    assert answer.rwp < 0.12
    assert {c.phase for c in answer.candidates[: len(wanted)]} == set(wanted)


def test_max_phases_is_kept(identifier):
    names = ("CaCO3-calcite", "SiO2-quartz", "CaF2")
    scan = scan_of([TEXTBOOK[n] for n in names], (0.4, 0.35, 0.25))
    for most in (1, 2):
        answer = one(identifier, scan, max_phases=most)
        assert len(answer.phases) <= most
        assert ids(answer) <= set(names)
        assert answer.unexplained


def test_curves_add_up(identifier):
    scan = scan_of([TEXTBOOK["Al2O3-alpha"], TEXTBOOK["ZnO"]], (0.6, 0.4), counts=9000)
    answer = one(identifier, scan, curves=True)
    c = answer.curves
    assert set(c.phases) == {"Al2O3-alpha", "ZnO"}
    np.testing.assert_allclose(
        c.background + sum(c.phases.values()), c.calculated, rtol=1e-6, atol=1e-6 * c.calculated.max()
    )
    assert c.observed.max() == pytest.approx(scan.intensity.max(), rel=0.1)
    assert (np.diff(c.axis) > 0).all()
    assert (c.kind, c.unit) == ("two_theta", "deg")
    d = np.unique(np.round(TEXTBOOK["ZnO"].reflections(1.2).s2 ** -0.5 / 2, 6))
    lam = scan.radiation.wavelength
    angles = np.degrees(2 * np.arcsin(np.clip(lam / 2 / d, 0, 1)))
    for tick in c.ticks["ZnO"]:
        assert tick > 80 or abs(angles - tick).min() < 0.15
    json.dumps(answer.to_dict(curves=True), allow_nan=False)
    assert one(identifier, scan).curves is None


# None of these


@pytest.mark.parametrize("name", ["CaCO3-calcite", "forsterite", "Y2O3", "ZnO"])
def test_what_is_not_known_is_doubted_more(name):
    rest = [p for p in forty() if p.id != name]
    scan = scan_of([TEXTBOOK[name]], counts=5000)
    without = PhaseIdentifier(effort="quick", max_phases=1, threads=1).fit(rest)
    answer = one(without, scan)
    known = one(without.add([TEXTBOOK[name]]), scan)
    assert known.candidates[0].phase == name
    assert ids(known) == {name}
    assert known.none_of_these < answer.none_of_these
    assert answer.phases == ()
    assert any("none of these: no phase explains the scan (the nearest is " in w for w in answer.warnings)
    assert len(answer.unexplained) > 4


def test_a_lower_false_alarm_answers_more(identifier):
    scan = scan_of([TEXTBOOK["fluorapatite"]], counts=300, strain_a=0.01, strain_b=0.01, strain_c=-0.01)
    strict = clone(identifier).set_params(false_alarm=0.5).fit(forty())
    loose = clone(identifier).set_params(false_alarm=0.01).fit(forty())
    a, b = one(strict, scan, max_phases=1), one(loose, scan, max_phases=1)
    assert a.none_of_these == pytest.approx(b.none_of_these)
    assert len(a.phases) <= len(b.phases)


# Chemistry


def test_elements_and_without(identifier):
    scan = scan_of([TEXTBOOK["ZnO"]])
    only = clone(identifier).set_params(elements=["Zn", "O", "Ti"]).fit(forty())
    answer = one(only, scan)
    assert ids(answer) == {"ZnO"}
    assert {c.phase for c in answer.candidates} == {"ZnO", "TiO2-anatase", "TiO2-rutile", "TiO2-brookite"}
    never = clone(identifier).set_params(without=["Zn"]).fit(forty())
    answer = one(never, scan)
    assert "ZnO" not in ids(answer) | {c.phase for c in answer.candidates}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"elements": "Ti,O"},
            r"elements must be a sequence of symbols of elements, got 'Ti,O'\. Give e\.g\. \['Ti', 'O'\]",
        ),
        ({"elements": ["Ti", "oxygen"]}, "got 'oxygen'"),
        ({"without": ["zn"]}, "without must be a sequence of symbols of elements, got 'zn'"),
        ({"elements": ["U"]}, "no phase of 40 consists of U"),
        ({"without": sorted({e for p in forty() for e in p.elements})}, "no phase of 40 consists of other elements"),
    ],
)
def test_chemistry_that_leaves_nothing_is_one_sentence(identifier, options, message):
    with pytest.raises(OptionError, match=message):
        clone(identifier).set_params(**options).fit(forty()).identify(scan_of([TEXTBOOK["ZnO"]]))


# What cannot be told


def test_two_phases_of_one_pattern_are_both_named():
    sites = [("Na+", (0, 0, 0)), ("Cl-", (0.5, 0.5, 0.5))]
    cell = (5.6402, 5.6402, 5.6402, 90, 90, 90)
    salt, again = (Phase.from_parameters(name, "Fm-3m", cell, sites) for name in ("salt", "again"))
    like = Phase.from_parameters("like", "Fm-3", cell, sites)  # the same atoms at the same places, less symmetry
    rest = [TEXTBOOK["W"], TEXTBOOK["SiO2-quartz"]]
    scan = scan_of([salt])
    answer = one(PhaseIdentifier(threads=1, max_phases=1).fit([like, salt, *rest]), scan)
    (found,) = answer.phases
    assert {found.phase, *found.alike} == {"salt", "like"}
    assert found.probability < 0.9
    assert any("salt" in w and "like" in w and "cannot be told apart in this scan" in w for w in answer.warnings)
    # Two files of one compound are no doubt about the compound.
    same = one(PhaseIdentifier(threads=1, max_phases=1).fit([again, salt, *rest]), scan)
    assert same.phases[0].probability > 0.9 * (1 - same.none_of_these)
    assert not any("cannot be told apart" in w for w in same.warnings)


def test_one_peak_only_is_said(identifier):
    x = np.linspace(30, 70, 2001)
    y = np.random.default_rng(0).poisson(50 + 2000 * np.exp(-(((x - 44.5) / 0.1) ** 2)))
    answer = one(identifier, Patterns(x, y[None].astype(float), wavelength="CuKa", unit="counts"))
    assert any(w.startswith("there is one peak only") for w in answer.warnings)


def test_a_saturated_detector_is_said(identifier):
    scan = scan_of([TEXTBOOK["CaF2"]], counts=60_000)
    flat = Patterns(scan.axis, np.minimum(scan.intensity, 20_000), wavelength="CuKa", unit="counts")
    answer = one(identifier, flat)
    assert any("the detector may be saturated" in w for w in answer.warnings)
    assert answer.candidates[0].phase == "CaF2"


def test_noise_alone_is_none_of_these(identifier):
    x = np.linspace(20, 90, 3501)
    for seed in range(3):
        y = np.random.default_rng(seed).poisson(100, (1, x.size)).astype(float)
        answer = one(identifier, Patterns(x, y, wavelength="CuKa", unit="counts"))
        assert answer.phases == ()
        assert any("times the noise high" in w for w in answer.warnings)
        assert answer.unexplained == ()


def test_two_hundred_phases_in_one_scan():
    """As many as there are: a true answer or a doubt, in time, and never more phases than were asked for."""
    phases = [TEXTBOOK[n] for n in sorted(TEXTBOOK)[:200]]
    simulator = Simulator(phases, ANGLES, radiation="CuKa")
    rows = simulator.ideal(scale="absolute").intensity.sum(axis=0)
    y = np.random.default_rng(0).poisson(20_000 * rows / rows.max())[None].astype(float)
    fitted = PhaseIdentifier(effort="quick", threads=1, max_phases=3).fit(phases)
    answer = one(fitted, Patterns(simulator.axis, y, wavelength="CuKa", unit="counts"))
    assert len(answer.phases) <= 3
    assert answer.phases == () or len(answer.unexplained) > 3


def test_phases_that_could_not_be_compared_are_named():
    huge = Phase.from_parameters("huge", "P-1", (91, 94, 98, 84, 97, 103), [("Na", (0.27, 0.99, 0.15))])
    fitted = PhaseIdentifier(threads=1, max_phases=2, effort="quick").fit([huge, TEXTBOOK["Si"], TEXTBOOK["MgO"]])
    answer = one(fitted, scan_of([TEXTBOOK["Si"]]))
    assert ids(answer) <= {"Si"}
    assert answer.candidates[0].phase == "Si"
    assert any("huge" in w and "too many lines" in w for w in answer.warnings)


def test_no_line_in_the_range_is_said():
    fitted = PhaseIdentifier(threads=1).fit([TEXTBOOK["W"]])
    answer = one(fitted, scan_of([TEXTBOOK["albite"]], grid=(10.0, 32.0, 1101)))
    assert answer.phases == answer.candidates == ()
    assert answer.none_of_these == 1
    assert any("no line of any phase lies in the range" in w for w in answer.warnings)


# Other light, other axes


LIGHTS = {
    "MoKa": (Instrument.lab_bragg_brentano("MoKa"), (8.0, 45.0, 3701)),
    "CoKa": (Instrument.lab_bragg_brentano("CoKa"), (20.0, 110.0, 3601)),
    "synchrotron": (Instrument.synchrotron(0.4828, w=2e-4), (4.0, 28.0, 4801)),
    "neutrons": (Instrument.neutron(1.54), (15.0, 140.0, 2501)),
}


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("name", ["Al2O3-alpha", "CaF2", "SiO2-quartz"])
def test_other_radiation(identifier, light, name):
    tool, grid = LIGHTS[light]
    scan = scan_of([TEXTBOOK[name]], instrument=tool, grid=grid, strain_a=0.002, strain_b=0.002, strain_c=0.002)
    answer = one(identifier, scan, max_phases=1)
    assert answer.candidates[0].phase == name
    assert ids(answer) == {name}
    found = answer.phases[0]
    np.testing.assert_allclose(np.array(found.cell[:3]) / found.cell_start[:3], 1.002, atol=1e-3)


@pytest.mark.parametrize("kind", ["q", "d"])
def test_axes_of_q_and_d(identifier, kind):
    scan = scan_of([TEXTBOOK["Al2O3-alpha"]], instrument=simple(radiation=Radiation(1.0)), grid=(12.0, 70.0, 5801))
    other = scan.to_axis(kind)
    answer = one(identifier, other, max_phases=1, curves=True)
    assert ids(answer) == {"Al2O3-alpha"}
    assert answer.curves.kind == kind
    assert (np.diff(answer.curves.axis) > 0).all()
    assert answer.curves.axis.min() >= other.axis.min() - 1e-6
    assert answer.curves.axis.max() <= other.axis.max() + 1e-6
    nobody = Patterns(other.axis, other.intensity, kind, unit="counts")
    assert ids(one(identifier, nobody, max_phases=1)) == {"Al2O3-alpha"}
    even = np.linspace(other.axis.min(), other.axis.max(), 6000)
    order = np.argsort(other.axis)
    y = np.interp(even, other.axis[order], other.intensity[0][order].astype(float))
    assert ids(one(identifier, Patterns(even, y[None], kind), max_phases=1)) == {"Al2O3-alpha"}


def test_unexplained_peaks_stand_on_the_scans_own_axis(identifier):
    scan = scan_of([TEXTBOOK["CaF2"]], counts=0, instrument=simple())
    y = 20_000 * scan.intensity[0] / scan.intensity.max() + 200 + 4000 * np.exp(-(((scan.axis - 37.0) / 0.09) ** 2))
    y = np.random.default_rng(0).poisson(y).astype(float)
    (peak,) = one(identifier, Patterns(scan.axis, y[None], wavelength="CuKa", unit="counts"), max_phases=1).unexplained
    d = scan.radiation.wavelength / 2 / math.sin(math.radians(18.5))
    assert peak.axis == pytest.approx(37.0, abs=0.05)
    assert peak.d == pytest.approx(d, rel=2e-3)
    assert peak.intensity == pytest.approx(0.2, abs=0.06)
    q = Patterns(scan.axis, y[None], wavelength="CuKa", unit="counts").to_axis("q")
    (peak,) = one(identifier, q, max_phases=1).unexplained
    assert peak.axis == pytest.approx(2 * math.pi / d, rel=2e-3)
    assert peak.d == pytest.approx(d, rel=2e-3)


# Adding and dropping, files, threads


def test_phases_come_and_go():
    fitted = PhaseIdentifier(threads=1, max_phases=1, effort="quick").fit([TEXTBOOK[n] for n in ("Si", "MgO", "W")])
    scan = scan_of([TEXTBOOK["ZnO"]])
    assert "ZnO" not in ids(one(fitted, scan))
    assert fitted.add([TEXTBOOK["ZnO"]]) is fitted
    assert fitted.classes_.tolist() == ["Si", "MgO", "W", "ZnO"]
    assert ids(one(fitted, scan)) == {"ZnO"}
    fitted.drop("ZnO", "Si")
    assert fitted.classes_.tolist() == ["MgO", "W"]
    assert "ZnO" not in ids(one(fitted, scan))
    with pytest.raises(PeakwiseError, match="gold"):
        fitted.drop("gold")
    with pytest.raises(OptionError, match="there is no phase to identify"):
        fitted.drop("MgO", "W")
    assert fitted.classes_.tolist() == ["MgO", "W"]


def test_a_saved_identifier_gives_the_same_answers(identifier, tmp_path):
    scan = scan_of([TEXTBOOK["Al2O3-alpha"], TEXTBOOK["ZnO"]], (0.6, 0.4))
    path = tmp_path / "model.pw"
    identifier.save(path)
    again = load(path)
    assert isinstance(again, PhaseIdentifier)
    assert again.get_params() == identifier.get_params()
    assert again.classes_.tolist() == list(FORTY)
    assert plain(one(again, scan, curves=True)) == plain(one(identifier, scan, curves=True))
    assert pw.load(path).predict(scan).tolist() == identifier.predict(scan).tolist()
    other = tmp_path / "again.pw"
    again.save(other)
    assert other.read_bytes() == path.read_bytes()


def test_threads_change_nothing(identifier):
    scans = Simulator(forty(), ANGLES, radiation="CuKa", random_state=4).draw(4, mixtures=2)
    two = clone(identifier).set_params(threads=2).fit(forty())
    done = []
    first = identifier.identify(scans, max_phases=2)
    second = two.identify(scans, max_phases=2, progress=lambda n, of: done.append((n, of)))
    assert [plain(a) for a in first] == [plain(a) for a in second]
    assert [plain(a) for a in first] == [plain(one(identifier, s, max_phases=2)) for s in scans]
    assert sorted(done) == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_scans_on_axes_of_their_own(identifier):
    scans = [
        scan_of([TEXTBOOK["ZnO"]]),
        scan_of([TEXTBOOK["Si"]], grid=(25.0, 80.0, 1801)),
        scan_of([TEXTBOOK["Cu"]]).to_axis("q"),
    ]
    assert [ids(a) for a in identifier.identify(scans, max_phases=1)] == [{"ZnO"}, {"Si"}, {"Cu"}]
    assert identifier.identify([]) == []


def test_it_is_a_classifier(identifier):
    scans = [scan_of([TEXTBOOK[n]]) for n in ("ZnO", "Si")]
    both = Patterns(scans[0].axis, np.concatenate([s.intensity for s in scans]), wavelength="CuKa", unit="counts")
    assert identifier.predict(both).tolist() == ["ZnO", "Si"]
    p = identifier.predict_proba(both)
    assert p.shape == (2, 40)
    assert [FORTY[i] for i in p.argmax(axis=1)] == ["ZnO", "Si"]
    assert (p >= 0).all()
    assert (p.sum(axis=1) <= 1 + 1e-9).all()
    assert identifier.score(both, ["ZnO", "Si"]) == 1
    assert identifier.predict(both.to_xarray()).tolist() == ["ZnO", "Si"]


def test_structures_may_come_as_library_folder_or_list(tmp_path):
    library = PhaseLibrary([TEXTBOOK["Si"], TEXTBOOK["MgO"]])
    (tmp_path / "a").mkdir()
    for phase in library:
        (tmp_path / "a" / f"{phase.id}.cif").write_text(phase.to_cif())
    for given in (library, list(library), tuple(library), tmp_path / "a", str(tmp_path / "a")):
        fitted = PhaseIdentifier(threads=1).fit(given)
        assert sorted(fitted.classes_) == ["MgO", "Si"]
    assert PhaseIdentifier(threads=1).fit(TEXTBOOK["Si"]).classes_.tolist() == ["Si"]


# Input and options that are wrong


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (PhaseLibrary(), "there is no phase to identify"),
        ([TEXTBOOK["Si"], "MgO"], "some of what was given are phases and some are not"),
        ([TEXTBOOK["Si"], TEXTBOOK["Si"]], "two phases have the same id"),
    ],
)
def test_wrong_structures_are_one_sentence(given, message):
    with pytest.raises(OptionError, match=message):
        PhaseIdentifier().fit(given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_phases": 0}, "max_phases must be a whole number of at least 1, got 0"),
        ({"max_phases": 1.5}, "max_phases must be a whole number"),
        ({"effort": "lazy"}, "effort must be one of quick, normal, thorough, got 'lazy'"),
        ({"false_alarm": 0}, "false_alarm must be a finite number above 0"),
        ({"false_alarm": 1.0}, "false_alarm must be between 0.0079 and 1"),
        ({"false_alarm": 0.001}, r"false_alarm must be between 0.0079 and 1, got 0.001. Give e.g. 0.05"),
        ({"threads": 0}, "threads must be a whole number of at least 1"),
    ],
)
def test_wrong_options_are_one_sentence(options, message):
    with pytest.raises(OptionError, match=message) as caught:
        PhaseIdentifier(**options).fit([TEXTBOOK["Si"]])
    assert str(caught.value).startswith("cannot fit PhaseIdentifier: ")


@pytest.mark.parametrize(
    ("more", "message"),
    [({"max_phases": 0}, "max_phases must be a whole number of at least 1, got 0"), ({"max_phases": 2.5}, "got 2.5"),
     ({"top": 0}, "top must be a whole number of at least 1, got 0"),
     ({"effort": "lazy"}, "effort must be one of quick")],
)  # fmt: skip
def test_wrong_questions_are_one_sentence(identifier, more, message):
    with pytest.raises(OptionError, match=message):
        identifier.identify(scan_of([TEXTBOOK["Si"]]), **more)


X = np.linspace(*ANGLES)
PEAKS = scan_of([TEXTBOOK["Si"]], instrument=simple()).intensity[0].astype(float)
HOSTILE = {
    "nan": np.full(X.size, np.nan),
    "inf": np.full(X.size, np.inf),
    "a few nan": np.where(X % 10 < 0.5, np.nan, PEAKS),
    "one inf": np.where(np.arange(X.size) == 100, np.inf, PEAKS),
    "constant": np.full(X.size, 5.0),
    "zero": np.zeros(X.size),
    "saturated": np.minimum(PEAKS, 2000.0),
    "spikes": np.where(np.arange(X.size) % 311 == 0, 1e5, 10.0),
    "one spike": np.where(np.arange(X.size) == 1500, 1e5, 0.0),
    "ramp": X * 1e3,
    "decay": np.exp(-X),
    "steps": np.floor(X / 5) * 100,
    "square": np.sign(np.sin(X)),
    "negative": -PEAKS,
    "tiny": PEAKS * 1e-300,
    "tiniest": PEAKS * 1e-320,
    "huge": PEAKS * 1e300,
    "of both signs": (PEAKS - 1e4) * 1e303,
    "alternating": np.arange(X.size) % 2.0,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_scans_are_answered_or_refused(identifier, name):
    scan = Patterns(X, HOSTILE[name][None], wavelength="CuKa")
    try:
        answer = one(identifier, scan, curves=True)
    except PeakwiseError:
        answer = None
    if answer is None:
        with pytest.raises(PeakwiseError, match=r"^cannot [^\n]*$"):
            identifier.identify(scan)
        assert name not in ("a few nan", "one inf", "tiny", "huge")
        return
    json.dumps(answer.to_dict(curves=True), allow_nan=False)
    if name in ("a few nan", "one inf", "tiny", "huge"):
        assert answer.candidates[0].phase == "Si"
        assert ids(answer) == {"Si"}
    elif name not in ("of both signs", "tiniest"):
        assert answer.phases == () or answer.warnings, name


@pytest.mark.parametrize(
    ("make", "problem", "message"),
    [
        (lambda: Patterns(X[:3], PEAKS[None, :3], wavelength="CuKa"), OptionError, "at least 32 measured points"),
        (lambda: Patterns(X[300:380], PEAKS[None, 300:380], wavelength="CuKa"), OptionError, "the range is too short"),
        (lambda: Patterns(X, PEAKS[None]), OptionError, "the wavelength is not known"),
        (lambda: Patterns(X, PEAKS[None], "raman_shift"), OptionError, "the axis is raman_shift"),
        (lambda: PEAKS[None], OptionError, "the axis is channel"),
        (lambda: PEAKS, PatternsError, "expected 2D array"),
    ],
)
def test_scans_that_say_nothing_are_refused(identifier, make, problem, message):
    scan = make()
    with pytest.raises(problem, match=message):
        identifier.identify(scan)
    with pytest.raises(problem, match=message):
        identifier.check_scan(scan)


def test_an_axis_that_falls_is_turned_round(identifier):
    assert ids(one(identifier, scan_of([TEXTBOOK["Cu"]]).to_axis("d"), max_phases=1)) == {"Cu"}


# scikit-learn


def test_scikit_learn_accepts_it():
    results = check_estimator(PhaseIdentifier(), on_fail="raise", on_skip=None)
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {"check_array_api_input"}
    assert not [r for r in results if r["status"] == "xfail"]
    assert len(results) > 45


def test_clones_and_options():
    model = PhaseIdentifier(max_phases=2, elements=["Ti"], false_alarm=0.1)
    assert clone(model).get_params() == model.get_params()
    assert PhaseIdentifier.__final__
    assert [o for o in model.get_params() if o not in PhaseIdentifier.__doc__] == []
    with pytest.raises(NotFittedError):
        model.predict([[1.0, 2.0]])


def test_labelled_patterns_and_structures_take_turns():
    rng = np.random.default_rng(0)
    rows = np.array([np.exp(-(((X - p) / 2) ** 2)) for p in (30, 30, 60, 60)]) + 0.01 * rng.random((4, X.size))
    patterns = Patterns(X, rows, wavelength="CuKa")
    model = PhaseIdentifier(threads=1, max_phases=1).fit(patterns, ["a", "a", "b", "b"])
    assert model.predict(patterns).tolist() == ["a", "a", "b", "b"]
    with pytest.raises(OptionError, match="it was fitted on labelled patterns and knows no crystal structures"):
        model.identify(patterns)
    model.fit([TEXTBOOK["Si"], TEXTBOOK["MgO"]])
    assert model.predict(scan_of([TEXTBOOK["Si"]])).tolist() == ["Si"]
    model.fit(patterns, ["a", "a", "b", "b"])
    assert model.predict_proba(patterns).shape == (4, 2)
    assert not hasattr(model, "phases_")
