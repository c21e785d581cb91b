"""`peakwise simulate` in a shell."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import peakwise
from crystal.structures import CIFS
from peakwise.cli import main

GRID = ("--grid", 20, 60, 801)


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([*map(str, args)])
    out = capsys.readouterr()
    return ended.value.code, out.out, out.err


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "cifs"
    place.mkdir()
    (place / "rutile.cif").write_text(CIFS["rutile"])
    (place / "zincite.cif").write_text(CIFS["zincite"])
    return place


def test_ideal_patterns_are_written_with_their_names(capsys, folder, tmp_path):
    out = tmp_path / "ideal.nc"
    code, text, _ = run(capsys, "simulate", folder, "--ideal", "-o", out, *GRID, "--wavelength", "CuKa1", "--json")
    document = json.loads(text)
    assert code == 0
    assert document["command"] == "simulate"
    assert (document["failed"], document["warnings"]) == ([], [])
    row = {k: document[k] for k in ("output", "patterns", "points", "axis", "start", "stop", "wavelength", "phases")}
    assert row == {
        "output": str(out),
        "patterns": 2,
        "points": 801,
        "axis": "two_theta",
        "start": 20.0,
        "stop": 60.0,
        "wavelength": 1.5405929,
        "phases": 2,
    }
    scans = peakwise.read(out)
    assert scans.names.tolist() == ["rutile", "zincite"]
    assert scans.wavelength == 1.5405929
    np.testing.assert_allclose(scans.axis, np.linspace(20, 60, 801))
    # 110 of rutile: d = 4.5937 / sqrt 2
    at = 2 * math.degrees(math.asin(1.5405929 / 2 / (4.5937 / math.sqrt(2))))
    assert scans.axis[scans.intensity[0].argmax()] == pytest.approx(at, abs=0.03)


def test_drawn_mixtures_are_written_with_their_labels(capsys, folder, tmp_path):
    out = tmp_path / "train.nc"
    code, text, _ = run(
        capsys,
        "simulate",
        folder,
        "--n",
        20,
        "--mixtures",
        2,
        "-o",
        out,
        *GRID,
        "--wavelength",
        "CuKa",
        "--seed",
        3,
        "--json",
    )
    assert code == 0
    assert json.loads(text)["patterns"] == 20
    scans = peakwise.read(out)
    assert (len(scans), scans.unit) == (20, "counts")
    for names, weights in zip(scans.meta["phases"], scans.meta["weight_fractions"], strict=True):
        assert set(names.split(";")) <= {"rutile", "zincite"}
        assert sum(map(float, weights.split(";"))) == pytest.approx(1.0, abs=1e-5)
    assert {n.count(";") for n in scans.meta["phases"]} == {0, 1}
    np.testing.assert_array_equal(scans.intensity, np.floor(scans.intensity))


def test_the_seed_decides_and_threads_do_not(capsys, folder, tmp_path):
    made = {}
    for name, more in (("a", ("--seed", 1)), ("b", ("--seed", 1, "--threads", 2)), ("c", ("--seed", 2))):
        out = tmp_path / f"{name}.nc"
        assert run(capsys, "simulate", folder, "--n", 40, "-o", out, *GRID, "--wavelength", "CuKa", *more)[0] == 0
        made[name] = peakwise.read(out).intensity
    np.testing.assert_array_equal(made["a"], made["b"])
    assert (made["a"] != made["c"]).mean() > 0.3


def test_the_command_makes_what_the_library_makes(capsys, folder, tmp_path):
    from peakwise.crystal import PhaseLibrary
    from peakwise.simulate import Simulator

    out = tmp_path / "x.nc"
    run(capsys, "simulate", folder, "--n", 6, "-o", out, *GRID, "--wavelength", "CuKa", "--seed", 9)
    same = Simulator(PhaseLibrary.from_folder([str(folder)]), (20, 60, 801), radiation="CuKa", random_state=9).draw(6)
    np.testing.assert_array_equal(peakwise.read(out).intensity, same.intensity)


def test_files_that_cannot_be_used_are_listed(capsys, folder, tmp_path):
    (folder / "broken.cif").write_text("data_x\n")
    (folder / "empty.cif").write_text("")
    out = tmp_path / "x.nc"
    code, text, err = run(capsys, "simulate", folder, "--ideal", "-o", out, *GRID, "--wavelength", "CuKa", "--json")
    document = json.loads(text)
    assert code == 0
    assert sorted(f["file"] for f in document["failed"]) == [str(folder / "broken.cif"), str(folder / "empty.cif")]
    assert all(f["why"] for f in document["failed"])
    assert document["phases"] == 2
    assert err.count("left out") == 2


def test_a_default_wavelength_is_said(capsys, folder, tmp_path):
    out = tmp_path / "x.nc"
    _, text, _ = run(capsys, "simulate", folder, "--ideal", "-o", out, *GRID, "--json")
    document = json.loads(text)
    assert any("CuKa" in w and "assumed" in w for w in document["warnings"])
    assert document["wavelength"] == pytest.approx(1.54187, abs=1e-5)
    _, text, err = run(capsys, "simulate", folder, "--ideal", "-o", out, *GRID)
    assert "assumed" in err
    assert "two_theta" in text


@pytest.mark.parametrize(
    ("name", "wavelength", "stored"),
    [("synchrotron", "0.4828", 0.4828), ("neutron", "1.8", 1.8), ("lab_bragg_brentano", "MoKa1", 0.70931715)],
)
def test_instruments(capsys, folder, tmp_path, name, wavelength, stored):
    out = tmp_path / "x.nc"
    code, text, _ = run(
        capsys,
        "simulate",
        folder,
        "--n",
        3,
        "-o",
        out,
        "--grid",
        5,
        50,
        500,
        "--instrument",
        name,
        "--wavelength",
        wavelength,
        "--json",
    )
    assert code == 0
    assert json.loads(text)["wavelength"] == stored


def test_a_q_grid(capsys, folder, tmp_path):
    out = tmp_path / "x.nc"
    code, text, _ = run(
        capsys,
        "simulate",
        folder,
        "--ideal",
        "-o",
        out,
        "--grid",
        1,
        6,
        500,
        "--axis",
        "q",
        "--wavelength",
        "0.4828",
        "--json",
    )
    assert code == 0
    assert json.loads(text)["axis"] == "q"
    assert peakwise.read(out).kind == "q"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--wavelength", "CuKq"), "unknown wavelength"),
        (("--wavelength", "15.4e9"), "a wavelength must lie within"),
        (("--grid", 60, 20, 100), "start < stop"),
        (("--grid", 0, 60, 100), "within 0 and 180"),
        (("--grid", 20, 200, 100), "within 0 and 180"),
        (("--mixtures", 3), "mixtures of 3 phases need as many, got 2"),
        (("--n", 0), "0 is not in the range"),
        (("--axis", "d"), "d"),
        (("--instrument", "microscope"), "microscope"),
        (("--wavelength", "0.4828", "--grid", 5, 30), "grid"),
    ],
    ids=str,
)
def test_mistakes_are_one_sentence_and_no_traceback(capsys, folder, tmp_path, args, why):
    out = tmp_path / "x.nc"
    code, text, err = run(capsys, "simulate", folder, "-o", out, "--n", 3, "--wavelength", "CuKa", *args)
    assert code not in (0, None)
    assert why in err
    assert "Traceback" not in err
    assert not text
    assert not out.exists()


def test_nothing_usable_is_one_sentence(capsys, tmp_path):
    (tmp_path / "broken.cif").write_text("data_x\n")
    out = tmp_path / "x.nc"
    for place in (tmp_path / "broken.cif", tmp_path / "nowhere", tmp_path / "*.zzz"):
        code, text, err = run(capsys, "simulate", place, "-o", out, "--ideal")
        assert code not in (0, None)
        assert not text
        assert "Traceback" not in err
        assert len(err.strip().splitlines()) == 1


def test_a_place_that_cannot_be_written_is_one_sentence(capsys, folder, tmp_path):
    code, _, err = run(
        capsys, "simulate", folder, "--ideal", "-o", tmp_path / "no" / "where" / "x.nc", *GRID, "--wavelength", "CuKa"
    )
    assert code not in (0, None)
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_quiet_says_nothing(capsys, folder, tmp_path):
    code, text, err = run(
        capsys, "simulate", folder, "--ideal", "-o", tmp_path / "x.nc", *GRID, "--wavelength", "CuKa", "--quiet"
    )
    assert (code, text, err) == (0, "", "")
