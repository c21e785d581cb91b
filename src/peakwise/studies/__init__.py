"""Published studies repeated: data, estimator and table, one file per study.

To add a study: one file beside these and one line in the table `STUDIES`.
"""

from peakwise.studies._study import Outcome, Request, Study, Table
from peakwise.studies.mof import MOF

STUDIES: dict[str, Study] = {
    "mof": MOF,
}

__all__ = ["STUDIES", "Outcome", "Request", "Study", "Table"]
