"""The lines of a manifest, read from the database picture by picture."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from operator import attrgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from annotation.models import Adjudication, Verdict
from engine.models import Layer, Project
from training.composition import Facts
from training.manifest import canonical
from training.models import Judge
from training.rules import Rules
from training.selectors.candidates import Pictures, accepted_layers
from training.services.frozen_lines import lines_statement

PICTURES_AT_ONCE = 2000


class NamelessJudge(LookupError):
    """Somebody judged for the first time between ``name_judges`` and the reading: the next claim finds a name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a manifest: ``text`` is its canonical JSON, without newline."""

    id: str
    layer: str
    image: str
    group: str
    split: str
    text: bytes
    facts: Facts

    @property
    def place(self) -> dict[str, str]:
        return {"id": self.id, "group": self.group, "split": self.split}


def lines_of(
    project: Project, rules: Rules, pictures: Pictures, chosen: QuerySet[Layer] | None = None
) -> Iterator[Line]:
    """All chosen layers whose picture is free, in the manifest's order, people under their pseudonyms.

    Chosen are the accepted layers that the rules take, or those that are given. Raises ``NamelessJudge``.
    """
    layers = (accepted_layers(project, rules) if chosen is None else chosen).order_by()
    images = sorted(pictures.group_of.keys() - pictures.reserved_ids, key=attrgetter("int"))
    batches = [images[start : start + PICTURES_AT_ONCE] for start in range(0, len(images), PICTURES_AT_ONCE)]

    def read(some: Sequence[uuid.UUID]) -> list[Any]:
        # In another thread, on the connection of whoever asks: the database works on while the lines are digested.
        sql, params = layers.filter(image_id__in=some).query.sql_with_params()
        with as_django, raw.cursor() as cursor:
            return sorted(cursor.execute(lines_statement(sql), params).fetchall())

    connection.ensure_connection()
    raw, as_django = connection.connection, connection.wrap_database_errors
    with ThreadPoolExecutor(1) as ahead:
        following = [ahead.submit(read, some) for some in batches[:1]]
        for some, after in zip_longest(batches, batches[1:]):
            rows = following.pop().result()
            if after is not None:
                following.append(ahead.submit(read, after))
            group_of = {str(image): pictures.group_of[image] for image in some}
            for row in rows:
                yield _line(row, group_of, pictures.split_of)


def _line(row: Sequence[Any], group_of: Mapping[str, str], split_of: Mapping[str, str]) -> Line:
    row_id, layer, image, head, middle, tail, is_odd, is_nameless, *facts = row
    if is_nameless:
        raise NamelessJudge(f"somebody judged layer {layer} for the first time at this moment")
    group = group_of[image]
    split = split_of[group]
    text = f"{head}{group}{middle}{split}{tail}".encode()
    return Line(row_id, layer, image, group, split, _canonical(text) if is_odd else text, Facts(split, *facts))


def _canonical(text: bytes) -> bytes:
    """Coordinates as floats, whatever JSON made of them: a manifest that is read and written again stays the same."""
    row = json.loads(text)
    for prompt in row["prompts"]:
        prompt["points"] = [[float(x), float(y)] for x, y in prompt["points"]]
        if prompt["box"] is not None:
            prompt["box"] = [float(value) for value in prompt["box"]]
    return canonical(row)


def name_judges(project: Project) -> None:
    """Give everybody who judged or repaired in the project a pseudonym."""
    here = {"project": project}
    judged = Verdict.objects.filter(annotator=OuterRef("pk"), **here)
    ruled = Adjudication.objects.filter(decided_by=OuterRef("pk"), **here)
    authors = Layer.objects.filter(project=project, author__isnull=False).order_by().values("author").distinct()
    people = get_user_model().objects.exclude(pk__in=Judge.objects.values("user"))
    missing = people.filter(Exists(judged) | Exists(ruled)).values_list("pk", flat=True)
    repaired = people.filter(pk__in=authors).values_list("pk", flat=True)
    new = [Judge(user_id=pk, pseudonym=f"judge-{secrets.token_hex(6)}") for pk in {*missing, *repaired}]
    Judge.objects.bulk_create(new, ignore_conflicts=True)
