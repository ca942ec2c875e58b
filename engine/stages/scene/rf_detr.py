"""RF-DETR Seg (Robinson et al. 2025, *RF-DETR: Neural Architecture Search for Real-Time Detection Transformers*):
closed-set instances with masks, from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from engine.imaging import box_of
from engine.records import Picture
from engine.stages.network import Network, images_of, numpy, sizes_of
from engine.stages.roles import Found


class RfDetr(Network):
    """Finds the classes it was trained on (COCO's 80 in the published weights); phrases are ignored."""

    needs_phrases = False

    def __init__(self, weights: str, threshold: float = 0.4, batch: int = 16, most: int = 50) -> None:
        super().__init__(weights, batch)
        self.threshold, self.most = threshold, most

    def load_from(self, place: Path) -> None:
        from transformers import RfDetrForInstanceSegmentation, RfDetrImageProcessor

        self.network = self.pretrained(RfDetrForInstanceSegmentation, place)
        self.processor = RfDetrImageProcessor.from_pretrained(place, local_files_only=True)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        return self.in_batches(pictures, self._find)

    def _find(self, pictures: Sequence[Picture]) -> list[list[Found]]:
        inputs = self.on_device(self.processor(images=images_of(pictures), return_tensors="pt"))
        results = self.processor.post_process_instance_segmentation(
            self.network(**inputs),
            threshold=self.threshold,
            target_sizes=sizes_of(pictures),
            return_binary_maps=True,
            top_k=self.most,
        )
        return [self._found(result) for result in results]

    def _found(self, result: dict) -> list[Found]:
        names = self.network.config.id2label
        out = []
        for info, mask in zip(result["segments_info"], numpy(result["segmentation"]), strict=False):
            mask_hw = mask.astype(bool)
            box = box_of(mask_hw)
            if box is not None:
                label = names.get(int(info["label_id"]), str(info["label_id"]))
                out.append(Found(label, float(info["score"]), box, mask_hw))
        return out
