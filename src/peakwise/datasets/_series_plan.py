"""What is drawn for a made series: sample, instrument, ramp, beam, and what else changes without being a transition.

The probabilities and limits are choices, made wider than what one series at a beamline shows and alike for all three
kinds: whatever may happen in a series with a transition happens in those without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from peakwise.datasets._series_structures import Component, draw_components
from peakwise.simulate import Instrument

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KINDS", "Plan", "draw_plan"]

Array = NDArray[np.float64]
KINDS = ("none", "abrupt", "gradual")
_RELATIONS = {
    "none": (("single", 0.5), ("mixture", 0.5)),
    **dict.fromkeys(
        ("abrupt", "gradual"),
        (
            ("unrelated", 0.3), ("polymorph", 0.15), ("same type", 0.1), ("jump of the cell", 0.1),
            ("distortion", 0.12), ("superstructure", 0.08), ("partly", 0.15),
        ),
    ),
}  # fmt: skip
# How often each may happen. Expansion and noise are always there.
_CAUSES = {
    "texture": 0.6, "refill": 0.5, "background": 0.6, "microstrain": 0.5, "decay": 0.25, "sample drift": 0.25,
    "flicker of grains": 0.25, "change of rate": 0.25, "plateau": 0.2, "dead frames": 0.2, "spikes": 0.2,
}  # fmt: skip
_SPAN = (0.06, 0.2)  # of the frames, of a gradual transition
_INSIDE = (0.2, 0.8)  # of the frames: where the middle of a transition lies
_AWAY = 4  # frames from a transition in which no accident happens


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Everything about a series; arrays have one value a frame."""

    seed: tuple[int, ...]
    kind: str
    relation: str
    causes: tuple[str, ...]
    n: int
    grid: tuple[float, float, int]
    instrument: Instrument
    source: str
    counts: float
    onset: float  # [frames]: here the transformed share leaves 0
    end: float
    variable: str
    values: Array
    ramp: Array  # 0 to 1 along the variable
    fraction: Array  # transformed
    components: tuple[Component, ...]
    size: float
    microstrain: Array
    march: Array
    grains: float
    flicker: float
    displacement: Array
    beam: Array
    background: float
    background_drift: float
    hump: float
    hump_drift: float
    hump_position: float
    hump_width: float
    dead: tuple[int, ...]
    spikes: tuple[tuple[int, int, float], ...]  # frame, point, height


def draw_plan(kind: str, seed: Sequence[int]) -> Plan:
    """A series of a kind; it follows from the seed alone."""
    rng = np.random.default_rng(list(seed))
    causes = tuple(name for name, often in _CAUSES.items() if rng.random() < often)
    n = int(rng.integers(50, 351))
    relation = _choose(_RELATIONS[kind], rng)
    source, instrument, grid = _instrument(rng)
    held = int(rng.uniform(0.15, 0.4) * n) if "plateau" in causes else 0
    onset, end = _transition(kind, n, held, rng)
    ramp = _ramp(n, held, "change of rate" in causes, (onset + end) / 2, rng)
    variable, values = _variable(ramp, rng)
    texture = float(np.exp(rng.uniform(-0.4, 0.4)))
    strain = float(rng.uniform(0.0003, 0.0015))
    # Grains break and turn with time, or as the sample is pressed: then they begin to when the ramp does.
    t = ramp if rng.random() < 0.5 else np.linspace(0, 1, n)
    dead, spikes = _accidents(n, grid[2], causes, (onset, end), rng)
    drift = 1.0 if "background" in causes else 0.0
    return Plan(
        seed=tuple(seed),
        kind=kind,
        relation=relation,
        causes=causes,
        n=n,
        grid=grid,
        instrument=instrument,
        source=source,
        counts=float(10 ** rng.uniform(2, 4)),
        onset=onset,
        end=end,
        variable=variable,
        values=values,
        ramp=ramp,
        fraction=_fraction(n, onset, end),
        components=draw_components(relation, rng),
        size=float(np.exp(rng.uniform(np.log(15), np.log(150)))),
        microstrain=strain * (1 + t * (float(rng.uniform(0.5, 3)) if "microstrain" in causes else 0.0)),
        march=texture * np.exp(t * (float(rng.uniform(-0.35, 0.35)) if "texture" in causes else 0.0)),
        grains=float(rng.uniform(0, 0.5)),
        flicker=float(rng.uniform(0.03, 0.25)) if "flicker of grains" in causes else 0.0,
        displacement=np.linspace(0, 1, n)
        * (float(rng.uniform(0.03, 0.15) * rng.choice([-1, 1])) if "sample drift" in causes else 0.0),
        beam=_beam(n, causes, rng),
        background=float(np.exp(rng.uniform(np.log(0.01), np.log(0.3)))),
        background_drift=drift * float(rng.uniform(-0.5, 1.5)),
        hump=float(rng.uniform(0, 0.3)),
        hump_drift=drift * float(rng.uniform(-0.7, 1.0)),
        hump_position=float(rng.uniform(0.1, 0.6)),
        hump_width=float(rng.uniform(0.1, 0.3)),
        dead=dead,
        spikes=spikes,
    )


def _choose(choices: Sequence[tuple[str, float]], rng: np.random.Generator) -> str:
    names, shares = zip(*choices, strict=True)
    return str(names[int(rng.choice(len(names), p=np.array(shares) / sum(shares)))])


