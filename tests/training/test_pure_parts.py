"""Merkle trees, near-duplicate groups, splits and plans, each against a plain definition."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from itertools import combinations

import numpy as np
import pytest

from engine.perceptual_hash import NEAR_DUPLICATE_BITS, hamming
from training.exports.base import plan_parts, rows_of_part
from training.merkle import MerkleTree, leaf_hash
from training.near_duplicates import groups_of
from training.splitting import split_groups


def recursive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + recursive_root(leaves[:k]) + recursive_root(leaves[k:])).digest()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65])
def test_a_growing_tree_has_the_root_of_the_definition(count: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(count)]
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf)
    assert tree.root() == recursive_root(leaves).hex()


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert MerkleTree().root() == sha256(b"").hexdigest()


def test_groups_are_those_of_comparing_all_pairs() -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(-(2**63), 2**63 - 1, 60).tolist()
    for base in hashes[:40]:
        flips = rng.choice(64, rng.integers(0, 14), replace=False)
        other = base & 0xFFFF_FFFF_FFFF_FFFF
        for bit in flips:
            other ^= 1 << int(bit)
        hashes.append(other - 2**64 if other >= 2**63 else other)
    parent = list(range(len(hashes)))

    def root(node: int) -> int:
        return node if parent[node] == node else root(parent[node])

    near = [pair for pair in combinations(range(len(hashes)), 2) if hamming(*(hashes[i] for i in pair)) <= 10]
    for a, b in near:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    assert NEAR_DUPLICATE_BITS == 10
    assert 10 < len(near) < 60
    assert groups_of(hashes) == [root(node) for node in range(len(hashes))]
    assert groups_of([]) == []


def test_each_split_with_a_share_gets_a_group_as_long_as_training_keeps_one() -> None:
    for count, expected in ((1, {"train"}), (2, {"train", "test"}), (3, {"train", "test", "validation"})):
        names = [f"group {number}" for number in range(count)]
        assert set(split_groups(names, 0, 0.05, 0.05).values()) == expected
    assert set(split_groups(["a", "b", "c"], 0, 0.0, 0.0).values()) == {"train"}


def test_split_shares_are_kept_and_the_seed_decides() -> None:
    names = [str(number) for number in range(4000)]
    splits = split_groups(names, 0, 0.1, 0.2)
    counts = {split: list(splits.values()).count(split) for split in ("train", "validation", "test")}
    assert counts["validation"] == pytest.approx(400, abs=80)
    assert counts["test"] == pytest.approx(800, abs=110)
    assert split_groups(names, 1, 0.1, 0.2) != splits


def test_parts_hold_whole_photos_of_one_split_and_all_rows_once() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for photo in range(40):
        split = ("train", "validation", "test")[int(rng.choice(3, p=[0.7, 0.2, 0.1]))]
        for number in range(int(rng.integers(1, 6))):
            rows.append({"id": f"{photo:03d}_{number}", "stack": f"{photo:03d}_x", "split": split, "label": "a"})
    lines = io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    plan = plan_parts(lines, 10)
    taken = [list(rows_of_part(lines, part, ())) for part in plan.parts]
    assert sorted(row["id"] for some in taken for row in some) == [row["id"] for row in rows]
    photos = [{row["stack"] for row in some} for some in taken]
    assert sum(map(len, photos)) == 40
    first_row, first_photo = 1, 1
    for part, some, seen in zip(plan.parts, taken, photos, strict=True):
        assert {row["split"] for row in some} == {part.split}
        assert (part.rows, part.first_row, part.first_photo) == (len(some), first_row, first_photo)
        first_row, first_photo = first_row + len(some), first_photo + len(seen)
    assert [row["id"] for row in rows_of_part(lines, plan.parts[0], {taken[0][0]["id"]})] == [
        row["id"] for row in taken[0][1:]
    ]
