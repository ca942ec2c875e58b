"""torchvision beside a CPU build of torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.torchvision_guard import install, nms

EVERYTHING = "import engine.torchvision_guard as g; g.install(); import torchvision, lpips, open_clip, segment_anything"


def test_the_libraries_that_need_torchvision_import_after_it() -> None:
    subprocess.run([sys.executable, "-c", EVERYTHING], check=True)


def test_a_second_call_is_harmless() -> None:
    assert install() is install()


@pytest.mark.skipif(torch.version.cuda is not None, reason="torchvision brings its own operators beside CUDA")
def test_torchvision_calls_it() -> None:
    install()
    from torchvision.ops import nms as theirs

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]])
    assert theirs(boxes, torch.tensor([0.5, 0.9, 0.1]), 0.5).tolist() == [1, 2]


def test_nothing_in_gives_nothing() -> None:
    assert nms(torch.empty(0, 4), torch.empty(0), 0.5).tolist() == []


@given(st.lists(st.tuples(*[st.integers(0, 20)] * 4), min_size=1, max_size=12), st.sampled_from((0.3, 0.5, 0.7)))
def test_kept_boxes_overlap_little_and_dropped_ones_much(corners: list[tuple[int, ...]], limit: float) -> None:
    boxes = torch.tensor([[x, y, x + w + 1, y + h + 1] for x, y, w, h in corners], dtype=torch.float32)
    kept = nms(boxes, torch.arange(len(boxes), dtype=torch.float32), limit).tolist()

    def iou(a: int, b: int) -> float:
        low, high = torch.maximum(boxes[a, :2], boxes[b, :2]), torch.minimum(boxes[a, 2:], boxes[b, 2:])
        shared = (high - low).clamp(min=0).prod()
        sizes = (boxes[[a, b], 2:] - boxes[[a, b], :2]).prod(dim=1).sum()
        return float(shared / (sizes - shared))

    assert all(iou(a, b) <= limit + 1e-6 for a in kept for b in kept if a != b)
    dropped = set(range(len(boxes))) - set(kept)
    assert all(any(b > a and iou(a, b) > limit - 1e-6 for b in kept) for a in dropped)
