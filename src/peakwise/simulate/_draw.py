"""Draw the tables of many patterns from ranges: pattern i depends on the seed and i alone."""

# mypy: disable-error-code="no-untyped-def,call-overload,untyped-decorator"

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise._jit import jit
from peakwise.simulate import _columns as columns
from peakwise.simulate._compile import CUBIC, MONO_A, MONO_B, MONO_C, ORTHORHOMBIC, RHOMBOHEDRAL, UNIAXIAL
from peakwise.simulate._effects import EFFECTS
from peakwise.simulate._layout import check_layout
from peakwise.simulate._random import keys, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.simulate._effects import Ranges

__all__ = ["Limits", "draw_tables", "limits_of"]

LAYOUT = 0x7BA873CE
check_layout(LAYOUT, __name__)

_NAMES = list(EFFECTS)
_E = {name: i for i, name in enumerate(_NAMES)}
EXPANSION, DISTORTION, SHEAR_RANGE = _E["expansion"], _E["distortion"], _E["shear"]
SIZE, SIZE_RATIO = _E["size"], _E["size_ratio"]
MICRO, MICRO_RATIO, B_EXTRA = _E["microstrain"], _E["microstrain_ratio"], _E["b_extra"]
MARCH, MARCH_2, FILM = _E["march"], _E["second_march"], _E["film"]
ZERO, DISPLACEMENT, TRANSPARENCY, ABSORPTION = _E["zero"], _E["displacement"], _E["transparency"], _E["absorption"]
ALONG = _E["displacement_along"]
WIDTH, BACKGROUND, SHAPE, AIR = _E["width"], _E["background"], _E["shape"], _E["air"]
FLUORESCENCE, HUMP, HUMP_Q, HUMP_WIDTH_Q = _E["fluorescence"], _E["hump"], _E["hump_q"], _E["hump_width_q"]
MEASURED, COUNTS, IMPURITY = _E["measured"], _E["counts"], _E["impurity"]
IMPURITY_WIDTH, SPIKE, MIN_WEIGHT = _E["impurity_width"], _E["spike"], _E["min_weight"]

_S, _F = columns.SLOT, columns.FRAME
S_PHASE, S_WEIGHT, S_STRAIN, S_SHEAR = _S["phase"], _S["weight"], _S["strain_a"], _S["shear_alpha"]
S_SIZE, S_RATIO, S_MICRO, S_MICRO_RATIO = _S["size"], _S["size_ratio"], _S["microstrain"], _S["microstrain_ratio"]
S_B, S_MARCH, S_MARCH_2 = _S["b_extra"], _S["march"], _S["second_march"]
F_ZERO, F_DISPLACEMENT, F_TRANSPARENCY = _F["zero"], _F["displacement"], _F["transparency"]
F_ALONG = _F["displacement_along"]
F_ABSORPTION, F_WIDTH, F_BACKGROUND, F_SHAPE = _F["absorption"], _F["width"], _F["background"], _F["shape_1"]
F_AIR, F_FLUORESCENCE, F_HUMP = _F["air"], _F["fluorescence"], _F["hump_height"]
F_MEASURED, F_ROW, F_COUNTS = _F["measured"], _F["measured_row"], _F["counts"]
F_IMPURITY_WIDTH, F_IMPURITY_AT, F_IMPURITY = _F["impurity_width"], _F["impurity_position_1"], _F["impurity_height_1"]
F_SPIKE_AT, F_SPIKE = _F["spike_point_1"], _F["spike_height_1"]
N_IMPURITIES, N_SPIKES = columns.N_IMPURITIES, columns.N_SPIKES
MEAN_SHAPE = 0.95  # the Chebyshev coefficients together stay below the level: no background falls under zero

PHASE_STREAM, SLOT_STREAM, FRAME_STREAM = 1, 2, 3  # slots use SLOT_STREAM + 16 * slot
_U = np.uint32


