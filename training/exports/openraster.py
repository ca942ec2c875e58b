"""OpenRaster: one document a stack, ``<split>/<stack>.ora``: a zip of PNG layers that Krita, GIMP and MyPaint open.

After the specification of freedesktop.org: ``mimetype`` first and not compressed, ``stack.xml``, ``data/*.png``,
``mergedimage.png``, ``Thumbnails/thumbnail.png``. The photograph lies hidden on top; ``rld/`` holds rows and visible
masks. PNG bytes are those of the dataset.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

from engine.imaging import decode_png, encode_png, flatten
from training.exports.base import Open, Part, Plan, Sample, by_stack, checked, known_row, write_file
from training.manifest import BadManifest, Header, canonical

THUMBNAIL_PX = 256
EPOCH = (1980, 1, 1, 0, 0, 0)


class OpenRaster:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        for stack, some in by_stack(samples):
            write_file(out, f"{part.split}/{stack}.ora", document(some))

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        pass


def document(stack: list[Sample]) -> bytes:
    """A zip of samples given front to back; the same samples give the same bytes."""
    merged = flatten([decode_png(sample.layer) for sample in stack])
    thumbnail = Image.fromarray(merged)
    thumbnail.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    small = io.BytesIO()
    thumbnail.save(small, "PNG")
    files = {"mimetype": b"image/openraster", "stack.xml": _stack_xml(stack), "data/source.png": stack[0].source}
    for number, sample in enumerate(stack):
        files[f"data/{number:03d}.png"] = sample.layer
        files[f"rld/visible/{number:03d}.png"] = sample.visible
    files["rld/rows.json"] = canonical([sample.row for sample in stack])
    files |= {"mergedimage.png": encode_png(merged), "Thumbnails/thumbnail.png": small.getvalue()}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return data.getvalue()


def _stack_xml(stack: list[Sample]) -> bytes:
    source = stack[0].row["source"]
    image = ElementTree.Element("image", version="0.0.3", w=str(source["width"]), h=str(source["height"]))
    layers = ElementTree.SubElement(image, "stack")
    common = {"x": "0", "y": "0", "opacity": "1.0", "composite-op": "svg:src-over"}
    hidden = {"name": "source photograph", "src": "data/source.png", "visibility": "hidden"}
    ElementTree.SubElement(layers, "layer", {**common, **hidden})
    for number, sample in enumerate(stack):
        shown = {"name": sample.row["label"], "src": f"data/{number:03d}.png", "visibility": "visible"}
        ElementTree.SubElement(layers, "layer", {**common, **shown})
    text: bytes = ElementTree.tostring(image, "utf-8", xml_declaration=True)
    return text


def read(folder: Path) -> Iterator[Sample]:
    """Samples of all documents. Raises ``BadManifest``; a document that was worked in is refused by its digests."""
    for path in sorted(folder.glob("*/*.ora")):
        try:
            with zipfile.ZipFile(path) as archive:
                source = archive.read("data/source.png")
                for number, row in enumerate(json.loads(archive.read("rld/rows.json"))):
                    layer, visible = (archive.read(f"{kind}/{number:03d}.png") for kind in ("data", "rld/visible"))
                    yield checked(Sample(known_row(row), source, layer, visible))
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"{path.name} is no stack of layers: {error}.") from error
