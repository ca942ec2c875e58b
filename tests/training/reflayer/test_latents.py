from __future__ import annotations

import torch

from tests.training.reflayer import small
from training.reflayer import latents
from training.reflayer.encoding import LatentEncoder
from training.reflayer.flow import FlowConfig

PICTURES = torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_encoding_is_the_posterior_with_shift_and_scale() -> None:
    vae = small.pipeline().vae
    mean, std = latents.encode(vae, PICTURES)
    with torch.no_grad():
        posterior = vae.encode(PICTURES).latent_dist
    assert torch.allclose(mean, (posterior.mean - 0.0609) * 1.5305)
    assert torch.allclose(std, posterior.std * 1.5305)
    assert mean.shape == (3, 16, 4, 6)


def test_decoding_undoes_shift_and_scale() -> None:
    vae = small.pipeline().vae
    raw = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(latents.decode(vae, (raw - 0.0609) * 1.5305), vae.decode(raw).sample, atol=1e-5)


def test_an_autoencoder_without_a_shift_has_none() -> None:
    vae = small.pipeline().vae
    vae.register_to_config(shift_factor=None)
    assert latents.shift_and_scale(vae) == (0.0, 1.5305)


def test_source_canvas_and_target_are_on_one_scale() -> None:
    """The same picture in all three places gives the same latent."""
    encoder = LatentEncoder(small.pipeline().vae, "canvas_colour", 0.5, FlowConfig())
    ones = torch.ones(3, 1, 32, 48)
    encoded = encoder({"source": PICTURES, "canvas": PICTURES, "rgb": PICTURES, "alpha": ones, "visible": ones})
    assert torch.allclose(encoded["source"], encoded["canvas"], atol=1e-5)
    assert torch.allclose(encoded["source"], encoded["target_mean"], atol=1e-5)


def test_a_second_latent_holds_alpha_as_a_grey_picture() -> None:
    vae = small.pipeline().vae
    alpha = torch.rand(3, 1, 32, 48, generator=torch.Generator().manual_seed(2))
    encoder = LatentEncoder(vae, "dual_latent", 0.5, FlowConfig())
    encoded = encoder({"source": PICTURES, "canvas": PICTURES, "rgb": PICTURES, "alpha": alpha, "visible": alpha})
    grey = latents.encode(vae, (2 * alpha - 1).expand(-1, 3, -1, -1))[0]
    assert encoded["target_mean"].shape == (3, 32, 4, 6)
    assert torch.allclose(encoded["target_mean"][:, 16:], grey, atol=1e-5)


def test_an_offset_moves_the_target_by_so_many_standard_deviations() -> None:
    vae = small.pipeline().vae
    alpha = torch.ones(3, 1, 32, 48)
    batch = {"source": PICTURES, "canvas": PICTURES, "rgb": PICTURES, "alpha": alpha, "visible": alpha}
    plain = LatentEncoder(vae, "latent_offset", 0.5, FlowConfig())(batch)
    moved = LatentEncoder(vae, "latent_offset", 0.5, FlowConfig(), lambda a, rgb: torch.full((3, 16, 4, 6), 2.0))(batch)
    assert torch.allclose(moved["target_mean"], plain["target_mean"] + 2 * plain["target_std"], atol=1e-6)
