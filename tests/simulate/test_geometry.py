"""Where lines go when a sample does not sit where it should: against rays traced one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.simulate import FRAME, Instrument, Ranges, Simulator
from simulate.formulas import cube_at, narrow, render, top_of

KA1 = 1.5405929
ANGLES = [8.0, 30.0, 60.0, 90.0, 130.0]
RADIUS = 240.0


def around(two_theta):
    return (two_theta - 1.0, two_theta + 1.0, 4001)


def where_a_ray_arrives(x, y, two_theta, radius):
    """Angle [deg] on a circle around the goniometer's centre where a ray from (x, y) arrives; the beam goes along x."""
    u = np.array([math.cos(math.radians(two_theta)), math.sin(math.radians(two_theta))])
    start = np.array([x, y])
    b, c = start @ u, start @ start - radius**2
    end = start + (-b + math.sqrt(b * b - c)) * u
    return math.degrees(math.atan2(end[1], end[0]))


def seen(two_theta, tool, **frame):
    simulator = Simulator(cube_at(two_theta, KA1), around(two_theta), instrument=tool, ranges=Ranges.none(), margin=2)
    return top_of(simulator.axis, render(simulator, frame=frame))


@pytest.mark.parametrize("two_theta", ANGLES)
@pytest.mark.parametrize(("along", "across"), [(0.0, 0.4), (0.5, 0.0), (-0.3, -0.2)])
def test_a_displaced_capillary(two_theta, along, across):
    tool = narrow(KA1, geometry="transmission", radius=RADIUS)
    wanted = where_a_ray_arrives(along, across, two_theta, RADIUS)
    assert seen(two_theta, tool, displacement=across, displacement_along=along) == pytest.approx(wanted, abs=3e-4)


@pytest.mark.parametrize("two_theta", ANGLES)
@pytest.mark.parametrize("value", [-0.3, 0.2])
def test_a_displaced_flat_sample(two_theta, value):
    """The focusing circle: source and detector stand at theta on both sides, the surface lies `value` too low."""
    tool = narrow(KA1, radius=RADIUS)
    theta = math.radians(two_theta / 2)
    source = RADIUS * np.array([-math.cos(theta), math.sin(theta)])
    hit = np.array([0.0, -value])  # the ray through the centre of the beam meets the lowered surface further on
    hit[0] = value / math.tan(theta)
    incident = math.atan2(-(hit - source)[1], (hit - source)[0])
    assert incident == pytest.approx(theta, abs=1e-12)
    # Reflected at 2 theta to the beam: up again at theta. Its angle as the detector's circle tells it.
    b, c = hit @ [math.cos(theta), math.sin(theta)], hit @ hit - RADIUS**2
    end = hit + (-b + math.sqrt(b * b - c)) * np.array([math.cos(theta), math.sin(theta)])
    wanted = math.degrees(math.atan2(end[1], end[0]) + theta)
    assert seen(two_theta, tool, displacement=value) == pytest.approx(wanted, abs=1e-3)


def centre_of_an_absorbing_cylinder(mu_r, two_theta, points=401):
    """How far sideways (in radii) the mean ray leaves, every path in and out through the section traced."""
    grid = (np.arange(points) + 0.5) / points * 2 - 1
    x, y = (v[np.add.outer(grid**2, grid**2) < 1] for v in np.meshgrid(grid, grid, indexing="ij"))
    u = np.array([math.cos(math.radians(two_theta)), math.sin(math.radians(two_theta))])
    aside = y * u[0] - x * u[1]
    into = x + np.sqrt(1 - y**2)
    out = -(x * u[0] + y * u[1]) + np.sqrt(np.maximum(1 - aside**2, 0))
    weight = np.exp(-mu_r * (into + out))
    return float((weight * aside).sum() / weight.sum())


@pytest.mark.parametrize("mu_r", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("two_theta", ANGLES)
def test_an_absorbing_capillary_moves_lines_up(two_theta, mu_r):
    radius = 2.0
    tool = narrow(KA1, geometry="transmission", radius=RADIUS, capillary=radius)
    wanted = math.degrees(centre_of_an_absorbing_cylinder(mu_r, two_theta) * radius / RADIUS)
    assert wanted > 0
    largest = math.degrees(mu_r * radius / 4 / RADIUS)
    assert seen(two_theta, tool, absorption=mu_r) - two_theta == pytest.approx(wanted, abs=0.012 * largest + 2e-4)


def test_each_geometry_has_its_own_errors():
    """What belongs to the other geometry neither acts nor is drawn."""
    flat = narrow(KA1, radius=RADIUS)
    tube = narrow(KA1, geometry="transmission", radius=RADIUS)
    assert seen(60.0, flat, displacement_along=0.5) == pytest.approx(60.0, abs=2e-4)
    assert seen(60.0, tube, transparency=0.01) == pytest.approx(60.0, abs=2e-4)
    for tool, idle, acting in (
        (flat, "displacement_along", "transparency"),
        (tube, "transparency", "displacement_along"),
    ):
        drawn = Simulator(cube_at(60.0, KA1), around(60.0), instrument=tool).draw_tables(50).frames
        assert not drawn[:, FRAME[idle]].any()
        assert drawn[:, FRAME[acting]].any()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"geometry": "transmission", "transparency": 1e-3}, "give absorption .mu r. and capillary"),
        ({"displacement_along": 0.1}, "in reflection give displacement"),
        ({"geometry": "transmission", "capillary": -1.0}, "radius must not be negative, got -1"),
    ],
)
def test_what_does_not_belong_to_a_geometry_is_refused(changes, why):
    with pytest.raises(OptionError, match=why):
        Instrument(radiation=KA1, **changes)
