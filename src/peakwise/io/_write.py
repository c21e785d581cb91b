"""`Patterns` -> a file, in the format that its suffix names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from peakwise.errors import WriteError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from peakwise.io._scan import Format
    from peakwise.patterns import Patterns

__all__ = ["Writer"]


class Writer:
    """Writes with a table of formats; `peakwise.write` is the one made with the table `FORMATS`."""

    def __init__(self, formats: Mapping[str, Format]) -> None:
        self.formats = formats

    def write(self, patterns: Patterns, path: str | os.PathLike[str]) -> None:
        """Write patterns to a file; its suffix says as what.

        ``.nc``, ``.h5`` and ``.zarr`` keep everything; ``.csv`` keeps axis, names and intensities of many patterns;
        ``.xy`` and ``.xye`` hold one pattern. The file appears whole or not at all.

        Parameters
        ----------
        patterns : Patterns
        path : path-like
            Ends in a suffix that can be written (see ``peakwise info --formats``). A file that is there is replaced.

        Examples
        --------
        >>> import peakwise as pw
        >>> scan = pw.Patterns([10, 11, 12], [5, 80, 7], wavelength="CuKa1", unit="counts")
        >>> pw.write(scan, getfixture("tmp_path") / "scan.xye")
        >>> print((getfixture("tmp_path") / "scan.xye").read_text().strip())
        # wavelength = 1.5405929 angstrom (CuKa1)
        # sigma = sqrt(counts)
        # two_theta [deg]  counts  sigma
        10  5  2.23606797749979
        11  80  8.94427190999916
        12  7  2.6457513110645907
        """
        suffix = Path(path).suffix.lower()
        for form in self.formats.values():
            if form.write is not None and suffix in form.written:
                form.write(patterns, Path(path))
                return
        known = sorted({s for f in self.formats.values() if f.write is not None for s in f.written})
        raise WriteError(
            "cannot write the patterns", f"nothing is written as {suffix or 'a file without suffix'!r}",
            f"End the name in one of {', '.join(known)}", file=path,
        )  # fmt: skip
