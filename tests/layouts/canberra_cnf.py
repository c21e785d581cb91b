"""Canberra CNF."""

from __future__ import annotations

import struct

import numpy as np

ACQUISITION, SAMPLE, CHANNELS = 0x12000, 0x12001, 0x12005


COUNTS = np.arange(256)


def pdp11(value: float) -> bytes:
    low, high = struct.unpack("<HH", struct.pack("<f", 4 * value))
    return struct.pack("<HH", high, low)


def cnf_file(
    coefficients=(0.5, 0.25, 0.0, 0.0), unit=b"keV", form=b"POLY", mode=b"PHA+", channels=1, counts=COUNTS, skip=()
) -> bytes:
    """Acquisition at 512, sample at 2048, channels at 3072."""
    out = bytearray(3072 + 512) + counts.astype("<u4").tobytes()
    places = {ACQUISITION: 512, SAMPLE: 2048, CHANNELS: 3072}
    kept = [(number, at) for number, at in places.items() if number not in skip]
    for i, (number, at) in enumerate(kept):
        struct.pack_into("<I", out, 0x70 + 48 * i, number)
        struct.pack_into("<I", out, 0x70 + 48 * i + 10, at)
        struct.pack_into("<I", out, at, number)
    content, energy, times = 512 + 48, 700, 500
    struct.pack_into("<HH", out, 512 + 0x22, energy, times)
    out[content + 0x80 : content + 0x84] = mode
    struct.pack_into("<H", out, content + 0x8A, channels)
    out[content + 0xFB : content + 0xFB + len(form)] = form
    at = content + energy
    out[at + 0x44 : at + 0x54] = b"".join(map(pdp11, coefficients))
    out[at + 0x5C : at + 0x5C + len(unit)] = unit
    out[at + 0x108 : at + 0x10D] = b"DET01"
    # 2011-09-08 is the day 55812 after 1858-11-17
    struct.pack_into("<Qqq", out, content + times + 1, (55812 * 86400 + 3600) * 10**7, -60 * 10**7, -int(53.17 * 10**7))
    out[2048 + 48 : 2048 + 52], out[2048 + 48 + 64 : 2048 + 48 + 67] = b"Soil", b"#11"
    return bytes(out)
