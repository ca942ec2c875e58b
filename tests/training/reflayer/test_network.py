from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import SD3Transformer2DModel

from tests.training.reflayer import small
from training.reflayer.checkpoint import quietly
from training.reflayer.injector import InjectorConfig, RefLayerInjector
from training.reflayer.loading import load_base
from training.reflayer.network import RefLayerNetwork, from_sd3
from training.reflayer.scratch import scratch_sd3

CONFIGS = [InjectorConfig("compress_conv", 1), InjectorConfig("compress_conv", 3), InjectorConfig("expand_embed")]
SD3_MEDIUM = {
    "sample_size": 128, "num_layers": 24, "attention_head_dim": 64, "num_attention_heads": 24,
    "joint_attention_dim": 4096, "caption_projection_dim": 1536, "pooled_projection_dim": 2048,
    "pos_embed_max_size": 192,
}  # fmt: skip
SD35_MEDIUM = SD3_MEDIUM | {
    "qk_norm": "rms_norm", "dual_attention_layers": tuple(range(13)), "pos_embed_max_size": 384,
}  # fmt: skip


def _inputs(batch: int = 2, height: int = 8, width: int = 6, channels: int = 16) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return {
        "noisy": noise(batch, channels, height, width),
        "timesteps": torch.linspace(20.0, 900.0, batch),
        "source": noise(batch, 16, height, width),
        "canvas": noise(batch, 16, height, width),
        "text": noise(batch, 5, 32),
        "pooled": noise(batch, 32),
        "has_source": torch.ones(batch, dtype=torch.bool),
        "has_canvas": torch.ones(batch, dtype=torch.bool),
    }


def _transformer(seed: int = 0) -> SD3Transformer2DModel:
    return scratch_sd3(small.SCRATCH, seed).transformer.eval()


@torch.no_grad()
def _base_answer(transformer: SD3Transformer2DModel, given: dict[str, torch.Tensor]) -> torch.Tensor:
    return transformer(given["noisy"][:, :16], given["text"], given["pooled"], given["timesteps"], return_dict=False)[0]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.injection}-{c.kernel_size}")
@pytest.mark.parametrize("size", [(8, 6), (16, 16), (2, 2)])
def test_at_step_0_the_network_is_the_base_to_the_bit(config: InjectorConfig, size: tuple[int, int]) -> None:
    given = _inputs(3, *size)
    base = _base_answer(_transformer(), given)
    network = from_sd3(_transformer(), config)
    with torch.no_grad():
        answer = network(**given)
    assert torch.equal(answer, base)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.injection}-{c.kernel_size}")
def test_with_a_second_latent_the_first_half_is_the_base_to_the_bit(config: InjectorConfig) -> None:
    given = _inputs(channels=32)
    base = _base_answer(_transformer(), given)
    network = from_sd3(_transformer(), config, "dual_latent")
    with torch.no_grad():
        answer = network(**given)
    assert torch.equal(answer[:, :16], base)
    assert answer.shape == (2, 32, 8, 6)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.injection}-{c.kernel_size}")
def test_the_new_weights_get_a_gradient_at_the_first_step(config: InjectorConfig) -> None:
    network = from_sd3(_transformer(), config)
    network(**_inputs()).square().mean().backward()
    layer = network.injector.conv or network.transformer.pos_embed.proj
    assert (layer.weight.grad[:, 16:32].abs().mean() > 0) & (layer.weight.grad[:, 32:48].abs().mean() > 0)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.injection}-{c.kernel_size}")
def test_conditions_stand_behind_the_noisy_latent_source_first(config: InjectorConfig) -> None:
    network = from_sd3(_transformer(), config)
    layer = network.injector.conv or network.transformer.pos_embed.proj
    with torch.no_grad():
        layer.weight[:, 16:32] = 0.1
    given = _inputs()
    changed = {name: given | {name: given[name] + 1} for name in ("source", "canvas")}
    with torch.no_grad():
        answer, by_source, by_canvas = network(**given), network(**changed["source"]), network(**changed["canvas"])
    assert not torch.equal(answer, by_source)
    assert torch.equal(answer, by_canvas)


def _seeing(injection: str = "expand_embed") -> RefLayerNetwork:
    """A network whose conditions have an effect, as after some training."""
    network = from_sd3(_transformer(), InjectorConfig(injection))
    layer = network.injector.conv or network.transformer.pos_embed.proj
    torch.nn.init.normal_(layer.weight, std=0.2, generator=torch.Generator().manual_seed(1))
    return network


@torch.no_grad()
def test_a_dropped_canvas_is_the_learned_null_and_not_zeros() -> None:
    network, given = _seeing(), _inputs()
    network.injector.null_canvas.normal_(generator=torch.Generator().manual_seed(2))
    without = given | {"has_canvas": torch.tensor([True, False])}
    null = given | {"canvas": network.injector.null_canvas.expand_as(given["canvas"])}
    zeros = given | {"canvas": torch.zeros_like(given["canvas"])}
    answer = network(**without)
    assert torch.equal(answer[0], network(**given)[0])
    assert torch.equal(answer[1], network(**null)[1])
    assert not torch.equal(answer[1], network(**zeros)[1])


