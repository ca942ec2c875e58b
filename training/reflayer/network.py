"""The trained network: injector and SD3 transformer as one module, made from any SD3-format transformer.

SD3: Esser et al. 2024, *Scaling Rectified Flow Transformers*; RefLayer: paper, section 7.
"""

from __future__ import annotations

from typing import Literal

import torch
from diffusers import SD3Transformer2DModel
from torch import Tensor, nn

from training.reflayer.injector import InjectorConfig, RefLayerInjector

Transparency = Literal["canvas_colour", "latent_offset", "dual_latent"]
"""How one latent comes to carry alpha. ``canvas_colour``: the target lies on plain grey. ``latent_offset``: the target
has extended colours and an encoder adds alpha as a small offset (Zhang and Agrawala 2024, LayerDiffuse).
``dual_latent``: a second latent holds alpha as a grey picture; needs twice the output channels, not in the paper."""


class RefLayerNetwork(nn.Module):
    """One forward for training, sampling and distributed wrappers; owns no weights beside its two parts."""

    def __init__(self, injector: RefLayerInjector, transformer: SD3Transformer2DModel) -> None:
        super().__init__()
        self.injector = injector
        self.transformer = transformer

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        source: Tensor,
        canvas: Tensor,
        text: Tensor,
        pooled: Tensor,
        has_source: Tensor,
        has_canvas: Tensor,
    ) -> Tensor:
        """Predicted velocity, shape of ``noisy`` ``[B, C, h, w]``.

        ``timesteps`` ``[B]`` in 0..1000, ``source`` and ``canvas`` ``[B, 16, h, w]``, ``text`` ``[B, L, D]``,
        ``pooled`` ``[B, P]``, ``has_*`` bool ``[B]``.
        """
        joined = self.injector(noisy, source, canvas, has_source, has_canvas)
        velocity: Tensor = self.transformer(
            hidden_states=joined,
            timestep=timesteps,
            encoder_hidden_states=text.to(joined.dtype),
            pooled_projections=pooled.to(joined.dtype),
            return_dict=False,
        )[0]
        return velocity


def from_sd3(
    transformer: SD3Transformer2DModel,
    config: InjectorConfig | None = None,
    transparency: Transparency = "canvas_colour",
) -> RefLayerNetwork:
    """The network whose answer equals the given SD3 transformer's at step 0; changes that transformer in place.

    With ``dual_latent`` the first half of the output equals it. Raises ``ValueError`` when the transformer has been
    widened before: convert the base once, then load what was saved.
    """
    config = config or InjectorConfig()
    channels = int(transformer.config.in_channels)
    if transformer.config.out_channels not in (None, channels):
        raise ValueError(f"this transformer takes {channels} and gives {transformer.config.out_channels} channels")
    noisy = 2 * channels if transparency == "dual_latent" else channels
    injector = RefLayerInjector(config.injection, config.kernel_size, noisy, channels, channels)
    if noisy != channels:
        widen_output(transformer, noisy)
    if config.injection == "expand_embed":
        widen_patch_embed(transformer, injector.joined_channels)
    return RefLayerNetwork(injector.to(transformer.device), transformer)


def widen_patch_embed(transformer: SD3Transformer2DModel, in_channels: int) -> None:
    """Let the patch embedding take ``in_channels``; the new ones start at zero weight, bias and old ones stay."""
    old = transformer.pos_embed.proj
    new = nn.Conv2d(
        in_channels,
        old.out_channels,
        old.kernel_size,
        old.stride,
        bias=old.bias is not None,
        device=old.weight.device,
        dtype=old.weight.dtype,
    )
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : old.in_channels] = old.weight
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias)
    transformer.pos_embed.proj = new
    transformer.register_to_config(in_channels=in_channels)


def widen_output(transformer: SD3Transformer2DModel, out_channels: int) -> None:
    """Give ``out_channels`` per latent cell; the new ones repeat the old, which is a better start than zero velocity.

    The last linear layer orders its outputs as (patch row, patch column, channel), channel running fastest.
    """
    old, cells = transformer.proj_out, int(transformer.config.patch_size) ** 2
    before = old.out_features // cells
    new = nn.Linear(
        old.in_features, cells * out_channels, old.bias is not None, device=old.weight.device, dtype=old.weight.dtype
    )
    source = torch.arange(out_channels, device=old.weight.device) % before
    rows = (torch.arange(cells, device=source.device)[:, None] * before + source[None]).reshape(-1)
    with torch.no_grad():
        new.weight.copy_(old.weight[rows])
        if old.bias is not None:
            new.bias.copy_(old.bias[rows])
    transformer.proj_out = new
    transformer.out_channels = out_channels
    transformer.register_to_config(out_channels=out_channels)
