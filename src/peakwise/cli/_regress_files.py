"""Descriptors as files: a report, a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.cli._answer_files import say_report, whole_document, write_table

if TYPE_CHECKING:
    from peakwise.cli._output import Output
    from peakwise.cli._regress_input import Asked
    from peakwise.estimators import DescriptorRegressor

__all__ = ["write_descriptors"]


def write_descriptors(
    out: Output, model: DescriptorRegressor, asked: Asked, file: str, report: str | None, csv_file: str | None
) -> None:
    """Write what was asked for, and say where it is."""
    from peakwise.patterns import AXES

    document: Any = whole_document(out, {**model.get_params(), "model": file}, ("numpy", "scipy", "scikit-learn"))
    if report:
        from peakwise.report import write_descriptors_html

        first = asked.first
        document["curves"] = {
            "axis": first.axis, "kind": first.kind, "unit": AXES[first.kind].unit, "wavelength": first.wavelength,
            "patterns": np.nan_to_num(first.intensity),
        }  # fmt: skip
        write_descriptors_html(document, report)
        say_report(out, report)
    if csv_file:
        from peakwise.report import descriptors_csv

        write_table(out, csv_file, descriptors_csv(document))
