"""``peakwise novelty`` and ``train novelty`` as a shell sees them."""

import json

import numpy as np
import pytest

from peakwise.cli import main

X = np.linspace(10, 60, 500)


def scan(path, rng, *places, start=10.0):
    rows = rng.poisson(2000 * (sum(np.exp(-(((X - p) / 0.3) ** 2)) for p in places) + 0.05))
    np.savetxt(path, np.c_[X - 10 + start, rows], fmt="%.6f")


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def ask(capsys, *words):
    code, out, err = run(capsys, *words, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Thirty known scans, and three to be asked: a known one, a new one, and one with NaN."""
    root, rng = tmp_path_factory.mktemp("novelty"), np.random.default_rng(0)
    (root / "known").mkdir()
    (root / "asked").mkdir()
    for i in range(30):
        scan(root / "known" / f"k{i}.xy", rng, 20, 31)
    scan(root / "asked" / "old.xy", rng, 20, 31)
    scan(root / "asked" / "new.xy", rng, 20, 31, 42)
    return root


def test_the_answer_has_what_is_promised(capsys, folders):
    document = ask(
        capsys, "novelty", folders / "asked", "--known", folders / "known", "--axis", "q", "--false-alarm", 0.05
    )
    assert {"peakwise", "command", "failed", "warnings", "seconds", "threshold", "false_alarm"} <= set(document)
    assert document["false_alarm"] == 0.05
    found = {s["scan"].rsplit("/", 1)[-1]: s for s in document["scans"]}
    assert {n: s["novel"] for n, s in found.items()} == {"old.xy": False, "new.xy": True}
    for one in found.values():
        assert {"scan", "score", "p_value", "novel", "nearest", "why"} <= set(one)
        assert one["novel"] == (one["score"] > document["threshold"])
    assert found["new.xy"]["unexplained"][0]["axis"] == pytest.approx(42, abs=0.2)
    assert found["new.xy"]["nearest"].startswith("k")


def test_a_trained_model_answers_the_same(capsys, folders, tmp_path):
    model = tmp_path / "m.pw"
    made = ask(capsys, "train", "novelty", folders / "known", "--axis", "q", "-o", model)
    assert made["known"] == 30
    by_model = ask(capsys, "novelty", folders / "asked", "--model", model, "--axis", "q")
    direct = ask(capsys, "novelty", folders / "asked", "--known", folders / "known", "--axis", "q")
    assert by_model["scans"] == direct["scans"]
    assert by_model["threshold"] == direct["threshold"]


def test_known_scans_of_several_ranges_are_compared_point_by_point(capsys, folders, tmp_path):
    rng = np.random.default_rng(1)
    for i in range(40):
        scan(tmp_path / f"k{i}.xy", rng, 20, 31, start=10 if i % 2 else 500)
    for name, start in (("inside.xy", 500), ("outside.xy", 900)):
        (tmp_path / "asked").mkdir(exist_ok=True)
        scan(tmp_path / "asked" / name, rng, 20, 31, start=start)
    known = tmp_path.glob("k*.xy")
    words = [w for k in known for w in ("--known", k)]
    document = ask(capsys, "novelty", tmp_path / "asked", *words, "--axis", "raman_shift")
    assert any("point by point" in text for text in document["warnings"])
    found = {s["scan"].rsplit("/", 1)[-1]: s for s in document["scans"]}
    assert found["inside.xy"]["warnings"] == []
    assert "no known scan covers its range" in found["outside.xy"]["warnings"][0]


def test_structures_as_what_is_known(capsys, tmp_path):
    from peakwise.crystal import TEXTBOOK
    from peakwise.simulate import Simulator

    phases = {p.id: p for p in TEXTBOOK.values()}
    names = list(phases)[:3]
    library = tmp_path / "cifs"
    library.mkdir()
    for name in names[:2]:
        (library / f"{name}.cif").write_text(phases[name].to_cif())
    for name in names:
        row = Simulator([phases[name]], (20, 80, 1501), radiation="CuKa", random_state=99).draw(1)
        np.savetxt(tmp_path / f"{name}.xy", np.c_[row.axis, row.intensity[0]])
    scans = [tmp_path / f"{name}.xy" for name in names]
    page = tmp_path / "new.html"
    document = ask(capsys, "novelty", *scans, "--known", library, "--wavelength", "CuKa", "--report", page)
    assert "fit of known structures" in page.read_text()
    novel = [s["novel"] for s in document["scans"]]
    assert novel == [False, False, True]
    assert [s["nearest"] for s in document["scans"]][:2] == names[:2]


def test_bad_input_is_one_line(capsys, folders, tmp_path):
    one = tmp_path / "one.xy"
    scan(one, np.random.default_rng(2), 20, 31)
    code, _, err = run(capsys, "novelty", one, "--known", one, "--axis", "q")
    assert code == 1
    assert err.count("peakwise: error:") == 1
    assert "at least 3 known scans" in err
    (tmp_path / "none").mkdir()
    code, _, err = run(capsys, "novelty", one, "--known", tmp_path / "none", "--axis", "q")
    assert code == 1
    assert "peakwise: error:" in err
    for words in ([one], [one, "--known", one, "--model", "m.pw"], [one, "--model", "m.pw", "--false-alarm", "0.1"]):
        assert run(capsys, "novelty", *words)[0] == 2


def test_a_scan_of_another_range_is_left_out_and_the_rest_answered(capsys, folders, tmp_path):
    short = tmp_path / "short.xy"
    np.savetxt(short, np.c_[X[:100], np.ones(100)])
    document = ask(capsys, "novelty", folders / "asked", short, "--known", folders / "known", "--axis", "q")
    assert len(document["scans"]) == 2
    assert document["failed"][0]["file"] == str(short)
    assert "what is known" in document["failed"][0]["why"]


def test_the_table_for_people(capsys, folders):
    code, out, _ = run(
        capsys, "novelty", folders / "asked", "--known", folders / "known", "--axis", "q", "--false-alarm", "0.05"
    )
    assert code == 0
    assert out.startswith("1 of 2 scans is unlike anything known; 0.1 false alarms expected.")
    assert "peaks that" in out


def test_report_and_table(capsys, folders, tmp_path):
    report, table = tmp_path / "r.html", tmp_path / "r.csv"
    document = ask(
        capsys, "novelty", folders / "asked", "--known", folders / "known", "--axis", "q", "--false-alarm", 0.05,
        "--report", report, "--csv", table,
    )  # fmt: skip
    assert (document["report"], document["csv"]) == (str(report), str(table))
    page = report.read_text(encoding="utf-8")
    assert "1 of 2 scans is unlike anything known; 0.1 false alarms expected" in page
    assert "principal component 1 (" in page
    answers = {line.split(",")[0].rsplit("/", 1)[-1]: line.split(",")[1] for line in table.read_text().splitlines()[1:]}
    assert answers == {"old.xy": "known", "new.xy": "new"}


def test_a_table_of_the_library_reaches_answers_and_report(capsys, folders, tmp_path):
    table = tmp_path / "library.csv"
    table.write_text("scan,x,y,Fe,Pd,Ga\nold,1.5,2,50,30,20\nnew,3,4.5,20,20,60\nnever,0,0,10,10,80\n")
    known = (folders / "asked", "--known", folders / "known", "--axis", "q", "--table", table)
    document = ask(capsys, "novelty", *known, "--report", tmp_path / "n.html")
    found = {s["scan"].rsplit("/", 1)[-1]: s for s in document["scans"]}
    assert found["new.xy"]["position"] == [3.0, 4.5]
    assert found["old.xy"]["composition"] == pytest.approx({"Fe": 0.5, "Pd": 0.3, "Ga": 0.2})
    page = (tmp_path / "n.html").read_text()
    assert "Pd" in page
    table.write_text("scan,x,y\nold,1,2\n")
    code, _, err = run(capsys, "novelty", *known)
    assert code == 1
    assert "new" in err
    assert "Traceback" not in err


def test_the_score_can_be_chosen(capsys, folders, tmp_path):
    document = ask(
        capsys, "novelty", folders / "asked", "--known", folders / "known", "--axis", "q", "--method", "residual"
    )
    assert {s["scan"].rsplit("/", 1)[-1]: s["novel"] for s in document["scans"]} == {"old.xy": False, "new.xy": True}
    words = ("novelty", folders / "asked", "--known", folders / "known", "--axis", "q", "--method", "x")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "Invalid value for '--method': 'x' is not one of auto, nearest" in err
    ask(capsys, "train", "novelty", folders / "known", "--axis", "q", "--method", "forest", "-o", tmp_path / "m.pw")
    code, _, err = run(capsys, "novelty", folders / "asked", "--model", tmp_path / "m.pw", "--method", "forest")
    assert code == 2
    assert "leave out --method" in err


@pytest.fixture
def short_training(monkeypatch):
    monkeypatch.setattr("peakwise.estimators._network_scores._STEPS", (60, 60))


def test_networks_learn_from_structures_and_the_report_has_their_map(capsys, tmp_path, short_training):
    from peakwise.crystal import TEXTBOOK
    from peakwise.estimators import load
    from peakwise.simulate import Simulator

    (tmp_path / "cifs").mkdir()
    for name in ("Si", "MgO"):
        (tmp_path / "cifs" / f"{name}.cif").write_text(TEXTBOOK[name].to_cif())
    words = ("train", "novelty", "--known", tmp_path / "cifs", "--method", "reconstruction", "--wavelength", "CuKa")
    made = ask(capsys, *words, "--grid", 20, 80, 401, "-o", tmp_path / "m.pw")
    assert (made["known"], made["points"], made["regions"]) == (1000, 401, ["MgO", "Si"])
    assert any("what is known was simulated" in text for text in made["warnings"])
    assert load(tmp_path / "m.pw").kind_ == "two_theta"
    row = Simulator(TEXTBOOK["Si"], (20, 80, 801), radiation="CuKa", random_state=9).draw(1)
    np.savetxt(tmp_path / "s.xy", np.c_[row.axis, row.intensity[0]])
    page = tmp_path / "n.html"
    document = ask(
        capsys, "novelty", tmp_path / "s.xy", "--model", tmp_path / "m.pw", "--wavelength", "CuKa", "--report", page
    )
    assert document["scans"][0]["nearest"] == "Si"
    text = page.read_text(encoding="utf-8")
    for told in ("latent number 1", "made again", "where a scan would be taken for which known phase"):
        assert told in text
    code, _, err = run(capsys, *words, "-o", tmp_path / "n.pw")
    assert code == 2
    assert "or '--grid'" in err
    code, _, err = run(capsys, *words, "--grid", 20, 80, 401, "--labels", "L.csv", "-o", tmp_path / "n.pw")
    assert code == 2
    assert "Structures name themselves" in err


def test_labels_and_conditions_of_known_scans(capsys, folders, tmp_path, short_training):
    """Labels from a table, a condition from that of the library; a value never learned is a remark of that scan."""
    names = [f"k{i}" for i in range(30)]
    (tmp_path / "L.csv").write_text("pattern,label\n" + "".join(f"{n},{'even' if int(n[1:]) % 2 == 0 else 'odd'}\n"
                                                                for n in names))  # fmt: skip
    rows = "".join(f"{n},{20 + i},{80 - i},{i}\n" for i, n in enumerate(names))
    (tmp_path / "T.csv").write_text("scan,Fe,Pd,batch\n" + rows + "old,30,70,3\nnew,99,1,4\n")
    table = ("--table", tmp_path / "T.csv")
    words = ("train", "novelty", folders / "known", "--axis", "q", "--method", "reconstruction", *table)
    made = ask(capsys, *words, "--labels", tmp_path / "L.csv", "--condition", "Fe", "-o", tmp_path / "m.pw")
    assert made["regions"] == ["even", "odd"]
    assert any("even and odd have the same patterns" in text for text in made["warnings"])
    asked = ("novelty", folders / "asked", "--axis", "q", "--model", tmp_path / "m.pw")
    found = {s["scan"].rsplit("/", 1)[-1]: s for s in ask(capsys, *asked, *table)["scans"]}
    assert found["old.xy"]["warnings"] == []
    assert "a condition that was never learned" in found["new.xy"]["warnings"][0]
    document = ask(capsys, *words, "--labels", "batch", "-o", tmp_path / "b.pw")
    assert document["regions"] is None  # a name for each scan is no label
    code, _, err = run(capsys, *asked)
    assert code == 1
    assert "the condition 'Fe' is no column of meta" in err
    code, _, err = run(capsys, *words, "--labels", "colour", "-o", tmp_path / "c.pw")
    assert code == 1
    assert "no column of that name in the metadata" in err
