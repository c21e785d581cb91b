"""What people touch: options and their mistakes, labels, metadata, batches, and how fast it must be."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from itertools import islice

import numpy as np
import pytest

import peakwise.simulate as room
from peakwise.crystal import TEXTBOOK, Phase
from peakwise.errors import AxisError, GridError, OptionError, PeakwiseError
from peakwise.patterns import Radiation
from peakwise.simulate import (
    EFFECTS,
    FRAME,
    PRESETS,
    SLOT,
    Batch,
    Instrument,
    Range,
    Ranges,
    Simulator,
    Tables,
    plain_simulator,
    simulate,
)
from simulate.formulas import bragg, cube, top_of

KA1 = 1.5405929
GRID = (20, 60, 401)


@pytest.fixture(scope="module")
def phases():
    return [TEXTBOOK[n] for n in ("Si", "NaCl", "ZnO", "MgO")]


@pytest.fixture(scope="module")
def simulator(phases):
    return Simulator(phases, GRID, radiation="CuKa", random_state=1, threads=1)


def one_sentence(error):
    """One printable line with its three parts."""
    text = str(error)
    assert "\n" not in text
    assert len(text) < 700
    assert text.endswith(".")
    assert ": " in text
    assert isinstance(error, PeakwiseError)


# --- bad values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({"axis": "d"}, OptionError, "axis must be two_theta or q"),
        ({"noise": "pink"}, OptionError, "noise must be poisson or gaussian"),
        ({"margin": -1.0}, OptionError, "margin must lie within"),
        ({"margin": math.nan}, OptionError, "margin must lie within"),
        ({"margin": 181.0}, OptionError, "margin must lie within"),
        ({"random_state": -1}, OptionError, "random_state must be a whole number"),
        ({"random_state": 1.5}, OptionError, "random_state must be a whole number"),
        ({"random_state": 2**63}, OptionError, "random_state must be a whole number"),
        ({"random_state": None}, OptionError, "random_state must be a whole number"),
        ({"threads": 0}, OptionError, "threads must be a whole number"),
        ({"threads": 1.0}, OptionError, "threads must be a whole number"),
        ({"threads": True}, OptionError, "threads must be a whole number"),
        ({"radiation": "CuKb"}, AxisError, "unknown wavelength"),
        ({"radiation": 0.0}, AxisError, "a wavelength must lie within"),
        ({"radiation": 154.06}, AxisError, "a wavelength must lie within"),
        ({"grid": (0, 60, 100)}, OptionError, "it must lie within 0 and 180 deg"),
        ({"grid": (-5, 60, 100)}, (OptionError, AxisError), "."),
        ({"grid": (20, 180, 100)}, OptionError, "it must lie within 0 and 180 deg"),
        ({"grid": (20, 60, 1)}, GridError, "grid"),
        ({"grid": (60, 20, 100)}, GridError, "grid"),
        ({"grid": [20, 20, 30]}, GridError, "grid"),
        ({"grid": [20, math.nan, 30]}, GridError, "grid"),
        ({"grid": (1.0, 9.0, 100), "axis": "q"}, (OptionError, AxisError), "."),
        ({"backgrounds": np.ones(7)}, OptionError, "401 points each"),
        ({"backgrounds": np.full(401, np.nan)}, OptionError, "must be finite"),
        ({"limit": 3}, OptionError, "limit"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_each_bad_option_of_a_simulator_is_one_sentence(options, kind, why):
    given = {"grid": GRID, "radiation": "CuKa"} | options
    with pytest.raises(kind, match=why) as caught:
        Simulator(TEXTBOOK["Si"], given.pop("grid"), **given)
    one_sentence(caught.value)


@pytest.mark.parametrize(
    ("phases", "why"),
    [
        ([], "no phase was given"),
        (["Si"], "got str where a Phase is needed"),
        ([None], "got NoneType where a Phase is needed"),
        ([cube(4.0), cube(5.0)], "two phases are called 'cube'"),
    ],
    ids=["none", "a name", "None", "twice"],
)
def test_bad_phases_are_one_sentence(phases, why):
    with pytest.raises(OptionError, match=why) as caught:
        Simulator(phases, GRID, radiation="CuKa")
    one_sentence(caught.value)


def test_a_cell_too_large_for_the_range_is_refused_before_anything_is_computed():
    giant = Phase.from_parameters("giant", "P1", (900, 900, 900, 90, 90, 90), [("C", (0, 0, 0))])
    begin = time.perf_counter()
    with pytest.raises(OptionError, match="too many reflections") as caught:
        Simulator(giant, (5, 150, 100), radiation="MoKa")
    assert time.perf_counter() - begin < 2
    assert "limit" in str(caught.value)
    one_sentence(caught.value)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda s: s.draw(0), "n must be a whole number"),
        (lambda s: s.draw(-3), "n must be a whole number"),
        (lambda s: s.draw(2.0), "n must be a whole number"),
        (lambda s: s.draw(True), "n must be a whole number"),
        (lambda s: s.draw(2, mixtures=0), "mixtures must be a whole number"),
        (lambda s: s.draw(2, mixtures=5), "mixtures of 5 phases need as many, got 4"),
        (lambda s: s.draw(2, scale="log"), "scale must be one of"),
        (lambda s: s.draw(2, first=-1), "first"),
        (lambda s: s.draw(2, first=0.5), "first"),
        (lambda s: s.ideal(scale="log"), "scale must be one of"),
        (lambda s: next(s.batches(0)), "size must be a whole number"),
        (lambda s: next(s.batches(4, workers=0)), "workers must be a whole number"),
        (lambda s: next(s.batches(4, ahead=0)), "ahead must be a whole number"),
        (lambda s: next(s.batches(4, mixtures=9)), "mixtures of 9 phases"),
        (lambda s: next(s.batches(4, scale="x")), "scale must be one of"),
        (
            lambda s: s.draw_and_render(2, out=np.empty((3, 401), np.float32)),
            "out must be a writable contiguous float32",
        ),
        (lambda s: s.draw_and_render(2, out=np.empty((2, 401))), "out must be a writable contiguous float32"),
        (
            lambda s: s.draw_and_render(2, out=np.empty((401, 2), np.float32).T),
            "out must be a writable contiguous float32",
        ),
        (lambda s: s.render(s.draw_tables(1), scale="?"), "scale must be one of"),
    ],
)
def test_each_bad_argument_of_a_method_is_one_sentence(simulator, call, why):
    with pytest.raises(OptionError, match=why) as caught:
        call(simulator)
    one_sentence(caught.value)


def edited(simulator, table, name, value):
    tables = simulator.blank(1)
    tables.slots[0, 0, SLOT["phase"]], tables.slots[0, 0, SLOT["weight"]] = 0, 1
    if table == "slots":
        tables.slots[0, 0, SLOT[name]] = value
    else:
        tables.frames[0, FRAME[name]] = value
    return tables


@pytest.mark.parametrize(
    ("table", "name", "value", "why"),
    [
        ("slots", "phase", 4, "a phase that is not there"),
        ("slots", "phase", -2, "a phase that is not there"),
        ("slots", "march_axis", 3, "a texture axis beyond 2"),
        ("slots", "second_axis", -1, "a texture axis beyond 2"),
        ("slots", "march", 0.0, "march or size_ratio of 0 or less"),
        ("slots", "second_march", -1.0, "march or size_ratio of 0 or less"),
        ("slots", "size_ratio", 0.0, "march or size_ratio of 0 or less"),
        ("slots", "weight", math.nan, "not finite"),
        ("frames", "zero", math.inf, "not finite"),
        ("frames", "width", 0.0, "an instrument width of 0 or less"),
        ("frames", "measured", 0.5, "a measured background that is not there"),
    ],
)
def test_bad_tables_are_one_sentence(simulator, table, name, value, why):
    with pytest.raises(OptionError, match=why) as caught:
        simulator.render(edited(simulator, table, name, value))
    one_sentence(caught.value)


def test_tables_of_another_shape_are_one_sentence(simulator):
    good = simulator.draw_tables(2)
    for bad in (
        Tables(good.slots[:, :, :-1], good.frames),
        Tables(good.slots, good.frames[:1]),
        Tables(good.slots[0], good.frames),
        Tables(good.slots.astype(np.float32), good.frames),
    ):
        with pytest.raises(OptionError, match="float64 of shapes") as caught:
            simulator.render(bad)
        one_sentence(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("size", (50, 10), "low <= high is needed"),
        ("size", 0.1, "it must lie within 0.5"),
        ("size", (1, math.inf), "low <= high is needed"),
        ("size", "large", "cannot use the range of size"),
        ("size", (1, 2, 3), "cannot use the range of size"),
        ("march", -1.0, "it must lie within"),
        ("zero", (-9.0, 9.0), "it must lie within"),
        ("zero", Range(0.0, 1.0, "square"), "spacing must be uniform or log"),
        ("zero", Range(0.0, 1.0, share=1.5), "share must lie within 0 and 1"),
        ("zero", Range(0.0, 1.0, share=-0.1), "share must lie within 0 and 1"),
        ("counts", 0, "it must lie within"),
        ("sizes", 3, "unknown effect"),
    ],
)
def test_each_bad_range_is_one_sentence(name, value, why):
    with pytest.raises(OptionError, match=why) as caught:
        Ranges(**{name: value})
    one_sentence(caught.value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"polarisation": 1.2}, "polarisation must lie within"),
        ({"radius": 0.0}, "radius must be above 0"),
        ({"geometry": "sideways"}, "geometry must be reflection or transmission"),
        ({"absorption": -1.0}, "absorption must not be negative"),
        ({"axial_sample": 0.5}, "axial divergence must lie within"),
        ({"w": 0.0}, "give no FWHM above 0"),
        ({"w": -1.0, "u": 0.0}, "give no FWHM above 0"),
        ({"zero": math.nan}, "zero is nan"),
        ({"monochromator": math.inf}, "monochromator is inf"),
        ({"radiation": None}, "it has no radiation"),
    ],
)
def test_each_bad_instrument_is_one_sentence(change, why):
    with pytest.raises(OptionError, match=why) as caught:
        Instrument(**({"radiation": KA1} | change))
    one_sentence(caught.value)


def test_a_device_that_is_not_there_is_one_sentence(simulator):
    pytest.importorskip("torch")
    with pytest.raises(OptionError, match="cannot render on 'warp'") as caught:
        simulator.render(simulator.draw_tables(1), device="warp")
    one_sentence(caught.value)


def test_more_than_fits_into_memory_is_refused_before_anything_is_drawn():
    made = Simulator(TEXTBOOK["Si"], (20, 60, 1_000_000), radiation=KA1, ranges=Ranges.none())
    for call in (made.draw, made.draw_and_render):
        with pytest.raises(OptionError, match="4001 patterns of 1000000 points take 16 GB") as caught:
            call(4001)
        one_sentence(caught.value)


# --- ideal patterns -------------------------------------------------------------------------------------------------


def test_ideal_patterns_are_named_after_their_phases(simulator, phases):
    scans = simulator.ideal()
    assert scans.names.tolist() == ["Si", "NaCl", "ZnO", "MgO"] == list(simulator.ids)
    assert (scans.unit, scans.kind) == ("arbitrary", "two_theta")
    assert scans.wavelength == pytest.approx((2 * 1.5405929 + 1.5444274) / 3)
    assert scans.radiation.lines == Radiation.named("CuKa").lines
    assert scans.meta["formula"].tolist() == [p.formula for p in phases]
    assert scans.meta["space_group"].tolist() == [p.space_group for p in phases]
    assert scans.intensity.dtype == np.float32
    np.testing.assert_allclose(simulator.ideal(scale="max").intensity.max(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(scans.axis, np.linspace(20, 60, 401))


@pytest.mark.parametrize(
    ("wavelength", "angstrom"),
    [("CuKa1", 1.5405929), ("MoKa1", 0.70931715), ("0.4828", 0.4828), (2.2897, 2.2897), ("CoKa", 1.7902757)],
)
def test_wavelengths_may_be_names_and_numbers(wavelength, angstrom):
    scans = simulate(TEXTBOOK["Si"], (5, 80, 7501), wavelength=wavelength, ideal=True)
    assert scans.wavelength == pytest.approx(angstrom, rel=1e-6)
    at = float(bragg(5.4309 / math.sqrt(3), angstrom))
    assert top_of(scans.axis, scans.intensity[0].astype(float)) == pytest.approx(at, abs=0.03)
    assert scans.warnings == ()


def test_a_wavelength_that_nobody_gave_is_said():
    for scans in (
        simulate(TEXTBOOK["Si"], GRID, n=1),
        simulate(TEXTBOOK["Si"], GRID, ideal=True),
        Simulator(TEXTBOOK["Si"], GRID).ideal(),
    ):
        assert len(scans.warnings) == 1
        assert "CuKa" in scans.warnings[0]
        assert "assumed" in scans.warnings[0]
        assert scans.wavelength == pytest.approx(1.54187, abs=1e-5)


def test_an_instrument_brings_its_own_radiation_and_may_get_another():
    tool = Instrument.synchrotron()
    assert simulate(TEXTBOOK["Si"], GRID, instrument=tool, ideal=True).wavelength == 0.4828
    assert simulate(TEXTBOOK["Si"], GRID, instrument=tool, wavelength="CuKa1", ideal=True).wavelength == KA1


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_patterns(name):
    tool = PRESETS[name]()
    scans = Simulator(TEXTBOOK["Si"], GRID, instrument=tool).draw(2)
    assert np.isfinite(scans.intensity).all()
    assert scans.radiation.probe == ("neutron" if name == "neutron" else "xray")
    assert tool.narrowest() > 0


def test_fwhm_of_the_presets_is_as_described():
    lab = Instrument.lab_bragg_brentano()
    assert lab.fwhm([20.0, 30.0]).round(2).tolist() == [0.15, 0.15]
    assert float(lab.fwhm(90.0)) == pytest.approx(0.17, abs=0.005)


def test_a_q_grid_gives_q_patterns():
    scans = simulate(TEXTBOOK["Si"], (1.0, 5.0, 4001), wavelength=KA1, axis="q", ideal=True)
    assert scans.kind == "q"
    assert top_of(scans.axis, scans.intensity[0].astype(float)) == pytest.approx(
        2 * math.pi * math.sqrt(3) / 5.4309, abs=2e-3
    )


def test_a_phase_without_a_line_in_the_range_is_warned_about():
    scans = simulate([cube(4.0), cube(1.2, id="small")], GRID, wavelength=KA1, ideal=True)
    assert scans.warnings == ("no line of small lies in the range",)
    assert not scans.intensity[1].any()
    drawn = Simulator([cube(1.2, id="small")], GRID, radiation=KA1).draw(3)
    assert np.isfinite(drawn.intensity).all()


# --- drawn patterns -------------------------------------------------------------------------------------------------


def test_draws_carry_their_labels(simulator):
    scans = simulator.draw(300, mixtures=3)
    assert (scans.unit, scans.kind, scans.n_points, len(scans)) == ("counts", "two_theta", 401, 300)
    assert scans.names[[0, 299]].tolist() == ["000000", "000299"]
    np.testing.assert_array_equal(scans.intensity, np.floor(scans.intensity))
    tables = simulator.draw_tables(300, mixtures=3)
    labels = simulator.labels_of(tables)
    assert labels.shape == (300, 4)
    assert labels.dtype == np.float32
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, atol=1e-6)
    for i in range(300):
        names = scans.meta["phases"][i].split(";")
        shares = [float(x) for x in scans.meta["weight_fractions"][i].split(";")]
        assert len(set(names)) == len(names) == len(shares)
        assert sum(shares) == pytest.approx(1.0, abs=5e-6)
        assert min(shares) >= 0.03 - 1e-6
        for name, share in zip(names, shares, strict=True):
            assert labels[i, simulator.ids.index(name)] == pytest.approx(share, abs=2e-6)
        assert np.count_nonzero(labels[i]) == len(names)


def test_numbers_of_phases_and_kinds_of_phases_are_equally_probable(simulator):
    labels = simulator.labels_of(simulator.draw_tables(12_000, mixtures=3))
    many = np.bincount((labels > 0).sum(axis=1), minlength=4) / 12_000
    np.testing.assert_allclose(many, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.02)
    np.testing.assert_allclose((labels > 0).mean(axis=0), 0.5, atol=0.02)


def test_weight_fractions_of_two_are_flat(simulator):
    from scipy import stats

    labels = simulator.labels_of(simulator.draw_tables(8000, mixtures=2))
    rows = labels[(labels > 0).sum(axis=1) == 2]
    first = rows[rows > 0].reshape(-1, 2)[:, 0]
    assert stats.kstest((first - 0.03) / 0.94, "uniform").pvalue > 1e-3


def test_meta_holds_every_number_that_was_drawn(simulator):
    scans = simulator.draw(50, mixtures=2)
    tables = simulator.draw_tables(50, mixtures=2)
    for name in ("size", "strain_a", "microstrain", "b_extra", "march"):
        for s in (0, 1):
            np.testing.assert_array_equal(scans.meta[f"{name}_{s + 1}"], tables.slots[:, s, SLOT[name]])
    for name in ("zero", "displacement", "background", "counts", "width"):
        np.testing.assert_array_equal(scans.meta[name], tables.frames[:, FRAME[name]])
    alone = simulator.draw(50)
    assert "size" in alone.meta
    assert "size_1" not in alone.meta
    np.testing.assert_array_equal(alone.meta["phase"], alone.meta["phases"])


def test_what_nowhere_acts_is_not_in_meta():
    scans = Simulator(TEXTBOOK["Si"], GRID, radiation="CuKa", ranges=Ranges.none(size=20)).draw(4)
    assert set(scans.meta) == {"phases", "weight_fractions", "phase", "weight", "size"}
    assert scans.meta["size"].tolist() == [20.0] * 4
    assert scans.unit == "arbitrary"


def test_scales_of_draws(simulator):
    shares, counts, absolute = (simulator.draw(20, scale=s) for s in ("max", "counts", "absolute"))
    assert (shares.unit, counts.unit, absolute.unit) == ("arbitrary", "counts", "arbitrary")
    np.testing.assert_allclose(shares.intensity * shares.meta["counts"][:, None], counts.intensity, rtol=1e-4, atol=1.1)
    assert absolute.intensity.min() >= 0


def test_the_smallest_weight_can_be_set():
    made = Simulator([TEXTBOOK["Si"], TEXTBOOK["NaCl"]], GRID, radiation="CuKa", ranges=Ranges(min_weight=0.2))
    labels = made.labels_of(made.draw_tables(500, mixtures=2))
    assert labels[labels > 0].min() >= 0.2 - 1e-6


def test_simulate_is_the_simulator_in_one_line():
    options = {"random_state": 4, "ranges": Ranges(spike=None)}
    made = simulate([TEXTBOOK["Si"], TEXTBOOK["NaCl"]], GRID, wavelength="CuKa", n=12, mixtures=2, **options)
    same = Simulator([TEXTBOOK["Si"], TEXTBOOK["NaCl"]], GRID, radiation="CuKa", **options).draw(12, mixtures=2)
    np.testing.assert_array_equal(made.intensity, same.intensity)
    assert len(simulate(TEXTBOOK["Si"], (20, 40, 50), wavelength="CuKa")) == 1000


def test_one_phase_or_any_iterable_of_phases_will_do():
    single = simulate(TEXTBOOK["Si"], GRID, wavelength=KA1, ideal=True)
    many = simulate((TEXTBOOK[n] for n in ("Si", "NaCl")), GRID, wavelength=KA1, ideal=True)
    np.testing.assert_array_equal(single.intensity[0], many.intensity[0])


def test_the_plain_simulator_takes_the_other_options():
    made = plain_simulator(TEXTBOOK["Si"], GRID, radiation="CuKa", random_state=3, threads=1)
    assert (made.seed, made.threads, made.span) == (3, 1, (20.0, 60.0))
    assert made.instrument.axial_sample == made.instrument.axial_detector == 0


def test_axis_and_grid_are_kept_and_shown(simulator):
    assert repr(simulator) == "Simulator: 4 phases, two_theta 20 to 60 in 401 points, wavelength 1.54187 angstrom"
    assert repr(Simulator(TEXTBOOK["Si"], (1, 4, 31), radiation=KA1, axis="q")).startswith(
        "Simulator: 1 phase, q 1 to 4 in 31 points"
    )


def test_memory_can_be_lent(simulator):
    room_for = np.full((6, 401), np.nan, np.float32)
    back = simulator.draw_and_render(6, mixtures=2, out=room_for)
    assert back is room_for
    np.testing.assert_array_equal(back, simulator.draw_and_render(6, mixtures=2))


# --- batches --------------------------------------------------------------------------------------------------------


def test_batches_have_the_shapes_and_types_of_a_training_loop(simulator):
    stream = simulator.batches(16, mixtures=2, workers=2)
    for number, batch in enumerate(islice(stream, 3)):
        assert isinstance(batch, Batch)
        assert (batch.intensity.shape, batch.intensity.dtype) == ((16, 401), np.float32)
        assert (batch.weights.shape, batch.weights.dtype) == ((16, 4), np.float32)
        np.testing.assert_allclose(batch.weights.sum(axis=1), 1.0, atol=1e-6)
        assert batch.tables.frames[:, FRAME["index"]].tolist() == list(range(16 * number, 16 * number + 16))
        assert np.isfinite(batch.intensity).all()
    stream.close()


def test_batches_begin_where_they_are_told_and_end_their_threads():
    import threading

    made = Simulator(TEXTBOOK["Si"], GRID, radiation="CuKa", random_state=1)
    stream = made.batches(4, first=100, scale="counts", workers=2)
    np.testing.assert_array_equal(next(stream).intensity, made.draw(4, first=100).intensity)
    stream.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("peakwise-simulate")]


def test_two_batches_do_not_share_memory(simulator):
    stream = simulator.batches(4)
    one, two = islice(stream, 2)
    stream.close()
    assert not np.shares_memory(one.intensity, two.intensity)
    assert not np.array_equal(one.intensity, two.intensity)


# --- ranges ---------------------------------------------------------------------------------------------------------


def test_ranges_go_to_plain_numbers_and_back():
    ranges = Ranges(size=(20, 60), march=None, counts=5000, film=Range(0.1, 0.2, "log", 0.5))
    assert Ranges.from_dict(ranges.to_dict()) == ranges
    assert hash(Ranges.from_dict(ranges.to_dict())) == hash(ranges)
    assert ranges != Ranges()
    assert list(ranges) == list(EFFECTS)
    assert Ranges.none() == Ranges.from_dict({})


def test_a_pair_keeps_the_spacing_and_a_number_fixes_the_value():
    ranges = Ranges(size=(20, 60), zero=0.02)
    assert ranges["size"] == Range(20.0, 60.0, "log", 1.0)
    assert (ranges["zero"].low, ranges["zero"].high) == (0.02, 0.02)
    made = Simulator(TEXTBOOK["Si"], GRID, radiation="CuKa", ranges=ranges)
    assert set(made.draw_tables(20).frames[:, FRAME["zero"]]) == {0.02}


def test_effects_that_are_off_do_not_act():
    tables = Simulator(TEXTBOOK["gypsum"], GRID, radiation="CuKa", ranges=Ranges.none()).draw_tables(50)
    blank = Simulator(TEXTBOOK["gypsum"], GRID, radiation="CuKa").blank(50)
    np.testing.assert_array_equal(tables.frames, blank.frames)


def test_every_effect_has_a_unit_a_reason_and_a_range_within_its_limits():
    for name, effect in EFFECTS.items():
        assert effect.name == name
        assert effect.unit
        assert len(effect.why) > 10
        assert effect.lowest <= effect.default.low <= effect.default.high <= effect.highest


def test_the_widest_ranges_that_are_allowed_still_give_numbers():
    ends = {}
    for name, e in EFFECTS.items():
        low, high = max(e.lowest, -1e9), min(e.highest, 1e9)
        ends[name] = Range(low, high, "uniform", 1.0)
    # Single effects may be as wide as the table says; together they may change lengths by a quarter.
    ends |= {"distortion": Range(-0.02, 0.02), "shear": Range(-1.5, 1.5)}
    made = Simulator(TEXTBOOK["SiO2-quartz"], (5, 175, 300), radiation="CuKa", ranges=Ranges(**ends), limit=10**7)
    y = made.draw_and_render(200, scale="max")
    assert np.isfinite(y).all()


# --- loading and speed ----------------------------------------------------------------------------------------------


def test_the_room_opens_without_torch_and_numba():
    code = "import sys, peakwise.simulate; print(sorted({'torch', 'numba', 'gemmi', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_its_public_names_are_there():
    assert room.__all__ == sorted(room.__all__, key=lambda n: (not n.isupper(), n))
    assert all(hasattr(room, n) for n in room.__all__)


def test_a_variant_is_far_faster_than_a_numpy_loop_over_its_lines():
    """Both in one run and on one core; the loop has the lines given and adds neither texture nor noise."""
    phase, x = TEXTBOOK["forsterite"], np.linspace(20, 90, 2048)
    made = Simulator(phase, x, radiation=KA1, threads=1)
    positions = bragg(phase.reflections(KA1 / 2 / math.sin(math.radians(45))).d_spacing, KA1)
    positions = positions[positions > 20]
    out = np.empty((200, x.size), np.float32)

    def loop():
        y = np.zeros_like(x)
        for p in positions:
            t2 = ((x - p) / 0.08) ** 2
            y += 0.5 / (1 + t2) + 0.5 * np.exp(-0.6931471805599453 * t2)
        return y

    def seconds(work):
        work()
        times = []
        for _ in range(5):
            begin = time.process_time()
            work()
            times.append(time.process_time() - begin)
        return min(times)

    ours, theirs = (
        seconds(lambda: made.draw_and_render(200, out=out)) / 200,
        seconds(lambda: [loop() for _ in range(4)]) / 4,
    )
    assert theirs / ours > 20


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ranges": {"size": 3}}, "ranges must be a Ranges, got {'size': 3}"),
        ({"instrument": "lab"}, "instrument must be an Instrument, got 'lab'"),
        ({"margin": "a"}, "margin must be a number of degrees, got 'a'"),
        ({"backgrounds": "x"}, "numbers are needed"),
        ({"limit": 0}, "limit must be a whole number above 0, got 0"),
    ],
)
def test_other_kinds_of_things_are_refused_in_one_sentence(options, told):
    with pytest.raises(OptionError) as problem:
        Simulator(TEXTBOOK["NaCl"], (20, 90, 200), **options)
    assert told in str(problem.value)


def test_capillary_absorption_is_kept_where_its_formula_holds():
    with pytest.raises(OptionError, match=r"absorption of a capillary \(mu R\) may be at most 1, got 2"):
        Instrument.synchrotron(0.5, absorption=2.0)
    with pytest.raises(OptionError, match="in transmission absorption may vary up to 1"):
        Simulator(
            TEXTBOOK["NaCl"], (5, 40, 200), instrument=Instrument.synchrotron(0.5),
            ranges=Ranges(absorption=Range(0.1, 3, "uniform", 1.0)),
        )  # fmt: skip


def test_too_many_patterns_are_refused_before_they_are_drawn():
    simulator = Simulator(TEXTBOOK["NaCl"], (20, 90, 2048))
    start = time.perf_counter()
    with pytest.raises(OptionError, match="Draw in parts"):
        simulator.draw(20_000_000)
    assert time.perf_counter() - start < 1
