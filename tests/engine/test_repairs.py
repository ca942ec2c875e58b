"""Repairs over the API: drafts, previews, new versions, and everything that is refused."""

from __future__ import annotations

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from engine.imaging import decode_png, iou
from engine.models import Layer, LayerStatus, Producer, Project, Repair, Role
from engine.records import LayerKind
from engine.selectors.images import project_images
from engine.selectors.layers import stack_of
from engine.selectors.runs import run_report
from engine.services.layers import set_layer_status
from engine.services.repairs import open_repair, producer_of, submit_repair
from engine.services.runs import start_run
from tests.conftest import client_of
from tests.engine.mending import KEEP, make_bitten_layer
from tests.engine.repair.drawn import CENTRE, RADIUS, disc
from tests.factories import join, make_image, make_layer, make_user


@pytest.fixture
def layer(project: Project) -> Layer:
    return make_bitten_layer(project)


def begin(client: APIClient, layer: Layer) -> str:
    answer = client.post("/api/repairs/", {"layer": str(layer.pk)}, format="json")
    assert answer.status_code in (200, 201), answer.json()
    return answer.json()["id"]


def submit(client: APIClient, repair: str, client_id: str = "one", **body: Any) -> Any:
    return client.post(f"/api/repairs/{repair}/submit/", {"client_id": client_id, **body}, format="json")


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_open_draft_is_resumed_with_its_marks(as_bob: APIClient, layer: Layer) -> None:
    first = begin(as_bob, layer)
    saved = as_bob.patch(f"/api/repairs/{first}/", KEEP, format="json")
    assert saved.status_code == 200
    again = as_bob.post("/api/repairs/", {"layer": str(layer.pk)}, format="json")
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert again.json()["marks"]["strokes"][0]["points"] == [[42, 40], [44, 40]]


def test_a_preview_shows_the_mended_layer_and_writes_nothing(as_bob: APIClient, layer: Layer) -> None:
    repair = begin(as_bob, layer)
    shown = as_bob.post(f"/api/repairs/{repair}/preview/", KEEP, format="json").json()
    x0, y0, x1, y1 = shown["box"]
    rgba = decode_png(base64.b64decode(shown["layer"].partition(",")[2]))
    assert rgba.shape == (y1 - y0, x1 - x0, 4)
    assert iou(rgba[..., 3] > 127, disc(CENTRE, RADIUS)[y0:y1, x0:x1]) > 0.96
    assert shown["visible"]["size"] == [y1 - y0, x1 - x0]
    assert shown["area_share"] == pytest.approx(disc(CENTRE, RADIUS).mean(), rel=0.04)
    assert Layer.objects.count() == 1
    assert Repair.objects.get().marks == {}


def test_handing_in_makes_a_new_version_in_the_place_of_the_old_one(bob: Any, as_bob: APIClient, layer: Layer) -> None:
    answer = submit(as_bob, begin(as_bob, layer), marks=KEEP)
    assert answer.status_code == 201
    new = Layer.objects.get(pk=answer.json()["id"])
    layer.refresh_from_db()
    assert (layer.status, new.status) == (LayerStatus.SUPERSEDED, LayerStatus.READY)
    assert (new.replaces, new.author, new.item, new.depth, new.key) == (layer, bob, layer.item, layer.depth, layer.key)
    assert new.area_share > layer.area_share * 1.1
    assert [(p.kind, p.points, p.text) for p in new.prompts.all()] == [
        (p.kind, p.points, p.text) for p in layer.prompts.all()
    ]
    assert list(stack_of(new)) == [new]


def test_the_producer_is_the_person_under_a_name_that_tells_nothing(bob: Any, as_bob: APIClient, layer: Layer) -> None:
    made = submit(as_bob, begin(as_bob, layer), marks=KEEP).json()
    name = Layer.objects.get(pk=made["id"]).producer.name
    assert name.startswith("person-")
    assert "bob" not in name
    assert producer_of(bob).name == name
    assert Producer.objects.filter(kind="person").count() == 1


