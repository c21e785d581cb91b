"""The tree of errors and its one-line messages."""

from __future__ import annotations

import pickle

import pytest

from peakwise import errors


def test_every_error_is_in_the_drawing_and_public():
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.PeakwiseError):
            assert name in errors.__doc__, f"{name} is not in the drawing of errors.py"


def test_messages_are_one_printable_line_in_three_parts():
    problem = errors.ReadError("cannot read\nthe scan", "it holds\t0 bytes.", "Copy it again.", file="odd\x1bname.xy")
    assert str(problem) == "cannot read the scan (odd?name.xy): it holds 0 bytes. Copy it again."
    assert problem.reason == "it holds 0 bytes. Copy it again."


def test_messages_are_bounded():
    assert len(str(errors.ReadError("a", "b" * 10_000, "c"))) < 700


def test_errors_cross_process_boundaries():
    problem = pickle.loads(pickle.dumps(errors.GridError("a", "b", "c", file="d")))
    assert isinstance(problem, errors.GridError)
    assert str(problem) == "a (d): b. c."


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.AxisError, ValueError),
        (errors.OptionError, ValueError),
        (errors.PatternsError, ValueError),
        (errors.MissingExtraError, ImportError),
    ],
)
def test_errors_are_also_what_python_people_catch(kind, builtin):
    assert issubclass(kind, builtin)
