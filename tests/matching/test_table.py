"""The line table: its cache, its rows against a plain loop, and phases that have too many lines."""

import math
from dataclasses import replace

import numpy as np
import pytest

from matched import SYSTEMS
from peakwise.crystal import TEXTBOOK, Phase, Source
from peakwise.errors import PhaseError
from peakwise.matching import LineTable, content_key
from peakwise.patterns import Radiation

LIGHT = Radiation.named("CuKa")
SOME = [TEXTBOOK[n] for n in ("Si", "ZnO", "albite", "CaCO3-calcite", "Fe3C", "LaB6", "gypsum", "Cu")]
HUGE = Phase.from_parameters("huge", "P-1", (91, 94, 98, 84, 97, 103), [("Na", (0.27, 0.99, 0.15))])
D_MIN = 0.95


def same(one, other):
    assert one.offsets.tolist() == other.offsets.tolist()
    np.testing.assert_array_equal(one.s2, other.s2)
    np.testing.assert_array_equal(one.power, other.power)
    return one.d_min == other.d_min


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path))
    return tmp_path


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_lines_are_those_of_the_phases_but_for_the_faintest():
    table = LineTable.build(SOME, LIGHT, D_MIN, cache=False, threads=1)
    assert table.failed == ()
    for i, phase in enumerate(SOME):
        found = phase.reflections(D_MIN)
        strength = phase.intensities(LIGHT, D_MIN) / (phase.mass * phase.volume)
        part = slice(table.offsets[i], table.offsets[i + 1])
        kept = np.isin(found.s2.astype(np.float32), table.s2[part])
        np.testing.assert_allclose(table.s2[part], found.s2[kept], rtol=1e-6)
        np.testing.assert_allclose(table.power[part], strength[kept], rtol=1e-5)
        seen = strength / found.s2
        assert seen[~kept].sum() <= 1.001e-3 * seen.sum()
        assert 1 / (2 * np.sqrt(table.s2[part].max())) >= D_MIN * (1 - 1e-6)


def test_one_thread_or_two_and_with_or_without_a_cache(cache):
    one = LineTable.build(SOME * 6, LIGHT, D_MIN, threads=1, cache=False)
    assert files(cache) == []
    assert same(one, LineTable.build(SOME * 6, LIGHT, D_MIN, threads=2, cache=False))
    rows = [one.rows(20.0, 0.05, 1200, LIGHT.wavelength, 0.3, 0.7, threads) for threads in (1, 2)]
    np.testing.assert_array_equal(*rows)


def test_the_cache_gives_the_same_table(cache, monkeypatch):
    made = LineTable.build(SOME, LIGHT, D_MIN, threads=1)
    assert len(files(cache)) == 1
    with monkeypatch.context() as patch:
        patch.setattr("peakwise.matching._table._one", lambda *_: pytest.fail("computed again"))
        assert same(made, LineTable.build(SOME, LIGHT, D_MIN, threads=1))
    other = [
        (SOME[:-1], LIGHT, D_MIN), (SOME[::-1], LIGHT, D_MIN), (SOME, LIGHT, D_MIN + 0.01),
        (SOME, Radiation(1.54), D_MIN),
        (SOME, Radiation(LIGHT.wavelength, probe="neutron"), D_MIN),
        ([replace(SOME[0], cell=(5.5, 5.5, 5.5, 90, 90, 90)), *SOME[1:]], LIGHT, D_MIN),
        ([SOME[0].renamed("other"), *SOME[1:]], LIGHT, D_MIN),
    ]  # fmt: skip
    for n, (phases, light, d_min) in enumerate(other, start=2):
        LineTable.build(phases, light, d_min, threads=1)
        assert len(files(cache)) == n


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, None, "folder", "flip"])
def test_a_damaged_cache_is_made_anew(cache, damage):
    made = LineTable.build(SOME, LIGHT, D_MIN, threads=1)
    (path,) = files(cache)
    data = path.read_bytes()
    if damage is None:
        path.write_bytes(data[: len(data) // 2])
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    elif damage == "flip":
        path.write_bytes(data[:-5] + bytes([data[-5] ^ 255]) + data[-4:])
    else:
        path.write_bytes(damage)
    assert same(made, LineTable.build(SOME, LIGHT, D_MIN, threads=1))
    if damage != "folder":
        assert path.read_bytes() == data


def test_no_place_for_a_cache_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path / "file" / "cache"))
    assert same(
        LineTable.build(SOME, LIGHT, D_MIN, threads=1), LineTable.build(SOME, LIGHT, D_MIN, threads=1, cache=False)
    )


