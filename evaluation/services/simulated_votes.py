"""Simulated people at the real comparisons: they know the true layers of composites, and err at a known rate."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random

from annotation.models import Comparison
from annotation.services.simulation import join_queue
from annotation.services.votes import claim_comparisons, record_vote
from annotation.simulated import Simulated
from annotation.truth import composite_behind
from engine.composites.generator import Composite
from engine.imaging import composite, decode_png
from engine.models import Layer, Project
from engine.records import LayerKind
from engine.refusals import Refusal

JUST_SEEN = 0.004
"""Difference of mean colour errors, 0..1, below which two layers look the same."""


def simulate_votes(project: Project, people: Sequence[Simulated], most: int) -> Iterator[str]:
    """Let the people vote in turns until ``most`` votes are given or nobody gets a comparison; yields each choice."""
    users = join_queue(project, people)
    given, at_work = 0, list(people)
    errors = lru_cache(maxsize=4096)(_error)
    while at_work:
        for person in list(at_work):
            try:
                shown = claim_comparisons(user=users[person.name], project=project) if given < most else []
            except Refusal:
                shown = []
            if not shown:
                at_work.remove(person)
                continue
            choice = _choice(person, shown[0], errors(shown[0].left_id), errors(shown[0].right_id))
            user = users[person.name]
            record_vote(user=user, comparison=shown[0], choice=choice, client_id=str(uuid.uuid4()), active_ms=4000)
            given += 1
            yield choice


def _choice(person: Simulated, shown: Comparison, left: float, right: float) -> str:
    """The side that is nearer to the truth; a person who errs says the opposite, also of a tie."""
    rng = Random(f"{person.seed}/{person.name}/{shown.pair}/{shown.left_id}")
    if rng.random() < person.error_rate:
        left, right = right, left
        if abs(left - right) < JUST_SEEN:
            return rng.choice(("left", "right"))
    if abs(left - right) < JUST_SEEN:
        return "tie"
    return "left" if left < right else "right"


@lru_cache(maxsize=32)
def _made(name: str, digest: str) -> Composite | None:
    return composite_behind(name, digest)


def _error(layer_id: uuid.UUID) -> float:
    """Mean colour difference, 0..1, of layer and truth on mid grey: sees alpha, hidden parts and colours at once."""
    layer = Layer.objects.select_related("image").get(pk=layer_id)
    made = _made(layer.image.original_name, layer.image.sha256)
    if made is None:
        return 0.0
    with layer.rgba.open("rb") as file:
        rgba = decode_png(file.read())
    grey = (made.background_hwc * 0 + 128).astype(made.background_hwc.dtype)
    if layer.kind == LayerKind.BACKGROUND.value:
        return float(abs(rgba[..., :3].astype(float) - made.background_hwc).mean() / 255)
    seen = composite(rgba, grey).astype(float)
    truths = (composite(true.layer.rgba_hwc, grey) for true in made.layers)
    return float(min(abs(seen - truth).mean() for truth in truths) / 255)
