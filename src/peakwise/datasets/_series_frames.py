"""What is expected in every frame of a made series, before the counts are drawn.

Lines come from the simulator, one component at a time. Added here: grains are few, so that each line has its own
intensity, and in some samples another one in every frame; the beam is lost and refilled; a background grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from peakwise.simulate import FRAME, SLOT, Ranges, Simulator

if TYPE_CHECKING:
    from peakwise.datasets._series_plan import Plan

__all__ = ["Sample", "separation"]

Array = NDArray[np.float64]
_LEAST_LINE = 0.01  # of the strongest: the smallest line that has an intensity of its own


class Sample:
    """A plan, ready to be measured.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        most = 1e-3 + max(max(map(abs, (*c.expansion, *c.strain))) * 2 for c in plan.components)
        turn = max(max(map(abs, c.shear)) for c in plan.components)
        ranges = Ranges.none(expansion=(-most, most), shear=(-turn, turn) if turn else None)
        phases = {c.phase.id: c.phase for c in plan.components}
        self.numbers = [list(phases).index(c.phase.id) for c in plan.components]
        self.simulator = Simulator(
            phases.values(), plan.grid, instrument=plan.instrument, ranges=ranges,
            random_state=0, threads=1,
        )  # fmt: skip
        self.axis = self.simulator.axis
        self.scales, self.centres = self._look_at_components()
        self.top = float(self._lines(np.array([0])).max())

    def expected(self, frames: NDArray[np.intp], *, with_accidents: bool = True) -> Array:
        """Counts that are expected in some frames (k, m); accidents are dead frames and spikes."""
        plan = self.plan
        rows = self._lines(frames) / self.top + self._background(frames)
        rows *= (plan.counts * plan.beam[frames])[:, None]
        if with_accidents:
            for frame, point, height in plan.spikes:
                rows[frames == frame, point] += height * plan.counts
            rows[np.isin(frames, plan.dead)] = 0.0
        return np.maximum(rows, 0.0)

    def _tables(self, number: int, frames: NDArray[np.intp]) -> tuple[Array, Array]:
        """Tables of one component, and how much its lengths have changed."""
        plan, one = self.plan, self.plan.components[number]
        order = plan.fraction[frames] if one.grows else np.ones(len(frames))
        strain = (1 + np.outer(plan.ramp[frames], one.expansion)) * (1 + np.outer(order, one.strain)) - 1
        tables = self.simulator.blank(len(frames))
        slots, rows = tables.slots[:, 0], tables.frames
        slots[:, SLOT["phase"]], slots[:, SLOT["weight"]] = self.numbers[number], 1.0
        slots[:, SLOT["strain_a"] : SLOT["strain_c"] + 1] = strain
        slots[:, SLOT["shear_alpha"] : SLOT["shear_gamma"] + 1] = np.outer(order, one.shear)
        slots[:, SLOT["size"]], slots[:, SLOT["microstrain"]] = plan.size, plan.microstrain[frames]
        slots[:, SLOT["march"]] = plan.march[frames]
        rows[:, FRAME["displacement"]] = plan.displacement[frames]
        return self.simulator.render(tables).astype(np.float64), strain.mean(axis=1)

    def _look_at_components(self) -> tuple[list[float], list[Array]]:
        """What each component is multiplied with, and where its lines are [sin theta]."""
        from scipy.signal import find_peaks

        first = np.array([0])
        plain = [self._tables(i, first)[0][0] for i in range(len(self.plan.components))]
        tops = [max(float(row.max()), 1e-30) for row in plain]
        scales = [1 / (t if c.is_own_scale else tops[0]) for t, c in zip(tops, self.plan.components, strict=True)]
        sines, centres = np.sin(np.radians(self.simulator.two_theta / 2)), []
        for row, top in zip(plain, tops, strict=True):
            found, _ = find_peaks(row, height=_LEAST_LINE * top, prominence=_LEAST_LINE * top)
            centres.append(sines[found])
        # What comes from the first component has its grains, so that a line keeps its factor as it splits or jumps.
        centres = [c if one.is_own_scale else centres[0] for c, one in zip(centres, self.plan.components, strict=True)]
        return scales, centres

    def _lines(self, frames: NDArray[np.intp]) -> Array:
        plan = self.plan
        total = np.zeros((len(frames), self.axis.size))
        sines = np.sin(np.radians(self.simulator.two_theta / 2))
        for i, one in enumerate(plan.components):
            share = one.before + (one.after - one.before) * plan.fraction[frames]
            there = np.flatnonzero(share > 0)
            if there.size == 0:
                continue
            rows, strain = self._tables(i, frames[there])
            made = rows * (share[there] * self.scales[i])[:, None]
            if self.centres[i].size and (plan.grains or plan.flicker):
                log = self._grains(i if one.is_own_scale else 0, frames[there])
                for k in range(there.size):
                    made[k] *= np.exp(np.interp(sines * (1 + strain[k]), self.centres[i], log[k]))
            total[there] += made
        return total

    def _grains(self, number: int, frames: NDArray[np.intp]) -> Array:
        """Logarithm of each line's factor in each frame: one for the sample, one that flickers."""
        plan, n = self.plan, self.centres[number].size
        still = np.random.default_rng([*plan.seed, 1, number]).normal(0, plan.grains, n)
        if not plan.flicker:
            return np.tile(still, (len(frames), 1))
        return np.stack(
            [still + np.random.default_rng([*plan.seed, 2, number, int(f)]).normal(0, plan.flicker, n) for f in frames]
        )

    def _background(self, frames: NDArray[np.intp]) -> Array:
        """Air that falls off and a hump; both drift linearly."""
        plan = self.plan
        x = np.linspace(0, 1, self.axis.size)
        t = frames / max(plan.n - 1, 1)
        level, hump = plan.background * (1 + plan.background_drift * t), plan.hump * (1 + plan.hump_drift * t)
        air = 0.4 + 0.6 * np.exp(-x / 0.2)
        where = plan.hump_position + 0.05 * plan.hump_drift * t
        shape = np.exp(-(((x[None] - where[:, None]) / plan.hump_width) ** 2))
        return np.asarray(level[:, None] * air + hump[:, None] * shape)


