"""The page of what is new: it loads nothing, holds the numbers of the answer, stays small, and lets nothing in."""

from __future__ import annotations

import copy
import csv
import io
import json
import re

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.report import (
    NOVELTY_VERDICTS,
    add_map,
    novelty_csv,
    novelty_html,
    tell_novelty,
    tell_scan,
    write_novelty_html,
)
from report.novelty import AXIS, EXTRA, N_KNOWN, PHASES, answers, drawn, points
from report.test_page import HOSTILE, Page, assert_alone, unpack


@pytest.fixture(scope="module")
def whole():
    return drawn(answers())


@pytest.fixture(scope="module")
def page(whole):
    return Page(novelty_html(whole))


def cloud(page):
    block = page.data()["data-cloud"]
    return block, unpack({"packed": block["packed"], "blocks": block["columns"], "n": block["n"] + block["k"]})


def test_it_loads_nothing(page):
    assert_alone(page)


@pytest.mark.parametrize(
    "said",
    [
        "3 of 40 scans are unlike anything known; 0.4 false alarms expected", "2 more look strange and are explained",
        "1 by a zero shift", "new above a score of 2.5", "false alarms allowed 1 %", "compared with 90 known",
        "few known scans", "bad.xy", "it holds 0 bytes", "New: unlike anything known, nearest is rutile",
        "A mixture of known ones: rutile 60 % + anatase 40 %", "Like rutile, but for a zero shift", "37.25", "2.412",
        "p-value 0.003", "the wavelength was assumed", "all (40)", "! new (3)", "≈ explained (2)", "✓ known (35)",
        "peakwise novelty 'a b/' -q", "Map of the scans", "Map by place in the sample and composition",
        "Scores by nearest known phase", "Error against mixing ratio", "where a scan would be taken for which",
    ],
)  # fmt: skip
def test_it_says_what_the_answer_says(page, said):
    assert said in page.text


def test_new_scans_are_open_and_come_first(page):
    panels = [a for n, a in page.elements if n == "details" and a["id"].startswith("scan-")]
    assert [("v-new" in a["class"], "open" in a) for a in panels] == [(True, True)] * 3 + [(False, False)] * 2
    rows = [a for n, a in page.elements if n == "tr" and "data-verdict" in a]
    assert [a["data-verdict"] for a in rows] == ["new"] * 3 + ["explained"] * 2 + ["known"] * 35


def test_the_embedded_numbers_are_those_of_the_answer(page, whole):
    block, columns = cloud(page)
    n, plane = 40, whole["map"]
    assert (block["n"], block["k"], block["threshold"]) == (n, N_KNOWN, 2.5)
    np.testing.assert_allclose(np.c_[columns["x"], columns["y"]], np.r_[plane["asked"], plane["known"]], rtol=3.1e-5)
    scores = np.r_[[s["score"] for s in whole["scans"]], plane["known_scores"]]
    np.testing.assert_allclose(columns["score"], scores, rtol=3.1e-5)
    np.testing.assert_array_equal(columns["answer"][:n], [2] * 3 + [1] * 2 + [0] * 35)
    assert np.isnan(columns["answer"][n:]).all()
    found = np.array(block["groups"])[columns["group"].astype(int)]
    np.testing.assert_array_equal(found, [PHASES[i % 3] for i in [*range(n), *range(N_KNOWN)]])
    np.testing.assert_allclose(columns["px"][:n], plane["positions"][:, 0])
    for i, name in enumerate(("Fe", "Pd", "Ga", "Co")):
        np.testing.assert_allclose(columns[f"element{i}"][:n], plane["compositions"][name], rtol=3.1e-5)
    assert block["elements"] == ["Fe", "Pd", "Ga", "Co"]
    titles = {v["title"]: k for k, v in block["categories"].items()}
    np.testing.assert_array_equal(columns[titles["temperature"]][:n], 300 + np.arange(n))
    who = np.array(block["categories"][titles["operator"]]["labels"])[columns[titles["operator"]][:n].astype(int)]
    assert who.tolist() == ["ann", "bob"] * 20
    # Of the scans with the new peak it is not the strongest, which is one of the three of the known phase.
    strongest = columns["strongest"][:n]
    assert all(min(abs(s - p) for p in (18, 20, 25, 28, 31, 33, 41, 45, 50, EXTRA)) < 0.3 for s in strongest)


