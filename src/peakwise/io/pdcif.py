r"""pdCIF: measured powder patterns in Crystallographic Information Files.

What is understood, in the grammar of CIF 1.1 and 2.0 (which gemmi reads), tags in any case, a dot for the first
underscore of the name allowed (DDLm)::

    file    = { data-block }                    one pattern from each block that holds one
    block   = { tag value | "loop_" tags values }

    intensities, the first that is there        _pd_meas_counts_total, _pd_meas_intensity_total, _pd_meas_intensity_net,
                                                _pd_proc_intensity_total, _pd_proc_intensity_net,
                                                _pd_calc_intensity_total, _pd_calc_intensity_net (with a warning)
    uncertainties                               in parentheses 5540(160), <tag>_su, or _pd_proc_ls_weight (1 / variance)
    positions of measured intensities           _pd_meas_2theta_scan, _pd_meas_time_of_flight, _pd_meas_2theta_range_min
                                                _max _inc (without a zero shift), then the processed ones
    positions of processed intensities          _pd_proc_2theta_corrected, _pd_proc_2theta_range_min _max _inc,
                                                _pd_proc_recip_len_Q, _pd_proc_d_spacing, then the measured ones
    wavelength                                  _diffrn_radiation_wavelength [_wt], _diffrn_radiation_probe, _type
    temperature, pressure                       _diffrn_ambient_temperature [K], _pressure [kPa]

``.`` and ``?`` stand for what is not there. A CIF that holds a structure and no pattern is refused: it is a phase.

Publicly described in International Tables for Crystallography G (2005), chapters 2.2 (CIF) and 3.3 (pdCIF), and in the
powder dictionary of the IUCr, cif_pow.dic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import AxisError
from peakwise.io._dates import iso_date
from peakwise.io._limits import check_limit
from peakwise.io._numbers import finite, parse_numbers
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    import gemmi
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["PDCIF"]

_TAG = re.compile(rb"^\s*(?:_[a-z]|loop_)", re.IGNORECASE | re.MULTILINE)
_COMMENT_BYTES = 1 << 16

_INTENSITIES = (
    "_pd_meas_counts_total",
    "_pd_meas_intensity_total",
    "_pd_meas_intensity_net",
    "_pd_proc_intensity_total",
    "_pd_proc_intensity_net",
    "_pd_calc_intensity_total",
    "_pd_calc_intensity_net",
)
# Tag (of a column, or of a range without its ending), kind of axis, factor to our unit.
_MEASURED = (
    ("_pd_meas_2theta_scan", "two_theta", 1.0),
    ("_pd_meas_time_of_flight", "time_of_flight", 1.0),
    ("_pd_meas_2theta_range", "two_theta", 1.0),
)
_PROCESSED = (
    ("_pd_proc_2theta_corrected", "two_theta", 1.0),
    ("_pd_proc_2theta_range", "two_theta", 1.0),
    ("_pd_proc_recip_len_q", "q", 1.0),
    ("_pd_proc_d_spacing", "d", 1.0),
    ("_pd_proc_energy_incident", "energy", 1e-3),
)
_WAVELENGTHS = ("_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_value", "_instr_wavelength")
_WEIGHTS = ("_diffrn_radiation_wavelength_wt",)
_PROBES = ("_diffrn_radiation_probe", "_expt_type_radiation_probe", "_diffrn_radiation_type")
_META = {
    "temperature": ("_diffrn_ambient_temperature", "_cell_measurement_temperature"),
    "count_time": ("_pd_meas_step_count_time",),
    "date": ("_pd_meas_datetime_initiated",),
    "instrument": ("_diffrn_measurement_device_type", "_diffrn_measurement_device"),
    "operator": ("_pd_meas_info_author_name",),
    "sample": ("_pd_char_sample", "_pd_phase_name", "_chemical_name_mineral", "_chemical_name_common"),
}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?(\d*)|\.(\d+)))(?:[eE]([+-]?\d+))?(?:\((\d+\.?\d*)\))?")
_GPA_PER_KPA = 1e-6
_ROUGHEST_STEP = 0.05  # share by which rounding may change the step of a range


@dataclass(slots=True)
class _Block:
    """One data block: single values, and loops as columns, under plain lower-case tags."""

    name: str
    single: dict[str, str]
    loops: list[dict[str, list[str]]]

    def texts(self, tags: tuple[str, ...]) -> list[str]:
        """All values of the first of the tags that has any."""
        for tag in tags:
            stored = [[self.single[tag]]] if tag in self.single else []
            for values in stored + [loop[tag] for loop in self.loops if tag in loop]:
                known = [_unquoted(v) for v in values]
                if any(known):
                    return known
        return []


def _sniff(source: Source) -> bool:
    head = source.head
    if b"\0" in head:
        return False
    begins = _begins_block(head)
    if begins is None and source.suffix == ".cif":
        # Some deposition sites put a long comment in front.
        return _begins_block(source.data[:_COMMENT_BYTES]) is True
    return begins is True and _TAG.search(head) is not None


def _begins_block(raw: bytes) -> bool | None:
    """Whether the first line that is neither blank nor comment opens a data block; None where there is no such line."""
    for line in raw.removeprefix(b"\xef\xbb\xbf").splitlines():
        words = line.strip()
        if words.startswith(b"###CBF"):
            return False  # an image in a CIF binary file
        if words and not words.startswith(b"#"):
            return words[:5].lower() == b"data_"
    return None


def _read(source: Source) -> list[Scan]:
    from gemmi import cif

    # Level 0: a tag given twice in some far corner is no reason to withhold the pattern.
    blocks = [_block(b) for b in cif.read_string(source.text, 0)]
    check_limit(len(blocks), "scans", "the file", source.path)
    found = [(b, *loop) for b, loop in ((b, _pattern_loop(b)) for b in blocks) if loop is not None]
    if not found:
        raise _without_pattern(source, blocks)
    lights = [_radiation(b) for b in blocks]
    # One wavelength in the whole file is everybody's, whichever block it stands in.
    known = {light for light, _ in lights if light is not None}
    common = next(iter(known)) if len(known) == 1 else None
    scans = []
    for block, loop, tag in found:
        scan = _scan(source, block, loop, tag)
        light, notes = lights[blocks.index(block)]
        scan.radiation = None if scan.kind == "time_of_flight" else light or common
        scan.warnings += notes
        scan.name = block.name if len(found) > 1 and block.name.strip() else None
        scans.append(scan)
    return scans


def _block(block: gemmi.cif.Block) -> _Block:
    """The block in plain containers; loops without powder data or wavelengths are left out."""
    single: dict[str, str] = {}
    loops: list[dict[str, list[str]]] = []
    for item in block:
        pair: Any = item.pair
        if pair is not None:
            single[_plain(pair[0])] = pair[1]
        elif item.loop is not None:
            tags = [_plain(t) for t in item.loop.tags]
            if any(t.startswith(("_pd_", "_diffrn_", "_atom_site_", "_refln_")) for t in tags):
                values = item.loop.values
                loops.append({tag: values[i :: len(tags)] for i, tag in enumerate(tags)})
    return _Block(block.name, single, loops)


def _plain(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _unquoted(value: str) -> str:
    from gemmi import cif

    return "" if cif.is_null(value) else cif.as_string(value).strip()


def _pattern_loop(block: _Block) -> tuple[dict[str, list[str]], str] | None:
    """The loop with the best intensities of the block, and their tag."""
    for tag in _INTENSITIES:
        for loop in block.loops:
            if tag in loop and any(v not in (".", "?") for v in loop[tag]):
                return loop, tag
    return None


def _without_pattern(source: Source, blocks: list[_Block]) -> Exception:
    tags = {tag for b in blocks for tag in (*b.single, *(t for loop in b.loops for t in loop))}
    if any(tag.startswith(("_atom_site_", "_cell_length")) for tag in tags):
        return source.damaged("it holds a structure, no powder pattern", "Use it as a phase")
    if any(tag.startswith("_refln_") for tag in tags):
        return source.damaged("it holds reflections, no powder pattern", "Give the measured profile instead")
    return source.damaged("it holds no powder pattern", "Check that the profile was exported too")


def _scan(source: Source, block: _Block, loop: dict[str, list[str]], tag: str) -> Scan:
    where = f"block {block.name}: " if block.name.strip() else ""
    try:
        y, sigma = _column(loop[tag])
        notes = _check_count(block, tag, y.size)
        x, kind = _positions(block, loop, tag, y.size)
    except ValueError as problem:
        raise source.damaged(f"{where}{problem}") from problem
    if sigma is None:
        sigma = _sigma(loop, tag)
    if tag.startswith("_pd_calc"):
        notes.append("the intensities are calculated, not measured: the file holds no others")
    counts = tag == "_pd_meas_counts_total"
    return Scan(x, y, kind, sigma=sigma, unit="counts" if counts else "unknown", meta=_meta(block), warnings=notes)


def _check_count(block: _Block, tag: str, held: int) -> list[str]:
    texts = block.texts((f"{tag[:8]}_number_of_points",))
    promised = int(_number(texts[0])[0]) if texts else held
    if held < promised:
        raise ValueError(f"it holds {held} of the {promised} points that it promises")
    return [f"the file promises {promised} points and holds {held}"] if held > promised else []


def _positions(block: _Block, loop: dict[str, list[str]], tag: str, size: int) -> tuple[NDArray[np.float64], str]:
    """Where the intensities were measured, and on which kind of axis."""
    measured = tag.startswith("_pd_meas")
    misfit = "it gives no positions (_pd_meas_2theta_scan, _pd_meas_2theta_range_min ...)"
    for name, kind, factor in (*_MEASURED, *_PROCESSED) if measured else (*_PROCESSED, *_MEASURED):
        if name.endswith("_range"):
            texts = [block.texts((f"{name}_{end}",)) for end in ("min", "max", "inc")]
            if not all(texts):
                continue
            try:
                return _range(texts[0][0], texts[1][0], texts[2][0], size), kind
            except ValueError as problem:
                misfit = str(problem)
                continue
        # A profile may be split over loops: one with positions, one with intensities.
        column = next((c[name] for c in (loop, *block.loops) if name in c and len(c[name]) == size), None)
        if column is not None:
            x = _column(column)[0]
            if np.isfinite(x).any():
                return x * factor, kind
    raise ValueError(misfit)


def _range(low: str, high: str, step: str, size: int) -> NDArray[np.float64]:
    """Positions from their range; the step must agree to the digits that it is written with."""
    start, stop, increment = (finite(t.partition("(")[0]) for t in (low, high, step))
    true = (stop - start) / max(size - 1, 1)
    digits = len(step.partition("(")[0].partition(".")[2])
    allowed = min(0.5 * 10.0**-digits, _ROUGHEST_STEP * abs(increment)) + 1e-9 * abs(increment)
    if not abs(true - increment) <= allowed:
        wanted = round((stop - start) / increment) + 1 if increment else 0
        raise ValueError(f"from {low} to {high} by {step} there are {wanted} points, it holds {size}")
    return np.linspace(start, stop, size)


def _column(values: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Numbers with their uncertainties, NaN for what is not there; None where no number has an uncertainty."""
    try:
        plain = parse_numbers(" ".join(values))
        if plain.size == len(values):
            return plain, None
    except ValueError:
        pass
    pairs = np.array([_number(v) for v in values], dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1] if np.isfinite(pairs[:, 1]).any() else None


