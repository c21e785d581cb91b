"""The document: what is accepted, and what is refused with the place of the fault."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.report import identification_csv, identification_html
from peakwise.report._answer import check_document
from report.answers import document, relevance, scan


@pytest.fixture(scope="module")
def whole():
    one = scan({"anatase": 0.79, "rutile": 0.21}, n=301, strays=[(33.1, 0.2)], indistinguishable=[["rutile", "x"]])
    one["explanation"] = relevance(one)
    return document(one, failed=[{"file": "a.txt", "why": "no reader"}], warnings=["said"])


def test_a_document_passes_unchanged_and_through_json(whole):
    before = copy.deepcopy(whole)
    assert check_document(whole) is whole
    assert whole == before
    again = json.loads(json.dumps(whole))
    assert check_document(again) == whole
    assert identification_html(again) == identification_html(whole)


def test_arrays_and_lists_give_the_same_page(whole):
    other = copy.deepcopy(whole)
    curves = other["scans"][0]["curves"]
    for key in ("axis", "observed", "background", "calculated"):
        curves[key] = np.array(curves[key])
    assert identification_html(other) == identification_html(whole)


def test_the_least_answer_is_enough():
    least = {"command": "identify", "scans": [{"scan": "a", "phases": []}]}
    assert "None of the phases fits" in identification_html(least)
    assert identification_csv(least).splitlines()[1].startswith("a,none,")


def test_null_is_the_same_as_missing(whole):
    one = {"scan": "a", "phases": [{"phase": "p", "probability": 0.95}]}
    nothing = {**one, "fit": None, "curves": None, "explanation": None, "none_of_these": None, "wavelength": None}
    assert identification_html({"command": "identify", "scans": [one]}) == identification_html(
        {"command": "identify", "scans": [nothing]}
    )


FAULTS = [
    (("command",), "novelty", "command must be 'identify', got 'novelty'"),
    (("scans",), {}, "scans must be a list, got dict"),
    (("scans",), None, "scans must be a list, got NoneType"),
    (("scans", 0), "a.xy", "scans[0] must be a Mapping, got str"),
    (("scans", 0, "scan"), 3, "scans[0].scan must be text, got 3"),
    (("scans", 0, "phases", 1, "phase"), None, "scans[0].phases[1].phase must be text, got None"),
    (("scans", 0, "phases", 0, "probability"), "high", "scans[0].phases[0].probability must be a number, got 'high'"),
    (("scans", 0, "phases", 0, "probability"), True, "scans[0].phases[0].probability must be a number, got True"),
    (("scans", 0, "phases", 0, "cell"), [1, 2, 3], "scans[0].phases[0].cell must be six numbers"),
    (("scans", 0, "phases", 0, "cell"), "cubic", "scans[0].phases[0].cell must be a list of numbers"),
    (("scans", 0, "candidates"), "none", "scans[0].candidates must be a list, got str"),
    (("scans", 0, "candidates", 0, "score"), [1], "scans[0].candidates[0].score must be a number, got [1]"),
    (("scans", 0, "none_of_these"), "no", "scans[0].none_of_these must be a number, got 'no'"),
    (("scans", 0, "warnings"), [1], "scans[0].warnings[0] must be a str, got int"),
    (("scans", 0, "indistinguishable"), [[1]], "scans[0].indistinguishable[0][0] must be a str, got int"),
    (("scans", 0, "fit"), [], None),
    (("scans", 0, "fit"), 3, "scans[0].fit must be a JSON object, got int"),
    (("scans", 0, "fit", "rwp"), "low", "scans[0].fit.rwp must be a number, got 'low'"),
    (("scans", 0, "fit", "unexplained", 0, "axis"), None, "fit.unexplained[0].axis must be a number, got None"),
    (("scans", 0, "curves", "observed"), [1.0], "scans[0].curves.observed must be as long as its axis (301), got 1"),
    (("scans", 0, "curves", "observed"), None, "scans[0].curves.observed must be a list of numbers"),
    (("scans", 0, "curves", "axis"), [], "scans[0].curves.axis must be a list of numbers, got list of shape (0,)"),
    (("scans", 0, "curves", "axis"), [[1.0]], "scans[0].curves.axis must be a list of numbers, got list of shape"),
    (("scans", 0, "curves", "axis", 7), None, "scans[0].curves.axis must be finite everywhere"),
    (("scans", 0, "curves", "phases", "rutile"), [1.0], "scans[0].curves.phases.rutile must be as long as its axis"),
    (("scans", 0, "curves", "phases"), [1], "scans[0].curves.phases must be a JSON object, got list"),
    (("scans", 0, "curves", "hkl", "rutile"), ["1 1 0"], "scans[0].curves.hkl of rutile must be as long as its ticks"),
    (("scans", 0, "explanation", "method"), None, "scans[0].explanation.method must be text, got None"),
    (("scans", 0, "explanation", "relevance"), [1], "scans[0].explanation.relevance must be as long as its axis"),
    (("failed",), [{"file": "a"}], "failed[0].why must be text, got None"),
    (("warnings",), "careful", "warnings must be a list, got str"),
    (("provenance",), [1], "provenance must be a JSON object, got list"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "why"), FAULTS, ids=[".".join(map(str, f[0])) + f"={f[1]!r:.9}" for f in FAULTS]
)
def test_faults_are_refused_with_their_place(whole, path, value, why):
    broken = copy.deepcopy(whole)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    if why is None:  # an empty list is as good as nothing
        check_document(broken)
        return
    with pytest.raises(OptionError, match=re.escape(why)) as caught:
        check_document(broken)
    assert str(caught.value).startswith("cannot report the answer: ")
    for write in (identification_html, identification_csv):
        with pytest.raises(OptionError, match=re.escape(why)):
            write(broken)


@pytest.mark.parametrize("other", [None, 3, "text", [1]])
def test_what_is_no_document_is_refused(other):
    with pytest.raises(OptionError, match="the document must be a JSON object"):
        identification_html(other)