def test_regions_keep_their_place(page, whole):
    block, _ = cloud(page)
    regions = block["regions"]
    assert (regions["height"], regions["width"], regions["x"], regions["y"]) == (40, 50, [-2, 6], [-2, 6])
    size = regions["height"] * regions["width"]
    labels = unpack({"packed": regions["packed"], "blocks": ["v"], "n": size})["v"].reshape(40, 50)
    np.testing.assert_array_equal(labels, whole["map"]["regions"]["labels"])
    assert [block["groups"][c] for c in regions["colours"]] == list(PHASES)


def test_hover_patterns_keep_their_peaks(page, whole):
    block, _ = cloud(page)
    hover = block["hover"]
    n, m = len(hover["rows"]), hover["points"]
    assert (n, m) == (40, 600)
    at = unpack({"packed": hover["axis"], "blocks": ["v"], "n": m})["v"]
    small = unpack({"packed": hover["patterns"], "blocks": ["v"], "n": n * m})["v"].reshape(n, m)
    np.testing.assert_allclose(small.max(axis=1), whole["map"]["curves"]["patterns"].max(axis=1))
    highest = AXIS[whole["map"]["curves"]["patterns"].argmax(axis=1)]
    np.testing.assert_allclose(at[small.argmax(axis=1)], highest, atol=0.1)
    assert hover["peaks"]["0"] == [EXTRA]
    made = unpack({"packed": hover["known"], "blocks": ["v"], "n": n * m})["v"].reshape(n, m)
    np.testing.assert_allclose(made.max(axis=1), whole["map"]["curves"]["reconstructions"].max(axis=1), rtol=3.1e-5)


def test_a_new_scan_stands_over_what_is_known(page, whole):
    block = page.data()["data-scan-2"]
    found = unpack({"packed": block["packed"], "blocks": ["x", "known", "scan"], "n": block["n"]})
    np.testing.assert_allclose(found["x"], AXIS, rtol=1e-6)
    np.testing.assert_array_equal(found["scan"], whole["map"]["curves"]["patterns"][1])
    np.testing.assert_allclose(found["known"], whole["map"]["curves"]["reconstructions"][1], rtol=3.1e-5)
    assert block["peaks"] == [{"at": EXTRA, "to": None, "d": 2.412, "what": "unexplained", "change": None}]


def test_a_falling_axis_is_turned():
    told = answers(6)
    rows = drawn(told)["map"]["curves"]["patterns"]
    pages = [
        Page(novelty_html(add_map(told, axis=axis, patterns=table, reconstructions=table))).data()
        for axis, table in ((AXIS, rows), (AXIS[::-1], rows[:, ::-1]))
    ]
    for name in ("data-scan-1", "data-scan-3"):
        assert pages[0][name] == pages[1][name]


def test_names_that_differ_all_are_no_phases():
    told = answers(6)
    whole = add_map(told, points(6), points(9), known_names=[f"good_{i}" for i in range(9)], known_scores=np.zeros(9))
    page = Page(novelty_html(whole))
    assert page.data()["data-cloud"]["groups"] == []
    assert "Scores of known and asked scans" in page.text


def test_a_hundred_thousand_scans_stay_small():
    n = 100_000
    told = answers(n, 5)
    rng = np.random.default_rng(0)
    whole = add_map(
        told, points(n), points(N_KNOWN), known_names=[PHASES[i % 3] for i in range(N_KNOWN)], axis=np.arange(40.0),
        patterns=rng.random((n, 40), dtype=np.float32), reconstructions=rng.random((n, 40), dtype=np.float32),
        columns={"temperature": rng.random(n)},
    )  # fmt: skip
    text = novelty_html(whole)
    assert len(text) < 16_000_000
    page = Page(text)
    assert_alone(page)
    assert "The 2,000 strangest of 100,000 scans are listed" in page.text
    hover = page.data()["data-cloud"]["hover"]
    assert set(range(7)) <= set(hover["rows"])
    assert len(hover["rows"]) * hover["points"] * 2 <= 2_000_000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1, 0, 1e300, None])
