"""Figures and one HTML file from an answer of ``peakwise identify``, ``transitions`` or ``cluster``.

The room knows no estimator: it takes the plain document that the command prints with ``--json`` (see `Document`,
`TransitionDocument`, `ClusterDocument`).
"""

from peakwise.report._answer import Candidate, Curves, Document, Explanation, Fit, PhaseAnswer, ScanAnswer, Unexplained
from peakwise.report._csv import identification_csv
from peakwise.report._figure import plot_identification, save_figure
from peakwise.report._page import identification_html, write_identification_html
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

__all__ = [
    "SERIES_VERDICTS",
    "VERDICTS",
    "Boundary",
    "Candidate",
    "Change",
    "ClusterDocument",
    "Curves",
    "Document",
    "Explanation",
    "Fit",
    "PatternState",
    "PhaseAnswer",
    "ScanAnswer",
    "SeriesCurves",
    "TransitionDocument",
    "Unexplained",
    "Variable",
    "Verdict",
    "add_series",
    "clusters_html",
    "confusion_matrix_figure",
    "identification_csv",
    "identification_html",
    "plot_identification",
    "save_figure",
    "series_changes",
    "series_scores",
    "tell",
    "tell_clusters",
    "tell_transitions",
    "thin_series",
    "training_curves_figure",
    "transitions_csv",
    "transitions_html",
    "write_clusters_html",
    "write_identification_html",
    "write_transitions_html",
]