def _number(text: str) -> tuple[float, float]:
    """A number and its uncertainty: 5540(160) is 5540 and 160, 1.234(5) is 1.234 and 0.005."""
    if text in (".", "?"):
        return np.nan, np.nan
    match = _NUMBER.fullmatch(text.strip("'\""))
    if match is None:
        raise ValueError(f"{text[:30]!r} is no number")
    mantissa, decimals, bare, power, su = match.groups()
    exponent = int(power or 0)
    value = float(f"{mantissa}e{exponent}")
    if su is None:
        return value, np.nan
    places = 0 if "." in su else len(decimals or bare or "")
    return value, float(f"{su}e{exponent - places}")


def _sigma(loop: dict[str, list[str]], tag: str) -> NDArray[np.float64] | None:
    """Uncertainties of their own column, or from the weights of the refinement; counts need none."""
    for name in (f"{tag}_su", f"{tag}_esd"):
        if name in loop:
            return _column(loop[name])[0]
    if tag == "_pd_meas_counts_total" or "_pd_proc_ls_weight" not in loop:
        return None
    weight = _column(loop["_pd_proc_ls_weight"])[0]
    used = weight > 0
    # A weight of zero says that the refinement left the point out, not how uncertain it is.
    return np.where(used, 1 / np.sqrt(np.where(used, weight, 1.0)), np.nan) if used.any() else None


