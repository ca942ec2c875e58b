"""``python -m evaluation.fit_engine``: the engine's log-odds, fitted on composites with exact truth.

Prints ``FIRST`` and ``AGAIN`` of ``engine.stages.scene.box_evidence`` (which pixel of a box is the object's) and
``HIDDEN`` of ``engine.stages.completion.by_box`` (which covered pixel is), as they stand in the code. ``HIDDEN`` is
fitted on what the scene stage with the constants in the code makes of the boxes, so run it again after changing the
others. Seeds below ``HELD_OUT`` are left to the benchmarks. Today's ``FIRST`` and ``AGAIN`` are of seeds 10000-10119,
``HIDDEN`` is of 10000-10149, with the scene constants before these.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from engine import recipes
from engine.composites.generator import Composite, compose, to_scene
from engine.composites.photographs import Photographs
from engine.imaging import box_to_mask
from engine.logit import Floats, Weights, weigh
from engine.records import Mask, Picture
from engine.stages.completion import by_box
from engine.stages.completion.hidden_region import cover_of, is_told
from engine.stages.scene import potts
from engine.stages.scene.box_evidence import Claim, first_look, second_look
from engine.stages.scene.given import Given
from engine.stages.scene.joint_cut import Params, costs, crop, groups

HELD_OUT = 3000
STRIDE = 23
"""One pixel in so many is a sample: neighbours say the same."""


@dataclass(slots=True)
class Samples:
    """Evidence per kind and the truth, one entry per sampled pixel."""

    evidence: dict[str, list[Floats]] = field(default_factory=dict)
    truth: list[Mask] = field(default_factory=list)

    def add(self, look: Mapping[str, Floats], truth_hw: Mask, among_hw: Mask) -> None:
        for name, map_hw in look.items():
            self.evidence.setdefault(name, []).append(np.asarray(map_hw[among_hw][::STRIDE], np.float32))
        self.truth.append(truth_hw[among_hw][::STRIDE])

    def weights(self) -> Weights:
        """Log-odds per unit of evidence, and ``bias``. Raises ``ValueError`` when all samples have one truth."""
        table = np.stack([np.concatenate(column) for column in self.evidence.values()], axis=1)
        spread = table.std(axis=0) + 1e-9
        fitted = LogisticRegression(max_iter=300).fit(table / spread, np.concatenate(self.truth))
        slopes = (float(value) for value in fitted.coef_[0] / spread)
        return dict(zip(self.evidence, slopes, strict=True)) | {"bias": float(fitted.intercept_[0])}


@dataclass(slots=True, eq=False)
class _Group:
    """Overlapping boxes of a composite on their crop: truth, and the answer so far."""

    picture: Picture
    claims: list[Claim]
    truths: list[Mask]
    first: list[Floats] = field(default_factory=list)
    shares: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def answer(self, evidence: list[Floats], params: Params) -> None:
        prices = potts.contrast(self.picture)
        self.shares = potts.shares(costs(self.claims, evidence), prices, params.border, params.steps)

    def again(self) -> list[dict[str, Floats]]:
        return second_look(self.picture, self.claims, self.shares, self.first)


def fit_scene(composites: Iterable[Composite], params: Params) -> tuple[Weights, Weights]:
    """Weights of the first look, and of the second at the first answers.

    At later answers the second look would learn to believe itself: fitted there, it loses objects half found.
    """
    parts = [group for made in composites for group in _groups(made, params)]
    weights = _fitted((first_look(part.picture, part.claims), part) for part in parts)
    for part in parts:
        part.first = [weigh(look, weights) for look in first_look(part.picture, part.claims)]
        part.answer(part.first, params)
    return weights, _fitted((part.again(), part) for part in parts)


def fit_hidden(composites: Iterable[Composite], params: Params) -> Weights:
    """Weights of the hidden part, for objects whose box reaches under what lies in front of them."""
    samples, stage = Samples(), Given(**asdict(params))
    for made in composites:
        scene = to_scene(made)
        stage([scene])
        truths = {id(prompt): true for prompt, true in zip(scene.given, made.layers, strict=True)}
        for instance in scene.foregrounds:
            cover = cover_of(scene, instance)
            if is_told(instance, cover):
                look = by_box.look(instance.visible_hw, cover, instance.box)
                samples.add(look, truths[id(instance.given)].layer.amodal_hw, by_box.within(cover, instance.box))
    return samples.weights()


def _groups(made: Composite, params: Params) -> Iterator[_Group]:
    shape = made.source_hwc.shape[:2]
    boxes = {k: true.box for k, true in enumerate(made.layers)}
    for keys in groups(boxes):
        claims = [Claim(boxes[k], box_to_mask(boxes[k], *shape)) for k in keys]
        window, small, small_claims = crop(made.source_hwc, claims, params)
        visible = [made.layers[k].layer.visible_hw[window].astype(np.float32) for k in keys]
        size = (small.shape[1], small.shape[0])
        yield _Group(small, small_claims, [cv2.resize(v, size, interpolation=cv2.INTER_AREA) > 0.5 for v in visible])


def _fitted(looks: Iterable[tuple[list[dict[str, Floats]], _Group]]) -> Weights:
    samples = Samples()
    for maps, part in looks:
        for look, claim, truth in zip(maps, part.claims, part.truths, strict=True):
            samples.add(look, truth, claim.possible)
    return samples.weights()


def as_code(name: str, weights: Weights) -> str:
    """``NAME: Weights = {...}``, rounded to what the fit can tell."""
    rounded = {kind: round(value, 2) for kind, value in weights.items()}
    return f"{name}: Weights = {rounded}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.fit_engine", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", default="10000-10299", metavar="FIRST-LAST")
    parser.add_argument("--size", type=int, default=384, help="side of the composites, px")
    parser.add_argument("--only", choices=("scene", "hidden"), help="fit one of the two")
    given = parser.parse_args(arguments)
    low, _, high = given.seeds.partition("-")
    seeds = range(int(low), int(high) + 1)
    if len(seeds) < 1 or seeds.start < HELD_OUT:
        parser.error(f"--seeds must start at {HELD_OUT} or later")
    photographs = Photographs.from_packages(2 * given.size)
    composites = [compose(seed, given.size, photographs) for seed in seeds]
    params = Params(**recipes.cpu().stages[1].params["given"])
    if given.only != "hidden":
        for name, weights in zip(("FIRST", "AGAIN"), fit_scene(composites, params), strict=True):
            sys.stdout.write(as_code(name, weights) + "\n")
    if given.only != "scene":
        sys.stdout.write(as_code("HIDDEN", fit_hidden(composites, params)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
