"""SAM 3 (Meta 2025, *Segment Anything with Concepts*): boxes and masks for phrases in one, from transformers.

Its weights are gated: without accepted terms ``fetch_weights sam3`` says so, and nothing here tries to get them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.imaging import box_of
from engine.records import Picture
from engine.stages.network import Network, images_of, numpy, sizes_of
from engine.stages.roles import Found
from engine.stages.text_features import TextFeatures


class Sam3(Network):
    """The picture is embedded once for all its phrases; these go through one by one, as memory grows with them."""

    needs_phrases = True

    def __init__(self, weights: str, threshold: float = 0.4, most: int = 50) -> None:
        super().__init__(weights)
        self.threshold, self.most = threshold, most

    def load_from(self, place: Path) -> None:
        from transformers import AutoTokenizer, Sam3ImageProcessor, Sam3Model

        self.network = self.pretrained(Sam3Model, place)
        self.processor = Sam3ImageProcessor.from_pretrained(place, local_files_only=True)
        self.tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        self.text_length = self.network.config.text_config.max_position_embeddings
        self.texts = TextFeatures(lambda phrases: [self._read(phrase) for phrase in phrases])

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        return [self._find(picture, asked) for picture, asked in zip(pictures, phrases, strict=True)]

    def _find(self, picture: Picture, phrases: Sequence[str]) -> list[Found]:
        wanted = [phrase for phrase in dict.fromkeys(phrases) if phrase.strip()]
        if not wanted:
            return []
        inputs = self.on_device(self.processor(images=images_of([picture]), return_tensors="pt"))
        seen = self.network.get_vision_features(pixel_values=inputs["pixel_values"])
        found = []
        for phrase, (features, attention_mask) in zip(wanted, self.texts(wanted), strict=True):
            outputs = self.network(vision_embeds=seen, text_embeds=features, attention_mask=attention_mask)
            (result,) = self.processor.post_process_instance_segmentation(
                outputs, threshold=self.threshold, target_sizes=sizes_of([picture])
            )
            for score, mask in zip(numpy(result["scores"]), numpy(result["masks"]), strict=True):
                mask_hw = mask.astype(bool)
                box = box_of(mask_hw)
                if box is not None:
                    found.append(Found(phrase, float(score), box, mask_hw))
        return sorted(found, key=lambda f: (-f.score, f.box, f.phrase))[: self.most]

    def _read(self, phrase: str) -> tuple[Any, torch.Tensor]:
        tokens = self.tokenizer(
            [phrase], padding="max_length", max_length=self.text_length, truncation=True, return_tensors="pt"
        ).to(self.device)
        asked = {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}
        return self.network.get_text_features(**asked, return_dict=True), tokens["attention_mask"]