def test_phases_with_too_many_lines_are_told(cache):
    seen = []
    table = LineTable.build(
        [SOME[0], HUGE, SOME[1]], LIGHT, D_MIN, threads=1, progress=lambda done, of: seen.append((done, of))
    )
    assert np.diff(table.offsets)[1] == 0
    assert np.diff(table.offsets)[2] > 5
    assert [type(f) for f in table.failed] == [PhaseError]
    assert "huge" in str(table.failed[0])
    assert "cannot list its lines" in str(table.failed[0])
    assert files(cache) == []
    assert seen[-1] == (3, 3)
    rows = table.rows(20.0, 0.05, 1200, LIGHT.wavelength, 0.3, 0.7, 1)
    assert not rows[1].any()


def test_content_is_order_names_and_structures():
    assert content_key(SOME) == content_key(list(SOME))
    keys = {
        content_key(SOME),
        content_key(SOME[1:]),
        content_key(SOME[::-1]),
        content_key([SOME[0].renamed("x"), *SOME[1:]]),
    }
    assert len(keys) == 4
    filed = replace(SOME[0], source=Source("a.cif", "0" * 64))
    assert content_key([filed]) != content_key([replace(filed, cell=(5.5, 5.5, 5.5, 90, 90, 90))])
    assert content_key([]) != content_key(SOME)


@pytest.mark.parametrize(("power", "polarisation"), [(1.0, 1.0), (0.7, 1.0), (0.7, 0.0)])
def test_rows_are_those_of_a_plain_loop(power, polarisation):
    phases = list(SYSTEMS.values())
    table = LineTable.build(phases, LIGHT, 1.0, threads=1, cache=False)
    x0, step, n, fwhm, lam = 21.3, 0.04, 1100, 0.31, LIGHT.wavelength
    rows = table.rows(x0, step, n, lam, fwhm, power, 1, polarisation)
    x = x0 + step * np.arange(n)
    for i in range(len(phases)):
        wanted = np.zeros(n)
        for k in range(table.offsets[i], table.offsets[i + 1]):
            sine = math.sqrt(table.s2[k]) * lam
            if sine >= 1:
                continue
            theta = math.asin(sine)
            lp = (1 + polarisation * math.cos(2 * theta) ** 2) / (math.sin(theta) ** 2 * math.cos(theta))
            wanted += table.power[k] * lp * np.exp(-4 * math.log(2) * ((x - math.degrees(2 * theta)) / fwhm) ** 2)
        wanted **= power
        wanted /= np.linalg.norm(wanted)
        # Each line is cut at 1.5 FWHM, where 0.2 % of its height is left (1.3 % after the root).
        assert abs(rows[i] - wanted).max() < 0.02 * wanted.max()
        assert rows[i] @ wanted == pytest.approx(1, abs=1e-3)
        assert np.linalg.norm(rows[i]) == pytest.approx(1, abs=1e-5)


def test_rows_of_phases_without_a_line_are_zero():
    table = LineTable.build([TEXTBOOK["Cu"], TEXTBOOK["albite"]], LIGHT, D_MIN, threads=1, cache=False)
    rows = table.rows(20.0, 0.05, 200, LIGHT.wavelength, 0.3, 0.7, 1)
    assert not rows[0].any()
    assert rows[1].any()
