"""The members of a RASX archive."""

from __future__ import annotations

GENERATOR = (
    "<HWConfigurations><XrayGenerator><TargetName>Co</TargetName><WaveType>Ka</WaveType><Current>30</Current>"
    "<Voltage>35</Voltage><WavelengthKbeta>1.6208</WavelengthKbeta><WavelengthKalpha1>1.7890</WavelengthKalpha1>"
    "<WavelengthKalpha2>1.7929</WavelengthKalpha2></XrayGenerator></HWConfigurations>"
)


SCAN = (
    "<ScanInformation><AxisName>TwoTheta</AxisName><Step>0.1</Step><Speed>2</Speed><SpeedUnit>deg/min</SpeedUnit>"
    "<IntensityUnit>counts</IntensityUnit><StartTime>2024-01-01T00:00:00Z</StartTime><DataCount>3</DataCount>"
    "</ScanInformation>"
)


PROFILE = "\ufeff10.0\t100\t1\r\n10.1\t200\t1\r\n10.2\t300\t1\r\n"


def conditions(axes="", scan=SCAN, generator=GENERATOR):
    return (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><MeasurementConditions>'
        "<GeneralInformation><Memo/></GeneralInformation>"
        f"{generator}<Axes>{axes}</Axes>{scan}</MeasurementConditions>"
    )
