"""The four workflows of Vizoso and Dingreville, J. Appl. Phys. 137, 131101 (2025)."""

from __future__ import annotations

from typing import ClassVar, final

from peakwise.estimators._regression_networks import NetworkWorkflow

__all__ = ["Hybrid", "Multimodal", "Reconstruction", "RegressionOnly"]


@final
class Reconstruction(NetworkWorkflow):
    """An autoencoder first; then the perceptron on its latent numbers, which stay as they are."""

    title: ClassVar[str] = "published: autoencoder first, then a perceptron on its latent numbers"
    has_decoder: ClassVar[bool] = True
    in_two_stages: ClassVar[bool] = True


@final
class RegressionOnly(NetworkWorkflow):
    """Encoder and perceptron together, nothing is made again."""

    title: ClassVar[str] = "published: encoder and perceptron together"
    has_decoder: ClassVar[bool] = False
    in_two_stages: ClassVar[bool] = False


@final
class Hybrid(NetworkWorkflow):
    """Autoencoder and perceptron together, with one loss for both."""

    title: ClassVar[str] = "published: autoencoder and perceptron together"
    has_decoder: ClassVar[bool] = True
    in_two_stages: ClassVar[bool] = False


@final
class Multimodal(NetworkWorkflow):
    """The hybrid one with an autoencoder for each of several modalities, whose latent numbers are joined."""

    title: ClassVar[str] = "published: hybrid, of several modalities"
    has_decoder: ClassVar[bool] = True
    in_two_stages: ClassVar[bool] = False
