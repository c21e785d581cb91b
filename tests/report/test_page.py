"""The page: it loads nothing, lets nothing in, and holds the numbers of the answer."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError, WriteError
from peakwise.report import identification_csv, identification_html, write_identification_html
from peakwise.report._curves import kept_points
from peakwise.report._markup import data_block, tag
from report.answers import document, relevance, scan

LOADING = {
    "img", "iframe", "object", "embed", "audio", "video", "source", "track", "base", "form", "frame", "portal", "image",
    "use", "applet",
}  # fmt: skip


class Page(HTMLParser):
    """Elements, texts and scripts of a page, as the standard library reads them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.inside, self.scripts, self.styles, self.text = [], [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name in ("script", "style"):
            self.inside.append(name)
            (self.scripts if name == "script" else self.styles).append([dict(attributes), ""])

    def handle_endtag(self, name):
        if name in ("script", "style") and self.inside:
            self.inside.pop()

    def handle_data(self, data):
        if self.inside:
            (self.scripts if self.inside[-1] == "script" else self.styles)[-1][1] += data
        else:
            self.text += data

    def data(self):
        return {a["id"]: json.loads(text) for a, text in self.scripts if a.get("type") == "application/json"}

    @property
    def policy(self):
        return next(a["content"] for n, a in self.elements if n == "meta" and a.get("http-equiv"))


def unpack(block):
    """The curves of a block, by another road than the page's."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(block["packed"])), np.uint8).reshape(4, -1)
    values = np.ascontiguousarray(planes.T).view("<f4").ravel().reshape(len(block["blocks"]), block["n"])
    return dict(zip(block["blocks"], values.astype(float), strict=True))


@pytest.fixture(scope="module")
def whole():
    two = scan({"anatase": 0.79, "rutile": 0.21}, name="data/two.xy", n=801, strays=[(33.1, 0.2)])
    two["explanation"] = relevance(two)
    two["warnings"] = ["the wavelength was assumed"]
    none = scan({}, name="none.xy", n=801, none=0.93, strays=[(30, 0.5)])
    return document(two, none, failed=[{"file": "bad.txt", "why": "it holds 0 bytes"}], warnings=["all of it"])


@pytest.fixture(scope="module")
def page(whole):
    return Page(identification_html(whole))


def assert_alone(page):
    """Nothing in it can load anything, or run anything but the one script."""
    for name, attributes in page.elements:
        assert name not in LOADING
        assert not [key for key in attributes if key.startswith("on") or key in ("style", "srcset", "srcdoc", "ping")]
        for key in ("href", "src", "action", "formaction", "xlink:href", "data", "poster", "background"):
            assert attributes.get(key, "#").startswith("#") or attributes[key] == "data:,"
    assert [n for n, _ in page.elements if n == "link"] == ["link"]
    for _, text in page.styles:
        assert not re.search(r"url\(|@import|expression|@font-face", text)
    (script,) = (text for a, text in page.scripts if a.get("type") != "application/json")
    assert not re.search(
        r"fetch\(|XMLHttp|import\(|WebSocket|EventSource|sendBeacon|Worker|eval\(|Function\(|innerHTML", script
    )
    assert not re.search(r"(https?:)?//[a-z0-9]+\.", script)


def test_it_loads_nothing(page):
    assert_alone(page)


def test_its_policy_allows_its_own_script_and_style_alone(page):
    def sha(text):
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    (script,) = (text for a, text in page.scripts if a.get("type") != "application/json")
    ((_, style),) = page.styles
    rules = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    assert rules == {
        "default-src": "'none'", "script-src": f"'sha256-{sha(script)}'", "style-src": f"'sha256-{sha(style)}'",
        "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        "anatase 79 ± 2 wt% + rutile 21 ± 2 wt%, each with probability 0.97 or more", "data/two.xy",
        "None of the 250 phases fits (none_of_these 0.93)", "the wavelength was assumed", "all of it", "bad.txt",
        "it holds 0 bytes", "I41/amd", "+0.0123 deg", "+0.90 ‰", "−0.40 ‰", "33.100", "2.7042", "3f0c9d" + "a1" * 29,
        "2.13.0", "peakwise identify 'data/my scans' --phases cifs --report out.html", "seed", "77" * 32, "1800",
    ],
)  # fmt: skip
def test_it_says_what_the_answer_says(page, said):
    assert said in page.text


def test_residual_and_formula(page, whole):
    assert f"{100 * whole['scans'][0]['fit']['rwp']:.1f} %" in page.text
    assert "Al2O3" in page.text
    assert ("sub", {}) in page.elements


def test_the_embedded_curves_are_those_of_the_answer(page, whole):
    block, curves = page.data()["data-1"], whole["scans"][0]["curves"]
    got = unpack(block)
    assert (block["n"], block["of"], block["kind"], block["wavelength"]) == (801, 801, "two_theta", 1.5406)
    for name in ("observed", "background", "calculated"):
        np.testing.assert_allclose(got[name], curves[name], rtol=3.1e-5)
    np.testing.assert_array_equal(got["observed"], curves["observed"])  # whole numbers are exact
    np.testing.assert_allclose(got["x"], curves["axis"], rtol=6e-8)
    for i, name in enumerate(("anatase", "rutile")):
        np.testing.assert_allclose(got[f"phase{i}"], curves["phases"][name], rtol=3.1e-5)
        assert block["phases"][i]["name"] == name
        np.testing.assert_allclose(block["phases"][i]["ticks"], curves["ticks"][name], atol=5.1e-6)
        assert block["phases"][i]["hkl"] == curves["hkl"][name]
    assert block["unexplained"] == [[33.1, 1800.0]]
    why = unpack(block["explanation"])["relevance"]
    assert why.max() == 1
    assert why.argmax() == np.argmax(whole["scans"][0]["explanation"]["relevance"])


def test_a_falling_axis_is_turned_with_its_curves():
    one = scan({"rutile": 1.0}, n=301)
    curves = one["curves"]
    turned = {**curves, **{k: curves[k][::-1] for k in ("axis", "observed", "background", "calculated")},
              "phases": {k: v[::-1] for k, v in curves["phases"].items()}}  # fmt: skip
    pages = [Page(identification_html(document({**one, "curves": c}))).data()["data-1"] for c in (curves, turned)]
    assert pages[0]["packed"] == pages[1]["packed"]


def test_gaps_and_numbers_beyond_float32_are_left_out():
    one = scan({"rutile": 1.0}, n=301)
    one["curves"]["observed"][5] = None
    one["curves"]["observed"][6] = 1e300
    got = unpack(Page(identification_html(document(one))).data()["data-1"])["observed"]
    assert np.isnan(got[5])
    assert np.isinf(got[6])


def test_long_scans_are_thinned_and_it_is_said():
    one = scan({"rutile": 1.0}, n=30_000, strays=[(33.1, 0.5)])
    one["curves"]["observed"][12_345] = 77_777.0  # one point alone, as a cosmic ray makes it
    one["curves"]["observed"][23_456] = -500.0
    text = identification_html(document(one), max_points=1000)
    page = Page(text)
    block = page.data()["data-1"]
    got = unpack(block)
    assert block["of"] == 30_000
    assert 900 <= block["n"] <= 1000
    assert f"Drawn from {block['n']:,} of 30,000 points" in page.text
    assert {77_777.0, -500.0} <= set(got["observed"])
    assert got["x"][0] == pytest.approx(15)
    assert got["x"][-1] == pytest.approx(85)
    assert "Drawn from" not in Page(identification_html(document(one), max_points=30_000)).text


@given(st.lists(st.one_of(st.integers(-100, 100), st.just(np.nan)), min_size=1, max_size=100), st.integers(4, 60))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_thinning_keeps_ends_and_extremes(values, most):
    values = np.array(values, dtype=float)
    kept = kept_points(values, most)
    assert kept.size <= max(most, 4) if values.size > most else kept.size == values.size
    assert (np.diff(kept) > 0).all()
    assert {0, values.size - 1} <= set(kept.tolist())
    if np.isfinite(values).any():
        assert np.nanmax(values[kept]) == np.nanmax(values)
        assert np.nanmin(values[kept]) == np.nanmin(values)


def test_many_scans_share_the_bound(monkeypatch):
    monkeypatch.setattr("peakwise.report._page._ALL_POINTS", 14_000)
    monkeypatch.setattr("peakwise.report._page._MOST_DRAWN", 5)
    one = scan({"rutile": 1.0}, n=3000)
    page = Page(identification_html(document(*({**one, "scan": f"s{i}.xy"} for i in range(7)))))
    blocks = page.data()
    assert len(blocks) == 5
    assert all(1800 <= b["n"] <= 2000 for b in blocks.values())
    assert page.text.count("of 3,000 points") == 5
    assert page.text.count("Only the first 5 scans have an overlay") == 2


def leaves(tree, path=()):
    """Where the numbers of a document stand."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield (*path, key)
        yield from leaves(value, (*path, key))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1, 0, 1e300, -1e-300])
