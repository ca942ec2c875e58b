"""Which layers a set of rules takes, and which pictures must stay out of training."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce

from annotation.models import Comparison, Decision, GoldItem, LayerTally, SlotStatus, Verdict, Vote
from engine.models import Layer, LayerStatus, Project, Prompt, SourceImage
from training.models import ReservedPicture
from training.near_duplicates import groups_of
from training.rules import Rules
from training.splitting import split_groups


@dataclass(frozen=True, slots=True)
class Reservation:
    """A picture with chosen layers that must not be trained on. ``like``: the reserved picture that it resembles."""

    image: uuid.UUID
    name: str
    purpose: str
    reserved_for: str
    like: str = ""

    @property
    def sentence(self) -> str:
        what = f"{self.purpose} {self.reserved_for}".strip()
        return f"{self.name} looks like {self.like} ({what})" if self.like else f"{self.name} ({what})"


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of the chosen layers: their group of near-duplicates, its split, and those that are reserved."""

    group_of: Mapping[uuid.UUID, str]
    split_of: Mapping[str, str]
    reserved: list[Reservation]

    @property
    def reserved_ids(self) -> set[uuid.UUID]:
        return {found.image for found in self.reserved}


@dataclass(frozen=True, slots=True)
class Preview:
    """What freezing by these rules would do now. ``counts``: name to ``[(value, layers)]``, most first."""

    layers: int
    pictures: int
    groups: int
    splits: dict[str, int]
    counts: dict[str, list[tuple[str, int]]]
    reserved: list[Reservation]
    reserved_layers: int
    without_prompt: int


def chosen_layers(project: Project, rules: Rules) -> QuerySet[Layer]:
    """Accepted layers that the rules take; one without any prompt cannot be asked for, so it is never taken."""
    layers = accepted_layers(project, rules)
    return layers.filter(Exists(Prompt.objects.filter(layer=OuterRef("pk"))))


def accepted_layers(project: Project, rules: Rules) -> QuerySet[Layer]:
    layers = Layer.objects.filter(project=project, status=LayerStatus.ACCEPTED).order_by()
    if rules.producers:
        layers = layers.filter(Q(producer__name__in=rules.producers) | Q(origin__name__in=rules.producers))
    if rules.kinds:
        layers = layers.filter(kind__in=rules.kinds)
    if rules.licences:
        layers = layers.filter(image__licence__in=rules.licences)
    if rules.since:
        layers = layers.filter(created_at__gte=_midnight(rules.since))
    if rules.until:
        layers = layers.filter(created_at__lt=_midnight(rules.until) + timedelta(days=1))
    if rules.least_judgements or rules.least_agreement:
        said = Verdict.objects.filter(layer=OuterRef("pk"), is_counted=True).order_by().values("layer")
        accepts = Count("pk", filter=Q(decision=Decision.ACCEPT))
        layers = layers.annotate(
            judgements=Coalesce(Subquery(said.values(n=Count("pk"))), 0),
            accepts=Coalesce(Subquery(said.values(n=accepts)), 0),
        ).filter(judgements__gte=max(rules.least_judgements, 1 if rules.least_agreement else 0))
        if rules.least_agreement:
            agreement = Cast(F("accepts"), FloatField()) / F("judgements")
            layers = layers.annotate(agreement=agreement).filter(agreement__gte=rules.least_agreement)
    return layers


