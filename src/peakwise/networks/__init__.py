"""Networks that turn a pattern into features, one per file, and the heads that turn features into classes.

To add a network: one file beside these and one line in the table `NETWORKS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.networks._build import build_named, check_number, seeded
from peakwise.networks._encoder import Encoder
from peakwise.networks._heads import HEADS, CosineHead, Head, LinearHead, build_head
from peakwise.networks.binned_fcnn import BinnedFCNN
from peakwise.networks.binned_points import BinnedPoints
from peakwise.networks.conv_sc import ConvSC
from peakwise.networks.conv_sct import ConvSCT
from peakwise.networks.fcnn import FCNN
from peakwise.networks.lstm import LSTMNet
from peakwise.networks.multi_scale import MultiScaleResNet
from peakwise.networks.patch_conv import PatchConv
from peakwise.networks.residual import ResidualNet
from peakwise.networks.sun_cnn import SunCNN
from peakwise.networks.transformer import TransformerNet
from peakwise.networks.wang_cnn import WangCNN

if TYPE_CHECKING:
    from collections.abc import Mapping

# For identification from the oldest to the newest, for series in the order of the thesis; the default comes last.
NETWORKS: dict[str, type[Encoder]] = {
    "wang_cnn": WangCNN,
    "residual": ResidualNet,
    "binned_points": BinnedPoints,
    "binned_fcnn": BinnedFCNN,
    "fcnn": FCNN,
    "sun_cnn": SunCNN,
    "multi_scale": MultiScaleResNet,
    "lstm": LSTMNet,
    "transformer": TransformerNet,
    "conv_sct": ConvSCT,
    "conv_sc": ConvSC,
    "patch_conv": PatchConv,
}

__all__ = [
    "FCNN",
    "HEADS",
    "NETWORKS",
    "BinnedFCNN",
    "BinnedPoints",
    "ConvSC",
    "ConvSCT",
    "CosineHead",
    "Encoder",
    "Head",
    "LSTMNet",
    "LinearHead",
    "MultiScaleResNet",
    "PatchConv",
    "ResidualNet",
    "SunCNN",
    "TransformerNet",
    "WangCNN",
    "build_encoder",
    "build_head",
    "build_named",
    "check_number",
    "seeded",
]


def build_encoder(name: str, n_points: int, options: Mapping[str, Any] | None = None) -> Encoder:
    """Build the network `name` of `NETWORKS`.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    n_points : int
        Points of a pattern.
    options : mapping, optional
        Options of that network, by name.

    Examples
    --------
    >>> build_encoder("residual", 2000, {"n_features": 64}).n_features
    64
    >>> build_encoder("wang_cnn", 2000, {"depth": 3})
    Traceback (most recent call last):
        ...
    peakwise.errors.OptionError: cannot build the network 'wang_cnn': its options are dropout, got depth. Use only \
these options.
    """
    return build_named("network", NETWORKS, name, (n_points,), options or {})
