"""Series of patterns: where, if anywhere, they change from one state to another. Numbers only, no networks."""

from peakwise.series._align import align
from peakwise.series._between import STRAIN, Labelled, alike, break_weights, label_frames, log_rows
from peakwise.series._evidence import Candidate, Examined, examine
from peakwise.series._grouping import GROUPINGS, best_number, feature_rows, group, principal_scores, segments
from peakwise.series._prepare import PreparedSeries, prepare_series
from peakwise.series._rule import RULE_FILE, probability
from peakwise.series._segment import Boundary, Segmentation, find_states

__all__ = [
    "GROUPINGS",
    "RULE_FILE",
    "STRAIN",
    "Boundary",
    "Candidate",
    "Examined",
    "Labelled",
    "PreparedSeries",
    "Segmentation",
    "align",
    "alike",
    "best_number",
    "break_weights",
    "examine",
    "feature_rows",
    "find_states",
    "group",
    "label_frames",
    "log_rows",
    "prepare_series",
    "principal_scores",
    "probability",
    "segments",
]
