"""One small valid file of every format that is read, and of every version of it: what the contracts of formats walk.

The first word of a key is the name of the format in `peakwise.FORMATS`, the rest tells the variant. Each function
writes its file (or store) into a folder and returns its path. Byte layouts stand in
`layouts`, text is written out here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

import peakwise as pw
from layouts import (
    brml,
    bruker_raw,
    bruker_raw_v4,
    canberra_cnf,
    jcamp_dx,
    philips_rd,
    rasx,
    rigaku_asc,
    rigaku_ras,
    spc,
    stoe_raw,
    xrdml,
)
from layouts.zipped import packed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMPANIONS", "SAMPLES", "format_of"]

X = 10 + 0.5 * np.arange(12)
Y = np.array([120, 118, 121, 130, 180, 420, 910, 430, 175, 128, 119, 122])

# Files that must lie beside a sample for it to be read: detector frames have their geometry in another file.
COMPANIONS = {"images": ("frame.poni",)}


def format_of(name: str) -> str:
    """The format of a sample."""
    return name.split(maxsplit=1)[0]


def _bytes(name: str, content: bytes) -> Any:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return write


def _text(name: str, *lines: str) -> Any:
    return _bytes(name, ("\n".join(lines) + "\n").encode())


def _patterns() -> pw.Patterns:
    return pw.Patterns(
        X, [Y, 2 * Y], wavelength="CuKa1", unit="counts", names=["cold", "hot"], sigma=np.sqrt([Y, 2 * Y]),
        meta={"temperature": [300.0, 400.0], "label": ["α", "β"]},
    )  # fmt: skip


def _ours(name: str) -> Any:
    def write(folder: Path) -> Path:
        pw.write(_patterns(), folder / name)
        return folder / name

    return write


# ---- text, as the descriptions of the formats print it -----------------------------------------------------------


def _fixed(values: Any, form: str) -> list[str]:
    """Ten Fortran columns a record."""
    fields = [form.format(v) for v in values]
    return ["".join(fields[i : i + 10]) for i in range(0, len(fields), 10)]


_GSAS_TITLE = "a title".ljust(80)
_PAIRS = [f"{x:.2f} {y}" for x, y in zip(X, Y, strict=True)]
_ESD = [f"{v:8.1f}" for pair in zip(Y, np.sqrt(Y), strict=True) for v in pair]
_ALT = [f"{32 * 1000 + 1600 * i:8d}{1000 * y:7d}{1000:5d}" for i, y in enumerate(Y)]


def _gsas(*lines: str) -> Any:
    return _text("scan.gsa", _GSAS_TITLE, *(line.ljust(80) for line in lines))


_UXD = [
    "_FILEVERSION=2", "_SAMPLE='Silicon'", "_DATEMEASURED='04-Mar-2010 20:59:14'", "_WL_UNIT='A'", "_WL1=1.540600",
    "_WL2=1.544390", "_WLRATIO=0.500000", "_ANODE='Cu'", "; (Data for Range number 1)", "_DRIVE='COUPLED'",
    "_STEPTIME=0.500000", "_STEPSIZE=0.500000", "_STEPMODE='C'", "_START=10.000000", "_2THETA=10.000000",
    "_THETA=5.000000", "_KHI=0.000000", "_PHI=0.000000",
]  # fmt: skip
_UDF = [
    "SampleIdent,Silicon,/", "Title1,Demo,/", "DiffrType,PW1800,/", "DiffrNumber,1,/", "Anode,Cu,/",
    "LabdaAlpha1, 1.54060,/", "LabdaAlpha2, 1.54439,/", "RatioAlpha21, 0.50000,/", "GeneratorVoltage, 40,/",
    "TubeCurrent, 55,/", "FileDateTime,5-may-1997 10:24,/", "DataAngleRange, 10.0000, 15.5000,/",
    "ScanStepSize, 0.500,/", "ScanType,CONTINUOUS,/", "ScanStepTime, 1.25,/", "RawScan",
    ", ".join(map(str, Y[:8])), ", ".join(map(str, Y[8:])) + "/",
]  # fmt: skip
_CIF_LOOP = ["loop_", "_pd_meas_2theta_scan", "_pd_meas_counts_total"]
_CIF_RANGE = [
    "_pd_meas_2theta_range_min 10.0", "_pd_meas_2theta_range_max 15.5", "_pd_meas_2theta_range_inc 0.5", "loop_",
    "_pd_proc_intensity_total",
]  # fmt: skip
_PSI = [
    "DMC, a title", "lambda=  2.45700, T= 1.500, dT= 0.010, Date=2003-02-01 10:20:30",
    '  10.000   0.500  15.500 2000000., sample="Ho2O3, can"', *_fixed(Y, "{:8.1f}"), *_fixed(np.sqrt(Y), "{:8.1f}"),
    " Filelist='x'",
]  # fmt: skip
_ILL = [
    "D2B  Title: 1.594 A  Fe3O4", "  Ident:  1 to 2", "1.594 A  Fe3O4      2theta",
    "  12  295.5  300.0    1  50000.0   0.0", " 10.0000  0.5000  15.5000", *_fixed(Y, "{:8.1f}"),
    *_fixed(np.sqrt(Y), "{:8.2f}"),
]  # fmt: skip
_CHI = ["a scan", "2-Theta Angle (Degrees)", "Intensity", "12", *_PAIRS]
_SRXGUI = [
    "# created by SrXgui", "[calibration]", "wavelength = 0.1839", "[processing]", "integrationspace = qspace",
    "#### start data", *_PAIRS,
]  # fmt: skip
_TS = [
    "@problemName Demo", "@timeStamps false", "@univariate true", "@classLabel true low high", "@data",
    ",".join(map(str, Y)) + ":low", ",".join(map(str, 2 * Y)) + ":high",
]  # fmt: skip
_JSON = {"two_theta": X.tolist(), "counts": Y.tolist(), "primary_wavelength": 1.5406, "temp_K": 300}


# ---- what only libraries write -----------------------------------------------------------------------------------


def _npy(folder: Path) -> Path:
    np.save(folder / "scan.npy", np.vstack([X, Y]))
    return folder / "scan.npy"


def _npz(folder: Path) -> Path:
    np.savez(folder / "scan.npz", two_theta=X, intensity=np.vstack([Y, 2 * Y]))
    return folder / "scan.npz"


def _nexus(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "scan.nxs", "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        entry["title"] = "LaB6"
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": "tth"})
        data["tth"], data["I"] = X, Y
        data["tth"].attrs["units"] = "deg"
    return folder / "scan.nxs"


def _plain_hdf5(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "scan.h5", "w", libver="latest") as file:
        file["scan/two_theta"], file["scan/counts"] = X, Y
        file.create_dataset("scan/more", data=np.tile(Y, (3, 1)), chunks=(1, 12), compression="gzip")
    return folder / "scan.h5"


def _classic_netcdf(folder: Path) -> Path:
    import xarray

    data = xarray.Dataset({"counts": ("two_theta", Y.astype("i4"))}, {"two_theta": ("two_theta", X, {"units": "deg"})})
    data.to_netcdf(folder / "scan.nc", engine="scipy", format="NETCDF3_CLASSIC")
    return folder / "scan.nc"


def _foreign_netcdf(folder: Path) -> Path:
    import xarray

    data = xarray.Dataset({"counts": ("two_theta", Y.astype("i4"))}, {"two_theta": ("two_theta", X, {"units": "deg"})})
    data.to_netcdf(folder / "scan.nc", engine="h5netcdf")
    return folder / "scan.nc"


def _zarr_version_3(folder: Path) -> Path:
    import zarr

    group = zarr.open_group(folder / "scan.zarr", mode="w", zarr_format=3)
    for name, values in (("two_theta", X), ("counts", Y)):
        array = group.create_array(name, shape=values.shape, dtype=values.dtype, dimension_names=["two_theta"])
        array[:] = values
    return folder / "scan.zarr"


def _frame(suffix: str) -> Any:
    def write(folder: Path) -> Path:
        import fabio

        rows, columns = np.mgrid[:40, :40]
        rings = 20 + (100 * np.exp(-((np.hypot(rows - 5, columns - 5) - 20) ** 2) / 8)).astype("i4")
        kind = {"cbf": fabio.cbfimage.CbfImage, "edf": fabio.edfimage.EdfImage, "tif": fabio.tifimage.TifImage}[suffix]
        path = folder / f"frame.{suffix}"
        kind(data=rings.astype("i4")).write(str(path))
        (folder / "frame.poni").write_text(
            "poni_version: 2.1\nDetector: Detector\n"
            'Detector_config: {"pixel1": 0.0001, "pixel2": 0.0001, "orientation": 3}\n'
            "Distance: 0.01\nPoni1: 0.0005\nPoni2: 0.0005\nRot1: 0\nRot2: 0\nRot3: 0\nWavelength: 1e-10\n"
        )
        return path

    return write


_RAS_BLOCK = rigaku_ras.block()
_SUB = spc.sub() + spc.numbers("<i4", 1, 2, 3, 4, 5)
_FLOATS = spc.sub(exponent=-128) + spc.numbers("<f4", 1, 2, 3, 4, 5)
_BRML_RAW = brml.raw_data(brml.a_route())

SAMPLES: dict[str, Any] = {
    "xrdml 1.5": _text("scan.xrdml", xrdml.document(xrdml.a_scan())),
    "xrdml 2.3": _text("scan.xrdml", xrdml.document(xrdml.a_scan(), xrdml.a_scan(), version="2.3")),
    "brml": _bytes(
        "scan.brml",
        packed(
            {
                "Experiment0/DataContainer.xml": brml.container("Experiment0/RawData0.xml"),
                "Experiment0/RawData0.xml": _BRML_RAW,
            }
        ),
    ),
    "rasx": _bytes(
        "scan.rasx",
        packed({"Data0/Profile0.txt": rasx.PROFILE, "Data0/MesurementConditions0.xml": rasx.conditions()}),
    ),
    "bruker_raw v1": _bytes("scan.raw", bruker_raw.v1_range()),
    "bruker_raw v2": _bytes("scan.raw", bruker_raw.v2_file(bruker_raw.v2_range(), bruker_raw.v2_range(start=30.0))),
    "bruker_raw v3": _bytes("scan.raw", bruker_raw.v3_file(bruker_raw.v3_range(), bruker_raw.v3_range())),
    "bruker_raw v4": _bytes("scan.raw", bruker_raw_v4.v4_file(bruker_raw_v4.one_range())),
    "stoe_raw": _bytes(
        "scan.raw", stoe_raw.stoe_file(stoe_raw.stoe_range(), stoe_raw.stoe_range([1, 2, 3, 4], form=1))
    ),
    "philips_rd v3": _bytes("scan.rd", philips_rd.rd_file()),
    "philips_rd v5": _bytes("scan.sd", philips_rd.rd_file(version=b"V5RD")),
    "canberra_cnf": _bytes("scan.cnf", canberra_cnf.cnf_file()),
    "numpy_npy": _npy,
    "numpy_npz": _npz,
    "netcdf 4, ours": _ours("scan.nc"),
    "netcdf 4, of others": _foreign_netcdf,
    "netcdf classic": _classic_netcdf,
    "hdf5 ours": _ours("scan.h5"),
    "hdf5 nexus": _nexus,
    "hdf5 plain": _plain_hdf5,
    "zarr ours": _ours("scan.zarr"),
    "zarr version 3": _zarr_version_3,
    "images cbf": _frame("cbf"),
    "images edf": _frame("edf"),
    "images tif": _frame("tif"),
    "rigaku_ras": lambda folder: rigaku_ras.ras(folder, _RAS_BLOCK, _RAS_BLOCK),
    "rigaku_asc": lambda folder: rigaku_asc.asc(folder, rigaku_asc.HEAD + rigaku_asc.GROUPS),
    "jcamp_dx fix": _text("scan.jdx", jcamp_dx.dx(jcamp_dx.FIX)),
    "jcamp_dx difdup": _text("scan.jdx", jcamp_dx.dx(jcamp_dx.DIFDUP)),
    "jcamp_dx pairs": _text(
        "scan.dx",
        jcamp_dx.dx(
            "1, 2; 3, 4\n5, 6; 7, 8",
            "XYPOINTS= (XY..XY)",
            NPOINTS="4",
            FIRSTX="1",
            LASTX="7",
            FIRSTY="2",
            XFACTOR="1",
            YFACTOR="1",
        ),
    ),
    "aeon_ts": _text("scan.ts", *_TS),
    "galactic_spc even": _bytes("scan.spc", spc.header() + _SUB),
    "galactic_spc big-endian": _bytes(
        "scan.spc", spc.header(">", exponent=-128) + spc.sub(">") + spc.numbers(">f4", 1, 2, 3, 4, 5)
    ),
    "galactic_spc stored x": _bytes(
        "scan.spc",
        spc.header(flags=spc.TXVALS, exponent=-128, x=3) + spc.numbers("<f4", 500, 501, 503, 507, 515) + _FLOATS,
    ),
    "galactic_spc series": _bytes("scan.spc", spc.header(flags=spc.TMULTI, subfiles=2, z=5) + _SUB + _SUB),
    "galactic_spc own axes": _bytes(
        "scan.spc",
        spc.header(flags=spc.TMULTI | spc.TXYXYS | spc.TXVALS | spc.TRANDM, subfiles=2, points=0, z=20)
        + b"".join(spc.own_axes()),
    ),
    "galactic_spc old": _bytes(
        "scan.spc", spc.old() + spc.sub() + spc.swapped(0x40000000, -0x40000000, 0, 0x20000001, 0x60000000)
    ),
    "json": _text("scan.json", json.dumps(_JSON)),
    "philips_udf": _text("scan.udf", *_UDF),
    "uxd counts": _text("scan.uxd", *_UXD, "_COUNTS", " ".join(map(str, Y[:8])), " ".join(map(str, Y[8:]))),
    "uxd pairs": _text("scan.uxd", *_UXD, "_2THETACOUNTS", *_PAIRS),
    "gsas std": _gsas("BANK 1 12 2 CONST 1000 50 0 0 STD", *_fixed(Y, "{:8d}")),
    "gsas esd": _gsas(
        "BANK 1 12 3 CONST 1000 50 0 0 ESD", "".join(_ESD[:10]), "".join(_ESD[10:20]), "".join(_ESD[20:])
    ),
    "gsas alt": _gsas("BANK 1 12 3 CONST 1000 50 0 0 ALT", *("".join(_ALT[i : i + 4]) for i in (0, 4, 8))),
    "gsas fxye": _gsas(
        "BANK 1 12 12 CONS 1000 50 0 0 FXYE", *(f"{100 * x:.1f} {y} {y**0.5:.3f}" for x, y in zip(X, Y, strict=True))
    ),
    "gsas two banks": _gsas(
        "BANK 1 12 2 CONST 1000 50 0 0 STD",
        *_fixed(Y, "{:8d}"),
        "BANK 2 12 2 SLOG 1000 3200 0.1 0 STD",
        *_fixed(Y, "{:8d}"),
    ),
    "pdcif loop": _text("scan.cif", "data_a", "_diffrn_radiation_wavelength 1.5406", *_CIF_LOOP, *_PAIRS),
    "pdcif range": _text("scan.cif", "data_a", *_CIF_RANGE, *(f"{y}(11)" for y in Y)),
    "ill_psi psi": _text("scan.dat", *_PSI),
    "ill_psi ill": _text("scan.dat", *_ILL),
    "chi fit2d": _text("scan.chi", *_CHI),
    "chi srxgui": _text("scan.chi", *_SRXGUI),
    "text xy": _text("scan.xy", "# 2theta [deg] counts, wavelength = 0.5 angstrom", *_PAIRS),
    "text csv": _text("scan.csv", "two_theta,a,b", *(f"{x},{y},{2 * y}" for x, y in zip(X, Y, strict=True))),
    "text free format": _text("scan.dat", "10 0.5 15.5", *(" ".join(map(str, Y[i : i + 6])) for i in (0, 6))),
}
