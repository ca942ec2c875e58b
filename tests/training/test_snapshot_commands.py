from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from engine.models import Layer, Project
from tests.training.frozen import make_stack
from training.models import Snapshot


def run(capsys: pytest.CaptureFixture[str], *words: Any) -> dict[str, Any]:
    capsys.readouterr()
    call_command(*(str(word) for word in words), "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return answer


def test_freeze_verify_export_and_import(project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    make_stack(project, 1)
    shown = run(capsys, "freeze_snapshot", "--project", project.slug, "--dry-run", "--kinds", "foreground")
    assert (shown["layers"], Snapshot.objects.count()) == (2, 0)
    frozen = run(capsys, "freeze_snapshot", "--project", project.name, "--name", "first")
    assert frozen["rows"] == 3
    assert run(capsys, "verify_snapshot", "first")["files"] == 1 + 3 + 3
    out = run(capsys, "export_snapshot", "first", "--format", "ora", "--out", tmp_path / "out")
    assert out["digest"] == frozen["digest"]
    again = run(capsys, "export_snapshot", frozen["id"], "--format", "ora", "--out", tmp_path / "out")
    assert again["parts"] == out["parts"]
    imported = run(capsys, "import_dataset", tmp_path / "out", "--project", "Elsewhere", "--accepted")
    assert (imported["pictures"], imported["layers"]) == (1, 3)
    assert Layer.objects.filter(project__name="Elsewhere", status="accepted").count() == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("freeze_snapshot", "--project", "nowhere", "--name", "x"), 1),
        (("freeze_snapshot", "--project", "nowhere"), 2),
        (("verify_snapshot", "nothing"), 1),
        (("export_snapshot", "nothing", "--format", "psd", "--out", "/nowhere"), 1),
        (("import_dataset", "/nowhere", "--project", "x"), 2),
    ],
)
@pytest.mark.django_db
def test_wrong_use_and_refusals_have_their_exit_codes(words: tuple[str, ...], code: int) -> None:
    with pytest.raises(CommandError) as told:
        call_command(*words)
    assert told.value.returncode == code


def test_rules_that_make_no_sense_are_wrong_use(project: Project) -> None:
    with pytest.raises(CommandError, match="kinds") as told:
        call_command("freeze_snapshot", "--project", project.slug, "--name", "x", "--kinds", "sideways")
    assert told.value.returncode == 2
