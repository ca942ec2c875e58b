"""The model card: what a checkpoint was made of, with what, and how it measured; for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CARD_JSON, CARD = "reflayer_card.json", "README.md"


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    data: str
    """Name of the dataset, or what was composited."""
    data_digest: str
    """Of the dataset's rows; empty for composites, which their configuration names."""
    code_revision: str
    config: dict[str, Any]
    base: str
    metrics: dict[str, float] = field(default_factory=dict)
    """Of the held-out examples at the end of training."""
    parameters: dict[str, int] = field(default_factory=dict)
    stages_done: int = 0
    """How many of the configured stages these weights have behind them."""


def read(folder: Path) -> Card:
    """Raises ``OSError``, ``ValueError`` or ``TypeError`` when there is none or it is another kind."""
    return Card(**json.loads((folder / CARD_JSON).read_text()))


def write(folder: Path, card: Card) -> None:
    (folder / CARD_JSON).write_text(json.dumps(asdict(card), indent=2, sort_keys=True) + "\n")
    (folder / CARD).write_text(_markdown(card))


def _markdown(card: Card) -> str:
    metrics = "\n".join(f"| {name} | {value:.4g} |" for name, value in sorted(card.metrics.items()))
    parameters = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(card.parameters.items()))
    return f"""---
library_name: diffusers
pipeline_tag: image-to-image
---
# {card.name}

RefLayer: a picture and a prompt (point, box, mask, text) give one RGBA layer. Load it with
`training.reflayer.loading.load_pipeline(folder)`.

| | |
|---|---|
| trained on | {card.data} |
| data digest | {card.data_digest or "none: composites, see the configuration"} |
| base | {card.base or "from scratch"} |
| code revision | {card.code_revision} |

| part | parameters |
|---|---|
{parameters}

Measured on the run's held-out examples, at the network's resolution, visible pixels not copied:

| measure | value |
|---|---|
{metrics}

The whole configuration is in `{CARD_JSON}`. The licence of the base's weights applies to these weights too.
"""
