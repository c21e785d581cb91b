"""Networks that turn a pattern into features, one per file, and the heads that turn features into classes.

To add a network: one file beside these and one line in the table `NETWORKS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.networks._build import build_named, check_number, seeded
from peakwise.networks._encoder import Encoder
from peakwise.networks._heads import HEADS, CosineHead, Head, LinearHead, build_head
from peakwise.networks.patch_conv import PatchConv
from peakwise.networks.residual import ResidualNet
from peakwise.networks.wang_cnn import WangCNN

if TYPE_CHECKING:
    from collections.abc import Mapping

# From the oldest to the newest; the last one is the default of those who need one.
NETWORKS: dict[str, type[Encoder]] = {
    "wang_cnn": WangCNN,
    "residual": ResidualNet,
    "patch_conv": PatchConv,
}

__all__ = [
    "HEADS",
    "NETWORKS",
    "CosineHead",
    "Encoder",
    "Head",
    "LinearHead",
    "PatchConv",
    "ResidualNet",
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
