"""Scans beside phases: which look alike, and how well they fit. Physics only: no network is needed here."""

from peakwise.matching._describe import Peak, refined_cell, unexplained_peaks, weight_fractions
from peakwise.matching._doubt import LEAST_FALSE_ALARM, SIGNS, doubt, doubt_threshold, known_doubts, signs_of_doubt
from peakwise.matching._fit import Fit, FitSettings, fit_phases
from peakwise.matching._judge import Rules, judge
from peakwise.matching._lines import FitLines, cell_of, fit_lines
from peakwise.matching._retrieve import Look, Retriever
from peakwise.matching._scan import PreparedScan, prepare
from peakwise.matching._search import EFFORTS, Answer, Effort, Hypothesis, Searcher
from peakwise.matching._table import LineTable, content_key

__all__ = [
    "EFFORTS",
    "LEAST_FALSE_ALARM",
    "SIGNS",
    "Answer",
    "Effort",
    "Fit",
    "FitLines",
    "FitSettings",
    "Hypothesis",
    "LineTable",
    "Look",
    "Peak",
    "PreparedScan",
    "Retriever",
    "Rules",
    "Searcher",
    "cell_of",
    "content_key",
    "doubt",
    "doubt_threshold",
    "fit_lines",
    "fit_phases",
    "judge",
    "known_doubts",
    "prepare",
    "refined_cell",
    "signs_of_doubt",
    "unexplained_peaks",
    "weight_fractions",
]
