"""Patterns made ready for an answer: scikit-learn transformers, one per file.

To add a step: one file beside these and one line in the table `STEPS`.
"""

from peakwise.preprocessing._step import Step
from peakwise.preprocessing.convert_axis import ConvertAxis
from peakwise.preprocessing.crop import Crop
from peakwise.preprocessing.filter_fourier import FilterFourier
from peakwise.preprocessing.normalise import Normalise
from peakwise.preprocessing.remove_spikes import RemoveSpikes
from peakwise.preprocessing.resample import Resample
from peakwise.preprocessing.scale_targets import ScaleTargets
from peakwise.preprocessing.smooth import Smooth
from peakwise.preprocessing.strip_kalpha2 import StripKalpha2
from peakwise.preprocessing.subtract_baseline import SubtractBaseline
from peakwise.preprocessing.sum_bins import SumBins

# In the order in which they are usually applied. ScaleTargets is for the table y of a regression.
STEPS: dict[str, type] = {
    "remove_spikes": RemoveSpikes,
    "subtract_baseline": SubtractBaseline,
    "strip_kalpha2": StripKalpha2,
    "smooth": Smooth,
    "filter_fourier": FilterFourier,
    "convert_axis": ConvertAxis,
    "crop": Crop,
    "resample": Resample,
    "sum_bins": SumBins,
    "normalise": Normalise,
    "scale_targets": ScaleTargets,
}

__all__ = [
    "STEPS",
    "ConvertAxis",
    "Crop",
    "FilterFourier",
    "Normalise",
    "RemoveSpikes",
    "Resample",
    "ScaleTargets",
    "Smooth",
    "Step",
    "StripKalpha2",
    "SubtractBaseline",
    "SumBins",
]
