"""Rigaku ASC: positions from start and step, several groups, and promises that are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layouts.rigaku_asc import GROUPS, HEAD, asc
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import read_each

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns


def read(path: Path) -> tuple[Patterns, ...]:
    (one,) = read_each(path)
    if one.error is not None:
        raise one.error
    assert one.format == "rigaku_asc"
    return one.patterns


def test_two_groups(tmp_path: Path) -> None:
    low, high = read(asc(tmp_path, HEAD + GROUPS))
    assert low.axis.tolist() == pytest.approx([3, 3.02, 3.04, 3.06, 3.08], abs=1e-12)
    assert low.intensity[0].tolist() == [948, 952.8, 990, 119.6, 0]
    assert high.axis.tolist() == [50, 50.5, 51, 51.5]
    assert high.intensity[0].tolist() == [1, 2, 3, 4]
    assert (low.unit, low.kind) == ("counts/s", "two_theta")
    assert low.radiation is not None
    assert low.radiation.lines == ((1.54056, 1.0), (1.5444, 0.5))
    assert low.radiation.anode == "Cu"
    meta = {key: column[0] for key, column in low.meta.items()}
    assert (meta["sample"], meta["title"], meta["date"]) == ("ASZTK", "Qualitative (demo)", "25-Dec-97 19:12")
    assert (meta["count_time"], meta["voltage"], meta["current"]) == (0.4, 60, 200)
    assert high.meta["count_time"][0] == 2
    assert "voltage" not in high.meta  # it stands in the first group only
    assert not low.warnings


def test_speed_in_degrees_per_minute(tmp_path: Path) -> None:
    low, high = read(asc(tmp_path, HEAD.replace("sec./step", "deg./min.") + GROUPS))
    assert low.meta["count_time"][0] == pytest.approx(60 * 0.02 / 0.4)
    assert high.meta["count_time"][0] == pytest.approx(15)


@pytest.mark.parametrize(
    ("axis", "kind"), [("theta", "omega"), ("Chi", "chi"), ("2-Theta", "two_theta"), ("unheard of", "two_theta")]
)
def test_axis(tmp_path: Path, axis: str, kind: str) -> None:
    low, _ = read(asc(tmp_path, HEAD.replace("2theta/theta", axis) + GROUPS))
    assert low.kind == kind
    assert any("does not say what its axis is" in note for note in low.warnings) == (axis == "unheard of")


def test_odd_header_values(tmp_path: Path) -> None:
    text = HEAD.replace("29\n", "Co\n").replace("1.54056", "unknown").replace("cps", "marks").replace("sec./step", "x")
    low, _ = read(asc(tmp_path, text + GROUPS))
    assert low.unit == "unknown"
    assert any("no wavelength" in note for note in low.warnings)
    assert low.meta["anode"][0] == "Co"
    assert "count_time" not in low.meta


def test_stop_that_does_not_fit_is_said(tmp_path: Path) -> None:
    low, _ = read(asc(tmp_path, HEAD + GROUPS.replace("3.08", "9.0")))
    assert low.warnings == ("group 1 should end at 9, its 5 points in steps of 0.02 end at 3.08",)


def test_fragment_is_refused_with_its_numbers(real_data: Path) -> None:
    with pytest.raises(DamagedFileError, match="holds 56 of the 4657 points its header promises"):
        read(real_data / "formats/rigaku_dat/ExampleRigaku.dat")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace("COUNT\t\t=  5", "COUNT\t\t=  4657"), "5 of the 4657 points"),
        (lambda t: t.replace("COUNT\t\t=  5", "COUNT\t\t=  four"), "does not say how many points"),
        (lambda t: t.replace("STEP\t\t=  0.02", "STEP\t\t=  0"), "where its points are"),
        (lambda t: t.replace("119.6,", "...,"), "contradicts the format"),
        (lambda t: t[: t.index("3, 4")], "without *END"),
        (lambda t: t.replace("*END\n\n*BEGIN", "*BEGIN"), "without *END"),
        (lambda t: t[: t.rindex("*BEGIN")], "1 of the 2 groups"),
    ],
)
def test_damage_is_refused(tmp_path: Path, change, words: str) -> None:
    with pytest.raises(PeakwiseError) as caught:
        read(asc(tmp_path, change(HEAD + GROUPS)))
    assert words in str(caught.value)
