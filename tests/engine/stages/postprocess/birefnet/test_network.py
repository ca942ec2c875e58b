"""What can be known of BiRefNet without its weights: it takes checkpoints of its names and shapes, and no others.

That it computes what its authors' code computes was checked once, outside the project (DECISIONS.md).
"""

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.stages.postprocess.birefnet.deformable import deformed
from engine.stages.postprocess.birefnet.matter import BiRefNetMatter
from engine.stages.postprocess.birefnet.network import BiRefNet, build
from engine.stages.postprocess.birefnet.swin import Swin

SIZES = {"depths": [2, 2, 4, 2], "heads": [1, 2, 2, 4], "window": 4}
FIRST_BLOCK = "bb.layers.0.blocks.1"
PUBLISHED = (
    "bb.patch_embed.proj.weight",
    f"{FIRST_BLOCK}.attn.relative_position_bias_table",
    f"{FIRST_BLOCK}.attn.relative_position_index",
    "bb.layers.2.downsample.reduction.weight",
    "squeeze_module.0.dec_att.aspp_deforms.2.atrous_conv.modulator_conv.bias",
    "decoder.ipt_blk5.conv1.weight",
    "decoder.decoder_block1.dec_att.global_avg_pool.2.running_var",
    "decoder.gdt_convs_attn_3.0.weight",
    "decoder.conv_out1.0.weight",
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return BiRefNet(Swin(4, **SIZES), 4).eval()


def test_a_checkpoint_says_by_its_shapes_what_network_it_is_of(network):
    state = network.state_dict()
    assert set(PUBLISHED) <= set(state)
    picture = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(build(state).eval()(picture), network(picture))
        assert network(picture).shape == (2, 1, 64, 96)


def test_a_checkpoint_with_a_part_too_few_or_too_many_is_refused(network):
    state = dict(network.state_dict())
    with pytest.raises(RuntimeError, match="foreign"):
        build(state | {"decoder.foreign.weight": torch.zeros(1)})
    del state["decoder.lateral_block4.conv.weight"]
    with pytest.raises(RuntimeError, match="lateral_block4"):
        build(state)


def test_another_backbone_is_named_as_the_reason():
    with pytest.raises(RuntimeError, match="no BiRefNet with a Swin v1 backbone"):
        build({"bb.stages.0.weight": torch.zeros(1)})


def test_a_picture_of_the_batch_knows_nothing_of_the_others(network):
    pictures = torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(network(pictures)[1:2], network(pictures[1:2]), atol=1e-5)


def test_windows_that_are_shifted_do_not_mix_opposite_borders():
    """Cyclic shifting brings the last rows beside the first; what is seen at the top may not depend on the bottom."""
    torch.manual_seed(1)
    level = Swin(4, [2], [1], window=4).layers[0].eval()
    tokens = torch.randn(1, 16, 16, 4)
    other = tokens.clone()
    other[:, -2:] += 5
    with torch.inference_mode():
        assert torch.equal(level(tokens)[0][:, :8], level(other)[0][:, :8])


def test_without_offsets_and_with_full_weight_it_is_a_plain_convolution():
    features, kernel = torch.randn(2, 3, 9, 7), torch.randn(4, 3, 3, 3)
    out = deformed(features, torch.zeros(2, 18, 9, 7), torch.ones(2, 9, 9, 7), kernel)
    assert torch.allclose(out, functional.conv2d(features, kernel, padding=1), atol=1e-4)


def test_a_tap_reads_where_its_offset_says_bilinearly_and_zeros_outside():
    ramp = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 4, 5)
    offsets = torch.zeros(1, 2, 4, 5)
    offsets[:, 1] = 0.5
    read = deformed(ramp, offsets, torch.ones(1, 1, 4, 5), torch.ones(1, 1, 1, 1))[0, 0, 0]
    assert torch.allclose(read, torch.tensor([0.5, 1.5, 2.5, 3.5, 2.0]), atol=1e-5)
    offsets[:, 0], offsets[:, 1] = 1.0, 0.0
    rows = torch.arange(4.0).view(1, 1, 4, 1).expand(1, 1, 4, 5)
    read = deformed(rows, offsets, 2 * torch.ones(1, 1, 4, 5), torch.ones(1, 1, 1, 1))[0, 0, :, 0]
    assert torch.allclose(read, torch.tensor([2.0, 4.0, 6.0, 0.0]), atol=1e-5)


def test_what_the_trimap_rules_out_is_not_shown(tiny_weights):
    """BiRefNet takes what stands out, whoever was asked for."""
    matter = BiRefNetMatter("birefnet_matting", side_px=64)
    matter.load()
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (50, 70, 3), np.uint8)
    trimap = np.zeros((50, 70), np.float32)
    trimap[10:40, 10:40] = 0.5
    other = np.where((trimap > 0)[..., None], picture, 255 - picture)
    first, second = matter([picture, other], [trimap, trimap])
    assert np.allclose(first, second, atol=1e-6)


def test_a_side_that_its_levels_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of 32"):
        BiRefNetMatter("birefnet_matting", side_px=1000)
