"""Random changes of patterns for training, one per file: drawn, then applied, on any device.

To add an augmentation: one file beside these and one line in the table `AUGMENTATIONS`.
"""

from peakwise.augmentation._augmentation import Augmentation, Compose, check_whole, interpolate
from peakwise.augmentation.random_background import RandomBackground
from peakwise.augmentation.random_jitter import RandomJitter
from peakwise.augmentation.random_magnitude import RandomMagnitude
from peakwise.augmentation.random_mask import RandomMask
from peakwise.augmentation.random_mixing import RandomMixing
from peakwise.augmentation.random_noise_shuffle import RandomNoiseShuffle
from peakwise.augmentation.random_scaling import RandomScaling
from peakwise.augmentation.random_shift import RandomShift
from peakwise.augmentation.random_slice import RandomSlice
from peakwise.augmentation.random_warp import RandomWarp

# In the order in which they are usually applied: what is in the beam, where it stands, what the detector adds.
AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "mixing": RandomMixing,
    "shift": RandomShift,
    "slice": RandomSlice,
    "warp": RandomWarp,
    "magnitude": RandomMagnitude,
    "background": RandomBackground,
    "scaling": RandomScaling,
    "mask": RandomMask,
    "jitter": RandomJitter,
    "noise_shuffle": RandomNoiseShuffle,
}

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "Compose",
    "RandomBackground",
    "RandomJitter",
    "RandomMagnitude",
    "RandomMask",
    "RandomMixing",
    "RandomNoiseShuffle",
    "RandomScaling",
    "RandomShift",
    "RandomSlice",
    "RandomWarp",
    "check_whole",
    "interpolate",
]
