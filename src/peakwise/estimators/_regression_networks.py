"""Workflows whose latent numbers and perceptron are networks: built, trained from several seeds, kept and rebuilt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from peakwise.errors import OptionError
from peakwise.estimators._regression_training import Plan, learn_networks
from peakwise.estimators._regression_workflow import Workflow, option_wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task
    from peakwise.objectives import Regression

__all__ = ["NetworkWorkflow", "latent_by_variance"]

_VARIANCE = 0.98  # of the patterns that the latent numbers should hold, as the paper chose its 30
_MOST_POINTS, _MOST_MEMBERS, _MOST_LATENT, _MOST_TARGETS = 100_000, 100, 1000, 10_000
_LEAST = 16  # points of a pattern; three convolutions with a kernel of 5 take 12 away
_AT_ONCE = 4096  # patterns that are answered together


class NetworkWorkflow(Workflow):
    """The published workflows; which of them is told by two class attributes.

    Parameters
    ----------
    n_latent : int, "pca" or mapping
        Latent numbers of a modality; "pca" for as many as principal components hold 98 % of the variance; a mapping
        names the modalities.
    loss_scaler : float, "initial" or mapping
        What the reconstruction counts beside the descriptors; "initial" makes both count alike before training.
    epochs, learning_rate, weight_decay :
        Of the training of the perceptron, and of the autoencoder where both learn together.
    autoencoder_epochs, autoencoder_rate, autoencoder_decay :
        Of the autoencoder where it learns first.
    batch : int
    widths, dropout :
        Hidden layers of the perceptron.
    members : int
        Networks trained from different seeds, whose answers are averaged; how much they differ is the spread.
    patience : int, optional
        Epochs without a lower loss on the patterns kept away after which the training ends; None for a tenth of the
        epochs.
    network, decoder : str
        Keys of ``peakwise.networks.NETWORKS`` and `DECODERS`. With conv_stack and conv, the published ones, a compiled
        training is used that is many times faster.
    network_options, decoder_options : mapping, optional
    beta : float, optional
        Makes the autoencoder variational, so that patterns can be drawn from it.
    modality_dropout : float
        How often a modality is hidden while it learns, so that one may be missing later.
    device : str
    """

    bears_missing: ClassVar[bool] = True
    needs_held: ClassVar[bool] = True
    # Whether patterns are made again, and whether the autoencoder learns first and stays as it is.
    has_decoder: ClassVar[bool]
    in_two_stages: ClassVar[bool]

    def __init__(
        self,
        n_latent: Any = 30,
        loss_scaler: Any = 3.0,
        epochs: int = 10_000,
        learning_rate: float = 1e-4,
        weight_decay: float = 1e-4,
        autoencoder_epochs: int = 500,
        autoencoder_rate: float = 1e-3,
        autoencoder_decay: float = 1e-3,
        batch: int = 32,
        widths: Sequence[int] = (64, 64, 64, 64),
        dropout: float = 0.2,
        members: int = 1,
        patience: int | None = None,
        network: str = "conv_stack",
        decoder: str = "conv",
        network_options: Mapping[str, Any] | None = None,
        decoder_options: Mapping[str, Any] | None = None,
        beta: float | None = None,
        modality_dropout: float = 0.2,
        device: str = "auto",
    ) -> None:
        self.n_latent = n_latent
        self.loss_scaler = loss_scaler
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.autoencoder_epochs = autoencoder_epochs
        self.autoencoder_rate = autoencoder_rate
        self.autoencoder_decay = autoencoder_decay
        self.batch = batch
        self.widths = widths
        self.dropout = dropout
        self.members = members
        self.patience = patience
        self.network = network
        self.decoder = decoder
        self.network_options = network_options
        self.decoder_options = decoder_options
        self.beta = beta
        self.modality_dropout = modality_dropout
        self.device = device

    # ---------- learning and answers ----------

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Train the members one after another."""
        self._check()
        names = sorted(rows)
        # A first modality named "intensity" keeps its place however others are called.
        self.told_: dict[str, Any] = {
            "names": names,
            "n_points": [int(rows[name].shape[1]) for name in names],
            "n_latent": [self._latent_of(name, rows[name]) for name in names],
            "groups": [list(group) for group in task.groups],
            "n_targets": int(targets.shape[1]),
            "loss_scaler": [self._scaler_of(name) for name in names],
        }
        data = {**_tensors(rows, names), "target": targets.astype(np.float32)}
        kept = None if held is None else {**_tensors(held[0], names), "target": held[1].astype(np.float32)}
        self._networks: list[Regression] = []
        self.history_: list[dict[str, Any]] = []
        for member in range(self.members):
            seed = task.random_state + 1009 * member
            network = self._build(seed)
            if self.loss_scaler == "initial" and self.has_decoder:
                self._balance(network, data)
            self.history_.append(learn_networks(network, data, kept, self._plan(seed, task.threads)))
            self._networks.append(network.double())  # answers must not depend on what else is asked
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """The mean over the members."""
        return np.asarray(self._every(rows).mean(axis=0))

    def spread(self, rows: Rows) -> NDArray[np.float64] | None:
        """The deviation of the members from each other; None of one alone."""
        return None if len(self._networks) == 1 else np.asarray(self._every(rows).std(axis=0, ddof=1))

    def latent(self, rows: Rows) -> NDArray[np.float64]:
        """Latent numbers of the first member, the modalities side by side."""
        patterns, _ = self._inputs(rows)
        made = [code.numpy() for code in self._networks[0].codes(patterns)]
        return np.concatenate(made, axis=1).astype(np.float64)

    def reconstruct(self, rows: Rows) -> Rows | None:
        """The patterns as the first member makes them again; None without a decoder."""
        network = self._networks[0]
        if not len(network.decoders):
            return None
        patterns, _ = self._inputs(rows)
        made = network.draw(network.codes(patterns))
        return self._named(made)

    def generate(self, n: int, random_state: int) -> tuple[Rows, NDArray[np.float64]]:
        """Patterns and their scaled targets, from latent numbers drawn from a normal distribution."""
        import torch

        network = self._networks[0]
        if network.beta is None:
            why = "only a variational model has a distribution to draw from, and beta is None"
            raise OptionError("cannot generate patterns", why, "Fit with options={'beta': 1.0}")
        rng = np.random.default_rng(random_state)
        codes = [torch.from_numpy(rng.normal(size=(n, size))) for size in network.n_latents]
        made = network.draw(codes)
        rows = self._named(made)
        return rows, self.predict(rows)

    def adapt(self, rows: Rows, targets: NDArray[np.float64], task: Task, layers: str) -> bool:
        """Train on from a few patterns, at a tenth of the rate: the last layer, or all of them."""
        names = self.told_["names"]
        if sorted(rows) != names:
            return False
        data = {**_tensors(rows, names), "target": targets.astype(np.float32)}
        for member, network in enumerate(self._networks):
            plan = self._plan(task.random_state + member, task.threads)
            learn_networks(network.float(), data, None, plan.to_adapt(layers, len(targets)))
            network.double()
        return True

    def _named(self, made: list[Any]) -> Rows:
        """Patterns that came out of the network, by the name of their modality."""
        places = zip(self.told_["names"], self.told_["n_points"], made, strict=True)
        return {name: part.numpy().astype(np.float64)[:, :size] for name, size, part in places}

    def _every(self, rows: Rows) -> NDArray[np.float64]:
        """Answers of all members (members, n, t)."""
        patterns, present = self._inputs(rows)
        n = len(patterns[0])
        made = np.empty((len(self._networks), n, self.told_["n_targets"]))
        for start in range(0, n, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            for member, network in enumerate(self._networks):
                made[member, part] = network.answer([x[part] for x in patterns], present[part]).numpy()
        return made

    def _inputs(self, rows: Rows) -> tuple[list[Any], Any]:
        import torch

        n = len(next(iter(rows.values())))
        names, points = self.told_["names"], self.told_["n_points"]
        there = [name for name in names if name in rows]
        if not there:
            why = f"one of {', '.join(names)} must be given, got {', '.join(rows)}"
            raise OptionError("cannot predict with DescriptorRegressor", why, "Name the modalities as in fit")
        patterns, present = [], torch.zeros(n, len(names))
        for place, (name, size) in enumerate(zip(names, points, strict=True)):
            patterns.append(
                torch.from_numpy(_padded(rows[name])).double()
                if name in rows
                else torch.zeros(n, max(size, _LEAST)).double()
            )
            present[:, place] = float(name in rows)
        return patterns, present

    # ---------- building ----------

    def _build(self, seed: int) -> Regression:
        from peakwise.networks import build_encoder, seeded
        from peakwise.objectives import Regression

        told = self.told_
        with seeded(seed % 2**31):
            sizes = [max(size, _LEAST) for size in told["n_points"]]
            first, *others = [build_encoder(self.network, size, self.network_options) for size in sizes]
            return Regression(
                first, others=others, n_targets=told["n_targets"], groups=[tuple(g) for g in told["groups"]],
                n_latent=told["n_latent"], decoder=self.decoder if self.has_decoder else None,
                decoder_options=self.decoder_options, loss_scaler=told["loss_scaler"], widths=list(self.widths),
                dropout=self.dropout, beta=self.beta, modality_dropout=self.modality_dropout,
            )  # fmt: skip

    def _balance(self, network: Regression, data: Mapping[str, NDArray[np.float32]]) -> None:
        """Weights with which the reconstruction of each modality counts as much as the descriptors, before training."""
        import torch

        keys = [key for key in data if key != "target"]
        patterns = [torch.from_numpy(data[key]) for key in keys]
        target = torch.from_numpy(data["target"])
        read = float(((network.answer(patterns) - target) ** 2).mean())
        again = [
            float(((m - x) ** 2).mean()) for m, x in zip(network.draw(network.codes(patterns)), patterns, strict=True)
        ]
        network.loss_scalers = self.told_["loss_scaler"] = [read / max(loss, 1e-12) for loss in again]

    def _plan(self, seed: int, threads: int) -> Plan:
        patience = max(1, self.epochs // 10) if self.patience is None else self.patience
        stage = (self.autoencoder_epochs, self.autoencoder_rate, self.autoencoder_decay)
        return Plan(
            self.epochs, self.learning_rate, self.weight_decay, self.batch, patience, seed, threads, self.device,
            stage if self.in_two_stages else None,
        )  # fmt: skip

    def _latent_of(self, name: str, rows: NDArray[np.floating]) -> int:
        value = self.n_latent.get(name, 30) if isinstance(self.n_latent, dict) else self.n_latent
        if value == "pca":
            return latent_by_variance(rows, _VARIANCE)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 1 <= value <= _MOST_LATENT:
            raise option_wrong(self, "n_latent", f"a whole number of 1 to {_MOST_LATENT}, pca, or a mapping of these")
        return int(value)

    def _scaler_of(self, name: str) -> float:
        value = self.loss_scaler.get(name, 3.0) if isinstance(self.loss_scaler, dict) else self.loss_scaler
        if value == "initial":
            return 1.0
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
            raise option_wrong(self, "loss_scaler", "a number of 0 or more, initial, or a mapping of numbers")
        return float(value)

    def _check(self) -> None:
        from peakwise.networks import DECODERS, NETWORKS

        if self.network not in NETWORKS or NETWORKS[self.network].is_sequential:
            raise option_wrong(self, "network", "a network that reads single patterns, such as conv_stack")
        if self.decoder not in DECODERS:
            raise option_wrong(self, "decoder", f"one of {', '.join(DECODERS)}")
        for name in ("epochs", "autoencoder_epochs", "batch", "members"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise option_wrong(self, name, "a whole number of at least 1")
        if self.members > _MOST_MEMBERS:
            raise option_wrong(self, "members", f"at most {_MOST_MEMBERS}")
        for name in ("learning_rate", "weight_decay", "autoencoder_rate", "autoencoder_decay"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
                raise option_wrong(self, name, "a number of at least 0 and below 1")
        if self.beta is not None and not self.has_decoder:
            raise option_wrong(self, "beta", "None where no patterns are made again")

    # ---------- files ----------

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Sizes, and the weights of all members by name."""
        arrays = {
            f"{member}.{name}": value.detach().numpy().astype(np.float32)
            for member, network in enumerate(self._networks)
            for name, value in network.state_dict().items()
        }
        return {**self.told_, "members": len(self._networks), "history": self.history_}, arrays

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Networks of these sizes with these weights."""
        import torch

        self._check()
        self.history_ = list(told["history"])
        n_members = int(told["members"])
        self.told_ = {key: told[key] for key in ("names", "n_points", "n_latent", "groups", "n_targets", "loss_scaler")}
        sizes = [*self.told_["n_points"], *self.told_["n_latent"]]
        if not 1 <= n_members <= _MOST_MEMBERS or not 1 <= self.told_["n_targets"] <= _MOST_TARGETS:
            raise ValueError(f"{n_members} networks of {self.told_['n_targets']} targets")
        if not all(isinstance(size, int) and 1 <= size <= _MOST_POINTS for size in sizes):
            raise ValueError(f"networks of {sizes} points and latent numbers")
        self._networks = [self._build(0) for _ in range(n_members)]
        for member, network in enumerate(self._networks):
            start = f"{member}."
            weights = {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
            state = network.state_dict()
            if set(state) != set(weights):
                raise ValueError("the weights are not those of the workflow")
            wrong = [n for n, w in weights.items() if state[n].shape != w.shape or not np.isfinite(w).all()]
            if wrong:
                raise ValueError(f"the weights {wrong[0]} do not fit or are not finite")
            network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
            network.double().eval()
        return self


def latent_by_variance(rows: NDArray[np.floating], share: float) -> int:
    """How many principal components hold this share of the variance of the rows.

    >>> rows = np.zeros((4, 5))
    >>> rows[:, 0], rows[:, 1] = [3, -3, 3, -3], [1, 1, -1, -1]
    >>> latent_by_variance(rows, 0.85), latent_by_variance(rows, 0.98)
    (1, 2)
    """
    centred = np.asarray(rows, dtype=np.float64) - np.mean(rows, axis=0)
    power = np.linalg.svd(centred, compute_uv=False) ** 2
    if not power.sum() > 0:
        return 1
    return int(np.searchsorted(np.cumsum(power) / power.sum(), share - 1e-12) + 1)


def _padded(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of the fewest points that the networks bear, with zeros where there is nothing."""
    short = max(0, _LEAST - rows.shape[1])
    return np.ascontiguousarray(np.pad(rows, ((0, 0), (0, short))) if short else rows, dtype=np.float32)


def _tensors(rows: Rows, names: list[str]) -> dict[str, NDArray[np.float32]]:
    """The modalities under the names of a batch."""
    return {
        "intensity" if place == 0 else f"intensity_{place}": _padded(rows[name]) for place, name in enumerate(names)
    }