def _radiation(block: _Block) -> tuple[Radiation | None, list[str]]:
    """The radiation of a block, and what is wrong with it."""
    named = " ".join(block.texts(("_diffrn_radiation_type",)) + block.texts(("_diffrn_source_target",)))
    told = " ".join(word for tag in _PROBES for word in block.texts((tag,))).lower()
    probe = next((p for p in ("neutron", "electron") if p in told), "xray")
    match = re.search(r"(?<![A-Za-z])(Cr|Fe|Co|Cu|Mo|Ag)(?![a-z])", named)
    anode = match[1] if match and probe == "xray" else None
    values = [v for v in map(_known, block.texts(_WAVELENGTHS)) if v > 0]
    shares = [_known(t) for t in block.texts(_WEIGHTS)]
    if not values:
        line = re.search(r"K\\?a(?:lpha)?~?([12]?)", named)
        return (Radiation.named(f"{anode}Ka{line[1]}") if anode and line else None), []
    try:
        if len(values) > 1 and len(shares) == len(values) and np.min(shares) >= 0 and max(shares) > 0:
            lines = sorted(zip(values, shares, strict=True), key=lambda line: -line[1])
            shown = tuple((w, share / lines[0][1]) for w, share in lines)
            return Radiation(lines[0][0], shown, anode, probe), []
        if len(values) > 1 and probe == "xray":
            return Radiation.doublet(values[0], values[1], anode=anode), []
        return Radiation(values[0], anode=anode, probe=probe), []
    except AxisError as problem:
        return None, [f"the wavelength of the file is not used: {problem.why}"]


def _known(text: str) -> float:
    """The number at the beginning of a text, NaN where there is none."""
    match = _NUMBER.match(text)
    return _number(match[0])[0] if match else np.nan


def _meta(block: _Block) -> dict[str, Any]:
    meta: dict[str, Any] = {"title": block.name}
    for name, tags in _META.items():
        text = next(iter(block.texts(tags)), "")
        if name in ("temperature", "count_time"):
            value = _known(text)
            meta[name] = value if np.isfinite(value) else None
        elif text:
            meta[name] = iso_date(text) if name == "date" else text[:200]
    pressure = _known(next(iter(block.texts(("_diffrn_ambient_pressure",))), ""))
    if np.isfinite(pressure):
        meta["pressure"] = pressure * _GPA_PER_KPA
    return meta


PDCIF = Format("pdcif", "powder CIF", (".cif", ".pdcif"), _sniff, _read)
