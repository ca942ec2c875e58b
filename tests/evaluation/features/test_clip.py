import json

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from evaluation.features.clip import ClipEncoder

TINY = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A tiny network of open_clip's, its weights in a file."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-for-tests.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    network = open_clip.create_model("tiny-for-tests", pretrained=None)
    save_file({name: values.contiguous() for name, values in network.state_dict().items()}, folder / "w.safetensors")
    return network.eval(), folder / "w.safetensors"


def test_features_are_open_clips_of_the_normalised_picture(weights):
    network, path = weights
    encoder = ClipEncoder("tiny-for-tests", path, "tiny")
    pictures = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255
    stated = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in stated)
    with torch.inference_mode():
        expected = network.encode_image((pictures / 255 - mean) / std, normalize=True)
    torch.testing.assert_close(encoder(pictures), expected, rtol=1e-5, atol=1e-6)
    assert (encoder.side_px, encoder.identity.published) == (32, True)


def test_another_networks_weights_are_refused(weights, tmp_path):
    save_file({"visual.proj": torch.zeros(4, 4)}, tmp_path / "other.safetensors")
    with pytest.raises(RuntimeError):
        ClipEncoder("tiny-for-tests", tmp_path / "other.safetensors", "tiny")
