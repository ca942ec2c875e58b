"""COCO: photographs, and for each layer an annotation with the amodal mask as compressed RLE.

``images/<photo>.png``, ``layers/<row id>.png``, ``visible/<row id>.png`` and for each split one
``annotations/instances_<split>.json`` that pycocotools loads. ``bbox`` is ``[x, y, width, height]`` of alpha above 0.5,
``area`` its pixels. Beyond COCO an annotation has ``layer_file``, ``visible_file``, ``visible_segmentation``, ``row``.
``annotations/parts/`` holds the same annotations line by line, for readers that cannot hold all at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from engine.imaging import decode_png
from engine.records import Mask
from training.exports.base import Open, Part, Plan, Sample, by_photo, checked, inside, known_row, write_file
from training.manifest import BadManifest, Header, canonical

PARTS = "annotations/parts"


class Coco:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        categories = {label: number for number, label in enumerate(plan.labels, 1)}
        annotation_id, image_id = part.first_row, part.first_photo
        lines = []
        for photo, some in by_photo(samples):
            for number, sample in enumerate(some):
                if number == 0:
                    write_file(out, f"images/{photo}.png", sample.source)
                    lines.append(canonical({"image": _image(image_id, photo, sample)}))
                entry = _annotation(annotation_id, image_id, categories[sample.row["label"]], sample)
                lines.append(canonical({"annotation": entry}))
                write_file(out, entry["layer_file"], sample.layer)
                write_file(out, entry["visible_file"], sample.visible)
                annotation_id += 1
            image_id += 1
        write_file(out, f"{PARTS}/{part.name}.jsonl", b"".join(line + b"\n" for line in lines))

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        """One file a split, put together line by line."""
        (out / "annotations").mkdir(exist_ok=True)
        categories = [{"id": number, "name": label} for number, label in enumerate(plan.labels, 1)]
        info = {"description": header.name, "version": header.digest, "date_created": header.created_at}
        for split in dict.fromkeys(part.split for part in plan.parts):
            names = [f"{PARTS}/{part.name}.jsonl" for part in plan.parts if part.split == split]
            with (out / f"annotations/instances_{split}.json").open("wb") as file:
                file.write(b'{"info":' + canonical(info) + b',"licenses":[],"categories":' + canonical(categories))
                for key, lists in (("image", "images"), ("annotation", "annotations")):
                    file.write(f',"{lists}":['.encode())
                    for number, entry in enumerate(_entries(names, key, opened)):
                        file.write((b"," if number else b"") + entry)
                    file.write(b"]")
                file.write(b"}")


def _entries(names: list[str], key: str, opened: Open) -> Iterator[bytes]:
    start = f'{{"{key}":'.encode()
    for name in names:
        with opened(name) as lines:
            for line in lines:
                if line.startswith(start):
                    yield line[len(start) : -2]


def _image(image_id: int, photo: str, sample: Sample) -> dict[str, Any]:
    source = sample.row["source"]
    return {"id": image_id, "file_name": f"{photo}.png", "width": source["width"], "height": source["height"]}


def _annotation(annotation_id: int, image_id: int, category: int, sample: Sample) -> dict[str, Any]:
    amodal = _rle(decode_png(sample.layer)[..., 3] > 127)
    name = sample.row["id"]
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category,
        "segmentation": amodal,
        "area": int(coco_mask.area(amodal)),
        "bbox": [float(value) for value in coco_mask.toBbox(amodal)],
        "iscrowd": 0,
        "visible_segmentation": _rle(decode_png(sample.visible) > 127),
        "layer_file": f"layers/{name}.png",
        "visible_file": f"visible/{name}.png",
        "row": sample.row,
    }


def _rle(mask_hw: Mask) -> dict[str, Any]:
    found = coco_mask.encode(mask_hw.astype("uint8", order="F"))
    return {"size": [int(side) for side in found["size"]], "counts": found["counts"].decode()}


def read(folder: Path) -> Iterator[Sample]:
    """Samples by ``annotations/parts/``. Raises ``BadManifest``."""
    for path in sorted((folder / PARTS).glob("*.jsonl")):
        try:
            photo, source = "", b""
            with path.open("rb") as lines:
                for line in lines:
                    entry = json.loads(line)
                    if "image" in entry:
                        photo = Path(entry["image"]["file_name"]).name
                        source = (folder / "images" / photo).read_bytes()
                        continue
                    row = known_row(entry["annotation"]["row"])
                    layer, visible = (inside(folder, f"{kind}/{row['id']}.png") for kind in ("layers", "visible"))
                    yield checked(Sample(row, source, layer.read_bytes(), visible.read_bytes()))
        except OSError as error:
            raise BadManifest("missing_file", f"{error.filename} cannot be read: {error.strerror}.") from error
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"{path.name} holds no layers: {error}.") from error
