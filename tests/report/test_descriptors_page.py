"""The page of descriptors: it loads nothing, holds the numbers of the answer, lets nothing in; figures and tables."""

from __future__ import annotations

import copy
import csv
import io
import json
import re

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.evaluation import descriptor_scores
from peakwise.report import (
    chart_figure,
    descriptors_csv,
    descriptors_html,
    parity_figure,
    residual_figure,
    scores_of,
    tell_descriptors,
    value_text,
    write_descriptors_html,
)
from report.descriptors import AXIS, RANGES, TARGETS, ablation, answers, drawn, learning, splits
from report.test_page import HOSTILE, Page, assert_alone, unpack


@pytest.fixture(scope="module")
def whole():
    return drawn(answers())


@pytest.fixture(scope="module")
def page(whole):
    return Page(descriptors_html(whole))


def test_it_loads_nothing(page):
    assert_alone(page)


@pytest.mark.parametrize(
    "said",
    [
        "5 descriptors of 50 scans", "of true values inside the intervals", "2 of them are unlike all that was learned",
        "2 scans are unlike those learned from", "bad.xy", "it holds 0 bytes", "peakwise regress 'a b/' --model m.pw",
        "Answers and truth", "One descriptor closely", "Error over ten splits", "How many latent numbers?",
        "Learning curves", "What each kind of pattern brings", "all (50)", "✓ inside (48)", "! outside (2)",
        "stress [GPa]", "inside 90 % intervals", "read by hybrid",
    ],
)  # fmt: skip
def test_it_says_what_the_answer_says(page, said):
    assert said in page.text


def test_the_embedded_numbers_are_those_of_the_answer(page, whole):
    block = page.data()["data-descriptors"]
    found = unpack({"packed": block["packed"], "blocks": block["columns"], "n": block["n"]})
    for k, name in enumerate(TARGETS):
        for key in ("values", "truth"):
            np.testing.assert_allclose(found[f"{key}{k}"], [s[key][name] for s in whole["scans"]], rtol=3.1e-5)
        for i, key in enumerate(("low", "high")):
            np.testing.assert_allclose(
                found[f"{key}{k}"], [s["interval"][name][i] for s in whole["scans"]], rtol=3.1e-5
            )
        assert block["targets"][k]["range"] == RANGES[name]
    np.testing.assert_array_equal(found["answer"], [0 if s["in_domain"] else 2 for s in whole["scans"]])
    np.testing.assert_allclose(found["column0"], 300 + np.arange(50))
    hover = block["hover"]
    small = unpack({"packed": hover["patterns"], "blocks": ["v"], "n": 50 * hover["points"]})["v"]
    np.testing.assert_allclose(small.reshape(50, -1), whole["curves"]["patterns"], rtol=3.1e-5)
    assert hover["points"] == AXIS.size


def test_the_table_of_scores_is_counted(page, whole):
    for name in TARGETS:
        columns = [[s[key][name] for s in whole["scans"]] for key in ("truth", "values")]
        ends = zip(*(s["interval"][name] for s in whole["scans"]), strict=True)
        expected = descriptor_scores(*columns, *map(list, ends))
        assert scores_of(whole)[name] == expected
        assert f"{100 * expected.coverage:.1f} % (" in page.text


def test_charts_keep_their_points(page):
    block = page.data()["data-chart-0"]
    assert block["categories"] == ["reconstruction", "regression", "hybrid", "multimodal", "ours"]
    made = splits()["panels"]["stress"]
    panel = next(p for p in block["panels"] if p["title"] == "stress")
    assert panel["unit"] == "GPa"
    for row, series in zip(panel["series"], made, strict=True):
        np.testing.assert_allclose(row["y"], series["y"], rtol=1e-6)


def test_one_scan_is_told_in_its_sentence():
    one = drawn(answers(1, has_truth=False, outside=()), charts=False)
    page = Page(descriptors_html(one))
    assert_alone(page)
    assert "fcc is 0.7" in page.text
    assert "and 2 more" in page.text
    assert "Answers and truth" not in page.text


def test_without_truth_values_are_shown():
    page = Page(descriptors_html(drawn(answers(has_truth=False), charts=False)))
    assert "Values of all scans" in page.text
    assert "Compared with the truth" not in page.text


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.5, 0.4, 0.6), "0.50 (0.40 to 0.60)"), ((1.2345e-4, 1.1e-4, 1.4e-4), "0.000123 (0.000110 to 0.000140)"),
        ((12345.6, 12000, 12700), "12346 (12000 to 12700)"), ((1.0, None, 2.0), "1"), ((np.nan, 0, 1), "–"),
        ((5.0, 5.0, 5.0), "5"), ((-3.0, -np.inf, np.inf), "−3"),
    ],
)  # fmt: skip
def test_values_have_the_digits_of_their_intervals(numbers, said):
    assert value_text(*numbers) == said


def test_the_sentence_follows_the_answer():
    told = tell_descriptors(answers(outside=()))
    assert told.verdict.name == "inside"
    assert re.fullmatch(
        r"5 descriptors of 50 scans, R² 0\.\d+ to 0\.\d+, \d+ % of true values inside .*", told.sentence
    )
    assert tell_descriptors(answers()).verdict.name == "outside"
    assert tell_descriptors({"command": "regress", "targets": ["a"], "scans": []}).sentence == "No scan"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1, 0, 1e300, None])
