"""The XML members of a BRML archive."""

from __future__ import annotations

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


TUBE = (
    '<Tube><WaveLengthAlpha1 Unit="Å" Value="1.7890"/><WaveLengthAlpha2 Unit="Å" Value="1.7929"/>'
    '<WaveLengthRatio Unit="" Value="0.497"/><TubeMaterial>Co</TubeMaterial>'
    '<Generator><Voltage Unit="kV" Value="35"/><Current Unit="mA" Value="50"/></Generator></Tube>'
)


INFO = (
    '<ScanInformation ScanName="LockedCoupled" VisibleName="Coupled">'
    "<MeasurementPoints>3</MeasurementPoints></ScanInformation>"
)


TIME = '<RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime"/>'


ABSORBER = '<RawDataView xsi:type="FixedRawDataView" Start="1" Length="1" LogicName="AbsorptionFactor"/>'


ROWS = ("5,1,20.0,10.0,100", "5,1,20.1,10.05,200", "5,1,20.2,10.1,300")


def varying(start, *axes, name="ScanAxes"):
    fields = "".join(f'<FieldDefinitions AxisId="{a}"/>' for a in axes)
    return (
        f'<RawDataView xsi:type="VaryingRawDataView" Start="{start}" Length="{len(axes)}">'
        f'<Varying LogicName="{name}">{fields}</Varying></RawDataView>'
    )


def recorded(start, name="ScanCounter", category="Count", unit="Counts", length=1, kind="RecordedRawDataView"):
    told_category = f'Category="{category}"' if category else ""
    return (
        f'<RawDataView xsi:type="{kind}" Start="{start}" Length="{length}">'
        f'<Recording LogicName="{name}" VisibleName="{name}" {told_category}><Unit Base="{unit}"/>'
        "<BlankingValue>-9999</BlankingValue></Recording></RawDataView>"
    )


VIEWS = TIME + ABSORBER + varying(2, "TwoTheta", "Theta") + recorded(4)


def a_route(rows=ROWS, views=VIEWS, info=INFO, sub="", flag="Measured"):
    data = "".join(f"<Datum>{r}</Datum>" for r in rows)
    return f'<DataRoute RouteFlag="{flag}">{info}{sub}{data}<DataViews>{views}</DataViews></DataRoute>'


def raw_data(*routes, tube=TUBE, drives="", status="Measured", stamp="2025-01-01T00:00:00Z"):
    return (
        f'<?xml version="1.0"?><RawData {XSI}><MeasurementStatus>{status}</MeasurementStatus>'
        f"<TimeStampStarted>{stamp}</TimeStampStarted><DataRoutes>{''.join(routes)}</DataRoutes>"
        f"<FixedInformation><Drives>{drives}</Drives><Instrument>{tube}</Instrument></FixedInformation></RawData>"
    )


def container(*names, sample="S1"):
    listed = "".join(f"<string>{n}</string>" for n in names)
    return (
        f"<?xml version='1.0'?><DataContainer><RawDataReferenceList>{listed}</RawDataReferenceList>"
        "<ExperimentInfo><InstrumentDescription><InstrumentName>D8</InstrumentName></InstrumentDescription></ExperimentInfo>"
        f'<MeasurementInfo SampleName="{sample}" UserName="me"/></DataContainer>'
    )
