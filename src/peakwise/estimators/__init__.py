"""Answers to a user's questions: scikit-learn estimators, one idea per file.

To add an estimator: one file beside these and one line in the table `ESTIMATORS`.
"""

from peakwise.estimators._base import Estimator
from peakwise.estimators._descriptors import Descriptors
from peakwise.estimators._identification import Candidate, FoundPhase, Identification, Unexplained
from peakwise.estimators._latent_sensitivity import latent_sensitivity
from peakwise.estimators._load import load
from peakwise.estimators._network_scores import NETWORK_METHODS
from peakwise.estimators._novelty import Novelty
from peakwise.estimators._regression_workflow import Workflow
from peakwise.estimators._search import SEARCH_SPACES, Found, score_regressor, search, with_options
from peakwise.estimators._transitions import StateBoundary, Transitions
from peakwise.estimators._workflow_boosting import Boosting
from peakwise.estimators._workflow_forest import Forest
from peakwise.estimators._workflow_gaussian_process import GaussianProcess
from peakwise.estimators._workflow_partial_least_squares import PartialLeastSquares
from peakwise.estimators._workflow_published import Hybrid, Multimodal, Reconstruction, RegressionOnly
from peakwise.estimators._workflow_ridge import Ridge
from peakwise.estimators._workflow_rocket import Rocket
from peakwise.estimators._workflow_stacked import Stacked
from peakwise.estimators.cosine_matcher import CosineMatcher
from peakwise.estimators.descriptor_regressor import DescriptorRegressor
from peakwise.estimators.latent_map import LatentMap
from peakwise.estimators.logistic_regression import LogisticRegression
from peakwise.estimators.naive_bayes import NaiveBayes
from peakwise.estimators.nearest_neighbours import NearestNeighbours
from peakwise.estimators.novelty_detector import NoveltyDetector
from peakwise.estimators.pattern_clusterer import PatternClusterer
from peakwise.estimators.phase_identifier import PhaseIdentifier
from peakwise.estimators.phase_novelty import PhaseNovelty
from peakwise.estimators.random_forest import RandomForest
from peakwise.estimators.support_vectors import SupportVectors
from peakwise.estimators.transition_detector import METHODS, TransitionDetector

# Ours first, then what people compare them with.
ESTIMATORS: dict[str, type[Estimator]] = {
    "phase_identifier": PhaseIdentifier,
    "transition_detector": TransitionDetector,
    "pattern_clusterer": PatternClusterer,
    "novelty_detector": NoveltyDetector,
    "phase_novelty": PhaseNovelty,
    "latent_map": LatentMap,
    "descriptor_regressor": DescriptorRegressor,
    "cosine_matcher": CosineMatcher,
    "naive_bayes": NaiveBayes,
    "nearest_neighbours": NearestNeighbours,
    "logistic_regression": LogisticRegression,
    "random_forest": RandomForest,
    "support_vectors": SupportVectors,
}

# How descriptors are read off patterns: ours, as published, then what networks must beat.
WORKFLOWS: dict[str, type[Workflow]] = {
    "stacked": Stacked,
    "reconstruction": Reconstruction,
    "regression": RegressionOnly,
    "hybrid": Hybrid,
    "multimodal": Multimodal,
    "ridge": Ridge,
    "partial_least_squares": PartialLeastSquares,
    "forest": Forest,
    "boosting": Boosting,
    "gaussian_process": GaussianProcess,
    "rocket": Rocket,
}

__all__ = [
    "ESTIMATORS",
    "METHODS",
    "NETWORK_METHODS",
    "SEARCH_SPACES",
    "WORKFLOWS",
    "Candidate",
    "CosineMatcher",
    "DescriptorRegressor",
    "Descriptors",
    "Estimator",
    "Found",
    "FoundPhase",
    "Identification",
    "LatentMap",
    "LogisticRegression",
    "NaiveBayes",
    "NearestNeighbours",
    "Novelty",
    "NoveltyDetector",
    "PatternClusterer",
    "PhaseIdentifier",
    "PhaseNovelty",
    "RandomForest",
    "StateBoundary",
    "SupportVectors",
    "TransitionDetector",
    "Transitions",
    "Unexplained",
    "Workflow",
    "latent_sensitivity",
    "load",
    "score_regressor",
    "search",
    "with_options",
]
