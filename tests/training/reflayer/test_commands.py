"""The two command lines, in this process: what they print, write and return."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accelerate.state import AcceleratorState

from engine.composites.generator import compose
from engine.imaging import decode_png, encode_png
from tests.training.reflayer import small
from tests.training.reflayer.test_examples import frozen
from training.reflayer import predict, train
from training.reflayer.card import Card
from training.reflayer.checkpoint import save_pipeline
from training.reflayer.config import StageConfig


@pytest.fixture(autouse=True)
def _signals_and_state() -> None:
    AcceleratorState._reset_state(reset_partial_state=True)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _config(folder: Path, steps: int = 2) -> Path:
    stage = StageConfig("B", steps, batch_size=2, optimiser=small.QUICK, save_every=1, log_every=1)
    path = folder / "run.json"
    path.write_text(json.dumps(small.config(stage).to_json()))
    return path


def test_training_from_a_file_ends_with_one_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "run"
    assert train.main(["--config", str(_config(tmp_path)), "--out", str(out)]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert Path(document["checkpoint"]).is_dir()
    assert "alpha_mae" in document["metrics"]
    assert json.loads((out / "config.json").read_text())["name"] == "test"


def test_a_finished_run_is_not_started_over(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    assert train.main(["--config", "tiny_cpu", "--out", str(tmp_path / "run")]) == train.WRONG_USE
    assert "go on with --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config", "huge"], "unknown_recipe: unknown recipe 'huge'"),
        ([], "bad_config: --config names"),
        (["--config", "absent.json"], "bad_config: absent.json"),
        (["--resume"], "bad_config"),
    ],
)
def test_wrong_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list, words: str) -> None:
    assert train.main([*arguments, "--out", str(tmp_path / "run")]) == train.WRONG_USE
    errors = capsys.readouterr().err
    assert words in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_base_that_is_none_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["--config", str(_config(tmp_path)), "--out", str(tmp_path / "run"), "--base", str(tmp_path)]
    assert train.main(arguments) == 1
    assert "broken_checkpoint: " in capsys.readouterr().err


def test_a_signal_saves_the_state_and_resume_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    shown = train.Progress.__call__

    def stopped_at_two(self: train.Progress, what: str, done: int, total: int) -> None:
        shown(self, what, done, total)
        if what == "stage B" and done == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(train.Progress, "__call__", stopped_at_two)
    assert train.main(["--config", str(_config(tmp_path, 4)), "--out", str(out)]) == train.STOPPED
    assert "after step 2" in json.loads(capsys.readouterr().out.splitlines()[-1])["stopped"]
    monkeypatch.undo()
    assert train.main(["--resume", "--out", str(out)]) == 0
    steps = [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 4]


def test_a_frozen_dataset_is_trained_on_and_named_in_the_card(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    frozen(tmp_path / "data")
    out = tmp_path / "run"
    arguments = ["--config", str(_config(tmp_path)), "--out", str(out), "--dataset", str(tmp_path / "data")]
    assert train.main(arguments) == 0
    header = json.loads((tmp_path / "data" / "manifest.json").read_text())
    assert header["digest"] in (out / "checkpoint" / "README.md").read_text()


def test_training_goes_on_from_a_parent(tmp_path: Path) -> None:
    save_pipeline(small.pipeline(), tmp_path / "parent", Card("p", "", "", "", {}, "", stages_done=3))
    config = replace(small.config(), base=str(tmp_path / "parent"))
    (tmp_path / "run.json").write_text(json.dumps(config.to_json()))
    assert train.main(["--config", str(tmp_path / "run.json"), "--out", str(tmp_path / "run"), "--steps", "1"]) == 0
    assert not (tmp_path / "run" / "base").exists()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predict") / "checkpoint"
    save_pipeline(small.pipeline(), folder, Card("test", "", "", "", {}, ""))
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(compose(3, 96).source_hwc))
    return path


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["--box", "10,10,50,50"], "box"),
        (["--point", "30,30", "--point", "40,40"], "point"),
        (["--text", "cup"], "text"),
        (["--box", "10,10,50,50", "--text", "cup"], "hybrid"),
        (["--background"], "background"),
    ],
)
def test_predicting_writes_a_layer(
    checkpoint: Path, picture: Path, capsys: pytest.CaptureFixture, arguments: list, kind: str
) -> None:
    out = picture.with_name("layer.png")
    common = ["--checkpoint", str(checkpoint), "--out", str(out), "--steps", "1"]
    assert predict.main([str(picture), *arguments, *common]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == kind
    assert decode_png(out.read_bytes()).shape == (96, 96, 4)


def test_a_mask_comes_as_a_picture(checkpoint: Path, picture: Path, capsys: pytest.CaptureFixture) -> None:
    mask = np.zeros((96, 96), bool)
    mask[20:50, 20:50] = True
    picture.with_name("mask.png").write_bytes(encode_png(mask))
    out, visible = picture.with_name("layer.png"), picture.with_name("visible.png")
    arguments = [
        "--mask",
        str(picture.with_name("mask.png")),
        "--visible",
        str(visible),
        "--keep-visible",
        "--steps",
        "1",
    ]
    assert predict.main([str(picture), *arguments, "--checkpoint", str(checkpoint), "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == "mask"
    assert decode_png(visible.read_bytes()).shape == (96, 96)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "empty_prompt"),
        (["--box", "200,200,300,300"], "prompt_outside"),
        (["--box", "10,10,10,50"], "empty_box"),
        (["--box", "1,1,9,9", "--box", "2,2,9,9"], "bad_prompt"),
        (["--background", "--text", "sky"], "bad_prompt"),
        (["--mask", "absent.png"], "not_found"),
        (["--text", "cup", "--checkpoint", "absent"], "broken_checkpoint"),
    ],
)
def test_a_refused_prediction_is_one_line_and_writes_nothing(
    checkpoint: Path, picture: Path, capsys: pytest.CaptureFixture, arguments: list, code: str
) -> None:
    out = picture.with_name("layer.png")
    assert predict.main([str(picture), "--checkpoint", str(checkpoint), "--out", str(out), *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"{code}: ")
    assert not out.exists()


def test_a_picture_that_is_none_is_refused(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "words.png").write_text("no picture")
    out = tmp_path / "layer.png"
    arguments = [str(tmp_path / "words.png"), "--background", "--checkpoint", str(checkpoint), "--out", str(out)]
    assert predict.main(arguments) == 1
    assert "not_an_image" in capsys.readouterr().err


def test_coordinates_that_are_no_numbers_are_wrong_use(picture: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        predict.main([str(picture), "--box", "1,2,3", "--out", "x.png"])
    assert ended.value.code == 2
