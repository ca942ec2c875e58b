import numpy as np
import pytest
import torch

from engine.composites.photographs import Photographs
from training.reflayer.tiny import scenes
from training.reflayer.tiny.mask_network import MaskNetwork, MaskNetworkConfig
from training.reflayer.tiny.pipeline import RefLayerTinyPipeline
from training.reflayer.tiny.split import Sources

SMALL = MaskNetworkConfig(widths=(8, 8, 16, 16), heads=2, head_width=8)


@pytest.fixture
def disc():
    """A yellow disc of radius 24 around (70, 60) on noisy blue, 128 px: picture and mask."""
    rows, columns = np.mgrid[:128, :128] + 0.5
    mask = np.hypot(columns - 70, rows - 60) < 24
    picture = np.where(mask[..., None], (230, 200, 30), (40, 60, 190))
    noise = np.random.default_rng(0).normal(0, 3, (128, 128, 3))
    return np.clip(picture + noise, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def scene_folder(tmp_path_factory):
    """Six stored scenes of the packages' photographs and drawn shapes."""
    folder = tmp_path_factory.mktemp("scenes")
    given = Sources("train", Photographs.from_packages(256), None, ("blob", "polygon"), {"a.jpg": "00"}, {})
    assert list(scenes.make(folder, given, 6)) == [6]
    return folder


@pytest.fixture(scope="session")
def small_config():
    return SMALL


@pytest.fixture
def small_network():
    torch.manual_seed(0)
    network = MaskNetwork(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    # Checkpoints are in half precision.
    return network.half().float().eval()


@pytest.fixture
def small_pipeline(small_network):
    return RefLayerTinyPipeline(small_network)


@pytest.fixture(scope="session")
def shipped():
    return RefLayerTinyPipeline.from_pretrained()
