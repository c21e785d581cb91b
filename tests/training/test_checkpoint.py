"""Checkpoints: whole or not at all, and refused if they are anything else."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from peakwise.errors import DamagedFileError, OptionError, WriteError
from peakwise.training import train
from peakwise.training._checkpoint import read_checkpoint, write_checkpoint
from training.easy import objective, stream


@pytest.fixture
def written(tmp_path):
    file = tmp_path / "c.safetensors"
    train(objective(), stream, steps=2, device="cpu", checkpoint=file)
    return file


def test_it_is_a_safetensors_file_with_json_in_its_header(written):
    with safe_open(written, framework="pt") as file:
        told = json.loads(file.metadata()["peakwise-checkpoint"])
        assert told["history"]["steps"] == 2
        assert told["settings"]["learning_rate"] == 4e-3
        trained = objective()
        train(trained, stream, steps=2, device="cpu")
        for name, value in trained.state_dict().items():
            assert torch.equal(file.get_tensor(f"weights/{name}"), value)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "foreign", "future"])
def test_damaged_and_foreign_files_are_refused(written, damage):
    whole = written.read_bytes()
    if damage == "foreign":
        save_file({"a": torch.zeros(2)}, written)
    elif damage == "future":
        save_file({"a": torch.zeros(2)}, written, {"peakwise-checkpoint": json.dumps({"version": 99})})
    else:
        written.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"hello " * 9}[damage])
    with pytest.raises(DamagedFileError, match="cannot resume the training .* Delete it, or train with resume=False"):
        train(objective(), stream, steps=2, device="cpu", checkpoint=written)
    train(objective(), stream, steps=2, device="cpu", checkpoint=written, resume=False)
    assert written.read_bytes()[:8] == whole[:8]


def test_another_training_is_refused(written):
    with pytest.raises(OptionError, match="is of a training with another learning_rate, random_state, steps. Delete"):
        train(objective(), stream, steps=3, learning_rate=1e-3, random_state=1, device="cpu", checkpoint=written)
    with pytest.raises(OptionError, match="with another network"):
        train(objective(name="residual"), stream, steps=2, device="cpu", checkpoint=written)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(written, monkeypatch):
    whole = written.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("peakwise.training._checkpoint.save_file", full)
    with pytest.raises(WriteError, match="cannot write the checkpoint .* No space left on device"):
        write_checkpoint(written, {}, {})
    assert written.read_bytes() == whole
    assert [p.name for p in written.parent.iterdir()] == [written.name]


def test_no_folder_and_no_file(tmp_path):
    assert read_checkpoint(tmp_path / "none", {}) is None
    with pytest.raises(WriteError, match="there is no folder"):
        write_checkpoint(tmp_path / "no" / "c", {}, {})
