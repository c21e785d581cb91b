"""``peakwise train regress`` and ``regress`` as a shell sees them: a planted stress is read off."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from peakwise.cli import main
from peakwise.cli.regress import regress
from peakwise.cli.train import train

N = 60
X = np.linspace(30, 90, 301)
TARGETS = ("stress [GPa]", "fcc")


def scan(stress, fcc, rng):
    line = np.exp(-(((X - 44 + stress / 4) / 0.8) ** 2)) + 0.5 * np.exp(-(((X - 64 + stress / 4) / 0.8) ** 2))
    return rng.poisson(1000 * (fcc * line + (1 - fcc) * np.exp(-(((X - 50) / 5) ** 2))) + 50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Scans, spectra of the same samples, and the table of what is true."""
    place = tmp_path_factory.mktemp("cells")
    rng = np.random.default_rng(0)
    (place / "xrd").mkdir()
    (place / "vdos").mkdir()
    rows = []
    for i in range(N):
        stress, fcc = rng.uniform(-2, 2), rng.uniform(0.3, 1)
        np.savetxt(place / "xrd" / f"cell_{i:02d}.xy", np.c_[X, scan(stress, fcc, rng)], fmt="%.5g")
        shape = np.exp(-(((np.arange(1, 120) - 60 - 8 * stress) / 12) ** 2)) + rng.normal(0, 0.01, 119)
        np.savetxt(place / "vdos" / f"cell_{i:02d}.xy", np.c_[np.arange(1, 120), shape], fmt="%.5g")
        rows.append((f"cell_{i:02d}.xy", repr(stress), repr(fcc), "gold"))
    with (place / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("pattern", *TARGETS, "sample"), *rows])
    return place


