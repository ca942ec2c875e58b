import pytest
import torch

from evaluation.features.networks import load_variant
from evaluation.features.perceptual import score
from evaluation.features.trunk import SIDE_PX, TrunkDistance, TrunkEncoder, shipped_trunk


@pytest.fixture(scope="module")
def trunk():
    return shipped_trunk()


@pytest.fixture(scope="module")
def photograph():
    """The cat that scikit-image ships, ``[1,3,224,224]`` 0..1."""
    data = pytest.importorskip("skimage.data")
    return torch.from_numpy(data.chelsea()[40:264, 100:324].copy()).permute(2, 0, 1)[None] / 255


def distance(network, a, b):
    return float(score(network.differences(network.levels(a), network.levels(b))))


@pytest.mark.parametrize(("grid", "dimensions"), [(1, 472), (4, 7552)])
def test_the_encoder_has_the_stated_dimensions(trunk, grid, dimensions):
    assert TrunkEncoder(grid, trunk)(torch.zeros(2, 3, SIDE_PX, SIDE_PX)).shape == (2, dimensions)


def test_equal_pictures_are_not_apart_and_the_order_does_not_matter(trunk, photograph):
    network, noisy = TrunkDistance(trunk), (photograph + 0.1 * torch.randn_like(photograph)).clamp(0, 1)
    assert distance(network, photograph, photograph) == 0
    assert distance(network, photograph, noisy) == pytest.approx(distance(network, noisy, photograph), rel=1e-5)


def test_more_noise_is_further_away_and_nothing_is_further_than_two(trunk, photograph):
    network = TrunkDistance(trunk)
    noise = torch.randn(photograph.shape, generator=torch.Generator().manual_seed(0))
    away = [distance(network, photograph, (photograph + much * noise).clamp(0, 1)) for much in (0.02, 0.1, 0.5)]
    assert 0 < away[0] < away[1] < away[2] < 2


def test_a_mirrored_cat_is_nearer_to_the_cat_than_its_shuffled_tiles_are(trunk, photograph):
    """Equal colours, equal textures: only who knows what a cat is finds the mirrored one more alike."""
    encoder = TrunkEncoder(1, trunk)
    tiles = photograph.unfold(2, 56, 56).unfold(3, 56, 56).reshape(3, 16, 56, 56)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    shuffled = tiles[:, order].reshape(3, 4, 4, 56, 56).permute(0, 1, 3, 2, 4).reshape(1, 3, SIDE_PX, SIDE_PX)
    cat, mirrored, torn = encoder(torch.cat([photograph, photograph.flip(3), shuffled]) * 255)
    assert torch.dist(cat, mirrored) < 0.7 * torch.dist(cat, torn)


def test_the_variant_of_the_shipped_network_sees_by_its_trunk_alone_and_is_not_published(trunk):
    networks = load_variant("offline-reflayer-tiny")
    assert networks.variant == "offline-reflayer-tiny"
    assert not networks.published
    digests = {identity.weights_sha256 for identity in networks.identities.values()}
    assert digests == {TrunkDistance(trunk).identity.weights_sha256}
