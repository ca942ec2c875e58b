from __future__ import annotations

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from scipy import stats

from training.reflayer.flow import FlowConfig, RectifiedFlow, region_weights, velocity_loss


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_noise_levels_are_the_schedulers_own(shift: float) -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    flow = RectifiedFlow(scheduler)
    even = torch.arange(1000, 0, -1) / 1000
    assert torch.allclose(flow.sigmas, shift * even / (1 + (shift - 1) * even))
    assert torch.equal(flow.timesteps, scheduler.timesteps)


def test_sampling_with_the_scheduler_does_not_change_what_training_sees() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    before = RectifiedFlow(scheduler).sigmas
    scheduler.set_timesteps(4)
    assert torch.equal(RectifiedFlow(scheduler).sigmas, before)


def test_mixing_equals_the_schedulers_noise_and_the_search_by_value() -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    flow, indices = RectifiedFlow(scheduler), torch.tensor([0, 500, 999])
    clean, noise = torch.randn(2, 3, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    noisy, timesteps, target = flow.mix(clean, noise, indices)
    assert torch.allclose(noisy, scheduler.scale_noise(clean, timesteps, noise))
    assert torch.equal(target, noise - clean)
    assert timesteps.tolist() == scheduler.timesteps[indices].tolist()


def test_euler_is_exact_for_a_constant_velocity_in_any_number_of_steps() -> None:
    clean, noise = torch.randn(2, 1, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    for steps in (1, 3, 20):
        scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
        scheduler.set_timesteps(steps)
        latents = noise
        for timestep in scheduler.timesteps:
            latents = scheduler.step(noise - clean, timestep, latents, return_dict=False)[0]
        assert torch.allclose(latents, clean, atol=1e-5)


def test_times_are_logit_normal() -> None:
    flow = RectifiedFlow(FlowMatchEulerDiscreteScheduler())
    indices = flow.draw_indices(4000, torch.Generator().manual_seed(0))
    logits = torch.logit((indices.float() + 0.5) / 1000)
    assert stats.kstest(logits.numpy(), "norm").pvalue > 0.01


def test_an_even_share_adds_times_at_both_ends() -> None:
    scheduler, generator = FlowMatchEulerDiscreteScheduler(), torch.Generator().manual_seed(0)
    only_normal = RectifiedFlow(scheduler).draw_indices(4000, generator)
    mixed = RectifiedFlow(scheduler, FlowConfig(uniform_share=0.5)).draw_indices(4000, generator)
    assert (mixed < 20).sum() > 5 * (only_normal < 20).sum().clamp(min=1)
    assert int(mixed.max()) <= 999


def test_the_loss_of_bfloat16_answers_is_float32() -> None:
    answer, target = torch.randn(2, 2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    loss = velocity_loss(answer.bfloat16(), target, torch.ones(2, 1, 4, 4))
    assert loss.dtype is torch.float32
    assert torch.isclose(loss, (answer.bfloat16().float() - target).square().mean())


def test_hidden_pixels_and_edges_weigh_more_and_nothing_weighs_zero() -> None:
    alpha, visible = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    alpha[..., 16:48, 16:48] = 1
    visible[..., 16:48, 16:32] = 1
    weights = region_weights(alpha, visible, 8, FlowConfig())
    seen, hidden, outside, edge = weights[0, 0, 3, 3], weights[0, 0, 3, 4], weights[0, 0, 0, 0], weights[0, 0, 2, 2]
    assert float(weights.mean()) == pytest.approx(1.0)
    assert float(hidden / outside) == pytest.approx(2.0)
    assert seen == outside
    assert edge > outside > 0
