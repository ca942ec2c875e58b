"""What all detectors see in a batch of pictures, on one scale and fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.box_fusion import Candidate, fuse
from engine.labels import GENERIC, Vote, canonical
from engine.records import Picture
from engine.score_calibration import Curve, calibrate
from engine.stages.roles import Agreement, Detector, Found

Sources = Sequence[tuple[str, Detector]]
"""Detectors by the name their votes and curves go under."""


def gather(
    pictures: Sequence[Picture],
    sources: Sources,
    vocabulary: Sequence[str],
    nouns: int,
    agreement: Agreement | None,
    curves: Mapping[str, Curve],
) -> list[list[Candidate]]:
    """Fused candidates of each picture, best first.

    Detectors that take phrases are asked, for each picture, for what the others named in it and for the ``nouns`` of
    ``vocabulary`` that fit it best (all of them without ``agreement``).
    """
    seen: list[list[Candidate]] = [[] for _ in pictures]
    for source, detector in sources:
        if not detector.needs_phrases:
            _add(seen, source, detector(pictures, [[] for _ in pictures]), curves)
    asking = [(source, detector) for source, detector in sources if detector.needs_phrases]
    if asking:
        fitting = fitting_nouns(pictures, vocabulary, nouns, agreement)
        phrases = [_phrases(candidates, extra) for candidates, extra in zip(seen, fitting, strict=True)]
        for source, detector in asking:
            _add(seen, source, detector(pictures, phrases), curves)
    return [fuse(candidates) for candidates in seen]


def fitting_nouns(
    pictures: Sequence[Picture], vocabulary: Sequence[str], nouns: int, agreement: Agreement | None
) -> list[list[str]]:
    """For each picture the ``nouns`` words that agree with it most, in the order of the vocabulary."""
    if agreement is None or not pictures or not vocabulary:
        return [list(vocabulary) for _ in pictures]
    cosines = agreement(pictures, [f"a photo of a {noun}" for noun in vocabulary])
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :nouns]
    return [[vocabulary[k] for k in sorted(row)] for row in best.tolist()]


def _phrases(candidates: Sequence[Candidate], extra: Sequence[str]) -> list[str]:
    named = [canonical(vote.label) for candidate in candidates for vote in candidate.votes]
    return [phrase for phrase in dict.fromkeys([*named, *extra]) if phrase != GENERIC]


def _add(
    seen: list[list[Candidate]], source: str, found: Sequence[Sequence[Found]], curves: Mapping[str, Curve]
) -> None:
    for candidates, boxes in zip(seen, found, strict=True):
        chances = calibrate([one.score for one in boxes], source, curves)
        for one, chance in zip(boxes, chances, strict=True):
            vote = Vote(canonical(one.phrase), source, chance)
            candidates.append(Candidate(one.box, chance, (vote,), one.mask_hw))
