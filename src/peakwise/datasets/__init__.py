"""Named sets of data, each with where it is from, its licence and its checksum; fetched, or made by us.

>>> from peakwise import datasets
>>> list(datasets.DATASETS)
['demo-scans', 'hed-suite', 'made-series', 'gold-md', 'zenodo-4424866', 'mdf-tac2-v14v']

To add a set: one file beside these that ends with its `Dataset`, and one line in the table `DATASETS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.datasets._cache import Book, cache_folder
from peakwise.datasets._dataset import Dataset, RemoteFile
from peakwise.datasets._fetch import fetch_file
from peakwise.datasets.demo import DEMO_SCANS
from peakwise.datasets.gold_md import GOLD_MD
from peakwise.datasets.hed_suite import HED_SUITE
from peakwise.datasets.made_series import MADE_SERIES
from peakwise.datasets.mdf_tac2_v14v import MDF_TAC2_V14V
from peakwise.datasets.zenodo_4424866 import ZENODO_4424866
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns

__all__ = ["DATASETS", "Dataset", "RemoteFile", "cache_folder", "fetch", "find", "ledger", "load", "options_of"]

DATASETS: dict[str, Dataset] = {
    d.name: d for d in (DEMO_SCANS, HED_SUITE, MADE_SERIES, GOLD_MD, ZENODO_4424866, MDF_TAC2_V14V)
}


def load(name: str, **options: Any) -> Patterns:
    """Make or read a set; what is not in the cache is fetched first.

    Parameters
    ----------
    name : str
        A name of the table `DATASETS`.
    **options
        Of that set: `series` and `random_state` of ``hed-suite``; `source` (a file or folder of your own) of fetched
        ones. An unknown one is refused with the list.

    Examples
    --------
    >>> from peakwise import datasets
    >>> iron = datasets.load("hed-suite", series="D1")
    >>> iron.shape, iron.wavelength, iron.unit
    ((60, 4000), 0.4828, 'counts')
    >>> [int((iron.meta["label"] == k).sum()) for k in (0, 1, 2)]
    [17, 0, 43]
    """
    dataset = find(name)
    known = options_of(dataset)
    unknown = [o for o in options if o not in known]
    if unknown:
        why = f"{name} has {', '.join(known) or 'none'}, got {unknown[0]!r}"
        raise OptionError("unknown option of the data set", why, "Use one of these names")
    return dataset.read(**options)


def fetch(name: str) -> list[Path]:
    """Fetch a set that others publish into the cache, and return where its files are.

    The cache is ``PEAKWISE_CACHE``, else the user's cache folder. Files that are there are not fetched again, only
    checked; a broken fetch goes on where it stopped. Against what a file is checked is written in ``lock.json`` beside
    it, key `checked`: our ``registry`` (nobody of us has seen these files yet, so none has an entry there), the
    ``publisher``'s checksum, or, where nobody states one, the SHA-256 of the ``first fetch``.
    """
    dataset = find(name)
    if dataset.kind == "generated":
        why = f"{name} is made by peakwise, nothing of it lies elsewhere"
        do = f"Run peakwise datasets make {name} -o OUT.nc, or datasets.load({name!r})"
        raise OptionError("nothing to fetch", why, do)
    return [fetch_file(dataset, file) for file in dataset.files]


def ledger(name: str) -> dict[str, dict[str, Any]]:
    """What is written down about the files of a set in the cache, by name: `sha256`, `bytes`, `checked`, `when` ..."""
    return Book(cache_folder(find(name).name)).read()


def find(name: str) -> Dataset:
    """The line of the table."""
    if name not in DATASETS:
        why = f"there are {', '.join(DATASETS)}, got {name!r}"
        raise OptionError("unknown data set", why, "Use one of these names")
    return DATASETS[name]


def options_of(dataset: Dataset) -> tuple[str, ...]:
    """Names of the options of a set."""
    from inspect import signature

    return tuple(signature(dataset.read).parameters)