def test_no_number_breaks_the_page(whole, value):
    for path in (
        ("threshold",), ("seconds",), ("scans", 0, "score"), ("scans", 7, "score"), ("scans", 0, "p_value"),
        ("scans", 0, "unexplained", 0, "d"), ("scans", 0, "unexplained", 0, "intensity"), ("false_alarm",),
        ("scans", 4, "mixture", 0, "share"), ("map", "asked", 3, 0), ("map", "known", 3, 1),
        ("map", "known_scores", 2), ("map", "errors", 0), ("map", "mixing", 4), ("map", "positions", 3, 1),
        ("map", "curves", "wavelength"), ("map", "regions", "x", 0),
    ):  # fmt: skip
        broken = copy.deepcopy(whole)
        place = broken
        for step in path[:-1]:
            place = place[step]
        if isinstance(place, np.ndarray) and value is None:
            continue
        place[path[-1]] = value
        if path[-1] == 0 and path[-2] == "x" and value is None:
            continue
        assert_alone(Page(novelty_html(broken)))
        novelty_csv(broken)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(t[:24]) for t in HOSTILE])
def test_hostile_names_stay_text(whole, text):
    def poisoned(said):
        broken = copy.deepcopy(whole)
        for row in broken["scans"]:
            row["scan"] = row["nearest"] = said
            row["why"] = row["warnings"] = [said]
            row["mixture"] = [{"name": said, "share": 0.5}]
            row["explained_by"] = said if row["explained_by"] else None
        broken.update(warnings=[said], failed=[{"file": said, "why": said}], peakwise=said)
        broken["provenance"] = {said: {said: said}, "command_line": said}
        broken["settings"] = {said: said}
        plane = broken["map"]
        plane.update(axes=[said, said], known_names=[said] * N_KNOWN, position_unit=said)
        plane["compositions"] = {said + str(i): v for i, v in enumerate(plane["compositions"].values())}
        plane["columns"] = {said: [said] * 40}
        plane["regions"]["names"] = [said] * 3
        plane["curves"].update(kind=said, unit=said, intensity_unit=said, reconstruction=said)
        return novelty_html(broken)

    made, plain = poisoned(text), poisoned("plain")
    page = Page(made)
    assert_alone(page)
    assert [n for n, _ in page.elements] == [n for n, _ in Page(plain).elements]
    assert not re.search("[\x00\x1b\u2028\u2029\u202e]", made)


def test_the_least_answer_is_enough():
    for n in (0, 1, 2, 5):
        least = {"command": "novelty", "scans": [{"scan": str(k), "score": 0.5, "novel": k == 1} for k in range(n)]}
        page = Page(novelty_html(least))
        assert_alone(page)
        assert f"{'1' if n > 1 else 'None'} of {n} scan" in page.text
        if n:
            assert_alone(Page(novelty_html(drawn(answers(n, min(n, 3))))))


