"""Bluesky documents as bytes: msgpack with arrays. Pickle, which Bluesky takes by default, runs whatever is sent."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from peakwise.errors import MissingExtraError

__all__ = ["dumps", "extra", "loads"]

_ARRAY = "__nd__"


def dumps(document: Any) -> bytes:
    """Serialise a document: the `serializer` of ``bluesky.callbacks.zmq.Publisher``.

    Parameters
    ----------
    document : dict
        May hold numpy arrays and numbers.
    """
    return bytes(extra("msgpack").packb(document, default=_packed))


def loads(data: bytes) -> Any:
    """The inverse of `dumps`: the `deserializer` of ``bluesky.callbacks.zmq.RemoteDispatcher``.

    Parameters
    ----------
    data : bytes
        `ValueError` says that they are none of ours.
    """
    return extra("msgpack").unpackb(data, object_hook=_unpacked, strict_map_key=False)


def extra(name: str) -> Any:
    """A library of the extra ``live``."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        why = f"the library {name} is needed for Bluesky documents and is not installed"
        raise MissingExtraError("cannot use documents", why, "Run pip install 'peakwise[live]'") from problem


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {_ARRAY: True, "t": value.dtype.str, "s": list(value.shape), "d": np.ascontiguousarray(value).tobytes()}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (set, tuple)):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _unpacked(part: dict[Any, Any]) -> Any:
    if _ARRAY not in part:
        return part
    kind = np.dtype(str(part["t"]))
    if kind.kind not in "biuf":
        raise ValueError(f"an array of {kind}")
    return np.frombuffer(part["d"], kind).reshape([int(n) for n in part["s"]])
