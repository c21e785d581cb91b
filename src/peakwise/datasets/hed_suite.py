"""Stand-in for the high-pressure series of Y. Sun (PhD thesis, Szeged 2023, table 2.1): nine labelled, one unlabelled.

The measured frames D1 to D9 are not public. These have the same samples, frame counts, exposures, compression rates and
labels, from published cells and equations of state; what is not printed in the thesis is chosen here and said so:

* path: held at 1 GPa, compressed at the printed rate, held at the peak (the thesis: "trapezoidal ramp profiles", "peak
  values of 65 GPa"). The number of frames before the transition says when the ramp begins. Held is not constant: a cell
  creeps by `_CREEP` of the rate;
* Fe: bcc to hcp at 13 GPa, over in 2 GPa, labelled 0 and 2 around its middle;
* FeO: B1 to rB1 from 15 GPa, over at 22 GPa (both 20 frames of D8 at 7 GPa/s and 65 of D9 at 2.2 GPa/s are 7 GPa); the
  two coexist and the distortion opens, labelled 0, 1, 2;
* (Mg0.2Fe0.8)O: 1 to 105 GPa, distorted from 22 GPa as Finkelstein et al. saw in neon; no labels;
* counts: proportional to the exposure. Instrument, texture, sizes, background and the flicker of the beam are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from peakwise.datasets._compression import Companion, Sample, Solid, compress
from peakwise.datasets._dataset import Dataset
from peakwise.errors import OptionError
from peakwise.patterns import Patterns, concatenate
from peakwise.simulate import BirchMurnaghan, Instrument, Transition, Vinet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["HED_SUITE", "SERIES", "Series"]

WAVELENGTH = 0.4828  # [angstrom]: 25.6 keV
STATES = ("before", "during", "after")
_START, _END = 6.0, 26.0  # two_theta [deg]: an area detector at about 400 mm
_POINTS = 4000
_LOWEST, _PEAK = 1.0, 65.0  # pressures [GPa] of the two holds
_CREEP = 0.002
_COUNTS_PER_MS = 150.0  # at the strongest line: 1 ms shows it 12 times above its noise, 100 ms 120 times
_FLICKER = 0.01  # relative deviation of the beam from frame to frame

# c/a of hcp iron, the same at all pressures: Mao et al., J. Geophys. Res. 95 (1990) 21737, doi:10.1029/JB095iB13p21737.
_HCP_RATIO = (1.603,)
# c/a of rhombohedral Fe0.93O: straight line through the first and last entry of table 1 of Jacobsen et al. (27.7 GPa:
# 7.361 / 2.8359; 51.1 GPa: 7.277 / 2.7309).
_RB1_RATIO = (2.51392, 0.00295046)
# c/a of (Mg0.22Fe0.78)O in neon: straight line by least squares through the seven distorted entries of table 2 of
# Finkelstein et al., 24.1 to 53.3 GPa.
_RMW_RATIO = (2.41002, 0.00212176)
_CUBIC_RATIO = sqrt(6)  # of a cubic close packing on hexagonal axes
_WUSTITE = ("Fe2+", (0, 0, 0), 0.93, 0.6)
_METALS = (("Fe2+", (0, 0, 0), 0.8, 0.5), ("Mg2+", (0, 0, 0), 0.2, 0.5))

# Volumes at 300 K; B factors are usual values.
BCC = Solid(
    name="Fe-bcc", group="Im-3m", atoms=(("Fe", (0, 0, 0), 1, 0.35),), v0=2.8665**3, equation=Vinet(164.0, 5.50),
    source="Dorogokupets, Dymshits, Litasov & Sokolova, Sci. Rep. 7 (2017) 41863, doi:10.1038/srep41863",
)  # fmt: skip
HCP = Solid(
    name="Fe-hcp", group="P63/mmc", atoms=(("Fe", (1 / 3, 2 / 3, 0.25), 1, 0.3),), v0=2 * 11.214,
    equation=Vinet(163.4, 5.38), axial_ratio=_HCP_RATIO,
    source="Dewaele et al., Phys. Rev. Lett. 97 (2006) 215504, doi:10.1103/PhysRevLett.97.215504",
)  # fmt: skip
B1 = Solid(
    name="FeO-B1", group="Fm-3m", atoms=(_WUSTITE, ("O2-", (0.5, 0.5, 0.5), 1, 0.7)), v0=79.41,
    equation=BirchMurnaghan(146.0, 4.0),
    source="Jacobsen et al., J. Synchrotron Rad. 12 (2005) 577, doi:10.1107/S0909049505022326 (Fe0.93O, cubic)",
)  # fmt: skip
RB1 = Solid(
    name="FeO-rB1", group="R-3m:H", atoms=(_WUSTITE, ("O2-", (0, 0, 0.5), 1, 0.7)), v0=59.72,
    equation=BirchMurnaghan(134.0, 4.0), axial_ratio=_RB1_RATIO, parent_ratio=_CUBIC_RATIO,
    source="Jacobsen et al., J. Synchrotron Rad. 12 (2005) 577, doi:10.1107/S0909049505022326 (Fe0.93O, rhombohedral)",
)  # fmt: skip
MW = Solid(
    name="MgFeO-B1", group="Fm-3m", atoms=(*_METALS, ("O2-", (0.5, 0.5, 0.5), 1, 0.6)), v0=78.742,
    equation=BirchMurnaghan(163.0, 4.02),
    source="Finkelstein et al., Am. Mineral. 102 (2017) 1709, doi:10.2138/am-2017-5966 (in neon, cubic)",
)  # fmt: skip
RMW = Solid(
    name="MgFeO-rB1", group="R-3m:H", atoms=(*_METALS, ("O2-", (0, 0, 0.5), 1, 0.6)), v0=58.7,
    equation=BirchMurnaghan(176.8, 4.0), axial_ratio=_RMW_RATIO, parent_ratio=_CUBIC_RATIO,
    source="Finkelstein et al., Am. Mineral. 102 (2017) 1709, doi:10.2138/am-2017-5966 (in neon, distorted)",
)  # fmt: skip
PT = Solid(
    name="Pt", group="Fm-3m", atoms=(("Pt", (0, 0, 0), 1, 0.3),), v0=60.38, equation=Vinet(273.6, 5.23),
    source="Dewaele, Loubeyre & Mezouar, Phys. Rev. B 70 (2004) 094112, doi:10.1103/PhysRevB.70.094112",
)  # fmt: skip
NE = Solid(
    name="Ne", group="Fm-3m", atoms=(("Ne", (0, 0, 0), 1, 1.0),), v0=88.967, equation=Vinet(1.16, 8.23),
    source="Fei et al., PNAS 104 (2007) 9182, doi:10.1073/pnas.0609013104",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of the table: counts of frames before, during and after, exposure [ms], rate [GPa/s]."""

    name: str
    sample: str
    frames: tuple[int, int, int]
    exposure: float
    rate: float
    peak: float = _PEAK
    points: int = _POINTS
    is_labelled: bool = True

    @property
    def n_frames(self) -> int:
        """Frames in all."""
        return sum(self.frames)


