"""A map of patterns: a few numbers for each, what comes back from them, and where known phases lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import TransformerMixin

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators._base import Estimator
from peakwise.estimators._conditions import Conditions, check_names, columns
from peakwise.estimators._latent_network import Compression, LatentNetwork, batches_of, network_rows
from peakwise.estimators._on_the_fly import OnTheFly, on_the_fly
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._regions import CLASSIFIERS, Regions, region_grid
from peakwise.estimators._structures import as_phases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from peakwise.patterns import Patterns

__all__ = ["LatentMap"]

_EPOCH = 100  # batches that count as an epoch where patterns are simulated while the networks learn
_PLACED = (2000, 100)  # simulated patterns that are placed on the map: at least, and of each phase


@final
class LatentMap(TransformerMixin, Estimator):  # type: ignore[misc]
    """Learn a map on which patterns that are alike lie together, and from which they can be made again.

    A variational autoencoder, conditional where a condition such as the composition is known. How badly a pattern
    comes back tells whether it is like those that were learned; `NoveltyDetector` makes an alarm of that. With labels
    the map has regions, and `predict` names them. Fitted with a ``peakwise.simulate.Simulator`` instead of patterns, it
    learns from patterns that are simulated meanwhile, none of them twice; their phases are the labels.

    Parameters
    ----------
    n_latent : int
        Numbers for each pattern; 2 make a map.
    network : str
        A key of ``peakwise.networks.NETWORKS``; dense is the published one, conv_stack convolutional.
    decoder : str
        A key of ``peakwise.networks.DECODERS``.
    condition : sequence of str, optional
        Columns of ``patterns.meta`` that are joined to the patterns: elements of a composition, a temperature. Of a
        simulator: elements, as shares of the atoms of each phase.
    members : int
        Networks that are trained from different seeds; regions and errors are averaged over them.
    classifier : str
        Of the regions: neighbours (15 nearest) or bayes (Gaussian naive Bayes on latent numbers and condition).
    joint : bool
        Whether the networks learn the labels, too.
    beta : float
        What the divergence from a normal distribution counts.
    annealing : int
        Batches over which beta rises from 0.
    epochs : int
        Of a simulator, 100 batches of 128 patterns are one.
    minutes : float, optional
        Most time for training [min]; numbers then depend on the machine.
    random_state : int
    threads : int, optional
    device : str
        auto, cpu or cuda.

    Attributes
    ----------
    classes_ : ndarray
        The labels, if there were any.
    latent_ : ndarray of shape (n, n_latent)
        Of the patterns of `fit`.
    labels_ : ndarray of shape (n,)
        Of the patterns of `fit`, if there were any.
    history_ : list of dict

    Notes
    -----
    L. Banko, P. M. Maffettone, D. Naujoks, D. Olds, A. Ludwig, npj Comput. Mater. 7, 104 (2021).

    Examples
    --------
    >>> x = np.linspace(10, 50, 100)
    >>> lines = lambda *at: sum(np.exp(-(((x - a) / 0.8) ** 2)) for a in at)
    >>> rng = np.random.default_rng(0)
    >>> known = [lines(20, 31), lines(25, 40)] * 50 + 0.02 * rng.random((100, 100))
    >>> model = LatentMap(epochs=400, threads=1).fit(known, ["a", "b"] * 50)
    >>> model.predict([lines(20, 31), lines(25, 40)]).tolist(), model.transform(known).shape
    (['a', 'b'], (100, 2))
    >>> familiar, strange = model.errors([lines(20, 31), lines(14, 46)])
    >>> bool(strange > 5 * familiar)
    True
    """

    task: ClassVar[str] = "cluster"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(
        self,
        n_latent: int = 2,
        network: str = "dense",
        decoder: str = "dense",
        condition: Sequence[str] | None = None,
        members: int = 1,
        classifier: str = "neighbours",
        joint: bool = False,
        beta: float = 1.0,
        annealing: int = 0,
        epochs: int = 30,
        minutes: float | None = None,
        random_state: int = 0,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self.n_latent = n_latent
        self.network = network
        self.decoder = decoder
        self.condition = condition
        self.members = members
        self.classifier = classifier
        self.joint = joint
        self.beta = beta
        self.annealing = annealing
        self.epochs = epochs
        self.minutes = minutes
        self.random_state = random_state
        self.threads = threads
        self.device = device

    def _fit(self, patterns: Patterns, y: Any) -> None:
        names = self._check_options()
        self._conditions = Conditions.learn(names, columns(names, patterns)) if names else None
        rows, condition = network_rows(patterns.intensity), self._condition(patterns)
        codes = self._learn_labels(patterns, y)
        more: dict[str, NDArray[Any]] = {} if condition is None else {"condition": condition}
        if self.joint and codes is not None:
            more["label"] = codes.astype(np.int64)
        self._train(batches_of(rows, int(self.random_state), **more), rows.shape[1], epochs=int(self.epochs))
        self._place(rows, condition, codes)

    def _fit_structures(self, X: Any) -> bool:
        if as_phases(X) is not None:
            why = "it learns from patterns, got structures"
            raise OptionError("cannot fit LatentMap", why, "Give peakwise.simulate.Simulator(phases, grid)")
        made = on_the_fly(X, self._check_options())
        if made is not None:
            self._fit_simulated(made)
        return made is not None

    def _fit_simulated(self, known: OnTheFly) -> None:
        self.classes_, self._conditions = known.ids, known.conditions
        batches = known.batches(network_rows, labels=self.joint)
        self._train(batches, known.simulator.axis.size, steps=_EPOCH * int(self.epochs))
        placed = known.draw(max(_PLACED[0], _PLACED[1] * len(self.classes_)))
        self.grid_, self.kind_ = np.array(placed.axis), placed.kind
        self.wavelength_, self.n_features_in_ = placed.wavelength, placed.n_points
        codes = np.searchsorted(self.classes_, placed.meta["phases"].astype(str))
        self._place(network_rows(placed.intensity), self._condition(placed), np.asarray(codes))

    def _train(self, batches: Any, n_points: int, *, epochs: int | None = None, steps: int | None = None) -> None:
        n_classes = int(self.classes_.size) if self.joint and hasattr(self, "classes_") else 0
        if self.joint and not n_classes:
            why = "joint learns labels, and there are none"
            raise PatternsError("cannot fit LatentMap", why, "Give y, or joint=False")
        seed = int(self.random_state)
        self._network = LatentNetwork.blank(self._kind(n_classes), n_points, seed).learn(
            batches, epochs=epochs, steps=steps, random_state=seed, threads=self.threads,
            seconds=None if self.minutes is None else 60 * float(self.minutes), device=self.device,
        )  # fmt: skip
        self.history_ = self._network.history

    def _place(
        self, rows: NDArray[np.float32], condition: NDArray[np.float32] | None, codes: NDArray[np.intp] | None
    ) -> None:
        """Where what was learned lies, and the regions."""
        every = [self._network.code(rows, condition, member)[0] for member in range(len(self._network.objectives))]
        self.latent_ = every[0]
        self._regions = None
        if codes is not None:
            self.labels_ = self.classes_[codes]
            self._regions = [Regions.learn(self.classifier, _joined(z, condition), codes) for z in every]

    # ---------- answers ----------

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Place of each pattern on the map of the first network: (n, n_latent).

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        patterns = self._known(X)
        found = self._network.code(network_rows(patterns.intensity), self._condition(patterns))[0]
        return np.asarray(found, dtype=patterns.intensity.dtype)

    def inverse_transform(self, X: ArrayLike, condition: ArrayLike | None = None) -> NDArray[np.float32]:
        """Patterns of places on the map of the first network, the largest intensity about 1: (n, m).

        Parameters
        ----------
        X : array-like of shape (n, n_latent)
        condition : array-like of shape (n, n_conditions), optional
        """
        places = np.asarray(X, dtype=np.float32)
        if places.ndim != 2 or places.shape[1] != self.n_latent or not np.isfinite(places).all():
            why = f"places must be finite numbers of shape (n, {self.n_latent}), got shape {places.shape}"
            raise OptionError("cannot make patterns", why, "Give places on the map")
        given = None if self._conditions is None else self._conditions.scaled(_numbers(condition), len(places))
        return self._network.decode(places, given)

    def reconstruct(self, X: Any) -> NDArray[np.float32]:
        """Patterns as they come back, the mean over the networks, in the units of X: (n, m).

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        patterns = self._known(X)
        made = self._network.reconstruct(network_rows(patterns.intensity), self._condition(patterns)).mean(axis=0)
        low = patterns.intensity.min(axis=1, keepdims=True)
        return np.asarray(low + made * (patterns.intensity.max(axis=1, keepdims=True) - low), dtype=np.float32)

    def errors(self, X: Any) -> NDArray[np.float64]:
        """How badly each pattern comes back: mean square, the largest intensity 1, the mean over the networks (n,).

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        rows, condition = self._rows(X)
        made = self._network.reconstruct(rows, condition)
        return np.asarray(((made - rows[None]) ** 2).mean(axis=2).mean(axis=0), dtype=np.float64)

    def regions(self, n: int = 100, margin: float = 0.1) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
        """The regions of the labels on a map of two numbers: x (n,), y (n,), number of the label (n, n), rows along y.

        Parameters
        ----------
        n : int
        margin : float
            Share of the range that is added on each side.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        if self._regions is None or self.latent_.shape[1] != 2 or self.condition:
            why = "regions need labels, two latent numbers and no condition"
            raise OptionError("cannot draw regions", why, "Fit LatentMap(n_latent=2) with y")
        return region_grid(self._regions[0], self.latent_, n, margin)

    def _predict(self, patterns: Patterns) -> Any:
        told = self._predict_proba(patterns)  # refuses where there are no labels
        return self.classes_[told.argmax(axis=1)]

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.float64]:
        if self._regions is None:
            why = "it was fitted without labels"
            raise PatternsError("cannot name phases with LatentMap", why, "Fit it with y, or ask for errors")
        rows, condition = network_rows(patterns.intensity), self._condition(patterns)
        told = [
            region.probabilities(_joined(self._network.code(rows, condition, member)[0], condition))
            for member, region in enumerate(self._regions)
        ]
        return np.asarray(np.mean(told, axis=0))

    # ---------- labels and conditions ----------

    def _learn_labels(self, patterns: Patterns, y: Any) -> NDArray[np.intp] | None:
        self.__dict__.pop("classes_", None)
        labels = patterns.meta.get("phases") if y is None else y
        if labels is None:
            return None
        names = np.asarray(labels)
        if names.shape != (len(patterns),) or names.dtype.kind not in "USOiubf":
            why = f"y must hold a label for each of {len(patterns)} patterns, got shape {names.shape}"
            raise PatternsError("cannot fit LatentMap", why, "Give a label per pattern")
        if names.dtype.kind == "f" and not np.isfinite(names).all():
            why = "y must be finite, got NaN or infinity (Input y contains NaN)"
            raise PatternsError("cannot fit LatentMap", why, "Give a label per pattern")
        names = names.astype(str) if names.dtype.kind == "O" else names
        self.classes_, codes = np.unique(names, return_inverse=True)
        return np.asarray(codes)

    def _rows(self, X: Any) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        patterns = self._known(X)
        return network_rows(patterns.intensity), self._condition(patterns)

    def _condition(self, patterns: Patterns) -> NDArray[np.float32] | None:
        """The condition of each pattern, each number 0 to 1 over what was learned."""
        return None if self._conditions is None else self._conditions.of(patterns)

    # ---------- options and files ----------

    def _check_options(self) -> tuple[str, ...]:
        """Refuse options that cannot be; return the names of the conditions."""
        from peakwise.networks import DECODERS, NETWORKS

        for name, known in (("network", NETWORKS), ("decoder", DECODERS), ("classifier", CLASSIFIERS)):
            if getattr(self, name) not in known:
                raise option_error(self, name, f"one of {', '.join(known)}", "Choose one")
        if NETWORKS[self.network].is_sequential:
            raise option_error(self, "network", "one that reads single patterns", "Choose dense")
        for name, least in (("n_latent", 1), ("members", 1), ("epochs", 1), ("annealing", 0), ("random_state", 0)):
            whole_option(self, name, least)
        real_option(self, "beta")
        if self.minutes is not None:
            real_option(self, "minutes", or_above=False)
        if self.threads is not None:
            whole_option(self, "threads")
        return check_names(self)

    def _kind(self, n_classes: int) -> Compression:
        return Compression(
            int(self.n_latent), self.network, self.decoder, len(self.condition or ()), n_classes, float(self.beta),
            int(self.annealing), int(self.members),
        )  # fmt: skip

    def _trial(self) -> Patterns:
        made = super()._trial()
        return made if self._conditions is None else made.replace(meta=self._conditions.least(2))

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        n_classes = self._network.kind.n_classes
        arrays: dict[str, NDArray[Any]] = {f"network.{k}": v for k, v in self._network.to_arrays().items()}
        arrays["latent"] = self.latent_
        if self._conditions is not None:
            arrays["condition_range"] = self._conditions.ends
        for number, region in enumerate(self._regions or []):
            arrays |= {f"regions.{number}.{k}": v for k, v in region.to_arrays().items()}
        if self._regions is not None:
            arrays["codes"] = np.searchsorted(self.classes_, self.labels_)
        return {"history": self.history_, "learned": {"joint_classes": n_classes}}, arrays

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        conditions = made._check_options()
        n_points = int(np.asarray(arrays["grid"]).size)
        n_classes = int(recipe["learned"]["joint_classes"])
        if not 0 <= n_classes <= 100_000:
            raise ValueError(f"{n_classes} classes")
        kind = made._kind(n_classes)
        weights = {k.removeprefix("network."): v for k, v in arrays.items() if k.startswith("network.")}
        made._network = LatentNetwork.from_arrays(kind, n_points, weights, list(recipe.get("history", [])))
        made.history_ = made._network.history
        made.latent_ = np.asarray(arrays["latent"], np.float32)
        if made.latent_.ndim != 2 or made.latent_.shape[1] != kind.n_latent or not np.isfinite(made.latent_).all():
            raise ValueError("places that are not on the map")
        made._conditions = Conditions.from_array(conditions, arrays["condition_range"]) if conditions else None
        made._regions = None
        if "labels" in recipe:
            names = np.array(recipe["labels"]["values"])
            codes = np.asarray(arrays["codes"], np.intp)
            if codes.shape != (len(made.latent_),) or codes.min() < 0 or codes.max() >= names.size:
                raise ValueError("labels that are not those of the map")
            made.labels_ = names[codes]
            made._regions = [
                Regions.from_arrays(
                    made.classifier, kind.n_latent + kind.n_conditions, names.size,
                    {k.removeprefix(f"regions.{i}."): v for k, v in arrays.items() if k.startswith(f"regions.{i}.")},
                )
                for i in range(kind.members)
            ]  # fmt: skip
        return made


def _numbers(condition: ArrayLike | None) -> NDArray[np.float64]:
    return np.zeros((0, 0)) if condition is None else np.asarray(condition, dtype=np.float64)


def _joined(latent: NDArray[np.float32], condition: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return latent if condition is None else np.concatenate([latent, condition], axis=1)
