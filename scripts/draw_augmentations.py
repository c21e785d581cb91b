"""Draw what each augmentation does to a pattern: the pictures of docs/explanations/augmentations.md.

Run it again when an augmentation changes: python scripts/draw_augmentations.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import torch

from peakwise.augmentation import AUGMENTATIONS, Augmentation, Compose, RandomMagnitude, RandomNoiseShuffle, RandomWarp

if TYPE_CHECKING:
    from collections.abc import Callable

mpl.use("Agg")
from matplotlib import pyplot as plt

FOLDER = Path(__file__).parents[1] / "docs" / "_static" / "augmentations"
N_POINTS, N_DRAWN = 1200, 3
GREY, COLOURS = "#9aa0a6", ("#0b6e99", "#c2410c", "#4d7c0f")
# Strong enough to be seen at this size, where the default is not.
SHOWN: dict[str, Callable[[], Augmentation | Compose]] = {
    "shift": lambda: AUGMENTATIONS["shift"](points=25.0),
    "jitter": lambda: AUGMENTATIONS["jitter"](sigma=(0.02, 0.05)),
    "mask": lambda: AUGMENTATIONS["mask"](share=(0.08, 0.15), n_parts=2),
    "magnitude": lambda: AUGMENTATIONS["magnitude"](sigma=0.3),
    "mixing": lambda: AUGMENTATIONS["mixing"](probability=1.0, least=0.3),
    "scaling": lambda: AUGMENTATIONS["scaling"](change=0.4),
    "noise_shuffle": lambda: RandomNoiseShuffle(noise_bank(), n_kept=220),
    "warp_then_magnitude": lambda: Compose([RandomWarp(), RandomMagnitude()]),
}


def patterns() -> torch.Tensor:
    """Two patterns (2, N_POINTS): the one that is changed, and the one that it may be mixed with."""
    place = np.linspace(0, 1, N_POINTS)
    centres = np.array([[0.12, 0.3, 0.42, 0.55, 0.71, 0.88], [0.2, 0.36, 0.5, 0.62, 0.8, 0.95]])
    heights = np.array([[0.35, 1.0, 0.55, 0.2, 0.45, 0.15], [0.9, 0.4, 0.6, 0.3, 0.2, 0.4]])
    rows = (heights[..., None] * np.exp(-0.5 * ((place - centres[..., None]) / 0.006) ** 2)).sum(axis=1)
    return torch.from_numpy(rows.astype(np.float32))


def noise_bank() -> torch.Tensor:
    """Noise as a detector has it."""
    return torch.randn(4, N_POINTS, generator=torch.Generator().manual_seed(1)) * 0.012 + 0.03


def draw(name: str, augmentation: Callable[..., dict[str, torch.Tensor]]) -> None:
    """The pattern in grey, and three results over it, each a little higher."""
    batch = {"intensity": patterns(), "weights": torch.eye(2)}
    figure, axes = plt.subplots(figsize=(5.6, 2.5), dpi=80)
    for i in range(N_DRAWN):
        generator = torch.Generator().manual_seed(10 + i)
        changed = augmentation(batch, generator)["intensity"][0].numpy()
        lift = 1.15 * (N_DRAWN - 1 - i)
        axes.plot(np.linspace(0, 1, N_POINTS), batch["intensity"][0].numpy() + lift, color=GREY, linewidth=0.9)
        axes.plot(np.linspace(0, 1, N_POINTS), changed + lift, color=COLOURS[i], linewidth=0.9)
    axes.set(xlabel="place on the axis (share)", yticks=[], xlim=(0, 1))
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.tight_layout(pad=0.4)
    figure.savefig(FOLDER / f"{name}.png", metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """All pictures, into docs/_static/augmentations."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in [*AUGMENTATIONS, "warp_then_magnitude"]:
        draw(name, SHOWN[name]() if name in SHOWN else AUGMENTATIONS[name]())
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
