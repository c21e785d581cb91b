"""Which phases are in a scan: proposed from the whole library, verified by fits, answered with how sure that is."""

from __future__ import annotations

import os
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np
from sklearn.base import ClassifierMixin

from peakwise.crystal import Phase, PhaseLibrary, pack_phases, unpack_phases
from peakwise.errors import OptionError, PeakwiseError
from peakwise.estimators import _labelled as labelled
from peakwise.estimators._base import Estimator
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._structures import Asked, Structures, as_phases, ready, singles
from peakwise.matching import EFFORTS, LEAST_FALSE_ALARM
from peakwise.patterns import Radiation, check_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._explaining import PhaseExplanation
    from peakwise.estimators._identification import Identification
    from peakwise.estimators._proposer import Proposer
    from peakwise.explain import Explainer
    from peakwise.matching import PreparedScan
    from peakwise.patterns import Patterns

__all__ = ["PhaseIdentifier"]

_NOMINAL = (5.0, 90.0, 2048)  # [deg] of copper radiation: where the network looks
_DEFAULT_LIGHT = "CuKa"


@final
class PhaseIdentifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """Identify the phases of powder patterns.

    A network and a comparison with every phase propose candidates; physics decides: each is fitted to the scan with its
    cell (within the symmetry), zero shift, displacement, widths, texture and background, alone and together. The answer
    says how sure it is, how much of each phase there is, which peaks are left over, and "none of these".

    Parameters
    ----------
    max_phases : int
        Most phases in one scan.
    effort : {"quick", "normal", "thorough"}
        How many candidates are fitted (`peakwise.matching.EFFORTS`).
    network : str or None
        A network of `peakwise.networks.NETWORKS` that proposes too; None: the comparison alone.
    train_seconds : float
        How long the network is trained.
    elements : sequence of str, optional
        Only phases that consist of nothing but these elements are answered.
    without : sequence of str, optional
        No phase with one of these elements is answered.
    false_alarm : float
        "None of these" is answered for this share of scans whose phase is known, as far as they are like those of the
        calibration.
    random_state : int
    threads : int, optional
        By default as many as there are cores.
    device : {"auto", "cpu", "cuda"}
        Where the network runs.

    Attributes
    ----------
    phases_ : tuple of Phase
        What can be answered; absent after `fit` with labelled patterns.
    classes_ : ndarray
        Their ids, or the labels.

    Notes
    -----
    `fit` takes crystal structures: a `PhaseLibrary`, an iterable of `Phase`, or the path of a folder of CIFs; then
    `identify` gives whole answers, `predict` the ids, joined by ``;``. It also takes labelled patterns, as every
    classifier of scikit-learn: then a linear model on principal components answers, without physics.

    Examples
    --------
    >>> from peakwise.crystal import TEXTBOOK
    >>> from peakwise.simulate import Ranges, Simulator
    >>> phases = [TEXTBOOK[name] for name in ("Si", "NaCl", "MgO", "CeO2")]
    >>> identifier = PhaseIdentifier(network=None, max_phases=1).fit(phases)
    >>> usual = Ranges(expansion=(-0.003, 0.003))
    >>> scan = Simulator(phases[1], (20, 80, 3001), radiation="CuKa", ranges=usual).draw(1)
    >>> [found.phase for found in identifier.identify(scan)[0].phases]
    ['NaCl']
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "grid"
    task: ClassVar[str] = "identify"

    def __init__(
        self,
        max_phases: int = 3,
        effort: str = "normal",
        network: str | None = None,
        train_seconds: float = 45.0,
        elements: Sequence[str] | None = None,
        without: Sequence[str] | None = None,
        false_alarm: float = 0.05,
        random_state: int = 0,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self.max_phases = max_phases
        self.effort = effort
        self.network = network
        self.train_seconds = train_seconds
        self.elements = elements
        self.without = without
        self.false_alarm = false_alarm
        self.random_state = random_state
        self.threads = threads
        self.device = device

    # Learning

    def _fit_structures(self, X: Any) -> bool:
        phases = as_phases(X)
        if phases is None:
            return False
        self._check_options()
        self._take(phases)
        if self.network is not None:
            self.train_network()
        return True

    def _take(self, phases: Sequence[Phase]) -> None:
        self._structures = Structures(phases)
        self.__dict__.pop("weights_", None)
        self.__dict__.pop("proposer_", None)
        self.phases_: tuple[Phase, ...] = self._structures.phases
        self.classes_ = self._structures.ids
        self.grid_ = np.linspace(*_NOMINAL)
        self.kind_, self.wavelength_ = "two_theta", Radiation.named(_DEFAULT_LIGHT).wavelength
        self.n_features_in_ = self.grid_.size

    def _check_options(self) -> None:
        whole_option(self, "max_phases")
        if self.effort not in EFFORTS:
            raise option_error(self, "effort", f"one of {', '.join(EFFORTS)}", "Choose one")
        if not LEAST_FALSE_ALARM <= real_option(self, "false_alarm", or_above=False) < 1:
            raise option_error(self, "false_alarm", f"between {LEAST_FALSE_ALARM:.2g} and 1", "Give e.g. 0.05")
        if self.threads is not None:
            whole_option(self, "threads")

    def _n_threads(self) -> int:
        return int(self.threads or os.cpu_count() or 1)

    def _fit(self, patterns: Patterns, y: Any) -> None:
        self._check_options()
        self.__dict__.pop("phases_", None)
        self.weights_ = labelled.learn(patterns.intensity, y, int(self.random_state))

    # Answering

    def identify(
        self,
        X: Patterns | Sequence[Patterns],
        *,
        max_phases: int | None = None,
        effort: str | None = None,
        top: int = 10,
        curves: bool = False,
        progress: Callable[[int, int], None] | None = None,
        on_error: Callable[[int, PeakwiseError], None] | None = None,
    ) -> list[Identification]:
        """Identify the phases of scans.

        Parameters
        ----------
        X : Patterns, or a sequence of Patterns on axes of their own
            Any range, step and wavelength.
        max_phases, effort : optional
            Instead of those of the constructor.
        top : int
            How many candidates are told.
        curves : bool
            Whether the answers carry the fitted curves.
        progress : callable, optional
            Called with how many scans are done, and of how many.
        on_error : callable, optional
            Called with the number of a scan from which nothing can be told, and why; the answers are those of the
            others. Without it such a scan is an error.

        Returns
        -------
        list of Identification
            One a pattern, in order.
        """
        if not hasattr(self, "phases_"):
            why = "it was fitted on labelled patterns and knows no crystal structures"
            raise OptionError("cannot identify phases", why, "Fit it with CIFs, or use predict")
        most = self.max_phases if max_phases is None else max_phases
        given: tuple[tuple[str, Any], ...] = (("max_phases", most), ("top", top))
        for option, value in given:
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                why = f"{option} must be a whole number of at least 1, got {value!r:.80}"
                raise OptionError("cannot identify phases", why, "Give 1 or more")
        work = EFFORTS.get(effort or self.effort)
        if work is None:
            raise OptionError("cannot identify phases", f"effort must be one of {', '.join(EFFORTS)}", "Choose one")
        asked = Asked(
            max_phases=int(most), effort=work, top=top, curves=curves, false_alarm=float(self.false_alarm),
            elements=self.elements, without=self.without, threads=self._n_threads(),
        )  # fmt: skip
        return self._structures.answers(singles(X), asked, getattr(self, "proposer_", None), progress, on_error)

    def explain(
        self,
        scan: Patterns,
        phase: str | None = None,
        *,
        method: str | Explainer | None = None,
        of: Literal["network", "fit"] | None = None,
    ) -> PhaseExplanation:
        """Say which parts of a scan speak for a phase, and which against it.

        Parameters
        ----------
        scan : Patterns
            One pattern.
        phase : str, optional
            Its id; by default the first phase of the answer, or the nearest candidate where none was answered.
        method : str or Explainer, optional
            One of `peakwise.explain.EXPLANATIONS`; by default integrated gradients of a network, occlusion of a fit.
        of : {"network", "fit"}, optional
            Whose score is explained: by default that of the network where there is one. The fit decides in any case.
        """
        from peakwise.estimators._explaining import explain_phase

        return explain_phase(self, scan, self._only(scan), phase=phase, method=method, of=of)

    def map(
        self, X: Patterns | Sequence[Patterns], *, method: str = "pca", labels: Sequence[str] | None = None
    ) -> NDArray[np.float64]:
        """Draw scans as points (n, 2) in a plane, like beside like; methods: `peakwise.explain.MAPS`."""
        from peakwise.estimators._explaining import map_scans

        prepared = [ready(scan) for scan in singles(X)]
        return map_scans(self, prepared, method=method, labels=labels, random_state=int(self.random_state))

    def check_scan(self, scan: Patterns) -> None:
        """Refuse a scan from which nothing can be told, with one clear error."""
        for one in check_patterns(scan, allow_nan=True):
            ready(one)

    def _only(self, scan: Patterns) -> PreparedScan:
        if not hasattr(self, "phases_") or len(scan) != 1:
            why = f"one pattern is needed, got {len(scan)}" if hasattr(self, "phases_") else "it knows no structures"
            raise OptionError("cannot explain the answer", why, "Give scans one by one to what was fitted with CIFs")
        return ready(scan)

    def _predict(self, patterns: Patterns) -> Any:
        if not hasattr(self, "phases_"):
            return super()._predict(patterns)
        return np.array([";".join(p.phase for p in one.phases) for one in self.identify(patterns)])

    def _known(self, X: Any) -> Patterns:
        return check_patterns(X, allow_nan=True) if hasattr(self, "phases_") else super()._known(X)

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.floating]:
        if not hasattr(self, "phases_"):
            return labelled.probabilities(patterns.intensity, self.weights_)
        rows = np.zeros((len(patterns), len(self.classes_)))
        at = {name: i for i, name in enumerate(self.classes_)}
        for row, one in zip(rows, self.identify(patterns, top=len(self.classes_)), strict=True):
            for c in one.candidates:
                row[at[c.phase]] = c.probability
        return rows

    # Changing what is known, without training from nothing

    def train_network(self, *, progress: Callable[[dict[str, float]], None] | None = None) -> Self:
        """Train the network named by `network` for the phases that are known now: what `fit` does, and due after `add`.

        Parameters
        ----------
        progress : callable, optional
            Called some hundred times with a row of the history, and ``progress`` from 0 to 1 in it.
        """
        if not hasattr(self, "phases_") or self.network is None:
            why = "it knows no crystal structures" if not hasattr(self, "phases_") else "network is None"
            raise OptionError(
                "cannot train the network", why, "Choose a network and fit the identifier with CIFs first"
            )
        from peakwise.estimators._proposer import Proposer

        self.proposer_: Proposer = Proposer.train(
            self.phases_, Radiation.named(_DEFAULT_LIGHT), _NOMINAL, self.network,
            seconds=real_option(self, "train_seconds", or_above=False), mixtures=int(self.max_phases),
            random_state=int(self.random_state), threads=self._n_threads(), device=self.device, progress=progress,
        )  # fmt: skip
        return self

    def add(self, phases: Iterable[Phase]) -> Self:
        """Know more phases at once: comparison and fits do, a network learns them only in the next `fit`."""
        known = PhaseLibrary(self.phases_)
        for phase in phases:
            known.add(phase)
        return self._exchange(list(known))

    def drop(self, *ids: str) -> Self:
        """Forget phases."""
        known = PhaseLibrary(self.phases_)
        known.drop(*ids)
        return self._exchange(list(known))

    def _exchange(self, phases: list[Phase]) -> Self:
        proposer = getattr(self, "proposer_", None)
        self._take(phases)
        if proposer is not None:
            self.proposer_ = proposer.for_phases(phases)
        return self

    # Model files

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        if not hasattr(self, "phases_"):
            return {}, dict(self.weights_)
        recipe: dict[str, Any] = {
            "phases": [{"id": p.id, "sha256": p.source.sha256} for p in self.phases_],
            "physics": {"nominal_grid": list(_NOMINAL), "wavelength": self.wavelength_},
        }
        arrays: dict[str, NDArray[Any]] = {"structures": np.frombuffer(pack_phases(self.phases_), np.uint8)}
        if hasattr(self, "proposer_"):
            learned, weights = self.proposer_.to_recipe()
            recipe["learned"] = {"proposer": learned}
            arrays |= {f"proposer.{k}": v for k, v in weights.items()}
        return recipe, arrays

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        made._check_options()
        if "structures" not in arrays:
            made.weights_ = labelled.checked(arrays, len(recipe["labels"]["values"]))
            return made
        phases = unpack_phases(arrays["structures"].tobytes())
        if [p.id for p in phases] != [p["id"] for p in recipe["phases"]]:
            raise ValueError("the phases are not those of the list")
        made._take(phases)
        learned = recipe.get("learned", {}).get("proposer")
        if learned is not None:
            from peakwise.estimators._proposer import Proposer

            weights = {k.removeprefix("proposer."): v for k, v in arrays.items() if k.startswith("proposer.")}
            made.proposer_ = Proposer.from_recipe(learned, weights, phases)
        return made

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "phases_") or hasattr(self, "weights_")
