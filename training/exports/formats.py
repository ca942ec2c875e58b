"""The table of formats. Their libraries are imported when one is used."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from training.exports.base import Reader, Writer
from training.manifest import BadManifest

FORMATS = {
    "webdataset": ("training.exports.webdataset", "WebDataset", "train-*.tar"),
    "parquet": ("training.exports.parquet", "Parquet", "data/*.parquet"),
    "coco": ("training.exports.coco", "Coco", "annotations/parts/*.jsonl"),
    "psd": ("training.exports.psd", "Psd", "*/*.psd"),
    "ora": ("training.exports.openraster", "OpenRaster", "*/*.ora"),
    "triplets": ("training.exports.triplets", "Triplets", "train-*.jsonl"),
    "folder": ("training.exports.folder", "Folder", "layers/*.png"),
}
"""Name to module, writer class, and the files by which a folder of this format is recognised, in this order."""


def writer_for(name: str) -> Writer:
    module, writer, _ = FORMATS[name]
    made: Writer = getattr(import_module(module), writer)()
    return made


def reader_for(name: str) -> Reader:
    read: Reader = import_module(FORMATS[name][0]).read
    return read


def recognise(folder: Path) -> str:
    """The format of a folder. Raises ``BadManifest`` (``no_manifest``) when it is none of ours."""
    for name, (_, _, pattern) in FORMATS.items():
        if next(folder.glob(pattern), None) is not None:
            return name
    raise BadManifest("no_manifest", f"{folder} holds no dataset in a format of {', '.join(FORMATS)}.")
