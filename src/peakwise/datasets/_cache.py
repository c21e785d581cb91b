"""Where fetched files lie, and the book that is kept about them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from peakwise.errors import DamagedFileError

__all__ = ["Book", "cache_folder", "sha256_of"]

_CHUNK = 1 << 20


def cache_folder(name: str) -> Path:
    """The folder of a set: in ``PEAKWISE_CACHE`` where that is set, else in the user's cache."""
    given = os.environ.get("PEAKWISE_CACHE")
    if given:
        return Path(given) / "datasets" / name
    from platformdirs import user_cache_path

    return user_cache_path("peakwise", appauthor=False) / "datasets" / name


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


class Book:
    """``lock.json`` beside the files: the SHA-256 of each as it was when it was first seen, and how it came here."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock.json"

    def read(self) -> dict[str, dict[str, Any]]:
        """Every entry by file name."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        try:
            found = json.loads(text)["files"]
            return {str(k): dict(v) for k, v in found.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            why = f"the checksums of the files beside it cannot be read ({type(problem).__name__})"
            do = "Delete it: the next fetch writes it anew from the files that are there"
            raise DamagedFileError("cannot check the data set", why, do, file=self.path) from problem

    def write(self, name: str, entry: dict[str, Any]) -> None:
        """Add or replace an entry; the book appears whole or not at all."""
        entries = {**self.read(), name: entry}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".lock-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"files": entries}, stream, indent=1, sort_keys=True)
        Path(temporary).replace(self.path)
