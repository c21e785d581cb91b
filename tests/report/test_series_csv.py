"""The tables of a series, read back by the csv module."""

from __future__ import annotations

import csv
import io

import pytest

from peakwise.errors import OptionError
from peakwise.report import transitions_csv
from report.series import transitions


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_a_pattern():
    document = transitions()
    table = read(transitions_csv(document))
    assert len(table) == 60
    for i, (row, pattern) in enumerate(zip(table, document["patterns"], strict=True)):
        assert int(row["number"]) == i + 1
        assert (row["pattern"], int(row["state"])) == (pattern["pattern"], pattern["state"])
        assert (float(row["value"]), float(row["probability"])) == (pattern["value"], pattern["probability"])
        assert row["transition_after"] == str(int(i == 29))


def test_a_row_a_transition():
    (row,) = read(transitions_csv(transitions(), rows="transitions"))
    assert (row["after"], row["pattern_before"], row["pattern_after"]) == ("29", "scan_0029.xy", "scan_0030.xy")
    assert (row["change_points"], row["spectral"]) == ("29", "27")
    assert [float(row[k]) for k in ("value", "value_low", "value_high", "confidence")] == [159, 158, 160, 0.97]
    assert (row["state_before"], row["state_after"]) == ("0", "1")
    assert read(transitions_csv(transitions(60, ()), rows="transitions")) == []


def test_no_text_becomes_a_formula():
    document = transitions()
    document["patterns"][29]["pattern"] = "=1+1"
    document["boundaries"][0]["agreement"] = {"@evil": None}
    assert read(transitions_csv(document))[29]["pattern"] == "'=1+1"
    (row,) = read(transitions_csv(document, rows="transitions"))
    assert (row["pattern_before"], row["'@evil"]) == ("'=1+1", "")


def test_other_tables_are_refused():
    with pytest.raises(OptionError, match="rows must be patterns or transitions, got 'all'"):
        transitions_csv(transitions(), rows="all")
