import io
import json

import pytest
from django.core.management import CommandError, call_command

from engine.imaging import encode_png
from engine.models import Project, SourceImage
from tests.factories import make_picture

pytestmark = pytest.mark.django_db


def run(*args):
    out = io.StringIO()
    call_command("import_images", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "one.png").write_bytes(encode_png(make_picture(1)))
    (folder / "copy.png").write_bytes(encode_png(make_picture(1)))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no")
    return folder


def test_a_project_that_does_not_exist_is_made(folder):
    run(str(folder), "--project", "Round one")
    assert Project.objects.get().slug == "round-one"


def test_the_json_line_lists_every_file_with_its_outcome(folder):
    document = json.loads(run(str(folder), "--project", "Round one", "--json").splitlines()[-1])
    outcomes = {row["name"]: row["outcome"] for row in document["files"]}
    assert outcomes == {
        "photos/broken.jpg": "truncated",
        "photos/copy.png": "ok",
        "photos/one.png": "duplicate",
    }
    assert SourceImage.objects.count() == 1


def test_people_read_what_was_refused_and_why(folder):
    assert "photos/broken.jpg: truncated: " in run(str(folder), "--project", "Round one")


def test_a_path_that_is_not_there_is_wrong_use(tmp_path):
    with pytest.raises(CommandError, match="no such file") as error:
        run(str(tmp_path / "nothing"), "--project", "Round one")
    assert error.value.returncode == 2
    assert not Project.objects.exists()


def test_a_batch_in_which_nothing_could_be_read_fails(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(CommandError, match="nothing was imported") as error:
        run(str(tmp_path / "empty.png"), "--project", "Round one")
    assert error.value.returncode == 1
