"""Any file a diffractometer or spectrometer writes -> `Patterns`, and back.

To add a format: one file beside these that ends with its `Format`, and one line in the table `FORMATS`.
"""

from __future__ import annotations

from peakwise.io._atomic import atomic_file
from peakwise.io._limits import MAX_BYTES, MAX_POINTS, MAX_SCANS
from peakwise.io._read import FileRead, Reader, find_files, natural_key
from peakwise.io._scan import META, Format, Scan
from peakwise.io._source import Source
from peakwise.io._write import Writer
from peakwise.io.aeon_ts import AEON_TS
from peakwise.io.brml import BRML
from peakwise.io.bruker_raw import BRUKER_RAW
from peakwise.io.canberra_cnf import CANBERRA_CNF
from peakwise.io.chi import CHI
from peakwise.io.gsas import GSAS
from peakwise.io.hdf5 import HDF5
from peakwise.io.ill_psi import ILL_PSI
from peakwise.io.images import IMAGES
from peakwise.io.jcamp_dx import JCAMP_DX
from peakwise.io.json_pattern import JSON
from peakwise.io.netcdf import NETCDF
from peakwise.io.numpy_files import NUMPY_NPY, NUMPY_NPZ
from peakwise.io.pdcif import PDCIF
from peakwise.io.philips_rd import PHILIPS_RD
from peakwise.io.philips_udf import PHILIPS_UDF
from peakwise.io.rasx import RASX
from peakwise.io.rigaku_asc import RIGAKU_ASC
from peakwise.io.rigaku_ras import RIGAKU_RAS
from peakwise.io.spc import GALACTIC_SPC
from peakwise.io.stoe_raw import STOE_RAW
from peakwise.io.text import TEXT
from peakwise.io.uxd import UXD
from peakwise.io.xrdml import XRDML
from peakwise.io.zarr_store import ZARR

# In the order in which they are tried: those with an unmistakable beginning first, plain text last.
FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        XRDML,
        BRML,
        RASX,
        BRUKER_RAW,
        STOE_RAW,
        PHILIPS_RD,
        CANBERRA_CNF,
        NUMPY_NPY,
        NUMPY_NPZ,
        NETCDF,
        HDF5,
        ZARR,
        IMAGES,
        RIGAKU_RAS,
        RIGAKU_ASC,
        JCAMP_DX,
        AEON_TS,
        GALACTIC_SPC,
        JSON,
        PHILIPS_UDF,
        UXD,
        GSAS,
        PDCIF,
        ILL_PSI,
        CHI,
        TEXT,
    )
}

_reader = Reader(FORMATS)
read = _reader.read
read_each = _reader.read_each
write = Writer(FORMATS).write

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_POINTS",
    "MAX_SCANS",
    "META",
    "FileRead",
    "Format",
    "Reader",
    "Scan",
    "Source",
    "atomic_file",
    "find_files",
    "natural_key",
    "read",
    "read_each",
    "write",
]
