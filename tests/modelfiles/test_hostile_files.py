"""Files that are cut, altered, foreign or made to do harm: one sentence each, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import sys
import time
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from peakwise.errors import ModelFileError
from peakwise.modelfiles import ModelFile, loads_recipe, read_model, write_model

RECIPE = {
    "estimator": "x",
    "options": {"top": 10},
    "labels": ["rutile", "Å"],
    "phases": [{"id": "a", "sha256": "0" * 64}],
}
ARRAYS = {
    "w": np.arange(12, dtype="f4").reshape(3, 4),
    "b": np.array([True, False]),
    "n": np.array(3),
    "e": np.empty((0, 2)),
}


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "model.pw"
    write_model(path, RECIPE, ARRAYS)
    return path


def refused(path, why=""):
    with pytest.raises(ModelFileError, match=why or None) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.startswith("cannot read the model (")
    assert str(path)[:40] in message
    assert "\n" not in message
    assert len(message) < 900
    assert message.endswith(".")
    return message


def seal(header, data=b"", length=None):
    """A file whose digest is right, however odd its header: what an attacker would make."""
    text = header if isinstance(header, str) else json.dumps(header, ensure_ascii=False, separators=(",", ":"))
    raw = text.encode("utf-8", "surrogatepass")
    front = (len(raw) if length is None else length).to_bytes(8, "little")
    digest = hashlib.sha256(front + raw + data).hexdigest().encode()
    return front + raw.replace(b'"sha256":"' + b"0" * 64, b'"sha256":"' + digest, 1) + data


def crafted(table=(), data=b"", recipe=None, text=None):
    recipe = {"estimator": "x", "format": 1, "peakwise": "0", **(recipe or {})}
    text = json.dumps(recipe, separators=(",", ":")) if text is None else text
    return seal({"__metadata__": {"sha256": "0" * 64, "peakwise": text}, **dict(table)}, data)


def one(dtype="U8", shape=(4,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


# -- cut and altered


def test_every_truncation_is_refused(whole, tmp_path):
    raw = whole.read_bytes()
    for size in range(len(raw)):
        (tmp_path / "cut.pw").write_bytes(raw[:size])
        refused(tmp_path / "cut.pw")
    refused_at = {
        0: "it is empty",
        100: "it is cut short: its header has",
        len(raw) - 1: "its header promises .* bytes of arrays",
    }
    for size, why in refused_at.items():
        (tmp_path / "cut.pw").write_bytes(raw[:size])
        refused(tmp_path / "cut.pw", why)


def test_every_flipped_bit_is_refused(whole, tmp_path):
    raw = whole.read_bytes()
    for place in range(len(raw)):
        for bit in (place % 8, 5):  # bit 5 turns letters and hexadecimal digits into capitals
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            (tmp_path / "bit.pw").write_bytes(changed)
            with pytest.raises(ModelFileError):
                read_model(tmp_path / "bit.pw")
    changed[-1] ^= 1
    (tmp_path / "bit.pw").write_bytes(changed)
    refused(tmp_path / "bit.pw", "it was altered: its SHA-256 is not the one that it names. Copy it again")


def mutated(raw, random):
    """One of many kinds of damage."""
    raw, place = bytearray(raw), random.randrange(len(raw))
    end = min(len(raw), place + random.choice([1, 2, 8, 64, 4096]))
    kind = random.randrange(8)
    if kind == 0:
        raw[place:end] = random.randbytes(end - place)
    elif kind == 1:
        del raw[place:end]
    elif kind == 2:
        raw[place:place] = random.randbytes(end - place)
    elif kind == 3:
        raw[place:place] = raw[place:end]
    elif kind == 4:
        other = random.randrange(len(raw))
        raw[place], raw[other] = raw[other], raw[place]
    elif kind == 5:
        raw[:8] = random.choice([0, 1, 7, 8, len(raw), 2**26, 2**63, 2**64 - 1]).to_bytes(8, "little")
    elif kind == 6:
        numbers = [i for i, byte in enumerate(raw) if chr(byte).isdigit()]
        raw[random.choice(numbers)] = random.choice(b"0123456789eE.-")
    else:
        marks = [i for i, byte in enumerate(raw) if byte in b'{}[]":,\\']
        raw[random.choice(marks)] = random.choice(b'{}[]":,\\ ')
    return bytes(raw)


@pytest.mark.parametrize("seed", range(5))
def test_mutations_are_refused_or_change_nothing(whole, tmp_path, seed):
    raw, mutator = whole.read_bytes(), random.Random(seed)
    path, changed = tmp_path / "mutated.pw", 0
    for _ in range(400):
        made = mutated(raw, mutator)
        if made == raw:
            continue
        changed += 1
        path.write_bytes(made)
        with pytest.raises(ModelFileError):
            read_model(path)
    assert changed > 300


@pytest.mark.parametrize("seed", range(3))
def test_mutations_that_are_sealed_again_do_no_harm(whole, tmp_path, seed):
    """Whoever alters a file can make its digest right again: then it is read or refused, and nothing else happens."""
    raw, mutator, read = whole.read_bytes(), random.Random(seed), 0
    path, blank = tmp_path / "mutated.pw", b"0" * 64
    start = raw.index(b'"sha256":"') + 10
    raw = raw[:start] + blank + raw[start + 64 :]
    for _ in range(300):
        made = mutated(raw, mutator)
        digest = hashlib.sha256(made).hexdigest().encode()
        path.write_bytes(made.replace(b'{"sha256":"' + blank, b'{"sha256":"' + digest, 1))
        try:
            model = read_model(path)
        except ModelFileError:
            continue
        read += 1
        json.dumps(model.recipe, allow_nan=False).encode()
        assert all(isinstance(a, np.ndarray) for a in model.arrays.values())
    assert read > 10, "the seal of this test is wrong"


# -- foreign


def test_other_kinds_of_files(tmp_path):
    path = tmp_path / "other.pw"
    path.write_bytes(pickle.dumps({"weights": list(range(1000))}))
    refused(path, "it is a pickle, which could run code, and no model file. Give a .pw file that peakwise wrote")
    for protocol in (0, 1, 2, 3, 4, 5):
        path.write_bytes(pickle.dumps({"weights": list(range(1000))}, protocol))
        refused(path, "no model file")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"")
    refused(path, "it is a zip archive, as torch.save writes, and no model file")
    np.save(path.with_suffix(".npy"), np.zeros(3))
    refused(path.with_suffix(".npy"), "it is a numpy file")
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    refused(path, "it is an HDF5 file")
    path.write_bytes(b"\x1f\x8b" + bytes(100))
    refused(path, "it is compressed with gzip")
    for content in (b"10.0 200\n10.1 210\n", b"{}", b"\n", bytes(1000), b"\xff" * 1000):
        path.write_bytes(content)
        refused(path, "it is no model file: it begins with")


def test_a_torch_file(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.zeros(3)}, tmp_path / "other.pw")
    refused(tmp_path / "other.pw", "it is a zip archive, as torch.save writes, and no model file")


def test_pickles_are_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    (tmp_path / "evil.pw").write_bytes(pickle.dumps(Evil()))
    refused(tmp_path / "evil.pw")
    assert not (tmp_path / "harm").exists()


def test_safetensors_of_others(whole, tmp_path):
    save_file({"w": np.zeros(3)}, tmp_path / "other.pw")
    refused(tmp_path / "other.pw", "it is a safetensors file without the recipe of a peakwise model")
    save_file({"w": np.zeros(3)}, tmp_path / "other.pw", metadata={"format": "pt"})
    refused(tmp_path / "other.pw", "without the recipe of a peakwise model")
    save_file(load_file(whole), tmp_path / "other.pw", metadata={"peakwise": '{"estimator":"x","format":1}'})
    refused(tmp_path / "other.pw", "its metadata must be the recipe and its SHA-256")


def test_a_later_format_says_update(tmp_path):
    path = tmp_path / "later.pw"
    path.write_bytes(crafted(recipe={"format": 2}))
    refused(
        path, "it is of format 2, and this peakwise reads up to format 1. Update peakwise, or train the model again"
    )
    for odd in (0, -1, True, None, "1", 1.0, [1]):
        path.write_bytes(crafted(recipe={"format": odd}))
        refused(path, "its recipe must name the version of its format")


# -- places


def test_places_that_are_no_file(tmp_path, monkeypatch):
    refused(tmp_path, "it is a folder. Give a .pw file")
    refused(
        tmp_path / "nowhere.pw",
        r"it cannot be opened \(No such file or directory\). Check the path and the permissions",
    )
    with pytest.raises(ModelFileError, match="no file can have this name"):
        read_model("a\0.pw")
    os.mkfifo(tmp_path / "pipe.pw")
    refused(tmp_path / "pipe.pw", "it is no plain file")
    (tmp_path / "loop.pw").symlink_to(tmp_path / "loop.pw")
    refused(tmp_path / "loop.pw", "it cannot be opened")


def test_a_file_that_may_not_be_read(whole, monkeypatch):
    def closed(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(whole), "open", closed)
    refused(whole, r"it cannot be opened \(Permission denied\). Check the path and the permissions")


def test_a_file_that_shrinks_meanwhile(whole, monkeypatch):
    size = whole.stat().st_size
    whole.write_bytes(whole.read_bytes()[:-20])

    class Told:
        st_size = size

    monkeypatch.setattr("peakwise.modelfiles._read.os.fstat", lambda _: Told)
    refused(whole, "it became shorter while it was read")


# -- made to do harm


def test_the_tool_of_these_tests_makes_good_files(tmp_path):
    path = tmp_path / "good.pw"
    path.write_bytes(crafted({"w": one()}, b"\1\2\3\4"))
    model = read_model(path)
    assert isinstance(model, ModelFile)
    assert model.arrays["w"].tolist() == [1, 2, 3, 4]
    assert model.recipe == {"estimator": "x"}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"w": one(dtype="BF16", shape=(2,))}, "its array 'w' must be of a kind among F64, .*, got 'BF16'"),
        ({"w": one(dtype="O")}, "got 'O'"),
        ({"w": one(dtype=["U8"])}, "must be of a kind among"),
        ({"w": one(shape=(5,))}, r"of shape \[5\] does not take the 4 bytes that it claims"),
        ({"w": one(shape=(-4,))}, r"must have a shape of at most 32 counts, got \[-4\]"),
        ({"w": one(shape=(-2, -2))}, "must have a shape"),
        ({"w": one(shape=(4.0,))}, "must have a shape"),
        ({"w": one(shape=(True, 4))}, "must have a shape"),
        ({"w": one(shape=(1,) * 33 + (4,))}, "must have a shape of at most 32 counts"),
        ({"w": one(shape=(2**32, 2**32 + 1))}, "does not take the 4 bytes"),
        ({"w": one(shape=(2**63,))}, "must have a shape"),
        ({"w": one(shape=(2**64 + 4,))}, "must have a shape"),
        ({"w": one(shape=(0, 2**40, 2**40), offsets=(0, 0)), "v": one()}, "does not take the 0 bytes"),
        ({"w": one(offsets=(0, 2**40), shape=(2**40,))}, "it is cut short: its header promises 1099511627776 bytes"),
        ({"w": one(offsets=(4, 0))}, "does not take the -4 bytes"),
        ({"w": one(offsets=(-4, 0))}, "must lie between two bytes"),
        ({"w": one(offsets=(0, 4, 8))}, "must lie between two bytes"),
        ({"w": one(offsets=(0.0, 4.0))}, "must lie between two bytes"),
        ({"w": one(offsets=(1, 5))}, "its first array must begin at byte 0, got 1"),
        ({"w": one(), "v": one()}, "its arrays 'v' and 'w' overlap"),
        ({"w": one(), "v": one(offsets=(2, 6))}, "its arrays 'w' and 'v' overlap"),
        ({"w": one(shape=(1,), offsets=(0, 1)), "v": one(shape=(1,), offsets=(3, 4))}, "have a gap between them"),
        ({"w": one(shape=(3,), offsets=(0, 3))}, "1 bytes follow after its last array"),
        ({}, "4 bytes follow after its last array"),
        ({"w": {"dtype": "U8", "shape": [4]}}, "must be told by dtype, shape and data_offsets"),
        ({"w": {**one(), "more": 1}}, "must be told by"),
        ({"w": 3}, "must be told by"),
        ({"w": one(dtype="BOOL")}, "the truth values of its array 'w' are neither 0 nor 1"),
    ],
)
def test_claims_that_are_no_arrays(tmp_path, table, why):
    (tmp_path / "bad.pw").write_bytes(crafted(table, b"\1\2\3\4"))
    refused(tmp_path / "bad.pw", why)


def test_names_cannot_write_to_a_terminal(tmp_path):
    (tmp_path / "bad.pw").write_bytes(crafted({"\x1b[31m" + "a" * 10_000: one(dtype="O")}, b"\1\2\3\4"))
    assert "\x1b" not in refused(tmp_path / "bad.pw")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"estimator":"x","options":{"a":NaN}}', "holds NaN, which is no number"),
        ('{"estimator":"x","options":{"a":-Infinity}}', "holds -Infinity, which is no number"),
        ('{"estimator":"x","options":{"a":1e999}}', "is not plain: options.a must be finite, got inf"),
        ('{"estimator":"x","estimator":"y"}', "has the key 'estimator' twice"),
        ('{"estimator":"x","options":{"a":1,"a":1}}', "has the key 'a' twice"),
        ('{"estimator":"x","a":"\\ud800"}', "a must be a text that UTF-8 can hold"),
        ('{"estimator":"x","\\ud800":1}', "must be a text that UTF-8 can hold"),
        ('{"estimator":"x","a":' + "[" * 70 + "]" * 70 + "}", "must not be nested deeper than 64"),
        ('{"estimator":"x","a":' + "[" * 100_000 + "]" * 100_000 + "}", "is nested deeper than 64"),
        ('{"estimator":"x","a":' + '{"a":' * 100_000 + "1" + "}" * 100_001, "is nested deeper than 64"),
        ('{"estimator":"x","a":' + "9" * 10_000 + "}", "is broken"),
        ('{"estimator":"x","a":' + "9" * 400 + "}", "a must be a number of at most 1024 bits"),
        ('{"estimator":"x"', "is broken"),
        ('{"estimator":"x"} {}', "is broken"),
        ("", "is broken"),
        ("[" + "0," * 1_000_001 + "0]", "holds more than 1000000 values"),
    ],
    ids=range(16),
)  # fmt: skip
def test_json_that_is_no_recipe(tmp_path, text, why):
    with pytest.raises(ModelFileError, match=f"cannot read the recipe: its JSON .*{why}") as caught:
        loads_recipe(text)
    assert len(str(caught.value)) < 900
    marked = text.replace('{"estimator":"x"', '{"format":1,"peakwise":"0","estimator":"x"', 1)
    (tmp_path / "bad.pw").write_bytes(crafted(text=marked))
    refused(tmp_path / "bad.pw", f"the JSON of its (recipe|header) .*{why.removeprefix('is not plain: ')}")


def test_deep_headers(tmp_path):
    (tmp_path / "bad.pw").write_bytes(seal('{"a":' + "[" * 1_000_000))
    refused(tmp_path / "bad.pw", "holds more than|is nested deeper")
    (tmp_path / "bad.pw").write_bytes(seal('{"a":' + "[" * 500_000))
    refused(tmp_path / "bad.pw", "the JSON of its header is nested deeper than 64")


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        ({"estimator": None}, "a recipe must name its estimator, got none"),
        ({"options": [1]}, "options of a recipe must be a dict, got a list"),
        ({"phases": [1]}, r"phases\[0\] of a recipe must be a dict"),
        ({"peakwise": None}, "it must name its peakwise"),
    ],
)
def test_recipes_that_are_none(tmp_path, recipe, why):
    (tmp_path / "bad.pw").write_bytes(crafted(recipe=recipe))
    refused(tmp_path / "bad.pw", f"its recipe is no recipe: {why}")
    with pytest.raises(ModelFileError, match="a recipe must be a dict, got list"):
        loads_recipe("[]")


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("[]" + " " * 6, "it is no model file"),
        ("{", "it is no model file|too few"),
        ('{"__metadata__":3}', "without the recipe"),
        ('{"__metadata__":{"peakwise":3}}', "without the recipe"),
        ('{"__metadata__":{"peakwise":"[]"}}', "must name the version of its format"),
        (
            '{"__metadata__":{"peakwise":"{\\"format\\":1}","sha256":"%s"}}' % ("0" * 64),
            "written again by another program",
        ),
        ('{"__metadata__":{"sha256":"%s","peakwise":"{\\"format\\":1}","a":"b"}}' % ("0" * 64), "its metadata must be"),
        ('{"__metadata__":{"sha256":"0","peakwise":"{\\"format\\":1}"}}', "its metadata must be"),
        ('{"__metadata__":{},"__metadata__":{}}', "has the key '__metadata__' twice"),
        ('{"a":"\ud800"}', "its header is no UTF-8"),
    ],
)
def test_headers_that_are_none(tmp_path, header, why):
    (tmp_path / "bad.pw").write_bytes(seal(header))
    refused(tmp_path / "bad.pw", why)


@pytest.mark.parametrize("length", [2**26 + 1, 2**40, 2**63, 2**64 - 1])
def test_oversized_headers(tmp_path, length):
    (tmp_path / "bad.pw").write_bytes(seal("{}", bytes(1000), length))
    refused(tmp_path / "bad.pw", "it is no model file")


@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_tiny_headers(tmp_path, length):
    (tmp_path / "bad.pw").write_bytes(seal("{}", bytes(1000), length))
    refused(tmp_path / "bad.pw", "too few for a model")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.binary(max_size=300))
@example(b"\x80\x04", b"")
@example(b"", b'{"')
def test_any_bytes_are_refused(tmp_path, start, header):
    for raw in (
        start + header,
        len(header).to_bytes(8, "little") + header,
        seal('{"' + header.decode("latin1") + '"}'),
    ):
        (tmp_path / "any.pw").write_bytes(raw)
        with pytest.raises(ModelFileError):
            read_model(tmp_path / "any.pw")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CLAIM = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["U8", "F64", "BOOL", "I16", "BF16"]) | JSON,
        "shape": st.lists(st.integers(0, 4) | st.integers(-(2**70), 2**70), max_size=3) | JSON,
        "data_offsets": st.lists(st.integers(0, 16), min_size=2, max_size=2).map(sorted) | JSON,
    }
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.text(max_size=3), CLAIM | JSON, max_size=3),
    st.dictionaries(st.text(max_size=4), JSON),
    st.binary(max_size=16),
)
def test_any_claims_are_arrays_or_refused(tmp_path, table, recipe, data):
    table.pop("__metadata__", None)
    text = json.dumps({"estimator": "x", "format": 1, "peakwise": "0", **recipe})
    raw = seal(
        json.dumps({"__metadata__": {"sha256": "0" * 64, "peakwise": text}, **table}, separators=(",", ":")), data
    )
    (tmp_path / "any.pw").write_bytes(raw)
    try:
        model = read_model(tmp_path / "any.pw")
    except ModelFileError:
        return
    assert sum(a.nbytes for a in model.arrays.values()) == len(data)


def test_memory_is_bounded_by_the_file(tmp_path):
    """A good file takes its size; one with huge claims takes next to nothing."""
    write_model(tmp_path / "big.pw", RECIPE, {f"w{i}": np.ones(500_000) for i in range(8)})
    size = (tmp_path / "big.pw").stat().st_size
    for path, most in [(tmp_path / "big.pw", 1.1 * size), (tmp_path / "claims.pw", 1e6)]:
        if not path.exists():
            path.write_bytes(crafted({"w": one(shape=(2**44,), offsets=(0, 2**44))}, b"\1"))
        tracemalloc.start()
        with suppress(ModelFileError):
            read_model(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < most


def test_a_recipe_of_ten_thousand_phases_is_quick(tmp_path):
    phases = [{"id": f"phase {i}", "sha256": hashlib.sha256(str(i).encode()).hexdigest()} for i in range(10_000)]
    recipe = {"estimator": "x", "phases": phases, "labels": [p["id"] for p in phases]}
    start = time.process_time()
    write_model(tmp_path / "a.pw", recipe, {"w": np.zeros(1_000_000)})
    assert read_model(tmp_path / "a.pw").recipe == recipe
    assert time.process_time() - start < 3


def test_nothing_is_imported_for_a_file(whole):
    read_model(whole)
    before = set(sys.modules)
    read_model(whole)
    assert set(sys.modules) == before
