"""Pictures: what stands where in which colour."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from peakwise.errors import OptionError
from peakwise.explain import draw_explanation

X = np.linspace(10, 60, 501)
Y = np.exp(-(((X - 25) / 0.5) ** 2)) + np.exp(-(((X - 45) / 0.5) ** 2))


def drawn(relevance, **options):
    figure = Figure(figsize=(6, 3), dpi=100)
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    line = draw_explanation(ax, X, Y, relevance, **options)
    canvas.draw()
    return line, ax, np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def colours_at(image, where):
    """Hue of the strongest colour in the columns around a place on the axis."""
    column = int((where - 10) / 50 * image.shape[1])
    part = image[:, column - 8 : column + 8].reshape(-1, 3)
    return part[np.argmax(np.ptp(part, axis=1))]


def test_for_is_vermilion_and_against_is_blue():
    signed = np.where(X < 35, Y, -Y)
    _, _, image = drawn(signed)
    red, _, blue = colours_at(image, 25)
    assert red > blue + 100
    red, _, blue = colours_at(image, 45)
    assert blue > red + 100


@pytest.mark.parametrize("relevance", [np.zeros(501), np.zeros(501) + 0.0])
def test_nothing_that_counts_is_grey(relevance):
    _, _, image = drawn(relevance)
    assert np.ptp(image, axis=2).max() < 12
    assert image.min() < 200


def test_what_counts_is_thick_and_on_top():
    line, _, _ = drawn(np.where(X < 35, Y, 0))
    widths = line.get_linewidths()
    assert list(widths) == sorted(widths)
    assert widths[-1] > 2 * widths[0]


def test_the_line_is_the_pattern():
    line, _, _ = drawn(Y)
    points = np.array([path.vertices[1] for path in line.get_paths()])
    order = np.argsort(points[:, 0])
    np.testing.assert_allclose(points[order], np.column_stack([X, Y]))


def test_the_strip_stands_below_the_pattern():
    _, ax, image = drawn(np.where(X < 35, Y, 0))
    strip = image[-10]  # near the bottom
    column = int((25 - 10) / 50 * image.shape[1])
    assert strip[column, 0] > strip[column, 2] + 100
    assert ax.collections[-1].get_array().size == 501
    top = ax.collections[-1].get_coordinates()[..., 1].max()
    assert top < Y.min()
    assert len(drawn(Y, has_strip=False)[1].collections) == 1


def test_one_spike_does_not_fade_the_rest_and_a_scale_can_be_given():
    spiked = Y.copy()
    spiked[100] = 1000.0
    top = drawn(np.tile(spiked, 1))[0].get_clim()[1]
    assert top < 600
    assert drawn(Y, scale=5.0)[0].get_clim() == (-5.0, 5.0)


def test_a_flat_pattern_can_be_drawn():
    ax = Figure().add_subplot()
    draw_explanation(ax, X, np.ones(501), Y)
    low, high = ax.get_ylim()
    assert low < 1 < high


def test_it_shows_on_black_as_well():
    with mpl.rc_context({"axes.facecolor": "black"}):
        _, _, image = drawn(np.zeros(501))
    assert image.max() > 120


@pytest.mark.parametrize(
    ("axis", "intensity", "relevance", "scale", "why"),
    [
        (X, Y, Y[None], None, "must be rows of one length, got (501,), (501,), (1, 501)"),
        (X, Y[:-1], Y, None, "must be rows of one length"),
        (X[:1], Y[:1], Y[:1], None, "must be rows of one length"),
        (X, Y * np.nan, Y, None, "all numbers must be finite"),
        (X[::-1], Y, Y, None, "axis must increase from point to point"),
        (X, Y, Y, 0.0, "scale must be a number above 0, got 0.0"),
        (X, Y, Y, "big", "scale must be a number above 0, got 'big'"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(axis, intensity, relevance, scale, why):
    with pytest.raises(OptionError) as error:
        draw_explanation(Figure().add_subplot(), axis, intensity, relevance, scale=scale)
    assert why in str(error.value)
