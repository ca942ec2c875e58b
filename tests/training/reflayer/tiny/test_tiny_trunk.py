from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from training.reflayer.tiny import train
from training.reflayer.tiny.likeness import likeness, places
from training.reflayer.tiny.mask_network import MaskNetwork, with_second_look, with_trunk
from training.reflayer.tiny.prompt_features import CHANNELS, FIRST_LOOK, SECOND_LOOK
from training.reflayer.tiny.scenes import SceneStore
from training.reflayer.tiny.train import TrainConfig, run
from training.reflayer.tiny.trunk import STAGES, WIDTHS, UnknownTrunk, load_trunk

NAMES = [*FIRST_LOOK, *SECOND_LOOK]


def _norm(wide):
    """A batch norm that has seen pictures."""
    rng = torch.rand
    return {
        "weight": rng(wide) + 0.5,
        "bias": rng(wide) - 0.5,
        "running_mean": rng(wide) - 0.5,
        "running_var": rng(wide) + 0.5,
    }


def _conv(wide_out, wide_in, kernel):
    return torch.randn(wide_out, wide_in, kernel, kernel) / (wide_in * kernel * kernel) ** 0.5


@pytest.fixture(scope="module")
def released():
    """Random weights under the names and in the shapes of the package's file."""
    torch.manual_seed(0)
    given = {"_conv_stem.weight": _conv(32, 3, 3), "_fc.bias": torch.zeros(1000)}
    norms = {"_bn0": 32}
    wide, number = 32, 0
    for count, kernel, _, expansion, channels in STAGES:
        for _ in range(count):
            here, inner = f"_blocks.{number}.", wide * expansion
            if expansion > 1:
                given[f"{here}_expand_conv.weight"] = _conv(inner, wide, 1)
                norms[f"{here}_bn0"] = inner
            given[f"{here}_depthwise_conv.weight"] = _conv(inner, 1, kernel)
            given[f"{here}_project_conv.weight"] = _conv(channels, inner, 1)
            norms |= {f"{here}_bn1": inner, f"{here}_bn2": channels}
            wide, number = channels, number + 1
    for name, channels in norms.items():
        given |= {f"{name}.{part}": tensor for part, tensor in _norm(channels).items()}
    return given


@pytest.fixture(scope="module")
def trunk_file(released, tmp_path_factory):
    path = tmp_path_factory.mktemp("trunk") / "efficientnet-lite0.pth"
    torch.save(released, path)
    return path


