from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.utils import timezone

from annotation.models import Comparison, GoldItem, SlotStatus, Verdict
from engine.models import Layer, Project, Prompt
from engine.refusals import Refusal
from tests.factories import make_producer
from tests.training.frozen import make_stack, say, unlike
from training.manifest import canonical
from training.models import JobStatus, Judge, ReservedPicture, Snapshot
from training.rules import Rules
from training.selectors.candidates import preview
from training.services.freezing import freeze_snapshot, request_snapshot
from training.services.leases import claim
from training.services.reservations import Look, release, reserve_images, reserve_looks
from training.tasks import work

LEAVE_OUT = Rules(on_reserved="leave_out")


def freeze(project: Project, name: str = "first", rules: Rules | None = None) -> Snapshot:
    return freeze_snapshot(project=project, name=name, rules=rules or Rules())


def rows_of(snapshot: Snapshot) -> list[dict[str, Any]]:
    with default_storage.open(snapshot.manifest.name) as file:
        return [json.loads(line) for line in file.read().splitlines()]


def refused(project: Project, code: str, rules: Rules | None = None, name: str = "first") -> str:
    with pytest.raises(Refusal) as told:
        freeze(project, name, rules)
    assert told.value.code == code
    return str(told.value)


def test_all_accepted_layers_of_a_project_are_frozen_and_no_others(project: Project, bob: Any) -> None:
    for number in range(3):
        make_stack(project, number, (bob,))
    left = Layer.objects.filter(label="cup").first()
    Layer.objects.filter(pk=left.pk).update(status="ready")
    snapshot = freeze(project)
    rows = rows_of(snapshot)
    assert snapshot.status == JobStatus.FINISHED
    assert snapshot.rows == len(rows) == 8
    assert {row["origin"]["layer"] for row in rows} == set(
        map(str, Layer.objects.exclude(pk=left.pk).values_list("pk", flat=True))
    )
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert set(snapshot.items.values_list("row", "split")) == {(row["id"], row["split"]) for row in rows}
    assert snapshot.composition["verdicts"] == {"accept": 8}


def test_a_row_says_what_the_layer_is_and_who_judged_it_without_naming_anybody(project: Project, bob: Any) -> None:
    make_stack(project, 1, (bob,), licence="CC0", credit="A. Nobody")
    row = rows_of(freeze(project))[0]
    layer = Layer.objects.get(pk=row["origin"]["layer"])
    assert row["layer"]["sha256"] == layer.sha256
    assert [prompt["kind"] for prompt in row["prompts"]] == ["point", "text", "mask", "hybrid"]
    assert row["prompts"][3]["box"] == [3.0, 4.0, 20.5, 30.0]
    (verdict,) = row["origin"]["verdicts"]
    assert verdict["judge"] == Judge.objects.get(user=bob).pseudonym
    assert row["origin"]["licence"] == "CC0"
    assert "bob" not in json.dumps(row)


def test_every_line_is_canonical_whatever_it_holds(project: Project, bob: Any) -> None:
    image = make_stack(project, 1, (bob,), licence='by "A\\B"', credit="\ttab \x7f \x01 line\n \u2028 ☃ 🎈 </é")
    odd = [
        {"points": [[3, 4], [0.5, 1e-05]], "box": [0, 0.25, 20, 30.0]},
        {"points": [[0.0001, 0.00012]], "box": [123.456, 1e3, 7e-06, 12345678.125]},
        {"points": [], "mask": {"size": [2, 2], "counts": [0, 4], "more": [1.50]}},
        {"points": [[1.5, 2.25]], "text": 'say "no" \\ / \x1f'},
    ]
    for layer, fields in zip([*image.layers.order_by("depth"), image.layers.first()], odd, strict=True):
        Prompt.objects.create(layer=layer, kind="hybrid", **fields)
    shares = {"area_share": 1, "hidden_share": 0, "soft_share": 1e-05}
    Layer.objects.filter(image=image, depth=0).update(label='a "cup"\\\u2029', **shares)
    pinned = image.layers.get(depth=1)
    Verdict.objects.filter(layer=pinned).delete()
    say(pinned, bob, defects=[{"y": 2.50, "x": 3, "kind": "halo"}])
    snapshot = freeze(project)
    with default_storage.open(snapshot.manifest.name) as file:
        lines = file.read().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [canonical(row) for row in rows] == lines
    first, second, _ = rows
    assert (first["label"], first["origin"]["licence"]) == ('a "cup"\\\u2029', 'by "A\\B"')
    assert first["origin"]["credit"] == image.credit
    assert [first["origin"][name] for name in shares] == [1.0, 0.0, 1e-05]
    found = [prompt for row in rows for prompt in row["prompts"]]
    for fields in odd:
        assert any(fields.items() <= prompt.items() for prompt in found), fields
    assert second["origin"]["verdicts"][0]["defects"] == [{"kind": "halo", "x": 3, "y": 2.5}]
    assert b"[3.0,4.0],[0.5,1e-05]" in b"".join(lines)