def _instrument(rng: np.random.Generator) -> tuple[str, Instrument, tuple[float, float, int]]:
    """A laboratory or a beamline, with a grid on which a line is some points wide."""
    points, across = int(rng.integers(1000, 4001)), float(rng.uniform(3, 8))
    if rng.random() < 1 / 3:
        step, start = 0.15 / across, float(rng.uniform(12, 22))
        return (
            "Cu laboratory",
            Instrument.lab_bragg_brentano("CuKa"),
            (start, min(start + step * points, 120.0), points),
        )
    # 1 to 1.6 up to 5 to 7 1/angstrom, as an area detector sees it.
    wavelength = float(np.exp(rng.uniform(np.log(0.2), np.log(1.0))))
    q_low, q_high = float(rng.uniform(1.0, 1.6)), float(rng.uniform(5.0, 7.0))
    start, stop = (2 * float(np.degrees(np.arcsin(q * wavelength / (4 * np.pi)))) for q in (q_low, q_high))
    # Pixels of the detector decide, unless the grid is finer than a good one resolves.
    fwhm = max((stop - start) / points * across, 0.002 * stop)
    tool = Instrument.synchrotron(wavelength, w=(0.8 * fwhm) ** 2, x=0.1 * fwhm, y=0.3 * fwhm)
    return "beamline", tool, (start, stop, points)


def _transition(kind: str, n: int, held: int, rng: np.random.Generator) -> tuple[float, float]:
    """Onset and end [frames]; a ramp that begins late has its transition after that."""
    if kind == "none":
        return float("nan"), float("nan")
    width = float(rng.uniform(*_SPAN)) * n if kind == "gradual" else 0.0
    low = max(_INSIDE[0] * n, held + 0.1 * n + width / 2)
    middle = float(rng.uniform(low, max(_INSIDE[1] * n, low + 1)))
    return middle - width / 2, middle + width / 2


def _fraction(n: int, onset: float, end: float) -> Array:
    """Transformed share of each frame, which is exposed from half a frame before to half a frame after its number."""
    if not np.isfinite(onset):
        return np.zeros(n)
    frame = np.arange(n, dtype=float)
    if end - onset < 1:
        return np.clip(frame + 0.5 - onset, 0, 1)
    t = np.clip((frame - onset) / (end - onset), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _ramp(n: int, held: int, changes_rate: bool, middle: float, rng: np.random.Generator) -> Array:
    """0 to 1: held at the start, then linear, with another rate from some frame on."""
    rate = np.ones(n)
    rate[: max(held, 1)] = 0.0
    if changes_rate:
        at = rng.uniform(0.2, 0.85) * n
        while np.isfinite(middle) and abs(at - middle) < 0.12 * n:
            at = rng.uniform(0.2, 0.85) * n
        rate[int(at) :] *= float(np.exp(rng.uniform(np.log(0.2), np.log(4))))
    path = np.cumsum(rate)
    return np.asarray(path / path[-1])


def _variable(ramp: Array, rng: np.random.Generator) -> tuple[str, Array]:
    if rng.random() < 0.6:
        low, high = float(rng.uniform(10, 300)), float(rng.uniform(400, 1200))
        return "temperature", low + (high - low) * (ramp if rng.random() < 0.8 else 1 - ramp)
    return "pressure", 0.5 + float(rng.uniform(5, 60)) * ramp


def _beam(n: int, causes: Sequence[str], rng: np.random.Generator) -> Array:
    """1 at first; flicker of a per cent, steps where the ring is refilled, short dips, slow decay."""
    beam = 1 + 0.01 * rng.standard_normal(n).clip(-4, 4)
    if "decay" in causes:
        beam *= np.exp(-np.linspace(0, float(rng.uniform(0.1, 0.7)), n))
    if "refill" in causes:
        for _ in range(int(rng.integers(1, 3))):
            at, factor = int(rng.uniform(0.1, 0.9) * n), float(rng.uniform(0.6, 0.9))
            what = rng.random()
            if what < 0.4:
                beam[at:] *= factor
            elif what < 0.7:
                beam[at:] /= factor
            else:
                beam[at : at + int(rng.integers(2, 9))] *= float(rng.uniform(0.3, 0.8))
    return np.asarray(beam)


def _accidents(
    n: int, points: int, causes: Sequence[str], transition: tuple[float, float], rng: np.random.Generator
) -> tuple[tuple[int, ...], tuple[tuple[int, int, float], ...]]:
    """Dead frames, and frames with a few hot pixels."""
    onset, end = transition
    frames = np.arange(1, n - 1)
    if np.isfinite(onset):
        frames = frames[(frames < onset - _AWAY) | (frames > end + _AWAY)]
    chosen = rng.permutation(frames)
    dead = chosen[: int(rng.integers(1, 4))] if "dead frames" in causes else chosen[:0]
    hit = chosen[5 : 5 + int(rng.integers(1, 4))] if "spikes" in causes else chosen[:0]
    spikes = [
        (int(f), int(rng.integers(points)), float(rng.uniform(0.5, 5))) for f in hit for _ in range(rng.integers(1, 4))
    ]
    return tuple(int(f) for f in sorted(dead)), tuple(spikes)
