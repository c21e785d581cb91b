"""The textbook formulas in float64, one after the other and without any shortcut: what the simulator is compared with.

Multiplicities and partial structure factors come from `Phase.reflections` (compared with other programs in
``tests/crystal``); everything after them is spelled out here once more.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from peakwise.crystal import Phase
from peakwise.patterns import Radiation
from peakwise.simulate import FRAME, SLOT, Instrument, Simulator

LN2 = math.log(2)


class Lines(NamedTuple):
    """Every line: position [deg], area, FWHM [deg] and Lorentzian share."""

    position: np.ndarray
    area: np.ndarray
    fwhm: np.ndarray
    eta: np.ndarray


def cube(a=4.0, element="Si", id="cube", b_iso=0.0):  # noqa: A002 - the name that Phase uses
    """One atom in a primitive cube: every line has a place of its own that can be worked out in the head."""
    return Phase.from_parameters(id, "Pm-3m", (a, a, a, 90, 90, 90), [(element, (0, 0, 0), 1.0, b_iso)])


def cube_at(two_theta, wavelength, **more):
    """A cube whose 100 line lies at an angle [deg]."""
    return cube(wavelength / 2 / math.sin(math.radians(two_theta / 2)), **more)


def narrow(radiation, fwhm=0.02, **changes):
    """An instrument whose lines are narrow Gaussians of one width, without polarisation unless asked for."""
    return Instrument(**({"radiation": radiation, "w": fwhm**2, "polarisation": 1.0} | changes))


def spacing(hkl, cell):
    """d [angstrom] of lattice planes, from the metric tensor."""
    a, b, c = cell[:3]
    ca, cb, cg = np.cos(np.radians(cell[3:]))
    metric = np.array(
        [[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca], [a * c * cb, b * c * ca, c * c]]
    )
    h = np.asarray(hkl, dtype=float)
    return 1 / np.sqrt(np.einsum("...i,ij,...j->...", h, np.linalg.inv(metric), h))


def volume(cell):
    """Volume [angstrom^3] of a cell."""
    ca, cb, cg = np.cos(np.radians(cell[3:]))
    return cell[0] * cell[1] * cell[2] * math.sqrt(1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg)


def bragg(d, wavelength):
    """2 theta [deg]."""
    return 2 * np.degrees(np.arcsin(wavelength / 2 / np.asarray(d)))


def lorentz_polarisation(two_theta, polarisation=0.5, monochromator=None):
    """(p + (1 - p) A cos^2 2theta) / (p + (1 - p) A) / (sin^2 theta cos theta), A = cos^2 of the monochromator."""
    t = np.radians(np.asarray(two_theta, dtype=float))
    a = 1.0 if monochromator is None else math.cos(math.radians(monochromator)) ** 2
    p = polarisation
    return (p + (1 - p) * a * np.cos(t) ** 2) / (p + (1 - p) * a) / (np.sin(t / 2) ** 2 * np.cos(t / 2))


def thompson_cox_hastings(gauss, lorentz):
    """FWHM and Lorentzian share, J. Appl. Cryst. 20 (1987) 79, equations 1 to 3 of its pseudo-Voigt."""
    c = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)
    fwhm = sum(f * gauss ** (5 - i) * lorentz**i for i, f in enumerate(c)) ** 0.2
    q = lorentz / fwhm
    return fwhm, 1.36603 * q - 0.47719 * q**2 + 0.11116 * q**3


def pseudo_voigt(x, position, area, fwhm, eta):
    """A normalised Lorentzian and a normalised Gaussian of the same FWHM."""
    t2 = (2 * (np.asarray(x) - position) / fwhm) ** 2
    lorentz = 2 / (math.pi * fwhm) / (1 + t2)
    gauss = 2 / fwhm * math.sqrt(LN2 / math.pi) * np.exp(-LN2 * t2)
    return area * (eta * lorentz + (1 - eta) * gauss)


def march_dollase(r, cosine2):
    """W = (r^2 cos^2 a + sin^2 a / r)^(-3/2)."""
    return (r * r * cosine2 + (1 - cosine2) / r) ** -1.5


def total(x, lines):
    """The direct sum of all lines."""
    y = np.zeros_like(x)
    for one in zip(*lines, strict=True):
        y += pseudo_voigt(x, *one)
    return y


def line_list(phase, tool, span, slot=None, frame=None, cosine2=None):
    """All lines of a phase whose unstrained positions lie within `span`, with the effects of two columns' names.

    `cosine2` gives cos^2 between a family and the unique axis of size and microstrain; texture is not in here.
    """
    s = dict.fromkeys(SLOT, 0.0) | {"weight": 1.0, "size_ratio": 1.0, "microstrain_ratio": 1.0} | (slot or {})
    f = dict.fromkeys(FRAME, 0.0) | {"width": 1.0} | (frame or {})
    cell = list(phase.cell)
    for i, name in enumerate("abc"):
        cell[i] *= 1 + s[f"strain_{name}"]
    for i, name in enumerate(("alpha", "beta", "gamma")):
        cell[3 + i] += s[f"shear_{name}"]
    parts = []
    shares = np.array([share for _, share in tool.radiation.lines])
    for (wavelength, _), share in zip(tool.radiation.lines, shares / shares.sum(), strict=True):
        found = phase.reflections(wavelength / 2 / math.sin(math.radians(min(span[1], 180.0) / 2)) * (1 - 1e-12))
        at = bragg(np.maximum(spacing(found.hkl, phase.cell), wavelength / 2), wavelength)
        keep = (at >= span[0]) & (at <= span[1])
        d = spacing(found.hkl[keep], cell)
        reached = d > wavelength / 2 / math.sqrt(0.99999)
        d = np.where(reached, d, wavelength / 2 * 1.001)
        light = Radiation(wavelength, probe=tool.radiation.probe)
        real, imaginary = phase.form_factors(1 / (4 * d * d), light)
        factors = real.astype(float) + 1j * np.reshape(imaginary, (len(real), -1))
        power = np.abs((factors * found.partial[:, keep]).sum(0)) ** 2
        if found.partial_friedel is not None:
            power = (power + np.abs((factors * found.partial_friedel[:, keep]).sum(0)) ** 2) / 2
        c2 = np.zeros(d.size) if cosine2 is None else cosine2(found.hkl[keep])
        one = _line(phase, tool, s, f, d, wavelength, c2)
        scale = share * s["weight"] / (phase.mass * volume(cell))
        area = one.area * found.multiplicity[keep] * power * scale * reached
        parts.append(one._replace(area=area))
    return Lines(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _line(phase, tool, s, f, d, wavelength, c2):
    """Positions, Lorentz and other factors, and widths."""
    theta = np.arcsin(wavelength / 2 / d)
    tan, cosine = np.tan(theta), np.cos(theta)
    gauss = np.sqrt(np.maximum(tool.u * tan**2 + tool.v * tan + tool.w, 0)) * f["width"]
    lorentz = (tool.x * tan + tool.y / cosine) * f["width"]
    lorentz = lorentz + np.degrees(4 * s["microstrain"] * (1 + (s["microstrain_ratio"] - 1) * c2) * tan)
    if s["size"] > 0:  # an ellipsoid of the volume of a sphere of this size
        along, across = s["size"] * 10 * s["size_ratio"] ** (2 / 3), s["size"] * 10 * s["size_ratio"] ** (-1 / 3)
        inverse = np.sqrt(c2 / along**2 + (1 - c2) / across**2)
        lorentz = lorentz + np.degrees(0.9 * wavelength * inverse / cosine)
    fwhm, eta = thompson_cox_hastings(gauss, lorentz)
    two_theta = np.degrees(2 * theta)
    area = lorentz_polarisation(two_theta, tool.polarisation, tool.monochromator)
    area = area * np.exp(-2 * s["b_extra"] / (4 * d * d)) * absorption(tool.geometry, f["absorption"], theta)
    moved = -np.degrees(2 * f["displacement"] * cosine / tool.radius + f["transparency"] * np.sin(2 * theta))
    return Lines(two_theta + f["zero"] + moved, area, fwhm, eta)


def absorption(geometry, mu, theta):
    """A thin flat sample in symmetric reflection; a capillary after Rouse, Cooper, York and Chakera (1970)."""
    if mu == 0:
        return np.ones_like(theta)
    if geometry == "reflection":
        return 1 - np.exp(-2 * mu / np.sin(theta))
    s2 = np.sin(theta) ** 2
    return np.exp(-(1.7133 - 0.0368 * s2) * mu + (0.0927 + 0.375 * s2) * mu**2)


def tables_of(simulator: Simulator, *slots, frame=None, index=0):
    """Tables of one pattern: a mapping of columns for each phase in it."""
    tables = simulator.blank(1, n_slots=len(slots), first=index)
    for i, slot in enumerate(slots):
        for name, value in ({"phase": 0, "weight": 1.0} | slot).items():
            tables.slots[0, i, SLOT[name]] = value
    for name, value in (frame or {}).items():
        tables.frames[0, FRAME[name]] = value
    return tables


def render(simulator, *slots, frame=None, scale="absolute", index=0, device="numba"):
    """One pattern as float64."""
    tables = tables_of(simulator, *(slots or ({},)), frame=frame, index=index)
    return simulator.render(tables, scale=scale, device=device)[0].astype(float)


def area(x, y, low=-math.inf, high=math.inf):
    """Integral between two positions."""
    keep = (x >= low) & (x <= high)
    return float(np.trapezoid(y[keep], x[keep]))


def fwhm_of(x, y):
    """FWHM of a single peak, by straight lines between the points at half height."""
    top = int(np.argmax(y))
    half = y[top] / 2
    left = top - int(np.argmax(y[top::-1] < half))
    right = top + int(np.argmax(y[top:] < half))

    def cross(i, j):
        return x[i] + (half - y[i]) / (y[j] - y[i]) * (x[j] - x[i])

    return cross(right - 1, right) - cross(left, left + 1)


def top_of(x, y):
    """Position of the maximum, by a parabola through the three highest points."""
    i = int(np.argmax(y))
    a, b, c = y[i - 1 : i + 2]
    return x[i] + (a - c) / (2 * (a - 2 * b + c)) * (x[1] - x[0])


def centroid(x, y):
    """First moment."""
    return float((x * y).sum() / y.sum())


def isolated(positions, gap):
    """Which of some rising positions have no other one within a gap."""
    order = np.sort(positions)
    near = np.array([b - a < gap for a, b in pairwise(order)])
    alone = ~np.concatenate(([False], near)) & ~np.concatenate((near, [False]))
    return order[alone]
