"""Fetching from a local server: checksums, the book, going on after a break, and what is said when nothing works."""

from __future__ import annotations

import hashlib
import json
import socket
import sys

import pytest

from peakwise import __version__, datasets
from peakwise.datasets import Dataset, RemoteFile
from peakwise.datasets._fetch import fetch_file
from peakwise.errors import DamagedFileError, FetchError, LimitError, MissingExtraError, OptionError

BODY = bytes(range(256)) * 800
SHA = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()
PATH = "/record/12/files/data.7z"
API = "/api/records/12"


@pytest.fixture
def made(shop, cache):
    """A set with one file on the server; gives the set, the file, and where it will be."""
    shop.files[PATH] = BODY
    shop.tags[PATH] = '"one"'

    def make(**changes):
        file = RemoteFile(**({"name": "data.7z", "url": shop.url + PATH} | changes))
        one = Dataset(
            name="some-set",
            title="t",
            what="w",
            kind="fetched",
            licence="l",
            citation="c",
            url="u",
            read=lambda: None,
            files=(file,),
        )
        return one, file, cache / "some-set" / file.name

    return make


def book(path):
    return json.loads(path.with_name("lock.json").read_text())["files"][path.name]


def test_a_first_fetch_without_a_stated_checksum_is_written_down_as_such(made, shop):
    one, file, path = made()
    assert fetch_file(one, file) == path
    assert path.read_bytes() == BODY
    entry = book(path)
    assert (entry["checked"], entry["sha256"], entry["bytes"], entry["url"]) == (
        "first fetch",
        SHA,
        len(BODY),
        file.url,
    )
    assert "stated" not in entry
    assert sorted(p.name for p in path.parent.iterdir()) == ["data.7z", "lock.json"]
    (headers,) = shop.asked(PATH)
    assert headers["User-Agent"] == f"peakwise/{__version__} (powder diffraction data sets)"


def test_what_is_there_is_not_fetched_again(made, shop):
    one, file, path = made()
    fetch_file(one, file)
    n = len(shop.requests)
    assert fetch_file(one, file) == path
    assert len(shop.requests) == n


def test_a_change_after_the_first_fetch_is_noticed(made):
    one, file, path = made()
    fetch_file(one, file)
    path.write_bytes(BODY[:-1] + b"x")
    with pytest.raises(
        DamagedFileError, match=rf"has changed \(.*data.7z\): its SHA-256 is .* but was {SHA[:12]}.* the first time"
    ):
        fetch_file(one, file)


@pytest.mark.parametrize("licence", [{"id": "cc-by-4.0"}, "cc-by-4.0"])
def test_the_publishers_checksum_is_asked_for(made, shop, licence):
    shop.records[API] = {"metadata": {"license": licence}, "files": [{"key": "data.7z", "checksum": f"md5:{MD5}"}]}
    one, file, path = made()
    fetch_file(one, file)
    entry = book(path)
    assert (entry["checked"], entry["stated"], entry["licence"]) == ("publisher", f"md5:{MD5}", "cc-by-4.0")
    assert entry["sha256"] == SHA


def test_a_file_that_contradicts_the_publisher_is_not_kept(made, shop):
    shop.records[API] = {"files": [{"key": "data.7z", "checksum": "md5:" + "0" * 32}]}
    one, file, path = made()
    with pytest.raises(DamagedFileError, match=r"does not have the checksum md5:0+\.\.\. that publisher states"):
        fetch_file(one, file)
    assert not path.exists()
    assert not path.with_name("lock.json").exists()


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"files": "?"},
        {"files": [{"key": "other"}]},
        {"metadata": {"license": None}, "files": [{"key": "data.7z", "checksum": "crc:1"}]},
    ],
)
def test_a_record_without_a_checksum_is_no_claim(made, shop, record):
    shop.records[API] = record
    one, file, path = made()
    fetch_file(one, file)
    assert book(path)["checked"] == "first fetch"


def test_our_own_table_goes_first(made, shop):
    one, file, path = made(sha256=SHA)
    fetch_file(one, file)
    assert book(path)["checked"] == "registry"
    assert not shop.asked(API)
    path.write_bytes(b"other")
    with pytest.raises(DamagedFileError, match="in our table"):
        fetch_file(one, file)
    path.unlink()
    one, file, path = made(sha256="1" * 64)
    with pytest.raises(DamagedFileError, match=r"sha256:1+\.\.\. that registry states"):
        fetch_file(one, file)
    assert not path.exists()


