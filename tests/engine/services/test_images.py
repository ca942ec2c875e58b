import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
from django.core.files.storage import default_storage

from engine.imaging import decode_png, encode_png
from engine.models import SourceImage
from engine.records import GivenPrompt
from engine.refusals import Refusal
from engine.services import images
from engine.services.images import import_files, import_image, unzipped
from tests.engine.hostile import hostile_files
from tests.factories import make_picture, make_project


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_an_imported_photograph_keeps_its_bytes_and_has_an_upright_rendering(project, alice):
    data = encode_png(make_picture(1))
    image = import_image(project=project, data=data, name="a/one.png", user=alice).image
    assert image.original.read() == data
    assert (decode_png(image.picture.read()) == make_picture(1)).all()
    assert (image.width, image.height, image.original_format) == (64, 48, "PNG")
    assert image.imported_by == alice


def test_the_same_bytes_again_answer_the_same_image(project):
    data = encode_png(make_picture(1))
    first = import_image(project=project, data=data, name="one.png")
    again = import_image(project=project, data=data, name="other.png")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.image == first.image


def test_the_same_bytes_in_another_project_are_another_image(project):
    data = encode_png(make_picture(1))
    import_image(project=project, data=data, name="one.png")
    assert import_image(project=make_project(), data=data, name="one.png").is_new


def test_a_picture_that_only_looks_the_same_is_stored_and_marked(project):
    pixels = make_picture(1, 256, 192)
    first = import_image(project=project, data=encode_png(pixels), name="one.png").image
    brighter = pixels.clip(0, 250) + 5
    second = import_image(project=project, data=encode_png(brighter), name="two.png").image
    third = import_image(project=project, data=encode_png(make_picture(99, 256, 192)), name="three.png").image
    assert second.duplicate_of == first
    assert third.duplicate_of is None


def test_a_failure_after_the_files_were_stored_leaves_nothing(project, settings, monkeypatch):
    def broken(*args):
        raise OSError("disk full")

    monkeypatch.setattr(images, "thumbnail_webp", broken)
    with pytest.raises(OSError, match="disk full"):
        import_image(project=project, data=encode_png(make_picture(1)), name="one.png")
    assert not SourceImage.objects.exists()
    assert files_in(settings.MEDIA_ROOT) == []


def test_a_failure_keeps_the_files_another_image_uses(project, monkeypatch):
    data = encode_png(make_picture(1))
    kept = import_image(project=project, data=data, name="one.png").image
    monkeypatch.setattr(images, "thumbnail_webp", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import_image(project=make_project(), data=data, name="one.png")
    assert default_storage.exists(kept.original.name)
    assert default_storage.exists(kept.picture.name)


def test_two_hundred_hostile_files_are_answered_each_with_its_code(project, settings):
    """None stops the batch, none leaves a file or a row; the good pictures between them come in."""
    hostile = hostile_files(seed=0)
    assert len(hostile) == 200
    good = [(f"good-{number}.png", encode_png(make_picture(number))) for number in range(3)]
    mixed = [
        good[0],
        *[(name, data) for name, data, _ in hostile[:100]],
        good[1],
        *[(name, data) for name, data, _ in hostile[100:]],
        good[2],
    ]
    results = list(import_files(project=project, files=unzipped(mixed)))
    expected = {name: code for name, _, code in hostile}
    for result in results:
        if result.name.startswith("good-"):
            assert result.outcome == "ok", result
    for name, code in expected.items():
        answers = [r for r in results if r.name == name or r.name.startswith(f"{name}/")]
        assert code in {r.outcome for r in answers}, (name, code, answers)
        assert all(r.detail for r in answers if not r.image_id)
    imported = SourceImage.objects.all()
    used = {f.name for image in imported for f in (image.original, image.picture, image.thumbnail)}
    stored = {str(path.relative_to(settings.MEDIA_ROOT)) for path in files_in(settings.MEDIA_ROOT)}
    assert stored == used


def test_a_zip_is_opened_and_its_members_imported_one_by_one(project):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/one.png", encode_png(make_picture(1)))
        archive.writestr("a/two.png", b"not a picture")
        archive.writestr("../escape.png", encode_png(make_picture(2)))
    results = list(import_files(project=project, files=unzipped([("batch.zip", buffer.getvalue())])))
    assert [r.outcome for r in results] == ["ok", "not_an_image", "unsafe_path"]
    assert SourceImage.objects.get().original_name == "batch.zip/a/one.png"


def test_annotations_become_given_prompts_of_the_file_they_name(project):
    coco = {
        "images": [{"id": 1, "file_name": "one.png", "width": 64, "height": 48}],
        "categories": [{"id": 3, "name": "ball"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 12, 20, 8]}],
    }
    files = [("folder/one.png", encode_png(make_picture(1))), ("two.png", encode_png(make_picture(2)))]
    list(import_files(project=project, files=files, annotations=json.dumps(coco).encode()))
    one, two = (SourceImage.objects.get(original_name=name) for name in ("folder/one.png", "two.png"))
    (given,) = images.given_prompts_of(one)
    assert (given.label, given.box) == ("ball", (10, 12, 30, 20))
    assert images.given_prompts_of(two) == ()


def test_annotations_that_cannot_be_read_stop_the_batch_before_its_first_file(project):
    with pytest.raises(Refusal) as refusal:
        import_files(project=project, files=[("one.png", encode_png(make_picture(1)))], annotations=b"{nonsense")
    assert refusal.value.code == "bad_annotations"
    assert not SourceImage.objects.exists()


def test_a_mask_of_another_size_is_refused_and_nothing_is_stored(project):
    given = GivenPrompt("ball", mask_hw=np.ones((64, 48), bool))
    with pytest.raises(Refusal, match="is 48 x 64, the upright picture 64 x 48"):
        import_image(project=project, data=encode_png(make_picture(1)), name="one.png", given=[given])
    assert not SourceImage.objects.exists()
