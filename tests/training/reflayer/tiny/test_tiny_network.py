import pytest
import torch

from training.reflayer.tiny.losses import mask_loss, soft_iou
from training.reflayer.tiny.mask_network import MaskNetwork, with_second_look
from training.reflayer.tiny.prompt_features import CHANNELS, FIRST_LOOK, SECOND_LOOK


@pytest.mark.parametrize("side", [32, 48, 128])
def test_two_logits_come_back_for_every_pixel(small_network, side):
    with torch.no_grad():
        assert small_network(torch.rand(2, CHANNELS, side, side)).shape == (2, 2, side, side)


def test_the_shipped_size_fits_a_repository():
    weights = sum(p.numel() for p in MaskNetwork().parameters())
    assert 2 * weights < 8_000_000


def test_the_first_look_is_followed_by_silence():
    first = torch.rand(1, len(FIRST_LOOK), 32, 32)
    whole = with_second_look(first, None)
    assert whole.shape == (1, CHANNELS, 32, 32)
    assert torch.equal(whole[:, : len(FIRST_LOOK)], first)
    assert not whole[:, len(FIRST_LOOK) :].any()


def test_the_second_look_changes_the_answer(small_network):
    first = torch.rand(1, len(FIRST_LOOK), 32, 32)
    with torch.no_grad():
        once = small_network(with_second_look(first, None))
        twice = small_network(with_second_look(first, torch.rand(1, len(SECOND_LOOK), 32, 32)))
    assert not torch.equal(once, twice)


def test_maps_of_another_count_are_refused():
    with pytest.raises(ValueError, match="16 maps, got 3"):
        with_second_look(torch.rand(1, 3, 32, 32), None)


def test_the_overlap_of_equal_masks_costs_nothing_and_that_of_disjoint_ones_most():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    assert soft_iou(mask, mask).item() == 0
    assert soft_iou(mask, 1 - mask).item() > 0.9


def test_the_loss_falls_towards_the_truth_and_weighs_contested_pixels_more():
    truth = torch.zeros(1, 2, 16, 16)
    truth[:, :, 4:12, 4:12] = 1
    calm, wrong = torch.zeros(1, 1, 16, 16), (truth * 2 - 1) * 6
    right = mask_loss(wrong, truth, calm)
    assert right < 0.1 < mask_loss(torch.zeros_like(truth), truth, calm)
    wrong[:, :, 4:12, 4:6] *= -1
    contested = torch.zeros_like(calm)
    contested[..., 4:12, 4:6] = 1
    assert mask_loss(wrong, truth, contested) > mask_loss(wrong, truth, calm) * 1.3
