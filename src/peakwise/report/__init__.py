"""Figures and one HTML file from an answer of ``peakwise identify``.

The room knows no estimator: it takes the plain document that the command prints with ``--json`` (see `Document`).
"""

from peakwise.report._answer import Candidate, Curves, Document, Explanation, Fit, PhaseAnswer, ScanAnswer, Unexplained
from peakwise.report._csv import identification_csv
from peakwise.report._figure import plot_identification, save_figure
from peakwise.report._page import identification_html, write_identification_html
from peakwise.report._verdict import VERDICTS, Verdict, tell

__all__ = [
    "VERDICTS",
    "Candidate",
    "Curves",
    "Document",
    "Explanation",
    "Fit",
    "PhaseAnswer",
    "ScanAnswer",
    "Unexplained",
    "Verdict",
    "identification_csv",
    "identification_html",
    "plot_identification",
    "save_figure",
    "tell",
    "write_identification_html",
]
