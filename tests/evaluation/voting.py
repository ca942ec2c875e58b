"""Votes in the database from people who know which producer is better."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from django.db.models.functions import Now

from annotation.models import Comparison, Vote
from annotation.pairing import pair_id
from engine.composites.held_out import name_of, seen_composite
from engine.imaging import encode_png
from engine.models import Project, Role
from engine.records import RGBALayer
from engine.services.images import import_image
from engine.services.layers import unsaved_layer
from tests.factories import join, make_image, make_layer, make_producer, make_user


def voted_board(
    project: Project,
    strengths: Sequence[float] = (1.0, 0.0, -1.0),
    photos: int = 8,
    people: int = 4,
    seed: int = 0,
    tie: float = 0.15,
) -> list[str]:
    """Every person votes on every pair of producers on every photo, each with chance as the strengths say.

    Returns the names of the producers, the best one first.
    """
    draw = Random(seed)
    names = [f"method {number}" for number in range(len(strengths))]
    layers = {}
    for _ in range(photos):
        image = make_image(project)
        for at, name in enumerate(names):
            layers[image.pk, at] = make_layer(image, producer=make_producer(name))
    images = sorted({image for image, _ in layers})
    voters = [make_user(f"voter {seed}-{number}") for number in range(people)]
    comparisons, votes = [], []
    for voter in voters:
        join(voter, project, Role.ANNOTATOR)
        for image in images:
            for one in range(len(names)):
                for other in range(one + 1, len(names)):
                    left, right = draw.sample([one, other], 2)
                    chance = 1 / (1 + 10 ** (strengths[right] - strengths[left]))
                    lot = draw.random()
                    choice = "tie" if lot < tie else "left" if draw.random() < chance else "right"
                    comparison, vote = _given(project, layers[image, left], layers[image, right], voter, choice)
                    comparisons.append(comparison)
                    votes.append(vote)
    Comparison.objects.bulk_create(comparisons)
    Vote.objects.bulk_create(votes)
    return names


def layers_of_composites(project: Project, seeds: Sequence[int], shades: Mapping[str, int]) -> None:
    """The true layers of composites as each of some producers made them: with colours shifted by its shade."""
    for seed in seeds:
        made = seen_composite(seed, 64)
        image = import_image(project=project, data=encode_png(made.source_hwc), name=name_of(seed, 64)).image
        for name, shade in shades.items():
            for depth, true in enumerate(made.layers):
                rgba = true.layer.rgba_hwc.copy()
                rgba[..., :3] = (rgba[..., :3].astype(int) + shade) % 256
                row = unsaved_layer(
                    image=image, producer=make_producer(name), layer=RGBALayer(rgba, true.layer.visible_hw),
                    key=f"{depth:02d}", depth=depth, kind="foreground", label=true.label, status="ready",
                )  # fmt: skip
                row.save()


def _given(project: Project, left: Any, right: Any, voter: Any, choice: str) -> tuple[Comparison, Vote]:
    pair = pair_id(left.pk, right.pk)
    comparison = Comparison(
        project=project,
        image_id=left.image_id,
        board=left.kind,
        left=left,
        right=right,
        pair=pair,
        propensity=1 / 3,
        status="filled",
        available_at=Now(),
        random_key=0.5,
    )
    client_id = str(uuid.uuid4())
    vote = Vote(
        project=project,
        comparison=comparison,
        pair=pair,
        annotator=voter,
        choice=choice,
        client_id=client_id,
        active_ms=1500,
        is_counted=True,
    )
    return comparison, vote