def test_no_number_breaks_the_page(value):
    one = scan({"anatase": 0.7, "rutile": 0.3}, n=11, strays=[(33.1, 0.2)])
    one["explanation"] = relevance(one)
    whole = json.loads(json.dumps(document(one)))
    for *path, last in list(leaves(whole)):
        if "axis" in path or "provenance" in path or (isinstance(last, int) and last > 1):
            continue
        changed = copy.deepcopy(whole)
        place = changed
        for step in path:
            place = place[step]
        place[last] = value
        assert_alone(Page(identification_html(changed)))
        identification_csv(changed)


HOSTILE = [
    "</script><script>alert(1)</script>", "<img src=http://evil.example/x onerror=alert(1)>", '"><svg onload=alert(1)>',
    "<!--<script>", "-->", "]]>", "\u2028\u2029", "\u202egnp.exe", "\x00\x1b[31m",
    "${body}$style", "javascript:alert(1)",
    "' onmouseover='alert(1)", "&lt;b&gt;", "{{7*7}}", "</style><style>*{background:url(//evil.example)}", "</title>",
    "</textarea></noscript>", "x" * 100_000,
]  # fmt: skip


def poisoned(text):
    """A document in which every text is this one."""
    one = scan({"anatase": 0.7, "rutile": 0.3}, n=101, strays=[(33.1, 0.2)])
    one.update(scan=text, warnings=[text], indistinguishable=[[text, text]])
    one["explanation"] = {**relevance(one), "method": text}
    curves = one["curves"]
    for row in (*one["phases"], *one["candidates"]):
        row.update(formula=text, space_group=text)
    one["phases"][0]["phase"] = one["candidates"][0]["phase"] = text
    for key in ("phases", "ticks", "hkl"):
        curves[key] = {text: curves[key]["anatase"], "rutile": curves[key]["rutile"]}
    curves["hkl"][text] = [text] * len(curves["ticks"][text])
    curves.update(kind=text, unit=text, intensity_unit=text)
    one["fit"][text] = 1.0
    whole = document(one, one, failed=[{"file": text, "why": text}], warnings=[text], peakwise=text)
    whole["settings"] = {text: text}
    whole["provenance"] = {"versions": {text: text}, text: {text: text}, "command_line": text, "seed": text}
    return whole


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(t[:24]) for t in HOSTILE])
def test_hostile_names_stay_text(text):
    made = identification_html(poisoned(text))
    page, plain = Page(made), Page(identification_html(poisoned("plain")))
    assert_alone(page)
    assert [n for n, _ in page.elements] == [n for n, _ in plain.elements]
    assert page.policy == plain.policy
    assert not re.search("[\x00\x1b\u2028\u2029\u202e]", made)
    assert len(made) < 500_000
    made.encode("utf-8")


