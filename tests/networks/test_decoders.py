"""Decoders and the encoders that they mirror: sizes against the papers and formulas, shapes for any length."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.networks import DECODERS, ConvDecoder, ConvStack, DenseDecoder, DenseNet, build_decoder, seeded


def n_trained(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_dense_layers_have_as_many_parameters_as_the_published_widths():
    """2048-256-128 and back 128-256-2048, each layer with its bias."""
    assert n_trained(DenseNet(2048)) == (2048 + 1) * 256 + (256 + 1) * 128
    assert n_trained(DenseDecoder(2, 2048)) == (2 + 1) * 128 + (128 + 1) * 256 + (256 + 1) * 2048


def test_the_convolutions_of_150_points_are_those_of_the_listing():
    """1-4-8-16 of kernel 5: 2208 numbers of 150 points, J. Appl. Phys. 137, 131101 (2025)."""
    encoder, decoder = ConvStack(150), ConvDecoder(30, 150)
    convolutions = (5 + 1) * 4 + (5 * 4 + 1) * 8 + (5 * 8 + 1) * 16
    assert encoder.n_features == 2208
    assert n_trained(encoder) == convolutions
    mirrored = (5 * 16 * 8 + 8) + (5 * 8 * 4 + 4) + (5 * 4 + 1)
    assert n_trained(decoder) == (30 + 1) * 2208 + mirrored


def test_convolutions_without_relu_are_linear():
    with seeded(0):
        encoder = ConvStack(64)
        a, b = torch.rand(2, 64), torch.rand(2, 64)
    zero = encoder(torch.zeros(2, 64))
    torch.testing.assert_close(encoder(a + b) - zero, (encoder(a) - zero) + (encoder(b) - zero), atol=1e-4, rtol=1e-4)
    bent = ConvStack(64, relu=True)
    zero = bent(torch.zeros(2, 64))
    assert not torch.allclose(bent(a + b) - zero, (bent(a) - zero) + (bent(b) - zero), atol=1e-4)


@given(
    n_points=st.integers(100, 900), kernel=st.integers(1, 7), stride=st.integers(1, 3), relu=st.booleans(),
    n_latent=st.integers(1, 9),
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_any_length_kernel_and_stride_comes_back_at_its_length(n_points, kernel, stride, relu, n_latent):
    encoder = ConvStack(n_points, kernel=kernel, stride=stride, relu=relu)
    decoder = ConvDecoder(n_latent, n_points, kernel=kernel, stride=stride, relu=relu)
    assert encoder(torch.rand(2, n_points)).shape == (2, encoder.n_features)
    assert decoder(torch.rand(2, n_latent)).shape == (2, n_points)
    assert encoder.feature_map(torch.rand(1, n_points)).shape[1] == 16


@pytest.mark.parametrize("name", DECODERS)
def test_gradients_reach_every_parameter(name):
    with seeded(0):
        decoder = build_decoder(name, 3, 200)
        decoder(torch.randn(8, 3)).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in decoder.parameters())


@pytest.mark.parametrize("name", DECODERS)
def test_a_latent_vector_of_another_length_is_refused(name):
    with pytest.raises(OptionError, match=r"it was built for shape \(batch, 3\), got \(2, 4\)"):
        build_decoder(name, 3, 200)(torch.zeros(2, 4))


@pytest.mark.parametrize("widths", [(), 5, (4, 0), (True,), ("4",), (2.0,)])
def test_widths_must_be_whole_numbers(widths):
    with pytest.raises(OptionError, match="must be a list of whole numbers of 1 or more"):
        DenseNet(100, widths=widths)
    with pytest.raises(OptionError, match="must be a list of whole numbers of 1 or more"):
        ConvDecoder(2, 100, channels=widths)


def test_too_few_points_for_the_convolutions_are_refused():
    assert ConvStack(13).n_features == 16
    with pytest.raises(OptionError, match="n_points must be a whole number of at least 13, got 12"):
        ConvStack(12)
    with pytest.raises(OptionError, match="n_points must be a whole number of 13 or more, got 12"):
        ConvDecoder(2, 12)
