"""Streams of patterns in, answers out: sources, a model that watches them, and where the answers go.

A fitted model is handed in as an object; this room knows none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peakwise.live._documents import dumps, loads
from peakwise.live._monitor import Monitor
from peakwise.live._sinks import BlueskyDocuments, JsonLines, LineStream, Sink
from peakwise.live._source import Note, Source
from peakwise.live.bluesky import BlueskySource
from peakwise.live.folder import FolderSource
from peakwise.live.replay import ReplaySource

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SOURCES", "BlueskyDocuments", "BlueskySource", "FolderSource", "JsonLines", "LineStream", "Monitor", "Note",
    "ReplaySource", "Sink", "Source", "dumps", "loads",
]  # fmt: skip

# How patterns come, by the name of the way.
SOURCES: Mapping[str, type[Source]] = {"folder": FolderSource, "replay": ReplaySource, "bluesky": BlueskySource}
