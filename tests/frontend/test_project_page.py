"""Project pages: everything works as plain forms, and nobody sees or does more than the role allows."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from engine.imaging import encode_png
from engine.models import EngineRun, Membership, Project, Role, SourceImage
from tests.engine.runs import make_run
from tests.factories import join, make_image, make_picture, make_project, make_user


def png(seed: int) -> bytes:
    return encode_png(make_picture(seed, 96, 80))


def file(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def upload(client: Client, project: Project, files: list[SimpleUploadedFile], **kwargs: Any) -> Any:
    annotations = kwargs.pop("annotations", None)
    body = {"files": files, **({"annotations": annotations} if annotations else {})}
    return client.post(f"/projects/{project.slug}/upload/", body, **kwargs)


def results(answer: Any) -> dict[str, str]:
    return {row["name"]: row["outcome"] for row in answer.json()["results"]}


@pytest.fixture
def as_curator(project: Project) -> Client:
    dana = make_user("dana")
    join(dana, project, Role.CURATOR)
    client = Client()
    client.force_login(dana)
    return client


JSON = {"headers": {"Accept": "application/json"}}


def test_the_list_shows_ones_own_projects(as_bob: Client, project: Project) -> None:
    make_project("Elsewhere")
    html = as_bob.get("/projects/").content.decode()
    assert project.name in html
    assert "Elsewhere" not in html


def test_anybody_signed_in_makes_a_project(as_charlie: Client, charlie: Any) -> None:
    body = {"name": "Harbour", "recipe": "cpu", "needed_judgements": 2, "instructions": "Look twice."}
    answer = as_charlie.post("/projects/", body)
    assert answer.headers["Location"] == "/projects/harbour/"
    made = Project.objects.get(slug="harbour")
    assert (made.needed_judgements, made.instructions) == (2, "Look twice.")
    assert made.memberships.get().role == Role.ADMIN


def test_a_taken_name_is_told_beside_the_form(as_charlie: Client, project: Project) -> None:
    body = {"name": project.name, "recipe": "cpu", "needed_judgements": 1}
    answer = as_charlie.post("/projects/", body)
    assert answer.status_code == 200
    assert "already" in answer.content.decode()
    assert Project.objects.count() == 1


def test_strangers_get_404_everywhere(as_charlie: Client, project: Project) -> None:
    assert as_charlie.get(f"/projects/{project.slug}/").status_code == 404
    for action in ("upload", "runs", "settings", "members"):
        assert as_charlie.post(f"/projects/{project.slug}/{action}/").status_code == 404


def test_the_server_refuses_what_the_role_may_not(as_bob: Client, project: Project) -> None:
    for action in ("upload", "runs", "settings", "members"):
        assert as_bob.post(f"/projects/{project.slug}/{action}/").status_code == 403


def test_an_annotator_is_shown_no_forms(as_bob: Client, project: Project) -> None:
    html = as_bob.get(f"/projects/{project.slug}/").content.decode()
    assert [
        action for action in ("/upload/", "/runs/", "/settings/", "/members/") if f"{project.slug}{action}" in html
    ] == []


def test_a_curator_uploads_but_does_not_administer(as_curator: Client, project: Project) -> None:
    html = as_curator.get(f"/projects/{project.slug}/").content.decode()
    assert f"{project.slug}/upload/" in html
    assert f"{project.slug}/members/" not in html
    for action in ("settings", "members"):
        assert as_curator.post(f"/projects/{project.slug}/{action}/").status_code == 403


def test_every_file_is_answered_by_name(as_curator: Client, project: Project) -> None:
    files = [file("a.png", png(1)), file("copy.png", png(1)), file("note.txt", b"hello"), file("b.png", png(2))]
    answer = upload(as_curator, project, files, **JSON)
    assert results(answer) == {"a.png": "ok", "copy.png": "duplicate", "note.txt": "not_an_image", "b.png": "ok"}
    assert SourceImage.objects.count() == 2


def test_a_zip_is_opened(as_curator: Client, project: Project) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("day/a.png", png(3))
        archive.writestr("broken.jpg", b"\xff\xd8\xff no more")
    found = results(upload(as_curator, project, [file("batch.zip", buffer.getvalue())], **JSON))
    assert found["batch.zip/day/a.png"] == "ok"
    assert found["batch.zip/broken.jpg"] not in ("ok", "duplicate")


def test_a_file_over_the_limit_is_refused_and_the_rest_goes_on(
    as_curator: Client, project: Project, settings: Any
) -> None:
    settings.MAX_UPLOAD_MB = 1
    files = [file("big.png", b"\0" * (2**20 + 1)), file("a.png", png(4))]
    assert results(upload(as_curator, project, files, **JSON)) == {"big.png": "too_large", "a.png": "ok"}


def test_annotations_become_given_prompts(as_curator: Client, project: Project) -> None:
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 96, "height": 80}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 20, 30], "area": 600, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "cup"}],
    }
    upload(as_curator, project, [file("a.png", png(5))], annotations=file("coco.json", json.dumps(coco).encode()))
    (given,) = SourceImage.objects.get().given_prompts
    assert given["label"] == "cup"


def test_unreadable_annotations_are_refused_before_the_first_file(as_curator: Client, project: Project) -> None:
    answer = upload(as_curator, project, [file("a.png", png(6))], annotations=file("x.json", b"{"), **JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_annotations")
    assert not SourceImage.objects.exists()


def test_without_javascript_the_page_lists_what_became_of_each_file(as_curator: Client, project: Project) -> None:
    html = upload(as_curator, project, [file("a.png", png(7)), file("n.txt", b"hello")]).content.decode()
    assert "stored" in html
    assert "not an image" in html


def test_starting_a_run_leads_to_its_page(as_curator: Client, project: Project) -> None:
    make_image(project)
    answer = as_curator.post(f"/projects/{project.slug}/runs/", {"recipe": "cpu_auto"})
    run = EngineRun.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.id}/"
    assert (run.recipe_name, run.items.count()) == ("cpu_auto", 1)


def test_a_run_with_nothing_to_do_is_told(as_curator: Client, project: Project) -> None:
    answer = as_curator.post(f"/projects/{project.slug}/runs/", {"recipe": "cpu"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/projects/{project.slug}/"
    assert "done these images already" in answer.content.decode()


def test_pictures_show_what_became_of_them(as_bob: Client, project: Project) -> None:
    run = make_run(project, pictures=1)
    run.items.update(status="dropped", reason="low_entropy")
    html = as_bob.get(f"/projects/{project.slug}/").content.decode()
    assert "dropped: low entropy" in html
    assert run.items.get().image.thumbnail.url in html


def test_an_admin_adds_changes_and_removes_members(as_alice: Client, charlie: Any, project: Project) -> None:
    path = f"/projects/{project.slug}/members/"
    as_alice.post(path, {"username": "charlie", "role": "viewer"})
    assert Membership.objects.get(user=charlie).role == Role.VIEWER
    as_alice.post(path, {"username": "charlie", "role": "reviewer"})
    assert Membership.objects.get(user=charlie).role == Role.REVIEWER
    as_alice.post(path, {"username": "charlie", "remove": "1"})
    assert not Membership.objects.filter(user=charlie).exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"username": "nobody", "role": "viewer"}, "nobody with the user name"),
        ({"username": "no\0body", "role": "viewer"}, "nobody with the user name"),
        ({"username": "alice", "role": "emperor"}, "unknown role"),
        ({"username": "alice", "remove": "1"}, "at least one admin"),
    ],
)
def test_impossible_changes_of_members_are_told(
    as_alice: Client, project: Project, body: dict[str, str], words: str
) -> None:
    answer = as_alice.post(f"/projects/{project.slug}/members/", body, follow=True)
    assert words in answer.content.decode()
    assert Membership.objects.get(user__username="alice").role == Role.ADMIN


def test_whoever_removes_themself_lands_on_the_list(as_alice: Client, project: Project) -> None:
    join(make_user("dora"), project, Role.ADMIN)
    answer = as_alice.post(f"/projects/{project.slug}/members/", {"username": "alice", "remove": "1"})
    assert answer.headers["Location"] == "/projects/"


def test_an_admin_writes_the_instructions(as_alice: Client, project: Project) -> None:
    body = {"instructions": "Mind the hair.", "needed_judgements": 3}
    as_alice.post(f"/projects/{project.slug}/settings/", body)
    project.refresh_from_db()
    assert (project.instructions, project.needed_judgements) == ("Mind the hair.", 3)


def test_ten_judgements_are_too_many(as_alice: Client, project: Project) -> None:
    answer = as_alice.post(f"/projects/{project.slug}/settings/", {"instructions": "", "needed_judgements": 10})
    assert answer.status_code == 200
    assert "less than or equal to 9" in answer.content.decode()
    project.refresh_from_db()
    assert project.needed_judgements == 1


def test_the_page_takes_the_same_queries_for_any_size(
    as_alice: Client, project: Project, django_assert_max_num_queries: Any
) -> None:
    for _ in range(6):
        make_image(project)
    with django_assert_max_num_queries(20):
        as_alice.get(f"/projects/{project.slug}/")
