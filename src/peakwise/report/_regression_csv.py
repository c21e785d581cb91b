"""Descriptors as a table: a row a scan."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from peakwise.report._csv import safe
from peakwise.report._regression import check_descriptors
from peakwise.report._regression_verdict import ends_of

if TYPE_CHECKING:
    from peakwise.report._regression import DescriptorDocument

__all__ = ["descriptors_csv"]


def descriptors_csv(document: DescriptorDocument) -> str:
    """Return the answer as comma-separated values, a row for each scan.

    Each descriptor has its value, the ends of its interval (``NAME_low``, ``NAME_high``) and, where any is known, its
    truth (``NAME_truth``). A file that could not be used has its reason under warnings. Text that a spreadsheet would
    take for a formula begins with an apostrophe.

    Parameters
    ----------
    document : DescriptorDocument
        What ``peakwise regress --json`` prints.

    Examples
    --------
    >>> row = {"scan": "a.xy", "values": {"fcc": 0.9}, "interval": {"fcc": [0.8, 1]}, "in_domain": True}
    >>> print(descriptors_csv({"command": "regress", "targets": ["fcc"], "scans": [row]}), end="")
    scan,in_domain,fcc,fcc_low,fcc_high,warnings
    a.xy,yes,0.9,0.8,1,
    """
    whole = check_descriptors(document)
    targets, scans = whole["targets"], whole["scans"]
    has_truth = any(scan.get("truth") for scan in scans)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    parts = ("", "_low", "_high", *(("_truth",) if has_truth else ()))
    writer.writerow(["scan", "in_domain", *(safe(name + part) for name in targets for part in parts), "warnings"])
    for scan in scans:
        cells: list[Any] = [scan["scan"], {True: "yes", False: "no"}.get(scan.get("in_domain"), "")]  # type: ignore[arg-type]
        for name in targets:
            cells += [scan["values"].get(name), *ends_of(scan, name)]
            cells += [(scan.get("truth") or {}).get(name)] if has_truth else []
        cells.append("; ".join(scan.get("warnings") or ()))
        writer.writerow([safe("" if cell is None else cell) for cell in cells])
    for file in whole.get("failed") or ():
        writer.writerow([safe(file["file"]), "failed", *[""] * (len(parts) * len(targets)), safe(file["why"])])
    return out.getvalue()
