"""Noise and what lies under the peaks: distributions against scipy, repeatability, shapes against their formulas."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
from numpy.polynomial import chebyshev
from scipy import stats

from peakwise.crystal import TEXTBOOK
from peakwise.simulate import EFFECTS, FRAME, SLOT, Range, Ranges, Simulator
from simulate.formulas import cube, cube_at, fwhm_of, narrow, render, tables_of, top_of

KA1 = 1.5405929
MEANS = (0.05, 0.7, 3.0, 5.95, 6.05, 9.0, 25.0, 400.0, 2e4, 3e6)


def flat(n, mean, *, seed=0, noise="poisson", points=4001, threads=1):
    """Counts whose expectation is `mean` everywhere: a constant background and no line in the range."""
    simulator = Simulator(
        cube(1.0, "C"),
        (5, 10, points),
        radiation=KA1,
        ranges=Ranges.none(),
        margin=0,
        noise=noise,
        random_state=seed,
        threads=threads,
    )
    assert simulator.n_lines.tolist() == [0]
    tables = simulator.blank(n)
    tables.slots[:, 0, SLOT["phase"]], tables.slots[:, 0, SLOT["weight"]] = 0, 1
    tables.frames[:, FRAME["fluorescence"]], tables.frames[:, FRAME["counts"]] = 1.0, mean
    return simulator.render(tables, scale="counts").astype(float)


# --- distributions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", MEANS)
def test_counts_follow_the_poisson_distribution(mean):
    y = flat(150, mean, seed=11).ravel()
    n = y.size
    assert (y == np.floor(y)).all()
    assert y.min() >= 0
    assert abs(y.mean() - mean) < 4.5 * math.sqrt(mean / n)
    assert abs(y.var() - mean) < 4.5 * math.sqrt((2 * mean**2 + mean) / n)
    # Kolmogorov and Smirnov: 1.95 / sqrt(n) is passed once in a thousand times by a continuous distribution,
    # more rarely by a discrete one.
    values = np.unique(y)
    share = np.searchsorted(np.sort(y), values, side="right") / n
    assert np.abs(share - stats.poisson.cdf(values, mean)).max() < 1.95 / math.sqrt(n)


@pytest.mark.parametrize("mean", [0.7, 3.0, 5.95, 14.0, 25.0])
def test_each_count_is_as_frequent_as_it_should_be(mean):
    y = flat(100, mean, seed=5).ravel().astype(int)
    k = np.arange(stats.poisson.ppf(1e-4, mean), stats.poisson.ppf(1 - 1e-4, mean) + 1).astype(int)
    expected = stats.poisson.pmf(k, mean)
    seen = np.bincount(y, minlength=k[-1] + 1)[k]
    rest, rest_seen = 1 - expected.sum(), y.size - seen.sum()
    result = stats.chisquare(np.append(seen, rest_seen), np.append(expected, rest) * y.size)
    assert result.pvalue > 1e-4


def test_no_count_is_too_frequent_at_any_mean_from_1_to_40():
    """Chi square over two million points a mean: enough to see zeros that are a fifth too frequent at a mean of 8."""
    worst = 1.0
    for mean in [*range(1, 41), 7.99, 8.01, 8.5]:
        y = flat(500, float(mean), seed=21).ravel().astype(int)
        n = y.size
        k = np.arange(120)
        expected = stats.poisson.pmf(k, mean) * n
        seen = np.bincount(y, minlength=k.size)[: k.size]
        keep = expected >= 5
        tail = max(expected[~keep].sum(), 1e-9)
        terms = np.append((seen[keep] - expected[keep]) ** 2 / expected[keep], (seen[~keep].sum() - tail) ** 2 / tail)
        used = terms[: keep.sum()] if tail < 5 else terms
        worst = min(worst, stats.chi2.sf(used.sum(), used.size - 1))
        assert stats.chi2.sf(used.sum(), used.size - 1) > 1e-4, mean
    assert worst < 0.2  # of 43 draws some are unlikely: the test does look


@pytest.mark.parametrize("mean", [8.2, 9.0])
def test_empty_points_are_as_frequent_as_they_should_be(mean):
    y = flat(2500, mean, seed=22).ravel()
    expected = y.size * math.exp(-mean)
    assert (y == 0).sum() == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_skewness_is_that_of_counting():
    y = flat(200, 25.0, seed=8).ravel()
    assert stats.skew(y) == pytest.approx(1 / 5, abs=4.5 * math.sqrt(6 / y.size))


@pytest.mark.parametrize("mean", [2.0, 1e4])
def test_gaussian_noise_has_the_mean_and_variance_of_counting(mean):
    y = flat(150, mean, seed=2, noise="gaussian").ravel()
    z = (y - mean) / math.sqrt(mean)
    n = z.size
    assert abs(z.mean()) < 4.5 / math.sqrt(n)
    assert abs(z.var() - 1) < 4.5 * math.sqrt(2 / n)
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert abs(stats.skew(z)) < 4.5 * math.sqrt(6 / n)
    assert abs(stats.kurtosis(z)) < 4.5 * math.sqrt(24 / n)


def test_points_and_patterns_know_nothing_of_each_other():
    z = (flat(300, 1e4, seed=4) - 1e4) / 100
    half = (z.shape[1] + 1) // 2

    def correlated(a, b):
        return abs((a * b).mean()) * math.sqrt(a.size)

    for a, b in (
        (z[:, :-1], z[:, 1:]),  # neighbours
        (z[:, :-2], z[:, 2:]),
        (z[:-1], z[1:]),  # patterns that follow each other
        (z[:, : half - 1], z[:, half:]),  # two numbers that are made from one pair of hashes
        (z[:, : half - 1] ** 2 - 1, (z[:, half:] ** 2 - 1) / 2),
        (z[:150], z[150:]),
    ):
        assert correlated(a, b) < 4.5


def test_noise_follows_the_square_root_under_a_real_pattern():
    simulator = Simulator(TEXTBOOK["ZnO"], (25, 75, 2001), radiation="CuKa", ranges=Ranges.none(), threads=1)
    clean = render(simulator, frame={"background": 0.05}, scale="max")
    tables = tables_of(simulator, {}, frame={"background": 0.05, "counts": 5000.0})
    many = type(tables)(np.repeat(tables.slots, 800, 0), np.repeat(tables.frames, 800, 0))
    many.frames[:, FRAME["index"]] = np.arange(800)
    y = simulator.render(many, scale="counts").astype(float)
    expected = 5000 * clean
    deviation = (y.mean(axis=0) - expected) / np.sqrt(expected / 800)
    assert np.abs(deviation).max() < 5.5
    assert deviation.std() == pytest.approx(1.0, abs=0.08)
    assert (y.var(axis=0) / expected).mean() == pytest.approx(1.0, abs=0.01)
    shares = simulator.render(many, scale="max").astype(float)
    np.testing.assert_allclose(shares * 5000, y, rtol=1e-5, atol=1e-3)


def test_without_counts_there_is_no_noise():
    simulator = Simulator(TEXTBOOK["Si"], (20, 80, 1001), radiation="CuKa", ranges=Ranges.none(), random_state=1)
    other = Simulator(TEXTBOOK["Si"], (20, 80, 1001), radiation="CuKa", ranges=Ranges.none(), random_state=2)
    np.testing.assert_array_equal(render(simulator, scale="counts"), render(other, scale="counts"))
    assert simulator.draw(2).unit == "arbitrary"


# --- the same seed, the same pattern --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def phases():
    return [TEXTBOOK[n] for n in ("Si", "TiO2-rutile", "gypsum")]


def maker(phases, seed=7, threads=1, **more):
    return Simulator(phases, (20, 60, 700), radiation="CuKa", random_state=seed, threads=threads, **more)


def test_one_seed_gives_one_set_of_patterns_whatever_the_threads(phases):
    one, two, five = (maker(phases, threads=t).draw(150, mixtures=3) for t in (1, 2, 5))
    for other in (two, five):
        np.testing.assert_array_equal(one.intensity, other.intensity)
        assert set(one.meta) == set(other.meta)
        for name in one.meta:
            np.testing.assert_array_equal(one.meta[name], other.meta[name])


def test_pattern_i_does_not_depend_on_its_batch(phases):
    whole = maker(phases).draw(90, mixtures=2)
    for size in (1, 7, 30, 64):
        parts = [maker(phases, threads=2).draw(min(size, 90 - a), mixtures=2, first=a) for a in range(0, 90, size)]
        np.testing.assert_array_equal(np.concatenate([p.intensity for p in parts]), whole.intensity)
        assert [n for p in parts for n in p.names] == list(whole.names)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_are_the_drawn_patterns_in_order(phases, workers):
    simulator = maker(phases)
    wanted = simulator.draw_and_render(40, mixtures=2)
    stream = simulator.batches(8, mixtures=2, workers=workers)
    got = np.concatenate([b.intensity for b in islice(stream, 5)])
    stream.close()
    np.testing.assert_array_equal(got, wanted)


def test_seeds_differ_in_all_their_bits(phases):
    seeds = [0, 1, 2, 2**31, 2**32, 2**32 + 1, 2**62, 2**63 - 1]
    drawn = [maker(phases, seed=s).draw(3).intensity for s in seeds]
    for i, a in enumerate(drawn):
        for b in drawn[:i]:
            assert (a != b).mean() > 0.5


def test_noise_alone_differs_from_seed_to_seed():
    one, two = flat(20, 1e4, seed=1), flat(20, 1e4, seed=2)
    assert (one == two).mean() < 0.01
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 4.5 / math.sqrt(one.size)


def test_far_away_patterns_can_be_asked_for(phases):
    simulator = maker(phases)
    far = simulator.draw(2, first=2**40)
    assert not np.array_equal(far.intensity, simulator.draw(2).intensity)
    np.testing.assert_array_equal(far.intensity[1], simulator.draw(1, first=2**40 + 1).intensity[0])


def test_noise_of_a_table_follows_its_index_not_its_row(phases):
    simulator = maker(phases)
    tables = simulator.draw_tables(6)
    turned = type(tables)(tables.slots[::-1].copy(), tables.frames[::-1].copy())
    np.testing.assert_array_equal(
        simulator.render(turned, scale="counts"), simulator.render(tables, scale="counts")[::-1]
    )


# --- what is drawn --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    simulator = Simulator(TEXTBOOK["gypsum"], (20, 60, 50), radiation="CuKa", random_state=3)
    return simulator.draw_tables(20_000)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *(
            (n, n)
            for n in ("size", "size_ratio", "microstrain", "microstrain_ratio", "b_extra", "march", "second_march")
        ),
        *(
            (n, n)
            for n in ("zero", "displacement", "transparency", "width", "background", "air", "fluorescence", "counts")
        ),
        ("hump", "hump_height"),
        ("impurity", "impurity_height_1"),
        ("impurity_width", "impurity_width"),
        ("spike", "spike_height_1"),
    ],
)
def test_every_effect_is_drawn_from_its_range_with_its_share(drawn, name, column):
    usual = EFFECTS[name].default
    off = {"size_ratio": 1.0, "microstrain_ratio": 1.0, "march": 1.0, "second_march": 1.0, "impurity_width": 0.1}.get(
        column, 0.0
    )
    values = drawn.slots[:, 0, SLOT[column]] if column in SLOT else drawn.frames[:, FRAME[column]]
    acting = values[values != off]
    share = usual.share * (EFFECTS["impurity"].default.share if name == "impurity_width" else 1.0)
    assert acting.size / values.size == pytest.approx(share, abs=4.5 * math.sqrt(share * (1 - share) / 2e4) + 1e-9)
    low, high = usual.low, usual.high
    at = np.log(acting / low) / np.log(high / low) if usual.spacing == "log" else (acting - low) / (high - low)
    assert at.min() > -1e-9
    assert at.max() < 1 + 1e-9
    assert stats.kstest(at, "uniform").pvalue > 1e-4


def test_draws_do_not_lean_on_each_other(drawn):
    columns = [drawn.slots[:, 0, SLOT[n]] for n in ("strain_a", "size", "microstrain", "b_extra")]
    columns += [
        drawn.frames[:, FRAME[n]]
        for n in ("zero", "displacement", "width", "background", "shape_1", "shape_2", "counts")
    ]
    ranks = stats.spearmanr(np.array(columns), axis=1).statistic
    assert np.abs(ranks - np.eye(len(columns))).max() < 4.5 / math.sqrt(2e4)


def test_cells_change_as_far_as_their_symmetry_allows():
    names = {
        "cubic": "Si",
        "tetragonal": "TiO2-rutile",
        "hexagonal": "ZnO",
        "orthorhombic": "forsterite",
        "monoclinic": "gypsum",
        "triclinic": "albite",
    }
    for system, name in names.items():
        assert TEXTBOOK[name].system == system
        tables = Simulator(TEXTBOOK[name], (20, 40, 20), radiation="CuKa").draw_tables(200)
        e = tables.slots[:, 0, SLOT["strain_a"] : SLOT["strain_c"] + 1]
        turn = tables.slots[:, 0, SLOT["shear_alpha"] : SLOT["shear_gamma"] + 1]
        if system == "cubic":
            assert (e == e[:, :1]).all()
        elif system in ("tetragonal", "hexagonal"):
            assert (e[:, 0] == e[:, 1]).all()
            assert (e[:, 0] != e[:, 2]).all()
        else:
            assert (e[:, 0] != e[:, 1]).all()
            assert (e[:, 1] != e[:, 2]).all()
        assert np.abs(e).max() <= 0.014
        free = {"monoclinic": [False, True, False], "triclinic": [True, True, True]}.get(system, [False] * 3)
        assert (turn != 0).any(axis=0).tolist() == free
        assert np.abs(turn).max() <= 0.2


def test_rhombohedral_cells_keep_three_equal_edges_and_angles():
    from peakwise.crystal import Phase

    phase = Phase.from_parameters("rh", "R-3m:R", (3.0, 3.0, 3.0, 58, 58, 58), [("Fe", (0, 0, 0))])
    tables = Simulator(phase, (20, 90, 20), radiation="CuKa").draw_tables(50)
    e = tables.slots[:, 0, SLOT["strain_a"] : SLOT["strain_c"] + 1]
    turn = tables.slots[:, 0, SLOT["shear_alpha"] : SLOT["shear_gamma"] + 1]
    assert (e == e[:, :1]).all()
    assert (turn == turn[:, :1]).all()
    assert (turn != 0).all()


# --- under the peaks ------------------------------------------------------------------------------------------------


def under(frame, grid=(10, 90, 1601), **more):
    """What a frame adds to the lines, in shares of the strongest peak."""
    simulator = Simulator(TEXTBOOK["Si"], grid, radiation=KA1, ranges=Ranges.none(), margin=5, **more)
    lines = render(simulator, scale="absolute")
    return simulator, render(simulator, frame=frame, scale="max") - lines / lines.max()


def test_the_background_is_a_chebyshev_polynomial_of_its_level():
    frame = {"background": 0.3, "shape_1": -0.5, "shape_2": 0.2, "shape_3": 0.1, "shape_4": -0.15}
    simulator, got = under(frame)
    t = np.linspace(-1, 1, simulator.axis.size)
    np.testing.assert_allclose(got, 0.3 * chebyshev.chebval(t, (1, -0.5, 0.2, 0.1, -0.15)), atol=2e-6)


def test_the_background_is_even_along_a_q_axis_too():
    q = np.linspace(1.0, 5.0, 801)
    frame = {"background": 0.2, "shape_1": 0.7}
    simulator = Simulator(TEXTBOOK["Si"], q, radiation=KA1, axis="q", ranges=Ranges.none())
    got = render(simulator, frame=frame, scale="max") - render(simulator, scale="max")
    np.testing.assert_allclose(got, 0.2 * (1 + 0.7 * np.linspace(-1, 1, 801)), atol=2e-6)


def test_no_drawn_background_falls_below_zero_and_its_mean_is_the_level():
    ranges = Ranges.none(background=0.3, shape=(-1, 1))
    simulator = Simulator(cube(1.0, "C"), (20, 80, 400), radiation=KA1, ranges=ranges, margin=0)
    y = simulator.draw_and_render(2000).astype(float)
    assert y.min() > 0
    assert y.mean() == pytest.approx(0.3, rel=0.03)
    assert y.max() <= 0.3 * 1.95 + 1e-6


def test_air_scatter_falls_as_one_over_the_angle_from_the_start_of_the_grid():
    simulator, got = under({"air": 0.4})
    np.testing.assert_allclose(got, 0.4 * 10 / simulator.axis, atol=2e-6)


def test_fluorescence_is_constant():
    _, got = under({"fluorescence": 0.25})
    np.testing.assert_allclose(got, 0.25, atol=2e-6)


def test_humps_are_gaussians_of_their_height_place_and_width():
    frame = {
        "hump_height": 0.3,
        "hump_position": 24.0,
        "hump_width": 9.0,
        "second_hump_height": 0.1,
        "second_hump_position": 60.0,
        "second_hump_width": 15.0,
    }
    simulator, got = under(frame)
    x = simulator.axis
    wanted = 0.3 * np.exp(-4 * math.log(2) * ((x - 24) / 9) ** 2) + 0.1 * np.exp(
        -4 * math.log(2) * ((x - 60) / 15) ** 2
    )
    np.testing.assert_allclose(got, wanted, atol=4e-6)


def test_drawn_humps_lie_at_their_q():
    ranges = Ranges.none(hump=Range(0.1, 0.1), hump_q=1.5, hump_width_q=0.5)
    simulator = Simulator(cube(1.0, "C"), (5, 60, 5501), radiation=KA1, ranges=ranges, margin=0)
    tables = simulator.draw_tables(1)
    position = math.degrees(2 * math.asin(1.5 * KA1 / (4 * math.pi)))
    assert tables.frames[0, FRAME["hump_position"]] == pytest.approx(position)
    y = simulator.render(tables, scale="max")[0].astype(float)
    x = simulator.axis
    assert top_of(x, y) == pytest.approx(position, abs=0.02)
    q = 4 * math.pi / KA1 * np.sin(np.radians(x / 2))
    assert fwhm_of(q, y) == pytest.approx(0.5, rel=0.02)


def test_measured_backgrounds_are_scaled_to_their_maximum():
    x = np.linspace(10, 90, 1601)
    bank = np.array([np.full(1601, 7.0), 40 + 3 * x])
    _, got = under({"measured": 0.2, "measured_row": 1.0}, backgrounds=bank)
    np.testing.assert_allclose(got, 0.2 * bank[1] / bank[1].max(), atol=2e-6)
    drawn = Simulator(TEXTBOOK["Si"], (10, 90, 1601), radiation=KA1, ranges=Ranges.none(measured=0.2), backgrounds=bank)
    rows = drawn.draw_tables(400).frames[:, FRAME["measured_row"]]
    assert set(rows) == {0.0, 1.0}
    assert (rows == 0).mean() == pytest.approx(0.5, abs=0.12)


def test_measured_backgrounds_may_be_patterns_on_another_grid():
    from peakwise.patterns import Patterns

    x = np.linspace(5, 95, 1801)
    scans = Patterns(x, [10 + 0.1 * x], wavelength=KA1)
    _, got = under({"measured": 0.5}, backgrounds=scans)
    np.testing.assert_allclose(got, 0.5 * (10 + 0.1 * np.linspace(10, 90, 1601)) / 19.0, atol=2e-4)


def test_foreign_lines_stand_where_and_as_high_as_they_should():
    simulator = Simulator(
        cube_at(40.0, KA1), (30, 60, 6001), instrument=narrow(KA1, 0.1), ranges=Ranges.none(), margin=0
    )
    frame = {
        "impurity_width": 0.3,
        "impurity_position_1": 50.0,
        "impurity_height_1": 0.04,
        "impurity_position_3": 55.0,
        "impurity_height_3": 0.02,
    }
    got = render(simulator, frame=frame, scale="max") - render(simulator, scale="max")
    x = simulator.axis
    for at, height in ((50.0, 0.04), (55.0, 0.02)):
        here = np.abs(x - at) < 1.0
        assert top_of(x[here], got[here]) == pytest.approx(at, abs=1e-3)
        assert got[here].max() == pytest.approx(height, rel=0.01)
        assert fwhm_of(x[here], got[here]) == pytest.approx(0.3, rel=0.02)


def test_spikes_hit_one_point():
    simulator = Simulator(TEXTBOOK["Si"], (10, 90, 801), radiation=KA1, ranges=Ranges.none())
    frame = {"spike_point_1": 17.0, "spike_height_1": 0.5, "spike_point_2": 800.0, "spike_height_2": 1.0}
    got = render(simulator, frame=frame, scale="max") - render(simulator, scale="max")
    assert np.flatnonzero(got).tolist() == [17, 800]
    assert got[[17, 800]] == pytest.approx([0.5, 1.0], abs=1e-6)
    counted = render(simulator, frame=frame | {"counts": 1001.0}, scale="counts")
    clean = render(simulator, frame={"counts": 1001.0}, scale="counts")
    assert (counted - clean)[[17, 800]].tolist() == [500, 1001]


def test_absolute_patterns_have_neither_background_nor_noise():
    simulator = Simulator(TEXTBOOK["Si"], (20, 90, 801), radiation=KA1, ranges=Ranges(), random_state=1)
    tables = simulator.draw_tables(3)
    bare = type(tables)(tables.slots, simulator.blank(3).frames)
    for name in ("zero", "displacement", "transparency", "width"):
        bare.frames[:, FRAME[name]] = tables.frames[:, FRAME[name]]
    np.testing.assert_array_equal(simulator.render(tables), simulator.render(bare))


def test_counts_are_meant_at_the_strongest_peak():
    ranges = Ranges.none(counts=20_000)
    y = Simulator(TEXTBOOK["Si"], (20, 90, 2001), radiation=KA1, ranges=ranges).draw(50).intensity.max(axis=1)
    assert y.mean() == pytest.approx(20_000, rel=0.01)
