"""Lines of a library drawn on an even grid, compiled by numba."""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from peakwise._jit import FAST, jit

__all__ = ["raster"]

_DEG = 180.0 / math.pi


@jit(fastmath=FAST)
def raster(start, stop, offsets, s2, power, wavelength, x0, step, fwhm, exponent, polarisation, out):
    """Fill rows start to stop of `out` with Gaussians of one width, raised to `exponent`, each row of length 1."""
    m = out.shape[1]
    wide = fwhm / step
    reach = 1.5 * wide
    for r in range(start, stop):
        row = out[r]
        row[:] = 0.0
        for i in range(offsets[r], offsets[r + 1]):
            sine2 = float(s2[i]) * wavelength * wavelength
            if sine2 >= 0.9998:
                continue
            sine = math.sqrt(sine2)
            at = (2.0 * math.asin(sine) * _DEG - x0) / step
            low, high = max(math.ceil(at - reach), 0), min(math.floor(at + reach) + 1, m)
            if low >= high:
                continue
            cos_2t = 1.0 - 2.0 * sine2
            area = float(power[i]) * (1.0 + polarisation * cos_2t * cos_2t) / (sine2 * math.sqrt(1.0 - sine2))
            for j in range(low, high):
                u = (j - at) / wide
                row[j] += area * math.exp(-2.772588722239781 * u * u)
        total = 0.0
        for j in range(m):
            if row[j] > 0.0:
                row[j] = row[j] ** exponent
                total += row[j] * row[j]
        if total > 0.0:
            factor = np.float32(1.0 / math.sqrt(total))
            for j in range(m):
                row[j] *= factor
