"""Batches: each row once an epoch, from any step on, without copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.training import ArrayBatches
from peakwise.training._batches import Prefetcher, as_tensors, stream_from

CPU = torch.device("cpu")


@given(n=st.integers(1, 40), size=st.integers(1, 17), seed=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_an_epoch_is_every_row_once_and_any_step_can_be_the_first(n, size, seed):
    batches = ArrayBatches({"row": np.arange(n), "twice": 2 * np.arange(n)}, size, seed)
    epochs = [list(batches), list(batches)]
    assert len(epochs[0]) == len(batches)
    rows = np.concatenate([b["row"] for b in epochs[0]])
    assert sorted(rows) == list(range(n))
    assert all((b["twice"] == 2 * b["row"]).all() for b in epochs[0])
    assert [b["row"].tolist() for b in epochs[0]] == [b["row"].tolist() for b in epochs[1]]
    endless = batches.starting_at(0)
    long = [next(endless)["row"].tolist() for _ in range(3 * len(batches))]
    assert sorted(row for batch in long[len(batches) : 2 * len(batches)] for row in batch) == list(range(n))
    for first in range(0, len(long), max(1, len(long) // 4)):
        assert next(batches.starting_at(first))["row"].tolist() == long[first]


def test_epochs_differ_in_their_order():
    endless = ArrayBatches({"row": np.arange(50)}, 50).starting_at(0)
    assert next(endless)["row"].tolist() != next(endless)["row"].tolist()


def test_processes_share_the_batches():
    def numbers(first):
        number = first
        while True:
            yield {"number": number}
            number += 1

    taken = [[next(s)["number"] for _ in range(3)] for s in (stream_from(numbers, 5, rank, 2) for rank in (0, 1))]
    assert taken == [[10, 12, 14], [11, 13, 15]]


def test_arrays_become_tensors():
    rows = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    locked = rows.copy()
    locked.flags.writeable = False
    batch = {"a": rows, "b": rows.astype(np.float64), "c": np.arange(3), "d": locked, "e": rows[:, ::2], "f": [1, 2]}
    made = as_tensors(batch, CPU)
    assert np.shares_memory(made["a"].numpy(), rows)
    assert not np.shares_memory(made["d"].numpy(), locked)
    assert [made[k].dtype for k in "abce"] == [torch.float32, torch.float32, torch.int64, torch.float32]
    for key in "abde":
        np.testing.assert_array_equal(made[key].numpy(), np.asarray(batch[key], np.float32))
    double = torch.rand(2, dtype=torch.float64)
    assert as_tensors({"x": double}, CPU)["x"].dtype == torch.float32


def test_prefetching_keeps_the_order():
    with Prefetcher(iter([{"i": np.array([i])} for i in range(50)]), CPU) as ready:
        assert [int(b["i"]) for b in ready] == list(range(50))


def test_what_cannot_be_is_refused():
    with pytest.raises(OptionError, match=r"arrays must have the same length and at least one row, got \[2, 3\]"):
        ArrayBatches({"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(OptionError, match=r"got \[\]. Give arrays of equal length"):
        ArrayBatches({})
    with pytest.raises(OptionError, match="size must be a whole number of 1 or more, got 0"):
        ArrayBatches({"a": [1]}, size=0)
