import pytest
import torch

from engine.weights import find
from evaluation.features import networks
from evaluation.features.alexnet import FixedSeedEncoder, fixed_seed_trunk, lpips_network
from evaluation.features.identity import Identity, weights_sha256
from evaluation.features.perceptual import Perceptual


def test_without_weights_all_networks_are_the_named_offline_ones(tmp_path):
    chosen = networks.load(folder=tmp_path)
    assert not chosen.published
    assert {identity.published for identity in chosen.identities.values()} == {False}
    assert "alexnet-seed0" in chosen.perceptual.identity.name


def test_one_missing_file_keeps_hpas_three_offline(tmp_path):
    for name in networks.HPA[:2]:
        (tmp_path / name).mkdir()
        (tmp_path / name / networks.FILES[name]).write_bytes(b"never read")
    assert not networks.load(folder=tmp_path).published
    assert networks.missing(tmp_path) == ["inception_fid", "clip_openai_vit_l_14_336"]


@pytest.mark.parametrize(("name", "file"), networks.FILES.items())
def test_fetching_brings_the_file_that_is_read(name, file):
    row = find(name)
    assert file == row.source.rsplit("/", 1)[1] if row.is_single_file else file in row.files


def test_what_to_run_names_the_missing_weights(tmp_path):
    command = networks.how_to_publish(networks.missing(tmp_path))
    assert command == f"python manage.py fetch_weights {' '.join(networks.FILES)}"
    assert networks.how_to_publish([]) == ""


def test_the_folder_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    (tmp_path / "inception_fid").mkdir()
    (tmp_path / "inception_fid" / networks.FILES["inception_fid"]).touch()
    assert "inception_fid" not in networks.missing()


def test_a_file_of_weights_with_code_in_it_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    torch.save(Evil(), tmp_path / "w.pth")
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        networks._state(tmp_path / "w.pth")


def test_the_fixed_seed_is_fixed():
    first, again, other = (Perceptual(lpips_network(fixed_seed_trunk(s)), "n", False) for s in (0, 0, 1))
    assert first.identity.weights_sha256 == again.identity.weights_sha256 != other.identity.weights_sha256


def test_the_fixed_seed_does_not_touch_the_global_generator():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fixed_seed_trunk()
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(("grid", "dimensions"), [(1, 1152), (4, 18432)])
def test_the_offline_encoder_has_the_stated_dimensions(grid, dimensions):
    encoder = FixedSeedEncoder(grid, 64)
    assert encoder(torch.zeros(2, 3, 64, 64)).shape == (2, dimensions)


def test_exact_puts_the_switches_back():
    torch.backends.cudnn.benchmark = True
    try:
        with networks.exact():
            assert not torch.backends.cudnn.benchmark
            assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.benchmark
    finally:
        torch.backends.cudnn.benchmark = False


class Stub:
    """Stands for a heavy encoder; remembers what it was made of."""

    def __init__(self, *made_of):
        self.made_of = made_of
        self.identity = Identity(str(made_of[-2]), "0" * 64, published=True, input="")


@pytest.fixture
def complete(tmp_path, monkeypatch):
    """A folder with all four files and encoders that only look at their names."""
    for name, file in networks.FILES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    for name in ("lpips_alexnet", "inception_fid"):
        torch.save(fixed_seed_trunk(7), tmp_path / name / networks.FILES[name])
    monkeypatch.setattr(networks, "ClipEncoder", Stub)
    monkeypatch.setattr(networks, "InceptionEncoder", Stub)
    return tmp_path


def test_with_all_weights_here_the_published_networks_score(complete):
    chosen = networks.load(folder=complete)
    assert chosen.published
    assert networks.missing(complete) == []
    expected = weights_sha256(lpips_network(fixed_seed_trunk(7)))
    assert chosen.perceptual.identity.weights_sha256 == expected
    assert chosen.completion.made_of[:2] == (
        "ViT-B-32-quickgelu",
        complete / "clip_openai_vit_b_32" / "open_clip_model.safetensors",
    )
    assert chosen.cmmd.made_of[0] == "ViT-L-14-336-quickgelu"
    assert set(chosen.fidelity.made_of[0]) == set(fixed_seed_trunk())


def test_offline_can_be_asked_for_where_the_weights_are(complete):
    assert not any(identity.published for identity in networks.load(folder=complete, offline=True).identities.values())
