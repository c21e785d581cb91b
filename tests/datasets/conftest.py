"""A cache of its own and a local server for every test that asks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("datasets_server", Path(__file__).with_name("server.py"))
_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_server)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("peakwise.datasets._fetch._PAUSE", 0.0)
    return tmp_path / "cache" / "datasets"


@pytest.fixture
def shop():
    with _server.serving() as shop:
        yield shop