class Limits(NamedTuple):
    """The ranges as numbers."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_log: NDArray[np.bool_]
    share: NDArray[np.float64]  # 0: off
    wavelength: float
    start: float  # of the grid [deg]
    stop: float
    points: int
    bank_rows: int


def limits_of(ranges: Ranges, wavelength: float, start: float, stop: float, points: int, bank_rows: int) -> Limits:
    """Flatten the ranges; an effect that is off has no share."""
    rows = [ranges[name] for name in _NAMES]
    return Limits(
        np.array([0.0 if r is None else r.low for r in rows]),
        np.array([0.0 if r is None else r.high for r in rows]),
        np.array([r is not None and r.spacing == "log" for r in rows]),
        np.array([0.0 if r is None else r.share for r in rows]),
        wavelength,
        start,
        stop,
        points,
        bank_rows,
    )


@jit(inline="always")
def _value(limits, effect, u):
    low, high = limits.low[effect], limits.high[effect]
    if limits.is_log[effect]:
        return low * math.exp(u * math.log(high / low))
    return low + u * (high - low)


@jit()
def _or(limits, effect, counter, k1, k2, off):
    """A value of the effect, or `off` where it does not act; uses counters `counter` and `counter + 1`."""
    share = limits.share[effect]
    if share <= 0.0 or (share < 1.0 and uniform(_U(counter), k1, k2) >= share):
        return off
    return _value(limits, effect, uniform(_U(counter + 1), k1, k2))


@jit()
def _phases(slots, n_phases, n_slots, least, k1, k2):
    """Which phases, and their weight fractions: flat over all mixtures, none below the smallest."""
    many = 1 + int(uniform(_U(0), k1, k2) * min(n_slots, n_phases))
    counter, total = 8, 0.0
    for s in range(many):
        while True:
            phase = int(uniform(_U(counter), k1, k2) * n_phases)
            counter += 1
            is_new = True
            for other in range(s):
                if int(slots[other, S_PHASE]) == phase:
                    is_new = False
            if is_new:
                break
        slots[s, S_PHASE] = phase
    for s in range(many):
        slots[s, S_WEIGHT] = -math.log(uniform(_U(counter + s), k1, k2))
        total += slots[s, S_WEIGHT]
    least = min(least, 0.9 / many)
    for s in range(many):
        slots[s, S_WEIGHT] = least + (1.0 - many * least) * slots[s, S_WEIGHT] / total
    return many


@jit()
def _cell(limits, symmetry, k1, k2, slot):
    """Changes of the cell that keep the symmetry."""
    e = _or(limits, EXPANSION, 0, k1, k2, 0.0)
    acts = limits.share[DISTORTION] > 0 and uniform(_U(2), k1, k2) < limits.share[DISTORTION]
    for i in range(3):
        slot[S_STRAIN + i] = e + (_value(limits, DISTORTION, uniform(_U(3 + i), k1, k2)) if acts else 0.0)
    if symmetry in (CUBIC, RHOMBOHEDRAL):
        slot[S_STRAIN + 1] = slot[S_STRAIN]
        slot[S_STRAIN + 2] = slot[S_STRAIN]
    elif symmetry == UNIAXIAL:
        slot[S_STRAIN + 1] = slot[S_STRAIN]
    if symmetry in (CUBIC, UNIAXIAL, ORTHORHOMBIC) or limits.share[SHEAR_RANGE] <= 0:
        return
    if uniform(_U(6), k1, k2) >= limits.share[SHEAR_RANGE]:
        return
    for i in range(3):
        slot[S_SHEAR + i] = _value(limits, SHEAR_RANGE, uniform(_U(7 + i), k1, k2))
    if symmetry == RHOMBOHEDRAL:
        slot[S_SHEAR + 1] = slot[S_SHEAR]
        slot[S_SHEAR + 2] = slot[S_SHEAR]
    for i in range(3):
        if symmetry in (MONO_A, MONO_B, MONO_C) and symmetry - MONO_A != i:
            slot[S_SHEAR + i] = 0.0


@jit()
def _slot(limits, symmetry, n_axes, k1, k2, slot):
    _cell(limits, symmetry, k1, k2, slot)
    slot[S_SIZE] = _or(limits, SIZE, 16, k1, k2, 0.0)
    slot[S_RATIO] = _or(limits, SIZE_RATIO, 18, k1, k2, 1.0)
    slot[S_MICRO] = _or(limits, MICRO, 20, k1, k2, 0.0)
    slot[S_MICRO_RATIO] = _or(limits, MICRO_RATIO, 22, k1, k2, 1.0)
    slot[S_B] = _or(limits, B_EXTRA, 24, k1, k2, 0.0)
    slot[S_MARCH] = _or(limits, MARCH, 26, k1, k2, 1.0)
    if slot[S_MARCH] != 1.0:
        slot[S_MARCH + 1] = int(uniform(_U(28), k1, k2) * n_axes)
    slot[S_MARCH_2] = _or(limits, MARCH_2, 30, k1, k2, 1.0)
    if slot[S_MARCH_2] != 1.0:
        slot[S_MARCH_2 + 1] = int(uniform(_U(32), k1, k2) * n_axes)
        slot[S_MARCH_2 + 2] = 0.1 + 0.4 * uniform(_U(33), k1, k2)
        slot[S_MARCH + 2] = 1.0 - slot[S_MARCH_2 + 2]
    film = _or(limits, FILM, 34, k1, k2, 1.0)
    if film != 1.0:
        slot[S_MARCH], slot[S_MARCH + 1], slot[S_MARCH + 2] = film, int(uniform(_U(28), k1, k2) * n_axes), 1.0
        slot[S_MARCH_2], slot[S_MARCH_2 + 1], slot[S_MARCH_2 + 2] = 1.0, 0.0, 0.0


@jit()
def _frame(limits, k1, k2, frame):
    frame[F_ZERO] = _or(limits, ZERO, 0, k1, k2, 0.0)
    frame[F_DISPLACEMENT] = _or(limits, DISPLACEMENT, 2, k1, k2, 0.0)
    frame[F_TRANSPARENCY] = _or(limits, TRANSPARENCY, 4, k1, k2, 0.0)
    frame[F_ABSORPTION] = _or(limits, ABSORPTION, 6, k1, k2, 0.0)
    frame[F_WIDTH] = _or(limits, WIDTH, 8, k1, k2, 1.0)
    frame[F_BACKGROUND] = _or(limits, BACKGROUND, 10, k1, k2, 0.0)
    if frame[F_BACKGROUND] > 0 and limits.share[SHAPE] > 0:
        total = 0.0
        for i in range(4):
            frame[F_SHAPE + i] = _value(limits, SHAPE, uniform(_U(12 + i), k1, k2))
            total += abs(frame[F_SHAPE + i])
        if total > MEAN_SHAPE:
            for i in range(4):
                frame[F_SHAPE + i] *= MEAN_SHAPE / total
    frame[F_AIR] = _or(limits, AIR, 16, k1, k2, 0.0)
    frame[F_FLUORESCENCE] = _or(limits, FLUORESCENCE, 18, k1, k2, 0.0)
    for hump in range(2):
        at, c = F_HUMP + 3 * hump, 20 + 8 * hump
        frame[at] = _or(limits, HUMP, c, k1, k2, 0.0)
        if frame[at] > 0:
            q = _value(limits, HUMP_Q, uniform(_U(c + 2), k1, k2)) if limits.share[HUMP_Q] > 0 else 1.6
            dq = _value(limits, HUMP_WIDTH_Q, uniform(_U(c + 3), k1, k2)) if limits.share[HUMP_WIDTH_Q] > 0 else 0.5
            sine = min(q * limits.wavelength / (4 * math.pi), 0.95)
            frame[at + 1] = 2 * math.degrees(math.asin(sine))
            frame[at + 2] = math.degrees(dq * limits.wavelength / (2 * math.pi)) / math.sqrt(1 - sine * sine)
    if limits.bank_rows > 0:
        frame[F_MEASURED] = _or(limits, MEASURED, 36, k1, k2, 0.0)
        frame[F_ROW] = int(uniform(_U(38), k1, k2) * limits.bank_rows)
    frame[F_COUNTS] = _or(limits, COUNTS, 40, k1, k2, 0.0)
    if limits.share[IMPURITY] > 0 and uniform(_U(42), k1, k2) < limits.share[IMPURITY]:
        many = 1 + int(uniform(_U(43), k1, k2) * N_IMPURITIES)
        frame[F_IMPURITY_WIDTH] = _or(limits, IMPURITY_WIDTH, 44, k1, k2, 0.1)
        for i in range(many):
            frame[F_IMPURITY_AT + i] = limits.start + (limits.stop - limits.start) * uniform(_U(46 + 2 * i), k1, k2)
            frame[F_IMPURITY + i] = _value(limits, IMPURITY, uniform(_U(47 + 2 * i), k1, k2))
    if limits.share[SPIKE] > 0 and uniform(_U(60), k1, k2) < limits.share[SPIKE]:
        many = 1 + int(uniform(_U(61), k1, k2) * N_SPIKES)
        for i in range(many):
            frame[F_SPIKE_AT + i] = int(uniform(_U(62 + 2 * i), k1, k2) * limits.points)
            frame[F_SPIKE + i] = _value(limits, SPIKE, uniform(_U(63 + 2 * i), k1, k2))
    frame[F_ALONG] = _or(limits, ALONG, 70, k1, k2, 0.0)


@jit()
def draw_tables(limits, symmetry, n_axes, seed, slots, frames):
    """Fill blank tables; the column `index` of the frames says which patterns they are."""
    least = limits.low[MIN_WEIGHT] if limits.share[MIN_WEIGHT] > 0 else 0.0
    for i in range(frames.shape[0]):
        index = np.int64(frames[i, 0])
        k1, k2 = keys(seed, index, PHASE_STREAM)
        many = _phases(slots[i], symmetry.size, slots.shape[1], least, k1, k2)
        for s in range(many):
            k1, k2 = keys(seed, index, SLOT_STREAM + 16 * (s + 1))
            phase = int(slots[i, s, S_PHASE])
            _slot(limits, symmetry[phase], n_axes[phase], k1, k2, slots[i, s])
        k1, k2 = keys(seed, index, FRAME_STREAM)
        _frame(limits, k1, k2, frames[i])
