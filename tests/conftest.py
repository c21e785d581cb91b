"""Shared by all tests: where the measured data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("PEAKWISE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of measured data; a test that asks for it is marked `real_data`."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"measured data are not at {REAL_DATA}: set PEAKWISE_DATA to their folder")
    return REAL_DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)
