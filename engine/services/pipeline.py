"""Threads that take images through the stages of their run, one batch after the other.

One thread has the device, and its helpers do what the processor has to do between two calls of a network. Another
prepares the next batch meanwhile, others make files of what is finished. None of them touches the database: they tell
what happened as events, in an order in which it can be saved.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Self

from django.core.files.storage import default_storage

from engine import registry
from engine.imaging import decode_png
from engine.models import RunItem
from engine.recipes import Recipe, StageSpec
from engine.records import STAGES, Scene
from engine.runner import Outcome, StageReport, failed, reason_of, run_stage
from engine.scene_file import load
from engine.services.images import given_prompts_of
from engine.services.reruns import Origin
from engine.services.stage_rows import NOTHING, Made, make

_FILE_THREADS = min(16, os.cpu_count() or 1)
"""Decoding and encoding pictures, which is done outside Python's lock."""
_MOST_UNSAVED = 16
"""Each holds a copy of its scene; with more the device waits until some are saved."""


class Batch:
    """Leased images of one run. ``lost``: ids of those that are not ours any more, which no further stage takes."""

    def __init__(self, items: Sequence[RunItem], origins: Mapping[uuid.UUID, Origin]) -> None:
        self.items, self.origins = items, origins
        self.recipe = Recipe.from_json(items[0].run.recipe)
        self.lost: set[uuid.UUID] = set()
        self.done = {item.pk: item.stages_done for item in items}
        self.scenes: dict[uuid.UUID, Scene] = {}

    @property
    def is_suspect(self) -> bool:
        """Whether one of these may have taken a worker down."""
        return any(item.attempts > 1 for item in self.items)

    @property
    def leading(self) -> int:
        """How many stages at the start need no device."""
        rows = [registry.find(spec.stage, spec.backend) for spec in self.recipe.stages]
        return next((number for number, row in enumerate(rows) if row.queue != "cpu"), len(rows))


@dataclass(frozen=True, slots=True)
class Began:
    batch: Batch
    stage: str
    images: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A stage of one image; ``made`` is there soon."""

    batch: Batch
    item: RunItem
    report: StageReport
    made: Future[Made]


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more comes of this batch; ``error`` is a defect that ended it before its time."""

    batch: Batch
    error: BaseException | None


Event = Began | Finished | Over


class Pipeline:
    """``threads`` work on one stage at once. Leaving the block stops everything at the end of its stage."""

    def __init__(self, device: str, threads: int) -> None:
        self._device_name, self._threads = device, threads
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._room = threading.Semaphore(_MOST_UNSAVED)
        self._is_stopped = threading.Event()
        self._files = ThreadPoolExecutor(_FILE_THREADS, "files")
        self._ahead = ThreadPoolExecutor(1, "ahead")
        self._device = ThreadPoolExecutor(1, "device")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._is_stopped.set()
        self._room.release()
        for pool in (self._ahead, self._device, self._files):
            pool.shutdown(cancel_futures=True)

    def start(self, batch: Batch) -> None:
        """After the batches that were started before; what needs no device begins at once."""
        prepared = self._ahead.submit(self._prepare, batch)
        self._device.submit(self._compute, batch, prepared)

    def next_event(self) -> Event:
        """Waits for it. For one image the stages come in their order, and ``Over`` is the last of its batch."""
        event = self._events.get()
        if isinstance(event, Finished):
            self._room.release()
        return event

    def _prepare(self, batch: Batch) -> None:
        scenes = [self._files.submit(_scene_of, item, batch.origins.get(item.pk)) for item in batch.items]
        for item, scene in zip(batch.items, scenes, strict=True):
            try:
                batch.scenes[item.pk] = scene.result()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with its files, only this image pays
                spec = batch.recipe.stages[item.stages_done]
                report = StageReport(item.image.sha256, spec.stage, spec.backend, Outcome.FAILED, 0.0, reason_of(error))
                self._tell(batch, item, report)
        self._run(batch, batch.recipe.stages[: batch.leading])

    def _compute(self, batch: Batch, prepared: Future[None]) -> None:
        error = prepared.exception()
        try:
            if error is None:
                self._run(batch, batch.recipe.stages[batch.leading :])
        except BaseException as defect:  # noqa: BLE001 - handed to the thread that waits for this batch
            error = defect
        self._events.put(Over(batch, error))

    def _run(self, batch: Batch, specs: Sequence[StageSpec]) -> None:
        for spec in specs:
            number = STAGES.index(spec.stage)
            todo = [item for item in batch.items if batch.done[item.pk] == number and item.pk not in batch.lost]
            todo = [item for item in todo if item.pk in batch.scenes and batch.scenes[item.pk].is_kept]
            if not todo or self._is_stopped.is_set():
                continue
            self._events.put(Began(batch, spec.stage, len(todo)))
            by_sha = {item.image.sha256: item for item in todo}
            for report in self._reports([batch.scenes[item.pk] for item in todo], spec):
                item = by_sha[report.image_sha256]
                batch.done[item.pk] = number + 1
                self._tell(batch, item, report)

    def _reports(self, scenes: list[Scene], spec: StageSpec) -> Iterator[StageReport]:
        """A backend that cannot be had (weights that are missing, say) fails its pictures with the reason."""
        try:
            backend = registry.load(spec.stage, spec.backend, spec.params, self._device_name)
        except Exception as error:  # noqa: BLE001 - the report carries whatever it was
            return failed(scenes, spec, error)
        return run_stage(scenes, spec, backend, self._threads)

    def _tell(self, batch: Batch, item: RunItem, report: StageReport) -> None:
        """Files are made of a copy while the next stage changes the scene."""
        self._room.acquire()
        if self._is_stopped.is_set():
            self._room.release()
            return
        scene = batch.scenes.get(item.pk)
        if scene is None:
            made: Future[Made] = Future()
            made.set_result(NOTHING)
        else:
            made = self._files.submit(make, item, scene.copy(), report)
        self._events.put(Finished(batch, item, report, made))


def _scene_of(item: RunItem, origin: Origin | None) -> Scene:
    with item.image.picture.open("rb") as file:
        pixels = decode_png(file.read())
    if item.scene_file:
        with default_storage.open(item.scene_file) as file:
            return load(file.read(), pixels)
    if origin is not None:
        return origin.scene(pixels)
    facts = {"format": item.image.original_format, "name": item.image.original_name}
    if item.image.duplicate_of_id:
        facts["duplicate_of"] = str(item.image.duplicate_of_id)
    return Scene(item.image.sha256, pixels, item.run.seed, given_prompts_of(item.image), facts=facts)
