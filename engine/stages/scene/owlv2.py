"""OWLv2 (Minderer, Gritsenko and Houlsby 2023, *Scaling Open-Vocabulary Object Detection*): a second opinion on
phrases, from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, box_inside, images_of, numpy
from engine.stages.roles import Found
from engine.stages.text_features import TextFeatures


class Owlv2(Network):
    needs_phrases = True

    def __init__(self, weights: str, threshold: float = 0.2, batch: int = 8, most: int = 50) -> None:
        super().__init__(weights, batch)
        self.threshold, self.most = threshold, most

    def load_from(self, place: Path) -> None:
        from transformers import Owlv2ForObjectDetection, Owlv2Processor

        self.network = self.pretrained(Owlv2ForObjectDetection, place)
        self.processor = Owlv2Processor.from_pretrained(place, local_files_only=True)
        self.texts = TextFeatures(self._read)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        wanted = [[phrase for phrase in dict.fromkeys(some) if phrase.strip()] for some in phrases]
        asked = [(picture, some) for picture, some in zip(pictures, wanted, strict=True) if some]
        answers = iter(self.in_batches(asked, self._find))
        return [next(answers) if some else [] for some in wanted]

    def _find(self, asked: Sequence[tuple[Picture, list[str]]]) -> list[list[Found]]:
        """As the library's own ``forward``, with the phrases' vectors remembered: they are its only use of texts."""
        images = self.processor.image_processor(images=images_of([p for p, _ in asked]), return_tensors="pt")
        seen, _ = self.network.image_embedder(self.on_device(images)["pixel_values"])
        patches = seen.flatten(1, 2)
        boxes = numpy(self.network.box_predictor(patches, seen))
        found = []
        for row, (picture, phrases) in enumerate(asked):
            words = torch.stack(self.texts(phrases))[None]
            logits, _ = self.network.class_predictor(patches[row : row + 1], words, None)
            found.append(self._found(picture, phrases, numpy(logits[0].float().sigmoid()), boxes[row]))
        return found

    def _read(self, phrases: Sequence[str]) -> list[torch.Tensor]:
        tokens = self.processor.tokenizer(list(phrases), padding="max_length", truncation=True, return_tensors="pt")
        read = self.network.owlv2.get_text_features(**self.on_device(tokens)).pooler_output
        return list(read / read.norm(dim=-1, keepdim=True))

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
