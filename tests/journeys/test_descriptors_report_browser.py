"""The report of descriptors in a real browser: it asks for nothing, and what can be pressed does what it says."""

from __future__ import annotations

import numpy as np
import pytest

from journeys.planes import picture, place, tip
from report.descriptors import TARGETS, answers, drawn

EXPLORE = "figure[data-kind=explore]"


@pytest.fixture(scope="module")
def whole():
    return drawn(answers())


def test_hover_shows_the_scan_with_all_its_numbers_and_its_pattern(visit, whole):
    page = visit(whole)
    page.locator(EXPLORE).scroll_into_view_if_needed()
    for i in (1, 3, 20):
        scan = whole["scans"][i]
        page.mouse.move(*place(page, EXPLORE, scan["truth"]["fcc"], scan["values"]["fcc"]))
        told = tip(page, EXPLORE)
        assert told["scan"] == scan["scan"]
        for name in TARGETS:
            value = float(told[name].split(" ")[0].replace("−", "-").replace("·10⁻⁴", "e-4"))
            assert value == pytest.approx(scan["values"][name], rel=0.05, abs=2e-3)
        assert ("domain" in told) == (not scan["in_domain"])
        assert page.locator(f"{EXPLORE} .tip .mini canvas").count() == 1


def test_residuals_against_another_descriptor(visit, whole):
    page = visit(whole)
    page.locator(f"{EXPLORE} [data-value=residual]").click()
    page.locator(f"{EXPLORE} select[data-menu=descriptor]").select_option("3")
    page.locator(f"{EXPLORE} select[data-menu=against]").select_option("truth0")
    page.locator(EXPLORE).scroll_into_view_if_needed()
    off = [s["values"]["stress"] - s["truth"]["stress"] for s in whole["scans"]]
    i = int(np.argmax(np.abs(off)))
    page.mouse.move(*place(page, EXPLORE, whole["scans"][i]["truth"]["fcc"], off[i]))
    assert tip(page, EXPLORE)["scan"] == whole["scans"][i]["scan"]


def test_small_figures_show_every_descriptor(visit, whole):
    page = visit(whole)
    figures = page.locator("figure[data-kind=small]")
    assert figures.count() == len(TARGETS)
    figure = "figure[data-kind=small][data-target='3']"
    page.locator(figure).scroll_into_view_if_needed()
    scan = whole["scans"][5]
    page.mouse.move(*place(page, figure, scan["truth"]["stress"], scan["values"]["stress"]))
    assert next(iter(tip(page, figure).values())) == scan["scan"]


def test_charts_change_with_the_descriptor(visit, whole):
    page = visit(whole)
    figure = "#chart-0 figure"
    first = picture(page, figure)
    page.locator(f"{figure} select[data-menu=descriptor]").select_option("1")
    assert picture(page, figure) != first
    page.locator(f"{figure} select[data-menu=descriptor]").select_option("0")
    assert picture(page, figure) == first
    series = whole["charts"][0]["panels"]["fcc"][2]
    page.locator(figure).scroll_into_view_if_needed()
    page.mouse.move(*place(page, figure, 2, series["y"][4]))
    assert "hybrid" in " ".join(tip(page, figure).values())


def test_a_row_leads_to_its_point_and_a_heading_sorts(visit, whole):
    page = visit(whole)
    page.locator("#overview tr", has_text="cell_0030.xy").click()
    assert tip(page, EXPLORE)["scan"] == "run/cell_0030.xy"
    page.locator("#overview thead button", has_text="stress").click()
    cells = page.locator("#overview tbody tr td:nth-child(7)").evaluate_all(
        "all => all.map(c => Number(c.dataset.sort))"
    )
    assert cells == sorted(s["values"]["stress"] for s in whole["scans"])
    page.locator("#overview button.filter[data-verdict=outside]").click()
    assert page.locator("#overview tbody tr:not([hidden])").count() == 2


def test_panels_show_pattern_and_numbers(visit):
    page = visit(drawn(answers(6, has_truth=False, outside=(2,)), charts=False))
    page.locator("#scan-3 summary").click()
    figure = "#scan-3 figure[data-kind=pattern]"
    page.locator(f"{figure} .box").wait_for()
    page.locator(figure).scroll_into_view_if_needed()
    box = page.locator(f"{figure} .box").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    assert "intensity" in tip(page, figure)
    assert page.locator("#scan-3 svg.range").count() == len(TARGETS)


def test_dark_and_narrow(visit, whole):
    page = visit(whole)
    light = picture(page, EXPLORE)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert picture(page, EXPLORE) != light
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_least_answers_open(visit):
    visit({"command": "regress", "targets": ["a"], "scans": []})
    visit({"command": "regress", "targets": ["a"], "scans": [{"scan": "x", "values": {"a": None}}]})
    rows = [{"scan": str(k), "values": {"a": float("nan")}, "truth": {"a": 1.0}} for k in range(3)]
    visit({"command": "regress", "targets": ["a"], "scans": rows})
    visit(drawn(answers(1), charts=True))
