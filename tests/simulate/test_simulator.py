"""What users call: ideal, draw, batches, simulate; and what is refused."""

import threading

import numpy as np
import pytest

import peakwise as pw
from peakwise.errors import AxisError, GridError, OptionError
from peakwise.patterns import Patterns, Radiation
from peakwise.simulate import EFFECTS, FRAME, SLOT, Instrument, Range, Ranges, Simulator, plain_simulator, simulate
from simulated import ALL, IRON, NICKEL, PEROVSKITE, RUTILE, SALT, TRICLINIC

GRID = (20.0, 80.0, 1501)


def test_weight_fractions_against_the_closed_formula():
    """The integrated intensity of a phase is w / (M V) times its powder sum: Hill and Howard's Z M V."""
    tool = Instrument(radiation=1.5406, w=0.01)
    simulator = Simulator([SALT, RUTILE], (20, 78, 1501), instrument=tool, ranges=Ranges.none(), margin=0.0)
    tables = simulator.blank(3, n_slots=2)
    weights = np.array([[0.2, 0.8], [0.5, 0.5], [0.95, 0.05]])
    for s in range(2):
        tables.slots[:, s, SLOT["phase"]], tables.slots[:, s, SLOT["weight"]] = s, weights[:, s]
    mixed, alone = simulator.render(tables).astype(float), simulator.ideal().intensity.astype(float)
    np.testing.assert_allclose(mixed, weights @ alone, atol=2e-6 * alone.max())
    light = Radiation(1.5406)
    for phase, row in zip((SALT, RUTILE), alone, strict=True):
        found, bare = phase.reflections(1.0), phase.intensities(light, 1.0)
        theta = np.arcsin(1.5406 * np.sqrt(found.s2))
        inside = (np.degrees(2 * theta) > 21) & (np.degrees(2 * theta) < 77)
        lp = (1 + np.cos(2 * theta) ** 2) / 2 / (np.sin(theta) ** 2 * np.cos(theta))
        total = (bare * lp)[inside].sum() / (phase.mass * phase.volume)
        assert inside.sum() == simulator.n_lines[simulator.ids.index(phase.id)]  # no line near an end
        assert np.trapezoid(row, simulator.axis) == pytest.approx(total, rel=1e-4)


def test_same_seed_same_pattern_for_any_threads_batch_and_order():
    first = Simulator(ALL, GRID, radiation="CuKa", random_state=7, threads=1)
    whole = first.draw(150, mixtures=3)
    threaded = Simulator(ALL, GRID, radiation="CuKa", random_state=7, threads=3).draw(150, mixtures=3)
    np.testing.assert_array_equal(whole.intensity, threaded.intensity)
    part = first.draw(20, mixtures=3, first=130)
    np.testing.assert_array_equal(whole.intensity[130:], part.intensity)
    assert whole.meta["phases"][130:].tolist() == part.meta["phases"].tolist()
    other = Simulator(ALL, GRID, radiation="CuKa", random_state=8).draw(5, mixtures=3)
    assert not np.array_equal(whole.intensity[:5], other.intensity)


def test_draws_stay_within_their_ranges_and_keep_the_symmetry():
    simulator = Simulator(ALL, GRID, radiation="CuKa")
    tables = simulator.draw_tables(3000, mixtures=2)
    slots = tables.slots[tables.slots[:, :, SLOT["phase"]] >= 0]
    size = slots[:, SLOT["size"]]
    assert size.min() >= 10
    assert size.max() <= 300
    assert np.median(size) == pytest.approx(np.sqrt(10 * 300), rel=0.1)  # even in the logarithm
    cubic = slots[np.isin(slots[:, SLOT["phase"]], [0, 1])]
    assert (cubic[:, SLOT["strain_a"]] == cubic[:, SLOT["strain_c"]]).all()
    tetragonal = slots[slots[:, SLOT["phase"]] == 2]
    assert (tetragonal[:, SLOT["strain_a"]] == tetragonal[:, SLOT["strain_b"]]).all()
    assert (tetragonal[:, SLOT["strain_a"]] != tetragonal[:, SLOT["strain_c"]]).all()
    shear = slots[:, SLOT["shear_alpha"] : SLOT["shear_gamma"] + 1]
    number = slots[:, SLOT["phase"]]
    assert (shear[number < 4] == 0).all()
    assert (shear[number == 4][:, [0, 2]] == 0).all()
    assert (shear[number == 4][:, 1] != 0).all()
    assert (shear[number == 5] != 0).all()
    assert (slots[:, SLOT["march"]] == 1).mean() == pytest.approx(0.4, abs=0.05)
    weights = tables.slots[:, :, SLOT["weight"]] * (tables.slots[:, :, SLOT["phase"]] >= 0)
    np.testing.assert_allclose(weights.sum(1), 1)
    two = weights[weights[:, 1] > 0]
    assert 0.45 < len(two) / len(weights) < 0.55
    assert two.min() >= 0.03
    assert (simulator.draw(50).intensity >= 0).all()


