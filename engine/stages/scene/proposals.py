"""Where an object may be, without learned weights beyond those OpenCV ships: saliency, Haar cascades, HOG people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from engine.records import Box, Picture

CASCADES = (
    ("face", "haarcascade_frontalface_alt2.xml", 6),
    ("cat", "haarcascade_frontalcatface_extended.xml", 4),
    ("person", "haarcascade_fullbody.xml", 5),
)
"""Label, file in OpenCV's ``data`` folder, neighbours asked for: more means fewer false alarms."""


FLAT_BELOW = 10.0
"""Lab distance: a picture in which nothing is farther from the border has nothing salient."""
LEAST_LEVEL = 32
"""Of 255: what Otsu finds below this in a nearly flat map is noise."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A box in pixels that may hold an object; ``score`` 0..1 is comparable within one source only."""

    label: str
    score: float
    source: str
    box: Box


def propose(image_hwc: Picture, working_px: int = 384) -> list[Proposal]:
    """All proposals of one picture, found on a copy whose longer side is at most ``working_px``."""
    height, width = image_hwc.shape[:2]
    scale = min(1.0, working_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = image_hwc
    if scale < 1.0:
        small = np.asarray(cv2.resize(image_hwc, size, interpolation=cv2.INTER_AREA), np.uint8)
    up_x, up_y = width / size[0], height / size[1]
    return [
        Proposal(p.label, p.score, p.source, (p.box[0] * up_x, p.box[1] * up_y, p.box[2] * up_x, p.box[3] * up_y))
        for find in FINDERS
        for p in find(small)
    ]


def from_saliency(image_hwc: Picture, most: int = 3, least_share: float = 0.01) -> list[Proposal]:
    """Boxes around the connected regions that stand out from the border; score is their mean saliency."""
    saliency = border_saliency(image_hwc)
    level, _ = cv2.threshold((saliency * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    salient = (saliency * 255 > max(level, LEAST_LEVEL)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(salient, connectivity=4)
    height, width = saliency.shape
    found = []
    for k in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[k])
        if area < least_share * height * width or w * h > 0.9 * height * width:
            continue
        score = float(saliency[labels == k].mean())
        found.append((score * area, Proposal("object", score, "saliency", _padded((x, y, w, h), 0.04, width, height))))
    found.sort(key=lambda row: (-row[0], row[1].box))
    return [proposal for _, proposal in found[:most]]


def border_saliency(image_hwc: Picture, region_px: int = 14) -> NDArray[np.float32]:
    """Geodesic distance ``[H,W]`` 0..1 of every superpixel to the picture's border.

    Wei, Wen, Zhu and Sun 2012 (*Geodesic saliency using background priors*) on SLICO superpixels (Achanta et al.
    2012); edges cost the Lab distance, less the small differences that are texture.
    """
    lab = cv2.cvtColor(image_hwc, cv2.COLOR_RGB2LAB)
    slic = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLICO, region_px)
    slic.iterate(5)
    slic.enforceLabelConnectivity(25)
    labels, count = slic.getLabels(), slic.getNumberOfSuperpixels()
    sizes = np.maximum(1, np.bincount(labels.ravel(), minlength=count))
    planes = [np.bincount(labels.ravel(), lab[..., c].ravel(), minlength=count) for c in range(3)]
    means = np.stack([plane / sizes for plane in planes], axis=1)
    sides = (labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in sides])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    steps = np.linalg.norm(means[pairs[:, 0]] - means[pairs[:, 1]], axis=1)
    costs = np.maximum(steps - np.percentile(steps, 40) if steps.size else steps, 0.0) + 1e-3
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    outside = np.full(len(rim), count)
    rows, cols = np.concatenate([pairs[:, 0], rim]), np.concatenate([pairs[:, 1], outside])
    graph = csr_array((np.concatenate([costs, np.full(len(rim), 1e-3)]), (rows, cols)), shape=(count + 1, count + 1))
    distance = dijkstra(graph, directed=False, indices=count)[:count]
    distance[~np.isfinite(distance)] = 0.0
    return (distance / max(float(distance.max(initial=0.0)), FLAT_BELOW))[labels].astype(np.float32)


def from_haar(image_hwc: Picture) -> list[Proposal]:
    """Faces, cat faces and whole people (Viola and Jones 2001); a face box grows to the whole head."""
    grey = cv2.equalizeHist(cv2.cvtColor(image_hwc, cv2.COLOR_RGB2GRAY))
    height, width = grey.shape
    least = max(24, min(height, width) // 12)
    found = []
    for label, file, neighbours in CASCADES:
        boxes, _, weights = _cascade(file).detectMultiScale3(
            grey, 1.1, neighbours, minSize=(least, least), outputRejectLevels=True
        )
        pad = 0.05 if label == "person" else 0.25
        for box, weight in zip(boxes, weights, strict=True):
            score = float(np.clip(float(weight) / 10.0, 0.1, 0.9))
            found.append(Proposal(label, score, "haar", _padded(box, pad, width, height)))
    return found


def from_hog(image_hwc: Picture, least_weight: float = 0.6) -> list[Proposal]:
    """Upright people (Dalal and Triggs 2005)."""
    height, width = image_hwc.shape[:2]
    if height < 128 or width < 64:
        return []
    boxes, weights = _people().detectMultiScale(image_hwc[..., ::-1].copy(), winStride=(8, 8), scale=1.1)
    return [
        Proposal("person", float(np.clip(weight / 2.0, 0.1, 0.9)), "hog", _padded(box, 0.0, width, height))
        for box, weight in zip(boxes, np.ravel(weights), strict=True)
        if weight >= least_weight
    ]


FINDERS: tuple[Callable[[Picture], list[Proposal]], ...] = (from_saliency, from_haar, from_hog)


@cache
def _cascade(file: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / file))


@cache
def _people() -> cv2.HOGDescriptor:
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))
    return hog


def _padded(box_xywh: Sequence[int], share: float, width: int, height: int) -> Box:
    x, y, w, h = (float(v) for v in box_xywh)
    dx, dy = share * w, share * h
    return (max(0.0, x - dx), max(0.0, y - dy), min(float(width), x + w + dx), min(float(height), y + h + dy))