def separation(sample: Sample) -> tuple[float, float]:
    """How visible a transition is: the distance between both sides in one frame, and what of it can be used.

    Returns
    -------
    distance : float
        Square root of chi squared per frame between the frames before and after: what is left of their difference
        when scale, a small shift, a little broadening and a quadratic background are fitted away.
    usable : float
        The same when the difference itself has to be learned from the frames of this series, and with the flicker of
        the grains: how many standard deviations both sides lie apart in one frame, for who knows where to look.
        Half of it is the margin of a frame that is to be put on its side.
    """
    plan = sample.plan
    low, high = int(np.floor(plan.onset)), int(np.ceil(plan.end))
    before, after = np.arange(max(low - 6, 0), low), np.arange(high + 1, min(high + 7, plan.n))
    sides = [sample.expected(f, with_accidents=False) / plan.beam[f, None] * plan.beam.mean() for f in (before, after)]
    b, a = (rows.mean(axis=0) for rows in sides)
    variance = np.maximum((a + b) / 2, 0.5)
    s = np.log(np.sin(np.radians(sample.simulator.two_theta / 2)))
    slope = np.gradient(b, s)
    x = np.linspace(-1, 1, b.size)
    known = np.stack([b, slope, np.gradient(slope, s), np.ones_like(x), x, x * x], axis=1)
    known /= np.abs(known).max(axis=0)
    w = 1 / np.sqrt(variance)

    def rest(y: Array) -> Array:
        fitted, *_ = np.linalg.lstsq(known * w[:, None], y * w, rcond=1e-9)
        return np.asarray(y * w - known @ fitted * w)

    left = rest(a)
    distance2 = float(left @ left)
    # Each of these frames has another flicker and a step of the ramp: their scatter along the difference.
    scatter = [np.array([rest(y) @ left for y in rows]).var() for rows in sides]
    learned = b.size * (1 / max(low, 1) + 1 / max(plan.n - high, 1))
    spread = distance2 + learned + float(np.mean(scatter))
    return float(np.sqrt(distance2)), distance2 / float(np.sqrt(max(spread, 1e-9)))
