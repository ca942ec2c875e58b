"""Every hostile file gets its code, and what lies beside it in an archive still comes through."""

import io
import warnings

import pytest

from engine.archives import members
from engine.decoding import BadPicture, decode
from tests.engine.hostile import COUNT, HostileFile, hostile_files

FILES = hostile_files(seed=0)


def outcomes(file: HostileFile) -> list[str]:
    items = members(io.BytesIO(file.data)) if file.name.endswith(".zip") else [(file.name, file.data)]
    codes = []
    for _, item in items:
        try:
            codes.append(item.code if isinstance(item, BadPicture) else decode(item) and "ok")
        except BadPicture as error:
            codes.append(error.code)
    return codes


def test_there_are_exactly_as_many_as_promised_with_names_of_their_own() -> None:
    assert len({file.name for file in FILES}) == len(FILES) == COUNT


def test_the_same_seed_gives_the_same_files_and_another_seed_others() -> None:
    same = [new == old for new, old in zip(hostile_files(0), FILES, strict=True) if "frames" not in new.name]
    assert all(same)
    assert [f.data for f in hostile_files(1)] != [f.data for f in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_hostile_file_is_answered_with_its_code(file: HostileFile) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = outcomes(file)
    beside = ["ok"] if file.name.endswith(".zip") and file.code != "bad_archive" else []
    assert found == [file.code, *beside]
