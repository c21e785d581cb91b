"""How good the answers are, and how sure one may be: numbers in, numbers out.

To add a calibration: one file beside these and one line in the table `CALIBRATIONS`.
"""

from peakwise.evaluation._calibration import Calibration
from peakwise.evaluation._conformal import conformal_p_value, conformal_size, conformal_spread, conformal_threshold
from peakwise.evaluation._rates import auroc, top_k_accuracy, wilson_interval
from peakwise.evaluation._reliability import Bin, brier, expected_calibration_error, reliability
from peakwise.evaluation._sets import SetScores, f1_sets, mean_absolute_error
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
    "IsotonicCalibration",
    "LogisticCalibration",
    "SetScores",
    "TemperatureCalibration",
    "auroc",
    "brier",
    "conformal_p_value",
    "conformal_size",
    "conformal_spread",
    "conformal_threshold",
    "expected_calibration_error",
    "f1_sets",
    "mean_absolute_error",
    "reliability",
    "top_k_accuracy",
    "wilson_interval",
]