def test_it_comes_through_json(whole, tmp_path):
    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return value.tolist() if isinstance(value, np.ndarray) else value

    again = json.loads(json.dumps(plain(whole)))
    assert novelty_html(again) == novelty_html(whole)
    write_novelty_html(again, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == novelty_html(whole)


def test_nothing_of_the_answer_is_changed():
    told = answers()
    before = copy.deepcopy(told)
    novelty_html(drawn(told))
    assert told == before


FAULTS = [
    (("command",), "cluster", "command must be 'novelty', got 'cluster'"),
    (("scans",), None, "scans must be a list, got NoneType"),
    (("scans", 4), "a", "scans[4] must be a Mapping, got str"),
    (("scans", 4, "scan"), 4, "scans[4].scan must be text, got 4"),
    (("scans", 4, "novel"), "yes", "scans[4].novel must be true or false, got 'yes'"),
    (("scans", 4, "score"), "high", "scans[4].score must be a number, got 'high'"),
    (("scans", 4, "why"), "peaks", "scans[4].why must be a list, got str"),
    (("scans", 0, "unexplained", 0, "axis"), None, "scans[0].unexplained[0].axis must be a number, got None"),
    (("map", "asked"), [[1, 2]], "map.asked must have shape (40, 2), got (1, 2)"),
    (("map", "known_names"), ["a"], "map.known_names must be as many as the known points (90), got 1"),
    (("map", "errors"), [1.0], "map.errors must be as long as its axis (40), got 1"),
    (("map", "compositions"), {"Fe": np.ones(40)}, "map.compositions must have three elements or more"),
    (("map", "columns"), {"t": [1]}, "map.columns.t must have a value for each of 40 scans, got (1,)"),
    (("map", "regions", "x"), [1], "map.regions.x must be two numbers, got [1]"),
    (("map", "curves", "patterns"), [[1]], "map.curves.patterns must have shape (40, 801), got (1, 1)"),
]


@pytest.mark.parametrize(("path", "value", "said"), FAULTS, ids=[".".join(map(str, p)) for p, _, _ in FAULTS])
def test_what_cannot_be_meant_is_refused(whole, path, value, said):
    broken = copy.deepcopy(whole)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(OptionError, match=re.escape(said)):
        novelty_html(broken)


def test_add_map_wants_scans_of_the_answer_and_ends_of_regions():
    with pytest.raises(OptionError, match=re.escape("patterns must have a row for each of 6 scans and an axis")):
        add_map(answers(6), axis=AXIS, patterns=np.ones((5, AXIS.size)))
    with pytest.raises(OptionError, match="regions and region_ends must be given together"):
        add_map(answers(6), points(6), regions=np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("n", "new", "rate", "sentence", "remark"),
    [
        (120, 3, 0.01, "3 of 120 scans are unlike anything known; 1.2 false alarms expected", "So many can be false"),
        (120, 9, 0.01, "9 of 120 scans are unlike anything known; 1.2 false alarms expected", ""),
        (100, 1, 0.01, "1 of 100 scans is unlike anything known; 1 false alarm expected", "It can be a false alarm"),
        (5, 0, 0.01, "None of 5 scans is unlike anything known; 0.05 false alarms expected", ""),
        (1, 1, None, "1 of 1 scan is unlike anything known", ""),
    ],
)
def test_one_sentence(n, new, rate, sentence, remark):
    rows = [{"scan": str(k), "score": 1.0, "novel": k < new} for k in range(n)]
    told = tell_novelty({"command": "novelty", "scans": rows, "false_alarm": rate})
    assert told.sentence == sentence
    assert told.remark.startswith(remark)
    assert bool(told.remark) == bool(remark)
    assert told.verdict is NOVELTY_VERDICTS["new" if new else "known"]


def test_csv_has_a_row_for_each_scan_and_runs_nothing():
    told = answers()
    told["scans"][0]["scan"] = "=cmd()"
    rows = list(csv.DictReader(io.StringIO(novelty_csv(told))))
    assert [r["answer"] for r in rows] == ["new"] * 3 + ["explained"] * 2 + ["known"] * 35 + ["failed"]
    assert rows[0]["scan"] == "'=cmd()"
    assert (rows[1]["unexplained"], rows[1]["d"]) == ("37.25", "2.412")
    assert rows[4]["mixture"] == "rutile 0.6; anatase 0.4"
    assert [float(r["score"]) for r in rows[:-1]] == [s["score"] for s in told["scans"]]
    assert rows[-1]["why"] == "it holds 0 bytes"


def test_every_kind_of_answer_is_told():
    for name in NOVELTY_VERDICTS:
        row = {
            "scan": "a",
            "score": 1.0,
            "novel": name == "new",
            "explained_by": "noise" if name == "explained" else None,
        }
        assert tell_scan(row).verdict.name == name
