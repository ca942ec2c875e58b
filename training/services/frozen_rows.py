"""The lines of a manifest, read from the database picture by picture."""

from __future__ import annotations

import json
import secrets
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, compress, repeat
from operator import attrgetter, itemgetter
from queue import SimpleQueue
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from psycopg import Connection

from annotation.models import Adjudication, Verdict
from engine.models import Layer, Project
from training.composition import Facts
from training.manifest import canonical
from training.models import Judge
from training.rules import Rules
from training.selectors.candidates import Pictures, accepted_layers
from training.services.frozen_lines import lines_statement

PICTURES_AT_ONCE = 4000


class NamelessJudge(LookupError):
    """Somebody judged for the first time between ``name_judges`` and the reading: the next claim finds a name."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of a manifest that follow each other, column by column: every column has one value for each of them.

    ``texts``: their canonical JSON, without newline.
    """

    ids: Sequence[str]
    layers: Sequence[str]
    images: Sequence[str]
    groups: Sequence[str]
    texts: Sequence[bytes]
    facts: Facts


def lines_of(
    project: Project,
    rules: Rules,
    pictures: Pictures,
    chosen: QuerySet[Layer] | None = None,
    readers: Sequence[Connection[Any]] | None = None,
) -> Iterator[Lines]:
    """All chosen layers whose picture is free, in the manifest's order, people under their pseudonyms.

    Chosen are the accepted layers that the rules take, or those that are given. ``readers``: connections that see the
    database as this thread's does, which is the only one by default. Raises ``NamelessJudge``.
    """
    layers = (accepted_layers(project, rules) if chosen is None else chosen).order_by()
    reserved = pictures.reserved_ids
    images = sorted(pictures.group_of.keys() - reserved, key=attrgetter("int"))
    batches = [images[start : start + PICTURES_AT_ONCE] for start in range(0, len(images), PICTURES_AT_ONCE)]
    connection.ensure_connection()
    as_django, free = connection.wrap_database_errors, SimpleQueue[Connection[Any]]()
    for reader in readers or [connection.connection]:
        free.put(reader)
    at_once = free.qsize()

    def read(some: Sequence[uuid.UUID]) -> list[tuple[Any, ...]]:
        # In other threads: the database works on while lines are digested.
        between = layers.filter(image_id__gte=some[0], image_id__lte=some[-1])
        left_out = [image for image in reserved if some[0] < image < some[-1]]
        sql, params = (between.exclude(image_id__in=left_out) if left_out else between).query.sql_with_params()
        reader = free.get()
        try:
            with as_django, reader.cursor() as cursor:
                return sorted(cursor.execute(lines_statement(sql), params).fetchall(), key=itemgetter(0))
        finally:
            free.put(reader)

    with ThreadPoolExecutor(at_once) as ahead:
        coming = deque(ahead.submit(read, some) for some in batches[: at_once + 1])
        for after in chain(batches[at_once + 1 :], repeat(None, len(coming))):
            rows = coming.popleft().result()
            if after is not None:
                coming.append(ahead.submit(read, after))
            if rows:
                yield _lines(rows, pictures)


def _lines(rows: Sequence[tuple[Any, ...]], pictures: Pictures) -> Lines:
    ids, layers, images, heads, middles, tails, are_odd, are_nameless, *facts = zip(*rows, strict=True)
    if any(are_nameless):
        layer = layers[are_nameless.index(True)]
        raise NamelessJudge(f"somebody judged layer {layer} for the first time at this moment")
    name_of = {image: pictures.group_of[uuid.UUID(image)] for image in set(images)}
    groups = [name_of[image] for image in images]
    splits = [pictures.split_of[group] for group in groups]
    texts = [
        f"{head}{group}{middle}{split}{tail}".encode()
        for head, group, middle, split, tail in zip(heads, groups, middles, splits, tails, strict=True)
    ]
    for odd in compress(range(len(texts)), are_odd):
        texts[odd] = _canonical(texts[odd])
    return Lines(ids, layers, images, groups, texts, Facts(splits, *facts))


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
    # Of each person the latest verdict, by the index: to ask whether there is one reads all verdicts of everybody.
    judged = Verdict.objects.filter(annotator=OuterRef("pk"), **here).order_by("-created_at").values("pk")[:1]
    ruled = Adjudication.objects.filter(decided_by=OuterRef("pk"), **here)
    authors = Layer.objects.filter(project=project, author__isnull=False).order_by().values("author").distinct()
    people = get_user_model().objects.exclude(pk__in=Judge.objects.values("user"))
    missing = people.annotate(judged=Subquery(judged)).filter(Q(judged__isnull=False) | Exists(ruled))
    repaired = people.filter(pk__in=authors).values_list("pk", flat=True)
    new = [
        Judge(user_id=pk, pseudonym=f"judge-{secrets.token_hex(6)}")
        for pk in {*missing.values_list("pk", flat=True), *repaired}
    ]
    Judge.objects.bulk_create(new, ignore_conflicts=True)