SERIES: dict[str, Series] = {
    s.name: s
    for s in (
        Series(name="D1", sample="Fe", frames=(17, 0, 43), exposure=10, rate=260),
        Series(name="D2", sample="Fe", frames=(29, 0, 87), exposure=100, rate=10),
        Series(name="D3", sample="Fe", frames=(21, 0, 49), exposure=10, rate=160),
        Series(name="D4", sample="Fe", frames=(33, 0, 97), exposure=1, rate=1030),
        Series(name="D5", sample="Fe", frames=(37, 0, 93), exposure=100, rate=10),
        Series(name="D6", sample="Fe+Pt", frames=(22, 0, 48), exposure=10, rate=262),
        Series(name="D7", sample="Fe+Ne", frames=(19, 0, 239), exposure=10, rate=287),
        Series(name="D8", sample="FeO", frames=(71, 20, 131), exposure=50, rate=7),
        Series(name="D9", sample="FeO", frames=(90, 65, 305), exposure=50, rate=2.2),
        # The rate follows from 1 to above 100 GPa in what is left of the 349 frames after 160 that show no distortion.
        Series(
            name="MgFeO",
            sample="MgFeO",
            frames=(160, 0, 189),
            exposure=100,
            rate=4.39,
            peak=105.0,
            points=4023,
            is_labelled=False,
        ),
    )
}


_PLATINUM = Companion(solid=PT, weight=0.2)
_NEON = Companion(solid=NE, weight=0.4, freezes=4.8)  # at 300 K; Hemley et al., Phys. Rev. B 39 (1989) 11820
_IRON = Transition(13.0, 2.0)

SAMPLES: dict[str, Sample] = {
    "Fe": Sample(before=BCC, after=HCP, transition=_IRON, broadening=0.002),
    "Fe+Pt": Sample(before=BCC, after=HCP, transition=_IRON, broadening=0.002, companions=(_PLATINUM,)),
    "Fe+Ne": Sample(before=BCC, after=HCP, transition=_IRON, broadening=0.002, companions=(_NEON,)),
    "FeO": Sample(before=B1, after=RB1, transition=Transition(15.0, 7.0), opening=0.4, broadening=0.004),
    "MgFeO": Sample(before=MW, after=RMW, transition=Transition(22.0, 20.0), opening=0.4, broadening=0.004),
}


