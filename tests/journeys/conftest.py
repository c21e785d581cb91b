"""A real browser for the pages; where none is installed the tests of this folder are skipped, and say so."""

from __future__ import annotations

import shutil

import pytest

from peakwise.report import (
    write_clusters_html,
    write_descriptors_html,
    write_novelty_html,
    write_transitions_html,
    write_wafer_html,
)

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WAIT = 30_000  # ms, for a busy machine
WRITERS = {
    "transitions": write_transitions_html,
    "cluster": write_clusters_html,
    "novelty": write_novelty_html,
    "wafer": write_wafer_html,
    "regress": write_descriptors_html,
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    reason = "playwright is not installed: pip install peakwise[test]"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_api.sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=chromium, headless=True, args=FLAGS,
            viewport={"width": 1200, "height": 900},
        )  # fmt: skip
        context.set_default_timeout(WAIT)
        yield context
        context.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Open the report of a document; the page must ask for nothing and complain about nothing."""
    asked, said, pages = [], [], []

    def go(document):
        path = tmp_path / "report.html"
        WRITERS[document["command"]](document, path)
        page = browser.new_page()
        pages.append(page)
        page.on("console", lambda m: said.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: said.append(f"error: {e}"))

        def route(request):
            if request.request.url.partition("#")[0] == path.as_uri():
                return request.continue_()
            asked.append(request.request.url)
            return request.abort()

        page.route("**/*", route)
        page.goto(path.as_uri())
        for figure in page.locator("figure.plot").all():
            if figure.is_visible():
                figure.scroll_into_view_if_needed()
                figure.locator(".box").first.wait_for()
        page.evaluate("scrollTo(0, 0)")
        return page

    yield go
    assert (asked, said) == ([], [])
    for page in pages:
        page.close()
