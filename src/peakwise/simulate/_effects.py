"""The table of physics effects: what varies from pattern to pattern, between which limits, and why those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["EFFECTS", "Effect", "Range", "Ranges"]


@dataclass(frozen=True, slots=True)
class Range:
    """Between which values an effect is drawn.

    Parameters
    ----------
    low, high : float
    spacing : {"uniform", "log"}
        Whether equal steps or equal ratios are equally probable.
    share : float
        Share of the patterns (or of the phases in them) in which the effect acts at all.
    """

    low: float
    high: float
    spacing: str = "uniform"
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of the table: an effect with its default range."""

    name: str
    unit: str
    default: Range
    why: str
    per_phase: bool = False
    lowest: float = -np.inf
    highest: float = np.inf


def _phase(name: str, unit: str, low: float, high: float, why: str, limits: tuple[float, float], **kw: Any) -> Effect:
    return Effect(name, unit, Range(low, high, **kw), why, True, *limits)


def _frame(name: str, unit: str, low: float, high: float, why: str, limits: tuple[float, float], **kw: Any) -> Effect:
    return Effect(name, unit, Range(low, high, **kw), why, False, *limits)


# The order is the order of the draws: a new effect goes to the end of its half, so that old seeds keep their patterns.
EFFECTS: dict[str, Effect] = {
    effect.name: effect
    for effect in (
        _phase("expansion", "relative", -0.01, 0.01,
               "same relative change of all lengths: 1 % is 500 K of a common oxide, or 10 % of a solid solution "
               "of ions that differ by a tenth",
               (-0.2, 0.2)),
        _phase("distortion", "relative", -0.004, 0.004,
               "change of single lengths as far as the symmetry allows: the anisotropic part of expansion, and "
               "errors of published cells",
               (-0.2, 0.2)),
        _phase("shear", "deg", -0.2, 0.2,
               "change of the angles that the symmetry leaves free (monoclinic, triclinic, rhombohedral)", (-10, 10)),
        _phase("size", "nm", 10.0, 300.0,
               "crystallite size (Scherrer, K = 0.9): below 10 nm few scans show lines, above 300 nm nothing "
               "broadens any more",
               (0.5, 1e6), spacing="log"),
        _phase("size_ratio", "1", 0.4, 2.5, "plates and needles: size along the unique axis over size across "
        "it", (0.05, 20),
               spacing="log", share=0.3),
        _phase("microstrain", "1", 0.0, 0.003, "FWHM / (4 tan theta): 0.1 % is usual for oxides, 0.3 % for "
        "milled powders",
               (0, 0.05)),
        _phase("microstrain_ratio", "1", 0.5, 2.0, "microstrain along the unique axis over that across it", (0.1, 10),
               spacing="log", share=0.3),
        _phase("b_extra", "angstrom^2", 0.0, 1.0,
               "displacement beyond that of the CIF: many CIFs carry none, and heating to 600 K adds about "
               "1", (0, 20)),
        _phase("march", "1", 0.5, 1.6, "March-Dollase r of a pressed powder: plates below 1, needles "
        "above", (0.02, 50),
               spacing="log", share=0.6),
        _phase("second_march", "1", 0.6, 1.4, "a second texture axis for a part of the crystallites", (0.02, 50),
               spacing="log", share=0.15),
        _phase("film", "1", 0.05, 0.3, "a film grown along one axis, which shows few lines; off unless asked "
        "for", (0.02, 50),
               spacing="log", share=0.0),
        _frame("zero", "deg", -0.05, 0.05, "zero error of a goniometer that was aligned some time ago", (-5, 5)),
        _frame("displacement", "mm", -0.15, 0.15, "height error of a hand-pressed sample; offset of a capillary across "
        "the beam", (-5, 5)),
        _frame("transparency", "rad", 0.0, 1e-3, "1 / (2 mu R): organic matter on a 200 mm "
        "goniometer; in transmission it does not act", (0, 0.05), share=0.2),
        _frame("absorption", "1", 0.3, 2.0, "mu t of a thin layer, or mu R of a capillary", (0, 3), share=0.0),
        _frame("width", "1", 0.8, 1.5, "factor on the instrument's FWHM: slits and detectors "
        "differ", (0.1, 20), spacing="log"),
        _frame("background", "share of the strongest peak", 0.003, 0.2,
               "mean level of a smooth background: from a zero-background holder to a weak scatterer on "
               "glass", (0, 100),
               spacing="log"),
        _frame("shape", "share of the level", -0.6, 0.6, "each of four Chebyshev coefficients of that "
        "background", (-1, 1)),
        _frame("air", "share of the strongest peak", 0.01, 0.3, "air scatter and the direct beam, falling as 1 / "
        "two_theta",
               (0, 100), spacing="log", share=0.4),
        _frame("fluorescence", "share of the strongest peak", 0.01, 0.3, "constant: iron and cobalt in copper "
        "radiation", (0, 100),
               spacing="log", share=0.2),
        _frame("hump", "share of the strongest peak", 0.01, 0.3, "height of up to two amorphous humps (glass, "
        "polymer)", (0, 100),
               spacing="log", share=0.3),
        _frame("hump_q", "1/angstrom", 1.0, 3.2, "position of a hump: glasses and polymers have their first one "
        "here", (0.1, 20)),
        _frame("hump_width_q", "1/angstrom", 0.3, 0.9, "FWHM of a hump: correlation lengths of some "
        "angstroms", (0.05, 10)),
        _frame("measured", "share of the strongest peak", 0.01, 0.3,
               "level of a measured background, where a bank of them is given", (0, 100), spacing="log"),
        _frame("counts", "counts", 300.0, 30_000.0,
               "at the strongest peak: a scan of some minutes to a scan over night", (1, 1e9), spacing="log"),
        _frame("impurity", "share of the strongest line", 0.005, 0.04,
               "up to four foreign lines, below what usually is reported as a "
               "phase", (0, 10), spacing="log", share=0.3),
        _frame("impurity_width", "deg", 0.1, 0.4, "FWHM of a foreign line", (0.001, 20), spacing="log"),
        _frame("spike", "share of the strongest peak", 0.05, 1.0, "up to two cosmic rays or hot pixels", (0, 100),
               share=0.03),
        _frame("min_weight", "weight fraction", 0.03, 0.03, "smallest weight fraction of a phase in a mixture: "
        "what a lab scan can show",
               (0, 0.5)),
        _frame("displacement_along", "mm", -0.15, 0.15, "offset of a capillary along the beam; in reflection it does "
        "not act", (-5, 5)),
    )
}  # fmt: skip


