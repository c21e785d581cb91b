"""2-D detector frames (CBF, TIFF, EDF, mar345) with a calibration of pyFAI beside them, integrated to patterns.

The byte layouts stand in `_frames.py`, the calibration's in `_poni.py`. What the numbers mean after integration:

* intensity: mean counts per pixel on a cone of 2θ, corrected for the solid angle of the pixels (pyFAI's default), so
  in arbitrary units; pixels that are negative or at the top of an unsigned type (gaps, dead and hot ones) are left
  out, and so are those of the detector's own mask where pyFAI knows the detector;
* polarisation: corrected where the frame's header states the factor, as Pilatus detectors do (0.99 at a
  synchrotron); else not corrected, and a warning says so;
* sigma: Poisson, from the counts of the pixels, at least one count in a bin;
* points: one for each pixel along the longest radius from the beam; finer bins only share pixels and are not
  independent;
* which way up: a calibration of version 2.1 says it. The older ones do not, and Dioptas calibrates frames that it
  has turned upside down. There both ways are tried, and the one with the sharper rings is taken; the other one is
  smeared by a misplaced beam. A warning says when it was turned.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._frames import frame_kind, missing, read_frames
from peakwise.io._poni import Geometry, find_poni, parse_poni
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

_METHOD = ("bbox", "csr", "cython")  # pixels shared between neighbouring bins; exact sums, the same on every machine
_UNIT = "2th_deg"
_RINGS, _SHARPER = 2.0, 1.25  # steps above their noise that are rings; by how much they must grow to turn the frame


def _sniff(source: Source) -> bool:
    return frame_kind(source.head) is not None


def _read(source: Source) -> list[Scan]:
    poni = find_poni(source)
    geometry = parse_poni(poni, source)
    frames, header = read_frames(source)
    integrator = _integrator(geometry, frames[0].shape, source)
    notes = [f"integrated with {poni.name}"]
    polarisation = header.get("polarisation")
    if polarisation is None:
        notes.append("the frame does not state the polarisation: it was not corrected")
    if not geometry.says_orientation and _is_upside_down(integrator, frames[0]):
        notes.append(f"{poni.name} fits the frame turned upside down (as Dioptas calibrates): it was turned")
        frames = [f[::-1] for f in frames]
    rows = [_integrate(integrator, f, _mask(f), polarisation) for f in frames]
    return [
        Scan(
            rows[0][0],
            np.stack([r[1] for r in rows]),
            "two_theta",
            np.stack([r[2] for r in rows]),
            Radiation(geometry.wavelength * 1e10) if geometry.wavelength is not None else None,
            "arbitrary",
            meta={"count_time": header.get("count_time")},
            warnings=notes,
        )
    ]


def _integrator(geometry: Geometry, shape: tuple[int, ...], source: Source) -> Any:
    """PyFAI's integrator for a geometry; the detector is made from its name and numbers."""
    try:
        from pyFAI.detectors import Detector
        from pyFAI.integrator.azimuthal import AzimuthalIntegrator
    except ImportError as problem:
        raise missing("pyFAI", source) from problem
    kind = Detector.registry.get(geometry.detector.lower())
    if kind is None or kind.__name__ == "NexusDetector":
        raise source.damaged(f"pyFAI knows no detector {geometry.detector!r}", "Calibrate again with pyFAI")
    config = dict(geometry.config)
    if kind is Detector:
        config["max_shape"] = shape
    detector = kind(**config)
    if detector.max_shape is not None and tuple(detector.max_shape) != tuple(shape):
        expected = "x".join(map(str, detector.max_shape))
        raise source.damaged(
            f"the frame has {shape[0]}x{shape[1]} pixels, the detector of the calibration {expected}",
            "Use the calibration of this detector",
        )
    return AzimuthalIntegrator(
        geometry.distance, geometry.poni1, geometry.poni2, geometry.rot1, geometry.rot2, geometry.rot3,
        detector=detector, wavelength=geometry.wavelength,
    )  # fmt: skip


def _mask(frame: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels that hold no counts: gaps and dead ones are negative, or all bits set in unsigned frames."""
    if frame.dtype.kind == "u":
        return np.asarray(frame == np.iinfo(frame.dtype).max)
    return np.asarray(~(frame >= 0))


def _integrate(
    integrator: Any,
    frame: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    polarisation: float | None,
    n: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """2θ, intensity and sigma; NaN where no pixel lies."""
    centre = integrator.array_from_unit(frame.shape, "center", _UNIT)
    half = integrator.array_from_unit(frame.shape, "delta", _UNIT)
    # The same range whatever is masked, so that all frames of a series share their grid.
    span = max(0.0, float((centre - half).min())), float((centre + half).max())
    result = integrator.integrate1d(
        frame, n or _radial_pixels(integrator, frame.shape), mask=mask, unit=_UNIT, radial_range=span, method=_METHOD,
        error_model="poisson", polarization_factor=polarisation, correctSolidAngle=True,
    )  # fmt: skip
    norm = np.asarray(result.sum_normalization, dtype=np.float64)
    hit = norm > 0
    intensity, sigma = np.full(norm.shape, np.nan), np.full(norm.shape, np.nan)
    intensity[hit] = np.asarray(result.sum_signal, dtype=np.float64)[hit] / norm[hit]
    # A bin without a single count is not known exactly: one count could have been.
    sigma[hit] = np.sqrt(np.maximum(np.asarray(result.sum_variance, dtype=np.float64)[hit], 1.0)) / norm[hit]
    return np.asarray(result.radial, dtype=np.float64), intensity, sigma


def _radial_pixels(integrator: Any, shape: tuple[int, ...]) -> int:
    """How many pixels lie along the longest radius from the beam across the frame."""
    radius = integrator.array_from_unit(shape, "center", "r_m")
    pixel = float(min(integrator.detector.pixel1, integrator.detector.pixel2))
    return max(2, math.ceil(float(radius.max() - radius.min()) / pixel))


def _is_upside_down(integrator: Any, frame: NDArray[Any]) -> bool:
    """Whether there are rings, and they are clearly sharper after the frame is turned upside down."""
    turned = _sharpness(integrator, frame[::-1])
    return turned > _RINGS and turned > _SHARPER * _sharpness(integrator, frame)


def _sharpness(integrator: Any, frame: NDArray[Any]) -> float:
    """Mean square of the steps from point to point, in units of their noise: 1 without rings, less if they are cut."""
    _, intensity, sigma = _integrate(integrator, frame, _mask(frame), None)
    return float(np.nanmean(np.diff(intensity) ** 2 / (sigma[1:] ** 2 + sigma[:-1] ** 2)))


IMAGES = Format(
    "images",
    "2-D detector frames (CBF, TIFF, EDF, mar345) with a .poni of pyFAI beside them (extra: images)",
    (".cbf", ".tif", ".tiff", ".edf", ".mar2300", ".mar3450", ".mar1800", ".mar1200", ".mar2400"),
    _sniff,
    _read,
)
