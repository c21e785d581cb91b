"""Write the generated parts of the documentation again, from the tables of the source and from real commands.

    python scripts/make_reference.py           writes what has changed
    python scripts/make_reference.py --check   writes nothing; says what has changed and exits 1

Generated are whole pages of `docs/reference/`, the table of formats in the README, and, in every Markdown file, the
output below a ``$ peakwise ...`` line of a ``console`` block (`replay_consoles.py`).
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner
from markdown_parts import AGAIN, code, first, page, prose, table
from reference_models import models_page
from replay_consoles import with_outputs

from peakwise.cli import COMMANDS, peakwise
from peakwise.crystal import TEXTBOOK
from peakwise.datasets import DATASETS, options_of
from peakwise.io import FORMATS, META
from peakwise.patterns import AXES, INTENSITY_UNITS, WAVELENGTHS
from peakwise.preprocessing import STEPS
from peakwise.simulate import EFFECTS, PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from peakwise.io import Format
    from peakwise.simulate import Effect

ROOT = Path(__file__).parents[1]
WIDTH = 100

_MARKED = re.compile(r"(<!-- formats: begin[^\n]*-->\n).*?(<!-- formats: end -->)", re.DOTALL)


def formats_table() -> str:
    return table(
        ("Format", "Usual suffixes", "Written", "What it is"),
        ((f"`{f.name}`", code(f.suffixes), code(f.written), f.title) for f in FORMATS.values()),
    )


def formats_page() -> str:
    notes = [f"### {name}\n\n```text\n{doc}\n```" for name, doc in _notes().items()]
    return page(
        "# Formats",
        prose("""
            A file is recognised by its **content**; the suffix is a hint for people. The table stands in the order in
            which the formats are tried: those with an unmistakable beginning first, plain text last. Text formats
            packed as `.gz`, `.bz2` or `.xz` are read as they are. `peakwise info --formats` prints the same table.
        """),
        formats_table(),
        prose("""
            Not in the table, or not read correctly? See [A file does not open](../how-to/file-does-not-open.md) and
            [Add your own format](../how-to/add-a-format.md).
        """),
        "## What is known about each",
        "These notes stand at the head of each reader. They say what is read, and where the layout is described.",
        *notes,
    )


def _notes() -> dict[str, str]:
    """Names of the formats of each reader's file -> that file's docstring."""
    homes: dict[str, list[Format]] = {}
    for form in FORMATS.values():
        homes.setdefault(form.read.__module__, []).append(form)
    docs = {home: inspect.getdoc(sys.modules[home]) or "" for home in homes}
    return {", ".join(f"`{f.name}`" for f in forms): docs[home] for home, forms in homes.items()}


def axes_page() -> str:
    kinds = table(
        ("Name", "Unit", "Symbol", "Family", "Also understood in files as"),
        ((f"`{a.name}`", a.unit or "-", a.symbol, a.family, ", ".join(a.spellings) or "-") for a in AXES.values()),
    )
    lines = table(("Name", "Wavelength [angstrom]"), ((f"`{n}`", f"{v:.8g}") for n, v in WAVELENGTHS.items()))
    return page(
        "# Axes and wavelengths",
        "## Kinds of axis",
        "These are the names for `axis=`, `--axis`, `to_axis` and `--to-axis`. In Python the table is `peakwise.AXES`.",
        kinds,
        prose("""
            The axes of the families diffraction and spectral convert exactly into others of their family. `energy`
            also converts to the diffraction axes, for an energy-dispersive detector at a fixed angle (`two_theta=`).
            The other axes stay what they are. Why, and with which constants:
            [Axes and wavelengths](../explanations/axes-and-wavelengths.md).
        """),
        "## Wavelengths",
        prose("""
            These are the names for `wavelength=` and `--wavelength`; a number is in angstrom. In Python the table is
            `peakwise.WAVELENGTHS`. Without 1 or 2 the name means the mean of both lines, weighted 2 to 1, which is
            what an unresolved doublet shows.
        """),
        lines,
        prose("""
            International Tables for Crystallography C (2004), table 4.2.2.4, after Hölzer et al., Phys. Rev. A 56
            (1997) 4554 (Cr, Fe, Co, Cu) and Deslattes et al., Rev. Mod. Phys. 75 (2003) 35 (Mo, Ag).
        """),
    )


def metadata_page() -> str:
    units = ", ".join(f"`{unit}`" for unit in INTENSITY_UNITS)
    return page(
        "# Metadata and units",
        prose("""
            What a file says about its scans is in `Patterns.meta`: a column per name, with an entry per pattern. A
            number that one pattern lacks is NaN, a text that it lacks is empty. Readers convert to the units below. A
            format that knows more gives more, under other names. `read` adds the column `file`.
        """),
        table(("Name", "Meaning"), ((f"`{name}`", told) for name, told in META.items())),
        "## Units of intensity",
        prose(f"""
            `Patterns.unit` is one of {units}. `counts` and `unknown` are summed where bins are joined; all others are
            averaged.
        """),
    )


def steps_page() -> str:
    rows = ((f"`{name}`", f"`{step.__name__}`", first(step)) for name, step in STEPS.items())
    bodies = "\n\n".join(f".. autoclass:: peakwise.preprocessing.{step.__name__}" for step in STEPS.values())
    return page(
        "# Preprocessing steps",
        prose("""
            Each step is a scikit-learn transformer with `fit`, `transform` and `fit_transform`. It takes `Patterns`, an
            xarray object or a plain array of shape (patterns, points), and gives back the same kind. None of them is
            random. The table stands in the order in which steps are usually applied; in Python it is
            `peakwise.preprocessing.STEPS`.
        """),
        table(("Name", "Class", "What it does"), rows),
        "## Options of each",
        f"```{{eval-rst}}\n{bodies}\n```",
    )


def textbook_page() -> str:
    kinds: dict[str, list[tuple[str, ...]]] = {}
    for key, entry in TEXTBOOK.entries.items():
        match, phase = entry.match, TEXTBOOK[key]
        told = f"{match.work} (`{Path(match.file).name}`)" if match.work else f"`{Path(match.file).name}`"
        row = (f"`{key}`", entry.name, entry.formula, phase.space_group, _cell(phase.cell, phase.system))
        checked = (entry.reference, told, f"{match.xrays:.4f}, {match.neutrons:.4f}")
        kinds.setdefault(entry.kind, []).append((*row, *checked))
    titles = ("Id", "Name", "Formula", "Space group", "Cell", "Reference", "Agrees with", "Cosines")
    sections = [part for kind, rows in kinds.items() for part in (f"## {kind.capitalize()}", table(titles, rows))]
    return page(
        "# Textbook phases",
        prose(f"""
            These {len(TEXTBOOK)} structures ship with peakwise. In Python they are `peakwise.crystal.TEXTBOOK`, a
            mapping of id to `Phase`; `textbook_cif(id)` gives one as a CIF. Cells are in angstrom and degrees, for
            room temperature and pressure unless the name says otherwise. Displacements are rounded to what is usual
            for such a compound; for work that depends on them, or on the last digit of a position, go to the
            reference.
        """),
        prose("""
            Each structure was written down from the literature and compared with a CIF that other people made: the
            same space group, each cell edge within 1 %, the composition within 2 % of the atoms, and powder patterns
            (Cu Ka, 10 to 90 degrees) with a cosine above 0.99, nearly all above 0.999. *Agrees with* names the work and
            the file of that CIF
            (AMCSD, the Crystallography Open Database, RRUFF or a measured series); *Cosines* are those for X-rays and,
            as a sharper look at light atoms, for neutrons. Where the work is the reference itself, it is the same
            measurement written down twice. `scripts/check_textbook.py` repeats the comparison. The CIF beside
            `CoFe2O4` has Co and Fe exchanged, which Cu Ka hardly tells apart and neutrons do.
        """),
        *sections,
    )


def simulation_page() -> str:
    titles = ("Name", "Unit", "From", "To", "Steps", "Acts in", "Why")
    phase = (_effect(e) for e in EFFECTS.values() if e.per_phase)
    frame = (_effect(e) for e in EFFECTS.values() if not e.per_phase)
    tools = {name: preset() for name, preset in PRESETS.items()}
    rows = (
        ("Wavelength [angstrom]", *(", ".join(f"{w:.6g}" for w, _ in t.radiation.lines) for t in tools.values())),
        ("Probe", *(t.radiation.probe for t in tools.values())),
        ("U, V, W [deg²]", *(f"{t.u:g}, {t.v:g}, {t.w:g}" for t in tools.values())),
        ("X, Y [deg]", *(f"{t.x:g}, {t.y:g}" for t in tools.values())),
        ("FWHM at 10, 40, 90 deg [deg]", *(_widths(t.fwhm([10, 40, 90])) for t in tools.values())),
        ("Polarisation", *(f"{t.polarisation:g}" for t in tools.values())),
        ("Geometry", *(t.geometry for t in tools.values())),
        ("Radius [mm]", *(f"{t.radius:g}" for t in tools.values())),
        ("S/L, H/L", *(f"{t.axial_sample:g}, {t.axial_detector:g}" for t in tools.values())),
    )
    return page(
        "# Effects and instruments of the simulation",
        prose("""
            What `Simulator.draw` varies, and between which limits unless you say otherwise: pass
            `ranges=Ranges(name=...)` with a pair, a number, a `Range`, or `None` to switch the effect off. *Steps* says
            whether equal differences or equal ratios are equally probable; *Acts in* is the share of cases in which the
            effect acts at all. In Python the table is `peakwise.simulate.EFFECTS`. The formulas:
            [Simulation](../explanations/simulation.md).
        """),
        "## Drawn for each phase in a pattern",
        table(titles, phase),
        "## Drawn for each pattern",
        table(titles, frame),
        "## Instruments",
        prose("""
            These are the names for `--instrument`; in Python they are `peakwise.simulate.PRESETS` and the class methods
            of `Instrument`, which take every number of the table as an option. They describe usual instruments, not
            yours: measure a standard and give its widths.
        """),
        table(("", *(f"`{name}`" for name in tools)), rows),
    )


def _effect(effect: Effect) -> tuple[str, ...]:
    r = effect.default
    acts = "off" if r.share <= 0 else f"{100 * r.share:.0f} %"
    even = {"uniform": "differences", "log": "ratios"}[r.spacing] if r.low < r.high else "fixed"
    return f"`{effect.name}`", effect.unit, f"{r.low:g}", f"{r.high:g}", even, acts, effect.why


def _widths(values: Iterable[float]) -> str:
    return ", ".join(f"{v:.2g}" for v in values)


def datasets_page() -> str:
    rows = (
        (f"`{d.name}`", d.kind, code(options_of(d)) or "-", f"<{d.url}>" if d.kind == "fetched" else "made by peakwise")
        for d in DATASETS.values()
    )
    parts = [
        (
            f"## {d.name}",
            f"{d.title[0].upper()}{d.title[1:]}.",
            d.what,
            f"Licence: {d.licence}.",
            f"From: {d.citation}.",
        )
        for d in DATASETS.values()
    ]
    return page(
        "# Data sets",
        prose("""
            What `peakwise datasets` and `peakwise.datasets.load` know. In Python the table is
            `peakwise.datasets.DATASETS`. How to get and make them: [Data sets](../how-to/datasets.md).
        """),
        table(("Name", "Kind", "Options", "Where"), rows),
        *(part for entry in parts for part in entry),
    )


def _cell(cell: Sequence[float], system: str) -> str:
    """The parameters that the crystal system leaves free."""
    free = {"cubic": (0,), "tetragonal": (0, 2), "trigonal": (0, 2), "hexagonal": (0, 2), "orthorhombic": (0, 1, 2)}
    places = free.get(system, (0, 1, 2, 4) if system == "monoclinic" else range(6))
    return " ".join(f"{cell[i]:.7g}" for i in places)


def cli_page() -> str:
    codes = (
        ("0", "it worked; files that were left out are named on stderr and in `failed`"),
        ("1", "nothing could be used, or something else that you must mend: one line on stderr says what"),
        ("2", "the command line is wrong"),
        ("130", "stopped with Ctrl-C; no half-written file is left"),
    )
    return page(
        "# Commands",
        "What `--help` prints, for every command.",
        "## peakwise\n\n" + _help(),
        *(f"## peakwise {name}\n\n" + _help(name) for name in COMMANDS),
        "## Exit codes",
        table(("Code", "Meaning"), codes),
    )


def _help(*command: str) -> str:
    done = CliRunner().invoke(peakwise, [*command, "--help"], prog_name="peakwise", terminal_width=WIDTH)
    if done.exit_code:
        raise SystemExit(f"peakwise {' '.join(command)} --help failed: {done.output}")
    lines = [line.rstrip() for line in done.output.strip().splitlines()]
    return "```text\n" + "\n".join(lines) + "\n```"


PAGES = {
    "docs/reference/cli.md": cli_page,
    "docs/reference/formats.md": formats_page,
    "docs/reference/axes.md": axes_page,
    "docs/reference/metadata.md": metadata_page,
    "docs/reference/steps.md": steps_page,
    "docs/reference/models.md": models_page,
    "docs/reference/textbook.md": textbook_page,
    "docs/reference/simulation.md": simulation_page,
    "docs/reference/datasets.md": datasets_page,
}


def files() -> dict[Path, str]:
    """Every Markdown file -> what it should hold."""
    made = {ROOT / path: make() for path, make in PAGES.items()}
    written = [*ROOT.glob("*.md"), *(p for p in ROOT.glob("docs/**/*.md") if "_build" not in p.parts)]
    for path in sorted(written):
        if path not in made:
            text = path.read_text(encoding="utf-8")
            text = _MARKED.sub(lambda found: found[1] + formats_table() + found[2], text)
            made[path] = with_outputs(text)
    return made


def stale() -> dict[Path, str]:
    """The files that differ from what they should hold."""
    return {
        path: text
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }  # fmt: skip


def main() -> int:
    check = "--check" in sys.argv[1:]
    changed = stale()
    for path, text in changed.items():
        print(("differs: " if check else "written: ") + str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if check and changed:
        print(f"run: {AGAIN}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