def _unfolded(given, picture):
    """The same network written down once more, its batch norms apart; features where the resolution halves next."""

    def layer(x, conv, norm, stride=1, clips=True):
        weight = given[f"{conv}.weight"]
        kernel, groups = weight.shape[-1], x.shape[1] if weight.shape[1] == 1 else 1
        # TensorFlow's "same" for sides that the stride divides.
        before = (kernel - stride) // 2
        x = functional.conv2d(
            functional.pad(x, (before, kernel - stride - before) * 2), weight, None, stride, groups=groups
        )
        parts = (given[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        x = functional.batch_norm(x, *parts, eps=1e-3)
        return x.clamp(0, 6) if clips else x

    x = layer(picture, "_conv_stem", "_bn0", 2)
    number, features = 0, []
    for count, _, first_stride, expansion, _ in STAGES:
        for block in range(count):
            here, start = f"_blocks.{number}.", x
            stride = first_stride if block == 0 else 1
            inner = layer(x, f"{here}_expand_conv", f"{here}_bn0") if expansion > 1 else x
            inner = layer(inner, f"{here}_depthwise_conv", f"{here}_bn1", stride)
            x = layer(inner, f"{here}_project_conv", f"{here}_bn2", clips=False)
            x = x + start if stride == 1 and x.shape == start.shape else x
            number += 1
        features.append(x)
    return [features[stage] for stage in (0, 1, 2, 4, 6)]


def test_with_its_batch_norms_folded_in_the_trunk_sees_what_it_saw(trunk_file, released):
    picture = torch.rand(1, 3, 64, 96) * 2 - 1
    expected = _unfolded(released, picture)
    for mine, theirs, wide, halvings in zip(
        load_trunk(trunk_file)(picture), expected, WIDTHS, range(1, 6), strict=True
    ):
        assert mine.shape == (1, wide, 64 >> halvings, 96 >> halvings)
        assert torch.allclose(mine, theirs, atol=1e-4 * float(theirs.abs().max()))


def test_a_file_of_another_network_is_refused(tmp_path):
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
    with pytest.raises(UnknownTrunk, match="_bn0"):
        load_trunk(tmp_path / "resnet.pth")


def test_a_file_that_holds_more_than_tensors_is_not_opened(tmp_path):
    torch.save({"_conv_stem.weight": object()}, tmp_path / "foreign.pth")
    with pytest.raises(UnknownTrunk):
        load_trunk(tmp_path / "foreign.pth")


def test_a_new_trunk_changes_no_answer_until_it_is_listened_to(small_network, trunk_file):
    grown = with_trunk(small_network, load_trunk(trunk_file)).eval()
    maps = torch.rand(2, CHANNELS, 32, 32)
    with torch.no_grad():
        assert torch.equal(grown(maps), small_network(maps))
        torch.nn.init.normal_(grown.told[2].add.weight)
        assert not torch.equal(grown(maps), small_network(maps))


def test_what_the_trunk_saw_once_serves_both_looks(small_network, trunk_file):
    grown = with_trunk(small_network, load_trunk(trunk_file)).eval()
    torch.nn.init.normal_(grown.told[1].add.weight)
    first = torch.rand(1, len(FIRST_LOOK), 32, 32)
    second = with_second_look(first, torch.rand(1, len(SECOND_LOOK), 32, 32))
    with torch.no_grad():
        assert torch.equal(grown(second, grown.seen(first)), grown(second))


def test_training_leaves_the_trunk_as_it_is_and_teaches_the_network_to_listen(small_config, trunk_file, scene_folder):
    torch.manual_seed(0)
    network = with_trunk(MaskNetwork(small_config), load_trunk(trunk_file))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trainer = train.Trainer(network, TrainConfig(steps=4, batch=2, workers=0, warmup_steps=1, second_from=0.0))
    batches = train._batches(SceneStore(scene_folder), trainer.config, 0)
    for _ in range(3):
        trainer.learn(next(batches))
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert not any(name.startswith("trunk.") for name in changed)
    assert {f"told.{level}.add.weight" for level in range(5)} <= changed


def test_a_run_with_a_trunk_leaves_a_checkpoint_that_carries_it(scene_folder, small_config, trunk_file, tmp_path):
    settings = TrainConfig(steps=2, batch=2, workers=0, warmup_steps=1)
    run(scene_folder, tmp_path, settings, small_config, trunk=trunk_file)
    loaded = train.load_network(tmp_path / "checkpoint")
    assert loaded.config == replace(small_config, has_trunk=True)
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    for mine, theirs in zip(loaded.trunk(picture), load_trunk(trunk_file)(picture), strict=True):
        assert torch.allclose(mine, theirs, atol=0.01 * float(theirs.abs().max()))


def test_the_command_refuses_a_file_that_is_no_trunk(scene_folder, tmp_path, capsys):
    torch.save({}, tmp_path / "empty.pth")
    given = ["--scenes", str(scene_folder), "--out", str(tmp_path / "out"), "--steps", "1"]
    assert train.main([*given, "--trunk", str(tmp_path / "empty.pth")]) == 1
    assert capsys.readouterr().err.startswith("unknown_trunk: ")


def _maps(**named):
    maps = torch.zeros(1, CHANNELS, 32, 32)
    at = (torch.arange(32) + 0.5) / 32 - 0.5
    maps[:, NAMES.index("across")], maps[:, NAMES.index("along")] = at[None, :], at[:, None]
    for name, region in named.items():
        maps[:, NAMES.index(name)][:, region[0], region[1]] = 1
    return maps


LEFT = (slice(None), slice(0, 16))
TOP_LEFT = (slice(0, 8), slice(0, 8))


@pytest.mark.parametrize(
    ("maps", "inside", "outside"),
    [
        (_maps(mask=TOP_LEFT, box=LEFT), (4, 4), (20, 20)),
        (_maps(box=LEFT), (16, 14), (16, 17)),
        (_maps(point=TOP_LEFT), (4, 4), (31, 31)),
        (_maps(), (16, 16), (0, 0)),
    ],
    ids=["mask before box", "box", "point", "background"],
)
def test_the_prompt_says_where_the_object_is_and_where_not(maps, inside, outside):
    where = places(maps)[0]
    assert where[0][inside] > 0.5 > where[0][outside]
    assert where[1][outside] > 0.5 > where[1][inside]


def test_in_the_second_look_the_first_answer_says_it():
    maps = _maps(box=LEFT, visible=TOP_LEFT, alpha=LEFT, is_second=(slice(None), slice(None)))
    where = places(maps)[0]
    assert torch.equal(where[0], maps[0, NAMES.index("visible")])
    assert torch.equal(where[1], 1 - maps[0, NAMES.index("alpha")])


def test_a_place_is_most_alike_to_what_looks_like_it():
    features = torch.randn(1, 8, 16, 16) * 0.1
    features[:, :4, :, :8] += 1
    features[:, 4:, :, 8:] += 1
    alike = likeness(features, places(_maps(box=LEFT)))[0]
    assert alike.shape == (2, 16, 16)
    assert alike.abs().max() <= 1.0001
    assert alike[0, :, :8].mean() > 0.8 > 0 > alike[0, :, 8:].mean()
    assert alike[1, :, 8:].mean() > 0.8 > 0 > alike[1, :, :8].mean()
