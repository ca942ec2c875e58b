"""SAM 2.1 (Ravi et al. 2024, *Segment Anything in Images and Videos*): masks for boxes, points, from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, images_of, in_chunks, numpy, sizes_of
from engine.stages.roles import Masks, SpatialPrompt

_NO_POINT = -10
"""The label that the network skips: prompts of one call need not have the same number of points."""


class Sam2(Network):
    """Pictures are embedded once; their prompts are decoded in chunks, three masks each."""

    def __init__(self, weights: str, batch: int = 4, prompts_at_once: int = 32) -> None:
        super().__init__(weights, batch)
        self.prompts_at_once = prompts_at_once

    def load_from(self, place: Path) -> None:
        from transformers import Sam2ImageProcessor, Sam2Model

        self.network = self.pretrained(Sam2Model, place)
        self.processor = Sam2ImageProcessor.from_pretrained(place, local_files_only=True)
        self.side = self.network.config.prompt_encoder_config.image_size

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], prompts: Sequence[Sequence[SpatialPrompt]]) -> list[list[Masks]]:
        asked = [(picture, some) for picture, some in zip(pictures, prompts, strict=True) if some]
        answers = iter(self.in_batches(asked, self._masks))
        return [next(answers) if some else [] for some in prompts]

    def _masks(self, asked: Sequence[tuple[Picture, Sequence[SpatialPrompt]]]) -> list[list[Masks]]:
        inputs = self.processor(images=images_of([picture for picture, _ in asked]), return_tensors="pt")
        embeddings = self.network.get_image_embeddings(inputs["pixel_values"].to(self.device, self.dtype))
        out: list[list[Masks]] = [[] for _ in asked]
        for row, (picture, prompts) in enumerate(asked):
            own = [level[row : row + 1] for level in embeddings]
            for some in in_chunks(prompts, self.prompts_at_once):
                out[row] += self._decode(picture, own, some)
        return out

    def _decode(
        self, picture: Picture, embeddings: list[torch.Tensor], prompts: Sequence[SpatialPrompt]
    ) -> list[Masks]:
        height, width = picture.shape[:2]
        scale = np.array([self.side / width, self.side / height], np.float32)
        outputs = self.network(image_embeddings=embeddings, multimask_output=True, **self._inputs(prompts, scale))
        (masks,) = self.processor.post_process_masks(
            [outputs.pred_masks[0].float()], original_sizes=sizes_of([picture]), binarize=True
        )
        return [Masks(m.astype(bool), q) for m, q in zip(numpy(masks), numpy(outputs.iou_scores[0]), strict=True)]

    def _inputs(self, prompts: Sequence[SpatialPrompt], scale: np.ndarray) -> dict[str, torch.Tensor]:
        """Boxes as their two corners (labels 2 and 3) before the points, which is how the network reads boxes too."""
        rows = []
        for prompt in prompts:
            points = [(*point, 1) for point in prompt.keep] + [(*point, 0) for point in prompt.remove]
            if prompt.box is not None:
                x0, y0, x1, y1 = prompt.box
                points = [(x0, y0, 2), (x1, y1, 3), *points]
            rows.append(points)
        most = max(len(row) for row in rows)
        labels = np.full((1, len(rows), most), _NO_POINT, np.int32)
        places = np.zeros((1, len(rows), most, 2), np.float32)
        for k, row in enumerate(rows):
            for j, (x, y, label) in enumerate(row):
                places[0, k, j], labels[0, k, j] = np.array([x, y], np.float32) * scale, label
        return {
            "input_points": torch.from_numpy(places).to(self.device, self.dtype),
            "input_labels": torch.from_numpy(labels).to(self.device),
        }
