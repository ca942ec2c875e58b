"""Exports as jobs: killed at any spot they go on, and nobody can tell from the bytes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from tests.factories import join, make_project, make_user
from tests.services import database_url
from tests.training.frozen import make_many
from training.models import Export, JobStatus, Snapshot
from training.rules import Rules
from training.services import exports
from training.services.exports import export_here, start_export
from training.services.freezing import freeze_snapshot
from training.services.leases import LeaseLost, cancel, claim, give_up_on_poison
from training.tasks import sweep, work

PICTURES = 100


@pytest.fixture
def snapshot(transactional_db: None) -> Snapshot:
    project = make_project("Many")
    make_many(project, PICTURES)
    return freeze_snapshot(project=project, name="many", rules=Rules())


@pytest.fixture
def admin(snapshot: Snapshot, client: Client) -> Client:
    user = make_user("carla")
    join(user, snapshot.project, "curator")
    client.force_login(user)
    return client


def run_and_die(tmp_path: Path, *words: str) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "rld_platform.settings",
        "DATABASE_URL": database_url(),
        "RLD_HOME": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-m", "tests.training.dying", *words], env=environment, timeout=300)
    assert done.returncode == -signal.SIGKILL


def whole(client: Client, export: Export) -> bytes:
    response = client.get(f"/api/exports/{export.pk}/download/")
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def expire(export: Export) -> None:
    Export.objects.filter(pk=export.pk).update(lease_expires_at=timezone.now())


def test_a_killed_export_goes_on_and_ends_with_the_same_bytes(
    snapshot: Snapshot, admin: Client, tmp_path: Path
) -> None:
    assert Path(django_settings.MEDIA_ROOT) == tmp_path / "media"
    calm, killed = (start_export(snapshot=snapshot, format="webdataset", part_rows=30) for _ in range(2))
    for _ in exports.work_on(claim(Export, calm.pk)):
        pass
    for spot in ("while writing", "before it says so", "between two parts"):
        done = killed.parts_done
        run_and_die(tmp_path, "job", str(killed.pk), spot, "")
        killed.refresh_from_db()
        assert killed.status == JobStatus.RUNNING
        assert done <= killed.parts_done < killed.parts
        assert claim(Export) is None
        expire(killed)
    assert killed.parts_done == 2
    work()
    killed.refresh_from_db()
    calm.refresh_from_db()
    assert killed.status == calm.status == JobStatus.FINISHED
    assert killed.rows_done == killed.snapshot.rows == 3 * PICTURES
    assert whole(admin, killed) == whole(admin, calm)
    stored = default_storage.listdir(f"exports/{killed.pk}")[1]
    assert len(stored) == killed.parts, "what the killed ones left is gone"


def test_a_killed_command_goes_on_and_ends_with_the_same_bytes(
    snapshot: Snapshot, admin: Client, tmp_path: Path
) -> None:
    out, calm = tmp_path / "out", tmp_path / "calm"
    for spot in ("while writing", "while moving"):
        run_and_die(tmp_path, "folder", str(snapshot.pk), spot, str(out))
    for folder in (out, calm):
        for _ in export_here(snapshot=snapshot, format="webdataset", out=folder, part_rows=30):
            pass
    assert digests(out) == digests(calm)
    assert len(list(out.glob("*.tar"))) > 3
    # What the server offers as one tar is the same export, unpacked.
    export = start_export(snapshot=snapshot, format="webdataset", part_rows=30)
    work()
    archive = tmp_path / "export.tar"
    archive.write_bytes(whole(admin, export))
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "unpacked", filter="data")
    assert digests(tmp_path / "unpacked") == digests(calm)


def test_a_download_goes_on_where_it_broke_off(snapshot: Snapshot, admin: Client) -> None:
    export = start_export(snapshot=snapshot, format="parquet", part_rows=200)
    url = f"/api/exports/{export.pk}/download/"
    assert admin.get(url).json()["code"] == "not_finished"
    work()
    data = whole(admin, export)
    head = admin.head(url)
    assert (head["Content-Length"], head["Accept-Ranges"]) == (str(len(data)), "bytes")
    for asked, start, end in (
        ("bytes=0-99", 0, 100),
        (f"bytes={len(data) // 2}-", len(data) // 2, len(data)),
        ("bytes=-2000", len(data) - 2000, len(data)),
        (f"bytes=5-{10 * len(data)}", 5, len(data)),
    ):
        response = admin.get(url, headers={"Range": asked})
        assert response.status_code == 206
        assert response["Content-Range"] == f"bytes {start}-{end - 1}/{len(data)}"
        assert b"".join(response.streaming_content) == data[start:end]
    assert admin.get(url, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    assert admin.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    for file in admin.get(f"/api/exports/{export.pk}/").json()["files"]:
        got = b"".join(admin.get(file["url"]).streaming_content)
        assert hashlib.sha256(got).hexdigest() == file["sha256"]


def test_a_cancelled_export_writes_nothing_more(snapshot: Snapshot) -> None:
    export = start_export(snapshot=snapshot, format="folder", part_rows=30)
    parts = exports.work_on(claim(Export, export.pk))
    next(parts)
    assert cancel(export)
    with pytest.raises(LeaseLost):
        list(parts)
    export.refresh_from_db()
    assert (export.status, export.parts_done) == (JobStatus.CANCELLED, 1)
    assert not cancel(export)


def test_an_export_that_takes_long_lets_others_have_a_turn(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("training.tasks.TURN_S", -1.0)
    monkeypatch.setattr("training.tasks.ring", rung.append)
    export = start_export(snapshot=snapshot, format="folder", part_rows=100)
    work()
    export.refresh_from_db()
    assert (export.status, export.parts_done, rung) == (JobStatus.QUEUED, 1, ["cpu"])
    sweep()
    assert rung == ["cpu", "cpu"]
    while export.is_live:
        work()
        export.refresh_from_db()
    assert export.status == JobStatus.FINISHED


def test_an_export_that_kills_its_workers_is_given_up(snapshot: Snapshot) -> None:
    export = start_export(snapshot=snapshot, format="folder")
    for _ in range(3):
        assert claim(Export, export.pk)
        expire(export)
    assert claim(Export, export.pk) is None
    assert give_up_on_poison(Export) == 1
    export.refresh_from_db()
    assert export.reason.startswith("worker_lost")


def test_a_damaged_file_fails_the_export_with_its_name(snapshot: Snapshot) -> None:
    layer = snapshot.project.layers.first()
    path = Path(layer.rgba.path)
    path.write_bytes(path.read_bytes()[:-1])
    export = start_export(snapshot=snapshot, format="folder")
    work()
    export.refresh_from_db()
    assert export.status == JobStatus.FAILED
    assert export.reason.startswith("digest_mismatch")