def test_a_broken_line_goes_on_where_it_stopped(made, shop):
    shop.break_after = [70_000, 50_000]
    one, file, path = made()
    fetch_file(one, file)
    assert path.read_bytes() == BODY
    ranges = [h.get("Range") for h in shop.asked(PATH)]
    piece = 1 << 14  # a piece that did not come whole is asked for again
    first = 70_000 // piece * piece
    assert ranges == [None, f"bytes={first}-", f"bytes={first + 50_000 // piece * piece}-"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["data.7z", "lock.json"]


def test_a_later_call_goes_on_too(made, shop):
    shop.break_after = [1 << 15, 0, 0, 0]
    one, file, path = made()
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch_file(one, file)
    assert not path.exists()
    assert path.with_name("data.7z.part").stat().st_size == 1 << 15
    shop.requests.clear()
    assert fetch_file(one, file).read_bytes() == BODY
    assert [h.get("Range") for h in shop.asked(PATH)] == ["bytes=32768-"]


def test_a_file_that_was_changed_meanwhile_is_begun_anew(made, shop):
    shop.break_after = [1 << 15, 0, 0, 0]
    one, file, _ = made()
    with pytest.raises(FetchError):
        fetch_file(one, file)
    shop.files[PATH], shop.tags[PATH] = BODY[::-1], '"two"'
    assert fetch_file(one, file).read_bytes() == BODY[::-1]


def test_a_part_longer_than_the_file_is_thrown_away(made, shop):
    one, file, path = made()
    path.parent.mkdir(parents=True)
    path.with_name("data.7z.part").write_bytes(BODY + b"more")
    path.with_name("data.7z.part.etag").write_text('"one"')
    assert fetch_file(one, file).read_bytes() == BODY


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_etag_nothing_is_glued(made, shop, tag):
    shop.tags[PATH] = tag
    shop.break_after = [1 << 15]
    one, file, _ = made()
    assert fetch_file(one, file).read_bytes() == BODY
    assert [h.get("Range") for h in shop.asked(PATH)] == [None, None]


def test_errors_name_the_address_and_where_to_put_the_file(made, shop):
    del shop.files[PATH]
    one, file, path = made(by_hand="look at the shelf")
    with pytest.raises(FetchError) as caught:
        fetch_file(one, file)
    text = str(caught.value)
    assert f"{file.url} answers 404" in text
    assert "To do it by hand: look at the shelf, and put what comes there as" in text
    assert str(path) in text
    assert len(shop.asked(PATH)) == 1  # what is not there does not come by asking again


def test_offline(made):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one, file, path = made(url=f"http://127.0.0.1:{port}{PATH}")
    with pytest.raises(
        FetchError, match=rf"http://127.0.0.1:{port}{PATH} cannot be reached .*open http.* in a browser"
    ):
        fetch_file(one, file)
    assert not path.exists()


def test_a_file_put_there_by_hand(made, shop):
    one, file, path = made()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    assert fetch_file(one, file) == path
    assert (book(path)["checked"], book(path)["bytes"]) == ("by hand", 4)
    assert not shop.requests
    path.write_bytes(b"not mine")
    with pytest.raises(DamagedFileError, match="has changed"):
        fetch_file(one, file)


def test_a_set_without_an_address(made):
    one, file, path = made(url=None, by_hand="ask the authors")
    with pytest.raises(FetchError, match=r"no address for programs is known.*ask the authors"):
        fetch_file(one, file)
    path.mkdir(parents=True)
    assert fetch_file(one, file) == path


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 3}', '{"files": {"data.7z": 3}}'])
def test_a_broken_book(made, text):
    one, file, path = made()
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    path.with_name("lock.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"lock.json\): the checksums .* cannot be read .*Delete it"):
        fetch_file(one, file)


def test_more_than_is_read(made, shop, monkeypatch):
    monkeypatch.setattr("peakwise.datasets._fetch.MAX_BYTES", 1000)
    one, file, path = made()
    with pytest.raises(LimitError, match="more than the 1000 bytes"):
        fetch_file(one, file)
    assert not path.exists()
    assert not path.with_name("data.7z.part").exists()


def test_a_cache_that_cannot_be_written(made, tmp_path, monkeypatch):
    one, file, _ = made()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path / "file"))
    with pytest.raises(FetchError, match=r"cannot be written .*Set PEAKWISE_CACHE"):
        fetch_file(one, file)


def test_without_pooch(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    one, file, _ = made()
    with pytest.raises(MissingExtraError, match=r"pip install 'peakwise\[datasets\]'"):
        fetch_file(one, file)


def test_the_users_cache_is_the_default(monkeypatch):
    import platformdirs

    monkeypatch.delenv("PEAKWISE_CACHE", raising=False)
    expected = platformdirs.user_cache_path("peakwise", appauthor=False) / "datasets" / "a"
    assert datasets.cache_folder("a") == expected


# ---------- the table ----------


def test_every_line_of_the_table_says_where_it_is_from():
    for name, one in datasets.DATASETS.items():
        assert (one.name, one.kind in ("generated", "fetched")) == (name, True)
        assert all((one.title, one.what, one.licence, one.citation, one.url))
        assert bool(one.files) == (one.kind == "fetched")
        for file in one.files:
            assert file.by_hand
            assert file.url is None or file.url.startswith("https://")
            assert file.sha256 is None  # nobody of us has seen these files: a checksum here would be a claim


def test_names_and_options_are_checked(cache):
    with pytest.raises(OptionError, match=r"there are demo-scans, .* got 'hed'"):
        datasets.load("hed")
    with pytest.raises(OptionError, match="got 'hed'"):
        datasets.fetch("hed")
    with pytest.raises(OptionError, match=r"hed-suite is made by peakwise.*datasets make hed-suite"):
        datasets.fetch("hed-suite")
    with pytest.raises(FetchError, match="Globus"):
        datasets.fetch("mdf-tac2-v14v")
