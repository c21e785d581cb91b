"""Bruker RAW versions 1 to 3."""

from __future__ import annotations

import struct

import numpy as np

COUNTS = [10.0, 1.0, 3.0, 5.0, 9.0]


def put(size: int, fields: dict[int, tuple[str, object]]) -> bytearray:
    """Bytes with values at offsets."""
    out = bytearray(size)
    for at, (code, value) in fields.items():
        raw = value.encode() if isinstance(value, str) else struct.pack(f"<{code}", value)
        out[at : at + len(raw)] = raw
    return out


def floats(values) -> bytes:
    return np.asarray(values, "<f4").tobytes()


def v1_range(counts=COUNTS, follows=0, magic=True, start=10.0, theta=5.0, lines=(1.5406, 1.5444)) -> bytes:
    head = put(156, {
        0: ("4s", "RAW "), 4: ("I", len(counts)), 8: ("f", 4.0), 12: ("f", 0.04), 24: ("f", start),
        28: ("f", theta), 32: ("f", -1e6), 36: ("f", 12.5), 40: ("s", "QUARTZ".ljust(32)),
        72: ("f", lines[0]), 76: ("f", lines[1]), 152: ("I", follows),
    })  # fmt: skip
    return bytes(head[0 if magic else 4 :]) + floats(counts)


def v2_range(counts=COUNTS, start=5.0, temperature=65535, length=60) -> bytes:
    head = put(60, {
        0: ("H", length), 2: ("H", len(counts)), 8: ("f", 3.0), 12: ("f", 0.02), 16: ("f", start),
        20: ("f", start / 2), 24: ("f", -1e6), 28: ("f", -1e6), 46: ("H", temperature),
    })  # fmt: skip
    return bytes(head) + floats(counts)


def v2_file(*ranges: bytes, number=None) -> bytes:
    head = put(256, {
        0: ("4s", "RAW2"), 4: ("H", len(ranges) if number is None else number), 8: ("s", "ZINCITE"),
        40: ("s", "by hand"), 168: ("s", "19-12-1997"), 178: ("s", "21:57"), 188: ("s", "CU"),
        190: ("f", 1.5406), 194: ("f", 1.5443), 198: ("f", 0.514),
    })  # fmt: skip
    return bytes(head) + b"".join(ranges)


def v3_range(points=b"", count=None, **changes) -> bytes:
    points = points or floats(COUNTS)
    fields = {
        0: ("i", 304), 4: ("i", len(COUNTS) if count is None else count), 8: ("d", 5.0), 16: ("d", 10.0),
        24: ("d", 9999.0), 32: ("d", 33.0), 40: ("d", -2.0), 176: ("d", 0.1), 192: ("f", 0.5), 204: ("f", 39.0),
        212: ("f", 873.15), 224: ("i", 40), 228: ("i", 30), 240: ("d", 1.5406), 252: ("i", 4),
    }  # fmt: skip
    fields |= {int(key[1:]): value for key, value in changes.items() if key != "supplement"}
    supplement = changes.get("supplement", b"")
    if supplement:
        fields[256] = ("i", len(supplement))
    return bytes(put(304, fields)) + supplement + points


def v3_file(*ranges: bytes, number=None, status=1, unit="A", lines=(1.5406, 1.54439)) -> bytes:
    head = put(712, {
        0: ("s", "RAW1.01"), 8: ("i", status), 12: ("i", len(ranges) if number is None else number),
        16: ("s", "06/12/08"), 26: ("s", "10:27:58"), 36: ("s", "Röntgen"), 326: ("s", "Cu3Au"), 386: ("s", "hot"),
        608: ("s", "CU"), 624: ("d", lines[0]), 632: ("d", lines[1]), 648: ("d", 0.5), 656: ("s", unit),
    })  # fmt: skip
    return bytes(head) + b"".join(ranges)
