"""A verifier written from the documentation of ``training.manifest`` and ``training.merkle``, without their code."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from engine.models import Layer, Project
from tests.training.frozen import make_stack
from training.models import Snapshot
from training.rules import Rules
from training.services.exports import export_here
from training.services.freezing import freeze_snapshot


def merkle_tree_hash(entries: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there: recursively."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return sha256(b"\x01" + merkle_tree_hash(entries[:k]) + merkle_tree_hash(entries[k:])).digest()


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def faults(folder: Path) -> list[str]:
    """Everything in a dataset folder that is not as its documentation says."""
    header = json.loads((folder / "manifest.json").read_bytes())
    data = (folder / "manifest.jsonl").read_bytes()
    lines = data.split(b"\n")[:-1]
    rows = [json.loads(line) for line in lines]
    first = canonical({name: header[name] for name in ("code_revision", "name", "terms")})
    found = []
    if sha256(data).hexdigest() != header["digest"]:
        found.append("digest")
    if merkle_tree_hash([first, *lines]).hex() != header["merkle_root"]:
        found.append("merkle root")
    if len(rows) != header["rows"]:
        found.append("rows")
    if any(canonical(row) != line for row, line in zip(rows, lines, strict=True)):
        found.append("not canonical")
    if [row["id"] for row in rows] != sorted({row["id"] for row in rows}):
        found.append("order")
    for row in rows:
        for kind in ("source", "layer", "visible"):
            if sha256((folder / row[kind]["path"]).read_bytes()).hexdigest() != row[kind]["sha256"]:
                found.append(row[kind]["path"])
    splits = {(row["group"], row["split"]) for row in rows}
    if len({group for group, _ in splits}) != len(splits):
        found.append("split leak")
    return found


def flip(path: Path, spot: int) -> None:
    data = bytearray(path.read_bytes())
    data[spot] ^= 1
    path.write_bytes(data)


@pytest.fixture
def snapshot(project: Project, bob: Any) -> Snapshot:
    for number in range(5):
        make_stack(project, number, (bob,))
    return freeze_snapshot(project=project, name="five", rules=Rules())


@pytest.fixture
def folder(snapshot: Snapshot, tmp_path: Path) -> Path:
    for _ in export_here(snapshot=snapshot, format="folder", out=tmp_path / "out"):
        pass
    return tmp_path / "out"


def test_the_verifier_confirms_what_was_frozen(snapshot: Snapshot, folder: Path) -> None:
    assert faults(folder) == []
    assert json.loads((folder / "manifest.json").read_bytes())["merkle_root"] == snapshot.merkle_root


@pytest.mark.parametrize("kind", ["images", "layers", "visible"])
def test_the_verifier_finds_a_flipped_byte_of_a_picture(folder: Path, kind: str) -> None:
    path = sorted((folder / kind).iterdir())[0]
    flip(path, 50)
    assert set(faults(folder)) == {f"{kind}/{path.name}"}


def test_the_verifier_finds_a_changed_verdict(folder: Path) -> None:
    path = folder / "manifest.jsonl"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"decision":"accept"', b'"decision":"reject"', 1))
    assert faults(folder) == ["digest", "merkle root"]


def test_the_verifier_finds_a_changed_rule(folder: Path) -> None:
    path = folder / "manifest.json"
    header = json.loads(path.read_bytes())
    header["terms"]["rules"]["least_agreement"] = 1.0
    path.write_bytes(json.dumps(header).encode())
    assert faults(folder) == ["merkle root"]


def test_the_command_finds_a_flipped_byte_in_the_store(snapshot: Snapshot) -> None:
    call_command("verify_snapshot", snapshot.name)
    snapshot.refresh_from_db()
    assert (snapshot.problems, snapshot.verified_at is not None) == (0, True)
    flip(Path(Layer.objects.first().rgba.path), 60)
    with pytest.raises(CommandError, match="1 problems"):
        call_command("verify_snapshot", snapshot.name)
    snapshot.refresh_from_db()
    assert snapshot.problems == 1


def test_the_command_finds_a_changed_manifest(snapshot: Snapshot) -> None:
    path = Path(snapshot.manifest.path)
    path.write_bytes(path.read_bytes().replace(b"ball", b"bell", 1))
    with pytest.raises(CommandError, match="1 problems"):
        call_command("verify_snapshot", str(snapshot.pk))


def test_a_deleted_picture_is_no_problem_but_is_counted(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    Layer.objects.first().image.delete()
    call_command("verify_snapshot", snapshot.name, "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["deleted_rows"] == 3
