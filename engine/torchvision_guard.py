"""Makes torchvision importable beside a CPU build of torch: ``install()`` once, before ``import torchvision``.

The registry's torchvision is compiled against CUDA. Beside a torch without CUDA its library of operators does not
load, and the import then stops at "operator torchvision::nms does not exist", taking lpips, open_clip,
segment_anything and parts of transformers with it. Here the two operators that the import asks for are declared,
``nms`` with a CPU version in plain torch. Beside a CUDA torch nothing is done. What stays missing: torchvision's own
image decoding, deformable convolution and ``roi_pool``; nothing in this project calls them.
"""

from __future__ import annotations

from functools import lru_cache

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Indices of the kept boxes, best score first; ``boxes`` (N, 4) as x0, y0, x1, y1, ``scores`` (N,).

    The contract of ``torchvision.ops.nms``: a box goes when its IoU with a kept, better one is above the threshold.
    """
    order = scores.sort(descending=True, stable=True).indices
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    kept = []
    while order.numel():
        best, order = order[0], order[1:]
        kept.append(best)
        corner_min = torch.maximum(boxes[best, :2], boxes[order, :2])
        corner_max = torch.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (corner_max - corner_min).clamp(min=0).prod(dim=1)
        order = order[shared <= iou_threshold * (areas[best] + areas[order] - shared)]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.long)


@lru_cache(maxsize=1)
def install() -> torch.library.Library | None:
    """Declare the operators; ``None`` where torch has CUDA and torchvision brings its own. Again changes nothing.

    The cache keeps the library alive: torch forgets the operators with the object.
    """
    if torch.version.cuda is not None:
        return None
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + SCHEMA)
    library.impl("nms", nms, "CPU")
    from torchvision.ops import boxes

    boxes._assert_has_ops = lambda: None
    return library
