"""A guard against loops that stop being fast, as ratios within one run: loose, for machines with other work to do."""

import time

import numpy as np

from peakwise.simulate import Ranges, Simulator
from simulated import PEROVSKITE, pseudo_voigt


def best(work, n=5):
    work()
    times = []
    for _ in range(n):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def time_of(simulator, mode):
    tables = simulator.draw_tables(512)
    return best(lambda: simulator._render(tables, mode, 1), 9)


def test_profiles_are_far_faster_than_a_numpy_loop():
    simulator = Simulator(PEROVSKITE, (20, 90, 2048), radiation=1.5406, ranges=Ranges(counts=None), threads=1)
    tables = simulator.draw_tables(512)
    ours = best(lambda: simulator._render(tables, 0, 1)) / 512
    x = simulator.two_theta

    def loop():
        y = np.zeros_like(x)
        for position in np.linspace(20, 90, int(simulator.n_lines[0])):
            y += pseudo_voigt(x, position, 1.0, 0.2, 0.5)

    assert best(loop) / ours > 60  # about 200 on a quiet machine; a loop that no longer vectorises loses 10 and more


def test_cost_does_not_grow_with_the_width():
    narrow, broad = (
        Simulator(PEROVSKITE, (20, 90, 2048), radiation=1.5406, ranges=Ranges.none(size=size), threads=1, margin=1.0)
        for size in (300.0, 12.0)
    )
    a, b = (time_of(s, 0) for s in (narrow, broad))
    assert b / a < 2.5


def test_noise_costs_little():
    kind = {"background": 0.05, "shape": None}
    loud, quiet = (
        Simulator(PEROVSKITE, (20, 90, 2048), radiation=1.5406, ranges=Ranges.none(counts=c, **kind), threads=1)
        for c in (5000.0, None)
    )
    counts = np.full((64, 2048), 2000.0)
    numpy_noise = best(lambda: np.random.default_rng(0).poisson(counts)) * 512 / len(counts)
    # Ours about 1 ns a sample, numpy 40, our own as a scalar loop 20. The rest is what else the machine does.
    assert time_of(loud, 1) < time_of(quiet, 1) + numpy_noise / 3
