"""Files that live elsewhere -> files in the cache, each checked against the best checksum that is known.

Which one that is, the book beside the files says (``lock.json``, key ``checked``):

* ``registry``: the SHA-256 in our own table, of a file that one of us has seen;
* ``publisher``: the checksum that the record's own page states (Zenodo gives MD5), asked for when the file is fetched;
* ``first fetch``: nobody had told one. The SHA-256 of what came is written down, and every later use must agree;
* ``by hand``: the same, for a file that a person put there.
"""

from __future__ import annotations

import json
import logging
import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from peakwise._version import __version__
from peakwise.datasets._cache import Book, cache_folder, sha256_of
from peakwise.errors import DamagedFileError, FetchError, LimitError, MissingExtraError
from peakwise.io import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from peakwise.datasets._dataset import Dataset, RemoteFile

__all__ = ["fetch_file"]

USER_AGENT = f"peakwise/{__version__} (powder diffraction data sets)"
_TRIES = 4
_PAUSE = 1.0  # seconds before the second try; doubles
_TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces
_PIECE = 1 << 14  # bytes; when the line breaks, what has come of a piece is lost
_MAX_RECORD = 4 << 20  # bytes of a record's description
_ZENODO = re.compile(r"(https?://[^/]+)/records?/(\d+)/files/([^?#]+)")
_DIGEST = re.compile(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})", re.IGNORECASE)


def fetch_file(dataset: Dataset, file: RemoteFile) -> Path:
    """The path of a file in the cache; fetched when it is not there, checked in any case."""
    folder = cache_folder(dataset.name)
    path, book = folder / file.name, Book(folder)
    if file.url is None and path.is_dir():
        return path  # a folder that a person has put there: it is read as it is
    if not path.is_file():
        if file.url is None:
            why = "no address for programs is known"
            raise FetchError("cannot fetch the data set", why, _by_hand(file, path), file=path)
        origin = _download(file, path)
        book.write(file.name, {**origin, "sha256": sha256_of(path), "bytes": path.stat().st_size, "when": _now()})
        return path
    entry = book.read().get(file.name)
    seen = sha256_of(path)
    wanted = file.sha256 or (entry or {}).get("sha256")
    if wanted is None:
        book.write(file.name, {"checked": "by hand", "sha256": seen, "bytes": path.stat().st_size, "when": _now()})
    elif seen != wanted:
        source = "our table" if file.sha256 else f"the first time ({(entry or {}).get('when', 'unknown')})"
        why = f"its SHA-256 is {seen[:12]}..., but was {str(wanted)[:12]}... in {source}"
        do = f"Delete it and fetch it again, or delete its entry in {book.path.name} if the change was yours"
        raise DamagedFileError("the file of a data set has changed", why, do, file=path)
    return path


def _download(file: RemoteFile, path: Path) -> dict[str, Any]:
    """Fetch with pooch, into place only when the checksum agrees; what the book shall say."""
    try:
        import pooch
        import requests
    except ImportError as problem:
        why = "it needs the library pooch, which is not installed"
        raise MissingExtraError("cannot fetch the data set", why, "pip install 'peakwise[datasets]'") from problem

    url = str(file.url)
    checksum, origin = f"sha256:{file.sha256}", {"url": url, "checked": "registry"}
    if file.sha256 is None:
        stated, licence = _stated(url)
        checksum, origin["checked"] = stated or "", "publisher" if stated else "first fetch"
        origin |= {"stated": stated} if stated else {}
        origin |= {"licence": licence} if licence else {}
    shelf = pooch.create(path=path.parent, base_url="", registry={file.name: checksum or None}, urls={file.name: url})
    try:
        with _quiet(pooch.get_logger()):
            shelf.fetch(file.name, downloader=_Resuming(path))
    except requests.exceptions.RequestException as problem:
        why = _reason(problem, url)
        raise FetchError("cannot fetch the data set", why, _by_hand(file, path), file=path) from problem
    except ValueError as problem:
        why = f"what came from {url} does not have the checksum {checksum[:19]}... that {origin['checked']} states"
        do = "Try again later; if it stays so, the file was changed there: report it"
        raise DamagedFileError("cannot fetch the data set", why, do, file=path) from problem
    except OSError as problem:
        why = f"it cannot be written ({problem.strerror or problem})"
        do = "Set PEAKWISE_CACHE to a folder that can be written"
        raise FetchError("cannot fetch the data set", why, do, file=path) from problem
    return origin