def test_handing_in_again_is_the_same_answer(as_bob: APIClient, layer: Layer) -> None:
    repair = begin(as_bob, layer)
    first, again = submit(as_bob, repair, marks=KEEP), submit(as_bob, repair, marks=KEEP)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert code_of(submit(as_bob, repair, "two", marks=KEEP)) == (409, "already_submitted")
    assert code_of(as_bob.patch(f"/api/repairs/{repair}/", {}, format="json")) == (409, "already_submitted")
    assert Layer.objects.count() == 2


def test_the_draft_is_handed_in_when_no_marks_are_sent(as_bob: APIClient, layer: Layer) -> None:
    repair = begin(as_bob, layer)
    assert code_of(submit(as_bob, repair)) == (400, "nothing_changed")
    as_bob.patch(f"/api/repairs/{repair}/", KEEP, format="json")
    assert submit(as_bob, repair).status_code == 201


def test_of_two_people_the_first_wins_and_the_other_keeps_the_draft(
    project: Project, as_bob: APIClient, layer: Layer
) -> None:
    carol = make_user("carol")
    join(carol, project, Role.ANNOTATOR)
    as_carol = client_of(carol)
    one, other = begin(as_bob, layer), begin(as_carol, layer)
    as_carol.patch(f"/api/repairs/{other}/", KEEP, format="json")
    new = submit(as_bob, one, marks=KEEP).json()["id"]
    assert code_of(submit(as_carol, other)) == (409, "layer_superseded")
    kept = as_carol.get(f"/api/repairs/{other}/").json()
    assert (kept["status"], kept["newest"], kept["result"]) == ("open", new, None)
    assert kept["marks"]["strokes"]
    assert Layer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_make_one_version(project: Project, bob: Any, layer: Layer) -> None:
    carol = make_user("carol")
    drafts = [open_repair(user=user, layer=layer)[0] for user in (bob, carol)]

    def hand_in(repair: Repair) -> str:
        try:
            return submit_repair(repair=repair, client_id="x", data=KEEP)[0].status
        except Exception as error:  # noqa: BLE001
            return getattr(error, "code", repr(error))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(hand_in, drafts)) == ["layer_superseded", "ready"]
    assert Layer.objects.filter(replaces=layer).count() == 1


def test_a_repair_of_a_repair_stays_in_the_stack(project: Project, as_alice: APIClient, as_bob: APIClient) -> None:
    layer = make_bitten_layer(project)
    behind = make_layer(layer.image, kind="background", label="background", depth=1, status="accepted")
    second = Layer.objects.get(pk=submit(as_bob, begin(as_bob, layer), marks=KEEP).json()["id"])
    erase = {"strokes": [{"tool": "erase", "points": [[60, 48]], "width_px": 9}]}
    third = Layer.objects.get(pk=submit(as_alice, begin(as_alice, second), marks=erase).json()["id"])
    assert list(stack_of(behind)) == [third, behind]
    assert list(stack_of(third)) == [third, behind]


def test_a_rejected_layer_can_be_mended(as_bob: APIClient, layer: Layer) -> None:
    set_layer_status(layer.pk, expected="ready", status="rejected")
    assert submit(as_bob, begin(as_bob, layer), marks=KEEP).status_code == 201


def test_an_accepted_layer_is_replaced_by_reviewers_and_others_are_told_only_when_they_hand_in(
    project: Project, as_bob: APIClient, layer: Layer
) -> None:
    set_layer_status(layer.pk, expected="ready", status="accepted")
    draft = begin(as_bob, layer)
    assert as_bob.post(f"/api/repairs/{draft}/preview/", KEEP, format="json").status_code == 200
    assert code_of(submit(as_bob, draft, marks=KEEP)) == (409, "layer_accepted")
    assert Repair.objects.get().status == "open"
    rita = make_user("rita")
    join(rita, project, Role.REVIEWER)
    as_rita = client_of(rita)
    new = submit(as_rita, begin(as_rita, layer), marks=KEEP).json()
    layer.refresh_from_db()
    assert (new["status"], new["replaces"], layer.status) == ("ready", str(layer.pk), "superseded")