@pytest.mark.parametrize(
    "defects",
    [
        [],
        [{"kind": "halo", "x": None, "y": None}],
        [{"kind": "halo", "x": None, "y": None}, {"kind": "wrong_object", "x": None, "y": None}],
        [{"kind": "halo", "x": None, "y": None}, {"kind": "hole", "x": 1.0, "y": 2.5}],
        [{"kind": "hole", "x": 3, "y": None}],
        [{"kind": "}, ", "x": None, "y": None}],
        [{"kind": '", "x"', "x": None, "y": None}],
        [{"kind": "halo"}],
        [{"kind": "halo", "x": None, "y": None, "zoom": 2.50}],
    ],
    ids=["none", "unpinned", "two", "one of two", "half", "brace", "quote", "short", "more"],
)
def test_defects_are_written_as_python_writes_them(project: Project, bob: Any, defects: list[dict[str, Any]]) -> None:
    image = make_stack(project, 1)
    for layer in image.layers.all():
        say(layer, bob, defects=defects)
    with default_storage.open(freeze(project).manifest.name) as file:
        lines = file.read().splitlines()
    for line in lines:
        row = json.loads(line)
        assert canonical(row) == line
        assert row["origin"]["verdicts"][0]["defects"] == defects


def test_a_person_has_one_pseudonym_in_all_snapshots(project: Project, bob: Any) -> None:
    make_stack(project, 1, (bob,))
    named = {rows_of(freeze(project, name))[0]["origin"]["verdicts"][0]["judge"] for name in ("one", "two")}
    assert len(named) == 1


def test_the_same_layers_give_the_same_digest(project: Project, bob: Any) -> None:
    make_stack(project, 1, (bob,))
    first, second = freeze(project, "one"), freeze(project, "two")
    assert first.digest == second.digest
    assert first.merkle_root != second.merkle_root  # the root covers the name too


def test_another_verdict_changes_digest_and_root(project: Project, alice: Any, bob: Any) -> None:
    image = make_stack(project, 1, (bob,))
    first = freeze(project, "one")
    say(image.layers.first(), alice)
    assert freeze(project, "two").digest != first.digest


@pytest.mark.parametrize(
    ("rules", "layers"),
    [
        (Rules(kinds=("background",)), 2),
        (Rules(licences=("CC0",)), 3),
        (Rules(licences=("",)), 3),
        (Rules(producers=("other",)), 1),
        (Rules(least_judgements=2), 1),
        (Rules(least_agreement=1.0), 2),
        (Rules(least_agreement=0.5), 3),
        (Rules(since="2020-01-02", until="2020-01-02"), 1),
        (Rules(until="2020-01-01"), 0),
    ],
)
def test_each_rule_takes_what_it_says(project: Project, alice: Any, bob: Any, rules: Rules, layers: int) -> None:
    make_stack(project, 1, licence="CC0")
    image = make_stack(project, 2)
    one, two, three = image.layers.order_by("depth")
    for layer, judges in ((one, {alice: "accept", bob: "reject"}), (two, {bob: "accept"}), (three, {alice: "accept"})):
        for judge, decision in judges.items():
            say(layer, judge, decision)
    Layer.objects.filter(pk=one.pk).update(producer=make_producer("other"), created_at="2020-01-02T23:59:59Z")
    assert preview(project, rules).layers == layers
    if layers:
        assert freeze(project, rules=rules).rows == layers
    else:
        refused(project, "nothing_to_freeze", rules)


def test_a_layer_without_a_prompt_is_left_out_and_counted(project: Project) -> None:
    image = make_stack(project, 1)
    image.layers.first().prompts.all().delete()
    assert preview(project, Rules()).without_prompt == 1
    assert freeze(project).rows == 2


