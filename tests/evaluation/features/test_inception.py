import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from evaluation.features.inception import InceptionEncoder, architecture


@pytest.fixture(scope="module")
def state():
    """Weights of the right shapes; lively statistics, so that no branch dies out."""
    torch.manual_seed(0)
    network = architecture()
    for name, values in network.state_dict().items():
        if values.ndim == 4:
            fan = values[0].numel()
            values.normal_(0, (2 / fan) ** 0.5)
        elif name.endswith("running_mean") or name.endswith("bn.bias"):
            values.normal_(0, 0.1)
    return network.state_dict()


def test_torch_fidelity_gives_the_same_features_with_the_same_weights(state, tmp_path):
    torch.save(state, tmp_path / "weights.pth")
    theirs = FeatureExtractorInceptionV3("same", ["2048"], feature_extractor_weights_path=str(tmp_path / "weights.pth"))
    pictures = torch.randint(0, 256, (2, 3, 299, 299), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = theirs(pictures)[0]
    ours = InceptionEncoder(state, "same")(pictures.float())
    assert ours.shape == (2, 2048)
    assert float(expected.abs().mean()) > 1e-3
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_weights_of_another_network_are_refused(state):
    with pytest.raises(RuntimeError, match="Missing key"):
        InceptionEncoder({name: v for name, v in state.items() if name != "fc.bias"}, "broken")


def test_the_digest_is_of_the_published_names_and_values(state):
    again = InceptionEncoder(state, "a").identity.weights_sha256
    assert again == InceptionEncoder(dict(reversed(state.items())), "b").identity.weights_sha256
    changed = {**state, "fc.bias": state["fc.bias"] + 1}
    assert again != InceptionEncoder(changed, "c").identity.weights_sha256
