"""Trained models that can be made again, kept in the user's cache under the SHA-256 of what they were made from."""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peakwise.errors import OptionError
from peakwise.modelfiles._recipe import BadJSONError, canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cache_key", "model_cache", "prune_models"]

_MOST_BYTES = 2 << 30  # of all kept models; one for 56 phases takes some megabytes
_ABANDONED = 86_400.0  # seconds after which a half-written file has no writer any more


def cache_key(parts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain settings: equal settings, whatever their order, have equal keys.

    Parameters
    ----------
    parts : mapping
        All that the model depends on: contents of CIFs by their SHA-256, options, ranges, seed, versions.

    Examples
    --------
    >>> key = cache_key({"phases": ["0f4e", "77aa"], "top": 10})
    >>> key == cache_key({"top": 10, "phases": ("0f4e", "77aa")}), len(key)
    (True, 64)
    """
    try:
        return hashlib.sha256(canonical(dict(parts)).encode()).hexdigest()
    except BadJSONError as problem:
        do = "Use plain numbers, texts, lists and dicts"
        raise OptionError("cannot make a key of the settings", str(problem), do) from problem


def model_cache(key: str) -> Path:
    """Return where the model of a key lies, or will lie.

    The folder is ``PEAKWISE_CACHE`` where that is set, else the user's cache. Asking for a model that is there counts
    as its use: `prune_models` removes those unused for longest.

    Parameters
    ----------
    key : str
        64 hexadecimal digits, from `cache_key`.

    Examples
    --------
    >>> getfixture("monkeypatch").setenv("PEAKWISE_CACHE", str(getfixture("tmp_path")))
    >>> path = model_cache(cache_key({"top": 10}))
    >>> path.parent.name, path.suffix, path.exists()
    ('models', '.pw', False)
    """
    if not isinstance(key, str) or not re.fullmatch("[0-9a-f]{64}", key):
        why = f"a key must be 64 hexadecimal digits, got {key!r:.80}"
        raise OptionError("cannot look into the cache", why, "Use cache_key")
    path = _folder() / f"{key}.pw"
    with suppress(OSError):  # whoever writes or reads there next says why it does not work
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            os.utime(path)
    return path


def prune_models(most_bytes: int = _MOST_BYTES) -> list[Path]:
    """Remove kept models, those unused for longest first, until the others take at most so many bytes.

    The model used last always stays.

    Parameters
    ----------
    most_bytes : int
        [bytes]

    Returns
    -------
    list of Path
        What was removed.

    Examples
    --------
    >>> getfixture("monkeypatch").setenv("PEAKWISE_CACHE", str(getfixture("tmp_path")))
    >>> for n in range(3):
    ...     _ = model_cache(cache_key({"n": n})).write_bytes(bytes(1000))
    >>> len(prune_models(2000))
    1
    """
    found, removed, taken = [], [], 0
    for path in [*_folder().glob("*.pw"), *_folder().glob(".*.part")]:
        with suppress(OSError):  # another process may prune at the same time
            told = path.stat()
            found.append((told.st_mtime_ns, told.st_size, path))
    for place, (used, size, path) in enumerate(sorted(found, reverse=True)):
        half = path.suffix == ".part"
        taken += 0 if half else size
        if time.time() - used / 1e9 > _ABANDONED if half else taken > most_bytes and place:
            with suppress(OSError):
                path.unlink()
                removed.append(path)
    return removed


def _folder() -> Path:
    root = os.environ.get("PEAKWISE_CACHE")
    if root:
        return Path(root) / "models"
    import platformdirs

    return Path(platformdirs.user_cache_dir("peakwise", appauthor=False)) / "models"
