from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch

from tests.training.reflayer import small
from training.reflayer.batches import Batch, PlannedBatches, batches_from, fill_cache
from training.reflayer.buckets import BatchOrder, BatchPlan, BucketConfig
from training.reflayer.dropout import DropoutConfig
from training.reflayer.encoding import LatentEncoder, TextEmbeddings
from training.reflayer.examples import CompositeExamples
from training.reflayer.flow import FlowConfig, RectifiedFlow
from training.reflayer.objectives import FlowObjective
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.tensor_cache import TensorCache, fingerprint, name_of

SIZE = BucketConfig(small.SIZE_PX, 16)
PLAN = BatchPlan((small.SIZE_PX, small.SIZE_PX), (4, 1, 2))


def _encoder(pipeline: RefLayerPipeline) -> LatentEncoder:
    return LatentEncoder(pipeline.vae, "canvas_colour", 0.5, FlowConfig())


def _filled(folder: Path, pipeline: RefLayerPipeline, examples: CompositeExamples) -> TensorCache:
    encoder = _encoder(pipeline)
    cache = TensorCache(folder, encoder.fingerprint())
    fill_cache(examples, SIZE, encoder, cache, batch_size=4)
    return cache


def _loss(pipeline: RefLayerPipeline, batch: Batch, texts: TextEmbeddings) -> float:
    flow = RectifiedFlow(pipeline.scheduler)
    objective = FlowObjective(pipeline.network, flow, DropoutConfig(), _encoder(pipeline), texts)
    with torch.no_grad():
        return float(objective.loss(pipeline.network, batch, torch.Generator().manual_seed(8))[0])


def test_the_loss_is_the_same_cached_and_live(tmp_path: Path) -> None:
    pipeline, examples = small.pipeline(), CompositeExamples(6, 0, small.SIZE_PX)
    cache = _filled(tmp_path, pipeline, examples)
    texts = TensorCache(tmp_path / "texts", "x")
    TextEmbeddings(pipeline.encode_texts, texts)(["", "background"])
    live = PlannedBatches(examples)[PLAN]
    cached = PlannedBatches(examples, cache, needs_pixels=False)[PLAN]
    assert live.latents is None
    assert cached.pixels is None
    assert cached.texts == live.texts
    from_live = _loss(pipeline, live, TextEmbeddings(pipeline.encode_texts))
    from_cache = _loss(pipeline, cached, TextEmbeddings(pipeline.encode_texts, texts))
    assert from_cache == pytest.approx(from_live, rel=1e-5)


def test_with_a_full_cache_nothing_is_decoded(tmp_path: Path) -> None:
    pipeline, examples = small.pipeline(), CompositeExamples(6, 0, small.SIZE_PX)
    cache = _filled(tmp_path, pipeline, examples)

    class Unreadable(CompositeExamples):
        def __getitem__(self, index: int):
            raise AssertionError("decoded")

    blind = Unreadable(6, 0, small.SIZE_PX)
    assert PlannedBatches(blind, cache, needs_pixels=False)[PLAN].latents is not None
    fill_cache(blind, SIZE, _encoder(pipeline), cache, batch_size=4)


def test_a_damaged_entry_is_made_anew(tmp_path: Path) -> None:
    pipeline, examples = small.pipeline(), CompositeExamples(3, 0, small.SIZE_PX)
    cache = _filled(tmp_path, pipeline, examples)
    damaged = next(cache.folder.glob("*/*.safetensors"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    fill_cache(examples, SIZE, _encoder(pipeline), cache, batch_size=4)
    assert damaged.stat().st_size == len(whole)


def test_other_weights_precision_or_canvas_have_other_caches() -> None:
    pipeline = small.pipeline()
    names = {
        _encoder(pipeline).fingerprint(),
        LatentEncoder(pipeline.vae, "canvas_colour", 1.0, FlowConfig()).fingerprint(),
    }
    pipeline.vae.to(torch.bfloat16)
    names.add(_encoder(pipeline).fingerprint())
    names.add(_encoder(small.pipeline(seed=1)).fingerprint())
    assert len(names) == 4
    assert _encoder(small.pipeline()).fingerprint() in names


def test_one_changed_value_changes_the_fingerprint() -> None:
    layer = torch.nn.Linear(8, 8)
    before = fingerprint({"layer": layer})
    with torch.no_grad():
        layer.weight[3, 3] += 1
    assert fingerprint({"layer": layer}) != before


def test_text_embeddings_come_back_whole_though_zeros_are_not_stored(tmp_path: Path) -> None:
    calls = []

    def encode(texts):
        calls.append(list(texts))
        padded = torch.zeros(len(texts), 9, 4)
        padded[:, :5] = torch.arange(20.0).reshape(5, 4)
        return padded, torch.ones(len(texts), 3)

    cache = TensorCache(tmp_path, "t")
    first = TextEmbeddings(encode, cache)(["a", "a", "b"])
    second = TextEmbeddings(encode, cache)(["a", "a", "b"])
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert calls == [["a"], ["b"]]
    assert cache.get(name_of("text", "a"))[0]["text"].shape == (5, 4)


def test_loader_processes_change_nothing() -> None:
    examples = CompositeExamples(6, 0, small.SIZE_PX)
    order = BatchOrder(examples, SIZE, 2, seed=0)
    alone, shared = (
        [batch.keys for batch in islice(batches_from(PlannedBatches(examples), order, 1, workers), 4)]
        for workers in (0, 2)
    )
    assert alone == shared
