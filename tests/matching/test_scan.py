"""Scans made ready: widths, noise and background against those that they were made with; what is refused, and how."""

import math

import numpy as np
import pytest
from scipy.integrate import trapezoid

from matched import SYSTEMS, scan_of, simple
from peakwise.errors import AxisError, OptionError
from peakwise.matching import prepare
from peakwise.matching._kernel_clip import clip
from peakwise.matching._scan import clip_background, peak_width
from peakwise.patterns import Patterns, Radiation

CALCITE = SYSTEMS["trigonal"]
X = np.arange(20.0, 80.0, 0.02)


def bumps(x=X, fwhm=0.2, places=(30.0, 42.0, 55.0, 71.0), heights=(1000, 600, 800, 300), background=100.0):
    shape = [h * np.exp(-4 * math.log(2) * ((x - p) / fwhm) ** 2) for p, h in zip(places, heights, strict=True)]
    return background + np.sum(shape, axis=0)


def ready(y, x=X, kind="two_theta", wavelength=1.54, **more):
    return prepare(Patterns(x, np.atleast_2d(y), kind, wavelength=wavelength, **more))


def counted(y, seed=0):
    return np.random.default_rng(seed).poisson(y)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fwhm", [0.08, 0.2, 0.6, 1.5])
def test_the_width_is_that_of_the_peaks(fwhm, seed):
    scan = ready(counted(bumps(fwhm=fwhm, heights=(9000, 5400, 7200, 2700)), seed))
    assert scan.fwhm == pytest.approx(fwhm, rel=0.2, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_the_width_of_faint_peaks_is_found_through_means(seed):
    y = counted(bumps(fwhm=0.4, heights=(120, 60, 100, 40)), seed)
    assert ready(y).fwhm == pytest.approx(0.4, rel=0.45)


@pytest.mark.parametrize("level", [3.0, 100.0, 5000.0])
def test_noise_of_counts_is_their_root_and_of_rates_is_found(level):
    y = counted(bumps(background=level, heights=(50 * level, 20 * level, 10 * level, 5 * level)))
    truth = np.sqrt(np.maximum(bumps(background=level, heights=(50 * level, 20 * level, 10 * level, 5 * level)), 1))
    scan = ready(y)
    many = round(scan.step / 0.02)
    wanted = np.interp(scan.x, X, truth) / math.sqrt(many)
    assert np.median(scan.noise * scan.scale / wanted) == pytest.approx(1, abs=0.15)
    assert scan.signal_to_noise == pytest.approx(
        (scan.y - scan.background).max() / scan.noise[scan.y.argmax()], rel=1e-9
    )
    rate = ready(y / 7.3)
    assert np.median(rate.noise * rate.scale * 7.3 / wanted) == pytest.approx(1, abs=0.3)
    top = int(rate.net.argmax())
    assert rate.noise[top] * rate.scale * 7.3 / wanted[top] == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize("seed", range(3))
def test_a_scan_whose_background_was_taken_off_keeps_its_signal(seed):
    """The median is zero then, and the noise of the peaks must not be derived from a division by it."""
    scan = ready(counted(bumps(), seed) - 100.0)
    assert 10 < scan.signal_to_noise < 60  # 1000 counts over 100: 30
    assert scan.noise.max() < 0.15
    low = ready(counted(bumps(), seed) - 5000.0)
    assert low.signal_to_noise > 10
    assert low.background.min() < 0


def test_a_stated_sigma_is_used_and_one_with_zeros_is_not():
    y = bumps()
    sigma = 5 + 0.01 * y
    scan = ready(y, sigma=sigma[None])
    many = round(scan.step / 0.02)
    np.testing.assert_allclose(scan.noise * scan.scale * math.sqrt(many), np.interp(scan.x, X, sigma), rtol=0.02)
    broken = np.where(X < 50, 0.0, sigma)
    assert (ready(y, sigma=broken[None]).noise > 0).all()


@pytest.mark.parametrize("counts", [1000, 30_000])
@pytest.mark.parametrize("level", [0.02, 0.3])
def test_the_background_is_that_of_the_simulator(counts, level):
    frame = {"background": level, "shape_1": 0.4, "shape_2": 0.2}
    tool = simple()
    scan = prepare(scan_of([CALCITE], counts=counts, instrument=tool, frame=frame))
    bare = scan_of([CALCITE], counts=0, background=0.0, instrument=tool).intensity[0]
    lines = np.interp(scan.x, np.linspace(20, 90, 3501), bare / bare.max())
    # Where calcite has no line the scan is background and noise.
    empty = lines < 2e-3
    off = (scan.background - scan.y)[empty]
    noise = np.median(scan.noise[empty])
    assert abs(np.median(off)) < 0.5 * noise + 0.004
    assert np.std(off) < 2 * noise + 0.004
    shares = [np.median(off[abs(scan.x[empty] - at) < 6]) for at in (26, 40, 55, 70, 84)]
    assert max(map(abs, shares)) < 1.2 * noise + 0.004
    cosine = scan.net @ lines / np.linalg.norm(scan.net) / np.linalg.norm(lines)
    assert cosine > (0.99 if counts == 30_000 else 0.92)


def test_a_smooth_background_without_noise_is_followed():
    y = bumps(background=0.0) + 200 + 100 * np.cos(X / 25) + 100 * np.exp(-(((X - 45) / 16) ** 2))
    found = clip_background(X, y, 0.2)
    off = found - (y - bumps(background=0.0))
    # A hump is clipped a little, as a very wide peak would be: the polynomial of the fits takes that up.
    assert off.min() > -20
    assert off.max() < 5


@pytest.mark.parametrize("size", [40, 333, 2000])
@pytest.mark.parametrize(("half", "smooth"), [(1, 1), (4, 2), (9, 1), (31, 4)])
def test_clipping_is_that_of_another_program(size, half, smooth):
    from pybaselines.smooth import snip

    half = min(half, size // 4)
    rng = np.random.default_rng(size + half)
    y = np.sqrt(rng.poisson(50 + 30 * np.cos(np.arange(size) / 70))) + 20 * (rng.uniform(size=size) > 0.96)
    wanted, _ = snip(y, half, decreasing=True, smooth_half_window=smooth, filter_order=4)
    np.testing.assert_allclose(clip(y, half, smooth), wanted, atol=1e-9)


def test_tiny_and_huge_intensities_are_the_same_scan():
    y = counted(bumps()) / 7.3
    middle = ready(y)
    for factor in (1e-30, 1e-9, 1e9, 1e30):
        scan = ready(y * factor)
        assert scan.scale == pytest.approx(middle.scale * factor, rel=1e-6)
        assert scan.fwhm == pytest.approx(middle.fwhm, rel=1e-6)
        for name in ("y", "background", "noise"):
            np.testing.assert_allclose(getattr(scan, name), getattr(middle, name), rtol=1e-6, atol=1e-9)
    whole = np.round(y * 1e20)  # whole numbers, but nobody counted so far
    assert ready(whole).signal_to_noise == pytest.approx(middle.signal_to_noise, rel=0.1)


def test_thinning_keeps_area_and_places():
    x = np.arange(20.0, 80.0, 0.002)
    y = bumps(x)
    scan = ready(y, x)
    assert 3.5 <= scan.fwhm / scan.step <= 7.5
    assert trapezoid(scan.y * scan.scale, scan.x) == pytest.approx(trapezoid(y, x), rel=2e-3)
    near = abs(scan.x - 30) < 0.5
    assert np.average(scan.x[near], weights=scan.net[near]) == pytest.approx(30, abs=0.003)
    assert np.ptp(np.diff(scan.x)) < 1e-9
    noisy = ready(counted(y), x)
    assert np.median(noisy.noise * noisy.scale) == pytest.approx(10 / math.sqrt(round(noisy.step / 0.002)), rel=0.1)


def test_the_coarse_scan_is_wider_shorter_and_has_the_same_area():
    scan = ready(counted(bumps()))
    coarse = scan.coarse(2.5)
    assert coarse.fwhm == pytest.approx(2.5 * scan.fwhm)
    assert 3 <= coarse.fwhm / coarse.step <= 7
    assert coarse.net.max() == pytest.approx(1, abs=0.1)
    assert trapezoid(coarse.net, coarse.x) * coarse.scale == pytest.approx(
        trapezoid(scan.net, scan.x) * scan.scale, rel=0.02
    )
    assert peak_width(coarse.x, coarse.y, coarse.noise) == pytest.approx(2.5 * scan.fwhm, rel=0.3)
    assert coarse.noise.min() > 0


@pytest.mark.parametrize("kind", ["q", "d"])
def test_axes_of_q_and_d_are_the_same_scan(kind):
    y = counted(bumps())
    plain = ready(y)
    other = prepare(Patterns(X, y[None], wavelength=1.54).to_axis(kind))
    np.testing.assert_allclose(other.x, plain.x, rtol=1e-9)
    np.testing.assert_allclose(other.y, plain.y, rtol=1e-9)


@pytest.mark.parametrize("kind", ["q", "d"])
def test_even_steps_of_q_or_d_become_even_steps_of_angle_with_the_same_areas(kind):
    theta = np.radians(X / 2)
    own = 4 * np.pi * np.sin(theta) / 1.54 if kind == "q" else 1.54 / 2 / np.sin(theta)
    axis = np.linspace(own.min(), own.max(), 6000)
    back = np.degrees(2 * np.arcsin(axis * 1.54 / 4 / np.pi if kind == "q" else 1.54 / 2 / axis))
    scan = ready(bumps(back, fwhm=0.5), axis, kind)
    assert np.ptp(np.diff(scan.x)) < 0.02 * scan.step or kind == "q"
    assert scan.fwhm == pytest.approx(0.5, rel=0.15)
    for place, height in ((30, 1000), (42, 600), (55, 800), (71, 300)):
        near = abs(scan.x - place) < 1.0
        area = trapezoid(scan.net[near], scan.x[near]) * scan.scale
        assert area == pytest.approx(height * 0.5 * math.sqrt(math.pi / 4 / math.log(2)), rel=0.05)
        assert np.average(scan.x[near], weights=np.maximum(scan.net[near], 0)) == pytest.approx(place, abs=0.02)
    assert (scan.noise > 0).all()


def test_a_gap_stays_a_gap():
    y = bumps().astype(float)
    y[(X > 38) & (X < 46)] = np.nan
    scan = ready(y)
    assert not ((scan.x > 38.2) & (scan.x < 45.8)).any()
    assert np.isfinite(scan.y).all()
    axis = np.linspace(1.5, 5, 4000)
    theta = np.degrees(2 * np.arcsin(axis * 1.54 / 4 / np.pi))
    y = bumps(theta)
    y[(theta > 38) & (theta < 46)] = np.nan
    scan = ready(y, axis, "q")
    assert not ((scan.x > 38.3) & (scan.x < 45.7)).any()


@pytest.mark.parametrize(("kind", "axis"), [("q", np.linspace(0.8, 25, 8000)), ("d", np.linspace(0.25, 6, 8000))])
def test_scans_along_q_or_d_need_no_wavelength(kind, axis):
    at = 3.1 if kind == "q" else 2 * np.pi / 3.1
    y = 100 + 1000 * np.exp(-(((axis - at) / 0.02) ** 2))
    scan = ready(y, axis, kind, None)
    q = 4 * np.pi * np.sin(np.radians(scan.x / 2)) / scan.radiation.wavelength
    assert q[scan.net.argmax()] == pytest.approx(3.1, abs=0.02)
    assert q.max() == pytest.approx(axis.max() if kind == "q" else 2 * np.pi / axis.min(), rel=0.02)


def test_axes_that_fall_are_turned_round():
    y = counted(bumps())
    turned = prepare(Patterns(X, y[None], wavelength=1.54).to_axis("d"))
    assert (np.diff(turned.x) > 0).all()
    assert turned.y.argmax() == ready(y).y.argmax()


LEAST = "Measure a longer range"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ready(bumps(), X, "raman_shift", None), "the axis is raman_shift, and phases are told from two_theta"),
        (lambda: ready(bumps(), wavelength=None), r"the wavelength is not known\. Give it, e\.g\. wavelength='CuKa'"),
        (lambda: ready(np.full(X.size, 7.0)), r"every point has the same intensity\. Look whether it was measured"),
        (lambda: ready(np.zeros(X.size)), "every point has the same intensity"),
        (lambda: ready(bumps()[:20], X[:20]), f"at least 32 measured points .*, there are 20. {LEAST}"),
        (lambda: ready(np.full(X.size, np.nan)), "at least 32 measured points .*, there are 0"),
        (lambda: ready(np.where(np.arange(X.size) < X.size - 20, np.inf, bumps())), "there are 20"),
        (lambda: ready(bumps(), np.linspace(-5, 0.1, X.size)), "there are 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(make, message):
    with pytest.raises(OptionError, match=message) as caught:
        make()
    assert str(caught.value).startswith("cannot identify phases: ")


def test_an_axis_that_the_wavelength_cannot_reach_is_refused():
    with pytest.raises(AxisError, match="cannot be reached with 1.54 angstrom"):
        ready(bumps(), np.linspace(1, 12, X.size), "q", 1.54)


@pytest.mark.parametrize(
    "y",
    [
        np.exp(-X / 10), X.copy(), -X, np.where(np.arange(X.size) == 1500, 1e6, 0.0),
        np.where(np.arange(X.size) == 0, 5.0, 1.0), np.sign(np.sin(40 * X)), np.minimum(bumps(), 150.0),
    ],
    ids=["decay", "rise", "fall", "spike", "first point", "square", "saturated"],
)  # fmt: skip
def test_strange_scans_are_finite_or_refused(y):
    try:
        scan = ready(y)
    except OptionError:
        with pytest.raises(OptionError, match="no peak above the background|same intensity"):
            ready(y)
        return
    for part in (scan.y, scan.background, scan.noise):
        assert np.isfinite(part).all()
    assert (scan.noise > 0).all()
    assert scan.scale > 0
    coarse = scan.coarse()
    assert np.isfinite(coarse.y).all()


def test_only_numbers_that_may_be_means_of_a_doublet_are_taken_for_one():
    assert ready(bumps(), wavelength=1.5418).doublet.lines == Radiation.named("CuKa").lines
    assert ready(bumps(), wavelength=1.5406).doublet is None
    assert ready(bumps(), wavelength="CuKa").doublet is None
    assert ready(bumps(), wavelength=Radiation(1.5418, probe="neutron")).doublet is None
