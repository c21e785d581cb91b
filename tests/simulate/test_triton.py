"""The Triton kernels, run by Triton's interpreter on the CPU, against numba and the plain torch form.

Everything happens in one other process: the interpreter is chosen when the kernels are defined. What a GPU makes of
them is not tested here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

CODE = """
import json
import numpy as np
from peakwise.crystal import TEXTBOOK
from peakwise.simulate import FRAME, Instrument, Range, Ranges, Simulator
from peakwise.simulate._torch import render_torch

def both(simulator, tables, mode):
    c = simulator
    parts = (c._compiled, c._grid, c._optics, tables, c._bank, c.seed, mode, c.noise, "cpu")
    scale = ("absolute", "max", "counts")[mode]
    return [v.astype(float) for v in (
        simulator.render(tables, scale=scale), render_torch(*parts, kernels="triton"),
        render_torch(*parts, kernels="torch"))]

def apart(simulator, tables, mode):
    one, two, three = both(simulator, tables, mode)
    top = one.max(axis=1, keepdims=True)
    return [float((np.abs(one - two) / top).max()), float((np.abs(three - two) / top).max())]

phases = [TEXTBOOK[n] for n in ("Si", "TiO2-rutile", "gypsum")]
quiet, answer = Ranges(counts=None), {}
lab = Simulator(phases, (15, 60, 500), radiation="CuKa", random_state=5, threads=1, ranges=quiet)
answer["lab"] = apart(lab, lab.draw_tables(3, mixtures=3), 0)
answer["background"] = apart(lab, lab.draw_tables(3, mixtures=2), 1)
tube = Simulator(phases, (3, 20, 700), instrument=Instrument.synchrotron(0.4828), threads=1,
                 ranges=Ranges(counts=None, absorption=Range(0.1, 0.9)))
answer["tube"] = apart(tube, tube.draw_tables(3, mixtures=2), 1)
rough = Simulator(phases, np.sort(np.random.default_rng(1).uniform(20, 70, 333)), radiation="CuKa1", threads=1,
                  ranges=quiet)
answer["uneven grid"] = apart(rough, rough.draw_tables(2), 0)
empty = lab.blank(2)
answer["empty"] = float(np.abs(both(lab, empty, 2)[1]).max())
for kind in ("poisson", "gaussian"):
    ranges = Ranges(counts=Range(5, 3000, "log"), spike=Range(0.5, 1, share=1.0))
    loud = Simulator(phases, (15, 60, 501), radiation="CuKa", random_state=2**40 + 7, ranges=ranges, noise=kind)
    tables = loud.draw_tables(4, first=2**33)
    one, two, three = both(loud, tables, 2)
    counts = np.sqrt(tables.frames[:, FRAME["counts"], None])
    off = np.abs(one - two)
    answer[kind] = [float((one == two).mean()), float(off.max()), float((off / counts).max())]
    one, two, three = both(loud, tables, 1)
    answer[kind + " shares"] = float(np.median(np.abs(one - two)))
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def answer():
    settings = os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, env=settings)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", ["lab", "background", "tube", "uneven grid"])
def test_patterns_agree_with_numba_and_with_the_torch_form(answer, case):
    with_numba, with_torch = answer[case]
    assert with_numba < 1e-5
    assert with_torch < 1e-5


def test_patterns_without_lines_are_empty(answer):
    assert answer["empty"] == 0


def test_the_same_seed_gives_the_same_counts(answer):
    """Rounding in single precision may turn a count by one where it lies on the edge; nearly all are equal."""
    equal, most, _ = answer["poisson"]
    assert equal > 0.995
    assert most <= 1
    assert answer["poisson shares"] < 1e-6


def test_the_same_seed_gives_the_same_normal_noise(answer):
    assert answer["gaussian"][2] < 2e-3
    assert answer["gaussian shares"] < 1e-5


COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from peakwise.simulate import _triton as kernels

def size(kernel, kinds, **fixed):
    names = kernel.arg_names
    signature = {n: "constexpr" if n in fixed else kinds[n] for n in names}
    made = triton.compile(ASTSource(kernel, signature, constexprs=fixed), target=GPUTarget("cuda", 90, 32))
    return len(made.asm["cubin"])

f, d = "*fp32", "*fp64"
lines = dict(pos=d, al=f, gg=f, ag=f, kg=f, many="*i64", near=f, origins=d, halves=f, out=f, width="i32", points="i32")
assert size(kernels._profile, lines, tile=256) > 1000
noise = dict(y=f, counts=f, unit=f, keys="*i64", points="i32")
for is_gaussian in (True, False):
    assert size(kernels._count, noise, is_gaussian=is_gaussian, pairs=256) > 1000
"""


def test_the_kernels_compile_for_a_gpu():
    """Triton brings the assembler of the GPU along, so this needs none."""
    settings = os.environ | {"TRITON_DEFAULT_FP_FUSION": "1"}
    settings.pop("TRITON_INTERPRET", None)
    done = subprocess.run([sys.executable, "-W", "error", "-c", COMPILE], capture_output=True, text=True, env=settings)
    assert done.returncode == 0, done.stderr[-3000:]
