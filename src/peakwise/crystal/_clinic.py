"""The CIF clinic: a row a structure, with what was repaired and, where it cannot be used, why."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peakwise.crystal._block import Notes, phase_of, refusal
from peakwise.crystal._mend import mend
from peakwise.crystal._phase import Phase, Source
from peakwise.errors import NothingToReadError, PeakwiseError, PhaseError, one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["MAX_BYTES", "ClinicRow", "examine_cif", "first_phase", "phase_id", "repaired_text"]

MAX_BYTES = 64 << 20  # of one CIF; the structure factors that some carry along are read over
_MOST_BLOCKS = 2000
_STRUCTURAL = ("_atom_site_label", "_atom_site_fract_x", "_atom_site_type_symbol", "_atom_site.label", "_atom_site.id")
_STRAY = (ValueError, KeyError, IndexError, RuntimeError, OverflowError, ArithmeticError, MemoryError, TypeError)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TEXT = re.compile(rb"[\t\n\r\f\x20-\x7e\x80-\xff]*")
_CIF = re.compile(r"^\s*(data_|_cell|_atom_site|loop_)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ClinicRow:
    r"""One structure of a file, or the file when it holds none.

    Attributes
    ----------
    file : str
        Path or name as given.
    id : str
        File name without ``.cif``; followed by ``#`` and the block's name where the file holds several structures.
    phase : Phase or None
        The structure, where it is usable.
    repairs : tuple of str
        What was mended so that it can be used.
    warnings : tuple of str
        What looks wrong and was left as it is.
    why : str or None
        Why it cannot be used, in one sentence.
    do : str or None
        What would help.

    Examples
    --------
    >>> (row,) = examine_cif(("salt.cif", "data_x\n_cell_length_a 5.64\n"))
    >>> row.usable, row.id, row.why
    (False, 'salt', 'it gives no number for the cell edge b')
    """

    file: str
    id: str
    phase: Phase | None
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    why: str | None = None
    do: str | None = None

    @property
    def usable(self) -> bool:
        """Whether there is a phase."""
        return self.phase is not None

    @property
    def error(self) -> PhaseError | None:
        """The error that says why it cannot be used."""
        if self.why is None:
            return None
        return PhaseError("cannot use the structure", self.why, self.do or "", file=self.file)


def phase_id(name: str) -> str:
    """What a structure is called: the file's name without folders and without ``.cif``.

    >>> phase_id("oxides/MgO.cif"), phase_id("a.CIF.gz")
    ('MgO', 'a')
    """
    return re.sub(r"\.m?cif(\.gz|\.bz2|\.xz)?$", "", name.replace("\\", "/").rsplit("/", 1)[-1], flags=re.IGNORECASE)


def examine_cif(cif: str | os.PathLike[str] | tuple[str, str | bytes]) -> list[ClinicRow]:
    """Examine every structure of a CIF; never raises for what the file holds.

    Parameters
    ----------
    cif : path, or (name, text or bytes)
    """
    name = str(cif[0] if isinstance(cif, tuple) else cif)
    notes = Notes()
    try:
        data = _bytes(cif)
        text = _decode(data, notes)
        document = _parse(text, notes)
        digest = hashlib.sha256(data).hexdigest()
        blocks = _structures(document)
    except PeakwiseError as problem:
        return [_refused(name, phase_id(name), notes, problem)]
    return [_row(block, name, id_, digest, notes) for block, id_ in zip(blocks, _ids(name, blocks), strict=True)]


def first_phase(cif: str | os.PathLike[str]) -> Phase:
    """The first usable structure of a path, or of CIF text; raises PhaseError where there is none."""
    is_text = isinstance(cif, str) and ("\n" in cif or "\r" in cif)
    rows = examine_cif(("structure.cif", str(cif)) if is_text else cif)
    found = next((r.phase for r in rows if r.phase is not None), None)
    if found is not None:
        return found
    raise rows[0].error or refusal("it holds no structure")


def repaired_text(rows: Sequence[ClinicRow]) -> str:
    """The usable structures of one file as a clean CIF."""
    return "\n".join(r.phase.to_cif() for r in rows if r.phase is not None)


def _refused(name: str, id: str, notes: Notes, problem: PeakwiseError) -> ClinicRow:  # noqa: A002
    return ClinicRow(name, id, None, tuple(notes.repairs), tuple(notes.warnings), problem.why, problem.do)


def _row(block: Any, name: str, id: str, digest: str, shared: Notes) -> ClinicRow:  # noqa: A002
    notes = Notes(list(shared.repairs), list(shared.warnings))
    try:
        phase = phase_of(block, id, Source(name, digest), notes)
    except PhaseError as problem:
        return _refused(name, id, notes, problem)
    except _STRAY as problem:
        told = one_line(f"{type(problem).__name__}: {problem}", 200)
        return _refused(name, id, notes, refusal(f"its content is not what a CIF holds ({told})"))
    return ClinicRow(name, id, phase, phase.repairs, phase.warnings)


def _bytes(cif: str | os.PathLike[str] | tuple[str, str | bytes]) -> bytes:
    if isinstance(cif, tuple):
        data = cif[1].encode("utf-8", "surrogateescape") if isinstance(cif[1], str) else cif[1]
        size = len(data)
    else:
        try:
            size = Path(cif).stat().st_size
            data = Path(cif).read_bytes() if size <= MAX_BYTES else b""
        except (OSError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            raise NothingToReadError("cannot read the CIF", reason, "Check the path", file=str(cif)) from problem
    if size > MAX_BYTES:
        raise refusal(f"it has {size} bytes, at most {MAX_BYTES} are read", "Cut its reflection list out")
    return data


def _decode(data: bytes, notes: Notes) -> str:
    """Text by byte-order mark, else UTF-8, else Windows-1252."""
    if not data.strip():
        raise refusal("it is empty", "Copy it again")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if encoding == "utf-16":
                notes.repair("its text is UTF-16: read as that")
            return data.decode(encoding, "replace")
    clean = _TEXT.fullmatch(data) is not None
    if not clean and b"\0" in data:
        raise refusal("it is not text but binary data", "Get the CIF itself")
    if not clean:
        notes.repair("control characters left out")
        data = re.sub(rb"[\x00-\x08\x0b\x0e-\x1f\x7f\x1a]", b"", data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        notes.repair("its text is not UTF-8: read as Windows-1252")
        return data.decode("cp1252", "replace")


def _parse(text: str, notes: Notes) -> Any:
    """A gemmi document, of mended text where the grammar is broken."""
    from gemmi import cif

    try:
        return cif.read_string(text)
    except (RuntimeError, ValueError) as problem:
        first = re.sub(r"^string:", "line ", str(problem).splitlines()[0])
    if not _CIF.search(text):
        raise refusal("it is not a CIF: it has no data_ line and no CIF tag", "Get the CIF itself")
    told: list[str] = []
    mended = mend(text, lambda note: told.append(note) if len(told) < 5 and note not in told else None)
    try:
        document = cif.read_string(mended)
    except (RuntimeError, ValueError) as problem:
        raise refusal(f"its grammar is broken beyond repair ({one_line(first, 120)})") from problem
    notes.repair(f"broken grammar mended ({'; '.join(told) or one_line(first, 120)})")
    return document


def _structures(document: Any) -> list[Any]:
    """Blocks that hold a structure; the first block with a cell where none does, so that it can say why."""
    if len(document) == 0:
        raise refusal("it has no data block", "Get the CIF itself")
    if len(document) > _MOST_BLOCKS:
        raise refusal(f"it has {len(document)} data blocks, at most {_MOST_BLOCKS} are read", "Split it")
    blocks = [b for b in document if any(len(b.find_loop(t)) or b.find_value(t) for t in _STRUCTURAL)]
    blocks = [b for b in blocks if b.find_value("_cell_length_a") or b.find_value("_cell.length_a")] or blocks
    if blocks:
        return blocks
    with_cell = [b for b in document if b.find_value("_cell_length_a") or b.find_value("_cell.length_a")]
    if any(b.find_loop("_refln_index_h") or b.find_loop("_refln.index_h") for b in document) and not with_cell:
        raise refusal("it holds reflections and no structure", "Get the CIF of the structure")
    return (with_cell or list(document))[:1]


def _ids(name: str, blocks: Sequence[Any]) -> list[str]:
    base = phase_id(name)
    if len(blocks) == 1:
        return [base]
    ids: list[str] = []
    for block in blocks:
        wanted = f"{base}#{block.name or '1'}"
        again, n = wanted, 2
        while again in ids:
            again, n = f"{wanted}~{n}", n + 1
        ids.append(again)
    return ids
