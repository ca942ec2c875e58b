"""Qwen-VL in this process (Qwen2.5-VL, Bai et al. 2025; Qwen3-VL, Qwen team 2025), from transformers.

For throughput put the same weights behind vLLM and use ``engine.language.endpoint``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.language.coordinates import convention_of
from engine.stages.network import Network, images_of
from engine.stages.roles import Answer, Question


class QwenVL(Network):
    """``convention`` follows from the weights, so it is known once they are read: each generation writes boxes in its
    own way."""

    convention: str

    def __init__(
        self, weights: str, batch: int = 4, most_tokens: int = 1024, longest_pixels: int = 1024 * 1024
    ) -> None:
        super().__init__(weights, batch)
        self.most_tokens, self.longest_pixels = most_tokens, longest_pixels

    def load_from(self, place: Path) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.network = self.pretrained(AutoModelForImageTextToText, place)
        self.processor = AutoProcessor.from_pretrained(place, local_files_only=True)
        self.processor.tokenizer.padding_side = "left"
        self.convention = convention_of(self.network.config.model_type)
        least = self.processor.image_processor.size["shortest_edge"]
        self.size = {"shortest_edge": least, "longest_edge": max(least, self.longest_pixels)}

    @torch.inference_mode()
    def __call__(self, questions: Sequence[Question]) -> list[Answer]:
        return self.in_batches(questions, self._ask)

    def _ask(self, questions: Sequence[Question]) -> list[Answer]:
        images = [images_of(question.pictures) for question in questions]
        texts = [self._turn(question) for question in questions]
        pictures = [image for some in images for image in some]
        inputs = self.on_device(
            self.processor(
                text=texts,
                images=pictures or None,
                padding=True,
                return_tensors="pt",
                images_kwargs={"size": self.size},
            )
        )
        read = inputs["input_ids"].shape[1]
        written = self.network.generate(**inputs, max_new_tokens=self.most_tokens, do_sample=False)[:, read:]
        said = self.processor.tokenizer.batch_decode(written, skip_special_tokens=True)
        grids = inputs["image_grid_thw"].tolist() if pictures else []
        patch = self.processor.image_processor.patch_size
        sizes = iter([(wide * patch, high * patch) for _, high, wide in grids])
        end = self.processor.tokenizer.pad_token_id
        return [
            Answer(
                text,
                tokens=int(inputs["attention_mask"][k].sum()) + int((written[k] != end).sum()),
                shown=tuple(next(sizes) for _ in images[k]),
            )
            for k, text in enumerate(said)
        ]

    def _turn(self, question: Question) -> str:
        content: list[dict[str, Any]] = [{"type": "image"} for _ in question.pictures]
        content.append({"type": "text", "text": question.text})
        turn = [{"role": "user", "content": content}]
        return str(self.processor.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))
