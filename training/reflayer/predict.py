"""``python -m training.reflayer.predict IMAGE --box x0,y0,x1,y1 --out layer.png``: one layer from one picture.

``--box``, ``--point`` (several times), ``--mask``, ``--text`` and mixes of them, or ``--background``; coordinates are
pixels of the picture, origin top left. The last line of standard output is one JSON object. Exit 0 done, 1 refused,
2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.decoding import BadPicture, decode
from engine.folder_output import write_atomically
from engine.imaging import encode_png
from engine.records import Mask, Picture, Point, Prompt, PromptKind, RGBALayer
from engine.refusals import Refusal
from training.reflayer.checkpoint import BrokenCheckpoint

DEFAULT_CHECKPOINT = Path(__file__).resolve().parents[1] / "checkpoints" / "reflayer-tiny"
"""The small network that ships."""


def predict(
    picture_hwc: Picture, prompt: Prompt, checkpoint: Path = DEFAULT_CHECKPOINT, seed: int = 0, **options: Any
) -> RGBALayer:
    """Load the checkpoint and answer once; ``options`` go to the pipeline's call.

    Raises ``BrokenCheckpoint`` and ``engine.refusals.Refusal``.
    """
    import torch

    from training.reflayer.loading import load_pipeline

    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipeline = load_pipeline(checkpoint, device)
    generator = torch.Generator().manual_seed(seed)
    layer: RGBALayer = pipeline(picture_hwc, prompt, generator=generator, **options)
    return layer


def prompt_of(
    boxes: Sequence[tuple[float, ...]], points: Sequence[Point], mask: Mask | None, text: str, is_background: bool
) -> Prompt:
    """The prompt of the given parts, with its kind. Raises ``Refusal`` ``bad_prompt`` or ``empty_prompt``."""
    places = [bool(boxes), bool(points), mask is not None]
    if len(boxes) > 1:
        raise Refusal("bad_prompt", "Give one box.")
    if is_background:
        if any(places) or text:
            raise Refusal("bad_prompt", "The background goes without other prompts.")
        return Prompt(PromptKind.BACKGROUND, text="background")
    if not any(places) and not text.strip():
        raise Refusal("empty_prompt", "Give a box, a point, a mask, a text or the background.")
    kinds = [
        kind
        for kind, is_given in zip(
            (PromptKind.BOX, PromptKind.POINT, PromptKind.MASK, PromptKind.TEXT), (*places, bool(text)), strict=True
        )
        if is_given
    ]
    box = boxes[0] if boxes else None
    return Prompt(
        kinds[0] if len(kinds) == 1 else PromptKind.HYBRID,
        points=tuple(points),
        box=None if box is None else (box[0], box[1], box[2], box[3]),
        mask_hw=mask,
        text=text,
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.reflayer.predict", description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--box", type=_numbers(4), action="append", default=[], metavar="x0,y0,x1,y1")
    parser.add_argument("--point", type=_numbers(2), action="append", default=[], metavar="x,y")
    parser.add_argument("--mask", type=Path, help="grey picture, white is the object; the image's size")
    parser.add_argument("--text", default="")
    parser.add_argument("--background", action="store_true")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--visible", type=Path, help="also write the visible mask")
    parser.add_argument("--keep-visible", action="store_true", help="copy surely visible pixels from the image")
    parser.add_argument("--steps", type=int, help="sampling steps")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    started = time.monotonic()
    try:
        picture = _read(options.image)
        mask = _read(options.mask).mean(axis=2) > 127 if options.mask else None
        prompt = prompt_of(options.box, options.point, mask, options.text, options.background)
        extra: dict[str, Any] = {"num_inference_steps": options.steps} if options.steps else {}
        extra |= {"keep_visible": True} if options.keep_visible else {}
        layer = predict(picture, prompt, options.checkpoint, options.seed, **extra)
    except (BadPicture, BrokenCheckpoint, Refusal) as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    write_atomically(options.out, encode_png(layer.rgba_hwc))
    if options.visible:
        write_atomically(options.visible, encode_png(layer.visible_hw))
    document = {
        "out": str(options.out),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "prompt": prompt.kind.value,
        "alpha_share": round(float(layer.alpha_hw.mean()), 4),
        "seconds": round(time.monotonic() - started, 3),
    }
    sys.stdout.write(json.dumps(document) + "\n")
    return 0


def _numbers(count: int) -> Any:
    def parse(words: str) -> tuple[float, ...]:
        values = tuple(float(word) for word in words.split(","))
        if len(values) != count:
            raise argparse.ArgumentTypeError(f"{count} numbers with commas are needed, not {words!r}")
        return values

    return parse


def _read(path: Path) -> Picture:
    try:
        return decode(path.read_bytes()).image_hwc
    except OSError as error:
        raise Refusal("not_found", f"{path}: {error.strerror}.") from error


if __name__ == "__main__":
    sys.exit(main())
