"""S_fid: do the layers, laid on a background, look as a set like the true ones? (paper, section 6; lower is better)

``FID({x_p}, {x_g})`` with ``x = x_rgb * x_a + background * (1 - x_a)``. The paper does not say which background, so it
is measured on three, and each has its name: mid grey, a chequerboard, and what truly lies behind the layer (``own``).
``s_fid`` is on grey: on its own background a halo of that background cannot be seen at all.

Beside it, because the Frechet distance of a few hundred layers is mostly bias: KID (in the form for samples that come
in pairs), the limit for endless samples, and CMMD, all on grey, with intervals from leaving out groups of photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.records import Picture
from evaluation.features.identity import ImageEncoder
from evaluation.intervals import grouped_jackknife
from evaluation.metrics.backgrounds import BACKGROUNDS, GREY, MAIN, composites
from evaluation.metrics.frechet import TooFewSamples, frechet_infinity, frechet_of_samples
from evaluation.metrics.kernels import cmmd, paired_kid
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.resize import as_batch, letterbox
from evaluation.metrics.results import Choices, Result, require_new_names

CANVAS = (GREY, GREY, GREY)
MOST_FOR_LIMIT = 500
"""Samples up to which the limit for endless samples has an interval: it takes hundreds of distances."""
Distance = Callable[[torch.Tensor, torch.Tensor], float]
Sides = tuple[torch.Tensor, torch.Tensor]
"""Features of truth and prediction, equally many rows."""


class Fidelity:
    """``reset``, ``update`` with pairs, ``compute``. Features are kept, so that parts can be computed afterwards.

    ``groups`` of the intervals; 0 leaves them out. Pairs are composited at their own size.
    """

    def __init__(
        self, encoder: ImageEncoder, cmmd_encoder: ImageEncoder | None = None, batch: int = 8, groups: int = 20
    ) -> None:
        self._encoder, self._cmmd_encoder, self._batch, self._groups = encoder, cmmd_encoder, batch, groups
        self._truths: dict[str, _Features] = {}
        self.reset()

    def reset(self, keep_truths: bool = False) -> None:
        """Forget the predictions, and the truths unless the same ones come again under the same names."""
        self._predicted: dict[str, _Features] = {}
        self._clusters: dict[str, str] = {}
        if not keep_truths:
            self._truths = {}

    def update(self, pairs: Sequence[LayerPair]) -> None:
        require_new_names(pairs, self._predicted)
        for start in range(0, len(pairs), self._batch):
            part = pairs[start : start + self._batch]
            for pair in part:
                self._clusters[pair.name] = pair.cluster
            new = [pair for pair in part if pair.name not in self._truths]
            self._truths.update(self._features(new, side=0))
            self._predicted.update(self._features(part, side=1))

    def compute(self, names: Collection[str] | None = None) -> dict[str, Result]:
        """Of all pairs or those named: ``s_fid``, also on other backgrounds, ``kid``, ``fid_infinity``, ``cmmd``."""
        chosen = [name for name in self._predicted if names is None or name in names]
        results = {"s_fid": self._result("s_fid", chosen, MAIN, frechet_of_samples)}
        for background in BACKGROUNDS:
            if background != MAIN:
                name = f"s_fid_{background}"
                results[name] = self._result(name, chosen, background, frechet_of_samples, groups=0)
        results["kid"] = self._result("kid", chosen, MAIN, paired_kid)
        affordable = None if len(chosen) <= MOST_FOR_LIMIT else 0
        results["fid_infinity"] = self._result("fid_infinity", chosen, MAIN, frechet_infinity, groups=affordable)
        if self._cmmd_encoder is not None:
            results["cmmd"] = self._result("cmmd", chosen, MAIN, cmmd, "cmmd")
        return results

    def distance(self, names: Sequence[str]) -> float | None:
        """``s_fid`` of some samples, without all that is beside it; ``None`` below two."""
        return self._result("s_fid", names, MAIN, frechet_of_samples, groups=0).value

    def compute_kid(self, names: Collection[str]) -> Result:
        """KID alone, without interval: the only one of these without bias on a small part of a benchmark."""
        chosen = [name for name in self._predicted if name in names]
        return self._result("kid", chosen, MAIN, paired_kid, groups=0)

    def _result(
        self,
        metric: str,
        names: Sequence[str],
        background: str,
        distance: Distance,
        space: str = "fidelity",
        groups: int | None = None,
    ) -> Result:
        encoder = self._encoder if space == "fidelity" or self._cmmd_encoder is None else self._cmmd_encoder
        about: dict[str, Any] = {
            "better": "lower",
            "variant": encoder.identity.variant,
            "choices": self._choices(encoder, background, metric),
        }
        have = [name for name in names if background in self._predicted[name]]
        if lost := len(names) - len(have):
            about["left_out"] = {"no_background_in_the_truth": lost}
        if len(have) < 2:
            return Result(metric, None, n=len(have), reason="under_two_samples", **about)
        truth, predicted = (
            torch.stack([features[name][background][space] for name in have])
            for features in (self._truths, self._predicted)
        )

        def estimate(index: NDArray[np.intp]) -> float:
            return distance(truth[index], predicted[index])

        clusters = [self._clusters[name] for name in have]
        count = self._groups if groups is None else groups
        try:
            if count < 2 or len(set(clusters)) < 3:
                return Result(metric, estimate(np.arange(len(have))), n=len(have), **about)
            interval = grouped_jackknife(estimate, clusters, count)
        except TooFewSamples as error:
            return Result(metric, None, n=len(have), reason=error.code, **about)
        return Result(metric, interval.estimate, n=len(have), low=interval.low, high=interval.high, **about)

    def _choices(self, encoder: ImageEncoder, background: str, metric: str) -> Choices:
        estimators = {
            "kid": "cubic kernel, unbiased for pairs: k(truth, its own prediction) left out, all samples",
            "fid_infinity": "intercept over 1/n, 8 sizes from n/4 to n, 4 seeded draws each",
            "cmmd": "Gaussian kernel of width 10 on unit vectors, biased, times 1000",
        }
        return {
            **encoder.identity.as_choices(),
            "background": background,
            "estimator": estimators.get(metric, "symmetric eigenvalues, float64, covariance with n - 1"),
            "rounding": "composites rounded to 8 bits before resizing",
            "interval": f"jackknife over {self._groups} groups of photographs",
            "batch": self._batch,
        }

    def _features(self, pairs: Sequence[LayerPair], side: int) -> dict[str, _Features]:
        """Of truths (side 0) or predictions (side 1), on every background they have."""
        found: dict[str, _Features] = {pair.name: {} for pair in pairs}
        jobs = list(_laid(pairs, side))
        features = self._encode(self._encoder, [picture for _, _, picture in jobs])
        for (name, background, _), row in zip(jobs, features, strict=True):
            found[name][background] = {"fidelity": row}
        if self._cmmd_encoder is not None:
            squares = [(name, letterbox(picture, CANVAS)) for name, background, picture in jobs if background == MAIN]
            rows = self._encode(self._cmmd_encoder, [picture for _, picture in squares])
            for (name, _), row in zip(squares, rows, strict=True):
                found[name][MAIN]["cmmd"] = row
        return found

    def _encode(self, encoder: ImageEncoder, pictures: Sequence[Picture]) -> list[torch.Tensor]:
        rows: list[torch.Tensor] = []
        for start in range(0, len(pictures), self._batch):
            batch = as_batch(pictures[start : start + self._batch], encoder.side_px)
            features = encoder(torch.from_numpy(batch)).float().cpu()
            if not bool(torch.isfinite(features).all()):
                raise ValueError(f"{encoder.identity.name} gave features that are not finite")
            rows.extend(features)
        return rows


_Features = dict[str, dict[str, torch.Tensor]]
"""Background, then space (``fidelity`` or ``cmmd``), to ``[D]`` float32."""


def _laid(pairs: Sequence[LayerPair], side: int) -> Iterator[tuple[str, str, Picture]]:
    for pair in pairs:
        for background in BACKGROUNDS:
            both = composites(pair, background)
            if both is not None:
                yield pair.name, background, both[side]
