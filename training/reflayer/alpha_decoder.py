"""The second decoder: from the RGB latent to alpha and to what of the layer is visible (paper, section 7).

Started as a copy of the autoencoder's decoder. The visible mask is ours: it lets the visible pixels be copied from
the source, which the paper's network repaints.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import Decoder
from torch import Tensor, nn

OUTPUTS = ("alpha", "visible")
START = {"canvas_colour": (1.0, -4.0), "latent_offset": (1.0, -4.0), "dual_latent": (4.0, 0.0)}
"""Scale and bias on the copied mean of the RGB outputs, so that nothing drawn starts near alpha 0 (sigmoid(-4) = .018).
The second latent holds alpha itself as a grey -1..1, so there the copy is right from the start."""


@dataclass(frozen=True, slots=True)
class AlphaDecoderConfig:
    skip: Literal["none", "source"] = "source"
    """``source``: the source's latent is added through a 1x1 convolution that starts at zero, for sharper edges."""


class _Float32Conv(nn.Conv2d):
    """Computes in float32 also under autocast: a matte's last steps are finer than bfloat16's."""

    def forward(self, features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            bias = None if self.bias is None else self.bias.float()
            return self._conv_forward(features.float(), self.weight.float(), bias)


class AlphaDecoder(ModelMixin, ConfigMixin):
    """Logits of alpha and visible mask ``[B, 2, H, W]`` from latents ``[B, C, h, w]``, shifted and scaled.

    ``shift_factor`` and ``scaling_factor`` are the autoencoder's, because the copied decoder expects raw latents.
    """

    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        up_block_types: tuple[str, ...] = ("UpDecoderBlock2D",),
        block_out_channels: tuple[int, ...] = (64,),
        layers_per_block: int = 2,
        norm_num_groups: int = 32,
        act_fn: str = "silu",
        mid_block_add_attention: bool = True,
        shift_factor: float = 0.0,
        scaling_factor: float = 1.0,
        skip: Literal["none", "source"] = "source",
    ) -> None:
        super().__init__()
        self.decoder = Decoder(
            in_channels=latent_channels,
            out_channels=len(OUTPUTS),
            up_block_types=up_block_types,
            block_out_channels=block_out_channels,
            layers_per_block=layers_per_block,
            norm_num_groups=norm_num_groups,
            act_fn=act_fn,
            mid_block_add_attention=mid_block_add_attention,
        )
        self.decoder.conv_out = _Float32Conv(block_out_channels[0], len(OUTPUTS), 3, padding=1)
        self.source_skip: nn.Conv2d | None = None
        if skip == "source":
            self.source_skip = nn.Conv2d(latent_channels, latent_channels, 1)
            nn.init.zeros_(self.source_skip.weight)
            assert self.source_skip.bias is not None
            nn.init.zeros_(self.source_skip.bias)
        self.gradient_checkpointing = False

    @classmethod
    def from_vae(
        cls, vae: Any, config: AlphaDecoderConfig | None = None, transparency: str = "canvas_colour"
    ) -> AlphaDecoder:
        """A decoder with the autoencoder's weights; both outputs start as the mean of its three colours.

        Raises ``ValueError`` for an autoencoder with a convolution between latent and decoder, which SD3's lacks.
        """
        if getattr(vae, "post_quant_conv", None) is not None:
            raise ValueError("an autoencoder with a post_quant_conv is not SD3's; its decoder alone cannot be copied")
        kept = vae.config
        decoder = cls(
            latent_channels=kept.latent_channels,
            up_block_types=tuple(kept.up_block_types),
            block_out_channels=tuple(kept.block_out_channels),
            layers_per_block=kept.layers_per_block,
            norm_num_groups=kept.norm_num_groups,
            act_fn=kept.act_fn,
            mid_block_add_attention=kept.mid_block_add_attention,
            shift_factor=float(kept.shift_factor or 0.0),
            scaling_factor=float(kept.scaling_factor),
            skip=(config or AlphaDecoderConfig()).skip,
        )
        weights = copy.deepcopy(vae.decoder.state_dict())
        scale, bias = START[transparency]
        mean = weights["conv_out.weight"].mean(dim=0, keepdim=True) * scale
        weights["conv_out.weight"] = mean.repeat(len(OUTPUTS), 1, 1, 1)
        weights["conv_out.bias"] = (weights["conv_out.bias"].mean() * scale + bias).repeat(len(OUTPUTS))
        decoder.decoder.load_state_dict(weights)
        return decoder.to(vae.device)

    def forward(self, latents_bchw: Tensor, source_bchw: Tensor) -> Tensor:
        """Float32 logits ``[B, 2, H, W]`` in the order of ``OUTPUTS``."""
        if self.source_skip is not None:
            latents_bchw = latents_bchw + self.source_skip(source_bchw.to(latents_bchw.dtype))
        raw = latents_bchw / self.config.scaling_factor + self.config.shift_factor
        logits: Tensor = self.decoder(raw)
        return logits