def test_labels_follow_the_phases():
    simulator = Simulator(ALL, GRID, radiation="CuKa")
    tables = simulator.draw_tables(100, mixtures=4)
    labels = simulator.labels_of(tables)
    meta = simulator.meta_of(tables)
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-6)
    for row, ids, told in zip(labels, meta["phases"], meta["weight_fractions"], strict=True):
        assert {simulator.ids[i] for i in np.flatnonzero(row)} == set(ids.split(";"))
        for name, w in zip(ids.split(";"), told.split(";"), strict=True):
            assert row[simulator.ids.index(name)] == pytest.approx(float(w), rel=1e-5)


def test_every_effect_can_be_switched_off_and_on():
    quiet = Simulator(PEROVSKITE, GRID, radiation="CuKa1", ranges=Ranges.none()).draw(2, scale="max")
    np.testing.assert_array_equal(quiet.intensity[0], quiet.intensity[1])
    helpers = {
        "shape": {"background": 0.1}, "hump_q": {"hump": 0.2}, "hump_width_q": {"hump": 0.2},
        "impurity_width": {"impurity": 0.1},
        "size_ratio": {"size": 10.0}, "microstrain_ratio": {"microstrain": 0.005},
    }  # fmt: skip
    needs = {"measured", "min_weight", "shear", "displacement_along"}  # the last: see test_geometry
    for name, effect in EFFECTS.items():
        if name in needs:
            continue
        base = {k: Range(v, v) for k, v in helpers.get(name, {}).items()}
        low = Range(effect.default.low, effect.default.low) if name in helpers else None
        act = Range(effect.default.low, effect.default.high, effect.default.spacing, 1.0)
        without = Simulator(
            PEROVSKITE, GRID, radiation="CuKa1", ranges=Ranges.none(**base, **({name: low} if low else {}))
        )
        varied = Simulator(PEROVSKITE, GRID, radiation="CuKa1", ranges=Ranges.none(**base, **{name: act}))
        a, b = without.draw(6, scale="max").intensity, varied.draw(6, scale="max").intensity
        assert np.abs(a - b).max() > 1e-4, name


def test_background_never_falls_below_zero_and_measured_ones_are_used():
    ranges = Ranges.none(background=0.5, shape=(-1, 1), measured=0.3)
    bank = np.vstack([np.linspace(0, 2, 1501), np.ones(1501)])
    made = Simulator(SALT, GRID, radiation="CuKa1", ranges=ranges, backgrounds=bank)
    rows = made.draw(60, scale="max").intensity
    assert rows.min() >= 0
    lifted = made.blank(1)
    lifted.slots[0, 0, :2] = 0, 1
    lifted.frames[0, FRAME["measured"]], lifted.frames[0, FRAME["measured_row"]] = 0.5, 0
    plain = made.blank(1)
    plain.slots[0, 0, :2] = 0, 1
    difference = (made.render(lifted, scale="max") - made.render(plain, scale="max"))[0]
    np.testing.assert_allclose(difference, 0.5 * np.linspace(0, 1, 1501), atol=1e-6)
    from_patterns = Simulator(
        SALT, GRID, radiation="CuKa1", backgrounds=Patterns(np.linspace(10, 90, 161), np.ones(161))
    )
    np.testing.assert_allclose(from_patterns._bank, 1.0)


