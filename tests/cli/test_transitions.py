"""``peakwise transitions`` as a shell sees it: its JSON, its order, its labels, its files."""

import csv
import json

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.io import write
from peakwise.patterns import Patterns

X = np.linspace(10, 50, 600)
N, AFTER = 30, 17  # patterns, and the last one before the change


def lines(*at):
    return sum(np.exp(-(((X - place) / 0.3) ** 2)) for place in at)


def series(n=N, after=AFTER, seed=0):
    """Counts of a series that changes behind a pattern."""
    rows = [lines(15, 25, 33) if i <= after else lines(17, 28, 41) for i in range(n)]
    return np.random.default_rng(seed).poisson(400 * np.array(rows) + 20)


def put(folder, counts, names=None, x=X, **meta):
    """A file for each pattern, named so that only a natural sort has them in order."""
    folder.mkdir(exist_ok=True)
    for i, row in enumerate(counts):
        name = f"scan{i + 1}" if names is None else names[i]
        write(Patterns(x, row, "two_theta", wavelength=0.5, unit="counts"), folder / f"{name}.xye")
    return folder


def stored(path, counts, **more):
    write(Patterns(X, counts, "two_theta", wavelength=0.5, unit="counts", **more), path)
    return path


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def ask(capsys, *words):
    code, out, err = run(capsys, "transitions", *words, "--threads", "1", "--json")
    assert code == 0, err
    return json.loads(out)


def refused(capsys, *words):
    """The one line of an error."""
    code, out, err = run(capsys, "transitions", *words, "--json")
    assert (code, out) == (1, "")
    assert err.startswith("peakwise: error: ")
    assert len(err.strip().splitlines()) == 1
    return err


def said(document, *parts):
    return [w for w in document["warnings"] if all(part in w for part in parts)]


