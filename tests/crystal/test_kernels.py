"""The compiled loops against the same loops as plain Python, and without a place for the compiler's cache."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from crystal.structures import CIFS
from peakwise import _jit
from peakwise.crystal import Phase, _kernels, _kernels_sites
from peakwise.crystal._compile import metric, packed


@pytest.fixture
def plain(monkeypatch):
    """Both modules with `jit` doing nothing."""
    monkeypatch.setattr(_jit, "jit", lambda **_: lambda function: function)
    made = []
    for module in (_kernels, _kernels_sites):
        spec = importlib.util.spec_from_file_location(f"plain{module.__name__.rpartition('.')[2]}", module.__file__)
        copy = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(copy)
        made.append(copy)
    return SimpleNamespace(families=made[0].families, sites=made[1])


@pytest.mark.parametrize("name", ["quartz", "corundum-H", "diamond-1", "albite", "ice", "olivine"])
def test_plain_python_gives_the_same(plain, name):
    phase = Phase.from_cif(CIFS[name])
    c, ops, g = phase._compiled, packed(phase.symmetry), metric(phase.cell)
    table = np.array([(*s.xyz, s.occupancy, phase.symmetry.order // s.multiplicity) for s in phase.sites])
    beta = np.random.default_rng(1).random((len(table), 6)) * 0.001
    half = (ops.half_rotations, ops.half_translations, ops.centrings, g)
    every = (ops.rotations, ops.translations, ops.centrings, g)
    d_min = 1.6
    cases = [
        (_kernels_sites.settle_all, plain.sites.settle_all, (table[:, :3] + 1e-3, np.full(len(table), 0.05), *every)),
        (_kernels_sites.neighbours, plain.sites.neighbours, (table[:, :3], *every, 0.05)),
        (_kernels_sites.expand, plain.sites.expand, (table, beta, *half, ops.is_real)),
        (
            _kernels.families,
            plain.families,
            (c.reciprocal, 0.25 / d_min**2, int(c.cell[0] / d_min) + 1, c.operations, c.centrings, 1, c.atoms, c.groups,
             len(c.scatterers), c.is_real),
        ),
    ]  # fmt: skip
    for compiled, other, arguments in cases:
        one = compiled(*[a.copy() if isinstance(a, np.ndarray) else a for a in arguments])
        two = other(*[a.copy() if isinstance(a, np.ndarray) else a for a in arguments])
        for a, b in zip(one, two, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_without_a_place_for_its_cache(monkeypatch):
    import numba

    real = numba.njit

    def njit(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", njit)
    assert _jit.jit(fastmath=_jit.FAST)(lambda x: x + 1)(2) == 3
