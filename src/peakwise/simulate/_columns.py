"""The two tables that describe patterns before they are rendered: a row per phase in a pattern, and a row per pattern.

Whatever draws patterns (ranges, ramps, a user by hand) fills these tables; whatever renders them (numba, torch) reads
them. Rendering adds no choice of its own except the counting noise, which follows from the seed and the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FRAME", "FRAME_OFF", "N_IMPURITIES", "N_SPIKES", "SLOT", "SLOT_OFF", "Tables", "blank_tables"]

# name -> value at which the column does nothing. One row per phase in a pattern ("slot"):
SLOT_OFF: dict[str, float] = {
    "phase": -1.0,  # number of the phase, -1: empty slot
    "weight": 0.0,  # weight fraction
    "strain_a": 0.0,  # relative change of the cell's lengths
    "strain_b": 0.0,
    "strain_c": 0.0,
    "shear_alpha": 0.0,  # change of the cell's angles [deg]
    "shear_beta": 0.0,
    "shear_gamma": 0.0,
    "size": 0.0,  # crystallite size [nm], 0: no broadening
    "size_ratio": 1.0,  # size along the unique axis over size across it
    "microstrain": 0.0,  # FWHM = 4 microstrain tan(theta)
    "microstrain_ratio": 1.0,
    "b_extra": 0.0,  # further isotropic displacement factor B [angstrom^2]
    "march": 1.0,  # March-Dollase r of the first texture axis
    "march_axis": 0.0,  # which of the phase's candidate axes
    "march_share": 1.0,  # share of the crystallites that follow this axis
    "second_march": 1.0,
    "second_axis": 0.0,
    "second_share": 0.0,
}
N_IMPURITIES, N_SPIKES = 4, 2
# One row per pattern:
FRAME_OFF: dict[str, float] = {
    "index": 0.0,  # counts patterns; with the seed it decides the noise
    "zero": 0.0,  # [deg]
    "displacement": 0.0,  # of a flat sample along its normal, of a capillary across the beam [mm]
    "transparency": 0.0,  # of a flat sample: 1 / (2 mu R) [rad]
    "absorption": 0.0,  # mu t (reflection) or mu R (transmission), 0: none
    "width": 1.0,  # factor on the instrument's FWHM
    "background": 0.0,  # mean level of the polynomial, 1: as high as the strongest peak
    "shape_1": 0.0,  # Chebyshev coefficients relative to that level
    "shape_2": 0.0,
    "shape_3": 0.0,
    "shape_4": 0.0,
    "air": 0.0,  # air scatter, falls as 1 / two_theta; height at the start of the grid
    "fluorescence": 0.0,  # constant
    "hump_height": 0.0,  # amorphous humps: height, position [deg], FWHM [deg]
    "hump_position": 0.0,
    "hump_width": 1.0,
    "second_hump_height": 0.0,
    "second_hump_position": 0.0,
    "second_hump_width": 1.0,
    "measured": 0.0,  # height of the measured background
    "measured_row": 0.0,  # which row of the bank
    "counts": 0.0,  # at the strongest peak; 0: no noise
    "impurity_width": 0.1,  # FWHM [deg]
    **{f"impurity_position_{i}": 0.0 for i in range(1, N_IMPURITIES + 1)},
    **{f"impurity_height_{i}": 0.0 for i in range(1, N_IMPURITIES + 1)},  # relative to the strongest line
    **{f"spike_point_{i}": -1.0 for i in range(1, N_SPIKES + 1)},  # number of the grid point
    **{f"spike_height_{i}": 0.0 for i in range(1, N_SPIKES + 1)},  # relative to the strongest peak
    "displacement_along": 0.0,  # of a capillary along the beam, positive downstream [mm]
}
SLOT = {name: i for i, name in enumerate(SLOT_OFF)}
FRAME = {name: i for i, name in enumerate(FRAME_OFF)}


class Tables(NamedTuple):
    """Patterns before they are rendered."""

    slots: NDArray[np.float64]  # (n, n_slots, len(SLOT))
    frames: NDArray[np.float64]  # (n, len(FRAME))


def blank_tables(n: int, n_slots: int, first: int = 0) -> Tables:
    """Tables of n patterns in which nothing acts and every slot is empty."""
    slots = np.tile(np.fromiter(SLOT_OFF.values(), np.float64), (n, n_slots, 1))
    frames = np.tile(np.fromiter(FRAME_OFF.values(), np.float64), (n, 1))
    frames[:, FRAME["index"]] = np.arange(first, first + n)
    return Tables(slots, frames)
