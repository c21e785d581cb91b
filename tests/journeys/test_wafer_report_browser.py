"""The report of a library in a real browser: it asks for nothing, maps tell of regions, scores and patterns."""

from __future__ import annotations

import numpy as np
import pytest

from journeys.planes import tip
from peakwise.report import add_map

LIBRARY = "figure[data-kind=library]"
N = 30


@pytest.fixture(scope="module")
def whole():
    rng = np.random.default_rng(0)
    x = np.linspace(1, 4, 200)
    regions = np.arange(N) // 12
    shares = rng.dirichlet([2, 2, 2], N)
    rows = np.array([np.exp(-(((x - 1.5 - 0.7 * r) / 0.05) ** 2)) for r in regions])
    patterns = [
        {"pattern": f"s{i}.xy", "cluster": int(regions[i]), "score": 0.01 * i,
         "composition": dict(zip(("Fe", "Pd", "Ga"), shares[i].tolist(), strict=True))}
        for i in range(N)
    ]  # fmt: skip
    document = {
        "command": "wafer", "patterns": patterns, "k": 3, "silhouette": 0.7, "score": "difference from its region",
        "examples": ["s3.xy", "s13.xy", "s25.xy"],
        "suggestions": [{"where": {"Fe": 0.4, "Pd": 0.4, "Ga": 0.2}, "why": "least is known"}],
    }  # fmt: skip
    return add_map(
        document, rng.normal(regions[:, None], 0.1, (N, 2)), positions=np.c_[np.arange(N) % 6, np.arange(N) // 6],
        compositions={e: shares[:, i] for i, e in enumerate(("Fe", "Pd", "Ga"))}, mixing=np.linspace(0, 1, N),
        columns={"annealed": np.arange(N) + 300.0}, axis=x, patterns=rows, reconstructions=0.9 * rows, kind="q",
    )  # fmt: skip


def test_the_map_tells_of_regions_and_patterns(visit, whole):
    page = visit(whole)
    page.locator(f"{LIBRARY} .box").focus()
    for _ in range(14):
        page.keyboard.press("ArrowRight")
    told = tip(page, LIBRARY)
    assert told["pattern"] == "s13.xy"
    assert told["region"] == "1"
    assert float(told["difference from its region"]) == pytest.approx(0.13)
    assert {"answer", "score", "nearest", "p-value"}.isdisjoint(told)
    assert told["composition"].startswith("Fe ")
    assert page.locator(f"{LIBRARY} .tip .mini canvas").count() == 1
    titles = page.locator(f"{LIBRARY} select").last.locator("option").all_text_contents()
    assert titles[:2] == ["region", "difference from its region"]
    assert {"position of the strongest peak", "mixing ratio", "amount of Pd", "annealed"} <= set(titles)


def test_maps_can_be_coloured_by_region_and_drawn_over_the_composition(visit, whole):
    page = visit(whole)
    before = page.locator(f"{LIBRARY} canvas.curves").first.evaluate("c => c.toDataURL()")
    page.locator(f"{LIBRARY} select").last.select_option(label="region")
    coloured = page.locator(f"{LIBRARY} canvas.curves").first.evaluate("c => c.toDataURL()")
    assert coloured != before
    page.locator(f"{LIBRARY} select").first.select_option(label="Fe-Pd-Ga")
    assert page.locator(f"{LIBRARY} canvas.curves").first.evaluate("c => c.toDataURL()") != coloured
    for kind in ("latent", "violin", "mixing"):
        assert page.locator(f"figure[data-kind={kind}] canvas").count() >= 1
    assert "least is known" in page.locator("body").inner_text()
