"""Two hundred hostile or broken files through every way in: each gets its code, and nothing of them stays."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from engine.imaging import encode_png
from engine.models import SourceImage
from tests.engine.hostile import COUNT, hostile_files
from tests.factories import make_picture


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def files_used():
    return {f.name for image in SourceImage.objects.all() for f in (image.original, image.picture, image.thumbnail)}


@pytest.mark.django_db
def test_the_command_answers_each_file_and_takes_the_good_ones_beside_them(tmp_path, settings):
    folder = tmp_path / "in"
    folder.mkdir()
    hostile = hostile_files(seed=1)
    for name, data, _ in hostile:
        (folder / name).write_bytes(data)
    (folder / "zz-good.png").write_bytes(encode_png(make_picture(5)))
    out = io.StringIO()
    call_command("import_images", str(folder), "--project", "Round one", "--json", stdout=out, stderr=io.StringIO())
    rows = json.loads(out.getvalue().splitlines()[-1])["files"]
    outcomes: dict[str, set[str]] = {}
    for row in rows:
        outcomes.setdefault(row["name"].split("/")[1], set()).add(row["outcome"])
    assert len(hostile) == COUNT
    assert {name: code in outcomes.get(name, ()) for name, _, code in hostile} == {name: True for name, _, _ in hostile}
    assert outcomes["zz-good.png"] == {"ok"}
    assert files_in(settings.MEDIA_ROOT) == files_used()


def test_the_api_answers_each_file_with_400_and_its_code(as_alice, project, settings):
    """The API takes pictures, not archives: a zip is answered as what it is to it, no picture."""
    answers = {}
    for name, data, code in hostile_files(seed=2):
        expected = "not_an_image" if name.endswith(".zip") else code
        answer = as_alice.post("/api/images/", {"project": project.slug, "file": SimpleUploadedFile(name, data)})
        answers[name] = (answer.status_code, answer.json().get("code"), bool(answer.json().get("detail")))
        assert answers[name] == (400, expected, True), name
    assert len(answers) == COUNT
    assert not SourceImage.objects.exists()
    assert files_in(settings.MEDIA_ROOT) == set()
