from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from training.reflayer.losses import AlphaLossConfig, _sobel, alpha_terms, laplacian_l1

GENERATOR = torch.Generator().manual_seed(0)
ALPHA = (torch.rand(2, 1, 64, 64, generator=GENERATOR) > 0.5).float()
RGB = torch.rand(2, 3, 64, 64, generator=GENERATOR) * 2 - 1


def _terms(logits: torch.Tensor) -> dict[str, torch.Tensor]:
    return alpha_terms(logits, ALPHA, ALPHA, RGB, torch.Generator().manual_seed(1), AlphaLossConfig())


def test_the_right_answer_costs_nothing() -> None:
    sure = torch.cat([ALPHA, ALPHA], dim=1) * 200 - 100
    assert max(float(term) for term in _terms(sure).values()) < 1e-6


def test_every_term_charges_for_a_wrong_answer() -> None:
    wrong = 100 - torch.cat([ALPHA, ALPHA], dim=1) * 200
    assert min(float(term) for term in _terms(wrong).values()) > 0.1


def test_soft_pixels_weigh_three_times() -> None:
    flat, logits = torch.zeros(1, 1, 32, 32), torch.zeros(1, 2, 32, 32)
    edge = flat.clone()
    edge[..., 16:] = 1
    rgb, config = torch.zeros(1, 3, 32, 32), AlphaLossConfig(band_px=3)
    plain = alpha_terms(logits, flat, flat, rgb, torch.Generator(), config)["l1"]
    banded = alpha_terms(logits, edge, edge, rgb, torch.Generator(), config)["l1"]
    assert float(plain) == pytest.approx(0.5)
    assert float(banded) == pytest.approx(0.5 * (30 + 2 * 3) / 32)


def test_the_pyramid_sees_low_frequencies_that_cost_little_per_pixel() -> None:
    fine = torch.zeros(1, 1, 64, 64)
    fine[..., ::2] = 0.1
    coarse = torch.zeros(1, 1, 64, 64)
    coarse[..., 32:] = 0.1
    nothing = torch.zeros(1, 1, 64, 64)
    assert float(fine.mean()) == pytest.approx(float(coarse.mean()))
    assert laplacian_l1(coarse, nothing) > laplacian_l1(fine, nothing)


@pytest.mark.parametrize("size", [3, 5, 16])
def test_the_pyramid_ends_in_time_for_small_pictures(size: int) -> None:
    assert torch.isfinite(laplacian_l1(torch.ones(1, 1, size, size), torch.zeros(1, 1, size, size)))


def test_gradients_are_those_of_a_ramp() -> None:
    ramp = torch.arange(8.0)[None, None, None].expand(1, 1, 8, 8)
    across, down = _sobel(ramp)[0, :, 2:-2, 2:-2]
    assert torch.allclose(across, torch.ones(4, 4))
    assert torch.equal(down, torch.zeros(4, 4))


def test_halves_of_a_sum_are_what_bce_says() -> None:
    logits = torch.zeros(2, 2, 64, 64)
    config = AlphaLossConfig(band_weight=1.0)
    term = alpha_terms(logits, ALPHA, ALPHA, RGB, torch.Generator(), config)["bce"]
    assert float(term) == pytest.approx(0.5 * float(F.binary_cross_entropy_with_logits(logits[:, :1], ALPHA)))
