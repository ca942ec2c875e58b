"""OWLv2 (Minderer, Gritsenko and Houlsby 2023, *Scaling Open-Vocabulary Object Detection*): a second opinion on
phrases, from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, box_inside, images_of, in_chunks, numpy
from engine.stages.roles import Found


class Owlv2(Network):
    needs_phrases = True

    def __init__(self, weights: str, threshold: float = 0.2, batch: int = 8, most: int = 50) -> None:
        super().__init__(weights)
        self.threshold, self.batch, self.most = threshold, batch, most

    def load_from(self, place: Path) -> None:
        from transformers import Owlv2ForObjectDetection, Owlv2Processor

        self.network = self.pretrained(Owlv2ForObjectDetection, place)
        self.processor = Owlv2Processor.from_pretrained(place, local_files_only=True)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        found: list[list[Found]] = [[] for _ in pictures]
        asked = [n for n, some in enumerate(phrases) if any(phrase.strip() for phrase in some)]
        for chunk in in_chunks(asked, self.batch):
            texts = [[phrase for phrase in dict.fromkeys(phrases[n]) if phrase.strip()] for n in chunk]
            inputs = self.processor(
                text=[list(some) for some in texts],
                images=images_of([pictures[n] for n in chunk]),
                truncation=True,
                return_tensors="pt",
            )
            outputs = self.network(**self.on_device(inputs))
            chances, boxes = numpy(outputs.logits.float().sigmoid()), numpy(outputs.pred_boxes)
            for row, n in enumerate(chunk):
                found[n] = self._found(pictures[n], texts[row], chances[row], boxes[row])
        return found

    def _found(self, picture: Picture, phrases: list[str], chances: np.ndarray, boxes: np.ndarray) -> list[Found]:
        """Boxes are shares of the square that the picture is padded to at its bottom and right."""
        height, width = picture.shape[:2]
        side = max(height, width)
        of_phrases = chances[:, : len(phrases)]
        best = of_phrases.argmax(axis=1)
        scores = of_phrases.max(axis=1)
        out = []
        for k in np.argsort(-scores, kind="stable")[: self.most]:
            cx, cy, w, h = (float(v) * side for v in boxes[k])
            box = box_inside((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), width, height)
            if box is not None and scores[k] > self.threshold:
                out.append(Found(phrases[best[k]], float(scores[k]), box))
        return out