def test_thin_films_show_few_lines():
    powder = Simulator(RUTILE, GRID, radiation="CuKa1", ranges=Ranges.none()).draw(1, scale="max").intensity[0]
    film = Simulator(RUTILE, GRID, radiation="CuKa1", ranges=Ranges.none(film=0.1)).draw(20, scale="max")
    assert np.median((film.intensity > 0.05).mean(1)) < 0.6 * (powder > 0.05).mean()
    assert Ranges.film()["film"].share == 1
    assert Ranges.film()["march"] is None


def test_batches_come_in_order_and_stop():
    simulator = Simulator([SALT, RUTILE, IRON], GRID, radiation="CuKa", random_state=5)
    stream = simulator.batches(32, mixtures=2, workers=2)
    got = [next(stream) for _ in range(4)]
    stream.close()
    whole = simulator.draw_and_render(128, mixtures=2)
    np.testing.assert_array_equal(np.concatenate([b.intensity for b in got]), whole)
    assert got[0].weights.shape == (32, 3)
    assert got[0].intensity.dtype == np.float32
    assert not [t for t in threading.enumerate() if t.name.startswith("peakwise-simulate")]


def test_out_is_filled():
    simulator = Simulator(SALT, GRID, radiation="CuKa1")
    room = np.empty((5, 1501), np.float32)
    assert simulator.draw_and_render(5, out=room) is room
    np.testing.assert_array_equal(room, simulator.draw_and_render(5))
    with pytest.raises(OptionError, match="writable contiguous float32"):
        simulator.draw_and_render(6, out=room)


def test_simulate_and_its_defaults():
    ideal = simulate([SALT, RUTILE], GRID, ideal=True)
    assert ideal.names.tolist() == ["NaCl", "TiO2"]
    assert ideal.radiation == Radiation.named("CuKa")
    assert any("no wavelength" in w for w in ideal.warnings)
    drawn = simulate([SALT, RUTILE], GRID, wavelength="MoKa1", n=7, mixtures=2, random_state=3)
    assert drawn.shape == (7, 1501)
    assert drawn.unit == "counts"
    assert drawn.wavelength == pytest.approx(0.70931715)
    assert not drawn.warnings
    again = Patterns.from_xarray(drawn.to_xarray())
    assert again.equals(drawn)


def test_plain_patterns_leave_out_displacements_and_lines_beyond_the_ends():
    from dataclasses import replace

    hot = replace(SALT, sites=tuple(replace(s, b_iso=3.0) for s in SALT.sites))
    np.testing.assert_array_equal(
        simulate(hot, GRID, wavelength="CuKa1", ideal=True).intensity,
        simulate(SALT, GRID, wavelength="CuKa1", ideal=True).intensity,
    )
    assert plain_simulator(hot, GRID, radiation="CuKa1").span == (20, 80)
    assert (
        Simulator(hot, GRID, radiation="CuKa1").ideal().intensity.max()
        < Simulator(SALT, GRID, radiation="CuKa1").ideal().intensity.max()
    )


def test_no_line_in_the_range_is_said():
    ideal = Simulator([NICKEL, RUTILE], (20, 30, 301), radiation="CuKa1").ideal()
    assert ideal.warnings == ("no line of Ni lies in the range",)
    assert not Simulator(NICKEL, (10, 20, 301), radiation="CuKa1", ranges=Ranges.none()).draw(2).intensity.any()


