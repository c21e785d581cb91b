"""The report of a series in a real browser: it asks for nothing, and what can be pressed does what it says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from peakwise.report import add_series
from report.series import AXIS, WAVELENGTH, clusters, rows, transitions

KIND = {"kind": "two_theta", "unit": "deg", "wavelength": WAVELENGTH, "intensity_unit": "counts"}
X = rows(60, (19, 39))


@pytest.fixture(scope="module")
def whole():
    return add_series(transitions(60, (19, 39)), AXIS, X, **KIND)


def tip(page, figure="figure[data-kind=series]"):
    pairs = page.locator(f"{figure} .tip:not([hidden]) div").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )
    return dict(pairs)


def picture(page, figure="figure[data-kind=series]"):
    return page.locator(f"{figure} canvas.curves").first.evaluate("c => c.toDataURL()")


def number(text):
    return float(text.split()[0].replace("\u2009", "").replace("−", "-"))


def test_hover_tells_pattern_state_value_position_and_intensity(visit, whole):
    page = visit(whole)
    box = page.locator("figure[data-kind=series] .box").first.bounding_box()
    seen = set()
    for share in (0.15, 0.4, 0.6, 0.85):
        page.mouse.move(box["x"] + 300, box["y"] + 40 + share * (box["height"] - 90))
        told = tip(page)
        i, name = told["pattern"].split("  ")
        i = int(i) - 1
        assert name == f"scan_{i:04d}.xy"
        assert number(told["temperature"]) == 100 + 2 * i
        assert told["state"] == f"state {i // 20}"
        assert told["probability"] == "0.998"
        k = int(np.abs(AXIS - number(told["2θ"])).argmin())
        assert number(told["2θ"]) == pytest.approx(AXIS[k], abs=6e-4)
        assert number(told["d"]) == pytest.approx(WAVELENGTH / 2 / np.sin(np.radians(AXIS[k] / 2)), abs=6e-5)
        assert number(told["intensity"]) == pytest.approx(X[i, k], rel=1e-3)
        seen.add(i // 20)
    assert seen == {0, 1, 2}


def test_the_first_pattern_is_at_the_bottom_and_keys_move(visit, whole):
    page = visit(whole)
    box = page.locator("figure[data-kind=series] .box").first
    place = box.bounding_box()
    page.mouse.move(place["x"] + 300, place["y"] + place["height"] - 45)
    assert tip(page)["pattern"].startswith("1  ")
    box.focus()
    page.keyboard.press("ArrowUp")
    assert tip(page)["pattern"].startswith("2  ")
    before = tip(page)["2θ"]
    page.keyboard.press("ArrowRight")
    assert number(tip(page)["2θ"]) > number(before)
    assert "pattern 2" in page.locator("figure[data-kind=series] .said").text_content()


def test_every_choice_changes_the_picture_and_back(visit, whole):
    page = visit(whole)
    first = picture(page)
    seen = {first}
    for value in ("linear", "log", "change", "waterfall", "q", "d"):
        page.locator(f'figure[data-kind=series] [data-value="{value}"]').click()
        assert picture(page) not in seen, value
        seen.add(picture(page))
    for value in ("sqrt", "intensity", "map", "two_theta"):
        page.locator(f'figure[data-kind=series] [data-value="{value}"]').click()
    assert picture(page) == first


def test_drag_zooms_to_patterns_and_positions_and_double_click_shows_all(visit, whole):
    page = visit(whole)
    first = picture(page)
    place = page.locator("figure[data-kind=series] .box").first.bounding_box()
    x, y = place["x"] + 250, place["y"] + 150
    page.mouse.move(x, y)
    start = tip(page)
    page.mouse.down()
    page.mouse.move(x + 200, y + 200, steps=4)
    page.mouse.up()
    assert picture(page) != first
    page.mouse.move(place["x"] + 120, place["y"] + 33)
    corner = tip(page)
    assert number(corner["2θ"]) == pytest.approx(number(start["2θ"]), abs=0.5)
    assert abs(int(corner["pattern"].split()[0]) - int(start["pattern"].split()[0])) <= 1
    page.mouse.dblclick(x, y)
    page.mouse.move(0, 0)
    assert picture(page) == first


def test_numbers_in_tables_lead_to_their_place(visit, whole):
    page = visit(whole)
    page.locator("button.go", has_text=re.compile(r"^40 \| 41$")).click()
    assert tip(page)["pattern"].startswith("40  ")
    page.locator("#boundary-2 button.go", has_text="22.000").click()
    told = tip(page, "#boundary-2 figure")
    assert number(told["2θ"]) == pytest.approx(22, abs=0.03)
    assert told["peak"] == "2, new"
    assert number(told["change"]) == pytest.approx(X[40:60].mean(0)[480] - X[20:40].mean(0)[480], rel=0.02)


def test_a_point_of_the_map_shows_its_pattern(visit, whole):
    page = visit(whole)
    box = page.locator("figure[data-kind=points] .box")
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    found = None
    for fx in np.linspace(0.06, 0.96, 46):
        for fy in np.linspace(0.04, 0.92, 30):
            page.mouse.move(place["x"] + fx * place["width"], place["y"] + fy * place["height"])
            found = tip(page, "figure[data-kind=points]")
            if found:
                break
        if found:
            break
    i = int(found["pattern"].split()[0]) - 1
    assert found["state"] == str(i // 20)
    page.mouse.down()
    page.mouse.up()
    assert tip(page)["pattern"].startswith(f"{i + 1}  ")


@pytest.mark.parametrize("width", [360, 800])
def test_narrow_screens_do_not_scroll_sideways(visit, whole, width):
    page = visit(whole)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_print_are_drawn_again(visit, whole):
    page = visit(whole)
    light = picture(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert picture(page) != light
    page.emulate_media(color_scheme="light")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    width = page.locator("figure[data-kind=series] canvas.curves").first.evaluate("c => c.width / c.clientWidth")
    assert width == pytest.approx(2, abs=0.02)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert picture(page) == light


def test_groups_and_least_answers_open(visit):
    page = visit(add_series(clusters(), AXIS, rows(12), **KIND))
    place = page.locator("figure[data-kind=series] .box").first.bounding_box()
    page.mouse.move(place["x"] + 300, place["y"] + place["height"] - 45)
    assert tip(page)["group"] == "group 0"
    visit(transitions(60, ()))
    visit({"command": "transitions", "patterns": [], "boundaries": []})
    visit(add_series(transitions(2, (0,)), AXIS, rows(2, (0,)), **KIND))
    gaps = rows()
    gaps[:, 50:70] = np.nan
    gaps[4] = np.nan
    visit(add_series(transitions(), AXIS, gaps, **KIND))
    visit(add_series(transitions(), AXIS, np.zeros((60, 801)), kind="energy", unit="keV"))