def test_the_null_canvas_learns_from_samples_without_canvas() -> None:
    network, given = _seeing(), _inputs()
    network(**given | {"has_canvas": torch.tensor([True, True])}).mean().backward()
    assert network.injector.null_canvas.grad.abs().sum() == 0
    network(**given | {"has_canvas": torch.tensor([True, False])}).mean().backward()
    assert network.injector.null_canvas.grad.abs().sum() > 0


@torch.no_grad()
def test_a_dropped_source_is_zeros() -> None:
    network, given = _seeing("compress_conv"), _inputs()
    without = given | {"has_source": torch.tensor([False, True])}
    zeros = given | {"source": torch.zeros_like(given["source"])}
    assert torch.equal(network(**without)[0], network(**zeros)[0])
    assert torch.equal(network(**without)[1], network(**given)[1])


def test_a_widened_transformer_is_not_widened_again() -> None:
    widened = from_sd3(_transformer(), InjectorConfig("expand_embed")).transformer
    with pytest.raises(ValueError, match="48"):
        from_sd3(widened)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"injection": "adapter"}, "compress_conv or expand_embed"),
        ({"injection": "compress_conv", "kernel_size": 2}, "odd"),
        ({"slices": ("source", "noisy", "canvas")}, "in this order"),
    ],
)
def test_an_injector_that_makes_no_sense_is_refused(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RefLayerInjector(**options)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.injection}-{c.kernel_size}")
def test_weights_of_an_sd3_format_folder_are_taken_over(tmp_path: Path, config: InjectorConfig) -> None:
    saved = scratch_sd3(small.SCRATCH, seed=5)
    with quietly():
        saved.save_pretrained(tmp_path)
    given = _inputs()
    network = from_sd3(load_base(tmp_path).transformer.eval(), config)
    with torch.no_grad():
        assert torch.equal(network(**given), _base_answer(saved.transformer.eval(), given))


@pytest.mark.parametrize(
    ("size", "config", "added"),
    [
        (SD3_MEDIUM, InjectorConfig("expand_embed"), 32 * 1536 * 2 * 2),
        (SD35_MEDIUM, InjectorConfig("expand_embed"), 32 * 1536 * 2 * 2),
        (SD3_MEDIUM, InjectorConfig("compress_conv", 3), 48 * 16 * 9 + 16),
    ],
    ids=["sd3-expand", "sd35-expand", "sd3-compress"],
)
def test_full_size_networks_have_the_right_shapes_and_counts(size: dict, config: InjectorConfig, added: int) -> None:
    with torch.device("meta"):
        transformer = SD3Transformer2DModel(**size)
        base = sum(p.numel() for p in transformer.parameters())
        network = from_sd3(transformer, config)
        for pixels in (512, 1024):
            side = pixels // 8
            shape = (1, 16, side, side)
            yes = torch.ones(1, dtype=torch.bool)
            with torch.no_grad():
                answer = network(
                    noisy=torch.empty(shape),
                    timesteps=torch.empty(1),
                    source=torch.empty(shape),
                    canvas=torch.empty(shape),
                    text=torch.empty(1, 333, 4096),
                    pooled=torch.empty(1, 2048),
                    has_source=yes,
                    has_canvas=yes,
                )
            assert answer.shape == shape
            joined = torch.empty(1, network.transformer.config.in_channels, side, side)
            assert network.transformer.pos_embed(joined).shape == (1, (side // 2) ** 2, 1536)
    assert base == _sd3_parameters(len(size.get("dual_attention_layers", ())), bool(size.get("qk_norm")))
    assert sum(p.numel() for p in network.parameters()) == base + added + 16


def _sd3_parameters(dual: int, has_norm: bool) -> int:
    """Counted by hand from the SD3 paper's block (section 4 and figure 2): width 1536, 24 blocks, heads of 64."""
    width, blocks, head = 1536, 24, 64

    def linear(inputs: int, outputs: int) -> int:
        return inputs * outputs + outputs

    attention = 4 * linear(width, width)
    feed_forward = linear(width, 4 * width) + linear(4 * width, width)
    modulation = linear(width, 6 * width)
    both_streams = 2 * (attention + feed_forward + modulation)
    norms = 4 * head if has_norm else 0
    last_context = linear(width, width) + feed_forward + linear(width, 6 * width) - linear(width, 2 * width)
    second_attention = attention + linear(width, 9 * width) - modulation + (2 * head if has_norm else 0)
    embeddings = linear(16 * 4, width) + linear(4096, width)
    conditioning = linear(256, width) + linear(2048, width) + 2 * linear(width, width)
    out = linear(width, 2 * width) + linear(width, 4 * 16)
    return blocks * (both_streams + norms) - last_context + dual * second_attention + embeddings + conditioning + out
