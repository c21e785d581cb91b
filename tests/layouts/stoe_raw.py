"""Stoe RAW."""

from __future__ import annotations

import struct

import numpy as np

COUNTS = [10, 70000, 3, 5, 9]


def stoe_range(counts=COUNTS, form=0, **changes) -> bytes:
    """A range header and its records."""
    counts = np.asarray(counts, "<u2" if form else "<u4")
    fields = {
        "points": ("H", 0x22, len(counts)), "form": ("h", 0x26, form), "factor": ("f", 0x28, 0.0),
        "start": ("f", 0x2C, 10.0), "omega": ("f", 0x30, 5.0), "end": ("f", 0x34, 10 + 0.015 * (len(counts) - 1)),
        "omega_end": ("f", 0x38, 5 + 0.0075 * (len(counts) - 1)), "step": ("f", 0x3C, 0.015),
        "omega_step": ("f", 0x40, 0.0075), "count_time": ("f", 0x44, 352.0), "history": ("H", 0x76, 0),
        "smallest": ("I", 0x78, min(counts, default=0)), "largest": ("I", 0x7C, max(counts, default=0)),
    }  # fmt: skip
    head = bytearray(512)
    head[:15] = b"22-Sep-20 17:18"
    for name, (code, at, value) in fields.items():
        struct.pack_into(f"<{code}", head, at, changes.get(name, value))
    raw = counts.tobytes()
    return bytes(head) + raw + bytes(-len(raw) % 512)


def stoe_file(*ranges: bytes, revision="RAW_1.06", **changes) -> bytes:
    fields = {
        "monochromator": ("h", 0x134, 0), "anode": ("h", 0x136, 3), "voltage": ("h", 0x13E, 40),
        "current": ("h", 0x140, 30), "one": ("f", 0x142, 1.540598), "two": ("f", 0x146, 1.544426),
        "scan_type": ("h", 0x168, 3), "measured": ("h", 0x17A, len(ranges)), "now": ("h", 0x17C, 0),
    }  # fmt: skip
    head = bytearray(3 * 512)
    head[: len(revision)] = revision.encode()
    head[0x10:0x1F], head[0x20:0x26], head[0x70:0x75] = b"22-Sep-20 17:18", b"Quartz", b"0.5mm"
    for name, (code, at, value) in fields.items():
        struct.pack_into(f"<{code}", head, at, changes.get(name, value))
    record = 4
    for i, one in enumerate(ranges):
        struct.pack_into("<h", head, 0x1E0 + 2 * i, changes.get("record", record))
        record += len(one) // 512
    return bytes(head) + b"".join(ranges)
