"""Latents as the trained network samples them, once per example, for the alpha decoder to learn from (stage C)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from training.reflayer.batches import PlannedBatches, entry_name
from training.reflayer.buckets import BatchPlan, BucketConfig, Size, bucket_of, buckets
from training.reflayer.encoding import LatentEncoder, TextEmbeddings
from training.reflayer.examples import Examples
from training.reflayer.guidance import Conditions, Guidance
from training.reflayer.objectives import latents_of
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.sampling import sample_latents
from training.reflayer.tensor_cache import TensorCache, name_of


def fill_sampled(
    pipeline: RefLayerPipeline,
    batches: PlannedBatches,
    size: BucketConfig,
    encoder: LatentEncoder,
    texts: TextEmbeddings,
    cache: TensorCache,
    batch_size: int,
    steps: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    share: tuple[int, int] = (0, 1),
) -> None:
    """Sample, without guidance, what the cache lacks; ``share`` = (rank, ranks) splits the work."""
    examples = batches.examples
    mine = range(share[0], len(examples), share[1])
    done = 0
    for plan in _plans(examples, size, mine, batch_size):
        names = [entry_name(examples.key(index), plan.size_wh) for index in plan.indices]
        if any(cache.get(name) is None for name in names):
            batch = batches[plan].to(encoder.vae.device)
            encoded = latents_of(batch, encoder)
            dtype = pipeline.transformer.dtype
            text, pooled = (embedded.to(encoder.vae.device, dtype) for embedded in texts(batch.texts))
            source, canvas = encoded["source"].to(dtype), encoded["canvas"].to(dtype)
            given = Conditions(source, canvas, text, pooled, text[:1], pooled[:1], has_text=True)
            shape = encoded["target_mean"].shape[1:]
            noise = torch.stack([_noise_of(key, shape) for key in batch.keys]).to(source.device)
            found = sample_latents(pipeline.network, pipeline.scheduler, given, noise, steps, Guidance(1.0, 1.0))
            for name, latent in zip(names, found, strict=True):
                cache.put(name, {"sampled": latent})
        done += len(plan.indices)
        on_progress(done, len(mine))


def _noise_of(key: str, shape: torch.Size) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(int(name_of("sampled", key)[:12], 16)))


def _plans(examples: Examples, size: BucketConfig, mine: range, batch_size: int) -> Iterator[BatchPlan]:
    among = buckets(size)
    waiting: dict[Size, list[int]] = {}
    for index in mine:
        waiting.setdefault(bucket_of(examples.size(index), among), []).append(index)
    for bucket, indices in waiting.items():
        for start in range(0, len(indices), batch_size):
            yield BatchPlan(bucket, tuple(indices[start : start + batch_size]))
