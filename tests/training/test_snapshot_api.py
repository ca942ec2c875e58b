from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import GoldItem
from engine.models import Project
from tests.conftest import client_of
from tests.factories import join, make_user
from tests.training.frozen import make_stack
from training.models import Snapshot


@pytest.fixture
def curator(project: Project) -> APIClient:
    user = make_user("carla")
    join(user, project, "curator")
    for number in range(3):
        make_stack(project, number)
    return client_of(user)


def freeze(client: APIClient, project: Project, name: str = "one", **rules: Any) -> Any:
    body = {"project": project.slug, "name": name, "rules": rules}
    return client.post("/api/snapshots/", body, format="json")


def test_a_curator_freezes_and_reads_the_manifest(curator: APIClient, project: Project) -> None:
    made = freeze(curator, project)
    assert made.status_code == 201
    answer = made.json()
    assert (answer["rows"], answer["is_frozen"]) == (9, True)
    header = curator.get(f"/api/snapshots/{answer['id']}/manifest/").json()
    assert header["merkle_root"] == answer["merkle_root"]
    lines = b"".join(curator.get(header["lines_url"]).streaming_content)
    assert hashlib.sha256(lines).hexdigest() == header["digest"]
    assert len(lines.splitlines()) == header["rows"] == 9
    part = curator.get(header["lines_url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, lines[10:20])
    assert [found["id"] for found in curator.get("/api/snapshots/").json()["results"]] == [answer["id"]]


def test_the_preview_changes_nothing_and_names_reserved_pictures(curator: APIClient, project: Project) -> None:
    layer = project.layers.first()
    GoldItem.objects.create(project=project, layer=layer, is_acceptable=True, origin="truth")
    body = {"project": project.slug, "rules": {"kinds": ["foreground"]}}
    shown = curator.post("/api/snapshots/preview/", body, format="json").json()
    assert (shown["layers"], shown["reserved_layers"]) == (4, 2)
    assert [found["purpose"] for found in shown["reserved"]] == ["gold"]
    refused = freeze(curator, project)
    assert (refused.status_code, refused.json()["code"]) == (409, "reserved_pictures")
    assert layer.image.original_name in refused.json()["detail"]
    assert not Snapshot.objects.exists()
    assert freeze(curator, project, on_reserved="leave_out").json()["rows"] == 6


@pytest.mark.parametrize("rules", [{"kinds": ["sideways"]}, {"colour": "red"}, {"validation": 2}, {"since": "soon"}])
def test_rules_that_make_no_sense_are_refused_by_name(
    curator: APIClient, project: Project, rules: dict[str, Any]
) -> None:
    answer = freeze(curator, project, **rules)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert next(iter(rules)) in json.dumps(answer.json()["fields"]["rules"])


def test_what_changed_between_two_snapshots(curator: APIClient, project: Project) -> None:
    old = freeze(curator, project).json()
    cup, ball = (project.layers.filter(label=label).first() for label in ("cup", "ball"))
    make_stack(project, 7)
    cup.delete()
    ball.prompts.first().delete()
    new = freeze(curator, project, "two", test=0.0).json()
    found = curator.get(f"/api/snapshots/{old['id']}/diff/{new['id']}/").json()
    assert (found["removed"], found["added"] + found["unchanged"] + found["changed"]) == (1, new["rows"])
    assert found["added"] == 3
    assert found["changed"] >= 1
    assert found["rules"] == {"test": [0.05, 0.0]}


def test_an_export_is_started_watched_and_refused_to_annotators(
    curator: APIClient, project: Project, as_bob: APIClient, as_charlie: APIClient
) -> None:
    snapshot = freeze(curator, project).json()["id"]
    body = {"snapshot": snapshot, "format": "coco"}
    made = curator.post("/api/exports/", body)
    assert (made.status_code, made.json()["status"], made.json()["files"]) == (201, "queued", [])
    export = made.json()["id"]
    assert curator.get(f"/api/exports/{export}/download/").status_code == 409
    assert as_bob.post("/api/exports/", body).status_code == 403
    assert as_bob.get(f"/api/exports/{export}/").status_code == 403
    assert as_bob.get(f"/api/snapshots/{snapshot}/").status_code == 200
    assert as_bob.get(f"/api/snapshots/{snapshot}/manifest/lines/").status_code == 403
    assert freeze(as_bob, project, "mine").status_code == 403
    for address in (f"snapshots/{snapshot}/", f"exports/{export}/", f"snapshots/{snapshot}/manifest/"):
        assert as_charlie.get(f"/api/{address}").status_code == 404
    assert curator.post(f"/api/exports/{export}/cancel/").json()["status"] == "cancelled"
    assert curator.post(f"/api/exports/{export}/cancel/").json()["code"] == "not_live"
    assert curator.post("/api/exports/", {**body, "format": "gif"}).status_code == 400
