"""Networks that turn a pattern into features, one per file, and what turns features into classes or patterns.

To add a network: one file beside these and one line in the table `NETWORKS`; a decoder, in the table `DECODERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.networks._build import build_named, check_count, check_number, seeded
from peakwise.networks._decoder import Decoder
from peakwise.networks._encoder import Encoder
from peakwise.networks._heads import HEADS, CosineHead, Head, LinearHead, build_head
from peakwise.networks.binned_fcnn import BinnedFCNN
from peakwise.networks.binned_points import BinnedPoints
from peakwise.networks.conv_decoder import ConvDecoder
from peakwise.networks.conv_sc import ConvSC
from peakwise.networks.conv_sct import ConvSCT
from peakwise.networks.conv_stack import ConvStack
from peakwise.networks.dense import DenseNet
from peakwise.networks.dense_decoder import DenseDecoder
from peakwise.networks.fcnn import FCNN
from peakwise.networks.lstm import LSTMNet
from peakwise.networks.multi_scale import MultiScaleResNet
from peakwise.networks.patch_conv import PatchConv
from peakwise.networks.regression_mlp import RegressionMLP
from peakwise.networks.residual import ResidualNet
from peakwise.networks.sun_cnn import SunCNN
from peakwise.networks.transformer import TransformerNet
from peakwise.networks.wang_cnn import WangCNN

if TYPE_CHECKING:
    from collections.abc import Mapping

# For identification from the oldest to the newest, for series in the order of the thesis, for latent maps; the default
# of identification comes last.
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
    "dense": DenseNet,
    "conv_stack": ConvStack,
    "patch_conv": PatchConv,
}

# From latent numbers back to a pattern; the default comes first.
DECODERS: dict[str, type[Decoder]] = {"dense": DenseDecoder, "conv": ConvDecoder}

__all__ = [
    "DECODERS",
    "FCNN",
    "HEADS",
    "NETWORKS",
    "BinnedFCNN",
    "BinnedPoints",
    "ConvDecoder",
    "ConvSC",
    "ConvSCT",
    "ConvStack",
    "CosineHead",
    "Decoder",
    "DenseDecoder",
    "DenseNet",
    "Encoder",
    "Head",
    "LSTMNet",
    "LinearHead",
    "MultiScaleResNet",
    "PatchConv",
    "RegressionMLP",
    "ResidualNet",
    "SunCNN",
    "TransformerNet",
    "WangCNN",
    "build_decoder",
    "build_encoder",
    "build_head",
    "build_named",
    "check_count",
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


def build_decoder(name: str, n_latent: int, n_points: int, options: Mapping[str, Any] | None = None) -> Decoder:
    """Build the decoder `name` of `DECODERS`.

    >>> build_decoder("dense", 2, 500, {"widths": [64]}).n_points
    500
    """
    return build_named("decoder", DECODERS, name, (n_latent, n_points), options or {})
