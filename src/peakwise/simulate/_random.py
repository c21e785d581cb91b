"""A counter-based random generator: each number is a hash of (seed, pattern, counter), and nothing is remembered.

So pattern i is the same whichever batch, thread or device draws it. The hash is two rounds of multiply and xor-shift
on 32 bits (constants: C. Wellons, "Prospecting for hash functions", lowbias32), with the counter going in before the
first round and a second key between the rounds, so that two patterns never walk through the same sequence.
"""

# mypy: disable-error-code="no-untyped-def,call-overload,untyped-decorator"

from __future__ import annotations

import numpy as np

from peakwise._jit import jit

__all__ = ["hashed", "keys", "normal_pair", "uniform"]

# Constants of the hash and the golden ratio that spreads neighbouring counters.
_M1, _M2, _STEP = np.uint32(0x7FEB352D), np.uint32(0x846CA68B), np.uint32(0x9E3779B9)
_S15, _S16 = np.uint32(15), np.uint32(16)

_ONE, _HALF, _QUARTER = np.float32(1.0), np.float32(0.5), np.float32(0.25)
_MANTISSA, _EXPONENT_ONE = np.int32(0x7FFFFF), np.int32(0x3F800000)
_SHIFT23, _BIAS = np.int32(23), np.int32(127)
_TO_HALF_OPEN = np.float32(2.0**-23)
_TO_TURN = np.float32(2.0**-31)
_MINUS_2_LN2 = np.float32(-2.0 * np.log(2.0))

# Minimax fits: log2(m) on [1, 2) to 1.8e-6; sin(pi t) = t (1 - t^2) P(t^2) to 8e-7 and cos(pi t) = Q(t^2) to 8e-7.
_L = tuple(
    np.float32(c)
    for c in (-3.040040005, 6.112961989, -5.341987205, 3.286526924, -1.266917311, 0.2751485135, -0.02569106016)
)
_S = tuple(np.float32(c) for c in (3.1415919, -2.026082066, 0.5237360932, -0.07434535591, 0.005896509626))
_C = tuple(np.float32(c) for c in (0.9999992216, -4.934745629, 4.058045414, -1.332381203, 0.2296642137, -0.02058279504))
_L0, _L1, _L2, _L3, _L4, _L5, _L6 = _L
_S0, _S1, _S2, _S3, _S4 = _S
_C0, _C1, _C2, _C3, _C4, _C5 = _C


@jit(inline="always")
def _scramble(x, k2):
    x = np.uint32(x ^ (x >> _S16))
    x = np.uint32(x * _M1)  # a product of two uint32 is an uint64 to numba: cut it back each time
    x = np.uint32(x ^ k2)
    x = np.uint32(x ^ (x >> _S15))
    x = np.uint32(x * _M2)
    return np.uint32(x ^ (x >> _S16))


@jit(inline="always")
def hashed(counter, k1, k2):
    """32 random bits for a counter under two keys."""
    return _scramble(np.uint32(np.uint32(counter) * _STEP + k1), k2)


@jit()
def keys(seed, index, stream):
    """Two keys for one pattern and one purpose, from a 64-bit seed and a 64-bit index."""
    s1, s2 = np.uint32(seed & 0xFFFFFFFF), np.uint32((seed >> 32) & 0xFFFFFFFF)
    i1, i2 = np.uint32(index & 0xFFFFFFFF), np.uint32((index >> 32) & 0xFFFFFFFF)
    a = hashed(i1, s1, np.uint32(s2 + np.uint32(stream) * _M1))
    b = hashed(np.uint32(i1 ^ _M2), np.uint32(s1 + i2), np.uint32(s2 ^ a))
    return np.uint32(a + i2 * _STEP), b


@jit(inline="always")
def uniform(counter, k1, k2):
    """A float64 in the open interval (0, 1) from 32 bits."""
    return (np.float64(hashed(counter, k1, k2)) + 0.5) * 2.0**-32


@jit(inline="always")
def normal_pair(h1, h2):
    """Two independent standard normals (float32) from two hashes, by Box and Muller with polynomials only."""
    u = (np.float32(np.int32(h1 >> np.uint32(9))) + _HALF) * _TO_HALF_OPEN
    bits = np.float32(u).view(np.int32)
    e = np.float32(np.int32((bits >> _SHIFT23) - _BIAS))
    m = np.int32((bits & _MANTISSA) | _EXPONENT_ONE).view(np.float32)
    log2 = e + (_L0 + m * (_L1 + m * (_L2 + m * (_L3 + m * (_L4 + m * (_L5 + m * _L6))))))
    r = np.sqrt(max(_MINUS_2_LN2 * log2, np.float32(0.0)))
    t = np.float32(np.int32(h2)) * _TO_TURN
    q = t * t
    sine = t * (_ONE - q) * (_S0 + q * (_S1 + q * (_S2 + q * (_S3 + q * _S4))))
    cosine = _C0 + q * (_C1 + q * (_C2 + q * (_C3 + q * (_C4 + q * _C5))))
    return r * cosine, r * sine
