"""Bruker RAW version 4, record by record."""

from __future__ import annotations

import struct

import numpy as np

COUNTS = [10.0, 1.0, 3.0, 5.0, 9.0]


COUPLED = {"2Theta": 10.0, "Theta": 5.0, "Chi": 1.5, "Phi": 33.0, "Divergence Slit": 0.3}


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, 8 + len(content)) + content


def text(name: str, value: bytes, flag=0) -> bytes:
    return record(10, struct.pack("<I24s", flag, name.encode()) + value)


def hardware(one=1.5406, two=1.54439, ratio=0.5, unit=b"A") -> bytes:
    lines = struct.pack("<5df", 1.5418, one, two, 1.39222, ratio, 0.0)
    return record(30, bytes(64) + lines + struct.pack("<4s4s", b"Cu", unit) + bytes(12))


def drive(name: str, position: float) -> bytes:
    return record(50, struct.pack("<I24s20sd", 7, name.encode(), bytes(20), position) + bytes(28))


def one_range(scan_type="Locked Coupled", drives=COUPLED, points=b"", records=b"", **changes) -> bytes:
    points = points or np.asarray(COUNTS, "<f4").tobytes()
    records += b"".join(drive(name, position) for name, position in drives.items())
    fields = {
        "first": ("I", 0, 0), "measured": ("i", 4, 5), "completed": ("i", 8, 5), "time": ("f", 68, 20.0),
        "start": ("d", 72, 10.0), "step": ("d", 80, 0.02), "count": ("i", 88, 5), "count_time": ("f", 92, 38.4),
        "voltage": ("f", 100, 40.0), "current": ("f", 104, 25.0), "in_use": ("d", 112, 1.5418),
        "counters": ("i", 124, 1), "flags": ("i", 132, 0), "size": ("i", 136, 4), "extra": ("i", 140, len(records)),
    }  # fmt: skip
    head = bytearray(160)
    head[32 : 32 + len(scan_type)] = scan_type.encode()
    for name, (code, at, value) in fields.items():
        struct.pack_into(f"<{code}", head, at, changes.get(name, value))
    return bytes(head) + records + points


def v4_file(*ranges: bytes, metadata=None, planned=None, measured=None, length=None, extra=b"") -> bytes:
    if metadata is None:
        metadata = text("USER", b"Me") + text("SAMPLEID", "Süß\n".encode()) + text("COMMENT", b"\1\2", 1) + hardware()
    head = bytearray(61)
    head[:8] = b"RAW4.00\0"
    head[12:22], head[24:32] = b"05/09/2025", b"12:24:11"
    number = len(ranges)
    struct.pack_into("<2i", head, 40, *(number if n is None else n for n in (planned, measured)))
    struct.pack_into("<i", head, 56, len(metadata) if length is None else length)
    head[60] = bool(extra)
    return bytes(head) + extra + metadata + b"".join(ranges)
