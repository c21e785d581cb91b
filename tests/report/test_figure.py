"""Figures: what is drawn is the answer, in the size that was asked for."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from unittest import mock

import numpy as np
import pytest
from matplotlib.figure import Figure

from peakwise.errors import MissingExtraError, OptionError, WriteError
from peakwise.report import plot_identification, save_figure
from report.answers import document, lines, scan


@pytest.fixture(scope="module")
def one():
    return scan({"anatase": 0.79, "rutile": 0.21}, n=1401, strays=[(33.1, 0.2), (47.0, 0.1)])


def drawn(axes):
    return {line.get_label(): line for line in axes.lines}


def test_the_curves_are_those_of_the_answer(one):
    figure = plot_identification(one)
    main, rest = figure.axes[0], figure.axes[1]
    found, curves = drawn(main), one["curves"]
    for name in ("observed", "calculated", "background"):
        np.testing.assert_array_equal(found[name].get_xdata(), curves["axis"])
        np.testing.assert_array_equal(found[name].get_ydata(), curves[name])
    top = np.array(curves["background"]) + curves["phases"]["anatase"]
    shown = found["anatase 79 ± 2 wt%"].get_ydata()
    seen = np.isfinite(shown)
    np.testing.assert_array_equal(shown[seen], top[seen])
    assert np.nanmax(shown) == top.max()
    assert np.array(curves["phases"]["anatase"])[~seen].max() < 0.0021 * np.max(curves["phases"]["anatase"])
    np.testing.assert_allclose(
        rest.lines[-1].get_ydata(), np.subtract(curves["observed"], curves["calculated"]), atol=1e-9
    )  # fmt: skip


def test_reflections_stand_where_bragg_has_them(one):
    (inner,) = plot_identification(one).axes[0].child_axes
    for row, name in zip(inner.collections, ("anatase", "rutile"), strict=True):
        np.testing.assert_allclose([segment[0][0] for segment in row.get_segments()], lines(name)[0])


def test_labels_and_units(one):
    figure = plot_identification(one, scale="linear")
    assert figure.axes[0].get_ylabel() == "intensity [counts]"
    assert figure.axes[1].get_xlabel() == "2θ [deg]"
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "observed", "background", "calculated", "anatase 79 ± 2 wt%", "rutile 21 ± 2 wt%",
    ]  # fmt: skip
    assert min(t.get_fontsize() for t in legend.get_texts()) >= 7
    assert sum(bool(t.arrow_patch) for t in figure.axes[0].texts) == 2


@pytest.mark.parametrize(("width", "mm"), [("single", 85), ("double", 170), (120, 120)])
def test_width_is_that_of_the_column(one, width, mm, tmp_path):
    save_figure(one, tmp_path / "a.svg", width=width)
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert float(root.get("width").removesuffix("pt")) / 72 * 25.4 == pytest.approx(mm, abs=0.1)


@pytest.mark.parametrize("scale", ["sqrt", "linear", "log"])
def test_scales(one, scale):
    axes = plot_identification(one, scale=scale).axes[0]
    ends = axes.transData.transform([(20, v) for v in (100.0, 400.0, 1600.0)])[:, 1]
    ratio = (ends[2] - ends[1]) / (ends[1] - ends[0])
    assert ratio == pytest.approx({"sqrt": 2, "linear": 4, "log": 1}[scale])


def test_files_are_what_their_name_says_and_the_same_each_time(one, tmp_path):
    starts = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF"}
    for form, start in starts.items():
        path = tmp_path / f"a.{form}"
        save_figure(one, path, dpi=60)
        first = path.read_bytes()
        assert first.startswith(start)
        save_figure(plot_identification(one), path, dpi=60)
        assert path.read_bytes() == first
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "anatase 79" in text  # text that can be edited, not outlines
    assert "http" not in text.replace("http://www.w3.org/", "").replace("http://purl.org/", "").replace(
        "http://creativecommons.org/", "").replace("https://matplotlib.org/", "")  # fmt: skip


def test_png_has_the_pixels_that_were_asked_for(one, tmp_path):
    save_figure(one, tmp_path / "a.png", dpi=150, width="single")
    width = int.from_bytes((tmp_path / "a.png").read_bytes()[16:20], "big")
    assert width == pytest.approx(85 / 25.4 * 150, abs=1)


def test_little_is_enough():
    curves = {"axis": [1.0, 2.0, 3.0], "kind": "wavenumber", "unit": "1/cm", "observed": [None, -1.0, 2.0]}
    figure = plot_identification({"scan": "a", "phases": [], "curves": curves})
    assert len(figure.axes) == 1
    assert figure.axes[0].get_xlabel() == "wavenumber [1/cm]"
    flat = {"axis": [1.0, 2.0], "observed": [0.0, 0.0], "calculated": [0.0, 0.0]}
    for scale in ("sqrt", "linear", "log"):
        plot_identification({"scan": "a", "phases": [], "curves": flat}, scale=scale).canvas.draw()


def test_names_are_no_formulas(tmp_path):
    one = scan({"rutile": 1.0}, n=101)
    for key in ("phases", "ticks", "hkl"):
        one["curves"][key] = {r"$\frac{x$ <b>&": one["curves"][key]["rutile"]}
    one["phases"][0]["phase"] = r"$\frac{x$ <b>&"
    save_figure(one, tmp_path / "a.svg")
    texts = "".join(ET.parse(tmp_path / "a.svg").getroot().itertext())
    assert r"$\frac{x$ <b>&" in texts


REFUSED = [
    ({"width": "triple"}, "width must be 'single', 'double' or 30 to 1000 mm, got 'triple'"),
    ({"width": 5}, "width must be 'single', 'double' or 30 to 1000 mm, got 5"),
    ({"scale": "cubic"}, "scale must be one of sqrt, linear, log, got 'cubic'"),
    ({"dpi": 0}, "dpi must lie between 30 and 2400, got 0"),
]


@pytest.mark.parametrize(("options", "why"), REFUSED, ids=[str(r[0]) for r in REFUSED])
def test_refused_options(one, options, why, tmp_path):
    with pytest.raises(OptionError, match=why):
        save_figure(one, tmp_path / "a.png", **options)
    assert not list(tmp_path.iterdir())


def test_refused_inputs(one, tmp_path):
    with pytest.raises(OptionError, match=r"the name must end with \.png, \.svg, \.pdf, got 'a\.bmp'"):
        save_figure(one, "a.bmp")
    with pytest.raises(OptionError, match="the scan must hold its curves, got none"):
        plot_identification({"scan": "a", "phases": []})
    with pytest.raises(OptionError, match=r"the scan\.scan must be text"):
        plot_identification(document(one))
    with pytest.raises(WriteError, match="there is no folder"):
        save_figure(one, tmp_path / "none" / "a.png")


def test_without_matplotlib_it_says_how_to_get_it(one):
    with (
        mock.patch.dict(sys.modules, {"matplotlib.figure": None, "matplotlib": None}),
        pytest.raises(MissingExtraError, match=r"Install it with pip install peakwise\[figures\]"),
    ):
        plot_identification(one)


def test_importing_the_room_is_light():
    code = "import sys, peakwise.report; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "torch", "scipy", "sklearn", "pandas", "h5py"} & set(done.stdout.split())


def test_no_global_state_of_matplotlib_is_touched(one):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    assert isinstance(plot_identification(one), Figure)
    assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
