"""Training samples a second of the RefLayer trainer against the loop of diffusers' SD3 example, same tiny network.

The example (``examples/dreambooth/train_dreambooth_sd3.py``, its LoRA sister caches latents) is rebuilt here step by
step as it is published: live encoding of the target by the autoencoder and of the texts, the search for each sample's
noise level with ``.item()``, AdamW, clipping. It gets the same 48-channel network, the same pictures and the same
batch. Both loops take turns, so that a busy machine slows both. "cached" is the example with its latents and texts
computed before, which leaves only the step itself to differ.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from training.recipes import tiny_cpu
from training.reflayer import latents
from training.reflayer.batches import Batch, PlannedBatches, batches_from, fill_cache
from training.reflayer.buckets import BatchOrder
from training.reflayer.ema import EMA
from training.reflayer.encoding import LatentEncoder, TextEmbeddings
from training.reflayer.examples import CompositeExamples
from training.reflayer.flow import RectifiedFlow
from training.reflayer.loading import from_base
from training.reflayer.objectives import FlowObjective
from training.reflayer.optimisation import GuardedStep, OptimiserConfig, make_optimiser
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.scratch import scratch_sd3
from training.reflayer.tensor_cache import TensorCache
from training.reflayer.trainer import seeded

BATCH, ROUNDS, STEPS, PICTURES = 8, 6, 5, 32
CONFIG = tiny_cpu()


def _pipeline() -> RefLayerPipeline:
    base = scratch_sd3(CONFIG.scratch, 0)
    pipeline = from_base(
        base, CONFIG.injector, CONFIG.alpha_decoder, CONFIG.transparency, CONFIG.canvas_colour, 128, CONFIG.offset_gain
    )
    pipeline.vae.requires_grad_(False)
    return pipeline


class Ours:
    """Stage B of the trainer, step for step, with its cache on disk, its average and its guard."""

    def __init__(self, pipeline: RefLayerPipeline, examples: CompositeExamples, folder: Path) -> None:
        encoder = LatentEncoder(pipeline.vae, CONFIG.transparency, CONFIG.canvas_colour, CONFIG.flow)
        cache = TensorCache(folder / "latents", encoder.fingerprint())
        met = fill_cache(examples, CONFIG.buckets, encoder, cache, BATCH)
        texts = TextEmbeddings(pipeline.encode_texts, TensorCache(folder / "texts", "t"))
        texts(["", *met])
        flow = RectifiedFlow(pipeline.scheduler, CONFIG.flow)
        self.objective = FlowObjective(pipeline.network, flow, CONFIG.dropout, encoder, texts)
        self.objective.module.requires_grad_(True)
        self.ema = EMA(self.objective.module, 0.999)
        self.guarded = GuardedStep(
            make_optimiser(self.objective.module.parameters(), OptimiserConfig(lr=1e-4)), OptimiserConfig()
        )
        order = BatchOrder(examples, CONFIG.buckets, BATCH, 0)
        self.batches = batches_from(PlannedBatches(examples, cache, needs_pixels=False), order, 0)
        self.done = 0

    def step(self) -> None:
        loss, _ = self.objective.loss(self.objective.module, next(self.batches), seeded(0, self.done))
        loss.backward()
        self.guarded(1e-4)
        self.ema.update(self.objective.module, self.done)
        self.done += 1


class Example:
    """The published loop on the same network; conditions are encoded like the target."""

    def __init__(self, pipeline: RefLayerPipeline, examples: CompositeExamples, is_cached: bool) -> None:
        self.pipeline = pipeline
        order = BatchOrder(examples, CONFIG.buckets, BATCH, 0)
        planned = PlannedBatches(examples)
        epoch = [planned[plan] for plan in islice(order.from_step(0), order.per_epoch)]  # decoded once, as it does
        self.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
        self.transformer = pipeline.transformer.requires_grad_(True)
        self.parameters = list(self.transformer.parameters())
        self.optimiser = torch.optim.AdamW(self.parameters, lr=1e-4, weight_decay=1e-4)
        self.kept = [self._encoded(batch) for batch in epoch] if is_cached else []
        self.epoch = epoch
        self.turn = self._turns()

    def _turns(self) -> Iterator[int]:
        while True:
            yield from range(len(self.epoch))

    @torch.no_grad()
    def _encoded(self, batch: Batch) -> tuple[Any, ...]:
        pixels = batch.pixels
        assert pixels is not None
        shift, scale = latents.shift_and_scale(self.pipeline.vae)
        target = pixels["alpha"] * pixels["rgb"]
        encoded = [self.pipeline.vae.encode(p).latent_dist for p in (target, pixels["source"], pixels["canvas"])]
        model_input = (encoded[0].sample() - shift) * scale
        conditions = [(posterior.mode() - shift) * scale for posterior in encoded[1:]]
        return model_input, *conditions, *self.pipeline.encode_texts(batch.texts)

    def _sigmas(self, timesteps: torch.Tensor) -> torch.Tensor:
        places = [(self.scheduler.timesteps == t).nonzero().item() for t in timesteps]
        return self.scheduler.sigmas[places].flatten()[:, None, None, None]

    def step(self) -> None:
        from diffusers.training_utils import compute_density_for_timestep_sampling, compute_loss_weighting_for_sd3

        turn = next(self.turn)
        model_input, source, canvas, text, pooled = self.kept[turn] if self.kept else self._encoded(self.epoch[turn])
        noise = torch.randn_like(model_input)
        u = compute_density_for_timestep_sampling("logit_normal", len(noise), 0.0, 1.0)
        timesteps = self.scheduler.timesteps[(u * 1000).long()]
        sigmas = self._sigmas(timesteps)
        noisy = (1.0 - sigmas) * model_input + sigmas * noise
        answer = self.transformer(
            hidden_states=torch.cat([noisy, source, canvas], dim=1),
            timestep=timesteps,
            encoder_hidden_states=text,
            pooled_projections=pooled,
            return_dict=False,
        )[0]
        answer = answer * (-sigmas) + noisy  # its default: preconditioned outputs
        weighting = compute_loss_weighting_for_sd3("logit_normal", sigmas)
        loss = torch.mean((weighting.float() * (answer.float() - model_input.float()) ** 2).reshape(len(noise), -1), 1)
        loss.mean().backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()


def _seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    return (time.perf_counter() - started) / STEPS


@pytest.fixture
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
def test_training_throughput(bench: Callable[..., None], tmp_path: Path) -> None:
    examples = CompositeExamples(PICTURES, 0, 128)
    loops = {
        "RefLayer": Ours(_pipeline(), examples, tmp_path),
        "example": Example(_pipeline(), examples, is_cached=False),
        "example, cached": Example(_pipeline(), examples, is_cached=True),
    }
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(ROUNDS + 1):
        for name, loop in loops.items():
            seconds = _seconds(loop.step)
            if number:  # the first round warms up
                taken[name].append(seconds)
    rate = {name: BATCH / statistics.median(times) for name, times in taken.items()}
    parameters = sum(p.numel() for p in loops["RefLayer"].objective.module.parameters())
    note = f"{parameters / 1e6:.1f}M parameters, 128 px, batch {BATCH}, one thread, {ROUNDS} rounds of {STEPS} steps"
    for name, value in rate.items():
        bench(f"training, {name}", value, "sample/s", note)
    for other in ("example", "example, cached"):
        pairs = [theirs / ours for ours, theirs in zip(taken["RefLayer"], taken[other], strict=True)]
        bench(f"training, RefLayer against {other}", statistics.median(pairs), "times", "median of paired rounds")
    assert all(value > 0 for value in rate.values())
