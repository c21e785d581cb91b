"""Train every network for equal processor time on simulated patterns, and print a Markdown table.

    .venv/bin/python scripts/compare_networks.py [--seconds 60] [--phases 56] [--points 2001] [NETWORK ...]

Each network trains on one core for as many steps as fit into `--seconds` of processor time, as measured on it just
before: so other work on the machine changes how long this takes, and not who wins. Patterns are mixtures of one to
three phases, simulated while it trains; those that the table is about come from the same simulator, later in its
sequence. `top-1`: the most probable phase of patterns of one phase. `F1`: the set of phases with a probability above
one half, in mixtures. `top-10`: share of the phases of mixtures among the ten most probable.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from peakwise.crystal import TEXTBOOK
from peakwise.networks import NETWORKS, build_encoder, seeded
from peakwise.objectives import MultiLabel
from peakwise.simulate import Simulator
from peakwise.training import train

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE, MIXTURES = 64, 3
N_HELD_OUT = 1000
FIRST_HELD_OUT = 50_000_000  # training never comes so far


def prepared(intensity: np.ndarray) -> np.ndarray:
    """Square roots, as counting noise asks for, of patterns with a maximum of 1."""
    return np.sqrt(np.maximum(intensity / intensity.max(axis=1, keepdims=True), 0), dtype=np.float32)


def batches_of(simulator: Simulator, first: int) -> Iterator[dict[str, Any]]:
    for batch in simulator.batches(SIZE, mixtures=MIXTURES, first=first * SIZE):
        yield {"intensity": prepared(batch.intensity), "weights": batch.weights}


def held_out(simulator: Simulator, mixtures: int) -> tuple[torch.Tensor, np.ndarray]:
    batch = next(simulator.batches(N_HELD_OUT, mixtures=mixtures, first=FIRST_HELD_OUT))
    return torch.from_numpy(prepared(batch.intensity)), batch.weights > 0


def seconds_a_step(objective: MultiLabel, n_points: int, n_phases: int) -> float:
    """The least processor time of a step, of some."""
    batch = {"intensity": torch.rand(SIZE, n_points), "weights": torch.eye(n_phases).repeat(2, 1)[:SIZE]}
    optimizer = torch.optim.AdamW(objective.parameters(), foreach=True)
    best = float("inf")
    for _ in range(8):
        start = time.thread_time()
        objective(batch)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
        best = min(best, time.thread_time() - start)
    return best


def measured(objective: MultiLabel, single: Any, mixed: Any) -> tuple[float, float, float]:
    answer, truth = objective.predict(single[0]).numpy(), single[1]
    top = float((answer.argmax(axis=1) == truth.argmax(axis=1)).mean())
    answer, truth = objective.predict(mixed[0]).numpy(), mixed[1]
    chosen = answer > 0.5
    f1 = 2 * (chosen & truth).sum() / (chosen.sum() + truth.sum())
    ten = np.argsort(-answer, axis=1)[:, :10]
    return top, float(f1), float(np.take_along_axis(truth, ten, axis=1).sum() / truth.sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--phases", type=int, default=56)
    parser.add_argument("--points", type=int, default=2001)
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = list(TEXTBOOK)
    chosen = [names[i] for i in np.linspace(0, len(names) - 1, options.phases).round().astype(int)]
    grid = (10, 90, options.points)
    simulator = Simulator([TEXTBOOK[name] for name in chosen], grid, radiation="CuKa", threads=1)
    single, mixed = held_out(simulator, 1), held_out(simulator, MIXTURES)
    print("| network | parameters | patterns a second | patterns seen | top-1 | F1 | top-10 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name in options.networks:
        with seeded(0):
            objective = MultiLabel(build_encoder(name, options.points), options.phases)
        cost = seconds_a_step(objective, options.points, options.phases)
        with seeded(0):
            objective = MultiLabel(build_encoder(name, options.points), options.phases)
        steps = max(1, round(options.seconds / cost))
        train(objective, lambda first: batches_of(simulator, first), steps=steps, device="cpu")
        numbers = " | ".join(f"{share:.3f}" for share in measured(objective, single, mixed))
        size = sum(p.numel() for p in objective.encoder.parameters())
        print(f"| `{name}` | {size:,} | {SIZE / cost:,.0f} | {steps * SIZE:,} | {numbers} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