def test_pictures_that_look_the_same_share_a_split(project: Project) -> None:
    base = unlike(1)
    chain = [base, base ^ 0b1111111, base ^ 0b11111111111111]  # the ends differ in 14 bits, the neighbours in 7
    for number, look in enumerate(chain):
        make_stack(project, number, perceptual_hash=look)
    for number in range(10, 30):
        make_stack(project, number)
    rows = rows_of(freeze(project, rules=Rules(validation=0.3, test=0.3)))
    groups = {row["origin"]["image"]: row["group"] for row in rows}
    assert len(set(groups.values())) == 21
    split_of: dict[str, set[str]] = {}
    for row in rows:
        split_of.setdefault(row["group"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in split_of.values())
    assert {split for (split,) in split_of.values()} == {"train", "validation", "test"}


def test_a_picture_keeps_its_split_when_more_come_in(project: Project) -> None:
    rules = Rules(validation=0.3, test=0.3)
    for number in range(12):
        make_stack(project, number)
    first = {row["id"]: row["split"] for row in rows_of(freeze(project, "one", rules))}
    for number in range(12, 24):
        make_stack(project, number)
    second = {row["id"]: row["split"] for row in rows_of(freeze(project, "two", rules))}
    assert first.items() <= second.items()


def test_gold_pictures_are_named_and_refused(project: Project) -> None:
    image = make_stack(project, 1)
    make_stack(project, 2)
    GoldItem.objects.create(project=project, layer=image.layers.first(), is_acceptable=True, origin="truth")
    assert "photo-1.png (gold)" in refused(project, "reserved_pictures")
    assert not Snapshot.objects.exists()
    snapshot = freeze(project, rules=LEAVE_OUT)
    assert {row["origin"]["image"] for row in rows_of(snapshot)}.isdisjoint({str(image.pk)})
    assert snapshot.terms["reserved_left_out"] == 1


def test_pictures_people_vote_about_are_refused(project: Project) -> None:
    image = make_stack(project, 1)
    left, right = image.layers.all()[:2]
    compared = Comparison.objects.create(
        project=project, image=image, board="foreground", left=left, right=right, pair=left.pk,
        available_at=timezone.now(), random_key=0.5,
    )  # fmt: skip
    assert "photo-1.png (vote)" in refused(project, "reserved_pictures")
    Comparison.objects.filter(pk=compared.pk).update(status=SlotStatus.RETIRED)
    assert freeze(project).rows == 3


def test_benchmark_pictures_and_what_looks_like_them_are_refused(project: Project) -> None:
    image, twin = make_stack(project, 1), make_stack(project, 2, perceptual_hash=unlike(1) ^ 1)
    assert reserve_images(project=project, purpose="benchmark", reserved_for="held out", images=[image]) == 1
    assert reserve_images(project=project, purpose="benchmark", reserved_for="held out", images=[image]) == 0
    sentence = refused(project, "reserved_pictures")
    assert "photo-1.png (benchmark held out)" in sentence
    assert "photo-2.png looks like photo-1.png (benchmark held out)" in sentence
    assert preview(project, LEAVE_OUT).layers == 0
    assert release(project=project, purpose="benchmark", reserved_for="held out") == 1
    assert freeze(project).rows == 6
    assert twin.layers.count() == 3


def test_a_benchmark_picture_need_not_be_in_the_project(project: Project) -> None:
    make_stack(project, 1)
    look = Look("truth-7.png", "0" * 64, unlike(1) ^ 0b11)
    reserve_looks(project=project, purpose="benchmark", reserved_for="folder", looks=[look])
    assert ReservedPicture.objects.count() == 1
    assert "photo-1.png looks like truth-7.png (benchmark folder)" in refused(project, "reserved_pictures")


def test_a_name_is_used_once(project: Project) -> None:
    make_stack(project, 1)
    freeze(project)
    refused(project, "name_taken")
    refused(project, "no_name", name="  ")


def test_a_frozen_snapshot_cannot_be_changed(project: Project) -> None:
    make_stack(project, 1)
    snapshot = freeze(project)
    for changes in ({"digest": "0" * 64}, {"rules": {}}, {"status": "failed"}):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            Snapshot.objects.filter(pk=snapshot.pk).update(**changes)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        snapshot.items.update(split="test")
    assert claim(Snapshot) is None


def test_a_deleted_picture_leaves_tombstones_and_a_flag(project: Project) -> None:
    image, other = make_stack(project, 1), make_stack(project, 2)
    snapshot = freeze(project)
    image.delete()
    snapshot.refresh_from_db()
    assert snapshot.deleted_rows == 3
    assert snapshot.items.filter(deleted_at__isnull=False).count() == 3
    assert set(snapshot.items.filter(deleted_at=None).values_list("image_id", flat=True)) == {other.pk}
    assert len(rows_of(snapshot)) == 6


def test_many_layers_are_left_to_a_worker(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.services.freezing.AT_ONCE", 2)
    make_stack(project, 1)
    snapshot = request_snapshot(project=project, name="large", rules=Rules())
    assert snapshot.status == JobStatus.QUEUED

    work()
    snapshot.refresh_from_db()
    assert snapshot.status == JobStatus.FINISHED
    assert snapshot.rows == 3


def test_what_a_worker_may_not_freeze_says_why(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.services.freezing.AT_ONCE", 2)
    image = make_stack(project, 1)
    snapshot = request_snapshot(project=project, name="large", rules=Rules())
    GoldItem.objects.create(project=project, layer=image.layers.first(), is_acceptable=True, origin="truth")

    work()
    snapshot.refresh_from_db()
    assert snapshot.status == JobStatus.FAILED
    assert "photo-1.png (gold)" in snapshot.reason
    assert request_snapshot(project=project, name="large", rules=LEAVE_OUT).status == JobStatus.QUEUED
