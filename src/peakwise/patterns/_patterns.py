"""`Patterns`: many 1-D patterns on one axis, with what is known about each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from peakwise.errors import AxisError, GridError, PatternsError
from peakwise.patterns._axes import AXES, axis_kind, convert_axis
from peakwise.patterns._radiation import Radiation, as_radiation
from peakwise.patterns._resample import bin_edges, make_grid, rebin
from peakwise.patterns._validate import as_axis, as_column, as_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import xarray
    from numpy.typing import ArrayLike, NDArray

__all__ = ["INTENSITY_UNITS", "Patterns", "concatenate"]

# Counts add up when bins are joined, and so does what may be counts. Rates and what does not grow with the width of a
# bin (means of detector pixels, absorbance) are averaged.
INTENSITY_UNITS = ("counts", "counts/s", "arbitrary", "absorbance", "transmittance", "unknown")
AVERAGED_UNITS = frozenset({"counts/s", "arbitrary", "absorbance", "transmittance"})

# Two grids are one grid when no point is further off than this share of a step.
SAME_GRID = 1e-3


class Patterns:
    """Many 1-D patterns on one axis (frozen).

    Parameters
    ----------
    axis : array-like of shape (m,)
        Positions, finite and strictly rising.
    intensity : array-like of shape (n, m) or (m,)
        One row per pattern. NaN marks what was not measured.
    kind : str
        What the axis is, a name in `AXES`: ``two_theta`` [deg], ``q`` [1/angstrom], ``d`` [angstrom],
        ``energy`` [keV], ``wavenumber`` [1/cm], ``raman_shift`` [1/cm], ``frequency`` [THz] ...
    wavelength : float, str or Radiation, optional
        In angstrom, or a name such as ``CuKa1``.
    sigma : array-like like `intensity`, optional
        Standard uncertainty of each intensity.
    names : sequence of str, optional
        One name per pattern; by default its number.
    meta : mapping of str to sequence, optional
        What is known per pattern: ``temperature`` [K], ``pressure`` [GPa], ``time`` [s], ``label`` ... One entry per
        pattern, or one value for all.
    unit : str
        Unit of the intensity, one of `INTENSITY_UNITS`.
    warnings : sequence of str
        What was assumed or repaired on the way here.
    failed : sequence of (str, str)
        Files that were left out, and why.

    Examples
    --------
    >>> import peakwise as pw
    >>> scans = pw.Patterns([10, 20, 30], [[1, 2, 3], [4, 5, 6]], wavelength="CuKa1", meta={"temperature": [300, 400]})
    >>> scans
    Patterns: 2 patterns of 3 points, two_theta 10 to 30 deg, wavelength 1.54059 angstrom, with temperature
    >>> scans[scans.meta["temperature"] > 350].intensity
    array([[4., 5., 6.]])
    """

    __slots__ = ("axis", "failed", "intensity", "kind", "meta", "names", "radiation", "sigma", "unit", "warnings")

    axis: NDArray[np.float64]
    intensity: NDArray[np.floating]
    sigma: NDArray[np.floating] | None
    kind: str
    radiation: Radiation | None
    names: NDArray[np.str_]
    meta: Mapping[str, NDArray[Any]]
    unit: str
    warnings: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]

    def __init__(
        self,
        axis: ArrayLike,
        intensity: ArrayLike,
        kind: str = "two_theta",
        *,
        wavelength: float | str | Radiation | None = None,
        sigma: ArrayLike | None = None,
        names: Sequence[str] | NDArray[np.str_] | None = None,
        meta: Mapping[str, Any] | None = None,
        unit: str = "unknown",
        warnings: Iterable[str] = (),
        failed: Iterable[tuple[str, str]] = (),
    ) -> None:
        values = as_rows(intensity, "intensity")
        points = as_axis(axis, values.shape[1])
        n = len(values)
        if unit not in INTENSITY_UNITS:
            why = f"unit must be one of {', '.join(INTENSITY_UNITS)}, got {unit!r}"
            raise PatternsError("cannot make patterns", why, "Use counts, or unknown when you do not know")
        spread = None if sigma is None else as_rows(sigma, "sigma")
        if spread is not None and spread.shape != values.shape:
            why = f"sigma must have the shape of intensity {values.shape}, got {spread.shape}"
            raise PatternsError("cannot make patterns", why, "Give one uncertainty per intensity")
        titles = np.array([str(i) for i in range(n)] if names is None else [str(x) for x in names], dtype=np.str_)
        if titles.shape != (n,):
            why = f"{n} patterns need as many names, got {titles.size}"
            raise PatternsError("cannot make patterns", why, "Give one name per pattern")
        put = object.__setattr__
        put(self, "axis", _locked(points))
        put(self, "intensity", _locked(values))
        put(self, "sigma", None if spread is None else _locked(spread))
        put(self, "kind", axis_kind(kind))
        put(self, "radiation", as_radiation(wavelength))
        put(self, "names", _locked(titles))
        put(self, "meta", {str(k): _locked(as_column(k, v, n)) for k, v in (meta or {}).items()})
        put(self, "unit", unit)
        put(self, "warnings", tuple(dict.fromkeys(str(w) for w in warnings)))
        put(self, "failed", tuple((str(f), str(w)) for f, w in failed))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Patterns are frozen: use replace({name}=...) to make changed ones")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Patterns are frozen: {name} cannot be deleted")

    def __reduce__(self) -> tuple[object, ...]:
        return _remake, ({name: getattr(self, name) for name in self.__slots__},)

    @property
    def wavelength(self) -> float | None:
        """Wavelength [angstrom], or None where it is not known."""
        return None if self.radiation is None else self.radiation.wavelength

    @property
    def n_points(self) -> int:
        """Number of points of each pattern."""
        return int(self.axis.size)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of patterns and number of points."""
        return len(self), self.n_points

    @property
    def step(self) -> float:
        """Median distance between neighbouring points, in the unit of the axis."""
        return float(np.median(np.diff(self.axis)))

    def __len__(self) -> int:
        return len(self.intensity)

    def __iter__(self) -> Iterator[Patterns]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.intensity, dtype=dtype, copy=copy)

    def __getitem__(self, which: int | slice | Sequence[int] | NDArray[Any]) -> Patterns:
        """Patterns by number, slice, list of numbers or mask; always a `Patterns`."""
        try:
            rows = np.arange(len(self))[np.atleast_1d(which) if not isinstance(which, slice) else which]
        except IndexError as problem:
            why = f"there are {len(self)} patterns, got {which!r}"
            raise PatternsError("no such pattern", why, "Count from 0, or pass a mask of that length") from problem
        return self.replace(
            intensity=self.intensity[rows],
            sigma=None if self.sigma is None else self.sigma[rows],
            names=self.names[rows],
            meta={k: v[rows] for k, v in self.meta.items()},
        )

    def __repr__(self) -> str:
        n, m = self.shape
        text = f"Patterns: {n} pattern{'s' * (n != 1)} of {m} points, {self.kind} {self.axis[0]:g} to {self.axis[-1]:g}"
        text += f" {AXES[self.kind].unit}".rstrip()
        if self.radiation is not None:
            text += f", wavelength {self.radiation.wavelength:.6g} angstrom"
        return text + (f", with {', '.join(self.meta)}" if self.meta else "")

    def replace(self, **changes: Any) -> Patterns:
        """Return patterns with some fields changed.

        >>> import peakwise as pw
        >>> pw.Patterns([1, 2, 3], [1, 2, 3]).replace(wavelength=0.5).wavelength
        0.5
        """
        if "radiation" in changes:
            changes["wavelength"] = changes.pop("radiation")
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "radiation"}
        return Patterns(**({**fields, "wavelength": self.radiation} | changes))

    def with_meta(self, **columns: Any) -> Patterns:
        """Return patterns with more (or other) metadata columns."""
        return self.replace(meta={**self.meta, **columns})

    def crop(self, start: float | None = None, stop: float | None = None) -> Patterns:
        """Return the part with start <= axis <= stop."""
        low, high = self.axis[0] if start is None else start, self.axis[-1] if stop is None else stop
        keep = (self.axis >= low) & (self.axis <= high)
        if keep.sum() < 2:
            why = f"fewer than two points lie within {low:g} and {high:g}; the axis runs {_span(self)}"
            raise AxisError("cannot crop", why, "Choose a range inside the axis")
        return self.replace(
            axis=self.axis[keep],
            intensity=self.intensity[:, keep],
            sigma=None if self.sigma is None else self.sigma[:, keep],
        )

    def resample(self, grid: ArrayLike | tuple[float, float, int], *, fill: float | None = None) -> Patterns:
        """Return the patterns on another grid.

        Where the new grid is coarser, bins are summed, so that counts are kept (rates, arbitrary units, absorbance and
        transmittance are averaged). Where it is finer, values are interpolated, and a warning says so: interpolated
        points are not independent measurements.

        Parameters
        ----------
        grid : (start, stop, n) or array-like
            The new grid.
        fill : float, optional
            Value for grid points outside the measured range; without it they are an error.

        Examples
        --------
        >>> import peakwise as pw
        >>> fine = pw.Patterns([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 5], unit="counts")
        >>> fine.resample([1.5, 3.5, 5.5]).intensity
        array([[2., 2., 6.]])
        """
        target = make_grid(grid)
        edges = bin_edges(self.axis)
        outside = (target < edges[0]) | (target > edges[-1])
        if outside.all() or (outside.any() and fill is None):
            why = f"the grid runs {target[0]:g} to {target[-1]:g}, the patterns {_span(self)}"
            raise GridError("cannot resample", why, "Choose a grid inside that range, or pass fill=")
        variance = None if self.sigma is None else self.sigma**2
        done = rebin(self.axis, self.intensity, target, variance=variance, mean=self.unit in AVERAGED_UNITS)
        values, spread = done.intensity, None if done.variance is None else np.sqrt(done.variance)
        if outside.any():
            values[:, outside] = fill
            if spread is not None:
                spread[:, outside] = np.nan
        notes = list(self.warnings)
        if done.n_interpolated:
            notes.append(
                f"{done.n_interpolated} of {target.size} grid points are finer than the measured steps and were "
                "interpolated"
            )
        return self.replace(axis=target, intensity=values, sigma=spread, warnings=notes)

    def to_axis(
        self, kind: str, *, wavelength: float | str | Radiation | None = None, two_theta: float | None = None
    ) -> Patterns:
        """Return the patterns along another kind of axis; every point keeps its intensity.

        Parameters
        ----------
        kind : str
            Name of the axis in `AXES`.
        wavelength : float, str or Radiation, optional
            When the target is ``two_theta``: the wavelength to express it in (default: the patterns' own). When the
            patterns are in ``two_theta``: used only where they have none.
        two_theta : float, optional
            Fixed angle [deg] of an energy-dispersive detector.
        """
        own, asked = self.radiation, as_radiation(wavelength)
        radiation: Radiation | None
        if self.kind == kind == "two_theta" and own is not None and asked is not None:
            q = convert_axis(self.axis, "two_theta", "q", wavelength=own.wavelength)
            axis, radiation = convert_axis(q, "q", "two_theta", wavelength=asked.wavelength), asked
        else:
            radiation = asked if (kind == "two_theta" and asked is not None) or own is None else own
            lam = None if radiation is None else radiation.wavelength
            axis = convert_axis(self.axis, self.kind, kind, wavelength=lam, two_theta=two_theta)
        rows, spread = self.intensity, self.sigma
        if axis[0] > axis[-1]:
            axis, rows, spread = axis[::-1], rows[:, ::-1], None if spread is None else spread[:, ::-1]
        return self.replace(axis=axis, intensity=rows, sigma=spread, kind=kind, radiation=radiation)

    def same_grid(self, other: Patterns | ArrayLike) -> bool:
        """Whether the other patterns (or a plain axis) share this grid."""
        if isinstance(other, Patterns) and other.kind != self.kind:
            return False
        axis = other.axis if isinstance(other, Patterns) else np.asarray(other, dtype=np.float64)
        if axis.shape != self.axis.shape:
            return False
        return bool(np.abs(axis - self.axis).max() <= SAME_GRID * np.diff(self.axis).min())

    def equals(self, other: object) -> bool:
        """Whether every field is the same, NaN being equal to NaN."""
        if not isinstance(other, Patterns) or set(self.meta) != set(other.meta):
            return False
        pairs = [(self.axis, other.axis), (self.intensity, other.intensity), (self.names, other.names)]
        pairs += [(v, other.meta[k]) for k, v in self.meta.items()]
        if (self.sigma is None) != (other.sigma is None):
            return False
        if self.sigma is not None and other.sigma is not None:
            pairs.append((self.sigma, other.sigma))
        plain = ("kind", "radiation", "unit", "warnings", "failed")
        return all(getattr(self, k) == getattr(other, k) for k in plain) and all(_same(a, b) for a, b in pairs)

    def to_xarray(self) -> xarray.Dataset:
        """Return an xarray Dataset: variable ``intensity`` with dims (``pattern``, ``x``); nothing is lost."""
        from peakwise.patterns._xarray import to_xarray

        return to_xarray(self)

    @classmethod
    def from_xarray(cls, data: xarray.Dataset | xarray.DataArray) -> Self:
        """The inverse of `to_xarray`; also takes a DataArray or Dataset of your own with those dims."""
        from peakwise.patterns._xarray import from_xarray

        return cast("Self", from_xarray(data))


