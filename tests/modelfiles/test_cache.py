"""Models kept in the user's cache: found again by what they were made from, and thinned."""

from __future__ import annotations

import hashlib
import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.modelfiles import cache_key, model_cache, prune_models, read_model, write_model


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def kept(n, size=1000, age=0.0):
    path = model_cache(cache_key({"n": n}))
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_the_key_is_that_of_canonical_json():
    """Worked out by hand: keys sorted, no blanks, UTF-8."""
    text = '{"a":[1,2.5,null,true],"b":{"z":"","ä":"x"}}'
    parts = {"b": {"ä": "x", "z": ""}, "a": (1, np.float64(2.5), None, True)}
    assert cache_key(parts) == hashlib.sha256(text.encode()).hexdigest()


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers() | st.text(st.characters(codec="utf-8"))))
def test_the_order_does_not_matter_and_the_content_does(parts):
    assert cache_key(parts) == cache_key(dict(reversed(parts.items())))
    assert cache_key(parts) != cache_key({**parts, "one more": 1.5})


def test_settings_that_are_not_plain_are_refused():
    with pytest.raises(OptionError, match="cannot make a key of the settings: a must be plain, got a object"):
        cache_key({"a": object()})
    with pytest.raises(OptionError, match="a must be finite, got nan"):
        cache_key({"a": float("nan")})


def test_a_model_is_found_again(cache):
    path = model_cache(cache_key({"top": 10}))
    assert path.parent == cache
    assert not path.exists()
    write_model(path, {"estimator": "x"}, {"w": np.ones(2)})
    assert read_model(model_cache(cache_key({"top": 10}))).arrays["w"].tolist() == [1, 1]


def test_without_a_variable_it_is_the_users_cache(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.delenv("PEAKWISE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *a, **k: str(tmp_path / "home" / a[0]))
    assert model_cache("0" * 64) == tmp_path / "home" / "peakwise" / "models" / f"{'0' * 64}.pw"


@pytest.mark.parametrize(
    "key", ["", "a", "../" * 21 + "0", "G" * 64, "A" * 64, "0" * 63 + "\n", "0" * 64 + "\n", None, 3]
)
def test_keys_are_no_paths(key):
    with pytest.raises(OptionError, match="a key must be 64 hexadecimal digits, got .*Use cache_key"):
        model_cache(key)


def test_the_oldest_go_first():
    paths = [kept(n, age=100.0 - n) for n in range(6)]
    assert prune_models(2500) == paths[3::-1]
    assert [p.exists() for p in paths] == [False] * 4 + [True] * 2
    assert prune_models(2500) == []


def test_asking_for_a_model_is_a_use_of_it():
    paths = [kept(n, age=100.0 - n) for n in range(3)]
    assert model_cache(cache_key({"n": 0})) == paths[0]
    assert prune_models(1000) == [paths[2], paths[1]]


def test_the_last_one_stays_however_large():
    old, new = kept(0, age=50), kept(1, size=5000)
    assert prune_models(100) == [old]
    assert new.exists()


def test_half_written_files_go_once_nobody_writes_them(cache):
    kept(0)
    fresh, stale, other = cache / ".a.part", cache / ".b.part", cache / "notes.txt"
    for path in (fresh, stale, other):
        path.write_bytes(bytes(10))
    os.utime(stale, (time.time() - 2 * 86_400,) * 2)
    assert prune_models() == [stale]
    assert fresh.exists()
    assert other.exists()


def test_an_empty_cache_and_one_that_cannot_be_made(tmp_path, monkeypatch):
    assert prune_models() == []
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path / "file"))
    assert model_cache("0" * 64).name == "0" * 64 + ".pw"
    assert prune_models() == []
