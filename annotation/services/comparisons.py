"""Which comparisons people are asked for: made a few at a time, when somebody wants one."""

from __future__ import annotations

import uuid
from random import choice, random, sample
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models.functions import Now

from annotation.edits import edit_for
from annotation.models import Choice, Comparison, SlotPurpose, Vote
from annotation.pair_sampling import pair_chances
from annotation.pairing import pair_id, same_things
from annotation.selectors.assignments import MOST_TELLING
from annotation.selectors.comparing import Arena, arenas_of
from engine.models import OUT_OF_SIGHT, Layer, Project, Prompt, SourceImage

BATCH = 12
"""Made at once: each is chosen by the votes that are in, so not many ahead."""
EDIT_SHARE = 0.3
OVERLAP_SHARE = 0.1
"""Pairs that somebody else has voted on already, so that people can be compared with people."""
PHOTOS = 4
"""Looked at for two layers of one thing before a draw is given up."""


def make_comparisons(project: Project, user: Any, count: int = BATCH) -> int:
    """Open up to ``count`` comparisons that this person could be served; how many were made.

    Two producers are drawn by how much a vote would tell, a photo that both have and on which they met least, and two
    layers of one thing on it. Sides are drawn by lot. One caller per project at a time; the others wait.
    """
    rng = np.random.default_rng()
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        seen = set(Vote.objects.filter(project=project, annotator=user, undone_at=None).values_list("pair", flat=True))
        arenas, made = arenas_of(project), 0
        for number in range(count if arenas else 0):
            arena = arenas[number % len(arenas)]
            new = _overlapping(arena, seen, user) if random() < OVERLAP_SHARE else None
            new = new or _new(arena, seen, user, rng)
            if new is not None:
                seen.add(new.pair)
                new.save(force_insert=True)  # at once: the next draw counts it
                made += 1
    return made


def _new(arena: Arena, seen: set[uuid.UUID], user: Any, rng: np.random.Generator) -> Comparison | None:
    chances = pair_chances(arena.wins, arena.pending, arena.allowed)
    at = int(rng.choice(len(chances.chance), p=chances.chance))
    first, second = int(chances.first[at]), int(chances.second[at])
    both = (arena.producers[first], arena.producers[second])
    for image_id in arena.photos(first, second, PHOTOS):
        layers = list(arena.layers.filter(image=image_id, producer__in=both).exclude(author=user))
        ours, theirs = ([layer for layer in layers if layer.producer_id == producer] for producer in both)
        fresh = [pair for pair in same_things(ours, theirs) if pair_id(pair[0].pk, pair[1].pk) not in seen]
        if fresh:
            arena.note(first, second)
            one, other = choice(fresh)
            new = pose(one, other, propensity=float(chances.chance[at]))
            if random() < EDIT_SHARE:
                new.edit = _edit(one, other, one.image)
            return new
    return None


def _overlapping(arena: Arena, seen: set[uuid.UUID], user: Any) -> Comparison | None:
    """A pair that somebody else has voted on, with the same edit and prompt and new sides."""
    voted = Vote.objects.filter(project=arena.project, comparison__board=arena.board, is_counted=True)
    others = voted.exclude(annotator=user).exclude(pair__in=seen).order_by("-created_at")
    for vote in others.select_related("comparison__left__image", "comparison__right__image")[:20]:
        known = vote.comparison
        if not {known.left.status, known.right.status} & set(OUT_OF_SIGHT):
            again = pose(known.left, known.right, propensity=known.propensity)
            again.edit, again.prompt_id = known.edit, known.prompt_id
            return again
    return None


def pose(one: Layer, other: Layer, **fields: Any) -> Comparison:
    """An unsaved comparison with sides by lot; the prompt is the most telling one of either layer, by lot too."""
    left, right = sample([one, other], 2)
    prompts = Prompt.objects.filter(layer=choice([one, other])).order_by("id")
    return Comparison(
        project_id=one.project_id,
        image=one.image,
        board=one.kind,
        left=left,
        right=right,
        pair=pair_id(left.pk, right.pk),
        prompt=min(prompts, key=lambda prompt: (prompt.is_ambiguous, MOST_TELLING.index(prompt.kind)), default=None),
        available_at=Now(),
        random_key=random(),
        **fields,
    )


def _edit(one: Layer, other: Layer, image: SourceImage) -> dict[str, Any]:
    scenes = SourceImage.objects.filter(project=image.project_id, duplicate_of=None).exclude(pk=image.pk)
    some = [str(pk) for pk in scenes.order_by("?").values_list("pk", flat=True)[:1]]
    return edit_for(one.kind, [one.box, other.box], (image.width, image.height), some, random)


def gold_comparison(project: Project, user: Any) -> Comparison | None:
    """For one person, unsaved: of two layers of one thing one is known to be good and one to be bad; or a layer stands
    beside itself, where a tie is right. ``None`` where there are no layers."""
    shown = Layer.objects.filter(project=project).exclude(status__in=OUT_OF_SIGHT).exclude(author=user)
    shown = shown.select_related("image")
    known = shown.filter(gold_item__is_active=True)
    seen = set(Vote.objects.filter(project=project, annotator=user).values_list("pair", flat=True))
    for good in known.filter(gold_item__is_acceptable=True).order_by("?")[:20]:
        bad = list(known.filter(gold_item__is_acceptable=False, image=good.image_id, kind=good.kind))
        for one, other in same_things([good], bad):
            if pair_id(one.pk, other.pk) not in seen:
                gold = pose(one, other, purpose=SlotPurpose.GOLD)
                gold.expected = Choice.LEFT if gold.left_id == one.pk else Choice.RIGHT
                return gold
    same = shown.order_by("?").first()
    return pose(same, same, purpose=SlotPurpose.GOLD, expected=Choice.TIE) if same else None


def mirror_comparison(project: Project, user: Any, gap: int) -> Comparison | None:
    """For one person, unsaved: one voted on at least ``gap`` votes ago and not repeated yet, with its sides swapped."""
    own = Vote.objects.filter(project=project, annotator=user, undone_at=None, extra_reason="").order_by("-created_at")
    again = own.filter(comparison__purpose=SlotPurpose.MIRROR).values("comparison__repeats")
    old = list(own.exclude(comparison__in=again).values_list("comparison", flat=True)[gap : gap + 50])
    repeatable = Comparison.objects.filter(pk__in=old, purpose=SlotPurpose.JUDGEMENT)
    hidden = repeatable.filter(left__status__in=OUT_OF_SIGHT) | repeatable.filter(right__status__in=OUT_OF_SIGHT)
    first = repeatable.exclude(pk__in=hidden.values("pk")).order_by("?").first()
    if first is None:
        return None
    same = {name: getattr(first, name) for name in ("project_id", "image_id", "board", "pair", "prompt_id", "edit")}
    return Comparison(
        **same,
        left_id=first.right_id,
        right_id=first.left_id,
        purpose=SlotPurpose.MIRROR,
        repeats=first,
        available_at=Now(),
        random_key=random(),
    )
