"""A large project in one command, here a small one: rows, slots, people whose tokens work, verdicts."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from annotation.models import Slot, SlotStatus, Verdict
from engine.models import Layer, Project
from tests.factories import make_project

pytestmark = pytest.mark.django_db
LAYERS_A_PICTURE = 3


def seed(*arguments: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("seed_scale", *map(str, arguments), "--project", "Scale", "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_pictures_come_with_ready_layers_and_open_slots() -> None:
    answer = seed("--images", 4)
    assert (answer["images"], answer["layers"], answer["slots_opened"]) == (
        4,
        4 * LAYERS_A_PICTURE,
        4 * LAYERS_A_PICTURE,
    )
    project = Project.objects.get(name="Scale")
    assert project.images.count() == 4
    assert set(Layer.objects.values_list("status", flat=True)) == {"ready"}
    assert Slot.objects.filter(project=project, status=SlotStatus.OPEN).count() == 4 * LAYERS_A_PICTURE


def test_a_second_call_adds_to_the_first() -> None:
    seed("--images", 2)
    assert seed("--images", 3)["layers"] == 5 * LAYERS_A_PICTURE


def test_every_token_opens_the_queue_and_the_pictures(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    seed("--images", 2, "--annotators", 2, "--tokens", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    tokens = file.read_text().splitlines()
    assert len(tokens) == 2
    for token in tokens:
        client = APIClient(headers={"Authorization": f"Bearer {token}"})
        [assignment] = client.post("/api/review/claim/", {"project": "scale"}, format="json").json()["assignments"]
        assert len(assignment["stack"]) == LAYERS_A_PICTURE
        assert client.get(assignment["layer"]["rgba_url"]).status_code == 200


def test_settled_layers_have_all_their_judgements() -> None:
    make_project("Scale", needed_judgements=2)
    assert seed("--images", 4, "--annotators", 3, "--verdicts", 12)["verdicts"] == 12
    settled = Layer.objects.exclude(status="ready")
    assert settled.count() == 6
    for layer in settled:
        said = Verdict.objects.filter(layer=layer, is_counted=True)
        assert said.values("annotator").distinct().count() == 2
        assert set(said.values_list("decision", flat=True)) == {layer.status.removesuffix("ed")}
    assert Slot.objects.filter(status=SlotStatus.FILLED).count() == 12


@pytest.mark.parametrize(
    "arguments", [("--images", "-1"), ("--images", "1", "--tokens", "x"), ("--images", "1", "--verdicts", "5")]
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        seed(*arguments)
    assert refused.value.returncode == 2
