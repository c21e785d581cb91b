"""Hypothesis strategies for patterns."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import peakwise as pw
from peakwise.patterns import AXES, INTENSITY_UNITS

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)


@st.composite
def axes(draw: st.DrawFn, smallest: float = 0.5, largest: float = 150.0, min_size: int = 2) -> np.ndarray:
    """Rising, finite, unevenly stepped."""
    m = draw(st.integers(min_size, 30))
    steps = draw(npst.arrays(float, m, elements=st.floats(0.01, 1.0)))
    return smallest + np.cumsum(steps) * (largest - smallest) / 31


@st.composite
def patterns(draw: st.DrawFn, *, nan: bool = True, kinds: tuple[str, ...] = tuple(AXES)) -> pw.Patterns:
    """Any patterns that can be made."""
    axis = draw(axes())
    n = draw(st.integers(1, 4))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    floats = st.floats(-1e6, 1e6, width=32) | (st.just(float("nan")) if nan else st.nothing())
    rows = draw(npst.arrays(dtype, (n, axis.size), elements=floats))
    columns = {
        "temperature": draw(npst.arrays(float, n, elements=st.floats(0, 3000) | st.just(float("nan")))),
        "label": draw(st.lists(TEXT, min_size=n, max_size=n)),
        "frame": draw(npst.arrays(np.int64, n, elements=st.integers(-(2**40), 2**40))),
        "good": draw(npst.arrays(bool, n)),
    }
    keep = draw(st.sets(st.sampled_from(sorted(columns))))
    radiation = draw(
        st.none()
        | st.floats(0.05, 20).map(lambda w: pw.Radiation(w, probe="neutron"))
        | st.sampled_from(["CuKa", "CuKa1", "MoKa"]).map(pw.Radiation.named)
    )
    return pw.Patterns(
        axis,
        rows,
        draw(st.sampled_from(kinds)),
        wavelength=radiation,
        sigma=np.abs(rows) if draw(st.booleans()) else None,
        names=draw(st.lists(TEXT, min_size=n, max_size=n)),
        meta={k: columns[k] for k in keep},
        unit=draw(st.sampled_from(INTENSITY_UNITS)),
        warnings=draw(st.lists(TEXT, max_size=2, unique=True)),
        failed=draw(st.lists(st.tuples(TEXT, TEXT), max_size=2)),
    )
