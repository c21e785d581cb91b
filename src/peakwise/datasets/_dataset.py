"""What a line of the table `DATASETS` says about a set of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from peakwise.patterns import Patterns

__all__ = ["Dataset", "RemoteFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a set that lives elsewhere.

    Parameters
    ----------
    name : str
        What it is called in the cache.
    url : str or None
        Where it is fetched from; None: it can only be put into the cache by hand.
    sha256 : str or None
        Its checksum, where one of us has seen the file; None: nobody has, see `peakwise.datasets.fetch`.
    by_hand : str
        How a person gets it with a browser.
    """

    name: str
    url: str | None = None
    sha256: str | None = None
    by_hand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named set of data.

    Parameters
    ----------
    name : str
    title : str
        One phrase for lists.
    what : str
        What it holds, and what it does not.
    kind : {"generated", "fetched"}
        Whether we make it or others publish it.
    licence : str
        Of the data, with what was not checked said.
    citation : str
    url : str
        Page that describes it.
    doi : str
        Empty for what we make.
    read : callable
        ``read(**options) -> Patterns``; what its options mean is in its docstring.
    files : tuple of RemoteFile
    """

    name: str
    title: str
    what: str
    kind: str
    licence: str
    citation: str
    url: str
    read: Callable[..., Patterns]
    doi: str = ""
    files: tuple[RemoteFile, ...] = ()
