"""`peakwise phases`: the clinic in a shell."""

from __future__ import annotations

import json
import zipfile

import pytest

from crystal.structures import CIFS
from peakwise.cli import main
from peakwise.crystal import Phase

FIELDS = {"file", "phase", "usable", "formula", "space_group", "cell", "atoms", "repairs", "why"}


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([*map(str, args)])
    out = capsys.readouterr()
    return ended.value.code, out.out, out.err


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rutile.cif").write_text(CIFS["rutile"])
    (tmp_path / "zincite.cif").write_text(
        CIFS["zincite"].replace("0.33333333", "0.3333").replace("0.66666667", "0.6667")
    )
    (tmp_path / "short.cif").write_text(CIFS["rutile"].replace("'Ti O2'", "'Ti O3'"))
    (tmp_path / "broken.cif").write_text("data_x\n")
    return tmp_path


def test_json_has_the_promised_fields(capsys, folder):
    code, out, err = run(capsys, "phases", folder, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["command"] == "phases"
    rows = {r["phase"]: r for r in document["phases"]}
    assert all(set(r) >= FIELDS for r in rows.values())
    assert list(rows) == ["broken", "rutile", "short", "zincite"]
    rutile = rows["rutile"]
    assert rutile["cell"] == [4.5937, 4.5937, 2.9587, 90, 90, 90]
    assert (
        rutile["usable"],
        rutile["formula"],
        rutile["space_group"],
        rutile["atoms"],
        rutile["repairs"],
        rutile["why"],
    ) == (True, "O2Ti", "P42/mnm", 6, [], None)
    assert rows["zincite"]["repairs"] == ["4 coordinates rounded to 0.333 or 0.1667 and the like made exact"]
    assert (rows["broken"]["usable"], rows["broken"]["cell"], rows["broken"]["why"]) == (
        False,
        None,
        "it gives no number for the cell edge a",
    )
    assert [f["file"] for f in document["failed"]] == [str(folder / "broken.cif")]
    assert document["warnings"] == ["short: its atoms make O2Ti, its formula sum says O3Ti"]
    assert "left out" in err


def test_a_table_for_people(capsys, folder):
    code, out, _ = run(capsys, "phases", folder)
    assert code == 0
    assert "P63mc" in out
    assert "3.2498 3.2498 5.2066 γ=120" in out
    assert "REFUSED: it gives no number for the cell edge a" in out
    assert "! its atoms make O2Ti" in out
    assert "4 structures: 3 usable (1 after repairs, 1 doubtful), 1 refused" in out
    _, out, _ = run(capsys, "phases", folder, "--problems")
    assert "rutile" not in out
    _, out, _ = run(capsys, "phases", folder, "--quiet")
    assert out == ""


def test_long_tables_are_cut(capsys, folder, monkeypatch):
    from peakwise.cli import phases

    monkeypatch.setattr(phases, "_SHOWN", 2)
    _, out, _ = run(capsys, "phases", folder)
    assert "... and 2 more (--json lists all)" in out


def test_fix_writes_the_repaired_file(capsys, folder):
    code, out, _ = run(capsys, "phases", folder, "--fix")
    assert code == 0
    assert f"written: {folder / 'zincite_fixed.cif'}" in out.replace("\n", "")
    assert {p.name for p in folder.iterdir()} == {
        "rutile.cif",
        "zincite.cif",
        "zincite_fixed.cif",
        "short.cif",
        "broken.cif",
    }
    fixed = Phase.from_cif(folder / "zincite_fixed.cif")
    assert fixed.repairs == ()
    assert fixed.sites[0].xyz[:2] == pytest.approx((1 / 3, 2 / 3), abs=1e-10)
    _, out, _ = run(capsys, "phases", folder / "zincite.cif", "--fix", "-o", folder / "new", "--json")
    assert json.loads(out)["written"] == [str(folder / "new/zincite.cif")]
    assert Phase.from_cif(folder / "new/zincite.cif").repairs == ()


def test_fix_never_replaces_the_original(capsys, folder):
    before = (folder / "zincite.cif").read_bytes()
    code, _, err = run(capsys, "phases", folder / "zincite.cif", "--fix", "-o", folder)
    assert code == 1
    assert "it would replace the original" in err
    assert (folder / "zincite.cif").read_bytes() == before
    code, _, err = run(capsys, "phases", folder / "zincite.cif", "-o", folder)
    assert code == 2
    code, _, err = run(capsys, "phases", folder / "zincite.cif", "--fix", "-o", folder / "rutile.cif")
    assert code == 1
    assert err.startswith("peakwise: error: cannot write the CIF")


def test_archives_and_globs(capsys, folder, monkeypatch):
    with zipfile.ZipFile(folder / "all.zip", "w") as out:
        out.writestr("x/zincite.cif", (folder / "zincite.cif").read_text())
    _, out, _ = run(capsys, "phases", folder / "all.zip", folder / "r*.cif", "--json")
    assert [r["phase"] for r in json.loads(out)["phases"]] == ["zincite", "rutile"]
    monkeypatch.chdir(folder)
    run(capsys, "phases", folder / "all.zip", "--fix")
    assert (folder / "zincite_fixed.cif").exists()


def test_nothing_usable(capsys, folder):
    code, out, err = run(capsys, "phases", folder / "broken.cif", "--json")
    assert code == 1
    assert json.loads(out)["phases"][0]["usable"] is False
    assert err.count("\n") == 1
    assert err.startswith("peakwise: error: cannot use the structure")
    for missing in (folder / "no.cif", folder / "no*.cif"):
        code, _, err = run(capsys, "phases", missing)
        assert code == 1
        assert "no structures" in err
    code, _, _ = run(capsys, "phases")
    assert code == 2
