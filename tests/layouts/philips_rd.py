"""Philips RD and SD."""

from __future__ import annotations

import struct

import numpy as np

# The beginning of the round-robin scan of corundum as its text version states it, hence counts that the packing can
# hold: 182 = floor(0.01 * 135²) and so on. The stored values are worked out by hand.
STORED = [135, 133, 133, 132, 126, 118, 123, 132, 140, 137, 127, 130]


COUNTS = [182, 176, 176, 174, 158, 139, 151, 174, 196, 187, 161, 169]


def rd_file(stored=STORED, version=b"V3RD", **changes) -> bytes:
    stored = np.asarray(stored, "<u2")
    fields = {
        "instrument": ("B", 84, 3), "anode": ("B", 85, 0), "one": ("d", 94, 1.54060), "two": ("d", 102, 1.54439),
        "ratio": ("d", 110, 0.5), "largest": ("H", 136, int(max(stored))), "step": ("d", 214, 0.02),
        "start": ("d", 222, 5.0), "end": ("d", 230, 5 + 0.02 * (len(stored) - 1)),
    }  # fmt: skip
    head = bytearray(250 if version == b"V3RD" else 810)
    head[:4], head[138:146], head[146:154] = version, b"CPD-1A\0\0", b"Corundum"
    for name, (code, at, value) in fields.items():
        struct.pack_into(f"<{code}", head, at, changes.get(name, value))
    return bytes(head) + stored.tobytes()
