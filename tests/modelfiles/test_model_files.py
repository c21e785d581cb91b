"""Model files: the same content comes back, other tools read them, the same bytes are written again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load_file

import peakwise as pw
from peakwise.errors import OptionError, WriteError
from peakwise.modelfiles import FIELDS, read_model, write_model

RECIPE = {
    "estimator": "phase_identifier",
    "task": "identify",
    "options": {"top": 10, "max_phases": 3, "elements": None, "quick": False},
    "preprocessing": [{"step": "normalise", "options": {"to": 1.0}}],
    "axis": {"kind": "two_theta", "wavelength": 1.5406},
    "labels": ["α-quartz", "rutile", '\u2028 odd \x07 "name"'],
    "phases": [{"id": "rutile", "sha256": "0" * 64}, {"id": "quartz", "sha256": None}],
    "physics": {"strain": [-0.01, 0.01], "size": [50, 5e3]},
    "calibration": {"temperature": 1.25, "tiny": 5e-324, "minus": -0.0},
    "history": [{"epoch": 1, "loss": 0.5}],
    "learned": {"seed": 2**128 - 1},
}
KINDS = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]


def arrays():
    random = np.random.default_rng(0)
    made = {f"kind.{kind}": (random.normal(size=(3, 5)) * 50 > 0).astype(kind) for kind in KINDS}
    return {
        **made,
        "weights": random.normal(size=(4, 1, 5)).astype("f4"),
        "scalar": np.array(2.5),
        "nothing": np.empty((0, 7), "f4"),
        "odd": np.array([np.nan, np.inf, -0.0]),
        "Å name with blanks": np.arange(3, dtype="i2"),
    }


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_what_was_written_comes_back(tmp_path):
    write_model(tmp_path / "a.pw", RECIPE, arrays())
    model = read_model(tmp_path / "a.pw")
    assert model.recipe == RECIPE
    assert model.arrays.keys() == arrays().keys()
    assert all(same(model.arrays[name], array) for name, array in arrays().items())
    assert (model.written_by, model.format) == (pw.__version__, 1)
    for array in model.arrays.values():  # torch.from_numpy warns about arrays that must not be written to
        assert array.flags.writeable
        assert array.flags.aligned


def test_safetensors_reads_it(tmp_path):
    write_model(tmp_path / "a.pw", RECIPE, arrays())
    found = load_file(tmp_path / "a.pw")
    assert all(same(found[name], array) for name, array in arrays().items())
    with safe_open(tmp_path / "a.pw", framework="np") as file:
        recipe = json.loads(file.metadata()["peakwise"])
    assert recipe == {**RECIPE, "format": 1, "peakwise": pw.__version__}


def test_the_digest_is_that_of_the_file_with_zeros_in_its_place(tmp_path):
    """As a user would check it, without our code."""
    write_model(tmp_path / "a.pw", RECIPE, arrays())
    raw = (tmp_path / "a.pw").read_bytes()
    with safe_open(tmp_path / "a.pw", framework="np") as file:
        digest = file.metadata()["sha256"]
    assert raw.count(digest.encode()) == 1
    assert hashlib.sha256(raw.replace(digest.encode(), b"0" * 64)).hexdigest() == digest
    assert read_model(tmp_path / "a.pw").sha256 == digest


def test_equal_content_gives_equal_bytes(tmp_path):
    write_model(tmp_path / "a.pw", RECIPE, arrays())
    write_model(tmp_path / "b.pw", dict(reversed(RECIPE.items())), dict(reversed(arrays().items())))
    assert (tmp_path / "a.pw").read_bytes() == (tmp_path / "b.pw").read_bytes()
    again = read_model(tmp_path / "a.pw")
    write_model(tmp_path / "c.pw", again.recipe, again.arrays)
    assert (tmp_path / "a.pw").read_bytes() == (tmp_path / "c.pw").read_bytes()


def test_order_in_memory_and_byte_order_do_not_matter(tmp_path):
    plain = np.arange(12, dtype="<i4").reshape(3, 4)
    for name, array in {
        "a": plain,
        "b": np.asfortranarray(plain),
        "c": plain.astype(">i4"),
        "d": plain[::1, ::1],
    }.items():
        write_model(tmp_path / name, {"estimator": "x"}, {"w": array})
        assert (tmp_path / name).read_bytes() == (tmp_path / "a").read_bytes()
    write_model(tmp_path / "e", {"estimator": "x"}, {"w": np.arange(24, dtype="<i4").reshape(3, 8)[:, ::2]})
    assert read_model(tmp_path / "e").arrays["w"].tolist() == (2 * np.arange(12).reshape(3, 4)).tolist()


def test_numpy_numbers_and_tuples_become_plain(tmp_path):
    recipe = {"estimator": "x", "learned": {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": (1, 2)}}
    write_model(tmp_path / "a.pw", recipe, {})
    assert read_model(tmp_path / "a.pw").recipe["learned"] == {"a": 0.5, "b": 3, "c": True, "d": [1, 2]}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6).filter(str.isprintable)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=5).filter(lambda n: n not in {*FIELDS, "format", "peakwise"}),
        PLAIN,
    ),
    st.dictionaries(
        NAMES, hnp.arrays(st.sampled_from(KINDS), hnp.array_shapes(min_dims=0, min_side=0, max_side=4)), max_size=4
    ),
)
def test_any_content_comes_back(tmp_path, more, kept):
    write_model(tmp_path / "a.pw", {"estimator": "x", **more}, kept)
    model = read_model(tmp_path / "a.pw")
    assert model.recipe == {"estimator": "x", **more}
    assert json.dumps(model.recipe, sort_keys=True) == json.dumps({"estimator": "x", **more}, sort_keys=True)
    assert model.arrays.keys() == kept.keys()
    assert all(same(model.arrays[name], array) for name, array in kept.items())
    assert load_file(tmp_path / "a.pw").keys() == kept.keys()


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        ({}, "must name its estimator, got none"),
        ({"estimator": "x", "format": 1}, "format is added by write_model"),
        ({"estimator": "x", "peakwise": "1"}, "peakwise is added by write_model"),
        ({"estimator": "x", "options": []}, "options of a recipe must be a dict, got a list"),
        ({"estimator": "x", "phases": ["rutile"]}, r"phases\[0\] of a recipe must be a dict with the id of the phase"),
        ({"estimator": "x", "options": {"a": float("nan")}}, "options.a must be finite, got nan"),
        ({"estimator": "x", "options": {"a": [1, float("inf")]}}, r"options.a\[1\] must be finite, got inf"),
        ({"estimator": "x", "options": {"a": {1, 2}}}, "options.a must be plain, got a set"),
        ({"estimator": "x", "options": {"a": np.zeros(3)}}, "options.a must be plain, got a ndarray"),
        ({"estimator": "x", "options": {3: 4}}, "keys of options must be texts, got 3"),
        ({"estimator": "x", "options": {"a": "\ud800"}}, "options.a must be a text that UTF-8 can hold"),
        ({"estimator": "x", "options": {"a": 1 << 1025}}, "options.a must be a number of at most 1024 bits"),
        ({"estimator": "x", "options": {"a": 1j}}, "options.a must be plain, got a complex"),
    ],
)  # fmt: skip
def test_recipes_that_cannot_be_kept_are_refused(tmp_path, recipe, why):
    with pytest.raises(OptionError, match=why):
        write_model(tmp_path / "a.pw", recipe, {})
    assert not list(tmp_path.iterdir())


def test_recipes_that_contain_themselves_are_refused(tmp_path):
    recipe = {"estimator": "x", "options": {}}
    recipe["options"]["again"] = recipe
    with pytest.raises(OptionError, match="must not be nested deeper than 64"):
        write_model(tmp_path / "a.pw", recipe, {})


def test_too_large_recipes_are_refused(tmp_path):
    with pytest.raises(OptionError, match="at most 64 MiB, got 65.0 MiB"):
        write_model(tmp_path / "a.pw", {"estimator": "x", "note": "a" * (65 << 20)}, {})
    with pytest.raises(OptionError, match="more than 1000000 values; keep tables of numbers as arrays"):
        write_model(tmp_path / "a.pw", {"estimator": "x", "note": [0] * 1_000_001}, {})


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ({"a": np.array(["text"])}, "a must be an array of truth values, .*got numbers of kind <U4"),
        ({"a": np.array([None])}, "got numbers of kind object"),
        ({"a": np.zeros(2, "c16")}, "got numbers of kind complex128"),
        ({"a": [1.0]}, "got a list"),
        ({"": np.zeros(2)}, "the name of an array must be a printable text"),
        ({"__metadata__": np.zeros(2)}, "other than __metadata__"),
        ({"a\n": np.zeros(2)}, "printable"),
        ({3: np.zeros(2)}, "got 3"),
        ({"a": np.zeros((1,) * 33)}, "a must have at most 32 dimensions, got 33"),
    ],
)
def test_arrays_that_cannot_be_kept_are_refused(tmp_path, kept, why):
    with pytest.raises(OptionError, match=why):
        write_model(tmp_path / "a.pw", {"estimator": "x"}, kept)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "a.pw"
    write_model(target, {"estimator": "x"}, {})
    before = target.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device. Check the disk"):
        write_model(target, {"estimator": "y"}, {"w": np.zeros(100)})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_model(target, {"estimator": "y"}, {"w": np.zeros(100)})
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_places_that_cannot_be_written_to(tmp_path):
    with pytest.raises(WriteError, match="there is no folder .*nowhere. Make it first"):
        write_model(tmp_path / "nowhere" / "a.pw", {"estimator": "x"}, {})
    with pytest.raises(WriteError, match="something that is not a file has this name"):
        write_model(tmp_path, {"estimator": "x"}, {})


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "b.pw").symlink_to(tmp_path / "a.pw")
    write_model(tmp_path / "b.pw", {"estimator": "x"}, {})
    assert (tmp_path / "b.pw").is_symlink()
    assert read_model(tmp_path / "a.pw").recipe == {"estimator": "x"}


def test_the_import_is_light():
    heavy = "{'torch', 'scipy', 'safetensors'} & set(sys.modules)"
    code = f"import sys, peakwise.modelfiles, peakwise.evaluation; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
