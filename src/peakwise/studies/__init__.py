"""Published studies repeated: data, estimator and table, one file per study.

To add a study: one file beside these and one line in the table `STUDIES`.
"""

from peakwise.studies._study import Outcome, Request, Study, Table
from peakwise.studies.cvae_library import CVAE_LIBRARY
from peakwise.studies.hed_binned import HED_BINNED
from peakwise.studies.hed_clustering import HED_CLUSTERING
from peakwise.studies.hed_contrastive import HED_CONTRASTIVE
from peakwise.studies.hed_selfsup import HED_SELFSUP
from peakwise.studies.hed_supervised import HED_SUPERVISED
from peakwise.studies.microstructure import MICROSTRUCTURE
from peakwise.studies.mof import MOF
from peakwise.studies.sim_to_measured import SIM_TO_MEASURED
from peakwise.studies.vae_novelty import VAE_NOVELTY

STUDIES: dict[str, Study] = {
    "mof": MOF,
    "hed-clustering": HED_CLUSTERING,
    "hed-binned": HED_BINNED,
    "hed-supervised": HED_SUPERVISED,
    "hed-contrastive": HED_CONTRASTIVE,
    "hed-selfsup": HED_SELFSUP,
    "vae-novelty": VAE_NOVELTY,
    "cvae-library": CVAE_LIBRARY,
    "microstructure": MICROSTRUCTURE,
    "sim-to-measured": SIM_TO_MEASURED,
}

__all__ = ["STUDIES", "Outcome", "Request", "Study", "Table"]
