"""A real browser for the pages; where none is installed the tests of this folder are skipped, and say so."""

from __future__ import annotations

import shutil

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WAIT = 30_000  # ms, for a busy machine


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
