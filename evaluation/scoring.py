"""One producer against the truth: all metrics over all pairs, per board, with HPA and slices.

The protocol is fixed here and has a version; whatever changes a number changes the version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of, box_to_mask
from engine.records import LayerKind
from evaluation.features.networks import Networks, exact
from evaluation.intervals import grouped_jackknife
from evaluation.metrics.alpha import Alpha
from evaluation.metrics.completion import Completion
from evaluation.metrics.fidelity import Fidelity
from evaluation.metrics.hpa import EQUAL, Axis, Bounds, Hpa, WrongBounds, hpa
from evaluation.metrics.pairs import LayerPair, shrink
from evaluation.metrics.preservation import Preservation
from evaluation.metrics.recomposition import Recomposition
from evaluation.metrics.results import PerSample, Result, Row
from evaluation.slices import by_slice, slices_of
from evaluation.truths import VERSION, benchmark_digest, truth_digest

GREY = 128
TRIVIAL = "perfect score against a flat grey layer in the box of what is visible; s_gen 0 is a layer that adds nothing"


@dataclass(frozen=True, slots=True)
class Protocol:
    longest_px: int = 512
    """Metrics of single layers see pictures of at most this size; composites for sets are made at full size."""
    batch: int = 8
    groups: int = 20
    """Of the intervals for sets; 0 leaves them out."""

    def as_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "longest_px": self.longest_px,
            "resize": "antialiased bicubic for colour, area for alpha, nearest for the visible mask; never enlarged",
            "alpha": "mattes and edges at full size",
            "batch": self.batch,
            "intervals": "95 %, photographs drawn with replacement; for sets a jackknife over groups of photographs",
        }


@dataclass(frozen=True)
class Slice:
    dimension: str
    name: str
    n: int
    results: Mapping[str, Result]


@dataclass(frozen=True)
class Board:
    """Foreground and background are never averaged together."""

    kind: LayerKind
    names: tuple[str, ...]
    results: Mapping[str, Result]
    hpa: Hpa
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class Scores:
    boards: tuple[Board, ...]
    rows: Mapping[str, Row]
    """Sample to all its values."""
    benchmark: str
    """Digest of the truth that was scored against."""
    protocol: Protocol = field(default_factory=Protocol)


class Scorer:
    """``reset``, ``update`` with pairs in any portions, ``compute``. Keeps features and numbers, never pictures."""

    def __init__(self, networks: Networks, protocol: Protocol | None = None, has_bounds: bool = False) -> None:
        """``has_bounds``: ``compute`` will be given both boards' bounds, so the trivial layers need not be scored."""
        self.networks, self.protocol, self._has_bounds = networks, protocol or Protocol(), has_bounds
        batch = self.protocol.batch
        self._preservation = Preservation(networks.perceptual, batch)
        self._completion = Completion(networks.completion, batch)
        self._at_working_size: list[PerSample] = [self._preservation, self._completion]
        self._at_full_size: list[PerSample] = [Alpha(), Recomposition()]
        self._fidelity = Fidelity(networks.fidelity, networks.cmmd, batch, self.protocol.groups)
        self._trivial_vis = Preservation(networks.perceptual, batch)
        self._trivial_fid = Fidelity(networks.fidelity, None, batch, groups=0)
        self.reset()

    def reset(self, keep_truths: bool = False) -> None:
        """Ready for the next producer; ``keep_truths`` when it is scored on the same benchmark."""
        for metric in (*self._at_working_size, *self._at_full_size):
            metric.reset()
        self._fidelity.reset(keep_truths)
        self._kinds: dict[str, LayerKind] = {}
        self._clusters: dict[str, str] = {}
        self._slices: dict[str, dict[str, str]] = {}
        if not keep_truths:
            self._trivial_vis.reset()
            self._trivial_fid.reset()
            self._digests: dict[str, str] = {}

    def update(self, pairs: Sequence[LayerPair]) -> None:
        """Raises ``ValueError`` for a name that was seen before, for one whose truth is not the one that was kept, and
        for features that are not finite."""
        for pair in pairs:
            digest = truth_digest(pair)
            if self._digests.get(pair.name, digest) != digest:
                raise ValueError(f"{pair.name}: this is another truth than the one that was kept")
        small = [shrink(pair, self.protocol.longest_px) for pair in pairs]
        with exact():
            for metric in self._at_working_size:
                metric.update(small)
            for metric in self._at_full_size:
                metric.update(pairs)
            self._fidelity.update(pairs)
            unknown = [] if self._has_bounds else enumerate(pairs)
            new = [at for at, pair in unknown if pair.name not in self._digests]
            self._trivial_vis.update([trivial(small[at]) for at in new])
            self._trivial_fid.update([trivial(pairs[at]) for at in new])
        for pair in pairs:
            self._kinds[pair.name] = pair.kind
            self._clusters[pair.name] = pair.cluster
            self._slices[pair.name] = slices_of(pair)
            self._digests.setdefault(pair.name, truth_digest(pair))

    def compute(
        self, bounds: Mapping[str, Bounds] | None = None, weights: Mapping[str, Mapping[str, float]] | None = None
    ) -> Scores:
        """Both boards, where there are samples. ``bounds`` and ``weights`` by board; without, those of the trivial
        baseline on this very truth and a third each. Raises ``WrongBounds`` for bounds of other networks, and for
        bounds that were promised and are not given."""
        boards = []
        for kind in LayerKind:
            names = [name for name, its in self._kinds.items() if its is kind]
            if not names:
                continue
            results = self._per_sample(names) | self._fidelity.compute(set(names))
            fixed = (bounds or {}).get(kind.value) or self.trivial_bounds(kind.value, names)
            total = self._hpa(names, fixed, (weights or {}).get(kind.value) or EQUAL)
            boards.append(Board(kind, tuple(names), results, total, self._sliced(names)))
        metrics = (*self._at_working_size, *self._at_full_size)
        rows = {name: {k: v for metric in metrics for k, v in metric.rows[name].items()} for name in self._kinds}
        return Scores(tuple(boards), rows, self.benchmark(list(self._kinds)), self.protocol)

    def benchmark(self, names: Iterable[str]) -> str:
        """Digest over names and truths, in the order of the names."""
        return benchmark_digest({name: self._digests[name] for name in names})

    def trivial_bounds(self, board: str, names: Sequence[str]) -> Bounds:
        """From the perfect score to what a flat grey layer scores on the same samples.

        Where the flat layer has no score the axis ends at 1; the samples then have none either, and HPA is undefined.
        Raises ``WrongBounds`` where it scores perfectly: against a truth of grey boxes.
        """
        if self._has_bounds:
            raise WrongBounds("no_bounds", f"the trivial layers of the {board} board were not scored")
        benchmark = self.benchmark(names)
        vis = self._trivial_vis.compute(names)["s_vis"].value
        fid = self._trivial_fid.compute(names)["s_fid"].value
        return Bounds(
            version=f"trivial-{benchmark[:12]}",
            board=board,
            benchmark=benchmark,
            s_vis=Axis(0, 1.0 if vis is None else _rounded(vis)),
            s_gen=Axis(1, 0),
            s_fid=Axis(0, 1.0 if fid is None else _rounded(fid)),
            networks=self._digests_of_networks(),
            source=TRIVIAL,
        )

    def _hpa(self, names: Sequence[str], bounds: Bounds, weights: Mapping[str, float]) -> Hpa:
        """With an interval from leaving out groups of photographs, all three axes together."""

        def of(chosen: Sequence[str]) -> Hpa:
            scores = {
                "s_vis": self._preservation.mean("s_vis", chosen),
                "s_gen": self._completion.mean("s_gen", chosen),
                "s_fid": self._fidelity.distance(chosen),
            }
            return hpa(scores, bounds, weights, self._digests_of_networks())

        def estimate(index: NDArray[np.intp]) -> float:
            value = of([names[at] for at in index]).value
            return math.nan if value is None else value

        whole = of(names)
        clusters = [self._clusters[name] for name in names]
        if whole.value is None or self.protocol.groups < 2 or len(set(clusters)) < 3:
            return whole
        interval = grouped_jackknife(estimate, clusters, self.protocol.groups)
        # Not a number where a part without some group has no hidden layer left: then nothing can be said.
        if math.isnan(interval.low):
            return whole
        return replace(whole, low=interval.low, high=interval.high, without=interval.without)

    def _per_sample(self, names: Collection[str]) -> dict[str, Result]:
        results: dict[str, Result] = {}
        for metric in (*self._at_working_size, *self._at_full_size):
            results |= metric.compute(set(names))
        return results

    def _sliced(self, names: Sequence[str]) -> tuple[Slice, ...]:
        return tuple(
            Slice(dimension, name, len(inside), self._per_sample(inside) | {"kid": self._fidelity.compute_kid(inside)})
            for (dimension, name), inside in by_slice(self._slices, names).items()
        )

    def _digests_of_networks(self) -> dict[str, str]:
        identities = self.networks.identities
        axes = {"s_vis": "perceptual", "s_gen": "completion", "s_fid": "fidelity"}
        return {axis: identities[name].weights_sha256 for axis, name in axes.items()}


