"""64 people who disagree, doubt, take back and are killed, with wrong clocks, while an admin changes k under them."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from annotation.agreement import consensus
from annotation.models import CLAIMABLE, Adjudication, Slot, SlotPurpose, SlotStatus, SlotTally, Verdict
from annotation.services.claims import claim, release
from annotation.services.needs import change_needed_judgements, fit_slots
from annotation.services.people import set_policy
from annotation.services.verdicts import record_verdict, undo
from engine.models import Layer, LayerStatus, Project
from engine.refusals import Refusal
from tests.annotation.judging import bulk_layers
from tests.factories import make_project

PEOPLE, LAYERS, LAST_NEED = 64, 400, 2
DECISIONS, WORK_S = 1000, 20
"""So many make every kind of trouble happen; the time is for a run in which k was mostly 1 and the queue ran dry."""
LEASE_S = 2
ANSWERS = ("accept", "reject", "unsure", "broken")


@pytest.fixture
def wrong_clocks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Each call of Python's clock is up to a day off; leases are short, so that those of the killed end."""
    settings.REVIEW_LEASE_S = LEASE_S
    honest, rng = timezone.now, random.Random(0)
    monkeypatch.setattr(timezone, "now", lambda: honest() + timedelta(hours=rng.uniform(-24, 24)))


class Chaos:
    """What everybody sent, so that it can be looked for afterwards."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.sent: dict[str, str] = {}
        self.codes: Counter[str] = Counter()
        self.give_up = time.monotonic() + WORK_S

    @property
    def goes_on(self) -> bool:
        return len(self.sent) < DECISIONS and time.monotonic() < self.give_up

    def work(self, person: Any) -> None:
        rng = random.Random(person.username)
        try:
            while self.goes_on:
                slots = claim(user=person, project=self.project, count=rng.randint(1, 4))
                if rng.random() < 0.1:
                    continue  # killed: nobody ever answers for these slots
                for slot in slots:
                    self._treat(person, slot, rng)
                if not slots:
                    time.sleep(0.05)
        finally:
            connection.close()

    def _treat(self, person: Any, slot: Slot, rng: random.Random) -> None:
        if rng.random() < 0.05:
            release(user=person, slot_id=slot.pk)
            return
        if rng.random() < 0.02:
            time.sleep(LEASE_S + 0.1)  # the lease ends under the person's hands
        [decision] = rng.choices(ANSWERS, (60, 30, 8, 2))
        said = {"user": person, "slot": slot, "decision": decision, "client_id": str(uuid.uuid4())}
        self.sent[said["client_id"]] = decision
        try:
            verdict, _ = record_verdict(**said)
            if rng.random() < 0.1:
                record_verdict(**said)
            if rng.random() < 0.05:
                undo(user=person, verdict=verdict)
        except Refusal as refusal:
            self.codes[refusal.code] += 1

    def administer(self) -> None:
        rng = random.Random(1)
        try:
            while self.goes_on:
                change_needed_judgements(project=self.project, needed=rng.randint(1, 3))
                time.sleep(0.3)
        finally:
            connection.close()

    def finish(self, people: list[Any]) -> None:
        """Once every lease has ended, the queue is emptied by one person after another while anybody gets anything.

        A lease that ran on would bring its holder a layer that was settled meanwhile, and the verdict a refusal.
        """
        time.sleep(LEASE_S + 0.1)
        change_needed_judgements(project=self.project, needed=LAST_NEED)
        while sum(self._judge_everything(person) for person in people):
            pass

    def _judge_everything(self, person: Any) -> int:
        judged = 0
        while slots := claim(user=person, project=self.project, count=10):
            for slot in slots:
                record_verdict(user=person, slot=slot, decision="accept", client_id=str(uuid.uuid4()))
            judged += len(slots)
        return judged


@pytest.mark.usefixtures("many_connections", "transactional_db", "wrong_clocks")
def test_no_slot_has_two_verdicts_none_is_lost_and_no_layer_is_settled_short_of_k() -> None:
    project = make_project("Chaos", needed_judgements=2)
    bulk_layers(project, LAYERS)
    set_policy(project=project, gold_first=0, gold_rate=0.0, mirror_rate=0.1, mirror_gap=3)
    users = get_user_model()
    people = users.objects.bulk_create(users(username=f"annotator-{number}") for number in range(PEOPLE))
    chaos = Chaos(project)
    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        jobs = [pool.submit(chaos.work, person) for person in people]
        jobs.append(pool.submit(chaos.administer))
    for job in jobs:
        job.result()
    chaos.finish(people)
    print(
        len(chaos.sent), chaos.codes, Verdict.objects.count(), Counter(Layer.objects.values_list("status", flat=True))
    )

    assert not Slot.objects.filter(status__in=CLAIMABLE).exists(), "a slot is left that nobody can take"
    stored = dict(Verdict.objects.filter(client_id__in=chaos.sent).values_list("client_id", "decision"))
    assert stored == chaos.sent
    assert chaos.codes, "nothing went wrong, so nothing was shown"
    counted = Verdict.objects.filter(is_counted=True)
    assert counted.values("slot").distinct().count() == counted.count()
    assert set(chaos.codes) <= {"lease_lost", "layer_settled", "not_undoable", "slot_taken", "too_old"}
    said: defaultdict[uuid.UUID, list[bool]] = defaultdict(list)
    for layer_id, decision in counted.values_list("layer_id", "decision"):
        said[layer_id].append(decision == "accept")
    for layer_id, status in Layer.objects.values_list("pk", "status"):
        if status == LayerStatus.READY:
            assert Adjudication.objects.filter(layer=layer_id, ruling="").exists()
        else:
            # k was 1 to 3 meanwhile; whichever it was, a majority of all judgements says what the layer is.
            assert consensus(said[layer_id], 1).is_accepted is (status == LayerStatus.ACCEPTED)
    filled = Slot.objects.filter(status=SlotStatus.FILLED, purpose=SlotPurpose.JUDGEMENT)
    assert Counter(filled.values_list("layer", flat=True)) == {pk: len(decisions) for pk, decisions in said.items()}
    tallied: Counter[tuple[str, str]] = Counter()
    for purpose, status, slots in SlotTally.objects.values_list("purpose", "status", "slots"):
        tallied[purpose, status] += slots
    assert +tallied == Counter(Slot.objects.values_list("purpose", "status"))
    before = Counter(Slot.objects.values_list("status", flat=True))
    fit_slots(Project.objects.get(pk=project.pk))
    assert Counter(Slot.objects.values_list("status", flat=True)) == before
