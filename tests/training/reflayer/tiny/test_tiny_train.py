import json
from shutil import copytree

import pytest
import torch

from training.reflayer.tiny import train
from training.reflayer.tiny.checkpoint import WEIGHTS, load_network, trained_on, training_parts
from training.reflayer.tiny.pipeline import RefLayerTinyPipeline
from training.reflayer.tiny.scenes import SceneStore
from training.reflayer.tiny.train import NonFiniteLoss, TrainConfig, run
from training.reflayer.tiny.validation import validate


def config(**changes):
    return TrainConfig(**{"steps": 6, "batch": 4, "workers": 0, "report_every": 2, "warmup_steps": 2, **changes})


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Sums of several threads come in any order, and then no two runs are equal."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(scene_folder, small_config, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return out, run(scene_folder, out, config(), small_config)


def test_a_stopped_run_that_goes_on_ends_where_an_unbroken_one_does(trained, scene_folder, small_config, tmp_path):
    _, unbroken = trained
    asked = iter([False, False, False, True])
    stopped = run(scene_folder, tmp_path, config(), small_config, should_stop=lambda: next(asked))
    assert stopped.step == 3
    finished = run(scene_folder, tmp_path, config(), small_config)
    assert finished.step == unbroken.step == 6
    for name, tensor in unbroken.average.items():
        assert torch.equal(finished.average[name], tensor), name
    for name, tensor in unbroken.network.state_dict().items():
        assert torch.equal(finished.network.state_dict()[name], tensor), name


def test_a_run_leaves_a_checkpoint_that_loads_its_data_and_its_numbers(trained, small_config):
    out, _ = trained
    assert RefLayerTinyPipeline.from_pretrained(out / "checkpoint").mask_network.config == small_config
    assert trained_on(out / "checkpoint").families == {"blob", "polygon"}
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 2, 4, 6]
    assert all(row["loss"] > 0 for row in rows[1:])
    assert "second" in rows[-1]


def test_a_few_samples_seen_again_and_again_are_learnt(scene_folder, small_config):
    batch = next(train._batches(SceneStore(scene_folder), config(), 0))
    trainer = train.Trainer(train.MaskNetwork(small_config), config(steps=1000, rate=5e-3))
    losses = [trainer.learn(batch)["loss"] for _ in range(40)]
    assert losses[-1] < 0.6 * losses[0]


def test_a_loss_that_is_not_finite_changes_nothing_and_in_the_end_stops_the_run(
    scene_folder, small_config, trained, tmp_path, monkeypatch
):
    out = copytree(trained[0], tmp_path / "copy")
    good = (out / "checkpoint" / WEIGHTS).read_bytes()
    monkeypatch.setattr(train, "mask_loss", lambda logits, *_: logits.mean((1, 2, 3)) * float("nan"))
    with pytest.raises(NonFiniteLoss, match="10 times in a row"):
        run(scene_folder, out, config(steps=40), small_config)
    assert (out / "checkpoint" / WEIGHTS).read_bytes() == good


def test_validation_tells_both_looks_apart(trained, scene_folder):
    out, _ = trained
    pipeline = RefLayerTinyPipeline.from_pretrained(out / "checkpoint")
    numbers = validate(pipeline.mask_network, SceneStore(scene_folder), 8)
    assert {name.rsplit("_", 1)[1] for name in numbers} == {"1", "2"}
    assert all(0 <= value <= 1 for value in numbers.values())


def test_the_command_says_what_is_missing(tmp_path, capsys):
    assert train.main(["--scenes", str(tmp_path), "--out", str(tmp_path / "out"), "--steps", "1"]) == 1
    assert "no_scenes" in capsys.readouterr().err


def test_a_run_that_starts_from_a_checkpoint_begins_with_its_weights_and_lists_what_both_have_seen(
    trained, scene_folder, tmp_path
):
    first = trained[0] / "checkpoint"
    before = load_network(first).state_dict()
    begun = run(scene_folder, tmp_path / "on", config(), should_stop=lambda: True, start=first)
    assert begun.step == 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in begun.average.items())
    # The same scenes are listed once.
    assert training_parts(tmp_path / "on" / "checkpoint") == training_parts(first)
    listed = json.loads((scene_folder / "sources.json").read_text())
    other = copytree(scene_folder, tmp_path / "other")
    (other / "sources.json").write_text(json.dumps({**listed, "families": ["ring"]}))
    run(other, tmp_path / "later", config(), should_stop=lambda: True, start=first)
    assert trained_on(tmp_path / "later" / "checkpoint").families == {"blob", "polygon", "ring"}


def test_a_start_that_is_no_checkpoint_ends_the_command_with_its_code(scene_folder, tmp_path, capsys):
    given = ["--scenes", str(scene_folder), "--out", str(tmp_path / "out"), "--start", str(tmp_path)]
    assert train.main(given) == 1
    assert capsys.readouterr().err.startswith("broken_checkpoint: ")
    assert not (tmp_path / "out").exists()
