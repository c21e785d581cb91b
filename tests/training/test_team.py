"""Two processes on one machine train one network: the same weights in both, those of the batches taken together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from peakwise.training import Team, joined_processes, train
from training.easy import objective, patterns, same, weights

WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from safetensors.torch import save_file
from peakwise.training import joined_processes, train
from training.easy import objective, stream

with joined_processes() as team:
    one, scores = objective(dropout=0.0), iter([0.1, 0.2] if team.rank == 0 else [9.0, 8.0])
    history = train(one, stream, steps=4, validations=2, validate=lambda _: next(scores), device="cpu", clip=None)
    save_file(one.state_dict(), f"{sys.argv[2]}/{team.rank}.safetensors")
    if (team.size, history.best_step, history.best_score) != (2, 4, 0.2):
        raise SystemExit(f"{team} {history}")
"""


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_processes() as team:
        assert team == Team()
        assert team.largest([1.5], torch.device("cpu")) == [1.5]


def test_two_processes_train_one_network(tmp_path):
    pytest.importorskip("torch.distributed")
    (tmp_path / "worker.py").write_text(WORKER)
    command = [
        sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone",
        str(tmp_path / "worker.py"), str(Path(__file__).parents[1]), str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert same(first, second)

    def together(first_number):
        number = 2 * first_number
        while True:
            parts = [patterns(32, [0, number]), patterns(32, [0, number + 1])]
            yield {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
            number += 2

    alone = objective(dropout=0.0)
    before = weights(alone)
    train(alone, together, steps=4, device="cpu", clip=None)
    for name, value in weights(alone).items():
        torch.testing.assert_close(first[name], value, atol=2e-5, rtol=1e-3)
        assert name == "class_weights" or not torch.equal(value, before[name])
