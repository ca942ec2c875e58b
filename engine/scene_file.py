"""A scene as one file, so that a rerun goes on after the last finished stage.

The format is NumPy's ``.npz`` (arrays only, never pickle) with one JSON text beside the arrays; masks are packed to
bits, completed colours are those that differ from the picture. The picture itself is not in it: it is in the store
already and is given back to ``load``.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.annotation_files import given_from_json, given_to_json
from engine.records import Instance, LayerKind, Mask, Picture, Prompt, PromptKind, RGBALayer, Scene

MASKS = ("visible_hw", "amodal_hw")
PLAIN = ("key", "label", "score", "source", "box", "scores", "drop_reason")


def dump(scene: Scene) -> bytes:
    """The scene without its picture."""
    arrays: dict[str, np.ndarray] = {}
    document: dict[str, Any] = {
        "image_sha256": scene.image_sha256,
        "seed": scene.seed,
        "given": given_to_json(scene.given),
        "in_front": scene.in_front,
        "numbers": scene.numbers,
        "drop_reason": scene.drop_reason,
        "facts": scene.facts,
        "instances": [],
    }
    for number, instance in enumerate(scene.instances):
        row: dict[str, Any] = {name: getattr(instance, name) for name in PLAIN}
        row["kind"] = instance.kind.value
        row["given"] = next((i for i, given in enumerate(scene.given) if given is instance.given), None)
        row["prompts"] = [
            _dump_prompt(prompt, f"{number}.prompt{i}", arrays) for i, prompt in enumerate(instance.prompts)
        ]
        for name in MASKS:
            if (mask := getattr(instance, name)) is not None:
                arrays[f"{number}.{name}"] = np.packbits(mask)
        if instance.completed_hwc is not None:
            differs = (instance.completed_hwc != scene.image_hwc).any(axis=2)
            arrays[f"{number}.differs"] = np.packbits(differs)
            arrays[f"{number}.completed"] = instance.completed_hwc[differs]
        if instance.layer is not None:
            arrays[f"{number}.layer.rgba"] = instance.layer.rgba_hwc
            arrays[f"{number}.layer.visible"] = np.packbits(instance.layer.visible_hw)
        document["instances"].append(row)
    buffer = io.BytesIO()
    arrays["document"] = np.frombuffer(json.dumps(document).encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _dump_prompt(prompt: Prompt, name: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    row = {k: v for k, v in asdict(prompt).items() if k != "mask_hw"}
    if prompt.mask_hw is not None:
        arrays[name] = np.packbits(prompt.mask_hw)
        row["mask"] = name
    return row


def load(data: bytes, image_hwc: Picture) -> Scene:
    """Raises ``ValueError`` when the file is not one this module wrote for a picture of this size."""
    height, width = image_hwc.shape[:2]

    def mask(packed: np.ndarray) -> Mask:
        bits = np.unpackbits(packed, count=height * width)
        return bits.reshape(height, width).astype(bool)

    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        document = json.loads(file["document"].tobytes())
        given = given_from_json(document["given"])
        scene = Scene(
            image_sha256=document["image_sha256"],
            image_hwc=image_hwc,
            seed=document["seed"],
            given=given,
            in_front=[(front, behind) for front, behind in document["in_front"]],
            numbers=document["numbers"],
            drop_reason=document["drop_reason"],
            facts=document["facts"],
        )
        for number, row in enumerate(document["instances"]):
            arrays: dict[str, Any] = {
                name: mask(file[f"{number}.{name}"]) for name in MASKS if f"{number}.{name}" in file.files
            }
            if f"{number}.differs" in file.files:
                arrays["completed_hwc"] = image_hwc.copy()
                arrays["completed_hwc"][mask(file[f"{number}.differs"])] = file[f"{number}.completed"]
            instance = Instance(
                **{name: row[name] for name in PLAIN if name != "box"},
                box=tuple(row["box"]),
                kind=LayerKind(row["kind"]),
                given=None if row["given"] is None else given[row["given"]],
                **arrays,
            )
            if f"{number}.layer.rgba" in file.files:
                instance.layer = RGBALayer(file[f"{number}.layer.rgba"], mask(file[f"{number}.layer.visible"]))
            for prompt in row["prompts"]:
                instance.prompts.append(
                    Prompt(
                        kind=PromptKind(prompt["kind"]),
                        points=tuple((x, y) for x, y in prompt["points"]),
                        box=tuple(prompt["box"]) if prompt["box"] is not None else None,
                        mask_hw=mask(file[prompt["mask"]]) if "mask" in prompt else None,
                        text=prompt["text"],
                        is_ambiguous=prompt["is_ambiguous"],
                    )
                )
            scene.instances.append(instance)
    return scene
