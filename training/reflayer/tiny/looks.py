"""Both looks of the mask network at once: picture and prompt in, alpha and visible share out."""

from __future__ import annotations

import numpy as np
import torch

from engine.records import Picture, Prompt
from training.reflayer.tiny.mask_network import MaskNetwork, with_second_look
from training.reflayer.tiny.prompt_features import Floats, first_look, second_look


def second_maps(sources: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """The second look's maps ``[B,6,S,S]`` for uint8 pictures ``[B,S,S,3]`` and the first answer's logits."""
    answers = torch.sigmoid(logits.detach().float()).cpu().numpy()
    looks = [second_look(source.numpy(), *answer) for source, answer in zip(sources, answers, strict=True)]
    return torch.from_numpy(np.stack(looks))


@torch.no_grad()
def look_twice(network: MaskNetwork, source_hwc: Picture, prompt: Prompt, seed: int = 0) -> list[Floats]:
    """The answers of both passes, each ``[2,S,S]`` float 0..1: alpha, visible share. S a multiple of 16."""
    maps = torch.from_numpy(first_look(source_hwc, prompt, seed))[None]
    source = torch.from_numpy(np.ascontiguousarray(source_hwc))[None]
    seen = network.seen(maps)
    first = network(with_second_look(maps, None), seen)
    second = network(with_second_look(maps, second_maps(source, first)), seen)
    return [torch.sigmoid(logits)[0].numpy() for logits in (first, second)]
