"""Several processes train one network, as ``accelerate launch`` starts them; here two on the processor."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.training.reflayer import small
from training.reflayer.config import StageConfig
from training.reflayer.loading import load_pipeline

ROOT = Path(__file__).parents[3]
LAUNCH = ["--cpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]


def test_two_processes_train_one_network_and_the_first_one_writes_it_down(tmp_path: Path) -> None:
    stage = StageConfig("B", 3, batch_size=2, optimiser=small.QUICK, save_every=1, log_every=1)
    config, out = tmp_path / "run.json", tmp_path / "run"
    config.write_text(json.dumps(small.config(stage).to_json()))
    trainer = ["--module", "training.reflayer.train", "--config", str(config), "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", *LAUNCH, *trainer],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (document,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["step"]) for line in lines] == [
        ("train", 1), ("train", 2), ("train", 3), ("validation", 3),
    ]  # fmt: skip
    assert load_pipeline(Path(document["checkpoint"])).network is not None
