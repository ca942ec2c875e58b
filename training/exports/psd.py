"""Photoshop: one document a stack, ``<split>/<stack>.psd``, its layers in order and the photograph hidden on top.

Layers are full-size and keep the colours under alpha 0, so pixels come back exactly. ``<stack>.json`` beside it holds
the rows and the visible masks. The document is for working in: what is read back is what stands in it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from psd_tools import PSDImage

from engine.imaging import decode_png, encode_png, mask_to_rle, rle_to_mask
from training.exports.base import Open, Part, Plan, Sample, by_stack, known_row, write_file
from training.manifest import BadManifest, Header, canonical

SOURCE = "source photograph"


class Psd:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        for stack, some in by_stack(samples):
            write_file(out, f"{part.split}/{stack}.psd", document(some))
            layers = [{"row": sample.row, "visible": mask_to_rle(decode_png(sample.visible) > 127)} for sample in some]
            write_file(out, f"{part.split}/{stack}.json", canonical({"layers": layers}))

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        pass


def document(stack: list[Sample]) -> bytes:
    """A PSD of samples given front to back; its merged picture is their composite."""
    source = decode_png(stack[0].source)[..., :3]
    height, width = source.shape[:2]
    psd = PSDImage.new("RGBA", (width, height))
    for sample in reversed(stack):
        layer = psd.create_pixel_layer(Image.fromarray(decode_png(sample.layer)))
        # The name given at creation may hold Mac Roman only; this setter writes the Unicode name too.
        layer.name = sample.row["label"]
    opaque = np.dstack([source, np.full((height, width), 255, np.uint8)])
    hidden = psd.create_pixel_layer(Image.fromarray(opaque), name=SOURCE)
    hidden.visible = False
    data = io.BytesIO()
    psd.save(data)
    return data.getvalue()


def read(folder: Path) -> Iterator[Sample]:
    """Samples of all documents, the pixels encoded anew. Raises ``BadManifest``."""
    for path in sorted(folder.glob("*/*.psd")):
        try:
            known = json.loads(path.with_suffix(".json").read_bytes())["layers"]
            *layers, hidden = list(PSDImage.open(path))
            if len(layers) != len(known):
                raise BadManifest("bad_manifest", f"{path.name} has {len(layers)} layers, its rows are {len(known)}.")
            source = encode_png(np.asarray(_pixels(hidden).convert("RGB")))
            for layer, entry in zip(reversed(layers), known, strict=True):
                canvas = Image.new("RGBA", (entry["row"]["source"]["width"], entry["row"]["source"]["height"]))
                canvas.paste(_pixels(layer).convert("RGBA"), (layer.left, layer.top))
                visible = encode_png(rle_to_mask(entry["visible"]))
                yield Sample(known_row(entry["row"]), source, encode_png(np.asarray(canvas)), visible)
        except OSError as error:
            raise BadManifest("missing_file", f"{error.filename or path} cannot be read: {error}.") from error
        except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"{path.name} is no stack of layers: {error}.") from error


def _pixels(layer: Any) -> Image.Image:
    picture: Image.Image | None = layer.topil()
    if picture is None:
        raise ValueError(f"{layer.name} has no pixels")
    return picture
