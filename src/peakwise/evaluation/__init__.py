"""How good the answers are, and how sure one may be: numbers in, numbers out.

To add a calibration: one file beside these and one line in the table `CALIBRATIONS`.
"""

from peakwise.evaluation._calibration import Calibration
from peakwise.evaluation._clusters import MutualInformation, mutual_information, silhouette
from peakwise.evaluation._conformal import conformal_p_value, conformal_size, conformal_spread, conformal_threshold
from peakwise.evaluation._descriptors import DescriptorScores, descriptor_scores
from peakwise.evaluation._intervals import ConformalIntervals
from peakwise.evaluation._rates import auroc, top_k_accuracy, wilson_interval
from peakwise.evaluation._reliability import Bin, brier, expected_calibration_error, reliability
from peakwise.evaluation._repeats import OverSeeds, over_seeds
from peakwise.evaluation._sets import SetScores, f1_sets, mean_absolute_error
from peakwise.evaluation._states import LabelScores, ambiguous_zone, classification_confidence, precision_recall
from peakwise.evaluation.isotonic import IsotonicCalibration
from peakwise.evaluation.logistic import LogisticCalibration
from peakwise.evaluation.temperature import TemperatureCalibration

# In the order of how little they need: one number, a few, as many as the data support.
CALIBRATIONS: dict[str, type[Calibration]] = {
    "temperature": TemperatureCalibration,
    "logistic": LogisticCalibration,
    "isotonic": IsotonicCalibration,
}

__all__ = [
    "CALIBRATIONS",
    "Bin",
    "Calibration",
    "ConformalIntervals",
    "DescriptorScores",
    "IsotonicCalibration",
    "LabelScores",
    "LogisticCalibration",
    "MutualInformation",
    "OverSeeds",
    "SetScores",
    "TemperatureCalibration",
    "ambiguous_zone",
    "auroc",
    "brier",
    "classification_confidence",
    "conformal_p_value",
    "conformal_size",
    "conformal_spread",
    "conformal_threshold",
    "descriptor_scores",
    "expected_calibration_error",
    "f1_sets",
    "mean_absolute_error",
    "mutual_information",
    "over_seeds",
    "precision_recall",
    "reliability",
    "silhouette",
    "top_k_accuracy",
    "wilson_interval",
]
