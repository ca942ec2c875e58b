"""Short words for what the tests of the arena do all the time."""

from __future__ import annotations

import uuid
from typing import Any

from annotation.models import Comparison, Vote
from annotation.services.votes import claim_comparisons, record_vote
from engine.models import Layer, Project
from tests.factories import make_image, make_layer, make_producer

NAMES = ("careful", "hasty", "thorough")


def make_rivals(project: Project, photos: int = 3, names: tuple[str, ...] = NAMES[:2], **kwargs: Any) -> list[Layer]:
    """On every photo one layer of the same ball by each producer."""
    producers = [make_producer(name) for name in names]
    images = [make_image(project) for _ in range(photos)]
    return [make_layer(image, producer=producer, **kwargs) for image in images for producer in producers]


def claim_vote(user: Any, project: Project) -> Comparison:
    [comparison] = claim_comparisons(user=user, project=project)
    return comparison


def vote(user: Any, comparison: Comparison, choice: str = "left", **kwargs: Any) -> Vote:
    client_id = kwargs.pop("client_id", str(uuid.uuid4()))
    return record_vote(user=user, comparison=comparison, choice=choice, client_id=client_id, **kwargs)[0]


def vote_all(user: Any, project: Project, most: int = 1000) -> list[Vote]:
    """Until nothing is left for this person."""
    votes: list[Vote] = []
    while len(votes) < most and (found := claim_comparisons(user=user, project=project, count=5)):
        votes += [vote(user, comparison) for comparison in found]
    return votes