@given(st.text(st.characters(), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_name_stays_text(text):
    phase = {"phase": text, "probability": 0.95, "formula": text, "space_group": text}
    one = {"scan": text, "phases": [phase], "warnings": [text]}
    assert_alone(Page(identification_html({"command": "identify", "scans": [one]})))


@given(st.text(st.characters(blacklist_categories=("C",)), max_size=200))
def test_text_comes_back_as_it_was(text):
    page = Page(tag("p", {"title": text}, text))
    assert page.text == text.replace("\r", "\n")
    assert page.elements[0][1]["title"] == text


trees = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(trees)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_data_comes_back_as_they_were(data):
    block = data_block("a", data)
    assert not re.search(
        r"[<>&\u2028\u2029]", block[len('<script type="application/json" id="a">') : -len("</script>")]
    )
    assert Page(block).data() == {"a": data}


def test_a_command_line_is_shown_verbatim():
    line = "peakwise identify 'a  b.xy'   --elements Ti,O && echo <done>"
    whole = document(scan({}, n=11))
    whole["provenance"]["command_line"] = line
    assert line in Page(identification_html(whole)).text
    whole["provenance"]["command_line"] = ["peakwise", "identify", "a  b.xy", "$HOME"]
    assert "peakwise identify 'a  b.xy' '$HOME'" in Page(identification_html(whole)).text


def test_phases_keep_their_colour_over_all_scans():
    scans = [
        scan({"rutile": 1.0}, n=51),
        scan({"anatase": 0.6, "rutile": 0.4}, n=51),
        scan({"quartz_alpha": 1.0}, n=51),
    ]
    blocks = Page(identification_html(document(*scans))).data()
    colours = [{p["name"]: p["colour"] for p in blocks[f"data-{i}"]["phases"]} for i in (1, 2, 3)]
    assert colours[0]["rutile"] == colours[1]["rutile"]
    assert len({colours[1]["rutile"], colours[1]["anatase"], colours[2]["quartz_alpha"]}) == 3


def test_many_phases_in_one_scan_are_all_listed():
    phases = [{"phase": f"p{i}", "probability": 0.95, "weight_fraction": 1 / 230} for i in range(230)]
    text = Page(identification_html({"command": "identify", "scans": [{"scan": "a", "phases": phases}]})).text
    assert "p199" in text
    assert "and 30 more" in text


def test_it_is_written_whole_or_not_at_all(whole, tmp_path):
    target = tmp_path / "out.html"
    write_identification_html(whole, target)
    assert target.read_bytes().decode("utf-8") == identification_html(whole)
    assert [p.name for p in tmp_path.iterdir()] == ["out.html"]
    with pytest.raises(OptionError):
        write_identification_html({"command": "other"}, target)
    assert target.read_bytes().decode("utf-8") == identification_html(whole)
    for path in (tmp_path / "none" / "out.html", tmp_path, "a\x00b.html"):
        with pytest.raises(WriteError, match="cannot write the file"):
            write_identification_html(whole, path)


@pytest.mark.parametrize("most", [99, 0, -5, True, 1e4, "many", None])
def test_a_bound_that_is_none_is_refused(whole, most):
    with pytest.raises(OptionError, match="max_points must be at least 100, got"):
        identification_html(whole, max_points=most)
