"""Published studies repeated: data, estimator and table, one file per study.

To add a study: one file beside these and one line in the table `STUDIES`.
"""

from peakwise.studies._study import Outcome, Request, Study, Table
from peakwise.studies.hed_binned import HED_BINNED
from peakwise.studies.hed_clustering import HED_CLUSTERING
from peakwise.studies.hed_supervised import HED_SUPERVISED
from peakwise.studies.mof import MOF

STUDIES: dict[str, Study] = {
    "mof": MOF,
    "hed-clustering": HED_CLUSTERING,
    "hed-binned": HED_BINNED,
    "hed-supervised": HED_SUPERVISED,
}

__all__ = ["STUDIES", "Outcome", "Request", "Study", "Table"]
