"""Figures and one HTML file from an answer of ``peakwise identify``, ``transitions``, ``cluster`` or ``novelty``.

The room knows no estimator: it takes the plain document that the command prints with ``--json`` (see `Document`,
`TransitionDocument`, `ClusterDocument`, `NoveltyDocument`).
"""

from peakwise.report._answer import Candidate, Curves, Document, Explanation, Fit, PhaseAnswer, ScanAnswer, Unexplained
from peakwise.report._csv import identification_csv
from peakwise.report._curves import ScanCurves
from peakwise.report._figure import plot_identification, save_figure
from peakwise.report._novelty import NoveltyCurves, NoveltyDocument, NoveltyMap, NoveltyScan
from peakwise.report._novelty_csv import novelty_csv
from peakwise.report._novelty_map import add_map
from peakwise.report._novelty_page import novelty_html, write_novelty_html
from peakwise.report._novelty_verdict import NOVELTY_VERDICTS, tell_novelty, tell_scan
from peakwise.report._page import identification_html, write_identification_html
from peakwise.report._regression import Chart, DescriptorDocument, DescriptorScan, Series
from peakwise.report._regression_csv import descriptors_csv
from peakwise.report._regression_figures import chart_figure, parity_figure, residual_figure
from peakwise.report._regression_page import descriptors_html, write_descriptors_html
from peakwise.report._regression_verdict import (
    DESCRIPTOR_VERDICTS,
    scores_of,
    tell_described,
    tell_descriptors,
    value_text,
)
from peakwise.report._series import (
    Boundary,
    Change,
    ClusterDocument,
    PatternState,
    SeriesCurves,
    TransitionDocument,
    Variable,
)
from peakwise.report._series_csv import transitions_csv
from peakwise.report._series_page import clusters_html, transitions_html, write_clusters_html, write_transitions_html
from peakwise.report._series_parts import add_series, series_changes, series_scores, thin_series
from peakwise.report._series_verdict import SERIES_VERDICTS, tell_clusters, tell_transitions
from peakwise.report._training_figures import confusion_matrix_figure, training_curves_figure
from peakwise.report._verdict import VERDICTS, Verdict, tell
from peakwise.report._wafer import WaferDocument, WaferPattern, wafer_csv
from peakwise.report._wafer_page import wafer_html, write_wafer_html

__all__ = [
    "DESCRIPTOR_VERDICTS",
    "NOVELTY_VERDICTS",
    "SERIES_VERDICTS",
    "VERDICTS",
    "Boundary",
    "Candidate",
    "Change",
    "Chart",
    "ClusterDocument",
    "Curves",
    "DescriptorDocument",
    "DescriptorScan",
    "Document",
    "Explanation",
    "Fit",
    "NoveltyCurves",
    "NoveltyDocument",
    "NoveltyMap",
    "NoveltyScan",
    "PatternState",
    "PhaseAnswer",
    "ScanAnswer",
    "ScanCurves",
    "Series",
    "SeriesCurves",
    "TransitionDocument",
    "Unexplained",
    "Variable",
    "Verdict",
    "WaferDocument",
    "WaferPattern",
    "add_map",
    "add_series",
    "chart_figure",
    "clusters_html",
    "confusion_matrix_figure",
    "descriptors_csv",
    "descriptors_html",
    "identification_csv",
    "identification_html",
    "novelty_csv",
    "novelty_html",
    "parity_figure",
    "plot_identification",
    "residual_figure",
    "save_figure",
    "scores_of",
    "series_changes",
    "series_scores",
    "tell",
    "tell_clusters",
    "tell_described",
    "tell_descriptors",
    "tell_novelty",
    "tell_scan",
    "tell_transitions",
    "thin_series",
    "training_curves_figure",
    "transitions_csv",
    "transitions_html",
    "value_text",
    "wafer_csv",
    "wafer_html",
    "write_clusters_html",
    "write_descriptors_html",
    "write_identification_html",
    "write_novelty_html",
    "write_transitions_html",
    "write_wafer_html",
]
