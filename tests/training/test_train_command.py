"""``manage.py train`` in the foreground: through the same services, with JSON and exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from engine.models import Project
from tests.training.training import SHORT, frozen_stacks, short_run
from training.models import Checkpoint, JobStatus, RunTrigger, Snapshot, TrainingRun
from training.services.training_runs import cancel_training_run


@pytest.fixture
def snapshot(transactional_db: None, project: Project) -> Snapshot:
    return frozen_stacks(project, pictures=3)


def train(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("train", **options, as_json=True, stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_a_run_in_the_foreground_and_one_that_goes_on(snapshot: Snapshot) -> None:
    document = train(snapshot=snapshot.name, steps=2, params=json.dumps({**SHORT, "steps": 9}))
    assert (document["status"], document["step"], document["steps"]) == ("finished", 2, 2)
    checkpoint = Checkpoint.objects.get(name=document["checkpoint"])
    assert document["metrics"] == checkpoint.metrics
    run = TrainingRun.objects.get()
    assert (run.trigger, run.status) == (RunTrigger.COMMAND, JobStatus.FINISHED)
    with pytest.raises(CommandError, match="not_resumable"):
        train(resume=str(run.pk))

    stopped = short_run(snapshot, parent=checkpoint)
    cancel_training_run(stopped)
    again = train(resume=f"{snapshot.project.slug}/{stopped.number}")
    assert (again["status"], again["checkpoint"]) == ("finished", f"{snapshot.project.slug}-2")
    assert Checkpoint.objects.get(name=again["checkpoint"]).parent == checkpoint


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({}, 2, "either --snapshot or --resume"),
        ({"snapshot": "to learn", "resume": "x"}, 2, "either --snapshot or --resume"),
        ({"snapshot": "to learn", "params": "{"}, 2, "--params is no JSON"),
        ({"snapshot": "to learn", "weights": "[]"}, 2, "--weights is a JSON object"),
        ({"snapshot": "absent"}, 1, "not_found"),
        ({"resume": "absent"}, 1, "not_found"),
        ({"snapshot": "to learn", "steps": 0}, 1, "bad_params"),
        ({"snapshot": "to learn", "recipe": "huge"}, 1, "unknown_recipe"),
        ({"snapshot": "to learn", "parent": "absent"}, 1, "unknown_checkpoint"),
    ],
)
def test_wrong_use_is_one_line(project: Project, options: dict[str, Any], code: int, words: str) -> None:
    frozen_stacks(project, pictures=2)
    with pytest.raises(CommandError, match=words) as error:
        train(**options)
    assert error.value.returncode == code
    assert not TrainingRun.objects.exists()
