import time

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_signed_address_gives_the_file(client):
    name = default_storage.save("layers/a.png", ContentFile(b"pixels"))
    answer = client.get(default_storage.url(name))
    assert b"".join(answer.streaming_content) == b"pixels"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_an_address_is_the_same_for_a_while_so_that_browsers_can_cache(settings, monkeypatch):
    settings.MEDIA_LIFETIME_S = 1000
    monkeypatch.setattr(time, "time", lambda: 5_000_100.0)
    first = default_storage.url("layers/a.png")
    monkeypatch.setattr(time, "time", lambda: 5_000_900.0)
    assert default_storage.url("layers/a.png") == first


def test_an_address_ends(client, settings, monkeypatch):
    name = default_storage.save("layers/a.png", ContentFile(b"pixels"))
    url = default_storage.url(name)
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 2 * settings.MEDIA_LIFETIME_S + 1)
    assert client.get(url).status_code == 404


def test_a_changed_address_is_refused(client):
    name = default_storage.save("layers/a.png", ContentFile(b"pixels"))
    url = default_storage.url(name)
    changed = url[:-1] + ("A" if url[-1] != "A" else "B")
    assert client.get(changed).status_code == 404


def test_a_file_that_fails_while_it_is_written_leaves_nothing_under_its_name(settings):
    class Breaking(ContentFile):
        def chunks(self, chunk_size=None):
            yield b"half"
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        default_storage.save("layers/a.png", Breaking(b"whole"))
    assert not default_storage.exists("layers/a.png")


def test_a_name_cannot_leave_the_folder():
    with pytest.raises(SuspiciousFileOperation):
        default_storage.save("../../escape.png", ContentFile(b"x"))
