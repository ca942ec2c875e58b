"""Training batches: latents from the cache where they are, pixels decoded only when somebody needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.reflayer.buckets import BatchOrder, BatchPlan, BucketConfig, Size, bucket_of, buckets
from training.reflayer.encoding import LatentEncoder, Latents
from training.reflayer.examples import Examples
from training.reflayer.tensor_cache import TensorCache, name_of
from training.reflayer.tensors import Tensors, to_tensors


@dataclass(slots=True, eq=False)
class Batch:
    """Examples of one size. ``pixels`` and ``latents`` are there as far as they were asked for or cached."""

    keys: list[str]
    texts: list[str]
    pixels: Tensors | None = None
    latents: Latents | None = None
    extra: dict[str, Tensor] = field(default_factory=dict)
    """From the second cache: latents the network sampled, for stage C."""

    def to(self, device: Any) -> Batch:
        def moved(tensors: Any) -> Any:
            if tensors is None:
                return None
            return {key: tensor.to(device, non_blocking=True) for key, tensor in tensors.items()}

        return Batch(self.keys, self.texts, moved(self.pixels), moved(self.latents), moved(self.extra))


def entry_name(key: str, size_wh: Size) -> str:
    return name_of(key, *size_wh)


def _stacked(rows: list[Any]) -> Any:
    return {key: torch.stack([row[key] for row in rows]) for key in rows[0]}


class PlannedBatches(Dataset[Batch]):
    """``dataset[plan]`` is the batch of a plan; safe to use from loader processes."""

    def __init__(
        self,
        examples: Examples,
        cache: TensorCache | None = None,
        needs_pixels: bool = True,
        extra: TensorCache | None = None,
    ) -> None:
        self.examples, self.cache, self.extra = examples, cache, extra
        self.needs_pixels = needs_pixels or cache is None

    def __getitem__(self, plan: BatchPlan) -> Batch:
        keys = [self.examples.key(index) for index in plan.indices]
        names = [entry_name(key, plan.size_wh) for key in keys]
        cached = [self.cache.get(name) for name in names] if self.cache else []
        is_cached = bool(cached) and all(entry is not None for entry in cached)
        batch = Batch(keys, [])
        if is_cached:
            entries = [entry for entry in cached if entry is not None]
            batch.latents = cast(Latents, _stacked([tensors for tensors, _ in entries]))
            batch.texts = [facts["prompt"] for _, facts in entries]
        if self.needs_pixels or not is_cached:
            found = [self.examples[index] for index in plan.indices]
            batch.pixels = cast(Tensors, _stacked([to_tensors(example, *plan.size_wh) for example in found]))
            batch.texts = [example.prompt.text for example in found]
        if self.extra:
            batch.extra = _stacked([_must(self.extra.get(name), name)[0] for name in names])
        return batch


def _must(entry: Any, name: str) -> Any:
    if entry is None:
        raise RuntimeError(f"cached tensors {name} are gone; start the stage again to make them anew")
    return entry


def batches_from(
    examples: PlannedBatches, order: BatchOrder, step: int, workers: int = 0, pin: bool = False
) -> Iterator[Batch]:
    """Endless batches from ``step`` on, in the order's order whatever the number of loader processes."""
    loader = DataLoader(
        examples,
        sampler=cast(Any, order.from_step(step)),
        batch_size=None,
        num_workers=workers,
        pin_memory=pin,
        prefetch_factor=4 if workers else None,
    )
    return iter(loader)


def fill_cache(
    examples: Examples,
    config: BucketConfig,
    encoder: LatentEncoder,
    cache: TensorCache,
    batch_size: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    share: tuple[int, int] = (0, 1),
) -> list[str]:
    """Encode what the cache lacks; returns the distinct texts met. ``share`` = (rank, ranks) splits the work.

    Continues where it stopped, since every entry is a file of its own.
    """
    among = buckets(config)
    waiting: dict[Size, list[int]] = {}
    texts: set[str] = set()
    mine = range(share[0], len(examples), share[1])
    done = 0

    def flush(size: Size) -> None:
        nonlocal done
        indices = waiting.pop(size, [])
        if not indices:
            return
        found = [examples[index] for index in indices]
        encoded = encoder(cast(Tensors, _stacked([to_tensors(example, *size) for example in found])))
        for place, example in enumerate(found):
            row = {key: cast(Tensor, tensor)[place] for key, tensor in encoded.items()}
            cache.put(entry_name(example.key, size), row, {"prompt": example.prompt.text})
            texts.add(example.prompt.text)
        done += len(indices)
        on_progress(done, len(mine))

    for index in mine:
        size = bucket_of(examples.size(index), among)
        entry = cache.get(entry_name(examples.key(index), size))
        if entry is not None:
            texts.add(entry[1]["prompt"])
            done += 1
            continue
        waiting.setdefault(size, []).append(index)
        if len(waiting[size]) == batch_size:
            flush(size)
    for size in list(waiting):
        flush(size)
    on_progress(len(mine), len(mine))
    return sorted(texts)
