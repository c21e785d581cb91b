"""The axis doctor: signs that a scan is not what it claims to be, each said in one sentence with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.patterns._radiation import WAVELENGTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from peakwise.patterns._patterns import Patterns

__all__ = ["diagnose"]

_LAB_WAVELENGTH = 0.5  # [angstrom]: laboratory tubes are above (Ag 0.56), high-energy beamlines below
_NARROW = 15.0  # [deg]: with a laboratory tube nearly all materials have their lines beyond
_COARSE_CENTI = 360.0  # above a full turn, degrees must be something else
_Q_LARGEST = 40.0  # [1/angstrom]: beyond what any powder instrument reaches
_D_LARGEST = 500.0  # [angstrom]
_KEV_LARGEST = 400.0
_FLAT_TOP = 3  # neighbouring points at exactly the largest count
_FULL_SCALES = frozenset(2**bits - 1 for bits in (12, 14, 15, 16, 18, 20, 24, 31, 32))
_NORMALISED = (1.0, 100.0, 1000.0)
_ANODE_TOLERANCE = 0.01


def diagnose(patterns: Patterns) -> list[str]:
    """Return what looks wrong with the axis, the counts and the wavelength of some patterns.

    Parameters
    ----------
    patterns : Patterns

    Returns
    -------
    list of str
        One sentence per finding, empty where nothing is suspicious.

    Examples
    --------
    >>> import numpy as np, peakwise as pw
    >>> scan = pw.Patterns(np.arange(500, 9000, 2.0), np.ones(4250), wavelength="CuKa")
    >>> for finding in pw.diagnose(scan):
    ...     print(finding)
    two_theta runs to 8998 deg: these look like centidegrees; divide the axis by 100
    every intensity is 1: the detector was dead, the shutter closed, or this is no scan
    """
    return [finding for check in _CHECKS for finding in check(patterns)]


def _axis_range(p: Patterns) -> list[str]:
    low, high = float(p.axis[0]), float(p.axis[-1])
    if p.kind == "two_theta":
        if high > _COARSE_CENTI:
            return [f"two_theta runs to {high:g} deg: these look like centidegrees; divide the axis by 100"]
        if high > 180 or low < -180:
            return [f"two_theta runs from {low:g} to {high:g} deg, beyond 180: check what the axis is and pass axis="]
        if _steps_like_d(p.axis):
            return ["the steps of two_theta grow with its square, as d-spacings do: pass axis='d' if they are"]
        if high < _NARROW and p.wavelength is not None and p.wavelength > _LAB_WAVELENGTH and high - low > 1:
            return [
                (
                    f"two_theta ends at {high:g} deg, unusual for {p.wavelength:.4g} angstrom: "
                    "pass axis='q' if it is q, or the wavelength if it is shorter"
                )
            ]
    if p.kind == "q" and high > _Q_LARGEST:
        return [f"q runs to {high:g} 1/angstrom: it may be 1/nm (divide by 10) or two_theta (pass axis='two_theta')"]
    if p.kind == "d" and high > _D_LARGEST:
        return [f"d runs to {high:g} angstrom: it may be in pm (divide by 100) or be another axis"]
    if p.kind == "energy" and high > _KEV_LARGEST:
        return [f"energy runs to {high:g} keV: it may be in eV (divide by 1000)"]
    return []


def _steps_like_d(axis: NDArray[np.float64]) -> bool:
    """Whether the steps grow as d² does when a scan in even steps of q is written over d."""
    steps = np.diff(axis)
    if axis.size < 20 or axis[0] <= 0 or steps.max() < 3 * steps.min():
        return False
    middle = (axis[1:] + axis[:-1]) / 2
    slope = np.polyfit(np.log(middle), np.log(steps), 1)[0]
    return bool(1.6 < slope < 2.4)


def _axis_steps(p: Patterns) -> list[str]:
    steps = np.diff(p.axis)
    if p.kind in ("two_theta", "q") and not _steps_like_d(p.axis):
        large = steps > 5 * np.median(steps)
        if large.any():
            at = int(np.argmax(steps))
            return [
                (
                    f"{int(large.sum())} gaps along the axis, the largest from {p.axis[at]:g} to {p.axis[at + 1]:g}: "
                    "points are missing there"
                )
            ]
    return []


def _counts(p: Patterns) -> list[str]:
    y = p.intensity
    found = []
    finite = np.isfinite(y)
    if not finite.all():
        empty = int((~finite.any(axis=1)).sum())
        found.append(
            f"{int((~finite).sum())} of {y.size} intensities are NaN"
            + (f", {empty} patterns are empty" if empty else "")
        )
    with np.errstate(invalid="ignore"):
        low = np.nanmin(np.where(finite, y, np.inf), axis=1)
        high = np.nanmax(np.where(finite, y, -np.inf), axis=1)
    flat = (low == high) & finite.any(axis=1)
    if flat.any():
        value = f"every intensity is {high[flat][0]:g}" if len(p) == 1 else f"{int(flat.sum())} patterns are constant"
        found.append(f"{value}: the detector was dead, the shutter closed, or this is no scan")
    negative = int((y < 0).sum())
    if negative and p.unit not in ("absorbance", "transmittance"):
        found.append(f"{negative} intensities are negative: a background was already subtracted")
    return found


def _saturation(p: Patterns) -> list[str]:
    if p.unit not in ("counts", "counts/s", "unknown"):
        return []
    high = np.max(np.where(np.isfinite(p.intensity), p.intensity, -np.inf), axis=1, keepdims=True)
    top = (
        (p.intensity == high)
        & (high > 10 * np.abs(np.median(p.intensity, axis=1, keepdims=True)))
        & (high > _NORMALISED[1])
    )
    runs = sum(top[:, i : top.shape[1] - _FLAT_TOP + 1 + i].astype(int) for i in range(_FLAT_TOP))
    flat = (np.asarray(runs) >= _FLAT_TOP).any(axis=1)
    full = np.isin(high[:, 0], list(_FULL_SCALES)) & top.any(axis=1)
    which = flat | full
    if not which.any():
        return []
    return [
        (
            f"{'the largest intensity' if len(p) == 1 else f'in {int(which.sum())} patterns the largest intensity'}, "
            f"{high[which][0, 0]:g}, looks cut off: the detector was saturated; measure with an attenuator"
        )
    ]


def _normalised(p: Patterns) -> list[str]:
    y = p.intensity
    if p.unit == "counts" or not np.isfinite(y).all():
        return []
    high = y.max(axis=1)
    same = np.isclose(high, high[0], rtol=1e-9).all() and any(
        np.isclose(high[0], top, rtol=1e-9) for top in _NORMALISED
    )
    if same and (y != np.rint(y)).any():
        return [f"the largest intensity is exactly {high[0]:g}: already normalised, counting statistics are lost"]
    return []


def _wavelength(p: Patterns) -> list[str]:
    if p.kind == "two_theta" and p.radiation is None:
        return ["the wavelength is missing: pass wavelength= (angstrom or a name such as CuKa)"]
    if p.radiation is None:
        return []
    anodes = {str(a) for a in p.meta.get("anode", ())} | ({p.radiation.anode} if p.radiation.anode else set())
    for anode in anodes:
        expected = [v for k, v in WAVELENGTHS.items() if k[:2] == anode[:2].capitalize()]
        if expected and all(abs(v - p.radiation.wavelength) > _ANODE_TOLERANCE * v for v in expected):
            return [
                (
                    f"the wavelength {p.radiation.wavelength:g} angstrom is not that of the {anode} tube in the header "
                    f"({expected[0]:.5g}): check both"
                )
            ]
    return []


_CHECKS: tuple[Callable[[Patterns], list[str]], ...] = (
    _axis_range,
    _axis_steps,
    _counts,
    _saturation,
    _normalised,
    _wavelength,
)
