"""The dataset card: what a snapshot holds, under which terms, and how to check it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from training.manifest import Header

SIZES = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(header: Header, data_files: Mapping[str, str]) -> str:
    """A README.md in the form of the Hugging Face Hub, its YAML block first; ``data_files``: split to pattern."""
    size = next((name for most, name in SIZES if header.rows < most), "n>1M")
    files = "".join(f"  - split: {split}\n    path: {json.dumps(path)}\n" for split, path in data_files.items())
    splits = "\n".join(f"| {split} | {rows} |" for split, rows in header.splits.items())
    rules = "\n".join(f"| {name} | `{json.dumps(value)}` |" for name, value in header.terms.get("rules", {}).items())
    return f"""---
pretty_name: {json.dumps(header.name)}
task_categories:
- image-segmentation
- image-to-image
size_categories:
- {size}
configs:
- config_name: default
  data_files:
{files}---

# {header.name}

{header.rows} RGBA layers of photographs, accepted by people. Straight alpha, sRGB, 8 bit; each layer has the size and
position of its photograph, its hidden parts are completed, and colour is extended under alpha 0. `visible` marks what
of the layer is seen in the photograph.

| split | layers |
|---|---|
{splits}

Photographs that look the same are in one split. Licence and credit of each photograph are in its rows (`origin`);
people are under pseudonyms.

## Frozen by these rules

| rule | value |
|---|---|
{rules}

Code revision {header.code_revision or "unknown"}, frozen {header.created_at or "at an unknown time"}.
SHA-256 of `manifest.jsonl`: `{header.digest}`; Merkle root: `{header.merkle_root}`.
"""
