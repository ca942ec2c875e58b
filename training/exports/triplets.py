"""Triplets in the manner of RefLade: for each prompt a line with image, prompt canvas, text and layer.

``<split>-<part>.jsonl`` lists them; ``images/<photo>.png``, ``canvases/<row id>-<number>.png`` (the prompt as the paper
draws it, ``engine.prompt_canvas``), ``layers/<row id>.png``, ``visible/<row id>.png``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from engine.imaging import encode_png
from engine.prompt_canvas import draw
from training.exports.base import Open, Part, Plan, Sample, by_photo, checked, inside, known_row, write_file
from training.manifest import BadManifest, Header, canonical, prompt_from_json


class Triplets:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        with (out / f"{part.name}.jsonl").open("wb") as lines:
            for photo, some in by_photo(samples):
                for number, sample in enumerate(some):
                    if number == 0:
                        write_file(out, f"images/{photo}.png", sample.source)
                    lines.writelines(line + b"\n" for line in _triplets(photo, sample, out))

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        pass


def _triplets(photo: str, sample: Sample, out: Path) -> Iterator[bytes]:
    row = sample.row
    name, source = row["id"], row["source"]
    write_file(out, f"layers/{name}.png", sample.layer)
    write_file(out, f"visible/{name}.png", sample.visible)
    for number, prompt in enumerate(row["prompts"]):
        canvas = f"canvases/{name}-{number}.png"
        write_file(out, canvas, encode_png(draw(prompt_from_json(prompt), source["height"], source["width"])))
        yield canonical(
            {
                "image": f"images/{photo}.png",
                "canvas": canvas,
                "text": prompt["text"],
                "layer": f"layers/{name}.png",
                "visible": f"visible/{name}.png",
                "kind": prompt["kind"],
                "prompt": number,
                "row": row,
            }
        )


def read(folder: Path) -> Iterator[Sample]:
    """One sample for the triplets of each layer. Raises ``BadManifest``."""
    for path in sorted(path for split in ("train", "validation", "test") for path in folder.glob(f"{split}-*.jsonl")):
        try:
            with path.open("rb") as lines:
                for line in lines:
                    entry = json.loads(line)
                    if entry["prompt"] == 0:
                        files = (inside(folder, entry[name]) for name in ("image", "layer", "visible"))
                        yield checked(Sample(known_row(entry["row"]), *(file.read_bytes() for file in files)))
        except OSError as error:
            raise BadManifest("missing_file", f"{error.filename} cannot be read: {error.strerror}.") from error
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"{path.name} holds no triplets: {error}.") from error
