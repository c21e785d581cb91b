"""The generator and the counting noise."""

import numpy as np
import pytest
from scipy import stats

from peakwise.simulate import FRAME, Ranges, Simulator
from peakwise.simulate import _random as random
from simulated import NICKEL


def test_the_hash_by_plain_whole_numbers():
    def plain(counter, k1, k2):
        x = (counter * 0x9E3779B9 + k1) % 2**32
        x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
        x ^= k2
        x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
        return x ^ (x >> 16)

    for counter, k1, k2 in ((0, 0, 0), (1, 2, 3), (4_000_000_000, 0xFFFFFFFF, 0x12345678)):
        assert int(random.hashed(np.uint32(counter), np.uint32(k1), np.uint32(k2))) == plain(counter, k1, k2)


def test_keys_differ_by_seed_pattern_and_purpose():
    seen = {tuple(map(int, random.keys(s, i, p))) for s in (0, 1, 2**40) for i in range(300) for p in (1, 2, 3)}
    assert len(seen) == 3 * 300 * 3


def flat(counts, n=60, noise="poisson", points=4096, **kw):
    """Patterns of background alone: all levels are known."""
    simulator = Simulator(
        NICKEL, np.linspace(10, 20, points), radiation="CuKa1", ranges=Ranges.none(), noise=noise, margin=0.0, **kw
    )
    tables = simulator.blank(n)
    tables.frames[:, FRAME["fluorescence"]], tables.frames[:, FRAME["counts"]] = 1.0, counts
    return simulator.render(tables, scale="counts")


@pytest.mark.parametrize("mean", [0.3, 2.0, 5.5, 6.5, 10.0, 30.0, 400.0, 2e4])
def test_counts_are_poisson(mean):
    got = flat(mean).ravel().astype(np.float64)
    n = got.size
    assert (got == np.floor(got)).all()
    assert (got >= 0).all()
    assert got.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / n))
    assert got.var() == pytest.approx(mean, rel=5 * np.sqrt(2 / n) + 5 / np.sqrt(mean * n))
    # Total variation distance: what chance alone gives, plus one part in a thousand.
    low, high = int(stats.poisson.ppf(1e-9, mean)), int(stats.poisson.ppf(1 - 1e-9, mean)) + 1
    bins = np.arange(low, high + 2)
    if mean < 1000:
        found = np.histogram(got, bins)[0] / n
        chance = np.sqrt(2 / np.pi / n) * np.sqrt(stats.poisson.pmf(bins[:-1], mean)).sum() / 2
        assert np.abs(found - stats.poisson.pmf(bins[:-1], mean)).sum() / 2 < 1.5 * chance + 1e-3


def test_gaussian_noise_is_normal():
    got = (flat(1e4, noise="gaussian").ravel().astype(np.float64) - 1e4) / 100
    assert stats.kstest(got[:100_000], "norm").pvalue > 0.01
    assert abs(stats.skew(got)) < 0.02
    assert abs(stats.kurtosis(got)) < 0.05


def test_noise_is_not_repeated():
    """Neither along a pattern, nor from pattern to pattern, nor between seeds."""
    rows = flat(1e4, n=40, noise="gaussian").astype(np.float64)
    rows -= rows.mean()
    table = np.corrcoef(rows)
    assert np.abs(table[np.triu_indices(40, 1)]).max() < 5 / np.sqrt(rows.shape[1])
    for lag in (1, 2, 3, 2048):
        assert abs(np.corrcoef(rows[:, :-lag].ravel(), rows[:, lag:].ravel())[0, 1]) < 5 / np.sqrt(rows.size)
    assert not np.array_equal(flat(100.0, n=1), flat(100.0, n=1, random_state=1))


def test_an_odd_number_of_points():
    rows = flat(50.0, points=4097)
    assert rows[:, 2048].var() == pytest.approx(50, rel=0.7)
    assert (rows > 0).all()
