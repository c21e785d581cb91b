"""A cache of the tests' own, and one fitted identifier for all."""

from __future__ import annotations

import pytest

from matched import forty
from peakwise.estimators import PhaseIdentifier


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEAKWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def identifier(_cache):
    """The forty phases of `matched`; tests that change it take a clone."""
    return PhaseIdentifier(effort="quick", max_phases=3, threads=1).fit(forty())
