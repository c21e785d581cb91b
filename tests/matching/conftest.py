"""A cache of the tests' own, and the libraries that several tests search."""

from __future__ import annotations

import pytest

from matched import forty
from peakwise.matching import LineTable, Searcher
from peakwise.patterns import Radiation


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEAKWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def searcher(_cache):
    """The forty phases of `matched` at copper radiation."""
    phases = forty()
    return Searcher(phases, LineTable.build(phases, Radiation.named("CuKa"), 0.95, threads=1))
