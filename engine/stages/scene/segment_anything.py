"""Segment Anything (Kirillov et al. 2023) by its authors' package, ``segment_anything.SamPredictor``.

The published checkpoints are bare state dicts whose file name says how the network is built. Here the shapes of the
tensors say it, so ViT-B, L, H and a tiny one for tests load through the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, in_chunks, numpy
from engine.stages.roles import Masks, SpatialPrompt

_DECODER_HEADS = 8
_RELATIVE = "image_encoder.blocks.{}.attn.rel_pos_h"


class SegmentAnything(Network):
    """Each picture is embedded once; its prompts are decoded in chunks, three masks each. Runs in float32."""

    def __init__(self, weights: str, prompts_at_once: int = 32) -> None:
        super().__init__(weights)
        self.prompts_at_once = prompts_at_once

    def load_from(self, place: Path) -> None:
        from segment_anything import SamPredictor

        (checkpoint,) = sorted(place.glob("*.pth"))
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network = build(state)
        network.load_state_dict(state)
        self.predictor = SamPredictor(network.to(self.device).eval())

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], prompts: Sequence[Sequence[SpatialPrompt]]) -> list[list[Masks]]:
        out: list[list[Masks]] = []
        for picture, asked in zip(pictures, prompts, strict=True):
            answers: dict[int, Masks] = {}
            if asked:
                self.predictor.set_image(np.ascontiguousarray(picture))
            for kind in sorted({_kind(prompt) for prompt in asked}):
                alike = [k for k, prompt in enumerate(asked) if _kind(prompt) == kind]
                for some in in_chunks(alike, self.prompts_at_once):
                    decoded = self._decode(picture, [asked[k] for k in some])
                    answers.update(zip(some, decoded, strict=True))
            self.predictor.reset_image()
            out.append([answers[k] for k in range(len(asked))])
        return out

    def _decode(self, picture: Picture, prompts: Sequence[SpatialPrompt]) -> list[Masks]:
        """Prompts of one kind: all with a box or none, all with the same number of points."""
        size, scale = picture.shape[:2], self.predictor.transform
        points = [[*prompt.keep, *prompt.remove] for prompt in prompts]
        labels = [[1] * len(prompt.keep) + [0] * len(prompt.remove) for prompt in prompts]
        boxes = [prompt.box for prompt in prompts if prompt.box is not None]
        inputs: dict[str, torch.Tensor | None] = {"point_coords": None, "point_labels": None, "boxes": None}
        if points[0]:
            inputs["point_coords"] = self._tensor(scale.apply_coords(np.asarray(points, np.float64), size))
            inputs["point_labels"] = torch.as_tensor(labels, device=self.device)
        if boxes:
            inputs["boxes"] = self._tensor(scale.apply_boxes(np.asarray(boxes, np.float64), size))
        masks, quality, _ = self.predictor.predict_torch(**inputs, multimask_output=True)
        return [Masks(m, q) for m, q in zip(numpy(masks), numpy(quality), strict=True)]

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=self.device)


def _kind(prompt: SpatialPrompt) -> tuple[bool, int]:
    return prompt.box is not None, len(prompt.keep) + len(prompt.remove)


def build(state: Mapping[str, torch.Tensor]) -> Any:
    """The network that a state dict belongs to, by the shapes of its tensors; weights still random."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    width, _, patch, _ = state["image_encoder.patch_embed.proj.weight"].shape
    grid = state["image_encoder.pos_embed"].shape[1]
    depth = _count(state, "image_encoder.blocks.")
    relative = [state[_RELATIVE.format(k)].shape for k in range(depth)]
    spans = [(length + 1) // 2 for length, _ in relative]
    prompt_width = state["image_encoder.neck.0.weight"].shape[0]
    layers = _count(state, "mask_decoder.transformer.layers.")
    iou_layers = _count(state, "mask_decoder.iou_prediction_head.layers.")
    return Sam(
        image_encoder=ImageEncoderViT(
            depth=depth,
            embed_dim=width,
            img_size=grid * patch,
            mlp_ratio=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0] / width,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=width // relative[0][1],
            patch_size=patch,
            qkv_bias=True,
            use_rel_pos=True,
            global_attn_indexes=tuple(k for k, span in enumerate(spans) if span == grid),
            window_size=min(spans),
            out_chans=prompt_width,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=prompt_width,
            image_embedding_size=(grid, grid),
            input_image_size=(grid * patch, grid * patch),
            mask_in_chans=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=state["mask_decoder.mask_tokens.weight"].shape[0] - 1,
            transformer=TwoWayTransformer(
                depth=layers,
                embedding_dim=prompt_width,
                mlp_dim=state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
                num_heads=_DECODER_HEADS,
            ),
            transformer_dim=prompt_width,
            iou_head_depth=iou_layers,
            iou_head_hidden_dim=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )


def _count(state: Mapping[str, torch.Tensor], prefix: str) -> int:
    """How many numbered parts follow a prefix."""
    return 1 + max(int(name[len(prefix) :].split(".")[0]) for name in state if name.startswith(prefix))
