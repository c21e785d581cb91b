"""Whole-pattern fits: a few phases, their cells within the symmetry, widths, texture, shifts and a background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.matching._kernel import N_SHARED, FlatLines, model_of
from peakwise.matching._kernel_fit import fit_loop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.matching._lines import FitLines
    from peakwise.matching._scan import PreparedScan

__all__ = ["Fit", "FitSettings", "Ground", "fit_phases", "phase_curve"]

OWN = 4  # scale, G0, G1, ln r before the cell


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """What may vary, and by how much it is expected to: widths of normal priors.

    Parameters
    ----------
    strain : float
        Relative change of a free length, or shear (half the change of an angle, in radians, as in a strain tensor).
    zero, displacement : float
        [deg]; displacement as the shift at theta = 0.
    texture : float
        ln of March's r.
    model_error : float
        Relative uncertainty of calculated intensities: structures, statistics of grains, extinction.
    floor : float
        Uncertainty of every point as a share of the strongest peak.
    n_background : int
        Chebyshev terms beside the estimated background.
    reach : float
        The profile of the strongest line is cut at so many FWHM; weaker ones where they are as low as that.
    n_steps : int
        Most steps of the least squares.
    tolerance : float
        Relative gain of a step below which the fit has arrived.
    """

    strain: float = 0.006
    zero: float = 0.05
    displacement: float = 0.06
    texture: float = 0.35
    model_error: float = 0.10
    floor: float = 0.004
    n_background: int = 6
    reach: float = 12.0
    n_steps: int = 12
    tolerance: float = 3e-4


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What came out.

    Attributes
    ----------
    ids : tuple of str
    cost : float
        Weighted sum of squares with the priors.
    misfit, empty : float
        Weighted sum of squares of the points with and without the phases (background alone).
    """

    ids: tuple[str, ...]
    parameters: NDArray[np.float64]
    starts: NDArray[np.int64]
    axes: tuple[int, ...]
    cost: float
    misfit: float
    empty: float
    rwp: float
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    fwhm: float

    def own(self, i: int) -> NDArray[np.float64]:
        """Parameters of phase i: scale, G0, G1, ln r, then the cell's."""
        return self.parameters[self.starts[i] : self.starts[i + 1]]

    @property
    def scales(self) -> NDArray[np.float64]:
        """Scale of each phase: proportional to its weight."""
        return self.parameters[self.starts[:-1]]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all fits of one scan share: made once for many."""

    weight: NDArray[np.float64]
    basis: NDArray[np.float64]
    above: NDArray[np.float64]  # intensity above the estimated background
    counting: NDArray[np.float64]  # weights of the counting noise alone

    @classmethod
    def of(cls, scan: PreparedScan, settings: FitSettings) -> Ground:
        """The ground of a scan."""
        basis = background_basis(scan.x, settings.n_background)
        return cls(point_weights(scan, settings), basis, scan.y - scan.background, 1.0 / scan.noise**2)


def fit_phases(
    scan: PreparedScan,
    phases: Sequence[FitLines],
    *,
    settings: FitSettings = FitSettings(),
    axes: Sequence[int] | None = None,
    start: NDArray[np.float64] | None = None,
    zero: float = 0.0,
    strains: Sequence[float | NDArray[np.float64]] | None = None,
    ground: Ground | None = None,
) -> Fit:
    """Fit phases to a scan; `ground` is that of the scan and the settings, where it was made before."""
    axes = tuple(axes) if axes is not None else (0,) * len(phases)
    ground = ground or Ground.of(scan, settings)
    basis = ground.basis
    sizes = [OWN + p.basis.shape[1] for p in phases]
    starts = N_SHARED + np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    n = int(starts[-1]) + len(basis)
    centre, spread = np.zeros(n), np.zeros(n)
    centre[2], spread[:3] = 0.5, (settings.zero, settings.displacement, 0.25)
    for i, p in enumerate(phases):
        a, b = starts[i], starts[i + 1]
        centre[a + 1 : a + 3] = 0.85 * scan.fwhm, 0.15 * scan.fwhm
        spread[a] = 0.0
        spread[a + 1 : a + 4] = 0.6 * scan.fwhm, 0.8 * scan.fwhm, settings.texture
        spread[a + OWN : b] = settings.strain
        del p
    begin = centre.copy() if start is None else start.copy()
    if start is None:
        begin[0] = zero
        for i in range(len(phases)):
            if strains is not None:
                cell, given = begin[starts[i] + OWN : starts[i + 1]], np.asarray(strains[i], np.float64)
                cell[: cell.size if given.ndim else lengths_of(phases[i])] = given
    lines = flat_lines(scan, phases, axes, settings, starts)
    parameters, cost, misfit, empty, model = fit_loop(
        scan.x, ground.above, ground.weight, basis, lines, begin, centre, spread, scan.fwhm, start is None,
        settings.n_steps, settings.tolerance,
    )  # fmt: skip
    extra = parameters[starts[-1] :] @ basis
    off = float(ground.counting @ (ground.above - model) ** 2)
    rwp = float(np.sqrt(off / (ground.counting @ scan.y**2)))
    ids = tuple(p.id for p in phases)
    return Fit(
        ids, parameters, starts, axes, cost, misfit, empty, rwp, model - extra, scan.background + extra, scan.fwhm
    )


def phase_curve(
    scan: PreparedScan, lines: FitLines, fit: Fit, which: int, settings: FitSettings
) -> NDArray[np.float64]:
    """What phase number `which` of a fit contributes to the scan."""
    own = fit.own(which)
    starts = np.array([N_SHARED, N_SHARED + own.size])
    flat = flat_lines(scan, [lines], [fit.axes[which]], settings, starts)
    parameters = np.concatenate((fit.parameters[:N_SHARED], own))
    return np.asarray(model_of(scan.x, flat, parameters, np.zeros((parameters.size, scan.x.size))))


def lengths_of(lines: FitLines) -> int:
    """How many of the free parameters of a cell are lengths."""
    n = lines.basis.shape[1]
    is_rhombohedral = n == 2 and lines.metric[3] != 0  # one length and one angle
    return 1 if is_rhombohedral else min(n, 3)


def lines_of(scan: PreparedScan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wavelengths and their shares of the intensity."""
    lines = np.array(scan.radiation.lines, np.float64)
    return np.ascontiguousarray(lines[:, 0]), lines[:, 1] / lines[:, 1].sum()


