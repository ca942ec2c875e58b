import http.server
import threading

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from engine import weights, weights_fetch, weights_folder
from engine.weights import LicenceClass, LicenceForbids, WeightsRow
from engine.weights_fetch import FetchFailed, download_file, fetch
from engine.weights_folder import DamagedWeights, MissingWeights, State

ROW = WeightsRow("tiny", "somebody/tiny", "MIT", LicenceClass.PERMISSIVE, 1)
COMMIT = "a" * 40


class FakeHub:
    """A repository of two files whose main branch moves on after the first visit."""

    def __init__(self, **changed):
        self.files = {"config.json": b"{}", "model.safetensors": b"weights", **changed}
        self.asked = []

    def commit_of(self, source, revision):
        self.asked.append(revision)
        return revision or COMMIT

    def download(self, source, commit, patterns, into):
        for name, data in self.files.items():
            (into / name).write_bytes(data)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(weights, "WEIGHTS", (*weights.WEIGHTS, ROW))
    return tmp_path / "tiny"


def test_every_row_is_named_once_and_pins_only_real_digests():
    names = [row.name for row in weights.WEIGHTS]
    assert len(set(names)) == len(names)
    for row in weights.WEIGHTS:
        assert all(len(sha) == 64 and int(sha, 16) for sha in row.sha256.values())
        assert row.revision is None or len(row.revision) == 40


def test_no_row_takes_a_pickle_from_a_repository():
    patterns = {pattern for row in weights.WEIGHTS if not row.is_single_file for pattern in row.files}
    assert not any(pattern.endswith((".bin", ".pt", ".pth", ".pkl", "*")) for pattern in patterns)


def test_missing_weights_name_the_command_that_gets_them():
    with pytest.raises(MissingWeights, match=r"manage.py fetch_weights tiny"):
        weights_folder.require("tiny")


def test_what_was_fetched_is_pinned_by_commit_and_digest(place):
    lock = fetch(ROW, FakeHub())
    assert (lock.revision, sorted(lock.files)) == (COMMIT, ["config.json", "model.safetensors"])
    assert weights_folder.read_lock(place) == lock
    assert weights_folder.require("tiny") == place


def test_a_second_fetch_of_whole_weights_asks_nobody():
    fetch(ROW, FakeHub())
    hub = FakeHub()
    fetch(ROW, hub)
    assert hub.asked == []


def test_a_changed_byte_is_found_and_repaired_from_the_locked_commit(place):
    fetch(ROW, FakeHub())
    (place / "model.safetensors").write_bytes(b"weightz")
    assert weights_folder.differences("tiny") == ["model.safetensors"]
    hub = FakeHub()
    fetch(ROW, hub)
    assert hub.asked == [COMMIT]
    assert weights_folder.differences("tiny") == []


def test_other_bytes_under_the_locked_commit_are_refused(place):
    fetch(ROW, FakeHub())
    (place / "config.json").unlink()
    with pytest.raises(DamagedWeights, match="not what was locked"):
        fetch(ROW, FakeHub(**{"config.json": b"[]"}))


def test_a_lost_file_makes_weights_unusable_until_they_are_repaired(place):
    fetch(ROW, FakeHub())
    (place / "config.json").unlink()
    assert weights_folder.state("tiny") is State.DAMAGED
    with pytest.raises(DamagedWeights, match="fetch_weights tiny"):
        weights_folder.require("tiny")


def test_files_put_there_by_hand_are_used_and_never_overwritten(place):
    place.mkdir()
    (place / "config.json").write_text("{}")
    assert weights_folder.state("tiny") is State.BY_HAND
    assert weights_folder.require("tiny") == place
    with pytest.raises(DamagedWeights, match="by hand"):
        fetch(ROW, FakeHub())


def test_the_published_digest_decides_over_what_was_downloaded(place):
    row = WeightsRow("tiny", "somebody/tiny", "MIT", LicenceClass.PERMISSIVE, 1, sha256={"config.json": "0" * 64})
    with pytest.raises(DamagedWeights, match="not the published file"):
        fetch(row, FakeHub())
    assert weights_folder.read_lock(place) is None


class _Ranged(http.server.BaseHTTPRequestHandler):
    """Serves ``data``; the first answer breaks off in the middle."""

    data = bytes(range(256)) * 64
    ranges: list[str | None] = []

    def do_GET(self):
        wanted = self.headers["Range"]
        self.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(self.data) - start))
        self.end_headers()
        self.wfile.write(self.data[start:] if wanted else self.data[:5000])

    def log_message(self, *args): ...


@pytest.fixture
def address():
    _Ranged.ranges = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Ranged)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/file.pt"
    server.shutdown()
    server.server_close()


def test_a_broken_download_goes_on_where_it_stopped(address, tmp_path):
    with pytest.raises(FetchFailed, match="run the command again"):
        download_file(address, tmp_path / "file.pt")
    assert not (tmp_path / "file.pt").exists()
    download_file(address, tmp_path / "file.pt")
    assert (tmp_path / "file.pt").read_bytes() == _Ranged.data
    assert _Ranged.ranges == [None, "bytes=5000-"]


def test_without_a_network_one_line_says_so(monkeypatch, capsys):
    def unreachable(self, source, revision):
        with weights_fetch._told_plainly(source):
            raise ConnectionError("Name or service not known\nmore lines")

    monkeypatch.setattr(weights_fetch.HuggingFaceHub, "commit_of", unreachable)
    with pytest.raises(CommandError) as caught:
        call_command("fetch_weights", "tiny")
    assert str(caught.value) == "fetch_failed: somebody/tiny could not be reached: Name or service not known"


def test_commercial_safe_refuses_with_the_licence():
    with pytest.raises(CommandError, match=r"depth_anything_v2_large.*CC-BY-NC-4.0: no commercial use"):
        call_command("fetch_weights", "depth_anything_v2_large", "--commercial-safe")
    with pytest.raises(LicenceForbids):
        weights.require_commercial_safe(weights.find("flux1_fill"))


def test_unknown_weights_are_answered_with_those_that_exist():
    with pytest.raises(CommandError, match=r"unknown weights 'tinny'; have: .*tiny"):
        call_command("fetch_weights", "tinny")


def test_the_list_tells_state_licence_and_size(capsys):
    fetch(ROW, FakeHub())
    call_command("weights")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("tiny ")]
    assert "present" in line
    assert "MIT" in line


def test_verify_fails_on_a_changed_byte(place):
    fetch(ROW, FakeHub())
    (place / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(CommandError, match=r"damaged_weights: tiny: model.safetensors"):
        call_command("weights", "--verify")