def test_no_number_breaks_the_page(whole, value):
    for path in (
        ("seconds",), ("level",), ("scans", 0, "values", "fcc"), ("scans", 0, "interval", "fcc", 0),
        ("scans", 0, "truth", "stress"), ("ranges", "fcc", 0), ("curves", "wavelength"), ("curves", "patterns", 0, 4),
        ("columns", "temperature", 3), ("charts", 0, "panels", "fcc", 0, "y", 2),
    ):  # fmt: skip
        broken = copy.deepcopy(whole)
        place = broken
        for step in path[:-1]:
            place = place[step]
        if isinstance(place, np.ndarray) and value is None:
            continue
        place[path[-1]] = value
        assert_alone(Page(descriptors_html(broken)))
        descriptors_csv(broken)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(t[:24]) for t in HOSTILE])
def test_hostile_names_stay_text(whole, text):
    def poisoned(said):
        broken = copy.deepcopy(whole)
        for row in broken["scans"]:
            row["scan"], row["warnings"] = said, [said]
            for key in ("values", "truth", "interval"):
                row[key] = {said: row[key]["fcc"]}
        broken.update(
            targets=[said], units={said: said}, ranges={said: [0, 1]}, warnings=[said], peakwise=said, workflow=said,
            failed=[{"file": said, "why": said}], columns={said: broken["columns"]["temperature"]},
            provenance={said: {said: said}, "command_line": said},
        )  # fmt: skip
        broken["curves"].update(kind=said, unit=said, intensity_unit=said)
        for chart in broken["charts"]:
            chart.update(name=said, title=said, x=said, y=said, note=said)
            chart["panels"] = {said: [{**s, "name": said} for s in next(iter(chart["panels"].values()))]}
        return descriptors_html(broken)

    made, plain = poisoned(text), poisoned("plain")
    page = Page(made)
    assert_alone(page)
    assert [n for n, _ in page.elements] == [n for n, _ in Page(plain).elements]
    assert not re.search("[\x00\x1b\u2028\u2029\u202e]", made)


def test_it_comes_through_json(whole, tmp_path):
    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return value.tolist() if isinstance(value, np.ndarray) else value

    again = json.loads(json.dumps(plain(whole)))
    assert descriptors_html(again) == descriptors_html(whole)
    write_descriptors_html(again, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == descriptors_html(whole)


def test_the_table_has_all_scans_and_runs_nothing(whole):
    told = copy.deepcopy(whole)
    told["scans"][0]["scan"] = "=cmd()"
    rows = list(csv.DictReader(io.StringIO(descriptors_csv(told))))
    assert len(rows) == 51
    assert rows[0]["scan"] == "'=cmd()"
    assert rows[-1]["in_domain"] == "failed"
    for row, scan in zip(rows, told["scans"], strict=False):
        assert float(row["stress"]) == scan["values"]["stress"]
        assert float(row["stress_high"]) == scan["interval"]["stress"][1]
        assert float(row["stress_truth"]) == scan["truth"]["stress"]


FAULTS = [
    (("command",), "novelty", "command must be 'regress'"),
    (("targets",), [], "targets must be different names, at least one"),
    (("scans", 3), 7, "scans[3] must be a Mapping"),
    (("scans", 3, "values"), {"fcc": 1}, "scans[3].values must have every target, and 'hcp' is missing"),
    (("scans", 3, "interval", "fcc"), [1], "scans[3].interval.fcc must be two numbers"),
    (("scans", 3, "in_domain"), "yes", "scans[3].in_domain must be true or false"),
    (("curves", "patterns"), [[1, 2]], "curves.patterns must have shape (50, 301)"),
    (("columns",), {"t": [1]}, "columns.t must be as long as its axis (50), got 1"),
    (("charts", 0, "panels"), {}, "charts[0].panels must have one panel at least"),
    (("charts", 0, "panels", "fcc", 0, "x"), np.full(10, 9), "charts[0].panels.fcc[0].x must be numbers of the 5"),
    (("charts", 1, "panels", "mean", 0, "high"), None, "must have both low and high, or none"),
]


@pytest.mark.parametrize(("path", "value", "said"), FAULTS, ids=[".".join(map(str, f[0])) for f in FAULTS])
def test_faults_are_named(whole, path, value, said):
    broken = copy.deepcopy(whole)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(OptionError, match="cannot report the answer") as caught:
        descriptors_html(broken)
    assert said in str(caught.value)


def test_figures_show_the_numbers(whole):
    figure = parity_figure(whole, ["fcc", "stress"])
    assert len(figure.axes) == 2
    inside = np.array([s["in_domain"] for s in whole["scans"]])
    points = next(line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == ".")
    truth = np.array([s["truth"]["fcc"] for s in whole["scans"]])[inside]
    np.testing.assert_allclose(points[:, 0], truth)
    figure = residual_figure(whole, "stress", ["fcc"])
    (points,) = (line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == ".")
    off = np.array([s["values"]["stress"] - s["truth"]["stress"] for s in whole["scans"]])[inside]
    np.testing.assert_allclose(points[:, 1], off)
    for chart in (splits(), learning(), ablation()):
        chart_figure(chart).savefig(io.BytesIO(), format="png")
    with pytest.raises(OptionError, match="the truth is known of"):
        parity_figure(whole, ["gold"])
    with pytest.raises(OptionError, match="panels must be of"):
        chart_figure(splits(), ["gold"])


def test_nothing_of_the_answer_is_changed(whole):
    before = json.dumps(answers())
    told = answers()
    descriptors_html(drawn(told))
    assert json.dumps(told) == before