class _Resuming:
    """A downloader for pooch that goes on where the last try broke off.

    What has come is kept in ``NAME.part``, and the ETag of the file it belongs to beside it: a file that was changed
    meanwhile is begun anew, never glued to the old half.
    """

    def __init__(self, path: Path) -> None:
        self.part = path.with_name(path.name + ".part")
        self.tag = path.with_name(path.name + ".part.etag")

    def __call__(self, url: str, output_file: str, _: Any, check_only: bool = False) -> None:  # noqa: ARG002 - pooch's
        from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout  # noqa: A004 - theirs

        for attempt in range(_TRIES):
            try:
                self._once(url)
                break
            except (ConnectionError, Timeout, ChunkedEncodingError):
                if attempt == _TRIES - 1:
                    raise
                time.sleep(_PAUSE * 2**attempt)
        self.part.replace(output_file)
        self.tag.unlink(missing_ok=True)

    def _once(self, url: str) -> None:
        """One request; raises when less came than was announced."""
        import requests

        have = self.part.stat().st_size if self.part.is_file() and self.tag.is_file() else 0
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": self.tag.read_text(encoding="ascii", errors="replace")}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code == requests.codes.range_not_satisfiable:
                self.part.unlink()
                raise requests.exceptions.ConnectionError("the part that had come does not fit the file")
            answer.raise_for_status()
            begins = answer.headers.get("Content-Range", "")
            goes_on = answer.status_code == requests.codes.partial and begins.startswith(f"bytes {have}-")
            have = have if goes_on else 0
            announced = answer.headers.get("Content-Length", "")
            total = have + int(announced) if announced.isdigit() else None
            if (total or 0) > MAX_BYTES:
                raise self._too_large(url)
            tag = answer.headers.get("ETag", "")
            if tag and not tag.startswith("W/"):
                self.tag.write_text(tag, encoding="ascii", errors="replace")
            else:
                self.tag.unlink(missing_ok=True)
            with self.part.open("ab" if goes_on else "wb") as stream:
                for piece in answer.iter_content(_PIECE):
                    have += len(piece)
                    if have > MAX_BYTES:
                        raise self._too_large(url)
                    stream.write(piece)
        if total is not None and have != total:
            raise requests.exceptions.ConnectionError(f"{have} of {total} bytes came")

    def _too_large(self, url: str) -> LimitError:
        self.part.unlink(missing_ok=True)
        why = f"{url} holds more than the {MAX_BYTES} bytes that are read"
        return LimitError("cannot fetch the data set", why, "Report it: the file was changed there")


def _stated(url: str) -> tuple[str | None, str | None]:
    """The checksum and the licence that a Zenodo record states about a file; None where it states nothing."""
    import requests

    found = _ZENODO.match(url)
    if not found:
        return None, None
    host, record, name = found.groups()
    try:
        headers = {"User-Agent": USER_AGENT}
        with requests.get(f"{host}/api/records/{record}", headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            answer.raise_for_status()
            page = json.loads(answer.raw.read(_MAX_RECORD, decode_content=True))
        licence = page.get("metadata", {}).get("license", {})
        stated = next((str(f.get("checksum", "")) for f in page.get("files", ()) if f.get("key") == name), "")
    except (requests.exceptions.RequestException, ValueError, AttributeError, TypeError):
        return None, None  # the file itself tells whether the host can be reached
    ours = licence.get("id") if isinstance(licence, dict) else licence
    return (stated.lower() if _DIGEST.fullmatch(stated) else None), (str(ours) if ours else None)


def _reason(problem: Exception, url: str) -> str:
    answer = getattr(problem, "response", None)
    if answer is not None:
        return f"{url} answers {answer.status_code} {answer.reason}"
    return f"{url} cannot be reached ({type(problem).__name__})"


def _by_hand(file: RemoteFile, path: Path) -> str:
    how = file.by_hand or f"open {file.url} in a browser"
    return f"To do it by hand: {how}, and put what comes there as {path}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Pooch tells every step on stderr; a command has its own words."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
