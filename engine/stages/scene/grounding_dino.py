"""Grounding DINO (Liu et al. 2023, *Marrying DINO with Grounded Pre-Training*): boxes for phrases, from transformers.

The library returns phrases put together from token hits: fragments, or two phrases merged. Here every phrase owns a
span of tokens and a box belongs to the phrase whose span answers best, so what comes back is always what was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.records import Picture
from engine.stages.network import Network, box_inside, images_of, numpy
from engine.stages.roles import Found

MOST_PHRASES = 20
"""A pass: longer lists scramble the labels, and 256 tokens are the network's limit."""
_MOST_TOKENS = 240

Span = tuple[int, int]
"""First and past-the-last token of one phrase."""


class GroundingDino(Network):
    needs_phrases = True

    def __init__(self, weights: str, threshold: float = 0.3, batch: int = 4, most: int = 50) -> None:
        super().__init__(weights, batch)
        self.threshold, self.most = threshold, most

    def load_from(self, place: Path) -> None:
        from transformers import AutoTokenizer, GroundingDinoForObjectDetection, GroundingDinoImageProcessor

        self.network = self.pretrained(GroundingDinoForObjectDetection, place)
        self.processor = GroundingDinoImageProcessor.from_pretrained(place, local_files_only=True)
        self.tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        """Pictures with many phrases take several passes; each pass may hold other phrases for each picture.

        Only pictures of one size share a pass: the backbone sees the padding of a smaller one, and what is found in a
        picture would depend on its neighbours in the batch.
        """
        found: list[list[Found]] = [[] for _ in pictures]
        passes = [
            (number, group)
            for number, asked in enumerate(phrases)
            for group in self._groups([" ".join(phrase.lower().split()) for phrase in asked])
        ]
        answers = self.in_batches(passes, partial(self._ask, pictures), alike=lambda one: pictures[one[0]].shape)
        for (number, _), boxes in zip(passes, answers, strict=True):
            found[number] += boxes
        return [sorted(boxes, key=lambda f: (-f.score, f.box, f.phrase))[: self.most] for boxes in found]

    def _groups(self, phrases: Sequence[str]) -> list[list[str]]:
        """At most ``MOST_PHRASES`` phrases and ``_MOST_TOKENS`` tokens each; each phrase once, empty ones left out."""
        groups: list[list[str]] = []
        room = 0
        for phrase in dict.fromkeys(p.replace(".", " ").strip() for p in phrases):
            length = len(self.tokenizer(phrase, add_special_tokens=False)["input_ids"]) + 1
            if not phrase or length > _MOST_TOKENS:
                continue
            if not groups or len(groups[-1]) == MOST_PHRASES or length > room:
                groups.append([])
                room = _MOST_TOKENS
            groups[-1].append(phrase)
            room -= length
        return groups

    def _ask(self, pictures: Sequence[Picture], passes: Sequence[tuple[int, list[str]]]) -> list[list[Found]]:
        shown = [pictures[number] for number, _ in passes]
        texts = [". ".join(group) + "." for _, group in passes]
        tokens = self.tokenizer(texts, padding=True, return_offsets_mapping=True, return_tensors="pt")
        offsets = tokens.pop("offset_mapping").tolist()
        inputs = self.on_device({**self.processor(images=images_of(shown), return_tensors="pt"), **tokens})
        outputs = self.network(**inputs)
        chances, boxes = numpy(outputs.logits.float().sigmoid()), numpy(outputs.pred_boxes)
        found: list[list[Found]] = [[] for _ in passes]
        for row, (number, group) in enumerate(passes):
            height, width = pictures[number].shape[:2]
            spans = spans_of(group, offsets[row])
            for chance, (cx, cy, w, h) in zip(chances[row], boxes[row], strict=True):
                phrase, score = best_phrase(chance, spans)
                box = box_inside(
                    ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height),
                    width,
                    height,
                )
                if box is not None and score > self.threshold:
                    found[row].append(Found(group[phrase], score, box))
        return found


def spans_of(phrases: Sequence[str], offsets: Sequence[Sequence[int]]) -> list[Span]:
    """Token span of each phrase in ``". ".join(phrases) + "."``, from the characters each token stands for."""
    starts = np.cumsum([0, *(len(phrase) + 2 for phrase in phrases)])
    spans = []
    for (start, following), _ in zip(pairwise(starts.tolist()), phrases, strict=True):
        inside = [k for k, (a, b) in enumerate(offsets) if b > a and a >= start and b <= following - 2]
        spans.append((inside[0], inside[-1] + 1) if inside else (0, 0))
    return spans


def best_phrase(chances: NDArray[np.float32], spans: Sequence[Span]) -> tuple[int, float]:
    """Index of the phrase whose tokens answer best on average, and the chance 0..1 of its best token.

    The mean decides because phrases share words: "red" of "red car" says nothing about "red cup". The best token is
    what the network's published thresholds are about.
    """
    means = [float(chances[a:b].mean()) if b > a else -1.0 for a, b in spans]
    best = int(np.argmax(means))
    a, b = spans[best]
    return best, float(chances[a:b].max()) if b > a else 0.0
