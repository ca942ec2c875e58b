"""One training run as a value: read from JSON, checked, written beside its results."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from training.reflayer.alpha_decoder import AlphaDecoderConfig
from training.reflayer.buckets import BucketConfig
from training.reflayer.canvas_colour import MID_GREY
from training.reflayer.dropout import DropoutConfig
from training.reflayer.flow import FlowConfig
from training.reflayer.injector import InjectorConfig
from training.reflayer.lora import LoRAConfig
from training.reflayer.losses import AlphaLossConfig
from training.reflayer.network import Transparency
from training.reflayer.optimisation import OptimiserConfig
from training.reflayer.scratch import ScratchConfig
from training.reflayer.validation import ValidationConfig


class BadConfig(ValueError):
    """A configuration that makes no sense; the message names the field."""

    code = "bad_config"


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where examples come from: a dataset folder (``training.manifest``), or else composites."""

    dataset: str = ""
    composites: int = 2000
    """How many examples are made when there is no dataset; held-out ones have seeds of their own."""
    held_out_composites: int = 64
    composite_px: int = 128
    photos: str = ""
    """Folder of photographs for the composites; empty: those inside installed packages."""
    objects: str = ""
    """Folder of RGBA cut-outs; empty: drawn objects."""
    workers: int = 0
    automatic: str = ""
    """Folder of a second dataset: layers that nobody judged."""
    validated_weight: float = 1.0
    """How often an example is of ``dataset``, of ``automatic`` and of composites; what is empty is left out."""
    automatic_weight: float = 0.0
    composite_weight: float = 0.0


@dataclass(frozen=True, slots=True)
class StageConfig:
    """A: alpha decoder on encoded latents. B: the network. C: alpha decoder, half on latents the network sampled."""

    name: Literal["A", "B", "C"]
    steps: int
    batch_size: int = 8
    accumulate: int = 1
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    ema_decay: float = 0.9999
    save_every: int = 1000
    log_every: int = 10
    sampling_steps: int = 20
    """Of stage C: Euler steps for the latents it learns from."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    name: str
    stages: tuple[StageConfig, ...]
    base: str = ""
    """Folder of an SD3-format or RefLayer checkpoint; empty: a tiny one from scratch."""
    scratch: ScratchConfig = field(default_factory=ScratchConfig)
    data: DataConfig = field(default_factory=DataConfig)
    buckets: BucketConfig = field(default_factory=BucketConfig)
    injector: InjectorConfig = field(default_factory=InjectorConfig)
    transparency: Transparency = "canvas_colour"
    canvas_colour: float = MID_GREY
    alpha_decoder: AlphaDecoderConfig = field(default_factory=AlphaDecoderConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)
    dropout: DropoutConfig = field(default_factory=DropoutConfig)
    alpha_loss: AlphaLossConfig = field(default_factory=AlphaLossConfig)
    offset_gain: float = 300.0
    """Of ``latent_offset``."""
    lora: LoRAConfig | None = None
    with_t5: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    is_cached: bool = True
    """Latents and texts are encoded once before a stage. Stage C always caches what it sampled."""
    cache: str = ""
    """Folder of the cache; empty: beside the results."""
    seed: int = 0
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    trackers: tuple[str, ...] = ()
    """Names that accelerate knows, such as tensorboard or wandb; their packages are not installed by default."""

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names or names != sorted(set(names)):
            raise BadConfig(f"stages: some of A, B, C in this order, each once; got {', '.join(names) or 'none'}")
        for stage in self.stages:
            if min(stage.steps, stage.batch_size, stage.accumulate, stage.save_every, stage.log_every) < 1:
                raise BadConfig(
                    f"stage {stage.name}: steps, batch_size, accumulate, save_every, log_every are 1 or more"
                )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(data: Mapping[str, Any]) -> TrainConfig:
    """Raises ``BadConfig`` that names an unknown field, a missing one or a value of the wrong type."""
    made: TrainConfig = _build(TrainConfig, data, "config")
    return made


def read(path: Path) -> TrainConfig:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path}: {error}") from error
    return from_json(data)


def _build(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise BadConfig(f"{where}: an object is needed, not {data!r}")
    hints = get_type_hints(kind)
    known = {one.name: one for one in fields(kind)}
    if unknown := sorted(set(data) - set(known)):
        raise BadConfig(f"{where}: unknown {', '.join(unknown)}; have: {', '.join(known)}")
    missing = [n for n, f in known.items() if n not in data and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise BadConfig(f"{where}: {', '.join(missing)} missing")
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in data.items()})


def _value(kind: Any, value: Any, where: str) -> Any:
    """``value`` as the annotated type: dataclass, literal, optional, tuple of one type, number, text or truth."""
    origin, choices = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _build(kind, value, where)
    if origin is Literal:
        if value not in choices:
            raise BadConfig(f"{where}: one of {', '.join(map(str, choices))}, not {value!r}")
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _value(next(c for c in choices if c is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise BadConfig(f"{where}: a list is needed, not {value!r}")
        return tuple(_value(choices[0], one, f"{where}[{place}]") for place, one in enumerate(value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (kind is float and is_number) or (isinstance(value, kind) and isinstance(value, bool) == (kind is bool)):
        return kind(value)
    raise BadConfig(f"{where}: {kind.__name__} is needed, not {value!r}")
