"""Files appear whole or not at all, and nobody else's are touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from peakwise.errors import WriteError
from peakwise.io._atomic import atomic_file, atomic_folder


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_replaces_a_file_in_one_step_and_keeps_its_permissions(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o640)
    with atomic_file(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError, SystemExit])
def test_whatever_ends_the_writing_leaves_the_old_file_and_nothing_else(tmp_path, end):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(end), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise end
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_a_write_error(tmp_path):
    with pytest.raises(WriteError, match="No space left"), atomic_file(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with atomic_file(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_folders_pipes_and_missing_folders_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for target in ("folder", "pipe"):
        with pytest.raises(WriteError, match="not a file"), atomic_file(tmp_path / target):
            pytest.fail("must not get here")
    with pytest.raises(WriteError, match="there is no folder"), atomic_file(tmp_path / "missing" / "a.txt"):
        pytest.fail("must not get here")


def test_a_folder_of_ours_is_replaced_whole(tmp_path):
    target = tmp_path / "store"
    for text in ("one", "two"):
        with atomic_folder(target, lambda p: (p / "mine").exists()) as temporary:
            (temporary / "mine").write_text(text)
        assert (target / "mine").read_text() == text
    assert names(tmp_path) == ["store"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError])
def test_an_interrupted_folder_leaves_the_old_one(tmp_path, end):
    target = tmp_path / "store"
    with atomic_folder(target, lambda _: True) as temporary:
        (temporary / "mine").write_text("old")
    with pytest.raises((end, WriteError)), atomic_folder(target, lambda _: True) as temporary:
        (temporary / "mine").write_text("half")
        raise end
    assert (target / "mine").read_text() == "old"
    assert names(tmp_path) == ["store"]


def test_an_interrupt_between_the_two_renames_brings_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "store"
    target.mkdir()
    (target / "mine").write_text("old")
    rename = Path.rename

    def interrupted(self, to):
        if Path(to).name == "store" and (self / "mine").read_text() == "new":
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_folder(target, lambda _: True) as temporary:
        (temporary / "mine").write_text("new")
    assert (target / "mine").read_text() == "old"
    assert names(tmp_path) == ["store"]


def test_a_foreign_folder_or_file_is_never_deleted(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("too")
    for target in ("folder", "file"):
        with pytest.raises(WriteError, match="did not write"), atomic_folder(tmp_path / target, lambda _: False):
            pytest.fail("must not get here")
    assert (tmp_path / "folder" / "thesis.tex").read_text() == "years of work"
