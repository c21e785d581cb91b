"""One measured scan, made ready: in two_theta, thinned to what its peaks need, background and noise known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.matching._kernel_clip import clip
from peakwise.patterns import WAVELENGTHS, Patterns, Radiation, convert_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PreparedScan", "prepare"]

_POINTS_PER_WIDTH = 5.0  # working points over the FWHM of the peaks
_SAME_MEAN = 2e-4  # relative difference of wavelengths that are one mean, rounded by different people
_FEWEST = 32  # points below which nothing can be said
_NOMINAL = 1.0  # [angstrom] in which scans along q or d are laid out when nobody knows their wavelength, at most
_FURTHEST = 0.9  # ... and largest sine of theta there
_UNEVEN = 1.3  # ratio of large to small steps from which on points are laid out anew
_USUAL = 1e-100  # sizes of intensities beyond this and its inverse are taken out first
_MOST_COUNTS = 1e12  # nothing counts further
_WINDOW = 10.0  # background: half window of the clipping, in FWHM ...
_LEAST_WINDOW = 2.5  # ... and at least so many degrees
_COARSE_POINTS = 3.5  # points over the widened FWHM of a coarse scan
_FWHM = 2.3548200450309493  # FWHM of a Gaussian over its standard deviation
_BLUR = 1.4826  # median absolute deviation of normal noise to its standard deviation


@dataclass(frozen=True, slots=True, eq=False)
class PreparedScan:
    """A scan ready to be compared with phases.

    Attributes
    ----------
    x : (m,) float64
        two_theta [deg], even steps as far as the scan has them.
    y : (m,) float64
        Measured intensity, largest net peak 1.
    background : (m,) float64
    noise : (m,) float64
        Standard uncertainty of each point.
    scale : float
        What was divided by: `y` times `scale` is in the scan's own unit.
    fwhm : float
        Typical width of its peaks [deg].
    radiation : Radiation
    doublet : Radiation or None
        Both lines of a tube, where the wavelength that was given is their mean: whether the scan shows two lines or one
        (stripped, or a monochromator) a fit has to say.
    warnings : tuple of str
    step : float
        Median distance of points [deg].
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    background: NDArray[np.float64]
    noise: NDArray[np.float64]
    scale: float
    fwhm: float
    radiation: Radiation
    doublet: Radiation | None = None
    warnings: tuple[str, ...] = ()
    step: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", float(np.median(np.diff(self.x))))

    @property
    def net(self) -> NDArray[np.float64]:
        """Intensity above the background."""
        return self.y - self.background

    def coarse(self, factor: float = 2.5) -> PreparedScan:
        """The scan with peaks `factor` times as wide, on as much fewer points: for first looks from further away."""
        from scipy.ndimage import gaussian_filter1d

        wide = self.fwhm * factor
        sigma = float(np.sqrt(wide**2 - self.fwhm**2)) / _FWHM / self.step
        many = max(int(wide / _COARSE_POINTS / self.step), 1)
        y, background = (gaussian_filter1d(v, sigma, mode="nearest") for v in (self.y, self.background))
        noise = np.sqrt(gaussian_filter1d(self.noise**2, sigma, mode="nearest") / max(2 * np.sqrt(np.pi) * sigma, 1.0))
        top = float(np.max(y - background))
        x, y, background, noise = (v[many // 2 :: many] for v in (self.x, y / top, background / top, noise / top))
        return PreparedScan(x, y, background, noise, self.scale * top, wide, self.radiation)

    @property
    def polarisation(self) -> float:
        """Factor of cos² 2 theta in the Lorentz-polarisation factor: 1 for X-rays of a tube, 0 for what has none."""
        return 1.0 if self.radiation.probe == "xray" else 0.0

    @property
    def signal_to_noise(self) -> float:
        """Height of the largest peak over the noise where it stands."""
        at = int(np.argmax(self.net))
        return float(self.net[at] / self.noise[at])


def prepare(scan: Patterns, radiation: Radiation | None = None) -> PreparedScan:
    """Make one pattern of `scan` ready; its axis must be of diffraction."""
    light = radiation or scan.radiation
    notes: list[str] = []
    if scan.kind not in ("two_theta", "q", "d"):
        why = f"the axis is {scan.kind}, and phases are told from two_theta, q or d"
        raise OptionError("cannot identify phases", why, "Give a diffraction scan, or say what the axis is with axis=")
    if light is None:
        if scan.kind == "two_theta":
            raise OptionError(
                "cannot identify phases", "the wavelength is not known", "Give it, e.g. wavelength='CuKa'"
            )
        light = _nominal(scan)
    axis = np.asarray(scan.axis, np.float64)
    x = convert_axis(axis, scan.kind, "two_theta", wavelength=light.wavelength) if scan.kind != "two_theta" else axis
    y = np.asarray(scan.intensity[0], np.float64)
    sigma = None if scan.sigma is None else np.asarray(scan.sigma[0], np.float64)
    if x[0] > x[-1]:
        x, y, sigma = x[::-1], y[::-1], None if sigma is None else sigma[::-1]
    good = np.isfinite(y) & np.isfinite(x) & (x > 0.2) & (x < 175)
    x, y, sigma = x[good], y[good], None if sigma is None else sigma[good]
    if x.size < _FEWEST:
        why = f"at least {_FEWEST} measured points between 0.2 and 175 deg are needed, there are {x.size}"
        raise OptionError("cannot identify phases", why, "Measure a longer range")
    size = float(np.abs(y).max())
    if size > 0 and not _USUAL < size < 1 / _USUAL:  # squares must not leave what numbers can hold
        y, sigma = y / size, None if sigma is None else sigma / size
    else:
        size = 1.0
    if not np.ptp(y) > 0:
        raise OptionError(
            "cannot identify phases", "every point has the same intensity", "Look whether it was measured"
        )
    is_counted = scan.unit in ("counts", "unknown") and bool(np.all(y == np.round(y))) and y.min() >= 0
    is_counted = is_counted and y.max() < _MOST_COUNTS and size == 1.0
    return _prepare(x, y, sigma, light, is_counted, notes, size)


def _prepare(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    sigma: NDArray[np.float64] | None,
    light: Radiation,
    is_counted: bool,
    notes: list[str],
    size: float,
) -> PreparedScan:
    noise = _noise(y, sigma, is_counted)
    steps = np.diff(x)
    if _is_uneven(steps):
        x, y, noise = _even(x, y, noise)
    fwhm = peak_width(x, y, noise)
    x, y, noise = _thin(x, y, noise, fwhm / _POINTS_PER_WIDTH)
    background = clip_background(x, y, fwhm)
    top = float(np.max(y - background))
    if not top > 0:
        raise OptionError("cannot identify phases", "there is no peak above the background", "Look at the scan")
    rows = x, y / top, background / top, noise / top
    return PreparedScan(*rows, top * size, fwhm, light, _doublet(light), tuple(notes))


def _is_uneven(steps: NDArray[np.float64]) -> bool:
    """Whether steps change along the scan, as those of even steps of q or d do; a few gaps are no such change."""
    small, large = np.percentile(steps, (10, 90))
    return bool(large > _UNEVEN * small)


def _even(
    x: NDArray[np.float64], y: NDArray[np.float64], noise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The scan in even steps: means over each step, so that areas stay; what was not measured is left out."""
    own = np.gradient(x)
    n = min(2 * x.size, 40_000)
    edges = np.linspace(x[0], x[-1], n + 1)
    step, at = edges[1] - edges[0], (edges[1:] + edges[:-1]) / 2
    area = np.concatenate(([0.0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)))
    means = np.diff(np.interp(edges, x, area)) / step
    near = np.interp(at, x, own)
    spread = np.interp(at, x, noise) * np.sqrt(np.minimum(near / step, 1.0))
    right = np.clip(np.searchsorted(x, at), 1, x.size - 1)
    usual = np.median(np.diff(x)[np.clip(right[:, None] + np.arange(-4, 4), 0, x.size - 2)], axis=1)
    is_measured = x[right] - x[right - 1] < 4 * np.maximum(usual, step)
    return at[is_measured], means[is_measured], spread[is_measured]


def _nominal(scan: Patterns) -> Radiation:
    """A wavelength at which the whole of a scan along q or d can be laid out."""
    top = float(scan.axis.max()) if scan.kind == "q" else 2 * np.pi / max(float(scan.axis.min()), 1e-6)
    return Radiation(min(_NOMINAL, _FURTHEST * 4 * np.pi / max(top, 1e-6)))


def _doublet(light: Radiation) -> Radiation | None:
    """The two lines that a single number may be the mean of."""
    if len(light.lines) > 1 or light.probe != "xray":
        return None
    for name in WAVELENGTHS:
        if name.endswith("Ka"):
            both = Radiation.named(name)
            if abs(light.wavelength / both.wavelength - 1) < _SAME_MEAN:
                return both
    return None


def _noise(y: NDArray[np.float64], sigma: NDArray[np.float64] | None, is_counted: bool) -> NDArray[np.float64]:
    """Standard uncertainty of each point: stated, counted, or from how much neighbours differ."""
    if sigma is not None and np.all(np.isfinite(sigma)) and np.all(sigma > 0):
        return sigma
    # Third differences see noise and no peak that is wider than a few points.
    third = y[3:] - 3 * y[2:-1] + 3 * y[1:-2] - y[:-3]
    base = _BLUR * float(np.median(np.abs(third))) / np.sqrt(20.0)
    if is_counted:
        return np.asarray(np.sqrt(np.maximum(y, 1.0)))
    # Rates and rescaled counts: the variance grows with the intensity; the quiet half of the scan gives the factor.
    # Where a background was taken off, that half is zero on the average: its noise is the least level to be believed.
    level = max(float(np.median(y)), 3 * base, 1e-9 * float(np.max(np.abs(y))))
    floor = 1e-4 * float(np.ptp(y))
    return np.asarray(np.sqrt(np.maximum(base**2 * np.maximum(y / level, 0.2), floor**2)))


def peak_width(x: NDArray[np.float64], y: NDArray[np.float64], noise: NDArray[np.float64]) -> float:
    """Typical FWHM [deg] of the peaks that stand out most."""
    from scipy.signal import find_peaks, peak_widths

    step = float(np.median(np.diff(x)))
    best = 0.0
    # Noisy scans: look through wider and wider means until peaks stand out.
    for many in (1, 3, 7, 15):
        if many * 8 > y.size:
            break
        kernel = np.ones(many) / many
        smooth = np.convolve(y, kernel, "same")
        quiet = noise / np.sqrt(many)
        at, facts = find_peaks(smooth, prominence=6 * float(np.median(quiet)), width=2)
        # Ripples of the noise on a high peak stand out of the noise elsewhere: what counts is that of their own place.
        stands = facts["prominences"] > 6 * quiet[at]
        at, heights = at[stands], facts["prominences"][stands]
        if at.size == 0:
            continue
        strong = at[np.argsort(heights)[::-1][:12]]
        widths = peak_widths(smooth, strong, rel_height=0.5)[0] * step
        width = float(np.median(widths))
        best = max(np.sqrt(max(width**2 - (0.8 * (many - 1) * step) ** 2, 0.0)), 2 * step)
        if width > 2.5 * many * step or many == 15:
            break
    if best == 0.0:
        best = 6 * step
    return float(np.clip(best, 2 * step, 5.0))


def _thin(
    x: NDArray[np.float64], y: NDArray[np.float64], noise: NDArray[np.float64], step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean of as many neighbouring points as the peaks allow; none across a gap."""
    own = float(np.median(np.diff(x)))
    many = int(step / own)
    if many < 2:
        return x, y, noise
    n = x.size // many * many
    shape = (-1, many)
    groups, values = x[:n].reshape(shape), y[:n].reshape(shape)
    whole = groups[:, -1] - groups[:, 0] < (many + 0.5) * own
    spread = np.sqrt((noise[:n].reshape(shape) ** 2).mean(1) / many)
    return groups.mean(1)[whole], values.mean(1)[whole], spread[whole]


def clip_background(x: NDArray[np.float64], y: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    """Background by iterative clipping of peaks (SNIP) on the smoothed square root of the intensity."""
    step = float(np.median(np.diff(x)))
    half = int(np.clip(max(_WINDOW * fwhm, _LEAST_WINDOW) / step, 4, y.size // 4))
    low = float(y.min())
    root = np.sqrt(np.maximum(y - low, 0.0))
    smooth = max(int(0.6 * fwhm / step), 1)
    found = clip(root, half, smooth)
    return np.asarray(np.maximum(found, 0.0) ** 2 + low)
