"""What a reader hands over: one block of numbers as the file gives it, before any tidying."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from peakwise.io._source import Source
    from peakwise.patterns import Patterns, Radiation

__all__ = ["META", "Format", "Scan"]

# The names under which readers give metadata, with their units. Other names are allowed where a format has more.
META: dict[str, str] = {
    "title": "what the file calls the scan",
    "sample": "name of the sample",
    "date": "start of the measurement, ISO 8601 (YYYY-MM-DDTHH:MM:SS), or as the file writes it",
    "temperature": "sample temperature [K]",
    "pressure": "sample pressure [GPa]",
    "time": "time since the start of the series [s]",
    "count_time": "counting time per point [s]",
    "scan_axis": "what moved, as the file calls it (2Theta, 2Theta-Omega, Gonio ...)",
    "omega": "incidence angle [deg]",
    "chi": "tilt [deg]",
    "phi": "azimuth [deg]",
    "anode": "element symbol of the X-ray tube",
    "voltage": "tube voltage [kV]",
    "current": "tube current [mA]",
    "monitor": "incident-beam monitor, in the unit of the file",
    "attenuation": "largest factor by which counts were multiplied for a beam attenuator",
    "operator": "who measured",
    "instrument": "what it was measured with",
    "laser": "excitation wavelength of a Raman spectrum [nm]",
}


@dataclass(slots=True)
class Scan:
    """One block of a file: an axis and one or many rows of intensity on it.

    `x` has shape (m,), `y` shape (m,) or (n, m), `sigma` the shape of `y`. `x` may fall, repeat or hold NaN: the room
    tidies it and says so. `meta` holds one value for the block, or n values where there are n rows. `kind` None means
    that the file does not say what the axis is. `unit` as in `peakwise.patterns.INTENSITY_UNITS`.
    """

    x: ArrayLike
    y: ArrayLike
    kind: str | None = "two_theta"
    sigma: ArrayLike | None = None
    radiation: Radiation | None = None
    unit: str = "unknown"
    name: str | list[str] | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Format:
    """One line of the table `FORMATS`.

    Parameters
    ----------
    name : str
        What `peakwise info` prints.
    title : str
        One phrase for the documentation.
    suffixes : tuple of str
        Usual suffixes, lower case, with the dot. A hint, never a proof.
    sniff : callable
        Whether a `Source` is of this format, told by its content (`head` is usually enough). Must be quick, must not
        raise, and must not claim other people's files.
    read : callable
        The blocks of a `Source`, or, where the file already holds finished patterns, `Patterns`.
    write : callable, optional
        Writes `Patterns` to a path.
    written : tuple of str
        The suffixes under which `write` writes.
    folder : bool
        Whether the format is a folder (Zarr) rather than a file.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source], list[Scan] | list[Patterns]]
    write: Callable[[Patterns, Any], None] | None = None
    written: tuple[str, ...] = ()
    folder: bool = False
