"""How source and prompt canvas enter the transformer beside the noisy latent.

Two injections. ``compress_conv`` is the paper's (section 7): a convolution takes the concatenated latents back to the
transformer's channels. ``expand_embed`` widens the patch embedding instead (``network.widen_patch_embed``), so a token
sees all channels; the injector then only concatenates. At step 0 both equal the base transformer exactly, because
everything new is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

Injection = Literal["compress_conv", "expand_embed"]
SLICES = ("noisy", "source", "canvas")
"""Order of the concatenation; written into every checkpoint."""


@dataclass(frozen=True, slots=True)
class InjectorConfig:
    injection: Injection = "expand_embed"
    kernel_size: int = 1
    """Of ``compress_conv``, 1 or 3 (the paper does not say)."""


class RefLayerInjector(ModelMixin, ConfigMixin):
    """Joins noisy, source and canvas latents; holds the learned null that stands for a dropped canvas.

    ``noisy_channels`` is what the transformer gives back (16, or 32 with a second latent for alpha),
    ``condition_channels`` what the autoencoder makes of a picture, ``base_channels`` what the transformer takes.
    Raises ``ValueError`` for an unknown injection, an even kernel or slices in another order.
    """

    @register_to_config
    def __init__(
        self,
        injection: Injection = "expand_embed",
        kernel_size: int = 1,
        noisy_channels: int = 16,
        condition_channels: int = 16,
        base_channels: int = 16,
        slices: tuple[str, ...] = SLICES,
    ) -> None:
        super().__init__()
        if injection not in ("compress_conv", "expand_embed"):
            raise ValueError(f"injection is compress_conv or expand_embed, not {injection!r}")
        if kernel_size % 2 == 0:
            raise ValueError(f"the kernel has an odd size, not {kernel_size}")
        if tuple(slices) != SLICES:
            raise ValueError(f"slices are {', '.join(SLICES)} in this order, not {', '.join(slices)}")
        self.null_canvas = nn.Parameter(torch.zeros(1, condition_channels, 1, 1))
        self.conv: nn.Conv2d | None = None
        if injection == "compress_conv":
            self.conv = nn.Conv2d(self.joined_channels, base_channels, kernel_size, padding=kernel_size // 2)
            _identity_on_first(self.conv)

    @property
    def joined_channels(self) -> int:
        return int(self.config.noisy_channels + 2 * self.config.condition_channels)

    def forward(self, noisy: Tensor, source: Tensor, canvas: Tensor, has_source: Tensor, has_canvas: Tensor) -> Tensor:
        """Transformer input ``[B, base or joined channels, h, w]``.

        ``has_source`` and ``has_canvas``, bool ``[B]``: without a source its latent is zeros, without a canvas it is
        the learned null, which is another thing than the encoded blue canvas of "no place was given".
        """
        source = torch.where(has_source[:, None, None, None], source, torch.zeros_like(source))
        canvas = torch.where(has_canvas[:, None, None, None], canvas, self.null_canvas.to(canvas.dtype))
        joined = torch.cat([noisy, source.to(noisy.dtype), canvas.to(noisy.dtype)], dim=1)
        return joined if self.conv is None else self.conv(joined)


def _identity_on_first(conv: nn.Conv2d) -> None:
    """Output channel i is input channel i, all else is zero."""
    centre = conv.kernel_size[0] // 2
    with torch.no_grad():
        conv.weight.zero_()
        for channel in range(conv.out_channels):
            conv.weight[channel, channel, centre, centre] = 1.0
        assert conv.bias is not None
        conv.bias.zero_()
