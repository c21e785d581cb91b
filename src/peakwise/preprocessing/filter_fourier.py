"""Very noisy patterns smoothed in Fourier space."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from peakwise.preprocessing._options import check_number
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["FilterFourier"]


@final
class FilterFourier(Step):
    r"""Keep only the first frequencies of patterns that are very noisy (Wang et al. 2020).

    Parameters
    ----------
    n_bins : int
        How many discrete frequencies are signal, counted from zero frequency; those beyond are taken as white noise.
    threshold : float
        Mean amplitude of the noise above which a pattern is filtered [unit of the intensity]. 0 filters every pattern
        that has any noise.

    Notes
    -----
    The rule: the pattern's discrete Fourier transform is split at bin `n_bins`. If the mean amplitude beyond it is
    larger than `threshold`, the bins beyond are set to zero and the rest is transformed back; otherwise the pattern
    stays as it is. The paper sets `n_bins` to 200 and `threshold` to 1.

    What the paper leaves open, and what is done here:

    - How the amplitudes are scaled. Here as one-sided amplitudes :math:`A_k = 2 |F_k| / m` of a pattern of :math:`m`
      points, so that a cosine of height 1 has :math:`A = 1`. White noise of standard deviation :math:`\sigma` then
      has a mean amplitude of :math:`\sigma \sqrt{\pi / m}`: the threshold 1 means :math:`\sigma = 38` at 4500 points.
      With bare :math:`|F_k|` practically every pattern of counts would be filtered.
    - On which scale the intensities are. Here as they come in: after `Normalise` the threshold must be smaller.
    - Whether "mean peak value" averages all bins or only local maxima. Here all bins.
    - Whether zero frequency is one of the 200. Here it is: bins 0 to `n_bins` - 1 are kept.

    The transform takes a pattern as periodic: where its two ends differ, the filtered pattern rings near them. A peak
    narrower than about ``m / n_bins`` points is broadened. A pattern of at most ``2 * n_bins - 1`` points has no bins
    beyond and stays as it is.

    References
    ----------
    H. Wang et al., J. Chem. Inf. Model. 60 (2020) 2004, https://doi.org/10.1021/acs.jcim.0c00020.

    Examples
    --------
    >>> import numpy as np
    >>> angle = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    >>> slow, fast = 50 * np.cos(3 * angle), 20 * np.cos(300 * angle)
    >>> noisy = FilterFourier(threshold=0.05).fit_transform([slow + fast])
    >>> np.allclose(noisy, slow)
    True
    >>> quiet = FilterFourier(threshold=1).fit_transform([slow + fast])
    >>> np.array_equal(quiet, [slow + fast])
    True
    """

    def __init__(self, n_bins: int = 200, threshold: float = 1.0) -> None:
        self.n_bins = n_bins
        self.threshold = threshold

    def _fit(self, patterns: Patterns) -> None:
        del patterns
        check_number(self, "n_bins", "Wang et al. use 200", least=1, whole=True)
        check_number(self, "threshold", "Wang et al. use 1", least=0)

    def _transform(self, patterns: Patterns) -> Patterns:
        m = patterns.n_points
        spectrum = np.fft.rfft(patterns.intensity.astype(np.float64, copy=False), axis=1)
        if spectrum.shape[1] <= self.n_bins:
            return patterns
        noisy = (2 / m * np.abs(spectrum[:, self.n_bins :])).mean(axis=1) > self.threshold
        if not noisy.any():
            return patterns
        spectrum = spectrum[noisy]
        spectrum[:, self.n_bins :] = 0
        rows = patterns.intensity.copy()
        rows[noisy] = np.fft.irfft(spectrum, m, axis=1)
        note = f"{np.count_nonzero(noisy)} of {noisy.size} patterns were Fourier-filtered to {self.n_bins} frequencies"
        return patterns.replace(
            intensity=rows,
            sigma=None if patterns.sigma is None else self._spread(patterns.sigma, noisy),
            warnings=[*patterns.warnings, note],
        )

    def _spread(self, sigma: NDArray[np.floating], noisy: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Sigma after the filter, which is a circular convolution with a kernel: variances go with its square."""
        m = sigma.shape[1]
        kept = np.zeros(m // 2 + 1)
        kept[: self.n_bins] = 1
        kernel = np.fft.irfft(kept, m) ** 2
        variance = np.fft.irfft(np.fft.rfft(sigma[noisy] ** 2, axis=1) * np.fft.rfft(kernel), m, axis=1)
        out = sigma.copy()
        out[noisy] = np.sqrt(np.maximum(variance, 0))
        return out
