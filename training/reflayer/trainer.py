"""The run: stage after stage, every step a function of configuration, data and seed, so it continues to the bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import nn

from engine.folder_output import write_atomically
from engine.revision import code_revision
from training.reflayer import checkpoint, run_state
from training.reflayer.batches import PlannedBatches, batches_from, fill_cache
from training.reflayer.buckets import BatchOrder
from training.reflayer.build import Data, OnProgress
from training.reflayer.card import Card
from training.reflayer.config import StageConfig, TrainConfig
from training.reflayer.ema import EMA, trained_tensors
from training.reflayer.encoding import LatentEncoder, TextEmbeddings
from training.reflayer.flow import RectifiedFlow
from training.reflayer.lora import add_lora, merge_lora, save_lora
from training.reflayer.metrics_log import MetricsLog, checked_trackers
from training.reflayer.objectives import AlphaObjective, FlowObjective, Objective
from training.reflayer.optimisation import GuardedStep, learning_rate, make_optimiser
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.run_state import Position
from training.reflayer.sampled import fill_sampled
from training.reflayer.tensor_cache import TensorCache, fingerprint
from training.reflayer.validation import Report, validate

CHECKPOINT, STATE, SAMPLES = "checkpoint", "state", "samples"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Stopped(Exception):
    """The run was asked to stop; its state is on disk."""


class Trainer:
    """Trains ``pipeline`` in place and leaves checkpoint, states, metrics and sample grids in ``out``.

    ``should_stop`` is asked before every step. One wrapped module per stage goes through accelerate, so several
    devices see a single forward.
    """

    def __init__(
        self,
        config: TrainConfig,
        pipeline: RefLayerPipeline,
        data: Data,
        out: Path,
        on_progress: OnProgress = lambda what, done, total: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.config, self.pipeline, self.data, self.out = config, pipeline, data, out
        self._on_progress, self._should_stop = on_progress, should_stop
        self.accelerator = Accelerator(
            mixed_precision="bf16" if config.precision == "bfloat16" else "no",
            log_with=checked_trackers(config.trackers) or None,
            project_dir=str(out),
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=False)],
        )
        self._cache_folder = Path(config.cache) if config.cache else out / "cache"
        self._prepare_parts()

    def _prepare_parts(self) -> None:
        """Freeze everything; stages thaw what they train. Frozen parts take the run's precision."""
        parts = [part for part in self.pipeline.components.values() if isinstance(part, nn.Module)]
        for part in parts:
            part.requires_grad_(False).eval()
        frozen = [self.pipeline.vae, self.pipeline.text_encoder, self.pipeline.text_encoder_2]
        frozen += [self.pipeline.text_encoder_3] if self.pipeline.text_encoder_3 is not None else []
        for part in frozen:
            part.to(DTYPES[self.config.precision])
        self.pipeline.to(self.accelerator.device)
        self.pipeline.set_progress_bar_config(disable=True)

    @property
    def _share(self) -> tuple[int, int]:
        return self.accelerator.process_index, self.accelerator.num_processes

    def run(self, position: Position | None = None, state: Path | None = None) -> dict[str, float]:
        """Train from ``position`` (with the ``state`` folder of it) to the end; returns the last validation's numbers.

        Raises ``Stopped`` when asked to stop, ``TrainingDiverged`` and ``NonFiniteWeights`` with the last good state
        and checkpoint untouched.
        """
        start = position or Position(0, 0)
        log = MetricsLog(self.out, self.accelerator, position)
        self.accelerator.init_trackers("reflayer")
        numbers: dict[str, float] = {}
        for number in range(start.stage, len(self.config.stages)):
            here = start if number == start.stage else Position(number, 0)
            numbers = self._stage(here, state if number == start.stage else None, log)
        self.accelerator.end_training()
        return numbers

    def _stage(self, start: Position, state: Path | None, log: MetricsLog) -> dict[str, float]:
        config = self.config.stages[start.stage]
        encoder, texts = self._encoder(config), self._texts()
        planned = self._planned(config, encoder, texts)
        objective = self._objective(config, encoder, texts)
        ema = EMA(objective.module, config.ema_decay)
        optimiser = make_optimiser(trained_tensors(objective.module).values(), config.optimiser)
        if state is not None:
            run_state.load(state, objective.module, ema, optimiser)
        module = self.accelerator.prepare(objective.module)
        self._steps(start, config, objective, module, planned, ema, optimiser, log, (encoder, texts))
        self.accelerator.unwrap_model(module, keep_fp32_wrapper=False)
        self.accelerator.free_memory()
        ema.copy_to(objective.module)
        if config.name == "B" and self.config.lora is not None:
            if self.accelerator.is_main_process:
                save_lora(self.pipeline.network, self.out / "adapter")
            merge_lora(self.pipeline.network)
            self.pipeline.network.to(DTYPES[self.config.precision])
        objective.module.requires_grad_(False).eval()
        report = self._validate(Position(start.stage, config.steps), config, encoder, texts, log)
        if self.accelerator.is_main_process:
            checkpoint.save_pipeline(self.pipeline, self.out / CHECKPOINT, self._card(start.stage + 1, report.numbers))
        self.accelerator.wait_for_everyone()
        return report.numbers

    def _steps(
        self,
        start: Position,
        config: StageConfig,
        objective: Objective,
        module: Any,
        planned: PlannedBatches,
        ema: EMA,
        optimiser: torch.optim.AdamW,
        log: MetricsLog,
        frozen: tuple[LatentEncoder, TextEmbeddings],
    ) -> None:
        rank, ranks = self._share
        order = BatchOrder(
            planned.examples, self.config.buckets, config.batch_size, self.config.seed + start.stage, rank, ranks
        )
        device = self.accelerator.device
        batches = batches_from(
            planned, order, start.step * config.accumulate, self.config.data.workers, pin=device.type == "cuda"
        )
        guarded = GuardedStep(optimiser, config.optimiser)
        module.train()
        since, since_step = time.monotonic(), start.step
        for step in range(start.step, config.steps):
            if self._is_stopping():
                self._save_state(Position(start.stage, step), objective.module, ema, optimiser)
                raise Stopped(f"stopped after step {step} of stage {config.name}")
            parts: dict[str, torch.Tensor] = {}
            for micro in range(config.accumulate):
                batch = next(batches).to(device)
                generator = seeded(self.config.seed, start.stage, rank, step, micro)
                is_last = micro == config.accumulate - 1
                with nullcontext() if is_last else self.accelerator.no_sync(module):
                    loss, parts = objective.loss(module, batch, generator)
                    self.accelerator.backward(loss / config.accumulate)
            lr = learning_rate(step, config.steps, config.optimiser)
            norm = guarded(lr)
            ema.update(objective.module, step)
            here = Position(start.stage, step + 1)
            if here.step % config.log_every == 0 or here.step == config.steps:
                now = time.monotonic()
                rate = (here.step - since_step) * config.batch_size * config.accumulate * ranks / (now - since)
                since, since_step = now, here.step
                numbers = {"loss": float(loss.detach()), **{name: float(part) for name, part in parts.items()}}
                numbers |= {"lr": lr, "grad_norm": norm, "samples_per_s": rate, "skipped": float(guarded.skipped)}
                log.write(here, config.name, "train", numbers)
            self._on_progress(f"stage {config.name}", here.step, config.steps)
            if here.step % config.save_every == 0 or here.step == config.steps:
                self._save_state(here, objective.module, ema, optimiser)
            if here.step % self.config.validation.every == 0 and here.step < config.steps:
                with ema.applied_to(objective.module):
                    self._validate(here, config, *frozen, log)
                module.train()

    def _is_stopping(self) -> bool:
        """Whether any process was asked to stop: all leave the loop at the same step, or none."""
        asked = self._should_stop()
        if self.accelerator.num_processes == 1:
            return asked
        flag = torch.tensor(float(asked), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum").item())

    def _save_state(self, position: Position, module: nn.Module, ema: EMA, optimiser: torch.optim.AdamW) -> None:
        if self.accelerator.is_main_process:
            run_state.save(self.out / STATE, position, module, ema, optimiser)
        self.accelerator.wait_for_everyone()

    def _encoder(self, stage: StageConfig) -> LatentEncoder:
        """In stage A the offset encoder is still learning, so its offset is added in the objective, not here."""
        offset = None if stage.name == "A" else self.pipeline.offset_encoder
        return LatentEncoder(
            self.pipeline.vae, self.config.transparency, self.config.canvas_colour, self.config.flow, offset
        )

    def _texts(self) -> TextEmbeddings:
        parts = {
            f"text_encoder{suffix}": getattr(self.pipeline, f"text_encoder{suffix}") for suffix in ("", "_2", "_3")
        }
        key = fingerprint(parts, dtype=self.pipeline.text_encoder.dtype, t5_tokens=self.pipeline.config.t5_tokens)
        cache = TensorCache(self._cache_folder / "texts", key) if self.config.is_cached else None
        return TextEmbeddings(self.pipeline.encode_texts, cache)

    def _planned(self, stage: StageConfig, encoder: LatentEncoder, texts: TextEmbeddings) -> PlannedBatches:
        """The training set with all that is encoded beforehand."""
        examples, cache = self.data.train, None
        if self.config.is_cached:
            cache = TensorCache(self._cache_folder / "latents", encoder.fingerprint())
            met = fill_cache(
                examples,
                self.config.buckets,
                encoder,
                cache,
                stage.batch_size,
                lambda done, total: self._on_progress("encoding", done, total),
                self._share,
            )
            texts(["", *met])
            self.accelerator.wait_for_everyone()
        planned = PlannedBatches(examples, cache, needs_pixels=stage.name != "B")
        if stage.name == "C":
            network = fingerprint({"network": self.pipeline.network}, steps=stage.sampling_steps)
            planned.extra = TensorCache(self._cache_folder / "sampled", f"{network}-{encoder.fingerprint()}")
            fill_sampled(
                self.pipeline,
                PlannedBatches(examples, cache, needs_pixels=False),
                self.config.buckets,
                encoder,
                texts,
                planned.extra,
                stage.batch_size,
                stage.sampling_steps,
                lambda done, total: self._on_progress("sampling", done, total),
                self._share,
            )
            self.accelerator.wait_for_everyone()
        return planned

    def _objective(self, stage: StageConfig, encoder: LatentEncoder, texts: TextEmbeddings) -> Objective:
        """The stage's objective with what it trains thawed."""
        if stage.name != "B":
            offset = self.pipeline.offset_encoder if stage.name == "A" else None
            alpha = AlphaObjective(self.pipeline.alpha_decoder, encoder, self.config.alpha_loss, offset)
            alpha.module.requires_grad_(True)
            if self.config.gradient_checkpointing:
                self.pipeline.alpha_decoder.enable_gradient_checkpointing()
            return alpha
        network = self.pipeline.network
        if self.config.lora is not None:
            network.transformer.to(DTYPES[self.config.precision])
            add_lora(network, self.config.lora, self.config.seed)
        else:
            network.requires_grad_(True)
        if self.config.gradient_checkpointing:
            network.transformer.enable_gradient_checkpointing()
        flow = RectifiedFlow(self.pipeline.scheduler, self.config.flow)
        return FlowObjective(network, flow, self.config.dropout, encoder, texts)

    def _validate(
        self, position: Position, stage: StageConfig, encoder: LatentEncoder, texts: TextEmbeddings, log: MetricsLog
    ) -> Report:
        for part in (self.pipeline.transformer, self.pipeline.injector, self.pipeline.alpha_decoder):
            part.eval()
        with self.accelerator.autocast():
            report = validate(
                self.pipeline,
                encoder,
                texts,
                self.data.held_out,
                self.config.buckets,
                self.config.validation,
                is_sampled=stage.name != "A",
            )
        log.write(position, stage.name, "validation", report.numbers)
        if self.accelerator.is_main_process:
            name = f"{position.stage:02}-{stage.name}-{position.step:08}.png"
            write_atomically(self.out / SAMPLES / name, report.grid_png)
        return report

    def _card(self, stages_done: int, numbers: dict[str, float]) -> Card:
        parts = ("transformer", "injector", "alpha_decoder", "vae")
        counts = {name: sum(p.numel() for p in getattr(self.pipeline, name).parameters()) for name in parts}
        return Card(
            name=self.config.name,
            data=self.data.name,
            data_digest=self.data.digest,
            code_revision=code_revision(),
            config=self.config.to_json(),
            base=self.config.base,
            metrics=numbers,
            parameters=counts,
            stages_done=stages_done,
        )


def seeded(*numbers: int) -> torch.Generator:
    """A CPU generator that depends on all numbers."""
    word = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(word >> 1)
