"""What tells one pattern from another, whatever the file around it says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from peakwise.patterns import Patterns

__all__ = ["digest"]


def digest(patterns: Patterns) -> str:
    """Checksum of axis and intensities."""
    made = hashlib.blake2b(patterns.kind.encode(), digest_size=12)
    for part in (patterns.axis, patterns.intensity):
        made.update(np.ascontiguousarray(part).tobytes())
    return made.hexdigest()