def test_a_draft_is_thrown_away_by_its_author_only(project: Project, as_bob: APIClient, layer: Layer) -> None:
    carol = make_user("carol")
    join(carol, project, Role.ANNOTATOR)
    draft = begin(as_bob, layer)
    assert client_of(carol).delete(f"/api/repairs/{draft}/").status_code == 404
    assert as_bob.delete(f"/api/repairs/{draft}/").status_code == 204
    assert not Repair.objects.exists()
    draft = begin(as_bob, layer)
    submit(as_bob, draft, marks=KEEP)
    assert code_of(as_bob.delete(f"/api/repairs/{draft}/")) == (409, "already_submitted")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"status": "dropped"}, (409, "layer_dropped")),
        ({"status": "superseded"}, (409, "layer_superseded")),
        ({"kind": "background"}, (400, "background_layer")),
    ],
)
def test_a_layer_that_cannot_be_mended_says_why(
    as_bob: APIClient, project: Project, change: dict[str, str], refusal: tuple[int, str]
) -> None:
    layer = make_layer(make_image(project), **change)
    assert code_of(as_bob.post("/api/repairs/", {"layer": str(layer.pk)}, format="json")) == refusal


@pytest.mark.parametrize(
    ("marks", "code"),
    [
        ({"strokes": [{"tool": "keep", "points": [[500, 2]], "width_px": 3}]}, "stroke_outside"),
        ({"strokes": [{"tool": "erase", "points": [[0, 48], [128, 48]], "width_px": 300}]}, "empty_mask"),
        ({"mask": {"size": [1, 1], "counts": [0, 1]}}, "bad_mask"),
        ([1], "bad_marks"),
    ],
)
def test_bad_marks_are_named_and_change_nothing(as_bob: APIClient, layer: Layer, marks: Any, code: str) -> None:
    repair = begin(as_bob, layer)
    assert code_of(as_bob.post(f"/api/repairs/{repair}/preview/", marks, format="json")) == (400, code)
    assert code_of(submit(as_bob, repair, marks=marks)) == (400, code)
    assert Layer.objects.get().status == LayerStatus.READY
    assert Repair.objects.get().marks == {}


def test_viewers_may_not_mend_and_strangers_see_nothing(
    project: Project, as_charlie: APIClient, as_bob: APIClient, layer: Layer
) -> None:
    viewer = make_user("vera")
    join(viewer, project, Role.VIEWER)
    body = {"layer": str(layer.pk)}
    assert code_of(client_of(viewer).post("/api/repairs/", body, format="json")) == (403, "forbidden")
    assert code_of(as_charlie.post("/api/repairs/", body, format="json")) == (404, "not_found")
    assert code_of(as_bob.post("/api/repairs/", {"layer": str(uuid.uuid4())}, format="json")) == (404, "not_found")
    assert APIClient().post("/api/repairs/", body, format="json").status_code == 401


def test_nobody_sees_the_draft_of_somebody_else(as_alice: APIClient, as_bob: APIClient, layer: Layer) -> None:
    repair = begin(as_bob, layer)
    assert code_of(as_alice.get(f"/api/repairs/{repair}/")) == (404, "not_found")
    assert code_of(as_alice.post(f"/api/repairs/{repair}/preview/", KEEP, format="json")) == (404, "not_found")
    assert code_of(submit(as_alice, repair, marks=KEEP)) == (404, "not_found")


def test_nothing_brings_a_superseded_layer_back(layer: Layer) -> None:
    set_layer_status(layer.pk, expected="ready", status="superseded")
    with pytest.raises(ValueError, match="does not go"):
        set_layer_status(layer.pk, expected="superseded", status="ready")


def test_a_repair_takes_the_layers_place_in_its_run_and_counts_for_nobody_but_the_person(
    bob: Any, project: Project, as_bob: APIClient, layer: Layer
) -> None:
    run = start_run(project=project, user=bob)
    Layer.objects.update(item=run.items.get())
    submit(as_bob, begin(as_bob, layer), marks=KEEP)
    new = Layer.objects.get(replaces=layer)
    set_layer_status(new.pk, expected="ready", status="accepted")
    report = run_report(run)
    assert (report.layers_by_status["accepted"], report.layers_by_status["superseded"]) == (0, 1)
    assert report.accepted_share(LayerKind.FOREGROUND) == 0
    assert new.item == run.items.get()
    assert project_images(project).get().layer_total == 1
