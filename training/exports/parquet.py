"""Parquet with the ``Image`` features of Hugging Face ``datasets``, one row a layer, and a dataset card.

``datasets.load_dataset(folder)`` gives PIL pictures in ``source``, ``layer`` and ``visible``. The column ``row`` is the
manifest's line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.exports.base import Open, Part, Plan, Sample, checked, known_row, write_file
from training.exports.card import dataset_card
from training.manifest import BadManifest, Header, canonical

GROUP_ROWS = 32
"""Rows of a row group: what is held in memory at once, and what a reader fetches for one example."""
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
STRING = {"dtype": "string", "_type": "Value"}
COLUMNS: dict[str, tuple[pa.DataType, dict[str, Any]]] = {
    **{name: (pa.string(), STRING) for name in ("id", "photo", "group", "kind", "label")},
    "depth": (pa.int32(), {"dtype": "int32", "_type": "Value"}),
    "texts": (pa.list_(pa.string()), {"feature": STRING, "_type": "List"}),
    **{name: (IMAGE, {"_type": "Image"}) for name in ("source", "layer", "visible")},
    "row": (pa.string(), STRING),
}
FEATURES = {"info": {"features": {name: feature for name, (_, feature) in COLUMNS.items()}}}
SCHEMA = pa.schema(
    [(name, kind) for name, (kind, _) in COLUMNS.items()], metadata={"huggingface": json.dumps(FEATURES)}
)


class Parquet:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        (out / "data").mkdir(exist_ok=True)
        with pq.ParquetWriter(out / "data" / f"{part.name}.parquet", SCHEMA, compression="zstd") as writer:
            rows: list[dict[str, Any]] = []
            for sample in samples:
                rows.append(_columns(sample))
                if len(rows) == GROUP_ROWS:
                    writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
                    rows.clear()
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, SCHEMA))

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        splits = dict.fromkeys(part.split for part in plan.parts)
        files = {split: f"data/{split}-*.parquet" for split in splits}
        write_file(out, "README.md", dataset_card(header, files).encode())


def _columns(sample: Sample) -> dict[str, Any]:
    row = sample.row
    return {
        **{name: row[name] for name in ("id", "group", "kind", "label", "depth")},
        "photo": sample.photo,
        "texts": [prompt["text"] for prompt in row["prompts"] if prompt["text"]],
        "source": {"bytes": sample.source, "path": row["source"]["path"]},
        "layer": {"bytes": sample.layer, "path": row["layer"]["path"]},
        "visible": {"bytes": sample.visible, "path": row["visible"]["path"]},
        "row": canonical(row).decode(),
    }


def read(folder: Path) -> Iterator[Sample]:
    """Samples of all files. Raises ``BadManifest`` for what is damaged or holds something else."""
    for path in sorted((folder / "data").glob("*.parquet")):
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(GROUP_ROWS, columns=["row", "source", "layer", "visible"]):
                    for found in batch.to_pylist():
                        pictures = (found[name]["bytes"] for name in ("source", "layer", "visible"))
                        yield checked(Sample(known_row(json.loads(found["row"])), *pictures))
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"{path.name} holds no layers: {error}.") from error