class Ranges:
    """Which effects vary, and between which limits.

    Parameters
    ----------
    **effects : Range, (low, high), number or None
        A range for an effect of the table ``EFFECTS``; a pair keeps the default's spacing and share, a number fixes
        the value in all patterns, None switches the effect off. What is not named keeps its default.

    Examples
    --------
    >>> ranges = Ranges(size=(20, 60), march=None, counts=5000)
    >>> ranges["size"]
    Range(low=20.0, high=60.0, spacing='log', share=1.0)
    >>> ranges["march"] is None
    True
    >>> Ranges(sizes=3)
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: unknown effect: got 'sizes', the effects are expansion, ... Use one of these names.
    """

    def __init__(self, **effects: Range | tuple[float, float] | float | None) -> None:
        unknown = next((name for name in effects if name not in EFFECTS), None)
        if unknown is not None:
            raise OptionError(
                "unknown effect", f"got {unknown!r}, the effects are {', '.join(EFFECTS)}", "Use one of these names"
            )
        self._ranges = {n: e.default if n not in effects else _range(e, effects[n]) for n, e in EFFECTS.items()}

    @classmethod
    def none(cls, **effects: Range | tuple[float, float] | float | None) -> Ranges:
        """Everything off but the effects that are named."""
        return cls(**(dict.fromkeys(EFFECTS) | effects))

    @classmethod
    def film(cls, **effects: Range | tuple[float, float] | float | None) -> Ranges:
        """Thin films: one strong texture axis, thin layers, a substrate's hump."""
        given: dict[str, Any] = {
            "film": Range(0.05, 0.3, "log"),
            "march": None,
            "second_march": None,
            "absorption": Range(0.01, 1.0, "log"),
        }
        return cls(**(given | effects))

    def __getitem__(self, name: str) -> Range | None:
        return self._ranges[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self._ranges == other._ranges

    def __hash__(self) -> int:
        return hash(tuple(self._ranges.items()))

    def __repr__(self) -> str:
        changed = (f"{n}={r!r}" for n, r in self._ranges.items() if r != EFFECTS[n].default)
        return f"Ranges({', '.join(changed)})"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as a model's recipe keeps them."""
        return {n: None if r is None else [r.low, r.high, r.spacing, r.share] for n, r in self._ranges.items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Ranges:
        """The inverse of `to_dict`; effects that are not stored are off."""
        return cls.none(
            **{
                n: None if r is None else Range(float(r[0]), float(r[1]), str(r[2]), float(r[3]))
                for n, r in stored.items()
            }
        )

    def top(self, name: str, otherwise: float = 0.0) -> float:
        """The largest absolute value that can be drawn."""
        r = self._ranges[name]
        return otherwise if r is None or r.share <= 0 else max(abs(r.low), abs(r.high))

    def bottom(self, name: str, otherwise: float = 0.0) -> float:
        """The smallest value that can be drawn."""
        r = self._ranges[name]
        return otherwise if r is None or r.share <= 0 else r.low


def _range(effect: Effect, given: Range | tuple[float, float] | float | None) -> Range | None:
    """One user's range, checked."""
    if given is None:
        return None
    usual = effect.default
    try:
        if isinstance(given, Range):
            made = Range(float(given.low), float(given.high), given.spacing, float(given.share))
        elif isinstance(given, (tuple, list)):
            low, high = given
            made = Range(float(low), float(high), usual.spacing, usual.share or 1.0)
        else:
            made = Range(float(given), float(given))
    except (TypeError, ValueError) as problem:
        raise OptionError(
            f"cannot use the range of {effect.name}", f"got {given!r}", "Give (low, high), a number or None"
        ) from problem
    if made.spacing == "log" and made.low <= 0:
        made = Range(made.low, made.high, "uniform", made.share)
    why = None
    if not (np.isfinite(made.low) and np.isfinite(made.high) and made.low <= made.high):
        why = f"low <= high is needed, got {made.low:g} to {made.high:g}"
    elif made.low < effect.lowest or made.high > effect.highest:
        span = f"{made.low:g} to {made.high:g}"
        why = f"it must lie within {effect.lowest:g} and {effect.highest:g} {effect.unit}, got {span}"
    elif made.spacing not in ("uniform", "log"):
        why = f"spacing must be uniform or log, got {made.spacing!r}"
    elif not 0 <= made.share <= 1:
        why = f"share must lie within 0 and 1, got {made.share:g}"
    if why:
        raise OptionError(
            f"cannot use the range of {effect.name}", why, f"The default is {usual.low:g} to {usual.high:g}"
        )
    return made
