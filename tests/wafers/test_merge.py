"""Frames merged: closed formulas, counts that were drawn from a known intensity, and what cannot be merged."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise import Patterns
from peakwise.errors import GridError, OptionError, PatternsError
from peakwise.wafers import merge_frames


def rate(x):
    return 20 + 400 * np.exp(-(((x - 22) / 0.4) ** 2)) + 250 * np.exp(-(((x - 31) / 0.5) ** 2))


def counted(low, high, scale, rng, step=0.05, pixels=None):
    """A frame: counts on a number of pixels, as pyFAI tells it (mean per pixel, sigma of at least one count)."""
    x = np.arange(round(low / step), round(high / step)) * step
    n = np.full(x.size, 10.0) if pixels is None else pixels(x)
    got = rng.poisson(n * scale * rate(x)).astype(float)
    return Patterns(x, got / n, wavelength=1.0, sigma=np.sqrt(np.maximum(got, 1)) / n, unit="arbitrary"), n, got


def test_two_frames_have_the_ratio_of_their_sums():
    rng = np.random.default_rng(0)
    axis = np.arange(10.0)
    one, two = rng.integers(1, 50, 10).astype(float), rng.integers(1, 50, 10).astype(float)
    found = merge_frames([Patterns(axis, one), Patterns(axis + 4, two)])
    ratio = two[:6].sum() / one[4:].sum()
    assert found.scales[1] == pytest.approx(ratio, rel=1e-9)
    expected = np.concatenate([one[:4], (one[4:] + two[:6]) / (1 + ratio), two[6:] / ratio])
    np.testing.assert_allclose(found.patterns.intensity[0], expected, rtol=1e-9)
    assert found.counted.tolist() == [1] * 4 + [2] * 6 + [1] * 4


def test_weights_are_pixels():
    """Mean over all pixels, the same as if they were of one frame."""
    axis = np.arange(5.0)
    one, two = np.array([4.0, 6, 8, 2, 1]), np.array([2.0, 9, 7, 3, 2])
    n1, n2 = np.array([1.0, 2, 3, 4, 5]), np.array([5.0, 5, 5, 0, 1])
    found = merge_frames([Patterns(axis, one), Patterns(axis, two)], weights=[n1, n2], scales=[2.0, 1.0])
    expected = (n1 * one + n2 * two) / (n1 + 0.5 * n2)
    np.testing.assert_allclose(found.patterns.intensity[0], expected, rtol=1e-12)
    assert found.scales.tolist() == [1.0, 0.5]
    np.testing.assert_allclose(found.counted, n1 + n2)


def test_sigma_is_that_of_all_counts():
    rng = np.random.default_rng(1)
    (one, n1, got1), (two, n2, got2) = counted(20, 25, 1.0, rng), counted(20, 25, 0.3, rng)
    found = merge_frames([one, two], scales=[1.0, 0.3])
    behind = n1 + 0.3 * n2
    np.testing.assert_allclose(found.counted, n1 + n2, rtol=1e-9)  # sigma tells the pixels
    np.testing.assert_allclose(found.patterns.intensity[0], (got1 + got2) / behind, rtol=1e-9)
    np.testing.assert_allclose(found.patterns.sigma[0], np.sqrt(got1 + got2) / behind, rtol=1e-9)


def test_a_chain_of_frames_gives_back_what_was_counted():
    rng = np.random.default_rng(2)
    scales = np.array([1.0, 0.4, 2.5, 1.7, 0.8])
    frames = [
        counted(18 + 3 * i, 22 + 3 * i, c, rng, pixels=lambda x, i=i: 5 + 4 * np.cos(x + i))
        for i, c in enumerate(scales)
    ]
    found = merge_frames([f[0] for f in frames])
    np.testing.assert_allclose(found.scales, scales, rtol=0.03)
    pull = (found.patterns.intensity[0] - rate(found.patterns.axis)) / found.patterns.sigma[0]
    assert abs(np.median(pull)) < 0.6  # scales are shared by whole frames, so pulls hang together
    assert 0.7 < np.std(pull) < 1.5
    assert found.patterns.axis[0] == pytest.approx(18)
    assert found.patterns.axis[-1] == pytest.approx(34, abs=0.06)


def test_the_likelihood_is_at_its_maximum():
    """Slow plain oracle: the Poisson likelihood with all rates free, by a general minimiser."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    n = rng.uniform(1, 5, (3, 12))
    got = rng.poisson(n * np.array([1.0, 2.0, 0.5])[:, None] * rng.uniform(5, 40, 12)).astype(float)
    frames = [Patterns(np.arange(12.0), got[i] / n[i]) for i in range(3)]
    found = merge_frames(frames, weights=list(n))

    def minus(log_scales):
        c = np.exp(np.concatenate([[0.0], log_scales]))
        model = n * c[:, None] * (got.sum(axis=0) / (c @ n))
        return float((model - got * np.log(model)).sum())

    best = minimize(minus, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    np.testing.assert_allclose(found.scales[1:], np.exp(best.x), rtol=1e-5)


def test_other_steps_and_gaps():
    coarse = Patterns(np.arange(10, 20, 0.2), np.full(50, 3.0))
    values = np.full(100, 6.0)
    values[:10] = np.nan
    fine = Patterns(np.arange(18, 28, 0.1), values)
    found = merge_frames([coarse, fine])
    assert found.scales[1] == pytest.approx(2.0, rel=1e-9)
    np.testing.assert_allclose(found.patterns.intensity[0], 3.0, rtol=1e-9)
    assert found.patterns.step == pytest.approx(0.2)
    apart = merge_frames([coarse, Patterns(np.arange(25, 30, 0.2), np.full(25, 3.0))], scales="same")
    assert np.isnan(apart.patterns.intensity[0][60])
    assert any("seen by no frame" in w for w in apart.patterns.warnings)


def test_one_frame_and_what_it_said():
    scan = Patterns([1, 2, 3], [1.0, 2, 3], warnings=["turned"], wavelength=1.0, meta={"sample": ["a"]})
    found = merge_frames(scan)
    np.testing.assert_allclose(found.patterns.intensity, scan.intensity)
    assert found.patterns.wavelength == 1.0
    assert "turned" in found.patterns.warnings
    assert found.patterns.meta["sample"].tolist() == ["a"]


def test_a_grid_that_is_asked_for():
    found = merge_frames(
        [Patterns(np.arange(10.0), np.ones(10)), Patterns(np.arange(5, 15.0), np.ones(10))], grid=(1, 13, 7)
    )
    assert found.patterns.axis.tolist() == [1, 3, 5, 7, 9, 11, 13]
    np.testing.assert_allclose(found.patterns.intensity, 1)


LOW, HIGH = Patterns([1, 2, 3], [1, 2, 3], wavelength=1.0), Patterns([7, 8, 9], [1, 2, 3], wavelength=1.0)


@pytest.mark.parametrize(
    ("frames", "options", "error", "told"),
    [
        ([], {}, OptionError, "frames must be Patterns, at least one, got none"),
        ([LOW, HIGH], {}, OptionError, r"frame 1 \(7 to 9\) has no overlap with the first"),
        ([LOW, Patterns([1, 2, 3], [0, 0, 0])], {}, OptionError, "each frame must overlap others with counts"),
        ([LOW, Patterns([1, 2, 3], [1, 2, 3], "q")], {}, GridError, "frame 0 has two_theta, frame 1 q"),
        ([LOW, LOW.replace(wavelength=0.5)], {}, GridError, "frame 0 has 1 angstrom, frame 1 0.5"),
        ([LOW, LOW], {"scales": "best"}, OptionError, "scales must be one of fit, same, got 'best'"),
        ([LOW, LOW], {"scales": [1.0]}, OptionError, "scales must be 2 numbers above 0, one for each frame, got 1"),
        ([LOW, LOW], {"scales": [1.0, 0.0]}, OptionError, "scales must be 2 numbers above 0"),
        ([LOW, LOW], {"weights": [[1, 1, 1]]}, OptionError, "weights must be 2, one array for each frame, got 1"),
        ([LOW, LOW], {"weights": [[1, 1, 1], [1, 1]]}, OptionError, r"weights\[1\] must be 3 numbers .*, got 2"),
        ([Patterns([1, 2], [np.nan, np.nan])], {}, PatternsError, "a point must be seen by a frame"),
    ],
)  # fmt: skip
def test_what_cannot_be_merged(frames, options, error, told):
    with pytest.raises(error, match=told):
        merge_frames(frames, **options)
