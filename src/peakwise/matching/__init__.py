"""Scans beside phases: which look alike, and how well they fit. Physics only: no network is needed here."""

from peakwise.matching._fit import Fit, FitSettings, fit_phases
from peakwise.matching._judge import Rules, judge
from peakwise.matching._lines import FitLines, cell_of, fit_lines
from peakwise.matching._retrieve import Look, Retriever
from peakwise.matching._scan import PreparedScan, prepare
from peakwise.matching._search import EFFORTS, Answer, Effort, Hypothesis, Searcher
from peakwise.matching._table import LineTable, content_key

__all__ = [
    "EFFORTS",
    "Answer",
    "Effort",
    "Fit",
    "FitLines",
    "FitSettings",
    "Hypothesis",
    "LineTable",
    "Look",
    "PreparedScan",
    "Retriever",
    "Rules",
    "Searcher",
    "cell_of",
    "content_key",
    "fit_lines",
    "fit_phases",
    "judge",
    "prepare",
]
