"""Augmentations: what was drawn is what happens, and the same generator draws the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.augmentation import (
    AUGMENTATIONS,
    Compose,
    RandomBackground,
    RandomJitter,
    RandomMask,
    RandomMixing,
    RandomNoiseShuffle,
    RandomScaling,
    RandomShift,
)
from peakwise.errors import OptionError

seeds = st.integers(0, 2**31)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def made(name):
    return AUGMENTATIONS[name](torch.rand(3, 50)) if name == "noise_shuffle" else AUGMENTATIONS[name]()


def peaks(n=4, length=300, seed=0):
    draw = np.random.default_rng(seed)
    place = np.arange(length)
    centre = draw.uniform(60, length - 60, (n, 1))
    return torch.from_numpy((3 * np.exp(-0.5 * ((place - centre) / 3) ** 2)).astype(np.float32))


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(seed=seeds)
@settings(max_examples=5, deadline=None)
def test_the_same_generator_gives_the_same_and_nothing_else_moves(name, seed):
    torch.manual_seed(0)  # before: the state that must stay
    before = torch.get_rng_state()
    augmentation = AUGMENTATIONS[name](torch.arange(150.0).reshape(3, 50)) if name == "noise_shuffle" else made(name)
    batch = {"intensity": peaks(), "weights": torch.eye(4), "other": torch.arange(4)}
    kept = {key: value.clone() for key, value in batch.items()}
    first = augmentation(batch, generator(seed))
    second = augmentation(batch, generator(seed))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert all(torch.equal(batch[key], kept[key]) for key in batch), "the input was changed"
    assert torch.equal(torch.get_rng_state(), before)
    assert first["intensity"].shape == (4, 300)
    assert first["intensity"].dtype == torch.float32
    assert torch.equal(first["other"], batch["other"])
    drawn, others = (augmentation.draw(batch["intensity"], generator(s)) for s in (seed, seed + 1))
    assert any(not torch.equal(drawn[key], others[key]) for key in drawn)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_apply_is_a_plain_function_of_what_was_drawn(name):
    augmentation = made(name)
    drawn = augmentation.draw(peaks(), generator(3))
    assert torch.equal(augmentation.apply(peaks(), drawn), augmentation.apply(peaks(), drawn))


@given(seed=seeds, points=st.floats(0, 40))
@settings(max_examples=30, deadline=None)
def test_a_shift_moves_the_maximum_by_what_was_drawn(seed, points):
    shift = RandomShift(points)
    before = peaks(seed=seed % 97)
    drawn = shift.draw(before, generator(seed))
    assert (drawn["points"].abs() <= points + 1e-6).all()
    after = shift.apply(before, drawn)
    place = torch.arange(300.0)
    moved = (after * place).sum(dim=1) / after.sum(dim=1) - (before * place).sum(dim=1) / before.sum(dim=1)
    torch.testing.assert_close(moved, drawn["points"][:, 0], atol=0.02, rtol=0)
    np.testing.assert_allclose(after.argmax(dim=1) - before.argmax(dim=1), drawn["points"][:, 0], atol=1.01)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_a_shift_is_linear_interpolation(seed):
    draw = np.random.default_rng(seed)
    before = draw.normal(size=(3, 41)).astype(np.float32)
    drawn = RandomShift(60).draw(torch.from_numpy(before), generator(seed))
    after = RandomShift(60).apply(torch.from_numpy(before), drawn)
    place = np.arange(41)
    slow = [np.interp(place - float(d), place, row) for d, row in zip(drawn["points"], before, strict=True)]
    np.testing.assert_allclose(after, slow, atol=2e-5)


def test_jitter_has_the_strength_that_was_drawn():
    jitter = RandomJitter((0.01, 0.05))
    before = torch.zeros(6, 20_000)
    before[:, 0] = 4.0
    drawn = jitter.draw(before, generator(0))
    noise = jitter.apply(before, drawn) - before
    torch.testing.assert_close(noise.std(dim=1), 4 * drawn["sigma"][:, 0], rtol=0.03, atol=0)
    assert ((drawn["sigma"] >= 0.01) & (drawn["sigma"] <= 0.05)).all()
    assert noise.mean().abs() < 0.005


def test_scaling_keeps_the_shape():
    before = peaks()
    after = RandomScaling(0.5)({"intensity": before}, generator(1))["intensity"]
    factors = after.amax(dim=1) / before.amax(dim=1)
    torch.testing.assert_close(after, before * factors[:, None])
    assert ((factors >= 0.5) & (factors <= 1.5)).all()
    assert factors.std() > 0


@given(seed=seeds, degree=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_a_background_is_a_polynomial_from_0_to_its_height(seed, degree):
    background = RandomBackground((0.2, 0.6), degree)
    before = peaks().double()
    drawn = background.draw(before, generator(seed))
    added = (background.apply(before, drawn) - before).numpy()
    height = drawn["height"].numpy() * (before.amax(dim=1) - before.amin(dim=1)).numpy()[:, None]
    np.testing.assert_allclose(added.min(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(added.max(axis=1), height[:, 0], rtol=1e-6)
    x = np.cos(np.linspace(np.pi, 0, 300))
    for row in added:  # a polynomial of this degree in the cosine of the angle, and so smooth
        fit = np.polynomial.chebyshev.Chebyshev.fit(x, row, degree)
        np.testing.assert_allclose(fit(x), row, atol=1e-6)


@given(seed=seeds, n_parts=st.integers(1, 4), share=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_mask_hides_what_was_drawn_and_nothing_else(seed, n_parts, share):
    mask = RandomMask(share, n_parts)
    before = peaks(length=200, n=3) + 1
    drawn = mask.draw(before, generator(seed))
    after = mask.apply(before, drawn).numpy()
    for i in range(3):
        hidden = np.zeros(200, bool)
        for start, width in zip(drawn["start"][i].tolist(), drawn["width"][i].tolist(), strict=True):
            assert start >= 0
            assert start + width <= 200
            hidden[int(start) : int(start + width)] = True
        np.testing.assert_array_equal(after[i][hidden], float(before[i].min()))
        np.testing.assert_array_equal(after[i][~hidden], before[i].numpy()[~hidden])


@given(seed=seeds, least=st.floats(0, 0.5))
@settings(max_examples=20, deadline=None)
def test_mixing_mixes_labels_as_it_mixes_patterns(seed, least):
    """With one-hot patterns, a pattern is its own label."""
    eye = torch.eye(8)
    mixed = RandomMixing(0.7, least)({"intensity": eye, "weights": eye}, generator(seed))
    assert torch.equal(mixed["intensity"], mixed["weights"])
    torch.testing.assert_close(mixed["weights"].sum(dim=1), torch.ones(8))
    assert ((mixed["weights"] > 0).sum(dim=1) <= 2).all()
    assert (mixed["weights"].diagonal() >= least - 1e-6).all()


def test_mixing_by_probability():
    eye = torch.eye(2000)
    for probability in (0.0, 0.3, 1.0):
        mixed = RandomMixing(probability, 0.2)({"intensity": eye, "weights": eye}, generator(0))["weights"]
        share = (mixed.diagonal() < 1).float().mean().item()
        assert share == pytest.approx(probability, abs=0.04)


@given(seed=seeds, n_kept=st.integers(0, 400), size=st.sampled_from([7, 150, 300, 1000]))
@settings(max_examples=30, deadline=None)
def test_noise_shuffle_keeps_the_largest_points_and_shuffles_the_rest(seed, n_kept, size):
    draw = np.random.default_rng(seed)
    before = torch.from_numpy(draw.permutation(1200).reshape(4, 300).astype(np.float32))  # no value twice
    bank = torch.from_numpy(-1 - draw.permutation(3 * size).reshape(3, size).astype(np.float32))
    after = RandomNoiseShuffle(bank, n_kept)({"intensity": before}, generator(seed))["intensity"].numpy()
    rows = [set(row.tolist()) for row in bank]
    for old, new in zip(before.numpy(), after, strict=True):
        order = np.argsort(-old)
        np.testing.assert_array_equal(new[order[:n_kept]], old[order[:n_kept]])
        noise = new[order[n_kept:]]
        assert not noise.size or any(set(noise.tolist()) <= row for row in rows), "noise of one scan a pattern"
        assert size < 300 or len(set(noise.tolist())) == noise.size, "a value was used twice"


def test_noise_shuffle_reaches_all_rows_and_places():
    bank = torch.arange(40.0).reshape(4, 10) + 1
    noise = RandomNoiseShuffle(bank, 0, amplitude=(2.0, 2.0)).draw(torch.zeros(4000, 10), generator(0))["noise"] / 2
    first = np.bincount(noise[:, 0].round().int(), minlength=41)[1:]
    assert first.min() > 60  # 100 expected at each of the 40 values, deviation 10
    assert first.max() < 140


def test_compose_applies_in_order_and_by_chance():
    x = {"intensity": peaks()}
    scale, shift = RandomScaling(0.3), RandomShift(10)
    by_hand = generator(5)
    torch.rand((), generator=by_hand)
    once = scale(x, by_hand)
    torch.rand((), generator=by_hand)
    twice = shift(once, by_hand)
    assert torch.equal(Compose([scale, shift])(x, generator(5))["intensity"], twice["intensity"])
    assert torch.equal(Compose([scale, shift], probability=0)(x, generator(5))["intensity"], x["intensity"])
    changed = [not torch.equal(Compose([scale], 0.5)(x, generator(i))["intensity"], x["intensity"]) for i in range(100)]
    assert 30 < sum(changed) < 70


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandomJitter(-1), "cannot build RandomJitter: sigma must be a number or two, within 0 and 10, got -1"),
        (lambda: RandomJitter((0.2, 0.1)), r"sigma must be .* got \(0.2, 0.1\)"),
        (lambda: RandomJitter("much"), "sigma must be .* got 'much'"),
        (lambda: RandomScaling(1.0), "change must lie within 0 and 1, 1 excluded, got 1.0"),
        (lambda: RandomShift(float("nan")), "points must be .* got nan"),
        (lambda: RandomBackground(degree=0), "degree must be a whole number of 1 or more, got 0"),
        (lambda: RandomMask(n_parts=1.5), "n_parts must be a whole number of 1 or more, got 1.5"),
        (lambda: RandomMask(2.0), "share must be .* within 0 and 1, got 2.0"),
        (lambda: RandomMixing(2), "probability must lie within 0 and 1, got 2"),
        (lambda: RandomMixing(least=0.6), "least must lie within 0 and 0.5, got 0.6"),
        (lambda: RandomNoiseShuffle([1.0]), "bank must be a tensor of shape .* got list"),
        (lambda: RandomNoiseShuffle(torch.zeros(0)), r"bank must be a tensor of shape .* got \(0,\)"),
        (lambda: RandomNoiseShuffle(torch.tensor([float("inf")])), "bank must hold finite numbers"),
        (lambda: RandomNoiseShuffle(torch.zeros(3), -1), "n_kept must be a whole number of 0 or more, got -1"),
        (lambda: Compose([], 1.5), "cannot build Compose: probability must lie within 0 and 1, got 1.5"),
        (
            lambda: RandomMixing()({"intensity": torch.eye(2), "label": torch.arange(2)}, generator(0)),
            "batches need 'weights' .* and no 'label', got intensity, label",
        ),
        (
            lambda: RandomShift()({"intensity": torch.zeros(3)}, generator(0)),
            r"'intensity' of shape \(n, n_points\) is needed, got \(3,\)",
        ),
        (lambda: RandomShift()({"label": torch.zeros(3)}, generator(0)), "is needed, got label. Give a batch"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(OptionError, match=message):
        build()
