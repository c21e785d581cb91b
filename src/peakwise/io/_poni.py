"""The geometry of a detector, as pyFAI keeps it in a ``.poni`` file beside the frames.

Grammar (pyFAI manual, "Detector calibration"; versions 1, 2 and 2.1)::

    file = { "#" comment | key ":" value }            a key given again replaces the one before
    Distance Poni1 Poni2 [m]  Rot1 Rot2 Rot3 [rad]  Wavelength [m]
    version 1:  PixelSize1 PixelSize2 [m]  SplineFile  [Detector]
    version 2:  Detector: name  Detector_config: JSON, with ``orientation`` from 2.1

The file is a stranger's: only detectors that pyFAI knows by name are made, with numbers as their settings; one whose
settings name a file (a spline, a NeXus detector) is refused.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peakwise.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.io._source import Source

__all__ = ["Geometry", "find_poni", "parse_poni"]

_MOST_BYTES = 1 << 20
_LENGTHS = ("distance", "poni1", "poni2")
_ANGLES = ("rot1", "rot2", "rot3")


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a ``.poni`` file says: lengths in m, angles in rad."""

    distance: float
    poni1: float
    poni2: float
    rot1: float
    rot2: float
    rot3: float
    wavelength: float | None
    detector: str
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def says_orientation(self) -> bool:
        """Whether the file tells how the frame lies, which the older versions do not."""
        return "orientation" in self.config


def find_poni(source: Source) -> Path:
    """The ``.poni`` file of a frame: that of the same name, else the only one in the folder."""
    folder = source.path.parent
    there = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".poni" and p.is_file())
    own = [p for p in there if p.stem == source.stem]
    if own:
        return own[0]
    if len(there) == 1:
        return there[0]
    names = ", ".join(p.name for p in there[:5])
    why = f"the folder holds {len(there)} ({names}), none is called {source.stem}.poni" if there else "there is none"
    raise ReadError(
        "cannot read the frame",
        f"a 2-D frame needs a .poni file beside it that says where the detector stood; {why}",
        f"Put the calibration there as {source.stem}.poni, or integrate the frame to .xy with its own software",
        file=source.path,
    )


def parse_poni(path: Path, source: Source) -> Geometry:
    """Read a ``.poni`` file; errors name the frame's file and the .poni."""
    with path.open("rb") as stream:
        raw = stream.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise source.damaged(f"{path.name} has more than {_MOST_BYTES} bytes")
    said: dict[str, str] = {}
    for line in raw.decode("utf-8", errors="replace").splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.lstrip().startswith("#"):
            said[key.strip().lower()] = value.strip()
    lacking = [k for k in _LENGTHS if k not in said]
    if lacking:
        raise source.damaged(f"{path.name} does not give {', '.join(lacking)}", "Calibrate again with pyFAI")
    numbers = {k: _number(said.get(k, "0"), k, path, source) for k in (*_LENGTHS, *_ANGLES)}
    lam = said.get("wavelength", "None")
    wavelength = None if lam.lower() in ("none", "") else _number(lam, "wavelength", path, source)
    detector = said.get("detector", "Detector")
    return Geometry(**numbers, wavelength=wavelength, detector=detector, config=_config(said, path, source))


def _number(text: str, key: str, path: Path, source: Source) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise source.damaged(f"{path.name} gives {text!r} as {key}", "Calibrate again with pyFAI")
    return value


def _config(said: dict[str, str], path: Path, source: Source) -> dict[str, Any]:
    """Settings of the detector: numbers, lists of numbers and truth values only."""
    settings: Any = json.loads(said.get("detector_config", "{}"))
    if not isinstance(settings, dict):
        raise source.damaged(f"{path.name} gives {type(settings).__name__} as Detector_config")
    for old, new in (("pixelsize1", "pixel1"), ("pixelsize2", "pixel2")):
        if old in said:
            settings.setdefault(new, _number(said[old], old, path, source))
    files = [said.get("splinefile", "None"), *(v for k, v in settings.items() if isinstance(v, str))]
    named = [f for f in files if f.lower() not in ("none", "")]
    if named:
        raise source.damaged(
            f"{path.name} describes its detector by another file ({named[0]}), which is not opened",
            "Save the calibration with a detector that pyFAI knows by name",
        )
    # The sensor's material and thickness belong to corrections that are not made here.
    kept = {str(k): v for k, v in settings.items() if v is not None and not isinstance(v, str) and k != "sensor"}
    if any(isinstance(v, dict) for v in kept.values()):
        raise source.damaged(f"{path.name} has settings of its detector that are no numbers")
    return kept
