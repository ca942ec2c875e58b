from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from annotation.models import Slot, SlotStatus, Verdict
from annotation.selectors.assignments import assignment_payloads
from annotation.services.claims import claim
from engine.models import LayerStatus, Project, Prompt, Role
from tests.annotation.judging import claim_one, end_lease, judge, make_annotators, make_layers, set_layer, status_of
from tests.conftest import client_of
from tests.factories import join, make_image, make_layer, make_producer, make_user

JUDGEMENT = {
    "verdict": "reject",
    "defects": [{"kind": "halo", "x": 1.5, "y": 2}, {"kind": "wrong_order"}],
    "note": "hair",
    "client_id": "c-1",
    "active_ms": 900,
}


def claimed(client: APIClient, project: Project, count: int = 1) -> list[dict[str, Any]]:
    response = client.post("/api/review/claim/", {"project": project.slug, "count": count}, format="json")
    assert response.status_code == 200, response.content
    return response.json()["assignments"]


def judged(client: APIClient, assignment: str, **changes: Any) -> Any:
    return client.post(f"/api/assignments/{assignment}/verdict/", {**JUDGEMENT, **changes}, format="json")


def test_a_claim_answers_with_all_that_the_page_draws(project: Project, as_bob: APIClient) -> None:
    image = make_image(project)
    front = make_layer(image, label="ball")
    back = make_layer(image, depth=1, kind="background", label="background", status=LayerStatus.ACCEPTED)
    make_layer(image, depth=2, status=LayerStatus.DROPPED)
    make_layer(image, depth=3, status=LayerStatus.REJECTED, producer=make_producer("another"))
    [assignment] = claimed(as_bob, project, 3)
    assert assignment["project"] == {"id": str(project.pk), "slug": project.slug, "name": project.name}
    assert assignment["judgement"] == {"number": 1, "of": 1}
    assert (assignment["layer"]["id"], assignment["layer"]["box"]) == (str(front.pk), front.box)
    assert (assignment["source"]["id"], assignment["source"]["width"]) == (str(image.pk), image.width)
    assert [prompt["kind"] for prompt in assignment["prompts"]] == ["point", "text"]
    assert [layer["id"] for layer in assignment["stack"]] == [str(front.pk), str(back.pk)]


def test_the_pictures_of_an_assignment_can_be_fetched(project: Project, as_bob: APIClient) -> None:
    make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    urls = [value for part in ("layer", "source") for key, value in assignment[part].items() if key.endswith("url")]
    urls += [layer["rgba_url"] for layer in assignment["stack"]]
    assert [as_bob.get(url).status_code for url in urls] == [200] * 6


def test_the_most_telling_prompt_comes_first_and_never_an_ambiguous_one(project: Project, as_bob: APIClient) -> None:
    [layer] = make_layers(project, 1)
    Prompt.objects.create(layer=layer, kind="hybrid", text="ball", points=[[1, 2]], is_ambiguous=True)
    Prompt.objects.create(layer=layer, kind="hybrid", text="ball", box=[0, 0, 5, 5])
    assert claimed(as_bob, project)[0]["prompt"]["box"] == [0, 0, 5, 5]


def test_the_annotator_is_blind_to_producers_and_to_other_people(project: Project, as_bob: APIClient) -> None:
    Project.objects.update(needed_judgements=2)
    make_layers(project, 1, producer=make_producer("secret-network"))
    (anna,) = make_annotators(project, "anna")
    judged(client_of(anna), str(claim_one(anna, project).pk))
    response = as_bob.post("/api/review/claim/", {"project": project.slug}, format="json")
    assert response.json()["assignments"][0]["judgement"] == {"number": 2, "of": 2}
    assert all(word not in response.content.decode() for word in ("secret", "anna", "reject", "hair"))


def test_of_other_layers_the_annotator_is_told_the_own_word_and_not_what_became_of_them(
    project: Project, bob: Any, as_bob: APIClient
) -> None:
    image = make_image(project)
    asked, wrong, unseen = (make_layer(image, depth=depth) for depth in range(3))
    slots = claim(user=bob, project=project, count=3)
    judge(bob, next(slot for slot in slots if slot.layer_id == wrong.pk), "accept")
    for layer in (asked, wrong, unseen):
        set_layer(layer, LayerStatus.REJECTED)
    payload = assignment_payloads([slot for slot in slots if slot.layer_id == asked.pk])[0]
    told = {row["id"]: row["status"] for row in payload["stack"]}
    assert told == {str(asked.pk): "ready", str(wrong.pk): "accepted", str(unseen.pk): "ready"}


def test_a_payload_takes_one_query_for_one_layer_and_for_five(project: Project, bob: Any) -> None:
    for _ in range(5):
        make_layers(project, 2)
    slots = claim(user=bob, project=project, count=5)
    for count in (1, 5):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assignment_payloads(slots[:count])
        assert len(queries) == 1


def test_an_empty_queue_answers_204(project: Project, as_bob: APIClient) -> None:
    response = as_bob.post("/api/review/claim/", {"project": project.slug}, format="json")
    assert response.status_code == 204