def pictures_of(project: Project, layers: QuerySet[Layer], rules: Rules) -> Pictures:
    """Groups, splits and reservations of the pictures of these layers.

    A group has the SHA-256 of its earliest picture in the project as its name, chosen or not, so that it keeps its
    name and its split when more of its pictures are chosen later.
    """
    wanted = set(layers.values_list("image_id", flat=True).distinct())
    outside = list(
        ReservedPicture.objects.filter(project=project).values_list(
            "sha256", "perceptual_hash", "name", "purpose", "reserved_for"
        )
    )
    images = list(
        SourceImage.objects.filter(project=project)
        .order_by("created_at", "id")
        .values_list("id", "perceptual_hash", "sha256", "original_name", "picture")
    )
    hashes = [look for _, look, *_ in images] + [look for _, look, *_ in outside]
    first_of = groups_of(hashes)
    # A group that only reserved pictures of elsewhere begin is named after the first picture of the project in it.
    names: dict[int, str] = {}
    for (_, _, sha256, _, _), first in zip(images, first_of, strict=False):
        names.setdefault(first, sha256)
    group_of = {image[0]: names[first] for image, first in zip(images, first_of, strict=False) if image[0] in wanted}

    why: dict[int, tuple[str, str, str]] = {}
    own: dict[uuid.UUID, tuple[str, str]] = _reserved_here(project)
    digests = {sha256: (purpose, reserved_for) for sha256, _, _, purpose, reserved_for in outside}
    if own or digests:
        for number, (image_id, _, _, name, picture) in enumerate(images):
            if (known := digests.get(digest_of(picture))) is not None:
                own.setdefault(image_id, known)
            if image_id in own:
                why.setdefault(first_of[number], (*own[image_id], name))
    for number, (_, _, name, purpose, reserved_for) in enumerate(outside, len(images)):
        why.setdefault(first_of[number], (purpose, reserved_for, name))
    reserved = []
    for (image_id, _, _, name, _), first in zip(images, first_of, strict=False):
        if first in why and image_id in wanted:
            facts = (*own[image_id], "") if image_id in own else why[first]
            reserved.append(Reservation(image_id, name, *facts))
    out = {found.image for found in reserved}
    groups = {group for image_id, group in group_of.items() if image_id not in out}
    return Pictures(group_of, split_groups(groups, rules.seed, rules.validation, rules.test), reserved)


def preview(project: Project, rules: Rules) -> Preview:
    accepted = accepted_layers(project, rules)
    layers = chosen_layers(project, rules)
    pictures = pictures_of(project, layers, rules)
    per_image = dict(layers.values_list("image_id").annotate(n=Count("pk", distinct=True)).order_by())
    out = pictures.reserved_ids
    splits: Counter[str] = Counter()
    for image_id, count in per_image.items():
        if image_id not in out:
            splits[pictures.split_of[pictures.group_of[image_id]]] += count
    kept = layers.exclude(image_id__in=out) if out else layers
    fields = {"kind": "kind", "label": "label", "producer": "producer__name", "licence": "image__licence"}
    counts = {
        name: list(kept.values_list(field).annotate(n=Count("pk", distinct=True)).order_by("-n", field)[:12])
        for name, field in fields.items()
    }
    total = sum(per_image.values())
    return Preview(
        layers=splits.total(),
        pictures=len(per_image.keys() - out),
        groups=len(pictures.split_of),
        splits={split: splits[split] for split in ("train", "validation", "test")},
        counts=counts,
        reserved=pictures.reserved,
        reserved_layers=total - splits.total(),
        without_prompt=accepted.count() - total,
    )


def choices_of(project: Project) -> dict[str, list[str]]:
    """What the rules can choose among: producers of the project's accepted layers, and licences of its pictures."""
    accepted = LayerTally.objects.filter(project=project, status=LayerStatus.ACCEPTED, layers__gt=0).order_by()
    return {
        "producers": list(accepted.values_list("producer__name", flat=True).distinct().order_by("producer__name")),
        "licences": list(project.images.order_by("licence").values_list("licence", flat=True).distinct()),
    }


def digest_of(stored_name: str) -> str:
    """The SHA-256 in the name of a content-addressed file."""
    return stored_name.rpartition("/")[2].partition(".")[0]


def _reserved_here(project: Project) -> dict[uuid.UUID, tuple[str, str]]:
    """Pictures of the project that people are tested on or voted about."""
    gold = GoldItem.objects.filter(project=project).values_list("layer__image_id", flat=True)
    compared = Comparison.objects.filter(project=project)
    voted = compared.filter(~Q(status=SlotStatus.RETIRED) | Exists(Vote.objects.filter(comparison=OuterRef("pk"))))
    found = dict.fromkeys(voted.values_list("image_id", flat=True).distinct(), ("vote", ""))
    return found | dict.fromkeys(gold, ("gold", ""))


def _midnight(day: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(day), time(), UTC)
