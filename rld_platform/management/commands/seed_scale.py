"""Make a large project of metadata for benchmarks: layers ready, slots open, people with API tokens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import connection
from django.utils.text import slugify

from annotation.services.slots import open_slots
from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors, with_progress
from engine.models import Layer, Membership, Project, Role
from engine.services.projects import project_named
from engine.services.tokens import create_token
from rld_platform.scale import copy_pictures, judge_layers, pattern_of

BATCH = 10_000
"""Pictures or judged layers a statement; each commits, so that progress shows and memory stays flat."""
SEEDED = ("engine_sourceimage", "engine_layer", "engine_prompt", "annotation_slot", "annotation_verdict")


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--images", required=True, type=int, metavar="N", help="pictures to add, 3 layers each")
        parser.add_argument("--project", required=True, metavar="P", help="id, slug or name; made when there is none")
        parser.add_argument("--annotators", type=int, default=0, metavar="K", help="people who judge in the project")
        parser.add_argument("--tokens", type=Path, metavar="FILE", help="their API tokens, one a line, new each time")
        parser.add_argument("--verdicts", type=int, default=0, metavar="N", help="layers settled by about N verdicts")

    def handle(self, *args: Any, **options: Any) -> None:
        images, verdicts, count = options["images"], options["verdicts"], options["annotators"]
        if min(images, verdicts, count) < 0:
            raise CommandError("--images, --annotators and --verdicts are 0 or more", returncode=WRONG_USE)
        if options["tokens"] and not count:
            raise CommandError("--tokens needs --annotators", returncode=WRONG_USE)
        with refusals_as_errors():
            project = project_named(options["project"])
            needed = project.needed_judgements
            if verdicts and count < needed:
                raise CommandError(f"{needed} judgements a layer need --annotators {needed}", returncode=WRONG_USE)
            pattern, producer, is_new = pattern_of(project)
            for batch in with_progress(_batches(images - is_new), None, f"times {BATCH} pictures"):
                copy_pictures(pattern, producer, batch)
            people = _annotators(project, count)
            slots = open_slots(project)
        made = sum(
            judge_layers(project, people, batch)
            for batch in with_progress(_batches(verdicts // needed), None, f"times {BATCH} layers judged")
        )
        if options["tokens"]:
            _write_tokens(options["tokens"], people)
        # Without fresh statistics the planner takes the new rows for few, until autovacuum comes by.
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(SEEDED)}")
        document = {
            "project": str(project.id),
            "slug": project.slug,
            "images": images,
            "layers": Layer.objects.filter(project=project).count(),
            "slots_opened": slots,
            "verdicts": made,
            "annotators": len(people),
        }
        sentence = f"{project}: {images} pictures more, {document['layers']} layers, {slots} slots opened"
        self.finish(document, f"{sentence}, {made} verdicts", options["as_json"])


def _batches(total: int) -> list[int]:
    return [min(BATCH, total - start) for start in range(0, total, BATCH)]


def _annotators(project: Project, count: int) -> list[Any]:
    """Members of the project who can enter with a token only."""
    users = get_user_model()
    names = [f"{slugify(project.name)[:100]}-annotator-{number:03d}" for number in range(1, count + 1)]
    missing = set(names) - set(users.objects.filter(username__in=names).values_list("username", flat=True))
    new = [users(username=name, first_name=f"Annotator {name[-3:]}") for name in sorted(missing)]
    for user in new:
        user.set_unusable_password()
    users.objects.bulk_create(new)
    people = list(users.objects.filter(username__in=names).order_by("username"))
    memberships = [Membership(project=project, user=user, role=Role.ANNOTATOR) for user in people]
    Membership.objects.bulk_create(memberships, ignore_conflicts=True)
    return people


def _write_tokens(path: Path, people: list[Any]) -> None:
    """The file is for its owner only: each line opens an account."""
    texts = [create_token(user=person, name="seed_scale")[1] for person in people]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{text}\n" for text in texts)
