"""Annotation files of other tools become given prompts; given prompts become JSON and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from engine.annotation_files import coco, label_studio
from engine.annotation_files.fields import BadAnnotations
from engine.annotation_files.given_json import given_from_json, given_to_json
from engine.records import GivenPrompt

__all__ = ["Annotations", "BadAnnotations", "given_from_json", "given_to_json", "parse"]


class Annotations(Mapping[str, tuple[GivenPrompt, ...]]):
    """Given prompts by the picture's file name, without folders.

    Masks are made when a picture is asked for and not kept: all masks of a COCO file do not fit into memory.
    """

    def __init__(self, pictures: dict[str, Callable[[], tuple[GivenPrompt, ...]]]) -> None:
        self._pictures = pictures

    def __getitem__(self, file_name: str) -> tuple[GivenPrompt, ...]:
        return self._pictures[file_name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)


def parse(data: bytes) -> Annotations:
    """COCO JSON (instances, captions) or Label Studio's JSON export; everything is checked here, once.

    Raises ``BadAnnotations`` with a sentence that names the entry.
    """
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadAnnotations(f"The annotation file is not JSON: {error}.") from error
    if isinstance(document, list):
        pictures = label_studio.pictures(document)
    elif isinstance(document, dict) and "images" in document:
        pictures = coco.pictures(document)
    else:
        raise BadAnnotations("The annotation file is neither COCO JSON nor a Label Studio JSON export.")
    for build in pictures.values():
        build()
    return Annotations(pictures)
