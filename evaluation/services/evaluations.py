"""A checkpoint on a benchmark: answered item by item, then scored. A worker that dies costs one answer."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from engine.imaging import decode_png, encode_png
from engine.models import Producer
from engine.records import Picture
from engine.refusals import Refusal
from engine.revision import code_revision
from engine.services.files import store
from evaluation.answering import Answerer, find
from evaluation.features.variants import PUBLISHED, VARIANTS, best_here, how_to_publish, missing
from evaluation.metrics.hpa import Bounds
from evaluation.metrics.pairs import LayerPair
from evaluation.models import Answer, Benchmark, BenchmarkOrigin, EvaluationRun
from evaluation.selectors.evaluations import answerers_of
from evaluation.services.scores import described, digest_of_networks, store_scores
from training.models import Checkpoint, JobStatus
from training.models.jobs import LIVE
from training.prompt_json import prompt_from_json
from training.services.checkpoints import checkpoint_named
from training.services.doorbell import ring
from training.services.leases import DATABASE_LOST, LeaseLost, ended_as, heartbeat, write

log = logging.getLogger(__name__)

QUEUE = "inference"
TASK = "evaluation.tasks.evaluate"
DEFECT = 500
"""From this status on a refusal is no answer to the prompt but a fault of whoever answers."""
Progress = Callable[[str, int, int], None]
"""What is done (``answering``, ``scoring``), how many of how many."""

ring_for_scores = partial(ring, QUEUE, TASK)


def answerer_of(checkpoint: str) -> Answerer:
    """Raises ``Refusal`` 400 ``unknown_checkpoint``."""
    return find(checkpoint, settings.CHECKPOINT_FOLDERS)


def producer_of(answerer: Answerer) -> Producer:
    if answerer.is_checkpoint:
        return checkpoint_named(answerer.name).producer
    defaults = {"kind": Producer.Kind.RECIPE, "digest": answerer.digest}
    return Producer.objects.get_or_create(name=answerer.producer, defaults=defaults)[0]


def ask_evaluation(
    *,
    benchmark: Benchmark,
    checkpoint: str,
    variant: str = "",
    user: Any = None,
    again: bool = False,
    producer: Producer | None = None,
) -> EvaluationRun:
    """Queue a checkpoint for a benchmark. One that is queued, running or finished is handed back as it is; one that
    failed or was cancelled goes on after its last answer. ``again`` makes a new run where one is finished.

    ``producer`` is whose scores these are; without, the one that stands for the checkpoint's own bytes. Raises
    ``Refusal``: 400 ``unknown_checkpoint``, ``unknown_networks``; 409 ``no_items``, ``missing_weights``.
    """
    if benchmark.origin == BenchmarkOrigin.REPORT:
        raise Refusal("no_items", "This benchmark is known by reports only; nothing can be predicted on it.", 409)
    variant = variant or best_here()
    if variant not in VARIANTS:
        raise Refusal("unknown_networks", f"The networks are {', '.join(VARIANTS)}.")
    if variant == PUBLISHED and best_here() != PUBLISHED:
        raise Refusal("missing_weights", f"The published networks are not here; run: {how_to_publish(missing())}", 409)
    if producer is None:
        if checkpoint not in (there := answerers_of(benchmark.project)):
            detail = f"There is no checkpoint {checkpoint} in {benchmark.project}; there are {', '.join(there)}."
            raise Refusal("unknown_checkpoint", detail)
        producer = producer_of(answerer_of(checkpoint))
    same = EvaluationRun.objects.filter(benchmark=benchmark, producer=producer, variant=variant).exclude(checkpoint="")
    known = same.order_by("-created_at").first()
    if known is not None and (known.status in LIVE or (known.status == JobStatus.FINISHED and not again)):
        return known
    with transaction.atomic():
        if known is not None and known.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            stopped = same.filter(pk=known.pk, status=known.status)
            stopped.update(status=JobStatus.QUEUED, attempts=0, reason="", finished_at=None)
            known.refresh_from_db()
        else:
            known = _create(benchmark, producer, checkpoint, variant, user)
        transaction.on_commit(ring_for_scores)
    return known


def ask_for_new_checkpoints() -> list[EvaluationRun]:
    """For watched benchmarks: checkpoints of the project that were never scored on them."""
    asked = []
    for benchmark in Benchmark.objects.filter(is_watched=True):
        scored = EvaluationRun.objects.filter(benchmark=benchmark).values("producer")
        for checkpoint in Checkpoint.objects.filter(project=benchmark.project_id).exclude(producer__in=scored):
            asked.append(ask_evaluation(benchmark=benchmark, checkpoint=checkpoint.name, producer=checkpoint.producer))
    return asked


def work_on(run: EvaluationRun, on_progress: Progress = lambda what, done, total: None) -> None:
    """Answer what is not answered and score it all, for a claimed run; what cannot be done fails it with its code.

    Raises ``LeaseLost`` when it was cancelled or another worker has it; its answers stay for whoever goes on.
    """
    with heartbeat(run):
        try:
            _answer_all(run, on_progress)
            _score(run, on_progress)
        except (LeaseLost, *DATABASE_LOST):
            raise
        except Exception as error:
            code = getattr(error, "code", None)
            if code is None:
                log.exception("evaluation %s failed", run.pk)
            reason = f"{code or 'evaluation_failed'}: {error}"[:500]
            write(run, **ended_as(JobStatus.FAILED, reason=reason))


def pairs_of(run: EvaluationRun) -> Iterator[LayerPair]:
    """Truth and answer of every item, read one at a time; a missing answer counts as an empty layer."""
    for answer in Answer.objects.filter(run=run).select_related("item").order_by("item__name").iterator(chunk_size=100):
        item = answer.item
        truth = _picture(item.truth)
        yield LayerPair(
            name=item.name,
            truth_hwc=truth,
            predicted_hwc=_picture(answer.rgba) if answer.rgba else truth * 0,
            visible_hw=_picture(item.visible_mask) > 127,
            background_hwc=_picture(item.background) if item.background else None,
            photo=item.photo,
            facts={"kind": item.board, "category": item.category, "prompt": item.prompt_kind},
        )


def _create(benchmark: Benchmark, producer: Producer, checkpoint: str, variant: str, user: Any) -> EvaluationRun:
    try:
        with transaction.atomic():
            return EvaluationRun.objects.create(
                benchmark=benchmark,
                producer=producer,
                checkpoint=checkpoint,
                variant=variant,
                is_offline=variant != PUBLISHED,
                code_revision=code_revision(),
                asked_by=user,
            )
    except IntegrityError:
        # Somebody asked for the same in this moment; theirs is as good.
        return EvaluationRun.objects.get(benchmark=benchmark, producer=producer, variant=variant, status__in=LIVE)


def _answer_all(run: EvaluationRun, on_progress: Progress) -> None:
    items = run.benchmark.items.order_by("name")
    total, done = items.count(), Answer.objects.filter(run=run).count()
    missing_items = list(items.exclude(answers__run=run))
    if missing_items:
        answerer = answerer_of(run.checkpoint)
        if run.producer.digest not in ("", answerer.digest):
            raise Refusal("checkpoint_changed", f"{run.checkpoint} is no longer what this evaluation began with.", 409)
        answer = answerer.load()
    for item in missing_items:
        picture = _picture(item.picture)
        height, width = picture.shape[:2]
        prompt = prompt_from_json(item.prompt, width, height)
        started = time.perf_counter()
        rgba, reason = "", ""
        try:
            layer = answer(picture, prompt)
            rgba = store("answers", encode_png(layer.rgba_hwc), "png")
        except Refusal as refusal:
            if refusal.status >= DEFECT:
                raise
            reason = refusal.code
        seconds = time.perf_counter() - started
        Answer.objects.get_or_create(run=run, item=item, defaults={"rgba": rgba, "reason": reason, "seconds": seconds})
        done += 1
        write(run, items_done=done, attempts=0)
        on_progress("answering", done, total)


def _score(run: EvaluationRun, on_progress: Progress) -> None:
    # Torch and the networks take seconds to load: only whoever scores needs them.
    from evaluation.features.networks import warm_variant
    from evaluation.report import as_document
    from evaluation.report_page import page
    from evaluation.scoring import score

    networks = warm_variant(run.variant)
    digest = digest_of_networks({name: identity.as_choices() for name, identity in networks.identities.items()})
    known = Benchmark.objects.get(pk=run.benchmark_id).bounds.get(digest, {})
    bounds = {board: Bounds.from_json(ends) for board, ends in known.items()}
    total = Answer.objects.filter(run=run).count()
    scores = score(pairs_of(run), networks, bounds=bounds, on_progress=lambda done: on_progress("scoring", done, total))
    absent = [] if run.variant == PUBLISHED else missing()
    document = as_document(scores, networks, how_to_publish=how_to_publish(absent))
    empty = Answer.objects.filter(run=run, rgba="").select_related("item")
    document["empty_predictions"] = sorted(answer.item.name for answer in empty)
    document["producer"], document["benchmark_name"] = run.producer.name, run.benchmark.name
    rows = {row["name"]: row for row in document["rows"]}
    place = f"evaluations/{run.pk}/{run.lease}"
    files = {
        "report": default_storage.save(f"{place}.json", ContentFile(json.dumps(document, allow_nan=False).encode())),
        "page": default_storage.save(f"{place}.html", ContentFile(page(document, pairs_of(run)).encode())),
    }
    answers = list(Answer.objects.filter(run=run).select_related("item"))
    for answer in answers:
        row = rows[answer.item.name]
        answer.values = {name: value for name, value in row.items() if name not in ("name", "undefined")}
    try:
        with transaction.atomic():
            fields = described(document)
            for name, value in fields.items():
                setattr(run, name, value)
            store_scores(run, document)
            Answer.objects.bulk_update(answers, ["values"], batch_size=500)
            seconds = sum(answer.seconds for answer in answers)
            write(run, **ended_as(JobStatus.FINISHED, **fields, **files, seconds=seconds))
    except BaseException:
        for name in files.values():
            default_storage.delete(name)
        raise


def _picture(stored: str) -> Picture:
    try:
        with default_storage.open(stored, "rb") as file:
            return decode_png(file.read())
    except FileNotFoundError as error:
        raise Refusal("missing_file", f"{stored} is not in the store any more.", DEFECT) from error
