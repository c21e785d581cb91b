"""Series of patterns: where, if anywhere, they change from one state to another. Numbers only, no networks."""

from peakwise.series._align import align
from peakwise.series._evidence import Candidate, Examined, examine
from peakwise.series._grouping import GROUPINGS, best_number, feature_rows, group, principal_scores, segments
from peakwise.series._prepare import PreparedSeries, prepare_series
from peakwise.series._rule import RULE_FILE, probability
from peakwise.series._segment import Boundary, Segmentation, find_states

__all__ = [
    "GROUPINGS",
    "RULE_FILE",
    "Boundary",
    "Candidate",
    "Examined",
    "PreparedSeries",
    "Segmentation",
    "align",
    "best_number",
    "examine",
    "feature_rows",
    "find_states",
    "group",
    "prepare_series",
    "principal_scores",
    "probability",
    "segments",
]
