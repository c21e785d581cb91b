"""The one training loop.

Plain torch: Lightning Fabric would spare some 30 lines (devices, precision, several processes) and takes seconds to
import, which every command that trains would pay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from peakwise.networks import seeded
from peakwise.objectives import evaluating
from peakwise.training._adamw import AdamW
from peakwise.training._batches import ArrayBatches, Prefetcher, as_tensors, stream_from
from peakwise.training._checkpoint import read_checkpoint, write_checkpoint
from peakwise.training._checks import Settings, choose_device, refuse
from peakwise.training._history import History
from peakwise.training._team import Team

if TYPE_CHECKING:
    import os

    from torch import Tensor

    from peakwise.objectives import Objective
    from peakwise.training._batches import Source

__all__ = ["train"]

Validate = Callable[["Objective"], "float | Mapping[str, float]"] | Iterable[Mapping[str, Any]]
Augment = Callable[[Mapping[str, "Tensor"], torch.Generator], "dict[str, Tensor]"]

_ROWS = 100  # of the history: enough for a curve


def train(
    objective: Objective,
    batches: Source,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    seconds: float | None = None,
    validate: Validate | None = None,
    validations: int = 20,
    patience: int | None = None,
    learning_rate: float = 4e-3,
    weight_decay: float = 0.01,
    warm_up: float = 0.05,
    clip: float | None = 1.0,
    precision: str = "float32",
    augment: Augment | None = None,
    device: str = "auto",
    random_state: int = 0,
    progress: Callable[[dict[str, float]], None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = True,
) -> History:
    """Train an objective in place.

    Parameters
    ----------
    objective : Objective
        Ends with the best weights (see `validate`), on the device of the training, in evaluation mode.
    batches : iterable of dict, or callable
        Dicts of tensors or arrays; or a function of the number of the first batch that gives such an iterable, so that
        a resumed training need not make the batches before. They are taken ahead of their use, in another thread.
        `ArrayBatches` makes them from arrays.
    steps, epochs, seconds : optional
        The budget; what ends first, ends the training. Epochs need batches with a length. The seconds include
        validation; the step that is on its way when they are over is finished, and validated.
    validate : callable or iterable of dict, optional
        A function of the objective that gives a score (more is better) or a mapping with a ``score``; or batches: then
        the score is minus their mean loss. Without it the last weights are kept.
    validations : int
        How many times over the budget to validate, to save a checkpoint and to look at `patience`.
    patience : int, optional
        Validations without a better score after which to stop.
    learning_rate, weight_decay : float
        Of AdamW. The rate rises in a straight line, then falls to 0 with a cosine.
    warm_up : float
        Share of the budget during which it rises.
    clip : float or None
        Largest norm of the gradient.
    precision : {"float32", "bf16"}
        bf16: multiplications in 16 bits where that is safe, weights in float32.
    augment : callable, optional
        Function of a batch on the device and a `torch.Generator`, such as a member of `AUGMENTATIONS`.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    random_state : int
        Seed of dropout and augmentation. Torch's own generators are left as they were.
    progress : callable, optional
        Called with a row of the history and ``progress`` from 0 to 1, some hundred times.
    checkpoint : path, optional
        File for where the training stands, written at each validation.
    resume : bool
        Go on from that file if it is there. With a budget in steps the weights at the end are the same as without the
        interruption; with one in seconds they depend on the clock anyway.

    Returns
    -------
    History

    Notes
    -----
    AdamW: I. Loshchilov, F. Hutter, ICLR 2019, arXiv:1711.05101; the cosine: the same, ICLR 2017, arXiv:1608.03983.
    Ctrl-C ends the training early: the best weights are kept, the history says ``interrupted``, and the checkpoint
    stays that of the last validation.
    Started by ``torchrun`` within `joined_processes`, each process trains on its own share of the batches.

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.networks import build_encoder, seeded
    >>> from peakwise.objectives import SingleLabel
    >>> label = np.arange(64) % 2
    >>> intensity = np.random.default_rng(0).random((64, 100))
    >>> intensity[label == 1, 20:30] += 1
    >>> with seeded(0):
    ...     objective = SingleLabel(build_encoder("residual", 100), n_classes=2)
    >>> history = train(objective, ArrayBatches({"intensity": intensity, "label": label}, 16), epochs=5, device="cpu")
    >>> history.steps, history.logged[-1]["loss"] < history.logged[0]["loss"]
    (20, True)
    """
    team = Team.found()
    settings = Settings(
        _steps(steps, epochs, batches, team.size), seconds, validations, patience, learning_rate, weight_decay, warm_up,
        clip, precision, random_state, team.size,
    )  # fmt: skip
    where = choose_device(device, team.place)
    if validate is not None and not callable(validate):
        validate = [as_tensors(batch, where) for batch in validate]
        if not validate:
            raise refuse("validate must hold at least one batch, got none", "Give batches, or validate=None")
    objective.to(where)
    with seeded(random_state + team.rank, where), torch.backends.cudnn.flags(benchmark=False, deterministic=True):
        run = _Run(objective, settings, where, team, validate, augment, progress, checkpoint)
        if checkpoint is not None and resume:
            run.resume()
        if not run.history.stopped:
            run.work(batches)
        run.keep_best()
    return run.history


def _steps(steps: int | None, epochs: int | None, batches: Source, processes: int) -> int | None:
    if epochs is None:
        return steps
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise refuse(f"epochs must be a whole number of 1 or more, got {epochs!r}", "Give epochs=10")
    if not isinstance(batches, ArrayBatches):
        raise refuse("epochs need ArrayBatches, got batches without a length", "Give steps or seconds")
    by_epochs = -(-epochs * len(batches) // processes)
    return by_epochs if steps is None else min(steps, by_epochs)


class _Run:
    """One training: what changes while it goes on."""

    def __init__(
        self,
        objective: Objective,
        settings: Settings,
        device: torch.device,
        team: Team,
        validate: Any,
        augment: Augment | None,
        progress: Callable[[dict[str, float]], None] | None,
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        self.objective, self.settings, self.device, self.team = objective, settings, device, team
        self.validate, self.augment, self.progress, self.checkpoint = validate, augment, progress, checkpoint
        self.model = team.wrap(objective, device)
        self.optimizer = AdamW(objective.parameters(), settings.weight_decay)
        if not self.optimizer.parameters:
            raise refuse("the objective must have parameters to train, got none", "Let some of them require gradients")
        self.generator = torch.Generator(device).manual_seed(settings.random_state + team.rank)
        self.history = History()
        self.best: dict[str, Tensor] = {}
        self.since_best = 0
        self.before = 0.0  # seconds of the runs that were interrupted
        self.start = time.monotonic()
        self.rate = 0.0
        self.sums: dict[str, Tensor] = {}
        self.n_summed = 0

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.start

    def work(self, batches: Source) -> None:
        """Step after step until something ends it."""
        stream = stream_from(batches, self.history.steps, self.team.rank, self.team.size)
        self.model.train()
        try:
            with Prefetcher(stream, self.device) as ready:
                done = self.settings.progress(self.history.steps, self.seconds)
                while not self.history.stopped:
                    done = self._advance(next(ready, None), done)
        except KeyboardInterrupt:
            # Perhaps in the middle of a step: the last checkpoint is whole, what is in memory may not be.
            self.history.stopped = "interrupted"
            self.history.seconds = self.seconds
        else:
            self._save()

    def _advance(self, batch: dict[str, Tensor] | None, done: float) -> float:
        """One step, and what is due after it; returns the share of the budget that is spent."""
        seconds, over = self.team.largest([self.seconds, float(batch is None)], self.device)
        if batch is None or over:
            self._finish("exhausted")
            return done
        self._step(batch, self.settings.rate(self.settings.progress(self.history.steps, seconds)))
        now = self.settings.progress(self.history.steps, *self.team.largest([self.seconds], self.device))
        if math.floor(now * _ROWS) > math.floor(done * _ROWS):
            self._log(now)
        if now >= 1:
            self._finish("steps" if self.history.steps == self.settings.steps else "seconds")
        elif math.floor(now * self.settings.validations) > math.floor(done * self.settings.validations):
            self._log(now)
            self._validate(now)
            if self.settings.patience is not None and self.since_best >= self.settings.patience:
                self.history.stopped = "patience"
            else:
                self._save()
        return now

    def _step(self, batch: dict[str, Tensor], rate: float) -> None:
        if self.augment is not None:
            batch = self.augment(batch, self.generator)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            parts = self.model(batch)
        self.optimizer.clear()
        parts["loss"].backward()
        if self.settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.objective.parameters(), self.settings.clip)
        self.optimizer.step(rate)
        self.rate = rate
        self.history.steps += 1
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()
        self.n_summed += 1

    def _log(self, done: float) -> None:
        """A row of means since the row before; a loss that is no number ends the training before it is saved."""
        if not self.n_summed:
            return
        means = {name: float(value) / self.n_summed for name, value in self.sums.items()}
        if not math.isfinite(means["loss"]):
            why = f"the loss must stay finite, got {means['loss']} before step {self.history.steps}"
            raise refuse(why, "Look for values in the batches that are not finite, or lower learning_rate")
        self.sums, self.n_summed = {}, 0
        row = {"step": self.history.steps, "seconds": self.seconds, "learning_rate": self.rate, **means}
        self.history.logged.append(row)
        self._tell(row, done)

    def _validate(self, done: float) -> None:
        if self.validate is None:
            return
        told = _score(self.objective, self.validate)
        told["score"] = score = self.team.told_by_first(told["score"], self.device)
        row = {"step": self.history.steps, "seconds": self.seconds, **told}
        self.history.validated.append(row)
        self._tell(row, done)
        if self.history.best_score is None or score > self.history.best_score:
            self.history.best_score, self.history.best_step, self.since_best = score, self.history.steps, 0
            self.best = {name: value.detach().clone() for name, value in self.objective.state_dict().items()}
        else:
            self.since_best += 1

    def _tell(self, row: dict[str, float], done: float) -> None:
        if self.progress is not None and self.team.rank == 0:
            self.progress({**row, "progress": done})

    def _finish(self, why: str) -> None:
        self._log(1.0)
        if not self.history.validated or self.history.validated[-1]["step"] != self.history.steps:
            self._validate(1.0)
        self.history.stopped = why

    def keep_best(self) -> None:
        """Leave the objective with its best weights, ready to answer."""
        if self.best:
            self.objective.load_state_dict(self.best)
        self.objective.eval()

    def _save(self) -> None:
        self.history.seconds = self.seconds
        if self.checkpoint is None or self.team.rank != 0:
            return
        tensors = {f"weights/{name}": value for name, value in self.objective.state_dict().items()}
        tensors |= {f"best/{name}": value for name, value in self.best.items()}
        tensors |= {f"optimizer/{name}": value for name, value in self.optimizer.state().items()}
        tensors |= {"generator/augment": self.generator.get_state(), "generator/torch": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["generator/cuda"] = torch.cuda.get_rng_state(self.device)
        told = {"settings": self._identity(), "history": self.history.to_dict(), "since_best": self.since_best}
        write_checkpoint(self.checkpoint, tensors, told)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if self.checkpoint is None:
            return
        found = read_checkpoint(self.checkpoint, self._identity())
        if found is None:
            return
        tensors, told = found
        self.objective.load_state_dict(_under(tensors, "weights/"))
        self.best = {name: value.to(self.device) for name, value in _under(tensors, "best/").items()}
        if self.device.type == "cuda" and "generator/cuda" in tensors:
            torch.cuda.set_rng_state(tensors["generator/cuda"], self.device)
        torch.set_rng_state(tensors["generator/torch"])
        if tensors["generator/augment"].numel() == self.generator.get_state().numel():
            self.generator.set_state(tensors["generator/augment"])
        self.history = History.from_dict(told["history"])
        self.optimizer.restore(_under(tensors, "optimizer/"), self.history.steps)
        self.since_best, self.before = int(told["since_best"]), self.history.seconds

    def _identity(self) -> dict[str, Any]:
        shapes = {name: list(value.shape) for name, value in self.objective.state_dict().items()}
        return {**self.settings.to_dict(), "network": shapes}


def _score(objective: Objective, validate: Any) -> dict[str, float]:
    """What the validation says, with its ``score``."""
    if callable(validate):
        with evaluating(objective):
            answer = validate(objective)
        told = {k: float(v) for k, v in answer.items()} if isinstance(answer, Mapping) else {"score": float(answer)}
        if not math.isfinite(told.get("score", math.nan)):
            why = f"validate must give a finite score, got {answer!r}"
            raise refuse(why, "Give a number, or a mapping with 'score'; more is better")
        return told
    sums: dict[str, float] = {}
    rows = 0
    with evaluating(objective):
        for batch in validate:
            n = len(next(iter(batch.values())))
            for name, value in objective(batch).items():
                sums[name] = sums.get(name, 0.0) + n * float(value)
            rows += n
    means = {name: value / rows for name, value in sums.items()}
    return {"score": -means["loss"], **means}


def _under(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, without that beginning."""
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
