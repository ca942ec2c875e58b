"""``python -m training.reflayer.tiny.train``: train the mask network on stored scenes for a given time.

The learning rate falls with the share of time (or of ``--steps``) that is spent. The run can be stopped at any moment
and goes on where it last saved. ``OUT/metrics.jsonl`` has a line per report, ``OUT/state.pt`` everything that is
needed to go on, and ``OUT/checkpoint`` the moving average of the weights as a checkpoint.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch.utils.data import DataLoader

from training.reflayer.tiny.checkpoint import (
    BrokenCheckpoint,
    load_network,
    save_network,
    save_training_data,
    training_parts,
)
from training.reflayer.tiny.looks import second_maps
from training.reflayer.tiny.losses import mask_loss
from training.reflayer.tiny.mask_network import MaskNetwork, MaskNetworkConfig, with_second_look, with_trunk
from training.reflayer.tiny.samples import Samples, Window
from training.reflayer.tiny.scenes import NoScenes, SceneStore
from training.reflayer.tiny.trunk import UnknownTrunk, load_trunk
from training.reflayer.tiny.validation import validate

MOST_BAD_STEPS = 10


class NonFiniteLoss(RuntimeError):
    """The loss was NaN or infinite for ``MOST_BAD_STEPS`` steps in a row."""

    code = "non_finite_loss"


@dataclass(frozen=True)
class TrainConfig:
    """``steps`` decides the length when given, else ``minutes`` of training."""

    minutes: float = 85.0
    steps: int = 0
    batch: int = 8
    rate: float = 1.5e-3
    warmup_steps: int = 300
    weight_decay: float = 0.01
    ema_decay: float = 0.998
    second_from: float = 0.1
    """Share of the run after which half of each batch looks twice."""
    bf16: bool = False
    workers: int = 1
    seed: int = 0
    report_every: int = 25
    save_every_s: float = 180.0
    validate_every_s: float = 900.0


class Trainer:
    """Weights, their moving average, optimiser and how far the run is."""

    def __init__(self, network: MaskNetwork, config: TrainConfig) -> None:
        self.config = config
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            network.parameters(), config.rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
        )
        self.step = 0
        self.trained_s = 0.0
        self.bad_steps = 0

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        whole = self.config.steps or self.config.minutes * 60
        return min(1.0, (self.step if self.config.steps else self.trained_s) / whole)

    @property
    def rate(self) -> float:
        """Linear warm-up, then half a cosine down to a hundredth."""
        falling = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress))
        return self.config.rate * min(1.0, (self.step + 1) / self.config.warmup_steps) * falling

    def learn(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        """One step. Raises ``NonFiniteLoss`` when too many in a row were not finite; such steps change nothing."""
        half = len(batch["first"]) // 2 if self.progress >= self.config.second_from else 0
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16):
            seconds = torch.zeros(len(batch["first"]), 6, *batch["first"].shape[2:])
            seen = self.network.seen(_last(batch["first"]))
            if half:
                first = None if seen is None else [features[:half] for features in seen]
                with torch.no_grad():
                    answer = self.network(_last(with_second_look(batch["first"][:half], None)), first)
                seconds[:half] = second_maps(batch["source"][:half], answer)
            logits = self.network(_last(with_second_look(batch["first"], seconds)), seen)
        # The first look need not guess what is hidden; that is the second's work.
        is_second = torch.zeros(len(logits), 1, 1, 1)
        is_second[:half] = 1
        losses = mask_loss(logits, batch["truth"], batch["contested"] * is_second)
        loss = losses.mean()
        self.optimiser.zero_grad(set_to_none=True)
        if not torch.isfinite(loss):
            self.bad_steps += 1
            if self.bad_steps >= MOST_BAD_STEPS:
                raise NonFiniteLoss(f"the loss was not finite {self.bad_steps} times in a row at step {self.step}")
            self.step += 1
            return {"loss": float("nan")}
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.step()
        self.bad_steps = 0
        self.step += 1
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, tensor in self.network.state_dict().items():
                self.average[name].lerp_(tensor, 1 - decay)
        numbers = {"loss": float(loss.detach()), "norm": float(norm), "first": float(losses[half:].detach().mean())}
        return numbers | ({"second": float(losses[:half].detach().mean())} if half else {})

    def averaged(self) -> MaskNetwork:
        """A network with the averaged weights."""
        network = MaskNetwork(self.network.config)
        network.load_state_dict(self.average)
        return network.eval()

    def save(self, out: Path) -> None:
        """The averaged checkpoint and the state to go on from; each file appears whole."""
        save_network(self.averaged(), out / "checkpoint")
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "trained_s": self.trained_s,
            "bad_steps": self.bad_steps,
        }
        # Through memory: torch's own writer says of a full disk only that it failed.
        data = io.BytesIO()
        torch.save(state, data)
        (out / "state.pt.part").write_bytes(data.getbuffer())
        os.replace(out / "state.pt.part", out / "state.pt")

    def go_on_from(self, out: Path) -> None:
        state: dict[str, Any] = torch.load(out / "state.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.trained_s, self.bad_steps = state["step"], state["trained_s"], state["bad_steps"]


def _last(x: torch.Tensor) -> torch.Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _batches(store: SceneStore, config: TrainConfig, from_step: int) -> Iterator[dict[str, torch.Tensor]]:
    window = Window(config.seed, from_step * config.batch, 1 << 40)
    loader = DataLoader(
        Samples(store, window),
        batch_size=config.batch,
        num_workers=config.workers,
        prefetch_factor=3 if config.workers else None,
        multiprocessing_context="spawn" if config.workers else None,
    )
    yield from loader


def run(
    scenes: Path,
    out: Path,
    config: TrainConfig,
    network: MaskNetworkConfig | None = None,
    validation: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    start: Path | None = None,
    trunk: Path | None = None,
) -> Trainer:
    """Train until the time or the steps are used up, going on from ``out`` if it holds a state.

    ``should_stop`` is asked before every step; a stopped run is saved and can go on. ``start`` is a checkpoint whose
    weights the run begins with and which decides the shape of the network; what it has seen is listed with the new.
    ``trunk`` is a file of weights for ``load_trunk``, given to a network that has none.

    Raises ``NoScenes``, ``BrokenCheckpoint``, ``UnknownTrunk`` and ``NonFiniteLoss``; what was saved before stays as
    it is.
    """
    store = SceneStore(scenes)
    held_out = SceneStore(validation) if validation else None
    torch.manual_seed(config.seed)
    begun = load_network(start).train() if start else MaskNetwork(network)
    trainer = Trainer(with_trunk(begun, load_trunk(trunk)) if trunk else begun, config)
    out.mkdir(parents=True, exist_ok=True)
    listed = (folder / "sources.json" for folder in (scenes, validation) if folder is not None)
    seen = training_parts(start) if start else []
    seen += [json.loads(path.read_text()) for path in listed if path.exists()]
    save_training_data(out / "checkpoint", [part for n, part in enumerate(seen) if part not in seen[:n]])
    if (out / "state.pt").exists():
        trainer.go_on_from(out)
    about = {"config": asdict(config), "network": asdict(trainer.network.config)}
    _report(out, {"scenes": len(store), "step": trainer.step, **about})
    last_save = last_validation = trainer.trained_s
    recent: list[dict[str, float]] = []
    batches = _batches(store, config, trainer.step)
    clock = time.monotonic()
    while trainer.progress < 1 and not should_stop():
        recent.append(trainer.learn(next(batches)))
        now = time.monotonic()
        trainer.trained_s, clock = trainer.trained_s + now - clock, now
        if len(recent) >= config.report_every:
            means = {name: sum(row.get(name, 0) for row in recent) / len(recent) for name in recent[-1]}
            _report(out, {"step": trainer.step, "seconds": round(trainer.trained_s, 1), "rate": trainer.rate, **means})
            recent = []
        if trainer.trained_s - last_save > config.save_every_s:
            trainer.save(out)
            last_save = trainer.trained_s
        if held_out and trainer.trained_s - last_validation > config.validate_every_s:
            _report(out, {"step": trainer.step, "validation": validate(trainer.averaged(), held_out)})
            last_validation, clock = trainer.trained_s, time.monotonic()
    trainer.save(out)
    if held_out and trainer.progress >= 1:
        _report(out, {"step": trainer.step, "validation": validate(trainer.averaged(), held_out)})
    return trainer


def _report(out: Path, row: dict[str, Any]) -> None:
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    sys.stderr.write(json.dumps(row) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.reflayer.tiny.train", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--scenes", type=Path, required=True, metavar="DIR")
    parser.add_argument("--validation", type=Path, metavar="DIR", help="scenes to validate on now and then")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--start", type=Path, metavar="DIR", help="a checkpoint to begin with")
    parser.add_argument("--trunk", type=Path, metavar="FILE", help="EfficientNet-Lite0 (.pth) to see with")
    parser.add_argument("--minutes", type=float, default=TrainConfig.minutes)
    parser.add_argument("--rate", type=float, default=TrainConfig.rate, help="highest learning rate")
    parser.add_argument("--second-from", type=float, default=TrainConfig.second_from, help="share of the run, 0..1")
    parser.add_argument("--steps", type=int, default=0, help="instead of a time")
    parser.add_argument("--batch", type=int, default=TrainConfig.batch)
    parser.add_argument("--widths", type=int, nargs=4, default=MaskNetworkConfig().widths)
    parser.add_argument("--bf16", action="store_true", help="autocast; pays on processors with AVX512-BF16 or AMX")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    config = TrainConfig(
        minutes=given.minutes,
        steps=given.steps,
        batch=given.batch,
        rate=given.rate,
        second_from=given.second_from,
        bf16=given.bf16,
        seed=given.seed,
    )
    try:
        network = MaskNetworkConfig(widths=tuple(given.widths))
        run(given.scenes, given.out, config, network, given.validation, stopped.is_set, given.start, given.trunk)
    except (NoScenes, BrokenCheckpoint, UnknownTrunk, NonFiniteLoss) as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
