"""Where a training stands, in one safetensors file: weights and generators as tensors, the rest as JSON in its header.

Written to a temporary name and renamed, so that there is always a whole one. Reading runs no code from the file.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from peakwise.errors import DamagedFileError, OptionError, WriteError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["read_checkpoint", "write_checkpoint"]

_KEY = "peakwise-checkpoint"
_VERSION = 1


def write_checkpoint(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> None:
    """Write tensors and what JSON can hold; a file of that name is replaced, or stays as it was."""
    target = Path(path)
    if not target.parent.is_dir():
        raise WriteError("cannot write the checkpoint", f"there is no folder {target.parent}", "Make it", file=path)
    temporary = target.with_name(f".{uuid.uuid4().hex}.part")
    header = {_KEY: json.dumps({"version": _VERSION, **told}, allow_nan=False)}
    try:
        save_file({name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}, temporary, header)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    except (OSError, SafetensorError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise WriteError(
            "cannot write the checkpoint", why, "Check the disk and its permissions", file=path
        ) from problem
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(path: str | os.PathLike[str], settings: Mapping[str, Any]) -> tuple[dict[str, Tensor], Any] | None:
    """Tensors and the rest, or None if there is no file; a checkpoint of other settings is refused."""
    if not Path(path).exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})[_KEY])
            if told["version"] != _VERSION:
                raise _damaged(path, f"its version must be {_VERSION}, got {told['version']}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except KeyError as problem:
        raise _damaged(path, "it is not a checkpoint of a peakwise training") from problem
    except (OSError, SafetensorError, ValueError, TypeError) as problem:
        raise _damaged(path, f"it cannot be read: {problem}") from problem
    seen = told.get("settings", {})
    other = sorted(name for name in {*seen, *settings} if seen.get(name) != settings.get(name))
    if other:
        why = f"the checkpoint {path} is of a training with another {', '.join(other)}"
        raise OptionError("cannot resume the training", why, "Delete it, or train with resume=False")
    return tensors, told


def _damaged(path: str | os.PathLike[str], why: str) -> DamagedFileError:
    do = "Delete it, or train with resume=False"
    return DamagedFileError("cannot resume the training", why, do, file=path)
