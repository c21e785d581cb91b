"""The page of a series: it loads nothing, holds the numbers of the answer, stays small, and lets nothing in."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.report import add_series, clusters_html, transitions_csv, transitions_html, write_transitions_html
from report.series import AXIS, WAVELENGTH, clusters, rows, transitions
from report.test_page import HOSTILE, Page, assert_alone, unpack

KIND = {"kind": "two_theta", "unit": "deg", "wavelength": WAVELENGTH, "intensity_unit": "counts"}


@pytest.fixture(scope="module")
def whole():
    told = transitions(60, (19, 39), failed=[{"file": "bad.xy", "why": "it holds 0 bytes"}], warnings=["beam dip"])
    return add_series(told, AXIS, rows(60, (19, 39)), **KIND)


@pytest.fixture(scope="module")
def page(whole):
    return Page(transitions_html(whole))


def curves(block, packed, names, n):
    return unpack({"packed": block[packed], "blocks": names, "n": n})


def test_it_loads_nothing(page):
    assert_alone(page)


@pytest.mark.parametrize(
    "said",
    [
        "Two transitions at 139 K (138 to 140 K) and at 179 K", "scan_0019.xy | scan_0020.xy", "20 | 21", "18 (−2)",
        "✓", "beam dip", "bad.xy", "it holds 0 bytes", "What changed at transition 2, at 179 K", "gone", "16.000",
        "19.000", "refused", "0.03", "views: raw", "12.5", "peakwise transitions 'a b.h5' --report r.html", "segments",
        "100.0 %", "temperature [K]", "1 – 20", "21 – 40", "100 – 138", "Mean of 20 patterns before and 20 after it",
    ],
)  # fmt: skip
def test_it_says_what_the_answer_says(page, said):
    assert said in page.text


def test_spacings_are_braggs(page):
    assert f"{WAVELENGTH / 2 / np.sin(np.radians(8.0)):.4f}"[:5] in page.text


def test_the_embedded_numbers_are_those_of_the_answer(page, whole):
    data = page.data()
    block = data["data-series"]
    n, m = 60, AXIS.size
    assert (block["n"], block["nPoints"], block["rows"], block["wavelength"]) == (n, m, list(range(n)), WAVELENGTH)
    np.testing.assert_allclose(curves(block, "axis", ["x"], m)["x"], AXIS, rtol=1e-6)
    image = curves(block, "image", ["image"], n * m)["image"].reshape(n, m)
    np.testing.assert_array_equal(image, whole["curves"]["intensity"])  # whole numbers are exact
    beside = curves(block, "packed", block["columns"], block["listed"])
    for key in ("state", "probability", "value"):
        np.testing.assert_allclose(beside[key], [p[key] for p in whole["patterns"]], rtol=1e-6)
    np.testing.assert_allclose(beside["score0"], np.array(whole["scores"]["pca"])[:, 0], rtol=1e-4, atol=1e-4)
    assert [b["after"] for b in block["boundaries"]] == [19, 39]
    assert block["boundaries"][0]["interval"] == [19, 20]
    assert block["names"][7] == "scan_0007.xy"
    change = data["data-change-2"]
    found = curves(change, "packed", ["x", "before", "behind"], change["n"])
    np.testing.assert_allclose(found["before"], whole["changes"][1]["before"], rtol=3.1e-5)
    assert change["states"] == [1, 2]
    assert [(round(p["at"], 1), p["what"]) for p in change["peaks"]] == [(19.0, "gone"), (22.0, "new")]
    points = data["data-points"]
    seen = curves(points, "packed", ["index", "state", "probability", "x0", "y0"], points["n"])
    np.testing.assert_allclose(seen["x0"], np.array(whole["map"]["pca"])[:, 0], rtol=3.1e-5, atol=1e-6)


def test_a_falling_axis_is_turned_with_its_picture():
    X = rows()
    pages = [
        Page(transitions_html(add_series(transitions(), axis, table, **KIND))).data()["data-series"]
        for axis, table in ((AXIS, X), (AXIS[::-1], X[:, ::-1]))
    ]
    assert (pages[0]["axis"], pages[0]["image"]) == (pages[1]["axis"], pages[1]["image"])


def test_groups_are_put_together():
    told = add_series(clusters(), AXIS, rows(12), **KIND)
    page = Page(clusters_html(told))
    assert_alone(page)
    block = page.data()["data-series"]
    beside = curves(block, "packed", block["columns"], 12)
    np.testing.assert_array_equal(beside["state"], np.repeat([0, 1, 2], 4))
    assert block["numbers"] == [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]
    image = curves(block, "image", ["image"], 12 * AXIS.size)["image"].reshape(12, -1)
    np.testing.assert_array_equal(image, rows(12)[np.array(block["numbers"]) - 1])
    for said in ("3 groups of 4, 4 and 4 patterns", "group 2", "scan_000.xy, scan_003.xy", "Which patterns belong"):
        assert said in page.text


def test_a_long_series_stays_small():
    """10,000 patterns: below the 5 MB that mail takes, with the boundary's own patterns in the picture."""
    n = 10_000
    told = transitions(n, (6001,))
    rng = np.random.default_rng(0)
    X = rng.poisson(50, (n, 64)).astype(np.float32)
    whole = add_series(told, np.linspace(10, 30, 64), X, **KIND)
    # As large as a picture gets: noise does not shrink when it is packed.
    whole["curves"] = {**whole["curves"], "axis": np.linspace(10, 30, 1000)}
    whole["curves"]["intensity"] = rng.gamma(1.0, 50, (len(whole["curves"]["rows"]), 1000))
    whole["map"] = {"pca": rng.normal(size=(n, 2)), "umap": rng.normal(size=(n, 2)), "tsne": rng.normal(size=(n, 2))}
    text = transitions_html(whole)
    assert len(text) < 5_000_000
    block = Page(text).data()["data-series"]
    assert {6001, 6002} <= set(block["rows"])
    assert "patterns; the numbers beside them are of all" in text
    assert "5,000 of 10,000 patterns are shown" in text


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1, 0, 1e300, None])
def test_no_number_breaks_the_page(whole, value):
    for path in (
        ("boundaries", 0, "value"), ("boundaries", 0, "confidence"), ("boundaries", 0, "interval", 1),
        ("boundaries", 0, "zone", 0), ("boundaries", 1, "value_interval", 0),
        ("classification_confidence",), ("patterns", 3, "value"), ("patterns", 3, "probability"), ("seconds",),
        ("scores", "explained", 0), ("scores", "pca", 3, 0), ("map", "pca", 3, 1), ("changes", 0, "peaks", 0, "change"),
        ("changes", 0, "peaks", 0, "significance"), ("curves", "wavelength"), ("evidence", "refused"),
    ):  # fmt: skip
        broken = copy.deepcopy({k: v for k, v in whole.items() if k != "curves"})
        broken["curves"] = dict(whole["curves"])
        place = broken
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert_alone(Page(transitions_html(broken)))
        transitions_csv(broken)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(t[:24]) for t in HOSTILE])
