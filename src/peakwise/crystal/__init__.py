"""Crystal structures: from CIF files to every reflection, the clinic that mends them, and libraries of them."""

from peakwise.crystal._clinic import ClinicRow, examine_cif, repaired_text
from peakwise.crystal._gather import examine_each
from peakwise.crystal._library import PhaseLibrary
from peakwise.crystal._phase import Phase, Site, Source
from peakwise.crystal._reflections import Reflections
from peakwise.crystal._store import pack_phases, unpack_phases
from peakwise.crystal._textbook import TEXTBOOK, textbook_cif

__all__ = [
    "TEXTBOOK",
    "ClinicRow",
    "Phase",
    "PhaseLibrary",
    "Reflections",
    "Site",
    "Source",
    "examine_cif",
    "examine_each",
    "pack_phases",
    "repaired_text",
    "textbook_cif",
    "unpack_phases",
]
