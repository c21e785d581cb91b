"""``peakwise phases``: the CIF clinic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.crystal import ClinicRow

_SHOWN = 400  # rows of the table for people; the JSON document holds all


@options.command
@click.argument("cifs", metavar="CIF...", nargs=-1, required=True)
@click.option("--fix", is_flag=True, help="Write each repaired CIF as NAME_fixed.cif beside it (or into --output).")
@click.option("-o", "--output", metavar="FOLDER", type=click.Path(), help="Where --fix writes, under the old names.")
@click.option("--problems", is_flag=True, help="Show only what was repaired, is doubtful or cannot be used.")
def phases(out: Output, cifs: tuple[str, ...], fix: bool, output: str | None, problems: bool) -> None:
    """Say which CIFs can be used, what had to be repaired in them, and why the others cannot.

    CIF may be files, folders, globs, or zip and tar archives.

    Example: peakwise phases structures/ other.cif --fix
    """
    from peakwise.crystal import examine_each

    if output is not None and not fix:
        raise click.UsageError("--output says where --fix writes; give --fix too.")
    rows: list[ClinicRow] = []
    for some in out.progress(examine_each(cifs), "examining", total=None):
        rows += some
        if fix:
            _fix(out, some, output)
    for row in rows:
        if row.error is not None:
            out.fail(row.error, row.file)
    out.document["phases"] = [_row(r) for r in rows]
    out.warnings += [f"{r.id}: {w}" for r in rows for w in r.warnings] if out.as_json else []
    _tell(out, rows, problems)
    out.need_some(sum(r.usable for r in rows))


def _row(row: ClinicRow) -> dict[str, Any]:
    phase = row.phase
    return {
        "file": row.file,
        "phase": row.id,
        "usable": row.usable,
        "formula": phase.formula if phase else None,
        "space_group": phase.space_group_type if phase else None,
        "space_group_setting": phase.space_group_short if phase else None,
        "space_group_number": phase.space_group_number if phase else None,
        "cell": list(phase.cell) if phase else None,
        "volume": phase.volume if phase else None,
        "z": phase.z if phase else None,
        "density": phase.density if phase else None,
        "atoms": phase.n_atoms if phase else None,
        "repairs": list(row.repairs),
        "warnings": list(row.warnings),
        "why": row.why,
    }


def _tell(out: Output, rows: list[ClinicRow], problems: bool) -> None:
    shown = [r for r in rows if not problems or r.repairs or r.warnings or not r.usable]
    out.table(
        ("phase", "formula", "space group", "cell [Å, °]", "atoms", "what the clinic says"),
        ([r.id, *_facts(r), _words(r)] for r in shown[:_SHOWN]),
    )
    if len(shown) > _SHOWN:
        out.say(f"... and {len(shown) - _SHOWN} more (--json lists all)")
    refused = sum(not r.usable for r in rows)
    mended = sum(r.usable and bool(r.repairs) for r in rows)
    doubtful = sum(r.usable and bool(r.warnings) for r in rows)
    out.say(
        f"{len(rows)} structure{'s' * (len(rows) != 1)}: {len(rows) - refused} usable "
        f"({mended} after repairs, {doubtful} doubtful), {refused} refused"
    )


def _facts(row: ClinicRow) -> tuple[str, ...]:
    if row.phase is None:
        return ("-", "-", "-", "-")
    p = row.phase
    return p.formula, p.space_group_short, _cell(p.cell), str(p.n_atoms)


def _cell(cell: Sequence[float]) -> str:
    """Edges and angles, those that the others imply left out."""
    a, b, c, *angles = cell
    edges = [f"{a:.5g}", *([f"{b:.5g}"] if b != a or c != a else []), *([f"{c:.5g}"] if c != a or b != a else [])]
    bent = [f"{name}={v:.5g}" for name, v in zip("αβγ", angles, strict=True) if v != 90]  # a right angle
    return " ".join(edges + bent)


def _words(row: ClinicRow) -> str:
    if row.why is not None:
        return f"REFUSED: {row.why}"
    return "; ".join([*(f"repaired: {r}" for r in row.repairs), *(f"! {w}" for w in row.warnings)])


def _fix(out: Output, rows: list[ClinicRow], folder: str | None) -> None:
    """Write the repaired structures of one file; files without repairs are left alone."""
    from peakwise.crystal import repaired_text
    from peakwise.io import atomic_file

    mended = [r for r in rows if r.usable]
    if not any(r.repairs for r in mended):
        return
    source = Path(mended[0].file)
    stem = source.name.removesuffix(source.suffix)
    inside = not source.parent.is_dir()  # a member of an archive
    target = Path(folder) / source.name if folder else (Path() if inside else source.parent) / f"{stem}_fixed.cif"
    if folder:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            why = problem.strerror or str(problem)
            raise WriteError("cannot write the CIF", why, "Choose another folder", file=folder) from problem
        if target.exists() and source.exists() and target.samefile(source):
            raise WriteError(
                "cannot write the CIF", "it would replace the original", "Choose another folder", file=target
            )
    with atomic_file(target) as temporary:
        temporary.write_text(repaired_text(mended), encoding="utf-8")
    out.document.setdefault("written", []).append(str(target))
    out.say(f"written: {target}")
