"""The playground's page as the server makes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.models import Project, Role
from tests.conftest import client_of
from tests.factories import join, make_image, make_project, make_user


def address(project: Project) -> str:
    return f"/projects/{project.slug}/playground/"


def data_of(answer: Any) -> Any:
    found = re.search(r'<script id="playground-data" type="application/json">(.*?)</script>', answer.content.decode())
    assert found is not None
    return json.loads(found[1])


@pytest.fixture
def checkpoints(settings: Any, tmp_path: Path) -> Path:
    settings.CHECKPOINT_FOLDERS = [tmp_path / "shipped", tmp_path / "own"]
    return tmp_path


def put_checkpoint(folder: Path, pipeline: str, size: int = 0) -> None:
    (folder / "network").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    (folder / "network" / "weights.safetensors").write_bytes(bytes(size))


def test_the_newest_photo_lies_on_the_table_or_the_one_that_is_asked_for(as_bob: Any, project: Project) -> None:
    first, second = make_image(project), make_image(project)
    assert data_of(as_bob.get(address(project)))["photo"]["id"] == str(second.pk)
    assert data_of(as_bob.get(address(project), {"photo": first.pk}))["photo"]["id"] == str(first.pk)


@pytest.mark.parametrize("key", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_photo_is_a_404(as_bob: Any, project: Project, key: str) -> None:
    assert as_bob.get(address(project), {"photo": key}).status_code == 404


def test_the_photo_of_another_project_is_a_404(as_bob: Any, project: Project) -> None:
    other = make_image(make_project("Other"))
    assert as_bob.get(address(project), {"photo": other.pk}).status_code == 404


def test_a_project_without_photos_says_so_and_strangers_and_viewers_get_nothing(
    as_bob: Any, as_charlie: Any, project: Project
) -> None:
    assert data_of(as_bob.get(address(project)))["photo"] is None
    vera = make_user("vera")
    join(vera, project, Role.VIEWER)
    assert [client.get(address(project)).status_code for client in (as_charlie, client_of(vera))] == [404, 403]


def test_only_curators_may_drop_a_photo(as_alice: Any, as_bob: Any, project: Project) -> None:
    pages = [client.get(address(project)).content.decode() for client in (as_alice, as_bob)]
    assert ['id="upload"' in page for page in pages] == [True, False]


def test_every_checkpoint_is_offered_and_the_small_one_says_that_it_is_small(
    as_bob: Any, project: Project, checkpoints: Path
) -> None:
    put_checkpoint(checkpoints / "shipped" / "reflayer-tiny", "RefLayerTinyPipeline", 5_800_000)
    put_checkpoint(checkpoints / "own" / "ours", "RefLayerPipeline", 1_000_000)
    put_checkpoint(checkpoints / "own" / "reflayer-tiny", "RefLayerPipeline")
    put_checkpoint(checkpoints / "own" / "other", "StableDiffusion3Pipeline")
    offered = {one["name"]: one["words"] for one in data_of(as_bob.get(address(project)))["predictors"]}
    assert list(offered) == ["reflayer-tiny", "ours", "cpu"]
    assert offered["reflayer-tiny"].startswith("A small network: 5.8 MB of weights")
    assert offered["ours"] == "1.0 MB of weights. It reads text too."