def table(path, rows, head="pattern,label"):
    path.write_text(head + "\n" + "\n".join(f"{a},{b}" for a, b in rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return put(tmp_path_factory.mktemp("series") / "scans", series())


@pytest.fixture(scope="module")
def heating(tmp_path_factory):
    """One file with many patterns, shuffled, with their temperatures."""
    order = np.random.default_rng(3).permutation(N)
    path = tmp_path_factory.mktemp("heating") / "heating.nc"
    meta = {"temperature": 300.0 + 10 * order, "sample": "oxide"}
    return stored(path, series()[order], names=[f"p{i}" for i in order], meta=meta)


def test_the_answer_is_what_the_contract_says(capsys, folder):
    document = ask(capsys, folder)
    assert {"peakwise", "command", "failed", "warnings", "seconds"} <= set(document)
    assert document["command"] == "transitions"
    names = [p["pattern"] for p in document["patterns"]]
    assert names == [f"scan{i}" for i in range(1, N + 1)], "natural order: scan2 before scan10"
    assert [p["state"] for p in document["patterns"]] == [int(i > AFTER) for i in range(N)]
    assert all(p["value"] is None and 0.5 <= p["probability"] <= 1 for p in document["patterns"])
    (found,) = document["boundaries"]
    assert (found["after"], found["value"], found["value_interval"]) == (AFTER, None, None)
    assert found["interval"][0] <= AFTER + 0.5 <= found["interval"][1]
    assert 0.5 < found["confidence"] <= 1
    assert set(found["agreement"]) >= {"segments", "spectral"}
    assert found["agreement"]["segments"] == AFTER
    assert (document["states"], document["state_names"], document["method"]) == (2, ["0", "1"], "breaks")
    assert document["classification_confidence"] == 1
    assert 0 <= document["evidence"]["best_refused"] < 1
    assert document["variable"] is None


def test_files_given_one_by_one_come_in_natural_order_too(capsys, folder):
    given = sorted(folder.iterdir())  # as a shell expands *.xye: scan1, scan10, scan11 ...
    assert [p["pattern"] for p in ask(capsys, *given)["patterns"]] == [f"scan{i}" for i in range(1, N + 1)]


def test_no_transition_is_invented(capsys, tmp_path):
    document = ask(capsys, stored(tmp_path / "flat.nc", series(after=N)))
    assert (document["boundaries"], document["states"]) == ([], 1)
    assert document["classification_confidence"] == 1
    two = ask(capsys, tmp_path / "flat.nc", "--states", "2")
    assert two["states"] == 2
    assert said(two, "little evidence")


def test_as_many_states_as_were_asked_for(capsys, folder):
    assert len(ask(capsys, folder, "--states", "3")["boundaries"]) == 2
    assert ask(capsys, folder, "--states", "1")["boundaries"] == []
    for method in ("spectral", "kmeans", "agglomerative", "segments"):
        document = ask(capsys, folder, "--states", "2", "--method", method)
        assert document["method"] == method
        assert [b["after"] for b in document["boundaries"]] == [AFTER]


def test_the_variable_orders_and_answers(capsys, heating):
    document = ask(capsys, heating, "--variable", "temperature")
    values = [p["value"] for p in document["patterns"]]
    assert values == sorted(values)
    assert [p["pattern"] for p in document["patterns"]] == [f"p{i}" for i in range(N)]
    (found,) = document["boundaries"]
    middle = 300 + 10 * (AFTER + 0.5)
    assert (found["after"], found["value"]) == (AFTER, middle)
    assert found["value_interval"][0] <= middle <= found["value_interval"][1]
    assert document["variable"] == {"name": "temperature", "unit": "K"}
    assert said(document, "up and down")


def test_shuffled_patterns_are_suspected(capsys, heating):
    document = ask(capsys, heating)
    assert document["boundaries"] == []
    assert said(document, "is their order right")
    assert any("--variable temperature" in note for note in document["notes"])
    assert said(ask(capsys, heating, "--variable", "temperature", "--keep-order"), "is their order right")


def test_values_from_a_table(capsys, folder, tmp_path):
    made = table(tmp_path / "V.csv", [(f"scan{i + 1}.xye", 5 * (N - i)) for i in range(N)], "file,pressure (GPa)")
    document = ask(capsys, folder, "--values", made, "--variable", "pressure (GPa)")
    (found,) = document["boundaries"]
    assert found["after"] == N - 2 - AFTER, "sorted by pressure, the series runs backwards"
    assert found["value"] == 5 * (N - AFTER) - 2.5
    assert document["variable"] == {"name": "pressure (GPa)", "unit": "GPa"}
    kept = ask(capsys, folder, "--values", made, "--variable", "pressure (GPa)", "--keep-order")
    assert [b["after"] for b in kept["boundaries"]] == [AFTER]
    table(made, [(f"scan{i + 1}", 5 * i if i != 4 else "") for i in range(N)], "pattern;value".replace(";", ","))
    document = ask(capsys, folder, "--values", made)
    assert document["variable"]["name"] == "value"
    assert [f["file"] for f in document["failed"]] == ["scan5"]
    assert len(document["patterns"]) == N - 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--variable", "humidity"), "the scans hold no 'humidity'"),
        (("--variable", "sample"), "must hold numbers"),
        (("--variable", "humidity"), "temperature: choose one"),
        (("--values", "no.csv"), "cannot read the values (no.csv)"),
        (("--states", "none"), "--states must be auto or"),
        (("--states", "0"), "--states must be auto or"),
        (("--states", "31"), "at most the number of patterns, 30"),
        (("--method", "linear"), "needs labels"),
        (("--model", "no.pw"), "no.pw"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(capsys, heating, words, told):
    assert told in refused(capsys, heating, *words)


@pytest.mark.parametrize(("option", "first"), [("--method", "auto, breaks"), ("--network", "wang_cnn")])
def test_names_that_are_not_there_are_a_wrong_command_line(capsys, heating, option, first):
    code, _, err = run(capsys, "transitions", heating, option, "magic")
    assert code == 2
    assert f"Invalid value for '{option}': 'magic' is not one of {first}" in err


def test_a_model_knows_its_states(capsys, heating):
    code, _, err = run(capsys, "transitions", heating, "--model", "m.pw", "--states", "2")
    assert code == 2
    assert "leave out" in err


def test_people_get_a_sentence_and_tables(capsys, heating):
    code, out, err = run(capsys, "transitions", heating, "--variable", "temperature")
    assert code == 0
    assert out.startswith("One transition at 475 K")
    assert "temperature [K]" in out
    assert "segments agrees" in out
    assert "p17" in out
    assert "up and down" in err
    assert run(capsys, "transitions", heating, "--quiet")[1] == ""


def test_report_and_table_are_written(capsys, heating, tmp_path):
    page, made = tmp_path / "answer.html", tmp_path / "answer.csv"
    document = ask(capsys, heating, "--variable", "temperature", "--report", page, "--csv", made)
    assert (document["report"], document["csv"]) == (str(page), str(made))
    assert "curves" not in document, "a report does not swell the JSON"
    text = page.read_text(encoding="utf-8")
    assert text.lstrip().lower().startswith("<!doctype html")
    assert "475 K" in text
    rows = list(csv.DictReader(made.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == N
    assert [r["pattern"] for r in rows if r["transition_after"] == "1"] == [f"p{AFTER}"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answer.csv", "answer.html"]


def test_the_demo_has_a_transition(capsys):
    document = ask(capsys, "demo", "--variable", "pressure")
    (found,) = document["boundaries"]
    assert 8 < found["value"] < 18, "iron, bcc to hcp from 13 GPa"


# ---------- labels ----------


def test_few_labels_are_enough(capsys, folder, tmp_path):
    rows = [("scan2", "cold"), ("scan9.xye", "cold"), ("scan16", "cold"), (folder / "scan21.xye", "hot")]
    made = table(tmp_path / "L.csv", [*rows, ("scan29", "hot"), ("scan30", "")])
    document = ask(capsys, folder, "--labels", made)
    assert (document["method"], document["state_names"]) == ("guided", ["cold", "hot"])
    assert [b["after"] for b in document["boundaries"]] == [AFTER]
    assert [p["state"] for p in document["patterns"]] == [int(i > AFTER) for i in range(N)]


def test_labels_by_number(capsys, folder, tmp_path):
    rows = [(0, "a"), (5, "a"), (15, "a"), (20, "b"), (29, "b")]
    document = ask(capsys, folder, "--labels", table(tmp_path / "L.csv", rows))
    assert [b["after"] for b in document["boundaries"]] == [AFTER]
    assert said(document, "counted from 0")
    error = refused(capsys, folder, "--labels", table(tmp_path / "L.csv", [(1, "a"), (30, "b")]))
    assert "numbers from 0 to 29" in error


def test_numbers_that_are_names_are_names(capsys, tmp_path):
    folder = put(tmp_path / "scans", series(), names=[f"{i + 1:03d}" for i in range(N)])
    # A spreadsheet made 1 of 001. As a number from 0 it would be the second pattern, and 18 one behind the change.
    made = table(tmp_path / "L.csv", [(1, "a"), (18, "a"), (19, "b"), (30, "b")])
    document = ask(capsys, folder, "--labels", made)
    assert [b["after"] for b in document["boundaries"]] == [AFTER]
    assert not said(document, "counted from 0")


def test_unknown_patterns_are_named(capsys, folder, tmp_path):
    rows = [("scan1", "a"), ("scan31", "b"), ("other.xy", "b"), ("scan77", "b"), ("scan78", "b")]
    error = refused(capsys, folder, "--labels", table(tmp_path / "L.csv", rows))
    assert "4 patterns that are not in the series: scan31, other.xy, scan77 and 1 more" in error
    assert "L.csv" in error


def test_labels_of_one_class_are_answered_with_a_warning(capsys, folder, tmp_path):
    document = ask(capsys, folder, "--labels", table(tmp_path / "L.csv", [("scan1", "a"), ("scan30", "a")]))
    assert said(document, "all labels are the same (a)")
    assert (document["method"], [b["after"] for b in document["boundaries"]]) == ("breaks", [AFTER])
    document = ask(capsys, folder, "--labels", table(tmp_path / "L.csv", [("scan1", ""), ("scan30", "")]))
    assert said(document, "all labels are blank")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("pattern,label\n", "it names no pattern"),
        ("scan1,a\nscan2,b\n", "it has no column 'pattern'"),
        ("pattern,state\nscan1,a\n", "it has no column 'label'"),
        ("pattern,label\nscan1,a\nscan1.xye,b\n", "stands there twice, with 'a' and 'b'"),
        ("a\0b", "it is no text"),
    ],
)
def test_tables_of_labels_that_are_none(capsys, folder, tmp_path, text, told):
    path = tmp_path / "L.csv"
    path.write_text(text, encoding="utf-8")
    assert told in refused(capsys, folder, "--labels", path)


def test_tables_as_spreadsheets_write_them(capsys, folder, tmp_path):
    path = tmp_path / "L.csv"
    path.write_bytes('Label;remark;Pattern\r\nkalt;"a;b";scan1\r\nheiß;;scan30\r\n\r\n'.encode("utf-8-sig"))
    document = ask(capsys, folder, "--labels", path)
    assert document["state_names"] == ["kalt", "heiß"]
    path.write_bytes("pattern\tlabel\nscan1\tkalt\nscan30\theiß\n".encode("latin-1"))
    assert ask(capsys, folder, "--labels", path)["state_names"] == ["kalt", "heiß"]


# ---------- bad input: a true answer with a warning, or one clear error ----------


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_patterns(capsys, tmp_path, n):
    document = ask(capsys, stored(tmp_path / "few.nc", series()[-n:]))
    assert (document["boundaries"], document["states"], len(document["patterns"])) == ([], 1, n)
    assert said(document, "one pattern") if n == 1 else said(document, "too few patterns")


def test_all_identical(capsys, tmp_path):
    document = ask(capsys, stored(tmp_path / "same.nc", np.repeat(series()[:1], 12, axis=0)))
    assert (document["boundaries"], document["states"]) == ([], 1)
    assert said(document, "all patterns are identical")


def test_a_gap_in_the_variable(capsys, tmp_path):
    time = np.arange(N) + 100.0 * (np.arange(N) > AFTER)
    document = ask(capsys, stored(tmp_path / "gap.nc", series(), meta={"time": time}), "--variable", "time")
    assert [b["after"] for b in document["boundaries"]] == [AFTER]
    assert said(document, "gap of 101")


def test_dead_frames(capsys, tmp_path):
    counts = series()
    counts[[4, 5, 22]] = 0
    document = ask(capsys, stored(tmp_path / "dead.nc", counts))
    assert [b["after"] for b in document["boundaries"]] == [AFTER]
    assert said(document, "3 patterns saw no beam", "4, 5, 22")
    assert len(document["patterns"]) == N


def test_a_refilled_beam_is_no_transition(capsys, tmp_path):
    rng = np.random.default_rng(1)
    clean = 400 * lines(15, 25, 33) + 20
    beam = np.where(np.arange(N) > 12, 1.8, 1.0)[:, None]
    document = ask(capsys, stored(tmp_path / "refill.nc", rng.poisson(beam * clean)))
    assert document["boundaries"] == []


def test_unreadable_files_and_nan_are_left_out(capsys, tmp_path):
    folder = put(tmp_path / "scans", series())
    (folder / "scan3.xye").write_bytes(b"\x00\x01 this is no scan \xff" * 20)
    (folder / "scan4.xye").write_text("".join(f"{x:.4f} nan nan\n" for x in X))
    labels = table(tmp_path / "L.csv", [(f"scan{i}", "a" if i < 18 else "b") for i in (1, 3, 10, 16, 21, 30)])
    document = ask(capsys, folder, "--labels", labels)
    assert sorted(f["file"] for f in document["failed"]) == [str(folder / f"scan{i}.xye") for i in (3, 4)]
    assert len(document["patterns"]) == N - 2
    assert [b["after"] for b in document["boundaries"]] == [AFTER - 2]
    counts = series().astype(float)
    counts[7, 100:140] = np.nan
    counts[:, 50:53] = np.nan  # a gap between modules of the detector
    document = ask(capsys, stored(tmp_path / "some.nc", counts))
    (left,) = document["failed"]
    assert left["file"] == f"{tmp_path / 'some.nc'}#7"
    assert "40 of 600 intensities are NaN" in left["why"]
    assert said(document, "3 points are NaN in most patterns")
    assert [b["after"] for b in document["boundaries"]] == [AFTER - 1]


def test_nothing_usable_is_one_error(capsys, tmp_path):
    (tmp_path / "a.xye").write_bytes(b"\x00\x01\xff" * 50)
    for asked in (tmp_path, tmp_path / "nowhere"):
        code, out, err = run(capsys, "transitions", asked, "--json")
        assert code == 1
        assert len(err.strip().splitlines()) == 1
        assert len(json.loads(out)["failed"]) == 1


def test_other_grids_are_resampled_onto_the_overlap(capsys, tmp_path):
    counts = series()
    folder = put(tmp_path / "scans", counts)
    fine = np.linspace(9.5, 49.5, 1199)
    row = np.interp(fine, X, 400 * lines(15, 25, 33) + 20)
    put(folder, [row], names=["scan2"], x=fine)
    put(folder, [counts[5, 100:]], names=["scan6"], x=X[100:])  # starts later, keeps more than 80 % of the range
    put(folder, [counts[8, 400:]], names=["scan9"], x=X[400:])  # too short
    document = ask(capsys, folder)
    assert said(document, "different grids", f"{X[100]:g} to 49.4")
    (left,) = document["failed"]
    assert left["file"] == str(folder / "scan9.xye")
    assert "it covers" in left["why"]
    assert [b["after"] for b in document["boundaries"]] == [AFTER - 1]


def test_other_axes_are_converted(capsys, tmp_path):
    counts = series()
    folder = put(tmp_path / "scans", counts)
    q = 4 * np.pi * np.sin(np.radians(X / 2)) / 0.5
    text = "".join(f"{a:.6f} {b:.1f}\n" for a, b in zip(q, counts[3], strict=True))
    (folder / "scan4.xye").unlink()
    (folder / "scan4.chi").write_text(f"scan4\nQ (1/A)\nintensity\n{len(q)}\n{text}")
    document = ask(capsys, folder)
    assert said(document, "1 scans have another axis or wavelength")
    assert [b["after"] for b in document["boundaries"]] == [AFTER]
    assert [p["state"] for p in document["patterns"]] == [int(i > AFTER) for i in range(N)]


def test_an_assumed_wavelength_is_said(capsys, tmp_path):
    for i, row in enumerate(series(12, 5)):
        (tmp_path / f"a{i}.xy").write_text("".join(f"{x:.4f} {y}\n" for x, y in zip(X, row, strict=True)))
    document = ask(capsys, tmp_path)
    assert len(said(document, "CuKa", "assumed")) == 1, "once, not once a file"
    assert said(ask(capsys, tmp_path, "--wavelength", "0.5"), "CuKa") == []


def test_names_that_repeat_get_their_folder(capsys, tmp_path):
    counts = series(16, 7)
    put(tmp_path / "day1", counts[:8])
    put(tmp_path / "day2", counts[8:])
    names = [p["pattern"] for p in ask(capsys, tmp_path)["patterns"]]
    assert len(set(names)) == 16
    assert names[0].endswith("day1/scan1.xye#scan1")
