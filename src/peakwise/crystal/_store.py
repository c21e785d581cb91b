"""Structures as plain lists of numbers and texts (JSON), and the folder in which libraries are kept between runs.

A cache file is a line of magic, the SHA-256 of the rest, then compressed JSON. Nothing in it is ever executed; one
that is damaged, foreign or of another version is ignored and written anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peakwise.crystal._clinic import ClinicRow
from peakwise.crystal._phase import Phase, Site, Source
from peakwise.crystal._symmetry import Symmetry, of_hall, symmetry_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "VERSION",
    "cache_folder",
    "load_rows",
    "pack_phases",
    "pack_rows",
    "save_rows",
    "unpack_phases",
    "unpack_rows",
]

VERSION = "2"  # of the clinic's judgement and of this layout: raise it when either changes
_MAGIC = b"peakwise library " + VERSION.encode() + b"\n"
_MOST_BYTES = 1 << 30  # of one cache file, unpacked
_KEPT = 64  # cache files; the one unused for longest goes first


def pack_rows(rows: Iterable[ClinicRow]) -> bytes:
    """The rows of one file as a line of JSON."""
    packed = [[r.file, r.id, r.repairs, r.warnings, r.why, r.do, _pack_phase(r.phase)] for r in rows]
    return json.dumps(packed, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def unpack_rows(line: bytes) -> list[ClinicRow]:
    """The inverse of `pack_rows`."""
    rows = []
    for file, id_, repairs, warnings, why, do, phase in json.loads(line):
        told = tuple(repairs), tuple(warnings)
        rows.append(ClinicRow(file, id_, _unpack_phase(id_, file, *told, phase), *told, why, do))
    return rows


def pack_phases(phases: Iterable[Phase]) -> bytes:
    """Structures as compressed JSON, for a model file: plain numbers and texts."""
    packed = [[p.id, p.source.file, p.repairs, p.warnings, _pack_phase(p)] for p in phases]
    return zlib.compress(json.dumps(packed, ensure_ascii=True, separators=(",", ":")).encode("ascii"), 6)


def unpack_phases(packed: bytes) -> list[Phase]:
    """The inverse of `pack_phases`.

    Raises
    ------
    ValueError
        Where the bytes are not what `pack_phases` made, or would unpack to more than a gigabyte.
    """
    machine = zlib.decompressobj()
    try:
        text = machine.decompress(packed, _MOST_BYTES)
        if machine.unconsumed_tail or not machine.eof:
            raise ValueError("the structures are cut short or too large")
        rows = json.loads(text)
        made = [_unpack_phase(str(i), str(f), tuple(r), tuple(w), p) for i, f, r, w, p in rows]
    except (zlib.error, TypeError, KeyError, RecursionError, AttributeError) as problem:
        raise ValueError(f"the structures cannot be read: {problem}") from problem
    if any(p is None for p in made):
        raise ValueError("a structure is missing")
    return [p for p in made if p is not None]


def _pack_phase(phase: Phase | None) -> list[Any] | None:
    if phase is None:
        return None
    sites = [
        [s.label, s.scatterer, s.element, *s.xyz, s.occupancy, s.b_iso, s.u_aniso, s.multiplicity] for s in phase.sites
    ]
    return [phase.formula, phase.cell, _pack_symmetry(phase.symmetry), phase.z, phase.source.sha256, sites]


def _unpack_phase(
    id_: str, file: str, repairs: tuple[str, ...], warnings: tuple[str, ...], packed: list[Any] | None
) -> Phase | None:
    if packed is None:
        return None
    formula, cell, symmetry, z, digest, rows = packed
    sites = tuple(
        Site(label, _same(scatterer), _same(element), (x, y, zz), _same(occupancy), _same(b), u and tuple(u), m)
        for label, scatterer, element, x, y, zz, occupancy, b, u, m in rows
    )
    return Phase(
        id_, formula, tuple(cell), _unpack_symmetry(symmetry), sites, z, Source(file, digest), repairs, warnings
    )


def _same(value: Any) -> Any:
    """One object for a value that thousands of sites share: it halves the memory of a library of large cells."""
    if len(_values) > _MOST_VALUES:
        _values.clear()
    return _values.setdefault(value, value)


_known: dict[str, Symmetry] = {}
_values: dict[Any, Any] = {}
_MOST_VALUES = 10_000


def _pack_symmetry(symmetry: Symmetry) -> str:
    if symmetry.hall and of_hall(symmetry.hall) == symmetry:
        return symmetry.hall
    return "|".join([symmetry.name, str(symmetry.number), ";".join(symmetry.triplets)])


def _unpack_symmetry(text: str) -> Symmetry:
    if text not in _known:
        if "|" in text:
            name, number, operations = text.split("|")
            group, _ = symmetry_of(operations.split(";"))
            group = Symmetry(name, int(number), "", group.rotations, group.translations, group.centrings)
        else:
            group = of_hall(text)
        _known[text] = group
    return _known[text]


def cache_folder() -> Path:
    """Where peakwise keeps what it can make again: ``PEAKWISE_CACHE``, else the user's cache folder."""
    import platformdirs

    wanted = os.environ.get("PEAKWISE_CACHE")
    return Path(wanted) if wanted else Path(platformdirs.user_cache_dir("peakwise", appauthor=False))


def _path(key: str) -> Path:
    return cache_folder() / "libraries" / f"{key}.pwlib"


def load_rows(key: str) -> list[ClinicRow] | None:
    """The rows stored under a key, or None where there are none that can be used."""
    try:
        raw = _path(key).read_bytes()
        if not raw.startswith(_MAGIC):
            return None
        digest, body = raw[len(_MAGIC) : len(_MAGIC) + 32], raw[len(_MAGIC) + 32 :]
        if hashlib.sha256(body).digest() != digest:
            return None
        machine = zlib.decompressobj()
        text = machine.decompress(body, _MOST_BYTES)
        if machine.unconsumed_tail:
            return None
        rows = [row for line in io.BytesIO(text) for row in unpack_rows(line)]
        os.utime(_path(key))
    except (OSError, ValueError, TypeError, KeyError, zlib.error, RecursionError, MemoryError):
        return None
    return rows


def save_rows(key: str, lines: list[bytes]) -> None:
    """Store packed rows; a folder that cannot be written to is no reason to stop."""
    target = _path(key)
    temporary = target.with_name(f".{uuid.uuid4().hex}.part")
    body = zlib.compress(b"\n".join(lines), 1)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(_MAGIC + hashlib.sha256(body).digest() + body)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _thin(target.parent)
    except OSError:
        return


def _thin(folder: Path) -> None:
    """Keep the files that were used last."""
    files = sorted(folder.glob("*.pwlib"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in files[_KEPT:]:
        old.unlink(missing_ok=True)
