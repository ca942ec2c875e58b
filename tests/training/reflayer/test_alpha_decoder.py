from __future__ import annotations

from itertools import islice

import pytest
import torch

from engine.records import PromptKind
from tests.training.reflayer import small
from training.reflayer import latents
from training.reflayer.alpha_decoder import AlphaDecoder, AlphaDecoderConfig
from training.reflayer.batches import Batch
from training.reflayer.dropout import DropoutConfig, draw
from training.reflayer.encoding import LatentEncoder
from training.reflayer.examples import CompositeExamples
from training.reflayer.flow import FlowConfig
from training.reflayer.latent_offset import LatentOffsetEncoder
from training.reflayer.losses import AlphaLossConfig
from training.reflayer.objectives import AlphaObjective
from training.reflayer.tensors import Tensors, to_tensors


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("transparency", "scale", "bias"), [("canvas_colour", 1, -4), ("dual_latent", 4, 0)])
@torch.no_grad()
def test_it_starts_as_the_mean_of_the_colour_decoder(transparency: str, scale: float, bias: float) -> None:
    vae, found = small.pipeline().vae, _noise(2, 16, 4, 6)
    logits = AlphaDecoder.from_vae(vae, transparency=transparency)(found, found)
    grey = latents.decode(vae, found).mean(dim=1, keepdim=True)
    assert torch.allclose(logits, (scale * grey + bias).expand(-1, 2, -1, -1), atol=1e-4)
    assert logits.shape == (2, 2, 32, 48)


@torch.no_grad()
def test_plain_canvas_starts_as_almost_transparent() -> None:
    """Whatever the autoencoder, a decoded mid grey (0) gives sigmoid(-4)."""
    decoder = AlphaDecoder.from_vae(small.pipeline().vae)
    assert float(torch.sigmoid(decoder.decoder.conv_out.bias - decoder.decoder.conv_out.bias.mean() - 4).max()) < 0.02


@torch.no_grad()
def test_the_sources_skip_starts_at_nothing_and_can_be_left_out() -> None:
    vae, found = small.pipeline().vae, _noise(1, 16, 4, 4)
    with_skip, without = AlphaDecoder.from_vae(vae), AlphaDecoder.from_vae(vae, AlphaDecoderConfig(skip="none"))
    assert torch.equal(with_skip(found, _noise(1, 16, 4, 4, seed=1)), without(found, found))


@torch.no_grad()
def test_mattes_are_float32_under_autocast() -> None:
    decoder, found = AlphaDecoder.from_vae(small.pipeline().vae), _noise(1, 16, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = decoder(found, found)
    assert logits.dtype is torch.float32
    assert len(logits.unique()) > 1000


def test_an_autoencoder_of_another_family_is_refused() -> None:
    vae = small.pipeline().vae
    vae.post_quant_conv = torch.nn.Conv2d(16, 16, 1)
    with pytest.raises(ValueError, match="post_quant_conv"):
        AlphaDecoder.from_vae(vae)


def _batch(count: int) -> Batch:
    """Foregrounds only: a background's alpha is 1 without looking."""
    examples = CompositeExamples(100, 7, small.SIZE_PX)
    found = (examples[index] for index in range(100))
    objects = islice((one for one in found if one.prompt.kind is not PromptKind.BACKGROUND), count)
    rows = [to_tensors(one, 32, 32) for one in objects]
    pixels = Tensors(**{key: torch.stack([row[key] for row in rows]) for key in rows[0]})
    return Batch([""] * count, [""] * count, pixels)


def test_after_training_alpha_depends_on_the_latent_and_not_on_the_skip_alone() -> None:
    """With generous skips the latent carried nothing in the small trial: zeros gave the same alpha."""
    pipeline = small.pipeline()
    encoder = LatentEncoder(pipeline.vae, "canvas_colour", 0.5, FlowConfig())
    objective = AlphaObjective(pipeline.alpha_decoder, encoder, AlphaLossConfig())
    objective.module.requires_grad_(True)
    optimiser = torch.optim.AdamW(objective.module.parameters(), lr=1e-2)
    batch = _batch(8)
    batch.latents = encoder(batch.pixels)
    losses = []
    for step in range(80):
        loss, _ = objective.loss(objective.module, batch, torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    with torch.no_grad():
        source, target = batch.latents["source"], batch.latents["target_mean"]
        alpha = torch.sigmoid(pipeline.alpha_decoder(target, source))[:, :1]
        blind = torch.sigmoid(pipeline.alpha_decoder(torch.zeros_like(target), source))[:, :1]
    truth = batch.pixels["alpha"]
    assert losses[-1] < 0.3 * losses[0]
    assert float((blind - truth).abs().mean()) > 3 * float((alpha - truth).abs().mean())


@torch.no_grad()
def test_the_offset_starts_at_nothing_and_has_the_latents_size() -> None:
    encoder = LatentOffsetEncoder(16, (32, 64, 128, 256))
    offsets = encoder(torch.rand(2, 1, 64, 48), torch.rand(2, 3, 64, 48))
    assert torch.equal(offsets, torch.zeros(2, 16, 8, 6))


def test_stage_a_teaches_the_offset_to_tell_alpha() -> None:
    pipeline = small.pipeline(transparency="latent_offset")
    encoder = LatentEncoder(pipeline.vae, "latent_offset", 0.5, FlowConfig())
    objective = AlphaObjective(pipeline.alpha_decoder, encoder, AlphaLossConfig(), pipeline.offset_encoder)
    objective.module.requires_grad_(True)
    batch = _batch(2)
    loss, terms = objective.loss(objective.module, batch, torch.Generator().manual_seed(0))
    loss.backward()
    assert "colours_kept" in terms
    assert pipeline.offset_encoder.layers[-1].weight.grad.abs().sum() > 0


def test_stage_c_reads_sampled_latents_for_half_of_the_samples() -> None:
    pipeline = small.pipeline()
    encoder = LatentEncoder(pipeline.vae, "canvas_colour", 0.5, FlowConfig())
    objective = AlphaObjective(pipeline.alpha_decoder, encoder, AlphaLossConfig())
    seen: list[torch.Tensor] = []

    def remember(mean, std, source, alpha, rgb):
        seen.append(mean)
        return objective.module(mean, std, source, alpha, rgb)

    batch = _batch(8)
    batch.latents = encoder(batch.pixels)
    batch.extra = {"sampled": torch.full_like(batch.latents["target_mean"], 100.0)}
    objective.loss(remember, batch, torch.Generator().manual_seed(0))
    sampled = int((seen[0].mean(dim=(1, 2, 3)) > 50).sum())
    assert 1 <= sampled <= 7


def test_draws_are_a_function_of_the_generator() -> None:
    first, second = (draw(DropoutConfig(), 50, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first.text, second.text)