def told(command, *words):
    done = CliRunner().invoke(command, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def train_ridge(folder, target, *more):
    words = ("regress", folder / "xrd", "--targets", folder / "truth.csv", "--workflow", "ridge", "--wavelength", 1.54)
    return told(train, *words, *more, "-o", target)


@pytest.fixture(scope="module")
def model(folder):
    return train_ridge(folder, folder / "m.pw"), folder / "m.pw"


def test_training_tells_how_good_it_is(model):
    document, path = model
    assert document["targets"] == list(TARGETS)
    assert (document["task"], document["workflow"], document["patterns"]) == ("regress", "ridge", N)
    assert document["output"] == str(path)
    for name in TARGETS:
        kept = document["held_out"][name]
        assert kept["n"] == N // 5
        assert kept["r2"] > 0.9
        assert kept["held"] == round(kept["coverage"] * kept["n"])


def test_answers_are_what_the_contract_has_and_near_the_truth(folder, model):
    made = told(regress, folder / "xrd", "--model", model[1], "--wavelength", 1.54, "--truth", folder / "truth.csv")
    assert made["targets"] == list(TARGETS)
    assert made["units"] == {"stress [GPa]": "GPa"}
    assert len(made["scans"]) == N
    for row in made["scans"]:
        assert set(row["values"]) == set(row["interval"]) == set(TARGETS)
        assert row["in_domain"] in (True, False)
        for name in TARGETS:
            low, high = row["interval"][name]
            assert low <= row["values"][name] <= high
    off = [row["values"]["fcc"] - row["truth"]["fcc"] for row in made["scans"]]
    assert made["scores"]["fcc"]["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(off))))
    assert made["scores"]["fcc"]["r2"] > 0.95


def test_wider_levels_have_wider_intervals(folder, model):
    some = folder / "xrd" / "cell_03.xy"
    widths = []
    for level in (0.5, 0.9):
        row = told(regress, some, "--model", model[1], "--level", level, "--wavelength", 1.54)["scans"][0]
        widths.append(np.subtract(*row["interval"]["fcc"][::-1]))
    assert widths[0] < widths[1]


def test_a_scan_that_is_unlike_all_is_told(folder, model, tmp_path):
    rng = np.random.default_rng(5)
    np.savetxt(tmp_path / "strange.xy", np.c_[X, rng.poisson(3000 * np.abs(np.sin(X)))], fmt="%.5g")
    made = told(regress, tmp_path / "strange.xy", "--model", model[1], "--wavelength", 1.54)
    assert made["scans"][0]["in_domain"] is False
    assert any("do not trust" in text for text in made["warnings"])


def test_files_are_written_and_named(folder, model, tmp_path):
    made = told(
        regress, folder / "xrd", "--model", model[1], "--wavelength", 1.54, "--truth", folder / "truth.csv",
        "--report", tmp_path / "r.html", "--csv", tmp_path / "r.csv",
    )  # fmt: skip
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert made["report"] == str(tmp_path / "r.html")
    assert "cell_03.xy" in page
    assert "://" not in page
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == N
    assert float(rows[7]["fcc"]) == made["scans"][7]["values"]["fcc"]
    assert float(rows[7]["stress [GPa]_truth"]) == made["scans"][7]["truth"]["stress [GPa]"]


def test_two_kinds_of_pattern_are_joined_by_their_names(folder, tmp_path):
    # Both along one kind of axis: a scan without a name could be either.
    vdos = f"vdos={folder / 'vdos'}"
    made = train_ridge(folder, tmp_path / "both.pw", "--modality", vdos, "--axis", "two_theta")
    assert sorted(made["modalities"]) == ["vdos", "xrd"]
    words = ("--model", tmp_path / "both.pw", "--wavelength", 1.54, "--axis", "two_theta")
    places = [f"{kind}={folder / kind / 'cell_04.xy'}" for kind in ("xrd", "vdos")]
    whole = told(regress, *words, "--modality", places[0], "--modality", places[1])
    assert len(whole["scans"]) == 1
    for asked, said in (((folder / "xrd",), "can be xrd or vdos"), (("--modality", vdos), "needs every modality"),
                        (("--modality", "raman=x"), "the model knows xrd, vdos, got 'raman'")):  # fmt: skip
        done = CliRunner().invoke(regress, [*map(str, asked), *map(str, words)])
        assert said in str(done.exception)


def test_a_target_may_stand_in_the_scans_themselves(folder, tmp_path):
    from peakwise import Patterns
    from peakwise.io import write

    rng = np.random.default_rng(1)
    stress = rng.uniform(-2, 2, 40)
    made = Patterns(
        X, np.array([scan(s, 0.8, rng) for s in stress]), "two_theta", wavelength=1.54, meta={"load": stress}
    )
    write(made, tmp_path / "set.nc")
    words = ("regress", tmp_path / "set.nc", "--target", "load", "--workflow", "ridge", "-o", tmp_path / "m.pw")
    assert told(train, *words)["targets"] == ["load"]


def complaint(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr().err.strip().splitlines()
    return ended.value.code, said[-1]


BAD = {
    "unknown": ("pattern,fcc\nnone.xy,0.5\n", "not in the series: none.xy"),
    "no names": ("a,b\n1,2\n", "it has no column 'pattern'"),
    "constant": ("pattern,fcc\n" + "".join(f"cell_{i:02d},0.5\n" for i in range(N)), "is 0.5 for all scans"),
    "text": ("pattern,fcc\ncell_00,much\n", "no column of numbers"),
    "nothing": ("pattern,fcc\n" + "".join(f"cell_{i:02d},\n" for i in range(N)), "has no value"),
    "twice": ("pattern,fcc,fcc\ncell_00,1,2\n", "two columns 'fcc'"),
    "infinite": ("pattern,fcc\n" + "".join(f"cell_{i:02d},inf\n" for i in range(N)), "has no value"),
    "few": ("pattern,fcc\ncell_00,0.1\ncell_01,0.5\n", "at least 8 patterns"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_one_line(folder, tmp_path, capsys, name):
    text, said = BAD[name]
    (tmp_path / "t.csv").write_text(text)
    words = ("train", "regress", folder / "xrd", "--targets", tmp_path / "t.csv", "--workflow", "ridge", "--wavelength",
             "1.54", "-o", tmp_path / "m.pw")  # fmt: skip
    code, line = complaint(capsys, *words)
    assert code == 1
    assert line.startswith("peakwise: error: ")
    assert said in line
    assert not (tmp_path / "m.pw").exists()


def test_missing_values_are_told_and_left_out(folder, tmp_path):
    text = (folder / "truth.csv").read_text().splitlines()
    text[3] = ",".join([text[3].split(",")[0], "", "0.5", "gold"])
    (tmp_path / "t.csv").write_text("\n".join(text))
    made = told(train, "regress", folder / "xrd", "--targets", tmp_path / "t.csv", "--workflow", "ridge",
                "--wavelength", 1.54, "-o", tmp_path / "m.pw")  # fmt: skip
    assert made["patterns"] == N - 1
    assert any("1 of 60 scans lack a target (1 of stress [GPa])" in text for text in made["warnings"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--workflow", "magic"), 1, "workflow must be one of"), (("--target", "hcp"), 1, "no target 'hcp'"),
        (("--modality", "vdos"), 1, "--modality must be NAME=SCAN"), (("--mixtures", "2"), 2, "has no '--mixtures'"),
        (("--bins", "-1"), 2, "--bins"), (("--level", "0.9"), 2, "--level"),
    ],
)  # fmt: skip
def test_wrong_options_are_one_line(folder, tmp_path, capsys, words, code, said):
    asked = ("train", "regress", folder / "xrd", "--targets", folder / "truth.csv", *words, "-o", tmp_path / "m.pw")
    found, line = complaint(capsys, *asked, "--wavelength", "1.54")
    assert found == code
    assert said in line


def test_scans_that_cannot_be_answered_are_left_out(folder, model, tmp_path, capsys):
    np.savetxt(tmp_path / "short.xy", np.c_[X[:50], np.ones(50)])
    (tmp_path / "empty.xy").write_text("")
    good = folder / "xrd" / "cell_00.xy"
    made = told(regress, good, tmp_path, "--model", model[1], "--wavelength", 1.54)
    assert len(made["scans"]) == 1
    assert {row["file"].rsplit("/", 1)[-1] for row in made["failed"]} == {"short.xy", "empty.xy"}
    code, line = complaint(capsys, "regress", tmp_path / "short.xy", "--model", model[1], "--wavelength", "1.54")
    assert code == 1
    assert "it covers 30 to 39.8" in line


def test_scans_are_answered_as_they_land(folder, model, tmp_path):
    from peakwise.cli.watch import watch

    for i in range(3):
        name = f"cell_{i:02d}.xy"
        (tmp_path / name).write_text((folder / "xrd" / name).read_text())
    words = [
        str(tmp_path),
        "--model",
        str(model[1]),
        "--once",
        "--wavelength",
        "1.54",
        "--out",
        str(tmp_path / "o.jsonl"),
    ]
    done = CliRunner().invoke(watch, words)
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    asked = told(regress, tmp_path / "cell_01.xy", "--model", model[1], "--wavelength", 1.54)["scans"][0]
    row = next(line for line in lines if "cell_01" in line["scan"])
    assert row["values"] == pytest.approx(asked["values"])
    assert row["interval"]["fcc"] == pytest.approx(asked["interval"]["fcc"])
    assert row["in_domain"] is True


def test_other_models_are_refused(folder, tmp_path, capsys):
    from peakwise.estimators import NaiveBayes

    NaiveBayes().fit([[9, 1, 0], [0, 1, 9]], ["a", "b"]).save(tmp_path / "other.pw")
    code, line = complaint(capsys, "regress", folder / "xrd", "--model", tmp_path / "other.pw")
    assert code == 1
    assert "it holds a NaiveBayes, which reads no descriptors" in line