def concatenate(patterns: Iterable[Patterns]) -> Patterns:
    """Join patterns that share a grid into one object; metadata that some lack become NaN or empty text.

    >>> import peakwise as pw
    >>> a = pw.Patterns([1, 2, 3], [1, 2, 3], names=["a"])
    >>> b = pw.Patterns([1, 2, 3], [4, 5, 6], names=["b"], meta={"temperature": [300]})
    >>> both = pw.concatenate([a, b])
    >>> both.names, both.meta["temperature"]
    (array(['a', 'b'], dtype='<U1'), array([ nan, 300.]))
    """
    parts = list(patterns)
    if not parts:
        raise PatternsError("cannot join patterns", "there are none", "Pass at least one")
    first = parts[0]
    for part in parts[1:]:
        if not first.same_grid(part):
            why = f"they are on different grids: {_grid(first)} and {_grid(part)}"
            raise GridError("cannot join patterns", why, "Bring them onto one grid with resample((start, stop, n))")
        if part.wavelength != first.wavelength and first.kind == "two_theta":
            why = f"they have different wavelengths: {first.wavelength} and {part.wavelength} angstrom"
            raise GridError("cannot join patterns", why, "Convert them with to_axis('q') and resample")
    if len(parts) == 1:
        return first
    has_sigma = all(p.sigma is not None for p in parts)
    columns = dict.fromkeys(k for p in parts for k in p.meta)
    return first.replace(
        intensity=np.concatenate([p.intensity for p in parts]),
        sigma=np.concatenate([cast("NDArray[np.floating]", p.sigma) for p in parts]) if has_sigma else None,
        names=np.concatenate([p.names for p in parts]),
        meta={k: _join_column([p.meta.get(k) for p in parts], [len(p) for p in parts]) for k in columns},
        unit=first.unit if all(p.unit == first.unit for p in parts) else "unknown",
        warnings=[w for p in parts for w in p.warnings],
        failed=[f for p in parts for f in p.failed],
    )


def _remake(fields: dict[str, Any]) -> Patterns:
    radiation = fields.pop("radiation")
    return Patterns(wavelength=radiation, **fields)


def _join_column(parts: list[NDArray[Any] | None], lengths: list[int]) -> NDArray[Any]:
    """One column of several objects; what is missing becomes NaN among numbers and empty among texts."""
    if any(p is not None and p.dtype.kind == "U" for p in parts):
        texts = zip(parts, lengths, strict=True)
        return np.concatenate([np.full(n, "") if p is None else p.astype(np.str_) for p, n in texts])
    return np.concatenate([np.full(n, np.nan) if p is None else p for p, n in zip(parts, lengths, strict=True)])


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view; the caller's own array stays writable."""
    view = array.view()
    view.flags.writeable = False
    return view


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")


def _span(patterns: Patterns) -> str:
    return f"{patterns.axis[0]:g} to {patterns.axis[-1]:g}"


def _grid(p: Patterns) -> str:
    return f"{p.kind} {_span(p)} in {p.n_points} points"
