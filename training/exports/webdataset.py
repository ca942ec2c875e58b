"""WebDataset: tar shards of one sample a layer, ``<row id>.{json,layer.png,source.png,visible.png}``.

The key of a sample is the row's id, which has no dot. Shards are equal to the byte however often they are written.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from training.exports import tar
from training.exports.base import Open, Part, Plan, Sample, checked, known_row
from training.manifest import BadManifest, Header, canonical


class WebDataset:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        with (out / f"{part.name}.tar").open("wb") as shard:
            for sample in samples:
                key = sample.row["id"]
                tar.add(shard, f"{key}.json", canonical(sample.row))
                tar.add(shard, f"{key}.layer.png", sample.layer)
                tar.add(shard, f"{key}.source.png", sample.source)
                tar.add(shard, f"{key}.visible.png", sample.visible)
            shard.write(tar.END)

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        pass


def read(folder: Path) -> Iterator[Sample]:
    """Samples of all shards. Raises ``BadManifest`` for a shard that is damaged or holds something else."""
    for shard in sorted(folder.glob("*.tar")):
        files: dict[str, bytes] = {}
        try:
            for name, data in tar.members(shard):
                key, _, kind = name.partition(".")
                files[kind] = data
                if len(files) == 4:
                    pictures = (files[f"{kind}.png"] for kind in ("source", "layer", "visible"))
                    sample = Sample(known_row(json.loads(files["json"])), *pictures)
                    if sample.row["id"] != key:
                        raise BadManifest("bad_manifest", f"{shard.name}: sample {key} has the row of another.")
                    yield checked(sample)
                    files = {}
        except (tarfile.TarError, KeyError, ValueError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"{shard.name} is no shard of layers: {error}.") from error
        if files:
            raise BadManifest("missing_file", f"{shard.name} ends in the middle of a sample.")