def test_hostile_names_stay_text(whole, text):
    def poisoned(said):
        broken = copy.deepcopy(whole)
        for row in broken["patterns"]:
            row["pattern"] = said
        broken.update(warnings=[said], method=said, failed=[{"file": said, "why": said}], peakwise=said)
        broken["state_names"] = [said] * 3
        broken["variable"] = {"name": said, "unit": said}
        broken["evidence"] = {said: said}
        broken["provenance"] = {said: {said: said}, "command_line": said}
        broken["settings"] = {said: said}
        broken["curves"].update(kind=said, unit=said, intensity_unit=said)
        broken["map"] = {said: broken["map"]["pca"]}
        for boundary in broken["boundaries"]:
            boundary["agreement"] = {said: 3}
        for peak in broken["changes"][0]["peaks"]:
            peak["what"] = said
        return transitions_html(broken)

    made, plain = poisoned(text), poisoned("plain")
    page = Page(made)
    assert_alone(page)
    assert [n for n, _ in page.elements] == [n for n, _ in Page(plain).elements]
    assert not re.search("[\x00\x1b\u2028\u2029\u202e]", made)
    grouped = clusters(warnings=[text], method=text)
    grouped["patterns"][0]["pattern"] = text
    assert_alone(Page(clusters_html(grouped)))


