"""Axes and wavelengths against published numbers and closed formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import peakwise as pw
from peakwise.errors import AxisError
from peakwise.patterns import AXES, WAVELENGTHS, Radiation, as_radiation, convert_axis


def test_silicon_standard_lines():
    """NIST SRM 640d: a = 5.43123 angstrom (certificate, 2010), and the lines of Cu Kα1 in its table."""
    a, lam = 5.43123, 1.5405929
    published = {(1, 1, 1): 28.441, (2, 2, 0): 47.300, (3, 1, 1): 56.119, (4, 0, 0): 69.126, (3, 3, 1): 76.371}
    for (h, k, l), two_theta in published.items():
        d = a / math.sqrt(h * h + k * k + l * l)
        assert convert_axis([d], "d", "two_theta", wavelength=lam)[0] == pytest.approx(two_theta, abs=2e-3)


def test_published_energies_and_wavenumbers():
    assert 12.398419843 / WAVELENGTHS["CuKa1"] == pytest.approx(
        8.0478, abs=1e-4
    )  # X-ray Data Booklet, Cu Kα1 8.0478 keV
    assert 12.398419843 / WAVELENGTHS["MoKa1"] == pytest.approx(17.4793, abs=1e-3)  # Mo Kα1 17.4793 keV
    assert convert_axis([1.0], "energy", "wavenumber")[0] == pytest.approx(
        8065.543937e3, rel=1e-9
    )  # CODATA, eV to 1/cm
    assert convert_axis([1.0], "frequency", "wavenumber")[0] == pytest.approx(33.35640951, rel=1e-9)
    assert convert_axis([532.0], "wavelength", "wavenumber")[0] == pytest.approx(18796.992, abs=1e-3)
    assert convert_axis([520.7], "raman_shift", "frequency")[0] == pytest.approx(15.6102, abs=1e-3)  # silicon phonon


@pytest.mark.parametrize("family", ["diffraction", "spectral"])
@given(data=st.data())
def test_every_conversion_within_a_family_is_invertible(family, data):
    kinds = [a.name for a in AXES.values() if a.family == family]
    one, other = data.draw(st.sampled_from(kinds)), data.draw(st.sampled_from(kinds))
    x = np.array(data.draw(st.lists(st.floats(0.5, 120), min_size=1, max_size=5)))
    wavelength = data.draw(st.floats(0.05, 0.9))  # short enough for every d from 0.5 angstrom on
    if one == "q" and other == "two_theta":
        x = np.minimum(x, 4 * math.pi / wavelength * 0.999)
    there = convert_axis(x, one, other, wavelength=wavelength)
    np.testing.assert_allclose(convert_axis(there, other, one, wavelength=wavelength), x, rtol=1e-9)


@given(st.floats(5, 150), st.floats(2, 20))
def test_energy_dispersive_diffraction(energy, angle):
    d = convert_axis([energy], "energy", "d", two_theta=angle)[0]
    lam = 12.398419843320026 / energy
    assert d == pytest.approx(lam / (2 * math.sin(math.radians(angle / 2))), rel=1e-12)
    assert convert_axis([d], "d", "energy", two_theta=angle)[0] == pytest.approx(energy)


@pytest.mark.parametrize(
    ("values", "kind", "to", "options", "told"),
    [
        ([10], "two_theta", "q", {}, "it needs a wavelength, got None"),
        ([10], "energy", "q", {}, "it needs the fixed scattering angle of the detector, got None"),
        (
            [20],
            "q",
            "two_theta",
            {"wavelength": 1.5406},
            "q up to 20 1/angstrom cannot be reached with 1.5406 angstrom",
        ),
        ([900], "two_theta", "d", {"wavelength": 1.5}, "within -180 and 180 deg, got 900 to 900"),
        ([0, 1], "q", "d", {}, "q = 0 has no reciprocal"),
        ([0, 1], "d", "q", {}, "d = 0 has no reciprocal"),
        ([0, 1], "wavelength", "wavenumber", {}, "wavelength = 0 has no reciprocal"),
        ([0, 1], "wavenumber", "wavelength", {}, "wavenumber = 0 has no reciprocal"),
        ([1], "r", "q", {}, "r and q measure different things. Convert to one of r"),
        ([1], "two_theta", "wavenumber", {"wavelength": 1}, "measure different things"),
    ],
)
def test_impossible_conversions_are_refused(values, kind, to, options, told):
    with pytest.raises(AxisError) as problem:
        convert_axis(values, kind, to, **options)
    assert told in str(problem.value)


def test_patterns_change_axis_and_stay_rising():
    scan = pw.Patterns([20, 40, 60], [[1, 2, 3]], wavelength="CuKa1", sigma=[[0.1, 0.2, 0.3]])
    d = scan.to_axis("d")
    assert (np.diff(d.axis) > 0).all()
    assert d.intensity.tolist() == [[3, 2, 1]]
    assert d.sigma.tolist() == [[0.3, 0.2, 0.1]]
    np.testing.assert_allclose(d.to_axis("two_theta").axis, scan.axis, rtol=1e-12)
    moved = scan.to_axis("two_theta", wavelength="MoKa1")
    assert moved.wavelength == WAVELENGTHS["MoKa1"]
    np.testing.assert_allclose(moved.to_axis("d").axis, d.axis, rtol=1e-12)
    assert scan.replace(wavelength=None).to_axis("q", wavelength=1.0).wavelength == 1.0


def test_wavelength_names():
    assert set(WAVELENGTHS) >= {f"{e}Ka{i}" for e in ("Cu", "Mo", "Co", "Ag", "Cr", "Fe") for i in ("", "1", "2")}
    assert Radiation.named("Cu K-alpha1").wavelength == WAVELENGTHS["CuKa1"]
    assert Radiation.named("CUKα").lines == ((1.5405929, 1.0), (1.5444274, 0.5))
    assert WAVELENGTHS["CuKa"] == pytest.approx((2 * 1.5405929 + 1.5444274) / 3)
    assert as_radiation("1.5").wavelength == 1.5
    assert as_radiation(None) is None
    assert Radiation(0.7).lines == ((0.7, 1.0),)
    assert Radiation.doublet(1.54, 0.0).lines == ((1.54, 1.0),)
    assert Radiation.doublet(1.54, 1.544, ratio=7).lines[1] == (1.544, 0.5)
    with pytest.raises(AxisError, match="a number in angstrom or a name is needed, got list"):
        as_radiation([1.5])
    with pytest.raises(AxisError, match="Use xray, neutron or electron"):
        Radiation(1.0, probe="muon")
    again = Radiation.named("MoKa")
    assert Radiation.from_dict(again.to_dict()) == again


def test_labels():
    assert AXES["two_theta"].label == "2θ [deg]"
    assert AXES["channel"].label == "channel"