@pytest.mark.parametrize("body", [{}, {"project": "street-and-studio", "count": 0}, {"project": "x", "count": 11}])
def test_a_bad_claim_names_its_fields(project: Project, as_bob: APIClient, body: dict[str, Any]) -> None:
    response = as_bob.post("/api/review/claim/", body, format="json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_a_verdict_is_created_once_and_repeated_with_the_same_body(project: Project, as_bob: APIClient) -> None:
    [layer] = make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    first, again = judged(as_bob, assignment["id"]), judged(as_bob, assignment["id"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["defects"] == [
        {"kind": "halo", "x": 1.5, "y": 2},
        {"kind": "wrong_order", "x": None, "y": None},
    ]
    assert status_of(layer) == LayerStatus.REJECTED


def test_a_reused_client_id_is_a_conflict(project: Project, as_bob: APIClient) -> None:
    make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    judged(as_bob, assignment["id"])
    response = judged(as_bob, assignment["id"], verdict="accept")
    assert (response.status_code, response.json()["code"]) == (409, "client_id_reused")


def test_a_lost_lease_is_a_conflict_and_the_verdict_is_kept(project: Project, as_bob: APIClient) -> None:
    make_layers(project, 1)
    (anna,) = make_annotators(project, "anna")
    [assignment] = claimed(as_bob, project)
    end_lease(Slot.objects.get())
    claim_one(anna, project)
    response = judged(as_bob, assignment["id"])
    assert (response.status_code, response.json()["code"]) == (409, "lease_lost")
    assert Verdict.objects.get().note == "hair"


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"client_id": ""},
        {"client_id": "x" * 65},
        {"active_ms": -1},
        {"defects": [{"kind": "ugly", "x": 1, "y": 1}]},
        {"defects": [{"kind": "halo", "x": "left", "y": 1}]},
        {"defects": "halo"},
        {"note": "x" * 2001},
    ],
    ids=str,
)
def test_a_bad_verdict_is_refused_and_nothing_stored(
    project: Project, as_bob: APIClient, change: dict[str, Any]
) -> None:
    make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    response = judged(as_bob, assignment["id"], **change)
    assert (response.status_code, list(response.json()["fields"])) == (400, list(change))
    assert not Verdict.objects.exists()


def test_heartbeat_answers_the_new_end_of_the_lease(project: Project, as_bob: APIClient, settings: Any) -> None:
    make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    settings.REVIEW_LEASE_S += 100
    response = as_bob.post(f"/api/assignments/{assignment['id']}/heartbeat/")
    assert response.json()["id"] == assignment["id"]
    assert response.json()["expires_at"] > assignment["expires_at"]


def test_release_frees_the_slot_and_may_be_repeated(project: Project, as_bob: APIClient) -> None:
    make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    for _ in range(2):
        assert as_bob.post(f"/api/assignments/{assignment['id']}/release/").status_code == 204
    assert Slot.objects.get().status == SlotStatus.OPEN


def test_undo_answers_the_assignment_to_judge_again(project: Project, as_bob: APIClient) -> None:
    [layer] = make_layers(project, 1)
    [assignment] = claimed(as_bob, project)
    verdict = judged(as_bob, assignment["id"]).json()
    response = as_bob.post(f"/api/verdicts/{verdict['id']}/undo/")
    assert response.status_code == 200
    assert response.json()["verdict"]["undone_at"] is not None
    assert response.json()["assignment"]["layer"]["id"] == str(layer.pk)


def test_nobody_undoes_the_verdict_of_somebody_else(project: Project, as_bob: APIClient, as_alice: APIClient) -> None:
    make_layers(project, 1)
    verdict = judged(as_bob, claimed(as_bob, project)[0]["id"]).json()
    assert as_alice.post(f"/api/verdicts/{verdict['id']}/undo/").status_code == 404
    assert Verdict.objects.get().is_counted


@pytest.mark.parametrize(("role", "status"), [(None, 404), (Role.VIEWER, 403), (Role.REVIEWER, 200)])
def test_who_may_judge(project: Project, as_bob: APIClient, role: str | None, status: int) -> None:
    make_layers(project, 2)
    [assignment] = claimed(as_bob, project)
    person = make_user("dora")
    if role:
        join(person, project, role)
    dora = client_of(person)
    assert dora.post("/api/review/claim/", {"project": project.slug}, format="json").status_code == status
    # For somebody who may judge, Bob's assignment is simply not theirs.
    for action in ("verdict", "heartbeat"):
        response = dora.post(f"/api/assignments/{assignment['id']}/{action}/", JUDGEMENT, format="json")
        assert response.status_code == (409 if status == 200 else status)


def test_without_signing_in_nothing_is_served(project: Project) -> None:
    assert APIClient().post("/api/review/claim/", {"project": project.slug}, format="json").status_code == 401


def test_queue_depths_come_as_columns(project: Project, as_bob: APIClient) -> None:
    make_layers(project, 4)
    assignments = claimed(as_bob, project, 3)
    judged(as_bob, assignments[0]["id"])
    end_lease(Slot.objects.get(pk=assignments[1]["id"]))
    assert as_bob.get("/api/stats/queues/").json() == {
        "project": [project.slug],
        "open": [1],
        "leased": [1],
        "expired": [1],
        "filled": [1],
        "retired": [0],
    }


def test_queue_depths_show_only_ones_own_projects(project: Project, as_charlie: APIClient) -> None:
    assert as_charlie.get("/api/stats/queues/").json()["project"] == []
    assert as_charlie.get(f"/api/stats/queues/?project={project.slug}").status_code == 404