def point_weights(scan: PreparedScan, settings: FitSettings) -> NDArray[np.float64]:
    """Weight of each point: counting noise, and how far calculated intensities are to be trusted."""
    net = np.maximum(scan.net, 0.0)
    variance = scan.noise**2 + (settings.model_error * net) ** 2 + settings.floor**2
    # Neighbouring points over one peak share its model error: together they count once.
    together = max(scan.fwhm / scan.step, 1.0)
    return np.asarray(1.0 / (variance * together))


def background_basis(x: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Chebyshev polynomials over the range."""
    t = 2 * (x - x[0]) / (x[-1] - x[0]) - 1
    return np.ascontiguousarray(np.polynomial.chebyshev.chebvander(t, n - 1).T) if n else np.zeros((0, x.size))


def flat_lines(
    scan: PreparedScan,
    phases: Sequence[FitLines],
    axes: Sequence[int],
    settings: FitSettings,
    starts: NDArray[np.int64],
) -> FlatLines:
    """All phases as the compiled loops read them."""
    waves, shares = lines_of(scan)
    return FlatLines(*flatten(phases, axes), waves, shares, scan.polarisation, settings.reach, starts)


def flatten(
    phases: Sequence[FitLines], axes: Sequence[int]
) -> tuple[
    NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64],
    NDArray[np.float64], NDArray[np.int64], NDArray[np.float64],
]:  # fmt: skip
    """All phases as flat arrays: first lines, squares, metrics, bases, powers, tails, offsets, angles to the axes."""
    first = np.concatenate(([0], np.cumsum([p.power.size for p in phases]))).astype(np.int64)
    bases = np.zeros((len(phases), 6, 6))
    for i, p in enumerate(phases):
        bases[i, :, : p.basis.shape[1]] = p.basis
    members = np.concatenate(([0], np.cumsum([p.offsets[-1] for p in phases]))).astype(np.int64)
    offsets = np.concatenate([[0], *(p.offsets[1:] + m for p, m in zip(phases, members[:-1], strict=True))])
    return (
        first,
        np.ascontiguousarray(np.concatenate([p.squares for p in phases], axis=1)),
        np.array([p.metric for p in phases]),
        bases,
        np.concatenate([p.power for p in phases]),
        np.concatenate([p.tails for p in phases]),
        offsets.astype(np.int64),
        np.concatenate([p.cosine2[a] for p, a in zip(phases, axes, strict=True)]),
    )
