"""Galactic SPC, by the published SPC.H."""

from __future__ import annotations

import struct

import numpy as np

TSPREC, TMULTI, TRANDM, TORDRD, TALABS, TXYXYS, TXVALS = 1, 4, 8, 16, 32, 64, 128


# 2019-12-31 23:58: minute 6 bits, hour 5, day 5, month 4, year 12.
DATE = 58 | 23 << 6 | 31 << 11 | 12 << 16 | 2019 << 20


def header(order: str = "<", **changes: object) -> bytes:
    say = {
        "flags": 0, "version": 0x4B if order == "<" else 0x4C, "technique": 4, "exponent": 8, "points": 5,
        "first": 400.0, "last": 404.0, "subfiles": 1, "x": 1, "y": 2, "z": 0, "date": DATE, "comment": b"a film",
        "labels": b"", "log": 0, "z_step": 0.0,
    } | changes  # fmt: skip
    one = struct.pack(
        order + "BBBbiddiBBBBI9s9sH8f", say["flags"], say["version"], say["technique"], say["exponent"], say["points"],
        say["first"], say["last"], say["subfiles"], say["x"], say["y"], say["z"], 0, say["date"], b"4 cm-1", b"FTS-40",
        0, *[0.0] * 8,
    )  # fmt: skip
    two = struct.pack(order + "130s30sIIBBHf48sfifB187s", say["comment"], say["labels"], say["log"], 0, 0, 0, 0, 0.0,
                      b"", say["z_step"], 0, 0.0, 0, b"")  # fmt: skip
    assert len(one + two) == 512
    return one + two


def sub(
    order: str = "<", exponent: int = 0, index: int = 0, z: float = 0.0, next_z: float = 0.0, points: int = 0
) -> bytes:
    return struct.pack(order + "BbHfffiif4s", 0, exponent, index, z, next_z, 0.0, points, 0, 0.0, b"")


def numbers(kind: str, *values: float) -> bytes:
    return np.array(values, dtype=kind).tobytes()


def own_axes() -> tuple[bytes, bytes]:
    first = sub(exponent=-128, z=20, points=4) + numbers("<f4", 1, 2, 3, 4) + numbers("<f4", 10, 20, 30, 40)
    second = sub(exponent=-128, index=1, z=25, points=3) + numbers("<f4", 5, 6, 8) + numbers("<f4", 7, 8, 9)
    return first, second


def log_block(text: bytes, size: int | None = None, offset: int = 64) -> bytes:
    return struct.pack("<iiiii44s", (64 + len(text)) if size is None else size, 4096, offset, 0, 0, b"") + text


def old(flags: int = 0, exponent: int = 2, points: float = 5, year: int = 1993) -> bytes:
    head = struct.pack("<BBhfffBBHBBBB", flags, 0x4D, exponent, points, 400, 404, 1, 2, year, 5, 6, 7, 8)
    head += struct.pack("<8sHH7f", b"2 cm-1", 0, 0, *[0.0] * 7)
    head += struct.pack("130s30s", b"old film", b"")
    assert len(head) == 224
    return head


def swapped(*values: int) -> bytes:
    """Most significant word first, each word with its low byte first."""
    return b"".join(struct.pack("<HH", (v & 0xFFFFFFFF) >> 16, v & 0xFFFF) for v in values)