def pressures(series: Series) -> NDArray[np.float64]:
    """Pressure of every frame [GPa]: held, compressed at the rate of the series, held."""
    change = SAMPLES[series.sample].transition
    step = series.rate * series.exposure / 1000
    # The last frame before lies half a step below the onset, or below the middle where "during" has no frame.
    is_gradual = series.frames[1] > 0 or not series.is_labelled
    mark = change.onset if is_gradual else change.onset + change.width / 2
    frame = np.arange(series.n_frames)
    ramp = mark + step * (frame - series.frames[0] + 0.5)
    begin, end = int((ramp < _LOWEST).sum()), int((ramp <= series.peak).sum())
    path: NDArray[np.float64] = np.clip(ramp, _LOWEST, series.peak)
    path[:begin] -= _CREEP * step * (begin - frame[:begin])
    path[end:] += _CREEP * step * (frame[end:] - end)
    return path


def make_series(name: str, *, random_state: int = 0) -> Patterns:
    """Simulate one series.

    Parameters
    ----------
    name : str
        A name of the table `SERIES`.
    random_state : int
        Seed of noise and beam.
    """
    series = SERIES[name]
    sample, path, n = SAMPLES[series.sample], pressures(series), series.n_frames
    # One stream of random numbers per series: a series is the same whether or not others are made with it.
    seeds = np.random.SeedSequence([random_state, list(SERIES).index(name)])
    beam = 1 + _FLICKER * np.random.default_rng(seeds).standard_normal(n).clip(-5, 5)
    loaded = path / series.peak
    axis, rows = compress(
        sample,
        path,
        (_START, _END, series.points),
        Instrument.synchrotron(WAVELENGTH, w=6e-4, x=0.02, y=0.004),
        counts=_COUNTS_PER_MS * series.exposure * beam * (1 - 0.15 * loaded),  # the sample becomes thinner
        size=60 - 30 * loaded,  # [nm]: grains break
        microstrain=0.0005 + 0.0025 * loaded,  # stress differs from grain to grain
        march=1 - 0.15 * loaded,  # grains turn as the cell is pressed
        background=0.04,
        shape=(-0.5, 0.2),  # Compton scattering of the diamonds, largest at low angles
        random_state=int(seeds.generate_state(1)[0]),
    )
    meta = {
        "series": series.name,
        "sample": series.sample,
        "frame": np.arange(n),
        "time": np.arange(n) * series.exposure / 1000,
        "count_time": series.exposure / 1000,
        "pressure": path,
        "transformed": sample.transition.fraction(path),
    }
    if series.is_labelled:
        labels = np.repeat([0, 1, 2], series.frames)
        meta |= {"label": labels, "state": np.array(STATES)[labels]}
    names = [f"{series.name}-{i:03d}" for i in range(n)]
    return Patterns(axis, rows, wavelength=WAVELENGTH, names=names, meta=meta, unit="counts")


def make_suite(*, series: str | Iterable[str] | None = None, random_state: int = 0) -> Patterns:
    """Make series of the suite.

    Parameters
    ----------
    series : str or list of str, optional
        ``D1`` to ``D9`` or ``MgFeO``; by default the nine that have labels, one after the other. ``MgFeO`` has another
        grid and comes alone.
    random_state : int
        Seed.

    Returns
    -------
    Patterns
        In whole counts, with `series`, `sample`, `frame`, `time` [s], `count_time` [s], `pressure` [GPa], `transformed`
        (share of the sample, which no expert sees) and, where labelled, `label` (0, 1, 2) and `state` in `meta`.
    """
    chosen = [s.name for s in SERIES.values() if s.is_labelled] if series is None else series
    names = [chosen] if isinstance(chosen, str) else list(chosen)
    unknown = [name for name in names if name not in SERIES]
    if unknown or not names:
        why = f"series must be among {', '.join(SERIES)}, got {', '.join(map(str, unknown)) or 'none'}"
        raise OptionError("unknown series", why, "Choose one or a list of them")
    if isinstance(random_state, bool) or not isinstance(random_state, (int, np.integer)) or random_state < 0:
        why = f"random_state must be a whole number of 0 or more, got {random_state!r}"
        raise OptionError("cannot make the series", why, "Give a seed such as 0")
    if len({SERIES[n].points for n in names}) > 1:
        why = "MgFeO has 4023 points and no labels, the others have 4000"
        raise OptionError("cannot join the series", why, "Load MgFeO by itself")
    return concatenate(make_series(name, random_state=random_state) for name in names)


HED_SUITE = Dataset(
    name="hed-suite",
    title="made: ten compression series of Fe, FeO and (Mg,Fe)O with a transition each",
    what="D1-D5 Fe, D6 Fe with platinum, D7 Fe in neon, D8-D9 FeO: 1516 labelled frames of 4000 points; MgFeO: 349 "
    "unlabelled frames of 4023 points. Counts follow the exposure; pressures are exact.",
    kind="generated",
    licence="Apache-2.0, like peakwise",
    citation="frame counts, exposures and rates: Y. Sun, PhD thesis, University of Szeged (2023), table 2.1; cells and "
    "equations of state: see peakwise.datasets.hed_suite",
    url="https://zenodo.org/record/4424866",
    read=make_suite,
)
