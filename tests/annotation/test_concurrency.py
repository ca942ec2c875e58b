"""64 people at one queue, on real PostgreSQL with a connection each: nothing served twice, nothing lost."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.functions import Now

from annotation.models import CLAIMABLE, Slot, SlotStatus, Verdict
from annotation.services.claims import claim, release
from annotation.services.slots import open_slots
from annotation.services.verdicts import record_verdict
from engine.models import Layer, Project
from engine.refusals import Refusal
from tests.annotation.judging import bulk_layers
from tests.factories import make_project

PEOPLE, LAYERS, JUDGEMENTS = 64, 500, 2
PATIENCE_S = 120


@pytest.fixture
def crowded(many_connections: None, transactional_db: None) -> tuple[Project, list[Any]]:
    project = make_project("Crowded", needed_judgements=JUDGEMENTS)
    bulk_layers(project, LAYERS)
    users = get_user_model()
    people = users.objects.bulk_create(users(username=f"annotator-{number}") for number in range(PEOPLE))
    assert open_slots(project) == LAYERS * JUDGEMENTS
    return project, people


class Crowd:
    """Every person claims, and judges, gives back, or falls asleep until somebody else may take the layer."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.holding: Counter[uuid.UUID] = Counter()
        self.served_twice: list[uuid.UUID] = []
        self.refusals: Counter[str] = Counter()
        self.lock = threading.Lock()

    def work(self, person: Any) -> None:
        rng = random.Random(person.username)
        end = time.monotonic() + PATIENCE_S
        try:
            # An empty answer is no end: what is left may be locked in this moment, or be for others only.
            while Slot.objects.filter(status__in=CLAIMABLE).exists() and time.monotonic() < end:
                slots = claim(user=person, project=self.project, count=rng.randint(1, 8))
                self._note_served(slots)
                for slot in slots:
                    self._treat(person, slot, rng.random())
                if not slots:
                    time.sleep(0.02)
        finally:
            connection.close()

    def _note_served(self, slots: list[Slot]) -> None:
        with self.lock:
            for slot in slots:
                self.holding[slot.pk] += 1
                if self.holding[slot.pk] > 1:
                    self.served_twice.append(slot.pk)

    def _let_go(self, slot: Slot) -> None:
        with self.lock:
            self.holding[slot.pk] -= 1

    def _treat(self, person: Any, slot: Slot, chance: float) -> None:
        # Letting go is noted before the database lets go, so a slot is never counted for two by mistake.
        self._let_go(slot)
        if chance < 0.05:
            release(user=person, slot_id=slot.pk)
            return
        if chance < 0.10:
            Slot.objects.filter(pk=slot.pk, holder=person).update(available_at=Now())
        said = {"user": person, "slot": slot, "decision": "accept", "client_id": str(uuid.uuid4())}
        try:
            record_verdict(**said)
            if chance > 0.95:
                record_verdict(**said)
        except Refusal as refusal:
            with self.lock:
                self.refusals[refusal.code] += 1


def test_64_people_fill_1000_slots_once_each(crowded: tuple[Project, list[Any]]) -> None:
    project, people = crowded
    crowd = Crowd(project)
    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(crowd.work, people))
    counted = Verdict.objects.filter(is_counted=True)
    assert crowd.served_twice == []
    assert Counter(Slot.objects.values_list("status", flat=True)) == {SlotStatus.FILLED: LAYERS * JUDGEMENTS}
    assert counted.values("slot").distinct().count() == counted.count() == LAYERS * JUDGEMENTS
    assert crowd.refusals == {"lease_lost": Verdict.objects.filter(extra_reason="lease_lost").count()}
    assert not Layer.objects.exclude(status="accepted").exists()


def test_a_verdict_sent_twice_at_the_same_moment_is_stored_once(crowded: tuple[Project, list[Any]]) -> None:
    project, people = crowded
    [slot] = claim(user=people[0], project=project)
    together = threading.Barrier(8, timeout=20)

    def send(_: int) -> tuple[uuid.UUID, bool]:
        try:
            together.wait()
            verdict, is_new = record_verdict(user=people[0], slot=slot, decision="accept", client_id="same")
            return verdict.pk, is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert len({pk for pk, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1