def test_presets():
    assert Instrument.lab_bragg_brentano("CoKa").radiation.anode == "Co"
    assert Instrument.synchrotron().polarisation > 0.9
    assert Instrument.neutron(1.8).radiation.probe == "neutron"
    assert Instrument.synchrotron(0.5, w=1e-5).fwhm(10.0) < 0.01
    neutrons = Simulator([SALT], GRID, instrument=Instrument.neutron(1.54)).ideal()
    assert neutrons.intensity.max() > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Simulator([], GRID), "no phase was given"),
        (lambda: Simulator([3], GRID), "got int where a Phase"),
        (lambda: Simulator([SALT, SALT], GRID), "two phases are called 'NaCl'"),
        (lambda: Simulator(SALT, (0, 90, 100), radiation=1.5), "within 0 and 180"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, axis="d"), "axis must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, noise="pink"), "noise must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, random_state=-1), "random_state must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, random_state=True), "random_state must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, threads=0), "threads must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, margin=-1), "margin must lie"),
        (lambda: Simulator(SALT, GRID, radiation=1.5, backgrounds=np.ones((2, 3))), "have 1501 points each"),
        (lambda: Simulator(TRICLINIC, GRID, radiation=0.1), "too many reflections|raise limit"),
        (lambda: Simulator(SALT, GRID, radiation=1.5).draw(0), "n must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5).draw(2, mixtures=2), "mixtures of 2 phases"),
        (lambda: Simulator(SALT, GRID, radiation=1.5).draw(2, scale="log"), "scale must be"),
        (lambda: Simulator(SALT, GRID, radiation=1.5).draw_and_render(10_000_000), "GB"),
        (lambda: Ranges(size=(5, 1)), "low <= high"),
        (lambda: Ranges(size=(-5, 1)), "must lie within"),
        (lambda: Ranges(size="big"), "Give .low, high."),
        (lambda: Ranges(size=Range(1, 2, "cubic")), "spacing must be"),
        (lambda: Ranges(size=Range(1, 2, "log", 3)), "share must lie"),
        (lambda: Ranges(colour=1), "unknown effect"),
        (lambda: Instrument(radiation=1.5, polarisation=2), "polarisation must"),
        (lambda: Instrument(radiation=1.5, w=float("nan")), "w is nan"),
        (lambda: Instrument(radiation=1.5, w=-1), "no FWHM"),
        (lambda: Instrument(radiation=None), "has no radiation"),
        (lambda: Instrument(radiation=1.5, geometry="flat"), "geometry must"),
        (lambda: Instrument(radiation=1.5, radius=0), "radius must"),
        (lambda: Instrument(radiation=1.5, axial_sample=1), "axial divergence"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(OptionError, match=message):
        make()


def test_grids_that_cannot_be():
    with pytest.raises(GridError):
        Simulator(SALT, (5, 1, 10), radiation=1.5)
    with pytest.raises(AxisError, match="cannot be reached"):
        Simulator(SALT, (1, 20, 100), radiation=1.5, axis="q")


def test_tables_are_checked():
    simulator = Simulator(SALT, GRID, radiation="CuKa1")
    for name, value, message in (
        ("phase", 3, "a phase that is not there"),
        ("march_axis", 9, "a texture axis"),
        ("march", 0, "march or size_ratio"),
        ("size", np.nan, "not finite"),
    ):
        tables = simulator.draw_tables(2)
        tables.slots[1, 0, SLOT[name]] = value
        with pytest.raises(OptionError, match=message):
            simulator.render(tables)
    tables = simulator.draw_tables(2)
    tables.frames[0, FRAME["measured"]] = 0.1
    with pytest.raises(OptionError, match="measured background"):
        simulator.render(tables)
    with pytest.raises(OptionError, match="of shapes"):
        simulator.render(tables._replace(slots=tables.slots[:, :, :3]))


def test_ranges_to_and_from_a_recipe():
    ranges = Ranges(size=(20, 60), march=None, counts=5000)
    assert Ranges.from_dict(ranges.to_dict()) == ranges
    assert hash(ranges) == hash(Ranges(size=(20, 60), march=None, counts=5000))
    assert "size" in repr(ranges)
    assert list(ranges) == list(EFFECTS)
    for effect in EFFECTS.values():
        assert effect.why
        assert effect.unit


def test_public_door():
    assert pw.__version__
    assert repr(Simulator(SALT, GRID, radiation="CuKa1")).startswith("Simulator: 1 phase, two_theta 20 to 80 in 1501")
