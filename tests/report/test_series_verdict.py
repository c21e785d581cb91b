"""Sentences: what a beamline scientist reads first, in the terminal and in the report."""

from __future__ import annotations

import pytest

from peakwise.report import SERIES_VERDICTS, tell_clusters, tell_transitions, transitions_html
from report.series import clusters, transitions


def said(*arguments, **more):
    told = tell_transitions(transitions(*arguments, **more))
    return told.verdict.name, told.sentence, told.remark


def changed(document, **more):
    document["boundaries"][0].update(more)
    return tell_transitions(document)


def test_sentences():
    assert said() == ("changed", "One transition at 159 K (158 to 160 K), confidence 0.97", "")
    assert said(confidence=0.7)[:2] == ("perhaps", "Perhaps one transition at 159 K (158 to 160 K), confidence 0.70")
    assert said(60, (19, 39))[1] == (
        "Two transitions at 139 K (138 to 140 K) and at 179 K (178 to 180 K), each with confidence 0.97 or more"
    )
    assert said(60, ())[1:] == (
        "No transition: all 60 patterns are one state",
        "The likeliest place for one has a probability of 0.03",
    )
    assert said(60, (), evidence={"refused": 0.33})[1] == "No clear transition: the 60 patterns are taken for one state"
    assert said(60, (), evidence={"refused": "high"})[1:] == ("No transition: all 60 patterns are one state", "")
    many = said(100, (9, 19, 29, 39, 49, 59))[1]
    assert many.startswith("Six transitions at 119 K")
    assert " and 2 more, each" in many
    assert said(1, ())[1] == "No transition: there is only one pattern"
    assert said(0, ())[1] == "No patterns"


def test_without_a_variable_patterns_are_counted_from_one():
    document = transitions(variable=None)
    assert tell_transitions(document).sentence == "One transition between patterns 30 and 31, confidence 0.97"
    told = changed(document, interval=[25.0, 33.5])
    assert told.sentence == "One transition between patterns 30 and 31 (somewhere from 26 to 35), confidence 0.97"


def test_a_variable_without_unit_and_values_that_are_missing():
    assert said(unit=None)[1] == "One transition at 159 (158 to 160), confidence 0.97"
    assert changed(transitions(), value=None).sentence.startswith("One transition between patterns 30 and 31, ")
    assert changed(transitions(), value_interval=None).sentence == "One transition at 159 K, confidence 0.97"
    assert changed(transitions(), confidence=None).sentence == "Perhaps one transition at 159 K (158 to 160 K)"


def test_digits_follow_the_interval():
    told = changed(transitions(), value=117.23456, value_interval=[117.1999, 117.2666])
    assert told.sentence == "One transition at 117.235 K (117.2 to 117.267 K), confidence 0.97"
    told = changed(transitions(), value=-12.4, value_interval=[-20.2, -3.7])
    assert told.sentence == "One transition at −12 K (−20 to −4 K), confidence 0.97"


def test_gradual_changes_and_unclear_patterns_are_remarked():
    told = changed(transitions(classification_confidence=0.8), zone=[24.0, 36.0])
    assert told.remark == (
        "The change is gradual, from 148 to 172 K; 12 of 60 patterns lie in between: their state is not clear"
    )
    told = changed(transitions(variable=None), zone=[24.0, 36.0])
    assert told.remark == "The change is gradual, from pattern 25 to 37"
    two = transitions(60, (19, 39))
    for b in two["boundaries"]:
        b["zone"] = [b["after"] - 3, b["after"] + 3]
    assert tell_transitions(two).remark == "Gradual changes from 132 to 144 K and 172 to 184 K"


def test_a_state_that_comes_back_is_told():
    document = transitions(60, (19, 39))
    for row in document["patterns"][40:]:
        row["state"] = 0
    document["states"] = 2
    assert tell_transitions(document).remark == "Two states: a state comes back"


@pytest.mark.parametrize(
    ("silhouette", "verdict", "how"),
    [(0.71, "groups", ", well apart (silhouette 0.71)"), (0.3, "weak", ", touching (silhouette 0.30)"),
     (-0.1, "weak", ", hardly apart (silhouette −0.10)"), (None, "groups", "")],
)  # fmt: skip
def test_groups(silhouette, verdict, how):
    told = tell_clusters(clusters(silhouette=silhouette))
    assert (told.verdict.name, told.sentence) == (verdict, f"3 groups of 4, 4 and 4 patterns{how}")


def test_groups_of_one_and_of_none():
    assert tell_clusters(clusters(k=1)).sentence == "One group: the 12 patterns do not fall apart into several"
    document = clusters()
    document["patterns"][0]["cluster"] = document["patterns"][1]["cluster"] = -1
    told = tell_clusters(document)
    assert told.sentence.startswith("3 groups of 4, 3 and 3 patterns")
    assert told.remark == "2 patterns are in no group"


def test_the_report_says_the_same_sentence():
    for document in (transitions(), transitions(60, ()), transitions(confidence=0.2)):
        told = tell_transitions(document)
        page = transitions_html(document)
        assert f"<h2>{told.sentence}</h2>".replace(">", ">") in page.replace("&gt;", ">")
        assert told.verdict.meaning in page
    assert len({v.sign + v.label for v in SERIES_VERDICTS.values()}) == len(SERIES_VERDICTS)
