"""The table: read back by the csv module and compared with the answer."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.report import identification_csv
from report.answers import document, scan


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_per_scan_and_phase():
    two = scan({"anatase": 0.79, "rutile": 0.21}, name="two.xy", n=201, strays=[(33.1, 0.2)])
    two["warnings"] = ["one, two", 'a "quoted" word']
    none = scan({}, name="none.xy", n=201, none=0.93)
    rows = read(identification_csv(document(two, none, failed=[{"file": "bad.txt", "why": "it holds 0 bytes"}])))
    assert [(r["scan"], r["verdict"], r["phase"]) for r in rows] == [
        ("two.xy", "identified", "anatase"), ("two.xy", "identified", "rutile"), ("none.xy", "none", ""),
        ("bad.txt", "failed", ""),
    ]  # fmt: skip
    first, answer = rows[0], two["phases"][0]
    assert first["warnings"] == 'one, two; a "quoted" word'
    assert rows[3]["warnings"] == "it holds 0 bytes"
    for key in ("probability", "weight_fraction", "weight_fraction_error", "scale"):
        assert float(first[key]) == answer[key]
    assert [float(first[k]) for k in ("a", "b", "c", "alpha", "beta", "gamma")] == answer["cell"]
    assert (first["formula"], first["space_group"]) == ("TiO2", "I41/amd")
    assert float(first["rwp"]) == two["fit"]["rwp"]
    assert (first["unexplained_peaks"], rows[2]["unexplained_peaks"]) == ("1", "0")
    assert float(rows[2]["none_of_these"]) == 0.93
    assert not any(rows[2][k] for k in ("a", "probability", "weight_fraction", "formula"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_becomes_a_formula(start):
    name = f'{start}HYPERLINK("evil")'
    one = {"scan": name, "phases": [{"phase": name, "probability": 0.95, "formula": name}], "warnings": [name]}
    text = identification_csv({"command": "identify", "scans": [one], "failed": [{"file": name, "why": name}]})
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not [cell for cell in row if cell.startswith(start)]
    assert next(csv.DictReader(io.StringIO(text, newline="")))["phase"] == "'" + name


def test_negative_numbers_stay_numbers():
    one = {"scan": "a", "phases": [], "fit": {"zero_shift": -0.02, "displacement": -1e-9}}
    (row,) = read(identification_csv({"command": "identify", "scans": [one]}))
    assert (float(row["zero_shift"]), float(row["displacement"])) == (-0.02, -1e-9)


texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00\r"), max_size=20)


@given(st.lists(st.tuples(texts, st.lists(st.tuples(texts, st.floats(0, 1)), max_size=3)), max_size=4))
def test_any_names_and_numbers_come_back(answers):
    scans = [{"scan": s, "phases": [{"phase": p, "probability": x} for p, x in phases]} for s, phases in answers]
    rows = read(identification_csv({"command": "identify", "scans": scans}))
    wanted = [(s, p, x) for s, phases in answers for p, x in (phases or [("", "")])]
    safe = [("=", "+", "-", "@", "\t")]
    assert len(rows) == len(wanted)
    for row, (s, p, x) in zip(rows, wanted, strict=True):
        for got, name in ((row["scan"], s), (row["phase"], p)):
            assert got == ("'" + name if name.startswith(safe[0]) else name)
        assert row["probability"] == "" if x == "" else float(row["probability"]) == x
