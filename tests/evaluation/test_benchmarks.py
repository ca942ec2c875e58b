"""A benchmark is frozen once, its pictures leave training, and every checkpoint is measured on the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from engine.composites.held_out import FIRST_SEED, held_out_composite, seen_composite
from engine.imaging import encode_png, sha256
from engine.models import LayerStatus, Project
from engine.perceptual_hash import perceptual_hash
from engine.refusals import Refusal
from engine.services.files import store
from evaluation import answering
from evaluation.models import Answer, Benchmark, BenchmarkItem, EvaluationRun
from evaluation.selectors.benchmarks import board_of_scores, network_sets, slice_table, worst_answers
from evaluation.services.benchmarks import freeze_composites, freeze_layers, watch
from evaluation.services.evaluations import ask_evaluation, pairs_of, work_on
from evaluation.tasks import evaluate, sweep
from tests.factories import make_image, make_layer
from training.models import JobStatus, ReservedPicture
from training.rules import Rules
from training.selectors.candidates import preview
from training.services.leases import LeaseLost, cancel, claim


@pytest.fixture
def composites(project: Project) -> Benchmark:
    return freeze_composites(project=project, name="held-out", count=2, size_px=64)


def stored(pixels: np.ndarray) -> str:
    return store("benchmarks", encode_png(pixels), "png")


def run_of(benchmark: Benchmark, checkpoint: str = "box", **options: Any) -> EvaluationRun:
    return ask_evaluation(benchmark=benchmark, checkpoint=checkpoint, **options)


def finish(run: EvaluationRun) -> EvaluationRun:
    ours = claim(EvaluationRun, run.pk)
    assert ours is not None
    work_on(ours)
    ours.refresh_from_db()
    return ours


def test_held_out_composites_share_nothing_with_those_of_training() -> None:
    assert not {layer.label for layer in held_out_composite(FIRST_SEED, 64).layers} & {
        layer.label for seed in range(5) for layer in seen_composite(seed, 64).layers
    }
    with pytest.raises(ValueError, match="for training"):
        held_out_composite(FIRST_SEED - 1, 64)


def test_composites_are_frozen_with_exact_truth_and_the_same_digest_again(project: Project, composites: Any) -> None:
    again = freeze_composites(project=project, name="again", count=2, size_px=64)
    assert (again.digest, again.is_watched, composites.is_watched) == (composites.digest, False, True)
    items = list(composites.items.all())
    assert {item.board for item in items} == {"foreground", "background"}
    assert sum(item.board == "background" for item in items) == 2
    assert len({item.prompt_kind for item in items}) > 2
    assert freeze_composites(project=project, name="other", count=3, size_px=64).digest != composites.digest


def test_pictures_of_a_benchmark_are_kept_out_of_training(project: Project, composites: Benchmark) -> None:
    made = held_out_composite(FIRST_SEED, 64)
    reserved = ReservedPicture.objects.filter(project=project, purpose="benchmark", reserved_for="held-out")
    assert reserved.count() == 2
    assert reserved.filter(sha256=sha256(encode_png(made.source_hwc))).exists()
    assert reserved.filter(perceptual_hash=perceptual_hash(made.source_hwc)).exists()


def test_accepted_layers_become_a_benchmark_and_leave_training(project: Project, alice: Any) -> None:
    image = make_image(project)
    kept = make_layer(image, status=LayerStatus.ACCEPTED)
    assert preview(project, Rules()).layers == 1
    made = freeze_layers(project=project, name="judged", layers=[kept.pk], user=alice)
    [item] = made.items.all()
    assert (item.layer, item.prompt_kind, item.board) == (kept, "point", "foreground")
    [reserved] = preview(project, Rules()).reserved
    assert (reserved.image, reserved.purpose, reserved.reserved_for) == (image.pk, "benchmark", "judged")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"name": " "}, "bad_name"),
        ({"count": 1}, "bad_count"),
        ({"size_px": 32}, "bad_size"),
        ({"seed": 5}, "seen_seed"),
    ],
)
def test_a_benchmark_that_makes_no_sense_leaves_nothing(project: Project, options: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        freeze_composites(project=project, **{"name": "b", "count": 2, "size_px": 64, **options})
    assert refused.value.code == code
    assert not Benchmark.objects.exists()
    assert not ReservedPicture.objects.exists()


def test_only_accepted_layers_of_the_project_are_truths(project: Project) -> None:
    ready = make_layer(make_image(project))
    for layers, code in (([], "no_layers"), ([ready.pk], "not_accepted")):
        with pytest.raises(Refusal) as refused:
            freeze_layers(project=project, name="b", layers=layers)
        assert refused.value.code == code


def test_a_name_is_taken_once(project: Project, composites: Benchmark) -> None:
    with pytest.raises(Refusal) as refused:
        freeze_composites(project=project, name="held-out", count=2, size_px=64)
    assert refused.value.code == "name_taken"


def test_one_benchmark_is_watched_at_a_time(project: Project, composites: Benchmark) -> None:
    other = freeze_composites(project=project, name="other", count=2, size_px=64)
    watch(other)
    assert list(Benchmark.objects.filter(is_watched=True)) == [other]


@pytest.fixture
def scored(composites: Benchmark) -> EvaluationRun:
    return finish(run_of(composites))


def test_an_evaluation_stores_every_number_with_its_choices(scored: EvaluationRun, composites: Benchmark) -> None:
    assert (scored.status, scored.reason, scored.is_offline) == (JobStatus.FINISHED, "", True)
    assert scored.items_done == composites.items.count() == Answer.objects.filter(run=scored).count()
    total = scored.scores.get(board="background", metric="hpa")
    assert total.choices["bounds"].startswith("trivial-")
    assert scored.scores.get(board="foreground", dimension="", metric="s_vis").choices["variant"] == "offline"
    assert {dimension for dimension, *_ in slice_table(scored, "foreground")} == {"hidden", "category", "prompt"}
    values = [value for _, value in worst_answers(scored, "foreground", "soft_iou")]
    assert values == sorted(values)
    assert values
    with scored.page.open("rb") as file:
        assert b"Offline networks" in file.read()


def test_the_board_has_one_row_for_a_producer_and_the_newest_counts(scored: EvaluationRun, composites: Any) -> None:
    assert run_of(composites) == scored
    newer = finish(run_of(composites, again=True))
    assert newer.pk != scored.pk
    assert newer.networks_digest == scored.networks_digest
    board = board_of_scores(composites, "foreground", scored.networks_digest)
    assert [one.run.pk for one in board.standings] == [newer.pk]
    assert board.calibration is None
    assert newer.scores.get(board="foreground", metric="hpa").value == pytest.approx(
        scored.scores.get(board="foreground", metric="hpa").value
    )


def test_asking_twice_is_asking_once(composites: Benchmark) -> None:
    assert run_of(composites) == run_of(composites)
    assert EvaluationRun.objects.count() == 1


def test_a_cancelled_evaluation_goes_on_after_its_last_answer(composites: Benchmark) -> None:
    run = claim(EvaluationRun, run_of(composites).pk)
    assert run is not None

    def stop_after_two(what: str, done: int, total: int) -> None:
        if done == 2:
            cancel(run)

    with pytest.raises(LeaseLost):
        work_on(run, stop_after_two)
    answered = list(Answer.objects.values_list("pk", flat=True))
    assert len(answered) in (2, 3)
    again = run_of(composites)
    assert (again.pk, again.status) == (run.pk, JobStatus.QUEUED)
    assert finish(again).status == JobStatus.FINISHED
    assert set(answered) <= set(Answer.objects.values_list("pk", flat=True))


def test_what_a_checkpoint_cannot_answer_counts_as_an_empty_layer(composites: Benchmark) -> None:
    item = composites.items.filter(board="foreground")[0]
    item.prompt = {"kind": "text", "points": [], "box": None, "mask": None, "text": "the star"}
    item.save()
    run = finish(run_of(composites))
    missing = Answer.objects.get(run=run, rgba="")
    assert (missing.item, missing.reason) == (item, "text_only")
    assert not next(pair for pair in pairs_of(run) if pair.name == item.name).predicted_hwc.any()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda item: default_storage.delete(item.truth), "missing_file"),
        (lambda item: setattr(item, "visible_mask", stored(np.zeros((9, 9), bool))), "size_mismatch"),
        (lambda item: setattr(item, "truth", stored(np.zeros((64, 64, 4), np.uint8))), "empty_truth"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_truth_that_is_no_truth_fails_the_evaluation_by_name(
    composites: Benchmark, change: Callable[[BenchmarkItem], Any], code: str
) -> None:
    item = composites.items.filter(board="foreground")[0]
    change(item)
    item.save()
    run = finish(run_of(composites))
    assert (run.status, run.reason.partition(":")[0]) == (JobStatus.FAILED, code)
    assert not run.scores.exists()


def test_a_worker_scores_what_waits_and_the_sweep_gives_up_on_poison(composites: Benchmark) -> None:
    run = run_of(composites)
    evaluate()
    run.refresh_from_db()
    assert run.status == JobStatus.FINISHED
    poisoned = run_of(composites, "grabcut")
    EvaluationRun.objects.filter(pk=poisoned.pk).update(
        status=JobStatus.RUNNING, attempts=3, lease=poisoned.pk, lease_expires_at=poisoned.created_at
    )
    sweep()
    poisoned.refresh_from_db()
    assert (poisoned.status, poisoned.reason.partition(":")[0]) == (JobStatus.FAILED, "worker_lost")


@pytest.mark.parametrize(
    ("checkpoint", "variant", "code"),
    [
        ("nobody", "", "unknown_checkpoint"),
        ("box", "magic", "unknown_networks"),
        ("box", "published", "missing_weights"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    composites: Benchmark, checkpoint: str, variant: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    with pytest.raises(Refusal) as refused:
        run_of(composites, checkpoint, variant=variant)
    assert refused.value.code == code
    assert not EvaluationRun.objects.exists()


def test_scores_of_fixed_seed_networks_stand_on_a_board_of_their_own(scored: EvaluationRun) -> None:
    fixed = finish(run_of(scored.benchmark, variant="offline"))
    assert fixed.is_offline
    assert fixed.networks_digest != scored.networks_digest
    sets = network_sets(scored.benchmark)
    assert {one.variant for one in sets} == {"offline", "offline-reflayer-tiny"}
    for one in sets:
        assert len(board_of_scores(scored.benchmark, "foreground", one.digest).standings) == 1


def test_the_commands_freeze_and_score(project: Project, tmp_path: Path) -> None:
    output = StringIO()
    call_command(
        "make_benchmark", "--project", project.slug, "--name", "b", "--composites", "2", "--size", "64", "--json",
        stdout=output, stderr=StringIO(),
    )  # fmt: skip
    assert json.loads(output.getvalue().splitlines()[-1])["items"] > 2
    html, said = tmp_path / "report.html", StringIO()
    words = ("evaluate", "--checkpoint", "reflayer-tiny", "--benchmark", "b", "--html", str(html), "--json")
    call_command(*words, stdout=said, stderr=StringIO())
    document = json.loads(said.getvalue().splitlines()[-1])
    assert document["variant"] == "offline-reflayer-tiny"
    assert {board["kind"] for board in document["boards"]} == {"foreground", "background"}
    assert document["producer"].startswith("reflayer-tiny@")
    assert "<h2>Foreground" in html.read_text()
    for wrong in (
        ["evaluate", "--checkpoint", "box", "--benchmark", "none"],
        ["evaluate", "--checkpoint", "nobody", "--benchmark", "b"],
        ["make_benchmark", "--project", "none", "--name", "b", "--composites", "2"],
    ):
        with pytest.raises(CommandError):
            call_command(*wrong, stdout=StringIO(), stderr=StringIO())


def test_everybody_who_can_be_measured_is_listed(settings: Any) -> None:
    names = answering.known(settings.CHECKPOINT_FOLDERS)
    assert {"reflayer-tiny", "cpu", "grabcut", "box"} <= set(names)
    assert answering.find("cpu", []).producer.startswith("cpu@")
    assert answering.find("box", []).producer == "box"
