"""Why a model gave this answer, and maps of a set.

To add an explanation: one file beside these and one line in the table `EXPLANATIONS`; a map: the same with `MAPS`.
Torch is imported when a network is explained, umap-learn when its map is drawn.
"""

from peakwise.explain._attention import Attention, attention
from peakwise.explain._contribution import ContributionMap, contribution_map
from peakwise.explain._draw import draw_explanation
from peakwise.explain._explain import explain
from peakwise.explain._explainer import Explainer
from peakwise.explain._explanation import Explanation
from peakwise.explain._figures import attention_figure, contribution_figure, layer_weights_figure, pca_figure
from peakwise.explain._map import Map, map_points
from peakwise.explain._pca_parts import PcaParts, pca_parts
from peakwise.explain._peak_probes import PeakProbes, find_peak_regions, probe_peaks
from peakwise.explain._pointing import Pointing, pointing_game
from peakwise.explain._quality import MapQuality, map_quality
from peakwise.explain._weights import LayerWeights, layer_weights
from peakwise.explain.cam import Cam
from peakwise.explain.grad_cam import GradCam
from peakwise.explain.gradients import Gradients
from peakwise.explain.hires_cam import HiresCam
from peakwise.explain.input_times_gradient import InputTimesGradient
from peakwise.explain.integrated_gradients import IntegratedGradients
from peakwise.explain.nca_map import NcaMap
from peakwise.explain.occlusion import Occlusion
from peakwise.explain.pca_map import PcaMap
from peakwise.explain.tsne_map import TsneMap
from peakwise.explain.umap_map import UmapMap

# In the order in which they are worth trying; `saliency` is what many call `gradients`.
EXPLANATIONS: dict[str, type[Explainer]] = {
    "integrated_gradients": IntegratedGradients,
    "occlusion": Occlusion,
    "hires_cam": HiresCam,
    "grad_cam": GradCam,
    "cam": Cam,
    "input_times_gradient": InputTimesGradient,
    "gradients": Gradients,
    "saliency": Gradients,
}

# From the plainest to the most artful; `umap` needs the extra `maps`.
MAPS: dict[str, type[Map]] = {"pca": PcaMap, "nca": NcaMap, "tsne": TsneMap, "umap": UmapMap}

__all__ = [
    "EXPLANATIONS",
    "MAPS",
    "Attention",
    "Cam",
    "ContributionMap",
    "Explainer",
    "Explanation",
    "GradCam",
    "Gradients",
    "HiresCam",
    "InputTimesGradient",
    "IntegratedGradients",
    "LayerWeights",
    "Map",
    "MapQuality",
    "NcaMap",
    "Occlusion",
    "PcaMap",
    "PcaParts",
    "PeakProbes",
    "Pointing",
    "TsneMap",
    "UmapMap",
    "attention",
    "attention_figure",
    "contribution_figure",
    "contribution_map",
    "draw_explanation",
    "explain",
    "find_peak_regions",
    "layer_weights",
    "layer_weights_figure",
    "map_points",
    "map_quality",
    "pca_figure",
    "pca_parts",
    "pointing_game",
    "probe_peaks",
]