def _rounded(value: float) -> float:
    """To five digits, so that another machine's float32 gives the same bounds."""
    return float(f"{value:.5g}")


def trivial(pair: LayerPair) -> LayerPair:
    """The pair with a prediction that knows nothing but a box: flat grey where the visible part's box is."""
    height, width = pair.visible_hw.shape
    box = box_of(pair.visible_hw) or (0.0, 0.0, float(width), float(height))
    flat = np.full((height, width, 4), GREY, np.uint8)
    flat[..., 3] = box_to_mask(box, height, width) * np.uint8(255)
    return replace(pair, predicted_hwc=flat)


def score(
    pairs: Iterable[LayerPair],
    networks: Networks,
    protocol: Protocol | None = None,
    bounds: Mapping[str, Bounds] | None = None,
    weights: Mapping[str, Mapping[str, float]] | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Scores:
    """All pairs once through a ``Scorer``, a batch at a time. Told how many are done so far."""
    scorer = Scorer(networks, protocol, has_bounds=set(bounds or {}) >= set(LayerKind))
    portion: list[LayerPair] = []
    done = 0
    for pair in pairs:
        portion.append(pair)
        if len(portion) == scorer.protocol.batch:
            scorer.update(portion)
            done += len(portion)
            on_progress(done)
            portion = []
    if portion:
        scorer.update(portion)
        on_progress(done + len(portion))
    return scorer.compute(bounds, weights)
