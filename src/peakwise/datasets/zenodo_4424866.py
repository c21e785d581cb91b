"""The (Mg0.2Fe0.8)O ramp that Zenodo record 4424866 publishes.

Layout: one 7z archive of two-column text files (two_theta [deg], intensity), one per frame, numbered 1 to 349 in their
names; azimuthally integrated and baseline-subtracted (Y. Sun, PhD thesis, Szeged 2023, sections 2.1, 3.1 and figure
5.17). The thesis gives 4020 points in one place and 4023 in another, and prints neither the names inside the archive
nor a header line; none of us has seen the file. So text files with two numbers a line are read, whatever they are
called (those of the most frequent suffix), and the number at the end of the name is the frame.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from peakwise.datasets._archive import members_of
from peakwise.datasets._dataset import Dataset, RemoteFile
from peakwise.datasets._fetch import fetch_file
from peakwise.errors import DamagedFileError
from peakwise.io import read

if TYPE_CHECKING:
    import os

    from peakwise.patterns import Patterns

__all__ = ["ZENODO_4424866"]

_WAVELENGTH = 0.4828  # [angstrom], 25.6 keV
_EXPOSURE = 0.1  # [s]
_FRAMES = 349
_TEXTS = r".*\.(xy|xye|dat|txt|chi|asc|csv)"
_ARCHIVE = "Mg20Fe800_ramp_xyfiles_1_349_azimuthal_integrated.7z"


def read_ramp(*, source: str | os.PathLike[str] | None = None) -> Patterns:
    """Read the series.

    Parameters
    ----------
    source : path-like, optional
        The archive, or a folder of its files, where it is not in the cache.

    Returns
    -------
    Patterns
        With `frame`, `time` [s] and `count_time` [s] in `meta`; no labels, for nobody has marked the transition.
    """
    place = fetch_file(ZENODO_4424866, ZENODO_4424866.files[0]) if source is None else Path(source)
    members = _most_alike([m for m in members_of(place, _TEXTS) if m[1]])
    if not members:
        why = "it holds no text file of two columns (.xy, .dat, .txt, .chi)"
        raise DamagedFileError("cannot read the data set", why, "Fetch it again", file=place)
    with tempfile.TemporaryDirectory(prefix="peakwise-") as folder:
        files = [Path(folder) / f"{i:06d}.xy" for i in range(len(members))]
        for file, (_, content) in zip(files, members, strict=True):
            file.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that files were left out; below it is an error
            patterns = read(files, wavelength=_WAVELENGTH, axis="two_theta")
        notes = [w for w in patterns.warnings if folder not in w]
    if len(patterns) != len(members):
        why = f"{len(members) - len(patterns)} of its {len(members)} files are no patterns"
        raise DamagedFileError("cannot read the data set", why, "Fetch it again", file=place)
    names = [PurePosixPath(name).stem for name, _ in members]
    frames = _numbers(names)
    if len(frames) != _FRAMES:
        notes.append(f"{len(frames)} frames, where the record is described with {_FRAMES}")
    return patterns.replace(
        names=names,
        warnings=notes,
        failed=(),
        meta={"frame": frames, "time": (frames - frames.min()) * _EXPOSURE, "count_time": _EXPOSURE},
    )


def _most_alike(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Those with the most frequent suffix: a readme.txt among frames is none."""
    suffixes = Counter(PurePosixPath(name).suffix.lower() for name, _ in members)
    usual = max(suffixes, key=lambda s: suffixes[s], default="")
    return [m for m in members if PurePosixPath(m[0]).suffix.lower() == usual]


def _numbers(names: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The last number in each name, or 1, 2, 3 ... where those are not one for each frame."""
    ends = [re.search(r"(\d{1,9})\D*$", name) for name in names]
    found = np.array([int(m[1]) if m else -1 for m in ends], dtype=np.int64)
    if found.min() < 0 or np.unique(found).size < found.size:
        return np.arange(1, len(names) + 1, dtype=np.int64)
    return found


ZENODO_4424866 = Dataset(
    name="zenodo-4424866",
    title="measured: (Mg0.2Fe0.8)O compressed from 1 to above 100 GPa",
    what="349 frames of 100 ms, about 4020 points, baseline subtracted; unlabelled. Pressures are not in the files.",
    kind="fetched",
    licence="as stated on the record (not seen by us; `fetch` writes down what the record says)",
    citation="Zenodo record 4424866; used in Y. Sun, PhD thesis, University of Szeged (2023), chapters 3 to 5, and "
    "Sun, Brockhauser & Hegedus, ICCSA 2021, LNCS 12957, 54-68",
    url="https://zenodo.org/record/4424866",
    doi="10.5281/zenodo.4424866",
    read=read_ramp,
    files=(
        RemoteFile(
            name=_ARCHIVE,
            url=f"https://zenodo.org/record/4424866/files/{_ARCHIVE}",
            by_hand="open https://zenodo.org/record/4424866 in a browser, download the .7z file",
        ),
    ),
)
