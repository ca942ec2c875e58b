"""Upload answers as the contract says, and lists show only one's own projects."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from engine.imaging import encode_png
from engine.models import Project, Role, SourceImage
from tests.conftest import client_of
from tests.factories import join, make_image, make_picture, make_project, make_user

PNG = encode_png(make_picture(7, 96, 80))


def upload(client: APIClient, project: Any, data: bytes = PNG, name: str = "photo.png") -> Any:
    return client.post("/api/images/", {"file": SimpleUploadedFile(name, data), "project": str(project)})


def test_a_new_photo_is_stored(as_alice: APIClient, project: Project) -> None:
    answer = upload(as_alice, project.id)
    stored = SourceImage.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"id": str(stored.id), "sha256": stored.sha256, "width": 96, "height": 80}
    assert (stored.original_name, stored.imported_by.username) == ("photo.png", "alice")


def test_the_same_bytes_again_answer_the_same_image(as_alice: APIClient, project: Project) -> None:
    first, second = upload(as_alice, project.slug), upload(as_alice, project.name, name="copy.png")
    assert (second.status_code, second.json()) == (200, first.json())


@pytest.mark.parametrize(
    ("data", "code"), [(b"hello", "not_an_image"), (PNG[: len(PNG) // 2], "truncated"), (b"", "empty_file")]
)
def test_a_bad_picture_is_named_and_not_stored(as_alice: APIClient, project: Project, data: bytes, code: str) -> None:
    answer = upload(as_alice, project.id, data)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not SourceImage.objects.exists()


def test_a_file_over_the_limit_is_refused(as_alice: APIClient, project: Project, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 1
    answer = upload(as_alice, project.id, b"\0" * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")


def test_an_announced_size_over_the_limit_is_refused_before_the_body_is_read(
    as_alice: APIClient, project: Project, settings: Any
) -> None:
    settings.MAX_UPLOAD_MB = 1
    answer = as_alice.post("/api/images/", b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=2**30)
    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")


def test_what_is_missing_is_named(as_alice: APIClient) -> None:
    answer = as_alice.post("/api/images/", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert set(answer.json()["fields"]) == {"file", "project"}


def test_strangers_are_told_the_project_does_not_exist(as_charlie: APIClient, project: Project) -> None:
    assert upload(as_charlie, project.id).status_code == 404
    assert as_charlie.get("/api/images/", {"project": project.slug}).status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.ANNOTATOR, 403), (Role.REVIEWER, 403), (Role.CURATOR, 201)]
)
def test_curators_and_above_upload(project: Project, role: str, status: int) -> None:
    user = make_user("dana")
    join(user, project, role)
    assert upload(client_of(user), project.id).status_code == status


def test_nobody_without_a_session_or_token_uploads(project: Project) -> None:
    answer = upload(APIClient(), project.id)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_the_list_is_of_ones_projects(as_bob: APIClient, project: Project) -> None:
    ours = make_image(project)
    make_image(make_project("Elsewhere"))
    assert [row["id"] for row in as_bob.get("/api/images/").json()["results"]] == [str(ours.id)]


def test_listed_files_can_be_fetched_under_their_addresses(as_bob: APIClient, project: Project) -> None:
    image = make_image(project)
    (row,) = as_bob.get("/api/images/", {"project": project.slug}).json()["results"]
    answer = APIClient().get(row["picture"])
    assert b"".join(answer.streaming_content) == image.picture.open().read()


def test_a_page_ends_with_the_address_of_the_next(as_bob: APIClient, project: Project) -> None:
    for _ in range(3):
        make_image(project)
    first = as_bob.get("/api/images/", {"page_size": 2}).json()
    second = as_bob.get(first["next"]).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (2, 1, None)


def test_a_list_takes_the_same_queries_for_any_length(
    as_bob: APIClient, project: Project, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        make_image(project)
    with django_assert_max_num_queries(5):
        as_bob.get("/api/images/", {"project": project.slug})
