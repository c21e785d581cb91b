"""The sentence about a scan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.report import VERDICTS, tell
from peakwise.report._words import amount, probability, significant


def phase(name, p, w=None, error=None):
    return {"phase": name, "probability": p, "weight_fraction": w, "weight_fraction_error": error}


CASES = [
    ([phase("a", 0.99)], {}, "identified", "a, probability 0.990"),
    ([phase("a", 0.9)], {}, "identified", "a, probability 0.90"),
    ([phase("a", 0.899)], {}, "doubtful", "Perhaps a, probability 0.90"),
    ([phase("a", None, 1.0)], {}, "doubtful", "Perhaps a 100 wt%, probability unknown"),
    (
        [phase("a", 0.99, 0.7, 0.02), phase("b", 0.97, 0.3, 0.004)], {}, "identified",
        "a 70 ± 2 wt% + b 30.0 ± 0.4 wt%, each with probability 0.97 or more",
    ),
    ([phase("a", 1.0), phase("b", 1.0)], {}, "identified", "a + b, each with probability > 0.999"),
    ([phase("a", 0.99), phase("b", 0.4)], {}, "doubtful", "Perhaps a + b, each with probability 0.40 or more"),
    ([phase(c, 0.95) for c in "abcdef"], {}, "identified",
     "a + b + c + d + 2 more, each with probability 0.95 or more"),
    ([phase("a", 0.5)], {"indistinguishable": [["a", "z"]]}, "alike", "a and z cannot be told apart"),
    (
        [phase("a", 0.5)], {"indistinguishable": [["a", "y", "z"], ["b", "c"]]}, "alike",
        "a and y and z cannot be told apart (2 such groups)",
    ),
    ([], {"none_of_these": 0.93}, "none", "None of the 250 phases fits (none_of_these 0.93)"),
    ([], {"none_of_these": 0.3}, "none", "No phase is sure enough to be named (none_of_these 0.30)"),
    ([], {}, "none", "None of the 250 phases fits"),
]  # fmt: skip


@pytest.mark.parametrize(("phases", "more", "kind", "sentence"), CASES, ids=[c[3][:40] for c in CASES])
def test_sentences(phases, more, kind, sentence):
    told = tell({"scan": "s", "phases": phases, **more}, 250)
    assert (told.verdict.name, told.sentence) == (kind, sentence)
    assert VERDICTS[kind] is told.verdict


def test_remarks():
    near = [{"phase": "a", "probability": 0.6}, {"phase": "b", "probability": 0.3}]
    assert tell({"scan": "s", "phases": [], "candidates": near}).remark == "The nearest is a, probability 0.60"
    doubtful = {"scan": "s", "phases": [phase("a", 0.6)], "candidates": near, "none_of_these": 0.1}
    assert tell(doubtful).remark == "The next candidate is b, probability 0.30; none_of_these 0.10"
    stray = {"axis": 30.0}
    for n, text in ((0, ""), (1, "1 peak is not explained by it"), (2, "2 peaks are not explained by it")):
        scan = {"scan": "s", "phases": [phase("a", 0.95)], "fit": {"unexplained": [stray] * n}}
        assert tell(scan).remark == text


def test_names_do_not_make_a_sentence_endless_or_bend_it():
    told = tell({"scan": "s", "phases": [phase("x" * 5000 + "\u202e\n", 0.95)]})
    assert len(told.sentence) < 120
    assert told.sentence.isprintable()


@given(st.floats(0, 1))
def test_a_probability_is_never_rounded_to_certainty(p):
    text = probability(p)
    assert text not in ("0.00", "1.00", "0.000", "1.000")
    number = float(text.lstrip("<> "))
    assert abs(number - p) <= 0.005 + 1e-12


@given(st.floats(0, 1), st.floats(0.0005, 0.5))
def test_an_amount_keeps_its_value_within_half_of_its_last_digit(w, error):
    value, _, spread = amount(w, error).removesuffix(" wt%").partition(" ± ")
    places = len(value.partition(".")[2])
    assert abs(float(value) - 100 * w) <= 0.5 * 10**-places + 1e-9
    assert abs(float(spread) - 100 * error) <= 0.5 * 10**-places + 1e-9
    assert float(spread) > 0
    assert len(spread.partition(".")[2]) == places


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(2, 6))
def test_significant_digits(value, digits):
    read = float(significant(value, digits).replace("−", "-"))
    assert read == pytest.approx(value, rel=0.6 * 10 ** (1 - digits))