def test_the_least_answer_is_enough():
    for n in (0, 1, 2, 5):
        least = {"command": "transitions", "patterns": [{"pattern": str(k)} for k in range(n)], "boundaries": []}
        page = Page(transitions_html(least))
        assert_alone(page)
        assert "No transition" in page.text or n == 0
        clusters_html({"command": "cluster", "patterns": least["patterns"]})


def test_it_comes_through_json(whole, tmp_path):
    plain = copy.deepcopy(whole)
    for key in ("axis", "intensity"):
        plain["curves"][key] = np.asarray(plain["curves"][key]).tolist()
    for change in plain["changes"]:
        for key in ("axis", "before", "behind"):
            change[key] = np.asarray(change[key]).tolist()
    again = json.loads(json.dumps(plain))
    assert transitions_html(again) == transitions_html(whole)
    write_transitions_html(again, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == transitions_html(whole)


FAULTS = [
    (("command",), "cluster", "command must be 'transitions', got 'cluster'"),
    (("boundaries",), None, "boundaries must be a list, got NoneType"),
    (("patterns", 4), "a", "patterns[4] must be a Mapping, got str"),
    (("patterns", 4, "pattern"), 4, "patterns[4].pattern must be text, got 4"),
    (("patterns", 4, "state"), "a", "patterns[4].state must be a number, got 'a'"),
    (("boundaries", 0, "after"), None, "boundaries[0].after must be a number, got None"),
    (("boundaries", 0, "after"), 59, "boundaries[0].after must be a pattern with one behind it (0 to 58), got 59"),
    (("boundaries", 0, "interval"), [1, 2, 3], "boundaries[0].interval must be two numbers, got [1, 2, 3]"),
    (("boundaries", 0, "agreement"), [1], "boundaries[0].agreement must be a JSON object, got list"),
    (("curves", "intensity"), [[1.0]], "curves.intensity must have shape (n, 801), got (1, 1)"),
    (("curves", "intensity"), "x", "curves.intensity must be rows of numbers"),
    (("curves", "rows"), [1, 0], "curves.rows must be 60 rising indices of 60 patterns, got 2"),
    (("curves", "axis"), [], "curves.axis must be a list of numbers"),
    (("map", "pca"), [[1.0, 2.0]], "map.pca must have shape (60, 2), got (1, 2)"),
    (("scores", "pca"), [1.0], "scores.pca must have shape (60, k), got (1,)"),
    (("changes", 0, "before"), [1.0], "changes[0].before must be as long as its axis (801), got 1"),
    (("changes", 0, "peaks", 0, "axis"), None, "changes[0].peaks[0].axis must be a number, got None"),
    (("variable", "name"), None, "variable.name must be text, got None"),
    (("state_names",), [1], "state_names[0] must be a str, got int"),
    (("evidence",), [1], "evidence must be a JSON object, got list"),
]


@pytest.mark.parametrize(("path", "value", "why"), FAULTS, ids=[".".join(map(str, f[0])) for f in FAULTS])
def test_faults_are_refused_with_their_place(whole, path, value, why):
    broken = copy.deepcopy(whole)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(OptionError, match=re.escape(why)) as caught:
        transitions_html(broken)
    assert str(caught.value).startswith("cannot report the answer: ")
