"""The report in a real browser: it asks for nothing, and everything that can be pressed does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from peakwise.report import write_identification_html
from report.answers import WAVELENGTH, document, lines, relevance, scan

WAIT = 20_000  # ms, for a busy machine


class Visit:
    """A page of its own, with all that it asked for and complained about."""

    def __init__(self, context, document, folder):
        self.path = Path(folder) / "report.html"
        write_identification_html(document, self.path)
        self.asked, self.said = [], []
        self.page = context.new_page()
        self.page.on("console", lambda m: self.said.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.said.append(f"error: {e}"))
        self.page.on("dialog", lambda d: (self.said.append(f"dialog: {d.message}"), d.dismiss()))
        self.page.route("**/*", self.route)
        self.page.goto(self.path.as_uri())

    def route(self, route):
        if route.request.url.partition("#")[0] == self.path.as_uri():
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def box(self, i=0):
        """The plot `i` once it is drawn."""
        box = self.page.locator("figure.plot .box").nth(i)
        box.wait_for()
        box.scroll_into_view_if_needed()
        return box

    def range(self):
        """The range of the horizontal axis, read where the crosshair goes at both ends."""
        place = self.box().bounding_box()
        ends = []
        for x in (place["x"] + 200, place["x"] + place["width"] - 40):
            self.page.mouse.move(x, place["y"] + 120)
            ends.append(self.tip()["2θ"])
        return ends

    def tip(self):
        rows = "rows => rows.map(r => [...r.children].map(c => c.textContent))"
        pairs = self.page.locator(".tip:not([hidden]) div").evaluate_all(rows)
        texts = ("reflection", "unexplained")
        return {k: v if k in texts else float(v.replace("\u2009", "").split()[0].replace("−", "-")) for k, v in pairs}

    def until(self, condition):
        """Wait for it by asking: the page's policy forbids playwright's own waiting, which uses eval."""
        for _ in range(WAIT // 50):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never came: {condition}")

    def picture(self):
        return self.page.locator("canvas.curves").first.evaluate("c => c.toDataURL()")


@pytest.fixture
def visit(browser, tmp_path):
    visits = []

    def go(document):
        visits.append(Visit(browser, document, tmp_path))
        return visits[-1]

    yield go
    for one in visits:
        assert one.asked == [], "the report asked for something"
        assert one.said == [], "the report complained"
        one.page.close()


@pytest.fixture(scope="module")
def two():
    one = scan({"anatase": 0.79, "rutile": 0.21}, strays=[(33.1, 0.2), (47.0, 0.1)])
    one["explanation"] = relevance(one)
    return one


def test_hover_tells_position_spacing_intensities_and_the_nearest_reflection(visit, two):
    there = visit(document(two))
    box = there.box().bounding_box()
    x, seen = np.array(two["curves"]["axis"]), None
    for k in range(60):  # across the plot until a reflection is near
        there.page.mouse.move(box["x"] + 150 + 15 * k, box["y"] + 150)
        tip = there.tip()
        i = int(np.abs(x - tip["2θ"]).argmin())
        assert tip["2θ"] == pytest.approx(x[i], abs=6e-4)
        assert tip["d"] == pytest.approx(WAVELENGTH / 2 / np.sin(np.radians(x[i] / 2)), abs=6e-5)
        assert tip["q"] == pytest.approx(4 * np.pi * np.sin(np.radians(x[i] / 2)) / WAVELENGTH, abs=6e-5)
        assert tip["observed"] == pytest.approx(two["curves"]["observed"][i], rel=1e-4)
        assert tip["calculated"] == pytest.approx(two["curves"]["calculated"][i], rel=1e-4, abs=0.51)
        seen = tip.get("reflection") or seen
    name, *hkl = re.fullmatch(r"(\w+) (\d) (\d) (\d) at ([\d.]+) °", seen).groups()
    places, _, indices = lines(name)
    assert (" ".join(hkl[:3]), float(hkl[3])) in [(h, round(p, 3)) for h, p in zip(indices, places, strict=True)]


def test_drag_zooms_and_double_click_shows_all(visit, two):
    there = visit(document(two))
    before, box = there.range(), there.box().bounding_box()
    y = box["y"] + 150
    there.page.mouse.move(box["x"] + 300, y)
    at = there.tip()["2θ"]
    there.page.mouse.down()
    there.page.mouse.move(box["x"] + 450, y, steps=5)
    there.page.mouse.up()
    zoomed = there.range()
    assert zoomed[1] - zoomed[0] < 0.25 * (before[1] - before[0])
    assert at - 1 < zoomed[0] < zoomed[1] < at + 20
    there.page.mouse.dblclick(box["x"] + 400, y)
    assert there.range() == pytest.approx(before, abs=0.05)


def test_the_wheel_scrolls_the_page_until_the_plot_is_chosen(visit, two):
    there = visit(document(two))
    before, box = there.range(), there.box().bounding_box()
    there.page.mouse.move(box["x"] + 500, box["y"] + 100)
    there.page.mouse.wheel(0, 40)
    there.until("scrollY > 0")
    there.page.evaluate("scrollTo(0, 0)")
    there.until("scrollY === 0")
    assert there.range() == before
    there.page.mouse.click(box["x"] + 500, box["y"] + 100)
    for _ in range(4):
        there.page.mouse.wheel(0, -100)
    there.page.wait_for_timeout(300)
    after = there.range()
    assert after[1] - after[0] < 0.5 * (before[1] - before[0])


def test_toggles_hide_what_they_name(visit, two):
    there = visit(document(two))
    there.box()
    pictures = {there.picture()}
    names = there.page.locator(".toggles label").all_inner_texts()
    assert names == ["observed", "calculated", "background", "anatase", "rutile", "observed − calculated"]
    for i in range(len(names)):
        there.page.locator(".toggles input").nth(i).uncheck()
        assert there.picture() not in pictures, f"{names[i]} is still drawn"
        pictures.add(there.picture())
    for i in range(len(names)):
        there.page.locator(".toggles input").nth(i).check()
    assert there.picture() in pictures  # as at the beginning


def test_scales_and_axes_switch(visit, two):
    there = visit(document(two))
    box = there.box().bounding_box()
    pictures = {there.picture()}
    for value in ("linear", "log", "q", "d"):
        button = there.page.locator(f'[data-value="{value}"]')
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert there.picture() not in pictures
        pictures.add(there.picture())
    ends = []
    for x in (220, box["width"] - 60):  # on an axis of d, large spacings are at the right
        there.page.mouse.move(box["x"] + x, box["y"] + 100)
        ends.append(there.tip()["d"])
    assert ends[0] < ends[1]
    there.page.locator('[data-value="two_theta"]').click()
    there.page.locator('[data-value="sqrt"]').click()
    assert there.picture() in pictures


def test_a_scan_without_wavelength_offers_what_can_be_converted(visit):
    one = scan({"rutile": 1.0}, n=301)
    one["curves"]["wavelength"] = None
    other = scan({"rutile": 1.0}, n=301)
    other["curves"].update(kind="q", unit="1/angstrom", wavelength=None)
    there = visit(document(one, other))
    there.box(0)
    there.box(1)
    choices = [
        f.locator("[data-choice=axis] button").all_inner_texts() for f in there.page.locator("figure.plot").all()
    ]
    assert choices == [[], ["q", "d"]]


def test_keys_move_zoom_and_find_what_is_unexplained(visit, two):
    there = visit(document(two))
    before = there.range()
    there.page.mouse.move(5, 5)
    there.box().focus()
    there.page.keyboard.press("u")
    assert there.tip()["2θ"] == pytest.approx(33.1, abs=0.02)
    assert there.tip()["unexplained"] == "peak 1"
    there.page.keyboard.press("u")
    assert there.tip()["2θ"] == pytest.approx(47.0, abs=0.02)
    at = there.tip()["2θ"]
    there.page.keyboard.press("ArrowRight")
    assert there.tip()["2θ"] == pytest.approx(at + 0.02, abs=0.011)
    assert f"{there.tip()['2θ']:.3f}" in there.page.locator(".said").text_content()
    there.page.keyboard.press("+")
    there.page.keyboard.press("Shift+ArrowLeft")
    there.page.keyboard.press("Escape")
    assert there.page.locator(".tip").is_hidden()
    there.page.keyboard.press("0")
    assert there.range() == pytest.approx(before, abs=0.05)


def test_a_row_of_unexplained_peaks_leads_into_the_plot(visit, two):
    there = visit(document(two))
    before = there.range()
    there.page.locator("button.go", has_text="47.000").click()
    assert there.tip()["2θ"] == pytest.approx(47.0, abs=0.02)
    after = there.range()
    assert after[0] < 47 < after[1]
    assert after[1] - after[0] < 0.2 * (before[1] - before[0])


@pytest.fixture(scope="module")
def many():
    scans = []
    for i in range(24):
        if i % 6 == 5:
            one = scan({}, name=f"s{i}.xy", n=301, none=0.9, strays=[(30, 0.5)])
        else:
            one = scan({"anatase": 1 - i / 30, "rutile": i / 30} if i else {"anatase": 1.0}, name=f"s{i}.xy", n=301,
                       probability=0.6 if i % 6 == 4 else 0.99 - i / 1000)  # fmt: skip
        scans.append(one)
    return document(*scans, failed=[{"file": "bad.txt", "why": "it holds 0 bytes"}])


def test_the_overview_sorts_filters_and_opens(visit, many):
    there = visit(many)
    rows = there.page.locator("#overview tbody tr:visible")
    names = lambda: there.page.locator("#overview tbody tr:visible th").all_inner_texts()  # noqa: E731
    given = [f"s{i}.xy" for i in range(24)]
    assert names() == given
    assert there.page.locator("figure.plot .box").count() == 0  # nothing is drawn before it is looked at

    head = there.page.get_by_role("button", name="scan", exact=True)
    head.click()
    assert names() == given  # s2 before s10
    head.click()
    assert names() == given[::-1]
    there.page.get_by_role("button", name="probability", exact=True).click()
    wanted = sorted((i for i in range(24) if i % 6 != 5), key=lambda i: 0.6 if i % 6 == 4 else 0.99 - i / 1000)
    assert names()[4:20] == [f"s{i}.xy" for i in wanted[4:]]
    assert set(names()[:4]) == {f"s{i}.xy" for i in wanted[:4]}
    assert set(names()[20:]) == {f"s{i}.xy" for i in range(5, 24, 6)}  # unknown stays last
    assert there.page.locator("th[aria-sort]").all_inner_texts() == ["probability"]

    there.page.get_by_role("button", name=re.compile("none of these \\(4\\)")).click()
    assert rows.count() == 4
    assert there.page.locator("details.scan:visible").count() == 4
    there.page.get_by_role("button", name="all (24)").click()
    there.page.get_by_role("searchbox").fill("s1")
    assert rows.count() == 11
    assert there.page.locator("#shown").inner_text() == "11 of 24 shown"
    there.page.get_by_role("searchbox").fill("")

    there.page.locator("#overview tbody a", has_text="s23.xy").click()
    there.page.locator("#scan-24 .box").wait_for()
    assert there.page.locator("details.scan[open]").count() == 1
    assert there.page.locator("figure.plot .box").count() == 1
    assert there.page.url.endswith("#scan-24")
    there.page.get_by_role("link", name="1 failed").click()
    assert there.page.locator("#failed").inner_text().count("it holds 0 bytes") == 1


def test_dark_and_light_and_print(visit, two):
    there = visit(document(two))
    there.box()
    corner = """c => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        pen.drawImage(c, 3 - c.width, 3 - c.height);
        return [...pen.getImageData(0, 0, 1, 1).data];
    }"""
    colours = []
    for scheme in ("light", "dark"):
        there.page.emulate_media(color_scheme=scheme)
        there.page.wait_for_timeout(100)
        colours.append(there.page.locator("canvas.curves").evaluate(corner))
    assert min(colours[0][:3]) > 240
    assert max(colours[1][:3]) < 50
    there.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert there.page.locator("canvas.curves").evaluate(corner) == colours[0]
    there.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert there.page.locator("canvas.curves").evaluate(corner) == colours[1]


def test_copy_and_picture(visit, two, browser, tmp_path):
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    there = visit(document(two))
    there.page.locator("button.copy").click()
    there.page.get_by_role("button", name="copied").wait_for()
    line = there.page.evaluate("navigator.clipboard.readText()")
    assert line == "peakwise identify 'data/my scans' --phases cifs --report out.html"
    there.box()
    with there.page.expect_download() as caught:
        there.page.get_by_role("button", name="save this view as a picture").click()
    caught.value.save_as(tmp_path / "view.png")
    assert (tmp_path / "view.png").read_bytes().startswith(b"\x89PNG")


def test_hostile_names_do_nothing(visit):
    evil = '</script><script>window.hit=1</script><img src=http://evil.example/ onerror="window.hit=1">\u2028<!--'
    one = scan({"rutile": 1.0}, n=301, strays=[(33.1, 0.3)])
    one.update(scan=evil, warnings=[evil])
    one["phases"][0].update(phase=evil, formula=evil, space_group=evil)
    curves = one["curves"]
    for key in ("phases", "ticks", "hkl"):
        curves[key] = {evil: curves[key]["rutile"]}
    curves["hkl"][evil] = [evil] * len(curves["ticks"][evil])
    curves["intensity_unit"] = evil
    one["explanation"] = {**relevance(one), "method": evil}
    there = visit(document(one, one, failed=[{"file": evil, "why": evil}], warnings=[evil]))
    place = there.box().bounding_box()
    for k in range(40):
        there.page.mouse.move(place["x"] + 150 + 20 * k, place["y"] + 100)
    assert there.page.evaluate("window.hit") is None
    assert there.page.locator("img").count() == 0
    assert "<img src=http" in there.page.locator(".toggles").first.inner_text()


def test_a_screen_reader_finds_names_and_headings(visit, two):
    there = visit(document(two))
    there.box()
    there.page.get_by_role("heading", name=re.compile("anatase 79 ± 2 wt%")).wait_for()
    there.page.get_by_role("application", name=re.compile("Overlay of sample.xy")).wait_for()
    for name in ("zoom in", "zoom out", "show the whole scan"):
        there.page.get_by_role("button", name=name).wait_for()
    assert there.page.get_by_role("checkbox").count() == 6
