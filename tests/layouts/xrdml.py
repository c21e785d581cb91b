"""XRDML documents."""

from __future__ import annotations

POSITIONS = (
    '<positions axis="2Theta" unit="deg"><startPosition>10</startPosition><endPosition>12</endPosition></positions>'
)


VALUES = '<intensities unit="counts">1 2 3 4 5</intensities>'


WAVE = (
    '<usedWavelength intended="K-Alpha 1"><kAlpha1 unit="Angstrom">1.5406</kAlpha1>'
    '<kAlpha2 unit="Angstrom">1.5444</kAlpha2><kBeta unit="Angstrom">1.3922</kBeta>'
    "<ratioKAlpha2KAlpha1>0.5</ratioKAlpha2KAlpha1></usedWavelength>"
)


def a_scan(points=POSITIONS + VALUES, axis="Gonio", status="Completed", before=""):
    told_axis = "" if axis is None else f'scanAxis="{axis}" '
    return f'<scan appendNumber="0" {told_axis}status="{status}">{before}<dataPoints>{points}</dataPoints></scan>'


def document(*scans, version="1.5", wave=WAVE, status="Completed"):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/{version}">'
        f'<xrdMeasurement measurementType="Scan" status="{status}">{wave}{"".join(scans)}</xrdMeasurement>'
        "</xrdMeasurements>"
    )
