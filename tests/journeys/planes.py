"""What tests do with figures that have axes: read the tip, take the picture, find where a point is on the screen."""

from __future__ import annotations


def tip(page, figure):
    """Names and values that the tip of a figure shows."""
    pairs = page.locator(f"{figure} .tip:not([hidden]) > div").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )
    return dict(pairs)


def picture(page, figure):
    return page.locator(f"{figure} canvas.curves").first.evaluate("c => c.toDataURL()")


def place(page, figure, x, y):
    """Where a point of a map is, by the numbers at its axes: the frame is 62, 12 and 40 pixels from the edges."""
    box = page.locator(f"{figure} .box").bounding_box()
    top = 8 + 20 * int(page.locator(figure).get_attribute("data-rows"))
    x0, x1, y0, y1 = map(float, page.locator(figure).get_attribute("data-view").split())
    return (
        box["x"] + 62 + (x - x0) / (x1 - x0) * (box["width"] - 74),
        box["y"] + top + (y1 - y) / (y1 - y0) * (box["height"] - 40 - top),
    )
