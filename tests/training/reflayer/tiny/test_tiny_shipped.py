"""The checkpoint in the repository, on composites of photographs and shapes it never saw, beside GrabCut."""

import cv2
import numpy as np
import pytest

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from engine.imaging import iou, sha256
from engine.records import Prompt, PromptKind
from evaluation.tiny_baselines import grabcut
from training.reflayer.tiny.checkpoint import trained_on
from training.reflayer.tiny.pipeline import SHIPPED
from training.reflayer.tiny.split import TEST_FAMILIES

SEEDS = range(5_000_000, 5_000_012)


@pytest.fixture(scope="module")
def composites():
    photographs = Photographs.from_packages(256)
    return [compose(seed, 128, photographs, families=TEST_FAMILIES) for seed in SEEDS]


def deepest(mask_hw):
    """A point well inside a mask."""
    depth = cv2.distanceTransform(mask_hw.astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(depth == depth.max())
    return float(columns[0]) + 0.5, float(rows[0]) + 0.5


def mean_iou(composites, answer):
    """Of the foremost object, whole."""
    return np.mean([iou(answer(made, made.layers[0]), made.layers[0].layer.amodal_hw) for made in composites])


def test_it_was_not_trained_on_what_it_is_measured_on():
    seen = trained_on(SHIPPED)
    assert not seen.families & TEST_FAMILIES
    assert not {sha256(path.read_bytes()) for path in Photographs.from_packages().files.values()} & seen.digests


def test_it_is_small():
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 16_000_000


@pytest.mark.parametrize("kind", [PromptKind.BOX, PromptKind.POINT])
def test_it_beats_grabcut(shipped, composites, kind):
    def asked(true):
        if kind is PromptKind.BOX:
            return Prompt(kind, box=true.visible_box)
        return Prompt(kind, points=(deepest(true.layer.visible_hw),))

    ours = mean_iou(composites, lambda made, true: shipped(made.source_hwc, asked(true)).amodal_hw)
    assert ours > mean_iou(composites, lambda made, true: grabcut(made.source_hwc, asked(true), 0))


def test_it_keeps_to_a_given_mask_and_goes_on_under_what_lies_on_it(shipped, composites):
    hidden_found, seen_kept = [], []
    for made in composites:
        true = max(made.layers, key=lambda layer: layer.occlusion)
        layer = shipped(made.source_hwc, Prompt(PromptKind.MASK, mask_hw=true.layer.visible_hw))
        hidden = true.layer.amodal_hw & ~true.layer.visible_hw
        seen_kept.append(iou(layer.visible_hw, true.layer.visible_hw))
        if true.occlusion > 0.1:
            hidden_found.append(layer.amodal_hw[hidden].mean())
    assert np.mean(seen_kept) > 0.9
    assert np.mean(hidden_found) > 0.15
