"""The report of what is new in a real browser: it asks for nothing, and what can be pressed does what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from journeys.planes import picture, place, tip
from peakwise.report import add_map
from report.novelty import EXTRA, N_KNOWN, PHASES, WAVELENGTH, answers, drawn, points

LATENT = "figure[data-kind=latent]"


@pytest.fixture(scope="module")
def whole():
    return drawn(answers())


def test_hover_tells_of_the_scan_and_shows_its_pattern(visit, whole):
    page = visit(whole)
    page.locator(LATENT).scroll_into_view_if_needed()
    for i in (0, 1, 3, 4, 20):
        scan = whole["scans"][i]
        page.mouse.move(*place(page, LATENT, *whole["map"]["asked"][i]))
        told = tip(page, LATENT)
        assert told["scan"] == scan["scan"]
        kind = "new" if scan["novel"] else "explained" if scan["explained_by"] else "known"
        assert told["answer"].startswith(kind)
        assert float(told["score"].split(" ")[0].replace("−", "-")) == pytest.approx(scan["score"], abs=0.01)
        assert told["nearest"] == PHASES[i % 3]
        assert page.locator(f"{LATENT} .tip .mini canvas").count() == 1
        # The little picture is drawn, and its scan in black and what is known in blue.
        inks = page.locator(f"{LATENT} .tip .mini canvas").evaluate(
            "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let dark = 0, blue = 0;"
            "for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) { if (d[i + 2] > 120 && d[i] < 60) blue++;"
            "else if (d[i + 2] < 60 && d[i] < 60) dark++; } return [dark, blue]; }"
        )
        assert min(inks) > 20
    k = 7
    page.mouse.move(*place(page, LATENT, *whole["map"]["known"][k]))
    assert tip(page, LATENT).get("known scan") == PHASES[k % 3] or "scan" in tip(page, LATENT)


def test_a_button_leads_from_a_scan_to_its_place_and_a_click_leads_back(visit, whole):
    page = visit(whole)
    page.locator("#scan-2 button.on-map").click()
    assert tip(page, LATENT)["scan"] == "run/scan_00001.xy"
    page.mouse.click(*place(page, LATENT, *whole["map"]["asked"][2]))
    page.wait_for_timeout(100)
    assert page.evaluate("location.hash") == "#scan-3"
    row = page.locator("#overview tr", has_text="scan_00030.xy")
    row.click()
    assert tip(page, LATENT)["scan"] == "run/scan_00030.xy"


def test_every_colour_changes_the_picture_and_back(visit, whole):
    page = visit(whole)
    first = picture(page, LATENT)
    menu = page.locator(f"{LATENT} select[data-menu='colour by']")
    options = menu.locator("option").evaluate_all("all => all.map(o => [o.value, o.textContent])")
    assert {"answer", "nearest phase", "score", "position of the strongest peak", "temperature", "operator",
            "error of the reconstruction", "cluster", "mixing ratio", "p-value"} <= {t for _, t in options}  # fmt: skip
    seen = {}
    for value, title in options:
        menu.select_option(value)
        seen.setdefault(picture(page, LATENT), []).append(title)
    # Clusters are the phases here: the same colours, another key.
    assert all(len(titles) == 1 for titles in seen.values()), [t for t in seen.values() if len(t) > 1]
    menu.select_option("group")
    assert picture(page, LATENT) == first


def test_against_score_the_new_ones_are_above_the_line(visit, whole):
    page = visit(whole)
    page.locator(f"{LATENT} [data-value=score]").click()
    page.locator(LATENT).scroll_into_view_if_needed()
    scan = whole["scans"][0]
    page.mouse.move(*place(page, LATENT, whole["map"]["asked"][0][0], scan["score"]))
    assert tip(page, LATENT)["scan"] == scan["scan"]


def test_library_over_places_and_over_any_three_elements(visit, whole):
    page = visit(whole)
    figure = "figure[data-kind=library]"
    menu = page.locator(f"{figure} select[data-menu=over]")
    assert [o.text_content() for o in menu.locator("option").all()] == [
        "place in the sample", "Fe-Pd-Ga", "Fe-Pd-Co", "Fe-Ga-Co", "Pd-Ga-Co",
    ]  # fmt: skip
    page.locator(figure).scroll_into_view_if_needed()
    page.mouse.move(*place(page, figure, *whole["map"]["positions"][9]))
    assert tip(page, figure)["scan"] == "run/scan_00009.xy"
    menu.select_option("0,2,3")
    fe, ga, co = (whole["map"]["compositions"][e] for e in ("Fe", "Ga", "Co"))
    i = int(np.argmax(co / (fe + ga + co)))
    total = fe[i] + ga[i] + co[i]
    # Barycentric: the corners are (0, 0), (1, 0) and (1/2, sqrt(3)/2).
    at = ((ga[i] + co[i] / 2) / total, co[i] / total * math.sqrt(3) / 2)
    page.mouse.move(*place(page, figure, *at))
    told = tip(page, figure)
    assert told["scan"] == f"run/scan_{i:05d}.xy"
    assert told["composition"].startswith("Fe ")


def test_unexplained_peaks_are_found_in_the_figure(visit, whole):
    page = visit(whole)
    page.locator("#scan-1 button.go", has_text="37.25").click()
    told = tip(page, "#scan-1 figure.plot")
    assert float(told["2θ"].split()[0]) == pytest.approx(EXTRA, abs=0.07)
    assert float(told["d"].split()[0]) == pytest.approx(WAVELENGTH / 2 / math.sin(math.radians(EXTRA / 2)), rel=2e-3)
    assert told["peak"] == "1, unexplained"


def test_filters_search_and_order(visit, whole):
    page = visit(whole)
    shown = "#overview tbody tr:not([hidden])"
    page.locator("#overview button.filter[data-verdict=explained]").click()
    assert page.locator(shown).count() == 2
    assert page.locator("main details:visible").count() == 2
    page.locator("#overview button.filter[data-verdict='']").click()
    page.locator("#overview input").fill("scan_0001")
    assert page.locator(shown).count() == 10
    page.locator("#overview input").fill("")
    page.locator("#overview thead button", has_text="score").click()
    scores = page.locator(f"{shown} td:nth-child(4)").evaluate_all("all => all.map(c => Number(c.dataset.sort))")
    assert scores == sorted(s["score"] for s in whole["scans"])
    page.locator("#open-all").click()
    assert page.locator("main details[open]").count() == 5


def test_zoom_and_all_again(visit, whole):
    page = visit(whole)
    first = picture(page, LATENT)
    page.locator(LATENT).scroll_into_view_if_needed()
    a, b = place(page, LATENT, -1, -1), place(page, LATENT, 1, 1)
    page.mouse.move(*a)
    page.mouse.down()
    page.mouse.move(*b, steps=4)
    page.mouse.up()
    x0, x1, y0, y1 = map(float, page.locator(LATENT).get_attribute("data-view").split())
    assert (x0, x1, y0, y1) == pytest.approx((-1, 1, -1, 1), abs=0.05)
    page.locator(f"{LATENT} button", has_text="reset").click()
    page.mouse.move(0, 0)
    assert picture(page, LATENT) == first


def test_keys_go_from_scan_to_scan(visit, whole):
    page = visit(whole)
    page.locator(f"{LATENT} .box").focus()
    page.keyboard.press("ArrowRight")
    assert tip(page, LATENT)["scan"] == "run/scan_00000.xy"
    page.keyboard.press("ArrowRight")
    assert tip(page, LATENT)["scan"] == "run/scan_00001.xy"
    assert "scan_00001" in page.locator(f"{LATENT} .said").text_content()


def test_dark_and_print_are_drawn_again(visit, whole):
    page = visit(whole)
    light = picture(page, LATENT)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert picture(page, LATENT) != light
    page.emulate_media(color_scheme="light")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(f"{LATENT} canvas.curves").evaluate("c => c.width / c.clientWidth") == pytest.approx(
        2, abs=0.02
    )
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert picture(page, LATENT) == light


@pytest.mark.parametrize("width", [360, 800])
def test_narrow_screens_do_not_scroll_sideways(visit, whole, width):
    page = visit(whole)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_hundred_thousand_points_stay_smooth(visit):
    """Every map of 100,000 scans is drawn in less than 100 ms, pixels included."""
    n = 100_000
    told = answers(n, 5)
    rng = np.random.default_rng(0)
    amounts = rng.dirichlet([1, 1, 1], n).T
    page = visit(
        add_map(
            told, points(n), points(N_KNOWN), known_names=[PHASES[i % 3] for i in range(N_KNOWN)],
            known_scores=rng.normal(0, 1, N_KNOWN), compositions=dict(zip(("Fe", "Pd", "Ga"), amounts, strict=True)),
            positions=rng.random((n, 2)), mixing=rng.random(n), errors=rng.random(n),
        )
    )  # fmt: skip
    for kind in ("latent", "library", "violin", "mixing"):
        figure = f"figure[data-kind={kind}]"
        assert page.locator(figure).get_attribute("data-drawn") == "tiles"
        # Copied to a canvas of memory, so that what was put off is done within the time.
        times = page.locator(figure).evaluate(
            "figure => { const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });"
            "const reset = [...figure.querySelectorAll('button')].find(b => b.textContent === 'reset');"
            "return Array.from({ length: 5 }, () => { const start = performance.now(); reset.click();"
            "probe.drawImage(figure.querySelector('canvas.curves'), 0, 0); probe.getImageData(9, 9, 1, 1);"
            "return performance.now() - start; }); }"
        )
        assert sorted(times)[2] < 100, (kind, times)
    # A part with few points shows them one by one, and finding the nearest takes no longer than a frame.
    page.locator(LATENT).scroll_into_view_if_needed()
    a, b = place(page, LATENT, 3.9, 0.9), place(page, LATENT, 4.05, 1.05)
    page.mouse.move(*a)
    page.mouse.down()
    page.mouse.move(*b, steps=3)
    page.mouse.up()
    assert page.locator(LATENT).get_attribute("data-drawn") == "points"


def test_least_answers_open(visit):
    visit({"command": "novelty", "scans": []})
    visit({"command": "novelty", "scans": [{"scan": "a.xy", "score": 1.0, "novel": True}]})
    told = answers(6)
    visit(add_map(told, points(6)))
    visit(add_map(told, np.full((6, 2), np.nan), mixing=np.full(6, np.nan), positions=np.zeros((6, 2))))
    gaps = np.full((6, 30), np.nan)
    gaps[1:, :9] = 1.0
    visit(
        add_map(told, points(6), points(9), axis=np.arange(30.0), patterns=gaps, reconstructions=-gaps, kind="energy")
    )
