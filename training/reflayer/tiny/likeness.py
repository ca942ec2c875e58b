"""How much every place looks like what a prompt points at, in the features of the trunk.

The colour histograms of ``prompt_features`` say which colours are the object's; this says the same of what a trained
network sees. The object's look is the mean of the features where the prompt is, and how alike a place is is the cosine
between both, after each channel was brought to mean 0 and deviation 1 over the picture.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from training.reflayer.tiny.prompt_features import FIRST_LOOK, SECOND_LOOK

_ALL = (*FIRST_LOOK, *SECOND_LOOK)
MAPS = 2
"""Per level: likeness to what is inside the prompt, and to what is outside."""


def _is_set(maps: torch.Tensor) -> torch.Tensor:
    return maps.amax((2, 3), keepdim=True) > 0


def places(maps: torch.Tensor) -> torch.Tensor:
    """Where the object is and where it is not, ``[B,2,S,S]`` weights 0..1, from the network's input maps.

    In the first look the prompt says it: a mask, else a box's middle, else the points. In the second it is what the
    first look took for visible, and what it took for neither visible nor hidden.
    """
    named = {name: maps[:, number : number + 1] for number, name in enumerate(_ALL)}
    away = named["across"] ** 2 + named["along"] ** 2
    bell = torch.exp(-8 * away)
    has_mask, has_box, has_point = (_is_set(named[name]) for name in ("mask", "box", "point"))
    in_box = torch.maximum(bell * named["box"], named["point"])
    inside = torch.where(has_point, named["point"], bell)
    inside = torch.where(has_mask, named["mask"], torch.where(has_box, in_box, inside))
    outside = torch.where(has_box, 1 - named["box"], 1 - torch.exp(-2 * away))
    outside = torch.where(has_mask, 1 - named["mask"], outside)
    is_second = named["is_second"] > 0
    inside = torch.where(is_second, named["visible"], inside)
    outside = torch.where(is_second, 1 - named["alpha"], outside)
    return torch.cat([inside, outside], 1)


def likeness(features: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """``[B,MAPS,h,w]`` in -1..1 for features ``[B,C,h,w]`` and the weights of ``places`` at any multiple of h, w."""
    features = features.float()
    spread = functional.instance_norm(features)
    unit = functional.normalize(spread, dim=1)
    height, width = features.shape[-2:]
    weight = functional.adaptive_avg_pool2d(where.float(), (height, width))
    looks = torch.einsum("bchw,bkhw->bkc", spread, weight / (weight.sum((2, 3), keepdim=True) + 1e-4))
    return torch.einsum("bchw,bkc->bkhw", unit, functional.normalize(looks, dim=2))
