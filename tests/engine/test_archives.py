import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from engine.archives import ArchiveLimits, NamedBytes, display_name, expand, members
from engine.decoding import BadPicture, Limits


def zipped(*files: tuple[str, bytes], packed: int = zipfile.ZIP_STORED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
        for name, data in files:
            archive.writestr(name, data)
    buffer.seek(0)
    return buffer


def short(items: list[NamedBytes]) -> list[tuple[str, str]]:
    return [(name, item.code if isinstance(item, BadPicture) else item.decode()) for name, item in items]


def test_members_come_in_order_without_folders_and_system_files() -> None:
    names = ["b.png", "a/c.png", "__MACOSX/a/._c.png", ".hidden/x.png", "a/.DS_Store", "a/Thumbs.db", "folder/"]
    archive = zipped(*((name, b"" if name.endswith("/") else name.encode()) for name in names))
    assert short(list(members(archive))) == [("b.png", "b.png"), ("a/c.png", "a/c.png")]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "C:/x", "..\\x", "a\\..\\x", "../.hidden"])
def test_a_name_that_leaves_the_archive_is_refused_and_the_rest_goes_on(name: str) -> None:
    found = short(list(members(zipped((name, b"bad"), ("good", b"good")))))
    assert [item for _, item in found] == ["unsafe_path", "good"]


@pytest.mark.parametrize("name", ["a..b.png", "./x.png", "a/x..y/z.png", "12:30.png"])
def test_dots_and_colons_inside_names_are_harmless(name: str) -> None:
    assert short(list(members(zipped((name, b"fine"))))) == [(name, "fine")]


def test_a_member_may_not_unpack_to_more_than_a_file_may_have() -> None:
    archive = zipped(("at", b"x" * 100), ("above", b"x" * 101))
    found = short(list(members(archive, limits=Limits(max_bytes=100))))
    assert [item for _, item in found] == ["x" * 100, "too_large"]


def test_a_bomb_is_stopped_by_what_it_unpacks_to_in_little_memory() -> None:
    archive = zipped(("bomb", bytes(100 * 2**20)), ("good", b"good"), packed=zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    found = short(list(members(archive)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item for _, item in found] == ["too_large", "good"]
    assert peak < 40 * 2**20


def test_the_total_counts_refused_members_too() -> None:
    archive = zipped(*((f"{i}", b"x" * 60) for i in range(5)))
    found = short(
        list(members(archive, limits=Limits(max_bytes=50), archive_limits=ArchiveLimits(max_total_bytes=150)))
    )
    assert found == [("0", "too_large"), ("1", "too_large"), ("2", "too_large"), ("", "too_large")]


def test_more_members_than_allowed_are_cut_off_with_a_word() -> None:
    archive = zipped(*((f"{i}", b"x") for i in range(4)))
    found = short(list(members(archive, archive_limits=ArchiveLimits(max_members=3))))
    assert found == [("0", "x"), ("1", "x"), ("2", "x"), ("", "too_many_files")]


def test_a_folder_is_walked_sorted_and_a_ring_of_links_ends(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for name in ("b.jpg", "a/z.jpg", "a/deep/y.jpg", ".git/config", "c.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "a" / "ring").symlink_to(root, target_is_directory=True)
    names = ["b.jpg", "c.jpg", "a/z.jpg", "a/deep/y.jpg"]
    assert short(list(expand([root]))) == [(f"photos/{name}", name) for name in names]


def test_files_folders_and_zips_come_as_one_stream(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_text("one")
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "many.bin").write_bytes(zipped(("two.jpg", b"two")).getvalue())
    found = short(list(expand([tmp_path / "one.jpg", tmp_path / "batch"])))
    assert found == [("one.jpg", "one"), ("batch/many.bin/two.jpg", "two")]


def test_what_cannot_be_read_is_an_item_and_the_rest_goes_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "big").write_bytes(b"x" * 11)
    (tmp_path / "good").write_text("good")
    found = short(list(expand([tmp_path, tmp_path / "missing.jpg"], limits=Limits(max_bytes=10))))
    assert [item for _, item in found] == ["too_large", "unreadable", "good", "unreadable", "unreadable"]


def test_names_are_cleaned_for_display() -> None:
    assert display_name("a\x1b[31m\nb\u202egpj.exe") == "a\ufffd[31m\ufffdb\ufffdgpj.exe"
    assert len(display_name("x" * 5000 + ".jpg")) == 200
    assert display_name("Фото 日本.jpg") == "Фото 日本.jpg"
