"""The documentation is that of this code: generated parts are fresh, every member is named, links lead somewhere."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import peakwise as pw
from peakwise.augmentation import AUGMENTATIONS
from peakwise.cli import COMMANDS
from peakwise.cli.bench import BENCHES
from peakwise.crystal import TEXTBOOK
from peakwise.datasets import DATASETS
from peakwise.errors import DamagedFileError
from peakwise.estimators import ESTIMATORS, METHODS, NETWORK_METHODS, SEARCH_SPACES, WORKFLOWS
from peakwise.evaluation import CALIBRATIONS
from peakwise.explain import EXPLANATIONS, MAPS
from peakwise.exported import BACKENDS
from peakwise.io import FORMATS, META, Reader
from peakwise.live import SOURCES
from peakwise.matching import EFFORTS
from peakwise.networks import DECODERS, HEADS, NETWORKS
from peakwise.novelty import SCORES
from peakwise.objectives import OBJECTIVES
from peakwise.preprocessing import STEPS
from peakwise.report import DESCRIPTOR_VERDICTS, NOVELTY_VERDICTS, SERIES_VERDICTS, VERDICTS
from peakwise.series import GROUPINGS
from peakwise.simulate import EFFECTS, PRESETS
from peakwise.studies import STUDIES
from peakwise.wafers import REGION_METHODS, SCALES, STRATEGIES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(p for p in ROOT.glob("docs/**/*.md") if "_build" not in p.parts)])
IDS = [str(p.relative_to(ROOT)) for p in PAGES]
# Steps have a page of their own, with each in full.
API = "".join((ROOT / "docs/reference" / name).read_text(encoding="utf-8") for name in ("api.md", "steps.md"))
REFERENCE = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs/reference").glob("*.md")))
FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchor(heading):
    """The anchor of a heading, as GitHub and MyST make it."""
    plain = re.sub(r"[^\w\- ]", "", INLINE.sub(lambda m: m[0][1:-1], heading).strip().lower())
    return plain.replace(" ", "-")


def anchors(text):
    return {anchor(m) for m in re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)}


def test_generated_parts_are_fresh():
    made = script("make_reference")
    stale = [str(p.relative_to(ROOT)) for p in made.stale()]
    assert not stale, f"run '{made.AGAIN}': {', '.join(stale)} differ from what the source says now"


def test_a_changed_page_is_noticed(monkeypatch):
    made = script("make_reference")
    monkeypatch.setattr(made, "files", lambda: {ROOT / "README.md": "another text", ROOT / "no-such.md": ""})
    assert set(made.stale()) == {ROOT / "README.md", ROOT / "no-such.md"}


def test_example_scans_are_what_their_script_makes():
    made = script("make_examples")
    there = {p.relative_to(made.FOLDER).as_posix(): p.read_bytes() for p in made.FOLDER.rglob("*") if p.is_file()}
    expected = made.made()
    assert set(there) == set(expected)
    changed = [
        name for name in expected if there[name].replace(b"\r\n", b"\n") != expected[name].replace(b"\r\n", b"\n")
    ]
    assert not changed, f"run python scripts/make_examples.py: {changed} differ"
    assert sum(map(len, there.values())) < 300_000


TABLES = {
    "FORMATS": FORMATS,
    "COMMANDS": COMMANDS,
    "AXES": pw.AXES,
    "WAVELENGTHS": pw.WAVELENGTHS,
    "META": META,
    "STEPS": [s.__name__ for s in STEPS.values()],
    "TEXTBOOK": TEXTBOOK,
    "EFFECTS": EFFECTS,
    "PRESETS": PRESETS,
    "DATASETS": DATASETS,
    "NETWORKS": NETWORKS,
    "HEADS": HEADS,
    "OBJECTIVES": OBJECTIVES,
    "AUGMENTATIONS": AUGMENTATIONS,
    "CALIBRATIONS": CALIBRATIONS,
    "EFFORTS": EFFORTS,
    "EXPLANATIONS": EXPLANATIONS,
    "MAPS": MAPS,
    "ESTIMATORS": ESTIMATORS,
    "STUDIES": STUDIES,
    "VERDICTS": VERDICTS,
    "BENCHES": BENCHES,
    "METHODS": METHODS,
    "GROUPINGS": GROUPINGS,
    "SCORES": SCORES,
    "SOURCES": SOURCES,
    "BACKENDS": BACKENDS,
    "SERIES_VERDICTS": SERIES_VERDICTS,
    "NOVELTY_VERDICTS": NOVELTY_VERDICTS,
    "DECODERS": DECODERS,
    "NETWORK_METHODS": NETWORK_METHODS,
    "REGION_METHODS": REGION_METHODS,
    "SCALES": SCALES,
    "STRATEGIES": STRATEGIES,
    "WORKFLOWS": WORKFLOWS,
    "SEARCH_SPACES": SEARCH_SPACES,
    "DESCRIPTOR_VERDICTS": DESCRIPTOR_VERDICTS,
}
ROOMS = [m.name for m in pkgutil.iter_modules(pw.__path__) if m.ispkg]


@pytest.mark.parametrize("names", TABLES.values(), ids=TABLES)
def test_every_member_of_a_table_is_named(names):
    missing = [n for n in names if not re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", REFERENCE)]
    assert not missing, f"not named in the documentation: {missing}; run 'make reference'"


def test_every_table_of_a_room_is_walked():
    """A new table must join those above, or nobody notices when the pages forget a member."""
    inner = {
        "SLOT",
        "FRAME",
        "FIELDS",
        "SIGNS",
        "FCNN",
        "RULE_FILE",
        "STRAIN",
        "LEAST_FALSE_ALARM",
        "INTENSITY_UNITS",
        "MAX_BYTES",
        "MAX_POINTS",
        "MAX_SCANS",
    }
    for room in ROOMS:
        public = set(importlib.import_module(f"peakwise.{room}").__all__)
        unknown = {n for n in public if n.isupper()} - set(TABLES) - inner
        assert not unknown, f"peakwise.{room} has {unknown}"


def test_architecture_tells_of_every_table_and_room():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert not [n for n in TABLES if n != "META" and f"`{n}`" not in page]
    assert not [room for room in ROOMS if not re.search(rf"\b{room}\b", page)]


def test_every_public_name_is_in_the_reference():
    names = set(pw.__all__) - {"__version__"}
    assert not [n for n in names if not re.search(rf"peakwise\.(\w+\.)?{n}(?!\w)", API)]


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "cli"])
def test_every_public_name_of_a_room_is_in_the_reference(room):
    home = importlib.import_module(f"peakwise.{room}")
    told = {n for n in home.__all__ if re.search(rf"peakwise\.{room}\.{n}(?!\w)|`{n}`|::? peakwise\.{n}(?!\w)", API)}
    missing = set(home.__all__) - told - {n for n in pw.__all__ if n.isupper()}
    assert not missing, f"not in docs/reference/api.md: {missing}"


def test_directives_of_the_reference_name_what_is_there():
    for target in re.findall(r"^\.\. auto(?:class|function):: (peakwise[\w.]+)$", API, re.MULTILINE):
        room, _, name = target.rpartition(".")
        assert hasattr(importlib.import_module(room), name), target


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_between_pages_lead_somewhere(page):
    text = INLINE.sub("", FENCED.sub("", page.read_text(encoding="utf-8")))
    dead = []
    for target in LINK.findall(text):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, part = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (part and part not in anchors(file.read_text(encoding="utf-8"))):
            dead.append(target)
    assert not dead


@pytest.mark.parametrize("page", [p for p in PAGES if p.name == "index.md"], ids=lambda p: str(p.relative_to(ROOT)))
def test_tables_of_contents_name_every_page(page):
    listed = set(re.findall(r"^([\w\-/]+)$", page.read_text(encoding="utf-8").split("{toctree}")[-1], re.MULTILINE))
    there = {p.stem for p in page.parent.glob("*.md")} | {
        f"{p.parent.name}/index" for p in page.parent.glob("*/index.md")
    }
    assert listed == there - {"index"}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_commands_of_make_are_targets(name):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = (ROOT / name).read_text(encoding="utf-8")
    commands = re.findall(r"(?:^|`)make ([a-z-]+(?: [a-z-]+)*?)(?=`| {2,}|$)", text, re.MULTILINE)
    named = {word for command in commands for word in command.split()}
    assert named
    assert named <= targets


def test_readme_names_what_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = re.findall(r"^make ([a-z-]+)", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"lint", "test"} <= set(ci)
    assert not [target for target in ci if f"`make {target}`" not in readme]


@pytest.fixture
def acme(tmp_path):
    """The complete example of CONTRIBUTING.md, as a module of its own."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (source,) = re.findall(r'^```python\n("""ACME.*?)^```$', text, re.DOTALL | re.MULTILINE)
    path = tmp_path / "acme_format.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("acme_format", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.ACME
    sys.modules.pop("acme_format", None)


SCAN = "ACME SCAN 1\nSAMPLE quartz\nWAVELENGTH 0.7093\nSTART 20.0\nSTEP 0.5\nPOINTS 4\nCOUNTS\n12 14 90\n15\n"


def test_the_example_of_a_format_reads(acme, tmp_path):
    path = tmp_path / "scan.acme"
    path.write_text(SCAN)
    scan = Reader({"acme": acme, **FORMATS}).read(path)
    assert scan.axis.tolist() == [20, 20.5, 21, 21.5]
    assert scan.intensity.tolist() == [[12, 14, 90, 15]]
    assert (scan.wavelength, scan.unit, scan.meta["sample"][0], scan.warnings) == (0.7093, "counts", "quartz", ())


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("15\n", "", "holds 3 of the 4 points its header promises"),
        ("15\n", "15 16\n", "holds 5 of the 4 points its header promises"),
        ("POINTS 4", "POINTS 4000000000000", "holds 4 of the 4000000000000 points"),
        ("COUNTS\n12 14 90\n15\n", "", "it has no COUNTS"),
        ("START 20.0\n", "", "KeyError: 'START'"),
    ],
)
def test_the_example_of_a_format_refuses_damage(acme, tmp_path, old, new, why):
    path = tmp_path / "scan.acme"
    path.write_text(SCAN.replace(old, new))
    with pytest.raises(DamagedFileError, match=re.escape(why)):
        Reader({"acme": acme, **FORMATS}).read(path)


def test_the_example_of_a_format_reads_a_stopped_scan(acme, tmp_path):
    path = tmp_path / "scan.acme"
    path.write_text(SCAN.replace("POINTS 4", "ABORTED\nPOINTS 400"))
    scan = Reader({"acme": acme, **FORMATS}).read(path)
    assert scan.n_points == 4
    assert scan.warnings == ("the scan was stopped after 4 of 400 points",)


def test_pages_load_nothing_from_elsewhere():
    """What the theme is told; the built pages are looked at by hand."""
    conf = (ROOT / "docs/conf.py").read_text(encoding="utf-8")
    assert "intersphinx" not in conf
    assert "http" not in conf
